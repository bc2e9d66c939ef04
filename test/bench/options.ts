// What `npm run bench` is told.

import { parseArgs } from 'node:util'

/** Letters of the benches. */
export const letters = ['a', 'b', 'c', 'd', 'e', 'f'] as const
/** One bench. */
export type Letter = (typeof letters)[number]

/** How to run. */
export interface Options {
  readonly only: readonly Letter[]
  /** Small sizes and few runs: shows that it works; its figures mean little, and the page is not written. */
  readonly quick: boolean
  /** The sections as JSON on standard output, instead of the table. */
  readonly json: boolean
}

/** Shown for --help and for wrong use. */
export const usage = `Usage: npm run bench -- [options]

Measures nullroute against bare ssh2 and against its goals, prints one table,
and writes docs/performance.md.

  --only a,d   only these (a lab router, b 50 ms away, c farm, d bulk,
               e save, f capacity); the page is not written
  --quick      small sizes and few runs; the page is not written
  --json       JSON instead of the table
  --help
`

/** Throws a TypeError that says what is wrong. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return { only: readOnly(values.only), quick: values.quick, json: values.json }
}

function readOnly(text: string | undefined): readonly Letter[] {
  if (text === undefined) return letters
  const asked = text.split(',').map((one) => one.trim())
  const unknown = asked.find((one) => !letters.some((letter) => letter === one))
  if (unknown !== undefined) {
    throw new TypeError(`--only takes letters of ${letters.join(', ')}, not "${unknown}"`)
  }
  return letters.filter((letter) => asked.includes(letter))
}
