// Filters and ports of Junos: whether a prepared list works, and what state an interface shows.

import { familyOf } from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import { type Answer, free, type Read } from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { operational } from './dialogue.ts'
import { listNames } from './objects.ts'
import { readStatements } from './statements.ts'

type Of<K extends Intent['kind']> = Extract<Intent, { readonly kind: K }>

function read(what: string, text: string): Read {
  return { what, line: free(`${text} | no-more`, operational) }
}

/** Terms that use the lists or discard, and the filters that stand on interfaces. */
export const filterReads: readonly Read[] = [
  read(
    'terms',
    'show configuration firewall | display set | match "prefix-list nullroute-|then (discard|reject)"',
  ),
  read('bound', 'show configuration interfaces | display set | match " filter (in|out)put"'),
]

/** Whether some term of a filter in use discards by the list, in that direction. `prefix-list` matches source and destination. */
export function listBound(intent: Of<'acl'>, answers: ReadonlyMap<string, Answer>): boolean {
  const name = listNames[familyOf(intent.prefix)]
  const side = intent.direction === 'in' ? 'source' : 'destination'
  const terms = readStatements(answerTo(answers, 'terms')).set
  const bound = readStatements(answerTo(answers, 'bound')).set
  return terms.some((statement) => {
    const [, term = '', filter = '', match = ''] =
      /^(firewall (?:family \S+ )?filter (\S+) term \S+) from (\S+) \S+$/.exec(statement) ?? []
    if (
      !statement.endsWith(` ${name}`) ||
      !['prefix-list', `${side}-prefix-list`].includes(match)
    ) {
      return false
    }
    const drops = terms.some(
      (one) => one === `${term} then discard` || one.startsWith(`${term} then reject`),
    )
    return drops && bound.some((one) => usesFilter(one, filter))
  })
}

/** `… filter input CUST-IN`, or one of a list: `… filter input-list CUST-IN`. */
function usesFilter(statement: string, filter: string): boolean {
  return / filter (?:in|out)put(?:-list)? (\S+)$/.exec(statement)?.[1] === filter
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
export function portState(
  answer: Answer,
  intent: Of<'port'>,
): 'on' | 'off' | 'missing' | 'unknown' {
  const { text } = answer
  if (/^error: .*not found/m.test(text)) return 'missing'
  const [, name, state] = /^Physical interface: ([^,\s]+), ([^,\n]+)/m.exec(text) ?? []
  if (name === intent.port) {
    if (state === 'Administratively down') return 'off'
    return state === 'Enabled' ? 'on' : 'unknown'
  }
  const [, flags] =
    /^\s*Logical interface (?:\S+)[^\n]*\n\s*(?:Description:[^\n]*\n\s*)?Flags: ([^\n]*)/m.exec(
      text,
    ) ?? []
  if (flags !== undefined) return /\bDown\b/.test(flags) ? 'off' : 'on'
  throw unknownOutput(
    answer,
    '`Physical interface: …`, `Logical interface …` or `error: … not found`',
  )
}
