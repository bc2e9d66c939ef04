// A router that forwards by a table which is behind its configuration: a release is through when the table has let go, not when the line has.

import { afterEach, expect, it } from 'vitest'
import type { PlanView } from '../../../controller/api/schema.ts'
import { openShell } from '../client.ts'
import { heldBack } from './held-back.ts'
import { block, type Story, type StoryDevice, startStory, statusOn } from './story.ts'

const prefix = '203.0.113.9/32'
const line = `ip route ${prefix} blackhole tag 666`
const direct = `name: block
decision: block
description: direct on the edges
measures:
  - blackhole: { prefixes: subject, devices: { role: edge }, tag: 666 }
maxDuration: 14d
`
const router: StoryDevice = {
  name: 'edge1',
  routerId: '10.0.0.2',
  platform: 'frr',
  roles: ['edge'],
}

/** No table is brought up to date until the test says so. */
const table = heldBack()

let story: Story

afterEach(async () => {
  table.forget()
  await story.end()
})

async function startNetwork(ownDeadlineMs: number): Promise<string> {
  story = await startStory({
    devices: [router],
    customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/26]`,
    playbooks: { block: direct },
    installMs: table.ms,
    deviceClock: table.clock,
    config: { ownDeadlineMs },
  })
  const { id } = await story.decide(block(prefix))
  await story.until('it stands in the configuration', isConfigured)
  table.release()
  await story.reaches(id, 'enforced', 'degraded')
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'enforced')
  return id
}

const isConfigured = () => story.device('edge1').running.includes(line)

async function discards(): Promise<boolean> {
  const shell = await openShell(story.device('edge1'))
  await shell.expect(/# $/)
  const answer = await shell.type(`show ip route ${prefix} json`, /\}\s*\n.*# $/)
  shell.close()
  return answer.includes('"blackhole"')
}

it('waits for the table of the router before it says that a release is through', async () => {
  const id = await startNetwork(60_000)

  await story.release(id)
  await story.until('the line is gone', () => !isConfigured())
  // A newer look ends the wait of the one before, and says what it saw.
  await story.call('POST', '/v1/devices/edge1/check', {})
  expect(await discards()).toBe(true)
  expect((await story.enforcement(id)).status).toBe('releasing')
  const plan = await story.call<PlanView>('POST', '/v1/plans?online=true', { release: id })
  const [device] = plan.body.devices
  expect(device?.apply).toEqual([])
  expect(device?.intents).toMatchObject([{ note: expect.stringContaining('in force still') }])

  table.release()
  const over = await story.reaches(id, 'released')

  expect(await discards()).toBe(false)
  expect(statusOn(over, 'edge1')).toBe('verified')
})

it('says that a release is not through where the table never lets go, and looks again', async () => {
  const id = await startNetwork(200)

  await story.release(id)
  await story.until(
    'its time is over',
    async () => statusOn(await story.enforcement(id), 'edge1') === 'failed',
  )
  const stuck = await story.enforcement(id)

  expect(stuck.status).toBe('releasing')
  expect(JSON.stringify(stuck.devices)).toContain('still has it in force')
  expect(isConfigured()).toBe(false)
  expect(await discards()).toBe(true)

  table.release()
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'released')
  expect(await discards()).toBe(false)
})
