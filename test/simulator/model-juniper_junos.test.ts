// The Junos model: one candidate for everybody, paths that are refused, commits that go back by themselves.

import { afterEach, describe, expect, it } from 'vitest'
import { type Dialogue, openShell, startDialogue } from './client.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'
import type { SimulatedDevice } from './spec.ts'

const router: SimulatedDevice = {
  name: 'edge1',
  platform: 'juniper_junos',
  roles: ['edge'],
  asn: '64500',
  vrfs: ['CUST'],
  ports: [
    { name: 'ge-0/0/7', description: 'customer esthost', addresses: ['10.1.0.1/24'] },
    { name: 'ge-0/0/8', description: 'other', addresses: ['10.1.1.1/24'] },
  ],
  neighbors: [
    { address: '192.0.2.9', asn: '64501', description: 'customer' },
    { address: '192.0.2.10', asn: '64502', description: 'in CUST', vrf: 'CUST' },
  ],
}

const prompt = /[\w-]+@[\w-]+[>#] $/

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.stop()
  simulator = undefined
})

async function start(
  own: Partial<SimulatedDevice> = {},
  minuteMs = 60_000,
): Promise<RunningDevice> {
  simulator = await startSimulator({ devices: [{ ...router, ...own }], minuteMs })
  return simulator.device('edge1')
}

async function open(device: RunningDevice): Promise<Dialogue> {
  const dialogue = await startDialogue(await openShell(device), prompt)
  await dialogue.askAll(['set cli complete-on-space off', 'set cli screen-length 0'])
  return {
    ...dialogue,
    async ask(line) {
      return tidy(await dialogue.ask(line))
    },
    async askAll(lines) {
      return (await dialogue.askAll(lines)).map(tidy)
    },
  }
}

/** Without the blank line and the `[edit]` that belong to the next prompt. */
function tidy(text: string): string {
  return text.replace(/\n?(?:# commit confirmed .*\n)?(?:\{[^}]*\})?(?:\[edit[^\]]*\]\n)?$/, '')
}

async function editing(device: RunningDevice, ...lines: string[]): Promise<Dialogue> {
  const junos = await open(device)
  await junos.askAll(['configure exclusive', ...lines])
  return junos
}

const lines = [
  'set routing-options static route 203.0.113.9/32 discard',
  'set routing-options static route 203.0.113.9/32 tag 666',
  'set routing-options static route 203.0.113.9/32 apply-macro nullroute',
  'set policy-options prefix-list nullroute-v4 203.0.113.9/32',
  'set interfaces ge-0/0/7 disable',
  'set protocols bgp group CUSTOMERS neighbor 192.0.2.9 shutdown notify-message "Suspended ABUSE-2041"',
]

describe('the candidate', () => {
  it('holds lines until they are committed, and shows the difference before', async () => {
    const device = await start()
    const before = device.running
    const junos = await editing(device)

    const printed = await junos.askAll(lines)
    const difference = await junos.ask('show | compare | no-more')
    const uncommitted = device.running
    await junos.ask('commit')

    expect(printed.every((text) => text === '')).toBe(true)
    expect(
      difference
        .split('\n')
        .filter((line) => /^\[|^[+-]/.test(line))
        .map((line) => line.replace(/^([+-]) +/, '$1 ')),
    ).toEqual([
      '[edit interfaces ge-0/0/7]',
      '+ disable;',
      '[edit policy-options prefix-list nullroute-v4]',
      '+ 203.0.113.9/32;',
      '[edit routing-options static]',
      '+ route 203.0.113.9/32 {',
      '+ discard;',
      '+ tag 666;',
      '+ apply-macro nullroute;',
      '+ }',
      '[edit protocols bgp group CUSTOMERS neighbor 192.0.2.9]',
      '+ shutdown {',
      '+ notify-message "Suspended ABUSE-2041";',
      '+ }',
    ])
    expect(uncommitted).toBe(before)
    expect(await junos.ask('run show configuration | display set | match 203.0.113.9')).toContain(
      `${lines[0]}\n${lines[1]}\n${lines[2]}\n`,
    )
  })

  it('is as before once all of it was deleted', async () => {
    const device = await start({ roles: [] })
    const before = device.running
    const junos = await editing(
      device,
      ...lines,
      'set routing-options rib inet6.0 static route 2001:db8:e57::/48 discard',
      'commit',
    )

    const printed = await junos.askAll([
      'delete routing-options static route 203.0.113.9/32',
      'delete routing-options rib inet6.0 static route 2001:db8:e57::/48',
      'delete policy-options prefix-list nullroute-v4 203.0.113.9/32',
      'delete interfaces ge-0/0/7 disable',
      'delete protocols bgp group CUSTOMERS neighbor 192.0.2.9 shutdown',
      'delete interfaces ge-0/0/7 disable',
      'commit',
    ])

    expect(printed.slice(-2)).toEqual(['warning: statement not found\n', 'commit complete\n'])
    expect(device.running).toBe(before)
  })

  it('loses a whole branch to a path that is cut short', async () => {
    const device = await start()
    const junos = await editing(device, 'delete routing-options static route', 'commit')

    expect(await junos.ask('run show configuration routing-options static | display set')).toBe('')
  })

  it.each([
    'set routing-options static route 203.0.113.300/32x discard',
    'set routing-options static road 203.0.113.9/32',
    'set protocols bgp group CUSTOMERS neighbor 192.0.2.9 shut',
    'set nonsense',
    'foo',
  ])('refuses %s with a caret, and keeps the level', async (line) => {
    const device = await start()
    const junos = await editing(device)

    const printed = await junos.ask(line)

    expect(printed).toMatch(/^ +\^\n(?:syntax error|unknown command)\.\n/)
    expect(await junos.ask('show | compare')).toBe('')
  })

  it('knows no shutdown of neighbors before 19.1', async () => {
    const junos = await editing(await start({ version: '18.4R1' }))

    expect(
      await junos.ask('set protocols bgp group CUSTOMERS neighbor 192.0.2.9 shutdown'),
    ).toContain('syntax error.')
  })

  it('takes many lines by `load set terminal`, and says how many it did not understand', async () => {
    const device = await start()
    const junos = await editing(device)

    junos.shell.send('load set terminal\r')
    await junos.shell.expect(/\[Type \^D at a new line to end input\]\r\n/)
    junos.shell.send(`${lines.slice(0, 3).join('\r')}\r\x04`)
    const good = await junos.shell.expect(prompt)
    junos.shell.send(`load set terminal\rset nonsense\r${lines[3]}\r\x04`)
    const bad = await junos.shell.expect(/load complete.*\r\n[^]*# $/)

    expect(good).toContain('load complete\r\n')
    expect(bad).toContain('load complete (1 errors)')
  })
})

describe('who may edit', () => {
  it('is one in exclusive mode, and his edits go with his connection', async () => {
    const device = await start()
    const first = await editing(device, lines[0] ?? '')
    const second = await open(device)

    const locked = await second.ask('configure exclusive')
    first.shell.close()
    await first.shell.ended
    await expect.poll(() => device.journal.openSessions).toBe(1)
    const entered = await second.ask('configure exclusive')

    expect(locked).toMatch(
      /^error: configuration database locked by:\n {2}netops terminal {2}\(pid \d+\) on since .*\n {6}exclusive \[edit\]\n$/,
    )
    expect(entered).toBe(
      'warning: uncommitted changes will be discarded on exit\nEntering configuration mode\n',
    )
    expect(await second.ask('show | compare')).toBe('')
  })

  it('is anyone in shared mode, whose edits stay for the next and keep others out', async () => {
    const device = await start()
    const first = await open(device)
    await first.askAll(['configure', lines[0] ?? ''])
    first.shell.close()
    await first.shell.ended
    const second = await open(device)

    const exclusive = await second.ask('configure exclusive')
    const priv = await second.ask('configure private')
    const shared = await second.ask('configure')
    await second.ask('commit')

    expect(exclusive).toMatch(
      /^Users currently editing the configuration:\n[^]*error: configuration database modified\n$/,
    )
    expect(priv).toBe('error: shared configuration database modified\n')
    expect(shared).toContain('The configuration has been changed but not committed\n')
    expect(device.running).toContain('route 203.0.113.9/32 {')
  })

  it('can’t commit with a timer in private mode', async () => {
    const junos = await open(await start())
    await junos.askAll(['configure private', lines[0] ?? ''])

    expect(await junos.ask('commit confirmed 1')).toBe(
      'error: commit confirmed not supported for private configuration\n',
    )
  })

  it('is asked before edits are left behind', async () => {
    const device = await start()
    const junos = await editing(device, lines[0] ?? '')

    junos.shell.send('exit configuration-mode\r')
    const question = await junos.shell.expect(/\(yes\) $/)
    junos.shell.send('yes\r')
    const left = await junos.shell.expect(/> $/)

    expect(question).toContain('The configuration has been changed but not committed\r\n')
    expect(left).toContain('Exiting configuration mode')
  })
})

describe('a commit', () => {
  const token = 'commit confirmed 1 comment "nullroute 7f3a91c2"'

  it('with a timer counts down before every prompt, and goes back with a word to all when nobody confirms', async () => {
    const device = await start({}, 150)
    const before = device.running
    const other = await open(device)
    const junos = await editing(device, ...lines)

    const committed = await junos.ask(token)
    const hint = junos.shell.text.slice(-120)
    await other.shell.expect(/Commit was not confirmed; automatic rollback complete\./)

    expect(committed).toBe(
      'commit confirmed will be automatically rolled back in 1 minutes unless confirmed\ncommit complete\n',
    )
    expect(hint).toMatch(
      /\r\n\r\n# commit confirmed will be rolled back in 1 minute\r\n\[edit\]\r\nnetops@edge1# $/,
    )
    expect(device.running).toBe(before)
    expect(await other.ask('show system commit')).toMatch(
      /^0 {3}\S+ \S+ UTC by root via other\n1 {3}.* by netops via cli commit confirmed, rollback in 1mins\n {4}nullroute 7f3a91c2\n/m,
    )
  })

  it('is pending until a check by anybody, which commits nothing itself', async () => {
    const device = await start()
    const junos = await editing(device, ...lines, token, 'exit configuration-mode')
    const pending = await junos.ask('show system commit | no-more')
    const other = await editing(device, 'set interfaces ge-0/0/8 disable')

    const checked = await other.ask('commit check')

    expect(pending).toMatch(
      /^0 .* by netops via cli commit confirmed, rollback in 1mins\n {4}nullroute 7f3a91c2\n {4}rollback pending\n1 /,
    )
    expect(checked).toBe('configuration check succeeds\n')
    expect(await junos.ask('show system commit')).not.toContain('rollback pending')
    expect(device.expireTimer()).toBe(false)
    expect(device.running).toContain('route 203.0.113.9/32 {')
    expect(device.running).not.toMatch(/ge-0\/0\/8 \{\n +description other;\n +disable;/)
  })

  it('can be taken back at once by `rollback 1` and a commit', async () => {
    const device = await start()
    const before = device.running
    const junos = await editing(device, ...lines, token)

    const printed = await junos.askAll(['rollback 1', 'commit'])

    expect(printed).toEqual(['load complete\n', 'commit complete\n'])
    expect(device.running).toBe(before)
  })

  it('goes back to what was before the first of two', async () => {
    const device = await start()
    const before = device.running
    await editing(device, lines[0] ?? '', token, lines[4] ?? '', token)

    expect(device.expireTimer()).toBe(true)

    expect(device.running).toBe(before)
  })

  it.each([
    ['set routing-options static route 10.0.0.5/8 discard', 'host bits'],
    [
      'set routing-options static route 192.0.2.254/32 next-hop 10.1.0.2',
      "conflicts with 'next-hop'",
    ],
    ['delete policy-options prefix-list nullroute-v4', 'is not defined'],
    ['delete system root-authentication', "Missing mandatory statement: 'root-authentication'"],
  ])('of "%s" is refused by the check', async (line, words) => {
    const device = await start()
    const before = device.running
    const junos = await editing(device, line)

    const printed = await junos.askAll(['commit check', 'commit confirmed 1', 'rollback 0'])

    expect(printed[0]).toContain(words)
    expect(printed[0]).toMatch(/^\[edit/)
    expect(printed[1]).toContain('error: configuration check-out failed')
    expect(device.running).toBe(before)
  })
})

describe('operational mode', () => {
  it('shows a discard as JSON with tag and type, and nothing for an absent route', async () => {
    const device = await start()
    await editing(device, ...lines, 'commit')
    const junos = await open(device)

    const shown = await junos.ask('show route 203.0.113.9/32 exact | display json | no-more')
    const absent = await junos.ask('show route 203.0.113.10/32 exact | display json | no-more')

    const rts = (text: string): unknown =>
      (JSON.parse(text) as { 'route-information': [{ 'route-table': { rt: unknown[] }[] }] })[
        'route-information'
      ][0]['route-table'].flatMap(({ rt }) => rt)
    expect(rts(shown)).toMatchObject([
      {
        'rt-destination': [{ data: '203.0.113.9/32' }],
        'rt-entry': [
          {
            'active-tag': [{ data: '*' }],
            'protocol-name': [{ data: 'Static' }],
            'rt-tag': [{ data: '666' }],
            'nh-type': [{ data: 'Discard' }],
          },
        ],
      },
    ])
    expect(rts(absent)).toEqual([])
  })

  it('finds a neighbor in its group and instance, and shows it shut', async () => {
    const device = await start()
    await editing(device, lines[5] ?? '', 'commit')
    const junos = await open(device)

    const shown = await junos.askAll([
      'show configuration | display set | match "neighbor 192.0.2.10( |$)" | no-more',
      'show bgp neighbor 192.0.2.9 | no-more',
      'show bgp neighbor 192.0.2.99',
    ])

    expect(shown[0]).toMatch(
      /^set routing-instances CUST protocols bgp group CUSTOMERS neighbor 192\.0\.2\.10 /,
    )
    expect(shown[1]).toMatch(/State: Idle[^]*Options: <GracefulShutdownRcv Shutdown>/)
    expect(shown[2]).toBe('error: Neighbor not found\n')
  })

  it('shows ports that are there, down by configuration, and no others', async () => {
    const device = await start()
    await editing(
      device,
      'set interfaces ge-0/0/7 disable',
      'set interfaces ge-0/0/99 disable',
      'commit',
    )
    const junos = await open(device)

    const shown = await junos.askAll([
      'show interfaces ge-0/0/7',
      'show interfaces ge-0/0/7 terse | no-more',
      'show interfaces ge-0/0/99 terse',
    ])

    expect(shown[0]).toMatch(
      /^Physical interface: ge-0\/0\/7, Administratively down, Physical link is Down\n/,
    )
    expect(shown[1]).toMatch(
      /^Interface.*\nge-0\/0\/7 +down +down\nge-0\/0\/7\.0 +down +down +inet +10\.1\.0\.1\/24\n$/,
    )
    expect(shown[2]).toBe('error: device ge-0/0/99 not found\n')
  })

  it('echoes with a blank behind the line, and redraws long ones', async () => {
    const junos = await open(await start())

    await junos.ask('show configuration routing-options static | display set | no-more')

    expect(junos.shell.text).toContain('netops@edge1> set cli screen-length 0 \r\n')
    expect(junos.shell.text.replaceAll('\b', '<')).toMatch(
      /\rnetops@edge1> show configuration [^\r]* {4}<<</,
    )
  })

  it('puts the routing engine before prompts where there are two', async () => {
    const junos = await editing(await start({ routingEngine: 'master:0' }))

    expect(junos.shell.text).toMatch(/\r\n\{master:0\}\[edit\]\r\nnetops@edge1# $/)
    await junos.ask('exit configuration-mode')
    expect(junos.shell.text).toMatch(/\r\n\{master:0\}\r\nnetops@edge1> $/)
  })
})
