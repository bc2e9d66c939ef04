// Look-ups by trie, held against looking at every prefix in turn; and the list of what must never be cut.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdingsOn } from '../../inventory/holdings.ts'
import { createLookup } from '../../inventory/lookup.ts'
import type { Customer, Inventory } from '../../inventory/model.ts'
import { neverCut, neverCutAt, neverCutIn } from '../../inventory/never-cut.ts'
import {
  type Address,
  addressCount,
  baseOf,
  comparePrefixes,
  covers,
  hostPrefix,
  lengthOf,
  maximal,
  overlaps,
  type Prefix,
  parseAddress,
  prefixFrom,
  toNumber,
  toSpan,
} from '../../inventory/prefix.ts'
import { devicesWithRole } from '../../inventory/roles.ts'
import { createTrie } from '../../inventory/trie.ts'
import { exampleInventory, inventoryOf } from './inventory-texts.ts'

/** Prefixes of both families that are near each other: nested, adjacent and equal ones come up all the time. */
const near = fc
  .tuple(fc.boolean(), fc.nat(1023), fc.integer({ min: 0, max: 12 }))
  .map(([isIpv6, low, bits]) =>
    isIpv6
      ? prefixFrom(6, (0x20010db8n << 96n) + (BigInt(low) << 54n), 64 - bits)
      : prefixFrom(4, 0xcb007000n + BigInt(low), 32 - bits),
  )
const spread = fc
  .tuple(fc.boolean(), fc.bigInt(0n, 2n ** 128n - 1n), fc.nat(128))
  .map(([isIpv6, value, length]) =>
    isIpv6 ? prefixFrom(6, value, length) : prefixFrom(4, value % 2n ** 32n, length % 33),
  )

describe('a trie', () => {
  it('finds the longest prefix of an address, as looking at each one does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(near, spread), { maxLength: 40 }),
        fc.array(fc.oneof(near, spread), { maxLength: 20 }),
        (stored, asked) => {
          for (const family of [4, 6] as const) {
            const mine = unique(stored).filter((one) => one.includes(':') === (family === 6))
            const trie = createTrie(family, mine)
            for (const question of asked.filter((one) => one.includes(':') === (family === 6))) {
              const holding = mine
                .filter((one) => covers(one, hostPrefix(baseOf(question))))
                .sort((one, other) => lengthOf(other) - lengthOf(one))
              const expected = holding[0] === undefined ? -1 : mine.indexOf(holding[0])
              expect(trie.longest(baseOf(question))).toBe(expected)
              expect(trie.around(question).map((index) => mine[index])).toEqual(
                mine.filter((one) => covers(one, question)).sort(comparePrefixes),
              )
              expect(trie.inside(question).map((index) => mine[index])).toEqual(
                mine.filter((one) => covers(question, one)).sort(comparePrefixes),
              )
            }
          }
        },
      ),
    )
  })

  it.each([4, 6] as const)(
    'of IPv%s is right when it is big enough for its first table',
    (family) => {
      const mine = unique(fc.sample(spread, { numRuns: 20_000, seed: 7 })).filter(
        (one) => one.includes(':') === (family === 6) && lengthOf(one) >= 12,
      )
      const within = family === 4 ? mine : mine.map((one) => shifted(one))
      const trie = createTrie(family, unique(within))
      const list = unique(within)
      const byText = new Map(list.map((one, index) => [one, index]))

      expect(list.length).toBeGreaterThan(4096)
      for (const one of list.slice(0, 400)) {
        const address = baseOf(one)
        const lengths = Array.from({ length: 129 }, (_, index) => 128 - index)
        const expected = lengths
          .filter((length) => family === 6 || length <= 32)
          .map((length) => byText.get(masked(address, family, length)))
          .find((index) => index !== undefined)
        expect(trie.longest(address)).toBe(expected)
      }
      expect(trie.longest((family === 4 ? '0.0.0.1' : '::1') as Address)).toBe(
        byText.get((family === 4 ? '0.0.0.1/32' : '::1/128') as Prefix) ?? -1,
      )
    },
    30_000,
  )
})

describe('the look-up', () => {
  it('answers as looking at every prefix does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(near, fc.constantFrom('a', 'b', 'c')), { maxLength: 25 }),
        fc.array(near, { maxLength: 10 }),
        fc.array(near, { minLength: 1, maxLength: 10 }),
        (owned, shields, asked) => {
          const given = apart(owned)
          const inventory = inventoryWith(given, shields)
          const lookup = createLookup(inventory)
          for (const question of asked) {
            const meeting = given.filter(([theirs]) => overlaps(theirs, question))
            const owners = [...new Set(meeting.map(([, id]) => id))].sort()
            expect(
              lookup
                .customersOverlapping(question)
                .map(({ id }) => id)
                .sort(),
            ).toEqual(owners)
            expect(lookup.containing(question)?.id).toBe(holder(given, question))
            expect(lookup.customerAt(baseOf(question))?.id).toBe(
              given.find(([theirs]) => covers(theirs, hostPrefix(baseOf(question))))?.[1],
            )
            expect(
              new Set(lookup.protectedOverlapping(question).map(({ prefix }) => prefix)),
            ).toEqual(new Set(shields.filter((shield) => overlaps(shield, question))))
          }
        },
      ),
    )
  })

  it('counts adjacent prefixes of one customer together, and no gap between them', () => {
    const inventory = inventoryOf(`
version: 1
customers:
  a: { name: A, prefixes: [203.0.113.0/26, 203.0.113.64/26, 203.0.113.192/26] }
  b: { name: B, prefixes: [203.0.113.128/27] }
`)
    const lookup = createLookup(inventory)

    expect(lookup.containing('203.0.113.0/25' as Prefix)?.id).toBe('a')
    expect(lookup.containing('203.0.113.0/24' as Prefix)).toBeUndefined()
    expect(lookup.containing('203.0.113.128/26' as Prefix)).toBeUndefined()
    expect(lookup.containing('203.0.113.0/26' as Prefix)?.id).toBe('a')
    expect(lookup.containing('203.0.113.7/32' as Prefix)?.id).toBe('a')
    expect(lookup.containing('0.0.0.0/0' as Prefix)).toBeUndefined()
    expect(lookup.containing('::/0' as Prefix)).toBeUndefined()
  })
})

describe('what must never be cut', () => {
  it('holds devices, ways to them, the controller, neighbors, gateways and next hops, each with its reason', () => {
    const inventory = exampleInventory()
    const socket = parseAddress('192.0.2.200')
    const list = neverCut(inventory, socket.ok ? [socket.value] : [])
    const reasons = list.map(({ address, why }) => `${address} ${why}`)

    expect(reasons).toEqual(
      expect.arrayContaining([
        '198.51.100.12 address of trigger1',
        '198.51.100.5 jump host bastion.ams',
        '198.51.100.251 loopback of edge1.ams',
        '203.0.113.1 gateway of edge1.ams',
        '192.0.2.1 next hop of edge1.ams',
        '192.0.2.1 transit neighbor of edge1.ams',
        '192.0.2.33 peer neighbor of edge3.lon',
        '192.0.2.254 discard next hop',
        '100::dead discard next hop',
        '198.51.100.2 address of the controller',
        '192.0.2.200 address of the controller',
        '192.0.2.66 BGP neighbor of edge1.ams (customer rovernet)',
      ]),
    )
    expect(new Set(reasons).size).toBe(reasons.length)
  })

  it("marks a customer's own sessions, for decisions about that customer", () => {
    const own = neverCut(exampleInventory(), []).filter(({ ownNeighborOf }) => ownNeighborOf)

    expect(own.map(({ address, ownNeighborOf }) => [address, ownNeighborOf])).toEqual([
      ['192.0.2.66', 'rovernet'],
      ['192.0.2.70', 'rovernet'],
      ['2001:db8:0:66::2', 'rovernet'],
    ])
  })
})

describe('what is looked up by prefix, address, device or role', () => {
  it('of what must never be cut is what looking at each entry finds, in the same order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(near, spread), { maxLength: 40 }),
        fc.array(fc.oneof(near, spread), { maxLength: 20 }),
        (stored, asked) => {
          const list = stored
            .map(baseOf)
            .map((address, index) => ({
              address,
              prefix: hostPrefix(address),
              why: `reason ${index % 3}`,
            }))
            .sort((one, other) => comparePrefixes(one.prefix, other.prefix))
          for (const prefix of [...asked, ...stored]) {
            expect(neverCutIn(list, prefix)).toEqual(
              list.filter((entry) => overlaps(entry.prefix, prefix)),
            )
            expect(neverCutAt(list, baseOf(prefix))).toEqual(
              list.filter(({ address }) => address === baseOf(prefix)),
            )
          }
        },
      ),
    )
  })

  it('of a device is what its customers have there, and nothing of another inventory', () => {
    const inventory = exampleInventory()
    for (const device of [...inventory.devices.keys(), 'nowhere']) {
      const customers = [...inventory.customers.values()]
      const neighbors = customers.flatMap(({ id, neighbors: theirs }) =>
        theirs.filter((each) => each.device === device).map((each) => ({ ...each, customer: id })),
      )
      const held = holdingsOn(inventory, device)

      expect(held.ports).toEqual(
        customers.flatMap(({ id, ports }) =>
          ports
            .filter((each) => each.device === device)
            .map((each) => ({ customer: id, port: each.interface })),
        ),
      )
      expect(held.neighbors).toEqual(neighbors)
      expect(held.grouped).toEqual(neighbors.filter(({ group }) => group !== undefined))
      expect(holdingsOn({ ...inventory, customers: new Map() }, device).ports).toEqual([])
    }
  })

  it('of a role is every device that has it, by id', () => {
    const { devices } = exampleInventory()
    const roles = new Set([...devices.values()].flatMap((device) => device.roles))
    for (const role of [...roles, 'none']) {
      const having = [...devices.values()].filter((device) => device.roles.includes(role))
      expect(devicesWithRole(devices, role)).toEqual(having.map(({ id }) => id).sort())
    }
  })
})

function unique(prefixes: readonly Prefix[]): readonly Prefix[] {
  return [...new Set(prefixes)]
}

/** Into 2001:db8::/32, so that all share their first bits. */
function shifted(one: Prefix): Prefix {
  const { first, length } = toSpan(one)
  return prefixFrom(6, (0x20010db8n << 96n) + (first >> 32n), Math.min(128, length + 32))
}

function masked(address: Address, family: 4 | 6, length: number): Prefix {
  return prefixFrom(family, toNumber(address), length)
}

/** Customers' prefixes as the loader allows them: none overlaps another customer's. */
function apart(
  owned: readonly (readonly [Prefix, string])[],
): readonly (readonly [Prefix, string])[] {
  const kept: (readonly [Prefix, string])[] = []
  for (const [prefix, id] of owned) {
    if (!kept.some(([other]) => overlaps(other, prefix))) kept.push([prefix, id])
  }
  return kept
}

function holder(
  given: readonly (readonly [Prefix, string])[],
  question: Prefix,
): string | undefined {
  const meeting = given.filter(([theirs]) => overlaps(theirs, question))
  const owners = new Set(meeting.map(([, id]) => id))
  if (owners.size !== 1) return undefined
  if (meeting.some(([theirs]) => covers(theirs, question))) return meeting[0]?.[1]
  const total = maximal(meeting.map(([theirs]) => theirs)).reduce(
    (sum, one) => sum + addressCount(one),
    0n,
  )
  return total === addressCount(question) ? meeting[0]?.[1] : undefined
}

function inventoryWith(
  owned: readonly (readonly [Prefix, string])[],
  shields: readonly Prefix[],
): Inventory {
  const empty = inventoryOf('version: 1')
  const customers = new Map<string, Customer>()
  for (const id of ['a', 'b', 'c']) {
    const prefixes = owned
      .filter(([, owner]) => owner === id)
      .map(([prefix]) => ({ prefix, vrf: 'default' }))
    customers.set(id, { id, name: id, prefixes, ports: [], neighbors: [], contacts: [] })
  }
  return { ...empty, customers, protected: shields.map((prefix) => ({ prefix, why: 'test' })) }
}
