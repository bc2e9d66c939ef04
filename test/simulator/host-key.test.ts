// The keys that simulated devices and tests use: what SSH reads, whatever bytes they are of.

import ssh2 from 'ssh2'
import { describe, expect, it } from 'vitest'
import { makeHostKey } from './host-key.ts'

/** The private key of 31 zero bytes and this one. */
function seedOf(last: number): Buffer {
  const seed = Buffer.alloc(32)
  seed[31] = last
  return seed
}

/** Type and public part of a key, as ssh2 reads it. */
function read(text: string): string {
  const key = ssh2.utils.parseKey(text)
  return key instanceof Error ? key.message : `${key.type} ${key.getPublicSSH().toString('base64')}`
}

describe('a key pair', () => {
  // With 36 the public key begins with a zero byte, as one in 256 does.
  it.each([1, 36])('of the private key %i is read, and its halves belong together', (last) => {
    const pair = makeHostKey(seedOf(last))

    expect(read(pair.private)).toBe(pair.public)
    expect(read(pair.public)).toBe(pair.public)
  })

  it('may begin with a zero byte', () => {
    const blob = Buffer.from(makeHostKey(seedOf(36)).public.split(' ')[1] ?? '', 'base64')

    expect([blob.length, blob[19]]).toEqual([51, 0])
  })

  it('is another one each time', () => {
    expect(makeHostKey()).not.toEqual(makeHostKey())
  })
})
