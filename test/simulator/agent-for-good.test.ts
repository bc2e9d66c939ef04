// Commits without a timer: a Junos router of which nothing is known that would take a commit back. What is in force is there to stay, and only our own
// inverse takes it away.

import { afterEach, describe, expect, it } from 'vitest'
import { type Key, keyOf } from '../../agent/intents.ts'
import {
  type CandidateTransaction,
  enter,
  free,
  inside,
  type Line,
  type Pending,
  type Platform,
} from '../../agent/platform.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import { acl, blackhole, port } from '../platform/conformance-kit.ts'
import { host, type Lab, startLab } from '../platform/conformance-lab.ts'
import type { Entry } from './agent-book.ts'
import type { Fault } from './faults.ts'

const { transaction } = juniper_junos
if (transaction.kind !== 'candidate') throw new TypeError('Junos has a candidate')
const { timer, check, ...rest } = transaction
if (timer === undefined || check === undefined) throw new TypeError('Junos has a timer and a check')

const commit: Line = { ...inside('commit', 'configuration'), expect: /^commit complete$/m }
const forGood: CandidateTransaction = { ...rest, check, commit }

/** Junos with another transaction. */
const withTransaction = (over: Partial<CandidateTransaction> = {}): Platform => ({
  ...juniper_junos,
  transaction: { ...forGood, ...over },
})

/** The keys that a device has and does not show. */
let hidden: ReadonlySet<Key> = new Set()

const hiding: Platform = {
  ...withTransaction(),
  parse(answers, intents, seen) {
    const observation = juniper_junos.parse(answers, intents, seen)
    const found = [...observation.found].map(([key, one]) =>
      hidden.has(key)
        ? ([key, { key, object: [], effect: 'none', mark: 'none', inForce: 'no' }] as const)
        : ([key, one] as const),
    )
    return { ...observation, found: new Map(found) }
  },
}

const other = port('ge-0/0/7')
const commits = '^commit$'

let lab: Lab | undefined

afterEach(async () => {
  hidden = new Set()
  await lab?.stop()
  lab = undefined
})

async function start(platform: Platform = withTransaction(), deviceTimer = false): Promise<Lab> {
  lab = await startLab(platform, {}, { deviceTimer })
  lab.device.journal.clear()
  return lab
}

const router = () => {
  if (lab === undefined) throw new TypeError('nothing was started')
  return lab.device
}

/** Lines that were typed, without reads at rest. */
const typed = (): readonly string[] =>
  router()
    .journal.lines()
    .filter((line) => !/^show (?!\|)|^set cli |^$/.test(line))
const countOf = (line: string): number => typed().filter((one) => one === line).length
const stands = (): boolean => /route 203\.0\.113\.9\/32 /.test(router().running)
const isDown = (): boolean => /ge-0\/0\/7 \{[^}]*\bdisable;/.test(router().running)

const steps = (entries: readonly Entry[]) =>
  entries.flatMap((entry) => (entry.kind === 'intend' ? [entry.value] : []))

describe('a commit for good', () => {
  it('is compared, checked, committed plainly and read back over a second session', async () => {
    const { settle, book } = await start()
    await settle([host, other])

    const text = typed()
    expect(text.slice(0, 1)).toEqual(['configure exclusive'])
    expect(text.slice(-4)).toEqual([
      'show | compare | no-more',
      'commit check',
      'commit',
      'exit configuration-mode',
    ])
    const lines = router().journal.entries.filter(({ kind }) => kind === 'line')
    const at = lines.findIndex(({ text: line }) => line === 'commit')
    const readsAfter = lines.slice(at + 1).filter(({ text: line }) => line.startsWith('show '))
    expect(readsAfter[0]?.session).not.toBe(lines[at]?.session)
    expect(book.state(keyOf(host))).toMatchObject({ outcome: 'applied', verified: true })
    expect(book.claims.map(({ phase }) => phase)).toEqual(['held', 'held'])
  })

  it('is never looked for among what waits, and its step carries no token', async () => {
    const { settle, book } = await start()
    await settle([host])
    await settle([])

    expect(router().journal.lines().join('\n')).not.toMatch(/run show/)
    expect(steps(book.entries).map((step) => step.token)).toEqual([undefined, undefined])
    expect(steps(book.entries)[0]?.commands.slice(-3)).toEqual([
      'commit check',
      'commit',
      'exit configuration-mode',
    ])
    expect(stands()).toBe(false)
  })

  it('is made on systems that check when they commit', async () => {
    const { check: _check, ...unchecked } = forGood
    const { settle } = await start({ ...juniper_junos, transaction: unchecked })
    await settle([host])
    expect(countOf('commit check')).toBe(0)
    expect(stands()).toBe(true)
  })
})

describe('what a device does not show after a commit for good', () => {
  it('is taken back by its inverse, in a candidate of its own; the rest stays', async () => {
    const tokens = new Set<string>()
    const entering = (token: string): readonly Line[] => {
      tokens.add(token)
      return transaction.enter(token)
    }
    const platform = { ...hiding, transaction: { ...forGood, enter: entering } }
    hidden = new Set([keyOf(host)])
    const { try: ask, book } = await start(platform)
    await ask([host, other])

    expect(book.state(keyOf(host))).toMatchObject({
      outcome: 'failed',
      verified: false,
      error: { code: 'not_shown' },
    })
    expect(book.state(keyOf(other))).toMatchObject({ outcome: 'applied', verified: true })
    expect(stands()).toBe(false)
    expect(isDown()).toBe(true)
    expect(countOf('commit')).toBe(2)
    expect(tokens.size).toBe(2)
    expect(book.claims).toMatchObject([{ key: keyOf(other), phase: 'held' }])
  })

  it('is written down as a roll-back before the first byte of it, last things first, and once it is done', async () => {
    hidden = new Set([keyOf(host), keyOf(other)])
    const { try: ask, book } = await start(hiding)
    let typedBefore: readonly string[] = []
    const intend = book.intend.bind(book)
    book.intend = (step) => {
      if (step.purpose === 'rollback') typedBefore = typed()
      return intend(step)
    }
    await ask([host, other])

    const [change, back] = steps(book.entries)
    expect(change?.purpose).toBe('change')
    expect(back).toMatchObject({
      purpose: 'rollback',
      claims: [{ key: keyOf(host) }, { key: keyOf(other) }],
    })
    expect(back?.commands.filter((line) => /^delete (?!.*apply-macro)/.test(line))).toEqual([
      'delete interfaces ge-0/0/7 disable',
      'delete routing-options static route 203.0.113.9/32',
    ])
    expect(typedBefore.filter((line) => line.startsWith('delete '))).toEqual([])
    const kinds = book.entries.map((entry) =>
      entry.kind === 'done' ? `done ${entry.value.purpose}` : entry.kind,
    )
    expect(kinds.slice(kinds.indexOf('done rollback'))).toEqual([
      'done rollback',
      'rolledBack',
      'verified',
    ])
  })

  it('is not shown and not taken back where the device accepts commits and does nothing', async () => {
    const { try: ask, book } = await start()
    const before = router().running
    router().faults.add({ kind: 'lie', matching: commits })
    await ask([host])

    expect(book.state(keyOf(host))).toMatchObject({ verified: false, error: { code: 'not_shown' } })
    expect(steps(book.entries).map(({ purpose }) => purpose)).toEqual(['change', 'rollback'])
    // The inverse went into a candidate; the device's own difference says that there is nothing to take back.
    expect(typed()).toContain('delete routing-options static route 203.0.113.9/32')
    expect(countOf('commit')).toBe(1)
    expect(book.entries.some(({ kind }) => kind === 'rolledBack')).toBe(false)
    expect(router().running).toBe(before)
    expect(book.claims).toEqual([])
  })

  it('takes what it shares an entry with along', async () => {
    const both = [acl('203.0.113.9/32', 'in'), acl('203.0.113.9/32', 'out')]
    hidden = new Set(both.slice(0, 1).map(keyOf))
    const { try: ask, book } = await start(hiding)
    const before = router().running
    await ask([...both, other])

    for (const intent of both) {
      expect(book.state(keyOf(intent))).toMatchObject({ error: { code: 'not_shown' } })
    }
    expect(book.claims.map(({ key }) => key)).toEqual([keyOf(other)])
    expect(book.state(keyOf(other))?.verified).toBe(true)
    expect(before).not.toContain('203.0.113.9/32')
    expect(router().running).not.toContain('203.0.113.9/32')
  })

  it('is waited for where all its lines are those of another, which is shown', async () => {
    const both = [acl('203.0.113.9/32', 'in'), acl('203.0.113.9/32', 'out')] as const
    hidden = new Set([keyOf(both[1])])
    const { try: ask, book } = await start(hiding)
    await ask(both)

    expect(book.state(keyOf(both[0]))?.verified).toBe(true)
    expect(book.state(keyOf(both[1]))).toMatchObject({ error: { code: 'not_shown' } })
    expect(steps(book.entries).map(({ purpose }) => purpose)).toEqual(['change'])
  })

  it('stays claimed where the inverse is refused, and is ours when it shows at last', async () => {
    hidden = new Set([keyOf(host)])
    const { try: ask, book } = await start(hiding)
    router().faults.add({ kind: 'reject', matching: '^delete ', text: 'error: no', times: 1 })
    await ask([host])

    expect(book.state(keyOf(host))).toMatchObject({ verified: false, error: { code: 'not_shown' } })
    expect(book.claims).toMatchObject([{ key: keyOf(host), phase: 'pending' }])
    expect(stands()).toBe(true)

    hidden = new Set()
    await book.until(() => book.state(keyOf(host))?.verified === true)
    expect(countOf('commit')).toBe(1)
    expect(book.claims).toMatchObject([{ phase: 'held' }])
  })

  it('is taken back with the next try where the session was lost on the way back', async () => {
    hidden = new Set([keyOf(host)])
    const { try: ask, book } = await start(hiding)
    router().faults.add({ kind: 'disconnect', when: 'before', matching: commits, line: 2 })
    await ask([host])
    expect(stands()).toBe(true)
    expect(book.claims).toMatchObject([{ key: keyOf(host), phase: 'pending' }])

    await book.until(({ kind }) => kind === 'rolledBack')
    expect(stands()).toBe(false)
    // It was there already, so there was nothing to commit but its inverse, twice.
    expect(countOf('commit')).toBe(3)
  })

  it('is lifted with the next try, if what was not done was a lift', async () => {
    const { settle, book } = await start()
    await settle([host])
    router().faults.add({ kind: 'lie', matching: commits, times: 1 })
    await settle([])
    expect(stands()).toBe(false)
    expect(book.claims).toEqual([])
  })
})

describe('a commit for good that the device says no to', () => {
  it('changes nothing, and takes nothing back', async () => {
    const { try: ask, book } = await start()
    const before = router().running
    router().faults.add({ kind: 'reject', matching: commits, text: 'error: commit failed' })
    await ask([host])

    expect(book.state(keyOf(host))).toMatchObject({
      outcome: 'refused',
      error: { code: 'line_refused' },
    })
    expect(book.claims).toEqual([])
    expect(steps(book.entries).map(({ purpose }) => purpose)).toEqual(['change'])
    expect(router().running).toBe(before)
  })

  it('loses only the intent that is refused', async () => {
    const bad = blackhole('203.0.113.64/26')
    const { try: ask, book } = await start()
    router().faults.add({
      kind: 'reject',
      matching: '^set .* 203\\.0\\.113\\.64',
      text: 'error: no',
    })
    await ask([host, bad])
    expect(book.state(keyOf(host))?.verified).toBe(true)
    expect(book.state(keyOf(bad))).toMatchObject({ error: { code: 'line_refused' } })
  })

  it('is there all the same where only its answer was cut off', async () => {
    const { try: ask, book } = await start()
    router().faults.add({ kind: 'truncate', matching: commits, times: 1 })
    await ask([host])

    expect(book.state(keyOf(host))).toMatchObject({ outcome: 'applied', verified: true })
    expect(countOf('commit')).toBe(1)
    const ends = book.entries.filter((entry) => entry.kind === 'done')
    expect(ends.map(({ value }) => value.outcome)).toEqual(['ok'])
  })

  it('is tried again where the no passes by itself', async () => {
    const locked = /database locked/
    const { try: ask, book } = await start(withTransaction({ commit: { ...commit, locked } }))
    const text = 'error: configuration database locked by: ops'
    router().faults.add({ kind: 'reject', matching: commits, text, times: 1 })
    await ask([host])
    expect(book.state(keyOf(host))).toMatchObject({ error: { code: 'locked' } })
    await book.until(() => book.state(keyOf(host))?.verified === true)
  })
})

describe('a session that is lost', () => {
  it.each<{ when: string; fault: Fault; commits: number }>([
    {
      when: 'before the commit',
      fault: { kind: 'disconnect', when: 'before', matching: commits, times: 1 },
      commits: 2,
    },
    {
      when: 'before its answer',
      fault: { kind: 'disconnect', when: 'after', matching: commits, times: 1 },
      commits: 1,
    },
    {
      when: 'after the commit',
      fault: {
        kind: 'disconnect',
        when: 'before',
        matching: '^exit configuration-mode$',
        after: commits,
        times: 1,
      },
      commits: 1,
    },
    {
      when: 'while it is read back',
      fault: {
        kind: 'disconnect',
        when: 'before',
        matching: '^show (?!version)',
        after: commits,
        times: 1,
      },
      commits: 1,
    },
  ])('$when leaves nothing to be guessed', async ({ fault, commits: times }) => {
    const { settle, book } = await start()
    router().faults.add(fault)
    await settle([host])

    expect(router().faults.acted).toBe(1)
    expect(book.entries.some(({ kind }) => kind === 'failed')).toBe(true)
    expect(countOf('commit')).toBe(times)
    expect(stands()).toBe(true)
    expect(book.claims).toMatchObject([{ phase: 'held' }])
    expect(book.entries.some(({ kind }) => kind === 'rolledBack')).toBe(false)
  })
})

describe('a controller that is killed between a commit for good and its read-back', () => {
  it('finds it at its next start, and sends nothing more', async () => {
    const { agent, book, device, next: successor } = await start()
    const flush = book.flush.bind(book)
    let isOver = (): void => undefined
    const killed = new Promise<void>((resolve) => {
      book.flush = () => {
        if (countOf('commit') === 0) return flush()
        resolve()
        return new Promise((end) => {
          isOver = end
        })
      }
    })
    book.wanted = [host]
    agent.wake('change')
    await killed
    expect(book.claims).toMatchObject([{ phase: 'pending' }])
    expect(stands()).toBe(true)

    const next = successor({ ...book, flush })
    try {
      await book.until(() => book.state(keyOf(host))?.verified === true)
      expect(book.claims).toMatchObject([{ phase: 'held' }])
      expect(device.journal.lines().filter((line) => line === 'commit')).toHaveLength(1)
      expect(steps(book.entries)).toHaveLength(1)
    } finally {
      await next.stop()
      isOver()
    }
  })
})

describe('a change of somebody else between load and commit', () => {
  const his = 'set routing-options static route 203.0.113.201/32 discard'
  /** A candidate that is a copy: what was committed since would be undone by a commit of it. */
  const copies = withTransaction({
    enter: () => [
      {
        ...enter('configure private', 'operational', 'configuration'),
        expect: /^Entering configuration mode$/m,
      },
    ],
  })

  it('shows in the difference, which refuses it; a new candidate has it in', async () => {
    const { settle, book } = await start(copies)
    router().faults.add({
      kind: 'foreign-change',
      when: 'before',
      matching: '^show \\| compare',
      lines: [his],
      times: 1,
    })
    await settle([host, other])

    const refused = book.entries.flatMap((entry) =>
      entry.kind === 'done' ? [entry.value.refused?.message] : [],
    )
    expect(refused).toEqual([
      expect.stringContaining('not meant: -routing-options static route 203.0.113.201/32 discard'),
      undefined,
    ])
    expect(countOf('commit')).toBe(1)
    expect(router().running).toContain('route 203.0.113.201/32 {')
    expect(stands()).toBe(true)
  })

  it('is not committed over, however often it is tried', async () => {
    const { try: ask, book } = await start(copies)
    router().faults.add({ kind: 'say', matching: '^show \\| compare', text: '[edit]\n-  mpls;' })
    await ask([host])

    expect(book.state(keyOf(host))).toMatchObject({
      outcome: 'refused',
      error: { code: 'line_refused', message: expect.stringContaining('not meant: -mpls') },
    })
    expect(countOf('show | compare | no-more')).toBe(2)
    expect(countOf('commit')).toBe(0)
  })
})

describe('a dry run of a commit for good', () => {
  it('compares and checks, asks for nothing that waits, and throws the candidate away', async () => {
    const { agent, book } = await start()
    const before = router().running
    const { candidate } = await agent.read([host], [{ kind: 'apply', intent: host }])

    expect(candidate?.diff).toContain('203.0.113.9/32')
    expect(candidate?.check).toContain('configuration check succeeds')
    expect(router().journal.lines().join('\n')).not.toMatch(/run show/)
    expect(router().running).toBe(before)
    expect(steps(book.entries)).toEqual([])
  })

  it('says so where the system checks only when it commits', async () => {
    const { check: _check, ...unchecked } = forGood
    const { agent } = await start({ ...juniper_junos, transaction: unchecked })
    const { candidate } = await agent.read([host], [{ kind: 'apply', intent: host }])
    expect(candidate?.check).toContain('not checked')
    expect(countOf('commit check')).toBe(0)
  })
})

describe('a timer that restores the whole configuration', () => {
  // Looked at by words of its own: what the reads ask for is asked for in any case.
  const look = free('show system uptime', 'operational')
  const pending = (): Pending => ({ kind: 'none', token: undefined, earlier: [] })
  const unused = withTransaction({ timer: { ...timer, undoes: 'configuration', look, pending } })
  const restoring = withTransaction({ timer: { ...timer, undoes: 'configuration' } })

  it('is left alone unless the inventory allows it', async () => {
    const { settle } = await start(unused)
    await settle([host])
    await settle([])
    expect(countOf('commit')).toBe(2)
    expect(router().journal.lines().join('\n')).not.toMatch(
      /commit confirmed|system uptime|run show/,
    )
  })

  it('is used where the inventory allows it', async () => {
    const { settle, book } = await start(restoring, true)
    await settle([host])
    expect(typed().filter((line) => line.startsWith('commit confirmed'))).toHaveLength(1)
    expect(countOf('commit')).toBe(0)
    expect(steps(book.entries)[0]?.token).toMatch(/^[0-9a-f]{8}$/)
  })
})
