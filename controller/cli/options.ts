// What stands behind flags: text → value, or a sentence that says what was expected. Pure.

import { type Command, InvalidArgumentError, Option } from 'commander'

/** An end: so long from now, or a point in time. */
export type Expiry =
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'at'; readonly time: string }

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** `90s`, `30m`, `12h`, `14d`, `2w` → milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text)
  const unit = unitMs[match?.[2] ?? '']
  if (match === null || unit === undefined || Number(match[1]) === 0) {
    throw new InvalidArgumentError('expected a time span such as 90s, 30m, 12h, 14d or 2w')
  }
  return Number(match[1]) * unit
}

/** A time span, or a point in time with its zone. */
export function parseExpiry(text: string): Expiry {
  if (/^\d+[a-z]$/.test(text)) return { kind: 'after', ms: parseDuration(text) }
  return { kind: 'at', time: parseTime(text) }
}

/** RFC 3339, or a day, which begins at midnight UTC → UTC with milliseconds. */
export function parseTime(text: string): string {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const full = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(
    text,
  )
  const at = new Date(text.replace(' ', 'T'))
  if ((!day && !full) || !isDay(text.slice(0, 10)) || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError(
      'expected a time span such as 14d, a day such as 2026-12-07, or a time with its zone such as 2026-12-07T00:00:00Z',
    )
  }
  return at.toISOString()
}

/** Whether the calendar has that day: JavaScript reads February 30 as March 2. */
function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

/** `DEVICE:REST` at the first colon: ids of devices have none. */
export function parsePlace(text: string): { readonly device: string; readonly rest: string } {
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) {
    throw new InvalidArgumentError(
      'expected DEVICE:INTERFACE or DEVICE:ADDRESS, such as sw1.ams:p1 or edge1.ams:192.0.2.9',
    )
  }
  return { device: text.slice(0, colon), rest: text.slice(colon + 1) }
}

/** An override of one guard. */
export interface Override {
  readonly guard: string
  readonly reason: string
}

/** `GUARD=REASON`, collected. */
export function collectOverride(
  text: string,
  before: readonly Override[] = [],
): readonly Override[] {
  const at = text.indexOf('=')
  const reason = text.slice(at + 1).trim()
  if (at < 1 || reason === '') {
    throw new InvalidArgumentError('expected GUARD=REASON, such as hour_budget="agreed with NOC"')
  }
  return [...before, { guard: text.slice(0, at), reason }]
}

/** Where evidence lies, and what it was. */
export interface Evidence {
  readonly url: string
  readonly sha256?: string
}

/** `URL` or `URL#sha256=HEX`, collected. The fragment is taken off: no server ever sees one. */
export function collectEvidence(
  text: string,
  before: readonly Evidence[] = [],
): readonly Evidence[] {
  const at = text.search(/#sha-?256=/i)
  if (at < 0) return [...before, { url: text }]
  const hex = text.slice(text.indexOf('=', at) + 1).toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new InvalidArgumentError(
      `expected URL#sha256=HEX with the 64 hexadecimal digits that \`sha256sum FILE\` prints; found ${hex.length} characters after "="`,
    )
  }
  return [...before, { url: text.slice(0, at), sha256: hex }]
}

/** A flag that may stand several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** A whole number from 1 to `max`. */
export function parseCount(max: number): (text: string) => number {
  return (text) => {
    const n = Number(text)
    if (!/^\d+$/.test(text) || n < 1 || n > max) {
      throw new InvalidArgumentError(`expected a whole number from 1 to ${max}`)
    }
    return n
  }
}

/** Text below the help of a command: examples, each with what it does. */
export function examples(command: Command, lines: readonly (readonly [string, string])[]): Command {
  const text = lines.map(([example, does]) => `  $ ${example}\n      ${does}`).join('\n')
  return command.addHelpText('after', `\nExamples:\n${text}`)
}

/** The flags of commands that wait until what they asked for is settled. */
export function waiting(command: Command): Command {
  return command
    .option('--no-wait', 'do not wait until it is settled')
    .addOption(
      new Option(
        '--timeout <span>',
        'stop waiting after this time (exit 3); the controller goes on',
      ).argParser(parseDuration),
    )
}

/** What `waiting` gives. */
export interface WaitOptions {
  readonly wait: boolean
  readonly timeout?: number
  readonly json?: boolean
}

/** Whether a text is the id of an enforcement or plan, and no name of a customer. */
export function isUlid(text: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text)
}
