// Sending a change into a candidate: load, the device's own difference and check, a commit that takes itself back, and its confirmation
// from a second session once that has read everything back. Nothing is in force before the commit, nothing stays without the confirmation.

import { createHash } from 'node:crypto'
import { heldBy, recorded } from './converge-line.ts'
import {
  type Applied,
  backToRest,
  observe,
  type Planned,
  pause,
  type Result,
  type Work,
} from './converge-work.ts'
import { type Claim, type Desired, decide, intentsToRead } from './diff.ts'
import { AgentError } from './errors.ts'
import type { Key } from './intents.ts'
import type { DoneStep, Evidence } from './journal.ts'
import type { Answer, CandidateTransaction, Line } from './platform.ts'
import type { Session } from './session.ts'

type Refused = NonNullable<DoneStep['refused']>

/** What a commit of ours is known by, 8 hex: made of the claims that are under way, so that it is known again after a crash. */
export function tokenOf(claims: readonly Omit<Claim, 'step'>[]): string {
  const open = claims
    .filter((claim) => claim.phase === 'pending' || claim.phase === 'lifting')
    .map((claim) => JSON.stringify([claim.key, claim.phase, claim.before, claim.wrote]))
    .sort()
  return createHash('sha256').update(open.join('\n')).digest('hex').slice(0, 8)
}

/** Commits all planned changes and confirms them, or says of each why not. A refused intent is left out and the rest tried again. */
export async function applyCandidate(
  work: Work,
  session: Session,
  {
    planned,
    desired,
    before,
  }: {
    readonly planned: readonly Planned[]
    readonly desired: Desired
    readonly before: Evidence
  },
): Promise<Applied> {
  const results = new Map<Key, Result>()
  const batches: (readonly Planned[])[] = [planned]
  let step: number | undefined
  let lookAgainMs: number | undefined
  let claims = desired.claims
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
    const why = heldBy(work)
    if (why !== undefined) {
      for (const one of batch) results.set(one.key, { kind: 'held', why })
      continue
    }
    const current: Desired = { ...desired, claims: withClaims(claims, batch) }
    const token = tokenOf(current.claims)
    const commit = await commitBatch(work, session, { batch, token, before })
    step = commit.step
    if (commit.refusal !== undefined) {
      batches.unshift(...withoutRefused(batch, commit.refusal, results))
      continue
    }
    const end = await confirmBatch(work, { batch, token, desired: current, step })
    lookAgainMs = end.lookAgainMs ?? lookAgainMs
    for (const one of batch) results.set(one.key, end.results.get(one.key) ?? sent(one))
    claims = current.claims
  }
  return {
    step,
    results,
    session: 'second',
    ...(lookAgainMs === undefined ? {} : { lookAgainMs }),
  }
}

function sent(one: Planned): Result {
  const { note } = one.rendering
  return note === undefined ? { kind: 'sent' } : { kind: 'sent', note }
}

/** The claims as they are once these changes are under way. */
export function withClaims(
  claims: readonly Claim[],
  planned: readonly Planned[],
): readonly Claim[] {
  const changed = new Map(planned.map((one) => [one.key, one.claim]))
  const rest = claims.filter((claim) => !changed.has(claim.key))
  // The journal gives the step; here it only has to be there.
  return [...rest, ...[...changed.values()].map((claim) => ({ ...claim, step: 0 }))]
}

interface BatchRefusal extends Refused {
  /** The keys that the device named, where it can be told. */
  readonly keys: readonly Key[]
  /** Nothing of this batch can go now, whatever is left out: somebody else holds the lock. */
  readonly locked: boolean
}

/** What is to be tried again: the batch without what was refused, or its halves where the device doesn't say which it was. */
function withoutRefused(
  batch: readonly Planned[],
  refusal: BatchRefusal,
  results: Map<Key, Result>,
): readonly (readonly Planned[])[] {
  const code = refusal.locked ? 'locked' : 'line_refused'
  const refuse = (keys: readonly Key[]): void => {
    for (const key of keys) results.set(key, { kind: 'refused', code, message: refusal.message })
  }
  const all = batch.map((one) => one.key)
  if (refusal.locked || batch.length === 1) {
    refuse(all)
    return []
  }
  if (refusal.keys.length > 0) {
    refuse(refusal.keys)
    const rest = batch.filter((one) => !refusal.keys.includes(one.key))
    return rest.length === 0 ? [] : [rest]
  }
  const half = Math.ceil(batch.length / 2)
  return [batch.slice(0, half), batch.slice(half)]
}

function candidateOf(work: Work): CandidateTransaction {
  const { transaction } = work.platform
  if (transaction.kind !== 'candidate') throw new TypeError('not a platform of candidates')
  return transaction
}

async function commitBatch(
  work: Work,
  session: Session,
  {
    batch,
    token,
    before,
  }: {
    readonly batch: readonly Planned[]
    readonly token: string
    readonly before: Evidence
  },
): Promise<{ readonly step: number; readonly refusal: BatchRefusal | undefined }> {
  const tx = candidateOf(work)
  const lines = [
    ...tx.enter,
    ...batch.flatMap((one) => one.rendering.apply),
    tx.check,
    tx.commit(token),
    ...tx.leave,
    ...tx.confirm,
  ]
  const { step, value } = await recorded(
    work,
    session,
    {
      purpose: 'change',
      commands: lines.map((line) => line.text),
      claims: batch.map((one) => one.claim),
      before,
    },
    async () => {
      const refusal = await loadAndCommit(work, session, batch, token)
      const refused =
        refusal === undefined ? undefined : { line: refusal.line, message: refusal.message }
      return { refused, refusal }
    },
  )
  return { step, refusal: value.refusal }
}

async function loadAndCommit(
  work: Work,
  session: Session,
  batch: readonly Planned[],
  token: string,
): Promise<BatchRefusal | undefined> {
  const tx = candidateOf(work)
  const loaded = await loadCandidate(work, session, batch)
  if (loaded.refusal !== undefined) return loaded.refusal
  for (const line of [tx.check, tx.commit(token)]) {
    const no = refusedOf(await session.run([line], work.signal))
    if (no !== undefined) {
      await backToRest(work, session)
      return { ...no, keys: [], locked: false }
    }
  }
  await session.run(tx.leave, work.signal)
  await backToRest(work, session)
  return undefined
}

/** Enters, loads and compares. On a refusal the candidate is thrown away and the session rests. */
export async function loadCandidate(
  work: Work,
  session: Session,
  batch: readonly Pick<Planned, 'key' | 'rendering'>[],
): Promise<{ readonly diff: string; readonly refusal: BatchRefusal | undefined }> {
  const tx = candidateOf(work)
  const entered = refusedOf(await session.run(tx.enter, work.signal))
  if (entered !== undefined) {
    await backToRest(work, session)
    return { diff: '', refusal: { ...entered, keys: [], locked: true } }
  }
  const lines = batch.flatMap((one) => one.rendering.apply)
  const answers = await session.run(lines, work.signal)
  const keys = refusedKeys(batch, answers)
  const no = refusedOf(answers)
  if (no !== undefined) {
    await backToRest(work, session)
    return { diff: '', refusal: { ...no, keys, locked: false } }
  }
  const [diff] = await session.run([tx.diff], work.signal)
  const text = diff?.text ?? ''
  const wrong =
    diff?.refusal ??
    tx.judge(
      text,
      batch.map((one) => one.rendering),
    )
  if (wrong === undefined) return { diff: text, refusal: undefined }
  await backToRest(work, session)
  const refusal = { line: tx.diff.text, message: wrong.message, keys: [], locked: false }
  return { diff: text, refusal }
}

function refusedOf(answers: readonly Answer[]): Refused | undefined {
  const no = answers.find((answer) => answer.refusal !== undefined)
  return no?.refusal === undefined ? undefined : { line: no.line.text, message: no.refusal.message }
}

function refusedKeys(
  batch: readonly Pick<Planned, 'key' | 'rendering'>[],
  answers: readonly Answer[],
): readonly Key[] {
  let at = 0
  return batch.flatMap((one) => {
    const got = answers.slice(at, at + one.rendering.apply.length)
    at += one.rendering.apply.length
    return got.some((answer) => answer.refusal !== undefined) ? [one.key] : []
  })
}

interface Confirmed {
  readonly results: ReadonlyMap<Key, Result>
  readonly lookAgainMs?: number
}

interface Committed {
  readonly batch: readonly Planned[]
  readonly token: string
  readonly desired: Desired
  readonly step: number
}

/** On a second session: is it ours that is pending, does the device show it, and is the window closed by us? */
async function confirmBatch(work: Work, committed: Committed): Promise<Confirmed> {
  const second = await work.another()
  try {
    const pending = await lookPending(work, second)
    if (pending.kind === 'pending' && pending.token !== committed.token) {
      return failAll(committed, "another commit is pending in place of ours: it can't be confirmed")
    }
    const wrong = await wrongKeys(work, second, committed)
    if (wrong.length > 0) return await takeBack(work, second, committed, wrong)
    // Not pending any more before we confirmed: somebody else's commit did, and may take it back again.
    if (pending.kind === 'none') {
      return { results: new Map(), lookAgainMs: candidateOf(work).windowMs }
    }
    if (await confirm(work, second)) return { results: new Map() }
    return failAll(
      committed,
      'the commit could not be confirmed; the device takes it back by itself',
    )
  } finally {
    await second.close()
  }
}

function failAll(committed: Committed, message: string): Confirmed {
  const result: Result = { kind: 'refused', code: 'not_confirmed', message }
  return { results: new Map(committed.batch.map((one) => [one.key, result])) }
}

/** What is pending on the device, as it says itself. */
export async function lookPending(
  work: Work,
  session: Session,
): Promise<ReturnType<CandidateTransaction['pending']>> {
  const tx = candidateOf(work)
  const [answer] = await session.run([tx.look], work.signal)
  if (answer === undefined || answer.refusal !== undefined) {
    throw new AgentError(
      'unknown_output',
      `the device does not say what is pending: ${answer?.text ?? ''}`,
    )
  }
  return tx.pending(answer.text)
}

async function wrongKeys(
  work: Work,
  session: Session,
  { batch, desired }: Committed,
): Promise<readonly Key[]> {
  const from = work.clock.monotonicMs()
  const keys = new Set(batch.map((one) => one.key))
  for (let wait = 5; ; wait = Math.min(wait * 2, 1_000)) {
    const { observation } = await observe(work, session, intentsToRead(desired))
    const wrong = decide(desired, observation)
      .filter((one) => keys.has(one.key) && (one.kind === 'change' || one.kind === 'refused'))
      .map((one) => one.key)
    if (wrong.length === 0) return []
    if (work.clock.monotonicMs() - from >= work.limits.ownMs) return wrong
    await pause(work, wait)
  }
}

async function confirm(work: Work, session: Session): Promise<boolean> {
  const tx = candidateOf(work)
  for (const lines of [tx.confirm, tx.confirmHarder]) {
    if (lines.length === 0) continue
    await runToRest(work, session, lines)
    if ((await lookPending(work, session)).kind === 'none') return true
  }
  return false
}

/** Runs lines whose refusal shows in what is looked at afterwards. */
async function runToRest(
  work: Work,
  session: Session,
  lines: readonly Line[],
): Promise<Refused | undefined> {
  const refused = refusedOf(await session.run(lines, work.signal))
  await backToRest(work, session)
  return refused
}

async function takeBack(
  work: Work,
  session: Session,
  committed: Committed,
  wrong: readonly Key[],
): Promise<Confirmed> {
  const why = `not shown after the commit: ${wrong.join(', ')}`
  await cancelPending(work, session, { claims: committed.batch.map((one) => one.claim), why })
  const results = committed.batch.map(({ key }): [Key, Result] => [
    key,
    wrong.includes(key)
      ? {
          kind: 'refused',
          code: 'not_shown',
          message: 'the device took the commit, but does not show its effect',
        }
      : {
          kind: 'refused',
          code: 'not_confirmed',
          message: `taken back together with what was ${why}`,
        },
  ])
  return { results: new Map(results) }
}

/** Takes a pending commit of ours back at once; where the device refuses that, its own timer does it. */
async function cancelPending(
  work: Work,
  session: Session,
  { claims, why }: { readonly claims: readonly Omit<Claim, 'step'>[]; readonly why: string },
): Promise<void> {
  const tx = candidateOf(work)
  const { step } = await recorded(
    work,
    session,
    {
      purpose: 'rollback',
      commands: tx.cancel.map((line) => line.text),
      claims,
      before: { kind: 'readback', text: why },
    },
    async () => ({ refused: await runToRest(work, session, tx.cancel) }),
  )
  await work.journal.rolledBack({
    step,
    why,
    transcript: { kind: 'transcript', text: session.transcript() },
    keys: claims.map((claim) => claim.key),
  })
}

/**
 * A commit that carries our token and is still pending: the controller ended before it was confirmed. It is confirmed if the device shows
 * what the claims say, else taken back. The answer says whether something foreign is pending, so that nothing may be changed.
 */
export async function resumePending(
  work: Work,
  session: Session,
  desired: Desired,
): Promise<'free' | 'foreign'> {
  const pending = await lookPending(work, session)
  if (pending.kind === 'none') return 'free'
  const under = desired.claims.filter((c) => c.phase === 'pending' || c.phase === 'lifting')
  if (under.length === 0 || pending.token !== tokenOf(desired.claims)) return 'foreign'
  const { observation } = await observe(work, session, intentsToRead(desired))
  const keys = new Set(under.map((claim) => claim.key))
  const wrong = decide(desired, observation).filter(
    (one) => keys.has(one.key) && (one.kind === 'change' || one.kind === 'refused'),
  )
  if (wrong.length === 0) {
    const { value } = await recorded(
      work,
      session,
      {
        purpose: 'change',
        commands: candidateOf(work).confirm.map((line) => line.text),
        claims: under.map(({ step: _step, ...claim }) => claim),
        before: { kind: 'readback', text: `pending with our token ${pending.token}` },
      },
      async () => ({ refused: undefined, confirmed: await confirm(work, session) }),
    )
    return value.confirmed ? 'free' : 'foreign'
  }
  await cancelPending(work, session, {
    claims: under.map(({ step: _step, ...claim }) => claim),
    why: 'found pending after a restart, and not as it should be',
  })
  return 'free'
}
