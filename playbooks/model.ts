// Which measures a decision means, as data: playbooks and decisions after loading and checking. The YAML's own shape is in schema.ts.

import type { Intent } from '../agent/intents.ts'
import type { Id, PortName } from '../inventory/model.ts'
import type { Address, Prefix } from '../inventory/prefix.ts'

/** What a person or system asked for. A release is no playbook's business. */
export type Action = 'suspend' | 'terminate' | 'block'

/** Whom or what it is about: exactly one. */
export type Subject =
  | { readonly kind: 'customer'; readonly customer: Id }
  | { readonly kind: 'prefix'; readonly prefix: Prefix }
  | { readonly kind: 'port'; readonly device: Id; readonly port: PortName }
  | { readonly kind: 'neighbor'; readonly device: Id; readonly peer: Address; readonly vrf: string }

/** Ground of a decision, as it is counted. */
export const categories = [
  'spam',
  'phishing',
  'malware',
  'botnet-cc',
  'ddos',
  'scanning',
  'copyright',
  'csam',
  'fraud',
  'non-payment',
  'court-order',
  'other',
] as const

/** Why. `evidence` is somebody else's and keeps its own digest. */
export interface Reason {
  readonly category: (typeof categories)[number]
  readonly summary: string
  readonly ticket?: string
  readonly evidence: readonly { readonly url: string; readonly sha256?: string }[]
}

/** A decision, checked: what the compiler takes. Times are RFC 3339 in UTC with milliseconds. */
export interface Decision {
  readonly action: Action
  readonly subject: Subject
  readonly reason: Reason
  readonly playbook: string
  readonly expiresAt?: string
  readonly automated: boolean
  readonly overrides: readonly { readonly guard: string; readonly reason: string }[]
}

/** Which devices a measure goes to. */
export type Selector =
  | { readonly kind: 'role'; readonly role: string }
  | { readonly kind: 'devices'; readonly devices: readonly Id[] }

/** One kind of thing that a playbook does. */
export type Measure = { readonly optional: boolean } & (
  | {
      readonly kind: 'blackhole'
      readonly objects: 'customer' | 'subject'
      readonly devices: Selector
      readonly seenOn?: Selector
      readonly tag: number
    }
  | {
      readonly kind: 'acl'
      readonly objects: 'customer' | 'subject'
      readonly devices: Selector
      readonly direction: 'in' | 'out' | 'both'
    }
  | { readonly kind: 'port'; readonly objects: 'customer' | 'subject' }
  | {
      readonly kind: 'neighbor'
      readonly objects: 'customer' | 'subject'
      readonly message: string
    }
)

/** How a decision spreads over devices. */
export interface Rollout {
  readonly canary: number
  readonly batch: number
  readonly stopAfterFailures: number
}

/** A playbook, checked. */
export interface Playbook {
  readonly name: string
  /** The action that it carries out. */
  readonly decision: Action
  readonly description: string
  readonly measures: readonly Measure[]
  readonly rollout: Rollout
  readonly approvals: number
  /** Longest time that it may stay in force, in ms; absent for terminate. */
  readonly maxDurationMs?: number
  readonly onFailure: 'keep' | 'rollback'
  /** Hex SHA-256 of the file that it came from. */
  readonly sha256: string
}

/** An intent for one device, and what it is there for. */
export interface CompiledIntent {
  readonly device: Id
  readonly intent: Intent
  /** Nothing is sent: the device is read until it shows the effect. */
  readonly observer: boolean
  readonly optional: boolean
}

/** What a decision comes to on this inventory. */
export interface Compiled {
  /** Whose it is. */
  readonly customer: Id
  /** In the order of the measures, then by device, then by key; each (device, key, observer) once. */
  readonly intents: readonly CompiledIntent[]
  /** The prefixes, ports and neighbors that the intents touch, each once, for guards and budgets (after carving). */
  readonly prefixes: readonly Prefix[]
  /** The customer's prefixes, before carving. */
  readonly subjects: readonly Prefix[]
  readonly ports: readonly { readonly device: Id; readonly port: PortName }[]
  readonly neighbors: readonly {
    readonly device: Id
    readonly peer: Address
    readonly vrf: string
  }[]
  readonly leftOut: readonly {
    readonly prefix: Prefix
    readonly within: Prefix
    readonly why: string
  }[]
  /** Measures without objects. */
  readonly empty: readonly Measure['kind'][]
  /** What is the customer's and no measure touches, in words: `port p1 of sw1.ams`. */
  readonly notCovered: readonly string[]
  /** Nothing that stops traffic from the customer. */
  readonly outboundNotStopped: boolean
}
