// One dialogue over an open shell: which lines may go out together, what is answered to a question, when to stop. Knows no SSH: bytes come in, text goes out.
// The rule that must never break: a line that is not `free` goes out only after the prompt of the context it needs was seen.

import type { Clock } from './clock.ts'
import { AgentError, type AgentErrorCode } from './errors.ts'
import type { Answer, Context, Line, Platform, Refusal, Seen } from './platform.ts'
import { type Batch, createTerminal, type Piece } from './terminal.ts'
import type { Screen } from './terminal-screen.ts'
import type { Transcript } from './transcript.ts'

/** Most bytes typed ahead of an answer: the kernel's terminal queue behind a device's SSH server holds 4,096 and cuts what is more. */
export const windowBytesMax = 3_500

/** Most characters that one window may be answered with. */
export const outputMax = 16 * 1024 * 1024

/** Quiet time after which a question or pager at the end of the text is believed to wait for us, in ms: before that it may be the middle of an output. */
export const quietMs = 200

const interrupt = String.fromCharCode(3)

/** What a dialogue runs on. */
export interface DialogueOptions {
  readonly platform: Platform
  readonly seen: Seen
  readonly screen: Screen
  readonly transcript: Transcript
  readonly clock: Clock
  /** Longest time for one line, in ms, where the line says no other. */
  readonly deadlineMs: number
  write(text: string): void
  /** Ends the connection: nothing that comes afterwards is believed. */
  close(error: AgentError): void
}

/** How far the last run came, for who has to take it back. */
export interface Progress {
  /** Lines that went out. */
  readonly sent: number
  /** Answers that came, in order of the lines. */
  readonly answers: readonly Answer[]
}

/** A dialogue at rest between runs. */
export interface Dialogue {
  readonly context: Context
  run(lines: readonly Line[], signal?: AbortSignal): Promise<readonly Answer[]>
  progress(): Progress
  /** Something was written to the screen. */
  received(): void
  /** The connection is gone. */
  lost(error: AgentError): void
}

interface Window {
  readonly batch: Batch
  resolve(pieces: readonly Piece[]): void
  reject(error: AgentError): void
  answered: number
  /** Text before this was asked about already. */
  repliedTo: number
  cancelDeadline: () => void
  cancelQuiet: () => void
}

/** A dialogue that begins at the prompt which is the last line of the screen. */
export function createDialogue(options: DialogueOptions, context: Context): Dialogue {
  const { platform, screen, transcript, clock } = options
  const terminal = createTerminal(platform, options.seen)
  let now = context
  let ended: AgentError | undefined
  let open: Window | undefined
  let running = false
  let progress: { sent: number; answers: Answer[] } = { sent: 0, answers: [] }

  const view = (): string => {
    const text = screen.text()
    return platform.clean === undefined ? text : platform.clean(text)
  }

  const fail = (code: AgentErrorCode, message: string): AgentError => {
    const text = view()
    const error = new AgentError(code, message, { lastOutput: text.slice(-2_000) })
    end(error, text)
    options.close(error)
    return error
  }

  function end(error: AgentError, text: string): void {
    if (ended !== undefined) return
    ended = error
    if (open === undefined) return
    const window = open
    open = undefined
    window.cancelDeadline()
    window.cancelQuiet()
    transcript.received(text)
    window.reject(error)
  }

  function armDeadline(window: Window): void {
    window.cancelDeadline()
    const line = window.batch.lines[window.answered]
    const ms = line?.deadlineMs ?? options.deadlineMs
    window.cancelDeadline = clock.after(ms, () => {
      fail('timeout', `no answer to \`${line?.text ?? ''}\` within ${ms} ms`)
    })
  }

  function look(window: Window): void {
    const text = view()
    if (text.length > outputMax) {
      fail('too_much_output', `more than ${outputMax} characters came as an answer`)
      return
    }
    window.cancelQuiet()
    if (terminal.promptAtEnd(text) === undefined) {
      if (waitsForUs(platform, window, text)) {
        window.cancelQuiet = clock.after(quietMs, () => answerQuestion(window))
      }
      return
    }
    const split = terminal.split(text, window.batch)
    if (split.kind === 'desync') {
      fail(
        'desync',
        `expected the echo of \`${window.batch.lines[0]?.text ?? ''}\`, found other text`,
      )
    } else if (split.kind === 'complete') {
      open = undefined
      window.cancelDeadline()
      transcript.received(text)
      screen.reset(split.last)
      window.resolve(split.pieces)
    } else if (split.answered > window.answered) {
      window.answered = split.answered
      armDeadline(window)
    }
  }

  function answerQuestion(window: Window): void {
    const text = view()
    const pager = platform.pager?.sign.exec(text.slice(-200))
    if (platform.pager !== undefined && pager !== null && pager !== undefined) {
      if (platform.pager.key === undefined) {
        fail('pager', `a pager waits at the end of the answer: ${pager[0].trim()}`)
        return
      }
      screen.wipeLine(screen.text().length - pager[0].length)
      options.write(platform.pager.key)
      return
    }
    const reply = replyTo(window, text)
    if (reply === undefined) {
      options.write(interrupt)
      transcript.sent('^C')
      fail('unexpected_question', `the device asks: ${lastLines(text)}`)
      return
    }
    window.repliedTo = text.length
    transcript.sent(reply)
    options.write(reply + platform.newline)
  }

  function send(lines: readonly Line[]): Promise<readonly Piece[]> {
    const last = lines[lines.length - 1]
    const sentinel = platform.echo && last !== undefined && isRead(last, platform.rest)
    const batch: Batch = { lines, sentinel, lead: screen.text() }
    return new Promise((resolve, reject) => {
      const nothing = (): void => undefined
      open = {
        batch,
        resolve,
        reject,
        answered: 0,
        repliedTo: 0,
        cancelDeadline: nothing,
        cancelQuiet: nothing,
      }
      armDeadline(open)
      progress.sent += lines.length
      for (const line of lines) transcript.sent(line.text)
      const texts = sentinel ? [...lines.map((line) => line.text), ''] : lines.map((l) => l.text)
      options.write(texts.map((text) => text + platform.newline).join(''))
    })
  }

  /** What came while nothing was asked: log lines and new prompts only, or the session can't be trusted. */
  function settleIdle(): void {
    const text = view()
    const prompt = terminal.promptAtEnd(text)
    if (prompt === undefined || !terminal.idle(text)) {
      throw fail('desync', `text came that answers nothing: ${lastLines(text)}`)
    }
    now = prompt.context
    screen.reset(text.slice(text.lastIndexOf('\n') + 1))
  }

  async function runAll(lines: readonly Line[]): Promise<readonly Answer[]> {
    let from = 0
    while (from < lines.length) {
      settleIdle()
      const window = nextWindow(lines, from, { context: now, platform })
      if (window.length === 0) {
        const line = lines[from]
        throw new AgentError(
          'unexpected_prompt',
          `\`${line?.text}\` is meant for ${line?.needs}, but the device is in ${now}; it was not sent`,
        )
      }
      const pieces = await send(window)
      const stray = judgePieces(window, pieces)
      if (stray !== undefined) throw stray
      if (progress.answers.some(stops)) break
      from += window.length
    }
    return progress.answers
  }

  /** Takes the answers down; tells the first prompt that is not the expected one, unless the line was refused anyway. */
  function judgePieces(window: readonly Line[], pieces: readonly Piece[]): AgentError | undefined {
    let stray: AgentError | undefined
    for (const [i, line] of window.entries()) {
      const piece = pieces[i]
      if (piece === undefined) continue
      now = piece.context
      const answer = answerOf(platform, line, piece)
      progress.answers.push(answer)
      const expected = line.opens ?? line.needs
      if (piece.context !== expected && answer.refusal === undefined) {
        stray ??= new AgentError(
          'unexpected_prompt',
          `after \`${line.text}\` the device is in ${piece.context}, expected was ${expected}`,
          { lastOutput: piece.text.slice(-2_000) },
        )
      }
    }
    return stray
  }

  return {
    get context() {
      return now
    },
    async run(lines, signal) {
      const unresolved = lines.find((line) => line.unresolved)
      if (unresolved !== undefined) {
        throw new TypeError(`a line with a placeholder is never sent: ${unresolved.text}`)
      }
      if (running) throw new TypeError('a session runs one thing at a time')
      if (ended !== undefined) throw ended
      running = true
      progress = { sent: 0, answers: [] }
      const stop = (): void => void fail('stopped', 'the agent was told to stop')
      signal?.addEventListener('abort', stop, { once: true })
      try {
        if (signal?.aborted) throw fail('stopped', 'the agent was told to stop')
        return await runAll(lines)
      } finally {
        running = false
        signal?.removeEventListener('abort', stop)
      }
    },
    progress: () => progress,
    received() {
      if (ended === undefined && open !== undefined) look(open)
    },
    lost: (error) => end(error, view()),
  }
}

/** A line after which an empty one may be typed: a read at rest, which asks nothing. */
function isRead(line: Line, rest: Context): boolean {
  return line.free && line.needs === rest && line.opens === undefined && line.replies === undefined
}

/**
 * The lines that may go out now, in one write. None, if the first is meant for another context.
 * The line that enters the change may go behind reads at rest: they can't leave the context that was seen.
 */
export function nextWindow(
  lines: readonly Line[],
  from: number,
  { context, platform }: { readonly context: Context; readonly platform: Platform },
): readonly Line[] {
  const first = lines[from]
  if (first === undefined) return []
  if (!first.free) return first.needs === context ? [first] : []
  const window: Line[] = []
  let bytes = 0
  for (const line of lines.slice(from)) {
    bytes += Buffer.byteLength(line.text) + 1
    if (window.length > 0 && bytes > windowBytesMax) return window
    if (!line.free) {
      const enters =
        platform.transaction.kind === 'line' ? platform.transaction.enter[0] : undefined
      const behindReads =
        context === platform.rest && window.every((one) => isRead(one, platform.rest))
      if (line === enters && behindReads && line.needs === context) window.push(line)
      return window
    }
    window.push(line)
    if (line.opens !== undefined || line.replies !== undefined) return window
  }
  return window
}

/** Whether what follows was built on this line. */
function stops(answer: Answer): boolean {
  return answer.refusal !== undefined && (!answer.line.free || answer.line.opens !== undefined)
}

function answerOf(platform: Platform, line: Line, piece: Piece): Answer {
  const refusal = platform.failed(line, piece.text, piece.status) ?? unmet(line, piece.text)
  return {
    line,
    text: piece.text,
    ...(piece.status === undefined ? {} : { status: piece.status }),
    ...(refusal === undefined ? {} : { refusal }),
  }
}

function unmet(line: Line, text: string): Refusal | undefined {
  if (line.expect === undefined || line.expect.test(text)) return undefined
  return { message: text === '' ? 'the device did not confirm the line' : text }
}

function waitsForUs(platform: Platform, window: Window, text: string): boolean {
  const end = text.slice(-200)
  if (platform.pager?.sign.test(end)) return true
  if (text.length <= window.repliedTo) return false
  return platform.question?.test(end) === true || replyTo(window, text) !== undefined
}

function replyTo(window: Window, text: string): string | undefined {
  // Only while it is certain which line asks: the last of the window.
  const line = window.batch.lines[window.batch.lines.length - 1]
  const end = text.slice(Math.max(window.repliedTo, text.length - 200))
  return line?.replies?.find((reply) => {
    const found = reply.question.exec(end)
    return found !== null && end.slice(found.index + found[0].length).trim() === ''
  })?.answer
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-2).join(' / ').slice(-200)
}
