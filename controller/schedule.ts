// State + now → what is due by itself: expiries, approvals that came too late, releases that take too long. Pure. Checks and retries are each agent's own.
// Wall time decides about expiries, so a clock that jumps must not release anything: the watch below holds them until a person has looked.

import { type Enforcement, inForce } from './enforcement.ts'
import { approvalWindowMs } from './life-cycle.ts'
import { isOverdue } from './progress.ts'

// From what jump forward on expiries are held, in ms.
const clockJumpMs = 5 * 60_000

/** Something that is due. */
export type Due =
  | { readonly kind: 'expire'; readonly enforcement: string }
  | { readonly kind: 'expire_approval'; readonly enforcement: string }
  | { readonly kind: 'overdue'; readonly enforcement: string }

/** What is due now, oldest enforcement first; `held` (the clock jumped) keeps everything back that depends on an end having come. */
export function dueAt(live: readonly Enforcement[], now: string, held: boolean): readonly Due[] {
  return live.flatMap((enforcement): readonly Due[] => {
    const { id: name } = enforcement
    if (isOverdue(enforcement, now)) return [{ kind: 'overdue', enforcement: name }]
    if (held) return []
    const ended = enforcement.expiresAt !== undefined && enforcement.expiresAt <= now
    if (enforcement.status === 'awaiting_approval') {
      const late = Date.parse(now) - Date.parse(enforcement.acceptedAt) >= approvalWindowMs
      return ended || late ? [{ kind: 'expire_approval', enforcement: name }] : []
    }
    return ended && inForce.includes(enforcement.status)
      ? [{ kind: 'expire', enforcement: name }]
      : []
  })
}

/** When something comes to its end next, as a time, or undefined: nothing is waited for. A caller still looks at least once a minute: wall time may be set, and a release is overdue whether or not somebody looks. */
export function nextDue(live: readonly Enforcement[]): string | undefined {
  const times = live.flatMap(timesOf)
  return times.toSorted()[0]
}

/** Two clocks read together. */
export interface ClockReading {
  /** Milliseconds since 1970, as the machine believes. */
  readonly wallMs: number
  /** Milliseconds that never jump. */
  readonly monotonicMs: number
}

/** What is believed about the clock. */
export interface ClockWatch {
  /** The reading that was last believed. */
  readonly trusted: ClockReading
  /** Set while expiries are held. */
  readonly jump?: { readonly jumpMs: number; readonly since: string }
}

/** Begins to watch. */
export function watchClock(reading: ClockReading): ClockWatch {
  return { trusted: reading }
}

/** Compares the clocks again. A jump forward of more than 5 min against the monotonic clock holds expiries until a person acknowledges it or the clock is back; smaller steps and steps back are believed. */
export function lookAtClock(watch: ClockWatch, reading: ClockReading): ClockWatch {
  const passed = reading.monotonicMs - watch.trusted.monotonicMs
  const jumpMs = reading.wallMs - (watch.trusted.wallMs + passed)
  if (jumpMs <= clockJumpMs) return { trusted: reading }
  const since = watch.jump?.since ?? new Date(reading.wallMs).toISOString()
  return { trusted: watch.trusted, jump: { jumpMs: Math.round(jumpMs), since } }
}

/** A person has looked: the clock is right as it is. */
export function acknowledgeClock(reading: ClockReading): ClockWatch {
  return { trusted: reading }
}

function timesOf(enforcement: Enforcement): readonly string[] {
  const after = (from: string, ms: number) => new Date(Date.parse(from) + ms).toISOString()
  const end = enforcement.expiresAt === undefined ? [] : [enforcement.expiresAt]
  switch (enforcement.status) {
    case 'awaiting_approval':
      return [...end, after(enforcement.acceptedAt, approvalWindowMs)]
    case 'enforcing':
    case 'enforced':
    case 'degraded':
      return end
    case 'releasing':
    case 'released':
    case 'rejected':
    case 'failed':
      return []
  }
}
