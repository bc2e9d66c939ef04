// The questions about many prefixes as one command: `ip` reads them from a here-document, and answers them in order.

import { groupBy } from '../../../inventory/group-by.ts'
import { type Answer, free, type Line, type Read } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { document } from './batch.ts'

/** Most prefixes of one family and VRF that are asked for by a command each; more are asked for together. */
const narrowMax = 16

/** Longest time for the answers, in ms: for each question the kernel walks its table. */
const manyMs = 120_000

/** One question about one prefix. */
export interface Question {
  /** By which `parse` finds its answer. */
  readonly what: string
  readonly family: 4 | 6
  /** `default`, or the VRF that it names: one that isn't there ends a batch, so each has its own. */
  readonly vrf: string
  /** Its line in a batch, behind `ip -j -4`. */
  readonly words: string
  /** The command that asks it by itself. */
  readonly alone: string
}

function lineOf({ alone }: Question): Line {
  return free(alone, 'shell')
}

/** Lines that are read: for a few prefixes a line for each question, for more one for all of a family and VRF. */
export function readsOf(questions: readonly Question[], prefixes: number): readonly Read[] {
  if (prefixes <= narrowMax) return questions.map((one) => ({ what: one.what, line: lineOf(one) }))
  return [...grouped(questions)].map(([what, group]) => {
    const body = group.map(({ words }) => words)
    // An end of its own, so that one who reads along can tell it from the end of a change. With -force it goes on where the kernel says no, which for `route get` is the answer that is hoped for.
    const text = document(`ip -j -${group[0]?.family ?? 4} -force -batch -`, body, 'ASKED')
    return { what, line: { ...free(text, 'shell'), deadlineMs: manyMs } }
  })
}

function grouped(questions: readonly Question[]): ReadonlyMap<string, readonly Question[]> {
  return groupBy(questions, ({ family, vrf }) => `many|${family}|${vrf}`)
}

/** The answers with those to `questions` as if each had been asked by itself. */
export function parted(
  answers: ReadonlyMap<string, Answer>,
  questions: readonly Question[],
): ReadonlyMap<string, Answer> {
  const all = new Map(answers)
  for (const [what, group] of grouped(questions)) {
    const answer = answers.get(what)
    if (answer === undefined || isWithoutVrf(answer)) continue
    const texts = textsIn(answer, group.length)
    for (const [i, one] of group.entries()) {
      all.set(one.what, { line: lineOf(one), text: texts[i] ?? '' })
    }
  }
  return all
}

/** A VRF that isn't there is found by the list of VRF devices. */
function isWithoutVrf({ text }: Answer): boolean {
  return /^Error: argument "[^"\n]*" is wrong: Invalid VRF\s*$/.test(text)
}

/** JSON in one line, or the kernel's words and then the number of the question: each must come, and in its place. */
function textsIn(answer: Answer, count: number): readonly string[] {
  const texts: string[] = []
  let words: string[] = []
  for (const line of answer.text.split('\n').filter((one) => one.trim() !== '')) {
    const number = /^Command failed -:(\d+)$/.exec(line)?.[1]
    if (number !== undefined && Number(number) === texts.length + 1) {
      texts.push(words.join('\n'))
      words = []
    } else if (number === undefined && line.startsWith('[') && words.length === 0) {
      texts.push(line)
    } else words.push(line)
  }
  if (texts.length === count && words.length === 0) return texts
  throw unknownOutput(answer, `${count} answers, in the order of the questions`)
}
