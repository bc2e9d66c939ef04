// The state of a Linux host: links, addresses, routes, packet filter, files. What is gone at a reboot, and what a file brings back.

import type { Prefix } from '../../../../inventory/prefix.ts'
import type { CompleteDevice } from '../../spec.ts'
import { linkLocalOf, macOf } from '../frr/config.ts'
import type { Announced, Learnt, ModelSettings } from '../model.ts'
import { typedPrefix } from '../prefixes.ts'
import type { NftTable } from './nft-tables.ts'

/** A network interface. */
export interface Link {
  readonly index: number
  readonly name: string
  readonly mac: string
  up: boolean
  readonly carrier: boolean
  master: string | undefined
  alias: string | undefined
  /** A plain port, or what is made of others. */
  readonly kind: 'bridge' | 'bond' | 'vlan' | 'macvlan' | 'vrf' | 'ether' | 'loopback'
  /** The link that a VLAN or macvlan stands on. */
  readonly lower?: string
  /** Table of a VRF device. */
  readonly table?: number
  /** With length. */
  addresses: string[]
}

/** What a route does. */
export type RouteType = 'unicast' | 'blackhole' | 'unreachable' | 'prohibit'

/** One of several next hops of a route. */
export interface NextHop {
  readonly via?: string
  readonly dev: string
  readonly weight: number
}

/** A route of the kernel's. */
export interface Route {
  readonly family: 4 | 6
  readonly type: RouteType
  readonly prefix: string
  readonly via?: string
  readonly dev?: string
  /** Where there are several next hops, instead of `via` and `dev`. */
  readonly hops?: readonly NextHop[]
  readonly protocol: string
  readonly metric: number
  readonly table: number
  readonly src?: string
}

/** A neighbour by hand. */
export interface Neighbour {
  readonly dst: string
  readonly dev: string
  readonly lladdr: string | undefined
  /** Not one whose address is known, but one in whose place the host answers. */
  readonly proxy: boolean
}

/** Which table is asked for which packets. */
export interface Rule {
  readonly family: 4 | 6
  readonly priority: number
  readonly from: Prefix | undefined
  readonly to: Prefix | undefined
  readonly iif: string | undefined
  readonly fwmark: string | undefined
  /** Routes of this length and shorter ones don't count. */
  readonly suppress: number | undefined
  /** `l3mdev`: that of the VRF that the packet is in. */
  readonly table: number | 'l3mdev'
}

/** All that the kernel holds. */
export interface Kernel {
  links: Link[]
  /** In order: of two with the same key the first wins. */
  routes: Route[]
  /** By priority. */
  rules: Rule[]
  neighbours: Neighbour[]
  tables: NftTable[]
  sysctl: Map<string, string>
}

/** One host. */
export interface LinuxState {
  readonly spec: CompleteDevice
  readonly settings: ModelSettings
  readonly hostname: string
  kernel: Kernel
  /** What the host starts with before anything is restored. */
  boot: Kernel
  files: Map<string, string>
  saveRefusal: string | undefined
  /** Lines of a here-document that the kernel will say no to, each once. */
  readonly refusals: Set<string>
  handles: number
  listener: () => void
}

/** The table that routes go to where none is named. */
export const mainTable = 254

/** Number of a routing table by name or number. */
export function tableNumber(text: string): number | undefined {
  const named = { main: 254, local: 255, default: 253 }[text]
  if (named !== undefined) return named
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

/** Its name as `ip` prints it. */
export function tableName(table: number): string {
  return (
    new Map([
      [254, 'main'],
      [255, 'local'],
      [253, 'default'],
    ]).get(table) ?? String(table)
  )
}

/** A copy that shares nothing that changes. */
export function copyKernel(kernel: Kernel): Kernel {
  return {
    links: kernel.links.map((link) => ({ ...link, addresses: [...link.addresses] })),
    routes: [...kernel.routes],
    rules: [...kernel.rules],
    neighbours: [...kernel.neighbours],
    tables: kernel.tables.map((table) => ({
      ...table,
      sets: table.sets.map((set) => ({ ...set, elements: [...set.elements] })),
      chains: table.chains.map((chain) => ({ ...chain, rules: [...chain.rules] })),
    })),
    sysctl: new Map(kernel.sysctl),
  }
}

/** A host as it starts, without its packet filter. */
export function createState(spec: CompleteDevice, settings: ModelSettings): LinuxState {
  const kernel: Kernel = {
    links: initialLinks(spec),
    routes: [],
    rules: initialRules(spec),
    neighbours: [],
    tables: [],
    sysctl: new Map(),
  }
  if (spec.prepared) kernel.sysctl.set('net.ipv6.conf.all.keep_addr_on_down', '1')
  kernel.routes = kernel.links.flatMap((link) => connectedRoutes(link, kernel))
  if (spec.edge && spec.prepared) {
    for (const family of [4, 6] as const) kernel.routes.push(operatorDiscard(spec.discard[family]))
  }
  return {
    spec,
    settings,
    hostname: spec.name.split('.')[0] ?? spec.name,
    kernel,
    boot: copyKernel(kernel),
    files: new Map(),
    saveRefusal: undefined,
    refusals: new Set(),
    handles: 0,
    listener: () => {},
  }
}

function initialRules(spec: CompleteDevice): Rule[] {
  const rule = (family: 4 | 6, priority: number, table: Rule['table']): Rule => ({
    family,
    priority,
    table,
    from: undefined,
    to: undefined,
    iif: undefined,
    fwmark: undefined,
    suppress: undefined,
  })
  return ([4, 6] as const).flatMap((family) => [
    rule(family, 0, 255),
    // The kernel makes it with the first VRF.
    ...(spec.vrfs.length === 0 ? [] : [rule(family, 1_000, 'l3mdev')]),
    rule(family, 32_766, mainTable),
    ...(family === 4 ? [rule(family, 32_767, 253)] : []),
  ])
}

function operatorDiscard(hop: string): Route {
  const family = hop.includes(':') ? 6 : 4
  return {
    family,
    type: 'blackhole',
    prefix: `${hop}/${family === 4 ? 32 : 128}`,
    protocol: 'static',
    metric: family === 4 ? 0 : 1024,
    table: mainTable,
  }
}

function initialLinks(spec: CompleteDevice): Link[] {
  const links: Omit<Link, 'index'>[] = [plain('lo', 'loopback', [`${spec.routerId}/32`])]
  spec.vrfs.forEach((vrf, at) => {
    links.push({ ...plain(vrf, 'vrf', []), table: 10 + at })
  })
  if (spec.access) links.push(plain('br0', 'bridge', []))
  for (const port of spec.ports) {
    const vrf = port.vrf === 'default' ? undefined : port.vrf
    const bridged = spec.access && port.addresses.length === 0
    links.push({
      ...plain(port.name, 'ether', [...port.addresses], spec.name),
      up: !port.shut,
      alias: port.description === '' ? undefined : port.description,
      master: bridged ? 'br0' : vrf,
    })
  }
  return links.map((link, at) => ({ ...link, index: at + 1 }))
}

function plain(
  name: string,
  kind: Link['kind'],
  addresses: string[],
  host = '',
): Omit<Link, 'index'> {
  return {
    name,
    kind,
    addresses,
    mac: kind === 'loopback' ? '00:00:00:00:00:00' : macOf(`${host} ${name}`),
    up: true,
    carrier: true,
    master: undefined,
    alias: undefined,
  }
}

/** The table that a link's routes are in: its VRF's, or main. */
function tableOf(link: Link, kernel: Kernel): number {
  const master = kernel.links.find((one) => one.name === link.master)
  return master?.kind === 'vrf' ? (master.table ?? mainTable) : mainTable
}

/** Routes that exist because a link is up and has addresses. */
function connectedRoutes(link: Link, kernel: Kernel): Route[] {
  if (!link.up || link.kind === 'loopback') return []
  return link.addresses.flatMap((address) => {
    const family = address.includes(':') ? 6 : 4
    const prefix = typedPrefix(address, family)
    if (prefix === undefined || /\/(?:32|128)$/.test(prefix)) return []
    const src = address.split('/')[0] ?? ''
    return [
      {
        family,
        type: 'unicast' as const,
        prefix,
        dev: link.name,
        protocol: 'kernel',
        metric: family === 4 ? 0 : 256,
        table: tableOf(link, kernel),
        ...(family === 4 ? { src } : {}),
      } as const,
    ]
  })
}

/** Gives a link other addresses, and with them other routes. */
export function setAddresses(kernel: Kernel, link: Link, addresses: readonly string[]): void {
  const keyOf = ({ dev, protocol, prefix }: Route): string => `${dev} ${protocol} ${prefix}`
  const before = new Set(connectedRoutes(link, kernel).map(keyOf))
  link.addresses = [...addresses]
  const routes = connectedRoutes(link, kernel)
  const after = new Set(routes.map(keyOf))
  kernel.routes = [
    ...kernel.routes.filter((route) => !before.has(keyOf(route)) || after.has(keyOf(route))),
    ...routes.filter((route) => !before.has(keyOf(route))),
  ]
}

/** Whether the link of a next hop is up. */
export function isAlive({ links }: Kernel, { dev }: NextHop): boolean {
  return links.some(({ name, up }) => name === dev && up)
}

/** Takes a link down or up, with what that does to addresses and routes. */
export function setLink(kernel: Kernel, link: Link, up: boolean): void {
  if (link.up === up) return
  link.up = up
  if (up) {
    kernel.routes.push(...connectedRoutes(link, kernel))
    return
  }
  // Of several next hops one that lives keeps the route, and the others come back with their links.
  kernel.routes = kernel.routes.filter(
    ({ dev, hops }) =>
      dev !== link.name && (hops === undefined || hops.some((hop) => isAlive(kernel, hop))),
  )
  kernel.neighbours = kernel.neighbours.filter(({ dev }) => dev !== link.name)
  const keep = (name: string): number =>
    Number(kernel.sysctl.get(`net.ipv6.conf.${name}.keep_addr_on_down`) ?? '0')
  // That of all interfaces wins, unless it says nothing. Link-local addresses are never kept.
  const kept = (keep('all') || keep(link.name)) > 0
  link.addresses = link.addresses.filter(
    (address) => !address.includes(':') || (kept && !/^fe[89ab]/i.test(address)),
  )
}

/** All addresses of a link: with those given to it the one that the kernel makes of its hardware address. */
export function addressesOf(link: Link): readonly string[] {
  const hasOwn = link.up && link.kind !== 'loopback' && link.kind !== 'vrf'
  return hasOwn ? [...new Set([...link.addresses, linkLocalOf(link.mac)])] : link.addresses
}

/** Puts the discards that a routing daemon learnt by BGP into the kernel, instead of those before. */
export function learnRoutes(state: LinuxState, learnt: readonly Learnt[]): void {
  const { kernel } = state
  const dead = new Set(
    kernel.routes
      .filter(({ type, table }) => type === 'blackhole' && table === mainTable)
      .map(({ prefix }) => prefix.split('/')[0]),
  )
  kernel.routes = [
    ...kernel.routes.filter(({ protocol }) => protocol !== 'bgp'),
    ...learnt
      .filter(({ nextHop }) => dead.has(nextHop))
      .map(
        ({ prefix }): Route => ({
          family: prefix.includes(':') ? 6 : 4,
          type: 'blackhole',
          prefix,
          protocol: 'bgp',
          metric: 20,
          table: mainTable,
        }),
      ),
  ]
}

/** What a routing daemon beside nullroute would hand on of a Linux trigger: the discards of protocol 223. */
export function discardsWithTag(state: LinuxState): Announced[] {
  if (!state.spec.trigger || !state.spec.prepared) return []
  return state.kernel.routes
    .filter(
      ({ type, protocol, table }) =>
        type === 'blackhole' && protocol === '223' && table === mainTable,
    )
    .map(({ prefix, family }) => ({ prefix, nextHop: state.spec.discard[family] }))
}
