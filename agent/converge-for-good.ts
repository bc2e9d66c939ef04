// The second half of a commit that stays: on another session, does the device show it? What it doesn't is taken back by its inverse, in a candidate
// of its own. No timer stands behind it: what a crash or a lost session leaves is there, and the next convergence reads it like any line that was typed.

import {
  type CommitEnd,
  type Committed,
  notShown,
  type Refused,
  refusedOf,
  wrongKeys,
  wrongNow,
} from './converge-committed.ts'
import { recorded } from './converge-line.ts'
import {
  changesNothing,
  commandsOf,
  commitLoaded,
  committing,
  type Load,
  loadCandidate,
  newToken,
} from './converge-load.ts'
import { candidateOf } from './converge-pending.ts'
import { backToRest, type Planned, type Result, type Work, withSharers } from './converge-work.ts'
import type { Key } from './intents.ts'
import type { Session } from './session.ts'

/** Reads a commit back on a second session. What is not shown in time is taken back; the rest of it stays. */
export async function readBackBatch(work: Work, committed: Committed): Promise<CommitEnd> {
  const second = await work.another()
  try {
    const wrong = await wrongKeys(work, second, committed)
    return wrong.length === 0
      ? { results: new Map() }
      : await takeBack(work, second, committed, wrong)
  } finally {
    await second.close()
  }
}

/** Whether the device shows the commit all the same, whatever it answered to it, or didn't. The session rests afterwards. */
export async function isThere(
  work: Work,
  session: Session,
  committed: Pick<Committed, 'batch' | 'desired'>,
): Promise<boolean> {
  await backToRest(work, session)
  return (await wrongNow(work, session, committed)).length === 0
}

async function takeBack(
  work: Work,
  session: Session,
  { batch }: Committed,
  wrong: readonly Key[],
): Promise<CommitEnd> {
  const going = withOthers(batch, wrong)
  const keys = going.map(({ key }) => key)
  const load: Load = { batch: going.toReversed().map(inverseOf), token: newToken() }
  const lines = load.batch.flatMap(({ rendering }) => rendering.apply)
  // What has no lines of its own comes and goes with those of another, which is shown.
  if (lines.length === 0) return { results: new Map() }
  const why = `not shown after the commit: ${wrong.join(', ')}`
  const { step, value } = await recorded(
    work,
    session,
    {
      purpose: 'rollback',
      commands: commandsOf(candidateOf(work), load.token, [
        ...lines,
        ...committing(work, load.token),
      ]),
      claims: going.map(({ claim }) => claim),
      before: { kind: 'readback', text: why },
    },
    () => commitInverse(work, session, load),
  )
  // It may be there, or come yet: what can't be taken back is waited for, and stays claimed, like a line that was typed.
  if (value.refused !== undefined) return { results: new Map(), step }
  if (value.committed) {
    const transcript = { kind: 'transcript', text: session.transcript() } as const
    await work.journal.rolledBack({ step, why, transcript, keys })
  }
  return { results: new Map(keys.map((key): [Key, Result] => [key, notShown])), step }
}

/** Those that are not shown, and what has its lines in theirs. */
function withOthers(batch: readonly Planned[], wrong: readonly Key[]): readonly Planned[] {
  const keys = new Set(withSharers(batch, wrong))
  return batch.filter(({ key, after }) => keys.has(key) || (after !== undefined && keys.has(after)))
}

function inverseOf({ key, rendering, claim }: Planned): Load['batch'][number] {
  const { apply, undo } = rendering
  return { key, rendering: { kind: 'lines', apply: undo, undo: apply, wrote: claim.before } }
}

/** Commits the inverse, if its difference is exactly that. Where there is no difference at all the device has nothing of the change, and nothing is committed. */
async function commitInverse(
  work: Work,
  session: Session,
  load: Load,
): Promise<{ readonly refused: Refused | undefined; readonly committed: boolean }> {
  const { refusal } = await loadCandidate(work, session, load)
  if (refusal !== undefined) {
    const { line, message } = refusal
    const isGone = changesNothing(work, refusal)
    return { refused: isGone ? undefined : { line, message }, committed: false }
  }
  const no = await commitLoaded(work, session, load.token)
  if (no === undefined) return { refused: undefined, committed: true }
  await backToRest(work, session)
  return { refused: refusedOf([no.answer]), committed: false }
}
