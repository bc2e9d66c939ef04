// One run of the crash harness: what it works with, and how a life of its controller begins.

import type { Config } from '../../controller/config.ts'
import type { Scene } from './checks.ts'
import type { Life, Lives } from './controller.ts'
import type { Desk } from './desk.ts'
import type { Ledger } from './ledger.ts'

/** What to run. */
export interface RunOptions {
  readonly kills: number
  readonly seed: number
  /** Kills between two looks at everything. */
  readonly every: number
  /** Told what goes on, a line at a time. */
  say(text: string): void
}

/** What the devices of the city ask for. */
export const password = 'Tiger-Sim-Pw-4711'
/** For privileged mode. */
export const enable = 'Lynx-Enable-0815'

/** How often it is looked whether everything rests, in ms. */
export const lookMs = 20
/** Who listens to requests where nobody is killed. */
export const nobody = { sent: () => undefined, answered: () => undefined }

/** What a run works with. */
export interface Run extends Scene {
  readonly options: RunOptions
  readonly folder: string
  readonly program: string
  readonly config: Config
  readonly desk: Desk
  readonly ledger: Ledger
  readonly lives: Lives
  readonly problems: string[]
  readonly points: Map<string, number>
  /** Told of each line that changes something. */
  onLine: (when: 'before' | 'after') => void
  lines: number
  /** Lines of whatever kind: by them it is seen that something moves. */
  moved: number
  kills: number
  looks: number
  /** Lies of devices that the controller was seen to judge, and not to believe. */
  lies: number
  lookedAt: number
  /** Decisions that were sent once more. */
  readonly replayed: Set<number>
  /** Last entry of the log that the chronicle has. */
  read: number
  reborn(): void
}

/** Begins the next life, which ends itself at its point, if it is given one. */
export function start(
  run: Run,
  cut: { readonly point: string; readonly pass: number } | undefined,
): Life {
  run.ledger.close()
  run.reborn()
  const environment = { SIMULATED: password, ENABLE: enable }
  return run.lives.start({ config: run.config, environment, ...(cut === undefined ? {} : { cut }) })
}

/** Counts what happened at a point. */
export function count(points: Map<string, number>, point: string): void {
  points.set(point, (points.get(point) ?? 0) + 1)
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
