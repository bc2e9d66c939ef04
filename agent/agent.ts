// The device agent: owns one device, its warm session, its strictly serial queue and its timers. What a convergence does is converge.ts.

import PQueue from 'p-queue'
import type { Device, Jump } from '../inventory/model.ts'
import { type AgentLog, faultOf, logBroken } from './agent-faults.ts'
import { createLooks, type Looks } from './agent-looks.ts'
import { convergence, placeAtGate, precedence, priorities, saving } from './agent-priorities.ts'
import { checkDevice, readFor } from './agent-read.ts'
import { createWarm, type Warm } from './agent-session.ts'
import { backoffMs, isRetried, wantsRetry } from './agent-timers.ts'
import type { Clock } from './clock.ts'
import { converge } from './converge.ts'
import { saveConfiguration } from './converge-save.ts'
import { backToRest, type Deadlines, type Work } from './converge-work.ts'
import { intentsToRead } from './diff.ts'
import { AgentError } from './errors.ts'
import { type Intent, type Key, keyOf } from './intents.ts'
import type { Journal, Reading } from './journal.ts'
import type { Change, Facts, Platform } from './platform.ts'
import type { Environment } from './secrets.ts'
import type { OpenSession } from './session.ts'

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
  /** What opens sessions; SSH where nothing is given. */
  readonly openSession?: OpenSession
}

/** One device's agent. */
export interface Agent {
  /** There is something to do: coalesced with what waits already. */
  wake(why: 'change' | 'retry' | 'check'): void
  /** Reads everything, the preflight too, and reports drift; what is missing is put back afterwards. Rejects with `busy` where too much is asked of the device already. */
  check(): Promise<Reading>
  /** Reads for a plan, and on a candidate loads, compares, checks and discards the changes. Rejects with `busy` where too much is asked of the device already; never the `further` read of who has read before: each would be refused what the other's first read left no room for. */
  read(
    intents: readonly Intent[],
    changes?: readonly Change[],
    why?: 'dry-run' | 'further',
  ): Promise<Reading>
  readonly connected: boolean
  /** Ends the intent under way, closes the session; what doesn't end within 5 s is cut off. */
  stop(): Promise<void>
}

const checkMsDefault = 300_000
/** How long effects of our own are waited for, in ms. */
const ownMsDefault = 5_000
/** How long is waited for what other devices must learn, in ms. */
const observerMsDefault = 30_000
/** Longest time that a change stays unsaved because other work comes first, in ms. */
const saveMsMax = 10_000
/** Time that the step under way gets to end in good order, in ms. */
const stopMs = 5_000
/** Reads and checks that are asked of one device at a time, the one under way included; further reads are at most as many again. */
const askedMax = 32

interface Worker {
  readonly options: AgentOptions
  readonly queue: PQueue
  readonly abort: AbortController
  readonly warm: Warm
  readonly work: Work
  /** Jobs by name that still wait in the queue: only those can be moved up. */
  readonly queued: Set<string>
  unsaved: boolean
  facts: Facts
  /** The keys that the convergence under way, or the last one, works on. */
  begun: readonly Key[]
  /** A convergence waits, so urgent. */
  waiting: number | undefined
  /** Reads and checks that were asked for and are not answered yet. */
  asked: number
  savePending: boolean
  attempts: number
  saveAttempts: number
  stopping: boolean
  cancelRetry: () => void
  cancelCheck: () => void
  cancelSave: () => void
  /** Behind a device's own timers. */
  readonly looks: Looks
}

/** Starts the agent of one device. It converges at once, because nothing is known yet, and checks every five minutes. */
export function createAgent(options: AgentOptions): Agent {
  const worker = createWorker(options)
  wake(worker, 'check')
  return {
    wake: (why) => wake(worker, why),
    async check() {
      const { reading, states } = await ask(
        worker,
        () => checkDevice(worker.work),
        priorities.check,
      )
      if (states.some((one) => !one.verified)) wake(worker, 'check')
      return reading
    },
    read: (intents, changes = [], why = 'dry-run') =>
      (why === 'further' ? enqueue : ask)(
        worker,
        () => readFor(worker.work, intents, changes),
        priorities[why],
      ),
    get connected() {
      return worker.warm.connected
    },
    stop: () => stop(worker),
  }
}

function createWorker(options: AgentOptions): Worker {
  const abort = new AbortController()
  const none = (): void => undefined
  const warm = createWarm({
    ...options,
    signal: abort.signal,
    lost: (isLogOut) => lostSession(worker, isLogOut),
  })
  const work: Work = {
    device: options.device,
    platform: options.platform,
    journal: options.journal,
    clock: options.clock,
    signal: abort.signal,
    connected: () => warm.connected,
    async session() {
      const session = await warm.get()
      await backToRest(work, session)
      return session
    },
    another: () => warm.another(),
    // Whoever waits for an answer goes first: what other devices must learn may take long, and is looked for again.
    interrupted: () => worker.queue.size > 0,
    stopping: () => worker.stopping,
    get unsaved() {
      return worker.unsaved
    },
    limits: options.deadlines ?? { ownMs: ownMsDefault, observerMs: observerMsDefault },
    waits: new Map(),
    began(desired) {
      worker.begun = intentsToRead(desired).map(keyOf)
    },
  }
  const worker: Worker = {
    options,
    queue: new PQueue({ concurrency: 1 }),
    abort,
    warm,
    work,
    queued: new Set(),
    unsaved: options.unsaved === true,
    facts: {},
    begun: [],
    waiting: undefined,
    asked: 0,
    savePending: false,
    attempts: 0,
    saveAttempts: 0,
    stopping: false,
    cancelRetry: none,
    cancelCheck: none,
    cancelSave: none,
    looks: createLooks(options.clock, () => wake(worker, 'check')),
  }
  return worker
}

/** One thing on the device at a time, and not more devices at once than the gate lets through. */
function enqueue<T>(
  worker: Worker,
  job: () => Promise<T>,
  priority: number,
  id?: string,
): Promise<T> {
  const { queued, queue, warm, options } = worker
  if (id !== undefined) queued.add(id)
  const stopped = (): void => {
    if (worker.stopping) throw new AgentError('stopped', 'the agent was told to stop')
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
    return options.gate.add(run, placeAtGate(options.device.id, id, worker.waiting))
  }
  return queue.add(start, id === undefined ? { priority } : { priority, id })
}

/** What people ask for as often as they like: nothing else bounds how much of it waits. */
async function ask<T>(worker: Worker, job: () => Promise<T>, priority: number): Promise<T> {
  if (worker.asked >= askedMax) {
    const { id } = worker.options.device
    throw new AgentError(
      'busy',
      `${worker.asked} reads and checks of ${id} wait already: nothing was asked of it, come again in a few seconds`,
    )
  }
  worker.asked += 1
  try {
    return await enqueue(worker, job, priority)
  } finally {
    worker.asked -= 1
  }
}

function wake(worker: Worker, why: 'change' | 'retry' | 'check'): void {
  if (worker.stopping) return
  const priority = priorities[why]
  if (worker.waiting !== undefined) {
    // The most urgent reason decides; a lower one must not put it back.
    if (priority <= worker.waiting) return
    worker.waiting = priority
    const { queue, queued, options } = worker
    if (queued.has(convergence)) queue.setPriority(convergence, priority)
    else options.gate.setPriority(options.device.id, precedence(priority))
    return
  }
  worker.waiting = priority
  worker.cancelRetry()
  enqueue(worker, () => runConvergence(worker), priority, convergence).catch((error: unknown) =>
    ended(worker, error),
  )
}

async function runConvergence(worker: Worker): Promise<void> {
  worker.waiting = undefined
  await convergeNow(worker)
}

async function convergeNow(worker: Worker): Promise<void> {
  const { clock, checkMs } = worker.options
  // What an earlier one planned to do again is being done now; else each would cut its successor short.
  worker.cancelRetry()
  worker.cancelCheck()
  worker.cancelCheck = clock.after(checkMs ?? checkMsDefault, () => wake(worker, 'check'))
  try {
    const result = await converge(worker.work)
    worker.facts = result.facts
    worker.unsaved = result.unsaved
    if (wantsRetry(result.states)) retryLater(worker)
    else worker.attempts = 0
    if (result.lookAgainMs !== undefined) worker.looks.after(result.lookAgainMs)
    scheduleSave(worker)
  } catch (error) {
    await failed(worker, error)
  }
}

/** The next try after one that failed. A loss of the session is no try: whatever was under way counts by itself. */
function retryLater(worker: Worker): void {
  retryAfter(worker, backoffMs(worker.attempts))
  worker.attempts += 1
}

function retryAfter(worker: Worker, ms: number): void {
  if (worker.stopping) return
  worker.cancelRetry()
  worker.cancelRetry = worker.options.clock.after(ms, () => wake(worker, 'retry'))
}

/** Devices log idle sessions out: the next need or check opens another. Perhaps it was rebooted, though, and has forgotten what was not saved; then it is looked at as soon as it is back. */
function lostSession(worker: Worker, isLogOut: boolean): void {
  const { unsaved, work, queue } = worker
  const idle = !unsaved && work.waits.size === 0 && queue.pending + queue.size === 0
  if (!isLogOut || !idle) retryAfter(worker, backoffMs(worker.attempts))
}

async function failed(worker: Worker, error: unknown): Promise<void> {
  const { code, message } = faultOf(worker.options, error)
  const { journal } = worker.options
  if (code === 'stopped') return await journal.flush()
  // Time in which nothing could be read is no time in which nothing showed.
  worker.work.waits.clear()
  await journal
    .failed({ code, message, keys: worker.begun })
    .catch((unwritten: unknown) => logBroken(worker.options, unwritten))
  if (isRetried(code)) retryLater(worker)
}

/** What was thrown where nothing else answers for it. It begins anew. */
function ended(worker: Worker, error: unknown): void {
  if (error instanceof AgentError && error.code === 'stopped') return
  logBroken(worker.options, error)
  retryLater(worker)
}

/** Saves when nothing else waits, or ten seconds from now, whatever waits. */
function scheduleSave(worker: Worker): void {
  const { device, platform, clock } = worker.options
  if (!worker.unsaved || worker.savePending || worker.stopping) return
  if (platform.save === undefined || device.save === 'never') return
  worker.savePending = true
  worker.cancelSave = clock.after(saveMsMax, () => {
    if (worker.queued.has(saving)) worker.queue.setPriority(saving, priorities['late save'])
  })
  enqueue(worker, () => runSave(worker), priorities.save, saving).catch((error: unknown) => {
    worker.savePending = false
    ended(worker, error)
  })
}

async function runSave(worker: Worker): Promise<void> {
  worker.cancelSave()
  try {
    const save = () => saveConfiguration(worker.work, worker.facts)
    let saved = await save()
    if (saved === 'unread') {
      await convergeNow(worker)
      saved = await save()
    }
    // Where it is unread still, the convergence failed, and the next one that doesn't comes back to it.
    worker.savePending = false
    if (saved === 'saved') worker.unsaved = false
    if (saved === 'saved') worker.saveAttempts = 0
    if (saved === 'failed') saveLater(worker)
  } catch (error) {
    // What is in force is not touched by it: it is a matter of saving alone.
    const fault = error instanceof AgentError ? error : faultOf(worker.options, error)
    if (fault.code !== 'stopped') saveLater(worker, fault)
  }
}

/** A save that failed is tried again by itself, apart from the convergences. */
function saveLater(worker: Worker, error?: AgentError): void {
  const { device, log, clock } = worker.options
  const ms = backoffMs(worker.saveAttempts)
  worker.saveAttempts += 1
  worker.savePending = true
  const why = error === undefined ? {} : { code: error.code, why: error.message }
  log.warn({ device: device.id, againInMs: ms, ...why }, 'the configuration could not be saved')
  worker.cancelSave = clock.after(ms, () => {
    worker.savePending = false
    scheduleSave(worker)
  })
}

async function stop(worker: Worker): Promise<void> {
  const { queue, abort, warm, options } = worker
  worker.stopping = true
  cancelTimers(worker)
  const cancel = options.clock.after(stopMs, () => abort.abort())
  // What waits is not cleared but refused by itself, so that whoever waits for it is told. Bounded: a journal that hangs must not hold the end up.
  let given = (): void => undefined
  const bound = new Promise<void>((resolve) => {
    given = options.clock.after(stopMs * 2, resolve)
  })
  await Promise.race([queue.onIdle(), bound])
  given()
  cancel()
  // What was under way until now may have set some.
  cancelTimers(worker)
  await warm.close()
}

function cancelTimers(worker: Worker): void {
  worker.cancelRetry()
  worker.cancelCheck()
  worker.cancelSave()
  worker.looks.cancel()
}
