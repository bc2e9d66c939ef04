// When an agent tries again, and for which faults it must not.

import type { AgentErrorCode } from './errors.ts'
import type { KeyState } from './journal.ts'

/** Time until a device is asked again for the first time, in ms. */
const retryMsMin = 200
/** The longest time between two tries, in ms. */
const retryMsMax = 30_000

/** Time until a device is asked again, in ms, doubling from the one to the other. Without jitter: the queue is per device. */
export function backoffMs(attempt: number): number {
  return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(attempt, 20))
}

/** Faults that trying again can only make worse (an account locks out) or that need a person: left to the next check or `retry`. */
const forPeople: ReadonlySet<AgentErrorCode> = new Set([
  'host_key_unknown',
  'host_key_changed',
  'login_refused',
  'credentials_missing',
  'enable_refused',
  'wrong_platform',
  'no_privilege',
  'unknown_output',
  'unexpected_question',
  'busy',
  'stopped',
])

/** Whether the agent tries again by itself after this fault. */
export function isRetried(code: AgentErrorCode): boolean {
  return !forPeople.has(code)
}

/** States that time alone may put right: the device has to show them yet, or somebody is in the way. */
const passing: ReadonlySet<string> = new Set([
  'not_shown',
  'awaits_others',
  'not_confirmed',
  'locked',
  'timer_pending',
  'unexpected_prompt',
  'unknown_output',
])

/** Whether a convergence that ended is to be tried again soon. */
export function wantsRetry(states: readonly KeyState[]): boolean {
  return states.some(
    (state) =>
      !state.verified &&
      (state.error === undefined ? state.outcome === 'unknown' : passing.has(state.error.code)),
  )
}
