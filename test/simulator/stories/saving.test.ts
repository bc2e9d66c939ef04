// A save makes durable what a convergence has just seen, and nothing that came back meanwhile.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeviceView } from '../../../controller/api/schema.ts'
import { village } from './networks.ts'
import { block, type Story, startStory, suspend } from './story.ts'

let story: Story

beforeEach(async () => {
  story = await startStory(village)
})

afterEach(() => story.end())

/** In force and saved; then released, with every save refused. */
async function releasedUnsaved(): Promise<void> {
  const { id } = await story.enforced(suspend('esthost'))
  for (const device of story.simulator.devices) device.faults.add({ kind: 'refuse-save' })
  await story.release(id)
  await story.reaches(id, 'released')
  await story.until(
    'a save was refused',
    () => story.records({ type: 'device.save_failed' }).length >= 2,
  )
}

/** What was saved before is back on the devices, and saves go again. */
function powerReturns(): void {
  for (const device of story.simulator.devices) {
    device.faults.clear()
    device.reboot()
  }
}

const isClean = () =>
  ['trigger1', 'sw1'].every((name) => {
    const { running, startup } = story.device(name)
    return ![running, startup].some((text) => /203\.0\.113\.\d+\/\d+ blackhole|p1 down/.test(text))
  })

describe('a release that was read back and not saved', () => {
  it('is lifted again, and only then saved, where controller and devices start again', async () => {
    await releasedUnsaved()
    await story.stopController()
    powerReturns()
    expect(isClean()).toBe(false)
    await story.startController()

    await story.until('it is lifted and saved', isClean)
    await story.quiet()
    expect(story.records({ type: 'device.saved' }).length).toBeGreaterThan(0)
  })

  it('is lifted again, and only then saved, where the devices alone start again', async () => {
    await releasedUnsaved()
    powerReturns()
    expect(isClean()).toBe(false)

    story.clock.travel(60_000)
    await story.until('it is lifted and saved', isClean)
    await story.quiet()
  })
})

it('a freeze that comes while a save looks at the device holds the save', async () => {
  const trigger = story.device('trigger1')
  const looked = new Promise<void>((resolve) => {
    trigger.journal.listen(({ text }) => text === 'show watchfrr' && resolve())
  })
  trigger.faults.add({ kind: 'slow', ms: 600, matching: '^show watchfrr' })
  const { id } = await story.decide(suspend('esthost'))
  await looked
  await story.call('POST', '/v1/freeze', { reason: 'stop everything' })
  await story.reaches(id, 'enforced')
  // Waits for its turn behind the save.
  await story.call('POST', '/v1/devices/trigger1/check')
  const saves = () => trigger.journal.entries.filter(({ text }) => text === 'write memory')
  expect(saves()).toEqual([])

  await story.call('DELETE', '/v1/freeze')
  await story.quiet()
  expect(saves()).toHaveLength(1)
})

it('a device with `save: clean` keeps what others have unsaved there unsaved, says so, and is saved once that has gone', async () => {
  await story.end()
  const name = 'GigabitEthernet1/0/3'
  story = await startStory({
    devices: [
      {
        name: 'sw2',
        platform: 'cisco_ios',
        roles: ['access'],
        ports: [{ name, description: 'esthost', addresses: [] }],
        says: 'save: clean',
      },
    ],
    customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]
    ports: [{ device: sw2, interface: ${name} }]`,
  })
  const access = story.device('sw2')
  const before = access.startup
  const route = 'ip route 198.51.100.0 255.255.255.0 Null0'
  access.setByHand([route])
  const looked = new Promise<void>((resolve) => {
    access.journal.listen(({ text }) => text.startsWith('show archive config diff') && resolve())
  })
  const subject = { port: { device: 'sw2', interface: name } }
  const { id } = await story.decide(block('', { subject }))
  await story.reaches(id, 'enforced')
  await looked
  // Waits for its turn behind the save.
  await story.call('POST', '/v1/devices/sw2/check')
  expect(access.journal.lines()).not.toContain('write memory')
  expect(access.startup).toBe(before)
  expect((await story.enforcement(id)).unsaved).toEqual(['sw2'])
  const { body } = await story.call<DeviceView>('GET', '/v1/devices/sw2')
  expect(body).toMatchObject({ save: 'clean', unsaved: true })

  access.setByHand([`no ${route}`])
  story.clock.travel(300_000)
  await story.quiet()
  expect(access.startup).toBe(access.running)
})
