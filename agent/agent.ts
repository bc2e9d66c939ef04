// The device agent: owns one device, its warm session, its strictly serial queue and its timers. What a convergence does is converge.ts.

import type PQueue from 'p-queue'
import type { Device, Jump } from '../inventory/model.ts'
import type { Clock } from './clock.ts'
import type { Intent } from './intents.ts'
import type { Journal, Reading } from './journal.ts'
import type { Change, Platform } from './platform.ts'

/** Where an agent writes what an operator of nullroute should see. pino fits. */
export interface AgentLog {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
}

/** What an agent needs. */
export interface AgentOptions {
  readonly device: Device
  readonly jump?: Jump
  readonly platform: Platform
  readonly journal: Journal
  /** Caps the devices that are worked on at once; shared by all agents. */
  readonly gate: PQueue
  readonly clock: Clock
  readonly log: AgentLog
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether the store knows of changes of ours that were not saved yet. */
  readonly unsaved?: boolean
}

/** One device's agent. */
export interface Agent {
  /** There is something to do: coalesced with what waits already. */
  wake(why: 'change' | 'retry' | 'check'): void
  /** Reads everything, the preflight too, and reports drift; what is missing is put back afterwards. */
  check(): Promise<Reading>
  /** Reads for a plan, and on a candidate loads, compares, checks and discards the changes. */
  read(
    intents: readonly Intent[],
    changes?: readonly Change[],
    why?: 'approval' | 'dry-run',
  ): Promise<Reading>
  readonly connected: boolean
  stop(): Promise<void>
}

/** Starts the agent of one device: it checks the device at once and every five minutes. */
export function createAgent(options: AgentOptions): Agent {
  throw new TypeError(options.device.id)
}
