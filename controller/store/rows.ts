// Everything that can be read of the store's tables.

import type { Claim } from '../../agent/diff.ts'
import type { Id } from '../../inventory/model.ts'
import { unpackArtifact } from '../audit/artifact.ts'
import type { Enforcement } from '../enforcement.ts'
import type { Kept } from './kept.ts'
import { logRows } from './log-search.ts'
import type { Sql, Value } from './statements.ts'
import type { IdempotencyRow, Rows } from './store.ts'

interface Doc {
  readonly doc: string
}

/** Documents are our own: written by `transaction` from the same types. */
function parsed<T>(rows: readonly Doc[]): readonly T[] {
  return rows.map(({ doc }) => JSON.parse(doc) as T)
}

function parsedOne<T>(row: Doc | undefined): T | undefined {
  return row === undefined ? undefined : (JSON.parse(row.doc) as T)
}

/** The reading side of the store, on prepared statements and what is kept in memory. */
export function createRows(sql: Sql, kept: Kept): Rows {
  return {
    enforcement: (id) =>
      kept.enforcement(id) ?? parsedOne(sql.get('select doc from enforcements where id = ?', id)),
    enforcements: (filter) => enforcements(sql, filter),
    live: (of) => kept.live(of?.customer),
    usage: (now, judged) => kept.usage(now, judged),
    wanted: (of) =>
      'enforcement' in of ? kept.progress.wanted(of.enforcement) : kept.rows.wanted(of.device),
    results: (of) =>
      'enforcement' in of ? kept.progress.results(of.enforcement) : kept.rows.results(of.device),
    tally: (enforcement) => kept.progress.tally(enforcement),
    claims: (device) =>
      parsed<Claim>(sql.all('select doc from claims where device = ? order by key', device)),
    devicesWithClaims: () =>
      sql
        .all<{ device: Id }>('select distinct device from claims order by device')
        .map(({ device }) => device),
    device: (id) => kept.devices.device(id),
    devices: () => parsed(sql.all('select doc from device_state order by device')),
    plan: (id) => parsedOne(sql.get('select doc from plans where id = ?', id)),
    idempotency: (token, key) => repeat(sql, 'key = ?', [token, key]),
    sameBody: (token, bodySha256, since) =>
      repeat(sql, 'body_sha256 = ? and at >= ?', [token, bodySha256, since]),
    tokens: () => parsed(sql.all('select doc from tokens order by id')),
    tokenByHash: (sha256) => kept.token(sha256),
    freeze: () => parsedOne(sql.get('select doc from freeze')),
    artifact(sha256) {
      const row = sql.get<{ packed: Uint8Array }>(
        'select packed from artifacts where sha256 = ?',
        sha256,
      )
      return row === undefined ? undefined : unpackArtifact(row.packed)
    },
    ...logRows(sql),
  }
}

function enforcements(
  sql: Sql,
  filter: Parameters<Rows['enforcements']>[0],
): readonly Enforcement[] {
  const where: string[] = []
  const values: Value[] = []
  if (filter.statuses !== undefined) {
    where.push('status in (select value from json_each(?))')
    values.push(JSON.stringify(filter.statuses))
  }
  if (filter.customer !== undefined) {
    where.push('customer = ?')
    values.push(filter.customer)
  }
  if (filter.before !== undefined) {
    where.push('n < (select n from enforcements where id = ?)')
    values.push(filter.before)
  }
  const condition = where.length === 0 ? '' : `where ${where.join(' and ')}`
  return parsed(
    sql.all(
      `select doc from enforcements ${condition} order by n desc limit ?`,
      ...values,
      filter.limit,
    ),
  )
}

function repeat(
  sql: Sql,
  condition: string,
  values: readonly [token: string, ...Value[]],
): IdempotencyRow | undefined {
  const row = sql.get<{
    token: string
    key: string | null
    body_sha256: string
    enforcement: string
    at: string
  }>(
    `select * from idempotency where token = ? and ${condition} order by n desc limit 1`,
    ...values,
  )
  if (row === undefined) return undefined
  const { token, key, enforcement, at } = row
  return { token, ...(key === null ? {} : { key }), bodySha256: row.body_sha256, enforcement, at }
}
