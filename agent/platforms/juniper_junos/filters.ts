// Filters of Junos: whether the prepared list works where they stand.

import { covers, lengthOf, type Prefix, parsePrefix } from '../../../inventory/prefix.ts'
import { type Answer, type Facts, free, type Read } from '../../platform.ts'
import { type Binding, type Bindings, partBindings } from '../bindings.ts'
import { answerTo } from '../output.ts'
import { operational } from './dialogue.ts'
import { listNames } from './objects.ts'
import { canonicalPort } from './port-names.ts'
import { isUnder, readStatements, type Statements } from './statements.ts'

function read(what: string, text: string): Read {
  return { what, line: free(`${text} | no-more`, operational) }
}

/** All terms, since one without conditions that stands before ours lets everything pass; and the filters that stand on interfaces. */
export const filterReads: readonly Read[] = [
  read('terms', 'show configuration firewall | display set'),
  read(
    'bound',
    'show configuration interfaces | display set | match " filter (in|out)put|^deactivate"',
  ),
]

/** What is to be discarded: by its source on what comes `in`, by its destination on what goes `out`. Without a prefix any customer is meant. */
export interface Meant {
  readonly family: 4 | 6
  readonly direction: 'in' | 'out'
  readonly prefix?: Prefix
}

/**
 * The filters of which a term discards by the list, and where they stand: on what comes in from the customer by its source, on what goes out to him by
 * its destination. `prefix-list` matches both. Terms act in their order, and filters in that of their list: nothing before ours may let a part of it pass.
 */
export function bindingsFor(meant: Meant, answers: Answers, facts: Facts): Bindings {
  const { filters, chains } = readAll(meant, answers)
  const dropping = new Map<string, string[]>()
  for (const { interface: port, chain } of chains) {
    for (const name of chain) {
      const filter = filters.get(name)
      // Of a filter that isn't known nobody knows what it lets pass.
      if (filter === undefined) break
      const ours = filter.findIndex((term) => isOurs(term, meant))
      const before = filter.slice(0, ours < 0 ? undefined : ours)
      if (before.some((term) => mayLetPass(term, meant))) break
      if (ours < 0) continue
      dropping.set(name, [...(dropping.get(name) ?? []), port])
      break
    }
  }
  const standing = [...dropping].map(([filter, interfaces]): Binding => ({ filter, interfaces }))
  return partBindings(standing, facts, { canonicalPort })
}

/** Terms that discard by the list and do not count all the same, for the words of a refusal: for a further condition, or for what stands before them. */
export function whyNot(meant: Meant, answers: Answers): string {
  const { filters, chains } = readAll(meant, answers)
  const parts: string[] = []
  const partial = [...filters].flatMap(([filter, terms]) =>
    terms
      .filter(({ actions }) => actions.some(isDrop))
      .filter((term) => usesOf(term.from, meant).length > 0 && !isOurs(term, meant))
      .map(({ term, from }) => `term ${term} of ${filter} (from ${from.join(', ')})`),
  )
  if (partial.length > 0) {
    parts.push(
      `; with a further condition it drops a part only, and does not count: ${partial.join('; ')}`,
    )
  }
  const passing = chains.flatMap(({ chain }) => {
    const terms = chain.flatMap((filter) =>
      (filters.get(filter) ?? []).map((term) => ({ filter, term })),
    )
    const ours = terms.findIndex(({ term }) => isOurs(term, meant))
    const found = terms.slice(0, Math.max(ours, 0)).find(({ term }) => mayLetPass(term, meant))
    return found === undefined ? [] : [`term ${found.term.term} of ${found.filter}`]
  })
  if (passing.length > 0) parts.push(`; before it stands ${[...new Set(passing)].join(', ')}`)
  return parts.join('')
}

type Answers = ReadonlyMap<string, Answer>

/** Terms by filter, and for each interface the filters that stand on it, in their order. */
function readAll(
  { family, direction }: Meant,
  answers: Answers,
): {
  readonly filters: ReadonlyMap<string, readonly Term[]>
  readonly chains: readonly Chain[]
} {
  const of = families[family]
  const filters = filtersOf(readStatements(answerTo(answers, 'terms')))
    .filter((one) => one.family === of)
    .map(({ filter, terms }) => [filter, terms] as const)
  const chains = placesOf(readStatements(answerTo(answers, 'bound'))).filter(
    (one) => one.family === of && one.direction === direction,
  )
  return { filters: new Map(filters), chains }
}

/** Whether it discards all that is in the list. */
function isOurs({ from, actions }: Term, meant: Meant): boolean {
  return actions.some(isDrop) && usesOf(from, meant).some(({ whole }) => whole)
}

/** How a term uses the list, by either of its two conditions, and whether it then meets all that is in it. */
function usesOf(
  from: readonly string[],
  { family, direction }: Meant,
): readonly { readonly whole: boolean }[] {
  return ['', `${sides[direction]}-`]
    .filter((kind) => from.includes(`${kind}prefix-list ${listNames[family]}`))
    .map((kind) => {
      // Conditions of one kind add up. One of another kind (the other side, a protocol), or an exception, leaves a part only.
      const adds = new RegExp(`^${kind}(?:prefix-list|address) \\S+$`)
      return { whole: from.every((one) => adds.test(one)) }
    })
}

const sides = { in: 'source', out: 'destination' } as const

const families = { 4: 'inet', 6: 'inet6' } as const

/** What stands on one interface in one direction. */
interface Chain {
  readonly interface: string
  readonly family: string
  readonly direction: Meant['direction']
  readonly chain: string[]
}

/** Where filters stand: `interfaces ge-0/0/7 unit 0 family inet filter input CUST-IN`, or each of a list with `input-list`. */
function placesOf({ set, inactive }: Statements): readonly Chain[] {
  const chains = new Map<string, Chain>()
  for (const statement of set) {
    if (inactive.some((path) => isUnder(statement, path))) continue
    const [, port, unit, family = '', way, names = ''] =
      /^interfaces (\S+) unit (\d+) family (\S+) filter (in|out)put(?:-list)? (.+)$/.exec(
        statement,
      ) ?? []
    if (way === undefined) continue
    const at = `${port}.${unit} ${family} ${way}`
    const direction = way === 'in' ? 'in' : 'out'
    const one = chains.get(at) ?? { interface: `${port}.${unit}`, family, direction, chain: [] }
    one.chain.push(...names.split(' ').filter((name) => name !== '[' && name !== ']'))
    chains.set(at, one)
  }
  return [...chains.values()]
}

interface Term {
  readonly term: string
  readonly from: string[]
  readonly actions: string[]
  /** Holds something besides conditions and actions: another filter, above all. */
  opaque: boolean
}

/** Filters with their terms in order, without what is deactivated. */
function filtersOf({ set, inactive }: Statements): readonly {
  readonly family: string
  readonly filter: string
  readonly terms: readonly Term[]
}[] {
  const filters = new Map<string, Map<string, Term>>()
  for (const statement of set) {
    if (inactive.some((path) => isUnder(statement, path))) continue
    const found = /^(firewall (?:family \S+ )?filter \S+) term (\S+)(?: (\S+)(?!\S) ?(.*))?$/.exec(
      statement,
    )
    const [, filter = '', name = '', part, text = ''] = found ?? []
    if (found === null) continue
    const terms = filters.get(filter) ?? new Map<string, Term>()
    const term = terms.get(name) ?? { term: name, from: [], actions: [], opaque: false }
    addTo(term, part, text)
    filters.set(filter, terms.set(name, term))
  }
  return [...filters].map(([path, terms]) => ({
    // Without a family it is for IPv4.
    family: / family (\S+) /.exec(path)?.[1] ?? 'inet',
    filter: path.split(' ').at(-1) ?? '',
    terms: [...terms.values()],
  }))
}

function addTo(term: Term, part: string | undefined, text: string): void {
  if (part === 'from') term.from.push(text)
  else if (part === 'then') term.actions.push(text)
  else if (part !== undefined) term.opaque = true
}

function isDrop(action: string): boolean {
  return action === 'discard' || /^reject\b/.test(action)
}

/**
 * A term that accepts, be it only by naming no other end, and of which it can't be shown that no packet of the customer's meets it: that is so where
 * all addresses that it asks for on this side lie elsewhere.
 */
function mayLetPass({ from, actions, opaque }: Term, { direction, prefix }: Meant): boolean {
  if (opaque) return true
  if (actions.some((action) => isDrop(action) || action === 'next term')) return false
  const side = sides[direction]
  const asked = from.filter((one) => one.startsWith(`${side}-address `))
  if (asked.length === 0 || from.some((one) => one.startsWith(`${side}-prefix-list `))) return true
  return asked.some((one) => {
    const parsed = parsePrefix(one.slice(`${side}-address `.length))
    if (!parsed.ok) return true
    if (prefix === undefined) return lengthOf(parsed.value) === 0
    return covers(parsed.value, prefix) || covers(prefix, parsed.value)
  })
}
