// Where state lives, as a port. One transaction holds rows, audit records and idempotency key together, or none of them.

import type { Claim, Lifted } from '../../agent/diff.ts'
import type { Intent, Key } from '../../agent/intents.ts'
import type { KeyState } from '../../agent/journal.ts'
import type { Id } from '../../inventory/model.ts'
import type { NewRecord, RecordType } from '../audit/record.ts'
import type { DeviceStatus, Enforcement, Status } from '../enforcement.ts'
import type { Judged, Usage } from '../hour.ts'
import type { Plan } from '../plan.ts'
import type { Tally } from '../tally.ts'

/** What an enforcement wants of a device. Frozen at acceptance. */
export interface Wanted {
  readonly enforcement: string
  readonly device: Id
  readonly key: Key
  readonly intent: Intent
  readonly observer: boolean
  readonly optional: boolean
  /** Place in the roll-out: 0 = canary, then batches. */
  readonly wave: number
  /** Why the platform can't do it, where the measure is optional. */
  readonly unsupported?: string
}

/** How an enforcement stands on a device. */
export interface Result {
  readonly enforcement: string
  readonly device: Id
  readonly role: 'enforcer' | 'observer'
  readonly status: DeviceStatus
  readonly states: readonly KeyState[]
  readonly error?: { readonly code: string; readonly message: string; readonly remedy: string }
  readonly verifiedAt?: string
  readonly attempts: number
}

/** What is known of a device, beside the inventory. */
export interface DeviceState {
  readonly device: Id
  readonly state: 'up' | 'unreachable' | 'refused' | 'quarantined' | 'unknown'
  readonly software?: string
  readonly lastReadAt?: string
  readonly unsaved: boolean
  /** Converge steps so far. */
  readonly step: number
  /** The last step whose changes were saved. */
  readonly savedStep?: number
  /** The last commit with a timer, by which it is known again after a crash. */
  readonly commit?: { readonly token: string; readonly keys: readonly Key[] }
  /** Since when it can't be reached. */
  readonly since?: string
  /** Why it can't be reached: an AgentErrorCode. */
  readonly code?: string
  /** The device, and the jump host to it, as they were when it was last changed: JSON of recover.ts. */
  readonly lastKnown?: string
  /** Latest states of all keys, and objects without a claim that carry our mark or are equal to what we lifted last. */
  readonly states: readonly KeyState[]
  readonly orphans: readonly { readonly key: Key; readonly object: readonly string[] }[]
  /** Objects of ours that were lifted and saved last, the latest last. */
  readonly lifted?: readonly Lifted[]
}

/** A credential. The token itself is nowhere: only its SHA-256. */
export interface TokenRow {
  readonly id: string
  readonly name: string
  readonly person: string
  readonly roles: readonly Role[]
  readonly sha256: string
  readonly createdAt: string
  readonly expiresAt?: string
  readonly revokedAt?: string
  /** By which credential it was made: the id of a token with its person, or `local:ACCOUNT` on the data folder. Absent = made before this was kept. */
  readonly madeBy?: { readonly id: string; readonly person?: string }
}

/** What a token may do. */
export const roles = ['abuse', 'engineer', 'approver', 'auditor', 'admin'] as const
export type Role = (typeof roles)[number]

/** An accepted request, kept so that a repeat is known. */
export interface IdempotencyRow {
  readonly token: string
  /** Absent where the client gave none. */
  readonly key?: string
  readonly bodySha256: string
  readonly enforcement: string
  readonly at: string
}

/** That no device may be changed. */
export interface Freeze {
  readonly since: string
  readonly by: string
  readonly reason: string
}

/** An entry of the audit log, as stored. */
export interface LogEntry {
  readonly seq: number
  /** Canonical bytes of the record, as text. */
  readonly entry: string
  readonly leaf: Uint8Array
  readonly disclosures: readonly { readonly pointer: string; readonly disclosure: string }[]
}

/** What to look for in the log; all given must hold. */
export interface LogQuery {
  readonly actor?: string
  readonly type?: string
  readonly customer?: string
  readonly device?: string
  readonly enforcement?: string
  readonly from?: string
  readonly to?: string
  readonly text?: string
  /** Entries before this one, newest first. */
  readonly before?: number
  /** Entries after this one, oldest first. */
  readonly after?: number
  readonly limit: number
}

/** Everything that can be read; each call sees one consistent state. */
export interface Rows {
  enforcement(id: string): Enforcement | undefined
  /** Newest first. */
  enforcements(filter: {
    readonly statuses?: readonly Status[]
    readonly customer?: Id
    readonly before?: string
    readonly limit: number
  }): readonly Enforcement[]
  /** Accepted and not ended: awaiting_approval, enforcing, enforced, degraded, releasing; oldest first. */
  live(of?: { readonly customer: Id }): readonly Enforcement[]
  /** What the hour before `now` has seen, for the budgets. */
  usage(now: string, judged?: Judged): Usage
  wanted(of: { readonly enforcement: string } | { readonly device: Id }): readonly Wanted[]
  claims(device: Id): readonly Claim[]
  devicesWithClaims(): readonly Id[]
  results(of: { readonly enforcement: string } | { readonly device: Id }): readonly Result[]
  /** How the results of an enforcement add up. */
  tally(enforcement: string): Tally
  device(id: Id): DeviceState | undefined
  devices(): readonly DeviceState[]
  plan(id: string): Plan | undefined
  idempotency(token: string, key: string): IdempotencyRow | undefined
  /** The newest acceptance of that body by that token since a time. */
  sameBody(token: string, bodySha256: string, since: string): IdempotencyRow | undefined
  tokens(): readonly TokenRow[]
  tokenByHash(sha256: string): TokenRow | undefined
  freeze(): Freeze | undefined
  logSize(): number
  log(query: LogQuery): readonly LogEntry[]
  /** Intended steps without a done one: after a crash. */
  openSteps(): readonly {
    readonly seq: number
    readonly device: Id
    readonly step: number
    readonly enforcement?: string
  }[]
  artifact(sha256: string): Uint8Array | undefined
  /** Artifacts that records of an enforcement name, by seq. */
  artifactsOf(enforcement: string): readonly {
    readonly seq: number
    readonly device?: Id
    readonly kind: string
    readonly sha256: string
  }[]
}

/** A write transaction. Sees its own writes. */
export interface Transaction extends Rows {
  insertEnforcement(enforcement: Enforcement, wanted: readonly Wanted[]): void
  /** Throws ControllerError `stale` when the stored version is not `enforcement.version - 1`. */
  updateEnforcement(enforcement: Enforcement): void
  putClaim(device: Id, claim: Claim): void
  dropClaim(device: Id, key: Key): void
  putResult(result: Result): void
  putDevice(state: DeviceState): void
  /** `until`: how long it is kept where nobody enforces it; without, for ever. Answers the hex SHA-256 of what is stored, for its record. */
  putPlan(plan: Plan, until?: string): string
  putIdempotency(row: IdempotencyRow): void
  putToken(token: TokenRow): void
  setFreeze(freeze: Freeze | undefined): void
  /** Keeps a text under the SHA-256 of its artifact form; answers that digest in hex. */
  putArtifact(kind: string, text: string): string
  /** Appends to the audit log; answers its sequence number. */
  append(record: NewRecord): number
}

/** What became durable, for those who wait for it. */
export interface Committed {
  readonly seq: number
  readonly type: RecordType
  readonly enforcement?: string
  readonly device?: Id
}

/** Where state lives. */
export interface Store {
  /** Durable when it resolves; commits that wait together share one fsync. Rejects with ControllerError `audit_unavailable` when the disk or database says no; what `change` throws is passed on, and only its own writes are undone. */
  commit<T>(change: (tx: Transaction) => T): Promise<T>
  read<T>(query: (rows: Rows) => T): T
  /** Called after each commit with the records that it appended; answers a function that ends it. */
  subscribe(listener: (records: readonly Committed[]) => void): () => void
  /** False from a failed commit until a test append works. */
  healthy(): boolean
  /** The log's origin and public key (vkey form of C2SP signed-note). */
  log(): { readonly origin: string; readonly vkey: string }
  close(): void
}
