// Where a fault may strike: the steps of one suspension and one release on each platform, each with the line by which the device knows it.

import { savedFiles } from '../../agent/platforms/linux/save.ts'
import type { SimulatedPlatform } from '../simulator/spec.ts'

/** Suspending and releasing: each is played with a fault of its own. */
export type Direction = 'suspend' | 'release'

/** The steps of a session, in their order. `confirm` exists only where a candidate is committed. */
export const steps = [
  'connect',
  'log in',
  'privilege',
  'paging off',
  'read',
  'enter config',
  'line',
  'verify',
  'confirm',
  'look before save',
  'save',
  'close',
] as const

/** One step of a session. */
export type Step = (typeof steps)[number]

/** The line that a step is known by; without one it is no line but the connection itself. */
export interface Moment {
  readonly matching: string
  /** Only behind this line: what is read again after a change. */
  readonly after?: string
}

/** A step of a platform, with its moment in each direction. */
export interface Place {
  /** Unique on its platform: `paging-off`, `line-3`. */
  readonly id: string
  readonly step: Step
  readonly suspend?: Moment
  readonly release?: Moment
  /** The lines, for people. */
  readonly shown: { readonly [direction in Direction]?: string }
  /** Whether the device prints something there. */
  readonly prints: boolean
  /** One of several reads that go out together: the first of them stands for what befalls the wire, each for what befalls its own answer. */
  readonly further?: true
}

/** A step whose line is the same in both directions. */
function both(step: Step, moment: Moment, about: { shown: string; prints: boolean }): Place {
  const { shown, prints } = about
  return {
    id: step.replaceAll(' ', '-'),
    step,
    suspend: moment,
    release: moment,
    shown: { suspend: shown, release: shown },
    prints,
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

/** A whole line as it goes over the wire; `…` stands for what is another each time. */
function exactly(line: string): string {
  return `^${escaped(line).replace('…', '.*')}$`
}

/** The lines of a change: the n-th of a suspension and the n-th of a release are one place. */
function lines(suspend: readonly string[], release: readonly string[]): readonly Place[] {
  const count = Math.max(suspend.length, release.length)
  return Array.from({ length: count }, (_, at): Place => {
    const one = suspend[at]
    const other = release[at]
    return {
      id: `line-${at + 1}`,
      step: 'line',
      ...(one === undefined ? {} : { suspend: { matching: exactly(one) } }),
      ...(other === undefined ? {} : { release: { matching: exactly(other) } }),
      shown: {
        ...(one === undefined ? {} : { suspend: one }),
        ...(other === undefined ? {} : { release: other }),
      },
      prints: /^(?:show|commit)/.test(one ?? other ?? ''),
    }
  })
}

const connect: Place = { id: 'connect', step: 'connect', shown: {}, prints: false }
const close: Place = { id: 'close', step: 'close', shown: {}, prints: false }
const logIn = both(
  'log in',
  { matching: '^<login>$' },
  { shown: 'greeting and first prompt', prints: true },
)

function sent(step: Step, line: string, about: { after?: string; prints?: boolean } = {}): Place {
  const { after, prints = true } = about
  const moment = { matching: exactly(line), ...(after === undefined ? {} : { after }) }
  return both(step, moment, { shown: line, prints })
}

/** The reads that follow the first of their step: `read-2`, `read-3`. */
function further(step: Step, reads: readonly string[], after?: string): readonly Place[] {
  return reads.map((line, at) => {
    const prints = !line.startsWith('terminal ')
    const place = sent(step, line, after === undefined ? { prints } : { after, prints })
    return { ...place, id: `${place.id}-${at + 2}`, further: true }
  })
}

/** All reads of a change: before it, and again behind its last line. */
function readings(
  reads: readonly [string, ...string[]],
  after: string,
): Record<'read' | 'verify', readonly Place[]> {
  const [first, ...rest] = reads
  return {
    read: [sent('read', first), ...further('read', rest)],
    verify: [sent('verify', first, { after }), ...further('verify', rest, after)],
  }
}

/** A line of the change that is the same in both directions, under a name of its own. */
function lineNamed(id: string, line: string): Place {
  return { ...sent('line', line), id }
}

const junosEnd = [
  lineNamed('compare', 'show | compare | no-more'),
  // The first of it: the one that confirms is `confirm`.
  lineNamed('check', 'commit check'),
  lineNamed('commit', 'commit confirmed 5 comment "nullroute …"'),
  lineNamed('leave', 'exit configuration-mode'),
]
const junosCommitted = '^commit confirmed '

/** Whether the commit still waits: what is read of it before and after its confirmation. */
function lookAfterCommit(id: string, line: string): Place {
  return { ...sent('verify', line, { after: junosCommitted }), id }
}

const sudo = 'setsid -w sudo -n'

/** What each platform reads before a change and after it. */
const reads = {
  frr: readings(
    [
      'show running-config',
      'show daemons',
      'show ip route 203.0.113.8/32 json',
      'show bgp neighbors 192.0.2.66 json',
    ],
    '^end$',
  ),
  linux: readings(
    [
      'ip -j -4 route show table all type blackhole',
      'ip -j -6 route show table all type blackhole',
      'ip -j -4 rule show',
      'ip -j -4 route show root 203.0.113.8/32',
      'ip route get 203.0.113.8',
      `${sudo} nft -j list table inet nullroute`,
      `${sudo} nft -t list table inet nullroute`,
      `${sudo} nft -j list table bridge nullroute`,
      `${sudo} nft -t list table bridge nullroute`,
      'ip -j link show type bridge',
      'ip -j -d link show',
      'ip -j route get "$NR_CLIENT"',
      'ip -j addr show to 127.0.0.1',
      'ip -j link show dev p1',
      'ip -j addr show dev p1',
      'ip -j -4 route show table all dev p1',
      'ip -j -6 route show table all dev p1',
      "ip -o -4 route show table all | grep 'nexthop .*dev p1 '",
      "ip -o -6 route show table all | grep 'nexthop .*dev p1 '",
      'ip -j nexthop show dev p1',
      'ip -j neigh show dev p1 nud permanent',
      'ip -j neigh show proxy dev p1',
      'sysctl -n net.ipv6.conf.all.keep_addr_on_down net.ipv6.conf.p1.keep_addr_on_down',
    ],
    `^${sudo} ip link set dev p1 `,
  ),
  cisco_ios: readings(
    [
      'show running-config | include ^ip route|^ipv6 route',
      'show archive config rollback timer',
      'show reload',
      'show object-group name NULLROUTE',
      'show ip route 203.0.113.8 255.255.255.255',
      'show running-config | include ^[a-z0-9]+ access-list |object-group NULLROUTE|^ .*permit |^ .*evaluate |^interface |^ ip access-group',
      'show ip interface brief',
      'show running-config interface GigabitEthernet0/1',
      'show interfaces GigabitEthernet0/1',
      'show running-config | section ^router bgp',
      'show bgp all summary',
    ],
    '^end$',
  ),
  juniper_junos: readings(
    [
      'show configuration routing-options static | display set | no-more',
      'show configuration | display set | match "apply-macro nullroute" | no-more',
      'show configuration | display set | match "^deactivate " | no-more',
      'show configuration policy-options prefix-list nullroute-v4 | display set | no-more',
      'show configuration policy-options prefix-list nullroute-v6 | display set | no-more',
      'show route 203.0.113.8/32 exact | display json | no-more',
      'show configuration firewall | display set | no-more',
      'show configuration interfaces | display set | match " filter (in|out)put|^deactivate" | no-more',
      'show interfaces terse | no-more',
      'show configuration interfaces ge-0/0/1 | display set | no-more',
      'show interfaces ge-0/0/1 | no-more',
      'show configuration | display set | match "neighbor 192.0.2.66( |$)" | no-more',
      'show bgp neighbor 192.0.2.66 | no-more',
    ],
    junosCommitted,
  ),
} as const satisfies Readonly<Record<SimulatedPlatform, unknown>>

/** The places of each platform, in the order of a session. What a platform lacks is in `absentSteps`. */
export const places: Readonly<Record<SimulatedPlatform, readonly Place[]>> = {
  frr: [
    connect,
    logIn,
    sent('paging off', 'no terminal paginate', { prints: false }),
    ...further('paging off', ['terminal length 0']),
    ...reads.frr.read,
    sent('enter config', 'configure terminal', { prints: false }),
    ...lines(
      [
        'ip route 203.0.113.8/32 blackhole tag 666',
        'router bgp 64500',
        'neighbor 192.0.2.66 shutdown message Suspended ABUSE-2041',
        'exit',
        'end',
      ],
      [
        'no ip route 203.0.113.8/32 blackhole tag 666',
        'router bgp 64500',
        'no neighbor 192.0.2.66 shutdown',
        'exit',
        'end',
      ],
    ),
    ...reads.frr.verify,
    sent('look before save', 'show watchfrr'),
    ...further('look before save', ['show daemons'], '^show watchfrr$'),
    sent('save', 'write memory'),
    close,
  ],
  linux: [
    connect,
    logIn,
    sent('privilege', 'id -u; uname -s; ip -V; nft --version'),
    sent('paging off', 'stty -echo', { prints: false }),
    ...reads.linux.read,
    ...lines(
      [
        `${sudo} ip route prepend blackhole 203.0.113.8/32 proto 223`,
        `${sudo} nft add element inet nullroute src4 '{ 203.0.113.8/32 comment "nullroute" }'`,
        `${sudo} nft add element bridge nullroute src4 '{ 203.0.113.8/32 comment "nullroute" }'`,
        `${sudo} nft add element inet nullroute dst4 '{ 203.0.113.8/32 comment "nullroute" }'`,
        `${sudo} nft add element bridge nullroute dst4 '{ 203.0.113.8/32 comment "nullroute" }'`,
        `${sudo} ip link set dev p1 down`,
      ],
      [
        `${sudo} nft delete element inet nullroute src4 '{ 203.0.113.8/32 }'`,
        `${sudo} nft delete element bridge nullroute src4 '{ 203.0.113.8/32 }'`,
        `${sudo} nft delete element inet nullroute dst4 '{ 203.0.113.8/32 }'`,
        `${sudo} nft delete element bridge nullroute dst4 '{ 203.0.113.8/32 }'`,
        `${sudo} ip route del blackhole 203.0.113.8/32 proto 223`,
        `${sudo} ip link set dev p1 up`,
      ],
    ),
    ...reads.linux.verify,
    sent('look before save', savedFiles),
    // The end of the second here-document: a shell does nothing before it has it all.
    {
      ...sent('save', 'EOF', {
        after: '^cat >/etc/nullroute/state.d/elements.new ',
        prints: false,
      }),
      shown: { suspend: 'cat >… (the saved elements)', release: 'cat >… (the saved elements)' },
    },
    close,
  ],
  cisco_ios: [
    connect,
    logIn,
    sent('privilege', 'enable', { prints: false }),
    sent('paging off', 'terminal length 0', { prints: false }),
    ...further('paging off', [
      'terminal width 511',
      'terminal no monitor',
      'show privilege',
      'show version',
    ]),
    ...reads.cisco_ios.read,
    sent('enter config', 'configure terminal'),
    ...lines(
      [
        'ip route 203.0.113.8 255.255.255.255 Null0 tag 666 name nullroute-81f436ec',
        'object-group network NULLROUTE',
        'host 203.0.113.8',
        'interface GigabitEthernet0/1',
        'shutdown',
        'router bgp 64500',
        'neighbor 192.0.2.66 shutdown',
        'exit',
        'end',
      ],
      [
        'object-group network NULLROUTE',
        'no host 203.0.113.8',
        'no ip route 203.0.113.8 255.255.255.255 Null0 tag 666 name nullroute-81f436ec',
        'router bgp 64500',
        'no neighbor 192.0.2.66 shutdown',
        'interface GigabitEthernet0/1',
        'no shutdown',
        'exit',
        'end',
      ],
    ),
    ...reads.cisco_ios.verify,
    sent(
      'look before save',
      'show archive config differences nvram:startup-config system:running-config',
    ),
    sent('save', 'write memory'),
    close,
  ],
  juniper_junos: [
    connect,
    logIn,
    sent('paging off', 'set cli screen-length 0'),
    ...further('paging off', [
      'set cli complete-on-space off',
      'set cli screen-width 511',
      'set cli timestamp disable',
      'show version | no-more',
    ]),
    ...reads.juniper_junos.read,
    // Once more where nobody else can commit.
    { ...sent('read', 'run show system commit | no-more'), id: 'read-inside', further: true },
    sent('enter config', 'configure exclusive'),
    ...lines(
      [
        'set routing-options static route 203.0.113.8/32 discard',
        'set routing-options static route 203.0.113.8/32 tag 666',
        'set routing-options static route 203.0.113.8/32 apply-macro nullroute',
        'set policy-options prefix-list nullroute-v4 203.0.113.8/32',
        'set interfaces ge-0/0/1 disable',
        'set interfaces ge-0/0/1 apply-macro nullroute',
        'set protocols bgp group CUSTOMERS neighbor 192.0.2.66 shutdown notify-message "Suspended ABUSE-2041"',
        'set protocols bgp group CUSTOMERS neighbor 192.0.2.66 shutdown apply-macro nullroute',
      ],
      [
        'delete policy-options prefix-list nullroute-v4 203.0.113.8/32',
        'delete routing-options static route 203.0.113.8/32',
        'delete protocols bgp group CUSTOMERS neighbor 192.0.2.66 shutdown',
        'delete interfaces ge-0/0/1 disable',
        'delete interfaces ge-0/0/1 apply-macro nullroute',
      ],
    ),
    ...junosEnd,
    // The first of it is at rest, before the read-back.
    lookAfterCommit('look', 'show system commit | no-more'),
    lookAfterCommit('look-inside', 'run show system commit | no-more'),
    ...reads.juniper_junos.verify,
    sent('confirm', 'commit check', { after: junosCommitted }),
    close,
  ],
}

/** Steps that a platform doesn't have, with the reason: the cells that are not there. */
export const absentSteps: readonly {
  readonly platform: SimulatedPlatform
  readonly step: Step
  readonly why: string
}[] = [
  {
    platform: 'frr',
    step: 'privilege',
    why: 'vtysh has no privileged mode: access is by Unix group',
  },
  { platform: 'frr', step: 'confirm', why: 'each line is live when typed' },
  { platform: 'linux', step: 'enter config', why: 'each command stands alone' },
  { platform: 'linux', step: 'confirm', why: 'each command is live when run' },
  { platform: 'cisco_ios', step: 'confirm', why: 'each line is live when typed' },
  { platform: 'juniper_junos', step: 'privilege', why: 'rights come with the log-in class' },
  {
    platform: 'juniper_junos',
    step: 'look before save',
    why: 'nothing is saved apart',
  },
  {
    platform: 'juniper_junos',
    step: 'save',
    why: 'a confirmed commit is what a reboot brings back',
  },
]
