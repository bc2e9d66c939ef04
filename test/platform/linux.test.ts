// What Linux shows and what is made of it: recordings, ownership, and lines that take back exactly what they did.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driftedKeys } from '../../agent/converge-states.ts'
import { type Claim, decide } from '../../agent/diff.ts'
import { AgentError } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Change, Facts } from '../../agent/platform.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { restoreScript, sudoers, tableFile } from '../../agent/platforms/linux/prepare.ts'
import {
  acl,
  blackhole,
  claimOn,
  foundFor,
  linesOf,
  observed,
  port,
  preflightOf,
} from './conformance-kit.ts'
import { union } from './frr-model.ts'
import {
  allSets,
  converge,
  dropped,
  element,
  type Host,
  headOf,
  listing,
  look,
  ports,
  print,
  rulesFor,
  run,
} from './linux-model.ts'

const read = (name: string) =>
  readFileSync(new URL(`../fixtures/linux/${name}.txt`, import.meta.url), 'utf8')
const root = { host: '', nonce: '7f3a', facts: { root: 'yes' } }

function session(name: string, start: string): string {
  const text = read(name).replaceAll('\r', '')
  const at = text.indexOf(start)
  return text.slice(at, text.indexOf('\n', at))
}

/** The prepared table with a rule of somebody else's before ours. */
function shadowedBy(expr: readonly object[], elements: readonly unknown[] = []): string {
  const foreign = { rule: { chain: 'pre', expr } }
  return listing({ dst4: elements }, [foreign, ...rulesFor(allSets)])
}

describe('blackholes on Linux', () => {
  const intent = blackhole('203.0.113.10/32')
  const intent6 = blackhole('2001:db8:e57::/48')
  const find = (inside: string, get = dropped) =>
    foundFor(
      observed(linux, [intent], {
        'ip -j -4 route show table all type blackhole': '[]',
        'ip -j -6 route show table all type blackhole': '[]',
        'ip -j -4 route show root 203.0.113.10/32': inside,
        'ip route get 203.0.113.10': get,
      }),
      intent,
    )
  const find6 = (inside: string, get = dropped) =>
    foundFor(
      observed(linux, [intent6], {
        'ip -j -4 route show table all type blackhole': '[]',
        'ip -j -6 route show table all type blackhole': '[]',
        'ip -j -6 route show root 2001:db8:e57::/48': inside,
        'ip route get 2001:db8:e57:8000::': get,
      }),
      intent6,
    )

  it('ours: by protocol 223, and the kernel says that it drops', () => {
    const found = find(
      read('ip_route_show_blackhole_present_json'),
      read('ip_route_get_blackholed'),
    )
    expect(found).toMatchObject({
      object: ['route prepend blackhole 203.0.113.10/32 proto 223'],
      effect: 'same',
      mark: 'ours',
      inForce: 'yes',
    })
  })

  it('absent', () => {
    const found = find(read('ip_route_show_absent_json'), read('ip_route_get_unicast'))
    expect(found).toMatchObject({ object: [], effect: 'none', inForce: 'no' })
  })

  it('the kernel has the last word: a rule may pass the route by', () => {
    const found = find(read('ip_route_show_blackhole_present_json'), read('ip_route_get_unicast'))
    expect(found).toMatchObject({ mark: 'ours', inForce: 'partly' })
  })

  it('a more specific route inside leads traffic past ours', () => {
    const wide = blackhole('203.0.113.0/26')
    const inside = JSON.stringify([
      { type: 'blackhole', dst: '203.0.113.0/26', protocol: '223', flags: [] },
      { dst: '203.0.113.9', gateway: '192.0.2.1', dev: 'eth0', flags: [] },
    ])
    const found = foundFor(
      observed(linux, [wide], {
        'ip -j -4 route show table all type blackhole': '[]',
        'ip -j -6 route show table all type blackhole': '[]',
        'ip -j -4 route show root 203.0.113.0/26': inside,
        'ip route get 203.0.113.32': dropped,
      }),
      wide,
    )
    expect(found).toMatchObject({ mark: 'ours', inForce: 'partly' })
  })

  it.each([
    ['nothing', [], 'no'],
    ['a next hop', [{ dev: 'eth0', gateway: '192.0.2.1' }], 'no'],
    [
      'a next hop, and a discard that it beats',
      [{ dev: 'eth0' }, { type: 'blackhole', metric: 9 }],
      'no',
    ],
    ['another word for a discard', [{ type: 'unreachable' }], 'partly'],
    [
      'a discard for one type of service',
      [{ dev: 'eth0' }, { type: 'blackhole', tos: '0x10' }],
      'partly',
    ],
    [
      'a next hop for one type of service',
      [{ type: 'blackhole' }, { dev: 'eth0', tos: '0x10' }],
      'partly',
    ],
    ['a type that isn’t known', [{ type: 'xresolve' }], 'partly'],
    ['a discard', [{ type: 'blackhole' }], 'yes'],
  ])('has gone only where the kernel takes all packets on: %s', (_, entries, inForce) => {
    const shown = JSON.stringify(entries.map((one) => ({ dst: '203.0.113.10', ...one })))
    expect(find(shown, dropped).inForce).toBe(inForce)
  })

  it.each([
    ['a blackhole by hand that wins', [{ type: 'blackhole' }], 'same'],
    ['a next hop, beside which ours will stand', [{ dev: 'eth0', gateway: '192.0.2.1' }], 'none'],
    ['unreachable, likewise', [{ type: 'unreachable' }], 'none'],
    ['a blackhole behind a next hop', [{ dev: 'eth0' }, { type: 'blackhole', metric: 9 }], 'none'],
  ])('by someone else, IPv4: %s', (_, entries, effect) => {
    const found = find(JSON.stringify(entries.map((one) => ({ dst: '203.0.113.10', ...one }))))
    expect(found).toMatchObject({ effect, mark: 'none' })
  })

  it('learnt from another router: in force, and nobody’s object here', () => {
    const entry = { type: 'blackhole', dst: '203.0.113.10', protocol: 'bgp', metric: 20 }
    expect(find(JSON.stringify([entry]), dropped)).toMatchObject({
      object: [],
      effect: 'none',
      mark: 'none',
      inForce: 'yes',
      learnt: true,
    })
    const own = find(JSON.stringify([{ ...entry, protocol: 'static' }]), dropped)
    expect(own).toMatchObject({
      object: ['blackhole 203.0.113.10 proto static metric 20'],
      effect: 'same',
    })
    expect(own).not.toHaveProperty('learnt')
  })

  it.each([
    ['ours', [{ type: 'blackhole', protocol: '223', metric: 1 }], 'same', 'ours'],
    [
      'our number, another metric: marked, and not as we write it',
      [{ type: 'blackhole', protocol: '223', metric: 1024 }],
      'same',
      'ours',
    ],
    ['a next hop at another metric', [{ dev: 'eth0', metric: 1024 }], 'none', 'none'],
    ['a next hop at our metric', [{ dev: 'eth0', metric: 1 }], 'other', 'none'],
  ])('IPv6: %s', (_, entries, effect, mark) => {
    const found = find6(
      JSON.stringify(entries.map((one) => ({ dst: '2001:db8:e57::/48', ...one }))),
    )
    expect(found).toMatchObject({ effect, mark })
  })

  it('reports what has our number without being asked for', () => {
    const observation = observed(linux, [intent], {
      'ip -j -4 route show table all type blackhole': read('ip_route_show_table_10_json').replace(
        '"protocol"',
        '"table":"10","protocol"',
      ),
      'ip -j -6 route show table all type blackhole': read(
        'ip_6_route_show_blackhole_present_json',
      ),
      'ip -j -4 route show root 203.0.113.10/32': '[]',
      'ip route get 203.0.113.10': '',
    })
    expect(observation.marked.map(({ key }) => key)).toEqual([
      'blackhole|table 10|203.0.113.12/32',
      'blackhole|default|2001:db8:113::10/128',
    ])
  })

  it('in a VRF the table is the number of its device', () => {
    const inVrf = blackhole('203.0.113.10/32', { vrf: 'red' })
    const table = {
      'ip -j -4 route show table all type blackhole': '[]',
      'ip -j -6 route show table all type blackhole': '[]',
      'ip -j -4 route show vrf red root 203.0.113.10/32': '[]',
      'ip -j -d link show type vrf':
        '[{},{"ifname":"red","linkinfo":{"info_kind":"vrf","info_data":{"table":10}}}]',
    }
    const { facts } = observed(linux, [inVrf], table)
    const [rendering] = linux.render([{ kind: 'apply', intent: inVrf }], { ...facts, root: 'yes' })
    expect(linesOf(rendering).apply).toEqual([
      'ip route prepend blackhole 203.0.113.10/32 proto 223 table 10',
    ])
    const without = observed(linux, [inVrf], { ...table, 'ip -j -d link show type vrf': '[{}]' })
    expect(foundFor(without, inVrf).stop?.code).toBe('no_such_object')
  })

  it.each(['', 'Dump terminated', '{"dst":"203.0.113.10"}', '[{"dst":"somewhere"}]'])(
    'an answer like %j is an error',
    (text) => {
      expect(() => find(text)).toThrow(expect.objectContaining({ code: 'unknown_output' }))
      expect(() => find(text)).toThrow(AgentError)
    },
  )
})

// --- filters

describe('filters on Linux', () => {
  const intent = acl('203.0.113.9/32', 'out')
  const look = (
    inet: string,
    {
      bridge = read('nft_list_table_missing'),
      bridges = '[{}]',
      asked = [intent] as Intent[],
      flags = undefined as string | undefined,
    } = {},
  ) =>
    observed(
      linux,
      asked,
      {
        'nft -j list table inet nullroute': inet,
        'nft -j list table bridge nullroute': bridge,
        'nft -t list table inet nullroute': headFor('inet', inet, flags),
        'nft -t list table bridge nullroute': headFor('bridge', bridge, undefined),
        'ip -j link show type bridge': bridges,
      },
      root,
    )
  // Where there is no table both commands say the same.
  const headFor = (family: string, all: string, flags: string | undefined) =>
    all.startsWith('{') ? headOf(family, flags) : all
  const find = (...args: Parameters<typeof look>) => foundFor(look(...args), intent)
  const text = 'add element inet nullroute dst4 { 203.0.113.9/32 comment "nullroute" }'

  it('absent from the recorded table, whose rules work', () => {
    const empty = session('session_enforce_and_release_root_raw', '{"nftables"')
    expect(find(empty)).toEqual({
      key: 'acl|out|203.0.113.9/32',
      object: [],
      effect: 'none',
      mark: 'none',
      inForce: 'no',
    })
  })

  it('ours, as recorded after it was put there', () => {
    const all = read('session_enforce_and_release_root_raw').replaceAll('\r', '')
    const after = all.slice(all.indexOf('"val": "203.0.113.9"') - 1_500)
    const json = after.slice(after.indexOf('{"nftables"')).split('\n')[0] ?? ''
    expect(find(json)).toMatchObject({
      object: [text],
      effect: 'same',
      mark: 'ours',
      inForce: 'yes',
    })
  })

  it.each([
    ['with another comment', { dst4: [element('203.0.113.9', 'by hand')] }, 'same', 'none'],
    ['bare', { dst4: ['203.0.113.9'] }, 'same', 'none'],
    ['covered by somebody’s', { dst4: [element('203.0.113.0/24', 'by hand')] }, 'same', 'none'],
    ['in the other direction', { src4: [element('203.0.113.9')] }, 'none', 'none'],
    ['another address', { dst4: [element('203.0.113.10')] }, 'none', 'none'],
  ])('%s', (_, sets, effect, mark) => {
    expect(find(listing(sets))).toMatchObject({ effect, mark })
  })

  it('somebody’s element inside ours would overlap it: refused, naming it', () => {
    const wide = acl('203.0.113.0/24', 'out')
    const observation = look(listing({ dst4: [element('203.0.113.9', 'by hand')] }), {
      asked: [wide],
    })
    expect(foundFor(observation, wide)).toMatchObject({ effect: 'other' })
    expect(foundFor(observation, wide).object.join()).toContain('203.0.113.9/32')
  })

  it('an element that is asked for too is no one else’s: it is swapped, not refused', () => {
    const wide = acl('203.0.113.0/24', 'out')
    const sets = { dst4: [element('203.0.113.9')] }
    expect(foundFor(look(listing(sets), { asked: [wide, intent] }), wide).effect).toBe('none')
  })

  it.each([
    ['no table', read('nft_list_table_missing')],
    ['no nft', 'sh: 13: nft: not found'],
    ['rules that do not drop by the set', listing({}, rulesFor(['src4', 'src6', 'dst6']))],
    [
      'a rule with a second condition',
      listing(
        {},
        rulesFor(allSets).map(({ rule }) => ({
          rule: { ...rule, expr: [...rule.expr, { limit: {} }] },
        })),
      ),
    ],
    // Somebody put a rule in front of ours, and what it lets pass never gets to them.
    ['an accept in front of the drops', shadowedBy([{ accept: null }])],
    ['a return in front of the drops', shadowedBy([{ return: null }])],
    [
      'an accept of one address in front of the drops',
      shadowedBy([
        {
          match: {
            op: '==',
            left: { payload: { protocol: 'ip', field: 'saddr' } },
            right: '203.0.113.9',
          },
        },
        { accept: null },
      ]),
    ],
  ])('%s: not prepared, and nothing counts as in force', (_, inet) => {
    const found = find(inet)
    expect(found.stop?.code).toBe('not_prepared')
    expect(found.inForce).toBe('no')
  })

  it.each(['dormant', 'owner,dormant'])('with `flags %s` drops nothing', (flags) => {
    const found = find(listing({}), { flags })
    expect(found.stop).toMatchObject({
      code: 'not_prepared',
      message: expect.stringContaining('dormant') as string,
    })
    expect(find(listing({ dst4: [element('203.0.113.0/24', 'theirs')] }), { flags })).toMatchObject(
      { effect: 'none', inForce: 'no', stop: { code: 'not_prepared' } },
    )
    expect(find(listing({}), { flags: 'owner' }).stop).toBeUndefined()
  })

  it.each([
    ['a dormant table', listing({ dst4: [element('203.0.113.9')] }), 'dormant'],
    [
      'rules that do not reach it',
      shadowedBy([{ accept: null }], [element('203.0.113.9')]),
      undefined,
    ],
  ])('of ours is not in force in %s, and can be lifted all the same', (_, inet, flags) => {
    const observation = look(inet, { flags })
    const claim = claimOn(intent, [text])
    const base = { expected: [], fading: [], claims: [claim], frozen: false }
    expect(decide({ ...base, wanted: [intent] }, observation)).toMatchObject([{ kind: 'waiting' }])
    expect(foundFor(observation, intent).note).toContain('nullroute')
    expect(decide({ ...base, wanted: [] }, observation)).toMatchObject([
      { kind: 'change', change: { kind: 'lift', wrote: [text] } },
    ])
  })

  it.each([
    ['by sudo', 'sudo: a password is required'],
    ['by the kernel', 'Operation not permitted (you must be root)\nnetlink: Error: cache'],
  ])('kept back %s are unknown, and neither gone nor drifted', (_, answer) => {
    const route = blackhole('203.0.113.9/32')
    const observation = observed(
      linux,
      [intent, route],
      {
        'nft -j list table inet nullroute': answer,
        'nft -t list table inet nullroute': answer,
        'ip -j link show type bridge': '[{}]',
        'ip -j -4 route show table all type blackhole': '[]',
        'ip -j -6 route show table all type blackhole': '[]',
        'ip -j -4 route show root 203.0.113.9/32': '[]',
      },
      root,
    )
    expect(foundFor(observation, intent)).toMatchObject({
      inForce: 'unknown',
      stop: {
        code: 'no_privilege',
        message: expect.stringContaining(answer.slice(0, 20)) as string,
      },
    })
    expect(foundFor(observation, route).stop).toBeUndefined()
    const claim = claimOn(intent, [text])
    const desired = { wanted: [route], expected: [], fading: [], claims: [claim], frozen: false }
    expect(decide(desired, observation).map(({ key, kind }) => [key, kind])).toEqual([
      [keyOf(route), 'change'],
      [keyOf(intent), 'refused'],
    ])
    expect(driftedKeys(desired, observation)).toEqual([])
  })

  it('a host that bridges needs the bridge table too', () => {
    const bridges = '[{"ifname":"br0"}]'
    const sets = { dst4: [element('203.0.113.9')] }
    expect(find(listing(sets), { bridges }).stop?.code).toBe('not_prepared')
    expect(find(listing(sets), { bridges, bridge: listing(sets) })).toMatchObject({
      object: [text, text.replace('inet', 'bridge')],
      effect: 'same',
      inForce: 'yes',
    })
  })

  it('only in one of two tables is not there yet', () => {
    const sets = { dst4: [element('203.0.113.9')] }
    const found = find(listing(sets), { bridge: listing({}) })
    expect(found).toMatchObject({ effect: 'none', inForce: 'no' })
  })

  it('an orphan in one of two tables, or inside, leaves no room: its key is named, and ours by a claim it is completed', () => {
    const sets = { dst4: [element('203.0.113.9')] }
    const wide = acl('203.0.113.0/24', 'out')
    const observation = look(listing(sets), { bridge: listing({}), asked: [wide, intent] })
    const obstacle = { key: keyOf(intent), object: text }
    expect(foundFor(observation, intent).inTheWay).toEqual([obstacle])
    expect(foundFor(observation, wide).inTheWay).toEqual([obstacle])

    const desired = { wanted: [wide, intent], expected: [], fading: [], frozen: false }
    const orphan = { kind: 'refused', stop: { code: 'foreign_object' } }
    expect(decide({ ...desired, claims: [] }, observation)).toMatchObject([orphan, orphan])

    const adopted = { key: keyOf(intent), intent, before: [], wrote: [text] }
    const claims = [{ ...adopted, phase: 'held', step: 1 } as const]
    expect(decide({ ...desired, wanted: [intent], claims }, observation)).toMatchObject([
      { kind: 'change', change: { kind: 'modify', from: [text] } },
    ])
  })

  it('somebody’s own in one of two tables is refused: ours could not be told from it afterwards', () => {
    const sets = { dst4: [element('203.0.113.9', 'by hand')] }
    const found = find(listing(sets), { bridge: listing({}) })
    expect(found).toMatchObject({ effect: 'other', mark: 'none', inForce: 'no' })
  })

  it('a range by other hands is not guessed about', () => {
    const sets = { dst4: [{ range: ['203.0.113.1', '203.0.113.9'] }] }
    expect(find(listing(sets)).stop?.code).toBe('ambiguous')
  })

  it('nor is it in force where the protect set lets a part of it pass', () => {
    const wide = acl('203.0.113.0/26', 'out')
    const sets = { dst4: [element('203.0.113.0/26')], protect4: [element('203.0.113.0/27')] }
    const [inForce] = [foundFor(look(listing(sets), { asked: [wide] }), wide).inForce]

    expect(inForce).toBe('no')
  })

  it('what the protect set lets pass is not in force', () => {
    const sets = { dst4: [element('203.0.113.9')], protect4: ['203.0.113.9'] }
    expect(find(listing(sets))).toMatchObject({ effect: 'same', inForce: 'no' })
  })

  it.each([
    ['a range', { range: ['203.0.113.5', '203.0.113.20'] }, '203.0.113.5-203.0.113.20'],
    [
      'a range with a comment and a time',
      {
        elem: {
          val: { range: ['203.0.113.9', '203.0.113.10'] },
          comment: 'ours, till May',
          timeout: 3_600,
          expires: 3_599,
        },
      },
      '203.0.113.9-203.0.113.10',
    ],
    [
      'a prefix with a time',
      { elem: { val: { prefix: { addr: '203.0.113.8', len: 29 } }, timeout: 300, expires: 179 } },
      '203.0.113.8/29',
    ],
  ])('%s in the protect set lets it pass, and is named', (_, entry, words) => {
    const sets = { dst4: [element('203.0.113.9')], protect4: [entry] }
    expect(find(listing(sets))).toMatchObject({
      effect: 'same',
      inForce: 'no',
      note: expect.stringContaining(
        `protect4 of table inet nullroute lets ${words} pass`,
      ) as string,
    })
  })

  it('a range in the protect set that ends before it or begins behind it changes nothing', () => {
    const beside = [
      { range: ['203.0.113.5', '203.0.113.8'] },
      { range: ['203.0.113.10', '203.0.113.20'] },
      { range: ['2001:db8::', '2001:db8::ffff'] },
    ]
    const sets = { dst4: [element('203.0.113.9')], protect4: beside }
    expect(find(listing(sets)).inForce).toBe('yes')
  })

  it('of IPv6 a range in the protect set counts in the same way', () => {
    const wide = acl('2001:db8:e57::/48', 'in')
    const inForce = (range: readonly [string, string]) => {
      const sets = { src6: [element('2001:db8:e57::/48')], protect6: [{ range }] }
      return foundFor(look(listing(sets), { asked: [wide] }), wide).inForce
    }
    expect(inForce(['2001:db8:e57:ffff::1', '2001:db8:e58::9'])).toBe('no')
    expect(inForce(['2001:db8:e58::1', '2001:db8:e58::9'])).toBe('yes')
  })

  it.each([
    ['a concatenation', { concat: ['203.0.113.9', 80] }],
    ['a form that nobody knows', { interval: '203.0.113.9' }],
    ['a range that ends before it begins', { range: ['203.0.113.20', '203.0.113.5'] }],
    ['a range of two families', { range: ['203.0.113.5', '2001:db8::'] }],
  ])('%s in the protect set is not guessed about: what is dropped is unknown', (_, entry) => {
    const sets = { dst4: [element('203.0.113.9')], protect4: [entry] }
    const found = find(listing(sets))
    expect(found).toMatchObject({
      inForce: 'unknown',
      note: expect.stringContaining('protect4') as string,
    })
    expect(found.stop).toBeUndefined()
    // Where nothing stands in the set that drops, nothing is dropped for certain: a release can end.
    expect(find(listing({ protect4: [entry] })).inForce).toBe('no')
  })

  it.each([
    ['nothing', {}, true, 'ready'],
    [
      'a range that is let pass',
      { protect4: [{ range: ['203.0.113.5', '203.0.113.20'] }] },
      true,
      'ready; protect4 lets 203.0.113.5-203.0.113.20 pass',
    ],
    [
      'a protect set that is not understood',
      { protect6: [{ concat: ['2001:db8::1', 80] }] },
      false,
      'entries of protect6 are not understood: what they drop or let pass is not known',
    ],
    [
      'a range where only prefixes belong',
      { dst4: [{ range: ['203.0.113.5', '203.0.113.20'] }] },
      false,
      'entries of dst4 are not understood: what they drop or let pass is not known',
    ],
  ])('the preflight says of a table with %s what it is worth', (_, sets, ok, found) => {
    const name = 'table inet nullroute'
    const table = {
      'nft -j list table inet nullroute': listing(sets),
      'nft -t list table inet nullroute': headOf('inet'),
      'nft -j list table bridge nullroute': read('nft_list_table_missing'),
      'nft -t list table bridge nullroute': read('nft_list_table_missing'),
    }
    expect(preflightOf(linux, name, table, { root: 'yes' })).toMatchObject({ ok, found })
  })

  it('reports marked elements that nobody asked for', () => {
    const sets = { dst4: [element('203.0.113.77'), element('203.0.113.78', 'by hand')] }
    expect(look(listing(sets)).marked.map(({ key }) => key)).toEqual(['acl|out|203.0.113.77/32'])
  })

  it('the table of an earlier form, with other sets, is not prepared', () => {
    const old = read('nft_j_list_set_block_dst4')
    expect(find(old).stop?.code).toBe('not_prepared')
  })
})

describe('ports on Linux', () => {
  const intent = port('eth1')
  const quiet = {
    links: '[{"ifname":"eth1","flags":[]},{"ifname":"br0","flags":[]}]',
    addr: '[{"ifname":"eth1","addr_info":[]}]',
    through4: '[]',
    through6: '[]',
    several4: '',
    several6: '',
    nexthops: '[]',
    neighbours: '[]',
    proxied: '[]',
    keep: '0\n0\n',
    client: '[{"dst":"10.20.0.1","dev":"mgmt0"}]',
  }
  const find = (link: string, state: Partial<typeof quiet> = {}) => {
    const now = { ...quiet, ...state }
    return foundFor(
      observed(linux, [intent], {
        'ip -j -d link show': now.links,
        'ip -j route get "$NR_CLIENT"': now.client,
        'ip -j link show dev eth1': link,
        'ip -j addr show dev eth1': now.addr,
        'ip -j -4 route show table all dev eth1': now.through4,
        'ip -j -6 route show table all dev eth1': now.through6,
        "ip -o -4 route show table all | grep 'nexthop .*dev eth1 '": now.several4,
        "ip -o -6 route show table all | grep 'nexthop .*dev eth1 '": now.several6,
        'ip -j nexthop show dev eth1': now.nexthops,
        'ip -j neigh show dev eth1 nud permanent': now.neighbours,
        'ip -j neigh show proxy dev eth1': now.proxied,
        'sysctl -n net.ipv6.conf.all.keep_addr_on_down net.ipv6.conf.eth1.keep_addr_on_down':
          now.keep,
      }),
      intent,
    )
  }

  it.each([
    ['ip_link_show_up_json', 'none', 'no'],
    ['ip_link_show_no_carrier_json', 'none', 'no'],
    ['ip_link_show_admin_down_json', 'same', 'yes'],
  ])('%s', (name, effect, inForce) => {
    expect(find(read(name))).toMatchObject({ effect, inForce, mark: 'unmarkable' })
  })

  it('missing', () => {
    expect(find(read('ip_link_show_missing')).stop?.code).toBe('no_such_object')
  })

  // As iproute2 6.1 prints it with -o.
  const several = (head: string, first: string, second: string, flags = '') =>
    `${head}\\\tnexthop via 192.0.2.2 dev ${first} weight 1 \\\tnexthop via 192.0.2.3 dev ${second} weight 1 ${flags}\n`

  const address = JSON.stringify([
    {
      ifname: 'eth1',
      addr_info: [
        { family: 'inet', local: '192.0.2.1', prefixlen: 24, scope: 'global' },
        { family: 'inet6', local: '2001:db8::1', prefixlen: 64, scope: 'global' },
      ],
    },
  ])

  it.each([
    ['a global IPv6 address', { addr: address }, 'not_restorable'],
    ['that address, kept by the kernel', { addr: address, keep: '0\n1\n' }, undefined],
    [
      'a static route',
      { through4: '[{"dst":"198.51.100.0/24","protocol":"static"}]' },
      'not_restorable',
    ],
    ['a route by hand', { through6: '[{"dst":"2001:db8:1::/48"}]' }, 'not_restorable'],
    [
      'a route of a number that nobody has named',
      { through4: '[{"dst":"203.0.113.9","protocol":"223"}]' },
      'not_restorable',
    ],
    [
      'a route of the kernel or a daemon',
      {
        through4:
          '[{"dst":"192.0.2.0/24","protocol":"kernel"},{"dst":"0.0.0.0/0","protocol":"bgp"}]',
      },
      undefined,
    ],
    [
      'a route by hand whose next hops are all on it',
      { several4: several('203.0.113.0/24 ', 'eth1', 'eth1') },
      'not_restorable',
    ],
    [
      'such a route of IPv6, whose other port is down',
      { several6: several('default proto static metric 1024 pref medium', 'eth1', 'eth2', 'dead') },
      'not_restorable',
    ],
    [
      'a route by hand that another port carries too',
      { several4: several('203.0.113.0/24 ', 'eth1', 'eth2') },
      undefined,
    ],
    [
      'a route of a daemon whose next hops are all on it',
      { several4: several('203.0.113.0/24 nhid 7 proto bgp metric 20 ', 'eth1', 'eth1') },
      undefined,
    ],
    [
      'a next hop of its own by hand, which a group may hold',
      { nexthops: '[{"id":1,"gateway":"192.0.2.10","dev":"eth1","scope":"link","flags":[]}]' },
      'not_restorable',
    ],
    [
      'a next hop of a daemon',
      { nexthops: '[{"id":1,"gateway":"192.0.2.10","dev":"eth1","protocol":"zebra","flags":[]}]' },
      undefined,
    ],
    [
      'an ip that knows no next hops',
      { nexthops: 'Object "nexthop" is unknown, try "ip help".\n' },
      undefined,
    ],
    [
      'a kernel that knows no next hops',
      { nexthops: 'RTNETLINK answers: Operation not supported\nDump terminated\n' },
      undefined,
    ],
    [
      'a neighbour by hand',
      {
        neighbours: '[{"dst":"203.0.113.10","lladdr":"02:00:00:00:00:09","state":["PERMANENT"]}]',
      },
      'not_restorable',
    ],
    [
      'a neighbour that the host answers for',
      { proxied: '[{"dst":"2001:db8:e57::99","proxy":null}]' },
      'not_restorable',
    ],
    ['a child', { links: '[{"ifname":"eth1.10","link":"eth1","flags":[]}]' }, 'ambiguous'],
    ['a member', { links: '[{"ifname":"p7","master":"eth1","flags":[]}]' }, 'ambiguous'],
    ['our own session', { client: '[{"dst":"10.20.0.1","dev":"eth1","uid":0}]' }, 'not_restorable'],
    [
      'a session on a port of a longer name',
      { client: '[{"dst":"10.20.0.1","dev":"eth10"}]' },
      undefined,
    ],
  ])('with %s', (_, state, code) => {
    expect(find(read('ip_link_show_up_json'), state).stop?.code).toBe(code)
  })

  it('names the neighbours that would be lost', () => {
    const found = find(read('ip_link_show_up_json'), {
      neighbours:
        '[{"dst":"203.0.113.10","lladdr":"02:00:00:00:00:09","state":["PERMANENT"]},{"dst":"2001:db8:e57::10","lladdr":"02:00:00:00:00:10","state":["PERMANENT"]}]',
      proxied: '[{"dst":"2001:db8:e57::99","proxy":null}]',
    })
    expect(found.stop).toMatchObject({
      message:
        'eth1 would lose the permanent neighbour 203.0.113.10, the permanent neighbour 2001:db8:e57::10, the proxy entry for 2001:db8:e57::99 for good',
      remedy: expect.stringContaining('learn the neighbours') as string,
    })
  })

  it('neighbours that cannot be read are an error', () => {
    const unread = { proxied: 'Cannot find device "eth1"\n' }
    expect(() => find(read('ip_link_show_up_json'), unread)).toThrow(AgentError)
  })

  it('is refused too where the route’s other port is asked about in the same write', () => {
    const both = [intent, port('eth2')]
    const table: Record<string, string> = {}
    for (const { what, line } of linux.observe(both, { host: '', nonce: '', facts: {} })) {
      const [kind = '', name = ''] = what.split('|')
      table[line.text] =
        {
          links: quiet.links,
          client: quiet.client,
          link: JSON.stringify([{ ifname: name, flags: ['UP'] }]),
          addr: JSON.stringify([{ ifname: name, addr_info: [] }]),
          keep: '0\n0\n',
          several4: several('203.0.113.0/24 ', 'eth1', 'eth2'),
          several6: '',
        }[kind] ?? '[]'
    }
    const seen = observed(linux, both, table)
    expect(both.map((one) => foundFor(seen, one).stop?.code)).toEqual([
      'not_restorable',
      'not_restorable',
    ])
  })

  it('routes that cannot be read are an error', () => {
    const unread = { several4: 'grep: nexthop: No such file or directory\n' }
    expect(() => find(read('ip_link_show_up_json'), unread)).toThrow(AgentError)
  })

  it('the far end of a veth does not stand on it', () => {
    const own = read('ip_link_show_up_json').replace('"link_index":2', '"link":"far"')
    const links = '[{"ifname":"far","link":"eth1","flags":[]}]'
    expect(find(own, { links }).stop).toBeUndefined()
  })

  it('another interface in the answer is an error', () => {
    const other = read('ip_link_show_up_json').replace('"eth1"', '"eth2"')
    expect(() => find(other)).toThrow(AgentError)
  })
})

// --- lines

describe('lines for Linux', () => {
  const lines = (changes: readonly Change[], facts: Facts) =>
    linux.render(changes, facts).map((rendering) => linesOf(rendering))
  const facts = { root: 'yes', tables: 'inet' }

  it('stand in front of the operator’s IPv4 route, and at metric 1 for IPv6', () => {
    const intents = [blackhole('203.0.113.9/32'), blackhole('2001:db8:e57::/48'), port('p2')]
    expect(
      lines(
        intents.map((intent) => ({ kind: 'apply', intent })),
        facts,
      ),
    ).toMatchObject([
      {
        apply: ['ip route prepend blackhole 203.0.113.9/32 proto 223'],
        undo: ['ip route del blackhole 203.0.113.9/32 proto 223'],
      },
      {
        apply: ['ip -6 route add blackhole 2001:db8:e57::/48 proto 223 metric 1'],
        undo: ['ip -6 route del blackhole 2001:db8:e57::/48 proto 223 metric 1'],
      },
      { apply: ['ip link set dev p2 down'], undo: ['ip link set dev p2 up'] },
    ])
  })

  it('say of a host that was not read that a second table gets the same, and of one that was nothing', () => {
    const change = { kind: 'apply', intent: acl('203.0.113.0/24') } as const
    const noteOf = (known: Facts) => {
      const [rendering] = linux.render([change], known)
      return rendering?.kind === 'lines' ? rendering.note : undefined
    }
    expect(noteOf({ username: 'nullroute' })).toContain('table bridge nullroute')
    expect(noteOf(facts)).toBeUndefined()
  })

  it('for an account with the sudo fragment are exactly what its expressions allow', () => {
    const intents = [
      blackhole('203.0.113.9/32'),
      blackhole('2001:db8:e57::/48'),
      acl('203.0.113.0/24'),
      acl('2001:db8:e57::/48', 'out'),
      port('p2'),
    ]
    const allowed = [
      ...sudoers(['p1', 'p2']).matchAll(/\/usr\/sbin\/(ip|nft) (\^.*?\$)(?:,|$)/gm),
    ].map(([, program, expression]) => new RegExp(expression!.replace('^', `^${program} `)))
    expect(allowed).toHaveLength(4)
    for (const { apply, undo } of lines(
      intents.map((intent) => ({ kind: 'apply', intent })),
      { root: 'no', tables: 'inet bridge' },
    )) {
      for (const text of [...apply, ...undo]) {
        // As the shell hands it to sudo.
        const words = text.replace(/^setsid -w sudo -n /, '').replaceAll("'", '')
        expect(text).toMatch(/^setsid -w sudo -n /)
        expect(allowed.filter((expression) => expression.test(words))).toHaveLength(1)
      }
    }
  })

  it('swap overlapping filters in one transaction as root', () => {
    const narrow = acl('203.0.113.9/32')
    const wide = acl('203.0.113.0/24')
    const object = ['add element inet nullroute src4 { 203.0.113.9/32 comment "nullroute" }']
    const [first, second] = lines(
      [
        { kind: 'apply', intent: wide },
        { kind: 'lift', intent: narrow, before: [], wrote: object },
      ],
      facts,
    )
    expect(first?.apply).toEqual([
      `nft 'delete element inet nullroute src4 { 203.0.113.9/32 } ; add element inet nullroute src4 { 203.0.113.0/24 comment "nullroute" }'`,
    ])
    expect(second).toMatchObject({ apply: [], undo: [], wrote: [] })
  })

  it('swap them in two steps with the sudo fragment, the removal first', () => {
    const object = ['add element inet nullroute src4 { 203.0.113.9/32 comment "nullroute" }']
    const [first] = lines(
      [
        { kind: 'apply', intent: acl('203.0.113.0/24') },
        { kind: 'lift', intent: acl('203.0.113.9/32'), before: [], wrote: object },
      ],
      { root: 'no', tables: 'inet' },
    )
    expect(first?.apply).toEqual([
      "setsid -w sudo -n nft delete element inet nullroute src4 '{ 203.0.113.9/32 }'",
      `setsid -w sudo -n nft add element inet nullroute src4 '{ 203.0.113.0/24 comment "nullroute" }'`,
    ])
  })

  it('never are longer than the terminal takes', () => {
    const changes: Change[] = Array.from({ length: 200 }, (_, i) => ({
      kind: 'apply',
      intent: acl(`203.0.113.${i}/32`),
    }))
    const wide = acl('203.0.113.0/24')
    const wrote = ['add element inet nullroute src4 { 203.0.113.0/24 comment "nullroute" }']
    const [first] = lines([{ kind: 'lift', intent: wide, before: [], wrote }, ...changes], facts)
    const longest = Math.max(
      ...(first?.apply ?? []).flatMap((text) => text.split('\n')).map((line) => line.length),
    )
    expect(first?.apply).toHaveLength(1)
    expect(longest).toBeLessThan(4_000)
  })

  it('say why there is no neighbor', () => {
    expect(linux.limits).toEqual([{ kind: 'neighbor', reason: expect.stringContaining('no BGP') }])
  })

  it('a save writes what is held, in words that the restore script takes and nothing else', () => {
    const held = [
      blackhole('203.0.113.9/32'),
      blackhole('2001:db8:e57::/48'),
      acl('203.0.113.0/24'),
      port('p2'),
    ].map((intent) => {
      const [rendering] = linux.render([{ kind: 'apply', intent }], facts)
      return { key: keyOf(intent), wrote: linesOf(rendering).wrote }
    })
    const texts = (linux.save?.lines(held, facts) ?? []).map(({ text }) => text.split('\n'))
    const expressions = Object.fromEntries(
      [...restoreScript(['p1', 'p2']).matchAll(/^([A-Z]+)='(\^.*\$)'$/gm)].map(([, name, text]) => [
        name,
        new RegExp(text!),
      ]),
    )
    const bodies = texts.map((rows) => rows.slice(1, -1))
    expect(bodies.map((rows) => rows.length)).toEqual([2, 1, 1])
    expect(bodies[0]?.every((row) => expressions['ROUTE']?.test(row))).toBe(true)
    expect(bodies[1]?.every((row) => expressions['NFT']?.test(row))).toBe(true)
    expect(bodies[2]?.every((row) => expressions['PORT']?.test(row))).toBe(true)
    expect(
      texts.every(([first]) => / && sync \S+ && mv -f \S+ \S+ && sync /.test(first ?? '')),
    ).toBe(true)
  })

  describe('and a save keeps what is saved already', () => {
    const inet = 'add element inet nullroute dst4 { 203.0.113.9/32 comment "nullroute" }'
    const bridge = 'add element bridge nullroute dst4 { 203.0.113.9/32 comment "nullroute" }'
    const route = 'route prepend blackhole 203.0.113.9/32 proto 223'
    const route6 = '-6 route add blackhole 2001:db8:e57::/48 proto 223 metric 1 table 100'
    const down = 'link set dev p2 down'
    const saved = (...lines: readonly string[]) => answered(lines.join('\n'))
    const answered = (text: string, line = linux.save?.kept?.saved) => {
      if (line === undefined) throw new Error('nothing is kept')
      return { line, text }
    }
    const readsOf = (lines: readonly string[], known: readonly string[] = []) =>
      (linux.save?.kept?.reads(saved(...lines), new Set(known), facts) ?? []).map(
        ({ what }) => what,
      )
    const keptOf = (lines: readonly string[], texts: Readonly<Record<string, string>>) => {
      const answers = (linux.save?.kept?.reads(saved(...lines), new Set(), facts) ?? []).map(
        ({ what, line }) => [what, answered(texts[what] ?? '[]', line)] as const,
      )
      return linux.save?.kept?.standing(saved(...lines), new Map(answers))
    }
    const noTable = 'Error: No such file or directory\nlist table inet nullroute\n     ^^^^'

    it('asks the host nothing where all that is saved has a claim', () => {
      expect(readsOf([])).toEqual([])
      expect(readsOf([inet, route, down], [down, inet, route])).toEqual([])
      expect(readsOf([inet, route, down], [inet, route])).toEqual(['links'])
    })

    it('if it stands as it is saved, with our mark', () => {
      const routes = {
        'blackholes|4': JSON.stringify([
          { type: 'blackhole', dst: '203.0.113.9', protocol: '223', flags: [] },
          { type: 'blackhole', dst: '203.0.113.8', protocol: '223', flags: [] },
        ]),
        'blackholes|6': JSON.stringify([
          {
            type: 'blackhole',
            dst: '2001:db8:e57::/48',
            protocol: '223',
            metric: 1,
            table: '100',
            flags: [],
          },
        ]),
        vrfs: '[{"ifname":"CUST","linkinfo":{"info_kind":"vrf","info_data":{"table":100}}}]',
      }
      expect(keptOf([route, route6], routes)).toEqual([
        { key: 'blackhole|default|203.0.113.9/32', wrote: [route] },
        { key: 'blackhole|CUST|2001:db8:e57::/48', wrote: [route6] },
      ])
      expect(keptOf([route], { ...routes, 'blackholes|4': '[]' })).toEqual([])
      const metric = routes['blackholes|4'].replaceAll('"flags"', '"metric":5,"flags"')
      expect(keptOf([route], { ...routes, 'blackholes|4': metric })).toEqual([])
    })

    it('of a filter where the table is not there to show it, too', () => {
      const element = { val: { prefix: { addr: '203.0.113.9', len: 32 } }, comment: 'nullroute' }
      const tables = (elements: readonly unknown[]) => ({
        'table|inet': listing({ dst4: elements }),
        'head|inet': headOf('inet'),
        'table|bridge': noTable,
        'head|bridge': noTable,
      })
      const key = 'acl|out|203.0.113.9/32'
      expect(keptOf([inet, bridge], tables([{ elem: element }]))).toEqual([
        { key, wrote: [inet] },
        { key, wrote: [bridge] },
      ])
      expect(keptOf([inet, bridge], tables([]))).toEqual([{ key, wrote: [bridge] }])
      expect(keptOf([inet], tables([{ elem: { ...element, comment: 'ops' } }]))).toEqual([])
    })

    it('of a port while it is down', () => {
      const links = (flags: readonly string[]) => ({
        links: JSON.stringify([{ ifname: 'p2', flags }]),
      })
      expect(keptOf([down], links(['BROADCAST']))).toEqual([{ key: 'port|p2', wrote: [down] }])
      expect(keptOf([down], links(['BROADCAST', 'UP']))).toEqual([])
    })

    it('and saves nothing where it may not see what is saved', () => {
      expect(readsOf(['cat: /etc/nullroute/state.d/routes: No such file or directory'])).toEqual([])
      expect(() => readsOf(['cat: /etc/nullroute/state.d/routes: Permission denied'])).toThrow(
        /something unknown; expected the saved files/,
      )
    })
  })

  it.each([
    ['eth0.100', 'eth0x100'],
    ['Ethernet1/0', 'Ethernet1-0'],
    ['veth_a-b', 'veth_a-bc'],
    ['eth0:1', 'eth0'],
  ])('the rights that are prepared for the port %s are for no other, such as %s', (name, other) => {
    const [, script] = /^PORT='(.*)'$/m.exec(restoreScript(['p1', name])) ?? []
    const [, rights] = /NR_PORT {2}= \/usr\/sbin\/ip (.*)$/m.exec(sudoers(['p1', name])) ?? []
    for (const expression of [script, rights]) {
      const pattern = new RegExp(expression!)
      expect(pattern.test(`link set dev ${name} down`)).toBe(true)
      expect(pattern.test(`link set dev ${other} down`)).toBe(false)
    }
  })

  it('the lab is prepared with the very lines that `device prepare` prints', () => {
    const file = (name: string) =>
      readFileSync(new URL(`../lab/config/sw1/${name}`, import.meta.url), 'utf8')
    expect(file('table.nft')).toBe(`${tableFile}\n`)
    expect(file('nullroute-restore')).toBe(`${restoreScript(['p1', 'p2'])}\n`)
    expect(file('sudoers')).toBe(`${sudoers(['p1', 'p2'])}\n`)
    expect(linux.prepare([])).toContain(tableFile)
  })
})

// --- changes

const prefixes = [
  '203.0.113.9/32',
  '203.0.113.8/31',
  '203.0.113.0/24',
  '2001:db8:e57::9/128',
  '2001:db8:e57::/48',
]
const anyIntent = fc.oneof(
  fc.constantFrom(...prefixes).map((text) => blackhole(text)),
  fc
    .record({ text: fc.constantFrom(...prefixes), direction: fc.constantFrom('in', 'out') })
    .map(({ text, direction }) => acl(text, direction as 'in' | 'out')),
  fc.constantFrom(...ports).map((name) => port(name)),
)
const anyWanted = fc.uniqueArray(anyIntent, { selector: keyOf, maxLength: 8 })
const anyFacts = fc.constantFrom({ root: 'yes' }, { root: 'no' })
const anyHost = fc
  .record({
    routes: fc.uniqueArray(
      fc.record({
        at: fc.constantFrom(...prefixes),
        drops: fc.boolean(),
        metric: fc.constantFrom(0, 1, 5),
      }),
      { selector: ({ at, metric }) => `${at} ${metric}` },
    ),
    elements: fc.subarray(['203.0.113.9/32', '2001:db8:e57::/48']),
    down: fc.subarray(ports),
    families: fc.constantFrom(['inet'], ['inet', 'bridge']),
  })
  .map(({ routes, elements, down, families }): Host => {
    const names = families.flatMap((name) => allSets.map((set) => `${name} ${set}`))
    return {
      routes: routes.map((one) => ({
        ...one,
        mine: false,
        metric: one.at.includes(':') ? one.metric || 1024 : one.metric,
      })),
      sets: new Map(
        names.map((name) => [
          name,
          new Map(
            elements
              .filter((text) => text.includes(':') === name.endsWith('6'))
              .map((text) => [text, 'by hand']),
          ),
        ]),
      ),
      down: new Set(down),
      families,
    }
  })

describe('changes on Linux', () => {
  it('any suspensions and changes of mind, then a release, leave the host as it was, and no command fails', () => {
    fc.assert(
      fc.property(
        anyHost,
        fc.array(anyWanted, { maxLength: 4 }),
        anyFacts,
        (host, rounds, facts) => {
          const before = print(host)
          let claims: readonly Claim[] = []
          for (const wanted of [...rounds, []]) {
            const result = converge(host, wanted, claims, facts)
            expect(result.failures).toEqual([])
            claims = result.claims
          }
          expect(print(host)).toBe(before)
          expect(claims).toEqual([])
        },
      ),
    )
  })

  it('after one convergence nothing is left to do, save what is somebody else’s', () => {
    fc.assert(
      fc.property(
        anyHost,
        fc.array(anyWanted, { minLength: 1, maxLength: 3 }),
        anyFacts,
        (host, rounds, facts) => {
          let claims: readonly Claim[] = []
          for (const wanted of rounds) ({ claims } = converge(host, wanted, claims, facts))
          const wanted = rounds.at(-1) ?? []
          const desired = { wanted, expected: [], fading: [], claims, frozen: false }
          const intents = union(claims, wanted)
          const left = decide(desired, look(host, intents, facts)).map(({ kind }) => kind)
          expect(left.filter((kind) => kind === 'change')).toEqual([])
        },
      ),
    )
  })

  it('undo takes back what apply did', () => {
    fc.assert(
      fc.property(anyHost, anyIntent, anyFacts, (host, intent, facts) => {
        const before = print(host)
        const observation = look(host, [intent], facts)
        const found = foundFor(observation, intent)
        fc.pre(found.effect === 'none' && found.stop === undefined)
        const [rendering] = linux.render([{ kind: 'apply', intent }], observation.facts)
        const { apply, undo, wrote } = linesOf(rendering)
        for (const text of apply) run(host, text)
        expect(foundFor(look(host, [intent], facts), intent).object).toEqual(wrote)
        for (const text of undo) run(host, text)
        expect(print(host)).toBe(before)
      }),
    )
  })
})

describe('the state of a Linux host, for comparing', () => {
  const answers = (texts: Readonly<Record<string, string>>) =>
    new Map(
      linux.configuration.map((one) => [one.what, { line: one.line, text: texts[one.what] ?? '' }]),
    )

  it('leaves out handles and counters, and the order of what links bring back by themselves', () => {
    const one = answers({
      routes6:
        '[{"dst":"fe80::/64","dev":"a","protocol":"kernel"},{"dst":"fe80::/64","dev":"b","protocol":"kernel"},{"dst":"2001:db8::/32","dev":"b"}]',
      ruleset: listing({ dst4: [element('203.0.113.9')] }),
      addresses:
        '[{"ifname":"a","addr_info":[{"local":"fe80::1","tentative":true,"valid_life_time":4294967295}]}]',
      links: '[{"ifname":"a","flags":["UP"],"operstate":"UP"}]',
    })
    const other = answers({
      routes6:
        '[{"dst":"2001:db8::/32","dev":"b"},{"dst":"fe80::/64","dev":"b","protocol":"kernel"},{"dst":"fe80::/64","dev":"a","protocol":"kernel"}]',
      ruleset: listing({ dst4: [element('203.0.113.9')] }).replaceAll(
        '"packets":0,"bytes":0',
        '"packets":7,"bytes":588',
      ),
      addresses: '[{"ifname":"a","addr_info":[{"local":"fe80::1","valid_life_time":77}]}]',
      links: '[{"ifname":"a","flags":["UP"],"operstate":"LOWERLAYERDOWN"}]',
    })
    expect(linux.canonical(one)).toBe(linux.canonical(other))
  })

  it.each([
    ['links', '[{"ifname":"a","flags":["UP"]}]', '[{"ifname":"a","flags":[]}]'],
    ['routes4', '[{"dst":"203.0.113.9","type":"blackhole"}]', '[]'],
    ['ruleset', listing({ dst4: [element('203.0.113.9')] }), listing({})],
    ['saved', '# routes\nroute prepend blackhole 203.0.113.9/32 proto 223', '# routes'],
    ['rules4', '[{"priority":0,"table":"local"}]', '[{"priority":1,"table":"local"}]'],
  ])('shows a difference in %s', (what, one, other) => {
    expect(linux.canonical(answers({ [what]: one }))).not.toBe(
      linux.canonical(answers({ [what]: other })),
    )
  })
})

describe('the preflight of Linux', () => {
  const judge = (texts: Readonly<Record<string, string>>, facts: Facts) => {
    const reads = linux.preflight.reads(['access'], root)
    const answers = new Map(
      reads.map(({ what, line }) => [
        what,
        { line, text: texts[what] ?? '', status: what in texts ? 0 : 1 },
      ]),
    )
    return linux.preflight.judge(answers, { host: '', nonce: '', facts })
  }

  const usual =
    '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"}]'
  const bare = { 'table inet': read('nft_list_table_missing') }

  it.each([
    ['rules', 'policy routing'],
    ['rules6', 'policy routing for IPv6'],
  ])('tells of a rule for another table among the %s', (what, name) => {
    const bypass = usual.replace('[', '[{"priority":100,"src":"all","table":"100"},')
    const other = what === 'rules' ? 'rules6' : 'rules'
    const texts = { ...bare, [what]: bypass, [other]: usual }
    const bad = judge(texts, {}).filter(({ ok }) => !ok)
    expect(bad.map((one) => one.name).filter((one) => one.startsWith('policy'))).toEqual([name])
  })

  it('asks nothing of a host without IPv6', () => {
    const all = judge({ ...bare, rules6: 'RTNETLINK answers: Operation not supported' }, {})
    expect(all.map(({ name }) => name)).not.toContain('policy routing for IPv6')
  })

  it('is content with a prepared host', () => {
    const all = judge(
      {
        'may route': 'root',
        'table inet': listing({}),
        'head inet': headOf('inet'),
        'table bridge': listing({}),
        'head bridge': headOf('bridge'),
        bridges: '[{"ifname":"br0"}]',
        state: 'writable',
        restore: 'enabled',
        rules: usual,
        rules6: usual,
        flowtables: '',
      },
      { version: 'iproute2 6.1.0', nft: '1.0.6' },
    )
    expect(all.filter(({ ok }) => !ok)).toEqual([])
    expect(all.length).toBeGreaterThan(7)
  })

  it('says of a bare host what is missing and what to do', () => {
    const all = judge({ 'table inet': read('nft_list_table_missing') }, { nft: 'none' })
    const bad = all.filter(({ ok }) => !ok).map(({ name }) => name)
    expect(bad).toEqual([
      'version',
      'rights',
      'table inet nullroute',
      'save',
      'restore',
      'policy routing',
      'policy routing for IPv6',
    ])
    expect(all.every(({ remedy, expected }) => remedy !== '' && expected !== '')).toBe(true)
  })
})
