// How often a property is tried. A failure prints seed and path; with both in the environment it is tried from there.

/** Parameters for `fc.assert`: at least a thousand cases each. */
export function runs(numRuns = 1_000): { numRuns: number; seed?: number; path?: string } {
  const { NULLROUTE_SEED: seed, NULLROUTE_PATH: path } = process.env
  return {
    numRuns: Number(process.env['NULLROUTE_RUNS'] ?? numRuns),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
  }
}
