import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EnforcementView, PlanView } from '../../../controller/api/schema.ts'
import { village } from './networks.ts'
import { block, type Problem, type Story, startStory, statusOn, suspend } from './story.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

let story: Story
let untouched: string

beforeEach(async () => {
  story = await startStory(village)
  untouched = story.device('trigger1').running
})

afterEach(() => story.end())

const inMs = (ms: number) => new Date(story.clock.now().getTime() + ms).toISOString()

const act = <T = Problem>(id: string, what: string, body: object, as?: string) =>
  story.call<T>('POST', `/v1/enforcements/${id}/${what}`, body, as === undefined ? {} : { as })

describe('an end', () => {
  it('releases by itself, and says so', async () => {
    const { id } = await story.enforced(block('203.0.113.2', { expiresAt: inMs(hour) }))
    story.clock.travel(hour + minute)
    const released = await story.reaches(id, 'released')
    expect(released.releaseReason).toBe('expired')
    expect(story.device('trigger1').running).toBe(untouched)
    const [record] = story.records({ type: 'enforcement.expired' })
    expect(record).toMatchObject({ actor: { kind: 'system' }, on: { enforcement: id } })
  })

  it('comes while it is still being put in force', async () => {
    story.device('trigger1').faults.add({ kind: 'off' })
    const { id } = await story.decide(block('203.0.113.2', { expiresAt: inMs(minute) }))
    story.clock.travel(2 * minute)
    await story.reaches(id, 'releasing')
    story.device('trigger1').faults.clear()
    story.clock.travel(minute)
    await story.reaches(id, 'released')
    expect(story.device('trigger1').running).toBe(untouched)
    expect(
      story
        .device('trigger1')
        .journal.lines()
        .filter((line) => line.startsWith('ip route')),
    ).toEqual([])
  })

  it('does nothing once somebody has released it, and a release nothing once it has come', async () => {
    const first = await story.enforced(block('203.0.113.2', { expiresAt: inMs(hour) }))
    await story.release(first.id)
    await story.reaches(first.id, 'released')
    const second = await story.enforced(block('203.0.113.3', { expiresAt: inMs(hour) }))
    story.clock.travel(2 * hour)
    await story.reaches(second.id, 'released')
    const late = await story.release(second.id)
    expect(late.releaseReason).toBe('expired')
    const expiries = story.records({ type: 'enforcement.expired' })
    expect(expiries.map(({ on }) => on.enforcement)).toEqual([second.id])
    expect(story.records({ type: 'enforcement.release_requested' })).toHaveLength(1)
  })

  it('is the playbook’s where none is given, and never later than that', async () => {
    const { expiresAt } = await story.decide(block('203.0.113.2'))
    const days = (Date.parse(expiresAt ?? '') - story.clock.now().getTime()) / day
    expect(days).toBeCloseTo(14, 2)
    const refused = await story.call<Problem>(
      'POST',
      '/v1/enforcements',
      block('203.0.113.3', { expiresAt: inMs(15 * day) }),
    )
    expect(refused).toMatchObject({ status: 422, body: { code: 'too_long' } })
  })

  it('can be put off within what the playbook allows, guards asked again', async () => {
    const { id } = await story.enforced(block('203.0.113.2', { expiresAt: inMs(hour) }))
    const tooLate = { expiresAt: inMs(15 * day), reason: 'court' }
    expect(await act(id, 'extend', tooLate)).toMatchObject({
      status: 422,
      body: { code: 'too_long' },
    })
    const to = { expiresAt: inMs(day), reason: 'still open' }
    expect(await act<EnforcementView>(id, 'extend', to)).toMatchObject({
      status: 202,
      body: { expiresAt: to.expiresAt },
    })
    story.clock.travel(2 * hour)
    expect((await story.enforcement(id)).status).toBe('enforced')
    await story.rewrite(village.customers.replace('203.0.113.0/30', '203.0.113.4/30'))
    await story.call('POST', '/v1/inventory/reload')
    const stranger = await act(id, 'extend', { expiresAt: inMs(2 * day), reason: 'more' })
    expect(stranger).toMatchObject({ status: 422, body: { code: 'guard_refused' } })
    expect(stranger.body.detail).toContain('203.0.113.2/32')
    // Trying again is a path like any other: the guards are asked there too.
    const again = await act(id, 'retry', {})
    expect(again).toMatchObject({ status: 422, body: { code: 'guard_refused' } })
  })

  it('is held when the clock jumps, until a person says that it is right', async () => {
    const { id } = await story.enforced(block('203.0.113.2', { expiresAt: inMs(hour) }))
    story.clock.jumpWall(2 * hour)
    story.clock.travel(minute)
    await story.until(
      'the jump is seen',
      async () => (await story.enforcement(id)).held === 'clock',
    )
    expect((await story.enforcement(id)).status).toBe('enforced')
    expect((await story.call('POST', '/v1/clock/acknowledge')).status).toBeLessThan(300)
    await story.reaches(id, 'released')
  })
})

describe('a freeze', () => {
  it('takes decisions and touches nothing until it is lifted', async () => {
    await story.call('POST', '/v1/freeze', { reason: 'maintenance' })
    const { id } = await story.decide(suspend('esthost'))
    expect(await story.enforcement(id)).toMatchObject({ status: 'enforcing', held: 'freeze' })
    const plan = await story.call<PlanView>('POST', '/v1/plans?online=true', suspend('rovernet'))
    expect(plan.status).toBe(200)
    const sent = story.device('trigger1').journal.lines()
    expect(sent.filter((line) => /^(conf|ip route|ipv6 route|write)/.test(line))).toEqual([])
    expect(story.records({ type: 'device.commands_intended' })).toEqual([])
    await story.call('DELETE', '/v1/freeze', { reason: 'over' })
    const done = await story.reaches(id, 'enforced')
    expect(done.held).toBeUndefined()
  })

  it('holds releases and ends, and carries both out afterwards', async () => {
    const first = await story.enforced(block('203.0.113.2', { expiresAt: inMs(hour) }))
    const second = await story.enforced(block('203.0.113.3'))
    const before = story.device('trigger1').running
    await story.call('POST', '/v1/freeze', { reason: 'maintenance' })
    await story.release(second.id)
    story.clock.travel(2 * hour)
    await story.reaches(first.id, 'releasing')
    expect(await story.enforcement(first.id)).toMatchObject({ held: 'freeze' })
    expect(await story.enforcement(second.id)).toMatchObject({
      status: 'releasing',
      held: 'freeze',
    })
    expect(story.device('trigger1').running).toBe(before)
    await story.restart()
    expect(await story.enforcement(first.id)).toMatchObject({ status: 'releasing', held: 'freeze' })
    await story.call('DELETE', '/v1/freeze', { reason: 'over' })
    await story.reaches(first.id, 'released')
    await story.reaches(second.id, 'released')
    expect(story.device('trigger1').running).toBe(untouched)
  })
})

describe('a termination', () => {
  const terminate = { ...suspend('rovernet'), action: 'terminate' }

  beforeEach(async () => {
    await story.token('desk', ['abuse'], 'dora@example.net')
    await story.token('other hat', ['approver'], 'dora@example.net')
    await story.token('boss', ['approver'], 'boris@example.net')
  })

  it('waits for another person, whatever token the first one holds', async () => {
    const { id, digest } = await story.decide(terminate, { as: 'desk' })
    expect((await story.enforcement(id)).status).toBe('awaiting_approval')
    const own = await act(id, 'approve', { digest }, 'other hat')
    expect(own).toMatchObject({ status: 403, body: { code: 'same_person' } })
    const wrong = await act(id, 'approve', { digest: '0'.repeat(64) }, 'boss')
    expect(wrong).toMatchObject({ status: 409, body: { code: 'digest_mismatch' } })
    expect(story.device('trigger1').journal.lines()).toEqual([])
    expect((await act(id, 'approve', { digest }, 'boss')).status).toBe(202)
    const done = await story.reaches(id, 'enforced')
    expect(done.expiresAt).toBeUndefined()
    const message = new RegExp(`neighbor 192.0.2.66 shutdown message Terminated ABUSE-2041`)
    expect(story.device('edge1').running).toMatch(message)
    const byDesk = await act(id, 'release', { reason: 'x' }, 'desk')
    expect(byDesk).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    await story.release(id)
    await story.reaches(id, 'released')
    expect(statusOn(await story.enforcement(id), 'edge1')).toBe('verified')
  })

  it('does not count the approval of a token that the one who asked had made', async () => {
    await story.token('root', ['admin'], 'dora@example.net')
    const made = await story.call<{ token: string; id: string }>(
      'POST',
      '/v1/tokens',
      { name: 'puppet', roles: ['approver'], person: 'nobody@example.net' },
      { as: 'root' },
    )
    const { id, digest } = await story.decide(terminate, { as: 'desk' })
    const answer = await fetch(`${story.running.url}/v1/enforcements/${id}/approve`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${made.body.token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ digest }),
    })
    expect({ status: answer.status, ...((await answer.json()) as object) }).toMatchObject({
      status: 403,
      code: 'own_approver',
      detail: expect.stringContaining('dora@example.net asked for it and made the token'),
    })
    expect((await story.enforcement(id)).status).toBe('awaiting_approval')
    const { body } = await story.call<{ items: { on: { token?: string }; data: object }[] }>(
      'GET',
      '/v1/audit?action=token.created',
    )
    expect(body.items.find(({ on }) => on.token === made.body.id)?.data).toMatchObject({
      name: 'puppet',
      person: 'nobody@example.net',
      by: 'dora@example.net',
    })
  })

  it('is refused as stale when it would mean something else by now', async () => {
    const { id, digest } = await story.decide(terminate, { as: 'desk' })
    await story.rewrite(village.customers.replace('203.0.113.128/26', '203.0.113.128/25'))
    expect((await story.call<object>('POST', '/v1/inventory/reload')).body).toMatchObject({
      ok: true,
    })
    const late = await act(id, 'approve', { digest }, 'boss')
    expect(late).toMatchObject({ status: 409, body: { code: 'plan_stale' } })
    expect(late.body.detail).toContain('203.0.113.128/25')
    expect((await act(id, 'reject', { reason: 'stale' }, 'boss')).status).toBe(202)
    expect((await story.enforcement(id)).status).toBe('rejected')
  })

  it('lapses after seven days without an answer', async () => {
    const { id } = await story.decide(terminate, { as: 'desk' })
    story.clock.travel(7 * day + minute)
    expect((await story.reaches(id, 'rejected')).why).toContain('7 days')
    expect(story.device('trigger1').journal.lines()).toEqual([])
  })
})
