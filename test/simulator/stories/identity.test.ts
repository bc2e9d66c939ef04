import { afterEach, describe, expect, it } from 'vitest'
import type { SimulatedPlatform } from '../spec.ts'
import { edge, town, trigger } from './networks.ts'
import { outcomes, type Story, type StoryDevice, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

const prefixes = 'prefixes: [203.0.113.0/30, "2001:db8:e57::/48"]'
const platforms: readonly SimulatedPlatform[] = ['frr', 'linux', 'cisco_ios', 'juniper_junos']

const triggerOf = (platform: SimulatedPlatform): StoryDevice => ({ ...trigger, platform })

interface Texts {
  readonly running: readonly string[]
  readonly startup: readonly string[]
}

const texts = (): Texts => ({
  running: story.simulator.devices.map(({ running }) => running),
  startup: story.simulator.devices.map(({ startup }) => startup),
})

async function suspendAndRelease(customer: string): Promise<void> {
  await story.lifted((await story.enforced(suspend(customer))).id)
}

describe('the configuration after suspend and release', () => {
  it.each(platforms)(
    'is the same bytes as before, running and saved, on a trigger of %s',
    async (platform) => {
      story = await startStory({
        devices: [triggerOf(platform), edge],
        customers: `  esthost:
    name: Esthost
    ${prefixes}`,
      })
      const before = texts()
      const { id } = await story.enforced(suspend('esthost'))
      const during = texts()
      expect(during.running[0]).not.toBe(before.running[0])
      expect(during.startup[0]).not.toBe(before.startup[0])
      await story.lifted(id)
      expect(texts()).toEqual(before)
    },
  )

  it('is the same on edges and switches of every platform: filters, ports, sessions', async () => {
    story = await startStory(town)
    const before = texts()
    const { id } = await story.decide(suspend('esthost'))
    const enforced = await story.reaches(id, 'enforced')
    await story.quiet()
    const applied = (device: string) =>
      Object.entries(outcomes(enforced, device))
        .filter(([, outcome]) => outcome === 'applied')
        .map(([key]) => key.split('|')[0])
    expect(new Set(applied('edge1'))).toEqual(new Set(['neighbor']))
    expect(new Set(applied('edge2'))).toEqual(new Set(['acl', 'neighbor']))
    expect(new Set(applied('edge3'))).toEqual(new Set(['acl', 'neighbor']))
    expect(new Set(applied('edge4'))).toEqual(new Set(['acl']))
    expect([...applied('sw1'), ...applied('sw2')]).toEqual(['port', 'port'])
    await story.release(id)
    await story.reaches(id, 'released')
    await story.quiet()
    expect(texts()).toEqual(before)
  })

  // Junos commits are saved as they are made: nothing can be lost there.
  it.each(['frr', 'linux', 'cisco_ios'] as const)(
    'is the same when the %s is rebooted before the release was saved: it comes back, and is lifted again',
    async (platform) => {
      story = await startStory({
        devices: [triggerOf(platform), edge],
        customers: `  esthost:
    name: Esthost
    ${prefixes}`,
      })
      const router = story.device('trigger1')
      const before = texts()
      const { id } = await story.enforced(suspend('esthost'))
      const cut = router.running
      const refused = router.faults.add({ kind: 'refuse-save' })
      await story.release(id)
      await story.reaches(id, 'released')
      expect(router.running).toBe(before.running[0])
      await story.until(
        'a save fails',
        () => story.records({ type: 'device.save_failed' }).length > 0,
      )
      router.reboot()
      expect(router.running).toBe(cut)
      await story.until('it is lifted again', () => router.running === before.running[0])
      refused()
      story.clock.travel(60_000)
      await story.quiet()
      expect(texts()).toEqual(before)
      expect((await story.enforcement(id)).status).toBe('released')
    },
  )

  it('is put back when the device is rebooted before it was saved', async () => {
    story = await startStory({
      devices: [triggerOf('frr'), edge],
      customers: `  esthost:
    name: Esthost
    ${prefixes}`,
    })
    const router = story.device('trigger1')
    const before = texts()
    const refused = router.faults.add({ kind: 'refuse-save' })
    const { id } = await story.decide(suspend('esthost'))
    await story.reaches(id, 'enforced')
    const cut = router.running
    expect((await story.enforcement(id)).unsaved).toEqual(['trigger1'])
    router.reboot()
    expect(router.running).toBe(before.running[0])
    await story.until('it is put back', () => router.running === cut)
    refused()
    story.clock.travel(60_000)
    await story.quiet()
    expect(router.startup).toBe(cut)
    expect((await story.enforcement(id)).unsaved).toEqual([])
    await story.release(id)
    await story.reaches(id, 'released')
    await story.quiet()
    expect(texts()).toEqual(before)
  })

  it('is the same after ten customers in a row', async () => {
    const names = Array.from({ length: 10 }, (_, at) => `customer-${at}`)
    story = await startStory({
      devices: [triggerOf('juniper_junos'), edge],
      customers: names
        .map((name, at) => `  ${name}: { name: C${at}, prefixes: [203.0.113.${at * 8}/29] }`)
        .join('\n'),
    })
    const before = texts()
    await Promise.all(names.map(suspendAndRelease))
    expect(texts()).toEqual(before)
  })
})
