// What a device that is only read waits for: the devices whose change is to show there, as long as that change is not seen on them. Pure.

import { type AgentErrorCode, agentErrorCodes } from '../agent/errors.ts'
import type { Key } from '../agent/intents.ts'
import type { KeyState } from '../agent/journal.ts'
import { groupBy } from '../inventory/group-by.ts'
import type { Id } from '../inventory/model.ts'
import { type DeviceStatus, type Enforcement, inForce } from './enforcement.ts'
import { hasAnswered, isDone } from './rollout.ts'
import type { DeviceState, Result, Rows, Wanted } from './store/store.ts'

/** A device whose change was not seen on it yet, or not any more. */
export interface Cause {
  readonly device: Id
  readonly status: DeviceStatus
}

/** By key the devices, of the waves that are open, whose own change is not seen on them. `standing` says how a device stands whose result may be old. */
export function causesByKey(
  wanted: readonly Wanted[],
  openWave: number,
  standing: (device: Id) => DeviceStatus,
): ReadonlyMap<Key, readonly Cause[]> {
  const statuses = new Map<Id, DeviceStatus>()
  const causes = new Map<Key, Cause[]>()
  for (const { device, key, observer, wave, unsupported } of wanted) {
    if (observer || wave > openWave || unsupported !== undefined) continue
    const status = statuses.get(device) ?? standing(device)
    statuses.set(device, status)
    if (isDone(status)) continue
    const known = causes.get(key)
    if (known === undefined) causes.set(key, [{ device, status }])
    else known.push({ device, status })
  }
  return causes
}

/** The same of an enforcement as it is stored: a device that was verified may be known to be out of reach since. */
export function causesOf(
  rows: Rows,
  { id, openWave = 0 }: Enforcement,
): ReadonlyMap<Key, readonly Cause[]> {
  const results = rows.results({ enforcement: id }).filter(({ role }) => role === 'enforcer')
  const statuses = new Map(results.map(({ device, status }) => [device, status]))
  return causesByKey(rows.wanted({ enforcement: id }), openWave, (device) => {
    const status = statuses.get(device) ?? 'pending'
    return status === 'verified' && isAway(rows.device(device)) ? 'unreachable' : status
  })
}

function isAway(device: DeviceState | undefined): boolean {
  return device !== undefined && device.state !== 'up' && device.state !== 'unknown'
}

/** Of keys that are only read on a device those that can't show there yet, in the words for it. One that some enforcement has put where it is to come from can. */
export function awaitedOn(
  rows: Rows,
  device: Id,
  keys: ReadonlySet<Key>,
): ReadonlyMap<Key, NonNullable<KeyState['error']>> {
  const rowsHere = rows.wanted({ device }).filter((row) => row.observer && keys.has(row.key))
  const byEnforcement = groupBy(rowsHere, (row) => row.enforcement)
  const awaited = new Map<Key, readonly Cause[]>()
  const standing = new Set<Key>()
  for (const enforcement of rows.live()) {
    const mine = byEnforcement.get(enforcement.id)
    if (mine === undefined || !inForce.includes(enforcement.status)) continue
    const causes = causesOf(rows, enforcement)
    for (const { key, wave } of mine) {
      if (wave > (enforcement.openWave ?? 0)) continue
      const here = causes.get(key)
      if (here === undefined) standing.add(key)
      else awaited.set(key, [...(awaited.get(key) ?? []), ...here])
    }
  }
  const open = [...awaited].filter(([key]) => !standing.has(key))
  return new Map(open.map(([key, causes]) => [key, waitingFor(onePerDevice(causes))]))
}

function onePerDevice(causes: readonly Cause[]): readonly Cause[] {
  return [...new Map(causes.map((cause) => [cause.device, cause])).values()]
}

const code: AgentErrorCode = 'awaits_others'
/** So many devices are named. */
const namedMax = 3

/** The words for somebody who looks at the device that waits. */
function waitingFor(causes: readonly Cause[]): NonNullable<KeyState['error']> {
  const named = causes
    .slice(0, namedMax)
    .map(({ device, status }) => `${device}, which ${words(status)}`)
  const more = causes.length - named.length
  const rest = more > 0 ? [`${more} more`] : []
  const message = `waits for ${[...named, ...rest].join('; ')}`
  const see = causes.slice(0, namedMax).map(({ device }) => device)
  return { code, message, remedy: `see ${see.join(', ')}: ${agentErrorCodes[code]}` }
}

function words(status: DeviceStatus): string {
  switch (status) {
    case 'pending':
      return 'was not changed yet'
    case 'converging':
      return 'is being changed'
    case 'refused':
      return 'refused the change'
    case 'failed':
      return 'does not show the change'
    case 'unreachable':
      return 'is unreachable'
    case 'verified':
    case 'unsupported':
      return 'is to be read again'
  }
}

/** The result of a device that is only read, as its causes leave it: what it can't show yet is no failure of its own. The same object where nothing changes. */
export function asWaiting(result: Result, causes: ReadonlyMap<Key, readonly Cause[]>): Result {
  const isWaiting = result.status === 'converging' || result.status === 'failed'
  if (result.role !== 'observer' || !isWaiting || !isOfStates(result)) return result
  const states = result.states.map((state) => stateFor(state, causes.get(state.key)))
  if (states.every((state, i) => state === result.states[i])) return result
  const open = states.filter(({ verified }) => !verified)
  const failed = open.some(({ outcome }) => outcome === 'failed')
  const error = open.find((state) => state.error !== undefined)?.error
  const { error: _error, ...rest } = result
  const status = failed ? 'failed' : 'converging'
  return { ...rest, status, states, ...(error === undefined ? {} : { error }) }
}

/** Whether its fault is what a read-back showed, and not that there was none. */
function isOfStates({ error, states }: Result): boolean {
  return error === undefined || states.some((state) => state.error?.message === error.message)
}

/** Whether it waits for others, or did until its words were taken back. */
export function awaitsOthers({ error }: Pick<Result | KeyState, 'error'>): boolean {
  return error?.code === code
}

function stateFor(state: KeyState, causes: readonly Cause[] | undefined): KeyState {
  if (state.verified) return state
  if (causes === undefined) return awaitsOthers(state) ? withoutWords(state) : state
  if (!isToBeTold(state, causes)) return state
  const error = waitingFor(causes)
  if (awaitsOthers(state) && state.error?.message === error.message) return state
  const { note: _note, ...rest } = state
  return { ...rest, outcome: 'unknown', error }
}

function withoutWords({ error: _error, ...rest }: KeyState): KeyState {
  return { ...rest, note: 'not in force yet' }
}

// While its own time lasts, and theirs, there is nothing to say.
function isToBeTold(state: KeyState, causes: readonly Cause[]): boolean {
  const { error, outcome } = state
  if (error !== undefined) return error.code === 'not_shown' || awaitsOthers(state)
  return outcome === 'unknown' && causes.some(({ status }) => hasAnswered(status))
}
