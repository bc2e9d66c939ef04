// What is said of a change while a commit waits on the device for its confirmation, whosever it is.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Story, startStory } from './story.ts'

const key = 'port|ge-0/0/7'
const blockPort = {
  action: 'block',
  subject: { port: { device: 'edge2', interface: 'ge-0/0/7' } },
  reason: { category: 'spam', summary: 'open relay', ticket: 'ABUSE-2041' },
}

let story: Story

beforeEach(async () => {
  story = await startStory({
    devices: [
      {
        name: 'edge2',
        platform: 'juniper_junos',
        roles: ['access'],
        ports: [{ name: 'ge-0/0/7', description: 'esthost', addresses: [] }],
      },
    ],
    customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]
    ports: [{ device: edge2, interface: ge-0/0/7 }]`,
  })
})

afterEach(() => story.end())

const router = () => story.device('edge2')
const isDown = () => /ge-0\/0\/7 \{[^}]*\bdisable;/.test(router().running)
const check = () => story.call('POST', '/v1/devices/edge2/check')

/** Calls back where the next commit of ours is about to be looked at from the second session. */
function onceCommitted(act: () => void): void {
  let isCommitted = false
  const ignore = router().journal.listen(({ text }) => {
    if (text.startsWith('commit confirmed')) isCommitted = true
    if (!isCommitted || !text.startsWith('show system commit')) return
    ignore()
    act()
  })
}

/** An operator commits something of his own inside our window, and has yet to confirm it. */
const operatorCommits = () =>
  router().setByHand([
    'set routing-options static route 203.0.113.201/32 discard',
    'commit confirmed 10',
  ])

const error = async (id: string) =>
  (await story.enforcement(id)).devices.flatMap(({ intents }) => intents)[0]?.error

const waits = (id: string) =>
  story.until('the commit of somebody else is known to wait', async () => {
    const message = (await error(id))?.message ?? ''
    return message.startsWith('a commit of somebody else waits')
  })

const settled = () =>
  story.records({ type: 'enforcement.settled' }).map(({ data }) => data['status'])

describe('a confirmed commit of an operator inside our window', () => {
  it('leaves a block neither enforced nor let go of, and it is put back when that one was taken back', async () => {
    onceCommitted(operatorCommits)
    const { id } = await story.decide(blockPort)
    await waits(id)
    await check()
    await story.restart()
    await check()
    await waits(id)
    expect(isDown()).toBe(true)
    expect(settled()).not.toContain('enforced')

    expect(router().expireTimer()).toBe(true)
    expect(isDown()).toBe(false)
    story.clock.travel(60_000)

    await story.reaches(id, 'enforced')
    expect(isDown()).toBe(true)
    expect(router().running).not.toContain('203.0.113.201')
  })

  it('leaves a release neither released nor let go of, and it is lifted again when that one was taken back', async () => {
    const { id } = await story.decide(blockPort)
    await story.reaches(id, 'enforced')
    onceCommitted(operatorCommits)
    await story.release(id)
    await waits(id)
    await check()
    await story.restart()
    await check()
    await waits(id)
    expect(isDown()).toBe(false)
    expect((await story.enforcement(id)).status).toBe('releasing')

    expect(router().expireTimer()).toBe(true)
    expect(isDown()).toBe(true)
    story.clock.travel(60_000)

    await story.reaches(id, 'released')
    expect(isDown()).toBe(false)
  })

  it('confirms ours when he confirms his', async () => {
    onceCommitted(operatorCommits)
    const { id } = await story.decide(blockPort)
    await waits(id)

    router().setByHand(['commit'])
    story.clock.travel(60_000)

    await story.reaches(id, 'enforced')
    expect(router().expireTimer()).toBe(false)
    expect(isDown()).toBe(true)
  })
})

describe('a check inside our own window', () => {
  it('does not say enforced what a freeze keeps from being confirmed', async () => {
    const off: (() => void)[] = []
    onceCommitted(() => off.push(router().faults.add({ kind: 'off' })))
    const { id } = await story.decide(blockPort)
    await story.until('the device is off', () => off.length === 1)
    await story.call('POST', '/v1/freeze', { reason: 'change freeze' })
    for (const end of off) end()
    story.clock.travel(60_000)
    const held = 'a freeze holds the confirmation; the device takes it back by itself'
    const isHeld = async () => (await error(id))?.message === held
    await story.until('it is held', isHeld)

    await check()
    await story.until('it is held still', isHeld)
    expect(isDown()).toBe(true)
    expect(settled()).not.toContain('enforced')
    const claims = story.running.controller.store.read((rows) => rows.claims('edge2'))
    expect(claims).toMatchObject([{ key, phase: 'pending' }])

    await story.call('DELETE', '/v1/freeze', { reason: 'over' })
    await story.reaches(id, 'enforced')
    expect(router().expireTimer()).toBe(false)
    expect(isDown()).toBe(true)
  })
})
