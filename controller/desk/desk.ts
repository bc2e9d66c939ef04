// What the parts of the desk share: store, world, fleet, clock, ids. The desk carries out what people ask; each file beside this one is one kind of asking.

import type { Logger } from 'pino'
import type { Clock } from '../../agent/clock.ts'
import type { Platform } from '../../agent/platform.ts'
import type { Actor, NewRecord } from '../audit/record.ts'
import type { Caller } from '../controller.ts'
import { ControllerError } from '../errors.ts'
import type { Fleet } from '../fleet.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world.ts'

/** What each part of the desk works with. */
export interface Desk {
  readonly store: Store
  readonly clock: Clock
  readonly platforms: ReadonlyMap<string, Platform>
  readonly fleet: Fleet
  readonly log: Logger
  world(): World
  replaceWorld(world: World): void
  /** A new ULID, rising with time. */
  id(): string
}

/** What the product does by itself: expiry, recovery. */
export const systemActor: Actor = { kind: 'system', id: 'controller' }

/** The time as records and rows hold it. */
export function now(desk: Pick<Desk, 'clock'>): string {
  return desk.clock.now().toISOString()
}

/** The parts of a record that come from who asked. */
export function by(caller: Caller): Pick<NewRecord, 'actor' | 'req'> {
  return { actor: caller.actor, req: { id: caller.request } }
}

/** Refuses callers without one of these roles: for rights that hang on more than the route. Throws ControllerError `forbidden`. */
export function need(caller: Caller, role: Caller['roles'][number], what: string): void {
  if (!caller.roles.includes(role)) {
    throw new ControllerError('forbidden', `${what} needs the role ${role}; ask someone who has it`)
  }
}
