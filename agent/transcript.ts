// What was said to a device and what it answered, with times. No secret that we type is ever put in; those that a configuration shows are taken out on the way.

import type { Clock } from './clock.ts'

/** The record of one session. Bounded: of what is too long, the beginning and the end are kept. */
export interface Transcript {
  /** A line that was typed. For a secret the caller passes `[redacted]`. */
  sent(text: string): void
  /** Text as it stood on the screen. */
  received(text: string): void
  /** Begins a new part: `text` answers for what comes from now on. */
  mark(): void
  text(): string
  /** Bytes of what was sent and received since the mark. */
  bytes(): number
}

/** Most characters of a part: half are its first, half its last. */
const partMax = 512 * 1024

/** A transcript that asks `clock` for the time of each entry. `redact` takes out of what a device showed what nobody may keep. */
export function createTranscript(
  clock: Clock,
  redact: (text: string) => string = (text) => text,
): Transcript {
  let head = ''
  let tail = ''
  let left = 0
  let bytes = 0

  const add = (sign: string, text: string): void => {
    bytes += Buffer.byteLength(text)
    const entry = `${clock.now().toISOString()} ${sign} ${text.replaceAll('\n', `\n${' '.repeat(25)}${sign} `)}\n`
    if (tail === '' && head.length + entry.length <= partMax / 2) {
      head += entry
      return
    }
    tail += entry
    // Only now and then: to cut at each line would copy all that is kept each time.
    if (tail.length > partMax) cut()
  }

  const cut = (): void => {
    const over = tail.length - partMax / 2
    if (over <= 0) return
    left += over
    tail = tail.slice(over)
  }

  return {
    sent: (text) => add('>', text),
    received: (text) => add('<', redact(text)),
    mark() {
      head = ''
      tail = ''
      left = 0
      bytes = 0
    },
    text() {
      cut()
      return left === 0 ? head + tail : `${head}… ${left} characters left out …\n${tail}`
    },
    bytes: () => bytes,
  }
}
