// One simulated device: its SSH server and log-in, around its model. Listening, host key and sessions; lines are terminal.ts.

import { once } from 'node:events'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import type { AuthContext, Connection, PublicKeyAuthContext, ServerChannel, Session } from 'ssh2'
import ssh2 from 'ssh2'
import { createFaults } from './faults.ts'
import { type HostKey, makeHostKey } from './host-key.ts'
import { createJournal } from './journal.ts'
import { models } from './models/index.ts'
import type { Model, ModelSettings } from './models/model.ts'
import type { RunningDevice } from './simulator.ts'
import { type CompleteDevice, complete, type SimulatedDevice } from './spec.ts'
import { startTerminal, type Terminal } from './terminal.ts'

/** A running device with what the network needs of it. */
export interface Device extends RunningDevice {
  readonly model: Model
  readonly roles: readonly string[]
  readonly routerId: string
  stop(): Promise<void>
}

/** What the servers offer. Not the group exchange: one of its computations stops the whole process for a second. */
const algorithms = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256'],
  serverHostKey: ['ssh-ed25519'],
} as const

/** Starts one device; resolves when it listens. */
export async function startDevice(spec: SimulatedDevice, settings: ModelSettings): Promise<Device> {
  const described = complete(spec)
  const model = models[described.platform](described, settings)
  const journal = createJournal()
  const { username, password } = described
  const host = spec.host ?? '127.0.0.1'
  const keys = { own: makeHostKey(), other: undefined as HostKey | undefined }
  const sockets = new Set<Socket>()
  const silent = new Set<Socket>()
  const terminals = new Set<Terminal>()
  let sessions = 0
  let port = spec.port ?? 0

  const faults = createFaults(() => {
    model.lock(faults.has('lock') ? (faults.find('lock')?.by ?? 'ops') : undefined)
    model.refuseSave(
      faults.has('refuse-save') ? (faults.find('refuse-save')?.text ?? '') : undefined,
    )
    if (faults.has('off')) turnOff()
    else turnOn()
    const lost = faults.find('sessions')
    if (lost !== undefined) for (const socket of sockets) lose(socket, lost.how)
    if (!faults.active.some(({ kind }) => silencing.has(kind))) wakeUp()
  })

  /** Once the cause is gone the device notices which of its clients are gone. */
  function wakeUp(): void {
    for (const socket of silent) socket.destroy()
    silent.clear()
  }

  function lose(socket: Socket, how: 'cut' | 'silent'): void {
    if (silent.has(socket)) return
    faults.act()
    if (how === 'cut') socket.destroy()
    else goSilent(socket)
  }

  /** Nothing goes in or out any more, and nothing is closed: a cable that was pulled somewhere on the way. */
  function goSilent(socket: Socket): void {
    silent.add(socket)
    socket.pause()
    socket.removeAllListeners('data')
    socket.write = () => true
  }

  function getStuck(socket: Socket, how: 'cut' | 'silent' | 'version only'): void {
    socket.on('error', () => socket.destroy())
    if (how === 'cut') return void socket.destroy()
    if (how === 'version only') socket.write(`SSH-2.0-${identOf[spec.platform]}\r\n`)
    goSilent(socket)
  }

  const hostKey = (): HostKey => {
    if (!faults.has('host-key')) return keys.own
    keys.other ??= makeHostKey()
    return keys.other
  }

  const serve = (): NetServer =>
    createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      const stuck = faults.find('connect')
      if (stuck !== undefined) {
        faults.act()
        return getStuck(socket, stuck.how)
      }
      // The server of this connection: its host key is the one that the device has now.
      const server = new ssh2.Server({
        hostKeys: [hostKey().private],
        algorithms: { kex: [...algorithms.kex], serverHostKey: [...algorithms.serverHostKey] },
        ident: identOf[spec.platform],
      })
      server.on('connection', (connection, { ip }) => accept(connection, socket, ip))
      server.injectSocket(socket)
    })
  let listening = serve()
  await listen(listening, port, host)
  port = portOf(listening)
  let on = true

  function turnOff(): void {
    if (!on) return
    on = false
    listening.close()
    for (const socket of sockets) socket.destroy()
  }

  function turnOn(): void {
    if (on) return
    on = true
    listening = serve()
    listening.on('error', () => {
      // The port may still be closing: once more.
      settings.clock.after(20, () => on && listening.listen(port, host))
    })
    listening.listen(port, host)
  }

  function accept(connection: Connection, socket: Socket, from: string): void {
    let how = ''
    // A client that goes away without a word is daily life, not a fault of the simulator.
    connection.on('error', () => socket.destroy())
    connection.on('authentication', (context) => {
      const stuck = faults.find('log-in')
      if (stuck !== undefined && context.method !== 'none') {
        faults.act()
        return refuseStrangely(context, stuck.how, socket)
      }
      if (faults.has('refuse-login') && context.method !== 'none') faults.act()
      const verdict = faults.has('refuse-login') ? 'no' : judgeLogin(context, described)
      if (verdict === 'yes') how = context.method
      if (verdict === 'no') context.reject(['publickey', 'password'])
      else context.accept()
    })
    connection.on('session', (acceptSession) => openSession(acceptSession(), socket, from, how))
  }

  function openSession(session: Session, socket: Socket, from: string, how: string): void {
    let size = { columns: 80, rows: 24 }
    let pty = false
    let terminal: Terminal | undefined
    session.on('pty', (acceptPty, _reject, info) => {
      pty = true
      size = { columns: info.cols || 80, rows: info.rows || 24 }
      acceptPty?.()
    })
    session.on('window-change', (acceptChange, _reject, info) => {
      terminal?.resize(info.cols || 80, info.rows || 24)
      acceptChange?.()
    })
    session.on('env', (acceptEnv) => acceptEnv?.())
    session.on('shell', (acceptShell) => {
      terminal = begin(acceptShell(), { pty, ...size, from, how, socket })
    })
    session.on('exec', (acceptExec, _reject, info) => {
      const channel = acceptExec()
      const started = begin(channel, { pty: false, ...size, from, how, socket })
      started.receive(Buffer.from(`${info.command}\n`))
    })
  }

  interface Client {
    readonly pty: boolean
    readonly columns: number
    readonly rows: number
    readonly from: string
    readonly how: string
    readonly socket: Socket
  }

  function begin(channel: ServerChannel, client: Client): Terminal {
    sessions += 1
    const number = sessions
    const note = (kind: 'open' | 'close', text: string): void =>
      journal.write({
        at: settings.clock.now(),
        session: number,
        kind,
        text,
        mode: '',
        met: 'done',
      })
    note('open', `${username} by ${client.how} from ${client.from}`)
    const session = model.open({
      username,
      number,
      columns: client.columns,
      rows: client.rows,
      from: client.from,
      interrupt: (text) => terminal.interrupt(text),
    })
    const terminal = startTerminal({
      model,
      session,
      faults,
      journal,
      clock: settings.clock,
      number,
      columns: client.columns,
      rows: client.rows,
      pty: client.pty,
      write: (bytes) => void channel.write(bytes),
      end: () => {
        channel.exit(0)
        channel.end()
      },
      cut: () => client.socket.destroy(),
      silence: () => goSilent(client.socket),
      reboot: () => device.reboot(),
    })
    terminals.add(terminal)
    channel.on('data', (bytes: Buffer) => terminal.receive(bytes))
    channel.on('error', () => client.socket.destroy())
    channel.on('close', () => {
      if (!terminals.delete(terminal)) return
      terminal.dropped()
      note('close', '')
    })
    return terminal
  }

  const device: Device = {
    name: spec.name,
    platform: spec.platform,
    host,
    get port() {
      return port
    },
    username,
    password,
    get hostKey() {
      return publicKeyOf(hostKey())
    },
    journal,
    faults,
    get running() {
      return model.running()
    },
    get startup() {
      return model.startup()
    },
    setByHand: (lines) => model.setByHand(lines),
    expireTimer: () => model.expireTimer(),
    reboot() {
      for (const socket of sockets) socket.destroy()
      model.reboot()
    },
    model,
    roles: described.roles,
    routerId: described.routerId,
    async stop() {
      on = false
      model.stop()
      for (const socket of sockets) socket.destroy()
      if (!listening.listening) return
      listening.close()
      await once(listening, 'close')
    },
  }
  return device
}

/** What else may happen to somebody with the right password. */
function refuseStrangely(
  context: AuthContext,
  how: 'cut' | 'silent' | 'expired',
  socket: Socket,
): void {
  if (how === 'cut') return void socket.destroy()
  if (how === 'silent') return
  if (context.method === 'password') {
    return context.requestChange('Your password has expired. New password: ', () =>
      context.reject(['password']),
    )
  }
  context.reject(['password'])
}

/** Faults that leave clients without a word. */
const silencing: ReadonlySet<string> = new Set(['half-open', 'connect', 'sessions'])

const identOf = {
  frr: 'OpenSSH_9.2p1 Debian-2+deb12u3',
  linux: 'OpenSSH_9.2p1 Debian-2+deb12u3',
  cisco_ios: 'Cisco-1.25',
  juniper_junos: 'OpenSSH_9.7',
} as const

function publicKeyOf(key: HostKey): string {
  return key.public.trim().split(' ').slice(0, 2).join(' ')
}

async function listen(server: NetServer, port: number, host: string): Promise<void> {
  server.listen(port, host)
  // Rejects with the error that the system gave, such as EADDRINUSE.
  await once(server, 'listening')
}

function portOf(server: NetServer): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** `probe`: a key that would do, before it is signed with. */
function judgeLogin(context: AuthContext, device: CompleteDevice): 'yes' | 'no' | 'probe' {
  if (context.username !== device.username) return 'no'
  if (context.method === 'password') return context.password === device.password ? 'yes' : 'no'
  return context.method === 'publickey' ? judgeKey(context, device.publicKeys) : 'no'
}

function judgeKey(
  context: PublicKeyAuthContext,
  allowed: readonly string[],
): 'yes' | 'no' | 'probe' {
  const data = context.key.data.toString('base64')
  if (allowed.length > 0 && !allowed.some((line) => line.split(/\s+/).includes(data))) return 'no'
  if (context.signature === undefined || context.blob === undefined) return 'probe'
  const key = ssh2.utils.parseKey(`${context.key.algo} ${data}`)
  if (key instanceof Error) return 'no'
  return key.verify(context.blob, context.signature, context.hashAlgo) === true ? 'yes' : 'no'
}
