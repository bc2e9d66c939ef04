// The text that a BGP neighbor is shown when it is shut down (RFC 9003): a template of a playbook, filled from a decision. Refused where it doesn't fit, never altered.

import { type CliText, parseCliText } from '../agent/intents.ts'
import type { Parsed } from '../inventory/prefix.ts'

/** What may stand in braces. */
const messageVariables = ['ticket', 'customer', 'category', 'enforcement'] as const

/** What is known to fill in; a variable that is missing refuses the message. */
export type MessageValues = Partial<Record<(typeof messageVariables)[number], string>>

/** Where the enforcement has no id yet (a plan): as long as an id, so that the length is tested as it will be. */
export const enforcementPlaceholder = '0'.repeat(26)

/** Whether a template names the enforcement: with a placeholder it says something else than with the id. */
export function namesEnforcement(template: string): boolean {
  return template.includes('{enforcement}')
}

const variable = /\{([^{}]*)\}/g
const allowedText = 'letters, digits, single blanks and . , : ; / @ _ + ( ) -, at most 128 bytes'

/** What is wrong with a template, before anything is known to fill it with; undefined where nothing is. */
export function templateProblem(template: string): string | undefined {
  const unknown = [...template.matchAll(variable)]
    .map(([, name = '']) => name)
    .filter((name) => !isVariable(name))
  if (unknown.length > 0) {
    const shown = unknown.map((name) => `{${name}}`).join(', ')
    return `there is no variable ${shown}: there are ${messageVariables.map((name) => `{${name}}`).join(', ')}`
  }
  // Each variable stands for at least one safe character.
  return parseCliText(template.replaceAll(variable, 'x')) === undefined
    ? `"${template}" has more than a device's line may hold: ${allowedText}`
    : undefined
}

/** Fills a template. Refuses a variable without a value, signs that a device's line may not hold, and more than 128 bytes. */
export function fillMessage(template: string, values: MessageValues): Parsed<CliText> {
  const missing = [...template.matchAll(variable)]
    .map(([, name = '']) => name)
    .filter((name) => !isVariable(name) || values[name] === undefined)
  if (missing.length > 0) {
    const what = missing.map((name) => `{${name}}`).join(', ')
    const remedy = missing.includes('ticket')
      ? 'give the decision a ticket, or leave {ticket} out of the playbook'
      : 'leave it out of the playbook'
    return { ok: false, problem: `the message "${template}" needs ${what}: ${remedy}` }
  }
  const text = template.replaceAll(variable, (whole, name: string) =>
    isVariable(name) ? (values[name] ?? whole) : whole,
  )
  const value = parseCliText(text)
  if (value !== undefined) return { ok: true, value }
  const problem =
    text.length > 128
      ? `the message "${text}" has ${text.length} bytes: 128 are allowed`
      : `the message "${text}" may hold only ${allowedText}: change the ticket or the playbook`
  return { ok: false, problem }
}

function isVariable(name: string): name is (typeof messageVariables)[number] {
  return messageVariables.some((known) => known === name)
}
