// What stands on a Linux host and lets traffic pass by what nullroute put there: seen, named, and never called enforced.

import { afterEach, expect, it } from 'vitest'
import type { DeviceCheckView } from '../../../controller/api/schema/device.ts'
import { accessSwitch } from './networks.ts'
import { block, outcomes, type Story, type StoryDevice, startStory, statusOn } from './story.ts'

let story: Story

afterEach(() => story.end())

const host: StoryDevice = { ...accessSwitch, name: 'edge4', roles: ['rtbh-trigger', 'edge'] }
const customers = `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/26, "2001:db8:e57::/48"]`

const noteOn = (of: Awaited<ReturnType<Story['reaches']>>, key: string) => {
  const intent = of.devices.flatMap(({ intents }) => intents).find((one) => one.key === key)
  return `${intent?.note ?? ''}${intent?.error?.message ?? ''}`
}

async function finding(name: string) {
  const { body } = await story.call<DeviceCheckView>('POST', '/v1/devices/edge4/check')
  return body.preflight.find((one) => one.name === name)
}

it('a range in the protect set keeps a filter from being enforced until somebody takes it out', async () => {
  story = await startStory({ devices: [host], customers })
  const range = "nullroute protect4 '{ 203.0.113.5-203.0.113.20 }'"
  story.device('edge4').setByHand([`nft add element inet ${range}`])
  expect(await finding('table inet nullroute')).toMatchObject({
    ok: true,
    found: 'ready; protect4 lets 203.0.113.5-203.0.113.20 pass',
  })

  const { id } = await story.decide(block('203.0.113.10'))
  const degraded = await story.reaches(id, 'degraded', 'enforced')
  expect(degraded.status).toBe('degraded')
  expect(statusOn(degraded, 'edge4')).toBe('failed')
  expect(noteOn(degraded, 'acl|in|203.0.113.10/32')).toContain(
    'protect4 of table inet nullroute lets 203.0.113.5-203.0.113.20 pass',
  )
  expect(outcomes(degraded, 'edge4')).toMatchObject({
    'blackhole|default|203.0.113.10/32': 'applied',
  })

  story.device('edge4').setByHand([`nft delete element inet ${range}`])
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'enforced')
})

it('a rule that leads to another table keeps a route from being enforced until that table drops it too', async () => {
  story = await startStory({ devices: [host], customers })
  const device = story.device('edge4')
  const before = device.running
  device.setByHand([
    'ip route add 203.0.113.0/24 dev p1 table 100',
    'ip rule add iif p2 lookup 100 pref 100',
  ])
  expect(await finding('policy routing')).toMatchObject({ ok: false })

  const { id } = await story.decide(block('203.0.113.10'))
  const degraded = await story.reaches(id, 'degraded', 'enforced')
  expect(degraded.status).toBe('degraded')
  expect(statusOn(degraded, 'edge4')).toBe('failed')
  const key = 'blackhole|default|203.0.113.10/32'
  expect(noteOn(degraded, key)).toMatch(
    /only partly in force: rule 100 has traffic looked up in table 100, where unicast 203\.0\.113\.0\/24 dev p1 leads on/,
  )

  device.setByHand(['ip route add blackhole 203.0.113.10/32 table 100'])
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'enforced')

  device.setByHand([
    'ip route del blackhole 203.0.113.10/32 table 100',
    'ip route del 203.0.113.0/24 dev p1 table 100',
    'ip rule del iif p2 lookup 100 pref 100',
  ])
  await story.lifted(id)
  expect(story.device('edge4').running).toBe(before)
})

it('a rule that leads to a table without routes for it changes nothing', async () => {
  story = await startStory({ devices: [host], customers })
  story
    .device('edge4')
    .setByHand([
      'ip route add 198.51.100.0/24 dev p1 table 100',
      'ip rule add iif p2 lookup 100',
      'ip -6 rule add from 2001:db8:a::/48 lookup 200',
    ])
  const before = story.device('edge4').running
  const { id } = await story.enforced(block('2001:db8:e57::/64'))
  await story.lifted(id)
  const { id: other } = await story.enforced(block('203.0.113.10'))
  await story.lifted(other)
  expect(story.device('edge4').running).toBe(before)
})
