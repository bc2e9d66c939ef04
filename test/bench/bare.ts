// The floor: bare ssh2, one line at a time, each prompt awaited. It checks no host key, keeps no record and believes every answer.

import { Client, type ClientChannel, type ConnectConfig } from 'ssh2'
import type { FarmDevice } from './farm-main.ts'
import { type Dialogue, dialogues } from './lines.ts'

/** Whom to log in as; a key where the device wants one. */
export type BareTarget = Pick<FarmDevice, 'host' | 'port' | 'username' | 'platform'> &
  ({ readonly password: string } | { readonly privateKey: string })

/** A shell at its prompt. */
export interface BareSession {
  /** Puts a route on, and asks until it shows. */
  on(address: string): Promise<void>
  off(address: string): Promise<void>
  /** Types a line and answers what came up to the next prompt. */
  type(line: string): Promise<string>
  close(): void
}

const prompt = /(?:^|\n)[^\n]*[>#$%] ?$/
const promptAfterEcho = /\n[^\n]*[>#$] ?$/

/** How often a read-back is asked again at most. */
const asksMax = 10_000

/** Logs in, waits for the prompt, and types the opening. */
export async function openBare(target: BareTarget): Promise<BareSession> {
  const client = new Client()
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve)
    client.once('error', reject)
    client.connect(configOf(target))
    client.setNoDelay(true)
  })
  client.on('error', () => undefined)
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.shell({ term: 'vt100', cols: 511, rows: 500 }, (fault, opened) => {
      if (fault === undefined) resolve(opened)
      else reject(fault)
    })
  })
  const reader = createReader(channel)
  await reader.until(prompt)
  const type = (line: string): Promise<string> => {
    channel.write(`${line}\n`)
    return reader.until(promptAfterEcho)
  }
  const dialogue = dialogues[target.platform]
  for (const line of dialogue.opening) {
    channel.write(`${line}\n`)
    await reader.until(line.startsWith('stty') ? prompt : promptAfterEcho)
  }
  return sessionOf({ client, channel, reader, dialogue, type, echo: target.platform !== 'linux' })
}

function configOf(target: BareTarget): ConnectConfig {
  const { host, port, username } = target
  const login =
    'password' in target ? { password: target.password } : { privateKey: target.privateKey }
  // The same algorithms that nullroute ends up with: else the floor would be that of other mathematics.
  const algorithms = { kex: ['curve25519-sha256'], serverHostKey: ['ssh-ed25519'] } as const
  return {
    host,
    port,
    username,
    ...login,
    algorithms: { kex: [...algorithms.kex], serverHostKey: [...algorithms.serverHostKey] },
    readyTimeout: 120_000,
  }
}

function sessionOf(parts: {
  readonly client: Client
  readonly channel: ClientChannel
  readonly reader: Reader
  readonly dialogue: Dialogue
  readonly echo: boolean
  type(line: string): Promise<string>
}): BareSession {
  const { client, channel, reader, dialogue, echo } = parts
  const type = async (line: string): Promise<string> => {
    if (echo) return parts.type(line)
    channel.write(`${line}\n`)
    return reader.until(prompt)
  }
  return {
    async on(address) {
      for (const line of dialogue.on(address)) await type(line)
      for (let asks = 0; asks < asksMax; asks++) {
        if (dialogue.isOn(await type(dialogue.show(address)), address)) return
      }
      throw new Error(`${address} does not show: ${await type(dialogue.show(address))}`)
    },
    async off(address) {
      for (const line of dialogue.off(address)) await type(line)
    },
    type,
    close: () => void client.destroy(),
  }
}

interface Reader {
  /** All that has come since the last call, once it matches. */
  until(pattern: RegExp): Promise<string>
}

function createReader(channel: ClientChannel): Reader {
  let text = ''
  let look = (): void => undefined
  let fail: (fault: Error) => void = () => undefined
  channel.on('data', (bytes: Buffer) => {
    text += bytes.toString('utf8').replaceAll('\r', '')
    look()
  })
  channel.once('close', () => fail(new Error(`the device closed the session: ${text}`)))
  return {
    until: (pattern) =>
      new Promise((resolve, reject) => {
        fail = reject
        look = (): void => {
          if (!pattern.test(text.slice(-300))) return
          const all = text
          text = ''
          look = () => undefined
          resolve(all)
        }
        look()
      }),
  }
}
