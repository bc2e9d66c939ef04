// What the API takes and what it says about the rest, without a server.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AuditQuery,
  DecisionView,
  decisionView,
  EnforceBody,
  EnforcementsQuery,
  ExtendBody,
  LookupQuery,
  PlanBody,
  problemsOf,
  ReconcileBody,
  TokenBody,
} from '../../controller/api/schema.ts'
import { categories } from '../../playbooks/model.ts'

const decision = {
  action: 'suspend',
  subject: { customer: 'esthost' },
  reason: { category: 'phishing', summary: '42 phishing kits' },
}
const block = (subject: object) => ({ ...decision, action: 'block', subject })

interface Parser {
  safeParse(
    value: unknown,
    how: { readonly reportInput: true },
  ):
    | { success: true; data: unknown }
    | { success: false; error: { issues: Parameters<typeof problemsOf>[0] } }
}

function problems(schema: Parser, value: unknown): readonly string[] {
  const result = schema.safeParse(value, { reportInput: true })
  return result.success
    ? []
    : problemsOf(result.error.issues).map(({ path, message }) => `${path}: ${message}`)
}

describe('a decision', () => {
  it('becomes what the compiler takes, with its defaults', () => {
    expect(EnforceBody.parse(decision)).toEqual({
      kind: 'decision',
      dryRun: false,
      decision: {
        action: 'suspend',
        subject: { kind: 'customer', customer: 'esthost' },
        reason: { category: 'phishing', summary: '42 phishing kits', evidence: [] },
        playbook: 'suspend',
        automated: false,
        overrides: [],
      },
    })
  })

  it.each([
    [{ prefix: '203.0.113.9' }, { prefix: '203.0.113.9/32' }],
    [{ prefix: '203.0.113.0/26' }, { prefix: '203.0.113.0/26' }],
    [{ prefix: '2001:DB8:0:0::/48' }, { prefix: '2001:db8::/48' }],
    [
      { port: { device: 'sw1.ams', interface: 'p1' } },
      { port: { device: 'sw1.ams', interface: 'p1' } },
    ],
    [
      { neighbor: { device: 'edge1', address: '2001:DB8::9' } },
      { neighbor: { device: 'edge1', address: '2001:db8::9', vrf: 'default' } },
    ],
  ])('about %j is shown in canonical form', (subject, shown) => {
    const body = EnforceBody.parse(block(subject))
    const view = body.kind === 'decision' ? decisionView(body.decision) : undefined
    expect(DecisionView.parse(view).subject).toEqual(shown)
  })

  it.each([
    [{}, 'found none'],
    [{ customer: 'a', prefix: '203.0.113.9' }, 'found customer and prefix'],
    [{ customer: 'a', port: { device: 'b', interface: 'p1' } }, 'found customer and port'],
  ])('about %j is not about exactly one', (subject, found) => {
    expect(problems(EnforceBody, { ...decision, subject })).toEqual([
      `/subject: expected exactly one of customer, prefix, port, neighbor; ${found}`,
    ])
  })

  it.each([
    ['203.0.113.1/26', 'host bits'],
    ['203.0.113.1/33', 'prefix length'],
    ['203.0.113.0/ 24', 'prefix length'],
    ['203.0.113.0/+24', 'prefix length'],
    ['203.0.113.01', 'leading zeros'],
    ['10.1', 'no IP address'],
    ['::ffff:203.0.113.1', 'mixes IPv4 into IPv6'],
    ['fe80::1%eth0', 'zone'],
    ['203.0.113.0/26; reload', 'prefix length'],
    ['', 'no IP address'],
  ])('about the prefix %j is refused by name', (prefix, why) => {
    const found = problems(EnforceBody, block({ prefix }))
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^\/subject\/prefix: /)
    expect(found[0]).toContain(why)
  })

  it.each(['p1\nshutdown', 'p1 p2', '"', 'p1;', '$(reboot)', '1/1', 'x'.repeat(65), ''])(
    'about the port %j never gets through',
    (port) => {
      expect(
        problems(EnforceBody, block({ port: { device: 'sw1', interface: port } })),
      ).toHaveLength(1)
    },
  )

  it.each([
    [
      { ...decision, action: 'block' },
      '/subject: block takes a prefix, port or neighbor; suspend and terminate take a customer',
    ],
    [
      { ...decision, subject: { prefix: '203.0.113.9' } },
      '/subject: suspend takes a customer; to cut off one prefix, use block',
    ],
    [
      { ...decision, subject: { neighbor: { device: 'e', address: '192.0.2.9' } } },
      '/subject: suspend takes a customer; to cut off one neighbor, use block',
    ],
    [
      { ...decision, action: 'terminate', expiresAt: '2026-12-07T00:00:00.000Z' },
      '/expiresAt: terminate is final and does not expire: leave expiresAt out, or suspend',
    ],
    [
      {
        ...decision,
        override: [
          { guard: 'max_prefix', reason: 'a' },
          { guard: 'max_prefix', reason: 'b' },
        ],
      },
      '/override: expected each guard only once',
    ],
    [{ ...decision, playbook: 'No Such' }, '/playbook: expected an id'],
    [
      { ...decision, reason: { ...decision.reason, ticket: 'AB 1' } },
      '/reason/ticket: expected a ticket',
    ],
    [
      { ...decision, reason: { ...decision.reason, evidence: [{ url: 'file:///etc/passwd' }] } },
      '/reason/evidence/0/url: expected a URL with http or https',
    ],
    [{ ...decision, automated: 'yes' }, '/automated: expected true or false, found "yes"'],
    [
      { ...decision, actor: 'boss' },
      '/actor: there is no field "actor" here: look for a spelling mistake, or leave it out',
    ],
  ])('that is wrong in one thing is told that thing: %j', (body, problem) => {
    const found = problems(EnforceBody, body)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(problem)
  })

  it('may suspend one neighbor by a named playbook: depeer', () => {
    const body = {
      ...decision,
      playbook: 'depeer',
      subject: { neighbor: { device: 'e', address: '192.0.2.9' } },
    }
    expect(problems(EnforceBody, body)).toEqual([])
  })

  it.each([
    '2026-12-07',
    '2026-12-07T00:00:00Z',
    '2026-12-07T00:00:00.000+01:00',
    '2026-02-30T00:00:00.000Z',
    '14d',
    1,
    null,
  ])('does not expire at %j', (expiresAt) => {
    expect(problems(EnforceBody, { ...decision, expiresAt })).toEqual([
      `/expiresAt: expected a time in UTC with milliseconds, like 2026-12-07T00:00:00.000Z, found ${JSON.stringify(expiresAt)}`,
    ])
  })

  it('takes any text that can stand in a record, and no other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (summary) => {
        const taken =
          problems(EnforceBody, { ...decision, reason: { category: 'spam', summary } }).length === 0
        const clean = Array.from(summary).every(
          (c) => /[\t\n\r]/.test(c) || !/[\p{Cc}\p{Cs}]/u.test(c),
        )
        expect(taken).toBe(clean && summary.trim() !== '')
      }),
    )
  })

  it('is the same after parsing, in whatever order its members were written', () => {
    const wholeDecision = fc.record({
      action: fc.constant('suspend'),
      subject: fc.constant({ customer: 'esthost' }),
      reason: fc.record({
        category: fc.constantFrom(...categories),
        summary: fc.constant('x'),
        ticket: fc.constantFrom('A-1', 'A-2'),
      }),
      automated: fc.boolean(),
      expiresAt: fc.constant('2026-12-07T00:00:00.000Z'),
    })
    fc.assert(
      fc.property(wholeDecision, fc.infiniteStream(fc.nat(10)), (body, order) => {
        const text = JSON.stringify(EnforceBody.parse(body))
        expect(JSON.stringify(EnforceBody.parse(shuffled(body, order)))).toBe(text)
      }),
    )
  })

  it('never throws on what it is given, and always says where', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const found = problems(EnforceBody, value)
        expect(found.length).toBeGreaterThan(0)
        expect(found.every((one) => /^(?:\/|: )/.test(one))).toBe(true)
      }),
    )
  })
})

describe('one of several bodies', () => {
  it.each([
    ['nothing', {}, ['/action', '/subject', '/reason']],
    ['half a plan', { planId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }, ['/digest']],
    ['half a decision', { action: 'suspend' }, ['/subject', '/reason']],
  ])('tells the problems of the one that was meant: %s', (_what, body, paths) => {
    expect(problems(EnforceBody, body).map((one) => one.split(':')[0])).toEqual(paths)
  })

  it('is a release for a plan', () => {
    expect(PlanBody.parse({ release: '01ARZ3NDEKTSV4RRFFQ69G5FAV' })).toEqual({
      kind: 'release',
      enforcement: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    })
    expect(problems(PlanBody, { release: 'esthost' })).toEqual([
      expect.stringContaining('/release: expected a ULID'),
    ])
  })
})

describe('the other requests', () => {
  it('take one status or several', () => {
    expect(EnforcementsQuery.parse({ status: 'enforced' })).toEqual({
      limit: 50,
      status: 'enforced',
    })
    expect(EnforcementsQuery.parse({ status: ['enforced', 'degraded'], limit: '10' })).toEqual({
      limit: 10,
      status: ['enforced', 'degraded'],
    })
  })

  it('count lists in whole numbers within bounds', () => {
    expect(
      ['0', '-1', '1.5', 'many', '', '201'].map(
        (limit) => problems(EnforcementsQuery, { limit }).length,
      ),
    ).toEqual(Array<number>(6).fill(1))
  })

  it('print an address in canonical form', () => {
    expect(LookupQuery.parse({ ip: '2001:DB8:0:0:0:0:0:1' })).toEqual({ ip: '2001:db8::1' })
  })

  it.each([
    [
      ReconcileBody,
      { remove: ['port|p1'] },
      '/reason: expected remove and reason together, or neither',
    ],
    [ReconcileBody, { reason: 'x' }, '/remove: expected remove and reason together, or neither'],
    [
      ReconcileBody,
      { remove: ['p1\n'], reason: 'x' },
      '/remove/0: expected a key as the device shows it',
    ],
    [
      TokenBody,
      { name: 'x', roles: ['approver'] },
      '/person: expected a person, because four eyes are counted by person',
    ],
    [TokenBody, { name: 'x', roles: [] }, '/roles: expected at least one of abuse'],
    [TokenBody, { name: 'x', roles: ['root'] }, '/roles/0: expected a role: one of abuse'],
    [TokenBody, { name: 'x', roles: ['abuse', 'abuse'] }, '/roles: expected each role only once'],
    [ExtendBody, { expiresAt: '2026-12-07T00:00:00.000Z' }, '/reason: is missing: expected a text'],
    [AuditQuery, { action: 'x'.repeat(33) }, '/action: expected a type of record'],
  ] as const)('say what is wrong with them: %#', (schema, body, problem) => {
    expect(problems(schema, body)).toEqual([expect.stringContaining(problem)])
  })
})

function shuffled(value: unknown, order: Iterator<number>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const members = Object.entries(value).map(([name, inner]): [number, string, unknown] => [
    Number(order.next().value),
    name,
    shuffled(inner, order),
  ])
  return Object.fromEntries(
    members.sort(([a], [b]) => a - b).map(([, name, inner]) => [name, inner]),
  )
}
