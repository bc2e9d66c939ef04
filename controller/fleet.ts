// The agents of this process, one for each device that has work. Made when first needed, replaced when the inventory changes their device.

import PQueue from 'p-queue'
import type { Logger } from 'pino'
import { type Agent, createAgent } from '../agent/agent.ts'
import type { Clock } from '../agent/clock.ts'
import type { Journal } from '../agent/journal.ts'
import type { Platform } from '../agent/platform.ts'
import type { Device, Id, Jump } from '../inventory/model.ts'

/** Why a device is woken: a change goes before a retry, a retry before a check. */
export type Why = 'change' | 'retry' | 'check'

/** All agents, seen from the controller. */
export interface Fleet {
  /** Converge soon; wakes that come together are one. A device that is not known is ignored: its enforcement says `device_gone`. */
  wake(device: Id, why: Why): void
  agent(device: Id): Agent | undefined
  /** Devices with an open session. */
  connected(): number
  /** Ends agents whose device is another by now; they come back when they are needed. */
  refresh(): Promise<void>
  /** Ends all within the drain time. */
  stop(): Promise<void>
}

/** What the fleet is made of. */
export interface FleetParts {
  /** The device as it is to be reached: the inventory's, or for retired ones the last known. */
  device(id: Id): { readonly device: Device; readonly jump: Jump | undefined } | undefined
  readonly platforms: ReadonlyMap<string, Platform>
  journal(device: Device): Journal
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
}

/** Agents in this process. */
export function createFleet(parts: FleetParts): Fleet {
  const gate = new PQueue({ concurrency: parts.devicesAtOnce })
  const agents = new Map<Id, { readonly agent: Agent; readonly made: string }>()
  let stopping = false

  function agentOf(id: Id): Agent | undefined {
    const existing = agents.get(id)
    if (existing !== undefined) return existing.agent
    const known = parts.device(id)
    const platform = known === undefined ? undefined : parts.platforms.get(known.device.platform)
    if (stopping || known === undefined || platform === undefined) return undefined
    const agent = createAgent({
      device: known.device,
      ...(known.jump === undefined ? {} : { jump: known.jump }),
      platform,
      journal: parts.journal(known.device),
      gate,
      clock: parts.clock,
      log: parts.log.child({ device: id }),
      environment: parts.environment,
      unsaved: parts.unsaved(id),
      checkMs: parts.checkIntervalMs,
      deadlines: { ownMs: parts.ownDeadlineMs, observerMs: parts.observerDeadlineMs },
    })
    agents.set(id, { agent, made: JSON.stringify(known) })
    return agent
  }

  return {
    wake(device, why) {
      agentOf(device)?.wake(why)
    },
    agent: agentOf,
    connected: () => [...agents.values()].filter(({ agent }) => agent.connected).length,
    async refresh() {
      const changed = [...agents].filter(
        ([id, { made }]) => JSON.stringify(parts.device(id)) !== made,
      )
      for (const [id] of changed) agents.delete(id)
      await Promise.all(changed.map(([, { agent }]) => agent.stop()))
    },
    async stop() {
      stopping = true
      await Promise.all([...agents.values()].map(({ agent }) => agent.stop()))
      agents.clear()
    },
  }
}
