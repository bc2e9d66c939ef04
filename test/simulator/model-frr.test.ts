// The FRR model against real recordings: what was typed is typed again, and the model must answer as the router did.

import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { openShell, type Shell } from './client.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'
import type { SimulatedDevice } from './spec.ts'

const recorded: SimulatedDevice = {
  name: 'edge',
  platform: 'frr',
  roles: ['edge'],
  asn: '64500',
  vrfs: ['red'],
  ports: [
    { name: 'c0', description: 'customer port', addresses: ['10.50.2.1/30', 'fd50:2::1/64'] },
  ],
  neighbors: [
    { address: '10.50.1.2', asn: '64500', description: 'core' },
    { address: '10.50.2.2', asn: '65010', description: 'customer esthost' },
    { address: 'fd50:2::2', asn: '65010', description: 'customer v6' },
    { address: '10.50.3.2', asn: '65010', description: 'in red', vrf: 'red' },
  ],
  extra: ['ip route 203.0.113.66/32 blackhole'],
}

const anyPrompt = /[\w.-]+(?:\([\w-]+\))?# $/

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.stop()
  simulator = undefined
})

async function start(device: SimulatedDevice = recorded): Promise<RunningDevice> {
  simulator = await startSimulator({ devices: [device] })
  return simulator.device(device.name)
}

async function open(device: RunningDevice): Promise<Shell> {
  const shell = await openShell(device)
  await shell.expect(anyPrompt)
  return shell
}

/** Types the lines one after the other and answers what stood between them and the next prompt. */
async function answers(shell: Shell, lines: readonly string[]): Promise<string[]> {
  const texts: string[] = []
  for (const line of lines) texts.push(await answer(shell, line))
  return texts
}

async function answer(shell: Shell, line: string): Promise<string> {
  const text = (await shell.type(line, anyPrompt)).replaceAll('\r\n', '\n')
  return text.slice(line.length + 1).replace(anyPrompt, '')
}

async function recording(name: string): Promise<string> {
  const text = await readFile(new URL(`../fixtures/frr/${name}.txt`, import.meta.url), 'utf8')
  return text.replaceAll('\r\n', '\n')
}

/** The lines that a person typed in a recording. */
function typedIn(text: string): string[] {
  return [...text.matchAll(/(?:^|(?<=\d))edge(?:10)?(?:\([\w-]+\))?# (.+)$/gm)].map(
    (m) => m[1] ?? '',
  )
}

/** Types a recording's lines again; answers the whole session as the model gives it. */
async function replay(device: RunningDevice, text: string): Promise<string> {
  const shell = await openShell(device)
  await shell.expect(anyPrompt)
  const lines = typedIn(text)
  for (const [at, line] of lines.entries()) {
    const last = at === lines.length - 1 && line === 'exit'
    if (!last) await shell.type(line, anyPrompt)
    else {
      shell.send('exit\r')
      await shell.ended
    }
  }
  shell.close()
  return shell.text.replaceAll('\r\n', '\n')
}

describe('recorded sessions', () => {
  it.each([
    ['session_refusals_and_context_fallback_raw', {}],
    [
      'session_xfrr_batch_rejected_raw',
      { extra: [...(recorded.extra ?? []), 'ip route 203.0.113.67/32 10.50.2.2'] },
    ],
    ['session_xfrr_without_lock_v10_3_raw', { name: 'edge10', version: '10.3' }],
  ] satisfies [string, Partial<SimulatedDevice>][])(
    '%s gives the same text again',
    async (name, own) => {
      const text = await recording(name)
      const device = await start({ ...recorded, ...own })

      const replayed = await replay(device, text)

      expect(replayed.trimEnd()).toBe(text.trimEnd())
    },
  )

  it('refuses to save in the recorded words', async () => {
    const text = await recording('session_write_memory_denied_raw')
    const device = await start()
    const refusal = text.slice(text.indexOf('Unlink failed'), text.indexOf('\nedge# exit'))
    device.faults.add({ kind: 'refuse-save', text: refusal })

    const replayed = await replay(device, text)

    expect(replayed.trimEnd()).toBe(text.trimEnd())
    expect(device.startup).toBe(device.running)
  })

  it('wraps the echo on a narrow terminal as readline does', async () => {
    const text = await recording('ssh_session_narrow_terminal_raw')
    const device = await start({ ...recorded, name: 'vm' })
    const shell = await openShell(device, { columns: 40 })
    await shell.expect(anyPrompt)

    const line = 'show bgp ipv4 unicast neighbors 10.0.24.2 advertised-routes json'
    shell.send(`${line}\r`)
    await shell.expect(/advertised-routes json\r\n/)

    const echo = (all: string): string | undefined =>
      all.split('\r\n').find((one) => one.startsWith('vm# show'))
    const raw = await readFile(
      new URL('../fixtures/frr/ssh_session_narrow_terminal_raw.txt', import.meta.url),
      'utf8',
    )
    expect(text).not.toBe('')
    expect(echo(shell.text)?.slice(0, 60)).toBe(echo(raw)?.slice(0, 60))
  })

  it.each([
    ['show ip route 203.0.113.10/32 json', 'show_ip_route_static_blackhole_present_json'],
    ['show ip route 203.0.113.10/32', 'show_ip_route_static_blackhole_present'],
    ['show ipv6 route 2001:db8:113::10/128', 'show_ipv6_route_static_blackhole_present'],
    ['show ip route 203.0.113.11/32', 'show_ip_route_absent'],
    ['show ip route 203.0.113.11/32 json', 'show_ip_route_absent_json'],
    ['show ip route vrf NOPE 203.0.113.11/32 json', 'show_ip_route_vrf_missing'],
    ['show interface nosuch', 'show_interface_missing'],
    ['show bgp ipv4 unicast 203.0.113.11/32', 'show_bgp_prefix_absent'],
    ['show bgp ipv4 unicast 203.0.113.11/32 json', 'show_bgp_prefix_absent_json'],
  ])('%s shows what %s shows, but for times and numbers', async (line, name) => {
    const device = await start({
      ...recorded,
      extra: [
        'ip route 203.0.113.10/32 blackhole tag 666',
        'ipv6 route 2001:db8:113::10/128 blackhole tag 666',
      ],
    })
    const shell = await open(device)

    const shown = await answer(shell, line)

    const still = (text: string): string =>
      text
        .replaceAll(/\d\d:\d\d:\d\d/g, 'TIME')
        .replaceAll(/(nexthopGroupId|NexthopGroupId)":\d+/g, '$1":N')
        .trim()
    expect(still(shown)).toBe(still(await recording(name)))
  })
})

describe('a FRR session', () => {
  it('shows the configuration as it was, byte for byte, once everything was taken back', async () => {
    const device = await start()
    const before = device.running
    const shell = await open(device)

    await answers(shell, [
      'configure terminal',
      'ip route 203.0.113.9/32 blackhole tag 666',
      'ipv6 route 2001:db8:e57::/48 blackhole tag 666',
      'interface c0',
      'shutdown',
      'router bgp 64500',
      'neighbor 10.50.2.2 shutdown message CASE-4711 abuse, contact noc@example.net',
      'end',
    ])
    expect(device.running).toContain('ip route 203.0.113.9/32 blackhole tag 666\n')
    expect(device.running).toContain(' description customer port\n shutdown\n')
    expect(device.running).toContain(
      ' neighbor 10.50.2.2 description customer esthost\n neighbor 10.50.2.2 shutdown message CASE-4711 abuse, contact noc@example.net\n',
    )
    await answers(shell, [
      'configure terminal',
      'router bgp 64500',
      'no neighbor 10.50.2.2 shutdown',
      'interface c0',
      'no shutdown',
      'no ipv6 route 2001:db8:e57::/48 blackhole tag 666',
      'no ip route 203.0.113.9/32 blackhole tag 666',
      'end',
    ])

    expect(device.running).toBe(before)
  })

  it('keeps a message when a shut neighbor is shut again without one, and counts one notification', async () => {
    const device = await start()
    const shell = await open(device)
    await answers(shell, [
      'configure terminal',
      'router bgp 64500',
      'neighbor 10.50.2.2 shutdown message first   words',
      'neighbor 10.50.2.2 shutdown',
      'end',
    ])

    const shown = await answer(shell, 'show bgp neighbors 10.50.2.2 json')

    expect(device.running).toContain('neighbor 10.50.2.2 shutdown message first words\n')
    const peer = (JSON.parse(shown) as Record<string, Record<string, unknown>>)['10.50.2.2']
    expect(peer).toMatchObject({
      adminShutDown: true,
      bgpState: 'Idle',
      messageStats: { notificationsSent: 1 },
    })
  })

  it('says that a neighbor is not there, and that a VRF has no BGP', async () => {
    const shell = await open(await start())

    const shown = await answers(shell, [
      'show bgp neighbors 10.9.9.9 json',
      'show bgp vrf nowhere neighbors 10.9.9.9 json',
    ])

    expect(shown).toEqual(['{\n  "bgpNoSuchNeighbor":true\n}\n', '{}\n'])
  })

  it('masks host bits without a word', async () => {
    const device = await start()
    const shell = await open(device)

    const [, printed] = await answers(shell, [
      'configure terminal',
      'ip route 203.0.113.9/24 blackhole tag 666',
    ])

    expect(printed).toBe('')
    expect(device.running).toContain('ip route 203.0.113.0/24 blackhole tag 666')
  })

  it('opens `less` for long output once paging is on, and takes what is typed as its keys', async () => {
    const shell = await open(await start())
    await answers(shell, ['terminal paginate'])

    shell.send('show running-config\r')
    await shell.expect(/\[7m:.\[27m$/)
    shell.send('end\r')
    shell.send('   ')
    await shell.expect(/\(END\).\[27m$/)
    shell.send('q')

    await expect(shell.expect(/edge# $/)).resolves.toContain('edge# ')
  })

  it('refuses everything behind a bar but `include`', async () => {
    const device = await start()
    const shell = await open(device)

    const shown = await answers(shell, [
      'configure terminal',
      'router bgp 64500',
      'neighbor 10.50.2.2 shutdown message a | b',
      'do show running-config | include ^ip route 203',
    ])

    expect(shown.slice(2)).toEqual([
      "% Unknown action 'b'\n",
      'ip route 203.0.113.66/32 blackhole\n',
    ])
    expect(device.running).not.toContain('shutdown message')
  })

  it('holds static routes of 10.3 in a candidate until they are applied, and frees the lock with the session', async () => {
    const device = await start({ ...recorded, version: '10.3' })
    const shell = await open(device)
    await answers(shell, [
      'configure terminal file-lock',
      'ip route 203.0.113.60/32 blackhole tag 666',
    ])
    const other = await open(device)

    const locked = await answers(other, [
      'configure terminal file-lock',
      'configure terminal',
      'ip route 203.0.113.61/32 blackhole tag 666',
    ])
    const held = device.running
    await answers(shell, ['mgmt commit check', 'mgmt commit apply', 'end'])

    expect(locked).toEqual([
      "% Can't enter config; candidate datastore locked by another session\n",
      '',
      '% command failed, could not lock candidate DS\n',
    ])
    expect(held).not.toContain('203.0.113.60')
    expect(device.running).toContain('ip route 203.0.113.60/32 blackhole tag 666')
    expect(await answer(other, 'ip route 203.0.113.61/32 blackhole tag 666')).toBe('')
  })
})

describe('static routes, as 8.4.4 has them', () => {
  const hop = 'ip route 203.0.113.70/32 203.0.113.10'
  const ours = 'ip route 203.0.113.70/32 blackhole tag 666'

  it.each([
    [`${hop} tag 250`, `${hop} tag 250`, 'conflict'],
    [`${hop} c0 onlink`, `${hop} c0 onlink`, 'conflict'],
    [`${hop} color 7`, `${hop} color 7`, 'conflict'],
    [`${hop} nexthop-vrf red`, `${hop} nexthop-vrf red`, 'conflict'],
    [`${hop} c0 tag 7 9 onlink`, `${hop} c0 tag 7 9 onlink`, 'beside'],
    [`${hop} table 100 200`, `${hop} 200 table 100`, 'beside'],
    [`${hop} table 100`, `${hop} table 100`, 'beside'],
    [
      'ip route 203.0.113.70/32 blackhole table 100',
      'ip route 203.0.113.70/32 blackhole table 100',
      'beside',
    ],
  ])('%s is kept as %s: a discard is a %s', async (line, printed, outcome) => {
    const device = await start({ ...recorded, extra: [line] })
    const shell = await open(device)

    const [, said] = await answers(shell, ['configure terminal', ours])

    expect(device.running).toContain(`\n${printed}\n`)
    expect(said?.includes('simultaneously')).toBe(outcome === 'conflict')
    expect(device.running.includes(`\n${ours}\n`)).toBe(outcome === 'beside')
  })

  it.each([
    'ip route 203.0.113.70/32 blackhole onlink',
    'ip route 203.0.113.70/32 203.0.113.10 c0 bfd',
    'ip route 203.0.113.70/32 203.0.113.10 tag c0',
  ])('%s is unknown', async (line) => {
    const shell = await open(await start())

    const [, said] = await answers(shell, ['configure terminal', line])

    expect(said).toBe(`% Unknown command: ${line}\n`)
  })
})

describe('IPv6 addresses that the kernel has from others', () => {
  it('are gone for good once their port was down, but for the one made of its hardware address', async () => {
    const ports = [{ name: 'c0', description: '', addresses: ['203.0.113.1/24', 'fe80::1/64'] }]
    const shell = await open(await start({ ...recorded, ports }))
    const shown = async (): Promise<string[]> => {
      const { c0 } = JSON.parse(await answer(shell, 'show interface c0 json'))
      return c0.ipAddresses.map(({ address }: { address: string }) => address)
    }
    const flap = ['shutdown', 'no shutdown', 'end']
    const made = expect.stringMatching(/^fe80::5817:[\da-f]+ff:fe[\da-f]+:[\da-f]+\/64$/) as string
    expect(await shown()).toEqual(['203.0.113.1/24', 'fe80::1/64', made])

    await answers(shell, ['configure terminal', 'interface c0', ...flap])
    expect(await shown()).toEqual(['203.0.113.1/24', made])

    const held = 'ipv6 address fe80::1/64'
    await answers(shell, ['configure terminal', 'interface c0', held, ...flap])
    expect(await shown()).toEqual(['203.0.113.1/24', made, 'fe80::1/64'])
  })
})

describe('routes that the kernel has from others', () => {
  const routed: SimulatedDevice = {
    ...recorded,
    ports: [
      {
        name: 'c0',
        description: '',
        addresses: ['203.0.113.1/24'],
        kernelRoutes: ['198.51.100.0/24'],
      },
    ],
  }

  it('are shown as 8.4.4 shows them, and gone for good once their port was down', async () => {
    const shell = await open(await start(routed))
    const shown = async () => await answer(shell, 'show ip route vrf all kernel json')
    const [first] = (await shown()).split('\n}\n')
    expect(JSON.parse(`${first}}`)).toMatchObject({
      '198.51.100.0/24': [
        { protocol: 'kernel', nexthops: [{ interfaceName: 'c0', active: true }] },
      ],
    })
    expect(await answer(shell, 'show ipv6 route table all kernel json')).toBe('{\n}\n')

    await answers(shell, ['configure terminal', 'interface c0', 'shutdown', 'no shutdown', 'end'])

    expect(await shown()).toBe('{\n}\n{\n}\n')
    expect(await answer(shell, 'show interface c0 nexthop-group')).toBe('')
    expect(await answer(shell, 'show ip route 203.0.113.0/24')).toContain('directly connected, c0')
  })
})
