// `npm run test:demo`: starts the demo as a newcomer does, runs every command that it prints, ends it with Ctrl-C and looks for what is left.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alive, start } from './child.ts'
import { commandsOf, walk } from './walk.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Fewer commands than this is no tour: the text was not understood. */
const commandsMin = 10
const readyMs = 90_000
const endMs = 30_000

async function main(): Promise<readonly string[]> {
  const demo = start('npm', ['run', 'demo', '--', ...process.argv.slice(2)], root)
  const problems: string[] = []
  try {
    await demo.until(/Ctrl-C ends all of it/, readyMs)
    const commands = commandsOf(demo.text())
    process.stdout.write(`the demo is ready, its tour has ${commands.length} commands\n`)
    if (commands.length < commandsMin) problems.push(`only ${commands.length} commands were found`)
    for (const command of commands) {
      const problem = await walk(command, root)
      if (problem !== undefined) problems.push(`${command}\n${problem}`)
    }
    const pids = demo.descendants()
    await demo.interrupt(endMs)
    const left = alive(pids)
    if (left.length > 0) problems.push(`processes are left after Ctrl-C: ${left.join(', ')}`)
    if (!demo.text().includes('Ending.')) problems.push(`Ctrl-C was not told:\n${demo.text()}`)
    if (existsSync(join(root, '.demo/credentials.json'))) {
      problems.push('credentials of a controller that is gone are left in .demo')
    }
    process.stdout.write(`  ok Ctrl-C ended all ${pids.length} processes\n`)
  } catch (fault) {
    problems.push(fault instanceof Error ? fault.message : String(fault))
  } finally {
    demo.kill()
  }
  return problems
}

const problems = await main()
for (const problem of problems) process.stdout.write(`\nPROBLEM ${problem}\n`)
process.stdout.write(problems.length === 0 ? 'the tour holds\n' : `\n${problems.length} problems\n`)
process.exitCode = problems.length === 0 ? 0 : 1
