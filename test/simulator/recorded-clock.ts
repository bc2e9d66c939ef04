// The machine's clock, which remembers what was waited for.

import { type Clock, systemClock } from '../../agent/clock.ts'

/** A clock that goes as the machine's does. `timers`: the time of each timer that was set, in ms, in order. */
export function recordedClock(): { readonly clock: Clock; readonly timers: number[] } {
  const timers: number[] = []
  const clock: Clock = {
    ...systemClock,
    after(ms, call) {
      timers.push(ms)
      return systemClock.after(ms, call)
    },
  }
  return { clock, timers }
}
