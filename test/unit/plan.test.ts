import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Claim } from '../../agent/diff.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { CandidateTransaction, CommitTimer, Line, Platform } from '../../agent/platform.ts'
import { accept } from '../../controller/acceptance.ts'
import { movedText, staleness } from '../../controller/digest.ts'
import { judge } from '../../controller/guards.ts'
import type { Plan } from '../../controller/plan.ts'
import { makePlan, type PlanInput } from '../../controller/planning.ts'
import { planForRelease, type ReleaseInput } from '../../controller/release.ts'
import { frozenAs } from '../../controller/usage.ts'
import { createLookup } from '../../inventory/lookup.ts'
import { neverCut } from '../../inventory/never-cut.ts'
import { compile } from '../../playbooks/compile.ts'
import type { CompiledIntent } from '../../playbooks/model.ts'
import {
  aboutEsthost,
  acl,
  adr,
  blackhole,
  compiled,
  customer,
  decision,
  device,
  enforcement,
  isp,
  neighbor,
  person,
  pfx,
  playbook,
  port,
  prt,
  toy,
  want,
} from './small-isp.ts'

const now = '2026-11-27T12:00:00.000Z'
const host = blackhole('203.0.113.9/32')
const on = (at: string, intent: Intent, rest: Partial<CompiledIntent> = {}): CompiledIntent => ({
  device: at,
  intent,
  observer: false,
  optional: false,
  ...rest,
})

const suspendEsthost = compiled({
  intents: [
    on('trigger1', host),
    on('edge1', host, { observer: true }),
    on('edge1', acl('203.0.113.9/32'), { optional: true }),
    on('edge1', neighbor('192.0.2.9')),
    on('sw1', port('p1')),
  ],
  prefixes: [pfx('203.0.113.9/32'), pfx('2001:db8:e57::/64')],
  ports: [{ device: 'sw1', port: prt('p1') }],
  neighbors: [{ device: 'edge1', peer: adr('192.0.2.9'), vrf: 'default' }],
})

function input(change: Partial<PlanInput> = {}): PlanInput {
  return {
    id: 'plan1',
    now,
    decision: aboutEsthost,
    compiled: suspendEsthost,
    playbook,
    inventory: isp(),
    platforms: new Map([['toy', toy()]]),
    verdicts: [],
    live: [],
    claims: () => [],
    ...change,
  }
}

function held(intent: Intent, phase: Claim['phase'] = 'held'): Claim {
  return { key: keyOf(intent), intent, before: [], wrote: [keyOf(intent)], phase, step: 1 }
}

function planned(change: Partial<PlanInput> = {}): Plan {
  const plan = makePlan(input(change))
  if ('kind' in plan) throw new Error(`${plan.code}: ${plan.message}`)
  return plan
}

const typed = (text: string): Line => ({ text, needs: 'config', free: false })

const clockwork: Omit<CommitTimer, 'undoes'> = {
  commit: (token) => typed(`commit within 5 ${token}`),
  look: typed('look'),
  lookInside: typed('look'),
  count: typed('count'),
  countInside: typed('count'),
  pending: () => ({ kind: 'none', token: undefined, earlier: [] }),
  confirm: [typed('confirm')],
  confirmHarder: () => [],
  cancel: [typed('cancel')],
  windowMs: 300_000,
}

const candidate: CandidateTransaction = {
  kind: 'candidate',
  enter: (token) => [typed(`edit ${token}`)],
  diff: typed('diff'),
  judge: () => undefined,
  check: typed('check'),
  commit: typed('commit'),
  leave: [typed('leave')],
  abort: [typed('leave')],
}

describe('a plan', () => {
  it('shows each device the exact lines and those that take them back, in the order of the measures', () => {
    const { devices } = planned()

    expect(devices.map(({ device: id, role }) => `${id} ${role}`)).toEqual([
      'trigger1 enforcer',
      'edge1 observer',
      'edge1 enforcer',
      'sw1 enforcer',
    ])
    expect(devices[2]?.apply.map(({ line }) => line)).toEqual([
      'configure',
      'apply acl|in|203.0.113.9/32',
      'apply neighbor|default|192.0.2.9 as 64500',
      'end',
    ])
    expect(devices[2]?.undo.map(({ line }) => line)).toEqual([
      'configure',
      'lift neighbor|default|192.0.2.9',
      'lift acl|in|203.0.113.9/32',
      'end',
    ])
    expect(devices[1]).toMatchObject({ role: 'observer', apply: [], undo: [] })
    expect(devices[0]?.transaction).toBe('each line is live when typed')
  })

  it('shows what would be saved afterwards: of a save of ours alone all that is held then', () => {
    const claims = (): readonly Claim[] => [held(port('p1')), held(port('p2'), 'lifted')]
    const everything = toy()
    const ours: Platform = {
      ...everything,
      save: { lines: () => [], ...everything.save, scope: 'ours' },
    }
    const { devices } = planned({ claims, platforms: new Map([['toy', ours]]) })

    expect(devices[0]?.save).toEqual([{ line: `save ${keyOf(port('p1'))}, ${keyOf(host)}` }])
    expect(devices[1]?.save).toBeUndefined()
    expect(planned({ claims }).devices[0]?.save).toEqual([{ line: `save ${keyOf(host)}` }])
  })

  it.each([
    ['always', 'everything', undefined, 'saving takes unsaved changes of others with it'],
    ['clean', 'everything', [], 'saved only if nothing of others is unsaved then'],
    [
      'clean',
      'everything',
      undefined,
      'saving takes unsaved changes of others with it: the platform can’t tell whose they are',
    ],
    [
      'always',
      'ours',
      undefined,
      'what is saved is what nullroute holds there, with what it saved there before and finds with its mark still, and nothing of others',
    ],
    ['never', 'everything', undefined, 'not saved (save: never): a reboot takes it back'],
  ] as const)('says with save: %s of %s what that means', (save, scope, differences, note) => {
    const line = { text: 'show differences', needs: 'exec', free: true }
    const platform: Platform = {
      ...toy(),
      save: {
        scope,
        lines: () => [{ ...line, text: 'save' }],
        ...(differences === undefined ? {} : { differences: line }),
      },
    }
    const named = new Map(isp().devices)
    for (const [id, one] of named) named.set(id, { ...one, save })
    const { devices } = planned({
      inventory: isp({ devices: named }),
      platforms: new Map([['toy', platform]]),
    })

    expect(devices[0]?.notes).toEqual([note])
    expect(devices[0]?.save?.map((one) => one.line)).toEqual(
      save === 'never' ? undefined : ['save'],
    )
  })

  it.each([
    [
      'with a timer that undoes it alone',
      { timer: { ...clockwork, undoes: 'commit' } },
      false,
      [
        'edit <token>',
        'apply port|p1',
        'check',
        'commit within 5 <token>',
        'leave',
        'edit <token>',
        'confirm',
        'leave',
      ],
      'candidate, checked by the device, confirmed commit: taken back by the device within 5 min unless a second session has read it back',
      'until it is confirmed, the device’s own timer would undo this change alone',
    ],
    [
      'for good where no timer may be used',
      { timer: { ...clockwork, undoes: 'configuration' } },
      false,
      ['edit <token>', 'apply port|p1', 'check', 'commit', 'leave'],
      'candidate, checked by the device, committed for good: what a second session does not see is taken back by the lines that undo it, in a candidate of its own',
      'no timer of the device takes the commit back: it stays, wherever this ends, until the lines that undo it are sent',
    ],
    [
      'with a timer that undoes everything, where the inventory allows it',
      { timer: { ...clockwork, undoes: 'configuration' } },
      true,
      [
        'edit <token>',
        'apply port|p1',
        'check',
        'commit within 5 <token>',
        'leave',
        'edit <token>',
        'confirm',
        'leave',
      ],
      'candidate, checked by the device, confirmed commit: taken back by the device within 5 min unless a second session has read it back',
      'deviceTimer is on: a timer that runs out restores the whole configuration, changes of others since then included',
    ],
    [
      'for good where there is no timer, and no check apart from the commit',
      { check: undefined },
      true,
      ['edit <token>', 'apply port|p1', 'commit', 'leave'],
      'candidate, committed for good: what a second session does not see is taken back by the lines that undo it, in a candidate of its own',
      'no timer of the device takes the commit back: it stays, wherever this ends, until the lines that undo it are sent',
    ],
  ] as const)('says of a commit %s what is sent, and what would take it back', (...expected) => {
    const [, over, deviceTimer, lines, transaction, note] = expected
    const { check, ...rest } = { ...candidate, ...over }
    const platform: Platform = {
      ...toy(),
      transaction: check === undefined ? rest : { ...rest, check },
    }
    const named = new Map(isp().devices)
    for (const [id, one] of named) named.set(id, { ...one, deviceTimer })
    const { devices } = planned({
      compiled: compiled({ intents: [on('sw1', port('p1'))] }),
      inventory: isp({ devices: named }),
      platforms: new Map([['toy', platform]]),
    })

    expect(devices[0]?.apply.map(({ line }) => line)).toEqual(lines)
    expect(devices[0]?.undo.map(({ line }) => line)).toEqual(
      lines.map((line) => line.replace('apply ', 'lift ')),
    )
    expect(devices[0]?.transaction).toBe(transaction)
    expect(devices[0]?.notes).toContain(note)
  })

  it('marks a line that only the device can fill', () => {
    const bare = new Map(isp().devices).set('edge1', device('edge1', '10.20.0.11'))
    const { devices } = planned({ inventory: isp({ devices: bare }) })

    expect(devices[2]?.apply.find(({ needs }) => needs === 'device')?.line).toBe(
      'apply neighbor|default|192.0.2.9 as <asn>',
    )
  })

  it('counts what it touches', () => {
    expect(planned().blastRadius).toEqual({
      customers: ['esthost'],
      ipv4Addresses: '1',
      ipv6Slash64: '1',
      prefixes: ['203.0.113.9/32', '2001:db8:e57::/64'],
      ports: ['sw1:p1'],
      neighbors: ['edge1:192.0.2.9'],
      devices: ['edge1', 'sw1', 'trigger1'],
    })
  })

  it('has one line for what a wider filter entry covers already', () => {
    const { devices } = planned({
      compiled: compiled({
        intents: [on('edge1', acl('203.0.113.0/28')), on('edge1', acl('203.0.113.9/32'))],
      }),
    })

    expect(devices[0]?.apply.map(({ line }) => line)).toEqual([
      'configure',
      'apply acl|in|203.0.113.0/28',
      'end',
    ])
    expect(devices[0]?.intents[1]?.note).toBe('covered by acl|in|203.0.113.0/28')
  })
})

describe('what a platform cannot express', () => {
  it('is refused where the playbook demands it', () => {
    expect(makePlan(input({ platforms: new Map([['toy', toy(['port'])]]) }))).toMatchObject({
      code: 'unsupported_intent',
      message: expect.stringContaining('port|p1 on sw1 (toy): no port here') as string,
    })
  })

  it('is listed and warned about where the measure is optional', () => {
    const plan = planned({ platforms: new Map([['toy', toy(['acl'])]]) })

    expect(plan.devices[2]?.intents[0]?.unsupported).toBe('no acl here')
    expect(plan.warnings).toContainEqual({
      code: 'unsupported',
      message: "edge1 can't do acl|in|203.0.113.9/32 (no acl here)",
    })
  })

  it('leaves nothing to enforce where nothing else is wanted', () => {
    const only = compiled({ intents: [on('edge1', acl('203.0.113.9/32'), { optional: true })] })

    expect(
      makePlan(input({ compiled: only, platforms: new Map([['toy', toy(['acl'])]]) })),
    ).toMatchObject({ code: 'nothing_to_enforce' })
  })

  it('and a device that nobody speaks to are not passed over', () => {
    expect(makePlan(input({ platforms: new Map() }))).toMatchObject({ code: 'unsupported_intent' })
  })
})

describe('the end', () => {
  it('is as long from now as the playbook allows, where none is asked for', () => {
    expect(planned().expiresAt).toBe('2026-12-11T12:00:00.000Z')
  })

  it.each([
    ['2026-12-11T12:00:00.000Z', undefined],
    ['2026-12-11T12:00:00.001Z', 'too_long'],
    ['2026-11-27T12:00:00.000Z', 'invalid_request'],
  ])('at %s → %s', (expiresAt, code) => {
    const plan = makePlan(input({ decision: { ...aboutEsthost, expiresAt } }))

    expect('kind' in plan ? plan.code : undefined).toBe(code)
  })

  it('is none for a termination, and asking for one is refused', () => {
    const terminate = { ...aboutEsthost, action: 'terminate' as const }

    expect(planned({ decision: terminate }).expiresAt).toBeUndefined()
    expect(
      makePlan(input({ decision: { ...terminate, expiresAt: '2026-12-01T00:00:00.000Z' } })),
    ).toMatchObject({ code: 'too_long' })
  })
})

describe('warnings', () => {
  it('name what is in force on the same subject, and a terminated customer', () => {
    const same = enforcement('e1', { status: 'degraded' })
    const other = enforcement('e2', {
      decision: decision({ kind: 'prefix', prefix: pfx('203.0.113.9/32') }),
    })
    const final = enforcement('e3', { decision: { ...aboutEsthost, action: 'terminate' } })
    const gone = enforcement('e4', { status: 'releasing' })

    const { warnings } = planned({ live: [same, other, final, gone] })

    expect(warnings.map(({ code, enforcements }) => [code, enforcements])).toEqual([
      ['already_in_force', ['e1', 'e3']],
      ['customer_terminated', ['e3']],
    ])
  })

  it('say when nothing stops traffic from the customer', () => {
    const codes = (...intents: Intent[]) =>
      planned({
        compiled: compiled({ intents: intents.map((intent) => on('edge1', intent)) }),
      }).warnings.map(({ code }) => code)

    expect(codes(host)).toEqual(['outbound_not_stopped'])
    expect(codes(host, acl('203.0.113.9/32', 'out'))).toEqual(['outbound_not_stopped'])
    expect(codes(host, acl('203.0.113.9/32', 'in'))).toEqual([])
    expect(codes(host, port('p1'))).toEqual([])
  })

  it('carry the first guard that refuses as the reason', () => {
    const verdicts = [
      { guard: 'own_space', verdict: 'pass', message: 'passed', overridable: false },
      { guard: 'never_cut', verdict: 'refuse', message: 'a gateway', overridable: false },
    ] as const

    expect(planned({ verdicts }).refused).toEqual({
      code: 'guard_refused',
      message: 'never_cut: a gateway',
    })
    expect(planned().refused).toBeUndefined()
  })
})

describe('from decision to plan', () => {
  const blocking = (prefix: string): Plan => {
    const block = {
      ...playbook,
      name: 'block',
      decision: 'block' as const,
      measures: [
        {
          kind: 'blackhole',
          objects: 'subject',
          devices: { kind: 'role', role: 'rtbh-trigger' },
          tag: 666,
          optional: false,
        },
      ] as const,
    }
    const inventory = isp()
    const around = { inventory, lookup: createLookup(inventory), neverCut: neverCut(inventory, []) }
    const asked = decision({ kind: 'prefix', prefix: pfx(prefix) })
    const made = compile(asked, { playbook: block, ...around })
    if ('kind' in made) throw new Error(`${made.code}: ${made.message}`)
    const usage = {
      decisions: 0,
      ipv4Addresses: 0,
      customers: new Set<string>(),
      ports: 0,
      neighbors: 0,
    }
    const verdicts = judge({
      decision: asked,
      compiled: made,
      ...around,
      usage,
      mayOverride: false,
    })
    return planned({ decision: asked, compiled: made, playbook: block, verdicts })
  }

  it('a prefix around the gateway is carved, shown as left out, and passes', () => {
    const plan = blocking('203.0.113.0/30')

    expect(plan.refused).toBeUndefined()
    expect(plan.blastRadius.prefixes).toEqual(['203.0.113.0/32', '203.0.113.2/31'])
    expect(plan.leftOut).toEqual([
      { prefix: '203.0.113.1/32', within: '203.0.113.0/30', why: 'gateway of edge1' },
    ])
  })

  it('the gateway itself is refused by its guard, not as nothing to do', () => {
    expect(blocking('203.0.113.1/32').refused).toEqual({
      code: 'guard_refused',
      message: expect.stringContaining(
        'never_cut: would cut what carries the network: 203.0.113.1 (gateway of edge1)',
      ) as string,
    })
  })
})

describe('the digest', () => {
  it('is the SHA-256 of canonical JSON that anyone can write down', () => {
    const text =
      '{"action":"suspend","approvals":0,"customer":"esthost","devices":[' +
      '{"device":"edge1","intents":[{"kind":"blackhole","observer":true,"prefix":"203.0.113.9/32","tag":666,"vrf":"default"}],"platform":"toy"},' +
      '{"device":"trigger1","intents":[{"direction":"in","kind":"acl","prefix":"203.0.113.9/32"},{"kind":"blackhole","prefix":"203.0.113.9/32","tag":666,"vrf":"default"}],"platform":"toy"}],' +
      `"overrides":[],"playbook":{"name":"suspend","sha256":"${playbook.sha256}"},"rollout":{"batch":50,"canary":0,"stopAfterFailures":1},"subject":{"customer":"esthost"},"v":1}`
    const plan = planned({
      compiled: compiled({
        intents: [
          on('trigger1', host),
          on('edge1', host, { observer: true }),
          on('trigger1', acl('203.0.113.9/32')),
        ],
      }),
    })

    expect(plan.digest).toBe(createHash('sha256').update(text).digest('hex'))
  })

  it('does not depend on when the plan was made, its id, or the order of the intents', () => {
    const later = planned({ id: 'plan2', now: '2026-11-28T00:00:00.000Z' })
    const turned = planned({
      compiled: { ...suspendEsthost, intents: suspendEsthost.intents.toReversed() },
    })

    expect(later.digest).toBe(planned().digest)
    expect(turned.digest).toBe(planned().digest)
    expect(staleness(planned(), later)).toEqual([])
  })

  it.each<[string, Partial<PlanInput>, string]>([
    [
      'another tag',
      {
        compiled: {
          ...suspendEsthost,
          intents: [
            on('trigger1', blackhole('203.0.113.9/32', 1)),
            ...suspendEsthost.intents.slice(1),
          ],
        },
      },
      'blackhole 203.0.113.9/32 on trigger1: was tag 666, is tag 1',
    ],
    [
      'a device less',
      { compiled: { ...suspendEsthost, intents: suspendEsthost.intents.slice(0, -1) } },
      'port p1 on sw1 gone',
    ],
    [
      'an observer less',
      {
        compiled: {
          ...suspendEsthost,
          intents: suspendEsthost.intents.filter(({ observer }) => !observer),
        },
      },
      'blackhole 203.0.113.9/32 on edge1 (observer) gone',
    ],
    ['another playbook', { playbook: { ...playbook, sha256: 'cd'.repeat(32) } }, 'playbook'],
    [
      'another roll-out',
      { playbook: { ...playbook, rollout: { ...playbook.rollout, canary: 2 } } },
      'rollout',
    ],
    ['more approvals', { playbook: { ...playbook, approvals: 1 } }, 'approvals'],
    [
      'another end',
      { decision: { ...aboutEsthost, expiresAt: '2026-12-01T00:00:00.000Z' } },
      'digest',
    ],
    [
      'an override',
      { decision: { ...aboutEsthost, overrides: [{ guard: 'port_uplink', reason: 'x' }] } },
      'digest',
    ],
  ])('changes with %s, and staleness says so', (_what, change, what) => {
    const fresh = planned(change)

    expect(fresh.digest).not.toBe(planned().digest)
    expect(movedText(staleness(planned(), fresh))).toContain(what)
  })

  it('names what moved and nothing that stayed, and counts what is too much to name', () => {
    const withRoutes = (numbers: readonly number[]): Plan =>
      planned({
        compiled: {
          ...suspendEsthost,
          intents: [
            ...suspendEsthost.intents,
            ...numbers.map((n) => on('trigger1', blackhole(`203.0.113.${n}/32`))),
          ],
        },
      })
    const many = Array.from({ length: 40 }, (_, n) => 100 + n)

    expect(staleness(planned(), withRoutes([204]))).toEqual([
      { what: 'blackhole 203.0.113.204/32 on trigger1', was: '', is: 'tag 666' },
    ])
    expect(movedText(staleness(planned(), withRoutes([204])))).toBe(
      'blackhole 203.0.113.204/32 on trigger1 added',
    )
    expect(movedText(staleness(withRoutes([204]), planned()))).toBe(
      'blackhole 203.0.113.204/32 on trigger1 gone',
    )
    expect(movedText(staleness(planned(), withRoutes(many)))).toMatch(
      /^(blackhole \S+ on trigger1 added; ){10}and 30 more$/,
    )
  })

  it('apart, another verdict of a guard makes a plan stale', () => {
    const verdict = {
      guard: 'hour_budget',
      verdict: 'refuse',
      message: '',
      overridable: true,
    } as const

    expect(
      staleness(
        planned({ verdicts: [{ ...verdict, verdict: 'pass' }] }),
        planned({ verdicts: [verdict] }),
      ),
    ).toEqual([{ what: 'guard hour_budget', was: 'pass', is: 'refuse' }])
  })
})

describe('an acceptance', () => {
  const acceptWith = (change: Partial<PlanInput> = {}) => {
    const from = input(change)
    return accept({
      planSha256: 'd'.repeat(64),
      id: 'e1',
      now,
      by: person('ann'),
      decision: from.decision,
      compiled: from.compiled,
      playbook: from.playbook,
      plan: planned(change),
      reachable: new Set(['trigger1', 'edge1', 'sw1']),
    })
  }

  it('is in force at once, or waits where the playbook asks for approvals', () => {
    expect(acceptWith().enforcement).toMatchObject({
      status: 'enforcing',
      version: 1,
      requestedByPerson: 'ann',
      expiresAt: '2026-12-11T12:00:00.000Z',
      counts: { ipv4Addresses: 1, ports: 1, neighbors: 1 },
    })
    expect(acceptWith({ playbook: { ...playbook, approvals: 1 } }).enforcement.status).toBe(
      'awaiting_approval',
    )
  })

  it('freezes a row for each intent and a pending result for each place', () => {
    const { wanted, results } = acceptWith({ platforms: new Map([['toy', toy(['acl'])]]) })

    expect(wanted).toHaveLength(5)
    expect(wanted.find(({ key }) => key.startsWith('acl'))?.unsupported).toBe('no acl here')
    expect(results.map(({ device: id, role, status }) => `${id} ${role} ${status}`)).toEqual([
      'trigger1 enforcer pending',
      'edge1 observer pending',
      'edge1 enforcer pending',
      'sw1 enforcer pending',
    ])
    expect(frozenAs({ customer: 'esthost' }, wanted)).toMatchObject({
      prefixes: ['203.0.113.9/32'],
      ports: suspendEsthost.ports,
      neighbors: suspendEsthost.neighbors,
    })
  })

  it('records the request, and each guard that was overridden', () => {
    const overrides = [{ guard: 'port_uplink', reason: 'agreed with the NOC' }]
    const verdicts = [
      {
        guard: 'port_uplink',
        verdict: 'overridden',
        message: '',
        hit: ['sw1:p1'],
        overridable: true,
      },
    ] as const
    const { records } = acceptWith({ decision: { ...aboutEsthost, overrides }, verdicts })

    expect(records.map(({ type }) => type)).toEqual([
      'enforcement.requested',
      'enforcement.overridden',
    ])
    expect(records[0]?.data).toMatchObject({
      action: 'suspend',
      subject: { customer: 'esthost' },
      category: 'phishing',
      reason: 'kits',
    })
    expect(records[1]?.data).toMatchObject({ reason: 'port_uplink: agreed with the NOC' })
  })
})

describe('the plan of a release', () => {
  const claim = held
  const releasing = (change: Partial<ReleaseInput>): Plan => {
    const inventory = change.inventory ?? isp()
    return planForRelease({
      id: 'p',
      now,
      enforcement: enforcement('a'),
      live: [enforcement('a')],
      wanted: [],
      claims: new Map(),
      inventory,
      lookup: createLookup(inventory),
      platforms: new Map([['toy', toy()]]),
      retired: new Map(),
      isShown: () => true,
      ...change,
    })
  }
  const linesOf = (plan: Plan) => plan.devices.flatMap(({ apply }) => apply.map(({ line }) => line))
  const later = enforcement('b', { acceptedAt: '2026-11-27T11:00:00.000Z' })

  it('lifts what is ours, and leaves alone what was there before us', () => {
    const plan = releasing({
      wanted: [want('a', 'edge1', host), want('a', 'edge1', port('p1'))],
      claims: new Map([['edge1', [claim(host)]]]),
    })

    expect(linesOf(plan)).toEqual(['configure', `lift ${keyOf(host)}`, 'end'])
    expect(plan.devices[0]?.undo.map(({ line }) => line)).toEqual([
      'configure',
      `apply ${keyOf(host)}`,
      'end',
    ])
    expect(plan.devices[0]?.save).toEqual([{ line: 'save ' }])
    expect(plan.devices[0]?.intents[1]?.note).toBe(
      'nothing of ours stands there: it is left as it is',
    )
    expect(plan).toMatchObject({ action: 'release', enforcement: 'a', guards: [], warnings: [] })
  })

  it('keeps what another enforcement wants, and names it', () => {
    const plan = releasing({
      live: [enforcement('a'), later],
      wanted: [want('a', 'edge1', host), want('b', 'edge1', host)],
      claims: new Map([['edge1', [claim(host)]]]),
    })

    expect(linesOf(plan)).toEqual([])
    expect(plan.devices[0]?.intents[0]?.note).toBe('stays: b wants it too')
    expect(plan.warnings).toEqual([
      {
        code: 'held_by_others',
        message: `stays in force for b: ${keyOf(host)}`,
        enforcements: ['b'],
      },
    ])
  })

  it('changes the object to what the next one wants, without lifting it in between', () => {
    const theirs = blackhole('203.0.113.9/32', 1)
    const plan = releasing({
      live: [enforcement('a'), later],
      wanted: [want('a', 'edge1', host), want('b', 'edge1', theirs)],
      claims: new Map([['edge1', [claim(host)]]]),
    })

    expect(linesOf(plan)).toEqual(['configure', `modify ${keyOf(host)}`, 'end'])
    expect(plan.devices[0]?.intents[0]?.note).toBe('changed to what b wants')
  })

  it('puts the part of a filter entry in place that another still wants', () => {
    const wide = acl('203.0.113.0/28')
    const part = acl('203.0.113.9/32')
    const plan = releasing({
      live: [enforcement('a'), later],
      wanted: [want('a', 'edge1', wide), want('b', 'edge1', part)],
      claims: new Map([['edge1', [claim(wide)]]]),
    })

    expect(linesOf(plan)).toEqual([
      'configure',
      `apply ${keyOf(part)}`,
      `lift ${keyOf(wide)}`,
      'end',
    ])
  })

  it('warns where an address is another customer’s by now', () => {
    const inventory = isp({
      customers: new Map([['newcomer', customer('newcomer', ['203.0.113.0/26'])]]),
    })
    const plan = releasing({ inventory, wanted: [want('a', 'edge1', host)] })

    expect(plan.warnings).toEqual([
      {
        code: 'another_customer',
        message: 'belongs to another customer by now: 203.0.113.9/32 (newcomer)',
      },
    ])
  })

  it('reaches a retired device as it was last known, and says so of one that nobody knows', () => {
    const rows = { wanted: [want('a', 'old1', host)], claims: new Map([['old1', [claim(host)]]]) }

    expect(
      linesOf(releasing({ ...rows, retired: new Map([['old1', device('old1', '10.20.0.99')]]) })),
    ).toEqual(['configure', `lift ${keyOf(host)}`, 'end'])
    expect(releasing(rows).devices[0]?.error?.code).toBe('unknown_device')
  })

  it('has no lines for those that only look on', () => {
    expect(
      releasing({ wanted: [want('a', 'edge1', host, { observer: true })] }).devices,
    ).toMatchObject([{ role: 'observer', apply: [] }])
  })
})
