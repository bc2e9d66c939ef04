// Addresses as big-endian 32-bit words, one for IPv4 and four for IPv6: for what is done a million times a second, where numbers of unbounded size are too slow.
// prefix.ts is what the rest of the product sees of it.

const colon = 58
const dot = 46
const slash = 47

/** The eight groups of the IPv6 address that was read last. */
const groups = new Uint16Array(8)

/** Whether the text, an address or prefix of either family, is of IPv6. */
export function isIpv6(text: string): boolean {
  // The first colon or dot stands behind at most four digits.
  for (let index = 0; index < 5; index++) {
    const code = text.charCodeAt(index)
    if (code === colon) return true
    if (code === dot) return false
  }
  return false
}

/** Where the address ends: before the slash, or with the text. */
function addressEnd(text: string): number {
  const { length } = text
  for (let index = length - 2; index >= length - 4 && index > 0; index--) {
    if (text.charCodeAt(index) === slash) return index
  }
  return length
}

/** Writes a canonical address, or the base of a canonical prefix, and answers how many bits of it count. Nothing is checked again. */
export function writeWords(of: string, into: Int32Array): number {
  const end = addressEnd(of)
  const wide = isIpv6(of)
  if (wide) writeIpv6(of, end, into)
  else into[0] = readIpv4(of, end)
  return end === of.length ? (wide ? 128 : 32) : readLength(of, end + 1)
}

/** Whether two canonical prefixes are equal in the first bits: how many of the first `length` bits of both, beginning at the given words, are the same. */
export function sameBits(one: Int32Array, other: Int32Array, length: number): boolean {
  let word = 0
  let left = length
  for (; left >= 32; left -= 32) {
    if (one[word] !== other[word]) return false
    word++
  }
  return left === 0 || ((one[word] ?? 0) ^ (other[word] ?? 0)) >>> (32 - left) === 0
}

/** Orders by words, as unsigned numbers. */
export function compareWords(one: Int32Array, other: Int32Array, words: number): number {
  for (let word = 0; word < words; word++) {
    const a = (one[word] ?? 0) >>> 0
    const b = (other[word] ?? 0) >>> 0
    if (a !== b) return a < b ? -1 : 1
  }
  return 0
}

/** Whether the text is a prefix, with its length, exactly as it would be printed: canonical, host bits zero, and no IPv4-mapped address. */
export function isCanonicalPrefix(text: string): boolean {
  const end = addressEnd(text)
  if (end === text.length) return false
  const words = isIpv6(text) ? 4 : 1
  const length = digits(text, end + 1, text.length)
  if (length < 0 || length > words * 32 || !isCanonical(text, end)) return false
  for (let word = 0; word < words; word++) {
    const free = Math.max(0, Math.min(32, (word + 1) * 32 - length))
    const value = scratch[word] ?? 0
    if (free === 32 ? value !== 0 : (value & ((1 << free) - 1)) !== 0) return false
  }
  return true
}

/** Whether the text is an address exactly as it would be printed, and not an IPv4-mapped one. */
export function isCanonicalAddress(text: string): boolean {
  return isCanonical(text, text.length)
}

/** The words of the address that was checked last. */
const scratch = new Int32Array(4)

function isCanonical(text: string, end: number): boolean {
  return isIpv6(text) ? isCanonicalIpv6(text, end) : isCanonicalIpv4(text, end)
}

function isCanonicalIpv4(text: string, end: number): boolean {
  let word = 0
  let from = 0
  for (let part = 0; part < 4; part++) {
    let to = from
    while (to < end && text.charCodeAt(to) !== dot) to++
    const value = digits(text, from, to)
    if (value < 0 || value > 255 || (to === end) !== (part === 3)) return false
    word = (word << 8) | value
    from = to + 1
  }
  scratch[0] = word
  return true
}

/** One to three digits without a leading zero, or -1. */
function digits(text: string, from: number, to: number): number {
  if (to <= from || to > from + 3 || (to > from + 1 && text.charCodeAt(from) === 48)) return -1
  let value = 0
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

// RFC 5952: lower case, no leading zeros, and the longest run of at least two zero groups, the first of equals, as `::`.
function isCanonicalIpv6(text: string, end: number): boolean {
  const gap = readGroups(text, end)
  if (gap === undefined) return false
  let run = 0
  let best = 1
  let bestAt = -1
  for (let group = 0; group < 8; group++) {
    run = groups[group] === 0 ? run + 1 : 0
    if (run > best) {
      best = run
      bestAt = group - run + 1
    }
  }
  if (gap.at !== bestAt || (gap.at >= 0 && gap.length !== best)) return false
  wordsOf(scratch)
  // ::ffff:0:0/96 are IPv4 addresses in disguise.
  return scratch[0] !== 0 || scratch[1] !== 0 || scratch[2] !== 0xffff
}

interface Gap {
  /** The first group that `::` stands for; -1 where there is none. */
  readonly at: number
  readonly length: number
}

/** Reads the groups, each checked; undefined for what is no address. */
function readGroups(text: string, end: number): Gap | undefined {
  groups.fill(0)
  let count = 0
  let gapAt = -1
  let index = 0
  if (text.startsWith('::')) {
    gapAt = 0
    index = 2
  }
  while (index < end) {
    const from = index
    const value = readGroup(text, from, end)
    index = groupEnd
    if (value < 0 || count === 8) return undefined
    groups[count++] = value
    if (index === end) break
    if (text.charCodeAt(index) !== colon) return undefined
    index++
    if (index === end) return undefined
    if (text.charCodeAt(index) !== colon) continue
    if (gapAt >= 0) return undefined
    gapAt = count
    index++
  }
  return gapAt < 0 ? (count === 8 ? { at: -1, length: 0 } : undefined) : spread(gapAt, count)
}

let groupEnd = 0

/** One to four digits without a leading zero, or -1; `groupEnd` is where they end. */
function readGroup(text: string, from: number, end: number): number {
  let value = 0
  let index = from
  for (; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code >= 48 && code <= 57) value = value * 16 + code - 48
    else if (code >= 97 && code <= 102) value = value * 16 + code - 87
    else break
  }
  groupEnd = index
  const length = index - from
  const isLeading = length > 1 && text.charCodeAt(from) === 48
  return length === 0 || length > 4 || isLeading ? -1 : value
}

/** The gap between the groups that were read; undefined where there is no room for one. */
function spread(gap: number, count: number): Gap | undefined {
  const length = 8 - count
  if (length < 1) return undefined
  widen(gap, count)
  return { at: gap, length }
}

function wordsOf(into: Int32Array): void {
  into[0] = (at(0) << 16) | at(1)
  into[1] = (at(2) << 16) | at(3)
  into[2] = (at(4) << 16) | at(5)
  into[3] = (at(6) << 16) | at(7)
}

function at(group: number): number {
  return groups[group] as number
}

function readLength(text: string, from: number): number {
  let length = 0
  for (let index = from; index < text.length; index++) {
    length = length * 10 + text.charCodeAt(index) - 48
  }
  return length
}

function readIpv4(text: string, end: number): number {
  let word = 0
  let part = 0
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code === dot) {
      word = (word << 8) | part
      part = 0
    } else part = part * 10 + code - 48
  }
  return (word << 8) | part
}

// One way through the text: groups go to their place as they come, those behind `::` are moved to the end.
function writeIpv6(text: string, end: number, into: Int32Array): void {
  let count = 0
  let gap = -1
  let value = 0
  let hasDigits = false
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code !== colon) {
      value = (value << 4) | (code > 57 ? code - 87 : code - 48)
      hasDigits = true
      continue
    }
    if (hasDigits) groups[count++] = value
    value = 0
    hasDigits = false
    if (text.charCodeAt(index + 1) === colon) gap = count
  }
  if (hasDigits) groups[count++] = value
  if (count < 8) widen(gap, count)
  wordsOf(into)
}

/** Moves the groups behind the gap to the end, and fills it with zeros. */
function widen(gap: number, count: number): void {
  const missing = 8 - count
  for (let group = count - 1; group >= gap; group--) groups[group + missing] = groups[group] ?? 0
  for (let group = gap; group < gap + missing; group++) groups[group] = 0
}
