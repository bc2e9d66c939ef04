// The addresses that no decision may cut, derived from the inventory: what carries the network, and the ways to it. People add to it with `protected`.

import type { Device, Id, Inventory } from './model.ts'
import { type Address, comparePrefixes, hostPrefix, type Prefix } from './prefix.ts'

/** An address that is never cut, and why. */
export interface NeverCut {
  readonly address: Address
  /** Its /32 or /128. */
  readonly prefix: Prefix
  /** In words: `gateway of edge1.ams`. */
  readonly why: string
  /** The customer whose BGP session ends there: for a decision about that customer the entry doesn't count. */
  readonly ownNeighborOf?: Id
}

/** Every address that must not be cut, ascending; one entry for each reason. `controllerAddresses` are those of the host's own sockets, beside what the inventory names. */
export function neverCut(
  inventory: Inventory,
  controllerAddresses: readonly Address[],
): readonly NeverCut[] {
  const entries = [
    ...[...inventory.devices.values()].flatMap(ofDevice),
    ...[...inventory.jumps.values()].map((jump) => entry(jump.address, `jump host ${jump.id}`)),
    ...[...inventory.controllerAddresses, ...controllerAddresses].map((address) =>
      entry(address, 'address of the controller'),
    ),
    ...inventory.discardNextHops.map((address) => entry(address, 'discard next hop')),
    ...[...inventory.customers.values()].flatMap((customer) =>
      customer.neighbors.map((neighbor) => ({
        ...entry(neighbor.address, `BGP neighbor of ${neighbor.device} (customer ${customer.id})`),
        ownNeighborOf: customer.id,
      })),
    ),
  ]
  const unique = new Map(entries.map((each) => [`${each.address} ${each.why}`, each]))
  return [...unique.values()].sort((one, other) => comparePrefixes(one.prefix, other.prefix))
}

function ofDevice(device: Device): readonly NeverCut[] {
  return [
    entry(device.address, `address of ${device.id}`),
    ...device.loopbacks.map((address) => entry(address, `loopback of ${device.id}`)),
    ...device.gateways.map((address) => entry(address, `gateway of ${device.id}`)),
    ...device.nextHops.map((address) => entry(address, `next hop of ${device.id}`)),
    ...device.neighbors.map(({ address, what }) =>
      entry(address, `${what} neighbor of ${device.id}`),
    ),
  ]
}

function entry(address: Address, why: string): NeverCut {
  return { address, prefix: hostPrefix(address), why }
}
