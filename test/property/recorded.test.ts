// Any recorded text as the answer to any question, garbled or not: of this platform, of another, of nothing. NULLROUTE_FIXTURES adds the recordings of others.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../agent/diff.ts'
import { AgentError } from '../../agent/errors.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Answer, Observation, Platform } from '../../agent/platform.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { acl, blackhole, neighbor, port } from '../platform/conformance-kit.ts'
import { anyMishap, garbled } from './garbled.ts'
import { runs } from './runs.ts'

const own = fileURLToPath(new URL('../fixtures/', import.meta.url))
const folders = [own, process.env['NULLROUTE_FIXTURES']].filter((folder) => folder !== undefined)

/** Texts by platform; recordings of systems that there is no platform for are words of a stranger. */
const texts = folders.flatMap((folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'audit')
    .flatMap(({ name }) =>
      readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(?:txt|json)$/.test(file))
        .map((file) => ({
          platform: name,
          text: readFileSync(join(folder, name, file), 'utf8')
            .replaceAll('\r', '')
            .slice(0, 40_000),
        })),
    ),
)

const intents: readonly Intent[] = [
  ...['203.0.113.9/32', '203.0.113.64/26', '2001:db8:e57::/48'].map((at) => blackhole(at)),
  acl('203.0.113.9/32', 'out'),
  ...['GigabitEthernet0/1', 'ge-0/0/7', 'eth1'].map((name) => port(name)),
  neighbor('192.0.2.9'),
]

/** How a device may name the object of an intent. */
function isNamed(intent: Intent, said: string): boolean {
  if (intent.kind === 'port') return /[Gg]i|ge-|eth/.test(said)
  const name = intent.kind === 'neighbor' ? intent.peer : intent.prefix.replace(/\/\d+$/, '')
  return said.toLowerCase().includes(name)
}

function read(
  platform: Platform,
  intent: Intent,
  said: readonly string[],
): Observation | undefined {
  const seen = { host: 'edge1', nonce: '1a2b3c4d', facts: {} }
  const answers = new Map<string, Answer>()
  for (const [i, { what, line }] of platform.observe([intent], seen).entries()) {
    answers.set(what, { line, text: said[i % said.length] ?? '' })
  }
  try {
    return platform.parse(answers, [intent], seen)
  } catch (error) {
    if (error instanceof AgentError) return undefined
    throw error
  }
}

describe.each([...platforms.values()])('$name', (platform) => {
  const native = texts.filter((one) => one.platform === platform.name).map(({ text }) => text)
  const all = texts.map(({ text }) => text)
  const answer = fc
    .tuple(
      fc.oneof(
        fc.constantFrom(...(native.length > 0 ? native : all)),
        fc.constantFrom(...all),
        fc.constant(''),
      ),
      anyMishap,
    )
    .map(([text, mishap]) => garbled(text, mishap))

  it('takes no recording for more than it says, and fails by a name only', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...intents),
        fc.array(answer, { minLength: 1, maxLength: 6 }),
        (intent, said) => {
          const observation = read(platform, intent, said)
          if (observation === undefined) return
          const none = { expected: [], fading: [], claims: [], frozen: false }
          const [one] = decide({ ...none, wanted: [intent] }, observation)
          if (one?.kind === 'settled')
            expect(isNamed(intent, said.join('\n')), keyOf(intent)).toBe(true)
        },
      ),
      runs(),
    )
    expect(texts.length).toBeGreaterThan(50)
  })

  it('has a prompt, a refusal and a cleaned text for whatever comes, and never throws', () => {
    const prompt = platform.prompt({ host: 'edge1', nonce: '1a2b3c4d', facts: {} })
    const line = { text: 'show version', needs: platform.rest, free: true }
    fc.assert(
      fc.property(answer, fc.constantFrom(0, 1, undefined), (text, status) => {
        const found = prompt(text)
        if (found !== undefined) expect(found.start).toBeLessThanOrEqual(text.length)
        const refusal = platform.failed(line, text, status)
        expect([undefined, 'string']).toContain(
          refusal === undefined ? undefined : typeof refusal.message,
        )
        expect(typeof (platform.clean?.(text) ?? text)).toBe('string')
        expect(typeof platform.redact(text)).toBe('string')
      }),
      runs(),
    )
  })
})
