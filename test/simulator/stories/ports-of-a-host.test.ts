// Ports of a Linux host that could not be brought back: left up, with a reason that the check gives beforehand.

import { afterEach, expect, it } from 'vitest'
import type { DeviceCheckView } from '../../../controller/api/schema/device.ts'
import { accessSwitch } from './networks.ts'
import { block, outcomes, type Story, startStory } from './story.ts'

let story: Story

afterEach(() => story.end())

const customers = `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]
    ports: [{ device: sw1, interface: p1 }]`

const shut = block('', { subject: { port: { device: 'sw1', interface: 'p1' } } })

async function checked() {
  const { body } = await story.call<DeviceCheckView>('POST', '/v1/devices/sw1/check')
  return body.preflight.find(({ name }) => name === 'port p1')
}

/** Decides, and gives back the enforcement and why its port was refused. */
async function refused() {
  const { id } = await story.decide(shut)
  const degraded = await story.reaches(id, 'degraded', 'enforced')
  expect(outcomes(degraded, 'sw1')).toEqual({ 'port|p1': 'refused' })
  expect(story.device('sw1').running).toMatch(/^p1 up/m)
  const [intent] = degraded.devices.flatMap(({ intents }) => intents)
  return { id, error: intent?.error }
}

it.each([
  ['the bridge', ['ip addr add 127.0.0.1/8 dev br0'], 'br0'],
  [
    'a VLAN on the bridge',
    ['ip link add link br0 name br0.9 type vlan id 9', 'ip addr add 127.0.0.1/8 dev br0.9'],
    'br0.9',
  ],
  [
    'a bond in a bridge of its own',
    [
      'ip link add bond0 type bond',
      'ip link set p1 master bond0',
      'ip link add br1 type bridge',
      'ip link set bond0 master br1',
      'ip addr add 127.0.0.1/8 dev br1',
    ],
    'br1',
  ],
])('a member of %s that we come in by stays up', async (_, extra, by) => {
  story = await startStory({ devices: [{ ...accessSwitch, extra }], customers })
  const before = story.device('sw1').running
  const found = expect.stringContaining(`our own session comes in by ${by}, `) as string
  expect(await checked()).toMatchObject({ ok: false, found })

  const { id, error } = await refused()

  expect(error).toMatchObject({ code: 'not_restorable', message: found })
  await story.lifted(id)
  expect(story.device('sw1').running).toBe(before)
})

it('a port with neighbours by hand stays up until they are gone', async () => {
  story = await startStory({ devices: [accessSwitch], customers })
  const device = story.device('sw1')
  const entry = '203.0.113.2 lladdr 02:00:00:00:00:09 dev p1'
  device.setByHand([
    `ip neigh replace ${entry} nud permanent`,
    'ip -6 neigh add proxy 2001:db8::9 dev p1',
  ])
  const found =
    'p1 would lose the permanent neighbour 203.0.113.2, the proxy entry for 2001:db8::9 for good'
  expect(await checked()).toMatchObject({ ok: false, found })

  const { id, error } = await refused()
  expect(error).toMatchObject({ code: 'not_restorable', message: found })

  device.setByHand([`ip neigh del ${entry}`, 'ip -6 neigh del proxy 2001:db8::9 dev p1'])
  const before = story.device('sw1').running
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'enforced')
  expect(story.device('sw1').running).toMatch(/^p1 down/m)
  await story.lifted(id)
  expect(story.device('sw1').running).toBe(before)
})
