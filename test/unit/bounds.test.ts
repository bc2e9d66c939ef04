// docs/bounds.md against the code: every name, its value, and that no bound is missing.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../controller/config.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/bounds.md'), 'utf8')

interface Row {
  readonly name: string
  readonly value: number
  readonly file: string
  readonly effect: string
}

const rows: readonly Row[] = [
  ...page.matchAll(/^\| `([^`]+)` \| ([^|]+) \| `([^`]+)` \| (.+) \|$/gm),
].map(([, name = '', value = '', file = '', effect = '']) => ({
  name,
  value: Number(/^[\d,]+/.exec(value)?.[0].replaceAll(',', '')),
  file,
  effect,
}))

/** They bound only what is shown of something, or nothing at all: not on the page. */
const noBound: ReadonlySet<string> = new Set([
  'agent/host-keys.ts problemsShown',
  'agent/platforms/bindings.ts namedMax',
  'agent/platforms/cisco_ios/dialogue.ts hostShownMin',
  'agent/platforms/frr/batch.ts linesMin',
  'agent/platforms/frr/kernel-routes.ts shownMax',
  'agent/platforms/frr/static-route.ts mainTable',
  'agent/platforms/linux/batch.ts linesMin',
  'agent/platforms/linux/preflight.ts shownMax',
  'agent/terminal-screen.ts tabStops',
  'agent/terminal.ts echoTwiceMin',
  'controller/api/json.ts shownMax',
  'controller/api/schema/issues.ts shownMax',
  'controller/audit/key.ts seedBytes',
  'controller/audit/merkle.ts hashBytes',
  'controller/cli/audit.ts dataMax',
  'controller/cli/demo.ts usual',
  'controller/cli/print-plan.ts namedMax',
  'controller/cli/print.ts indentUsual',
  'controller/cli/print.ts shownMax',
  'controller/cli/serve.ts namedMax',
  'controller/store/random.ts stockBytes',
  'inventory/problem.ts messageMax',
  'inventory/yaml-nodes.ts foundMax',
  'playbooks/schema.ts tagDefault',
])

/** Where numbers without a constant are held to the page by other tests of this file: the configuration, and the limits of the inventory. */
const heldElsewhere = ['controller/config.ts', 'inventory/resolve.ts']

const sources: readonly (readonly [file: string, text: string])[] = [
  'agent',
  'controller',
  'inventory',
  'playbooks',
].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name): [string, string] => {
      const file = `${folder}/${name}`
      return [file, readFileSync(join(root, file), 'utf8')]
    }),
)

/** Without comments and texts, each line where it was. */
function bare(text: string): string {
  return text
    .replace(/\/\*[^]*?\*\/|`(?:[^`\\]|\\.)*`/g, (found) => found.replace(/[^\n]/g, ' '))
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/\/\/.*$/gm, '')
}

/** What bounds something by where it stands: a member with the name of a bound, the default of a parameter, a time to wait, a text cut off, a loop that counts far. */
const places: readonly RegExp[] = [
  /\b\w*(?:Ms|Max|Min|AtOnce|Attempts|Rounds|Hops|Bytes|MaxLength|[tT]imeout|timeWindow|max|most\w*|first|longest): ([\d_]+)\b/g,
  /[(,]\s*\w+(?:: number)? = ([\d_]+)\s*[,)]/g,
  /\b(?:after|setTimeout|delay)\((?:[^()]|\([^()]*\))*?(?<!\* )\b([\d_]+)\b/g,
  /\bslice\((?:[^()]|\([^()]*\))*?\b([1-9][\d_]{2,})\)/g,
  /\b(?:for \([^;]*;|while \()[^;){]*< ([1-9][\d_]+)\b/g,
]

/** Bounds that are written without a name, by file and line. */
function unnamed(file: string, text: string): readonly string[] {
  const plain = bare(text)
  return places.flatMap((place) =>
    [...plain.matchAll(place)]
      .filter(([, number = '']) => Number(number.replaceAll('_', '')) > 0)
      .map(({ 0: found, index }) => {
        const line = plain.slice(0, index).split('\n').length
        return `${file}:${line} ${found.trim()}`
      }),
  )
}

/** Each constant of the code that is a plain number or a product of such, by file and name. */
function constants(): ReadonlyMap<string, number> {
  return new Map(
    sources.flatMap(([file, text]) => {
      const found = text.matchAll(
        /^ *(?:export )?const ([a-z]\w*)(?:: number)? = ([\d_]+(?: \* [\d_]+)*)$/gm,
      )
      return [...found].map(([, name = '', product = '']): [string, number] => [
        `${file} ${name}`,
        product
          .split(' * ')
          .map((factor) => Number(factor.replaceAll('_', '')))
          .reduce((one, other) => one * other),
      ])
    }),
  )
}

describe('docs/bounds.md', () => {
  const known = constants()

  it('names every bound of the code, and none that is not there', () => {
    const named = rows.filter(({ name }) => !name.includes('.') && name !== 'drainMs')
    const onPage = named.map(({ file, name }) => `${file} ${name}`)

    expect(onPage.length).toBeGreaterThan(60)
    expect(onPage.filter((each) => !known.has(each))).toEqual([])
    // Of agents and controller every number; of the rest those that are named so.
    const isBound = (each: string) =>
      /^(?:agent|controller)\//.test(each) || /(?:Max|Ms|Min|Default|AtOnce|Attempts)$/.test(each)
    const missing = [...known.keys()].filter(
      (each) => isBound(each) && !noBound.has(each) && !onPage.includes(each),
    )
    expect(missing).toEqual([])
  })

  it('has a name for each: none is written where it is used', () => {
    const others = sources.filter(([file]) => !heldElsewhere.includes(file))

    expect(others.length).toBeGreaterThan(200)
    expect(others.flatMap(([file, text]) => unnamed(file, text))).toEqual([])
  })

  it.each([
    'const pauseMs = { first: 2, longest: 1_000 }',
    'wait({ deadlineMs: 60_000 })',
    'const walk = (mostHops = 64) => mostHops',
    'function ask(tries: number = 5, of: string) {}',
    'clock.after(5_000, stop)',
    'text.slice(-2_000)',
    'for (let round = 0; round < 20; round++) {}',
  ])('would have seen %s', (line) => {
    expect(unnamed('agent/x.ts', `// one\n${line}\n`)).not.toEqual([])
  })

  it.each([
    'const first = { at: 0 }',
    "say('deadlineMs: 60_000')",
    '// deadlineMs: 60_000',
    'clock.after(stopMs, stop)',
    'clock.after(stopMs * 2, stop)',
    'for (let part = 0; part < 4; part++) {}',
  ])('takes %s for none', (line) => {
    expect(unnamed('agent/x.ts', line)).toEqual([])
  })

  it('gives each the value that it has', async () => {
    // Config is flat: the keys of the file by their last part.
    const config = new Map<string, unknown>(Object.entries(await loadConfig({})))
    const inventory = readFileSync(join(root, 'inventory/resolve.ts'), 'utf8').replaceAll('_', '')
    const differing = rows.filter(({ name, file, value }) => {
      const last = name.split('.').at(-1) ?? name
      if (file === 'controller/config.ts') return config.get(last) !== value
      if (!name.includes('.')) return known.get(`${file} ${name}`) !== value
      const [group = ''] = name.split('.')
      return !new RegExp(`${group}: \\{[^}]*\\b${last}: ${value}\\b`).test(inventory)
    })

    expect(differing).toEqual([])
  })

  it('has every number of the configuration', async () => {
    const numbers = Object.entries(await loadConfig({}))
      .filter(([name, value]) => typeof value === 'number' && name !== 'port')
      .map(([name]) => name)
    const inConfig = rows.filter(({ file }) => file === 'controller/config.ts')

    expect(inConfig.map(({ name }) => name.split('.').at(-1) ?? name).toSorted()).toEqual(
      numbers.toSorted(),
    )
  })

  it('says of each what happens then', () => {
    expect(rows.filter(({ effect }) => effect.length < 10)).toEqual([])
  })
})
