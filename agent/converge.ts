// One convergence of one device: observe → decide → render → write down → send → read back → decide again. Level-triggered: it begins at what the
// device shows, wherever an earlier one ended. The decision is diff.ts, the sending converge-line.ts and converge-candidate.ts.

import { applyCandidate, withClaims } from './converge-candidate.ts'
import { beforeAnother, type Resumed, resumePending } from './converge-confirm.ts'
import { reportLifted } from './converge-lifted.ts'
import { applyLines } from './converge-line.ts'
import { keysUnderWay } from './converge-pending.ts'
import { noteSeenNow } from './converge-save.ts'
import { claimsAfter, driftedKeys, orphansOf, statesOf, type Waiting } from './converge-states.ts'
import { expiredOf } from './converge-waits.ts'
import {
  type Applied,
  backToRest,
  type Observed,
  observe,
  type Planned,
  pause,
  planChanges,
  type Result,
  type Work,
} from './converge-work.ts'
import { type Decision, type Desired, decide, intentsToRead } from './diff.ts'
import type { Key } from './intents.ts'
import { keyOf } from './intents.ts'
import type { KeyState } from './journal.ts'
import { type Facts, type Line, type Observation, type Stop, timerOf } from './platform.ts'
import type { Session } from './session.ts'

/** First pause between two reads of what is not in force yet, in ms. The first few are alike and short, since most of what is waited for comes within some 20 ms (FRR's own queue takes 10), and what came just after a read is seen a pause late; then each is twice the one before. */
const pauseMsMin = 2
/** The longest pause, in ms. */
const pauseMsMax = 1_000
const pausesAlike = 8

/** What a convergence came to. */
export interface Converged {
  readonly states: readonly KeyState[]
  /** Changes of ours are in the running configuration only. */
  readonly unsaved: boolean
  readonly facts: Facts
  /** To be looked at again after so many ms: a window of somebody else's making is open. */
  readonly lookAgainMs?: number
}

/** Brings the device to the desired state as far as it lets itself be brought, and records what it showed. Throws AgentError where nothing can be said. */
export async function converge(work: Work): Promise<Converged> {
  const warm = work.connected()
  let desired = work.journal.desired()
  work.began(desired)
  const session = await work.session()
  if (!warm) {
    // Anew: to open a session may have taken long.
    desired = work.journal.desired()
    work.began(desired)
  }
  const resumed: Resumed =
    timerOf(work.platform, work.device) === undefined
      ? { results: new Map() }
      : await resumePending(work, session, desired)
  const first = await firstLook(work, session, desired)
  const decisions = withoutOurs(work, decide(desired, first.observation), first.observation)
  const drifted = driftedKeys(desired, first.observation)
  const { planned, results } = resumed.open
    ? {
        planned: [],
        results: stoppedBy(resumed.open, resumed.results, { desired, first, decisions }),
      }
    : planChanges(work, decisions, first.observation, desired.claims)
  const kept = new Set([...results].filter(([, { kind }]) => kind === 'held').map(([key]) => key))
  const { lookAgainMs } = resumed
  const start: Start = { desired, first, drifted, kept, lookAgainMs }
  if (planned.length === 0) {
    await backToRest(work, session)
    return finish(work, session, { ...start, planned, applied: nothingSent(results) })
  }
  if (drifted.length > 0) await reportDrift(work, start, decisions)
  const applied = await apply(work, session, start, planned).catch(async (error: unknown) => {
    // Nobody shall find the device's configuration mode held by us, least of all our own next look.
    await backToRest(work, session).catch(() => undefined)
    throw error
  })
  const all = new Map([...results, ...applied.results])
  return finish(work, session, {
    ...start,
    drifted: [],
    planned,
    applied: { ...applied, results: all },
  })
}

/** What was learnt may be ours on another device, whose claim is durable before its line is sent: then it is nothing that stood before us, and goes when that is lifted. */
function withoutOurs(
  { journal }: Work,
  decisions: readonly Decision[],
  { found }: Observation,
): readonly Decision[] {
  return decisions.map((decision) => {
    if (decision.kind !== 'change' || decision.stood !== true) return decision
    const isOurs = found.get(decision.key)?.learnt === true && journal.elsewhere(decision.key)
    if (!isOurs) return decision
    const { stood: _stood, ...rest } = decision
    return rest
  })
}

interface Start {
  readonly desired: Desired
  readonly first: Observed
  readonly drifted: readonly Key[]
  /** Entries that stay until a wider one is in force. */
  readonly kept: ReadonlySet<Key>
  /** As in `Resumed`. */
  readonly lookAgainMs: number | undefined
}

interface Sent extends Start {
  readonly planned: readonly Planned[]
  readonly applied: Applied
}

function pendingStop(whose: 'ours' | 'foreign'): Stop {
  const remedy = 'wait for it, or ask its owner; it is tried again by itself'
  const message = `a commit of ${whose === 'ours' ? 'ours' : 'somebody else'} waits for its confirmation; a change of ours would confirm it`
  return { code: 'timer_pending', message, remedy }
}

/** Nothing may be sent while a commit waits, and nothing be said that it may take back. */
function stoppedBy(
  open: NonNullable<Resumed['open']>,
  results: Resumed['results'],
  look: {
    readonly desired: Desired
    readonly first: Observed
    readonly decisions: readonly Decision[]
  },
): Map<Key, Result> {
  // A narrower entry that waits for a wider one is in force by itself: whether it stays is said like that of any other.
  const stopped = look.decisions
    .filter((one) => one.kind === 'change' && one.after === undefined)
    .map(({ key }): [Key, Result] => [key, { kind: 'stopped', stop: pendingStop(open) }])
  if (open === 'ours') return new Map([...stopped, ...results])
  const underWay = [...keysUnderWay(look.desired, look.first.observation)]
  return new Map([...underWay.map((key): [Key, Result] => [key, beforeAnother]), ...stopped])
}

function nothingSent(results: ReadonlyMap<Key, Result>): Applied {
  return { step: undefined, results, session: 'own' }
}

/** The reads; where a change is likely the way into the configuration goes in the same write. */
async function firstLook(work: Work, session: Session, desired: Desired): Promise<Observed> {
  const { transaction } = work.platform
  const enters =
    transaction.kind === 'line' &&
    !work.journal.frozen() &&
    changeIsLikely(desired) &&
    !readsMayFollow(work, desired)
  const behind: readonly Line[] = enters ? transaction.enter : []
  try {
    const observed = await observe(work, session, intentsToRead(desired), behind)
    if (observed.behind.some((answer) => answer.refusal !== undefined)) {
      await backToRest(work, session)
    }
    return observed
  } catch (error) {
    // What can't be understood must not leave the session in the configuration.
    await backToRest(work, session).catch(() => undefined)
    throw error
  }
}

/** What others are to send here is learnt, with next hops that are asked for in a second round: from rest. */
function readsMayFollow({ platform }: Work, { expected, fading }: Desired): boolean {
  return platform.follow !== undefined && expected.length + fading.length > 0
}

function changeIsLikely(desired: Desired): boolean {
  const claims = new Map(desired.claims.map((claim) => [claim.key, claim]))
  const wanted = new Set(desired.wanted.map(keyOf))
  const missing = desired.wanted.some((intent) => claims.get(keyOf(intent))?.phase !== 'held')
  const extra = desired.claims.some((claim) => !wanted.has(claim.key) && claim.phase !== 'lifted')
  return missing || extra
}

async function apply(
  work: Work,
  session: Session,
  start: Start,
  planned: readonly Planned[],
): Promise<Applied> {
  const before = start.first.readback
  return work.platform.transaction.kind === 'line'
    ? applyLines(work, session, planned, before)
    : applyCandidate(work, session, { planned, desired: start.desired, before })
}

async function reportDrift(
  work: Work,
  { desired, first, drifted }: Start,
  decisions: readonly Decision[],
): Promise<void> {
  const { observation } = first
  const nothing = { results: new Map(), written: new Map(), expired: new Set<Key>() }
  await work.journal.verified({
    states: statesOf({ desired, observation, decisions, ...nothing, saves: false }),
    claims: new Map(),
    readback: first.readback,
    session: 'own',
    orphans: orphansOf(desired, observation),
    drifted,
    unsaved: work.unsaved,
  })
}

/** Reads until everything shows or its time is over, and records the result. */
async function finish(work: Work, session: Session, sent: Sent): Promise<Converged> {
  const written = sent.planned.filter((one) => {
    const kind = sent.applied.results.get(one.key)?.kind
    return kind === 'sent' || kind === 'refused' || kind === 'held'
  })
  const desired = { ...sent.desired, claims: withClaims(sent.desired.claims, written) }
  const reading = await readUntilShown(work, session, { ...sent, desired })
  // Whoever saves, a lift that isn't saved comes back with a reboot: the device's policy changes nothing about that.
  const saves = work.platform.save !== undefined
  const verdict = {
    desired,
    observation: reading.observed.observation,
    decisions: reading.decisions,
    results: sent.applied.results,
    written: new Map(written.map((one) => [one.key, one.claim])),
    expired: reading.expired,
    awaited: reading.awaited,
    saves,
  }
  const states = statesOf(verdict)
  const claims = claimsAfter({ ...verdict, desired: sent.desired })
  const changed = sent.applied.step !== undefined || landedBefore(sent.desired.claims, claims)
  const unsaved = work.platform.save !== undefined && (work.unsaved || changed)
  const { step } = sent.applied
  // What stayed until a wider entry was in force can go now: by itself, and at once.
  const isFree = reading.decisions.some(
    (one) => one.kind === 'change' && one.after === undefined && sent.kept.has(one.key),
  )
  const lookAgainMs = isFree ? 0 : (sent.applied.lookAgainMs ?? sent.lookAgainMs)
  await work.journal.verified({
    ...(step === undefined ? {} : { step }),
    states,
    claims,
    readback: reading.observed.readback,
    session: step === undefined ? 'own' : sent.applied.session,
    orphans: orphansOf(desired, reading.observed.observation),
    drifted: sent.drifted,
    unsaved,
  })
  noteSeenNow(work, session)
  // Only now: whoever waits for what was sent must not wait for this.
  await reportLifted(work, session, { desired, observation: reading.observed.observation })
  return {
    states,
    unsaved,
    facts: reading.observed.observation.facts,
    ...(lookAgainMs === undefined ? {} : { lookAgainMs }),
  }
}

/** Whether the device shows what a step of ours did whose end nobody saw (a crash, a lost session): that is not saved either. */
function landedBefore(
  before: Desired['claims'],
  after: ReadonlyMap<Key, Pick<Desired['claims'][number], 'phase'> | null>,
): boolean {
  const pending = new Set(before.filter(({ phase }) => phase === 'pending').map(({ key }) => key))
  return [...after].some(
    ([key, claim]) => claim?.phase === 'lifted' || (claim?.phase === 'held' && pending.has(key)),
  )
}

interface Look {
  readonly observed: Observed
  readonly decisions: readonly Decision[]
}

interface Reading extends Look {
  readonly expired: ReadonlySet<Key>
  readonly awaited: Waiting
}

async function readUntilShown(work: Work, session: Session, sent: Sent): Promise<Reading> {
  const { desired, applied } = sent
  const intents = intentsToRead(desired)
  // What was sent just now has all its time before it.
  for (const [key, { kind }] of applied.results) if (kind === 'sent') work.waits.delete(key)
  let look = readBackBefore(sent)
  for (let pauses = 0; ; pauses++) {
    look ??= lookOf(desired, await observe(work, session, intents))
    const open = look.decisions.filter((one) => isOpen(one, applied.results))
    const { expired, awaited } = expiredOf(work, open, desired)
    const done = open.length === expired.size || work.interrupted() || work.stopping()
    if (done) return { ...look, expired, awaited }
    // What was sent is written down now: it may be long until there is more to say of it.
    await Promise.all([pause(work, pauseAfter(pauses)), work.journal.flush()])
    look = undefined
  }
}

function lookOf(desired: Desired, observed: Observed): Look {
  return { observed, decisions: decide(desired, observed.observation) }
}

/** Without a change the first look is the read-back. Not where it lacks what nobody wants and nothing of ours took away: an answer that was cut short lacks it too, and a claim goes for good. */
function readBackBefore({ desired, first, applied }: Sent): Look | undefined {
  if (applied.step !== undefined) return undefined
  const held = new Set(desired.claims.filter(({ phase }) => phase === 'held').map(({ key }) => key))
  const look = lookOf(desired, first)
  const isGoneUnasked = look.decisions.some(({ kind, key }) => kind === 'lifted' && held.has(key))
  return isGoneUnasked ? undefined : look
}

function pauseAfter(pauses: number): number {
  const doubled = Math.max(0, pauses - pausesAlike + 1)
  return Math.min(pauseMsMin * 2 ** doubled, pauseMsMax)
}

/** Whether another read may still change what is said of a key. */
function isOpen(decision: Decision, results: ReadonlyMap<Key, Result>): boolean {
  if (decision.kind === 'waiting') return true
  return decision.kind === 'change' && results.get(decision.key)?.kind === 'sent'
}
