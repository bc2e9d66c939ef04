// Policy routing on Linux: rules as iproute2 6.1 prints them, and whether a blackhole still drops all that comes.

import { describe, expect, it } from 'vitest'
import type { Intent } from '../../agent/intents.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { blackhole, foundFor, observed, usualRules } from './conformance-kit.ts'
import { dropped } from './linux-model.ts'

type Shown = Readonly<Record<string, unknown>>

const local = { priority: 0, src: 'all', table: 'local' }
const vrfs = { priority: 1_000, src: 'all', l3mdev: null }
const main = { priority: 32_766, src: 'all', table: 'main' }
const usual: readonly Shown[] = [
  local,
  vrfs,
  main,
  { priority: 32_767, src: 'all', table: 'default' },
]
const byInterface = { priority: 100, src: 'all', iif: 'tr0', table: '100' }

const none = '[]'
const noTable = 'Error: ipv4: FIB table does not exist.\nDump terminated\n['

const ours = (dst: string) => ({ type: 'blackhole', dst, protocol: '223', flags: [] })

/** A host with these rules, where our route stands in main and `tables` say what else does. */
function find(
  rules: readonly Shown[],
  tables: Readonly<Record<string, { match?: string; root?: string }>> = {},
  intent = blackhole('203.0.113.10/32'),
) {
  const { prefix } = intent
  const family = prefix.includes(':') ? 6 : 4
  const metric = family === 6 ? { metric: 1 } : {}
  const table: Record<string, string> = {
    [`ip -j -${family} rule show`]: JSON.stringify(rules),
    'ip -j -4 route show table all type blackhole': none,
    'ip -j -6 route show table all type blackhole': none,
    [`ip -j -${family} route show root ${prefix}`]: JSON.stringify([
      { ...ours(prefix.replace(/\/(?:32|128)$/, '')), ...metric },
    ]),
  }
  for (const [name, { match = none, root = none }] of Object.entries(tables)) {
    table[`ip -j -${family} route show table ${name} match ${prefix}`] = match
    table[`ip -j -${family} route show table ${name} root ${prefix}`] = root
  }
  return foundFor(observedWith(intent, table), intent)
}

/** The kernel says of each prefix that it drops what the host itself sends there. */
function observedWith(intent: Intent, table: Readonly<Record<string, string>>) {
  const seen = { host: '', nonce: '', facts: {} }
  const gets = linux
    .observe([intent], seen)
    .filter(({ what }) => what.startsWith('get|'))
    .map(({ line }) => [line.text, dropped] as const)
  return observed(linux, [intent], { ...table, ...Object.fromEntries(gets) }, seen)
}

const customer = JSON.stringify([{ dst: '203.0.113.0/24', dev: 'cust0', scope: 'link', flags: [] }])
const onward = JSON.stringify([{ dst: 'default', gateway: '192.0.2.1', dev: 'up0', flags: [] }])

describe('a rule before ours', () => {
  it('that finds the customer in another table passes the blackhole by, and is named', () => {
    expect(find([local, byInterface, main], { '100': { match: customer } })).toMatchObject({
      mark: 'ours',
      inForce: 'partly',
      note: expect.stringMatching(
        /^rule 100 has traffic looked up in table 100, where unicast 203\.0\.113\.0\/24 dev cust0 leads on: /,
      ) as string,
    })
  })

  it.each([
    ['a default route is enough', { match: onward }, 'partly'],
    [
      'so is a route to just this prefix',
      { match: '[{"dst":"203.0.113.10","dev":"x"}]' },
      'partly',
    ],
    ['an empty table lets it fall through', {}, 'yes'],
    ['so does a table that is not there', { match: noTable, root: noTable }, 'yes'],
    [
      'and a route that throws',
      { match: `[${onward.slice(1, -1)},{"type":"throw","dst":"203.0.113.0/24"}]` },
      'yes',
    ],
    [
      'a discard that is nearer drops it there too',
      { match: `[${onward.slice(1, -1)},${JSON.stringify(ours('203.0.113.10'))}]` },
      'yes',
    ],
    [
      'a discard that is wider does not',
      { match: `[${customer.slice(1, -1)},{"type":"blackhole","dst":"default"}]` },
      'partly',
    ],
    [
      'of two of one prefix the lower metric decides',
      {
        match:
          '[{"dst":"203.0.113.0/24","dev":"x","metric":9},{"type":"blackhole","dst":"203.0.113.0/24"}]',
      },
      'yes',
    ],
  ])('%s', (_, table, inForce) => {
    expect(find([local, byInterface, main], { '100': table }).inForce).toBe(inForce)
  })

  it('a route inside the prefix leads a part of it past', () => {
    const wide = blackhole('203.0.113.0/24')
    const root = '[{"type":"throw","dst":"203.0.113.0/25"},{"dst":"203.0.113.128/25","dev":"x"}]'
    const found = find([local, byInterface, main], { '100': { root } }, wide)
    expect(found).toMatchObject({
      inForce: 'partly',
      note: expect.stringContaining('203.0.113.128/25') as string,
    })
  })

  it('of IPv6 counts likewise, and one of IPv4 does not count there', () => {
    const wide = blackhole('2001:db8:e57::/48')
    const match = '[{"dst":"2001:db8::/32","dev":"cust0","metric":1024,"pref":"medium"}]'
    const rules = [local, byInterface, main]
    expect(find(rules, { '100': { match } }, wide).inForce).toBe('partly')
    expect(find([local, main], {}, wide).inForce).toBe('yes')
  })
})

describe('nothing else is asked', () => {
  it.each([
    ['where there are the usual rules', usual],
    ['of a rule behind main', [local, main, { ...byInterface, priority: 32_770 }]],
    ['of a rule for other destinations', [local, { ...byInterface, dst: '198.51.100.1' }, main]],
    [
      'of a rule for other networks',
      [local, { ...byInterface, dst: '203.0.113.64', dstlen: 26 }, main],
    ],
    [
      'of a rule that discards',
      [local, { priority: 9, src: '192.0.2.1', action: 'prohibit' }, main],
    ],
    ['of a rule that does nothing', [local, { priority: 9, src: 'all', nop: null }, main]],
    [
      'behind a look into main that leaves out the default route only',
      [
        local,
        { priority: 9, src: 'all', table: 'main', suppress_prefixlen: 0 },
        { priority: 10, not: null, src: 'all', fwmark: '0xca6c', table: '51820' },
        main,
      ],
    ],
    [
      'of a jump that ends before main',
      [local, { priority: 9, src: '192.0.2.1', goto: 32_766 }, main],
    ],
    ['where there are no rules for the family', []],
  ])('%s', (_, rules) => {
    expect(find(rules).inForce).toBe('yes')
  })
})

describe('the other table is asked', () => {
  it.each([
    ['of a rule for this network', { ...byInterface, dst: '203.0.113.0', dstlen: 24 }],
    ['of a rule for all but one network', { ...byInterface, not: null, dst: '198.51.100.0' }],
    [
      'of a rule on a mark',
      { priority: 7, src: 'all', fwmark: '0x1', fwmask: '0xff', table: '100' },
    ],
    ['of a rule on a word that is not known', { priority: 7, src: 'all', moon: 1, table: '100' }],
  ])('%s', (_, rule) => {
    expect(find([local, rule, main], { '100': { match: onward } }).inForce).toBe('partly')
  })

  it('of a rule behind main to which another one jumps', () => {
    const jump = { priority: 9, src: '192.0.2.0', srclen: 24, goto: 32_770 }
    const behind = { priority: 32_770, src: 'all', table: '100' }
    const rules = [local, jump, main, behind]
    expect(find(rules, { '100': { match: onward } }).inForce).toBe('partly')
  })

  it('where main is asked for some packets only', () => {
    const rules = [local, { ...main, iif: 'tr0' }, { priority: 32_767, src: 'all', table: '100' }]
    expect(find(rules, { '100': { match: onward } }).inForce).toBe('partly')
  })

  it('but routes that are as short as the rule passes over lead nowhere', () => {
    const rules = [local, { ...byInterface, suppress_prefixlen: 24 }, main]
    expect(find(rules, { '100': { match: customer } }).inForce).toBe('yes')
    const shorter = [local, { ...byInterface, suppress_prefixlen: 23 }, main]
    expect(find(shorter, { '100': { match: customer } }).inForce).toBe('partly')
  })
})

describe('in a VRF', () => {
  const inVrf = blackhole('203.0.113.10/32', { vrf: 'red' })
  const findIn = (rules: readonly Shown[], other: string | undefined) =>
    foundFor(
      observed(linux, [inVrf], {
        'ip -j -4 rule show': JSON.stringify(rules),
        'ip -j -d link show type vrf':
          '[{},{"ifname":"red","linkinfo":{"info_kind":"vrf","info_data":{"table":10}}}]',
        'ip -j -4 route show table all type blackhole': none,
        'ip -j -6 route show table all type blackhole': none,
        'ip -j -4 route show vrf red root 203.0.113.10/32': JSON.stringify([ours('203.0.113.10')]),
        ...(other === undefined
          ? {}
          : {
              'ip -j -4 route show table 100 match 203.0.113.10/32': other,
              'ip -j -4 route show table 100 root 203.0.113.10/32': none,
            }),
      }),
      inVrf,
    ).inForce

  it('rules count that stand before the one for all VRFs', () => {
    expect(findIn([local, byInterface, vrfs, main], onward)).toBe('partly')
    expect(findIn([local, byInterface, vrfs, main], none)).toBe('yes')
    expect(findIn([local, vrfs, { ...byInterface, priority: 1_001 }, main], undefined)).toBe('yes')
  })
})

it('many prefixes are asked about together, a command for each table', () => {
  const intents = Array.from({ length: 17 }, (_, at) => blackhole(`203.0.113.${at}/32`))
  const seen = { host: '', nonce: '', facts: {} }
  const isFirst = (words: string): boolean => words.endsWith(' match 203.0.113.0/32')
  const answerOf = (text: string): string => {
    if (text.includes(' rule show')) return JSON.stringify([local, byInterface, main])
    if (!text.includes('-batch')) return none
    const questions = text.split('\n').slice(1, -1)
    return questions
      .map((words, at) => {
        if (words.startsWith('route get ')) return `${dropped}\nCommand failed -:${at + 1}`
        if (words.startsWith('route show table 100')) return isFirst(words) ? customer : none
        return JSON.stringify([ours(words.replace(/^.* (\S+)\/32$/, '$1'))])
      })
      .join('\n')
  }
  const table: Record<string, string> = {}
  const answers = new Map(
    linux.observe(intents, seen).map(({ what, line }) => {
      table[line.text] = answerOf(line.text)
      return [what, { line, text: answerOf(line.text) }] as const
    }),
  )
  const more = linux.follow?.(answers, intents) ?? []
  for (const { line } of more) table[line.text] = answerOf(line.text)

  expect(more.map(({ what }) => what)).toEqual(['many|4|table 100'])
  const observation = observed(linux, intents, table, seen)
  expect(intents.map((intent) => foundFor(observation, intent).inForce)).toEqual([
    'partly',
    ...Array.from({ length: 16 }, () => 'yes'),
  ])
})

it.each([
  '',
  'Dump terminated',
  '[{"priority":"x"}]',
  '[{"priority":1,"src":"all","table":"a;b"}]',
])('rules like %j are an error', (text) => {
  const intent = blackhole('203.0.113.10/32')
  const table = { 'ip -j -4 rule show': text, 'ip -j -4 route show root 203.0.113.10/32': none }
  const lists = {
    'ip -j -4 route show table all type blackhole': none,
    'ip -j -6 route show table all type blackhole': none,
  }
  expect(() => observedWith(intent, { ...table, ...lists })).toThrow(
    expect.objectContaining({ code: 'unknown_output' }),
  )
})

it('a kernel that knows no rules for IPv6 has one table', () => {
  const intent = blackhole('2001:db8:e57::/48')
  const table = {
    'ip -j -6 rule show': 'RTNETLINK answers: Operation not supported\nDump terminated\n',
    'ip -j -4 route show table all type blackhole': none,
    'ip -j -6 route show table all type blackhole': none,
    'ip -j -6 route show root 2001:db8:e57::/48': JSON.stringify([
      { ...ours('2001:db8:e57::/48'), metric: 1 },
    ]),
  }
  expect(foundFor(observedWith(intent, table), intent).inForce).toBe('yes')
  expect(usualRules).toBe(JSON.stringify(usual))
})
