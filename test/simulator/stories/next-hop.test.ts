import { afterEach, expect, it } from 'vitest'
import { town, trigger } from './networks.ts'
import { block, type Story, startStory, statusOn } from './story.ts'

let story: Story

afterEach(() => story.end())

it('an edge of IOS whose discard is not the route of the next hop keeps the decision from being enforced', async () => {
  const edges = town.devices.filter(({ name }) => name === 'edge3')
  story = await startStory({
    devices: [
      trigger,
      ...edges.map((edge) => ({
        ...edge,
        extra: [
          'ip route 192.0.2.254 255.255.255.255 Null0 250',
          'ip route 192.0.2.254 255.255.255.255 198.51.100.5',
        ],
      })),
    ],
    customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]`,
  })

  const { id } = await story.decide(block('203.0.113.2'))
  const degraded = await story.reaches(id, 'degraded', 'enforced')

  expect(degraded.status).toBe('degraded')
  expect(statusOn(degraded, 'trigger1')).toBe('verified')
  expect(statusOn(degraded, 'edge3', 'observer')).not.toBe('verified')
})
