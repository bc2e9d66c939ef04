// What read-backs and failures of one device mean for its enforcements: the book of a device on the real database.

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { Claim } from '../../agent/diff.ts'
import { type AgentErrorCode, agentErrorCodes } from '../../agent/errors.ts'
import { keyOf } from '../../agent/intents.ts'
import type { DoneStep, Journal, KeyState } from '../../agent/journal.ts'
import { parseDisclosure } from '../../controller/audit/disclosure.ts'
import type { Enforcement } from '../../controller/enforcement.ts'
import { createJournal } from '../../controller/journal.ts'
import { databaseName } from '../../controller/store/sqlite.ts'
import type { Store, Wanted } from '../../controller/store/store.ts'
import { device } from '../unit/small-isp.ts'
import {
  blackhole,
  enforcement,
  type HandClock,
  handClock,
  newFolder,
  open,
  wanted,
} from './parts.ts'

const key = keyOf(blackhole('203.0.113.0/26'))
const shown: KeyState = {
  key,
  kind: 'blackhole',
  outcome: 'applied',
  seen: 'present',
  verified: true,
}
const outOfReachMs = 900_000

interface Desk {
  readonly dir: string
  readonly store: Store
  readonly clock: HandClock
  readonly book: Journal
  readonly accept: (
    id: string,
    over?: Partial<Enforcement>,
    rows?: readonly Wanted[],
  ) => Promise<void>
  readonly status: (id: string) => string | undefined
  readonly result: (id: string, of?: string) => string | undefined
}

function desk(): Desk {
  const clock = handClock()
  const dir = newFolder()
  const store = open({ dir, clock, busyTimeoutMs: 10 })
  const book = bookOf({ store, clock }, 'edge1')
  return {
    dir,
    store,
    clock,
    book,
    async accept(id, over = {}, rows = [wanted(id, 'edge1')]) {
      await store.commit((tx) => tx.insertEnforcement(enforcement(id, over), rows))
    },
    status: (id) => store.read((rows) => rows.enforcement(id))?.status,
    result: (id, of = 'edge1') =>
      store.read((rows) => rows.results({ enforcement: id })).find((one) => one.device === of)
        ?.status,
  }
}

/** The book of a device. */
function bookOf(
  { store, clock }: Pick<Desk, 'store' | 'clock'>,
  id: 'edge1' | 'edge2' | 'edge3',
  turn: (devices: readonly string[]) => void = () => undefined,
): Journal {
  return createJournal({
    store,
    clock,
    device: device(id, `10.20.0.1${id.slice(-1)}`),
    jump: undefined,
    outOfReachMs,
    turn,
  })
}

function read(book: Journal, state: KeyState = shown): Promise<void> {
  return readAll(book, [state])
}

function readAll(book: Journal, states: readonly KeyState[]): Promise<void> {
  book.desired()
  return book.verified({
    states,
    claims: new Map(),
    readback: { kind: 'readback', text: 'show' },
    session: 'own',
    orphans: [],
    drifted: [],
    unsaved: false,
  })
}

/** What a request for a release does to what is stored. */
function release(store: Store, id: string): Promise<void> {
  return store.commit((tx) => {
    const from = tx.enforcement(id)
    if (from === undefined) throw new Error('no enforcement')
    tx.updateEnforcement({ ...from, version: from.version + 1, status: 'releasing' })
    for (const one of tx.results({ enforcement: id })) tx.putResult({ ...one, status: 'pending' })
  })
}

function fail(book: Journal, code: AgentErrorCode): Promise<void> {
  return book.failed({ code, message: 'it did not answer', keys: [key] })
}

describe('a read-back', () => {
  it('says nothing of a wave that opened while the device was changed: what it shows was lifted for another', async () => {
    const { accept, book, store, status, result } = desk()
    await accept('E1', {}, [wanted('E1', 'edge2'), { ...wanted('E1', 'edge1'), wave: 1 }])
    book.desired()
    await store.commit((tx) => {
      const first = { enforcement: 'E1', device: 'edge2', role: 'enforcer' } as const
      tx.putResult({ ...first, status: 'verified', states: [shown], attempts: 1 })
      tx.updateEnforcement(enforcement('E1', { version: 2, openWave: 1 }))
    })

    await book.verified({
      states: [{ ...shown, seen: 'absent' }],
      claims: new Map(),
      readback: { kind: 'readback', text: 'show' },
      session: 'own',
      orphans: [],
      drifted: [],
      unsaved: false,
    })
    const early = [status('E1'), result('E1')]
    await read(book)

    expect(early).toEqual(['enforcing', undefined])
    expect([status('E1'), result('E1')]).toEqual(['enforced', 'verified'])
  })
})

describe('a read that went wrong', () => {
  it.each(['timeout', 'unknown_output', 'unreachable', 'internal'] as const)(
    'by %s degrades nothing that was verified, until the device was not read for three intervals',
    async (code) => {
      const { accept, book, clock, status, result } = desk()
      await accept('E1', { onFailure: 'rollback' })
      await read(book)

      await fail(book, code)
      const soon = status('E1')
      clock.pass(outOfReachMs)
      await fail(book, code)

      expect(soon).toBe('enforced')
      expect(status('E1')).toBe('degraded')
      expect(result('E1')).toBe('unreachable')
    },
  )

  it('by a mistake of ours is said at once, and is a failure only when it comes again and again', async () => {
    const { accept, book, store, status, result } = desk()
    await accept('E1', { onFailure: 'rollback' })
    book.desired()

    for (const _ of [1, 2, 3]) await fail(book, 'internal')
    const early = [status('E1'), result('E1')]
    const [told] = store.read((rows) => rows.results({ enforcement: 'E1' }))
    await fail(book, 'internal')

    expect(early).toEqual(['enforcing', 'converging'])
    expect(told?.error).toEqual({
      code: 'internal',
      message: 'it did not answer',
      remedy: agentErrorCodes.internal,
    })
    expect([status('E1'), result('E1')]).toEqual(['releasing', 'pending'])
  })

  it('is no failure for the roll-out of what was never verified', async () => {
    const { accept, book, status, result } = desk()
    await accept('E1', {}, [wanted('E1', 'edge1'), { ...wanted('E1', 'edge2'), wave: 1 }])

    book.desired()
    await fail(book, 'timeout')

    expect(result('E1')).toBe('unreachable')
    expect(status('E1')).toBe('enforcing')
  })

  it('says nothing of an enforcement that was accepted after it began', async () => {
    const { accept, book, result } = desk()
    await accept('E1')
    book.desired()
    await accept('E2')

    await fail(book, 'line_refused')

    expect(result('E1')).toBe('failed')
    expect(result('E2')).toBeUndefined()
  })

  it('says nothing of an enforcement of which the device can do nothing', async () => {
    const { accept, book, clock, store, result } = desk()
    const cant = { ...wanted('E1', 'edge1', '203.0.113.64/26'), unsupported: 'no such thing here' }
    await accept('E1', {}, [cant, wanted('E1', 'edge2')])
    await accept('E2')
    await readAll(book, [shown])
    expect([result('E1'), result('E2')]).toEqual(['unsupported', 'verified'])

    clock.pass(outOfReachMs)
    book.desired()
    await fail(book, 'unreachable')

    expect([result('E1'), result('E2')]).toEqual(['unsupported', 'unreachable'])
    expect(store.read((rows) => rows.results({ enforcement: 'E1' }))[0]).not.toHaveProperty('error')
  })

  it('is shown for a release too, where nothing of it was ever put there', async () => {
    const { accept, book, result, status } = desk()
    await accept('E1', { status: 'releasing' })

    book.desired()
    await book.failed({ code: 'unreachable', message: 'no route', keys: [] })

    expect(result('E1')).toBe('unreachable')
    expect(status('E1')).toBe('releasing')
  })
})

describe('a lock of somebody else', () => {
  const locked: KeyState = {
    ...shown,
    outcome: 'refused',
    seen: 'unknown',
    verified: false,
    error: { code: 'locked', message: 'held by ops', remedy: 'wait' },
  }

  it('that passes stops no roll-out, one that stays does', async () => {
    const { accept, book, result, store } = desk()
    await accept('E1', {}, [wanted('E1', 'edge1'), { ...wanted('E1', 'edge2'), wave: 1 }])

    await read(book, locked)
    const soon = result('E1')
    for (let i = 0; i < 8; i++) await read(book, locked)

    expect(soon).toBe('converging')
    expect(result('E1')).toBe('refused')
    expect(store.read((rows) => rows.enforcement('E1'))?.stoppedBy).toBe('edge1')
  })
})

describe('the records of a step', () => {
  const step = {
    purpose: 'change',
    commands: ['ip route 203.0.113.0/26 blackhole tag 666'],
    before: { kind: 'readback', text: 'nothing' },
    claims: [
      { key, intent: blackhole('203.0.113.0/26'), before: [], wrote: ['r'], phase: 'pending' },
    ],
  } as const

  it('stand in the chain of what is in force and of nothing that waits', async () => {
    const { accept, book, store } = desk()
    await accept('E1')
    await accept('E2', { status: 'awaiting_approval' })
    await accept('E3', {}, [{ ...wanted('E3', 'edge1'), wave: 1 }])

    book.desired()
    await book.intend(step)

    const entries = store.read((rows) => rows.log({ type: 'device.commands_intended', limit: 9 }))
    const about = entries.map(({ entry }) => JSON.parse(entry).on.enforcement)
    expect(about).toEqual(['E1'])
  })

  it('say to each enforcement what is of it alone, and of what serves nobody to the device: else a step for a thousand is written a million times', async () => {
    const { accept, book, store } = desk()
    const [second, nobodys] = ['203.0.113.64/26', '203.0.113.128/26'].map((text) => ({
      ...step.claims[0],
      key: keyOf(blackhole(text)),
      intent: blackhole(text),
    }))
    if (second === undefined || nobodys === undefined) throw new Error('no claims')
    await accept('E1')
    await accept('E2', {}, [wanted('E2', 'edge1', '203.0.113.64/26')])

    book.desired()
    const first = await book.intend({ ...step, claims: [...step.claims, nobodys] })
    const last = await book.intend({ ...step, claims: [second] })
    await book.verified({
      states: [shown, { ...shown, key: second.key, outcome: 'failed', verified: false }],
      claims: new Map(),
      step: last,
      readback: { kind: 'readback', text: 'show' },
      session: 'own',
      orphans: [],
      drifted: [],
      unsaved: false,
    })

    const told = (type: 'device.observed' | 'device.verified') =>
      store
        .read((rows) => rows.log({ type, after: -1, limit: 9 }))
        .map(({ entry, disclosures }) => {
          const { on, outcome, data } = JSON.parse(entry)
          const values = disclosures.map(({ disclosure }) => parseDisclosure(disclosure))
          const intents = values.find(({ pointer }) => pointer === '/data/intents')?.value
          const keys = (intents as readonly { readonly key: string }[]).map((one) => one.key)
          return [on.enforcement, data.step, outcome, keys]
        })
    expect(told('device.observed')).toEqual([
      ['E1', first, 'ok', [key]],
      [undefined, first, 'ok', [nobodys.key]],
      ['E2', last, 'ok', [second.key]],
    ])
    // Each by the step that changed it, and as it stands itself.
    expect(told('device.verified')).toEqual([
      ['E1', first, 'ok', [key]],
      [undefined, first, 'ok', []],
      ['E2', last, 'failed', [second.key]],
    ])
  })

  it('remember the token of a commit with its keys, past the steps that have none', async () => {
    const { accept, book } = desk()
    await accept('E1')

    expect(book.desired()).not.toHaveProperty('commit')
    await book.intend({ ...step, token: '7f3a91c2' })
    await book.intend({ ...step, purpose: 'rollback', claims: [] })

    expect(book.desired().commit).toEqual({ token: '7f3a91c2', keys: [key] })
  })

  it('are remembered as before where a change was made and then undone: the chain of an end, and what drifted', async () => {
    const parts = desk()
    await parts.accept('E1')
    let isUndone = false
    const store: Store = {
      ...parts.store,
      commit: (change) =>
        parts.store.commit((tx) => {
          const value = change(tx)
          if (isUndone) throw new Error('the disk is full')
          return value
        }),
    }
    const book = bookOf({ store, clock: parts.clock }, 'edge1')
    book.desired()
    const number = await book.intend(step)
    const end = { step: number, purpose: 'change', outcome: 'ok', hostKey: 'k', bytes: 9, ms: 2 }
    const transcript = { kind: 'transcript', text: 'said' } as const
    book.done({ ...end, transcript, keys: [key] } as DoneStep)
    const seen = {
      step: number,
      states: [],
      claims: new Map(),
      readback: { kind: 'readback', text: 'show' },
      session: 'own',
      orphans: [],
      drifted: [key],
      unsaved: false,
    } as const

    isUndone = true
    await expect(book.verified(seen)).rejects.toThrow('the disk is full')
    isUndone = false
    await book.verified(seen)

    expect(store.read((rows) => rows.openSteps())).toEqual([])
    const chains = (type: 'device.commands_done' | 'device.drift_found'): readonly unknown[] =>
      store
        .read((rows) => rows.log({ type, limit: 9 }))
        .map(({ entry }) => JSON.parse(entry).on.enforcement)
    expect(chains('device.commands_done')).toEqual(['E1'])
    expect(chains('device.drift_found')).toEqual(['E1'])
  })

  it('have an end also where that could not be written at first, once and with what was said', async () => {
    const { accept, book, store, dir } = desk()
    await accept('E1')
    book.desired()
    const number = await book.intend(step)
    const other = new Database(join(dir, databaseName))
    other.exec('begin immediate')
    const end = { step: number, purpose: 'change', outcome: 'ok', hostKey: 'k', bytes: 9, ms: 2 }
    const transcript = { kind: 'transcript', text: 'said' } as const

    book.done({ ...end, transcript, keys: [key] } as DoneStep)
    await expect(book.flush()).rejects.toMatchObject({ code: 'audit_unavailable' })
    other.exec('rollback')
    other.close()
    expect(store.read((rows) => rows.openSteps())).toHaveLength(1)
    await Promise.all([
      read(book),
      book.session({ kind: 'connected', hostKey: 'k', software: '1' }),
    ])

    expect(store.read((rows) => rows.openSteps())).toEqual([])
    const ends = store.read((rows) => rows.log({ type: 'device.commands_done', limit: 9 }))
    expect(ends.map(({ entry }) => JSON.parse(entry).outcome)).toEqual(['ok'])
  })

  it('are written to their end before what their read-back showed, and in one transaction with it', async () => {
    const { accept, book, store } = desk()
    await accept('E1')
    book.desired()
    const number = await book.intend(step)
    const together: string[][] = []
    store.subscribe((records) => together.push(records.map(({ type }) => type)))
    const end = { step: number, purpose: 'change', outcome: 'ok', hostKey: 'k', bytes: 9, ms: 2 }
    const transcript = { kind: 'transcript', text: 'said' } as const

    book.done({ ...end, transcript, keys: [key] } as DoneStep)
    await read(book)
    await book.flush()

    expect(together[0]?.slice(0, 2)).toEqual(['device.commands_done', 'device.verified'])
    expect(together).toHaveLength(1)
    expect(store.read((rows) => rows.openSteps())).toEqual([])
  })

  it('remember the device as it was reached, its jump host too', async () => {
    const { accept, book, store } = desk()
    await accept('E1')

    book.desired()
    await book.intend(step)

    const known = store.read((rows) => rows.device('edge1')?.lastKnown) ?? ''
    expect(JSON.parse(known)).toMatchObject({ device: { id: 'edge1', address: '10.20.0.11' } })
  })
})

describe('a save', () => {
  it('speaks for the steps before it, and for none since: of those a restart may bring back what was', async () => {
    const { book } = desk()
    const before = { kind: 'readback', text: '' } as const
    const save = { purpose: 'save', commands: ['write'], claims: [], before } as const
    const now = (one: string, rest: Pick<Claim, 'phase' | 'earlier'>): Omit<Claim, 'step'> => {
      const intent = blackhole(one)
      return { key: keyOf(intent), intent, before: [], wrote: ['new'], ...rest }
    }
    const change = (...claims: readonly Omit<Claim, 'step'>[]): Promise<number> =>
      book.intend({ purpose: 'change', commands: ['lines'], claims, before })
    const held = { phase: 'held', earlier: [['old']] } as const
    await change(now('203.0.113.1/32', { phase: 'lifted' }), now('203.0.113.2/32', held))
    const step = await book.intend(save)
    const since = [now('203.0.113.3/32', { phase: 'lifted' }), now('203.0.113.4/32', held)]
    await change(...since)

    await book.saved({ ok: true, step, foreign: [] })

    const { earlier: _earlier, ...known } = now('203.0.113.2/32', held)
    const byKey = book.desired().claims.map(({ step: _step, ...claim }) => claim)
    expect(byKey.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual([known, ...since])
  })
})

describe('a release', () => {
  it('has lifted what was seen gone, whatever stands there afterwards', async () => {
    const made = desk()
    const { accept, book, result, status } = made
    const other = bookOf(made, 'edge2')
    await accept('E1', { status: 'releasing' }, [wanted('E1', 'edge1'), wanted('E1', 'edge2')])
    const gone = { ...shown, seen: 'absent' } as const

    await read(book, gone)
    await read(book, { ...shown, seen: 'foreign', verified: false, outcome: 'refused' })
    expect([result('E1'), status('E1')]).toEqual(['verified', 'releasing'])
    await read(other, gone)

    expect(status('E1')).toBe('released')
  })

  it('is not told by what was read before it was asked for', async () => {
    const { accept, book, store, result, status } = desk()
    await accept('E1')
    const began = book.desired()
    await store.commit((tx) => {
      tx.updateEnforcement(enforcement('E1', { version: 2, status: 'releasing' }))
    })

    // The convergence that put it there ends only now: what it shows is in force, and must not count as lifted.
    await book.verified({
      states: [shown],
      claims: new Map(),
      readback: { kind: 'readback', text: 'show' },
      session: 'own',
      orphans: [],
      drifted: [],
      unsaved: false,
    })
    const early = [began.wanted.length, status('E1'), result('E1')]
    await read(book, { ...shown, seen: 'absent' })

    expect(early).toEqual([1, 'releasing', undefined])
    expect([status('E1'), result('E1')]).toEqual(['released', 'verified'])
  })
})

describe('a device that only reads', () => {
  const missing: KeyState = {
    key,
    kind: 'blackhole',
    outcome: 'failed',
    seen: 'absent',
    verified: false,
    error: { code: 'not_shown', message: 'has not learnt it', remedy: 'look at BGP' },
  }

  async function suspension(over: Partial<Enforcement> = {}) {
    const made = desk()
    const turns: string[] = []
    const edge = bookOf(made, 'edge2', (devices) => turns.push(...devices))
    const trigger = bookOf(made, 'edge1', (devices) => turns.push(...devices))
    const rows = [wanted('E1', 'edge1'), { ...wanted('E1', 'edge2'), observer: true }]
    await made.accept('E1', { onFailure: 'rollback', ...over }, rows)
    const seen = () =>
      made.store
        .read((all) => all.results({ enforcement: 'E1' }))
        .find((one) => one.role === 'observer')
    const awaited = () => edge.awaits(new Set([key])).get(key)?.message
    return { ...made, edge, trigger, turns, seen, awaited }
  }

  it('waits in words for the device that it learns from, as that one stands, and is read again once it shows it', async () => {
    const { edge, trigger, turns, seen, awaited, status } = await suspension()
    expect(awaited()).toBe('waits for edge1, which was not changed yet')
    await read(edge, missing)
    expect(seen()).toMatchObject({
      status: 'converging',
      error: { code: 'awaits_others', message: 'waits for edge1, which was not changed yet' },
      states: [{ outcome: 'unknown', error: { code: 'awaits_others' } }],
    })

    trigger.desired()
    await fail(trigger, 'unreachable')
    expect(seen()?.error?.message).toBe('waits for edge1, which is unreachable')
    expect(awaited()).toBe('waits for edge1, which is unreachable')
    expect(status('E1')).toBe('degraded')
    expect(turns).toEqual([])

    await read(trigger)
    expect([seen()?.status, seen()?.error, awaited()]).toEqual(['converging', undefined, undefined])
    expect(turns).toEqual(['edge2'])
    await read(edge)
    expect(status('E1')).toBe('enforced')
  })

  it('has failed where that device shows it, and then all is taken back', async () => {
    const { edge, trigger, seen, status } = await suspension()
    await read(trigger)
    await read(edge, missing)

    expect(status('E1')).toBe('releasing')
    expect(seen()?.states).toMatchObject([{ error: { code: 'not_shown' } }])
  })

  it('loses what it had learnt with a device that went off unseen, and nothing is taken back for it', async () => {
    const { clock, edge, trigger, turns, seen, status } = await suspension()
    await read(trigger)
    await read(edge)
    clock.pass(60_000)
    await read(edge, missing)
    await read(edge, missing)
    expect(status('E1')).toBe('degraded')
    expect(turns).toEqual(['edge1'])

    await trigger.session({ kind: 'lost', code: 'unreachable', message: 'no answer' })
    await fail(trigger, 'unreachable')
    expect(seen()?.error?.message).toBe('waits for edge1, which is unreachable')
    await read(edge, missing)
    expect([status('E1'), seen()?.status]).toEqual(['degraded', 'converging'])
  })

  it('has failed if that device is read again and shows it still', async () => {
    const { clock, edge, trigger, status } = await suspension()
    await read(trigger)
    await read(edge)
    clock.pass(60_000)
    await read(edge, missing)
    await read(trigger)

    expect(status('E1')).toBe('releasing')
  })

  it('is not right because the operator’s own route is on the device that it learns from, while it discards a part only', async () => {
    const { trigger, edge, status, seen } = await suspension({ onFailure: 'keep' })
    await read(trigger, { ...shown, outcome: 'already', seen: 'foreign' })

    await read(edge, { ...missing, seen: 'present' })

    expect(seen()).toMatchObject({ status: 'failed', states: [{ verified: false }] })
    expect(status('E1')).not.toBe('enforced')
  })

  it('keeps a fault of its own, whoever it waits for', async () => {
    const { edge, seen, status } = await suspension()
    edge.desired()
    await fail(edge, 'unknown_output')

    expect([seen()?.status, seen()?.error?.code]).toEqual(['failed', 'unknown_output'])
    expect(status('E1')).toBe('enforcing')
  })

  it('waits for nobody where another decision has put it there already', async () => {
    const { trigger, accept, awaited } = await suspension()
    await read(trigger)
    await accept('E2', {}, [wanted('E2', 'edge1'), { ...wanted('E2', 'edge2'), observer: true }])

    expect(awaited()).toBeUndefined()
  })
})

describe('a release whose edge goes on discarding', () => {
  const gone: KeyState = {
    key,
    kind: 'blackhole',
    outcome: 'applied',
    seen: 'absent',
    verified: true,
  }
  const still: KeyState = {
    key,
    kind: 'blackhole',
    outcome: 'failed',
    seen: 'present',
    verified: false,
    error: { code: 'not_shown', message: 'still discards', remedy: 'look' },
  }

  async function releaseWith(lifted: KeyState): Promise<Desk & { readonly edge: Journal }> {
    const made = desk()
    const { book, accept } = made
    const edge = bookOf(made, 'edge2')
    const rows = [wanted('E1', 'edge1'), { ...wanted('E1', 'edge2'), observer: true }]
    await accept('E1', { status: 'releasing' }, rows)
    await read(book, lifted)
    await read(edge, still)
    return { ...made, edge }
  }

  it('is not through while what was ours may linger there', async () => {
    const { book, edge, result, status } = await releaseWith(gone)

    // The trigger is looked at again, and now shows nothing of ours: that must not make the edge’s route somebody else’s.
    await read(book, { ...gone, outcome: 'already' })
    await read(edge, still)

    expect(result('E1', 'edge2')).toBe('failed')
    expect(status('E1')).toBe('releasing')
  })

  it.each([
    ['says nothing of the one that went first', []],
    ['finds nothing of ours there', [{ ...gone, outcome: 'already' as const }]],
  ])(
    'is not through while a route lingers that went before another: the next look %s',
    async (_, first) => {
      const made = desk()
      const { book, accept, status } = made
      const edge = bookOf(made, 'edge2')
      const second = keyOf(blackhole('203.0.113.64/26'))
      const rows = [
        wanted('E1', 'edge1'),
        wanted('E1', 'edge1', '203.0.113.64/26'),
        { ...wanted('E1', 'edge2'), observer: true },
      ]
      await accept('E1', { status: 'releasing' }, rows)

      await readAll(book, [gone, { ...still, key: second, outcome: 'refused' }])
      await readAll(book, [...first, { ...gone, key: second }])
      await read(edge, still)
      const lingers = status('E1')
      await read(edge, gone)

      expect([lingers, status('E1')]).toEqual(['releasing', 'released'])
    },
  )

  it('is not through where what we put there is gone without a claim, and the edge has it still', async () => {
    const made = desk()
    const { accept, book, store, status } = made
    const edge = bookOf(made, 'edge2')
    await accept('E1', {}, [wanted('E1', 'edge1'), { ...wanted('E1', 'edge2'), observer: true }])
    await read(book)
    await read(edge, { ...shown, outcome: 'already' })
    await release(store, 'E1')

    await readAll(book, [])
    await read(edge, still)

    expect(status('E1')).toBe('releasing')
  })

  it('says nothing of whose route the edge has before the device that had it is lifted', async () => {
    const made = desk()
    const { accept, book, result, status } = made
    const edge = bookOf(made, 'edge2')
    const rows = [wanted('E1', 'edge1'), { ...wanted('E1', 'edge2'), observer: true }]
    await accept('E1', { status: 'releasing' }, rows)

    await read(book, { ...still, outcome: 'refused' })
    await read(edge, still)

    expect([result('E1', 'edge2'), status('E1')]).toEqual(['failed', 'releasing'])
  })

  it('is through where the route was there before and nothing of ours was', async () => {
    const { store, status } = await releaseWith({ ...gone, outcome: 'already' })

    expect(status('E1')).toBe('released')
    const [seen] = store
      .read((rows) => rows.results({ enforcement: 'E1' }))
      .filter(({ role }) => role === 'observer')
      .flatMap(({ states }) => states)
    expect(seen).toMatchObject({ seen: 'foreign', note: expect.stringContaining('not ours') })
  })

  it('is through where a device that its roll-out never came to has the operator’s own route, once that was seen', async () => {
    const made = desk()
    const { accept, book, store, status } = made
    const [edge, never] = [bookOf(made, 'edge2'), bookOf(made, 'edge3')]
    const later = { ...wanted('E1', 'edge3'), wave: 1 }
    const rows = [wanted('E1', 'edge1'), later, { ...wanted('E1', 'edge2'), observer: true }]
    await accept('E1', { status: 'releasing', openWave: 0 }, rows)

    await read(book, gone)
    await read(edge, still)
    await never.failed({ code: 'unreachable', message: 'dark', keys: [] })
    const dark = store.read((all) => all.results({ device: 'edge3' }))
    const lingers = status('E1')
    await read(never, { ...gone, outcome: 'already', seen: 'foreign', note: 'theirs' })
    await read(edge, still)

    expect(dark.filter((one) => one.status !== 'pending')).toEqual([])
    expect([lingers, status('E1')]).toEqual(['releasing', 'released'])
  })

  it('is not through where a device that its roll-out never came to has nothing there, and the edge discards still', async () => {
    const made = desk()
    const { accept, book, status } = made
    const [edge, never] = [bookOf(made, 'edge2'), bookOf(made, 'edge3')]
    const later = { ...wanted('E1', 'edge3'), wave: 1 }
    const rows = [wanted('E1', 'edge1'), later, { ...wanted('E1', 'edge2'), observer: true }]
    await accept('E1', { status: 'releasing', openWave: 0 }, rows)

    await read(book, gone)
    await read(never, { ...gone, outcome: 'already' })
    await read(edge, still)
    const lingers = status('E1')
    await read(edge, gone)

    expect([lingers, status('E1')]).toEqual(['releasing', 'released'])
  })

  it('does not wait for devices that its roll-out never came to', async () => {
    const made = desk()
    const { accept, book, store, status } = made
    const edge = bookOf(made, 'edge2')
    const later = { ...wanted('E1', 'edge3'), wave: 1 }
    const rows = [wanted('E1', 'edge1'), later, { ...wanted('E1', 'edge2'), observer: true }]
    await accept('E1', { status: 'releasing', openWave: 0 }, rows)
    const pending = {
      enforcement: 'E1',
      device: 'edge3',
      role: 'enforcer',
      status: 'pending',
    } as const
    await store.commit((tx) => tx.putResult({ ...pending, states: [], attempts: 0 }))

    await read(book, { ...gone, outcome: 'already' })
    await read(edge, still)

    expect(status('E1')).toBe('released')
  })

  it('goes on saying that what was there before is there', async () => {
    const { accept, book, store, status } = desk()
    await accept('E1')
    await read(book, { ...shown, outcome: 'already', seen: 'foreign', note: 'not ours' })
    await release(store, 'E1')

    // Nothing is wanted and nothing claimed: the convergence has nothing to say of the key.
    await readAll(book, [])

    expect(status('E1')).toBe('released')
    const [state] = store
      .read((rows) => rows.results({ enforcement: 'E1' }))
      .flatMap((r) => r.states)
    expect(state).toMatchObject({ seen: 'foreign', note: 'not ours' })
  })
})
