// Filling a candidate, up to the device's own difference, and the lines that commit it: the same for a change, for what takes one back, and for a dry run.

import { randomBytes } from 'node:crypto'
import { type Refused, refusedOf } from './converge-committed.ts'
import { notEntered } from './converge-line.ts'
import { candidateOf, lookInside } from './converge-pending.ts'
import { backToRest, type Planned, type Work } from './converge-work.ts'
import type { Key } from './intents.ts'
import {
  type Answer,
  type CandidateTransaction,
  type Line,
  type Pending,
  timerOf,
} from './platform.ts'
import type { Session } from './session.ts'

/** What a candidate and its commit are known by: by chance, so that no two candidates have the same. */
export function newToken(): string {
  return randomBytes(4).toString('hex')
}

/** The lines of a candidate as they are sent from rest and back to it. */
export function commandsOf(
  tx: CandidateTransaction,
  token: string,
  lines: readonly Line[],
): readonly string[] {
  return [...tx.enter(token), ...lines, ...tx.leave].map((line) => line.text)
}

/** What ends a candidate that is right: the device's check, where it has one, and the commit as it is made on this device. */
export function committing(work: Work, token: string): readonly Line[] {
  const { platform, device } = work
  const { check, commit: forGood } = candidateOf(work)
  const commit = timerOf(platform, device)?.commit(token) ?? forGood
  if (commit === undefined) throw new TypeError(`${platform.name} commits with its timer only`)
  return check === undefined ? [commit] : [check, commit]
}

/** A no to what ends a candidate. */
export interface Unended {
  readonly answer: Answer
  /** To the commit itself, so that it may be there all the same. */
  readonly isCommit: boolean
}

/** Checks and commits a candidate that is right. The session rests afterwards; after a no it is where that left it. */
export async function commitLoaded(
  work: Work,
  session: Session,
  token: string,
): Promise<Unended | undefined> {
  const lines = committing(work, token)
  for (const line of lines) {
    const [answer] = await session.run([line], work.signal)
    if (answer?.refusal !== undefined) return { answer, isCommit: line === lines.at(-1) }
  }
  await leave(work, session)
  return undefined
}

/** From a commit back to rest. */
export async function leave(work: Work, session: Session): Promise<void> {
  const { leave: lines } = candidateOf(work)
  if (session.context !== work.platform.rest) await session.run(lines, work.signal)
  await backToRest(work, session)
}

/** Why a candidate was not committed. */
export interface BatchRefusal extends Refused {
  /** The keys that the device named, where it can be told. */
  readonly keys: readonly Key[]
  /** Set where nothing of this batch can go, whatever is left out: somebody else has the configuration, or we are not let in. */
  readonly all?: 'locked' | 'line_refused'
  /** The device's difference, where that is what it was refused by. */
  readonly difference?: string
}

/** What is put into a candidate. */
export interface Load {
  readonly batch: readonly Pick<Planned, 'key' | 'rendering'>[]
  readonly token: string
}

/** Whether a candidate was refused because it is what runs already: the device has all of what was loaded, and there is nothing to commit. */
export function changesNothing(work: Work, { difference }: BatchRefusal): boolean {
  return difference !== undefined && candidateOf(work).judge(difference, []) === undefined
}

/** Enters, looks what is pending, loads and compares. On a refusal the candidate is thrown away and the session rests. */
export async function loadCandidate(
  work: Work,
  session: Session,
  { batch, token }: Load,
): Promise<{
  readonly diff: string
  readonly refusal: BatchRefusal | undefined
  /** Absent where the candidate could not be entered, and where commits have no timer. While we have it to ourselves nobody can change it. */
  readonly pending?: Pending | undefined
}> {
  const tx = candidateOf(work)
  const entering = await session.run(tx.enter(token), work.signal)
  const refused = entering.find((answer) => answer.refusal !== undefined)
  if (refused !== undefined) {
    await backToRest(work, session)
    const { code, ...no } = notEntered(refused)
    return { diff: '', refusal: { ...no, keys: [], all: code } }
  }
  const timer = timerOf(work.platform, work.device)
  const pending = timer === undefined ? undefined : await lookInside(work, session)
  const lines = batch.flatMap((one) => one.rendering.apply)
  const answers = await session.run(lines, work.signal)
  const keys = refusedKeys(batch, answers)
  const no = refusedOf(answers)
  if (no !== undefined) {
    await backToRest(work, session)
    return { diff: '', refusal: { ...no, keys } }
  }
  const [diff] = await session.run([tx.diff], work.signal)
  const text = diff?.text ?? ''
  const unsaid = diff?.refusal
  const wrong =
    unsaid ??
    tx.judge(
      text,
      batch.map((one) => one.rendering),
    )
  if (wrong === undefined) return { diff: text, refusal: undefined, pending }
  await backToRest(work, session)
  const refusal = { line: tx.diff.text, message: wrong.message, keys: [] }
  return {
    diff: text,
    refusal: unsaid === undefined ? { ...refusal, difference: text } : refusal,
  }
}

function refusedKeys(batch: Load['batch'], answers: readonly Answer[]): readonly Key[] {
  let at = 0
  return batch.flatMap((one) => {
    const got = answers.slice(at, at + one.rendering.apply.length)
    at += one.rendering.apply.length
    return got.some((answer) => answer.refusal !== undefined) ? [one.key] : []
  })
}
