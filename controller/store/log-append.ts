// Appending to the audit log, inside a write transaction: where the log ends is read from the head row in each transaction, never from memory of another.

import { monotonicFactory } from 'ulid'
import type { Clock } from '../../agent/clock.ts'
import type { Json } from '../audit/canonical.ts'
import { searchable } from '../audit/disclosure.ts'
import { type Entry, makeEntry, noEntryBefore, type Place } from '../audit/entry.ts'
import { emptyTree, grow, packEdge, type Tree, unpackEdge } from '../audit/merkle.ts'
import type { NewRecord } from '../audit/record.ts'
import { freshBytes, freshFraction } from './random.ts'
import type { Sql } from './statements.ts'
import type { Committed } from './store.ts'

/** 128 bits that were never used before, as base64url. */
export function newSalt(): string {
  return Buffer.from(freshBytes(16)).toString('base64url')
}

/** A record that was appended, and the words by which it is to be found. */
export interface Appended {
  readonly committed: Committed
  readonly words: string
}

/** What appends records; only inside a transaction that holds the database's write lock. */
export interface Append {
  /** Appends one. Its words are for `indexWords`, before the transaction ends. */
  record(record: NewRecord): Appended
  /** To be called when a transaction has begun, and when appends were undone: where the log ends is read anew. */
  look(): void
}

/** Appends to the log of a database. */
export function createAppend(sql: Sql, clock: Clock): Append {
  const ulid = monotonicFactory(freshFraction)
  /** Where the log ends, once the transaction has read it: until that ends nobody else can append. */
  let known: Head | undefined
  function append(record: NewRecord): Appended {
    const head = known ?? readHead(sql)
    // What fails half-way leaves the row as the only one that says.
    known = undefined
    // A clock that went back is held, so that times never fall along the log.
    const now = clock.now().toISOString()
    const time = now < head.time ? head.time : now
    const place: Place = {
      seq: head.tree.size,
      prev: head.leaf,
      id: ulid(Date.parse(time)),
      time,
      ...chainOf(sql, record.on.enforcement),
    }
    const entry = makeEntry(record, place, newSalt)
    write(sql, record, place, entry)
    const next = { tree: grow(head.tree, entry.leaf), leaf: entry.leaf, time }
    writeHead(sql, next)
    known = next
    const { enforcement, device } = record.on
    const committed = {
      seq: place.seq,
      type: record.type,
      ...(enforcement === undefined ? {} : { enforcement }),
      ...(device === undefined ? {} : { device }),
    }
    return { committed, words: wordsIn(record) }
  }
  return {
    record: append,
    look() {
      known = undefined
    },
  }
}

/** Puts what was appended into the text search. Once for a whole transaction and outside of its savepoints: at each savepoint the index would write out a segment, which it must merge later. */
export function indexWords(sql: Sql, appended: readonly Appended[]): void {
  for (const { committed, words } of appended) {
    sql.run('insert into log_text (rowid, words) values (?, ?)', committed.seq, words)
  }
}

interface Head {
  readonly tree: Tree
  readonly leaf: Uint8Array
  readonly time: string
}

function readHead(sql: Sql): Head {
  const row = sql.get<{ size: number; leaf: Uint8Array; time: string; edge: Uint8Array }>(
    'select size, leaf, time, edge from log_head',
  )
  if (row === undefined) return { tree: emptyTree, leaf: noEntryBefore, time: '' }
  const { size, leaf, time } = row
  return { tree: { size, edge: unpackEdge(size, row.edge) }, leaf, time }
}

function writeHead(sql: Sql, { tree, leaf, time }: Head): void {
  sql.run(
    'insert or replace into log_head (one, size, leaf, time, edge) values (1, ?, ?, ?, ?)',
    tree.size,
    leaf,
    time,
    packEdge(tree.edge),
  )
}

/** The newest entry of the same enforcement. */
function chainOf(sql: Sql, enforcement: string | undefined): Pick<Place, 'chained'> {
  if (enforcement === undefined) return {}
  const chained = sql.get<{ n: number; seq: number }>(
    "select seq, entry ->> '$.chain.n' as n from log_entries where enforcement = ? order by seq desc limit 1",
    enforcement,
  )
  return chained === undefined ? {} : { chained }
}

function write(sql: Sql, record: NewRecord, { seq }: Place, entry: Entry): void {
  sql.run(
    'insert into log_entries (seq, entry, leaf) values (?, ?, ?)',
    seq,
    entry.text,
    entry.leaf,
  )
  for (const { pointer, disclosure, value } of entry.disclosures) {
    sql.run(
      'insert into disclosures (seq, pointer, disclosure, value) values (?, ?, ?, ?)',
      seq,
      pointer,
      disclosure,
      searchable(value),
    )
  }
  followStep(sql, record, seq)
}

/** All that a reader may search for, hidden fields too. */
function wordsIn({ type, outcome, actor, on, data }: NewRecord): string {
  const words: string[] = [type, outcome]
  const collect = (value: Json | undefined): void => {
    if (value === undefined) return
    if (typeof value === 'object') for (const member of Object.values(value)) collect(member)
    else words.push(String(value))
  }
  collect([actor.id, ...(actor.roles ?? []), actor.name ?? '', actor.from ?? ''])
  for (const id of Object.values(on)) collect(id)
  collect(data)
  return words.join('\n')
}

/** Keeps the list of intended steps that nothing was written of yet. */
function followStep(sql: Sql, { type, on, data }: NewRecord, seq: number): void {
  const { step } = data
  if (typeof step !== 'number' || on.device === undefined) return
  const enforcement = on.enforcement ?? null
  if (type === 'device.commands_intended') {
    sql.run(
      'insert into open_steps (seq, device, step, enforcement) values (?, ?, ?, ?)',
      seq,
      on.device,
      step,
      enforcement,
    )
  }
  if (type === 'device.commands_done') {
    sql.run(
      'delete from open_steps where device = ? and step = ? and enforcement is ?',
      on.device,
      step,
      enforcement,
    )
  }
}
