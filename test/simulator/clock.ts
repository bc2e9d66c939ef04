// The simulator's time: a port, so that a test can let a commit timer run out without waiting. Same shape as the agent's clock, whose code it must not know.

/** Wall time and waiting. */
export interface SimulatorClock {
  now(): Date
  /** Calls back once after `ms`, unless the answered function was called before. Does not keep the process alive. */
  after(ms: number, then: () => void): () => void
}

/** The machine's own clock. */
export const machineClock: SimulatorClock = {
  now: () => new Date(),
  after(ms, then) {
    const timer = setTimeout(then, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
