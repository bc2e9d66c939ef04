// Controllers in processes of their own, one after the other on the same data folder. The next one is loaded while this one works, so that a start
// costs what a start has to do and not the reading of its code.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Order, Word } from './child.ts'

/** A controller that was told to start. */
export interface Life {
  /** Its address, once it listens; undefined where it ended before. */
  readonly listening: Promise<string | undefined>
  /** How it ended. */
  readonly ended: Promise<End>
  readonly over: boolean
  kill(): void
}

/** How a process ended. */
export interface End {
  /** The point at which it ended itself. */
  readonly point?: string
  readonly signal: string | null
  readonly code: number | null
  /** What it said on its standard error. */
  readonly words: string
}

/** Starts one life after the other. */
export interface Lives {
  start(order: Order): Life
  stop(): void
}

/** A process that has loaded its code and waits. */
interface Loaded {
  readonly process: ChildProcess
  readonly words: string[]
}

/** Lives of this program (child.ts); loads the first one. */
export function lives(program: string): Lives {
  let next = load(program)
  return {
    start(order) {
      const { process, words } = next
      next = load(program)
      return begin(process, words, order)
    },
    stop: () => void next.process.kill('SIGKILL'),
  }
}

function load(program: string): Loaded {
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const words: string[] = []
  child.stderr.on('data', (text: Buffer) => words.push(String(text)))
  // It may be dead by the time that it is written to.
  child.stdin.on('error', () => undefined)
  return { process: child, words }
}

function begin(child: ChildProcess, words: readonly string[], order: Order): Life {
  let point: string | undefined
  let over = false
  let listens: (url: string | undefined) => void = () => undefined
  const listening = new Promise<string | undefined>((resolve) => {
    listens = resolve
  })
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const word = JSON.parse(line) as Word
      if ('url' in word) listens(word.url)
      else point = word.point
    })
  }
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]): End => {
    over = true
    listens(undefined)
    return {
      ...(point === undefined ? {} : { point }),
      signal: typeof signal === 'string' ? signal : null,
      code: typeof code === 'number' ? code : null,
      words: words.join(''),
    }
  })
  child.stdin?.write(`${JSON.stringify(order)}\n`)
  return {
    listening,
    ended,
    get over() {
      return over
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
