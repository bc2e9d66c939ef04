// What recordings of real devices mean. They belong to others and are not part of the product: NULLROUTE_FIXTURES names the folder that holds
// `cisco_ios/` and `juniper_junos/`. Without it there is nothing to check, and nothing is counted as skipped.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keyOf } from '../../agent/intents.ts'
import { inside } from '../../agent/platform.ts'
import { peerState, readBgp } from '../../agent/platforms/cisco_ios/bgp.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import { routeDiscards } from '../../agent/platforms/cisco_ios/routes.ts'
import { differences } from '../../agent/platforms/cisco_ios/save.ts'
import { pending } from '../../agent/platforms/juniper_junos/candidate.ts'
import { versionIn } from '../../agent/platforms/juniper_junos/dialogue.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import { sessionState } from '../../agent/platforms/juniper_junos/neighbors.ts'
import { portState } from '../../agent/platforms/juniper_junos/ports.ts'
import { routeDiscards as junosDiscards } from '../../agent/platforms/juniper_junos/routes.ts'
import { readCompare, statementsIn } from '../../agent/platforms/juniper_junos/statements.ts'
import { blackhole, entering, junosCommits, neighbor, port, prefix } from './conformance-kit.ts'

const folder = process.env['NULLROUTE_FIXTURES']
const text = (platform: string, name: string): string =>
  readFileSync(join(folder ?? '', platform, name), 'utf8').replaceAll('\r', '')
const ios = (name: string): string => text('cisco_ios', name)
const junos = (name: string): string => text('juniper_junos', name)
const answer = (of: string) => ({ line: inside('show', 'exec'), text: of })

/** What a file means, and the reading of it: file → what we take from it. */
const meanings: readonly (readonly [string, () => unknown, unknown])[] = [
  [
    'cisco_ios: a pending rollback timer stops every change',
    () =>
      cisco_ios.parse(
        answersOf({ timer: ios('show_archive_config_rollback_timer_pending.txt') }),
        [],
        {
          host: '',
          nonce: '',
          facts: {},
        },
      ).stop?.code,
    'timer_pending',
  ],
  [
    'cisco_ios: none pending stops nothing',
    () =>
      cisco_ios.parse(
        answersOf({ timer: ios('show_archive_config_rollback_timer_none.txt') }),
        [],
        {
          host: '',
          nonce: '',
          facts: {},
        },
      ).stop,
    undefined,
  ],
  [
    'cisco_ios: a route that is asked for without its mask is answered by the default: not in force',
    () =>
      routeDiscards(
        answer(ios('show_ip_route_prefix_answers_covering_default.txt')),
        prefix('203.0.113.9/32'),
        { vrf: 'default', answers: new Map() },
      ),
    'no',
  ],
  [
    'cisco_ios: a static route says nothing before its next hop was asked for',
    () =>
      routeDiscards(
        answer(ios('show_ip_route_prefix_static_tagged.txt')),
        prefix('192.168.4.0/25'),
        { vrf: 'default', answers: new Map() },
      ),
    'unknown',
  ],
  [
    'cisco_ios: it discards once its next hop does',
    () => {
      const text =
        'Routing entry for 10.1.11.9/32\nRouting Descriptor Blocks:\n* directly connected, via Null0\n'
      return routeDiscards(
        answer(ios('show_ip_route_prefix_static_tagged.txt')),
        prefix('192.168.4.0/25'),
        { vrf: 'default', answers: new Map([['hop default 10.1.11.9', answer(text)]]) },
      )
    },
    'yes',
  ],
  [
    'cisco_ios: an IPv6 route with two next hops says nothing before they were asked for',
    () =>
      routeDiscards(answer(ios('show_ipv6_route_prefix_tagged.txt')), prefix('201:201::/64'), {
        vrf: 'default',
        answers: new Map(),
      }),
    'unknown',
  ],
  [
    'cisco_ios: the words of a shut session, with a blank behind them',
    () => peerState(ios('show_ip_bgp_summary_idle_admin.txt'), neighbor('10.0.0.10').peer),
    'Idle (Admin)',
  ],
  [
    'cisco_ios: an IPv6 peer stands alone on its line',
    () =>
      peerState(
        ios('show_bgp_all_summary_ipv6_wrapped_idle_admin.txt'),
        neighbor('2001:db8::3').peer,
      ),
    'Idle (Admin)',
  ],
  [
    'cisco_ios: the block of BGP, with peers of a template',
    () => {
      const bgp = readBgp(answer(ios('show_running-config_section_bgp.txt')))
      return [bgp?.asn, bgp?.peers.get('default|172.16.255.2')]
    },
    ['65001', ['inherit peer-session EVPN-PEER-SESSION']],
  ],
  [
    'cisco_ios: the reload banner leaves whole lines behind',
    () =>
      cisco_ios
        .clean?.(ios('recorded_reload_banner_inside_command_echo.txt'))
        .split('\n')
        .filter((line) => line !== ''),
    [
      'router#ip route 10.1.2.0 255.255.255.0 10.2.3.4',
      'router#',
      'router#no ip route 10.0.0.0 255.0.0.0 10.1.2.3',
      'router#ip route 10.0.0.0 255.0.0.0 10.11.22.33',
      'router#',
    ],
  ],
  [
    'cisco_ios: log lines of a revert timer behind a prompt',
    () =>
      cisco_ios.clean?.(ios('recorded_revert_timer_start_iosxe.txt').trimEnd()).split('\n').at(-1),
    'Router(config)#',
  ],
  [
    'cisco_ios: differences, the order of a policy map left out',
    () => differences(ios('recorded_show_archive_config_differences.txt')).map(({ path }) => path),
    expect.arrayContaining([
      'interface Loopback59',
      'interface Loopback59 ip address 59.59.59.59 255.255.255.255',
      'policy-map WAN class mail',
    ]),
  ],
  [
    'cisco_ios: the header of a timestamp goes',
    () =>
      cisco_ios
        .clean?.(ios('show_archive_config_differences_with_timestamp_header.txt'))
        .split('\n')[0],
    '!Contextual Config Diffs:',
  ],
  [
    'juniper_junos: pending, and by whom',
    () => [
      pending(junos('evo_26.2_show_system_commit_pending.txt')).kind,
      pending(junos('vjunos_23.2_show_system_commit_pending_with_comment.txt')),
    ],
    ['pending', { kind: 'pending', token: undefined, earlier: [] }],
  ],
  [
    'juniper_junos: releases of one device and of a chassis',
    () => [versionIn(junos('show_version_qfx5100.txt')), versionIn(junos('show_version_ex.txt'))],
    ['21.4R3-S3.4', '13.2X51-D35.3'],
  ],
  [
    'juniper_junos: states of ports',
    () => [
      portState(
        answer(junos('show_interfaces_administratively_down_excerpt.txt')),
        port('ge-1/2/1'),
      ),
      portState(answer(junos('show_interfaces_physical_enabled.txt')), port('xe-0/1/0')),
    ],
    ['off', 'on'],
  ],
  [
    'juniper_junos: discard routes of each table, and no other',
    () => {
      const json = answer(junos('show_route_display_json_static_discard_tags.json'))
      return [
        blackhole('10.200.1.0/24'),
        blackhole('2001:db8:200::/48'),
        blackhole('10.210.1.0/24', { vrf: 'RED' }),
        blackhole('10.210.1.0/24'),
      ].map((intent) => junosDiscards(intent, new Map([[keyOf(intent), json]])))
    },
    ['yes', 'yes', 'yes', 'no'],
  ],
  [
    'juniper_junos: the configuration of those routes',
    () =>
      statementsIn(junos('show_configuration_display_set_static_discard.txt')).set.filter((line) =>
        line.startsWith('routing-options static route'),
      ),
    [
      'routing-options static route 10.200.1.0/24 discard',
      'routing-options static route 10.200.2.0/24 discard',
      'routing-options static route 10.200.2.0/24 preference 7',
    ],
  ],
  [
    'juniper_junos: a difference while a commit is pending',
    () => {
      const shown =
        juniper_junos.clean?.(junos('show_compare_during_pending_confirm_vevo_23.1.txt')) ?? ''
      const hunk = shown.slice(shown.lastIndexOf('[edit'))
      return readCompare(hunk)?.map(({ sign, path }) => `${sign}${path}`)
    },
    [
      '-class-of-service scheduler-maps SCH-MAP:NEBULA-TRANSIT forwarding-class Q1-EXPEDITED-FORWARDING scheduler 10PCT-EF',
      '+class-of-service scheduler-maps SCH-MAP:NEBULA-TRANSIT forwarding-class Q1-EXPEDITED-FORWARDING scheduler 15PCT-EF',
    ],
  ],
  [
    'juniper_junos: refusals',
    () => {
      const [enter] = entering(juniper_junos)
      if (enter === undefined) return 'no line'
      return [
        'evo_26.2_configure_exclusive_refused_foreign_edits.txt',
        'evo_26.2_commit_check_fails_missing_mandatory.txt',
        'error_lines.txt',
      ].map((name) => juniper_junos.failed(enter, junos(name), undefined) !== undefined)
    },
    [true, true, true],
  ],
  [
    'juniper_junos: the broadcast of a rollback goes',
    () => juniper_junos.clean?.(junos('broadcast_not_confirmed.txt')).trim(),
    '',
  ],
  [
    'juniper_junos: an unknown neighbor has no session',
    () => sessionState('BGP is not running', neighbor('192.0.2.9').peer),
    'absent',
  ],
]

function answersOf(given: Readonly<Record<string, string>>) {
  const reads = cisco_ios.observe([], { host: '', nonce: '', facts: {} })
  return new Map(
    reads.map(({ what, line }) => [
      what,
      { line, text: given[what] ?? (what === 'commit' ? junosCommits : '') },
    ]),
  )
}

describe('recordings of other people', () => {
  if (folder !== undefined) {
    it.each(meanings)('%s', (_, read, expected) => {
      expect(read()).toEqual(expected)
    })
  }

  it('are each used once', () => {
    const names = meanings.map(([name]) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})
