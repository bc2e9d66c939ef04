// Taking a decision: dry run, acceptance, and the second look before an approval. What is accepted is durable before any device is touched.

import type { Desired } from '../../agent/diff.ts'
import { keyOf } from '../../agent/intents.ts'
import type { Id } from '../../inventory/model.ts'
import { namesEnforcement } from '../../playbooks/message.ts'
import type { Compiled, Decision } from '../../playbooks/model.ts'
import { accept } from '../acceptance.ts'
import type { Json } from '../audit/record.ts'
import type { Caller, EnforceRequest, Idempotency } from '../controller.ts'
import { desiredFor } from '../desired.ts'
import { movedText, staleness, subjectJson } from '../digest.ts'
import type { Enforcement } from '../enforcement.ts'
import { ControllerError } from '../errors.ts'
import { type Plan, type PlanDevice, planKeptMs } from '../plan.ts'
import { makePlan } from '../planning.ts'
import type { Rows, Transaction } from '../store/store.ts'
import { by, type Desk, now } from './desk.ts'
import { auditRefusal, compileNow, judgeNew, playbookFor, refusal } from './guarding.ts'
import { readOnline } from './online.ts'

/** How long the same body by the same token, without a key, is taken for a double click, in ms. */
const doubleClickMs = 60_000

/** A dry run. Guards that refuse stand in the plan; what can't be compiled is thrown. The plan is kept, so that exactly it can be enforced. */
export async function plan(
  desk: Desk,
  caller: Caller,
  decision: Decision,
  online: boolean,
): Promise<Plan> {
  const offline = await Promise.resolve()
    .then(() =>
      desk.store.read(
        (rows) => planNow(desk, rows, { decision, mayOverride: isAdmin(caller) }).plan,
      ),
    )
    .catch((fault: unknown) => auditRefusal(desk, caller, fault, { decision }))
  const made = online
    ? await readOnline(desk, offline, (device) => desiredWith(desk, device))
    : offline
  await keepPlan(desk, caller, made)
  return made
}

/** Keeps a plan and writes that it was made. */
export async function keepPlan(desk: Desk, caller: Caller, made: Plan): Promise<void> {
  await desk.store.commit((tx) => {
    const planSha256 = tx.putPlan(
      made,
      new Date(Date.parse(made.createdAt) + planKeptMs).toISOString(),
    )
    const data: Record<string, Json> = {
      action: made.action,
      digest: made.digest,
      customers: made.blastRadius.customers.length,
      addresses: made.blastRadius.ipv4Addresses,
      ports: made.blastRadius.ports.length,
      neighbors: made.blastRadius.neighbors.length,
      // One that gets lines and is watched for the effect too stands in the plan twice.
      devices: [...new Set(made.devices.map(({ device }) => device))],
      guards: made.guards.map(({ guard, verdict }) => ({ name: guard, verdict })),
      planSha256,
    }
    if (made.decision !== undefined) data['subject'] = subjectJson(made.decision.subject)
    const on = {
      plan: made.id,
      customer: made.customer,
      ...(made.enforcement === undefined ? {} : { enforcement: made.enforcement }),
    }
    tx.append({ type: 'plan.made', outcome: 'ok', ...by(caller), on, data })
  })
}

/** Accepts a decision, or a plan that was reviewed. All checks and all rows are one transaction, so that two requests can't pass one budget together. Throws ControllerError with the guard's or compiler's code, `plan_stale`, `idempotency_mismatch`, `duplicate_suspected`. */
export async function enforce(
  desk: Desk,
  caller: Caller,
  request: EnforceRequest,
  idempotency: Idempotency,
): Promise<{ readonly enforcement: Enforcement; readonly replayed: boolean }> {
  let decision = request.kind === 'decision' ? request.decision : undefined
  try {
    const made = await desk.store.commit((tx) => {
      const replay = replayOf(tx, desk, caller, idempotency)
      if (replay !== undefined) return { enforcement: replay, replayed: true, devices: [] }
      const reviewed = request.kind === 'plan' ? planOf(tx, request) : undefined
      decision ??= reviewed?.decision
      return { ...acceptNow(tx, { desk, caller, request, reviewed, idempotency }), replayed: false }
    })
    if (made.enforcement.status === 'enforcing') {
      for (const device of made.devices) desk.fleet.wake(device, 'change')
    }
    return { enforcement: made.enforcement, replayed: made.replayed }
  } catch (fault) {
    return auditRefusal(desk, caller, fault, decision === undefined ? {} : { decision })
  }
}

/** Compiles what waits for approval once more: throws ControllerError `plan_stale` where it would mean something else by now, `guard_refused` where a guard refuses. */
export function guardPlan(desk: Desk, rows: Rows, enforcement: Enforcement): void {
  if (enforcement.status !== 'awaiting_approval') return
  const fresh = planNow(desk, rows, {
    decision: enforcement.decision,
    mayOverride: true,
    judged: enforcement.id,
    ...(enforcement.expiresAt === undefined ? {} : { expiresAt: enforcement.expiresAt }),
  })
  const old = enforcement.plan === undefined ? undefined : rows.plan(enforcement.plan)
  if (old !== undefined) throwIfStale(old, fresh.plan)
  if (fresh.plan.refused !== undefined) throw refusal(fresh.plan.guards)
}

function acceptNow(
  tx: Transaction,
  about: {
    readonly desk: Desk
    readonly caller: Caller
    readonly request: EnforceRequest
    readonly reviewed: Plan | undefined
    readonly idempotency: Idempotency
  },
): { readonly enforcement: Enforcement; readonly devices: readonly Id[] } {
  const { desk, caller, reviewed, idempotency } = about
  const decision = about.request.kind === 'decision' ? about.request.decision : reviewed?.decision
  if (decision === undefined) {
    throw new ControllerError(
      'not_found',
      'that plan is of a release: release its enforcement instead',
    )
  }
  const fresh = planNow(desk, tx, {
    decision,
    mayOverride: isAdmin(caller),
    ...(reviewed?.expiresAt === undefined ? {} : { expiresAt: reviewed.expiresAt }),
  })
  if (reviewed !== undefined) throwIfStale(reviewed, fresh.plan)
  if (fresh.plan.refused !== undefined) throw refusal(fresh.plan.guards)
  const at = now(desk)
  const id = desk.id()
  const accepted = accept({
    id,
    now: at,
    by: {
      actor: caller.actor,
      person: caller.person,
      admin: isAdmin(caller),
      req: {
        id: caller.request,
        ...(idempotency.key === undefined ? {} : { key: idempotency.key }),
      },
    },
    decision,
    compiled: compiledAs(id, { desk, decision, fresh }),
    playbook: fresh.playbook,
    plan: fresh.plan,
    planSha256: tx.putPlan(fresh.plan),
    reachable: reachableDevices(tx, fresh.plan),
  })
  tx.insertEnforcement(accepted.enforcement, accepted.wanted)
  for (const result of accepted.results) tx.putResult(result)
  tx.putIdempotency({ token: caller.token, ...idempotency, enforcement: id, at })
  for (const record of accepted.records) tx.append(record)
  const devices = [...new Set(accepted.wanted.map(({ device }) => device))]
  return { enforcement: accepted.enforcement, devices }
}

// What was planned is what is accepted, but for messages that name the enforcement: it had no id.
function compiledAs(
  id: string,
  about: {
    readonly desk: Desk
    readonly decision: Decision
    readonly fresh: ReturnType<typeof planNow>
  },
): Compiled {
  const { compiled, playbook } = about.fresh
  const isNamed = playbook.measures.some(
    (measure) => measure.kind === 'neighbor' && namesEnforcement(measure.message),
  )
  return isNamed ? compileNow(about.desk, about.decision, playbook, id) : compiled
}

function planNow(
  desk: Desk,
  rows: Rows,
  about: {
    readonly decision: Decision
    readonly mayOverride: boolean
    readonly expiresAt?: string
    readonly judged?: string
  },
) {
  const { decision } = about
  const playbook = playbookFor(desk, decision)
  const compiled = compileNow(desk, decision, playbook)
  const verdicts = judgeNew(desk, rows, { ...about, compiled })
  const made = makePlan({
    id: desk.id(),
    now: now(desk),
    decision,
    compiled,
    playbook,
    inventory: desk.world().inventory,
    platforms: desk.platforms,
    verdicts,
    live: rows.live({ customer: compiled.customer }),
    claims: (device) => rows.claims(device),
    ...(about.expiresAt === undefined ? {} : { expiresAt: about.expiresAt }),
  })
  if ('kind' in made) throw new ControllerError(made.code, made.message)
  return { plan: made, compiled, playbook }
}

function planOf(rows: Rows, request: Extract<EnforceRequest, { kind: 'plan' }>): Plan {
  const found = rows.plan(request.plan)
  if (found === undefined) {
    throw new ControllerError(
      'not_found',
      `there is no plan ${request.plan}: make one with POST /v1/plans`,
    )
  }
  if (found.digest !== request.digest) {
    throw new ControllerError(
      'digest_mismatch',
      `the plan ${found.id} has the digest ${found.digest}, not ${request.digest}: review it again`,
    )
  }
  return found
}

function throwIfStale(old: Plan, fresh: Plan): void {
  const moved = staleness(old, fresh)
  if (moved.length === 0) return
  throw new ControllerError(
    'plan_stale',
    `the plan is not what would be done any more: ${movedText(moved)}. Make a new plan and review it`,
    { moved },
  )
}

function replayOf(
  rows: Rows,
  desk: Desk,
  caller: Caller,
  { key, bodySha256 }: Idempotency,
): Enforcement | undefined {
  if (key !== undefined) {
    const known = rows.idempotency(caller.token, key)
    if (known === undefined) return undefined
    if (known.bodySha256 !== bodySha256) {
      throw new ControllerError(
        'idempotency_mismatch',
        `the key was used for another request, which made ${known.enforcement}: take a fresh key for each decision`,
        { enforcement: known.enforcement },
      )
    }
    return rows.enforcement(known.enforcement)
  }
  const since = new Date(desk.clock.now().getTime() - doubleClickMs).toISOString()
  const same = rows.sameBody(caller.token, bodySha256, since)
  if (same === undefined) return undefined
  throw new ControllerError(
    'duplicate_suspected',
    `the same request made ${same.enforcement} less than a minute ago: look at that one, or send an Idempotency-Key if a second is meant`,
    { enforcement: same.enforcement },
  )
}

function reachableDevices(rows: Rows, made: Plan): ReadonlySet<Id> {
  const away = new Set(['unreachable', 'refused', 'quarantined'])
  const ids = made.devices.map(({ device }) => device)
  return new Set(ids.filter((id) => !away.has(rows.device(id)?.state ?? 'unknown')))
}

// Of a key that is wanted already the oldest enforcement decides: the new one changes nothing there.
function desiredWith(desk: Desk, device: PlanDevice): Desired {
  const desired = desk.store.read((rows) => desiredFor(rows, device.device))
  const known = new Set(desired.wanted.map(keyOf))
  const intents = device.intents
    .filter(({ unsupported }) => unsupported === undefined)
    .map(({ intent }) => intent)
  if (device.role === 'observer') return { ...desired, expected: [...desired.expected, ...intents] }
  return {
    ...desired,
    wanted: [...desired.wanted, ...intents.filter((intent) => !known.has(keyOf(intent)))],
  }
}

function isAdmin(caller: Caller): boolean {
  return caller.roles.includes('admin')
}
