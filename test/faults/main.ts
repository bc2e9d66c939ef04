// `npm run test:faults`: plays every cell of the fault table, fails on a forbidden outcome, and writes docs/faults.md.

import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { CellResult } from './play.ts'
import { faultsPage } from './report.ts'
import { type Spot, spots } from './table.ts'
import type { Played } from './worker.ts'
import { platforms } from './worlds.ts'

const usage = `Usage: npm run test:faults -- [--only SPOT] [--platform P] [--fault F] [--verbose] [--workers N]

  --only SPOT    one spot of the table, or the one that a cell belongs to
  --platform P   one platform: ${platforms.join(', ')}
  --fault F      one fault
  --verbose      every cell with what was seen, not only those with a forbidden outcome
  --workers N    processes (default: one for each core)

Without a choice all cells are played, and docs/faults.md is compared with what was seen.
`

/** Cells under way in one process. */
const atOnce = 5

/** Where each cell's data folder lies: in memory, if it can. What a disk does to a commit is another suite's matter. */
function memoryFolder(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

/** How a worker is started. One that fills a disk has mounts of its own, which end with it. */
function processFor(wanted: readonly Spot[]): { execPath: string; execArgv: string[] } {
  const run = ['--import', 'tsx']
  if (!wanted.some(({ fault }) => fault.id === 'disk-full')) {
    return { execPath: process.execPath, execArgv: run }
  }
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  return { execPath: 'unshare', execArgv: ['--mount', ...asRoot, process.execPath, ...run] }
}

/** Plays all spots in processes of their own. */
async function playAll(
  wanted: readonly Spot[],
  workers: number,
): Promise<ReadonlyMap<string, readonly CellResult[]>> {
  const results = new Map<string, readonly CellResult[]>()
  const waiting = wanted.map(({ id }) => id)
  const runWorker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
        ...processFor(wanted),
        env: { ...process.env, TMPDIR: memoryFolder() },
      })
      let open = 0
      const next = (): void => {
        const id = waiting.shift()
        if (id !== undefined) {
          open += 1
          child.send(id)
        } else if (open === 0) child.disconnect()
      }
      child.on('message', (message: Played | 'ready') => {
        if (message === 'ready') {
          for (let at = 0; at < atOnce && waiting.length > 0; at += 1) next()
          // There may be fewer spots than workers.
          if (open === 0) child.disconnect()
          return
        }
        open -= 1
        results.set(message.spot, message.results)
        for (const one of message.results) {
          if (values.verbose) console.log(one.id, Object.values(one.seen).join(' · '))
          for (const text of one.forbidden) console.log(`FORBIDDEN ${one.id}: ${text}`)
        }
        next()
      })
      child.on('error', reject)
      child.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`)),
      )
    })
  await Promise.all(Array.from({ length: workers }, runWorker))
  return results
}

const values = readOptions()
if (values.help) {
  process.stdout.write(usage)
  process.exit()
}
const table = spots(platforms)
const wanted = table.filter(
  ({ id, platform, fault }) =>
    (values.only === undefined || values.only === id || values.only.startsWith(`${id}/`)) &&
    (values.platform === undefined || values.platform === platform) &&
    (values.fault === undefined || values.fault === fault.id),
)
const from = performance.now()
const results = await playAll(wanted, Number(values.workers))
const cells = [...results.values()].flat()
const bad = cells.filter(({ forbidden }) => forbidden.length > 0)
const seconds = Math.round((performance.now() - from) / 1_000)
console.log(`${cells.length} cells played, ${bad.length} with a forbidden outcome, in ${seconds} s`)
for (const { id } of bad) console.log(`  npm run test:faults -- --only ${id}`)
process.exitCode = bad.length > 0 ? 1 : 0
if (wanted.length === table.length)
  await comparePage(faultsPage({ platforms, spots: table, results }))

/** What was chosen. Ends the process over what can't be. */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        platform: { type: 'string' },
        fault: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        workers: { type: 'string', default: String(availableParallelism()) },
        help: { type: 'boolean', default: false },
      },
    })
    return values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

/** The page is what was seen: where it was another, it is written anew, and the run fails. */
async function comparePage(page: string): Promise<void> {
  const file = fileURLToPath(new URL('../../docs/faults.md', import.meta.url))
  const written = await readFile(file, 'utf8').catch(() => '')
  if (written === page) return console.log('docs/faults.md says the same')
  await writeFile(file, page)
  console.log(
    'docs/faults.md said something else: it is written anew, `git diff docs/faults.md` shows what is different',
  )
  process.exitCode = 1
}
