// What nobody wants and is there all the same is told where people and monitors look first, though no enforcement is left that could say it.

import { afterEach, expect, it } from 'vitest'
import type { DeviceView, StatusView } from '../../../controller/api/schema.ts'
import { village } from './networks.ts'
import { block, type Story, startStory } from './story.ts'

const key = 'blackhole|default|203.0.113.2/32'
const route = 'ip route 203.0.113.2/32 blackhole tag 666'

let story: Story

afterEach(() => story.end())

async function forEye(): Promise<StatusView['devices']> {
  return (await story.call<StatusView>('GET', '/v1/status')).body.devices
}

async function deviceView(name: string): Promise<DeviceView> {
  return (await story.call<DeviceView>('GET', `/v1/devices/${name}`)).body
}

it('a released route that a reboot brought back, and that the device does not let go, stands in the status until it is gone', async () => {
  story = await startStory(village)
  const router = story.device('trigger1')
  const { id } = await story.decide(block('203.0.113.2'))
  await story.reaches(id, 'enforced')
  await story.quiet()
  expect(await forEye()).toEqual([])
  const saves = router.faults.add({ kind: 'refuse-save' })
  await story.release(id)
  await story.reaches(id, 'released')
  await story.until('a save fails', () => story.records({ type: 'device.save_failed' }).length > 0)
  expect(await forEye()).toMatchObject([{ id: 'trigger1', unsaved: true, unwanted: 0 }])

  const held = router.faults.add({ kind: 'reject', matching: /^no ip route/ })
  router.reboot()
  await story.until('it is told', async () => (await deviceView('trigger1')).unwanted.length > 0)
  expect(router.running).toContain(route)
  expect((await deviceView('trigger1')).unwanted).toEqual([key])
  expect(await forEye()).toMatchObject([{ id: 'trigger1', unwanted: 1, orphans: 0 }])
  expect((await story.enforcement(id)).status).toBe('released')

  held()
  saves()
  await story.call('POST', '/v1/devices/trigger1/reconcile')
  await story.until('it is gone', () => !router.running.includes(route))
  story.clock.travel(60_000)
  await story.quiet()
  expect((await deviceView('trigger1')).unwanted).toEqual([])
  expect(await forEye()).toEqual([])
})

it('an orphan stands in the status until it is taken off', async () => {
  story = await startStory(village)
  const { id } = await story.decide(block('203.0.113.2'))
  await story.reaches(id, 'enforced')
  await story.release(id)
  await story.reaches(id, 'released')
  await story.quiet()
  // FRR keeps no mark with a route: this is ours by being what was lifted last, and by nothing else.
  story.device('trigger1').setByHand([route])
  await story.call('POST', '/v1/devices/trigger1/check')
  expect(await forEye()).toMatchObject([{ id: 'trigger1', unwanted: 0, orphans: 1 }])

  await story.call('POST', '/v1/devices/trigger1/reconcile', { remove: [key], reason: 'left' })
  await story.until('it is gone', () => !story.device('trigger1').running.includes(route))
  await story.quiet()
  expect(await forEye()).toEqual([])
})
