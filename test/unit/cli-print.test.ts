// What the program prints and takes: values as text, flags as values, plans and enforcements in plain words.

import fc from 'fast-check'
import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import type { EnforcementView, LookupView, PlanView } from '../../controller/api/schema.ts'
import { answered } from '../../controller/cli/later.ts'
import { printLookup } from '../../controller/cli/lookup.ts'
import {
  collectEvidence,
  collectOverride,
  isUlid,
  parseCount,
  parseDuration,
  parseExpiry,
  parsePlace,
  parseTime,
} from '../../controller/cli/options.ts'
import {
  count,
  cut,
  duration,
  fields,
  moment,
  type Style,
  some,
  styleFor,
  table,
  time,
} from '../../controller/cli/print.ts'
import { printDevice } from '../../controller/cli/print-device.ts'
import {
  enforcementTable,
  eyeCatchers,
  printEnforcement,
  statusLine,
} from '../../controller/cli/print-enforcement.ts'
import { printPlan } from '../../controller/cli/print-plan.ts'
import { deviceView } from './device-view.ts'

const plain: Style = { colours: picocolors.createColors(false), columns: 100 }
const now = new Date('2026-11-27T12:00:00.000Z')

describe('values', () => {
  it.each([
    [0, '0.0 s'],
    [640, '0.6 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [119_499, '119 s'],
    [119_500, '2 min'],
    [7_140_000, '119 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
    [1_209_600_000, '14 d'],
  ])('says %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it('says times in UTC without their milliseconds, and how far they are', () => {
    expect(time('2026-11-27T10:00:00.000Z')).toBe('2026-11-27 10:00:00Z')
    expect(time(undefined)).toBe('-')
    expect(moment('2026-12-11T12:00:00.000Z', now)).toBe('2026-12-11 12:00:00Z (in 14 d)')
    expect(moment('2026-11-27T11:59:48.000Z', now)).toBe('2026-11-27 11:59:48Z (12 s ago)')
  })

  it('counts in one and in many', () => {
    expect(count(1, 'device')).toBe('1 device')
    expect(count(0, 'device')).toBe('0 devices')
    expect(count('1208925819614629174706176', 'IPv6 /64')).toBe(
      '1,208,925,819,614,629,174,706,176 IPv6 /64s',
    )
    expect(some(['a', 'b', 'c'], 2)).toBe('a, b and 1 more')
  })

  it('cuts a line to any width', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (text, columns) => {
        expect(cut(text, columns).length).toBeLessThanOrEqual(columns)
      }),
    )
  })

  it('has no colours but on a terminal that wants them, and no blanks at the end of a line', () => {
    const terminal = { isTTY: true, columns: 40 }

    expect(styleFor(terminal, {}).colours.red('x')).not.toBe('x')
    expect(styleFor(terminal, { NO_COLOR: '1' }).colours.red('x')).toBe('x')
    expect(styleFor({}, {}).colours.red('x')).toBe('x')
    expect(
      table(
        plain,
        ['A', 'LONG'],
        [
          ['aaa', 'b'],
          ['c', ''],
        ],
      ),
    ).toBe('A    LONG\naaa  b\nc')
    expect(
      fields(plain, [
        ['a', 'x\ny'],
        ['bcd', undefined],
        ['e', 'z'],
      ]),
    ).toBe('a  x\n   y\ne  z')
  })
})

describe('flags', () => {
  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['14d', 1_209_600_000],
    ['2w', 1_209_600_000],
  ])('takes %s as a time span', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '0d', '14', 'd', '-1d', '1.5h', '14 d', '1y', '14dd', '1234567d'])(
    'does not take "%s" as a time span',
    (text) => {
      expect(() => parseDuration(text)).toThrow('expected a time span')
    },
  )

  it.each([
    ['2026-12-07', '2026-12-07T00:00:00.000Z'],
    ['2026-12-07T01:00:00+01:00', '2026-12-07T00:00:00.000Z'],
    ['2026-12-07 00:00Z', '2026-12-07T00:00:00.000Z'],
    ['2026-12-07T00:00:00.5Z', '2026-12-07T00:00:00.500Z'],
  ])('takes %s as a time', (text, at) => {
    expect(parseTime(text)).toBe(at)
    expect(parseExpiry(text)).toEqual({ kind: 'at', time: at })
  })

  it.each(['soon', '2026-13-01', '2026-12-07T00:00:00', '12/07/2026', '1765065600', ''])(
    'does not take "%s" as a time: a zone must be named',
    (text) => {
      expect(() => parseTime(text)).toThrow('expected a time span')
    },
  )

  it('takes any time that it writes itself', () => {
    const anyTime = fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(anyTime, (date) => {
        expect(parseTime(date.toISOString())).toBe(date.toISOString())
      }),
    )
  })

  it('parts device and place at the first colon', () => {
    expect(parsePlace('sw1.ams:Gi1/0/3')).toEqual({ device: 'sw1.ams', rest: 'Gi1/0/3' })
    expect(parsePlace('edge1:2001:db8::9')).toEqual({ device: 'edge1', rest: '2001:db8::9' })
    for (const text of ['sw1', ':p1', 'sw1:', ''])
      expect(() => parsePlace(text)).toThrow('expected')
  })

  it('takes overrides with their reasons only', () => {
    const first = collectOverride('hour_budget=agreed = yes')

    expect(collectOverride('prefix_length=x', first)).toEqual([
      { guard: 'hour_budget', reason: 'agreed = yes' },
      { guard: 'prefix_length', reason: 'x' },
    ])
    for (const text of ['hour_budget', 'hour_budget=', '=x', 'hour_budget= '])
      expect(() => collectOverride(text)).toThrow('expected GUARD=REASON')
  })

  it('takes evidence with the SHA-256 of what lies there, in either case, and keeps any other fragment', () => {
    const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
    const first = collectEvidence(`https://desk.example/kit.zip#sha256=${sha256.toUpperCase()}`)

    expect(collectEvidence('https://desk.example/case#page=2', first)).toEqual([
      { url: 'https://desk.example/kit.zip', sha256 },
      { url: 'https://desk.example/case#page=2' },
    ])
    for (const hex of ['', sha256.slice(1), `${sha256}0`, sha256.replace('9', 'g')])
      expect(() => collectEvidence(`https://desk.example/#sha256=${hex}`)).toThrow(
        `found ${hex.length} characters`,
      )
  })

  it('tells ids from names, and counts within bounds', () => {
    expect(isUlid('01M8EB7EBEH238N6GHHQVXD11Z')).toBe(true)
    expect(isUlid('esthost')).toBe(false)
    expect(parseCount(10)('10')).toBe(10)
    for (const text of ['0', '11', '1.5', 'x', '-1', ''])
      expect(() => parseCount(10)(text)).toThrow()
  })
})

type Read = PlanView['devices'][number]

const plan: PlanView = {
  id: '01M8EB7EBEH238N6GHHQVXD11Z',
  createdAt: '2026-11-27T12:00:00.000Z',
  action: 'block',
  decision: {
    action: 'block',
    subject: { prefix: '203.0.113.10/32' },
    reason: { category: 'phishing', summary: 'kits', ticket: 'T-1', evidence: [] },
    playbook: 'block',
    automated: false,
    override: [],
  },
  customer: 'esthost',
  playbook: { name: 'block', sha256: 'aa' },
  expiresAt: '2026-12-11T12:00:00.000Z',
  rollout: { canary: 1, batch: 50, stopAfterFailures: 1 },
  approvals: 0,
  digest: 'd13a',
  guards: [{ guard: 'never_cut', verdict: 'pass', message: 'passed', overridable: false }],
  blastRadius: {
    customers: ['esthost'],
    ipv4Addresses: '1',
    ipv6Slash64: '0',
    prefixes: ['203.0.113.10/32'],
    ports: [],
    neighbors: [],
    devices: ['edge1'],
  },
  devices: [
    {
      device: 'edge1',
      platform: 'cisco_ios',
      role: 'enforcer',
      intents: [],
      apply: [{ line: 'router bgp <asn>', needs: 'device' }, { line: ' shutdown' }],
      undo: [{ line: ' no shutdown' }],
      save: [{ line: 'cat >state <<EOF\nroute\nEOF' }],
      transaction: 'each line is live when typed',
      notes: ['saved afterwards'],
      diff: '[edit]\n+ route x;',
    },
  ],
  leftOut: [],
  empty: [],
  notCovered: ['port sw1:p1'],
  warnings: [{ code: 'outbound_not_stopped', message: 'nothing stops traffic from esthost' }],
}

describe('a plan', () => {
  it('shows each line as it would be sent, blanks included, and marks those that only the device can fill', () => {
    const text = printPlan(plain, plan, 'nullroute block --plan X --digest Y')

    expect(text).toContain('Plan: block 203.0.113.10 of esthost')
    expect(text).toContain('2026-12-11 12:00:00Z, 14 d from now')
    expect(text).toContain(
      '      router bgp <asn>   <- filled in from the device; --online shows it\n',
    )
    expect(text).toContain(
      [
        '       shutdown',
        '    then saved with',
        '      cat >state <<EOF',
        '      route',
        '      EOF',
        '    takes them back',
        '       no shutdown\n',
      ].join('\n'),
    )
    expect(text).toContain('      [edit]\n      + route x;')
    expect(text).toContain('not covered by any measure: port sw1:p1')
    expect(text).toContain('warning outbound_not_stopped')
    expect(text).toMatch(/To enforce exactly this plan:\n {2}nullroute block --plan X --digest Y$/)
  })

  it('offers no way on when it is refused, and says what passes an override', () => {
    const refused: PlanView = {
      ...plan,
      guards: [
        { guard: 'hour_budget', verdict: 'refuse', message: '201 of 200', overridable: true },
        {
          guard: 'prefix_length',
          verdict: 'overridden',
          message: 'overridden (ok)',
          overridable: true,
        },
      ],
      refused: { code: 'guard_refused', message: 'hour_budget: 201 of 200' },
    }
    const text = printPlan(plain, refused, undefined)

    expect(text).toContain('refused hour_budget: 201 of 200')
    expect(text).toContain('overridden prefix_length: overridden (ok)')
    expect(text).toMatch(/Refused: nothing was touched, and nothing would be\.$/)
  })

  it.each([
    [['b'], [], 'nothing: all of it stays cut off by b'],
    [[], [], 'nothing: it cut nothing off'],
    [['b'], ['esthost'], 'not everything: a part stays cut off by b'],
  ])('says of a release, with %j keeping it and %j coming back: %s', (keptBy, customers, words) => {
    const blast = { ...plan.blastRadius, customers }
    const release: PlanView = { ...plan, action: 'release', keptBy, blastRadius: blast }

    const [, shown = ''] = printPlan(plain, release, undefined).split('What comes back\n')
    expect(shown.split('\n\n')[0]).toContain(words)
  })

  it('says of a device that is only read what a release waits for there, without what others keep', () => {
    const intentOf = (prefix: string, keptBy?: string[]): Read['intents'][number] => ({
      key: `blackhole|default|${prefix}`,
      kind: 'blackhole',
      intent: { kind: 'blackhole', vrf: 'default', prefix, tag: 666 },
      ...(keptBy === undefined ? {} : { keptBy }),
    })
    const reading = (...intents: Read['intents']) => {
      const silent = { apply: [], undo: [], transaction: 'read only', notes: [] }
      const device: Read = {
        device: 'edge1',
        platform: 'frr',
        role: 'observer',
        intents,
        ...silent,
      }
      return printPlan(plain, { ...plan, action: 'release', devices: [device] }, undefined)
    }

    const kept = intentOf('203.0.113.9/32', ['b'])
    expect(reading(intentOf('203.0.113.8/32'), kept)).toContain(
      'until it no longer discards 203.0.113.8/32\n',
    )
    expect(reading(kept)).toContain('edge1  frr, nothing to wait for')
  })
})

const enforcement: EnforcementView = {
  id: '01M8EB7EBEH238N6GHHQVXD11Z',
  status: 'degraded',
  action: 'suspend',
  customer: 'esthost',
  decision: {
    action: 'suspend',
    subject: { customer: 'esthost' },
    reason: { category: 'spam', summary: 'relay', evidence: [{ url: 'https://desk.example/1' }] },
    playbook: 'suspend',
    automated: false,
    override: [],
  },
  playbook: { name: 'suspend', sha256: 'aa' },
  digest: 'd13a',
  requestedBy: { kind: 'token', id: 'T', name: 'desk' },
  requestedByPerson: 'ada@isp.example',
  acceptedAt: '2026-11-27T11:00:00.000Z',
  updatedAt: '2026-11-27T11:00:10.000Z',
  approvals: { needed: 0, given: [] },
  rollout: { canary: 1, batch: 50, stopAfterFailures: 1, stoppedBy: 'sw1' },
  onFailure: 'keep',
  devices: [
    {
      device: 'sw1',
      role: 'enforcer',
      status: 'failed',
      intents: [{ key: 'port|p1', kind: 'port', outcome: 'failed' }],
      error: { code: 'not_verified', message: 'p1 is still up', remedy: 'look at p1' },
      attempts: 1,
    },
  ],
  overdue: true,
  held: 'freeze',
  unsaved: ['edge1'],
  conflicts: [{ kind: 'taken_away', object: '203.0.113.0/26' }],
  warnings: [{ code: 'already_in_force', message: 'so it is' }],
  version: 3,
}

describe('an enforcement', () => {
  it('shows each device with its error and what to do', () => {
    const text = printEnforcement(plain, enforcement, now)

    expect(text).toContain('suspend esthost  degraded')
    expect(text).toContain('ada@isp.example (desk)')
    expect(text).toContain('https://desk.example/1')
    expect(text).toMatch(/sw1 +enforcer +failed +1 failed/)
    expect(text).toContain('sw1: p1 is still up\n    do: look at p1')
  })

  it('names all that needs an eye, each with what to do', () => {
    expect(eyeCatchers(enforcement, now)).toEqual([
      expect.stringContaining('overdue'),
      expect.stringContaining('nullroute unfreeze'),
      expect.stringContaining('the roll-out stopped at sw1: `nullroute retry'),
      expect.stringContaining('unsaved on edge1: a reboot'),
      expect.stringContaining('taken_away: 203.0.113.0/26'),
      expect.stringContaining('already_in_force'),
    ])
  })

  it('does not alarm over a save that has just begun', () => {
    const fresh = { ...enforcement, updatedAt: '2026-11-27T11:59:55.000Z' }

    expect(eyeCatchers(fresh, now)).toContain('not saved yet on edge1: that follows in a moment')
  })
})

describe('an enforcement on its way out', () => {
  const device = enforcement.devices[0]!
  const intent = { key: 'port|p1', kind: 'port', outcome: 'applied' } as const
  const shown = (status: EnforcementView['status'], seen: 'present' | 'absent') =>
    printEnforcement(
      plain,
      {
        ...enforcement,
        status,
        expiresAt: '2026-12-11T12:00:00.000Z',
        devices: [{ ...device, status: 'verified', intents: [{ ...intent, seen }] }],
      },
      now,
    )

  it('says what is gone and what is still there, in place of what was applied', () => {
    expect(shown('enforced', 'present')).toMatch(/sw1 +enforcer +verified +1 applied/)
    expect(shown('releasing', 'present')).toMatch(/sw1 +enforcer +read back +1 still there/)
    expect(shown('releasing', 'absent')).toMatch(/sw1 +enforcer +lifted +1 gone/)
    expect(shown('released', 'absent')).toMatch(/sw1 +enforcer +lifted +1 gone/)
  })

  it('does not say that it was read back where its roll-out never came', () => {
    type Row = EnforcementView['devices'][number]
    const lifted: Row = { ...device, status: 'verified', intents: [{ ...intent, seen: 'absent' }] }
    const never: Row = {
      device: 'sw2',
      role: 'enforcer',
      status: 'pending',
      intents: [{ ...intent, outcome: 'unknown', note: 'not tried yet' }],
      attempts: 0,
    }
    const released: EnforcementView = {
      ...enforcement,
      status: 'released',
      devices: [lifted, never],
    }

    expect(statusLine(plain, released)).toContain(
      'released. Lifted wherever it was put, and read back. Nothing was ever put on sw2.',
    )
    expect(printEnforcement(plain, released, now)).toMatch(
      /sw2 +enforcer +never asked +1 never put there/,
    )
    expect(enforcementTable(plain, [released], now)).toMatch(/released +1\/1/)
    expect(statusLine(plain, { ...released, devices: [never] })).toContain(
      'released. Nothing was ever put on sw2.',
    )
    expect(statusLine(plain, { ...released, devices: [lifted] })).toContain(
      'released. Lifted everywhere, and read back.',
    )
    const warnings = [{ code: 'held_by_others', message: 'E2 goes on cutting off a part of it' }]
    expect(statusLine(plain, { ...released, devices: [lifted], warnings })).toContain(
      'Lifted everywhere, and read back; but not all of it comes back: E2 goes on cutting off a part of it.',
    )
    expect(printEnforcement(plain, { ...released, status: 'releasing' }, now)).toMatch(
      /sw2 +enforcer +pending +1 not read yet/,
    )
  })

  it('has no end to come, no roll-out to go on with, and another danger in a reboot', () => {
    expect(shown('enforced', 'present')).toMatch(/^ {2}ends +2026-12-11 12:00:00Z \(in 14 d\)$/m)
    expect(shown('releasing', 'present')).toMatch(/^ {2}ends +now: it is being lifted$/m)
    expect(shown('released', 'absent')).toMatch(/^ {2}ended +2026-11-27 11:00:10Z \(60 min ago\)$/m)
    expect(shown('releasing', 'present')).not.toContain('retry')
    expect(shown('degraded', 'present')).toContain('retry')
    expect(shown('releasing', 'present')).toContain('a reboot there would bring it back')
  })
})

describe('a retry', () => {
  const of = (...statuses: readonly EnforcementView['devices'][number]['status'][]) => {
    const { stoppedBy: _stoppedBy, ...rollout } = enforcement.rollout
    const { held: _held, ...rest } = enforcement
    const devices = statuses.map((status, index) => ({
      ...enforcement.devices[0]!,
      device: `sw${index}`,
      status,
    }))
    return { ...rest, rollout, devices }
  }

  it('is waited for until each device that was asked again has answered', () => {
    const enough = answered(of('pending', 'pending', 'unreachable'), undefined)

    expect(enough(of('pending', 'verified', 'unreachable'))).toBe(false)
    expect(enough(of('converging', 'verified', 'unreachable'))).toBe(false)
    expect(enough(of('unreachable', 'verified', 'unreachable'))).toBe(true)
    expect(enough(of('verified', 'failed', 'pending'))).toBe(true)
  })

  it('is waited for at the named devices only, and not where nothing goes on by itself', () => {
    const asked = of('pending', 'pending')
    const stopped = { ...asked, rollout: { ...asked.rollout, stoppedBy: 'sw0' } }

    expect(answered(asked, ['sw1'])(of('pending', 'verified'))).toBe(true)
    expect(answered(asked, undefined)(of('pending', 'verified'))).toBe(false)
    expect(answered(asked, undefined)(stopped)).toBe(true)
    expect(answered(asked, ['sw1'])(stopped)).toBe(false)
    expect(answered(asked, undefined)({ ...asked, held: 'freeze' })).toBe(true)
  })
})

describe('a warning', () => {
  const warnings = [
    { code: 'outbound_not_stopped', message: 'nothing stops what it sends' },
    { code: 'held_by_others', message: 'stays for E2' },
    { code: 'unsupported', message: 'edge1 can’t do acl' },
    { code: 'of_later', message: 'a code that this program does not know' },
  ]
  const shown = (status: EnforcementView['status']) =>
    printEnforcement(plain, { ...enforcement, status, warnings }, now)

  it('is shown while it matters: some while it holds, some once it is lifted, unknown ones always', () => {
    expect(shown('enforced')).toContain('outbound_not_stopped')
    expect(shown('enforced')).not.toContain('held_by_others')
    expect(shown('released')).toContain('held_by_others')
    expect(shown('released')).not.toContain('outbound_not_stopped')
    expect(shown('released')).toContain('of_later')
    expect(shown('enforced')).not.toContain('can’t do acl')
  })
})

describe('a look-up', () => {
  it('says so where an address is nobody’s, and what protects it', () => {
    const view: LookupView = {
      address: '10.20.0.1',
      ports: [],
      neighbors: [],
      protected: [{ prefix: '10.20.0.0/16', why: 'management' }],
      neverCut: ['edge1.ams'],
      enforcements: [],
    }

    expect(printLookup(plain, view, now)).toBe(
      [
        '10.20.0.1',
        '  customer   nobody’s: no customer in the inventory has it',
        '  protected  10.20.0.0/16: management',
        '  never cut  edge1.ams',
        '  in force   nothing',
      ].join('\n'),
    )
  })
})

describe('a device with unsaved changes', () => {
  const device = deviceView({ unsaved: true })

  it.each([
    ['always', /unsaved +yes: .*; saving is tried again$/m],
    ['clean', /unsaved +yes: .*once nothing of others is unsaved$/m],
    ['never', /unsaved +yes: .*\(save: never\)\. What is lifted stays known as ours/m],
  ] as const)('says with save: %s what becomes of them', (save, text) => {
    expect(printDevice(plain, { ...device, save }, now)).toMatch(text)
    expect(printDevice(plain, { ...device, save, unsaved: false }, now)).toMatch(/unsaved +no$/m)
  })
})
