// The controller as it runs in production, in a process of its own, with a clock on what becomes durable in its store.

import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { ulid } from 'ulid'
import { type Config, loadConfig } from '../../controller/config.ts'
import { createToken } from '../../controller/desk/tokens.ts'
import { type Running, startController } from '../../controller/main.ts'
import type { Committed } from '../../controller/store/store.ts'
import { machineMs, serve } from './processes.ts'

/** What to start. */
export interface ControlOptions {
  /** Folder with the inventory (`inventory.yaml`, or a folder `inventory`) and playbooks/, else the shipped ones; the data folder is made anew inside it. */
  readonly folder: string
  readonly config: Partial<Config>
}

/** A moment in the life of an enforcement: a record that became durable. */
export interface Moment {
  readonly type: string
  readonly device: string | undefined
  /** On the machine's clock, in ms. */
  readonly at: number
}

let running: Running | undefined
const moments = new Map<string, Moment[]>()
/** Records of devices that name no enforcement: connects, saves. */
const loose: Moment[] = []
const listeners = new Set<() => void>()

function note(records: readonly Committed[]): void {
  const at = machineMs()
  for (const { type, device, enforcement } of records) {
    const list = enforcement === undefined ? loose : (moments.get(enforcement) ?? [])
    if (enforcement !== undefined) moments.set(enforcement, list)
    list.push({ type, device, at })
  }
  for (const listener of listeners) listener()
}

function store(): Running['controller']['store'] {
  if (running === undefined) throw new Error('no controller was started')
  return running.controller.store
}

/** Resolves when it holds; looked at after each commit. */
function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return
      listeners.delete(look)
      resolve()
    }
    listeners.add(look)
    look()
  })
}

function isQuiet(): boolean {
  return store().read((rows) => {
    const working = rows
      .live()
      .some(({ status }) => status === 'enforcing' || status === 'releasing')
    return (
      !working && rows.openSteps().length === 0 && rows.devices().every(({ unsaved }) => !unsaved)
    )
  })
}

/** The controller's doings. */
const doings = {
  async start({ folder, config: given }: ControlOptions): Promise<{ url: string; token: string }> {
    const data = join(folder, 'data')
    await rm(data, { recursive: true, force: true })
    await mkdir(data, { recursive: true })
    const config = await loadConfig({
      inventory: ['inventory.yaml', 'inventory'].map((name) => join(folder, name)).find(existsSync),
      playbooks: [join(folder, 'playbooks')].find(existsSync),
      data,
      listen: '127.0.0.1:0',
    })
    moments.clear()
    running = await startController(
      { ...config, requestsPerMinute: 1_000_000, ...given },
      {
        log: pino({ level: process.env['NULLROUTE_BENCH_LOG'] ?? 'silent' }),
        environment: process.env,
      },
    )
    store().subscribe(note)
    const who = {
      actor: { kind: 'system', id: 'bench' } as const,
      id: ulid(),
      at: new Date().toISOString(),
    }
    const { token } = await createToken(store(), who, {
      name: 'bench',
      person: 'bench@isp.example',
      roles: ['admin'],
    })
    return { url: running.url, token }
  },
  /** When an enforcement has one of these statuses: what became durable about it so far. Nothing is polled. */
  async reached({
    id,
    statuses,
  }: {
    readonly id: string
    readonly statuses: readonly string[]
  }): Promise<{ readonly status: string; readonly moments: readonly Moment[] }> {
    const status = (): string => store().read((rows) => rows.enforcement(id)?.status ?? 'missing')
    await until(() => statuses.includes(status()))
    return { status: status(), moments: moments.get(id) ?? [] }
  },
  /** Nothing is under way, everything is saved. */
  quiet: () => until(isQuiet),
  /** What became durable about an enforcement. */
  moments: (id: string): readonly Moment[] => moments.get(id) ?? [],
  async stop(): Promise<void> {
    await running?.stop()
    running = undefined
  },
}

/** What the controller can be asked. */
export type Control = typeof doings

serve(doings)
