// `status`: all that is in force and needs a person's eye, or one enforcement whole.

import type { Command } from 'commander'
import type { EnforcementView, StatusView } from '../api/schema.ts'
import { type Client, createClient } from './client.ts'
import { type Context, endWith, exitCodes, say, sayJson, usageError } from './context.ts'
import { examples } from './options.ts'
import { styleFor } from './print.ts'
import { printEnforcement } from './print-enforcement.ts'
import { printStatus } from './print-status.ts'

interface StatusOptions {
  readonly ackClock?: boolean
  readonly json?: boolean
}

/** Adds `status`. */
export function register(program: Command, context: Context): void {
  const status = program
    .command('status')
    .description(
      'all in force, what is overdue, unsaved, left behind, held, frozen; with an id, one whole',
    )
    .argument('[id]', 'id of an enforcement')
    .option('--ack-clock', 'let ends go on that are held because the clock jumped')
    .action(async (id: string | undefined, options: StatusOptions) => {
      const client = createClient(context)
      if (options.ackClock === true) {
        if (id !== undefined)
          throw usageError('--ack-clock is about the whole controller: leave out the id')
        await client.post('/v1/clock/acknowledge')
      }
      if (id === undefined) await showAll(context, client, options)
      else await showOne(context, client, { id, json: options.json === true })
    })
  examples(status, [
    ['nullroute status', 'everything that is in force'],
    [
      'nullroute status 01M8EB7EBEH238N6GHHQVXD11Z',
      'one, with its result per device; ends with 3 where it is degraded or overdue',
    ],
    ['nullroute status --json | jq .counts', 'for a monitor'],
    ['nullroute status --ack-clock', 'the clock is right: what should have ended ends now'],
  ])
}

async function showAll(context: Context, client: Client, options: StatusOptions): Promise<void> {
  const view = await client.get<StatusView>('/v1/status')
  if (options.json === true) sayJson(context, view)
  else {
    const style = styleFor(context.stdout, context.environment)
    say(context, printStatus(style, view, new Date()))
  }
}

async function showOne(
  context: Context,
  client: Client,
  about: { readonly id: string; readonly json: boolean },
): Promise<void> {
  const path = `/v1/enforcements/${encodeURIComponent(about.id)}`
  const view = await client.get<EnforcementView>(path)
  if (about.json) sayJson(context, view)
  else {
    const style = styleFor(context.stdout, context.environment)
    say(context, printEnforcement(style, view, new Date()))
  }
  if (view.status === 'degraded' || view.overdue) endWith(context, exitCodes.degraded)
}
