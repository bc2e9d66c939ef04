// What to ask FRR about each intent, and what its answers mean.

import { z } from 'zod'
import type { Prefix } from '../../../inventory/prefix.ts'
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
import { coversOf } from '../covers.ts'
import { isMadeOf } from '../link-local.ts'
import { answerTo, readJson, unknownOutput } from '../output.ts'
import { hasNeighbor, type RunningConfig, readConfig, shutdownLine } from './config.ts'
import { daemonStop, daemonsIn, daemonsLine } from './daemons.ts'
import { kernelReads, lostStop } from './kernel-routes.ts'
import { carriedStop, interfacesRead } from './ports.ts'
import { findBlackhole, tableQuestions } from './routes.ts'

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
      case 'blackhole':
        for (const { what, text } of tableQuestions(intent, wide)) add(what, text)
        break
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
  const ports = intents.flatMap((intent) => (intent.kind === 'port' ? [intent.port] : []))
  for (const { what, line } of kernelReads(ports)) add(what, line.text)
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
  const ports = new Set(
    intents.flatMap((intent) => (intent.kind === 'port' ? [String(intent.port)] : [])),
  )
  for (const intent of intents) {
    const key = keyOf(intent)
    const finding = findingOf(intent, config, { answers, wide, ports, facts: seen.facts })
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
  /** All ports that were asked for: they may go down in one write. */
  readonly ports: ReadonlySet<string>
  readonly facts: Facts
}

function findingOf(intent: Intent, config: RunningConfig, reading: Reading): Finding {
  const { answers, ports, facts } = reading
  switch (intent.kind) {
    case 'blackhole':
      return findBlackhole(intent, config, reading)
    case 'port':
      return portWith(
        port(intent.port, config, answerTo(answers, `interface|${intent.port}`)),
        () => carriedStop(intent.port, answers, facts) ?? lostStop(intent.port, ports, answers),
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

// --- port

/** A port that is up and could be taken down, unless it carries others or would take away what nobody brings back. */
function portWith(found: Finding, against: () => Stop | undefined): Finding {
  const stop = found.effect === 'none' ? (found.stop ?? against()) : undefined
  return stop === undefined ? found : { ...found, stop }
}

const byName = z.record(z.string(), z.unknown())

const interfaceState = z.object({
  administrativeStatus: z.enum(['up', 'down']),
  pseudoInterface: z.boolean(),
  hardwareAddress: z.string().optional(),
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
  const lost = unrestorable(entry.data, lines)
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

/** IPv6 addresses that a shutdown takes away and no `no shutdown` brings back: neither FRR, nor the kernel that makes one of the hardware address. */
function unrestorable(
  { ipAddresses = [], hardwareAddress }: z.infer<typeof interfaceState>,
  lines: readonly string[],
): readonly string[] {
  return ipAddresses
    .map(({ address }) => address)
    .filter((address) => address.includes(':') && !isMadeOf(hardwareAddress, address))
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
