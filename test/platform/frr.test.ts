// What FRR shows and what is made of it: recordings, ownership, and lines that take back exactly what they did.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, decide } from '../../agent/diff.ts'
import { AgentError } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import {
  blackhole,
  claimOn,
  foundFor,
  linesOf,
  neighbor,
  observed,
  openedTo,
  port,
  walk,
} from './conformance-kit.ts'
import {
  besidesKernel,
  config,
  converge,
  look,
  peers,
  ports,
  print,
  type Router,
  type,
} from './frr-model.ts'

const read = (name: string) =>
  readFileSync(new URL(`../fixtures/frr/${name}.txt`, import.meta.url), 'utf8')

/** What is read for these ports of a device on which all routes are FRR's own. */
const noKernelRoutes = (...names: readonly string[]) =>
  Object.fromEntries(
    frr
      .observe(
        names.map((name) => port(name)),
        { host: 'edge', nonce: '', facts: {} },
      )
      .map(({ line }) => [line.text, besidesKernel(line.text, 'asked')] as const)
      .filter(([, answer]) => answer !== 'asked'),
  )

/** What is found for one intent on a device with this configuration and this answer to the read of its state. */
function find(intent: Intent, running: string, state: string) {
  const reads = frr.observe([intent], { host: 'edge', nonce: '', facts: {} })
  const states = reads
    .slice(2)
    .map(({ line }) => [line.text, besidesKernel(line.text, state)] as const)
  const table = { 'show running-config': running, ...Object.fromEntries(states) }
  return foundFor(observed(frr, [intent], table), intent)
}

describe('blackholes on FRR', () => {
  const intent = blackhole('203.0.113.10/32')

  it('are read from the whole configuration once and from the table by prefix and length', () => {
    const intents = [
      intent,
      blackhole('2001:db8:e57::/48'),
      blackhole('192.0.2.0/24', { vrf: 'red' }),
    ]
    const reads = frr.observe(intents, { host: 'edge', nonce: '', facts: {} })
    expect(reads.map(({ line }) => line.text)).toEqual([
      'show running-config',
      'show daemons',
      'show ip route 203.0.113.10/32 json',
      'show ipv6 route 2001:db8:e57::/48 json',
      'show ipv6 route 2001:db8:e57::/48 longer-prefixes json',
      'show ip route vrf red 192.0.2.0/24 json',
      'show ip route vrf red 192.0.2.0/24 longer-prefixes json',
    ])
    expect(reads.every(({ line }) => line.free && line.needs === frr.rest)).toBe(true)
  })

  it.each([
    ['show_running_config_trigger', 'show_ip_route_static_blackhole_present_json'],
    ['show_running_config_v10_3', 'show_ip_route_static_blackhole_present_json_v10_3'],
  ])('ours stands and is in force: %s', (running, state) => {
    expect(find(intent, read(running), read(state))).toEqual({
      key: 'blackhole|default|203.0.113.10/32',
      object: ['ip route 203.0.113.10/32 blackhole tag 666'],
      effect: 'same',
      mark: 'unmarkable',
      inForce: 'yes',
    })
  })

  it('IPv6 likewise', () => {
    const found = find(
      blackhole('2001:db8:113::10/128'),
      read('show_running_config_trigger'),
      read('show_ipv6_route_static_blackhole_present_json'),
    )
    expect(found).toMatchObject({
      object: ['ipv6 route 2001:db8:113::10/128 blackhole tag 666'],
      effect: 'same',
      inForce: 'yes',
    })
  })

  it('stand in the configuration before the table shows them: then they are not in force yet', () => {
    const found = find(
      intent,
      read('show_running_config_trigger'),
      read('show_ip_route_absent_json'),
    )
    expect(found).toMatchObject({ effect: 'same', inForce: 'no' })
  })

  it('an edge that learnt the route drops without a line of its own', () => {
    const state = read('show_ip_route_bgp_blackhole_edge_json')
    const found = find(intent, read('show_running_config_edge'), state)
    expect(found).toMatchObject({ object: [], effect: 'none', inForce: 'yes', learnt: true })
  })

  it('an edge that learnt it by a next hop that leads somewhere does not drop', () => {
    const leads = read('show_ip_route_bgp_blackhole_edge_json')
      .replaceAll('"unreachable":true,', '"ip":"192.0.2.9",')
      .replaceAll('"blackhole":true,', '')
    expect(find(intent, read('show_running_config_edge'), leads).inForce).toBe('no')
  })

  it.each([
    ['not selected', /"selected":true,/],
    ['not installed', /"installed":true,/],
  ])('a route that is %s is not in force', (_, pattern) => {
    const state = read('show_ip_route_static_blackhole_present_json').replace(pattern, '')
    expect(find(intent, read('show_running_config_trigger'), state).inForce).toBe('partly')
  })

  it.each([
    ['our own words, or Null0 for them', 'ip route P Null0 tag 666', 'same'],
    ['no tag', 'ip route P blackhole', 'other'],
    ['another tag', 'ip route P blackhole tag 667', 'other'],
    ['another distance', 'ip route P blackhole tag 666 250', 'other'],
    ['reject', 'ip route P reject tag 666', 'other'],
    ['a next hop', 'ip route P 192.0.2.1', 'other'],
    ['a next hop by an interface', 'ip route P 192.0.2.1 eth0', 'other'],
    ['a next hop of another distance, which ours beats', 'ip route P 192.0.2.1 250', 'none'],
    ['the same with a tag', 'ip route P 192.0.2.1 tag 5 250', 'none'],
    ['the same by an interface', 'ip route P eth0 tag 5 250', 'none'],
    ['the same by both', 'ip route P 192.0.2.1 eth0 tag 5 250 onlink', 'none'],
    ['the same with labels', 'ip route P 192.0.2.1 250 label 16/17', 'none'],
    ['the same with segments', 'ip route P eth0 250 segments 2001:db8::1/2001:db8::2', 'none'],
    ['the same watched', 'ip route P 192.0.2.1 250 bfd multi-hop source 192.0.2.2', 'none'],
    ['a next hop with a tag like a distance', 'ip route P 192.0.2.1 tag 250', 'other'],
    ['the same by an interface alone', 'ip route P eth0 tag 250', 'other'],
    ['the same by both', 'ip route P 192.0.2.1 eth0 tag 250', 'other'],
    ['a next hop with a color like a distance', 'ip route P 192.0.2.1 color 250', 'other'],
    ['a next hop with a label like a distance', 'ip route P 192.0.2.1 label 250', 'other'],
    ['a next hop in a VRF like a distance', 'ip route P 192.0.2.1 nexthop-vrf 250', 'other'],
    ['a next hop on the link', 'ip route P 192.0.2.1 eth0 onlink', 'other'],
    [
      'a next hop by segments',
      'ip route P eth0 segments 2001:db8::1 encap-behavior H_Encaps',
      'other',
    ],
    [
      'a next hop that is watched',
      'ip route P 192.0.2.1 bfd source 192.0.2.2 profile 250',
      'other',
    ],
    ['a next hop that is IPv6', 'ip route P 2001:db8::1 tag 250', 'other'],
    ['a next hop with a word that is not known', 'ip route P 192.0.2.1 250 weight 3', 'other'],
    ['a next hop of another table', 'ip route P 192.0.2.1 table 100', 'none'],
    ['the same with all else', 'ip route P 192.0.2.1 eth0 tag 4 label 16 table 100 onlink', 'none'],
    ['a discard of another table', 'ip route P blackhole tag 666 table 100', 'none'],
    ['a next hop of the main table, by its number', 'ip route P 192.0.2.1 table 254', 'other'],
    ['a discard of the main table, by its number', 'ip route P blackhole table 254', 'other'],
    ['another table, and a word that is not known', 'ip route P 192.0.2.1 table 7 x', 'other'],
    ['our own words with a label', 'ip route P blackhole tag 666 label 16', 'other'],
    ['nothing at this prefix', 'ip route 203.0.113.0/24 blackhole tag 666', 'none'],
    ['the same in a VRF', 'vrf red\n ip route P blackhole tag 666\nexit-vrf', 'none'],
    ['a route from one source only', 'ipv6 route ::/0 from 2001:db8::/32 blackhole', 'none'],
  ])('by someone else: %s', (_, line, effect) => {
    const running = config(line.replace('P', intent.prefix))
    expect(find(intent, running, '{}').effect).toBe(effect)
  })

  it.each([
    ['ip route 203.0.113.10/32 192.0.2.1 tag 250', 'other'],
    // The table of a VRF has a number that the configuration does not tell.
    ['ip route 203.0.113.10/32 192.0.2.1 table 100', 'other'],
    ['ip route 203.0.113.10/32 192.0.2.1 250', 'none'],
  ])('by someone else in a VRF: %s', (line, effect) => {
    const running = config('vrf red', ` ${line}`, 'exit-vrf')
    expect(find(blackhole('203.0.113.10/32', { vrf: 'red' }), running, '{}').effect).toBe(effect)
  })

  it('are where a line names its VRF itself', () => {
    const running = config('ip route 203.0.113.10/32 192.0.2.1 tag 250 vrf red')
    expect(find(blackhole('203.0.113.10/32', { vrf: 'red' }), running, '{}')).toMatchObject({
      object: ['ip route 203.0.113.10/32 192.0.2.1 tag 250 vrf red'],
      effect: 'other',
    })
    expect(find(intent, running, '{}').effect).toBe('none')
  })

  it('in a VRF the object is the line that is typed', () => {
    const inVrf = blackhole('198.51.100.0/24', { vrf: 'red', tag: 7 })
    const running = config('vrf red', ' ip route 198.51.100.0/24 blackhole tag 7', 'exit-vrf')
    const found = find(inVrf, running, '{}')
    expect(found.object).toEqual(['ip route 198.51.100.0/24 blackhole tag 7 vrf red'])
    const [rendering] = frr.render([{ kind: 'apply', intent: inVrf }], {})
    expect(linesOf(rendering).wrote).toEqual(found.object)
  })

  it.each([
    ['leads on', { nexthops: [{ ip: '198.51.100.1' }] }, 'partly'],
    ['is connected', { nexthops: [{ directlyConnected: true }] }, 'partly'],
    ['is dropped too', { nexthops: [{ blackhole: true }] }, 'yes'],
    ['is not chosen', { selected: false, nexthops: [{ ip: '198.51.100.1' }] }, 'yes'],
  ])('a more specific route that %s', (_, more, inForce) => {
    const wide = blackhole('203.0.113.0/24')
    const own = { selected: true, installed: true, nexthops: [{ blackhole: true }] }
    const table = { '203.0.113.0/24': [own] }
    const inside = { ...table, '203.0.113.128/25': [{ ...own, ...more }] }
    const found = foundFor(
      observed(frr, [wide], {
        'show running-config': config(),
        'show ip route 203.0.113.0/24 json': JSON.stringify(table),
        'show ip route 203.0.113.0/24 longer-prefixes json': JSON.stringify(inside),
      }),
      wide,
    )
    expect(found.inForce).toBe(inForce)
    expect(found.note?.includes('203.0.113.128/25')).toBe(inForce === 'partly' ? true : undefined)
  })

  it.each([
    ['one that leads on', [{ nexthops: [{ ip: '198.51.100.1' }] }], 'no'],
    ['one at an interface', [{ nexthops: [{ interfaceName: 'eth0' }] }], 'no'],
    [
      'none that is chosen, and none that drops',
      [{ selected: false, nexthops: [{ ip: '198.51.100.1' }] }],
      'no',
    ],
    [
      'one that is not in the kernel yet',
      [{ installed: false, nexthops: [{ ip: '198.51.100.1' }] }],
      'partly',
    ],
    [
      'one that leads on and drops',
      [{ nexthops: [{ ip: '198.51.100.1' }, { blackhole: true }] }],
      'partly',
    ],
    [
      'one that leads nowhere, for no reason known',
      [{ nexthops: [{ unreachable: true }] }],
      'partly',
    ],
    [
      'one with next hops that have no end',
      [{ nexthops: [{ ip: '192.0.2.254', recursive: true }] }],
      'partly',
    ],
  ])('has gone only where each path is seen to lead on: %s', (_, entries, inForce) => {
    const table = entries.map((entry) => ({ selected: true, installed: true, ...entry }))
    const found = find(intent, config(), JSON.stringify({ [intent.prefix]: table }))
    expect(found.inForce).toBe(inForce)
  })

  it('has gone where nothing stands at exactly the prefix, whatever is inside', () => {
    const wide = blackhole('203.0.113.0/24')
    const inside = { selected: true, installed: true, nexthops: [{ ip: '198.51.100.1' }] }
    const found = foundFor(
      observed(frr, [wide], {
        'show running-config': config(),
        'show ip route 203.0.113.0/24 json': '{}',
        'show ip route 203.0.113.0/24 longer-prefixes json': JSON.stringify({
          '203.0.113.128/25': [inside],
        }),
      }),
      wide,
    )
    expect(found).toMatchObject({ object: [], inForce: 'no' })
    expect(found.note).toBeUndefined()
  })

  it('a VRF that is not there stops before anything is sent: FRR would take the line and never use it', () => {
    const found = find(
      blackhole('203.0.113.11/32', { vrf: 'NOPE' }),
      config(),
      read('show_ip_route_vrf_missing'),
    )
    expect(found.stop?.code).toBe('no_such_object')
  })

  it.each([
    ['a configuration that is cut off', read('show_running_config_trigger').slice(0, 300), '{}'],
    ['an empty configuration', '', '{}'],
    ['a table that is no JSON', config(), 'Routing entry for 203.0.113.10/32'],
    ['an empty table', config(), ''],
    ['the route that covers the prefix', config(), '{"203.0.113.0/24":[]}'],
    ['words for JSON', config(), '% Network not in table'],
  ])('%s is an error that carries the text', (_, running, state) => {
    const act = () => find(intent, running, state)
    expect(act).toThrow(AgentError)
    expect(act).toThrow(expect.objectContaining({ code: 'unknown_output' }))
  })
})

describe('ports on FRR', () => {
  const up = read('show_interface_up_json').replace('fd00:23::2/64', '10.0.24.2/30')
  const down = read('show_interface_admin_down_json')
  const intent = port('eth-e')

  it('up', () => {
    expect(find(intent, config(), up)).toMatchObject({ object: [], effect: 'none', inForce: 'no' })
  })

  it('down by FRR', () => {
    const found = find(intent, read('show_running_config_interface_shutdown'), down)
    expect(found).toMatchObject({ object: ['shutdown'], effect: 'same', inForce: 'yes' })
  })

  it('down by other hands is left alone', () => {
    const found = find(intent, config(), down)
    expect(found).toMatchObject({ effect: 'same', inForce: 'yes' })
    expect(found.object).not.toEqual(['shutdown'])
  })

  it('brought up by other hands under our shutdown is not in force', () => {
    const running = read('show_running_config_interface_shutdown')
    expect(find(intent, running, up)).toMatchObject({ object: ['shutdown'], inForce: 'no' })
  })

  it.each([
    ['in words', read('show_interface_missing')],
    ['by an empty object', '{}'],
    ['by a pseudo interface', up.replace('"pseudoInterface":false', '"pseudoInterface":true')],
  ])('that is missing (%s) stops, since FRR would create it', (_, state) => {
    expect(find(intent, config(), state).stop?.code).toBe('no_such_object')
  })

  it('with an IPv6 address that FRR does not know is refused: it would be lost for good', () => {
    const state = read('show_interface_up_json')
    expect(find(intent, config(), state).stop?.code).toBe('not_restorable')
    const known = config('interface eth-e', ' ipv6 address fd00:23::2/64', 'exit')
    expect(find(intent, known, state).stop).toBeUndefined()
  })

  it('with a link-local address by hand is refused, until FRR holds it', () => {
    const state = up.replace('10.0.24.2/30', 'fe80::1/64')
    expect(find(intent, config(), state).stop).toMatchObject({
      code: 'not_restorable',
      message: expect.stringContaining('eth-e would lose fe80::1/64 for good') as string,
      remedy: expect.stringContaining('ipv6 address …') as string,
    })
    const known = config('interface eth-e', ' ipv6 address fe80::1/64', 'exit')
    expect(find(intent, known, state).stop).toBeUndefined()
  })

  it('with the link-local address of an earlier hardware address, or without one, is refused', () => {
    const other = up.replace(
      '"hardwareAddress":"6a:57:b8:ec:06:9e"',
      '"hardwareAddress":"6a:57:b8:ec:06:9f"',
    )
    const none = up.replace('"hardwareAddress":"6a:57:b8:ec:06:9e",', '')
    for (const state of [other, none]) {
      expect(find(intent, config(), state).stop?.code).toBe('not_restorable')
    }
  })

  describe('through which routes lead that FRR did not make', () => {
    const here = port('c0')
    const known = config('interface c0', ' ipv6 address 2001:db8:c0::1/64', 'exit')
    const interfaces = read('show_interface_vrf_all_bridge_json')
    const { c0: own } = JSON.parse(interfaces)
    const stopOf = (table: Record<string, string>, intents: readonly Intent[] = [here]) => {
      const states = intents.map((intent) => [
        `show interface ${intent.kind === 'port' ? intent.port : ''} json`,
        JSON.stringify({ [intent.kind === 'port' ? intent.port : '']: own }),
      ])
      const observation = observed(frr, intents, {
        'show running-config': known,
        'show daemons': ' zebra staticd',
        ...Object.fromEntries(states),
        'show interface vrf all json': JSON.stringify({ c0: own }),
        ...noKernelRoutes(...intents.map((one) => (one.kind === 'port' ? one.port : ''))),
        ...table,
      })
      return foundFor(observation, here).stop
    }
    const kernel4 = 'show ip route vrf all kernel json'
    const tables4 = 'show ip route table all kernel json'
    const kernel6 = 'show ipv6 route vrf all kernel json'
    const hops = (...nexthops: readonly object[]) =>
      JSON.stringify({ '198.51.100.0/24': [{ prefix: '198.51.100.0/24', nexthops }] })

    it.each([
      [
        'of the main table',
        { [kernel4]: read('show_ip_route_vrf_all_kernel_json') },
        '198.51.100.0/24',
      ],
      [
        'of another table',
        { [tables4]: read('show_ip_route_table_all_kernel_json') },
        '198.51.104.0/24',
      ],
      ['of IPv6', { [kernel6]: read('show_ipv6_route_vrf_all_kernel_json') }, '2001:db8:99::/48'],
      [
        'of a VRF, as 10.x has it',
        { [kernel4]: `{"default":{},"red":${hops({ interfaceName: 'c0', active: true })}}` },
        '198.51.100.0/24',
      ],
    ])('are refused for one %s', (_, table, prefix) => {
      expect(stopOf(table)).toMatchObject({
        code: 'not_restorable',
        message: expect.stringContaining(`the route ${prefix}`) as string,
      })
    })

    it('are not refused for one that keeps a next hop elsewhere, or that discards', () => {
      const found = stopOf({
        [kernel4]: read('show_ip_route_vrf_all_kernel_json'),
        [kernel6]: read('show_ipv6_route_vrf_all_kernel_json'),
      })
      expect(found?.message).not.toMatch(/198\.51\.10[58]\.0|2001:db8:77::/)
    })

    it('are refused where the other next hop is dead, or may go down in the same write', () => {
      const other = { interfaceName: 'c1', active: true }
      const here4 = { interfaceName: 'c0', active: true }
      expect(stopOf({ [kernel4]: hops(here4, other) })).toBeUndefined()
      expect(stopOf({ [kernel4]: hops(here4, { interfaceName: 'c1' }) })?.code).toBe(
        'not_restorable',
      )
      const both = [here, port('c1')]
      expect(stopOf({ [kernel4]: hops(here4, other) }, both)?.code).toBe('not_restorable')
    })

    it('are refused for a next hop of its own, and not for what zebra made or what is gone', () => {
      const all = read('show_interface_nexthop_group')
      const question = 'show interface c0 nexthop-group'
      expect(stopOf({ [question]: all })?.message).toMatch(
        /would lose the next hop of id 11 for good/,
      )
      expect(stopOf({ [question]: all.replaceAll('(kernel)', '(zebra)') })).toBeUndefined()
      expect(stopOf({ [question]: all.replaceAll('Valid', 'Invalid') })).toBeUndefined()
    })

    it('name five of what would be lost, and how many more', () => {
      const many = Array.from({ length: 8 }, (_, at) => `198.51.${at}.0/24`)
      const table = many.map((prefix) => [
        prefix,
        [{ prefix, nexthops: [{ interfaceName: 'c0' }] }],
      ])
      const found = stopOf({ [kernel4]: JSON.stringify(Object.fromEntries(table)) })
      expect(found?.message).toMatch(/198\.51\.4\.0\/24 and 3 more for good/)
    })

    it.each([
      [kernel4, '% Unknown command: show ip route vrf all kernel json'],
      [kernel4, ''],
      [kernel6, '{"198.51.100.0/24":[{"prefix":1}]}'],
      ['show interface c0 nexthop-group', '% Unknown command'],
      ['show interface c0 nexthop-group', '   ID: 7 (kernel)\n     Valid\n'],
    ])('are not taken for free where %s is answered by %j', (question, answer) => {
      expect(() => stopOf({ [question]: answer })).toThrow(AgentError)
    })
  })

  it('say in the plan what is lost that FRR does not show', () => {
    const [rendering] = frr.render([{ kind: 'apply', intent }], {})
    expect(linesOf(rendering).note).toContain('nud permanent')
    expect(frr.limits).toContainEqual({ kind: 'port', reason: linesOf(rendering).note })
  })

  it('are refused on the bridge by which our session comes in, as 8.4.4 shows it', () => {
    const interfaces = read('show_interface_vrf_all_bridge_json')
    const { mgmt0, b2 } = JSON.parse(interfaces)
    const stopOf = (name: string, state: unknown) => {
      const table = {
        'show running-config': config(),
        [`show interface ${name} json`]: JSON.stringify({ [name]: state }),
        'show interface vrf all json': interfaces,
        ...noKernelRoutes(name),
      }
      return foundFor(observed(frr, [port(name)], table, openedTo('10.97.1.2')), port(name)).stop
    }
    expect(stopOf('mgmt0', mgmt0)?.message).toContain('comes in by br0, which mgmt0 carries')
    expect(stopOf('b2', b2)).toBeUndefined()
  })

  describe('that carry others', () => {
    // As 8.4.4 has it: c1 is the other end of c0, and not on it.
    const veth = { interfaceType: 'VETH', interfaceSlaveType: 'None' }
    const inBridge = { interfaceSlaveType: 'Bridge', masterInterface: 'br0' }
    const inBond = { interfaceSlaveType: 'Bond', masterInterface: 'bond0' }
    const stopOf = (others: Record<string, object>, address = '192.0.2.1') => {
      const own = { ...veth, parentInterface: 'c1', ipAddresses: [{ address: '10.0.23.2/30' }] }
      const table = {
        'show running-config': config(),
        'show daemons': ' zebra bgpd staticd',
        'show interface eth-e json': up,
        'show interface vrf all json': JSON.stringify({ 'eth-e': own, ...others }),
        ...noKernelRoutes('eth-e'),
      }
      return foundFor(observed(frr, [intent], table, openedTo(address)), intent).stop
    }
    const held = { ipAddresses: [{ address: '192.0.2.1/24' }] }

    it.each([
      ['a sub-interface', { 'eth-e.100': { ...veth, ...held } }],
      [
        'one of another name',
        { mgmt: { interfaceType: 'Vlan', parentInterface: 'eth-e', ...held } },
      ],
      [
        'one on one of these',
        {
          mgmt: { interfaceType: 'Vlan', parentInterface: 'eth-e' },
          mv: { interfaceType: 'macvlan', parentInterface: 'mgmt', ...held },
        },
      ],
      ['its bond', { 'eth-e': inBond, bond0: held }],
      ['its bridge', { 'eth-e': inBridge, br0: { interfaceType: 'Bridge', ...held } }],
      [
        'its bridge, of which it is not the only member',
        { 'eth-e': inBridge, 'eth-f': inBridge, br0: { interfaceType: 'Bridge', ...held } },
      ],
      [
        'a VLAN on the bridge of its bond',
        {
          'eth-e': inBond,
          bond0: inBridge,
          br0: { interfaceType: 'Bridge' },
          mgmt: { interfaceType: 'Vlan', parentInterface: 'br0', ...held },
        },
      ],
      [
        'the bridge of a VLAN on it',
        { v7: { interfaceType: 'Vlan', parentInterface: 'eth-e', ...inBridge }, br0: held },
      ],
    ])('are refused where our session comes in by %s', (_, others) => {
      expect(stopOf(others)).toMatchObject({
        code: 'not_restorable',
        message: expect.stringMatching(/^our own session comes in by /) as string,
      })
    })

    it('are refused where they hold our address themselves', () => {
      expect(stopOf({}, '10.0.23.2')?.message).toContain('comes in by eth-e:')
    })

    it.each([
      ['of another name', { cust: { interfaceType: 'Vlan', parentInterface: 'eth-e' } }],
      ['of its name', { 'eth-e.7': {} }],
      ['as their master', { cust: { masterInterface: 'eth-e' } }],
    ])('are refused for an interface %s', (_, others) => {
      expect(stopOf(others)).toMatchObject({ code: 'ambiguous' })
    })

    it.each([
      ['of a kind that is not named', { 'eth-e': { interfaceSlaveType: 'Other' } }],
      ['that is not named', { 'eth-e': { interfaceSlaveType: 'Bridge', masterIfindex: 12 } }],
      ['on the way', { 'eth-e': inBridge, br0: { interfaceSlaveType: 'Other' } }],
    ])('are refused for a master %s', (_, others) => {
      expect(stopOf(others)).toMatchObject({ code: 'ambiguous' })
    })

    it.each([
      ['of a bridge without our address', { 'eth-e': inBridge, br0: {}, br1: held }],
      [
        'of a bridge of which another has a VLAN of its own with our address',
        {
          'eth-e': inBridge,
          'eth-f': inBridge,
          br0: {},
          'eth-f.9': { interfaceType: 'Vlan', parentInterface: 'eth-f', ...held },
        },
      ],
      ['of a VRF', { 'eth-e': { interfaceSlaveType: 'Vrf' }, red: held }],
      ['of a bond without our address', { 'eth-e': inBond, bond0: {}, 'eth-f': held }],
    ])('are taken down as members %s', (_, others) => {
      expect(stopOf(others)).toBeUndefined()
    })

    it('are taken down where nothing stands on them', () => {
      const others = {
        c1: { ...veth, parentInterface: 'eth-e' },
        'eth-e2': { ...veth, ...held },
        br0: { interfaceType: 'Bridge' },
      }
      expect(stopOf(others)).toBeUndefined()
    })
  })

  it('another interface in the answer is an error', () => {
    expect(() => find(intent, config(), up.replace('"eth-e"', '"eth-f"'))).toThrow(AgentError)
  })
})

describe('neighbors on FRR', () => {
  const intent = neighbor('10.0.23.2')
  const running = read('show_running_config_edge')
  const shut = read('show_bgp_neighbor_shutdown_json')
  const established = shut.replace('"adminShutDown":true,', '').replace('"Idle"', '"Established"')
  const withLine = (line: string) => running.replace(' bgp router-id', ` ${line}\n bgp router-id`)

  it('up', () => {
    expect(find(intent, running, established)).toMatchObject({
      object: [],
      effect: 'none',
      inForce: 'no',
    })
  })

  it.each(['neighbor 10.0.23.2 shutdown message CASE-4711 abuse', 'neighbor 10.0.23.2 shutdown'])(
    'shut by %j, with whatever message',
    (line) => {
      expect(find(intent, withLine(line), shut)).toMatchObject({
        object: [line],
        effect: 'same',
        inForce: 'yes',
      })
    },
  )

  it('shut by its group: in force without a line of its own', () => {
    expect(find(intent, running, shut)).toMatchObject({
      object: [],
      effect: 'same',
      inForce: 'yes',
    })
  })

  it('a shutdown by round trip time is another thing', () => {
    const found = find(intent, withLine('neighbor 10.0.23.2 shutdown rtt 100 count 3'), established)
    expect(found).toMatchObject({ object: [], effect: 'none' })
  })

  it.each([
    ['in this instance', neighbor('192.0.2.77'), '{"bgpNoSuchNeighbor":true}'],
    ['in this VRF', neighbor('10.0.23.2', { vrf: 'red' }), '{}'],
  ])('that is not there %s stops', (_, missing, state) => {
    expect(find(missing, running, state).stop?.code).toBe('no_such_object')
  })

  it('by IPv6, and the header of its own instance', () => {
    const intents = [neighbor('fd00:23::2')]
    const observation = observed(frr, intents, {
      'show running-config': running,
      'show bgp neighbors fd00:23::2 json': established.replace('10.0.23.2', 'fd00:23::2'),
    })
    expect(observation.facts).toMatchObject({ asn: '65000', 'bgp|default': 'router bgp 65000' })
  })
})

describe('lines for FRR', () => {
  const facts = { 'bgp|default': 'router bgp 64500', 'bgp|red': 'router bgp 64500 vrf red' }
  const intents = [
    blackhole('203.0.113.9/32'),
    blackhole('2001:db8:e57::/48', { vrf: 'red' }),
    port('eth0'),
    neighbor('192.0.2.9'),
    neighbor('2001:db8::9', { vrf: 'red' }),
  ]

  it.each(intents)('$kind: lines lead from the configuration back to it, both ways', (intent) => {
    const [rendering] = frr.render([{ kind: 'apply', intent }], facts)
    expect(rendering?.kind).toBe('lines')
    if (rendering?.kind !== 'lines') return
    expect(walk(rendering.apply, 'config')).toBe('config')
    expect(walk(rendering.undo, 'config')).toBe('config')
  })

  it('a neighbor is shut only inside the instance that the device has', () => {
    const [rendering] = frr.render([{ kind: 'apply', intent: neighbor('192.0.2.9') }], facts)
    expect(linesOf(rendering)).toMatchObject({
      apply: ['router bgp 64500', 'neighbor 192.0.2.9 shutdown message Suspended ABUSE-1', 'exit'],
      undo: ['router bgp 64500', 'no neighbor 192.0.2.9 shutdown', 'exit'],
    })
    if (rendering?.kind !== 'lines') return
    expect(rendering.apply.every((line) => !line.free)).toBe(true)
  })

  it('before the device was read the AS number is a placeholder, and the line is never sent', () => {
    const [rendering] = frr.render([{ kind: 'apply', intent: neighbor('192.0.2.9') }], {})
    if (rendering?.kind !== 'lines') throw new TypeError('no lines')
    expect(rendering.apply[0]).toMatchObject({ text: 'router bgp <asn>', unresolved: true })
  })

  it('a blackhole is one line that may go with others', () => {
    const [rendering] = frr.render([{ kind: 'apply', intent: blackhole('203.0.113.9/32') }], {})
    if (rendering?.kind !== 'lines') throw new TypeError('no lines')
    expect(rendering.apply).toEqual([
      { text: 'ip route 203.0.113.9/32 blackhole tag 666', needs: 'config', free: true },
    ])
  })

  it('another tag is typed over, never lifted in between', () => {
    const from = ['ip route 203.0.113.9/32 blackhole tag 666']
    const intent = blackhole('203.0.113.9/32', { tag: 667 })
    const [rendering] = frr.render([{ kind: 'modify', intent, from }], {})
    expect(linesOf(rendering)).toMatchObject({
      apply: ['ip route 203.0.113.9/32 blackhole tag 667'],
      undo: from,
    })
  })

  it('filters are unsupported, with the reason that the plan shows', () => {
    const intent = {
      kind: 'acl',
      prefix: blackhole('203.0.113.9/32').prefix,
      direction: 'in',
    } as const
    const [rendering] = frr.render([{ kind: 'apply', intent }], {})
    expect(rendering).toEqual({ kind: 'unsupported', reason: frr.limits[0]?.reason })
  })
})

// --- changes

const prefixes = ['203.0.113.9/32', '203.0.113.0/26', '2001:db8:e57::/48', '2001:db8:e57::9/128']
const anyIntent = fc.oneof(
  fc
    .record({ text: fc.constantFrom(...prefixes), tag: fc.constantFrom(666, 667) })
    .map(({ text, tag }) => blackhole(text, { tag })),
  fc.constantFrom(...ports).map((name) => port(name)),
  fc
    .record({ peer: fc.constantFrom(...peers), message: fc.constantFrom('A 1', 'B 2') })
    .map(({ peer, message }) => neighbor(peer, { message })),
)
const anyWanted = fc.uniqueArray(anyIntent, { selector: keyOf, maxLength: 6 })
const family = (text: string) => (text.includes(':') ? 'ipv6' : 'ip')
const anyDevice = fc
  .record({
    routes: fc.subarray(prefixes),
    how: fc.constantFrom(
      'blackhole',
      'blackhole tag 666',
      'Null0 tag 667',
      'reject',
      'blackhole tag 666 250',
    ),
    hops: fc.subarray(prefixes),
    down: fc.subarray(ports),
    shut: fc.subarray(peers),
    message: fc.constantFrom('', ' message by hand'),
  })
  .map(({ routes, how, hops, down, shut, message }): Router => {
    const discards = routes.filter((text) => !hops.includes(text))
    return {
      routes: new Map(discards.map((text) => [text, `${family(text)} route ${text} ${how}`])),
      hops: new Map(hops.map((text) => [text, `${family(text)} route ${text} 192.0.2.1`])),
      down: new Set(down),
      shut: new Map(shut.map((peer) => [peer, `neighbor ${peer} shutdown${message}`])),
    }
  })

describe('changes on FRR', () => {
  it('any suspensions and changes of mind, then a release, leave the configuration as it was', () => {
    fc.assert(
      fc.property(anyDevice, fc.array(anyWanted, { maxLength: 4 }), (device, rounds) => {
        const before = print(device)
        let claims: readonly Claim[] = []
        for (const wanted of rounds) claims = converge(device, wanted, claims)
        claims = converge(device, [], claims)
        expect(print(device)).toBe(before)
        expect(claims).toEqual([])
      }),
    )
  })

  it('after one convergence nothing is left to do, save what is somebody else’s', () => {
    fc.assert(
      fc.property(anyDevice, anyWanted, (device, wanted) => {
        const claims = converge(device, wanted, [])
        const desired = { wanted, expected: [], fading: [], claims, frozen: false }
        const left = decide(desired, look(device, wanted)).map(({ kind }) => kind)
        expect(left.filter((kind) => kind !== 'settled' && kind !== 'refused')).toEqual([])
      }),
    )
  })

  it('undo takes back what apply did', () => {
    fc.assert(
      fc.property(anyDevice, anyIntent, (device, intent) => {
        const before = print(device)
        const found = foundFor(look(device, [intent]), intent)
        fc.pre(found.effect === 'none')
        const [rendering] = frr.render([{ kind: 'apply', intent }], { asn: '64500' })
        if (rendering?.kind !== 'lines') throw new TypeError('no lines')
        type(device, rendering.apply)
        expect(foundFor(look(device, [intent]), intent).object).toEqual(rendering.wrote)
        type(device, rendering.undo)
        expect(print(device)).toBe(before)
      }),
    )
  })
})

describe('the configuration of FRR, for comparing', () => {
  it('leaves out what is said about it, and keeps every line of it in order', () => {
    const [want] = frr.configuration
    const answer = { line: want!.line, text: read('show_running_config_trigger') }
    const text = frr.canonical(new Map([['config', answer]]))
    expect(text.split('\n').slice(0, 3)).toEqual([
      'frr defaults traditional',
      'hostname vm',
      'ip route 192.0.2.1/32 blackhole',
    ])
    expect(text.split('\n').at(-2)).toBe(' set origin igp')
    expect(text).not.toMatch(/Building|Current configuration|frr version/)
  })
})

describe('a daemon of FRR that is dead', () => {
  const route = blackhole('203.0.113.10/32')
  const peer = neighbor('192.0.2.66')
  const running = config('router bgp 64500', ' neighbor 192.0.2.66 remote-as 64501')
  const observe = (daemons: string) =>
    observed(frr, [route, peer], {
      'show running-config': running,
      'show daemons': daemons,
      'show ip route 203.0.113.10/32 json': '{}',
      'show bgp neighbors 192.0.2.66 json': JSON.stringify({
        '192.0.2.66': { bgpState: 'Established' },
      }),
    })
  const claims = [
    claimOn(route, ['ip route 203.0.113.10/32 blackhole tag 666']),
    claimOn(peer, ['neighbor 192.0.2.66 shutdown']),
  ]
  const kinds = (daemons: string, wanted: readonly Intent[]) =>
    decide({ wanted, expected: [], fading: [], claims, frozen: false }, observe(daemons)).map(
      (decision) => (decision.kind === 'refused' ? decision.stop.message : decision.kind),
    )

  it('is named, and nothing that it does is changed or said to be lifted', () => {
    const noStatic = kinds(' zebra bgpd\n', [])
    expect(noStatic[0]).toMatch(/^staticd is not running/)
    expect(noStatic[1]).toBe('lifted')
    const noBgp = kinds(' zebra staticd\n', [])
    expect(noBgp[0]).toBe('lifted')
    expect(noBgp[1]).toMatch(/^bgpd is not running/)
    expect(kinds(' zebra bgpd\n', [route])[0]).toMatch(/^staticd is not running/)
  })

  it.each(['mgmtd zebra bgpd staticd\n', '% Unknown command: show daemons', ''])(
    'is none where %j is answered',
    (daemons) => {
      expect(kinds(daemons, [])).toEqual(['lifted', 'lifted'])
    },
  )

  it('keeps what the device says of its daemons from being guessed', () => {
    expect(() => observe('Segmentation fault (core dumped)')).toThrow(AgentError)
  })

  it.each([
    ['  zebra                Up\n  staticd              Up\n', ' zebra staticd', undefined],
    ['watchfrr is not running\n', ' zebra staticd bgpd', undefined],
    ['  zebra                Up\n  ospfd                Down\n', ' zebra staticd', /^ospfd is not/],
    ['  staticd              Unresponsive\n', ' zebra bgpd', /^staticd is not running/],
    ['watchfrr is not running\n', ' bgpd', /^zebra, staticd are not running/],
  ] as const)('keeps a save from leaving its part out: %j', (watched, daemons, gap) => {
    const found = frr.save?.whole?.gap([watched, daemons])
    if (gap === undefined) expect(found).toBeUndefined()
    else expect(found).toMatch(gap)
  })

  it('is no word of a command when vtysh takes it up again', () => {
    const text =
      'Current configuration:\n!\nWarning: connecting to staticd...success!\nfrr version 8.4.4\n'
    expect(frr.clean?.(text)).toBe('Current configuration:\n!\nfrr version 8.4.4\n')
    expect(frr.clean?.('Warning: connecting to nobody\n')).toBe('Warning: connecting to nobody\n')
  })
})

describe('the preflight of FRR', () => {
  const judge = (what: string, text: string, role: string) => {
    const reads = frr.preflight.reads([role], { host: 'edge', nonce: '', facts: {} })
    const answers = new Map(
      reads.map(({ what: one, line }) => [
        one,
        { line, text: one === what ? text : /^(?:edge|trigger)$/.test(one) ? config() : '' },
      ]),
    )
    const seen = { host: 'edge', nonce: '', facts: { files: 'readable' } }
    return frr.preflight.judge(answers.set(what, { line: reads[0]!.line, text }), seen)
  }
  const named = (list: ReturnType<typeof judge>, name: string) =>
    list.find((one) => one.name === name)

  it('finds a trigger that redistributes what has our tag, and nothing else', () => {
    const good = read('show_running_config_trigger')
    expect(named(judge('trigger', good, 'rtbh-trigger'), 'trigger ipv4')?.ok).toBe(true)
    expect(named(judge('trigger', good, 'rtbh-trigger'), 'trigger ipv6')?.ok).toBe(true)
    const leaking = good.replace(
      ' match tag 666\n set community blackhole no-export\n set ip ',
      ' set ip ',
    )
    expect(named(judge('trigger', leaking, 'rtbh-trigger'), 'trigger ipv4')?.ok).toBe(false)
    const bare = good.replaceAll(/ route-map NR-RTBH-TRIGGER6?$/gm, '')
    expect(named(judge('trigger', bare, 'rtbh-trigger'), 'trigger ipv4')?.ok).toBe(false)
  })

  it('finds the discard next hops of an edge, or says what to do', () => {
    const good = read('show_running_config_edge')
    expect(named(judge('edge', good, 'edge'), 'discard next hop ipv4')?.ok).toBe(true)
    const bad = named(judge('edge', config(), 'edge'), 'discard next hop ipv6')
    expect(bad).toMatchObject({ ok: false, found: 'none' })
    expect(bad?.remedy).not.toBe('')
  })

  it('asks for the daemons that the role needs', () => {
    const found = (text: string, role: string) => named(judge('daemons', text, role), 'daemons')?.ok
    expect(found(' zebra bgpd staticd\n', 'edge')).toBe(true)
    expect(found(' zebra bgpd\n', 'edge')).toBe(false)
    expect(found(' zebra\n', 'access')).toBe(true)
    expect(found('', 'access')).toBe(false)
  })

  it('says which version was found', () => {
    const text = read('session_user_without_group_frr_raw').split('show version\r\n')[1] ?? ''
    expect(named(judge('version', text, 'access'), 'version')).toMatchObject({
      ok: true,
      found: '8.4.4',
    })
  })
})
