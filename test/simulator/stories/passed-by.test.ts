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
