// Addresses and prefixes: what is taken and refused, and arithmetic held against counting by hand.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Address,
  addressCount,
  ascending,
  baseOf,
  carve,
  comparePrefixes,
  covers,
  familyOf,
  hostPrefix,
  lengthOf,
  maximal,
  netmaskOf,
  overlaps,
  type Prefix,
  parseAddress,
  parseMasked,
  parsePrefix,
  prefixFrom,
  toNumber,
  toSpan,
  wildcardOf,
} from '../../inventory/prefix.ts'
import { isCanonicalAddress, isCanonicalPrefix, writeWords } from '../../inventory/prefix-words.ts'

const anyPrefix = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), fc.bigInt(0n, 2n ** 128n - 1n), fc.nat(128))
  .map(([family, value, length]) =>
    family === 4 ? prefixFrom(4, value % 2n ** 32n, length % 33) : prefixFrom(6, value, length),
  )
/** Prefixes in one /24, so that they often meet. */
const nearPrefix = fc
  .tuple(fc.nat(255), fc.integer({ min: 24, max: 32 }))
  .map(([host, length]) => prefixFrom(4, 0xcb007100n + BigInt(host), length))

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
}

describe('a prefix', () => {
  it.each([
    ['203.0.113.0/26', '203.0.113.0/26'],
    ['203.0.113.9', '203.0.113.9/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0:0:0:0:0/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::/0', '::/0'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1/128'],
  ])('is read from %s as %s', (text, canonical) => {
    expect(parsePrefix(text)).toEqual({ ok: true, value: canonical })
  })

  it.each([
    ['203.0.113.9/26', 'host bits'],
    ['2001:db8::1/48', 'host bits'],
    ['203.0.113.0/33', 'prefix length'],
    ['203.0.113.0/', 'prefix length'],
    ['203.0.113.0/ 8', 'prefix length'],
    ['203.0.113.0/08', 'prefix length'],
    ['203.000.113.0/24', 'leading zeros'],
    ['10.1/16', 'no IP address'],
    ['203.0.113.256', 'above 255'],
    ['fe80::1%eth0', 'zone'],
    ['::ffff:203.0.113.9', 'mixes IPv4'],
    ['::ffff:cb00:7109', 'IPv4-mapped'],
    ['2001:db8:::1', 'no IP address'],
    ['1::2::3', 'twice'],
    ['2001:db8', 'eight groups'],
    ['1:2:3:4:5:6:7::8', 'eight groups'],
    ['', 'no IP address'],
    ['esthost', 'no IP address'],
  ])('is refused as %j: %s', (text, words) => {
    const parsed = parsePrefix(text)

    expect(parsed.ok ? 'taken' : parsed.problem).toContain(words)
  })

  it('prints itself so that it reads back as the same', () => {
    fc.assert(
      fc.property(anyPrefix, (one) => {
        expect(parsePrefix(one)).toEqual({ ok: true, value: one })
        expect(parseAddress(baseOf(one))).toEqual({ ok: true, value: baseOf(one) })
      }),
    )
  })

  it('has netmask and wildcard as routers write them, and is read from them', () => {
    expect(netmaskOf(prefix('203.0.113.64/26'))).toBe('255.255.255.192')
    expect(wildcardOf(prefix('203.0.113.64/26'))).toBe('0.0.0.63')
    expect(parseMasked('203.0.113.64', '255.255.255.192')).toEqual({
      ok: true,
      value: '203.0.113.64/26',
    })
    expect(parseMasked('203.0.113.64', '255.0.255.0').ok).toBe(false)
  })
})

describe('cover and overlap', () => {
  it.each([
    ['203.0.113.0/24', '203.0.113.0/24', true, true],
    ['203.0.113.0/24', '203.0.113.64/26', true, true],
    ['203.0.113.64/26', '203.0.113.0/24', false, true],
    ['203.0.113.0/26', '203.0.113.64/26', false, false],
    ['0.0.0.0/0', '203.0.113.9/32', true, true],
    ['::/0', '203.0.113.9/32', false, false],
    ['0.0.0.0/0', '::/0', false, false],
  ])('of %s and %s are %s and %s', (one, other, isCovered, isMet) => {
    expect(covers(prefix(one), prefix(other))).toBe(isCovered)
    expect(overlaps(prefix(one), prefix(other))).toBe(isMet)
    expect(overlaps(prefix(other), prefix(one))).toBe(isMet)
  })
})

describe('carving', () => {
  it('leaves the fewest prefixes around a gateway', () => {
    expect(carve(prefix('203.0.113.0/29'), [prefix('203.0.113.1/32')])).toEqual([
      '203.0.113.0/32',
      '203.0.113.2/31',
      '203.0.113.4/30',
    ])
  })

  it('covers exactly the rest, in the fewest prefixes, whatever the holes', () => {
    fc.assert(
      fc.property(nearPrefix, fc.array(nearPrefix, { maxLength: 5 }), (whole, holes) => {
        const pieces = carve(whole, holes)
        const expected = addressesOf(whole).filter(
          (address) => !holes.some((hole) => covers(hole, hostPrefix(address))),
        )

        expect(pieces.flatMap(addressesOf)).toEqual(expected)
        // Fewest: no two pieces are the halves of one prefix.
        expect(twins(pieces)).toBe(0)
      }),
    )
  })

  it('keeps of a set the maximal prefixes only', () => {
    fc.assert(
      fc.property(fc.array(nearPrefix, { maxLength: 12 }), (all) => {
        const kept = maximal(all)

        expect(all.every((one) => kept.some((outer) => covers(outer, one)))).toBe(true)
        expect(kept.some((one) => kept.some((other) => other !== one && covers(other, one)))).toBe(
          false,
        )
      }),
    )
  })
})

describe('words for tries', () => {
  it('hold the same number as the address, big end first', () => {
    fc.assert(
      fc.property(anyPrefix, (one) => {
        const words = new Int32Array(4)
        const count = familyOf(one) === 4 ? 1 : 4

        expect(writeWords(one, words)).toBe(lengthOf(one))
        const number = Array.from(words.slice(0, count)).reduce(
          (sum, word) => (sum << 32n) + BigInt(word >>> 0),
          0n,
        )
        expect(number).toBe(toNumber(baseOf(one)))
        expect(writeWords(baseOf(one), words)).toBe(familyOf(one) === 4 ? 32 : 128)
      }),
    )
  })

  it('knows a text that is printed like this already, and no other', () => {
    const sign = fc.constantFrom(
      ...'0123456789abcdefF:./ '.split(''),
      '',
      '::',
      '0:',
      ':0',
      '.0',
      '/0',
    )
    const slips = fc.array(fc.tuple(fc.nat(), sign, fc.boolean()), { maxLength: 3 })
    const zeros = fc
      .array(fc.constantFrom('0', '0', '0', '1', 'ffff', 'a0'), { minLength: 8, maxLength: 8 })
      .map((groups) => `${groups.join(':')}/128`)
    const texts = fc.tuple(fc.oneof(anyPrefix, nearPrefix, zeros), slips).map(([text, made]) =>
      made.reduce((so: string, [where, put, replaces]) => {
        const at = where % (so.length + 1)
        return `${so.slice(0, at)}${put}${so.slice(at + (replaces ? 1 : 0))}`
      }, text),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(isCanonicalPrefix(text)).toBe(printed(text) === text)
        const [base = ''] = text.split('/')
        expect(isCanonicalAddress(base)).toBe(
          printed(`${base}/${base.includes(':') ? 128 : 32}`)?.split('/')[0] === base,
        )
      }),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(anyPrefix, (one) => {
        expect(isCanonicalPrefix(one)).toBe(true)
      }),
    )
  })

  it('are put in order as comparing each two does', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyPrefix, nearPrefix)), (some) => {
        const byNumber = [...some].sort((one, other) => {
          const a = toSpan(one)
          const b = toSpan(other)
          if (a.family !== b.family) return a.family - b.family
          return a.first === b.first ? a.length - b.length : a.first < b.first ? -1 : 1
        })
        expect(ascending(some).map((index) => some[index])).toEqual(byNumber)
        expect([...some].sort(comparePrefixes)).toEqual(byNumber)
        const twice = [...some, ...some]
        const order = ascending(twice)
        const isStable = order.every(
          (index, at) =>
            at === 0 || twice[order[at - 1] ?? 0] !== twice[index] || (order[at - 1] ?? 0) < index,
        )
        expect(isStable).toBe(true)
      }),
    )
  })

  it('covers what lies between its first and last address', () => {
    const any = fc.oneof(anyPrefix, nearPrefix)
    fc.assert(
      fc.property(any, any, fc.nat(128), (one, other, length) => {
        const { family, first, length: own } = toSpan(one)
        const around = prefixFrom(family, first, Math.min(own, length))
        for (const [outer, inner] of [
          [one, other],
          [around, one],
          [one, around],
        ] as const) {
          const a = toSpan(outer)
          const b = toSpan(inner)
          expect(covers(outer, inner)).toBe(
            a.family === b.family && a.first <= b.first && b.last <= a.last,
          )
        }
      }),
    )
  })
})

/** How a text is printed that is read number by number, with no short way; undefined where it is no prefix with its length. */
function printed(text: string): string | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  if (match === null) return undefined
  const [, base = '', length = ''] = match
  try {
    const value = toNumber(base as Address)
    const family = base.includes(':') ? 6 : 4
    if (Number(length) > (family === 4 ? 32 : 128)) return undefined
    const prefix = prefixFrom(family, value, Number(length))
    return toSpan(prefix).first === value ? prefix : undefined
  } catch {
    return undefined
  }
}

function addressesOf(of: Prefix): readonly Address[] {
  const { family, first } = toSpan(of)
  return Array.from({ length: Number(addressCount(of)) }, (_, index) =>
    baseOf(prefixFrom(family, first + BigInt(index), 32)),
  )
}

function parentOf(piece: Prefix): Prefix {
  const { family, first, length } = toSpan(piece)
  return prefixFrom(family, first, Math.max(length - 1, 0))
}

function twins(pieces: readonly Prefix[]): number {
  return pieces.filter((one, index) =>
    pieces.some(
      (other, at) =>
        at > index && lengthOf(one) === lengthOf(other) && parentOf(one) === parentOf(other),
    ),
  ).length
}
