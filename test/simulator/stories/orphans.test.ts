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
  - acl: { block: subject, devices: { role: access }, direction: both }
maxDuration: 14d
`

const saved = () => story.device('sw1').startup

async function startHost(): Promise<void> {
  story = await startStory({
    devices: [{ ...accessSwitch, ports: [] }],
    customers: '  esthost:\n    name: Esthost\n    prefixes: [203.0.113.0/26]',
    playbooks: { block: direct },
  })
}

it('an orphan on Linux stays in the saved files, and goes from them only when it is taken off', async () => {
  await startHost()
  await story.enforced(block('203.0.113.9/32'))
  await story.forget()
  // With our mark, but only in the running system: whoever put it there did not have it saved.
  story.device('sw1').setByHand(['ip route prepend blackhole 203.0.113.7/32 proto 223'])
  const { id } = await story.enforced(block('203.0.113.10/32'))

  expect(saved()).toContain('route prepend blackhole 203.0.113.9/32 proto 223')
  expect(saved()).toContain('inet nullroute src4 { 203.0.113.9/32 comment "nullroute" }')
  expect(saved()).toContain('route prepend blackhole 203.0.113.10/32 proto 223')
  expect(saved()).not.toContain('203.0.113.7')
  const { body } = await story.call<DeviceView>('GET', '/v1/devices/sw1')
  const orphans = body.orphans.map(({ key }) => key).filter((key) => key.includes('203.0.113.9/32'))
  expect(orphans.sort()).toEqual([
    'acl|in|203.0.113.9/32',
    'acl|out|203.0.113.9/32',
    'blackhole|default|203.0.113.9/32',
  ])

  await story.release(id)
  await story.reaches(id, 'released')
  await story.quiet()
  expect(saved()).toContain('route prepend blackhole 203.0.113.9/32 proto 223')
  expect(saved()).not.toContain('203.0.113.10/32')

  const removal = { remove: orphans, reason: 'nobody is cut off by it' }
  expect((await story.call('POST', '/v1/devices/sw1/reconcile', removal)).status).toBeLessThan(300)
  await story.until('it is saved without it', () => !saved().includes('203.0.113.9/32'))
  expect(story.device('sw1').running).not.toContain('203.0.113.9')
})

it('an orphan that somebody took off by hand is not saved again', async () => {
  await startHost()
  await story.enforced(block('203.0.113.9/32'))
  await story.forget()
  story.device('sw1').setByHand(['ip route del blackhole 203.0.113.9/32 proto 223'])
  await story.enforced(block('203.0.113.10/32'))

  expect(saved()).not.toContain('blackhole 203.0.113.9/32')
  expect(saved()).toContain('inet nullroute src4 { 203.0.113.9/32 comment "nullroute" }')

  story.device('sw1').reboot()
  expect(story.device('sw1').running).toContain('203.0.113.9 comment "nullroute"')
  expect(story.device('sw1').running).not.toContain('blackhole 203.0.113.9')
})
