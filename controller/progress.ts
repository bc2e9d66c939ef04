// Where the results of its devices leave an enforcement: its status, by the table of the life cycle alone, and how far its roll-out is open. Pure.

import type { Id } from '../inventory/model.ts'
import { type DeviceStatus, type Enforcement, inForce, type Status } from './enforcement.ts'
import { hasAnswered, isFailure, type Spread, spread } from './rollout.ts'
import type { Result, Wanted } from './store/store.ts'

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
    const lifted = statusesUpTo(progress, openWave).every(({ status }) => isDone(status))
    const end = from.rollingBack === true ? 'failed' : 'released'
    return { status: lifted ? end : 'releasing', spread: { openWave, complete: true } }
  }
  const stopped = from.stoppedBy === undefined ? {} : { stoppedBy: from.stoppedBy }
  if (!inForce.includes(from.status)) {
    return { status: from.status, spread: { ...stopped, openWave, complete: false } }
  }
  const at = { openWave, rollout: from.rollout, ...stopped }
  const next = spread(at, progress.wanted, progress.results)
  const statuses = statusesUpTo(progress, next.openWave)
  const failure = statuses.find(({ status }) => isFailure(status))
  // The table rolls back from enforcing and degraded; a failure found in `enforced` makes it degraded first.
  if (from.onFailure === 'rollback' && failure !== undefined && from.status !== 'enforced') {
    return { status: 'releasing', spread: next, rollBackFor: failure.device }
  }
  return { status: inForceAs(from.status, next, statuses), spread: next }
}

function inForceAs(
  from: Status,
  spread: Spread,
  statuses: readonly { readonly status: DeviceStatus }[],
): Status {
  if (spread.complete && statuses.every(({ status }) => isDone(status))) return 'enforced'
  if (from !== 'enforcing') return 'degraded'
  const over = spread.complete || spread.stoppedBy !== undefined
  return over && statuses.every(({ status }) => hasAnswered(status)) ? 'degraded' : 'enforcing'
}

/** Whether a release has been under way for longer than it should. */
export function isOverdue(enforcement: Enforcement, now: string): boolean {
  if (enforcement.status !== 'releasing') return false
  const since = Date.parse(enforcement.releaseRequestedAt ?? enforcement.updatedAt)
  return Date.parse(now) - since > overdueMs
}

/** From when on a release that isn't through counts as overdue, in ms. */
const overdueMs = 5 * 60_000

/** Whether nothing is left to be done there: as it should be, or not to be had on this platform. */
export function isDone(status: DeviceStatus): boolean {
  return status === 'verified' || status === 'unsupported'
}

function statusesUpTo(
  progress: Progress,
  wave: number,
): readonly { readonly device: Id; readonly status: DeviceStatus }[] {
  const places = new Map<string, { readonly device: Id; readonly role: Result['role'] }>()
  for (const row of progress.wanted) {
    const role = row.observer ? 'observer' : 'enforcer'
    if (row.wave <= wave) places.set(`${role}|${row.device}`, { device: row.device, role })
  }
  const results = new Map(progress.results.map((r) => [`${r.role}|${r.device}`, r.status]))
  return [...places].map(([place, { device }]) => ({
    device,
    status: results.get(place) ?? 'pending',
  }))
}
