// The demo on the lab: real routers in network namespaces, by the lab's own script. Needs root, and the source tree.

import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CliError, exitCodes } from './context.ts'

/** A lab that is up. */
export interface RunningLab {
  readonly inventory: string
  /** Takes it down, unless it was up before. */
  stop(): Promise<void>
}

/** Brings the lab up, or takes the one that is. What the script says goes to `log`. */
export async function startLab(
  environment: Readonly<Record<string, string | undefined>>,
  log: string,
): Promise<RunningLab> {
  const script = fileURLToPath(new URL('../../test/lab/lab.sh', import.meta.url))
  if (!existsSync(script)) {
    throw new CliError(
      exitCodes.refused,
      'lab_missing',
      'the lab is not in the package: --lab works in the source tree',
    )
  }
  if (process.getuid?.() !== 0) {
    throw new CliError(
      exitCodes.refused,
      'lab_needs_root',
      'the lab makes network namespaces, which needs root: sudo npm run demo -- --lab',
    )
  }
  const folder = environment['NULLROUTE_LAB'] ?? '/run/nullroute-lab'
  const wasUp = existsSync(join(folder, 'ready'))
  const run = (command: string) => runScript([script, command, '--run', folder], log)
  try {
    await run('up')
  } catch (fault) {
    if (!wasUp) await run('down').catch(() => undefined)
    throw fault
  }
  return {
    inventory: join(folder, 'inventory'),
    stop: () => (wasUp ? Promise.resolve() : run('down')),
  }
}

/** Output goes to a file: the lab's daemons inherit it, and would keep a pipe open for ever. A group of its own: Ctrl-C must not end it half-way. */
async function runScript(args: readonly string[], log: string): Promise<void> {
  const out = openSync(log, 'a')
  try {
    const child = spawn('bash', [...args], { stdio: ['ignore', out, out], detached: true })
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (status, signal) => resolve(signal ?? status ?? 1))
    })
    if (code === 0) return
    const said = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-12).join('\n')
    throw new CliError(
      exitCodes.refused,
      'lab_failed',
      `the lab did not come up (${code}):\n${said}`,
    )
  } finally {
    closeSync(out)
  }
}
