// Enforcements in force → what one device should have: the union of what they want, and what is still being waited for. Pure.
// Level-triggered: it is made anew for each convergence, from rows alone, so that a restart or a lost message changes nothing.

import type { Claim, Desired } from '../agent/diff.ts'
import { elementsIn } from '../agent/elements.ts'
import { type Intent, type Key, keyOf } from '../agent/intents.ts'
import { groupBy } from '../inventory/group-by.ts'
import type { Id } from '../inventory/model.ts'
import { covers } from '../inventory/prefix.ts'
import { type Enforcement, inForce, type Status } from './enforcement.ts'
import type { Rows, Wanted } from './store/store.ts'

/** What one device's desired state is made of. */
export interface DeviceRows {
  /** Accepted and not ended. */
  readonly live: readonly Enforcement[]
  /** Of this device, of whatever enforcement: those that aren't live count for nothing. */
  readonly wanted: readonly Wanted[]
  readonly claims: readonly Claim[]
  readonly frozen: boolean
}

/** The desired state of a device as the store has it now. */
export function desiredFor(rows: Rows, device: Id): Desired {
  return unionOf({
    live: rows.live(),
    wanted: rows.wanted({ device }),
    claims: rows.claims(device),
    frozen: rows.freeze() !== undefined,
  })
}

/** Whether who wants this key on a device has it on another one too, by an object of ours that did not only join what stood before. */
export function standsElsewhere(
  rows: Pick<Rows, 'wanted' | 'claims'>,
  device: Id,
  key: Key,
): boolean {
  const asking = rows.wanted({ device }).filter((row) => row.key === key)
  const others = asking
    .flatMap(({ enforcement }) => rows.wanted({ enforcement }))
    .filter((row) => row.key === key && row.device !== device && !row.observer)
  return [...new Set(others.map((row) => row.device))].some((other) =>
    rows.claims(other).some((claim) => claim.key === key && claim.stood !== true),
  )
}

/** The union over all enforcements in force. Of one key wanted with different attributes the oldest accepted enforcement decides; releasing one never lifts what another still wants. */
export function unionOf(rows: DeviceRows): Desired {
  const active = standingRows(rows, inForce)
  const wanted = onePerKey(active.filter((row) => !row.observer))
  const expected = onePerKey(active.filter((row) => row.observer))
  const releasing = new Set(
    rows.live.filter(({ status }) => status === 'releasing').map(({ id }) => id),
  )
  const ending = rows.wanted.filter((row) => row.observer && releasing.has(row.enforcement))
  const fading = onePerKey(ending).filter(
    (intent) => ![...wanted, ...expected].some((other) => keepsUp(other, intent)),
  )
  const looked = releasedUnclaimed(rows, releasing).filter(
    (intent) => ![...wanted, ...fading].some((other) => sameKey(other, intent)),
  )
  return { wanted, expected, fading, looked, claims: rows.claims, frozen: rows.frozen }
}

/** Whether a device is looked at for this row when it is released, though its turn may never have come: by a route of the operator's own in its place other devices go on dropping. */
export function isLookedFor({ intent, observer, unsupported }: Wanted): boolean {
  return !observer && intent.kind === 'blackhole' && unsupported === undefined
}

// What is released before anything was put there, or after it was taken away.
function releasedUnclaimed(rows: DeviceRows, releasing: ReadonlySet<string>): readonly Intent[] {
  const claimed = new Set(rows.claims.map(({ key }) => key))
  const left = rows.wanted.filter(
    (row) => isLookedFor(row) && releasing.has(row.enforcement) && !claimed.has(row.key),
  )
  return onePerKey(left)
}

/** The rows that devices can have by now, those of the oldest accepted enforcement first: it has one of these statuses, their wave is open, and the platform can do it. */
export function standingRows(
  rows: Pick<DeviceRows, 'live' | 'wanted'>,
  statuses: readonly Status[],
): readonly Wanted[] {
  return rowsOf(rows, statuses).filter((row) => row.unsupported === undefined)
}

// The rows of a device whose enforcement has one of these statuses, those of the oldest accepted first: its wave is open.
function rowsOf(
  { live, wanted }: Pick<DeviceRows, 'live' | 'wanted'>,
  statuses: readonly Status[],
): readonly Wanted[] {
  const byEnforcement = groupBy(wanted, (row) => row.enforcement)
  const oldestFirst = live
    .filter(({ id, status }) => byEnforcement.has(id) && statuses.includes(status))
    .toSorted((one, other) => byAge(one, other))
  return oldestFirst.flatMap(({ id, openWave }) =>
    (byEnforcement.get(id) ?? []).filter(({ wave }) => wave <= (openWave ?? 0)),
  )
}

/** The enforcements with one of these statuses, oldest first, that objects of this device serve, each with the keys of those: by their key, or as filter entries that hold an entry of theirs. One that waits for approval, or whose wave is not open, has nothing to do with a device. */
export function servedBy(
  objects: readonly { readonly key: Key; readonly intent: Intent }[],
  rows: Pick<DeviceRows, 'live' | 'wanted'>,
  statuses: readonly Status[],
): ReadonlyMap<string, ReadonlySet<Key>> {
  const keys = new Set(objects.map(({ key }) => key))
  const elementOf = elementsIn(objects.map(({ intent }) => intent))
  const served = new Map<string, Set<Key>>()
  for (const { observer, key, intent, enforcement } of rowsOf(rows, statuses)) {
    const own = [key, keyOf(elementOf(intent))].filter((one) => keys.has(one))
    if (observer || own.length === 0) continue
    const known = served.get(enforcement)
    if (known === undefined) served.set(enforcement, new Set(own))
    else for (const one of own) known.add(one)
  }
  return served
}

/** Orders enforcements by their acceptance; ids are ULIDs and break the tie. */
export function byAge(
  one: Pick<Enforcement, 'acceptedAt' | 'id'>,
  other: Pick<Enforcement, 'acceptedAt' | 'id'>,
): number {
  const a = `${one.acceptedAt} ${one.id}`
  const b = `${other.acceptedAt} ${other.id}`
  return a < b ? -1 : a > b ? 1 : 0
}

function onePerKey(oldestFirst: readonly Wanted[]): readonly Intent[] {
  const byKey = new Map<Key, Intent>()
  for (const { key, intent } of oldestFirst) if (!byKey.has(key)) byKey.set(key, intent)
  return [...byKey.values()]
}

/** Whether what is released stays in force by what another enforcement wants there. Traffic to a prefix goes on dying where another's prefix holds it: to wait for the end of that would be to wait for ever. */
export function keepsUp(other: Intent, fading: Intent): boolean {
  if (other.kind !== 'blackhole' || fading.kind !== 'blackhole') return sameKey(other, fading)
  return other.vrf === fading.vrf && covers(other.prefix, fading.prefix)
}

function sameKey(one: Intent, other: Intent): boolean {
  return keyOf(one) === keyOf(other)
}
