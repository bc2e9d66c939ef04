// Entries that are taken without asking the schema, held against the schema: each of them it would give back as it is.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InventoryFile } from '../../inventory/schema.ts'
import { isSettledCustomer, isSettledDevice } from '../../inventory/settled.ts'
import { shape } from '../../inventory/shape.ts'
import { parseYaml } from '../../inventory/yaml.ts'

const odds: readonly (readonly unknown[])[] = [
  ['', ' ', 'x', 'X', 'a b', 'a.b', 'Björn', '\u202e', 'x'.repeat(201), 'x'.repeat(64), '-', '1'],
  ['10.0.0.1', '10.0.0.01', '10.0.0.0/8', '10.0.0.1/8', '2001:db8::', '2001:DB8::/32', '::/0'],
  ['2001:db8::1', '::ffff:1.2.3.4', '::ffff:0:1', 'a@b.example', 'a@b', '@', 'a b@c.example'],
  ['p1', 'GigabitEthernet1/0/1', '1/0/1', 'p 1', 'p;1', 'default', 'frr'],
  [null, true, 0, 1, 22, 65_535, 65_536, 1.5, -1, [], {}, ['x'], [[]], [null], { a: 1 }],
]
const odd = fc.constantFrom(...odds.flat())
const right = {
  name: fc.constant('Customer 1 Ltd'),
  address: fc.constantFrom('10.0.0.1', '2001:db8::1'),
  prefix: fc.constantFrom('203.0.113.0/26', '2001:db8:e57::/48', '203.0.113.9/32'),
  id: fc.constantFrom('sw1.ams', 'a', '10'),
  port: fc.constantFrom('p1', 'ge-0/0/1.0'),
}

/** An object with some of the fields, each right or odd, and now and then one that nobody knows. */
function entry(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const each = Object.fromEntries(
    Object.entries(fields).map(([name, arbitrary]) => [name, mostly(arbitrary)]),
  )
  const whole = fc.record({ ...each, more: odd }, { requiredKeys: [] })
  const known = fc.record(each, { requiredKeys: [] })
  return mostly(fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: whole }))
}

function mostly(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 15, arbitrary }, { weight: 1, arbitrary: odd })
}

function some(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.array(mostly(arbitrary), { maxLength: 2 })
}

const customer = entry({
  name: right.name,
  prefixes: some(right.prefix),
  ports: some(entry({ device: right.id, interface: right.port })),
  neighbors: some(entry({ device: right.id, address: right.address })),
  contacts: some(entry({ email: fc.constant('abuse@c1.example') })),
})
const device = entry({
  group: right.id,
  platform: fc.constant('frr'),
  address: right.address,
  port: fc.constantFrom(22, 1, 65_535),
  site: right.name,
  roles: some(right.id),
  loopbacks: some(right.address),
  gateways: some(right.address),
  nextHops: some(right.address),
  uplinks: some(right.port),
})

describe('an entry that is taken without the schema', () => {
  it.each([
    ['customers', customer, isSettledCustomer],
    ['devices', device, isSettledDevice],
  ] as const)(
    'of %s is one that the schema would give back as it is',
    (section, any, test) => {
      let taken = 0
      fc.assert(
        fc.property(any, (value) => {
          if (!test(value)) return
          taken++
          const result = InventoryFile.safeParse({ version: 1, [section]: { a: value } })
          expect(result.success && result.data[section]).toEqual({ a: value })
        }),
        { numRuns: 1_000 },
      )
      expect(taken).toBeGreaterThan(100)
    },
    30_000,
  )

  it('changes nothing of a file beside others that need the schema, right or wrong', () => {
    const settled = { customers: isSettledCustomer, devices: isSettledDevice }
    fc.assert(
      fc.property(
        fc.dictionary(right.id, customer, { maxKeys: 4 }),
        fc.dictionary(right.id, device, { maxKeys: 4 }),
        (customers, devices) => {
          const text = JSON.stringify({ version: 1, customers, devices })
          const tree = parseYaml('x.yaml', text)
          const plain = shape(tree, { schema: InventoryFile })
          const quick = shape(tree, { schema: InventoryFile, settled })

          expect(quick.problems).toEqual(plain.problems)
          expect(quick.value).toEqual(plain.value)
          // The order decides which of two is told of.
          expect(Object.keys(quick.value?.customers ?? {})).toEqual(
            Object.keys(plain.value?.customers ?? {}),
          )
        },
      ),
      { numRuns: 200 },
    )
  })
})
