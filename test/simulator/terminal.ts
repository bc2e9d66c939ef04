// One session's terminal: bytes in, lines to the model, echo and output back, and the faults that meet a line. Everything in order, one line after the other.

import { StringDecoder } from 'node:string_decoder'
import type { SimulatorClock } from './clock.ts'
import { type Fault, type FaultSet, loginLine } from './faults.ts'
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
  /** Nothing is read from the connection any more, and nothing written. */
  silence(): void
  /** The device starts again. */
  reboot(): void
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
  /** What a fault put in the place of the next prompt. */
  let oddPrompt: string | undefined
  /** The line that a fault asks about, and what to do once it is confirmed. */
  let asked: ((answer: string) => Promise<void>) | undefined
  /** Bytes of a piece, while the answer to a line comes in pieces. */
  let pieces: number | undefined

  function flush(): void {
    if (out === '' || over) return
    const bytes = Buffer.from(out)
    out = ''
    echoFrom = 0
    const split = faults.find('split')
    const always = split === undefined || 'matching' in split ? undefined : split.bytes
    const step = Math.max(1, pieces ?? always ?? bytes.length)
    for (let at = 0; at < bytes.length; at += step) parts.write(bytes.subarray(at, at + step))
  }

  function showPrompt(): void {
    const prompt = oddPrompt ?? session.prompt()
    oddPrompt = undefined
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
    const answered = asked
    if (answered !== undefined) {
      asked = undefined
      out += echoed
      journal.write({
        at: clock.now(),
        session: parts.number,
        kind: 'line',
        text: line,
        mode: 'question',
        met: 'done',
      })
      return answered(line)
    }
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
    if (ms > 0) {
      flush()
      await new Promise<void>((done) => clock.after(ms, done))
    }
    if (!over) finish(result)
  }

  async function submitFaulty(line: string, echoed: string, met: readonly Fault[]): Promise<void> {
    const log = findFault(met, 'log-line')
    const logged = wire(`${textOf(log)}\n`)
    if (breaks(met, 'before')) return
    if (log?.where === 'echo') breakEcho(logged)
    out += echoed
    const ask = findFault(met, 'ask')
    if (ask !== undefined) return question(ask.text, () => answer(line, met, logged))
    await answer(line, met, logged)
  }

  /** Does the line, and says what the faults make of its answer. */
  async function answer(line: string, met: readonly Fault[], logged: string): Promise<void> {
    const log = findFault(met, 'log-line')
    const result = line === loginLine ? { text: session.greeting } : perform(line, met)
    if (breaks(met, 'after')) return
    if (findFault(met, 'hang') !== undefined) return hang()
    oddPrompt = findFault(met, 'prompt')?.text
    pieces = findFault(met, 'split')?.bytes
    const said = faultyText(result.text, met, session.greeting)
    const text = log?.where === 'answer' ? intoMiddle(said, logged) : said
    await late({ ...result, text }, delayOf(met, result))
    if (pieces !== undefined) flush()
    pieces = undefined
    if (log?.where === 'prompt') interrupt(logged)
  }

  /** Ends the session in the way of a fault, if one of them does that at this moment. */
  function breaks(met: readonly Fault[], when: 'before' | 'after'): boolean {
    const is = (kind: 'disconnect' | 'half-open' | 'reload'): boolean =>
      findFault(met, kind)?.when === when
    if (is('disconnect')) cut()
    else if (is('half-open')) {
      over = true
      parts.silence()
    } else if (is('reload')) {
      over = true
      parts.reboot()
    } else return false
    return true
  }

  /** Asks; what is typed next decides whether the line is done. */
  function question(text: string, confirmed: () => Promise<void>): void {
    out += wire(text)
    editor.begin(text, parts.pty ? session.echo() : 'none', columns)
    echoFrom = out.length
    asked = async (typed) => {
      if (/^(?:y|yes)?$/i.test(typed.trim())) await confirmed()
      else showPrompt()
    }
  }

  function interrupt(logged: string): void {
    out += `\r\n${logged}`
    flush()
  }

  function textOf(log: Extract<Fault, { kind: 'log-line' }> | undefined): string {
    return log?.text ?? model.logLine()
  }

  /** Nothing is read or written from here on. */
  function hang(): void {
    flush()
    over = true
  }

  /** Does the line, or what a fault makes of it, and what somebody else does at its moment. */
  function perform(line: string, met: readonly Fault[]): Result {
    const foreign = findFault(met, 'foreign-change')
    if (foreign?.when === 'before') model.setByHand(foreign.lines)
    const rejected = findFault(met, 'reject')
    const lies = findFault(met, 'lie') !== undefined
    const result =
      rejected !== undefined
        ? { text: rejected.text ?? session.refuse(line) }
        : lies
          ? model.pretend(() => session.run(line))
          : session.run(line)
    if (foreign?.when === 'after') model.setByHand(foreign.lines)
    return result
  }

  function cut(): void {
    over = true
    parts.cut()
  }

  function breakEcho(logged: string): void {
    const at = Math.ceil((echoFrom + out.length) / 2)
    out = `${out.slice(0, at)}\r\n${logged}${out.slice(at)}`
  }

  const keys: Readonly<Record<string, () => void>> = {
    '\x7f': () => (out += editor.rubout()),
    '\b': () => (out += editor.rubout()),
    '\x15': () => (out += editor.replace('')),
    '\x17': () => (out += editor.replace(editor.text.replace(/\S*\s*$/, ''))),
    '\x03': () => control('c'),
    '\x04': () => (editor.text === '' ? control('d') : undefined),
    '\x1a': () => control('z'),
    '?': ask,
    '\x1b[A': () => step(-1),
    '\x1b[B': () => step(1),
  }

  /** One character, or one escape sequence. */
  function take(char: string): Promise<void> | undefined {
    if (pager !== undefined) {
      press(char)
      return undefined
    }
    if (char === '\r' || char === '\n') return submit()
    const act = keys[char]
    if (act !== undefined) act()
    else if (char >= ' ') out += editor.type(char)
    return undefined
  }

  function control(key: 'c' | 'd' | 'z'): void {
    asked = undefined
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

  const atLogin = faults.meet(loginLine)
  if (atLogin.length > 0) {
    busy = true
    void submitFaulty(loginLine, '', atLogin).then(() => {
      busy = false
      void pump()
    })
  } else {
    out += wire(session.greeting)
    showPrompt()
    flush()
  }

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

function findFault<K extends Fault['kind']>(
  faults: readonly Fault[],
  kind: K,
): Extract<Fault, { kind: K }> | undefined {
  return faults.find((one): one is Extract<Fault, { kind: K }> => one.kind === kind)
}

/** The answer as faults make it. */
function faultyText(text: string, met: readonly Fault[], greeting: string): string {
  const banner = findFault(met, 'banner') === undefined ? '' : greeting
  const say = findFault(met, 'say')?.text
  const whole = `${banner}${text}${say === undefined ? '' : `${say}\n`}`
  const cut = findFault(met, 'truncate')
  return cut === undefined ? whole : firstHalf(whole, cut.at)
}

/** Half of an answer. Of one that is a single line nothing is left where whole lines are cut. */
function firstHalf(text: string, at: 'line' | undefined): string {
  if (at === undefined) return text.slice(0, Math.floor(text.length / 2))
  const lines = text.split(/(?<=\n)/)
  return lines.slice(0, Math.floor(lines.length / 2)).join('')
}

function delayOf(met: readonly Fault[], result: Result): number {
  return (findFault(met, 'slow')?.ms ?? 0) + (result.delayMs ?? 0)
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
  const sequence = /^\[[0-9;]*[ -/]*[@-~]/.exec(input.slice(at + 1, at + 32))?.[0]
  if (sequence !== undefined) return `${input[at]}${sequence}`
  return input.length - at >= 32 ? input.slice(at, at + 2) : undefined
}
