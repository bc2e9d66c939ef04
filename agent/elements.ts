// Filter sets hold maximal prefixes: which wanted intent stands for which. Pure. What is done about them is diff.ts.

import { comparePrefixes, covers, type Prefix } from '../inventory/prefix.ts'
import type { Intent } from './intents.ts'

type Acl = Extract<Intent, { kind: 'acl' }>

/** The wanted intent that stands for one: itself, or the widest acl intent of the same direction that covers it. Sorted once for a set; each question is a binary search. */
export function elementsIn(wanted: readonly Intent[]): (intent: Intent) => Intent {
  const acls = wanted.filter((intent) => intent.kind === 'acl')
  const widest = { in: widestOf(acls, 'in'), out: widestOf(acls, 'out') }
  return (intent) => {
    if (intent.kind !== 'acl') return intent
    const element = lastUpTo(widest[intent.direction], intent.prefix)
    const stands = element !== undefined && element.prefix !== intent.prefix
    return stands && covers(element.prefix, intent.prefix) ? element : intent
  }
}

/** Those that stand for themselves, in the order given. */
export function maximalIntents(wanted: readonly Intent[]): readonly Intent[] {
  const elementOf = elementsIn(wanted)
  return wanted.filter((intent) => elementOf(intent) === intent)
}

/** Those that no other covers, ascending: side by side, so that of all that could cover a prefix only the last that begins before it can. */
function widestOf(acls: readonly Acl[], direction: Acl['direction']): readonly Acl[] {
  const kept: Acl[] = []
  const ascending = acls
    .filter((acl) => acl.direction === direction)
    .sort((one, other) => comparePrefixes(one.prefix, other.prefix))
  for (const acl of ascending) {
    const last = kept.at(-1)
    if (last === undefined || !covers(last.prefix, acl.prefix)) kept.push(acl)
  }
  return kept
}

function lastUpTo(ascending: readonly Acl[], prefix: Prefix): Acl | undefined {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const acl = ascending[middle]
    if (acl !== undefined && comparePrefixes(acl.prefix, prefix) <= 0) low = middle + 1
    else high = middle
  }
  return ascending[low - 1]
}
