// What was sent and what came back → one answer for each line, or a reason to believe nothing. Pure: text in, answers out.
// A prompt-like text inside an answer must never end it early, so the end of an answer is a prompt that the echo of the next line follows;
// behind the last line of a run of reads an empty line is sent, and the end is two prompts with nothing between them.

import type { Context, Line, Platform, Prompt, Prompts, Seen } from './platform.ts'

/** Lines that went out in one write, and what was on the screen before. */
export interface Batch {
  readonly lines: readonly Line[]
  /** An empty line was sent behind the last one. */
  readonly sentinel: boolean
  /** The prompt behind which the first echo is due. */
  readonly lead: string
}

/** What one line got: the text between its echo and the next prompt. */
export interface Piece {
  readonly text: string
  readonly context: Context
  readonly status?: number
}

/** How far the answers to a batch are. `last` is the text of the prompt that now stands. */
export type Split =
  | { readonly kind: 'incomplete'; readonly answered: number; readonly from: number }
  | { readonly kind: 'complete'; readonly pieces: readonly Piece[]; readonly last: string }
  | { readonly kind: 'desync'; readonly found: string }

/** Most characters in which a prompt, with the lines that belong to it, is looked for. */
const promptMax = 2_000

/** Most characters of prompts and blank lines, where nothing else may be: more are no prompts any more, but a device that doesn't stop. */
export const idleMax = 64 * 1024

/** Most blanks and line ends that may stand between a prompt and what is behind it. */
const blanksMax = 2_000

/** Most characters between a nonce and the end of its prompt. */
const noncePromptMax = 24

/** Shortest line whose second echo is taken out of a read's answer; a shorter one (`end`) may be part of what was read. */
const echoTwiceMin = 8

/** Reads answers out of the text of one kind of session. */
export interface Terminal {
  split(view: string, batch: Batch): Split
  /** The prompt that the text ends with. */
  promptAtEnd(view: string): Prompt | undefined
  /** Whether the text is nothing but prompts and blank lines, and no more of them than `idleMax`. */
  idle(view: string): boolean
}

/** A terminal for a platform, once the session has learnt its prompt. */
export function createTerminal(platform: Platform, seen: Seen): Terminal {
  const prompts = platform.prompt(seen)
  const find = (view: string, end: number, from: number) => promptBefore(prompts, view, end, from)
  return {
    split: (view, batch) =>
      platform.echo
        ? splitByEcho(view, batch, { find, rest: platform.rest })
        : splitByNonce(view, batch, { find, nonce: seen.nonce }),
    promptAtEnd: (view) => find(view, view.length, 0),
    idle: (view) => onlyPrompts(find, view),
  }
}

type Find = (view: string, end: number, from: number) => Prompt | undefined

function promptBefore(
  prompts: Prompts,
  view: string,
  end: number,
  from: number,
): Prompt | undefined {
  const nearest = Math.max(from, end - promptMax)
  const cut = nearest > from ? view.indexOf('\n', nearest) + 1 : from
  // No line end in so much text: an answer's, not a prompt's. A prompt glued behind it is still in the last part.
  const start = nearest > from && (cut === 0 || cut > end) ? nearest : cut
  const found = prompts(view.slice(start, end))
  return found === undefined ? undefined : { ...found, start: found.start + start }
}

function onlyPrompts(find: Find, view: string): boolean {
  if (view.length > idleMax) return false
  let end = view.length
  while (end > 0) {
    const prompt = find(view, end, 0) ?? promptUnderBlanks(find, view, end)
    if (prompt === undefined) return view.slice(0, end).trim() === ''
    end = prompt.start
  }
  return true
}

/** The prompt that stands before the line end (and blanks) at `end`. */
function promptUnderBlanks(find: Find, view: string, end: number): Prompt | undefined {
  let at = end
  while (at > Math.max(0, end - blanksMax) && (view[at - 1] === '\n' || view[at - 1] === ' ')) {
    at -= 1
    const prompt = find(view, at, 0)
    if (prompt !== undefined && view.slice(at, end).includes('\n')) return prompt
  }
  return undefined
}

interface Echo {
  /** Where the echo's line ends. */
  readonly end: number
  readonly prompt: Prompt
}

/** The first place from `from` on where a prompt is followed by the whole of `text` and a line end. */
function findEcho(find: Find, view: string, text: string, from: number): Echo | undefined {
  for (let at = view.indexOf(text, from); at !== -1; at = view.indexOf(text, at + 1)) {
    let end = at + text.length
    while (view[end] === ' ') end += 1
    if (view[end] !== '\n') continue
    const prompt = find(view, at, from)
    if (prompt !== undefined) return { end: end + 1, prompt }
  }
  return undefined
}

function splitByEcho(
  view: string,
  batch: Batch,
  { find, rest }: { readonly find: Find; readonly rest: Context },
): Split {
  const pieces: Piece[] = []
  let from = 0
  for (const [i, line] of batch.lines.entries()) {
    const echo = findEcho(find, view, line.text, from)
    if (echo === undefined) {
      return i === 0
        ? beforeFirstEcho(find, view, batch)
        : { kind: 'incomplete', answered: i - 1, from }
    }
    if (i === 0) {
      const before = view.slice(0, echo.prompt.start)
      if (!onlyPrompts(find, before)) return { kind: 'desync', found: before }
    } else {
      pieces.push(pieceOf(view.slice(from, echo.prompt.start), echo.prompt))
    }
    from = echo.end
  }
  const end = batch.sentinel ? twoPrompts(find, view, from) : lastPrompt(find, view, from)
  if (end === undefined) return { kind: 'incomplete', answered: batch.lines.length - 1, from }
  pieces.push(pieceOf(view.slice(from, end.answerEnd), end.prompt))
  const last = view.slice(end.prompt.start)
  return {
    kind: 'complete',
    pieces: withoutSecondEchoes(pieces, batch, rest),
    last: lastLine(last),
  }
}

/** Nothing of ours was echoed yet: is that only early, or did something else come first? */
function beforeFirstEcho(find: Find, view: string, batch: Batch): Split {
  const text = batch.lines[0]?.text ?? ''
  const waiting: Split = { kind: 'incomplete', answered: 0, from: 0 }
  if (view.startsWith(batch.lead) && text.startsWith(view.slice(batch.lead.length))) return waiting
  return onlyPrompts(find, view) ? waiting : { kind: 'desync', found: view }
}

interface End {
  readonly prompt: Prompt
  readonly answerEnd: number
}

function lastPrompt(find: Find, view: string, from: number): End | undefined {
  const prompt = find(view, view.length, from)
  return prompt === undefined ? undefined : { prompt, answerEnd: prompt.start }
}

/** A prompt, the line end of the empty line, and the prompt again at the very end. */
function twoPrompts(find: Find, view: string, from: number): End | undefined {
  const prompt = find(view, view.length, from)
  if (prompt === undefined) return undefined
  let at = prompt.start
  while (at > from) {
    const first = find(view, at, from)
    if (first !== undefined && view.slice(at, view.length).includes('\n')) {
      return { prompt, answerEnd: first.start }
    }
    if (view[at - 1] !== '\n' && view[at - 1] !== ' ') return undefined
    if (prompt.start - at >= blanksMax) return undefined
    at -= 1
  }
  return undefined
}

/** Without the line ends at the end. No pattern: one would be tried from each line end on. */
function withoutLineEnds(text: string): string {
  let end = text.length
  while (text[end - 1] === '\n') end -= 1
  return text.slice(0, end)
}

function pieceOf(text: string, prompt: Prompt): Piece {
  const piece = { text: withoutLineEnds(text), context: prompt.context }
  return prompt.status === undefined ? piece : { ...piece, status: prompt.status }
}

/**
 * A line typed ahead while the device's line editor was not active is echoed at once by the kernel, into whatever is being printed,
 * and again behind its prompt (seen on vtysh). The first echo is not part of an answer. Where the editor went away between two parts
 * of our write, of 2,048 bytes each on Linux, the echo begins in the middle of a line.
 */
function withoutSecondEchoes(
  pieces: readonly Piece[],
  batch: Batch,
  rest: Context,
): readonly Piece[] {
  const left = new Set(batch.lines.keys())
  return pieces.map((piece, i) => {
    left.delete(i)
    const isRead = batch.lines[i]?.needs === rest
    const text = withoutEchoesOf(left, `${piece.text}\n`, { batch, isRead })
    return { ...piece, text: withoutLineEnds(text) }
  })
}

interface EchoPlace {
  readonly batch: Batch
  readonly isRead: boolean
}

/** Takes the echoes of lines still to be answered out of an answer, and from `left` those that were found. */
function withoutEchoesOf(left: Set<number>, answer: string, place: EchoPlace): string {
  const { batch, isRead } = place
  const lastAt = batch.lines.length - 1
  let text = answer
  for (const j of left) {
    const echo = echoOf(batch, j)
    const at = text.indexOf(echo)
    if (at === -1 || (isRead && echo.length <= echoTwiceMin)) continue
    let end = at + echo.length
    // The empty line behind the last one is echoed like the others.
    if (batch.sentinel && j === lastAt && text[end] === '\n') end += 1
    const from = left.has(j - 1) ? cutEchoBefore(text, at, { ...place, line: j - 1 }) : at
    if (from < at) left.delete(j - 1)
    text = text.slice(0, from) + text.slice(end)
    left.delete(j)
  }
  // Nothing but the end of the last line. What was read may itself end like that.
  if (isRead || !left.has(lastAt)) return text
  return text.slice(0, cutEchoBefore(text, text.length, { ...place, line: lastAt }))
}

function echoOf(batch: Batch, line: number): string {
  return `${batch.lines[line]?.text ?? ''}\n`
}

/** Where the echo of a line begins that ends at `at` and lacks its beginning: `at` itself, if there is none. */
function cutEchoBefore(
  text: string,
  at: number,
  { batch, isRead, line }: EchoPlace & { readonly line: number },
): number {
  const from = text.lastIndexOf('\n', at - 2) + 1
  const cut = text.slice(from, at)
  const echo = echoOf(batch, line)
  if (cut.length <= 1 || cut.length >= echo.length || !echo.endsWith(cut)) return at
  return isRead && cut.length <= echoTwiceMin ? at : from
}

function splitByNonce(
  view: string,
  batch: Batch,
  { find, nonce }: { readonly find: Find; readonly nonce: string },
): Split {
  if (!view.startsWith(batch.lead)) return { kind: 'desync', found: view }
  const pieces: Piece[] = []
  let from = batch.lead.length
  let last = batch.lead
  for (const i of batch.lines.keys()) {
    const next = nextNoncePrompt(find, view, { nonce, from })
    if (next === undefined) return { kind: 'incomplete', answered: i, from }
    pieces.push(pieceOf(view.slice(from, next.prompt.start), next.prompt))
    last = view.slice(next.prompt.start, next.end)
    from = next.end
  }
  const more = view.slice(from)
  return more === '' ? { kind: 'complete', pieces, last } : { kind: 'desync', found: more }
}

function nextNoncePrompt(
  find: Find,
  view: string,
  { nonce, from }: { readonly nonce: string; readonly from: number },
): { readonly prompt: Prompt; readonly end: number } | undefined {
  for (let at = view.indexOf(nonce, from); at !== -1; at = view.indexOf(nonce, at + 1)) {
    const first = at + nonce.length
    for (let end = first; end <= Math.min(view.length, first + noncePromptMax); end += 1) {
      const prompt = find(view, end, Math.max(from, at - noncePromptMax))
      if (prompt !== undefined) return { prompt, end }
    }
  }
  return undefined
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1)
}
