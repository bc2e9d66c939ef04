// A candidate with a confirmed commit, on the smallest device that has one: what matters here is the order of things, not an operating system.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PQueue from 'p-queue'
import ssh2, { type ServerChannel } from 'ssh2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Agent, createAgent } from '../../agent/agent.ts'
import { type Clock, systemClock } from '../../agent/clock.ts'
import type { Claim } from '../../agent/diff.ts'
import { AgentError } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import {
  enter,
  type Found,
  free,
  inside,
  type Line,
  type Platform,
  type Rendering,
} from '../../agent/platform.ts'
import type { Device } from '../../inventory/model.ts'
import { parseAddress, parsePrefix } from '../../inventory/prefix.ts'
import { type Book, createBook, type Entry } from './agent-book.ts'
import { makeHostKey } from './host-key.ts'

interface Box {
  running: Set<string>
  before: Set<string>
  pending: string | undefined
  /** What the newest commit carries. */
  newest: string
  /** What those before it carry. */
  earlier: string[]
  candidate: Set<string>
  lines: string[]
  /** Which session each of them came over. */
  over: number[]
  /** Shells that were opened. */
  shells: number
  /** Answers a line in its own way: undefined = as usual. */
  odd: (line: string) => string | undefined
  /** Whether the session ends after this line. */
  cut: (line: string) => boolean
}

function answer(box: Box, line: string): string {
  const odd = box.odd(line)
  if (odd !== undefined) return odd
  const [verb = '', rest = ''] = line.split(/ (.*)/)
  switch (verb) {
    case 'show':
      return [...box.running].join('\r\n')
    case 'look':
      return [
        box.pending === undefined ? `none ${box.newest}` : `pending ${box.pending}`,
        ...box.earlier,
      ].join(' ')
    case 'edit':
      box.candidate = new Set(box.running)
      return ''
    case 'set':
      box.candidate.add(rest)
      return ''
    case 'delete':
      box.candidate.delete(rest)
      return ''
    case 'diff':
      return [
        ...[...box.candidate].filter((one) => !box.running.has(one)).map((one) => `+${one}`),
        ...[...box.running].filter((one) => !box.candidate.has(one)).map((one) => `-${one}`),
      ].join('\r\n')
    default:
      return commit(box, verb, rest)
  }
}

function commit(box: Box, verb: string, token: string): string {
  switch (verb) {
    case 'commit':
      box.before = box.running
      box.running = new Set(box.candidate)
      box.pending = token
      box.earlier.push(box.newest)
      box.newest = token
      return 'committed'
    case 'confirm':
    case 'plain':
      box.pending = undefined
      return ''
    case 'cancel':
      box.running = box.before
      box.pending = undefined
      box.newest = 'cancelled'
      return ''
    default:
      return ''
  }
}

function speak(box: Box, channel: ServerChannel): void {
  let mode = '>'
  let typed = ''
  box.shells += 1
  const own = box.shells
  channel.write(`dev${mode} `)
  channel.on('data', (bytes: Buffer) => {
    typed += bytes.toString()
    for (let end = typed.indexOf('\n'); end !== -1; end = typed.indexOf('\n')) {
      const line = typed.slice(0, end)
      typed = typed.slice(end + 1)
      if (line !== '') {
        box.lines.push(line)
        box.over.push(own)
      }
      const text = answer(box, line)
      const refused = text.startsWith('error')
      if (line === 'edit' && !refused) mode = '#'
      if (line === 'exit') mode = '>'
      if (box.cut(line)) {
        channel.close()
        return
      }
      channel.write(`${line}\r\n${text === '' ? '' : `${text}\r\n`}dev${mode} `)
    }
  })
}

/** Unlike any other time that the agent waits for. */
const windowMs = 61_234

const behind = 'the table is behind'

const objectOf = (intent: Intent): string => keyOf(intent)

const small: Platform = {
  name: 'small',
  source: 'made for this test',
  limits: [],
  newline: '\n',
  echo: true,
  columns: 200,
  canonicalPort: (name) => name,
  redact: (text) => text,
  open: ({ text }) =>
    text.endsWith('dev> ') ? { do: 'ready', context: 'op', host: 'dev' } : undefined,
  prompt: () => (text) => {
    const sign = /(?:^|\n)dev([>#]) $/.exec(text)?.[1]
    if (sign === undefined) return undefined
    return { context: sign === '>' ? 'op' : 'conf', start: text.length - 5 }
  },
  failed: (_line, text) => (text.startsWith('error') ? { message: text } : undefined),
  rest: 'op',
  observe: () => [{ what: 'all', line: free('show', 'op') }],
  parse(answers, intents) {
    const lines = (answers.get('all')?.text ?? '').split('\n')
    // What is configured is not in force while this is said.
    const isBehind = lines.includes(behind)
    const found = intents.map((intent): [Found['key'], Found] => {
      const key = keyOf(intent)
      const there = lines.includes(objectOf(intent))
      return [
        key,
        {
          key,
          object: there ? [objectOf(intent)] : [],
          effect: there ? 'same' : 'none',
          mark: 'unmarkable',
          inForce: there && !isBehind ? 'yes' : 'no',
        },
      ]
    })
    return { found: new Map(found), marked: [], facts: {} }
  },
  render: (changes) =>
    changes.map((change): Rendering => {
      const set = free(`set ${objectOf(change.intent)}`, 'conf')
      const remove = free(`delete ${objectOf(change.intent)}`, 'conf')
      return change.kind === 'lift'
        ? { kind: 'lines', apply: [remove], undo: [set], wrote: [] }
        : { kind: 'lines', apply: [set], undo: [remove], wrote: [objectOf(change.intent)] }
    }),
  transaction: {
    kind: 'candidate',
    enter: () => [enter('edit', 'op', 'conf')],
    diff: inside('diff', 'conf'),
    judge: (diff, renderings) =>
      diff.split('\n').length === renderings.length ? undefined : { message: `not meant: ${diff}` },
    check: inside('check', 'conf'),
    leave: [enter('exit', 'conf', 'op')],
    abort: [inside('rollback', 'conf'), enter('exit', 'conf', 'op')],
    timer: {
      undoes: 'commit',
      commit: (token): Line => ({ ...inside(`commit ${token}`, 'conf'), expect: /^committed$/ }),
      look: free('look', 'op'),
      lookInside: inside('look', 'conf'),
      count: free('count', 'op'),
      countInside: inside('count', 'conf'),
      pending(text) {
        const [kind, token, ...earlier] = text.split(' ')
        if (kind !== 'none' && kind !== 'pending') throw new AgentError('unknown_output', text)
        return { kind, token, earlier }
      },
      confirm: [inside('confirm', 'conf')],
      confirmHarder: (token) => [inside(`plain ${token}`, 'conf')],
      cancel: [inside('cancel', 'conf')],
      windowMs,
    },
  },
  preflight: { reads: () => [], judge: () => [] },
  prepare: () => '',
  configuration: [],
  canonical: () => '',
}

function blackhole(text: string): Intent {
  const prefix = parsePrefix(text)
  if (!prefix.ok) throw new Error(text)
  return { kind: 'blackhole', vrf: 'default', prefix: prefix.value, tag: 666 }
}

const one = blackhole('203.0.113.1/32')
const two = blackhole('203.0.113.2/32')
const verified = (entry: Entry): boolean => entry.kind === 'verified'

let box: Box
let folder: string
let server: ssh2.Server
let sessions: number
let agent: Agent | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nullroute-candidate-'))
  box = {
    running: new Set(),
    before: new Set(),
    pending: undefined,
    newest: '',
    earlier: [],
    candidate: new Set(),
    lines: [],
    over: [],
    shells: 0,
    odd: () => undefined,
    cut: () => false,
  }
  sessions = 0
  agent = undefined
  const pair = makeHostKey()
  server = new ssh2.Server({ hostKeys: [pair.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', (context) => context.accept())
    client.on('session', (accept) => {
      const session = accept()
      session.on('pty', (yes) => yes())
      session.on('shell', (yes) => {
        sessions += 1
        speak(box, yes())
      })
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${pair.public}\n`)
})

afterEach(async () => {
  await agent?.stop()
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  await rm(folder, { recursive: true })
})

/** The machine's clock, but for timers of the window's length: those are only kept, each in `due`, and `story` tells what became of them. */
function windowTimer() {
  const due: (() => void)[] = []
  const story: string[] = []
  let planned = (): void => undefined
  const isSet = new Promise<void>((resolve) => {
    planned = resolve
  })
  const clock: Clock = {
    ...systemClock,
    after(ms, then) {
      if (ms !== windowMs) return systemClock.after(ms, then)
      due.push(then)
      story.push('set')
      planned()
      return () => void story.push('cancelled')
    },
  }
  return { clock, due, isSet, story }
}

function start(book: Book, clock: Clock = systemClock): Agent {
  const address = parseAddress('127.0.0.1')
  if (!address.ok) throw new Error('127.0.0.1')
  const device: Device = {
    id: 'dev',
    platform: 'small',
    address: address.value,
    port: (server.address() as { port: number }).port,
    username: 'u',
    auth: { kind: 'password', passwordEnv: 'PASSWORD' },
    knownHosts: join(folder, 'known_hosts'),
    roles: [],
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
  }
  agent = createAgent({
    device,
    platform: small,
    journal: book,
    gate: new PQueue({ concurrency: 1 }),
    clock,
    log: { info: () => undefined, warn: () => undefined },
    environment: { PASSWORD: 'p' },
    deadlines: { ownMs: 100, observerMs: 100 },
  })
  return agent
}

describe('a candidate', () => {
  it('is committed on a timer and confirmed from a second session once that has read it back', async () => {
    const book = createBook()
    book.wanted = [one, two]
    start(book)
    await book.until(verified)

    expect(book.state(keyOf(one))).toMatchObject({ outcome: 'applied', verified: true })
    expect(book.entries.find(verified)).toMatchObject({ value: { session: 'second' } })
    expect(sessions).toBe(2)
    const commit = box.lines.findIndex((line) => line.startsWith('commit '))
    expect(box.lines.slice(commit + 1, commit + 9)).toEqual([
      'exit',
      'look',
      'show',
      'edit',
      'look',
      'confirm',
      'look',
      'exit',
    ])
    expect(box.pending).toBeUndefined()
    expect(book.claims.map((claim) => claim.phase)).toEqual(['held', 'held'])
  })

  it('loses only the intent that the device refuses', async () => {
    box.odd = (line) => (line === `set ${keyOf(two)}` ? 'error: no' : undefined)
    const book = createBook()
    book.wanted = [one, two]
    start(book)
    await book.until(verified)

    expect(book.state(keyOf(one))?.verified).toBe(true)
    expect(book.state(keyOf(two))).toMatchObject({
      outcome: 'refused',
      error: { code: 'line_refused' },
    })
    expect(book.claims.map((claim) => claim.key)).toEqual([keyOf(one)])
  })

  it('finds the intent that only the check refuses', async () => {
    const bad = (): boolean => box.candidate.has(keyOf(two))
    box.odd = (line) => (line === 'check' && bad() ? 'error: no' : undefined)
    const book = createBook()
    book.wanted = [one, two]
    start(book)
    await book.until(verified)
    expect(book.state(keyOf(one))?.verified).toBe(true)
    expect(book.state(keyOf(two))?.outcome).toBe('refused')
  })

  it('is thrown away when the difference holds more than was meant', async () => {
    box.odd = (line) => (line === 'diff' ? '+a\r\n+b\r\n+c' : undefined)
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)
    expect(book.state(keyOf(one))?.outcome).toBe('refused')
    expect(box.lines.some((line) => line.startsWith('commit'))).toBe(false)
    expect(box.lines).toContain('rollback')
  })

  it('is taken back when the device does not show it', async () => {
    box.odd = (line) => (line === 'show' ? 'nothing' : undefined)
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)
    expect(book.state(keyOf(one))).toMatchObject({
      outcome: 'failed',
      error: { code: 'not_shown' },
    })
    expect(book.entries.some((entry) => entry.kind === 'rolledBack')).toBe(true)
    expect(box.lines).not.toContain('confirm')
    expect(box.running.size).toBe(0)
  })

  it('beside which nobody can say what waits is thrown away, and not kept until the next look', async () => {
    box.odd = (line) => (line === 'look' && box.lines.includes('edit') ? 'pen' : undefined)
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(({ kind }) => kind === 'failed')

    expect(box.lines.slice(-2)).toEqual(['rollback', 'exit'])
  })

  it('is not begun while a commit of somebody else is pending', async () => {
    box.pending = 'aaaaaaaa'
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)
    expect(book.state(keyOf(one))).toMatchObject({ error: { code: 'timer_pending' } })
    expect(box.lines).not.toContain('edit')
    expect(box.lines).not.toContain('confirm')
  })

  it('that was pending when the controller died is known by its token, read back and confirmed', async () => {
    const book = createBook()
    book.wanted = [one]
    const claim = {
      key: keyOf(one),
      intent: one,
      before: [],
      wrote: [objectOf(one)],
      phase: 'pending',
    } as const
    await book.intend({
      purpose: 'change',
      commands: [],
      claims: [claim],
      token: '7f3a91c2',
      before: { kind: 'readback', text: '' },
    })
    box.running = new Set([objectOf(one)])
    box.pending = '7f3a91c2'
    box.newest = '7f3a91c2'

    start(book)
    await book.until(verified)

    expect(box.pending).toBeUndefined()
    expect(box.lines.some((line) => line.startsWith('commit'))).toBe(false)
    expect(book.state(keyOf(one))?.verified).toBe(true)
    expect(book.claims).toMatchObject([{ phase: 'held' }])
  })

  it('is known again as ours after a refusal, when the session went before it was confirmed', async () => {
    box.odd = (line) => (line === `set ${keyOf(two)}` ? 'error: no' : undefined)
    let committed = false
    box.cut = (line) => {
      if (line.startsWith('commit ')) committed = true
      const cuts = committed && line === 'look'
      if (cuts) box.cut = () => false
      return cuts
    }
    const book = createBook()
    book.wanted = [one, two]
    start(book)
    await book.until((entry) => entry.kind === 'failed')
    await book.until(() => book.state(keyOf(one))?.verified === true)

    expect(box.pending).toBeUndefined()
    // The session that committed is still open: it confirms nothing.
    const by = (word: string) => box.over[box.lines.findIndex((line) => line.startsWith(word))]
    expect(by('confirm')).not.toBe(by('commit '))
    expect(box.running).toEqual(new Set([objectOf(one)]))
    expect(book.state(keyOf(two))).toMatchObject({ error: { code: 'line_refused' } })
    expect(book.entries.some((entry) => entry.kind === 'rolledBack')).toBe(false)
  })

  it('is neither confirmed nor taken back under a freeze, and not called done', async () => {
    const book = createBook()
    book.wanted = [one]
    const claim = { key: keyOf(one), intent: one, before: [], wrote: [objectOf(one)] }
    await book.intend({
      purpose: 'change',
      commands: [],
      claims: [{ ...claim, phase: 'pending' }],
      token: '7f3a91c2',
      before: { kind: 'readback', text: '' },
    })
    box.running = new Set([objectOf(one)])
    box.pending = '7f3a91c2'
    box.newest = '7f3a91c2'
    book.held = true

    start(book)
    await book.until(verified)

    expect(box.lines).not.toContain('edit')
    expect(box.pending).toBe('7f3a91c2')
    expect(book.state(keyOf(one))).toMatchObject({
      verified: false,
      error: { code: 'not_confirmed' },
    })
    expect(book.claims).toMatchObject([{ phase: 'pending' }])

    // A check reads what the window shows, and does not know of the window.
    const from = book.entries.length
    await agent?.check()
    await book.until(() => book.entries.slice(from).filter(verified).length === 2)

    expect(book.entries.slice(from).filter(verified)).toMatchObject([
      { value: { states: [{ seen: 'present', verified: false, outcome: 'unknown' }] } },
      { value: { states: [{ verified: false, error: { code: 'not_confirmed' } }] } },
    ])
    expect(book.claims).toMatchObject([{ phase: 'pending' }])
  })

  it('is not called done by a check before anybody saw how it ended', async () => {
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)
    await book.until(() => book.claims[0]?.phase === 'held')
    const claim = book.claims[0]
    if (claim === undefined) throw new Error('no claim')
    // The controller's end came before it had read back.
    const { step: _step, ...rest } = claim
    await book.verified({
      states: [],
      claims: new Map([[claim.key, { ...rest, phase: 'pending' }]]),
      readback: { kind: 'readback', text: '' },
      session: 'own',
      orphans: [],
      drifted: [],
      unsaved: false,
    })

    const from = book.entries.length
    await agent?.check()
    await book.until(() => book.entries.slice(from).filter(verified).length === 2)

    expect(book.entries.slice(from).filter(verified)).toMatchObject([
      { value: { states: [{ verified: false, note: expect.stringContaining('under way') }] } },
      { value: { states: [{ verified: true, outcome: 'applied' }] } },
    ])
    expect(book.claims).toMatchObject([{ phase: 'held' }])
  })

  /** A change of ours that was committed, and whose end nobody saw. */
  const committed = (book: Book, claim: Partial<Claim> & Pick<Claim, 'phase'>): Promise<number> =>
    book.intend({
      purpose: 'change',
      commands: [],
      claims: [{ key: keyOf(one), intent: one, before: [], wrote: [objectOf(one)], ...claim }],
      token: '7f3a91c2',
      before: { kind: 'readback', text: '' },
    })

  /** Somebody else's commit after ours, and what the device goes back to unless he confirms it. */
  const overtake = (pending: string | undefined, before: readonly string[]): void => {
    box.newest = 'operator'
    box.earlier = ['7f3a91c2']
    box.pending = pending
    box.before = new Set(before)
  }

  /** His time is over. */
  const expire = (): void => {
    box.running = box.before
    box.pending = undefined
    box.earlier.push(box.newest)
    box.newest = 'timer'
  }

  it.each([
    { phase: 'pending', isWanted: true },
    { phase: 'lifting', isWanted: false },
    { phase: 'pending', isWanted: true, replaces: ['was'] },
  ] as const)(
    'that is $phase below a commit of somebody else that waits is neither called done nor let go of, and goes on when that was taken back',
    async ({ isWanted, ...claim }) => {
      const book = createBook()
      book.wanted = isWanted ? [one] : []
      await committed(book, claim)
      box.running = new Set(isWanted ? [objectOf(one)] : [])
      overtake('operator', isWanted ? [] : [objectOf(one)])
      start(book)
      await book.until(() => book.entries.filter(verified).length === 3)

      for (const entry of book.entries.filter(verified)) {
        expect(entry).toMatchObject({
          value: { states: [{ verified: false, error: { code: 'not_confirmed' } }] },
        })
      }
      expect(book.state(keyOf(one))?.error?.message).toContain('commit of somebody else')
      expect(book.claims).toMatchObject([claim])
      expect(box.lines).not.toContain('edit')

      expire()
      await book.until(() => book.state(keyOf(one))?.verified === true)

      expect(box.running).toEqual(new Set(isWanted ? [objectOf(one)] : []))
      expect(book.claims).toMatchObject(isWanted ? [{ phase: 'held' }] : [])
    },
  )

  it('that is below a commit of somebody else that waits is given up on in time, however often it is looked at meanwhile', async () => {
    const book = createBook()
    book.wanted = [one]
    await committed(book, { phase: 'pending' })
    box.running = new Set([objectOf(one), behind])
    overtake('operator', [])
    const agent = start(book)
    // Whatever ends, the next one is there already: no convergence ever comes to wait.
    const busy = setInterval(() => agent.wake('change'), 2)
    try {
      await expect
        .poll(() => book.state(keyOf(one)))
        .toMatchObject({ outcome: 'failed', error: { code: 'not_shown' } })
    } finally {
      clearInterval(busy)
    }
  })

  it('that was not shown and could not be taken back is taken back with the next try: it has no claim, and nobody would lift it', async () => {
    let isHidden = true
    box.odd = (line) => {
      if (!isHidden) return undefined
      if (line === 'cancel') return 'error: busy'
      return line === 'show' ? 'nothing' : undefined
    }
    const book = createBook()
    book.wanted = [one]
    const agent = start(book)
    const from = book.entries.indexOf(await book.until(verified)) + 1
    expect(book.claims).toEqual([])
    expect(box.running).toEqual(new Set([objectOf(one)]))

    isHidden = false
    book.wanted = []
    agent.wake('change')
    await book.until(verified, from)

    expect(box.lines).not.toContain('confirm')
    expect(box.pending).toBeUndefined()
    expect(box.running).toEqual(new Set())
  })

  it('that was confirmed before anybody wrote it down is not looked at once more', async () => {
    const { clock, story } = windowTimer()
    const book = createBook()
    book.wanted = [one]
    await committed(book, { phase: 'pending' })
    box.running = new Set([objectOf(one)])
    box.newest = '7f3a91c2'
    const agent = start(book, clock)
    await book.until(verified)
    expect(book.claims).toMatchObject([{ phase: 'held' }])

    // It ends what is under way first, and cancels what that has set.
    await agent.stop()
    expect(story).toEqual([])
  })

  it('that was seen to stay long before stays so while a commit of somebody else waits', async () => {
    const book = createBook()
    book.wanted = [one]
    await committed(book, { phase: 'held' })
    box.running = new Set([objectOf(one)])
    overtake('operator', [])
    start(book)
    await book.until(verified)

    expect(book.state(keyOf(one))?.verified).toBe(true)
  })

  it('that somebody else’s commit confirmed is looked at once more after the window’s length', async () => {
    const { clock, due, isSet } = windowTimer()
    const book = createBook()
    book.wanted = [one]
    await committed(book, { phase: 'pending' })
    box.running = new Set([objectOf(one)])
    overtake(undefined, [])
    start(book, clock)
    await isSet
    expect(book.state(keyOf(one))?.verified).toBe(true)

    const from = book.entries.length
    expire()
    for (const then of due.splice(0)) then()
    await book.until(
      (entry) => entry.kind === 'verified' && entry.value.states.every((state) => state.verified),
      from,
    )
    expect(box.running).toContain(objectOf(one))
    expect(due).toEqual([])
  })

  it('that is below somebody else’s for long is looked at behind the first window and the last, and no oftener', async () => {
    const { clock, story } = windowTimer()
    const book = createBook()
    book.wanted = [one]
    await committed(book, { phase: 'pending' })
    // Nobody sees how ours ended: it is not there, and we are not let in.
    box.odd = (line) => (line === 'edit' ? 'error: no' : undefined)
    overtake(undefined, [])
    const started = start(book, clock)
    await book.until(verified)
    for (let looks = 0; looks < 4; looks += 1) {
      const from = book.entries.length
      started.wake('check')
      await book.until(verified, from)
      // One thing on a device at a time: what the look had to set is set by then.
      await started.read([])
    }

    const count = (what: string): number => story.filter((one) => one === what).length
    expect(count('set')).toBe(5)
    expect(count('set') - count('cancelled')).toBe(2)
  })

  it('is not looked at once more after the agent was stopped', async () => {
    const { clock, isSet, story } = windowTimer()
    const book = createBook()
    book.wanted = [one]
    await committed(book, { phase: 'pending' })
    box.running = new Set([objectOf(one)])
    overtake(undefined, [])
    start(book, clock)
    await isSet
    await agent?.stop()
    expect(story).toEqual(['set', 'cancelled'])
  })

  /** The operator's commit, at the last moment before ours is ours alone to end. */
  const operatorCommits = (running: readonly string[]) => (line: string) => {
    const edits = box.lines.filter((sent) => sent === 'edit').length
    if (line === 'edit' && edits === 2 && box.newest !== 'operator') {
      box.running = new Set(running)
      box.pending = undefined
      box.earlier.push(box.newest)
      box.newest = 'operator'
    }
    return undefined
  }

  it('is not taken back once somebody else committed after it', async () => {
    const commits = operatorCommits(['his'])
    box.odd = (line) => commits(line) ?? (line === 'show' ? 'nothing' : undefined)
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    expect(box.lines).not.toContain('cancel')
    expect(box.running).toEqual(new Set(['his']))
    expect(book.entries.some((entry) => entry.kind === 'rolledBack')).toBe(false)
    expect(book.state(keyOf(one))).toMatchObject({
      verified: false,
      error: { code: 'not_confirmed', message: expect.stringContaining('a later commit') },
    })
  })

  it.each([
    { when: 'before it was read back', line: 'look', looks: 1 },
    { when: 'while it was read back', line: 'show', looks: 1 },
    { when: 'when it was about to be confirmed', line: 'look', looks: 2 },
    { when: 'right before the line that confirms', line: 'confirm', looks: 2 },
  ])(
    'whose window ran out $when is said to be taken back, and comes with the next try',
    async ({ line: at, looks }) => {
      let seen = 0
      box.odd = (line) => {
        if (box.pending === undefined) return undefined
        if (line === 'look') seen += 1
        if (line !== at || seen !== looks) return undefined
        box.running = box.before
        box.pending = undefined
        box.earlier.push(box.newest)
        box.newest = 'timer'
        return undefined
      }
      const book = createBook()
      book.wanted = [one]
      const agent = start(book)
      await book.until(verified)

      expect(book.state(keyOf(one))).toMatchObject({
        verified: false,
        outcome: 'failed',
        error: { code: 'not_confirmed', message: expect.stringContaining('the window ran out') },
      })
      expect(box.lines).not.toContain('cancel')

      const from = book.entries.length
      agent.wake('retry')
      await book.until(verified, from)
      expect(book.state(keyOf(one))?.verified).toBe(true)
    },
  )

  it('is confirmed where its answer was cut off, since the device has it', async () => {
    box.odd = (line) => {
      const [verb = '', token = ''] = line.split(' ')
      return verb === 'commit' ? commit(box, verb, token).slice(0, 4) : undefined
    }
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    expect(box.pending).toBeUndefined()
    expect(book.state(keyOf(one))?.verified).toBe(true)
  })

  /** The answers to the looks at a commit of ours, one after the other, then as usual; `undefined` = as usual. */
  const looks = (answers: readonly (string | undefined)[]) => {
    const left = [...answers]
    return (line: string): string | undefined =>
      line === 'look' && box.lines.some((sent) => sent.startsWith('commit '))
        ? left.shift()
        : undefined
  }

  it('is confirmed all the same where one answer about what waits was cut', async () => {
    box.odd = looks(['pen', undefined, 'pen', undefined, 'non', 'non'])
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    expect(box.lines).toContain('confirm')
    expect(box.pending).toBeUndefined()
    expect(book.state(keyOf(one))?.verified).toBe(true)
  })

  it.each([
    ['can’t be judged', 'pen'],
    ['names no commit of ours', 'none someone'],
  ])(
    'is not called done while what the device says of it %s, and is confirmed once it does',
    async (_, text) => {
      // Three reads at rest, or one that is understood; the same inside.
      box.odd = looks(text === 'pen' ? Array(6).fill(text) : Array(2).fill(text))
      const book = createBook()
      book.wanted = [one]
      start(book)
      await book.until(verified)

      expect(box.lines).not.toContain('confirm')
      expect(book.state(keyOf(one))).toMatchObject({
        verified: false,
        error: { code: 'not_confirmed', message: expect.stringContaining('does not say') },
      })

      await book.until(() => book.state(keyOf(one))?.verified === true)
      expect(box.lines).toContain('confirm')
      expect(box.pending).toBeUndefined()
    },
  )

  it('is not called confirmed where nothing shows it after the confirmation', async () => {
    box.odd = (line) =>
      line === 'look' && box.lines.includes('confirm') ? 'none someone' : undefined
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    expect(book.state(keyOf(one))).toMatchObject({
      verified: false,
      error: { code: 'not_confirmed' },
    })
  })

  it('is not called done while a later commit of somebody else waits', async () => {
    const commits = operatorCommits([objectOf(one)])
    box.odd = (line) => {
      commits(line)
      if (box.newest === 'operator') box.pending = 'operator'
      return undefined
    }
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    expect(box.lines).not.toContain('confirm')
    expect(book.state(keyOf(one))).toMatchObject({
      verified: false,
      error: { code: 'not_confirmed' },
    })
  })

  it('confirms nobody else’s commit', async () => {
    box.odd = operatorCommits(['his', objectOf(one)])
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    expect(box.lines).not.toContain('confirm')
    expect(box.running).toContain('his')
    expect(book.state(keyOf(one))?.verified).toBe(true)
  })

  it('is not begun when somebody else’s commit came after the first look', async () => {
    box.odd = (line) => {
      if (line === 'edit' && box.newest === '') box.pending = 'aaaaaaaa'
      return undefined
    }
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    expect(box.lines).not.toContain('check')
    expect(box.pending).toBe('aaaaaaaa')
    expect(book.state(keyOf(one))).toMatchObject({ error: { code: 'locked' } })
  })

  it('is committed once more where the check does not confirm it, which is written down', async () => {
    box.odd = (line) => (line === 'confirm' ? 'checked' : undefined)
    const book = createBook()
    book.wanted = [one]
    start(book)
    await book.until(verified)

    const plain = box.lines.find((line) => line.startsWith('plain '))
    expect(plain).toBe(`plain ${box.newest}`)
    const steps = book.entries.filter((entry) => entry.kind === 'intend')
    expect(steps.map(({ value }) => value.commands)).toContainEqual([plain])
    expect(book.state(keyOf(one))?.verified).toBe(true)
  })

  it('is compared and checked for a dry run, then thrown away', async () => {
    const book = createBook()
    const running = start(book)
    const reading = await running.read([one], [{ kind: 'apply', intent: one }])
    expect(reading.candidate).toEqual({ diff: `+${keyOf(one)}`, check: '' })
    expect(box.running.size).toBe(0)
    expect(book.entries.some((entry) => entry.kind === 'intend')).toBe(false)
  })
})
