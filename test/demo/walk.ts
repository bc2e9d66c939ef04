// The printed tour, walked: every command of it is run as it stands, in order, and must say something that only the right answer says.

import { run } from './child.ts'

/** What each command must answer; the first pattern that fits a command counts. A command without one is a gap of this table. */
const answers: readonly (readonly [command: RegExp, answer: RegExp])[] = [
  [/ lookup 203\.0\.113\.10$/, /esthost/],
  [/ lookup 203\.0\.113\.(?:70|20)$/, /quietfarm|bystander/],
  [/ device list$/, /sw1(?:\.ams)?\s+(?:.*)linux/],
  [/ device check /, /nothing to put right/],
  [/ --dry-run /, /route 203\.0\.113\.\d+\/\d+ .*666/],
  [/ suspend /, /^suspend \S+: enforced/m],
  [/ status$/, /esthost/],
  [/ release /, /\breleased\b/],
  [/ audit search /, /enforcement\.requested/],
  [/ audit verify /, /is whole/],
]

/** How long one command may take, in ms. */
const commandMs = 60_000

/** The command lines of a printed tour, in order. */
export function commandsOf(text: string): readonly string[] {
  return [...text.matchAll(/^ {2}\$ (.+)$/gm)].map(([, command = '']) => command)
}

/** Runs one command line of a tour; answers what was wrong with it. */
export async function walk(command: string, cwd: string): Promise<string | undefined> {
  const expected = answers.find(([pattern]) => pattern.test(command))?.[1]
  if (expected === undefined) return `nothing says what this command must answer: ${command}`
  const from = performance.now()
  const { code, text } = await run('sh', ['-c', command], { cwd, ms: commandMs })
  const seconds = ((performance.now() - from) / 1_000).toFixed(1)
  if (code !== 0) return `exit code ${code}, expected 0:\n${text}`
  if (!expected.test(text)) return `its answer does not match ${String(expected)}:\n${text}`
  process.stdout.write(`  ok ${seconds} s  ${command}\n`)
  return undefined
}
