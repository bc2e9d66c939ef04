// A port that carries the session itself is never taken down: a release could not reach the device any more.

import { afterEach, expect, it } from 'vitest'
import { keyOf } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
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
