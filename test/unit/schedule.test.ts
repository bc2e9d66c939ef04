import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  acknowledgeClock,
  dueAt,
  lookAtClock,
  nextDue,
  watchClock,
} from '../../controller/schedule.ts'
import { enforcement } from './small-isp.ts'

const now = '2026-11-27T12:00:00.000Z'
const at = (minutes: number) => new Date(Date.parse(now) + minutes * 60_000).toISOString()

describe('what is due by itself', () => {
  it.each([
    ['an end that has come', { expiresAt: now }, 'expire'],
    [
      'an end that has come while it is degraded',
      { expiresAt: at(-1), status: 'degraded' },
      'expire',
    ],
    ['an end to come', { expiresAt: at(1) }, undefined],
    ['no end', {}, undefined],
    [
      'an approval after 7 days',
      { status: 'awaiting_approval', acceptedAt: at(-7 * 24 * 60) },
      'expire_approval',
    ],
    [
      'an approval before that',
      { status: 'awaiting_approval', acceptedAt: at(-7 * 24 * 60 + 1) },
      undefined,
    ],
    [
      'an approval whose end came first',
      { status: 'awaiting_approval', expiresAt: now },
      'expire_approval',
    ],
    [
      'a release after 5 minutes',
      { status: 'releasing', releaseRequestedAt: at(-5.01) },
      'overdue',
    ],
    [
      'a release before that',
      { status: 'releasing', releaseRequestedAt: at(-5), expiresAt: at(-6) },
      undefined,
    ],
  ] as const)('%s', (_what, change, kind) => {
    const due = dueAt([enforcement('a', change)], now, false)

    expect(due).toEqual(kind === undefined ? [] : [{ kind, enforcement: 'a' }])
  })

  it('is held while the clock is not believed, save what only counts', () => {
    const live = [
      enforcement('a', { expiresAt: now }),
      enforcement('b', { status: 'awaiting_approval', acceptedAt: at(-8 * 24 * 60) }),
      enforcement('c', { status: 'releasing', releaseRequestedAt: at(-6) }),
    ]

    expect(dueAt(live, now, true)).toEqual([{ kind: 'overdue', enforcement: 'c' }])
  })

  it('is known beforehand: the earliest time that something happens', () => {
    expect(
      nextDue([enforcement('a'), enforcement('b', { status: 'released', expiresAt: now })]),
    ).toBeUndefined()
    expect(
      nextDue([enforcement('a', { expiresAt: at(9) }), enforcement('b', { expiresAt: at(3) })]),
    ).toBe(at(3))
    expect(
      nextDue([enforcement('a', { status: 'releasing', releaseRequestedAt: now, expiresAt: now })]),
    ).toBeUndefined()
    expect(nextDue([enforcement('a', { status: 'awaiting_approval', acceptedAt: now })])).toBe(
      '2026-12-04T12:00:00.000Z',
    )
  })
})

describe('the clock', () => {
  const minute = 60_000
  const reading = (wall: number, monotonic: number) => ({
    wallMs: wall * minute,
    monotonicMs: monotonic * minute,
  })

  it('is believed as long as both clocks agree, however long that is', () => {
    expect(lookAtClock(watchClock(reading(0, 0)), reading(600, 600)).jump).toBeUndefined()
  })

  it('holds expiries after a jump of more than 5 minutes, and stays so while time goes on', () => {
    const first = watchClock(reading(1_000, 0))

    expect(lookAtClock(first, reading(1_006, 1)).jump).toBeUndefined()
    const jumped = lookAtClock(first, reading(1_007, 1))
    expect(jumped.jump?.jumpMs).toBe(6 * minute)
    const still = lookAtClock(jumped, reading(1_100, 94))
    expect(still.jump).toEqual({ ...jumped.jump, jumpMs: 6 * minute })
  })

  it('is believed again once it is back, or a person has looked', () => {
    const jumped = lookAtClock(watchClock(reading(0, 0)), reading(90, 1))

    expect(lookAtClock(jumped, reading(2, 2)).jump).toBeUndefined()
    expect(lookAtClock(acknowledgeClock(reading(91, 2)), reading(92, 3)).jump).toBeUndefined()
  })

  it('is believed when it goes back', () => {
    expect(lookAtClock(watchClock(reading(1_000, 0)), reading(10, 1)).jump).toBeUndefined()
  })

  it('that jumps is never believed by waiting', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 10_000 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 20 }),
        (jump, steps) => {
          let watch = lookAtClock(watchClock(reading(0, 0)), reading(jump, 0))
          let passed = 0
          for (const step of steps) {
            passed += step
            watch = lookAtClock(watch, reading(jump + passed, passed))
          }
          expect(watch.jump?.jumpMs).toBe(jump * minute)
        },
      ),
    )
  })
})
