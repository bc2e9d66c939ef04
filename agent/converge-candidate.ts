// Sending a change into a candidate: load, the device's own difference and check, and a commit that a second session reads back. Nothing is in force
// before the commit; with a timer nothing stays without being confirmed, without one what is not seen is taken back (converge-for-good.ts).

import type { CommitEnd, Committed } from './converge-committed.ts'
import { confirmBatch } from './converge-confirm.ts'
import { isThere, readBackBatch } from './converge-for-good.ts'
import { heldBy, notEntered, recorded } from './converge-line.ts'
import {
  type BatchRefusal,
  changesNothing,
  commandsOf,
  commitLoaded,
  committing,
  leave,
  loadCandidate,
  newToken,
} from './converge-load.ts'
import { partsOf, unitsOf } from './converge-parts.ts'
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
import { timerOf } from './platform.ts'
import type { Session } from './session.ts'

/** Commits all planned changes and reads them back, or says of each why not. A refused intent is left out and the rest tried again. */
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
  const again = onceMore(work)
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
    const committed: Committed = { batch, token: newToken(), desired: current }
    const commit = await commitBatch(work, session, committed, before)
    step = commit.step
    if (commit.refusal !== undefined) {
      const { refusal } = commit
      batches.unshift(...(again(batch, refusal) ?? withoutRefused(batch, refusal, results)))
      continue
    }
    const end = await readBack(work, committed)
    step = end.step ?? step
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

/** On a second session: with a timer what is right is confirmed, for good what is wrong is taken back. */
function readBack(work: Work, committed: Committed): Promise<CommitEnd> {
  return timerOf(work.platform, work.device) === undefined
    ? readBackBatch(work, committed)
    : confirmBatch(work, committed)
}

/** One more try where somebody may have committed since the candidate was entered: a copy from before shows his change as one of ours, the next one doesn't. */
function onceMore(
  work: Work,
): (batch: readonly Planned[], refusal: BatchRefusal) => [readonly Planned[]] | undefined {
  let isLeft = timerOf(work.platform, work.device) === undefined
  return (batch, { difference }) => {
    if (!isLeft || difference === undefined) return undefined
    isLeft = false
    return [batch]
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
  const units = unitsOf(batch)
  if (refusal.all !== undefined || units.length === 1) {
    refuse(all)
    return []
  }
  if (refusal.keys.length > 0) {
    const keys = withSharers(batch, refusal.keys)
    refuse(keys)
    const rest = batch.filter((one) => !keys.includes(one.key))
    return rest.length === 0 ? [] : [rest]
  }
  const half = Math.ceil(units.length / 2)
  return [units.slice(0, half).flat(), units.slice(half).flat()]
}

async function commitBatch(
  work: Work,
  session: Session,
  committed: Committed,
  before: Evidence,
): Promise<{ readonly step: number; readonly refusal: BatchRefusal | undefined }> {
  const { batch, token } = committed
  const tx = candidateOf(work)
  const timer = timerOf(work.platform, work.device)
  const lines = [...batch.flatMap((one) => one.rendering.apply), ...committing(work, token)]
  const { step, value } = await recorded(
    work,
    session,
    {
      purpose: 'change',
      commands: [
        ...commandsOf(tx, token, lines),
        ...(timer === undefined ? [] : commandsOf(tx, token, timer.confirm)),
      ],
      claims: batch.map((one) => one.claim),
      ...(timer === undefined ? {} : { token }),
      before,
    },
    async () => {
      const refusal = await loadAndCommit(work, session, committed)
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
  committed: Committed,
): Promise<BatchRefusal | undefined> {
  const loaded = await loadCandidate(work, session, committed)
  if (loaded.refusal !== undefined)
    return isThereAlready(work, loaded.refusal) ? undefined : loaded.refusal
  if (loaded.pending?.kind === 'pending') {
    // Begun since the first look: our own check would confirm it.
    await backToRest(work, session)
    const message = 'a commit of somebody else waits for its confirmation'
    return { line: timerIn(work).lookInside.text, message, keys: [], all: 'locked' }
  }
  const no = await commitLoaded(work, session, committed.token)
  if (no === undefined) return undefined
  if (no.isCommit && (await stands(work, session, committed))) {
    await leave(work, session)
    return undefined
  }
  await backToRest(work, session)
  const { code, ...refused } = notEntered(no.answer)
  return { ...refused, keys: [], ...(code === 'locked' ? { all: code } : {}) }
}

/** Without a timer an earlier commit of ours may stand there that no read has shown: then it is this one that is read back, and taken back. */
function isThereAlready(work: Work, refusal: BatchRefusal): boolean {
  return timerOf(work.platform, work.device) === undefined && changesNothing(work, refusal)
}

/** Whatever was answered to a commit, or was not: whether it is there, by what the device says of it. Left alone it would show for as long as its window is open and then be gone, or stand there unknown. */
async function stands(work: Work, session: Session, committed: Committed): Promise<boolean> {
  return timerOf(work.platform, work.device) === undefined
    ? isThere(work, session, committed)
    : isWaiting(await lookInside(work, session), committed.token)
}
