// The page by page output of a session: what is held back until a key is pressed.

import type { PagerStyle } from './models/model.ts'

/** Output that waits for keys. */
export interface Pager {
  /** What is written now. */
  readonly first: string
  /** A key was pressed: what is written, and whether all has been shown. */
  press(key: string): { readonly text: string; readonly done: boolean }
}

/** Pages `text` (CR LF line ends), or undefined where it fits on one page. */
export function createPager(text: string, lines: number, style: PagerStyle): Pager | undefined {
  const rows = text.split('\r\n')
  if (rows.length <= lines) return undefined
  let at = 0
  const page = (count: number): string => {
    const shown = rows.slice(at, at + count).join('\r\n')
    at += count
    return at >= rows.length ? shown : `${shown}\r\n`
  }
  const more = (written: string): { text: string; done: boolean } => {
    if (at < rows.length) return { text: written + style.sign, done: false }
    return style.ends === 'less'
      ? { text: `${written}\r\n${style.last}`, done: false }
      : { text: written, done: true }
  }
  return {
    first: more(page(lines - 1)).text,
    press(key) {
      if (key === 'q' || (key === '\x03' && style.ends === 'more')) {
        return { text: style.erase, done: true }
      }
      if (at >= rows.length) return { text: '', done: false }
      if (key === ' ') return more(style.erase + page(lines - 1))
      if (key === '\r' || key === '\n') return more(style.erase + page(1))
      // In `less` every other key is a command of its own; in the routers' pagers it ends the output.
      return style.ends === 'less'
        ? { text: '\x07', done: false }
        : { text: style.erase, done: true }
    },
  }
}
