// Addresses and prefixes: parse, print, cover, overlap, carve. The only address arithmetic, and the only user of netmask.
// Not here: who owns an address (lookup.ts), what must never be cut (never-cut.ts).

import { Netmask } from 'netmask'

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
  const parsed = parseNumber(text)
  if (!parsed.ok) return parsed
  return { ok: true, value: printNumber(parsed.value.family, parsed.value.value) }
}

/** 4 or 6. */
export function familyOf(of: Prefix | Address): Family {
  return of.includes(':') ? 6 : 4
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
  const a = toSpan(outer)
  const b = toSpan(inner)
  return a.family === b.family && a.first <= b.first && b.last <= a.last
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
  const a = toSpan(one)
  const b = toSpan(other)
  if (a.family !== b.family) return a.family - b.family
  if (a.first !== b.first) return a.first < b.first ? -1 : 1
  return a.length - b.length
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

/** Writes the base address of a prefix, or an address, as big-endian 32-bit words (one for IPv4, four for IPv6) and says how many bits of it count. For tries: a million a second, where numbers of unbounded size are too slow. */
export function writeWords(of: Prefix | Address, into: Int32Array): number {
  const slash = of.lastIndexOf('/')
  const end = slash < 0 ? of.length : slash
  const isIpv6 = of.includes(':')
  if (isIpv6) writeIpv6(of, end, into)
  else into[0] = readIpv4(of, end)
  if (slash < 0) return isIpv6 ? 128 : 32
  return Number(of.slice(slash + 1))
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

// The text is canonical: nothing is checked again here.
function readIpv4(text: string, end: number): number {
  let word = 0
  let part = 0
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      word = (word << 8) | part
      part = 0
    } else part = part * 10 + code - 48
  }
  return (word << 8) | part
}

function writeIpv6(text: string, end: number, into: Int32Array): void {
  into.fill(0)
  const gap = text.indexOf('::')
  writeGroups(text, { from: 0, end: gap < 0 ? end : gap, first: 0 }, into)
  if (gap < 0 || gap + 2 >= end) return
  let groups = 1
  for (let index = gap + 2; index < end; index++) if (text.charCodeAt(index) === 58) groups++
  writeGroups(text, { from: gap + 2, end, first: 8 - groups }, into)
}

function writeGroups(
  text: string,
  part: { readonly from: number; readonly end: number; readonly first: number },
  into: Int32Array,
): void {
  let group = part.first
  let value = 0
  for (let index = part.from; index <= part.end; index++) {
    const code = index === part.end ? 58 : text.charCodeAt(index)
    if (code !== 58) {
      value = (value << 4) | (code > 57 ? code - 87 : code - 48)
      continue
    }
    if (index === part.from) return
    into[group >> 1] = (into[group >> 1] ?? 0) | (group % 2 === 0 ? value << 16 : value)
    group++
    value = 0
  }
}
