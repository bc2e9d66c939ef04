// Many prefixes that lie near each other, asked for as what stands inside a wider one: one question in place of one for each. Pure.

import { groupBy } from '../../inventory/group-by.ts'
import { familyOf, type Prefix, prefixFrom, toSpan } from '../../inventory/prefix.ts'

/** Fewest prefixes that are asked for together. */
const coveredMin = 16

/** The widest that is asked for, in bits: inside a /20 no more than 8,191 routes of IPv4 can stand, so that no table is too large to be read. */
const widestLength = { 4: 20, 6: 36 } as const

/** A prefix in the routing instance that it is asked of. */
export interface Place {
  readonly vrf: string
  readonly prefix: Prefix
}

/** For those that are asked for together the prefix that covers them; the others are asked for by themselves. */
export function coversOf(places: readonly Place[]): ReadonlyMap<string, Prefix> {
  const narrow = places.flatMap((place) => {
    const block = blockOf(place.prefix)
    return block === undefined ? [] : [{ ...place, block }]
  })
  const found = new Map<string, Prefix>()
  for (const members of groupBy(narrow, ({ vrf, block }) => placeName(vrf, block)).values()) {
    const prefixes = members.map(({ prefix }) => prefix)
    if (new Set(prefixes).size < coveredMin) continue
    const cover = smallestAround(prefixes)
    for (const { vrf, prefix } of members) found.set(placeName(vrf, prefix), cover)
  }
  return found
}

/** By which `coversOf` names a prefix of a routing instance. */
export function placeName(vrf: string, prefix: Prefix): string {
  return `${vrf}|${prefix}`
}

function blockOf(prefix: Prefix): Prefix | undefined {
  const { first, length } = toSpan(prefix)
  const family = familyOf(prefix)
  return length < widestLength[family] ? undefined : around(family, first, widestLength[family])
}

function around(family: 4 | 6, address: bigint, length: number): Prefix {
  const hostBits = BigInt((family === 4 ? 32 : 128) - length)
  return prefixFrom(family, (address >> hostBits) << hostBits, length)
}

/** Of one block, so that it is never wider than that. */
function smallestAround([some, ...more]: readonly Prefix[]): Prefix {
  if (some === undefined) throw new TypeError('nothing to cover')
  const spans = [some, ...more].map((prefix) => toSpan(prefix))
  const family = familyOf(some)
  const first = spans.reduce(
    (least, span) => (span.first < least ? span.first : least),
    spans[0]?.first ?? 0n,
  )
  const last = spans.reduce((most, span) => (span.last > most ? span.last : most), 0n)
  const bits = family === 4 ? 32 : 128
  return around(family, first, bits - (first ^ last).toString(2).replace(/^0$/, '').length)
}
