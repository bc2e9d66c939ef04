import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../faults.ts'
import { routesOnly, trigger } from './networks.ts'
import { block, type Story, startStory, statusOn } from './story.ts'

let story: Story

beforeEach(async () => {
  story = await startStory({
    devices: [trigger],
    customers: '  esthost: { name: Esthost, prefixes: [203.0.113.0/30] }',
    playbooks: { block: routesOnly('block') },
  })
})

afterEach(() => story.end())

describe('a device that takes the connection and says no more', () => {
  it.each<Fault>([
    { kind: 'connect', how: 'silent' },
    { kind: 'connect', how: 'version only' },
    { kind: 'log-in', how: 'silent' },
  ])('is unreachable once the time for a log-in is over: $kind $how', async (fault) => {
    const router = story.device('trigger1')
    router.faults.add(fault)
    const { id } = await story.decide(block('203.0.113.2'))
    await story.until('it is stuck', () => router.faults.acted > 0)

    story.clock.travel(21_000)

    const degraded = await story.reaches(id, 'degraded')
    expect(statusOn(degraded, 'trigger1')).toBe('unreachable')
    expect(degraded.devices[0]?.error?.message).toContain('no log-in within 20000 ms')
    router.faults.clear()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.reaches(id, 'enforced')
  })
})

describe('a password that has expired', () => {
  it('is a log-in refused, in the device’s words, and is not tried over and over', async () => {
    const router = story.device('trigger1')
    router.faults.add({ kind: 'log-in', how: 'expired' })
    const { id } = await story.decide(block('203.0.113.2'))

    const degraded = await story.reaches(id, 'degraded')

    const error = degraded.devices[0]?.error
    expect(error?.code).toBe('login_refused')
    expect(error?.message).toContain('Your password has expired')
    // Once for the first look at the device, where that had not ended yet, and once for the decision.
    expect(router.faults.acted).toBeLessThanOrEqual(2)
  })
})
