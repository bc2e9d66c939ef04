// The Linux model: a shell with exit statuses, the kernel's rules about routes, links and sets, and the texts of the recordings.

import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { openShell, type Shell } from './client.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'
import type { SimulatedDevice } from './spec.ts'

const host: SimulatedDevice = {
  name: 'sw1',
  platform: 'linux',
  roles: ['access'],
  ports: [
    { name: 'uplink0', description: 'uplink', addresses: [], trunk: true },
    { name: 'p1', description: 'customer esthost', addresses: [] },
    { name: 'p2', description: 'customer quietfarm', addresses: [] },
  ],
}

const plainShell =
  "exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TERM=dumb HOME=/ PS1='nr-7f3a:$?> ' PS2='' sh"
const prompt = /nr-7f3a:(\d+)> $/

let simulator: Simulator | undefined

afterEach(async () => {
  await simulator?.stop()
  simulator = undefined
})

async function start(own: Partial<SimulatedDevice> = {}): Promise<RunningDevice> {
  simulator = await startSimulator({ devices: [{ ...host, ...own }] })
  return simulator.device(host.name)
}

interface Ran {
  readonly text: string
  readonly status: number
}

/** A plain shell without echo, and what each line came to. */
async function open(
  device: RunningDevice,
): Promise<{ shell: Shell; run: (line: string) => Promise<Ran> }> {
  const shell = await openShell(device)
  await shell.expect(/[#$] $/)
  await shell.type(plainShell, prompt)
  await shell.type('stty -echo', prompt)
  return {
    shell,
    async run(line) {
      shell.send(`${line}\n`)
      const text = (await shell.expect(prompt)).replaceAll('\r\n', '\n')
      return { text: text.replace(prompt, ''), status: Number(prompt.exec(text)?.[1]) }
    },
  }
}

async function recording(name: string): Promise<string> {
  return readFile(new URL(`../fixtures/linux/${name}.txt`, import.meta.url), 'utf8')
}

describe('the shell', () => {
  it('begins as bash with its escape sequences, and becomes a plain one by the documented line', async () => {
    const shell = await openShell(await start({ privilege: 'sudo' }))
    const first = await shell.expect(/\$ $/)

    const plain = await shell.type(plainShell, prompt)
    const silenced = await shell.type('stty -echo', prompt)
    shell.send('echo hello; false\n')
    const answer = await shell.expect(prompt)

    expect(first).toMatch(/^Last login: .*\r\n.\[\?2004hnetops@sw1:~\$ $/)
    expect(plain).toBe(`${plainShell}\r\n\x1b[?2004l\rnr-7f3a:0> `)
    expect(silenced).toBe('stty -echo\r\nnr-7f3a:0> ')
    expect(answer).toBe('hello\r\nnr-7f3a:1> ')
  })

  it.each([
    ['true && echo yes || echo no', 'yes\n', 0],
    ['false && echo yes || echo no', 'no\n', 0],
    ["printf '%s\\n' 'a b' c", 'a b\nc\n', 0],
    ['X=5; echo "$X and $(uname -s)" \'$X\'', '5 and Linux $X\n', 0],
    ['A="1.2.3.4 5 6"; echo "${A%% *} ${A##* } ${A%.*} ${B:-none}"', '1.2.3.4 6 1.2.3 none\n', 0],
    ['nosuch', 'sh: 2: nosuch: not found\n', 127],
    ['nosuch 2>/dev/null; echo $?', '127\n', 0],
    ['echo a; (exit 3)', 'a\n', 3],
    ['echo one > /tmp/f && echo two >> /tmp/f && cat < /tmp/f | wc', '2\n', 0],
    ['cat /nosuch', 'cat: /nosuch: No such file or directory\n', 1],
    ['echo x > /nosuch/file', 'sh: 2: cannot create /nosuch/file: Directory nonexistent\n', 2],
    ['[ -d /etc/nullroute/state.d ] && [ ! -e /nosuch ] && echo there', 'there\n', 0],
  ])('runs %s', async (line, text, status) => {
    const { run } = await open(await start())

    const ran = await run(line)

    expect(ran).toEqual({ text, status })
  })

  it('prints nothing until a here-document is complete, however long', async () => {
    const device = await start()
    const { shell, run } = await open(device)
    const routes = Array.from(
      { length: 300 },
      (_, i) => `route prepend blackhole 198.18.${i >> 8}.${i & 255}/32 proto 223`,
    )

    shell.send(`ip -batch - <<'EOF'\n${routes.join('\n')}\nEOF\n`)
    const answer = await shell.expect(prompt)

    expect(answer).toBe('nr-7f3a:0> ')
    expect(
      JSON.parse((await run('ip -j -4 route show table all type blackhole')).text),
    ).toHaveLength(300)
  })

  it('cuts a line that is too long for the terminal, without a word', async () => {
    const { run } = await open(await start())

    const ran = await run(`echo ${'x'.repeat(5000)}`)

    expect(ran.text.trim()).toHaveLength(4094 - 'echo '.length)
  })

  it('saves a file in steps, each with its status', async () => {
    const device = await start({ privilege: 'sudo' })
    const { run } = await open(device)

    const ran = await run(
      "printf '%s\\n' 'route prepend blackhole 203.0.113.9/32 proto 223' > /etc/nullroute/state.d/.routes && sync && mv /etc/nullroute/state.d/.routes /etc/nullroute/state.d/routes",
    )
    device.faults.add({ kind: 'refuse-save' })
    const refused = await run('echo x > /etc/nullroute/state.d/.routes && echo done')

    expect(ran.status).toBe(0)
    expect(device.startup).toContain('route prepend blackhole 203.0.113.9/32 proto 223\n')
    expect(refused).toEqual({
      text: 'sh: 3: cannot create /etc/nullroute/state.d/.routes: Read-only file system\n',
      status: 2,
    })
  })
})

describe('routes', () => {
  it.each([
    ['ip route add blackhole 203.0.113.300/32', 'ip_route_add_bad_prefix', 1],
    ['ip route add blackhole 203.0.113.9/32 frob 1', 'ip_route_add_garbage', 1],
    ['ip route add blackhole 203.0.113.9/24', 'ip_route_add_hostbits_v4', 2],
    ['ip route add blackhole 203.0.113.10/32', 'ip_route_add_exists', 2],
    ['ip route del blackhole 203.0.113.99/32', 'ip_route_del_missing', 2],
    ['ip route get 203.0.113.10', 'ip_route_get_blackholed', 2],
    ['ip route show table 77', 'ip_route_show_table_missing', 2],
    ['ip route show 203.0.113.10/32', 'ip_route_show_blackhole_present', 0],
    ['ip -j route show 203.0.113.10/32', 'ip_route_show_blackhole_present_json', 0],
    ['ip -j route show 203.0.113.99/32', 'ip_route_show_absent_json', 0],
    ['ip -6 route show 2001:db8:113::10/128', 'ip_6_route_show_blackhole_present', 0],
    ['ip -j -6 route show 2001:db8:113::10/128', 'ip_6_route_show_blackhole_present_json', 0],
    ['ip -j route show table 10', 'ip_route_show_table_10_json', 0],
    ['ip link show nosuch', 'ip_link_show_missing', 1],
  ])('%s prints what %s has', async (line, name, status) => {
    const device = await start({
      extra: [
        'ip route add blackhole 203.0.113.10/32 proto 223',
        'ip route add blackhole 203.0.113.12/32 proto 223 table 10',
        'ip -6 route add blackhole 2001:db8:113::10/128 proto 223',
      ],
    })
    const { run } = await open(device)

    const ran = await run(line)

    expect(ran).toEqual({ text: await recording(name), status })
  })

  it('lets ours stand in front of the operator’s by prepend, and takes only ours away', async () => {
    const device = await start({
      extra: ['ip addr add 10.0.0.1/24 dev p1', 'ip route add 203.0.113.9/32 via 10.0.0.2 dev p1'],
    })
    const before = device.running
    const { run } = await open(device)

    const refused = await run('ip route add blackhole 203.0.113.9/32 proto 223')
    const put = await run('ip route prepend blackhole 203.0.113.9/32 proto 223')
    const again = await run('ip route prepend blackhole 203.0.113.9/32 proto 223')
    const effect = await run('ip route get 203.0.113.9')
    const gone = await run('ip route del blackhole 203.0.113.9/32 proto 223')
    const after = await run('ip route get 203.0.113.9')

    expect([
      refused.status,
      put.status,
      again.status,
      effect.status,
      gone.status,
      after.status,
    ]).toEqual([2, 0, 2, 2, 0, 0])
    expect(device.running).toBe(before)
  })

  // As a kernel 6 keeps them: the order in which they were put on is of no account.
  it('keeps IPv4 routes of a prefix by metric, and deletes the first that fits', async () => {
    const { run } = await open(await start())

    await run('ip route add blackhole 203.0.113.8/29 proto 223 metric 1')
    await run('ip route add prohibit 203.0.113.8/29')
    await run('ip route prepend blackhole 203.0.113.8/29 proto 223')
    const put = await run('ip route show 203.0.113.8/29')
    await run('ip route del blackhole 203.0.113.8/29 proto 223')
    const left = await run('ip route show 203.0.113.8/29')

    const words = ({ text }: { text: string }): readonly string[] =>
      text.split('\n').map((line) => line.trim())
    expect([words(put), words(left)]).toEqual([
      [
        'blackhole 203.0.113.8/29 proto 223',
        'prohibit 203.0.113.8/29',
        'blackhole 203.0.113.8/29 proto 223 metric 1',
        '',
      ],
      ['prohibit 203.0.113.8/29', 'blackhole 203.0.113.8/29 proto 223 metric 1', ''],
    ])
  })

  it('orders IPv6 by metric: at the same one, prepend comes behind', async () => {
    const device = await start({
      extra: ['ip -6 route add 2001:db8:e57::/48 via 2001:db8::2 dev p1'],
    })
    const { run } = await open(device)

    await run('ip -6 route prepend blackhole 2001:db8:e57::/48 proto 223')
    const behind = await run('ip route get 2001:db8:e57::1')
    await run('ip -6 route add blackhole 2001:db8:e57::/48 proto 223 metric 1')
    const wins = await run('ip route get 2001:db8:e57::1')

    expect(behind.status).toBe(0)
    expect(wins).toEqual({ text: 'RTNETLINK answers: Invalid argument\n', status: 2 })
  })

  it('masks host bits of IPv6 in silence', async () => {
    const { run } = await open(await start())

    await run('ip -6 route add blackhole 2001:db8:e57::1/48 proto 223 metric 1')

    expect((await run('ip -6 route show')).text).toContain(
      'blackhole 2001:db8:e57::/48 dev lo proto 223 metric 1 pref medium',
    )
  })

  it('leaves the protocol out where it was filtered by', async () => {
    const { run } = await open(
      await start({ extra: ['ip route add blackhole 203.0.113.10/32 proto 223'] }),
    )

    const ran = await run('ip route show proto 223')

    expect(ran.text).toBe(await recording('ip_route_show_proto_223'))
  })

  it('stops a batch at a refusal with its line, and at a syntax error without', async () => {
    const { run } = await open(await start({ extra: ['ip route add blackhole 203.0.113.10/32'] }))

    const refused = await run(
      "ip -batch - <<'EOF'\nroute add blackhole 203.0.113.9/32\nroute add blackhole 203.0.113.10/32\nroute add blackhole 203.0.113.11/32\nEOF",
    )
    const syntax = await run(
      "ip -force -batch - <<'EOF'\nroute add blackhole 203.0.113.300/32\nroute add blackhole 203.0.113.31/32\nEOF",
    )

    expect(refused).toEqual({ text: await recording('ip_batch_failure'), status: 1 })
    expect(syntax.text).toBe(
      'Error: any valid prefix is expected rather than "203.0.113.300/32".\n',
    )
    expect((await run('ip route show')).text).toBe(
      'blackhole 203.0.113.9 \nblackhole 203.0.113.10 \n',
    )
  })
})

describe('rules', () => {
  it('are kept by priority, and shown as text and JSON', async () => {
    const { run } = await open(await start())

    await run('ip rule add iif p1 lookup 100 pref 100')
    await run('ip rule add to 203.0.113.0/24 fwmark 0x1 table 101')
    const twice = await run('ip rule add iif p1 lookup 100 pref 100')
    const text = await run('ip rule')
    const json = await run('ip -j -4 rule show')
    const other = await run('ip -j -6 rule show')
    const gone = await run('ip rule del iif p1 lookup 100')
    const absent = await run('ip rule del iif p1 lookup 100')

    expect(twice).toEqual({ text: 'RTNETLINK answers: File exists\n', status: 2 })
    expect(text.text).toBe(
      '0:\tfrom all lookup local\n99:\tfrom all to 203.0.113.0/24 fwmark 0x1 lookup 101\n100:\tfrom all iif p1 lookup 100\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n',
    )
    expect(json.text).toBe(
      '[{"priority":0,"src":"all","table":"local"},{"priority":99,"src":"all","dst":"203.0.113.0","dstlen":24,"fwmark":"0x1","table":"101"},{"priority":100,"src":"all","iif":"p1","table":"100"},{"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]\n',
    )
    expect(other.text).toBe(
      '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"}]\n',
    )
    expect(gone.status).toBe(0)
    expect(absent).toEqual({ text: 'RTNETLINK answers: No such file or directory\n', status: 2 })
  })

  it('decide in which table a packet of the host itself is looked up', async () => {
    const { run } = await open(await start())

    await run('ip route add blackhole 203.0.113.9')
    await run('ip route add 203.0.113.0/24 dev p1 table 100')
    const main = await run('ip route get 203.0.113.9')
    await run('ip rule add iif p1 lookup 100')
    const others = await run('ip route get 203.0.113.9')
    await run('ip rule add to 203.0.113.0/24 lookup 100')
    const all = await run('ip route get 203.0.113.9')
    const holding = await run('ip -j -4 route show table 100 match 203.0.113.9/32')
    const inside = await run('ip -j -4 route show table 100 root 203.0.113.9/32')
    const nowhere = await run('ip -j -4 route show table 7 match 203.0.113.9/32')

    expect([main.status, others.status, all.status]).toEqual([2, 2, 0])
    expect(all.text).toContain('dev p1')
    expect(holding.text).toBe('[{"dst":"203.0.113.0/24","dev":"p1","flags":[]}]\n')
    expect(inside.text).toBe('[]\n')
    expect(nowhere.text).toContain('Error: ipv4: FIB table does not exist.')
  })
})

describe('the packet filter', () => {
  const add = (set: string, element: string): string =>
    `nft add element inet nullroute ${set} '{ ${element} comment "nullroute" }'`

  it('takes ranges, which it prints as such unless they are a prefix', async () => {
    const { run } = await open(await start())
    const list = 'nft -j list set inet nullroute protect4'

    await run(
      "nft add element inet nullroute protect4 '{ 203.0.113.5-203.0.113.20, 203.0.113.64-203.0.113.127, 198.51.100.1 }'",
    )
    const shown = await run(list)
    const clash = await run(
      "nft add element inet nullroute protect4 '{ 203.0.113.20-203.0.113.22 }'",
    )
    const text = await run('nft list set inet nullroute protect4')
    const absent = await run("nft delete element inet nullroute protect4 '{ 203.0.113.5 }'")
    const gone = await run(
      "nft delete element inet nullroute protect4 '{ 203.0.113.5-203.0.113.20 }'",
    )

    // As nftables 1.0.6 prints it.
    expect(shown.text).toContain(
      '"elem": ["198.51.100.1", {"range": ["203.0.113.5", "203.0.113.20"]}, {"prefix": {"addr": "203.0.113.64", "len": 26}}]',
    )
    expect(clash).toMatchObject({
      status: 1,
      text: expect.stringContaining('interval overlaps with an existing one') as string,
    })
    expect(text.text).toContain('203.0.113.5-203.0.113.20')
    expect([absent.status, gone.status]).toEqual([1, 0])
    expect((await run(list)).text).not.toContain('range')
  })

  it('holds elements of our sets, and lists them as JSON', async () => {
    const { run } = await open(await start())

    await run(add('dst4', '203.0.113.64/26'))
    await run(add('dst4', '203.0.113.9'))
    const listed = await run('nft -j list set inet nullroute dst4')

    const { nftables } = JSON.parse(listed.text) as { nftables: { set?: { elem: unknown } }[] }
    const counter = { packets: 0, bytes: 0 }
    expect(nftables[1]?.set?.elem).toEqual([
      { elem: { val: '203.0.113.9', comment: 'nullroute', counter } },
      {
        elem: { val: { prefix: { addr: '203.0.113.64', len: 26 } }, comment: 'nullroute', counter },
      },
    ])
  })

  it.each([
    [add('dst4', '203.0.113.0/24'), 'Error: interval overlaps with an existing one', 1],
    [add('dst4', '203.0.113.9'), '', 0],
    [
      "nft delete element inet nullroute dst4 '{ 203.0.113.99 }'",
      'Error: element does not exist',
      1,
    ],
    [
      "nft get element inet nullroute dst4 '{ 203.0.113.11 }'",
      'Error: Could not process rule: No such file or directory',
      1,
    ],
    ['nft list table inet nosuch', 'Error: No such file or directory', 1],
    [
      add('dst4', '203.0.113.300'),
      'Error: Could not resolve hostname: Name or service not known',
      1,
    ],
    [
      "nft 'delete element inet nullroute dst4 { 203.0.113.9 } ; add element inet nullroute dst4 { 203.0.113.0/24 }'",
      '',
      0,
    ],
    [
      "nft 'delete element inet nullroute dst4 { 203.0.113.9 } ; add element inet nullroute nosuch { 203.0.113.0/24 }'",
      'Error: No such file or directory',
      1,
    ],
  ])('answers %s', async (line, first, status) => {
    const device = await start()
    const { run } = await open(device)
    await run(add('dst4', '203.0.113.9'))
    const before = device.running

    const ran = await run(line)

    expect({ first: ran.text.split('\n')[0], status: ran.status }).toEqual({ first, status })
    // What was refused has changed nothing, all statements of one call together.
    if (status !== 0) expect(device.running).toBe(before)
  })

  it('points at the place, as nft does', async () => {
    const { run } = await open(await start())
    await run("nft add element inet nullroute dst4 '{ 203.0.113.10 }'")

    const ran = await run("nft add element inet nullroute dst4 '{ 203.0.113.0/24 }'")

    const known = await recording('nft_add_element_overlap')
    expect(ran.text).toBe(
      known
        .replaceAll('block_dst4', 'dst4')
        .replace(
          '                                        ^',
          '                                  ^',
        ),
    )
  })

  it('loses our table to a flush, and the table file brings it back with rules once', async () => {
    const device = await start()
    const before = device.running
    const { run } = await open(device)

    await run('nft flush ruleset')
    const gone = await run('nft list table inet nullroute')
    await run('nft -f /etc/nullroute/table.nft')
    await run('nft -f /etc/nullroute/table.nft')

    expect(gone.status).toBe(1)
    expect(device.running).toBe(before)
  })

  it('says in text alone that a table is dormant, and wakes it when it is added again', async () => {
    const { run } = await open(await start())

    await run("nft 'add table inet nullroute { flags dormant; }'")
    const text = await run('nft -t list table inet nullroute')
    const json = await run('nft -j list table inet nullroute')
    await run('nft add table inet nullroute')
    const awake = await run('nft -t list table inet nullroute')

    expect(text.text.split('\n').slice(0, 4)).toEqual([
      'table inet nullroute {',
      '\tflags dormant',
      '',
      '\tset dst4 {',
    ])
    // As 1.0.6 prints it, be it sense or not.
    expect(json.text).toContain('"flags": "inet"')
    expect(awake.text).toBe(text.text.replace('\tflags dormant\n\n', ''))
  })
})

describe('ports', () => {
  it('go down and up by flag, and a bridge port comes back exactly', async () => {
    const device = await start()
    const before = device.running
    const { run } = await open(device)

    await run('ip link set dev p1 down')
    const [down] = JSON.parse((await run('ip -j link show dev p1')).text) as Record<
      string,
      unknown
    >[]
    const bridge = await run('bridge -j link show dev p1')
    await run('ip link set dev p1 up')

    expect(down).toMatchObject({
      flags: ['BROADCAST', 'MULTICAST'],
      operstate: 'DOWN',
      master: 'br0',
      ifalias: 'customer esthost',
    })
    expect(JSON.parse(bridge.text)).toMatchObject([{ ifname: 'p1', state: 'disabled' }])
    expect(device.running).toBe(before)
  })

  it('lose global IPv6 addresses and routes through them, unless the host keeps addresses', async () => {
    const routed: Partial<SimulatedDevice> = {
      roles: [],
      ports: [{ name: 'eth1', description: '', addresses: ['10.0.0.1/24', '2001:db8:1::1/64'] }],
      extra: ['ip route add 198.51.100.0/24 via 10.0.0.2 dev eth1'],
    }
    const flap = async (own: Partial<SimulatedDevice>): Promise<string> => {
      const device = await start({ ...routed, ...own })
      const { run } = await open(device)
      await run('ip link set dev eth1 down')
      await run('ip link set dev eth1 up')
      const { text } = await run('ip addr show dev eth1; ip route show')
      await simulator?.stop()
      return text
    }

    const lost = await flap({ prepared: false })
    const kept = await flap({})

    expect(lost).not.toContain('2001:db8:1::1')
    expect(kept).toContain('2001:db8:1::1/64')
    for (const text of [lost, kept]) {
      expect(text).toContain('10.0.0.0/24 dev eth1 proto kernel scope link src 10.0.0.1')
      expect(text).not.toContain('198.51.100.0/24')
    }
  })

  it('lose a link-local address by hand whatever is kept, and make that of their hardware address again', async () => {
    const device = await start({
      ports: [{ name: 'eth1', description: '', addresses: ['2001:db8:1::1/64', 'fe80::1/64'] }],
    })
    const { run } = await open(device)
    const addresses = async (): Promise<string[]> => {
      const { text } = await run('ip -j addr show dev eth1')
      const [link] = JSON.parse(text)
      return link.addr_info.map(({ local, scope }: Record<string, string>) => `${local} ${scope}`)
    }
    const made = expect.stringMatching(/^fe80::5817:[\da-f]+ff:fe[\da-f]+:[\da-f]+ link$/) as string
    expect(await addresses()).toEqual(['2001:db8:1::1 global', 'fe80::1 link', made])

    await run('ip link set dev eth1 down')
    expect(await addresses()).toEqual(['2001:db8:1::1 global'])
    await run('ip link set dev eth1 up')
    expect(await addresses()).toEqual(['2001:db8:1::1 global', made])

    await run(
      'sysctl -w net.ipv6.conf.all.keep_addr_on_down=-1 net.ipv6.conf.eth1.keep_addr_on_down=1',
    )
    await run('ip link set dev eth1 down')
    expect(await addresses()).toEqual([])
  })

  it('take a route with several next hops along only where none of them lives', async () => {
    const device = await start({
      roles: [],
      ports: ['eth1', 'eth2'].map((name, at) => ({
        name,
        description: '',
        addresses: [`10.0.${at}.1/24`],
      })),
      extra: [
        'ip route add 198.51.100.0/24 nexthop via 10.0.0.2 dev eth1 nexthop via 10.0.1.2 dev eth2',
        'ip route add 203.0.113.0/24 proto static nexthop via 10.0.0.2 nexthop via 10.0.0.3 weight 2',
      ],
    })
    const { run } = await open(device)
    const show = async (words: string): Promise<string> => (await run(`ip ${words}`)).text
    const hop = (last: number, dev: string, flags: readonly string[] = [], weight = 1) => ({
      gateway: `10.0.${dev === 'eth1' ? 0 : 1}.${last}`,
      dev,
      weight,
      flags,
    })

    expect(JSON.parse(await show('-j route show proto static'))).toEqual([
      { dst: '203.0.113.0/24', flags: [], nexthops: [hop(2, 'eth1'), hop(3, 'eth1', [], 2)] },
    ])
    expect(await show('route show 203.0.113.0/24')).toBe(
      '203.0.113.0/24 proto static \n\tnexthop via 10.0.0.2 dev eth1 weight 1 \n\tnexthop via 10.0.0.3 dev eth1 weight 2 \n',
    )
    expect(await show('-o route show proto static')).toBe(
      '203.0.113.0/24 \\\tnexthop via 10.0.0.2 dev eth1 weight 1 \\\tnexthop via 10.0.0.3 dev eth1 weight 2 \n',
    )
    expect(await show('-j route show dev eth1')).not.toContain('nexthops')

    await run('ip link set dev eth1 down')
    const dead = ['dead', 'linkdown']
    expect(JSON.parse(await show('-j route show 198.51.100.0/24'))).toEqual([
      {
        dst: '198.51.100.0/24',
        flags: [],
        nexthops: [hop(2, 'eth1', dead), hop(2, 'eth2')],
      },
    ])
    expect(await show('route get 198.51.100.7')).toContain('via 10.0.1.2 dev eth2')
    await run('ip link set dev eth1 up')
    expect(await show('route show 198.51.100.0/24')).not.toContain('dead')
    expect(await show('route show 203.0.113.0/24')).toBe('')
  })
})

describe('neighbours', () => {
  it('by hand are shown by their device, and lost when it goes down', async () => {
    const { run } = await open(await start())

    await run('ip neigh replace 203.0.113.10 lladdr 02:00:00:00:00:09 dev p1 nud permanent')
    await run('ip -6 neigh replace 2001:db8::10 lladdr 02:00:00:00:00:10 dev p1 nud permanent')
    await run('ip -6 neigh add proxy 2001:db8::99 dev p1')
    const shown = await run('ip -j neigh show dev p1 nud permanent')
    const proxied = await run('ip -j neigh show proxy dev p1')
    const all = await run('ip neigh show nud permanent')
    const other = await run('ip -j neigh show dev p2 nud permanent')
    const nowhere = await run('ip -j neigh show dev p9 nud permanent')
    const absent = await run('ip neigh del 203.0.113.11 dev p1')
    await run('ip link set dev p1 down')
    await run('ip link set dev p1 up')
    const after = await run('ip -j neigh show dev p1 nud permanent')

    // As iproute2 6.1 prints them.
    expect(shown.text).toBe(
      '[{"dst":"203.0.113.10","lladdr":"02:00:00:00:00:09","state":["PERMANENT"]},{"dst":"2001:db8::10","lladdr":"02:00:00:00:00:10","state":["PERMANENT"]}]\n',
    )
    expect(proxied.text).toBe('[{"dst":"2001:db8::99","proxy":null}]\n')
    expect(all.text).toContain('203.0.113.10 dev p1 lladdr 02:00:00:00:00:09 PERMANENT \n')
    expect(other.text).toBe('[]\n')
    expect(nowhere).toEqual({ text: 'Cannot find device "p9"\n', status: 1 })
    expect(absent).toEqual({ text: 'RTNETLINK answers: No such file or directory\n', status: 2 })
    expect(after.text).toBe('[]\n')
  })
})

describe('links that are made of others', () => {
  it('name what they stand on, and their kind', async () => {
    const { run } = await open(await start())

    await run('ip link add link p1 name p1.5 type vlan id 5')
    await run('ip link add bond0 type bond')
    await run('ip addr add 198.51.100.77/24 dev p1.5')
    const vlan = await run('ip -j -d link show dev p1.5')
    const bond = await run('ip -j -d link show dev bond0')
    const holder = await run('ip -j addr show to 198.51.100.77')
    const twice = await run('ip link add bond0 type bond')

    expect(JSON.parse(vlan.text)).toMatchObject([
      { ifname: 'p1.5', link: 'p1', linkinfo: { info_kind: 'vlan' } },
    ])
    expect(JSON.parse(bond.text)).toMatchObject([
      { ifname: 'bond0', flags: ['BROADCAST', 'MULTICAST'], linkinfo: { info_kind: 'bond' } },
    ])
    expect(JSON.parse(holder.text)).toMatchObject([{ ifname: 'p1.5' }])
    expect(twice).toEqual({ text: 'RTNETLINK answers: File exists\n', status: 2 })
  })
})

describe('rights', () => {
  it('are those of the sudo fragment: single commands in one form', async () => {
    const device = await start({ privilege: 'sudo' })
    const { run } = await open(device)
    const statusOf = async (line: string): Promise<number> => (await run(line)).status

    expect((await run('id -u')).text).toBe('1001\n')
    expect(await statusOf('ip route add blackhole 203.0.113.9/32')).toBe(2)
    expect(await statusOf('nft -j list table inet nullroute')).toBe(1)
    for (const line of [
      'sudo -n ip route prepend blackhole 203.0.113.9/32 proto 223',
      'sudo -n ip -6 route add blackhole 2001:db8:e57::/48 proto 223 metric 1',
      'sudo -n ip link set dev p1 down',
      `sudo -n nft add element inet nullroute dst4 '{ 203.0.113.9 comment "nullroute" }'`,
      'sudo -n nft -j list table inet nullroute',
    ]) {
      expect([line, await statusOf(line)]).toEqual([line, 0])
    }
    for (const line of [
      'sudo -n ip link set dev uplink0 down',
      'sudo -n ip route add blackhole 203.0.113.10/32',
      "sudo -n nft add element inet nullroute dst4 '{ 203.0.113.10 } ; flush ruleset'",
      'sudo -n ip -batch /tmp/x',
    ]) {
      expect(await run(line)).toEqual({ text: 'sudo: a password is required\n', status: 1 })
    }
  })

  it('are asked for by a password where sudo may ask', async () => {
    const { shell } = await open(await start({ privilege: 'none' }))

    shell.send('sudo ip route\n')
    await shell.expect(/\[sudo\] password for netops: $/)
    shell.send('geheim\n')
    await shell.expect(/Sorry, try again\.\r\n\[sudo\] password for netops: $/)
    shell.send('\x03')

    await expect(shell.expect(prompt)).resolves.toContain('nr-7f3a:1> ')
  })
})

describe('a reboot', () => {
  it('brings back what the state folder says, line by line, and nothing else', async () => {
    const device = await start()
    const { run } = await open(device)
    await run('ip route add blackhole 198.51.100.0/24')
    await run(
      "printf '%s\\n' 'route prepend blackhole 203.0.113.9/32 proto 223' > /etc/nullroute/state.d/routes",
    )
    await run(
      "printf '%s\\n' 'add element inet nullroute dst4 { 203.0.113.9 comment \"nullroute\" }' > /etc/nullroute/state.d/elements",
    )
    await run("echo 'link set dev p2 down' > /etc/nullroute/state.d/ports")

    device.reboot()

    expect(device.running).toContain('blackhole 203.0.113.9 proto 223')
    expect(device.running).toContain('elements = { 203.0.113.9 comment "nullroute" }')
    expect(device.running).toContain('p2 down')
    expect(device.running).not.toContain('198.51.100.0/24')
  })
})
