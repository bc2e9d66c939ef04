// The shell: runs what parse.ts understood. Expansion and redirection are here; the commands are programs.ts.

import { readFile, writeRefusal } from './files.ts'
import { type Command, type Loop, parseShell, type Redirection, type Step } from './parse.ts'
import { runProgram } from './programs.ts'
import { fail, type Ran } from './ran.ts'
import type { LinuxState } from './state.ts'
import type { Part, Word } from './tokens.ts'

/** One running shell. */
export interface Shell {
  readonly kind: 'bash' | 'sh'
  readonly variables: Map<string, string>
  status: number
  /** Line number, for error texts. */
  line: number
  readonly root: boolean
  readonly user: string
}

/** What running lines came to, beside what they printed. */
export interface Outcome {
  readonly text: string
  /** `exec` or a start of another shell. */
  readonly shell?: { readonly replaces: boolean; readonly variables: ReadonlyMap<string, string> }
  readonly exit?: boolean
  readonly echo?: boolean
  /** sudo wants a password. */
  readonly password?: boolean
}

/** Everything that one line's run has to know. */
export interface Run {
  readonly state: LinuxState
  readonly shell: Shell
  printed: string
  /** Lines that a loop has yet to read. */
  readonly lines?: string[]
  outcome: Omit<Outcome, 'text'>
  /** Runs lines inside this one, and answers what they print: `$( … )`, `sh -c`. */
  inner(text: string): string
}

/** Runs complete lines. */
export function runShell(state: LinuxState, shell: Shell, text: string): Outcome {
  const parsed = parseShell(text)
  shell.line += 1
  if (parsed.kind === 'more') return { text: '' }
  if (parsed.kind === 'error') {
    shell.status = 2
    const near = parsed.near === '\n' ? 'newline' : parsed.near
    return { text: `${complaint(shell)}Syntax error: "${near}" unexpected\n` }
  }
  const inner = (lines: string): string => runShell(state, shell, lines).text
  const run: Run = { state, shell, printed: '', outcome: {}, inner }
  runSteps(run, parsed.steps)
  return { text: run.printed, ...run.outcome }
}

/** What stands before a complaint of the shell's own. */
function complaint({ kind, line }: Shell): string {
  return kind === 'bash' ? `-bash: line ${line}: ` : `sh: ${line}: `
}

function runSteps(run: Run, steps: readonly Step[]): void {
  for (const { when, pipeline } of steps) {
    if (run.outcome.exit === true || run.outcome.shell !== undefined) return
    if (when === 'and' && run.shell.status !== 0) continue
    if (when === 'or' && run.shell.status === 0) continue
    runPipeline(run, pipeline)
  }
}

function runPipeline(run: Run, pipeline: readonly Command[]): void {
  let input = ''
  for (const command of pipeline) {
    const result = runCommand(run, command, input)
    run.shell.status = result.status
    if (result.shown !== undefined && command === pipeline.at(-1)) {
      run.printed += result.shown
      return
    }
    run.printed += result.err
    input = result.out
  }
  run.printed += input
}

function runCommand(run: Run, command: Command, input: string): Ran {
  const redirected = readRedirections(run, command.redirections, input)
  if (typeof redirected !== 'string') return redirected
  return writeRedirections(run, command.redirections, runBody(run, command, redirected))
}

function runBody(run: Run, { group, loop, words }: Command, input: string): Ran {
  if (group !== undefined) return runGroup(run, group)
  if (loop !== undefined) return runLoop(run, loop, input)
  const expanded = words.flatMap((word) => expandWord(run, word))
  return runWords(run, expanded, input)
}

function runLoop(run: Run, { condition, body }: Loop, input: string): Ran {
  const inner: Run = { ...run, printed: '', outcome: {}, lines: input.split('\n').slice(0, -1) }
  let status = 0
  for (;;) {
    runSteps(inner, condition)
    if (run.shell.status !== 0) break
    runSteps(inner, body)
    status = run.shell.status
  }
  return { out: inner.printed, err: '', status }
}

function runGroup(run: Run, steps: readonly Step[]): Ran {
  const inner: Run = { ...run, printed: '', outcome: {} }
  runSteps(inner, steps)
  return { out: inner.printed, err: '', status: run.shell.status }
}

function runWords(run: Run, words: readonly string[], input: string): Ran {
  const first = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word))
  if (first >= 0) return runProgram(run, words.slice(first), input, run.shell.root)
  for (const word of words) {
    const at = word.indexOf('=')
    run.shell.variables.set(word.slice(0, at), word.slice(at + 1))
  }
  return { out: '', err: '', status: 0 }
}

/** What a command reads, or why it can't run at all. */
function readRedirections(
  run: Run,
  redirections: readonly Redirection[],
  input: string,
): string | Ran {
  let text = input
  for (const one of redirections) {
    const read = readRedirection(run, one)
    if (typeof read === 'object') return read
    text = read ?? text
  }
  return text
}

function readRedirection(run: Run, one: Redirection): string | Ran | undefined {
  if (one.kind === '<<') {
    const { delimiter, body } = one.document
    return delimiter.some((part) => part.quoted) ? body : expandText(run, body)
  }
  if (!('target' in one)) return undefined
  const name = expandWord(run, one.target).join(' ')
  if (one.kind === '<') {
    const content = readFile(run.state, name)
    return content ?? fail(2, `${complaint(run.shell)}cannot open ${name}: No such file\n`)
  }
  const refusal = writeRefusal({ state: run.state, root: run.shell.root }, name)
  return refusal === undefined
    ? undefined
    : fail(2, `${complaint(run.shell)}cannot create ${name}: ${refusal}\n`)
}

function writeRedirections(run: Run, redirections: readonly Redirection[], result: Ran): Ran {
  let { out, err } = result
  if (redirections.every(({ kind }) => kind === '<' || kind === '<<')) return result
  for (const one of redirections) {
    if (one.kind === '<' || one.kind === '<<') continue
    if (one.kind === '2>&1') {
      out += err
      err = ''
    } else if (one.kind === '>&2') {
      err += out
      out = ''
    } else if ('target' in one) {
      const errors = one.kind.startsWith('2')
      store(run, expandWord(run, one.target).join(' '), errors ? err : out, one.kind.endsWith('>>'))
      if (errors) err = ''
      else out = ''
    }
  }
  return { out, err, status: result.status }
}

function store({ state }: Run, name: string, text: string, append: boolean): void {
  if (name === '/dev/null') return
  state.files.set(name, append ? (state.files.get(name) ?? '') + text : text)
}

/** The fields that a word becomes: none, one, or several where an unquoted parameter holds blanks. */
function expandWord(run: Run, word: Word): string[] {
  let fields: string[] = ['']
  let any = false
  for (const part of word) {
    const [first = '', ...more] = expandPart(run, part)
    fields = [...fields.slice(0, -1), (fields.at(-1) ?? '') + first, ...more]
    any ||= part.quoted || first !== '' || more.length > 0
  }
  return any ? fields : []
}

function expandPart(run: Run, part: Part): string[] {
  if (part.literal) return [part.text]
  const text = expandText(run, part.text)
  if (part.quoted) return [text.replaceAll(/\\(["\\$`])/g, '$1')]
  return part.text.includes('$') ? text.trim().split(/\s+/) : [text]
}

const expansion =
  /\\\$|\$\((?<command>[^)]*)\)|\$\{(?<name>\w+)(?:(?::?-(?<otherwise>[^}]*))|(?<cut>%%?|##?)(?<pattern>[^}]*))?\}|\$(?<bare>\w+|[?$#!])/g

/** Parameters and command substitutions. */
function expandText(run: Run, text: string): string {
  return text.replaceAll(expansion, (whole, ...rest) => {
    if (whole === '\\$') return '$'
    // With named groups, the last argument is their object.
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>
    const { command, name, otherwise = '', bare, cut, pattern = '' } = groups
    if (command !== undefined) return run.inner(command).replace(/\n+$/, '')
    const value = parameter(run.shell, name ?? bare ?? '')
    return cut === undefined ? value || otherwise : trimmed(value, cut, pattern)
  })
}

/** `${X%pattern}` and its kin: the shortest or longest piece that fits is taken off the end or the begin. */
function trimmed(value: string, cut: string, pattern: string): string {
  const glob = new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^]*')
      .replaceAll('?', '[^]')}$`,
  )
  const end = cut.startsWith('%')
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length)
  const ordered = cut.length === 2 ? lengths.reverse() : lengths
  const piece = (length: number): string =>
    end ? value.slice(value.length - length) : value.slice(0, length)
  const length = ordered.find((one) => glob.test(piece(one))) ?? 0
  return end ? value.slice(0, value.length - length) : value.slice(length)
}

/** Value of a parameter, '' where it has none. */
export function parameter(shell: Shell, name: string): string {
  if (name === '?') return String(shell.status)
  if (name === '$') return '4711'
  return shell.variables.get(name) ?? ''
}
