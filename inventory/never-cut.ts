// The addresses that no decision may cut, derived from the inventory: what carries the network, and the ways to it. People add to it with `protected`.
// Large networks have tens of thousands of them: whether one is in a prefix is asked of a trie.

import { groupBy } from './group-by.ts'
import type { Device, Id, Inventory } from './model.ts'
import { type Address, ascending, familyOf, hostPrefix, type Prefix } from './prefix.ts'
import { createTrie, type Trie } from './trie.ts'

/** An address that is never cut, and why. */
export interface NeverCut {
  readonly address: Address
  /** Its /32 or /128. */
  readonly prefix: Prefix
  /** In words: `gateway of edge1.ams`. */
  readonly why: string
  /** The customer whose BGP session ends there: for a decision about that customer the entry doesn't count. */
  readonly ownNeighborOf?: Id
  /** Which session of that customer it is: the same address in another table, or on another device, is another session. */
  readonly session?: { readonly device: Id; readonly vrf: string }
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
        session: { device: neighbor.device, vrf: neighbor.vrf },
      })),
    ),
  ]
  const unique = [...new Map(entries.map((each) => [keyOf(each), each])).values()]
  return ascending(unique.map(({ prefix }) => prefix)).flatMap((index) => unique[index] ?? [])
}

function keyOf({ address, why, session }: NeverCut): string {
  return `${address} ${session?.vrf ?? ''} ${why}`
}

/** Those that lie in a prefix, in the order of the list. A list is sorted for this once, when it is first asked about. */
export function neverCutIn(list: readonly NeverCut[], prefix: Prefix): readonly NeverCut[] {
  const { tries, groups } = sortedOf(list)
  return tries[familyOf(prefix)].inside(prefix).flatMap((index) => groups[index] ?? [])
}

/** Those of one address, in the order of the list. */
export function neverCutAt(list: readonly NeverCut[], address: Address): readonly NeverCut[] {
  return neverCutIn(list, hostPrefix(address))
}

interface Sorted {
  /** Numbers in `groups`. */
  readonly tries: { readonly 4: Trie; readonly 6: Trie }
  /** The entries of one address each. */
  readonly groups: readonly (readonly NeverCut[])[]
}

// A list never changes: a reload makes another one.
const known = new WeakMap<readonly NeverCut[], Sorted>()

function sortedOf(list: readonly NeverCut[]): Sorted {
  const before = known.get(list)
  if (before !== undefined) return before
  const byPrefix = groupBy(list, (each) => each.prefix)
  const prefixes = [...byPrefix.keys()]
  const tries = { 4: createTrie(4, prefixes), 6: createTrie(6, prefixes) }
  const sorted = { tries, groups: [...byPrefix.values()] }
  known.set(list, sorted)
  return sorted
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
