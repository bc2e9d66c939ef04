// The IOS model: modes, refusals that leave the mode, lines that are live, and the texts that the command references document.

import { afterEach, describe, expect, it } from 'vitest'
import { type Dialogue, openShell, startDialogue } from './client.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'
import type { SimulatedDevice } from './spec.ts'

const router: SimulatedDevice = {
  name: 'edge1',
  platform: 'cisco_ios',
  roles: ['edge'],
  asn: '64500',
  vrfs: ['CUST'],
  ports: [
    { name: 'GigabitEthernet1/0/7', description: 'CUST 4711', addresses: ['10.50.2.1/30'] },
    { name: 'GigabitEthernet1/0/8', description: 'other', addresses: ['10.50.3.1/30'] },
  ],
  neighbors: [
    { address: '192.0.2.77', asn: '65010', description: 'customer' },
    { address: '2001:db8:0:77::2', asn: '65010', description: 'customer v6' },
    { address: '192.0.2.78', asn: '65011', description: 'customer in CUST', vrf: 'CUST' },
  ],
}

const prompt = /[\w-]+(?:\([\w-]+\))?[>#]$/

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.stop()
  simulator = undefined
})

async function start(own: Partial<SimulatedDevice> = {}): Promise<RunningDevice> {
  simulator = await startSimulator({ devices: [{ ...router, ...own }], minuteMs: 30 })
  return simulator.device(own.name ?? router.name)
}

async function open(device: RunningDevice): Promise<Dialogue> {
  const dialogue = await startDialogue(await openShell(device), prompt)
  await dialogue.askAll(['terminal length 0', 'terminal width 511'])
  return dialogue
}

async function configure(device: RunningDevice): Promise<Dialogue> {
  const dialogue = await open(device)
  await dialogue.ask('configure terminal')
  return dialogue
}

/** The prompt that stands last. */
function standing({ shell }: Dialogue): string {
  return shell.text.slice(shell.text.lastIndexOf('\n') + 1)
}

describe('privileged mode', () => {
  it('is asked for with a secret that is not echoed and not kept', async () => {
    const device = await start({ enablePassword: 'geheim' })
    const shell = await openShell(device)
    await shell.expect(/edge1>$/)

    await shell.type('enable', /Password: $/)
    await shell.type('geheim', /edge1#$/)

    expect(shell.text).not.toContain('geheim')
    expect(device.journal.lines()).toEqual(['enable', '<secret>'])
  })

  it('is refused after three wrong secrets', async () => {
    const device = await start({ enablePassword: 'geheim' })
    const shell = await openShell(device)
    await shell.expect(/edge1>$/)

    await shell.type('enable', /Password: $/)
    await shell.type('a', /Password: $/)
    await shell.type('b', /Password: $/)
    const end = await shell.type('c', /edge1>$/)

    expect(end).toContain('% Bad secrets')
  })
})

describe('a configuration line', () => {
  it('is in force when it is typed, and gone when it is taken back', async () => {
    const device = await start()
    const before = device.running
    const ios = await configure(device)
    const lines = [
      'ip route 203.0.113.9 255.255.255.255 Null0 tag 666 name nullroute-0291da56',
      'ip route vrf CUST 203.0.113.10 255.255.255.255 Null0 tag 666 name nullroute-02345860',
      'ipv6 route 2001:DB8:E57::/48 Null0 tag 666 name nullroute-6a4a20a3',
    ]

    const printed = await ios.askAll(lines)
    const shown = await ios.askAll(['end', 'show running-config | include ^ip route|^ipv6 route'])
    await ios.askAll(['configure terminal', ...lines.map((line) => `no ${line}`), 'end'])

    expect(printed).toEqual(['', '', ''])
    for (const line of lines) expect(shown[1]?.split('\n')).toContain(line)
    expect(device.running).toBe(before)
  })

  it('that is refused leaves the mode: what follows hits the port before', async () => {
    const device = await start()
    const ios = await configure(device)

    const printed = await ios.askAll([
      'interface GigabitEthernet1/0/8',
      'interface GigabitEthernet1/0/99',
      'shutdown',
      'end',
    ])

    expect(printed[1]).toMatch(/^ +\^\n% Invalid input detected at '\^' marker\.\n\n$/)
    expect(device.running).toContain(
      'interface GigabitEthernet1/0/8\n description other\n ip address 10.50.3.1 255.255.255.252\n ip access-group CUST-IN in\n ip access-group CUST-OUT out\n shutdown',
    )
  })

  it('points with the caret at the word that it does not know', async () => {
    const ios = await configure(await start())

    const printed = await ios.ask('interface GigabitEthernet1/0/99')

    expect(printed.split('\n')[0]?.length).toBe('edge1(config)#interface '.length + 1)
  })

  it('that a sub-mode does not know is taken by global configuration, and the mode follows', async () => {
    const device = await start()
    const ios = await configure(device)
    await ios.ask('interface GigabitEthernet1/0/7')

    await ios.ask('ip route 203.0.113.9 255.255.255.255 Null0 tag 666')

    expect(standing(ios)).toBe('edge1(config)#')
    expect(device.running).toContain('ip route 203.0.113.9 255.255.255.255 Null0 tag 666')
  })

  it('for a neighbor after a refused address family hits the global session', async () => {
    const device = await start()
    const ios = await configure(device)

    const printed = await ios.askAll([
      'router bgp 64500',
      'address-family ipv4 vrf NOSUCH',
      'neighbor 192.0.2.77 shutdown',
    ])

    expect(printed[1]).toMatch(/^% VRF NOSUCH does not exist/)
    expect(device.running).toContain(' neighbor 192.0.2.77 shutdown\n')
  })

  it.each([
    ['ip route 203.0.113.9 255.255.255.0 Null0', '%Inconsistent address and mask\n'],
    [
      'ip route vrf NOSUCH 203.0.113.9 255.255.255.255 Null0',
      '%IP routing table VRF NOSUCH does not exist. Create first\n',
    ],
    ['no ip route 203.0.113.9 255.255.255.255 Null0 tag 666', '%No matching route to delete\n'],
    ['router bgp 64999', 'BGP is already running; AS is 64500\n'],
  ])('%s is refused in words', async (line, words) => {
    const device = await start()
    const before = device.running
    const ios = await configure(device)

    const printed = await ios.ask(line)

    expect(printed).toBe(words)
    expect(standing(ios)).toBe('edge1(config)#')
    expect(device.running).toBe(before)
  })

  it('knows no shutdown message, no absent neighbor, and no neighbor in a global address family', async () => {
    const device = await start()
    const before = device.running
    const ios = await configure(device)

    const printed = await ios.askAll([
      'router bgp 64500',
      'neighbor 192.0.2.77 shutdown message gone',
      'neighbor 192.0.2.99 shutdown',
      'address-family ipv4',
      'neighbor 192.0.2.77 shutdown',
    ])

    expect(printed[1]).toContain("% Invalid input detected at '^' marker.")
    expect(printed[2]).toBe('% Specify remote-as or peer-group commands first\n')
    expect(printed[4]).toBe('% General session commands not allowed under the address family\n')
    expect(device.running).toBe(before)
  })

  it('creates interfaces that do not exist where IOS does, and not where it does not', async () => {
    const device = await start()
    const ios = await configure(device)

    await ios.askAll(['interface Vlan999', 'end'])

    expect(device.running).toContain('interface Vlan999\n')
  })

  it('takes the last member of a bound object-group for what it is: not to be removed', async () => {
    const device = await start()
    const ios = await configure(device)

    const printed = await ios.askAll([
      'object-group network NULLROUTE',
      'host 203.0.113.9',
      '203.0.113.64 255.255.255.192',
      'no host 203.0.113.9',
      'no 203.0.113.64 255.255.255.192',
      'no host 192.0.2.255',
      'end',
      'show object-group name NULLROUTE',
      'show object-group name NOSUCH',
    ])

    expect(printed[5]).toMatch(/^%The last object/)
    expect(printed[7]).toBe('Network object group NULLROUTE\n host 192.0.2.255\n')
    expect(printed[8]).toBe('')
  })

  it('finds the port switched off by the device itself put back in order by shutdown and no shutdown', async () => {
    const device = await start({
      ports: [{ name: 'GigabitEthernet1/0/7', description: 'x', addresses: [], errDisabled: true }],
      roles: ['access'],
    })
    const ios = await open(device)
    const before = await ios.ask('show interfaces status')

    await ios.askAll([
      'configure terminal',
      'interface GigabitEthernet1/0/7',
      'shutdown',
      'no shutdown',
      'end',
    ])

    expect(before).toContain('err-disabled')
    expect(await ios.ask('show interfaces status')).toContain('connected')
  })
})

describe('exec mode', () => {
  it('shows a blackhole exactly, and the covering route where no mask is given', async () => {
    const device = await start({
      extra: [
        'ip route 203.0.113.9 255.255.255.255 Null0 tag 666 name nullroute-0291da56',
        'ip route 0.0.0.0 0.0.0.0 10.50.2.2',
      ],
    })
    const ios = await open(device)

    const shown = await ios.askAll([
      'show ip route 203.0.113.9 255.255.255.255',
      'show ip route 203.0.113.10 255.255.255.255',
      'show ip route 203.0.113.10',
      'show ipv6 route 2001:DB8:E57::/48',
      'show ip route vrf CUST 203.0.113.9 255.255.255.255',
    ])

    expect(shown[0]).toBe(
      'Routing entry for 203.0.113.9/32\n  Known via "static", distance 1, metric 0 (connected)\n  Tag 666\n  Routing Descriptor Blocks:\n  * directly connected, via Null0\n      Route metric is 0, traffic share count is 1\n      Route tag 666\n',
    )
    expect(shown[1]).toBe('% Subnet not in table\n')
    expect(shown[2]).toContain('Routing entry for 0.0.0.0/0, supernet\n')
    expect(shown[3]).toBe('% Route not found\n')
    expect(shown[4]).toBe('\nRouting Table: CUST\n% Network not in table\n')
  })

  it('shows two descriptors where a next hop stands beside the blackhole', async () => {
    const ios = await open(
      await start({
        extra: [
          'ip route 203.0.113.9 255.255.255.255 10.50.2.2',
          'ip route 203.0.113.9 255.255.255.255 Null0 tag 666',
        ],
      }),
    )

    const shown = await ios.ask('show ip route 203.0.113.9 255.255.255.255')

    expect(shown.match(/^ {2}[* ] \S/gm)).toHaveLength(2)
  })

  it('shows what is not saved yet, and nothing after it was saved', async () => {
    const device = await start()
    const ios = await configure(device)
    await ios.askAll([
      'ip route 203.0.113.9 255.255.255.255 Null0 tag 666',
      'interface GigabitEthernet1/0/7',
      'shutdown',
      'end',
    ])
    const differences = 'show archive config differences nvram:startup-config system:running-config'

    const [unsaved, saved, after] = await ios.askAll([differences, 'write memory', differences])

    expect(unsaved).toBe(
      '!Contextual Config Diffs:\ninterface GigabitEthernet1/0/7\n +shutdown\n+ip route 203.0.113.9 255.255.255.255 Null0 tag 666\n\n',
    )
    expect(saved).toBe('Building configuration...\n[OK]\n')
    expect(after).toBe('!Contextual Config Diffs:\n!No changes were found\n\n')
    expect(device.startup).toBe(device.running)
  })

  it('lets a summary stand a long address alone on its line', async () => {
    const device = await start()
    const ios = await configure(device)
    await ios.askAll(['router bgp 64500', 'neighbor 2001:DB8:0:77::2 shutdown', 'end'])

    const shown = await ios.ask('show bgp all summary')

    expect(shown).toMatch(/^2001:DB8:0:77::2\n {16}4 .* Idle \(Admin\)$/m)
    expect(shown).toMatch(/^192\.0\.2\.77 +4 .* 12$/m)
  })

  it('looks a lone unknown word up, and answers late', async () => {
    const ios = await open(await start())

    const shown = await ios.ask('end')

    expect(shown).toContain('% Unknown command or computer name')
  })

  it('shows a port by any unambiguous name', async () => {
    const ios = await open(await start())

    const shown = await ios.askAll([
      'show running-config interface gi1/0/7',
      'show interfaces Gi1/0/7',
      'show run int Gi9/9',
    ])

    expect(shown[0]).toMatch(
      /^Building configuration\.\.\.\n\nCurrent configuration : \d+ bytes\n!\ninterface GigabitEthernet1\/0\/7\n/,
    )
    expect(shown[1]).toMatch(/^GigabitEthernet1\/0\/7 is up, line protocol is up\n/)
    expect(shown[2]).toContain("% Invalid input detected at '^' marker.")
  })
})

describe('the revert timer', () => {
  it('takes the whole configuration back when nobody confirms, changes of others too', async () => {
    const device = await start()
    const before = device.running
    const ios = await open(device)

    const armed = await ios.ask('configure terminal revert timer 1')
    await ios.ask('ip route 203.0.113.9 255.255.255.255 Null0 tag 666')
    device.setByHand(['ip route 203.0.113.10 255.255.255.255 Null0'])
    await ios.shell.expect(/Rollback Done/)

    expect(armed).toContain(
      'Rollback Confirmed Change: Backing up current running config to bootflash:archive',
    )
    expect(device.running).toBe(before)
  })

  it('is told by `show archive config rollback timer`, and ends when it is confirmed', async () => {
    simulator = await startSimulator({ devices: [router] })
    const device = simulator.device('edge1')
    const ios = await open(device)
    await ios.askAll(['configure terminal revert timer 2', 'end'])

    const shown = await ios.askAll([
      'show archive config rollback timer',
      'configure confirm',
      'show archive config rollback timer',
    ])

    expect(shown[0]).toMatch(
      /^Time configured\(or reconfigured\): .*\nTimer type: absolute timer\nTimer value: 2 min\nUser: netops\n$/,
    )
    expect(shown.slice(1)).toEqual(['', '%No Rollback Confirmed Change pending\n'])
    expect(device.expireTimer()).toBe(false)
  })
})

describe('the terminal', () => {
  it('pages until it is told not to', async () => {
    const device = await start()
    const shell = await openShell(device, { rows: 10 })
    await shell.expect(prompt)

    shell.send('show running-config\r')
    await shell.expect(/ --More-- $/)
    shell.send(' ')
    await shell.expect(/ --More-- $/)
    shell.send('q')
    await shell.expect(prompt)

    expect(device.journal.lines()).toEqual(['show running-config'])
  })

  it('cuts a long host name in configuration prompts only', async () => {
    const ios = await configure(await start({ name: 'a-very-long-host-name-of-a-router' }))

    const inConfig = standing(ios)
    await ios.ask('end')

    expect(inConfig).toBe('a-very-long-host-nam(config)#')
    expect(standing(ios)).toBe('a-very-long-host-name-of-a-router#')
  })

  it('takes many lines that come in one write one after the other', async () => {
    const device = await start()
    const ios = await configure(device)
    const lines = Array.from(
      { length: 50 },
      (_, i) => `ip route 203.0.113.${i} 255.255.255.255 Null0 tag 666`,
    )

    ios.shell.send(`${[...lines, 'end'].join('\n')}\n`)
    await ios.shell.expect(/edge1#$/)

    expect(device.running.match(/ Null0 tag 666$/gm)).toHaveLength(50)
    expect(device.journal.lines().slice(-51)).toEqual([...lines, 'end'])
  })
})
