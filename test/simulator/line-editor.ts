// What typing looks like on the wire: the echo of each system's line editor, and the line that results. No knowledge of what lines mean.

import type { ModelSession } from './models/model.ts'

/** How a session echoes. */
type EchoStyle = ReturnType<ModelSession['echo']>

/** The line being typed. */
export interface LineEditor {
  readonly text: string
  /** Begins a new line behind this prompt. */
  begin(prompt: string, style: EchoStyle, columns: number): void
  /** A printable character; answers what is echoed. */
  type(char: string): string
  /** Backspace. */
  rubout(): string
  /** Ctrl-U and history: the line becomes this text. */
  replace(text: string): string
  /** Return was pressed; answers what is echoed. */
  finish(): string
}

/** Junos redraws a line once it is so wide, at the next blank. */
const redrawColumns = 70

/** A line editor without a line yet. */
export function createLineEditor(): LineEditor {
  let prompt = ''
  let style: EchoStyle = 'none'
  let columns = 80
  let text = ''
  let column = 0
  let redrawn = false
  const silent = (): boolean => style === 'none' || style === 'secret'

  function echo(char: string): string {
    switch (style) {
      case 'none':
      case 'secret':
        return ''
      case 'tty':
        return char
      case 'readline': {
        // readline moves to the next row by writing the character, a return, and the character again.
        if (column < columns) {
          column += 1
          return char
        }
        column = 1
        return `${char}\r${char}`
      }
      case 'ios':
        return echoIos(char)
      case 'junos': {
        column += 1
        if (char !== ' ' || redrawn || column <= redrawColumns) return char
        redrawn = true
        return `${char}\r${prompt}${text}   \b\b\b`
      }
    }
  }

  // Too long for the row: the row shows `$` and the end of the line, by backspaces over what stood there.
  function echoIos(char: string): string {
    column += 1
    if (column < columns) return char
    const shown = column - prompt.length - 1
    const tail = text.slice(-10)
    column = prompt.length + 1 + tail.length
    const blanks = Math.max(0, shown - tail.length - 1)
    return `${'\b'.repeat(shown)}$${tail}${' '.repeat(blanks)}${'\b'.repeat(blanks)}`
  }

  return {
    get text() {
      return text
    },
    begin(nextPrompt, nextStyle, width) {
      prompt = nextPrompt.slice(nextPrompt.lastIndexOf('\n') + 1)
      style = nextStyle
      columns = width
      text = ''
      column = prompt.length
      redrawn = false
    },
    type(char) {
      text += char
      return echo(char)
    },
    rubout() {
      if (text === '') return ''
      text = text.slice(0, -1)
      column -= 1
      return silent() ? '' : '\b \b'
    },
    replace(next) {
      const erased = silent() ? '' : '\b \b'.repeat(text.length)
      text = ''
      column = prompt.length
      let echoed = erased
      for (const char of next) {
        text += char
        echoed += echo(char)
      }
      return echoed
    },
    finish() {
      switch (style) {
        case 'none':
          return ''
        case 'junos':
          return text === '' ? '\r\n' : ' \r\n'
        case 'secret':
        case 'tty':
        case 'readline':
        case 'ios':
          return '\r\n'
      }
    },
  }
}
