// A commit that was made, with a timer or for good: whether the device shows it, and what is said of it.

import { readAgain } from './converge-pending.ts'
import { observe, type Planned, pause, type Result, type Work } from './converge-work.ts'
import { type Desired, decide, intentsToRead } from './diff.ts'
import type { Key } from './intents.ts'
import type { DoneStep } from './journal.ts'
import type { Answer } from './platform.ts'
import type { Session } from './session.ts'

/** A line that the device said no to, and its words. */
export type Refused = NonNullable<DoneStep['refused']>

/** The first no among answers. */
export function refusedOf(answers: readonly Answer[]): Refused | undefined {
  const no = answers.find((answer) => answer.refusal !== undefined)
  return no?.refusal === undefined ? undefined : { line: no.line.text, message: no.refusal.message }
}

/** A commit of ours that was made, and has yet to be read back. */
export interface Committed {
  readonly batch: readonly Planned[]
  readonly token: string
  readonly desired: Desired
}

/** What came of reading a commit back: the keys for which it came to nothing, or is not known to stay. */
export interface CommitEnd {
  readonly results: ReadonlyMap<Key, Result>
  /** The step that took something back. */
  readonly step?: number
  readonly lookAgainMs?: number
}

/** The keys of the commit that the device does not show as they should be, once it had time to. */
export async function wrongKeys(
  work: Work,
  session: Session,
  committed: Committed,
): Promise<readonly Key[]> {
  const from = work.clock.monotonicMs()
  for (let wait = 5; ; wait = Math.min(wait * 2, 1_000)) {
    const wrong = await wrongNow(work, session, committed)
    if (wrong.length === 0) return []
    if (work.clock.monotonicMs() - from >= work.limits.ownMs) return wrong
    await pause(work, wait)
  }
}

/** The same, as it is now. */
export async function wrongNow(
  work: Work,
  session: Session,
  { batch, desired }: Pick<Committed, 'batch' | 'desired'>,
): Promise<readonly Key[]> {
  const keys = new Set(batch.map((one) => one.key))
  const { observation } = await readAgain(() => observe(work, session, intentsToRead(desired)))
  return decide(desired, observation)
    .filter((one) => keys.has(one.key) && (one.kind === 'change' || one.kind === 'refused'))
    .map((one) => one.key)
}

/** What is said of a key that was committed and is not there. */
export const notShown: Result = {
  kind: 'refused',
  code: 'not_shown',
  message: 'the device took the commit, but does not show its effect',
}
