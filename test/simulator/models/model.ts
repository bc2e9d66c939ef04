// What a model of a network operating system is to the SSH server around it: state of one device, and sessions that read lines and answer.

import type { SimulatorClock } from '../clock.ts'
import type { CompleteDevice } from '../spec.ts'

/** What all models share about time. */
export interface ModelSettings {
  readonly clock: SimulatorClock
  readonly minuteMs: number
  readonly installMs: number
}

/** How a pager looks and what it does. */
export interface PagerStyle {
  /** What stands at the end of a full page. */
  readonly sign: string
  /** Written when a key was pressed, to clear the sign. */
  readonly erase: string
  /** `more`: the prompt comes after the last page. `less`: only `q` leads back, keys are commands until then. */
  readonly ends: 'more' | 'less'
  /** What `less` shows at the end. */
  readonly last: string
}

/** What a model may do to the session's terminal besides answering. */
export interface SessionTerminal {
  readonly username: string
  /** Number of the session on this device. */
  readonly number: number
  /** Columns and rows of the PTY. */
  readonly columns: number
  readonly rows: number
  /** Address of the client. */
  readonly from: string
  /** Writes into the session out of turn: log lines, broadcasts. */
  interrupt(text: string): void
}

/** What a line came to. */
export interface Result {
  /** Printed before the next prompt, `\n` line ends. */
  readonly text: string
  /** The session ends after the text. */
  readonly close?: boolean
  /** The answer takes so long, in ms: a name being looked up, a commit. */
  readonly delayMs?: number
}

/** One session: a state machine over lines. */
export interface ModelSession {
  /** Printed before the first prompt. */
  readonly greeting: string
  /** What stands at the begin of the line now: the prompt, or a question. */
  prompt(): string
  /** Name of the mode, for the journal. */
  mode(): string
  /** `none`: nothing that is typed comes back. `secret`: nothing comes back, and the line is kept out of the journal. */
  echo(): 'readline' | 'ios' | 'junos' | 'tty' | 'none' | 'secret'
  /** Lines of a page, 0 = no pager. */
  pageLines(): number
  run(line: string): Result
  /** A refusal of this line in the platform's own words; the mode is kept. */
  refuse(line: string): string
  /** Control keys: `c` aborts the line, `d` at the begin of a line, `z`. Undefined: nothing happens. */
  control(key: 'c' | 'd' | 'z', line: string): Result | undefined
  /** Printed at once for `?` (the line stays), or undefined: the sign is taken as text. */
  help(line: string): string | undefined
  /** The connection went away. */
  dropped(): void
}

/** A route that a device tells its iBGP peers about. */
export interface Announced {
  readonly prefix: string
  /** The next hop that its policy sets. */
  readonly nextHop: string
}

/** A route that came by BGP and is discarded here. */
export interface Learnt {
  readonly prefix: string
  /** In force only where this device itself discards that next hop. */
  readonly nextHop: string
  /** Router id of who told it. */
  readonly from: string
}

/** One device's state. */
export interface Model {
  readonly pager: PagerStyle
  /** What ends an output line: CR LF everywhere. */
  open(terminal: SessionTerminal): ModelSession
  running(): string
  startup(): string
  setByHand(lines: readonly string[]): void
  /** Runs `work` and puts everything back that it changed, in whatever context, the sessions' modes apart: the device that lies. */
  pretend<T>(work: () => T): T
  /** Somebody else holds the lock (undefined: nobody). */
  lock(by: string | undefined): void
  /** Saving answers this instead ('' = the platform's usual words; undefined: saving works). */
  refuseSave(text: string | undefined): void
  expireTimer(): boolean
  reboot(): void
  /** A log line as this platform prints them. */
  logLine(): string
  /** Static discards that the RTBH policy hands on. */
  announced(): readonly Announced[]
  /** All discards learnt by BGP, instead of those before. */
  learn(routes: readonly Learnt[]): void
  /** Called after each change of what `announced` says. */
  onChange(listener: () => void): void
  /** Stops timers. */
  stop(): void
}

/** Makes the model of one device. */
export type MakeModel = (spec: CompleteDevice, settings: ModelSettings) => Model
