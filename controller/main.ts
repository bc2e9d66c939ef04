// The composition root: the only file that knows every implementation. Starts a controller with its agents and API in this process, and ends it.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { monotonicFactory } from 'ulid'
import { type Clock, systemClock } from '../agent/clock.ts'
import type { Journal } from '../agent/journal.ts'
import { platforms } from '../agent/platforms/index.ts'
import { type OpenSession, openSession } from '../agent/session.ts'
import type { Id } from '../inventory/model.ts'
import { type Problem, printProblem } from '../inventory/problem.ts'
import { createServer } from './api/server.ts'
import type { Config } from './config.ts'
import type { Controller, ReloadReport } from './controller.ts'
import { createController } from './desk/controller.ts'
import { type Desk, systemActor } from './desk/desk.ts'
import { devicesWithWork } from './desk/freeze.ts'
import { createReload, noteConflicts, noteLoaded } from './desk/reload.ts'
import { takenEndpoints } from './endpoints.ts'
import { ControllerError } from './errors.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { createJournal } from './journal.ts'
import { createLoop } from './loop.ts'
import { closeOpenSteps, heldDevices, reachable } from './recover.ts'
import { freshFraction } from './store/random.ts'
import { openStore } from './store/sqlite.ts'
import type { Store } from './store/store.ts'
import { loadWorld, type World } from './world.ts'

/** A controller that runs. */
export interface Running {
  readonly url: string
  readonly controller: Controller
  /** Whether any token exists: if not, nobody can ask anything yet. */
  readonly hasTokens: boolean
  /** Reads inventory and playbooks again, on SIGHUP. */
  reload(): Promise<ReloadReport>
  /** What the next start would go on with: enforcements that devices have yet to follow, devices whose changes are not saved. */
  left(): readonly string[]
  /** Takes no more requests and answers those that are under way: for a store that is broken, when nothing else can end well. */
  hangUp(): Promise<void>
  /** Ends it; answers what is left for the next start. Requests and devices get their named times (docs/bounds.md); whoever can't wait so long ends the process. */
  stop(): Promise<{ readonly left: readonly string[] }>
}

/** What stands around the parts that do I/O. Nothing does in the product; a process of its own can watch there what passes, or end there. */
export interface Around {
  store(store: Store): Store
  journal(journal: Journal, device: Id): Journal
  openSession(open: OpenSession): OpenSession
}

/** What a start is given besides its configuration. */
export interface StartParts {
  readonly log: Logger
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  readonly around?: Around
  /** Called once when the store can't be trusted any more and the process should end. */
  fatal?(cause: Error): void
}

/** Starts everything, in the order in which a crash is safe: store, what the last run left open, agents, API. Throws ControllerError `inventory_invalid` with every problem, `data_in_use`, `config_invalid`. */
export async function startController(config: Config, parts: StartParts): Promise<Running> {
  const clock = parts.clock ?? systemClock
  const { log } = parts
  const world = await firstWorld(config, log)
  const opened = openStore({
    dir: config.data,
    as: 'controller',
    clock,
    busyTimeoutMs: config.busyTimeoutMs,
    onBroken: (fault) => parts.fatal?.(fault),
    ...(config.origin === undefined ? {} : { origin: config.origin }),
  })
  const store = parts.around?.store(opened) ?? opened
  try {
    return await run({ config, store, world, clock, parts })
  } catch (fault) {
    store.close()
    throw fault
  }
}

async function run(about: {
  readonly config: Config
  readonly store: Store
  readonly world: World
  readonly clock: Clock
  readonly parts: StartParts
}): Promise<Running> {
  const { config, store, clock, parts } = about
  const { log } = parts
  const version = await packageVersion()
  refuseTakenEndpoints(config, store, about.world)
  const closed = await closeOpenSteps(store)
  if (closed > 0) {
    log.warn({ closed }, 'the last run ended in the middle of work: those devices are read first')
  }
  const desk = createDesk(about)
  const loop = createLoop(desk)
  const reload = createReload(desk, config)
  const controller = createController(desk, loop, reload)
  await noteStart(desk, config, version)
  await noteConflicts(desk)
  const app = await createServer(controller, {
    version,
    clock,
    log,
    bodyLimitBytes: config.bodyLimitBytes,
    requestsPerMinute: config.requestsPerMinute,
    changesAtOnce: config.changesAtOnce,
    connections: config.connections,
    eventStreams: config.eventStreams,
  })
  const url = await listen(app, config)
  loop.start()
  for (const device of store.read(devicesWithWork)) desk.fleet.wake(device, 'change')
  return {
    url,
    controller,
    hasTokens: store.read((rows) => rows.tokens().some(({ revokedAt }) => revokedAt === undefined)),
    reload: () => reload({ actor: systemActor }),
    left: () => leftOf(store),
    hangUp: async () => {
      await app.close()
    },
    stop: () => stop({ app, loop, desk }),
  }
}

function createDesk(about: {
  readonly config: Config
  readonly store: Store
  readonly world: World
  readonly clock: Clock
  readonly parts: StartParts
}): Desk {
  const { config, store, clock, parts } = about
  const { around } = parts
  let { world } = about
  const fleet: Fleet = createFleet({
    device: (id) => reachable(world, store, id),
    platforms,
    journal(known) {
      const outOfReachMs = 3 * config.checkIntervalMs
      const journal = createJournal({ ...known, store, clock, turn, outOfReachMs })
      return around?.journal(journal, known.device.id) ?? journal
    },
    clock,
    log: parts.log,
    environment: parts.environment,
    devicesAtOnce: config.devicesAtOnce,
    checkIntervalMs: config.checkIntervalMs,
    observerDeadlineMs: config.observerDeadlineMs,
    ownDeadlineMs: config.ownDeadlineMs,
    unsaved: (id) => store.read((rows) => rows.device(id)?.unsaved === true),
    ...(around === undefined ? {} : { openSession: around.openSession(openSession) }),
  })
  function turn(devices: readonly Id[]): void {
    for (const next of devices) fleet.wake(next, 'change')
  }
  return {
    store,
    clock,
    platforms,
    fleet,
    log: parts.log,
    world: () => world,
    replaceWorld: (next) => {
      world = next
    },
    id: monotonicFactory(freshFraction),
  }
}

async function stop(about: {
  readonly app: FastifyInstance
  readonly loop: { stop(): void }
  readonly desk: Desk
}): Promise<{ readonly left: readonly string[] }> {
  const { desk } = about
  about.loop.stop()
  // Together: a request that waits for a device is answered when the device's agent ends.
  await Promise.all([about.app.close(), desk.fleet.stop()])
  const left = leftOf(desk.store)
  await desk.store
    .commit((tx) => {
      tx.append({
        type: 'system.stopped',
        outcome: 'ok',
        actor: systemActor,
        on: {},
        data: { left: left.length },
      })
    })
    .catch((fault: unknown) =>
      desk.log.error({ err: fault }, 'the stop could not be written to the audit log'),
    )
  desk.store.close()
  return { left }
}

function leftOf(store: Store): readonly string[] {
  return store.read((rows) => [
    ...rows
      .live()
      .filter(({ status }) => status === 'enforcing' || status === 'releasing')
      .map(({ id, status }) => `${id} (${status})`),
    ...rows
      .devices()
      .filter(({ unsaved }) => unsaved)
      .map(({ device }) => `${device} (not saved)`),
  ])
}

async function firstWorld(config: Config, log: Logger): Promise<World> {
  const loaded = await loadWorld(config, platforms)
  if (!loaded.ok) {
    throw new ControllerError('inventory_invalid', describeProblems(loaded.problems), {
      problems: loaded.problems,
    })
  }
  for (const warning of loaded.warnings) log.warn(printProblem(warning))
  return loaded.value
}

// The inventory may have been changed while nothing ran: a reload would have refused this, and two agents on one machine undo each other.
function refuseTakenEndpoints(config: Config, store: Store, world: World): void {
  const taken = store.read((rows) => takenEndpoints(world.inventory, heldDevices(rows), platforms))
  if (taken.length === 0) return
  const lines = taken.map(({ message }) => `${config.inventory}: ${message}`)
  throw new ControllerError(
    'inventory_invalid',
    ['the inventory gives away endpoints that are held:', ...lines].join('\n'),
  )
}

function describeProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return [`${count} in inventory or playbooks:`, ...problems.map(printProblem)].join('\n')
}

async function noteStart(desk: Desk, config: Config, version: string): Promise<void> {
  const digest = createHash('sha256').update(JSON.stringify(config)).digest('hex')
  await desk.store.commit((tx) => {
    const data = { version, config: digest }
    tx.append({ type: 'system.started', outcome: 'ok', actor: systemActor, on: {}, data })
  })
  await noteLoaded(desk, [{ actor: systemActor }])
}

async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    return await app.listen({ host: config.host, port: config.port })
  } catch (cause) {
    await app.close()
    throw new ControllerError(
      'config_invalid',
      `can't listen on ${config.host}:${config.port}: ${cause instanceof Error ? cause.message : String(cause)}; choose another with --listen HOST:PORT`,
      {},
      cause,
    )
  }
}

/** The version in package.json, which lies above this file in the source tree and above dist/ in the package. */
export async function packageVersion(): Promise<string> {
  for (const up of ['../package.json', '../../package.json']) {
    const text = await readFile(new URL(up, import.meta.url), 'utf8').catch(() => undefined)
    if (text !== undefined) return String((JSON.parse(text) as { version: unknown }).version)
  }
  throw new ControllerError(
    'data_invalid',
    'package.json is not where the package has it: install nullroute anew',
  )
}
