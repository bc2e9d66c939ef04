// Time that passes only when nothing else can happen: for devices and agents that live in one process, where every answer comes without waiting.

import type { Clock } from '../../agent/clock.ts'

/** A clock for agent and simulator alike. */
export interface VirtualClock extends Clock {
  /** Runs work to its end: whenever it waits for time alone, the next timer is due. */
  drive<T>(work: Promise<T>): Promise<T>
}

/** Timers that a piece of work may use up, before it is called a loop. */
const timersMax = 10_000

/** Begins on the first day of the project. */
export function createVirtualClock(): VirtualClock {
  let now = Date.parse('2026-11-27T10:00:00.000Z')
  let timers: { readonly at: number; readonly call: () => void }[] = []

  function passToNext(): boolean {
    const [first, ...rest] = timers.sort((a, b) => a.at - b.at)
    if (first === undefined) return false
    timers = rest
    now = Math.max(now, first.at)
    first.call()
    return true
  }

  return {
    now: () => new Date(now),
    monotonicMs: () => now,
    after(ms, then) {
      const timer = { at: now + ms, call: then }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    async drive(work) {
      let over = false
      const end = (): void => void (over = true)
      work.then(end, end)
      for (let passed = 0; passed < timersMax; passed += 1) {
        // One turn of the event loop: all that follows from what is there has happened then.
        await new Promise((resolve) => void setImmediate(resolve))
        if (over) return work
        if (!passToNext()) throw new Error('it waits for something that never comes')
      }
      throw new Error(`not done after ${timersMax} timers`)
    },
  }
}
