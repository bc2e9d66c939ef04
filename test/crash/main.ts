// `npm run test:crash -- --kills N --seed S`: kills the controller that often and says whether everything held.

import { parseArgs } from 'node:util'
import { type Report, runCrashes } from './harness.ts'

const usage = `Usage: npm run test:crash -- [--kills N] [--seed S] [--every K]

Runs a controller on simulated devices of every platform, takes random decisions,
kills it with SIGKILL at points that follow from the seed, and starts it again.

  --kills N   how often it is killed (default 100)
  --seed S    a number; the same seed gives the same decisions, faults and points
              (default: a new one, printed)
  --every K   kills between two looks at everything (default 25)
`

/** Exit code for wrong use. */
const misuse = 2

interface Options {
  readonly kills: number
  readonly seed: number
  readonly every: number
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string' },
      every: { type: 'string', default: '25' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    kills: count('--kills', values.kills),
    seed: values.seed === undefined ? Date.now() % 2 ** 31 : count('--seed', values.seed),
    every: count('--every', values.every),
  }
}

function count(option: string, text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new TypeError(`${option} takes a number from 1 on, not "${text}"`)
  return Number(text)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function printed({ points, kills, decisions, lines, looks, lies }: Report): string {
  const rows = [...points]
    .toSorted(([, one], [, other]) => other - one)
    .map(([point, times]) => `  ${String(times).padStart(5)}  ${point}`)
  return [
    `${kills} kills, ${decisions} decisions, ${lines} changing lines held against the log, ${looks} looks at everything, ${lies} lies of devices judged. Killed`,
    ...rows,
  ].join('\n')
}

async function main(): Promise<number> {
  let options: Options | 'help'
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return misuse
  }
  if (options === 'help') {
    say(usage)
    return 0
  }
  const { seed, every, kills } = options
  say(`seed ${seed}: ${kills} kills, everything is looked at after each ${every}`)
  const from = Date.now()
  const report = await runCrashes({ ...options, say })
  const seconds = (Date.now() - from) / 1_000
  say(printed(report))
  say(
    `${seconds.toFixed(1)} s, ${(seconds / Math.max(1, report.kills)).toFixed(2)} s for each kill`,
  )
  if (report.failure === undefined) {
    say('everything held')
    return 0
  }
  const { kill, problems } = report.failure
  say(`\nNOT HELD, after kill ${kill} of seed ${seed}:`)
  for (const problem of problems.slice(0, 40)) say(`  - ${problem}`)
  if (problems.length > 40) say(`  and ${problems.length - 40} more`)
  say(`\nagain: npm run test:crash -- --kills ${kill} --seed ${seed} --every ${every}`)
  return 1
}

process.exitCode = await main()
process.exit()
