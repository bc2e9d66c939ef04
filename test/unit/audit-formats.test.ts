// The audit log's formats against published vectors and our own.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  artifactDigest,
  artifactOf,
  packArtifact,
  readArtifact,
  unpackArtifact,
} from '../../controller/audit/artifact.ts'
import {
  canonical,
  canonicalRecord,
  type Json,
  parseCanonical,
} from '../../controller/audit/canonical.ts'
import { digestOf, disclose, parseDisclosure } from '../../controller/audit/disclosure.ts'
import { makeEntry, noEntryBefore } from '../../controller/audit/entry.ts'
import { keyOfSeed, parseSkey, parseVkey, skeyOf } from '../../controller/audit/key.ts'
import {
  emptyTree,
  grow,
  leafHash,
  nodeHash,
  packEdge,
  rootOf,
  sha256,
  type Tree,
  unpackEdge,
} from '../../controller/audit/merkle.ts'
import type { NewRecord } from '../../controller/audit/record.ts'

interface Vectors {
  readonly published: {
    readonly merkle: {
      readonly leavesHex: readonly string[]
      readonly rootsHexBySize: readonly string[]
      readonly leafL123456Hex: string
      readonly nodeN123N456Hex: string
    }
    readonly checkpointLog: {
      readonly skey: string
      readonly vkey: string
      readonly entriesUtf8: readonly string[]
      readonly checkpoints: readonly string[]
    }
    readonly signedNote: readonly { readonly skey?: string; readonly vkey: string }[]
    readonly signedNoteBadVkeys: { readonly vkeys: readonly string[] }
    readonly jcs: {
      readonly cases: readonly {
        readonly name: string
        readonly input: string
        readonly output: string
      }[]
    }
    readonly disclosure: { readonly disclosure: string; readonly digestBase64url: string }
  }
  readonly nullroute: {
    readonly origin: string
    readonly logSeed: string
    readonly logVkey: string
    readonly logSkey: string
    readonly entries: readonly {
      readonly entry: string
      readonly disclosures: readonly string[]
      readonly leafHash: string
    }[]
    readonly roots: readonly { readonly size: number; readonly hex: string }[]
  }
}

const vectors = JSON.parse(
  readFileSync(new URL('../fixtures/audit/vectors.json', import.meta.url), 'utf8'),
) as Vectors
const { published, nullroute } = vectors
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => Buffer.from(text, 'utf8')

/** RFC 6962 section 2.1, word by word. */
function rootByDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return sha256(Buffer.alloc(0))
  if (leaves.length === 1) return leafHash(only)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(rootByDefinition(leaves.slice(0, k)), rootByDefinition(leaves.slice(k)))
}

const treeOf = (leaves: readonly Uint8Array[]): Tree => leaves.map(leafHash).reduce(grow, emptyTree)

describe('canonical JSON', () => {
  it.each(published.jcs.cases)(
    'of the published case $name is right to the byte',
    ({ input, output }) => {
      const value: unknown = JSON.parse(Buffer.from(input, 'base64').toString('utf8'))

      expect(canonical(value)).toBe(Buffer.from(output, 'base64').toString('utf8'))
    },
  )

  it('is the same whatever order the names came in, and reads back to itself', () => {
    // Each rule of RFC 8785 for strings: escapes, control characters, and what stays as it is.
    const text = fc.string({
      unit: fc.constantFrom(
        'a',
        '"',
        '\\',
        '/',
        '\n',
        '\b',
        '\u0000',
        '\u001f',
        '\u007f',
        '\u2028',
        'é',
        '\uffff',
        '😀',
      ),
      maxLength: 8,
    })
    const value: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 2 },
        text,
        fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
        fc.boolean(),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 4 }), tie('json'), {
          maxKeys: 4,
        }),
      ),
    })).json

    fc.assert(
      fc.property(value, (json) => {
        const text = canonicalRecord(json)
        expect(canonicalRecord(parseCanonical(text))).toBe(text)
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ['null', { a: null }],
    ['a fraction', { a: 1.5 }],
    ['an integer beyond 2^53-1', { a: 9_007_199_254_740_992 }],
    ['a name that is not ASCII', { ä: 1 }],
    ['a lone surrogate', { a: '\ud800' }],
    ['nothing', { a: undefined }],
  ])('of a record refuses %s', (_, value) => {
    expect(() => canonicalRecord(value as unknown as Json)).toThrow(TypeError)
  })

  it.each([
    ['a blank', '{"a": 1}'],
    ['a doubled name', '{"a":1,"a":1}'],
    ['1.0', '{"a":1.0}'],
    ['1e3', '{"a":1e3}'],
    ['an integer that JavaScript would round', '{"a":9007199254740993}'],
    ['an escaped lone surrogate', '{"a":"\\ud800"}'],
    ['names out of order', '{"b":1,"a":1}'],
    ['an escape that is not needed', '{"a":"\\/"}'],
    ['a line end', '{"a":1}\n'],
    ['minus zero', '{"a":-0}'],
  ])('is not read with %s', (_, text) => {
    expect(() => parseCanonical(text)).toThrow()
  })
})

describe('the tree', () => {
  it('has the published roots, leaf and node hash', () => {
    const leaves = published.merkle.leavesHex.map((leaf) => Buffer.from(leaf, 'hex'))
    const roots = published.merkle.rootsHexBySize.map((_, size) =>
      hex(rootOf(treeOf(leaves.slice(0, size)))),
    )

    expect(roots).toEqual(published.merkle.rootsHexBySize)
    expect(hex(leafHash(bytes('L123456')))).toBe(published.merkle.leafL123456Hex)
    expect(hex(nodeHash(bytes('N123'), bytes('N456')))).toBe(published.merkle.nodeN123N456Hex)
  })

  it('has the roots that the checkpoints of another project signed', () => {
    const leaves = published.checkpointLog.entriesUtf8.map(bytes)
    const roots = published.checkpointLog.checkpoints.map((_, size) =>
      Buffer.from(rootOf(treeOf(leaves.slice(0, size)))).toString('base64'),
    )

    expect(roots).toEqual(published.checkpointLog.checkpoints.map((note) => note.split('\n')[2]))
  })

  it('grown leaf by leaf is the tree of the definition, and its edge survives being stored', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 70 }), (leaves) => {
        const tree = treeOf(leaves)
        const stored = { size: tree.size, edge: unpackEdge(tree.size, packEdge(tree.edge)) }
        expect(hex(rootOf(stored))).toBe(hex(rootByDefinition(leaves)))
      }),
      { numRuns: 60 },
    )
  })

  it('refuses an edge of another length than its size has', () => {
    expect(() => unpackEdge(3, Buffer.alloc(32))).toThrow(TypeError)
  })
})

describe('disclosures', () => {
  it('have the digest of RFC 9901', () => {
    expect(digestOf(published.disclosure.disclosure)).toBe(published.disclosure.digestBase64url)
  })

  it.each(
    nullroute.entries.flatMap(({ entry, disclosures }) =>
      disclosures.map((disclosure) => ({ entry, disclosure })),
    ),
  )('of our vectors are made as they stand there: $disclosure', ({ entry, disclosure }) => {
    const disclosed = parseDisclosure(disclosure)
    const { hidden } = JSON.parse(entry) as { hidden: Record<string, string> }

    expect(disclose(disclosed)).toBe(disclosure)
    expect(digestOf(disclosure)).toBe(hidden[disclosed.pointer])
  })

  it.each([
    ['padding', (d: string) => `${d}=`],
    ['a blank', (d: string) => `${d.slice(0, 4)} ${d.slice(4)}`],
    ['another character', (d: string) => `X${d.slice(1)}`],
    ['less than three parts', () => Buffer.from('["a","/b"]').toString('base64url')],
  ])('are not read with %s', (_, damage) => {
    const good = disclose({ salt: 'x'.repeat(22), pointer: '/on/customer', value: 'esthost' })

    expect(() => parseDisclosure(damage(good))).toThrow()
  })
})

describe('entries', () => {
  it.each(nullroute.entries)(
    'of our vectors have their leaf hash: $leafHash',
    ({ entry, leafHash: expected }) => {
      expect(hex(leafHash(bytes(entry)))).toBe(expected)
      expect(canonicalRecord(parseCanonical(entry))).toBe(entry)
    },
  )

  it('of our vectors have their roots', () => {
    const leaves = nullroute.entries.map(({ entry }) => bytes(entry))

    expect(nullroute.roots.map(({ size }) => hex(rootOf(treeOf(leaves.slice(0, size)))))).toEqual(
      nullroute.roots.map((root) => root.hex),
    )
  })

  it.each(nullroute.entries.filter(({ entry }) => !entry.includes('"proof.made"')))(
    'of our vectors are made again from their records: $leafHash',
    ({ entry, disclosures, leafHash: expected }) => {
      const { record, place, salts } = takenApart(entry, disclosures)

      const made = makeEntry(record, place, () => salts.shift() ?? '')

      expect(made.text).toBe(entry)
      expect(hex(made.leaf)).toBe(expected)
      expect(made.disclosures.map(({ disclosure }) => disclosure)).toEqual(disclosures)
    },
  )

  const place = {
    seq: 0,
    prev: noEntryBefore,
    id: '01KB0000000000000000000000',
    time: '2026-11-23T23:42:07.000Z',
  }
  const refused: NewRecord = {
    type: 'decision.refused',
    outcome: 'refused',
    actor: { kind: 'token', id: 'T', roles: ['abuse'], name: 'Alice', from: '192.0.2.77' },
    on: { customer: 'esthost' },
    data: { guard: 'protected', hit: ['10.20.0.0/16'], subject: '203.0.113.10/32' },
  }

  it('never hold a name, an address or a customer', () => {
    const { text } = makeEntry(refused, place, () => 'x'.repeat(22))

    for (const secret of ['Alice', '192.0.2.77', 'esthost', '10.20.0.0', '203.0.113.10'])
      expect(text).not.toContain(secret)
    expect(text).toContain('"guard":"protected"')
  })

  it('of more than 65,535 bytes are refused', () => {
    const record: NewRecord = { ...refused, data: { guard: 'x'.repeat(65_536) } }

    expect(() => makeEntry(record, place, () => 'x'.repeat(22))).toThrow(/65535/)
  })
})

describe('the log key', () => {
  it('of our vectors has the published forms', () => {
    const key = keyOfSeed(nullroute.origin, Buffer.from(nullroute.logSeed, 'hex'))

    expect(key.vkey).toBe(nullroute.logVkey)
    expect(skeyOf(key)).toBe(nullroute.logSkey)
  })

  it.each([
    { skey: nullroute.logSkey, vkey: nullroute.logVkey },
    published.checkpointLog,
    ...published.signedNote,
  ])('is read from both forms: $vkey', ({ skey, vkey }) => {
    if (skey !== undefined) expect(parseSkey(skey)?.vkey).toBe(vkey)
    expect(parseVkey(vkey)?.name).toBe(vkey.split('+')[0])
  })

  it('is not read from any part of its text, nor with any byte altered', () => {
    const vkey = nullroute.logVkey
    const parts = Array.from({ length: vkey.length - 1 }, (_, i) => vkey.slice(0, i + 1))
    const altered = Array.from(
      vkey,
      (character, i) =>
        `${vkey.slice(0, i)}${String.fromCharCode(character.charCodeAt(0) + 1)}${vkey.slice(i + 1)}`,
    )

    for (const text of [...parts, ...altered, ...published.signedNoteBadVkeys.vkeys])
      expect(parseVkey(text)).toBeUndefined()
    expect(parseSkey(nullroute.logSkey.replace('9c4876e6', '9c4876e7'))).toBeUndefined()
  })

  it.each(['', 'with blank', 'with+plus', 'line\nend'])('refuses %j as origin', (origin) => {
    expect(() => keyOfSeed(origin, Buffer.alloc(32))).toThrow(/origin/)
  })
})

describe('artifacts', () => {
  it('begin with their kind and salt, and come back as they were', () => {
    const content = artifactOf('transcript', 'x'.repeat(22), 'edge1# show ip route\n')

    expect(Buffer.from(content).toString('utf8')).toBe(
      `nullroute-artifact/1 transcript ${'x'.repeat(22)}\nedge1# show ip route\n`,
    )
    expect(artifactDigest(unpackArtifact(packArtifact(content)))).toBe(artifactDigest(content))
    expect(readArtifact(content)).toEqual({ kind: 'transcript', text: 'edge1# show ip route\n' })
  })

  it.each(['', 'Plan', 'a b', 'a\nb'])('are not made of the kind %j', (kind) => {
    expect(() => artifactOf(kind, 'x'.repeat(22), '')).toThrow(TypeError)
  })

  it('are not read from other files', () => {
    expect(readArtifact(bytes('nullroute-artifact/2 plan x\n'))).toBeUndefined()
  })
})

/** An entry's record as its writer gave it. */
function takenApart(entry: string, disclosures: readonly string[]) {
  const {
    v: _v,
    seq,
    prev,
    id,
    time,
    chain,
    hidden: _hidden,
    ...record
  } = JSON.parse(entry) as NewRecord & {
    v: 1
    seq: number
    prev: string
    id: string
    time: string
    chain?: { n: number; prev?: number }
    hidden?: object
  }
  const disclosed = disclosures.map(parseDisclosure)
  const whole = structuredClone(record) as unknown as Record<string, Record<string, Json>>
  for (const { pointer, value } of disclosed) {
    const [, parent = '', member = ''] = pointer.split('/')
    whole[parent]![member] = value
  }
  const chained = chain?.prev === undefined ? {} : { chained: { n: chain.n - 1, seq: chain.prev } }
  return {
    record: whole as unknown as NewRecord,
    place: { seq, prev: Buffer.from(prev, 'base64'), id, time, ...chained },
    salts: disclosed.map(({ salt }) => salt),
  }
}
