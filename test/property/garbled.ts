// What comes over a wire that is cut, mixed with log lines, doubled, or not the device's at all: as a property of one platform. The real terminal,
// dialogue and parser get the recorded bytes of a round of reads, garbled.

import fc from 'fast-check'
import { expect } from 'vitest'
import { decide } from '../../agent/diff.ts'
import { AgentError } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Answer, Observation, Platform } from '../../agent/platform.ts'
import { createDialogue } from '../../agent/session-dialogue.ts'
import { createScreen } from '../../agent/terminal-screen.ts'
import { createTranscript } from '../../agent/transcript.ts'
import type { Bench, Recording } from './bench.ts'
import { benchOf, type Habitat } from './priors.ts'
import { runs } from './runs.ts'
import { createVirtualClock } from './virtual-clock.ts'

/** One thing that goes wrong; places are parts of the whole, from 0 to 1. */
export type Mishap =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'truncated'; readonly at: number }
  | { readonly kind: 'log line' | 'noise'; readonly at: number; readonly text: string }
  | { readonly kind: 'dropped' | 'doubled'; readonly at: number; readonly lines: number }
  | { readonly kind: 'swapped'; readonly at: number; readonly with: number }

const place = fc.double({ min: 0, max: 1, noNaN: true })
const logLines = fc.constantFrom(
  '*Nov 27 10:00:00.128: %LINK-3-UPDOWN: Interface GigabitEthernet0/9, changed state to up',
  '%SYS-5-CONFIG_I: Configured from console by ops on vty0 (192.0.2.10)',
  '2026/11/27 10:00:00 BGP: [VTCF0-ZHP6C] bgp_update_receive: rcvd End-of-RIB',
  'Message from syslogd@edge1 at Nov 27 10:00:00 ...\r\n kernel:[8123.456789] eth0: link becomes ready',
  'Broadcast message from ops@edge1: going down for maintenance',
  '[12.3] nf_conntrack: table full, dropping packet',
)
const noise = fc
  .uint8Array({ minLength: 1, maxLength: 24 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))

/** Any of them. */
export const anyMishap: fc.Arbitrary<Mishap> = fc.oneof(
  fc.constant({ kind: 'nothing' } as const),
  fc.record({ kind: fc.constant('truncated' as const), at: place }),
  fc.record({ kind: fc.constant('log line' as const), at: place, text: logLines }),
  fc.record({ kind: fc.constant('noise' as const), at: place, text: noise }),
  fc.record({
    kind: fc.constantFrom('dropped' as const, 'doubled' as const),
    at: place,
    lines: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ kind: fc.constant('swapped' as const), at: place, with: place }),
)

/** The text after the mishap. What is dropped or doubled is whole lines: between bytes, TCP sees to it that nothing is missing. */
export function garbled(text: string, mishap: Mishap): string {
  const index = (at: number): number => Math.floor(at * text.length)
  const lines = text.split('\n')
  switch (mishap.kind) {
    case 'nothing':
    case 'swapped':
      return text
    case 'truncated':
      return text.slice(0, index(mishap.at))
    case 'log line':
      return `${text.slice(0, index(mishap.at))}\r\n${mishap.text}\r\n${text.slice(index(mishap.at))}`
    case 'noise':
      return text.slice(0, index(mishap.at)) + mishap.text + text.slice(index(mishap.at))
    case 'dropped':
    case 'doubled': {
      const from = Math.floor(mishap.at * lines.length)
      const part = lines.slice(from, from + mishap.lines)
      const middle = mishap.kind === 'doubled' ? [...part, ...part] : []
      return [...lines.slice(0, from), ...middle, ...lines.slice(from + mishap.lines)].join('\n')
    }
  }
}

/** Plays bytes to a dialogue that asked these reads, in pieces of these sizes; then time passes. Undefined: it found that it can't be believed. */
async function hear(
  platform: Platform,
  { seen, reads, lead }: Recording,
  bytes: Uint8Array,
  sizes: readonly number[],
): Promise<readonly Answer[] | undefined> {
  const clock = createVirtualClock()
  const screen = createScreen(platform.columns)
  screen.reset(lead)
  const dialogue = createDialogue(
    {
      platform,
      seen,
      screen,
      transcript: createTranscript(clock),
      clock,
      deadlineMs: 1_000,
      write: () => undefined,
      close: () => undefined,
    },
    platform.rest,
  )
  const answers = dialogue.run(reads.map(({ line }) => line))
  let at = 0
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? bytes.length
    screen.write(bytes.subarray(at, at + size))
    at += size
    dialogue.received()
  }
  try {
    return await clock.drive(answers)
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}

function understood(
  platform: Platform,
  recording: Recording,
  answers: readonly Answer[] | undefined,
  intents: readonly Intent[],
): Observation | undefined {
  const named = recording.reads.flatMap(({ what }, i) => {
    const answer = answers?.[i]
    return answer === undefined ? [] : [[what, answer] as const]
  })
  if (named.length < recording.reads.length) return undefined
  try {
    return platform.parse(new Map(named), intents, recording.seen)
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}

/** The keys of which it is believed that they are as wanted: by their own claim, or by somebody else's hand. */
function present(
  bench: Bench,
  observation: Observation | undefined,
  intents: readonly Intent[],
): readonly string[] {
  if (observation === undefined) return []
  return intents
    .filter((intent) => {
      const claims = bench.book.claims.filter(({ key }) => key === keyOf(intent))
      const none = { expected: [], fading: [], frozen: false }
      const [one] = decide({ ...none, wanted: [intent], claims }, observation)
      return one?.kind === 'settled'
    })
    .map(keyOf)
}

/** Answers to other questions than those that were asked: two of them change places. Not of two listings of routes of one shell: neither echo nor answer says which table it is of, and only their order tells, which TCP keeps. */
function swap(answers: readonly Answer[], { at, with: other }: { at: number; with: number }) {
  const last = answers.length - 1
  const [a, b] = [Math.round(at * last), Math.round(other * last)]
  const isListing = (i: number): boolean =>
    /^ip -j -[46] route show /.test(answers[i]?.line.text ?? '')
  if (isListing(a) && isListing(b)) return answers
  const text = (i: number): string => answers[i === a ? b : i === b ? a : i]?.text ?? ''
  return answers.map((answer, i) => ({ ...answer, text: text(i) }))
}

/** Whatever comes: an error of ours by its name, or the truth; never that something stands there that doesn't. And in whatever pieces the bytes come, they mean the same. */
export async function checkGarbled({ prior, wanted }: Habitat): Promise<void> {
  const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 })
  const mishaps = fc.array(fc.tuple(anyMishap, sizes), { minLength: 8, maxLength: 8 })
  const tally = { believed: 0, doubted: 0 }
  await fc.assert(
    fc.asyncProperty(
      prior,
      wanted,
      mishaps,
      fc.boolean(),
      async (before, intents, all, suspended) => {
        const bench = benchOf(before)
        await bench.settle(suspended ? intents.slice(0, Math.ceil(intents.length / 2)) : [])
        const recording = await bench.record(intents)
        const { platform } = bench
        const whole = await hear(platform, recording, recording.bytes, [recording.bytes.length])
        const truth = present(bench, understood(platform, recording, whole, intents), intents)
        expect(whole).toBeDefined()

        for (const [mishap, pieces] of all) {
          const text = garbled(Buffer.from(recording.bytes).toString('latin1'), mishap)
          const heard = await hear(platform, recording, Buffer.from(text, 'latin1'), pieces)
          const answers =
            heard !== undefined && mishap.kind === 'swapped' ? swap(heard, mishap) : heard
          const observation = understood(platform, recording, answers, intents)
          const believed = present(bench, observation, intents)
          expect(believed.filter((key) => !truth.includes(key))).toEqual([])
          if (mishap.kind === 'nothing') expect(heard).toEqual(whole)
          tally[observation === undefined ? 'doubted' : 'believed'] += 1
        }
      },
    ),
    runs(130),
  )
  expect(Math.min(tally.believed, tally.doubted)).toBeGreaterThan(30)
}
