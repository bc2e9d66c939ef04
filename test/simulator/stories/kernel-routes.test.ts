// Routes that somebody set in the kernel of an FRR router, past FRR: a port that they lead through is not taken down, as nobody would bring them back.

import { afterEach, expect, it } from 'vitest'
import type { DeviceCheckView } from '../../../controller/api/schema/device.ts'
import type { PlanView } from '../../../controller/api/schema.ts'
import { outcomes, type Story, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

const portsOnly = `name: suspend
decision: suspend
description: Ports only.
measures:
  - port: { state: down, ports: customer }
maxDuration: 14d
`

const plain = { description: '', addresses: [] }

it.each(['8.4.4', '10.3'])(
  'keep their port up on %s, in the check, the dry run and the change; another goes down and comes back',
  async (version) => {
    story = await startStory({
      devices: [
        {
          name: 'edge1',
          platform: 'frr',
          version,
          roles: ['access'],
          ports: [
            {
              ...plain,
              name: 'c1',
              addresses: ['203.0.113.1/29'],
              kernelRoutes: ['198.51.100.0/24'],
            },
            { ...plain, name: 'c2', kernelRoutes: ['2001:db8:99::/48'] },
            { ...plain, name: 'c3', addresses: ['203.0.113.9/29'] },
          ],
        },
      ],
      customers: `  esthost:
    name: Esthost
    ports: [{ device: edge1, interface: c1 }, { device: edge1, interface: c2 }, { device: edge1, interface: c3 }]`,
      playbooks: { suspend: portsOnly },
    })
    const before = story.device('edge1').running

    const { body: check } = await story.call<DeviceCheckView>('POST', '/v1/devices/edge1/check')
    const found = (port: string) => check.preflight.find(({ name }) => name === `port ${port}`)
    expect(found('c1')).toMatchObject({ ok: false })
    expect(found('c1')?.found).toContain('would lose the route 198.51.100.0/24 for good')
    expect(found('c2')?.found).toContain('would lose the route 2001:db8:99::/48 for good')
    expect(found('c3')).toMatchObject({ ok: true })

    const { body: plan } = await story.call<PlanView>(
      'POST',
      '/v1/plans?online=true',
      suspend('esthost'),
    )
    const [device] = plan.devices
    expect(device?.apply.map(({ line }) => line)).toEqual([
      'configure terminal',
      'interface c3',
      'shutdown',
      'exit',
      'end',
    ])
    const noted = device?.intents.filter(({ note }) => note?.includes('nud permanent') === true)
    expect(noted?.map(({ key }) => key)).toEqual(['port|c3'])

    const { id } = await story.decide(suspend('esthost'))
    const degraded = await story.reaches(id, 'degraded')
    expect(outcomes(degraded, 'edge1')).toEqual({
      'port|c1': 'refused',
      'port|c2': 'refused',
      'port|c3': 'applied',
    })
    expect(story.device('edge1').running).not.toContain('interface c1\n shutdown')
    await story.release(id)
    await story.lifted(id)
    expect(story.device('edge1').running).toBe(before)
  },
)
