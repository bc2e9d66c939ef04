// What a device received, line by line: the other side of every claim about what was sent.

/** One line as a device received it, or the beginning or end of a session. */
interface JournalEntry {
  readonly at: Date
  /** Number of the session on this device, from 1. */
  readonly session: number
  readonly kind: 'open' | 'line' | 'close'
  /** The line without its end; secrets as `<secret>`. For `open` how the user was let in. */
  readonly text: string
  /** Prompt or mode in which the line was taken. */
  readonly mode: string
  /** What the device did with it: `done`, or the fault that met it. */
  readonly met: string
}

/** Everything one device received since its start. */
export interface Journal {
  readonly entries: readonly JournalEntry[]
  /** The texts of all lines, in order; of one session if given. */
  lines(session?: number): readonly string[]
  /** How many sessions are open now. */
  readonly openSessions: number
  clear(): void
  /** Calls back with each entry that comes, before the device acts on it; answers what ends that. */
  listen(listener: (entry: JournalEntry) => void): () => void
}

/** A journal that can be written. */
export interface WritableJournal extends Journal {
  write(entry: JournalEntry): void
}

/** Entries kept per device: old ones go first. A thousand devices must not fill the memory. */
const entriesMax = 20_000

/** An empty journal. */
export function createJournal(): WritableJournal {
  let entries: JournalEntry[] = []
  let open = 0
  const listeners = new Set<(entry: JournalEntry) => void>()
  return {
    get entries() {
      return entries
    },
    get openSessions() {
      return open
    },
    lines: (session) =>
      entries
        .filter((e) => e.kind === 'line' && (session === undefined || e.session === session))
        .map((e) => e.text),
    clear() {
      entries = []
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    write(entry) {
      if (entry.kind === 'open') open += 1
      if (entry.kind === 'close') open -= 1
      entries.push(entry)
      for (const listener of listeners) listener(entry)
      if (entries.length > entriesMax) entries = entries.slice(-entriesMax / 2)
    },
  }
}
