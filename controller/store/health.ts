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
  /** Why this process may not write any more, whatever the disk says. */
  readonly lost: () => ControllerError | undefined
  /** Told once, when what was written may be lost, or must not be written. */
  readonly broken: (error: ControllerError) => void
}

/** The disk's health. */
export interface Health {
  good(): boolean
  /** Why nothing may be written any more: an fsync failed, and no later one can be believed; or the data folder is no more ours alone. */
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
      end(lostWrite(parts.file, error))
      return
    }
    const probeMs = state.kind === 'failed' ? Math.min(state.probeMs * 2, probeMsMax) : probeMsMin
    state = { kind: 'failed', probeMs, cancel: parts.clock.after(probeMs, probe) }
  }

  function end(error: ControllerError): void {
    state = { kind: 'broken', error }
    parts.broken(error)
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
    broken() {
      if (state.kind === 'closed') return undefined
      const lost = state.kind === 'broken' ? undefined : parts.lost()
      if (lost !== undefined) {
        if (state.kind === 'failed') state.cancel()
        end(lost)
      }
      return state.kind === 'broken' ? state.error : undefined
    },
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
