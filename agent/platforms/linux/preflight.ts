// What a Linux host needs beforehand: the account's rights, our own tables, and a place where what nullroute holds survives a reboot.

import { type Answer, type Finding, free, type Read, type Seen } from '../../platform.ts'
import { answerTo } from '../output.ts'
import { sudo } from './session.ts'
import {
  readTable,
  setNames,
  type Table,
  type TableFamily,
  type TableRead,
  tableCommands,
} from './table.ts'

const questions = {
  'table inet': tableCommands('inet').all,
  'head inet': tableCommands('inet').head,
  'table bridge': tableCommands('bridge').all,
  'head bridge': tableCommands('bridge').head,
  bridges: 'ip -j link show type bridge',
  state: 'test -d /etc/nullroute/state.d && test -w /etc/nullroute/state.d && echo writable',
  restore:
    'systemctl is-enabled nullroute-restore.service 2>/dev/null || { test -x /usr/local/sbin/nullroute-restore && echo script; }',
  rules: 'ip -j -4 rule show',
  rules6: 'ip -j -6 rule show',
  flowtables: 'nft list flowtables',
} as const

// The one command of each kind that the fragment must allow; `-l` asks and does nothing.
const mayRoute = `${sudo} -l /usr/sbin/ip route prepend blackhole 192.0.2.1/32 proto 223`

/** The same questions for each role. */
export function reads(_roles: readonly string[], { facts }: Seen): readonly Read[] {
  const isRoot = facts['root'] === 'yes'
  const read = (what: string, text: string): Read => ({ what, line: free(text, 'shell') })
  return [
    read('may route', isRoot ? 'id -un' : mayRoute),
    ...Object.entries(questions).map(([what, text]) =>
      read(what, text.startsWith('nft ') && !isRoot ? `${sudo} ${text}` : text),
    ),
  ]
}

/** One finding for each thing that was looked at. */
export function judge(answers: ReadonlyMap<string, Answer>, seen: Seen): readonly Finding[] {
  const text = (what: keyof typeof questions | 'may route'): string =>
    answers.get(what)?.text.trim() ?? ''
  const hasBridge = text('bridges').includes('"ifname"')
  return [
    version(seen),
    {
      name: 'rights',
      ok: answers.get('may route')?.status === 0,
      found: firstLine(text('may route')),
      expected: 'root, or the sudo fragment that `nullroute device prepare` shows',
      remedy: 'install /etc/sudoers.d/nullroute on the host',
    },
    table(answers, 'inet'),
    ...(hasBridge ? [table(answers, 'bridge')] : []),
    {
      name: 'save',
      ok: text('state') === 'writable',
      found: text('state') || '/etc/nullroute/state.d is missing or not writable for the account',
      expected: '/etc/nullroute/state.d, owned by the account',
      remedy: 'install -d -o nullroute -g nullroute -m 0750 /etc/nullroute/state.d',
    },
    {
      name: 'restore',
      ok: /^(?:enabled|script)$/.test(text('restore')),
      found: text('restore') || 'nothing puts back after a reboot what nullroute holds',
      expected: '/usr/local/sbin/nullroute-restore and its unit',
      remedy: 'install both as `nullroute device prepare` shows',
    },
    policyRouting('', text('rules')),
    ...(/not supported/i.test(text('rules6')) ? [] : [policyRouting(' for IPv6', text('rules6'))]),
    {
      name: 'flowtables',
      ok: !/^[ \t]*flowtable /m.test(text('flowtables')),
      found: /flowtable \S+/.exec(text('flowtables'))?.[0] ?? 'none seen',
      expected: 'none: they carry established flows past routes and filters',
      remedy: 'take the customers out of the flowtable',
    },
  ]
}

function version(seen: Seen): Finding {
  const nft = seen.facts['nft'] ?? 'none'
  return {
    name: 'version',
    ok: nft !== 'none',
    found: `${seen.facts['version'] ?? 'iproute2 unknown'}, nftables ${nft}`,
    expected: 'iproute2 and nftables (6.1.0 and 1.0.6 were tried)',
    remedy: 'apt-get install iproute2 nftables',
  }
}

function table(answers: ReadonlyMap<string, Answer>, family: TableFamily): Finding {
  const all = answerTo(answers, `table ${family}`)
  const read = readTable({ all, head: answerTo(answers, `head ${family}`) }, family)
  const isUnclear = read.kind === 'table' && read.table.unclear.size > 0
  const problem = problemOf(read)
  return {
    name: `table ${family} nullroute`,
    ok: problem === undefined,
    found: problem ?? (read.kind === 'table' ? readyWords(read.table) : ''),
    expected:
      'its four sets with single prefixes, protect sets that can be read, and a rule for each set in a prerouting chain',
    remedy: remedyOf(read, isUnclear),
  }
}

function problemOf(read: TableRead): string | undefined {
  if (read.kind === 'absent') return 'absent'
  if (read.kind !== 'table') return read.message
  const { dormant, working, unclear } = read.table
  if (dormant) return 'dormant: nothing in it is dropped'
  const idle = setNames.filter((name) => !working.has(name))
  if (idle.length > 0) return `no rule drops by ${idle.join(', ')}`
  return unclear.size === 0
    ? undefined
    : `entries of ${[...unclear].join(', ')} are not understood: what they drop or let pass is not known`
}

/** What the protect sets let pass is their owner's will, so it is no problem, but nobody should have to guess why something is not dropped. */
function readyWords({ spared }: Table): string {
  const words = [...spared]
    .filter(([, stretches]) => stretches.length > 0)
    .map(([name, stretches]) => `${name} lets ${stretches.map(({ text }) => text).join(', ')} pass`)
  return firstLine(['ready', ...words].join('; '))
}

function remedyOf(read: TableRead, isUnclear: boolean): string {
  if (read.kind === 'denied') {
    return 'renew /etc/sudoers.d/nullroute with the fragment that `nullroute device prepare` shows: that of a host prepared for an earlier release allows less'
  }
  return isUnclear
    ? 'take those entries out by hand (`nft list table`): elements are single prefixes, of protect sets also ranges of addresses'
    : 'load /etc/nullroute/table.nft as `nullroute device prepare` shows'
}

function policyRouting(family: '' | ' for IPv6', rules: string): Finding {
  const ok = onlyUsualRules(rules)
  return {
    name: `policy routing${family}`,
    ok,
    found: ok ? 'none' : firstLine(rules),
    expected: 'the rules local, main and default only',
    remedy: 'look at `ip rule`: traffic that is looked up in another table passes our routes by',
  }
}

function onlyUsualRules(text: string): boolean {
  const tables = [...text.matchAll(/"table":"?([^",}]+)/g)].map((match) => match[1])
  const usual = ['local', 'main', 'default']
  return tables.length > 0 && tables.every((name) => usual.includes(name ?? ''))
}

/** Characters of an answer that a finding shows. */
const shownMax = 200

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, shownMax) ?? ''
}
