// The JSON of `show route P exact`: whether the table drops what is sent to exactly this prefix. Of a next hop the device is asked too, and its answer
// is the longest match of all its routes: a discard that is configured may be deactivated, or have a better one beside it.

import { z } from 'zod'
import {
  baseOf,
  covers,
  familyOf,
  lengthOf,
  type Prefix,
  parsePrefix,
} from '../../../inventory/prefix.ts'
import { type Intent, keyOf } from '../../intents.ts'
import { type Answer, type Found, free, type Read } from '../../platform.ts'
import { answerTo, isHost, unknownOutput } from '../output.ts'
import { type End, endTogether, inForceOf } from '../path-ends.ts'
import { operational } from './dialogue.ts'
import { tableName } from './objects.ts'

/** Every value is a list of `{data}`. */
const text = z.array(z.looseObject({ data: z.unknown() })).optional()

const nextHop = z.looseObject({ to: text, via: text })

const entry = z.looseObject({
  'active-tag': text,
  'protocol-name': text,
  'nh-type': text,
  nh: z.array(nextHop).optional(),
})

const table = z.looseObject({
  'table-name': text,
  rt: z
    .array(z.looseObject({ 'rt-destination': text, 'rt-entry': z.array(entry).optional() }))
    .optional(),
})

const answerSchema = z.looseObject({
  'route-information': z.array(z.looseObject({ 'route-table': z.array(table).optional() })),
})

type Blackhole = Extract<Intent, { readonly kind: 'blackhole' }>
type Answers = ReadonlyMap<string, Answer>
type Entry = z.infer<typeof entry>

/** Name of the read that says which routes there are inside the prefix. That of the prefix itself is its key. */
export function insideOf(intent: Blackhole): string {
  return `inside ${keyOf(intent)}`
}

/**
 * `yes` if every active route is a discard, from whatever source: static, or learnt with next hops that this device discards. `no` if there is none, or every path is
 * seen to lead on; `partly` if some do; `unknown` where one ends can't be said.
 * A table without routes may be missing altogether; a route of lower preference in front of ours leaves ours without its tag.
 */
export function routeDiscards(intent: Blackhole, answers: Answers): Found['inForce'] {
  const entries = activeAt(intent, answers)
  if (entries.length === 0) return 'no'
  return inForceOf[endOf(entries, { answers, table: tableOf(intent) })]
}

/** Whether an active route came from another router. */
export function isLearnt(intent: Blackhole, answers: Answers): boolean {
  return activeAt(intent, answers).some((one) => {
    const protocol = first(one['protocol-name'])
    return protocol !== undefined && !ofItsOwn.test(protocol)
  })
}

/** Protocols of routes that Junos has from the router itself. */
const ofItsOwn = /^(?:Static|Aggregate|Direct|Local|Access|Access-internal)$/i

/** A more specific route that leads anywhere, out of `show route P range`: for its addresses it wins over the discard of the whole. */
export function leakInside(intent: Blackhole, answers: Answers): Prefix | undefined {
  const where = { answers, table: tableOf(intent) }
  return rowsInside(intent, answers).find(
    ({ active }) => active.length > 0 && !endsInDiscard(active, where),
  )?.prefix
}

/** More next hops than these are not asked for: of a route to one more it is not believed that it drops anything. */
const hopsMax = 64

/** The reads that are missing to say where the routes to these prefixes lead, and those inside: none for one inside that leads on in any case. */
export function readsForHops(intents: readonly Intent[], answers: Answers): readonly Read[] {
  const reads = new Map<string, Read>()
  for (const intent of intents) {
    if (intent.kind !== 'blackhole') continue
    const where = { answers, table: tableOf(intent) }
    const whole = activeAt(intent, answers)
    const inside = whole.length === 0 ? [] : rowsInside(intent, answers)
    const open = inside.map((row) => row.active).filter((active) => !leavesAtOnce(active))
    for (const active of [whole, ...open]) {
      for (const one of missingReads(active, where)) {
        if (reads.size < hopsMax) reads.set(one.what, one)
      }
    }
  }
  return [...reads.values()]
}

function activeAt(intent: Blackhole, answers: Answers): readonly Entry[] {
  return rowsOf(answerTo(answers, keyOf(intent)), tableOf(intent))
    .filter(({ prefix }) => prefix === intent.prefix)
    .flatMap(({ active }) => active)
}

function rowsInside(intent: Blackhole, answers: Answers): readonly Row[] {
  if (isHost(intent.prefix)) return []
  return rowsOf(answerTo(answers, insideOf(intent)), tableOf(intent)).filter(
    ({ prefix }) => prefix !== intent.prefix && covers(intent.prefix, prefix),
  )
}

function tableOf({ vrf, prefix }: Blackhole): string {
  return tableName(vrf, familyOf(prefix))
}

interface Row {
  readonly prefix: Prefix
  readonly active: readonly Entry[]
}

/** The rows of one table. What can't be read may be the route that leads on. */
function rowsOf(answer: Answer, name: string): readonly Row[] {
  const rows: Row[] = []
  for (const one of tablesIn(answer)) {
    const at = first(one['table-name'])
    if (at === undefined) throw unknownOutput(answer, 'the name of each table')
    for (const row of at === name ? (one.rt ?? []) : []) {
      const prefix = canonical(first(row['rt-destination']))
      if (prefix === undefined) throw unknownOutput(answer, `a prefix for each route of ${name}`)
      rows.push({ prefix, active: (row['rt-entry'] ?? []).filter(isActive) })
    }
  }
  return rows
}

/** `*`, `+`, and with `@` or `#` for routing or forwarding alone. `-` was active last, and is no more. */
function isActive(one: Entry): boolean {
  return /[^\s-]/.test(first(one['active-tag']) ?? '')
}

/** Where a path ends. `hop`: wherever the device's own route to that address leads. `onward`: at an interface, or at the device itself. `unknown`: in a form that isn't known. */
type Path =
  | { readonly kind: 'discard' }
  | { readonly kind: 'hop'; readonly host: Prefix }
  | { readonly kind: 'onward' }
  | { readonly kind: 'unknown' }

function pathsOf(one: Entry): readonly Path[] {
  const type = first(one['nh-type'])
  const hops = (one.nh ?? []).map((hop): Path => {
    const host = canonical(first(hop.to))
    // With an interface that is where the packets go, whatever route the address has. `dsc` is the one that discards.
    if (hop.via !== undefined) return { kind: leads(first(hop.via)) ? 'onward' : 'unknown' }
    return host === undefined ? { kind: 'unknown' } : { kind: 'hop', host }
  })
  if (type === undefined) return hops.length === 0 ? [{ kind: 'unknown' }] : hops
  if (/^(?:Discard|Reject)$/i.test(type)) return [{ kind: 'discard' }, ...hops]
  return [{ kind: /^(?:Local|Receive|Interface|Router)$/i.test(type) ? 'onward' : 'unknown' }]
}

function leads(via: string | undefined): boolean {
  return via !== undefined && !/^dsc\b/.test(via)
}

/** Where hops are looked up, and which were passed on the way: one that leads in a circle leads to no discard. */
interface Where {
  readonly answers: Answers
  readonly table: string
  readonly passed?: ReadonlySet<string>
}

/** Whether all paths of all these entries end in a discard, as the device's own routes to the next hops say; what is configured may be inactive, or have a better route beside it. */
function endsInDiscard(entries: readonly Entry[], where: Where): boolean {
  return endOf(entries, where) === 'discard'
}

function endOf(entries: readonly Entry[], where: Where): End {
  return endTogether(entries.flatMap(pathsOf).map((path) => endOfPath(path, where)))
}

function endOfPath(path: Path, where: Where): End {
  if (path.kind !== 'hop') return path.kind
  const next = nextOf(path.host, where)
  // In a circle, to an address without a route, or to one that was not asked for.
  return next === undefined ? 'unknown' : endOf(next.entries, next.where)
}

/** Whether one path is enough to say that not all is dropped. */
function leavesAtOnce(entries: readonly Entry[]): boolean {
  return entries.flatMap(pathsOf).some(({ kind }) => kind === 'onward' || kind === 'unknown')
}

function missingReads(entries: readonly Entry[], where: Where): readonly Read[] {
  return entries.flatMap(pathsOf).flatMap((path) => {
    if (path.kind !== 'hop') return []
    const read = hopRead(path.host)
    if (!where.answers.has(read.what)) return [read]
    const next = nextOf(path.host, where)
    return next === undefined ? [] : missingReads(next.entries, next.where)
  })
}

/** Without `exact`: the device answers with the route that it takes for this address. */
function hopRead(host: Prefix): Read {
  const address = baseOf(host)
  return {
    what: `hop ${address}`,
    line: free(`show route ${address} | display json | no-more`, operational),
  }
}

/** The route that is taken for a next hop; undefined where it wasn't asked for, or was passed already. */
function nextOf(
  host: Prefix,
  { answers, table: name, passed = new Set() }: Where,
): { readonly entries: readonly Entry[]; readonly where: Where } | undefined {
  const { what } = hopRead(host)
  const answer = answers.get(what)
  if (answer === undefined || passed.has(what)) return undefined
  const [best] = rowsOf(answer, name)
    .filter(({ prefix, active }) => active.length > 0 && covers(prefix, host))
    .sort((a, b) => lengthOf(b.prefix) - lengthOf(a.prefix))
  const where = { answers, table: name, passed: new Set([...passed, what]) }
  return { entries: best?.active ?? [], where }
}

function canonical(prefix: string | undefined): Prefix | undefined {
  const parsed = parsePrefix(prefix ?? '')
  return parsed.ok ? parsed.value : undefined
}

function first(value: z.infer<typeof text>): string | undefined {
  const data = value?.[0]?.data
  return typeof data === 'string' ? data : undefined
}

/** Answers that were read already: what follows a next hop comes back to them. */
const known = new WeakMap<Answer, readonly z.infer<typeof table>[]>()

function tablesIn(answer: Answer): readonly z.infer<typeof table>[] {
  const before = known.get(answer)
  if (before !== undefined) return before
  const tables = parseTables(answer)
  known.set(answer, tables)
  return tables
}

function parseTables(answer: Answer): readonly z.infer<typeof table>[] {
  const from = answer.text.indexOf('{')
  const to = answer.text.lastIndexOf('}')
  if (from < 0 && answer.text.trim() === '') return []
  try {
    const json: unknown = JSON.parse(answer.text.slice(from, to + 1))
    const parsed = answerSchema.safeParse(json)
    if (parsed.success) {
      return parsed.data['route-information'].flatMap((one) => one['route-table'] ?? [])
    }
    if (z.strictObject({}).safeParse(json).success) return []
  } catch {
    // Told below, with the answer.
  }
  throw unknownOutput(answer, 'route-information as JSON')
}
