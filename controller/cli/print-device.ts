// Devices for a person. Pure: the time is given.

import type { DeviceCheckView, DeviceView } from '../api/schema.ts'
import { count, fields, indent, moment, type Style, some, status, table, time } from './print.ts'

const heads = [
  'DEVICE',
  'PLATFORM',
  'SITE',
  'ROLES',
  'STATE',
  'DRIFT',
  'SAVED',
  'UNWANTED',
  'ORPHANS',
  'READ',
]

const unwantedMeaning =
  'put there by nullroute, wanted by nobody, and still there or not known to be gone'
const orphansMeaning =
  'marked as nullroute’s, or equal to what it lifted last, and not known to be its own'

/** All devices, one line each, and what to do about what was left behind. */
export function deviceTable(style: Style, devices: readonly DeviceView[]): string {
  const rows = devices.map((one) => [
    one.id,
    one.platform,
    one.site ?? '-',
    one.roles.join(' ') || '-',
    status(style, one.state),
    one.drift ? style.colours.yellow('yes') : 'no',
    one.unsaved ? status(style, 'unsaved') : '-',
    objects(style, one.unwanted.length),
    objects(style, one.orphans.length),
    time(one.lastReadAt),
  ])
  const listed = table(style, heads, rows)
  const counts = devices.map(({ id, unwanted, orphans: found }) => {
    return { id, unwanted: unwanted.length, orphans: found.length }
  })
  const left = leftBehind(style, counts)
  return left.length === 0 ? listed : `${listed}\n\n${left.join('\n')}`
}

/** A number of objects that should be none. */
export function objects(style: Style, n: number): string {
  return n === 0 ? '-' : style.colours.yellow(String(n))
}

/** Which devices hold what nobody wants, or orphans, and what to do: a line for each of the two. */
export function leftBehind(
  style: Style,
  devices: readonly {
    readonly id: string
    readonly unwanted: number
    readonly orphans: number
  }[],
): readonly string[] {
  const mark = style.colours.yellow('!')
  const line = (what: 'unwanted' | 'orphans', meaning: string): readonly string[] => {
    const ids = devices.filter((one) => one[what] > 0).map(({ id }) => id)
    if (ids.length === 0) return []
    const look = `nullroute device show ${ids.length === 1 ? ids[0] : 'DEVICE'}`
    return [`${mark} ${what} on ${some(ids)}: ${meaning}; what to do: \`${look}\``]
  }
  return [...line('unwanted', unwantedMeaning), ...line('orphans', orphansMeaning)]
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
    [
      'unwanted',
      view.unwanted.length === 0
        ? 'no'
        : `yes: ${some(view.unwanted, 3)}: ${unwantedMeaning}; lifting it is tried again. Where a note below says why the device refuses, put that right, or take it off by hand`,
    ],
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
    `${style.colours.yellow('Orphans')}: ${orphansMeaning}; nullroute never removes them by itself`,
    indent(lines.join('\n')),
    indent('Look first: since it was lifted, somebody may have put the same there by hand.'),
    indent('If it is theirs, leave it as it is. Only if it is left over from nullroute:'),
    indent(`take it off:  nullroute device reconcile ${id} --remove KEY --reason WHY`),
    indent(
      `take it over: nullroute device adopt ${id} --key KEY --reason WHY (what no enforcement wants is then taken off, too)`,
    ),
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
      ? colours.green('nothing to put right')
      : `${count(bad, 'finding')} to put right, then check again`
  const title = `${colours.bold(view.id)}  ${view.platform}  ${view.address} port ${view.port}`
  return [title, ...lines.map((line) => indent(line)), end].join('\n')
}
