// The words and signs of a shell line: quotes, operators, here-documents. What they mean together is parse.ts.

/** Part of a word. `quoted` parts are not split into fields; `literal` parts are not expanded. */
export interface Part {
  readonly text: string
  readonly quoted: boolean
  readonly literal: boolean
}

/** A word before expansion. */
export type Word = readonly Part[]

/** A here-document: its body comes lines after its sign. */
export interface HereDocument {
  readonly delimiter: Word
  body: string
}

/** A word, a sign, or a here-document's sign with what belongs to it. */
export type Token =
  | { readonly kind: 'word'; readonly word: Word }
  | { readonly kind: 'op'; readonly op: string }
  | { readonly kind: 'here'; readonly document: HereDocument }

const blank = /[ \t]+|\\\n/y
const comment = /#[^\n]*/y
const here = /<<-?[ \t]*/y
const operator = /2>&1|2>>|2>|1?>&2|>>|&&|\|\||[><;|()\n]/y

/** Kinds of word parts: the pattern, and what is made of its match. A quote that does not end matches none of them. */
const parts: readonly (readonly [RegExp, (match: RegExpExecArray) => Part])[] = [
  [/'([^']*)'/y, (match) => ({ text: match[1] ?? '', quoted: true, literal: true })],
  [/"((?:[^"\\]|\\[^])*)"/y, (match) => ({ text: match[1] ?? '', quoted: true, literal: false })],
  [/\\([^])/y, (match) => ({ text: match[1] ?? '', quoted: true, literal: true })],
  [/(?:\$\([^)]*\)|[^\s;|&<>()'"\\])+/y, ([text]) => ({ text, quoted: false, literal: false })],
]

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** The tokens of a text, or `more`: a quote or a here-document is still open. */
export function tokensOf(text: string): Token[] | 'more' {
  const tokens: Token[] = []
  let pending: HereDocument[] = []
  let at = 0
  while (at < text.length) {
    const skipped =
      matchAt(blank, text, at) ?? (startsWord(tokens, text, at) ? matchAt(comment, text, at) : null)
    if (skipped !== null) {
      at += skipped[0].length
      continue
    }
    const read = readToken(text, at)
    if (read === undefined) return 'more'
    at = read.end
    tokens.push(read.token)
    if (read.token.kind === 'here') pending.push(read.token.document)
    if (read.token.kind !== 'op' || read.token.op !== '\n') continue
    for (const document of pending) {
      const end = readBody(text, at, document)
      if (end === undefined) return 'more'
      at = end
    }
    pending = []
  }
  return pending.length > 0 ? 'more' : tokens
}

/** A `#` in the middle of a word is no comment. */
function startsWord(tokens: readonly Token[], text: string, at: number): boolean {
  return tokens.length === 0 || /[\s;|&()]/.test(text[at - 1] ?? ' ')
}

function readToken(
  text: string,
  at: number,
): { readonly token: Token; readonly end: number } | undefined {
  const sign = matchAt(here, text, at)
  if (sign !== null) {
    const read = readWord(text, at + sign[0].length)
    return read === undefined
      ? undefined
      : { token: { kind: 'here', document: { delimiter: read.word, body: '' } }, end: read.end }
  }
  const op = matchAt(operator, text, at)
  if (op !== null) return { token: { kind: 'op', op: op[0] }, end: at + op[0].length }
  const read = readWord(text, at)
  return read === undefined
    ? undefined
    : { token: { kind: 'word', word: read.word }, end: read.end }
}

function readWord(
  text: string,
  from: number,
): { readonly word: Word; readonly end: number } | undefined {
  const word: Part[] = []
  let at = from
  for (;;) {
    const found = parts
      .map(([pattern, make]) => ({ match: matchAt(pattern, text, at), make }))
      .find(({ match }) => match !== null)
    const match = found?.match
    if (found === undefined || match === null || match === undefined) break
    word.push(found.make(match))
    at += match[0].length
  }
  // What stands here and is no part is a quote that does not end, or a lone backslash.
  const open = /['"\\]/.test(text[at] ?? '') || word.length === 0
  return open ? undefined : { word, end: at }
}

/** Text of a word without its quotes. */
function wordText(word: Word): string {
  return word.map((part) => part.text).join('')
}

/** Reads the body of a here-document; answers where it ends, or undefined: it does not yet. */
function readBody(text: string, from: number, document: HereDocument): number | undefined {
  const delimiter = wordText(document.delimiter)
  let at = from
  let body = ''
  while (at < text.length) {
    const stop = text.indexOf('\n', at)
    const end = stop < 0 ? text.length : stop
    const line = text.slice(at, end)
    at = end + 1
    if (line === delimiter) {
      document.body = body
      return Math.min(at, text.length)
    }
    body += `${line}\n`
  }
  return undefined
}
