import { describe, expect, it } from 'vitest'
import { backoffMs, isRetried, wantsRetry } from '../../agent/agent-timers.ts'
import { type AgentErrorCode, agentErrorCodes } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { KeyState } from '../../agent/journal.ts'
import { parsePrefix } from '../../inventory/prefix.ts'

const codes = Object.keys(agentErrorCodes) as readonly AgentErrorCode[]
/** No fault of the dialogue that could be tried again. */
const notOfTheDevice: readonly AgentErrorCode[] = ['busy', 'stopped']
/** States of one object, which end no convergence. */
const ofAnObject: readonly AgentErrorCode[] = ['line_refused', 'awaits_others']
/** A device that said something without a meaning is read again soon where it is one object's state, and with the next check where nothing else is known. */
const both: AgentErrorCode = 'unknown_output'

function promises(code: AgentErrorCode): boolean {
  return /by itself/.test(agentErrorCodes[code])
}

describe('a fault that ended a convergence', () => {
  it.each(codes.filter((code) => ![...notOfTheDevice, ...ofAnObject, both].includes(code)))(
    '%s is tried again by itself just where its remedy says so',
    (code) => {
      expect(isRetried(code)).toBe(promises(code))
    },
  )

  it('is left to the next check where nothing that the device says can be judged, and is not the device’s where it is asked too much', () => {
    expect([both, ...notOfTheDevice].filter(isRetried)).toEqual([])
  })

  it('says in its remedy either that it is tried again by itself, or that the next check does', () => {
    const withCheck = (code: AgentErrorCode): boolean =>
      agentErrorCodes[code].includes('with the next check')
    const told = codes.filter((code) => !notOfTheDevice.includes(code))
    expect(told.filter((code) => promises(code) === withCheck(code))).toEqual([])
  })
})

const prefix = parsePrefix('203.0.113.9/32')
if (!prefix.ok) throw new Error('no prefix')
const intent: Intent = { kind: 'blackhole', vrf: 'default', prefix: prefix.value, tag: 666 }

function state(over: Partial<KeyState>): KeyState {
  return {
    key: keyOf(intent),
    kind: 'blackhole',
    outcome: 'failed',
    seen: 'absent',
    verified: false,
    ...over,
  }
}

function stateWith(code: NonNullable<KeyState['error']>['code']): KeyState {
  return state({ error: { code, message: 'm', remedy: 'r' } })
}

describe('a convergence that ended with an object that is not as it should be', () => {
  it.each([
    'not_shown',
    'awaits_others',
    'not_confirmed',
    'locked',
    'timer_pending',
    'unexpected_prompt',
    'unknown_output',
  ] as const)('is done again soon for %s: time alone may put it right', (code) => {
    expect(wantsRetry([state({ verified: true }), stateWith(code)])).toBe(true)
  })

  it.each([
    'line_refused',
    'foreign_object',
    'foreign_change',
    'not_prepared',
    'not_restorable',
    'no_such_object',
    'ambiguous',
    'no_privilege',
  ] as const)('waits for a person, or the next check, for %s', (code) => {
    expect(wantsRetry([stateWith(code)])).toBe(false)
  })

  it('is done again soon where nobody knows yet, and not where all is well or is only held', () => {
    expect(wantsRetry([state({ outcome: 'unknown' })])).toBe(true)
    expect(wantsRetry([state({ outcome: 'applied', verified: true })])).toBe(false)
    expect(wantsRetry([])).toBe(false)
  })
})

describe('the pause before the next try', () => {
  it('doubles from 0.2 s to half a minute, and stays there', () => {
    const pauses = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1_000_000].map(backoffMs)
    expect(pauses).toEqual([
      200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000,
    ])
  })
})
