// What FRR needs beforehand: rights, a working save, and for RTBH a trigger that redistributes and edges that discard.

import { type Answer, type Finding, free, type Read, type Seen } from '../../platform.ts'
import { type RunningConfig, readConfig } from './config.ts'
import { daemonsIn, daemonsLine } from './daemons.ts'

/** Version, watchfrr, and by role what RTBH needs. */
export function reads(roles: readonly string[]): readonly Read[] {
  const list: Read[] = [
    { what: 'version', line: free('show version', 'exec') },
    { what: 'watchfrr', line: free('show watchfrr', 'exec') },
  ]
  for (const [role, what] of Object.entries({ 'rtbh-trigger': 'trigger', edge: 'edge' })) {
    if (roles.includes(role)) list.push({ what, line: free('show running-config', 'exec') })
  }
  list.push({ what: 'daemons', line: daemonsLine })
  return list
}

/** One finding for each thing that was looked at. */
export function judge(answers: ReadonlyMap<string, Answer>, seen: Seen): readonly Finding[] {
  const findings = [versionOf(answers.get('version')), rights(seen), watch(answers.get('watchfrr'))]
  const trigger = answers.get('trigger')
  const routes = trigger !== undefined || answers.has('edge')
  findings.push(daemons(answers.get('daemons'), routes ? ['staticd', 'bgpd'] : []))
  if (trigger !== undefined) findings.push(...triggerFindings(readConfig(trigger)))
  const edge = answers.get('edge')
  if (edge !== undefined) findings.push(...edgeFindings(readConfig(edge)))
  return findings
}

function versionOf(answer: Answer | undefined): Finding {
  const found = /^FRRouting (\S+)/m.exec(answer?.text ?? '')?.[1] ?? 'no version'
  return {
    name: 'version',
    ok: /^(?:8\.[4-9]|9\.|1\d\.)/.test(found),
    found,
    expected: 'FRRouting 8.4 or later (8.4.4 and 10.3 were tried)',
    remedy: 'upgrade FRRouting',
  }
}

function rights(seen: Seen): Finding {
  const ok = seen.facts['files'] !== 'unreadable'
  return {
    name: 'rights',
    ok,
    found: ok ? 'vtysh reads its files' : "vtysh can't read /etc/frr",
    expected: 'the account is in the groups frrvty and frr',
    remedy: 'usermod -aG frrvty,frr ACCOUNT, on the device',
  }
}

function daemons(answer: Answer | undefined, needed: readonly string[]): Finding {
  const found = answer === undefined ? undefined : daemonsIn(answer)
  const all = ['zebra', ...needed]
  return {
    name: 'daemons',
    ok: found !== undefined && all.every((name) => found.has(name)),
    found: found === undefined ? 'not told' : [...found].join(', '),
    expected: all.join(', '),
    remedy: 'enable them in /etc/frr/daemons, and start FRR by its service',
  }
}

function watch(answer: Answer | undefined): Finding {
  const text = answer?.text ?? ''
  const ok = /watchfrr global phase/i.test(text)
  return {
    name: 'save',
    ok,
    found: ok ? 'watchfrr runs' : 'watchfrr does not answer',
    expected: 'watchfrr, which writes the configuration for accounts that are not root',
    remedy: 'start FRR by its service: without watchfrr `write memory` needs rights on /etc/frr',
  }
}

function triggerFindings(config: RunningConfig): readonly Finding[] {
  const lines = config.bgp.get('default')?.lines ?? []
  return (['ipv4', 'ipv6'] as const).map((family) => {
    const line = inFamily(lines, family).find((text) => text.startsWith('redistribute static'))
    const map = /^redistribute static(?: metric \d+)? route-map (\S+)/.exec(line ?? '')?.[1]
    const permits = [...config.routeMaps]
      .filter(([header]) => header.startsWith(`route-map ${map} permit `))
      .map(([, entries]) => entries)
    const hop = family === 'ipv4' ? 'set ip next-hop ' : 'set ipv6 next-hop global '
    const right = permits.filter(
      (entries) =>
        entries.some((entry) => entry.startsWith('match tag ')) &&
        entries.some((entry) => entry.startsWith(hop)),
    )
    return {
      name: `trigger ${family}`,
      // An entry without a tag to match would announce every static route of the device.
      ok: right.length > 0 && right.length === permits.length,
      found: line ?? 'no `redistribute static`',
      expected: `redistribute static route-map M, where each permit of M has "match tag" and "${hop}…"`,
      remedy: 'configure it as `nullroute device prepare` shows',
    }
  })
}

/** Lines of one address family of a BGP instance. */
function inFamily(lines: readonly string[], family: 'ipv4' | 'ipv6'): readonly string[] {
  const start = lines.indexOf(`address-family ${family} unicast`)
  if (start < 0) return []
  const rest = lines.slice(start + 1)
  const end = rest.indexOf('exit-address-family')
  return end < 0 ? rest : rest.slice(0, end)
}

function edgeFindings(config: RunningConfig): readonly Finding[] {
  return (['ipv4', 'ipv6'] as const).map((family) => {
    const length = family === 'ipv4' ? '/32' : '/128'
    const discards = [...config.routes.values()]
      .flat()
      .filter((route) => route.discard !== undefined && route.table === undefined)
      .map((route) => route.command)
      .filter((command) => command.startsWith(family === 'ipv4' ? 'ip ' : 'ipv6 '))
      .filter((command) => command.split(' ')[2]?.endsWith(length))
    return {
      name: `discard next hop ${family}`,
      ok: discards.length > 0,
      found: discards.slice(0, 3).join('; ') || 'none',
      expected: `a ${length} blackhole route for the next hop that the trigger sets`,
      remedy: 'configure it as `nullroute device prepare` shows, and name it in discardNextHops',
    }
  })
}

/** Lines to paste before the first use. */
export const prepare =
  (): string => `# on the router, as root (Debian). The account must not be locked: sshd without PAM refuses keys for one whose password is "!"
adduser --disabled-password --gecos nullroute nullroute
usermod -p '*' nullroute
usermod -aG frrvty,frr nullroute
cat >/etc/ssh/sshd_config.d/nullroute.conf <<'EOF'
Match User nullroute
  ForceCommand /usr/bin/vtysh
  AllowTcpForwarding no
  X11Forwarding no
EOF
systemctl reload ssh

! in vtysh, on the RTBH trigger (which is the route reflector, or peers with each edge: FRR adds NO_ADVERTISE to what it receives with 65535:666)
route-map NULLROUTE permit 10
 match tag 666
 set community 65535:666 no-export
 set ip next-hop 192.0.2.254
 set local-preference 200
route-map NULLROUTE6 permit 10
 match tag 666
 set community 65535:666 no-export
 set ipv6 next-hop global 100::1
 set local-preference 200
router bgp ASN
 address-family ipv4 unicast
  redistribute static route-map NULLROUTE
 address-family ipv6 unicast
  redistribute static route-map NULLROUTE6

! in vtysh, on each edge; both addresses belong into discardNextHops of the inventory
ip route 192.0.2.254/32 blackhole
ipv6 route 100::1/128 blackhole
! and where the session with the trigger runs over IPv6 itself: else the edge takes the trigger's link-local address as next hop, and nothing is dropped
bgp community-list standard NULLROUTE permit blackhole
route-map NULLROUTE6-IN permit 10
 match community NULLROUTE
 set ipv6 next-hop prefer-global
route-map NULLROUTE6-IN permit 20
router bgp ASN
 address-family ipv6 unicast
  neighbor TRIGGER route-map NULLROUTE6-IN in
`
