// The answer to `show ip route A M` and `show ipv6 route P`: whether the device drops what is sent to exactly this prefix. Of a next hop the device
// is asked too, and its answer is the longest match of all its routes: a discard that is configured may be inactive, or have a better one beside it.

import {
  covers,
  familyOf,
  hostPrefix,
  type Prefix,
  parsePrefix,
} from '../../../inventory/prefix.ts'
import { type Answer, type Found, free, type Read } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { type End, endTogether, inForceOf } from '../path-ends.ts'
import { type Hop, type Path, pathOfEntry } from './paths.ts'

/** Where the route was looked up. */
export interface Table {
  readonly vrf: string
  /** All answers, among which are those for next hops. */
  readonly answers: ReadonlyMap<string, Answer>
}

const absent = /^% ?(?:Subnet not in table|Network not in table|Route not found)/m
const noTable = /^% ?(?:IP(?:v6)? routing table |VRF |IPv6 routing not enabled)/im

/** Whether the device says that there is no such route, or no such table. */
export function isAbsent(text: string): boolean {
  return absent.test(text) || noTable.test(text)
}

/** A route with its paths; undefined where the device has none. */
export interface Route {
  readonly prefix: Prefix
  readonly paths: readonly Path[]
}

/** What `show ip route …` says of one prefix or address. */
export function routeOf(answer: Answer, vrf: string): Route | undefined {
  const { text } = answer
  if (isAbsent(text)) return undefined
  const entry = /^Routing entry for ([^\s,]+)/m.exec(text)?.[1]
  if (entry === undefined)
    throw unknownOutput(answer, '`Routing entry for …` or `% … not in table`')
  const parsed = parsePrefix(entry)
  if (!parsed.ok) throw unknownOutput(answer, 'a prefix behind `Routing entry for`')
  const lines = pathLines(text)
  // Each path has a line of its metric below: more of those than paths, and one is in a form that isn't known.
  const metrics = text.match(/^[ \t]*Route metric is /gm)?.length ?? 0
  if (lines.length === 0 || metrics > lines.length) {
    throw unknownOutput(answer, 'at least one path, each in a known form')
  }
  return { prefix: parsed.value, paths: lines.map((line) => pathOfEntry(line, vrf)) }
}

/** The lines that name a path, without their details: `directly connected, via Null0`, `192.0.2.254, from 10.0.0.1`. */
function pathLines(text: string): readonly string[] {
  const [, blocks = ''] = text.split(/^[ \t]*(?:Routing Descriptor Blocks|Routing paths):[ \t]*$/m)
  return blocks
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\* ?)?/, ''))
    .filter((line) => /^(?:directly connected|attached)|^[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+/.test(line))
}

/**
 * `yes` if every path ends in a discard, from whatever source it is known: a static route, or one that was learnt with a discard next hop. `no` if every one
 * is seen to lead on, `partly` if some do. A covering route, the default above all, is another route: `no`.
 */
export function routeDiscards(answer: Answer, prefix: Prefix, table: Table): Found['inForce'] {
  const route = routeOf(answer, table.vrf)
  if (route?.prefix !== prefix) return 'no'
  return inForceOf[endsOf(route.paths, table.answers)]
}

/** Whether the route to exactly this prefix came from another router: `Known via "bgp 64500", …`. */
export function isLearnt(answer: Answer, prefix: Prefix, vrf: string): boolean {
  const [, protocol] = /^[ \t]*Known via "(\w+)/m.exec(answer.text) ?? []
  const isOwn = protocol === undefined || /^(?:static|connected|local)$/.test(protocol)
  return !isOwn && routeOf(answer, vrf)?.prefix === prefix
}

/** The read that says where a next hop leads. Without a mask: the device answers with the route that it takes for this address. */
function hopRead({ vrf, address }: Hop): Read {
  const table = vrf === 'default' ? '' : `vrf ${vrf} `
  const question =
    familyOf(hostPrefix(address)) === 4
      ? `show ip route ${table}${address}`
      : `show ipv6 route ${table}${address.toUpperCase()}`
  return { what: `hop ${vrf} ${address}`, line: free(question, 'exec') }
}

/** Whether all these paths end in a discard. One that leads in a circle, or to an address that was not asked for, does not. */
export function endsInDiscard(
  paths: readonly Path[],
  answers: ReadonlyMap<string, Answer>,
): boolean {
  return endsOf(paths, answers) === 'discard'
}

function endsOf(
  paths: readonly Path[],
  answers: ReadonlyMap<string, Answer>,
  passed: ReadonlySet<string> = new Set(),
): End {
  return endTogether(paths.map((path) => endOf(path, answers, passed)))
}

function endOf(path: Path, answers: ReadonlyMap<string, Answer>, passed: ReadonlySet<string>): End {
  if (path.kind !== 'hop') return path.kind
  const { what } = hopRead(path.hop)
  const next = passed.has(what) ? undefined : routeToHop(path.hop, answers)
  // In a circle, to an address without a route, or to one that was not asked for.
  if (next === undefined) return 'unknown'
  return endsOf(next.paths, answers, new Set([...passed, what]))
}

/** The reads that are missing to say where these paths end. */
export function readsForPaths(
  paths: readonly Path[],
  answers: ReadonlyMap<string, Answer>,
  passed: ReadonlySet<string> = new Set(),
): readonly Read[] {
  return paths.flatMap((path) => {
    if (path.kind !== 'hop') return []
    const read = hopRead(path.hop)
    if (passed.has(read.what)) return []
    if (!answers.has(read.what)) return [read]
    const next = routeToHop(path.hop, answers)
    return next === undefined
      ? []
      : readsForPaths(next.paths, answers, new Set([...passed, read.what]))
  })
}

function routeToHop(hop: Hop, answers: ReadonlyMap<string, Answer>): Route | undefined {
  const answer = answers.get(hopRead(hop).what)
  if (answer === undefined) return undefined
  const route = routeOf(answer, hop.vrf)
  if (route !== undefined && !covers(route.prefix, hostPrefix(hop.address))) {
    throw unknownOutput(answer, `a route that covers ${hop.address}`)
  }
  return route
}
