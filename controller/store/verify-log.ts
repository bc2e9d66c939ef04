// Records as rows are held against them: read from the log one by one, with what was disclosed of their hidden fields.

import type Database from 'better-sqlite3'
import { readArtifact, unpackArtifact } from '../audit/artifact.ts'
import { canonical, type Json } from '../audit/canonical.ts'
import { parseDisclosure } from '../audit/disclosure.ts'
import type { Finding } from '../audit/findings.ts'
import type { RecordType } from '../audit/record.ts'
import { longKind } from '../audit/shorten.ts'

/** Stands for what can't be compared: withheld, erased, or not yet written down when the record was made. */
export const unknown: unique symbol = Symbol('unknown')
/** What a record says; undefined = that there is none. */
export type Said = Json | undefined | typeof unknown

/** A record of the log. */
export interface LogRecord {
  readonly seq: number
  readonly type: RecordType
  readonly outcome: string
  readonly actor: {
    readonly kind: string
    readonly id: string
    readonly roles?: readonly string[]
  }
  readonly on: Readonly<Record<string, string>>
  readonly req?: { readonly id: string; readonly key?: string }
  readonly data: Readonly<Record<string, Json>>
  /** A hidden field by its JSON Pointer. */
  said(pointer: string): Said
}

/** The log of a database, as it is asked for records. */
export interface LogReader {
  /** All records of these types, oldest first. */
  ofTypes(types: readonly RecordType[]): Iterable<LogRecord>
  /** Those of them that are about one enforcement. */
  ofEnforcement(id: string, types: readonly RecordType[]): readonly LogRecord[]
}

interface Entry {
  readonly seq: number
  readonly entry: string
}

type Shown = Omit<LogRecord, 'seq' | 'said'> & {
  readonly hidden?: Readonly<Record<string, string>>
}

/** Reads a log. Entries that can't be parsed are left out: what is wrong with them is told elsewhere. */
export function createLogReader(db: Database.Database): LogReader {
  const disclosures = db.prepare<[number, string], { disclosure: string }>(
    'select disclosure from disclosures where seq = ? and pointer = ?',
  )
  const ofTypes = db.prepare<[string], Entry>(
    `select seq, entry from log_entries
     where type in (select value from json_each(?)) order by seq`,
  )
  // `+type` keeps SQLite from going through every record of a type instead.
  const ofEnforcement = db.prepare<[string, string], Entry>(
    `select seq, entry from log_entries
     where enforcement = ? and +type in (select value from json_each(?)) order by seq`,
  )
  const artifacts = db.prepare<[string, string], { packed: Uint8Array }>(
    'select packed from artifacts where sha256 = ? and kind = ?',
  )
  const longOf = (sha256: Json | undefined): Shown['data'] => {
    if (typeof sha256 !== 'string') return {}
    const row = artifacts.get(sha256, longKind)
    return row === undefined ? {} : longMembers(row.packed)
  }
  const read = ({ seq, entry }: Entry): LogRecord => {
    // The columns by which it was found are made from valid JSON alone; the log writes no other shape.
    const { hidden = {}, ...record } = JSON.parse(entry) as Shown
    const shown = { ...record, data: { ...record.data, ...longOf(record.data['artifact']) } }
    const said = (pointer: string) => {
      if (hidden[pointer] === undefined) return undefined
      return disclosed(disclosures.get(seq, pointer)?.disclosure)
    }
    return { ...shown, seq, said }
  }
  return {
    *ofTypes(types) {
      for (const entry of ofTypes.iterate(JSON.stringify(types))) yield read(entry)
    },
    ofEnforcement: (id, types) => ofEnforcement.all(id, JSON.stringify(types)).map(read),
  }
}

/** What an entry names as an artifact because it is too long; nothing where that was damaged, which is told elsewhere. */
function longMembers(packed: Uint8Array): Shown['data'] {
  try {
    const text = readArtifact(unpackArtifact(packed))?.text ?? '{}'
    // Written by `shorten` alone; with another digest it is a finding by itself.
    return JSON.parse(text) as Shown['data']
  } catch {
    return {}
  }
}

function disclosed(disclosure: string | undefined): Said {
  if (disclosure === undefined) return unknown
  try {
    return parseDisclosure(disclosure).value
  } catch {
    return unknown
  }
}

/** One fact: what it is, what the log says of it, what the row does. */
export type Fact = readonly [what: string, said: Said, is: Json | undefined]

/** Where a row says something else than the log, in words. */
export function parted(facts: readonly Fact[]): readonly string[] {
  return facts.flatMap(([what, said, is]) =>
    said === unknown || textOf(said) === textOf(is)
      ? []
      : [`its row has the ${what} ${textOf(is)}, the log ${textOf(said)}`],
  )
}

/** Where a column, by which rows are found, is not what the row itself holds. */
export function partedColumns(
  columns: Readonly<Record<string, Json | null | undefined>>,
  doc: Readonly<Record<string, Json | undefined>>,
): readonly string[] {
  return Object.entries(columns).flatMap(([name, is]) =>
    textOf(is ?? undefined) === textOf(doc[name])
      ? []
      : [
          `the column ${name} of its row is ${textOf(is ?? undefined)}, and it holds ${textOf(doc[name])}`,
        ],
  )
}

/** A value for a person. */
export function textOf(value: Json | undefined): string {
  if (value === undefined) return 'none'
  if (typeof value === 'string') return value
  try {
    return canonical(value)
  } catch {
    // What was put there is no JSON of ours; it only has to be told apart.
    return JSON.stringify(value)
  }
}

/** A difference between rows and log. */
export function finding(message: string, seq?: number): Finding {
  return { kind: 'row', ...(seq === undefined ? {} : { seq }), message }
}

/** What a check finds; where a row has not even the shape of one, that. */
export function looking(
  who: string,
  seq: number | undefined,
  look: () => readonly string[],
): readonly Finding[] {
  const messages = (): readonly string[] => {
    try {
      return look()
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error
      return [`its row is none that the controller wrote: ${error.message}`]
    }
  }
  return messages().map((message) => finding(`${who}: ${message}`, seq))
}
