// What `device check` asks an IOS device, and the lines that it needs beforehand.

import type { Answer, Facts, Finding, Preflight, Read, Seen } from '../../platform.ts'
import { free } from '../../platform.ts'
import { foundBindings } from '../bindings.ts'
import { answerTo } from '../output.ts'
import { bindingsFor, groupReads, readGroup } from './acl.ts'

function read(what: string, text: string): Read {
  return { what, line: free(text, 'exec') }
}

function reads(roles: readonly string[]): readonly Read[] {
  const trigger = roles.includes('rtbh-trigger')
    ? [
        read('bgp', 'show running-config | section ^router bgp'),
        read('maps', 'show running-config | section ^route-map'),
      ]
    : []
  // Filters stand at the edge of the network: an access switch needs none.
  const filter = roles.includes('edge')
    ? [read('group', 'show object-group name NULLROUTE'), ...groupReads]
    : []
  return [
    read('version', 'show version'),
    read('privilege', 'show privilege'),
    read('timer', 'show archive config rollback timer'),
    read('clock', 'show clock'),
    ...filter,
    ...trigger,
  ]
}

function judge(answers: ReadonlyMap<string, Answer>, seen: Seen): readonly Finding[] {
  const text = (what: string): string => answers.get(what)?.text ?? ''
  return [
    version(text('version')),
    privilege(text('privilege')),
    timer(text('timer')),
    clock(text('clock')),
    ...(answers.has('group') ? [group(answers, seen.facts)] : []),
    ...(answers.has('maps') ? [redistribution(text('bgp'), text('maps'))] : []),
  ]
}

function version(text: string): Finding {
  const found = /^.*\bVersion [0-9][^\s,]*/m.exec(text)?.[0]
  return {
    name: 'software',
    ok: /Cisco I(?:OS|nternetwork)/.test(text) && !/IOS XR/.test(text),
    found: found ?? 'no version',
    expected: 'Cisco IOS 12.4T, 15.x, or IOS-XE',
    remedy: 'correct `platform` of the device in the inventory',
  }
}

function privilege(text: string): Finding {
  const level = /^Current privilege level is (\d+)/m.exec(text)?.[1]
  return {
    name: 'rights',
    ok: level === '15',
    found: level === undefined ? 'unknown' : `privilege level ${level}`,
    expected: 'privilege level 15: below it the configuration is shown in part only',
    remedy: 'give the account privilege 15, and restrict its commands by TACACS+ where wanted',
  }
}

function timer(text: string): Finding {
  const pending = /^Timer (?:type|value):/m.test(text)
  return {
    name: 'rollback timer',
    ok: !pending,
    found: pending ? text.trim().split('\n').join('; ') : 'none pending',
    expected: 'none pending',
    remedy: 'ask its owner to send `configure confirm` or `configure revert now`',
  }
}

/** The device's own sign of a clock that nothing sets: `*` or `.` in front. */
function clock(text: string): Finding {
  const shown = text.trim().split('\n').at(-1) ?? ''
  return {
    name: 'clock',
    ok: /^\d\d:\d\d:\d\d/.test(shown),
    found: shown === '' ? 'no answer' : shown,
    expected: 'a clock that is set by NTP',
    remedy: 'configure `ntp server`: times in the device’s log can’t be compared otherwise',
  }
}

function group(answers: ReadonlyMap<string, Answer>, facts: Facts): Finding {
  const members = readGroup(answerTo(answers, 'group'))
  const lists = answerTo(answers, 'lists').text
  const found = foundBindings((direction) => bindingsFor({ direction }, lists, facts))
  return {
    name: 'acl prepared',
    ok: members !== undefined && members.length > 0 && found.ok,
    found:
      members === undefined
        ? 'no object group NULLROUTE'
        : `${members.length} members, denied ${found.text}`,
    expected:
      'object group NULLROUTE with its sentinel, denied by a list that stands on interfaces which lead to customers',
    remedy:
      'paste the lines of `nullroute device prepare`; leave it where acl measures are optional',
  }
}

function redistribution(bgp: string, maps: string): Finding {
  const names = [...bgp.matchAll(/^ +redistribute static route-map (\S+)/gm)].map((m) => m[1] ?? '')
  const blocks = maps.split(/^(?=route-map )/m)
  const good = names.find((name) =>
    blocks.some((block) => {
      return block.startsWith(`route-map ${name} permit `) && /^ match tag \d+/m.test(block)
    }),
  )
  return {
    name: 'RTBH redistribution',
    ok: good !== undefined,
    found:
      names.length === 0 ? 'no `redistribute static route-map`' : `route-map ${names.join(', ')}`,
    expected: '`redistribute static route-map NAME`, with a permit entry that matches the tag',
    remedy: 'paste the RTBH lines of `nullroute device prepare`',
  }
}

/** Questions and their meaning. */
export const preflight: Preflight = { reads, judge }

/** Access lists CUST-IN and CUST-OUT are examples: they must be the operator's own lists, which hold permits and stand on the customers' interfaces. */
export const prepare = (): string => `hostname edge1
ip domain name example.net
crypto key generate rsa modulus 3072
ip ssh version 2
aaa new-model
aaa authentication login default local
aaa authorization exec default local
username nullroute privilege 15 secret <secret>
line vty 0 15
 transport input ssh
 exec-timeout 10 0
!
interface Null0
 no ip unreachables
!
! Filter entries: the group keeps one member of nobody's, which is listed as discardNextHops in the inventory.
object-group network NULLROUTE
 host 192.0.2.255
! Only into lists that exist and hold permits: in a new list these two lines deny everything. CUST-IN stands with \`in\`, CUST-OUT with \`out\`
! on the interfaces that lead to customers. On an uplink they don't count: name those as uplinks in the inventory.
ip access-list extended CUST-IN
 1 deny ip object-group NULLROUTE any
ip access-list extended CUST-OUT
 1 deny ip any object-group NULLROUTE
!
! On an RTBH trigger:
route-map RTBH permit 10
 match tag 666
 set community no-export 65535:666
router bgp <asn>
 redistribute static route-map RTBH
`
