// Waiting until an enforcement is settled, with its progress on standard error, and the exit code that tells how it ended.

import { setTimeout as pause } from 'node:timers/promises'
import type { EnforcementView } from '../api/schema.ts'
import type { Client } from './client.ts'
import {
  CliError,
  type Context,
  commandLine,
  endWith,
  exitCodes,
  remark,
  say,
  sayJson,
} from './context.ts'
import type { WaitOptions } from './options.ts'
import { duration, styleFor } from './print.ts'
import { eyeCatchers, printEnforcement, statusLine } from './print-enforcement.ts'
import {
  advance,
  begin,
  news,
  type Progress,
  type ProgressEvent,
  screen,
  waitedFor,
} from './progress.ts'
import { terminalText } from './terminal-text.ts'

/** How often a terminal is redrawn, in ms. */
const redrawMs = 200
/** How often plain output says what it is waiting for, in ms. */
const reminderMs = 10_000
/** How often it is asked whether it is overdue or held, which no event tells, in ms. */
const lookMs = 5_000

/** How often one that is degraded is looked at, in ms. */
const lookAgainMs = 1_000

/** What is being waited for. */
export type Aim = 'in force' | 'lifted'

/** Shows an accepted request to its end: waits unless told not to, prints how it stands, and sets the exit code. `until` says when what is degraded has been waited for long enough; without it, that is not waited for. */
export async function settle(
  about: {
    readonly context: Context
    readonly client: Client
    readonly aim: Aim
    readonly until?: Waiting['until']
  },
  accepted: EnforcementView,
  options: WaitOptions,
): Promise<void> {
  const { context, client, aim, until } = about
  const again = until !== undefined && accepted.status === 'degraded' && !until(accepted)
  const mayWait = options.wait && (needsWaiting(accepted) || again)
  const waiting = { view: accepted, options, ...(until === undefined ? {} : { until }) }
  const last = mayWait ? await waitFor(context, client, waiting) : accepted
  if (options.json === true) sayJson(context, last)
  else show(context, last, { aim, waited: mayWait })
  if (options.wait) endWith(context, exitOfStatus(last, aim))
}

/** The exit code that an enforcement's status stands for. */
export function exitOfStatus(view: EnforcementView, aim: Aim): number {
  switch (view.status) {
    case 'enforced':
      return exitCodes.done
    case 'awaiting_approval':
      return exitCodes.done
    case 'released':
      return aim === 'lifted' ? exitCodes.done : exitCodes.refused
    // Releasing what only waited for approval ends as rejected: that is what was asked for.
    case 'rejected':
      return aim === 'lifted' ? exitCodes.done : exitCodes.refused
    case 'failed':
      return exitCodes.refused
    case 'degraded':
    case 'enforcing':
    case 'releasing':
      return exitCodes.degraded
  }
}

function needsWaiting(view: EnforcementView): boolean {
  return (view.status === 'enforcing' || view.status === 'releasing') && view.held === undefined
}

function show(
  context: Context,
  view: EnforcementView,
  about: { readonly aim: Aim; readonly waited: boolean },
): void {
  const style = styleFor(context.stdout, context.environment)
  const good = view.status === 'enforced' || view.status === 'released'
  if (about.waited && !good) say(context, printEnforcement(style, view, new Date()))
  else {
    say(context, statusLine(style, view))
    for (const text of eyeCatchers(view, new Date()))
      say(context, `${style.colours.yellow('!')} ${text}`)
  }
  for (const line of whatNext(context, view)) say(context, line)
}

function whatNext(context: Context, view: EnforcementView): readonly string[] {
  const { id } = view
  switch (view.status) {
    case 'awaiting_approval':
      return [
        `approve it, as another person: ${commandLine(context, ['approve', id, '--digest', view.digest])}`,
        `or not: ${commandLine(context, ['reject', id, '--reason', 'WHY'])}`,
      ]
    case 'enforcing':
    case 'releasing':
      return [`follow it: ${commandLine(context, ['watch', id])}`]
    case 'enforced':
      return [`lift it: ${commandLine(context, ['release', id, '--reason', 'WHY'])}`]
    case 'degraded':
      return [
        `follow it: ${commandLine(context, ['watch', id])}`,
        `try now what has failed: ${commandLine(context, ['retry', id])}`,
      ]
    case 'released':
    case 'rejected':
    case 'failed':
      return []
  }
}

/** What to follow, and for how long. */
export interface Waiting {
  readonly view: EnforcementView
  readonly options: WaitOptions
  /** Goes on while it is overdue or held, and from degraded until it is more than that. */
  readonly patient?: boolean
  /** Of one that is degraded: whether that is enough. */
  readonly until?: (view: EnforcementView) => boolean
}

/** Follows an enforcement until it is settled, overdue, held, or the time is over. Throws `interrupted` on Ctrl-C. */
export async function waitFor(
  context: Context,
  client: Client,
  what: Waiting,
): Promise<EnforcementView> {
  const { view, options } = what
  const path = `/v1/enforcements/${view.id}`
  const enough = new AbortController()
  const signal = AbortSignal.any([context.signal, enough.signal])
  const board = createBoard(context, view, options.json === true)
  const timers = [
    ...(what.patient === true ? [] : [setInterval(() => void look(client, path, enough), lookMs)]),
    ...(options.timeout === undefined ? [] : [setTimeout(() => enough.abort(), options.timeout)]),
  ]
  try {
    const events =
      view.status === 'degraded' ? looks(client, what, signal) : client.events(view.id, signal)
    for await (const one of events) {
      const event = one as ProgressEvent
      // The stream begins with the whole history; what lies before the request is not its progress.
      if (event.event === 'settled' || event.data.time >= view.updatedAt) board.take(event)
    }
  } catch (fault) {
    if (!signal.aborted) throw lost(context, view, fault)
  } finally {
    for (const timer of timers) clearInterval(timer)
    board.close()
  }
  if (context.signal.aborted) throw interrupted(context, view)
  return client.get<EnforcementView>(path).catch((fault: unknown) => {
    throw lost(context, view, fault)
  })
}

async function look(client: Client, path: string, enough: AbortController): Promise<void> {
  // The stream finds out by itself when the controller has gone.
  const now = await client.get<EnforcementView>(path).catch(() => undefined)
  if (now !== undefined && (now.overdue || now.held !== undefined)) enough.abort()
}

/** What is degraded is settled, so that its stream has ended: looks at it until it is more than that, or enough. */
async function* looks(
  client: Client,
  { view: first, until }: Waiting,
  signal: AbortSignal,
): AsyncGenerator<ProgressEvent> {
  for (let view = first; view.status === 'degraded' && until?.(view) !== true; ) {
    await pause(lookAgainMs, undefined, { signal })
    view = await client.get<EnforcementView>(`/v1/enforcements/${first.id}`)
    const { devices, status, updatedAt: time } = view
    const seen = { time, type: 'looked', outcome: 'ok' }
    yield { event: 'device', data: { ...seen, device: '', results: devices } }
    if (status !== 'degraded') yield { event: 'status', data: { ...seen, status } }
  }
}

// Whoever loses the controller here must not think that nothing was decided.
function lost(context: Context, { id }: EnforcementView, fault: unknown): unknown {
  if (!(fault instanceof CliError)) return fault
  const message = `${fault.message}\n  it was accepted as ${id} and goes on when the controller runs: ${commandLine(context, ['watch', id])}`
  return new CliError(fault.exit, fault.code, message, { ...fault.detail, enforcement: id })
}

function interrupted(context: Context, { id, status }: EnforcementView): CliError {
  const what = status === 'releasing' ? 'release' : 'decision'
  return new CliError(
    exitCodes.interrupted,
    'interrupted',
    `no longer waiting: the ${what} goes on in the controller\n  follow it: ${commandLine(context, ['watch', id])}`,
    { enforcement: id },
  )
}

interface Board {
  take(event: ProgressEvent): void
  close(): void
}

/** Shows progress on standard error: redrawn on a terminal, as lines elsewhere, not at all where JSON is wanted. */
function createBoard(context: Context, view: EnforcementView, quiet: boolean): Board {
  let progress = begin(view, performance.now())
  if (quiet) return { take: () => undefined, close: () => undefined }
  const { stderr } = context
  if (stderr.isTTY !== true) return createLines(context, progress)
  const style = styleFor(stderr, context.environment)
  let height = 0
  const draw = (): void => {
    const rows = 'rows' in stderr && typeof stderr.rows === 'number' ? stderr.rows : 24
    const lines = screen(style, progress, { now: performance.now(), rows })
    // Up to the first line, then each anew: no flicker, as a cleared screen would have.
    const up = height === 0 ? '' : `\u001b[${height}A`
    const drawn = lines.map((line) => `\r\u001b[2K${terminalText(line)}\n`).join('')
    const below = lines.length < height ? '\u001b[0J' : ''
    stderr.write(`${up}${drawn}${below}`)
    height = lines.length
  }
  draw()
  const timer = setInterval(draw, redrawMs)
  return {
    take(event) {
      progress = advance(progress, event, performance.now())
    },
    close() {
      clearInterval(timer)
      draw()
      stderr.write('\n')
    },
  }
}

function createLines(context: Context, first: Progress): Board {
  let progress = first
  let told = performance.now()
  remark(context, `${first.title}: ${first.status}  ${first.id}`)
  const tell = (lines: readonly string[]): void => {
    for (const line of lines) remark(context, line)
    if (lines.length > 0) told = performance.now()
  }
  const timer = setInterval(() => {
    const now = performance.now()
    const waiting = now - told < reminderMs ? undefined : waitedFor(progress, now)
    if (waiting !== undefined) tell([`+${duration(now - progress.started)}  ${waiting}`])
  }, 1_000)
  return {
    take(event) {
      const now = performance.now()
      const before = progress
      progress = advance(progress, event, now)
      tell(news(before, progress, now))
    },
    close: () => clearInterval(timer),
  }
}
