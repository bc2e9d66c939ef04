// Group commit: changes that wait together share one transaction, and so one fsync; each has its own savepoint, so that one that throws undoes only itself.

import type Database from 'better-sqlite3'
import type { Clock } from '../../agent/clock.ts'
import { ControllerError } from '../errors.ts'
import { createHealth } from './health.ts'
import type { Kept } from './kept.ts'
import { type Append, type Appended, indexWords } from './log-append.ts'
import { isMachineError, type Sql, unavailable } from './statements.ts'
import type { Committed, Rows, Transaction } from './store.ts'
import { createTransaction } from './transaction.ts'

/** Most changes in one transaction: what is acknowledged late must not be acknowledged much later. */
const changesMax = 256
/** How long a transaction takes on more changes, in ms: nothing else is answered meanwhile. */
const batchMsMax = 50
/** Turns of the event loop between two transactions while changes wait. A turn takes in one new connection and what came over the others, so without them a reader would stand behind a transaction for each connection that came before his. */
const turnsBetween = 32
/** Size of a test append, in bytes: a large entry's. */
const probeBytes = 16_384

/** What group commit works on. */
export interface CommitParts {
  readonly db: Database.Database
  readonly file: string
  readonly sql: Sql
  readonly rows: Rows
  readonly kept: Kept
  readonly clock: Clock
  readonly append: Append
  /** Told of what became durable. */
  readonly committed: (records: readonly Committed[]) => void
  /** Why this process may not write any more. */
  readonly lost: () => ControllerError | undefined
  /** Told once, when what was written may be lost, or must not be written. */
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
  const { file, clock, lost, broken } = parts
  const health = createHealth({ file, clock, lost, broken, testAppend: () => testAppend(parts) })
  const queue: Waiting[] = []
  let scheduled: NodeJS.Immediate | undefined
  let closed = false

  function flushIn(turns: number): void {
    scheduled = setImmediate(turns > 0 ? () => flushIn(turns - 1) : flush)
  }

  function flush(): void {
    scheduled = undefined
    const refused = health.broken()
    if (refused !== undefined) return rejectAll(queue.splice(0), refused)
    const result = runBatch(parts, queue)
    const batch = queue.splice(0, result.taken)
    if (queue.length > 0) flushIn(turnsBetween)
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
      /** How many changes it took from the front of the queue. */
      readonly taken: number
      readonly tell: readonly (() => void)[]
      readonly records: readonly Committed[]
    }
  | { readonly kind: 'failed'; readonly taken: number; readonly error: unknown }

/** One transaction for those that wait longest. The machine's refusal of one is a refusal of all: nobody is told of a commit that isn't there. */
function runBatch(parts: CommitParts, queue: readonly Waiting[]): BatchResult {
  const { db, sql, kept, append, clock } = parts
  const tell: (() => void)[] = []
  let taken = 0
  try {
    sql.run('begin immediate')
    kept.look()
    append.look()
    const appended: Appended[] = []
    const end = clock.monotonicMs() + batchMsMax
    for (const waiting of queue.slice(0, changesMax)) {
      if (taken > 0 && clock.monotonicMs() > end) break
      taken++
      tell.push(runChange(parts, waiting, appended))
    }
    indexWords(sql, appended)
    sql.run('commit')
    return { kind: 'durable', taken, tell, records: appended.map(({ committed }) => committed) }
  } catch (error) {
    rollBack(db)
    kept.drop()
    return { kind: 'failed', taken: Math.max(1, taken), error }
  }
}

function runChange(parts: CommitParts, waiting: Waiting, appended: Appended[]): () => void {
  const { db, rows, kept } = parts
  const own: Appended[] = []
  const { notes } = kept
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
    kept,
    append(record) {
      check()
      const made = parts.append.record(record)
      own.push(made)
      return made.committed.seq
    },
  })
  parts.sql.run('savepoint change')
  try {
    const tell = waiting.run(tx)
    // SQLite takes back the whole transaction for some errors, also when the change caught them: this then throws.
    parts.sql.run('release change')
    appended.push(...own)
    return tell
  } catch (error) {
    if (isMachineError(error) || !db.inTransaction) throw error
    db.exec('rollback to change; release change')
    if (kept.notes !== notes) kept.drop()
    parts.append.look()
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
