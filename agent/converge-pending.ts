// How the newest commit of a device stands, as the device says it: what waits there, whose it is, and what can't be judged.

import type { Work } from './converge-work.ts'
import type { Claim, Desired } from './diff.ts'
import { AgentError } from './errors.ts'
import type { Key } from './intents.ts'
import {
  type CandidateTransaction,
  type CommitTimer,
  type Line,
  type Observation,
  type Pending,
  timerOf,
} from './platform.ts'
import type { Session } from './session.ts'

/** The transaction of a platform with a candidate. */
export function candidateOf(work: Work): CandidateTransaction {
  const { transaction } = work.platform
  if (transaction.kind !== 'candidate') throw new TypeError('not a platform of candidates')
  return transaction
}

/** The timer that commits on this device are made with. Asked only where there is one (`timerOf`). */
export function timerIn({ platform, device }: Work): CommitTimer {
  const timer = timerOf(platform, device)
  if (timer === undefined) throw new TypeError('commits of this device have no timer')
  return timer
}

/** What is pending on the device, as it says itself, at rest. */
export function lookPending(work: Work, session: Session): Promise<Pending> {
  const { look: line, count } = timerIn(work)
  return look(work, session, { line, count })
}

/** The same from the candidate's context, where nobody else can commit meanwhile. */
export function lookInside(work: Work, session: Session): Promise<Pending> {
  const { lookInside: line, countInside: count } = timerIn(work)
  return look(work, session, { line, count })
}

/** Asks how many lines there are only where what they say can't be judged without it. */
function look(
  work: Work,
  session: Session,
  { line, count }: { readonly line: Line; readonly count: Line },
): Promise<Pending> {
  return readAgain(async () => {
    const timer = timerIn(work)
    const text = await ask(work, session, line)
    try {
      return timer.pending(text)
    } catch (error) {
      if (!isUnjudged(error)) throw error
      return timer.pending(text, await ask(work, session, count))
    }
  })
}

async function ask(work: Work, session: Session, line: Line): Promise<string> {
  const [answer] = await session.run([line], work.signal)
  if (answer === undefined || answer.refusal !== undefined) {
    throw new AgentError(
      'unknown_output',
      `the device does not say what is pending: ${answer?.text ?? ''}`,
    )
  }
  return answer.text
}

/** Answers that can't be judged before it is believed that the next one can't either. */
const readsMax = 3

/** Reads once more what could not be judged: a window must not run out for one bad answer. */
export async function readAgain<T>(read: () => Promise<T>): Promise<T> {
  for (let reads = 1; ; reads += 1) {
    try {
      return await read()
    } catch (error) {
      if (!isUnjudged(error) || reads >= readsMax) throw error
    }
  }
}

function isUnjudged(error: unknown): boolean {
  return error instanceof AgentError && error.code === 'unknown_output'
}

/** Whether the newest commit is that of ours and waits for its confirmation. */
export function isWaiting(pending: Pending, token: string): boolean {
  return pending.kind === 'pending' && pending.token === token
}

/**
 * How a commit of ours stands. `done`: it is there and waits no more, whether it is the newest or others came after it; `other waits`: a later
 * one does; `unclear`: what the device says can't be judged, or names no commit of ours. Only what is seen counts as done.
 */
export type Standing = 'waits' | 'done' | 'other waits' | 'unclear'

/** How the commit with that token stands, by what `read` shows. */
export async function standing(read: () => Promise<Pending>, token: string): Promise<Standing> {
  try {
    const seen = await read()
    if (isWaiting(seen, token)) return 'waits'
    if (seen.kind === 'pending') return 'other waits'
    return seen.token === token || seen.earlier.includes(token) ? 'done' : 'unclear'
  } catch (error) {
    if (isUnjudged(error)) return 'unclear'
    throw error
  }
}

/** Keys whose change is not known to have ended: while a commit waits on the device they are as it shows them for now only. Those of others that one of their objects serves are as they are. */
export function keysUnderWay(desired: Desired, observation: Observation): ReadonlySet<Key> {
  const keys = new Set(desired.claims.filter(isUnderWay).map(({ key }) => key))
  const elementOf = (key: Key): string | undefined => observation.found.get(key)?.element
  const elements = new Set([...keys].map(elementOf))
  elements.delete(undefined)
  const claimed = new Set(desired.claims.map(({ key }) => key))
  // What we hold by itself was seen to stay; what only stands by the object of another key goes with that.
  for (const key of observation.found.keys()) {
    if (!claimed.has(key) && elements.has(elementOf(key))) keys.add(key)
  }
  return keys
}

/** Whether nobody has seen yet how a change of this object ended. */
export function isUnderWay({ phase, replaces }: Claim): boolean {
  return phase === 'pending' || phase === 'lifting' || replaces !== undefined
}
