// What a release brings back: what its enforcement cut off, without what others go on cutting off at the same place and in the same direction. Pure.

import { groupBy } from '../inventory/group-by.ts'
import { carve, maximal, overlaps, type Prefix } from '../inventory/prefix.ts'
import { keepsUp, standingRows } from './desired.ts'
import { type Enforcement, inForce } from './enforcement.ts'
import type { BlastRadius } from './plan.ts'
import { blastRadiusOf } from './planning.ts'
import type { Wanted } from './store/store.ts'
import { frozenAs } from './usage.ts'

/** What comes back, and the other enforcements that go on cutting off something of it, oldest first. */
export interface ComesBack {
  readonly radius: BlastRadius
  readonly keptBy: readonly string[]
}

/** What the release is reckoned from: its enforcement, all that are live, and the rows of them on its devices. */
export interface ReleasedAmong {
  readonly enforcement: Enforcement
  readonly live: readonly Enforcement[]
  readonly wanted: readonly Wanted[]
  /** Whether what the row wants was seen on its device. Where the device refused it, nothing goes on there by it. */
  isShown(row: Wanted): boolean
}

/** Counts what really comes back. An address counts as soon as traffic to or from it passes again on some device; a port or neighbor unless another enforcement shuts the same one. */
export function comesBack(among: ReleasedAmong): ComesBack {
  const { enforcement } = among
  const own = standingRows({ live: [enforcement], wanted: among.wanted }, [enforcement.status])
  // A trigger's route is not a drop yet: traffic dies on the devices that are read for it.
  const seenOn = groupBy(
    own.filter((row) => row.observer),
    (row) => row.key,
  )
  const others = groupBy(othersIn(among).filter(touching(own)), (row) => row.device)
  const keepers = new Set<string>()
  const back = own
    .filter((row) => !row.observer)
    .flatMap((row) =>
      (seenOn.get(row.key) ?? [row]).flatMap((acting) => {
        const against = (others.get(acting.device) ?? []).filter(
          (other) => keepsCut(other, acting) && among.isShown(other),
        )
        for (const other of against) keepers.add(other.enforcement)
        return without(row, against)
      }),
    )
  const radius = blastRadiusOf(frozenAs(enforcement, back))
  return {
    radius: back.length === 0 ? { ...radius, customers: [] } : radius,
    keptBy: among.live.filter(({ id }) => keepers.has(id)).map(({ id }) => id),
  }
}

/** For what a device is only read for: the other enforcements for which all of it goes on being discarded there. */
export function keepersSeen(among: ReleasedAmong): (row: Wanted) => readonly string[] {
  const others = groupBy(othersIn(among), (row) => row.device)
  return ({ device, intent }) => {
    const holding = (others.get(device) ?? []).filter(
      (other) => keepsUp(other.intent, intent) && among.isShown(other),
    )
    return [...new Set(holding.map((other) => other.enforcement))]
  }
}

function othersIn({ enforcement, live, wanted }: ReleasedAmong): readonly Wanted[] {
  return standingRows({ live: live.filter(({ id }) => id !== enforcement.id), wanted }, inForce)
}

// Looks at each prefix once: thousands may be in force on every edge, and few of them are this customer's.
function touching(own: readonly Wanted[]): (other: Wanted) => boolean {
  const mine = maximal(own.flatMap(({ intent }) => ('prefix' in intent ? [intent.prefix] : [])))
  const known = new Map<Prefix, boolean>()
  return ({ intent }) => {
    if (!('prefix' in intent)) return true
    const { prefix } = intent
    const touches = known.get(prefix) ?? mine.some((one) => overlaps(one, prefix))
    known.set(prefix, touches)
    return touches
  }
}

/** Whether something of what the row cuts off on a device stays so by the other's on the same one. */
function keepsCut(other: Wanted, row: Wanted): boolean {
  const one = cutBy(other)
  const two = cutBy(row)
  if (one === undefined || two === undefined) return other.key === row.key
  return one.way === two.way && one.vrf === two.vrf && overlaps(one.prefix, two.prefix)
}

/** Traffic that dies by a route or filter: a discarding route stops what goes to the customer, a filter the one direction that it is for. */
function cutBy({
  intent,
}: Wanted):
  | { readonly way: 'in' | 'out'; readonly vrf: string; readonly prefix: Prefix }
  | undefined {
  if (intent.kind === 'blackhole') return { way: 'out', vrf: intent.vrf, prefix: intent.prefix }
  // A filter names no VRF: of one that isn't the default we can't say that it holds there.
  if (intent.kind === 'acl') return { way: intent.direction, vrf: 'default', prefix: intent.prefix }
  return undefined
}

function without(row: Wanted, against: readonly Wanted[]): readonly Wanted[] {
  const { intent } = row
  if (against.length === 0) return [row]
  if (!('prefix' in intent)) return []
  const holes = against.flatMap((other) => ('prefix' in other.intent ? [other.intent.prefix] : []))
  return carve(intent.prefix, holes).map((prefix) => ({ ...row, intent: { ...intent, prefix } }))
}
