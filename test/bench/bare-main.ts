// Bare ssh2 on many devices at once, in a process of its own.

import { type BareSession, type BareTarget, openBare } from './bare.ts'
import { machineMs, serve } from './processes.ts'

let targets: readonly BareTarget[] = []
let sessions: BareSession[] = []

/** The bare client's doings. Times in ms. */
const doings = {
  meet(devices: readonly BareTarget[]): void {
    targets = devices
  },
  /** Opens all sessions, so many at once. */
  async open({ atOnce }: { readonly atOnce: number }): Promise<void> {
    sessions = await inTurns(targets, atOnce, openBare)
  },
  /** Over sessions that are open. */
  warm({ address, atOnce }: { readonly address: string; readonly atOnce: number }) {
    return timed(() => inTurns(sessions, atOnce, (session) => session.on(address)))
  },
  /** Opens each session, and keeps it. */
  cold({ address, atOnce }: { readonly address: string; readonly atOnce: number }) {
    return timed(async () => {
      sessions = await inTurns(targets, atOnce, async (target) => {
        const session = await openBare(target)
        await session.on(address)
        return session
      })
    })
  },
  async off({ address, atOnce }: { readonly address: string; readonly atOnce: number }) {
    await inTurns(sessions, atOnce, (session) => session.off(address))
  },
  /** Types lines over the first session, each prompt awaited. */
  async type(lines: readonly string[]): Promise<number> {
    const [session] = sessions
    if (session === undefined) throw new Error('no session is open')
    return timed(async () => {
      for (const line of lines) await session.type(line)
    })
  },
  close(): void {
    for (const session of sessions) session.close()
    sessions = []
  },
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = machineMs()
  await work()
  return machineMs() - from
}

async function inTurns<T, R>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < all.length; at = next++) {
      // Within bounds: `at` was taken from below the length.
      results[at] = await work(all[at] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker))
  return results
}

/** What the bare client can be asked. */
export type Bare = typeof doings

serve(doings)
