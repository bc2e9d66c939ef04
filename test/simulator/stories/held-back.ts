// What simulated devices do a moment later, held back until a test says so: what they tell each other, tables that are brought up to date.

import { machineClock, type SimulatorClock } from '../clock.ts'

/** What is held back. */
export interface HeldBack {
  /** The moment's length that a simulator is started with, in ms: whatever waits so long is held back. */
  readonly ms: number
  /** The devices' clock. */
  readonly clock: SimulatorClock
  /** Lets all happen that waits. */
  release(): void
  /** What waits will not happen any more: the devices that it was of are gone. */
  forget(): void
}

/** Holds back what waits for a day; everything else goes on by the machine's clock. */
export function heldBack(): HeldBack {
  const ms = 86_400_000
  let waiting: (() => void)[] = []
  return {
    ms,
    clock: {
      ...machineClock,
      after(wait, then) {
        if (wait !== ms) return machineClock.after(wait, then)
        waiting.push(then)
        return () => {
          waiting = waiting.filter((one) => one !== then)
        }
      },
    },
    release() {
      const due = waiting
      waiting = []
      for (const happen of due) happen()
    },
    forget() {
      waiting = []
    },
  }
}
