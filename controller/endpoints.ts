// One endpoint, one agent: a device that still holds something of ours keeps its address, port and way, and no other id may be given them meanwhile. Pure.

import type { Device, Id, Inventory, Jump } from '../inventory/model.ts'

/** A device on which something of ours is in force, as it is reached. */
export interface HeldDevice {
  readonly device: Device
  readonly jump: Jump | undefined
  /** What is held there, and so must be released first. Empty: claims that no enforcement stands behind any more. */
  readonly enforcements: readonly string[]
}

/** An endpoint that an inventory gives to another id than the one that holds something there. */
export interface TakenEndpoint {
  readonly device: Id
  /** Whose endpoint it is. */
  readonly heldBy: Id
  readonly enforcements: readonly string[]
  readonly message: string
}

/** Which devices of an inventory stand on the endpoint of another id that holds something there: two agents would work on one machine, and the release of the one would lift what the other wants. */
export function takenEndpoints(
  next: Pick<Inventory, 'devices' | 'jumps'>,
  held: readonly HeldDevice[],
): readonly TakenEndpoint[] {
  const byAddress = new Map<string, HeldDevice[]>()
  for (const one of held) {
    const known = byAddress.get(socketOf(one.device))
    if (known === undefined) byAddress.set(socketOf(one.device), [one])
    else known.push(one)
  }
  return [...next.devices.values()].flatMap((device) => {
    const here = byAddress.get(socketOf(device)) ?? []
    const jump = device.jump === undefined ? undefined : next.jumps.get(device.jump)
    // What already holds something at that very endpoint can't be helped by refusing the inventory: only by releasing it.
    if (here.some((one) => one.device.id === device.id && sameWay(one.jump, jump))) return []
    return here
      .filter((one) => one.device.id !== device.id && sameWay(one.jump, jump))
      .map((one) => taken(device, one))
  })
}

function taken(device: Device, { device: old, jump, enforcements }: HeldDevice): TakenEndpoint {
  const way = jump === undefined ? '' : ` by ${jump.id}`
  const what = enforcements.join(', ') || 'claims without an enforcement'
  return {
    device: device.id,
    heldBy: old.id,
    enforcements,
    message: `${device.id} is given ${socketOf(old)}${way}, the endpoint of ${old.id}, while nullroute holds something there (${what}): keep the id ${old.id} for that machine until it is released, then rename it`,
  }
}

function socketOf({ address, port }: Device): string {
  return `${address} port ${port}`
}

// A jump host that was renamed, or that moved, is still the same way.
function sameWay(one: Jump | undefined, other: Jump | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one.id === other.id || (one.address === other.address && one.port === other.port)
}
