import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PlanView } from '../../../controller/api/schema.ts'
import { routesOnly, village } from './networks.ts'
import { block, type Story, startStory, suspend } from './story.ts'

let story: Story
const routes = () =>
  story
    .device('trigger1')
    .running.split('\n')
    .filter((line) => / tag \d+$/.test(line) && line.includes('route 2'))
    .map((line) => line.trim())

beforeEach(async () => {
  story = await startStory({
    ...village,
    playbooks: {
      deep: routesOnly('deep', { tag: 667 }),
      suspend: routesOnly('suspend'),
      block: routesOnly('block'),
    },
  })
})

afterEach(() => story.end())

describe('two enforcements on one customer', () => {
  it('does not promise that the wider one holds what its device refused', async () => {
    const narrow = await story.enforced(block('203.0.113.130'))
    const dryRun = async (): Promise<PlanView> =>
      (await story.call<PlanView>('POST', '/v1/plans', { release: narrow.id })).body
    const line = '^ip route 203.0.113.128/26'
    story.device('trigger1').faults.add({ kind: 'reject', matching: line })
    const wide = await story.decide(block('203.0.113.128/26'))
    await story.reaches(wide.id, 'degraded')
    const refused = await dryRun()
    story.device('trigger1').faults.clear()
    await story.call('POST', `/v1/enforcements/${wide.id}/retry`)
    await story.reaches(wide.id, 'enforced')
    const held = await dryRun()

    expect(refused).toMatchObject({ blastRadius: { prefixes: ['203.0.113.130/32'] } })
    expect(refused.keptBy).toBeUndefined()
    expect(held).toMatchObject({ blastRadius: { prefixes: [] }, keptBy: [wide.id] })
  })

  it('says at a release what goes on cutting off a part, also where no prefix is the same: in both orders, as the dry run does', async () => {
    const narrow = await story.enforced(block('203.0.113.130'))
    const wide = await story.enforced(block('203.0.113.128/26'))
    for (const [first, other] of [
      [narrow, wide],
      [wide, narrow],
    ] as const) {
      const { body } = await story.call<PlanView>('POST', '/v1/plans', { release: first.id })
      expect(body.keptBy).toEqual([other.id])
      expect(body.warnings.find(({ code }) => code === 'held_by_others')).toMatchObject({
        enforcements: [other.id],
        message: `${other.id} goes on cutting off a part of it`,
      })
    }

    const released = await story.release(wide.id)
    expect(released.warnings.map(({ code }) => code)).toContain('held_by_others')
    await story.reaches(wide.id, 'released')
    const last = await story.release(narrow.id)
    expect(last.warnings.map(({ code }) => code)).not.toContain('held_by_others')
  })

  it('leaves the blocked prefix when the suspend that holds it too is released', async () => {
    const wide = await story.decide(suspend('rovernet'))
    const narrow = await story.decide(block('203.0.113.128/26'))
    await story.reaches(wide.id, 'enforced')
    await story.reaches(narrow.id, 'enforced')
    const before = routes()
    const released = await story.release(wide.id)
    expect(released.warnings.map(({ code }) => code)).toContain('held_by_others')
    await story.reaches(wide.id, 'released')
    expect(routes()).toEqual(before)
    await story.release(narrow.id)
    await story.reaches(narrow.id, 'released')
    expect(routes()).toEqual([])
  })

  it('lifts all but what the block wants, in either order', async () => {
    const narrow = await story.decide(block('203.0.113.2'))
    const wide = await story.decide(suspend('esthost'))
    await story.reaches(narrow.id, 'enforced')
    await story.reaches(wide.id, 'enforced')
    expect(routes()).toHaveLength(4)
    await story.release(wide.id)
    await story.reaches(wide.id, 'released')
    expect(routes()).toEqual(['ip route 203.0.113.2/32 blackhole tag 666'])
    const again = await story.decide(suspend('esthost', { automated: true }))
    await story.reaches(again.id, 'enforced')
    await story.release(narrow.id)
    await story.reaches(narrow.id, 'released')
    expect(routes()).toHaveLength(3)
    await story.release(again.id)
    await story.reaches(again.id, 'released')
    expect(routes()).toEqual([])
  })

  it('lets the oldest decide the tag, and changes it in one change when it goes', async () => {
    const router = story.device('trigger1')
    const first = await story.decide(suspend('rovernet'))
    await story.reaches(first.id, 'enforced')
    const second = await story.decide(suspend('rovernet', { playbook: 'deep' }))
    expect(second.warnings.find(({ code }) => code === 'already_in_force')?.enforcements).toEqual([
      first.id,
    ])
    await story.reaches(second.id, 'enforced')
    expect(routes()).toEqual(['ip route 203.0.113.128/26 blackhole tag 666'])
    router.journal.clear()
    await story.release(first.id)
    await story.reaches(first.id, 'released')
    expect(routes()).toEqual(['ip route 203.0.113.128/26 blackhole tag 667'])
    expect(router.journal.lines().filter((line) => /^(no )?ip route/.test(line))).toEqual([
      'ip route 203.0.113.128/26 blackhole tag 667',
    ])
    expect((await story.enforcement(second.id)).status).toBe('enforced')
    await story.release(second.id)
    await story.reaches(second.id, 'released')
    expect(routes()).toEqual([])
  })

  it('keeps the older one’s tag when the younger is released', async () => {
    const first = await story.decide(suspend('rovernet', { playbook: 'deep' }))
    const second = await story.decide(suspend('rovernet'))
    await story.reaches(first.id, 'enforced')
    await story.reaches(second.id, 'enforced')
    await story.release(second.id)
    await story.reaches(second.id, 'released')
    expect(routes()).toEqual(['ip route 203.0.113.128/26 blackhole tag 667'])
    expect((await story.enforcement(first.id)).status).toBe('enforced')
  })
})
