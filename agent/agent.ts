// The device agent: owns one device, its warm session, its strictly serial queue and its timers. What a convergence does is converge.ts.

import PQueue from 'p-queue'
import type { Device, Jump } from '../inventory/model.ts'
import { checkDevice, readFor } from './agent-read.ts'
import { createWarm, type Warm } from './agent-session.ts'
import { backoffMs, isRetried, wantsRetry } from './agent-timers.ts'
import type { Clock } from './clock.ts'
import { converge } from './converge.ts'
import { saveConfiguration } from './converge-save.ts'
import type { Deadlines, Work } from './converge-work.ts'
import { intentsToRead } from './diff.ts'
import { AgentError } from './errors.ts'
import { type Intent, keyOf } from './intents.ts'
import type { Journal, Reading } from './journal.ts'
import type { Change, Facts, Platform } from './platform.ts'
import type { Environment } from './secrets.ts'

/** Where an agent writes what an operator of nullroute should see. pino fits. */
export interface AgentLog {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
}

/** What an agent needs. */
export interface AgentOptions {
  readonly device: Device
  readonly jump?: Jump
  readonly platform: Platform
  readonly journal: Journal
  /** Caps the devices that are worked on at once; shared by all agents. */
  readonly gate: PQueue
  readonly clock: Clock
  readonly log: AgentLog
  readonly environment: Environment
  /** Whether the store knows of changes of ours that were not saved yet. */
  readonly unsaved?: boolean
  /** How long effects are waited for, in ms: 5,000 for objects of our own, 30,000 for what other devices must learn. */
  readonly deadlines?: Deadlines
  /** Time between two checks, in ms: 300,000. */
  readonly checkMs?: number
}

/** One device's agent. */
export interface Agent {
  /** There is something to do: coalesced with what waits already. */
  wake(why: 'change' | 'retry' | 'check'): void
  /** Reads everything, the preflight too, and reports drift; what is missing is put back afterwards. */
  check(): Promise<Reading>
  /** Reads for a plan, and on a candidate loads, compares, checks and discards the changes. */
  read(
    intents: readonly Intent[],
    changes?: readonly Change[],
    why?: 'approval' | 'dry-run',
  ): Promise<Reading>
  readonly connected: boolean
  /** Ends the intent under way, closes the session; what doesn't end within 5 s is cut off. */
  stop(): Promise<void>
}

/** Order of the queue: the higher goes first. */
const priorities = {
  'late save': 60,
  change: 50,
  approval: 40,
  retry: 30,
  check: 20,
  'dry-run': 10,
  save: 0,
} as const

const checkMsDefault = 300_000
const deadlinesDefault: Deadlines = { ownMs: 5_000, observerMs: 30_000 }
/** Longest time that a change stays unsaved because other work comes first, in ms. */
const saveMsMax = 10_000
/** Time that the step under way gets to end in good order, in ms. */
const stopMs = 5_000
const convergence = 'convergence'
const saving = 'save'

interface State {
  unsaved: boolean
  facts: Facts
  /** A convergence waits in the queue. */
  waiting: boolean
  savePending: boolean
  attempts: number
  stopping: boolean
  cancelRetry: () => void
  cancelCheck: () => void
  cancelSave: () => void
}

/** Starts the agent of one device. It converges at once, because nothing is known yet, and checks every five minutes. */
export function createAgent(options: AgentOptions): Agent {
  const { device, journal, clock, log } = options
  const queue = new PQueue({ concurrency: 1 })
  const abort = new AbortController()
  const none = (): void => undefined
  const state: State = {
    unsaved: options.unsaved === true,
    facts: {},
    waiting: false,
    savePending: false,
    attempts: 0,
    stopping: false,
    cancelRetry: none,
    cancelCheck: none,
    cancelSave: none,
  }
  const warm = createWarm({
    ...options,
    signal: abort.signal,
    lost: () => {
      if (!state.stopping) retryLater()
    },
  })
  const work = workOf(options, { state, warm, signal: abort.signal })

  const retryLater = (): void => {
    state.cancelRetry()
    const ms = backoffMs(state.attempts)
    state.attempts += 1
    state.cancelRetry = clock.after(ms, () => wake('retry'))
  }

  /** Jobs by name that still wait in the queue: only those can be moved up. */
  const queued = new Set<string>()

  /** One thing on the device at a time, and not more devices at once than the gate lets through. */
  const enqueue = <T>(job: () => Promise<T>, priority: number, id?: string): Promise<T> => {
    if (id !== undefined) queued.add(id)
    const stopped = (): void => {
      if (state.stopping) throw new AgentError('stopped', 'the agent was told to stop')
    }
    const run = async (): Promise<T> => {
      stopped()
      warm.busy()
      try {
        return await job()
      } finally {
        await warm.idle()
      }
    }
    const start = async (): Promise<T> => {
      if (id !== undefined) queued.delete(id)
      stopped()
      return options.gate.add(run)
    }
    return queue.add(start, id === undefined ? { priority } : { priority, id })
  }

  let waitingPriority = 0
  const wake = (why: 'change' | 'retry' | 'check'): void => {
    if (state.stopping) return
    const priority = priorities[why]
    if (state.waiting) {
      // The most urgent reason decides; a lower one must not put it back.
      if (priority > waitingPriority && queued.has(convergence)) {
        waitingPriority = priority
        queue.setPriority(convergence, priority)
      }
      return
    }
    state.waiting = true
    waitingPriority = priority
    state.cancelRetry()
    enqueue(runConvergence, priority, convergence).catch(ended)
  }

  const runConvergence = async (): Promise<void> => {
    state.waiting = false
    state.cancelCheck()
    state.cancelCheck = clock.after(options.checkMs ?? checkMsDefault, () => wake('check'))
    try {
      const result = await converge(work)
      state.facts = result.facts
      state.unsaved = result.unsaved
      if (wantsRetry(result.states)) retryLater()
      else state.attempts = 0
      if (result.lookAgainMs !== undefined) clock.after(result.lookAgainMs, () => wake('check'))
      scheduleSave()
    } catch (error) {
      await failed(error)
    }
  }

  const failed = async (error: unknown): Promise<void> => {
    if (!(error instanceof AgentError)) throw error
    log.warn({ device: device.id, code: error.code }, error.message)
    if (error.code === 'stopped') return
    const keys = intentsToRead(journal.desired()).map(keyOf)
    await journal.failed({ code: error.code, message: error.message, keys })
    if (isRetried(error.code)) retryLater()
  }

  /** What no convergence could answer for: the journal itself, or a mistake of ours. The next check begins anew. */
  const ended = (error: unknown): void => {
    if (error instanceof AgentError && error.code === 'stopped') return
    log.warn({ device: device.id, err: error }, 'a step of the device agent failed')
    if (!state.stopping) retryLater()
  }

  const scheduleSave = (): void => {
    if (!state.unsaved || state.savePending || device.save === 'never') return
    if (options.platform.save === undefined || state.stopping) return
    state.savePending = true
    state.cancelSave = clock.after(saveMsMax, () => {
      if (queued.has(saving)) queue.setPriority(saving, priorities['late save'])
    })
    enqueue(runSave, priorities.save, saving).catch(ended)
  }

  const runSave = async (): Promise<void> => {
    state.savePending = false
    state.cancelSave()
    try {
      const saved = await saveConfiguration(work, state.facts)
      if (saved === 'saved') state.unsaved = false
      if (saved === 'failed') {
        log.warn({ device: device.id }, 'the configuration could not be saved')
        retryLater()
      }
    } catch (error) {
      await failed(error)
    }
  }

  if (state.unsaved) scheduleSave()
  wake('check')
  return {
    wake,
    async check() {
      const { reading, states } = await enqueue(() => checkDevice(work), priorities.check)
      if (states.some((one) => !one.verified)) wake('check')
      return reading
    },
    read: (intents, changes = [], why = 'dry-run') =>
      enqueue(() => readFor(work, intents, changes), priorities[why]),
    get connected() {
      return warm.connected
    },
    stop: () => stopAgent({ queue, abort, state, warm, clock }),
  }
}

function workOf(
  options: AgentOptions,
  {
    state,
    warm,
    signal,
  }: { readonly state: State; readonly warm: Warm; readonly signal: AbortSignal },
): Work {
  return {
    device: options.device,
    platform: options.platform,
    journal: options.journal,
    clock: options.clock,
    signal,
    session: () => warm.get(),
    another: () => warm.another(),
    interrupted: () => state.waiting,
    stopping: () => state.stopping,
    get unsaved() {
      return state.unsaved
    },
    limits: options.deadlines ?? deadlinesDefault,
  }
}

async function stopAgent(parts: {
  readonly queue: PQueue
  readonly abort: AbortController
  readonly state: State
  readonly warm: Warm
  readonly clock: Clock
}): Promise<void> {
  const { queue, abort, state, warm, clock } = parts
  state.stopping = true
  state.cancelRetry()
  state.cancelCheck()
  state.cancelSave()
  const cancel = clock.after(stopMs, () => abort.abort())
  // What waits is not cleared but refused by itself, so that whoever waits for it is told. Bounded: a journal that hangs must not hold the end up.
  let given = (): void => undefined
  const bound = new Promise<void>((resolve) => {
    given = clock.after(stopMs * 2, resolve)
  })
  await Promise.race([queue.onIdle(), bound])
  given()
  cancel()
  await warm.close()
}
