// decision + playbook + inventory → intents per device. Pure; it judges nothing: guards do, on what comes out of here.

import { compareIntents, type Intent, keyOf } from '../agent/intents.ts'
import type { Lookup } from '../inventory/lookup.ts'
import type { CustomerPrefix, Device, Id, Inventory } from '../inventory/model.ts'
import type { NeverCut } from '../inventory/never-cut.ts'
import type { KnownPlatforms } from '../inventory/ports.ts'
import { comparePrefixes, type Prefix } from '../inventory/prefix.ts'
import { devicesWithRole } from '../inventory/roles.ts'
import { type Carved, carver } from './carving.ts'
import { enforcementPlaceholder, fillMessage } from './message.ts'
import type { Compiled, CompiledIntent, Decision, Measure, Playbook, Selector } from './model.ts'
import type { CompileRefusal } from './refusal.ts'
import { type Objects, type Targets, targetsOf } from './targets.ts'

export type { CompileRefusal } from './refusal.ts'

/** What a decision is compiled with. */
export interface CompileContext {
  readonly playbook: Playbook
  readonly inventory: Inventory
  readonly lookup: Lookup
  readonly neverCut: readonly NeverCut[]
  /** How each platform spells its ports, to know one that is named in another way. */
  readonly platforms?: KnownPlatforms
  /** Id for `{enforcement}` in messages; a plan has none yet and shows zeros. */
  readonly enforcement?: string
}

/**
 * What the decision comes to. Where the named prefix lies wholly inside what must never be cut, the intents are empty and `leftOut` says why:
 * that is the guards' to refuse.
 */
export function compile(decision: Decision, context: CompileContext): Compiled | CompileRefusal {
  const mismatch = mismatchOf(decision, context.playbook)
  if (mismatch !== undefined) return refuse('playbook_mismatch', mismatch)
  const targets = targetsOf(decision, context)
  if (targets.kind === 'refused') return targets
  const work: Work = {
    decision,
    context,
    targets,
    carve: carver(targets.customer.id, context),
  }
  const done: Done[] = []
  for (const measure of context.playbook.measures) {
    const outcome = carryOut(measure, work)
    if ('kind' in outcome) return outcome
    done.push(outcome)
  }
  const compiled = assemble(done, work)
  const allLeftOut = decision.subject.kind === 'prefix' && compiled.leftOut.length > 0
  if (compiled.intents.length > 0 || allLeftOut) return compiled
  return refuse('nothing_to_enforce', nothingLeft(compiled, context.playbook))
}

interface Work {
  readonly decision: Decision
  readonly context: CompileContext
  readonly targets: Targets
  carve(prefix: Prefix): Carved
}

/** What one measure came to. */
interface Done {
  readonly measure: Measure
  readonly objects: Objects
  readonly carved: readonly Carved[]
  readonly intents: readonly CompiledIntent[]
  /** Why an optional measure is done nowhere. */
  readonly nowhere?: string
}

function mismatchOf({ action, subject }: Decision, playbook: Playbook): string | undefined {
  if (action !== playbook.decision) {
    return `the playbook "${playbook.name}" is for ${playbook.decision}, not for ${action}`
  }
  if (action === 'block') {
    if (subject.kind !== 'customer') return undefined
    return 'block is about one prefix, port or neighbor: name one, or suspend the customer'
  }
  const whole = playbook.measures.some(({ objects }) => objects === 'customer')
  if (subject.kind === 'customer' || (!whole && subject.kind === 'neighbor')) return undefined
  return `${action} with the playbook "${playbook.name}" is about a customer, not one ${subject.kind}: name the customer, or use block`
}

function carryOut(measure: Measure, work: Work): Done | CompileRefusal {
  const all = measure.objects === 'customer' ? work.targets.customer : work.targets.subject
  switch (measure.kind) {
    case 'blackhole':
    case 'acl':
      return cutPrefixes(measure, all.prefixes, work)
    case 'port': {
      const intents = all.ports.map(({ device, interface: port }) =>
        onDevice(device, { kind: 'port', port }, measure),
      )
      return { measure, objects: { ...all, prefixes: [], neighbors: [] }, carved: [], intents }
    }
    case 'neighbor':
      return shutNeighbors(measure, all, work)
  }
}

type PrefixMeasure = Extract<Measure, { kind: 'blackhole' | 'acl' }>

function cutPrefixes(
  measure: PrefixMeasure,
  prefixes: readonly CustomerPrefix[],
  work: Work,
): Done | CompileRefusal {
  const objects: Objects = { prefixes, ports: [], neighbors: [] }
  if (prefixes.length === 0) return { measure, objects, carved: [], intents: [] }
  const crew = crewOf(measure, work.context.inventory.devices)
  if (typeof crew === 'string') {
    const nowhere = `${measure.kind}: ${crew}`
    if (measure.optional) return { measure, objects, carved: [], intents: [], nowhere }
    return refuse('no_device', `${nowhere}; correct the inventory, or change the playbook`)
  }
  const carved = prefixes.map(({ prefix }) => work.carve(prefix))
  const intents = prefixes.flatMap(({ prefix, vrf }) =>
    work.carve(prefix).pieces.flatMap((piece) => intentsFor(measure, piece, vrf)),
  )
  return {
    measure,
    objects,
    carved,
    intents: [
      ...crew.enforcers.flatMap((device) => intents.map((each) => onDevice(device, each, measure))),
      ...crew.observers.flatMap((device) =>
        intents.map((each) => ({ ...onDevice(device, each, measure), observer: true })),
      ),
    ],
  }
}

interface Crew {
  readonly enforcers: readonly Id[]
  readonly observers: readonly Id[]
}

/** Who does it and who is watched, or in words why nobody. A device that is told to do it is read back anyway, so it is no observer too. */
function crewOf(measure: PrefixMeasure, devices: ReadonlyMap<Id, Device>): Crew | string {
  const enforcers = select(measure.devices, devices)
  if (typeof enforcers === 'string') return enforcers
  if (measure.kind === 'acl' || measure.seenOn === undefined) return { enforcers, observers: [] }
  const watched = select(measure.seenOn, devices)
  if (typeof watched === 'string') return watched
  const told = new Set(enforcers)
  return { enforcers, observers: watched.filter((device) => !told.has(device)) }
}

function intentsFor(measure: PrefixMeasure, prefix: Prefix, vrf: string): readonly Intent[] {
  if (measure.kind === 'blackhole') return [{ kind: 'blackhole', vrf, prefix, tag: measure.tag }]
  const directions = measure.direction === 'both' ? (['in', 'out'] as const) : [measure.direction]
  return directions.map((direction) => ({ kind: 'acl', prefix, direction }))
}

function shutNeighbors(
  measure: Extract<Measure, { kind: 'neighbor' }>,
  all: Objects,
  work: Work,
): Done | CompileRefusal {
  const objects: Objects = { neighbors: all.neighbors, prefixes: [], ports: [] }
  // A message that nobody will see must not stop a decision.
  if (all.neighbors.length === 0) return { measure, objects, carved: [], intents: [] }
  const { reason } = work.decision
  const message = fillMessage(measure.message, {
    customer: work.targets.customer.id,
    category: reason.category,
    enforcement: work.context.enforcement ?? enforcementPlaceholder,
    ...(reason.ticket === undefined ? {} : { ticket: reason.ticket }),
  })
  if (!message.ok) return refuse('message_invalid', message.problem)
  const intents = all.neighbors.map(({ device, address: peer, vrf }) =>
    onDevice(device, { kind: 'neighbor', vrf, peer, message: message.value }, measure),
  )
  return { measure, objects, carved: [], intents }
}

function onDevice(device: Id, intent: Intent, { optional }: Measure): CompiledIntent {
  return { device, intent, observer: false, optional }
}

/** The devices meant, by id, or in words why there is none. */
function select(selector: Selector, devices: ReadonlyMap<Id, Device>): readonly Id[] | string {
  if (selector.kind === 'devices') {
    const unknown = selector.devices.filter((id) => !devices.has(id))
    if (unknown.length === 0) return [...new Set(selector.devices)].sort()
    return `there is no device ${unknown.join(', ')} in the inventory`
  }
  const { role } = selector
  const chosen = devicesWithRole(devices, role)
  return chosen.length > 0 ? chosen : `no device has the role ${role}`
}

function assemble(done: readonly Done[], work: Work): Compiled {
  const intents = inOrder(done)
  const leftOut = new Map(
    done
      .flatMap(({ carved }) => carved)
      .flatMap((carved) => carved.leftOut)
      .map((hole) => [`${hole.prefix} ${hole.within} ${hole.why}`, hole]),
  )
  const prefixes = intents.flatMap(({ intent }) => ('prefix' in intent ? [intent.prefix] : []))
  const subjects = done.flatMap(({ objects }) => objects.prefixes.map(({ prefix }) => prefix))
  return {
    customer: work.targets.customer.id,
    intents,
    prefixes: [...new Set(prefixes)].sort(comparePrefixes),
    subjects: [...new Set(subjects)].sort(comparePrefixes),
    ports: intents.flatMap(({ device, intent }) =>
      intent.kind === 'port' ? [{ device, port: intent.port }] : [],
    ),
    neighbors: intents.flatMap(({ device, intent }) =>
      intent.kind === 'neighbor' ? [{ device, peer: intent.peer, vrf: intent.vrf }] : [],
    ),
    leftOut: [...leftOut.values()],
    empty: done.filter(isEmpty).map(({ measure }) => measure.kind),
    notCovered: notCovered(done, work),
    outboundNotStopped: !intents.some(({ intent }) => stopsOutbound(intent)),
  }
}

/** Whether it stops traffic from the customer: a route stops only what goes to them, and a session that is down leaves the link up. */
function stopsOutbound(intent: Intent): boolean {
  return intent.kind === 'port' || (intent.kind === 'acl' && intent.direction === 'in')
}

function isEmpty({ objects }: Done): boolean {
  return objects.prefixes.length + objects.ports.length + objects.neighbors.length === 0
}

function inOrder(done: readonly Done[]): readonly CompiledIntent[] {
  const byKey = new Map<string, CompiledIntent>()
  for (const { intents } of done) {
    const sorted = [...intents].sort(
      (one, other) =>
        compareText(one.device, other.device) || compareIntents(one.intent, other.intent),
    )
    for (const each of sorted) {
      const key = `${each.device} ${keyOf(each.intent)}`
      const before = byKey.get(key)
      // Wanted by two measures: being told goes before being watched, and it is optional only where both say so.
      const kept = before === undefined || (before.observer && !each.observer) ? each : before
      byKey.set(key, { ...kept, optional: each.optional && (before?.optional ?? true) })
    }
  }
  return [...byKey.values()]
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

// A decision about one thing leaves the rest of the customer alone on purpose: nothing of that is missing.
function notCovered(done: readonly Done[], { decision, targets }: Work): readonly string[] {
  const nowhere = done.flatMap((each) => (each.nowhere === undefined ? [] : [each.nowhere]))
  if (decision.subject.kind !== 'customer') return nowhere
  const covered = new Set(
    done
      .filter((each) => each.nowhere === undefined)
      .flatMap(({ measure, objects }) => wordsOf(objects, measure.kind === 'acl')),
  )
  const { customer } = targets
  const prefixes = customer.prefixes
    .filter(
      ({ prefix, vrf }) =>
        !covered.has(prefixWords(prefix, vrf)) && !covered.has(prefixWords(prefix, undefined)),
    )
    .map(({ prefix, vrf }) => prefixWords(prefix, vrf))
  const others = wordsOf({ ...customer, prefixes: [] }, false).filter((each) => !covered.has(each))
  return [...prefixes, ...others, ...nowhere]
}

/** `anyTable`: filters know no routing tables. */
function wordsOf(objects: Objects, anyTable: boolean): readonly string[] {
  return [
    ...objects.prefixes.map(({ prefix, vrf }) => prefixWords(prefix, anyTable ? undefined : vrf)),
    ...objects.ports.map(({ device, interface: port }) => `port ${port} of ${device}`),
    ...objects.neighbors.map(
      ({ device, address, vrf }) =>
        `neighbor ${address}${vrf === 'default' ? '' : ` (vrf ${vrf})`} of ${device}`,
    ),
  ]
}

function prefixWords(prefix: Prefix, vrf: string | undefined): string {
  if (vrf === undefined) return `prefix ${prefix} in any vrf`
  return vrf === 'default' ? `prefix ${prefix}` : `prefix ${prefix} (vrf ${vrf})`
}

function nothingLeft(compiled: Compiled, playbook: Playbook): string {
  const out = compiled.leftOut.map(({ prefix, why }) => `${prefix} (${why})`)
  if (out.length > 0) {
    return `nothing is left of ${compiled.customer}: ${out.join(', ')} must never be cut`
  }
  const nowhere = compiled.notCovered.join(', ')
  const what = playbook.measures.map(({ kind }) => kind).join(', ')
  return `${compiled.customer} has nothing that the playbook "${playbook.name}" (${what}) acts on${nowhere === '' ? '' : `; not covered: ${nowhere}`}`
}

function refuse(code: CompileRefusal['code'], message: string): CompileRefusal {
  return { kind: 'refused', code, message }
}
