// The eyes of the crash harness: each must see what it is there to see, and not see what isn't there.

import { describe, expect, it } from 'vitest'
import { chronicle, notShown, type Past, unwanted, wishOf } from '../crash/chronicle.ts'
import { objectsOf, type Placed } from '../crash/city.ts'
import { differences, union } from '../crash/expected.ts'
import type { Entry, Intended, Ledger } from '../crash/ledger.ts'
import { lineWatch } from '../crash/lines.ts'
import { believedIn, liarsAt, neverJudged, standingIn } from '../crash/lying.ts'
import { planner } from '../crash/plan.ts'
import { counter } from '../crash/points.ts'
import { shownRunning, shownSaved } from '../crash/shown.ts'
import type { Moment } from '../crash/watch.ts'

const route: Placed = { device: 'trigger1', name: 'route 203.0.113.9/32', detail: '666' }
const moment = (at: number, names: readonly string[], more: Partial<Moment> = {}): Moment => ({
  at,
  by: 'line',
  objects: new Set(names),
  ...more,
})
const ever = Number.POSITIVE_INFINITY

describe('what was said to be enforced', () => {
  const problems = (
    moments: readonly Moment[],
    past: Partial<Past> = {},
    span = { from: 100, to: 200 },
  ) =>
    notShown(span, [route], {
      pastOf: () => ({ moments, reboots: [], opened: [], ...past }),
      triggerReboots: [],
    })
  const there = [route.name]

  it.each<[string, readonly Moment[], Partial<Past>]>([
    ['shown all the while', [moment(0, []), moment(90, there)], {}],
    ['gone in the moment of its release', [moment(90, there), moment(200, [])], {}],
    ['taken away by a loss of power', [moment(90, there), moment(150, [], { by: 'reboot' })], {}],
    [
      'lost before it was said, by a loss of power that nobody could know of',
      [moment(90, there), moment(99, [], { by: 'reboot' })],
      { reboots: [99] },
    ],
  ])('is believed when it was %s', (_, moments, past) => {
    expect(problems(moments, past)).toEqual([])
  })

  it.each<[string, readonly Moment[], Partial<Past>]>([
    ['never shown', [moment(0, [])], {}],
    ['shown too late', [moment(0, []), moment(101, there)], {}],
    ['gone before', [moment(50, there), moment(99, [])], {}],
    [
      'gone in between, also for a moment',
      [moment(90, there), moment(150, []), moment(151, there)],
      {},
    ],
    [
      'lost by a loss of power after which it was spoken to',
      [moment(50, there), moment(80, [], { by: 'reboot' })],
      { reboots: [80], opened: [90] },
    ],
  ])('is a lie when it was %s', (_, moments, past) => {
    expect(problems(moments, past)).toHaveLength(1)
  })

  it('is true of a filter entry that a wider one covers, in its own direction only', () => {
    const entry = (way: string) => ({
      device: 'edge4',
      name: `${way} 203.0.113.6/32`,
      detail: '',
      filter: { way, prefix: '203.0.113.6/32' },
    })
    const pastOf = () => ({
      moments: [moment(0, ['acl-in 203.0.113.4/30'])],
      reboots: [],
      opened: [],
    })
    const about = { pastOf, triggerReboots: [] }
    const span = { from: 1, to: ever }
    expect(notShown(span, [entry('acl-in')], about)).toEqual([])
    expect(notShown(span, [entry('acl-out')], about)).toHaveLength(1)
  })
})

describe('what lines did', () => {
  const wanted = (from: number, to: number, due = true) =>
    new Map([[route.name, [{ asked: { from, to }, due: due ? [{ from, to }] : [] }]]])
  const came = [moment(0, []), moment(20_000, [route.name])]
  const went = [moment(0, [route.name]), moment(20_000, [])]

  it('is right when it was wanted, or when that was decided a moment ago', () => {
    expect(unwanted('trigger1', came, wanted(19_000, ever))).toEqual([])
    expect(unwanted('trigger1', came, wanted(1_000, 19_000))).toEqual([])
    expect(unwanted('trigger1', went, wanted(0, 19_000))).toEqual([])
    expect(unwanted('trigger1', went, wanted(19_000, ever))).toEqual([])
    expect(unwanted('trigger1', went, wanted(0, ever, false))).toEqual([])
  })

  it('is wrong when nobody wanted it, long before or now', () => {
    expect(unwanted('trigger1', came, new Map())).toHaveLength(1)
    expect(unwanted('trigger1', came, wanted(1_000, 2_000))).toHaveLength(1)
    expect(unwanted('trigger1', went, wanted(0, ever))).toHaveLength(1)
  })

  it('is wrong when an object goes that one decision after the other wanted', () => {
    const [one] = wanted(0, 18_000).get(route.name) ?? []
    const [other] = wanted(17_000, ever).get(route.name) ?? []
    const both = new Map([[route.name, [one, other].flatMap((wish) => wish ?? [])]])
    expect(unwanted('trigger1', went, both)).toHaveLength(1)
  })

  it('is no matter of wishes when a timer did it, or a loss of power, or what takes a refused line back', () => {
    const by = (more: Partial<Moment>) => [went[0] ?? moment(0, []), moment(20_000, [], more)]
    for (const more of [{ by: 'timer' }, { by: 'reboot' }, { purpose: 'rollback' }] as const) {
      expect(unwanted('trigger1', by(more), wanted(0, ever))).toEqual([])
    }
  })
})

describe('the times of an enforcement', () => {
  const entry = (at: number, type: string, data = {}): Entry => ({
    seq: at,
    type,
    at,
    enforcement: 'a',
    device: undefined,
    data,
  })

  it('are those of the log: in force until its release, enforced until anything else is said', () => {
    const story = chronicle()
    story.add([
      entry(1, 'enforcement.requested'),
      entry(2, 'enforcement.settled', { status: 'enforced' }),
    ])
    story.add([entry(3, 'enforcement.settled', { status: 'degraded' })])
    story.add([
      entry(4, 'enforcement.settled', { status: 'enforced' }),
      entry(6, 'enforcement.release_requested'),
    ])
    const times = story.times.get('a')
    expect(times).toEqual({
      inForce: { from: 1, to: 6 },
      enforced: [
        { from: 2, to: 3 },
        { from: 4, to: 6 },
      ],
    })
    expect(times && wishOf(times)).toEqual({ asked: { from: 1, to: 6 }, due: [{ from: 2, to: 6 }] })
    expect(story.requested.get('a')).toBe(1)
  })
})

describe('a line that a device receives', () => {
  const ledger = (steps: readonly Intended[]): Ledger =>
    ({ intended: (_: string, count: number) => steps.slice(0, count) }) as unknown as Ledger
  const step = (number: number, ...commands: string[]): Intended => ({
    step: number,
    purpose: 'change',
    commands,
  })
  const received = (watch: ReturnType<typeof lineWatch>, text: string, session = 1) =>
    watch.received({ device: 'trigger1', session, text, mode: 'config' }, 'frr')?.kind

  it('is fine when it reads or moves only, or when the newest step holds it, once and in its order', () => {
    const watch = lineWatch(
      ledger([step(2, 'configure terminal', 'ip route a', 'ip route b', 'end')]),
    )
    expect(received(watch, 'show running-config')).toBeUndefined()
    expect(received(watch, 'ip route a')).toBe('known')
    expect(received(watch, 'ip route b')).toBe('known')
    expect(received(watch, 'ip route b')).toBe('problem')
    expect(received(watch, 'ip route a')).toBe('problem')
  })

  it('is a problem when nothing durable holds it, or only a step before', () => {
    expect(received(lineWatch(ledger([])), 'ip route a')).toBe('problem')
    expect(
      received(lineWatch(ledger([step(2, 'ip route b'), step(1, 'ip route a')])), 'ip route a'),
    ).toBe('problem')
    expect(received(lineWatch(ledger([step(1, 'ip route a')])), 'write memory')).toBe('problem')
  })

  it('may be of an earlier step where its session is of an earlier life', () => {
    const watch = lineWatch(ledger([step(2, 'ip route b'), step(1, 'ip route a')]))
    received(watch, 'show running-config', 7)
    watch.reborn()
    expect(received(watch, 'ip route a', 7)).toBe('known')
    expect(received(watch, 'ip route a', 8)).toBe('problem')
  })
})

describe('what should be there', () => {
  it('is the union of all, the oldest saying what is said, over what the operator has', () => {
    const first = objectsOf({ kind: 'neighbor', place: 'edge1 192.0.2.66' }, 'T-1')
    const second = objectsOf({ kind: 'neighbor', place: 'edge1 192.0.2.66' }, 'T-2')
    const own = new Map([['edge1', new Map([['neighbor 192.0.2.67', 'his']])]])
    expect(union([first, second], own).get('edge1')).toEqual(
      new Map([
        ['neighbor 192.0.2.67', 'his'],
        ['neighbor 192.0.2.66', 'Blocked T-1'],
      ]),
    )
  })

  it('holds of filter entries the widest only, of routes all', () => {
    const wide = objectsOf({ kind: 'prefix', prefix: '203.0.113.4/30' }, 'T')
    const narrow = objectsOf({ kind: 'prefix', prefix: '203.0.113.6/32' }, 'T')
    const all = union([narrow, wide], new Map())
    expect([...(all.get('edge4')?.keys() ?? [])].filter((name) => name.startsWith('acl'))).toEqual([
      'acl-in 203.0.113.4/30',
      'acl-out 203.0.113.4/30',
    ])
    expect([...(all.get('trigger1')?.keys() ?? [])].toSorted()).toEqual([
      'route 203.0.113.4/30',
      'route 203.0.113.6/32',
    ])
  })

  it('differs by what is missing, what is too much and what says something else', () => {
    const expected = new Map([
      ['a', ''],
      ['b', 'one'],
    ])
    const found = new Map([
      ['b', 'two'],
      ['c', ''],
    ])
    expect(differences(expected, found)).toEqual([
      'a is missing',
      'c is there and should not be',
      'b says "two" and should say "one"',
    ])
  })
})

describe('what a device shows', () => {
  it.each([
    ['frr', 'ip route 203.0.113.9/32 blackhole tag 666\nhostname r\n', ['hostname r']],
    [
      'cisco_ios',
      'ip route 203.0.113.9 255.255.255.255 Null0 tag 666 name nullroute-1\nhostname r\n!\n',
      ['hostname r'],
    ],
    [
      'juniper_junos',
      'routing-options {\n static {\n route 203.0.113.9/32 {\n discard;\n tag 666;\n apply-macro nullroute;\n }\n }\n}\nsystem {\n host-name r;\n}\n',
      ['system host-name r'],
    ],
  ] as const)('on %s is its objects and the rest', (platform, text, rest) => {
    const shown = shownRunning(platform, text)
    expect(shown.objects).toEqual(new Map([['route 203.0.113.9/32', '666']]))
    expect(shown.rest).toEqual(rest)
  })

  it('on linux is its routes, sets and links, running and saved', () => {
    const running = [
      'blackhole 203.0.113.9 proto 223 ',
      'blackhole 203.0.113.8 proto bgp metric 20 ',
      'p1 down',
      '\tset src4 {',
      '\t\telements = { 203.0.113.0 comment "nullroute",',
      '\t\t\t     203.0.113.2/31 comment "nullroute" }',
    ].join('\n')
    const saved = [
      'route prepend blackhole 203.0.113.9/32 proto 223',
      'add element inet nullroute src4 { 203.0.113.0/32 comment "nullroute" }',
      'add element inet nullroute src4 { 203.0.113.2/31 comment "nullroute" }',
      'link set dev p1 down',
    ].join('\n')
    const objects = [
      'acl-in 203.0.113.0/32',
      'acl-in 203.0.113.2/31',
      'port p1',
      'route 203.0.113.9/32',
    ]
    expect([...shownRunning('linux', running).objects.keys()].toSorted()).toEqual(objects)
    expect([...shownSaved('linux', saved).objects.keys()].toSorted()).toEqual(objects)
  })

  it('counts what stands there twice, and takes half an object for none', () => {
    const line = 'blackhole 203.0.113.9 proto 223'
    expect(shownRunning('linux', `${line}\n${line}`).twice).toEqual(['route 203.0.113.9/32'])
    const half = 'routing-options {\n static {\n route 203.0.113.9/32 {\n discard;\n }\n }\n}\n'
    expect(shownRunning('juniper_junos', half).objects).toEqual(
      new Map([['route 203.0.113.9/32', 'only discard']]),
    )
  })
})

describe('a device that lies', () => {
  const key = 'blackhole|default|203.0.113.200/32'
  const lie = { device: 'trigger1', enforcement: 'ours', keys: new Set([key]) }
  const entry = (more: Partial<Entry>): Entry => ({
    seq: 7,
    type: 'device.verified',
    at: 0,
    enforcement: 'ours',
    device: 'trigger1',
    data: { intents: [{ key, verified: true }] },
    ...more,
  })
  const settled = { type: 'enforcement.settled', device: undefined, data: { status: 'enforced' } }

  it('is believed where the log says that it shows what it only took, or that all is enforced', () => {
    expect(believedIn([entry({})], lie)).toHaveLength(1)
    expect(believedIn([entry(settled)], lie)).toHaveLength(1)
  })

  it.each<[string, Partial<Entry>]>([
    ['it does not show it', { data: { intents: [{ key, verified: false }] } }],
    ['it shows something else', { data: { intents: [{ key: 'port|p1', verified: true }] } }],
    ['another one shows it', { device: 'trigger2' }],
    ['it is told of another decision', { enforcement: 'theirs' }],
    ['the decision is degraded', { ...settled, data: { status: 'degraded' } }],
  ])('is not believed where %s', (_, more) => {
    expect(believedIn([entry(more)], lie)).toEqual([])
  })

  it('stands as its own part of the enforcement does, not as what it is only read for', () => {
    const devices = [
      { device: 'edge1', role: 'observer', status: 'verified' },
      { device: 'edge1', role: 'enforcer', status: 'failed' },
    ]
    expect(standingIn({ status: 200, replayed: false, body: { devices } }, 'edge1')).toBe('failed')
    expect(standingIn(undefined, 'edge1')).toBeUndefined()
  })

  it('has its turn, whichever it is, and never while it lies about its save', () => {
    const liars = Array.from({ length: 12 }, (_, looks) => liarsAt(3, looks, 'core1'))
    expect(new Set(liars.flat())).toEqual(
      new Set(['trigger1', 'trigger2', 'core2', 'edge1', 'edge2', 'edge3', 'edge4']),
    )
    expect(liarsAt(3, 0, 'core1')).toEqual(liars[0])
  })

  it('must have been judged in a run of a hundred kills', () => {
    expect(neverJudged(100, 0)).toHaveLength(1)
    expect(neverJudged(100, 1)).toEqual([])
    expect(neverJudged(99, 0)).toEqual([])
  })
})

describe('the plan of a run', () => {
  const plans = (seed: number) => {
    const made = planner(seed)
    return Array.from({ length: 60 }, (_, at) => made.life(at + 1))
  }

  it('is the same for the same seed, and another for another', () => {
    expect(plans(7)).toEqual(plans(7))
    expect(plans(7)).not.toEqual(plans(8))
  })

  it('has decisions, releases and extensions, and every kind of kill and of trouble', () => {
    const all = [1, 2, 3, 4].flatMap(plans)
    const kinds = new Set(all.flatMap(({ actions }) => actions.map(({ kind }) => kind)))
    expect(kinds).toEqual(new Set(['decide', 'release', 'extend']))
    expect(new Set(all.map(({ kill }) => kill.at))).toEqual(
      new Set(['point', 'line', 'request', 'answer', 'time']),
    )
    const troubles = new Set(all.flatMap(({ troubles: some }) => some.map(({ kind }) => kind)))
    expect(troubles).toEqual(new Set(['fault', 'reboot', 'away', 'expire']))
  })

  it('ends a life at the pass that it names, of the points that it means', () => {
    const ended: string[] = []
    const pass = counter({ point: 'commit:after', pass: 2 }, (point) => ended.push(point))
    for (const point of [
      'commit:after a',
      'commit:afterwards',
      'commit:before',
      'commit:after b',
      'commit:after c',
    ])
      pass(point)
    expect(ended).toEqual(['commit:after b'])
  })
})
