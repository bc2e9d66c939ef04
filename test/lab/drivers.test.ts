// The drivers of FRR and Linux against the real thing: what each line does in each context, and what they leave alone.

import PQueue from 'p-queue'
import { afterEach, describe, expect, it } from 'vitest'
import { createAgent } from '../../agent/agent.ts'
import { systemClock } from '../../agent/clock.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import { enter, free, type Line, inside as within } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { openSession, type Session } from '../../agent/session.ts'
import type { Device } from '../../inventory/model.ts'
import { acl, blackhole, neighbor, port } from '../platform/conformance-kit.ts'
import { type Book, createBook, type Entry } from '../simulator/agent-book.ts'
import { ask, devices, inside, isAsBefore, onDevice, script, snapshot } from './lab.ts'

const cleanUp: (() => Promise<unknown>)[] = []

afterEach(async ({ task }) => {
  for (const work of cleanUp.splice(0).reverse()) await work()
  // What a test that failed in the middle left there would fail the next ones too.
  if (task.result?.state !== 'fail') return
  await script('down')
  await script('up')
})

async function device(id: string, over: Partial<Device> = {}): Promise<Device> {
  const found = (await devices()).get(id)
  if (found === undefined) throw new Error(`no device ${id}`)
  return { ...found, ...over }
}

async function session(id: string, over: Partial<Device> = {}): Promise<Session> {
  const target = await device(id, over)
  const platform = platforms.get(target.platform)!
  const opened = await openSession({
    device: target,
    platform,
    clock: systemClock,
    environment: {},
  })
  cleanUp.push(() => opened.close())
  return opened
}

/** An agent on a device, and the book that it keeps. */
async function agentOn(id: string, over: Partial<Device> = {}) {
  const target = await device(id, over)
  const book = createBook()
  const agent = createAgent({
    device: target,
    platform: platforms.get(target.platform)!,
    journal: book,
    gate: new PQueue({ concurrency: 1 }),
    clock: systemClock,
    log: { info: () => undefined, warn: () => undefined },
    environment: {},
    deadlines: { ownMs: 2_000, observerMs: 2_000 },
  })
  cleanUp.push(() => agent.stop())
  await book.until(({ kind }) => kind === 'verified' || kind === 'failed')
  return { book, want: (wanted: readonly Intent[]) => want(book, agent, wanted) }
}

/** Wants exactly these and waits until they are shown and saved; answers the outcome of each by its key. */
async function want(
  book: Book,
  agent: ReturnType<typeof createAgent>,
  wanted: readonly Intent[],
): Promise<Readonly<Record<string, string>>> {
  const from = book.entries.length
  book.wanted = wanted
  agent.wake('change')
  const keys = [...wanted.map(keyOf), ...book.claims.map(({ key }) => key)]
  const isFinal = (entry: Entry): boolean =>
    entry.kind === 'failed' ||
    (entry.kind === 'verified' &&
      keys.every((key) => {
        const state = entry.value.states.find((one) => one.key === key)
        return state !== undefined && state.outcome !== 'unknown'
      }))
  await within60s(book, book.until(isFinal, from))
  // What is not saved is not done: the device would forget it.
  const changed = book.entries.slice(from).some(({ kind }) => kind === 'intend')
  if (changed)
    await within60s(
      book,
      book.until(({ kind }) => kind === 'saved', from),
    )
  return Object.fromEntries(
    wanted.map((intent) => [keyOf(intent), book.state(keyOf(intent))?.outcome ?? 'none']),
  )
}

/** The same promise, or an error that says what the agent wrote down last. */
async function within60s<T>(book: Book, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const last = book.entries.slice(-6).map((entry) => JSON.stringify(entry).slice(0, 2_000))
      reject(new Error(`nothing came of it in a minute; last:\n${last.join('\n')}`))
    }, 60_000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

// --- FRR: what lines do in each context

const contexts: Readonly<Record<string, readonly Line[]>> = {
  exec: [],
  config: [enter('configure terminal', 'exec', 'config')],
  'config-if': [
    enter('configure terminal', 'exec', 'config'),
    enter('interface core0', 'config', 'config-if'),
  ],
  'config-router': [
    enter('configure terminal', 'exec', 'config'),
    enter('router bgp 64500', 'config', 'config-router'),
  ],
  'config-router-af': [
    enter('configure terminal', 'exec', 'config'),
    enter('router bgp 64500', 'config', 'config-router'),
    enter('address-family ipv4 unicast', 'config-router', 'config-router-af'),
  ],
  'config-route-map': [
    enter('configure terminal', 'exec', 'config'),
    enter('route-map NULLROUTE permit 10', 'config', 'config-route-map'),
  ],
}

const routes = async () =>
  (await ask('trigger1', 'show running-config'))
    .split('\n')
    .filter((line) => line.includes('203.0.113.77'))

describe.each(Object.keys(contexts))('free lines of FRR in %s', (context) => {
  const route = 'ip route 203.0.113.77/32 blackhole tag 7'
  const inConfig = context === 'exec' ? 'exec' : 'config'

  async function at(): Promise<Session> {
    const opened = await session('trigger1')
    await opened.run(contexts[context] ?? [])
    expect(opened.context).toBe(context)
    return opened
  }

  it('a route and its removal have their meant effect or none, and leave nothing else behind', async () => {
    const before = await ask('trigger1', 'show running-config')
    const opened = await at()
    const [added] = await opened.run([{ ...free(route, context), opens: inConfig }])
    expect(await routes()).toEqual(context === 'exec' ? [] : [route])
    expect(added?.refusal === undefined).toBe(context !== 'exec')
    if (context !== 'exec') await opened.run(contexts[context]!.slice(1))
    await opened.run([{ ...free(`no ${route}`, opened.context), opens: inConfig }])
    expect(await routes()).toEqual([])
    expect(await ask('trigger1', 'show running-config')).toBe(before)
  })

  it('the ways into the configuration and out of it lead there or nowhere', async () => {
    const opened = await at()
    const [into] = frr.transaction.kind === 'line' ? frr.transaction.enter : []
    const entered = context === 'exec' ? 'config' : context
    await opened.run([{ ...into!, needs: context, opens: entered }])
    expect(opened.context).toBe(entered)
    const [out] = frr.transaction.kind === 'line' ? frr.transaction.leave : []
    await opened.run([{ ...out!, needs: entered, opens: 'exec' }])
    expect(opened.context).toBe('exec')
  })

  it('the words of a batch do nothing by themselves', async () => {
    const before = await ask('trigger1', 'show running-config')
    const opened = await at()
    const [batch] =
      frr.transaction.kind === 'line' ? (frr.transaction.batches?.(opened.seen.facts) ?? []) : []
    expect(batch).toBeDefined()
    for (const word of batch!.wrap([])) {
      const inside = opened.context === 'exec' ? 'exec' : 'config'
      const [answer] = await opened.run([{ ...word, needs: opened.context, opens: inside }])
      expect(answer?.refusal === undefined).toBe(context !== 'exec')
    }
    expect(await ask('trigger1', 'show running-config')).toBe(before)
  })

  it('shows change nothing and stay where they are', async () => {
    const before = await ask('trigger1', 'show running-config')
    const opened = await at()
    const reads = frr.observe([blackhole('203.0.113.77/32')], opened.seen)
    await opened.run(reads.map(({ line }) => ({ ...line, needs: context })))
    expect(opened.context).toBe(context)
    expect(await ask('trigger1', 'show running-config')).toBe(before)
  })
})

describe('FRR, with what an operator has', () => {
  const host = blackhole('203.0.113.77/32')

  async function byHand(...lines: readonly string[]) {
    const opened = await session('trigger1')
    await opened.run([
      enter('configure terminal', 'exec', 'config'),
      ...lines.map((text) => within(text, 'config')),
      enter('end', 'config', 'exec'),
      free('write memory', 'exec'),
    ])
  }

  it.each([
    ['the same blackhole', 'ip route 203.0.113.77/32 blackhole tag 666', 'already'],
    ['a blackhole without a tag', 'ip route 203.0.113.77/32 blackhole', 'refused'],
    ['reject', 'ip route 203.0.113.77/32 reject tag 666', 'refused'],
    ['another distance', 'ip route 203.0.113.77/32 blackhole tag 666 250', 'refused'],
    ['a next hop', 'ip route 203.0.113.77/32 192.0.2.11', 'refused'],
    ['a next hop of another distance', 'ip route 203.0.113.77/32 192.0.2.11 250', 'applied'],
  ])('%s: its line is there afterwards as before', async (_, line, outcome) => {
    await byHand(line)
    cleanUp.push(() => byHand(`no ${line}`))
    const before = await ask('trigger1', 'show running-config')
    const { want } = await agentOn('trigger1')
    expect(await want([host])).toEqual({ [keyOf(host)]: outcome })
    await want([])
    expect(await ask('trigger1', 'show running-config')).toBe(before)
  })

  it('changes a tag in place, and a shutdown message too', async () => {
    const before = await snapshot()
    const { want } = await agentOn('trigger1')
    const first = [
      blackhole('203.0.113.77/32', { tag: 7 }),
      neighbor('192.0.2.12', { message: 'one' }),
    ]
    const second = [
      blackhole('203.0.113.77/32', { tag: 8 }),
      neighbor('192.0.2.12', { message: 'two' }),
    ]
    await want(first)
    expect(await routes()).toEqual(['ip route 203.0.113.77/32 blackhole tag 7'])
    await want(second)
    expect(await routes()).toEqual(['ip route 203.0.113.77/32 blackhole tag 8'])
    expect(await ask('trigger1', 'show running-config')).toContain(
      'neighbor 192.0.2.12 shutdown message two',
    )
    await want([])
    await isAsBefore(before)
  })

  it('a neighbor or port that is not there is refused, and nothing is made of its name', async () => {
    const before = await ask('trigger1', 'show running-config')
    const { want } = await agentOn('trigger1')
    const intents = [
      neighbor('192.0.2.99'),
      neighbor('192.0.2.12', { vrf: 'red' }),
      port('nosuch0'),
    ]
    expect(Object.values(await want(intents))).toEqual(['refused', 'refused', 'refused'])
    expect(await ask('trigger1', 'show running-config')).toBe(before)
  })
})

// --- Linux, as root and by the sudo fragment

describe.each<[string, Partial<Device>]>([
  ['root', { username: 'root' }],
  ['the sudo fragment', {}],
])('Linux as %s', (_, over) => {
  const elements = async () =>
    [
      ...(await inside('sw1', 'nft', 'list', 'table', 'inet', 'nullroute')).text.matchAll(
        /elements = \{ ([^}]*) \}/g,
      ),
    ].map(([, text]) =>
      text
        ?.replaceAll(/\s+/g, ' ')
        .replaceAll(/ counter packets \d+ bytes \d+| comment "nullroute"/g, ''),
    )

  it('brings each kind, shows it, saves it, and leaves the host as it was', async () => {
    const before = await snapshot()
    const { book, want } = await agentOn('sw1', over)
    const wanted = [
      blackhole('203.0.113.77/32'),
      blackhole('2001:db8:e57:77::/64'),
      acl('203.0.113.77/32', 'in'),
      acl('2001:db8:e57:77::/64', 'out'),
      port('p2'),
    ]
    expect(new Set(Object.values(await want(wanted)))).toEqual(new Set(['applied']))
    const shown = (await inside('sw1', 'ip', 'route', 'show', 'type', 'blackhole')).text
    expect(shown).toContain('blackhole 203.0.113.77 proto 223')
    expect((await inside('sw1', 'ip', '-br', 'link', 'show', 'dev', 'p2')).text).toContain('DOWN')
    const saved = (await onDevice('sw1', 'cat /etc/nullroute/state.d/*')).text
    expect(saved.trim().split('\n'), JSON.stringify(book.entries, null, 1)).toHaveLength(7)
    await want([])
    await isAsBefore(before)
  })

  it('stands beside the operator’s routes, in front of them, and leaves them as they were', async () => {
    const theirs = ['203.0.113.77/32', '203.0.113.78/32']
    await inside('sw1', 'ip', 'route', 'add', 'unreachable', theirs[0]!)
    await inside('sw1', 'ip', 'route', 'add', 'blackhole', theirs[1]!)
    await inside(
      'sw1',
      'ip',
      '-6',
      'route',
      'add',
      'unreachable',
      '2001:db8:e57:77::/64',
      'metric',
      '1',
    )
    cleanUp.push(() =>
      inside(
        'sw1',
        'ip',
        '-6',
        'route',
        'del',
        'unreachable',
        '2001:db8:e57:77::/64',
        'metric',
        '1',
      ),
    )
    for (const text of theirs) cleanUp.push(() => inside('sw1', 'ip', 'route', 'del', text))
    const before = await snapshot()
    const { want } = await agentOn('sw1', over)
    const wanted = [...theirs.map((text) => blackhole(text)), blackhole('2001:db8:e57:77::/64')]
    expect(Object.values(await want(wanted))).toEqual(['applied', 'already', 'refused'])
    const { text } = await inside('sw1', 'ip', 'route', 'get', '203.0.113.77')
    expect(text).toContain('Invalid argument')
    await want([])
    await isAsBefore(before)
  })

  it('swaps overlapping filters both ways', async () => {
    const before = await snapshot()
    const { want } = await agentOn('sw1', over)
    const [narrow, wide] = [acl('203.0.113.77/32'), acl('203.0.113.64/26')]
    await want([narrow])
    expect(await elements()).toEqual(['203.0.113.77'])
    expect(await want([narrow, wide])).toMatchObject({ [keyOf(wide)]: 'applied' })
    expect(await elements()).toEqual(['203.0.113.64/26'])
    expect(await want([narrow])).toEqual({ [keyOf(narrow)]: 'applied' })
    expect(await elements()).toEqual(['203.0.113.77'])
    await want([])
    await isAsBefore(before)
  })

  it('will not take its own session’s port down, nor one that others stand on', async () => {
    const { want } = await agentOn('sw1', over)
    expect(Object.values(await want([port('mgmt0'), port('br0')]))).toEqual(['refused', 'refused'])
    expect((await inside('sw1', 'ip', '-br', 'link', 'show', 'dev', 'br0')).text).not.toContain(
      'DOWN',
    )
  })

  it('a dormant table drops nothing, and says so; what stands in it can be lifted', async () => {
    const before = await snapshot()
    const sleep = (): Promise<unknown> =>
      onDevice('sw1', "nft 'add table inet nullroute { flags dormant; }'")
    cleanUp.push(() => onDevice('sw1', 'nft -f /etc/nullroute/table.nft'))
    const { book, want } = await agentOn('sw1', over)
    const one = acl('203.0.113.77/32', 'out')
    const wanted = [one]
    await sleep()
    expect(Object.values(await want(wanted))).toEqual(['refused'])
    expect(book.state(keyOf(one))?.error?.message).toContain('dormant')
    await onDevice('sw1', 'nft -f /etc/nullroute/table.nft')
    expect(Object.values(await want(wanted))).toEqual(['applied'])
    await sleep()
    expect(Object.values(await want(wanted))).toEqual(['failed'])
    expect(book.state(keyOf(one))?.error?.message).toContain('dormant')
    await want([])
    await onDevice('sw1', 'nft -f /etc/nullroute/table.nft')
    await isAsBefore(before)
  })

  it('takes many routes and filters at once, on and off', async () => {
    const before = await snapshot()
    const { book, want } = await agentOn('sw1', over)
    // sudo takes its time for each.
    const count = over.username === 'root' ? 500 : 50
    const addresses = Array.from({ length: count }, (_, i) =>
      i % 10 === 9
        ? `2001:db8:e57::${i.toString(16)}/128`
        : `198.19.${Math.floor(i / 128)}.${(i % 128) * 2}/32`,
    )
    const wanted = [
      ...addresses.map((address) => blackhole(address)),
      ...addresses.map((address) => acl(address, 'out')),
    ]

    expect(new Set(Object.values(await want(wanted)))).toEqual(new Set(['applied']))
    expect(new Set(wanted.map((intent) => book.state(keyOf(intent))?.seen))).toEqual(
      new Set(['present']),
    )
    await want([])
    await isAsBefore(before)
    const steps = book.entries.flatMap((entry) =>
      entry.kind === 'intend' && entry.value.purpose === 'change'
        ? [entry.value.commands.length]
        : [],
    )
    // A few here-documents each.
    expect(Math.max(...steps)).toBeLessThan(10)
  }, 120_000)

  it('a flushed table stops filters until root has loaded it, and then they come back by themselves', async () => {
    const before = await snapshot()
    const { want } = await agentOn('sw1', over)
    const wanted = [acl('203.0.113.77/32', 'out')]
    await want(wanted)
    await inside('sw1', 'nft', 'delete', 'table', 'bridge', 'nullroute')
    expect(Object.values(await want(wanted))).toEqual(['refused'])
    await onDevice('sw1', 'nft -f /etc/nullroute/table.nft')
    expect(Object.values(await want(wanted))).toEqual(['applied'])
    await want([])
    await isAsBefore(before)
  })
})

describe('what is compared before and after', () => {
  it('shows every kind of change on a device, running and saved', async () => {
    const before = await snapshot()
    expect(Object.keys(before).sort()).toEqual([
      'edge1',
      'edge1, saved',
      'edge2',
      'edge2, saved',
      'sw1',
      'trigger1',
      'trigger1, saved',
    ])
    expect(before['edge1']).toBe(before['edge1, saved'])
    for (const [line, back] of [
      ['ip link set dev p2 down', 'ip link set dev p2 up'],
      ['ip route add blackhole 203.0.113.77', 'ip route del blackhole 203.0.113.77'],
      [
        "nft add element bridge nullroute src4 '{ 203.0.113.77 }'",
        "nft delete element bridge nullroute src4 '{ 203.0.113.77 }'",
      ],
      ['echo x >>/etc/nullroute/state.d/routes', ': >/etc/nullroute/state.d/routes'],
    ] as const) {
      await onDevice('sw1', line)
      expect((await snapshot())['sw1'], line).not.toBe(before['sw1'])
      await onDevice('sw1', back)
      await isAsBefore(before)
    }
  })
})
