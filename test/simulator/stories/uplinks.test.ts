import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceCheckView } from '../../../controller/api/schema/device.ts'
import { town, trigger } from './networks.ts'
import { outcomes, type Story, type StoryDevice, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

const customers = `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]`

describe.each([
  ['edge2', 'ge-0/0/1', 'acl prepared for IPv4'],
  ['edge3', 'Gi0/1', 'acl prepared'],
])('a filter that stands on an uplink of %s only', (name, uplink, finding) => {
  const all = town.devices.filter((device) => device.name === name)
  const devices: readonly StoryDevice[] = [
    trigger,
    ...all.map((one) => ({ ...one, says: `uplinks: [${uplink}]` })),
  ]
  const prepared = async () => {
    const { body } = await story.call<DeviceCheckView>('POST', `/v1/devices/${name}/check`)
    return body.preflight.find((one) => one.name === finding)?.ok
  }

  it('counts for nothing: the entry is refused, the routes are in force, and the check says it', async () => {
    story = await startStory({ devices, customers })
    const { id } = await story.decide(suspend('esthost'))
    const degraded = await story.reaches(id, 'degraded')
    const key = 'acl|in|203.0.113.0/30'
    const intents = degraded.devices.flatMap((device) => device.intents)
    expect(outcomes(degraded, name)).toMatchObject({ [key]: 'refused' })
    expect(intents.find((one) => one.key === key)?.error?.code).toBe('not_prepared')
    expect(outcomes(degraded, 'trigger1')).toEqual({
      'blackhole|default|203.0.113.0/30': 'applied',
    })
    expect(await prepared()).toBe(false)

    await story.rewrite(customers, [trigger, ...all])
    expect((await story.call('POST', '/v1/inventory/reload')).status).toBe(200)
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.reaches(id, 'enforced')
    expect(await prepared()).toBe(true)
  })
})
