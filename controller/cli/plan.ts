// `plan`: dry runs under one name, and a plan that was made before.

import type { Command } from 'commander'
import type { PlanView } from '../api/schema.ts'
import { createClient } from './client.ts'
import type { Context } from './context.ts'
import { type Action, type DecisionOptions, decisionFlags, dryRun, showPlan } from './decide.ts'
import { examples } from './options.ts'
import { planRelease } from './release.ts'

const what: Readonly<Record<Action, string>> = {
  suspend: 'what suspending a customer would do',
  terminate: 'what terminating a customer would do',
  block: 'what blocking a prefix, port or neighbor would do',
}

const example: Readonly<Record<Action, string>> = {
  suspend: 'nullroute plan suspend esthost --category phishing --summary "42 kits" --online',
  terminate: 'nullroute plan terminate rovernet --category botnet-cc --summary "C2"',
  block: 'nullroute plan block --prefix 203.0.113.10 --category malware --summary "dropper"',
}

/** Adds `plan suspend|terminate|block|release|show`. */
export function register(program: Command, context: Context): void {
  const plan = program
    .command('plan')
    .description('dry runs: who would be hit, and each line that would be sent; touches nothing')
  for (const action of ['suspend', 'terminate', 'block'] as const) {
    const command = plan.command(action).description(what[action])
    if (action !== 'block') command.argument('[customer]', 'id of the customer')
    decisionFlags(action, command)
      .option('--online', 'read the devices first, and show only what is missing')
      .action(async (...given: unknown[]) => {
        const customer = typeof given[0] === 'string' ? given[0] : undefined
        const options = command.opts<DecisionOptions>()
        await dryRun(context, { action, customer, options })
      })
    examples(command, [[example[action], 'shows guards, blast radius and lines']])
  }
  const release = plan
    .command('release')
    .description('what a release would do')
    .argument('<id|customer>', 'enforcement, or the customer whose only one it is')
    .option('--online', 'read the devices first, and show only what is there')
    .action(async (target: string, options: { online?: boolean; json?: boolean }) => {
      await planRelease(context, target, options)
    })
  examples(release, [['nullroute plan release esthost', 'the lines that lift it']])
  const show = plan
    .command('show')
    .description('a plan that was made before')
    .argument('<id>', 'id of the plan')
    .action(async (id: string, options: { json?: boolean }) => {
      const path = `/v1/plans/${encodeURIComponent(id)}`
      showPlan(context, await createClient(context).get<PlanView>(path), options.json === true)
    })
  examples(show, [['nullroute plan show 01M8EB7EBEH238N6GHHQVXD11Z', 'the plan again']])
}
