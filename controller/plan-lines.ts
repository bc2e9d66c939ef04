// Changes → the lines that a device would get, in the order in which they would go, with what takes them back: for plans. Pure; nothing is sent from here.

import type { Claim } from '../agent/diff.ts'
import { type Intent, type Key, keyOf } from '../agent/intents.ts'
import {
  type CandidateTransaction,
  type Change,
  type CommitTimer,
  type Facts,
  groupFact,
  type Line,
  type Platform,
  type Rendering,
  type Stop,
  timerOf,
} from '../agent/platform.ts'
import type { HeldObject, Save } from '../agent/platform-save.ts'
import { holdingsOn } from '../inventory/holdings.ts'
import type { Device, Inventory } from '../inventory/model.ts'
import type { PlanDevice, PlanLine } from './plan.ts'

/** What a device is known to be while lines for it are made. */
export interface PlanBasis {
  readonly facts: Facts
  readonly policy: Device['save']
  readonly deviceTimer: Device['deviceTimer']
  /** All that stand on the device: what a save writes may hold more than this plan. */
  readonly claims: readonly Claim[]
}

/** What a device would get. */
export interface PlannedLines {
  readonly apply: readonly PlanLine[]
  readonly undo: readonly PlanLine[]
  /** A step of its own afterwards; [] where nothing would be saved. */
  readonly save: readonly PlanLine[]
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
  basis: PlanBasis,
): PlannedLines {
  const renderings = changes.length === 0 ? [] : platform.render(changes, basis.facts)
  const unsupported = new Map<Key, string>()
  const refused = new Map<Key, Stop>()
  const notes = new Map<Key, string>()
  const going: Going[] = []
  for (const [i, change] of changes.entries()) {
    const rendering = renderings[i]
    if (rendering === undefined) throw new TypeError(`${platform.name} rendered too few changes`)
    const key = keyOf(change.intent)
    if (rendering.kind === 'unsupported') unsupported.set(key, rendering.reason)
    else if (rendering.kind === 'refused') refused.set(key, rendering.stop)
    else {
      going.push({ change, rendering })
      if (rendering.note !== undefined) notes.set(key, rendering.note)
    }
  }
  const apply = going.flatMap(({ rendering }) => rendering.apply)
  const undo = going.toReversed().flatMap(({ rendering }) => rendering.undo)
  return {
    apply: wrapped(platform, apply, basis),
    undo: wrapped(platform, undo, basis),
    save: going.length === 0 ? [] : savedBy(platform, going, basis).map(asPlanLine),
    unsupported,
    refused,
    notes,
  }
}

/** What a plan shows of a device that was not read. */
export function planOffline(
  platform: Platform,
  changes: readonly Change[],
  on: {
    readonly device: Device
    readonly inventory: Inventory
    readonly claims: readonly Claim[]
  },
): {
  readonly lines: PlannedLines
  readonly shown: Pick<PlanDevice, 'apply' | 'undo' | 'save' | 'transaction' | 'notes' | 'error'>
} {
  const { device, inventory, claims } = on
  const { save: policy, deviceTimer } = device
  const basis = { facts: factsOf(device, inventory), policy, deviceTimer, claims }
  const lines = planLines(platform, changes, basis)
  const stop = [...lines.refused.values()][0]
  const shown = {
    apply: lines.apply,
    undo: lines.undo,
    ...savedLines(lines),
    transaction: transactionText(platform, device),
    notes: deviceNotes(device, platform),
    ...(stop === undefined ? {} : { error: stop }),
  }
  return { lines, shown }
}

/** All of a device that its lines and notes are made of, as text: where that is the same, and no claims count, the same intents make the same of them. */
export function likeness(device: Device, inventory: Inventory): string {
  const { platform, save, deviceTimer } = device
  return JSON.stringify([platform, save, deviceTimer, factsOf(device, inventory)])
}

interface Going {
  readonly change: Change
  readonly rendering: Extract<Rendering, { kind: 'lines' }>
}

/** What a save of all that would be held then sends. */
function savedBy(
  { save }: Platform,
  going: readonly Going[],
  { policy, claims, facts }: PlanBasis,
): readonly Line[] {
  if (save === undefined || policy === 'never') return []
  const held = new Map<Key, HeldObject>()
  for (const { key, wrote, phase } of claims) {
    if (phase === 'held') held.set(key, { key, wrote })
  }
  for (const { change, rendering } of going) {
    const key = keyOf(change.intent)
    if (change.kind === 'lift') held.delete(key)
    else held.set(key, { key, wrote: rendering.wrote })
  }
  return save.lines([...held.values()], facts)
}

/** How the device takes changes, in words. */
function transactionText(platform: Platform, device: Device): string {
  const { transaction } = platform
  if (transaction.kind === 'line') return 'each line is live when typed'
  const loaded = transaction.check === undefined ? 'candidate' : 'candidate, checked by the device'
  const timer = timerOf(platform, device)
  if (timer === undefined) {
    return `${loaded}, committed for good: what a second session does not see is taken back by the lines that undo it, in a candidate of its own`
  }
  const minutes = Math.round((timer.windowMs / 60_000) * 10) / 10
  return `${loaded}, confirmed commit: taken back by the device within ${minutes} min unless a second session has read it back`
}

/** The lines of a save as a plan has them: absent where nothing is saved. */
export function savedLines({ save }: PlannedLines): Pick<PlanDevice, 'save'> {
  return save.length === 0 ? {} : { save }
}

/** What a person should know of that device before anything is sent. */
function deviceNotes(device: Device, platform: Platform): readonly string[] {
  const notes: string[] = []
  if (platform.save !== undefined) notes.push(saveNote(platform.save, device.save))
  const note = timerNote(platform, device)
  return note === undefined ? notes : [...notes, note]
}

/** What would take a change back by itself, and with it whose. */
function timerNote(platform: Platform, device: Device): string | undefined {
  const isLine = platform.transaction.kind === 'line'
  const timer = timerOf(platform, device)
  if (timer?.undoes === 'commit') {
    return 'until it is confirmed, the device’s own timer would undo this change alone'
  }
  if (timer === undefined && !isLine) {
    return 'no timer of the device takes the commit back: it stays, wherever this ends, until the lines that undo it are sent'
  }
  return device.deviceTimer
    ? 'deviceTimer is on: a timer that runs out restores the whole configuration, changes of others since then included'
    : undefined
}

function saveNote(save: Save, policy: Device['save']): string {
  if (policy === 'never') return 'not saved (save: never): a reboot takes it back'
  if (save.scope === 'ours')
    return 'what is saved is what nullroute holds there, with what it saved there before and finds with its mark still, and nothing of others'
  if (policy === 'always') return 'saving takes unsaved changes of others with it'
  return save.differences === undefined
    ? 'saving takes unsaved changes of others with it: the platform can’t tell whose they are'
    : 'saved only if nothing of others is unsaved then'
}

/** What the inventory knows of a device that lines are built from. */
function factsOf(device: Device, inventory: Inventory): Facts {
  const groups: Record<string, string> = {}
  // An edge may have thousands of sessions, and a plan hundreds of edges: those without a group are not looked at.
  for (const neighbors of [device.neighbors, holdingsOn(inventory, device.id).grouped]) {
    for (const { vrf, address, group } of neighbors) {
      if (group !== undefined) groups[groupFact(vrf, address)] = group
    }
  }
  return {
    username: device.username,
    ...(device.asn === undefined ? {} : { asn: device.asn }),
    ...groups,
  }
}

/** The change that brings an intent about where nothing of the kind stands yet. */
export function applying(intent: Intent): Change {
  return { kind: 'apply', intent }
}

function wrapped(
  platform: Platform,
  lines: readonly Line[],
  basis: PlanBasis,
): readonly PlanLine[] {
  if (lines.length === 0) return []
  const { transaction } = platform
  const all =
    transaction.kind === 'line'
      ? [...transaction.enter, ...lines, ...transaction.leave]
      : inCandidate(transaction, lines, timerOf(platform, basis))
  return all.map(asPlanLine)
}

/** The lines of a candidate, and with a timer those of the second session that confirms it. */
function inCandidate(
  transaction: CandidateTransaction,
  lines: readonly Line[],
  timer: CommitTimer | undefined,
): readonly Line[] {
  const token = '<token>'
  const { check, commit, leave } = transaction
  const session = (inner: readonly (Line | undefined)[]): readonly Line[] =>
    [...transaction.enter(token), ...inner, ...leave].filter((line) => line !== undefined)
  const committed = session([...lines, check, timer?.commit(token) ?? commit])
  return timer === undefined ? committed : [...committed, ...session(timer.confirm)]
}

function asPlanLine(line: Line): PlanLine {
  return line.unresolved === true ? { line: line.text, needs: 'device' } : { line: line.text }
}
