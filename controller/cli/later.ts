// What is done to an enforcement after it was asked for: approve, reject, extend, retry.

import { type Command, Option } from 'commander'
import type { EnforcementView, PlanView } from '../api/schema.ts'
import { createClient } from './client.ts'
import { type Context, commandLine, endWith, exitCodes, remark, say, sayJson } from './context.ts'
import { endOf } from './decide.ts'
import {
  collect,
  type Expiry,
  examples,
  parseExpiry,
  type WaitOptions,
  waiting,
} from './options.ts'
import { moment, styleFor } from './print.ts'
import { printEnforcement, statusLine } from './print-enforcement.ts'
import { printPlan } from './print-plan.ts'
import { settle } from './wait.ts'

/** Adds `approve`, `reject`, `extend` and `retry`. */
export function register(program: Command, context: Context): void {
  registerApprovals(program, context)
  registerExtend(program, context)
  registerRetry(program, context)
}

interface ApproveOptions extends WaitOptions {
  readonly digest?: string
  readonly reason?: string
}

function registerApprovals(program: Command, context: Context): void {
  const approve = program
    .command('approve')
    .description('approve what another person asked for; without --digest, show what it is')
    .argument('<id>', 'id of the enforcement')
    .option('--digest <sha256>', 'digest of what was reviewed')
    .option('--reason <text>', 'a remark for the audit log')
  waiting(approve).action(async (id: string, options: ApproveOptions) => {
    await approveOne(context, id, options)
  })
  examples(approve, [
    [
      'nullroute approve 01M8EB7EBEH238N6GHHQVXD11Z',
      'shows what waits for approval, and the command that approves it',
    ],
    [
      'nullroute approve 01M8EB7EBEH238N6GHHQVXD11Z --digest d13a…3690',
      'approves exactly that; it is done at once',
    ],
  ])
  const reject = program
    .command('reject')
    .description('reject what waits for approval')
    .argument('<id>', 'id of the enforcement')
    .requiredOption('--reason <text>', 'why not')
    .action(async (id: string, options: { reason: string; json?: boolean }) => {
      const view = await createClient(context).post<EnforcementView>(`${pathOf(id)}/reject`, {
        body: { reason: options.reason },
      })
      show(context, view, options.json)
    })
  examples(reject, [
    ['nullroute reject 01M8EB7EBEH238N6GHHQVXD11Z --reason "wrong customer"', 'nothing is done'],
  ])
}

async function approveOne(context: Context, id: string, options: ApproveOptions): Promise<void> {
  const client = createClient(context)
  const { digest, reason } = options
  if (digest === undefined) {
    const view = await client.get<EnforcementView>(pathOf(id))
    const { planId } = view
    const plan =
      planId === undefined ? undefined : await client.get<PlanView>(`/v1/plans/${planId}`)
    if (options.json === true) sayJson(context, { enforcement: view, plan })
    else showWhatWaits(context, view, plan)
    endWith(context, view.status === 'awaiting_approval' ? exitCodes.usage : exitCodes.refused)
    return
  }
  const view = await client.post<EnforcementView>(`${pathOf(id)}/approve`, {
    body: { digest, ...(reason === undefined ? {} : { reason }) },
  })
  await settle({ context, client, aim: 'in force' }, view, options)
}

function showWhatWaits(context: Context, view: EnforcementView, plan: PlanView | undefined): void {
  const style = styleFor(context.stdout, context.environment)
  say(context, printEnforcement(style, view, new Date()))
  if (view.status !== 'awaiting_approval') {
    remark(context, `\nNothing was approved: it is ${view.status}, and waits for no approval.`)
    return
  }
  const next = commandLine(context, ['approve', view.id, '--digest', view.digest])
  if (plan !== undefined) say(context, `\n${printPlan(style, plan, next)}`)
  remark(context, `\nNothing was approved. To approve exactly this:\n  ${next}`)
}

function registerExtend(program: Command, context: Context): void {
  const extend = program
    .command('extend')
    .description('give an enforcement a new end')
    .argument('<id>', 'id of the enforcement')
    .addOption(
      new Option('--expires <when>', 'the new end: 14d from now, or a time')
        .argParser(parseExpiry)
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why it lasts longer, or shorter')
    .action(async (id: string, options: { expires: Expiry; reason: string; json?: boolean }) => {
      const client = createClient(context)
      const expiresAt = await endOf(client, options.expires)
      const view = await client.post<EnforcementView>(`${pathOf(id)}/extend`, {
        body: { expiresAt, reason: options.reason },
      })
      show(context, view, options.json)
      if (options.json !== true) say(context, `ends ${moment(view.expiresAt, new Date())}`)
    })
  examples(extend, [
    [
      'nullroute extend 01M8EB7EBEH238N6GHHQVXD11Z --expires 7d --reason "not cleaned up yet"',
      'ends in a week, counted from now',
    ],
  ])
}

interface RetryOptions extends WaitOptions {
  readonly device?: readonly string[]
}

function registerRetry(program: Command, context: Context): void {
  const retry = program
    .command('retry')
    .description(
      'try devices again that failed, or go on with a roll-out that stopped; waits until each has answered',
    )
    .argument('<id>', 'id of the enforcement')
    .option('--device <id>', 'only this device; may be repeated', collect)
  waiting(retry).action(async (id: string, options: RetryOptions) => {
    const { device: devices } = options
    const client = createClient(context)
    const body = devices === undefined ? {} : { body: { devices } }
    const view = await client.post<EnforcementView>(`${pathOf(id)}/retry`, body)
    const aim = view.status === 'releasing' ? 'lifted' : 'in force'
    await settle({ context, client, aim, until: answered(view, devices) }, view, options)
  })
  examples(retry, [
    ['nullroute retry 01M8EB7EBEH238N6GHHQVXD11Z', 'every device that is not as asked'],
    ['nullroute retry 01M8EB7EBEH238N6GHHQVXD11Z --device edge1.ams', 'only this one'],
    ['nullroute retry 01M8EB7EBEH238N6GHHQVXD11Z --no-wait', 'asks for it, and does not wait'],
  ])
}

/** Whether each device that was tried again has answered, or nothing goes on by itself. Pure. */
export function answered(
  asked: EnforcementView,
  devices: readonly string[] | undefined,
): (view: EnforcementView) => boolean {
  const again = asked.devices
    .filter(({ device, status }) => isOpen(status) && (devices?.includes(device) ?? true))
    .map(placeOf)
  return (view) => {
    // Nobody named a device: the whole roll-out goes on, until it is through or has stopped again.
    const stopped = devices === undefined && view.rollout.stoppedBy !== undefined
    const open = view.devices.filter(({ status }) => isOpen(status)).map(placeOf)
    return view.held !== undefined || stopped || !again.some((place) => open.includes(place))
  }
}

type DeviceView = EnforcementView['devices'][number]

function isOpen(status: DeviceView['status']): boolean {
  return status === 'pending' || status === 'converging'
}

function placeOf({ device, role }: DeviceView): string {
  return `${role} ${device}`
}

function pathOf(id: string): string {
  return `/v1/enforcements/${encodeURIComponent(id)}`
}

function show(context: Context, view: EnforcementView, json: boolean | undefined): void {
  if (json === true) sayJson(context, view)
  else say(context, statusLine(styleFor(context.stdout, context.environment), view))
}
