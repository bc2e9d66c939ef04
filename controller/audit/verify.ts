// Whether a log is whole: every entry is read again, and what is wrong is named. Errors are all found, not only the first. Pure.

import type { Json } from './canonical.ts'
import { parseCanonical } from './canonical.ts'
import { noEntryBefore } from './entry.ts'
import type { Finding } from './findings.ts'
import { emptyTree, grow, leafHash, rootOf, type Tree } from './merkle.ts'
import { checkDisclosures, createChains, type StoredDisclosure } from './verify-parts.ts'

/** An entry as it is kept. `at`: the place where it is kept. */
export interface StoredEntry {
  readonly at: number
  readonly bytes: Uint8Array
  readonly leaf: Uint8Array
  readonly disclosures: readonly StoredDisclosure[]
}

/** Where a log says that it ends. */
export interface StoredHead {
  readonly leaf: Uint8Array
  readonly time: string
  readonly tree: Tree
}

/** What a check found. */
export interface LogReport {
  readonly size: number
  /** Hex. */
  readonly root: string
  readonly findings: readonly Finding[]
}

type Members = { readonly [name: string]: Json }

/** One entry during the check. `vouched`: its bytes are those of its stored leaf hash, so what they say is what was written. */
interface Read {
  readonly seq: number
  readonly hash: Buffer
  readonly vouched: boolean
  readonly prev: string | undefined
  readonly record: Members | undefined
}

/** Checks entries in the order in which they are kept: canonical form, seq, prev, times, leaf hashes, chains, disclosures, and the root against the head's. */
export function verifyLog(entries: Iterable<StoredEntry>, head: StoredHead | undefined): LogReport {
  const findings: Finding[] = []
  const order = createOrder()
  const links = createLinks(findings)
  const chains = createChains(findings, (seq) => links.damaged(seq) || order.missing(seq))
  let tree = emptyTree
  let time = ''
  for (const entry of entries) {
    const read = readEntry(entry, head?.tree.size ?? 0, findings)
    tree = grow(tree, read.hash)
    order.see(read)
    links.see(read)
    if (!read.vouched || read.record === undefined) continue
    time = checkTime(read, time, findings)
    chains.see(read.seq, read.record)
    checkDisclosures({ seq: read.seq, record: read.record, stored: entry.disclosures, findings })
  }
  findings.push(...order.findings(head?.tree.size ?? 0))
  checkHead({ tree, head, links, findings })
  return {
    size: tree.size,
    root: Buffer.from(rootOf(tree)).toString('hex'),
    findings: findings.toSorted((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity)),
  }
}

function readEntry(entry: StoredEntry, headSize: number, findings: Finding[]): Read {
  const hash = Buffer.from(leafHash(entry.bytes))
  const vouched = hash.equals(entry.leaf)
  const { record, problem } = parseEntry(entry.bytes)
  const own = ownPlace(record, Math.max(entry.at, headSize))
  const seq = vouched ? (own ?? entry.at) : entry.at
  if (!vouched) {
    const unreadable = problem === undefined ? '' : `, and can't be read: ${problem}`
    const message = `its bytes are not those of its leaf hash${unreadable}`
    findings.push({ kind: 'altered', seq, message })
  } else if (own === undefined) {
    findings.push({ kind: 'malformed', seq, message: problem ?? 'has no seq within the log' })
  }
  const prev = record?.['prev']
  return { seq, hash, vouched, record, prev: typeof prev === 'string' ? prev : undefined }
}

/** The place that a record gives itself. A number beyond the log's end is none. */
function ownPlace(record: Members | undefined, max: number): number | undefined {
  const seq = record?.['seq']
  return typeof seq === 'number' && seq >= 0 && seq <= max ? seq : undefined
}

/** The record, or what is wrong with its bytes. */
function parseEntry(bytes: Uint8Array): {
  readonly record?: Members
  readonly problem?: string
} {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value = parseCanonical(text)
    return typeof value === 'object' && !Array.isArray(value)
      ? { record: value as Members } // neither an array nor a plain value
      : { problem: 'not a record' }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

interface Order {
  see(read: Read): void
  /** Whether that entry was passed over and hasn't come since. */
  missing(seq: number): boolean
  findings(headSize: number): readonly Finding[]
}

/** Whether each number is there once, in order. */
function createOrder(): Order {
  let expected = 0
  const gaps = new Set<number>()
  const hashes: Buffer[] = []
  const found: Finding[] = []
  return {
    see({ seq, hash }) {
      const before = hashes[seq]
      if (before !== undefined) {
        const doubled = before.equals(hash)
        found.push({
          kind: doubled ? 'doubled' : 'inserted',
          seq,
          message: doubled ? 'stands there twice' : 'a second entry with this number',
        })
        return
      }
      hashes[seq] = hash
      if (gaps.delete(seq)) {
        found.push({ kind: 'reordered', seq, message: `stands after entry ${expected - 1}` })
        return
      }
      for (let passed = expected; passed < seq; passed++) gaps.add(passed)
      expected = seq + 1
    },
    missing: (seq) => gaps.has(seq),
    findings(headSize) {
      const missing = runs([...gaps].toSorted((a, b) => a - b)).map(
        ([seq, to]): Finding => ({
          kind: 'removed',
          seq,
          to,
          message: seq === to ? 'is not there' : `${to - seq + 1} entries are not there`,
        }),
      )
      return [...found, ...missing, ...tail(expected, headSize)]
    },
  }
}

function tail(size: number, headSize: number): readonly Finding[] {
  if (size < headSize) {
    const message = `the log ends after ${size} entries, its head says ${headSize}`
    return [{ kind: 'truncated', seq: size, to: headSize - 1, message }]
  }
  if (size > headSize) {
    const message = `the log's head says ${headSize} entries, ${size} are there`
    return [{ kind: 'unsealed tail', seq: headSize, to: size - 1, message }]
  }
  return []
}

function runs(numbers: readonly number[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else found.push([number, number])
  }
  return found
}

interface Links {
  see(read: Read): void
  damaged(seq: number): boolean
  /** The newest entry. */
  last(): Read | undefined
  blame(seq: number, message: string): void
}

/** Whether each entry names the hash of the one before. */
function createLinks(findings: Finding[]): Links {
  const damaged = new Set<number>()
  // Entries that stand out of order meet their neighbours later: what is known of a number is kept until both are there.
  const hashes = new Map<number, string>([[-1, Buffer.from(noEntryBefore).toString('base64')]])
  let last: Read | undefined
  const blame = (seq: number, message: string) => {
    if (damaged.has(seq)) return
    damaged.add(seq)
    findings.push({ kind: 'altered', seq, message })
  }
  return {
    see(read) {
      const { seq, vouched, prev } = read
      if (!vouched) damaged.add(seq)
      const before = hashes.get(seq - 1)
      if (vouched && before !== undefined && prev !== before) {
        if (seq === 0) blame(0, 'the first entry names another before it')
        else blame(seq - 1, `entry ${seq} names another hash than that of this entry`)
      }
      hashes.set(seq, read.hash.toString('base64'))
      // Neighbours are mostly met at once; a window is enough, and a log of millions fits into memory.
      hashes.delete(seq - linkWindow)
      if (last === undefined || seq > last.seq) last = read
    },
    damaged: (seq) => damaged.has(seq),
    last: () => last,
    blame,
  }
}

/** How far apart neighbours may stand, in entries, for their link to be checked. */
const linkWindow = 65_536

function checkTime(read: Read, before: string, findings: Finding[]): string {
  const time = read.record?.['time']
  if (typeof time !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time)) {
    findings.push({ kind: 'malformed', seq: read.seq, message: 'has no time of 24 characters' })
    return before
  }
  if (time >= before) return time
  findings.push({
    kind: 'time',
    seq: read.seq,
    message: `is of ${time}, the entry before of ${before}`,
  })
  return before
}

interface HeadParts {
  readonly tree: Tree
  readonly head: StoredHead | undefined
  readonly links: Links
  readonly findings: Finding[]
}

function checkHead({ tree, head, links, findings }: HeadParts): void {
  const last = links.last()
  if (head === undefined) {
    if (last !== undefined) findings.push({ kind: 'head', message: 'the log has no head row' })
    return
  }
  const whole = findings.every(({ kind }) => kind === 'disclosure' || kind === 'artifact')
  if (!whole || last === undefined) return
  const other = [
    last.hash.equals(head.leaf) ? [] : ['last hash'],
    Buffer.from(rootOf(tree)).equals(rootOf(head.tree)) ? [] : ['right edge'],
    last.record?.['time'] === head.time ? [] : ['time'],
  ].flat()
  if (other.includes('last hash') && other.includes('right edge')) {
    links.blame(last.seq, "is not the entry that the log's head names")
  } else if (other.length > 0) {
    const message = `the log's head is not that of the entries: ${other.join(', ')}`
    findings.push({ kind: 'head', message })
  }
}
