// What a session's bytes, timers and runs set off are platforms' functions. A mistake in one ends that session: thrown where nobody waits for it, it would end
// the process, with every other device's session; left in a session, the next run would only meet it again.

import type { Clock } from './clock.ts'
import { AgentError, internalFault } from './errors.ts'

/** Takes what was thrown, ends the session for it, and says it as a fault. */
export type Breaker = (cause: unknown) => AgentError

/** A breaker: `end` gives up the connection first, and then tells whoever waits. */
export function breakerFor(
  redact: (text: string) => string,
  end: (error: AgentError) => void,
): Breaker {
  return (cause) => {
    const error = internalFault(cause, redact)
    try {
      end(error)
    } catch {
      // What broke once may break again where the end of the talk is written down; by then the connection is given up and everybody told.
    }
    return error
  }
}

/** The same work; what it throws ends the session. */
export function guarded<A extends readonly unknown[]>(
  broke: Breaker,
  work: (...given: A) => void,
): (...given: A) => void {
  return (...given) => {
    try {
      work(...given)
    } catch (cause) {
      broke(cause)
    }
  }
}

/** The same clock; what is thrown when a time is over ends the session. */
export function guardedClock(broke: Breaker, clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    after: (ms, then) => clock.after(ms, guarded(broke, then)),
  }
}

/** The same run; what it throws beside the faults of a dialogue ends the session. */
export async function guardedRun<T>(broke: Breaker, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw cause instanceof AgentError ? cause : broke(cause)
  }
}
