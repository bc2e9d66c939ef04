// Many lines as one: by what stands in a here-document. As root `ip` and `nft` read it themselves; with the sudo fragment a loop of the shell takes it
// line by line and runs just the commands that the fragment allows. `ip -batch` and `nft -f` are never run by sudo: a batch may leave the network
// namespace or include a file, so the right to either is the right to everything.

import {
  type Answer,
  type Batch,
  type Facts,
  free,
  type Line,
  type Refusal,
  type Unwrapped,
} from '../../platform.ts'
import { failed, sudo } from './session.ts'

/** Fewest lines that go out together. */
const linesMin = 16

/** Most lines of a batch that root's `ip` or `nft` reads, which a freeze does not part: 5,000 took a tenth of a second. */
const linesMax = 4_096

/** Most lines of a batch that sudo runs one by one, each in some 10 ms and on a busy host in 100: a freeze has to wait for all of them. */
const sudoLinesMax = 64

/** Longest time for a batch, in ms: on a busy host sudo takes ten times as long. */
const batchMs = 180_000

/** Whose lines go into which batch. */
export function batches(facts: Facts): readonly Batch[] {
  return facts['root'] === 'yes' ? [rootRoutes, rootElements] : [sudoRoutes, sudoElements]
}

/** A command with this text as its input: one line to the terminal, since no prompt comes before its end. */
export function document(command: string, body: readonly string[], end = 'EOF'): string {
  return [`${command} <<'${end}'`, ...body, end].join('\n')
}

const route = /^ip (?:-6 )?(route (?:prepend|add|del) blackhole [0-9a-f.:/]+ proto 223.*)$/
const statements = /^nft '([^'\n]+)'$/

const rootRoutes = batchOf(route, {
  max: linesMax,
  // Without -force: where a line is refused, those behind it are known not to have been done. A batch takes no options, the family is the prefix's.
  command: 'ip -batch -',
  unwrap: unwrapRoutes,
})

const rootElements = batchOf(statements, {
  max: linesMax,
  command: 'nft -f -',
  unwrap: unwrapElements,
})

const sudoRoutes = batchOf(/^setsid -w sudo -n ip ((?:-6 )?route (?:prepend|add|del) .*)$/, {
  max: sudoLinesMax,
  command: loop('ip'),
  unwrap: unwrapLoop,
})

const sudoElements = batchOf(
  /^setsid -w sudo -n nft ((?:add|delete) element (?:inet|bridge) nullroute \S+ '[^']*')$/,
  { max: sudoLinesMax, command: loop('nft'), unwrap: unwrapLoop },
)

/** Each line is parted at its blanks, as the shell does it: none of ours holds a sign that a file name could be made of. */
function loop(program: 'ip' | 'nft'): string {
  return `while IFS= read -r l; do ${sudo} ${program} $l </dev/null; echo "status $?"; done`
}

function batchOf(
  pattern: RegExp,
  {
    max,
    command,
    unwrap,
  }: {
    readonly max: number
    readonly command: string
    readonly unwrap: Batch['unwrap']
  },
): Batch {
  const bodyOf = ({ text }: Line): string => (pattern.exec(text)?.[1] ?? '').replaceAll("'", '')
  return {
    holds: ({ text }) => pattern.test(text),
    linesMin,
    linesMax: max,
    wrap: (lines) => [
      { ...free(document(command, lines.map(bodyOf)), 'shell'), deadlineMs: batchMs },
    ],
    unwrap,
  }
}

/** All in, or the kernel's no to one line with its number. A batch that ended otherwise (a syntax error has no number) is sent again line by line. */
function unwrapRoutes(lines: readonly Line[], [answer]: readonly Answer[]): Unwrapped {
  if (answer === undefined) return { kind: 'each', answers: [] }
  if (isQuiet(answer)) return { kind: 'each', answers: lines.map((line) => done(line)) }
  const [, message = '', number] =
    /^([^\n]+)\nCommand failed -:(\d+)$/.exec(answer.text.trim()) ?? []
  const at = Number(number ?? 0) - 1
  const refused = lines[at]
  if (refused === undefined) return thrown(answer)
  const before = lines.slice(0, at).map((line) => done(line))
  return { kind: 'each', answers: [...before, answerOf(refused, message, 2)] }
}

/** One transaction: all of it or nothing. */
function unwrapElements(lines: readonly Line[], [answer]: readonly Answer[]): Unwrapped {
  if (answer === undefined) return { kind: 'each', answers: [] }
  return isQuiet(answer)
    ? { kind: 'each', answers: lines.map((line) => done(line)) }
    : thrown(answer)
}

/** What each command printed, with its status in a line of its own behind it. */
function unwrapLoop(lines: readonly Line[], [answer]: readonly Answer[]): Unwrapped {
  const answers: Answer[] = []
  let text: string[] = []
  for (const one of answer?.text.split('\n') ?? []) {
    const status = /^status (\d+)$/.exec(one)?.[1]
    const line = lines[answers.length]
    if (status === undefined || line === undefined) {
      text.push(one)
      continue
    }
    answers.push(answerOf(line, text.join('\n'), Number(status)))
    text = []
  }
  return answer !== undefined && answers.length === 0 ? thrown(answer) : { kind: 'each', answers }
}

function isQuiet({ text, status }: Answer): boolean {
  return status === 0 && text.trim() === ''
}

/** Characters of a refusal that are kept. */
const messageMax = 500

function thrown({ line, text, status }: Answer): Unwrapped {
  const message = text.trim() === '' ? `exit status ${status ?? 'unknown'}` : text.trim()
  return {
    kind: 'thrown',
    line: line.text.split('\n')[0] ?? '',
    message: message.slice(0, messageMax),
  }
}

function done(line: Line): Answer {
  return answerOf(line, '', 0)
}

function answerOf(line: Line, text: string, status: number): Answer {
  const refusal: Refusal | undefined = failed(line, text, status)
  return { line, text, status, ...(refusal === undefined ? {} : { refusal }) }
}
