// The rows beside the log, held against it: rows say how things stand now, the log how they came there, and somebody with the database could change the one without the other.

import type Database from 'better-sqlite3'
import type { Finding } from '../audit/findings.ts'
import type { Enforcement } from '../enforcement.ts'
import { actsOf } from '../hour.ts'
import type { Plan } from '../plan.ts'
import type { Result, Wanted } from './store.ts'
import { claimFindings, stepFindings } from './verify-claims.ts'
import { acceptanceProblems, type WantedRow } from './verify-facts.ts'
import { type Life, lifeProblems, lifeTypes, standing } from './verify-life.ts'
import {
  createLogReader,
  finding,
  type LogReader,
  type LogRecord,
  looking,
  partedColumns,
} from './verify-log.ts'
import { planFindings, requestFindings } from './verify-plans.ts'
import { freezeFindings, type Persons, personsIn, tokenFindings } from './verify-tokens.ts'

/** Where rows say something else than their records. A hidden field that was withheld or erased can't be compared. */
export function rowFindings(db: Database.Database): readonly Finding[] {
  const log = createLogReader(db)
  return [
    ...enforcementFindings(db, log),
    ...strayFindings(db),
    ...planFindings(db, log),
    ...requestFindings(db, log),
    ...claimFindings(db, log),
    ...stepFindings(db, log),
    ...tokenFindings(db, log),
    ...freezeFindings(db, log),
  ]
}

interface EnforcementRow {
  readonly id: string
  readonly version: number
  readonly status: string
  readonly customer: string
  readonly acted_at?: string
  readonly doc: string
}

interface ResultRow {
  readonly device: string
  readonly role: string
  readonly doc: string
}

function enforcementFindings(db: Database.Database, log: LogReader): readonly Finding[] {
  const parts = partsOf(db)
  const persons = personsIn(log)
  const found: Finding[] = []
  let latest = -1
  // `*`, not the columns by name: an older database has fewer.
  for (const row of db
    .prepare<[], EnforcementRow>('select * from enforcements order by n')
    .iterate()) {
    const who = `enforcement ${row.id}`
    const records = log.ofEnforcement(row.id, lifeTypes)
    const requested = records.find(({ type }) => type === 'enforcement.requested')
    if (requested === undefined) {
      found.push(finding(`${who}: its row is there, and no record of its acceptance`))
      continue
    }
    if (requested.seq < latest) {
      found.push(
        finding(`${who}: its row stands behind one that was accepted later`, requested.seq),
      )
    }
    latest = Math.max(latest, requested.seq)
    const seq = standing(records)?.seq
    found.push(...looking(who, seq, () => problemsOf({ row, records, requested, parts, persons })))
  }
  return [...found, ...lostFindings(db)]
}

interface Parts {
  wanted(id: string): readonly WantedRow[]
  results(id: string): readonly ResultRow[]
  /** The document of a plan. */
  plan(id: string): string | undefined
}

function partsOf(db: Database.Database): Parts {
  const wanted = db.prepare<[string], WantedRow>(
    'select device, key, observer, doc from wanted where enforcement = ? order by n',
  )
  const results = db.prepare<[string], ResultRow>(
    'select device, role, doc from results where enforcement = ?',
  )
  const plan = db.prepare<[string], { doc: string }>('select doc from plans where id = ?')
  return {
    wanted: (id) => wanted.all(id),
    results: (id) => results.all(id),
    plan: (id) => plan.get(id)?.doc,
  }
}

function problemsOf(about: {
  readonly row: EnforcementRow
  readonly records: readonly LogRecord[]
  readonly requested: LogRecord
  readonly parts: Parts
  readonly persons: Persons
}): readonly string[] {
  const { row, records, requested, parts, persons } = about
  const enforcement = JSON.parse(row.doc) as Enforcement // written by the store alone, or what is looked for here
  const wantedRows = parts.wanted(row.id)
  const resultRows = parts.results(row.id)
  const wanted = wantedRows.map(({ doc }) => JSON.parse(doc) as Wanted) // as above
  const results = resultRows.map(({ doc }) => JSON.parse(doc) as Result) // as above
  const plan = planIn(parts.plan(enforcement.plan ?? ''))
  const life: Life = { enforcement, records, wanted, results, persons }
  return [
    ...columnProblems(row, enforcement),
    ...lifeProblems(life),
    ...acceptanceProblems({ ...life, requested, wantedRows, plan }),
    ...results.flatMap((result, i) => resultColumnProblems(row.id, result, resultRows[i])),
  ]
}

function planIn(doc: string | undefined): Plan | undefined {
  try {
    return doc === undefined ? undefined : (JSON.parse(doc) as Plan) // as above
  } catch {
    // Told of the plan itself.
    return undefined
  }
}

function columnProblems(row: EnforcementRow, enforcement: Enforcement): readonly string[] {
  const { id, version, status, customer } = enforcement
  const acts = actsOf(enforcement)
  const acted = acts.reduce((latest, at) => (at > latest ? at : latest), '')
  return [
    ...(row.status === status ? [] : [`its row is ${row.status} and holds ${status}`]),
    ...(row.customer === customer
      ? []
      : [`its row has the customer to be found by ${row.customer}, the log ${customer}`]),
    ...partedColumns({ id: row.id, version: row.version }, { id, version }),
    ...(row.acted_at === undefined
      ? []
      : partedColumns({ acted_at: row.acted_at }, { acted_at: acted })),
  ]
}

function resultColumnProblems(
  enforcement: string,
  result: Result,
  row: ResultRow | undefined,
): readonly string[] {
  const { device, role } = result
  return partedColumns(
    { enforcement, device: row?.device, role: row?.role },
    { enforcement: result.enforcement, device, role },
  )
}

function lostFindings(db: Database.Database): readonly Finding[] {
  return db
    .prepare<[], { seq: number; enforcement: string }>(
      `select seq, enforcement from log_entries where type = 'enforcement.requested'
       and enforcement not in (select id from enforcements) order by seq`,
    )
    .all()
    .map(({ seq, enforcement }) =>
      finding(
        `enforcement ${enforcement}: was accepted by this entry, and its row is not there`,
        seq,
      ),
    )
}

function strayFindings(db: Database.Database): readonly Finding[] {
  return (['wanted', 'results'] as const).flatMap((table) =>
    db
      .prepare<[], { enforcement: string }>(
        `select distinct enforcement from ${table}
         where enforcement not in (select id from enforcements)`,
      )
      .all()
      .map(({ enforcement }) =>
        finding(`enforcement ${enforcement}: is not there, and rows of ${table} name it`),
      ),
  )
}
