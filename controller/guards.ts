// The guards: one function each, in one list, run on every path: create, extend, retry, approve, plan. Pure.
// A guard looks at what the decision comes to after compiling and carving, never at what somebody meant; a refusal names the rule, the numbers,
// what it hit, and what to do.

import { platforms } from '../agent/platforms/index.ts'
import { holdingsOn } from '../inventory/holdings.ts'
import type { Lookup } from '../inventory/lookup.ts'
import type { Id, Inventory } from '../inventory/model.ts'
import { type NeverCut, neverCutAt, neverCutIn } from '../inventory/never-cut.ts'
import { type PortNaming, samePort, takesDown } from '../inventory/ports.ts'
import {
  carve,
  comparePrefixes,
  familyOf,
  hostPrefix,
  lengthOf,
  type Prefix,
} from '../inventory/prefix.ts'
import type { Compiled, Decision } from '../playbooks/model.ts'
import { measure } from './blast-radius.ts'
import type { Usage } from './hour.ts'
import type { Verdict } from './plan.ts'

/** What guards look at. */
export interface GuardInput {
  readonly decision: Decision
  /** For what is in force already: `frozenAs` of its rows. */
  readonly compiled: Compiled
  readonly inventory: Inventory
  readonly lookup: Lookup
  readonly neverCut: readonly NeverCut[]
  /** What the hour has seen, without this decision. */
  readonly usage: Usage
  /** Whether the one who overrides is an admin. For approve and retry true: the overrides were judged when they were accepted. */
  readonly mayOverride: boolean
}

interface Guard {
  readonly name: string
  readonly overridable: boolean
  /** What it runs into; undefined where the decision may pass. */
  test(input: GuardInput): Hit | undefined
}

interface Hit {
  readonly message: string
  readonly hit: readonly string[]
}

/** Each guard that a decision must pass, in the order in which they are shown. Nothing that would hit somebody else or the network itself can be overridden. */
const guards: readonly Guard[] = [
  { name: 'own_space', overridable: false, test: ownSpace },
  { name: 'protected_space', overridable: false, test: protectedSpace },
  { name: 'never_cut', overridable: false, test: neverCutAddresses },
  { name: 'prefix_length', overridable: true, test: prefixLength },
  { name: 'port_owner', overridable: false, test: portOwner },
  { name: 'port_uplink', overridable: false, test: portUplink },
  { name: 'neighbor_owner', overridable: false, test: neighborOwner },
  { name: 'decision_budget', overridable: true, test: decisionBudget },
  { name: 'hour_budget', overridable: true, test: hourBudget },
]

/** Name of the verdict on the overrides themselves. */
export const overrideGuard = 'override'

/** The guards by name, and whether an override may pass them. */
export const guardNames: ReadonlyMap<string, { readonly overridable: boolean }> = new Map(
  guards.map(({ name, overridable }) => [name, { overridable }]),
)

/** One verdict for each guard, in a fixed order, and one on the overrides where there are any. The decision may go on only if none says `refuse`. */
export function judge(input: GuardInput): readonly Verdict[] {
  const { overrides } = input.decision
  const verdicts = guards.map((guard) => {
    const reason = overrides.find((override) => override.guard === guard.name)?.reason
    return judgeOne(guard, input, reason)
  })
  return overrides.length === 0 ? verdicts : [judgeOverrides(input), ...verdicts]
}

/** The verdict that stops it: the first that refuses. */
export function refusalIn(verdicts: readonly Verdict[]): Verdict | undefined {
  return verdicts.find(({ verdict }) => verdict === 'refuse')
}

function judgeOne(guard: Guard, input: GuardInput, reason: string | undefined): Verdict {
  const base = { guard: guard.name, overridable: guard.overridable }
  const found = guard.test(input)
  if (found === undefined) return { ...base, verdict: 'pass', message: 'passed' }
  if (reason !== undefined && guard.overridable && input.mayOverride) {
    const message = `overridden (${reason}): ${found.message}`
    return { ...base, verdict: 'overridden', message, hit: found.hit }
  }
  const way = guard.overridable
    ? '; an admin may override this guard with a reason'
    : '; no override passes this guard'
  return { ...base, verdict: 'refuse', message: `${found.message}${way}`, hit: found.hit }
}

function judgeOverrides({ decision, mayOverride }: GuardInput): Verdict {
  const base = { guard: overrideGuard, overridable: false }
  const named = decision.overrides.map(({ guard }) => guard)
  if (!mayOverride) {
    const message = `overrides need the role admin: leave out the override of ${named.join(', ')}, or ask an admin to decide`
    return { ...base, verdict: 'refuse', message, hit: named }
  }
  const unknown = named.filter((name) => !guardNames.has(name))
  if (unknown.length > 0) {
    const known = guards.filter(({ overridable }) => overridable).map(({ name }) => name)
    const message = `there is no guard ${unknown.join(', ')}: those that can be overridden are ${known.join(', ')}`
    return { ...base, verdict: 'refuse', message, hit: unknown }
  }
  const fixed = named.filter((name) => guardNames.get(name)?.overridable === false)
  if (fixed.length > 0) {
    const message = `no override passes ${fixed.join(', ')}: leave it out`
    return { ...base, verdict: 'refuse', message, hit: fixed }
  }
  return { ...base, verdict: 'pass', message: 'passed' }
}

/** The prefix that the decision itself names, where it names one. */
function subjectPrefix({ decision }: GuardInput): readonly Prefix[] {
  return decision.subject.kind === 'prefix' ? [decision.subject.prefix] : []
}

function touched(input: GuardInput): readonly Prefix[] {
  return [...new Set([...subjectPrefix(input), ...input.compiled.prefixes])]
}

function ownSpace(input: GuardInput): Hit | undefined {
  const { lookup, compiled } = input
  const outside = touched(input).filter(
    (prefix) => lookup.containing(prefix)?.id !== compiled.customer,
  )
  if (outside.length === 0) return undefined
  const hit = outside.map((prefix) => {
    const others = lookup
      .customersOverlapping(prefix)
      .filter(({ id }) => id !== compiled.customer)
      .map(({ id }) => id)
    const whose = others.length > 0 ? `hits ${others.join(', ')}` : 'holds addresses of nobody'
    return `${prefix}: ${whose}`
  })
  return {
    message: `not wholly inside the space of ${compiled.customer}: ${hit.join('; ')}. Name a prefix that is wholly theirs, or correct the inventory`,
    hit,
  }
}

function protectedSpace(input: GuardInput): Hit | undefined {
  const at = (prefix: Prefix) =>
    input.lookup.protectedOverlapping(prefix).map((shield) => ({
      prefix: shield.prefix,
      text: `${prefix} meets ${shield.prefix} (${shield.why})`,
    }))
  const hit = shielded(input, at)
  if (hit.length === 0) return undefined
  return { message: `protected space: ${hit.join('; ')}. Name a prefix that lies beside it`, hit }
}

function neverCutAddresses(input: GuardInput): Hit | undefined {
  const { compiled, decision } = input
  const isOthers = ({ ownNeighborOf }: NeverCut) => ownNeighborOf !== compiled.customer
  const at = (prefix: Prefix) =>
    neverCutIn(input.neverCut, prefix)
      .filter(isOthers)
      .map((entry) => ({ prefix: entry.prefix, text: `${entry.address} (${entry.why})` }))
  const sessions = [
    ...compiled.neighbors,
    ...(decision.subject.kind === 'neighbor' ? [decision.subject] : []),
  ]
    .toSorted((one, other) => comparePrefixes(hostPrefix(one.peer), hostPrefix(other.peer)))
    .flatMap((one) =>
      neverCutAt(input.neverCut, one.peer).filter((each) => isThatSession(each, one)),
    )
    .filter(isOthers)
    .map(({ address, why }) => `session with ${address} (${why})`)
  const hit = [...new Set([...shielded(input, at), ...sessions])]
  if (hit.length === 0) return undefined
  return {
    message: `would cut what carries the network: ${hit.join('; ')}. Name a prefix or session beside it`,
    hit,
  }
}

/** What carries the network is one machine wherever its address is named; a customer's session is that of one device and table. */
function isThatSession(
  { session }: NeverCut,
  { device, vrf }: { readonly device: Id; readonly vrf: string },
): boolean {
  return session === undefined || (session.device === device && session.vrf === vrf)
}

/** What shields are met by what is left after carving: not one may be. A prefix that the decision names itself may hold some, since it is carved around them, but not lie in them: be it that these take all of it, or these and those of another guard together. */
function shielded(
  input: GuardInput,
  at: (prefix: Prefix) => readonly { readonly prefix: Prefix; readonly text: string }[],
): readonly string[] {
  const { compiled } = input
  const left = compiled.prefixes.flatMap(at)
  const isGone = compiled.intents.length === 0 && compiled.leftOut.length > 0
  const named = subjectPrefix(input).flatMap((prefix) => {
    const shields = at(prefix)
    const rest = carve(
      prefix,
      shields.map((shield) => shield.prefix),
    )
    return rest.length === 0 || isGone ? shields : []
  })
  return [...new Set([...left, ...named].map(({ text }) => text))]
}

function prefixLength({ compiled, inventory }: GuardInput): Hit | undefined {
  const { ipv4, ipv6 } = inventory.limits.maxPrefix
  const limitOf = (prefix: Prefix) => (familyOf(prefix) === 4 ? ipv4 : ipv6)
  const hit = compiled.prefixes.filter((prefix) => lengthOf(prefix) < limitOf(prefix))
  if (hit.length === 0) return undefined
  return {
    message: `shorter than the limits allow (limits.maxPrefix: IPv4 /${ipv4}, IPv6 /${ipv6}): ${hit.join(', ')}. Block parts of it, or have the limit changed`,
    hit,
  }
}

/** How the device's platform spells its ports: by that two names are compared, never as texts. */
function namingOf(inventory: Inventory, device: string): PortNaming | undefined {
  return platforms.get(inventory.devices.get(device)?.platform ?? '')
}

function portOwner({ compiled, inventory }: GuardInput): Hit | undefined {
  const hit = compiled.ports.flatMap(({ device, port }) => {
    const name = `${device}:${port}`
    if (!inventory.devices.has(device)) return [`${name}: there is no such device`]
    const naming = namingOf(inventory, device)
    if (naming !== undefined && naming.canonicalPort(port) === undefined) {
      return [`${name}: may be any of several ports`]
    }
    const owned = holdingsOn(inventory, device).ports
    const others = owned
      .filter(({ customer }) => customer !== compiled.customer)
      .filter((each) => takesDown(port, each.port, naming))
      .map((each) => (each.port === port ? each.customer : `${each.customer} (as ${each.port})`))
    if (others.length > 0) return [`${name}: carries ${[...new Set(others)].join(', ')}`]
    const theirs = owned.some((each) => samePort(port, each.port, naming))
    return theirs ? [] : [`${name}: is nobody's in the inventory`]
  })
  if (hit.length === 0) return undefined
  return {
    message: `not a port of ${compiled.customer} alone: ${hit.join('; ')}. Name a port that is only theirs, or correct the inventory`,
    hit,
  }
}

function portUplink({ compiled, inventory }: GuardInput): Hit | undefined {
  const hit = compiled.ports.flatMap(({ device, port }) => {
    const naming = namingOf(inventory, device)
    return (inventory.devices.get(device)?.uplinks ?? [])
      .filter((uplink) => takesDown(port, uplink, naming))
      .map((uplink) => `${device}:${port}${uplink === port ? '' : ` (uplink ${uplink})`}`)
  })
  if (hit.length === 0) return undefined
  return {
    message: `an uplink, by devices.<id>.uplinks: ${hit.join(', ')}. Cut a port nearer to the customer`,
    hit,
  }
}

function neighborOwner({ compiled, inventory }: GuardInput): Hit | undefined {
  const theirs = inventory.customers.get(compiled.customer)?.neighbors ?? []
  const hit = compiled.neighbors
    .filter(
      ({ device, peer, vrf }) =>
        !theirs.some((n) => n.device === device && n.address === peer && n.vrf === vrf),
    )
    .map(({ device, peer, vrf }) => `${device}:${peer}${vrf === 'default' ? '' : ` (${vrf})`}`)
  if (hit.length === 0) return undefined
  return {
    message: `not a BGP neighbor of ${compiled.customer}: ${hit.join(', ')}. Name one of their sessions, or correct the inventory`,
    hit,
  }
}

/** A number of things against its limit. */
type Count = readonly [name: string, found: bigint | number, limit: number]

function decisionBudget({ compiled, inventory }: GuardInput): Hit | undefined {
  const limits = inventory.limits.perDecision
  const size = measure(compiled.prefixes)
  const hit = over([
    ['ipv4Addresses', size.ipv4Addresses, limits.ipv4Addresses],
    ['ipv6Slash64', size.ipv6Slash64, limits.ipv6Slash64],
    ['customers', 1, limits.customers],
    ['ports', compiled.ports.length, limits.ports],
    ['neighbors', compiled.neighbors.length, limits.neighbors],
  ])
  if (hit.length === 0) return undefined
  return {
    message: `more than one decision may touch (limits.perDecision): ${hit.join(', ')}. Decide about parts of it, or have the limit changed`,
    hit,
  }
}

function hourBudget({ compiled, inventory, usage }: GuardInput): Hit | undefined {
  const limits = inventory.limits.perHour
  const size = measure(compiled.prefixes)
  const { customers } = usage
  const distinct = customers.size + (customers.has(compiled.customer) ? 0 : 1)
  const hit = over([
    ['decisions', usage.decisions + 1, limits.decisions],
    ['ipv4Addresses', BigInt(usage.ipv4Addresses) + size.ipv4Addresses, limits.ipv4Addresses],
    ['customers', distinct, limits.customers],
    ['ports', usage.ports + compiled.ports.length, limits.ports],
    ['neighbors', usage.neighbors + compiled.neighbors.length, limits.neighbors],
  ])
  if (hit.length === 0) return undefined
  return {
    message: `with what the last 60 minutes saw, more than an hour may touch (limits.perHour): ${hit.join(', ')}. Wait, or find out what makes so many decisions`,
    hit,
  }
}

function over(counts: readonly Count[]): readonly string[] {
  return counts
    .filter(([, found, limit]) => BigInt(found) > BigInt(limit))
    .map(([name, found, limit]) => `${name}: ${found} of ${limit}`)
}
