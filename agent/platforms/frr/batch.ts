// Many static routes as one change of FRR. By themselves each is a transaction of staticd, and the more routes there are the longer it takes:
// a thousand of them half a minute, between these words little more than a second. They are what vtysh itself uses for reading files.

import {
  type Answer,
  type Batch,
  type Facts,
  free,
  type Line,
  type Unwrapped,
} from '../../platform.ts'

/** Between these words only routes: any line of another daemon, and any `do show`, would commit what came so far. */
const between = /^(?:no )?(?:ip|ipv6) route /

/** For 8.4 to 9: from 10 on the words need the lock of the candidate, and all lines between them fail without it. */
export function batches({ version }: Facts): readonly Batch[] {
  const major = Number(/^(\d+)\./.exec(version ?? '')?.[1] ?? Number.NaN)
  return major >= 8 && major < 10 ? [words] : []
}

// Accepted without a word; unknown, and so without effect, in exec; handed up to `(config)#` by any node below it. A loss of the session
// commits what was typed, so nothing is left half begun.
const begin = free('XFRR_start_configuration', 'config')
const end = free('XFRR_end_configuration', 'config')

/** Fewest lines that go out together. */
const linesMin = 16

/** Most lines of a batch, which a freeze does not part: some 300 ms. */
const linesMax = 256

const words: Batch = {
  holds: (line: Line) => between.test(line.text),
  linesMin,
  linesMax,
  wrap: (lines) => [begin, ...lines, end],
  unwrap,
}

/** Where one of the two words is refused, nothing between them was done. */
function unwrap(_lines: readonly Line[], answers: readonly Answer[]): Unwrapped {
  const no = answers.find(
    ({ line, refusal }) => (line === begin || line === end) && refusal !== undefined,
  )
  return no?.refusal === undefined
    ? { kind: 'each', answers: answers.filter(({ line }) => line !== begin && line !== end) }
    : { kind: 'thrown', line: no.line.text, message: no.refusal.message }
}
