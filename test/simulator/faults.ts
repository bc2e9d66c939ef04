// Faults on demand, as data: the same from a test and from the program's control lines.

/** When a fault acts. Absent fields mean: always. */
interface When {
  /** Only on lines that match (a string is a regular expression). */
  readonly matching?: RegExp | string
  /** Only on the n-th line (from 1) since the fault was added, counting the lines that match. */
  readonly line?: number
  /** At most so many times; then the fault is gone. */
  readonly times?: number
}

/** What may go wrong with a device. */
export type Fault =
  /** Each answer comes so much later, in ms. */
  | ({ readonly kind: 'slow'; readonly ms: number } & When)
  /** Output comes in pieces of so many bytes, each in a packet of its own. */
  | ({ readonly kind: 'split'; readonly bytes: number } & When)
  /** The connection is cut when the line has been read, before or after it was done; no answer is sent. */
  | ({ readonly kind: 'disconnect'; readonly when: 'before' | 'after' } & When)
  /** The line is read and echoed; nothing follows, for ever. */
  | ({ readonly kind: 'hang' } & When)
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
  /** The device shows another host key than before. */
  | { readonly kind: 'host-key' }
  /** Nothing listens, sessions are cut. */
  | { readonly kind: 'off' }

/** The faults of one device. */
export interface Faults {
  /** Puts a fault on; the answered function takes it off. */
  add(fault: Fault): () => void
  readonly active: readonly Fault[]
  /** Takes all off. */
  clear(): void
}

interface Armed {
  readonly fault: Fault
  seen: number
  met: number
}

/** The faults of one device, with what the device itself asks about them. */
export interface FaultSet extends Faults {
  has(kind: Fault['kind']): boolean
  find<K extends Fault['kind']>(kind: K): Extract<Fault, { kind: K }> | undefined
  /** The faults that meet this line, counted. */
  meet(line: string): readonly Fault[]
}

/** No faults yet. `changed` is called after each change to the set. */
export function createFaults(changed: () => void): FaultSet {
  let armed: Armed[] = []
  const remove = (one: Armed): void => {
    if (!armed.includes(one)) return
    armed = armed.filter((other) => other !== one)
    changed()
  }
  return {
    add(fault) {
      const one: Armed = { fault, seen: 0, met: 0 }
      armed.push(one)
      changed()
      return () => remove(one)
    },
    get active() {
      return armed.map((one) => one.fault)
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
  'host-key',
  'off',
])

function meets(one: Armed, line: string): boolean {
  if (standing.has(one.fault.kind)) return false
  const when = one.fault as When
  if (when.matching !== undefined && !new RegExp(when.matching).test(line)) return false
  one.seen += 1
  if (when.line !== undefined && one.seen !== when.line) return false
  one.met += 1
  return true
}
