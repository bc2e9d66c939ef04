// The desk as one interface: what API and console call. Each method is a function of a file beside this one.

import type { Intent } from '../../agent/intents.ts'
import type { Id } from '../../inventory/model.ts'
import { neverCutAt } from '../../inventory/never-cut.ts'
import { idsInOrder } from '../../inventory/order.ts'
import type { Address } from '../../inventory/prefix.ts'
import { hostPrefix, overlaps } from '../../inventory/prefix.ts'
import type { Caller, Controller, Lookup } from '../controller.ts'
import { deviceState } from '../device-state.ts'
import { inForce } from '../enforcement.ts'
import type { Loop } from '../loop.ts'
import { lastKnown } from '../recover.ts'
import * as change from './change.ts'
import { enforce, plan } from './decide.ts'
import { by, type Desk, now } from './desk.ts'
import * as devices from './devices.ts'
import { freeze, unfreeze } from './freeze.ts'
import { planRelease } from './releasing.ts'
import type { Reload } from './reload.ts'
import { createToken, revokeToken } from './tokens.ts'

/** The controller over a desk. */
export function createController(desk: Desk, loop: Loop, reload: Reload): Controller {
  return {
    store: desk.store,
    inventory: () => desk.world().inventory,
    playbooks: () => desk.world().playbooks,
    plan: (caller, decision, online) => plan(desk, caller, decision, online),
    planRelease: (caller, id, online) => planRelease(desk, caller, id, online),
    async enforce(caller, request, idempotency) {
      const made = await enforce(desk, caller, request, idempotency)
      if (made.enforcement.expiresAt !== undefined) loop.poke(made.enforcement.expiresAt)
      return made
    },
    approve: (caller, id, digest, reason) =>
      change.approve(desk, caller, id, { digest, ...(reason === undefined ? {} : { reason }) }),
    reject: (caller, id, reason) => change.reject(desk, caller, id, reason),
    release: (caller, id, reason) => change.release(desk, caller, id, reason),
    async extend(caller, id, expiresAt, reason) {
      const made = await change.extend(desk, caller, id, { expiresAt, reason })
      loop.poke(expiresAt)
      return made
    },
    retry: (caller, id, only) => change.retry(desk, caller, id, only),
    freeze: (caller, reason) => freeze(desk, caller, reason),
    async unfreeze(caller, reason) {
      await unfreeze(desk, caller, reason)
      loop.poke()
    },
    acknowledgeClock: (caller) => acknowledgeClock(desk, loop, caller),
    check: (caller, device) => devices.check(desk, caller, device),
    reconcile: (caller, device, remove) => devices.reconcile(desk, caller, device, remove),
    adopt: (caller, device, keys, reason) => devices.adopt(desk, caller, device, { keys, reason }),
    reload: (caller) => reload(by(caller)),
    createToken: (caller, request) =>
      createToken(
        desk.store,
        { ...by(caller), person: caller.person, id: desk.id(), at: now(desk) },
        request,
      ),
    revokeToken: (caller, id) => revokeToken(desk.store, { ...by(caller), at: now(desk) }, id),
    lookup: (address) => lookUp(desk, address),
    deviceIds: () => deviceIds(desk),
    device: (id) => deviceView(desk, id),
    holds: () => holdsNow(desk, loop),
    ready() {
      const reasons = desk.store.healthy()
        ? []
        : ['the audit log can’t be written: no device is touched']
      return { ok: reasons.length === 0, reasons }
    },
  }
}

async function acknowledgeClock(desk: Desk, loop: Loop, caller: Caller): Promise<void> {
  const held = loop.held()
  if (held === undefined) return
  await desk.store.commit((tx) => {
    const data = { acknowledged: true, jumpMs: Math.round(held.jumpMs), since: held.since }
    tx.append({ type: 'clock.jumped', outcome: 'ok', ...by(caller), on: {}, data })
  })
  loop.acknowledge()
}

function deviceIds(desk: Desk): readonly Id[] {
  const held = desk.store.read((rows) => rows.devicesWithClaims())
  const { devices } = desk.world().inventory
  const retired = held.filter((id) => !devices.has(id))
  const listed = idsInOrder(devices)
  return retired.length === 0 ? listed : [...listed, ...new Set(retired)].sort()
}

function deviceView(desk: Desk, id: Id): ReturnType<Controller['device']> {
  const listed = desk.world().inventory.devices.get(id)
  return desk.store.read((rows) => {
    const device = listed ?? lastKnown(rows, id)?.device
    if (device === undefined) return undefined
    const wanted = rows.wanted({ device: id }).filter(({ enforcement }) => {
      const status = rows.enforcement(enforcement)?.status
      return status !== undefined && inForce.includes(status)
    })
    return { device, retired: listed === undefined, state: deviceState(rows, id), wanted }
  })
}

function holdsNow(desk: Desk, loop: Loop): ReturnType<Controller['holds']> {
  const frozen = desk.store.read((rows) => rows.freeze())
  const clock = loop.held()
  return {
    ...(frozen === undefined ? {} : { freeze: frozen }),
    ...(clock === undefined ? {} : { clock }),
  }
}

function lookUp(desk: Desk, address: Address): Lookup {
  const { lookup, neverCut } = desk.world()
  const host = hostPrefix(address)
  const customer = lookup.customerAt(address)
  const within = customer?.prefixes.find(({ prefix }) => overlaps(prefix, host))
  // A port or a session of theirs that is down cuts all of their addresses, or may.
  const meets = (intent: Intent, whose: Id): boolean =>
    'prefix' in intent
      ? overlaps(intent.prefix, host)
      : whose === customer?.id || (intent.kind === 'neighbor' && intent.peer === address)
  const enforcements = desk.store.read((rows) =>
    rows
      .live()
      .filter((one) =>
        rows.wanted({ enforcement: one.id }).some(({ intent }) => meets(intent, one.customer)),
      )
      .map(({ id }) => id),
  )
  return {
    address,
    ...(customer === undefined ? {} : { customer: customer.id }),
    ...(within === undefined ? {} : { prefix: within.prefix }),
    protected: lookup.protectedOverlapping(host),
    neverCut: neverCutAt(neverCut, address).map(({ why }) => why),
    enforcements,
  }
}
