// What every command gets: where to write, what it was told, and how it ends. Commands return an exit code; nothing here knows a command.

import type { Readable, Writable } from 'node:stream'
import { terminalText } from './terminal-text.ts'

/** Exit codes that scripts rely on. `interrupted` is the shell's own for Ctrl-C: it says nothing of what was asked. */
export const exitCodes = {
  done: 0,
  refused: 1,
  usage: 2,
  degraded: 3,
  unreachable: 4,
  interrupted: 130,
} as const

/** The world of one run of the program. */
export interface Context {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stdin: Readable
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** How the program was called, for the commands that it prints; `nullroute` when absent. */
  readonly program?: string
}

/** A command that can't go on: its message says what was found and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: number
  /** Stable code, as the API has it, or one of the CLI's own. */
  readonly code: string
  /** What the API answered besides, for `--json`. */
  readonly detail: Readonly<Record<string, unknown>>

  constructor(
    exit: number,
    code: string,
    message: string,
    detail: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.exit = exit
    this.code = code
    this.detail = detail
  }
}

const ends = new WeakMap<Context, number>()

/** Says with which exit code the run ends, where it is not 0 and nothing has to be told. The last word counts. */
export function endWith(context: Context, exit: number): void {
  ends.set(context, exit)
}

/** The exit code that the run ends with: 0 unless a command said otherwise. */
export function exitOf(context: Context): number {
  return ends.get(context) ?? exitCodes.done
}

/** A mistake in how the program was called. */
export function usageError(message: string): CliError {
  return new CliError(exitCodes.usage, 'usage', message)
}

/** A command line that works as typed. */
export function commandLine(context: Context, words: readonly string[]): string {
  const quoted = words.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`,
  )
  return [context.program ?? 'nullroute', ...quoted].join(' ')
}

/** Writes a line to standard output. */
export function say(context: Context, text: string): void {
  context.stdout.write(`${terminalText(text)}\n`)
}

/** Writes a value as JSON to standard output: two blanks of indentation, one value a call. */
export function sayJson(context: Context, value: unknown): void {
  context.stdout.write(`${terminalText(JSON.stringify(value, null, 2))}\n`)
}

/** Writes a remark for a person to standard error, so that standard output stays the answer. */
export function remark(context: Context, text: string): void {
  context.stderr.write(`${terminalText(text)}\n`)
}
