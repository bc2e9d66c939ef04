import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, type Decision, type Desired, decide } from '../../agent/diff.ts'
import { elementsIn } from '../../agent/elements.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Found, Observation } from '../../agent/platform.ts'
import { covers, parsePrefix, prefixFrom } from '../../inventory/prefix.ts'

const prefix = (text: string) => {
  const parsed = parsePrefix(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
}
const route = (text: string, tag = 666): Intent => ({
  kind: 'blackhole',
  vrf: 'default',
  prefix: prefix(text),
  tag,
})
const host = route('203.0.113.9/32')
const ours = ['ip route 203.0.113.9/32 blackhole tag 666']

const found = (intent: Intent, part: Partial<Found> = {}): Found => ({
  key: keyOf(intent),
  object: [],
  effect: 'none',
  mark: 'unmarkable',
  inForce: 'no',
  ...part,
})
const claim = (intent: Intent, part: Partial<Claim> = {}): Claim => ({
  key: keyOf(intent),
  intent,
  before: [],
  wrote: ours,
  phase: 'held',
  step: 1,
  ...part,
})

function decideOne(desired: Partial<Desired>, ...all: Found[]): Decision {
  const observation: Observation = {
    found: new Map(all.map((one) => [one.key, one])),
    marked: [],
    facts: {},
  }
  const full = { wanted: [], expected: [], fading: [], claims: [], frozen: false, ...desired }
  const [decision, ...rest] = decide(full, observation)
  if (decision === undefined || rest.length > 0) throw new Error('expected one decision')
  return decision
}

describe('an intent without a claim', () => {
  it('is put on where nothing stands', () => {
    const decision = decideOne({ wanted: [host] }, found(host))

    expect(decision).toMatchObject({ kind: 'change', change: { kind: 'apply' }, before: [] })
  })

  it('is already there where someone put the same, and is left alone', () => {
    const decision = decideOne(
      { wanted: [host] },
      found(host, { object: ours, effect: 'same', inForce: 'yes' }),
    )

    expect(decision).toMatchObject({ kind: 'settled', outcome: 'already', seen: 'foreign' })
  })

  it('is not there already where it could have been seen in force, and was not', () => {
    const unseen = found(host, { object: ours, effect: 'same', inForce: 'unknown' })

    expect(decideOne({ wanted: [host] }, unseen)).toMatchObject({ kind: 'waiting' })
    expect(decideOne({ wanted: [host], claims: [claim(host)] }, unseen)).toMatchObject({
      kind: 'waiting',
    })
    expect(decideOne({ wanted: [host] }, { ...unseen, cannotTell: true })).toMatchObject({
      kind: 'settled',
    })
  })

  it('that fades is not gone until that was seen', () => {
    const unseen = found(host, { inForce: 'unknown' })

    expect(decideOne({ fading: [host] }, unseen)).toMatchObject({ kind: 'waiting' })
  })

  it('is refused where someone put something else, naming the line', () => {
    const theirs = 'ip route 203.0.113.9/32 10.0.0.1'
    const decision = decideOne(
      { wanted: [host] },
      found(host, { object: [theirs], effect: 'other' }),
    )

    expect(decision).toMatchObject({ kind: 'refused', stop: { code: 'foreign_object' } })
    expect(JSON.stringify(decision)).toContain(theirs)
  })

  it('is refused where an orphan leaves no room, and put on where that is ours', () => {
    const narrow = route('203.0.113.9/32')
    const wide = route('203.0.113.0/24')
    const inTheWay = [{ key: keyOf(narrow), object: 'add element dst4 { 203.0.113.9/32 }' }]
    const crowded = found(wide, { inTheWay })

    const refused = decideOne({ wanted: [wide] }, crowded)
    expect(refused).toMatchObject({ kind: 'refused', stop: { code: 'foreign_object' } })
    expect(JSON.stringify(refused)).toContain(`device adopt\` and the key ${keyOf(narrow)}`)

    const desired = { wanted: [wide], expected: [], fading: [], frozen: false }
    const there = found(narrow, { object: ours, mark: 'ours' })
    const all = new Map([crowded, there].map((one) => [one.key, one]))
    const observation = { found: all, marked: [], facts: {} }
    expect(decide({ ...desired, claims: [claim(narrow)] }, observation)).toMatchObject([
      { kind: 'change', change: { kind: 'apply' } },
      { kind: 'change', change: { kind: 'lift' } },
    ])
  })

  it('is not sent where the platform says why not', () => {
    const stop = { code: 'not_prepared', message: 'no table', remedy: 'prepare it' } as const
    const decision = decideOne({ wanted: [host] }, found(host, { stop }))

    expect(decision).toMatchObject({ kind: 'refused', stop })
  })
})

describe('a held object', () => {
  it('is settled once it shows and is in force, and waits until then', () => {
    const there = found(host, { object: ours, effect: 'same' })

    expect(
      decideOne({ wanted: [host], claims: [claim(host)] }, { ...there, inForce: 'yes' }),
    ).toMatchObject({ kind: 'settled', outcome: 'applied', seen: 'present' })
    expect(decideOne({ wanted: [host], claims: [claim(host)] }, there)).toMatchObject({
      kind: 'waiting',
    })
  })

  it('is put back when it has gone, and keeps what was there before', () => {
    const before = ['an older line']
    const decision = decideOne({ wanted: [host], claims: [claim(host, { before })] }, found(host))

    expect(decision).toMatchObject({ kind: 'change', change: { kind: 'apply' }, before })
  })

  it('is changed in one change when its attributes are another enforcement’s now', () => {
    const decision = decideOne(
      { wanted: [route('203.0.113.9/32', 777)], claims: [claim(host)] },
      found(host, { object: ours, effect: 'other', inForce: 'yes' }),
    )

    expect(decision).toMatchObject({ kind: 'change', change: { kind: 'modify', from: ours } })
  })

  it('is still ours when a change of attributes was cut off half way', () => {
    const next = route('203.0.113.9/32', 777)
    const decision = decideOne(
      {
        wanted: [next],
        claims: [claim(next, { phase: 'pending', wrote: ['new'], replaces: ours })],
      },
      found(host, { object: ours, effect: 'other' }),
    )

    expect(decision).toMatchObject({ kind: 'change', change: { kind: 'modify' } })
  })

  it('is never overwritten when someone changed it', () => {
    const decision = decideOne(
      { wanted: [host], claims: [claim(host)] },
      found(host, { object: ['theirs'], effect: 'other' }),
    )

    expect(decision).toMatchObject({ kind: 'refused', stop: { code: 'foreign_change' } })
  })

  it('is lifted when nobody wants it any more, to what was there before', () => {
    const decision = decideOne(
      { claims: [claim(host)] },
      found(host, { object: ours, effect: 'same', inForce: 'yes' }),
    )

    expect(decision).toMatchObject({ kind: 'change', change: { kind: 'lift', before: [] } })
  })

  it('is left alone at release when someone changed it, and says so', () => {
    const decision = decideOne(
      { claims: [claim(host)] },
      found(host, { object: ['theirs'], effect: 'other' }),
    )

    expect(decision).toMatchObject({
      kind: 'lifted',
      seen: 'foreign',
      note: expect.stringContaining('theirs'),
    })
  })

  it.each(['not_prepared', 'ambiguous', 'locked', 'timer_pending'] as const)(
    'is not taken for gone when it can not be read: %s',
    (code) => {
      const stop = { code, message: 'm', remedy: 'r' }
      const decision = decideOne({ claims: [claim(host)] }, found(host, { stop }))

      expect(decision).toMatchObject({ kind: 'refused', seen: 'unknown', stop })
    },
  )

  it.each(['yes', 'partly'] as const)(
    'is not taken for gone while it is in force (%s), whatever the configuration shows',
    (inForce) => {
      const there = found(host, { inForce })

      expect(decideOne({ claims: [claim(host)] }, there)).toMatchObject({
        kind: 'refused',
        seen: 'unknown',
        stop: { code: 'unknown_output' },
      })
    },
  )

  it('is gone with what it stood on', () => {
    const stop = { code: 'no_such_object', message: 'no such port', remedy: 'r' } as const

    expect(decideOne({ claims: [claim(host)] }, found(host, { stop }))).toMatchObject({
      kind: 'lifted',
      seen: 'absent',
    })
  })

  it('is lifted again when a reboot brings an unsaved removal back', () => {
    const decision = decideOne(
      { claims: [claim(host, { phase: 'lifted' })] },
      found(host, { object: ours, effect: 'same' }),
    )

    expect(decision).toMatchObject({ kind: 'change', change: { kind: 'lift' } })
  })

  it('is not ours without the mark, where the platform has one', () => {
    const decision = decideOne(
      { claims: [claim(host)] },
      found(host, { object: ours, effect: 'same', mark: 'none' }),
    )

    expect(decision).toMatchObject({
      kind: 'lifted',
      seen: 'foreign',
      note: expect.stringContaining('left alone'),
    })
  })
})

describe('an object that is being lifted', () => {
  const leaving = { claims: [claim(host, { phase: 'lifting' })] }

  it.each(['yes', 'partly'] as const)(
    'is waited for while its line is gone and the device still has it in force (%s)',
    (inForce) => {
      const behind = found(host, { inForce })

      for (const phase of ['lifting', 'pending'] as const) {
        expect(decideOne({ claims: [claim(host, { phase })] }, behind)).toMatchObject({
          kind: 'waiting',
          seen: 'present',
        })
      }
    },
  )

  it('is gone once it is not in force any more', () => {
    expect(decideOne(leaving, found(host))).toMatchObject({ kind: 'lifted', seen: 'absent' })
  })

  it('is not waited for again where its end was seen and only has to be saved', () => {
    const learnt = found(host, { inForce: 'yes' })

    expect(decideOne({ claims: [claim(host, { phase: 'lifted' })] }, learnt).kind).toBe('lifted')
  })

  it('is not waited for where others are to bring the same effect there', () => {
    const learnt = found(host, { inForce: 'yes' })

    expect(decideOne({ ...leaving, expected: [host] }, learnt).kind).toBe('lifted')
  })

  it('is not waited for where something that has a name does the same', () => {
    const own = found(host, { object: ['theirs'], effect: 'same', inForce: 'yes' })

    expect(decideOne(leaving, own)).toMatchObject({ kind: 'lifted', seen: 'foreign' })
    expect(decideOne(leaving, { ...own, object: [] }).kind).toBe('lifted')
  })

  it('is not somebody’s for a state that no line of the configuration has made', () => {
    const state = found(host, {
      object: ['down'],
      effect: 'same',
      inForce: 'yes',
      noLine: true,
    })

    expect(decideOne(leaving, state)).toMatchObject({ kind: 'waiting', seen: 'present' })
  })

  it('is not waited for, but refused, where it can not be read', () => {
    const stop = { code: 'ambiguous', message: 'm', remedy: 'r' } as const

    expect(decideOne(leaving, found(host, { inForce: 'yes', stop }))).toMatchObject({
      kind: 'refused',
      stop,
    })
  })

  it('is lifted again where its line still stands', () => {
    const there = found(host, { object: ours, effect: 'same', inForce: 'yes' })

    expect(decideOne(leaving, there)).toMatchObject({ kind: 'change', change: { kind: 'lift' } })
  })
})

describe('an object in two parts, of which a step that was cut off left one', () => {
  const parts = ['add element inet', 'add element bridge']
  const [, second = ''] = parts
  const half = found(host, { object: [second], mark: 'ours' })

  it('is ours: what is missing is added, and nothing of it counts as there before', () => {
    const decision = decideOne(
      { wanted: [host], claims: [claim(host, { wrote: parts, phase: 'pending' })] },
      half,
    )

    const change = { kind: 'modify', from: [second] }
    expect(decision).toMatchObject({ kind: 'change', change, before: [] })
  })

  it.each([
    ['was cut off', 'lifting'],
    ['was done, and a restart brought back what was saved in its middle', 'lifted'],
  ] as const)('is lifted by what is left of it where its lift %s', (_, phase) => {
    const decision = decideOne({ claims: [claim(host, { wrote: parts, phase })] }, half)

    const change = { kind: 'lift', before: [], wrote: [second] }
    expect(decision).toMatchObject({ kind: 'change', change })
  })

  it('is somebody’s where no step of ours was under way', () => {
    const decision = decideOne({ claims: [claim(host, { wrote: parts })] }, half)

    expect(decision).toMatchObject({ kind: 'lifted', seen: 'foreign' })
  })

  it('is not ours as far as it was there before', () => {
    const held = claim(host, { before: [second], wrote: parts, phase: 'lifting' })

    expect(decideOne({ claims: [held] }, half)).toMatchObject({ kind: 'lifted', seen: 'absent' })
  })
})

describe('an observer', () => {
  it('waits for the effect, whatever brings it', () => {
    expect(decideOne({ expected: [host] }, found(host))).toMatchObject({ kind: 'waiting' })
    expect(decideOne({ expected: [host] }, found(host, { inForce: 'yes' }))).toMatchObject({
      kind: 'settled',
    })
  })

  it.each([
    ['partly', 'present'],
    ['unknown', 'absent'],
  ] as const)('waits for the whole effect: what is in force %s is not', (inForce, seen) => {
    expect(decideOne({ expected: [host] }, found(host, { inForce }))).toMatchObject({
      kind: 'waiting',
      seen,
    })
  })

  it.each(['yes', 'partly', 'unknown'] as const)(
    'waits for the effect to go at release: what is in force (%s) has not',
    (inForce) => {
      expect(decideOne({ fading: [host] }, found(host, { inForce }))).toMatchObject({
        kind: 'waiting',
      })
    },
  )

  it('is through at release once nothing is in force', () => {
    expect(decideOne({ fading: [host] }, found(host))).toMatchObject({ kind: 'lifted' })
    expect(decideOne({ looked: [host] }, found(host))).toMatchObject({
      kind: 'lifted',
      seen: 'absent',
    })
    const theirs = found(host, { object: ['theirs'], effect: 'same', inForce: 'yes' })
    expect(decideOne({ looked: [host] }, theirs)).toMatchObject({
      kind: 'lifted',
      seen: 'foreign',
      note: 'not ours, and left alone: theirs',
    })
  })
})

describe('filters hold maximal prefixes', () => {
  const acl = (text: string, direction: 'in' | 'out' = 'in'): Intent => ({
    kind: 'acl',
    prefix: prefix(text),
    direction,
  })

  it('an entry is covered by a wider one of the same direction only', () => {
    const wide = acl('203.0.113.0/24')
    const narrow = acl('203.0.113.9/32')
    const other = acl('203.0.113.9/32', 'out')

    expect(elementsIn([narrow, wide, other])(narrow)).toBe(wide)
    expect(elementsIn([narrow, wide, other])(other)).toBe(other)
  })

  it('of any set the widest that covers an entry stands for it, as looking at each one finds', () => {
    const low = fc.tuple(fc.nat(255), fc.integer({ min: 24, max: 32 }))
    const one = fc
      .tuple(low, fc.constantFrom('in' as const, 'out' as const), fc.boolean())
      .map(([[last, length], direction, isIpv6]) =>
        isIpv6
          ? acl(`${prefixFrom(6, (0x20010db8n << 96n) + BigInt(last), 96 + length)}`, direction)
          : acl(`${prefixFrom(4, 0xcb007100n + BigInt(last), length)}`, direction),
      )
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), one, (wanted, asked) => {
        const covering = wanted.filter(
          (other) =>
            other.kind === 'acl' &&
            asked.kind === 'acl' &&
            other.direction === asked.direction &&
            other.prefix !== asked.prefix &&
            covers(other.prefix, asked.prefix),
        )
        const widest = covering.find((outer) =>
          covering.every(
            (inner) =>
              outer.kind === 'acl' && inner.kind === 'acl' && covers(outer.prefix, inner.prefix),
          ),
        )
        expect(elementsIn(wanted)(asked)).toBe(widest ?? asked)
      }),
    )
  })

  const deciding = (all: readonly Found[], wanted: readonly Intent[], claims: readonly Claim[]) =>
    decide(
      { wanted, expected: [], fading: [], claims, frozen: false },
      { found: new Map(all.map((one) => [one.key, one])), marked: [], facts: {} },
    )
  const outer = acl('203.0.113.128/25')
  const inner = acl('203.0.113.129/32')
  const innerClaim = claim(inner, { wrote: ['e'] })
  const innerThere = found(inner, { object: ['e'], effect: 'same', inForce: 'yes' })

  it('the narrower entry goes once the wider one is in force, and not before', () => {
    const outerClaim = claim(outer, { wrote: ['o'] })
    const there = { object: ['o'], effect: 'same' } as const
    const lift = (part: Partial<Found>) =>
      deciding([found(outer, part), innerThere], [inner, outer], [innerClaim, outerClaim]).at(1)

    expect(lift({})).toMatchObject({ change: { kind: 'lift' }, after: keyOf(outer) })
    expect(lift({ ...there, inForce: 'no' })).toMatchObject({ after: keyOf(outer) })
    const free = lift({ ...there, inForce: 'yes' })
    expect(free).toMatchObject({ change: { kind: 'lift' } })
    expect(free).not.toHaveProperty('after')
  })

  it('the narrower entry goes at once when nobody wants it any more', () => {
    const [, lift] = deciding([found(outer), innerThere], [outer], [innerClaim])
    expect(lift).toMatchObject({ change: { kind: 'lift' } })
    expect(lift).not.toHaveProperty('after')
  })

  it('a wider entry that is refused covers nothing', () => {
    const refused = found(outer, { object: ['theirs'], effect: 'other' })
    expect(deciding([refused, innerThere], [inner, outer], [innerClaim])).toMatchObject([
      { kind: 'refused' },
      { kind: 'settled', seen: 'present' },
    ])
    expect(deciding([refused, found(inner)], [inner, outer], [])).toMatchObject([
      { kind: 'refused' },
      { kind: 'change', change: { kind: 'apply', intent: inner } },
    ])
  })

  it('the narrower entry is lifted when a wider one comes', () => {
    const wide = acl('203.0.113.0/24')
    const narrow = acl('203.0.113.9/32')
    const decisions = decide(
      {
        wanted: [narrow, wide],
        expected: [],
        fading: [],
        claims: [claim(narrow, { wrote: ['e'] })],
        frozen: false,
      },
      {
        found: new Map([
          [keyOf(wide), found(wide)],
          [keyOf(narrow), found(narrow, { object: ['e'], effect: 'same' })],
        ]),
        marked: [],
        facts: {},
      },
    )

    expect(decisions.map((one) => one.kind === 'change' && one.change.kind)).toEqual([
      'apply',
      'lift',
    ])
  })
})
