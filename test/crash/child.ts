// A controller in a process of its own, made to be killed. Loads everything, waits for one line of JSON that says what to run and where to end,
// prints its address when it listens, and ends itself by SIGKILL at its point. When its parent goes, it goes too.

import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import pino from 'pino'
import type { Config } from '../../controller/config.ts'
import { startController } from '../../controller/main.ts'
import { type Cut, counter, fencedBy } from './points.ts'

/** What the parent says. */
export interface Order {
  readonly config: Config
  readonly environment: Readonly<Record<string, string>>
  readonly cut?: Cut
}

/** What the child says: that it listens, or at which point it ends. */
export type Word = { readonly url: string } | { readonly point: string }

// By a synchronous write: the process has no later.
function say(word: Word): void {
  writeSync(1, `${JSON.stringify(word)}\n`)
}

function end(point: string): void {
  say({ point })
  process.kill(process.pid, 'SIGKILL')
}

async function run(line: string): Promise<void> {
  const order = JSON.parse(line) as Order
  const { url } = await startController(order.config, {
    log: pino({ level: 'silent' }),
    environment: order.environment,
    around: fencedBy(counter(order.cut, end)),
  })
  say({ url })
}

const input = createInterface({ input: process.stdin })
input.once('line', (line) => void run(line))
input.once('close', () => process.exit())
