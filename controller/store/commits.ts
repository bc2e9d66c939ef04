// Group commit: changes that wait together share one transaction, and so one fsync; each has its own savepoint, so that one that throws undoes only itself.

import type Database from 'better-sqlite3'
import type { Clock } from '../../agent/clock.ts'
import type { NewRecord } from '../audit/record.ts'
import { ControllerError } from '../errors.ts'
import { createHealth } from './health.ts'
import { isMachineError, type Sql, unavailable } from './statements.ts'
import type { Committed, Rows, Transaction } from './store.ts'
import { createTransaction } from './transaction.ts'

/** Most changes in one transaction: what is acknowledged late must not be acknowledged much later. */
const changesMax = 256
/** Size of a test append, in bytes: a large entry's. */
const probeBytes = 16_384

/** What group commit works on. */
export interface CommitParts {
  readonly db: Database.Database
  readonly file: string
  readonly sql: Sql
  readonly rows: Rows
  readonly clock: Clock
  readonly append: (record: NewRecord) => Committed
  /** Told of what became durable. */
  readonly committed: (records: readonly Committed[]) => void
  /** Told once, when what was written may be lost. */
  readonly broken: (error: ControllerError) => void
}

/** The store's writing end. */
export interface Commits {
  commit<T>(change: (tx: Transaction) => T): Promise<T>
  healthy(): boolean
  /** Ends with what is waiting; refuses what comes later. */
  close(): void
}

interface Waiting {
  /** Runs the change and keeps its result; answers what tells the caller, once all is durable. */
  run(tx: Transaction): () => void
  reject(error: unknown): void
}

/** Group commit on an open database. */
export function createCommits(parts: CommitParts): Commits {
  const { file, clock, broken } = parts
  const health = createHealth({ file, clock, broken, testAppend: () => testAppend(parts) })
  const queue: Waiting[] = []
  let scheduled: NodeJS.Immediate | undefined
  let closed = false

  function flush(): void {
    scheduled = undefined
    const batch = queue.splice(0, changesMax)
    if (queue.length > 0) scheduled = setImmediate(flush)
    const refused = health.broken()
    if (refused !== undefined) return rejectAll(batch, refused)
    const result = runBatch(parts, batch)
    if (result.kind === 'failed') {
      health.failed(result.error)
      return rejectAll(batch, unavailable(result.error, file))
    }
    if (result.records.length > 0) health.worked()
    for (const tell of result.tell) tell()
    parts.committed(result.records)
  }

  return {
    commit(change) {
      if (closed) return Promise.reject(stopping())
      return new Promise((resolve, reject) => {
        queue.push({ run: (tx) => keep(change(tx), resolve), reject })
        scheduled ??= setImmediate(flush)
      })
    },
    healthy: () => health.good(),
    close() {
      closed = true
      while (queue.length > 0) flush()
      if (scheduled !== undefined) clearImmediate(scheduled)
      health.close()
    },
  }
}

function rejectAll(batch: readonly Waiting[], error: ControllerError): void {
  for (const waiting of batch) waiting.reject(error)
}

function keep<T>(value: T, resolve: (value: T) => void): () => void {
  // A promise would go on after the transaction has ended: its writes would be somebody else's.
  if (value instanceof Promise) throw new TypeError('a change answers at once: it is no promise')
  return () => resolve(value)
}

type BatchResult =
  | {
      readonly kind: 'durable'
      readonly tell: readonly (() => void)[]
      readonly records: readonly Committed[]
    }
  | { readonly kind: 'failed'; readonly error: unknown }

/** One transaction for all. The machine's refusal of one is a refusal of all: nobody is told of a commit that isn't there. */
function runBatch(parts: CommitParts, batch: readonly Waiting[]): BatchResult {
  const { db } = parts
  try {
    db.exec('begin immediate')
    const records: Committed[] = []
    const tell = batch.map((waiting) => runChange(parts, waiting, records))
    db.exec('commit')
    return { kind: 'durable', tell, records }
  } catch (error) {
    rollBack(db)
    return { kind: 'failed', error }
  }
}

function runChange(parts: CommitParts, waiting: Waiting, records: Committed[]): () => void {
  const { db, rows } = parts
  const own: Committed[] = []
  let open = true
  const check = () => {
    if (!open) throw new TypeError('this transaction has ended: writes belong into the change')
  }
  const sql: Sql = {
    ...parts.sql,
    run(text, ...values) {
      check()
      return parts.sql.run(text, ...values)
    },
  }
  const tx = createTransaction({
    sql,
    rows,
    append(record) {
      check()
      return parts.append(record)
    },
    appended: (record) => own.push(record),
  })
  db.exec('savepoint change')
  try {
    const tell = waiting.run(tx)
    // SQLite takes back the whole transaction for some errors, also when the change caught them: this then throws.
    db.exec('release change')
    records.push(...own)
    return tell
  } catch (error) {
    if (isMachineError(error) || !db.inTransaction) throw error
    db.exec('rollback to change; release change')
    return () => waiting.reject(error)
  } finally {
    open = false
  }
}

/** Whether the disk takes as much as an entry needs. It is written and taken away again, so that the log holds only what happened. */
function testAppend({ db, sql }: CommitParts): void {
  try {
    db.exec('begin immediate')
    sql.run('insert or replace into probe (one, bytes) values (1, randomblob(?))', probeBytes)
    db.exec('commit')
    sql.run('delete from probe')
  } catch (error) {
    rollBack(db)
    throw error
  }
}

function rollBack(db: Database.Database): void {
  try {
    if (db.inTransaction) db.exec('rollback')
  } catch (error) {
    // The transaction is gone either way; what made it fail is what counts.
    if (!isMachineError(error)) throw error
  }
}

function stopping(): ControllerError {
  return new ControllerError('stopping', 'the store is closed: nothing more is written')
}
