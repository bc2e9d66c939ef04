// What an agent must have written down, as a port: the controller implements it on its store. Each promise resolves when the writing is durable;
// if it rejects, nothing is sent to the device. How a step ended is the one thing that may wait for company.

import type { Claim, Desired } from './diff.ts'
import type { AgentErrorCode } from './errors.ts'
import type { Intent, Key, Outcome } from './intents.ts'
import type { Finding, Observation } from './platform.ts'
import type { Refused } from './refusals.ts'

/** What the read-back says of one key. */
export interface KeyState {
  readonly key: Key
  readonly kind: Intent['kind']
  readonly outcome: Outcome
  readonly seen: 'present' | 'absent' | 'foreign' | 'unknown'
  /** Whether this key is as it should be: wanted and shown in force, or lifted and gone. */
  readonly verified: boolean
  readonly note?: string
  readonly error?: {
    readonly code: AgentErrorCode | Refused['code']
    readonly message: string
    readonly remedy: string
  }
}

/** A text that is kept as an artifact: a transcript, a read-back, a device's difference. Secrets are out already. */
export interface Evidence {
  readonly kind: 'transcript' | 'readback' | 'diff'
  readonly text: string
}

/** What is about to be sent. Written, with the claims, before the first byte. */
export interface IntendedStep {
  readonly purpose: 'change' | 'save' | 'rollback'
  /** As they go over the wire, without line ends, secrets as `[redacted]`. */
  readonly commands: readonly string[]
  /** The keys that this step changes, with their claims as they are from now on (`step` is filled by the journal). */
  readonly claims: readonly Omit<Claim, 'step'>[]
  /** What the commit of this step is known by on the device; `Desired.commit` has it from then on, with the keys of these claims. */
  readonly token?: string
  /** What was read before, for `device.observed`. */
  readonly before: Evidence
}

/** How sending it went. */
export interface DoneStep {
  readonly step: number
  readonly purpose: IntendedStep['purpose']
  readonly outcome: 'ok' | 'refused' | 'failed' | 'unknown'
  /** The first refused line and the device's words. */
  readonly refused?: { readonly line: string; readonly message: string }
  readonly transcript: Evidence
  readonly hostKey: string
  readonly bytes: number
  readonly ms: number
  readonly keys: readonly Key[]
}

/** What a round of reads showed, after a change or without one. */
export interface VerifiedStep {
  /** The step that it follows; absent for a check. */
  readonly step?: number
  /** One for each key that is wanted, expected or claimed. */
  readonly states: readonly KeyState[]
  /** Claims as they are from now on; `null` = goes. */
  readonly claims: ReadonlyMap<Key, Omit<Claim, 'step'> | null>
  readonly readback: Evidence
  readonly session: 'own' | 'second'
  /** Objects without a claim that carry our mark, or are equal to what we lifted last. */
  readonly orphans: readonly { readonly key: Key; readonly object: readonly string[] }[]
  /** Keys that were held and are gone or changed: found by a check, before anything is put back. */
  readonly drifted: readonly Key[]
  /** Whether changes of ours are in the running configuration only. */
  readonly unsaved: boolean
}

/** How a save ended. `foreign`: unsaved changes of others that went along. One that failed keeps `unsaved`; it has no step where it ended before anything was sent. */
export type SaveResult =
  | { readonly ok: true; readonly step: number; readonly foreign: readonly string[] }
  | {
      readonly ok: false
      readonly step?: number
      readonly foreign: readonly string[]
      readonly message: string
    }

/** What happened to the connection. */
export type SessionEvent =
  | { readonly kind: 'connected'; readonly hostKey: string; readonly software: string | undefined }
  | {
      readonly kind: 'lost' | 'refused'
      readonly code: AgentErrorCode
      readonly message: string
      readonly hostKey?: string
      readonly expected?: string
    }

/** The book of one device. */
export interface Journal {
  /** Read anew at the start of each convergence: the whole desired state. */
  desired(): Desired
  /** Whether a freeze holds: asked again before each change. */
  frozen(): boolean
  /** Whether something of ours stands at this key on another device, and took effect by itself there: what is learnt from others may be that. */
  elsewhere(key: Key): boolean
  /** Whom the objects at these keys serve, by ids that mean nothing here. A step is written down once for each whom it serves, with all its lines. */
  serves(
    changes: readonly { readonly key: Key; readonly intent: Intent }[],
  ): ReadonlyMap<Key, readonly string[]>
  /** Of keys that are only read here, those whose change is not seen yet on the devices that it is to be learnt from, in the words for it. */
  awaits(keys: ReadonlySet<Key>): ReadonlyMap<Key, NonNullable<KeyState['error']>>
  /** Claims and `device.commands_intended` in one transaction; answers the step's number. */
  intend(step: IntendedStep): Promise<number>
  /** How a step went: kept, and written before and together with what is written next, or by `flush`. After a crash in between it is a step without an end, and the device is read first. */
  done(step: DoneStep): void
  /** Resolves when the end of each step is durable. */
  flush(): Promise<void>
  verified(step: VerifiedStep): Promise<void>
  /** All orphans there are, where a look after a round of reads found others than that round did. */
  orphans(found: Pick<VerifiedStep, 'orphans' | 'readback'>): Promise<void>
  saved(result: SaveResult): Promise<void>
  /** A candidate was taken back, by us or by the device's timer. */
  rolledBack(event: {
    readonly step: number
    readonly why: string
    readonly transcript: Evidence
    readonly keys: readonly Key[]
  }): Promise<void>
  /** The convergence could not be carried out: no result for these keys. */
  failed(event: {
    readonly code: AgentErrorCode
    readonly message: string
    readonly keys: readonly Key[]
  }): Promise<void>
  session(event: SessionEvent): Promise<void>
}

/** What a check, or the reading of a dry run, found. */
export interface Reading {
  readonly observation: Observation
  readonly readback: Evidence
  readonly findings: readonly Finding[]
  /** For a dry run on a candidate: the device's own difference and the answer of its check. */
  readonly candidate?: { readonly diff: string; readonly check: string }
}
