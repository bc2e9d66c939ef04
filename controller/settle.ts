// From what a device showed to how its enforcements stand: results of a device, then the status that follows. Inside the transaction of the journal.

import { elementsIn } from '../agent/elements.ts'
import { type AgentErrorCode, agentErrorCodes } from '../agent/errors.ts'
import { type Intent, type Key, keyOf } from '../agent/intents.ts'
import type { KeyState } from '../agent/journal.ts'
import { groupBy } from '../inventory/group-by.ts'
import type { Id } from '../inventory/model.ts'
import type { Actor } from './audit/record.ts'
import { isLookedFor } from './desired.ts'
import { type DeviceStatus, type Enforcement, inForce, type Status } from './enforcement.ts'
import { transition } from './life-cycle.ts'
import { standsAsBefore } from './progress.ts'
import { isDone, isFailure } from './rollout.ts'
import type { Result, Rows, Transaction, Wanted } from './store/store.ts'
import { asWaiting, awaitsOthers, causesOf } from './waiting.ts'

/** The live enforcements of a device, with their status and the highest open wave, as they were when its desired state was read: a read-back speaks for these alone. */
export type Snapshot = ReadonlyMap<string, { readonly status: Status; readonly openWave: number }>

/** Codes that say nothing about the change: the device could not be talked to, or not be understood. */
const outOfReach: ReadonlySet<AgentErrorCode> = new Set<AgentErrorCode>([
  'unreachable',
  'host_key_unknown',
  'host_key_changed',
  'login_refused',
  'credentials_missing',
  'enable_refused',
  'no_prompt',
  'wrong_platform',
  'no_privilege',
  'timeout',
  'desync',
  'pager',
  'too_much_output',
])

/** Refusals that pass by themselves: somebody else's lock or timer. For so many attempts (about a minute with the agent's backoff) they are no answer yet. */
const passing: ReadonlySet<string> = new Set(['locked', 'timer_pending', 'not_confirmed'])
const passingAttempts = 8
/** A step that broke off says nothing of the device, and often of a moment only: that the book could not be written. For so many attempts it is no answer, which would stop a roll-out or take all back. */
const internalAttempts = 3

const system = {
  actor: { kind: 'system', id: 'controller' } as Actor,
  person: 'system',
  admin: true,
}

/** What a desired state that is read now will speak for. */
export function snapshotOf(rows: Rows, device: Id): Snapshot {
  const here = new Set(rows.wanted({ device }).map(({ enforcement }) => enforcement))
  return new Map(
    rows
      .live()
      .filter(({ id }) => here.has(id))
      .map(({ id, status, openWave }) => [id, { status, openWave: openWave ?? 0 }]),
  )
}

/** Writes what the read-back means for each enforcement that it speaks for; answers the ids of those whose result is another now. */
export function recordStates(
  tx: Transaction,
  about: {
    readonly device: Id
    readonly snapshot: Snapshot
    readonly states: readonly KeyState[]
    readonly at: string
  },
): readonly string[] {
  const states = new Map(about.states.map((state) => [state.key, state]))
  const changed = new Set<string>()
  const all = tx.wanted({ device: about.device })
  const elementOf = elementsIn(wantedIntents(tx, all))
  for (const { enforcement, result, rows } of scope(tx, about, all)) {
    const releasing = enforcement.status === 'releasing'
    // Lifted is lifted: what a later look says of it is no part of this release any more.
    if (releasing && result.status === 'verified') continue
    const foreign = foreignTo(tx, enforcement, result.role)
    const found = rows.map((row) => {
      const before = result.states.find(({ key }) => key === row.key)
      const state = stateFor(row, stateIn(states, row, { elementOf, releasing }), {
        releasing,
        before,
      })
      return row.observer && foreign.has(row.key) ? asForeign(state) : state
    })
    const status = statusFrom(found, result.attempts)
    const failure = found.find((state) => state.error !== undefined)?.error
    const { error: _error, verifiedAt: _verifiedAt, ...rest } = result
    tx.putResult({
      ...rest,
      status,
      states: found,
      attempts: result.attempts + (status === 'verified' && result.status === 'verified' ? 0 : 1),
      ...(failure === undefined || status === 'verified' ? {} : { error: failure }),
      ...(status === 'verified' ? { verifiedAt: about.at } : {}),
    })
    if (status !== result.status) changed.add(enforcement.id)
  }
  return [...changed]
}

/** Writes that a convergence could not be carried out. What was verified stays so until the device has not been read for `outOfReachMs`: one read that went wrong says nothing about what is in force. */
export function recordFailure(
  tx: Transaction,
  about: {
    readonly device: Id
    readonly snapshot: Snapshot
    readonly outOfReachMs: number
    readonly event: {
      readonly code: AgentErrorCode
      readonly message: string
      readonly keys: readonly Key[]
    }
    readonly at: string
  },
): void {
  const { event } = about
  if (event.code === 'stopped') return
  const lastRead = tx.device(about.device)?.lastReadAt
  const unreadMs = lastRead === undefined ? 0 : Date.parse(about.at) - Date.parse(lastRead)
  const error = {
    code: event.code,
    message: event.message,
    remedy: agentErrorCodes[event.code],
  }
  for (const one of scope(tx, about, tx.wanted({ device: about.device }))) {
    const { enforcement, result, rows } = one
    // Of a release every device must answer, also one on which nothing of it is known.
    const meant =
      enforcement.status === 'releasing' || rows.some(({ key }) => event.keys.includes(key))
    if (!meant && event.keys.length > 0) continue
    // Its turn never came: it was only to be looked at.
    if (rows.every(({ wave }) => wave > (enforcement.openWave ?? 0))) continue
    const known = result.status === 'verified'
    if (known && unreadMs < about.outOfReachMs) continue
    const { verifiedAt: _verifiedAt, ...rest } = result
    const status = known ? 'unreachable' : statusWithout(event.code, result.attempts)
    tx.putResult({ ...rest, status, error, attempts: result.attempts + 1 })
  }
}

/** How a device stands that was not verified, and of which there is no reading. */
function statusWithout(code: AgentErrorCode, attempts: number): DeviceStatus {
  if (outOfReach.has(code)) return 'unreachable'
  return code === 'internal' && attempts < internalAttempts ? 'converging' : 'failed'
}

/** Moves each live enforcement of a device to where its results leave it; answers the devices whose turn it is now: a wave that opened, a rollback that began. */
export function settleAll(tx: Transaction, device: Id, at: string): readonly Id[] {
  const turn = new Set<Id>()
  const here = new Set(tx.wanted({ device }).map(({ enforcement }) => enforcement))
  for (const enforcement of tx.live()) {
    if (here.has(enforcement.id))
      for (const next of settle(tx, enforcement, { device, at })) turn.add(next)
  }
  return [...turn]
}

/** Moves one enforcement to where the results of a device leave it; answers the devices whose turn it is now. */
function settle(
  tx: Transaction,
  enforcement: Enforcement,
  about: { readonly device: Id; readonly at: string },
): readonly Id[] {
  const { at } = about
  const again = inForce.includes(enforcement.status)
    ? settleWaiting(tx, enforcement, about.device)
    : []
  if (standsAsBefore(enforcement, tx.tally(enforcement.id))) return again
  const wanted = tx.wanted({ enforcement: enforcement.id })
  const results = tx.results({ enforcement: enforcement.id })
  const moved = transition(enforcement, { kind: 'results', by: system, wanted, results }, at)
  if (moved.kind !== 'moved') return again
  tx.updateEnforcement(moved.enforcement)
  for (const result of moved.results) tx.putResult(result)
  for (const record of moved.records) tx.append(record)
  const before = enforcement.openWave ?? 0
  const after = moved.enforcement.openWave ?? 0
  const beginsRelease =
    moved.enforcement.status === 'releasing' && enforcement.status !== 'releasing'
  const begun = wanted
    .filter(({ wave }) => beginsRelease || (wave > before && wave <= after))
    .map((row) => row.device)
  return [...again, ...begun, ...doubted(moved.enforcement, wanted, results)]
}

/** Before all is taken back because a device does not learn it, those that it learns from must be seen to have it still. */
function doubted(
  { status, onFailure }: Enforcement,
  wanted: readonly Wanted[],
  results: readonly Result[],
): readonly Id[] {
  if (status !== 'degraded' || onFailure !== 'rollback') return []
  const failed = results.some((one) => one.role === 'observer' && isFailure(one.status))
  return failed ? wanted.filter(({ observer }) => !observer).map(({ device }) => device) : []
}

/** Puts right what is said of the devices that are only read, after those that they learn from: of all where one of these has a result, else of the one that has. Answers the devices to be read again. */
function settleWaiting(tx: Transaction, enforcement: Enforcement, device: Id): readonly Id[] {
  const { id } = enforcement
  const tally = tx.tally(id)
  if (tally.undone('observer', tally.last) === 0) return []
  const own = tx.results({ device }).filter((result) => result.enforcement === id)
  const isSource = own.some(({ role }) => role === 'enforcer')
  const results = isSource ? tx.results({ enforcement: id }) : own
  if (!results.some(({ role, status }) => role === 'observer' && !isDone(status))) return []
  const causes = causesOf(tx, enforcement)
  return results.flatMap((result) => {
    const next = asWaiting(result, causes)
    if (next !== result) tx.putResult(next)
    // Its time begins now.
    return awaitsOthers(result) && !awaitsOthers(next) ? [result.device] : []
  })
}

interface Scope {
  readonly enforcement: Enforcement
  readonly result: Result
  readonly rows: readonly Wanted[]
}

// The places (enforcement, role) on a device that a read-back or failure speaks for: in force or releasing now and then, and in a wave that was open then: of one that has opened since, nothing was wanted when the device was changed.
function scope(
  tx: Transaction,
  about: { readonly device: Id; readonly snapshot: Snapshot },
  all: readonly Wanted[],
): readonly Scope[] {
  const results = new Map(
    tx.results({ device: about.device }).map((one) => [`${one.enforcement} ${one.role}`, one]),
  )
  const wanted = groupBy(all, (row) => row.enforcement)
  return tx.live().flatMap((enforcement) => {
    const then = about.snapshot.get(enforcement.id)
    if (then === undefined || !speaksFor(then.status, enforcement.status)) return []
    return (['enforcer', 'observer'] as const).flatMap((role) => {
      const rows = (wanted.get(enforcement.id) ?? []).filter(
        (row) =>
          row.observer === (role === 'observer') &&
          (row.wave <= then.openWave || (then.status === 'releasing' && isLookedFor(row))),
      )
      if (rows.length === 0) return []
      const result = results.get(`${enforcement.id} ${role}`)
      return [
        { enforcement, rows, result: result ?? emptyResult(enforcement.id, about.device, role) },
      ]
    })
  })
}

function speaksFor(then: Status, status: Status): boolean {
  if (status === 'releasing') return then === 'releasing'
  return inForce.includes(status) && inForce.includes(then)
}

/** The result of a device that nothing is known of yet. */
function emptyResult(enforcement: string, device: Id, role: Result['role']): Result {
  return { enforcement, device, role, status: 'pending', states: [], attempts: 0 }
}

function wantedIntents(tx: Transaction, all: readonly Wanted[]): readonly Intent[] {
  const active = new Set(
    tx
      .live()
      .filter(({ status }) => inForce.includes(status))
      .map(({ id }) => id),
  )
  return all
    .filter((row) => active.has(row.enforcement) && !row.observer)
    .map(({ intent }) => intent)
}

// While releasing, a key of which the convergence says nothing is neither wanted nor claimed: nothing of ours is there. What was there before us still is.
// What we put there stays `applied`, through whatever convergences it takes: other devices may have learnt it.
function stateFor(
  row: Wanted,
  state: KeyState | undefined,
  about: { readonly releasing: boolean; readonly before: KeyState | undefined },
): KeyState {
  const base = { key: row.key, kind: row.intent.kind }
  if (row.unsupported !== undefined) {
    return {
      ...base,
      outcome: 'unsupported',
      seen: 'unknown',
      verified: true,
      note: row.unsupported,
    }
  }
  const wasOurs = about.releasing && about.before?.outcome === 'applied'
  if (state !== undefined) {
    // Lifted by an earlier convergence, which then had the claim: nothing of ours is there now, but there was.
    const lifted = wasOurs && state.verified && state.seen === 'absent'
    return { ...state, ...base, ...(lifted ? { outcome: 'applied' } : {}) }
  }
  if (!about.releasing) return { ...base, outcome: 'unknown', seen: 'unknown', verified: false }
  if (about.before?.seen === 'foreign') return { ...about.before, verified: true }
  return { ...base, outcome: wasOurs ? 'applied' : 'already', seen: 'absent', verified: true }
}

// A filter entry may stand for the row by covering it; but what is being released is its own entry.
function stateIn(
  states: ReadonlyMap<Key, KeyState>,
  row: Wanted,
  about: { readonly elementOf: (intent: Intent) => Intent; readonly releasing: boolean },
): KeyState | undefined {
  const own = states.get(row.key)
  if (own !== undefined || row.observer || about.releasing) return own
  return states.get(keyOf(about.elementOf(row.intent)))
}

// Only a device that is only read shows what others have put there.
function foreignTo(
  tx: Transaction,
  { id, status }: Enforcement,
  role: Result['role'],
): ReadonlySet<Key> {
  return status === 'releasing' && role === 'observer' ? untouchedKeys(tx, id) : new Set()
}

// Keys whose effect may go on for ever, now that each device that gets lines was read: nothing of ours was lifted anywhere, or somebody else's object stands on one of them.
function untouchedKeys(tx: Transaction, enforcement: string): ReadonlySet<Key> {
  // Devices whose wave never opened were never asked for anything: they are looked at, and not waited for.
  const openWave = tx.enforcement(enforcement)?.openWave ?? 0
  const asked = new Set(
    tx
      .wanted({ enforcement })
      .filter(({ wave, observer }) => wave <= openWave && !observer)
      .map(({ device }) => device),
  )
  const results = tx.results({ enforcement }).filter(({ role }) => role === 'enforcer')
  const isAwaited = results.some(({ device, status }) => asked.has(device) && !isDone(status))
  if (isAwaited) return new Set()
  const states = results.flatMap((result) => result.states)
  const lifted = new Set(
    states.filter(({ outcome }) => outcome === 'applied').map(({ key }) => key),
  )
  const kept = states.filter(({ key, seen }) => seen === 'foreign' || !lifted.has(key))
  return new Set(kept.map(({ key }) => key))
}

function asForeign(state: KeyState): KeyState {
  if (state.verified || state.seen !== 'present') return state
  const { error: _error, ...rest } = state
  const note = 'still in force by a route that was there before and is not ours: left alone'
  return { ...rest, outcome: 'already', seen: 'foreign', verified: true, note }
}

function statusFrom(states: readonly KeyState[], attempts: number): DeviceStatus {
  if (states.every(({ outcome }) => outcome === 'unsupported')) return 'unsupported'
  const open = states.filter(({ verified }) => !verified)
  if (open.length === 0) return 'verified'
  const answers = open.filter(
    ({ error }) => attempts >= passingAttempts || !passing.has(error?.code ?? ''),
  )
  if (answers.some(({ outcome }) => outcome === 'refused')) return 'refused'
  if (answers.some(({ outcome }) => outcome === 'failed')) return 'failed'
  return 'converging'
}
