// zod's issues → the problems that a client is shown: each with its place and one sentence. Pure.

import type { z } from 'zod'

/** One problem of a request. `path` is a JSON Pointer; '' = the whole. */
export interface RequestProblem {
  readonly path: string
  readonly message: string
}

type Issue = z.core.$ZodIssue

/** All problems behind a failed parse. Of a union those of the branch that the client meant. */
export function problemsOf(issues: readonly Issue[], prefix = ''): readonly RequestProblem[] {
  return issues.flatMap((issue) => {
    const path = prefix + pointer(issue.path)
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      return problemsOf(meantBranch(issue.errors), path)
    }
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: path + pointer([key]),
        message: 'no such field is known here',
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

// zod's own words, as far as they are heard at all, in the words of the rest: what was expected, what was found.
function sentence(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return 'is missing'
  }
  return issue.message.replace(/^Invalid input: /, '').replace(', received ', ', found ')
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
