// The configuration of an IOS router or switch: what it holds, how it starts, how it is printed.

import { netmaskOf, type Prefix } from '../../../../inventory/prefix.ts'
import type { SimulatedDevice } from '../../spec.ts'
import { type Block, block, copyBlocks, printBlocks } from '../blocks.ts'
import { byPrefix, typedPrefix } from '../prefixes.ts'

/** A static route: prefix, mask and target are its identity, the rest are its attributes. */
export interface Static {
  readonly vrf: string
  readonly family: 4 | 6
  readonly prefix: string
  /** `Null0`, an interface, a next hop, or interface and next hop. */
  readonly target: string
  readonly distance?: number
  readonly tag?: number
  readonly name?: string
  readonly permanent?: boolean
}

/** All that is configured. */
export interface IosConfig {
  hostname: string
  /** `vrf definition X`, `archive`: before the interfaces. */
  head: Block[]
  /** `object-group network X`. */
  groups: Block[]
  interfaces: Block[]
  /** `router bgp N`. */
  routers: Block[]
  statics: Static[]
  /** Access lists and route-maps. */
  tail: Block[]
}

/** A copy that shares nothing. */
export function copyConfig(config: IosConfig): IosConfig {
  return {
    hostname: config.hostname,
    head: copyBlocks(config.head),
    groups: copyBlocks(config.groups),
    interfaces: copyBlocks(config.interfaces),
    routers: copyBlocks(config.routers),
    statics: [...config.statics],
    tail: copyBlocks(config.tail),
  }
}

/** The line of a static route. IPv6 is printed in capitals, as IOS does. */
export function staticLine(route: Static): string {
  const vrf = route.vrf === 'default' ? '' : ` vrf ${route.vrf}`
  const options = [
    ...(route.distance === undefined ? [] : [String(route.distance)]),
    ...(route.tag === undefined ? [] : [`tag ${route.tag}`]),
    ...(route.permanent === true ? ['permanent'] : []),
    ...(route.name === undefined ? [] : [`name ${route.name}`]),
  ]
  const head =
    route.family === 4
      ? `ip route${vrf} ${route.prefix.split('/')[0]} ${netmaskOf(route.prefix as Prefix)}`
      : `ipv6 route${vrf} ${route.prefix.toUpperCase()}`
  const target =
    route.family === 6 && route.target.includes(':') ? route.target.toUpperCase() : route.target
  return [head, target, ...options].join(' ')
}

/** The whole configuration as lines with lines under them, in the order of `show running-config`. */
export function toBlocks(config: IosConfig): Block[] {
  const routes = (family: 4 | 6): Block[] =>
    config.statics
      .filter((route) => route.family === family)
      .sort((a, b) => (a.vrf === b.vrf ? byPrefix(a, b) : a.vrf < b.vrf ? -1 : 1))
      .map((route) => block(staticLine(route)))
  return [
    block('version 15.9'),
    block('service timestamps debug datetime msec'),
    block('service timestamps log datetime msec'),
    block(`hostname ${config.hostname}`),
    ...config.head,
    block('ipv6 unicast-routing'),
    ...config.groups,
    ...config.interfaces,
    ...config.routers,
    ...routes(4),
    ...config.tail.filter(({ text }) => !text.startsWith('ipv6 access-list')),
    ...routes(6),
    ...config.tail.filter(({ text }) => text.startsWith('ipv6 access-list')),
    block('line vty 0 4', ['transport input ssh']),
  ]
}

/** The lines between header and `end`. */
export function configLines(config: IosConfig): string[] {
  const lines: string[] = []
  let before = ''
  for (const one of toBlocks(config)) {
    // Lines of one kind stand together, everything else is parted by `!`.
    const kind = one.children.length > 0 ? one.text : (one.text.split(' ')[0] ?? '')
    if (before !== '' && kind !== before) lines.push('!')
    before = kind
    lines.push(...(one.text.startsWith('router bgp') ? routerLines(one) : printBlocks([one])))
  }
  return lines
}

function routerLines(router: Block): string[] {
  return [
    router.text,
    ...router.children.flatMap((child) =>
      child.text.startsWith('address-family')
        ? [' !', ...printBlocks([child], ' '), ' exit-address-family']
        : printBlocks([child], ' '),
    ),
  ]
}

/** The configuration that the device starts with. */
export function initialConfig(spec: SimulatedDevice): IosConfig {
  const roles = spec.roles ?? []
  const prepared = spec.prepared !== false
  const hops = discardHops(spec)
  const config: IosConfig = {
    hostname: spec.name.replaceAll('.', '-'),
    head: [
      ...(spec.vrfs ?? []).map((vrf, at) =>
        block(`vrf definition ${vrf}`, [`rd ${spec.asn ?? '64500'}:${at + 1}`]),
      ),
      block('archive', ['path bootflash:archive']),
    ],
    groups: prepared ? [block('object-group network NULLROUTE', ['host 192.0.2.255'])] : [],
    interfaces: initialInterfaces(spec, prepared),
    routers: initialBgp(spec, prepared),
    statics:
      roles.includes('edge') && prepared
        ? [
            { vrf: 'default', family: 4, prefix: `${hops[0]}/32`, target: 'Null0' },
            { vrf: 'default', family: 6, prefix: `${hops[1]}/128`, target: 'Null0' },
          ]
        : [],
    tail: [
      block('ip access-list extended CUST-IN', [
        ...(prepared ? ['1 deny ip object-group NULLROUTE any'] : []),
        '10 permit ip any any',
      ]),
      block('ip access-list extended CUST-OUT', [
        ...(prepared ? ['1 deny ip any object-group NULLROUTE'] : []),
        '10 permit ip any any',
      ]),
    ],
  }
  if (roles.includes('rtbh-trigger') && prepared) {
    config.tail.push(
      block('route-map RTBH permit 10', [
        'match tag 666',
        `set ip next-hop ${hops[0]}`,
        'set local-preference 200',
        'set community 65535:666 no-export',
      ]),
      block('route-map RTBH6 permit 10', [
        'match tag 666',
        `set ipv6 next-hop ${hops[1].toUpperCase()}`,
        'set local-preference 200',
        'set community 65535:666 no-export',
      ]),
    )
  }
  return config
}

function discardHops(spec: SimulatedDevice): readonly [string, string] {
  const hops = spec.discardNextHops ?? []
  return [
    hops.find((hop) => !hop.includes(':')) ?? '192.0.2.254',
    hops.find((hop) => hop.includes(':')) ?? '100::1',
  ]
}

function initialInterfaces(spec: SimulatedDevice, prepared: boolean): Block[] {
  const access = (spec.roles ?? []).includes('access')
  const ports = (spec.ports ?? []).map((port, at) => {
    const switched = port.addresses.length === 0 && access
    return block(`interface ${port.name}`, [
      ...(port.description === '' ? [] : [`description ${port.description}`]),
      ...(port.vrf === undefined || port.vrf === 'default' ? [] : [`vrf forwarding ${port.vrf}`]),
      ...(switched && port.trunk === true ? ['switchport mode trunk'] : []),
      ...(switched && port.trunk !== true
        ? [`switchport access vlan ${100 + at}`, 'switchport mode access']
        : []),
      ...port.addresses.map(addressLine),
      ...(!switched && port.addresses.length === 0 ? ['no ip address'] : []),
      // The lists must be bound somewhere, or their entries do nothing.
      ...(at === 0 && prepared && !switched
        ? ['ip access-group CUST-IN in', 'ip access-group CUST-OUT out']
        : []),
      ...(port.shut === true ? ['shutdown'] : []),
    ])
  })
  return [
    block('interface Loopback0', [addressLine(`${spec.routerId ?? '192.0.2.1'}/32`)]),
    ...ports,
    block('interface Null0', ['no ip unreachables']),
  ]
}

function addressLine(address: string): string {
  if (address.includes(':')) return `ipv6 address ${address.toUpperCase()}`
  const prefix = typedPrefix(address, 4)
  return `ip address ${address.split('/')[0]} ${prefix === undefined ? '255.255.255.255' : netmaskOf(prefix)}`
}

function initialBgp(spec: SimulatedDevice, prepared: boolean): Block[] {
  const neighbors = spec.neighbors ?? []
  const trigger = (spec.roles ?? []).includes('rtbh-trigger')
  if (spec.asn === undefined && neighbors.length === 0 && !trigger) return []
  const own = (vrf: string): string[] =>
    neighbors
      .filter((one) => (one.vrf ?? 'default') === vrf)
      .flatMap((one) => [
        `neighbor ${shown(one.address)} remote-as ${one.asn}`,
        `neighbor ${shown(one.address)} description ${one.description}`,
        ...(one.shut === true ? [`neighbor ${shown(one.address)} shutdown`] : []),
      ])
  const bgp = block(`router bgp ${spec.asn ?? '64500'}`, [
    `bgp router-id ${spec.routerId ?? '192.0.2.1'}`,
    'bgp log-neighbor-changes',
    ...own('default'),
  ])
  for (const family of [4, 6] as const) {
    bgp.children.push(
      block(`address-family ipv${family}`, [
        ...(trigger && prepared
          ? [`redistribute static route-map RTBH${family === 6 ? '6' : ''}`]
          : []),
        ...neighbors
          .filter((one) => (one.vrf ?? 'default') === 'default')
          .filter((one) => one.address.includes(':') === (family === 6))
          .map((one) => `neighbor ${shown(one.address)} activate`),
      ]),
    )
  }
  for (const vrf of spec.vrfs ?? [])
    bgp.children.push(block(`address-family ipv4 vrf ${vrf}`, own(vrf)))
  return [bgp]
}

/** IPv6 in capitals. */
export function shown(address: string): string {
  return address.toUpperCase()
}
