// What people do with an enforcement after its acceptance: approve, reject, release, extend, retry. The life cycle decides; the guards are asked again.

import type { Id } from '../../inventory/model.ts'
import type { Caller } from '../controller.ts'
import { type Enforcement, inForce } from '../enforcement.ts'
import { ControllerError } from '../errors.ts'
import { type EnforcementEvent, transition } from '../life-cycle.ts'
import type { Rows, Transaction } from '../store/store.ts'
import { guardPlan } from './decide.ts'
import { by, type Desk, now } from './desk.ts'
import { auditRefusal, guardAgain } from './guarding.ts'
import { releaseWarnings } from './releasing.ts'
import { makersOf } from './tokens.ts'

/** Counts an approval; the last one needed puts the enforcement in force. Guards and digest are tested again, since the world may have moved. Throws ControllerError `plan_stale`, `digest_mismatch`, `same_person`, `own_approver`, `not_awaiting`, `guard_refused`. */
export async function approve(
  desk: Desk,
  caller: Caller,
  id: string,
  approval: { readonly digest: string; readonly reason?: string },
): Promise<Enforcement> {
  const event = { kind: 'approved', by: asApprover(desk, caller), ...approval } as const
  return move(desk, caller, { id, event, guard: (rows, from) => guardPlan(desk, rows, from) })
}

/** Ends a decision that waits for approval. Throws ControllerError `same_person`, `own_approver`, `not_awaiting`. */
export function reject(
  desk: Desk,
  caller: Caller,
  id: string,
  reason: string,
): Promise<Enforcement> {
  return move(desk, caller, {
    id,
    event: { kind: 'rejected', by: asApprover(desk, caller), reason },
  })
}

/** Lifts an enforcement. No guard refuses it; it warns where an address is another customer's by now and where another enforcement still holds. Throws ControllerError `not_in_force`, `forbidden`. */
export async function release(
  desk: Desk,
  caller: Caller,
  id: string,
  reason: string,
): Promise<Enforcement> {
  const made = await desk.store
    .commit((tx) => {
      const from = found(tx.enforcement(id), id)
      // What is on its way out already keeps the warnings of its own moment.
      const warnings = inForce.includes(from.status)
        ? merge(from, releaseWarnings(tx, from, desk.world()))
        : from.warnings
      return carryOut(
        tx,
        desk,
        { ...from, warnings },
        { kind: 'released', by: asBy(caller), reason, ...progress(tx, id) },
      )
    })
    .catch((fault: unknown) => auditRefusal(desk, caller, fault, { enforcement: id }))
  return wakeAll(desk, made)
}

/** Gives it a later end, within what its playbook allows. All guards are asked. Throws ControllerError `too_long`, `not_in_force`, `guard_refused`. */
export async function extend(
  desk: Desk,
  caller: Caller,
  id: string,
  to: { readonly expiresAt: string; readonly reason: string },
): Promise<Enforcement> {
  const event = { kind: 'extended', by: asBy(caller), ...to } as const
  const guard = (rows: Rows, from: Enforcement) => guardAgain(desk, rows, from, 'extend')
  return move(desk, caller, { id, event, guard })
}

/** Tries the devices again that aren't verified, or those named; a stopped roll-out goes on. Throws ControllerError `not_in_force`, `unknown_device`, `guard_refused`. */
export async function retry(
  desk: Desk,
  caller: Caller,
  id: string,
  devices?: readonly Id[],
): Promise<Enforcement> {
  const made = await desk.store
    .commit((tx) => {
      const from = found(tx.enforcement(id), id)
      if (from.status !== 'releasing') guardAgain(desk, tx, from, 'retry')
      return carryOut(tx, desk, from, {
        kind: 'retried',
        by: asBy(caller),
        ...(devices === undefined ? {} : { devices }),
        ...progress(tx, id),
      })
    })
    .catch((fault: unknown) => auditRefusal(desk, caller, fault, { enforcement: id }))
  return wakeAll(desk, made)
}

async function move(
  desk: Desk,
  caller: Caller,
  about: {
    readonly id: string
    readonly event: Exclude<EnforcementEvent, { readonly wanted: unknown }>
    readonly guard?: (rows: Rows, from: Enforcement) => void
  },
): Promise<Enforcement> {
  const { id } = about
  const made = await desk.store
    .commit((tx) => {
      const from = found(tx.enforcement(id), id)
      about.guard?.(tx, from)
      return carryOut(tx, desk, from, about.event)
    })
    .catch((fault: unknown) => auditRefusal(desk, caller, fault, { enforcement: id }))
  return wakeAll(desk, made)
}

interface Carried {
  readonly enforcement: Enforcement
  readonly devices: readonly Id[]
}

/** Carries out one event in a transaction: rows, results and records. Throws what the life cycle refuses. */
export function carryOut(
  tx: Transaction,
  desk: Pick<Desk, 'clock'>,
  from: Enforcement,
  event: EnforcementEvent,
): Carried {
  const moved = transition(from, event, now(desk))
  if (moved.kind === 'refused') throw new ControllerError(moved.code, moved.message)
  if (moved.kind === 'unchanged') return { enforcement: moved.enforcement, devices: [] }
  tx.updateEnforcement(moved.enforcement)
  for (const result of moved.results) tx.putResult(result)
  for (const record of moved.records) tx.append(record)
  const devices = tx.wanted({ enforcement: from.id }).map(({ device }) => device)
  return { enforcement: moved.enforcement, devices: [...new Set(devices)] }
}

function wakeAll(desk: Desk, made: Carried): Enforcement {
  for (const device of made.devices) desk.fleet.wake(device, 'change')
  return made.enforcement
}

function progress(tx: Transaction, id: string) {
  return { wanted: tx.wanted({ enforcement: id }), results: tx.results({ enforcement: id }) }
}

function asBy(caller: Caller) {
  const { actor, req } = by(caller)
  return {
    actor,
    person: caller.person,
    admin: caller.roles.includes('admin'),
    ...(req === undefined ? {} : { req }),
  }
}

// Who made a token never changes: it need not be read in the transaction.
function asApprover(desk: Desk, caller: Caller) {
  return { ...asBy(caller), makers: desk.store.read((rows) => makersOf(rows, caller.token)) }
}

function found(enforcement: Enforcement | undefined, id: string): Enforcement {
  if (enforcement === undefined) {
    throw new ControllerError(
      'not_found',
      `there is no enforcement ${id}: \`nullroute status\` lists what is in force`,
    )
  }
  return enforcement
}

function merge(from: Enforcement, more: Enforcement['warnings']): Enforcement['warnings'] {
  const known = new Set(from.warnings.map(({ code, message }) => `${code} ${message}`))
  return [...from.warnings, ...more.filter(({ code, message }) => !known.has(`${code} ${message}`))]
}
