// In how many steps a change goes out: what is written down for one stays bounded, whoever it is for, and nothing that belongs together is parted.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partsOf } from '../../agent/converge-parts.ts'
import type { Planned } from '../../agent/converge-work.ts'
import type { Key } from '../../agent/intents.ts'
import { free } from '../../agent/platform.ts'
import { blackhole } from '../platform/conformance-kit.ts'

const intent = blackhole('203.0.113.9/32')
const copiesMax = 16_384

function planned(
  name: string,
  over: { readonly lines?: number; readonly object?: string; readonly after?: string } = {},
): Planned {
  const { lines = 1, object = name, after } = over
  const key = name as Key
  return {
    key,
    intent,
    change: { kind: 'apply', intent },
    rendering: {
      kind: 'lines',
      apply: Array.from({ length: lines }, (_, i) => free(`${name} ${i}`, 'config')),
      undo: [],
      wrote: [object],
    },
    claim: { key, intent, before: [], wrote: [object], phase: 'pending' },
    ...(after === undefined ? {} : { after: after as Key }),
  }
}

function serving(...pairs: readonly (readonly [string, ...string[]])[]): Map<Key, string[]> {
  return new Map(pairs.map(([key, ...ids]) => [key as Key, ids]))
}

const keysOf = (parts: readonly (readonly Planned[])[]): readonly (readonly string[])[] =>
  parts.map((part) => part.map(({ key }) => key))

describe('the parts of a change', () => {
  it('are one for one decision, however many lines it has, and for whatever serves nobody', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => planned(`r${i}`))
    expect(partsOf(many, new Map(many.map(({ key }) => [key, ['E1']])))).toHaveLength(1)
    expect(partsOf(many, new Map())).toHaveLength(1)
    expect(partsOf([], new Map())).toEqual([])
  })

  it('are several for many decisions, so that a step for a thousand is not written a million times', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => planned(`r${i}`))
    const parts = partsOf(many, new Map(many.map(({ key }, i) => [key, [`E${i}`]])))

    expect(parts.map((part) => part.length)).toEqual([128, 128, 128, 128, 128, 128, 128, 104])
    expect(parts.flat()).toEqual(many)
  })

  it('keep with an entry what has its lines in those of it, though it comes later', () => {
    const wide = planned('wide', { lines: 8_192 })
    const next = planned('next', { lines: 8_193 })
    const narrow = planned('narrow', { after: 'wide' })
    const shared = planned('out', { lines: 0, object: 'wide' })
    const serves = serving(['wide', 'E1'], ['next', 'E2'], ['narrow', 'E3'], ['out', 'E1'])

    expect(keysOf(partsOf([wide, next, narrow, shared], serves))).toEqual([
      ['wide', 'narrow', 'out'],
      ['next'],
    ])
  })

  it('hold every change once, in order where it has lines of its own, and write down no more than the bound', () => {
    const change = fc.record({ lines: fc.integer({ min: 1, max: 9_000 }), whom: fc.nat(5) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const all = changes.map(({ lines }, i) => planned(`c${i}`, { lines }))
        const serves = new Map(all.map(({ key }, i) => [key, [`E${changes[i]?.whom}`]]))
        const parts = partsOf(all, serves)

        expect(parts.flat()).toEqual(all)
        for (const part of parts) {
          const whom = new Set(part.flatMap(({ key }) => serves.get(key) ?? [])).size
          const lines = part.reduce((sum, { rendering }) => sum + rendering.apply.length, 0)
          expect(whom === 1 || whom * lines <= copiesMax).toBe(true)
        }
      }),
    )
  })
})
