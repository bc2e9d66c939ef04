// Configuration as full paths: what `display set` prints, and what `show | compare` says in hunks. Both become the same statements, so that they can be compared exactly.

import type { Answer, Stop } from '../../platform.ts'
import { unknownOutput } from '../output.ts'

/** A statement that is there, or that a line sets: its full path without `set`. Values with blanks keep their quotes. */
export type Statement = string

/** Lines of `display set`. `inactive` holds the paths of `deactivate` lines. */
export interface Statements {
  readonly set: readonly Statement[]
  readonly inactive: readonly Statement[]
}

/** Reads `set …` and `deactivate …` lines. Anything else is no configuration: an error read as an empty one would be an object that is gone. */
export function readStatements(answer: Answer): Statements {
  const lines = answer.text.split('\n')
  if (!lines.every((line) => /^(?:\s*|#.*|(?:set|deactivate|protect) .*)$/.test(line))) {
    throw unknownOutput(answer, 'lines of `set` and `deactivate`, or nothing')
  }
  return statementsIn(answer.text)
}

/** The `set …` and `deactivate …` lines of a text in which there may be others. */
export function statementsIn(text: string): Statements {
  const set: Statement[] = []
  const inactive: Statement[] = []
  for (const line of text.split('\n')) {
    const [, verb, path = ''] = /^(set|deactivate) (.+)$/.exec(line.trimEnd()) ?? []
    if (verb === 'set') set.push(normalQuotes(path))
    if (verb === 'deactivate') inactive.push(normalQuotes(path))
  }
  return { set, inactive }
}

/** Quotes only where there is a blank or a sign that needs them, as the device may print either. */
export function normalQuotes(path: string): Statement {
  return path.replace(/"([^"\s]*)"/g, (quoted, inner: string) =>
    /^[A-Za-z0-9._/:@+-]+$/.test(inner) ? inner : quoted,
  )
}

/** Those at or below a path. */
export function under(statements: readonly Statement[], path: Statement): readonly Statement[] {
  return statements.filter((one) => isUnder(one, path))
}

/** Whether a statement is that path or below it. */
export function isUnder(statement: Statement, path: Statement): boolean {
  return statement === path || statement.startsWith(`${path} `)
}

/** What stands in a deactivated place has no effect, and who deactivated it meant something. */
export function inactiveStop(
  paths: readonly Statement[],
  inactive: readonly Statement[],
): Stop | undefined {
  const place = inactive.find((one) => paths.some((path) => isUnder(path, one)))
  if (place === undefined) return undefined
  return {
    code: 'not_prepared',
    message: `\`${place}\` is deactivated: a line in it would have no effect`,
    remedy: `activate it on the device, or take it out: \`activate ${place}\``,
  }
}

/** One change in a difference: added, removed, or switched between `active:` and `inactive:`. */
export interface Difference {
  readonly sign: '+' | '-' | '!'
  readonly path: Statement
}

/** Reads `show | compare`. Undefined for a line that is in no form we know: then nothing is believed. */
export function readCompare(text: string): readonly Difference[] | undefined {
  const found: Difference[] = []
  let base: string[] | undefined
  let stack: string[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const header = /^(?:\{[^}\n]*\})?\[edit ?([^\]]*)\]\s*$/.exec(line)
    if (header !== null) {
      base = (header[1] ?? '') === '' ? [] : [header[1] ?? '']
      stack = []
      continue
    }
    if (base === undefined) return undefined
    const next = readHunkLine(line, base, stack)
    if (next === undefined) return undefined
    stack = next.stack
    if (next.found !== undefined) found.push(next.found)
  }
  return found
}

interface Step {
  readonly stack: string[]
  readonly found?: Difference
}

function readHunkLine(
  line: string,
  base: readonly string[],
  stack: readonly string[],
): Step | undefined {
  const [, sign = '', body = ''] = /^([+\-! ])\s*(\S.*)$/.exec(line.trimEnd()) ?? []
  const at = (last: string): Statement => normalQuotes([...base, ...stack, last].join(' '))
  if (sign === '!') return switched(body, at, stack)
  if (body === '}') return { stack: stack.slice(0, -1) }
  if (body.endsWith('{')) return { stack: [...stack, body.slice(0, -1).trim()] }
  if (body === '...') return { stack: [...stack] }
  if (!body.endsWith(';')) return undefined
  const path = at(body.slice(0, -1))
  return { stack: [...stack], ...(sign === '+' || sign === '-' ? { found: { sign, path } } : {}) }
}

/** `inactive: neighbor 192.0.2.9 { ... }`. Order of terms that was changed begins with `!` too: of no form that we know. */
function switched(
  body: string,
  at: (last: string) => Statement,
  stack: readonly string[],
): Step | undefined {
  const [, state, what = ''] =
    /^(active|inactive): (.+?)(?: \{ ?\.\.\. ?\}|;| \{)?$/.exec(body) ?? []
  if (state === undefined) return undefined
  return { stack: [...stack], found: { sign: '!', path: `${state} ${at(what)}` } }
}
