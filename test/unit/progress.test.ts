// The standing of an enforcement told by counting, against the look at everything.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DeviceStatus } from '../../controller/enforcement.ts'
import { statusInFull, statusOf } from '../../controller/progress.ts'
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

it('an enforcement stands as a look at everything says, however few rows are looked at', () => {
  const quick = { same: 0 }
  fc.assert(
    fc.property(from, fc.array(row, { minLength: 1, maxLength: 6 }), results, (at, wanted, all) => {
      const told = statusOf(at, { wanted, results: all })
      expect(told).toEqual(statusInFull(at, { wanted, results: all }))
      if (told.status === at.status) quick.same++
    }),
    { numRuns: 5_000 },
  )
  expect(quick.same).toBeGreaterThan(100)
})
