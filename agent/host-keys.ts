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
  /** 0: the file as a whole. */
  readonly line: number
  /** Found, expected and what to do, on one line. */
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
  // Some editors put a mark before the first line, which would make its host another one.
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const parsed = parseLine(line)
    if (typeof parsed === 'string') problems.push({ file, line: i + 1, message: parsed })
    else keys.push({ ...parsed, file, line: i + 1 })
  }
  return { keys, problems }
}

/** What is known where a file could not be read: nothing. No file is a file without keys: the host's own key is then named in the refusal, and why beside it. */
export function unreadKnownHosts(file: string, cause: unknown): KnownHosts {
  const isMissing = cause instanceof Error && Reflect.get(cause, 'code') === 'ENOENT'
  const message = isMissing
    ? `found no such file, expected the host keys: \`nullroute keys scan --out ${file}\` makes it`
    : `can't be read (${cause instanceof Error ? cause.message : String(cause)}): correct the path or the rights`
  return { keys: [], problems: [{ file, line: 0, message }] }
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256')
    .update(key)
    .digest('base64')
    .replace(/={1,2}$/, '')}`
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
  const revoked = keysFor(known, host, port).find((one) => one.revoked && one.key.equals(key))
  if (revoked !== undefined) {
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
  return new AgentError(
    'host_key_unknown',
    `${name} shows ${shown}, ${file} has no key for it${aside(known.problems)}`,
  )
}

/** Lines of a file that are named in one message: a binary file has thousands that can't be used. */
const problemsShown = 3

function aside(problems: KnownHosts['problems']): string {
  if (problems.length === 0) return ''
  const shown = problems
    .slice(0, problemsShown)
    .map(({ file, line, message }) => `${line === 0 ? file : `${file}:${line}`}: ${message}`)
  const more = problems.length - shown.length
  return `; what can't be used: ${shown.join('; ')}${more === 0 ? '' : `; and ${more} more lines`}`
}

/** What a file says of each host that was asked for: a session asks three times, and a file may hold tens of thousands of lines, hashed ones among them. */
const found = new WeakMap<KnownHosts, Map<string, readonly KnownKey[]>>()

function keysFor(known: KnownHosts, host: string, port: number): readonly KnownKey[] {
  const byHost = found.get(known) ?? new Map<string, readonly KnownKey[]>()
  found.set(known, byHost)
  const name = hostName(host, port)
  const keys = byHost.get(name) ?? known.keys.filter((one) => one.matches(host, port))
  byHost.set(name, keys)
  return keys
}

function parseLine(line: string): Omit<KnownKey, 'file' | 'line'> | string {
  const fields = line.split(/[ \t]+/)
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
  const fault = lineFault(line, marker)
  if (fault !== undefined) return fault
  const [hosts, kind, base64] = fields
  if (hosts === undefined || kind === undefined || base64 === undefined) {
    return `found ${fields.length === 1 ? 'one field' : `${fields.length} fields`}, expected three, \`hosts kind key\`: complete the line, or take it out and run \`nullroute keys scan\``
  }
  const key = parseKey(kind, base64)
  if (typeof key === 'string') return key
  const matches = hosts.startsWith('|') ? hashedMatch(hosts) : patternMatch(hosts)
  if (typeof matches === 'string') return matches
  return { revoked: marker !== undefined, kind, key, matches }
}

function lineFault(line: string, marker: string | undefined): string | undefined {
  if (/[^\t\P{Cc}]|\uFFFD/u.test(line)) {
    return 'found signs that no text has, expected `hosts kind key` in ASCII: save the file as UTF-8, not as UTF-16, or take it from another place'
  }
  if (marker === '@cert-authority') {
    return 'found @cert-authority, expected host keys: certificate authorities are not supported, so add the keys of the hosts themselves (`nullroute keys scan`)'
  }
  return marker === undefined || marker === '@revoked'
    ? undefined
    : `found the marker ${marker}, expected @revoked or none: correct it, or take the line out`
}

function parseKey(kind: string, base64: string): Buffer | string {
  const key = Buffer.from(base64, 'base64')
  if (key.toString('base64').replace(/={1,2}$/, '') !== base64.replace(/={1,2}$/, '')) {
    return `found "${clipped(base64)}" as key, expected base64 without blanks: the line was cut or wrapped, so take it out and run \`nullroute keys scan\``
  }
  const said = kindOf(key)
  if (said === kind) return key
  return `found ${said === '' ? 'a key that can not be read' : `a key of the kind ${clipped(said)}`}, expected ${clipped(kind)} as the line says: take it out and run \`nullroute keys scan\``
}

/** The beginning of a text from the file, for a message. */
function clipped(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`
}

type Matches = KnownKey['matches']

function hashedMatch(field: string): Matches | string {
  const [, magic, salt64, hash64, more] = field.split('|')
  if (magic !== '1' || salt64 === undefined || hash64 === undefined || more !== undefined) {
    return `found the hashed host "${clipped(field)}", expected |1|salt|hash: take the line out and run \`nullroute keys scan\``
  }
  const salt = Buffer.from(salt64, 'base64')
  const hash = Buffer.from(hash64, 'base64')
  if (salt.length !== 20 || hash.length !== 20)
    return `found a hashed host with a salt of ${salt.length} and a hash of ${hash.length} bytes, expected 20 each: take the line out and run \`nullroute keys scan\``
  return (host, port) =>
    timingSafeEqual(createHmac('sha1', salt).update(hostName(host, port)).digest(), hash)
}

function patternMatch(field: string): Matches | string {
  const patterns = field.split(',').map((text) => {
    const negated = text.startsWith('!')
    return { negated, fits: fitting(negated ? text.slice(1) : text) }
  })
  return (host, port) => {
    const name = hostName(host, port)
    const met = patterns.filter(({ fits }) => fits(name))
    return met.length > 0 && !met.some(({ negated }) => negated)
  }
}

/** The name under which OpenSSH files a host: bare for port 22, `[host]:port` for others. */
function hostName(host: string, port: number): string {
  const lower = host.toLowerCase()
  return port === 22 ? lower : `[${lower}]:${port}`
}

/** Most lines name one host: those are compared, since a file may hold tens of thousands. */
function fitting(text: string): (name: string) => boolean {
  const lower = text.toLowerCase()
  if (!/[*?]/.test(lower)) return (name) => name === lower
  const pattern = wildcards(lower)
  return (name) => pattern.test(name)
}

function wildcards(text: string): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}
