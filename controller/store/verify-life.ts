// How an enforcement came to where it stands, held against the records of its way: status, approvals, extensions, its end, and its devices.

import type { RecordType } from '../audit/record.ts'
import type { Enforcement, Status } from '../enforcement.ts'
import type { Result, Wanted } from './store.ts'
import { type Fact, type LogRecord, parted, type Said, textOf, unknown } from './verify-log.ts'
import type { Persons } from './verify-tokens.ts'

/** Records that move an enforcement, or what is kept with it. */
export const lifeTypes: readonly RecordType[] = [
  'enforcement.requested',
  'enforcement.approved',
  'enforcement.rejected',
  'approval.expired',
  'enforcement.extended',
  'enforcement.release_requested',
  'enforcement.expired',
  'enforcement.settled',
  'inventory.conflict',
]

/** What a record leaves an enforcement as. One that is not here leaves it as it was. */
const statusAfter: Readonly<Partial<Record<RecordType, Status | 'by approvals' | 'as said'>>> = {
  'enforcement.requested': 'by approvals',
  'enforcement.approved': 'by approvals',
  'enforcement.rejected': 'rejected',
  'approval.expired': 'rejected',
  'enforcement.release_requested': 'releasing',
  'enforcement.expired': 'releasing',
  'enforcement.settled': 'as said',
}

/** An enforcement with all that is held against it. */
export interface Life {
  readonly enforcement: Enforcement
  /** Of `lifeTypes`, oldest first. */
  readonly records: readonly LogRecord[]
  readonly wanted: readonly Wanted[]
  readonly results: readonly Result[]
  readonly persons: Persons
}

/** The record that says how it stands. */
export function standing(records: readonly LogRecord[]): LogRecord | undefined {
  return records.findLast(({ type }) => statusAfter[type] !== undefined)
}

/** Where its row says something else of its way than the log. */
export function lifeProblems(life: Life): readonly string[] {
  return [
    ...statusProblems(life),
    ...approvalProblems(life),
    ...parted([...releaseFacts(life), ...spreadFacts(life)]),
    ...extensionProblems(life),
    ...conflictProblems(life),
    ...resultProblems(life),
  ]
}

function statusProblems({ enforcement, records }: Life): readonly string[] {
  const last = standing(records)
  if (last === undefined) return []
  const after = statusAfter[last.type]
  const said = after === 'as said' ? last.data['status'] : undefined
  const waits = ofType(records, 'enforcement.approved').length < enforcement.approvals.needed
  const byApprovals = waits ? 'awaiting_approval' : 'enforcing'
  if (enforcement.status === (said ?? (after === 'by approvals' ? byApprovals : after))) return []
  const shown = `${last.type}${said === undefined ? '' : ` (${textOf(said)})`}`
  return [`its row says ${enforcement.status}, its last record is ${shown}`]
}

function approvalProblems({ enforcement, records, persons }: Life): readonly string[] {
  const { given } = enforcement.approvals
  const approved = ofType(records, 'enforcement.approved')
  if (given.length !== approved.length) {
    return [`its row holds ${given.length} approvals, the log ${approved.length}`]
  }
  return parted(
    given.flatMap(({ person, token, at }, i): readonly Fact[] => {
      const record = approved[i]
      const name = `approval ${i + 1}`
      return record === undefined
        ? []
        : [
            [`person of ${name}`, personOf(record, persons), person],
            [`token of ${name}`, record.actor.id, token],
            [`time of ${name}`, record.data['at'] ?? unknown, at],
          ]
    }),
  )
}

/** Who did that, as a person: as its record says, else whose its token was. */
export function personOf(record: LogRecord, persons: Persons): Said {
  const said = record.said('/data/person')
  return typeof said === 'string' ? said : (persons.get(record.actor.id) ?? unknown)
}

function extensionProblems({ enforcement, records }: Life): readonly string[] {
  const extended = ofType(records, 'enforcement.extended')
  const times = enforcement.extendedAt ?? []
  if (times.length !== extended.length) {
    return [`its row holds ${times.length} extensions, the log ${extended.length}`]
  }
  return parted(
    times.map((at, i) => [`time of extension ${i + 1}`, extended[i]?.data['at'] ?? unknown, at]),
  )
}

// A release, an expiry, a rejection, or none of them yet.
function releaseFacts({ enforcement, records }: Life): readonly Fact[] {
  const { releaseRequestedAt, releaseReason, rollingBack, why } = enforcement
  const begun = records.findLast(
    ({ type }) => type === 'enforcement.release_requested' || type === 'enforcement.expired',
  )
  const reason = begun?.type === 'enforcement.expired' ? 'expired' : begun?.said('/data/reason')
  // What nobody asked for by a request was asked for by a device that failed.
  const isRollback =
    begun?.type === 'enforcement.release_requested' && begun.actor.kind === 'system'
  return [
    ['time of release', begun && timeOf(begun), releaseRequestedAt],
    ['reason of release', reason, releaseReason],
    ['rollback', isRollback ? true : undefined, rollingBack],
    ['why of its end', isRollback ? reason : whyRejected(records), why],
    ['time of its end', endOf(enforcement, records), enforcement.updatedAt],
  ]
}

// Until it is over it changes with reloads and waves, which write no record.
function endOf({ status }: Enforcement, records: readonly LogRecord[]): Said {
  const isOver = status === 'released' || status === 'rejected' || status === 'failed'
  const last = standing(records)
  return isOver && last !== undefined ? timeOf(last) : unknown
}

function whyRejected(records: readonly LogRecord[]): Said {
  const ended = records.find(
    ({ type }) => type === 'enforcement.rejected' || type === 'approval.expired',
  )
  if (ended?.type === 'approval.expired') return ended.data['why'] ?? unknown
  return ended?.said('/data/reason')
}

function timeOf(record: LogRecord): Said {
  return record.data['at'] ?? unknown
}

// While it spreads, waves open without a record each; before and after it is known how many are open.
function spreadFacts({ enforcement, wanted }: Life): readonly Fact[] {
  const { status, openWave = 0, stoppedBy } = enforcement
  const last = wanted.reduce((latest, { wave }) => Math.max(latest, wave), 0)
  const rests = ['awaiting_approval', 'enforced', 'rejected'].includes(status)
  const open = status === 'enforced' || openWave > last ? last : unknown
  const isKnown = wanted.some(({ device, observer }) => device === stoppedBy && !observer)
  return [
    ['last open wave', rests && status !== 'enforced' ? 0 : open, openWave],
    ['device that stopped it', rests || !isKnown ? undefined : unknown, stoppedBy],
  ]
}

// One that was put right goes without a record.
function conflictProblems({ enforcement, records }: Life): readonly string[] {
  if (enforcement.conflicts.length === 0) return []
  const said = ofType(records, 'inventory.conflict').map((record) => ({
    kind: record.data['kind'],
    object: record.said('/data/object'),
  }))
  return enforcement.conflicts
    .filter(
      (one) =>
        !said.some(
          ({ kind, object }) => kind === one.kind && (object === unknown || object === one.object),
        ),
    )
    .map(({ kind, object }) => `its row has the conflict ${kind} ${object}, the log has not`)
}

// While it is enforced or has ended, each device stands as it did when that was written; in between they move without a record each.
function resultProblems({ enforcement, records, wanted, results }: Life): readonly string[] {
  const { status } = enforcement
  const last = standing(records)
  const devices = last?.type === 'enforcement.settled' ? last.data['devices'] : undefined
  const isSettled = ['enforced', 'released', 'failed'].includes(status) && Array.isArray(devices)
  const places = [...new Set(wanted.map((row) => placeOf(row.device, roleOf(row))))]
  const is = new Map(results.map((one) => [placeOf(one.device, one.role), one.status]))
  const was = isSettled
    ? // Written by the life cycle: [{device, role, status}].
      new Map(
        (devices as unknown as readonly Result[]).map((one) => [
          placeOf(one.device, one.role),
          one.status,
        ]),
      )
    : new Map<string, Result['status']>()
  const compared = isSettled ? [...new Set([...was.keys(), ...is.keys()])] : []
  const untouched = status === 'awaiting_approval' || status === 'rejected'
  return [
    ...compared
      .filter((place) => was.get(place) !== is.get(place))
      .map(
        (place) =>
          `its row has ${place} as ${is.get(place) ?? 'nothing'}, the log as ${was.get(place) ?? 'nothing'}`,
      ),
    ...places
      .filter((place) => !is.has(place) && !compared.includes(place))
      .map((place) => `its row of ${place} is not there`),
    ...[...is]
      .filter(([place]) => !places.includes(place) && !compared.includes(place))
      .map(([place]) => `its row has ${place}, of which nothing is wanted`),
    ...[...is]
      .filter(([, one]) => untouched && one !== 'pending' && one !== 'unsupported')
      .map(([place, one]) => `its row has ${place} as ${one}, and nobody was asked for anything`),
  ]
}

function placeOf(device: string, role: string): string {
  return `${device} (${role})`
}

function roleOf({ observer }: Wanted): Result['role'] {
  return observer ? 'observer' : 'enforcer'
}

function ofType(records: readonly LogRecord[], type: RecordType): readonly LogRecord[] {
  return records.filter((record) => record.type === type)
}
