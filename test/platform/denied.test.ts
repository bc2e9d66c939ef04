// A read that the device does not answer is no proof of absence: what it keeps back must never count as gone, or a claim goes and the cut stays for good.

import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/errors.ts'
import { keyOf } from '../../agent/intents.ts'
import type { Answer, Platform } from '../../agent/platform.ts'
import { cisco_ios } from '../../agent/platforms/cisco_ios/cisco_ios.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import {
  acl,
  blackhole,
  foundFor,
  junosCommits,
  neighbor,
  observed,
  port,
} from './conformance-kit.ts'

const intents = [
  blackhole('203.0.113.9/32'),
  acl('203.0.113.9/32', 'in'),
  port('ge7'),
  neighbor('192.0.2.9'),
]
const seen = { host: 'edge1', nonce: '00000000', facts: { root: 'no' } }

/** Answers without which no parse comes to its end; all others may be empty. */
const usual: Readonly<Record<string, string>> = {
  'blackhole|default|203.0.113.9/32': '% Network not in table',
  'state ge7': 'Physical interface: ge7, Enabled, Physical link is Up',
}

/** What a parse says when one read is answered by a text, and all others as usual. */
function outcome(platform: Platform, what: string, text: string): string {
  const answers = new Map<string, Answer>()
  for (const read of platform.observe(intents, seen)) {
    answers.set(read.what, {
      line: read.line,
      text: read.what === what ? text : usualFor(platform, read.what),
    })
  }
  if (!answers.has(what)) throw new TypeError(`never asked: ${what}`)
  try {
    platform.parse(answers, intents, seen)
    return 'read'
  } catch (error) {
    return error instanceof AgentError ? `${error.code}: ${error.message}` : 'broken'
  }
}

function unknown(platform: Platform, what: string): unknown {
  const { line } = platform.observe(intents, seen).find((read) => read.what === what) ?? {}
  return expect.stringContaining(`unknown_output: "${line?.text}" was answered`)
}

function usualFor(platform: Platform, what: string): string {
  if (platform.name === 'juniper_junos' && what === 'commit') return junosCommits
  const isJson = platform.name === 'juniper_junos' && what.startsWith('blackhole|')
  return isJson ? '' : (usual[what] ?? '')
}

describe('a refused read', () => {
  it.each([
    'Command authorization failed.',
    '% Authorization failed.',
    '\n% Authorization failed.\n',
  ])('of IOS is missing rights, whatever was asked: %s', (text) => {
    for (const { what, line } of cisco_ios.observe(intents, seen)) {
      expect(outcome(cisco_ios, what, text)).toBe(
        `no_privilege: the device refuses \`${line.text}\`: ${text.trim()}`,
      )
    }
  })

  it.each(['%% Low on memory; try again later', 'Unable to get configuration. Try again later'])(
    'of IOS for want of memory is no configuration: %s',
    (text) => {
      expect(outcome(cisco_ios, 'timer', '')).toBe('read')
      for (const what of ['routes', 'group', 'bgp', 'config ge7']) {
        expect(outcome(cisco_ios, what, text)).toEqual(unknown(cisco_ios, what))
      }
    },
  )

  it('of IOS in the middle of the group is no end of the group', () => {
    const text = 'Network object group NULLROUTE\n host 192.0.2.255\n%% Low on memory'
    expect(outcome(cisco_ios, 'group', text)).toEqual(unknown(cisco_ios, 'group'))
  })

  it.each(['% Object group NULLROUTE does not exist', "% Invalid input detected at '^' marker."])(
    'is another thing than a group that is not there: %s',
    (text) => {
      const one = acl('203.0.113.9/32')
      const found = foundFor(
        observed(cisco_ios, [one], { 'show object-group name NULLROUTE': text }),
        one,
      )
      expect(found).toMatchObject({ object: [], stop: { code: 'not_prepared' } })
    },
  )

  it.each([
    'error: communication failure with rpd',
    'error: timeout communicating with routing daemon',
    'syntax error, expecting <command>.',
    'unknown command.',
  ])('of Junos is no configuration: %s', (text) => {
    const reads = juniper_junos.observe(intents, seen).map(({ what }) => what)
    expect(outcome(juniper_junos, 'marks', '')).toBe('read')
    expect(reads.length).toBeGreaterThan(8)
    for (const what of reads.filter((one) => one !== 'commit')) {
      expect(outcome(juniper_junos, what, text)).toEqual(unknown(juniper_junos, what))
    }
    expect(outcome(juniper_junos, 'commit', text)).toMatch(/^unknown_output: `show system commit`/)
  })

  it('of Junos for want of permission says so', () => {
    expect(outcome(juniper_junos, 'marks', 'error: permission denied')).toMatch(/^no_privilege/)
  })

  it.each(['% Command incomplete.', 'vtysh: write error', ''])(
    'of FRR is no configuration: %s',
    (text) => {
      expect(outcome(frr, 'config', text)).toMatch(/^unknown_output/)
    },
  )
})

it('an answer of Junos that was cut short is no configuration that somebody changed', () => {
  const one = blackhole('203.0.113.9/32')
  const path = 'routing-options static route 203.0.113.9/32'
  const marks = 'show configuration | display set | match "apply-macro nullroute" | no-more'
  const routes = 'show configuration routing-options static | display set | no-more'
  const cut = { [marks]: `set ${path} apply-macro nullroute`, [routes]: `set ${path} disc` }

  expect(() => observed(juniper_junos, [one], cut)).toThrow(/which the list of all marks shows/)
})

it('a neighbor in several groups of Junos is still there, and nothing is sent', () => {
  const one = neighbor('192.0.2.9')
  const line = 'show configuration | display set | match "neighbor 192.0.2.9( |$)" | no-more'
  const path = (group: string) => `protocols bgp group ${group} neighbor 192.0.2.9`
  const found = observed(juniper_junos, [one], {
    [line]: [
      `set ${path('A')} peer-as 64501`,
      `set ${path('A')} shutdown notify-message x`,
      `set ${path('A')} shutdown apply-macro nullroute`,
      `set ${path('B')} peer-as 64501`,
    ].join('\n'),
  }).found.get(keyOf(one))
  expect(found).toMatchObject({
    object: [
      `${path('A')} shutdown notify-message x`,
      `${path('A')} shutdown apply-macro nullroute`,
    ],
    mark: 'ours',
    stop: { code: 'ambiguous' },
  })
})
