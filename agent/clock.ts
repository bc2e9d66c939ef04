// The time, as a port: the only thing that tests replace.

/** Wall time, a time that never jumps, and waiting. */
export interface Clock {
  now(): Date
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number
  /** Calls back once after `ms`, unless the answered function was called before. Does not keep the process alive. */
  after(ms: number, then: () => void): () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
