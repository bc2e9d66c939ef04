// Key pairs of SSH servers, for simulated devices and for tests that need one.

import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'

/** A key pair in OpenSSH's formats. */
export interface HostKey {
  readonly private: string
  /** `ssh-ed25519 AAAA…`. */
  readonly public: string
}

/** Before the 32 bytes of a private ed25519 key in DER (RFC 8410 section 7). */
const derHead = Buffer.from('302e020100300506032b657004220420', 'hex')
const kind = 'ssh-ed25519'
const label = 'OPENSSH PRIVATE KEY'

/** A fresh ed25519 pair, or that of a private key of 32 bytes. Not by ssh2, which takes zero bytes at the beginning of a public key for padding (lib/keygen.js of 1.17) and writes one pair in 256 that nobody can read. */
export function makeHostKey(seed: Buffer = randomBytes(32)): HostKey {
  const key = createPrivateKey({
    key: Buffer.concat([derHead, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  const point = Buffer.from(x, 'base64url')
  // RFC 8709 section 4.
  const blob = Buffer.concat([field(kind), field(point)])
  return {
    private: privateText(blob, Buffer.concat([seed, point])),
    public: `${kind} ${blob.toString('base64')}`,
  }
}

/** PROTOCOL.key of OpenSSH: neither cipher nor passphrase, one key. */
function privateText(blob: Buffer, secret: Buffer): string {
  const one = Buffer.alloc(4)
  one.writeUInt32BE(1)
  // Two equal numbers, by which a reader knows that it has decrypted rightly.
  const check = Buffer.alloc(8)
  const inner = Buffer.concat([check, blob, field(secret), field('')])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, -inner.length & 7)
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(field),
    one,
    field(blob),
    field(Buffer.concat([inner, padding])),
  ])
  const lines = whole.toString('base64').replaceAll(/.{70}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

/** A string of SSH (RFC 4251 section 5): its length, then itself. */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
