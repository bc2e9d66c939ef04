import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PQueue from 'p-queue'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Agent, createAgent } from '../../agent/agent.ts'
import { type Clock, systemClock } from '../../agent/clock.ts'
import { type Intent, keyOf, parseCliText } from '../../agent/intents.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import type { Device } from '../../inventory/model.ts'
import { parseAddress, parsePrefix } from '../../inventory/prefix.ts'
import { type Book, createBook, type Entry } from './agent-book.ts'
import { recordedClock } from './recorded-clock.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'
import { travelClock } from './stories/travel-clock.ts'

let simulator: Simulator
let router: RunningDevice
let folder: string
let agents: Agent[]

function blackhole(text: string, tag = 666): Intent {
  const prefix = parsePrefix(text)
  if (!prefix.ok) throw new Error(text)
  return { kind: 'blackhole', vrf: 'default', prefix: prefix.value, tag }
}

function neighbor(text: string): Intent {
  const peer = parseAddress(text)
  const message = parseCliText('Suspended ABUSE-2041')
  if (!peer.ok || message === undefined) throw new Error(text)
  return { kind: 'neighbor', vrf: 'default', peer: peer.value, message }
}

const target = blackhole('203.0.113.9/32')
const key = keyOf(target)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nullroute-agent-'))
  simulator = await startSimulator({
    devices: [
      {
        name: 'trigger1',
        platform: 'frr',
        asn: '64500',
        roles: ['rtbh-trigger'],
        neighbors: [{ address: '192.0.2.9', asn: '64501', description: 'customer' }],
      },
    ],
  })
  router = simulator.device('trigger1')
  await writeFile(
    join(folder, 'known_hosts'),
    `[${router.host}]:${router.port} ${router.hostKey}\n`,
  )
  agents = []
})

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop()))
  await simulator.stop()
  await rm(folder, { recursive: true })
})

function device(over: Partial<Device> = {}): Device {
  const address = parseAddress(router.host)
  if (!address.ok) throw new Error(router.host)
  return {
    id: 'trigger1',
    platform: 'frr',
    address: address.value,
    port: router.port,
    username: router.username,
    auth: { kind: 'password', passwordEnv: 'PASSWORD' },
    knownHosts: join(folder, 'known_hosts'),
    roles: ['rtbh-trigger'],
    legacy: false,
    deadlineMs: 2_000,
    sessionIdleMs: 60_000,
    save: 'always',
    deviceTimer: false,
    loopbacks: [],
    neighbors: [],
    gateways: [],
    nextHops: [],
    uplinks: [],
    ...over,
  }
}

function start(
  book: Book,
  over: Partial<Device> = {},
  deadlines = { ownMs: 300, observerMs: 300 },
  {
    clock = systemClock,
    gate = new PQueue({ concurrency: 8 }),
  }: Partial<{
    readonly clock: Clock
    readonly gate: PQueue
  }> = {},
): Agent {
  const agent = createAgent({
    device: device(over),
    platform: frr,
    journal: book,
    gate,
    clock,
    log: { info: () => undefined, warn: () => undefined },
    environment: { PASSWORD: router.password },
    deadlines,
  })
  agents.push(agent)
  return agent
}

const verified = (entry: Entry): boolean => entry.kind === 'verified'

async function bring(book: Book, agent: Agent, wanted: readonly Intent[]): Promise<void> {
  const from = book.entries.length
  book.wanted = wanted
  agent.wake('change')
  await book.until(verified, from)
}

describe('an agent', () => {
  it('blackholes a prefix, reads it back, and takes it away again', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)

    await bring(book, agent, [target])
    expect(book.state(key)).toMatchObject({ outcome: 'applied', seen: 'present', verified: true })
    expect(book.claims).toMatchObject([{ key, phase: 'held', before: [] }])
    expect(router.running).toContain('ip route 203.0.113.9/32 blackhole tag 666')

    await bring(book, agent, [])
    expect(book.state(key)).toMatchObject({ outcome: 'applied', seen: 'absent', verified: true })
    expect(router.running).not.toContain('203.0.113.9')
    await book.until((entry) => entry.kind === 'saved' && book.claims.length === 0)
  })

  it.each([
    ['is asked for while a check of another waits', false],
    ['comes while its own check waits behind that of another', true],
  ])('is let through before checks where a decision %s', async (_, isWaiting) => {
    const gate = new PQueue({ concurrency: 1 })
    const books = [createBook(), createBook()] as const
    const agents = books.map((book, i) => start(book, { id: `edge${i}` }, undefined, { gate }))
    for (const book of books) await book.until(verified)
    await Promise.all(agents.map((agent) => agent.read([])))

    const waits = (jobs: number) =>
      new Promise<void>((resolve) => {
        gate.on('add', () => {
          if (gate.size === jobs) resolve()
        })
      })
    let open = (): void => undefined
    void gate.add(() => new Promise<void>((resolve) => (open = resolve)))
    const checks = waits(isWaiting ? 2 : 1)
    agents[0]?.wake('check')
    if (isWaiting) agents[1]?.wake('check')
    await checks
    books[1].wanted = [target]
    const both = isWaiting ? Promise.resolve() : waits(2)
    agents[1]?.wake('change')
    await both
    const first = Promise.race(
      books.map((book, i) => book.until(verified, book.entries.length).then(() => i)),
    )
    open()
    expect(await first).toBe(1)
    expect(books[1].state(key)).toMatchObject({ seen: 'present', verified: true })
  })

  it('needs three writes on a warm session for it, and no more', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    router.journal.clear()

    await bring(book, agent, [target])

    const lines = router.journal.lines().filter((line) => line !== 'write memory')
    const change = lines.indexOf('ip route 203.0.113.9/32 blackhole tag 666')
    expect(lines.slice(change - 1, change + 2)).toEqual([
      'configure terminal',
      'ip route 203.0.113.9/32 blackhole tag 666',
      'end',
    ])
  })

  it('sends nothing before it is written down, and nothing at all if it can not be written', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    book.full = true
    book.wanted = [target]
    router.journal.clear()

    agent.wake('change')
    // The second time round: it came this far, was refused, and left the configuration again.
    await expect.poll(() => router.journal.lines().filter((l) => l === 'end').length).toBe(2)
    expect(router.journal.lines().some((line) => line.includes('blackhole tag'))).toBe(false)

    const from = book.entries.length
    book.full = false
    await book.until(verified, from)
    const kinds = book.entries.slice(from).map((entry) => entry.kind)
    const steps = kinds.filter((kind) => kind !== 'session' && kind !== 'failed')
    expect(steps.slice(0, 3)).toEqual(['intend', 'done', 'verified'])
  })

  it('has left the configuration before it says that a change could not be written down', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    const from = book.entries.length
    book.intend = () => Promise.reject(new Error('the disk is full'))
    book.wanted = [target]
    router.journal.clear()

    agent.wake('change')
    await book.until(({ kind }) => kind === 'failed', from)

    const lines = router.journal.lines()
    expect(lines.slice(lines.indexOf('configure terminal'))).toEqual(['configure terminal', 'end'])
  })

  it('never says applied of a device that lies', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    router.faults.add({ kind: 'lie', matching: 'blackhole' })

    await bring(book, agent, [target])

    expect(book.state(key)).toMatchObject({
      outcome: 'failed',
      verified: false,
      error: { code: 'not_shown' },
    })
  })

  it('gives what it sends once more all its time, though it was waited for in vain before', async () => {
    const book = createBook()
    const agent = start(book, { save: 'never' })
    await book.until(verified)
    router.faults.add({ kind: 'lie', matching: 'blackhole tag' })
    await bring(book, agent, [target])
    expect(book.state(key)).toMatchObject({ outcome: 'failed', error: { code: 'not_shown' } })

    // It comes after the first read that follows the line, which lacks it.
    router.faults.add({
      kind: 'foreign-change',
      when: 'after',
      matching: '^show ip route',
      after: 'blackhole tag',
      times: 1,
      lines: ['ip route 203.0.113.9/32 blackhole tag 666'],
    })
    await bring(book, agent, [target])

    expect(book.state(key)).toMatchObject({ outcome: 'applied', verified: true })
  })

  it('has written down what it sent before it waits for an effect that does not come', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    const from = book.entries.length
    router.faults.add({ kind: 'lie', matching: 'blackhole' })
    book.wanted = [target]

    agent.wake('change')
    await book.until((entry) => entry.kind === 'done')

    expect(book.entries.slice(from).map((entry) => entry.kind)).toEqual(['intend', 'done'])
  })

  it('shuts no other session when the line that leads into BGP is refused', async () => {
    const book = createBook()
    const agent = start(book)
    const peer = neighbor('192.0.2.9')
    await book.until(verified)
    router.faults.add({ kind: 'reject', matching: '^router bgp', times: 1 })
    router.journal.clear()

    await bring(book, agent, [peer, target])

    expect(router.journal.lines().some((line) => line.includes('shutdown'))).toBe(false)
    expect(book.state(keyOf(peer))).toMatchObject({
      outcome: 'refused',
      verified: false,
      error: { code: 'line_refused' },
    })
    expect(book.state(key)).toMatchObject({ outcome: 'applied', verified: true })
    expect(book.claims.map((claim) => claim.key)).toEqual([key])
  })

  it('goes on from what the device shows when the connection went in the middle of a change', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    router.faults.add({ kind: 'disconnect', when: 'after', matching: 'blackhole tag', times: 1 })
    const from = book.entries.length

    await bring(book, agent, [target])

    const kinds = book.entries.slice(from)
    expect(kinds.find((entry) => entry.kind === 'done')).toMatchObject({
      value: { outcome: 'unknown' },
    })
    expect(kinds.find((entry) => entry.kind === 'failed')).toMatchObject({ code: 'unreachable' })
    expect(book.state(key)).toMatchObject({ outcome: 'applied', verified: true })
    expect(book.claims).toMatchObject([{ key, phase: 'held' }])
  })

  it('gives the same answers when every byte comes in a packet of its own', async () => {
    router.faults.add({ kind: 'split', bytes: 1 })
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    await bring(book, agent, [target, neighbor('192.0.2.9')])
    expect(book.state(key)?.verified).toBe(true)
    expect(book.state(keyOf(neighbor('192.0.2.9')))?.verified).toBe(true)
  })

  it('closes the session when no answer comes in time, and tries again', async () => {
    const book = createBook()
    const agent = start(book, { deadlineMs: 300 })
    await book.until(verified)
    router.faults.add({ kind: 'hang', matching: 'blackhole tag', times: 1 })
    const from = book.entries.length

    await bring(book, agent, [target])

    expect(book.entries.slice(from).find((entry) => entry.kind === 'failed')).toMatchObject({
      code: 'timeout',
    })
    expect(book.state(key)?.verified).toBe(true)
  })

  it('takes a save without an answer for a save that failed, and for nothing else', async () => {
    const book = createBook()
    const agent = start(book, { deadlineMs: 300 })
    await book.until(verified)
    router.faults.add({ kind: 'disconnect', when: 'before', matching: '^write memory', times: 1 })
    const from = book.entries.length

    await bring(book, agent, [target])
    await book.until((entry) => entry.kind === 'saved' && entry.ok, from)

    const entries = book.entries.slice(from)
    expect(entries.filter((entry) => entry.kind === 'saved')).toMatchObject([
      { ok: false },
      { ok: true },
    ])
    expect(entries.some((entry) => entry.kind === 'failed')).toBe(false)
    expect(book.state(key)?.verified).toBe(true)
  })

  it('saves nothing while a daemon is dead, whose part of the configuration the file would lose', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    const text =
      'watchfrr global phase: Idle\n  zebra                Up\n  ospfd                Down\n'
    router.faults.add({ kind: 'reject', matching: '^show watchfrr', text, times: 1 })
    router.journal.clear()

    await bring(book, agent, [target])
    await book.until((entry) => entry.kind === 'saved' && entry.ok)

    const asked = router.journal.lines().filter((line) => /^(?:show watchfrr|write)/.test(line))
    expect(asked).toEqual(['show watchfrr', 'show watchfrr', 'write memory'])
    // Both are told: one that never begins would stay unsaved without anybody hearing why.
    expect(book.entries.filter(({ kind }) => kind === 'saved')).toMatchObject([
      { ok: false, message: expect.stringMatching(/^nothing is saved now: /) },
      { ok: true },
    ])
  })

  it('lifts what one answer leaves out, because the next one has it', async () => {
    const book = createBook()
    const agent = start(book, { save: 'never' })
    await book.until(verified)
    await bring(book, agent, [target])
    const line = 'ip route 203.0.113.9/32 blackhole tag 666'
    expect(router.running).toContain(line)
    const without = router.running.replace(`${line}\n`, '')
    router.faults.add({ kind: 'reject', matching: '^show run', text: without, times: 1 })
    router.faults.add({ kind: 'reject', matching: '^show ip route', text: '{}\n', times: 1 })
    router.journal.clear()

    await bring(book, agent, [])

    expect(router.journal.lines().filter((one) => one.startsWith('show run'))).toHaveLength(2)
    await bring(book, agent, [])
    expect(router.running).not.toContain(line)
    expect(book.state(key)).toMatchObject({ seen: 'absent', verified: true })
  })

  it('looks for what was lifted once in each session, and for what is back as long as it is', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    const line = 'ip route 203.0.113.9/32 blackhole tag 666'
    const lifted = { key, intent: target, wrote: [line] }
    const known = { key, object: [line] }
    const asks = () => router.journal.lines().filter((one) => one.includes(' 203.0.113.9/32 json'))
    const look = async () => {
      const from = book.entries.length
      router.journal.clear()
      agent.wake('check')
      await book.until(verified, from)
      // Reads of one device go one after the other: what the convergence had to say was said by then.
      await agent.read([blackhole('203.0.113.77/32')])
      return book.entries.slice(from)
    }
    book.lifted = [{ ...lifted, back: false }]
    router.setByHand([line])
    await look()
    expect(asks()).toEqual([])

    router.faults.add({ kind: 'sessions', how: 'cut' })
    await expect.poll(() => agent.connected).toBe(false)
    await agent.read([blackhole('203.0.113.77/32')])
    const found = await look()
    expect(found).toContainEqual({ kind: 'orphans', value: [known] })

    book.lifted = [{ ...lifted, back: true }]
    const again = await look()
    expect(again).toMatchObject([{ kind: 'verified', value: { orphans: [known] } }])

    router.setByHand([`no ${line}`])
    expect(await look()).toContainEqual({ kind: 'orphans', value: [] })
    book.lifted = [{ ...lifted, back: false }]
    await look()
    expect(asks()).toEqual([])
  })

  it('does what is wanted though what was lifted can not be read, and looks for that again', async () => {
    const book = createBook()
    const line = 'ip route 203.0.113.10/32 blackhole tag 666'
    const intent = blackhole('203.0.113.10/32')
    const lifted = { key: keyOf(intent), intent, wrote: [line] }
    router.setByHand([line])
    book.lifted = [{ ...lifted, back: false }]
    book.wanted = [target]
    const matching = '^show ip route 203.0.113.10/32'
    router.faults.add({ kind: 'reject', matching, text: 'nothing known\n', times: 1 })
    const agent = start(book)

    await book.until(verified)
    expect(book.state(key)).toMatchObject({ outcome: 'applied', seen: 'present', verified: true })
    await book.until((entry) => entry.kind === 'saved')
    const kinds = book.entries.map((entry) => entry.kind)
    expect(kinds).not.toContain('failed')
    expect(kinds).not.toContain('orphans')

    agent.wake('check')
    const { value } = (await book.until(({ kind }) => kind === 'orphans')) as { value?: unknown }
    expect(value).toEqual([{ key: lifted.key, object: [line] }])
  })

  it('says of nothing that it was lifted while the daemon is dead that did it', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    await bring(book, agent, [target])
    const back = router.faults.add({
      kind: 'reject',
      matching: '^show daemons',
      text: ' zebra bgpd\n',
    })
    router.journal.clear()

    await bring(book, agent, [])
    expect(book.state(key)).toMatchObject({ outcome: 'refused', seen: 'unknown', verified: false })
    expect(book.state(key)?.error?.message).toMatch(/^staticd is not running/)
    expect(book.claims).toMatchObject([{ key, phase: 'held' }])
    expect(router.journal.lines().filter((line) => line.startsWith('no '))).toEqual([])

    back()
    await bring(book, agent, [])
    expect(book.state(key)).toMatchObject({ seen: 'absent', verified: true })
  })

  it('fails for what it had begun with, not for what was accepted meanwhile', async () => {
    const book = createBook()
    const agent = start(book, { deadlineMs: 300 })
    await book.until(verified)
    await bring(book, agent, [target])
    const other = blackhole('203.0.113.10/32')
    router.faults.add({ kind: 'hang', matching: '^show running-config', times: 1 })
    router.journal.clear()
    const from = book.entries.length

    agent.wake('check')
    await expect
      .poll(() => router.journal.lines().some((line) => line.startsWith('show running-config')))
      .toBe(true)
    book.wanted = [target, other]
    const failed = await book.until((entry) => entry.kind === 'failed', from)

    expect(failed).toMatchObject({ code: 'timeout', keys: [key] })
  })

  it('reports what somebody removed, and puts it back', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    await bring(book, agent, [target])
    router.setByHand(['no ip route 203.0.113.9/32 blackhole tag 666'])
    const from = book.entries.length

    agent.wake('check')
    await book.until((entry) => entry.kind === 'intend' && entry.value.purpose === 'change', from)
    await book.until(verified, book.entries.length)

    const first = book.entries.slice(from).find((entry) => entry.kind === 'verified')
    expect(first).toMatchObject({ value: { drifted: [key] } })
    expect(router.running).toContain('203.0.113.9/32')
  })

  it("leaves somebody else's blackhole alone, also at release", async () => {
    router.setByHand(['ip route 203.0.113.9/32 blackhole tag 666'])
    const book = createBook()
    const agent = start(book)
    await book.until(verified)

    await bring(book, agent, [target])
    expect(book.state(key)).toMatchObject({ outcome: 'already', seen: 'foreign', verified: true })
    await bring(book, agent, [])

    expect(book.claims).toEqual([])
    expect(router.running).toContain('203.0.113.9/32')
  })

  it('says at release that what someone changed stands there still, and is not ours', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    await bring(book, agent, [target])
    router.setByHand([
      'no ip route 203.0.113.9/32 blackhole tag 666',
      'ip route 203.0.113.9/32 blackhole tag 777',
    ])

    await bring(book, agent, [])

    expect(book.state(key)).toMatchObject({ seen: 'foreign', verified: true })
    expect(book.state(key)?.note).toContain('tag 777')
    expect(book.claims).toEqual([])
    expect(router.running).toContain('tag 777')
  })

  it('still knows as ours what a reboot brings back, on a device that is never saved', async () => {
    const book = createBook()
    const first = start(book)
    await bring(book, first, [target])
    await book.until((entry) => entry.kind === 'saved')
    await first.stop()
    await bring(book, start(book, { save: 'never' }), [])
    expect(book.claims).toMatchObject([{ key, phase: 'lifted' }])

    const from = book.entries.length
    router.reboot()
    expect(router.running).toContain('203.0.113.9/32')
    await book.until((entry) => entry.kind === 'done' && entry.value.purpose === 'change', from)

    await expect.poll(() => router.running).not.toContain('203.0.113.9/32')
  })

  it('gives up on an effect in time, however much else there is to do', async () => {
    const book = createBook()
    const agent = start(book, {}, { ownMs: 300, observerMs: 600 })
    await book.until(verified)
    book.expected = [target]
    // Whatever ends, the next one is there already: no convergence ever comes to wait.
    const busy = setInterval(() => agent.wake('change'), 2)
    try {
      await expect
        .poll(() => book.state(key))
        .toMatchObject({ outcome: 'failed', verified: false, error: { code: 'not_shown' } })
    } finally {
      clearInterval(busy)
    }

    // It is said again by the next read, not taken back for as long as it is waited for anew.
    const from = book.entries.length
    agent.wake('change')
    await book.until(verified, from)
    expect(book.state(key)?.outcome).toBe('failed')
  })

  it('counts no time in which nothing could be read against an effect that is waited for', async () => {
    const book = createBook()
    const clock = travelClock()
    const agent = start(book, {}, { ownMs: 30_000, observerMs: 30_000 }, { clock })
    await book.until(verified)
    book.expected = [target]
    // Who waits for an answer cuts a wait short: what was seen until then is written down.
    const looked = async (from: number): Promise<boolean> => {
      await agent.read([]).catch(() => undefined)
      return book.entries.slice(from).some(verified)
    }
    let from = book.entries.length
    agent.wake('change')
    await expect.poll(() => looked(from)).toBe(true)
    expect(book.state(key)).toMatchObject({ outcome: 'unknown', seen: 'absent' })

    const off = router.faults.add({ kind: 'off' })
    agent.wake('check')
    await book.until((entry) => entry.kind === 'failed', from)
    clock.travel(31_000)
    off()
    from = book.entries.length
    agent.wake('check')
    await expect.poll(() => looked(from)).toBe(true)
    expect(book.state(key)).toMatchObject({ outcome: 'unknown', seen: 'absent' })
  })

  it('gives an effect all its time from when the devices that it comes from have it', async () => {
    const book = createBook()
    const agent = start(book, {}, { ownMs: 300, observerMs: 300 })
    await book.until(verified)
    const others = {
      code: 'awaits_others',
      message: 'waits for trigger2, which is unreachable',
      remedy: 'see trigger2',
    } as const
    book.awaits = (keys) => new Map([...keys].map((one) => [one, others]))
    book.expected = [target]
    agent.wake('change')
    await expect
      .poll(() => book.state(key))
      .toEqual({
        key,
        kind: 'blackhole',
        outcome: 'unknown',
        seen: 'absent',
        verified: false,
        error: others,
      })

    // They have it now, and it comes only after a look that lacks it: though it was waited for long, that look is not the last.
    book.awaits = () => {
      queueMicrotask(() => router.setByHand(['ip route 203.0.113.9/32 blackhole tag 666']))
      return new Map()
    }
    const from = book.entries.length
    agent.wake('change')
    await book.until(verified, from)
    expect(book.state(key)).toMatchObject({ verified: true, seen: 'present' })
  })

  it('calls an effect gone only when it is gone, or is the device’s own', async () => {
    router.setByHand(['ip route 203.0.113.9/32 blackhole tag 777'])
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    book.fading = [target]
    agent.wake('change')
    await book.until(() => book.state(key) !== undefined)
    expect(book.state(key)).toMatchObject({ seen: 'foreign', verified: true })
    expect(book.state(key)?.note).toContain('tag 777')
  })

  it('changes nothing while a freeze holds', async () => {
    const book = createBook()
    book.held = true
    book.wanted = [target]
    start(book)
    await book.until(verified)
    expect(book.state(key)).toMatchObject({ verified: false, note: 'held by a freeze' })
    expect(router.running).not.toContain('203.0.113.9')
  })

  it('waits for a device that is off, for as long as it takes', async () => {
    const off = router.faults.add({ kind: 'off' })
    const book = createBook()
    book.wanted = [target]
    start(book)
    await book.until((entry) => entry.kind === 'failed')
    expect(book.entries.find((entry) => entry.kind === 'failed')).toMatchObject({
      code: 'unreachable',
      keys: [key],
    })

    off()
    await book.until(verified)
    expect(book.state(key)?.verified).toBe(true)
  })

  it.each([
    {
      save: 'always',
      what: 'stays away from a device that logs it out while there is nothing to do',
    },
    { save: 'never', what: 'comes back at once while something is not saved' },
  ] as const)('$what', async ({ save }) => {
    const { clock, timers } = recordedClock()
    const book = createBook()
    const agent = start(book, { save }, { ownMs: 300, observerMs: 300 }, { clock })
    await bring(book, agent, [target])
    if (save === 'always') await book.until((entry) => entry.kind === 'saved')
    await agent.check()
    timers.length = 0

    router.reboot()
    await expect.poll(() => agent.connected).toBe(false)

    // The first of the pauses before a new try.
    expect(timers.includes(200)).toBe(save === 'never')
    await agent.check()
    expect(agent.connected).toBe(true)
  })

  it('asks a device that is off less and less often, and begins anew with short pauses once it was there', async () => {
    const travelled = travelClock()
    const { clock, timers } = recordedClock(travelled)
    const book = createBook()
    const off = router.faults.add({ kind: 'off' })
    const agent = start(book, {}, undefined, { clock })
    const failed = (entry: Entry): boolean => entry.kind === 'failed'
    let from = 0
    for (const pause of [200, 400, 800, 1_600]) {
      await book.until(failed, from)
      from = book.entries.length
      await expect.poll(() => timers).toContain(pause)
      timers.length = 0
      if (pause === 1_600) off()
      travelled.travel(pause)
    }
    await book.until(verified)
    // One outage, however often it was tried.
    const lost = book.entries.filter((one) => one.kind === 'session' && one.value.kind === 'lost')
    expect(lost).toHaveLength(1)

    router.faults.add({ kind: 'off' })
    await expect.poll(() => agent.connected).toBe(false)
    timers.length = 0
    agent.wake('check')
    await book.until(failed, from)
    await expect.poll(() => timers).toContain(200)
  })

  it('tries a save that is refused less and less often, and begins anew with short pauses once one went well', async () => {
    const travelled = travelClock()
    const { clock, timers } = recordedClock(travelled)
    const book = createBook()
    const agent = start(book, {}, undefined, { clock })
    await book.until(verified)
    const failed = (entry: Entry): boolean => entry.kind === 'saved' && !entry.ok
    let from = book.entries.length
    let off = router.faults.add({ kind: 'refuse-save' })
    await bring(book, agent, [target])
    for (const pause of [200, 400, 800]) {
      await book.until(failed, from)
      from = book.entries.length
      await expect.poll(() => timers).toContain(pause)
      timers.length = 0
      if (pause === 800) off()
      travelled.travel(pause)
    }
    await book.until((entry) => entry.kind === 'saved' && entry.ok, from)

    from = book.entries.length
    off = router.faults.add({ kind: 'refuse-save' })
    await bring(book, agent, [])
    await book.until(failed, from)
    await expect.poll(() => timers).toContain(200)
    off()
  })

  it('speaks to no device with another host key', async () => {
    const book = createBook()
    router.faults.add({ kind: 'host-key' })
    start(book)
    await book.until((entry) => entry.kind === 'failed')
    expect(book.entries.find((entry) => entry.kind === 'failed')).toMatchObject({
      code: 'host_key_changed',
    })
    expect(router.journal.lines()).toEqual([])
  })

  it('says that a login was refused', async () => {
    const book = createBook()
    router.faults.add({ kind: 'refuse-login' })
    start(book)
    await book.until((entry) => entry.kind === 'failed')
    expect(book.entries.find((entry) => entry.kind === 'failed')).toMatchObject({
      code: 'login_refused',
    })
  })

  it('reads for a plan without a change, and checks with findings', async () => {
    const book = createBook()
    const agent = start(book)
    const reading = await agent.read([target])
    expect(reading.observation.found.get(key)?.effect).toBe('none')
    const check = await agent.check()
    expect(check.findings.length).toBeGreaterThan(0)
    expect(book.entries.some((entry) => entry.kind === 'intend')).toBe(false)
  })

  it('keeps a hundred blackholes apart, written in windows', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    const wanted = Array.from({ length: 150 }, (_, i) => blackhole(`203.0.113.${i}/32`))
    await bring(book, agent, wanted)
    expect(wanted.filter((intent) => book.state(keyOf(intent))?.verified !== true)).toEqual([])
  })

  it('puts many routes on and off as one change of the device, and writes its words down', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    const wanted = Array.from({ length: 150 }, (_, i) => blackhole(`203.0.113.${i}/32`))
    const typed = router.journal.lines().length
    await bring(book, agent, wanted)
    await bring(book, agent, [])

    const lines = router.journal.lines().slice(typed)
    const changing = lines.filter((line) => /^(?:XFRR_|(?:no )?ip route )/.test(line))
    const between = (no: string) => [
      'XFRR_start_configuration',
      ...wanted.map((_, i) => `${no}ip route 203.0.113.${i}/32 blackhole tag 666`),
      'XFRR_end_configuration',
    ]
    expect(changing.slice(0, 152).toSorted()).toEqual(between('').toSorted())
    expect(changing.slice(152).toSorted()).toEqual(between('no ').toSorted())
    expect([changing[0], changing[151]]).toEqual([
      'XFRR_start_configuration',
      'XFRR_end_configuration',
    ])
    const intended = book.entries.flatMap((entry) =>
      entry.kind === 'intend' && entry.value.purpose === 'change' ? [entry.value.commands] : [],
    )
    expect(intended.map((commands) => commands.length)).toEqual([154, 154])
    expect(router.running).not.toContain('blackhole tag 666')
  })

  it('does the rest one by one where the device throws a batch away for one of its routes', async () => {
    const book = createBook()
    const agent = start(book)
    await book.until(verified)
    const wanted = Array.from({ length: 20 }, (_, i) => blackhole(`203.0.113.${i}/32`))
    // Between our look and our change somebody gives one of them a next hop.
    router.faults.add({
      kind: 'foreign-change',
      when: 'before',
      matching: '^XFRR_start_configuration$',
      times: 1,
      lines: ['ip route 203.0.113.7/32 192.0.2.9'],
    })
    await bring(book, agent, wanted)

    const states = wanted.map((intent) => book.state(keyOf(intent)))
    expect(states.filter((state) => state?.verified !== true).map((state) => state?.key)).toEqual([
      keyOf(blackhole('203.0.113.7/32')),
    ])
    expect(router.running).toContain('ip route 203.0.113.7/32 192.0.2.9\n')
    expect(router.running.match(/blackhole tag 666/g)?.length).toBe(19)
  })
})
