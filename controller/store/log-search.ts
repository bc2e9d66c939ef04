// Reading the audit log: search, the steps that a crash left open, and the artifacts that an enforcement's records name.

import { ControllerError } from '../errors.ts'
import type { Sql, Value } from './statements.ts'
import type { LogEntry, LogQuery, Rows } from './store.ts'

/** Longest text to search for, in characters: each word of it costs a look-up. */
const searchTextMax = 256

/** The log's part of the rows. */
export function logRows(sql: Sql): Pick<Rows, 'logSize' | 'log' | 'openSteps' | 'artifactsOf'> {
  return {
    logSize: () => sql.get<{ size: number }>('select size from log_head')?.size ?? 0,
    log: (query) => searchLog(sql, query),
    openSteps: () =>
      sql
        .all<{ seq: number; device: string; step: number; enforcement: string | null }>(
          'select seq, device, step, enforcement from open_steps order by seq',
        )
        .map(({ enforcement, ...step }) => ({
          ...step,
          ...(enforcement === null ? {} : { enforcement }),
        })),
    artifactsOf: (enforcement) =>
      sql
        .all<{ seq: number; device: string | null; kind: string; sha256: string }>(
          // Whatever a record calls it: a digest of something that we keep is an artifact of it.
          `select distinct e.seq, e.device, a.kind, a.sha256
           from log_entries e join json_tree(iif(json_valid(e.entry), e.entry, '{}'), '$.data') d
           join artifacts a on a.sha256 = d.value
           where e.enforcement = ? and d.type = 'text' and length(d.value) = 64
           order by e.seq, d.id`,
          enforcement,
        )
        .map(({ device, ...artifact }) => ({
          ...artifact,
          ...(device === null ? {} : { device }),
        })),
  }
}

interface Condition {
  readonly where: string
  readonly values: readonly Value[]
}

/** Entries for which all that is given holds: newest first, or oldest first from `after` on. */
function searchLog(sql: Sql, query: LogQuery): readonly LogEntry[] {
  const words = query.text === undefined ? undefined : wordsOf(query.text)
  if (words?.length === 0) return []
  const conditions = [...fieldConditions(query), ...rangeConditions(sql, query)]
  if (words !== undefined) {
    conditions.unshift({ where: 'log_text match ?', values: [words.join(' AND ')] })
  }
  // The text search drives where there is one: it runs through its matches in order, and stops at the limit.
  const source =
    words === undefined
      ? 'log_entries e'
      : 'log_text cross join log_entries e on e.seq = log_text.rowid'
  const place = words === undefined ? 'e.seq' : 'log_text.rowid'
  const where = conditions.map((condition) => condition.where.replaceAll('$seq', place))
  const entries = sql.all<{ seq: number; entry: string; leaf: Uint8Array }>(
    `select e.seq, e.entry, e.leaf from ${source} ${where.length === 0 ? '' : `where ${where.join(' and ')}`}
     order by ${place} ${query.after === undefined ? 'desc' : 'asc'} limit ?`,
    ...conditions.flatMap(({ values }) => values),
    query.limit,
  )
  return entries.map((entry) => ({
    ...entry,
    disclosures: sql.all(
      'select pointer, disclosure from disclosures where seq = ? order by pointer',
      entry.seq,
    ),
  }))
}

function fieldConditions(query: LogQuery): readonly Condition[] {
  const { actor, type, customer, device, enforcement } = query
  return [
    // By id, or by the name or person of a token: names are hidden in the entries themselves.
    actor === undefined
      ? []
      : [
          {
            where:
              'e.actor in (select ? union select id from tokens where name = ? union select id from tokens where person = ?)',
            values: [actor, actor, actor],
          },
        ],
    type === undefined ? [] : [{ where: 'e.type = ?', values: [type] }],
    device === undefined ? [] : [{ where: 'e.device = ?', values: [device] }],
    enforcement === undefined ? [] : [{ where: 'e.enforcement = ?', values: [enforcement] }],
    // What names the customer, and all that belongs to its enforcements.
    customer === undefined
      ? []
      : [
          {
            where: `e.seq in (select seq from disclosures where pointer = '/on/customer' and value = ?
                union select l.seq from enforcements c join log_entries l on l.enforcement = c.id where c.customer = ?)`,
            values: [customer, customer],
          },
        ],
  ].flat()
}

/** Times never fall along the log, so a range of time is a range of places. */
function rangeConditions(sql: Sql, query: LogQuery): readonly Condition[] {
  const { from, to, before, after } = query
  const first = (comparison: '>=' | '>', time: string): number =>
    sql.get<{ seq: number }>(
      `select seq from log_entries where time ${comparison} ? order by time, seq limit 1`,
      time,
    )?.seq ?? Number.MAX_SAFE_INTEGER
  return [
    from === undefined ? [] : [{ where: '$seq >= ?', values: [first('>=', from)] }],
    to === undefined ? [] : [{ where: '$seq < ?', values: [first('>', to)] }],
    before === undefined ? [] : [{ where: '$seq < ?', values: [before] }],
    after === undefined ? [] : [{ where: '$seq > ?', values: [after] }],
  ].flat()
}

/** Each word as a quoted phrase of which the end may be missing: `203.0.113` finds 203.0.113.9, `phish` finds phishing. */
function wordsOf(text: string): readonly string[] {
  if (text.length > searchTextMax) {
    throw new ControllerError(
      'invalid_request',
      `the text to search for has ${text.length} characters: at most ${searchTextMax} can be looked for`,
    )
  }
  return text
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}\p{Co}]/u.test(word))
    .map((word) => `"${word.replaceAll('"', '""').replaceAll('\0', '')}" *`)
}
