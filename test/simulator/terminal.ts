// One session's terminal: bytes in, lines to the model, echo and output back, and the faults that meet a line. Everything in order, one line after the other.

import { StringDecoder } from 'node:string_decoder'
import type { SimulatorClock } from './clock.ts'
import type { Fault, FaultSet } from './faults.ts'
import type { WritableJournal } from './journal.ts'
import { createLineEditor } from './line-editor.ts'
import type { Model, ModelSession, Result } from './models/model.ts'
import { createPager, type Pager } from './pager.ts'

/** What a terminal stands between. */
export interface TerminalParts {
  readonly model: Model
  readonly session: ModelSession
  readonly faults: FaultSet
  readonly journal: WritableJournal
  readonly clock: SimulatorClock
  readonly number: number
  readonly columns: number
  readonly rows: number
  /** Without a PTY nothing is echoed. */
  readonly pty: boolean
  write(bytes: Buffer): void
  /** The session ends in good order. */
  end(): void
  /** The connection is cut, without a word. */
  cut(): void
}

/** A session's terminal. */
export interface Terminal {
  receive(bytes: Buffer): void
  resize(columns: number, rows: number): void
  /** Writes out of turn. */
  interrupt(text: string): void
  /** The connection went away. */
  dropped(): void
}

/** Characters waiting to be read, at most: more is a mistake of the client's and cuts the session. */
const inputMax = 8_000_000

/** Begins a session: greeting and first prompt. */
export function startTerminal(parts: TerminalParts): Terminal {
  const { model, session, faults, journal, clock } = parts
  const decoder = new StringDecoder('utf8')
  const editor = createLineEditor()
  const history: string[] = []
  let { columns, rows } = parts
  let input = ''
  let out = ''
  /** Where what is left of the current line's echo begins in `out`. */
  let echoFrom = 0
  let busy = false
  let over = false
  let pager: Pager | undefined
  let recall = 0

  function flush(): void {
    if (out === '' || over) return
    const bytes = Buffer.from(out)
    out = ''
    echoFrom = 0
    const split = faults.find('split')
    const step = split === undefined ? bytes.length : Math.max(1, split.bytes)
    for (let at = 0; at < bytes.length; at += step) parts.write(bytes.subarray(at, at + step))
  }

  function showPrompt(): void {
    const prompt = session.prompt()
    out += prompt.replaceAll('\n', '\r\n')
    editor.begin(prompt, parts.pty ? session.echo() : 'none', columns)
    echoFrom = out.length
  }

  function finish(result: Result): void {
    const text = wire(result.text)
    if (result.close === true) {
      out += text
      flush()
      over = true
      parts.end()
      return
    }
    const lines = faults.has('paging') ? Math.max(2, rows) : session.pageLines()
    pager = lines > 0 ? createPager(text, lines, model.pager) : undefined
    out += pager?.first ?? text
    if (pager === undefined) showPrompt()
  }

  function press(key: string): void {
    if (pager === undefined) return
    const { text, done } = pager.press(key)
    out += text
    if (!done) return
    pager = undefined
    showPrompt()
  }

  function submit(): Promise<void> | undefined {
    const line = editor.text
    const secret = session.echo() === 'secret'
    const echoed = editor.finish()
    const mode = session.mode()
    if (line.trim() !== '' && !secret && history.at(-1) !== line) history.push(line)
    recall = history.length
    const met = secret ? [] : faults.meet(line)
    journal.write({
      at: clock.now(),
      session: parts.number,
      kind: 'line',
      text: secret ? '<secret>' : line,
      mode,
      met: met.map((fault) => fault.kind).join(', ') || 'done',
    })
    if (met.length > 0) return submitFaulty(line, echoed, met)
    out += echoed
    const result = session.run(line)
    if (result.delayMs !== undefined) return late(result, result.delayMs)
    finish(result)
    return undefined
  }

  async function late(result: Result, ms: number): Promise<void> {
    flush()
    await new Promise<void>((done) => clock.after(ms, done))
    if (!over) finish(result)
  }

  async function submitFaulty(line: string, echoed: string, met: readonly Fault[]): Promise<void> {
    const fault = <K extends Fault['kind']>(kind: K): Extract<Fault, { kind: K }> | undefined =>
      met.find((one): one is Extract<Fault, { kind: K }> => one.kind === kind)
    const cut = fault('disconnect')
    if (cut?.when === 'before') {
      over = true
      return parts.cut()
    }
    const foreign = fault('foreign-change')
    if (foreign?.when === 'before') model.setByHand(foreign.lines)
    const log = fault('log-line')
    const logged = log === undefined ? '' : wire(`${log.text ?? model.logLine()}\n`)
    if (log?.where === 'echo') breakEcho(logged)
    out += echoed
    const rejected = fault('reject')
    const result: Result =
      rejected !== undefined
        ? { text: rejected.text ?? session.refuse(line) }
        : fault('lie') !== undefined
          ? model.pretend(() => session.run(line))
          : session.run(line)
    if (foreign?.when === 'after') model.setByHand(foreign.lines)
    if (cut !== undefined) {
      over = true
      return parts.cut()
    }
    if (fault('hang') !== undefined) {
      flush()
      over = true
      return
    }
    const ms = (fault('slow')?.ms ?? 0) + (result.delayMs ?? 0)
    if (ms > 0) {
      flush()
      await new Promise<void>((done) => clock.after(ms, done))
      if (over) return
    }
    finish(log?.where === 'answer' ? { ...result, text: intoMiddle(result.text, logged) } : result)
    if (log?.where === 'prompt') out += `\r\n${logged}`
  }

  function breakEcho(logged: string): void {
    const at = Math.ceil((echoFrom + out.length) / 2)
    out = `${out.slice(0, at)}\r\n${logged}${out.slice(at)}`
  }

  /** One character, or one escape sequence. */
  function take(char: string): Promise<void> | undefined {
    if (pager !== undefined) {
      press(char)
      return undefined
    }
    if (char === '\r' || char === '\n') return submit()
    if (char === '\x7f' || char === '\b') out += editor.rubout()
    else if (char === '\x15') out += editor.replace('')
    else if (char === '\x17') out += editor.replace(editor.text.replace(/\S*\s*$/, ''))
    else if (char === '\x03') control('c')
    else if (char === '\x04' && editor.text === '') control('d')
    else if (char === '\x1a') control('z')
    else if (char === '?') ask()
    else if (char === '\x1b[A') step(-1)
    else if (char === '\x1b[B') step(1)
    else if (char >= ' ') out += editor.type(char)
    return undefined
  }

  function control(key: 'c' | 'd' | 'z'): void {
    const result = session.control(key, editor.text)
    if (result === undefined) return
    journal.write({
      at: clock.now(),
      session: parts.number,
      kind: 'line',
      text: `<ctrl-${key}>`,
      mode: session.mode(),
      met: 'done',
    })
    finish(result)
  }

  function ask(): void {
    const line = editor.text
    const help = session.help(line)
    if (help === undefined) {
      out += editor.type('?')
      return
    }
    out += `?\r\n${wire(help)}`
    showPrompt()
    out += editor.replace(line)
  }

  function step(by: -1 | 1): void {
    recall = Math.min(history.length, Math.max(0, recall + by))
    out += editor.replace(history[recall] ?? '')
  }

  async function pump(): Promise<void> {
    if (busy) return
    busy = true
    let at = 0
    while (at < input.length && !over) {
      const char = nextChar(input, at)
      if (char === undefined) break
      at += char.length
      const wait = take(char)
      if (wait !== undefined) {
        // More may arrive while we wait: what was read is taken off first.
        input = input.slice(at)
        at = 0
        await wait
      }
      if (out.length > 32_768) flush()
    }
    input = input.slice(at)
    flush()
    busy = false
  }

  out += wire(session.greeting)
  showPrompt()
  flush()

  return {
    receive(bytes) {
      input += decoder.write(bytes)
      if (input.length > inputMax) return parts.cut()
      void pump()
    },
    resize(nextColumns, nextRows) {
      columns = nextColumns
      rows = nextRows
    },
    interrupt(text) {
      out += wire(`\n${text}\n`)
      if (!busy) flush()
    },
    dropped() {
      over = true
      session.dropped()
    },
  }
}

function wire(text: string): string {
  return text.replaceAll('\n', '\r\n')
}

function intoMiddle(text: string, logged: string): string {
  const log = logged.replaceAll('\r\n', '\n')
  const lines = text.split('\n')
  const at = Math.floor(lines.length / 2)
  return [...lines.slice(0, at), log.trimEnd(), ...lines.slice(at)].join('\n')
}

/** The next character or whole escape sequence, or undefined while a sequence is incomplete. */
function nextChar(input: string, at: number): string | undefined {
  if (input[at] !== '\x1b') return String.fromCodePoint(input.codePointAt(at) ?? 0)
  if (at + 1 >= input.length) return undefined
  if (input[at + 1] !== '[') return input.slice(at, at + 2)
  const sequence = /^\x1b\[[0-9;]*[ -/]*[@-~]/.exec(input.slice(at, at + 32))?.[0]
  return sequence ?? (input.length - at >= 32 ? input.slice(at, at + 2) : undefined)
}
