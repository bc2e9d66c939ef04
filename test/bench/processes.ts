// Each part of a bench is a process of its own, so that its CPU time and memory are its own: farm, controller, bare client. They talk by messages.

import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a child can be asked to do: a function each, JSON in and JSON out. */
export type Doings = Readonly<Record<string, (asked: never) => unknown>>

interface Call {
  readonly id: number
  readonly what: string
  readonly asked: unknown
}

interface Reply {
  readonly id: number
  readonly answer?: unknown
  readonly fault?: string
}

/** A child process, with its doings as asynchronous functions. */
export interface Child<D extends Doings> {
  readonly pid: number
  ask<K extends keyof D & string>(
    what: K,
    asked: Parameters<D[K]>[0],
  ): Promise<Awaited<ReturnType<D[K]>>>
  /** CPU seconds that it has used so far, user and system. */
  cpuSeconds(): Promise<number>
  end(): Promise<void>
}

/** Longest that one doing may take, in ms. */
const patienceMs = 900_000

const cpuSeconds = 'cpuSeconds'

/** Starts a child: a file beside this one, named without its ending (sources have `.ts`, the build `.js`). What it needs in its environment is given. */
export function startChild<D extends Doings>(
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Child<D> {
  const file = fileURLToPath(new URL(`${name}${extname(import.meta.url)}`, import.meta.url))
  const child = fork(file, { env: { ...process.env, ...environment } })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(fault: Error): void }>()
  let next = 0
  const lost = (why: string): void => {
    for (const asker of waiting.values()) asker.reject(new Error(`${name} ended: ${why}`))
    waiting.clear()
  }
  child.on('message', (reply: Reply) => {
    const asker = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.fault === undefined) asker?.resolve(reply.answer)
    else asker?.reject(new Error(`${name}: ${reply.fault}`))
  })
  child.once('error', (fault) => lost(fault.message))
  child.once('exit', (code, signal) => lost(String(signal ?? code)))
  const call = (what: string, asked: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = next++
      const late = setTimeout(() => {
        waiting.delete(id)
        reject(new Error(`${name} did not finish ${what} within ${patienceMs / 1_000} s`))
      }, patienceMs)
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(late)
          how(value)
        }
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) })
      child.send({ id, what, asked } satisfies Call)
    })
  return {
    pid: child.pid ?? 0,
    // The child answers with what its own function of that name returned.
    ask: (what, asked) => call(what, asked) as never,
    cpuSeconds: async () => Number(await call(cpuSeconds, undefined)),
    end: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** In the child: answers what the parent asks, and ends with it. */
export function serve(doings: Doings): void {
  const answer = async ({ id, what, asked }: Call): Promise<Reply> => {
    try {
      if (what === cpuSeconds) {
        const { user, system } = process.cpuUsage()
        return { id, answer: (user + system) / 1e6 }
      }
      const doing = doings[what]
      if (doing === undefined) throw new Error(`nothing is called ${what}`)
      return { id, answer: await doing(asked as never) }
    } catch (fault) {
      return { id, fault: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) }
    }
  }
  process.on('message', (call: Call) => void answer(call).then((reply) => process.send?.(reply)))
  process.once('disconnect', () => process.exit())
}

/** Milliseconds of the machine's monotonic clock: the same in every process. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
