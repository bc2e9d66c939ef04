// Later looks of an agent: behind the window of a commit whose end nobody saw.

import type { Clock } from './clock.ts'

/** Looks that wait at a time: the first comes as soon as one window may have ended, the last once all have. */
const looksMax = 2

/** What is to be looked at once more, at certain times. */
export interface Looks {
  /** Calls `look` in so many ms. Not instead of the first that waits: each stands for a window of its own. Those in between would pile up while somebody else's commit stays the newest. */
  after(ms: number): void
  cancel(): void
}

/** None waits yet. */
export function createLooks(clock: Clock, look: () => void): Looks {
  const waiting = new Set<() => void>()
  return {
    after(ms) {
      // What is to be done at once stands for no window.
      if (ms > 0 && waiting.size >= looksMax) [...waiting].at(-1)?.()
      const stop = clock.after(ms, () => {
        waiting.delete(cancel)
        look()
      })
      const cancel = (): void => {
        waiting.delete(cancel)
        stop()
      }
      waiting.add(cancel)
    },
    cancel() {
      for (const cancel of waiting) cancel()
    },
  }
}
