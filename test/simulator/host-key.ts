// Key pairs of SSH servers, for simulated devices and for tests that need one.

import ssh2 from 'ssh2'

/** A key pair in OpenSSH's formats. */
export interface HostKey {
  readonly private: string
  /** `ssh-ed25519 AAAA…`. */
  readonly public: string
}

/** A fresh ed25519 pair. ssh2 writes one in some 400 that it can't read again: such a one is thrown away. */
export function makeHostKey(): HostKey {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519')
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
}
