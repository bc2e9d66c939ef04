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

/** They bound only what is shown of something: not on the page. */
const noBound: ReadonlySet<string> = new Set([
  'agent/platforms/bindings.ts namedMax',
  'controller/api/json.ts shownMax',
  'controller/api/schema/issues.ts shownMax',
  'controller/cli/audit.ts dataMax',
  'controller/cli/print-plan.ts namedMax',
  'controller/cli/serve.ts namedMax',
  'inventory/problem.ts messageMax',
  'inventory/yaml-nodes.ts foundMax',
])

/** Each constant of the code that is a plain number or a product of such, by file and name. */
function constants(): ReadonlyMap<string, number> {
  const files = ['agent', 'controller', 'inventory', 'playbooks'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  )
  return new Map(
    files.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      const found = text.matchAll(/^(?:export )?const ([a-z]\w*) = ([\d_]+(?: \* [\d_]+)*)$/gm)
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
    const isBound = (each: string) => /(Max|Ms|MsMin|MsDefault|AtOnce|Attempts)$/.test(each)
    const missing = [...known.keys()].filter(
      (each) => isBound(each) && !noBound.has(each) && !onPage.includes(each),
    )
    expect(missing).toEqual([])
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
