// Where the results of its devices leave an enforcement: its status, by the table of the life cycle alone, and how far its roll-out is open. Pure.

import type { Key } from '../agent/intents.ts'
import { groupBy } from '../inventory/group-by.ts'
import type { Id } from '../inventory/model.ts'
import { type DeviceStatus, type Enforcement, inForce, type Status } from './enforcement.ts'
import { hasAnswered, isDone, isFailure, type Spread, spread } from './rollout.ts'
import type { Result, Wanted } from './store/store.ts'
import type { Tally } from './tally.ts'
import { type Cause, causesByKey } from './waiting.ts'

/** Rows that say how an enforcement stands on its devices. */
export interface Progress {
  readonly wanted: readonly Wanted[]
  /** One for each device and role; a missing one counts as pending. */
  readonly results: readonly Result[]
}

/** Where results leave an enforcement, by the table alone: its status, how far the roll-out is open, and the device on whose account it is rolled back. */
export function statusOf(
  from: Enforcement,
  progress: Progress,
): { readonly status: Status; readonly spread: Spread; readonly rollBackFor?: Id } {
  const openWave = from.openWave ?? 0
  if (from.status === 'releasing') {
    const lifted = placesUpTo(progress, openWave).every(({ status }) => isDone(status))
    const end = from.rollingBack === true ? 'failed' : 'released'
    return { status: lifted ? end : 'releasing', spread: { openWave, complete: true } }
  }
  const stopped = from.stoppedBy === undefined ? {} : { stoppedBy: from.stoppedBy }
  if (!inForce.includes(from.status)) {
    return { status: from.status, spread: { ...stopped, openWave, complete: false } }
  }
  const at = { openWave, rollout: from.rollout, ...stopped }
  const next = spread(at, progress.wanted, progress.results)
  const statuses = placesUpTo(progress, next.openWave)
  const failure = failureIn(statuses, from, progress)
  // The table rolls back from enforcing and degraded; a failure found in `enforced` makes it degraded first.
  if (from.onFailure === 'rollback' && failure !== undefined && from.status !== 'enforced') {
    return { status: 'releasing', spread: next, rollBackFor: failure.device }
  }
  return { status: inForceAs(from.status, next, statuses), spread: next }
}

/** Whether `statusOf` would change nothing, where counts alone show it: some device is still awaited, or none is. Most results change nothing. */
export function standsAsBefore(from: Enforcement, tally: Tally): boolean {
  const { status, openWave = 0 } = from
  const undone = tally.undone('enforcer', openWave) + tally.undone('observer', openWave)
  if (status === 'releasing') return undone > 0
  // Who failed or stopped it decides about the others, and one without a result counts as pending.
  if (from.stoppedBy !== undefined || tally.failed() > 0 || tally.missing() > 0) return false
  const complete = openWave >= tally.last
  if (status === 'enforced') return complete && undone === 0
  if (status === 'degraded') return complete && undone > 0
  return status === 'enforcing' && isAwaited(tally, openWave, complete)
}

// One that is only read may have nothing more to wait for while others are not done.
function isAwaited(tally: Tally, openWave: number, complete: boolean): boolean {
  if (tally.awaited('enforcer', openWave) > 0) return true
  const isLearnt = complete && tally.undone('enforcer', openWave) === 0
  return isLearnt && tally.awaited('observer', openWave) > 0
}

function inForceAs(from: Status, spread: Spread, statuses: readonly Place[]): Status {
  if (spread.complete && statuses.every(({ status }) => isDone(status))) return 'enforced'
  if (from !== 'enforcing') return 'degraded'
  const over = spread.complete || spread.stoppedBy !== undefined
  return over && statuses.every((place) => place.hasAnswered) ? 'degraded' : 'enforcing'
}

/** Whether a release has been under way for longer than it should. */
export function isOverdue(enforcement: Enforcement, now: string): boolean {
  if (enforcement.status !== 'releasing') return false
  const since = Date.parse(enforcement.releaseRequestedAt ?? enforcement.updatedAt)
  return Date.parse(now) - since > overdueMs
}

/** From when on a release that isn't through counts as overdue, in ms. */
const overdueMs = 5 * 60_000

/** A device in one of its roles, in a wave that is open. */
interface Place {
  readonly device: Id
  readonly role: Result['role']
  readonly status: DeviceStatus
  readonly keys: readonly Key[]
  /** Nothing more is to be waited for: it said how it stands, or can't before others that have said so. */
  readonly hasAnswered: boolean
}

function placesUpTo(progress: Progress, wave: number): readonly Place[] {
  const open = progress.wanted.filter((row) => row.wave <= wave)
  const rows = groupBy(open, ({ device, observer }) => placeOf(device, roleOf(observer)))
  const results = new Map(progress.results.map((one) => [placeOf(one.device, one.role), one]))
  const causes = causesByKey(open, wave, (device) => {
    return results.get(placeOf(device, 'enforcer'))?.status ?? 'pending'
  })
  return [...rows].flatMap(([place, wanted]) => {
    const [first] = wanted
    if (first === undefined) return []
    const { status = 'pending', attempts = 0 } = results.get(place) ?? {}
    const keys = first.observer ? wanted.map(({ key }) => key) : []
    const waits = attempts > 0 && keys.some((key) => isSaid(causes.get(key)))
    const role = roleOf(first.observer)
    return [{ device: first.device, role, status, keys, hasAnswered: hasAnswered(status) || waits }]
  })
}

function isSaid(causes: readonly Cause[] | undefined): boolean {
  return causes?.every(({ status }) => hasAnswered(status)) ?? false
}

// A device that is only read has failed only where each device whose change is to show there shows it itself. What was degraded since they were
// last read may be so because one of them went off unseen: it must be read once more.
function failureIn(
  places: readonly Place[],
  from: Enforcement,
  progress: Progress,
): Place | undefined {
  const failed = places.filter(({ status }) => isFailure(status))
  const enforcer = failed.find(({ role }) => role === 'enforcer')
  if (enforcer !== undefined || failed.length === 0) return enforcer
  const since = from.status === 'degraded' ? from.updatedAt : ''
  const results = progress.results.filter(({ role }) => role === 'enforcer')
  const standing = new Map(
    results.map(({ device, status, verifiedAt = '' }) => [
      device,
      status === 'verified' && verifiedAt < since ? 'converging' : status,
    ]),
  )
  const wave = from.openWave ?? 0
  const causes = causesByKey(progress.wanted, wave, (device) => standing.get(device) ?? 'pending')
  return failed.find(({ keys }) => !keys.some((key) => causes.has(key)))
}

function roleOf(observer: boolean): Result['role'] {
  return observer ? 'observer' : 'enforcer'
}

function placeOf(device: Id, role: Result['role']): string {
  return `${role}|${device}`
}
