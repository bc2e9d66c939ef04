// `ip route show` and `ip route get`: which routes are meant, how they are printed, and what becomes of a packet.

import { type Address, covers, hostPrefix, type Prefix } from '../../../../inventory/prefix.ts'
import { byPrefix, typedAddress, typedPrefix } from '../prefixes.ts'
import { tablesFor } from './ip-rule.ts'
import { jsonHops, textHops } from './next-hops.ts'
import { fail, type IpOptions, type Ran, ran } from './ran.ts'
import { noTable, vrfTable, wideTarget } from './route-words.ts'
import {
  isAlive,
  type Kernel,
  type LinuxState,
  mainTable,
  type Route,
  type RouteType,
  tableNumber,
} from './state.ts'

/** Which routes are meant. */
export interface Filter {
  readonly family: 4 | 6 | undefined
  /** undefined: all tables. */
  readonly table: number | undefined
  readonly type: RouteType | undefined
  readonly protocol: string | undefined
  readonly dev: string | undefined
  readonly exact: string | undefined
  /** Those inside this prefix, itself included. */
  readonly root: string | undefined
  /** Those that hold this prefix, itself included. */
  readonly match: string | undefined
}

const filterWords = /^(?:table|vrf|type|proto|protocol|dev|root|match|exact|scope|metric)$/

/** The filter that the words are, or what ip answers instead. */
export function parseFilter(
  state: LinuxState,
  words: readonly string[],
  options: IpOptions,
): Filter | Ran {
  const texts = filterTexts(words)
  const table = filterTable(state, texts)
  if (typeof table === 'object') return table
  const places = ['exact', 'root', 'match']
  const wrong = places.find((word) => filterPrefix(texts[word]) === null)
  if (wrong !== undefined) {
    return fail(1, `Error: any valid prefix is expected rather than "${texts[wrong]}".\n`)
  }
  const [exact, root, match] = places.map((word) => filterPrefix(texts[word]) ?? undefined)
  return {
    family: filterFamily(exact ?? root ?? match, options, texts['table'] === 'all'),
    table,
    type: texts['type'] as RouteType | undefined,
    protocol: texts['protocol'],
    dev: texts['dev'],
    exact,
    root,
    match,
  }
}

function filterTexts(words: readonly string[]): Readonly<Record<string, string | undefined>> {
  const texts: Record<string, string | undefined> = {}
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (filterWords.test(word)) {
      at += 1
      texts[word.replace(/^proto$/, 'protocol')] = words[at] ?? ''
    } else texts['exact'] = word
  }
  return texts
}

/** Without a family IPv4 is meant, but for `table all`, which lists both. */
function filterFamily(
  asked: Prefix | undefined,
  { family }: IpOptions,
  all: boolean,
): 4 | 6 | undefined {
  if (asked !== undefined) return asked.includes(':') ? 6 : 4
  return family ?? (all ? undefined : 4)
}

/** Number of the table that is meant; undefined: all. */
function filterTable(
  state: LinuxState,
  texts: Readonly<Record<string, string | undefined>>,
): number | undefined | Ran {
  const { vrf, table } = { vrf: texts['vrf'], table: texts['table'] }
  if (vrf !== undefined) return vrfTable(state, vrf) ?? noTable('vrf', vrf, '')
  if (table === undefined) return mainTable
  if (table === 'all') return undefined
  return tableNumber(table) ?? noTable('table', table, 'table id value is invalid')
}

/** The prefix of a text, undefined without one, null where it is none. */
function filterPrefix(text: string | undefined): Prefix | undefined | null {
  if (text === undefined) return undefined
  const { text: wide, family } = wideTarget(text, undefined)
  return typedPrefix(wide, family) ?? null
}

/** Whether a route is meant. */
export function fits(route: Route, filter: Filter): boolean {
  return (
    [undefined, route.family].includes(filter.family) &&
    [undefined, route.table].includes(filter.table) &&
    [undefined, route.type].includes(filter.type) &&
    [undefined, route.protocol].includes(filter.protocol) &&
    [undefined, route.dev].includes(filter.dev) &&
    [undefined, route.prefix].includes(filter.exact) &&
    (filter.root === undefined || covers(filter.root as Prefix, route.prefix as Prefix)) &&
    (filter.match === undefined || covers(route.prefix as Prefix, filter.match as Prefix))
  )
}

/** `ip route show …`. */
export function showRoutes(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const filter = parseFilter(state, words, options)
  if ('status' in filter) return filter
  const { kernel } = state
  const tables = new Set([253, 254, 255, ...kernel.routes.map(({ table }) => table)])
  for (const link of kernel.links) if (link.table !== undefined) tables.add(link.table)
  if (filter.table !== undefined && !tables.has(filter.table) && !options.batched) {
    const family = filter.family === 6 ? 'ipv6' : 'ipv4'
    return fail(2, `Error: ${family}: FIB table does not exist.\nDump terminated\n`)
  }
  const shown = kernel.routes
    .filter((route) => fits(route, filter))
    .sort((a, b) => a.table - b.table || byPrefix(a, b))
  const all = filter.table === undefined
  if (options.json) {
    const list = shown.map((one) => ({
      ...jsonRoute(one, filter, all),
      ...(one.hops === undefined ? {} : { nexthops: jsonHops(kernel, one.hops) }),
    }))
    return ran(`${JSON.stringify(list)}\n`)
  }
  const texts = shown.map((one) => {
    const hops = textHops(kernel, one.hops ?? [], options.oneLine)
    return `${textRoute(one, filter, all)}${hops}\n`
  })
  return ran(texts.join(''))
}

function shownPrefix(prefix: string): string {
  if (prefix === '0.0.0.0/0' || prefix === '::/0') return 'default'
  return prefix.replace(/\/(?:32|128)$/, (length) =>
    (length === '/32') === prefix.includes(':') ? length : '',
  )
}

/** Device that a route is shown with: IPv6 has `lo` for what it discards. */
function shownDev({ dev, type, family }: Route): string | undefined {
  return dev ?? (type !== 'unicast' && family === 6 ? 'lo' : undefined)
}

function jsonRoute(route: Route, filter: Filter, all: boolean): object {
  const dev = shownDev(route)
  const showsProtocol = route.protocol !== 'boot' && filter.protocol === undefined
  const fields: [string, unknown, boolean][] = [
    ['type', route.type, route.type !== 'unicast'],
    ['dst', shownPrefix(route.prefix), true],
    ['gateway', route.via, route.via !== undefined],
    ['dev', dev, dev !== undefined],
    ['table', String(route.table), all && route.table !== mainTable],
    ['protocol', route.protocol, showsProtocol],
    ['scope', 'link', route.src !== undefined],
    ['prefsrc', route.src, route.src !== undefined],
    ['metric', route.metric, route.metric !== 0],
    ['flags', [], true],
    ['pref', 'medium', route.family === 6],
  ]
  return Object.fromEntries(
    fields.filter(([, , shown]) => shown).map(([name, value]) => [name, value]),
  )
}

function textRoute(route: Route, filter: Filter, all: boolean): string {
  const dev = shownDev(route)
  const showsProtocol = route.protocol !== 'boot' && filter.protocol === undefined
  const fields: [string, boolean][] = [
    [route.type, route.type !== 'unicast'],
    [shownPrefix(route.prefix), true],
    [`via ${route.via}`, route.via !== undefined],
    [`dev ${dev}`, dev !== undefined],
    [`table ${route.table}`, all && route.table !== mainTable],
    [`proto ${route.protocol}`, showsProtocol],
    [`scope link src ${route.src}`, route.src !== undefined],
    [`metric ${route.metric}`, route.metric !== 0],
    ['pref medium', route.family === 6],
  ]
  const words = fields.filter(([, shown]) => shown).map(([text]) => text)
  return `${words.join(' ')}${route.family === 6 ? '' : ' '}`
}

/** The route that the kernel takes to an address: the longest prefix, then the least metric, then the first. */
function lookUp(state: LinuxState, address: Address, table: number): Route | undefined {
  const host = hostPrefix(address)
  let best: Route | undefined
  for (const route of state.kernel.routes) {
    if (route.table !== table || !covers(route.prefix as Prefix, host)) continue
    const length = Number(route.prefix.split('/')[1])
    const bestLength = best === undefined ? -1 : Number(best.prefix.split('/')[1])
    const closer =
      best === undefined ||
      length > bestLength ||
      (length === bestLength && route.metric < best.metric)
    if (closer) best = route
  }
  return best
}

/** `ip route get …`. */
export function getRoute(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const target = words.find((word) => /[.:]/.test(word)) ?? ''
  const address = typedAddress(target)
  if (address === undefined) {
    return fail(1, `Error: any valid address is expected rather than "${target}".\n`)
  }
  if (isOwn(state, address)) return localWay(address, options)
  const at = words.indexOf('vrf')
  const table = at < 0 ? undefined : vrfTable(state, words[at + 1] ?? '')
  const route = table === undefined ? byRules(state, address) : lookUp(state, address, table)
  if (route === undefined) return fail(2, 'RTNETLINK answers: Network is unreachable\n')
  if (route.type !== 'unicast') return fail(2, `RTNETLINK answers: ${discardErrors[route.type]}\n`)
  const way = { ...route, ...livingHop(state.kernel, route) }
  return ran(options.json ? `${JSON.stringify([jsonWay(address, way)])}\n` : textWay(address, way))
}

function byRules(state: LinuxState, address: Address): Route | undefined {
  for (const { table, suppress } of tablesFor(state, address)) {
    const route = lookUp(state, address, table)
    if (route !== undefined && Number(route.prefix.split('/')[1]) > suppress) return route
  }
  return undefined
}

/** Of several next hops the first that lives, where the kernel would choose one by the packet. */
function livingHop(kernel: Kernel, { hops }: Route): Partial<Route> | undefined {
  return hops?.find((hop) => isAlive(kernel, hop))
}

/** Whether the address is this host's own. */
function isOwn(state: LinuxState, address: Address): boolean {
  const addresses = state.kernel.links.flatMap((link) => link.addresses)
  return address.startsWith('127.') || addresses.some((one) => one.split('/')[0] === address)
}

function localWay(address: Address, { json }: IpOptions): Ran {
  const way = { type: 'local', dst: address, dev: 'lo', prefsrc: address, flags: [], uid: 0 }
  return ran(
    json
      ? `${JSON.stringify([{ ...way, cache: ['local'] }])}\n`
      : `local ${address} dev lo src ${address} uid 0 \n    cache <local> \n`,
  )
}

const discardErrors = {
  blackhole: 'Invalid argument',
  unreachable: 'No route to host',
  prohibit: 'Permission denied',
} as const

function jsonWay(address: Address, { via, dev = 'lo', src }: Route): object {
  return {
    dst: address,
    ...(via === undefined ? {} : { gateway: via }),
    dev,
    ...(src === undefined ? {} : { prefsrc: src }),
    flags: [],
    uid: 0,
    cache: [],
  }
}

function textWay(address: Address, { via, dev = 'lo', src }: Route): string {
  const gateway = via === undefined ? '' : `via ${via} `
  const source = src === undefined ? '' : `src ${src} `
  return `${address} ${gateway}dev ${dev} ${source}uid 0 \n    cache \n`
}
