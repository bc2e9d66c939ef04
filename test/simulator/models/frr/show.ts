// What an FRR router shows: configuration, routes, interfaces. BGP is show-bgp.ts.

import { covers, type Prefix } from '../../../../inventory/prefix.ts'
import { dispatch } from '../dispatch.ts'
import { longestMatch, typedAddress, typedPrefix } from '../prefixes.ts'
import { addressesOf, discards, type Interface, printConfig, type Static } from './config.ts'
import { type Json, printJson } from './json.ts'
import { showBgp } from './show-bgp.ts'
import { type FrrState, hasCandidate, learntInForce } from './state.ts'

/** A route as zebra has it. */
interface Rib {
  readonly prefix: string
  readonly protocol: 'static' | 'bgp' | 'connected' | 'kernel'
  readonly distance: number
  readonly tag?: number
  /** A next hop, an interface, or undefined: it discards. */
  readonly via?: string
  /** The next hop by which a learnt discard was resolved. */
  readonly by?: string
}

/** The answer to a `show` line, or undefined: unknown. */
export function show(state: FrrState, line: string): string | undefined {
  const json = line.endsWith(' json')
  return dispatch<string | undefined>(line.replace(/ json$/, ''), [
    [/^show running-config(?: (\S+))?$/, ([, daemon]) => showRunning(state, daemon)],
    [/^show startup-config$/, () => ''],
    [
      /^show (ip|ipv6) route (vrf|table) all kernel$/,
      ([, kind, which = '']) =>
        json ? showKernel(state, which, kind === 'ip' ? 4 : 6) : undefined,
    ],
    [/^show version$/, () => version(state)],
    [
      /^show (ip|ipv6) route(?: (.*))?$/,
      ([, kind, rest]) =>
        showRoute(state, { family: kind === 'ip' ? 4 : 6, words: wordsIn(rest), json }),
    ],
    [/^show interface(?: (.*))?$/, ([, rest]) => showInterface(state, wordsIn(rest), json)],
    [/^show (?:ip )?bgp(?: (.*))?$/, ([, rest]) => showBgp(state, wordsIn(rest), json)],
    [/^show vrf$/, () => vrfTable(state)],
    [/^show watchfrr$/, () => watched(state)],
    [/^show daemons$/, () => ` ${daemonsOf(state).join(' ')}\n`],
    [
      /^show mgmt commit history$/,
      () =>
        hasCandidate(state)
          ? 'Last 10 commit history:\nSlot Commit-ID               Commit-Record-Time\n'
          : undefined,
    ],
  ])
}

function wordsIn(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(' ')
}

function version({ version: number, config }: FrrState): string {
  return `FRRouting ${number} (${config.hostname}) on Linux(6.1.0-18-amd64).\nCopyright 1996-2005 Kunihiro Ishiguro, et al.\nconfigured with:\n    '--prefix=/usr' '--sysconfdir=/etc' '--localstatedir=/var'\n`
}

function daemonsOf(state: FrrState): readonly string[] {
  return hasCandidate(state) ? ['mgmtd', 'zebra', 'bgpd', 'staticd'] : ['zebra', 'bgpd', 'staticd']
}

/** Saving goes through watchfrr: without it, a plain user may not write. */
function watched(state: FrrState): string {
  const rows = daemonsOf(state)
    .map((name) => `  ${name.padEnd(20)} Up\n`)
    .join('')
  return `watchfrr global phase: Idle\n Restart Command: "/usr/lib/frr/watchfrr.sh restart %s"\n Start Command: "/usr/lib/frr/watchfrr.sh start %s"\n Stop Command: "/usr/lib/frr/watchfrr.sh stop %s"\n Min Restart Interval: 60\n Max Restart Interval: 600\n Restart Timeout: 90\n${rows}`
}

function vrfTable({ config }: FrrState): string {
  return config.vrfs.map((vrf, at) => `vrf ${vrf} id ${at + 10} table ${at + 10}\n`).join('')
}

function showRunning(state: FrrState, daemon: string | undefined): string {
  const all = printConfig(state.config, state.version)
  if (daemon === undefined || daemon === 'no-header') return all
  // From 10 on the routes belong to mgmtd, and a daemon's own part is empty.
  const part = { ...state.config, blocks: [], interfaces: new Map<string, Interface>() }
  if (hasCandidate(state) || daemon !== 'staticd') part.statics = []
  return printConfig(part, state.version)
}

function ribOf(state: FrrState, family: 4 | 6, vrf: string): Rib[] {
  const connected: Rib[] = []
  for (const one of state.config.interfaces.values()) {
    if (one.vrf !== vrf || one.shutdown) continue
    for (const text of one.kernelRoutes) {
      const prefix = typedPrefix(text, family)
      if (prefix !== undefined) {
        connected.push({ prefix, protocol: 'kernel', distance: 0, via: one.name })
      }
    }
    for (const address of new Set([...one.kernelAddresses, ...one.addresses])) {
      const prefix = typedPrefix(address, family)
      if (prefix !== undefined) {
        connected.push({ prefix, protocol: 'connected', distance: 0, via: one.name })
      }
    }
  }
  if (vrf !== 'default' && !state.config.vrfs.includes(vrf)) return []
  const statics = state.installed
    .filter((route) => route.vrf === vrf && route.family === family && route.table === undefined)
    .map(
      (route: Static): Rib => ({
        prefix: route.prefix,
        protocol: 'static',
        distance: route.distance ?? 1,
        ...(route.tag === undefined ? {} : { tag: route.tag }),
        ...(discards(route) ? {} : { via: route.target }),
      }),
    )
  const learnt =
    vrf === 'default'
      ? learntInForce(state)
          .filter(({ prefix }) => prefix.includes(':') === (family === 6))
          .map(
            ({ prefix, nextHop }): Rib => ({ prefix, protocol: 'bgp', distance: 200, by: nextHop }),
          )
      : []
  return [...connected, ...statics, ...learnt].sort((a, b) => a.distance - b.distance)
}

interface RouteQuestion {
  readonly family: 4 | 6
  readonly words: readonly string[]
  readonly json: boolean
}

/** Routes of the kernel's own in all VRFs, or in all tables of the default one: as JSON an object for each, before 10 one behind the other. */
function showKernel(state: FrrState, which: string, family: 4 | 6): string {
  const tableOf = (vrf: string): Json =>
    jsonTable(
      state,
      ribOf(state, family, vrf).filter(({ protocol }) => protocol === 'kernel'),
      vrf,
    )
  const vrfs = which === 'table' ? ['default'] : ['default', ...state.config.vrfs]
  if (which === 'vrf' && hasCandidate(state)) {
    return printJson(Object.fromEntries(vrfs.map((vrf) => [vrf, tableOf(vrf)])))
  }
  return vrfs.map((vrf) => printTable(tableOf(vrf))).join('')
}

/** Of no routes at all zebra prints an object over two lines. */
function printTable(table: Json): string {
  return Object.keys(table).length === 0 ? '{\n}\n' : printJson(table)
}

function showRoute(state: FrrState, { family, words, json }: RouteQuestion): string | undefined {
  const [, vrf = 'default', target, extra, more] =
    /^(?:vrf (\S+)(?: |$))?(\S+)?(?: (\S+))?(.*)$/.exec(words.join(' ')) ?? []
  if (more !== '') return undefined
  if (vrf !== 'default' && !state.config.vrfs.includes(vrf)) return `% VRF ${vrf} not found\n`
  const rib = ribOf(state, family, vrf)
  if (target !== undefined && /^[0-9a-fA-F.:/]+$/.test(target)) {
    const find = targetQuestions.get(extra)
    return find === undefined ? undefined : showTarget(state, find(rib, target, family), vrf, json)
  }
  const filtered = filterRib(rib, target, extra)
  if (filtered === undefined) return undefined
  return json ? printJson(jsonTable(state, filtered, vrf)) : textTable(filtered, family)
}

/** What may stand behind an address or prefix, and which routes that asks for. */
const targetQuestions = new Map<string | undefined, typeof routesTo>([
  [undefined, (rib, target, family) => routesTo(rib, target, family)],
  ['longer-prefixes', (rib, target, family) => routesInside(rib, target, family)],
])

function showTarget(
  state: FrrState,
  routes: readonly Rib[] | undefined,
  vrf: string,
  json: boolean,
): string | undefined {
  if (routes === undefined) return undefined
  if (json) return printJson(jsonTable(state, routes, vrf))
  return routes.length === 0
    ? '% Network not in table\n'
    : routes.map((one, at) => textRoute(one, vrf, at === 0)).join('')
}

/** The routes of exactly this prefix, or of the one that covers this address; undefined: it is neither. */
function routesTo(rib: readonly Rib[], target: string, family: 4 | 6): Rib[] | undefined {
  if (target.includes('/')) {
    const prefix = typedPrefix(target, family)
    return prefix === undefined ? undefined : rib.filter((route) => route.prefix === prefix)
  }
  const address = typedAddress(target)
  if (address === undefined) return undefined
  const covering = longestMatch(rib, address)?.prefix
  return rib.filter((route) => route.prefix === covering)
}

/** The routes of this prefix and of all inside it. */
function routesInside(rib: readonly Rib[], target: string, family: 4 | 6): Rib[] | undefined {
  const prefix = target.includes('/') ? typedPrefix(target, family) : undefined
  return prefix === undefined
    ? undefined
    : rib.filter((route) => covers(prefix, route.prefix as Prefix))
}

function filterRib(rib: readonly Rib[], word?: string, value?: string): readonly Rib[] | undefined {
  if (word === undefined) return rib
  if (word === 'tag' && value !== undefined) return rib.filter(({ tag }) => String(tag) === value)
  return /^(?:static|bgp|connected)$/.test(word) && value === undefined
    ? rib.filter(({ protocol }) => protocol === word)
    : undefined
}

function jsonTable(state: FrrState, rib: readonly Rib[], vrf: string): Json {
  const table: Record<string, Json[]> = {}
  for (const route of rib) {
    const list = (table[route.prefix] ??= [])
    list.push(jsonRoute(state, route, vrf, list.length === 0))
  }
  return table
}

function jsonRoute(state: FrrState, route: Rib, vrf: string, best: boolean): Json {
  const vrfId = vrf === 'default' ? 0 : state.config.vrfs.indexOf(vrf) + 10
  return {
    prefix: route.prefix,
    prefixLen: Number(route.prefix.split('/')[1]),
    protocol: route.protocol,
    vrfId,
    vrfName: vrf,
    ...(best ? { selected: true, destSelected: true } : {}),
    distance: route.distance,
    metric: 0,
    ...(best ? { installed: true } : {}),
    ...(route.tag === undefined ? {} : { tag: route.tag }),
    table: vrf === 'default' ? 254 : vrfId,
    internalStatus: best ? 16 : 0,
    internalFlags: route.protocol === 'static' ? 73 : 13,
    internalNextHopNum: route.by === undefined ? 1 : 2,
    internalNextHopActiveNum: route.by === undefined ? 1 : 2,
    nexthopGroupId: 17,
    ...(best ? { installedNexthopGroupId: 17 } : {}),
    uptime: '00:00:10',
    nexthops: nexthops(route),
  }
}

function nexthops(route: Rib): Json[] {
  const family = (text: string): string => (text.includes(':') ? 'ipv6' : 'ipv4')
  if (route.via !== undefined) {
    const [ip = '', interfaceName = 'eth0'] = route.via.split(' ')
    const hop: Json = /[.:]/.test(ip)
      ? { ip, afi: family(ip), interfaceIndex: 2, interfaceName }
      : { directlyConnected: true, interfaceIndex: 2, interfaceName: route.via }
    return [{ flags: 3, fib: true, ...(hop as Record<string, Json>), active: true, weight: 1 }]
  }
  const resolver: Record<string, Json> = route.by === undefined ? {} : { resolver: true }
  return [
    ...(route.by === undefined
      ? []
      : [
          {
            flags: 5,
            ip: route.by,
            afi: family(route.by),
            active: true,
            recursive: true,
            weight: 1,
          },
        ]),
    {
      flags: 3,
      fib: true,
      unreachable: true,
      blackhole: true,
      ...resolver,
      active: true,
      weight: 1,
    },
  ]
}

function textRoute(route: Rib, vrf: string, best: boolean): string {
  const tag = route.tag === undefined ? '' : `, tag ${route.tag}`
  const inVrf = vrf === 'default' ? '' : `, vrf ${vrf}`
  const hops =
    route.via === undefined
      ? route.by === undefined
        ? '  * unreachable (blackhole), weight 1\n'
        : `    ${route.by} (recursive), weight 1\n  *   unreachable (blackhole), weight 1\n`
      : `  * ${/[.:]/.test(route.via) ? hopText(route.via) : `directly connected, ${route.via}`}${route.protocol === 'connected' ? '' : ', weight 1'}\n`
  return `Routing entry for ${route.prefix}\n  Known via "${route.protocol}", distance ${route.distance}, metric 0${tag}${inVrf}${best ? ', best' : ''}\n  Last update 00:00:10 ago\n${hops}\n`
}

function hopText(via: string): string {
  const [ip, interfaceName = 'eth0'] = via.split(' ')
  return `${ip}, via ${interfaceName}`
}

function textTable(rib: readonly Rib[], family: 4 | 6): string {
  if (rib.length === 0) return ''
  const codes =
    family === 4
      ? 'Codes: K - kernel route, C - connected, S - static, R - RIP,\n       O - OSPF, I - IS-IS, B - BGP, E - EIGRP, N - NHRP,\n'
      : 'Codes: K - kernel route, C - connected, S - static, R - RIPng,\n       O - OSPFv3, I - IS-IS, B - BGP, N - NHRP,\n'
  const rest =
    '       T - Table, v - VNC, V - VNC-Direct, A - Babel, F - PBR,\n       f - OpenFabric,\n       > - selected route, * - FIB route, q - queued, r - rejected, b - backup\n       t - trapped, o - offload failure\n\n'
  const seen = new Set<string>()
  const lines = rib.map((route) => {
    const best = !seen.has(route.prefix)
    seen.add(route.prefix)
    const code = { static: 'S', bgp: 'B', connected: 'C', kernel: 'K' }[route.protocol]
    const head = `${code}${best ? '>*' : '  '} ${route.prefix}`
    if (route.protocol === 'connected')
      return `${head} is directly connected, ${route.via}, 00:00:10`
    const hop =
      route.via !== undefined
        ? `via ${route.via}, eth0`
        : route.by !== undefined
          ? `via ${route.by} (recursive), weight 1, 00:00:10\n  *                       unreachable (blackhole)`
          : 'unreachable (blackhole)'
    return `${head} [${route.distance}/0] ${hop}, weight 1, 00:00:10`
  })
  return `${codes}${rest}${lines.join('\n')}\n`
}

function showInterface(
  state: FrrState,
  words: readonly string[],
  json: boolean,
): string | undefined {
  const all = [...state.config.interfaces.values()]
  const [name, ...rest] = words
    .join(' ')
    .replace(/^vrf all ?/, '')
    .split(' ')
    .filter(Boolean)
  // Here no next hop is an object of its own: those of zebra's are no matter.
  if (rest.join(' ') === 'nexthop-group' && !json) {
    return all.some((one) => one.name === name) ? '' : `% Can't find interface ${name}\n`
  }
  if (rest.length > 0) return undefined
  if (name === 'brief') return briefTable(all)
  if (name === 'description') return descriptionTable(all)
  const shown = name === undefined ? all : all.filter((one) => one.name === name)
  if (json) {
    return printJson(Object.fromEntries(shown.map((one) => [one.name, jsonInterface(state, one)])))
  }
  if (shown.length === 0) return `% Can't find interface ${name}\n`
  return shown.map((one) => textInterface(state, one)).join('')
}

function isUp(one: Interface): boolean {
  return !one.shutdown && !one.pseudo
}

function jsonInterface(state: FrrState, one: Interface): Json {
  const up = isUp(one)
  const cli: Record<string, Json> = hasCandidate(state)
    ? {
        multicastConfig: 'Not specified by CLI',
        shutdownConfig: one.shutdown
          ? 'Enabled by CLI'
          : one.enabledByCli
            ? 'Disabled by CLI'
            : 'Not specified by CLI',
        mplsConfig: 'Not specified by CLI',
      }
    : {}
  return {
    administrativeStatus: up ? 'up' : 'down',
    ...(up ? { operationalStatus: 'up', linkDetection: true } : {}),
    linkUps: 0,
    linkDowns: one.linkDowns,
    vrfName: one.vrf,
    ...(one.description === undefined ? {} : { description: one.description }),
    mplsEnabled: false,
    linkDown: false,
    linkDownV6: false,
    mcForwardingV4: false,
    mcForwardingV6: false,
    ...cli,
    pseudoInterface: one.pseudo,
    index: one.index,
    metric: 0,
    mtu: 1500,
    speed: 10_000,
    flags: up ? '<UP,BROADCAST,RUNNING,MULTICAST>' : '<BROADCAST,MULTICAST>',
    type: 'Ethernet',
    hardwareAddress: one.mac,
    ipAddresses: addressesOf(one).map((address) => ({
      address,
      secondary: false,
      unnumbered: false,
    })),
    interfaceType: isBridge(state, one) ? 'Bridge' : 'VETH',
    interfaceSlaveType: one.bridge === undefined ? 'None' : 'Bridge',
    ...(one.bridge === undefined ? {} : { masterInterface: one.bridge }),
    ...(isBridge(state, one) ? { bridgeVlanAware: false } : {}),
    lacpBypass: false,
    evpnMh: {},
    protodown: 'off',
  }
}

function isBridge({ config }: FrrState, { name }: Interface): boolean {
  return [...config.interfaces.values()].some(({ bridge }) => bridge === name)
}

function textInterface(state: FrrState, one: Interface): string {
  const up = isUp(one)
  const addresses = addressesOf(one).map(
    (address) => `  ${address.includes(':') ? 'inet6' : 'inet'} ${address}\n`,
  )
  return `Interface ${one.name} is ${up ? 'up, line protocol is up' : 'down'}
  Link ups:       0    last: (never)
  Link downs:     ${one.linkDowns}    last: (never)
  vrf: ${one.vrf}
${one.description === undefined ? '' : `  Description: ${one.description}\n`}  index ${one.index} metric 0 mtu 1500 speed 10000 
  flags: ${up ? '<UP,BROADCAST,RUNNING,MULTICAST>' : '<BROADCAST,MULTICAST>'}
  Type: Ethernet
  HWaddr: ${one.mac}
${addresses.join('')}  Interface Type ${isBridge(state, one) ? 'Bridge' : 'VETH'}
  Interface Slave Type ${one.bridge === undefined ? 'None' : 'Bridge'}
${one.bridge === undefined ? '' : `  Master interface: ${one.bridge}\n`}${isBridge(state, one) ? '  Bridge VLAN-aware: no\n' : ''}  protodown: off 
`
}

function briefTable(all: readonly Interface[]): string {
  const rows = all.map((one) => {
    const [first = '', ...more] = addressesOf(one)
    const head = `${one.name.padEnd(15)} ${(isUp(one) ? 'up' : 'down').padEnd(7)} ${one.vrf.padEnd(15)} ${first}\n`
    return head + more.map((address) => `${' '.repeat(40)}${address}\n`).join('')
  })
  return `Interface       Status  VRF             Addresses\n---------       ------  ---             ---------\n${rows.join('')}\n`
}

function descriptionTable(all: readonly Interface[]): string {
  const rows = all.map((one) => {
    const state = (isUp(one) ? 'up' : 'down').padEnd(7)
    return `${one.name.padEnd(15)} ${state} ${state}   ${one.description ?? ''}\n`
  })
  return `\n\tVRF default(0)\n\nInterface       Status  Protocol  Description\n${rows.join('')}`
}
