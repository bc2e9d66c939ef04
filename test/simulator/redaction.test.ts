// What a device's configuration holds of secrets stays on the device: nothing that an agent writes down has any of it.

import { afterEach, expect, it } from 'vitest'
import { AgentError } from '../../agent/errors.ts'
import type { Intent } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import { blackhole, neighbor, observed } from '../platform/conformance-kit.ts'
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
