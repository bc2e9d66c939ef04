// Devices as operators leave them: random lines of their own, in each system's own words, on and around the very objects that a decision is about.

import fc from 'fast-check'
import type { Intent } from '../../agent/intents.ts'
import { baseOf, familyOf, netmaskOf, type Prefix } from '../../inventory/prefix.ts'
import { acl, blackhole, neighbor, port, prefix } from '../platform/conformance-kit.ts'
import type { SimulatedDevice, SimulatedPlatform } from '../simulator/spec.ts'
import { type Bench, createBench, type Way } from './bench.ts'

/** A device as it is found: what it was built with, and what hands did since. */
export interface Prior {
  readonly spec: SimulatedDevice
  /** Lines that belong together. A bundle that this device refuses is left out. */
  readonly hands: readonly (readonly string[])[]
}

/** One system: how its devices look, and what decisions may want of them. */
export interface Habitat {
  readonly platform: SimulatedPlatform
  readonly prior: fc.Arbitrary<Prior>
  readonly wanted: fc.Arbitrary<readonly Intent[]>
}

/** Small enough that decisions and hands meet: equal, inside, around, beside, halves, both families. */
const prefixes = [
  '203.0.113.9/32',
  '203.0.113.8/31',
  '203.0.113.8/29',
  '203.0.113.64/26',
  '203.0.113.70/32',
  '203.0.113.0/24',
  '2001:db8:e57::9/128',
  '2001:db8:e57::/64',
  '2001:db8:e57::/48',
].map(prefix)

const anyPrefix = fc.constantFrom(...prefixes)
const tags = fc.constantFrom(undefined, 666, 777)
const distances = fc.constantFrom(undefined, undefined, 5, 250)
const tables = fc.constantFrom('default', 'default', 'CUST')
const messages = fc.constantFrom('Suspended ABUSE-1', 'Suspended ABUSE-2', 'x')

/** What all have: a customer's port, a spare one, sessions in both families and another table. */
const peers = ['192.0.2.9', '192.0.2.10', '2001:db8:ffff::9'] as const
const anyPeer = fc.constantFrom(...peers)

/** Brings a device into its prior state. */
export function benchOf({ spec, hands }: Prior, way?: Way): Bench {
  const bench = createBench(spec, way)
  for (const lines of hands) {
    try {
      bench.model.setByHand(lines)
    } catch {
      // The model takes it no more than the system would: then no operator could have left it behind.
    }
  }
  return bench
}

function intentsOf(ports: readonly string[], vrfs: fc.Arbitrary<string>): Habitat['wanted'] {
  const one: fc.Arbitrary<Intent> = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(anyPrefix, vrfs, fc.constantFrom(666, 777)).map(routeOf) },
    { weight: 3, arbitrary: fc.tuple(anyPrefix, fc.constantFrom('in', 'out')).map(aclOf) },
    { weight: 2, arbitrary: fc.constantFrom(...ports).map((name) => port(name)) },
    { weight: 2, arbitrary: fc.tuple(anyPeer, vrfs, messages).map(neighborOf) },
  )
  return fc.uniqueArray(one, { minLength: 1, maxLength: 8, selector: keyText })
}

function keyText(intent: Intent): string {
  return JSON.stringify({ ...intent, tag: 0, message: '' })
}

const routeOf = ([at, vrf, tag]: [Prefix, string, number]): Intent => blackhole(at, { vrf, tag })
const aclOf = ([at, direction]: [Prefix, 'in' | 'out']): Intent => acl(at, direction)
const neighborOf = ([peer, vrf, message]: [string, string, string]): Intent =>
  neighbor(peer, { vrf, message })

/** The device that operators find: ports and neighbors up or shut, the rest as its platform starts. */
function specs(
  platform: SimulatedPlatform,
  names: { readonly port: string; readonly spare: string; readonly routed: string },
  rest: fc.Arbitrary<Partial<SimulatedDevice>>,
): fc.Arbitrary<SimulatedDevice> {
  return fc
    .tuple(fc.boolean(), fc.boolean(), fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), rest)
    .map(([portShut, spareShut, shut, more]) => ({
      name: 'edge1',
      platform,
      asn: '64500',
      roles: ['edge'],
      ports: [
        { name: names.routed, description: 'customers', addresses: ['198.51.100.1/24'] },
        { name: names.port, description: 'customer 4711', addresses: [], shut: portShut },
        { name: names.spare, description: 'spare', addresses: [], shut: spareShut },
      ],
      neighbors: peers.map((address, i) => ({
        address,
        asn: `6450${i + 1}`,
        description: `customer ${i}`,
        group: 'CUSTOMERS',
        shut: shut[i] === true,
      })),
      ...more,
    }))
}

function habitat(
  platform: SimulatedPlatform,
  parts: {
    readonly specs: fc.Arbitrary<SimulatedDevice>
    readonly hands: readonly fc.Arbitrary<readonly string[]>[]
    readonly ports: readonly string[]
    readonly vrfs: fc.Arbitrary<string>
  },
): Habitat {
  const hands = fc.array(fc.oneof(...parts.hands), { maxLength: 6 })
  return {
    platform,
    prior: fc.record({ spec: parts.specs, hands }),
    wanted: intentsOf(parts.ports, parts.vrfs),
  }
}

const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' ')
const tagged = (tag: number | undefined): string | undefined =>
  tag === undefined ? undefined : `tag ${tag}`
const hopOf = (at: Prefix): string => (familyOf(at) === 4 ? '192.0.2.77' : '2001:db8:ffff::77')

/** The very route that a decision would want, as an operator types it. */
const same = (line: (at: Prefix, tag: number) => readonly string[]) =>
  fc.tuple(anyPrefix, fc.constantFrom(666, 777)).map(([at, tag]) => line(at, tag))

// --- frr

const frrRoute = fc
  .tuple(
    anyPrefix,
    fc.constantFrom('blackhole', 'Null0', 'reject', 'hop', 'eth1'),
    tags,
    distances,
    fc.constantFrom(undefined, undefined, 'table 100', 'color 250'),
  )
  .map(([at, via, tag, distance, more]) => [
    words(
      familyOf(at) === 4 ? 'ip route' : 'ipv6 route',
      at,
      via === 'hop' ? hopOf(at) : via,
      tagged(tag),
      distance === undefined ? undefined : String(distance),
      more,
    ),
  ])
const frrSame = same((at, tag) => [
  `${familyOf(at) === 4 ? 'ip' : 'ipv6'} route ${at} blackhole tag ${tag}`,
])
const frrPort = fc
  .tuple(
    fc.constantFrom('eth1', 'eth7', 'eth8'),
    fc.constantFrom('shutdown', 'no shutdown', 'description moved', 'no description'),
  )
  .map(([name, line]) => [`interface ${name}`, line, 'exit'])
const frrNeighbor = fc
  .tuple(
    anyPeer,
    fc.constantFrom('shutdown', 'shutdown message Maintenance by ops', 'no', 'description ours'),
  )
  .map(([peer, line]) => [
    'router bgp 64500',
    line === 'no' ? `no neighbor ${peer} shutdown` : `neighbor ${peer} ${line}`,
    'exit',
  ])
const frrGroup = fc
  .tuple(anyPeer, fc.boolean())
  .map(([peer, shut]) => [
    'router bgp 64500',
    'neighbor OPS peer-group',
    `neighbor ${peer} peer-group OPS`,
    ...(shut ? ['neighbor OPS shutdown'] : []),
    'exit',
  ])
const frrRest = fc.constantFrom(
  ['route-map OPS permit 10', 'match tag 777', 'exit'],
  ['router bgp 64500', 'address-family ipv4 unicast', 'network 203.0.113.0/24', 'exit', 'exit'],
  ['interface eth1', 'ipv6 address 2001:db8:1::1/64', 'exit'],
)

/** FRRouting 8.4 and 10.3. */
export const frr = habitat('frr', {
  specs: specs(
    'frr',
    { port: 'eth7', spare: 'eth8', routed: 'eth1' },
    fc.constantFrom({}, { version: '10.3' }, { roles: ['edge', 'rtbh-trigger'] }),
  ),
  hands: [frrRoute, frrRoute, frrSame, frrPort, frrNeighbor, frrGroup, frrRest],
  ports: ['eth1', 'eth7', 'eth8', 'eth9'],
  vrfs: fc.constant('default'),
})

// --- cisco_ios

const iosRoute = fc
  .tuple(
    anyPrefix,
    tables,
    fc.constantFrom('Null0', 'hop', 'GigabitEthernet1/0/1'),
    tags,
    distances,
    fc.constantFrom(undefined, 'OPS', 'nullroute-0291da56', 'nullroute'),
    fc.constantFrom(undefined, undefined, 'permanent'),
  )
  .map(([at, vrf, via, tag, distance, name, permanent]) => [
    words(
      familyOf(at) === 4 ? 'ip route' : 'ipv6 route',
      vrf === 'default' ? undefined : `vrf ${vrf}`,
      familyOf(at) === 4 ? `${baseOf(at)} ${netmaskOf(at)}` : at,
      via === 'hop' ? hopOf(at) : via,
      distance === undefined ? undefined : String(distance),
      tagged(tag),
      name === undefined ? undefined : `name ${name}`,
      permanent,
    ),
  ])
const iosSame = same((at, tag) => [
  familyOf(at) === 4
    ? `ip route ${baseOf(at)} ${netmaskOf(at)} Null0 tag ${tag}`
    : `ipv6 route ${at} Null0 tag ${tag}`,
])
const iosMember = anyPrefix.map((at) => [
  'object-group network NULLROUTE',
  at.endsWith('/32')
    ? `host ${baseOf(at)}`
    : `${baseOf(at)} ${familyOf(at) === 4 ? netmaskOf(at) : ''}`,
  'exit',
])
const iosPort = fc
  .tuple(
    fc.constantFrom('1', '7', '8'),
    fc.constantFrom(
      'shutdown',
      'no shutdown',
      'description moved',
      'ip access-group OPS in',
      'mtu 9000',
    ),
  )
  .map(([at, line]) => [`interface GigabitEthernet1/0/${at}`, line, 'exit'])
const iosNeighbor = fc
  .tuple(anyPeer, fc.constantFrom('shutdown', 'no', 'description ours', 'password 7 0822455D0A16'))
  .map(([peer, line]) => [
    'router bgp 64500',
    line === 'no' ? `no neighbor ${peer} shutdown` : `neighbor ${peer} ${line}`,
    'exit',
  ])
const iosTable = fc
  .tuple(fc.constantFrom('192.0.2.9', '192.0.2.10'), fc.boolean())
  .map(([peer, shut]) => [
    'router bgp 64500',
    'address-family ipv4 vrf CUST',
    `neighbor ${peer} remote-as 64509`,
    ...(shut ? [`neighbor ${peer} shutdown`] : []),
    'exit',
    'exit',
  ])
const iosRest = fc.constantFrom(
  [
    'ip access-list extended OPS',
    '10 deny ip host 203.0.113.9 any',
    '20 permit ip any any',
    'exit',
  ],
  ['ip access-list extended CUST-IN', '5 permit tcp any any eq 22', 'exit'],
  ['ip access-list extended CUST-OUT', 'no 1', 'exit'],
  ['object-group network OPS', 'host 203.0.113.9', 'exit'],
  ['route-map OPS permit 10', 'match tag 777', 'exit'],
)

/** A router or switch of Cisco's, with and without the VRF. */
export const ciscoIos = habitat('cisco_ios', {
  specs: specs(
    'cisco_ios',
    {
      port: 'GigabitEthernet1/0/7',
      spare: 'GigabitEthernet1/0/8',
      routed: 'GigabitEthernet1/0/1',
    },
    fc.constantFrom({ vrfs: ['CUST'] }, {}, { vrfs: ['CUST'], roles: ['access'] }),
  ),
  hands: [iosRoute, iosRoute, iosSame, iosSame, iosMember, iosPort, iosNeighbor, iosTable, iosRest],
  ports: [
    'GigabitEthernet1/0/1',
    'GigabitEthernet1/0/7',
    'GigabitEthernet1/0/8',
    'GigabitEthernet1/0/9',
  ],
  vrfs: tables,
})

// --- juniper_junos

const junosStatic = (at: Prefix, vrf: string): string => {
  const instance = vrf === 'default' ? '' : `routing-instances ${vrf} `
  const rib = vrf === 'default' ? 'inet6.0' : `${vrf}.inet6.0`
  return `${instance}routing-options ${familyOf(at) === 6 ? `rib ${rib} ` : ''}static route ${at}`
}
const junosRoute = fc
  .tuple(
    anyPrefix,
    tables,
    fc.constantFrom('discard', 'reject', 'hop'),
    tags,
    fc.constantFrom(
      undefined,
      'preference 7',
      'apply-macro nullroute',
      'no-readvertise',
      'metric 9',
    ),
    fc.constantFrom(undefined, undefined, undefined, 'deactivate'),
  )
  .map(([at, vrf, via, tag, more, off]) => {
    const path = junosStatic(at, vrf)
    return [
      `set ${path} ${via === 'hop' ? `next-hop ${hopOf(at)}` : via}`,
      ...(tag === undefined ? [] : [`set ${path} tag ${tag}`]),
      ...(more === undefined ? [] : [`set ${path} ${more}`]),
      ...(off === undefined ? [] : [`deactivate ${path}`]),
    ]
  })
const junosSame = same((at, tag) => [
  `set ${junosStatic(at, 'default')} discard`,
  `set ${junosStatic(at, 'default')} tag ${tag}`,
])
const junosEntry = anyPrefix.map((at) => [
  `set policy-options prefix-list nullroute-v${familyOf(at)} ${at}`,
])
const junosPort = fc
  .tuple(
    fc.constantFrom('1', '7', '8'),
    fc.constantFrom('disable', 'description moved', 'apply-macro nullroute', 'mtu 9000', 'off'),
  )
  .map(([at, line]) => [
    line === 'off' ? `deactivate interfaces ge-0/0/${at}` : `set interfaces ge-0/0/${at} ${line}`,
  ])
const junosNeighbor = fc
  .tuple(
    anyPeer,
    fc.constantFrom(
      'shutdown',
      'shutdown notify-message "Maintenance by ops"',
      'shutdown apply-macro nullroute',
      'description ours',
    ),
  )
  .map(([peer, line]) => [`set protocols bgp group CUSTOMERS neighbor ${peer} ${line}`])
const junosRest = fc.constantFrom(
  ['set protocols bgp group CUSTOMERS shutdown'],
  ['deactivate protocols bgp group CUSTOMERS neighbor 192.0.2.9'],
  ['deactivate policy-options prefix-list nullroute-v4'],
  ['set routing-options static defaults tag 777'],
  ['set firewall family inet filter CUST-IN term a-first then accept'],
  ['set policy-options prefix-list ops 203.0.113.9/32'],
  ['set routing-instances CUST protocols bgp group CUSTOMERS neighbor 192.0.2.9 peer-as 64509'],
  ['set interfaces ge-0/0/1 unit 0 family inet6 address 2001:db8:1::1/64'],
)

/** Releases with and without a word for a shut neighbor. */
export const juniperJunos = habitat('juniper_junos', {
  specs: specs(
    'juniper_junos',
    { port: 'ge-0/0/7', spare: 'ge-0/0/8', routed: 'ge-0/0/1' },
    fc.constantFrom<Partial<SimulatedDevice>>(
      { vrfs: ['CUST'] },
      {},
      { vrfs: ['CUST'], version: '18.4R3' },
      // New, with the one commit that it was installed with.
      { history: 1 },
    ),
  ).map((spec) =>
    // A release before 19.1 has no word for a neighbor that is shut.
    spec.version === undefined
      ? spec
      : { ...spec, neighbors: spec.neighbors?.map((one) => ({ ...one, shut: false })) ?? [] },
  ),
  hands: [junosRoute, junosRoute, junosSame, junosEntry, junosPort, junosNeighbor, junosRest],
  ports: ['ge-0/0/1', 'ge-0/0/7', 'ge-0/0/8', 'ge-0/0/9'],
  vrfs: tables,
})

// --- linux

const linuxRoute = fc
  .tuple(
    anyPrefix,
    fc.constantFrom('blackhole', 'unreachable', 'prohibit', 'hop'),
    fc.constantFrom(undefined, undefined, 'metric 1', 'metric 5'),
    fc.constantFrom(undefined, undefined, 'proto static', 'proto 223'),
    fc.constantFrom(undefined, undefined, 'table 100'),
    fc.constantFrom('add', 'add', 'append', 'prepend'),
  )
  .map(([at, kind, metric, proto, table, verb]) => [
    words(
      familyOf(at) === 6 ? 'ip -6 route' : 'ip route',
      verb,
      kind === 'hop' ? at : `${kind} ${at}`,
      kind === 'hop' ? 'dev swp1' : undefined,
      proto,
      metric,
      table,
    ),
  ])
const linuxSame = same((at) => [`ip ${familyOf(at) === 6 ? '-6 ' : ''}route add blackhole ${at}`])
const linuxElement = fc
  .tuple(
    anyPrefix,
    fc.constantFrom('src', 'dst', 'protect'),
    fc.constantFrom('inet', 'bridge'),
    fc.constantFrom('', ' comment "ops"', ' comment "nullroute"'),
  )
  .map(([at, set, family, comment]) => [
    `nft 'add element ${family} nullroute ${set}${familyOf(at)} { ${at}${comment} }'`,
  ])
/** In both tables, which is where the whole of it would be wanted. */
const linuxFilter = fc
  .tuple(anyPrefix, fc.constantFrom('src', 'dst'))
  .map(([at, set]) =>
    ['inet', 'bridge'].map(
      (family) => `nft 'add element ${family} nullroute ${set}${familyOf(at)} { ${at} }'`,
    ),
  )
const linuxPort = fc
  .tuple(fc.constantFrom('swp1', 'swp7', 'swp8'), fc.constantFrom('down', 'up', 'alias moved'))
  .map(([name, what]) => [`ip link set dev ${name} ${what}`])
const linuxRest = fc.constantFrom(
  ["nft 'add table inet ops'"],
  ["nft 'add rule inet nullroute pre ip saddr 192.0.2.1 accept'"],
)

/** Hosts as root, with the sudo fragment, and with a VRF device. */
export const linux = habitat('linux', {
  specs: specs(
    'linux',
    { port: 'swp7', spare: 'swp8', routed: 'swp1' },
    fc.constantFrom<Partial<SimulatedDevice>>(
      { roles: ['access'] },
      { roles: ['access'], privilege: 'sudo' },
      { roles: ['edge'], vrfs: ['CUST'] },
    ),
  ).map((spec) => ({ ...spec, neighbors: [] })),
  hands: [linuxRoute, linuxRoute, linuxSame, linuxElement, linuxFilter, linuxPort, linuxRest],
  ports: ['swp1', 'swp7', 'swp8', 'swp9'],
  vrfs: tables,
})
