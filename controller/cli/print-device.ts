// Devices for a person. Pure: the time is given.

import type { DeviceCheckView, DeviceView } from '../api/schema.ts'
import { count, fields, indent, moment, type Style, some, status, table, time } from './print.ts'

/** All devices, one line each. */
export function deviceTable(style: Style, devices: readonly DeviceView[]): string {
  const rows = devices.map((one) => [
    one.id,
    one.platform,
    one.site ?? '-',
    one.roles.join(' ') || '-',
    status(style, one.state),
    one.drift ? style.colours.yellow('yes') : 'no',
    one.unsaved ? status(style, 'unsaved') : '-',
    one.orphans.length === 0 ? '-' : style.colours.yellow(String(one.orphans.length)),
    time(one.lastReadAt),
  ])
  const head = ['DEVICE', 'PLATFORM', 'SITE', 'ROLES', 'STATE', 'DRIFT', 'SAVED', 'ORPHANS', 'READ']
  return table(style, head, rows)
}

/** One device: how it is, what is wanted of it and what it showed. */
export function printDevice(style: Style, view: DeviceView, now: Date): string {
  const retired = view.retired === true ? '  retired: in no inventory any more' : ''
  const title = `${style.colours.bold(view.id)}  ${status(style, view.state)}${retired}`
  const rows: [string, string | undefined][] = [
    ['platform', view.platform],
    ['address', `${view.address} port ${view.port}`],
    ['site', view.site],
    ['roles', view.roles.length === 0 ? undefined : view.roles.join(', ')],
    ['software', view.software],
    ['read', moment(view.lastReadAt, now)],
    ['since', view.since === undefined ? undefined : moment(view.since, now)],
    ['unsaved', view.unsaved ? `yes: ${unsavedText(view.save)}` : 'no'],
    ['drift', view.drift ? 'yes: something is wanted and not present' : 'no'],
  ]
  const parts = [
    `${title}\n${indent(fields(style, rows))}`,
    intents(style, view),
    orphans(style, view),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function unsavedText(save: DeviceView['save']): string {
  const back = 'a reboot would take our changes back'
  switch (save) {
    case 'always':
      return `${back}; saving is tried again`
    case 'clean':
      return `${back}; saving is tried again, once nothing of others is unsaved`
    case 'never':
      return `${back}, and nullroute does not save here (save: never). What is lifted stays known as ours: had somebody saved it meanwhile, a reboot would bring it back`
  }
}

function intents(style: Style, { intents: all }: DeviceView): string {
  if (all.length === 0) return indent('nothing is wanted of it')
  const rows = all.map((one) => [
    one.key,
    one.wanted ? 'yes' : 'no',
    status(style, one.seen),
    some(one.enforcements, 2) || '-',
    one.error?.message ?? one.note ?? '',
  ])
  return indent(table(style, ['INTENT', 'WANTED', 'SEEN', 'FOR', 'NOTE'], rows))
}

function orphans(style: Style, { id, orphans: all }: DeviceView): string {
  if (all.length === 0) return ''
  const lines = all.map(({ key, object }) => `${key}  ${style.colours.dim(object.join(' / '))}`)
  return [
    `${style.colours.yellow('Orphans')}: marked as ours, claimed by nothing; never removed by themselves`,
    indent(lines.join('\n')),
    indent(`take them off: nullroute device reconcile ${id} --remove KEY --reason WHY`),
    indent(`claim them:    nullroute device adopt ${id} --key KEY --reason WHY`),
  ].join('\n')
}

/** What a check found: each question, and what to do about the ones that are not right. */
export function printPreflight(style: Style, view: DeviceCheckView): string {
  const { colours } = style
  const lines = view.preflight.map(({ name, ok, found, expected, remedy }) => {
    if (ok) return `${colours.green('ok')}   ${name}: ${found}`
    return [
      `${colours.red('FAIL')} ${colours.bold(name)}`,
      `       found:    ${found}`,
      `       expected: ${expected}`,
      `       do:       ${remedy}`,
    ].join('\n')
  })
  const bad = view.preflight.filter(({ ok }) => !ok).length
  const end =
    bad === 0
      ? colours.green('everything is right')
      : `${count(bad, 'finding')} to put right, then check again`
  const title = `${colours.bold(view.id)}  ${view.platform}  ${view.address} port ${view.port}`
  return [title, ...lines.map((line) => indent(line)), end].join('\n')
}
