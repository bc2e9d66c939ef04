// What a restart brings back is what was saved: an object of ours in a form that it had before the last change of its tag or message. It is ours all the same.

import { afterEach, describe, expect, it } from 'vitest'
import { faultWorld } from '../../faults/worlds.ts'
import type { RunningDevice } from '../simulator.ts'
import { type Story, startStory, suspend } from './story.ts'

let story: Story
let device: RunningDevice

afterEach(() => story.end())

async function begin(platform: 'frr' | 'cisco_ios'): Promise<string> {
  const world = faultWorld(platform, { lookAlike: false })
  const other = world.playbook.replace('name: suspend', 'name: other').replace('666', '777')
  story = await startStory({
    devices: [world.device],
    customers: world.customers,
    playbooks: { suspend: world.playbook, other },
  })
  device = story.device('r1')
  return device.running
}

/** As the first, with another tag and another ticket. */
const second = (): object => {
  const reason = { category: 'phishing', summary: 'again', ticket: 'ABUSE-2' }
  return suspend('esthost', { playbook: 'other', reason })
}

async function released(id: string): Promise<void> {
  await story.release(id)
  await story.reaches(id, 'released')
}

/** The device starts again from what was saved, and shows what it shows then. */
function restart(): string {
  device.reboot()
  device.faults.clear()
  story.clock.travel(301_000)
  return device.running
}

describe.each(['frr', 'cisco_ios'] as const)('on %s an earlier form of ours', (platform) => {
  it('that comes back with a restart is put right for the one that is in force, and goes with its release', async () => {
    const before = await begin(platform)
    const first = await story.enforced(suspend('esthost'))
    const next = await story.enforced(second())
    const saved = device.running
    device.faults.add({ kind: 'refuse-save' })
    await released(first.id)
    const wanted = device.running
    expect(wanted).not.toBe(saved)

    expect(restart()).toBe(saved)
    await story.until('it is as wanted again', () => device.running === wanted)
    await story.reaches(next.id, 'enforced')
    await story.lifted(next.id)
    expect(device.running).toBe(before)
  })

  it('that comes back after both were released is lifted again', async () => {
    const before = await begin(platform)
    const first = await story.enforced(suspend('esthost'))
    const next = await story.enforced(second())
    const saved = device.running
    device.faults.add({ kind: 'refuse-save' })
    await released(first.id)
    await released(next.id)
    expect(device.running).toBe(before)

    expect(restart()).toBe(saved)
    await story.until('it is lifted again', () => device.running === before)
    await story.quiet()
    expect(restart()).toBe(before)
  })

  it('that was lifted, and put there anew in another form before it was saved, is known too', async () => {
    const before = await begin(platform)
    const first = await story.enforced(suspend('esthost'))
    const saved = device.running
    device.faults.add({ kind: 'refuse-save' })
    await released(first.id)
    const next = await story.decide(second())
    await story.reaches(next.id, 'enforced')
    const wanted = device.running

    expect(restart()).toBe(saved)
    await story.until('it is as wanted again', () => device.running === wanted)
    await story.lifted(next.id)
    expect(device.running).toBe(before)
  })
})

it('an operator’s object in a form that ours had before the last save is his', async () => {
  const before = await begin('frr')
  const line = 'ip route 203.0.113.8/32 blackhole tag 666'
  const first = await story.enforced(suspend('esthost'))
  const next = await story.enforced(second())
  await story.lifted(first.id)
  expect(device.running).toContain('ip route 203.0.113.8/32 blackhole tag 777')
  device.setByHand(['no ip route 203.0.113.8/32 blackhole tag 777', line])
  await released(next.id)

  expect(device.running).toContain(line)
  device.setByHand([`no ${line}`])
  expect(device.running).toBe(before)
})
