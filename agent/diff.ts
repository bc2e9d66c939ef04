// Wanted + claims + observed → what to change, and what stands already. Ownership is decided here and nowhere else.
// The same function judges the read-back: a convergence is right when nothing is left to change.

import { elementsIn, maximalIntents } from './elements.ts'
import { type Intent, type Key, keyOf, type Outcome, sameIntent } from './intents.ts'
import type { Change, Found, Observation } from './platform.ts'
import { doubtOf, foreignStop, isReadable, mayStay, orphanIn, type Refused } from './refusals.ts'

/** That an object on a device is ours: written before the first change. Stored: add fields, never rename or reuse. */
export interface Claim {
  readonly key: Key
  readonly intent: Intent
  /** The object as it was before we touched it, in the platform's normal form; [] = absent. Rewritten only while `pending`. */
  readonly before: readonly string[]
  /** The object as we write it, in normal form. */
  readonly wrote: readonly string[]
  /** While a change of attributes is under way: the object of ours that it replaces. */
  readonly replaces?: readonly string[]
  /** Forms that we gave it since the last save, oldest first: a restart brings back what was saved, and it is ours all the same. */
  readonly earlier?: readonly (readonly string[])[]
  /** Something that is not ours, and has no object here, had the effect already when we came, in whole or in part: it may go on when ours has gone. */
  readonly stood?: true
  /** `lifted`: the removal was read back but not saved, so a reboot would bring it back, and it must still be known as ours. */
  readonly phase: 'pending' | 'held' | 'lifting' | 'lifted'
  /** Converge step of the device in which it was last written. */
  readonly step: number
}

/** An object of ours that was lifted and saved, by the device's word: there is no claim on it any more. */
export interface Lifted {
  readonly key: Key
  readonly intent: Intent
  readonly wrote: readonly string[]
}

/** What one device should have, as the union over all enforcements in force. */
export interface Desired {
  /** One for each key. */
  readonly wanted: readonly Intent[]
  /** Effects to wait for without sending anything. */
  readonly expected: readonly Intent[]
  /** Expectations of enforcements that are being released: waited for until the effect is gone. */
  readonly fading: readonly Intent[]
  /** Released, with nothing of ours known there: only looked at, to say whether somebody else's object stands in its place. */
  readonly looked?: readonly Intent[]
  readonly claims: readonly Claim[]
  /** Looked for apart from all else, and nothing is decided by it: a save that a device said it had done, and had not, lets its next start bring them back. `back`: known to be an orphan. */
  readonly lifted?: readonly (Lifted & { readonly back: boolean })[]
  /** No device is changed: only read. */
  readonly frozen: boolean
  /** The last commit with a timer: what it is known by on the device, and whose changes it holds. */
  readonly commit?: { readonly token: string; readonly keys: readonly Key[] }
}

/** What is to be done, or not, about one key. */
export type Decision = {
  readonly key: Key
  readonly intent: Intent
} & (
  | {
      readonly kind: 'change'
      readonly change: Change
      readonly before: readonly string[]
      /** Of an apply: as in the claim. */
      readonly stood?: true
      /** Of a lift: the wider entry that is to stand in its place. Until that is in force this one must not be missing. */
      readonly after?: Key
    }
  /** As wanted. `foreign`: by someone else's object, on which we have no claim. */
  | {
      readonly kind: 'settled'
      readonly outcome: Outcome
      readonly seen: 'present' | 'foreign'
      readonly note?: string
    }
  /** There, but not in force yet: to be read again. Of what is lifted: gone from the configuration, and in force still. */
  | { readonly kind: 'waiting'; readonly seen: 'present' | 'absent' | 'foreign' }
  /** Not wanted, and nothing of ours is there: the claim may go. `foreign`: someone changed it since, so that it is his; `present`: it stays for another key. */
  | {
      readonly kind: 'lifted'
      readonly seen: 'absent' | 'foreign' | 'present'
      readonly note?: string
    }
  /** Nothing may be sent. */
  | {
      readonly kind: 'refused'
      readonly seen: 'absent' | 'foreign' | 'unknown'
      readonly stop: Refused
    }
)

/** All intents that a round of reads must answer for. */
export function intentsToRead(desired: Desired): readonly Intent[] {
  const byKey = new Map<Key, Intent>()
  for (const claim of desired.claims) byKey.set(claim.key, claim.intent)
  const { looked = [], fading, expected, wanted } = desired
  for (const intent of [...looked, ...fading, ...expected, ...wanted]) {
    byKey.set(keyOf(intent), intent)
  }
  return [...byKey.values()]
}

/** One decision for each key that is wanted, expected or claimed. Pure: the same for the read before and the read-back. */
export function decide(desired: Desired, observation: Observation): readonly Decision[] {
  const claims = new Map(desired.claims.map((claim) => [claim.key, claim]))
  const decisions = decideElements(desired, (intent) => {
    const found = foundFor(observation, intent)
    const claim = claims.get(keyOf(intent))
    const holder = claim === undefined ? otherHolder(desired, observation, intent) : undefined
    return holder === undefined
      ? decideWanted(intent, found, claim, orphanIn(found, claims))
      : decideShared(intent, found, holder)
  })
  decideClaims(desired, observation, decisions)
  const read = (
    intents: readonly Intent[],
    decideOne: (intent: Intent, found: Found) => Decision,
  ) => {
    for (const intent of intents) {
      if (decisions.has(keyOf(intent))) continue
      decisions.set(keyOf(intent), decideOne(intent, foundFor(observation, intent)))
    }
  }
  read(desired.expected, decideExpected)
  read(desired.fading, decideFading)
  read(desired.looked ?? [], decideLooked)
  return [...decisions.values()]
}

/** What becomes of claims that no wanted element stands for. */
function decideClaims(
  desired: Desired,
  observation: Observation,
  decisions: Map<Key, Decision>,
): void {
  const elements = [...decisions.values()].map(({ intent }) => intent)
  const decided = new Set(decisions.keys())
  const elementOf = elementsIn(standingOf(desired.wanted, decisions.values()))
  const wanted = new Set(desired.wanted.map(keyOf))
  const asked = new Set([...wanted, ...desired.expected.map(keyOf)])
  for (const claim of desired.claims) {
    if (decided.has(claim.key)) continue
    const found = foundFor(observation, claim.intent)
    const outer = keyOf(elementOf(claim.intent))
    const isSettled = decisions.get(outer)?.kind === 'settled'
    // What another entry holds goes on by that one.
    const isHeldUp = asked.has(claim.key) || outer !== claim.key
    const decision =
      decideKept(claim, desired, observation, elements) ??
      (isHeldUp ? undefined : decideLeaving(claim, found)) ??
      decideUnwanted(claim, found, outer !== claim.key && isSettled)
    const isHeld = wanted.has(claim.key) && !isSettled
    decisions.set(
      claim.key,
      decision.kind === 'change' && isHeld ? { ...decision, after: outer } : decision,
    )
  }
}

/** What is wanted without what is refused: that covers nothing. */
export function standingOf(
  wanted: readonly Intent[],
  decisions: Iterable<Decision>,
): readonly Intent[] {
  const refused = new Set<Key>()
  for (const { key, kind } of decisions) if (kind === 'refused') refused.add(key)
  return wanted.filter((intent) => !refused.has(keyOf(intent)))
}

/** Decides on the maximal intents; where one is refused, those that it would have covered have to stand by themselves. */
function decideElements(
  { wanted }: Desired,
  decideOne: (intent: Intent) => Decision,
): Map<Key, Decision> {
  const decisions = new Map<Key, Decision>()
  for (;;) {
    const standing = standingOf(wanted, decisions.values())
    const next = maximalIntents(standing).filter((intent) => !decisions.has(keyOf(intent)))
    if (next.length === 0) return decisions
    for (const intent of next) decisions.set(keyOf(intent), decideOne(intent))
  }
}

function decideWanted(
  intent: Intent,
  found: Found,
  claim: Claim | undefined,
  orphan: Refused | undefined,
): Decision {
  if (claim !== undefined && isOurs(claim, found)) return decideOwn(intent, found, claim)
  const base = { key: keyOf(intent), intent }
  if (found.effect === 'same') {
    return !countsAsInForce(found)
      ? { ...base, kind: 'waiting', seen: 'foreign' }
      : {
          ...base,
          kind: 'settled',
          outcome: 'already',
          seen: 'foreign',
          note: alreadyNote(found),
        }
  }
  const foreign = found.effect === 'other' ? foreignStop(found, claim) : orphan
  const stop = found.stop ?? foreign
  if (stop !== undefined) {
    return {
      ...base,
      kind: 'refused',
      seen: found.stop === undefined ? 'foreign' : 'unknown',
      stop,
    }
  }
  // A held object that has gone keeps what was there before we came; of a claim that never got so far, this read is the better witness.
  const before = claim?.phase === 'held' ? claim.before : found.object
  const change = { kind: 'apply', intent } as const
  return { ...base, kind: 'change', change, before, ...standing(intent, found, claim) }
}

/** Whether something else has the effect already; of a held object that has gone, whether it had when we came. */
function standing(intent: Intent, found: Found, claim: Claim | undefined): Pick<Claim, 'stood'> {
  const stood = claim?.phase === 'held' ? claim.stood === true : mayStay(intent, found)
  return stood ? { stood } : {}
}

function decideOwn(intent: Intent, found: Found, claim: Claim): Decision {
  const base = { key: keyOf(intent), intent }
  // A table that was prepared since, or an orphan that was adopted as it stood, can leave what we hold short of what is wanted.
  const isShort = found.effect === 'none' && found.stop === undefined
  if (sameObject(found.object, claim.wrote) && sameIntent(claim.intent, intent) && !isShort) {
    return !countsAsInForce(found)
      ? { ...base, kind: 'waiting', seen: 'present' }
      : { ...base, kind: 'settled', outcome: 'applied', seen: 'present' }
  }
  if (found.stop !== undefined) {
    return { ...base, kind: 'refused', seen: 'unknown', stop: found.stop }
  }
  const change = { kind: 'modify', intent, from: found.object } as const
  return { ...base, kind: 'change', change, before: claim.before }
}

/** `isCovered`: a wider entry of ours stands, by which it is in force without an object of its own. */
function decideUnwanted(claim: Claim, found: Found, isCovered: boolean): Decision {
  const base = { key: claim.key, intent: claim.intent }
  if (isOurs(claim, found) && !sameObject(found.object, claim.before)) {
    if (found.stop !== undefined)
      return { ...base, kind: 'refused', seen: 'unknown', stop: found.stop }
    const change = {
      kind: 'lift',
      intent: claim.intent,
      before: claim.before,
      wrote: found.object,
    } as const
    return { ...base, kind: 'change', change, before: claim.before }
  }
  const isUnseen = found.object.length === 0 && !isCovered
  const doubt = isUnseen ? doubtOf(claim, found) : undefined
  if (doubt !== undefined) return { ...base, kind: 'refused', seen: 'unknown', stop: doubt }
  if (found.object.length === 0 || sameObject(found.object, claim.before))
    return { ...base, kind: 'lifted', seen: 'absent' }
  return {
    ...base,
    kind: 'lifted',
    seen: 'foreign',
    note: `left alone, because someone changed it since: ${found.object.join('; ')}`,
  }
}

/** What we lift is gone with its effect, not with its line: a table is behind its configuration, and where others announce the same it is learnt until they have withdrawn it. */
function decideLeaving(claim: Claim, found: Found): Decision | undefined {
  const isUnderWay = claim.phase === 'lifting' || claim.phase === 'pending'
  if (!isUnderWay || !mayStay(claim.intent, found) || sameObject(found.object, claim.wrote))
    return undefined
  // Somebody else's effect on the same object says `same`; this one has no source that could be named.
  const isNameless = found.object.length === 0 ? found.effect === 'none' : found.noLine === true
  if (!isNameless || !isReadable(found)) return undefined
  return { key: claim.key, intent: claim.intent, kind: 'waiting', seen: 'present' }
}

/** A claim of ours, under another key, on the element that serves this intent too. */
function otherHolder(
  desired: Desired,
  observation: Observation,
  intent: Intent,
): Claim | undefined {
  const { element } = foundFor(observation, intent)
  if (element === undefined) return undefined
  return desired.claims.find((claim) => {
    const found = foundFor(observation, claim.intent)
    return found.element === element && isOurs(claim, found)
  })
}

function decideShared(intent: Intent, found: Found, holder: Claim): Decision {
  const base = { key: keyOf(intent), intent }
  if (!countsAsInForce(found)) return { ...base, kind: 'waiting', seen: 'present' }
  const note = `by the entry that nullroute holds for ${holder.key}`
  return { ...base, kind: 'settled', outcome: 'applied', seen: 'present', note }
}

/** An element that another wanted key needs stays. Its claim goes only if that key has one of its own: somebody must be left to take it away in the end. */
function decideKept(
  claim: Claim,
  desired: Desired,
  observation: Observation,
  wanted: readonly Intent[],
): Decision | undefined {
  const found = foundFor(observation, claim.intent)
  if (found.element === undefined || !isOurs(claim, found)) return undefined
  const sharers = wanted.map(keyOf).filter((key) => {
    return observation.found.get(key)?.element === found.element
  })
  const [sharer] = sharers
  if (sharer === undefined) return undefined
  const base = { key: claim.key, intent: claim.intent }
  const note = `the entry stays for ${sharer}, which is still wanted`
  if (desired.claims.some((other) => sharers.includes(other.key))) {
    return { ...base, kind: 'lifted', seen: 'present', note }
  }
  return { ...base, kind: 'settled', outcome: 'applied', seen: 'present', note }
}

function decideExpected(intent: Intent, found: Found): Decision {
  const base = { key: keyOf(intent), intent }
  return found.inForce === 'yes'
    ? { ...base, kind: 'settled', outcome: 'already', seen: 'present' }
    : { ...base, kind: 'waiting', seen: found.inForce === 'partly' ? 'present' : 'absent' }
}

function decideFading(intent: Intent, found: Found): Decision {
  const base = { key: keyOf(intent), intent }
  // What was not seen is not gone, and neither is a discard with a hole in it.
  return found.inForce === 'no'
    ? { ...base, kind: 'lifted', seen: 'absent' }
    : { ...base, kind: 'waiting', seen: 'present' }
}

function decideLooked(intent: Intent, { object }: Found): Decision {
  const base = { key: keyOf(intent), intent, kind: 'lifted' } as const
  if (object.length === 0) return { ...base, seen: 'absent' }
  const note = `not ours, and left alone: ${object.join('; ')}`
  return { ...base, seen: 'foreign', note }
}

/** Whether it is in force, as far as the device can say it: what could have been seen and was not does not count, nor does a discard of a part. */
export function countsAsInForce({ inForce, cannotTell }: Found): boolean {
  return inForce === 'yes' || (inForce === 'unknown' && cannotTell === true)
}

function isOurs(claim: Claim, found: Found): boolean {
  if (found.object.length === 0 && claim.wrote.length > 0) return false
  if (found.mark === 'none') return false
  return (
    sameObject(found.object, claim.wrote) ||
    (claim.replaces !== undefined && sameObject(found.object, claim.replaces)) ||
    (claim.earlier ?? []).some((form) => sameObject(found.object, form)) ||
    isHalfDone(claim, found)
  )
}

/** Of an object in several parts some: a step of ours ended between them, or a restart brought back what was saved between them. What stands there is of our making. Taken for somebody's it would be left, or put back, for good. */
function isHalfDone({ phase, before, wrote }: Claim, { object }: Found): boolean {
  if (phase === 'held' || sameObject(object, before)) return false
  return isPartOf(object, wrote) && !object.some((part) => before.includes(part))
}

/** Whether all that stands there is of an object in several parts. */
export function isPartOf(object: readonly string[], whole: readonly string[]): boolean {
  return object.length > 0 && object.every((part) => whole.includes(part))
}

/** Whether two objects in normal form are the same. */
export function sameObject(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, i) => line === other[i])
}

function foundFor(observation: Observation, intent: Intent): Found {
  const found = observation.found.get(keyOf(intent))
  if (found === undefined) throw new TypeError(`a platform's parse left out ${keyOf(intent)}`)
  return found
}

function alreadyNote(found: Found): string {
  return found.object.length === 0
    ? 'in force already by something that is not ours; it is left alone, also at release'
    : `there already and not ours: ${found.object.join('; ')}; it is left alone, also at release`
}
