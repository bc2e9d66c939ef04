// Shown host keys against a known_hosts file: what is known, what is new, and what another key stands for. Pure; it never takes a line away.

import { fingerprint, type KnownHosts, parseKnownHosts } from '../../agent/host-keys.ts'

/** A key that a host showed. */
export interface ShownKey {
  readonly id: string
  readonly address: string
  readonly port: number
  readonly kind: string
  readonly key: Buffer
}

/** How a shown key stands to the file. */
export interface Judged extends ShownKey {
  /** `differs`: the file has other keys for this host. `revoked`: it names this very key as stolen. */
  readonly state: 'known' | 'new' | 'differs' | 'revoked'
  readonly fingerprint: string
  /** Of `differs`: the keys that were expected, with their place. */
  readonly expected: readonly string[]
}

/** Judges each key by the text of a known_hosts file. */
export function judgeKeys(
  text: string,
  file: string,
  shown: readonly ShownKey[],
): readonly Judged[] {
  const known = parseKnownHosts(text, file)
  return shown.map((one) => judge(known, one))
}

function judge(known: KnownHosts, shown: ShownKey): Judged {
  const lines = known.keys.filter((one) => one.matches(shown.address, shown.port))
  const same = lines.filter((one) => one.key.equals(shown.key))
  const judged = { ...shown, fingerprint: fingerprint(shown.key), expected: [] }
  if (same.some(({ revoked }) => revoked)) return { ...judged, state: 'revoked' }
  if (same.length > 0) return { ...judged, state: 'known' }
  const others = lines.filter(({ revoked }) => !revoked)
  if (others.length === 0) return { ...judged, state: 'new' }
  return {
    ...judged,
    state: 'differs',
    expected: others.map((one) => `${one.kind} ${fingerprint(one.key)} (${one.file}:${one.line})`),
  }
}

/** The text with the new keys behind it, each under a comment with its fingerprint. The same text where nothing is new. */
export function withNewKeys(text: string, judged: readonly Judged[]): string {
  const added = judged.filter(({ state }) => state === 'new').flatMap(knownHostsLines)
  if (added.length === 0) return text
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return `${before}${added.join('\n')}\n`
}

/** `# edge1 SHA256:…`, then the line as OpenSSH has it. */
export function knownHostsLines(one: Judged): readonly string[] {
  const { id, address, port, kind, key } = one
  const host = port === 22 ? address : `[${address}]:${port}`
  return [`# ${id} ${one.fingerprint}`, `${host} ${kind} ${key.toString('base64')}`]
}
