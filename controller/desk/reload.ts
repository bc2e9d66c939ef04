// Reading inventory and playbooks again, without losing what is in force: a broken file leaves the old ones active, and where the new ones
// and what is in force have parted, it is said and not acted on.

import type { Device, Id } from '../../inventory/model.ts'
import { compile } from '../../playbooks/compile.ts'
import type { Compiled } from '../../playbooks/model.ts'
import type { Actor, NewRecord } from '../audit/record.ts'
import type { Config } from '../config.ts'
import { conflictsOf, holdersOn, newConflicts, refusedDeviceChanges } from '../conflicts.ts'
import type { ReloadReport } from '../controller.ts'
import { type HeldDevice, renamedMachines, takenEndpoints } from '../endpoints.ts'
import type { Enforcement } from '../enforcement.ts'
import { heldDevices, lastKnown } from '../recover.ts'
import type { Rows } from '../store/store.ts'
import { loadWorld, type World } from '../world.ts'
import { type Desk, now, systemActor } from './desk.ts'
import { devicesWithWork } from './freeze.ts'
import { inTurn } from './in-turn.ts'

/** Places of problems that the record of a refused reload names; the answer has all. */
const problemsMax = 100

/** Who asked: a caller, or the system on SIGHUP. */
export type ReloadBy = Pick<NewRecord, 'actor' | 'req'>

/** Reads both again, for whoever asks. */
export type Reload = (who: ReloadBy) => Promise<ReloadReport>

/** The one way to read both again, whoever asks: in turn, since of two at once the one that read older files may end last. */
export function createReload(desk: Desk, config: Files): Reload {
  return inTurn((askers: readonly ReloadBy[]) => reload(desk, config, askers))
}

type Files = Pick<Config, 'inventory' | 'playbooks'>

/** Refused as a whole when anything is wrong in them, or when they would change the identity of a device that holds something of ours. */
async function reload(
  desk: Desk,
  config: Files,
  askers: readonly ReloadBy[],
): Promise<ReloadReport> {
  const loaded = await loadWorld(config, desk.platforms)
  const before = desk.world()
  const size = {
    devices: before.inventory.devices.size,
    customers: before.inventory.customers.size,
  }
  const problems = loaded.ok
    ? desk.store.read((rows) =>
        deviceProblems(rows, {
          before,
          next: loaded.value,
          file: config.inventory,
          platforms: desk.platforms,
        }),
      )
    : loaded.problems.map(({ file, line, column, message, path, remedy }) => ({
        file,
        line,
        column,
        message: `${path === '' ? '' : `${path}: `}${message}; ${remedy}`,
      }))
  if (!loaded.ok || problems.length > 0) {
    await desk.store.commit((tx) => {
      const errors = problems.slice(0, problemsMax).map(({ file, line }) => `${file}:${line}`)
      const data = { errors, count: problems.length }
      for (const who of askers) {
        tx.append({ type: 'inventory.refused', outcome: 'refused', ...who, on: {}, data })
      }
    })
    return { ok: false, problems, conflicts: [], ...size }
  }
  desk.replaceWorld(loaded.value)
  await noteLoaded(desk, askers)
  const conflicts = await noteConflicts(desk, before, askers[0]?.actor)
  await desk.fleet.refresh()
  // An agent that was replaced has taken its retries, checks and saves along; and what could not be reached may be reached now.
  for (const device of desk.store.read(devicesWithWork)) desk.fleet.wake(device, 'change')
  return {
    ok: true,
    problems: [],
    conflicts,
    devices: loaded.value.inventory.devices.size,
    customers: loaded.value.inventory.customers.size,
  }
}

/** Compares what is in force with the world of now; new conflicts are recorded, and all stand in their enforcement. Answers those that stand. */
export async function noteConflicts(
  desk: Desk,
  before: World = desk.world(),
  actor: Actor = systemActor,
): Promise<ReloadReport['conflicts']> {
  return desk.store.commit((tx) =>
    tx.live().flatMap((enforcement) => {
      const conflicts = conflictsNow(desk, tx, enforcement, before)
      const fresh = newConflicts(enforcement.conflicts, conflicts)
      if (fresh.length > 0 || conflicts.length !== enforcement.conflicts.length) {
        tx.updateEnforcement({
          ...enforcement,
          conflicts,
          version: enforcement.version + 1,
          updatedAt: now(desk),
        })
      }
      for (const { kind, object } of fresh) {
        const on = { enforcement: enforcement.id, customer: enforcement.customer }
        tx.append({ type: 'inventory.conflict', outcome: 'ok', actor, on, data: { kind, object } })
      }
      return conflicts.map(({ kind, object }) => ({ enforcement: enforcement.id, kind, object }))
    }),
  )
}

function conflictsNow(
  desk: Desk,
  rows: Rows,
  enforcement: Enforcement,
  before: World,
): Enforcement['conflicts'] {
  const { inventory, lookup, neverCut } = desk.world()
  return conflictsOf({
    enforcement,
    wanted: rows.wanted({ enforcement: enforcement.id }),
    before: before.inventory,
    after: inventory,
    lookup,
    neverCut,
    anew: compileAnew(desk, enforcement),
  })
}

function compileAnew(desk: Desk, enforcement: Enforcement): Compiled | undefined {
  const { inventory, lookup, neverCut, playbooks } = desk.world()
  const playbook = playbooks.get(enforcement.playbook.name)
  if (playbook === undefined || playbook.sha256 !== enforcement.playbook.sha256) return undefined
  const compiled = compile(enforcement.decision, { playbook, inventory, lookup, neverCut })
  return 'kind' in compiled ? undefined : compiled
}

function deviceProblems(
  rows: Rows,
  about: {
    readonly before: World
    readonly next: World
    readonly file: string
    readonly platforms: Desk['platforms']
  },
): ReloadReport['problems'] {
  const { before, next, file, platforms } = about
  const held = rows.devicesWithClaims()
  const known = held.flatMap((id): readonly (readonly [Id, Device])[] => {
    const known = lastKnown(rows, id)
    return known === undefined ? [] : [[id, known.device]]
  })
  const changed = refusedDeviceChanges({
    before: new Map(known),
    after: next.inventory.devices,
    claims: new Map(held.map((id) => [id, rows.claims(id)])),
    live: rows.live(),
    wanted: held.flatMap((device) => rows.wanted({ device })),
  })
  const holders = [...heldDevices(rows), ...unclaimedHolders(rows, before, next)]
  const taken = takenEndpoints(next.inventory, holders, platforms)
  const renamed = renamedMachines(next.inventory, holders, {
    before: new Set(before.inventory.devices.keys()),
    platforms,
  }).filter(
    (one) => !taken.some(({ device, heldBy }) => device === one.device && heldBy === one.heldBy),
  )
  return [...changed, ...taken, ...renamed].map(({ message }) => ({
    file,
    line: 1,
    column: 1,
    message,
  }))
}

// Something may be on its way to a device that leaves the inventory: its claim comes with the first line, and by then another id must not be on that machine.
function unclaimedHolders(rows: Rows, before: World, next: World): readonly HeldDevice[] {
  const { devices, jumps } = before.inventory
  const leaving = [...devices.values()].filter(({ id }) => !next.inventory.devices.has(id))
  if (leaving.length === 0) return []
  const live = rows.live()
  return leaving.flatMap((device) => {
    const wanted = rows.wanted({ device: device.id })
    const enforcements = holdersOn(device.id, { live, wanted })
    if (enforcements.length === 0 || lastKnown(rows, device.id) !== undefined) return []
    const jump = device.jump === undefined ? undefined : jumps.get(device.jump)
    return [{ device, jump, enforcements }]
  })
}

/** Writes which files are in use from now on, for each who asked. */
export async function noteLoaded(desk: Desk, askers: readonly ReloadBy[]): Promise<void> {
  const { inventory, playbooks } = desk.world()
  const files = [...playbooks.values()].map(({ name, sha256 }) => ({ name, sha256 }))
  const data = {
    files: inventory.files.map(({ name, sha256 }) => ({ name, sha256 })),
    devices: inventory.devices.size,
    customers: inventory.customers.size,
  }
  await desk.store.commit((tx) => {
    for (const who of askers) {
      const common = { outcome: 'ok', ...who, on: {} } as const
      tx.append({ type: 'inventory.loaded', ...common, data })
      tx.append({ type: 'playbook.loaded', ...common, data: { files } })
    }
  })
}
