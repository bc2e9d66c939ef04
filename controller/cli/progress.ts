// How far an enforcement has come on each device, told from its events: what is waited for, and how long. Pure: the time is given, nothing is written here.

import type {
  DeviceEvent,
  EnforcementDeviceView,
  EnforcementView,
  SettledEvent,
  StatusEvent,
} from '../api/schema.ts'
import { cut, duration, type Style, some, status } from './print.ts'
import { subjectText } from './print-plan.ts'

/** An event of the stream that moves something here. */
export type ProgressEvent =
  | { readonly event: 'status'; readonly data: StatusEvent }
  | { readonly event: 'device'; readonly data: DeviceEvent }
  | { readonly event: 'settled'; readonly data: SettledEvent }

interface Row {
  readonly view: EnforcementDeviceView
  /** Type of the last record about the device. */
  readonly last: string | undefined
  /** When it began to be what it is, in ms of the same clock as `now`. */
  readonly since: number
}

/** How things stand. */
export interface Progress {
  readonly id: string
  readonly title: string
  readonly status: EnforcementView['status']
  readonly releasing: boolean
  readonly started: number
  readonly rows: ReadonlyMap<string, Row>
}

/** How it stands before the first event. */
export function begin(view: EnforcementView, now: number): Progress {
  const rows = new Map<string, Row>()
  for (const one of view.devices) rows.set(rowKey(one), { view: one, last: undefined, since: now })
  return {
    id: view.id,
    title: `${view.status === 'releasing' ? 'release of ' : ''}${view.action} ${subjectText(view)}`,
    status: view.status,
    releasing: view.status === 'releasing',
    started: now,
    rows,
  }
}

/** How it stands after an event. */
export function advance(progress: Progress, event: ProgressEvent, now: number): Progress {
  switch (event.event) {
    case 'status':
      return { ...progress, status: event.data.status }
    case 'settled':
      return { ...progress, status: event.data.status }
    case 'device': {
      const rows = new Map(progress.rows)
      for (const view of event.data.results) {
        const before = rows.get(rowKey(view))
        const same = before?.view.status === view.status
        const since = same ? before.since : now
        rows.set(rowKey(view), { view, last: event.data.type, since })
      }
      return { ...progress, rows }
    }
  }
}

/** The screen of a terminal: one line a device, those that are waited for first where there are more than fit. */
export function screen(
  style: Style,
  progress: Progress,
  at: { readonly now: number; readonly rows: number },
): readonly string[] {
  const { colours, columns } = style
  const rows = [...progress.rows.values()]
  const waitedFor = rows.filter((row) => !isDone(row))
  const room = Math.max(3, at.rows - 3)
  const shown = rows.length <= room ? rows : waitedFor.slice(0, room)
  const width = Math.max(...rows.map(({ view }) => view.device.length), 6)
  const head = `${progress.title}  ${progress.status}  ${duration(at.now - progress.started)}`
  const lines = shown.map((row) => {
    const { view } = row
    const state = stateOf(row, progress)
    const name = `  ${view.device.padEnd(width)}  ${view.role.padEnd(8)}  `
    const text = cut(detail(row, progress, at.now), columns - name.length - 13)
    return `${name}${status(style, view.status, state.padEnd(11))}  ${text}`
  })
  const more = rows.length - shown.length
  const done = rows.length - waitedFor.length
  const rest = more > 0 ? [colours.dim(`  … ${rows.length} devices, ${done} done`)] : []
  return [colours.bold(cut(head, columns)), ...lines, ...rest]
}

/** The news of an event as plain lines, for where nothing can be redrawn. */
export function news(before: Progress, after: Progress, now: number): readonly string[] {
  const at = `+${duration(now - after.started)}`
  const changed = [...after.rows].filter(([key, row]) => {
    const old = before.rows.get(key)
    return (
      old === undefined ||
      old.view.status !== row.view.status ||
      old.view.error?.message !== row.view.error?.message
    )
  })
  const lines = changed.map(([, row]) => {
    const { view } = row
    return `${at}  ${view.device}  ${view.role}  ${stateOf(row, after)}  ${detail(row, after, now)}`.trimEnd()
  })
  return before.status === after.status
    ? lines
    : [...lines, `${at}  ${after.title}: ${after.status}`]
}

/** What is still waited for, in one line; undefined where nothing is. */
export function waitedFor(progress: Progress, now: number): string | undefined {
  const rows = [...progress.rows.values()].filter((row) => !isDone(row))
  if (rows.length === 0) return undefined
  const names = rows.map(
    (row) => `${row.view.device} (${stateOf(row, progress)} ${duration(now - row.since)})`,
  )
  return `waiting for ${some(names, 5)}`
}

function rowKey({ device, role }: EnforcementDeviceView): string {
  return `${role} ${device}`
}

// A release begins with every result open: one that is verified since is done, also where an object stays for somebody else.
function isDone({ view }: Row): boolean {
  return view.status === 'unsupported' || view.status === 'verified'
}

// In a release `verified` would be read as "still blocked": there it is said as what it means.
function stateOf({ view }: Row, { releasing }: Progress): string {
  if (view.status !== 'verified' || !releasing) return view.status
  return view.intents.some(stays) ? 'read back' : 'lifted'
}

function stays({ seen }: EnforcementDeviceView['intents'][number]): boolean {
  return seen === 'present' || seen === 'foreign'
}

// Of what a release leaves in place: how much, and for whom.
function staysText({ intents }: EnforcementDeviceView): string {
  const left = intents.filter(stays)
  if (left.length === 0) return ''
  const wanted = left.some(({ seen }) => seen === 'present')
  const foreign = left.some(({ seen }) => seen === 'foreign')
  const why = [
    ...(wanted ? ['another enforcement holds it'] : []),
    ...(foreign ? ['someone else put it there'] : []),
  ]
  return `, ${left.length} of ${intents.length} left in place: ${why.join(', or ')}`
}

function detail(row: Row, progress: Progress, now: number): string {
  const { view } = row
  const since = duration(now - row.since)
  if (view.error !== undefined) return view.error.message
  if (view.status === 'unsupported') return 'its platform can’t do it; the plan said so'
  if (isDone(row)) {
    return `${duration(row.since - progress.started)}${progress.releasing ? staysText(view) : ''}`
  }
  if (view.role === 'observer') return `${since}, ${observed(row, progress)}`
  if (view.status === 'pending') return `${since}, waits for its turn`
  return `${since}, ${steps[row.last ?? ''] ?? 'at work'}`
}

function observed({ view }: Row, { releasing }: Progress): string {
  const open = view.intents.filter(({ seen }) => (seen === 'present') === releasing)
  const prefixes = open.map(({ key }) => key.split('|').at(-1) ?? key)
  const what = releasing ? 'no longer discards' : 'discards'
  return `until it ${what} ${some(prefixes, 2)}`
}

/** The last record about a device → what goes on now. */
const steps: Readonly<Record<string, string>> = {
  'device.connected': 'logged in, reads it',
  'device.observed': 'read; works out what is missing',
  'device.commands_intended': 'lines are on the way',
  'device.commands_done': 'lines were taken; reads back',
  'device.rolled_back': 'taken back',
  'device.saved': 'saved',
  'device.drift_found': 'differs from what is wanted; puts it right',
}
