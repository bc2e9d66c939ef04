// Every pattern of the agent is held to be one that reads any text in a time that grows with it.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync, Visitor } from 'oxc-parser'
import { analyse } from 'scslre'
import { expect, it } from 'vitest'

const agent = fileURLToPath(new URL('../../agent', import.meta.url))

/** All patterns that stand in a file, with their place. */
function patternsIn(file: string): readonly { place: string; source: string; flags: string }[] {
  const text = readFileSync(join(agent, file), 'utf8')
  const found: { place: string; source: string; flags: string }[] = []
  new Visitor({
    Literal(node) {
      if (!('regex' in node)) return
      const line = text.slice(0, node.start).split('\n').length
      const { pattern, flags } = node.regex
      found.push({ place: `agent/${file}:${line}`, source: pattern, flags })
    },
  }).visit(parseSync(file, text).program)
  return found
}

const files = readdirSync(agent, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)
const patterns = files.flatMap(patternsIn)

it('finds the patterns', () => {
  expect(patterns.length).toBeGreaterThan(250)
})

it('knows a pattern that reads a text again and again', () => {
  expect(analyse({ source: String.raw`\n+$`, flags: '' }).reports).not.toEqual([])
})

it('has no pattern that backtracks over what it has read', () => {
  const slow = patterns.filter(({ source, flags }) => analyse({ source, flags }).reports.length > 0)
  expect(slow.map(({ place, source }) => `${place} ${source}`)).toEqual([])
})
