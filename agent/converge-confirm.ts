// The second half of a confirmed commit: on another session, is it ours that is pending, does the device show it, and is the window closed by us?
// Also what becomes of a commit of ours that was found pending after a crash.

import { createHash } from 'node:crypto'
import { recorded } from './converge-line.ts'
import {
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
import type { DoneStep } from './journal.ts'
import type { Answer, CandidateTransaction, Line } from './platform.ts'
import type { Session } from './session.ts'

/** A line that the device said no to, and its words. */
export type Refused = NonNullable<DoneStep['refused']>

/** What a commit of ours is known by, 8 hex: made of the claims that are under way, so that it is known again after a crash. */
export function tokenOf(claims: readonly Omit<Claim, 'step'>[]): string {
  const open = claims
    .filter((claim) => claim.phase === 'pending' || claim.phase === 'lifting')
    .map((claim) => JSON.stringify([claim.key, claim.phase, claim.before, claim.wrote]))
    .sort()
  return createHash('sha256').update(open.join('\n')).digest('hex').slice(0, 8)
}

/** The transaction of a platform with a candidate. */
export function candidateOf(work: Work): CandidateTransaction {
  const { transaction } = work.platform
  if (transaction.kind !== 'candidate') throw new TypeError('not a platform of candidates')
  return transaction
}

/** The first no among answers. */
export function refusedOf(answers: readonly Answer[]): Refused | undefined {
  const no = answers.find((answer) => answer.refusal !== undefined)
  return no?.refusal === undefined ? undefined : { line: no.line.text, message: no.refusal.message }
}

/** What came of confirming a commit. */
export interface Confirmed {
  readonly results: ReadonlyMap<Key, Result>
  readonly lookAgainMs?: number
}

/** A commit of ours that waits to be confirmed. */
export interface Committed {
  readonly batch: readonly Planned[]
  readonly token: string
  readonly desired: Desired
  readonly step: number
}

/** On a second session: is it ours that is pending, does the device show it, and is the window closed by us? */
export async function confirmBatch(work: Work, committed: Committed): Promise<Confirmed> {
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
