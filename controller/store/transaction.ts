// The writing side of the store: one change, inside the savepoint that the commit made for it.

import { hash } from 'node:crypto'
import { artifactDigest, artifactOf, packArtifact } from '../audit/artifact.ts'
import { longKind, shorten } from '../audit/shorten.ts'
import type { Enforcement } from '../enforcement.ts'
import { ControllerError } from '../errors.ts'
import { actsOf } from '../hour.ts'
import type { Kept } from './kept.ts'
import { newSalt } from './log-append.ts'
import type { Sql, Value } from './statements.ts'
import type { IdempotencyRow, Rows, TokenRow, Transaction, Wanted } from './store.ts'

/** How long an idempotency key is known, in ms. */
export const idempotencyKeptMs = 30 * 24 * 60 * 60 * 1000

/** What a change is made of. */
export interface ChangeParts {
  readonly sql: Sql
  readonly rows: Rows
  readonly kept: Kept
  readonly append: Transaction['append']
}

/** A transaction for one change. */
export function createTransaction({ sql, rows, kept, append }: ChangeParts): Transaction {
  return {
    ...rows,
    insertEnforcement(enforcement, wanted) {
      insertEnforcement(sql, enforcement, wanted)
      kept.noteEnforcement(enforcement, wanted)
    },
    updateEnforcement(enforcement) {
      updateEnforcement(sql, enforcement)
      kept.noteEnforcement(enforcement)
    },
    putClaim: (device, claim) =>
      put(sql, 'claims (device, key, doc)', [device, claim.key, JSON.stringify(claim)]),
    dropClaim(device, key) {
      sql.run('delete from claims where device = ? and key = ?', device, key)
    },
    putResult(result) {
      const { enforcement, device, role } = result
      const values = [enforcement, device, role, JSON.stringify(result)]
      put(sql, 'results (enforcement, device, role, doc)', values)
      kept.noteResult(result)
    },
    putDevice(state) {
      put(sql, 'device_state (device, doc)', [state.device, JSON.stringify(state)])
      kept.noteDevice(state)
    },
    putPlan(plan, until) {
      // Those whose time is over go when the next of their kind comes.
      if (until !== undefined) sql.run('delete from plans where until < ?', plan.createdAt)
      const doc = JSON.stringify(plan)
      put(sql, 'plans (id, doc, until)', [plan.id, doc, until ?? null])
      return hash('sha256', doc, 'hex')
    },
    putIdempotency: (row) => putIdempotency(sql, row),
    putToken(token) {
      putToken(sql, token)
      kept.noteToken()
    },
    setFreeze(freeze) {
      if (freeze === undefined) sql.run('delete from freeze')
      else put(sql, 'freeze (one, doc)', [1, JSON.stringify(freeze)])
    },
    putArtifact: (kind, text) => putArtifact(sql, kind, text),
    append(record) {
      const { record: short, long } = shorten(record)
      if (long === undefined) return append(record)
      const artifact = putArtifact(sql, longKind, long)
      return append({ ...short, data: { ...short.data, artifact } })
    },
  }
}

/** Writes a row, over the one with the same primary key where there is one. `target`: table and columns. */
function put(sql: Sql, target: string, values: readonly Value[]): void {
  const places = values.map(() => '?').join(', ')
  sql.run(`insert or replace into ${target} values (${places})`, ...values)
}

function putArtifact(sql: Sql, kind: string, text: string): string {
  const content = artifactOf(kind, newSalt(), text)
  const sha256 = artifactDigest(content)
  put(sql, 'artifacts (sha256, kind, packed)', [sha256, kind, packArtifact(content)])
  return sha256
}

function putToken(sql: Sql, token: TokenRow): void {
  // Not `put`: that would drop another token with the same hash in silence.
  sql.run(
    `insert into tokens (id, name, person, sha256, doc) values (?, ?, ?, ?, ?)
     on conflict (id) do update set name = excluded.name, person = excluded.person, sha256 = excluded.sha256, doc = excluded.doc`,
    token.id,
    token.name,
    token.person,
    token.sha256,
    JSON.stringify(token),
  )
}

function insertEnforcement(sql: Sql, enforcement: Enforcement, wanted: readonly Wanted[]): void {
  const { id, version, status, customer } = enforcement
  sql.run(
    'insert into enforcements (id, version, status, customer, acted_at, doc) values (?, ?, ?, ?, ?, ?)',
    id,
    version,
    status,
    customer,
    lastAct(enforcement),
    JSON.stringify(enforcement),
  )
  for (const row of wanted) {
    sql.run(
      'insert into wanted (enforcement, device, key, observer, doc) values (?, ?, ?, ?, ?)',
      row.enforcement,
      row.device,
      row.key,
      row.observer ? 1 : 0,
      JSON.stringify(row),
    )
  }
}

// Clocks go back: the last one is not always the latest.
function lastAct(enforcement: Enforcement): string {
  return actsOf(enforcement).reduce((latest, at) => (at > latest ? at : latest))
}

function updateEnforcement(sql: Sql, enforcement: Enforcement): void {
  const { id, version, status, customer } = enforcement
  const changed = sql.run(
    'update enforcements set version = ?, status = ?, customer = ?, acted_at = ?, doc = ? where id = ? and version = ?',
    version,
    status,
    customer,
    lastAct(enforcement),
    JSON.stringify(enforcement),
    id,
    version - 1,
  )
  if (changed === 1) return
  const stored = sql.get<{ version: number }>('select version from enforcements where id = ?', id)
  if (stored === undefined) throw new ControllerError('not_found', `there is no enforcement ${id}`)
  throw new ControllerError(
    'stale',
    `enforcement ${id} was changed meanwhile (it is at version ${stored.version}, this change was made from ${version - 1}): read it again and decide anew`,
    { enforcement: id, version: stored.version },
  )
}

function putIdempotency(sql: Sql, row: IdempotencyRow): void {
  const oldest = new Date(Date.parse(row.at) - idempotencyKeptMs).toISOString()
  sql.run('delete from idempotency where at < ?', oldest)
  sql.run(
    'insert into idempotency (token, key, body_sha256, enforcement, at) values (?, ?, ?, ?, ?)',
    row.token,
    row.key ?? null,
    row.bodySha256,
    row.enforcement,
    row.at,
  )
}
