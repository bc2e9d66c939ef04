// `suspend`, `terminate`, `block`: a decision from flags, as a dry run or for real.

import { type Command, Option } from 'commander'
import type { EnforcementView, PlanView } from '../api/schema.ts'
import { type Client, createClient } from './client.ts'
import {
  type Context,
  commandLine,
  endWith,
  exitCodes,
  remark,
  say,
  sayJson,
  usageError,
} from './context.ts'
import {
  collectEvidence,
  collectOverride,
  type Evidence,
  type Expiry,
  examples,
  type Override,
  parseExpiry,
  parsePlace,
  type WaitOptions,
  waiting,
} from './options.ts'
import { styleFor } from './print.ts'
import { printPlan, subjectText } from './print-plan.ts'
import { settle } from './wait.ts'

/** What a decision asks for. */
export type Action = 'suspend' | 'terminate' | 'block'

/** The flags of a decision. */
export interface DecisionOptions extends WaitOptions {
  readonly category?: string
  readonly summary?: string
  readonly ticket?: string
  readonly evidence?: readonly Evidence[]
  readonly expires?: Expiry
  readonly playbook?: string
  readonly override?: readonly Override[]
  readonly automated?: boolean
  readonly prefix?: string
  readonly port?: { readonly device: string; readonly rest: string }
  readonly neighbor?: { readonly device: string; readonly rest: string }
  readonly vrf?: string
  readonly dryRun?: boolean
  readonly online?: boolean
  readonly plan?: string
  readonly digest?: string
}

/** What was asked for on the command line. */
export interface Asked {
  readonly action: Action
  readonly customer: string | undefined
  readonly options: DecisionOptions
}

/** Adds `suspend`, `terminate` and `block`. */
export function register(program: Command, context: Context): void {
  const suspend = program
    .command('suspend')
    .description('cut a customer off, reversibly; waits until it is in force')
    .argument('[customer]', 'id of the customer; not needed with --plan')
  addFlags(context, 'suspend', suspend)
  examples(suspend, [
    [
      'nullroute suspend esthost --category phishing --summary "42 kits on 203.0.113.10" --dry-run',
      'shows what would be done; touches nothing',
    ],
    [
      'nullroute suspend esthost --category phishing --summary "42 kits on 203.0.113.10" --ticket ABUSE-2041 --expires 7d',
      'does it, and lifts it by itself after a week',
    ],
    [
      'nullroute suspend --plan 01M8EB7EBEH238N6GHHQVXD11Z --digest d13a…3690',
      'enforces exactly the plan that was reviewed, or refuses',
    ],
  ])
  const terminate = program
    .command('terminate')
    .description('end a customer’s service for good; another person approves it')
    .argument('[customer]', 'id of the customer; not needed with --plan')
  addFlags(context, 'terminate', terminate)
  examples(terminate, [
    [
      'nullroute terminate rovernet --category botnet-cc --summary "C2 of three botnets" --ticket ABUSE-77',
      'waits for the approval of another person',
    ],
    [
      'nullroute terminate rovernet --category botnet-cc --summary "C2 of three botnets" --dry-run',
      'shows what would be done; touches nothing',
    ],
  ])
  const block = program
    .command('block')
    .description('cut off one prefix, port or BGP neighbor of a customer')
  addFlags(context, 'block', block)
  examples(block, [
    [
      'nullroute block --prefix 203.0.113.10 --category malware --summary "dropper" --expires 2d',
      'one address, for two days',
    ],
    ['nullroute block --port sw1.ams:p1 --category spam --summary "open relay"', 'one switch port'],
    [
      'nullroute block --neighbor edge1.ams:192.0.2.9 --category ddos --summary "spoofed sources"',
      'one BGP session',
    ],
  ])
}

/** Adds all flags of a decision, and what they do. */
function addFlags(context: Context, action: Action, command: Command): void {
  decisionFlags(action, command)
    .option('--dry-run', 'only show what would be done, line by line; touches nothing')
    .option('--online', 'with --dry-run: read the devices first, and show only what is missing')
    .option(
      '--plan <id>',
      'enforce this plan as it was reviewed; with --digest, without the flags of a decision',
    )
    .option('--digest <sha256>', 'digest of the plan that was reviewed')
  waiting(command).action(async (...given: unknown[]) => {
    const customer = typeof given[0] === 'string' ? given[0] : undefined
    const options = command.opts<DecisionOptions>()
    const asked: Asked = { action, customer, options }
    await decide(context, asked)
  })
}

/** Adds the flags that say what is decided and why. */
export function decisionFlags(action: Action, command: Command): Command {
  if (action === 'block') {
    const place = (flag: string, what: string) => new Option(flag, what).argParser(parsePlace)
    command
      .option('--prefix <prefix>', 'a prefix, or a bare address, inside one customer’s space')
      .addOption(place('--port <device:interface>', 'a switch port of a customer'))
      .addOption(place('--neighbor <device:address>', 'a BGP neighbor of a customer'))
      .option('--vrf <name>', 'with --neighbor: its routing table')
  }
  if (action === 'suspend') {
    const only = 'with --playbook depeer: one BGP neighbor in place of the customer'
    command
      .addOption(new Option('--neighbor <device:address>', only).argParser(parsePlace))
      .option('--vrf <name>', 'with --neighbor: its routing table')
  }
  command
    .option(
      '--category <category>',
      'spam, phishing, malware, botnet-cc, ddos, scanning, copyright, csam, fraud, non-payment, court-order, other',
    )
    .option('--summary <text>', 'why, in a sentence')
    .option('--ticket <ticket>', 'number of the case in your own system')
    .option(
      '--evidence <url[#sha256=hex]>',
      'where evidence lies, and the SHA-256 of what lies there: https://desk.example/kit.zip#sha256=9f86…; may be repeated',
      collectEvidence,
    )
    .option('--playbook <name>', `playbook; default: ${action}`)
  if (action !== 'terminate') {
    command.addOption(
      new Option(
        '--expires <when>',
        'when it ends by itself: 14d, or a time; default: the longest that the playbook allows',
      ).argParser(parseExpiry),
    )
  }
  return command
    .option(
      '--override <guard=reason>',
      'role admin: pass this guard; may be repeated',
      collectOverride,
    )
    .option('--automated', 'a program decided this, no person')
}

async function decide(context: Context, asked: Asked): Promise<void> {
  const { options } = asked
  if (options.plan !== undefined || options.digest !== undefined) {
    await enforcePlan(context, asked)
    return
  }
  if (options.online === true && options.dryRun !== true) {
    throw usageError('--online goes with --dry-run: a real change always reads the device first')
  }
  if (options.dryRun === true) {
    await dryRun(context, asked)
    return
  }
  const client = createClient(context)
  const body = await decisionBody(client, asked)
  const accepted = await client.post<EnforcementView>('/v1/enforcements', {
    body,
    idempotent: true,
  })
  if (options.json !== true) warnOfSecond(context, accepted)
  await settle({ context, client, aim: 'in force' }, accepted, options)
}

/** A dry run: prints the plan, and the command that enforces exactly it. Ends with 1 where it is refused. */
export async function dryRun(context: Context, asked: Asked): Promise<void> {
  const client = createClient(context)
  const body = await decisionBody(client, asked)
  const query = asked.options.online === true ? { online: 'true' } : {}
  const plan = await client.post<PlanView>('/v1/plans', { body, query, idempotent: true })
  showPlan(context, plan, asked.options.json === true)
}

/** Prints a plan, and sets the exit code. */
export function showPlan(context: Context, plan: PlanView, json: boolean): void {
  if (json) sayJson(context, plan)
  else {
    const style = styleFor(context.stdout, context.environment)
    say(context, printPlan(style, plan, nextCommand(context, plan)))
  }
  if (plan.refused !== undefined) endWith(context, exitCodes.refused)
}

function nextCommand(context: Context, plan: PlanView): string | undefined {
  if (plan.refused !== undefined) return undefined
  if (plan.action === 'release') {
    return plan.enforcement === undefined
      ? undefined
      : commandLine(context, ['release', plan.enforcement, '--reason', 'WHY'])
  }
  const customer = plan.action === 'block' ? [] : [plan.customer]
  return commandLine(context, [
    plan.action,
    ...customer,
    '--plan',
    plan.id,
    '--digest',
    plan.digest,
  ])
}

async function enforcePlan(context: Context, asked: Asked): Promise<void> {
  const { action, customer, options } = asked
  const { plan: planId, digest } = options
  if (planId === undefined || digest === undefined) {
    throw usageError('--plan and --digest go together: the dry run prints both')
  }
  const strange = Object.entries({
    '--category': options.category,
    '--summary': options.summary,
    '--ticket': options.ticket,
    '--expires': options.expires,
    '--playbook': options.playbook,
    '--dry-run': options.dryRun,
    '--prefix': options.prefix,
    '--port': options.port,
    '--neighbor': options.neighbor,
    '--vrf': options.vrf,
    '--automated': options.automated,
    '--evidence': options.evidence,
    '--override': options.override,
  }).filter(([, value]) => value !== undefined)
  if (strange.length > 0) {
    const names = strange.map(([name]) => name).join(', ')
    throw usageError(
      `${names}: the plan holds the whole decision, so leave this out; or make a new plan`,
    )
  }
  const client = createClient(context)
  const plan = await client.get<PlanView>(`/v1/plans/${encodeURIComponent(planId)}`)
  if (plan.action !== action || (customer !== undefined && plan.customer !== customer)) {
    throw usageError(
      `plan ${planId} is to ${plan.action} ${plan.customer}, not to ${action} ${customer ?? 'anything else'}`,
    )
  }
  const body = { planId, digest }
  const accepted = await client.post<EnforcementView>('/v1/enforcements', {
    body,
    idempotent: true,
  })
  if (options.json !== true) warnOfSecond(context, accepted)
  await settle({ context, client, aim: 'in force' }, accepted, options)
}

// Said before anything is waited for, on standard error: whoever typed it twice must not find out at the release.
function warnOfSecond(context: Context, accepted: EnforcementView): void {
  const first = accepted.warnings.find(({ code }) => code === 'already_in_force')?.enforcements
  if (first === undefined) return
  const { colours } = styleFor(context.stderr, context.environment)
  const { id, action } = accepted
  const isOne = first.length === 1
  const undo = commandLine(context, ['release', id, '--reason', 'asked for twice'])
  const lines = [
    `WARNING: ${action} ${subjectText(accepted)} was in force already, as ${first.join(', ')}.`,
    `  This made a second one, ${id}: the subject stays cut off until ${isOne ? 'both' : 'all'} are released.`,
    `  If it was not meant: ${undo}`,
  ]
  remark(context, colours.yellow(colours.bold(lines.join('\n'))))
}

async function decisionBody(client: Client, asked: Asked): Promise<object> {
  const { action, options } = asked
  const { category, summary, ticket, playbook } = options
  const missing = Object.entries({ '--category': category, '--summary': summary })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name)
  const subject = subjectOf(asked)
  if (missing.length > 0) throw usageError(`${missing.join(' and ')} missing: a decision says why`)
  return {
    action,
    subject,
    reason: {
      category,
      summary,
      ...(ticket === undefined ? {} : { ticket }),
      evidence: options.evidence ?? [],
    },
    ...(playbook === undefined ? {} : { playbook }),
    ...(options.expires === undefined ? {} : { expiresAt: await endOf(client, options.expires) }),
    automated: options.automated === true,
    override: options.override ?? [],
  }
}

/** When something ends. A time span counts from the controller's own time: a clock that goes ahead here must not make it too long. */
export async function endOf(client: Client, expiry: Expiry): Promise<string> {
  if (expiry.kind === 'at') return expiry.time
  return new Date((await client.now()).getTime() + expiry.ms).toISOString()
}

function subjectOf({ action, customer, options }: Asked): object {
  const { prefix, port, neighbor, vrf } = options
  if (vrf !== undefined && neighbor === undefined) throw usageError('--vrf goes with --neighbor')
  const given = [customer, prefix, port, neighbor].filter((one) => one !== undefined)
  if (given.length !== 1) {
    const names = Object.entries({
      'a customer': customer,
      '--prefix': prefix,
      '--port': port,
      '--neighbor': neighbor,
    })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name)
    const found = names.length === 0 ? 'none' : names.join(' and ')
    throw usageError(
      action === 'block'
        ? `what to block? expected exactly one of --prefix, --port and --neighbor, found ${found}`
        : `whom to ${action}? expected the id of one customer, found ${found}`,
    )
  }
  if (customer !== undefined) return { customer }
  if (prefix !== undefined) return { prefix }
  if (port !== undefined) return { port: { device: port.device, interface: port.rest } }
  const { device, rest: address } = neighbor ?? { device: '', rest: '' }
  return { neighbor: { device, address, ...(vrf === undefined ? {} : { vrf }) } }
}
