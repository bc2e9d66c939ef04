// `ip route` and `ip rule`: the kernel's own rules about which route may stand beside which.

import { hasHostBits, typedPrefix } from '../prefixes.ts'
import { fits, getRoute, parseFilter, showRoutes } from './ip-route-show.ts'
import { parseHops } from './next-hops.ts'
import { fail, type IpOptions, type Ran, ran } from './ran.ts'
import { noTable, vrfTable, wideTarget } from './route-words.ts'
import {
  type LinuxState,
  mainTable,
  type NextHop,
  type Route,
  type RouteType,
  tableNumber,
} from './state.ts'

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
  readonly hops?: readonly NextHop[]
  readonly protocol?: string
  readonly metric?: number
  readonly table: number
}

/** What the words say, or what ip answers instead. */
function parseRoute(state: LinuxState, words: readonly string[], options: IpOptions): Wanted | Ran {
  const first = words.indexOf('nexthop')
  if (first < 0) return parseWords(state, words, options)
  const leads = parseLeads(state, words.slice(first))
  if ('status' in leads) return leads
  const route = parseWords(state, words.slice(0, first), options)
  return 'status' in route ? route : { ...route, ...leads }
}

function parseWords(state: LinuxState, words: readonly string[], options: IpOptions): Wanted | Ran {
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

/** Where the next hops lead; of one alone the kernel makes a plain route. */
function parseLeads(
  state: LinuxState,
  words: readonly string[],
): Pick<Wanted, 'via' | 'dev' | 'hops'> | Ran {
  const hops = parseHops(state.kernel, words)
  if ('status' in hops) return hops
  const [only, ...others] = hops
  if (only === undefined || others.length > 0) return { hops }
  return { ...(only.via === undefined ? {} : { via: only.via }), dev: only.dev }
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
  if (route.type === 'unicast' && !hasWay(route)) {
    return fail(2, 'RTNETLINK answers: No such device\n')
  }
  return insertRoute(state, verb, route)
}

function hasWay({ via, dev, hops }: Route): boolean {
  return via !== undefined || dev !== undefined || hops !== undefined
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
      kernel.routes = inOrder(kernel.routes, route)
      break
    case 'replace':
    case 'change': {
      const [first] = there
      if (first === undefined && verb === 'change') {
        return fail(2, 'RTNETLINK answers: No such file or directory\n')
      }
      kernel.routes =
        first === undefined
          ? inOrder(kernel.routes, route)
          : kernel.routes.map((one) => (one === first ? route : one))
      break
    }
    default: {
      if (there.some((one) => sameRoute(one, route))) return exists
      // In IPv6 `prepend` puts it behind those of the same metric all the same.
      const front = verb === 'prepend' && route.family === 4
      const at = kernel.routes.findIndex(sameKey)
      kernel.routes =
        front && at >= 0 ? kernel.routes.toSpliced(at, 0, route) : inOrder(kernel.routes, route)
    }
  }
  state.listener()
  return ran('')
}

/** The kernel keeps the routes of a prefix by metric, which is the order in which it lists and deletes them: a new one stands behind its equals. */
function inOrder(routes: readonly Route[], route: Route): Route[] {
  const at = routes.findIndex(
    (one) =>
      one.family === route.family &&
      one.table === route.table &&
      one.prefix === route.prefix &&
      one.metric > route.metric,
  )
  return at < 0 ? [...routes, route] : routes.toSpliced(at, 0, route)
}

function sameRoute(one: Route, other: Route): boolean {
  return (
    one.type === other.type &&
    one.via === other.via &&
    one.dev === other.dev &&
    JSON.stringify(one.hops) === JSON.stringify(other.hops) &&
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
      [undefined, one.dev].includes(wanted.dev) &&
      [undefined, JSON.stringify(one.hops)].includes(JSON.stringify(wanted.hops)),
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
