// What a start finds of the last run: steps whose end nobody wrote down, and devices that are in no inventory any more but hold something of ours.

import type { Device, Id, Jump } from '../inventory/model.ts'
import { systemActor } from './desk/desk.ts'
import type { Rows, Store } from './store/store.ts'
import type { World } from './world.ts'

/** Closes each intended step that has no end as `unknown`: the device is read before anything else happens to it. Answers how many there were. */
export async function closeOpenSteps(store: Store): Promise<number> {
  return store.commit((tx) => {
    const open = tx.openSteps()
    for (const { device, step, enforcement } of open) {
      const customer = enforcement === undefined ? undefined : tx.enforcement(enforcement)?.customer
      tx.append({
        type: 'device.commands_done',
        outcome: 'unknown',
        actor: systemActor,
        on: {
          device,
          ...(enforcement === undefined ? {} : { enforcement }),
          ...(customer === undefined ? {} : { customer }),
        },
        data: { step, why: 'the controller ended before the device had answered' },
      })
    }
    if (open.length > 0) {
      tx.append({
        type: 'system.recovered',
        outcome: 'ok',
        actor: systemActor,
        on: {},
        data: { closed: open.length },
      })
    }
    return open.length
  })
}

/** A device as it is to be reached. One that holds claims stays what it was when they were made, whatever the inventory says by now: else its objects would be sought on another router. */
export function reachable(
  world: World,
  store: Store,
  id: Id,
): { readonly device: Device; readonly jump: Jump | undefined } | undefined {
  const listed = world.inventory.devices.get(id)
  const known = store.read((rows) => lastKnownDevice(rows, id))
  const moved = known !== undefined && listed !== undefined && isAnother(known, listed)
  const device = moved || listed === undefined ? known : listed
  if (device === undefined) return undefined
  return {
    device,
    jump: device.jump === undefined ? undefined : world.inventory.jumps.get(device.jump),
  }
}

/** Whether they are different boxes, or the same box behind another driver. */
export function isAnother(one: Device, other: Device): boolean {
  return one.platform !== other.platform || one.address !== other.address || one.port !== other.port
}

/** A device that holds claims, as it was when they were made; undefined where it holds none. */
export function lastKnownDevice(rows: Rows, id: Id): Device | undefined {
  const text = rows.claims(id).length === 0 ? undefined : rows.device(id)?.lastKnown
  // Written by the journal from a checked Device; nobody else writes that column.
  return text === undefined ? undefined : (JSON.parse(text) as Device)
}
