// A warm SSH session with one device: the only file that imports ssh2. Who may be spoken to is host-keys.ts, what is said is session-dialogue.ts.

import type { Device, Jump } from '../inventory/model.ts'
import type { Clock } from './clock.ts'
import type { AgentError } from './errors.ts'
import type { Answer, Context, Line, Platform, Seen } from './platform.ts'

/** What a session is opened with. */
export interface SessionOptions {
  readonly device: Device
  readonly jump?: Jump
  readonly platform: Platform
  readonly clock: Clock
  /** Where secrets are looked up by name: usually `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
}

/** An open session, at rest between runs. One run at a time. */
export interface Session {
  readonly seen: Seen
  /** `SHA256:…` of the host key that the device showed. */
  readonly hostKey: string
  /** The context of the last prompt. */
  readonly context: Context
  run(lines: readonly Line[], signal?: AbortSignal): Promise<readonly Answer[]>
  transcript(): string
  mark(): void
  close(): Promise<void>
  readonly closed: Promise<AgentError | undefined>
}

/** Connects, checks the host key, logs in and opens the platform's shell. */
export function openSession(options: SessionOptions): Promise<Session> {
  return Promise.reject(new TypeError(options.device.id))
}
