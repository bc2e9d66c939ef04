// What a device may do to a session, and no more: over real SSH, against the smallest device.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../agent/clock.ts'
import { free, inside } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { openSession, type Session } from '../../agent/session.ts'
import { device as plainDevice } from '../unit/small-isp.ts'
import { loginLine } from './faults.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'

const esc = String.fromCharCode(27)
const question = free('show version', 'exec')

let simulator: Simulator
let router: RunningDevice
let folder: string
let session: Session | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nullroute-session-'))
  simulator = await startSimulator({ devices: [{ name: 'r1', platform: 'frr' }] })
  router = simulator.device('r1')
})

afterEach(async () => {
  vi.useRealTimers()
  await session?.close()
  session = undefined
  await simulator.stop()
  await rm(folder, { recursive: true })
})

async function open(port = router.port): Promise<Session> {
  const known = `[${router.host}]:${port} ${router.hostKey}\n`
  await writeFile(join(folder, 'known_hosts'), known)
  session = await openSession({
    device: plainDevice('r1', router.host, {
      port,
      username: router.username,
      auth: { kind: 'password', passwordEnv: 'PASSWORD' },
      knownHosts: join(folder, 'known_hosts'),
      deadlineMs: 5_000,
    }),
    platform: frr,
    clock: systemClock,
    environment: { PASSWORD: router.password },
  })
  return session
}

interface Wire {
  readonly port: number
  /** From now on nothing comes through, either way, and no end is told. */
  pull(): void
  stop(): void
}

/** A wire to the device: its own server looks for signs of life too, and would end the connection at the same moment. */
async function startWire(): Promise<Wire> {
  const ends: [near: Socket, far: Socket][] = []
  const server: Server = createServer((near) => {
    const far = connect(router.port, router.host)
    for (const end of [near, far]) end.on('error', () => end.destroy())
    near.pipe(far).pipe(near)
    ends.push([near, far])
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    pull() {
      for (const [near, far] of ends) {
        near.unpipe(far)
        far.unpipe(near)
        near.resume()
        far.resume()
      }
    },
    stop() {
      for (const end of ends.flat()) end.destroy()
      server.close()
    },
  }
}

describe('a device that moves the cursor as far as it likes', () => {
  it.each([
    ['far to the right', `${esc}[2000000000CX`],
    ['to a column that no screen has', `${esc}[600000000GX`],
    ['by a number of 400 digits', `${esc}[${'9'.repeat(400)}CX`],
    ['and wipes all before it', `${esc}[400000000C${esc}[1KX`],
  ])('%s, in its greeting or in an answer, has a session as any other', async (_, text) => {
    router.faults.add({ kind: 'say', text, matching: `^${loginLine}$` })
    router.faults.add({ kind: 'say', text, matching: '^show version' })
    const opened = await open()

    const [answer] = await opened.run([question])

    expect(answer?.text).toContain('FRRouting')
    expect(answer?.text.length).toBeLessThan(10_000)
  })
})

describe('a device that says more than is listened to', () => {
  const said = 'bgpd[311]: [M59KS-A3ZXZ] bgp_update_receive: rcvd UPDATE w/ attr\r\n'

  it('in its greeting, has no session', async () => {
    router.faults.add({ kind: 'say', text: said.repeat(20_000), matching: `^${loginLine}$` })

    await expect(open()).rejects.toMatchObject({ code: 'too_much_output' })
  })

  it('while nothing was asked, loses its session before anything is asked', async () => {
    // Cut, so that the answer with its prompt has gone out before.
    router.faults.add({ kind: 'split', bytes: 10_000, matching: '^show running-config' })
    router.faults.add({
      kind: 'log-line',
      where: 'prompt',
      text: said.repeat(20_000),
      matching: '^show running-config',
    })
    const opened = await open()

    // Not read as one that an empty line follows: with its prompt nothing is outstanding any more.
    await opened.run([inside('show running-config', 'exec')])

    expect(await opened.closed).toMatchObject({ code: 'desync' })
    await expect(opened.run([question])).rejects.toMatchObject({ code: 'desync' })
  })
})

describe('a device that is gone without a word', () => {
  /** The interval at which a sign of life is asked for, and how often in vain: docs/bounds.md. */
  const keepaliveMs = 15_000
  const keepaliveMissesMax = 3

  let wire: Wire

  beforeEach(async () => {
    wire = await startWire()
    // Those of the SSH client: a session has no other clock for this.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
  })

  afterEach(() => wire.stop())

  it('loses its session once it has not answered so many signs of life', async () => {
    const { closed } = await open(wire.port)
    let isClosed = false
    void closed.then(() => {
      isClosed = true
    })
    wire.pull()

    await vi.advanceTimersByTimeAsync(keepaliveMs * (keepaliveMissesMax + 1) - 1)
    expect(isClosed).toBe(false)
    await vi.advanceTimersByTimeAsync(1)

    expect(await closed).toMatchObject({ code: 'unreachable' })
  })

  it('keeps it as long as it answers them, however long it is kept', async () => {
    const opened = await open(wire.port)
    for (let times = 0; times < 20; times++) {
      await vi.advanceTimersByTimeAsync(keepaliveMs)
      // Answers come in order: behind this one the sign of life was answered too.
      const [answer] = await opened.run([question])
      expect(answer?.text).toContain('FRRouting')
    }
  })
})
