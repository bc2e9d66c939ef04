import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type DeviceStatus,
  type Enforcement,
  type Status,
  settled,
} from '../../controller/enforcement.ts'
import { type EnforcementEvent, transition } from '../../controller/life-cycle.ts'
import { isOverdue, statusOf } from '../../controller/progress.ts'
import { spread, wavesOf } from '../../controller/rollout.ts'
import type { Result, Wanted } from '../../controller/store/store.ts'
import { acl, blackhole, bySystem, enforcement, person, port, result, want } from './small-isp.ts'

const now = '2026-11-27T12:00:00.000Z'
const day = (days: number) => new Date(Date.parse(now) + days * 86_400_000).toISOString()
const host = blackhole('203.0.113.9/32')
const progress = (...results: Result[]) => ({
  wanted: [...new Set(results.map(({ device }) => device))].map((device) =>
    want('a', device, host),
  ),
  results,
})
const results = (...all: Result[]): EnforcementEvent => ({
  kind: 'results',
  by: bySystem,
  ...progress(...all),
})
const release = (by = person('ann')): EnforcementEvent => ({
  kind: 'released',
  by,
  reason: 'fixed',
  ...progress(result('a', 'edge1', 'verified')),
})
const approval = (name: string, digest = 'd1'): EnforcementEvent => ({
  kind: 'approved',
  by: person(name),
  digest,
})

function move(from: Enforcement, event: EnforcementEvent, at = now) {
  const moved = transition(from, event, at)
  if (moved.kind !== 'moved') throw new Error(`${moved.kind}: ${JSON.stringify(moved)}`)
  return moved
}

describe('approval', () => {
  const waiting = enforcement('a', {
    status: 'awaiting_approval',
    approvals: { needed: 1, given: [] },
  })

  it('of another person puts it in force', () => {
    const moved = move(waiting, approval('bob'))

    expect(moved.enforcement.status).toBe('enforcing')
    expect(moved.enforcement.version).toBe(2)
    expect(moved.enforcement.approvals.given).toEqual([
      { person: 'bob', token: 'token-of-bob', at: now },
    ])
    expect(moved.records.map(({ type }) => type)).toEqual(['enforcement.approved'])
  })

  it.each([
    ['the one who asked', approval('ann'), 'same_person'],
    ['the one who asked, written otherwise', approval(' A\u200bnn'), 'same_person'],
    ['an approver of something else', approval('bob', 'd2'), 'digest_mismatch'],
    [
      'the one who asked, rejecting',
      { kind: 'rejected', by: person('ann'), reason: 'no' },
      'same_person',
    ],
  ] as const)('by %s is refused', (_who, event, code) => {
    expect(transition(waiting, event, now)).toMatchObject({ kind: 'refused', code })
  })

  it('needs as many different people as the playbook says', () => {
    const two = { ...waiting, approvals: { needed: 2, given: [] } }

    const one = move(two, approval('bob')).enforcement

    expect(one.status).toBe('awaiting_approval')
    expect(transition(one, approval('bob'), now)).toMatchObject({ code: 'same_person' })
    expect(transition(one, approval('bob\u00a0'), now)).toMatchObject({ code: 'same_person' })
    expect(move(one, approval('eve')).enforcement.status).toBe('enforcing')
  })

  it.each([
    ['by the person who asked', ['ann']],
    ['by the person who asked, written otherwise', ['an\u200dn']],
    ['by the token that asked', ['token-of-ann']],
    ['by a token that the one who asked made', ['T7', 'zoe', 'T1', 'ann']],
  ])('with a token that was made %s is no second pair of eyes', (_how, makers) => {
    const by = { ...person('bob'), makers }

    for (const event of [
      { kind: 'approved', by, digest: 'd1' },
      { kind: 'rejected', by, reason: 'no' },
    ] as const) {
      expect(transition(waiting, event, now)).toEqual({
        kind: 'refused',
        code: 'own_approver',
        message:
          'ann asked for it and made the token of bob: another person must decide, with a token that somebody else made',
      })
    }
    expect(
      move(waiting, { kind: 'approved', by: { ...by, makers: ['zoe'] }, digest: 'd1' }),
    ).toMatchObject({
      enforcement: { status: 'enforcing' },
    })
  })

  it('with a token that an earlier approver made is not a second approval', () => {
    const two = { ...waiting, approvals: { needed: 2, given: [] } }
    const one = move(two, approval('bob')).enforcement
    const by = { ...person('eve'), makers: ['bob'] }

    expect(transition(one, { kind: 'approved', by, digest: 'd1' }, now)).toMatchObject({
      code: 'own_approver',
      message: expect.stringContaining('bob has approved it already and made the token of eve'),
    })
  })

  it('is refused for what does not wait for it, or has ended', () => {
    expect(transition(enforcement('a'), approval('bob'), now)).toMatchObject({
      code: 'not_awaiting',
    })
    expect(transition({ ...waiting, expiresAt: now }, approval('bob'), now)).toMatchObject({
      code: 'not_awaiting',
    })
  })

  it('is over with a rejection, a release, 7 days or the end', () => {
    const rejected = move(waiting, {
      kind: 'rejected',
      by: person('bob'),
      reason: 'wrong customer',
    })
    expect(rejected.enforcement).toMatchObject({ status: 'rejected', why: 'wrong customer' })
    expect(rejected.records.map(({ type }) => type)).toEqual([
      'enforcement.rejected',
      'enforcement.settled',
    ])
    expect(move(waiting, release()).enforcement.status).toBe('rejected')
    const late = { ...waiting, acceptedAt: day(-7) }
    expect(move(late, { kind: 'approval_expired', by: bySystem }).enforcement.status).toBe(
      'rejected',
    )
    const early = { ...waiting, acceptedAt: day(-6.9) }
    expect(transition(early, { kind: 'approval_expired', by: bySystem }, now).kind).toBe(
      'unchanged',
    )
    // The window is over long since for whatever was decided in it.
    for (const status of ['enforcing', 'enforced', 'degraded', 'releasing', 'released'] as const) {
      const decided = enforcement('a', { status, acceptedAt: day(-30) })
      const event: EnforcementEvent = { kind: 'approval_expired', by: bySystem }
      expect(transition(decided, event, now).kind).toBe('unchanged')
    }
    const ended = { ...waiting, expiresAt: now }
    expect(move(ended, { kind: 'expired', by: bySystem, ...progress() }).enforcement.status).toBe(
      'rejected',
    )
  })
})

describe('results', () => {
  it.each([
    ['enforcing', ['verified', 'verified'], 'enforced'],
    ['enforcing', ['verified', 'unsupported'], 'enforced'],
    ['enforcing', ['verified', 'converging'], 'enforcing'],
    ['enforcing', ['verified', 'pending'], 'enforcing'],
    ['enforcing', ['verified', 'unreachable'], 'degraded'],
    ['enforcing', ['verified', 'failed'], 'degraded'],
    ['enforcing', ['refused', 'converging'], 'enforcing'],
    ['enforced', ['verified', 'failed'], 'degraded'],
    ['enforced', ['verified', 'unreachable'], 'degraded'],
    ['enforced', ['verified', 'converging'], 'degraded'],
    ['degraded', ['verified', 'verified'], 'enforced'],
    ['degraded', ['verified', 'pending'], 'degraded'],
    ['releasing', ['verified', 'verified'], 'released'],
    ['releasing', ['verified', 'unreachable'], 'releasing'],
    ['releasing', ['verified', 'failed'], 'releasing'],
    ['awaiting_approval', ['verified', 'verified'], 'awaiting_approval'],
    ['released', ['failed', 'verified'], 'released'],
  ] as const)('from %s, with %j → %s', (status, [one, other], to) => {
    const event = results(result('a', 'edge1', one), result('a', 'edge2', other))
    const moved = transition(enforcement('a', { status }), event, now)

    expect(moved.kind === 'refused' ? moved.code : moved.enforcement.status).toBe(to)
    const records = moved.kind === 'moved' ? moved.records.map(({ type }) => type) : []
    expect(records).toEqual(to !== status && settled.includes(to) ? ['enforcement.settled'] : [])
  })

  it('are missing until a device has answered: nothing is enforced before', () => {
    const wanted = [want('a', 'edge1', host), want('a', 'edge2', host, { observer: true })]
    const verified = [result('a', 'edge1', 'verified')]

    expect(statusOf(enforcement('a'), { wanted, results: verified }).status).toBe('enforcing')
    const seen = [...verified, result('a', 'edge2', 'verified', { role: 'observer' })]
    expect(statusOf(enforcement('a'), { wanted, results: seen }).status).toBe('enforced')
  })

  it('of a roll-out that was stopped say nothing of the devices whose turn never came', () => {
    const wanted = [want('a', 'edge1', host), want('a', 'edge2', host, { wave: 1 })]
    const stopped = enforcement('a', { status: 'degraded', stoppedBy: 'edge1' })
    const healed = [result('a', 'edge1', 'verified')]

    expect(statusOf(stopped, { wanted, results: healed }).status).toBe('degraded')
  })

  it.each(['enforcing', 'degraded'] as const)(
    'with a failure roll back from %s where the playbook says so, and end as failed',
    (status) => {
      const from = enforcement('a', { status, onFailure: 'rollback' })
      const moved = move(
        from,
        results(result('a', 'edge1', 'verified'), result('a', 'edge2', 'refused')),
      )

      expect(moved.enforcement).toMatchObject({ status: 'releasing', rollingBack: true })
      expect(moved.results.map((each) => each.status)).toEqual(['pending', 'pending'])
      expect(
        move(moved.enforcement, results(result('a', 'edge1', 'verified'))).enforcement.status,
      ).toBe('failed')
    },
  )

  it('do not roll back for a device that is merely unreachable', () => {
    const from = enforcement('a', { onFailure: 'rollback' })

    expect(move(from, results(result('a', 'edge1', 'unreachable'))).enforcement.status).toBe(
      'degraded',
    )
  })
})

describe('a device that only reads', () => {
  const wanted = [want('a', 'trigger1', host), want('a', 'edge1', host, { observer: true })]
  const learning = (status: DeviceStatus, rest: Partial<Result> = {}) =>
    result('a', 'edge1', status, { role: 'observer', ...rest })
  const from = (over: Partial<Enforcement>) => enforcement('a', { onFailure: 'rollback', ...over })
  const announcing = (status: DeviceStatus) =>
    result('a', 'trigger1', status, status === 'verified' ? { verifiedAt: now } : {})

  it.each(['unreachable', 'pending', 'converging'] as const)(
    'is no reason to roll back while the device that it learns from is %s',
    (status) => {
      const event = { wanted, results: [announcing(status), learning('failed')] }
      for (const at of ['enforcing', 'degraded'] as const) {
        expect(statusOf(from({ status: at }), event).rollBackFor).toBeUndefined()
      }
    },
  )

  it('is one once that device shows its change', () => {
    const event = { wanted, results: [announcing('verified'), learning('failed')] }

    expect(statusOf(from({ status: 'enforcing' }), event).rollBackFor).toBe('edge1')
    expect(statusOf(from({ status: 'degraded', updatedAt: now }), event).rollBackFor).toBe('edge1')
    expect(
      statusOf(from({ status: 'degraded', onFailure: 'keep' }), event).rollBackFor,
    ).toBeUndefined()
  })

  it('is none before that device was read again: it may have gone off unseen', () => {
    const event = { wanted, results: [announcing('verified'), learning('failed')] }
    const later = new Date(Date.parse(now) + 1_000).toISOString()

    expect(
      statusOf(from({ status: 'degraded', updatedAt: later }), event).rollBackFor,
    ).toBeUndefined()
  })

  it('names the device that refused, not itself', () => {
    const rows = [...wanted].reverse()
    const event = { wanted: rows, results: [learning('failed'), announcing('refused')] }

    expect(statusOf(from({}), event).rollBackFor).toBe('trigger1')
  })

  it.each([
    ['unreachable', 1, 'degraded'],
    ['unreachable', 0, 'enforcing'],
    ['converging', 1, 'enforcing'],
    ['verified', 1, 'enforcing'],
  ] as const)(
    'is waited for until the other has said how it stands: %s, read %i times → %s',
    (status, attempts, to) => {
      const event = { wanted, results: [announcing(status), learning('converging', { attempts })] }

      expect(statusOf(from({}), event).status).toBe(to)
    },
  )
})

describe('release and expiry', () => {
  it.each(['enforcing', 'enforced', 'degraded'] as const)('lift what is %s', (status) => {
    const moved = move(enforcement('a', { status }), release())

    expect(moved.enforcement).toMatchObject({
      status: 'releasing',
      releaseRequestedAt: now,
      releaseReason: 'fixed',
    })
    expect(moved.results.map((each) => each.status)).toEqual(['pending'])
    expect(moved.records.map(({ type }) => type)).toEqual(['enforcement.release_requested'])
  })

  it.each(['releasing', 'released'] as const)('change nothing about what is %s', (status) => {
    const from = enforcement('a', { status, expiresAt: now })

    expect(transition(from, release(), now)).toEqual({ kind: 'unchanged', enforcement: from })
    expect(transition(from, { kind: 'expired', by: bySystem, ...progress() }, now).kind).toBe(
      'unchanged',
    )
  })

  it.each(['rejected', 'failed'] as const)('are refused for what is %s', (status) => {
    expect(transition(enforcement('a', { status }), release(), now)).toMatchObject({
      code: 'not_in_force',
    })
  })

  it('of a termination need an admin', () => {
    const from = enforcement('a', { status: 'enforced' })
    const final = { ...from, decision: { ...from.decision, action: 'terminate' as const } }

    expect(transition(final, release(), now)).toMatchObject({ code: 'forbidden' })
    expect(move(final, release(person('root', true))).enforcement.status).toBe('releasing')
  })

  it('come by time only once the end is there, also while it is still being enforced', () => {
    const expired: EnforcementEvent = { kind: 'expired', by: bySystem, ...progress() }

    expect(transition(enforcement('a', { expiresAt: day(1) }), expired, now).kind).toBe('unchanged')
    expect(transition(enforcement('a'), expired, now).kind).toBe('unchanged')
    const moved = move(enforcement('a', { expiresAt: now }), expired)
    expect(moved.enforcement.status).toBe('releasing')
    expect(moved.records.map(({ type }) => type)).toEqual(['enforcement.expired'])
  })

  it('are overdue after five minutes', () => {
    const from = enforcement('a', {
      status: 'releasing',
      releaseRequestedAt: '2026-11-27T11:55:00.000Z',
    })

    expect(isOverdue(from, '2026-11-27T12:00:00.000Z')).toBe(false)
    expect(isOverdue(from, '2026-11-27T12:00:00.001Z')).toBe(true)
    expect(isOverdue({ ...from, status: 'released' }, day(1))).toBe(false)
  })
})

describe('extend', () => {
  const to = (expiresAt: string): EnforcementEvent => ({
    kind: 'extended',
    by: person('ann'),
    expiresAt,
    reason: 'still there',
  })

  it('sets a new end within what the playbook allows, and remembers when', () => {
    const moved = move(enforcement('a', { expiresAt: day(1) }), to(day(14)))

    expect(moved.enforcement).toMatchObject({ expiresAt: day(14), extendedAt: [now] })
  })

  it('is refused beyond that, in the past, without an end, and out of force', () => {
    const from = enforcement('a', { expiresAt: day(1) })
    const { maxDurationMs: _none, ...endless } = from

    expect(transition(from, to(day(14.001)), now)).toMatchObject({ code: 'too_long' })
    expect(transition(from, to(now), now)).toMatchObject({ code: 'invalid_request' })
    expect(transition(endless, to(day(1)), now)).toMatchObject({ code: 'too_long' })
    expect(transition({ ...from, status: 'releasing' }, to(day(2)), now)).toMatchObject({
      code: 'not_in_force',
    })
  })
})

describe('roll-out', () => {
  const rollout = { canary: 1, batch: 2, stopAfterFailures: 1 }
  const all = ['d1', 'd2', 'd3', 'd4'].map((device) => ({
    device,
    intent: port('p1'),
    observer: false,
    optional: false,
  }))

  it('begins with canaries that can be reached, then goes on in batches, in order', () => {
    const waveOf = wavesOf(all, rollout, new Set(['d2', 'd4']))

    expect(all.map(waveOf)).toEqual([1, 0, 1, 2])
  })

  it('begins with the first batch where no canary can be reached', () => {
    expect(all.map(wavesOf(all, rollout, new Set()))).toEqual([0, 0, 1, 1])
  })

  it('reads an observer as soon as the first device has what it waits for', () => {
    const watched = [
      { device: 't1', intent: acl('203.0.113.9/32'), observer: false, optional: false },
      { device: 't2', intent: host, observer: false, optional: false },
      { device: 'e1', intent: host, observer: true, optional: false },
    ]

    expect(watched.map(wavesOf(watched, { ...rollout, batch: 1 }, new Set(['t1', 't2'])))).toEqual([
      0, 1, 1,
    ])
  })

  it('spreads over a customer of a thousand prefixes on two hundred devices', () => {
    const rows = Array.from({ length: 200_000 }, (_, i) =>
      want('a', `d${i % 200}`, host, { wave: i % 2 }),
    )

    expect(spread({ openWave: 0, rollout }, rows, [])).toEqual({ openWave: 0, complete: false })
  })

  const spreadOver = (openWave: number, statuses: readonly DeviceStatus[], stoppedBy?: string) => {
    const wanted = statuses.map((_, i) => want('a', `d${i}`, host, { wave: i }))
    const seen = statuses.map((status, i) => result('a', `d${i}`, status))
    const from = enforcement('a', {
      rollout,
      openWave,
      ...(stoppedBy === undefined ? {} : { stoppedBy }),
    })
    return transition(from, { kind: 'results', by: bySystem, wanted, results: seen }, now)
  }

  it('opens the next wave once the last has answered, an unreachable device notwithstanding', () => {
    expect(spreadOver(0, ['verified', 'pending', 'pending'])).toMatchObject({
      enforcement: { openWave: 1, status: 'enforcing' },
      records: [],
    })
    expect(spreadOver(0, ['unreachable', 'pending', 'pending'])).toMatchObject({
      enforcement: { openWave: 1 },
    })
    expect(spreadOver(0, ['converging', 'pending', 'pending']).kind).toBe('unchanged')
  })

  it('stops at a failure: degraded, the rest pending, until a retry goes on', () => {
    const stopped = spreadOver(0, ['refused', 'pending', 'pending'])
    expect(stopped).toMatchObject({
      enforcement: { status: 'degraded', openWave: 0, stoppedBy: 'd0' },
    })

    const wanted = [want('a', 'd0', host), want('a', 'd1', host, { wave: 1 })]
    if (stopped.kind !== 'moved') throw new Error('not stopped')
    const again = move(stopped.enforcement, {
      kind: 'retried',
      by: person('ann'),
      wanted,
      results: [result('a', 'd0', 'refused'), result('a', 'd1', 'pending')],
    })
    expect(again.enforcement.stoppedBy).toBeUndefined()
    expect(again.results.map(({ status }) => status)).toEqual(['pending', 'pending'])

    const on = move(again.enforcement, {
      kind: 'results',
      by: bySystem,
      wanted,
      results: [result('a', 'd0', 'verified'), result('a', 'd1', 'pending')],
    })
    expect(on.enforcement.openWave).toBe(1)
  })

  it('never closes a wave again, whatever happens to devices in it', () => {
    const status = fc.constantFrom<DeviceStatus>(
      'pending',
      'converging',
      'verified',
      'refused',
      'failed',
      'unreachable',
      'unsupported',
    )
    fc.assert(
      fc.property(
        fc.array(fc.array(status, { minLength: 4, maxLength: 4 }), { maxLength: 12 }),
        (history) => {
          let one = enforcement('a', { rollout })
          for (const statuses of history) {
            const wanted = statuses.map((_, i) => want('a', `d${i}`, host, { wave: i }))
            const moved = transition(
              one,
              {
                kind: 'results',
                by: bySystem,
                wanted,
                results: statuses.map((s, i) => result('a', `d${i}`, s)),
              },
              now,
            )
            if (moved.kind === 'refused') throw new Error(moved.message)
            expect(moved.enforcement.openWave ?? 0).toBeGreaterThanOrEqual(one.openWave ?? 0)
            one = moved.enforcement
          }
          expect(one.status).not.toBe('released')
        },
      ),
    )
  })

  it('has no say in a release: devices that never had a turn need not answer', () => {
    const wanted = [want('a', 'd0', host), want('a', 'd1', host, { wave: 1 })]
    const from = enforcement('a', { status: 'releasing', openWave: 0 })

    expect(statusOf(from, { wanted, results: [result('a', 'd0', 'verified')] }).status).toBe(
      'released',
    )
  })
})

describe('retry', () => {
  const wanted: readonly Wanted[] = ['d1', 'd2'].map((device) => want('a', device, host))
  const stuck = [
    result('a', 'd1', 'failed', { error: { code: 'timeout', message: 'm', remedy: 'r' } }),
    result('a', 'd2', 'unreachable'),
  ]

  it('tries all that are not verified, or those named', () => {
    const from = enforcement('a', { status: 'degraded' })
    const all = move(from, {
      kind: 'retried',
      by: person('ann'),
      wanted,
      results: [...stuck, result('a', 'd3', 'verified')],
    })
    const one = move(from, {
      kind: 'retried',
      by: person('ann'),
      devices: ['d1'],
      wanted,
      results: stuck,
    })

    expect(all.results.map(({ device, status }) => [device, status])).toEqual([
      ['d1', 'pending'],
      ['d2', 'pending'],
    ])
    expect(one.results).toEqual([result('a', 'd1', 'pending', { attempts: 0 })])
  })

  it('is refused for a stranger and for what is over', () => {
    const event = {
      kind: 'retried',
      by: person('ann'),
      devices: ['d9'],
      wanted,
      results: stuck,
    } as const

    expect(transition(enforcement('a'), event, now)).toMatchObject({ code: 'unknown_device' })
    expect(transition(enforcement('a', { status: 'released' }), event, now)).toMatchObject({
      code: 'not_in_force',
    })
  })
})

describe('whatever happens in whatever order', () => {
  const over: readonly Status[] = ['released', 'rejected', 'failed']
  const seen = fc
    .constantFrom<DeviceStatus>('pending', 'verified', 'refused', 'unreachable')
    .map((status): EnforcementEvent => results(result('a', 'edge1', status)))
  const asked = fc.constantFrom<EnforcementEvent>(
    release(person('root', true)),
    approval('bob'),
    { kind: 'rejected', by: person('bob'), reason: 'no' },
    { kind: 'expired', by: bySystem, ...progress(result('a', 'edge1', 'verified')) },
  )

  it('what is over stays over, versions only rise, and nothing is in force again after its release', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.oneof(seen, asked), { maxLength: 20 }),
        (waits, events) => {
          let one = enforcement('a', {
            status: waits ? 'awaiting_approval' : 'enforcing',
            approvals: { needed: waits ? 1 : 0, given: [] },
            expiresAt: waits ? day(1) : now,
          })
          for (const event of events) {
            const moved = transition(one, event, now)
            if (moved.kind === 'refused') continue
            if (over.includes(one.status)) expect(moved.kind).toBe('unchanged')
            if (one.status === 'releasing')
              expect(['releasing', 'released', 'failed']).toContain(moved.enforcement.status)
            expect(moved.enforcement.version).toBe(one.version + (moved.kind === 'moved' ? 1 : 0))
            one = moved.enforcement
          }
          expect(one.id).toBe('a')
        },
      ),
    )
  })
})
