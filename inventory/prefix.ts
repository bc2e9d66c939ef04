// Addresses and prefixes: parse, print, cover, overlap, carve. The only address arithmetic, and the only user of netmask.
// Not here: who owns an address (lookup.ts), what must never be cut (never-cut.ts).

import { Netmask } from 'netmask'
import {
  compareWords,
  isCanonicalAddress,
  isCanonicalPrefix,
  isIpv6,
  sameBits,
  writeWords,
} from './prefix-words.ts'

declare const prefixBrand: unique symbol
declare const addressBrand: unique symbol

/** An IPv4 or IPv6 prefix in canonical text (RFC 5952 for IPv6), host bits zero: `203.0.113.0/26`, `2001:db8::/32`. Made only by `parsePrefix` and its kin. */
export type Prefix = string & { readonly [prefixBrand]: true }

/** One IPv4 or IPv6 address in canonical text, without zone: `203.0.113.9`, `2001:db8::1`. Made only by `parseAddress` and its kin. */
export type Address = string & { readonly [addressBrand]: true }

/** A value that was read from outside, or what is wrong with it, in words for a person. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string }

/** Address family as its version number. */
export type Family = 4 | 6

/** A prefix as numbers: `first` and `last` are the lowest and highest address in it. */
export interface Span {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
  readonly length: number
}

const widthOf = { 4: 32, 6: 128 } as const

/** `203.0.113.9/32`, `2001:db8::/48` or a bare address (which means its /32 or /128) → Prefix. Refuses host bits, leading zeros, zones and IPv4-mapped forms. */
export function parsePrefix(text: string): Parsed<Prefix> {
  // Most are written as they are printed: nothing has to be made of those.
  if (isCanonicalPrefix(text)) return { ok: true, value: text as Prefix }
  const slash = text.indexOf('/')
  const base = parseNumber(slash < 0 ? text : text.slice(0, slash))
  if (!base.ok) return base
  const { family, value } = base.value
  const width = widthOf[family]
  const lengthText = slash < 0 ? String(width) : text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(lengthText) || Number(lengthText) > width) {
    return wrong(`"${text}" has no prefix length between 0 and ${width} behind the slash`)
  }
  const span = spanOf(family, value, Number(lengthText))
  if (span.first !== value) {
    return wrong(
      `"${text}" has host bits set: the prefix of that length is ${printSpan(span)}, the single address is ${printNumber(family, value)}`,
    )
  }
  return { ok: true, value: printSpan(span) }
}

/** `203.0.113.9` or `2001:DB8::1` → Address in canonical text. Refuses leading zeros, zones, IPv4-mapped forms and anything with a slash. */
export function parseAddress(text: string): Parsed<Address> {
  if (isCanonicalAddress(text)) return { ok: true, value: text as Address }
  const parsed = parseNumber(text)
  if (!parsed.ok) return parsed
  return { ok: true, value: printNumber(parsed.value.family, parsed.value.value) }
}

/** 4 or 6. */
export function familyOf(of: Prefix | Address): Family {
  return isIpv6(of) ? 6 : 4
}

/** Prefix length in bits. */
export function lengthOf(prefix: Prefix): number {
  return Number(prefix.slice(prefix.indexOf('/') + 1))
}

/** The base address of a prefix, without its length. */
export function baseOf(prefix: Prefix): Address {
  // A canonical prefix holds a canonical address before its slash.
  return prefix.slice(0, prefix.indexOf('/')) as Address
}

/** The numbers behind a prefix. */
export function toSpan(prefix: Prefix): Span {
  const known = spans.get(prefix)
  if (known !== undefined) return known
  const span = spanOf(familyOf(prefix), toNumber(baseOf(prefix)), lengthOf(prefix))
  if (spans.size >= spansMax) spans.clear()
  spans.set(prefix, span)
  return span
}

// The same few prefixes are compared with each other over and over: reading their text each time was most of a plan's time.
const spans = new Map<Prefix, Span>()
const spansMax = 16_384

/** The number behind an address. */
export function toNumber(address: Address): bigint {
  const parsed = parseNumber(address)
  if (!parsed.ok) throw new TypeError(`not an address: ${parsed.problem}`)
  return parsed.value.value
}

/** The /32 or /128 of one address. */
export function hostPrefix(address: Address): Prefix {
  return `${address}/${widthOf[familyOf(address)]}` as Prefix
}

/** The prefix of that family, number and length; bits behind the length are cleared. */
export function prefixFrom(family: Family, value: bigint, length: number): Prefix {
  return printSpan(spanOf(family, value, length))
}

/** Whether each address of `inner` is in `outer`. Equal prefixes cover each other; another family never does. */
export function covers(outer: Prefix, inner: Prefix): boolean {
  if (isIpv6(outer) !== isIpv6(inner)) return false
  const length = writeWords(outer, wordsOfOne)
  return length <= writeWords(inner, wordsOfOther) && sameBits(wordsOfOne, wordsOfOther, length)
}

/** Whether at least one address is in both. */
export function overlaps(one: Prefix, other: Prefix): boolean {
  return covers(one, other) || covers(other, one)
}

/** The fewest prefixes that cover `prefix` without the addresses of `holes`, ascending; [] where a hole covers all of it. */
export function carve(prefix: Prefix, holes: readonly Prefix[]): readonly Prefix[] {
  const inside = holes.filter((hole) => overlaps(prefix, hole))
  if (inside.length === 0) return [prefix]
  if (inside.some((hole) => covers(hole, prefix))) return []
  const span = toSpan(prefix)
  const half = 1n << BigInt(widthOf[span.family] - span.length - 1)
  return [
    ...carve(prefixFrom(span.family, span.first, span.length + 1), inside),
    ...carve(prefixFrom(span.family, span.first + half, span.length + 1), inside),
  ]
}

/** Of a set of prefixes those that no other covers, each once, ascending: the same addresses in fewer words (neighbours are not merged). */
export function maximal(prefixes: readonly Prefix[]): readonly Prefix[] {
  const kept: Prefix[] = []
  for (const prefix of [...new Set(prefixes)].sort(comparePrefixes)) {
    const last = kept.at(-1)
    if (last === undefined || !covers(last, prefix)) kept.push(prefix)
  }
  return kept
}

/** Orders by family, then first address, then length (shorter first): for `sort`. */
export function comparePrefixes(one: Prefix, other: Prefix): number {
  const isWide = isIpv6(one)
  if (isWide !== isIpv6(other)) return isWide ? 1 : -1
  const length = writeWords(one, wordsOfOne)
  const otherLength = writeWords(other, wordsOfOther)
  return compareWords(wordsOfOne, wordsOfOther, isWide ? 4 : 1) || length - otherLength
}

const wordsOfOne = new Int32Array(4)
const wordsOfOther = new Int32Array(4)

/** The numbers of the prefixes in the order of `comparePrefixes`; equal ones as they were given. For lists of hundreds of thousands: each text is read once. */
export function ascending(prefixes: readonly Prefix[]): readonly number[] {
  // Family, the words as unsigned numbers, length: side by side.
  const stride = 6
  const keys = new Uint32Array(prefixes.length * stride)
  for (const [index, prefix] of prefixes.entries()) {
    const at = index * stride
    const isWide = isIpv6(prefix)
    keys[at] = isWide ? 1 : 0
    keys[at + 5] = writeWords(prefix, wordsOfOne)
    for (let word = 0; word < (isWide ? 4 : 1); word++) keys[at + 1 + word] = wordsOfOne[word] ?? 0
  }
  return prefixes
    .map((_, index) => index)
    .sort((one, other) => {
      for (let part = 0; part < stride; part++) {
        const difference = (keys[one * stride + part] ?? 0) - (keys[other * stride + part] ?? 0)
        if (difference !== 0) return difference
      }
      return one - other
    })
}

/** Number of addresses in a prefix. */
export function addressCount(prefix: Prefix): bigint {
  const { first, last } = toSpan(prefix)
  return last - first + 1n
}

/** Dotted netmask of an IPv4 prefix: `/26` → `255.255.255.192`. */
export function netmaskOf(prefix: Prefix): string {
  return new Netmask(prefix).mask
}

/** Dotted wildcard mask of an IPv4 prefix: `/26` → `0.0.0.63`. */
export function wildcardOf(prefix: Prefix): string {
  return new Netmask(prefix).hostmask
}

/** Address and dotted netmask, as routers print IPv4 → Prefix. A mask that isn't contiguous is refused. */
export function parseMasked(address: string, mask: string): Parsed<Prefix> {
  const bits = parseNumber(mask)
  if (!bits.ok || bits.value.family !== 4) return wrong(`"${mask}" is no IPv4 netmask`)
  const text = bits.value.value.toString(2).padStart(32, '0')
  if (!/^1*0*$/.test(text)) return wrong(`"${mask}" is no contiguous netmask`)
  return parsePrefix(`${address}/${text.replaceAll('0', '').length}`)
}

function spanOf(family: Family, value: bigint, length: number): Span {
  const size = 1n << BigInt(widthOf[family] - length)
  const first = value - (value % size)
  return { family, first, last: first + size - 1n, length }
}

function printSpan(span: Span): Prefix {
  return `${printNumber(span.family, span.first)}/${span.length}` as Prefix
}

function printNumber(family: Family, value: bigint): Address {
  return (family === 4 ? printIpv4(value) : printIpv6(value)) as Address
}

function printIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
}

// RFC 5952 section 4: lower case, no leading zeros, the longest run of at least two zero groups (the first of equals) as `::`.
function printIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  )
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (groups[at + length] === '0') length++
    if (length > best.length) best = { at, length }
  }
  if (best.at < 0) return groups.join(':')
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`
}

function parseNumber(text: string): Parsed<{ readonly family: Family; readonly value: bigint }> {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): Parsed<{ readonly family: Family; readonly value: bigint }> {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return wrong(`"${text}" is no IP address`)
  const parts = text.split('.')
  if (parts.some((part) => part.length > 1 && part.startsWith('0'))) {
    return wrong(`"${text}" has leading zeros, which some systems read as octal: write it without`)
  }
  if (parts.some((part) => Number(part) > 255)) return wrong(`"${text}" has a part above 255`)
  return {
    ok: true,
    value: { family: 4, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) },
  }
}

function parseIpv6(text: string): Parsed<{ readonly family: Family; readonly value: bigint }> {
  if (text.includes('%')) return wrong(`"${text}" has a zone: only global addresses are taken`)
  if (text.includes('.')) {
    return wrong(`"${text}" mixes IPv4 into IPv6: write the IPv4 address, or eight groups`)
  }
  const halves = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  if (halves.length > 2) return wrong(`"${text}" has "::" twice`)
  if (!halves.flat().every((group) => /^[0-9a-f]{1,4}$/i.test(group))) {
    return wrong(`"${text}" is no IP address`)
  }
  const [head = [], tail] = halves
  const missing = 8 - halves.flat().length
  if (tail === undefined ? missing !== 0 : missing < 1) {
    return wrong(`"${text}" has not eight groups`)
  }
  const zeros = Array<string>(missing).fill('0')
  const value = [...head, ...zeros, ...(tail ?? [])].reduce(
    (sum, group) => (sum << 16n) + BigInt(`0x${group}`),
    0n,
  )
  if (value >> 32n === 0xffffn) {
    return wrong(`"${text}" is an IPv4-mapped address: write the IPv4 address`)
  }
  return { ok: true, value: { family: 6, value } }
}

function wrong(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem }
}
