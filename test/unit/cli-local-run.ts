// One run of the program in this process, with what it wrote.

import { PassThrough, Writable } from 'node:stream'
import type { Context } from '../../controller/cli/context.ts'
import { runCli } from '../../controller/cli/program.ts'

/** What a run came to. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A stream that keeps what is written to it. */
export class Kept extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    this.emit('kept')
    done()
  }
}

/** A context as a pipe has it: no terminal, no colours. */
export function contextOf(
  environment: Context['environment'] = {},
  signal: AbortSignal = new AbortController().signal,
): Context & { readonly stdout: Kept; readonly stderr: Kept } {
  return {
    stdout: new Kept(),
    stderr: new Kept(),
    stdin: new PassThrough(),
    environment,
    signal,
  }
}

/** Runs one command line to its end. */
export async function run(
  argv: readonly string[],
  environment: Context['environment'] = {},
): Promise<Ran> {
  const context = contextOf(environment)
  const code = await runCli(argv, context)
  return { code, out: context.stdout.text, err: context.stderr.text }
}
