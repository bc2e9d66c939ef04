// What a reload of the inventory means for what is in force. Intents are frozen at acceptance: a reload never adds to, moves or removes them;
// it is told where the two have parted. Pure.

import type { Claim } from '../agent/diff.ts'
import type { Lookup } from '../inventory/lookup.ts'
import type { Device, Id, Inventory } from '../inventory/model.ts'
import { type NeverCut, neverCutIn } from '../inventory/never-cut.ts'
import { covers } from '../inventory/prefix.ts'
import type { Compiled } from '../playbooks/model.ts'
import { byAge } from './desired.ts'
import { type Enforcement, inForce } from './enforcement.ts'
import type { Wanted } from './store/store.ts'
import { frozenAs } from './usage.ts'

/** Where what is in force and the inventory have parted. */
export type Conflict = Enforcement['conflicts'][number]

/** What one enforcement is compared with. */
export interface ConflictInput {
  readonly enforcement: Enforcement
  /** All its rows. */
  readonly wanted: readonly Wanted[]
  readonly before: Inventory
  readonly after: Inventory
  /** Of the inventory after. */
  readonly lookup: Lookup
  /** Of the inventory after. */
  readonly neverCut: readonly NeverCut[]
  /** What the same decision would come to now; undefined where it would be refused, or its playbook is another by now. */
  readonly anew: Compiled | undefined
}

/** Every conflict as it stands now, each once, in a fixed order: store them, and record those that are new. A conflict that is gone from the list has been put right. */
export function conflictsOf(input: ConflictInput): readonly Conflict[] {
  const frozen = frozenAs(input.enforcement, input.wanted)
  const found = [
    ...takenAway(input, frozen),
    ...added(input, frozen),
    ...nowProtected(input, frozen),
    ...devicesMoved(input),
    ...newDevices(input),
  ]
  return [...new Map(found.map((conflict) => [textOf(conflict), conflict])).values()]
}

/** Those of `now` that were not there before: a record each. */
export function newConflicts(
  known: readonly Conflict[],
  now: readonly Conflict[],
): readonly Conflict[] {
  const texts = new Set(known.map(textOf))
  return now.filter((conflict) => !texts.has(textOf(conflict)))
}

/** A change to a device that a reload may not make while nullroute holds something on it. */
export interface DeviceRefusal {
  readonly device: Id
  readonly field: 'platform' | 'address' | 'port'
  readonly was: string
  readonly is: string
  /** What is held there, and so must be released first. */
  readonly enforcements: readonly string[]
  readonly message: string
}

/** Refuses a new platform or address of a device that holds claims: what was put there would be sought on another router, in another language. */
export function refusedDeviceChanges(input: {
  /** As they were when they were last in use; retired ones included. */
  readonly before: ReadonlyMap<Id, Device>
  readonly after: ReadonlyMap<Id, Device>
  readonly claims: ReadonlyMap<Id, readonly Claim[]>
  /** Accepted and not ended. */
  readonly live: readonly Enforcement[]
  readonly wanted: readonly Wanted[]
}): readonly DeviceRefusal[] {
  return [...input.after.values()].flatMap((is) => {
    const was = input.before.get(is.id)
    if (was === undefined || (input.claims.get(is.id) ?? []).length === 0) return []
    const enforcements = holdersOn(is.id, input)
    return identityChanges(was, is).map((change) => ({
      device: is.id,
      ...change,
      enforcements,
      message: `${change.field} of ${is.id} is changed from ${change.was} to ${change.is} while nullroute holds something there (${enforcements.join(', ') || 'claims without an enforcement'}): release it first, or give the new device another id`,
    }))
  })
}

function takenAway(input: ConflictInput, frozen: Compiled): readonly Conflict[] {
  const { after, lookup } = input
  const theirs = after.customers.get(frozen.customer)
  const prefixes = frozen.prefixes
    .filter((prefix) => lookup.containing(prefix)?.id !== frozen.customer)
    .map((prefix) => {
      const others = lookup.customersOverlapping(prefix).map(({ id }) => id)
      const whose = others.filter((id) => id !== frozen.customer)
      return whose.length === 0 ? prefix : `${prefix} (${whose.join(', ')})`
    })
  const ports = frozen.ports
    .filter(
      ({ device, port }) =>
        theirs?.ports.some((each) => each.device === device && each.interface === port) !== true,
    )
    .map(portText)
  const neighbors = frozen.neighbors
    .filter(
      ({ device, peer, vrf }) =>
        theirs?.neighbors.some(
          (each) => each.device === device && each.address === peer && each.vrf === vrf,
        ) !== true,
    )
    .map(neighborText)
  const objects = [...prefixes, ...movedTables(input, frozen), ...ports, ...neighbors]
  return objects.map((object) => ({ kind: 'taken_away', object }))
}

/** Routes in a table in which the customer has their prefix no more. */
function movedTables({ after, lookup, wanted }: ConflictInput, { customer }: Compiled): string[] {
  const theirs = after.customers.get(customer)?.prefixes ?? []
  return wanted.flatMap(({ intent }) => {
    if (intent.kind !== 'blackhole' || lookup.containing(intent.prefix)?.id !== customer) return []
    const { prefix, vrf } = intent
    const isThere = theirs.some((each) => each.vrf === vrf && covers(each.prefix, prefix))
    return isThere ? [] : [`${prefix} (no more in vrf ${vrf})`]
  })
}

function added({ anew, enforcement }: ConflictInput, frozen: Compiled): readonly Conflict[] {
  if (anew === undefined) return known(enforcement, 'added')
  const prefixes = anew.prefixes.filter(
    (prefix) => !frozen.prefixes.some((held) => covers(held, prefix)),
  )
  const ports = new Set(frozen.ports.map(portText))
  const neighbors = new Set(frozen.neighbors.map(neighborText))
  return [
    ...prefixes,
    ...anew.ports.map(portText).filter((port) => !ports.has(port)),
    ...anew.neighbors.map(neighborText).filter((neighbor) => !neighbors.has(neighbor)),
  ].map((object) => ({ kind: 'added', object }))
}

function nowProtected(input: ConflictInput, frozen: Compiled): readonly Conflict[] {
  return frozen.prefixes
    .flatMap((prefix) => [
      ...input.lookup
        .protectedOverlapping(prefix)
        .map((shield) => `${prefix} (${shield.prefix}, ${shield.why})`),
      ...neverCutIn(input.neverCut, prefix)
        .filter((shield) => shield.ownNeighborOf !== frozen.customer)
        .map((shield) => `${prefix} (${shield.address}, ${shield.why})`),
    ])
    .map((object) => ({ kind: 'now_protected', object }))
}

function devicesMoved({ before, after, wanted, enforcement }: ConflictInput): readonly Conflict[] {
  return devicesIn(wanted).flatMap((id): readonly Conflict[] => {
    const is = after.devices.get(id)
    if (is === undefined) return [{ kind: 'device_gone', object: id }]
    const was = before.devices.get(id)
    if (was === undefined) return []
    const changes = identityChanges(was, is)
    // What was changed stays true in later reloads, which no longer see the difference.
    const standing = known(enforcement, 'device_changed').filter(({ object }) =>
      object.startsWith(`${id}: `),
    )
    if (changes.length === 0) return standing
    return changes.map((change) => ({
      kind: 'device_changed',
      object: `${id}: ${change.field} ${change.was} → ${change.is}`,
    }))
  })
}

/** Those that were told before, where nothing can be said anew: what was not put right must not be forgotten. */
function known({ conflicts }: Enforcement, kind: Conflict['kind']): readonly Conflict[] {
  return conflicts.filter((conflict) => conflict.kind === kind)
}

function newDevices({ anew, wanted, enforcement }: ConflictInput): readonly Conflict[] {
  if (anew === undefined) return known(enforcement, 'new_device')
  const held = new Set(devicesIn(wanted))
  const fresh = new Set(anew.intents.map(({ device }) => device).filter((id) => !held.has(id)))
  return [...fresh].map((object) => ({ kind: 'new_device', object }))
}

/** The enforcements that hold something on a device, oldest first. */
export function holdersOn(
  device: Id,
  { live, wanted }: { readonly live: readonly Enforcement[]; readonly wanted: readonly Wanted[] },
): readonly string[] {
  const here = new Set(
    wanted.filter((row) => row.device === device && !row.observer).map((row) => row.enforcement),
  )
  return live
    .filter(
      ({ id, status }) => here.has(id) && (inForce.includes(status) || status === 'releasing'),
    )
    .toSorted((one, other) => byAge(one, other))
    .map(({ id }) => id)
}

function identityChanges(
  was: Device,
  is: Device,
): readonly Pick<DeviceRefusal, 'field' | 'was' | 'is'>[] {
  const fields = ['platform', 'address', 'port'] as const
  return fields
    .filter((field) => was[field] !== is[field])
    .map((field) => ({ field, was: String(was[field]), is: String(is[field]) }))
}

function devicesIn(wanted: readonly Wanted[]): readonly Id[] {
  return [...new Set(wanted.map(({ device }) => device))]
}

function portText({ device, port }: Compiled['ports'][number]): string {
  return `port ${port} of ${device}`
}

function neighborText({ device, peer, vrf }: Compiled['neighbors'][number]): string {
  return `neighbor ${peer} of ${device}${vrf === 'default' ? '' : ` (${vrf})`}`
}

function textOf({ kind, object }: Conflict): string {
  return `${kind} ${object}`
}
