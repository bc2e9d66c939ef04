// A clock that remembers what was waited for.

import { type Clock, systemClock } from '../../agent/clock.ts'

/** A clock that goes as `inner` does, or the machine's. `timers`: the time of each timer that was set, in ms, in order. */
export function recordedClock(inner: Clock = systemClock): {
  readonly clock: Clock
  readonly timers: number[]
} {
  const timers: number[] = []
  const clock: Clock = {
    ...inner,
    after(ms, call) {
      timers.push(ms)
      return inner.after(ms, call)
    },
  }
  return { clock, timers }
}
