// A plan: a decision compiled to intents and, per device, to lines, with its blast radius and the verdict of each guard. Its shape; making one is
// planning.ts, its digest digest.ts.

import type { Intent, Key } from '../agent/intents.ts'
import type { Id } from '../inventory/model.ts'
import type { Decision, Rollout } from '../playbooks/model.ts'

/** How long the plan of a dry run can be enforced, in ms: 7 days, as long as an approval is waited for. */
export const planKeptMs = 7 * 24 * 3_600_000

/** One guard's answer. `hit`: what it ran into, in words for a person. */
export interface Verdict {
  readonly guard: string
  readonly verdict: 'pass' | 'refuse' | 'overridden'
  readonly message: string
  readonly hit?: readonly string[]
  /** Whether an override may pass it at all. */
  readonly overridable: boolean
}

/** A line of a plan. */
export interface PlanLine {
  readonly line: string
  /** Holds a placeholder that only the device can fill. */
  readonly needs?: 'device'
}

/** One intent of a plan, for one device. */
export interface PlanIntent {
  readonly key: Key
  readonly kind: Intent['kind']
  readonly intent: Intent
  /** Why this platform can't do it; only where the measure is optional. */
  readonly unsupported?: string
  readonly note?: string
  /** Of a release: the other enforcements for which it stays. */
  readonly keptBy?: readonly string[]
  /** Online: what the device shows now. */
  readonly seen?: 'present' | 'absent' | 'foreign' | 'unknown'
}

/** What would happen on one device. Stored: add fields, never rename or reuse. */
export interface PlanDevice {
  readonly device: Id
  readonly platform: string
  readonly role: 'enforcer' | 'observer'
  readonly intents: readonly PlanIntent[]
  readonly apply: readonly PlanLine[]
  readonly undo: readonly PlanLine[]
  /** What would make the change survive a reboot: a step of its own, once nothing else waits for the device. Absent where nothing is saved. */
  readonly save?: readonly PlanLine[]
  /** In words: `each line is live when typed`, `candidate, confirmed commit, 5 min`. */
  readonly transaction: string
  readonly notes: readonly string[]
  /** Online: what could not be done or read. */
  readonly error?: { readonly code: string; readonly message: string; readonly remedy: string }
  /** Online, on a candidate: the device's own words. */
  readonly diff?: string
  readonly check?: string
}

/** How much a decision touches. */
export interface BlastRadius {
  readonly customers: readonly Id[]
  /** Decimal text: may exceed 2^53. */
  readonly ipv4Addresses: string
  readonly ipv6Slash64: string
  readonly prefixes: readonly string[]
  readonly ports: readonly string[]
  readonly neighbors: readonly string[]
  readonly devices: readonly Id[]
}

/** Stored and public: add fields, never rename or reuse. */
export interface Plan {
  readonly id: string
  readonly createdAt: string
  /** `release` for the plan of a release. */
  readonly action: Decision['action'] | 'release'
  readonly decision?: Decision
  /** The enforcement that a release plan is about. */
  readonly enforcement?: string
  readonly customer: Id
  readonly playbook: { readonly name: string; readonly sha256: string }
  readonly expiresAt?: string
  readonly rollout: Rollout
  readonly approvals: number
  readonly digest: string
  readonly guards: readonly Verdict[]
  /** Of a release what really comes back: without what other enforcements go on cutting off at the same place and in the same direction. */
  readonly blastRadius: BlastRadius
  /** Of a release: the other enforcements that go on cutting off something of it. */
  readonly keptBy?: readonly string[]
  readonly devices: readonly PlanDevice[]
  readonly leftOut: readonly {
    readonly prefix: string
    readonly within: string
    readonly why: string
  }[]
  readonly empty: readonly Intent['kind'][]
  readonly notCovered: readonly string[]
  readonly warnings: readonly {
    readonly code: string
    readonly message: string
    readonly enforcements?: readonly string[]
  }[]
  /** Why it would be refused: the first guard that refuses, or what the compiler found. */
  readonly refused?: { readonly code: string; readonly message: string }
}
