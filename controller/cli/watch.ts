// `watch`: follows one enforcement until it is in force everywhere or has ended, or everything that is live until Ctrl-C. Changes nothing.

import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import type { EnforcementView, StatusView } from '../api/schema.ts'
import { type Client, createClient } from './client.ts'
import { type Context, endWith, say } from './context.ts'
import { examples } from './options.ts'
import { styleFor, time } from './print.ts'
import { deviceState, outcomes, printEnforcement, statusLine } from './print-enforcement.ts'
import { nothingInForce, printStatus } from './print-status.ts'
import { terminalText } from './terminal-text.ts'
import { exitOfStatus, waitFor } from './wait.ts'

/** How often everything is asked for, in ms. */
const lookMs = 1_000

/** Adds `watch`. */
export function register(program: Command, context: Context): void {
  const watch = program
    .command('watch')
    .description(
      'follow one enforcement until it is in force everywhere or has ended, or all that is live until Ctrl-C',
    )
    .argument('[id]', 'id of an enforcement')
    .option('--json', 'each event as JSON, one line each')
    .action(async (id: string | undefined, { json }: { json?: boolean }) => {
      const client = createClient(context)
      if (id === undefined) await watchAll(context, client, json === true)
      else if (json === true) await streamOne(context, client, id)
      else await watchOne(context, client, id)
    })
  examples(watch, [
    ['nullroute watch', 'everything, as it changes'],
    ['nullroute watch 01M8EB7EBEH238N6GHHQVXD11Z', 'one, device by device'],
  ])
}

async function watchOne(context: Context, client: Client, id: string): Promise<void> {
  const view = await client.get<EnforcementView>(`/v1/enforcements/${encodeURIComponent(id)}`)
  const options = { wait: true }
  let last = view
  while (['enforcing', 'degraded', 'releasing'].includes(last.status)) {
    last = await waitFor(context, client, { view: last, options, patient: true })
  }
  const style = styleFor(context.stdout, context.environment)
  say(context, printEnforcement(style, last, new Date()))
  endAs(context, view, last)
}

async function streamOne(context: Context, client: Client, id: string): Promise<void> {
  const path = `/v1/enforcements/${encodeURIComponent(id)}`
  const view = await client.get<EnforcementView>(path)
  for await (const event of client.events(view.id)) say(context, JSON.stringify(event))
  endAs(context, view, await client.get<EnforcementView>(path))
}

function endAs(context: Context, first: EnforcementView, last: EnforcementView): void {
  const lifting = first.status === 'releasing' || first.status === 'released'
  endWith(context, exitOfStatus(last, lifting ? 'lifted' : 'in force'))
}

async function watchAll(context: Context, client: Client, json: boolean): Promise<void> {
  let before: ReadonlyMap<string, string> | undefined
  while (!context.signal.aborted) {
    const view = await client.get<StatusView>('/v1/status').catch((fault: unknown) => {
      // Ctrl-C is how this ends.
      if (context.signal.aborted) return undefined
      throw fault
    })
    if (view === undefined) return
    before = tell(context, { view, before, json })
    await setTimeout(lookMs, undefined, { signal: context.signal }).catch(() => undefined)
  }
}

/** Shows what has changed since the look before; answers what the next one compares with. */
function tell(
  context: Context,
  about: {
    readonly view: StatusView
    readonly before: ReadonlyMap<string, string> | undefined
    readonly json: boolean
  },
): ReadonlyMap<string, string> {
  const { view, before, json } = about
  const now = new Map(view.enforcements.map((one) => [one.id, fingerprint(one)]))
  const changed = view.enforcements.filter(({ id }) => before?.get(id) !== now.get(id))
  const gone = [...(before?.keys() ?? [])].filter((id) => !now.has(id))
  if (json) {
    for (const one of changed) say(context, JSON.stringify(one))
    for (const id of gone) say(context, JSON.stringify({ id, ended: true }))
  } else if (context.stdout.isTTY === true) draw(context, view, before === undefined)
  else {
    if (before === undefined && view.enforcements.length === 0) {
      say(context, nothingInForce(view))
    }
    tellLines(context, changed, gone)
  }
  return now
}

function draw(context: Context, view: StatusView, first: boolean): void {
  const style = styleFor(context.stdout, context.environment)
  // Home, the new picture, and whatever is left of the old one below it.
  const picture = terminalText(printStatus(style, view, new Date())).replaceAll('\n', '\u001b[K\n')
  context.stdout.write(`\u001b[H${first ? '\u001b[2J' : ''}${picture}\u001b[K\n\u001b[0J`)
}

function tellLines(
  context: Context,
  changed: readonly EnforcementView[],
  gone: readonly string[],
): void {
  const style = styleFor(context.stdout, context.environment)
  const at = time(new Date().toISOString())
  for (const one of changed) {
    say(context, `${at}  ${statusLine(style, one)}`)
    for (const device of one.devices) {
      const state = deviceState(one, device)
      say(context, `    ${device.device}  ${device.role}  ${state}  ${outcomes(one, device)}`)
    }
  }
  for (const id of gone) say(context, `${at}  ${id}: ended`)
}

function fingerprint(view: EnforcementView): string {
  const { status, devices, overdue, held, unsaved } = view
  const parts = devices.map((one) => [one.device, one.role, one.status, outcomes(view, one)])
  return JSON.stringify([status, overdue, held, unsaved, parts])
}
