// Bytes as a device sends them → the text that a person would see: UTF-8 put together, escape sequences taken out,
// `\r` and `\b` applied as overwrites on the line under way. Pure: the same bytes give the same text however they were cut.

/** A terminal of endless height, one line of it editable. */
export interface Screen {
  write(bytes: Uint8Array): void
  /** All text since the last `reset`, line ends as `\n`, the unfinished line last. */
  text(): string
  /** The end of that text, from the start of a line on: all of it, or some thousand characters and more. It costs nothing, however long the text is. */
  end(): string
  /** Forgets all but this unfinished line. */
  reset(line: string): void
  /** A pager's sign was answered: it goes, whether the device wipes it or writes on behind it. */
  wipeLine(from: number): void
}

const esc = String.fromCharCode(27)
const bell = String.fromCharCode(7)
const controls = `${String.fromCharCode(0)}-${String.fromCharCode(31)}${String.fromCharCode(127)}`

// Built from parts, because a control character in a pattern is otherwise most often a mistake.
const sequence = [
  `\\[[0-?]*[ -/]*[@-~]`,
  `\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)`,
  `[PX^_][^${esc}]*${esc}\\\\`,
  `[ -/]+[0-~]`,
  '[0-OQ-WYZ\\\\`-~]',
].join('|')
const token = new RegExp(`${esc}(?:${sequence})|[^${controls}]+|[^${esc}]`, 'y')
const broken = new RegExp(`^${esc}(?:\\[[0-?]*[ -/]*)?[${controls}]`)
const csi = new RegExp(`^${esc}\\[([0-9]*)(?:;[0-9]*)*([A-Za-z@])$`)

/** Fewest characters that `end` answers with, where there are more: longer than what others write into a session at once (rsyslog's messages end at 8 KiB). */
const endMin = 10_000

/** Longest escape sequence that is waited for, in characters: a title that never ends must not swallow the answer. */
const sequenceMax = 1024

interface Row {
  text: string
  cursor: number
  /** A place was written over: blanks at the end are what a wiping left. */
  overwritten: boolean
  /** The last column was just filled: `\r` goes to the start of that row, not of the next. */
  full: boolean
  /** Where the text goes on after a pager's sign that may or may not be wiped by the device. */
  resume: number | undefined
}

/** A screen so many columns wide: a line longer than that wraps, and `\r` goes to the start of the wrapped row only. */
export function createScreen(columns: number): Screen {
  const decoder = new TextDecoder('utf-8')
  // Whole lines, in two parts: to look at the end of one long text would copy all of it each time.
  let older = ''
  let newer = ''
  let rest = ''
  let row = emptyRow('')

  const age = (): void => {
    const from = newer.lastIndexOf('\n', newer.length - endMin - 1) + 1
    older += newer.slice(0, from)
    newer = newer.slice(from)
  }

  const put = (piece: string): void => {
    const code = piece.charCodeAt(0)
    if (piece === '\n') {
      newer += `${row.overwritten ? row.text.trimEnd() : row.text}\n`
      row = emptyRow('')
      if (newer.length > 2 * endMin) age()
    } else if (code === 27) applySequence(row, piece)
    else if (code >= 32 && code !== 127) print(row, piece, columns)
    else moveCursor(row, piece, columns)
  }

  return {
    write(bytes) {
      const input = rest + decoder.decode(bytes, { stream: true })
      let at = 0
      while (at < input.length) {
        token.lastIndex = at
        const piece = token.exec(input)?.[0]
        if (piece === undefined) {
          // Only an escape sequence that isn't whole can be here.
          const left = input.slice(at)
          if (left.length < sequenceMax && !broken.test(left)) break
          at += 1
          continue
        }
        put(piece)
        at += piece.length
      }
      rest = input.slice(at)
    },
    text: () => older + newer + row.text,
    end: () => newer + row.text,
    reset(line) {
      older = ''
      newer = ''
      row = emptyRow(line)
    },
    wipeLine(from) {
      const column = Math.max(0, from - older.length - newer.length)
      const width = row.text.length - column
      row.text = row.text.slice(0, column) + ' '.repeat(Math.max(0, width))
      row.overwritten = true
      row.resume = column
    },
  }
}

function emptyRow(text: string): Row {
  return { text, cursor: text.length, overwritten: false, full: false, resume: undefined }
}

function print(row: Row, text: string, columns: number): void {
  if (row.resume !== undefined) {
    if (row.cursor === row.text.length) {
      row.text = row.text.slice(0, row.resume)
      row.cursor = row.resume
    }
    row.resume = undefined
  }
  if (row.cursor < row.text.length) {
    row.overwritten = true
    row.text = row.text.slice(0, row.cursor) + text + row.text.slice(row.cursor + text.length)
  } else {
    row.text = row.text.padEnd(row.cursor) + text
  }
  row.cursor += text.length
  row.full = row.cursor % columns === 0
}

function moveCursor(row: Row, control: string, columns: number): void {
  const column = row.full ? columns : row.cursor % columns
  if (control === '\r') row.cursor -= column
  else if (control === '\b') row.cursor -= column === 0 ? 0 : 1
  else if (control === '\t') return print(row, ' '.repeat(8 - (row.cursor % 8)), columns)
  else return
  row.full = false
}

function applySequence(row: Row, text: string): void {
  const parts = csi.exec(text)
  if (parts === null) return
  const count = Number(parts[1] ?? '') || 0
  const step = Math.max(1, count)
  switch (parts[2] ?? '') {
    case 'K':
    case 'J':
      row.overwritten = true
      row.text = erased(row, count)
      return
    case 'C':
      row.cursor += step
      return
    case 'D':
      row.cursor = Math.max(0, row.cursor - step)
      return
    case 'G':
      row.cursor = step - 1
      return
    case 'P':
      row.text = row.text.slice(0, row.cursor) + row.text.slice(row.cursor + step)
      return
    default:
  }
}

function erased(row: Row, what: number): string {
  if (what === 0) return row.text.slice(0, row.cursor)
  if (what === 1) return ' '.repeat(row.cursor) + row.text.slice(row.cursor)
  return ''
}
