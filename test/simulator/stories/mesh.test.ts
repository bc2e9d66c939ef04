// Two triggers of one iBGP mesh: each learns what the other announces, so that each discards a route that it has no line for.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { heldBack } from './held-back.ts'
import { routesOnly } from './networks.ts'
import { type Story, type StoryDevice, startStory, statusOn, suspend } from './story.ts'

const both = ['trigger1', 'trigger2'] as const
const prefix = '203.0.113.2/32'
const key = `blackhole|default|${prefix}`
const line = `ip route ${prefix} blackhole tag 666`

/** An edge learns what others announce; with both roles a router of the mesh does so, and announces. */
const mesh: readonly StoryDevice[] = both.map((name, at) => ({
  name,
  routerId: `10.0.0.${at + 1}`,
  platform: 'frr',
  roles: ['rtbh-trigger', 'edge'],
}))

let story: Story

/** Between the devices nothing is told until the test says so. */
const untold = heldBack()

beforeEach(async () => {
  story = await startStory({
    devices: mesh,
    customers: `  esthost: { name: Esthost, prefixes: [${prefix}] }`,
    playbooks: { suspend: routesOnly('suspend', { end: 'rollout: { canary: 1, batch: 50 }' }) },
    propagationMs: untold.ms,
    deviceClock: untold.clock,
  })
})

afterEach(() => story.end())

const has = (name: string): boolean => story.device(name).running.includes(line)

/** What people read of the route on a device. */
async function readOn(id: string, name: string) {
  const { devices } = await story.enforcement(id)
  const [intent] = devices.find(({ device }) => device === name)?.intents ?? []
  return intent
}

async function isOn(id: string, name: string, status: string): Promise<void> {
  const holds = async () => statusOn(await story.enforcement(id), name) === status
  await story.until(`${name} is ${status}`, holds)
}

/** In force on both; the second put its own where it had learnt that of the first. */
async function enforcedOnBoth(): Promise<string> {
  const trigger2 = story.device('trigger2')
  trigger2.faults.add({ kind: 'reject', matching: /^ip route/ })
  const { id } = await story.decide(suspend('esthost'))
  await story.until('the first has it', () => has('trigger1'))
  untold.release()
  await isOn(id, 'trigger2', 'refused')
  trigger2.faults.clear()
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'enforced')
  await story.quiet()
  untold.release()
  return id
}

describe('two triggers that learn from each other', () => {
  it('are enforced only when both have put theirs, however the second discards it already', async () => {
    const trigger2 = story.device('trigger2')
    trigger2.faults.add({ kind: 'reject', matching: /^ip route/ })
    const { id } = await story.decide(suspend('esthost'))
    await story.until('the first has it', () => has('trigger1'))
    untold.release()

    const degraded = await story.reaches(id, 'degraded')

    expect(both.map((name) => statusOn(degraded, name))).toEqual(['verified', 'refused'])
    await story.call('POST', `/v1/enforcements/${id}/retry`, { devices: ['trigger2'] })
    await isOn(id, 'trigger2', 'refused')
    expect(both.map(has)).toEqual([true, false])
    expect(await readOn(id, 'trigger2')).toMatchObject({
      key,
      outcome: 'refused',
      seen: 'absent',
      error: { code: 'line_refused' },
    })

    trigger2.faults.clear()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    const enforced = await story.reaches(id, 'enforced')
    expect(both.map(has)).toEqual([true, true])
    expect(enforced.devices.map(({ intents }) => intents[0]?.outcome)).toEqual([
      'applied',
      'applied',
    ])
  })

  it('are released only when neither discards it any more, and neither is said to be somebody else’s', async () => {
    const id = await enforcedOnBoth()

    await story.release(id)
    await story.until('both have lifted theirs', () => !both.some(has))
    for (const name of both) await isOn(id, name, 'failed')

    for (const name of both) {
      expect(await readOn(id, name)).toMatchObject({
        outcome: 'failed',
        seen: 'present',
        error: { code: 'not_shown' },
      })
    }
    expect((await story.enforcement(id)).status).toBe('releasing')

    untold.release()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    const released = await story.reaches(id, 'released')
    expect(both.map((name) => statusOn(released, name))).toEqual(['verified', 'verified'])
    expect(released.devices.map(({ intents }) => intents[0])).toMatchObject([
      { outcome: 'applied', seen: 'absent' },
      { outcome: 'applied', seen: 'absent' },
    ])
  })

  it('are not released while one keeps its own, and the other learns it', async () => {
    const id = await enforcedOnBoth()
    const trigger1 = story.device('trigger1')
    trigger1.faults.add({ kind: 'reject', matching: /^no ip route/ })

    await story.release(id)
    await story.until('the second has lifted its own', () => !has('trigger2'))
    untold.release()
    await isOn(id, 'trigger1', 'refused')
    await isOn(id, 'trigger2', 'failed')

    expect(both.map(has)).toEqual([true, false])
    expect((await readOn(id, 'trigger2'))?.error?.message).toBe(
      'lifted in the configuration, but the device still has it in force',
    )
    expect((await story.enforcement(id)).status).toBe('releasing')

    trigger1.faults.clear()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.until('the first has lifted its own', () => !has('trigger1'))
    untold.release()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.reaches(id, 'released')
    expect(both.map(has)).toEqual([false, false])
  })
})
