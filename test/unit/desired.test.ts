import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, decide, intentsToRead } from '../../agent/diff.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Found } from '../../agent/platform.ts'
import { type DeviceRows, servedBy, standsElsewhere, unionOf } from '../../controller/desired.ts'
import { type Enforcement, inForce, type Status } from '../../controller/enforcement.ts'
import { transition } from '../../controller/life-cycle.ts'
import type { Wanted } from '../../controller/store/store.ts'
import { covers } from '../../inventory/prefix.ts'
import { acl, blackhole, bySystem, enforcement, port, result, want } from './small-isp.ts'

const rows = (live: readonly Enforcement[], wanted: readonly Wanted[]): DeviceRows => ({
  live,
  wanted,
  claims: [],
  frozen: false,
})
const keys = (intents: readonly Intent[]) => intents.map(keyOf).toSorted()
const at = (minute: number) => `2026-11-27T10:${String(minute).padStart(2, '0')}:00.000Z`
const host = blackhole('203.0.113.9/32')

describe('what is learnt from another router', () => {
  const held: Claim = {
    key: keyOf(host),
    intent: host,
    before: [],
    wrote: ['ip route'],
    phase: 'held',
    step: 1,
  }
  const elsewhere = (wanted: readonly Wanted[], claims: Readonly<Record<string, Claim>>) =>
    standsElsewhere(
      {
        wanted: (of) =>
          wanted.filter((row) =>
            'device' in of ? row.device === of.device : row.enforcement === of.enforcement,
          ),
        claims: (device) => (claims[device] === undefined ? [] : [claims[device]]),
      },
      'trigger2',
      keyOf(host),
    )
  const both = [want('a', 'trigger1', host), want('a', 'trigger2', host)]

  it('may be ours where the same decision has put it on another device, and nowhere else', () => {
    const other = { ...held, key: keyOf(blackhole('203.0.113.8/32')) }
    const seen = want('a', 'edge1', host, { observer: true })

    expect(elsewhere(both, { trigger1: held })).toBe(true)
    expect(elsewhere(both, { trigger1: { ...held, phase: 'pending' } })).toBe(true)
    expect(elsewhere(both, {})).toBe(false)
    expect(elsewhere(both, { trigger2: held })).toBe(false)
    expect(elsewhere(both, { trigger1: other })).toBe(false)
    expect(elsewhere([want('a', 'trigger2', host), seen], { edge1: held })).toBe(false)
  })

  it('stood before us there as well where it stood before us on the other device', () => {
    expect(elsewhere(both, { trigger1: { ...held, stood: true } })).toBe(false)
  })
})

describe('what a device should have', () => {
  it('is the union of what the enforcements in force want, each key once', () => {
    const live = [
      enforcement('a'),
      enforcement('b', { status: 'enforced' }),
      enforcement('c', { status: 'degraded' }),
    ]
    const wanted = [
      want('a', 'edge1', host),
      want('b', 'edge1', host),
      want('b', 'edge1', port('p1')),
      want('c', 'edge1', port('p2')),
    ]

    expect(keys(unionOf(rows(live, wanted)).wanted)).toEqual(keys([host, port('p1'), port('p2')]))
  })

  it('has the routes of a release looked at of which nothing is known, whatever its wave, until they are wanted or claimed again', () => {
    const live = [enforcement('a', { status: 'releasing', openWave: 0 })]
    const later = want('a', 'edge1', blackhole('203.0.113.8/32'), { wave: 1 })
    const wanted = [want('a', 'edge1', host), want('a', 'edge1', port('p1')), later]
    const before = rows(live, wanted)
    const claim = { key: keyOf(host), intent: host, before: [], wrote: [], step: 1 } as const
    const other = [...live, enforcement('b')]

    expect(unionOf(before).looked).toEqual([host, later.intent])
    // Of what the platform can't do there is nothing to look at; an effect that is waited for is read already.
    const cant = rows(live, [{ ...later, unsupported: 'no such route' }])
    expect(unionOf(cant).looked).toEqual([])
    const read = want('a', 'edge1', later.intent, { observer: true })
    expect(unionOf(rows(live, [later, read])).looked).toEqual([])
    expect(unionOf({ ...before, claims: [{ ...claim, phase: 'held' }] }).looked).toEqual([
      later.intent,
    ])
    expect(unionOf(rows(other, [...wanted, want('b', 'edge1', host)])).looked).toEqual([
      later.intent,
    ])
  })

  it.each(['awaiting_approval', 'releasing', 'released', 'rejected', 'failed'] as const)(
    'holds nothing for an enforcement that is %s',
    (status) => {
      expect(
        unionOf(rows([enforcement('a', { status })], [want('a', 'edge1', host)])).wanted,
      ).toEqual([])
    },
  )

  it('takes the attributes of the oldest accepted, and of the next one when it goes', () => {
    const older = enforcement('z', { acceptedAt: at(1) })
    const newer = enforcement('a', { acceptedAt: at(2) })
    const wanted = [
      want('a', 'edge1', blackhole('203.0.113.9/32', 2)),
      want('z', 'edge1', blackhole('203.0.113.9/32', 1)),
    ]

    expect(unionOf(rows([newer, older], wanted)).wanted).toEqual([blackhole('203.0.113.9/32', 1)])
    expect(unionOf(rows([newer, { ...older, status: 'releasing' }], wanted)).wanted).toEqual([
      blackhole('203.0.113.9/32', 2),
    ])
  })

  it('leaves out waves that are not open, and what the platform cannot do', () => {
    const wanted = [
      want('a', 'edge1', host, { wave: 1 }),
      want('a', 'edge1', port('p1'), { wave: 2 }),
      want('a', 'edge1', acl('203.0.113.9/32'), { unsupported: 'no filters' }),
    ]

    expect(keys(unionOf(rows([enforcement('a', { openWave: 1 })], wanted)).wanted)).toEqual(
      keys([host]),
    )
  })

  it('waits for effects without sending, and for their end while a release is under way', () => {
    const wanted = [want('a', 'edge1', host, { observer: true })]

    const inForce = unionOf(rows([enforcement('a')], wanted))
    const releasing = unionOf(rows([enforcement('a', { status: 'releasing' })], wanted))

    expect([inForce.wanted, inForce.expected, inForce.fading]).toEqual([[], [host], []])
    expect([releasing.wanted, releasing.expected, releasing.fading]).toEqual([[], [], [host]])
  })

  it('does not wait for the end of an effect that another enforcement keeps up, with the same prefix or one around it', () => {
    const live = [enforcement('a', { status: 'releasing' }), enforcement('b')]
    const ending = want('a', 'edge1', host, { observer: true })
    const fading = (other: Intent, observer = true) =>
      unionOf(rows(live, [ending, want('b', 'edge1', other, { observer })])).fading

    expect(fading(host)).toEqual([])
    expect(fading(blackhole('203.0.113.0/28'))).toEqual([])
    expect(fading(blackhole('203.0.113.0/28'), false)).toEqual([])
    expect(fading(blackhole('203.0.113.8/32'))).toEqual([host])
    expect(fading(acl('203.0.113.0/28'), false)).toEqual([host])
  })

  it('says which enforcements an object serves, a filter entry also for what it covers', () => {
    const live = [
      enforcement('b', { acceptedAt: at(2) }),
      enforcement('a', { acceptedAt: at(1) }),
      enforcement('c', { status: 'releasing' }),
    ]
    const wide = acl('203.0.113.0/28')
    const wanted = [
      want('b', 'edge1', wide),
      want('a', 'edge1', acl('203.0.113.9/32')),
      want('c', 'edge1', wide),
    ]

    const serving = (intent: Intent, statuses: readonly Status[] = inForce) => [
      ...servedBy([{ key: keyOf(intent), intent }], rows(live, wanted), statuses).keys(),
    ]

    expect(serving(wide)).toEqual(['a', 'b'])
    expect(serving(wide, ['releasing'])).toEqual(['c'])
    expect(serving(acl('203.0.113.9/32'))).toEqual(['a'])
    const reader = want('a', 'edge1', host, { observer: true })
    const read = { key: keyOf(host), intent: host }
    // Who only waits to see it there is not served by it.
    expect([...servedBy([read], rows(live, [reader]), inForce)]).toEqual([])
    expect(serving(acl('203.0.113.0/28', 'out'))).toEqual([])
  })
})

// A device that does what it is told, driven by the ownership decisions that the agents use: after any history it must hold the union, and nothing else.
describe('any sequence of overlapping decisions, releases and expiries', () => {
  const pool: readonly Intent[] = [
    blackhole('203.0.113.9/32', 1),
    blackhole('203.0.113.9/32', 2),
    blackhole('203.0.113.0/28'),
    acl('203.0.113.9/32'),
    acl('203.0.113.0/28'),
    acl('203.0.113.0/26', 'out'),
    port('p1'),
    port('p2'),
  ]
  type Act =
    | { readonly do: 'accept'; readonly wants: readonly Intent[] }
    | { readonly do: 'release' | 'expire'; readonly which: number }
    | { readonly do: 'converge' }
  const act: fc.Arbitrary<Act> = fc.oneof(
    fc.record({
      do: fc.constant('accept' as const),
      wants: fc.uniqueArray(fc.constantFrom(...pool), {
        selector: keyOf,
        minLength: 1,
        maxLength: 4,
      }),
    }),
    fc.record({ do: fc.constantFrom('release' as const, 'expire' as const), which: fc.nat(6) }),
    fc.constant({ do: 'converge' as const }),
  )
  const textOf = (intent: Intent) => JSON.stringify(intent)

  interface World {
    live: Enforcement[]
    wanted: Wanted[]
    device: Map<string, string>
    claims: Map<string, DeviceRows['claims'][number]>
  }

  // Only what stands on the device and in claims outlives a convergence, as in the product.
  function converge(world: World): void {
    const desired = unionOf({
      live: world.live,
      wanted: world.wanted,
      claims: [...world.claims.values()],
      frozen: false,
    })
    const found = new Map<ReturnType<typeof keyOf>, Found>()
    for (const intent of intentsToRead(desired)) {
      const key = keyOf(intent)
      const there = world.device.get(key)
      const same = desired.wanted.some((w) => keyOf(w) === key && textOf(w) === there)
      const object = there === undefined ? [] : [there]
      found.set(key, {
        key,
        object,
        effect: there === undefined ? 'none' : same ? 'same' : 'other',
        mark: 'unmarkable',
        inForce: there === undefined ? 'no' : 'yes',
      })
    }
    for (const decision of decide(desired, { found, marked: [], facts: {} })) {
      if (decision.kind === 'refused') throw new Error(`refused: ${decision.key}`)
      if (decision.kind === 'lifted') world.claims.delete(decision.key)
      if (decision.kind !== 'change') continue
      const { change } = decision
      if (change.kind === 'lift') {
        world.device.delete(decision.key)
        world.claims.delete(decision.key)
      } else {
        const text = textOf(change.intent)
        world.device.set(decision.key, text)
        world.claims.set(decision.key, {
          key: decision.key,
          intent: change.intent,
          before: decision.before,
          wrote: [text],
          phase: 'held',
          step: 1,
        })
      }
    }
  }

  it('leaves exactly what the rest wants, and at the end nothing', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
        const world: World = { live: [], wanted: [], device: new Map(), claims: new Map() }
        for (const [minute, each] of acts.entries()) step(world, each, minute)
        converge(world)
        expectUnion(world)

        world.live = world.live.map((one) => ({ ...one, status: 'releasing' }))
        converge(world)
        expect([...world.device.keys(), ...world.claims.keys()]).toEqual([])
      }),
    )
  })

  function step(world: World, act: Act, minute: number): void {
    if (act.do === 'converge') return converge(world)
    if (act.do === 'accept') {
      const id = `e${String(minute).padStart(2, '0')}`
      world.live.push(
        enforcement(id, { acceptedAt: at(minute), status: 'enforced', expiresAt: at(minute) }),
      )
      world.wanted.push(...act.wants.map((intent) => want(id, 'edge1', intent)))
      return
    }
    const one = world.live[act.which]
    if (one === undefined) return
    const progress = { wanted: [], results: [result(one.id, 'edge1', 'verified')] }
    const event =
      act.do === 'release'
        ? ({ kind: 'released', by: bySystem, reason: 'done', ...progress } as const)
        : ({ kind: 'expired', by: bySystem, ...progress } as const)
    const moved = transition(one, event, at(minute))
    if (moved.kind === 'refused') throw new Error(moved.message)
    world.live[act.which] = moved.enforcement
  }

  // The model: by hand, from the rows of what is still enforced. Of filter entries only those that no other covers.
  function expectUnion(world: World): void {
    const byKey = new Map<string, Intent>()
    for (const one of world.live.filter(({ status }) => status === 'enforced')) {
      for (const row of world.wanted.filter((each) => each.enforcement === one.id)) {
        if (!byKey.has(row.key)) byKey.set(row.key, row.intent)
      }
    }
    const all = [...byKey.values()]
    const expected = all.filter(
      (intent) =>
        intent.kind !== 'acl' ||
        !all.some(
          (o) =>
            o.kind === 'acl' &&
            o.direction === intent.direction &&
            o.prefix !== intent.prefix &&
            covers(o.prefix, intent.prefix),
        ),
    )
    expect([...world.device.values()].toSorted()).toEqual(expected.map(textOf).toSorted())
  }
})
