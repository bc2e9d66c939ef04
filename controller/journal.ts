// The book of one device, on the store: what an agent has written down before and after it touches anything. Records that serve several
// enforcements are written once for each, so that every chain is whole.

import { createHash } from 'node:crypto'
import type { Clock } from '../agent/clock.ts'
import { type Claim, type Desired, elementFor } from '../agent/diff.ts'
import { type Intent, type Key, keyOf, sameIntent } from '../agent/intents.ts'
import type {
  DoneStep,
  IntendedStep,
  Journal,
  KeyState,
  SessionEvent,
  VerifiedStep,
} from '../agent/journal.ts'
import type { Device, Id } from '../inventory/model.ts'
import type { Actor, Json, NewRecord, RecordOutcome } from './audit/record.ts'
import { desiredFor } from './desired.ts'
import { recordFailure, recordStates, type Snapshot, settleAll, snapshotOf } from './settle.ts'
import type { DeviceState, Rows, Store, Transaction } from './store/store.ts'

/** What a journal is made of. */
export interface JournalParts {
  readonly store: Store
  readonly clock: Clock
  readonly device: Device
  /** Called after results became durable, with the devices whose turn it may be now. */
  turn(devices: readonly Id[]): void
}

/** The journal of one device. */
export function createJournal(parts: JournalParts): Journal {
  const { store, device } = parts
  const actor: Actor = { kind: 'agent', id: `agent/${device.id}` }
  const now = () => parts.clock.now().toISOString()
  // Whom each step under way serves: its records must find the same chains again, whatever is released meanwhile.
  const serving = new Map<number, readonly (string | undefined)[]>()
  const healing = new Set<Key>()
  let snapshot: Snapshot = new Map()

  const write = (tx: Transaction, about: Omit<NewRecord, 'actor' | 'on'>, enforcement?: string) =>
    tx.append({ ...about, actor, on: onOf(tx, device.id, enforcement) })

  async function commit(change: (tx: Transaction) => readonly Id[]): Promise<void> {
    const turn = await store.commit(change)
    if (turn.length > 0) parts.turn(turn)
  }

  return {
    desired(): Desired {
      return store.read((rows) => {
        snapshot = snapshotOf(rows, device.id)
        return desiredFor(rows, device.id)
      })
    },
    frozen: () => store.read((rows) => rows.freeze() !== undefined),

    async intend(step: IntendedStep): Promise<number> {
      return store.commit((tx) => {
        const state = deviceState(tx, device.id)
        const number = state.step + 1
        tx.putDevice({ ...state, step: number, lastKnown: JSON.stringify(device) })
        const held = tx.claims(device.id)
        const keys =
          step.purpose === 'save'
            ? held.filter((claim) => claim.step > (state.savedStep ?? 0)).map(({ key }) => key)
            : step.claims.map(({ key }) => key)
        const whom = servedBy(tx, device.id, keys)
        const readback =
          step.purpose === 'change' ? tx.putArtifact(step.before.kind, step.before.text) : undefined
        const drifted = step.claims.filter((claim) => isDrift(held, claim))
        for (const { key } of drifted) healing.add(key)
        for (const claim of step.claims) tx.putClaim(device.id, { ...claim, step: number })
        for (const enforcement of whom) {
          if (drifted.length > 0 && readback !== undefined) {
            const intents = drifted.map(({ key }) => ({ key, state: 'absent' }))
            write(
              tx,
              { type: 'device.drift_found', outcome: 'failed', data: { intents, readback } },
              enforcement,
            )
          }
          if (readback !== undefined) {
            const intents = step.claims.map(({ key, before }) => ({ key, before }))
            write(
              tx,
              { type: 'device.observed', outcome: 'ok', data: { step: number, intents, readback } },
              enforcement,
            )
          }
          const data = {
            step: number,
            platform: device.platform,
            commands: step.commands,
            expect: expectation(step),
            purpose: step.purpose,
          }
          write(tx, { type: 'device.commands_intended', outcome: 'ok', data }, enforcement)
        }
        serving.set(number, whom)
        return number
      })
    },

    async done(step: DoneStep): Promise<void> {
      await store.commit((tx) => {
        const transcript = tx.putArtifact(step.transcript.kind, step.transcript.text)
        const data: Record<string, Json> = {
          step: step.step,
          transcript,
          hostKey: step.hostKey,
          bytes: step.bytes,
          ms: Math.round(step.ms),
          purpose: step.purpose,
        }
        if (step.refused !== undefined) {
          data['line'] = step.refused.line
          data['answer'] = step.refused.message
        }
        for (const enforcement of serving.get(step.step) ?? [undefined]) {
          write(tx, { type: 'device.commands_done', outcome: step.outcome, data }, enforcement)
        }
      })
    },

    async verified(step: VerifiedStep): Promise<void> {
      await commit((tx) => {
        const at = now()
        applyClaims(tx, device.id, step)
        const changed = recordStates(tx, { device: device.id, snapshot, states: step.states, at })
        const whom = new Set<string | undefined>([
          ...(step.step === undefined ? [] : (serving.get(step.step) ?? [])),
          ...changed,
        ])
        const state = deviceState(tx, device.id)
        const orphans = step.orphans.filter(
          ({ key }) => !state.orphans.some((known) => known.key === key),
        )
        if (whom.size > 0 || step.drifted.length > 0 || orphans.length > 0) {
          const readback = tx.putArtifact(step.readback.kind, step.readback.text)
          writeSeen(tx, { step, whom, orphans, readback, at })
        }
        if (step.step !== undefined) serving.delete(step.step)
        tx.putDevice(asRead(state, step, at))
        return settleAll(tx, device.id, at)
      })
    },

    async saved(result): Promise<void> {
      await store.commit((tx) => {
        if (result.ok) {
          for (const claim of tx.claims(device.id)) {
            if (claim.phase === 'lifted' && claim.step <= result.step)
              tx.dropClaim(device.id, claim.key)
          }
          tx.putDevice({ ...deviceState(tx, device.id), unsaved: false, savedStep: result.step })
        }
        const data: Record<string, Json> = { step: result.step }
        if (result.foreign.length > 0) data['foreign'] = result.foreign.length
        if (result.message !== undefined) data['message'] = result.message
        const type = result.ok ? 'device.saved' : 'device.save_failed'
        for (const enforcement of serving.get(result.step) ?? [undefined]) {
          write(tx, { type, outcome: result.ok ? 'ok' : 'failed', data }, enforcement)
        }
        serving.delete(result.step)
      })
    },

    async rolledBack(event): Promise<void> {
      await store.commit((tx) => {
        const transcript = tx.putArtifact(event.transcript.kind, event.transcript.text)
        const data = { step: event.step, why: event.why, transcript }
        for (const enforcement of serving.get(event.step) ?? servedBy(tx, device.id, event.keys)) {
          write(tx, { type: 'device.rolled_back', outcome: 'ok', data }, enforcement)
        }
      })
    },

    async failed(event): Promise<void> {
      await commit((tx) => {
        const at = now()
        recordFailure(tx, { device: device.id, snapshot, event, at })
        return settleAll(tx, device.id, at)
      })
    },

    async session(event: SessionEvent): Promise<void> {
      await store.commit((tx) => {
        const before = deviceState(tx, device.id)
        const after = afterSession(before, event, now())
        tx.putDevice(after)
        const record = sessionRecord(event, { before, after, device })
        if (record !== undefined) write(tx, record)
      })
    },
  }

  function writeSeen(
    tx: Transaction,
    about: {
      readonly step: VerifiedStep
      readonly whom: ReadonlySet<string | undefined>
      readonly orphans: VerifiedStep['orphans']
      readonly readback: string
      readonly at: string
    },
  ): void {
    const { step, readback } = about
    const intents = step.states.map(({ key, seen, outcome, verified }) => ({
      key,
      state: seen,
      outcome,
      verified,
    }))
    const outcome: RecordOutcome = step.states.every(({ verified }) => verified) ? 'ok' : 'failed'
    const healed = step.states.filter(({ key, verified }) => verified && healing.delete(key))
    for (const enforcement of about.whom) {
      const data: Record<string, Json> = {
        intents,
        readback,
        readAt: about.at,
        session: step.session,
      }
      if (step.step !== undefined) data['step'] = step.step
      write(tx, { type: 'device.verified', outcome, data }, enforcement)
      if (healed.length > 0) {
        const keys = healed.map(({ key }) => ({ key }))
        write(
          tx,
          { type: 'device.drift_healed', outcome: 'ok', data: { intents: keys, readback } },
          enforcement,
        )
      }
    }
    const drifted = step.drifted.filter(
      (key) => !healing.has(key) && !healed.some((state) => state.key === key),
    )
    if (drifted.length > 0) {
      const keys = drifted.map((key) => ({ key }))
      for (const enforcement of servedBy(tx, device.id, drifted)) {
        write(
          tx,
          { type: 'device.drift_found', outcome: 'failed', data: { intents: keys, readback } },
          enforcement,
        )
      }
    }
    if (about.orphans.length > 0) {
      const keys = about.orphans.map(({ key, object }) => ({ key, object }))
      write(tx, { type: 'device.orphan_found', outcome: 'ok', data: { intents: keys, readback } })
    }
  }
}

/** The stored state of a device, or that of one that was never seen. */
export function deviceState(rows: Rows, device: Id): DeviceState {
  return (
    rows.device(device) ?? {
      device,
      state: 'unknown',
      unsaved: false,
      step: 0,
      missed: 0,
      states: [],
      orphans: [],
    }
  )
}

/** The enforcements that these keys of a device serve; `[undefined]` where none does, so that the record names the device alone. */
export function servedBy(
  rows: Rows,
  device: Id,
  keys: readonly Key[],
): readonly (string | undefined)[] {
  const live = new Set(rows.live().map(({ id }) => id))
  const wanted = rows.wanted({ device }).filter((row) => live.has(row.enforcement) && !row.observer)
  const intents: readonly Intent[] = wanted.map(({ intent }) => intent)
  const sought = new Set(keys)
  const found = wanted
    .filter((row) => sought.has(row.key) || sought.has(keyOf(elementFor(row.intent, intents))))
    .map(({ enforcement }) => enforcement)
  return found.length === 0 ? [undefined] : [...new Set(found)]
}

function onOf(rows: Rows, device: Id, enforcement: string | undefined): NewRecord['on'] {
  if (enforcement === undefined) return { device }
  const customer = rows.enforcement(enforcement)?.customer
  return customer === undefined ? { device, enforcement } : { device, enforcement, customer }
}

function isDrift(held: readonly Claim[], next: Omit<Claim, 'step'>): boolean {
  const claim = held.find(({ key }) => key === next.key)
  return (
    claim?.phase === 'held' && next.phase === 'pending' && sameIntent(claim.intent, next.intent)
  )
}

function applyClaims(tx: Transaction, device: Id, step: VerifiedStep): void {
  const known = new Map(tx.claims(device).map((claim) => [claim.key, claim]))
  for (const [key, claim] of step.claims) {
    if (claim === null) tx.dropClaim(device, key)
    else tx.putClaim(device, { ...claim, step: step.step ?? known.get(key)?.step ?? 0 })
  }
}

function asRead(state: DeviceState, step: VerifiedStep, at: string): DeviceState {
  const { since: _since, code: _code, ...rest } = state
  return {
    ...rest,
    state: 'up',
    missed: 0,
    lastReadAt: at,
    unsaved: state.unsaved || step.unsaved,
    states: step.states as readonly KeyState[],
    orphans: step.orphans,
  }
}

function afterSession(state: DeviceState, event: SessionEvent, at: string): DeviceState {
  if (event.kind === 'connected') {
    const { since: _since, code: _code, ...rest } = state
    return {
      ...rest,
      state: 'up',
      missed: 0,
      ...(event.software === undefined ? {} : { software: event.software }),
    }
  }
  const changedKey = event.code === 'host_key_changed' || event.code === 'host_key_unknown'
  return {
    ...state,
    state: changedKey ? 'quarantined' : event.kind === 'refused' ? 'refused' : 'unreachable',
    since: state.since ?? at,
    code: event.code,
    missed: state.missed + 1,
  }
}

// Once per change of state: a device that is off for a week is one record, not one for each try.
function sessionRecord(
  event: SessionEvent,
  about: { readonly before: DeviceState; readonly after: DeviceState; readonly device: Device },
): Omit<NewRecord, 'actor' | 'on'> | undefined {
  const address = about.device.address
  if (event.kind === 'connected') {
    const data: Record<string, Json> = { address, hostKey: event.hostKey }
    if (event.software !== undefined) data['software'] = event.software
    return { type: 'device.connected', outcome: 'ok', data }
  }
  if (about.before.code === event.code) return undefined
  const data: Record<string, Json> = { address, why: event.message }
  if (event.hostKey !== undefined) data['hostKey'] = event.hostKey
  if (event.expected !== undefined) data['expected'] = event.expected
  if (event.kind === 'refused') return { type: 'device.refused', outcome: 'refused', data }
  data['since'] = about.after.since ?? ''
  return { type: 'device.unreachable', outcome: 'failed', data }
}

function expectation(step: IntendedStep): string {
  const objects = step.claims.map(({ key, phase, wrote, before }) => [
    key,
    phase === 'lifting' ? before : wrote,
  ])
  return createHash('sha256').update(JSON.stringify(objects)).digest('hex')
}
