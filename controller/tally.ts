// How the results of an enforcement add up, kept while they come in: of one on thousands of devices each result asks for it, and counting anew would
// look at all the others each time.

import type { Id } from '../inventory/model.ts'
import { hasAnswered, isDone, isFailure } from './rollout.ts'
import type { Result, Wanted } from './store/store.ts'

/** The results of one enforcement, counted. Those of devices that it does not name count for nothing. */
export interface Tally {
  /** The highest wave of its rows. */
  readonly last: number
  /** Devices, in each of their roles, of which there is no result. */
  missing(): number
  /** Those that said no or did not do it, in any wave. */
  failed(): number
  /** Those in waves up to this one on which something is left to be done. */
  undone(role: Result['role'], wave: number): number
  /** Those of them that have not answered. */
  awaited(role: Result['role'], wave: number): number
}

/** A tally that goes with its results. */
export interface KeptTally extends Tally {
  /** A result takes the place of another, or of none. */
  replace(before: Result | undefined, after: Result): void
}

type ByRole<T> = Readonly<Record<Result['role'], T>>

/** Counts the results of an enforcement by the waves of its rows, which never change. */
export function createTally(wanted: readonly Wanted[], results: Iterable<Result>): KeptTally {
  const waves = wavesIn(wanted)
  const last = wanted.reduce((latest, { wave }) => Math.max(latest, wave), 0)
  const none = (): number[] => Array.from({ length: last + 1 }, () => 0)
  const undone = { enforcer: none(), observer: none() }
  const awaited = { enforcer: none(), observer: none() }
  let missing = waves.enforcer.size + waves.observer.size
  let failed = 0

  function count({ role, device, status }: Result, by: 1 | -1): void {
    const wave = waves[role].get(device)
    if (wave === undefined) return
    missing -= by
    if (isDone(status)) return
    undone[role][wave] = (undone[role][wave] ?? 0) + by
    if (isFailure(status)) failed += by
    if (!hasAnswered(status)) awaited[role][wave] = (awaited[role][wave] ?? 0) + by
  }

  for (const result of results) count(result, 1)
  return {
    last,
    missing: () => missing,
    failed: () => failed,
    undone: (role, wave) => sumTo(undone[role], wave),
    awaited: (role, wave) => sumTo(awaited[role], wave),
    replace(before, after) {
      if (before !== undefined) count(before, -1)
      count(after, 1)
    },
  }
}

/** The wave of each device in each of its roles: the first one that names it. */
function wavesIn(wanted: readonly Wanted[]): ByRole<ReadonlyMap<Id, number>> {
  const waves = { enforcer: new Map<Id, number>(), observer: new Map<Id, number>() }
  for (const { device, observer, wave } of wanted) {
    const those = observer ? waves.observer : waves.enforcer
    those.set(device, Math.min(wave, those.get(device) ?? wave))
  }
  return waves
}

function sumTo(counts: readonly number[], wave: number): number {
  return counts.slice(0, wave + 1).reduce((sum, count) => sum + count, 0)
}
