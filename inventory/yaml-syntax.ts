// What the YAML parser stumbles over, in our words, with what to do. Pure.

import type { YAMLError } from 'yaml'
import type { Problem } from './problem.ts'

/** A problem without its place. */
export type Fault = Pick<Problem, 'message' | 'remedy'> &
  Partial<Pick<Problem, 'found' | 'expected'>>

/** The beginning of an IPv6 address that ends in a colon, or is followed by one. */
export const address6 = /^['"]?[0-9a-fA-F:]*::/

/** yaml's words → ours, and what to do. */
const syntaxFaults: readonly (readonly [RegExp, Pick<Fault, 'message' | 'expected' | 'remedy'>])[] =
  [
    [
      /^Tabs are not allowed as indentation/,
      {
        message: 'a tab stands where the line is indented',
        expected: 'blanks',
        remedy: 'replace the tab by two blanks; most editors can do so for a whole file',
      },
    ],
    [
      /^Missing closing ["']quote/,
      {
        message: 'a quote that was opened is never closed',
        expected: 'a second quote behind the text',
        remedy: 'close the quote; a line before this one may be where it is missing',
      },
    ],
    [
      /^(Flow (map|sequence) in block collection must be|Expected flow (map|sequence) to end)/,
      {
        message: 'a bracket that was opened is not closed before this line',
        expected: '} for each { and ] for each [, indented further than what they belong to',
        remedy: 'close the bracket; a line before this one may be where it is missing',
      },
    ],
    [
      /^Source contains multiple documents/,
      {
        message: 'a second document begins here',
        expected: 'one document in a file',
        remedy: 'remove the line "---", or make a file of its own of what follows',
      },
    ],
    [
      /^Unresolved tag/,
      {
        message: 'a tag of YAML (! or !!) means nothing here',
        expected: 'plain values',
        remedy: 'remove the tag, or put the whole into quotes if it belongs to the text',
      },
    ],
    [
      /^Maximum call stack/,
      {
        message: 'lists or maps stand too deep inside each other',
        expected: 'a few levels',
        remedy: 'remove the brackets that are too many',
      },
    ],
  ]

/** A mistake of syntax, and where it is told: the line on which it was found stands beside it. */
export function syntaxFault(
  error: YAMLError,
  text: string,
): { readonly offset: number; readonly fault: Fault } {
  const [offset] = error.pos
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', offset)
  const line = text.slice(start, end < 0 ? text.length : end).replace(/^ +|[ \t\r]+$/g, '')
  const found = line === '' ? 'the end of the file' : line
  const known = syntaxFaults.find(([pattern]) => pattern.test(error.message))?.[1]
  if (known !== undefined) {
    // How deep a stack is differs from machine to machine: of that only the line is told.
    return {
      offset: error.message.startsWith('Maximum call stack') ? start : offset,
      fault: { ...known, found },
    }
  }
  const message = error.message.split(' at line ')[0] ?? error.message
  if (address6.test(text.slice(error.pos[0], error.pos[1]))) {
    const remedy = 'put the address into quotes: a colon at its end makes it a map'
    return { offset, fault: { message, found, expected: 'YAML', remedy } }
  }
  const remedy = 'correct the YAML here: look at indentation, quotes and brackets'
  const fault = noBlankFault(line) ?? { message, expected: 'YAML', remedy }
  return { offset, fault: { ...fault, found } }
}

/** Characters that come with a text copied from a page or a mail → their names in Unicode. */
const blankNames: Readonly<Record<string, string>> = {
  '\u00a0': 'no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero width space',
  '\u202f': 'narrow no-break space',
  '\u2060': 'word joiner',
  '\u3000': 'ideographic space',
  '\ufeff': 'byte order mark',
}

// YAML takes for text what only looks like a blank (YAML 1.2.2 section 5.5), and stumbles over what comes behind it. In quotes it is text and meant so.
function noBlankFault(line: string): Omit<Fault, 'found'> | undefined {
  const sign = line
    .replaceAll(/"[^"]*"|'[^']*'/g, '')
    .match(/(?! )[\p{Zs}\u00ad\u200b\u2060\ufeff]/u)?.[0]
  if (sign === undefined) return undefined
  const code = (sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')
  const name = blankNames[sign]
  const shown = `\\u${code}${name === undefined ? '' : ` (${name})`}`
  return {
    message: `a character on this line looks like a blank or like nothing, but YAML reads it as text: ${shown}`,
    expected: 'plain blanks between the parts of YAML',
    remedy: `replace ${shown} by a blank, or remove it; text that needs it belongs into quotes`,
  }
}

/** The first problem of each place: one mistake makes the parser stumble several times there. */
export function onePerPlace(problems: readonly Problem[]): readonly Problem[] {
  const byPlace = new Map<string, Problem>()
  for (const problem of problems) {
    const place = `${problem.line}:${problem.column}`
    if (!byPlace.has(place)) byPlace.set(place, problem)
  }
  return [...byPlace.values()]
}
