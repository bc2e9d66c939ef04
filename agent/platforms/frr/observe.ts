// What to ask FRR about each intent, and what its answers mean.

import { z } from 'zod'
import { covers, familyOf, type Prefix, parsePrefix } from '../../../inventory/prefix.ts'
import { type Intent, type Key, keyOf } from '../../intents.ts'
import {
  type Answer,
  type Facts,
  type Found,
  free,
  type Observation,
  type Read,
  type Seen,
  type Stop,
} from '../../platform.ts'
import { coversOf, placeName } from '../covers.ts'
import { answerTo, isHost, leakNote, readJson, unknownOutput } from '../output.ts'
import {
  hasNeighbor,
  type RunningConfig,
  readConfig,
  routeKey,
  type StaticRoute,
  shutdownLine,
} from './config.ts'
import { daemonStop, daemonsIn, daemonsLine } from './daemons.ts'
import { carriedStop, interfacesRead } from './ports.ts'

/** The whole configuration once, and the state of each object: forwarding table, interface, BGP session. */
export function observe(intents: readonly Intent[]): readonly Read[] {
  const reads = new Map<string, Read>()
  const add = (what: string, text: string): void => {
    reads.set(what, { what, line: free(text, 'exec') })
  }
  add('config', 'show running-config')
  add('daemons', daemonsLine.text)
  const wide = coversOf(intents.filter(isBlackhole))
  for (const intent of intents) {
    switch (intent.kind) {
      case 'blackhole': {
        const cover = wide.get(placeName(intent.vrf, intent.prefix))
        if (cover !== undefined) {
          add(insideName(intent.vrf, cover), `${ribLine(intent.vrf, cover)} longer-prefixes json`)
          break
        }
        add(ribName(intent.vrf, intent.prefix), `${ribLine(intent.vrf, intent.prefix)} json`)
        if (!isHost(intent.prefix)) {
          const inside = `${ribLine(intent.vrf, intent.prefix)} longer-prefixes json`
          add(insideName(intent.vrf, intent.prefix), inside)
        }
        break
      }
      case 'port':
        add(`interface|${intent.port}`, `show interface ${intent.port} json`)
        add(interfacesRead.what, interfacesRead.line.text)
        break
      case 'neighbor': {
        const vrf = intent.vrf === 'default' ? '' : `vrf ${intent.vrf} `
        add(`bgp|${intent.vrf}|${intent.peer}`, `show bgp ${vrf}neighbors ${intent.peer} json`)
        break
      }
      case 'acl':
        break
    }
  }
  return [...reads.values()]
}

function isBlackhole(intent: Intent): intent is Intent & { kind: 'blackhole' } {
  return intent.kind === 'blackhole'
}

/** One Found for each intent. Nothing on FRR can carry a mark, so `marked` stays empty. */
export function parse(
  answers: ReadonlyMap<string, Answer>,
  intents: readonly Intent[],
  seen: Seen,
): Observation {
  const config = readConfig(answerTo(answers, 'config'))
  const daemons = daemonsIn(answerTo(answers, 'daemons'))
  const found = new Map<Key, Found>()
  const wide = coversOf(intents.filter(isBlackhole))
  for (const intent of intents) {
    const key = keyOf(intent)
    const finding = findingOf(intent, config, { answers, wide, facts: seen.facts })
    const stop = daemonStop(daemons, daemonOf[intent.kind])
    const dead = stop === undefined ? {} : { stop, note: stop.message }
    found.set(key, { key, mark: 'unmarkable', ...finding, ...dead })
  }
  return { found, marked: [], facts: { ...seen.facts, ...factsOf(config) } }
}

/** Which daemon does it; what is unsupported is asked of none. */
const daemonOf: Readonly<Record<Intent['kind'], string>> = {
  blackhole: 'staticd',
  neighbor: 'bgpd',
  port: 'zebra',
  acl: 'zebra',
}

type Finding = Omit<Found, 'key' | 'mark'>

const absent: Finding = { object: [], effect: 'none', inForce: 'no' }

/** What was read. `wide`: what was asked for in place of a prefix, with others. */
interface Reading {
  readonly answers: ReadonlyMap<string, Answer>
  readonly wide: ReadonlyMap<string, Prefix>
  readonly facts: Facts
}

function findingOf(intent: Intent, config: RunningConfig, reading: Reading): Finding {
  const { answers, facts } = reading
  switch (intent.kind) {
    case 'blackhole':
      return blackhole(intent, config, reading)
    case 'port':
      return portWith(
        port(intent.port, config, answerTo(answers, `interface|${intent.port}`)),
        () => carriedStop(intent.port, answers, facts),
      )
    case 'neighbor':
      return neighbor(intent, config, answers)
    case 'acl':
      return absent
  }
}

function factsOf(config: RunningConfig): Facts {
  const facts: Record<string, string> = {}
  for (const [vrf, instance] of config.bgp) facts[`bgp|${vrf}`] = instance.header
  const asn = (config.bgp.get('default') ?? [...config.bgp.values()][0])?.asn
  if (asn !== undefined) facts['asn'] = asn
  return facts
}

// --- blackhole

const ribEntry = z.object({
  selected: z.boolean().optional(),
  installed: z.boolean().optional(),
  nexthops: z.array(
    z.object({
      ip: z.string().optional(),
      interfaceName: z.string().optional(),
      unreachable: z.boolean().optional(),
      recursive: z.boolean().optional(),
      blackhole: z.boolean().optional(),
      reject: z.boolean().optional(),
      adminProhibited: z.boolean().optional(),
    }),
  ),
})

const rib = z.record(z.string(), z.array(ribEntry))

function ribName(vrf: string, prefix: Prefix): string {
  return `rib|${vrf}|${prefix}`
}

function insideName(vrf: string, prefix: Prefix): string {
  return `inside|${vrf}|${prefix}`
}

// Always with its length: asked for a bare address, FRR answers with the route that covers it.
function ribLine(vrf: string, prefix: Prefix): string {
  const family = familyOf(prefix) === 4 ? 'ip' : 'ipv6'
  return `show ${family} route ${vrf === 'default' ? '' : `vrf ${vrf} `}${prefix}`
}

function blackhole(
  intent: Intent & { kind: 'blackhole' },
  config: RunningConfig,
  { answers, wide }: Reading,
): Finding {
  const { vrf, prefix } = intent
  const cover = wide.get(placeName(vrf, prefix))
  const answer = answerTo(
    answers,
    cover === undefined ? ribName(vrf, prefix) : insideName(vrf, cover),
  )
  const all = config.routes.get(routeKey(intent.vrf, intent.prefix)) ?? []
  // A prefix has one place for a discard. A next hop of distance 1 shares it; one of another distance stands beside it, and ours wins.
  const standing = all.filter((route) => route.discard !== undefined || (route.distance ?? 1) === 1)
  const object = standing.map((route) => route.command).sort()
  if (/^% VRF \S+ not found/.test(answer.text)) {
    return {
      object,
      effect: object.length === 0 ? 'none' : 'other',
      inForce: 'no',
      stop: {
        code: 'no_such_object',
        message: `the VRF ${intent.vrf} does not exist on the device`,
        remedy: 'correct the VRF in the inventory, or create it on the device',
      },
    }
  }
  const forwarding = forwardingOf(intent, answers, cover)
  if (standing.length === 0) return { object, effect: 'none', ...forwarding }
  const same = standing.length === 1 && standing.every((route) => isWanted(route, intent.tag))
  return { object, effect: same ? 'same' : 'other', ...forwarding }
}

function isWanted(route: StaticRoute, tag: number): boolean {
  const drops = route.discard === 'blackhole' || route.discard === 'Null0'
  return drops && route.tag === tag && (route.distance ?? 1) === 1
}

/** Dropped as a whole, and no route inside that leads anywhere. */
function forwardingOf(
  { vrf, prefix }: Intent & { kind: 'blackhole' },
  answers: ReadonlyMap<string, Answer>,
  cover: Prefix | undefined,
): Pick<Found, 'inForce' | 'note'> {
  const exact = cover === undefined ? ribName(vrf, prefix) : insideName(vrf, cover)
  const inForce = discards(answerTo(answers, exact), prefix, cover)
  if (isHost(prefix)) return { inForce }
  const leak = leakInside(answerTo(answers, insideName(vrf, cover ?? prefix)), prefix)
  if (inForce !== 'yes' || leak === undefined) return { inForce }
  return { inForce: 'partly', note: leakNote(prefix, leak) }
}

/** Whether the forwarding table drops the prefix, from whatever protocol: `yes` if what is selected is installed, with no next hop that leads anywhere. */
function discards(
  answer: Answer,
  prefix: Prefix,
  cover: Prefix | undefined,
): Extract<Found['inForce'], 'yes' | 'partly' | 'no'> {
  const table = tableIn(answer)
  const entries = table[prefix] ?? []
  if (cover === undefined && entries.length === 0 && Object.keys(table).length > 0) {
    throw unknownOutput(answer, `routes for ${prefix} and no other prefix`)
  }
  const chosen = entries.filter((entry) => entry.selected === true)
  if (chosen.length > 0 && chosen.every(isDropped)) return 'yes'
  // What is chosen and not installed yet leaves what was there before in the kernel.
  const settled = chosen.every((entry) => entry.installed === true)
  const deciding = chosen.length > 0 ? chosen : entries
  return settled && deciding.every(leadsOn) ? 'no' : 'partly'
}

/** Whether every next hop leads to an address or an interface. */
function leadsOn(entry: z.infer<typeof ribEntry>): boolean {
  const hops = entry.nexthops.filter((hop) => hop.recursive !== true)
  return (
    hops.length > 0 &&
    hops.every(
      (hop) =>
        !drops(hop) &&
        hop.unreachable !== true &&
        (hop.ip !== undefined || hop.interfaceName !== undefined),
    )
  )
}

function drops(hop: z.infer<typeof ribEntry>['nexthops'][number]): boolean {
  return hop.blackhole === true || hop.reject === true || hop.adminProhibited === true
}

function isDropped(entry: z.infer<typeof ribEntry>): boolean {
  // A recursive next hop is only a name for those behind it.
  const hops = entry.nexthops.filter((hop) => hop.recursive !== true)
  return entry.installed === true && hops.length > 0 && hops.every(drops)
}

/** Tables that were read already: one stands for many prefixes, and each of them asks for it. */
const known = new WeakMap<Answer, z.infer<typeof rib>>()

function tableIn(answer: Answer): z.infer<typeof rib> {
  const before = known.get(answer)
  if (before !== undefined) return before
  const table = readJson(answer, rib, 'routes by prefix as JSON')
  known.set(answer, table)
  return table
}

/** A more specific route that leads anywhere: for its addresses it wins over the discard of the whole. */
function leakInside(answer: Answer, prefix: Prefix): string | undefined {
  const table = tableIn(answer)
  const found = Object.entries(table).find(([text, entries]) => {
    const at = parsePrefix(text)
    if (!at.ok) throw unknownOutput(answer, 'routes by prefix')
    const chosen = entries.filter((entry) => entry.selected === true)
    return at.value !== prefix && covers(prefix, at.value) && !chosen.every(isDropped)
  })
  return found?.[0]
}

// --- port

/** A port that is up and could be taken down, unless it carries others. */
function portWith(found: Finding, carried: () => Stop | undefined): Finding {
  const stop = found.effect === 'none' ? (found.stop ?? carried()) : undefined
  return stop === undefined ? found : { ...found, stop }
}

const byName = z.record(z.string(), z.unknown())

const interfaceState = z.object({
  administrativeStatus: z.enum(['up', 'down']),
  pseudoInterface: z.boolean(),
  ipAddresses: z.array(z.object({ address: z.string() })).optional(),
})

const shutdown = 'shutdown'

function port(name: string, config: RunningConfig, answer: Answer): Finding {
  const missing: Stop = {
    code: 'no_such_object',
    message: `there is no interface ${name} on the device`,
    remedy: 'correct the name in the inventory: FRR would create an interface for a wrong one',
  }
  // Old versions say it in words, even when asked for JSON.
  if (answer.text.startsWith("% Can't find interface ")) return { ...absent, stop: missing }
  const table = readJson(answer, byName, 'one interface as JSON')
  const entry = interfaceState.safeParse(table[name])
  if (table[name] === undefined && Object.keys(table).length === 0) {
    return { ...absent, stop: missing }
  }
  if (!entry.success) throw unknownOutput(answer, `the interface ${name} as JSON`)
  if (entry.data.pseudoInterface) return { ...absent, stop: missing }
  const lines = config.interfaces.get(name) ?? []
  const isDown = entry.data.administrativeStatus === 'down'
  if (lines.includes(shutdown)) {
    return { object: [shutdown], effect: 'same', inForce: isDown ? 'yes' : 'no' }
  }
  // Down by other hands than FRR's: `no shutdown` could not give that back, so it is left alone.
  if (isDown) return { object: ['down outside FRR'], effect: 'same', inForce: 'yes', noLine: true }
  const lost = unrestorable(entry.data.ipAddresses ?? [], lines)
  if (lost.length === 0) return absent
  return {
    ...absent,
    stop: {
      code: 'not_restorable',
      message: `${name} would lose ${lost.join(', ')} for good: the kernel drops IPv6 addresses of a port that goes down, and FRR does not know these`,
      remedy: `configure the address inside FRR (interface ${name}, ipv6 address …)`,
    },
  }
}

/** IPv6 addresses that a shutdown takes away and no `no shutdown` brings back. */
function unrestorable(
  addresses: readonly { readonly address: string }[],
  lines: readonly string[],
): readonly string[] {
  return addresses
    .map(({ address }) => address)
    .filter((address) => address.includes(':') && !/^fe[89ab]/i.test(address))
    .filter((address) => !lines.includes(`ipv6 address ${address}`))
}

// --- neighbor

const session = z.object({
  adminShutDown: z.boolean().optional(),
  bgpState: z.string(),
})

function neighbor(
  intent: Intent & { kind: 'neighbor' },
  config: RunningConfig,
  answers: ReadonlyMap<string, Answer>,
): Finding {
  const instance = config.bgp.get(intent.vrf)
  if (instance === undefined || !hasNeighbor(instance, intent.peer)) {
    return {
      ...absent,
      stop: {
        code: 'no_such_object',
        message:
          instance === undefined
            ? `no BGP runs in the VRF ${intent.vrf}`
            : `"${instance.header}" has no neighbor ${intent.peer}`,
        remedy: 'correct the neighbor in the inventory, or configure it on the device',
      },
    }
  }
  const answer = answerTo(answers, `bgp|${intent.vrf}|${intent.peer}`)
  const table = readJson(answer, byName, 'one BGP neighbor as JSON')
  const entry = session.safeParse(table[intent.peer])
  if (!entry.success) throw unknownOutput(answer, `the neighbor ${intent.peer} as JSON`)
  const isDown = entry.data.adminShutDown === true && entry.data.bgpState !== 'Established'
  const line = shutdownLine(instance, intent.peer)
  const inForce = isDown ? 'yes' : 'no'
  if (line !== undefined) return { object: [line], effect: 'same', inForce }
  // Shut by its peer group: no line of its own, and none is needed.
  return { object: [], effect: entry.data.adminShutDown === true ? 'same' : 'none', inForce }
}
