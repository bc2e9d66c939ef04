// What a check of the log finds: each kind of damage is made from a good log, and must be named where it is.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { searchable } from '../../controller/audit/disclosure.ts'
import { type Entry, makeEntry, noEntryBefore } from '../../controller/audit/entry.ts'
import { emptyTree, grow, leafHash } from '../../controller/audit/merkle.ts'
import type { NewRecord } from '../../controller/audit/record.ts'
import { type StoredEntry, type StoredHead, verifyLog } from '../../controller/audit/verify.ts'

interface Log {
  readonly entries: readonly StoredEntry[]
  readonly head: StoredHead
}

const record = (index: number): NewRecord => ({
  type: 'enforcement.retried',
  outcome: 'ok',
  actor: { kind: 'token', id: `T${index}`, name: 'Alice', from: '192.0.2.77' },
  // Two chains, and entries of none between them.
  on: { customer: 'esthost', ...(index % 3 === 0 ? {} : { enforcement: `E${index % 3}` }) },
  data: { reason: `again ${index}` },
})

const timeOf = (second: number) => new Date(Date.UTC(2026, 10, 23, 0, 0, second)).toISOString()

/** A log as it should be. `alter` changes what is written from one entry on, as a forger with the whole database could. */
function goodLog(size: number, time: (index: number) => string = timeOf): Log {
  const entries: StoredEntry[] = []
  const chains = new Map<string, { n: number; seq: number }>()
  let tree = emptyTree
  let prev = noEntryBefore
  for (let seq = 0; seq < size; seq++) {
    const { on } = record(seq)
    const before = on.enforcement === undefined ? undefined : chains.get(on.enforcement)
    const chained = before === undefined ? {} : { chained: before }
    const place = {
      seq,
      prev,
      id: `01KB${String(seq).padStart(22, '0')}`,
      time: time(seq),
      ...chained,
    }
    const entry = makeEntry(record(seq), place, () => String(seq).padStart(22, 'x'))
    if (on.enforcement !== undefined) chains.set(on.enforcement, { n: (before?.n ?? -1) + 1, seq })
    entries.push(stored(seq, entry))
    tree = grow(tree, entry.leaf)
    prev = entry.leaf
  }
  return { entries, head: { tree, leaf: prev, time: time(size - 1) } }
}

function stored(at: number, { text, leaf, disclosures }: Entry): StoredEntry {
  return {
    at,
    bytes: Buffer.from(text),
    leaf,
    disclosures: disclosures.map(({ pointer, disclosure, value }) => ({
      pointer,
      disclosure,
      value: searchable(value),
    })),
  }
}

const good = goodLog(20)
const problems = (entries: readonly StoredEntry[], head: StoredHead | undefined = good.head) =>
  verifyLog(entries, head).findings.map(({ kind, seq, to }) =>
    [kind, seq, to].filter((part) => part !== undefined).join(' '),
  )

/** The same entries, kept at other places: what a forger does who renumbers the rows. */
const renumbered = (entries: readonly StoredEntry[]) =>
  entries.map((entry, at) => ({ ...entry, at }))
const flipped = (bytes: Uint8Array, bit: number) => {
  const copy = Buffer.from(bytes)
  copy[Math.floor(bit / 8)]! ^= 2 ** (bit % 8)
  return copy
}
const edited = (at: number, from: string, to: string) =>
  good.entries.map((entry) => {
    if (entry.at !== at) return entry
    const bytes = Buffer.from(Buffer.from(entry.bytes).toString().replace(from, to))
    return { ...entry, bytes, leaf: leafHash(bytes) }
  })

describe('a check of the log', () => {
  it('finds nothing in a good one, of any size', () => {
    for (let size = 1; size < 40; size++) {
      const log = goodLog(size)
      expect(problems(log.entries, log.head)).toEqual([])
    }
  })

  it('names the entry of any single flipped bit, and no other', () => {
    fc.assert(
      fc.property(fc.nat(19), fc.nat(), (at, anyBit) => {
        const entries = good.entries.map((entry) =>
          entry.at === at
            ? { ...entry, bytes: flipped(entry.bytes, anyBit % (entry.bytes.length * 8)) }
            : entry,
        )
        expect(problems(entries)).toEqual([`altered ${at}`])
      }),
    )
  })

  it('names the entry of any bit flipped in a leaf hash', () => {
    fc.assert(
      fc.property(fc.nat(19), fc.nat(255), (at, bit) => {
        const entries = good.entries.map((entry) =>
          entry.at === at ? { ...entry, leaf: flipped(entry.leaf, bit) } : entry,
        )
        expect(problems(entries)).toEqual([`altered ${at}`])
      }),
    )
  })

  it('names any bit flipped in the head', () => {
    fc.assert(
      fc.property(fc.nat(1), fc.nat(255), (hash, bit) => {
        const edge = good.head.tree.edge.map((bytes, i) =>
          i === hash ? flipped(bytes, bit) : bytes,
        )
        expect(problems(good.entries, { ...good.head, tree: { size: 20, edge } })).toEqual(['head'])
        expect(
          problems(good.entries, { ...good.head, leaf: flipped(good.head.leaf, bit) }),
        ).toEqual(['head'])
      }),
    )
    expect(problems(good.entries, { ...good.head, time: timeOf(99) })).toEqual(['head'])
    expect(verifyLog(good.entries, undefined).findings.map(({ kind }) => kind)).toContain('head')
  })

  it('names an entry that was rewritten together with its leaf hash', () => {
    fc.assert(
      fc.property(fc.nat(19), (at) => {
        expect(problems(edited(at, `"T${at}"`, '"T99"'))).toEqual([`altered ${at}`])
      }),
    )
  })

  it.each([[renumbered], [(entries: readonly StoredEntry[]) => entries]])(
    'names what was removed, whether or not the rest was renumbered',
    (kept) => {
      expect(problems(kept(good.entries.toSpliced(6, 1)))).toEqual(['removed 6 6'])
      expect(problems(kept(good.entries.toSpliced(6, 4)))).toEqual(['removed 6 9'])
      expect(problems(kept(good.entries.toSpliced(0, 2)))).toEqual(['removed 0 1'])
      expect(problems(kept(good.entries.slice(0, 17)))).toEqual(['truncated 17 19'])
      expect(problems([])).toEqual(['truncated 0 19'])
    },
  )

  it('names an entry that stands there twice, and one that was put in', () => {
    const twice = renumbered(good.entries.toSpliced(8, 0, good.entries[7]!))
    const other = {
      ...good.entries[7]!,
      bytes: edited(7, 'ok', 'no')[7]!.bytes,
      leaf: edited(7, 'ok', 'no')[7]!.leaf,
    }
    const inserted = renumbered(good.entries.toSpliced(8, 0, other))

    expect(problems(twice)).toContain('doubled 7')
    expect(problems(inserted)).toContain('inserted 7')
    expect(problems(twice).filter((problem) => problem.startsWith('altered'))).toEqual([])
  })

  it('names entries that changed places', () => {
    fc.assert(
      fc.property(fc.nat(17), (at) => {
        const entries = renumbered(
          good.entries.toSpliced(at, 2, good.entries[at + 1]!, good.entries[at]!),
        )
        expect(problems(entries)).toContain(`reordered ${at}`)
        expect(
          problems(entries).filter((problem) => /altered|removed|inserted/.test(problem)),
        ).toEqual([])
      }),
    )
  })

  it('names entries after the end that the head knows', () => {
    expect(problems(goodLog(22).entries)).toEqual(['unsealed tail 20 21'])
  })

  it('names all damage, not only the first', () => {
    const entries = good.entries
      .map((entry) =>
        entry.at === 3 || entry.at === 15 ? { ...entry, bytes: flipped(entry.bytes, 77) } : entry,
      )
      .toSpliced(9, 2)

    expect(problems(entries)).toEqual(['altered 3', 'removed 9 10', 'altered 15'])
  })

  it('names a time that goes back', () => {
    const log = goodLog(20, (index) => timeOf(index === 11 ? 5 : index))

    expect(problems(log.entries, log.head)).toEqual(['time 11'])
  })

  it.each([
    ['a number is missing', '"chain":{"n":2,"prev":4}', '"chain":{"n":3,"prev":4}'],
    ['it points elsewhere', '"chain":{"n":2,"prev":4}', '"chain":{"n":2,"prev":5}'],
    ['it begins anew', '"chain":{"n":2,"prev":4}', '"chain":{"n":0}'],
  ])('names a broken chain, where %s', (_, from, to) => {
    expect(problems(edited(7, from, to))).toContain('chain 7')
  })

  it.each([
    ['a value', (entry: StoredEntry) => ({ ...entry.disclosures[0]!, value: 'Mallory' })],
    [
      'a character',
      (entry: StoredEntry) => ({
        ...entry.disclosures[0]!,
        disclosure: `X${entry.disclosures[0]!.disclosure.slice(1)}`,
      }),
    ],
    ['its place', (entry: StoredEntry) => ({ ...entry.disclosures[0]!, pointer: '/actor/from' })],
    [
      'a place where nothing is hidden',
      (entry: StoredEntry) => ({ ...entry.disclosures[0]!, pointer: '/actor/id' }),
    ],
  ])('names a disclosure of which %s was changed', (_, change) => {
    const entries = good.entries.map((entry) =>
      entry.at === 5 ? { ...entry, disclosures: [change(entry)] } : entry,
    )

    expect(problems(entries)).toEqual(['disclosure 5'])
  })

  it('takes erased disclosures for what they are: no finding', () => {
    expect(problems(good.entries.map((entry) => ({ ...entry, disclosures: [] })))).toEqual([])
  })

  it('refuses bytes that are not canonical even if their hash is right', () => {
    expect(problems(edited(19, '"outcome":"ok"', '"outcome": "ok"'))).toContain('malformed 19')
    expect(problems(edited(19, '"seq":19', '"seq":9007199254740991'))).toContain('malformed 19')
  })
})
