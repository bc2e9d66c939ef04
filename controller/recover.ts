// What a start finds of the last run: steps whose end nobody wrote down, and devices that are in no inventory any more but hold something of ours.

import type { Device, Id, Jump } from '../inventory/model.ts'
import { holdersOn } from './conflicts.ts'
import { systemActor } from './desk/desk.ts'
import type { HeldDevice } from './endpoints.ts'
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

/** A device and the host that its sessions go through. */
export interface Reachable {
  readonly device: Device
  readonly jump: Jump | undefined
}

/** A device as it is to be reached. One that holds claims stays what it was when they were made, whatever the inventory says by now: else its objects would be sought on another router. */
export function reachable(world: World, store: Store, id: Id): Reachable | undefined {
  const listed = world.inventory.devices.get(id)
  const known = store.read((rows) => lastKnown(rows, id))
  if (known !== undefined && (listed === undefined || isAnother(known.device, listed))) return known
  if (listed === undefined) return undefined
  const { jump } = listed
  return { device: listed, jump: jump === undefined ? undefined : world.inventory.jumps.get(jump) }
}

/** Whether they are different boxes, or the same box behind another driver. */
function isAnother(one: Device, other: Device): boolean {
  return one.platform !== other.platform || one.address !== other.address || one.port !== other.port
}

/** A device that holds claims, as it was reached when they were made; undefined where it holds none. */
export function lastKnown(rows: Rows, id: Id): Reachable | undefined {
  const text = rows.claims(id).length === 0 ? undefined : rows.device(id)?.lastKnown
  if (text === undefined) return undefined
  // Written by `rememberAs` alone, of a checked Device and Jump.
  const { device, jump } = JSON.parse(text) as { readonly device: Device; readonly jump?: Jump }
  return { device, jump }
}

/** Every device that holds claims, as it was reached when they were made, with what is in force there. */
export function heldDevices(rows: Rows): readonly HeldDevice[] {
  const live = rows.live()
  return rows.devicesWithClaims().flatMap((id) => {
    const known = lastKnown(rows, id)
    if (known === undefined) return []
    return [
      { ...known, enforcements: holdersOn(id, { live, wanted: rows.wanted({ device: id }) }) },
    ]
  })
}

/** The text that `lastKnown` reads. */
export function rememberAs({ device, jump }: Reachable): string {
  return JSON.stringify(jump === undefined ? { device } : { device, jump })
}
