// `freeze` and `unfreeze`: the big red button.

import type { Command } from 'commander'
import { createClient } from './client.ts'
import { type Context, say, sayJson } from './context.ts'
import { examples } from './options.ts'
import { time } from './print.ts'

/** Adds `freeze` and `unfreeze`. */
export function register(program: Command, context: Context): void {
  const freeze = program
    .command('freeze')
    .description('no device is changed while it holds; decisions are accepted and wait')
    .requiredOption('--reason <text>', 'why')
    .action(async ({ reason, json }: { reason: string; json?: boolean }) => {
      const view = await createClient(context).post<{ since: string; by: string; reason: string }>(
        '/v1/freeze',
        { body: { reason } },
      )
      if (json === true) sayJson(context, view)
      else {
        say(context, `Frozen since ${time(view.since)} by ${view.by}: ${view.reason}`)
        say(
          context,
          'No device is changed; decisions and releases are accepted and held. `nullroute unfreeze` goes on.',
        )
      }
    })
  examples(freeze, [['nullroute freeze --reason "core is unstable"', 'holds all changes at once']])
  const unfreeze = program
    .command('unfreeze')
    .description('go on with what was held')
    .option('--reason <text>', 'a remark for the audit log')
    .action(async ({ reason, json }: { reason?: string; json?: boolean }) => {
      await createClient(context).delete('/v1/freeze', { reason })
      if (json === true) sayJson(context, { frozen: false })
      else say(context, 'No freeze holds any more: what was held goes on.')
    })
  examples(unfreeze, [['nullroute unfreeze --reason "core is stable"', 'lets held work go on']])
}
