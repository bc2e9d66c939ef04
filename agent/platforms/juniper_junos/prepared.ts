// Filters and ports of Junos: whether a prepared list works, and what state an interface shows.

import type { Intent } from '../../intents.ts'
import { type Answer, type Facts, free, type Read } from '../../platform.ts'
import { type Binding, type Bindings, partBindings } from '../bindings.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { operational } from './dialogue.ts'
import { listNames } from './objects.ts'
import { isUnder, readStatements, type Statements } from './statements.ts'

type Of<K extends Intent['kind']> = Extract<Intent, { readonly kind: K }>

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

/** The filters of which a term discards by the list, and where they stand: on what comes in from the customer by its source, on what goes out to him by its destination. `prefix-list` matches both. */
export function bindingsFor(
  { family, direction }: { readonly family: 4 | 6; readonly direction: Of<'acl'>['direction'] },
  answers: ReadonlyMap<string, Answer>,
  facts: Facts,
): Bindings {
  const name = listNames[family]
  const side = direction === 'in' ? 'source' : 'destination'
  const places = placesOf(readStatements(answerTo(answers, 'bound')))
  const dropping = filtersOf(readStatements(answerTo(answers, 'terms')))
    .filter((one) => one.family === families[family])
    .filter(({ terms }) => {
      const ours = terms.findIndex(({ from, actions }) => {
        return actions.some(isDrop) && usesOf(from, name, side).some(({ whole }) => whole)
      })
      // Terms act in their order.
      return ours >= 0 && !terms.slice(0, ours).some(letsAllPass)
    })
    .map(
      ({ filter }): Binding => ({
        filter,
        interfaces: places
          .filter((one) => one.family === families[family])
          .filter((one) => one.filter === filter && one.direction === direction)
          .map((one) => one.interface),
      }),
    )
  const standing = dropping.filter(({ interfaces }) => interfaces.length > 0)
  return partBindings(standing, facts, { canonicalPort: (port) => port.toLowerCase() })
}

/** How a term uses the list, by either of its two conditions, and whether it then meets all that is in it. */
function usesOf(
  from: readonly string[],
  name: string,
  side: 'source' | 'destination',
): readonly { readonly condition: string; readonly whole: boolean }[] {
  return ['', `${side}-`]
    .map((kind) => ({ kind, condition: `${kind}prefix-list ${name}` }))
    .filter(({ condition }) => from.includes(condition))
    .map(({ kind, condition }) => {
      // Conditions of one kind add up. One of another kind (the other side, a protocol), or an exception, leaves a part only.
      const adds = new RegExp(`^${kind}(?:prefix-list|address) \\S+$`)
      return { condition, whole: from.every((one) => adds.test(one)) }
    })
}

/** Terms that would discard by the list but for a further condition, for the words of a refusal. */
export function partialTerms(
  { family, direction }: { readonly family: 4 | 6; readonly direction: Of<'acl'>['direction'] },
  answers: ReadonlyMap<string, Answer>,
): readonly string[] {
  const side = direction === 'in' ? 'source' : 'destination'
  return filtersOf(readStatements(answerTo(answers, 'terms')))
    .filter((one) => one.family === families[family])
    .flatMap(({ filter, terms }) =>
      terms
        .filter(({ actions }) => actions.some(isDrop))
        .filter(({ from }) => {
          const uses = usesOf(from, listNames[family], side)
          return uses.length > 0 && !uses.some(({ whole }) => whole)
        })
        .map(({ term, from }) => `term ${term} of ${filter} (from ${from.join(', ')})`),
    )
}

const families = { 4: 'inet', 6: 'inet6' } as const

/** Where filters stand: `interfaces ge-0/0/7 unit 0 family inet filter input CUST-IN`, or one of a list with `input-list`. */
function placesOf({ set, inactive }: Statements): readonly {
  readonly interface: string
  readonly family: string
  readonly direction: Of<'acl'>['direction']
  readonly filter: string
}[] {
  return set.flatMap((statement) => {
    if (inactive.some((path) => isUnder(statement, path))) return []
    const [, port, unit, family = '', way, filter = ''] =
      /^interfaces (\S+) unit (\d+) family (\S+) filter (in|out)put(?:-list)? (\S+)$/.exec(
        statement,
      ) ?? []
    if (way === undefined) return []
    const direction = way === 'in' ? 'in' : 'out'
    return [{ interface: `${port}.${unit}`, family, direction, filter }]
  })
}

interface Term {
  readonly term: string
  readonly from: string[]
  readonly actions: string[]
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
    const found = /^(firewall (?:family \S+ )?filter \S+) term (\S+)(?: (from|then) (.+))?$/.exec(
      statement,
    )
    const [, filter = '', name = '', part, text = ''] = found ?? []
    if (found === null) continue
    const terms = filters.get(filter) ?? new Map<string, Term>()
    const term = terms.get(name) ?? { term: name, from: [], actions: [] }
    if (part === 'from') term.from.push(text)
    if (part === 'then') term.actions.push(text)
    filters.set(filter, terms.set(name, term))
  }
  return [...filters].map(([path, terms]) => ({
    // Without a family it is for IPv4.
    family: / family (\S+) /.exec(path)?.[1] ?? 'inet',
    filter: path.split(' ').at(-1) ?? '',
    terms: [...terms.values()],
  }))
}

function isDrop(action: string): boolean {
  return action === 'discard' || /^reject\b/.test(action)
}

/** Without conditions, or with such as everything meets; and accepting, be it only by naming no other end. */
function letsAllPass({ from, actions }: Term): boolean {
  const ends = actions.some((action) => isDrop(action) || action === 'next term')
  return (
    !ends &&
    from.every((one) => /^(?:(?:source|destination)-)?address (?:0\.0\.0\.0|::)\/0$/.test(one))
  )
}

/** The configured lines, and the state. */
export function portReads(intent: Of<'port'>): readonly Read[] {
  const { port } = intent
  const name = port.replace(/\.\d+$/, '')
  return [
    read(`config ${port}`, `show configuration interfaces ${name} | display set`),
    read(`state ${port}`, `show interfaces ${port}`),
  ]
}

/** What `show interfaces` says in its first lines. A port that isn't there would be configured without a word: so it is asked first. */
export function portState(answer: Answer, intent: Of<'port'>): 'on' | 'off' | 'missing' {
  const { text } = answer
  if (/^error: .*not found/m.test(text)) return 'missing'
  const [, name, state] = /^Physical interface: ([^,\s]+), ([^,\n]+)/m.exec(text) ?? []
  if (name === intent.port) {
    if (state === 'Administratively down') return 'off'
    if (state === 'Enabled') return 'on'
    throw unknownOutput(answer, '`Enabled` or `Administratively down`')
  }
  const [, logical, flags = ''] =
    /^\s*Logical interface (\S+)[^\n]*\n\s*(?:Description:[^\n]*\n\s*)?Flags: ([^\n]*)/m.exec(
      text,
    ) ?? []
  if (logical === intent.port) {
    const words = flags.split(/\s+/)
    if (words.includes('Down')) return 'off'
    // What is down with the port or the device beneath it comes up with that: nobody holds it down.
    if (words.some((word) => /^(?:Up|(?:Device|Hardware)-Down)$/.test(word))) return 'on'
  }
  throw unknownOutput(
    answer,
    '`Physical interface: …`, `Logical interface …` or `error: … not found`',
  )
}
