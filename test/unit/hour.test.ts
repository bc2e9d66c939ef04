import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Enforcement } from '../../controller/enforcement.ts'
import { createHour, hourBefore, type Judged, type Usage, usageOf } from '../../controller/hour.ts'
import { enforcement } from './small-isp.ts'

const now = '2026-11-27T10:00:00.000Z'
const at = (minutes: number, from = now) =>
  new Date(Date.parse(from) - minutes * 60_000).toISOString()

/** A usage as values: its customers are only asked about. */
function shown(usage: Usage | undefined, names: readonly string[]) {
  return usage === undefined
    ? undefined
    : {
        ...usage,
        customers: [usage.customers.size, ...names.filter((name) => usage.customers.has(name))],
      }
}

describe('the hour', () => {
  const one = enforcement('e1', { acceptedAt: at(30), extendedAt: [at(10)] })
  const old = enforcement('e2', { acceptedAt: at(60), customer: 'b' })
  const rejected = enforcement('e3', { acceptedAt: at(5), status: 'rejected', customer: 'c' })

  it('counts acceptances and extensions of the last 60 minutes, what they touch once, rejected ones not', () => {
    expect(usageOf([one, old, rejected], now)).toEqual({
      decisions: 2,
      ipv4Addresses: 1,
      ports: 0,
      neighbors: 0,
      customers: new Set(['esthost']),
    })
  })

  it('counts on what was accepted before the clock was set back', () => {
    const [before, after] = [at(60), at(59)]
    for (const time of [before, after]) {
      expect(usageOf([one], time).decisions).toBe(2)
      const hour = createHour([one], time)
      expect((hour.usage(time) ?? usageOf([one], time)).decisions).toBe(2)
    }
  })

  it('leaves to the guards what they judge again', () => {
    expect(usageOf([one], now, { enforcement: 'e1', newAct: true })).toEqual({
      decisions: 2,
      ipv4Addresses: 0,
      ports: 0,
      neighbors: 0,
      customers: new Set(),
    })
    expect(usageOf([one], now, { enforcement: 'e1', newAct: false }).decisions).toBe(1)
    expect(usageOf([], now, { enforcement: 'e2', newAct: false }).decisions).toBe(-1)
  })
})

type Step =
  | { readonly kind: 'pass'; readonly minutes: number }
  | { readonly kind: 'accept'; readonly customer: string; readonly addresses: number }
  | { readonly kind: 'extend' | 'reject' | 'judge'; readonly which: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .integer({ min: 0, max: 25 })
      .map((minutes) => ({ kind: 'pass' as const, minutes })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 64 }))
      .map(([customer, addresses]) => ({ kind: 'accept' as const, customer, addresses })),
  },
  fc
    .tuple(fc.constantFrom('extend' as const, 'reject' as const, 'judge' as const), fc.nat(20))
    .map(([kind, which]) => ({ kind, which })),
)

describe('the hour that is kept up to date', () => {
  it('says what counting all over again says, whatever happened in whatever order', () => {
    const check = (before: readonly Step[], steps: readonly Step[]) => {
      let time = now
      let all: readonly Enforcement[] = []
      const take = (one: Step): Enforcement | Judged | undefined => {
        if (one.kind === 'pass') {
          time = at(-one.minutes, time)
          return undefined
        }
        if (one.kind === 'accept') {
          const counts = { ipv4Addresses: one.addresses, ports: 1, neighbors: 2 }
          const made = {
            ...enforcement(`e${all.length}`),
            customer: one.customer,
            counts,
            acceptedAt: time,
          }
          all = [...all, made]
          return made
        }
        const found = all[one.which % Math.max(1, all.length)]
        if (found === undefined) return undefined
        if (one.kind === 'judge') return { enforcement: found.id, newAct: one.which % 2 === 0 }
        const made: Enforcement =
          one.kind === 'reject'
            ? { ...found, status: 'rejected' }
            : { ...found, extendedAt: [...(found.extendedAt ?? []), time] }
        all = all.map((each) => (each.id === made.id ? made : each))
        return made
      }
      for (const one of before) take(one)
      const hour = createHour(all, time)
      for (const one of steps) {
        const noted = take(one)
        const judged = noted !== undefined && 'newAct' in noted ? noted : undefined
        if (noted !== undefined && 'id' in noted) hour.note(noted)

        const kept = shown(hour.usage(time, judged), ['a', 'b', 'c'])
        expect(kept).toEqual(shown(usageOf(all, time, judged), ['a', 'b', 'c']))
      }
    }

    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 60 }), check),
      { numRuns: 1_000 },
    )
  })

  it('says that it does not know where the clock went back', () => {
    const hour = createHour([enforcement('e1', { acceptedAt: at(30) })], now)
    expect(hour.usage(at(1), undefined)).toBeUndefined()

    hour.note(enforcement('e2', { acceptedAt: at(40) }))
    expect(hour.usage(now)).toBeUndefined()
  })

  it('lets go of what is past, however long it goes on', () => {
    const hour = createHour([], now)
    let time = now
    for (let i = 0; i < 10_000; i++) {
      time = at(-1, time)
      hour.note(enforcement(`e${i}`, { acceptedAt: time }))
      expect(hour.usage(time)?.decisions).toBe(Math.min(i + 1, 60))
    }
    expect(hourBefore(time) > now).toBe(true)
  })
})
