// A candidate with a confirmed commit, on the smallest device that has one: what matters here is the order of things, not an operating system.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PQueue from 'p-queue'
import ssh2, { type ServerChannel } from 'ssh2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Agent, createAgent } from '../../agent/agent.ts'
import { systemClock } from '../../agent/clock.ts'
import { tokenOf } from '../../agent/converge-confirm.ts'
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

interface Box {
  running: Set<string>
  before: Set<string>
  pending: string | undefined
  candidate: Set<string>
  lines: string[]
  /** Answers a line in its own way: undefined = as usual. */
  odd: (line: string) => string | undefined
}

function answer(box: Box, line: string): string {
  const odd = box.odd(line)
  if (odd !== undefined) return odd
  const [verb = '', rest = ''] = line.split(/ (.*)/)
  switch (verb) {
    case 'show':
      return [...box.running].join('\r\n')
    case 'look':
      return box.pending === undefined ? 'none' : `pending ${box.pending}`
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
      return 'committed'
    case 'confirm':
      box.pending = undefined
      return ''
    case 'cancel':
      box.running = box.before
      box.pending = undefined
      return ''
    default:
      return ''
  }
}

function speak(box: Box, channel: ServerChannel): void {
  let mode = '>'
  let typed = ''
  channel.write(`dev${mode} `)
  channel.on('data', (bytes: Buffer) => {
    typed += bytes.toString()
    for (let end = typed.indexOf('\n'); end !== -1; end = typed.indexOf('\n')) {
      const line = typed.slice(0, end)
      typed = typed.slice(end + 1)
      if (line !== '') box.lines.push(line)
      const text = answer(box, line)
      const refused = text.startsWith('error')
      if (line === 'edit' && !refused) mode = '#'
      if (line === 'exit') mode = '>'
      channel.write(`${line}\r\n${text === '' ? '' : `${text}\r\n`}dev${mode} `)
    }
  })
}

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
          inForce: there ? 'yes' : 'no',
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
    enter: [enter('edit', 'op', 'conf')],
    diff: inside('diff', 'conf'),
    judge: (diff, renderings) =>
      diff.split('\n').length === renderings.length ? undefined : { message: `not meant: ${diff}` },
    check: inside('check', 'conf'),
    commit: (token): Line => ({ ...inside(`commit ${token}`, 'conf'), expect: /^committed$/ }),
    leave: [enter('exit', 'conf', 'op')],
    abort: [inside('rollback', 'conf'), enter('exit', 'conf', 'op')],
    look: free('look', 'op'),
    pending(text) {
      return text === 'none' ? { kind: 'none' } : { kind: 'pending', token: text.split(' ')[1] }
    },
    confirm: [inside('confirm', 'op')],
    confirmHarder: [],
    cancel: [inside('cancel', 'op')],
    windowMs: 60_000,
  },
  preflight: { reads: () => [], judge: () => [] },
  prepare: '',
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
    candidate: new Set(),
    lines: [],
    odd: () => undefined,
  }
  sessions = 0
  agent = undefined
  const pair = ssh2.utils.generateKeyPairSync('ed25519')
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

function start(book: Book): Agent {
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
    clock: systemClock,
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
    expect(box.lines.slice(commit + 1, commit + 6)).toEqual([
      'exit',
      'look',
      'show',
      'confirm',
      'look',
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
      before: { kind: 'readback', text: '' },
    })
    box.running = new Set([objectOf(one)])
    box.pending = tokenOf([claim])

    start(book)
    await book.until(verified)

    expect(box.pending).toBeUndefined()
    expect(box.lines).not.toContain('edit')
    expect(book.state(keyOf(one))?.verified).toBe(true)
    expect(book.claims).toMatchObject([{ phase: 'held' }])
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
