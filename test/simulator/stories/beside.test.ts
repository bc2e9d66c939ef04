// What an operator's own static route on FRR is to ours: in its way, or beside it.

import { afterEach, expect, it } from 'vitest'
import type { PlanView } from '../../../controller/api/schema.ts'
import { routesOnly, trigger } from './networks.ts'
import { block, outcomes, type Story, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

const playbooks = { suspend: routesOnly('suspend'), block: routesOnly('block') }

const customers = `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/26]`

it('a route whose tag looks like a distance is refused and named, in the dry run too, and keeps none of a batch back', async () => {
  const hop = 'ip route 203.0.113.2/32 192.0.2.1 tag 250'
  const prefixes = Array.from({ length: 24 }, (_, at) => `203.0.113.${2 * at}/32`)
  story = await startStory({
    devices: [{ ...trigger, extra: [hop] }],
    customers: `  esthost:
    name: Esthost
    prefixes: [${prefixes.join(', ')}]`,
    playbooks,
  })
  const { body } = await story.call<PlanView>('POST', '/v1/plans?online=true', suspend('esthost'))
  const { apply } = body.devices.find(({ device }) => device === 'trigger1') ?? { apply: [] }
  expect(apply.map(({ line }) => line).join('\n')).not.toContain('203.0.113.2/32')
  expect(JSON.stringify(body)).toContain(hop)

  const { id } = await story.decide(suspend('esthost'))
  const degraded = await story.reaches(id, 'degraded')

  const { 'blackhole|default|203.0.113.2/32': refused, ...others } = outcomes(degraded, 'trigger1')
  expect(refused).toBe('refused')
  expect([...new Set(Object.values(others))]).toEqual(['applied'])
  expect(Object.keys(others)).toHaveLength(23)
  const said = degraded.devices.flatMap(({ intents }) => intents.map(({ error }) => error?.message))
  expect(said.join('\n')).toContain(hop)
  const lines = story.device('trigger1').journal.lines()
  expect(lines.filter((line) => line.startsWith('ip route 203.0.113.2/32'))).toEqual([])
})

it.each([
  'ip route 203.0.113.2/32 192.0.2.1 table 100',
  'ip route 203.0.113.2/32 blackhole table 100',
  'ip route 203.0.113.2/32 192.0.2.1 tag 7 250',
])('%s is left where it is, and ours is in force beside it', async (line) => {
  story = await startStory({ devices: [{ ...trigger, extra: [line] }], customers, playbooks })
  const before = story.device('trigger1').running

  const { id } = await story.enforced(block('203.0.113.2'))
  expect(story.device('trigger1').running).toContain(`\n${line}\n`)
  await story.release(id)
  await story.lifted(id)

  expect(story.device('trigger1').running).toBe(before)
})
