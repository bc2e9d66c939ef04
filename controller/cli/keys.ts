// Which host key a device or jump host shows, without logging in: one connection that ends at the key. Beside agent/session.ts the only file that imports ssh2.

import type { Duplex } from 'node:stream'
import ssh2, { type ConnectConfig } from 'ssh2'
import { kindOf } from '../../agent/host-keys.ts'
import { openWay } from '../../agent/session.ts'
import { algorithms } from '../../agent/session-algorithms.ts'
import type { Jump } from '../../inventory/model.ts'

/** A host whose key is wanted. */
export interface Host {
  readonly id: string
  readonly address: string
  readonly port: number
  /** Old algorithms are offered too. */
  readonly legacy: boolean
  readonly jump?: Jump
}

/** A key as shown, or why there is none. */
export type Shown =
  | { readonly ok: true; readonly kind: string; readonly key: Buffer }
  | { readonly ok: false; readonly reason: string }

/** How long a host may take to show its key, in ms. */
const handshakeMs = 15_000

/** Asks one host for its key: of the kinds that sessions would take, the one most wanted. Through its jump host, whose own key must be known. */
export async function showHostKey(
  host: Host,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Shown> {
  if (host.jump === undefined) return await ask(host, undefined)
  try {
    const way = await openWay(host.jump, host, environment)
    try {
      return await ask(host, way.sock)
    } finally {
      way.close()
    }
  } catch (cause) {
    return { ok: false, reason: `through ${host.jump.id}: ${messageOf(cause)}` }
  }
}

function ask(host: Host, sock: Duplex | undefined): Promise<Shown> {
  const client = new ssh2.Client()
  return new Promise<Shown>((resolve) => {
    let shown: Shown | undefined
    const end = (reason: string): void => {
      client.destroy()
      resolve(shown ?? { ok: false, reason })
    }
    client.on('error', (cause) => end(messageOf(cause)))
    client.once('close', () => end('the connection was closed before a key was shown'))
    const config: ConnectConfig = {
      ...(sock === undefined ? { host: host.address, port: host.port } : { sock }),
      username: 'nullroute-keys-scan',
      readyTimeout: handshakeMs,
      algorithms: algorithms(host.legacy, []),
      hostVerifier: (key: Buffer) => {
        shown = { ok: true, kind: kindOf(key), key: Buffer.from(key) }
        // A refusal ends the connection here: no login is tried.
        return false
      },
    }
    client.connect(config)
  })
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
