// What customers have on a device: ports and BGP sessions, by device. A decision must not look through all customers for it.

import type { CustomerNeighbor, Id, Inventory, PortName } from './model.ts'

/** A port, and whose it is. */
export interface HeldPort {
  readonly customer: Id
  readonly port: PortName
}

/** A BGP session, and whose it is. */
export interface HeldNeighbor extends CustomerNeighbor {
  readonly customer: Id
}

/** All that customers have on one device, in the order of the inventory. */
export interface Holdings {
  readonly ports: readonly HeldPort[]
  readonly neighbors: readonly HeldNeighbor[]
  /** Those of the sessions that name a group. */
  readonly grouped: readonly Grouped[]
}

/** A BGP session whose group on the device is known. */
export type Grouped = HeldNeighbor & Required<Pick<HeldNeighbor, 'group'>>

interface Growing {
  readonly ports: HeldPort[]
  readonly neighbors: HeldNeighbor[]
  readonly grouped: Grouped[]
}

const nothing: Holdings = { ports: [], neighbors: [], grouped: [] }

/** What customers have on this device. Sorted by device once per inventory, when first asked. */
export function holdingsOn(inventory: Inventory, device: Id): Holdings {
  let byDevice = known.get(inventory)
  if (byDevice === undefined) {
    byDevice = sorted(inventory)
    known.set(inventory, byDevice)
  }
  return byDevice.get(device) ?? nothing
}

// An inventory never changes: a reload makes another one, and the old one's entry goes with it.
const known = new WeakMap<Inventory, ReadonlyMap<Id, Holdings>>()

function sorted({ customers }: Inventory): ReadonlyMap<Id, Holdings> {
  const byDevice = new Map<Id, Growing>()
  const on = (device: Id): Growing => {
    const here = byDevice.get(device) ?? { ports: [], neighbors: [], grouped: [] }
    byDevice.set(device, here)
    return here
  }
  for (const { id, ports, neighbors } of customers.values()) {
    for (const port of ports) on(port.device).ports.push({ customer: id, port: port.interface })
    for (const each of neighbors) {
      const here = on(each.device)
      const held = { ...each, customer: id }
      here.neighbors.push(held)
      if (each.group !== undefined) here.grouped.push({ ...held, group: each.group })
    }
  }
  return byDevice
}
