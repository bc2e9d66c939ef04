// Random bytes from a stock: a decision takes some fifty of them for ids and salts, and to ask the system for each costs more than all that is made of them.

import { randomBytes } from 'node:crypto'

const stockBytes = 4_096
let stock = randomBytes(stockBytes)
let used = 0

/** So many bytes that were never used before, of the system's own generator for secrets; at most 4,096. */
export function freshBytes(count: number): Uint8Array {
  if (used + count > stockBytes) {
    stock = randomBytes(stockBytes)
    used = 0
  }
  used += count
  return stock.subarray(used - count, used)
}

/** A number of [0, 1) for the random part of a ULID: one byte for each of its 32 characters is no more of one than of another. */
export function freshFraction(): number {
  return (freshBytes(1)[0] ?? 0) / 256
}
