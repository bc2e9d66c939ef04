// Values as text for a person. Pure: colours and width are given, nothing is written here.

import Table from 'cli-table3'
import picocolors from 'picocolors'

/** How text may look where it goes. */
export interface Style {
  readonly colours: ReturnType<typeof picocolors.createColors>
  readonly columns: number
}

/** Colours only on a terminal that wants them (NO_COLOR is heeded). */
export function styleFor(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const wanted = stream.isTTY === true && (environment['NO_COLOR'] ?? '') === ''
  return { colours: picocolors.createColors(wanted), columns: stream.columns ?? 100 }
}

/** A table with a head; without borders, so that it can be cut and searched. */
export function table(
  style: Style,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const made = new Table({
    head: head.map((cell) => style.colours.bold(cell)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  })
  for (const row of rows) made.push([...row])
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Blanks before a line that belongs to another. */
const indentUsual = 2

/** Lines, each behind `by` blanks. */
export function indent(text: string, by = indentUsual): string {
  const blanks = ' '.repeat(by)
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `${blanks}${line}`))
    .join('\n')
}

/** Names with what they are called, the names in one column. */
export function fields(
  style: Style,
  rows: readonly (readonly [string, string | undefined])[],
): string {
  const shown = rows.filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => name.length)) + 2
  return shown
    .map(([name, value]) => {
      const [first = '', ...more] = (value ?? '').split('\n')
      const rest = more.map((line) => `\n${' '.repeat(width)}${line}`).join('')
      return `${style.colours.dim(name.padEnd(width))}${first}${rest}`
    })
    .join('\n')
}

/** Names of a list that are shown. */
const shownMax = 8

/** The first `max` of a list, and how many more there are. */
export function some(items: readonly string[], max = shownMax): string {
  if (items.length <= max) return items.join(', ')
  return `${items.slice(0, max).join(', ')} and ${items.length - max} more`
}

/** A line that fits: cut off with an ellipsis. Plain text only, since colours have no width. */
export function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`
}

const feelings: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  enforced: 'green',
  verified: 'green',
  released: 'green',
  up: 'green',
  present: 'green',
  degraded: 'yellow',
  unreachable: 'yellow',
  awaiting_approval: 'yellow',
  pending: 'yellow',
  unsaved: 'yellow',
  failed: 'red',
  refused: 'red',
  rejected: 'red',
  quarantined: 'red',
}

/** A status in the colour that says how to feel about it; `shown` is the text where it is not the status itself. */
export function status(style: Style, text: string, shown = text): string {
  const colour = feelings[text]
  return colour === undefined ? shown : style.colours[colour](shown)
}

/** `2026-11-27T10:00:00.000Z` → `2026-11-27 10:00:00Z`. */
export function time(text: string | undefined): string {
  return text === undefined ? '-' : text.replace('T', ' ').replace(/\.\d{3}Z$/, 'Z')
}

/** Milliseconds → `0.6 s`, `12 s`, `3 min`, `5 h`, `14 d`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 119_500) return `${Math.round(ms / 1_000)} s`
  if (ms < 120 * 60_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}

/** A point in time, and how far it is from now. */
export function moment(text: string | undefined, now: Date): string {
  if (text === undefined) return '-'
  const ms = Date.parse(text) - now.getTime()
  const far = duration(Math.abs(ms))
  return `${time(text)} (${ms >= 0 ? `in ${far}` : `${far} ago`})`
}

/** `1 device`, `3 devices`; big numbers with thin groups. */
export function count(n: number | string, one: string, many = `${one}s`): string {
  const digits = String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  return `${digits} ${String(n) === '1' ? one : many}`
}
