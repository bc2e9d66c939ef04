// Many runs → one figure and how far to trust it. Pure.

/** What a row of runs comes to. */
export interface Summary {
  readonly runs: number
  readonly median: number
  /** Lowest and highest of the runs. */
  readonly low: number
  readonly high: number
}

/** Median and range. Throws a RangeError for no runs: a figure from nothing is no figure. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((one, other) => one - other)
  const [low] = sorted
  const high = sorted.at(-1)
  if (low === undefined || high === undefined) throw new RangeError('there are no runs')
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? low
  const median = sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? low) + upper) / 2
  return { runs: sorted.length, median, low, high }
}

/** Median of what each pair of runs came to: what slowed the machine down for a while slowed both. Throws a RangeError where the runs aren't pairs. */
export function ratioOf(ours: readonly number[], floor: readonly number[]): number {
  if (ours.length !== floor.length) throw new RangeError('every run needs its pair')
  return summarize(ours.map((value, i) => value / (floor[i] ?? Number.NaN))).median
}

/** `14.2 ms`, `1.85 s`. */
export function duration(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`
  return `${ms.toFixed(ms >= 100 ? 0 : 1)} ms`
}

/** `14.2 ms (12.9 to 20.1, 15 runs)`. */
export function spread(values: readonly number[]): string {
  const { median, low, high, runs } = summarize(values)
  if (runs === 1) return `${duration(median)} (1 run)`
  return `${duration(median)} (${duration(low)} to ${duration(high)}, ${runs} runs)`
}

/** `1,234,567`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Bytes as MiB: `312 MiB`. */
export function mebibytes(bytes: number): string {
  return `${count(bytes / 1_048_576)} MiB`
}
