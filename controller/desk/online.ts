// The online half of a dry run: read each device, and show only what is really missing. Nothing is changed; a candidate is loaded, compared, checked and thrown away.

import { type Desired, decide, type Decision as Finding, intentsToRead } from '../../agent/diff.ts'
import { AgentError } from '../../agent/errors.ts'
import { keyOf } from '../../agent/intents.ts'
import type { Reading } from '../../agent/journal.ts'
import type { Observation, Platform } from '../../agent/platform.ts'
import type { Id } from '../../inventory/model.ts'
import type { Plan, PlanDevice, PlanIntent } from '../plan.ts'
import { type PlanBasis, planLines, savedLines } from '../plan-lines.ts'
import { lastKnown } from '../recover.ts'
import type { Desk } from './desk.ts'

/** What a device should have if the plan were carried out. */
export type DesiredAfter = (device: PlanDevice) => Desired

/** The plan with what its devices show now: lines only for what is missing, the device's own difference and check where it has a candidate, and an error where it can't be read. Throws AgentError `busy`. */
export async function readOnline(desk: Desk, plan: Plan, after: DesiredAfter): Promise<Plan> {
  const devices = await Promise.all(
    plan.devices.map((device) => readOne(desk, device, after(device))),
  )
  return { ...plan, devices }
}

async function readOne(desk: Desk, device: PlanDevice, desired: Desired): Promise<PlanDevice> {
  const agent = await desk.fleet.agent(device.device)
  const platform = desk.platforms.get(device.platform)
  if (agent === undefined || platform === undefined) return device
  try {
    const reading = await agent.read(intentsToRead(desired))
    if (device.role === 'observer') return observed(device, reading.observation)
    return await missing(
      {
        device,
        platform,
        reading,
        findings: decide(desired, reading.observation),
        habits: habitsOf(desk, device.device),
        claims: desired.claims,
        wanted: new Set([...desired.wanted, ...desired.expected].map(keyOf)),
      },
      (changes) => agent.read(intentsToRead(desired), changes, 'further'),
    )
  } catch (fault) {
    // Of a plan that was never read nothing is kept: it is refused as a whole.
    if (!(fault instanceof AgentError) || fault.code === 'busy') throw fault
    return { ...device, error: { code: fault.code, message: fault.message, remedy: fault.remedy } }
  }
}

function observed(device: PlanDevice, observation: Observation): PlanDevice {
  const intents = device.intents.map((intent): PlanIntent => {
    const inForce = observation.found.get(intent.key)?.inForce
    return {
      ...intent,
      seen: inForce === 'yes' ? 'present' : inForce === 'no' ? 'absent' : 'unknown',
    }
  })
  return { ...device, intents }
}

async function missing(
  about: {
    readonly device: PlanDevice
    readonly platform: Platform
    readonly reading: Reading
    readonly findings: readonly Finding[]
    readonly habits: Habits
    readonly claims: PlanBasis['claims']
    /** Keys that the device is to have afterwards; the others of the plan are lifted. */
    readonly wanted: ReadonlySet<string>
  },
  tryCandidate: (changes: Parameters<Platform['render']>[0]) => Promise<Reading>,
): Promise<PlanDevice> {
  const { device, platform, reading } = about
  const keys = new Set(device.intents.map(({ key }) => key))
  const mine = about.findings.filter(({ key, intent }) => keys.has(key) || keys.has(keyOf(intent)))
  const changes = mine.flatMap((finding) => (finding.kind === 'change' ? [finding.change] : []))
  const { habits, claims } = about
  const lines = planLines(platform, changes, {
    facts: reading.observation.facts,
    ...habits,
    claims,
  })
  const stop =
    reading.observation.stop ??
    mine.flatMap((finding) => (finding.kind === 'refused' ? [finding.stop] : []))[0]
  const candidate =
    platform.transaction.kind === 'candidate' && changes.length > 0 && stop === undefined
      ? (await tryCandidate(changes)).candidate
      : undefined
  const { save: _offline, ...rest } = device
  return {
    ...rest,
    intents: device.intents.map((intent) =>
      withSeen(intent, {
        finding: mine.find(({ key }) => key === intent.key),
        isWanted: about.wanted.has(intent.key),
      }),
    ),
    apply: lines.apply,
    undo: lines.undo,
    ...savedLines(lines),
    ...(stop === undefined ? {} : { error: stop }),
    ...(candidate === undefined ? {} : candidate),
  }
}

type Habits = Pick<PlanBasis, 'policy' | 'deviceTimer'>

/** When the device saves, and whether its timer may be used: as the inventory says, or for one that it no longer lists as it was last known. */
function habitsOf(desk: Desk, id: Id): Habits {
  const listed = desk.world().inventory.devices.get(id)
  const device = listed ?? desk.store.read((rows) => lastKnown(rows, id)?.device)
  return { policy: device?.save ?? 'never', deviceTimer: device?.deviceTimer ?? false }
}

/** What is said of a key for which nothing is left to be sent, and which is waited for all the same. */
function waitingNote(isWanted: boolean): string {
  return isWanted
    ? 'there, but not in force yet'
    : 'nothing is left to lift here, but it is in force still: a release waits until that has gone'
}

function withSeen(
  intent: PlanIntent,
  { finding, isWanted }: { readonly finding: Finding | undefined; readonly isWanted: boolean },
): PlanIntent {
  switch (finding?.kind) {
    case undefined:
      return intent
    case 'change':
      return { ...intent, seen: finding.change.kind === 'apply' ? 'absent' : 'present' }
    case 'settled':
      return {
        ...intent,
        seen: finding.seen,
        ...(finding.note === undefined ? {} : { note: finding.note }),
      }
    case 'waiting':
      return { ...intent, seen: finding.seen, note: waitingNote(isWanted) }
    case 'lifted':
      return {
        ...intent,
        seen: finding.seen,
        ...(finding.note === undefined ? {} : { note: finding.note }),
      }
    case 'refused':
      return { ...intent, seen: finding.seen, note: finding.stop.message }
  }
}
