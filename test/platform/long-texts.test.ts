// A device may print anything, however long, and all devices share one process: what reads its text takes a time
// that grows with the text, never with its square. Of long texts of a few kinds, a square would outlast the test's time.

import { describe, expect, it } from 'vitest'
import type { Intent } from '../../agent/intents.ts'
import type { Answer, Platform } from '../../agent/platform.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { pfx, prt } from '../unit/small-isp.ts'

const length = 20_000

/** What is said again and again: single characters that patterns repeat, and words with which they begin. */
const units = [
  '\n',
  ' ',
  ' \n',
  'a',
  'a ',
  '@',
  '[@',
  '*',
  '%',
  '1',
  ':',
  '1.',
  '"',
  '\u2028',
  '***\n',
  '\nLoad for five secs: ',
  'object group ',
  ' authentication-key x',
  'BGP ',
  '[1',
  '(no tty)',
  '\nBroadcast Message from ',
  '\nMessage from syslogd@a at ',
  '\nR1# ',
  'Logical interface x\n',
  'Options: <',
  'commit confirmed will be automatically rolled back in 5 minutes\n',
  '\n- ip route ',
] as const

/** Words at the start after which a pattern goes on over what follows, and at the end over which a search begins at all. */
const frames = [
  ['', ''],
  ['a@', '%x ***'],
  ['Broadcast Message from x\nJUNOS ', ''],
] as const

const intents: readonly Intent[] = [
  { kind: 'blackhole', vrf: 'default', prefix: pfx('203.0.113.8/32'), tag: 666 },
  { kind: 'acl', direction: 'in', prefix: pfx('203.0.113.8/32') },
  { kind: 'port', port: prt('ge-0/0/1') },
]

const seen = { host: 'R1', nonce: 'abcd1234', facts: {} }

/** Reads that an intent needs, or none where the platform can't hold it so. */
function readsOf(platform: Platform, intent: Intent) {
  try {
    return [...platform.observe([intent], seen)]
  } catch {
    return []
  }
}

/** Whatever comes of it, an answer or a typed refusal: what counts is that it comes. */
function ends(work: () => unknown): number {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
  }
  return 1
}

function readAll(platform: Platform, text: string): number {
  let read = 0
  read += ends(() => platform.open({ stage: 'start', text, ...seen }))
  read += ends(() => platform.clean?.(text))
  read += ends(() => platform.redact(text))
  const configuration = new Map<string, Answer>(
    platform.configuration.map((one) => [one.what, { line: one.line, text, status: 0 }]),
  )
  read += ends(() => platform.canonical(configuration))
  read += ends(() => platform.prompt(seen)(text))
  read += ends(() => platform.question?.exec(text))
  read += ends(() => platform.pager?.sign.exec(text))
  for (const { line } of platform.configuration.slice(0, 1)) {
    read += ends(() => platform.failed({ ...line, text: 'router bgp 1' }, text, 1))
  }
  for (const intent of intents) {
    const reads = readsOf(platform, intent)
    for (const odd of reads) {
      const answers = new Map<string, Answer>(
        reads.map((one) => [
          one.what,
          { line: one.line, text: one === odd ? text : '', status: 0 },
        ]),
      )
      read += ends(() => platform.parse(answers, [intent], seen))
    }
  }
  return read
}

describe.each([...platforms])('long texts of %s', (_name, platform) => {
  it.each(units)('are read to the end, full of %j', (unit) => {
    for (const [before, after] of frames) {
      const text = `${before}${unit.repeat(Math.ceil(length / unit.length))}${after}`
      expect(readAll(platform, text)).toBeGreaterThanOrEqual(8)
    }
  })
})
