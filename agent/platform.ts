// The platform contract: what one network operating system must say of itself. A platform is data and pure functions; it does no I/O and knows no device.
// The terminal (terminal.ts) and the converge loop (converge.ts) are written once, against this. If a platform needs an `if` there, this file lacks a field.

import { createHash } from 'node:crypto'
import type { Intent, Key } from './intents.ts'
import type { Save } from './platform-save.ts'

/** Name of the mode that the device is in, as its prompt says: `exec`, `config`, `config-router`, `shell`. Each platform has its own. */
export type Context = string

/** Facts about one device that lines are built from and answers are judged by: `asn`, `group|<vrf>|<peer>`, `root`, `version`, `uplinks`, `address`. Read from the device, or given by the inventory. */
export type Facts = Readonly<Record<string, string>>

/** What a session learnt while it was opened. */
export interface Seen {
  /** Host name as the first prompt has it, or '' where the prompt is our own. */
  readonly host: string
  /** 8 random hex characters of this session, for prompts of our own making. */
  readonly nonce: string
  readonly facts: Facts
}

/** Something that a line may ask before it is done, and what is typed then. A question without a reply here is never answered. */
export interface Reply {
  readonly question: RegExp
  readonly answer: string
}

/** One line to a device. Data: built by platforms, sent by the terminal, written to the audit log before. */
export interface Line {
  /** Without line end. A here-document holds `\n` between its lines. */
  readonly text: string
  /** The context whose prompt must have been seen before this is sent. */
  readonly needs: Context
  /** The context that the device is in afterwards, where that is another. The next line always waits for its prompt. */
  readonly opens?: Context
  /** In whatever context it lands it has its meant effect or none, so a run of such lines may go in one write (each echo and prompt is still checked). */
  readonly free: boolean
  /** Text that the answer must match, or the line counts as refused: `commit complete`. */
  readonly expect?: RegExp
  readonly replies?: readonly Reply[]
  /** Words of a refusal that passes by itself: somebody else has the configuration now. Any other no stands until somebody does something about it. */
  readonly locked?: RegExp
  /** Longer than the device's own deadline, in ms: commits and saves. */
  readonly deadlineMs?: number
  /** Holds a placeholder such as `<asn>` that only the device can fill: for plans, never sent. */
  readonly unresolved?: true
}

/** What a device answered to one line, without echo and prompt, line ends as `\n`. */
export interface Answer {
  readonly line: Line
  readonly text: string
  /** Exit status, where the platform's prompt shows it. */
  readonly status?: number
  readonly refusal?: Refusal
}

/** A no from the device, in its own words. */
export interface Refusal {
  readonly message: string
}

/** A prompt at the end of what was received. */
export interface Prompt {
  readonly context: Context
  readonly status?: number
  /** Index in the searched text at which the prompt (with the lines that belong to it) begins. */
  readonly start: number
}

/** Finds a prompt that ends exactly at the end of `text` (CR removed, `\n` line ends), or undefined: go on reading. */
export type Prompts = (text: string) => Prompt | undefined

/** Where an opening session stands. */
export interface OpenState {
  /** `start` at first, then the `next` of the last send. */
  readonly stage: string
  /** All text since the last send: escape sequences and CR removed, the echo of what was sent still in it. */
  readonly text: string
  readonly nonce: string
  readonly facts: Facts
  readonly host: string
}

/** What an opening session does next. */
export type OpenAction =
  | {
      readonly do: 'send'
      readonly text: string
      readonly next: string
      readonly host?: string
      readonly facts?: Facts
    }
  /** Types the privileged-mode secret; the terminal knows it, and keeps it out of the transcript. */
  | { readonly do: 'enable'; readonly next: string }
  | {
      readonly do: 'ready'
      readonly context: Context
      readonly host?: string
      readonly facts?: Facts
    }
  | {
      readonly do: 'refuse'
      readonly code: 'no_prompt' | 'enable_refused' | 'wrong_platform' | 'no_privilege'
      readonly reason: string
    }

/** A thing to read, before and after a change. Always `free`, in the context that sessions rest in. */
export interface Read {
  /** Name of what is read, by which `parse` finds its answer. */
  readonly what: string
  readonly line: Line
}

/** What stands on the device at one key. */
export interface Found {
  readonly key: Key
  /** The object in the platform's normal form, [] = absent. Claims hold this text as `before` and `wrote`, so equality must mean sameness: options in one order, addresses canonical, nothing volatile. */
  readonly object: readonly string[]
  /** `none`: nothing there, or nothing that stands in the way. `same`: kind and all attributes that act are as wanted (for a neighbor: shut, with whatever message). `other`: something that only its owner may change. */
  readonly effect: 'none' | 'same' | 'other'
  /** Whether the platform's mark stands on it; `unmarkable` where there is no place for one. */
  readonly mark: 'ours' | 'none' | 'unmarkable'
  /** Whether it is in force as the device's forwarding sees it, from whatever source (for an observer only this counts). `partly`: there is a discard, or something that
   * may be one, but not all of the prefix is seen to be dropped. `unknown` where it can't be read, or stands there in a form that isn't understood. `no` only where it is
   * seen not to be: of a route no entry for exactly this prefix, or one of which every path is seen to lead on. What is released has gone with `no` alone.
   */
  readonly inForce: 'yes' | 'partly' | 'no' | 'unknown'
  /** With `unknown`: the device has no way to say it, and `note` says what was not seen. Only then what was not seen counts as in force; anything else that could not be read is waited for. */
  readonly cannotTell?: true
  /** What is in force, in whole or in part, was learnt from another router: it is nothing of the device's own, whatever stands at the key. Only where it is seen. */
  readonly learnt?: true
  /** The object is a state that the device is in, with no line of its configuration behind it: it may be what a line had made that is gone by now. */
  readonly noLine?: true
  /** Name of the element on the device, where one serves several keys: a member of a set that acts in both directions. It goes with the last key that wants it. */
  readonly element?: string
  /** Objects with our mark, of keys asked for, that leave no room for ours. One that no claim makes ours is an orphan, and stays: then nothing is sent for this key. */
  readonly inTheWay?: readonly { readonly key: Key; readonly object: string }[]
  /** Why nothing may be sent for this key. */
  readonly stop?: Stop
  /** What keeps it from being in force, or what was taken for granted where the device can't be asked. */
  readonly note?: string
}

/** A reason for sending nothing. */
export interface Stop {
  readonly code:
    | 'not_prepared'
    | 'not_restorable'
    | 'no_such_object'
    | 'ambiguous'
    | 'locked'
    | 'timer_pending'
    /** The account may not see what there is. */
    | 'no_privilege'
  readonly message: string
  readonly remedy: string
}

/** All that one round of reads said. */
export interface Observation {
  readonly found: ReadonlyMap<Key, Found>
  /** Objects with our mark at other keys than those asked for. */
  readonly marked: readonly Found[]
  readonly facts: Facts
  /** Why nothing at all may be changed on this device now. */
  readonly stop?: Stop
}

/** A change to one object. `lift` restores `before`. */
export type Change =
  | { readonly kind: 'apply'; readonly intent: Intent }
  /** Ours already, with other attributes (`from` is what stands there). */
  | { readonly kind: 'modify'; readonly intent: Intent; readonly from: readonly string[] }
  | {
      readonly kind: 'lift'
      readonly intent: Intent
      readonly before: readonly string[]
      readonly wrote: readonly string[]
    }

/** What a platform makes of a change. `unsupported` and `refused` are answers, not errors: the plan shows them. */
export type Rendering =
  | {
      readonly kind: 'lines'
      /** From the base context back to it. */
      readonly apply: readonly Line[]
      /** Takes back what `apply` did: from what was seen, never from the intent alone. */
      readonly undo: readonly Line[]
      /** The object as it will be read back, in normal form: [] for a lift that leaves nothing. */
      readonly wrote: readonly string[]
      /** A detail that the platform can't do: a shutdown message where there is none. */
      readonly note?: string
    }
  | { readonly kind: 'unsupported'; readonly reason: string }
  | { readonly kind: 'refused'; readonly stop: Stop }

/** Each line is in force when it is typed. */
export interface LineTransaction {
  readonly kind: 'line'
  /** From rest to the base context of renderings; may go in one write behind the reads. [] where both are one. */
  readonly enter: readonly Line[]
  /** From any context back to rest. */
  readonly leave: readonly Line[]
  /** Forms for many lines at once, where this device has any. */
  batches?(facts: Facts): readonly Batch[]
}

/** A form in which many lines are one thing to the device, where each by itself costs it time, or us round trips. Only lines that are `free` are put into one. */
export interface Batch {
  /** Whether it may hold a line. */
  readonly holds: (line: Line) => boolean
  /** Fewest and most lines of one batch. */
  readonly linesMin: number
  readonly linesMax: number
  /** What is typed for these lines: words around them, or one line that carries them all. */
  wrap(lines: readonly Line[]): readonly Line[]
  /** What became of each of the lines, by the answers to what was typed. */
  unwrap(lines: readonly Line[], answers: readonly Answer[]): Unwrapped
}

/** What became of the lines of a batch. */
export type Unwrapped =
  /** One answer for each line, in order, up to the last that the device looked at: what has none was not carried out, and is sent by itself. */
  | { readonly kind: 'each'; readonly answers: readonly Answer[] }
  /** A no to the whole. What of it was done, if anything, is not known; each line may be sent again by itself. */
  | { readonly kind: 'thrown'; readonly line: string; readonly message: string }

/** How the newest commit of a device stands. */
export interface Pending {
  readonly kind: 'none' | 'pending'
  readonly token: string | undefined
  /** The tokens of commits of ours that came before it. */
  readonly earlier: readonly string[]
}

/** A timer of the device that takes a commit back unless it is confirmed. */
export interface CommitTimer {
  /** What runs out with it: the commit alone, or the whole configuration since then, changes of others included. The latter only where the inventory says `deviceTimer: true`. */
  readonly undoes: 'commit' | 'configuration'
  /** Commits with the timer; `token` is 8 hex of this convergence. */
  commit(token: string): Line
  /** Says what is pending, at rest. */
  readonly look: Line
  /** The same from the candidate's context, where its answer holds: nobody else can commit meanwhile. */
  readonly lookInside: Line
  /** How many commits wait, as the device itself counts them: for where `pending` can't tell whether it has the whole of an answer. */
  readonly count: Line
  readonly countInside: Line
  /** Whether the newest commit waits for its confirmation, and the token that it carries if it is of ours. Throws `unknown_output` for an answer that may be a part of one. */
  pending(answer: string, count?: string): Pending
  /** From the candidate's context of a new session back to it, once the read-back was right. */
  readonly confirm: readonly Line[]
  /** The same where `lookInside` still says pending after `confirm`; the token stays on the newest commit. */
  confirmHarder(token: string): readonly Line[]
  /** The same: takes a pending commit of ours back at once. It takes back the newest commit, whosever it is, so `lookInside` goes right before it. */
  readonly cancel: readonly Line[]
  /** Length of the window, in ms, with the device's own lateness. */
  readonly windowMs: number
}

/** Lines go into a candidate that is compared, checked where that is apart from the commit, and committed: with the device's timer (`timerOf`), or for good. */
export interface CandidateTransaction {
  readonly kind: 'candidate'
  /** From rest into a candidate; a platform whose candidates have names puts the token into it. */
  enter(token: string): readonly Line[]
  /** The device's own difference between candidate and running. */
  readonly diff: Line
  /** Whether the difference is exactly these changes; else what is wrong with it. */
  judge(diff: string, renderings: readonly Rendering[]): Refusal | undefined
  /** The device's own check, where it has one apart from the commit. Left out in a dry run while anything is pending. */
  readonly check?: Line
  /** Commits for good: nothing takes it back but its inverse. Absent where every commit of this device is made with the timer. */
  readonly commit?: Line
  /** Back to rest after a commit; [] where that ends the candidate's context itself. */
  readonly leave: readonly Line[]
  /** Throws the uncommitted candidate away and goes back to rest. */
  readonly abort: readonly Line[]
  readonly timer?: CommitTimer
}

/** The timer by which a commit is made on this device: one that restores the whole configuration only where the inventory allows it. */
export function timerOf(
  { transaction }: Pick<Platform, 'transaction'>,
  { deviceTimer }: { readonly deviceTimer: boolean },
): CommitTimer | undefined {
  const timer = transaction.kind === 'candidate' ? transaction.timer : undefined
  return timer?.undoes === 'commit' || deviceTimer ? timer : undefined
}

/** One finding of the preflight, for `device check`. */
export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly found: string
  readonly expected: string
  readonly remedy: string
}

/** Questions that `device check` asks, and what their answers mean. */
export interface Preflight {
  reads(roles: readonly string[], seen: Seen): readonly Read[]
  judge(answers: ReadonlyMap<string, Answer>, seen: Seen): readonly Finding[]
}

/** Columns of a terminal on which no line of ours wraps. What a device moves on it ends at its edge. */
export const terminalColumns = 511

/** Something that a platform can't express, or can't see of what a change touches. The plan says so; it is never skipped in silence. */
export interface Limit {
  readonly kind: Intent['kind']
  readonly reason: string
}

/** One network operating system. */
export interface Platform {
  readonly name: string
  /** Manuals and recordings that this was written from, with versions; what is unverified is marked so. */
  readonly source: string
  readonly limits: readonly Limit[]
  /** Set where a filter set takes no entry beside a wider one: the wider one and those that it takes the place of are one change. Elsewhere they are lifted once it is in force. */
  readonly disjointSets?: true
  /** What ends a line: `\n` or `\r`. */
  readonly newline: '\n' | '\r'
  /** False where the device echoes nothing once the session is open. */
  readonly echo: boolean
  /** Columns of the terminal that is asked for, and of the screen. */
  readonly columns: number
  /** A pager's sign at the end of the text, and the key for the next page; no key: the session is lost, close it. */
  readonly pager?: { readonly sign: RegExp; readonly key?: string }
  /** Anything at the end of the text that waits for an answer without being a prompt. */
  readonly question?: RegExp
  /** Takes out what other processes print into a session (log lines, broadcasts). Must change nothing that a command printed. */
  clean?(text: string): string
  open(state: OpenState): OpenAction | undefined
  prompt(seen: Seen): Prompts
  failed(line: Line, answer: string, status: number | undefined): Refusal | undefined
  /** The one name of a port that the device takes in several spellings (`Gi1/0/3`, `gigabitethernet1/0/3`), for comparing only. Undefined where a name may stand for several ports. */
  canonicalPort(name: string): string | undefined
  /** The platform of the system that it runs on, where that is a device of its own with the same endpoint and another user: what this one can't do is done there. */
  readonly beside?: string
  /** The same text without the secrets that a configuration shows. For all that is kept or shown; `parse` reads what the device said. */
  redact(text: string): string
  /** The context that sessions rest in, where reads are made. */
  readonly rest: Context
  /** What to read so that `parse` can answer for these intents. */
  observe(intents: readonly Intent[], seen: Seen): readonly Read[]
  /** What to read besides, as only these answers name it: where a next hop leads. Asked again with its answers until nothing is left; may throw as `parse` does. */
  follow?(answers: ReadonlyMap<string, Answer>, intents: readonly Intent[]): readonly Read[]
  /** Throws AgentError `unknown_output` for what it doesn't know: never a guess. */
  parse(answers: ReadonlyMap<string, Answer>, intents: readonly Intent[], seen: Seen): Observation
  /** One rendering for each change, in order. `facts` are the observation's, or for an offline plan the inventory's: what is missing is printed as `<asn>` and its line marked `unresolved`. */
  render(changes: readonly Change[], facts: Facts): readonly Rendering[]
  readonly transaction: LineTransaction | CandidateTransaction
  readonly save?: Save
  readonly preflight: Preflight
  /** Lines to paste before the first use, for `device prepare`. `ports`: the customers' ports on the device; [] = not known, an example stands for them. */
  prepare(ports: readonly string[]): string
  /** Reads of the whole configuration, and their answers without what changes by itself: for comparing before and after. */
  readonly configuration: readonly Read[]
  canonical(answers: ReadonlyMap<string, Answer>): string
}

/** The fact that holds the BGP group of a neighbor. */
export function groupFact(vrf: string, peer: string): string {
  return `group|${vrf}|${peer}`
}

/** The fact that holds the names of the device's uplinks, as the inventory has them, with a blank between. */
export const uplinksFact = 'uplinks'

/** The fact that holds the address that the session was opened to, for finding the port that carries it. */
export const addressFact = 'address'

/** The mark where names must be unique: `nullroute-` and the first 8 hex digits of the key's SHA-256. `blackhole|default|203.0.113.9/32` → `nullroute-0291da56` */
export function markOf(key: Key): string {
  return `nullroute-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`
}

/** A line that may go in one write with others. */
export function free(text: string, needs: Context): Line {
  return { text, needs, free: true }
}

/** A line that waits for the prompt of its context. */
export function inside(text: string, needs: Context): Line {
  return { text, needs, free: false }
}

/** A line that leads from one context to another: nothing follows it before the new prompt is there. */
export function enter(text: string, needs: Context, opens: Context): Line {
  return { text, needs, opens, free: false }
}

/** The same line, marked as not to be sent where it still holds a placeholder. */
export function resolved(line: Line): Line {
  return /<[a-z]+>/.test(line.text) ? { ...line, unresolved: true } : line
}
