// The grammar of the shell: lists, pipes, quotes, redirections and here-documents. No functions and no loops: what an operator's line needs, not a whole sh.

/** Part of a word. `quoted` parts are not split into fields; `literal` parts are not expanded. */
export interface Part {
  readonly text: string
  readonly quoted: boolean
  readonly literal: boolean
}

/** A word before expansion. */
export type Word = readonly Part[]

/** Where a stream goes. */
export interface Redirection {
  readonly kind: '<' | '>' | '>>' | '2>' | '2>>' | '2>&1' | '>&2' | '<<'
  readonly target: Word
  /** Body of a here-document. */
  body?: string
}

/** A simple command. */
export interface Command {
  readonly words: readonly Word[]
  readonly redirections: readonly Redirection[]
  /** Body of `( … )` or `{ …; }`. */
  readonly group?: readonly Step[]
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

type Token =
  | { readonly kind: 'word'; readonly word: Word }
  | { readonly kind: 'op'; readonly op: string }

/** Parses one or more lines. */
export function parseShell(text: string): Parsed {
  const tokens: Token[] = []
  const documents: Redirection[] = []
  const end = tokenize(text, tokens, documents)
  if (end === 'more') return { kind: 'more' }
  try {
    const reader = { tokens, at: 0 }
    const steps = parseList(reader)
    const left = reader.tokens[reader.at]
    if (left !== undefined) return { kind: 'error', near: left.kind === 'op' ? left.op : 'word' }
    return { kind: 'ok', steps }
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'error', near: error.message }
    throw error
  }
}

const operators = [
  '<<',
  '2>&1',
  '2>>',
  '2>',
  '>&2',
  '1>&2',
  '>>',
  '&&',
  '||',
  '>',
  '<',
  ';',
  '|',
  '(',
  ')',
  '\n',
]

function tokenize(text: string, tokens: Token[], documents: Redirection[]): 'done' | 'more' {
  let at = 0
  let pending: Redirection[] = []
  while (at < text.length) {
    const char = text[at] ?? ''
    if (char === ' ' || char === '\t') {
      at += 1
      continue
    }
    if (char === '#' && /(?:^|[\s;])$/.test(text.slice(0, at))) {
      while (at < text.length && text[at] !== '\n') at += 1
      continue
    }
    const op = operators.find((one) => text.startsWith(one, at))
    if (
      op !== undefined &&
      !(op.startsWith('2') && /\S$/.test(text.slice(0, at)) && !/[;&|]$/.test(text.slice(0, at)))
    ) {
      at += op.length
      if (op === '\n' && pending.length > 0) {
        for (const document of pending) {
          const body = readDocument(text, at, wordText(document.target))
          if (body === undefined) return 'more'
          document.body = body.text
          at = body.end
        }
        pending = []
      }
      tokens.push({ kind: 'op', op })
      if (op === '<<') {
        while (text[at] === ' ' || text[at] === '-') at += 1
        const read = readWord(text, at)
        if (read === undefined) return 'more'
        at = read.end
        const document: Redirection = { kind: '<<', target: read.word }
        tokens.push({ kind: 'word', word: read.word })
        pending.push(document)
        documents.push(document)
        documentOf.set(read.word, document)
      }
      continue
    }
    const read = readWord(text, at)
    if (read === undefined) return 'more'
    at = read.end
    tokens.push({ kind: 'word', word: read.word })
  }
  return pending.length > 0 ? 'more' : 'done'
}

/** The here-document that a delimiter word belongs to: the body comes lines later. */
const documentOf = new WeakMap<Word, Redirection>()

/** Text of a word without its quotes. */
export function wordText(word: Word): string {
  return word.map((part) => part.text).join('')
}

function readDocument(
  text: string,
  from: number,
  delimiter: string,
): { readonly text: string; readonly end: number } | undefined {
  let at = from
  const lines: string[] = []
  while (at < text.length) {
    const stop = text.indexOf('\n', at)
    const line = text.slice(at, stop < 0 ? text.length : stop)
    at = stop < 0 ? text.length : stop + 1
    if (line === delimiter) return { text: lines.map((one) => `${one}\n`).join(''), end: at }
    lines.push(line)
  }
  return undefined
}

function readWord(
  text: string,
  from: number,
): { readonly word: Word; readonly end: number } | undefined {
  const word: Part[] = []
  let at = from
  let plain = ''
  const flush = (): void => {
    if (plain !== '') word.push({ text: plain, quoted: false, literal: false })
    plain = ''
  }
  while (at < text.length && !/[\s;|&<>()]/.test(text[at] ?? '')) {
    const char = text[at] ?? ''
    if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) return undefined
      flush()
      word.push({ text: text.slice(at + 1, end), quoted: true, literal: true })
      at = end + 1
    } else if (char === '"') {
      const end = closing(text, at + 1)
      if (end === undefined) return undefined
      flush()
      word.push({ text: text.slice(at + 1, end), quoted: true, literal: false })
      at = end + 1
    } else if (char === '\\') {
      if (at + 1 >= text.length) return undefined
      flush()
      if (text[at + 1] !== '\n')
        word.push({ text: text[at + 1] ?? '', quoted: true, literal: true })
      at += 2
    } else if (text.startsWith('$(', at)) {
      const end = text.indexOf(')', at)
      if (end < 0) return undefined
      plain += text.slice(at, end + 1)
      at = end + 1
    } else {
      plain += char
      at += 1
    }
  }
  flush()
  return { word, end: at }
}

function closing(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return undefined
}

interface Reader {
  readonly tokens: readonly Token[]
  at: number
}

function parseList(reader: Reader): Step[] {
  const steps: Step[] = []
  let when: Step['when'] = 'always'
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at]
    if (token?.kind === 'op' && (token.op === ';' || token.op === '\n')) {
      reader.at += 1
      when = 'always'
      continue
    }
    if (token?.kind === 'op' && token.op === ')') break
    if (isWord(token, '}')) break
    if (token?.kind === 'op' && (token.op === '&&' || token.op === '||')) {
      if (steps.length === 0 || when !== 'always') throw new SyntaxError(token.op)
      reader.at += 1
      when = token.op === '&&' ? 'and' : 'or'
      continue
    }
    steps.push({ when, pipeline: parsePipeline(reader) })
    when = 'always'
  }
  if (when !== 'always') throw new SyntaxError('end of file')
  return steps
}

function isWord(token: Token | undefined, text: string): boolean {
  return (
    token?.kind === 'word' &&
    token.word.length === 1 &&
    token.word[0]?.quoted === false &&
    token.word[0].text === text
  )
}

function parsePipeline(reader: Reader): Command[] {
  const commands = [parseCommand(reader)]
  for (;;) {
    const token = reader.tokens[reader.at]
    if (token?.kind !== 'op' || token.op !== '|') return commands
    reader.at += 1
    commands.push(parseCommand(reader))
  }
}

function parseCommand(reader: Reader): Command {
  const words: Word[] = []
  const redirections: Redirection[] = []
  let group: Step[] | undefined
  const opener = reader.tokens[reader.at]
  if ((opener?.kind === 'op' && opener.op === '(') || isWord(opener, '{')) {
    reader.at += 1
    group = parseList(reader)
    const closer = reader.tokens[reader.at]
    const closed = closer?.kind === 'op' ? closer.op === ')' : isWord(closer, '}')
    if (!closed) throw new SyntaxError('end of file')
    reader.at += 1
  }
  for (;;) {
    const token = reader.tokens[reader.at]
    if (token === undefined) break
    if (token.kind === 'word') {
      words.push(token.word)
      reader.at += 1
      continue
    }
    if (!/[<>]/.test(token.op)) break
    reader.at += 1
    redirections.push(parseRedirection(reader, token.op))
  }
  if (words.length === 0 && redirections.length === 0 && group === undefined) {
    const token = reader.tokens[reader.at]
    throw new SyntaxError(token?.kind === 'op' ? token.op : 'end of file')
  }
  return { words, redirections, ...(group === undefined ? {} : { group }) }
}

function parseRedirection(reader: Reader, op: string): Redirection {
  if (op === '2>&1') return { kind: '2>&1', target: [] }
  if (op === '>&2' || op === '1>&2') return { kind: '>&2', target: [] }
  const token = reader.tokens[reader.at]
  if (token?.kind !== 'word') throw new SyntaxError('newline')
  reader.at += 1
  return documentOf.get(token.word) ?? { kind: op as Redirection['kind'], target: token.word }
}
