// A plan in plain words: who is hit, what each guard says, and per device the lines that would be sent and those that take them back. Pure.

import type { PlanView } from '../api/schema.ts'
import { count, duration, fields, indent, type Style, some, time } from './print.ts'

type Device = PlanView['devices'][number]
type Line = Device['apply'][number]

/** How many prefixes, ports and neighbors are named before the rest is only counted. */
const namedMax = 24

/** A plan as a person reads it before deciding. `enforce`: the command that enforces exactly this plan. */
export function printPlan(style: Style, plan: PlanView, enforce: string | undefined): string {
  const parts = [
    heading(style, plan),
    guards(style, plan),
    blastRadius(style, plan),
    remarks(style, plan),
    ...devices(style, plan),
    ending(style, plan, enforce),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function heading(style: Style, plan: PlanView): string {
  const { decision } = plan
  const release = plan.action === 'release'
  const title = `Plan: ${plan.action} ${subjectText(plan)}`
  const rows: [string, string | undefined][] = [
    ['reason', decision === undefined || release ? undefined : reasonText(decision.reason)],
    ['of', release ? plan.enforcement : undefined],
    ['playbook', plan.playbook.name],
    ['ends', release ? undefined : (endText(plan) ?? 'not by itself')],
    ['approvals', approvalsText(plan)],
    ['roll-out', release ? undefined : rolloutText(plan)],
    ['plan', plan.id],
    ['digest', plan.digest],
  ]
  return `${style.colours.bold(title)}\n${indent(fields(style, rows))}`
}

/** What a decision is about, in a few words. */
export function subjectText(plan: Pick<PlanView, 'decision' | 'customer'>): string {
  const { decision, customer } = plan
  if (decision === undefined || 'customer' in decision.subject) return customer
  const { subject } = decision
  if ('prefix' in subject) return `${bare(subject.prefix)} of ${customer}`
  if ('port' in subject)
    return `port ${subject.port.device}:${subject.port.interface} of ${customer}`
  return `neighbor ${subject.neighbor.device}:${subject.neighbor.address} of ${customer}`
}

/** Category, summary and ticket. */
export function reasonText(reason: {
  readonly category: string
  readonly summary: string
  readonly ticket?: string | undefined
}): string {
  const ticket = reason.ticket === undefined ? '' : ` (${reason.ticket})`
  return `${reason.category}: ${reason.summary}${ticket}`
}

function endText(plan: PlanView): string | undefined {
  if (plan.expiresAt === undefined) return undefined
  const after = Date.parse(plan.expiresAt) - Date.parse(plan.createdAt)
  return `${time(plan.expiresAt)}, ${duration(after)} from now, by itself`
}

function approvalsText(plan: PlanView): string | undefined {
  if (plan.action === 'release' || plan.approvals === 0) return undefined
  return `${count(plan.approvals, 'approval')} by another person before anything is done`
}

function rolloutText({ rollout }: PlanView): string {
  return `${count(rollout.canary, 'device')} first, then ${rollout.batch} at a time; stops after ${count(rollout.stopAfterFailures, 'failure')}`
}

function guards(style: Style, plan: PlanView): string {
  const { colours } = style
  const of = (verdict: string) => plan.guards.filter((guard) => guard.verdict === verdict)
  const refused = of('refuse').map(
    ({ guard, message }) => `${colours.red('refused')} ${colours.bold(guard)}: ${message}`,
  )
  const overridden = of('overridden').map(
    ({ guard, message }) => `${colours.yellow('overridden')} ${colours.bold(guard)}: ${message}`,
  )
  const passed = of('pass').map(({ guard }) => guard)
  const all = passed.length === plan.guards.length
  const rest =
    passed.length === 0 ? [] : [`${colours.green(all ? 'all pass' : 'pass')}: ${passed.join(', ')}`]
  // A release is never refused by a guard: nothing to show.
  if (plan.guards.length === 0) return ''
  return section(style, 'Guards', [...refused, ...overridden, ...rest])
}

function blastRadius(style: Style, plan: PlanView): string {
  const { blastRadius: hit, action } = plan
  const counts = [
    `${count(hit.customers.length, 'customer')}${hit.customers.length === 0 ? '' : ` (${some(hit.customers)})`}`,
    count(hit.ipv4Addresses, 'IPv4 address', 'IPv4 addresses'),
    count(hit.ipv6Slash64, 'IPv6 /64'),
    count(hit.ports.length, 'port'),
    count(hit.neighbors.length, 'neighbor'),
    count(hit.devices.length, 'device'),
  ]
  const named: [string, string | undefined][] = [
    ['prefixes', listed(hit.prefixes)],
    ['ports', listed(hit.ports)],
    ['neighbors', listed(hit.neighbors)],
    ['devices', listed(hit.devices)],
  ]
  if (action !== 'release')
    return section(style, 'Blast radius', [counts.join(', '), fields(style, named)])
  const { keptBy = [] } = plan
  const kept = keptBy.length === 0 ? undefined : `stays cut off by ${some(keptBy)}`
  if (hit.customers.length === 0) {
    const why = kept === undefined ? 'it cut nothing off' : `all of it ${kept}`
    return section(style, 'What comes back', [`nothing: ${why}`])
  }
  const part = kept === undefined ? '' : `not everything: a part ${kept}`
  return section(style, 'What comes back', [counts.join(', '), fields(style, named), part])
}

function listed(items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : some(items, namedMax)
}

function remarks(style: Style, plan: PlanView): string {
  const { colours } = style
  const leftOut = plan.leftOut.map(
    ({ prefix, within, why }) => `left out: ${bare(prefix)} (${why}), inside ${bare(within)}`,
  )
  const notCovered = plan.notCovered.map((what) => `not covered by any measure: ${what}`)
  const empty =
    plan.empty.length === 0
      ? []
      : [`nothing to do for: ${plan.empty.join(', ')} (nothing of the kind is in the decision)`]
  // What a platform can't do stands with its device, once and not per object.
  const warnings = plan.warnings
    .filter(({ code }) => code !== 'unsupported')
    .map(({ code, message }) => `${colours.yellow('warning')} ${code}: ${message}`)
  const all = [...warnings, ...leftOut, ...notCovered, ...empty]
  return all.length === 0 ? '' : section(style, 'Mind', all)
}

/** Host prefixes are shown as addresses. */
function bare(prefix: string): string {
  return prefix.replace(/(?<=^[^:]*)\/32$|(?<=:.*)\/128$/, '')
}

function devices(style: Style, plan: PlanView): readonly string[] {
  const enforcers = plan.devices.filter(({ role }) => role === 'enforcer')
  const changed = enforcers.filter((device) => isSent(device))
  const quiet = enforcers.filter((device) => !isSent(device))
  const observers = plan.devices.filter(({ role }) => role === 'observer')
  const parts: string[] = []
  if (changed.length > 0) {
    const title = `Sent to ${count(changed.length, 'device')}`
    parts.push(
      section(style, title, [changed.map((one) => deviceText(style, one, plan)).join('\n\n')]),
    )
  }
  if (quiet.length > 0) {
    const title = `Nothing is sent to ${count(quiet.length, 'device')}`
    parts.push(
      section(
        style,
        title,
        quiet.map((one) => deviceText(style, one, plan)),
      ),
    )
  }
  if (observers.length > 0) {
    const title = `Only read: ${count(observers.length, 'device')}`
    parts.push(
      section(
        style,
        title,
        observers.map((one) => observerText(style, one, plan)),
      ),
    )
  }
  return parts
}

function deviceText(style: Style, device: Device, plan: PlanView): string {
  const { colours } = style
  const sent = isSent(device)
  const how = sent ? `, ${device.transaction}` : ''
  const lines = [`${colours.bold(device.device)}  ${device.platform}${how}`]
  if (device.error !== undefined) lines.push(...errorLines(style, device.error))
  const release = plan.action === 'release'
  lines.push(...linesUnder(style, release ? 'lifts it' : 'would be sent', device.apply))
  lines.push(...linesUnder(style, 'then saved with', device.save ?? []))
  lines.push(...linesUnder(style, release ? 'would put it back' : 'takes them back', device.undo))
  lines.push(...differenceLines(style, device))
  lines.push(...intentRemarks(device, plan).map((text) => `  ${text}`))
  if (sent) lines.push(...device.notes.map((note) => `  ${colours.dim(`note: ${note}`)}`))
  return lines.join('\n')
}

/** Whether anything goes to a device: where an attribute changes that its platform has no place for, that is the save alone. */
function isSent({ apply, save = [] }: Device): boolean {
  return apply.length + save.length > 0
}

function linesUnder(style: Style, title: string, lines: readonly Line[]): readonly string[] {
  // A here-document is one line of a plan, and several on the screen.
  return lines.length === 0
    ? []
    : [`  ${title}`, ...lines.map((line) => indent(lineText(style, line), 4))]
}

function lineText(style: Style, { line, needs }: Line): string {
  return needs === undefined
    ? line
    : `${line}   ${style.colours.yellow('<- filled in from the device; --online shows it')}`
}

function errorLines(
  style: Style,
  error: { readonly code: string; readonly message: string; readonly remedy: string },
): readonly string[] {
  return [`  ${style.colours.red(`could not be read: ${error.message}`)}`, `  do: ${error.remedy}`]
}

// The device's own words: what its candidate differs in, and what its check says.
function differenceLines(style: Style, { diff, check }: Device): readonly string[] {
  const shown = (title: string, text: string | undefined) =>
    text === undefined || text.trim() === '' ? [] : [`  ${title}`, indent(text.trimEnd(), 4)]
  return [
    ...shown('the device’s own difference', diff).map((line) => style.colours.dim(line)),
    ...shown('the device’s own check', check).map((line) => style.colours.dim(line)),
  ]
}

// One sentence for all objects that share it.
function intentRemarks({ intents, role }: Device, { action }: PlanView): readonly string[] {
  const remarks = new Map<string, string[]>()
  const add = (text: string, key: string): void => {
    remarks.set(text, [...(remarks.get(text) ?? []), key])
  }
  for (const { key, unsupported, note, seen } of intents) {
    if (unsupported !== undefined) add(`not done: ${unsupported}`, key)
    else if (note !== undefined) add(note, key)
    const text =
      role === 'observer' || unsupported !== undefined ? undefined : seenText(seen, action)
    if (text !== undefined) add(text, key)
  }
  return [...remarks].map(([text, keys]) => `${some(keys, 3)}: ${text}`)
}

function seenText(
  seen: Device['intents'][number]['seen'],
  action: PlanView['action'],
): string | undefined {
  if (seen === 'foreign') return 'someone else’s, and stays so'
  if (action === 'release') return seen === 'absent' ? 'gone already' : undefined
  return seen === 'present' ? 'there already' : undefined
}

function observerText(style: Style, device: Device, plan: PlanView): string {
  const awaited = device.intents.filter(({ keptBy = [] }) => keptBy.length === 0)
  const prefixes = awaited.map(({ intent, key }) => ('prefix' in intent ? intent.prefix : key))
  const what = plan.action === 'release' ? 'no longer discards' : 'discards'
  const until = prefixes.length === 0 ? 'nothing to wait for' : `until it ${what} ${some(prefixes)}`
  const head = `${style.colours.bold(device.device)}  ${device.platform}, ${until}`
  const problem = device.error === undefined ? [] : errorLines(style, device.error)
  return [head, ...problem, ...intentRemarks(device, plan).map((text) => `  ${text}`)].join('\n')
}

function ending(style: Style, plan: PlanView, enforce: string | undefined): string {
  const { colours } = style
  if (plan.refused !== undefined) {
    // A guard's own words stand above.
    const byGuard = plan.guards.some(({ verdict }) => verdict === 'refuse')
    const why = byGuard ? '' : ` ${plan.refused.message}`
    return `${colours.red('Refused')}: nothing was touched, and nothing would be.${why}`
  }
  if (enforce === undefined) return 'Nothing was touched.'
  const how = plan.action === 'release' ? 'To release it' : 'To enforce exactly this plan'
  return `Nothing was touched. ${how}:\n  ${colours.cyan(enforce)}`
}

function section(style: Style, title: string, lines: readonly string[]): string {
  const shown = lines.filter((line) => line !== '')
  return [style.colours.bold(title), ...shown.map((line) => indent(line))].join('\n')
}
