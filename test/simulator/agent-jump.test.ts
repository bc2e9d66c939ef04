import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../agent/clock.ts'
import { free } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { openSession, type Session } from '../../agent/session.ts'
import type { Device, Jump } from '../../inventory/model.ts'
import { parseAddress } from '../../inventory/prefix.ts'
import { makeHostKey } from './host-key.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'

let simulator: Simulator
let router: RunningDevice
let jump: ssh2.Server
let folder: string
let session: Session | undefined
/** What the jump host asks, one time after the other, until it gets the password; and all that it was told. */
let questions: readonly (readonly ssh2.Prompt[])[]
let told: string[]
const jumpKey = makeHostKey()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nullroute-jump-'))
  simulator = await startSimulator({ devices: [{ name: 'edge1', platform: 'frr', asn: '64500' }] })
  router = simulator.device('edge1')
  session = undefined
  questions = [[{ prompt: 'Password: ', echo: false }]]
  told = []
  jump = new ssh2.Server({ hostKeys: [jumpKey.private] }, (client) => {
    client.on('error', () => undefined)
    // Asks by keyboard-interactive only, as many bastions do.
    client.on('authentication', (context) => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive'])
      const ask = ([first, ...more]: typeof questions): void => {
        if (first === undefined) return context.reject()
        context.prompt([...first], (answers) => {
          told.push(...answers)
          if (first.length > 0 && more.length === 0 && answers[0] === 'jump-secret') {
            return context.accept()
          }
          ask(more)
        })
      }
      ask(questions)
    })
    client.on('tcpip', (accept, _refuse, { destIP, destPort }) => {
      const channel = accept()
      const socket = connect(destPort, destIP)
      socket.on('error', () => channel.end())
      channel.on('error', () => socket.destroy())
      socket.pipe(channel).pipe(socket)
    })
  })
  await new Promise<void>((resolve) => void jump.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  await session?.close()
  await simulator.stop()
  await new Promise<void>((resolve) => void jump.close(() => resolve()))
  await rm(folder, { recursive: true })
})

async function open(known: { jump: string }): Promise<Session> {
  const address = parseAddress('127.0.0.1')
  if (!address.ok) throw new Error('127.0.0.1')
  const jumpPort = (jump.address() as { port: number }).port
  const knownHosts = join(folder, 'known_hosts')
  await writeFile(
    knownHosts,
    `[127.0.0.1]:${jumpPort} ${known.jump}\n[${router.host}]:${router.port} ${router.hostKey}\n`,
  )
  const common = { address: address.value, knownHosts }
  const bastion: Jump = {
    ...common,
    id: 'bastion',
    port: jumpPort,
    username: 'jump',
    auth: { kind: 'password', passwordEnv: 'JUMP' },
  }
  const device: Device = {
    ...common,
    id: 'edge1',
    platform: 'frr',
    port: router.port,
    username: router.username,
    auth: { kind: 'password', passwordEnv: 'PASSWORD' },
    jump: 'bastion',
    roles: [],
    legacy: false,
    deadlineMs: 2_000,
    sessionIdleMs: 0,
    save: 'never',
    deviceTimer: false,
    loopbacks: [],
    neighbors: [],
    gateways: [],
    nextHops: [],
    uplinks: [],
  }
  return openSession({
    device,
    jump: bastion,
    platform: frr,
    clock: systemClock,
    environment: { JUMP: 'jump-secret', PASSWORD: router.password },
  })
}

describe('a session through a jump host', () => {
  it('checks both host keys and speaks to the device behind', async () => {
    session = await open({ jump: jumpKey.public })
    const [answer] = await session.run([free('show running-config', 'exec')])
    expect(answer?.text).toContain('router bgp 64500')
    expect(session.transcript()).not.toContain('secret')
  })

  it('is made where the jump host has something to say before it asks', async () => {
    questions = [[], ...questions]
    session = await open({ jump: jumpKey.public })
    expect(told).toEqual(['jump-secret'])
  })

  it.each([
    ['in a question that shows what is typed', [[{ prompt: 'Password: ', echo: true }]], []],
    [
      'in the same breath as something else',
      [
        [
          { prompt: 'Password: ', echo: false },
          { prompt: 'Code: ', echo: false },
        ],
      ],
      [],
    ],
    [
      'a second time, which could lock the account',
      [[{ prompt: 'Password: ', echo: false }], [{ prompt: 'Password: ', echo: false }]],
      ['jump-secret'],
    ],
  ] as const)('tells no password %s', async (_, asked, answers) => {
    questions = asked
    await expect(open({ jump: jumpKey.public })).rejects.toMatchObject({ code: 'login_refused' })
    expect(told).toEqual(answers)
  })

  it('is not made when the jump host shows another key', async () => {
    const other = makeHostKey()
    await expect(open({ jump: other.public })).rejects.toMatchObject({ code: 'host_key_changed' })
    expect(router.journal.entries).toEqual([])
  })

  it('sends no line that is meant for another context, and none with a placeholder', async () => {
    session = await open({ jump: jumpKey.public })
    await expect(
      session.run([{ text: 'shutdown', needs: 'config-if', free: false }]),
    ).rejects.toMatchObject({ code: 'unexpected_prompt' })
    await expect(
      session.run([{ text: 'router bgp <asn>', needs: 'config', free: false, unresolved: true }]),
    ).rejects.toThrow('placeholder')
    expect(router.journal.lines().some((line) => /shutdown|router/.test(line))).toBe(false)
  })
})
