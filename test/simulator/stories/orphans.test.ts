// What carries our mark and has no claim (the data folder was lost) stays until somebody decides that it goes: over the next save, and over a reboot after it.

import { afterEach, expect, it } from 'vitest'
import type { DeviceView } from '../../../controller/api/schema.ts'
import { accessSwitch } from './networks.ts'
import { block, type Story, startStory } from './story.ts'

let story: Story

afterEach(() => story.end())

const direct = `name: block
decision: block
description: On the Linux host itself.
measures:
  - blackhole: { prefixes: subject, devices: { role: access }, tag: 666 }
maxDuration: 14d
`

it('an orphan on Linux stays in the saved file, and goes from it only when it is taken off', async () => {
  story = await startStory({
    devices: [{ ...accessSwitch, ports: [] }],
    customers: '  esthost:\n    name: Esthost\n    prefixes: [203.0.113.0/26]',
    playbooks: { block: direct },
  })
  const lost = await story.decide(block('203.0.113.9/32'))
  await story.reaches(lost.id, 'enforced')
  await story.quiet()
  await story.forget()
  const known = await story.decide(block('203.0.113.10/32'))
  await story.reaches(known.id, 'enforced')
  await story.quiet()

  expect(story.device('sw1').startup).toContain('blackhole 203.0.113.9/32 proto 223')
  expect(story.device('sw1').startup).toContain('blackhole 203.0.113.10/32 proto 223')
  const { body } = await story.call<DeviceView>('GET', '/v1/devices/sw1')
  const [orphan] = body.orphans
  expect(orphan?.key).toBe('blackhole|default|203.0.113.9/32')

  await story.release(known.id)
  await story.reaches(known.id, 'released')
  await story.quiet()
  expect(story.device('sw1').startup).toContain('blackhole 203.0.113.9/32 proto 223')
  expect(story.device('sw1').startup).not.toContain('203.0.113.10/32')

  const removal = { remove: [orphan?.key], reason: 'nobody is cut off by it' }
  expect((await story.call('POST', '/v1/devices/sw1/reconcile', removal)).status).toBeLessThan(300)
  const saved = () => story.device('sw1').startup
  await story.until('it is saved without it', () => !saved().includes('203.0.113.9/32'))
})
