// The rows of enforcements that are on their way, kept in memory: each device that is verified asks how all the others stand, and reading
// a thousand rows anew for each of a thousand devices is a million rows. A cache and nothing more, dropped with the rest of kept.ts.

import { createTally, type KeptTally, type Tally } from '../tally.ts'
import type { Sql } from './statements.ts'
import type { Result, Wanted } from './store.ts'

/** Most rows that are kept, of all enforcements together: some 20 MB. One with more is read each time. */
const rowsMax = 40_000

/** Rows by enforcement. */
export interface KeptProgress {
  wanted(enforcement: string): readonly Wanted[]
  results(enforcement: string): readonly Result[]
  tally(enforcement: string): Tally
  /** A result was written. */
  note(result: Result): void
  drop(): void
}

interface Progress {
  readonly wanted: readonly Wanted[]
  /** By device and role, in the order of the table. */
  readonly results: Map<string, Result>
  /** Once it was asked for. */
  tally?: KeptTally
  /** All of them, until one changes. */
  list?: readonly Result[]
}

/** Keeps nothing yet. */
export function createKeptProgress(sql: Sql): KeptProgress {
  /** The one that was asked for last is the last. */
  const kept = new Map<string, Progress>()
  let rows = 0

  function forget(enforcement: string): void {
    const known = kept.get(enforcement)
    if (known === undefined) return
    kept.delete(enforcement)
    rows -= sizeOf(known)
  }

  function progressOf(enforcement: string): Progress {
    const known = kept.get(enforcement)
    if (known !== undefined) {
      kept.delete(enforcement)
      kept.set(enforcement, known)
      return known
    }
    const read = readProgress(sql, enforcement)
    const size = sizeOf(read)
    // Nothing yet may be something soon: what is not there is asked for again.
    if (size === 0 || size > rowsMax) return read
    for (const oldest of kept.keys()) {
      if (rows + size <= rowsMax) break
      forget(oldest)
    }
    kept.set(enforcement, read)
    rows += size
    return read
  }

  return {
    wanted: (enforcement) => progressOf(enforcement).wanted,
    results(enforcement) {
      const progress = progressOf(enforcement)
      progress.list ??= [...progress.results.values()]
      return progress.list
    },
    tally(enforcement) {
      const progress = progressOf(enforcement)
      progress.tally ??= createTally(progress.wanted, progress.results.values())
      return progress.tally
    },
    note(result) {
      const known = kept.get(result.enforcement)
      if (known === undefined) return
      const place = placeOf(result)
      const before = known.results.get(place)
      if (before !== undefined) {
        known.results.set(place, result)
        known.tally?.replace(before, result)
        delete known.list
      } else {
        // Its place in the table's order is not the last one.
        forget(result.enforcement)
      }
    },
    drop() {
      kept.clear()
      rows = 0
    },
  }
}

function sizeOf({ wanted, results }: Progress): number {
  return wanted.length + results.size
}

function placeOf({ device, role }: Result): string {
  return `${role} ${device}`
}

// Written by `transaction` from the same types.
function readProgress(sql: Sql, enforcement: string): Progress {
  const wanted = sql.all<{ doc: string }>(
    'select doc from wanted where enforcement = ? order by n',
    enforcement,
  )
  const results = sql.all<{ doc: string }>(
    'select doc from results where enforcement = ? order by device, role',
    enforcement,
  )
  return {
    wanted: wanted.map(({ doc }) => JSON.parse(doc) as Wanted),
    results: new Map(
      results.map(({ doc }) => {
        const result = JSON.parse(doc) as Result
        return [placeOf(result), result]
      }),
    ),
  }
}
