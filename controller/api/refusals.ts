// Refused requests in the audit log: the first of a source at once, the rest of it counted, one entry a minute.
// So nobody can fill the log, or hold the disk busy, by knocking.

import type { Logger } from 'pino'
import type { Clock } from '../../agent/clock.ts'
import type { NewRecord } from '../audit/record.ts'
import type { Store } from '../store/store.ts'

const windowMs = 60_000
/** Sources told apart at one time; those beyond share one count. */
const sourcesMax = 1_000

/** Counts refusals. */
export interface Refusals {
  /** `record` makes the entry for so many refusals like this one. */
  note(source: string, record: (count: number) => NewRecord): void
  /** Writes what is still uncounted; resolves when all is durable, or could not be. */
  flush(): Promise<void>
}

/** Refusals are answered whether or not the log takes them: a full disk must not let anybody in, or keep anybody out longer. */
export function createRefusals(store: Store, clock: Clock, log: Pick<Logger, 'error'>): Refusals {
  const sources = new Map<
    string,
    { count: number; record: (count: number) => NewRecord; cancel: () => void }
  >()
  const writing = new Set<Promise<void>>()

  function write(record: NewRecord): void {
    const done: Promise<void> = store
      .commit((tx) => {
        tx.append(record)
      })
      .catch((err: unknown) => log.error({ err, type: record.type }, 'a refusal was not recorded'))
      .finally(() => writing.delete(done))
    writing.add(done)
  }

  function roll(source: string): void {
    const counted = sources.get(source)
    if (counted === undefined) return
    if (counted.count === 0) {
      sources.delete(source)
      return
    }
    write(counted.record(counted.count))
    counted.count = 0
    counted.cancel = clock.after(windowMs, () => roll(source))
  }

  return {
    note(source, record) {
      const key = sources.has(source) || sources.size < sourcesMax ? source : 'others'
      const counted = sources.get(key)
      if (counted === undefined) {
        write(record(1))
        sources.set(key, { count: 0, record, cancel: clock.after(windowMs, () => roll(key)) })
      } else {
        counted.count++
        counted.record = record
      }
    },
    async flush() {
      for (const counted of sources.values()) {
        counted.cancel()
        if (counted.count > 0) write(counted.record(counted.count))
      }
      sources.clear()
      await Promise.all(writing)
    },
  }
}
