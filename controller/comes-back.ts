// What a release brings back: what its enforcement cut off, without what others go on cutting off, here or on other devices. Pure.

import { type Key, keyOf } from '../agent/intents.ts'
import { carve, covers, overlaps } from '../inventory/prefix.ts'
import { type Enforcement, inForce } from './enforcement.ts'
import type { BlastRadius } from './plan.ts'
import { blastRadiusOf } from './planning.ts'
import type { Wanted } from './store/store.ts'
import { frozenAs } from './usage.ts'

/** What comes back, and the other enforcements by which something of the rest stays cut off, oldest first. */
export interface ComesBack {
  readonly radius: BlastRadius
  readonly keptBy: readonly string[]
}

/** What the release is reckoned from: its enforcement, those in force beside it, and the rows of them all. */
export interface ReleasedAmong {
  readonly enforcement: Enforcement
  readonly live: readonly Enforcement[]
  readonly wanted: readonly Wanted[]
}

/** Counts what really comes back: of a prefix the addresses that nobody else discards or filters, a port or neighbor that nobody else shuts. */
export function comesBack(among: ReleasedAmong): ComesBack {
  const { enforcement } = among
  const own = among.wanted.filter((row) => row.enforcement === enforcement.id)
  const others = othersIn(among).filter((row) => !row.observer)
  const keepers = new Set<string>()
  const left = own.flatMap((row) => {
    const against = others.filter((other) => keepsCut(other, row))
    for (const other of against) keepers.add(other.enforcement)
    return without(row, against)
  })
  const radius = blastRadiusOf(frozenAs(enforcement, left))
  return {
    radius: left.length === 0 ? { ...radius, customers: [] } : radius,
    keptBy: among.live.filter(({ id }) => keepers.has(id)).map(({ id }) => id),
  }
}

/** For what a device is only read for: the other enforcements for which all of it goes on being discarded there. */
export function keepersSeen(
  among: ReleasedAmong,
  device: string,
): (row: Wanted) => readonly string[] {
  const here = othersIn(among).filter((row) => row.device === device)
  return ({ intent }) => {
    const holding = here.filter(
      (other) =>
        intent.kind === 'blackhole' &&
        other.intent.kind === 'blackhole' &&
        other.intent.vrf === intent.vrf &&
        covers(other.intent.prefix, intent.prefix),
    )
    return [...new Set(holding.map((other) => other.enforcement))]
  }
}

// What others in force have on the devices whose turn has come.
function othersIn({ enforcement, live, wanted }: ReleasedAmong): readonly Wanted[] {
  const waves = new Map(
    live
      .filter(({ id, status }) => id !== enforcement.id && inForce.includes(status))
      .map(({ id, openWave }) => [id, openWave ?? 0]),
  )
  return wanted.filter(
    (row) => row.unsupported === undefined && row.wave <= (waves.get(row.enforcement) ?? -1),
  )
}

/** Whether something of the row stays cut off by the other. */
function keepsCut(other: Wanted, row: Wanted): boolean {
  const one = other.intent
  const { intent } = row
  if (!('prefix' in intent)) return other.device === row.device && sameKey(other.key, row)
  if (!('prefix' in one) || !overlaps(one.prefix, intent.prefix)) return false
  return one.kind === 'acl' || intent.kind === 'acl' || one.vrf === intent.vrf
}

function sameKey(key: Key, { intent }: Wanted): boolean {
  return key === keyOf(intent)
}

function without(row: Wanted, against: readonly Wanted[]): readonly Wanted[] {
  const { intent } = row
  if (against.length === 0) return [row]
  if (!('prefix' in intent)) return []
  const holes = against.flatMap((other) => ('prefix' in other.intent ? [other.intent.prefix] : []))
  return carve(intent.prefix, holes).map((prefix) => ({ ...row, intent: { ...intent, prefix } }))
}
