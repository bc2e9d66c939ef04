// What IOS shows means for each intent, and what is written for each change. Texts are in the form of its manuals and of published sessions.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../agent/diff.ts'
import type { Intent } from '../../agent/intents.ts'
import { keyOf } from '../../agent/intents.ts'
import type { Change, Seen } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import {
  acl,
  blackhole,
  claimOn,
  foundFor,
  linesOf,
  neighbor,
  observed,
  openedTo,
  port,
  preflightOf,
  withUplinks,
} from './conformance-kit.ts'

const routesLine = 'show running-config | include ^ip route|^ipv6 route'
const groupLine = 'show object-group name NULLROUTE'
const listsLine =
  'show running-config | include ^[a-z0-9]+ access-list |object-group NULLROUTE|^ .*permit |^ .*evaluate |^interface |^ ip access-group'
const bgpLine = 'show running-config | section ^router bgp'

const absent = '% Subnet not in table'
const bound = `ip access-list extended CUST-IN
 1 deny ip object-group NULLROUTE any
ip access-list extended CUST-OUT
 deny   ip any object-group NULLROUTE
interface GigabitEthernet0/0
interface GigabitEthernet0/1
 ip access-group CUST-IN in
 ip access-group CUST-OUT out
interface Vlan300
 ip access-group CUST-IN in`

/** The answer to `show ip route` for a static discard. */
function routed(entry: string, path = 'directly connected, via Null0'): string {
  return `Routing entry for ${entry}
  Known via "static", distance 1, metric 0 (connected)
  Tag 666
  Routing Descriptor Blocks:
  * ${path}
      Route metric is 0, traffic share count is 1
      Route tag 666`
}

/** What the device says of a next hop: the route that it takes for it, and where that leads. */
function toHop(hop: string, entry = `${hop}/32`, path?: string): Record<string, string> {
  return { [`show ip route ${hop}`]: routed(entry, path) }
}

const host = blackhole('203.0.113.9/32')
const hostLine = 'ip route 203.0.113.9 255.255.255.255 Null0 tag 666 name nullroute-0291da56'
const hostQuestion = 'show ip route 203.0.113.9 255.255.255.255'

function blackholes(
  config: string,
  answer: string,
  intent: Intent = host,
  question = hostQuestion,
) {
  return throughHops({ [routesLine]: config, [question]: answer }, intent, question)
}

/** The same, of a device that is asked where next hops lead as well. */
function throughHops(table: Record<string, string>, intent: Intent, question: string) {
  const inside = isWide(intent) ? { [`${question} longer-prefixes`]: rows() } : {}
  return foundFor(observed(cisco_ios, [intent], { ...table, ...inside }), intent)
}

function isWide(intent: Intent): boolean {
  return intent.kind === 'blackhole' && !/\/(?:32|128)$/.test(intent.prefix)
}

/** A table of routes with these rows. */
function rows(...lines: readonly string[]): string {
  const legend = 'Codes: L - local, C - connected, S - static\n       + - replicated route\n'
  return `${legend}\nGateway of last resort is not set\n\n${lines.join('\n')}\n`
}

describe('a wide blackhole on IOS', () => {
  const wide = blackhole('203.0.113.0/24')
  const question = 'show ip route 203.0.113.0 255.255.255.0'
  const look = (table: string, hops: Record<string, string> = {}) =>
    foundFor(
      observed(cisco_ios, [wide], {
        ...hops,
        [routesLine]: 'ip route 203.0.113.0 255.255.255.0 Null0 tag 666',
        [question]: routed('203.0.113.0/24'),
        [`${question} longer-prefixes`]: table,
      }),
      wide,
    )
  const whole = 'S        203.0.113.0/24 is directly connected, Null0'

  it.each([
    ['connected', 'C        203.0.113.128/25 is directly connected, GigabitEthernet0/1'],
    ['learnt', 'B        203.0.113.128/25 [200/0] via 198.51.100.1, 00:10:00'],
    ['of OSPF', 'O E2    203.0.113.128/25 [110/20] via 198.51.100.1, 1d18h, Vlan7'],
    [
      'that goes on in the next line',
      'B        203.0.113.128/25 \n           [200/0] via 198.51.100.1, 00:10:00',
    ],
    [
      'of a uniform network',
      '      203.0.113.0/25 is subnetted, 1 subnets\nS        203.0.113.128 [1/0] via 198.51.100.1',
    ],
    [
      'with two ways',
      'S        203.0.113.128/25 is directly connected, Null0\n                         [1/0] via 198.51.100.1',
    ],
    ['replicated', 'S   +    203.0.113.128/25 [1/0] via 198.51.100.1'],
    ['of IS-IS, from another area', 'i ia    203.0.113.128/25 [115/30] via 198.51.100.1, 00:10:00'],
    [
      'of IS-IS, a candidate for the default',
      'i*ia    203.0.113.128/25 [115/30] via 198.51.100.1, 00:10:00',
    ],
    ['of IS-IS, its summary', 'i su    203.0.113.128/25 [115/30] via 198.51.100.1, 00:10:00'],
    ['of level 2', 'i L2    203.0.113.128/25 [115/10] via 198.51.100.1, 00:10:00'],
    ['of address translation', 'n Nd    203.0.113.128/25 [6/0] via 198.51.100.1, 00:10:00'],
    ['overridden by PfR', 'S   p    203.0.113.128/25 [1/0] via 198.51.100.1'],
    [
      'with the next hop overridden',
      'B   %    203.0.113.128/25 [200/0] via 198.51.100.1, 00:10:00',
    ],
    ['of an OSPF NSSA', 'O*N2    203.0.113.128/25 [110/20] via 198.51.100.1, 00:10:00'],
    ['of EIGRP, external', 'D EX    203.0.113.128/25 [170/2297856] via 198.51.100.1, 00:10:00'],
    ['of LISP', 'l        203.0.113.128/25 [250/1] via 198.51.100.1, 00:10:00'],
    [
      'in a form that isn’t known',
      'B        203.0.113.128/25 [200/0] via 198.51.100.1, indirectly',
    ],
  ])('is not in force while a more specific route leads on: %s', (_, row) => {
    const asks = /via 198\.51\.100\.1(?:$|, \d\d:)/.test(row)
    const found = look(
      rows('      203.0.113.0/24 is variably subnetted, 2 subnets, 2 masks', whole, row),
      asks ? toHop('198.51.100.1', '198.51.100.0/24', 'directly connected, via Vlan7') : {},
    )
    expect(found).toMatchObject({ inForce: 'partly', effect: 'same' })
    expect(found.note).toContain('203.0.113.128/25')
  })

  it.each([
    ['nothing', ''],
    ['a discard', 'S        203.0.113.9/32 is directly connected, Null0'],
    ['a summary', 'D        203.0.113.128/25 is a summary, 7w0d, Null0'],
    ['a learnt discard', 'B        203.0.113.9/32 [200/0] via 192.0.2.254, 00:00:04'],
  ])('is in force with %s inside', (_, row) => {
    const hops = row.includes('192.0.2.254') ? toHop('192.0.2.254') : {}
    expect(look(rows(whole, row), hops)).toMatchObject({ inForce: 'yes' })
  })

  it('is unknown where the image can’t say, and an error is no table', () => {
    expect(look("      ^\n% Invalid input detected at '^' marker.")).toMatchObject({
      inForce: 'unknown',
      cannotTell: true,
    })
    expect(() => look('%% Low on memory')).toThrow('a table of routes')
  })

  it.each([
    'Serial1/0 203.0.113.128/25',
    'Q?       203.0.113.128/25 [1/0] via 198.51.100.1',
    '         203.0.113.128/25 [1/0] via 198.51.100.1',
    'Tunnel   203.0.113.128/25 is directly connected, Tunnel7',
    '         through 198.51.100.1',
  ])('is not said to be in force by a table with a line that nobody knows: %s', (line) => {
    expect(() => look(rows(whole, line))).toThrow(/unknown; expected a row of the table/)
  })

  it('reads each line of a table of a real device', () => {
    const table = rows(
      '      203.0.113.0/24 is variably subnetted, 3 subnets, 2 masks',
      whole,
      'O E2    203.0.113.168/32 ',
      '           [110/20] via 198.51.100.1, 12:54:35, TenGigabitEthernet7/4',
      'B        203.0.113.9/32 [200/0], 2w0d, Null0',
    ).replace('is not set', 'is 198.51.100.1 to network 0.0.0.0')
    expect(look(table).note).toContain('203.0.113.168/32')
  })

  it('in IPv6 likewise', () => {
    const six = blackhole('2001:db8:e57::/48')
    const asked = 'show ipv6 route 2001:DB8:E57::/48'
    const answer =
      'Routing entry for 2001:DB8:E57::/48\n  Routing paths:\n    directly connected via Null0\n'
    const see = (...lines: readonly string[]) =>
      foundFor(
        observed(cisco_ios, [six], {
          [asked]: answer,
          [`${asked} longer-prefixes`]: `IPv6 Routing Table - default - 3 entries\nCodes: C - Connected, S - Static\n       B - BGP, ND - ND Default\n${lines.join('\n')}\n`,
        }),
        six,
      )
    const own = ['S   2001:DB8:E57::/48 [1/0]', '     via Null0, directly connected']
    expect(see(...own).inForce).toBe('yes')
    const leak = ['B   2001:DB8:E57:1::/64 [200/0]', '     via FE80::1, GigabitEthernet0/0']
    const found = see(...own, ...leak)
    expect(found.inForce).toBe('partly')
    expect(found.note).toContain('2001:db8:e57:1::/64')
    for (const code of ['NDp', 'OE1', 'I1', 'i ia', 'S   p', 'lA']) {
      const other = [`${code} 2001:DB8:E57:2::/64 [115/20]`, '     via FE80::2, Vlan7']
      expect(see(...own, ...other).note).toContain('2001:db8:e57:2::/64')
    }
    expect(() => see(...own, '!!  2001:DB8:E57:3::/64 [1/0]')).toThrow('a row of the table')
    expect(() => see(...own, '     to FE80::2')).toThrow('a row of the table')
  })
})

describe('a blackhole on IOS', () => {
  it('is absent where neither configuration nor table has it', () => {
    expect(blackholes('', absent)).toMatchObject({ object: [], effect: 'none', inForce: 'no' })
  })

  it('is ours by its name, whatever the order of the options', () => {
    const found = blackholes(
      'ip route 203.0.113.9 255.255.255.255 Null0 name nullroute-0291da56 tag 666',
      routed('203.0.113.9/32'),
    )
    expect(found).toMatchObject({
      object: [hostLine],
      effect: 'same',
      mark: 'ours',
      inForce: 'yes',
    })
  })

  it.each([
    ['the same by hand', 'Null0 tag 666', 'same', 'none'],
    [
      'with a name copied from another prefix',
      'Null0 tag 666 name nullroute-12345678',
      'same',
      'none',
    ],
    ['another tag', 'Null0 tag 667', 'other', 'none'],
    ['no tag', 'Null0', 'other', 'none'],
    ['a distance', 'Null0 250 tag 666', 'other', 'none'],
    ['tracked', 'Null0 tag 666 track 7', 'other', 'none'],
    ['a next hop', '192.0.2.1 tag 666', 'other', 'none'],
  ])('%s: %s', (_, options, effect, mark) => {
    const line = `ip route 203.0.113.9 255.255.255.255 ${options}`
    expect(blackholes(line, routed('203.0.113.9/32'))).toMatchObject({ effect, mark })
  })

  it('stays ours, and is not in force, where somebody adds a next hop beside it', () => {
    const table = {
      [routesLine]: `${hostLine}\nip route 203.0.113.9 255.255.255.255 192.0.2.1`,
      [hostQuestion]: `${routed('203.0.113.9/32')}\n    192.0.2.1\n      Route metric is 0, traffic share count is 1`,
      ...toHop('192.0.2.1', '192.0.2.0/24', 'directly connected, via Vlan7'),
    }
    const found = throughHops(table, host, hostQuestion)
    expect(found).toMatchObject({ object: [hostLine], mark: 'ours', inForce: 'partly' })
  })

  it('is not seen in a covering route, a look-alike, or another table', () => {
    expect(blackholes('', routed('0.0.0.0/0, supernet')).inForce).toBe('no')
    expect(blackholes('', routed('203.0.113.0/26')).inForce).toBe('no')
    expect(blackholes(hostLine.replace('.9 ', '.90 '), absent).object).toEqual([])
    expect(blackholes(hostLine.replace('route ', 'route vrf CUST '), absent).object).toEqual([])
  })

  describe('by a learnt route', () => {
    const learnt = (hop: string) =>
      `Routing entry for 203.0.113.9/32\n  Known via "bgp 64500", distance 200, metric 0\n  Tag 64501, type internal\n  Last update from ${hop} 00:00:10 ago\n  Routing Descriptor Blocks:\n  * ${hop}, from 198.51.100.12, 00:00:10 ago\n      Route metric is 0, traffic share count is 1\n      AS Hops 0`
    const discard = 'ip route 192.0.2.254 255.255.255.255 Null0'
    const foundThrough = (hops: Record<string, string>, config = discard) =>
      throughHops(
        { [routesLine]: config, [hostQuestion]: learnt('192.0.2.254'), ...hops },
        host,
        hostQuestion,
      )
    const through = (hops: Record<string, string>, config = discard) =>
      foundThrough(hops, config).inForce

    it('is said to be learnt, whatever stands in the configuration beside it', () => {
      const floating = `${discard}\nip route 203.0.113.9 255.255.255.255 198.51.100.5 250`
      const seen = foundThrough(toHop('192.0.2.254'), floating)
      expect(seen).toMatchObject({ inForce: 'yes', learnt: true, effect: 'other' })
      expect(seen.object).toHaveLength(1)
      const own = `${routed('203.0.113.9/32')}\n    directly connected, via Null0\n      Route metric is 0, traffic share count is 1`
      expect(blackholes(hostLine, own)).not.toHaveProperty('learnt')
    })

    it('is in force where the device drops what goes to its next hop, by whatever route', () => {
      expect(through(toHop('192.0.2.254'))).toBe('yes')
      expect(through(toHop('192.0.2.254', '192.0.2.0/24'), '')).toBe('yes')
    })

    it('is not by a configured discard that is not the route of the next hop', () => {
      const floating = `${discard} 250\nip route 192.0.2.254 255.255.255.255 192.0.2.5`
      const beside = {
        ...toHop('192.0.2.254', '192.0.2.254/32', '192.0.2.5'),
        ...toHop('192.0.2.5', '192.0.2.4/30', 'directly connected, via GigabitEthernet0/1'),
      }
      expect(through(beside, floating)).toBe('no')
      expect(through(toHop('192.0.2.254', '192.0.2.254/32', '192.0.2.5, via Vlan7'))).toBe('no')
      expect(through({ 'show ip route 192.0.2.254': absent }, `${discard} track 7`)).toBe('unknown')
      const several = `${routed('192.0.2.254/32')}\n    directly connected, via Vlan7\n      Route metric is 0, traffic share count is 1`
      expect(through({ 'show ip route 192.0.2.254': several })).toBe('partly')
    })

    it.each([
      [
        'resolved by a host route',
        '192.0.2.254, from 10.0.0.1, 00:00:10 ago, recursive-via-host',
        'yes',
      ],
      [
        'resolved by a connected one',
        '192.0.2.254, from 10.0.0.1, 00:00:10 ago, recursive-via-conn',
        'yes',
      ],
      ['that only stands by', '192.0.2.254, from 10.0.0.1, 00:00:10 ago, repair path', 'unknown'],
      [
        'with an interface',
        '192.0.2.254, from 10.0.0.1, 00:00:10 ago, via GigabitEthernet0/1',
        'no',
      ],
      ['with the interface that discards', '192.0.2.254, via Null0', 'unknown'],
    ])('is what a path says %s', (_, path, inForce) => {
      const entry = routed('203.0.113.9/32', path)
      const hops = inForce === 'yes' ? toHop('192.0.2.254') : {}
      expect(through({ [hostQuestion]: entry, ...hops })).toBe(inForce)
    })

    it('has gone only where the last of several paths is seen to lead on', () => {
      const second = '192.0.2.5'
      const beside = `${routed('203.0.113.9/32', 'directly connected, via Vlan7')}\n    ${second}, from 10.0.0.1, 00:00:10 ago\n      Route metric is 0, traffic share count is 1`
      const end = (path: string) =>
        through({ [hostQuestion]: beside, ...toHop(second, '192.0.2.4/30', path) })
      expect(end('directly connected, via Vlan8')).toBe('no')
      expect(end('directly connected, via Null0')).toBe('partly')
    })

    it('is followed from next hop to next hop, and not in a circle', () => {
      const first = toHop('192.0.2.254', '192.0.2.254/32', '192.0.2.253')
      expect(through({ ...first, ...toHop('192.0.2.253') })).toBe('yes')
      const back = toHop('192.0.2.253', '192.0.2.253/32', '192.0.2.254')
      expect(through({ ...first, ...back })).toBe('unknown')
    })

    it('is looked up in the table that the device names', () => {
      const vrf = blackhole('203.0.113.9/32', { vrf: 'CUST' })
      const see = (hop: string, question: string) =>
        foundFor(
          observed(cisco_ios, [vrf], {
            'show ip route vrf CUST 203.0.113.9 255.255.255.255': `\nRouting Table: CUST\n${routed('203.0.113.9/32', hop)}`,
            [question]: routed('192.0.2.254/32'),
          }),
          vrf,
        ).inForce
      expect(see('192.0.2.254', 'show ip route vrf CUST 192.0.2.254')).toBe('yes')
      expect(
        see('192.0.2.254 (default), from 10.0.0.1, 1d18h ago', 'show ip route 192.0.2.254'),
      ).toBe('yes')
    })

    it('in IPv6 is not in force by a wider discard with a more specific route before it', () => {
      const six = blackhole('2001:db8:64::/48')
      const asked = 'show ipv6 route 2001:DB8:64::/48'
      const hop = 'show ipv6 route 2001:DB8:0:66::2'
      const entry = (prefix: string, path: string) =>
        `Routing entry for ${prefix}\n  Known via "static", distance 1, metric 0\n  Route count is 1/1, share count 0\n  Routing paths:\n    ${path}\n      Route metric is 0, traffic share count is 1`
      const see = (end: string) =>
        throughHops(
          {
            [routesLine]:
              'ipv6 route 2001:DB8::/32 Null0\nipv6 route 2001:DB8:64::/48 2001:DB8:0:66::2',
            [asked]: entry('2001:DB8:64::/48', '2001:DB8:0:66::2'),
            [hop]: end,
          },
          six,
          asked,
        ).inForce
      expect(see(entry('2001:DB8:0:66::/64', 'directly connected via GigabitEthernet0/1'))).toBe(
        'no',
      )
      expect(see(entry('2001:DB8::/32', 'directly connected via Null0'))).toBe('yes')
    })

    it('is never guessed from an answer that says something else', () => {
      expect(() => through({ 'show ip route 192.0.2.254': '%% Low on memory' })).toThrow(/unknown/)
      expect(() => through(toHop('192.0.2.254', '198.51.100.0/24'))).toThrow('a route that covers')
      const strange = `${routed('192.0.2.254/32')}\n  * tunnelled somewhere\n      Route metric is 0, traffic share count is 1`
      expect(() => through({ 'show ip route 192.0.2.254': strange })).toThrow('in a known form')
    })
  })

  it('is read in IPv6 and in a VRF', () => {
    const six = blackhole('2001:db8:e57::/48')
    const sixLine = 'ipv6 route 2001:DB8:E57::/48 Null0 tag 666 name nullroute-6a4a20a3'
    const answer =
      'Routing entry for 2001:DB8:E57::/48\n  Known via "static", distance 1, metric 0\n  Tag 666\n  Route count is 1/1, share count 0\n  Routing paths:\n    directly connected via Null0\n      Last updated 00:00:10 ago'
    expect(blackholes(sixLine, answer, six, 'show ipv6 route 2001:DB8:E57::/48')).toMatchObject({
      object: [sixLine],
      mark: 'ours',
      effect: 'same',
      inForce: 'yes',
    })
    expect(
      blackholes('', '% Route not found', six, 'show ipv6 route 2001:DB8:E57::/48').inForce,
    ).toBe('no')
    const vrf = blackhole('203.0.113.9/32', { vrf: 'CUST' })
    const question = 'show ip route vrf CUST 203.0.113.9 255.255.255.255'
    const vrfLine =
      'ip route vrf CUST 203.0.113.9 255.255.255.255 Null0 tag 666 name nullroute-02345860'
    expect(
      blackholes(vrfLine, `\nRouting Table: CUST\n${routed('203.0.113.9/32')}`, vrf, question),
    ).toMatchObject({ object: [vrfLine], mark: 'ours', inForce: 'yes' })
    expect(blackholes('', '% IP routing table CUST does not exist', vrf, question).stop?.code).toBe(
      'no_such_object',
    )
  })

  it('reports marks at keys that nobody asked for, and no copied ones', () => {
    const { marked } = observed(cisco_ios, [], {
      [routesLine]: `${hostLine}\nip route 203.0.113.10 255.255.255.255 Null0 tag 666 name nullroute-0291da56`,
    })
    expect(marked.map(({ key }) => key)).toEqual(['blackhole|default|203.0.113.9/32'])
  })

  it('is never guessed', () => {
    expect(() => blackholes('', 'something new')).toThrow(/unknown/)
    expect(() => blackholes('', '')).toThrow(/unknown/)
  })

  it('is one global line, named, and taken back by exactly that line', () => {
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent: host }], {})
    expect(linesOf(rendering)).toMatchObject({
      apply: [hostLine],
      undo: [`no ${hostLine}`],
      wrote: [hostLine],
    })
  })

  it('changes its tag in one line and goes back to the line that was there', () => {
    const intent = blackhole('203.0.113.9/32', { tag: 667 })
    const [rendering] = cisco_ios.render([{ kind: 'modify', intent, from: [hostLine] }], {})
    expect(linesOf(rendering)).toMatchObject({
      apply: [hostLine.replace('666', '667')],
      undo: [hostLine],
    })
  })

  it('has no name in IPv6 before IOS-XE 16', () => {
    const intent = blackhole('2001:db8:e57::/48')
    const [old] = cisco_ios.render([{ kind: 'apply', intent }], { version: '15.9(3)M4' })
    expect(linesOf(old).apply).toEqual(['ipv6 route 2001:DB8:E57::/48 Null0 tag 666'])
    const [new_] = cisco_ios.render([{ kind: 'apply', intent }], { version: '17.12.3' })
    expect(linesOf(new_).apply).toEqual([
      'ipv6 route 2001:DB8:E57::/48 Null0 tag 666 name nullroute-6a4a20a3',
    ])
  })

  it('reads back what it writes, for any prefix, tag and table', () => {
    const prefixes = fc.oneof(
      fc
        .tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 }))
        .map(([address, length]) => network(address, length)),
      fc
        .ipV6()
        .filter((a) => !a.includes('.'))
        .map((address) => `${address}/128`),
    )
    fc.assert(
      fc.property(
        prefixes,
        fc.integer({ min: 1, max: 4294967295 }),
        fc.constantFrom('default', 'CUST'),
        (text, tag, vrf) => {
          const intent = blackhole(text, { tag, vrf })
          const [rendering] = cisco_ios.render([{ kind: 'apply', intent }], {})
          const { apply, wrote } = linesOf(rendering)
          const [, question] = [...cisco_ios.observe([intent], { host: '', nonce: '', facts: {} })]
            .filter(({ what }) => what === keyOf(intent))
            .flatMap(({ line }) => ['', line.text])
          const found = blackholes(apply.join('\n'), '% Route not found', intent, question)
          expect(found).toMatchObject({ object: wrote, effect: 'same', mark: 'ours' })
        },
      ),
      { numRuns: 60 },
    )
  })
})

function network(address: string, length: number): string {
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - length)
  const base = Math.floor(value / size) * size
  return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.')}/${length}`
}

describe('a filter entry on IOS', () => {
  const entry = acl('203.0.113.64/26')
  const group = 'Network object group NULLROUTE\n host 192.0.2.255\n'
  const look = (
    members: string,
    lists: string,
    intents: readonly Intent[] = [entry],
    seen: Seen = withUplinks(),
  ) => {
    const asked = intents.length === 0 ? {} : { [listsLine]: lists }
    return observed(cisco_ios, intents, { [groupLine]: members, ...asked }, seen)
  }

  it('is a member of the prepared group', () => {
    const found = foundFor(look(`${group} 203.0.113.64 255.255.255.192\n`, bound), entry)
    expect(found).toMatchObject({
      object: ['object-group network NULLROUTE 203.0.113.64 255.255.255.192'],
      effect: 'same',
      mark: 'ours',
      inForce: 'yes',
    })
    expect(foundFor(look(group, bound), entry)).toMatchObject({ object: [], effect: 'none' })
  })

  it.each([
    ['no group', '', bound],
    ['an IPv6 group of that name', 'V6-Network object group NULLROUTE\n host 2001:db8::2\n', bound],
    ['no list', group, ''],
    ['a list that stands nowhere', group, bound.replaceAll(/^ ip access-group.*$/gm, '')],
    [
      'its list on what goes out',
      group,
      bound.replaceAll(/ip access-group CUST-IN in/g, 'ip access-group CUST-IN out'),
    ],
    ['the other direction only', group, bound.replace('1 deny ip object-group NULLROUTE any', '')],
    ['a permit', group, bound.replaceAll('deny', 'permit')],
    ['all let pass before it', group, bound.replace(' 1 deny', ' 1 permit ip any any\n 2 deny')],
    [
      'its line in a list of another kind',
      group,
      bound.replace(' 1 deny', 'ip access-list role-based X\n 1 deny'),
    ],
    ...['time-range NIGHT', 'fragments', 'dscp ef', 'log time-range NIGHT', 'log fragments'].map(
      (condition): [string, string, string] => [
        `the condition ${condition}`,
        group,
        bound.replace('NULLROUTE any', `NULLROUTE any ${condition}`),
      ],
    ),
    [
      'the group let pass before it',
      group,
      bound.replace(' 1 deny', ' 1 permit tcp object-group NULLROUTE any\n 2 deny'),
    ],
    ['a group of a longer name', group, bound.replaceAll('NULLROUTE', 'NULLROUTE-OLD')],
  ])('is not prepared with %s', (_, members, lists) => {
    expect(foundFor(look(members, lists), entry).stop?.code).toBe('not_prepared')
  })

  const before = (line: string) => bound.replace(' 1 deny', ` 1 ${line}\n 2 deny`)

  it.each([
    'permit object-group ALL any any',
    'permit object-group WEB object-group HOSTS any',
    'permit ip object-group HOSTS any',
    'permit tcp any any established',
    'permit icmp any any echo',
    'permit udp any eq domain any',
    'permit ip any host 198.51.100.1',
    'permit ip host 203.0.113.70 any',
    'permit ip 203.0.113.0 0.0.0.255 any',
    'permit tcp 203.0.0.64 0.0.255.0 any eq www',
    'permit 47 203.0.113.64 0.0.0.7 any',
    'evaluate BACK',
    'permit ip addrgroup HOSTS any',
  ])('is not seen to be dropped behind `%s`, which is named', (line) => {
    const found = foundFor(look(`${group} 203.0.113.64 255.255.255.192\n`, before(line)), entry)
    expect(found).toMatchObject({ inForce: 'no', effect: 'same' })
    const { stop } = foundFor(look(group, before(line)), entry)
    expect(stop?.code).toBe('not_prepared')
    expect(stop?.message).toContain(`\`${line}\` in CUST-IN`)
  })

  it.each([
    'permit ip host 203.0.113.7 any',
    'permit tcp 198.51.100.0 0.0.0.255 any established',
    'permit tcp 203.0.113.0 0.0.0.63 eq 80 443 host 203.0.113.70',
    'permit tcp 203.0.1.64 0.0.4.63 any',
    'deny   tcp any any eq smtp',
    'remark permit ip any any',
  ])('is in force behind `%s`, which nothing of it can meet', (line) => {
    const members = `${group} 203.0.113.64 255.255.255.192\n`
    expect(foundFor(look(members, before(line)), entry).inForce).toBe('yes')
  })

  it('is looked for by destination on what goes out', () => {
    const out = acl('203.0.113.64/26', 'out')
    const found = (line: string) => {
      const lists = bound.replace(' deny   ip any', ` ${line}\n deny   ip any`)
      return foundFor(look(`${group} 203.0.113.64 255.255.255.192\n`, lists, [out]), out).inForce
    }
    expect(found('permit tcp any eq 80 443 host 203.0.113.7 established')).toBe('yes')
    expect(found('permit ip 203.0.113.64 0.0.0.63 198.51.100.0 0.0.0.255')).toBe('yes')
    expect(found('permit tcp any range 1 1023 host 203.0.113.70')).toBe('no')
    expect(found('permit ip host 198.51.100.1 any')).toBe('no')
    expect(found('permit ip object-group A object-group B')).toBe('no')
  })

  it('is not confused by lists of other kinds', () => {
    const other = bound.replace(
      'ip access-list extended CUST-OUT',
      'ipv6 access-list SIX\n permit ipv6 any any\nip access-list extended CUST-OUT',
    )
    const members = `${group} 203.0.113.64 255.255.255.192\n`
    expect(foundFor(look(members, other), entry).inForce).toBe('yes')
  })

  it('names the entry that would count but for its condition', () => {
    const lists = bound.replace('NULLROUTE any', 'NULLROUTE any time-range NIGHT')
    const { stop, inForce } = foundFor(look(group, lists), entry)
    expect(inForce).toBe('no')
    expect(stop?.message).toContain('`deny ip object-group NULLROUTE any time-range NIGHT`')
    const there = foundFor(look(`${group} 203.0.113.64 255.255.255.192\n`, lists), entry)
    expect(there).toMatchObject({ effect: 'same', inForce: 'no' })
  })

  it('is in force by an entry that logs', () => {
    for (const word of ['log', 'log-input']) {
      const lists = bound.replace('NULLROUTE any', `NULLROUTE any ${word}`)
      const members = `${group} 203.0.113.64 255.255.255.192\n`
      expect(foundFor(look(members, lists), entry).inForce).toBe('yes')
    }
  })

  it('says which list denies it, and what was taken for granted', () => {
    const open = bound.replace('any\nip access-list', 'any\n 9 permit ip any any\nip access-list')
    const found = foundFor(look(`${group} 203.0.113.64 255.255.255.192\n`, open), entry)
    expect(found.inForce).toBe('yes')
    expect(found.note).toMatch(
      /^denied by CUST-IN on GigabitEthernet0\/1, Vlan300; taken for granted: /,
    )
  })

  it('counts a list only where it stands on more than uplinks, in whatever spelling those are named', () => {
    const members = `${group} 203.0.113.64 255.255.255.192\n`
    const uplinks = (...names: readonly string[]) =>
      foundFor(look(members, bound, [entry], withUplinks(...names)), entry)
    expect(uplinks('Gi0/0').inForce).toBe('yes')
    expect(uplinks('gi0/1')).toMatchObject({
      inForce: 'yes',
      note: expect.stringMatching(/^denied by CUST-IN on Vlan300;/) as string,
    })
    expect(uplinks('gi0/1', 'Vlan300')).toMatchObject({ inForce: 'no' })
    const { stop } = foundFor(look(group, bound, [entry], withUplinks('gi0/1', 'Vl300')), entry)
    expect(stop).toMatchObject({
      code: 'not_prepared',
      message: expect.stringContaining('CUST-IN on GigabitEthernet0/1, Vlan300') as string,
    })
    const units = bound.replaceAll('GigabitEthernet0/1', 'GigabitEthernet0/1.300')
    const out = acl('203.0.113.64/26', 'out')
    expect(foundFor(look(group, units, [out], withUplinks('Gi0/1')), out).stop?.message).toContain(
      'CUST-OUT on GigabitEthernet0/1.300 drops',
    )
  })

  it('is found prepared beforehand only where that is so', () => {
    const check = (...names: readonly string[]) =>
      preflightOf(
        cisco_ios,
        'acl prepared',
        { [groupLine]: group, [listsLine]: bound },
        withUplinks(...names).facts,
      )
    expect(check('Gi0/0')).toMatchObject({
      ok: true,
      found:
        '1 members, denied in by CUST-IN on GigabitEthernet0/1, Vlan300, out by CUST-OUT on GigabitEthernet0/1',
    })
    expect(check('Gi0/1', 'Vlan300')).toMatchObject({
      ok: false,
      found: expect.stringContaining('out on uplinks only (CUST-OUT on') as string,
    })
  })

  it('can be lifted wherever the group is bound by now', () => {
    const found = foundFor(look(`${group} 203.0.113.64 255.255.255.192\n`, ''), entry)
    expect(found).toMatchObject({ inForce: 'no' })
    expect(found.stop).toBeUndefined()
  })

  it('waits for the prompt of the group on the way in and out', () => {
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent: entry }], {})
    const { apply, undo } = linesOf(rendering)
    expect(apply).toEqual([
      'object-group network NULLROUTE',
      '203.0.113.64 255.255.255.192',
      'exit',
    ])
    expect(undo[1]).toBe('no 203.0.113.64 255.255.255.192')
    expect(rendering).toMatchObject({ apply: [{ opens: 'config-network-group' }, {}, {}] })
  })

  it('is sent once for both directions', () => {
    const changes: Change[] = (['in', 'out'] as const).map((direction) => ({
      kind: 'apply',
      intent: acl('203.0.113.9/32', direction),
    }))
    const [first, second] = cisco_ios.render(changes, {}).map(linesOf)
    expect(first?.apply).toContain('host 203.0.113.9')
    expect(second).toMatchObject({ apply: [], undo: [], wrote: first?.wrote })
  })

  it('stays for one direction when the other is released, and goes with the last', () => {
    const [inward, outward] = [acl('203.0.113.9/32', 'in'), acl('203.0.113.9/32', 'out')]
    const wrote = ['object-group network NULLROUTE host 203.0.113.9']
    const observation = look(`${group} host 203.0.113.9\n`, bound, [inward, outward])
    const both = [claimOn(inward, wrote), claimOn(outward, wrote)]
    const base = { expected: [], fading: [], frozen: false }
    const kinds = (wanted: readonly Intent[], claims: typeof both) =>
      decide({ ...base, wanted, claims }, observation).map(({ key, kind }) => [key, kind])

    expect(kinds([inward], both)).toEqual([
      [keyOf(inward), 'settled'],
      [keyOf(outward), 'lifted'],
    ])
    expect(kinds([outward], [claimOn(inward, wrote)])).toEqual([
      [keyOf(outward), 'settled'],
      [keyOf(inward), 'settled'],
    ])
    expect(kinds([], both)).toEqual([
      [keyOf(inward), 'change'],
      [keyOf(outward), 'change'],
    ])
  })

  it('never touches the member that keeps the group, and says so', () => {
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent: acl('192.0.2.255/32') }], {})
    expect(rendering?.kind).toBe('refused')
    expect(look(group, bound, []).marked).toEqual([])
  })

  it('is not done in IPv6, and the plan says why', () => {
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent: acl('2001:db8::/48') }], {})
    expect(rendering).toMatchObject({
      kind: 'unsupported',
      reason: expect.stringContaining('IPv6'),
    })
  })

  it('without a claim is an orphan', () => {
    const { marked } = look(`${group} host 203.0.113.77\n`, bound, [])
    expect(marked.map(({ key }) => key)).toEqual(['acl|in|203.0.113.77/32'])
  })
})

describe('a port on IOS', () => {
  const one = port('Gi1/0/7')
  const block = (lines: string) =>
    `Building configuration...\n\nCurrent configuration : 101 bytes\n!\ninterface GigabitEthernet1/0/7\n description shutdown customer #4711\n${lines} switchport mode access\nend\n`
  const look = (config: string, state: string) =>
    observed(cisco_ios, [one], {
      'show running-config interface Gi1/0/7': config,
      'show interfaces Gi1/0/7': state,
    })
  const up = 'GigabitEthernet1/0/7 is up, line protocol is up (connected)\n  Hardware is x'
  const down = 'GigabitEthernet1/0/7 is administratively down, line protocol is down (disabled)'
  const full = 'interface GigabitEthernet1/0/7 shutdown'

  it.each([
    ['up', block(''), up, { object: [], effect: 'none', inForce: 'no' }],
    ['shut', block(' shutdown\n'), down, { object: [full], effect: 'same', inForce: 'yes' }],
    ['shut and still up', block(' shutdown\n'), up, { object: [full], inForce: 'no' }],
  ])('%s', (_, config, state, expected) => {
    expect(foundFor(look(config, state), one)).toMatchObject(expected)
  })

  it.each(['', 'Interface table busy, try again later', '% Resource temporarily unavailable'])(
    'is never said to be shut by the answer "%s"',
    (answer) => {
      expect(() => look(block(' shutdown\n'), answer)).toThrow(/was answered by something unknown/)
    },
  )

  it.each([
    [' channel-group 3 mode active\n', 'access', 'a member of Port-channel3'],
    ['', 'trunk', 'a trunk'],
    ['', 'access', undefined],
  ])('says what it is besides: %s mode %s', (lines, mode, note) => {
    const config = block(lines).replace('mode access', `mode ${mode}`)
    const found = foundFor(look(config, up), one)
    if (note === undefined) expect(found.note).toBeUndefined()
    else expect(found.note).toContain(`GigabitEthernet1/0/7 is ${note}`)
    expect(found.stop).toBeUndefined()
  })

  describe('that carries our own session', () => {
    const head =
      'Interface                  IP-Address      OK? Method Status                Protocol\n'
    const brief = (...held: readonly (readonly [name: string, address: string])[]) =>
      head +
      held
        .map(
          ([name, address]) =>
            `${name.padEnd(26)} ${address.padEnd(15)} YES NVRAM  up                    up\n`,
        )
        .join('')
    const stopOf = (
      addresses: string,
      { config = block(''), state = up, address = '192.0.2.1' } = {},
    ) =>
      foundFor(
        observed(
          cisco_ios,
          [one],
          {
            'show running-config interface Gi1/0/7': config,
            'show interfaces Gi1/0/7': state,
            [address.includes(':') ? 'show ipv6 interface brief' : 'show ip interface brief']:
              addresses,
          },
          openedTo(address),
        ),
        one,
      ).stop
    const trunk = (words: string) => block(words).replace('mode access', 'mode trunk')

    it.each([
      ['by itself', brief(['GigabitEthernet1/0/7', '192.0.2.1']), block('')],
      ['by a sub-interface', brief(['GigabitEthernet1/0/7.100', '192.0.2.1']), block('')],
      [
        'in a channel',
        brief(['Port-channel3', '192.0.2.1']),
        block(' channel-group 3 mode active\n'),
      ],
      [
        'by a unit of its channel',
        brief(['Port-channel3.9', '192.0.2.1']),
        block(' channel-group 3 mode on\n'),
      ],
      ['by its VLAN', brief(['Vlan47', '192.0.2.1']), block(' switchport access vlan 47\n')],
      ['by the VLAN that it has by itself', brief(['Vlan1', '192.0.2.1']), block('')],
      [
        'by its VLAN, though it prints that it has no address',
        brief(['Vlan47', '192.0.2.1']),
        block(' switchport access vlan 47\n no ip address\n'),
      ],
      [
        'by the VLAN that it has by itself, with nothing printed but that it has no address',
        brief(['Vlan1', '192.0.2.1']),
        block(' no ip address\n').replace(' switchport mode access\n', ''),
      ],
      ['as a trunk', brief(['Vlan47', '192.0.2.1']), trunk('')],
      [
        'as a trunk that lets the VLAN pass',
        brief(['Vlan47', '192.0.2.1']),
        trunk(' switchport trunk allowed vlan 10,20\n switchport trunk allowed vlan add 40-50\n'),
      ],
    ])('is not taken down: %s', (_, addresses, config) => {
      expect(stopOf(addresses, { config })).toMatchObject({
        code: 'not_restorable',
        message: expect.stringMatching(/^our own session comes in by /) as string,
      })
    })

    it.each([
      [
        'IPv4',
        brief(
          ['GigabitEthernet1/0/7', 'unassigned'],
          ['GigabitEthernet1/0/7.20', '10.0.0.1'],
          ['GigabitEthernet1/0/7.30', 'unassigned'],
        ),
        '192.0.2.1',
      ],
      [
        'IPv6',
        'GigabitEthernet1/0/7   [up/up]\n    unassigned\nGigabitEthernet1/0/7.20 [up/up]\n    FE80::1\nGigabitEthernet1/0/7.30 [administratively down/down]\n    unassigned\n',
        '2001:db8::1',
      ],
    ])('is not taken down with sub-interfaces of others on it: %s', (_, addresses, address) => {
      expect(stopOf(addresses, { address })).toEqual({
        code: 'ambiguous',
        message:
          'GigabitEthernet1/0/7 carries GigabitEthernet1/0/7.20, GigabitEthernet1/0/7.30, which would go down with it',
        remedy: "name the customer's own interface in the inventory",
      })
    })

    it('is taken down beside a sub-interface that was deleted, of which only the name is left', () => {
      const left =
        'GigabitEthernet1/0/7.20    unassigned      YES NVRAM  deleted               down\n'
      expect(stopOf(brief(['GigabitEthernet1/0/70.20', '10.0.0.1']) + left)).toBeUndefined()
    })

    it.each([
      [
        'another port',
        brief(['GigabitEthernet1/0/70', '192.0.2.1'], ['GigabitEthernet1/0/7', 'unassigned']),
        block(''),
      ],
      ['another address', brief(['GigabitEthernet1/0/7', '192.0.2.10']), block('')],
      [
        'another channel',
        brief(['Port-channel31', '192.0.2.1']),
        block(' channel-group 3 mode on\n'),
      ],
      ['another VLAN', brief(['Vlan47', '192.0.2.1']), block(' switchport access vlan 4\n')],
      [
        'a VLAN that the trunk leaves out',
        brief(['Vlan47', '192.0.2.1']),
        trunk(' switchport trunk allowed vlan 1-46,48-4094\n'),
      ],
      [
        'a routed port without an address',
        brief(['Vlan1', '192.0.2.1']),
        block(' no switchport\n no ip address\n').replace(' switchport mode access\n', ''),
      ],
      [
        'a routed port of a router',
        brief(['Vlan1', '192.0.2.1']),
        block(' ip address 198.51.100.1 255.255.255.252\n').replace(
          ' switchport mode access\n',
          '',
        ),
      ],
      ['a loopback', brief(['Loopback0', '192.0.2.1']), block('')],
    ])('is another one: %s', (_, addresses, config) => {
      expect(stopOf(addresses, { config })).toBeUndefined()
    })

    it('is found by IPv6 too, in whatever spelling', () => {
      const six =
        'GigabitEthernet1/0/7   [up/up]\n    FE80::1\n    2001:DB8::1\nVlan1                  [administratively down/down]\n    unassigned\n'
      expect(stopOf(six, { address: '2001:db8:0::1' })?.code).toBe('not_restorable')
      expect(stopOf(six, { address: '2001:db8::2' })).toBeUndefined()
    })

    it('is never guessed', () => {
      expect(() => stopOf('% Low on memory')).toThrow('was answered by something unknown')
    })
  })

  it('must exist: entering a missing one would make it', () => {
    const found = foundFor(look(invalidAt('Gi1/0/7'), ''), one)
    expect(found.stop?.code).toBe('no_such_object')
    expect(foundFor(look(invalidAt('/7'), ''), one).stop?.code).toBe('no_such_object')
  })

  it.each([
    ['at the command', () => invalidAt('running-config')],
    ['at the word before', () => invalidAt('interface')],
    ['nowhere', () => "% Invalid input detected at '^' marker.\n"],
  ])('is not said to be missing where the device points %s', (_, answer) => {
    expect(() => look(answer(), '')).toThrow(/was answered by something unknown/)
  })

  // Under the screen's `edge1#show running-config interface Gi1/0/7`.
  const invalidAt = (word: string): string => {
    const column = 'edge1#show running-config interface Gi1/0/7'.lastIndexOf(word)
    return `${' '.repeat(column)}^\n% Invalid input detected at '^' marker.\n`
  }

  it('is refused where the device takes the name for another port than the guards did', () => {
    const other = block('').replace('interface GigabitEthernet', 'interface TwentyFiveGigE')
    expect(foundFor(look(other, up), one).stop?.code).toBe('ambiguous')
  })

  it('is one object under two spellings, which stays down until neither key wants it', () => {
    const two = port('gigabitethernet1/0/7')
    const shown = observed(cisco_ios, [one, two], {
      'show running-config interface Gi1/0/7': block(' shutdown\n'),
      'show interfaces Gi1/0/7': down,
      'show running-config interface gigabitethernet1/0/7': block(' shutdown\n'),
      'show interfaces gigabitethernet1/0/7': down,
    })
    const decisions = decide(
      { wanted: [two], expected: [], fading: [], claims: [claimOn(one, [full])], frozen: false },
      shown,
    )
    expect(decisions.map(({ kind }) => kind)).toEqual(['settled', 'settled'])
  })

  it.each([
    ['Gi1/0/7', 'gigabitethernet1/0/7'],
    ['GIGABITETHERNET1/0/07', 'gigabitethernet1/0/7'],
    ['g1/0/7', 'gigabitethernet1/0/7'],
    ['Te1/1/1', 'tengigabitethernet1/1/1'],
    ['Twe1/0/1', 'twentyfivegige1/0/1'],
    ['Po10', 'port-channel10'],
    ['port-ch10', 'port-channel10'],
    ['Gi0/1.0100', 'gigabitethernet0/1.100'],
    ['Dot11Radio0', 'dot11radio0'],
    ['Null0', 'null0'],
    ['nve1', 'nve1'],
    ['t1/0/1', undefined],
    ['f0/1', undefined],
  ])('%s is the port %s', (name, canonical) => {
    expect(cisco_ios.canonicalPort(name)).toBe(canonical)
  })

  it('is refused while err-disabled: it could not be restored', () => {
    const state = 'GigabitEthernet1/0/7 is down, line protocol is down (err-disabled)'
    expect(foundFor(look(block(''), state), one).stop?.code).toBe('not_restorable')
  })

  it('is entered by its full name, confirmed and left before anything else', () => {
    const { facts } = look(block(''), up)
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent: one }], facts)
    expect(linesOf(rendering)).toMatchObject({
      apply: ['interface GigabitEthernet1/0/7', 'shutdown', 'exit'],
      undo: ['interface GigabitEthernet1/0/7', 'no shutdown', 'exit'],
      wrote: [full],
    })
  })

  it('of a sub-interface has its own prompt', () => {
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent: port('Gi0/0.100') }], {})
    expect(rendering).toMatchObject({ apply: [{ opens: 'config-subif' }, {}, {}] })
  })
})

describe('a neighbor on IOS', () => {
  const config = `router bgp 64500
 bgp log-neighbor-changes
 neighbor 192.0.2.9 remote-as 64501
 neighbor 192.0.2.10 remote-as 64502
 neighbor 192.0.2.10 shutdown
 neighbor 192.0.2.11 remote-as 64503
 neighbor 192.0.2.11 shutdown graceful 60
 neighbor PEERS peer-group
 neighbor PEERS shutdown
 neighbor 2001:DB8::9 peer-group PEERS
 !
 address-family ipv4
  neighbor 192.0.2.12 activate
 exit-address-family
 !
 address-family ipv4 vrf CUST
  neighbor 192.0.2.9 remote-as 64509
  neighbor 192.0.2.9 shutdown
 exit-address-family`
  const summary = `For address family: IPv4 Unicast
Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd
192.0.2.9       4        64501 1336020 6433770 10113436    0    0 8w0d         3143
192.0.2.10      4      1.64502       0       0        1    0    0 never    Idle (Admin)

For address family: IPv6 Unicast
Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd
2001:DB8::9
                4        64501       0       0        1    0    0 never    Idle (Admin)`
  const look = (
    intent: ReturnType<typeof neighbor>,
    question = 'show bgp all summary',
    text = summary,
  ) => observed(cisco_ios, [intent], { [bgpLine]: config, [question]: text })

  it.each([
    ['192.0.2.9', { object: [], effect: 'none', inForce: 'no' }],
    ['192.0.2.10', { effect: 'same', inForce: 'yes' }],
    ['192.0.2.11', { effect: 'other' }],
    ['2001:db8::9', { object: [], effect: 'same', inForce: 'yes' }],
    ['192.0.2.12', { stop: { code: 'no_such_object' } }],
    ['192.0.2.99', { stop: { code: 'no_such_object' } }],
  ])('%s', (address, expected) => {
    const intent = neighbor(address)
    expect(foundFor(look(intent), intent)).toMatchObject(expected)
  })

  it('is never said to be shut by an answer that is no summary', () => {
    expect(() => look(neighbor('192.0.2.10'), 'show bgp all summary', 'BGP is busy')).toThrow(
      'a summary of BGP',
    )
  })

  it('is not seen, and so not in force, where the summary has no row for it', () => {
    const intent = neighbor('192.0.2.10')
    const shown = look(intent, 'show bgp all summary', summary.replace(/^192\.0\.2\.10 .*\n/m, ''))
    expect(foundFor(shown, intent)).toMatchObject({ effect: 'same', inForce: 'unknown' })
    const wanted = { wanted: [intent], expected: [], fading: [], claims: [], frozen: false }
    expect(decide(wanted, shown).map(({ kind }) => kind)).toEqual(['waiting'])
  })

  it('of a VRF is another than the global one of that address', () => {
    const intent = neighbor('192.0.2.9', { vrf: 'CUST' })
    const observation = look(intent, 'show bgp vpnv4 unicast vrf CUST summary')
    expect(foundFor(observation, intent)).toMatchObject({
      object: ['router bgp 64500 address-family ipv4 vrf CUST neighbor 192.0.2.9 shutdown'],
    })
  })

  it('is shut inside the instance that the device has, each context confirmed', () => {
    const intent = neighbor('192.0.2.9', { vrf: 'CUST' })
    const facts = observed(cisco_ios, [intent], { [bgpLine]: config }).facts
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent }], facts)
    expect(linesOf(rendering).apply).toEqual([
      'router bgp 64500',
      'address-family ipv4 vrf CUST',
      'neighbor 192.0.2.9 shutdown',
      'exit-address-family',
      'exit',
    ])
    expect(rendering).toMatchObject({ note: expect.stringContaining('message') })
  })

  it('of an unknown instance is for plans only', () => {
    const [rendering] = cisco_ios.render([{ kind: 'apply', intent: neighbor('192.0.2.9') }], {})
    expect(rendering).toMatchObject({
      apply: [{ text: 'router bgp <asn>', unresolved: true }, {}, {}],
    })
  })

  it('of a device without BGP is refused', () => {
    const intent = neighbor('192.0.2.9')
    expect(foundFor(observed(cisco_ios, [intent], {}), intent).stop?.code).toBe('no_such_object')
  })

  it('takes another message without a line', () => {
    const intent = neighbor('192.0.2.9', { message: 'Other' })
    const from = ['router bgp 64500 neighbor 192.0.2.9 shutdown']
    const [rendering] = cisco_ios.render([{ kind: 'modify', intent, from }], { asn: '64500' })
    expect(linesOf(rendering)).toMatchObject({ apply: [], wrote: from })
  })
})

describe('what stops every change on IOS', () => {
  const timer = 'show archive config rollback timer'
  const stop = (table: Record<string, string>) => observed(cisco_ios, [], table).stop?.code

  it('is a rollback timer of anybody', () => {
    const text =
      'Time configured(or reconfigured): 22:50:48 UTC Sat Feb 21 2026\nTimer type: absolute timer\nTimer value: 2 min\nUser: ops'
    expect(stop({ [timer]: text })).toBe('timer_pending')
  })

  it('is a reload that is scheduled', () => {
    const text = 'Reload scheduled for 12:00:00 UTC Fri Nov 27 2026 (in 10 minutes) by ops on vty0'
    expect(stop({ 'show reload': text })).toBe('timer_pending')
  })

  it.each([
    '%No Rollback Confirmed Change pending',
    "    ^\n% Invalid input detected at '^' marker.",
    '',
  ])('is not %j', (text) => {
    expect(stop({ [timer]: text })).toBeUndefined()
  })
})

describe('saving on IOS', () => {
  const held = [
    ['object-group network NULLROUTE host 203.0.113.9'],
    ['interface GigabitEthernet1/0/7 shutdown'],
    ['router bgp 64500 neighbor 192.0.2.9 shutdown'],
    [hostLine],
  ]
  const header = '!Contextual Config Diffs:\n'

  it('knows ours in added and removed lines, in whichever place the sign stands', () => {
    const answer = `${header}object-group network NULLROUTE
 +host 203.0.113.9
interface GigabitEthernet1/0/7
+ shutdown
router bgp 64500
 -neighbor 192.0.2.9 shutdown
+ip route 203.0.113.9 255.255.255.255 Null0 name nullroute-0291da56 tag 666
`
    expect(cisco_ios.save?.foreign?.(answer, held)).toEqual([])
  })

  it('names what is not ours, and leaves out what the device does by itself', () => {
    const answer = `${header}interface GigabitEthernet1/0/8
 +shutdown
-license udi pid CSR1000V sn 9FK
!
!The following order-dependent line(s) were re-ordered
!policy-map WAN
!End of reordered section
+ip route 198.51.100.0 255.255.255.0 Null0
`
    expect(cisco_ios.save?.foreign?.(answer, held)).toEqual([
      '+interface GigabitEthernet1/0/8 shutdown',
      '+ip route 198.51.100.0 255.255.255.0 Null0',
    ])
    expect(cisco_ios.save?.foreign?.(`${header}!No changes were found\n`, held)).toEqual([])
  })
})

describe('the whole configuration of IOS', () => {
  it('is compared without what changes by itself', () => {
    const [read] = cisco_ios.configuration
    const text = (bytes: number, by: string) =>
      `Building configuration...\n\nCurrent configuration : ${bytes} bytes\n!\n! Last configuration change at 10:00:00 UTC by ${by}\n!\nhostname edge1\n!\nend\n`
    const canonical = (answer: string) =>
      cisco_ios.canonical(new Map([['config', { line: read!.line, text: answer }]]))
    expect(canonical(text(10, 'a'))).toBe(canonical(text(11, 'b')))
    expect(canonical(text(10, 'a'))).toContain('hostname edge1')
    // Nothing was changed since it started: then nothing is said about it, and one `!` fewer stands there.
    const quiet = text(10, 'a').replace(/!\n! Last .*\n/, '')
    expect(canonical(quiet)).toBe(canonical(text(10, 'a')))
  })
})
