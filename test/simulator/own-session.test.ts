// A port that carries the session itself is never taken down: a release could not reach the device any more.

import { afterEach, expect, it } from 'vitest'
import { keyOf } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { port } from '../platform/conformance-kit.ts'
import { type Lab, startLab } from '../platform/conformance-lab.ts'

let lab: Lab | undefined

afterEach(async () => {
  await lab?.stop()
  lab = undefined
})

const devices: readonly (readonly [Platform, own: string, other: string])[] = [
  [cisco_ios, 'GigabitEthernet1/0/1', 'GigabitEthernet1/0/2'],
  [juniper_junos, 'ge-0/0/1', 'ge-0/0/2'],
  [frr, 'c1', 'c2'],
  [linux, 'p1', 'p2'],
]

it.each(devices.map(([platform, own, other]) => ({ name: platform.name, platform, own, other })))(
  'an agent of $name sends nothing for the port that it comes in by',
  async ({ platform, own, other }) => {
    const ports = [
      { name: own, description: 'management', addresses: ['127.0.0.1/8'] },
      { name: other, description: 'customer 4711', addresses: ['198.51.100.1/30'] },
    ]
    lab = await startLab(platform, { ports })
    const before = lab.running()

    await lab.try([port(own)])
    const { observation } = await lab.agent.read([port(own), port(other)])

    const stops = [own, other].map((name) => observation.found.get(keyOf(port(name)))?.stop?.code)
    expect(stops).toEqual(['not_restorable', undefined])
    expect(lab.running()).toBe(before)
  },
)

it('an agent of frr sends nothing for a port of the bridge that it comes in by, and takes down one of another', async () => {
  const plain = { description: '', addresses: [] }
  const ports = [
    { ...plain, name: 'br0', addresses: ['127.0.0.1/8'] },
    { ...plain, name: 'mgmt0', bridge: 'br0' },
    { ...plain, name: 'br1', addresses: ['198.51.100.1/30'] },
    { ...plain, name: 'c1', bridge: 'br1' },
    { ...plain, name: 'c2', bridge: 'br1' },
  ]
  lab = await startLab(frr, { ports })
  const before = lab.running()

  await lab.try([port('mgmt0')])
  expect(lab.running()).toBe(before)
  const { observation } = await lab.agent.read([port('mgmt0'), port('c1')])

  const stop = observation.found.get(keyOf(port('mgmt0')))?.stop
  expect(stop).toMatchObject({ code: 'not_restorable' })
  expect(stop?.message).toContain('comes in by br0, which mgmt0 carries')
  await lab.try([port('c1')])
  expect(lab.running()).toContain('interface c1\n shutdown\n')
})
