// Bytes as a device sends them → the text that a person would see: UTF-8 put together, escape sequences taken out,
// `\r` and `\b` applied as overwrites on the line under way. Pure: the same bytes give the same text however they were cut.

/** A terminal of endless height, the last row of it editable: what stands above can't be reached any more. */
export interface Screen {
  write(bytes: Uint8Array): void
  /** All text since the last `reset`, line ends as `\n`, the unfinished line last. At most as many times the bytes written as the screen has columns. */
  text(): string
  /** Characters of that text. */
  length(): number
  /** The end of that text, from the start of a line on, or from inside of one that is very long: all of it, or some thousand characters and more. It costs nothing, however long the text is. */
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

/** Distance of the tab stops. */
const tabStops = 8

/** The row of the screen that the cursor is in: part of a line that is longer than a row. Everything that moves the cursor or wipes ends at its edges. */
interface Row {
  /** Never longer than the screen is wide. */
  text: string
  /** Behind the last column, once that was filled: `\r` goes to the start of this row then, and a character to the next. */
  cursor: number
  /** A place was written over in this line: blanks at the end are what a wiping left. */
  overwritten: boolean
  /** Where the text goes on after a pager's sign that may or may not be wiped by the device. */
  resume: number | undefined
}

/** What stands above the row. In two parts: to look at the end of one long text would copy all of it each time. */
function createScrolled() {
  let older = ''
  let newer = ''
  return {
    add(text: string): void {
      newer += text
      if (newer.length <= 2 * endMin) return
      const line = newer.lastIndexOf('\n', newer.length - endMin - 1) + 1
      const from = line === 0 ? newer.length - endMin : line
      older += newer.slice(0, from)
      newer = newer.slice(from)
    },
    text: () => older + newer,
    length: () => older.length + newer.length,
    end: () => newer,
    clear(): void {
      older = ''
      newer = ''
    },
  }
}

/** The rows of a screen, and the cursor in the last of them. */
function createRows(columns: number) {
  const above = createScrolled()
  let row = emptyRow()

  /** Rows that nothing of what follows can reach go up at once: a long line comes in long pieces. */
  const append = (text: string): void => {
    const all = row.text + text
    const whole = Math.max(0, Math.ceil(all.length / columns) - 1) * columns
    if (whole > 0) above.add(all.slice(0, whole))
    row.text = all.slice(whole)
    row.cursor = row.text.length
  }

  const print = (text: string): void => {
    takeUp(row)
    let at = 0
    while (at < text.length) {
      if (row.cursor === row.text.length) return append(text.slice(at))
      if (row.cursor === columns) {
        above.add(row.text.padEnd(columns))
        row = { ...emptyRow(), overwritten: row.overwritten }
      }
      const part = text.slice(at, at + columns - row.cursor)
      overwrite(row, part)
      at += part.length
    }
  }

  return {
    above,
    row: () => row,
    append,
    clear(): void {
      above.clear()
      row = emptyRow()
    },
    put(piece: string): void {
      const code = piece.charCodeAt(0)
      if (piece === '\n') {
        above.add(`${row.overwritten ? row.text.trimEnd() : row.text}\n`)
        row = emptyRow()
      } else if (piece === '\t') print(' '.repeat(tabStops - (row.cursor % tabStops)))
      else if (code === 27) applySequence(row, piece, columns)
      else if (code >= 32 && code !== 127) print(piece)
      else moveCursor(row, piece)
    },
  }
}

/** A screen so many columns wide: a line longer than that wraps, and is one line of the text all the same. */
export function createScreen(columns: number): Screen {
  const decoder = new TextDecoder('utf-8')
  const rows = createRows(columns)
  const { above } = rows
  let rest = ''
  return {
    write(bytes) {
      const input = rest + decoder.decode(bytes, { stream: true })
      let at = 0
      while (at < input.length) {
        token.lastIndex = at
        const piece = token.exec(input)?.[0]
        if (piece !== undefined && !isTooLong(piece)) {
          rows.put(piece)
          at += piece.length
          continue
        }
        // Only an escape sequence that isn't whole, or is none, can be here.
        const left = input.slice(at)
        if (left.length < sequenceMax && !broken.test(left)) break
        at += 1
      }
      rest = input.slice(at)
    },
    text: () => above.text() + rows.row().text,
    length: () => above.length() + rows.row().text.length,
    end: () => above.end() + rows.row().text,
    reset(line) {
      rows.clear()
      rows.append(line)
    },
    wipeLine(from) {
      const row = rows.row()
      const column = Math.max(0, from - above.length())
      const width = row.text.length - column
      row.text = row.text.slice(0, column) + ' '.repeat(Math.max(0, width))
      row.overwritten = true
      row.resume = column
    },
  }
}

function isTooLong(piece: string): boolean {
  return piece.length > sequenceMax && piece.startsWith(esc)
}

function emptyRow(): Row {
  return { text: '', cursor: 0, overwritten: false, resume: undefined }
}

/** Text after a pager's sign stands in its place, if the cursor is still behind it. */
function takeUp(row: Row): void {
  if (row.resume === undefined) return
  if (row.cursor === row.text.length) {
    row.text = row.text.slice(0, row.resume)
    row.cursor = row.resume
  }
  row.resume = undefined
}

/** Text that ends in this row. */
function overwrite(row: Row, text: string): void {
  if (row.cursor < row.text.length) row.overwritten = true
  const before = row.text.slice(0, row.cursor).padEnd(row.cursor)
  row.text = before + text + row.text.slice(row.cursor + text.length)
  row.cursor += text.length
}

function moveCursor(row: Row, control: string): void {
  if (control === '\r') row.cursor = 0
  else if (control === '\b') row.cursor = Math.max(0, row.cursor - 1)
}

/** The numbers in a sequence are a device's, and may be any: none moves farther than to the edge. */
function applySequence(row: Row, text: string, columns: number): void {
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
      row.cursor = Math.min(columns - 1, row.cursor + step)
      return
    case 'D':
      row.cursor = Math.max(0, row.cursor - step)
      return
    case 'G':
      row.cursor = Math.min(columns, step) - 1
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
