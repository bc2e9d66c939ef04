// The rows beside the log, held against it: rows say how things stand now, the log how they came there, and somebody with the database could change the one without the other.

import type Database from 'better-sqlite3'
import type { Finding } from '../audit/findings.ts'

/** Where rows and records part: enforcements, tokens and the freeze. */
export function rowFindings(db: Database.Database): readonly Finding[] {
  return [...enforcementFindings(db), ...tokenFindings(db), ...freezeFindings(db)]
}

function finding(message: string, seq?: number): Finding {
  return { kind: 'row', ...(seq === undefined ? {} : { seq }), message }
}

interface EnforcementRow {
  readonly id: string
  readonly status: string
  readonly own: string
  readonly digest: string
  readonly approvals: number
  readonly accepted: string | null
  readonly approved: number
  readonly seq: number | null
  readonly type: string | null
  readonly settled: string | null
}

// By the log's index of enforcements; `+type` keeps SQLite from going through every record of a type instead.
const enforcementRows = `
  select e.id, e.status, e.doc ->> '$.status' as own, e.doc ->> '$.digest' as digest,
    json_array_length(e.doc, '$.approvals.given') as approvals,
    (select l.entry ->> '$.data.digest' from log_entries l
      where l.enforcement = e.id and +l.type = 'enforcement.requested') as accepted,
    (select count(*) from log_entries l
      where l.enforcement = e.id and +l.type = 'enforcement.approved') as approved,
    s.seq, s.type, iif(json_valid(s.entry), s.entry ->> '$.data.status', null) as settled
  from enforcements e left join log_entries s on s.seq = (
    select max(l.seq) from log_entries l where l.enforcement = e.id and +l.type in (
      'enforcement.requested', 'enforcement.approved', 'enforcement.rejected', 'approval.expired',
      'enforcement.release_requested', 'enforcement.expired', 'enforcement.settled'))
  order by e.n`

/** What a record leaves an enforcement as; `settled` says it itself. */
const statusAfter: Readonly<Record<string, readonly string[]>> = {
  'enforcement.requested': ['awaiting_approval', 'enforcing'],
  'enforcement.approved': ['awaiting_approval', 'enforcing'],
  'enforcement.rejected': ['rejected'],
  'approval.expired': ['rejected'],
  'enforcement.release_requested': ['releasing'],
  'enforcement.expired': ['releasing'],
}

function enforcementFindings(db: Database.Database): readonly Finding[] {
  const found: Finding[] = []
  for (const row of db.prepare<[], EnforcementRow>(enforcementRows).iterate()) {
    for (const message of enforcementProblems(row)) {
      found.push(finding(`enforcement ${row.id}: ${message}`, row.seq ?? undefined))
    }
  }
  const lost = db
    .prepare<[], { seq: number; enforcement: string }>(
      `select seq, enforcement from log_entries where type = 'enforcement.requested'
       and enforcement not in (select id from enforcements) order by seq`,
    )
    .all()
  for (const { seq, enforcement } of lost) {
    found.push(
      finding(
        `enforcement ${enforcement}: was accepted by this entry, and its row is not there`,
        seq,
      ),
    )
  }
  return found
}

function enforcementProblems(row: EnforcementRow): readonly string[] {
  const { own, status, accepted, digest, approvals, approved, type, settled } = row
  if (accepted === null) return ['its row is there, and no record of its acceptance']
  const expected = settled === null ? (statusAfter[type ?? ''] ?? []) : [settled]
  const last = `${type ?? ''}${settled === null ? '' : ` (${settled})`}`
  return [
    ...(own === status ? [] : [`its row is ${status} and holds ${own}`]),
    ...(expected.includes(own) ? [] : [`its row says ${own}, its last record is ${last}`]),
    ...(accepted === digest ? [] : [`its row has the digest ${digest}, ${accepted} was accepted`]),
    ...(approvals === approved
      ? []
      : [`its row holds ${approvals} approvals, the log ${approved}`]),
  ]
}

interface TokenFacts {
  readonly id: string
  readonly roles: string
  readonly seq: number | null
  readonly made: string | null
  readonly revokedAt: string | null
  readonly revoked: number
}

const tokenRows = `
  select t.id, t.doc ->> '$.roles' as roles, c.seq, c.entry ->> '$.data.roles' as made,
    t.doc ->> '$.revokedAt' as revokedAt,
    exists (select 1 from log_entries r where r.type = 'token.revoked'
      and r.entry ->> '$.on.token' = t.id) as revoked
  from tokens t left join log_entries c
    on c.type = 'token.created' and c.entry ->> '$.on.token' = t.id
  order by t.id`

function tokenFindings(db: Database.Database): readonly Finding[] {
  const rows = db.prepare<[], TokenFacts>(tokenRows).all()
  const found = rows.flatMap((row) =>
    tokenProblems(row).map((message) =>
      finding(`token ${row.id}: ${message}`, row.seq ?? undefined),
    ),
  )
  const lost = db
    .prepare<[], { seq: number; token: string }>(
      `select seq, entry ->> '$.on.token' as token from log_entries where type = 'token.created'
       and token not in (select id from tokens) order by seq`,
    )
    .all()
  return [
    ...found,
    ...lost.map(({ seq, token }) =>
      finding(`token ${token}: was made by this entry, and its row is not there`, seq),
    ),
  ]
}

function tokenProblems({ roles, made, revokedAt, revoked }: TokenFacts): readonly string[] {
  if (made === null) return ['it works, and no record says who made it']
  return [
    ...(made === roles ? [] : [`it has the roles ${roles}, made was one with ${made}`]),
    ...((revokedAt !== null) === (revoked === 1)
      ? []
      : [
          revoked === 1
            ? 'it was revoked, and works again'
            : 'its row is revoked, and no record says so',
        ]),
  ]
}

function freezeFindings(db: Database.Database): readonly Finding[] {
  const last = db
    .prepare<[], { seq: number; type: string }>(
      "select seq, type from log_entries where type in ('freeze.set', 'freeze.lifted') order by seq desc limit 1",
    )
    .get()
  const frozen = db.prepare<[], { one: number }>('select one from freeze').get() !== undefined
  if (frozen === (last?.type === 'freeze.set')) return []
  return [
    finding(
      frozen
        ? 'the controller is frozen, and no record says so'
        : 'the controller is not frozen, and the last record says that it is',
      last?.seq,
    ),
  ]
}
