// What people ask of one device is bounded: the device may be slow, and those who ask don't wait for each other.

import { afterEach, describe, expect, it } from 'vitest'
import type { PlanView } from '../../../controller/api/schema.ts'
import { routesOnly, trigger } from './networks.ts'
import { type Answer, block, type Problem, type Story, startStory } from './story.ts'

let story: Story

afterEach(() => story.end())

/** As docs/bounds.md has it. */
const askedMax = 32
const deadlineMs = 600_000

describe('a device that does not answer', () => {
  it('is waited for by so many plans and checks and no more; the others are told to come again, and those that wait are answered', async () => {
    story = await startStory({
      devices: [{ ...trigger, says: `deadlineMs: ${deadlineMs}` }],
      customers: '  quiet: { name: Quiet, prefixes: [203.0.113.64/26] }',
      playbooks: { block: routesOnly('block') },
    })
    await story.quiet()
    const device = story.device('trigger1')
    const refused: Answer<unknown>[] = []
    const ask = async <T>(path: string, body?: object) => {
      const answer = await story.call<T>('POST', path, body)
      if (answer.status !== 200 && answer.status !== 202) refused.push(answer)
      return answer
    }
    const decision = block('203.0.113.70')
    const plan = () => ask<PlanView & Problem>('/v1/plans?online=true', decision)
    const check = () => ask<Problem>('/v1/devices/trigger1/check')

    // Its first convergence is what it does not answer: all that is asked waits behind that.
    device.faults.add({ kind: 'hang', times: 1 })
    const plans = Array.from({ length: askedMax + 6 }, plan)
    await story.until('those beyond are refused', () => refused.length === 6)
    const checked = await check()
    const accepted = await story.call('POST', '/v1/enforcements', decision)
    story.clock.travel(deadlineMs)
    const answers = await Promise.all(plans)

    for (const { status, body, headers } of [...(refused as Answer<Problem>[]), checked]) {
      expect(status).toBe(503)
      expect(headers.get('retry-after')).toBe('5')
      expect(body.code).toBe('overloaded')
      expect(body.detail).toContain(`${askedMax} reads and checks of trigger1 wait already`)
    }
    expect(accepted.status).toBe(202)
    const answered = answers.filter(({ status }) => status === 200)
    const seen = answered.flatMap(({ body }) => body.devices.flatMap(({ intents }) => intents))
    expect(answered).toHaveLength(askedMax)
    expect(seen).toHaveLength(askedMax)
    expect(seen.filter((intent) => intent.seen === undefined)).toEqual([])
    expect((await plan()).status).toBe(200)
    expect((await check()).status).toBe(202)
  })
})
