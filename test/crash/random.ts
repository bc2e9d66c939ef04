// Chance from a seed: the same seed and the same names give the same numbers, whatever was drawn elsewhere.

/** A stream of choices. */
export interface Random {
  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number
  /** True so often, 0 to 1. */
  chance(share: number): boolean
  /** One of them. Throws for none. */
  pick<T>(from: readonly T[]): T
  /** One of them, by weight. */
  weighted<T>(from: readonly { readonly weight: number; readonly value: T }[]): T
}

/** The stream of this seed for that purpose; each name makes another. */
export function random(seed: number, ...names: readonly (string | number)[]): Random {
  let state = hash(`${seed}|${names.join('|')}`)
  // mulberry32: 32 bits of state are enough to tell runs apart, and it is the same on every machine.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  return {
    between,
    chance: (share) => next() < share,
    pick(from) {
      const found = from[between(0, from.length - 1)]
      if (found === undefined) throw new RangeError('there is nothing to choose from')
      return found
    },
    weighted(from) {
      let at = next() * from.reduce((sum, { weight }) => sum + weight, 0)
      for (const { weight, value } of from) {
        at -= weight
        if (at < 0) return value
      }
      throw new RangeError('there is nothing to choose from')
    },
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return value | 0
}
