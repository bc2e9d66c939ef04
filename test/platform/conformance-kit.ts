// What the tests of platforms share: intents from text, and a device that is nothing but a table of questions and answers.

import { type Intent, type Key, keyOf, parseCliText } from '../../agent/intents.ts'
import {
  type Answer,
  addressFact,
  type Facts,
  type Finding,
  type Found,
  type Line,
  type Observation,
  type Platform,
  type Rendering,
  type Seen,
  uplinksFact,
} from '../../agent/platform.ts'
import { parsePortName } from '../../inventory/model.ts'
import { parseAddress, parsePrefix } from '../../inventory/prefix.ts'

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`not a ${what}`)
  return value
}

export function prefix(text: string) {
  const parsed = parsePrefix(text)
  if (!parsed.ok) throw new TypeError(parsed.problem)
  return parsed.value
}

export function blackhole(text: string, { vrf = 'default', tag = 666 } = {}) {
  return { kind: 'blackhole', vrf, prefix: prefix(text), tag } as const
}

export function acl(text: string, direction: 'in' | 'out' = 'in') {
  return { kind: 'acl', prefix: prefix(text), direction } as const
}

export function port(name: string) {
  return { kind: 'port', port: must(parsePortName(name), 'port') } as const
}

export function neighbor(address: string, { vrf = 'default', message = 'Suspended ABUSE-1' } = {}) {
  const peer = parseAddress(address)
  if (!peer.ok) throw new TypeError(peer.problem)
  return {
    kind: 'neighbor',
    vrf,
    peer: peer.value,
    message: must(parseCliText(message), 'message'),
  } as const
}

/** What Junos says where nothing waits: never nothing. */
export const junosCommits = `0   2026-11-20 08:11:02 UTC by ops via cli
1   2026-11-19 08:11:02 UTC by root via other
`

/** What Linux with VRFs has where nobody routes by policy. */
export const usualRules = JSON.stringify([
  { priority: 0, src: 'all', table: 'local' },
  { priority: 1_000, src: 'all', l3mdev: null },
  { priority: 32_766, src: 'all', table: 'main' },
  { priority: 32_767, src: 'all', table: 'default' },
])

function usualAnswer(line: string): string {
  if (/^ip -j -[46] rule show$/.test(line)) return usualRules
  if (line.startsWith('ip -j neigh show ')) return '[]'
  return line.startsWith('show system commit') ? junosCommits : ''
}

/** Answers of a device: what is not in the table is answered by an empty text, or by what every device has. A string key is the whole line, and must have been asked. */
export function observed(
  platform: Platform,
  intents: readonly Intent[],
  table: Readonly<Record<string, string>>,
  seen: Seen = { host: 'edge1', nonce: '00000000', facts: {} },
): Observation {
  const answers = new Map<string, Answer>()
  const left = new Set(Object.keys(table))
  for (const { what, line } of platform.observe(intents, seen)) {
    left.delete(line.text)
    answers.set(what, { line, text: table[line.text] ?? usualAnswer(line.text) })
  }
  for (;;) {
    const reads = platform.follow?.(answers, intents) ?? []
    if (reads.length === 0) break
    for (const { what, line } of reads) {
      left.delete(line.text)
      answers.set(what, { line, text: table[line.text] ?? usualAnswer(line.text) })
    }
  }
  if (left.size > 0) throw new TypeError(`never asked: ${[...left].join(', ')}`)
  return platform.parse(answers, intents, seen)
}

/** What the preflight says under that name, of a device that answers as `observed` has it. */
export function preflightOf(
  platform: Platform,
  name: string,
  table: Readonly<Record<string, string>>,
  facts: Facts = {},
): Finding {
  const seen: Seen = { host: 'edge1', nonce: '00000000', facts }
  const answers = new Map<string, Answer>()
  for (const { what, line } of platform.preflight.reads(['edge'], seen)) {
    answers.set(what, { line, text: table[line.text] ?? usualAnswer(line.text) })
  }
  const all = platform.preflight.judge(answers, seen)
  return must(
    all.find((finding) => finding.name === name),
    `a finding "${name}"`,
  )
}

/** Facts of a device with these uplinks in the inventory. */
export function withUplinks(...names: readonly string[]): Seen {
  return { host: 'edge1', nonce: '00000000', facts: { [uplinksFact]: names.join(' ') } }
}

/** Facts of a device to which the session was opened at this address. */
export function openedTo(address: string): Seen {
  return { host: 'edge1', nonce: '00000000', facts: { [addressFact]: address } }
}

/** The one thing found for an intent. */
export function foundFor(observation: Observation, intent: Intent): Found {
  return must(observation.found.get(keyOf(intent)), `found ${keyOf(intent)}`)
}

/** Rendered lines, or a thrown reason. */
export function linesOf(rendering: Rendering | undefined) {
  if (rendering?.kind !== 'lines') throw new TypeError(`no lines: ${JSON.stringify(rendering)}`)
  return {
    apply: rendering.apply.map(({ text }) => text),
    undo: rendering.undo.map(({ text }) => text),
    wrote: rendering.wrote,
    note: rendering.note,
  }
}

/** A claim that stands on what was written. */
export function claimOn(intent: Intent, wrote: readonly string[], before: readonly string[] = []) {
  return { key: keyOf(intent) as Key, intent, before, wrote, phase: 'held', step: 1 } as const
}

/** Where a run of lines leads, from a context; throws where one line is meant for another context. */
export function walk(lines: readonly Line[], from: string): string {
  let context = from
  for (const line of lines) {
    if (line.needs !== context) {
      throw new TypeError(`\`${line.text}\` is meant for ${line.needs}, after ${context}`)
    }
    context = line.opens ?? line.needs
  }
  return context
}

/** What a candidate is known by. */
export const token = '7f3a91c2'

/** The way from rest to where renderings begin and end. */
export function entering({ transaction }: Platform): readonly Line[] {
  return transaction.kind === 'line' ? transaction.enter : transaction.enter(token)
}
