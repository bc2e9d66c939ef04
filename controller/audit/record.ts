// One audit record as its writer gives it: its shape, its types, and which of its fields are hidden behind salted digests. Pure.
// How it becomes an entry is in entry.ts.

import type { Json } from './canonical.ts'

export type { Json } from './canonical.ts'

/** Who did it: always the credential's owner. */
export interface Actor {
  readonly kind: 'person' | 'token' | 'system' | 'agent' | 'anonymous'
  readonly id: string
  readonly roles?: readonly string[]
  /** Hidden. */
  readonly name?: string
  /** Address that the request came from. Hidden. */
  readonly from?: string
}

/** How it ended. */
export type RecordOutcome = 'ok' | 'refused' | 'failed' | 'unknown'

/** A record as its writer gives it: seq, prev, id, time, chain and the hiding are the log's. */
export interface NewRecord {
  readonly type: RecordType
  readonly outcome: RecordOutcome
  readonly actor: Actor
  readonly on: {
    /** Hidden. */
    readonly customer?: string
    readonly enforcement?: string
    readonly plan?: string
    readonly device?: string
    readonly token?: string
  }
  readonly req?: { readonly id: string; readonly key?: string }
  readonly data: { readonly [name: string]: Json }
}

/** Every type that this version writes, with the members of `data` that are hidden. Codes are contract: add, never rename or reuse. */
export const recordTypes = {
  'log.created': [],
  'log.searched': ['filter'],
  'auth.refused': [],
  'auth.denied': [],
  'token.created': ['name', 'person', 'by'],
  'token.revoked': [],
  'inventory.loaded': [],
  'inventory.refused': [],
  'inventory.conflict': ['object'],
  'playbook.loaded': [],
  'playbook.refused': [],
  'plan.made': ['subject', 'planSha256'],
  'decision.refused': ['hit', 'subject'],
  'enforcement.requested': ['reason', 'subject', 'person', 'planSha256', 'wantedSha256'],
  'enforcement.approved': ['reason', 'person'],
  'enforcement.rejected': ['reason'],
  'enforcement.overridden': ['reason'],
  'enforcement.extended': ['reason'],
  'enforcement.expired': [],
  'enforcement.release_requested': ['reason'],
  'enforcement.retried': [],
  'enforcement.settled': [],
  'approval.expired': [],
  'device.connected': ['address'],
  'device.refused': ['address'],
  'device.unreachable': ['address'],
  'device.observed': ['intents'],
  'device.checked': ['intents'],
  'device.commands_intended': ['commands'],
  'device.commands_done': [],
  'device.verified': ['intents'],
  'device.saved': [],
  'device.save_failed': [],
  'device.rolled_back': [],
  'device.drift_found': ['intents'],
  'device.drift_healed': ['intents'],
  'device.orphan_found': ['intents'],
  'device.adopted': ['reason', 'intents'],
  'freeze.set': ['reason', 'person'],
  'freeze.lifted': ['reason'],
  'system.started': [],
  'system.stopped': [],
  'system.recovered': [],
  'clock.jumped': [],
} as const satisfies Record<string, readonly string[]>

/** `area.verb`. */
export type RecordType = keyof typeof recordTypes
