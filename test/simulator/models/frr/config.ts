// The configuration of an FRR router: static routes, interfaces, BGP, and how `show running-config` prints them. Order of the sections as in the recordings of 8.4.4.

import type { SimulatedDevice } from '../../spec.ts'
import { type Block, block, copyBlocks, printBlocks } from '../blocks.ts'
import { byPrefix } from '../prefixes.ts'

/** A static route. A discard keeps the word that it was typed with. */
export interface Static {
  readonly vrf: string
  readonly family: 4 | 6
  readonly prefix: string
  /** `blackhole`, `Null0`, `reject`, or a next hop. */
  readonly target: string
  readonly tag?: number
  readonly distance?: number
}

/** An interface: what the kernel has and what is configured. */
export interface Interface {
  readonly name: string
  readonly index: number
  readonly mac: string
  readonly vrf: string
  /** In the configuration only: typed, but not in the kernel. */
  readonly pseudo: boolean
  readonly kernelAddresses: readonly string[]
  description: string | undefined
  shutdown: boolean
  /** `no shutdown` was typed at some time. */
  enabledByCli: boolean
  addresses: string[]
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
export function staticLine(route: Static): string {
  const tag = route.tag === undefined ? '' : ` tag ${route.tag}`
  const distance = route.distance === undefined ? '' : ` ${route.distance}`
  return `${route.family === 4 ? 'ip' : 'ipv6'} route ${route.prefix} ${route.target}${tag}${distance}`
}

/** A copy that shares nothing. */
export function copyConfig(config: FrrConfig): FrrConfig {
  return {
    hostname: config.hostname,
    statics: [...config.statics],
    interfaces: new Map(
      [...config.interfaces].map(([name, one]) => [
        name,
        { ...one, addresses: [...one.addresses] },
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
export function initialConfig(spec: SimulatedDevice): FrrConfig {
  const roles = spec.roles ?? []
  const prepared = spec.prepared !== false
  const [hop4 = '192.0.2.254', hop6 = '100::1'] = discardHops(spec)
  const config: FrrConfig = {
    hostname: spec.name,
    statics: [],
    interfaces: new Map(),
    vrfs: [...(spec.vrfs ?? [])],
    blocks: [],
  }
  if (roles.includes('edge') && prepared) {
    config.statics.push(
      { vrf: 'default', family: 4, prefix: `${hop4}/32`, target: 'blackhole' },
      { vrf: 'default', family: 6, prefix: `${hop6}/128`, target: 'blackhole' },
    )
  }
  addInterfaces(config, spec)
  addBgp(config, spec)
  if (roles.includes('rtbh-trigger') && prepared) addTriggerMaps(config, hop4, hop6)
  return config
}

/** The discard next hops of a device: IPv4 and IPv6. */
export function discardHops(spec: SimulatedDevice): readonly [string, string] {
  const hops = spec.discardNextHops ?? []
  return [
    hops.find((hop) => !hop.includes(':')) ?? '192.0.2.254',
    hops.find((hop) => hop.includes(':')) ?? '100::1',
  ]
}

function addInterfaces(config: FrrConfig, spec: SimulatedDevice): void {
  const ports = [
    { name: 'lo', description: '', addresses: [`${spec.routerId ?? '192.0.2.1'}/32`] },
    ...(spec.ports ?? []),
  ]
  ports.forEach((port, at) => {
    config.interfaces.set(port.name, {
      name: port.name,
      index: at + 1,
      mac: port.name === 'lo' ? '00:00:00:00:00:00' : macOf(`${spec.name} ${port.name}`),
      vrf: ('vrf' in port ? port.vrf : undefined) ?? 'default',
      pseudo: false,
      kernelAddresses: port.addresses,
      description: port.description === '' ? undefined : port.description,
      shutdown: ('shut' in port ? port.shut : undefined) === true,
      enabledByCli: false,
      addresses: [],
      linkDowns: 0,
    })
  })
}

/** A stable hardware address for a name. */
export function macOf(name: string): string {
  let hash = 2_166_136_261
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619) >>> 0
  const bytes = [hash >>> 24, (hash >>> 16) & 255, (hash >>> 8) & 255, hash & 255]
  return ['5a', '17', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

function addBgp(config: FrrConfig, spec: SimulatedDevice): void {
  const asn = spec.asn ?? '64500'
  const neighbors = spec.neighbors ?? []
  const trigger = (spec.roles ?? []).includes('rtbh-trigger')
  if (spec.asn === undefined && neighbors.length === 0 && !trigger) return
  const vrfs = new Set(['default', ...neighbors.map((one) => one.vrf ?? 'default')])
  for (const vrf of vrfs) {
    const own = neighbors.filter((one) => (one.vrf ?? 'default') === vrf)
    const bgp = block(bgpHeader(asn, vrf), [
      `bgp router-id ${spec.routerId ?? '192.0.2.1'}`,
      'no bgp ebgp-requires-policy',
      ...own.flatMap((one) => [
        `neighbor ${one.address} remote-as ${one.asn}`,
        `neighbor ${one.address} description ${one.description}`,
        ...(one.shut === true ? [`neighbor ${one.address} shutdown`] : []),
      ]),
    ])
    for (const family of [4, 6] as const) {
      const lines = [
        ...(trigger && vrf === 'default' && spec.prepared !== false
          ? [`redistribute static route-map NR-RTBH${family === 6 ? '6' : ''}`]
          : []),
        ...own
          .filter((one) => one.address.includes(':') === (family === 6))
          .flatMap((one) => [
            ...(family === 6 ? [`neighbor ${one.address} activate`] : []),
            ...(one.asn === asn ? [`neighbor ${one.address} next-hop-self`] : []),
          ]),
      ]
      if (lines.length > 0) {
        bgp.children.push(block(`address-family ipv${family} unicast`, lines))
      }
    }
    config.blocks.push(bgp)
  }
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
