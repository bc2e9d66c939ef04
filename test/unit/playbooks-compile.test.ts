// From a decision to intents: nothing of the customer's forgotten, nothing of anybody else's touched.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf } from '../../agent/intents.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { createLookup } from '../../inventory/lookup.ts'
import type { Inventory, PortName } from '../../inventory/model.ts'
import { neverCut } from '../../inventory/never-cut.ts'
import {
  type Address,
  covers,
  hostPrefix,
  overlaps,
  type Prefix,
  prefixFrom,
} from '../../inventory/prefix.ts'
import { type CompileRefusal, compile } from '../../playbooks/compile.ts'
import { loadPlaybooks, parsePlaybooks } from '../../playbooks/load.ts'
import type { Compiled, Decision, Playbook, Subject } from '../../playbooks/model.ts'
import { exampleInventory, inventoryOf, source } from './inventory-texts.ts'

const loaded = await loadPlaybooks(undefined)
const shipped = loaded.ok ? loaded.value : new Map<string, Playbook>()
const example = exampleInventory()

function decide(
  subject: Subject,
  playbook: string | Playbook,
  about: { readonly inventory?: Inventory; readonly ticket?: string | undefined } = {},
): Compiled | CompileRefusal {
  const { inventory = example } = about
  const ticket = 'ticket' in about ? about.ticket : 'ABUSE-7'
  const used = typeof playbook === 'string' ? shipped.get(playbook) : playbook
  if (used === undefined) throw new Error('no such playbook')
  const decision: Decision = {
    action: used.decision,
    subject,
    reason: {
      category: 'spam',
      summary: 'test',
      evidence: [],
      ...(ticket === undefined ? {} : { ticket }),
    },
    playbook: used.name,
    automated: false,
    overrides: [],
  }
  const lookup = createLookup(inventory)
  return compile(decision, {
    playbook: used,
    inventory,
    lookup,
    neverCut: neverCut(inventory, []),
    platforms,
  })
}

function compiled(...args: Parameters<typeof decide>): Compiled {
  const result = decide(...args)
  if ('kind' in result) throw new Error(`${result.code}: ${result.message}`)
  return result
}

function refused(...args: Parameters<typeof decide>): readonly [code: string, message: string] {
  const result = decide(...args)
  return 'kind' in result ? [result.code, result.message] : ['accepted', '']
}

function lines({ intents }: Compiled): readonly string[] {
  return intents.map(
    ({ device, intent, observer }) => `${device} ${keyOf(intent)}${observer ? ' (seen)' : ''}`,
  )
}

const customer = (id: string): Subject => ({ kind: 'customer', customer: id })
const prefix = (text: string): Subject => ({ kind: 'prefix', prefix: text as Prefix })
const port = (device: string, name: string): Subject => ({
  kind: 'port',
  device,
  port: name as PortName,
})
const neighbor = (device: string, peer: string): Subject => ({
  kind: 'neighbor',
  device,
  peer: peer as Address,
  vrf: 'default',
})

function playbookOf(text: string): Playbook {
  const result = parsePlaybooks([source(text)])
  const [first] = result.ok ? result.value.values() : []
  if (first === undefined) throw new Error('no playbook')
  return first
}

describe('suspending a customer', () => {
  it('cuts every prefix, port and session: on triggers, seen on edges, filtered on edges, ports and sessions where they are', () => {
    expect(lines(compiled(customer('lonebox'), 'suspend'))).toEqual([
      ...['edge1.ams', 'edge2.fra', 'edge3.lon'].flatMap((edge) => [
        `${edge} blackhole|default|2001:db8:1b::/64 (seen)`,
        `${edge} blackhole|default|203.0.113.200/32 (seen)`,
      ]),
      'trigger1 blackhole|default|2001:db8:1b::/64',
      'trigger1 blackhole|default|203.0.113.200/32',
      ...['edge1.ams', 'edge2.fra', 'edge3.lon'].flatMap((edge) => [
        `${edge} acl|in|2001:db8:1b::/64`,
        `${edge} acl|in|203.0.113.200/32`,
        `${edge} acl|out|2001:db8:1b::/64`,
        `${edge} acl|out|203.0.113.200/32`,
      ]),
      'sw1.ams port|p3',
    ])
  })

  it('carves around the gateway in its prefix, and says so', () => {
    const result = compiled(customer('esthost'), 'suspend')

    expect(result.subjects).toEqual(['203.0.113.0/26', '2001:db8:e57::/48'])
    expect(result.leftOut).toEqual([
      { prefix: '203.0.113.1/32', within: '203.0.113.0/26', why: 'gateway of edge1.ams' },
    ])
    expect(result.prefixes.filter((one) => !one.includes(':'))).toEqual([
      '203.0.113.0/32',
      '203.0.113.2/31',
      '203.0.113.4/30',
      '203.0.113.8/29',
      '203.0.113.16/28',
      '203.0.113.32/27',
    ])
    expect(result.prefixes.some((one) => overlaps(one, '203.0.113.64/26' as Prefix))).toBe(false)
  })

  it('shuts the sessions of a BGP customer with the message that names the ticket', () => {
    const result = compiled(customer('rovernet'), 'terminate')
    const messages = result.intents.flatMap(({ intent }) =>
      intent.kind === 'neighbor' ? [intent.message] : [],
    )

    expect(result.neighbors.map(({ device, peer }) => `${device} ${peer}`)).toEqual([
      'edge1.ams 192.0.2.66',
      'edge1.ams 2001:db8:0:66::2',
      'edge2.fra 192.0.2.70',
    ])
    expect(new Set(messages)).toEqual(new Set(['Terminated ABUSE-7']))
    expect(result.empty).toEqual(['port'])
  })

  it('is not carved around the own sessions of that customer, but around those of another', () => {
    const inventory = inventoryOf(`version: 1
defaults: { platform: frr, username: x, auth: { agent: true }, knownHosts: k }
devices:
  r1: { address: 10.0.0.1, roles: [rtbh-trigger, edge] }
customers:
  a: { name: A, prefixes: [203.0.113.0/24], neighbors: [{ device: r1, address: 203.0.113.9 }] }
  b: { name: B, neighbors: [{ device: r1, address: 203.0.113.77 }] }
`)

    expect(compiled(customer('a'), 'suspend', { inventory }).leftOut).toEqual([
      {
        prefix: '203.0.113.77/32',
        within: '203.0.113.0/24',
        why: 'BGP neighbor of r1 (customer b)',
      },
    ])
  })

  it('never touches what must not be cut or is protected, and cuts all the rest', () => {
    const base = inventoryOf(`version: 1
defaults: { platform: frr, username: x, auth: { agent: true }, knownHosts: k }
devices:
  r1: { address: 10.0.0.1, roles: [rtbh-trigger, edge] }
`)
    const near = fc
      .tuple(fc.nat(255), fc.integer({ min: 25, max: 32 }))
      .map(([low, length]) => prefixFrom(4, 0xcb007100n + BigInt(low), length))
    fc.assert(
      fc.property(
        fc.array(fc.nat(255), { maxLength: 6 }),
        fc.array(near, { maxLength: 3 }),
        (gateways, shields) => {
          const router = base.devices.get('r1')
          const inventory: Inventory = {
            ...base,
            devices: new Map(
              router === undefined
                ? []
                : [
                    [
                      'r1',
                      { ...router, gateways: gateways.map((low) => `203.0.113.${low}` as Address) },
                    ],
                  ],
            ),
            customers: new Map([
              [
                'a',
                {
                  id: 'a',
                  name: 'A',
                  prefixes: [{ prefix: '203.0.113.0/24' as Prefix, vrf: 'default' }],
                  ports: [],
                  neighbors: [],
                  contacts: [],
                },
              ],
            ]),
            protected: shields.map((one) => ({ prefix: one, why: 'test' })),
          }
          const result = decide(customer('a'), 'suspend', { inventory })
          const cut = 'kind' in result ? [] : result.prefixes
          for (let low = 0; low < 256; low++) {
            const host = hostPrefix(`203.0.113.${low}` as Address)
            const vital = gateways.includes(low) || shields.some((one) => covers(one, host))
            expect(cut.some((one) => covers(one, host))).toBe(!vital)
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('blocking one thing', () => {
  it('of a prefix touches that prefix only', () => {
    const result = compiled(prefix('203.0.113.10/32'), 'block')

    expect(result.customer).toBe('esthost')
    expect(result.prefixes).toEqual(['203.0.113.10/32'])
    expect(result.ports).toEqual([])
    expect(result.empty).toEqual(['port', 'neighbor'])
    expect(result.outboundNotStopped).toBe(false)
  })

  it('of a port or a session touches that alone', () => {
    expect(lines(compiled(port('sw1.ams', 'p1'), 'block'))).toEqual(['sw1.ams port|p1'])
    expect(lines(compiled(neighbor('edge1.ams', '192.0.2.66'), 'block'))).toEqual([
      'edge1.ams neighbor|default|192.0.2.66',
    ])
  })

  it('of a gateway comes to nothing, with the reason, for the guards to refuse', () => {
    const result = compiled(prefix('203.0.113.1/32'), 'block')

    expect(result.intents).toEqual([])
    expect(result.subjects).toEqual(['203.0.113.1/32'])
    expect(result.leftOut.map(({ why }) => why)).toEqual(['gateway of edge1.ams'])
  })

  it('uses the routing table that the prefix is in', () => {
    const inventory = inventoryOf(`version: 1
defaults: { platform: frr, username: x, auth: { agent: true }, knownHosts: k }
devices:
  r1: { address: 10.0.0.1, roles: [rtbh-trigger, edge] }
customers:
  a: { name: A, prefixes: [{ prefix: 203.0.113.0/24, vrf: red }] }
`)

    expect(lines(compiled(prefix('203.0.113.9/32'), 'block', { inventory }))).toContain(
      'r1 blackhole|red|203.0.113.9/32',
    )
  })

  it('uses no other routing table of its customer', () => {
    const inventory = inventoryOf(`version: 1
defaults: { platform: frr, username: x, auth: { agent: true }, knownHosts: k }
devices:
  r1: { address: 10.0.0.1, roles: [rtbh-trigger, edge] }
customers:
  a: { name: A, prefixes: [{ prefix: 203.0.113.0/24, vrf: red }, 198.51.100.0/24] }
`)

    const made = lines(compiled(prefix('203.0.113.9/32'), 'block', { inventory }))
    expect(made.filter((line) => line.includes('blackhole|'))).not.toEqual([])
    expect(made.filter((line) => line.includes('blackhole|default|'))).toEqual([])
  })
})

describe('depeer', () => {
  it('shuts all sessions of a customer, says what it does not cover, and that traffic from them goes on', () => {
    const result = compiled(customer('rovernet'), 'depeer')

    expect(result.intents).toHaveLength(3)
    expect(result.notCovered).toEqual(['prefix 203.0.113.128/26', 'prefix 2001:db8:64::/48'])
    expect(result.outboundNotStopped).toBe(true)
  })

  it('shuts one session where one is named', () => {
    expect(lines(compiled(neighbor('edge2.fra', '192.0.2.70'), 'depeer'))).toEqual([
      'edge2.fra neighbor|default|192.0.2.70',
    ])
  })
})

describe('a measure', () => {
  it.each([
    ['- blackhole: { prefixes: customer, devices: { role: rtbh-trigger } }', true],
    ['- acl: { block: customer, direction: out, devices: { role: edge } }', true],
    ['- acl: { block: customer, direction: in, devices: { role: edge } }', false],
    ['- port: { state: down, ports: customer }', false],
  ])('%s leaves traffic from the customer: %s', (measure, expected) => {
    const own = playbookOf(
      `name: own\ndecision: suspend\ndescription: x\nmaxDuration: 1d\nmeasures:\n  ${measure}\n`,
    )

    expect(compiled(customer('esthost'), own).outboundNotStopped).toBe(expected)
  })

  it('that is optional is done without where no device matches, and listed as not covered', () => {
    const own = playbookOf(`name: own
decision: suspend
description: x
maxDuration: 1d
measures:
  - acl: { block: customer, direction: in, devices: { role: firewall }, optional: true }
  - port: { state: down, ports: customer }
`)
    const result = compiled(customer('lonebox'), own)

    expect(lines(result)).toEqual(['sw1.ams port|p3'])
    expect(result.notCovered).toEqual([
      'prefix 203.0.113.200/32',
      'prefix 2001:db8:1b::/64',
      'acl: no device has the role firewall',
    ])
  })

  it('wanted twice for one device is there once, and optional only where both are', () => {
    const own = playbookOf(`name: own
decision: suspend
description: x
maxDuration: 1d
measures:
  - port: { state: down, ports: customer, optional: true }
  - port: { state: down, ports: customer }
`)

    expect(compiled(customer('lonebox'), own).intents).toEqual([
      { device: 'sw1.ams', intent: { kind: 'port', port: 'p3' }, observer: false, optional: false },
    ])
  })
})

describe('the compiler refuses', () => {
  const watched = playbookOf(
    'name: own\ndecision: suspend\ndescription: x\nmaxDuration: 1d\nmeasures:\n  - blackhole: { prefixes: customer, devices: { role: rtbh-trigger }, seenOn: { role: core } }\n',
  )
  const named = playbookOf(
    'name: own\ndecision: suspend\ndescription: x\nmaxDuration: 1d\nmeasures:\n  - acl: { block: customer, direction: in, devices: { devices: [edge9] } }\n',
  )

  it.each([
    [
      'an unknown customer',
      customer('nobody'),
      'suspend',
      'unknown_customer',
      'no customer "nobody"',
    ],
    ['an unknown device', port('sw9', 'p1'), 'block', 'unknown_device', 'no device "sw9"'],
    [
      "a port that is nobody's",
      port('sw1.ams', 'p9'),
      'block',
      'not_one_customer',
      "it is nobody's",
    ],
    ['an uplink', port('sw1.ams', 'uplink0'), 'block', 'not_one_customer', 'it is an uplink'],
    [
      "a customer's port under a name that the inventory has not",
      port('sw2.fra', 'gi1/0/3'),
      'block',
      'not_one_customer',
      "port gi1/0/3 of sw2.fra is quietfarm's, and GigabitEthernet1/0/3 in the inventory: name it so",
    ],
    [
      'an uplink under a name that the inventory has not',
      port('sw2.fra', 'Gi1/0/24'),
      'block',
      'not_one_customer',
      'it is an uplink (GigabitEthernet1/0/24 in the inventory)',
    ],
    [
      'a port in an upper case that makes it another one on its platform',
      port('sw1.ams', 'P1'),
      'block',
      'not_one_customer',
      "it is nobody's",
    ],
    [
      'a transit session',
      neighbor('edge1.ams', '192.0.2.1'),
      'block',
      'not_one_customer',
      'edge1.ams',
    ],
    [
      'a prefix of two customers',
      prefix('203.0.113.0/24'),
      'block',
      'not_one_customer',
      'customer esthost, customer quietfarm',
    ],
    ['a prefix around a customer', prefix('0.0.0.0/0'), 'block', 'not_one_customer', 'and'],
    [
      "the operator's own space",
      prefix('198.51.100.11/32'),
      'block',
      'not_one_customer',
      'address of edge1.ams',
    ],
    ["space that is nobody's", prefix('203.0.113.250/32'), 'block', 'not_one_customer', "nobody's"],
    [
      'a customer where block is meant',
      customer('esthost'),
      'block',
      'playbook_mismatch',
      'suspend the customer',
    ],
    [
      'one prefix where a customer is meant',
      prefix('203.0.113.9/32'),
      'suspend',
      'playbook_mismatch',
      'use block',
    ],
    [
      'a customer without what the playbook acts on',
      customer('esthost'),
      'depeer',
      'nothing_to_enforce',
      'acts on',
    ],
    [
      'a role that no device has, to be seen on',
      customer('esthost'),
      watched,
      'no_device',
      'no device has the role core',
    ],
    ['a device that is not there', customer('esthost'), named, 'no_device', 'no device edge9'],
  ] as const)('%s', (...[, subject, playbook, code, words]) => {
    const [found, message] = refused(subject, playbook)

    expect(found).toBe(code)
    expect(message).toContain(words)
  })

  it('a message without its ticket, or with a ticket that no device line may hold, but only where a session is shut', () => {
    expect(refused(customer('rovernet'), 'suspend', { ticket: undefined })).toEqual([
      'message_invalid',
      'the message "Suspended {ticket}" needs {ticket}: give the decision a ticket, or leave {ticket} out of the playbook',
    ])
    expect(refused(customer('rovernet'), 'suspend', { ticket: 'A#1' })[0]).toBe('message_invalid')
    expect(refused(customer('rovernet'), 'suspend', { ticket: 'x'.repeat(128) })[1]).toContain(
      '138 bytes',
    )
    expect(refused(customer('esthost'), 'suspend', { ticket: undefined })[0]).toBe('accepted')
  })
})
