// The demo's devices: the simulator as a process of its own, which ends with this one. Nothing of it is imported.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CliError, exitCodes } from './context.ts'

/** A simulated device that listens. */
const Listening = z.object({
  name: z.string(),
  platform: z.string(),
  host: z.string(),
  port: z.number().int(),
  username: z.string(),
  password: z.string(),
  hostKey: z.string(),
})
/** Where a simulated device listens, and how to log in. */
export type ListeningDevice = z.output<typeof Listening>

/** A network that runs in a process of its own. */
export interface RunningSimulator {
  readonly devices: readonly ListeningDevice[]
  /** Resolves with a reason when it ends without being told to. */
  readonly failed: Promise<string>
  stop(): Promise<void>
}

/** How long the devices may take to listen, and to end, in ms. */
const startMs = 60_000
const stopMs = 5_000

/** Characters that are kept of what they said last. */
const saidMax = 2_000

/** Starts a fake device for each device of an inventory, on free ports of 127.0.0.1. */
export async function startSimulatorProcess(
  inventory: string,
  password: string,
): Promise<RunningSimulator> {
  const child = spawn(
    process.execPath,
    // The loader that runs this program from its sources runs that one too.
    [
      ...process.execArgv,
      program(),
      '--inventory',
      inventory,
      '--ephemeral',
      '--json',
      '--control',
      '--password',
      password,
    ],
    // A group of its own: Ctrl-C is for us, who end it last. It ends when its input does, also when we are killed.
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-saidMax)
  })
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const broken = new Promise<string>((resolve) => {
    child.once('error', (cause) => resolve(cause.message))
    child.once('exit', (code, signal) => resolve(`it ended (${signal ?? code}) ${said.trim()}`))
  })
  const devices = await Promise.race([
    firstLine(child),
    broken,
    later(startMs, `it did not listen within ${startMs / 1_000} s ${said.trim()}`),
  ])
  if (typeof devices === 'string') {
    child.kill('SIGKILL')
    throw new CliError(
      exitCodes.refused,
      'simulator_failed',
      `the simulated devices did not start: ${devices}`,
    )
  }
  return {
    devices,
    failed: broken.then((why) => `the simulated devices are gone: ${why}`),
    async stop() {
      child.stdin.end()
      await Promise.race([exit, later(stopMs, undefined)])
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** The simulator's program: beside this file's folder in the sources, and in dist/. */
function program(): string {
  const here = import.meta.url
  const file = fileURLToPath(
    new URL(`../../test/simulator/main${here.endsWith('.ts') ? '.ts' : '.js'}`, here),
  )
  if (existsSync(file)) return file
  throw new CliError(
    exitCodes.refused,
    'simulator_missing',
    `${file} is not there: install nullroute again, or run \`npm run build\``,
  )
}

async function firstLine(child: ChildProcess): Promise<readonly ListeningDevice[] | string> {
  if (child.stdout === null) return 'it has no output'
  for await (const line of createInterface({ input: child.stdout })) {
    const parsed = z.array(Listening).safeParse(JSON.parse(line))
    child.stdout.resume()
    return parsed.success ? parsed.data : `it printed ${line.slice(0, 200)}`
  }
  // Its end says why.
  return new Promise(() => undefined)
}

function later<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, value).unref()
  })
}
