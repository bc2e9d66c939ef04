// Set-up for whole-system stories: a network of simulated devices, a controller on it, a token for each role, and the program itself, run in this process.
// Everything lives in a folder of its own and is gone afterwards.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { pino } from 'pino'
import { ulid } from 'ulid'
import { stringify } from 'yaml'
import type { Clock } from '../../agent/clock.ts'
import { runCli } from '../../controller/cli/program.ts'
import { type Config, loadConfig } from '../../controller/config.ts'
import { createToken } from '../../controller/desk/tokens.ts'
import { type Running, startController } from '../../controller/main.ts'
import type { Role } from '../../controller/store/store.ts'
import { type Simulator, startSimulator } from './simulator.ts'
import type { SimulatedDevice } from './spec.ts'

/** What a story begins with. Everything has a default: the small ISP below. */
export interface StoryOptions {
  readonly devices?: readonly SimulatedDevice[]
  /** More fields of a device in the inventory, by its name. */
  readonly deviceFields?: Readonly<Record<string, object>>
  /** Customers as in the inventory's YAML. */
  readonly customers?: Readonly<Record<string, object>>
  /** More top-level fields of the inventory: protected, limits. */
  readonly inventory?: object
  readonly config?: Partial<Config>
  readonly clock?: Clock
}

/** What one run of the program answered. */
export interface CliRun {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  /** Standard output as JSON. Throws where it is none. */
  json<T = Readonly<Record<string, unknown>>>(): T
}

/** How to run it. */
interface CliOptions {
  /** Whose token: admin when not given. */
  readonly as?: Role | 'nobody'
  readonly environment?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Called with all that standard error holds so far, whenever something is added. */
  readonly onRemark?: (text: string) => void
  /** The same for standard output. */
  readonly onAnswer?: (text: string) => void
  /** As on a terminal of so many columns: progress is redrawn. */
  readonly columns?: number
}

/** A story that runs. */
export interface Story {
  readonly dir: string
  readonly simulator: Simulator
  /** The controller as it runs now. */
  readonly running: Running
  readonly url: string
  readonly tokens: Readonly<Record<Role, string>>
  /** Runs `nullroute …` against it. */
  cli(argv: readonly string[], options?: CliOptions): Promise<CliRun>
  /** One request to the API, with the admin's token unless another role is named. */
  api<T = Readonly<Record<string, unknown>>>(
    method: string,
    path: string,
    body?: unknown,
    as?: Role,
  ): Promise<{ readonly status: number; readonly json: T }>
  /** Waits for a condition, looked at every few ms. Throws with `what` when it does not come true. */
  until<T>(
    what: string,
    look: () => T | Promise<T | undefined> | undefined,
    ms?: number,
  ): Promise<T>
  /** Ends the controller and starts another one on the same data, at the same address. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const discardNextHops = ['192.0.2.254', '100::1']

/** A trigger, an edge with a customer's BGP session, a Linux host with a customer's port. */
const smallIsp: readonly SimulatedDevice[] = [
  {
    name: 'trigger1',
    platform: 'frr',
    routerId: '10.0.0.1',
    roles: ['rtbh-trigger'],
    discardNextHops,
    asn: '64500',
  },
  {
    name: 'edge1',
    platform: 'frr',
    routerId: '10.0.0.2',
    roles: ['edge'],
    discardNextHops,
    asn: '64500',
    neighbors: [{ address: '192.0.2.66', asn: '64501', description: 'rovernet' }],
  },
  {
    name: 'sw1',
    platform: 'linux',
    roles: ['access'],
    ports: [
      { name: 'p1', description: 'esthost', addresses: [] },
      { name: 'p2', description: 'goodhost', addresses: [] },
    ],
  },
]

/** One host customer, one BGP customer, and one that is never touched. */
const smallCustomers: Readonly<Record<string, object>> = {
  esthost: {
    name: 'Esthost',
    prefixes: ['203.0.113.0/30', '2001:db8:e57::/48'],
    ports: [{ device: 'sw1', interface: 'p1' }],
  },
  goodhost: {
    name: 'Goodhost',
    prefixes: ['203.0.113.4/30'],
    ports: [{ device: 'sw1', interface: 'p2' }],
  },
  rovernet: {
    name: 'Rovernet',
    asn: 64501,
    prefixes: ['203.0.113.128/26'],
    neighbors: [{ device: 'edge1', address: '192.0.2.66' }],
  },
}

/** Starts devices and controller, and makes a token for each role. */
export async function startStory(options: StoryOptions = {}): Promise<Story> {
  const dir = await mkdtemp(join(tmpdir(), 'nullroute-story-'))
  const simulator = await startSimulator({ devices: options.devices ?? smallIsp })
  try {
    await writeInventory(dir, simulator, options)
    const start = await starter(dir, simulator, options)
    let running = await start()
    const tokens = await makeTokens(running)
    const story: Story = {
      dir,
      simulator,
      get running() {
        return running
      },
      get url() {
        return running.url
      },
      tokens,
      cli: (argv, how = {}) => run(argv, { url: running.url, tokens, how }),
      api: (method, path, body, as = 'admin') =>
        request({ url: running.url + path, method, body, token: tokens[as] }),
      until,
      async restart() {
        const { port } = new URL(running.url)
        await running.stop()
        running = await start(Number(port))
      },
      async stop() {
        await running.stop()
        await simulator.stop()
        await rm(dir, { recursive: true, force: true })
      },
    }
    return story
  } catch (fault) {
    await simulator.stop()
    await rm(dir, { recursive: true, force: true })
    throw fault
  }
}

async function writeInventory(
  dir: string,
  simulator: Simulator,
  options: StoryOptions,
): Promise<void> {
  const { devices } = simulator
  const specs = options.devices ?? smallIsp
  const known = devices.map(({ host, port, hostKey }) => `[${host}]:${port} ${hostKey}\n`)
  await writeFile(join(dir, 'known_hosts'), known.join(''))
  const inventory = {
    version: 1,
    defaults: {
      username: devices[0]?.username,
      auth: { passwordEnv: 'SIMULATOR_PASSWORD' },
      knownHosts: 'known_hosts',
      asn: 64500,
    },
    devices: Object.fromEntries(
      devices.map(({ name, platform, host, port }) => {
        const spec = specs.find((one) => one.name === name)
        const enable =
          spec?.enablePassword === undefined ? {} : { enable: { passwordEnv: 'ENABLE' } }
        const gateways = name === 'edge1' ? { gateways: ['203.0.113.1'] } : {}
        const more = options.deviceFields?.[name] ?? {}
        const roles = spec?.roles ?? []
        return [name, { platform, address: host, port, roles, ...enable, ...gateways, ...more }]
      }),
    ),
    customers: options.customers ?? smallCustomers,
    ...options.inventory,
  }
  await writeFile(join(dir, 'inventory.yaml'), stringify(inventory))
}

async function starter(
  dir: string,
  simulator: Simulator,
  options: StoryOptions,
): Promise<(port?: number) => Promise<Running>> {
  const config = await loadConfig({
    inventory: join(dir, 'inventory.yaml'),
    data: join(dir, 'data'),
    listen: '127.0.0.1:0',
  })
  const enable = (options.devices ?? smallIsp).find((one) => one.enablePassword !== undefined)
  return (port = 0) =>
    startController(
      { ...config, ...options.config, port },
      {
        log: pino({ level: process.env['NULLROUTE_TEST_LOG'] ?? 'silent' }),
        environment: {
          SIMULATOR_PASSWORD: simulator.devices[0]?.password,
          ENABLE: enable?.enablePassword,
        },
        ...(options.clock === undefined ? {} : { clock: options.clock }),
      },
    )
}

async function makeTokens(running: Running): Promise<Readonly<Record<Role, string>>> {
  const make = async (role: Role): Promise<string> => {
    const at = new Date().toISOString()
    const who = { actor: { kind: 'system', id: 'story' } as const, id: ulid(), at }
    const { store } = running.controller
    const person = `${role}@isp.example`
    const { token } = await createToken(store, who, { name: role, person, roles: [role] })
    return token
  }
  return {
    abuse: await make('abuse'),
    engineer: await make('engineer'),
    approver: await make('approver'),
    auditor: await make('auditor'),
    admin: await make('admin'),
  }
}

/** Runs the program once, in this process, with streams of its own. */
async function run(
  argv: readonly string[],
  about: {
    readonly url: string
    readonly tokens: Readonly<Record<Role, string>>
    readonly how: CliOptions
  },
): Promise<CliRun> {
  const { how } = about
  const out = sink(how.columns, how.onAnswer)
  const err = sink(how.columns, how.onRemark)
  const as = how.as ?? 'admin'
  const exit = await runCli(argv, {
    stdout: out.stream,
    stderr: err.stream,
    stdin: new PassThrough().end(),
    environment: {
      NULLROUTE_URL: about.url,
      ...(as === 'nobody' ? {} : { NULLROUTE_TOKEN: about.tokens[as] }),
      ...how.environment,
    },
    signal: how.signal ?? new AbortController().signal,
  })
  const stdout = out.text()
  return {
    exit,
    stdout,
    stderr: err.text(),
    json: <T>() => JSON.parse(stdout) as T,
  }
}

function sink(columns: number | undefined, onText?: (text: string) => void) {
  let text = ''
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      text += String(chunk)
      onText?.(text)
      done()
    },
  })
  return {
    stream: columns === undefined ? stream : Object.assign(stream, { isTTY: true, columns }),
    text: () => text,
  }
}

async function request<T>(about: {
  readonly url: string
  readonly method: string
  readonly body: unknown
  readonly token: string
}): Promise<{ readonly status: number; readonly json: T }> {
  const { url, method, body, token } = about
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, json: (text === '' ? undefined : JSON.parse(text)) as T }
}

async function until<T>(
  what: string,
  look: () => T | Promise<T | undefined> | undefined,
  ms = 10_000,
): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found as T
    if (performance.now() > end) throw new Error(`in ${ms} ms it did not come true that ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
