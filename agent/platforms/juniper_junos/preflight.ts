// What `device check` asks a Junos device, and the lines that it needs beforehand.

import {
  type Answer,
  type Facts,
  type Finding,
  free,
  type Preflight,
  type Read,
  type Seen,
} from '../../platform.ts'
import { foundBindings } from '../bindings.ts'
import { countQuestion, pending } from './candidate.ts'
import { operational, versionIn } from './dialogue.ts'
import { bindingsFor, filterReads } from './filters.ts'
import { listNames } from './objects.ts'
import { statementsIn } from './statements.ts'

function read(what: string, text: string): Read {
  return { what, line: free(`${text} | no-more`, operational) }
}

function reads(roles: readonly string[]): readonly Read[] {
  return [
    read('version', 'show version'),
    read('commit', 'show system commit'),
    { what: 'commits', line: free(countQuestion, operational) },
    read('uptime', 'show system uptime'),
    // Filters stand at the edge of the network: an access switch needs none.
    ...(roles.includes('edge')
      ? [
          read(
            'lists',
            'show configuration policy-options | display set | match "prefix-list nullroute-"',
          ),
          ...filterReads,
        ]
      : []),
    ...(roles.includes('rtbh-trigger')
      ? [
          read(
            'policies',
            'show configuration policy-options | display set | match "from (tag|protocol)"',
          ),
          read('exports', 'show configuration protocols bgp | display set | match export'),
        ]
      : []),
  ]
}

function judge(answers: ReadonlyMap<string, Answer>, seen: Seen): readonly Finding[] {
  const text = (what: string): string => answers.get(what)?.text ?? ''
  const findings = [
    software(text('version')),
    window(text('commit'), text('commits')),
    clock(text('uptime')),
  ]
  if (answers.has('lists')) {
    findings.push(...filters(answers, seen.facts))
  }
  if (answers.has('policies')) findings.push(redistribution(text('policies'), text('exports')))
  return findings
}

function software(text: string): Finding {
  const version = versionIn(text)
  return {
    name: 'software',
    ok: version !== undefined,
    found: version ?? 'no release',
    expected: 'Junos 17 or later; 19.1 or later for BGP shutdown with a message',
    remedy: 'correct `platform` of the device in the inventory',
  }
}

function window(text: string, count: string): Finding {
  const state = pending(text, count)
  return {
    name: 'pending commit',
    ok: state.kind === 'none',
    found: state.kind === 'none' ? 'none' : 'a confirmed commit waits for its confirmation',
    expected: 'none',
    remedy: 'wait until its owner has confirmed it, or it was rolled back',
  }
}

function clock(text: string): Finding {
  const source = /^Time Source: +(\S.*)$/m.exec(text)?.[1]?.trimEnd()
  return {
    name: 'clock',
    ok: source === undefined || /NTP|PTP/i.test(source),
    found: source ?? /^Current time: (.*)$/m.exec(text)?.[1] ?? 'unknown',
    expected: 'a clock that is set by NTP',
    remedy: 'configure `system ntp server`',
  }
}

function filters(answers: ReadonlyMap<string, Answer>, facts: Facts): readonly Finding[] {
  const entries = statementsIn(answers.get('lists')?.text ?? '').set
  return ([4, 6] as const).map((family) => {
    const name = listNames[family]
    const found = foundBindings((direction) => bindingsFor({ family, direction }, answers, facts))
    const filled = entries.some((one) => one.startsWith(`policy-options prefix-list ${name} `))
    return {
      name: `acl prepared for IPv${family}`,
      ok: filled && found.ok,
      found: `${filled ? '' : 'no '}prefix list ${name}, discarded ${found.text}`,
      expected: `prefix list ${name} with its own entry, in a filter that stands on interfaces which lead to customers`,
      remedy:
        'paste the lines of `nullroute device prepare`; leave it where acl measures are optional',
    }
  })
}

function redistribution(policies: string, exports: string): Finding {
  const statements = statementsIn(policies).set
  const tagged = statements
    .map((one) => /^policy-options policy-statement (\S+) term \S+ from tag \d+$/.exec(one)?.[1])
    .filter((name) => name !== undefined)
  const used = statementsIn(exports).set.map((one) => one.split(' ').at(-1))
  const good = tagged.find((name) => used.includes(name))
  return {
    name: 'RTBH export',
    ok: good !== undefined,
    found: tagged.length === 0 ? 'no policy that matches a tag' : `policies ${tagged.join(', ')}`,
    expected: 'a policy that matches the tag of static routes, as an export policy of BGP',
    remedy: 'paste the RTBH lines of `nullroute device prepare`',
  }
}

/** Questions and their meaning. */
export const preflight: Preflight = { reads, judge }

/** CUST-IN, CUST6-IN, FIRST and the group RR are examples of the operator's own names. */
export const prepare = (): string => `set system services ssh
set system login class nullroute permissions [ view view-configuration configure interface-control routing-control firewall-control ]
set system login class nullroute deny-commands "(start shell)|(request .*)|(clear .*)|(file .*)"
set system login class nullroute deny-configuration "(system)|(security)|(groups)"
set system login user nullroute class nullroute authentication ssh-ed25519 "ssh-ed25519 AAAA... nullroute"
# Filter entries: each list keeps one entry of nobody's, which is listed as discardNextHops in the inventory.
set policy-options prefix-list nullroute-v4 192.0.2.255/32
set policy-options prefix-list nullroute-v6 100::dead/128
# Into your own filters, which stand as input (and, for what goes to customers, as output) on the interfaces that lead to customers: on an uplink
# they don't count, name those as uplinks in the inventory. Without insert the term is behind what accepts.
set firewall family inet filter CUST-IN term nullroute from prefix-list nullroute-v4
set firewall family inet filter CUST-IN term nullroute then count nullroute
set firewall family inet filter CUST-IN term nullroute then discard
insert firewall family inet filter CUST-IN term nullroute before term FIRST
set firewall family inet6 filter CUST6-IN term nullroute from prefix-list nullroute-v6
set firewall family inet6 filter CUST6-IN term nullroute then count nullroute
set firewall family inet6 filter CUST6-IN term nullroute then discard
insert firewall family inet6 filter CUST6-IN term nullroute before term FIRST
# On an RTBH trigger:
set policy-options policy-statement RTBH term nullroute from protocol static
set policy-options policy-statement RTBH term nullroute from tag 666
set policy-options policy-statement RTBH term nullroute then community add BLACKHOLE
set policy-options policy-statement RTBH term nullroute then accept
set policy-options community BLACKHOLE members 65535:666
set protocols bgp group RR export RTBH
`
