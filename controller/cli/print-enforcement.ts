// Enforcements for a person: one whole, or many in a table. Pure: the time is given.

import type { EnforcementDeviceView, EnforcementView } from '../api/schema.ts'
import { count, fields, indent, moment, type Style, some, status, table, time } from './print.ts'
import { reasonText, subjectText } from './print-plan.ts'

/** One enforcement, with its result per device. */
export function printEnforcement(style: Style, view: EnforcementView, now: Date): string {
  const parts = [
    heading(style, view),
    facts(style, view, now),
    needsEye(style, view, now),
    deviceTable(style, view),
    intentRemarks(view.devices),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function heading(style: Style, view: EnforcementView): string {
  const { colours } = style
  const what = colours.bold(`${view.action} ${subjectText(view)}`)
  return `${what}  ${status(style, view.status)}  ${colours.dim(view.id)}`
}

/** One line on how it stands. */
export function statusLine(style: Style, view: EnforcementView): string {
  const { id, action } = view
  const subject = subjectText(view)
  const shown = status(style, view.status)
  const { verified, all } = countDevices(view)
  const of = `${verified} of ${count(all, 'device')}`
  switch (view.status) {
    case 'enforced':
      return `${action} ${subject}: ${shown}. ${of} read back and as asked. ${style.colours.dim(id)}`
    case 'released':
      return `${action} ${subject}: ${shown}. ${liftedText(view)} ${style.colours.dim(id)}`
    case 'degraded':
      return `${action} ${subject}: ${shown}. In force, but not everywhere: ${of} read back and as asked; the others are tried again. ${style.colours.dim(id)}`
    case 'awaiting_approval':
      return `${action} ${subject}: ${shown}. Nothing is done before another person approves it. ${style.colours.dim(id)}`
    case 'enforcing':
    case 'releasing':
    case 'rejected':
    case 'failed':
      return `${action} ${subject}: ${shown}. ${style.colours.dim(id)}`
  }
}

function facts(style: Style, view: EnforcementView, now: Date): string {
  const { decision, approvals, releaseRequestedAt } = view
  const evidence = decision.reason.evidence.map(({ url }) => url).join('\n')
  const given = approvals.given.map(({ person, at }) => `${person} ${time(at)}`).join(', ')
  const rows: [string, string | undefined][] = [
    ['reason', reasonText(decision.reason)],
    ['evidence', evidence === '' ? undefined : evidence],
    ['by', requester(view)],
    ['accepted', moment(view.acceptedAt, now)],
    endOf(view, now),
    [
      'approvals',
      approvals.needed === 0
        ? undefined
        : `${approvals.given.length} of ${approvals.needed}${given === '' ? '' : `: ${given}`}`,
    ],
    ['playbook', view.playbook.name],
    [
      'overrides',
      decision.override.map(({ guard, reason }) => `${guard}: ${reason}`).join('\n') || undefined,
    ],
    [
      'release',
      releaseRequestedAt === undefined
        ? undefined
        : `${moment(releaseRequestedAt, now)}: ${view.releaseReason ?? 'no reason given'}`,
    ],
    ['why', view.why],
    ['digest', view.digest],
  ]
  return indent(fields(style, rows))
}

// Its end is news only while something would still end by it.
function endOf(view: EnforcementView, now: Date): [string, string | undefined] {
  switch (view.status) {
    case 'awaiting_approval':
    case 'enforcing':
    case 'enforced':
    case 'degraded':
      return ['ends', view.expiresAt === undefined ? 'not by itself' : moment(view.expiresAt, now)]
    case 'releasing':
      return ['ends', 'now: it is being lifted']
    case 'released':
    case 'rejected':
    case 'failed':
      return ['ended', moment(view.updatedAt, now)]
  }
}

function requester({ requestedBy, requestedByPerson }: EnforcementView): string {
  const name = requestedBy.name ?? requestedBy.id
  return requestedByPerson === undefined || requestedByPerson === name
    ? name
    : `${requestedByPerson} (${name})`
}

/** What a person should look at: each a sentence that says what to do. */
export function eyeCatchers(view: EnforcementView, now: Date): readonly string[] {
  const { rollout, unsaved } = view
  // A release has no roll-out: what it lifts is lifted everywhere at once.
  const stoppedBy = isOver(view) ? undefined : rollout.stoppedBy
  const held =
    view.held === 'freeze'
      ? ['held by a freeze: goes on after `nullroute unfreeze`']
      : view.held === 'clock'
        ? [
            'its end is held because the clock jumped: `nullroute status --ack-clock` once it is right',
          ]
        : []
  return [
    ...(view.overdue
      ? ['overdue: asked to be lifted for more than 5 minutes, and still not gone everywhere']
      : []),
    ...held,
    ...(stoppedBy === undefined
      ? []
      : [`the roll-out stopped at ${stoppedBy}: \`nullroute retry ${view.id}\` goes on`]),
    ...(unsaved.length === 0 ? [] : [unsavedText(view, now)]),
    ...view.conflicts.map(({ kind, object }) => `the inventory has changed: ${kind}: ${object}`),
    ...view.warnings
      .filter(({ code }) => (isOver(view) ? ofRelease : inForceOnly).has(code) || !known.has(code))
      .map(({ code, message }) => `${code}: ${message}`),
  ]
}

/** What matters while it holds; what a platform can't do stands by its device already. */
const inForceOnly = new Set(['already_in_force', 'customer_terminated', 'outbound_not_stopped'])
/** What matters once it is lifted. */
const ofRelease = new Set(['held_by_others', 'another_customer'])
const known = new Set([...inForceOnly, ...ofRelease, 'unsupported'])

function isOver({ status: at }: EnforcementView): boolean {
  return at === 'releasing' || at === 'released' || at === 'failed' || at === 'rejected'
}

/** Saving follows a change within this time, in ms: until then it is no alarm. */
const savingMs = 15_000

function unsavedText(view: EnforcementView, now: Date): string {
  const where = some(view.unsaved)
  if (now.getTime() - Date.parse(view.updatedAt) < savingMs) {
    return `not saved yet on ${where}: that follows in a moment`
  }
  const reboot = isOver(view) ? 'bring it back' : 'take it back'
  return `unsaved on ${where}: a reboot there would ${reboot}; saving is tried again`
}

function needsEye(style: Style, view: EnforcementView, now: Date): string {
  const lines = eyeCatchers(view, now).map((text) => `${style.colours.yellow('!')} ${text}`)
  return indent(lines.join('\n'))
}

function deviceTable(style: Style, view: EnforcementView): string {
  const { devices } = view
  if (devices.length === 0) return ''
  const rows = devices.map((one) => [
    one.device,
    one.role,
    status(style, one.status, deviceState(view, one)),
    outcomes(view, one),
    time(one.verifiedAt),
  ])
  const shown = indent(table(style, ['DEVICE', 'ROLE', 'STATUS', 'INTENTS', 'VERIFIED'], rows))
  const errors = devices.flatMap((one) => errorLines(style, one))
  return errors.length === 0 ? shown : `${shown}\n\n${indent(errors.join('\n'))}`
}

/** The status of a device. In a release `verified` would be read as "still cut": there it is said as what it means. */
export function deviceState(of: EnforcementView, one: EnforcementDeviceView): string {
  if (wasNeverAsked(of, one)) return 'never asked'
  if (!isOver(of) || one.status !== 'verified') return one.status
  return one.intents.some(stillCuts) ? 'read back' : 'lifted'
}

/** `3 applied, 1 already`; of what is lifted `3 gone, 1 still there`. */
export function outcomes(of: EnforcementView, one: EnforcementDeviceView): string {
  const { intents, role, status: state } = one
  if (of.status === 'rejected') return 'nothing was done'
  if (isOver(of)) return tally(intents.map((intent) => lifted(of, intent)))
  if (role === 'observer') {
    const present = intents.filter(stillCuts).length
    return state === 'pending' && present === 0
      ? `${intents.length} to be seen`
      : `${present} of ${intents.length} seen`
  }
  return tally(intents.map(({ outcome }) => outcome))
}

type IntentView = EnforcementDeviceView['intents'][number]

function stillCuts({ seen }: IntentView): boolean {
  return seen === 'present' || seen === 'foreign'
}

/** Whether its roll-out never came to that device: what is over has read back every other, and waits for this one no more. */
function wasNeverAsked(of: EnforcementView, one: EnforcementDeviceView): boolean {
  return isEnded(of) && one.status === 'pending'
}

function isEnded({ status: at }: EnforcementView): boolean {
  return at === 'released' || at === 'failed'
}

function lifted(of: EnforcementView, intent: IntentView): string {
  if (intent.outcome === 'unsupported') return 'unsupported'
  if (stillCuts(intent)) return 'still there'
  if (isEnded(of) && intent.seen === undefined) return 'never put there'
  return intent.seen === 'absent' ? 'gone' : 'not read yet'
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, n]) => `${n} ${word}`).join(', ')
}

function errorLines(style: Style, one: EnforcementDeviceView): readonly string[] {
  const own =
    one.error === undefined
      ? []
      : [`${style.colours.red(one.device)}: ${one.error.message}`, `  do: ${one.error.remedy}`]
  const perIntent = one.intents
    .filter(({ error }) => error !== undefined && error.message !== one.error?.message)
    .flatMap(({ key, error }) => [
      `${style.colours.red(one.device)} ${key}: ${error?.message ?? ''}`,
      `  do: ${error?.remedy ?? ''}`,
    ])
  return [...own, ...perIntent]
}

// One sentence for all objects of a device that share it.
function intentRemarks(devices: readonly EnforcementDeviceView[]): string {
  const lines = devices.flatMap(({ device, intents }) => {
    const byNote = new Map<string, string[]>()
    for (const { key, note, outcome } of intents) {
      if (note === undefined || outcome === 'unknown') continue
      byNote.set(note, [...(byNote.get(note) ?? []), key])
    }
    return [...byNote].map(([note, keys]) => `${device}: ${some(keys, 3)}: ${note}`)
  })
  return indent(lines.join('\n'))
}

/** Many enforcements, one line each. */
export function enforcementTable(
  style: Style,
  views: readonly EnforcementView[],
  now: Date,
): string {
  const rows = views.map((view) => [
    view.id,
    view.action,
    subjectText(view),
    status(style, view.status),
    outOf(view),
    endsText(view, now),
    view.decision.reason.ticket ?? '-',
  ])
  return table(style, ['ID', 'ACTION', 'SUBJECT', 'STATUS', 'DEVICES', 'ENDS', 'TICKET'], rows)
}

function endsText(view: EnforcementView, now: Date): string {
  if (isOver(view)) return '-'
  return view.expiresAt === undefined ? '-' : moment(view.expiresAt, now)
}

function outOf(view: EnforcementView): string {
  const { verified, all } = countDevices(view)
  return `${verified}/${all}`
}

// A device that both gets lines and is waited for stands there twice, and is one device.
function countDevices(view: EnforcementView): {
  readonly verified: number
  readonly all: number
} {
  const counted = view.devices.filter(
    (one) => one.status !== 'unsupported' && !wasNeverAsked(view, one),
  )
  const names = namesOf(counted)
  const right = names.filter((name) =>
    counted.every(({ device, status: at }) => device !== name || at === 'verified'),
  )
  return { verified: right.length, all: names.length }
}

// Released means that this enforcement holds nothing any more, not that nothing holds; and nothing was read where nothing was ever put.
function liftedText(view: EnforcementView): string {
  const { devices } = view
  const spared = namesOf(devices.filter((one) => wasNeverAsked(view, one)))
  const rest = spared.length === 0 ? '' : ` Nothing was ever put on ${some(spared)}.`
  if (rest !== '' && spared.length === namesOf(devices).length) return rest.trimStart()
  const where = rest === '' ? 'everywhere' : 'wherever it was put'
  const stays = namesOf(devices.filter(({ intents }) => intents.some(stillCuts)))
  if (stays.length === 0) {
    const held = view.warnings.find(({ code }) => code === 'held_by_others')
    return held === undefined
      ? `Lifted ${where}, and read back.${rest}`
      : `Lifted ${where}, and read back; but not all of it comes back: ${held.message}.${rest}`
  }
  return `Read back ${where}; but on ${some(stays)} something still cuts: another enforcement wants it, it was there before, or somebody changed it since. \`nullroute status ID\` says what.${rest}`
}

function namesOf(devices: EnforcementView['devices']): readonly string[] {
  return [...new Set(devices.map(({ device }) => device))]
}
