// The simulator as a program of its own: one line of JSON, devices that any client can log in to, control by lines, a clean end.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { bundled } from '../bundle.ts'
import { openShell } from './client.ts'
import { type RunningDevice, startSimulator } from './simulator.ts'

const example = fileURLToPath(new URL('../../inventory/example', import.meta.url))

let program: string
let child: ChildProcess | undefined

beforeAll(async () => {
  program = await bundled(join(import.meta.dirname, 'main.ts'))
})

afterEach(() => {
  child?.kill('SIGKILL')
  child = undefined
})

function run(...args: string[]): {
  process: ChildProcess
  lines: Interface
  next(): Promise<string>
} {
  const started = spawn(process.execPath, [program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child = started
  const lines = createInterface({ input: started.stdout })
  const waiting = lines[Symbol.asyncIterator]()
  return { process: started, lines, next: async () => String((await waiting.next()).value) }
}

async function ended(started: ChildProcess): Promise<number | null> {
  if (started.exitCode !== null) return started.exitCode
  return new Promise((resolve) => started.once('exit', resolve))
}

describe('the program', () => {
  it('prints one line of JSON when all listen, lets a client in, takes faults, and ends on SIGTERM', async () => {
    const simulator = run('--inventory', example, '--json', '--control', '--ephemeral')

    const devices = JSON.parse(await simulator.next()) as RunningDevice[]
    simulator.process.stdin?.write(
      '{"device":"edge1.ams","fault":{"kind":"reject","matching":"blackhole"}}\n',
    )
    const answer = JSON.parse(await simulator.next()) as object
    simulator.process.stdin?.write('{"device":"edge1.ams","fault":{"kind":"nonsense"}}\n')
    const misuse = JSON.parse(await simulator.next()) as { ok: boolean }
    const edge = devices.find(({ name }) => name === 'edge1.ams') as RunningDevice
    const shell = await openShell(edge)
    await shell.expect(/# $/)
    await shell.type('configure terminal', /# $/)
    const refused = await shell.type('ip route 203.0.113.9/32 blackhole tag 666', /\(config\)# $/)
    simulator.process.kill('SIGTERM')

    expect(devices.map(({ name }) => name)).toEqual([
      'trigger1',
      'edge1.ams',
      'edge2.fra',
      'edge3.lon',
      'sw1.ams',
      'sw2.fra',
    ])
    expect(Object.keys(edge).sort()).toEqual([
      'host',
      'hostKey',
      'name',
      'password',
      'platform',
      'port',
      'username',
    ])
    expect(answer).toEqual({ ok: true, faults: 1 })
    expect(misuse.ok).toBe(false)
    expect(refused).toContain('% Unknown command')
    expect(await ended(simulator.process)).toBe(0)
  })

  it('says what is wrong with its use, and what it can do', async () => {
    const simulator = run('--nonsense')
    simulator.process.stdin?.end()

    expect(await ended(simulator.process)).toBe(2)
  })

  it('names the place of a mistake in the inventory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-'))
    const file = join(folder, 'inventory.yaml')
    await writeFile(file, 'version: 1\ndevices:\n  r1: { platform: nosuch, address: 127.0.0.1 }\n')
    const failed = promisify(execFile)(process.execPath, [program, '--inventory', file])

    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/inventory\.yaml:3:/),
    })
    await rm(folder, { recursive: true })
  })
})

describe('a network', () => {
  it('holds a thousand devices in one process', async () => {
    const devices = Array.from({ length: 1000 }, (_, at) => ({
      name: `r${at}`,
      platform: (['frr', 'linux', 'cisco_ios', 'juniper_junos'] as const)[at % 4] ?? 'frr',
    }))

    const simulator = await startSimulator({ devices })
    const ports = new Set(simulator.devices.map(({ port }) => port))
    const shell = await openShell(simulator.device('r996'))
    const greeting = await shell.expect(/r996# $/)
    await simulator.stop()

    expect(ports.size).toBe(1000)
    expect(greeting).toContain('FRRouting')
  })

  it('says which port was taken', async () => {
    const first = await startSimulator({ devices: [{ name: 'a', platform: 'frr' }] })
    const { port } = first.device('a')

    await expect(
      startSimulator({ devices: [{ name: 'b', platform: 'frr', port }] }),
    ).rejects.toThrow(/EADDRINUSE/)
    await first.stop()
  })
})
