// The log's key: an Ed25519 seed in a file of its own, made at the first start, and its two text forms (C2SP signed-note, golang.org/x/mod/sumdb/note).
// The name in it is the log's origin: chosen once, never changed.

import { createPrivateKey, createPublicKey, hash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ControllerError } from '../errors.ts'

/** Type byte of Ed25519 in key ids and key texts. */
const ed25519 = 0x01
const seedBytes = 32
/** DER in front of a raw seed (PKCS #8, RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A log's identity. */
export interface LogKey {
  /** The origin: `<a domain>/<anything>`. */
  readonly name: string
  readonly seed: Uint8Array
  /** The public form, for whoever checks the log. */
  readonly vkey: string
}

/** The key of a seed. Throws ControllerError `config_invalid` for a name that signed notes can't have. */
export function keyOfSeed(name: string, seed: Uint8Array): LogKey {
  if (!/^[^\s+\p{Cc}]{1,256}$/u.test(name)) {
    throw new ControllerError(
      'config_invalid',
      `the log's origin is ${JSON.stringify(name)}: expected a domain of yours and a path, without blanks and \`+\`, like audit.example.net/nullroute`,
    )
  }
  return { name, seed, vkey: keyText(name, publicKey(seed)) }
}

/** The private form, as it stands in the key file. */
export function skeyOf(key: LogKey): string {
  const id = keyId(key.name, publicKey(key.seed))
  return `PRIVATE+KEY+${key.name}+${id}+${typed(key.seed)}`
}

/** Reads the private form. Undefined where anything in it is wrong: name, key id, type, length, encoding. */
export function parseSkey(text: string): LogKey | undefined {
  const parts = /^PRIVATE\+KEY\+([^\s+\p{Cc}]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text)
  const [, name = '', id = '', encoded = ''] = parts ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (parts === null || bytes.toString('base64') !== encoded) return undefined
  if (bytes.length !== 1 + seedBytes || bytes[0] !== ed25519) return undefined
  const key = keyOfSeed(name, bytes.subarray(1))
  return keyId(name, publicKey(key.seed)) === id ? key : undefined
}

/** Reads the public form: name and raw public key. Undefined where anything in it is wrong. */
export function parseVkey(
  text: string,
): { readonly name: string; readonly publicKey: Uint8Array } | undefined {
  const parts = /^([^\s+\p{Cc}]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text)
  const [, name = '', id = '', encoded = ''] = parts ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (parts === null || bytes.toString('base64') !== encoded) return undefined
  if (bytes.length !== 1 + seedBytes || bytes[0] !== ed25519) return undefined
  const raw = bytes.subarray(1)
  return keyId(name, raw) === id ? { name, publicKey: raw } : undefined
}

/** The key of a data folder, or undefined where none was made yet. Throws ControllerError `data_invalid` for a damaged file. */
export function readLogKey(dir: string): LogKey | undefined {
  const file = join(dir, 'log.key')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  const key = parseSkey(text.trimEnd())
  if (key === undefined) {
    throw new ControllerError(
      'data_invalid',
      `${file} holds no key of an audit log: bring back the file from a backup`,
    )
  }
  return key
}

/** Makes the key of a data folder: a file that only its owner can read, whole or not there at all. Where two processes start at once, both get the key of the first. */
export function makeLogKey(dir: string, origin: string): LogKey {
  const key = keyOfSeed(origin, randomBytes(seedBytes))
  const file = join(dir, 'log.key')
  const half = `${file}.${process.pid}`
  writeDurably(half, `${skeyOf(key)}\n`)
  try {
    // Unlike a rename, a link never takes the place of a key that is there.
    linkSync(half, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(half, { force: true })
  }
  syncFolder(dir)
  return readLogKey(dir) ?? key
}

function writeDurably(file: string, text: string): void {
  rmSync(file, { force: true })
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function syncFolder(dir: string): void {
  const descriptor = openSync(dir, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function publicKey(seed: Uint8Array): Uint8Array {
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
}

function keyText(name: string, raw: Uint8Array): string {
  return `${name}+${keyId(name, raw)}+${typed(raw)}`
}

/** First 4 bytes of SHA-256(name || LF || type || public key), in hex. */
function keyId(name: string, raw: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.of(ed25519), raw])
  return hash('sha256', bytes, 'hex').slice(0, 8)
}

function typed(raw: Uint8Array): string {
  return Buffer.concat([Buffer.of(ed25519), raw]).toString('base64')
}
