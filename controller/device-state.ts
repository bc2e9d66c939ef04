// What is known of a device beside the inventory: after a read, after its session came or went, and when that is worth a record. Pure.

import type { Claim, Desired, Lifted } from '../agent/diff.ts'
import { type Key, keyOf, sameIntent } from '../agent/intents.ts'
import type { KeyState, SessionEvent, VerifiedStep } from '../agent/journal.ts'
import type { Device, Id } from '../inventory/model.ts'
import type { Json, NewRecord } from './audit/record.ts'
import { inForce } from './enforcement.ts'
import type { DeviceState, Rows } from './store/store.ts'

/** The stored state of a device, or that of one that was never seen. */
export function deviceState(rows: Rows, device: Id): DeviceState {
  return (
    rows.device(device) ?? {
      device,
      state: 'unknown',
      unsaved: false,
      step: 0,
      states: [],
      orphans: [],
    }
  )
}

/** The state after a read. */
export function asRead(state: DeviceState, step: VerifiedStep, at: string): DeviceState {
  const { since: _since, code: _code, ...rest } = state
  return {
    ...rest,
    state: 'up',
    lastReadAt: at,
    unsaved: state.unsaved || step.unsaved,
    states: step.states as readonly KeyState[],
    orphans: step.orphans,
  }
}

/** How many lifted objects are remembered for each device: each is looked for in each new session. */
export const liftedMax = 64

/** The state once these were lifted and saved. Only what stood there by our lines is remembered. */
export function afterLifting(state: DeviceState, claims: readonly Lifted[]): DeviceState {
  const gone = claims
    .filter(({ wrote }) => wrote.length > 0)
    .map(({ key, intent, wrote }): Lifted => ({ key, intent, wrote }))
  if (gone.length === 0) return state
  const keys = new Set(gone.map(({ key }) => key))
  const earlier = (state.lifted ?? []).filter(({ key }) => !keys.has(key))
  // What is there again goes last: forgotten, it would be known as an orphan no more.
  const back = new Set(state.orphans.map(({ key }) => key))
  const byNeed = [
    ...[...earlier, ...gone].filter(({ key }) => !back.has(key)),
    ...earlier.filter(({ key }) => back.has(key)),
  ]
  return { ...state, lifted: byNeed.slice(-liftedMax) }
}

/** What of it nobody wants or holds again, and whether it was seen there since. */
export function liftedOf(
  state: Pick<DeviceState, 'lifted' | 'orphans'>,
  desired: Desired,
): NonNullable<Desired['lifted']> {
  const back = new Set(state.orphans.map(({ key }) => key))
  const { wanted, expected, fading, looked = [], claims } = desired
  const ours = new Set([
    ...[...wanted, ...expected, ...fading, ...looked].map(keyOf),
    ...claims.map(({ key }) => key),
  ])
  return (state.lifted ?? [])
    .filter(({ key }) => !ours.has(key))
    .map((one) => ({ ...one, back: back.has(one.key) }))
}

/** Keys of what is ours and there, or not known to be gone, that nobody asks for and no release is lifting: a start can bring back what was lifted, and the device refuse to let it go again. */
export function unwantedOn(rows: Rows, { device, states }: DeviceState): readonly Key[] {
  const open = new Set(
    states
      .filter(({ seen, verified }) => !verified && (seen === 'present' || seen === 'unknown'))
      .map(({ key }) => key),
  )
  if (open.size === 0) return []
  for (const { key, enforcement } of rows.wanted({ device })) {
    if (open.has(key) && isUnderWay(rows, enforcement)) open.delete(key)
  }
  if (open.size === 0) return []
  return rows
    .claims(device)
    .map(({ key }) => key)
    .filter((key) => open.has(key))
}

function isUnderWay(rows: Rows, enforcement: string): boolean {
  const status = rows.enforcement(enforcement)?.status
  return status !== undefined && (status === 'releasing' || inForce.includes(status))
}

/** The state after a session came or went. */
export function afterSession(state: DeviceState, event: SessionEvent, at: string): DeviceState {
  if (event.kind === 'connected') {
    const { since: _since, code: _code, ...rest } = state
    return {
      ...rest,
      state: 'up',
      ...(event.software === undefined ? {} : { software: event.software }),
    }
  }
  const changedKey = event.code === 'host_key_changed' || event.code === 'host_key_unknown'
  return {
    ...state,
    state: changedKey ? 'quarantined' : event.kind === 'refused' ? 'refused' : 'unreachable',
    since: state.since ?? at,
    code: event.code,
  }
}

/** The record of a session that came or went, where it is worth one: once per change of state, so that a device that is off for a week is one record, not one for each try. */
export function sessionRecord(
  event: SessionEvent,
  about: { readonly before: DeviceState; readonly after: DeviceState; readonly device: Device },
): Omit<NewRecord, 'actor' | 'on'> | undefined {
  const address = about.device.address
  if (event.kind === 'connected') {
    const data: Record<string, Json> = { address, hostKey: event.hostKey }
    if (event.software !== undefined) data['software'] = event.software
    return { type: 'device.connected', outcome: 'ok', data }
  }
  if (about.before.code === event.code) return undefined
  const data: Record<string, Json> = { address, why: event.message }
  if (event.hostKey !== undefined) data['hostKey'] = event.hostKey
  if (event.expected !== undefined) data['expected'] = event.expected
  if (event.kind === 'refused') return { type: 'device.refused', outcome: 'refused', data }
  data['since'] = about.after.since ?? ''
  return { type: 'device.unreachable', outcome: 'failed', data }
}

/** Whether a step puts back what was held already. */
export function isDrift(held: readonly Claim[], next: Omit<Claim, 'step'>): boolean {
  const claim = held.find(({ key }) => key === next.key)
  return (
    claim?.phase === 'held' && next.phase === 'pending' && sameIntent(claim.intent, next.intent)
  )
}
