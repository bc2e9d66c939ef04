// What a platform must say of saving: the part of the platform contract that turns what runs into what survives a reboot.

import type { Key } from './intents.ts'
import type { Answer, Facts, Line, Read } from './platform.ts'

/** From running to what survives a reboot. Absent where a change is persistent by itself. */
export interface Save {
  /** Of whom the changes are that it saves: of everybody on the device, or ours alone. */
  readonly scope: 'everything' | 'ours'
  /** Asked right before: whether what would be saved is all that the device is configured with, or what is missing in it. */
  readonly whole?: {
    readonly reads: readonly Line[]
    gap(answers: readonly string[]): string | undefined
  }
  /** Reads what is not saved yet, for the policy `clean`. */
  readonly differences?: Line
  /** Of that answer the lines that are not ours. */
  foreign?(answer: string, held: readonly (readonly string[])[]): readonly string[]
  /** Where it saves ours alone: what is saved again without a claim. A store that was lost must not take away with a save what nobody decided to take away. */
  readonly kept?: {
    /** Reads what is saved now. */
    readonly saved: Line
    /** What to read of the device where more is saved than `known`, all objects that there are claims on; else nothing. */
    reads(saved: Answer, known: ReadonlySet<string>, facts: Facts): readonly Read[]
    /** Of what is saved, what stands there and carries our mark. What somebody else put there since is not his to find saved. */
    standing(saved: Answer, answers: ReadonlyMap<string, Answer>): readonly HeldObject[]
  }
  /** `held`: the objects of all claims that stand, and what `kept` found. Of a save of everything the lines may not depend on them: an offline plan does not ask for them there. */
  lines(held: readonly HeldObject[], facts: Facts): readonly Line[]
}

/** An object that is to survive a reboot. */
export interface HeldObject {
  readonly key: Key
  readonly wrote: readonly string[]
}
