// The database behind a thin wall: prepared statements by their text, and the errors that mean that the machine said no.

import Database from 'better-sqlite3'
import { ControllerError } from '../errors.ts'

/** What a statement takes. */
export type Value = string | number | Uint8Array | null

/** Prepared statements, each kept for as long as the database is open. Rows are believed: the tables are strict and ours. */
export interface Sql {
  all<Row>(text: string, ...values: readonly Value[]): readonly Row[]
  get<Row>(text: string, ...values: readonly Value[]): Row | undefined
  /** Answers the number of rows that changed. */
  run(text: string, ...values: readonly Value[]): number
}

/** Statements on an open database. */
export function statements(db: Database.Database): Sql {
  const kept = new Map<string, Database.Statement<Value[]>>()
  const prepared = (text: string) => {
    const known = kept.get(text) ?? db.prepare<Value[]>(text)
    kept.set(text, known)
    return known
  }
  return {
    // The cast is the wall: a statement's text and the type of its rows stand side by side in the calls.
    all: <Row>(text: string, ...values: readonly Value[]) => prepared(text).all(...values) as Row[],
    get: <Row>(text: string, ...values: readonly Value[]) =>
      prepared(text).get(...values) as Row | undefined,
    run: (text, ...values) => prepared(text).run(...values).changes,
  }
}

/** SQLite's own words for a machine that said no: nothing that the caller did wrong. */
const machine =
  /^SQLITE_(FULL|IOERR|BUSY|LOCKED|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PROTOCOL|INTERRUPT|AUTH|PERM)/

/** Whether the disk or database refused, rather than a rule of ours. */
export function isMachineError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Database.SqliteError && machine.test(error.code)
}

/** Whether what was given to the disk may be lost although it was taken: after that nothing can be believed. */
export function isLostWrite(error: unknown): boolean {
  return isMachineError(error) && /^SQLITE_IOERR_(DIR_)?FSYNC/.test(error.code)
}

/** Why nothing can be written, with what to do. */
export function unavailable(error: unknown, file: string): ControllerError {
  const code = isMachineError(error) ? error.code : 'SQLITE_ERROR'
  return new ControllerError(
    'audit_unavailable',
    `${file} can't be written (${code}): ${remedy(code)}; no device is changed until then`,
    { sqlite: code },
    error,
  )
}

function remedy(code: string): string {
  if (code === 'SQLITE_FULL') return 'make room on its disk'
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'another process holds it: wait for it to end'
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(code)) return 'look at the rights of the data folder'
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return 'bring back a backup, or look at the disk'
  return 'look at the disk and its file system'
}
