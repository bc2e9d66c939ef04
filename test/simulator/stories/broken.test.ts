// A mistake of ours strikes one device: what people read says so, and nothing else is the worse for it.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { frr } from '../../../agent/platforms/frr/frr.ts'
import { routesOnly, trigger } from './networks.ts'
import { block, type Story, startStory, statusOn } from './story.ts'

let story: Story

afterEach(() => story.end())

/** FRR makes a mistake wherever an answer holds this. */
function breakAt(text: string): () => void {
  const parse = frr.parse.bind(frr)
  const spy = vi.spyOn(frr, 'parse').mockImplementation((answers, intents, seen) => {
    if ([...answers.values()].some((answer) => answer.text.includes(text))) {
      throw new TypeError('Cannot read properties of undefined')
    }
    return parse(answers, intents, seen)
  })
  return () => spy.mockRestore()
}

describe('a mistake of ours', () => {
  it('degrades what it struck, with what it was and what to do, and ends when it is mended', async () => {
    story = await startStory({
      devices: [trigger, { ...trigger, name: 'trigger2', routerId: '10.0.0.2' }],
      customers: '  esthost: { name: Esthost, prefixes: [203.0.113.0/30] }',
      playbooks: { block: routesOnly('block', { end: 'rollout: { canary: 0, batch: 2 }' }) },
    })
    await story.quiet()
    // Only there: the other one has no route of this name.
    story.device('trigger1').setByHand(['ip route 198.51.100.9/32 blackhole'])
    const mend = breakAt('198.51.100.9/32')

    const { id } = await story.decide(block('203.0.113.2'))
    const degraded = await story.reaches(id, 'degraded')

    expect(statusOn(degraded, 'trigger1')).toBe('failed')
    expect(statusOn(degraded, 'trigger2')).toBe('verified')
    expect(degraded.devices.find(({ device }) => device === 'trigger1')?.error).toEqual({
      code: 'internal',
      message:
        'a step of the device agent broke off: TypeError: Cannot read properties of undefined',
      remedy: expect.stringContaining('look for the device in the log of the controller'),
    })
    const logged = story.said.find((line) => line.includes('a step of the device agent failed'))
    expect(JSON.parse(logged ?? '{}')).toMatchObject({
      device: 'trigger1',
      err: { type: 'TypeError', stack: expect.stringContaining('broken.test.ts') },
    })
    expect(story.device('trigger1').running).not.toContain('203.0.113.2')

    mend()
    await story.reaches(id, 'enforced')
    await story.lifted(id)
  })
})
