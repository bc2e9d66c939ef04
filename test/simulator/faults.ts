// Faults on demand, as data: the same from a test and from the program's control lines.

/** When a fault acts. Absent fields mean: always. */
interface When {
  /** Only on lines that match (a string is a regular expression). */
  readonly matching?: RegExp | string
  /** Only on the n-th line (from 1) since the fault was added, counting the lines that match. */
  readonly line?: number
  /** At most so many times; then the fault is gone. */
  readonly times?: number
  /** Not before a line that matches this was read, after the fault was added: what is read again after a change, and not before it. */
  readonly after?: RegExp | string
}

/** The line that stands for a log-in: what meets it acts on the greeting and the first prompt. */
export const loginLine = '<login>'

/** What may go wrong with a device. */
export type Fault =
  /** Each answer comes so much later, in ms. */
  | ({ readonly kind: 'slow'; readonly ms: number } & When)
  /** Output comes in pieces of so many bytes, each in a packet of its own: all of it, or the answers to certain lines. */
  | ({ readonly kind: 'split'; readonly bytes: number } & When)
  /** The connection is cut when the line has been read, before or after it was done; no answer is sent. */
  | ({ readonly kind: 'disconnect'; readonly when: 'before' | 'after' } & When)
  /** The line is read and echoed; nothing follows, for ever. */
  | ({ readonly kind: 'hang' } & When)
  /** The way to the client is gone without a word, before or after the line was done: nothing is read or written any more, and nothing is closed. */
  | ({ readonly kind: 'half-open'; readonly when: 'before' | 'after' } & When)
  /** The device starts again from what was saved, before or after the line was done. */
  | ({ readonly kind: 'reload'; readonly when: 'before' | 'after' } & When)
  /** The device asks this before it does the line: `y`, `yes` or nothing at all is a yes, everything else a no. */
  | ({ readonly kind: 'ask'; readonly text: string } & When)
  /** The prompt behind the answer is this one. */
  | ({ readonly kind: 'prompt'; readonly text: string } & When)
  /** The line is done, and this is said as well. */
  | ({ readonly kind: 'say'; readonly text: string } & When)
  /** The greeting comes once more, before the answer. */
  | ({ readonly kind: 'banner' } & When)
  /** Of the answer only the first half comes, then the prompt: cut where it happens to be, or behind a whole line. */
  | ({ readonly kind: 'truncate'; readonly at?: 'line' } & When)
  /** The line is refused in the platform's words, or in these. */
  | ({ readonly kind: 'reject'; readonly text?: string } & When)
  /** The device lies: the line is answered as if done, and nothing is changed. */
  | ({ readonly kind: 'lie' } & When)
  /** Somebody else changes the configuration, before or after the line is done. */
  | ({
      readonly kind: 'foreign-change'
      readonly when: 'before' | 'after'
      readonly lines: readonly string[]
    } & When)
  /** A log line comes into the session: in the middle of the echo, of the answer, or behind the prompt. */
  | ({
      readonly kind: 'log-line'
      readonly where: 'echo' | 'answer' | 'prompt'
      readonly text?: string
    } & When)
  /** The pager stays on, whatever the session asks for. */
  | { readonly kind: 'paging' }
  /** Somebody else holds the configuration lock. */
  | { readonly kind: 'lock'; readonly by?: string }
  /** Saving fails. */
  | { readonly kind: 'refuse-save'; readonly text?: string }
  /** No login is accepted. */
  | { readonly kind: 'refuse-login' }
  /** Connections are accepted and go no further: cut, or kept without a word, or with nothing behind the first one. */
  | { readonly kind: 'connect'; readonly how: 'cut' | 'silent' | 'version only' }
  /** Whoever wants to log in is cut off, never answered, or told that the password has expired. */
  | { readonly kind: 'log-in'; readonly how: 'cut' | 'silent' | 'expired' }
  /** All sessions that are open now are cut, or go silent: nothing goes in or out any more, and nothing is closed. */
  | { readonly kind: 'sessions'; readonly how: 'cut' | 'silent' }
  /** The device shows another host key than before. */
  | { readonly kind: 'host-key' }
  /** Nothing listens, sessions are cut. */
  | { readonly kind: 'off' }

/** The faults of one device. */
export interface Faults {
  /** Puts a fault on; the answered function takes it off. */
  add(fault: Fault): () => void
  readonly active: readonly Fault[]
  /** How many times a fault has acted, since the device's start. */
  readonly acted: number
  /** Takes all off. */
  clear(): void
}

interface Armed {
  readonly fault: Fault
  seen: number
  met: number
  /** Whether the line has come that it waits for. */
  begun: boolean
}

/** The faults of one device, with what the device itself asks about them. */
export interface FaultSet extends Faults {
  has(kind: Fault['kind']): boolean
  find<K extends Fault['kind']>(kind: K): Extract<Fault, { kind: K }> | undefined
  /** Notes that a fault without a line acted. */
  act(): void
  /** The faults that meet this line, counted. */
  meet(line: string): readonly Fault[]
}

/** No faults yet. `changed` is called after each change to the set. */
export function createFaults(changed: () => void): FaultSet {
  let armed: Armed[] = []
  let acted = 0
  const remove = (one: Armed): void => {
    if (!armed.includes(one)) return
    armed = armed.filter((other) => other !== one)
    changed()
  }
  return {
    add(fault) {
      const one: Armed = { fault, seen: 0, met: 0, begun: !('after' in fault && fault.after) }
      armed.push(one)
      changed()
      return () => remove(one)
    },
    get active() {
      return armed.map((one) => one.fault)
    },
    get acted() {
      return acted
    },
    act() {
      acted += 1
    },
    clear() {
      armed = []
      changed()
    },
    has: (kind) => armed.some((one) => one.fault.kind === kind),
    find: <K extends Fault['kind']>(kind: K) =>
      armed.map((one) => one.fault).find((f): f is Extract<Fault, { kind: K }> => f.kind === kind),
    meet(line) {
      const met = armed.filter((one) => meets(one, line))
      acted += met.length
      for (const one of met) {
        const times = 'times' in one.fault ? one.fault.times : undefined
        const once = 'line' in one.fault && one.fault.line !== undefined
        if (once || (times !== undefined && one.met >= times)) remove(one)
      }
      return met.map((one) => one.fault)
    },
  }
}

const standing: ReadonlySet<Fault['kind']> = new Set([
  'paging',
  'lock',
  'refuse-save',
  'refuse-login',
  'connect',
  'log-in',
  'sessions',
  'host-key',
  'off',
])

function meets(one: Armed, line: string): boolean {
  if (standing.has(one.fault.kind)) return false
  const when = one.fault as When
  if (!one.begun) {
    one.begun = when.after !== undefined && new RegExp(when.after).test(line)
    return false
  }
  if (line === loginLine && when.matching === undefined) return false
  if (when.matching !== undefined && !new RegExp(when.matching).test(line)) return false
  one.seen += 1
  if (when.line !== undefined && one.seen !== when.line) return false
  one.met += 1
  return true
}
