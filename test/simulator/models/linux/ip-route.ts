// `ip route` and `ip rule`: the kernel's own rules about which route may stand beside which.

import { type Address, covers, hostPrefix, type Prefix } from '../../../../inventory/prefix.ts'
import { byPrefix, hasHostBits, typedAddress, typedPrefix } from '../prefixes.ts'
import { fail, type IpOptions, type Ran, ran } from './ran.ts'
import { type LinuxState, mainTable, type Route, type RouteType, tableNumber } from './state.ts'

const types: readonly string[] = ['unicast', 'blackhole', 'unreachable', 'prohibit']

/** `ip route …`, the words behind `route`. */
export function ipRoute(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const [verb = 'show', ...rest] = words
  if ('show'.startsWith(verb) || 'list'.startsWith(verb)) return showRoutes(state, rest, options)
  if (verb === 'get') return getRoute(state, rest, options)
  if (verb === 'flush') return flushRoutes(state, rest, options)
  const edit = ['add', 'append', 'prepend', 'replace', 'change', 'del', 'delete'].find((one) =>
    one.startsWith(verb),
  )
  if (edit === undefined) return fail(255, `Command "${verb}" is unknown, try "ip route help".\n`)
  return editRoute(state, edit, rest, options)
}

interface Wanted {
  readonly family: 4 | 6
  readonly prefix: string
  readonly type?: RouteType
  readonly via?: string
  readonly dev?: string
  readonly protocol?: string
  readonly metric?: number
  readonly table: number
}

/** What the words say, or what ip answers instead. */
function parseRoute(state: LinuxState, words: readonly string[], options: IpOptions): Wanted | Ran {
  const route: { -readonly [K in keyof Wanted]?: Wanted[K] } = { table: mainTable }
  let target: string | undefined
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const value = words[at + 1]
    const known = /^(?:via|dev|proto|protocol|metric|preference|table|vrf|src|scope|to)$/.test(word)
    if (types.includes(word) && target === undefined && route.type === undefined) {
      route.type = word as RouteType
    } else if (!known) {
      if (target !== undefined) {
        return fail(1, `Error: either "to" is duplicate, or "${word}" is a garbage.\n`)
      }
      target = word
    } else {
      if (value === undefined) return fail(255, 'Command line is not complete. Try option "help"\n')
      at += 1
      const wrong = setAttribute(state, route, word, value)
      if (wrong !== undefined) return wrong
      if (word === 'to') target = value
    }
  }
  return finishRoute(route, target, options)
}

function setAttribute(
  state: LinuxState,
  route: { -readonly [K in keyof Wanted]?: Wanted[K] },
  word: string,
  value: string,
): Ran | undefined {
  switch (attributes[word]) {
    case 'via':
      route.via = value
      return undefined
    case 'dev':
      route.dev = value
      return state.kernel.links.some(({ name }) => name === value)
        ? undefined
        : fail(1, `Cannot find device "${value}"\n`)
    case 'protocol':
      route.protocol = value
      return protocols.test(value)
        ? undefined
        : fail(255, `Error: argument "${value}" is wrong: "protocol" value is invalid\n\n`)
    case 'metric':
      route.metric = Number(value)
      return undefined
    case 'table':
      return setTable(
        route,
        tableNumber(value),
        noTable('table', value, '"table" value is invalid'),
      )
    case 'vrf':
      return setTable(route, vrfTable(state, value), noTable('vrf', value, ''))
    case undefined:
      return undefined
  }
}

const protocols = /^(?:\d{1,3}|kernel|boot|static|bgp|ra|dhcp|zebra)$/

/** Words with a value, by what they set. */
const attributes: Readonly<
  Record<string, 'via' | 'dev' | 'protocol' | 'metric' | 'table' | 'vrf' | undefined>
> = {
  via: 'via',
  dev: 'dev',
  proto: 'protocol',
  protocol: 'protocol',
  metric: 'metric',
  preference: 'metric',
  table: 'table',
  vrf: 'vrf',
}

function setTable(
  route: { -readonly [K in keyof Wanted]?: Wanted[K] },
  table: number | undefined,
  otherwise: Ran,
): Ran | undefined {
  if (table === undefined) return otherwise
  route.table = table
  return undefined
}

/** Table of a VRF device. */
function vrfTable(state: LinuxState, name: string): number | undefined {
  return state.kernel.links.find((one) => one.name === name && one.kind === 'vrf')?.table
}

function noTable(word: 'table' | 'vrf', value: string, what: string): Ran {
  return fail(
    255,
    `Error: argument "${value}" is wrong: ${word === 'vrf' ? 'Invalid VRF' : what}\n\n`,
  )
}

function finishRoute(
  route: { -readonly [K in keyof Wanted]?: Wanted[K] },
  target: string | undefined,
  options: IpOptions,
): Wanted | Ran {
  if (target === undefined) return fail(255, 'Command line is not complete. Try option "help"\n')
  const { text, family } = wideTarget(target, options.family)
  const prefix = typedPrefix(text, family)
  if (prefix === undefined || (options.family !== undefined && options.family !== family)) {
    const kind = { any: 'any valid', 4: 'inet', 6: 'inet6' }[options.family ?? 'any']
    return fail(1, `Error: ${kind} prefix is expected rather than "${target}".\n`)
  }
  // Host bits: refused by IPv4, cleared without a word by IPv6.
  if (family === 4 && hasHostBits(text, 4)) {
    return fail(2, 'Error: Invalid prefix for given prefix length.\n')
  }
  return { ...route, table: route.table ?? mainTable, family, prefix }
}

/** The target with its length, and its family. */
function wideTarget(
  target: string,
  asked: 4 | 6 | undefined,
): { readonly text: string; readonly family: 4 | 6 } {
  if (target === 'default') {
    return asked === 6 ? { text: '::/0', family: 6 } : { text: '0.0.0.0/0', family: 4 }
  }
  const family = target.includes(':') ? 6 : 4
  return { family, text: target.includes('/') ? target : `${target}/${family === 4 ? 32 : 128}` }
}

function editRoute(
  state: LinuxState,
  verb: string,
  words: readonly string[],
  options: IpOptions,
): Ran {
  const wanted = parseRoute(state, words, options)
  if ('status' in wanted) return wanted
  if (!options.root) return fail(2, 'RTNETLINK answers: Operation not permitted\n')
  if (verb === 'del' || verb === 'delete') return deleteRoute(state, wanted)
  const route: Route = {
    ...wanted,
    type: wanted.type ?? 'unicast',
    protocol: wanted.protocol ?? 'boot',
    metric: wanted.metric ?? (wanted.family === 4 ? 0 : 1024),
  }
  if (route.type === 'unicast' && route.via === undefined && route.dev === undefined) {
    return fail(2, 'RTNETLINK answers: No such device\n')
  }
  return insertRoute(state, verb, route)
}

function insertRoute(state: LinuxState, verb: string, route: Route): Ran {
  const { kernel } = state
  const sameKey = (one: Route): boolean =>
    one.family === route.family &&
    one.table === route.table &&
    one.prefix === route.prefix &&
    one.metric === route.metric
  const there = kernel.routes.filter(sameKey)
  const exists = fail(2, 'RTNETLINK answers: File exists\n')
  switch (verb) {
    case 'add':
      if (there.length > 0) return exists
      kernel.routes = [...kernel.routes, route]
      break
    case 'replace':
    case 'change': {
      const [first] = there
      if (first === undefined && verb === 'change') {
        return fail(2, 'RTNETLINK answers: No such file or directory\n')
      }
      kernel.routes =
        first === undefined
          ? [...kernel.routes, route]
          : kernel.routes.map((one) => (one === first ? route : one))
      break
    }
    default: {
      if (there.some((one) => sameRoute(one, route))) return exists
      // In IPv6 `prepend` puts it behind those of the same metric all the same.
      const front = verb === 'prepend' && route.family === 4
      const at = kernel.routes.findIndex(sameKey)
      kernel.routes = [...kernel.routes]
      if (front && at >= 0) kernel.routes.splice(at, 0, route)
      else kernel.routes.push(route)
    }
  }
  state.listener()
  return ran('')
}

function sameRoute(one: Route, other: Route): boolean {
  return (
    one.type === other.type &&
    one.via === other.via &&
    one.dev === other.dev &&
    one.protocol === other.protocol
  )
}

function deleteRoute(state: LinuxState, wanted: Wanted): Ran {
  const { kernel } = state
  const at = kernel.routes.findIndex(
    (one) =>
      one.family === wanted.family &&
      one.table === wanted.table &&
      one.prefix === wanted.prefix &&
      // What is not named fits anything: why nobody should leave it out.
      [undefined, one.type].includes(wanted.type) &&
      [undefined, one.protocol].includes(wanted.protocol) &&
      [undefined, one.metric].includes(wanted.metric) &&
      [undefined, one.via].includes(wanted.via) &&
      [undefined, one.dev].includes(wanted.dev),
  )
  if (at < 0) return fail(2, 'RTNETLINK answers: No such process\n')
  kernel.routes = kernel.routes.filter((_, index) => index !== at)
  state.listener()
  return ran('')
}

function flushRoutes(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  if (!options.root) return fail(2, 'RTNETLINK answers: Operation not permitted\n')
  const filter = parseFilter(state, words, options)
  if ('status' in filter) return filter
  state.kernel.routes = state.kernel.routes.filter((route) => !fits(route, filter))
  state.listener()
  return ran('')
}

interface Filter {
  readonly family: 4 | 6 | undefined
  /** undefined: all tables. */
  readonly table: number | undefined
  readonly type: RouteType | undefined
  readonly protocol: string | undefined
  readonly dev: string | undefined
  readonly exact: string | undefined
  readonly root: string | undefined
}

const filterWords = /^(?:table|vrf|type|proto|protocol|dev|root|match|exact|scope|metric)$/

function parseFilter(
  state: LinuxState,
  words: readonly string[],
  options: IpOptions,
): Filter | Ran {
  const texts: Record<string, string | undefined> = {}
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (filterWords.test(word)) {
      at += 1
      texts[word.replace(/^proto$/, 'protocol')] = words[at] ?? ''
    } else texts['exact'] = word
  }
  const table = filterTable(state, texts)
  if (typeof table === 'object') return table
  const exact = filterPrefix(texts['exact'])
  const root = filterPrefix(texts['root'])
  if (exact === null || root === null) {
    const wrong = exact === null ? texts['exact'] : texts['root']
    return fail(1, `Error: any valid prefix is expected rather than "${wrong}".\n`)
  }
  return {
    family: filterFamily(exact ?? root, options, texts['table'] === 'all'),
    table,
    type: texts['type'] as RouteType | undefined,
    protocol: texts['protocol'],
    dev: texts['dev'],
    exact,
    root,
  }
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

function fits(route: Route, filter: Filter): boolean {
  return (
    [undefined, route.family].includes(filter.family) &&
    [undefined, route.table].includes(filter.table) &&
    [undefined, route.type].includes(filter.type) &&
    [undefined, route.protocol].includes(filter.protocol) &&
    [undefined, route.dev].includes(filter.dev) &&
    [undefined, route.prefix].includes(filter.exact) &&
    (filter.root === undefined || covers(filter.root as Prefix, route.prefix as Prefix))
  )
}

function showRoutes(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const filter = parseFilter(state, words, options)
  if ('status' in filter) return filter
  const { kernel } = state
  const tables = new Set([253, 254, 255, ...kernel.routes.map(({ table }) => table)])
  for (const link of kernel.links) if (link.table !== undefined) tables.add(link.table)
  if (filter.table !== undefined && !tables.has(filter.table)) {
    const family = filter.family === 6 ? 'ipv6' : 'ipv4'
    return fail(2, `Error: ${family}: FIB table does not exist.\nDump terminated\n`)
  }
  const shown = kernel.routes
    .filter((route) => fits(route, filter))
    .sort((a, b) => a.table - b.table || byPrefix(a, b))
  const all = filter.table === undefined
  if (options.json)
    return ran(`${JSON.stringify(shown.map((one) => jsonRoute(one, filter, all)))}\n`)
  return ran(shown.map((one) => textRoute(one, filter, all)).join(''))
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
  return `${words.join(' ')}${route.family === 6 ? '' : ' '}\n`
}

/** The route that the kernel takes to an address: the longest prefix, then the least metric, then the first. */
export function lookUp(state: LinuxState, address: Address, table = mainTable): Route | undefined {
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

function getRoute(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const target = words.find((word) => /[.:]/.test(word)) ?? ''
  const address = typedAddress(target)
  if (address === undefined) {
    return fail(1, `Error: any valid address is expected rather than "${target}".\n`)
  }
  const at = words.indexOf('vrf')
  const table = at < 0 ? undefined : vrfTable(state, words[at + 1] ?? '')
  const route = lookUp(state, address, table)
  if (route === undefined) return fail(2, 'RTNETLINK answers: Network is unreachable\n')
  if (route.type !== 'unicast') return fail(2, `RTNETLINK answers: ${discardErrors[route.type]}\n`)
  return ran(
    options.json ? `${JSON.stringify([jsonWay(address, route)])}\n` : textWay(address, route),
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
