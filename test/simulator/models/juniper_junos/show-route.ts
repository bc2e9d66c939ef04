// What a Junos device shows of routes, as text and as JSON.

import { covers, type Prefix } from '../../../../inventory/prefix.ts'
import { dispatch } from '../dispatch.ts'
import { longestMatch, typedAddress, typedPrefix } from '../prefixes.ts'
import { type JunosState, staticsOf } from './state.ts'
import { entriesOf, entryName, findStatement, type Statement, valueOf } from './tree.ts'

interface Rib {
  readonly table: string
  readonly prefix: string
  readonly protocol: 'Static' | 'BGP' | 'Direct'
  readonly preference: number
  readonly tag?: string
  /** `Discard`, `Reject`, or a way out. */
  readonly hop: string
  readonly from?: string
}

/** What `show route` was asked for. */
interface Question {
  readonly table?: string
  readonly protocol?: string
  readonly target?: string
  readonly match?: 'exact' | 'range'
}

/** The question that the words are, or undefined. */
function readQuestion(words: readonly string[]): Question | undefined {
  let question: Question = {}
  let at = 0
  while (at < words.length) {
    const found = dispatch<{ readonly set: Question; readonly words: number } | undefined>(
      words.slice(at, at + 2).join(' '),
      [
        [/^table (\S+)$/, ([, table = '']) => ({ set: { table }, words: 2 })],
        [/^protocol (\S+)$/, ([, protocol = '']) => ({ set: { protocol }, words: 2 })],
        [/^exact\b/, () => ({ set: { match: 'exact' }, words: 1 })],
        [/^range\b/, () => ({ set: { match: 'range' }, words: 1 })],
        [
          /^(?:active-path|brief|terse|all|extensive|detail|inactive-path)\b/,
          () => ({ set: {}, words: 1 }),
        ],
        [
          /^([0-9a-fA-F]*[.:]\S*)/,
          ([, text = '']) => {
            const target = fullPrefix(text)
            return target === undefined ? undefined : { set: { target }, words: 1 }
          },
        ],
      ],
    )
    if (found === undefined) return undefined
    question = { ...question, ...found.set }
    at += found.words
  }
  return question
}

/** `show route …`, the words behind. */
export function showRoute(
  state: JunosState,
  words: readonly string[],
  json: boolean,
): string | undefined {
  const question = readQuestion(words)
  if (question === undefined) return undefined
  const { table, protocol, target, match } = question
  const rib = ribOf(state).filter(
    (route) =>
      [undefined, route.table].includes(table) &&
      [undefined, route.protocol.toLowerCase()].includes(protocol),
  )
  const tables = [...new Set(rib.map((route) => route.table))].sort()
  const shown = tables
    .map((name) => {
      const own = rib.filter((one) => one.table === name)
      return { name, routes: pick(own, target, match) }
    })
    .filter(({ routes }) => routes.length > 0)
  return json ? jsonTables(state, rib, shown) : textTables(rib, shown)
}

function fullPrefix(text: string): string | undefined {
  const family = text.includes(':') ? 6 : 4
  if (text.includes('/')) return typedPrefix(text, family)
  const address = typedAddress(text)
  return address === undefined ? undefined : `${address}/${family === 4 ? 32 : 128}`
}

function pick(
  rib: readonly Rib[],
  target: string | undefined,
  match: Question['match'],
): readonly Rib[] {
  if (target === undefined) return rib
  if (match === 'range') {
    return rib.filter((route) => covers(target as Prefix, route.prefix as Prefix))
  }
  const prefix = match === 'exact' ? target : longestMatch(rib, target)?.prefix
  return rib.filter((route) => route.prefix === prefix)
}

// A configuration that is in force is replaced as a whole, never changed, and so are the learnt routes.
const known = new WeakMap<Statement, { readonly learnt: unknown; readonly rib: readonly Rib[] }>()

/** All routes; of one prefix the best first. */
function ribOf(state: JunosState): readonly Rib[] {
  const { running, learnt } = state
  const last = known.get(running)
  if (last?.learnt === learnt) return last.rib
  const rib = makeRib(state)
  known.set(running, { learnt, rib })
  return rib
}

function makeRib(state: JunosState): Rib[] {
  const statics = staticsOf(state.running).flatMap(({ table, routes }) =>
    routes?.inactive === true
      ? []
      : entriesOf(routes, 'route').flatMap((route) => staticRib(table, route, routes)),
  )
  const own = [...direct(state), ...statics].sort((x, y) => x.preference - y.preference)
  const learnt = state.learnt.flatMap(({ prefix, from, nextHop }): Rib[] => {
    const table = prefix.includes(':') ? 'inet6.0' : 'inet.0'
    // Where the device's own best route to the next hop leads. Without any it is hidden.
    const best = longestMatch(
      own.filter((one) => one.table === table),
      nextHop,
    )
    if (best === undefined) return []
    const drops = best.hop === 'Discard' || best.hop === 'Reject'
    const hop = drops ? best.hop : nextHop
    return [{ table, prefix, protocol: 'BGP', preference: 170, hop, from }]
  })
  const all = [...own, ...learnt]
  return all.sort((a, b) => a.preference - b.preference)
}

function staticRib(table: string, route: Statement, routes: Statement | undefined): Rib[] {
  if (route.inactive) return []
  const defaults = findStatement(routes ?? route, 'defaults')
  const tag = valueOf(route, 'tag') ?? valueOf(defaults, 'tag')
  const hop =
    findStatement(route, 'discard') !== undefined
      ? 'Discard'
      : findStatement(route, 'reject') !== undefined
        ? 'Reject'
        : valueOf(route, 'next-hop')
  if (hop === undefined) return []
  return [
    {
      table,
      prefix: entryName(route),
      protocol: 'Static',
      preference: Number(valueOf(route, 'preference') ?? valueOf(defaults, 'preference') ?? 5),
      hop,
      ...(tag === undefined ? {} : { tag }),
    },
  ]
}

function direct(state: JunosState): Rib[] {
  return (findStatement(state.running, 'interfaces')?.children ?? []).flatMap((port) => {
    if (findStatement(port, 'disable') !== undefined) return []
    return entriesOf(port, 'unit').flatMap((unit) =>
      entriesOf(unit, 'family').flatMap((family) =>
        entriesOf(family, 'address').flatMap((address): Rib[] => {
          const six = family.name === 'family inet6'
          const prefix = typedPrefix(entryName(address), six ? 6 : 4)
          const name = `${port.name}.${entryName(unit)}`
          return prefix === undefined
            ? []
            : [
                {
                  table: six ? 'inet6.0' : 'inet.0',
                  prefix,
                  protocol: 'Direct',
                  preference: 0,
                  hop: name,
                },
              ]
        }),
      ),
    )
  })
}

interface Shown {
  readonly name: string
  readonly routes: readonly Rib[]
}

function hopText(route: Rib): string {
  if (route.hop === 'Discard' || route.hop === 'Reject') return route.hop
  return /^[0-9a-f.:]+$/i.test(route.hop) && route.protocol === 'Static'
    ? `> to ${route.hop} via ge-0/0/0.0`
    : `> via ${route.hop}`
}

function counts(rib: readonly Rib[], table: string): { routes: number; destinations: number } {
  const own = rib.filter((route) => route.table === table)
  return { routes: own.length, destinations: new Set(own.map(({ prefix }) => prefix)).size }
}

function textTables(rib: readonly Rib[], shown: readonly Shown[]): string {
  return shown
    .map(({ name, routes }) => {
      const { routes: all, destinations } = counts(rib, name)
      const seen = new Set<string>()
      const rows = routes.map((route) => {
        const first = !seen.has(route.prefix)
        seen.add(route.prefix)
        const tag = route.tag === undefined ? '' : `, tag ${route.tag}`
        const bgp =
          route.protocol === 'BGP'
            ? `, localpref 200, from ${route.from}\n                      AS path: I, validation-state: unverified`
            : ''
        return `${(first ? route.prefix : '').padEnd(18)} ${first ? '*' : ' '}[${route.protocol}/${route.preference}] 00:00:10${tag}${bgp}\n                       ${hopText(route)}\n`
      })
      return `\n${name}: ${destinations} destinations, ${all} routes (${destinations} active, 0 holddown, 0 hidden)\n+ = Active Route, - = Last Active, * = Both\n\n${rows.join('')}`
    })
    .join('')
}

function data(value: string, attributes?: Record<string, string>): object[] {
  return [{ data: value, ...(attributes === undefined ? {} : { attributes }) }]
}

function jsonTables(state: JunosState, rib: readonly Rib[], shown: readonly Shown[]): string {
  const tables = shown.map(({ name, routes }) => {
    const { routes: all, destinations } = counts(rib, name)
    const prefixes = [...new Set(routes.map(({ prefix }) => prefix))]
    return {
      comment: 'keepalive',
      'table-name': data(name),
      'destination-count': data(String(destinations)),
      'total-route-count': data(String(all)),
      'active-route-count': data(String(destinations)),
      'holddown-route-count': data('0'),
      'hidden-route-count': data('0'),
      rt: prefixes.map((prefix) => ({
        attributes: { 'junos:style': 'brief' },
        'rt-destination': data(prefix),
        'rt-entry': routes
          .filter((route) => route.prefix === prefix)
          .map((route, at) => jsonEntry(route, at === 0)),
      })),
    }
  })
  return printJson({
    'route-information': [
      {
        attributes: {
          xmlns: `http://xml.juniper.net/junos/${state.version.split('-')[0]}/junos-routing`,
        },
        'route-table': tables,
      },
    ],
  })
}

function jsonEntry(route: Rib, active: boolean): object {
  const discard = route.hop === 'Discard' || route.hop === 'Reject'
  return {
    ...(active
      ? {
          'active-tag': data('*'),
          'current-active': [{ data: [null] }],
          'last-active': [{ data: [null] }],
        }
      : {}),
    'protocol-name': data(route.protocol),
    preference: data(String(route.preference)),
    age: data('00:00:10', { 'junos:seconds': '10' }),
    ...(route.tag === undefined ? {} : { 'rt-tag': data(route.tag) }),
    ...(route.from === undefined
      ? {}
      : { 'local-preference': data('200'), 'learned-from': data(route.from) }),
    ...(discard
      ? { 'nh-type': data(route.hop) }
      : { nh: [{ 'selected-next-hop': [{ data: [null] }], ...wayOf(route.hop) }] }),
  }
}

/** By an address, and the interface that it is behind; or by an interface alone. */
function wayOf(hop: string): object {
  return /^[0-9a-f.:]+$/i.test(hop)
    ? { to: data(hop), via: data('ge-0/0/0.0') }
    : { via: data(hop) }
}

/** JSON as Junos prints it. */
export function printJson(value: object): string {
  return `${JSON.stringify(value, null, 4).replaceAll(/^(\s*"(?:[^"\\]|\\.)*"): /gm, '$1 : ')}\n`
}
