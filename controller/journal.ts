// The book of one device, on the store: what an agent has written down before and after it touches anything. In whose chains it stands is chains.ts.

import { createHash } from 'node:crypto'
import type { Clock } from '../agent/clock.ts'
import type { Claim } from '../agent/diff.ts'
import type { Key } from '../agent/intents.ts'
import type {
  DoneStep,
  IntendedStep,
  Journal,
  KeyState,
  SessionEvent,
  VerifiedStep,
} from '../agent/journal.ts'
import type { Device, Id, Jump } from '../inventory/model.ts'
import type { Actor, Json } from './audit/record.ts'
import {
  type KeysBy,
  type OfKeys,
  servedOn,
  servedOnKeys,
  servesOf,
  wantedBy,
  write,
  writeOwn,
} from './chains.ts'
import { desiredFor, standsElsewhere } from './desired.ts'
import {
  afterLifting,
  afterSession,
  asRead,
  deviceState,
  isDrift,
  liftedOf,
  sessionRecord,
} from './device-state.ts'
import { rememberAs } from './recover.ts'
import { createServing, type Serving, type Whom } from './serving.ts'
import { recordFailure, recordStates, type Snapshot, settleAll, snapshotOf } from './settle.ts'
import type { Store, Transaction } from './store/store.ts'
import { awaitedOn } from './waiting.ts'

/** What a journal is made of. */
export interface JournalParts {
  readonly store: Store
  readonly clock: Clock
  readonly device: Device
  readonly jump: Jump | undefined
  /** How long a device that was verified may stay unread before its enforcements are degraded, in ms. */
  readonly outOfReachMs: number
  /** Called after results became durable, with the devices whose turn it may be now. */
  turn(devices: readonly Id[]): void
}

/** The journal of one device. */
export function createJournal(parts: JournalParts): Journal {
  const { store, device } = parts
  const book: Book = {
    ...parts,
    actor: { kind: 'agent', id: `agent/${device.id}` },
    serving: createServing(),
    healing: new Set(),
    snapshot: new Map(),
    unwritten: [],
    onceDurable: [],
  }
  const commit: Store['commit'] = (change) => commitWithEnds(book, change)
  return {
    desired() {
      return store.read((rows) => {
        book.snapshot = snapshotOf(rows, device.id)
        const state = deviceState(rows, device.id)
        const desired = desiredFor(rows, device.id)
        const more = state.commit === undefined ? {} : { commit: state.commit }
        return { ...desired, lifted: liftedOf(state, desired), ...more }
      })
    },
    frozen: () => store.read((rows) => rows.freeze() !== undefined),
    awaits: (keys) => store.read((rows) => awaitedOn(rows, device.id, keys)),
    elsewhere: (key) => store.read((rows) => standsElsewhere(rows, device.id, key)),
    serves: (changes) => store.read((rows) => servesOf(rows, device.id, changes)),
    intend: (step) => commit((tx) => intend(book, tx, step)),
    done(step) {
      book.unwritten = [...book.unwritten, step]
    },
    async flush() {
      if (book.unwritten.length > 0) await commit(() => undefined)
    },
    async verified(step) {
      parts.turn(await commit((tx) => verified(book, tx, step)))
    },
    orphans: (found) => commit((tx) => noteOrphans(book, tx, found)),
    saved: (result) => commit((tx) => saved(book, tx, result)),
    rolledBack: (event) => commit((tx) => rolledBack(book, tx, event)),
    async failed(event) {
      const turn = await commit((tx) => {
        const at = nowOf(book)
        recordFailure(tx, {
          device: device.id,
          snapshot: book.snapshot,
          outOfReachMs: book.outOfReachMs,
          event,
          at,
        })
        return settleAll(tx, device.id, at)
      })
      parts.turn(turn)
    },
    session: (event) => commit((tx) => session(book, tx, event)),
  }
}

/** A journal and what it remembers between its calls. */
interface Book extends JournalParts {
  readonly actor: Actor
  readonly serving: Serving
  /** Keys whose loss was recorded and not yet their return. */
  readonly healing: Set<Key>
  snapshot: Snapshot
  /** Steps that have ended, and whose end is not written down yet: it goes with the next that can be written. */
  unwritten: readonly DoneStep[]
  /** What the change under way changes in this memory, once it is durable: of one that was undone nothing may be remembered. */
  onceDurable: readonly (() => void)[]
}

/** Writes the ends of steps that are owed, and then the change, in one transaction. */
async function commitWithEnds<T>(book: Book, change: (tx: Transaction) => T): Promise<T> {
  let owed: readonly DoneStep[] = []
  let effects: readonly (() => void)[] = []
  try {
    const value = await book.store.commit((tx) => {
      // Taken here, where nothing comes in between: another commit of this book must not write them once more.
      owed = book.unwritten
      book.unwritten = []
      book.onceDurable = []
      for (const step of owed) done(book, tx, step)
      const changed = change(tx)
      effects = book.onceDurable
      return changed
    })
    for (const effect of effects) effect()
    return value
  } catch (error) {
    book.unwritten = [...owed, ...book.unwritten]
    throw error
  }
}

function onceDurable(book: Book, effect: () => void): void {
  book.onceDurable = [...book.onceDurable, effect]
}

function nowOf({ clock }: Book): string {
  return clock.now().toISOString()
}

function intend(book: Book, tx: Transaction, step: IntendedStep): number {
  const { device } = book
  const state = deviceState(tx, device.id)
  const number = state.step + 1
  const { token } = step
  const commit =
    token === undefined ? {} : { commit: { token, keys: step.claims.map(({ key }) => key) } }
  tx.putDevice({ ...state, step: number, lastKnown: rememberAs(book), ...commit })
  const held = tx.claims(device.id)
  const unsaved = held.filter((claim) => claim.step > (state.savedStep ?? 0))
  const changing = step.purpose === 'save' ? unsaved : step.claims
  const keysBy = servedOn(tx, device.id, changing)
  const whom = [...keysBy.keys()]
  if (step.purpose === 'change') noteBefore(book, tx, { step, number, held, keysBy })
  for (const claim of step.claims) tx.putClaim(device.id, { ...claim, step: number })
  write(book, tx, whom, {
    type: 'device.commands_intended',
    outcome: 'ok',
    data: {
      step: number,
      platform: device.platform,
      commands: step.commands,
      expect: expectation(step),
      purpose: step.purpose,
    },
  })
  onceDurable(book, () => book.serving.began(number, whom))
  return number
}

function noteBefore(
  book: Book,
  tx: Transaction,
  about: {
    readonly step: IntendedStep
    readonly number: number
    readonly held: readonly Claim[]
    readonly keysBy: KeysBy
  },
): void {
  const { step, number, held, keysBy } = about
  const { device } = book
  const readback = tx.putArtifact(step.before.kind, step.before.text)
  // What a check has written down already is the same drift, not another one.
  const drifted = step.claims.filter(
    (claim) => isDrift(held, claim) && !book.healing.has(claim.key),
  )
  if (drifted.length > 0) {
    onceDurable(book, () => {
      for (const { key } of drifted) book.healing.add(key)
    })
    const intents = drifted.map(({ key }) => ({ key, state: 'absent' }))
    const losers = servedOn(tx, device.id, drifted)
    writeOwn(book, tx, { keysBy: losers, intents }, () => ({
      type: 'device.drift_found',
      outcome: 'failed',
      data: { readback },
    }))
  }
  const intents = step.claims.map(({ key, before, wrote, replaces, earlier, stood }) => ({
    key,
    before,
    wrote,
    ...(replaces === undefined ? {} : { replaces }),
    ...(earlier === undefined ? {} : { earlier }),
    ...(stood === undefined ? {} : { stood }),
  }))
  const data = { step: number, readback }
  writeOwn(book, tx, { keysBy, intents }, () => ({ type: 'device.observed', outcome: 'ok', data }))
}

function done(book: Book, tx: Transaction, step: DoneStep): void {
  const data: Record<string, Json> = {
    step: step.step,
    transcript: tx.putArtifact(step.transcript.kind, step.transcript.text),
    hostKey: step.hostKey,
    bytes: step.bytes,
    ms: Math.round(step.ms),
    purpose: step.purpose,
  }
  if (step.refused !== undefined) {
    data['line'] = step.refused.line
    data['answer'] = step.refused.message
  }
  const whom = book.serving.of(step.step) ?? [undefined]
  write(book, tx, whom, { type: 'device.commands_done', outcome: step.outcome, data })
}

function verified(book: Book, tx: Transaction, step: VerifiedStep): readonly Id[] {
  const { device, snapshot } = book
  const at = nowOf(book)
  applyClaims(tx, device.id, step)
  const changed = recordStates(tx, { device: device.id, snapshot, states: step.states, at })
  const served = step.step === undefined ? [] : book.serving.upTo(step.step)
  const whom = [...new Set<string | undefined>([...served, ...changed])]
  const state = deviceState(tx, device.id)
  if (whom.length > 0 || step.drifted.length > 0) noteSeen(book, tx, { step, whom, at })
  noteOrphans(book, tx, step)
  const { step: number } = step
  if (number !== undefined) onceDurable(book, () => book.serving.ended(number))
  tx.putDevice(asRead(state, step, at))
  return settleAll(tx, device.id, at)
}

function noteSeen(
  book: Book,
  tx: Transaction,
  about: { readonly step: VerifiedStep; readonly whom: Whom; readonly at: string },
): void {
  const { step, whom } = about
  const { healing } = book
  const readback = tx.putArtifact(step.readback.kind, step.readback.text)
  const drifted = step.drifted.filter((key) => !healing.has(key))
  if (drifted.length > 0) {
    const intents = drifted.map((key) => ({ key }))
    const losers = servedOnKeys(tx, book.device.id, drifted)
    writeOwn(book, tx, { keysBy: losers, intents }, () => ({
      type: 'device.drift_found',
      outcome: 'failed',
      data: { readback },
    }))
  }
  const right = new Set(step.states.flatMap((one) => (one.verified ? [one.key] : [])))
  const intents = step.states.map(stateJson)
  const { step: number } = step
  const keysBy = wantedBy(tx, book.device.id, whom)
  writeOwn(book, tx, { keysBy, intents }, (own, enforcement) => ({
    type: 'device.verified',
    outcome: own.every(({ key }) => right.has(key)) ? 'ok' : 'failed',
    data: {
      readback,
      readAt: about.at,
      session: step.session,
      ...(number === undefined ? {} : { step: book.serving.newest(enforcement, number) }),
    },
  }))
  const lost = new Set([...healing, ...drifted])
  const healed = step.states.filter(({ key }) => right.has(key) && lost.has(key))
  onceDurable(book, () => {
    for (const key of drifted) healing.add(key)
    for (const { key } of healed) healing.delete(key)
  })
  if (healed.length > 0) {
    const intents = healed.map(({ key }) => ({ key }))
    const owners = servedOnKeys(
      tx,
      book.device.id,
      healed.map(({ key }) => key),
    )
    writeOwn(book, tx, { keysBy: owners, intents }, () => ({
      type: 'device.drift_healed',
      outcome: 'ok',
      data: { readback },
    }))
  }
}

/** Notes all orphans that there are now; those that were not known get a record. */
function noteOrphans(book: Book, tx: Transaction, found: Parameters<Journal['orphans']>[0]): void {
  const state = deviceState(tx, book.device.id)
  const known = new Set(state.orphans.map(({ key }) => key))
  const orphans = found.orphans.filter(({ key }) => !known.has(key))
  tx.putDevice({ ...state, orphans: found.orphans })
  if (orphans.length === 0) return
  const intents = orphans.map(({ key, object }) => ({ key, object }))
  const readback = tx.putArtifact(found.readback.kind, found.readback.text)
  const data = { intents, readback }
  write(book, tx, [undefined], { type: 'device.orphan_found', outcome: 'ok', data })
}

function stateJson({ key, seen, outcome, verified: right }: KeyState): OfKeys[number] {
  return { key, state: seen, outcome, verified: right }
}

/** Of what is saved as it is now, a restart brings back nothing else. */
function forgetEarlier(tx: Transaction, device: Id, savedStep: number): void {
  for (const { earlier, ...claim } of tx.claims(device)) {
    if (earlier === undefined || claim.phase !== 'held' || claim.step > savedStep) continue
    tx.putClaim(device, claim)
  }
}

function saved(book: Book, tx: Transaction, result: Parameters<Journal['saved']>[0]): void {
  const { device } = book
  if (result.ok) {
    const gone = tx
      .claims(device.id)
      .filter((claim) => claim.phase === 'lifted' && claim.step <= result.step)
    for (const { key } of gone) tx.dropClaim(device.id, key)
    forgetEarlier(tx, device.id, result.step)
    const state = afterLifting(deviceState(tx, device.id), gone)
    tx.putDevice({ ...state, unsaved: false, savedStep: result.step })
  }
  const { step } = result
  const data: Record<string, Json> = step === undefined ? {} : { step }
  if (result.foreign.length > 0) data['foreign'] = result.foreign.length
  if (!result.ok) data['message'] = result.message
  const whom = (step === undefined ? undefined : book.serving.of(step)) ?? [undefined]
  write(book, tx, whom, {
    type: result.ok ? 'device.saved' : 'device.save_failed',
    outcome: result.ok ? 'ok' : 'failed',
    data,
  })
  if (step !== undefined) onceDurable(book, () => book.serving.ended(step))
}

function rolledBack(
  book: Book,
  tx: Transaction,
  event: Parameters<Journal['rolledBack']>[0],
): void {
  const transcript = tx.putArtifact(event.transcript.kind, event.transcript.text)
  const data = { step: event.step, why: event.why, transcript }
  const whom = book.serving.of(event.step) ?? [
    ...servedOnKeys(tx, book.device.id, event.keys).keys(),
  ]
  write(book, tx, whom, { type: 'device.rolled_back', outcome: 'ok', data })
}

function session(book: Book, tx: Transaction, event: SessionEvent): void {
  const before = deviceState(tx, book.device.id)
  const after = afterSession(before, event, nowOf(book))
  tx.putDevice(after)
  const record = sessionRecord(event, { before, after, device: book.device })
  if (record !== undefined) write(book, tx, [undefined], record)
}

function applyClaims(tx: Transaction, device: Id, step: VerifiedStep): void {
  const known = new Map(tx.claims(device).map((claim) => [claim.key, claim]))
  for (const [key, claim] of step.claims) {
    if (claim === null) tx.dropClaim(device, key)
    else tx.putClaim(device, { ...claim, step: step.step ?? known.get(key)?.step ?? 0 })
  }
}

function expectation(step: IntendedStep): string {
  const objects = step.claims.map(({ key, phase, wrote, before }) => [
    key,
    phase === 'lifting' ? before : wrote,
  ])
  return createHash('sha256').update(JSON.stringify(objects)).digest('hex')
}
