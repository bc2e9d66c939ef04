// Changes → the lines that a device would get, in the order in which they would go, with what takes them back: for plans. Pure; nothing is sent from here.

import { type Intent, type Key, keyOf } from '../agent/intents.ts'
import {
  type Change,
  type Facts,
  groupFact,
  type Line,
  type Platform,
  type Rendering,
  type Stop,
} from '../agent/platform.ts'
import type { Device, Inventory } from '../inventory/model.ts'
import type { PlanLine } from './plan.ts'

/** What a device would get. */
export interface PlannedLines {
  readonly apply: readonly PlanLine[]
  readonly undo: readonly PlanLine[]
  /** Why the platform can't do it, by key. */
  readonly unsupported: ReadonlyMap<Key, string>
  /** Why nothing would be sent for it, by key. */
  readonly refused: ReadonlyMap<Key, Stop>
  /** Details that the platform leaves out, by key. */
  readonly notes: ReadonlyMap<Key, string>
}

/** Renders changes for one device. Undo goes backwards, so that what came last goes first. */
export function planLines(
  platform: Platform,
  changes: readonly Change[],
  facts: Facts,
): PlannedLines {
  const renderings = changes.length === 0 ? [] : platform.render(changes, facts)
  const unsupported = new Map<Key, string>()
  const refused = new Map<Key, Stop>()
  const notes = new Map<Key, string>()
  const going: Extract<Rendering, { kind: 'lines' }>[] = []
  for (const [i, change] of changes.entries()) {
    const rendering = renderings[i]
    if (rendering === undefined) throw new TypeError(`${platform.name} rendered too few changes`)
    const key = keyOf(change.intent)
    if (rendering.kind === 'unsupported') unsupported.set(key, rendering.reason)
    else if (rendering.kind === 'refused') refused.set(key, rendering.stop)
    else {
      going.push(rendering)
      if (rendering.note !== undefined) notes.set(key, rendering.note)
    }
  }
  const apply = going.flatMap((rendering) => rendering.apply)
  const undo = going.toReversed().flatMap((rendering) => rendering.undo)
  return {
    apply: wrapped(platform, apply),
    undo: wrapped(platform, undo),
    unsupported,
    refused,
    notes,
  }
}

/** How the platform takes changes, in words. */
export function transactionText(platform: Platform): string {
  const { transaction } = platform
  if (transaction.kind === 'line') return 'each line is live when typed'
  const minutes = Math.round((transaction.windowMs / 60_000) * 10) / 10
  return `candidate, checked by the device, confirmed commit: taken back by the device within ${minutes} min unless a second session has read it back`
}

/** What a person should know of that device before anything is sent. */
export function deviceNotes(device: Device, platform: Platform): readonly string[] {
  const notes: string[] = []
  if (platform.save !== undefined) {
    if (device.save === 'always') {
      notes.push('the running configuration is saved afterwards, unsaved changes of others with it')
    } else if (device.save === 'clean') {
      notes.push('saved afterwards only if nothing of others is unsaved')
    } else notes.push('not saved (save: never): a reboot takes it back')
  }
  if (platform.transaction.kind === 'candidate') {
    notes.push('until it is confirmed, the device’s own timer would undo this change alone')
  } else if (device.deviceTimer) {
    notes.push(
      'deviceTimer is on: a timer that runs out restores the whole configuration, changes of others since then included',
    )
  }
  return notes
}

/** What the inventory knows of a device that lines are built from. */
export function factsOf(device: Device, inventory: Inventory): Facts {
  const theirs = [...inventory.customers.values()]
    .flatMap(({ neighbors }) => neighbors)
    .filter((neighbor) => neighbor.device === device.id)
  const groups = [...device.neighbors, ...theirs].flatMap(({ vrf, address, group }) =>
    group === undefined ? [] : [[groupFact(vrf, address), group] as const],
  )
  return {
    ...(device.asn === undefined ? {} : { asn: device.asn }),
    ...Object.fromEntries(groups),
  }
}

/** The change that brings an intent about where nothing of the kind stands yet. */
export function applying(intent: Intent): Change {
  return { kind: 'apply', intent }
}

function wrapped(platform: Platform, lines: readonly Line[]): readonly PlanLine[] {
  if (lines.length === 0) return []
  const { transaction } = platform
  const all =
    transaction.kind === 'line'
      ? [...transaction.enter, ...lines, ...transaction.leave]
      : [
          ...transaction.enter,
          ...lines,
          transaction.diff,
          transaction.check,
          transaction.commit('<token>'),
          ...transaction.leave,
          ...transaction.enter,
          ...transaction.confirm,
          ...transaction.leave,
        ]
  return all.map(asPlanLine)
}

function asPlanLine(line: Line): PlanLine {
  return line.unresolved === true ? { line: line.text, needs: 'device' } : { line: line.text }
}
