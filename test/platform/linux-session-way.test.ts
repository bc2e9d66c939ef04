// Which ports of a Linux host carry our own session: links as iproute2 6.1 prints them with `-d`.

import { describe, expect, it } from 'vitest'
import type { Seen } from '../../agent/platform.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { foundFor, observed, openedTo, port } from './conformance-kit.ts'

interface Made {
  readonly kind?: string
  readonly link?: string | null
  readonly master?: string
  /** What the kind's own data names. */
  readonly under?: string
}

type Host = Readonly<Record<string, Made>>

function linkOf([ifname, { kind, link, master, under }]: readonly [string, Made]): object {
  return {
    ifname,
    flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    ...(link === undefined ? {} : { link }),
    ...(master === undefined ? {} : { master }),
    ...(kind === undefined
      ? {}
      : { linkinfo: { info_kind: kind, info_data: under === undefined ? {} : { link: under } } }),
  }
}

interface Session {
  /** The interface by which answers leave. */
  readonly way?: string
  /** The interface that holds the address of the inventory. */
  readonly own?: string
}

/** Why p1 can't be taken down. */
function stopOf(host: Host, { way, own }: Session) {
  const all = Object.entries({ p1: {}, ...host }).map((one) => linkOf(one))
  const intent = port('p1')
  const seen: Seen = own === undefined ? { host: '', nonce: '', facts: {} } : openedTo('192.0.2.10')
  const client =
    way === undefined
      ? 'RTNETLINK answers: Network is unreachable\n'
      : JSON.stringify([{ dst: '10.20.0.1', dev: way, prefsrc: '192.0.2.10', flags: [] }])
  return foundFor(
    observed(
      linux,
      [intent],
      {
        'ip -j -d link show': JSON.stringify(all),
        'ip -j route get "$NR_CLIENT"': client,
        ...(own === undefined
          ? {}
          : { 'ip -j addr show to 192.0.2.10': JSON.stringify([{}, { ifname: own }, {}]) }),
        'ip -j link show dev p1': JSON.stringify([linkOf(['p1', host['p1'] ?? {}])]),
        'ip -j addr show dev p1': '[{"ifname":"p1","addr_info":[]}]',
        'ip -j -4 route show table all dev p1': '[]',
        'ip -j -6 route show table all dev p1': '[]',
        'ip -j nexthop show dev p1': '[]',
        'sysctl -n net.ipv6.conf.all.keep_addr_on_down net.ipv6.conf.p1.keep_addr_on_down':
          '0\n0\n',
      },
      seen,
    ),
    intent,
  ).stop
}

const bridge = { kind: 'bridge' }

describe('a port that our session’s interface stands on is not taken down', () => {
  it.each<[string, Host, string]>([
    ['the only member of a bridge', { p1: { master: 'br0' }, br0: bridge }, 'br0'],
    ['the only member of a bond', { p1: { master: 'bond0' }, bond0: { kind: 'bond' } }, 'bond0'],
    ['the only member of a team', { p1: { master: 'team0' }, team0: { kind: 'team' } }, 'team0'],
    ['the parent of a VLAN', { 'p1.5': { kind: 'vlan', link: 'p1' } }, 'p1.5'],
    ['the parent of a macvlan', { mv0: { kind: 'macvlan', link: 'p1' } }, 'mv0'],
    [
      'the parent of a VLAN in a VLAN',
      {
        s0: { kind: 'vlan', link: 'p1' },
        c0: { kind: 'vlan', link: 's0' },
      },
      'c0',
    ],
    ['what a VXLAN is bound to', { vx0: { kind: 'vxlan', under: 'p1' } }, 'vx0'],
    [
      'a member of a bond in a bridge with a VLAN on it',
      {
        p1: { master: 'bond0' },
        bond0: { kind: 'bond', master: 'br0' },
        br0: bridge,
        'br0.9': { kind: 'vlan', link: 'br0' },
      },
      'br0.9',
    ],
    [
      'a member of the bridge at the far end of a veth',
      {
        p1: { master: 'br0' },
        br0: bridge,
        v0: { kind: 'veth', link: 'v1' },
        v1: { kind: 'veth', link: 'v0', master: 'br0' },
      },
      'v0',
    ],
    [
      'a port of Open vSwitch',
      {
        p1: { master: 'ovs-system' },
        'ovs-system': { kind: 'openvswitch' },
        mgmt: { kind: 'openvswitch' },
      },
      'mgmt',
    ],
    [
      'beside our own interface in its bridge',
      {
        p1: { master: 'br0' },
        br0: bridge,
        eth0: { master: 'br0' },
      },
      'eth0',
    ],
  ])('%s', (_, host, by) => {
    const found = stopOf(host, { way: by })
    expect(found?.code).toBe('not_restorable')
    expect(found?.message).toContain(`our own session comes in by ${by}, `)
    expect(found?.message).toContain('p1')
  })

  it('as one of several members neither: which of them carries it nobody can say', () => {
    const host = { p1: { master: 'br0' }, p2: { master: 'br0' }, br0: bridge }
    expect(stopOf(host, { way: 'br0' })).toMatchObject({
      code: 'not_restorable',
      message:
        'our own session comes in by br0, and perhaps by p1 (or p2) below it: it may never be brought back',
      remedy: expect.stringContaining("an interface that no customer's port is part of") as string,
    })
  })

  it('where the address of the inventory stands, though answers are looked up elsewhere', () => {
    const host = { p1: { master: 'mgmt' }, mgmt: { kind: 'vrf' }, eth0: {} }
    expect(stopOf(host, { own: 'p1' })?.code).toBe('not_restorable')
    expect(stopOf(host, { way: 'eth0', own: 'p1' })?.code).toBe('not_restorable')
  })
})

describe('a port beside our session’s interface may be taken down', () => {
  it.each<[string, Host, string]>([
    ['a port of its own', { eth0: {} }, 'eth0'],
    ['a member of another bridge', { p1: { master: 'br0' }, br0: bridge, eth0: {} }, 'eth0'],
    [
      'a member of the same VRF',
      {
        p1: { master: 'red' },
        red: { kind: 'vrf' },
        eth0: { master: 'red' },
      },
      'eth0',
    ],
    [
      'a member of a bridge that another VLAN of our parent is in',
      {
        p1: { master: 'br0' },
        br0: bridge,
        'eth0.7': { kind: 'vlan', link: 'eth0', master: 'br0' },
        eth0: {},
        'eth0.5': { kind: 'vlan', link: 'eth0' },
      },
      'eth0.5',
    ],
    [
      'on a host with a tunnel that stands on nothing',
      {
        sit0: { kind: 'sit', link: null },
        eth0: {},
      },
      'eth0',
    ],
    ['where the session comes by the host itself', { lo: {} }, 'lo'],
  ])('%s', (_, host, by) => {
    expect(stopOf(host, { way: by })).toBeUndefined()
  })
})
