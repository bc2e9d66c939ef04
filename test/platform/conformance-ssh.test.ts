// Every platform over real SSH, with the agent that owns the device: apply, again, release, and everything that may go wrong between.
// Whatever goes wrong: what is not ours stays as it was, and nothing is called done that the device does not show.

import { afterEach, describe, expect, it } from 'vitest'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { models } from '../simulator/models/index.ts'
import type { SimulatedPlatform } from '../simulator/spec.ts'
import { acl, blackhole, entering, neighbor, port, token } from './conformance-kit.ts'
import { habitsOf, host, knownFacts, type Lab, startLab, wantedOn } from './conformance-lab.ts'

const all: readonly Platform[] = [...platforms.values()].filter(
  ({ name }) => models[name as SimulatedPlatform] !== undefined,
)

let lab: Lab | undefined

afterEach(async () => {
  await lab?.stop()
  lab = undefined
})

async function start(platform: Platform, over = {}): Promise<Lab> {
  lab = await startLab(platform, over)
  return lab
}

/** The lines that bring all of it, each once. */
function linesOf(platform: Platform, intents: readonly Intent[]): readonly string[] {
  const changes = intents.map((intent) => ({ kind: 'apply', intent }) as const)
  const texts = platform.render(changes, knownFacts).flatMap((rendering) => {
    return rendering.kind === 'lines' ? rendering.apply.map(({ text }) => text) : []
  })
  const { transaction } = platform
  const around = [
    ...entering(platform),
    ...(transaction.kind === 'line'
      ? transaction.leave
      : [
          transaction.diff,
          transaction.check,
          transaction.commit,
          ...(transaction.timer?.confirm ?? []),
        ]),
  ].filter((line) => line !== undefined)
  return [...new Set([...around.map(({ text }) => text), ...texts])]
}

/** The token is another one each time. */
const exactly = (text: string): string =>
  `^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(token, '[0-9a-f]{8}')}\\s*$`

/** A small set of each kind, so that each fault is met in each kind of context. */
function few(platform: Platform): readonly Intent[] {
  const kinds = new Set<string>()
  return wantedOn(platform).filter(({ kind }) => {
    if (kinds.has(kind)) return false
    return kinds.add(kind)
  })
}

const faulty = all.flatMap((platform) =>
  linesOf(platform, few(platform)).map((line) => ({ name: platform.name, line, platform })),
)

describe.each(all)('$name over SSH', (platform) => {
  it('brings every intent, in each family and table, and shows it', async () => {
    const { settle, book } = await start(platform)
    const wanted = wantedOn(platform)
    await settle(wanted)
    for (const intent of wanted) {
      expect(book.state(keyOf(intent))).toMatchObject({ verified: true, seen: 'present' })
    }
  })

  it('does nothing the second time', async () => {
    const { settle, changes, device } = await start(platform)
    await settle(wantedOn(platform))
    device.journal.clear()
    await settle(wantedOn(platform))
    expect(changes()).toEqual([])
  })

  it('releases to exactly what was there, saved configuration included', async () => {
    const { settle, running, startup, book } = await start(platform)
    const before = [running(), startup()]
    await settle(wantedOn(platform))
    expect(running()).not.toBe(before[0])
    await settle([])
    await expect.poll(() => book.claims.length).toBe(0)
    expect([running(), startup()]).toEqual(before)
  })

  it('leaves alone what was down before, also at release', async () => {
    const { settle, running, changes, device, book } = await start(platform)
    const before = running()
    const down = [port(habitsOf(platform).portShut), neighbor('192.0.2.10')].filter((intent) => {
      return wantedOn(platform).some(({ kind }) => kind === intent.kind)
    })
    device.journal.clear()
    await settle(down)
    for (const intent of down) {
      expect(book.state(keyOf(intent))).toMatchObject({ outcome: 'already', seen: 'foreign' })
    }
    await settle([])
    expect(changes(down)).toEqual([])
    expect(running()).toBe(before)
  })

  it('changes a tag in one step and keeps the claim', async () => {
    const { settle, book, running } = await start(platform)
    const before = running()
    await settle([host])
    await settle([blackhole('203.0.113.9/32', { tag: 667 })])
    expect(book.claims).toMatchObject([{ phase: 'held', intent: { tag: 667 }, before: [] }])
    await settle([])
    expect(running()).toBe(before)
  })

  it('never says verified of a device that lies', async () => {
    const { try: attempt, device, book } = await start(platform)
    device.faults.add({ kind: 'lie' })
    const wanted = few(platform)
    await attempt(wanted)
    for (const intent of wanted) {
      expect(book.state(keyOf(intent))?.verified ?? false).toBe(false)
    }
  })

  it('reads right when the output comes byte by byte', async () => {
    const { settle, device, running } = await start(platform)
    const before = running()
    device.faults.add({ kind: 'split', bytes: 1 })
    await settle(few(platform))
    await settle([])
    expect(running()).toBe(before)
  })

  it('is not misled by a pager that stays on', async () => {
    const { try: attempt, device, book, running } = await start(platform)
    const before = running()
    device.faults.add({ kind: 'paging' })
    await attempt([host])
    const state = book.state(keyOf(host))
    if (state?.verified !== true) expect(running()).toBe(before)
    device.faults.clear()
    expect(state?.verified === true).toBe(state?.seen === 'present')
  })

  it('changes nothing while somebody else holds the lock', async () => {
    const { try: attempt, settle, device, book, running } = await start(platform)
    const before = running()
    device.faults.add({ kind: 'lock', by: 'ops' })
    await attempt([host])
    if (book.state(keyOf(host))?.verified !== true) expect(running()).toBe(before)
    device.faults.clear()
    await settle([host])
    expect(book.state(keyOf(host))?.verified).toBe(true)
  })

  it('puts back what somebody took away, and says so', async () => {
    const { settle, device, book, agent } = await start(platform)
    await settle([host])
    const claim = book.claims[0]
    const [lift] = platform.render(
      [{ kind: 'lift', intent: host, before: [], wrote: claim?.wrote ?? [] }],
      knownFacts,
    )
    device.setByHand(lift?.kind === 'lines' ? lift.apply.map(({ text }) => text) : [])
    const from = book.entries.length
    agent.wake('check')
    const found = await book.until(
      (entry) => entry.kind === 'verified' && entry.value.drifted.length > 0,
      from,
    )
    expect(found).toMatchObject({ value: { drifted: [keyOf(host)] } })
    await settle([host])
  })
})

describe.each(all.filter((platform) => habitsOf(platform).same !== undefined))(
  '$name over SSH, with objects of others',
  (platform) => {
    it('counts the very same object as in force and never removes it', async () => {
      const { settle, device, book, running, changes } = await start(platform)
      device.setByHand(habitsOf(platform).same ?? [])
      const before = running()
      device.journal.clear()
      await settle([host])
      expect(book.state(keyOf(host))).toMatchObject({ outcome: 'already', seen: 'foreign' })
      await settle([])
      expect(changes()).toEqual([])
      expect(running()).toBe(before)
    })

    it('refuses to replace another, and names it', async () => {
      const { try: attempt, device, book, running, changes } = await start(platform)
      device.setByHand(habitsOf(platform).other ?? [])
      const before = running()
      device.journal.clear()
      await attempt([host])
      expect(book.state(keyOf(host))).toMatchObject({
        outcome: 'refused',
        error: { code: 'foreign_object', message: expect.stringContaining('999') },
      })
      expect(changes()).toEqual([])
      expect(running()).toBe(before)
    })
  },
)

describe.each(all.filter((platform) => wantedOn(platform).some(({ kind }) => kind === 'acl')))(
  '$name over SSH, with filter entries inside of others',
  (platform) => {
    const inner = acl('203.0.113.129/32')
    const outer = acl('203.0.113.128/25')

    it('lifts the narrower once the wider is in force, and brings it back with its end', async () => {
      const { settle, book, running } = await start(platform)
      const before = running()
      const held = () => book.claims.map(({ key }) => key)
      await settle([inner])
      await settle([inner, outer])
      await expect.poll(held).toEqual([keyOf(outer)])
      expect(book.state(keyOf(inner))?.note).toContain('covered by')
      await settle([inner])
      await expect.poll(held).toEqual([keyOf(inner)])
      await settle([])
      expect(running()).toBe(before)
    })

    it('keeps the narrower in force when the wider is refused', async () => {
      const { settle, try: attempt, device, book, running } = await start(platform)
      await settle([inner])
      const before = running()
      device.faults.add({ kind: 'reject', matching: /203\.0\.113\.128/ })
      await attempt([inner, outer])
      expect(book.state(keyOf(inner))).toMatchObject({ verified: true, seen: 'present' })
      expect(book.state(keyOf(outer))).toMatchObject({ error: { code: 'line_refused' } })
      expect(running()).toBe(before)
      expect(book.claims).toMatchObject([{ key: keyOf(inner) }])
    })
  },
)

describe.each(faulty)('$name, at `$line`', ({ platform, line }) => {
  it('refused once: nothing else is hit, the next try is right, and all goes back', async () => {
    const { try: attempt, settle, device, book, running } = await start(platform)
    const before = running()
    device.faults.add({ kind: 'reject', matching: exactly(line), times: 1 })
    await attempt(few(platform))
    for (const intent of few(platform)) {
      const state = book.state(keyOf(intent))
      if (state?.verified !== true) expect(state?.outcome).not.toBe('applied')
    }
    await settle(few(platform))
    await settle([])
    expect(running()).toBe(before)
  })

  it.each(['before', 'after'] as const)(
    'connection lost %s it: it comes right by itself',
    async (when) => {
      const { settle, device, running } = await start(platform)
      const before = running()
      device.faults.add({ kind: 'disconnect', when, matching: exactly(line), times: 1 })
      await settle(few(platform))
      await settle([])
      expect(running()).toBe(before)
    },
  )
})

// FRR prints them only into a session that asked for them.
describe.each(all.filter(({ name }) => name !== 'frr'))('$name, with log lines', (platform) => {
  it.each(['answer', 'prompt'] as const)('in the %s', async (where) => {
    const { settle, device, running } = await start(platform)
    const before = running()
    device.faults.add({ kind: 'log-line', where, times: 6 })
    await settle(few(platform))
    await settle([])
    expect(running()).toBe(before)
  })
})

it('leaves no platform without a device to prove itself on', () => {
  expect(all.map(({ name }) => name)).toEqual([...platforms.keys()])
})
