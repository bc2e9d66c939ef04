// An internet so small that it can be enumerated: every claim about prefixes becomes arithmetic on single addresses. Knows nothing of the product's own.

import fc from 'fast-check'

/** Where addresses are counted one by one: 64 of IPv4, and of IPv6 16 networks with the first addresses and one from the middle of each. */
const base4 = numberOf('203.0.113.0')
const base6 = numberOf('2001:db8:e57::')
const slash64 = 1n << 64n

/** An address as what it is: a family and a number. */
export interface Point {
  readonly family: 4 | 6
  readonly at: bigint
}

const inside4 = Array.from({ length: 64 }, (_, i): Point => ({ family: 4, at: base4 + BigInt(i) }))
const inside6 = Array.from({ length: 16 }, (_, i) =>
  [0n, 1n, 2n, 3n, 1n << 40n].map(
    (low): Point => ({ family: 6, at: base6 + BigInt(i) * slash64 + low }),
  ),
).flat()
const beside = ['203.0.113.64', '203.0.113.128', '203.0.112.255', '203.0.114.0', '1.1.1.1']
  .concat('255.255.255.255', '2001:db8:e57:10::', '2001:db8:e57:80::', '2001:db8:e58::')
  .concat('2001:db8:e56:ffff::', '::1')
  .map((text): Point => ({ family: text.includes(':') ? 6 : 4, at: numberOf(text) }))

/** All addresses that anything is asked about, the neighborhood included. */
export const points: readonly Point[] = [...inside4, ...inside6, ...beside]

/** A prefix as an interval. */
interface Interval {
  readonly family: 4 | 6
  readonly first: bigint
  readonly size: bigint
}

/** Reads `203.0.113.0/26` and `2001:db8::/32`, in canonical text. */
export function intervalOf(prefix: string): Interval {
  const known = intervals.get(prefix)
  if (known !== undefined) return known
  const [address = '', length = ''] = prefix.split('/')
  const family = address.includes(':') ? 6 : 4
  const bits = (family === 4 ? 32 : 128) - Number(length)
  const interval = { family, first: numberOf(address), size: 1n << BigInt(bits) } as const
  intervals.set(prefix, interval)
  return interval
}

// There are few prefixes in so small an internet, and each is asked about often.
const intervals = new Map<string, Interval>()

/** Whether a prefix holds an address. */
export function has(prefix: string, { family, at }: Point): boolean {
  const span = intervalOf(prefix)
  return span.family === family && span.first <= at && at < span.first + span.size
}

/** Whether any of the prefixes holds it. */
export function hasAny(prefixes: readonly string[], point: Point): boolean {
  return prefixes.some((prefix) => has(prefix, point))
}

/** The addresses of a prefix that are asked about. */
export function pointsOf(prefix: string): readonly Point[] {
  const known = pointsBy.get(prefix)
  if (known !== undefined) return known
  const found = points.filter((point) => has(prefix, point))
  pointsBy.set(prefix, found)
  return found
}

const pointsBy = new Map<string, readonly Point[]>()

/** The prefix of that length that holds the first address of another. */
export function around(prefix: string, length: number): string {
  return prefixText([prefix.split('/')[0] ?? '', length])
}

/** How many prefixes are needed, at the least, to cover a prefix without the holes: subtrees that hold no hole, halved where they hold some. */
export function fewest(prefix: string, holes: readonly string[]): number {
  const spans = holes.map(intervalOf).filter(({ family }) => family === intervalOf(prefix).family)
  const count = (first: bigint, size: bigint): number => {
    const met = spans.filter((hole) => hole.first < first + size && first < hole.first + hole.size)
    if (met.length === 0) return 1
    if (met.some((hole) => hole.first <= first && first + size <= hole.first + hole.size)) return 0
    const half = size / 2n
    return count(first, half) + count(first + half, half)
  }
  const { first, size } = intervalOf(prefix)
  return count(first, size)
}

/** Distinct addresses (IPv4) or /64s (IPv6) of a union of prefixes that lie inside. */
export function sizeOf(prefixes: readonly string[]): { readonly 4: number; readonly 6: number } {
  const all = [...inside4, ...inside6].filter((point) => hasAny(prefixes, point))
  const networks = all.filter(({ family }) => family === 6).map(({ at }) => at / slash64)
  return { 4: all.filter(({ family }) => family === 4).length, 6: new Set(networks).size }
}

const address4 = fc.nat(63).map((low) => text4(base4 + BigInt(low)))
const address6 = fc
  .tuple(fc.nat(15), fc.nat(3))
  .map(([network, low]) => text6(base6 + BigInt(network) * slash64 + BigInt(low)))

/** An address inside, of either family. */
export const anyAddress = fc.oneof(address4, address6)

/** A prefix that meets the inside: within it, all of it, around it, or everything. */
export const anyPrefix = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(address4, fc.integer({ min: 26, max: 32 })).map(prefixText) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(address6, fc.constantFrom(60, 61, 62, 63, 64, 64, 126, 127, 128))
      .map(prefixText),
  },
  { weight: 2, arbitrary: fc.tuple(address4, fc.integer({ min: 22, max: 25 })).map(prefixText) },
  { weight: 2, arbitrary: fc.tuple(address6, fc.integer({ min: 44, max: 59 })).map(prefixText) },
  { weight: 1, arbitrary: fc.constantFrom('0.0.0.0/0', '::/0') },
)

/** The sixteen quarters of the IPv4 inside, and the sixteen networks of the IPv6 inside: what is dealt out to customers. */
export const lots: readonly string[] = [
  ...Array.from({ length: 16 }, (_, i) => `${text4(base4 + BigInt(i * 4))}/30`),
  ...Array.from({ length: 16 }, (_, i) => `${text6(base6 + BigInt(i) * slash64)}/64`),
]

function prefixText([address, length]: readonly [string, number]): string {
  const width = address.includes(':') ? 128 : 32
  const size = 1n << BigInt(width - length)
  const first = (numberOf(address) / size) * size
  return `${width === 32 ? text4(first) : text6(first)}/${length}`
}

function numberOf(address: string): bigint {
  if (!address.includes(':')) {
    return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  }
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros =
    tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].reduce(
    (sum, word) => sum * 65_536n + BigInt(`0x${word}`),
    0n,
  )
}

function text4(at: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((at >> shift) & 255n)).join('.')
}

/** In full: the product's parser has the short form to find. */
function text6(at: bigint): string {
  return Array.from({ length: 8 }, (_, i) =>
    ((at >> BigInt(112 - 16 * i)) & 65_535n).toString(16),
  ).join(':')
}
