// Blackhole routes of iproute2. The mark is `proto 223`; IPv4 routes of ours stand in front of the operator's, IPv6 routes of ours have metric 1.

import { z } from 'zod'
import { baseOf, familyOf, type Prefix, prefixFrom, toSpan } from '../../../inventory/prefix.ts'
import { type Intent, keyOf } from '../../intents.ts'
import {
  type Answer,
  type Change,
  type Facts,
  type Found,
  free,
  type Line,
  type Read,
  type Rendering,
  resolved,
} from '../../platform.ts'
import { answerTo, readJson } from '../output.ts'
import { type Question, readsOf } from './many.ts'
import { ruleReads } from './policy.ts'
import {
  decidingOf,
  describe,
  discards,
  metricOf,
  type Placed,
  type Route,
  readRoutes,
} from './route-list.ts'

type Blackhole = Intent & { kind: 'blackhole' }

const proto = '223'

/** Reads of every blackhole in any table, and of the names of the tables. */
export const tableReads: readonly [Read, Read, Read] = [
  { what: 'blackholes|4', line: free('ip -j -4 route show table all type blackhole', 'shell') },
  { what: 'blackholes|6', line: free('ip -j -6 route show table all type blackhole', 'shell') },
  { what: 'vrfs', line: free('ip -j -d link show type vrf', 'shell') },
]

/** Reads for blackholes: all of them once, the rules that may lead past them, and for each prefix what is at and inside it and what the kernel would do. */
export function routeReads(intents: readonly Blackhole[]): readonly Read[] {
  if (intents.length === 0) return []
  const [ipv4, ipv6, vrfs] = tableReads
  return [
    ipv4,
    ipv6,
    ...(intents.some(({ vrf }) => vrf !== 'default') ? [vrfs] : []),
    ...ruleReads(intents),
    ...readsOf(routeQuestions(intents), intents.length),
  ]
}

/** What is asked about each prefix. */
export function routeQuestions(intents: readonly Blackhole[]): readonly Question[] {
  return intents.flatMap(({ vrf, prefix }) => {
    const family = familyOf(prefix)
    const show = `route show ${vrf === 'default' ? '' : `vrf ${vrf} `}root ${prefix}`
    const inside = {
      what: `inside|${vrf}|${prefix}`,
      family,
      vrf,
      words: show,
      alone: `ip -j -${family} ${show}`,
    }
    if (vrf !== 'default') return [inside]
    const get = `route get ${probe(prefix)}`
    return [inside, { what: `get|${prefix}`, family, vrf, words: get, alone: `ip ${get}` }]
  })
}

/** An address in the middle: the first and the last may be the host's own (anycast, broadcast). */
function probe(prefix: Prefix): string {
  const { family, first, last, length } = toSpan(prefix)
  const host = family === 4 ? 32 : 128
  return length === host
    ? baseOf(prefix)
    : baseOf(prefixFrom(family, (first + last + 1n) / 2n, host))
}

const vrfDevices = z.array(
  z.object({
    ifname: z.string().optional(),
    linkinfo: z.object({ info_data: z.object({ table: z.number() }).optional() }).optional(),
  }),
)

/** Table numbers of the VRFs, as facts `table|<vrf>`. */
export function vrfFacts(answers: ReadonlyMap<string, Answer>): Facts {
  const answer = answers.get('vrfs')
  if (answer === undefined) return {}
  const facts: Record<string, string> = {}
  for (const { ifname, linkinfo } of readJson(answer, vrfDevices, 'VRF devices as JSON')) {
    const table = linkinfo?.info_data?.table
    // With a filter by type, `ip` prints an empty object for each link of another type.
    if (ifname !== undefined && table !== undefined) facts[`table|${ifname}`] = String(table)
  }
  return facts
}

/** What stands at the prefix, and whether the kernel drops it. */
export function findBlackhole(
  intent: Blackhole,
  answers: ReadonlyMap<string, Answer>,
  facts: Facts,
): Omit<Found, 'key'> {
  const { vrf, prefix } = intent
  if (vrf !== 'default' && facts[`table|${vrf}`] === undefined) return withoutVrf(vrf)
  const routes = readRoutes(answerTo(answers, `inside|${vrf}|${prefix}`))
  const exact = routes.filter(({ at }) => at === prefix).map(({ entry }) => entry)
  const [winner] = [...exact].sort((a, b) => metricOf(a) - metricOf(b))
  const isDropped =
    !leaksInside(routes, prefix) &&
    (vrf !== 'default' || saysDropped(answerTo(answers, `get|${prefix}`)))
  const wins = winner?.type === 'blackhole'
  const forwarding = forwardingOf(exact, isDropped)
  if (exact.some((entry) => isOwn(entry, prefix))) {
    return { object: [commandOf(intent, facts)], effect: 'same', mark: 'ours', ...forwarding }
  }
  const stray = strayIn(exact, prefix, facts[`table|${vrf}`])
  if (stray !== undefined) {
    return { object: [stray], effect: wins ? 'same' : 'none', mark: 'ours', ...forwarding }
  }
  return { ...(wins ? foreignDrop(winner, exact, prefix) : rivalIn(exact, prefix)), ...forwarding }
}

function forwardingOf(
  exact: readonly Route[],
  isDropped: boolean,
): Pick<Found, 'inForce' | 'learnt'> {
  const inForce = kernelDrops(exact, isDropped)
  const deciding = inForce === 'no' ? [] : decidingOf(exact)
  const isLearnt = deciding.some(({ protocol = '' }) => learnt.has(protocol))
  return { inForce, ...(isLearnt ? { learnt: true } : {}) }
}

/** Whether the kernel drops the whole prefix. `isDropped`: that it says so itself, and no route inside leads on. */
function kernelDrops(
  exact: readonly Route[],
  isDropped: boolean,
): Extract<Found['inForce'], 'yes' | 'partly' | 'no'> {
  const deciding = decidingOf(exact)
  if (deciding.every(({ type = 'unicast' }) => leadingOn.has(type))) return 'no'
  return isDropped && deciding.every(({ type }) => type === 'blackhole') ? 'yes' : 'partly'
}

/** Types of routes that take packets somewhere. */
const leadingOn: ReadonlySet<string> = new Set(['unicast', 'local', 'broadcast', 'multicast'])

/** Whether a more specific route leads anywhere: it beats ours for its addresses. */
function leaksInside(routes: readonly Placed[], prefix: Prefix): boolean {
  return routes.some(({ at, entry }) => at !== prefix && !discards.has(entry.type ?? 'unicast'))
}

/** With our mark, but not as we make it: whoever adopts it can have it taken away. Not where somebody's route stands in our own place. */
function strayIn(
  exact: readonly Route[],
  prefix: Prefix,
  table: string | undefined,
): string | undefined {
  const stray = exact.find(isMarked)
  if (stray === undefined || rivalIn(exact, prefix).effect !== 'none') return undefined
  return commandFor({ ...stray, table }, prefix)
}

/** Somebody else's blackhole. What a routing daemon has learnt is nobody's object here: it comes and goes with what others announce. */
function foreignDrop(
  winner: Route,
  exact: readonly Route[],
  prefix: Prefix,
): Omit<Found, 'key' | 'inForce'> {
  return learnt.has(winner.protocol ?? '')
    ? rivalIn(exact, prefix)
    : { object: [describe(winner)], effect: 'same', mark: 'none' }
}

/** Protocols by which routes are learnt from other routers, as `ip` names them. */
const learnt: ReadonlySet<string> = new Set(['bgp', 'ospf', 'isis', 'rip', 'eigrp', 'babel'])

/** An IPv6 route at our metric: the one place that ours can't be put beside. */
function rivalIn(exact: readonly Route[], prefix: Prefix): Omit<Found, 'key' | 'inForce'> {
  const rival = exact.find(({ metric }) => familyOf(prefix) === 6 && metric === 1)
  const object = rival === undefined ? [] : [describe(rival)]
  return { object, effect: rival === undefined ? 'none' : 'other', mark: 'none' }
}

function withoutVrf(vrf: string): Omit<Found, 'key'> {
  return {
    object: [],
    effect: 'none',
    mark: 'none',
    inForce: 'no',
    stop: {
      code: 'no_such_object',
      message: `there is no VRF device ${vrf} on the host`,
      remedy: 'correct the VRF in the inventory, or create the device',
    },
  }
}

/** Routes with our mark at other keys than those asked for. */
export function markedRoutes(
  answers: ReadonlyMap<string, Answer>,
  asked: ReadonlySet<string>,
  facts: Facts,
): readonly Found[] {
  const vrfs = new Map(
    Object.entries(facts)
      .filter(([name]) => name.startsWith('table|'))
      .map(([name, table]) => [table, name.slice('table|'.length)]),
  )
  return (['4', '6'] as const).flatMap((family) => {
    const answer = answers.get(`blackholes|${family}`)
    if (answer === undefined) return []
    return readRoutes(answer)
      .filter(({ entry }) => isMarked(entry))
      .map(({ at, entry }) => {
        const { table } = entry
        const vrf = table === undefined ? 'default' : (vrfs.get(table) ?? `table ${table}`)
        const key = keyOf({ kind: 'blackhole', vrf, prefix: at, tag: 0 })
        return {
          key,
          object: [commandFor(entry, at)],
          effect: 'same',
          mark: 'ours',
          inForce: 'unknown',
        } as const
      })
      .filter(({ key }) => !asked.has(key))
  })
}

/** Lines for one change of a blackhole; the object is the command that makes it. Linux routes have no tag: another tag changes nothing. */
export function renderBlackhole(
  change: Change,
  intent: Blackhole,
  { run, facts }: { readonly run: (command: string) => string; readonly facts: Facts },
): Rendering {
  const add = commandOf(intent, facts)
  const remove = (commands: readonly string[]): readonly string[] =>
    commands.map((command) => command.replace(/route (?:prepend|add)/, 'route del'))
  const lines = (commands: readonly string[]): readonly Line[] =>
    commands.map((command) => resolved(free(run(`ip ${command}`), 'shell')))
  switch (change.kind) {
    case 'apply':
      return { kind: 'lines', apply: lines([add]), undo: lines(remove([add])), wrote: [add] }
    case 'modify':
      return { kind: 'lines', apply: [], undo: [], wrote: [add] }
    case 'lift':
      // What was there before stands beside ours and shows again; nothing has to be put back.
      return {
        kind: 'lines',
        apply: lines(remove(change.wrote)),
        undo: lines(change.wrote),
        wrote: change.before,
      }
  }
}

// `prepend`, because `add` fails where any route of the same prefix and metric stands, and `replace` takes the operator's away.
// For IPv6 `prepend` would make a second entry behind the operator's, so there metric 1 wins.
function commandOf({ vrf, prefix }: Blackhole, facts: Facts): string {
  const table = vrf === 'default' ? '' : ` table ${facts[`table|${vrf}`] ?? '<table>'}`
  return familyOf(prefix) === 4
    ? `route prepend blackhole ${prefix} proto ${proto}${table}`
    : `-6 route add blackhole ${prefix} proto ${proto} metric 1${table}`
}

/** The command that makes a route with our mark, as it stands: for our own the same as `commandOf`. */
function commandFor(
  entry: Pick<Route, 'metric'> & { readonly table?: string | undefined },
  prefix: Prefix,
): string {
  const table = entry.table === undefined ? '' : ` table ${entry.table}`
  const metric = metricOf(entry)
  return familyOf(prefix) === 4
    ? `route prepend blackhole ${prefix} proto ${proto}${metric === 0 ? '' : ` metric ${metric}`}${table}`
    : `-6 route add blackhole ${prefix} proto ${proto} metric ${metric}${table}`
}

/** A discard with our mark. One for a type of service has no command of ours to take it away. */
function isMarked(entry: Route): boolean {
  return entry.type === 'blackhole' && entry.protocol === proto && entry.tos === undefined
}

function isOwn(entry: Route, prefix: Prefix): boolean {
  const metric = familyOf(prefix) === 4 ? 0 : 1
  return isMarked(entry) && metricOf(entry) === metric
}

/** The kernel's own word: it answers `Invalid argument` for a destination that it drops without a word. */
function saysDropped(answer: Answer): boolean {
  return answer.text.trim() === 'RTNETLINK answers: Invalid argument'
}
