// One story: a simulated network, a real controller on it in a temporary folder, and people with tokens. What all stories share; no story of its own.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { EnforcementView } from '../../../controller/api/schema.ts'
import { type Config, loadConfig } from '../../../controller/config.ts'
import { createToken } from '../../../controller/desk/tokens.ts'
import { type Running, startController } from '../../../controller/main.ts'
import type { Role } from '../../../controller/store/store.ts'
import { verifyFolder } from '../../../controller/store/verify.ts'
import type { SimulatorClock } from '../clock.ts'
import { type RunningDevice, type Simulator, startSimulator } from '../simulator.ts'
import type { SimulatedDevice } from '../spec.ts'
import { type TravelClock, travelClock } from './travel-clock.ts'
import { writeInventory } from './write-inventory.ts'

/** A device of a story: what is simulated, and what the inventory says beyond that. */
export type StoryDevice = SimulatedDevice & { readonly says?: string }

/** What a story begins with. */
export interface StoryOptions {
  readonly devices: readonly StoryDevice[]
  /** YAML below `customers:`, indented by two. */
  readonly customers: string
  /** More YAML at the top level. */
  readonly more?: string
  /** Playbooks beside the shipped ones are not possible: these take their place. */
  readonly playbooks?: Readonly<Record<string, string>>
  readonly config?: Partial<Config>
  readonly minuteMs?: number
  readonly propagationMs?: number
  /** How far the forwarding table of a router is behind its configuration, in ms: 0. */
  readonly installMs?: number
  /** Time on the devices and between them, where it isn't the machine's. */
  readonly deviceClock?: SimulatorClock
  /** How long it waits for anything before it takes it for hanging, in ms: 60,000. */
  readonly patienceMs?: number
}

/** An answer of the API. */
export interface Answer<T> {
  readonly status: number
  readonly body: T
  readonly headers: Headers
}

/** What a problem answer holds. */
export interface Problem {
  readonly code: string
  readonly detail: string
}

/** One audit record, as far as stories look. */
export interface StoredRecord {
  readonly seq: number
  readonly type: string
  readonly outcome: string
  readonly actor: { readonly kind: string; readonly id: string }
  readonly on: { readonly device?: string; readonly enforcement?: string }
  readonly data: Readonly<Record<string, unknown>>
}

/** How a request is sent. */
export interface Sent {
  readonly as?: string
  readonly key?: string
}

/** A running story. */
export interface Story {
  readonly folder: string
  readonly config: Config
  readonly simulator: Simulator
  readonly clock: TravelClock
  /** All that was logged, and all that the API answered. */
  readonly said: readonly string[]
  /** The environment that holds the passwords. */
  readonly environment: Readonly<Record<string, string>>
  readonly running: Running
  device(name: string): RunningDevice
  /** Makes a token; its name is how requests choose it. */
  token(name: string, roles: readonly Role[], person?: string): Promise<string>
  call<T = EnforcementView>(
    method: string,
    path: string,
    body?: unknown,
    sent?: Sent,
  ): Promise<Answer<T>>
  /** A decision that must be accepted. */
  decide(decision: object, sent?: Sent): Promise<EnforcementView>
  release(id: string): Promise<EnforcementView>
  enforcement(id: string): Promise<EnforcementView>
  /** Waits until an enforcement has one of these states. */
  reaches(id: string, ...statuses: readonly string[]): Promise<EnforcementView>
  /** A decision that is in force and saved everywhere: nothing is under way any more. */
  enforced(decision: object): Promise<EnforcementView>
  /** A release that is through and saved everywhere. */
  lifted(id: string): Promise<void>
  /** Waits until this holds; `what` names it when it doesn't in time. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>
  /** Waits until no step is open and nothing is unsaved. */
  quiet(): Promise<void>
  records(filter?: { readonly type?: string; readonly device?: string }): readonly StoredRecord[]
  /** Writes the inventory anew, with other customers. */
  rewrite(customers: string, devices?: readonly StoryDevice[], more?: string): Promise<void>
  /** Ends the controller in good order and starts it on the same data. */
  restart(): Promise<void>
  /** Ends the controller only. */
  stopController(): Promise<void>
  /** Starts one on the same data. */
  startController(): Promise<void>
  /** The data folder is lost: a new controller begins with nothing. */
  forget(): Promise<void>
  /** Ends everything; the log must verify. */
  end(): Promise<void>
}

const password = 'Tiger-Sim-Pw-4711'
const enable = 'Lynx-Enable-0815'
const everything: readonly Role[] = ['admin', 'abuse', 'engineer', 'auditor']
const patienceMsDefault = 60_000

/** Starts simulator and controller. The first token, `admin`, has every role but approver. */
export async function startStory(options: StoryOptions): Promise<Story> {
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-story-'))
  const simulator = await startSimulator({
    devices: options.devices.map(({ says: _says, ...device }) => ({
      password,
      discardNextHops: ['192.0.2.254', '100::1'],
      asn: '64500',
      ...(device.platform === 'cisco_ios' ? { enablePassword: enable } : {}),
      ...device,
    })),
    minuteMs: options.minuteMs ?? 60_000,
    propagationMs: options.propagationMs ?? 5,
    installMs: options.installMs ?? 0,
    ...(options.deviceClock === undefined ? {} : { clock: options.deviceClock }),
  })
  try {
    const said: string[] = []
    const log = pino({ level: 'debug' }, { write: (line: string) => void said.push(line) })
    const clock = travelClock()
    const config = await configFor(folder, options)
    await writeInventory(folder, simulator, options)
    const environment = { SIMULATED: password, ENABLE: enable }
    const start = () => startController(config, { log, environment, clock })
    const state = { running: await start(), started: true }
    return await populate({
      folder,
      simulator,
      said,
      clock,
      config,
      environment,
      start,
      state,
      options,
    })
  } catch (fault) {
    await simulator.stop()
    throw fault
  }
}

interface Parts {
  readonly folder: string
  readonly simulator: Simulator
  readonly said: string[]
  readonly clock: TravelClock
  readonly config: Config
  readonly environment: Readonly<Record<string, string>>
  readonly start: () => Promise<Running>
  readonly state: { running: Running; started: boolean }
  readonly options: StoryOptions
}

async function configFor(folder: string, options: StoryOptions): Promise<Config> {
  const playbooks = options.playbooks === undefined ? undefined : join(folder, 'playbooks')
  if (playbooks !== undefined) {
    await mkdir(playbooks)
    for (const [name, text] of Object.entries(options.playbooks ?? {})) {
      await writeFile(join(playbooks, `${name}.yaml`), text)
    }
  }
  const loaded = await loadConfig({
    inventory: join(folder, 'inventory.yaml'),
    playbooks,
    data: join(folder, 'data'),
    listen: '127.0.0.1:0',
  })
  return { ...loaded, observerDeadlineMs: 1_000, ownDeadlineMs: 500, ...options.config }
}

async function populate(parts: Parts): Promise<Story> {
  const { state, clock, folder, simulator } = parts
  const tokens = new Map<string, string>()
  const store = () => state.running.controller.store
  const until = patiently(parts.options.patienceMs ?? patienceMsDefault)
  const asking = (sent: Sent) => tokens.get(sent.as ?? 'admin') ?? ''
  let made = 0

  const story: Story = {
    folder,
    config: parts.config,
    simulator,
    clock,
    said: parts.said,
    environment: parts.environment,
    get running() {
      return state.running
    },
    device: (name) => simulator.device(name),
    async token(name, roles, person) {
      made += 1
      const who = { actor: { kind: 'system', id: 'story' }, at: clock.now().toISOString() } as const
      const id = `01ARZ3NDEKTSV4RRFFQ69G5F${String(made).padStart(2, '0')}`
      const request = { name, roles, ...(person === undefined ? {} : { person }) }
      const { token } = await createToken(store(), { ...who, id }, request)
      tokens.set(name, token)
      return token
    },
    async call<T>(method: string, path: string, body?: unknown, sent: Sent = {}) {
      const asked = { method, path, body, token: asking(sent), key: sent.key }
      return request<T>(parts, asked)
    },
    async decide(decision, sent) {
      const { status, body } = await story.call('POST', '/v1/enforcements', decision, sent)
      if (status !== 202) throw new Error(`not accepted: ${JSON.stringify(body)}`)
      return body
    },
    async release(id) {
      const path = `/v1/enforcements/${id}/release`
      const { status, body } = await story.call('POST', path, { reason: 'resolved' })
      if (status !== 202) throw new Error(`not released: ${JSON.stringify(body)}`)
      return body
    },
    enforcement: async (id) => (await story.call('GET', `/v1/enforcements/${id}`)).body,
    async reaches(id, ...statuses) {
      // The row, not the API: many stories that wait by requests would keep the controller from its work.
      const status = () => store().read((rows) => rows.enforcement(id)?.status ?? 'missing')
      const shown = () =>
        JSON.stringify(
          store().read((rows) => rows.results({ enforcement: id })),
          null,
          1,
        )
      await until(
        () => `${id} is ${status()}, not ${statuses.join(' or ')}: ${shown()}`,
        () => statuses.includes(status()),
      )
      return story.enforcement(id)
    },
    async enforced(decision) {
      const { id } = await story.decide(decision)
      const view = await story.reaches(id, 'enforced')
      await story.quiet()
      return view
    },
    async lifted(id) {
      await story.release(id)
      await story.reaches(id, 'released')
      await story.quiet()
    },
    until: (what, holds) => until(() => what, holds),
    quiet: () =>
      until(
        () => 'not quiet',
        () => isQuiet(store()),
      ),
    records(filter = {}) {
      const query = { ...filter, after: -1, limit: 10_000 }
      const entries = store().read((rows) => rows.log(query))
      return entries.map(
        ({ seq, entry }) => ({ seq, ...(JSON.parse(entry) as object) }) as StoredRecord,
      )
    },
    rewrite: (customers, devices = parts.options.devices, more = parts.options.more ?? '') =>
      writeInventory(folder, simulator, { customers, devices, more }),
    async restart() {
      await story.stopController()
      await story.startController()
    },
    async stopController() {
      state.started = false
      await state.running.stop()
    },
    async startController() {
      state.running = await parts.start()
      state.started = true
    },
    async forget() {
      await story.stopController()
      await rm(parts.config.data, { recursive: true })
      await story.startController()
      await story.token('admin', everything, 'anna@example.net')
    },
    async end() {
      if (state.started) await story.stopController()
      await simulator.stop()
      const { findings } = verifyFolder(parts.config.data)
      if (findings.length > 0) throw new Error(`the log: ${JSON.stringify(findings)}`)
      await rm(folder, { recursive: true })
    },
  }
  await story.token('admin', everything, 'anna@example.net')
  return story
}

async function request<T>(
  parts: Parts,
  asked: {
    readonly method: string
    readonly path: string
    readonly body: unknown
    readonly token: string
    readonly key: string | undefined
  },
): Promise<Answer<T>> {
  const { method, path, body, token, key } = asked
  const response = await fetch(`${parts.state.running.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  parts.said.push(text)
  const isJson = response.headers.get('content-type')?.includes('json') === true
  // The shape is the caller's to know: each route's own schema stands behind it.
  return {
    status: response.status,
    headers: response.headers,
    body: (isJson ? JSON.parse(text) : text) as T,
  }
}

function patiently(patienceMs: number) {
  return async (what: () => string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    const end = Date.now() + patienceMs
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`waited in vain: ${what()}`)
      await new Promise((resolve) => setTimeout(resolve, 8))
    }
  }
}

function isQuiet(store: Running['controller']['store']): boolean {
  return store.read((rows) => {
    const working = rows
      .live()
      .some(({ status }) => status === 'enforcing' || status === 'releasing')
    return (
      !working && rows.openSteps().length === 0 && rows.devices().every(({ unsaved }) => !unsaved)
    )
  })
}

/** A decision to suspend a customer. */
export function suspend(customer: string, more: object = {}): object {
  return { action: 'suspend', subject: { customer }, reason: phishing, ...more }
}

/** A decision to block one prefix. */
export function block(prefix: string, more: object = {}): object {
  return { action: 'block', subject: { prefix }, reason: phishing, ...more }
}

const phishing = { category: 'phishing', summary: 'kits', ticket: 'ABUSE-2041' }

/** The outcome of each intent on a device, by key. */
export function outcomes(of: EnforcementView, device: string): Readonly<Record<string, string>> {
  const rows = of.devices.filter((row) => row.device === device && row.role === 'enforcer')
  return Object.fromEntries(
    rows.flatMap(({ intents }) => intents.map((one) => [one.key, one.outcome])),
  )
}

/** How a device stands in an enforcement. */
export function statusOn(
  of: EnforcementView,
  device: string,
  role = 'enforcer',
): string | undefined {
  return of.devices.find((row) => row.device === device && row.role === role)?.status
}
