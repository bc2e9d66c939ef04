// The configuration of an IOS router or switch: what it holds, how it starts, how it is printed.

import { netmaskOf, type Prefix } from '../../../../inventory/prefix.ts'
import type { CompleteDevice } from '../../spec.ts'
import { type Block, block, copyBlocks, noteBlocks, printBlocks } from '../blocks.ts'
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

/** Notes what is configured; the answered function makes the same configuration that again. A session stands in one of its blocks, which a copy would not reach. */
export function noteConfig(config: IosConfig): () => void {
  const { hostname, statics, head, groups, interfaces, routers, tail } = config
  const there = [head, groups, interfaces, routers, tail].map(noteBlocks)
  return () => {
    Object.assign(config, { hostname, statics, head, groups, interfaces, routers, tail })
    for (const restore of there) restore()
  }
}

/** The line of a static route. IPv6 is printed in capitals, as IOS does. */
function staticLine(route: Static): string {
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
export function initialConfig(spec: CompleteDevice): IosConfig {
  const { prepared, discard } = spec
  const list = (name: string, entry: string): Block =>
    block(`ip access-list extended ${name}`, [
      ...(prepared ? [`1 ${entry}`] : []),
      '10 permit ip any any',
    ])
  return {
    hostname: spec.name.replaceAll('.', '-'),
    head: [
      ...spec.vrfs.map((vrf, at) => block(`vrf definition ${vrf}`, [`rd ${spec.asn}:${at + 1}`])),
      block('archive', ['path bootflash:archive']),
    ],
    groups: prepared ? [block('object-group network NULLROUTE', ['host 192.0.2.255'])] : [],
    interfaces: [
      block('interface Loopback0', [addressLine(`${spec.routerId}/32`)]),
      ...spec.ports.map((port, at) => initialInterface(spec, port, at)),
      block('interface Null0', ['no ip unreachables']),
    ],
    routers: spec.bgp ? [initialBgp(spec)] : [],
    statics:
      spec.edge && prepared
        ? [
            { vrf: 'default', family: 4, prefix: `${discard[4]}/32`, target: 'Null0' },
            { vrf: 'default', family: 6, prefix: `${discard[6]}/128`, target: 'Null0' },
          ]
        : [],
    tail: [
      list('CUST-IN', 'deny ip object-group NULLROUTE any'),
      list('CUST-OUT', 'deny ip any object-group NULLROUTE'),
      ...(spec.trigger && prepared
        ? [
            triggerMap('RTBH', `set ip next-hop ${discard[4]}`),
            triggerMap('RTBH6', `set ipv6 next-hop ${discard[6].toUpperCase()}`),
          ]
        : []),
    ],
  }
}

function triggerMap(name: string, nextHop: string): Block {
  return block(`route-map ${name} permit 10`, [
    'match tag 666',
    nextHop,
    'set local-preference 200',
    'set community 65535:666 no-export',
  ])
}

function initialInterface(
  { access, prepared }: CompleteDevice,
  port: CompleteDevice['ports'][number],
  at: number,
): Block {
  const switched = access && port.addresses.length === 0
  const lines = switched ? switchedLines(port, at) : routedLines(port)
  return block(`interface ${port.name}`, [
    ...(port.description === '' ? [] : [`description ${port.description}`]),
    ...lines,
    // On what leads to customers, or their entries do nothing.
    ...(prepared && !switched && port.trunk !== true
      ? ['ip access-group CUST-IN in', 'ip access-group CUST-OUT out']
      : []),
    ...(port.shut ? ['shutdown'] : []),
  ])
}

function switchedLines({ trunk }: CompleteDevice['ports'][number], at: number): string[] {
  return trunk
    ? ['switchport mode trunk']
    : [`switchport access vlan ${100 + at}`, 'switchport mode access']
}

function routedLines({ vrf, addresses }: CompleteDevice['ports'][number]): string[] {
  return [
    ...(vrf === 'default' ? [] : [`vrf forwarding ${vrf}`]),
    ...(addresses.length === 0 ? ['no ip address'] : addresses.map(addressLine)),
  ]
}

function addressLine(address: string): string {
  if (address.includes(':')) return `ipv6 address ${address.toUpperCase()}`
  const prefix = typedPrefix(address, 4)
  return `ip address ${address.split('/')[0]} ${prefix === undefined ? '255.255.255.255' : netmaskOf(prefix)}`
}

function initialBgp({ asn, routerId, neighbors, vrfs, trigger, prepared }: CompleteDevice): Block {
  const own = (vrf: string): string[] =>
    neighbors
      .filter((one) => one.vrf === vrf)
      .flatMap((one) => [
        `neighbor ${shown(one.address)} remote-as ${one.asn}`,
        `neighbor ${shown(one.address)} description ${one.description}`,
        ...(one.shut ? [`neighbor ${shown(one.address)} shutdown`] : []),
      ])
  const family = (number: 4 | 6): Block =>
    block(`address-family ipv${number}`, [
      ...(trigger && prepared
        ? [`redistribute static route-map RTBH${number === 6 ? '6' : ''}`]
        : []),
      ...neighbors
        .filter((one) => one.vrf === 'default' && one.address.includes(':') === (number === 6))
        .map((one) => `neighbor ${shown(one.address)} activate`),
    ])
  const bgp = block(`router bgp ${asn}`, [
    `bgp router-id ${routerId}`,
    'bgp log-neighbor-changes',
    ...own('default'),
  ])
  const tables = vrfs.map((vrf) => block(`address-family ipv4 vrf ${vrf}`, own(vrf)))
  bgp.children.push(family(4), family(6), ...tables)
  return bgp
}

/** IPv6 in capitals. */
export function shown(address: string): string {
  return address.toUpperCase()
}
