// What a read-back means for each key: its state for people, and what becomes of its claim. Pure.

import { type Result, stoodOf } from './converge-work.ts'
import {
  type Claim,
  countsAsInForce,
  type Decision,
  type Desired,
  sameObject,
  standingOf,
} from './diff.ts'
import { elementsIn } from './elements.ts'
import { agentErrorCodes } from './errors.ts'
import { type Key, keyOf, type Outcome } from './intents.ts'
import type { KeyState, VerifiedStep } from './journal.ts'
import type { Found, Observation } from './platform.ts'

/** Of keys that can't show yet, the words for it. */
export type Waiting = ReadonlyMap<Key, NonNullable<KeyState['error']>>

/** What is known when the reading ends. */
export interface Verdict {
  readonly desired: Desired
  readonly observation: Observation
  readonly decisions: readonly Decision[]
  readonly results: ReadonlyMap<Key, Result>
  /** Claims that were written in this convergence. */
  readonly written: ReadonlyMap<Key, Omit<Claim, 'step'>>
  /** Keys whose time to show ended; of the others nothing is said yet. */
  readonly expired: ReadonlySet<Key>
  /** Keys that wait for other devices, and how that is said. */
  readonly awaited?: Waiting
  /** Whether a lift must be saved before its claim may go. */
  readonly saves: boolean
  /** Of a look from aside: keys of which only a convergence may say how their change ended. */
  readonly underWay?: ReadonlySet<Key>
}

/** The state of each key that is wanted, expected or claimed, in the order of the decisions. */
export function statesOf(verdict: Verdict): readonly KeyState[] {
  const states = new Map<Key, KeyState>()
  for (const decision of verdict.decisions) states.set(decision.key, stateOf(decision, verdict))
  const decisions = new Map(verdict.decisions.map((decision) => [decision.key, decision]))
  const elementOf = elementsIn(standingOf(verdict.desired.wanted, verdict.decisions))
  for (const intent of verdict.desired.wanted) {
    const key = keyOf(intent)
    const outer = keyOf(elementOf(intent))
    const own = decisions.get(key)
    if (outer === key || (own?.kind === 'change' && own.after !== undefined)) continue
    // A filter set holds maximal prefixes only: an inner one is in force by the outer one's element.
    const state = states.get(outer)
    if (state !== undefined) states.set(key, { ...state, key, note: `covered by ${outer}` })
  }
  return [...states.values()]
}

function stateOf(decision: Decision, verdict: Verdict): KeyState {
  const rest = restOf(decision, verdict)
  const open = rest.verified ? openState(decision.key, verdict) : undefined
  const known = open === undefined ? rest : { ...open, seen: rest.seen }
  return { key: decision.key, kind: decision.intent.kind, ...known }
}

function restOf(decision: Decision, verdict: Verdict): Rest {
  switch (decision.kind) {
    case 'settled':
    case 'lifted':
      return shownState(decision, verdict)
    case 'refused':
      return { outcome: 'refused', seen: decision.seen, verified: false, error: decision.stop }
    case 'waiting':
      return waitingState(decision, verdict)
    case 'change':
      return decision.after === undefined
        ? changeState(decision, verdict)
        : standInState(decision.key, decision.after, verdict)
  }
}

type Shown = Extract<Decision, { kind: 'settled' | 'lifted' }>

function shownState(decision: Shown, verdict: Verdict): Rest {
  const { seen } = decision
  const result = verdict.results.get(decision.key)
  const sent = result?.kind === 'sent' ? result : undefined
  const outcome = decision.kind === 'settled' ? decision.outcome : liftedOutcome(decision, verdict)
  const found = verdict.observation.found.get(decision.key)?.note
  const more = decision.kind === 'settled' ? [sent?.note, found] : []
  const notes = [decision.note, ...more].filter((text) => text !== undefined)
  const note = [...new Set(notes)].join('; ')
  return { outcome, seen, verified: true, ...(note === '' ? {} : { note }) }
}

/** What was ours was lifted, whoever took it away and whenever: a session may end between the line and its read-back, and a reboot or a hand does it without us. Other devices may have learnt it all the same. */
function liftedOutcome({ key }: Decision, { desired }: Verdict): Outcome {
  return desired.claims.some((claim) => claim.key === key) ? 'applied' : 'already'
}

/** As it should be, but for now only: by a commit whose window nobody saw closed, so that the device may take it back, or seen from aside while a change is under way. */
function openState(key: Key, verdict: Verdict): Omit<Rest, 'seen'> | undefined {
  if (verdict.underWay?.has(key) === true) {
    const note = 'a change of ours is under way: how it ended is not known yet'
    return { outcome: 'unknown', verified: false, note }
  }
  const result = verdict.results.get(key)
  if (result?.kind !== 'refused' || result.code !== 'not_confirmed') return undefined
  const { code, message } = result
  const error = { code, message, remedy: agentErrorCodes[code] }
  return { outcome: 'failed', verified: false, error }
}

type Rest = Omit<KeyState, 'key' | 'kind'>

function waitingState(decision: Extract<Decision, { kind: 'waiting' }>, verdict: Verdict): Rest {
  const { seen, key } = decision
  const expired = verdict.expired.has(key)
  if (isFading(decision, verdict.desired)) return fadingState(decision, verdict)
  const claim = verdict.desired.claims.find((one) => one.key === key)
  if (isLeaving(claim, verdict)) return leavingState(decision, verdict, claim)
  // What the device itself gives as the reason: a route inside the prefix that leads on.
  const found = verdict.observation.found.get(key)
  const why = found?.note
  const because = why === undefined ? '' : `: ${why}`
  if (!expired) {
    return { outcome: 'unknown', seen, verified: false, note: `not in force yet${because}` }
  }
  const others = verdict.awaited?.get(key)
  if (others !== undefined) return { outcome: 'unknown', seen, verified: false, error: others }
  if (claim === undefined && !verdict.desired.wanted.some((one) => keyOf(one) === key)) {
    return failed(seen, notShown(`${notLearnt(seen)}${because}`, learnRemedy))
  }
  const what =
    seen === 'absent'
      ? 'it is not in force there'
      : `the object stands there, but ${shortOf(found?.inForce)} in force`
  return failed(seen, notShown(`${what}${because}`))
}

const learnRemedy =
  'nothing was sent to this device: look at BGP between it and the devices that announce the route, and at what it does with what it learns; it is read again by itself'

function notLearnt(seen: Rest['seen']): string {
  const what = seen === 'absent' ? 'has not learnt it' : 'has it, but does not act on all of it'
  return `where it is announced it is in force, but this device ${what}`
}

function shortOf(inForce: Found['inForce'] | undefined): string {
  if (inForce === 'unknown') return 'was not seen'
  return inForce === 'partly' ? 'is only partly' : 'is not'
}

/** An effect that outlives its release: that of the device's own object is its owner's business; anything else may still be what we asked other devices for. */
function fadingState(
  { key, seen }: Extract<Decision, { kind: 'waiting' }>,
  verdict: Verdict,
): Rest {
  const { object = [], learnt } = verdict.observation.found.get(key) ?? {}
  if (object.length > 0 && learnt !== true) {
    const note = `still in force: by the device's own ${object.join('; ')}, which is left alone`
    return { outcome: 'already', seen: 'foreign', verified: true, note }
  }
  if (!verdict.expired.has(key)) return { outcome: 'unknown', seen, verified: false }
  const remedy =
    'find out on the device where it learnt the route, and whether that was withdrawn; it is read again by itself'
  const message = 'lifted, but the device still has it in force, and by nothing of its own'
  return failed(seen, notShown(message, remedy))
}

/** Our own lines are gone, their effect is not: it may be ours for as long as it shows, unless it was there before us. */
function leavingState(
  { key, seen }: Extract<Decision, { kind: 'waiting' }>,
  verdict: Verdict,
  claim: Leaving,
): Rest {
  if (!verdict.expired.has(key)) {
    const note = 'lifted in the configuration, not gone from the device yet'
    return { outcome: 'unknown', seen, verified: false, note }
  }
  if (goesOnWithoutUs(claim, verdict)) {
    const note = 'still in force by something that was there before and is not ours: left alone'
    return { outcome: 'applied', seen: 'absent', verified: true, note }
  }
  const isSeen = verdict.observation.found.get(key)?.inForce !== 'unknown'
  const message = isSeen
    ? 'lifted in the configuration, but the device still has it in force'
    : 'lifted in the configuration, but what the device has there now is not understood: it was not seen to be gone'
  const remedy =
    'find out on the device what keeps it in force: a table that is not up to date, or a route learnt from another router; it is read again by itself'
  return failed(seen, notShown(message, remedy))
}

type Leaving = Pick<Claim, 'key' | 'stood'>

/** Whether an object of ours that nobody wants is waited for until its effect is gone. */
function isLeaving<C extends Leaving>(claim: C | undefined, { desired }: Verdict): claim is C {
  return claim !== undefined && !desired.wanted.some((intent) => keyOf(intent) === claim.key)
}

/** Its time is over, and what goes on was there before us. */
function goesOnWithoutUs({ key, stood }: Leaving, { expired }: Verdict): boolean {
  return stood === true && expired.has(key)
}

/** Whether a key is only waited for until its effect is gone. */
export function isFading(decision: Decision, desired: Desired): boolean {
  const { key } = decision
  const others = [...desired.wanted, ...desired.expected].some((intent) => keyOf(intent) === key)
  return !others && !desired.claims.some((claim) => claim.key === key)
}

/** A narrower entry that stays until the wider one is in force: it is what stops the traffic until then. */
function standInState(key: Key, outer: Key, verdict: Verdict): Rest {
  const found = verdict.observation.found.get(key)
  if (found !== undefined && !countsAsInForce(found)) {
    return { outcome: 'unknown', seen: 'present', verified: false, note: 'not in force yet' }
  }
  const note = `by its own entry, until ${outer} is in force`
  return { outcome: 'applied', seen: 'present', verified: true, note }
}

function changeState(decision: Extract<Decision, { kind: 'change' }>, verdict: Verdict): Rest {
  const result = verdict.results.get(decision.key)
  const seen = decision.change.kind === 'apply' ? 'absent' : 'present'
  const rest = { seen, verified: false } as const
  switch (result?.kind) {
    case undefined:
      return { ...rest, outcome: 'unknown', note: 'not sent' }
    case 'held':
      return { ...rest, outcome: 'unknown', note: result.why }
    case 'unsupported':
      return { ...rest, outcome: 'unsupported', note: result.reason }
    case 'stopped':
      return { ...rest, outcome: 'refused', error: result.stop }
    case 'refused': {
      const { code, message } = result
      const outcome = code === 'not_shown' || code === 'not_confirmed' ? 'failed' : 'refused'
      return { ...rest, outcome, error: { code, message, remedy: agentErrorCodes[code] } }
    }
    case 'sent':
      return verdict.expired.has(decision.key)
        ? {
            ...rest,
            outcome: 'failed',
            error: notShown('it took the lines, but does not show their effect'),
          }
        : { ...rest, outcome: 'unknown', note: 'not shown yet' }
  }
}

function failed(seen: Rest['seen'], error: NonNullable<Rest['error']>): Rest {
  return { outcome: 'failed', seen, verified: false, error }
}

function notShown(
  message: string,
  remedy: string = agentErrorCodes.not_shown,
): NonNullable<Rest['error']> {
  return { code: 'not_shown', message, remedy }
}

/** Claims that change by what was read; null = goes. */
export function claimsAfter(verdict: Verdict): ReadonlyMap<Key, Omit<Claim, 'step'> | null> {
  const after = new Map<Key, Omit<Claim, 'step'> | null>()
  const old = new Map(verdict.desired.claims.map((claim) => [claim.key, claim]))
  for (const decision of verdict.decisions) {
    const before = old.get(decision.key)
    const written = verdict.written.get(decision.key)
    const claim = written ?? before
    if (claim === undefined) continue
    const next = claimAfter(decision, claim, verdict)
    if (next === 'untouched' && written !== undefined) {
      after.set(decision.key, before === undefined ? null : withoutStep(before))
    } else if (next !== 'untouched' && next !== 'same') after.set(decision.key, next)
  }
  return after
}

function claimAfter(
  decision: Decision,
  claim: Omit<Claim, 'step'>,
  verdict: Verdict,
): Omit<Claim, 'step'> | null | 'same' | 'untouched' {
  if (decision.kind !== 'change' && openState(decision.key, verdict) !== undefined) return 'same'
  switch (decision.kind) {
    case 'settled':
    case 'lifted':
      return shownClaim(decision, claim, verdict.saves)
    case 'change':
      return isUntouched(verdict, decision) ? 'untouched' : 'same'
    case 'waiting':
      return isLeaving(claim, verdict) && goesOnWithoutUs(claim, verdict)
        ? liftedClaim(claim, verdict.saves)
        : 'same'
    case 'refused':
      return 'same'
  }
}

function shownClaim(
  decision: Shown,
  claim: Omit<Claim, 'step'>,
  saves: boolean,
): Omit<Claim, 'step'> | null | 'same' {
  // Where something else stands in its place, there is nothing of ours that a reboot could bring back.
  if (decision.kind === 'lifted') return liftedClaim(claim, saves && decision.seen === 'absent')
  if (decision.seen === 'foreign') return 'same'
  const isHeld = claim.phase === 'held' && claim.replaces === undefined
  return isHeld ? 'same' : heldClaim(claim, decision)
}

function liftedClaim(claim: Omit<Claim, 'step'>, saves: boolean): Omit<Claim, 'step'> | null {
  return saves ? { ...withoutStep(claim), phase: 'lifted' } : null
}

function heldClaim(claim: Omit<Claim, 'step'>, decision: Decision): Omit<Claim, 'step'> {
  const { key, before, wrote, earlier } = claim
  const intent = decision.intent
  const forms = earlier === undefined ? {} : { earlier }
  return { key, intent, before, wrote, phase: 'held', ...forms, ...stoodOf(claim) }
}

/** The device refused and shows what it showed before: the claim is as if nothing had been tried. */
function isUntouched(verdict: Verdict, decision: Extract<Decision, { kind: 'change' }>): boolean {
  if (verdict.results.get(decision.key)?.kind !== 'refused') return false
  const found = verdict.observation.found.get(decision.key)
  const old = verdict.desired.claims.find((claim) => claim.key === decision.key)
  const expected = old?.phase === 'held' ? old.wrote : decision.before
  return found !== undefined && sameObject(found.object, expected)
}

function withoutStep(claim: Omit<Claim, 'step'> & { readonly step?: number }): Omit<Claim, 'step'> {
  const { step: _step, ...rest } = claim
  return rest
}

/** Held objects that are not there any more as we wrote them. */
export function driftedKeys(desired: Desired, observation: Observation): readonly Key[] {
  return desired.claims
    .filter((claim) => claim.phase === 'held')
    .filter((claim) => {
      const found = observation.found.get(claim.key)
      // What the account may not see did not go.
      if (found === undefined || found.stop?.code === 'no_privilege') return false
      return !sameObject(found.object, claim.wrote)
    })
    .map((claim) => claim.key)
}

/** An object of ours that nobody claims. */
export type Orphan = VerifiedStep['orphans'][number]

/** Objects with our mark on which there is no claim, and what was lifted and stands there again: `back`, or where that isn't looked for now as it was seen last. */
export function orphansOf(
  desired: Desired,
  observation: Observation,
  back: readonly Pick<Found, 'key' | 'object' | 'element'>[] = seenBack(desired),
): readonly Orphan[] {
  const claimed = new Set(desired.claims.map((claim) => claim.key))
  const shared = new Set(
    desired.claims.flatMap((claim) => observation.found.get(claim.key)?.element ?? []),
  )
  const asked = [...observation.found.values()].filter((found) => found.mark === 'ours')
  const orphans = new Map<Key, Orphan>()
  for (const { key, object, element } of [...back, ...observation.marked, ...asked]) {
    if (object.length === 0 || claimed.has(key)) continue
    if (element === undefined || !shared.has(element)) orphans.set(key, { key, object })
  }
  return [...orphans.values()]
}

function seenBack({ lifted = [] }: Desired): readonly Orphan[] {
  return lifted.filter(({ back }) => back).map(({ key, wrote }) => ({ key, object: wrote }))
}
