import { describe, expect, it } from 'vitest'
import { keysUnderWay } from '../../agent/converge-pending.ts'
import { claimsAfter, orphansOf, statesOf, type Verdict } from '../../agent/converge-states.ts'
import { type Desired, decide, intentsToRead } from '../../agent/diff.ts'
import { type Intent, type Key, keyOf } from '../../agent/intents.ts'
import type { Found } from '../../agent/platform.ts'
import { parsePrefix } from '../../inventory/prefix.ts'

const prefix = (text: string) => {
  const parsed = parsePrefix(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
}
const route: Intent = {
  kind: 'blackhole',
  vrf: 'default',
  prefix: prefix('203.0.113.9/32'),
  tag: 666,
}

const found = (intent: Intent, part: Partial<Found>): Found => ({
  key: keyOf(intent),
  object: [],
  effect: 'none',
  mark: 'unmarkable',
  inForce: 'no',
  ...part,
})

function states(desired: Partial<Desired>, all: readonly Found[], part: Partial<Verdict> = {}) {
  const full = { wanted: [], expected: [], fading: [], claims: [], frozen: false, ...desired }
  const observation = {
    found: new Map(all.map((one) => [one.key, one])),
    marked: [],
    facts: {},
  }
  return statesOf({
    desired: full,
    observation,
    decisions: decide(full, observation),
    results: new Map(),
    written: new Map(),
    expired: new Set(),
    saves: true,
    ...part,
  })
}

describe('an effect that is waited for to go', () => {
  const expired = { expired: new Set([keyOf(route)]) }

  it('is not gone because its time is over', () => {
    const [state] = states({ fading: [route] }, [found(route, { inForce: 'yes' })], expired)

    expect(state).toMatchObject({
      outcome: 'failed',
      verified: false,
      error: { code: 'not_shown', message: expect.stringContaining('still has it in force') },
    })
  })

  it('is none of ours where the device has an object of its own, which is named', () => {
    const object = ['ip route 203.0.113.9 255.255.255.255 Null0']
    const [state] = states(
      { fading: [route] },
      [found(route, { inForce: 'yes', object, effect: 'same' })],
      expired,
    )

    expect(state).toMatchObject({ seen: 'foreign', verified: true })
    expect(state?.note).toContain(object[0])
  })

  it('is waited for where it was learnt, whatever object stands there that is not in force', () => {
    const object = ['ip route 203.0.113.9 255.255.255.255 198.51.100.5 250']
    const fading = { fading: [route] }
    const seen = found(route, { inForce: 'yes', object, effect: 'other', learnt: true })

    expect(states(fading, [seen])).toMatchObject([{ outcome: 'unknown', verified: false }])
    expect(states(fading, [seen], expired)).toMatchObject([
      { outcome: 'failed', verified: false, error: { code: 'not_shown' } },
    ])
  })
})

describe('an effect that does not show where its device is only read', () => {
  const expired = { expired: new Set([keyOf(route)]) }
  const missing = [found(route, {})]

  it('is no change that the device took: it was sent nothing', () => {
    const [state] = states({ expected: [route] }, missing, expired)

    expect(state).toMatchObject({
      outcome: 'failed',
      error: {
        code: 'not_shown',
        message: 'where it is announced it is in force, but this device has not learnt it',
        remedy: expect.stringContaining('nothing was sent to this device: look at BGP'),
      },
    })
  })

  it('is not said to have failed while others have yet to put it there', () => {
    const code = 'awaits_others' as const
    const error = { code, message: 'waits for trigger1, which is unreachable', remedy: 'see it' }
    const awaited = new Map([[keyOf(route), error]])
    const [state] = states({ expected: [route] }, missing, { ...expired, awaited })

    expect(state).toMatchObject({ outcome: 'unknown', verified: false, error })
  })
})

describe('what was ours and is gone', () => {
  const claim = { key: keyOf(route), intent: route, before: [], wrote: ['theirs'], step: 3 }

  it.each(['pending', 'held', 'lifting', 'lifted'] as const)(
    'was lifted, whoever took it away: the claim was %s, and nothing was sent',
    (phase) => {
      const [state] = states({ claims: [{ ...claim, phase }] }, [found(route, {})])

      expect(state).toMatchObject({ outcome: 'applied', seen: 'absent', verified: true })
    },
  )

  it('is nothing to lift where there never was a claim', () => {
    const [state] = states({ looked: [route] }, [found(route, {})])

    expect(state).toMatchObject({ outcome: 'already', seen: 'absent', verified: true })
  })
})

describe('a change that nobody saw the end of', () => {
  const claim = { key: keyOf(route), intent: route, before: [], wrote: ['ours'], step: 3 }
  const shown = found(route, { object: ['ours'], effect: 'same', inForce: 'yes' })
  const observe = (all: readonly Found[]) => ({
    found: new Map(all.map((one) => [one.key, one])),
    marked: [],
    facts: {},
  })
  const want = (claims: Desired['claims']): Desired => ({
    wanted: [route],
    expected: [],
    fading: [],
    claims,
    frozen: false,
  })

  it.each([
    [{ phase: 'pending' as const }, true],
    [{ phase: 'lifting' as const }, true],
    [{ phase: 'held' as const, replaces: ['was'] }, true],
    [{ phase: 'held' as const }, false],
    [{ phase: 'lifted' as const }, false],
  ])('is under way by its claim alone: %j is %s', (part, isUnderWay) => {
    const keys = keysUnderWay(want([{ ...claim, ...part }]), observe([shown]))

    expect(keys.has(claim.key)).toBe(isUnderWay)
  })

  it('takes along the keys that have no claim and stand by its object, and no other', () => {
    const acl = (direction: 'in' | 'out'): Intent => ({
      kind: 'acl',
      direction,
      prefix: prefix('203.0.113.9/32'),
    })
    const [into, out] = [acl('in'), acl('out')]
    const own = { ...claim, key: keyOf(into), intent: into, phase: 'pending' as const }
    const all = observe([shown, found(into, { element: 'e1' }), found(out, { element: 'e1' })])
    const other = { ...own, key: keyOf(out), intent: out, phase: 'held' as const }

    expect([...keysUnderWay(want([own]), all)]).toEqual([keyOf(into), keyOf(out)])
    expect([...keysUnderWay(want([own, other]), all)]).toEqual([keyOf(into)])
  })

  it.each([
    { phase: 'pending' as const, isWanted: true, seen: [shown] },
    { phase: 'lifting' as const, isWanted: false, seen: [found(route, {})] },
    {
      phase: 'lifting' as const,
      isWanted: false,
      stood: true as const,
      seen: [found(route, { inForce: 'yes' })],
    },
  ])(
    'is not verified and keeps its claim, whatever shows: $phase',
    ({ isWanted, seen, ...part }) => {
      const desired = {
        ...want([{ ...claim, ...part }]),
        ...(isWanted ? {} : { wanted: [] }),
      }
      const observation = observe(seen)
      const verdict = {
        desired,
        observation,
        decisions: decide(desired, observation),
        results: new Map(),
        written: new Map(),
        expired: new Set([claim.key]),
        saves: false,
      }
      const message = 'a commit waits'
      const refused = { kind: 'refused', code: 'not_confirmed', message } as const
      const below = { ...verdict, results: new Map([[claim.key, refused]]) }
      const aside = { ...verdict, underWay: keysUnderWay(desired, observation) }

      expect(statesOf(verdict)).toMatchObject([{ verified: true }])
      expect([...claimsAfter(verdict).keys()]).toEqual([claim.key])
      expect(statesOf(below)).toMatchObject([{ verified: false, error: { message } }])
      expect([...claimsAfter(below)]).toEqual([])
      expect(statesOf(aside)).toMatchObject([
        { outcome: 'unknown', verified: false, note: expect.stringContaining('under way') },
      ])
    },
  )
})

describe('what was lifted in the configuration, and is in force', () => {
  const claim = { key: keyOf(route), intent: route, before: [], wrote: ['ours'], step: 3 }
  const claims = [{ ...claim, phase: 'lifting' } as const]
  const behind = [found(route, { inForce: 'yes' })]

  it('is not gone yet, and its claim stays', () => {
    const desired = { wanted: [], expected: [], fading: [], claims, frozen: false }
    const observation = {
      found: new Map(behind.map((one) => [one.key, one])),
      marked: [],
      facts: {},
    }
    const [state] = states({ claims }, behind)
    const after = claimsAfter({
      desired,
      observation,
      decisions: decide(desired, observation),
      results: new Map(),
      written: new Map(),
      expired: new Set([keyOf(route)]),
      saves: true,
    })

    expect(state).toMatchObject({ outcome: 'unknown', seen: 'present', verified: false })
    expect(state?.note).toContain('not gone from the device yet')
    expect([...after]).toEqual([])
  })

  it('is not gone where it was not seen to be, and that is what is said in the end', () => {
    const unclear = [found(route, { inForce: 'unknown' })]
    const late = { expired: new Set([keyOf(route)]) }

    expect(states({ claims }, unclear)).toMatchObject([{ outcome: 'unknown', verified: false }])
    expect(states({ claims }, unclear, late)).toMatchObject([
      {
        outcome: 'failed',
        verified: false,
        error: { code: 'not_shown', message: expect.stringContaining('not seen to be gone') },
      },
    ])
  })

  it('is gone where a wider filter entry that is wanted goes on dropping it', () => {
    const acl = (text: string): Intent => ({ kind: 'acl', direction: 'in', prefix: prefix(text) })
    const [narrow, wide] = [acl('203.0.113.9/32'), acl('203.0.113.0/24')]
    const wideClaim = { key: keyOf(wide), intent: wide, before: [], wrote: ['wide'], step: 3 }
    const narrowClaim = { ...wideClaim, key: keyOf(narrow), intent: narrow, wrote: ['narrow'] }
    const all = [
      found(wide, { object: ['wide'], effect: 'same', mark: 'ours', inForce: 'yes' }),
      found(narrow, { mark: 'none', inForce: 'yes' }),
    ]
    const phases = [
      { ...wideClaim, phase: 'held' as const },
      { ...narrowClaim, phase: 'lifting' as const },
    ]

    const seen = states({ wanted: [wide], claims: phases }, all)

    expect(seen).toMatchObject([
      { key: keyOf(wide), outcome: 'applied', verified: true },
      { key: keyOf(narrow), outcome: 'applied', seen: 'absent', verified: true },
    ])
  })

  it('is let go in the end where something else had that effect before we came', () => {
    const before = found(route, { inForce: 'yes' })
    const nothing = { wanted: [], expected: [], fading: [], claims: [], frozen: false }
    const observation = { found: new Map([[before.key, before]]), marked: [], facts: {} }
    const [put] = decide({ ...nothing, wanted: [route] }, observation)
    expect(put).toMatchObject({ kind: 'change', stood: true })

    const desired = { ...nothing, claims: claims.map((one) => ({ ...one, stood: true as const })) }
    const decisions = decide(desired, observation)
    const rest = { desired, observation, decisions, results: new Map(), written: new Map() }
    const early = { ...rest, expired: new Set<typeof before.key>(), saves: false }
    const late = { ...early, expired: new Set([before.key]) }

    expect(statesOf(early)).toMatchObject([{ outcome: 'unknown', verified: false }])
    expect([...claimsAfter(early)]).toEqual([])
    expect(statesOf(late)).toMatchObject([{ outcome: 'applied', verified: true }])
    expect([...claimsAfter(late)]).toEqual([[before.key, null]])
    expect([...claimsAfter({ ...late, saves: true })]).toMatchObject([
      [before.key, { phase: 'lifted' }],
    ])
  })

  it('is not shown as lifted when its time is over', () => {
    const [state] = states({ claims }, behind, { expired: new Set([keyOf(route)]) })

    expect(state).toMatchObject({
      outcome: 'failed',
      seen: 'present',
      verified: false,
      error: {
        code: 'not_shown',
        message: 'lifted in the configuration, but the device still has it in force',
      },
    })
  })
})

describe('what a device says of why a prefix is not dropped', () => {
  const note = 'a route inside leads on: 203.0.113.9/32 via 192.0.2.66'

  it('is told while it is waited for, and when its time is over', () => {
    const inside = found(route, { inForce: 'no', note })
    const [waiting] = states({ expected: [route] }, [inside])
    const [over] = states({ expected: [route] }, [inside], { expired: new Set([keyOf(route)]) })

    expect(waiting?.note).toBe(`not in force yet: ${note}`)
    expect(over?.error?.message).toContain(note)
  })

  it('is told of what is in force too, where something was taken for granted', () => {
    const assumed = found(route, {
      inForce: 'yes',
      note: 'taken for granted: the list stands first',
    })
    const [state] = states({ expected: [route] }, [assumed])

    expect(state).toMatchObject({
      verified: true,
      note: 'taken for granted: the list stands first',
    })
  })
})

describe('what was lifted and saved', () => {
  const wrote = ['ip route 203.0.113.9/32 blackhole tag 666']
  const key = keyOf(route)
  const desired = { wanted: [], expected: [], fading: [], claims: [], frozen: false }
  const nothing = { found: new Map(), marked: [], facts: {} }
  const lifted = (back: boolean) => ({ ...desired, lifted: [{ key, intent: route, wrote, back }] })

  it('is in no read that decides', () => {
    expect(intentsToRead(lifted(true))).toEqual([])
  })

  it('is an orphan from when it was found back until it is looked for and not found', () => {
    expect(orphansOf(lifted(false), nothing)).toEqual([])
    expect(orphansOf(lifted(false), nothing, [{ key, object: wrote }])).toEqual([
      { key, object: wrote },
    ])
    expect(orphansOf(lifted(true), nothing)).toEqual([{ key, object: wrote }])
    expect(orphansOf(lifted(true), nothing, [])).toEqual([])
  })

  it('is one orphan where it carries a mark too', () => {
    const marked = found(route, { object: ['as it stands now'], mark: 'ours' })
    expect(orphansOf(lifted(true), { ...nothing, marked: [marked] })).toEqual([
      { key, object: ['as it stands now'] },
    ])
  })

  it('is none where it is claimed again, or a claim has the same element', () => {
    const claim = { key, intent: route, before: [], wrote, phase: 'held', step: 4 } as const
    expect(orphansOf({ ...lifted(true), claims: [claim] }, nothing)).toEqual([])
    const element = 'one line for both directions'
    const all = new Map([[key, found(route, { object: wrote, element })]])
    const other = { key: 'acl|out|203.0.113.9/32' as Key, object: wrote, element }
    const observation = { ...nothing, found: all }
    expect(orphansOf({ ...desired, claims: [claim] }, observation, [other])).toEqual([])
  })
})
