// What was measured, as one table: on the terminal, and as the page docs/performance.md. Pure.

/** How a figure stands to its goal. `measured`: there is no goal. */
export type Verdict = 'met' | 'not met' | 'measured' | 'not run'

/** One line of the table. */
export interface Row {
  readonly what: string
  readonly goal: string
  readonly figure: string
  readonly verdict: Verdict
}

/** One bench. */
export interface Section {
  /** The letter by which `--only` names it. */
  readonly letter: string
  readonly title: string
  readonly rows: readonly Row[]
  /** How it was measured and what the time is made of: paragraphs of Markdown. */
  readonly notes: readonly string[]
}

/** A row with a goal that is a bound from above or below. */
export function judged(what: string, goal: string, figure: string, isMet: boolean): Row {
  return { what, goal, figure, verdict: isMet ? 'met' : 'not met' }
}

/** A row without a goal. */
export function measured(what: string, figure: string): Row {
  return { what, goal: '', figure, verdict: 'measured' }
}

const heads = ['', 'what', 'goal', 'figure', 'goal met'] as const

/** The table for a terminal. */
export function textTable(sections: readonly Section[]): string {
  const rows = [heads, ...cells(sections)]
  const widths = heads.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

/** The table as Markdown. */
export function markdownTable(sections: readonly Section[]): string {
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...cells(sections).map(line)].join('\n')
}

function cells(sections: readonly Section[]): readonly (readonly string[])[] {
  return sections.flatMap(({ letter, rows }) =>
    rows.map(({ what, goal, figure, verdict }) => [
      letter,
      what,
      goal,
      figure,
      verdict === 'measured' ? '' : verdict,
    ]),
  )
}

/** The whole page. */
export function page(about: {
  readonly sections: readonly Section[]
  readonly machine: readonly string[]
  readonly method: readonly string[]
  readonly at: string
}): string {
  const { sections, machine, method, at } = about
  const parts = sections.map(({ letter, title, notes }) =>
    [`## ${letter}. ${title}`, ...notes].join('\n\n'),
  )
  return `${[
    '# Performance',
    'Written by `npm run bench`, never by hand. Each figure is a median with the lowest and highest run; a ratio is the median over pairs of runs, ours and the floor in turn, on the same devices in the same minute.',
    `## Machine\n\n${machine.map((line) => `- ${line}`).join('\n')}\n- measured ${at}`,
    `## Figures\n\n${markdownTable(sections)}`,
    `## Method\n\n${method.map((line) => `- ${line}`).join('\n')}`,
    ...parts,
  ].join('\n\n')}\n`
}
