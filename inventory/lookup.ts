// Who has an address, whose space holds a prefix, what is protected there: answered by tries, for inventories of a million prefixes.

import type { Customer, Inventory, Protected } from './model.ts'
import { type Address, addressCount, familyOf, lengthOf, maximal, type Prefix } from './prefix.ts'
import { createTrie } from './trie.ts'

/** Questions about space. A customer counts whatever the routing table its prefix is in. */
export interface Lookup {
  /** The customer that has this address. */
  customerAt(address: Address): Customer | undefined
  /** Every customer with at least one address of this prefix, each once. */
  customersOverlapping(prefix: Prefix): readonly Customer[]
  /** The one customer whose space holds all of this prefix; several adjacent prefixes of one customer count together. */
  containing(prefix: Prefix): Customer | undefined
  /** What is protected with at least one address of this prefix, each once. */
  protectedOverlapping(prefix: Prefix): readonly Protected[]
}

/** Builds the tries of one inventory; it never changes afterwards. */
export function createLookup(inventory: Inventory): Lookup {
  const before = known.get(inventory)
  if (before !== undefined) return before
  const made = build(inventory)
  known.set(inventory, made)
  return made
}

// An inventory never changes, and its loading asks before anybody else does.
const known = new WeakMap<Inventory, Lookup>()

function build(inventory: Inventory): Lookup {
  const theirs: Prefix[] = []
  const owners: Customer[] = []
  for (const customer of inventory.customers.values()) {
    for (const { prefix } of customer.prefixes) {
      theirs.push(prefix)
      owners.push(customer)
    }
  }
  const customers = createSpace(theirs, owners)
  const shields = createSpace(
    inventory.protected.map(({ prefix }) => prefix),
    inventory.protected,
  )
  return {
    customerAt: (address) => customers.at(address),
    customersOverlapping: (prefix) => [
      ...new Set(customers.overlapping(prefix).map(([, customer]) => customer)),
    ],
    containing: (prefix) => holderOf(customers, prefix),
    protectedOverlapping: (prefix) => [
      ...new Set(shields.overlapping(prefix).map(([, shield]) => shield)),
    ],
  }
}

interface Space<T> {
  at(address: Address): T | undefined
  overlapping(prefix: Prefix): readonly (readonly [Prefix, T])[]
}

function createSpace<T>(prefixes: readonly Prefix[], owners: readonly T[]): Space<T> {
  const tries = { 4: createTrie(4, prefixes), 6: createTrie(6, prefixes) }
  return {
    at: (address) => owners[tries[familyOf(address)].longest(address)],
    overlapping(prefix) {
      const trie = tries[familyOf(prefix)]
      const around = trie.around(prefix)
      const inside = trie.inside(prefix)
      if (around.length + inside.length === 0) return []
      const indices = new Set([...around, ...inside])
      return [...indices].flatMap((index): readonly (readonly [Prefix, T])[] => {
        const one = prefixes[index]
        const owner = owners[index]
        return one === undefined || owner === undefined ? [] : [[one, owner]]
      })
    },
  }
}

function holderOf(customers: Space<Customer>, prefix: Prefix): Customer | undefined {
  const overlapping = customers.overlapping(prefix)
  const [first] = overlapping
  if (first === undefined || overlapping.some(([, customer]) => customer !== first[1])) {
    return undefined
  }
  if (overlapping.some(([theirs]) => lengthOf(theirs) <= lengthOf(prefix))) return first[1]
  // All that is theirs here lies inside: it must fill the prefix to the last address.
  const filled = maximal(overlapping.map(([theirs]) => theirs))
  const total = filled.reduce((sum, each) => sum + addressCount(each), 0n)
  return total === addressCount(prefix) ? first[1] : undefined
}
