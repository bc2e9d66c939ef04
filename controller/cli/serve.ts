// `nullroute serve`: controller and agents in one process, from the first line of its log to the last. Signals: HUP reads the inventory again, TERM and INT end it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import { type Config, loadConfig } from '../config.ts'
import type { ReloadReport } from '../controller.ts'
import { packageVersion, type Running, startController } from '../main.ts'
import { databaseName } from '../store/sqlite.ts'
import { type Context, commandLine, exitCodes, remark, say } from './context.ts'
import { firstLogKey } from './token-local.ts'

/** Flags of `serve`. */
export interface ServeOptions {
  readonly config?: string
  readonly inventory?: string
  readonly playbooks?: string
  readonly data?: string
  readonly listen?: string
  readonly json?: boolean
}

/** Runs until it is told to end. Exit code 0 after a clean end, 1 when the store can't be trusted any more or the end took too long. */
export async function serve(context: Context, options: ServeOptions): Promise<number> {
  const config = await loadConfig(options)
  const log = createLog(context, config)
  const isNew = !existsSync(join(config.data, databaseName))
  let fatal: (cause: Error) => void = () => undefined
  const broken = new Promise<Error>((resolve) => {
    fatal = resolve
  })
  const running = await startController(config, { log, environment: context.environment, fatal })
  announce(context, { config, running, isNew, options, version: await packageVersion() })
  warnOfOrigin(log, running)
  const onHangup = (): void => void reload(log, running)
  process.on('SIGHUP', onHangup)
  const why = await Promise.race([told(context), broken])
  process.off('SIGHUP', onHangup)
  if (why instanceof Error) {
    log.fatal({ err: why }, 'ending at once: the next start goes on from what is there')
    await within(answerMsMax, running.hangUp())
    return exitCodes.refused
  }
  log.info({ drainMs: config.drainMs }, 'ending: what is under way is finished first')
  return (await drain(running, config.drainMs, log)) ? exitCodes.done : exitCodes.refused
}

/** JSON lines to standard error; on a terminal the same for eyes. */
function createLog(context: Context, config: Config): Logger {
  return pino(
    { level: config.logLevel, base: { pid: process.pid } },
    context.stderr.isTTY === true ? prettyLog(context) : context.stderr,
  )
}

function prettyLog(context: Context): DestinationStream {
  return pretty({
    colorize: (context.environment['NO_COLOR'] ?? '') === '',
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    destination: context.stderr,
  })
}

function announce(
  context: Context,
  about: {
    readonly config: Config
    readonly running: Running
    readonly isNew: boolean
    readonly options: ServeOptions
    readonly version: string
  },
): void {
  const { config, running, isNew, options, version } = about
  if (isNew) remark(context, firstLogKey(running.controller.store, config.data))
  if (!running.hasTokens) {
    remark(
      context,
      `There is no token yet, so nobody can ask for anything. Make the first one:\n  ${commandLine(context, ['token', 'create', '--data', config.data, '--name', 'admin', '--role', 'admin'])}`,
    )
  }
  const ready = {
    ready: true,
    url: running.url,
    version,
    data: config.data,
    inventory: config.inventory,
  }
  say(
    context,
    options.json === true
      ? JSON.stringify(ready)
      : `nullroute ${version} is ready: ${running.url} (API reference at ${running.url}/docs)`,
  )
}

function warnOfOrigin(log: Logger, running: Running): void {
  const { origin } = running.controller.store.log()
  if (!origin.startsWith('nullroute.invalid/')) return
  log.warn(
    { origin },
    'the audit log has a made-up name: before anybody relies on it, begin a new data folder with audit.origin set to a domain of yours',
  )
}

async function reload(log: Logger, running: Running): Promise<void> {
  try {
    const report = await running.reload()
    if (report.ok) log.info({ report }, 'inventory and playbooks were read again')
    else log.error(`the files are not used, what was loaded before stays:\n${problemsOf(report)}`)
  } catch (err) {
    log.error(
      { err },
      'inventory and playbooks could not be read again: what was loaded before stays',
    )
  }
}

function problemsOf({ problems }: ReloadReport): string {
  return problems
    .map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
    .join('\n')
}

/** Resolves when the program is told to end: the first Ctrl-C or TERM. The second is obeyed by the program itself, at once. */
export function told(context: Context): Promise<string> {
  return new Promise((resolve) => {
    if (context.signal.aborted) resolve('stop')
    else context.signal.addEventListener('abort', () => resolve('stop'), { once: true })
  })
}

/** Ends within the drain time; says what the next start goes on with. False where it took longer: the caller ends the process. */
export async function drain(running: Running, drainMs: number, log: Logger): Promise<boolean> {
  const stopped = await within(drainMs, running.stop())
  if (stopped === undefined) {
    const left = running.left()
    log.error({ drainMs, left }, `not all ended in time${nextStart(left)}`)
    return false
  }
  const { left } = stopped
  if (left.length > 0) log.warn({ left }, nextStart(left).slice(2))
  log.info('ended')
  return true
}

/** What a promise answers, or undefined where that takes longer than `ms`: whoever told the program to end waits no longer than that. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined)
  })
  const first = await Promise.race([promise, late])
  clearTimeout(timer)
  return first
}

/** How long requests that are under way may take to be refused, once the store takes nothing more, in ms. */
const answerMsMax = 1_000

/** Most things that are named on one line; all are in the record's `left`. */
const namedMax = 20

function nextStart(left: readonly string[]): string {
  const more = left.length > namedMax ? ` and ${left.length - namedMax} more` : ''
  return left.length === 0
    ? ''
    : `: the next start goes on with: ${left.slice(0, namedMax).join(', ')}${more}`
}
