// One endpoint, one agent: a device that still holds something of ours keeps its address, port and way, and no other id may be given them meanwhile. Pure.

import { groupBy } from '../inventory/group-by.ts'
import { mayShareHost } from '../inventory/hosts.ts'
import type { Device, Id, Inventory, Jump } from '../inventory/model.ts'
import type { KnownPlatforms } from '../inventory/ports.ts'

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
  platforms: KnownPlatforms,
): readonly TakenEndpoint[] {
  const byAddress = groupBy(held, (one) => socketOf(one.device))
  return [...next.devices.values()].flatMap((device) => {
    const here = byAddress.get(socketOf(device)) ?? []
    const jump = device.jump === undefined ? undefined : next.jumps.get(device.jump)
    // What already holds something at that very endpoint can't be helped by refusing the inventory: only by releasing it.
    if (here.some((one) => one.device.id === device.id && sameWay(one.jump, jump))) return []
    return here
      .filter((one) => one.device.id !== device.id && sameWay(one.jump, jump))
      .filter((one) => !mayShareHost(one.device.platform, device.platform, platforms))
      .map((one) => {
        const way = one.jump === undefined ? '' : ` by ${one.jump.id}`
        return taken(
          device,
          one,
          `${socketOf(one.device)}${way}, the endpoint of ${one.device.id},`,
        )
      })
  })
}

/** Which new devices of an inventory are a machine that leaves it while it holds something: by an address that both have, whatever the port and the way. Two ids that were there before may share one, as behind an address translation. */
export function renamedMachines(
  next: Pick<Inventory, 'devices'>,
  held: readonly HeldDevice[],
  about: { readonly before: ReadonlySet<Id>; readonly platforms: KnownPlatforms },
): readonly TakenEndpoint[] {
  const leaving = held.filter(({ device }) => !next.devices.has(device.id))
  if (leaving.length === 0) return []
  const added = [...next.devices.values()].filter(({ id }) => !about.before.has(id))
  return added.flatMap((device) => {
    const own = addressesOf(device)
    return leaving
      .filter((one) => !mayShareHost(one.device.platform, device.platform, about.platforms))
      .flatMap((one) => {
        const [shared] = addressesOf(one.device).filter((address) => own.includes(address))
        return shared === undefined
          ? []
          : [taken(device, one, `${shared}, an address of ${one.device.id},`)]
      })
  })
}

function addressesOf({ address, loopbacks }: Device): readonly string[] {
  return [address, ...loopbacks]
}

function taken(
  device: Device,
  { device: old, enforcements }: HeldDevice,
  given: string,
): TakenEndpoint {
  const what = enforcements.join(', ') || 'claims without an enforcement'
  return {
    device: device.id,
    heldBy: old.id,
    enforcements,
    message: `${device.id} is given ${given} while nullroute holds something there (${what}): keep the id ${old.id} for that machine until it is released, then rename it`,
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
