// A host that is nothing but what commands say, as iproute2 and nft take them (recorded in the fixtures): for properties over many changes.

import { type Claim, decide } from '../../agent/diff.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Change, Facts, Observation } from '../../agent/platform.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { sudo } from '../../agent/platforms/linux/session.ts'
import { overlaps } from '../../inventory/prefix.ts'
import { linesOf, observed, prefix } from './conformance-kit.ts'
import { union } from './frr-model.ts'

interface HostRoute {
  readonly at: string
  readonly mine: boolean
  readonly drops: boolean
  readonly metric: number
}

/** Its state: routes in the kernel's order, sets by `<family> <set>` with element → comment, ports that are down. */
export interface Host {
  readonly routes: HostRoute[]
  readonly sets: Map<string, Map<string, string>>
  readonly down: Set<string>
  readonly families: readonly string[]
}

export const ports = ['p1', 'p2']
export const allSets = ['dst4', 'src4', 'dst6', 'src6']
export const dropped = 'RTNETLINK answers: Invalid argument'
const noTable = 'Error: No such file or directory\nlist table bridge nullroute\n'

/** Runs one line; false where the command fails. */
export function run(host: Host, text: string): boolean {
  const command = text.replace(`${sudo} `, '')
  if (command.includes(' route ')) return runRoute(host, command)
  const [, port, state] = /^ip link set dev (\S+) (up|down)$/.exec(command) ?? []
  if (port === undefined) return runNft(host, command)
  if (state === 'down') host.down.add(port)
  else host.down.delete(port)
  return true
}

function runRoute(host: Host, command: string): boolean {
  const pattern = /^ip (?:-6 )?route (prepend|add|del) blackhole (\S+) proto 223(?: metric (\d))?$/
  const [, verb, at = '', metricText = '0'] = pattern.exec(command) ?? []
  const metric = Number(metricText)
  const isSame = (one: HostRoute): boolean => one.at === at && one.metric === metric
  const own = host.routes.findIndex((one) => isSame(one) && one.mine)
  if (verb === 'del') return own >= 0 && host.routes.splice(own, 1).length === 1
  if (own >= 0 || (verb === 'add' && host.routes.some(isSame))) return false
  host.routes.unshift({ at, mine: true, drops: true, metric })
  return true
}

/** All statements or none, as one call of nft is. */
function runNft(host: Host, command: string): boolean {
  const body = command
    .replace(/^nft (?:-f - <<'EOF'\n)?/, '')
    .replace(/\nEOF$/, '')
    .replaceAll("'", '')
  const next = new Map([...host.sets].map(([name, elements]) => [name, new Map(elements)]))
  if (!body.split(/ ; |\n/).every((statement) => runStatement(next, statement))) return false
  for (const [name, elements] of next) host.sets.set(name, elements)
  return true
}

function runStatement(sets: Map<string, Map<string, string>>, statement: string): boolean {
  const pattern = /^(add|delete) element (\S+) nullroute (\S+) \{ (\S+)(?: comment "(.*)")? \}$/
  const [, verb, family, set, at = '', comment = ''] = pattern.exec(statement) ?? []
  const elements = sets.get(`${family} ${set}`)
  if (elements === undefined) return false
  if (verb === 'delete') return elements.delete(at)
  if (elements.has(at)) return true
  if ([...elements.keys()].some((one) => overlaps(prefix(one), prefix(at)))) return false
  elements.set(at, comment)
  return true
}

export function print(host: Host): string {
  const sets = [...host.sets].map(([name, elements]) => {
    return [name, [...elements].map(([at, comment]) => `${at} ${comment}`).sort()]
  })
  return JSON.stringify([host.routes, sets, [...host.down].sort()])
}

export const rulesFor = (sets: readonly string[]) =>
  sets.map((name) => {
    const protocol = name.endsWith('4') ? 'ip' : 'ip6'
    const field = name.startsWith('src') ? 'saddr' : 'daddr'
    const match = { op: '==', left: { payload: { protocol, field } }, right: `@${name}` }
    const expr: readonly object[] = [{ match }, { drop: null }]
    return { rule: { chain: 'pre', expr } }
  })

export const element = (text: string, comment = 'nullroute') => {
  const [addr = '', length] = text.split('/')
  const val = length === undefined ? addr : { prefix: { addr, len: Number(length) } }
  return { elem: { val, comment, counter: { packets: 0, bytes: 0 } } }
}

/** `nft -t list table`, as far as it is looked at. */
export function headOf(family: string, flags?: string): string {
  const first = `table ${family} nullroute {\n`
  return `${first}${flags === undefined ? '' : `\tflags ${flags}\n\n`}\tset src4 {\n\t\tflags interval\n\t}\n}\n`
}

/** `nft -j list table` with these elements. */
export function listing(
  sets: Readonly<Record<string, readonly unknown[]>>,
  rules = rulesFor(allSets),
): string {
  const chain = { chain: { name: 'pre', type: 'filter', hook: 'prerouting', prio: -310 } }
  const printed = [...allSets, 'protect4', 'protect6'].map((name) => ({
    set: { name, ...(sets[name] === undefined ? {} : { elem: sets[name] }) },
  }))
  return JSON.stringify({ nftables: [{ metainfo: {} }, ...printed, chain, ...rules] })
}

export function look(host: Host, intents: readonly Intent[], facts: Facts): Observation {
  const table: Record<string, string> = {}
  const seen = { host: '', nonce: '', facts }
  for (const { what, line } of linux.observe(intents, seen)) table[line.text] = answer(host, what)
  return observed(linux, intents, table, seen)
}

function answer(host: Host, what: string): string {
  const [kind = '', name = '', at = ''] = what.split('|')
  switch (kind) {
    case 'inside':
      return JSON.stringify(host.routes.filter((one) => one.at === at).map(routeJson))
    case 'get':
      return isDropped(host, name) ? dropped : ''
    case 'table':
    case 'head':
      return tableAnswer(host, kind, name)
    case 'link':
      return JSON.stringify([{ ifname: name, flags: host.down.has(name) ? [] : ['UP'] }])
    case 'addr':
      return JSON.stringify([{ ifname: name, addr_info: [] }])
    default:
      return nothingOf(kind)
  }
}

/** Routes with several next hops are asked for as text. */
function nothingOf(kind: string): string {
  return kind.startsWith('several') ? '' : '[]'
}

function tableAnswer(host: Host, kind: 'table' | 'head', family: string): string {
  if (!host.families.includes(family)) return noTable
  return kind === 'head' ? headOf(family) : listing(elementsOf(host, family))
}

function isDropped(host: Host, at: string): boolean {
  const routes = host.routes.filter((one) => one.at === at)
  const [best] = [...routes].sort((a, b) => a.metric - b.metric)
  return best?.drops === true
}

function elementsOf(host: Host, family: string): Record<string, readonly unknown[]> {
  const elements = allSets.map((set) => {
    const held = [...(host.sets.get(`${family} ${set}`) ?? [])]
    return [set, held.map(([text, comment]) => element(text, comment))] as const
  })
  return Object.fromEntries(elements)
}

function routeJson({ at, mine, drops, metric }: HostRoute): object {
  return {
    dst: at.replace(/\/(?:32|128)$/, ''),
    ...(drops ? { type: 'blackhole' } : { dev: 'eth0' }),
    ...(mine ? { protocol: '223' } : {}),
    ...(metric === 0 ? {} : { metric }),
  }
}

/** One convergence by the product's own decisions; answers the claims that stand after it, and the commands that failed. */
export function converge(
  host: Host,
  wanted: readonly Intent[],
  claims: readonly Claim[],
  facts: Facts,
): { readonly claims: readonly Claim[]; readonly failures: readonly string[] } {
  const observation = look(host, union(claims, wanted), facts)
  const kept = new Map(claims.map((claim) => [claim.key, claim]))
  const changes: { readonly change: Change; readonly before: readonly string[] }[] = []
  for (const decision of decide(
    { wanted, expected: [], fading: [], claims, frozen: false },
    observation,
  )) {
    if (decision.kind === 'change') changes.push(decision)
    if (decision.kind === 'lifted') kept.delete(decision.key)
  }
  const renderings = linux.render(
    changes.map(({ change }) => change),
    observation.facts,
  )
  const failures: string[] = []
  for (const [i, { change, before }] of changes.entries()) {
    const { apply, wrote } = linesOf(renderings[i])
    failures.push(...apply.filter((text) => !run(host, text)))
    const key = keyOf(change.intent)
    if (change.kind === 'lift') kept.delete(key)
    else kept.set(key, { key, intent: change.intent, before, wrote, phase: 'held', step: 1 })
  }
  return { claims: [...kept.values()], failures }
}
