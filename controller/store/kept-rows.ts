// The live rows of a device, kept in memory: each of its convergences asks for them several times, and a device outlives thousands of
// enforcements whose rows are of no more use. A cache and nothing more, dropped with the rest of kept.ts.

import { groupBy } from '../../inventory/group-by.ts'
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
  const shelf: Shelf = { kept: new Map(), devicesOf: new Map(), rows: 0, rowsMax }
  const listsOf = (device: Id): Lists => {
    const known = shelf.kept.get(device)
    if (known === undefined) return read(shelf, reads, device)
    shelf.kept.delete(device)
    shelf.kept.set(device, known)
    known.lists ??= inOrder(known)
    return known.lists
  }
  return {
    wanted: (device) => listsOf(device).wanted,
    results: (device) => listsOf(device).results,
    accepted(wanted) {
      for (const [device, added] of groupBy(wanted, (row) => row.device)) {
        const known = shelf.kept.get(device)
        if (known !== undefined) addWanted(shelf, device, added, known)
      }
      makeRoom(shelf, 0)
    },
    ended: (enforcement) => takeAway(shelf, enforcement),
    note(result) {
      const known = shelf.kept.get(result.device)
      if (known === undefined) return
      if (!known.wanted.has(result.enforcement)) return forget(shelf, result.device)
      const before = known.results.size
      known.results.set(placeOf(result), result)
      shelf.rows += known.results.size - before
      known.lists = undefined
    },
    drop() {
      shelf.kept.clear()
      shelf.devicesOf.clear()
      shelf.rows = 0
    },
  }
}

interface Shelf {
  /** The one that was asked for last is the last. */
  readonly kept: Map<Id, Kept>
  readonly devicesOf: Map<string, Set<Id>>
  rows: number
  readonly rowsMax: number
}

function read(shelf: Shelf, reads: RowReads, device: Id): Lists {
  const wanted = reads.wanted(device)
  const results = reads.results(device)
  const size = wanted.length + results.length
  const wanting = new Set(wanted.map(({ enforcement }) => enforcement))
  // A result of something that wants nothing here has no place in the order.
  if (size <= shelf.rowsMax && results.every(({ enforcement }) => wanting.has(enforcement))) {
    makeRoom(shelf, size)
    const known: Kept = { wanted: new Map(), results: new Map(), lists: undefined }
    shelf.kept.set(device, known)
    addWanted(shelf, device, wanted, known)
    for (const result of results) known.results.set(placeOf(result), result)
    shelf.rows += results.length
  }
  return { wanted, results }
}

function addWanted(shelf: Shelf, device: Id, wanted: readonly Wanted[], known: Kept): void {
  for (const [enforcement, theirs] of groupBy(wanted, (row) => row.enforcement)) {
    known.wanted.set(enforcement, theirs)
    const devices = shelf.devicesOf.get(enforcement) ?? new Set<Id>()
    shelf.devicesOf.set(enforcement, devices.add(device))
  }
  known.lists = undefined
  shelf.rows += wanted.length
}

function takeAway(shelf: Shelf, enforcement: string): void {
  for (const device of shelf.devicesOf.get(enforcement) ?? []) {
    const known = shelf.kept.get(device)
    if (known === undefined) continue
    shelf.rows -= known.wanted.get(enforcement)?.length ?? 0
    known.wanted.delete(enforcement)
    for (const role of roles) {
      if (known.results.delete(placeOf({ enforcement, role }))) shelf.rows -= 1
    }
    known.lists = undefined
  }
  shelf.devicesOf.delete(enforcement)
}

function forget(shelf: Shelf, device: Id): void {
  const known = shelf.kept.get(device)
  if (known === undefined) return
  shelf.kept.delete(device)
  for (const theirs of known.wanted.values()) shelf.rows -= theirs.length
  shelf.rows -= known.results.size
}

function makeRoom(shelf: Shelf, size: number): void {
  for (const oldest of shelf.kept.keys()) {
    if (shelf.rows + size <= shelf.rowsMax) break
    forget(shelf, oldest)
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
