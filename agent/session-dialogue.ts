// One dialogue over an open shell: what is sent (together as session-window.ts allows), what is answered to a question, when to stop. Knows no SSH:
// bytes come in, text goes out.

import type { Clock } from './clock.ts'
import { AgentError, type AgentErrorCode, lastOutputMax } from './errors.ts'
import type { Answer, Context, Line, Platform, Refusal, Seen } from './platform.ts'
import { isRead, nextWindow } from './session-window.ts'
import { type Batch, createTerminal, idleMax, type Piece, type Terminal } from './terminal.ts'
import type { Screen } from './terminal-screen.ts'
import type { Transcript } from './transcript.ts'

/** Most characters that one window may be answered with. */
const outputMax = 16 * 1024 * 1024

/** Most characters of answers to one window that are looked at, each time that they are: of a device that ends each of its packets as if it were done, all is read again for each. */
const lookedMax = 512 * 1024 * 1024

/** Quiet time after which a question or pager at the end of the text is believed to wait for us, in ms: before that it may be the middle of an output. */
const quietMs = 200

/** Characters at the end of an answer in which a question or a pager is looked for. */
const endMax = 200

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
  /** Why nothing more can be said. */
  ended(): AgentError | undefined
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
  /** Characters that were looked at so far. */
  looked: number
  /** Text before this was asked about already. */
  repliedTo: number
  cancelDeadline: () => void
  cancelQuiet: () => void
}

interface Talk {
  readonly options: DialogueOptions
  readonly terminal: Terminal
  context: Context
  ended: AgentError | undefined
  window: Window | undefined
  running: boolean
  progress: { sent: number; answers: Answer[] }
}

/** A dialogue that begins at the prompt which is the last line of the screen. */
export function createDialogue(options: DialogueOptions, context: Context): Dialogue {
  const talk: Talk = {
    options,
    terminal: createTerminal(options.platform, options.seen),
    context,
    ended: undefined,
    window: undefined,
    running: false,
    progress: { sent: 0, answers: [] },
  }
  return {
    get context() {
      return talk.context
    },
    ended: () => talk.ended,
    run: (lines, signal) => run(talk, lines, signal),
    progress: () => talk.progress,
    received() {
      if (talk.ended !== undefined) return
      if (talk.window !== undefined) look(talk, talk.window)
      else if (options.screen.length() > idleMax) settleIdle(talk)
    },
    lost: (error) => end(talk, error),
  }
}

async function run(
  talk: Talk,
  lines: readonly Line[],
  signal: AbortSignal | undefined,
): Promise<readonly Answer[]> {
  const unresolved = lines.find((line) => line.unresolved)
  if (unresolved !== undefined) {
    throw new TypeError(`a line with a placeholder is never sent: ${unresolved.text}`)
  }
  if (talk.running) throw new TypeError('a session runs one thing at a time')
  talk.progress = { sent: 0, answers: [] }
  if (talk.ended !== undefined) throw talk.ended
  talk.running = true
  const stop = (): AgentError => fail(talk, 'stopped', 'the agent was told to stop')
  signal?.addEventListener('abort', stop, { once: true })
  try {
    if (signal?.aborted) throw stop()
    return await runAll(talk, lines)
  } finally {
    talk.running = false
    signal?.removeEventListener('abort', stop)
  }
}

async function runAll(talk: Talk, lines: readonly Line[]): Promise<readonly Answer[]> {
  const { platform } = talk.options
  let from = 0
  while (from < lines.length) {
    const untold = talk.ended ?? settleIdle(talk)
    if (untold !== undefined) throw untold
    const window = nextWindow(lines, from, { context: talk.context, platform })
    if (window.length === 0) {
      const line = lines[from]
      throw new AgentError(
        'unexpected_prompt',
        `\`${line?.text}\` is meant for ${line?.needs}, but the device is in ${talk.context}; it was not sent`,
      )
    }
    const stray = judgePieces(talk, window, await send(talk, window))
    if (stray !== undefined) throw stray
    if (talk.progress.answers.some(stops)) break
    from += window.length
  }
  return talk.progress.answers
}

/** What came while nothing was asked: log lines and new prompts only, which are forgotten, or the session can't be trusted and ends. */
function settleIdle(talk: Talk): AgentError | undefined {
  const text = viewOf(talk)
  const prompt = talk.terminal.promptAtEnd(text)
  if (prompt === undefined || !talk.terminal.idle(text)) {
    return fail(talk, 'desync', `text came that answers nothing: ${lastLines(text)}`)
  }
  talk.context = prompt.context
  talk.options.screen.reset(text.slice(text.lastIndexOf('\n') + 1))
  return undefined
}

function send(talk: Talk, lines: readonly Line[]): Promise<readonly Piece[]> {
  const { platform, screen, transcript } = talk.options
  const last = lines.at(-1)
  const sentinel = platform.echo && last !== undefined && isRead(last, platform.rest)
  const nothing = (): void => undefined
  return new Promise((resolve, reject) => {
    talk.window = {
      batch: { lines, sentinel, lead: screen.text() },
      resolve,
      reject,
      answered: 0,
      looked: 0,
      repliedTo: 0,
      cancelDeadline: nothing,
      cancelQuiet: nothing,
    }
    armDeadline(talk, talk.window)
    talk.progress.sent += lines.length
    for (const line of lines) transcript.sent(line.text)
    const texts = lines.map((line) => line.text)
    if (sentinel) texts.push('')
    talk.options.write(texts.map((text) => text + platform.newline).join(''))
  })
}

/** Takes the answers down; tells the first prompt that is not the expected one, unless the line was refused anyway. */
function judgePieces(
  talk: Talk,
  window: readonly Line[],
  pieces: readonly Piece[],
): AgentError | undefined {
  let stray: AgentError | undefined
  for (const [i, line] of window.entries()) {
    const piece = pieces[i]
    if (piece === undefined) continue
    talk.context = piece.context
    const answer = answerOf(talk.options.platform, line, piece)
    talk.progress.answers.push(answer)
    const expected = line.opens ?? line.needs
    if (piece.context !== expected && answer.refusal === undefined) {
      stray ??= new AgentError(
        'unexpected_prompt',
        `after \`${line.text}\` the device is in ${piece.context}, expected was ${expected}`,
        { lastOutput: talk.options.platform.redact(piece.text).slice(-lastOutputMax) },
      )
    }
  }
  return stray
}

/** Looks at what has come: the end of the answers, something that waits for us, or neither yet. */
function look(talk: Talk, window: Window): void {
  const { platform, clock, screen } = talk.options
  window.cancelQuiet()
  if (screen.length() > outputMax) {
    fail(talk, 'too_much_output', `more than ${outputMax} characters came as an answer`)
    return
  }
  if (isAmidAnswer(talk, window)) return
  window.looked += screen.length()
  if (window.looked > lookedMax) {
    fail(
      talk,
      'too_much_output',
      'an answer that seems to end with each of its parts goes on and on',
    )
    return
  }
  const text = viewOf(talk)
  if (talk.terminal.promptAtEnd(text) !== undefined) lookForEnd(talk, window, text)
  else if (waitsForUs(platform, window, text)) {
    window.cancelQuiet = clock.after(quietMs, () => answerQuestion(talk, window))
  }
}

/**
 * Whether the end of the text shows already that more has to come: the whole of it is not looked at for each packet, of which a long answer has
 * thousands. Certain only where nothing of others stands at the end, and nothing was asked yet.
 */
function isAmidAnswer(talk: Talk, window: Window): boolean {
  const { platform, screen } = talk.options
  const end = screen.end()
  if (window.repliedTo > 0) return false
  if (platform.clean !== undefined && platform.clean(end) !== end) return false
  return talk.terminal.promptAtEnd(end) === undefined && !waitsForUs(platform, window, end)
}

function lookForEnd(talk: Talk, window: Window, text: string): void {
  const { transcript, screen } = talk.options
  const split = talk.terminal.split(text, window.batch)
  switch (split.kind) {
    case 'desync': {
      const line = window.batch.lines[0]?.text ?? ''
      fail(talk, 'desync', `expected the echo of \`${line}\`, found other text`)
      return
    }
    case 'complete':
      transcript.received(text)
      talk.window = undefined
      window.cancelDeadline()
      screen.reset(split.last)
      window.resolve(split.pieces)
      return
    case 'incomplete':
      if (split.answered <= window.answered) return
      window.answered = split.answered
      armDeadline(talk, window)
  }
}

function answerQuestion(talk: Talk, window: Window): void {
  const { platform, screen, transcript } = talk.options
  const text = viewOf(talk)
  const pager = platform.pager?.sign.exec(text.slice(-endMax))
  if (pager !== null && pager !== undefined) {
    const key = platform.pager?.key
    if (key === undefined) {
      fail(talk, 'pager', `a pager waits at the end of the answer: ${pager[0].trim()}`)
      return
    }
    screen.wipeLine(screen.text().length - pager[0].length)
    talk.options.write(key)
    return
  }
  const reply = replyTo(window, text)
  if (reply === undefined) {
    talk.options.write(interrupt)
    transcript.sent('^C')
    fail(talk, 'unexpected_question', `the device asks: ${lastLines(platform.redact(text))}`)
    return
  }
  window.repliedTo = text.length
  transcript.sent(reply)
  talk.options.write(reply + platform.newline)
}

function armDeadline(talk: Talk, window: Window): void {
  window.cancelDeadline()
  const line = window.batch.lines[window.answered]
  const ms = line?.deadlineMs ?? talk.options.deadlineMs
  window.cancelDeadline = talk.options.clock.after(ms, () => {
    fail(talk, 'timeout', `no answer to \`${line?.text ?? ''}\` within ${ms} ms`)
  })
}

function viewOf(talk: Talk): string {
  const text = talk.options.screen.text()
  const { platform } = talk.options
  return platform.clean === undefined ? text : platform.clean(text)
}

/** Ends the session for a fault seen here. */
function fail(talk: Talk, code: AgentErrorCode, message: string): AgentError {
  const lastOutput = talk.options.platform.redact(viewOf(talk)).slice(-lastOutputMax)
  const error = new AgentError(code, message, { lastOutput })
  end(talk, error)
  talk.options.close(error)
  return error
}

function end(talk: Talk, error: AgentError): void {
  if (talk.ended !== undefined) return
  talk.ended = error
  const { window } = talk
  talk.window = undefined
  if (window === undefined) return
  window.cancelDeadline()
  window.cancelQuiet()
  // First of all: to show what came may break as well.
  window.reject(error)
  talk.options.transcript.received(viewOf(talk))
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
    ...(refusal === undefined ? {} : { refusal: { message: platform.redact(refusal.message) } }),
  }
}

function unmet(line: Line, text: string): Refusal | undefined {
  if (line.expect === undefined || line.expect.test(text)) return undefined
  return { message: text === '' ? 'the device did not confirm the line' : text }
}

function waitsForUs(platform: Platform, window: Window, text: string): boolean {
  const end = text.slice(-endMax)
  if (platform.pager?.sign.test(end)) return true
  if (text.length <= window.repliedTo) return false
  return platform.question?.test(end) === true || replyTo(window, text) !== undefined
}

function replyTo(window: Window, text: string): string | undefined {
  // Only while it is certain which line asks: the last of the window.
  const line = window.batch.lines[window.batch.lines.length - 1]
  const end = text.slice(Math.max(window.repliedTo, text.length - endMax))
  return line?.replies?.find((reply) => {
    const found = reply.question.exec(end)
    return found !== null && end.slice(found.index + found[0].length).trim() === ''
  })?.answer
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-2).join(' / ').slice(-endMax)
}
