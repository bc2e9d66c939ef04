// A mistake of ours, or a book that can't be written: said of the one device that it struck, tried again by itself, and never the end of anything else.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PQueue from 'p-queue'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Agent, createAgent } from '../../agent/agent.ts'
import { type Clock, systemClock } from '../../agent/clock.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import type { Device } from '../../inventory/model.ts'
import { parsePrefix } from '../../inventory/prefix.ts'
import { device as plainDevice } from '../unit/small-isp.ts'
import { type Book, createBook, type Entry } from './agent-book.ts'
import { recordedClock } from './recorded-clock.ts'
import { type RunningDevice, type Simulator, startSimulator } from './simulator.ts'

let simulator: Simulator
let router: RunningDevice
let folder: string
let agent: Agent | undefined
let logged: { readonly detail: object; readonly message: string }[]
/** While it is there, what shows it breaks the platform. */
let broken: boolean

const target = blackhole('203.0.113.9/32')
const key = keyOf(target)
const put = 'ip route 203.0.113.9/32 blackhole tag 666'

function blackhole(text: string): Intent {
  const prefix = parsePrefix(text)
  if (!prefix.ok) throw new Error(text)
  return { kind: 'blackhole', vrf: 'default', prefix: prefix.value, tag: 666 }
}

beforeEach(async () => {
  logged = []
  broken = false
  folder = await mkdtemp(join(tmpdir(), 'nullroute-broken-'))
  simulator = await startSimulator({
    devices: [{ name: 'trigger1', platform: 'frr', asn: '64500', roles: ['rtbh-trigger'] }],
  })
  router = simulator.device('trigger1')
  const known = `[${router.host}]:${router.port} ${router.hostKey}\n`
  await writeFile(join(folder, 'known_hosts'), known)
})

afterEach(async () => {
  await agent?.stop()
  await simulator.stop()
  await rm(folder, { recursive: true })
})

function start(
  book: Book,
  over: {
    readonly platform?: Platform
    readonly device?: Partial<Device>
    readonly clock?: Clock
  } = {},
): Agent {
  const log = (detail: object, message: string): void => void logged.push({ detail, message })
  agent = createAgent({
    device: plainDevice('trigger1', router.host, {
      port: router.port,
      username: router.username,
      auth: { kind: 'password', passwordEnv: 'PASSWORD' },
      knownHosts: join(folder, 'known_hosts'),
      roles: ['rtbh-trigger'],
      deadlineMs: 2_000,
      sessionIdleMs: 60_000,
      ...over.device,
    }),
    platform: over.platform ?? frr,
    journal: book,
    gate: new PQueue({ concurrency: 8 }),
    clock: over.clock ?? systemClock,
    log: { info: log, warn: log },
    environment: { PASSWORD: router.password },
    deadlines: { ownMs: 300, observerMs: 300 },
  })
  return agent
}

const verified = (entry: Entry): boolean => entry.kind === 'verified'
const failed = (entry: Entry): boolean => entry.kind === 'failed'

/** Breaks as a mistake does: at what nobody had thought of, on the one output that shows it. */
function strike(text: string): void {
  if (broken && text.includes('blackhole tag 666')) {
    throw new TypeError("Cannot read properties of undefined (reading 'nexthops')")
  }
}

/** FRR with a mistake in one of its functions. */
const mistakes: readonly { readonly at: string; readonly platform: Platform }[] = [
  {
    at: 'what it makes of the answers',
    platform: {
      ...frr,
      parse(answers, intents, seen) {
        for (const { text } of answers.values()) strike(text)
        return frr.parse(answers, intents, seen)
      },
    },
  },
  {
    at: 'whether a line was refused',
    platform: {
      ...frr,
      failed(line, answer, status) {
        strike(`${line.text} ${answer}`)
        return frr.failed(line, answer, status)
      },
    },
  },
  {
    at: 'what is no part of an answer, while bytes come in',
    platform: {
      ...frr,
      clean(text) {
        strike(text)
        return frr.clean?.(text) ?? text
      },
    },
  },
  {
    at: 'where the prompt is, while bytes come in',
    platform: {
      ...frr,
      prompt(seen) {
        const prompts = frr.prompt(seen)
        return (text) => {
          if (broken && text.endsWith('(config)# ')) strike('blackhole tag 666')
          return prompts(text)
        }
      },
    },
  },
  {
    at: 'what nobody may keep',
    platform: {
      ...frr,
      redact(text) {
        strike(text)
        return frr.redact(text)
      },
    },
  },
  {
    at: 'what is sent',
    platform: {
      ...frr,
      render(changes, facts) {
        if (changes.length > 0) strike('blackhole tag 666')
        return frr.render(changes, facts)
      },
    },
  },
]

describe('a mistake of ours in a platform', () => {
  it.each(mistakes)(
    'is said of the device, and tried again by itself: $at',
    async ({ platform }) => {
      const book = createBook()
      const one = start(book, { platform })
      await book.until(verified)
      broken = true
      const from = book.entries.length
      book.wanted = [target]

      one.wake('change')
      const entry = await book.until(failed, from)

      expect(entry).toMatchObject({ code: 'internal', keys: [key] })
      expect(book.entries.slice(from).some(verified)).toBe(false)
      expect(logged.at(-1)?.detail).toMatchObject({
        err: { stack: expect.stringContaining('strike') },
      })
      // Once more, without anybody asking.
      await book.until(failed, book.entries.length)
      broken = false
      await book.until(verified, book.entries.length)
      expect(book.state(key)).toMatchObject({ outcome: 'applied', seen: 'present', verified: true })
      expect(router.running).toContain(put)
    },
  )

  it('is said in words, without what nobody may keep', async () => {
    const book = createBook()
    const said: string[] = []
    book.failed = async ({ message }) => void said.push(message)
    start(book, {
      platform: {
        ...frr,
        parse() {
          throw new TypeError('no meaning for: neighbor 192.0.2.9 password Secret-4711')
        },
      },
    })

    await expect.poll(() => said.length).toBeGreaterThan(0)

    expect(said[0]).toMatch(/^a step of the device agent broke off: TypeError: no meaning for: /)
    expect(said[0]).not.toContain('Secret-4711')
  })

  it('before a save is said of the save alone, which is tried again with longer and longer pauses', async () => {
    const { clock, timers } = recordedClock()
    const { save } = frr
    if (save === undefined) throw new Error('frr has a save')
    const lines: typeof save.lines = (held, facts) => {
      if (broken) strike('blackhole tag 666')
      return save.lines(held, facts)
    }
    const book = createBook()
    broken = true
    book.wanted = [target]
    start(book, { platform: { ...frr, save: { ...save, lines } }, clock })

    const isSaved = (entry: Entry): boolean => entry.kind === 'saved'
    const first = await book.until(isSaved)
    const second = await book.until(isSaved, book.entries.indexOf(first) + 1)
    await book.until(isSaved, book.entries.indexOf(second) + 1)

    expect(first).toMatchObject({ ok: false, message: expect.stringContaining('TypeError') })
    expect(timers).toEqual(expect.arrayContaining([200, 400]))
    expect(book.entries.some(failed)).toBe(false)
    expect(book.state(key)).toMatchObject({ outcome: 'applied', verified: true })
    broken = false
    await book.until((entry) => entry.kind === 'saved' && entry.ok)
    expect(router.startup).toContain(put)
  })
})

describe('a book that can not be written', () => {
  it('is said as soon as that can be written, and what it was about is done again', async () => {
    const book = createBook()
    const one = start(book)
    await book.until(verified)
    const from = book.entries.length
    const write = book.verified.bind(book)
    let refusals = 2
    book.verified = async (step) => {
      refusals -= 1
      if (refusals >= 0) throw new TypeError('a mistake in the transaction')
      await write(step)
    }
    book.wanted = [target]

    one.wake('change')
    await book.until(verified, from)

    const told = book.entries.slice(from).filter(failed)
    expect(told).toMatchObject([
      { code: 'internal', keys: [key] },
      { code: 'internal', keys: [key] },
    ])
    expect(book.state(key)).toMatchObject({ outcome: 'applied', verified: true })
  })

  it('is in the log where not even that can be written, and tried again by itself', async () => {
    const book = createBook()
    const one = start(book)
    await book.until(verified)
    const from = book.entries.length
    const write = book.verified.bind(book)
    let full = 3
    const disk = async (): Promise<never> => {
      full -= 1
      throw new Error('the disk is full')
    }
    book.verified = (step) => (full > 0 ? disk() : write(step))
    book.failed = disk
    book.wanted = [target]

    one.wake('change')
    await book.until(verified, from)

    const errors = logged.filter(({ message }) => message === 'a step of the device agent failed')
    // The read-back, that it could not be written, and the next read-back.
    expect(errors.map(({ detail }) => detail)).toMatchObject([
      { device: 'trigger1', err: { message: 'the disk is full' } },
      { device: 'trigger1', err: { message: 'the disk is full' } },
      { device: 'trigger1', err: { message: 'the disk is full' } },
      { device: 'trigger1', err: { message: 'the disk is full' } },
    ])
    expect(book.state(key)).toMatchObject({ outcome: 'applied', verified: true })
  })

  it('is no reason to try a password again that was refused', async () => {
    const { clock, timers } = recordedClock()
    const book = createBook()
    const disk = async (): Promise<never> => {
      throw new Error('the disk is full')
    }
    book.session = disk
    book.failed = disk
    router.faults.add({ kind: 'refuse-login' })
    start(book, { clock })

    await expect.poll(() => logged.length).toBe(2)
    await new Promise((resolve) => setImmediate(resolve))

    expect(logged.map(({ detail }) => detail)).toMatchObject([
      { code: 'login_refused' },
      { err: { message: 'the disk is full' } },
    ])
    // The first of the pauses before a new try.
    expect(timers).not.toContain(200)
  })
})

describe('a session that has failed', () => {
  it('is nobody’s any more: who waited behind gets another', async () => {
    const book = createBook()
    const one = start(book, { device: { deadlineMs: 300 } })
    await book.until(verified)
    router.faults.add({ kind: 'hang', matching: '^show', times: 1 })
    const from = book.entries.length
    router.journal.clear()

    one.wake('change')
    const reading = await one.read([target])

    expect(reading.observation.found.get(key)?.effect).toBe('none')
    const told = book.entries.slice(from)
    expect(told.find(failed)).toMatchObject({ code: 'timeout' })
    expect(told.flatMap((entry) => (entry.kind === 'session' ? [entry.value.kind] : []))).toEqual([
      'lost',
      'connected',
    ])
    // Never a third beside one that the device still has.
    const most = router.journal.entries.reduce(
      ({ open, top }, { kind }) => {
        const now = open + (kind === 'open' ? 1 : kind === 'close' ? -1 : 0)
        return { open: now, top: Math.max(top, now) }
      },
      { open: 1, top: 1 },
    ).top
    expect(most).toBeLessThanOrEqual(2)
    expect(one.connected).toBe(true)
  })
})
