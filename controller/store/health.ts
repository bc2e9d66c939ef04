// Whether the disk takes what it is given: from a failed commit until a test append works it counts as not.

import type { Clock } from '../../agent/clock.ts'
import { ControllerError } from '../errors.ts'
import { isLostWrite } from './statements.ts'

/** Time until the first test append after a failure, in ms; doubles up to `probeMsMax`. */
const probeMsMin = 1_000
const probeMsMax = 30_000

/** What health is made of. */
export interface HealthParts {
  readonly file: string
  readonly clock: Clock
  /** Throws where the disk still says no. */
  readonly testAppend: () => void
  /** Told once, when what was written may be lost. */
  readonly broken: (error: ControllerError) => void
}

/** The disk's health. */
export interface Health {
  good(): boolean
  /** Why nothing may be written any more: an fsync failed, and no later one can be believed. */
  broken(): ControllerError | undefined
  failed(error: unknown): void
  /** An append became durable. */
  worked(): void
  close(): void
}

type State =
  | { readonly kind: 'good' | 'closed' }
  | { readonly kind: 'failed'; readonly probeMs: number; readonly cancel: () => void }
  | { readonly kind: 'broken'; readonly error: ControllerError }

/** Health of a database that was just opened. */
export function createHealth(parts: HealthParts): Health {
  let state: State = { kind: 'good' }

  function failed(error: unknown): void {
    if (state.kind === 'broken' || state.kind === 'closed') return
    if (state.kind === 'failed') state.cancel()
    if (isLostWrite(error)) {
      const fatal = lostWrite(parts.file, error)
      state = { kind: 'broken', error: fatal }
      parts.broken(fatal)
      return
    }
    const probeMs = state.kind === 'failed' ? Math.min(state.probeMs * 2, probeMsMax) : probeMsMin
    state = { kind: 'failed', probeMs, cancel: parts.clock.after(probeMs, probe) }
  }

  function probe(): void {
    if (state.kind !== 'failed') return
    try {
      parts.testAppend()
      worked()
    } catch (error) {
      failed(error)
    }
  }

  function worked(): void {
    if (state.kind !== 'failed') return
    state.cancel()
    state = { kind: 'good' }
  }

  return {
    good: () => state.kind === 'good',
    broken: () => (state.kind === 'broken' ? state.error : undefined),
    failed,
    worked,
    close() {
      if (state.kind === 'failed') state.cancel()
      state = { kind: 'closed' }
    },
  }
}

function lostWrite(file: string, error: unknown): ControllerError {
  return new ControllerError(
    'audit_unavailable',
    `${file}: the disk did not keep what was written; look at the disk, then start again`,
    {},
    error,
  )
}
