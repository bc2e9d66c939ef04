// `inventory reload` and `playbook list`: what the controller reads from YAML.

import type { Command } from 'commander'
import type { PlaybookView } from '../api/schema.ts'
import { createClient } from './client.ts'
import { CliError, type Context, say, sayJson } from './context.ts'
import { examples } from './options.ts'
import { count, duration, styleFor, table } from './print.ts'

interface Reload {
  readonly conflicts: readonly {
    readonly enforcement: string
    readonly kind: string
    readonly object: string
  }[]
  readonly devices: number
  readonly customers: number
}

/** Adds `inventory reload` and `playbook list`. */
export function register(
  _program: Command,
  context: Context,
  groups: { readonly inventory: Command; readonly playbook: Command },
): void {
  const reload = groups.inventory
    .command('reload')
    .description('let the controller read inventory and playbooks again; what is in force stays')
    .action(async (options: { json?: boolean }) => {
      const view = await createClient(context)
        .post<Reload>('/v1/inventory/reload')
        .catch((fault: unknown) => {
          throw withPlaces(fault)
        })
      if (options.json === true) sayJson(context, view)
      else printReload(context, view)
    })
  examples(reload, [
    [
      'nullroute inventory reload',
      'after a change of the YAML; broken files leave the old ones active',
    ],
  ])
  const list = groups.playbook
    .command('list')
    .description('the playbooks that the controller has loaded')
    .action(async (options: { json?: boolean }) => {
      const items = await createClient(context).list<PlaybookView>('/v1/playbooks', {}, 10_000)
      if (options.json === true) sayJson(context, { items })
      else say(context, playbookTable(context, items))
    })
  examples(list, [['nullroute playbook list', 'what --playbook may name']])
}

// Each problem of the files with its place, as editors and people know it.
function withPlaces(fault: unknown): unknown {
  if (!(fault instanceof CliError) || !Array.isArray(fault.detail['problems'])) return fault
  const problems = fault.detail['problems'] as readonly {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly message: string
  }[]
  const lines = problems.map((one) => `  ${one.file}:${one.line}:${one.column}: ${one.message}`)
  return new CliError(fault.exit, fault.code, [fault.message, ...lines].join('\n'), fault.detail)
}

function printReload(context: Context, view: Reload): void {
  say(context, `Loaded: ${count(view.devices, 'device')}, ${count(view.customers, 'customer')}.`)
  for (const { enforcement, kind, object } of view.conflicts) {
    say(context, `! ${enforcement}: ${kind}: ${object}`)
  }
  if (view.conflicts.length > 0) {
    say(context, 'What is in force was not changed: release and decide again where it should be.')
  }
}

function playbookTable(context: Context, items: readonly PlaybookView[]): string {
  const style = styleFor(context.stdout, context.environment)
  const rows = items.map((one) => [
    one.name,
    one.decision,
    String(one.approvals),
    one.maxDurationMs === undefined ? '-' : duration(one.maxDurationMs),
    one.onFailure,
    one.description,
  ])
  return table(style, ['NAME', 'DECISION', 'APPROVALS', 'LONGEST', 'ON FAILURE', 'DOES'], rows)
}
