// What became of the intents of a group, by what the device answered to the lines that went out for them. Pure.

import { type Group, linesIn } from './converge-groups.ts'
import type { Planned, Result } from './converge-work.ts'
import type { AgentError } from './errors.ts'
import type { Key } from './intents.ts'
import type { DoneStep } from './journal.ts'
import type { Answer, Batch } from './platform.ts'

/** How one group ended. */
export interface GroupResult {
  readonly results: Map<Key, Result>
  /** Refused intents of which a changing line was accepted, in the order they were sent. */
  readonly undo: readonly Planned[]
  /** Of a batch: those whose lines the device did not come to. */
  readonly again: readonly Planned[]
  /** Nothing more may be sent in this convergence. */
  readonly ended: boolean
  /** The device said no to something in a batch: what is left of it goes out line by line, and so does all else. */
  readonly unbatched?: true
  readonly refused: DoneStep['refused'] | undefined
}

/** What became of each intent of a group. `stray`: a prompt that nobody expected ended it. */
export function judgeGroup(
  group: Group,
  answers: readonly Answer[],
  stray: AgentError | undefined,
): GroupResult {
  return group.batch === undefined || stray !== undefined
    ? { ...judgeLines(group.planned, linesAnswered(group, answers), stray), again: [] }
    : judgeBatch(group, group.batch, answers)
}

/** The answers to the lines of a group themselves, where a prompt that nobody expected ended it. */
function linesAnswered({ planned, batch }: Group, answers: readonly Answer[]): readonly Answer[] {
  if (batch === undefined) return answers
  const lines = new Set(linesIn(planned))
  return answers.filter(({ line }) => lines.has(line))
}

/** What became of a batch. After a no in it the rest goes line by line: so each line has an answer of its own, and no more steps are made than one. */
function judgeBatch(group: Group, batch: Batch, answers: readonly Answer[]): GroupResult {
  const { planned } = group
  const became = batch.unwrap(linesIn(planned), answers)
  if (became.kind === 'thrown') {
    const refused = { line: became.line, message: became.message }
    const nothing = { results: new Map<Key, Result>(), undo: [], ended: false }
    return { ...nothing, refused, unbatched: true, again: planned }
  }
  const reached = planned.slice(0, reachedBy(planned, became.answers))
  const again = planned.slice(reached.length)
  const judged = judgeLines(reached, became.answers, undefined)
  const isWhole = again.length === 0 && judged.refused === undefined
  return { ...judged, again, ...(isWhole ? {} : { unbatched: true }) }
}

/** How many intents have an answer to each of their lines, or a no to one of them. */
function reachedBy(planned: readonly Planned[], answers: readonly Answer[]): number {
  let at = 0
  const without = planned.findIndex(({ rendering }) => {
    const got = answers.slice(at, at + rendering.apply.length)
    at += rendering.apply.length
    return got.length < rendering.apply.length && got.every(({ refusal }) => refusal === undefined)
  })
  return without === -1 ? planned.length : without
}

/** What became of each intent, by the answers to its lines. */
function judgeLines(
  planned: readonly Planned[],
  answers: readonly Answer[],
  stray: AgentError | undefined,
): Omit<GroupResult, 'again'> {
  const results = new Map<Key, Result>()
  const undo: Planned[] = []
  let refused: DoneStep['refused']
  let at = 0
  for (const one of planned) {
    const got = answers.slice(at, at + one.rendering.apply.length)
    at += one.rendering.apply.length
    const no = refusalOf(one, got, stray)
    if (no === undefined) {
      const { note } = one.rendering
      results.set(one.key, note === undefined ? { kind: 'sent' } : { kind: 'sent', note })
      continue
    }
    refused ??= { line: no.line, message: no.message }
    results.set(one.key, { kind: 'refused', code: no.code, message: no.message })
    if (got.some((answer) => answer.refusal === undefined && answer.line.opens === undefined)) {
      undo.push(one)
    }
  }
  if (stray !== undefined) refused ??= { line: '', message: stray.message }
  return { results, undo, ended: stray !== undefined, refused }
}

function refusalOf(
  one: Planned,
  answers: readonly Answer[],
  stray: AgentError | undefined,
):
  | { readonly line: string; readonly message: string; readonly code: AgentError['code'] }
  | undefined {
  const no = answers.find((answer) => answer.refusal !== undefined)
  if (no?.refusal !== undefined) {
    return { line: no.line.text, message: no.refusal.message, code: 'line_refused' }
  }
  const complete = answers.length === one.rendering.apply.length
  // A free line had its meant effect or none, wherever it landed; of any other it can't be told what it did there.
  if (complete && (stray === undefined || one.rendering.apply.every((l) => l.free)))
    return undefined
  // The lines behind it did not go out.
  const line = one.rendering.apply[answers.length]?.text ?? ''
  const message = stray?.message ?? `\`${line}\` was not sent`
  return { line, message, code: 'unexpected_prompt' }
}
