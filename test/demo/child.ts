// Programs as a person starts them: in a process group of their own, so that Ctrl-C reaches all of it as on a terminal, with what they print kept.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

/** A program under way. */
export interface Child {
  /** All that it printed so far, without colours. */
  text(): string
  /** Resolves when its output matches. Rejects, with the output, when it ends before or takes too long. */
  until(pattern: RegExp, ms: number): Promise<void>
  /** Ctrl-C, as a terminal sends it; resolves when the program has ended, rejects when that takes too long. */
  interrupt(ms: number): Promise<void>
  /** The processes that descend from it now. */
  descendants(): readonly number[]
  /** Ends whatever is left, at once. */
  kill(): void
}

/** What a program came to. */
export interface Result {
  readonly code: number | null
  readonly text: string
}

/** Starts a program. Nothing that would name another controller reaches it. */
export function start(command: string, args: readonly string[], cwd: string): Child {
  const child = spawn(command, args, {
    cwd,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let text = ''
  let ended: string | undefined
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += stripVTControlCharacters(more)
      tell()
    })
  }
  child.once('error', (cause) => {
    ended = cause.message
    tell()
  })
  child.once('close', (code, signal) => {
    ended ??= `it ended with ${signal ?? code}`
    tell()
  })
  const wait = (done: () => boolean, ms: number, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const finish = (problem?: string): void => {
        clearTimeout(timer)
        listeners.delete(look)
        if (problem === undefined) resolve()
        else reject(new Error(`${[command, ...args].join(' ')}: ${problem}\n${text}`))
      }
      const look = (): void => {
        if (done()) finish()
        else if (ended !== undefined) finish(`${ended} before ${what}`)
      }
      const timer = setTimeout(() => finish(`no ${what} within ${ms / 1_000} s`), ms)
      listeners.add(look)
      look()
    })
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined || ended !== undefined) return
    try {
      process.kill(-child.pid, name)
    } catch {
      // Gone in this moment.
    }
  }
  return {
    text: () => text,
    until: (pattern, ms) => wait(() => pattern.test(text), ms, String(pattern)),
    interrupt(ms) {
      signal('SIGINT')
      return wait(() => ended !== undefined, ms, 'end after Ctrl-C')
    },
    descendants: () => (child.pid === undefined ? [] : descendantsOf(child.pid)),
    kill: () => signal('SIGKILL'),
  }
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly ms: number },
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.ms,
      killSignal: 'SIGKILL',
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (more: string) => {
        text += stripVTControlCharacters(more)
      })
    }
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, text }))
  })
}

/** Those of some processes that are still there. A zombie that nobody has waited for yet is not. */
export function alive(pids: readonly number[]): readonly number[] {
  const there = new Map(processes().map(({ pid, state }) => [pid, state]))
  return pids.filter((pid) => there.has(pid) && there.get(pid) !== 'Z')
}

function descendantsOf(pid: number): readonly number[] {
  const all = processes()
  const found = [pid]
  for (const parent of found) {
    found.push(...all.filter((one) => one.parent === parent).map((one) => one.pid))
  }
  return found
}

interface Process {
  readonly pid: number
  readonly parent: number
  readonly state: string
}

function processes(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      // `pid (name) state parent …`: the name may hold anything, so what follows its last bracket counts.
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      const [state = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(name), parent: Number(parent), state }]
    } catch {
      // Ended while we looked.
      return []
    }
  })
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    // npm's own variables would make a program believe that it was started by the npm that started this test.
    ([name]) => !/^(?:NULLROUTE_|npm_|INIT_CWD$)/i.test(name),
  )
  return { ...Object.fromEntries(entries), NO_COLOR: '1' }
}
