// known_hosts as OpenSSH writes it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): who a host key belongs to. Reading the file is the caller's.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { AgentError } from './errors.ts'

/** One usable line of a known_hosts file. */
interface KnownKey {
  readonly file: string
  readonly line: number
  readonly revoked: boolean
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, … */
  readonly kind: string
  readonly key: Buffer
  /** Whether the line speaks of this host (`host`, or `[host]:port`). */
  matches(host: string, port: number): boolean
}

/** A line that can't be used, and why. */
interface KnownHostsProblem {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** A known_hosts file, read. */
export interface KnownHosts {
  readonly keys: readonly KnownKey[]
  readonly problems: readonly KnownHostsProblem[]
}

/** Reads the text of a known_hosts file. A line that can't be used is a problem with its place, and never a key. */
export function parseKnownHosts(text: string, file: string): KnownHosts {
  const keys: KnownKey[] = []
  const problems: KnownHostsProblem[] = []
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const parsed = parseLine(line)
    if (typeof parsed === 'string') problems.push({ file, line: i + 1, message: parsed })
    else keys.push({ ...parsed, file, line: i + 1 })
  }
  return { keys, problems }
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The kind that a public key says it is: its first string. */
export function kindOf(key: Buffer): string {
  if (key.length < 4) return ''
  const length = key.readUInt32BE(0)
  return key.length < 4 + length ? '' : key.toString('latin1', 4, 4 + length)
}

/** Kinds of key that are known for a host, in order of the file: what a session asks the host to show. */
export function knownKinds(known: KnownHosts, host: string, port: number): readonly string[] {
  const kinds = keysFor(known, host, port).filter((one) => !one.revoked)
  return [...new Set(kinds.map((one) => one.kind))]
}

/** Why a host key must not be trusted, or undefined when it is the known one. */
export function hostKeyFault(
  known: KnownHosts,
  key: Buffer,
  { host, port, file }: { readonly host: string; readonly port: number; readonly file: string },
): AgentError | undefined {
  const shown = `${kindOf(key)} ${fingerprint(key)}`
  const name = port === 22 ? host : `[${host}]:${port}`
  const revoked = known.keys.find((one) => one.revoked && one.key.equals(key))
  if (revoked?.matches(host, port)) {
    const message = `${name} shows ${shown}, which ${revoked.file}:${revoked.line} says is revoked`
    return new AgentError('host_key_changed', message)
  }
  const lines = keysFor(known, host, port).filter((one) => !one.revoked)
  if (lines.some((one) => one.key.equals(key))) return undefined
  if (lines.length > 0) {
    const expected = lines.map((l) => `${l.kind} ${fingerprint(l.key)} (${l.file}:${l.line})`)
    const message = `${name} shows ${shown}, expected was ${expected.join(' or ')}`
    return new AgentError('host_key_changed', message)
  }
  const broken = known.problems.map((p) => `${p.file}:${p.line}: ${p.message}`)
  const aside = broken.length === 0 ? '' : `; lines that can't be used: ${broken.join('; ')}`
  return new AgentError(
    'host_key_unknown',
    `${name} shows ${shown}, ${file} has no key for it${aside}`,
  )
}

function keysFor(known: KnownHosts, host: string, port: number): readonly KnownKey[] {
  return known.keys.filter((one) => one.matches(host, port))
}

function parseLine(line: string): Omit<KnownKey, 'file' | 'line'> | string {
  const fields = line.split(/[ \t]+/)
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
  if (marker === '@cert-authority') {
    return 'certificate authorities are not supported; the line is left out: add the host keys themselves'
  }
  if (marker !== undefined && marker !== '@revoked') {
    return `found marker ${marker}, expected @revoked or none`
  }
  const [hosts, kind, base64] = fields
  if (hosts === undefined || kind === undefined || base64 === undefined) {
    return 'expected `hosts kind key`, found fewer than three fields'
  }
  const key = parseKey(kind, base64)
  if (typeof key === 'string') return key
  const matches = hosts.startsWith('|') ? hashedMatch(hosts) : patternMatch(hosts)
  if (typeof matches === 'string') return matches
  return { revoked: marker !== undefined, kind, key, matches }
}

function parseKey(kind: string, base64: string): Buffer | string {
  const key = Buffer.from(base64, 'base64')
  if (key.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) {
    return 'the key is not base64'
  }
  const said = kindOf(key)
  if (said === kind) return key
  return `the line says ${kind}, the key in it says ${said || 'nothing that can be read'}`
}

type Matches = KnownKey['matches']

function hashedMatch(field: string): Matches | string {
  const [, magic, salt64, hash64, more] = field.split('|')
  if (magic !== '1' || salt64 === undefined || hash64 === undefined || more !== undefined) {
    return 'found a hashed host that is not `|1|salt|hash`'
  }
  const salt = Buffer.from(salt64, 'base64')
  const hash = Buffer.from(hash64, 'base64')
  if (salt.length !== 20 || hash.length !== 20)
    return 'salt and hash of a hashed host have 20 bytes'
  return (host, port) =>
    timingSafeEqual(createHmac('sha1', salt).update(hostName(host, port)).digest(), hash)
}

function patternMatch(field: string): Matches | string {
  const patterns = field.split(',').map((text) => {
    const negated = text.startsWith('!')
    return { negated, pattern: wildcards(negated ? text.slice(1) : text) }
  })
  return (host, port) => {
    const name = hostName(host, port)
    const met = patterns.filter(({ pattern }) => pattern.test(name))
    return met.length > 0 && !met.some(({ negated }) => negated)
  }
}

/** The name under which OpenSSH files a host: bare for port 22, `[host]:port` for others. */
function hostName(host: string, port: number): string {
  const lower = host.toLowerCase()
  return port === 22 ? lower : `[${lower}]:${port}`
}

function wildcards(text: string): RegExp {
  const source = text
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}
