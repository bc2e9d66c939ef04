// Policy routing: rules that have traffic looked up in other tables before it comes to the one that ours stand in. What leads on there passes ours by.

import { z } from 'zod'
import {
  type Family,
  familyOf,
  lengthOf,
  overlaps,
  type Prefix,
  parsePrefix,
} from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import { type Answer, type Facts, type Found, free, type Read } from '../../platform.ts'
import { answerTo, readJson, unknownOutput } from '../output.ts'
import { type Question, readsOf } from './many.ts'
import { decidingOf, describe, discards, type Placed, readRoutes } from './route-list.ts'

type Blackhole = Intent & { kind: 'blackhole' }

// Loose: a word that isn't known here is a condition too.
const rule = z.looseObject({
  priority: z.number(),
  src: z.string().optional(),
  dst: z.string().optional(),
  dstlen: z.number().optional(),
  table: z.string().optional(),
  goto: z.number().optional(),
  suppress_prefixlen: z.number().optional(),
})
const ruleList = z.array(rule)

/** One rule. */
export type Rule = z.infer<typeof rule>

/** Reads of the rules, for each family that is asked about. */
export function ruleReads(intents: readonly Blackhole[]): readonly Read[] {
  const families = new Set(intents.map(({ prefix }) => familyOf(prefix)))
  return ([4, 6] as const)
    .filter((family) => families.has(family))
    .map((family) => ({
      what: `rules|${family}`,
      line: free(`ip -j -${family} rule show`, 'shell'),
    }))
}

/** The rules of each family that was asked about, in the order in which they are asked. */
export interface Policy {
  readonly rules: ReadonlyMap<Family, readonly Rule[]>
  /** Tables of VRFs, as in `vrfFacts`. */
  readonly facts: Facts
}

/** The answers to `ruleReads`. */
export function readPolicy(answers: ReadonlyMap<string, Answer>, facts: Facts): Policy {
  const rules = new Map<Family, readonly Rule[]>()
  for (const family of [4, 6] as const) {
    const answer = answers.get(`rules|${family}`)
    if (answer !== undefined) rules.set(family, rulesIn(answer))
  }
  return { rules, facts }
}

/** What is read of other tables, where a rule names any: of most hosts nothing. */
export function detourReads(
  intents: readonly Blackhole[],
  answers: ReadonlyMap<string, Answer>,
  policy: Policy,
): readonly Read[] {
  const questions = detourQuestions(intents, policy)
  return readsOf(questions, intents.length).filter(({ what }) => !answers.has(what))
}

/** What is asked of other tables about each prefix: the routes that hold it, and those inside. */
export function detourQuestions(
  intents: readonly Blackhole[],
  policy: Policy,
): readonly Question[] {
  return intents.flatMap((intent) => {
    const { prefix } = intent
    const family = familyOf(prefix)
    const tables = new Set(detoursOf(intent, policy).map(({ table }) => table))
    return [...tables].flatMap((table) =>
      (['match', 'root'] as const).map((which) => {
        const words = `route show table ${table} ${which} ${prefix}`
        const what = whatOf(which, table, prefix)
        return { what, family, vrf: `table ${table}`, words, alone: `ip -j -${family} ${words}` }
      }),
    )
  })
}

function whatOf(which: 'match' | 'root', table: string, prefix: Prefix): string {
  return `${which}|${table}|${prefix}`
}

/** What was found, and that traffic passes it by, where a rule leads to a table in which it would go on. */
export function withDetours(
  found: Omit<Found, 'key'>,
  intent: Blackhole,
  answers: ReadonlyMap<string, Answer>,
  policy: Policy,
): Omit<Found, 'key'> {
  const words = detoursOf(intent, policy).flatMap(
    (detour) => wordsOf(detour, intent.prefix, answers) ?? [],
  )
  if (words.length === 0) return found
  const note = `${words.join('; ')}: put a blackhole into that table too, or take the rule or the route away`
  return { ...found, inForce: found.inForce === 'yes' ? 'partly' : found.inForce, note }
}

/** A rule that has packets to a prefix looked up elsewhere. */
interface Detour {
  readonly priority: number
  readonly table: string
  /** A route of this length or a shorter one doesn't count. */
  readonly suppressed: number
}

function detoursOf({ vrf, prefix }: Blackhole, { rules, facts }: Policy): readonly Detour[] {
  const own = vrf === 'default' ? 'main' : facts[`table|${vrf}`]
  if (own === undefined) return []
  return asked(rules.get(familyOf(prefix)) ?? [], (one) => isLast(one, { own, vrf, prefix }))
    .filter((one) => mayConcern(one, prefix))
    .flatMap(({ priority, table = own, suppress_prefixlen: suppressed = -1 }) =>
      [own, 'local'].includes(table) ? [] : [{ priority, table, suppressed }],
    )
}

function rulesIn(answer: Answer): readonly Rule[] {
  // A kernel without rules for IPv6 looks everything up in one table.
  if (/^RTNETLINK answers: (?:Address family|Operation) not supported/m.test(answer.text)) return []
  const rules = readJson(answer, ruleList, 'rules as JSON')
  // The name of a table goes into a command.
  if (rules.some(({ table = 'main' }) => !/^\w[\w.-]*$/.test(table))) {
    throw unknownOutput(answer, 'rules whose tables have plain names')
  }
  return rules.toSorted((a, b) => a.priority - b.priority)
}

/** Rules that a packet may come to before the last one, and behind it those that one of them jumps to. */
function asked(rules: readonly Rule[], isEnd: (one: Rule) => boolean): readonly Rule[] {
  const at = rules.findIndex(isEnd)
  const end = at < 0 ? rules.length : at
  const last = rules[end]?.priority ?? Number.POSITIVE_INFINITY
  const jumps = rules.slice(0, end).flatMap((one) => one.goto ?? [])
  const from = Math.min(...jumps.filter((target) => target > last))
  return rules.filter((one, i) => i < end || (i > end && one.priority >= from))
}

/** Words of a rule that leave no packet out. */
const withoutCondition: ReadonlySet<string> = new Set([
  'priority',
  'src',
  'table',
  'protocol',
  'suppress_prefixlen',
])

/** Whether no packet to the prefix gets behind it: it looks all up in our table, and ours is not too wide for it. Of a VRF device it's the rule for all of them. */
function isLast(
  one: Rule,
  { own, vrf, prefix }: { readonly own: string; readonly vrf: string; readonly prefix: Prefix },
): boolean {
  const words = Object.keys(one).filter((word) => !withoutCondition.has(word))
  if (one.src !== 'all') return false
  if (vrf !== 'default' && words.join() === 'l3mdev') return true
  const { suppress_prefixlen: suppressed = -1 } = one
  return one.table === own && words.length === 0 && lengthOf(prefix) > suppressed
}

/** Not one for other destinations. */
function mayConcern(one: Rule, prefix: Prefix): boolean {
  if (one.dst === undefined || one.dst === 'all' || 'not' in one) return true
  const at = parsePrefix(one.dstlen === undefined ? one.dst : `${one.dst}/${one.dstlen}`)
  return !at.ok || overlaps(at.value, prefix)
}

function wordsOf(
  { priority, table, suppressed }: Detour,
  prefix: Prefix,
  answers: ReadonlyMap<string, Answer>,
): string | undefined {
  const routes = (which: 'match' | 'root'): readonly Placed[] =>
    routesIn(answerTo(answers, whatOf(which, table, prefix))).filter(
      ({ at }) => lengthOf(at) > suppressed,
    )
  const inside = routes('root').filter(({ at }) => at !== prefix)
  const leading = [...deciding(routes('match')), ...inside].find(
    ({ entry: { type = 'unicast' } }) => !discards.has(type) && type !== 'throw',
  )
  if (leading === undefined) return undefined
  return `rule ${priority} has traffic looked up in table ${table}, where ${describe(leading.entry)} leads on`
}

/** Those of the longest prefix that holds ours, without what others of the same prefix stand in front of. */
function deciding(routes: readonly Placed[]): readonly Placed[] {
  const longest = Math.max(...routes.map(({ at }) => lengthOf(at)))
  const nearest = routes.filter(({ at }) => lengthOf(at) === longest)
  const entries = new Set(decidingOf(nearest.map(({ entry }) => entry)))
  return nearest.filter(({ entry }) => entries.has(entry))
}

/** A table that a rule names, and that nobody has put a route into, is not there. */
function routesIn(answer: Answer): readonly Placed[] {
  return /^Error: ipv[46]: FIB table does not exist\.$/m.test(answer.text) ? [] : readRoutes(answer)
}
