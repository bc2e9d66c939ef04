// How often a property is tried. A failure prints seed and path; with both in the environment it is tried from there.

import { expect } from 'vitest'

/** Parameters for `fc.assert`. */
interface Runs {
  readonly numRuns: number
  readonly seed?: number
  readonly path?: string
}

/** Parameters for `fc.assert`: a thousand cases, or fewer where a property is tried on four platforms or on several outputs a case. */
export function runs(numRuns = 1_000): Runs {
  const { NULLROUTE_SEED: seed, NULLROUTE_PATH: path } = process.env
  return {
    numRuns: Number(process.env['NULLROUTE_RUNS'] ?? numRuns),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
  }
}

/** What must have come up, each at least so often: once in a thousand cases. Generators draw it at least ten times as often: four times as often, chance alone fell short once in some dozens of runs. Of a case that is replayed nothing is asked. */
export function expectReached(
  seen: ReadonlyMap<string, number>,
  names: readonly string[],
  { numRuns, path }: Runs,
): void {
  const floor = path === undefined ? numRuns / 1_000 : 0
  const rare = names.filter((name) => (seen.get(name) ?? 0) < floor)
  expect(rare, JSON.stringify(Object.fromEntries(seen))).toEqual([])
}
