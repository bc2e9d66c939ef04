// How much a set of prefixes is: the union, IPv4 address by address, IPv6 in distinct /64s. The one way of counting for guards, plans and budgets. Pure.

import {
  addressCount,
  baseOf,
  familyOf,
  lengthOf,
  maximal,
  type Prefix,
  prefixFrom,
  toNumber,
} from '../inventory/prefix.ts'

/** A union of prefixes, counted. */
export interface Measured {
  readonly ipv4Addresses: bigint
  readonly ipv6Slash64: bigint
  /** The maximal ones, ascending. */
  readonly prefixes: readonly Prefix[]
}

/** Counts the union: an address that two prefixes hold counts once, and so does a /64 of which several parts are there. */
export function measure(prefixes: readonly Prefix[]): Measured {
  const union = maximal(prefixes)
  const networks = maximal(union.filter((prefix) => familyOf(prefix) === 6).map(slash64))
  return {
    ipv4Addresses: union
      .filter((prefix) => familyOf(prefix) === 4)
      .reduce((sum, prefix) => sum + addressCount(prefix), 0n),
    ipv6Slash64: networks.reduce((sum, prefix) => sum + (1n << BigInt(64 - lengthOf(prefix))), 0n),
    prefixes: union,
  }
}

function slash64(prefix: Prefix): Prefix {
  return lengthOf(prefix) <= 64 ? prefix : prefixFrom(6, toNumber(baseOf(prefix)), 64)
}
