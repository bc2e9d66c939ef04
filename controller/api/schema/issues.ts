// zod's issues → the problems that a client is shown: each with its place, what was expected and what was found, in one sentence. Pure.

import type { z } from 'zod'

/** One problem of a request. `path` is a JSON Pointer; '' = the whole. */
export interface RequestProblem {
  readonly path: string
  readonly message: string
}

type Issue = z.core.$ZodIssue

/** All problems behind a failed parse. Of a union those of the branch that the client meant. What was found is named where the parse had `reportInput`. */
export function problemsOf(issues: readonly Issue[], prefix = ''): readonly RequestProblem[] {
  return issues.flatMap((issue) => {
    const path = prefix + pointer(issue.path)
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      return problemsOf(meantBranch(issue.errors), path)
    }
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: path + pointer([key]),
        message: `there is no field ${shown(key)} here: look for a spelling mistake, or leave it out`,
      }))
    }
    return [{ path, message: sentence(issue) }]
  })
}

// The branch to whose own field names the fewest strange ones were given: zod itself only says "Invalid input".
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const strange = (branch: readonly Issue[]): number =>
    branch.reduce(
      (sum, issue) =>
        sum +
        (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys.length : 0),
      0,
    )
  return branches.reduce((best, branch) => (strange(branch) < strange(best) ? branch : best))
}

/** zod's names of types → ours. */
const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function sentence(issue: Issue): string {
  const expected = expectedOf(issue)
  const { input } = issue
  if (isMissing(issue)) return `is missing: ${expected}`
  if (/\bfound\b/.test(expected) || input === undefined) return expected
  // A rule over several fields says in its own words what doesn't fit.
  if (issue.code === 'custom' && typeof input === 'object') return expected
  // A parser of ours names what it was given.
  if (typeof input === 'string' && expected.includes(`"${input}"`)) return expected
  return `${expected}, found ${found(issue)}`
}

// Without `reportInput` there is only zod's own sentence to tell by.
function isMissing(issue: Issue): boolean {
  if ('input' in issue) return issue.input === undefined && issue.code !== 'custom'
  return issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
}

function expectedOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `expected ${typeWords[issue.expected] ?? issue.expected}`
  }
  return issue.message.replace(/^Invalid input: /, '')
}

// Of what is too long its length says more than its beginning.
function found(issue: Issue): string {
  const { input } = issue
  // Fastify hands on a body that was left out as null.
  if (input === null && issue.path.length === 0) return 'nothing'
  if (Number.isNaN(input)) return 'a text that is no number'
  const isSize = issue.code === 'too_big' || issue.code === 'too_small'
  if (isSize && typeof input === 'string') return `${input.length} characters`
  if (isSize && Array.isArray(input)) return String(input.length)
  return shown(input)
}

/** Longest value that is shown, in characters. */
const shownMax = 60

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
