// What is known of devices, kept in memory: each decision asks how its devices stand, and the row of one with thousands of objects is megabytes
// of JSON. A cache and nothing more, dropped with the rest of kept.ts.

import type { Id } from '../../inventory/model.ts'
import type { Sql } from './statements.ts'
import type { DeviceState } from './store.ts'

/** Most states of objects that are kept, of all devices together, each device counting for one more: some 30 MB. A device with more is read each time. */
const deviceStatesMax = 100_000

/** States by device. */
export interface KeptDevices {
  device(id: Id): DeviceState | undefined
  /** A state was written. */
  note(state: DeviceState): void
  drop(): void
}

/** Keeps nothing yet. */
export function createKeptDevices(sql: Sql): KeptDevices {
  /** The one that was read last is the last. */
  const kept = new Map<Id, DeviceState>()
  let states = 0

  function forget(id: Id): void {
    const known = kept.get(id)
    if (known === undefined) return
    kept.delete(id)
    states -= sizeOf(known)
  }

  function keep(state: DeviceState): void {
    const size = sizeOf(state)
    if (size > deviceStatesMax) return
    for (const oldest of kept.keys()) {
      if (states + size <= deviceStatesMax) break
      forget(oldest)
    }
    kept.set(state.device, state)
    states += size
  }

  return {
    device(id) {
      const known = kept.get(id)
      if (known !== undefined) return known
      const row = sql.get<{ doc: string }>('select doc from device_state where device = ?', id)
      if (row === undefined) return undefined
      const state = JSON.parse(row.doc) as DeviceState // written by `putDevice` alone
      keep(state)
      return state
    },
    note(state) {
      forget(state.device)
      keep(state)
    },
    drop() {
      kept.clear()
      states = 0
    },
  }
}

function sizeOf({ states, orphans }: DeviceState): number {
  return 1 + states.length + orphans.length
}
