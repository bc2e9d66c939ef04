// A warm SSH session with one device: the only file that imports ssh2. Who may be spoken to is host-keys.ts, how a shell is opened
// session-opening.ts, what is said in it session-dialogue.ts.

import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2'
import type { Device, Endpoint, Jump } from '../inventory/model.ts'
import { type Clock, systemClock } from './clock.ts'
import { AgentError, lastOutputMax } from './errors.ts'
import { fingerprint, hostKeyFault, knownKinds } from './host-keys.ts'
import { readKnownHosts } from './known-hosts-file.ts'
import {
  type Answer,
  addressFact,
  type Context,
  type Line,
  type Platform,
  type Seen,
  uplinksFact,
} from './platform.ts'
import {
  type Credentials,
  credentialsFor,
  type Environment,
  fromEnvironment,
  unusableKey,
} from './secrets.ts'
import { algorithms } from './session-algorithms.ts'
import { createDialogue, type Dialogue, type Progress } from './session-dialogue.ts'
import { type Breaker, breakerFor, guarded, guardedClock, guardedRun } from './session-guard.ts'
import { beginOpening, type Opening } from './session-opening.ts'
import { createScreen } from './terminal-screen.ts'
import { createTranscript } from './transcript.ts'

/** What a session is opened with. */
export interface SessionOptions {
  readonly device: Device
  readonly jump?: Jump
  readonly platform: Platform
  readonly clock: Clock
  /** Where secrets are looked up by name: usually `process.env`. */
  readonly environment: Environment
  readonly signal?: AbortSignal
}

/** An open session, at rest between runs. One run at a time. */
export interface Session {
  readonly seen: Seen
  /** `SHA256:…` of the host key that the device showed. */
  readonly hostKey: string
  /** The context of the last prompt. */
  readonly context: Context
  /**
   * Sends lines and answers what each got, until the first refused line that isn't free.
   * A line that isn't free waits for the prompt of the context that it needs; if another prompt is there, nothing is sent: `unexpected_prompt`.
   * Other AgentErrors (`timeout`, `desync`, `unexpected_question`, `unreachable`, …) end the session: what was sent has no known outcome.
   */
  run(lines: readonly Line[], signal?: AbortSignal): Promise<readonly Answer[]>
  /** Why nothing can be said in it any more, though its connection may not be gone yet. */
  readonly fault: AgentError | undefined
  /** How far the last run came, when it failed. */
  progress(): Progress
  /** What was said since the last `mark`, secrets never in it. */
  transcript(): string
  /** Bytes of what was said since the last `mark`. */
  bytes(): number
  mark(): void
  close(): Promise<void>
  /** Resolves when the connection is gone: with the reason, or undefined after `close` or a log-out between runs. */
  readonly closed: Promise<AgentError | undefined>
}

/** What opens a session. */
export type OpenSession = (options: SessionOptions) => Promise<Session>

const keepaliveMs = 15_000
const keepaliveMissesMax = 3
/** Longest time for a log-in, a shell, or a way through a jump host, in ms. */
const handshakeMs = 20_000
/** A device that doesn't answer the end of a connection is left to TCP after this, in ms. */
const closeMs = 1_000

/** Connects (through the jump host, if there is one), checks each host key, logs in and opens the platform's shell. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { device, jump, clock } = options
  if (options.signal?.aborted) throw new AgentError('stopped', 'the agent was told to stop')
  const enable =
    device.enablePasswordEnv === undefined
      ? undefined
      : fromEnvironment(device.enablePasswordEnv, options.environment)
  const way: Connection[] = []
  const abort = (): void => way.forEach((one) => void one.client.destroy())
  options.signal?.addEventListener('abort', abort, { once: true })
  try {
    let sock: Duplex | undefined
    if (jump !== undefined) {
      const first = await connect(jump, { ...options, legacy: false })
      way.push(first)
      sock = await within(forward(first.client, device), {
        clock,
        endpoint: jump,
        what: `way to ${device.address}:${device.port}`,
      })
    }
    const last = await connect(device, { ...options, legacy: device.legacy, sock })
    way.push(last)
    const opened = shell(last.client, options.platform.columns)
    const channel = await within(opened, { clock, endpoint: device, what: 'shell' })
    return await assemble(options, { way, channel, hostKey: last.hostKey(), enable })
  } catch (error) {
    for (const one of way.reverse()) one.client.destroy()
    if (options.signal?.aborted) throw new AgentError('stopped', 'the agent was told to stop')
    throw error
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }
}

/** A connection through a jump host, whose own key is checked, to whatever listens at an address: for reading the host key there. `close` ends both. */
export async function openWay(
  jump: Jump,
  to: { readonly address: string; readonly port: number },
  environment: Environment,
): Promise<{ readonly sock: Duplex; close(): void }> {
  const { client } = await connect(jump, { clock: systemClock, environment, legacy: false })
  try {
    const what = `way to ${to.address}:${to.port}`
    const sock = await within(forward(client, to), { clock: systemClock, endpoint: jump, what })
    return { sock, close: () => void client.destroy() }
  } catch (error) {
    client.destroy()
    throw error
  }
}

interface Connection {
  readonly client: Client
  hostKey(): string
}

interface ConnectOptions {
  readonly clock: Clock
  readonly environment: Environment
  readonly legacy: boolean
  readonly sock?: Duplex | undefined
}

async function connect(endpoint: Endpoint, options: ConnectOptions): Promise<Connection> {
  const { address, port, username } = endpoint
  const [credentials, known] = await Promise.all([
    credentialsFor(endpoint.auth, options.environment),
    readKnownHosts(endpoint.knownHosts),
  ])
  const client = new Client()
  // For the life of the client: an error that comes late and finds no listener would end the process.
  client.on('error', () => undefined)
  let hostKey = ''
  let fault: AgentError | undefined
  const config: ConnectConfig = {
    ...(options.sock === undefined ? { host: address, port } : { sock: options.sock }),
    username,
    // Ours, by our clock, is below.
    readyTimeout: 0,
    keepaliveInterval: keepaliveMs,
    keepaliveCountMax: keepaliveMissesMax,
    algorithms: algorithms(options.legacy, knownKinds(known, address, port)),
    hostVerifier: (key: Buffer) => {
      hostKey = fingerprint(key)
      fault = hostKeyFault(known, key, { host: address, port, file: endpoint.knownHosts })
      return fault === undefined
    },
    ...login(credentials),
  }
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve)
    client.once('error', (cause) => reject(fault ?? connectError(endpoint, cause)))
    client.once('close', () => reject(fault ?? unreachable(endpoint, 'the connection was closed')))
    client.once('change password', (prompt) => reject(expired(endpoint, prompt)))
    answerKeyboard(client, credentials)
    try {
      client.connect(config)
      client.setNoDelay(true)
    } catch (cause) {
      // ssh2 throws here for a key that can't be read and a passphrase that is wrong.
      reject(unusableKey(endpoint, cause))
    }
  })
  await within(ready, { clock: options.clock, endpoint, what: 'log-in' }).catch(
    (error: unknown) => {
      client.destroy()
      throw error
    },
  )
  return { client, hostKey: () => hostKey }
}

/** What doesn't come in time never comes: a device that takes a connection and says no more must not keep its agent for ever. */
async function within<T>(
  wanted: Promise<T>,
  {
    clock,
    endpoint,
    what,
  }: { readonly clock: Clock; readonly endpoint: Place; readonly what: string },
): Promise<T> {
  let cancel = (): void => undefined
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(handshakeMs, () =>
      reject(unreachable(endpoint, `no ${what} within ${handshakeMs} ms`)),
    )
  })
  try {
    return await Promise.race([wanted, late])
  } finally {
    cancel()
  }
}

function expired({ address, username }: Endpoint, prompt: string): AgentError {
  const message = `${address} wants another password of ${username}: ${prompt.trim()}`
  return new AgentError('login_refused', message)
}

function login(credentials: Credentials): ConnectConfig {
  switch (credentials.kind) {
    case 'key':
      return {
        privateKey: credentials.privateKey.reveal(),
        ...(credentials.passphrase === undefined
          ? {}
          : { passphrase: credentials.passphrase.reveal() }),
        authHandler: ['publickey'],
      }
    case 'password':
      return {
        password: credentials.password.reveal(),
        tryKeyboard: true,
        authHandler: ['password', 'keyboard-interactive'],
      }
    case 'agent':
      return { agent: credentials.socket, authHandler: ['agent'] }
  }
}

/** Answers one question for a password. Anything else, or the same again, is left unanswered: no account is locked by us. */
function answerKeyboard(client: Client, credentials: Credentials): void {
  let asked = false
  client.on('keyboard-interactive', (...args) => {
    const [, , , prompts, finish] = args
    if (prompts.length === 0) return finish([])
    const [only] = prompts
    const answers = prompts.length === 1 && only?.echo !== true && !asked
    asked = true
    finish(answers && credentials.kind === 'password' ? [credentials.password.reveal()] : [])
  })
}

function connectError(endpoint: Endpoint, cause: Error & { level?: string }): AgentError {
  if (cause.level === 'client-authentication') {
    const message = `${endpoint.address} refused the login of ${endpoint.username}: ${cause.message}`
    return new AgentError('login_refused', message, { cause })
  }
  return unreachable(endpoint, cause.message, cause)
}

/** Where something listens. */
interface Place {
  readonly address: string
  readonly port: number
}

function unreachable(endpoint: Place, why: string, cause?: unknown): AgentError {
  const message = `${endpoint.address}:${endpoint.port}: ${why}`
  return new AgentError('unreachable', message, cause === undefined ? {} : { cause })
}

function forward(
  client: Client,
  device: { readonly address: string; readonly port: number },
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, device.address, device.port, (cause, channel) => {
      if (cause === undefined) resolve(channel)
      else reject(unreachable(device, `the jump host can't reach it: ${cause.message}`, cause))
    })
  })
}

function shell(client: Client, columns: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const window = { term: 'vt100', cols: columns, rows: 500 }
    client.shell(window, (cause, channel) => {
      if (cause === undefined) resolve(channel)
      else reject(new AgentError('unreachable', `no shell: ${cause.message}`, { cause }))
    })
  })
}

interface Parts {
  readonly way: readonly Connection[]
  readonly channel: ClientChannel
  readonly hostKey: string
  readonly enable: ReturnType<typeof fromEnvironment> | undefined
}

async function assemble(options: SessionOptions, parts: Parts): Promise<Session> {
  const { platform, clock, device } = options
  const { channel, way } = parts
  const screen = createScreen(platform.columns)
  const redact = (text: string): string => platform.redact(text)
  const transcript = createTranscript(clock, redact)
  const broke = breakerFor(redact, (error) => {
    destroy(error)
    opening.lost(error)
    dialogue?.lost(error)
  })
  const timers = guardedClock(broke, clock)
  const common = { platform, screen, transcript, clock: timers, deadlineMs: device.deadlineMs }
  const write = (text: string): void => void channel.write(text)
  let dialogue: Dialogue | undefined
  let reason: AgentError | undefined
  let closing: (error: AgentError | undefined) => void = () => undefined
  const closed = new Promise<AgentError | undefined>((resolve) => {
    closing = resolve
  })
  const destroy = (error?: AgentError): void => {
    reason ??= error
    // Until it has taken note of the end the device may go on: nothing of that is kept.
    for (const one of [channel, channel.stderr]) one.off('data', receive)
    for (const one of way.toReversed()) one.client.end()
    clock.after(closeMs, () => {
      for (const one of way) one.client.destroy()
    })
  }
  const nonce = randomBytes(4).toString('hex')
  const facts = { [uplinksFact]: device.uplinks.join(' '), [addressFact]: device.address }
  const opening: Opening = beginOpening({ ...common, nonce, facts, enable: parts.enable, write })
  const receive = guarded(broke, (bytes: Buffer): void => {
    screen.write(bytes)
    if (dialogue === undefined) opening.received()
    else dialogue.received()
  })
  channel.on('data', receive)
  channel.stderr.on('data', receive)
  channel.on('error', () => undefined)
  const gone = guarded(broke, (): void => {
    destroy()
    closing(reason)
    const lastOutput = redact(screen.text()).slice(-lastOutputMax)
    const lost = new AgentError('unreachable', 'the connection was lost', { lastOutput })
    opening.lost(lost)
    dialogue?.lost(reason ?? lost)
  })
  channel.once('close', gone)
  // A missed keepalive, a reset: more than the log-out by which devices end idle sessions.
  way.at(-1)?.client.on('error', (cause) => {
    reason ??= unreachable(device, cause.message, cause)
  })
  way.at(-1)?.client.once('close', gone)
  const { seen, context } = await opening.opened
  dialogue = createDialogue({ ...common, seen, write, close: destroy }, context)
  return sessionOf(dialogue, { seen, hostKey: parts.hostKey, transcript, closed, destroy, broke })
}

function sessionOf(
  dialogue: Dialogue,
  rest: {
    readonly seen: Seen
    readonly hostKey: string
    readonly transcript: ReturnType<typeof createTranscript>
    readonly closed: Promise<AgentError | undefined>
    destroy(): void
    readonly broke: Breaker
  },
): Session {
  const { transcript } = rest
  return {
    seen: rest.seen,
    hostKey: rest.hostKey,
    get context() {
      return dialogue.context
    },
    get fault() {
      return dialogue.ended()
    },
    run: (lines, signal) => guardedRun(rest.broke, () => dialogue.run(lines, signal)),
    progress: () => dialogue.progress(),
    transcript: () => transcript.text(),
    bytes: () => transcript.bytes(),
    mark: () => transcript.mark(),
    async close() {
      rest.destroy()
      await Promise.race([
        rest.closed,
        new Promise<void>((r) => void systemClock.after(closeMs * 2, r)),
      ])
    },
    closed: rest.closed,
  }
}
