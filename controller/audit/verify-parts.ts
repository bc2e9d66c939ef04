// The parts of a check that look into records: chains of enforcements, and disclosures. Pure.

import type { Json } from './canonical.ts'
import { digestOf, parseDisclosure, searchable } from './disclosure.ts'
import type { Finding } from './findings.ts'

type Members = { readonly [name: string]: Json }

/** A disclosure as it is kept. */
export interface StoredDisclosure {
  readonly pointer: string
  readonly disclosure: string
  /** The value, as it is kept beside for searching. */
  readonly value: string
}

/** The chains of all enforcements. `lost`: whether an entry is known to be damaged or missing, which explains a gap. */
export function createChains(
  findings: Finding[],
  lost: (seq: number) => boolean,
): { see(seq: number, record: Members): void } {
  const newest = new Map<string, { readonly n: number; readonly seq: number }>()
  return {
    see(seq, record) {
      const enforcement = members(record['on'])?.['enforcement']
      const chain = members(record['chain'])
      if (typeof enforcement !== 'string') {
        if (chain !== undefined) {
          findings.push({ kind: 'chain', seq, message: 'has a chain and no enforcement' })
        }
        return
      }
      const before = newest.get(enforcement)
      const problem = chainProblem(chain, before)
      const prev = chain?.['prev']
      const explained = typeof prev === 'number' && lost(prev)
      if (problem !== undefined && !explained) {
        const message = `breaks the chain of ${enforcement}: ${problem}`
        findings.push({ kind: 'chain', seq, message })
      }
      const n = chain?.['n']
      newest.set(enforcement, { n: typeof n === 'number' ? n : 0, seq })
    },
  }
}

function chainProblem(
  chain: Members | undefined,
  before: { readonly n: number; readonly seq: number } | undefined,
): string | undefined {
  const expected = before === undefined ? { n: 0 } : { n: before.n + 1, prev: before.seq }
  const found = { n: chain?.['n'], prev: chain?.['prev'] }
  if (found.n === expected.n && found.prev === before?.seq) return undefined
  return `expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`
}

/** Each disclosure against the digest in its entry. One that isn't there was withheld or erased, and is no finding. */
export function checkDisclosures(about: {
  readonly seq: number
  readonly record: Members
  readonly stored: readonly StoredDisclosure[]
  readonly findings: Finding[]
}): void {
  const hidden = members(about.record['hidden'])
  for (const stored of about.stored) {
    const problem = disclosureProblem(stored, hidden, about.record)
    if (problem === undefined) continue
    about.findings.push({
      kind: 'disclosure',
      seq: about.seq,
      message: `${stored.pointer}: ${problem}`,
    })
  }
}

function disclosureProblem(
  stored: StoredDisclosure,
  hidden: Members | undefined,
  record: Members,
): string | undefined {
  const digest = hidden?.[stored.pointer]
  if (digest === undefined) return 'nothing is hidden there in the entry'
  if (digestOf(stored.disclosure) !== digest) return 'is not what was hidden'
  const disclosed = parsed(stored.disclosure)
  if (disclosed === undefined) return 'can not be read'
  if (disclosed.pointer !== stored.pointer) return `belongs to ${disclosed.pointer}`
  if (standsAt(record, stored.pointer)) return 'is hidden and stands in the entry too'
  return searchable(disclosed.value) === stored.value
    ? undefined
    : 'the value kept for searching is another'
}

function parsed(disclosure: string): ReturnType<typeof parseDisclosure> | undefined {
  try {
    return parseDisclosure(disclosure)
  } catch {
    return undefined
  }
}

/** Whether there is a member at a JSON Pointer (RFC 6901). */
function standsAt(record: Members, pointer: string): boolean {
  let at: Json | undefined = record
  for (const step of pointer.split('/').slice(1)) {
    at = members(at)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return at !== undefined
}

function members(value: Json | undefined): Members | undefined {
  return typeof value === 'object' && !Array.isArray(value) ? (value as Members) : undefined
}
