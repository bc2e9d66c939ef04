// Plans and known requests, held against the records of their making. Not held: the digest of a request's body, which the log doesn't have, and that a plan which nobody enforced is still there.

import { hash } from 'node:crypto'
import type Database from 'better-sqlite3'
import type { Finding } from '../audit/findings.ts'
import { type Plan, planKeptMs } from '../plan.ts'
import { idempotencyKeptMs } from './transaction.ts'
import { finding, type LogReader, type LogRecord, looking, parted, unknown } from './verify-log.ts'

interface PlanFacts {
  readonly sha256: string
  readonly until: string | null
  /** What it holds itself; undefined where it holds no plan. */
  readonly own: Partial<Pick<Plan, 'id' | 'digest' | 'createdAt'>> | undefined
}

/** Where plans are not what was shown or accepted. */
export function planFindings(db: Database.Database, log: LogReader): readonly Finding[] {
  const left = plansIn(db)
  const found: Finding[] = []
  for (const record of log.ofTypes(['plan.made', 'enforcement.requested'])) {
    const id = record.on['plan']
    if (id === undefined) continue
    const plan = left.get(id)
    left.delete(id)
    if (plan !== undefined) {
      found.push(...looking(`plan ${id}`, record.seq, () => planProblems(id, plan, record)))
    } else if (record.type === 'enforcement.requested') {
      found.push(
        finding(`plan ${id}: was accepted by this entry, and its row is not there`, record.seq),
      )
    }
  }
  for (const id of left.keys()) {
    found.push(finding(`plan ${id}: its row is there, and no record of its making`))
  }
  return found
}

function plansIn(db: Database.Database): Map<string, PlanFacts> {
  const plans = new Map<string, PlanFacts>()
  // `*`, not the columns by name: an older database has fewer.
  const rows = db
    .prepare<[], { id: string; until?: string | null; doc: string }>('select * from plans')
    .iterate()
  for (const { id, until = null, doc } of rows) {
    plans.set(id, { sha256: hash('sha256', doc, 'hex'), until, own: ownOf(doc) })
  }
  return plans
}

function ownOf(doc: string): PlanFacts['own'] {
  try {
    const { id, digest, createdAt } = JSON.parse(doc) as Plan // written by the store alone, or what is looked for here
    return { id, digest, createdAt }
  } catch {
    return undefined
  }
}

function planProblems(id: string, plan: PlanFacts, record: LogRecord): readonly string[] {
  const { own, until, sha256 } = plan
  const isAccepted = record.type === 'enforcement.requested'
  const said = record.said('/data/planSha256')
  const isKnown = typeof said === 'string'
  if (own === undefined) return ['its row holds no plan']
  const end = new Date(Date.parse(own.createdAt ?? '') + planKeptMs)
  const kept = isAccepted || Number.isNaN(end.getTime()) ? undefined : end.toISOString()
  return [
    ...(!isKnown || said === sha256 ? [] : ['its row is not what it was when this was written']),
    ...parted([
      ['id', id, own.id],
      ['digest', record.data['digest'], own.digest],
      ['time until which it is kept', isKnown ? kept : unknown, until ?? undefined],
    ]),
  ]
}

interface RequestRow {
  readonly token: string
  readonly key: string | null
  readonly enforcement: string
  readonly at: string
}

/** Where a request that was accepted would not be known again, or another would be taken for it. */
export function requestFindings(db: Database.Database, log: LogReader): readonly Finding[] {
  const rows = new Map<string, RequestRow>()
  const found: Finding[] = []
  for (const row of db
    .prepare<[], RequestRow>('select token, key, enforcement, at from idempotency order by n')
    .iterate()) {
    const { enforcement } = row
    if (rows.has(enforcement)) found.push(finding(`${requestOf(enforcement)}: is there twice`))
    rows.set(enforcement, row)
  }
  const missing = new Map<string, { readonly seq: number; readonly at: string }>()
  let newest = ''
  for (const record of log.ofTypes(['enforcement.requested'])) {
    const id = record.on['enforcement'] ?? ''
    const at = record.data['acceptedAt']
    if (typeof at === 'string' && at > newest) newest = at
    const row = rows.get(id)
    rows.delete(id)
    if (row !== undefined) {
      found.push(...looking(requestOf(id), record.seq, () => requestProblems(row, record)))
    } else if (record.req !== undefined && typeof at === 'string') {
      missing.set(id, { seq: record.seq, at })
    }
  }
  for (const id of rows.keys()) {
    found.push(finding(`${requestOf(id)}: its row is there, and no record of its acceptance`))
  }
  return [...found, ...lostRequests(missing, newest)]
}

function requestOf(enforcement: string): string {
  return `the request for enforcement ${enforcement}`
}

function requestProblems(row: RequestRow, { actor, req, data }: LogRecord): readonly string[] {
  return parted([
    ['token', actor.id, row.token],
    ['idempotency key', req?.key, row.key ?? undefined],
    ['time', data['acceptedAt'] ?? unknown, row.at],
  ])
}

// Those older than that went when a newer one came.
function lostRequests(
  missing: ReadonlyMap<string, { readonly seq: number; readonly at: string }>,
  newest: string,
): readonly Finding[] {
  const kept = newest === '' ? '' : new Date(Date.parse(newest) - idempotencyKeptMs).toISOString()
  return [...missing].flatMap(([id, { seq, at }]) =>
    at < kept
      ? []
      : [finding(`${requestOf(id)}: was accepted by this entry, and would be taken again`, seq)],
  )
}
