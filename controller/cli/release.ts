// `release`: lifts an enforcement, named by its id or by the customer whose only one it is.

import type { Command } from 'commander'
import type { EnforcementView, PlanView } from '../api/schema.ts'
import { type Client, createClient } from './client.ts'
import { CliError, type Context, commandLine, exitCodes, usageError } from './context.ts'
import { showPlan } from './decide.ts'
import { examples, isUlid, type WaitOptions, waiting } from './options.ts'
import { styleFor } from './print.ts'
import { enforcementTable } from './print-enforcement.ts'
import { settle } from './wait.ts'

interface ReleaseOptions extends WaitOptions {
  readonly reason?: string
  readonly dryRun?: boolean
  readonly online?: boolean
}

/** Adds `release`. */
export function register(program: Command, context: Context): void {
  const release = program
    .command('release')
    .description('lift what is in force; waits until it is lifted everywhere')
    .argument('<id|customer>', 'enforcement, or the customer whose only one it is')
    .option('--reason <text>', 'why it is lifted')
    .option('--dry-run', 'only show the lines that would lift it; touches nothing')
    .option('--online', 'with --dry-run: read the devices first')
  waiting(release).action(async (target: string, options: ReleaseOptions) => {
    await run(context, target, options)
  })
  examples(release, [
    [
      'nullroute release esthost --reason "cleaned up, ABUSE-2041"',
      'lifts the only enforcement on this customer',
    ],
    [
      'nullroute release 01M8EB7EBEH238N6GHHQVXD11Z --reason "mistake" --no-wait',
      'lifts this one, and does not wait',
    ],
    ['nullroute release esthost --dry-run', 'shows the lines that would lift it'],
  ])
}

async function run(context: Context, target: string, options: ReleaseOptions): Promise<void> {
  if (options.dryRun === true) {
    await planRelease(context, target, options)
    return
  }
  if (options.online === true) throw usageError('--online goes with --dry-run')
  const { reason } = options
  if (reason === undefined) throw usageError('--reason is missing: why is it lifted?')
  const client = createClient(context)
  const id = await enforcementOf(context, client, target)
  // Of one that is releasing already it is answered as it is: a repeat does no harm.
  const accepted = await client.post<EnforcementView>(`/v1/enforcements/${id}/release`, {
    body: { reason },
    idempotent: true,
  })
  await settle({ context, client, aim: 'lifted' }, accepted, options)
}

/** Shows what a release would do. */
export async function planRelease(
  context: Context,
  target: string,
  options: { readonly online?: boolean; readonly json?: boolean },
): Promise<void> {
  const client = createClient(context)
  const release = await enforcementOf(context, client, target)
  const query = options.online === true ? { online: 'true' } : {}
  const plan = await client.post<PlanView>('/v1/plans', {
    body: { release },
    query,
    idempotent: true,
  })
  showPlan(context, plan, options.json === true)
}

const releasable = ['enforcing', 'enforced', 'degraded', 'awaiting_approval'] as const

async function enforcementOf(context: Context, client: Client, target: string): Promise<string> {
  if (isUlid(target)) return target
  const query = { customer: target, status: [...releasable, 'releasing'] }
  const found = await client.list<EnforcementView>('/v1/enforcements', query, listMax)
  const open = found.filter(({ status }) => status !== 'releasing')
  const [only, ...more] = open.length > 0 ? open : found
  if (only === undefined) throw await nothingThere(client, target)
  if (more.length > 0) throw several(context, target, open.length > 0 ? open : found)
  return only.id
}

const listMax = 1_000

async function nothingThere(client: Client, customer: string): Promise<CliError> {
  const isKnown = await client.get(`/v1/customers/${encodeURIComponent(customer)}`).then(
    () => true,
    (fault: unknown) => {
      if (fault instanceof CliError && fault.code === 'not_found') return false
      throw fault
    },
  )
  if (!isKnown) {
    return new CliError(
      exitCodes.refused,
      'not_found',
      `there is no customer ${customer}, and release takes a customer or the id of an enforcement: \`nullroute status\` lists what is in force, \`nullroute lookup ADDRESS\` says whose an address is`,
    )
  }
  return new CliError(
    exitCodes.refused,
    'not_in_force',
    `nothing is in force on ${customer}: \`nullroute status\` lists what is`,
  )
}

function several(context: Context, customer: string, found: readonly EnforcementView[]): CliError {
  const style = styleFor(context.stderr, context.environment)
  const list = enforcementTable(style, found, new Date())
  const first = commandLine(context, ['release', found[0]?.id ?? 'ID', '--reason', 'WHY'])
  return new CliError(
    exitCodes.usage,
    'several_in_force',
    `${found.length} are in force on ${customer}; say which one by its id:\n\n${list}\n\n  such as: ${first}`,
    { enforcements: found.map(({ id, action, status }) => ({ id, action, status })) },
  )
}
