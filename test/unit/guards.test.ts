import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type GuardInput,
  guardNames,
  judge,
  overrideGuard,
  refusalIn,
} from '../../controller/guards.ts'
import { createLookup } from '../../inventory/lookup.ts'
import type { Device, Inventory } from '../../inventory/model.ts'
import { neverCut } from '../../inventory/never-cut.ts'
import { carve, type Prefix, prefixFrom, toSpan } from '../../inventory/prefix.ts'
import type { Compiled } from '../../playbooks/model.ts'
import {
  aboutEsthost,
  adr,
  compiled,
  customer,
  decision,
  device,
  isp,
  limits,
  pfx,
  prt,
} from './small-isp.ts'

const quiet = {
  decisions: 0,
  ipv4Addresses: 0,
  customers: new Set<string>(),
  ports: 0,
  neighbors: 0,
}

function input(change: Partial<GuardInput> = {}, inventory: Inventory = isp()): GuardInput {
  return {
    decision: aboutEsthost,
    compiled: compiled(),
    inventory,
    lookup: createLookup(inventory),
    neverCut: neverCut(inventory, [adr('192.0.2.252')]),
    usage: quiet,
    mayOverride: false,
    ...change,
  }
}

function verdictOf(guard: string, on: GuardInput) {
  const found = judge(on).find((verdict) => verdict.guard === guard)
  if (found === undefined) throw new Error(`no verdict of ${guard}`)
  return found
}

const aboutPrefixes = (...prefixes: string[]): Partial<GuardInput> => ({
  compiled: compiled({ prefixes: prefixes.map(pfx) }),
})

/** An inventory whose one customer, or one protected space, is that. */
const owning = (prefix: string) =>
  isp({ customers: new Map([['esthost', customer('esthost', [prefix])]]), protected: [] })
const shielding = (prefix: string) => isp({ protected: [{ prefix: pfx(prefix), why: 'office' }] })

describe('the list of guards', () => {
  it('gives one verdict for each guard, and lets a plain decision pass', () => {
    const verdicts = judge(input(aboutPrefixes('203.0.113.10/32', '2001:db8:e57:1::/64')))

    expect(verdicts.map(({ guard }) => guard)).toEqual([...guardNames.keys()])
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(verdicts.map(() => 'pass'))
    expect(refusalIn(verdicts)).toBeUndefined()
  })

  it('has no override for what would hit others or the network itself', () => {
    const fixed = [...guardNames]
      .filter(([, { overridable }]) => !overridable)
      .map(([name]) => name)

    expect(fixed).toEqual([
      'own_space',
      'protected_space',
      'never_cut',
      'port_owner',
      'port_uplink',
      'neighbor_owner',
    ])
  })
})

describe('own_space', () => {
  it.each([
    ['equal', '203.0.113.0/26', 'pass'],
    ['inside', '203.0.113.32/27', 'pass'],
    ['around, with the same base address', '203.0.113.0/25', 'refuse'],
    ['around, another base address', '203.0.112.0/23', 'refuse'],
    ['beside', '203.0.113.128/26', 'refuse'],
    ["another customer's", '203.0.113.64/26', 'refuse'],
    ['the other family', '2001:db8:ffff::/48', 'refuse'],
    ['everything', '0.0.0.0/0', 'refuse'],
    ['everything in IPv6', '::/0', 'refuse'],
  ])('%s: %s → %s', (_shape, prefix, verdict) => {
    expect(verdictOf('own_space', input(aboutPrefixes(prefix))).verdict).toBe(verdict)
  })

  it('takes two adjacent prefixes of one customer as one space', () => {
    const inventory = isp({
      customers: new Map([['esthost', customer('esthost', ['203.0.113.0/26', '203.0.113.64/26'])]]),
    })

    expect(verdictOf('own_space', input(aboutPrefixes('203.0.113.0/25'), inventory)).verdict).toBe(
      'pass',
    )
  })

  it('names the customers that would be hit, and looks at the subject itself too', () => {
    const wide = decision({ kind: 'prefix', prefix: pfx('203.0.113.0/25') })
    const verdict = verdictOf('own_space', input({ decision: wide }))

    expect(verdict.verdict).toBe('refuse')
    expect(verdict.hit).toEqual(['203.0.113.0/25: hits bystander'])
    expect(verdict.message).toContain('correct the inventory')
  })
})

describe('protected_space', () => {
  it.each([
    ['equal', '203.0.113.0/28'],
    ['inside', '203.0.113.4/30'],
    ['around', '203.0.113.0/27'],
    ['everything', '0.0.0.0/0'],
  ])('refuses %s: %s', (_shape, prefix) => {
    const verdict = verdictOf(
      'protected_space',
      input(aboutPrefixes(prefix), shielding('203.0.113.0/28')),
    )

    expect(verdict.verdict).toBe('refuse')
    expect(verdict.hit).toEqual([`${prefix} meets 203.0.113.0/28 (office)`])
  })

  it.each(['203.0.113.16/28', '2001:db8:e57::/48', '::/0'])('lets %s beside it pass', (prefix) => {
    expect(
      verdictOf('protected_space', input(aboutPrefixes(prefix), shielding('203.0.113.0/28')))
        .verdict,
    ).toBe('pass')
  })

  it('is not passed by an override, not even by an admin', () => {
    const overrides = [{ guard: 'protected_space', reason: 'I know' }]
    const on = input(
      {
        ...aboutPrefixes('203.0.113.4/30'),
        decision: { ...aboutEsthost, overrides },
        mayOverride: true,
      },
      shielding('203.0.113.0/28'),
    )

    expect(verdictOf('protected_space', on).verdict).toBe('refuse')
    expect(verdictOf(overrideGuard, on).verdict).toBe('refuse')
  })
})

describe('never_cut', () => {
  const derived = neverCut(isp(), [adr('192.0.2.252')])
  const foreign = derived.filter(({ ownNeighborOf }) => ownNeighborOf !== 'esthost')

  it.each(foreign)('refuses a decision about $address, $why', ({ prefix }) => {
    const named = decision({ kind: 'prefix', prefix })
    const bySubject = verdictOf('never_cut', input({ decision: named }))
    const byIntent = verdictOf('never_cut', input({ compiled: compiled({ prefixes: [prefix] }) }))

    expect(bySubject.verdict).toBe('refuse')
    expect(byIntent.verdict).toBe('refuse')
  })

  it.each(foreign)('refuses to shut a session with $address, $why', ({ address }) => {
    const session = { device: 'edge1', peer: address, vrf: 'default' }
    const named = decision({ kind: 'neighbor', ...session })

    expect(verdictOf('never_cut', input({ decision: named })).verdict).toBe('refuse')
    expect(
      verdictOf('never_cut', input({ compiled: compiled({ neighbors: [session] }) })).verdict,
    ).toBe('refuse')
  })

  it.each([
    ['in another table', { device: 'edge1', vrf: 'red' }, 'pass'],
    ['on another device', { device: 'edge2', vrf: 'default' }, 'pass'],
    ['itself', { device: 'edge1', vrf: 'default' }, 'refuse'],
  ])(
    'tells the session of another customer from one with the same address: %s → %s',
    (_, where, verdict) => {
      const session = { peer: adr('192.0.2.9'), ...where }
      const shut = compiled({ customer: 'bystander', neighbors: [session] })

      expect(verdictOf('never_cut', input({ compiled: shut })).verdict).toBe(verdict)
    },
  )

  it('refuses a session with what carries the network, in whatever table its address is named', () => {
    const session = { device: 'edge1', peer: adr('192.0.2.252'), vrf: 'red' }
    expect(
      verdictOf('never_cut', input({ compiled: compiled({ neighbors: [session] }) })).verdict,
    ).toBe('refuse')
  })

  it("lets a customer's own session be cut, for that customer only", () => {
    const session = { device: 'edge1', peer: adr('192.0.2.9'), vrf: 'default' }
    const own = compiled({ prefixes: [pfx('192.0.2.9/32')], neighbors: [session] })

    expect(verdictOf('never_cut', input({ compiled: own })).verdict).toBe('pass')
    expect(
      verdictOf('never_cut', input({ compiled: { ...own, customer: 'bystander' } })).verdict,
    ).toBe('refuse')
  })

  it.each([
    ['around, not carved', '203.0.113.0/26', 'refuse'],
    ['equal', '203.0.113.1/32', 'refuse'],
    ['beside', '203.0.113.2/31', 'pass'],
    ['the other family', '2001:db8:e57::/48', 'pass'],
    ['everything', '0.0.0.0/0', 'refuse'],
  ])('%s: %s → %s', (_shape, prefix, verdict) => {
    expect(verdictOf('never_cut', input(aboutPrefixes(prefix))).verdict).toBe(verdict)
  })

  it('lets a subject that holds a gateway pass once it is carved around it', () => {
    const whole = pfx('203.0.113.0/26')
    const rest = carve(
      whole,
      foreign.map(({ prefix }) => prefix),
    )
    const on = input({
      decision: decision({ kind: 'prefix', prefix: whole }),
      compiled: compiled({ prefixes: rest }),
    })

    expect(refusalIn(judge(on))).toBeUndefined()
  })
})

describe('a prefix that the decision names', () => {
  const named = (prefix: string, rest: readonly string[]) =>
    input(
      {
        decision: decision({ kind: 'prefix', prefix: pfx(prefix) }),
        compiled: compiled({ prefixes: rest.map(pfx) }),
        neverCut: ['203.0.113.2', '203.0.113.3'].map((text) => ({
          address: adr(text),
          prefix: pfx(text),
          why: 'gateway',
        })),
      },
      shielding('203.0.113.16/28'),
    )

  it('may hold protected and never-cut addresses, once it is carved around them', () => {
    expect(refusalIn(judge(named('203.0.113.0/30', ['203.0.113.0/31'])))).toBeUndefined()
    expect(refusalIn(judge(named('203.0.113.0/27', ['203.0.113.4/30'])))).toBeUndefined()
  })

  it('is refused where it lies in them and carving leaves nothing', () => {
    expect(refusalIn(judge(named('203.0.113.2/31', [])))?.guard).toBe('never_cut')
    expect(refusalIn(judge(named('203.0.113.2/32', [])))?.guard).toBe('never_cut')
    expect(refusalIn(judge(named('203.0.113.16/28', [])))?.guard).toBe('protected_space')
    expect(refusalIn(judge(named('203.0.113.20/32', [])))?.guard).toBe('protected_space')
  })
})

describe('a named prefix of which protected space takes one part and never-cut addresses the other', () => {
  it('is refused by both: of what was asked for nothing would be done', () => {
    const named = pfx('203.0.113.0/31')
    const leftOut = [
      { prefix: pfx('203.0.113.0/32'), within: named, why: 'protected: office' },
      { prefix: pfx('203.0.113.1/32'), within: named, why: 'gateway of edge1' },
    ]
    const on = input(
      { decision: decision({ kind: 'prefix', prefix: named }), compiled: compiled({ leftOut }) },
      shielding('203.0.113.0/32'),
    )

    expect(verdictOf('protected_space', on).verdict).toBe('refuse')
    expect(verdictOf('never_cut', on).verdict).toBe('refuse')
  })
})

describe('prefix_length', () => {
  it.each([
    ['203.0.112.0/23', 'refuse'],
    ['203.0.113.0/24', 'pass'],
    ['203.0.113.0/25', 'pass'],
    ['2001:db8:e56::/47', 'refuse'],
    ['2001:db8:e57::/48', 'pass'],
    ['0.0.0.0/0', 'refuse'],
    ['::/0', 'refuse'],
  ])('%s → %s', (prefix, verdict) => {
    expect(verdictOf('prefix_length', input(aboutPrefixes(prefix))).verdict).toBe(verdict)
  })
})

describe('ports', () => {
  const cutting = (device: string, name: string) =>
    input({ compiled: compiled({ ports: [{ device, port: prt(name) }] }) })

  it.each([
    ['their own', 'sw1', 'p1', 'pass'],
    ["another customer's", 'sw1', 'p2', 'refuse'],
    ["nobody's", 'sw1', 'p9', 'refuse'],
    ['of an unknown device', 'sw9', 'p1', 'refuse'],
    ['of the same name on another device', 'edge1', 'p1', 'refuse'],
  ])('%s (%s:%s) → %s', (_what, device, name, verdict) => {
    expect(verdictOf('port_owner', cutting(device, name)).verdict).toBe(verdict)
  })

  it('refuses a port that carries another customer too, and names them', () => {
    const ports = [{ device: 'sw1', interface: prt('p1') }]
    const both = new Map([
      ['esthost', customer('esthost', [], { ports })],
      ['bystander', customer('bystander', [], { ports })],
    ])
    const verdict = verdictOf('port_owner', {
      ...cutting('sw1', 'p1'),
      inventory: isp({ customers: both }),
    })

    expect(verdict.hit).toEqual(['sw1:p1: carries bystander'])
  })

  it('refuses a name that may stand for several ports of the device, though it is written as theirs', () => {
    const ports = [{ device: 'sw1', interface: prt('t1/0/1') }]
    const inventory = isp({
      devices: new Map([['sw1', device('sw1', '10.20.0.21', { platform: 'cisco_ios' })]]),
      customers: new Map([['esthost', customer('esthost', [], { ports })]]),
    })
    const verdict = verdictOf('port_owner', { ...cutting('sw1', 't1/0/1'), inventory })

    expect(verdict.hit).toEqual(['sw1:t1/0/1: may be any of several ports'])
  })

  it('refuses an uplink, even where a customer has it, and whoever overrides it', () => {
    const overrides = [{ guard: 'port_uplink', reason: 'a private uplink' }]
    const on = cutting('sw1', 'uplink1')

    expect(verdictOf('port_uplink', on).verdict).toBe('refuse')
    expect(verdictOf('port_uplink', cutting('sw1', 'p1')).verdict).toBe('pass')
    expect(
      verdictOf('port_uplink', {
        ...on,
        decision: { ...aboutEsthost, overrides },
        mayOverride: true,
      }).verdict,
    ).toBe('refuse')
  })
})

describe('a port in another spelling', () => {
  const other = (rest: Partial<Device>, ports: readonly (readonly [string, string])[] = []) => {
    const sw2 = device('sw2', '10.20.0.22', { platform: 'cisco_ios', ...rest })
    const owners = ports.map(([id, name]) =>
      customer(id, [], { ports: [{ device: 'sw2', interface: prt(name) }] }),
    )
    const base = isp()
    return isp({
      devices: new Map([...base.devices, ['sw2', sw2]]),
      customers: new Map([...base.customers, ...owners.map((one) => [one.id, one] as const)]),
    })
  }
  const verdict = (guard: string, name: string, inventory: Inventory) =>
    verdictOf(
      guard,
      input({ compiled: compiled({ ports: [{ device: 'sw2', port: prt(name) }] }) }, inventory),
    )

  it.each(['Gi1/0/24', 'gigabitethernet1/0/24', 'GigabitEthernet1/0/024', 'g1/0/24'])(
    'is the uplink that it means: %s',
    (name) => {
      const found = verdict('port_uplink', name, other({ uplinks: [prt('GigabitEthernet1/0/24')] }))
      expect(found).toMatchObject({ verdict: 'refuse', overridable: false })
      expect(found.hit).toEqual([`sw2:${name} (uplink GigabitEthernet1/0/24)`])
    },
  )

  it('is the uplink where an uplink is a sub-interface of it', () => {
    const inventory = other({ uplinks: [prt('Gi1/0/24.100')] })
    expect(verdict('port_uplink', 'GigabitEthernet1/0/24', inventory).verdict).toBe('refuse')
    expect(verdict('port_uplink', 'GigabitEthernet1/0/24.200', inventory).verdict).toBe('pass')
    expect(verdict('port_uplink', 'GigabitEthernet1/0/2', inventory).verdict).toBe('pass')
  })

  it('is the uplink where it is unit 0 of it: all that an untagged port carries', () => {
    const inventory = other({ platform: 'juniper_junos', uplinks: [prt('ge-0/0/0')] })
    for (const name of ['ge-0/0/0.0', 'ge-0/0/0.00', 'ge-0/00/0.0', 'GE-0/0/00']) {
      expect(verdict('port_uplink', name, inventory).verdict).toBe('refuse')
    }
    expect(verdict('port_uplink', 'ge-0/0/0.100', inventory).verdict).toBe('pass')
    expect(verdict('port_uplink', 'ge-0/0/1.0', inventory).verdict).toBe('pass')
  })

  it('is the port of the other customer that has it, or a part of it', () => {
    const inventory = other({}, [
      ['bystander2', 'gigabitethernet1/0/3'],
      ['bystander3', 'Gi1/0/4.7'],
    ])
    expect(verdict('port_owner', 'Gi1/0/3', inventory).hit).toEqual([
      'sw2:Gi1/0/3: carries bystander2 (as gigabitethernet1/0/3)',
    ])
    expect(verdict('port_owner', 'Gi1/0/4', inventory).hit).toEqual([
      'sw2:Gi1/0/4: carries bystander3 (as Gi1/0/4.7)',
    ])
  })

  it('is refused where it may be any of several', () => {
    expect(verdict('port_owner', 't1/0/1', other({}, [['esthost2', 't1/0/1']])).verdict).toBe(
      'refuse',
    )
  })
})

describe('neighbor_owner', () => {
  it.each([
    ['their own', ['edge1', '192.0.2.9', 'default'], 'pass'],
    ["another customer's", ['edge1', '192.0.2.13', 'default'], 'refuse'],
    ["the operator's", ['edge1', '192.0.2.1', 'default'], 'refuse'],
    ['on another device', ['edge2', '192.0.2.9', 'default'], 'refuse'],
    ['in another routing table', ['edge1', '192.0.2.9', 'red'], 'refuse'],
  ] as const)('%s (%j) → %s', (_what, [device, peer, vrf], verdict) => {
    const on = input({ compiled: compiled({ neighbors: [{ device, peer: adr(peer), vrf }] }) })

    expect(verdictOf('neighbor_owner', on).verdict).toBe(verdict)
  })
})

describe('the budgets', () => {
  const tight = (change: Partial<typeof limits.perDecision>) =>
    isp({ limits: { ...limits, perDecision: { ...limits.perDecision, ...change } } })
  const tightHour = (change: Partial<typeof limits.perHour>) =>
    isp({ limits: { ...limits, perHour: { ...limits.perHour, ...change } } })
  const much: Compiled = compiled({
    prefixes: [
      '203.0.113.0/28',
      '203.0.113.0/30',
      '2001:db8:e57::/64',
      '2001:db8:e57:0:1::/80',
      '2001:db8:e57:2::/63',
    ].map(pfx),
    ports: [{ device: 'sw1', port: prt('p1') }],
    neighbors: [{ device: 'edge1', peer: adr('192.0.2.9'), vrf: 'default' }],
  })

  it.each([
    ['ipv4Addresses', 16],
    ['ipv6Slash64', 3],
    ['customers', 1],
    ['ports', 1],
    ['neighbors', 1],
  ])(
    'a decision: exactly as many %s as allowed (%d) pass, one fewer allowed refuses',
    (name, count) => {
      expect(
        verdictOf('decision_budget', input({ compiled: much }, tight({ [name]: count }))).verdict,
      ).toBe('pass')
      const verdict = verdictOf(
        'decision_budget',
        input({ compiled: much }, tight({ [name]: count - 1 })),
      )
      expect(verdict.verdict).toBe('refuse')
      expect(verdict.hit).toEqual([`${name}: ${count} of ${count - 1}`])
    },
  )

  it.each([
    ['decisions', 8],
    ['ipv4Addresses', 116],
    ['customers', 3],
    ['ports', 4],
    ['neighbors', 5],
  ])(
    'an hour: exactly as many %s as allowed (%d) pass, one fewer allowed refuses',
    (name, count) => {
      const usage = {
        decisions: 7,
        ipv4Addresses: 100,
        customers: new Set(['a', 'b']),
        ports: 3,
        neighbors: 4,
      }
      const on = (limit: number) => input({ compiled: much, usage }, tightHour({ [name]: limit }))

      expect(verdictOf('hour_budget', on(count)).verdict).toBe('pass')
      expect(verdictOf('hour_budget', on(count - 1)).hit).toEqual([
        `${name}: ${count} of ${count - 1}`,
      ])
    },
  )

  it('counts a customer once, however often it was decided about', () => {
    const usage = { ...quiet, customers: new Set(['esthost', 'b']) }

    expect(verdictOf('hour_budget', input({ usage }, tightHour({ customers: 2 }))).verdict).toBe(
      'pass',
    )
  })
})

describe('overrides', () => {
  const short = (mayOverride: boolean, ...guards: string[]) =>
    input({
      ...aboutPrefixes('203.0.112.0/23'),
      decision: {
        ...aboutEsthost,
        overrides: guards.map((guard) => ({ guard, reason: 'attack' })),
      },
      mayOverride,
    })

  it('pass the named guard alone, for an admin, with the reason shown', () => {
    const verdicts = judge(short(true, 'prefix_length'))

    const passed = verdicts.filter(({ verdict }) => verdict === 'overridden')
    expect(passed.map(({ guard }) => guard)).toEqual(['prefix_length'])
    expect(passed[0]?.message).toContain('attack')
    expect(refusalIn(verdicts)?.guard).toBe('own_space')
  })

  it('of anyone else are refused, and pass nothing', () => {
    const verdicts = judge(short(false, 'prefix_length'))

    expect(verdicts.filter(({ verdict }) => verdict === 'overridden')).toEqual([])
    expect(refusalIn(verdicts)?.guard).toBe(overrideGuard)
  })

  it.each(['no_such_guard', 'own_space', 'never_cut'])('of %s are refused by name', (guard) => {
    const verdict = verdictOf(overrideGuard, short(true, guard))

    expect(verdict.verdict).toBe('refuse')
    expect(verdict.hit).toEqual([guard])
  })
})

// The brute-force model: a prefix is the set of its addresses in a tiny space, so that containment is nothing but set arithmetic.
describe('against addresses one by one', () => {
  const anyIn = (family: 4 | 6): fc.Arbitrary<Prefix> => {
    const base =
      family === 4 ? toSpan(pfx('203.0.113.0/24')).first : toSpan(pfx('2001:db8::/120')).first
    const width = family === 4 ? 32 : 128
    return fc
      .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: width - 6, max: width }))
      .map(([low, length]) => prefixFrom(family, base + BigInt(low), length))
  }
  const any = fc.oneof(anyIn(4), anyIn(6), fc.constantFrom(pfx('0.0.0.0/0'), pfx('::/0')))
  const addresses = (prefix: Prefix): ReadonlySet<string> | 'all' => {
    const { family, first, last, length } = toSpan(prefix)
    if (length === 0) return 'all'
    return new Set(
      Array.from({ length: Number(last - first) + 1 }, (_, i) => `${family} ${first + BigInt(i)}`),
    )
  }
  const meets = (one: Prefix, other: Prefix): boolean => {
    if (one.includes(':') !== other.includes(':')) return false
    const [a, b] = [addresses(one), addresses(other)]
    return a === 'all' || b === 'all' || [...a].some((address) => b.has(address))
  }
  const within = (inner: Prefix, outer: readonly Prefix[]): boolean => {
    const a = addresses(inner)
    const same = outer
      .filter((prefix) => prefix.includes(':') === inner.includes(':'))
      .map(addresses)
    if (a === 'all') return same.includes('all')
    return [...a].every((address) => same.some((set) => set === 'all' || set.has(address)))
  }

  it('own_space passes exactly what lies wholly inside', () => {
    fc.assert(
      fc.property(any, any, (prefix, own) => {
        const { verdict } = verdictOf('own_space', input(aboutPrefixes(prefix), owning(own)))
        expect(verdict === 'pass').toBe(within(prefix, [own]))
      }),
    )
  })

  it('protected_space refuses exactly what shares an address', () => {
    fc.assert(
      fc.property(any, any, (prefix, shield) => {
        const { verdict } = verdictOf(
          'protected_space',
          input(aboutPrefixes(prefix), shielding(shield)),
        )
        expect(verdict === 'refuse').toBe(meets(prefix, shield))
      }),
    )
  })

  it('never_cut refuses exactly what still holds a never-cut address', () => {
    fc.assert(
      fc.property(any, any, (prefix, other) => {
        const gateway = {
          address: adr(other.replace(/\/\d+$/, '')),
          prefix: pfx(other.replace(/\/\d+$/, '')),
          why: 'gateway',
        }
        const on = input({ ...aboutPrefixes(prefix), neverCut: [gateway] })
        expect(verdictOf('never_cut', on).verdict === 'refuse').toBe(meets(prefix, gateway.prefix))
      }),
    )
  })

  it('the budget counts each address of a union once', () => {
    fc.assert(
      fc.property(fc.array(anyIn(4), { minLength: 1, maxLength: 6 }), (prefixes) => {
        const union = new Set(
          prefixes.flatMap((prefix) => [...(addresses(prefix) as ReadonlySet<string>)]),
        )
        const limit = (ipv4Addresses: number) =>
          isp({ limits: { ...limits, perDecision: { ...limits.perDecision, ipv4Addresses } } })
        const on = (allowed: number) => input({ compiled: compiled({ prefixes }) }, limit(allowed))
        expect(verdictOf('decision_budget', on(union.size)).verdict).toBe('pass')
        expect(verdictOf('decision_budget', on(union.size - 1)).verdict).toBe('refuse')
      }),
    )
  })
})
