// Faults of one line or one session, on the smallest device: they are the terminal's, and know no platform.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Dialogue, openShell, startDialogue } from './client.ts'
import { loginLine } from './faults.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'

const prompt = /r1(?:\([\w-]+\))?# $/
const route = 'ip route 203.0.113.9/32 blackhole tag 666'

let simulator: Simulator
let device: RunningDevice
let dialogue: Dialogue

beforeEach(async () => {
  simulator = await startSimulator({ devices: [{ name: 'r1', platform: 'frr' }] })
  device = simulator.device('r1')
  dialogue = await startDialogue(await openShell(device), prompt)
  await dialogue.ask('configure terminal')
})

afterEach(() => simulator.stop())

describe('a question', () => {
  beforeEach(async () => {
    device.faults.add({ kind: 'ask', matching: '^ip route', text: 'Sure? [y/n] ' })
    await dialogue.shell.type(route, /Sure\? \[y\/n\] $/)
  })

  it('keeps the line undone when it is denied', async () => {
    await dialogue.ask('n')
    expect(device.running).not.toContain(route)
  })

  it('lets the line be done when it is confirmed', async () => {
    await dialogue.ask('yes')
    expect(device.running).toContain(route)
  })

  it('ends when the line is given up', async () => {
    dialogue.shell.send('\x03')
    await dialogue.shell.expect(prompt)
    expect(device.running).not.toContain(route)
    expect(await dialogue.ask('end')).toBe('')
  })
})

describe('an answer', () => {
  it('has something said in it, and the line is done', async () => {
    device.faults.add({ kind: 'say', matching: '^ip route', text: 'Warning: error' })
    expect(await dialogue.ask(route)).toBe('Warning: error\n')
    expect(device.running).toContain(route)
  })

  it('begins with the greeting once more', async () => {
    device.faults.add({ kind: 'banner', matching: '^ip route' })
    expect(await dialogue.ask(route)).toContain('Hello, this is FRRouting')
  })

  it('ends after its first half', async () => {
    const whole = await dialogue.ask('do show running-config')
    device.faults.add({ kind: 'truncate' })
    const half = await dialogue.ask('do show running-config')
    expect(whole.startsWith(half)).toBe(true)
    expect(half).toHaveLength(Math.floor(whole.length / 2))
  })

  it('is followed by another prompt, once', async () => {
    device.faults.add({ kind: 'prompt', matching: '^ip route', text: 'elsewhere> ', times: 1 })
    await dialogue.shell.type(route, /elsewhere> $/)
    expect(await dialogue.ask('exit')).toBe('')
    expect(device.running).toContain(route)
  })

  it('alone comes byte by byte', async () => {
    device.faults.add({ kind: 'split', bytes: 1, matching: '^do show version' })
    await dialogue.ask('do show version')
    const from = dialogue.shell.chunks.length
    await dialogue.ask('do show running-config')
    expect(
      dialogue.shell.chunks.slice(0, from).filter((one) => one.length === 1).length,
    ).toBeGreaterThan(50)
    expect(dialogue.shell.chunks.slice(from).some((one) => one.length > 50)).toBe(true)
  })
})

describe('a fault that waits for another line', () => {
  it('acts only behind it', async () => {
    device.faults.add({ kind: 'reject', matching: '^do show version', after: '^ip route' })
    const before = await dialogue.ask('do show version')
    await dialogue.ask(route)
    expect(before).toContain('FRRouting')
    expect(await dialogue.ask('do show version')).toMatch(/^% Unknown command/)
    expect(device.faults.acted).toBe(1)
  })
})

describe('a reload at a line', () => {
  it.each(['before', 'after'] as const)('%s it forgets what was not saved', async (when) => {
    device.faults.add({ kind: 'reload', when, matching: '^ip route', times: 1 })
    dialogue.shell.send(`${route}\r`)
    await dialogue.shell.ended
    expect(device.running).toBe(device.startup)
    expect(device.running).not.toContain(route)
  })
})

describe('a connection that is half open', () => {
  it.each(['before', 'after'] as const)(
    '%s the line says no more, and ends with the fault',
    async (when) => {
      const off = device.faults.add({ kind: 'half-open', when, matching: '^ip route' })
      const seen = dialogue.shell.text
      dialogue.shell.send(`${route}\r`)
      const other = await startDialogue(await openShell(device), prompt)
      await other.ask('show version')

      expect(device.running.includes(route)).toBe(when === 'after')
      expect(dialogue.shell.text).toBe(seen)
      expect(device.journal.openSessions).toBe(2)
      off()
      await dialogue.shell.ended
    },
  )

  it('may be all that are open now, and none that come later', async () => {
    device.faults.add({ kind: 'sessions', how: 'cut' })
    await dialogue.shell.ended
    const later = await startDialogue(await openShell(device), prompt)
    expect(await later.ask('show version')).toContain('FRRouting')
  })
})

describe('a log-in', () => {
  it('shows what a fault puts into it', async () => {
    device.faults.add({ kind: 'banner', matching: `^${loginLine}$` })
    const shell = await openShell(device)
    const greeting = await shell.expect(prompt)
    expect(greeting.match(/Hello, this is FRRouting/g)).toHaveLength(2)
  })

  it('is refused for a password that has expired', async () => {
    device.faults.add({ kind: 'log-in', how: 'expired' })
    await expect(openShell(device, { authHandler: ['publickey'] })).rejects.toThrow(
      /authentication/,
    )
    expect(device.journal.openSessions).toBe(1)
  })
})
