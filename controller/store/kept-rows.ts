// The live rows of a device, kept in memory: each of its convergences asks for them several times, and a device outlives thousands of
// enforcements whose rows are of no more use. A cache and nothing more, dropped with the rest of kept.ts.

import type { Id } from '../../inventory/model.ts'
import type { Result, Wanted } from './store.ts'

/** Most rows that are kept, of all devices together: some 20 MB. A device with more is read each time. */
const rowsMaxDefault = 40_000

/** What is read of a device that is not kept. */
export interface RowReads {
  /** In the order of the measures. */
  wanted(device: Id): readonly Wanted[]
  /** In the order of acceptance. */
  results(device: Id): readonly Result[]
}

/** Live rows by device. */
export interface KeptRows extends RowReads {
  /** What an enforcement that was just accepted wants. */
  accepted(wanted: readonly Wanted[]): void
  /** It is live no more. */
  ended(enforcement: string): void
  /** A result was written. */
  note(result: Result): void
  drop(): void
}

interface Kept {
  /** By enforcement, the oldest accepted first. */
  readonly wanted: Map<string, readonly Wanted[]>
  /** By enforcement and role. */
  readonly results: Map<string, Result>
  /** All of them in order, until one changes. */
  lists: { readonly wanted: readonly Wanted[]; readonly results: readonly Result[] } | undefined
}

const roles: readonly Result['role'][] = ['enforcer', 'observer']

/** Keeps nothing yet. */
export function createKeptRows(reads: RowReads, rowsMax = rowsMaxDefault): KeptRows {
  /** The one that was asked for last is the last. */
  const kept = new Map<Id, Kept>()
  const devicesOf = new Map<string, Set<Id>>()
  let rows = 0

  function note(device: Id, wanted: readonly Wanted[], known: Kept): void {
    for (const [enforcement, theirs] of grouped(wanted, (row) => row.enforcement)) {
      known.wanted.set(enforcement, theirs)
      devicesOf.set(enforcement, (devicesOf.get(enforcement) ?? new Set()).add(device))
    }
    known.lists = undefined
    rows += wanted.length
  }

  function forget(device: Id): void {
    const known = kept.get(device)
    if (known === undefined) return
    kept.delete(device)
    for (const theirs of known.wanted.values()) rows -= theirs.length
    rows -= known.results.size
  }

  function makeRoom(size: number): void {
    for (const oldest of kept.keys()) {
      if (rows + size <= rowsMax) break
      forget(oldest)
    }
  }

  function read(device: Id): Lists {
    const wanted = reads.wanted(device)
    const results = reads.results(device)
    const size = wanted.length + results.length
    const known: Kept = { wanted: new Map(), results: new Map(), lists: undefined }
    const wanting = new Set(wanted.map(({ enforcement }) => enforcement))
    // A result of something that wants nothing here has no place in the order.
    if (size <= rowsMax && results.every(({ enforcement }) => wanting.has(enforcement))) {
      makeRoom(size)
      kept.set(device, known)
      note(device, wanted, known)
      for (const result of results) known.results.set(placeOf(result), result)
      rows += results.length
    }
    return { wanted, results }
  }

  function listsOf(device: Id): Lists {
    const known = kept.get(device)
    if (known === undefined) return read(device)
    kept.delete(device)
    kept.set(device, known)
    known.lists ??= inOrder(known)
    return known.lists
  }

  return {
    wanted: (device) => listsOf(device).wanted,
    results: (device) => listsOf(device).results,
    accepted(wanted) {
      for (const [device, added] of grouped(wanted, (row) => row.device)) {
        const known = kept.get(device)
        if (known !== undefined) note(device, added, known)
      }
      makeRoom(0)
    },
    ended(enforcement) {
      for (const device of devicesOf.get(enforcement) ?? []) {
        const known = kept.get(device)
        if (known === undefined) continue
        rows -= known.wanted.get(enforcement)?.length ?? 0
        known.wanted.delete(enforcement)
        for (const role of roles) {
          if (known.results.delete(placeOf({ enforcement, role }))) rows -= 1
        }
        known.lists = undefined
      }
      devicesOf.delete(enforcement)
    },
    note(result) {
      const known = kept.get(result.device)
      if (known === undefined) return
      if (!known.wanted.has(result.enforcement)) return forget(result.device)
      const before = known.results.size
      known.results.set(placeOf(result), result)
      rows += known.results.size - before
      known.lists = undefined
    },
    drop() {
      kept.clear()
      devicesOf.clear()
      rows = 0
    },
  }
}

type Lists = NonNullable<Kept['lists']>

function inOrder({ wanted, results }: Kept): Lists {
  return {
    wanted: [...wanted.values()].flat(),
    results: [...wanted.keys()].flatMap((enforcement) =>
      roles.flatMap((role) => results.get(placeOf({ enforcement, role })) ?? []),
    ),
  }
}

function placeOf({ enforcement, role }: Pick<Result, 'enforcement' | 'role'>): string {
  return `${enforcement} ${role}`
}

function grouped<T>(all: readonly T[], nameOf: (one: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const known = groups.get(nameOf(one))
    if (known === undefined) groups.set(nameOf(one), [one])
    else known.push(one)
  }
  return groups
}
