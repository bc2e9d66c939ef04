// The big red button: while a freeze holds no device is changed; decisions are accepted and wait.

import type { Caller } from '../controller.ts'
import type { Freeze } from '../store/store.ts'
import { by, type Desk, now } from './desk.ts'

/** Sets the freeze; one that holds already is answered as it is. */
export async function freeze(desk: Desk, caller: Caller, reason: string): Promise<Freeze> {
  return desk.store.commit((tx) => {
    const existing = tx.freeze()
    if (existing !== undefined) return existing
    const made = { since: now(desk), by: caller.person, reason }
    tx.setFreeze(made)
    const data = { reason, since: made.since, person: made.by }
    tx.append({ type: 'freeze.set', outcome: 'ok', ...by(caller), on: {}, data })
    return made
  })
}

/** Lifts the freeze, and wakes every device that has work. */
export async function unfreeze(desk: Desk, caller: Caller, reason: string): Promise<void> {
  const devices = await desk.store.commit((tx) => {
    if (tx.freeze() === undefined) return []
    tx.setFreeze(undefined)
    tx.append({ type: 'freeze.lifted', outcome: 'ok', ...by(caller), on: {}, data: { reason } })
    return devicesWithWork(tx)
  })
  for (const device of devices) desk.fleet.wake(device, 'change')
}

/** Devices on which something is wanted by a live enforcement, or held by a claim. */
export function devicesWithWork(
  rows: Parameters<Parameters<Desk['store']['read']>[0]>[0],
): readonly string[] {
  const wanted = rows.live().flatMap(({ id }) => rows.wanted({ enforcement: id }))
  return [...new Set([...wanted.map(({ device }) => device), ...rows.devicesWithClaims()])].sort()
}
