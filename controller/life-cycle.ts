// The life cycle of an enforcement: state + event → state and audit records, or a refusal. Pure; what its devices say is progress.ts.

import type { Id } from '../inventory/model.ts'
import type { Actor, Json, NewRecord, RecordType } from './audit/record.ts'
import { type Enforcement, inForce, settled } from './enforcement.ts'
import type { ControllerErrorCode } from './errors.ts'
import { samePerson } from './person.ts'
import { type Progress, statusOf } from './progress.ts'
import { isDone } from './rollout.ts'
import type { Result } from './store/store.ts'

/** How long a decision waits for its approvals, in ms: 7 days. */
export const approvalWindowMs = 7 * 24 * 3_600_000

/** Who does it, and the request that it came by. */
export interface By {
  readonly actor: Actor
  readonly person: string
  readonly admin: boolean
  /** Persons and tokens by whom the credential was made, and those of the credentials behind it. */
  readonly makers?: readonly string[]
  readonly req?: { readonly id: string; readonly key?: string }
}

/** What can happen to an enforcement after its acceptance. Guards are the caller's: tested before `approved`, `extended` and `retried`. */
export type EnforcementEvent =
  | {
      readonly kind: 'approved'
      readonly by: By
      readonly digest: string
      readonly reason?: string
    }
  | { readonly kind: 'rejected'; readonly by: By; readonly reason: string }
  | { readonly kind: 'approval_expired'; readonly by: By }
  | ({ readonly kind: 'released'; readonly by: By; readonly reason: string } & Progress)
  | ({ readonly kind: 'expired'; readonly by: By } & Progress)
  | {
      readonly kind: 'extended'
      readonly by: By
      readonly expiresAt: string
      readonly reason: string
    }
  | ({ readonly kind: 'retried'; readonly by: By; readonly devices?: readonly Id[] } & Progress)
  /** Results as they are now, after any of them changed. */
  | ({ readonly kind: 'results'; readonly by: By } & Progress)

/** What became of an event. `moved`: all of it goes into one transaction; `results` replace those rows. */
export type Transition =
  | {
      readonly kind: 'moved'
      readonly enforcement: Enforcement
      readonly records: readonly NewRecord[]
      readonly results: readonly Result[]
    }
  | { readonly kind: 'unchanged'; readonly enforcement: Enforcement }
  | { readonly kind: 'refused'; readonly code: ControllerErrorCode; readonly message: string }

/** The whole table of the life cycle. `now` is RFC 3339 UTC with milliseconds. */
export function transition(from: Enforcement, event: EnforcementEvent, now: string): Transition {
  switch (event.kind) {
    case 'approved':
      return approve(from, event, now)
    case 'rejected':
      return reject(from, event, now)
    case 'approval_expired':
      return expireApproval(from, event.by, now)
    case 'released':
      return release(from, event, now)
    case 'expired':
      return expire(from, event, now)
    case 'extended':
      return extend(from, event, now)
    case 'retried':
      return retry(from, event, now)
    case 'results':
      return takeResults(from, event, now)
  }
}

function approve(
  from: Enforcement,
  event: Extract<EnforcementEvent, { kind: 'approved' }>,
  now: string,
): Transition {
  const no = refuseDeciding(from, event.by)
  if (no !== undefined) return no
  if (event.digest !== from.digest) {
    return refused(
      'digest_mismatch',
      `approved was ${event.digest}, this enforcement is ${from.digest}: look at it again`,
    )
  }
  if (from.approvals.given.some(({ person }) => samePerson(person, event.by.person))) {
    return refused('same_person', `${event.by.person} has approved it already: another is needed`)
  }
  const own = from.approvals.given.find((one) => isMaker(event.by, one.person, one.token))
  if (own !== undefined) {
    return refused(
      'own_approver',
      `${own.person} has approved it already and made the token of ${event.by.person}: another person is needed, with a token that somebody else made`,
    )
  }
  if (from.expiresAt !== undefined && from.expiresAt <= now) {
    return refused('not_awaiting', `its end, ${from.expiresAt}, has passed`)
  }
  if (isTooLate(from, now)) {
    return refused('not_awaiting', 'nobody decided within 7 days: it has to be asked for again')
  }
  const given = [
    ...from.approvals.given,
    { person: event.by.person, token: event.by.actor.id, at: now },
  ]
  const enough = given.length >= from.approvals.needed
  const next = touch(from, now, {
    approvals: { ...from.approvals, given },
    status: enough ? 'enforcing' : 'awaiting_approval',
  })
  const data = {
    digest: from.digest,
    person: event.by.person,
    ...(event.reason === undefined ? {} : { reason: event.reason }),
  }
  return moved(next, [record('enforcement.approved', next, event.by, data)])
}

function reject(
  from: Enforcement,
  event: Extract<EnforcementEvent, { kind: 'rejected' }>,
  now: string,
): Transition {
  const no = refuseDeciding(from, event.by)
  if (no !== undefined) return no
  return rejectBecause(from, event.by, now, event.reason)
}

function refuseDeciding(from: Enforcement, by: By): Transition | undefined {
  if (from.status !== 'awaiting_approval') {
    return refused('not_awaiting', `it is ${from.status} and waits for no approval`)
  }
  const asker = from.requestedByPerson ?? from.requestedBy.id
  if (samePerson(by.person, asker)) {
    return refused('same_person', `${by.person} asked for it: another person must decide`)
  }
  if (isMaker(by, asker, from.requestedBy.id)) {
    return refused(
      'own_approver',
      `${asker} asked for it and made the token of ${by.person}: another person must decide, with a token that somebody else made`,
    )
  }
  return undefined
}

/** Whether a credential was made by that person or token: then its approval is no second pair of eyes. */
function isMaker({ makers = [] }: By, person: string, token: string): boolean {
  return makers.some((maker) => maker === token || samePerson(maker, person))
}

function expireApproval(from: Enforcement, by: By, now: string): Transition {
  if (from.status !== 'awaiting_approval') return { kind: 'unchanged', enforcement: from }
  const late = isTooLate(from, now)
  const ended = from.expiresAt !== undefined && from.expiresAt <= now
  if (!late && !ended) return { kind: 'unchanged', enforcement: from }
  const why = ended ? `its end, ${from.expiresAt}, came first` : 'nobody decided within 7 days'
  const next = touch(from, now, { status: 'rejected', why })
  const data = { kind: ended ? 'expiresAt' : 'window', why }
  return moved(next, [record('approval.expired', next, by, data), settledRecord(next, by, [])])
}

function isTooLate(from: Enforcement, now: string): boolean {
  return Date.parse(now) - Date.parse(from.acceptedAt) >= approvalWindowMs
}

function rejectBecause(from: Enforcement, by: By, now: string, why: string): Transition {
  const next = touch(from, now, { status: 'rejected', why })
  const data = { digest: from.digest, reason: why }
  return moved(next, [record('enforcement.rejected', next, by, data), settledRecord(next, by, [])])
}

function release(
  from: Enforcement,
  event: Extract<EnforcementEvent, { kind: 'released' }>,
  now: string,
): Transition {
  switch (from.status) {
    case 'releasing':
    case 'released':
      return { kind: 'unchanged', enforcement: from }
    case 'rejected':
    case 'failed':
      return refused('not_in_force', `it is ${from.status}: there is nothing to release`)
    case 'awaiting_approval':
      return rejectBecause(from, event.by, now, `released before it was approved: ${event.reason}`)
    case 'enforcing':
    case 'enforced':
    case 'degraded':
      if (from.decision.action === 'terminate' && !event.by.admin) {
        return refused('forbidden', 'the release of a termination needs the role admin')
      }
      return beginRelease(from, event, { now, reason: event.reason })
  }
}

function beginRelease(
  from: Enforcement,
  event: { readonly by: By } & Progress,
  why: { readonly now: string; readonly reason: string; readonly rollingBack?: true },
): Transition {
  const next = touch(from, why.now, {
    status: 'releasing',
    releaseRequestedAt: why.now,
    releaseReason: why.reason,
    ...(why.rollingBack === undefined ? {} : { rollingBack: true, why: why.reason }),
  })
  const data = { reason: why.reason }
  return moved(
    next,
    [record('enforcement.release_requested', next, event.by, data)],
    event.results.map(backToPending),
  )
}

function expire(
  from: Enforcement,
  event: Extract<EnforcementEvent, { kind: 'expired' }>,
  now: string,
): Transition {
  if (from.expiresAt === undefined || from.expiresAt > now) {
    return { kind: 'unchanged', enforcement: from }
  }
  if (from.status === 'awaiting_approval') return expireApproval(from, event.by, now)
  if (!inForce.includes(from.status)) return { kind: 'unchanged', enforcement: from }
  const next = touch(from, now, {
    status: 'releasing',
    releaseRequestedAt: now,
    releaseReason: 'expired',
  })
  const data = { expiresAt: from.expiresAt }
  return moved(
    next,
    [record('enforcement.expired', next, event.by, data)],
    event.results.map(backToPending),
  )
}

function extend(
  from: Enforcement,
  event: Extract<EnforcementEvent, { kind: 'extended' }>,
  now: string,
): Transition {
  if (!inForce.includes(from.status)) {
    return refused('not_in_force', `it is ${from.status}: only what is in force can be extended`)
  }
  const problem = endProblem(event.expiresAt, from.maxDurationMs, now)
  if (problem !== undefined) return problem
  const next = touch(from, now, {
    expiresAt: event.expiresAt,
    extendedAt: [...(from.extendedAt ?? []), now],
  })
  const data = { expiresAt: event.expiresAt, reason: event.reason }
  return moved(next, [record('enforcement.extended', next, event.by, data)])
}

/** Why that can't be the end of something in force; undefined where it can. `maxDurationMs` undefined = it has no end at all. */
export function endProblem(
  expiresAt: string,
  maxDurationMs: number | undefined,
  now: string,
): Extract<Transition, { kind: 'refused' }> | undefined {
  if (maxDurationMs === undefined) {
    return refused(
      'too_long',
      'it has no end, as its playbook gives none, so there is nothing to extend: it stands until it is released',
    )
  }
  if (expiresAt <= now) return refused('invalid_request', `expiresAt ${expiresAt} has passed`)
  const latest = new Date(Date.parse(now) + maxDurationMs).toISOString()
  if (expiresAt > latest) {
    return refused(
      'too_long',
      `expiresAt ${expiresAt} is later than its playbook allows: ${latest} at most`,
    )
  }
  return undefined
}

function retry(
  from: Enforcement,
  event: Extract<EnforcementEvent, { kind: 'retried' }>,
  now: string,
): Transition {
  if (!inForce.includes(from.status) && from.status !== 'releasing') {
    return refused('not_in_force', `it is ${from.status}: there is nothing to try again`)
  }
  const known = new Set(event.wanted.map(({ device }) => device))
  const stranger = event.devices?.find((device) => !known.has(device))
  if (stranger !== undefined) {
    return refused('unknown_device', `${stranger} is no device of this enforcement`)
  }
  const again = event.results.filter(
    ({ device, status }) => !isDone(status) && (event.devices?.includes(device) ?? true),
  )
  const { stoppedBy, ...going } = from
  const stays = stoppedBy !== undefined && !(event.devices?.includes(stoppedBy) ?? true)
  const next = touch(stays ? from : going, now, {})
  const devices = [...new Set(again.map(({ device }) => device))]
  return moved(
    next,
    [record('enforcement.retried', next, event.by, { devices })],
    again.map(backToPending),
  )
}

function takeResults(
  from: Enforcement,
  event: Extract<EnforcementEvent, { kind: 'results' }>,
  now: string,
): Transition {
  const { status, spread: next, rollBackFor } = statusOf(from, event)
  const wider = {
    ...(next.openWave === (from.openWave ?? 0) ? {} : { openWave: next.openWave }),
    ...(next.stoppedBy === undefined ? {} : { stoppedBy: next.stoppedBy }),
  }
  if (rollBackFor !== undefined) {
    const reason = `rolled back, because ${rollBackFor} did not take it`
    return beginRelease({ ...from, ...wider }, event, { now, reason, rollingBack: true })
  }
  if (status === from.status && next.openWave === (from.openWave ?? 0)) {
    if (next.stoppedBy === from.stoppedBy) return { kind: 'unchanged', enforcement: from }
  }
  const moving = touch(from, now, { status, ...wider })
  const records = status === from.status ? [] : [settledRecord(moving, event.by, event.results)]
  return moved(moving, settled.includes(status) ? records : [])
}

function touch(from: Enforcement, now: string, change: Partial<Enforcement>): Enforcement {
  return { ...from, ...change, version: from.version + 1, updatedAt: now }
}

function backToPending(result: Result): Result {
  const { error: _error, verifiedAt: _verifiedAt, ...rest } = result
  return result.status === 'unsupported' ? result : { ...rest, status: 'pending', attempts: 0 }
}

function moved(
  enforcement: Enforcement,
  records: readonly NewRecord[],
  results: readonly Result[] = [],
): Transition {
  return { kind: 'moved', enforcement, records, results }
}

function refused(
  code: ControllerErrorCode,
  message: string,
): Extract<Transition, { kind: 'refused' }> {
  return { kind: 'refused', code, message }
}

function settledRecord(of: Enforcement, by: By, results: readonly Result[]): NewRecord {
  const devices = results.map(({ device, role, status }) => ({ device, role, status }))
  return record('enforcement.settled', of, by, { status: of.status, devices })
}

function record(
  type: RecordType,
  of: Enforcement,
  by: By,
  data: { readonly [name: string]: Json },
): NewRecord {
  return {
    type,
    outcome: 'ok',
    actor: by.actor,
    on: { customer: of.customer, enforcement: of.id },
    ...(by.req === undefined ? {} : { req: by.req }),
    // As the row has it: the log's own time may be later, and is held where a clock went back.
    data: { ...data, at: of.updatedAt },
  }
}
