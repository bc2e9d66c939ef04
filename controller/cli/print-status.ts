// The whole controller for a person: what is in force, and what needs an eye. Pure: the time is given.

import type { StatusView } from '../api/schema.ts'
import { count, indent, moment, type Style, some, status, table, time } from './print.ts'
import { leftBehind, objects } from './print-device.ts'
import { enforcementTable, eyeCatchers } from './print-enforcement.ts'

/** All in force, and above it whatever holds things up. */
export function printStatus(style: Style, view: StatusView, now: Date): string {
  const parts = [
    alarms(style, view, now),
    inForce(style, view, now),
    needsEye(style, view, now),
    devices(style, view),
    `${style.colours.dim(`audit log ${view.log.origin}: ${count(view.log.size, 'entry', 'entries')}`)}`,
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function alarms(style: Style, view: StatusView, now: Date): string {
  const { colours } = style
  const lines: string[] = []
  const { freeze, clock } = view
  if (freeze !== undefined) {
    lines.push(
      `${colours.red('FROZEN')} since ${moment(freeze.since, now)} by ${freeze.by}: ${freeze.reason}`,
      '  no device is changed; `nullroute unfreeze` goes on with what is held',
    )
  }
  if (clock !== undefined) {
    const minutes = Math.round(clock.jumpMs / 60_000)
    lines.push(
      `${colours.red('CLOCK')} jumped by ${count(minutes, 'minute')} at ${time(clock.since)}: ends are held`,
      '  put it right, or `nullroute status --ack-clock` where it is',
    )
  }
  if (!view.ready) {
    const why = view.reasons.length === 0 ? '' : `: ${view.reasons.join('; ')}`
    lines.push(`${colours.red('NOT READY')}${why}`)
  }
  if (!view.log.healthy) {
    lines.push(`${colours.red('AUDIT LOG')} can't be written: no device is touched until it can`)
  }
  return lines.join('\n')
}

function inForce(style: Style, view: StatusView, now: Date): string {
  const { enforcements, counts } = view
  if (enforcements.length === 0) return nothingInForce(view)
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
  const by = Object.entries(counts)
    .map(([name, n]) => `${n} ${status(style, name)}`)
    .join(', ')
  const cutOff = total > enforcements.length ? `\n… and ${total - enforcements.length} more` : ''
  return `${by}\n\n${enforcementTable(style, enforcements, now)}${cutOff}`
}

/** What to say where no enforcement is in force: what was lifted may be there all the same. */
export function nothingInForce({ devices: all }: StatusView): string {
  const left = all.filter(({ unwanted }) => unwanted > 0).map(({ id }) => id)
  if (left.length === 0) return 'Nothing is in force.'
  return `No enforcement is in force, but something of ours that nobody wants is still on ${some(left)}.`
}

function needsEye(style: Style, { enforcements }: StatusView, now: Date): string {
  return enforcements
    .flatMap((view) =>
      eyeCatchers(view, now).map((text) => `${style.colours.yellow('!')} ${view.id}: ${text}`),
    )
    .join('\n')
}

function devices(style: Style, view: StatusView): string {
  if (view.devices.length === 0) return ''
  const rows = view.devices.map(({ id, state, unsaved, unwanted, orphans }) => [
    id,
    status(style, state),
    unsaved ? status(style, 'unsaved') : '-',
    objects(style, unwanted),
    objects(style, orphans),
  ])
  const head = ['DEVICE', 'STATE', 'SAVED', 'UNWANTED', 'ORPHANS']
  const parts = [
    style.colours.bold('Devices that need an eye'),
    indent(table(style, head, rows)),
    ...leftBehind(style, view.devices).map((line) => indent(line)),
  ]
  return parts.join('\n')
}
