// The SSH algorithms that we offer, by name. Old ones only where the inventory says `legacy`.

// Named one by one. Group exchange isn't among them: checking one such group stops the whole process for almost two seconds.
const kex = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
] as const
const kexLegacy = ['diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'] as const
const cipher = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
] as const
const cipherLegacy = ['aes128-cbc', 'aes256-cbc', '3des-cbc'] as const
const hmac = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
] as const
const hmacLegacy = ['hmac-sha1'] as const
const hostKeyKinds = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]

/** Names of algorithms, the most wanted first. */
export interface Algorithms {
  kex: ((typeof kex)[number] | (typeof kexLegacy)[number])[]
  cipher: ((typeof cipher)[number] | (typeof cipherLegacy)[number])[]
  hmac: ((typeof hmac)[number] | (typeof hmacLegacy)[number])[]
  serverHostKey: HostKeyAlgorithm[]
}

/** What is offered to a host: the kinds of host key that are known for it first, so that it shows one of those. */
export function algorithms(legacy: boolean, known: readonly string[]): Algorithms {
  const kinds = [...known, ...hostKeyKinds.filter((kind) => !known.includes(kind))]
  return {
    kex: legacy ? [...kex, ...kexLegacy] : [...kex],
    cipher: legacy ? [...cipher, ...cipherLegacy] : [...cipher],
    hmac: legacy ? [...hmac, ...hmacLegacy] : [...hmac],
    serverHostKey: kinds.flatMap((kind) => signatureKinds(kind, legacy)),
  }
}

type HostKeyAlgorithm = 'ssh-ed25519' | 'rsa-sha2-512' | 'rsa-sha2-256' | 'ssh-rsa'

/** The signatures that prove a kind of key. Unknown kinds (certificates, security keys) have none that ssh2 could check. */
function signatureKinds(kind: string, legacy: boolean): HostKeyAlgorithm[] {
  if (kind === 'ssh-rsa') {
    return legacy ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : ['rsa-sha2-512', 'rsa-sha2-256']
  }
  // ssh2's own names; the type lists fewer of them than the library knows.
  return hostKeyKinds.includes(kind) ? [kind as HostKeyAlgorithm] : []
}
