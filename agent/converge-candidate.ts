// Sending a change into a candidate: load, the device's own difference and check, a commit that takes itself back, and its confirmation
// from a second session once that has read everything back. Nothing is in force before the commit, nothing stays without the confirmation.

import { refusedOf } from './converge-committed.ts'
import { commandsOf, confirmBatch } from './converge-confirm.ts'
import { heldBy, recorded } from './converge-line.ts'
import { type BatchRefusal, loadCandidate, newToken } from './converge-load.ts'
import { partsOf } from './converge-parts.ts'
import { candidateOf, isWaiting, lookInside, timerIn } from './converge-pending.ts'
import {
  type Applied,
  backToRest,
  type Planned,
  type Result,
  type Work,
  withSharers,
} from './converge-work.ts'
import type { Claim, Desired } from './diff.ts'
import type { Key } from './intents.ts'
import type { Evidence } from './journal.ts'
import type { Session } from './session.ts'

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
  const batches = [...partsOf(planned, work.journal.serves(planned))]
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
    // Written down: a crash or a refusal in between must not make it another's.
    const token = newToken()
    const commit = await commitBatch(work, session, { batch, token, before })
    step = commit.step
    if (commit.refusal !== undefined) {
      batches.unshift(...withoutRefused(batch, commit.refusal, results))
      continue
    }
    const end = await confirmBatch(work, { batch, token, desired: current })
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

/** What is to be tried again: the batch without what was refused, or its halves where the device doesn't say which it was. */
function withoutRefused(
  batch: readonly Planned[],
  refusal: BatchRefusal,
  results: Map<Key, Result>,
): readonly (readonly Planned[])[] {
  const code = refusal.all ?? 'line_refused'
  const refuse = (keys: readonly Key[]): void => {
    for (const key of keys) results.set(key, { kind: 'refused', code, message: refusal.message })
  }
  const all = batch.map((one) => one.key)
  if (refusal.all !== undefined || batch.length === 1) {
    refuse(all)
    return []
  }
  if (refusal.keys.length > 0) {
    const keys = withSharers(batch, refusal.keys)
    refuse(keys)
    const rest = batch.filter((one) => !keys.includes(one.key))
    return rest.length === 0 ? [] : [rest]
  }
  const half = Math.ceil(batch.length / 2)
  return [batch.slice(0, half), batch.slice(half)]
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
  const timer = timerIn(work)
  const lines = [
    ...batch.flatMap((one) => one.rendering.apply),
    ...(tx.check === undefined ? [] : [tx.check]),
    timer.commit(token),
  ]
  const { step, value } = await recorded(
    work,
    session,
    {
      purpose: 'change',
      commands: [...commandsOf(tx, token, lines), ...commandsOf(tx, token, timer.confirm)],
      claims: batch.map((one) => one.claim),
      token,
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
  const timer = timerIn(work)
  const loaded = await loadCandidate(work, session, { batch, token })
  if (loaded.refusal !== undefined) return loaded.refusal
  if (loaded.pending?.kind === 'pending') {
    // Begun since the first look: our own check would confirm it.
    await backToRest(work, session)
    const message = 'a commit of somebody else waits for its confirmation'
    return { line: timer.lookInside.text, message, keys: [], all: 'locked' }
  }
  for (const line of [tx.check, timer.commit(token)]) {
    if (line === undefined) continue
    const no = refusedOf(await session.run([line], work.signal))
    if (no === undefined) continue
    // Whatever was answered to a commit, or was not: it is there if the device says that it waits. Left alone it would show for as long
    // as its window is open, and then be gone.
    if (line !== tx.check && isWaiting(await lookInside(work, session), token)) break
    await backToRest(work, session)
    return { ...no, keys: [] }
  }
  await session.run(tx.leave, work.signal)
  await backToRest(work, session)
  return undefined
}
