// What a device's configuration holds of secrets stays on the device: nothing that an agent writes down has any of it.

import { afterEach, describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/errors.ts'
import type { Intent } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import { blackhole, neighbor, observed, port } from '../platform/conformance-kit.ts'
import { type Lab, startLab } from '../platform/conformance-lab.ts'

let lab: Lab | undefined

afterEach(async () => {
  await lab?.stop()
  lab = undefined
})

const wanted: readonly Intent[] = [blackhole('203.0.113.9/32'), neighbor('192.0.2.9')]

const holders: readonly (readonly [Platform, secret: string, extra: readonly string[]])[] = [
  [
    cisco_ios,
    '02050D480809',
    ['router bgp 64500', 'neighbor 192.0.2.9 password 7 02050D480809', 'exit'],
  ],
  [frr, 'hunter-2-bgp', ['router bgp 64500', 'neighbor 192.0.2.9 password hunter-2-bgp', 'exit']],
  [
    juniper_junos,
    '$9$aJUjqTz39Cu',
    ['set protocols bgp group CUSTOMERS neighbor 192.0.2.9 authentication-key "$9$aJUjqTz39Cu"'],
  ],
]

it.each(
  holders.map(([platform, secret, extra]) => ({ name: platform.name, platform, secret, extra })),
)(
  'an agent of $name writes down no secret of the running configuration',
  async ({ platform, secret, extra }) => {
    lab = await startLab(platform, { extra })
    expect(lab.running()).toContain(secret)
    await lab.settle(wanted)
    await lab.settle([])
    const reading = await lab.agent.read(wanted)
    const written = JSON.stringify([lab.book.entries, lab.book.claims, reading])
    expect(written).not.toContain(secret.slice(3))
    expect(written).toContain('[redacted]')
    // The device kept it.
    expect(lab.running()).toContain(secret)
  },
)

/** On the port of the customer, which is read by itself too. Each with what must not be told. */
const onThePort: readonly (readonly [Platform, port: string, lines: readonly string[]])[] = [
  [
    cisco_ios,
    'GigabitEthernet1/0/7',
    [
      'ipv6 ospf authentication ipsec spi 256 sha1 7 00FACEA001',
      'ospfv3 encryption ipsec spi 1001 esp aes-cbc 128 7 00FACEB002 sha1 7 00FACEB003',
      'standby 1 authentication md5 key-string 7 00FACEC004',
      'ppp pap sent-username cust password 7 00FACED005',
      'isis password 00FACEE006 level-1',
    ],
  ],
  [
    frr,
    'eth7',
    [
      'ip ospf authentication-key 00FACEA001',
      'ipv6 ospf6 authentication key-id 1 hash-algo hmac-sha-256 key 00FACEB002',
      'isis password clear 00FACEC003',
    ],
  ],
  [
    juniper_junos,
    'ge-0/0/7',
    [
      'set interfaces ge-0/0/7 unit 0 family inet address 198.51.100.1/30 vrrp-group 1 authentication-key 00FACEA001',
    ],
  ],
]

it.each(onThePort.map(([platform, on, lines]) => ({ name: platform.name, platform, on, lines })))(
  'an agent of $name writes down no secret that stands on a port',
  async ({ platform, on, lines }) => {
    const flat = platform === juniper_junos
    lab = await startLab(platform, { extra: flat ? lines : [`interface ${on}`, ...lines, 'exit'] })
    expect(lab.running().match(/00FACE/g)?.length).toBe(lines.join().match(/00FACE/g)?.length)
    await lab.settle([port(on)])
    await lab.settle([])
    const reading = await lab.agent.read([port(on)])
    const written = JSON.stringify([lab.book.entries, lab.book.claims, reading])
    expect(written).not.toContain('00FACE')
    expect(written).toContain('[redacted]')
  },
)

const SECRET = '00FACE'

describe('secrets that stand in a configuration', () => {
  it.each([
    ' ipv6 ospf authentication ipsec spi 256 sha1 7 00FACE',
    ' ipv6 ospf authentication ipsec spi 256 md5 0 00FACE',
    ' ipv6 ospf encryption ipsec spi 1001 esp aes-cbc 128 7 00FACE sha1 7 00FACE',
    ' ipv6 ospf encryption ipsec spi 1001 esp null sha1 7 00FACE',
    ' area 0 authentication ipsec spi 256 sha1 7 00FACE',
    ' ospfv3 authentication ipsec spi 500 sha1 00FACE',
    ' sap pmk 00FACE mode-list gcm-encrypt',
    ' cts manual sap pmk 00FACE',
    ' ip ospf authentication-key 7 00FACE',
    ' ip ospf message-digest-key 1 md5 7 00FACE',
    ' ip rip authentication string 00FACE',
    ' ip nhrp authentication 00FACE',
    ' ip nhrp cisco-authentication 00FACE',
    ' standby 1 authentication 00FACE',
    ' standby authentication 00FACE',
    ' standby 1 authentication md5 key-string 7 00FACE timeout 30',
    ' vrrp 1 authentication text 00FACE',
    ' glbp 1 authentication text 00FACE',
    ' isis password 00FACE level-1',
    ' isis password clear 00FACE',
    ' area-password md5 00FACE',
    ' domain-password clear 00FACE',
    ' authentication mode hmac-sha-256 7 00FACE',
    ' ppp chap password 7 00FACE',
    ' ppp pap sent-username cust password 0 00FACE',
    ' ppp eap password 00FACE',
    'ntp authentication-key 1 md5 00FACE 7',
    'snmp-server community 00FACE RO 10',
    'snmp-server host 192.0.2.7 00FACE',
    'snmp-server user bob GROUP v3 auth sha 00FACE priv aes 128 00FACE',
    'radius-server host 192.0.2.7 auth-port 1812 acct-port 1813 key 7 00FACE',
    ' client 192.0.2.7 server-key 7 00FACE',
    ' server-private 192.0.2.7 key 00FACE',
    ' pac key 7 00FACE',
    'crypto isakmp key 00FACE address 192.0.2.7',
    ' pre-shared-key address 192.0.2.7 key 00FACE',
    ' set session-key inbound esp 256 cipher 00FACE authenticator 00FACE',
    'key config-key password-encrypt 00FACE',
    ' wpa-psk ascii 0 00FACE',
    ' security wpa psk set-key ascii 0 00FACE',
    ' security static-wep-key encryption 104 ascii 0 00FACE 1',
    ' encryption key 1 size 40bit 0 00FACE transmit-key',
    ' neighbor 192.0.2.9 password 7 00FACE',
    ' neighbor 2001:db8::9 password 00FACE',
    'mpls ldp neighbor 192.0.2.9 password 7 00FACE',
    ' ipv6 ospf6 authentication key-id 1 hash-algo hmac-sha-256 key 00FACE',
    ' path ftp://user:00FACE@192.0.2.7/edge1',
    'ip ftp password 7 00FACE',
    'username bob privilege 15 secret 9 00FACE',
  ])('IOS and FRR: `%s`', (line) => {
    for (const platform of [cisco_ios, frr]) {
      const kept = platform.redact(`hostname a\n${line}\nend`)
      expect(kept).not.toContain(SECRET)
      expect(kept).toMatch(/^hostname a\n.*\[redacted\].*\nend$/)
      expect(platform.redact(kept)).toBe(kept)
    }
  })

  it.each([
    'security macsec connectivity-association CA pre-shared-key cak 00FACE',
    'security macsec connectivity-association CA fallback-key cak 00FACE',
    'security ike policy P pre-shared-key ascii-text "00FACE twice"',
    'security ike policy P pre-shared-key hexadecimal 00FACE',
    'security ipsec security-association SA manual direction bidirectional authentication key ascii-text 00FACE',
    'security ipsec security-association SA manual direction bidirectional encryption key hexadecimal 00FACE',
    'security authentication-key-chains key-chain K key 1 secret 00FACE',
    'protocols ospf area 0 interface ge-0/0/7.0 authentication md5 1 key 00FACE',
    'protocols ospf area 0 interface ge-0/0/7.0 authentication simple-password 00FACE',
    'protocols isis level 1 authentication-key 00FACE',
    'protocols isis interface ge-0/0/7.0 level 1 hello-authentication-key 00FACE',
    'protocols bgp group G neighbor 192.0.2.9 authentication-key 00FACE',
    'protocols ldp session 192.0.2.9 authentication-key 00FACE',
    'interfaces ge-0/0/7 unit 0 family inet address 198.51.100.1/30 vrrp-group 1 authentication-key 00FACE',
    'interfaces ge-0/0/7 unit 0 ppp-options chap default-chap-secret 00FACE',
    'interfaces ge-0/0/7 unit 0 ppp-options pap local-password 00FACE',
    'access profile P client C chap-secret 00FACE',
    'system ntp authentication-key 1 type md5 value 00FACE',
    'system radius-server 192.0.2.7 secret 00FACE',
    'system tacplus-server 192.0.2.7 secret 00FACE',
    'system archival configuration archive-sites "ftp://user:00FACE@192.0.2.7/"',
    'snmp community 00FACE authorization read-only',
    'snmp v3 snmp-community I community-name 00FACE',
    'snmp v3 usm local-engine user U authentication-sha authentication-password 00FACE',
    'snmp v3 usm local-engine user U privacy-aes128 privacy-key 00FACE',
  ])('Junos: `%s`', (statement) => {
    for (const line of [`set ${statement}`, `${statement}; ## SECRET-DATA`]) {
      const kept = juniper_junos.redact(line)
      expect(kept).not.toContain(SECRET)
      expect(kept).toContain('[redacted]')
      expect(juniper_junos.redact(kept)).toBe(kept)
    }
  })

  it.each([
    ' mac authentication open',
    'ip route 203.0.113.9 255.255.255.255 Null0 tag 666',
    ' ip rip authentication mode md5',
    ' crypto map M 10 ipsec-isakmp',
    'archive http://192.0.2.7/edge1',
    'set policy-options community C members 65535:666',
  ])('and none in `%s`', (line) => {
    for (const platform of [cisco_ios, frr, juniper_junos]) expect(platform.redact(line)).toBe(line)
  })
})

it.each([
  ['neighbor 192.0.2.9 password 7 02050D480809', 'neighbor 192.0.2.9 password [redacted]'],
  [' username bob privilege 15 secret 9 $9$x$y', ' username bob privilege 15 secret [redacted]'],
  ['enable password two words', 'enable password [redacted]'],
  [' ip ospf message-digest-key 1 md5 7 0822455D', ' ip ospf message-digest-key 1 md5 [redacted]'],
  [' standby 1 authentication cisco', ' standby 1 authentication [redacted]'],
  ['snmp-server community S3cret RO', 'snmp-server community [redacted]'],
  ['snmp-server host 192.0.2.7 version 2c S3cret', 'snmp-server host 192.0.2.7 [redacted]'],
  ['tacacs-server key 7 0822455D', 'tacacs-server key [redacted]'],
  [' key-string 7 0822455D', ' key-string [redacted]'],
  ['key chain OSPF', 'key chain OSPF'],
  ['service password-encryption', 'service password-encryption'],
  [' set community 65535:666 no-export', ' set community 65535:666 no-export'],
  ['ip route 203.0.113.9 255.255.255.255 Null0 tag 666', undefined],
])('IOS and FRR: `%s` is kept as `%s`', (line, kept) => {
  for (const platform of [cisco_ios, frr]) {
    expect(platform.redact(`hostname a\n${line}\nend`)).toBe(`hostname a\n${kept ?? line}\nend`)
    const once = platform.redact(line)
    expect(platform.redact(once)).toBe(once)
  }
})

it.each([
  ['set system root-authentication encrypted-password "$6$abc$def"', '"$6$abc$def"'],
  [
    'set protocols bgp group A neighbor 192.0.2.9 authentication-key "$9$abc"; ## SECRET-DATA',
    '$9$abc',
  ],
  ['set security ike policy P pre-shared-key ascii-text "two words"', 'two words'],
  ['set snmp community S3cret authorization read-only', 'S3cret'],
  ['set system tacplus-server 192.0.2.7 secret S3cret', 'S3cret'],
  ['set security authentication-key-chains key-chain K key 1 secret S3cret', 'S3cret'],
])('Junos: `%s` keeps nothing of %s', (line, secret) => {
  const kept = juniper_junos.redact(line)
  expect(kept).not.toContain(secret)
  expect(kept).toContain('[redacted]')
  expect(juniper_junos.redact('set policy-options community C members 65535:666')).toContain(
    '65535',
  )
})

it('an answer that has no meaning is told without its secrets', () => {
  const error = new AgentError('unknown_output', 'x', { lastOutput: 'enable secret 5 $1$abc' })
  expect(error.redacted((text) => cisco_ios.redact(text)).lastOutput).toBe(
    'enable secret [redacted]',
  )
  expect(() => observed(frr, [], { 'show running-config': 'password x' })).toThrow(AgentError)
})
