// Sending a change where each line is in force when it is typed. What was refused is taken back alone; the other intents stay.

import { type GroupResult, judgeGroup } from './converge-answers.ts'
import { type Group, groupsOf, linesOf } from './converge-groups.ts'
import { partsOf } from './converge-parts.ts'
import {
  type Applied,
  backToRest,
  type Planned,
  type Result,
  type Work,
  withSharers,
} from './converge-work.ts'
import { AgentError } from './errors.ts'
import type { Key } from './intents.ts'
import type { DoneStep, Evidence, IntendedStep } from './journal.ts'
import type { Answer, LineTransaction } from './platform.ts'
import type { Session } from './session.ts'

/** How one round of sending ended. */
interface Round extends Omit<GroupResult, 'again'> {
  readonly left: readonly Planned[]
}

/** Sends all planned changes, each step written down first. The session rests afterwards; if an answer never came this throws, and nothing is known. */
export async function applyLines(
  work: Work,
  session: Session,
  planned: readonly Planned[],
  before: Evidence,
): Promise<Applied> {
  const transaction = lineTransaction(work)
  const results = new Map<Key, Result>()
  let step: number | undefined
  let batches = transaction.batches?.(session.seen.facts) ?? []
  const parts = [...partsOf(planned, work.journal.serves(planned))]
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    const why = heldBy(work)
    if (why !== undefined) {
      for (const one of part) results.set(one.key, { kind: 'held', why })
      continue
    }
    const groups = groupsOf(part, batches)
    const round = await recordedSoon(
      work,
      session,
      {
        purpose: 'change',
        commands: commandsOf(transaction, groups.flatMap(linesOf)),
        claims: part.map((one) => one.claim),
        before,
      },
      () => sendRound(work, session, groups),
    )
    if (round.value.unbatched) batches = []
    step = round.step
    for (const [key, result] of round.value.results) results.set(key, result)
    if (round.value.undo.length > 0) step = await takeBack(work, session, round.value.undo, before)
    if (round.value.left.length > 0) parts.unshift(round.value.left)
    if (round.value.ended) break
  }
  await backToRest(work, session)
  shareResults(planned, results)
  leaveOut(parts.flat(), results)
  return { step, results, session: 'own' }
}

/** What did not go out because nothing more may. */
function leaveOut(planned: readonly Planned[], results: Map<Key, Result>): void {
  const why = 'not sent, because the change before it went wrong'
  for (const { key } of planned) if (!results.has(key)) results.set(key, { kind: 'held', why })
}

/** What has its lines in those of a wider entry, or of the same element, was refused or held with it. */
function shareResults(planned: readonly Planned[], results: Map<Key, Result>): void {
  for (const { key, after } of planned) {
    const outer = after === undefined ? undefined : results.get(after)
    if (outer !== undefined && outer.kind !== 'sent') results.set(key, outer)
  }
  for (const [refused, result] of results) {
    if (result.kind !== 'refused') continue
    for (const key of withSharers(planned, [refused])) {
      if (results.get(key)?.kind === 'sent') results.set(key, result)
    }
  }
}

/** Why nothing more may be begun. */
export function heldBy(work: Work): string | undefined {
  if (work.journal.frozen()) return 'held by a freeze'
  return work.stopping() ? 'held, because the agent stops' : undefined
}

/** What sending a step came to. */
interface Value {
  readonly refused: DoneStep['refused'] | undefined
}

/** A step with its pair of records, both durable: intended before the first byte, done with whatever came of it. */
export async function recorded<T extends Value>(
  work: Work,
  session: Session,
  intended: IntendedStep,
  send: (step: number) => Promise<T>,
): Promise<{ readonly step: number; readonly value: T }> {
  try {
    return await recordedSoon(work, session, intended, send)
  } finally {
    await work.journal.flush()
  }
}

/**
 * The same, but what came of it is written together with what follows: a read-back that comes at once, or what became of a save, and so the disk is
 * waited for once. Whoever calls flushes the journal where that takes longer.
 */
export async function recordedSoon<T extends Value>(
  work: Work,
  session: Session,
  intended: IntendedStep,
  send: (step: number) => Promise<T>,
): Promise<{ readonly step: number; readonly value: T }> {
  const step = await work.journal.intend(intended)
  session.mark()
  const from = work.clock.monotonicMs()
  const done = (outcome: DoneStep['outcome'], refused?: DoneStep['refused']): void =>
    work.journal.done({
      step,
      purpose: intended.purpose,
      outcome,
      ...(refused === undefined ? {} : { refused }),
      transcript: { kind: 'transcript', text: session.transcript() },
      hostKey: session.hostKey,
      bytes: session.bytes(),
      ms: Math.round(work.clock.monotonicMs() - from),
      keys: intended.claims.map((claim) => claim.key),
    })
  let value: T
  try {
    value = await send(step)
  } catch (error) {
    done('unknown')
    throw error
  }
  done(value.refused === undefined ? 'ok' : 'refused', value.refused)
  return { step, value }
}

function lineTransaction(work: Work): LineTransaction {
  const { transaction } = work.platform
  if (transaction.kind !== 'line') throw new TypeError('not a platform of lines')
  return transaction
}

function commandsOf(
  transaction: LineTransaction,
  lines: readonly { readonly text: string }[],
): readonly string[] {
  return [...transaction.enter, ...lines, ...transaction.leave].map((line) => line.text)
}

async function sendRound(work: Work, session: Session, groups: readonly Group[]): Promise<Round> {
  const transaction = lineTransaction(work)
  const results = new Map<Key, Result>()
  const plannedFrom = (at: number): readonly Planned[] =>
    groups.slice(at).flatMap((group) => group.planned)
  const entered = await enter(work, session, transaction)
  if (entered !== undefined) {
    for (const one of plannedFrom(0)) {
      results.set(one.key, { kind: 'refused', code: entered.code, message: entered.message })
    }
    return { results, undo: [], left: [], ended: true, refused: entered }
  }
  for (const [i, group] of groups.entries()) {
    const why = i === 0 ? undefined : heldBy(work)
    if (why !== undefined) {
      await backToRest(work, session)
      for (const one of plannedFrom(i)) results.set(one.key, { kind: 'held', why })
      return { results, undo: [], left: [], ended: true, refused: undefined }
    }
    const { again, ...sent } = await sendGroup(work, session, group, i === groups.length - 1)
    for (const [key, result] of sent.results) results.set(key, result)
    if (sent.refused !== undefined || again.length > 0) {
      await backToRest(work, session)
      return { ...sent, results, left: [...again, ...plannedFrom(i + 1)] }
    }
  }
  await backToRest(work, session)
  return { results, undo: [], left: [], ended: false, refused: undefined }
}

/** From rest to the base context, where that is not done yet. Answers the refusal. */
async function enter(
  work: Work,
  session: Session,
  transaction: LineTransaction,
): Promise<NotEntered | undefined> {
  if (session.context !== work.platform.rest || transaction.enter.length === 0) return undefined
  const answers = await session.run(transaction.enter, work.signal)
  const refused = answers.find((answer) => answer.refusal !== undefined)
  if (refused?.refusal === undefined) return undefined
  await backToRest(work, session)
  return notEntered(refused)
}

/** Why the way into the configuration is not open, and whether that passes. */
export interface NotEntered {
  readonly line: string
  readonly message: string
  readonly code: 'locked' | 'line_refused'
}

/** What a refusal of the way into the configuration means: somebody else is there, or we are not let in at all. */
export function notEntered({ line, text, refusal }: Answer): NotEntered {
  const code = line.locked?.test(text) === true ? 'locked' : 'line_refused'
  return { line: line.text, message: refusal?.message ?? text, code }
}

/** One run: free lines of many intents, or all lines of one. With the last one the way back to rest goes along. */
async function sendGroup(
  work: Work,
  session: Session,
  group: Group,
  last: boolean,
): Promise<GroupResult> {
  const lines = linesOf(group)
  const leave = last ? lineTransaction(work).leave : []
  let stray: AgentError | undefined
  try {
    await session.run([...lines, ...leave], work.signal)
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'unexpected_prompt') throw error
    stray = error
  }
  return judgeGroup(group, session.progress().answers, stray)
}

/** Takes back what refused intents left half done, newest first. */
async function takeBack(
  work: Work,
  session: Session,
  undo: readonly Planned[],
  before: Evidence,
): Promise<number> {
  const transaction = lineTransaction(work)
  const lines = undo.toReversed().flatMap((one) => one.rendering.undo)
  const { step } = await recorded(
    work,
    session,
    {
      purpose: 'rollback',
      commands: commandsOf(transaction, lines),
      claims: undo.map((one) => one.claim),
      before,
    },
    async () => {
      await enter(work, session, transaction)
      const refused = await undoLines(work, session, undo)
      await backToRest(work, session)
      return { refused }
    },
  )
  return step
}

async function undoLines(
  work: Work,
  session: Session,
  undo: readonly Planned[],
): Promise<DoneStep['refused']> {
  let first: DoneStep['refused']
  for (const one of undo.toReversed()) {
    const answers = await session.run(one.rendering.undo, work.signal)
    const no = answers.find((answer) => answer.refusal !== undefined)
    if (no?.refusal === undefined) continue
    first ??= { line: no.line.text, message: no.refusal.message }
    // The next one's lines must begin in the base context again.
    await backToRest(work, session)
    await enter(work, session, lineTransaction(work))
  }
  return first
}
