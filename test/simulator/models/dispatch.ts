// A command line as a table: the first pattern that fits says what is done.

/** A pattern and what a line that fits it does. */
export type Rule<R> = readonly [pattern: RegExp, act: (match: RegExpExecArray) => R]

/** What the first fitting rule makes of the line, or undefined where none fits. */
export function dispatch<R>(line: string, rules: readonly Rule<R>[]): R | undefined {
  for (const [pattern, act] of rules) {
    const match = pattern.exec(line)
    if (match !== null) return act(match)
  }
  return undefined
}
