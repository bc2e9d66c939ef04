// The second half of a confirmed commit: on another session, is it ours that is pending, does the device show it, and is the window closed by us?
// Also what becomes of a commit of ours that was found pending after a crash.

import {
  type CommitEnd,
  type Committed,
  notShown,
  refusedOf,
  wrongKeys,
  wrongNow,
} from './converge-committed.ts'
import { recorded } from './converge-line.ts'
import { commandsOf } from './converge-load.ts'
import {
  candidateOf,
  isUnderWay,
  lookInside,
  lookPending,
  type Standing,
  standing,
  timerIn,
} from './converge-pending.ts'
import { backToRest, observe, type Result, type Work } from './converge-work.ts'
import { type Claim, type Desired, decide, intentsToRead } from './diff.ts'
import type { Key } from './intents.ts'
import type { Pending } from './platform.ts'
import type { Session } from './session.ts'

/** On a second session: is it ours that is pending, does the device show it, and is the window closed by us? */
export async function confirmBatch(work: Work, committed: Committed): Promise<CommitEnd> {
  const second = await work.another()
  try {
    const stands = await standing(() => lookPending(work, second), committed.token)
    if (stands === 'other waits') {
      return failAll(committed, "another commit is pending in place of ours: it can't be confirmed")
    }
    const wrong = await wrongKeys(work, second, committed)
    if (wrong.length > 0 && stands === 'done') return goneAgain(wrong)
    if (wrong.length > 0) return await takeBack(work, second, committed, wrong)
    const claims = committed.batch.map((one) => one.claim)
    // Not pending any more before we confirmed: somebody else's commit did, and may take it back again. What could not be judged is looked
    // at once more from inside.
    const end =
      stands === 'done'
        ? 'another'
        : await confirm(work, second, { token: committed.token, claims })
    if (end === 'confirmed') return { results: new Map() }
    if (end === 'another') {
      const gone = await wrongNow(work, second, committed)
      return { ...goneAgain(gone), lookAgainMs: timerIn(work).windowMs }
    }
    return failAll(committed, end === 'unclear' ? unclear : unconfirmed)
  } finally {
    await second.close()
  }
}

const unconfirmed = 'the commit could not be confirmed; the device takes it back by itself'

const unclear =
  'the device does not say whether the commit still waits for its confirmation; if it does, the device takes it back by itself'

/** Keys of a commit that waits no more and that a later one undid: the device's own timer makes such a commit. */
function goneAgain(keys: readonly Key[]): CommitEnd {
  const message =
    'a later commit is on the device, and the change is gone: the window ran out before it was confirmed, or somebody took it back'
  const result: Result = { kind: 'refused', code: 'not_confirmed', message }
  return { results: new Map(keys.map((key) => [key, result])) }
}

function failAll(committed: Committed, message: string): CommitEnd {
  const result: Result = { kind: 'refused', code: 'not_confirmed', message }
  return { results: new Map(committed.batch.map((one) => [one.key, result])) }
}

/** What became of lines that concern the newest commit. `another`: ours doesn't wait any more, by somebody else; `refused`: the device said no, or a later commit waits; `unclear`: the device doesn't say how ours stands. */
type End = 'confirmed' | 'taken-back' | 'another' | 'refused' | 'unclear'

/** A commit of ours, by its token, and what it changed. */
interface Ours {
  readonly token: string
  readonly claims: readonly Omit<Claim, 'step'>[]
}

/** Does `act` where nobody else can commit, and only if the newest commit is that of ours and still waits: confirming or taking back means the newest, whosever it is. */
async function whileOurs(
  work: Work,
  session: Session,
  token: string,
  act: () => Promise<End>,
): Promise<End> {
  const tx = candidateOf(work)
  if (refusedOf(await session.run(tx.enter(token), work.signal)) !== undefined) {
    await backToRest(work, session)
    return 'refused'
  }
  const stands = await standing(() => lookInside(work, session), token)
  const end = stands === 'waits' ? await act() : endWithout[stands]
  await session.run(tx.leave, work.signal)
  await backToRest(work, session)
  return end
}

/** Nothing was done where ours was not seen waiting. */
const endWithout: Readonly<Record<Exclude<Standing, 'waits'>, End>> = {
  done: 'another',
  'other waits': 'refused',
  unclear: 'unclear',
}

async function confirm(work: Work, session: Session, { token, claims }: Ours): Promise<End> {
  const timer = timerIn(work)
  // Seen from inside as well: afterwards the newest commit may be somebody else's again.
  const seen = async (): Promise<End> => {
    let newest: Pending | undefined
    const look = async (): Promise<Pending> => {
      newest = await lookInside(work, session)
      return newest
    }
    const stands = await standing(look, token)
    if (stands === 'waits') return 'refused'
    // Below a later one it is not what was confirmed: the device's timer was faster.
    return stands === 'done' && newest?.token === token ? 'confirmed' : endWithout[stands]
  }
  return whileOurs(work, session, token, async () => {
    await session.run(timer.confirm, work.signal)
    const end = await seen()
    const harder = timer.confirmHarder(token)
    if (end !== 'refused' || harder.length === 0) return end
    const text = `still pending after ${timer.confirm.map((line) => `\`${line.text}\``).join(', ')}`
    await recorded(
      work,
      session,
      {
        purpose: 'change',
        commands: harder.map((line) => line.text),
        claims,
        before: { kind: 'readback', text },
      },
      async () => ({ refused: refusedOf(await session.run(harder, work.signal)) }),
    )
    return seen()
  })
}

async function takeBack(
  work: Work,
  session: Session,
  committed: Committed,
  wrong: readonly Key[],
): Promise<CommitEnd> {
  const why = `not shown after the commit: ${wrong.join(', ')}`
  const claims = committed.batch.map((one) => one.claim)
  const { token } = committed
  const end = await cancelPending(work, session, { token, claims, why })
  const lookAgainMs = timerIn(work).windowMs
  // A later commit undid it, or left it out; the rest of it is there to stay.
  if (end === 'another') return { ...goneAgain(wrong), lookAgainMs }
  const results = new Map<Key, Result>(wrong.map((key) => [key, notShown]))
  const message =
    end === 'taken-back' ? `taken back together with what was ${why}` : `${why}; ${unconfirmed}`
  for (const { key } of committed.batch) {
    if (!results.has(key)) results.set(key, { kind: 'refused', code: 'not_confirmed', message })
  }
  return end === 'taken-back' ? { results } : { results, lookAgainMs }
}

/** Takes a pending commit of ours back at once; where the device refuses that, its own timer does it. */
async function cancelPending(
  work: Work,
  session: Session,
  { token, claims, why }: Ours & { readonly why: string },
): Promise<End> {
  const timer = timerIn(work)
  return whileOurs(work, session, token, async () => {
    const { step, value } = await recorded(
      work,
      session,
      {
        purpose: 'rollback',
        commands: commandsOf(candidateOf(work), token, timer.cancel),
        claims,
        before: { kind: 'readback', text: why },
      },
      async () => ({ refused: refusedOf(await session.run(timer.cancel, work.signal)) }),
    )
    if (value.refused !== undefined) return 'refused'
    await work.journal.rolledBack({
      step,
      why,
      transcript: { kind: 'transcript', text: session.transcript() },
      keys: claims.map((claim) => claim.key),
    })
    return 'taken-back'
  })
}

/** What was found pending at the start of a convergence. */
export interface Resumed {
  /** Whose commit still waits, so that nothing may be changed; absent where none does. */
  readonly open?: 'ours' | 'foreign'
  /** Of the keys of a commit of ours that still waits: what they show may be taken back. */
  readonly results: ReadonlyMap<Key, Result>
  /** To be looked at once more, in so many ms: somebody else's commit came after one of ours of which nobody saw yet how it ended. */
  readonly lookAgainMs?: number
}

/**
 * A commit that carries our token and is still pending: the controller ended before it was confirmed. It is confirmed if the device shows
 * what the claims say, on a session of its own, else taken back. Under a freeze neither is done, and the device takes it back by itself.
 * Somebody else's that waits is left alone: what of ours came before it and was not seen to end may go with it.
 */
export async function resumePending(
  work: Work,
  session: Session,
  desired: Desired,
): Promise<Resumed> {
  const pending = await lookPending(work, session)
  const { commit } = desired
  if (pending.kind === 'none') return overtaken(desired, pending) ? again(work) : ended
  if (commit === undefined || pending.token !== commit.token) {
    return { open: 'foreign', results: new Map() }
  }
  if (work.journal.frozen()) {
    return stillOpen(
      commit.keys,
      'a freeze holds the confirmation; the device takes it back by itself',
    )
  }
  // Never over the session that committed, which may be the one that is open: it could show what only it sees.
  const second = await work.another()
  try {
    return await settleOurs(work, second, desired, commit)
  } finally {
    await second.close()
  }
}

async function settleOurs(
  work: Work,
  session: Session,
  desired: Desired,
  commit: NonNullable<Desired['commit']>,
): Promise<Resumed> {
  const { token } = commit
  const keys = new Set(commit.keys)
  const claims = desired.claims
    .filter((claim) => keys.has(claim.key))
    .map(({ step: _step, ...claim }) => claim)
  const { observation } = await observe(work, session, intentsToRead(desired))
  const right = decide(desired, observation).every(
    (one) => !keys.has(one.key) || (one.kind !== 'change' && one.kind !== 'refused'),
  )
  const end =
    right && claims.length > 0
      ? await confirmFound(work, session, { token, claims })
      : await cancelPending(work, session, {
          token,
          claims,
          why: 'found pending after a restart, and not as it should be',
        })
  if (end === 'unclear') return stillOpen(commit.keys, unclear)
  if (end === 'refused') return stillOpen(commit.keys, unconfirmed)
  return end === 'another' ? again(work) : ended
}

const ended: Resumed = { results: new Map() }

function again(work: Work): Resumed {
  return { ...ended, lookAgainMs: timerIn(work).windowMs }
}

/** Whether another commit than ours is the newest while a change of ours was not seen to end. */
function overtaken({ claims, commit }: Desired, newest: Pending): boolean {
  return commit !== undefined && newest.token !== commit.token && claims.some(isUnderWay)
}

/** What becomes of changes that were not seen to end, below a commit of somebody else that waits. */
export const beforeAnother: Result = {
  kind: 'refused',
  code: 'not_confirmed',
  message:
    'a commit of somebody else waits for its confirmation: if it is taken back, ours may go with it; it is read again until that one has ended',
}

function stillOpen(keys: readonly Key[], message: string): Resumed {
  const result: Result = { kind: 'refused', code: 'not_confirmed', message }
  return { open: 'ours', results: new Map(keys.map((key) => [key, result])) }
}

async function confirmFound(work: Work, session: Session, ours: Ours): Promise<End> {
  const { value } = await recorded(
    work,
    session,
    {
      purpose: 'change',
      commands: commandsOf(candidateOf(work), ours.token, timerIn(work).confirm),
      claims: ours.claims,
      before: { kind: 'readback', text: `pending with our token ${ours.token}` },
    },
    async () => ({ refused: undefined, end: await confirm(work, session, ours) }),
  )
  return value.end
}
