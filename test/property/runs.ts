// How often a property is tried. A failure prints seed and path; with both in the environment it is tried from there.

/** Parameters for `fc.assert`: a thousand cases, or fewer where a property is tried on four platforms or on several outputs a case. */
export function runs(numRuns = 1_000): { numRuns: number; seed?: number; path?: string } {
  const { NULLROUTE_SEED: seed, NULLROUTE_PATH: path } = process.env
  return {
    numRuns: Number(process.env['NULLROUTE_RUNS'] ?? numRuns),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
  }
}
