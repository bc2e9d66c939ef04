// A compiled decision → its plan: lines per device, blast radius, warnings, digest. Pure: the same decision on the same inventory is the same plan.

import type { Claim } from '../agent/diff.ts'
import { elementsIn } from '../agent/elements.ts'
import { type Intent, type Key, keyOf } from '../agent/intents.ts'
import type { Platform } from '../agent/platform.ts'
import type { Device, Id, Inventory } from '../inventory/model.ts'
import type { Compiled, CompiledIntent, Decision, Playbook } from '../playbooks/model.ts'
import { measure } from './blast-radius.ts'
import { digestOf, sameSubject } from './digest.ts'
import { type Enforcement, inForce } from './enforcement.ts'
import type { ControllerErrorCode } from './errors.ts'
import { overrideGuard, refusalIn } from './guards.ts'
import { endProblem } from './life-cycle.ts'
import type { BlastRadius, Plan, PlanDevice, PlanIntent, Verdict } from './plan.ts'
import { applying, likeness, planOffline } from './plan-lines.ts'

/** What a plan is made of. */
export interface PlanInput {
  readonly id: string
  /** RFC 3339 UTC with milliseconds. */
  readonly now: string
  readonly decision: Decision
  readonly compiled: Compiled
  readonly playbook: Playbook
  readonly inventory: Inventory
  readonly platforms: ReadonlyMap<string, Platform>
  /** Of `judge`. */
  readonly verdicts: readonly Verdict[]
  /** Of the customer: accepted and not ended, for what the person should know before asking twice. */
  readonly live: readonly Enforcement[]
  /** What stands on a device already: a save of ours alone writes it anew. */
  readonly claims: (device: Id) => readonly Claim[]
  /** The end that a reviewed plan shows, where exactly that is to be enforced. */
  readonly expiresAt?: string
}

/** Why there is no plan at all. What a guard refuses is a plan, with `refused`. */
export interface PlanRefusal {
  readonly kind: 'refused'
  readonly code: ControllerErrorCode
  readonly message: string
}

/** Plans a decision. Refused: an end that the playbook doesn't allow (`too_long`), what a platform can't express unless the measure is optional (`unsupported_intent`), nothing left to do (`nothing_to_enforce`). */
export function makePlan(input: PlanInput): Plan | PlanRefusal {
  const end = endOf(input)
  if (end.kind === 'refused') return end
  const places = placesOf(input)
  const impossible = places.flatMap(({ problems }) => problems)
  if (impossible.length > 0) {
    return refusal(
      'unsupported_intent',
      `${impossible.join('; ')}. Mark the measure \`optional: true\` in the playbook, or take the device out of it`,
    )
  }
  const devices = places.map(({ device }) => device)
  const doable = new Set(
    devices.flatMap(({ role, intents }) => (role === 'observer' ? [] : intents.filter(isDoable))),
  )
  const { decision, compiled, playbook } = input
  const refused = refusedBy(input.verdicts)
  // A prefix that is carved away whole leaves nothing to do either, but the guard's reason is the one that helps.
  if (doable.size === 0 && refused === undefined) {
    return refusal(
      'nothing_to_enforce',
      `nothing that these devices can do is left of it: ${compiled.notCovered.join(', ') || 'the customer has no objects that a measure covers'}`,
    )
  }
  return {
    id: input.id,
    createdAt: input.now,
    action: decision.action,
    decision,
    customer: compiled.customer,
    playbook: { name: playbook.name, sha256: playbook.sha256 },
    ...(end.at === undefined ? {} : { expiresAt: end.at }),
    rollout: playbook.rollout,
    approvals: playbook.approvals,
    digest: digestOf({
      decision,
      customer: compiled.customer,
      playbook,
      devices: digested(devices),
    }),
    guards: input.verdicts,
    blastRadius: blastRadiusOf(compiled),
    devices,
    leftOut: compiled.leftOut,
    empty: compiled.empty,
    notCovered: compiled.notCovered,
    warnings: warningsOf(input, devices),
    ...(refused === undefined ? {} : { refused }),
  }
}

/** How much a compiled decision touches, counted as the guards count. */
export function blastRadiusOf(compiled: Compiled): BlastRadius {
  const size = measure(compiled.prefixes)
  return {
    customers: [compiled.customer],
    ipv4Addresses: String(size.ipv4Addresses),
    ipv6Slash64: String(size.ipv6Slash64),
    prefixes: size.prefixes,
    ports: compiled.ports.map(({ device, port }) => `${device}:${port}`),
    neighbors: compiled.neighbors.map(({ device, peer }) => `${device}:${peer}`),
    devices: [
      ...new Set(compiled.intents.filter((i) => !i.observer).map(({ device }) => device)),
    ].toSorted(),
  }
}

// When the decision ends: as asked, or as long as its playbook allows; a termination never does.
function endOf(
  input: Pick<PlanInput, 'decision' | 'playbook' | 'now' | 'expiresAt'>,
): { readonly kind: 'end'; readonly at: string | undefined } | PlanRefusal {
  const { decision, playbook, now } = input
  const asked = input.expiresAt ?? decision.expiresAt
  if (decision.action === 'terminate' && asked !== undefined) {
    return refusal('too_long', 'a termination has no end: leave expiresAt out, or suspend instead')
  }
  const max = decision.action === 'terminate' ? undefined : playbook.maxDurationMs
  if (asked === undefined) {
    const at = max === undefined ? undefined : new Date(Date.parse(now) + max).toISOString()
    return { kind: 'end', at }
  }
  const problem = endProblem(asked, max, now)
  return problem ?? { kind: 'end', at: asked }
}

interface Place {
  readonly device: PlanDevice
  /** What the platform can't do though the playbook demands it. */
  readonly problems: readonly string[]
}

function placesOf(input: PlanInput): readonly Place[] {
  const groups = new Map<string, CompiledIntent[]>()
  for (const intent of input.compiled.intents) {
    const place = `${intent.device} ${intent.observer ? 'observer' : 'enforcer'}`
    const group = groups.get(place) ?? []
    group.push(intent)
    groups.set(place, group)
  }
  const made = new Map<string, Enforced>()
  return [...groups.values()].map((intents) => placeOf(input, intents, made))
}

function placeOf(
  input: PlanInput,
  intents: readonly CompiledIntent[],
  made: Map<string, Enforced>,
): Place {
  const id: Id = intents[0]?.device ?? ''
  const device = input.inventory.devices.get(id)
  const platform = device === undefined ? undefined : input.platforms.get(device.platform)
  if (device === undefined || platform === undefined) return unknownPlace(id, device, intents)
  const base = { device: id, platform: platform.name }
  if (intents[0]?.observer === true) {
    const plain = intents.map(({ intent }) => asPlanIntent(intent))
    const notes = ['gets no line: it is read until it shows the effect']
    const still = { apply: [], undo: [], transaction: 'read only', notes }
    return { device: { ...base, role: 'observer', intents: plain, ...still }, problems: [] }
  }
  return enforcerPlace(input, { device, platform, intents }, made)
}

interface EnforcerPlace {
  readonly device: Device
  readonly platform: Platform
  readonly intents: readonly CompiledIntent[]
}

/** What is made of the intents of a device; its name is not in it. */
interface Enforced {
  readonly shown: Pick<PlanDevice, 'intents'> & ReturnType<typeof planOffline>['shown']
  /** Why the platform can't do it, by key. */
  readonly unsupported: ReadonlyMap<Key, string>
}

// One edge is often like the next in all but its name: what is the same for hundreds is made once for a plan.
function enforcerPlace(
  input: PlanInput,
  { device, platform, intents }: EnforcerPlace,
  made: Map<string, Enforced>,
): Place {
  const wanted = intents.map(({ intent }) => intent)
  // A save of everything says the same whatever stands there, and that may be thousands.
  const claims = platform.save?.scope === 'ours' ? input.claims(device.id) : []
  const like =
    claims.length === 0
      ? `${likeness(device, input.inventory)} ${JSON.stringify(wanted)}`
      : undefined
  const known = like === undefined ? undefined : made.get(like)
  const enforced = known ?? enforcedOn(input, { device, platform, claims }, wanted)
  if (like !== undefined) made.set(like, enforced)
  return {
    device: { device: device.id, platform: platform.name, role: 'enforcer', ...enforced.shown },
    problems: intents
      .filter(({ optional }) => !optional)
      .flatMap(({ intent }) => {
        const reason = enforced.unsupported.get(keyOf(intent))
        const what = `${keyOf(intent)} on ${device.id} (${platform.name})`
        return reason === undefined ? [] : [`${what}: ${reason}`]
      }),
  }
}

function enforcedOn(
  { inventory }: PlanInput,
  on: Pick<EnforcerPlace, 'device' | 'platform'> & { readonly claims: readonly Claim[] },
  wanted: readonly Intent[],
): Enforced {
  // A filter holds maximal prefixes: a part of another entry gets no line of its own.
  const elementOf = elementsIn(wanted)
  const elements = wanted.filter((intent) => elementOf(intent) === intent)
  const { lines, shown } = planOffline(on.platform, elements.map(applying), { ...on, inventory })
  const unsupported = new Map<Key, string>()
  const intents = wanted.map((intent) => {
    const key = keyOf(elementOf(intent))
    const reason = lines.unsupported.get(key)
    if (reason !== undefined) unsupported.set(keyOf(intent), reason)
    const covered = key === keyOf(intent) ? undefined : `covered by ${key}`
    const note = lines.refused.get(key)?.message ?? lines.notes.get(key) ?? covered
    return {
      ...asPlanIntent(intent),
      ...(reason === undefined ? {} : { unsupported: reason }),
      ...(note === undefined ? {} : { note }),
    }
  })
  return { shown: { intents, ...shown }, unsupported }
}

function unknownPlace(
  id: Id,
  device: Device | undefined,
  intents: readonly CompiledIntent[],
): Place {
  const why =
    device === undefined ? 'it is in no inventory' : `nothing speaks platform ${device.platform}`
  return {
    device: {
      device: id,
      platform: device?.platform ?? 'unknown',
      role: intents[0]?.observer === true ? 'observer' : 'enforcer',
      intents: intents.map(({ intent }) => ({ ...asPlanIntent(intent), unsupported: why })),
      apply: [],
      undo: [],
      transaction: 'none',
      notes: [],
    },
    problems: [`${id}: ${why}`],
  }
}

function asPlanIntent(intent: PlanIntent['intent']): PlanIntent {
  return { key: keyOf(intent), kind: intent.kind, intent }
}

function isDoable(intent: PlanIntent): boolean {
  return intent.unsupported === undefined
}

function digested(devices: readonly PlanDevice[]) {
  return devices.map(({ device, platform, role, intents }) => ({
    device,
    platform,
    intents: intents.map(({ intent }) => ({ intent, observer: role === 'observer' })),
  }))
}

function refusedBy(verdicts: readonly Verdict[]): Plan['refused'] {
  const verdict = refusalIn(verdicts)
  if (verdict === undefined) return undefined
  const code = verdict.guard === overrideGuard ? 'override_not_allowed' : 'guard_refused'
  return { code, message: `${verdict.guard}: ${verdict.message}` }
}

function warningsOf(input: PlanInput, devices: readonly PlanDevice[]): Plan['warnings'] {
  const { decision, compiled, live } = input
  const standing = live.filter(({ status }) => inForce.includes(status))
  const same = standing.filter((one) => sameSubject(one.decision.subject, decision.subject))
  const final = standing.filter(
    (one) => one.customer === compiled.customer && one.decision.action === 'terminate',
  )
  const warnings: Plan['warnings'][number][] = []
  if (same.length > 0) {
    const enforcements = same.map(({ id }) => id)
    const message = `in force on the same subject already: ${enforcements.join(', ')}; each must be released by itself`
    warnings.push({ code: 'already_in_force', message, enforcements })
  }
  if (final.length > 0) {
    const message = `${compiled.customer} is terminated: nothing should be left to cut`
    warnings.push({
      code: 'customer_terminated',
      message,
      enforcements: final.map(({ id }) => id),
    })
  }
  if (compiled.outboundNotStopped || !stopsOutbound(devices)) {
    const message = `nothing stops traffic from ${compiled.customer}: no port is shut and no filter drops what comes in; blackhole routes and shut BGP sessions stop only what goes there`
    warnings.push({ code: 'outbound_not_stopped', message })
  }
  for (const { device, intents } of devices) {
    const gaps = intents.filter((intent) => !isDoable(intent))
    if (gaps.length === 0) continue
    const list = gaps.map(({ key, unsupported }) => `${key} (${unsupported})`).join(', ')
    warnings.push({ code: 'unsupported', message: `${device} can't do ${list}` })
  }
  return warnings
}

// As the compiler judges it, but after what the platforms can't do is taken off.
function stopsOutbound(devices: readonly PlanDevice[]): boolean {
  return devices
    .filter(({ role }) => role === 'enforcer')
    .flatMap(({ intents }) => intents.filter(isDoable))
    .some(
      ({ intent }) =>
        intent.kind === 'port' || (intent.kind === 'acl' && intent.direction === 'in'),
    )
}

function refusal(code: ControllerErrorCode, message: string): PlanRefusal {
  return { kind: 'refused', code, message }
}
