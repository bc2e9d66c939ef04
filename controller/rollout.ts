// The order in which a decision spreads over devices: canary, then batches; and when the next of them may begin. Pure.

import type { Id } from '../inventory/model.ts'
import type { CompiledIntent, Rollout } from '../playbooks/model.ts'
import type { DeviceStatus } from './enforcement.ts'
import type { Result, Wanted } from './store/store.ts'

/** A device's place: 0 = canary (or the first batch, where no canary can be reached), then batches. A device that is only read gets the wave of the first device that it waits for. */
export function wavesOf(
  intents: readonly CompiledIntent[],
  rollout: Rollout,
  reachable: ReadonlySet<Id>,
): (intent: CompiledIntent) => number {
  const order = [...new Set(intents.filter((i) => !i.observer).map(({ device }) => device))]
  const canary = order.filter((device) => reachable.has(device)).slice(0, rollout.canary)
  const early = new Set(canary)
  const rest = order.filter((device) => !early.has(device))
  const first = canary.length > 0 ? 1 : 0
  const waves = new Map<Id, number>(canary.map((device) => [device, 0]))
  const batch = Math.max(1, rollout.batch)
  for (const [i, device] of rest.entries()) waves.set(device, first + Math.floor(i / batch))
  const firstWave = new Map<string, number>()
  for (const intent of intents) {
    if (intent.observer) continue
    const effect = effectOf(intent)
    const wave = waves.get(intent.device) ?? 0
    firstWave.set(effect, Math.min(firstWave.get(effect) ?? wave, wave))
  }
  return (intent) => {
    if (!intent.observer) return waves.get(intent.device) ?? 0
    return firstWave.get(effectOf(intent)) ?? lastOf(waves)
  }
}

/** How far a roll-out has come. */
export interface Spread {
  readonly openWave: number
  /** The device whose failure stopped it. */
  readonly stoppedBy?: Id
  /** All waves are open. */
  readonly complete: boolean
}

/** Opens waves as far as the results allow: a wave is through when each device that gets lines has answered or could not be reached; only failed and refused ones stop it. Never goes back. */
export function spread(
  at: { readonly openWave: number; readonly stoppedBy?: Id; readonly rollout: Rollout },
  wanted: readonly Wanted[],
  results: readonly Result[],
): Spread {
  // No spread into `Math.max`: a customer of a thousand prefixes has hundreds of thousands of rows.
  const last = wanted.reduce((latest, { wave }) => Math.max(latest, wave), 0)
  if (at.stoppedBy !== undefined) {
    return { openWave: at.openWave, stoppedBy: at.stoppedBy, complete: at.openWave >= last }
  }
  const statuses = new Map(
    results.filter(({ role }) => role === 'enforcer').map(({ device, status }) => [device, status]),
  )
  const statusOf = (device: Id): DeviceStatus => statuses.get(device) ?? 'pending'
  let openWave = at.openWave
  while (openWave < last) {
    const devices = enforcersUpTo(wanted, openWave)
    const failed = devices.filter((device) => isFailure(statusOf(device)))
    if (failed.length >= Math.max(1, at.rollout.stopAfterFailures)) {
      return { openWave, stoppedBy: failed[0] ?? '', complete: false }
    }
    if (!devices.every((device) => hasAnswered(statusOf(device)))) break
    openWave++
  }
  return { openWave, complete: openWave >= last }
}

/** Whether that is an answer, or the known lack of one: not pending, not under way. */
export function hasAnswered(status: DeviceStatus): boolean {
  return status !== 'pending' && status !== 'converging'
}

/** Whether nothing is left to be done there: as it should be, or not to be had on this platform. */
export function isDone(status: DeviceStatus): boolean {
  return status === 'verified' || status === 'unsupported'
}

/** Whether the device itself said no, or did not do it. Unreachable is no failure: nobody knows. */
export function isFailure(status: DeviceStatus): boolean {
  return status === 'failed' || status === 'refused'
}

function enforcersUpTo(wanted: readonly Wanted[], wave: number): readonly Id[] {
  const rows = wanted.filter((row) => !row.observer && row.wave <= wave)
  return [...new Set(rows.map(({ device }) => device))]
}

// A route may come from any trigger that has it: tag and device don't matter to those who learn it.
function effectOf({ intent }: CompiledIntent): string {
  return intent.kind === 'blackhole' ? `${intent.vrf}|${intent.prefix}` : ''
}

function lastOf(waves: ReadonlyMap<Id, number>): number {
  return [...waves.values()].reduce((latest, wave) => Math.max(latest, wave), 0)
}
