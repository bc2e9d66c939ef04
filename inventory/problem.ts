// What is wrong with a YAML file, with its place: the same for the inventory and the playbooks.

/** One thing that is wrong (or, as a warning, worth knowing), at one place of one file. Lines and columns count from 1. */
export interface Problem {
  /** The file as the user named it. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** Where in the data: `devices.edge1.port`; '' for the whole file. */
  readonly path: string
  readonly found?: string
  readonly expected?: string
  /** One line that stands alone, without the place. */
  readonly message: string
  /** What to do. */
  readonly remedy: string
}

/** Longest message that is told whole, in characters: a value of a megabyte must not become a problem of one. */
const messageMax = 600

/** A text from a file as it may be shown: signs that a terminal would obey, line ends among them, and what looks like a blank or like nothing are written as `\\u001b`; the middle of an endless one is left out. */
export function showable(text: string, max: number = messageMax): string {
  const escaped = text.replaceAll(
    // What moves a cursor, hides itself, turns the direction of writing, is half a character, or looks like a blank and is none.
    /(?! )[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/gu,
    (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
  if (escaped.length <= max) return escaped
  const end = Math.floor(max / 3)
  return `${escaped.slice(0, max - end)} … ${escaped.slice(-end)}`
}

/** All of it, or every problem at once. */
export type LoadResult<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** `inventory/devices.yaml:12:5: devices.sw1.port: …`, then what was found, what was expected and what to do, a line each, indented. */
export function printProblem(problem: Problem): string {
  const { file, line, column, path } = problem
  return [
    `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${problem.message}`,
    ...(problem.found === undefined ? [] : [`    found:    ${problem.found}`]),
    ...(problem.expected === undefined ? [] : [`    expected: ${problem.expected}`]),
    `    do:       ${problem.remedy}`,
  ].join('\n')
}

/** Orders by file, then place: for `sort`. */
export function compareProblems(one: Problem, other: Problem): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1
  return one.line - other.line || one.column - other.column
}
