// The configuration of an FRR router: static routes, interfaces, BGP, and how `show running-config` prints them. Order of the sections as in the recordings of 8.4.4.

import type { CompleteDevice, SimulatedNeighbor } from '../../spec.ts'
import { type Block, block, copyBlocks, printBlocks } from '../blocks.ts'
import { byPrefix } from '../prefixes.ts'

/** A static route. A discard keeps the word that it was typed with. */
export interface Static {
  readonly vrf: string
  readonly family: 4 | 6
  readonly prefix: string
  /** `blackhole`, `Null0`, `reject`, or a next hop: an address, an interface, or both with a blank between. */
  readonly target: string
  readonly tag?: number
  readonly distance?: number
  /** Routing table, where the line names one: a route of its own beside those of other tables. */
  readonly table?: number
  /** What is printed before and behind the table, in FRR's order. */
  readonly label?: string
  readonly nexthopVrf?: string
  readonly onlink?: true
  readonly color?: number
}

/** An interface: what the kernel has and what is configured. */
export interface Interface {
  readonly name: string
  readonly index: number
  readonly mac: string
  readonly vrf: string
  /** In the configuration only: typed, but not in the kernel. */
  readonly pseudo: boolean
  /** Of others than FRR: those of IPv6 are gone for good once it was down. */
  kernelAddresses: readonly string[]
  /** The bridge that it is a member of. */
  readonly bridge: string | undefined
  /** Routes out of it that the kernel has from others than FRR: gone for good once it was down. */
  kernelRoutes: readonly string[]
  description: string | undefined
  shutdown: boolean
  /** `no shutdown` was typed at some time. */
  enabledByCli: boolean
  addresses: string[]
  /** Lines of routing protocols, which are kept as typed. */
  protocols: string[]
  linkDowns: number
}

/** All that is configured. */
export interface FrrConfig {
  hostname: string
  statics: Static[]
  interfaces: Map<string, Interface>
  vrfs: string[]
  /** `router bgp …`, `route-map …`, `bgp community-list …`: in order. */
  blocks: Block[]
}

/** Whether a static discards. */
export function discards(route: Static): boolean {
  return route.target === 'blackhole' || route.target === 'Null0' || route.target === 'reject'
}

/** The line of a static route, without `vrf`. */
function staticLine(route: Static): string {
  const tag = route.tag === undefined ? '' : ` tag ${route.tag}`
  const distance = route.distance === undefined ? '' : ` ${route.distance}`
  const more = [
    route.label === undefined ? '' : ` label ${route.label}`,
    route.nexthopVrf === undefined ? '' : ` nexthop-vrf ${route.nexthopVrf}`,
    route.table === undefined ? '' : ` table ${route.table}`,
    route.onlink === undefined ? '' : ' onlink',
    route.color === undefined ? '' : ` color ${route.color}`,
  ].join('')
  return `${route.family === 4 ? 'ip' : 'ipv6'} route ${route.prefix} ${route.target}${tag}${distance}${more}`
}

/** A copy that shares nothing. */
export function copyConfig(config: FrrConfig): FrrConfig {
  return {
    hostname: config.hostname,
    statics: [...config.statics],
    interfaces: new Map(
      [...config.interfaces].map(([name, one]) => [
        name,
        { ...one, addresses: [...one.addresses], protocols: [...one.protocols] },
      ]),
    ),
    vrfs: [...config.vrfs],
    blocks: copyBlocks(config.blocks),
  }
}

/** What `show running-config` prints. */
export function printConfig(config: FrrConfig, version: string): string {
  const routes = (vrf: string): string[] =>
    config.statics
      .filter((route) => route.vrf === vrf)
      .sort((a, b) => a.family - b.family || byPrefix(a, b))
      .map(staticLine)
  const sections: string[][] = []
  if (routes('default').length > 0) sections.push(routes('default'))
  for (const vrf of config.vrfs) {
    sections.push([`vrf ${vrf}`, ...routes(vrf).map((line) => ` ${line}`), 'exit-vrf'])
  }
  for (const one of config.interfaces.values()) {
    const lines = interfaceLines(one)
    if (lines.length > 0 || one.pseudo) sections.push([`interface ${one.name}`, ...lines, 'exit'])
  }
  for (const one of config.blocks) sections.push(printSection(one))
  return [
    'Building configuration...',
    '',
    'Current configuration:',
    '!',
    `frr version ${version}`,
    'frr defaults traditional',
    `hostname ${config.hostname}`,
    '!',
    ...sections.flatMap((section) => [...section, '!']),
    'end',
    '',
  ].join('\n')
}

function interfaceLines(one: Interface): string[] {
  return [
    ...(one.description === undefined ? [] : [` description ${one.description}`]),
    ...one.addresses.map((a) => ` ${a.includes(':') ? 'ipv6' : 'ip'} address ${a}`),
    ...one.protocols.map((line) => ` ${line}`),
    ...(one.shutdown ? [' shutdown'] : []),
  ]
}

function printSection(one: Block): string[] {
  if (!/^(?:router|route-map)/.test(one.text)) return printBlocks([one])
  const lines = one.children.flatMap((child) =>
    child.text.startsWith('address-family')
      ? [' !', ...printBlocks([child], ' '), ' exit-address-family']
      : printBlocks([child], ' '),
  )
  return [one.text, ...lines, 'exit']
}

/** The header of a BGP instance, as it is printed. */
export function bgpHeader(asn: string, vrf: string): string {
  return vrf === 'default' ? `router bgp ${asn}` : `router bgp ${asn} vrf ${vrf}`
}

/** The configuration that the device starts with. */
export function initialConfig(spec: CompleteDevice): FrrConfig {
  const config: FrrConfig = {
    hostname: spec.name,
    statics: [],
    interfaces: new Map(),
    vrfs: [...spec.vrfs],
    blocks: [],
  }
  if (spec.edge && spec.prepared) {
    config.statics.push(
      { vrf: 'default', family: 4, prefix: `${spec.discard[4]}/32`, target: 'blackhole' },
      { vrf: 'default', family: 6, prefix: `${spec.discard[6]}/128`, target: 'blackhole' },
    )
  }
  addInterfaces(config, spec)
  if (spec.bgp) addBgp(config, spec)
  if (spec.trigger && spec.prepared) addTriggerMaps(config, spec.discard[4], spec.discard[6])
  return config
}

function addInterfaces(config: FrrConfig, spec: CompleteDevice): void {
  const plain = {
    description: '',
    vrf: 'default',
    shut: false,
    bridge: undefined,
    kernelRoutes: [],
  }
  const ports = [{ ...plain, name: 'lo', addresses: [`${spec.routerId}/32`] }, ...spec.ports]
  ports.forEach((port, at) => {
    config.interfaces.set(port.name, {
      name: port.name,
      index: at + 1,
      mac: port.name === 'lo' ? '00:00:00:00:00:00' : macOf(`${spec.name} ${port.name}`),
      vrf: port.vrf,
      pseudo: false,
      kernelAddresses: port.addresses,
      bridge: port.bridge,
      kernelRoutes: port.shut ? [] : port.kernelRoutes,
      description: port.description === '' ? undefined : port.description,
      shutdown: port.shut,
      enabledByCli: false,
      addresses: [],
      protocols: [],
      linkDowns: 0,
    })
  })
}

/** The link-local address, with its length, that a Linux kernel makes of a hardware address each time an interface comes up. */
export function linkLocalOf(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((one) => Number(`0x${one}`))
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f]
  const text = groups.map((one) => one.toString(16)).join(':')
  return `fe80::${text.replace(/^0:/, '')}/64`
}

/** All addresses that an interface has, whoever gave it them. */
export function addressesOf(one: Interface): readonly string[] {
  const hasOwn = !one.shutdown && !one.pseudo && one.name !== 'lo'
  const own = hasOwn ? [linkLocalOf(one.mac)] : []
  return [...new Set([...one.kernelAddresses, ...own, ...one.addresses])]
}

/** A stable hardware address for a name. */
export function macOf(name: string): string {
  let hash = 2_166_136_261
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619) >>> 0
  const bytes = [hash >>> 24, (hash >>> 16) & 255, (hash >>> 8) & 255, hash & 255]
  return ['5a', '17', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

function addBgp(config: FrrConfig, spec: CompleteDevice): void {
  const { asn, neighbors, routerId } = spec
  for (const vrf of new Set(['default', ...neighbors.map((one) => one.vrf)])) {
    const own = neighbors.filter((one) => one.vrf === vrf)
    const bgp = block(bgpHeader(asn, vrf), [
      `bgp router-id ${routerId}`,
      'no bgp ebgp-requires-policy',
      ...own.flatMap((one) => [
        `neighbor ${one.address} remote-as ${one.asn}`,
        `neighbor ${one.address} description ${one.description}`,
        ...(one.shut ? [`neighbor ${one.address} shutdown`] : []),
      ]),
    ])
    const redistributes = spec.trigger && vrf === 'default' && spec.prepared
    for (const family of [4, 6] as const) {
      const map = `redistribute static route-map NR-RTBH${family === 6 ? '6' : ''}`
      const lines = [...(redistributes ? [map] : []), ...familyLines(own, asn, family)]
      if (lines.length > 0) {
        bgp.children.push(block(`address-family ipv${family} unicast`, lines))
      }
    }
    config.blocks.push(bgp)
  }
}

/** What the neighbors of a family have in its address family. IPv4 is active by itself. */
function familyLines(
  neighbors: readonly SimulatedNeighbor[],
  asn: string,
  family: 4 | 6,
): string[] {
  return neighbors
    .filter((one) => one.address.includes(':') === (family === 6))
    .flatMap((one) => [
      ...(family === 6 ? [`neighbor ${one.address} activate`] : []),
      ...(one.asn === asn ? [`neighbor ${one.address} next-hop-self`] : []),
    ])
}

function addTriggerMaps(config: FrrConfig, hop4: string, hop6: string): void {
  config.blocks.push(
    block('route-map NR-RTBH permit 10', [
      'match tag 666',
      'set community blackhole no-export',
      `set ip next-hop ${hop4}`,
      'set local-preference 200',
    ]),
    block('route-map NR-RTBH6 permit 10', [
      'match tag 666',
      'set community blackhole no-export',
      `set ipv6 next-hop global ${hop6}`,
      'set local-preference 200',
    ]),
  )
}
