// Fields that stand in an entry only as a salted digest, so that they can be shown, withheld or erased while the tree never changes.
// Construction of RFC 9901, section 4.2, with the JSON Pointer as the claim's name. Pure.

import { hash } from 'node:crypto'
import { canonicalRecord, type Json, parseCanonical } from './canonical.ts'

/** What a disclosure says. */
export interface Disclosed {
  readonly salt: string
  readonly pointer: string
  readonly value: Json
}

/** The text that opens a digest. `salt`: 22 characters of base64url, never used twice. */
export function disclose({ salt, pointer, value }: Disclosed): string {
  return Buffer.from(canonicalRecord([salt, pointer, value]), 'utf8').toString('base64url')
}

/** Digest of a disclosure as the entry holds it, over the encoded text: 43 characters. */
export function digestOf(disclosure: string): string {
  return hash('sha256', Buffer.from(disclosure, 'ascii'), 'buffer').toString('base64url')
}

/** Reads a disclosure. Throws for anything but what `disclose` writes. */
export function parseDisclosure(disclosure: string): Disclosed {
  const bytes = Buffer.from(disclosure, 'base64url')
  // Buffer takes blanks, padding and rubbish: only the re-encoded text tells.
  if (bytes.toString('base64url') !== disclosure) throw new TypeError('not base64url')
  const parts = parseCanonical(bytes.toString('utf8'))
  if (!Array.isArray(parts) || parts.length !== 3) throw new TypeError('not three parts')
  const [salt, pointer, value] = parts as readonly Json[]
  if (typeof salt !== 'string' || typeof pointer !== 'string' || value === undefined) {
    throw new TypeError('not a salt, a pointer and a value')
  }
  return { salt, pointer, value }
}

/** The value as text, for searching. */
export function searchable(value: Json): string {
  return typeof value === 'string' ? value : canonicalRecord(value)
}
