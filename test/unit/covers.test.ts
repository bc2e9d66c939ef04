// Many prefixes asked for as one: what is asked for in their place covers them, is never wider than it may be, and says the same of each of them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coversOf, placeName } from '../../agent/platforms/covers.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { covers, familyOf, lengthOf } from '../../inventory/prefix.ts'
import { blackhole, prefix } from '../platform/conformance-kit.ts'

const place = fc
  .tuple(fc.constantFrom('default', 'CUST'), fc.nat(1), fc.nat(255), fc.constantFrom(12, 26, 32))
  .map(([vrf, third, fourth, length]) => ({
    vrf,
    prefix: prefix(
      length === 12
        ? '198.16.0.0/12'
        : `198.19.${third * 16}.${length === 32 ? fourth : fourth & 192}/${length}`,
    ),
  }))

describe('what is asked for in place of many prefixes', () => {
  it('covers each of them, no wider than a /20, and only where sixteen lie together', () => {
    fc.assert(
      fc.property(fc.array(place, { minLength: 60, maxLength: 160 }), (places) => {
        const found = coversOf(places)
        for (const { vrf, prefix: own } of places) {
          const cover = found.get(placeName(vrf, own))
          if (cover === undefined) continue
          const inside = places.filter((one) => one.vrf === vrf && covers(cover, one.prefix))
          expect(covers(cover, own)).toBe(true)
          expect(lengthOf(cover)).toBeGreaterThanOrEqual(20)
          expect(new Set(inside.map((one) => one.prefix)).size).toBeGreaterThanOrEqual(16)
        }
      }),
    )
  })

  it('is as narrow as they allow, of both families', () => {
    const v4 = Array.from({ length: 16 }, (_, i) => prefix(`198.19.7.${i * 2}/32`))
    const v6 = Array.from({ length: 16 }, (_, i) => prefix(`2001:db8:e57:${i.toString(16)}::/64`))
    const found = coversOf([...v4, ...v6].map((one) => ({ vrf: 'default', prefix: one })))
    expect(new Set(found.values())).toEqual(
      new Set([prefix('198.19.7.0/27'), prefix('2001:db8:e57::/60')]),
    )
    expect(v4.concat(v6).map(familyOf)).toHaveLength(found.size)
  })

  it('keeps the reads of FRR few, however many prefixes', () => {
    const readsOf = (count: number): number =>
      frr.observe(
        Array.from({ length: count }, (_, i) =>
          blackhole(`198.19.${Math.floor(i / 128)}.${(i % 128) * 2}/32`),
        ),
        { host: 'edge1', nonce: '00000000', facts: {} },
      ).length
    expect(readsOf(1_000)).toBe(readsOf(1))
    expect(readsOf(15)).toBe(readsOf(1) + 14)
  })
})
