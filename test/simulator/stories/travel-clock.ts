// A clock that a test can set forward: the machine's own, plus what was travelled. Timers that come due on the way fire at once.

import { type Clock, systemClock } from '../../../agent/clock.ts'

/** The machine's clock with a way forward. */
export interface TravelClock extends Clock {
  /** Both clocks go forward: time has passed. */
  travel(ms: number): void
  /** Only the wall clock goes forward: somebody set it. */
  jumpWall(ms: number): void
}

interface Timer {
  readonly dueMs: number
  readonly fire: () => void
  cancel: () => void
}

/** Starts at now. */
export function travelClock(): TravelClock {
  const timers = new Set<Timer>()
  let travelledMs = 0
  let jumpedMs = 0
  const monotonicMs = () => systemClock.monotonicMs() + travelledMs

  function arm(timer: Timer): void {
    timer.cancel = systemClock.after(Math.max(0, timer.dueMs - monotonicMs()), () => {
      timers.delete(timer)
      timer.fire()
    })
  }

  return {
    now: () => new Date(Date.now() + travelledMs + jumpedMs),
    monotonicMs,
    after(ms, fire) {
      const timer: Timer = { dueMs: monotonicMs() + ms, fire, cancel: () => undefined }
      timers.add(timer)
      arm(timer)
      return () => {
        timers.delete(timer)
        timer.cancel()
      }
    },
    travel(ms) {
      travelledMs += ms
      for (const timer of timers) {
        timer.cancel()
        arm(timer)
      }
    },
    jumpWall(ms) {
      jumpedMs += ms
    },
  }
}
