// Which devices have a role: sorted once per inventory, since each decision asks for a few of them out of tens of thousands.

import type { Device, Id } from './model.ts'

/** The devices that have this role, by id. */
export function devicesWithRole(devices: ReadonlyMap<Id, Device>, role: string): readonly Id[] {
  let byRole = known.get(devices)
  if (byRole === undefined) {
    byRole = sorted(devices)
    known.set(devices, byRole)
  }
  return byRole.get(role) ?? []
}

// Devices of an inventory never change: a reload makes another map.
const known = new WeakMap<ReadonlyMap<Id, Device>, ReadonlyMap<string, readonly Id[]>>()

function sorted(devices: ReadonlyMap<Id, Device>): ReadonlyMap<string, readonly Id[]> {
  const byRole = new Map<string, Id[]>()
  for (const { id, roles } of devices.values()) {
    for (const role of new Set(roles)) {
      const ids = byRole.get(role)
      if (ids === undefined) byRole.set(role, [id])
      else ids.push(id)
    }
  }
  for (const ids of byRole.values()) ids.sort()
  return byRole
}
