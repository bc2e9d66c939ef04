// What counting tells of the standing of an enforcement, against the look at everything.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DeviceStatus } from '../../controller/enforcement.ts'
import { standsAsBefore, statusOf } from '../../controller/progress.ts'
import type { Result } from '../../controller/store/store.ts'
import { createTally } from '../../controller/tally.ts'
import { blackhole, enforcement, result, want } from './small-isp.ts'

const devices = ['r1', 'r2', 'r3', 'r4'] as const
const keys = [blackhole('203.0.113.9/32'), blackhole('203.0.113.10/32')] as const
const wave = fc.integer({ min: 0, max: 2 })
const often = (status: DeviceStatus, weight: number) => ({ weight, arbitrary: fc.constant(status) })

const row = fc
  .record({
    device: fc.constantFrom(...devices),
    key: fc.constantFrom(...keys),
    observer: fc.boolean(),
    wave,
  })
  .map(({ device, key, ...rest }) => want('a', device, key, rest))

// Mostly done: it is the last ones that decide.
const status = fc.oneof(
  often('verified', 8),
  often('pending', 2),
  often('converging', 2),
  ...(['unsupported', 'refused', 'failed', 'unreachable'] as const).map((one) => often(one, 1)),
)

const results = fc
  .uniqueArray(
    fc.record({
      device: fc.constantFrom(...devices),
      role: fc.constantFrom('enforcer' as const, 'observer' as const),
      status,
      attempts: fc.integer({ min: 0, max: 1 }),
    }),
    { maxLength: 8, minLength: 4, selector: ({ device, role }) => `${role} ${device}` },
  )
  .map((all) => all.map(({ device, status: at, ...rest }) => result('a', device, at, rest)))

const from = fc
  .record({
    status: fc.constantFrom(
      ...(['enforcing', 'enforced', 'degraded', 'releasing', 'released'] as const),
    ),
    openWave: wave,
    onFailure: fc.constantFrom('keep' as const, 'rollback' as const),
    stoppedBy: fc.option(fc.constantFrom(...devices), { nil: undefined, freq: 6 }),
  })
  .map(({ stoppedBy, ...rest }) =>
    enforcement('a', { ...rest, ...(stoppedBy === undefined ? {} : { stoppedBy }) }),
  )

/** Counted from the last back to the first, each at first as if nothing had come of it. */
function countedOnTheWay(...[wanted, all]: Parameters<typeof createTally>) {
  const pending = [...all].map((one): Result => ({ ...one, status: 'pending' }))
  const tally = createTally(wanted, pending.slice(1))
  for (const [i, one] of [...all].entries()) tally.replace(i === 0 ? undefined : pending[i], one)
  return tally
}

it('an enforcement that stands as before by its counts does so by a look at everything', () => {
  const told = { same: 0, moved: 0 }
  fc.assert(
    fc.property(from, fc.array(row, { minLength: 1, maxLength: 6 }), results, (at, wanted, all) => {
      const next = statusOf(at, { wanted, results: all })
      const stands = standsAsBefore(at, countedOnTheWay(wanted, all))

      expect(standsAsBefore(at, createTally(wanted, all))).toBe(stands)
      if (!stands) return void told.moved++
      told.same++
      expect(next).toEqual({
        status: at.status,
        spread: { openWave: at.openWave, complete: expect.any(Boolean) },
      })
    }),
    { numRuns: 5_000 },
  )
  expect(told.same).toBeGreaterThan(200)
  expect(told.moved).toBeGreaterThan(200)
})
