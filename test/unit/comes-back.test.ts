// What a release brings back, and what others go on cutting off: in sentences, and as a property against a naive count.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Intent } from '../../agent/intents.ts'
import { type ComesBack, comesBack, keepersSeen } from '../../controller/comes-back.ts'
import type { Enforcement } from '../../controller/enforcement.ts'
import type { Wanted } from '../../controller/store/store.ts'
import { covers } from '../../inventory/prefix.ts'
import { acl, blackhole, enforcement, neighbor, pfx, port, want } from './small-isp.ts'

const other = (rest: Partial<Enforcement> = {}) => enforcement('b', rest)
const host = '203.0.113.9/32'
const wide = '203.0.113.8/30'
const seen = { observer: true } as const

function releasing(wanted: readonly Wanted[], ...others: readonly Enforcement[]): ComesBack {
  const own = enforcement('a', { status: 'enforced' })
  return comesBack({
    enforcement: own,
    live: [own, ...(others.length === 0 ? [other({ status: 'enforced' })] : others)],
    wanted,
    isShown,
  })
}

/** Devices show what is wanted of them. */
const isShown = (): boolean => true

const filter = (prefix: string, direction: 'in' | 'out'): Intent => ({
  kind: 'acl',
  prefix: pfx(prefix),
  direction,
})

const inVrf = (prefix: string, vrf: string): Intent => ({
  kind: 'blackhole',
  vrf,
  prefix: pfx(prefix),
  tag: 666,
})

describe('what comes back', () => {
  it('is all that it cut off where nobody else holds anything', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', blackhole(wide)),
      want('a', 'edge1', blackhole('2001:db8:e57::/63')),
      want('a', 'sw1', port('p1')),
      want('a', 'edge1', neighbor('192.0.2.9')),
    ])

    expect(keptBy).toEqual([])
    expect(radius).toEqual({
      customers: ['esthost'],
      ipv4Addresses: '4',
      ipv6Slash64: '2',
      prefixes: [wide, '2001:db8:e57::/63'],
      ports: ['sw1:p1'],
      neighbors: ['edge1:192.0.2.9'],
      devices: ['edge1', 'sw1'],
    })
  })

  it('is what another enforcement wants too and the device does not show', () => {
    const own = enforcement('a', { status: 'enforced' })
    const wanted = [want('a', 'edge1', blackhole(host)), want('b', 'edge1', blackhole(wide))]
    const among = { enforcement: own, live: [own, other({ status: 'degraded' })], wanted }
    const refused = { ...among, isShown: ({ enforcement: of }: Wanted) => of !== 'b' }

    expect(comesBack({ ...among, isShown })).toMatchObject({ keptBy: ['b'] })
    expect(comesBack(refused)).toMatchObject({ keptBy: [], radius: { prefixes: [host] } })
    expect(keepersSeen(refused)(want('a', 'edge1', blackhole(host), seen))).toEqual([])
  })

  it('is nothing, and no customer, where another enforcement holds all of it', () => {
    const cut = [blackhole(host), filter(host, 'in'), port('p1'), neighbor('192.0.2.9')]
    const { radius, keptBy } = releasing(
      ['a', 'b'].flatMap((of) => cut.map((intent) => want(of, 'edge1', intent))),
    )

    expect(keptBy).toEqual(['b'])
    expect(radius).toEqual({
      customers: [],
      ipv4Addresses: '0',
      ipv6Slash64: '0',
      prefixes: [],
      ports: [],
      neighbors: [],
      devices: [],
    })
  })

  it('is the rest of a wider prefix of which a narrower one is held', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', blackhole(wide)),
      want('b', 'edge1', blackhole(host)),
    ])

    expect(radius.prefixes).toEqual(['203.0.113.8/32', '203.0.113.10/31'])
    expect(radius.ipv4Addresses).toBe('3')
    expect(keptBy).toEqual(['b'])
  })

  it('is nothing of a narrower prefix inside a wider one that is held', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', blackhole(host)),
      want('b', 'edge1', blackhole(wide)),
    ])

    expect(radius.prefixes).toEqual([])
    expect(keptBy).toEqual(['b'])
  })

  it('is reckoned in IPv6 as in IPv4, and neither holds the other', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', blackhole('2001:db8:e57::/62')),
      want('a', 'edge1', blackhole(host)),
      want('b', 'edge1', blackhole('2001:db8:e57:1::/64')),
    ])

    expect(radius.prefixes).toEqual([host, '2001:db8:e57::/64', '2001:db8:e57:2::/63'])
    expect(radius).toMatchObject({ ipv4Addresses: '1', ipv6Slash64: '3' })
    expect(keptBy).toEqual(['b'])
  })

  it('is a port or neighbor that is held on another device only: that is another one', () => {
    const { radius, keptBy } = releasing([
      want('a', 'sw1', port('p1')),
      want('b', 'sw2', port('p1')),
      want('a', 'edge1', neighbor('192.0.2.9')),
      want('b', 'edge2', neighbor('192.0.2.9')),
    ])

    expect(radius).toMatchObject({ ports: ['sw1:p1'], neighbors: ['edge1:192.0.2.9'] })
    expect(keptBy).toEqual([])
  })

  it('is another port and another neighbor of the same device', () => {
    const { radius, keptBy } = releasing([
      want('a', 'sw1', port('p1')),
      want('b', 'sw1', port('p2')),
      want('a', 'sw1', neighbor('192.0.2.9')),
      want('b', 'sw1', neighbor('192.0.2.10')),
    ])

    expect(radius).toMatchObject({ ports: ['sw1:p1'], neighbors: ['sw1:192.0.2.9'] })
    expect(keptBy).toEqual([])
  })

  it('is a prefix that only another device goes on discarding: here it passes again', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', blackhole(host)),
      want('b', 'edge2', blackhole(host)),
    ])

    expect(radius).toMatchObject({ prefixes: [host], devices: ['edge1'] })
    expect(keptBy).toEqual([])
  })

  it('is a prefix held on one of its devices only, and who holds it there is named', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', blackhole(host)),
      want('a', 'edge2', blackhole(host)),
      want('b', 'edge2', blackhole(host)),
    ])

    expect(radius).toMatchObject({ prefixes: [host], devices: ['edge1'] })
    expect(keptBy).toEqual(['b'])
  })

  it('of a trigger’s route is judged where traffic dies: on the devices that are read for it', () => {
    const own = [want('a', 'trigger1', blackhole(host)), want('a', 'edge1', blackhole(host), seen)]
    const byTrigger = [
      want('b', 'trigger2', blackhole(wide)),
      want('b', 'edge1', blackhole(wide), seen),
    ]

    expect(releasing([...own, ...byTrigger])).toMatchObject({
      radius: { prefixes: [], devices: [] },
      keptBy: ['b'],
    })
    expect(releasing([...own, want('b', 'edge1', blackhole(host))]).radius.prefixes).toEqual([])
    expect(releasing([...own, want('b', 'edge2', blackhole(host), seen)])).toMatchObject({
      radius: { prefixes: [host], devices: ['trigger1'] },
      keptBy: [],
    })
  })

  it('is what a route of another VRF would not stop', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', inVrf(host, 'blue')),
      want('b', 'edge1', inVrf(host, 'red')),
      want('b', 'edge1', filter(host, 'out')),
    ])

    expect(radius.prefixes).toEqual([host])
    expect(keptBy).toEqual([])
  })

  it.each([
    ['in', 'in', 'held'],
    ['out', 'out', 'held'],
    ['in', 'out', 'back'],
    ['out', 'in', 'back'],
    ['route', 'out', 'held'],
    ['out', 'route', 'held'],
    ['route', 'in', 'back'],
    ['in', 'route', 'back'],
  ] as const)('of what cuts by %s is, with one by %s in force: %s', (released, held, outcome) => {
    const by = (way: 'in' | 'out' | 'route') =>
      way === 'route' ? blackhole(host) : filter(host, way)
    const { radius, keptBy } = releasing([
      want('a', 'edge1', by(released)),
      want('b', 'edge1', by(held)),
    ])

    expect(radius.prefixes).toEqual(outcome === 'held' ? [] : [host])
    expect(keptBy).toEqual(outcome === 'held' ? ['b'] : [])
  })

  it('is an address whose other direction stays cut off, and who does that is named', () => {
    const { radius, keptBy } = releasing([
      want('a', 'edge1', filter(host, 'in')),
      want('a', 'edge1', filter(host, 'out')),
      want('b', 'edge1', filter(host, 'in')),
    ])

    expect(radius.prefixes).toEqual([host])
    expect(keptBy).toEqual(['b'])
  })

  it.each(['awaiting_approval', 'releasing', 'released', 'rejected', 'failed'] as const)(
    'is not held by one that is %s',
    (status) => {
      const { radius, keptBy } = releasing(
        [want('a', 'edge1', blackhole(host)), want('b', 'edge1', blackhole(host))],
        other({ status }),
      )

      expect(radius.prefixes).toEqual([host])
      expect(keptBy).toEqual([])
    },
  )

  it.each(['enforcing', 'enforced', 'degraded'] as const)('is held by one %s', (status) => {
    const rows = [want('a', 'edge1', blackhole(host)), want('b', 'edge1', blackhole(host))]

    expect(releasing(rows, other({ status })).keptBy).toEqual(['b'])
  })

  it('is not held by one whose wave has not come, nor by what its platform can’t do', () => {
    const rows = (rest: Partial<Wanted>) => [
      want('a', 'edge1', acl(host)),
      want('b', 'edge1', acl(host), rest),
    ]

    expect(releasing(rows({ wave: 1 })).keptBy).toEqual([])
    expect(releasing(rows({ wave: 1 }), other({ openWave: 1 })).keptBy).toEqual(['b'])
    expect(releasing(rows({ unsupported: 'no acl here' })).radius.prefixes).toEqual([host])
  })

  it('is nothing of what was never done: its wave had not come, or its platform can’t', () => {
    const rows = [
      want('a', 'edge1', acl(host), { unsupported: 'no acl here' }),
      want('a', 'sw1', port('p1'), { wave: 1 }),
      want('b', 'edge1', acl(host)),
      want('b', 'sw1', port('p1')),
    ]

    expect(releasing(rows)).toMatchObject({
      radius: { customers: [], prefixes: [], ports: [], devices: [] },
      keptBy: [],
    })
  })

  it('names who keeps something in the order of their acceptance, each once', () => {
    const { keptBy } = releasing(
      [
        want('a', 'edge1', blackhole(wide)),
        want('c', 'edge1', blackhole('203.0.113.8/32')),
        want('b', 'edge1', blackhole(host)),
        want('b', 'edge1', blackhole('203.0.113.10/32')),
      ],
      other(),
      enforcement('c'),
    )

    expect(keptBy).toEqual(['b', 'c'])
  })
})

describe('what a device is read for', () => {
  const keepers = (...wanted: readonly Wanted[]) => {
    const live = [enforcement('a'), other()]
    const among = { enforcement: enforcement('a'), live, wanted, isShown }
    return keepersSeen(among)(want('a', 'edge1', blackhole(host), seen))
  }

  it('stays there where another one discards all of it on the same device, by a line or as seen', () => {
    expect(keepers(want('b', 'edge1', blackhole(wide)))).toEqual(['b'])
    expect(keepers(want('b', 'edge1', blackhole(host), seen))).toEqual(['b'])
  })

  it('goes where the other only filters it, discards it elsewhere, or in another VRF', () => {
    expect(keepers(want('b', 'edge1', filter(host, 'out')))).toEqual([])
    expect(keepers(want('b', 'edge2', blackhole(host)))).toEqual([])
    expect(keepers(want('b', 'edge1', inVrf(host, 'red')))).toEqual([])
  })

  it('goes where the other discards a part of it only', () => {
    const among = {
      enforcement: enforcement('a'),
      live: [enforcement('a'), other()],
      wanted: [want('b', 'edge1', blackhole(host))],
      isShown,
    }
    expect(keepersSeen(among)(want('a', 'edge1', blackhole(wide), seen))).toEqual([])
  })
})

describe('what comes back and what is kept', () => {
  const addresses = Array.from({ length: 8 }, (_, i) => `203.0.113.${8 + i}/32`)
  const prefixes = fc.constantFrom(
    '203.0.113.8/29',
    '203.0.113.8/30',
    '203.0.113.12/30',
    '203.0.113.10/31',
    ...addresses,
  )
  const intents: fc.Arbitrary<Intent> = fc.oneof(
    prefixes.map((prefix) => blackhole(prefix)),
    fc.tuple(prefixes, fc.constantFrom('in', 'out')).map(([prefix, way]) => filter(prefix, way)),
    fc.constantFrom('p1', 'p2').map((name) => port(name)),
  )
  const rows = fc.array(
    fc
      .tuple(fc.constantFrom('a', 'a', 'b', 'c'), fc.constantFrom('edge1', 'edge2'), intents)
      .map(([of, device, intent]) => want(of, device, intent)),
    { maxLength: 8 },
  )
  const live = [enforcement('a'), other(), enforcement('c')]

  /** Naive: every single thing that a row cuts off: one address in one direction on one device, or a port. */
  const pointsOf = ({ device, intent }: Wanted): readonly string[] => {
    if (!('prefix' in intent)) return [`${device} ${'port' in intent ? intent.port : ''}`]
    const way = intent.kind === 'acl' ? intent.direction : 'out'
    const inside = addresses.filter((one) => covers(intent.prefix, pfx(one)))
    return inside.map((one) => `${device} ${way} ${one}`)
  }

  it('are together exactly what was cut off, and never the same', () => {
    fc.assert(
      fc.property(rows, (wanted) => {
        const pointsBy = (...ids: readonly string[]) =>
          new Set(wanted.filter((row) => ids.includes(row.enforcement)).flatMap(pointsOf))
        const own = pointsBy('a')
        const back = [...own].filter((point) => !pointsBy('b', 'c').has(point))
        const { radius, keptBy } = comesBack({
          enforcement: enforcement('a'),
          live,
          wanted,
          isShown,
        })

        expect(
          addresses.filter((one) => radius.prefixes.some((p) => covers(pfx(p), pfx(one)))),
        ).toEqual(addresses.filter((one) => back.some((point) => point.endsWith(` ${one}`))))
        expect(radius.ports.toSorted()).toEqual(
          [...back]
            .filter((point) => /p\d$/.test(point))
            .map((p) => p.replace(' ', ':'))
            .toSorted(),
        )
        expect(keptBy).toEqual(
          ['b', 'c'].filter((id) => [...pointsBy(id)].some((point) => own.has(point))),
        )
        expect(radius.customers).toEqual(back.length === 0 ? [] : ['esthost'])
      }),
      { numRuns: 1000 },
    )
  })
})
