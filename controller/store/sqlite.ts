// The embedded store: one SQLite database in the data folder, beside the log's key and the lock that keeps a second controller out.

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { ulid } from 'ulid'
import type { Clock } from '../../agent/clock.ts'
import { type LogKey, makeLogKey, readLogKey } from '../audit/key.ts'
import type { NewRecord } from '../audit/record.ts'
import { ControllerError } from '../errors.ts'
import { createCommits } from './commits.ts'
import { openFile } from './database.ts'
import { makeFolder } from './folder.ts'
import { createKept } from './kept.ts'
import { type Lock, takeLock } from './lock.ts'
import { type Append, createAppend, indexWords } from './log-append.ts'
import { migrate, packageVersion } from './migrations.ts'
import { createRows } from './rows.ts'
import { isMachineError, type Sql, statements, unavailable } from './statements.ts'
import type { Committed, Rows, Store } from './store.ts'

/** Name of the database in the data folder. */
export const databaseName = 'nullroute.db'
/** How long a commit waits for another process's, in ms. */
const busyTimeoutMsDefault = 5_000

/** Pages of the database that are kept in memory, in KiB: each decision writes to some thirty indexes, at places that are far apart. */
const cacheKib = 32_768
/** Size of the write-ahead log, in pages of 4 KiB, from which on a commit also copies it into the database: a page that many commits change is copied once for all of them. */
const checkpointPages = 4_000

/** How a data folder is opened. */
export interface StoreOptions {
  /** The data folder; made where it isn't there. */
  readonly dir: string
  /** A controller has the folder for itself; commands open it beside one. */
  readonly as: 'controller' | 'command'
  /** The log's origin, for the first start (`<a domain of yours>/<anything>`); default `nullroute.invalid/<new id>`. Later it must be the same. */
  readonly origin?: string
  readonly clock: Clock
  /** How long a commit waits for another process's, in ms; default 5,000. It stops the event loop. */
  readonly busyTimeoutMs?: number
  /** Largest size of the database in bytes; beyond it commits are refused as on a full disk. Default: SQLite's own limit. */
  readonly bytesMax?: number
  /** Called when the disk failed to keep what it was given (a failed fsync): nothing can be believed any more, and the process should end. */
  readonly onBroken?: (error: ControllerError) => void
}

/** Opens the store of a data folder and makes it at the first start: database, log key, entry 0. Throws ControllerError `data_in_use`, `data_invalid`, `config_invalid` or `audit_unavailable`. */
export function openStore(options: StoreOptions): Store {
  const { dir } = options
  let lock: Lock | undefined
  let db: Database.Database | undefined
  try {
    makeFolder(dir, 0o700)
    lock = options.as === 'controller' ? takeLock(dir) : undefined
    db = openDatabase(options)
    const sql = statements(db)
    const append = createAppend(sql, options.clock)
    const key = openLog({ db, sql, append, options })
    return storeOn({ db, sql, append, key, options, lock })
  } catch (error) {
    db?.close()
    lock?.release()
    throw error instanceof ControllerError ? error : cannotOpen(dir, error)
  }
}

function openDatabase(options: StoreOptions): Database.Database {
  const file = join(options.dir, databaseName)
  // Made by hand, so that nobody else can read it; SQLite gives its log the same rights.
  closeSync(openSync(file, 'a', 0o600))
  const db = openFile(file, { timeout: options.busyTimeoutMs ?? busyTimeoutMsDefault })
  try {
    db.pragma('journal_mode = WAL')
    // At every open: it is not kept in the file, and a WAL database opened without it makes no fsync at a commit.
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    // What a savepoint would bring back is noted page by page: beyond 64 KiB of it, two changes' worth, that would go to a file on the disk.
    db.pragma('temp_store = MEMORY')
    db.pragma(`cache_size = -${cacheKib}`)
    db.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    if (options.bytesMax !== undefined) {
      const pageBytes = Number(db.pragma('page_size', { simple: true }))
      db.pragma(`max_page_count = ${Math.max(1, Math.floor(options.bytesMax / pageBytes))}`)
    }
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

interface LogParts {
  readonly db: Database.Database
  readonly sql: Sql
  readonly append: Append
  readonly options: StoreOptions
}

/** The log's key, and entry 0 where the log is new. */
function openLog({ db, sql, append, options }: LogParts): LogKey {
  return inTransaction(db, sql, 'begin immediate', () => {
    append.look()
    const first = sql.get<{ entry: string }>('select entry from log_entries where seq = 0')
    const known = readLogKey(options.dir)
    if (first === undefined && sql.get('select 1 from log_head') === undefined) {
      const key = known ?? makeLogKey(options.dir, options.origin ?? `nullroute.invalid/${ulid()}`)
      checkOrigin(key, options)
      indexWords(sql, [append.record(logCreated(key))])
      return key
    }
    if (known === undefined || first?.entry.includes(JSON.stringify(known.vkey)) !== true) {
      throw new ControllerError(
        'data_invalid',
        `${join(options.dir, 'log.key')} is not the key of the audit log beside it: bring back both from the same backup`,
      )
    }
    checkOrigin(known, options)
    return known
  })
}

function checkOrigin(key: LogKey, { origin }: StoreOptions): void {
  if (origin === undefined || origin === key.name) return
  throw new ControllerError(
    'config_invalid',
    `audit.origin is ${JSON.stringify(origin)}, but this log was begun as ${JSON.stringify(key.name)}, and a log's origin never changes: set it to that, or leave it out`,
  )
}

function logCreated({ name, vkey }: LogKey): NewRecord {
  return {
    type: 'log.created',
    outcome: 'ok',
    actor: { kind: 'system', id: 'controller' },
    on: {},
    data: { origin: name, vkey, software: `nullroute/${packageVersion()}` },
  }
}

interface StoreParts extends LogParts {
  readonly key: LogKey
  readonly lock: Lock | undefined
}

function storeOn({ db, sql, append, key, options, lock }: StoreParts): Store {
  const file = join(options.dir, databaseName)
  const kept = createKept(sql)
  const rows = createRows(sql, kept)
  const listeners = new Set<(records: readonly Committed[]) => void>()
  const commits = createCommits({
    db,
    file,
    sql,
    rows,
    kept,
    clock: options.clock,
    append,
    committed: (records) => {
      if (records.length > 0) for (const listener of listeners) tell(listener, records)
    },
    lost: () => lock?.lost(),
    broken: (error) => options.onBroken?.(error),
  })
  return {
    commit: (change) => commits.commit(change),
    read: <T>(query: (rows: Rows) => T): T => {
      try {
        // Inside a change it sees what the change has written.
        if (db.inTransaction) return query(rows)
        return inTransaction(db, sql, 'begin', () => {
          kept.look()
          return query(rows)
        })
      } catch (error) {
        throw isMachineError(error) ? unavailable(error, file) : error
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    healthy: () => commits.healthy(),
    log: () => ({ origin: key.name, vkey: key.vkey }),
    close() {
      if (!db.open) return
      commits.close()
      db.close()
      lock?.release()
    },
  }
}

/** A listener's fault is its own: what became durable stays so, and the others are told too. */
function tell(
  listener: (records: readonly Committed[]) => void,
  records: readonly Committed[],
): void {
  try {
    listener(records)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function inTransaction<T>(
  db: Database.Database,
  sql: Sql,
  begin: 'begin' | 'begin immediate',
  work: () => T,
): T {
  sql.run(begin)
  try {
    const result = work()
    sql.run('commit')
    return result
  } catch (error) {
    if (db.inTransaction) db.exec('rollback')
    throw error
  }
}

function cannotOpen(dir: string, error: unknown): ControllerError {
  const file = join(dir, databaseName)
  if (isMachineError(error)) {
    return /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)
      ? new ControllerError(
          'data_invalid',
          `${file} is damaged or no database of nullroute (${error.code}): bring back a backup`,
          {},
          error,
        )
      : unavailable(error, file)
  }
  const found = error instanceof Error ? error.message : String(error)
  return new ControllerError(
    'data_invalid',
    `${dir} can't be used as data folder: ${found}`,
    {},
    error,
  )
}
