// What people and programs can ask of the controller: the one interface behind API and console. What each call means is in docs and in schema.ts.

import type { Reading } from '../agent/journal.ts'
import type { Finding } from '../agent/platform.ts'
import type { Device, Id, Inventory } from '../inventory/model.ts'
import type { Address } from '../inventory/prefix.ts'
import type { Decision, Playbook } from '../playbooks/model.ts'
import type { Actor } from './audit/record.ts'
import type { Enforcement } from './enforcement.ts'
import type { Plan } from './plan.ts'
import type { DeviceState, Freeze, Role, Store, TokenRow, Wanted } from './store/store.ts'

/** Who asks: always from the credential. */
export interface Caller {
  readonly actor: Actor
  readonly token: string
  /** Four eyes are counted by person, not by token. */
  readonly person: string
  readonly roles: readonly Role[]
  /** Id of the HTTP request. */
  readonly request: string
}

/** A decision to be enforced, or a plan that was reviewed. */
export type EnforceRequest =
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'plan'; readonly plan: string; readonly digest: string }

/** A request's identity for repeats: the client's key, and the SHA-256 of the validated body. */
export interface Idempotency {
  readonly key?: string
  readonly bodySha256: string
}

/** What a reload found and would touch. */
export interface ReloadReport {
  readonly ok: boolean
  readonly problems: readonly {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly message: string
  }[]
  readonly conflicts: readonly {
    readonly enforcement: string
    readonly kind: string
    readonly object: string
  }[]
  readonly devices: number
  readonly customers: number
}

/** Who has an address, and what is in force on it. */
export interface Lookup {
  readonly address: Address
  readonly customer?: Id
  readonly prefix?: string
  readonly protected: readonly { readonly prefix: string; readonly why: string }[]
  readonly neverCut: readonly string[]
  readonly enforcements: readonly string[]
}

/** All calls throw ControllerError; refusals are audited before they are thrown. */
export interface Controller {
  readonly store: Store
  inventory(): Inventory
  playbooks(): ReadonlyMap<string, Playbook>
  /** Dry run. Touches nothing; `online` also reads the devices. Throws only for what can't be compiled: guards that refuse stand in the plan. */
  plan(caller: Caller, decision: Decision, online: boolean): Promise<Plan>
  planRelease(caller: Caller, enforcement: string, online: boolean): Promise<Plan>
  /** Accepts a decision. `replayed`: the same key and body were accepted before. */
  enforce(
    caller: Caller,
    request: EnforceRequest,
    idempotency: Idempotency,
  ): Promise<{ readonly enforcement: Enforcement; readonly replayed: boolean }>
  approve(
    caller: Caller,
    enforcement: string,
    digest: string,
    reason?: string,
  ): Promise<Enforcement>
  reject(caller: Caller, enforcement: string, reason: string): Promise<Enforcement>
  /** `warnings`: addresses that are another customer's by now, and what other enforcements still hold. */
  release(caller: Caller, enforcement: string, reason: string): Promise<Enforcement>
  extend(
    caller: Caller,
    enforcement: string,
    expiresAt: string,
    reason: string,
  ): Promise<Enforcement>
  /** All devices that are not verified, or those named. */
  retry(caller: Caller, enforcement: string, devices?: readonly Id[]): Promise<Enforcement>
  freeze(caller: Caller, reason: string): Promise<Freeze>
  unfreeze(caller: Caller, reason: string): Promise<void>
  acknowledgeClock(caller: Caller): Promise<void>
  /** Connects and reads: preflight and fresh states. */
  check(
    caller: Caller,
    device: Id,
  ): Promise<{ readonly findings: readonly Finding[]; readonly reading?: Reading }>
  /** Converges now. `remove`: orphans to take off (admin, with reason). */
  reconcile(
    caller: Caller,
    device: Id,
    remove?: { readonly keys: readonly string[]; readonly reason: string },
  ): Promise<void>
  /** Makes claims for orphans. */
  adopt(caller: Caller, device: Id, keys: readonly string[], reason: string): Promise<void>
  reload(caller: Caller): Promise<ReloadReport>
  createToken(
    caller: Caller,
    request: {
      readonly name: string
      readonly person?: string
      readonly roles: readonly Role[]
      readonly expiresAt?: string
    },
  ): Promise<{ readonly row: TokenRow; readonly token: string }>
  revokeToken(caller: Caller, token: string): Promise<TokenRow>
  lookup(address: Address): Lookup
  /** All devices of the inventory, and those that left it but hold something of ours, by id. */
  deviceIds(): readonly Id[]
  /** Live view of one device: its stored state and what is wanted of it. `retired`: it is in no inventory any more and kept until what is ours on it is gone. */
  device(id: Id):
    | {
        readonly device: Device
        readonly retired: boolean
        readonly state: DeviceState
        readonly wanted: readonly Wanted[]
      }
    | undefined
  /** Held expiries, held work, overdue releases: for status. */
  holds(): {
    readonly freeze?: Freeze
    readonly clock?: { readonly jumpMs: number; readonly since: string }
  }
  ready(): { readonly ok: boolean; readonly reasons: readonly string[] }
}
