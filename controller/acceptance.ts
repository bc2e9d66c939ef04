// A plan that was accepted → its enforcement, what it wants of each device, its first results and records. Pure: all of it goes into one transaction.

import { keyOf } from '../agent/intents.ts'
import type { Id } from '../inventory/model.ts'
import type { Compiled, Decision, Playbook } from '../playbooks/model.ts'
import type { Json, NewRecord } from './audit/record.ts'
import { subjectJson, wantedDigest } from './digest.ts'
import type { Enforcement } from './enforcement.ts'
import type { By } from './life-cycle.ts'
import type { Plan } from './plan.ts'
import { wavesOf } from './rollout.ts'
import type { Result, Wanted } from './store/store.ts'
import { countsOf } from './usage.ts'

/** What is accepted. */
export interface AcceptInput {
  readonly id: string
  /** RFC 3339 UTC with milliseconds. */
  readonly now: string
  readonly by: By
  readonly decision: Decision
  readonly compiled: Compiled
  readonly playbook: Playbook
  /** Its lines are not kept here: only what they come to. */
  readonly plan: Plan
  /** Of the plan as it is stored: its record is bound to it. */
  readonly planSha256: string
  /** Devices that can be reached as far as is known: the canaries are taken from them. */
  readonly reachable: ReadonlySet<Id>
}

/** What an acceptance writes. */
export interface Accepted {
  readonly enforcement: Enforcement
  readonly wanted: readonly Wanted[]
  readonly results: readonly Result[]
  readonly records: readonly NewRecord[]
}

/** Accepts a plan: `awaiting_approval` where the playbook asks for approvals, else `enforcing`. The caller has seen to it that no guard refuses. */
export function accept(input: AcceptInput): Accepted {
  const { by, compiled, decision, id, now, plan, playbook } = input
  const enforcement: Enforcement = {
    id,
    version: 1,
    status: playbook.approvals > 0 ? 'awaiting_approval' : 'enforcing',
    decision,
    customer: compiled.customer,
    playbook: plan.playbook,
    digest: plan.digest,
    plan: plan.id,
    requestedBy: by.actor,
    requestedByPerson: by.person,
    acceptedAt: now,
    updatedAt: now,
    ...(plan.expiresAt === undefined ? {} : { expiresAt: plan.expiresAt }),
    ...(playbook.maxDurationMs === undefined ? {} : { maxDurationMs: playbook.maxDurationMs }),
    approvals: { needed: playbook.approvals, given: [] },
    rollout: playbook.rollout,
    openWave: 0,
    onFailure: playbook.onFailure,
    conflicts: [],
    warnings: plan.warnings,
    counts: countsOf(compiled),
  }
  const wanted = wantedOf(input)
  return {
    enforcement,
    wanted,
    results: firstResults(id, wanted),
    records: recordsOf(input, { enforcement, wanted }),
  }
}

function wantedOf({ id, compiled, plan, playbook, reachable }: AcceptInput): readonly Wanted[] {
  const waveOf = wavesOf(compiled.intents, playbook.rollout, reachable)
  const gaps = new Map(
    plan.devices
      .filter(({ role }) => role === 'enforcer')
      .flatMap(({ device, intents }) =>
        intents.map(({ key, unsupported }) => [`${device} ${key}`, unsupported] as const),
      ),
  )
  return compiled.intents.map((compiledIntent) => {
    const { device, intent, observer, optional } = compiledIntent
    const key = keyOf(intent)
    const unsupported = observer ? undefined : gaps.get(`${device} ${key}`)
    return {
      enforcement: id,
      device,
      key,
      intent,
      observer,
      optional,
      wave: waveOf(compiledIntent),
      ...(unsupported === undefined ? {} : { unsupported }),
    }
  })
}

// A device of which nothing can be done has its result at once: nobody goes there to find out.
function firstResults(enforcement: string, wanted: readonly Wanted[]): readonly Result[] {
  const places = new Map<string, readonly Wanted[]>()
  for (const row of wanted) {
    const place = `${row.device} ${row.observer}`
    places.set(place, [...(places.get(place) ?? []), row])
  }
  return [...places.values()].flatMap((rows) => {
    const [first] = rows
    if (first === undefined) return []
    const none = rows.every(({ unsupported }) => unsupported !== undefined)
    return [
      {
        enforcement,
        device: first.device,
        role: first.observer ? 'observer' : 'enforcer',
        status: none ? 'unsupported' : 'pending',
        states: none ? rows.map(asUnsupported) : [],
        attempts: 0,
      },
    ]
  })
}

function asUnsupported({ key, intent, unsupported }: Wanted): Result['states'][number] {
  return {
    key,
    kind: intent.kind,
    outcome: 'unsupported',
    seen: 'unknown',
    verified: true,
    note: unsupported ?? '',
  }
}

// What is decided with an acceptance and never changes: `audit verify` holds the row to it.
function termsOf({ by, planSha256 }: AcceptInput, of: Enforcement): Record<string, Json> {
  const { acceptedAt, approvals, onFailure, maxDurationMs, counts } = of
  return {
    person: by.person,
    acceptedAt,
    approvals: approvals.needed,
    onFailure,
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
    counts,
    planSha256,
  }
}

function recordsOf(
  input: AcceptInput,
  made: { readonly enforcement: Enforcement; readonly wanted: readonly Wanted[] },
): readonly NewRecord[] {
  const { enforcement, wanted } = made
  const { by, decision, plan } = input
  const base = {
    outcome: 'ok',
    actor: by.actor,
    on: { customer: enforcement.customer, enforcement: enforcement.id, plan: plan.id },
    ...(by.req === undefined ? {} : { req: by.req }),
  } as const
  const { category, summary, ticket, evidence } = decision.reason
  const data: { readonly [name: string]: Json } = {
    action: decision.action,
    digest: plan.digest,
    playbook: { name: plan.playbook.name, sha256: plan.playbook.sha256 },
    category,
    reason: summary,
    subject: subjectJson(decision.subject),
    automated: decision.automated,
    // Where evidence lies is the desk's business and may be personal: the log holds what it was.
    evidence: evidence.flatMap(({ sha256 }) => (sha256 === undefined ? [] : [{ sha256 }])),
    ...(ticket === undefined ? {} : { ticket }),
    ...(enforcement.expiresAt === undefined ? {} : { expiresAt: enforcement.expiresAt }),
    ...termsOf(input, enforcement),
    wantedSha256: wantedDigest(wanted.map((row) => JSON.stringify(row))),
  }
  const requested: NewRecord = { ...base, type: 'enforcement.requested', data }
  const passed = plan.guards.filter(({ verdict }) => verdict === 'overridden')
  if (passed.length === 0) return [requested]
  const overridden: NewRecord = {
    ...base,
    type: 'enforcement.overridden',
    data: {
      guards: passed.map(({ guard, hit }) => ({ guard, hit: hit ?? [] })),
      reason: decision.overrides
        .filter(({ guard }) => passed.some((verdict) => verdict.guard === guard))
        .map(({ guard, reason }) => `${guard}: ${reason}`)
        .join('; '),
    },
  }
  return [requested, overridden]
}
