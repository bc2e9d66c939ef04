// The grammar of the shell: lists, pipes, groups, `while` and redirections. No functions: what an operator's line needs, not a whole sh.

import { type HereDocument, type Token, tokensOf, type Word } from './tokens.ts'

/** Where a stream goes. */
export type Redirection =
  | { readonly kind: '<' | '>' | '>>' | '2>' | '2>>'; readonly target: Word }
  | { readonly kind: '2>&1' | '>&2' }
  | { readonly kind: '<<'; readonly document: HereDocument }

/** `while …; do …; done`. */
export interface Loop {
  readonly condition: readonly Step[]
  readonly body: readonly Step[]
}

/** A simple command, a group, or a loop. */
export interface Command {
  readonly words: readonly Word[]
  readonly redirections: readonly Redirection[]
  /** Body of `( … )` or `{ …; }`. */
  readonly group: readonly Step[] | undefined
  readonly loop: Loop | undefined
}

/** A pipeline, and when it runs. */
export interface Step {
  readonly when: 'always' | 'and' | 'or'
  readonly pipeline: readonly Command[]
}

/** What the text is so far. */
export type Parsed =
  | { readonly kind: 'ok'; readonly steps: readonly Step[] }
  /** A quote or a here-document is open: more lines are needed. */
  | { readonly kind: 'more' }
  | { readonly kind: 'error'; readonly near: string }

/** Parses one or more lines. */
export function parseShell(text: string): Parsed {
  const tokens = tokensOf(text)
  if (tokens === 'more') return { kind: 'more' }
  const reader: Reader = { tokens, at: 0 }
  try {
    const steps = parseList(reader)
    return reader.at < tokens.length
      ? { kind: 'error', near: signAt(reader) ?? 'word' }
      : { kind: 'ok', steps }
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'error', near: error.message }
    throw error
  }
}

interface Reader {
  readonly tokens: readonly Token[]
  at: number
}

/** The sign that stands next, a brace or a word of a loop included, or undefined: any other word or nothing. */
function signAt({ tokens, at }: Reader): string | undefined {
  const token = tokens[at]
  if (token?.kind === 'op') return token.op
  if (token?.kind !== 'word' || token.word.length !== 1) return undefined
  const [part] = token.word
  return part?.quoted === false && /^(?:[{}]|while|do|done)$/.test(part.text)
    ? part.text
    : undefined
}

const closings: ReadonlySet<string> = new Set([')', '}', 'do', 'done'])
const joints: Readonly<Record<string, Step['when']>> = { '&&': 'and', '||': 'or' }

function parseList(reader: Reader): Step[] {
  const steps: Step[] = []
  let when: Step['when'] = 'always'
  while (reader.at < reader.tokens.length) {
    const sign = signAt(reader) ?? ''
    if (closings.has(sign)) break
    const joint = joints[sign]
    if (joint !== undefined) {
      if (steps.length === 0 || when !== 'always') throw new SyntaxError(sign)
      when = joint
      reader.at += 1
    } else if (sign === ';' || sign === '\n') {
      // A joint may be followed by a line end, but not by a semicolon.
      if (sign === ';') when = 'always'
      reader.at += 1
    } else {
      steps.push({ when, pipeline: parsePipeline(reader) })
      when = 'always'
    }
  }
  if (when !== 'always') throw new SyntaxError('end of file')
  return steps
}

function parsePipeline(reader: Reader): Command[] {
  const commands = [parseCommand(reader)]
  while (signAt(reader) === '|') {
    reader.at += 1
    commands.push(parseCommand(reader))
  }
  return commands
}

function parseCommand(reader: Reader): Command {
  const { group, loop } = parseCompound(reader)
  const isWhole = group !== undefined || loop !== undefined
  const words: Word[] = []
  const redirections: Redirection[] = []
  for (;;) {
    const token = reader.tokens[reader.at]
    const redirection = parseRedirection(reader)
    if (redirection !== undefined) redirections.push(redirection)
    else if (token?.kind === 'word' && !(isWhole && signAt(reader) !== undefined)) {
      words.push(token.word)
      reader.at += 1
    } else break
  }
  if (words.length === 0 && redirections.length === 0 && !isWhole) {
    throw new SyntaxError(signAt(reader) ?? 'end of file')
  }
  return { words, redirections, group, loop }
}

function parseCompound(reader: Reader): Pick<Command, 'group' | 'loop'> {
  const group = parseGroup(reader)
  return { group, loop: group === undefined ? parseLoop(reader) : undefined }
}

function parseGroup(reader: Reader): Step[] | undefined {
  const closing = { '(': ')', '{': '}' }[signAt(reader) ?? '']
  if (closing === undefined) return undefined
  reader.at += 1
  const steps = parseList(reader)
  if (signAt(reader) !== closing) throw new SyntaxError(signAt(reader) ?? 'end of file')
  reader.at += 1
  return steps
}

function parseLoop(reader: Reader): Loop | undefined {
  if (signAt(reader) !== 'while') return undefined
  const part = (closing: string): Step[] => {
    reader.at += 1
    const steps = parseList(reader)
    if (signAt(reader) !== closing) throw new SyntaxError(signAt(reader) ?? 'end of file')
    return steps
  }
  const loop = { condition: part('do'), body: part('done') }
  reader.at += 1
  return loop
}

/** The redirection that stands next, taken, or undefined: there is none. */
function parseRedirection(reader: Reader): Redirection | undefined {
  const token = reader.tokens[reader.at]
  if (token?.kind === 'here') {
    reader.at += 1
    return { kind: '<<', document: token.document }
  }
  if (token?.kind !== 'op' || !/[<>]/.test(token.op)) return undefined
  reader.at += 1
  if (token.op === '2>&1') return { kind: '2>&1' }
  if (token.op.endsWith('>&2')) return { kind: '>&2' }
  const target = reader.tokens[reader.at]
  if (target?.kind !== 'word') throw new SyntaxError(signAt(reader) ?? 'newline')
  reader.at += 1
  // The lexer knows no other signs with these characters.
  return { kind: token.op as '<' | '>' | '>>' | '2>' | '2>>', target: target.word }
}
