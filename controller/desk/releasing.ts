// The dry run of a release, and what a person should know before one.

import type { Desired } from '../../agent/diff.ts'
import type { Key } from '../../agent/intents.ts'
import type { Device, Id } from '../../inventory/model.ts'
import type { Caller } from '../controller.ts'
import { desiredFor, unionOf } from '../desired.ts'
import type { Enforcement } from '../enforcement.ts'
import { ControllerError } from '../errors.ts'
import type { Plan } from '../plan.ts'
import { lastKnown } from '../recover.ts'
import { planForRelease, releaseWarningsOf } from '../release.ts'
import type { Result, Rows, Wanted } from '../store/store.ts'
import type { World } from '../world.ts'
import { keepPlan } from './decide.ts'
import { type Desk, now } from './desk.ts'
import { readOnline } from './online.ts'

/** Plans a release: the lines that lift, what stays for others. Touches nothing. Throws ControllerError `not_found`, `not_in_force`. */
export async function planRelease(
  desk: Desk,
  caller: Caller,
  id: string,
  online: boolean,
): Promise<Plan> {
  const offline = desk.store.read((rows) => planNow(desk, rows, id))
  const made = online
    ? await readOnline(desk, offline, ({ device }) =>
        desk.store.read((rows) => desiredWithout(rows, device, id)),
      )
    : offline
  await keepPlan(desk, caller, made)
  return made
}

/** What releasing it means for others: addresses that are another customer's by now, and what other enforcements still hold. */
export function releaseWarnings(
  rows: Rows,
  enforcement: Enforcement,
  world: World,
): Enforcement['warnings'] {
  const live = rows.live()
  const wanted = wantedOnDevicesOf(rows, enforcement.id)
  const isShown = shownIn(rows)
  return releaseWarningsOf({ enforcement, live, wanted, lookup: world.lookup, isShown })
}

function planNow(desk: Desk, rows: Rows, id: string): Plan {
  const enforcement = rows.enforcement(id)
  if (enforcement === undefined) {
    throw new ControllerError(
      'not_found',
      `there is no enforcement ${id}: \`nullroute status\` lists what is in force`,
    )
  }
  const live = rows.live()
  if (!live.some((one) => one.id === id) || enforcement.status === 'awaiting_approval') {
    throw new ControllerError(
      'not_in_force',
      `it is ${enforcement.status}: there is nothing to release`,
    )
  }
  const { inventory, lookup } = desk.world()
  const wanted = wantedOnDevicesOf(rows, id)
  const devices = [...new Set(wanted.map(({ device }) => device))]
  const retired = devices.flatMap((device): readonly (readonly [Id, Device])[] => {
    const known = inventory.devices.has(device) ? undefined : lastKnown(rows, device)
    return known === undefined ? [] : [[device, known.device]]
  })
  return planForRelease({
    id: desk.id(),
    now: now(desk),
    enforcement,
    live,
    wanted,
    claims: new Map(devices.map((device) => [device, rows.claims(device)])),
    inventory,
    lookup,
    platforms: desk.platforms,
    retired: new Map(retired),
    isShown: shownIn(rows),
  })
}

/** By what devices showed when they were read last; the results of an enforcement are only read where they are asked for. */
function shownIn(rows: Rows): (row: Wanted) => boolean {
  const verified = new Map<string, ReadonlySet<string>>()
  const place = (device: Id, role: Result['role'], key: Key): string => `${device} ${role} ${key}`
  const read = (enforcement: string): ReadonlySet<string> =>
    new Set(
      rows
        .results({ enforcement })
        .flatMap(({ device, role, states }) =>
          states.flatMap((state) => (state.verified ? [place(device, role, state.key)] : [])),
        ),
    )
  return ({ enforcement, device, observer, key }) => {
    const known = verified.get(enforcement) ?? read(enforcement)
    verified.set(enforcement, known)
    return known.has(place(device, observer ? 'observer' : 'enforcer', key))
  }
}

function wantedOnDevicesOf(rows: Rows, id: string): readonly Wanted[] {
  const devices = new Set(rows.wanted({ enforcement: id }).map(({ device }) => device))
  return [...devices].flatMap((device) => rows.wanted({ device }))
}

function desiredWithout(rows: Rows, device: Id, id: string): Desired {
  const live = rows.live().filter((one) => one.id !== id)
  const { claims, frozen } = desiredFor(rows, device)
  return unionOf({ live, wanted: rows.wanted({ device }), claims, frozen })
}
