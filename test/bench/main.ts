// `npm run bench`: every figure that nullroute promises, measured in one run, printed as one table and written to docs/performance.md.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { benchBulk } from './bulk.ts'
import { benchCapacity } from './capacity.ts'
import { benchDistance } from './distance.ts'
import { benchFarm } from './farm.ts'
import { benchLab, type Lab, openLab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { type Letter, letters, type Options, readOptions, usage } from './options.ts'
import { page, type Section, textTable } from './report.ts'
import { benchSaving } from './saving.ts'

/** Exit code for wrong use. */
const misuse = 2

type Bench = (options: Options, lab: () => Promise<Lab | string>) => Promise<Section>

const benches: Readonly<Record<Letter, Bench>> = {
  a: async (options, lab) => benchLab(options, await lab()),
  b: benchDistance,
  c: benchFarm,
  d: async (options, lab) => benchBulk(options, options.quick ? 'not in a quick run' : await lab()),
  e: benchSaving,
  f: benchCapacity,
}

const method = [
  'The product runs as it is built (`dist/`), each part in a process of its own: devices, controller, bare client, and the one that asks and measures. Times of different processes are of the machine’s one monotonic clock.',
  'A decision’s time begins before the first byte of the API call and ends when the record that it is enforced is durable in the store (an fsync later): read before, records, sending and read-back are inside, the save is not.',
  'The floor is bare ssh2 1.17 with the algorithms that nullroute ends up with: it types one line, awaits its prompt, types the next, and believes the answers. Floor and product take turns on the same devices.',
  'Nothing here is asserted by a test: figures depend on the machine.',
]

async function run(options: Options): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-bench-'))
  const machine = describeMachine(folder)
  await rm(folder, { recursive: true })
  for (const line of machine) process.stderr.write(`${line}\n`)
  const sections = await runAll(options)
  const report = { machine, sections }
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${textTable(sections)}\n`)
  if (options.quick || options.only.length < letters.length) return
  const file = resolve('docs/performance.md')
  const at = new Date().toISOString().slice(0, 10)
  await writeFile(file, page({ sections, machine, method, at }))
  process.stderr.write(`written: ${file}\n`)
}

/** One that broke must not take the figures of the others with it; the run ends with an error all the same. */
function failed(letter: Letter, fault: unknown): Section {
  const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)
  process.stderr.write(`\n${text}\n`)
  process.exitCode = 1
  const [first = ''] = text.split('\n')
  const row = { what: 'the bench broke', goal: '', figure: first, verdict: 'not run' } as const
  return { letter, title: 'Not measured', rows: [row], notes: [] }
}

async function runAll(options: Options): Promise<readonly Section[]> {
  const sections: Section[] = []
  let opened: Promise<Lab | string> | undefined
  const lab = (): Promise<Lab | string> => {
    opened ??= openLab()
    return opened
  }
  try {
    for (const letter of options.only) {
      const from = performance.now()
      process.stderr.write(`bench ${letter} …`)
      sections.push(
        await benches[letter](options, lab).catch((fault: unknown) => failed(letter, fault)),
      )
      process.stderr.write(` ${((performance.now() - from) / 1_000).toFixed(0)} s\n`)
    }
  } finally {
    const left = await opened?.catch(() => undefined)
    if (typeof left === 'object') await left.end()
  }
  return sections
}

async function main(): Promise<number | undefined> {
  let options: Options | 'help'
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return misuse
  }
  if (options === 'help') process.stdout.write(usage)
  else await run(options)
  return undefined
}

try {
  process.exitCode = (await main()) ?? process.exitCode ?? 0
} catch (error) {
  process.stderr.write(
    `\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exitCode = 1
}
