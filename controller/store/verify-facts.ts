// What rows say of a decision, of what it wants and of what was there before, held against the records that they came from. How far things have come is verify-rows.ts.

import type Database from 'better-sqlite3'
import type { Claim } from '../../agent/diff.ts'
import { canonical, type Json } from '../audit/canonical.ts'
import { parseDisclosure } from '../audit/disclosure.ts'
import type { Finding } from '../audit/findings.ts'
import { digestOf, subjectJson } from '../digest.ts'
import type { Enforcement } from '../enforcement.ts'
import type { Plan } from '../plan.ts'
import type { Result, Wanted } from './store.ts'

/** Where decisions, wanted objects, results and claims say something else than their records. A hidden field that was withheld or erased can't be compared. */
export function factFindings(db: Database.Database): readonly Finding[] {
  return [...decisionFindings(db), ...claimFindings(db)]
}

function finding(message: string, seq: number): Finding {
  return { kind: 'row', seq, message }
}

interface DecisionRow {
  readonly id: string
  readonly customer: string
  readonly doc: string
  readonly seq: number
  readonly entry: string
  readonly extended: string | null
  readonly settled: string | null
  readonly plan: string | null
}

const decisionRows = `
  select e.id, e.customer, e.doc, r.seq, r.entry,
    (select l.entry ->> '$.data.expiresAt' from log_entries l
      where l.enforcement = e.id and +l.type = 'enforcement.extended' order by l.seq desc limit 1) as extended,
    (select l.entry ->> '$.data.devices' from log_entries l
      where l.enforcement = e.id and +l.type = 'enforcement.settled' order by l.seq desc limit 1) as settled,
    (select p.doc from plans p where p.id = e.doc ->> '$.plan') as plan
  from enforcements e join log_entries r on r.enforcement = e.id and +r.type = 'enforcement.requested'
  where json_valid(r.entry) order by e.n`

function decisionFindings(db: Database.Database): readonly Finding[] {
  const found: Finding[] = []
  for (const row of db.prepare<[], DecisionRow>(decisionRows).all()) {
    const enforcement = JSON.parse(row.doc) as Enforcement // written by the store alone, or what is looked for here
    const differences = [
      ...decisionProblems(db, row, enforcement),
      ...wantedProblems(db, row, enforcement),
      ...resultProblems(db, row, enforcement),
    ]
    for (const message of differences) {
      found.push(finding(`enforcement ${row.id}: ${message}`, row.seq))
    }
  }
  return found
}

/** What the record of an acceptance holds, as far as it is compared. */
interface Requested {
  readonly actor: { readonly id: string }
  readonly on: { readonly plan?: string }
  readonly data: Readonly<Record<string, Json>>
}

function decisionProblems(
  db: Database.Database,
  row: DecisionRow,
  enforcement: Enforcement,
): readonly string[] {
  const { actor, on, data } = JSON.parse(row.entry) as Requested
  const { decision, playbook } = enforcement
  const { reason } = decision
  const hidden = (pointer: string, is: Json): readonly [string, Json | undefined, Json] => {
    const [was] = disclosed(db, row.seq, pointer)
    return [pointer.slice(pointer.lastIndexOf('/') + 1), was === undefined ? is : was.value, is]
  }
  const pairs: readonly (readonly [string, Json | undefined, Json | undefined])[] = [
    ['requester', actor.id, enforcement.requestedBy.id],
    ['plan', on.plan, enforcement.plan],
    ['action', data['action'], decision.action],
    ['playbook', data['playbook'], { name: playbook.name, sha256: playbook.sha256 }],
    ['category', data['category'], reason.category],
    ['ticket', data['ticket'], reason.ticket],
    ['automated', data['automated'], decision.automated],
    ['end', row.extended ?? data['expiresAt'], enforcement.expiresAt],
    hidden('/on/customer', enforcement.customer),
    hidden('/data/reason', reason.summary),
    hidden('/data/subject', subjectJson(decision.subject)),
    ['customer to be found by', enforcement.customer, row.customer],
    ...planPairs(row, enforcement),
  ]
  return pairs
    .filter(([, was, is]) => textOf(was) !== textOf(is))
    .map(([what, was, is]) => `its row has the ${what} ${textOf(is)}, the log ${textOf(was)}`)
}

// The plan that was accepted holds the same decision, and is shown beside it.
function planPairs(
  row: DecisionRow,
  { decision }: Enforcement,
): readonly (readonly [string, string, string])[] {
  if (row.plan === null) return []
  const plan = JSON.parse(row.plan) as Plan
  const was = JSON.stringify(decision.reason)
  return [['reason in its plan', was, JSON.stringify(plan.decision?.reason)]]
}

// The digest that was accepted binds all that is wanted of every device; of platforms only the plan says what they were.
function wantedProblems(
  db: Database.Database,
  row: DecisionRow,
  enforcement: Enforcement,
): readonly string[] {
  if (row.plan === null) return []
  const plan = JSON.parse(row.plan) as Plan
  const platforms = new Map(plan.devices.map(({ device, platform }) => [device, platform]))
  const wanted = docs<Wanted>(db, 'wanted', enforcement.id)
  const { decision, customer, playbook, rollout, approvals } = enforcement
  const digest = digestOf({
    decision,
    customer,
    playbook: { ...playbook, rollout, approvals: approvals.needed },
    devices: wanted.map(({ device, intent, observer }) => ({
      device,
      platform: platforms.get(device) ?? '',
      intents: [{ intent, observer }],
    })),
  })
  if (digest === enforcement.digest) return []
  return ['what its rows want of devices is not what was accepted: it has another digest']
}

// While it is enforced or has ended, each device stands as it did when that was written; in between they move without a record each.
function resultProblems(
  db: Database.Database,
  { settled }: DecisionRow,
  { id, status }: Enforcement,
): readonly string[] {
  if (settled === null || !['enforced', 'released', 'failed'].includes(status)) return []
  type Place = Pick<Result, 'device' | 'role' | 'status'>
  const placesOf = (results: readonly Place[]) =>
    new Map(results.map((one) => [`${one.device} (${one.role})`, one.status]))
  const was = placesOf(JSON.parse(settled) as readonly Place[])
  const is = placesOf(docs<Result>(db, 'results', id))
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((place) => was.get(place) !== is.get(place))
    .map(
      (place) =>
        `its row has ${place} as ${is.get(place) ?? 'nothing'}, the log as ${was.get(place) ?? 'nothing'}`,
    )
}

const observedRows = `
  select seq from log_entries where device = ? and +type = 'device.observed'
    and entry ->> '$.data.step' = ? order by seq`

// What a release gives back comes from a claim's `before`; it was written down before the first line went out.
function claimFindings(db: Database.Database): readonly Finding[] {
  const claims = db
    .prepare<[], { device: string; doc: string }>('select device, doc from claims')
    .all()
  const observed = db.prepare<[string, number], { seq: number }>(observedRows)
  return claims.flatMap(({ device, doc }) => {
    const claim = JSON.parse(doc) as Claim
    for (const { seq } of observed.all(device, claim.step)) {
      const [shown] = disclosed(db, seq, '/data/intents')
      const known = shown === undefined ? undefined : beforeIn(shown.value, claim.key)
      if (known === undefined || textOf(known.before) === textOf(claim.before)) continue
      const message = `claim ${claim.key} on ${device}: its row says that ${textOf(claim.before)} was there before, the log ${textOf(known.before)}`
      return [finding(message, seq)]
    }
    return []
  })
}

function beforeIn(intents: Json, key: string): { readonly before?: Json } | undefined {
  // Written by the journal of a device: [{key, before}].
  const list = intents as readonly { readonly key: string; readonly before?: Json }[]
  return list.find((one) => one.key === key)
}

function docs<T>(db: Database.Database, table: 'wanted' | 'results', id: string): readonly T[] {
  return db
    .prepare<[string], { doc: string }>(`select doc from ${table} where enforcement = ?`)
    .all(id)
    .map(({ doc }) => JSON.parse(doc) as T)
}

/** A hidden field as it was disclosed; [] where it was withheld, erased or damaged, which is told elsewhere. */
function disclosed(
  db: Database.Database,
  seq: number,
  pointer: string,
): readonly { readonly value: Json }[] {
  const row = db
    .prepare<[number, string], { disclosure: string }>(
      'select disclosure from disclosures where seq = ? and pointer = ?',
    )
    .get(seq, pointer)
  if (row === undefined) return []
  try {
    return [{ value: parseDisclosure(row.disclosure).value }]
  } catch {
    return []
  }
}

function textOf(value: Json | undefined): string {
  return value === undefined ? 'none' : typeof value === 'string' ? value : canonical(value)
}
