import { monotonicFactory, ulid } from 'ulid'
import { describe, expect, it } from 'vitest'
import { freshBytes, freshFraction } from '../../controller/store/random.ts'

describe('random bytes from the stock', () => {
  it('are used once, over the end of the stock too', () => {
    const taken = Array.from({ length: 1_000 }, () => Buffer.from(freshBytes(16)).toString('hex'))
    expect(new Set(taken).size).toBe(1_000)
    expect(taken.every((bytes) => bytes.length === 32)).toBe(true)
  })

  it('make ULIDs of every character at every place, and rising ones', () => {
    const ids = Array.from({ length: 3_000 }, () => ulid(1, freshFraction))
    const places = Array.from({ length: 16 }, (_, i) => new Set(ids.map((id) => id[10 + i])).size)
    expect(new Set(ids).size).toBe(3_000)
    expect(places).toEqual(Array.from({ length: 16 }, () => 32))

    const next = monotonicFactory(freshFraction)
    const rising = Array.from({ length: 1_000 }, () => next(1))
    expect(rising).toEqual(rising.toSorted((one, other) => (one < other ? -1 : 1)))
  })
})
