// `ip route` and `ip rule`: the kernel's own rules about which route may stand beside which.

import { type Address, covers, hostPrefix, type Prefix } from '../../../../inventory/prefix.ts'
import { byPrefix, hasHostBits, typedAddress, typedPrefix } from '../prefixes.ts'
import type { IpOptions, Ran } from './ip.ts'
import { fail, ran } from './ip.ts'
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
  switch (word) {
    case 'via':
      route.via = value
      return undefined
    case 'dev':
      if (!state.kernel.links.some(({ name }) => name === value)) {
        return fail(1, `Cannot find device "${value}"\n`)
      }
      route.dev = value
      return undefined
    case 'proto':
    case 'protocol':
      if (!/^(?:\d{1,3}|kernel|boot|static|bgp|ra|dhcp|zebra)$/.test(value)) {
        return fail(255, `Error: argument "${value}" is wrong: "protocol" value is invalid\n\n`)
      }
      route.protocol = value
      return undefined
    case 'metric':
    case 'preference':
      route.metric = Number(value)
      return undefined
    case 'table': {
      const table = tableNumber(value)
      if (table === undefined) {
        return fail(255, `Error: argument "${value}" is wrong: "table" value is invalid\n\n`)
      }
      route.table = table
      return undefined
    }
    case 'vrf': {
      const vrf = state.kernel.links.find(({ name, kind }) => name === value && kind === 'vrf')
      if (vrf === undefined)
        return fail(255, `Error: argument "${value}" is wrong: Invalid VRF\n\n`)
      route.table = vrf.table ?? mainTable
      return undefined
    }
    default:
      return undefined
  }
}

function finishRoute(
  route: { -readonly [K in keyof Wanted]?: Wanted[K] },
  target: string | undefined,
  options: IpOptions,
): Wanted | Ran {
  if (target === undefined) return fail(255, 'Command line is not complete. Try option "help"\n')
  const wide = target === 'default' ? (options.family === 6 ? '::/0' : '0.0.0.0/0') : target
  const family = wide.includes(':') ? 6 : 4
  const text = wide.includes('/') ? wide : `${wide}/${family === 4 ? 32 : 128}`
  const prefix = typedPrefix(text, family)
  if (prefix === undefined || (options.family !== undefined && options.family !== family)) {
    const kind =
      options.family === undefined ? 'any valid' : options.family === 4 ? 'inet' : 'inet6'
    return fail(1, `Error: ${kind} prefix is expected rather than "${target}".\n`)
  }
  // Host bits: refused by IPv4, cleared without a word by IPv6.
  if (family === 4 && hasHostBits(text, 4)) {
    return fail(2, 'Error: Invalid prefix for given prefix length.\n')
  }
  return { ...route, table: route.table ?? mainTable, family, prefix }
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

function parseFilter(
  state: LinuxState,
  words: readonly string[],
  options: IpOptions,
): Filter | Ran {
  let table: number | undefined = mainTable
  let allTables = false
  const texts: Record<string, string | undefined> = {}
  let family = options.family
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const value = words[at + 1] ?? ''
    const keyed = /^(?:table|vrf|type|proto|protocol|dev|root|match|exact|scope|metric)$/.test(word)
    if (keyed) at += 1
    if (word === 'table') {
      allTables = value === 'all'
      table = tableNumber(value)
      if (table === undefined && !allTables) {
        return fail(255, `Error: argument "${value}" is wrong: table id value is invalid\n\n`)
      }
    } else if (word === 'vrf') {
      const vrf = state.kernel.links.find(({ name, kind }) => name === value && kind === 'vrf')
      if (vrf === undefined)
        return fail(255, `Error: argument "${value}" is wrong: Invalid VRF\n\n`)
      table = vrf.table
    } else if (word === 'proto' || word === 'protocol') texts['protocol'] = value
    else if (keyed) texts[word] = value
    else texts['exact'] = word
  }
  for (const key of ['exact', 'root']) {
    const text = texts[key]
    if (text === undefined) continue
    const own = text.includes(':') ? 6 : 4
    const full = text.includes('/') ? text : `${text}/${own === 4 ? 32 : 128}`
    const prefix = typedPrefix(text === 'default' ? '0.0.0.0/0' : full, own)
    if (prefix === undefined) {
      return fail(1, `Error: any valid prefix is expected rather than "${text}".\n`)
    }
    texts[key] = prefix
    family = own
  }
  return {
    // Without a family IPv4 is meant, but for `table all`, which lists both.
    family: family ?? (allTables ? undefined : 4),
    table,
    type: texts['type'] as RouteType | undefined,
    protocol: texts['protocol'],
    dev: texts['dev'],
    exact: texts['exact'],
    root: texts['root'],
  }
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

function jsonRoute(route: Route, filter: Filter, all: boolean): object {
  const discard = route.type !== 'unicast'
  return {
    ...(discard ? { type: route.type } : {}),
    dst: shownPrefix(route.prefix),
    ...(route.via === undefined ? {} : { gateway: route.via }),
    ...(route.dev === undefined
      ? discard && route.family === 6
        ? { dev: 'lo' }
        : {}
      : { dev: route.dev }),
    ...(all && route.table !== mainTable ? { table: String(route.table) } : {}),
    ...(route.protocol === 'boot' || filter.protocol !== undefined
      ? {}
      : { protocol: route.protocol }),
    ...(route.src === undefined ? {} : { scope: 'link', prefsrc: route.src }),
    ...(route.metric === 0 ? {} : { metric: route.metric }),
    flags: [],
    ...(route.family === 6 ? { pref: 'medium' } : {}),
  }
}

function textRoute(route: Route, filter: Filter, all: boolean): string {
  const discard = route.type !== 'unicast'
  return `${[
    ...(discard ? [route.type] : []),
    shownPrefix(route.prefix),
    ...(route.via === undefined ? [] : ['via', route.via]),
    ...(route.dev === undefined
      ? discard && route.family === 6
        ? ['dev lo']
        : []
      : ['dev', route.dev]),
    ...(all && route.table !== mainTable ? ['table', String(route.table)] : []),
    ...(route.protocol === 'boot' || filter.protocol !== undefined
      ? []
      : ['proto', route.protocol]),
    ...(route.src === undefined ? [] : ['scope link src', route.src]),
    ...(route.metric === 0 ? [] : ['metric', String(route.metric)]),
    ...(route.family === 6 ? ['pref medium'] : []),
  ].join(' ')}${route.family === 6 ? '' : ' '}\n`
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
  const vrf = state.kernel.links.find(({ name }) => at >= 0 && name === words[at + 1])
  const route = lookUp(state, address, vrf?.table ?? mainTable)
  if (route === undefined) return fail(2, 'RTNETLINK answers: Network is unreachable\n')
  switch (route.type) {
    case 'blackhole':
      return fail(2, 'RTNETLINK answers: Invalid argument\n')
    case 'unreachable':
      return fail(2, 'RTNETLINK answers: No route to host\n')
    case 'prohibit':
      return fail(2, 'RTNETLINK answers: Permission denied\n')
    case 'unicast': {
      const dev = route.dev ?? 'lo'
      if (options.json) {
        return ran(
          `${JSON.stringify([{ dst: address, ...(route.via === undefined ? {} : { gateway: route.via }), dev, ...(route.src === undefined ? {} : { prefsrc: route.src }), flags: [], uid: 0, cache: [] }])}\n`,
        )
      }
      const via = route.via === undefined ? '' : `via ${route.via} `
      const src = route.src === undefined ? '' : `src ${route.src} `
      return ran(`${address} ${via}dev ${dev} ${src}uid 0 \n    cache \n`)
    }
  }
}
