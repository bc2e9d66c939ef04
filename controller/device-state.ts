// What is known of a device beside the inventory: after a read, after its session came or went, and when that is worth a record. Pure.

import type { KeyState, SessionEvent, VerifiedStep } from '../agent/journal.ts'
import type { Device, Id } from '../inventory/model.ts'
import type { Json, NewRecord } from './audit/record.ts'
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
