// What platforms do with a device's answers before they read meaning into them: find the answer, read JSON strictly, refuse what is unknown.

import type { z } from 'zod'
import { familyOf, lengthOf, type Prefix } from '../../inventory/prefix.ts'
import { AgentError } from '../errors.ts'
import type { Answer } from '../platform.ts'

/** The answer to the read of that name. One that is missing is a fault of the caller, not of the device. */
export function answerTo(answers: ReadonlyMap<string, Answer>, what: string): Answer {
  const answer = answers.get(what)
  if (answer === undefined) throw new TypeError(`nothing was read as "${what}"`)
  return answer
}

/** The error for an answer that a platform has no meaning for; it carries the answer. */
export function unknownOutput(answer: Answer, expected: string): AgentError {
  return new AgentError(
    'unknown_output',
    `"${answer.line.text}" was answered by something unknown; expected ${expected}`,
    { lastOutput: answer.text },
  )
}

/** Throws `no_privilege` where the device would not answer one of the reads: what it keeps back must never pass for what isn't there. */
export function refuseDenied(answers: ReadonlyMap<string, Answer>, denial: RegExp): void {
  for (const answer of answers.values()) {
    const found = denial.exec(answer.text)
    if (found === null) continue
    throw new AgentError(
      'no_privilege',
      `the device refuses \`${answer.line.text}\`: ${found[0].trim()}`,
      { lastOutput: answer.text },
    )
  }
}

/** JSON of an answer through a schema; anything else is `unknown_output`. */
export function readJson<T>(answer: Answer, schema: z.ZodType<T>, expected: string): T {
  let value: unknown
  try {
    value = JSON.parse(answer.text)
  } catch {
    throw unknownOutput(answer, expected)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw unknownOutput(answer, expected)
  return parsed.data
}

/** Whether it is one address: nothing more specific can stand inside. */
export function isHost(prefix: Prefix): boolean {
  return lengthOf(prefix) === (familyOf(prefix) === 4 ? 32 : 128)
}

/** What keeps a discard from being in force for a part of its addresses. */
export function leakNote(prefix: Prefix, leak: string): string {
  return `not all of ${prefix} is dropped: the more specific route ${leak} leads on`
}
