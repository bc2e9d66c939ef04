// Record + place in the log → entry: canonical bytes, leaf hash, and the disclosures of what is hidden. Pure.

import { canonicalRecord, type Json } from './canonical.ts'
import { digestOf, disclose } from './disclosure.ts'
import { leafHash, sha256 } from './merkle.ts'
import { type NewRecord, recordTypes } from './record.ts'

/** Longest entry in bytes: tlog-tiles writes its length as a uint16. */
const entryBytesMax = 65_535

/** `prev` of entry 0: SHA-256 of nothing. */
export const noEntryBefore: Uint8Array = sha256(Buffer.alloc(0))

/** Where an entry stands. */
export interface Place {
  readonly seq: number
  /** Leaf hash of the entry before. */
  readonly prev: Uint8Array
  /** ULID. */
  readonly id: string
  /** RFC 3339 in UTC with milliseconds, not smaller than that of the entry before. */
  readonly time: string
  /** The newest entry of the same enforcement: its number among them, and its place in the log. */
  readonly chained?: { readonly n: number; readonly seq: number }
}

/** A hidden field and what opens its digest. */
interface Disclosure {
  readonly pointer: string
  readonly disclosure: string
  readonly value: Json
}

/** An entry, ready to be written. */
export interface Entry {
  readonly text: string
  readonly leaf: Uint8Array
  readonly disclosures: readonly Disclosure[]
}

/** The entry of a record. `salt` answers 22 new characters of base64url each time. Throws TypeError for what the format refuses. */
export function makeEntry(record: NewRecord, place: Place, salt: () => string): Entry {
  const { shown, hidden } = split(record)
  const disclosures = hidden.map(({ pointer, value }) => ({
    pointer,
    value,
    disclosure: disclose({ salt: salt(), pointer, value }),
  }))
  const digests = disclosures.map(({ pointer, disclosure }) => [pointer, digestOf(disclosure)])
  const text = canonicalRecord({
    v: 1,
    seq: place.seq,
    prev: Buffer.from(place.prev).toString('base64'),
    id: place.id,
    time: place.time,
    ...shown,
    ...(record.on.enforcement === undefined ? {} : { chain: nextInChain(place.chained) }),
    ...(digests.length === 0 ? {} : { hidden: Object.fromEntries(digests) }),
  })
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length > entryBytesMax) {
    throw new TypeError(
      `a ${record.type} of ${bytes.length} B: an entry holds at most ${entryBytesMax}; keep long texts as artifacts`,
    )
  }
  return { text, leaf: leafHash(bytes), disclosures }
}

function nextInChain(chained: Place['chained']): Json {
  return chained === undefined ? { n: 0 } : { n: chained.n + 1, prev: chained.seq }
}

interface Split {
  readonly shown: { readonly [name: string]: Json }
  readonly hidden: readonly { readonly pointer: string; readonly value: Json }[]
}

/** What stands in the entry, and what only its digest does. */
function split(record: NewRecord): Split {
  const secret: readonly string[] = recordTypes[record.type]
  const { name, from, ...actor } = record.actor
  const { customer, ...on } = record.on
  const data = Object.entries(record.data)
  const hidden = [
    { pointer: '/actor/name', value: name },
    { pointer: '/actor/from', value: from },
    { pointer: '/on/customer', value: customer },
    ...data
      .filter(([member]) => secret.includes(member))
      .map(([member, value]) => ({ pointer: `/data/${member}`, value })),
  ]
  return {
    shown: {
      type: record.type,
      outcome: record.outcome,
      actor: present(actor),
      on: present(on),
      ...(record.req === undefined ? {} : { req: present(record.req) }),
      data: present(Object.fromEntries(data.filter(([member]) => !secret.includes(member)))),
    },
    hidden: hidden.flatMap(({ pointer, value }) =>
      value === undefined ? [] : [{ pointer, value }],
    ),
  }
}

/** A missing value is a missing member. */
function present(members: { readonly [name: string]: Json | undefined }): Json {
  const kept = Object.entries(members).filter(
    (member): member is [string, Json] => member[1] !== undefined,
  )
  return Object.fromEntries(kept)
}
