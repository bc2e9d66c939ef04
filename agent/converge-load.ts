// Filling a candidate, up to the device's own difference: the same for a change, for what takes one back, and for a dry run.

import { randomBytes } from 'node:crypto'
import { type Refused, refusedOf } from './converge-committed.ts'
import { notEntered } from './converge-line.ts'
import { candidateOf, lookInside } from './converge-pending.ts'
import { backToRest, type Planned, type Work } from './converge-work.ts'
import type { Key } from './intents.ts'
import { type Answer, type Pending, timerOf } from './platform.ts'
import type { Session } from './session.ts'

/** What a candidate and its commit are known by: by chance, so that no two candidates have the same. */
export function newToken(): string {
  return randomBytes(4).toString('hex')
}

/** Why a candidate was not committed. */
export interface BatchRefusal extends Refused {
  /** The keys that the device named, where it can be told. */
  readonly keys: readonly Key[]
  /** Set where nothing of this batch can go, whatever is left out: somebody else has the configuration, or we are not let in. */
  readonly all?: 'locked' | 'line_refused'
}

/** What is put into a candidate. */
export interface Load {
  readonly batch: readonly Pick<Planned, 'key' | 'rendering'>[]
  readonly token: string
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
  const wrong =
    diff?.refusal ??
    tx.judge(
      text,
      batch.map((one) => one.rendering),
    )
  if (wrong === undefined) return { diff: text, refusal: undefined, pending }
  await backToRest(work, session)
  const refusal = { line: tx.diff.text, message: wrong.message, keys: [] }
  return { diff: text, refusal }
}

function refusedKeys(batch: Load['batch'], answers: readonly Answer[]): readonly Key[] {
  let at = 0
  return batch.flatMap((one) => {
    const got = answers.slice(at, at + one.rendering.apply.length)
    at += one.rendering.apply.length
    return got.some((answer) => answer.refusal !== undefined) ? [one.key] : []
  })
}
