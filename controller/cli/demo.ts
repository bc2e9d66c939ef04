// `nullroute demo`: a virtual ISP, a controller and a tour, in one command. Makes its own folder anew each time and ends all that it began.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { monotonicFactory } from 'ulid'
import { systemClock } from '../../agent/clock.ts'
import { type Config, loadConfig } from '../config.ts'
import { systemActor } from '../desk/desk.ts'
import { createToken } from '../desk/tokens.ts'
import { ControllerError } from '../errors.ts'
import { type Running, startController } from '../main.ts'
import { makeFolder } from '../store/folder.ts'
import { takeLock } from '../store/lock.ts'
import { type Role, roles } from '../store/store.ts'
import { CliError, type Context, exitCodes, remark, say } from './context.ts'
import { type DemoCredentials, demoEnvironmentFile, demoFolder } from './demo-credentials.ts'
import { startLab } from './demo-lab.ts'
import { demoInventory, demoKnownHosts, demoPasswordEnv } from './demo-network.ts'
import { startSimulatorProcess } from './demo-simulator.ts'
import { labSights, type Sights, simulatedSights, tour, welcome } from './demo-tour.ts'
import { here } from './invocation.ts'
import { styleFor } from './print.ts'
import { drain, told } from './serve.ts'

/** Flags of `demo`. */
export interface DemoOptions {
  /** Real routers in network namespaces instead of simulated ones. */
  readonly lab?: boolean
  readonly listen?: string
  readonly json?: boolean
  /** The working folder, in which the demo makes its own. */
  readonly cwd: string
}

/** A network for the controller to work on. */
interface Network {
  readonly inventory: string
  readonly sights: Sights
  /** Secrets that its inventory names. */
  readonly environment: Readonly<Record<string, string>>
  /** A line on each device. */
  readonly devices: readonly string[]
  readonly failed: Promise<string>
  stop(): Promise<void>
}

const marker = 'README.txt'
const password = 'nullroute-demo'

/** Runs until Ctrl-C. Exit code 0 after a clean end. */
export async function demo(context: Context, options: DemoOptions): Promise<number> {
  const folder = join(options.cwd, demoFolder)
  freshFolder(folder)
  const { listen, remarks } = await chooseAddress(options.listen)
  const network =
    options.lab === true ? await labNetwork(context, folder) : await simulatedNetwork(folder)
  try {
    const config = await loadConfig({
      inventory: network.inventory,
      data: join(folder, 'data'),
      listen,
    })
    return await run(context, { config, folder, network, options, remarks })
  } finally {
    await network.stop()
    // The controller is gone: nothing must go on looking for it.
    rmSync(join(folder, 'credentials.json'), { force: true })
    rmSync(join(folder, 'env'), { force: true })
  }
}

async function run(
  context: Context,
  about: {
    readonly config: Config
    readonly folder: string
    readonly network: Network
    readonly options: DemoOptions
    readonly remarks: readonly string[]
  },
): Promise<number> {
  const { config, folder, network, options, remarks } = about
  const log = pino(
    { level: 'info' },
    pino.destination({ dest: join(folder, 'nullroute.log'), sync: true }),
  )
  let fatal: (cause: Error) => void = () => undefined
  const broken = new Promise<string>((resolve) => {
    fatal = (cause) => resolve(cause.message)
  })
  const environment = { ...context.environment, ...network.environment }
  const running = await startController(config, { log, environment, fatal })
  await writeCredentials(running, folder)
  await greet(running)
  const stops = tour(network.sights, context.program ?? 'nullroute', here(config.data, options.cwd))
  if (options.json === true) {
    say(context, JSON.stringify({ ready: true, url: running.url, folder, tour: stops }))
  } else {
    const style = styleFor(context.stdout, context.environment)
    const { devices } = network
    say(context, welcome({ style, url: running.url, devices, folder: demoFolder, stops, remarks }))
  }
  const why = await Promise.race([told(context).then(() => undefined), broken, network.failed])
  if (why !== undefined) remark(context, `nullroute: ${why}`)
  else remark(context, '\nEnding.')
  const clean = await drain(running, config.drainMs, log)
  return why === undefined && clean ? exitCodes.done : exitCodes.refused
}

/** A fresh folder. One that a running demo uses, or that something else made, is left alone. */
function freshFolder(folder: string): void {
  if (existsSync(folder)) {
    if (!isOurs(folder)) {
      throw new CliError(
        exitCodes.refused,
        'not_ours',
        `${folder} is there and was not made by a demo: move it away, or run the demo in another folder`,
      )
    }
    refuseSecond(join(folder, 'data'))
    rmSync(folder, { recursive: true })
  }
  makeFolder(join(folder, 'inventory'), 0o700)
  writeFileSync(
    join(folder, marker),
    'Made by `nullroute demo`, and made anew by the next one: inventory, data, tokens and log of a demonstration.\n',
  )
}

function refuseSecond(data: string): void {
  if (!existsSync(data)) return
  try {
    takeLock(data).release()
  } catch (fault) {
    const pid = fault instanceof ControllerError ? fault.detail['pid'] : undefined
    throw new CliError(
      exitCodes.refused,
      'data_in_use',
      `a demo runs in this folder already${typeof pid === 'number' ? ` (pid ${pid})` : ''}: end that one, or run this one in another folder`,
    )
  }
}

function isOurs(folder: string): boolean {
  try {
    return readFileSync(join(folder, marker), 'utf8').startsWith('Made by `nullroute demo`')
  } catch {
    return false
  }
}

/** 127.0.0.1:8080, or where that is taken and nobody asked for it, a free port. */
async function chooseAddress(
  wanted: string | undefined,
): Promise<{ readonly listen: string; readonly remarks: readonly string[] }> {
  if (wanted !== undefined) return { listen: wanted, remarks: [] }
  const usual = 8080
  if (await isFree(usual)) return { listen: `127.0.0.1:${usual}`, remarks: [] }
  return {
    listen: '127.0.0.1:0',
    remarks: [
      `Port ${usual} is taken by another program, so this demo listens on another one (--listen HOST:PORT chooses).`,
    ],
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

async function simulatedNetwork(folder: string): Promise<Network> {
  const example = exampleInventory()
  const simulator = await startSimulatorProcess(example, password)
  const { devices } = simulator
  const inventory = join(folder, 'inventory')
  for (const name of ['network.yaml', 'customers.yaml']) {
    const text = readFileSync(join(example, name), 'utf8')
    writeFileSync(join(inventory, name), demoInventory(text, devices))
  }
  writeFileSync(join(inventory, 'known_hosts'), demoKnownHosts(devices))
  const width = Math.max(...devices.map(({ name }) => name.length))
  return {
    inventory,
    sights: simulatedSights,
    environment: { [demoPasswordEnv]: password },
    devices: [
      `${devices.length} simulated devices, to log in to and look around (password ${password}):`,
      ...devices.map(
        ({ name, platform, host, port, username }) =>
          `${name.padEnd(width)}  ${platform.padEnd(13)}  ssh -p ${port} ${username}@${host}`,
      ),
    ],
    failed: simulator.failed,
    stop: () => simulator.stop(),
  }
}

async function labNetwork(context: Context, folder: string): Promise<Network> {
  remark(context, 'Starting the lab: real routers in network namespaces. This takes some seconds.')
  const lab = await startLab(context.environment, join(folder, 'lab.log'))
  return {
    inventory: lab.inventory,
    sights: labSights,
    environment: {},
    devices: [
      `The lab's devices stand in ${lab.inventory}; watch the customer's address answer, and stop answering:`,
      'ip netns exec nrlab-internet ping 203.0.113.10',
    ],
    failed: new Promise(() => undefined),
    stop: () => lab.stop(),
  }
}

/** The example ISP: beside the sources, and in the package above dist/. */
function exampleInventory(): string {
  const places = ['../../inventory/example', '../../../inventory/example'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  )
  const found = places.find((place) => existsSync(join(place, 'network.yaml')))
  if (found !== undefined) return found
  throw new CliError(
    exitCodes.refused,
    'example_missing',
    'the example inventory is not where the package has it: install nullroute again',
  )
}

/** A token for each role, each a person of its own: nobody approves what he asked for himself. */
async function writeCredentials(running: Running, folder: string): Promise<void> {
  const id = monotonicFactory()
  const { store } = running.controller
  const make = async (role: Role): Promise<readonly [Role, string]> => {
    const { token } = await createToken(
      store,
      { actor: systemActor, id: id(), at: systemClock.now().toISOString() },
      { name: `demo-${role}`, person: `${role}@marsh.example`, roles: [role] },
    )
    return [role, token]
  }
  // One for each role, by the line that makes them.
  const tokens = Object.fromEntries(await Promise.all(roles.map(make))) as Record<Role, string>
  const credentials: DemoCredentials = { url: running.url, tokens }
  const secret = { mode: 0o600 }
  writeFileSync(
    join(folder, 'credentials.json'),
    `${JSON.stringify(credentials, null, 2)}\n`,
    secret,
  )
  writeFileSync(join(folder, 'env'), demoEnvironmentFile(credentials), secret)
}

/** Logs in to every device, so that the first look finds them known and warm. What does not answer is shown by \`device list\`. */
async function greet(running: Running): Promise<void> {
  const { controller } = running
  const caller = {
    actor: systemActor,
    token: 'demo',
    person: 'demo',
    roles: ['engineer'],
    request: 'demo-start',
  } as const
  const ids = [...controller.inventory().devices.keys()]
  await Promise.allSettled(ids.map((id) => controller.check(caller, id)))
}
