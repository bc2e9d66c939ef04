// What a release would do: the lines that lift, what stays because another enforcement wants it, and whose the addresses are by now. Pure.
// No guard refuses a release: whoever was cut off must always come back.

import type { Claim } from '../agent/diff.ts'
import { elementsIn, maximalIntents } from '../agent/elements.ts'
import { type Intent, type Key, keyOf, sameIntent } from '../agent/intents.ts'
import type { Change, Platform } from '../agent/platform.ts'
import { groupBy } from '../inventory/group-by.ts'
import type { Lookup } from '../inventory/lookup.ts'
import type { Device, Id, Inventory } from '../inventory/model.ts'
import { comesBack, keepersSeen } from './comes-back.ts'
import { servedBy, unionOf } from './desired.ts'
import { releaseDigestOf } from './digest.ts'
import { type Enforcement, inForce } from './enforcement.ts'
import type { Plan, PlanDevice, PlanIntent } from './plan.ts'
import { planOffline } from './plan-lines.ts'
import type { Wanted } from './store/store.ts'
import { frozenAs } from './usage.ts'

/** What the plan of a release is made of. */
export interface ReleaseInput {
  readonly id: string
  /** RFC 3339 UTC with milliseconds. */
  readonly now: string
  readonly enforcement: Enforcement
  /** Accepted and not ended, this one included. */
  readonly live: readonly Enforcement[]
  /** The rows of all enforcements on the devices of this one. */
  readonly wanted: readonly Wanted[]
  readonly claims: ReadonlyMap<Id, readonly Claim[]>
  readonly inventory: Inventory
  readonly lookup: Lookup
  readonly platforms: ReadonlyMap<string, Platform>
  /** Whether what a row of another enforcement wants was seen on its device. */
  isShown(row: Wanted): boolean
  /** Devices that stand in no inventory any more, as they were last known. */
  readonly retired: ReadonlyMap<Id, Device>
}

/** Plans a release: per device the lines that lift, and for each intent that stays, why. */
export function planForRelease(input: ReleaseInput): Plan {
  const { enforcement } = input
  const own = input.wanted.filter((row) => row.enforcement === enforcement.id)
  const places = placesOf(own)
  const keepersOf = keepersSeen(input)
  const devices = places.map((rows) => placeOf(input, rows, keepersOf))
  const { radius, keptBy } = comesBack(input)
  return {
    id: input.id,
    createdAt: input.now,
    action: 'release',
    enforcement: enforcement.id,
    customer: enforcement.customer,
    playbook: enforcement.playbook,
    rollout: { canary: 0, batch: Math.max(1, devices.length), stopAfterFailures: 0 },
    approvals: 0,
    digest: releaseDigestOf({
      enforcement: enforcement.id,
      customer: enforcement.customer,
      devices: devices.map(({ device, platform, role, intents }) => ({
        device,
        platform,
        intents: intents.map(({ intent }) => ({ intent, observer: role === 'observer' })),
      })),
    }),
    guards: [],
    blastRadius: radius,
    ...(keptBy.length === 0 ? {} : { keptBy }),
    devices,
    leftOut: [],
    empty: [],
    notCovered: [],
    warnings: releaseWarningsOf(input),
  }
}

/** What a person should know of a release: `held_by_others` names the enforcements that keep a part of it in force, `another_customer` the addresses that are somebody else's by now. */
export function releaseWarningsOf(
  input: Pick<ReleaseInput, 'enforcement' | 'live' | 'wanted' | 'lookup' | 'isShown'>,
): Enforcement['warnings'] {
  const { enforcement, lookup } = input
  const own = input.wanted.filter((row) => row.enforcement === enforcement.id && !row.observer)
  const warnings: Enforcement['warnings'][number][] = []
  const held = new Map<Key, readonly string[]>()
  for (const rows of placesOf(own)) {
    const holdersOf = holdersOn(input, rows[0]?.device ?? '')
    for (const row of rows) {
      const others = holdersOf(row)
      if (others.length > 0)
        held.set(row.key, [...new Set([...(held.get(row.key) ?? []), ...others])])
    }
  }
  const wholly = [...new Set([...held.values()].flat())]
  // By a prefix that is wider or narrower, and where it takes effect: there no key is the same.
  const partly = comesBack(input).keptBy.filter((id) => !wholly.includes(id))
  if (wholly.length + partly.length > 0) {
    const messages = [
      ...(wholly.length === 0
        ? []
        : [`stays in force for ${wholly.join(', ')}: ${[...held.keys()].join(', ')}`]),
      ...(partly.length === 0 ? [] : [`${partly.join(', ')} goes on cutting off a part of it`]),
    ]
    const enforcements = [...wholly, ...partly]
    warnings.push({ code: 'held_by_others', message: messages.join('; '), enforcements })
  }
  const moved = frozenAs(enforcement, own).prefixes.flatMap((prefix) => {
    const others = lookup
      .customersOverlapping(prefix)
      .filter(({ id }) => id !== enforcement.customer)
    return others.map(({ id }) => `${prefix} (${id})`)
  })
  if (moved.length > 0) {
    const message = `belongs to another customer by now: ${moved.join(', ')}`
    warnings.push({ code: 'another_customer', message })
  }
  return warnings
}

function placesOf(own: readonly Wanted[]): readonly (readonly Wanted[])[] {
  return [...groupBy(own, (row) => `${row.device} ${row.observer}`).values()]
}

function placeOf(input: ReleaseInput, rows: readonly Wanted[], keepersOf: HoldersOf): PlanDevice {
  const id: Id = rows[0]?.device ?? ''
  const device = input.inventory.devices.get(id) ?? input.retired.get(id)
  const platform = device === undefined ? undefined : input.platforms.get(device.platform)
  const base = { device: id, platform: device?.platform ?? 'unknown' }
  const still = { apply: [], undo: [], transaction: 'read only' }
  if (rows[0]?.observer === true) {
    const intents = rows.map((row) => {
      const keptBy = keepersOf(row)
      return asPlanIntent(row, keptBy.length === 0 ? undefined : staysFor(keptBy), keptBy)
    })
    const notes = ['gets no line: it is read until the effect is gone']
    return { ...base, ...still, role: 'observer', intents, notes }
  }
  if (device === undefined || platform === undefined) {
    const error = {
      code: 'unknown_device',
      message: `${id} is in no inventory and nothing is known of how to reach it`,
      remedy: 'put the device back into the inventory until the release is through',
    }
    const intents = rows.map((row) => asPlanIntent(row))
    return { ...base, ...still, role: 'enforcer', intents, notes: [], error }
  }
  const changes = changesOf(input, id)
  const claims = input.claims.get(id) ?? []
  const { shown } = planOffline(platform, changes, { device, inventory: input.inventory, claims })
  const holdersOf = holdersOn(input, id)
  const noteOf = notesOn(changes, holdersOf)
  return {
    ...base,
    role: 'enforcer',
    intents: rows.map((row) =>
      asPlanIntent(row, noteOf(row), row.unsupported === undefined ? holdersOf(row) : []),
    ),
    ...shown,
  }
}

// What the next convergence would change once this enforcement wants nothing: as converge itself finds it, but from claims instead of a reading.
function changesOf(input: ReleaseInput, device: Id): readonly Change[] {
  const claims = input.claims.get(device) ?? []
  const rows = {
    wanted: input.wanted.filter((row) => row.device === device),
    claims,
    frozen: false,
  }
  const others = input.live.filter(({ id }) => id !== input.enforcement.id)
  const before = elementsOf(
    unionOf({ ...rows, live: [...others, asInForce(input.enforcement)] }).wanted,
  )
  const after = elementsOf(unionOf({ ...rows, live: others }).wanted)
  const held = new Map(claims.map((claim) => [claim.key, claim]))
  const kept = [...after].flatMap(([key, intent]): readonly Change[] => {
    const claim = held.get(key)
    if (claim === undefined) return before.has(key) ? [] : [{ kind: 'apply', intent }]
    return sameIntent(claim.intent, intent) ? [] : [{ kind: 'modify', intent, from: claim.wrote }]
  })
  const gone = claims
    .filter(({ key, phase }) => before.has(key) && !after.has(key) && phase !== 'lifted')
    .map(
      (claim): Change => ({
        kind: 'lift',
        intent: claim.intent,
        before: claim.before,
        wrote: claim.wrote,
      }),
    )
  return [...kept, ...gone]
}

// One that is being released already shows what its release still has to lift.
function asInForce(enforcement: Enforcement): Enforcement {
  return enforcement.status === 'releasing' ? { ...enforcement, status: 'degraded' } : enforcement
}

function elementsOf(wanted: readonly Intent[]): ReadonlyMap<Key, Intent> {
  return new Map(maximalIntents(wanted).map((intent) => [keyOf(intent), intent]))
}

type HoldersOf = (row: Wanted) => readonly string[]

function notesOn(
  changes: readonly Change[],
  holdersOf: HoldersOf,
): (row: Wanted) => string | undefined {
  const byKey = new Map(changes.map((change) => [keyOf(change.intent), change]))
  return (row) => {
    if (row.unsupported !== undefined) return `never done: ${row.unsupported}`
    const others = holdersOf(row)
    const change = byKey.get(row.key)
    if (others.length > 0) {
      return change?.kind === 'modify' ? `changed to what ${others[0]} wants` : staysFor(others)
    }
    return change === undefined ? 'nothing of ours stands there: it is left as it is' : undefined
  }
}

function staysFor(others: readonly string[]): string {
  return `stays: ${others.join(', ')} wants it too`
}

/** For the rows of one device: the other enforcements in force that go on holding all of what a row put there. */
function holdersOn(
  input: Pick<ReleaseInput, 'enforcement' | 'live' | 'wanted'>,
  device: Id,
): HoldersOf {
  const live = input.live.filter(({ id }) => id !== input.enforcement.id)
  const here = input.wanted.filter((other) => other.device === device)
  const union = unionOf({ live, wanted: here, claims: [], frozen: false }).wanted
  const elementOf = elementsIn(union)
  const still = new Set(union.map(keyOf))
  return (row) => {
    const element = elementOf(row.intent)
    return still.has(keyOf(element)) ? holdersOfElement(element, row, { live, wanted: here }) : []
  }
}

function holdersOfElement(
  element: Intent,
  row: Wanted,
  rows: { readonly live: readonly Enforcement[]; readonly wanted: readonly Wanted[] },
): readonly string[] {
  // Of those that the element serves only they who want it, or something of it that holds the row's whole prefix.
  const object = { key: keyOf(element), intent: element }
  return [...servedBy([object], rows, inForce).keys()].filter((id) =>
    rows.wanted.some((other) => {
      const itself = keyOf(elementsIn([other.intent])(row.intent)) === other.key
      return other.enforcement === id && itself
    }),
  )
}

function asPlanIntent(
  { key, intent, unsupported }: Wanted,
  note?: string,
  keptBy: readonly string[] = [],
): PlanIntent {
  return {
    key,
    kind: intent.kind,
    intent,
    ...(unsupported === undefined ? {} : { unsupported }),
    ...(note === undefined ? {} : { note }),
    ...(keptBy.length === 0 ? {} : { keptBy }),
  }
}
