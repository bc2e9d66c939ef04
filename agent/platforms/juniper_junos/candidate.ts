// The transaction of Junos: an exclusive candidate, its difference, a commit that is taken back unless it is confirmed from a second session.

import { AgentError, lastOutputMax } from '../../errors.ts'
import {
  type CandidateTransaction,
  type CommitTimer,
  enter,
  free,
  inside,
  type Line,
  type Pending,
  type Refusal,
  type Rendering,
} from '../../platform.ts'
import { candidate, operational } from './dialogue.ts'
import { normalQuotes, readCompare } from './statements.ts'

/** Length of the window, in minutes: long enough for a read-back over a second session, short enough to wait for. */
const windowMinutes = 5

/** The device's own timer fired up to 35 s late in trials. */
const latenessMs = 90_000

/** Commits on large configurations take minutes. */
const commitMs = 300_000

/** Confirmation by `commit check` is quick, but checks everything. */
const checkMs = 180_000

/** An entry's first line, whole up to who committed: `0   2026-11-24 10:02:11 UTC by ops via cli`. */
const entryHead = /^(\d+) {2,}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ by \S.* via \S/

function tokenIn(entry: string): string | undefined {
  return /^[ \t]+nullroute ([0-9a-f]{8})[ \t]*$/m.exec(entry)?.[1]
}

/**
 * Whether entry 0 of `show system commit` waits for a confirmation, and whether it is of ours: its comment is our token.
 * That it waits is the last thing that an entry says, so that it doesn't is known only where entry 1 follows: an answer that ends before may
 * have been cut. Whatever a commit waits for to be taken back to is an entry too. On a device that is new, with one commit or none, `count` has
 * to say that nothing waits.
 */
export function pending(answer: string, count = ''): Pending {
  const entries = answer
    .split(/^(?=\d+ {2,}\d{4}-)/m)
    .filter((text) => /^\d+ {2,}\d{4}-/.test(text))
  const [first = '', second = '', ...older] = entries
  const isNone = countsNone.test(count)
  if (answer.trim() === '' && isNone) return { kind: 'none', token: undefined, earlier: [] }
  if (entryHead.exec(first)?.[1] !== '0') throw unreadable(answer, 'names no entry 0')
  const waits = /^[ \t]+rollback pending[ \t]*$/m.test(first)
  const isFollowed = second === '' ? isNone : second.startsWith('1 ')
  if (!waits && !isFollowed) {
    throw unreadable(answer, 'ends in entry 0: whether it waits can’t be told')
  }
  const earlier = [second, ...older].flatMap((entry) => tokenIn(entry) ?? [])
  return { kind: waits ? 'pending' : 'none', token: tokenIn(first), earlier }
}

const countsNone = /^Count: 0 lines$/m

/** How many entries say that they wait, in the device's own count: an answer that ends too early has none. */
export const countQuestion = 'show system commit | match "rollback pending" | count'

/** Whether an answer can only be judged with that count. */
export function needsCount(answer: string): boolean {
  try {
    pending(answer)
    return false
  } catch {
    return true
  }
}

function unreadable(answer: string, what: string): AgentError {
  return new AgentError('unknown_output', `\`show system commit\` ${what}`, {
    lastOutput: answer.slice(-lastOutputMax),
  })
}

/** What the lines of all renderings must show: `set` of `apply` as added, what `undo` would set again as removed, and what is switched. */
function expected(renderings: readonly Rendering[]): ReadonlySet<string> {
  const found = new Set<string>()
  const add = (sign: string, line: Line, verb: string): void => {
    if (!line.text.startsWith(`${verb} `)) return
    found.add(`${sign}${normalQuotes(line.text.slice(verb.length + 1))}`)
  }
  for (const rendering of renderings) {
    if (rendering.kind !== 'lines') continue
    for (const line of rendering.apply) {
      add('+', line, 'set')
      add('!inactive ', line, 'deactivate')
      add('!active ', line, 'activate')
    }
    for (const line of rendering.undo) add('-', line, 'set')
  }
  return found
}

/** The difference must be exactly the changes, statement by statement: anything else in the candidate would be committed too. */
function judge(diff: string, renderings: readonly Rendering[]): Refusal | undefined {
  const shown = readCompare(diff)
  if (shown === undefined) {
    return { message: `the device's difference has lines of an unknown form: ${diff.trim()}` }
  }
  const wanted = expected(renderings)
  const seen = new Set(shown.map(({ sign, path }) => `${sign}${path}`))
  const more = [...seen].filter((one) => !wanted.has(one))
  const missing = [...wanted].filter((one) => !seen.has(one))
  if (more.length === 0 && missing.length === 0) return undefined
  const parts = [
    ...(more.length === 0 ? [] : [`not meant: ${more.join('; ')}`]),
    ...(missing.length === 0 ? [] : [`missing: ${missing.join('; ')}`]),
  ]
  return { message: `the candidate is not what was meant: ${parts.join(', ')}` }
}

const toCandidate: Line = {
  ...enter('configure exclusive', operational, candidate),
  expect: /^Entering configuration mode$/m,
  // Held by somebody, or with edits of somebody in it that are not committed.
  locked: /configuration database (?:locked|modified)/,
}

const toRest: Line = enter('exit configuration-mode', candidate, operational)

const check: Line = {
  ...inside('commit check', candidate),
  expect: /^configuration check succeeds$/m,
  deadlineMs: checkMs,
}

function plainCommit(text = 'commit'): Line {
  return {
    ...inside(text, candidate),
    expect: /^commit complete$/m,
    deadlineMs: commitMs,
  }
}

function rollback(to: number): Line {
  return { ...inside(`rollback ${to}`, candidate), expect: /^load complete$/m }
}

/** It undoes our commit alone: whatever anybody else commits inside the window confirms ours. */
const timer: CommitTimer = {
  undoes: 'commit',
  commit: (token) => ({
    ...inside(`commit confirmed ${windowMinutes} comment "nullroute ${token}"`, candidate),
    // Both: a plain commit would be there for good. Looked for from the first such line alone, or a text full of them would be read once for each.
    expect:
      /^(?:(?!commit confirmed will be )[^\n]*\n)*commit confirmed will be automatically rolled back in \d+ minutes?[^\n]*\n(?:[^\n]*\n)*?commit complete(?:\n|$)/,
    deadlineMs: commitMs,
  }),
  look: free('show system commit | no-more', operational),
  pending,
  lookInside: inside('run show system commit | no-more', candidate),
  count: free(countQuestion, operational),
  countInside: inside(`run ${countQuestion}`, candidate),
  // `commit check` inside the window confirms and commits nothing, whatever others left in the shared candidate.
  confirm: [check],
  // Only from exclusive mode, where the candidate is empty: a plain `commit` would activate the edits of others.
  confirmHarder: (token) => [plainCommit(`commit comment "nullroute ${token}"`)],
  cancel: [rollback(1), plainCommit()],
  windowMs: windowMinutes * 60_000 + latenessMs,
}

/** Exclusive throughout: there a commit concerns our lines only, and edits of a lost session are thrown away by the device. Each commit is made with the timer. */
export const transaction: CandidateTransaction = {
  kind: 'candidate',
  enter: () => [toCandidate],
  diff: inside('show | compare | no-more', candidate),
  judge,
  check,
  leave: [toRest],
  abort: [rollback(0), toRest],
  timer,
}
