// Faults on demand: each does what its name says, on every platform that has it, and ends when it is taken off.

import { afterEach, describe, expect, it } from 'vitest'
import { type Dialogue, openShell, type Shell, startDialogue } from './client.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'
import type { SimulatedDevice, SimulatedPlatform } from './spec.ts'

interface Subject {
  readonly platform: SimulatedPlatform
  readonly prompt: RegExp
  /** From the first prompt to where a line can be typed. */
  readonly enter: readonly string[]
  readonly line: string
  /** What the running configuration shows once the line was done. */
  readonly trace: string
  /** What makes it so, where a line alone does not. */
  readonly finish: readonly string[]
  readonly refusal: RegExp
}

const subjects: readonly Subject[] = [
  {
    platform: 'frr',
    prompt: /r1(?:\([\w-]+\))?# $/,
    enter: ['configure terminal'],
    line: 'ip route 203.0.113.9/32 blackhole tag 666',
    trace: 'ip route 203.0.113.9/32 blackhole tag 666',
    finish: [],
    refusal: /^% Unknown command: ip route/,
  },
  {
    platform: 'cisco_ios',
    prompt: /r1(?:\([\w-]+\))?#$/,
    enter: ['terminal length 0', 'configure terminal'],
    line: 'ip route 203.0.113.9 255.255.255.255 Null0 tag 666',
    trace: 'ip route 203.0.113.9 255.255.255.255 Null0 tag 666',
    finish: [],
    refusal: /% Invalid input detected at '\^' marker\./,
  },
  {
    platform: 'linux',
    prompt: /r1:~# $/,
    enter: [],
    line: 'ip route prepend blackhole 203.0.113.9/32 proto 223',
    trace: 'blackhole 203.0.113.9 proto 223',
    finish: [],
    refusal: /RTNETLINK answers: Operation not permitted/,
  },
  {
    platform: 'juniper_junos',
    prompt: /netops@r1[>#] $/,
    enter: ['set cli screen-length 0', 'configure exclusive'],
    line: 'set routing-options static route 203.0.113.9/32 discard',
    trace: 'route 203.0.113.9/32',
    finish: ['commit'],
    refusal: /syntax error\./,
  },
]

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.stop()
  simulator = undefined
})

async function start(
  platform: SimulatedPlatform,
  own: Partial<SimulatedDevice> = {},
): Promise<RunningDevice> {
  simulator = await startSimulator({ devices: [{ name: 'r1', platform, ...own }] })
  return simulator.device('r1')
}

async function enter(device: RunningDevice, subject: Subject): Promise<Dialogue> {
  const dialogue = await startDialogue(await openShell(device), subject.prompt)
  await dialogue.askAll(subject.enter)
  return dialogue
}

describe.each(subjects)('on $platform', (subject) => {
  it('a rejected line is refused in the platform’s words and changes nothing', async () => {
    const device = await start(subject.platform)
    const dialogue = await enter(device, subject)
    const before = device.running
    device.faults.add({ kind: 'reject', matching: /203\.0\.113\.9/, times: 1 })

    const refused = await dialogue.ask(subject.line)
    await dialogue.askAll(subject.finish)
    const unchanged = device.running
    await dialogue.askAll([subject.line, ...subject.finish])

    expect(refused).toMatch(subject.refusal)
    expect(unchanged).toBe(before)
    expect(device.running).toContain(subject.trace)
    expect(device.journal.entries.find(({ text }) => text === subject.line)?.met).toBe('reject')
  })

  it('a device that lies answers as if it were done, and has not done it', async () => {
    const device = await start(subject.platform)
    const honest = await enter(device, subject)
    const before = device.running
    const lying = subject.finish[0] ?? subject.line
    const remove = device.faults.add({ kind: 'lie', matching: `^${lying.slice(0, 6)}` })

    const answers = await honest.askAll([subject.line, ...subject.finish])
    const afterLie = device.running
    remove()
    await honest.askAll([subject.line, ...subject.finish])

    expect(answers.join('')).not.toMatch(/%|error|RTNETLINK/)
    expect(afterLie).toBe(before)
    expect(device.running).toContain(subject.trace)
  })

  it('a cut before the line leaves it undone, a cut behind it leaves it done', async () => {
    const device = await start(subject.platform)
    const last = subject.finish[0] ?? subject.line
    const lines = [...new Set([subject.line, ...subject.finish])]
    const cut = async (when: 'before' | 'after'): Promise<Shell> => {
      const dialogue = await enter(device, subject)
      await dialogue.askAll(lines.slice(0, -1))
      device.faults.add({ kind: 'disconnect', when, matching: `^${last.slice(0, 6)}`, line: 1 })
      dialogue.shell.send(`${last}\r`)
      await dialogue.shell.ended
      return dialogue.shell
    }

    await cut('before')
    const undone = device.running
    const shell = await cut('after')

    expect(undone).not.toContain(subject.trace)
    expect(device.running).toContain(subject.trace)
    expect(shell.text).not.toMatch(/commit complete/)
    await expect.poll(() => device.journal.openSessions).toBe(0)
  })

  it('output split at every byte is the same output', async () => {
    const device = await start(subject.platform)
    const whole = await enter(device, subject)
    await whole.askAll([subject.line])
    whole.shell.close()
    await whole.shell.ended
    device.reboot()
    device.faults.add({ kind: 'split', bytes: 1 })

    const split = await enter(device, subject)
    await split.askAll([subject.line])

    const still = (text: string): string => text.replaceAll(/\d\d:\d\d:\d\d/g, 'TIME')
    expect(still(split.shell.text)).toBe(still(whole.shell.text))
    expect(split.shell.chunks.every((chunk) => chunk.length === 1)).toBe(true)
  })

  it('a slow answer comes late and whole', async () => {
    const device = await start(subject.platform)
    const dialogue = await enter(device, subject)
    device.faults.add({ kind: 'slow', ms: 120, times: 1 })

    const begun = performance.now()
    await dialogue.ask(subject.line)
    const slow = performance.now() - begun

    expect(slow).toBeGreaterThanOrEqual(110)
  })

  it('a line that hangs is echoed and never answered', async () => {
    const device = await start(subject.platform)
    const dialogue = await enter(device, subject)
    device.faults.add({ kind: 'hang', line: 2 })

    await dialogue.ask('')
    dialogue.shell.send(`${subject.line}\r`)
    await dialogue.shell.expect(/203\.0\.113\.9/)
    await expect.poll(() => device.journal.lines().at(-1)).toBe(subject.line)

    expect(dialogue.shell.text).not.toMatch(
      new RegExp(`203\\.0\\.113\\.9[^]*${subject.prompt.source}`),
    )
    dialogue.shell.close()
  })

  it('somebody else’s change comes at its moment', async () => {
    const device = await start(subject.platform)
    const dialogue = await enter(device, subject)
    const other = subject.line.replaceAll('203.0.113.9', '198.51.100.9')
    device.faults.add({
      kind: 'foreign-change',
      when: 'before',
      matching: '203',
      lines: [other],
      times: 1,
    })

    const before = device.running
    await dialogue.askAll([subject.line, ...subject.finish])

    expect(before).not.toContain('198.51.100.9')
    expect(device.running).toContain('198.51.100.9')
    expect(device.running).toContain(subject.trace)
  })

  it.each(['echo', 'answer', 'prompt'] as const)('a log line comes in the %s', async (where) => {
    const device = await start(subject.platform)
    const dialogue = await enter(device, subject)
    device.faults.add({ kind: 'log-line', where, text: 'LOG: something happened', times: 1 })

    dialogue.shell.send(`${subject.line}\r`)
    await dialogue.shell.expect(
      where === 'prompt' ? /LOG: something happened\r\n$/ : subject.prompt,
    )
    await dialogue.askAll([])

    expect(dialogue.shell.text).toContain('LOG: something happened')
    expect(device.journal.lines()).toContain(subject.line)
    if (where === 'echo') expect(dialogue.shell.text).not.toContain(subject.line)
  })

  it('a refused log-in, another host key and a device that is off end when the fault does', async () => {
    const device = await start(subject.platform)
    const key = device.hostKey
    const remove = device.faults.add({ kind: 'refuse-login' })

    await expect(openShell(device)).rejects.toThrow(/authentication methods failed/)
    remove()
    const changed = device.faults.add({ kind: 'host-key' })
    const other = device.hostKey
    const shell = await openShell(device)
    device.faults.add({ kind: 'off' })
    await shell.ended
    await expect(openShell(device)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/)
    changed()
    device.faults.clear()

    expect(other).not.toBe(key)
    expect(device.hostKey).toBe(key)
    await expect.poll(async () => (await openShell(device)).close()).toBeUndefined()
  })
})

describe('on cisco_ios, inside of a context that was entered before', () => {
  it.each([
    { context: 'interface GigabitEthernet0/1', line: 'shutdown' },
    { context: 'object-group network NULLROUTE', line: 'host 203.0.113.9' },
    { context: 'router bgp 64500', line: 'neighbor 192.0.2.77 shutdown' },
    { context: 'router bgp 64500', line: 'no neighbor 192.0.2.77 description' },
    {
      context: 'object-group network NULLROUTE',
      line: 'ip route 203.0.113.9 255.255.255.255 Null0',
    },
  ])('a device that lies has not done $line, and does it when it lies no more', async (at) => {
    const device = await start('cisco_ios', {
      asn: '64500',
      ports: [
        { name: 'GigabitEthernet0/1', description: 'customers', addresses: ['198.51.100.1/24'] },
      ],
      neighbors: [{ address: '192.0.2.77', asn: '64501', description: 'customer' }],
    })
    const dialogue = await startDialogue(await openShell(device), /r1(?:\([\w-]+\))?#$/)
    await dialogue.askAll(['terminal length 0', 'configure terminal', at.context])
    const before = device.running

    const remove = device.faults.add({ kind: 'lie', matching: `^${at.line}$` })
    const answer = await dialogue.ask(at.line)
    const afterLie = device.running
    remove()
    await dialogue.askAll([at.context, at.line])

    expect(answer).not.toMatch(/%/)
    expect(afterLie).toBe(before)
    expect(device.running).not.toBe(before)
  })
})

describe('what only some have', () => {
  it('a lock is held in the words of the platform', async () => {
    const words: Record<string, string> = {}
    for (const [platform, prompt, line, own] of [
      ['frr', /r1(?:\(config\))?# $/, 'configure terminal file-lock', { version: '10.3' }],
      ['cisco_ios', /r1(?:\(config\))?#$/, 'configure terminal', {}],
      ['juniper_junos', /[>#] $/, 'configure exclusive', {}],
    ] as const) {
      const device = await start(platform, own)
      const dialogue = await startDialogue(await openShell(device), prompt)
      device.faults.add({ kind: 'lock', by: 'alice' })
      words[platform] = await dialogue.ask(line)
      device.faults.clear()
      expect(await dialogue.ask(line)).not.toContain('lock')
      await simulator?.stop()
    }

    expect(words['frr']).toBe(
      "% Can't enter config; candidate datastore locked by another session\n",
    )
    expect(words['cisco_ios']).toBe(
      "Configuration mode locked exclusively by user 'alice' process '13' from terminal '0'. Please try later.\n",
    )
    expect(words['juniper_junos']).toContain(
      'error: configuration database locked by:\n  alice terminal ',
    )
  })

  it('a save is refused, and nothing is saved', async () => {
    const device = await start('cisco_ios')
    const dialogue = await enter(device, subjects[1] as Subject)
    await dialogue.askAll([subjects[1]?.line ?? '', 'end'])
    device.faults.add({ kind: 'refuse-save', text: '' })

    const refused = await dialogue.ask('write memory')

    expect(refused).toBe('startup-config file open failed (Device or resource busy)\n')
    expect(device.startup).not.toContain('203.0.113.9')
  })

  it('the pager stays on, whatever was asked', async () => {
    const device = await start('cisco_ios')
    const dialogue = await startDialogue(await openShell(device, { rows: 12 }), /#$/)
    device.faults.add({ kind: 'paging' })
    await dialogue.ask('terminal length 0')

    dialogue.shell.send('show running-config\r')

    await expect(dialogue.shell.expect(/ --More-- $/)).resolves.toContain('Building configuration')
  })
})
