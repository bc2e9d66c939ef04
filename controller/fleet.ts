// The agents of this process, one for each device that has work. Made when first needed, replaced when the inventory changes their device.

import PQueue from 'p-queue'
import type { Logger } from 'pino'
import { type Agent, createAgent } from '../agent/agent.ts'
import type { Clock } from '../agent/clock.ts'
import type { Journal } from '../agent/journal.ts'
import type { Platform } from '../agent/platform.ts'
import type { OpenSession } from '../agent/session.ts'
import type { Id } from '../inventory/model.ts'
import type { Reachable } from './recover.ts'

/** Why a device is woken: a change goes before a retry, a retry before a check. */
export type Why = 'change' | 'retry' | 'check'

/** All agents, seen from the controller. */
export interface Fleet {
  /** Converge soon; wakes that come together are one. A device that is not known is ignored: its enforcement says `device_gone`. */
  wake(device: Id, why: Why): void
  /** The agent of a device, once a predecessor has ended. */
  agent(device: Id): Promise<Agent | undefined>
  /** Devices with an open session. */
  connected(): number
  /** Ends agents whose device is another by now; they come back when they are woken. */
  refresh(): Promise<void>
  /** Ends all within the drain time. */
  stop(): Promise<void>
}

/** What the fleet is made of. */
export interface FleetParts {
  /** The device as it is to be reached: the inventory's, or for retired ones the last known. */
  device(id: Id): Reachable | undefined
  readonly platforms: ReadonlyMap<string, Platform>
  journal(known: Reachable): Journal
  readonly clock: Clock
  readonly log: Logger
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly devicesAtOnce: number
  readonly checkIntervalMs: number
  readonly observerDeadlineMs: number
  /** How long an object of our own may take to be in force. */
  readonly ownDeadlineMs: number
  /** Whether changes of ours stand in the running configuration only. */
  unsaved(id: Id): boolean
  /** What opens sessions; SSH where nothing is given. */
  readonly openSession?: OpenSession
}

interface Entry {
  readonly agent: Agent
  /** What it was made of, to see whether that is another by now. */
  readonly made: string
  /** Set while it ends: its successor is made only when its last line is sent and its session closed, since two on one device would undo each other. */
  ending?: Promise<void>
  /** The most urgent wake that came meanwhile. */
  woken?: Why
}

const urgency: readonly Why[] = ['check', 'retry', 'change']

/** Agents in this process. */
export function createFleet(parts: FleetParts): Fleet {
  const gate = new PQueue({ concurrency: parts.devicesAtOnce })
  const entries = new Map<Id, Entry>()
  let stopping = false

  function entryOf(id: Id): Entry | undefined {
    const existing = entries.get(id)
    if (existing !== undefined) return existing
    const known = parts.device(id)
    const platform = known === undefined ? undefined : parts.platforms.get(known.device.platform)
    if (stopping || known === undefined || platform === undefined) return undefined
    const entry = { agent: agentFor(parts, known, platform, gate), made: JSON.stringify(known) }
    entries.set(id, entry)
    return entry
  }

  function wake(id: Id, why: Why): void {
    const entry = entryOf(id)
    if (entry?.ending === undefined) entry?.agent.wake(why)
    else if (urgency.indexOf(why) > urgency.indexOf(entry.woken ?? 'check')) entry.woken = why
    else entry.woken ??= why
  }

  async function replace(id: Id, entry: Entry): Promise<void> {
    entry.ending ??= entry.agent.stop()
    await entry.ending
    if (entries.get(id) !== entry) return
    entries.delete(id)
    if (entry.woken !== undefined) wake(id, entry.woken)
  }

  return {
    wake,
    async agent(id) {
      await entries.get(id)?.ending
      return entryOf(id)?.agent
    },
    connected: () => [...entries.values()].filter(({ agent }) => agent.connected).length,
    async refresh() {
      const changed = [...entries].filter(
        ([id, { made }]) => JSON.stringify(parts.device(id)) !== made,
      )
      await Promise.all(changed.map(([id, entry]) => replace(id, entry)))
    },
    async stop() {
      stopping = true
      await Promise.all([...entries.values()].map((entry) => entry.ending ?? entry.agent.stop()))
      entries.clear()
    },
  }
}

function agentFor(parts: FleetParts, known: Reachable, platform: Platform, gate: PQueue): Agent {
  const { id } = known.device
  return createAgent({
    device: known.device,
    ...(known.jump === undefined ? {} : { jump: known.jump }),
    platform,
    journal: parts.journal(known),
    gate,
    clock: parts.clock,
    log: parts.log,
    environment: parts.environment,
    unsaved: parts.unsaved(id),
    checkMs: parts.checkIntervalMs,
    deadlines: { ownMs: parts.ownDeadlineMs, observerMs: parts.observerDeadlineMs },
    ...(parts.openSession === undefined ? {} : { openSession: parts.openSession }),
  })
}
