#!/usr/bin/env node
// The program `nullroute`: this process as a context for one run, and its end.

import { existsSync } from 'node:fs'
import type { Context } from './context.ts'
import { exitCodes } from './context.ts'
import { invocation } from './invocation.ts'
import { runCli } from './program.ts'

const interrupt = new AbortController()

// npm passes on the Ctrl-C that the terminal has sent us already: what comes this close together is one, in ms.
const oneSignalMs = 500
let first: number | undefined

// The first Ctrl-C lets the command say how things stand; the second ends it at once.
function stop(): void {
  const now = performance.now()
  first ??= now
  if (now - first > oneSignalMs) process.exit(exitCodes.interrupted)
  interrupt.abort()
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)

// `nullroute … | head` is no error: what is read no more need not be written.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (fault: NodeJS.ErrnoException) => {
    if (fault.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.done)
    throw fault
  })
}

const context: Context = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  environment: await environment(),
  signal: interrupt.signal,
  program: invocation(process.env, process.argv[1] ?? 'nullroute', process.cwd()),
}

process.exitCode = await runCli(process.argv.slice(2), context)

// What a demo in this folder left for the commands beside it. Its reader is loaded only where there is something to read.
async function environment(): Promise<Context['environment']> {
  if (!existsSync('.demo/credentials.json')) return process.env
  const { withDemoCredentials } = await import('./demo-credentials.ts')
  return withDemoCredentials(process.env, process.cwd())
}
