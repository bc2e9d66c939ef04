// `npm run test:mutations`: makes one rule after the other always pass and demands that a test fails. The change is made to what the tests load, never
// to a file. Prints a table; ends with 1 where a rule can be taken away unnoticed.

import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { startVitest, type TestModule, type Vitest } from 'vitest/node'
import { allMutations, type Mutation, sourceOf } from './mutations.ts'

const top = fileURLToPath(new URL('../../', import.meta.url))
const original = 'nothing changed'

/** A mutation whose text does not stand in its file exactly once tests nothing. */
function problemOf({ file, from, to }: Mutation): string | undefined {
  const times = sourceOf(file).split(from).length - 1
  if (from === to) return 'changes nothing'
  return times === 1 ? undefined : `its text stands ${times} times in ${file}: bring it up to date`
}

/** One project for each change, so that all of them run side by side in one process. */
function projectOf(name: string, tests: readonly string[], mutation?: Mutation) {
  return {
    root: top,
    plugins: [
      {
        name: 'mutation',
        enforce: 'pre' as const,
        transform: (code: string, id: string) =>
          mutation !== undefined && id.endsWith(`/${mutation.file}`)
            ? code.replace(mutation.from, () => mutation.to)
            : undefined,
      },
    ],
    test: {
      name,
      include: [...tests],
      pool: 'threads' as const,
      isolate: false,
      testTimeout: 60_000,
    },
  }
}

async function run(mutations: readonly Mutation[]): Promise<Vitest> {
  const all = [...new Set(mutations.flatMap(({ tests }) => tests))]
  const projects = [
    projectOf(original, all),
    ...mutations.map((mutation) => projectOf(mutation.name, mutation.tests, mutation)),
  ]
  const vitest = await startVitest(
    'test',
    [],
    { watch: false, config: false, root: top, reporters: [{}], passWithNoTests: false },
    { root: top, test: { projects } },
  )
  // A failed test is what is wanted here.
  process.exitCode = 0
  return vitest
}

/** The first test of a project that failed. */
function caughtBy(modules: readonly TestModule[]): string | undefined {
  for (const module of modules) {
    for (const test of module.children.allTests('failed')) return test.fullName
  }
  return undefined
}

/** Why a test file could not even begin: nothing of it has looked at the change. */
function brokenBy(modules: readonly TestModule[]): string | undefined {
  for (const module of modules) {
    const [error] = module.errors()
    if (error !== undefined) return `${module.relativeModuleId}: ${error.message}`
  }
  return undefined
}

const mutations = allMutations()
const stale = mutations.flatMap((mutation) => {
  const problem = problemOf(mutation)
  return problem === undefined ? [] : [`${mutation.name}: ${problem}`]
})
if (stale.length > 0) {
  process.stderr.write(`${stale.join('\n')}\n`)
  process.exit(1)
}

const vitest = await run(mutations)
const modules = vitest.state.getTestModules()
const of = (name: string): readonly TestModule[] =>
  modules.filter(({ project }) => project.name === name)
const table = new Table({
  head: ['made to always pass', 'caught by'],
  style: { head: [], border: [], compact: true },
})
const survivors: string[] = []
for (const { name } of mutations) {
  const caught = caughtBy(of(name))
  const fault = brokenBy(of(name))
  if (caught === undefined) {
    survivors.push(fault === undefined ? name : `${name}; no test could begin: ${fault}`)
  }
  table.push([name, (caught ?? 'NOTHING').slice(0, 110)])
}
const before = caughtBy(of(original)) ?? brokenBy(of(original))
await vitest.close()
process.stdout.write(`${table.toString()}\n`)
if (before !== undefined) process.stderr.write(`without any change this fails: ${before}\n`)
process.stdout.write(
  `${mutations.length} rules made to always pass, ${mutations.length - survivors.length} caught by a test, ${survivors.length} unnoticed\n`,
)
for (const name of survivors) process.stderr.write(`unnoticed: ${name}\n`)
process.exit(survivors.length === 0 && before === undefined ? 0 : 1)
