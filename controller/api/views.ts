// Rows → what clients see of enforcements and plans. Pure: what is not named here reaches nobody.

import type { KeyState } from '../../agent/journal.ts'
import { groupBy } from '../../inventory/group-by.ts'
import type { Id } from '../../inventory/model.ts'
import { type Enforcement, inForce } from '../enforcement.ts'
import type { Plan, PlanLine } from '../plan.ts'
import { isOverdue } from '../progress.ts'
import type { Result, Wanted } from '../store/store.ts'
import {
  decisionView,
  type EnforcementDeviceView,
  type EnforcementReference,
  type EnforcementView,
  type PlanView,
} from './schema.ts'

/** What stands around an enforcement. */
export interface EnforcementFacts {
  readonly results: readonly Result[]
  readonly wanted: readonly Wanted[]
  /** Whether the running configuration of a device holds unsaved changes of ours. */
  readonly isUnsaved: (device: Id) => boolean
  readonly frozen: boolean
  /** Expiries are held because the clock jumped. */
  readonly clockHeld: boolean
  readonly now: Date
}

/** An enforcement with its devices. */
export function enforcementView(
  enforcement: Enforcement,
  facts: EnforcementFacts,
): EnforcementView {
  const devices = deviceViews(facts.wanted, facts.results)
  const held = heldBy(enforcement, facts)
  return {
    id: enforcement.id,
    status: enforcement.status,
    action: enforcement.decision.action,
    customer: enforcement.customer,
    decision: decisionView(enforcement.decision),
    playbook: { name: enforcement.playbook.name, sha256: enforcement.playbook.sha256 },
    digest: enforcement.digest,
    ...(enforcement.plan === undefined ? {} : { planId: enforcement.plan }),
    requestedBy: actorView(enforcement.requestedBy),
    ...optional('requestedByPerson', enforcement.requestedByPerson),
    acceptedAt: enforcement.acceptedAt,
    updatedAt: enforcement.updatedAt,
    ...optional('expiresAt', enforcement.expiresAt),
    approvals: {
      needed: enforcement.approvals.needed,
      given: enforcement.approvals.given.map(({ person, token, at }) => ({ person, token, at })),
    },
    rollout: {
      ...rolloutView(enforcement.rollout),
      ...optional('stoppedBy', enforcement.stoppedBy),
    },
    onFailure: enforcement.onFailure,
    devices,
    overdue: isOverdue(enforcement, facts.now.toISOString()),
    ...optional('held', held),
    unsaved: [...new Set(devices.map(({ device }) => device))].filter(facts.isUnsaved),
    ...optional('releaseRequestedAt', enforcement.releaseRequestedAt),
    ...optional('releaseReason', enforcement.releaseReason),
    ...optional('why', enforcement.why),
    conflicts: enforcement.conflicts.map(({ kind, object }) => ({ kind, object })),
    warnings: enforcement.warnings.map(warningView),
    version: enforcement.version,
  }
}

/** An enforcement in a few words. */
export function enforcementReference(enforcement: Enforcement): EnforcementReference {
  return {
    id: enforcement.id,
    status: enforcement.status,
    action: enforcement.decision.action,
    playbook: enforcement.playbook.name,
    acceptedAt: enforcement.acceptedAt,
    ...optional('expiresAt', enforcement.expiresAt),
  }
}

/** How an enforcement stands on each of its devices, in the order of the roll-out; a device that has work and is watched for the effect too stands there twice, by role. What has not been worked on is `pending`. */
export function deviceViews(
  wanted: readonly Wanted[],
  results: readonly Result[],
): EnforcementDeviceView[] {
  const inOrder = [...wanted].sort((a, b) => a.wave - b.wave)
  const parts = groupBy(inOrder, ({ device, observer }) => partOf(device, roleOf(observer)))
  const byPart = new Map(results.map((result) => [partOf(result.device, result.role), result]))
  const views = [...parts].flatMap(([part, wants]) => {
    const [first] = wants
    if (first === undefined) return []
    const role = roleOf(first.observer)
    return [deviceView({ device: first.device, role, wanted: wants, result: byPart.get(part) })]
  })
  const others = results.filter(({ device, role }) => !parts.has(partOf(device, role)))
  return [
    ...views,
    ...others.map((result) =>
      deviceView({ device: result.device, role: result.role, wanted: [], result }),
    ),
  ]
}

/** A plan. */
export function planView(plan: Plan): PlanView {
  return {
    id: plan.id,
    createdAt: plan.createdAt,
    action: plan.action,
    ...(plan.decision === undefined ? {} : { decision: decisionView(plan.decision) }),
    ...optional('enforcement', plan.enforcement),
    customer: plan.customer,
    playbook: { name: plan.playbook.name, sha256: plan.playbook.sha256 },
    ...optional('expiresAt', plan.expiresAt),
    rollout: rolloutView(plan.rollout),
    approvals: plan.approvals,
    digest: plan.digest,
    guards: plan.guards.map(({ guard, verdict, message, hit, overridable }) => ({
      guard,
      verdict,
      message,
      ...(hit === undefined ? {} : { hit: [...hit] }),
      overridable,
    })),
    ...optional('keptBy', plan.keptBy === undefined ? undefined : [...plan.keptBy]),
    blastRadius: {
      customers: [...plan.blastRadius.customers],
      ipv4Addresses: plan.blastRadius.ipv4Addresses,
      ipv6Slash64: plan.blastRadius.ipv6Slash64,
      prefixes: [...plan.blastRadius.prefixes],
      ports: [...plan.blastRadius.ports],
      neighbors: [...plan.blastRadius.neighbors],
      devices: [...plan.blastRadius.devices],
    },
    devices: plan.devices.map(planDeviceView),
    leftOut: plan.leftOut.map(({ prefix, within, why }) => ({ prefix, within, why })),
    empty: [...plan.empty],
    notCovered: [...plan.notCovered],
    warnings: plan.warnings.map(warningView),
    ...(plan.refused === undefined
      ? {}
      : { refused: { code: plan.refused.code, message: plan.refused.message } }),
  }
}

/** A member that is left out where it has no value: `null` and `undefined` are not in the contract. */
export function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V })
}

/** Code, message and remedy of an error, and nothing else of it. */
export function errorView(error: {
  readonly code: string
  readonly message: string
  readonly remedy: string
}): { code: string; message: string; remedy: string } {
  return { code: error.code, message: error.message, remedy: error.remedy }
}

function roleOf(observer: boolean): Result['role'] {
  return observer ? 'observer' : 'enforcer'
}

function partOf(device: Id, role: Result['role']): string {
  return `${role} ${device}`
}

function deviceView(part: {
  readonly device: Id
  readonly role: Result['role']
  readonly wanted: readonly Wanted[]
  readonly result: Result | undefined
}): EnforcementDeviceView {
  const { device, role, wanted, result } = part
  const intents = intentViews(wanted, result?.states ?? [])
  if (result === undefined) return { device, role, status: 'pending', intents, attempts: 0 }
  return {
    device,
    role,
    status: result.status,
    intents,
    ...(result.error === undefined ? {} : { error: errorView(result.error) }),
    ...optional('verifiedAt', result.verifiedAt),
    attempts: result.attempts,
  }
}

// What is wanted, in its order, then what else the device was read for.
function intentViews(
  wanted: readonly Wanted[],
  states: readonly KeyState[],
): EnforcementDeviceView['intents'] {
  const byKey = new Map<string, EnforcementDeviceView['intents'][number]>()
  for (const { key, intent, unsupported } of wanted) {
    byKey.set(key, {
      key,
      kind: intent.kind,
      outcome: unsupported === undefined ? 'unknown' : 'unsupported',
      note: unsupported ?? 'not tried yet',
    })
  }
  for (const state of states) byKey.set(state.key, stateView(state))
  return [...byKey.values()]
}

function stateView(state: KeyState): EnforcementDeviceView['intents'][number] {
  return {
    key: state.key,
    kind: state.kind,
    outcome: state.outcome,
    seen: state.seen,
    ...optional('note', state.note),
    ...(state.error === undefined ? {} : { error: errorView(state.error) }),
  }
}

function planDeviceView(device: Plan['devices'][number]): PlanView['devices'][number] {
  return {
    device: device.device,
    platform: device.platform,
    role: device.role,
    intents: device.intents.map(({ key, kind, intent, unsupported, note, keptBy, seen }) => ({
      key,
      kind,
      intent: { ...intent },
      ...optional('unsupported', unsupported),
      ...optional('note', note),
      ...optional('keptBy', keptBy === undefined ? undefined : [...keptBy]),
      ...optional('seen', seen),
    })),
    apply: device.apply.map(planLineView),
    undo: device.undo.map(planLineView),
    ...optional('save', device.save?.map(planLineView)),
    transaction: device.transaction,
    notes: [...device.notes],
    ...(device.error === undefined ? {} : { error: errorView(device.error) }),
    ...optional('diff', device.diff),
    ...optional('check', device.check),
  }
}

function planLineView({ line, needs }: PlanLine): { line: string; needs?: 'device' } {
  return { line, ...optional('needs', needs) }
}

function rolloutView({ canary, batch, stopAfterFailures }: Enforcement['rollout']) {
  return { canary, batch, stopAfterFailures }
}

function warningView({ code, message, enforcements }: Enforcement['warnings'][number]) {
  return {
    code,
    message,
    ...(enforcements === undefined ? {} : { enforcements: [...enforcements] }),
  }
}

// The address that the request came from is for the log's readers only.
function actorView({ kind, id, roles, name }: Enforcement['requestedBy']) {
  return {
    kind,
    id,
    ...(roles === undefined ? {} : { roles: [...roles] }),
    ...optional('name', name),
  }
}

function heldBy(enforcement: Enforcement, facts: EnforcementFacts): 'freeze' | 'clock' | undefined {
  const { status, expiresAt } = enforcement
  const due = expiresAt !== undefined && Date.parse(expiresAt) <= facts.now.getTime()
  const lasts = inForce.includes(status)
  const working = ['enforcing', 'degraded', 'releasing'].includes(status)
  if (facts.frozen && (working || (due && lasts))) return 'freeze'
  return facts.clockHeld && due && lasts ? 'clock' : undefined
}
