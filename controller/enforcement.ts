// An enforcement: a decision that was accepted, as data. How it changes is life-cycle.ts; where its results leave it, progress.ts.

import type { Id } from '../inventory/model.ts'
import type { Decision, Rollout } from '../playbooks/model.ts'
import type { Actor } from './audit/record.ts'

/** Where an enforcement stands (semantics of each: docs). */
export type Status =
  | 'awaiting_approval'
  | 'enforcing'
  | 'enforced'
  | 'degraded'
  | 'releasing'
  | 'released'
  | 'rejected'
  | 'failed'

/** Where one device of an enforcement stands. */
export type DeviceStatus =
  | 'pending'
  | 'converging'
  | 'verified'
  | 'refused'
  | 'failed'
  | 'unreachable'
  | 'unsupported'

/** Stored: add fields, never rename or reuse. Times are RFC 3339 UTC with milliseconds. */
export interface Enforcement {
  readonly id: string
  /** Rises with each change; a commit that expects another is refused as `stale`. */
  readonly version: number
  readonly status: Status
  readonly decision: Decision
  readonly customer: Id
  readonly playbook: { readonly name: string; readonly sha256: string }
  readonly digest: string
  readonly plan?: string
  readonly requestedBy: Actor
  /** Who asked, as a person: four eyes are counted by it. Absent = the id of `requestedBy`. */
  readonly requestedByPerson?: string
  readonly acceptedAt: string
  readonly updatedAt: string
  readonly expiresAt?: string
  /** When it was extended: each time counts in the budget of its hour. */
  readonly extendedAt?: readonly string[]
  readonly maxDurationMs?: number
  readonly approvals: {
    readonly needed: number
    readonly given: readonly {
      readonly person: string
      readonly token: string
      readonly at: string
    }[]
  }
  readonly rollout: Rollout
  /** Highest wave of the roll-out that is open: it never falls, since what was put on a device must not vanish from what is wanted of it. Absent = 0. */
  readonly openWave?: number
  readonly stoppedBy?: Id
  readonly onFailure: 'keep' | 'rollback'
  /** Whether releasing ends as `failed` (a rollback) rather than `released`. */
  readonly rollingBack?: true
  readonly releaseRequestedAt?: string
  readonly releaseReason?: string
  /** Why it was rejected or failed. */
  readonly why?: string
  readonly conflicts: readonly {
    readonly kind:
      | 'taken_away'
      | 'added'
      | 'now_protected'
      | 'device_gone'
      | 'device_changed'
      | 'new_device'
    readonly object: string
  }[]
  readonly warnings: readonly {
    readonly code: string
    readonly message: string
    readonly enforcements?: readonly string[]
  }[]
  /** What it counts for in the budgets of the hour. */
  readonly counts: {
    readonly ipv4Addresses: number
    readonly ports: number
    readonly neighbors: number
  }
}

/** Accepted and not ended. */
export const liveStatuses: readonly Status[] = [
  'awaiting_approval',
  'enforcing',
  'enforced',
  'degraded',
  'releasing',
]

/** In force: what it wants is on devices, or on its way there. */
export const inForce: readonly Status[] = ['enforcing', 'enforced', 'degraded']

/** Reached and not on the way anywhere: whoever waits for an outcome may stop waiting. */
export const settled: readonly Status[] = ['enforced', 'degraded', 'released', 'rejected', 'failed']
