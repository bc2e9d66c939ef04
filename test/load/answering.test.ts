// Many decisions at once, on devices that answer: what is written down grows with the decisions, not with their square, and none of it takes the
// controller's time for so long that nobody else is heard.

import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Database from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'
import { databaseName } from '../../controller/store/sqlite.ts'
import { block, type Story, startStory } from '../simulator/stories/story.ts'

const decisions = 600
/** Most that a decision may cost in records and what they hide, in bytes: it was 400,000 with six hundred in one step. */
const bytesMax = 60_000

let story: Story

afterEach(() => story.end())

const mesh = `name: block
decision: block
description: Routes at a trigger, filters at edges.
measures:
  - blackhole: { prefixes: subject, devices: { role: rtbh-trigger }, tag: 666 }
  - acl: { block: subject, direction: both, devices: { role: edge } }
maxDuration: 14d
`

it('six hundred decisions for one device each way are in force, and cost what six hundred cost', async () => {
  const port = { name: 'ge-0/0/1', description: 'esthost', addresses: [] }
  story = await startStory({
    devices: [
      { name: 'trigger1', platform: 'frr', roles: ['rtbh-trigger'] },
      { name: 'edge1', platform: 'juniper_junos', roles: ['edge'], ports: [port] },
    ],
    customers: '  esthost: { name: Esthost, prefixes: [198.18.0.0/20] }',
    more: 'limits: { perHour: { decisions: 5000 } }',
    playbooks: { block: mesh },
    config: { requestsPerMinute: 100_000 },
    patienceMs: 240_000,
  })
  await story.quiet()
  const delay = monitorEventLoopDelay()
  // A freeze makes of many decisions one step for each device, as a device that was off does.
  await story.call('POST', '/v1/freeze', { reason: 'let them gather' })
  const addresses = Array.from({ length: decisions }, (_, i) => `198.18.${i >> 6}.${(i & 63) * 4}`)
  const accepted = await Promise.all(addresses.map((address) => story.decide(block(address))))
  delay.enable()
  await story.call('DELETE', '/v1/freeze', { reason: 'over' })
  for (const { id } of accepted) await story.reaches(id, 'enforced')
  await story.quiet()
  delay.disable()

  const db = new Database(join(story.config.data, databaseName), { readonly: true })
  const bytes = (table: string, column: string): number =>
    db.prepare<[], { sum: number }>(`select sum(length(${column})) as sum from ${table}`).get()
      ?.sum ?? 0
  const written = bytes('log_entries', 'entry') + bytes('disclosures', 'disclosure')
  db.close()
  console.log(
    `${Math.round(written / decisions)} bytes a decision; the event loop was held for ${Math.round(delay.max / 1e6)} ms at most`,
  )
  expect(written / decisions).toBeLessThan(bytesMax)
})
