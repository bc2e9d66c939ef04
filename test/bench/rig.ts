// A controller and a bare client on the same devices, and the two things that are timed on them.

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BareTarget } from './bare.ts'
import type { Bare } from './bare-main.ts'
import type { Control, Moment } from './control-main.ts'
import type { Farm, FarmDevice, FarmOptions } from './farm-main.ts'
import { type Api, createApi } from './http.ts'
import { type Child, machineMs, startChild } from './processes.ts'
import { writeWorld } from './world.ts'

/** A decision on its way: from the first byte of the call to what became durable. */
export interface Taken {
  readonly id: string
  /** Until the API answered, in ms. */
  readonly acceptedMs: number
  /** Until the last device was verified and that was durable. */
  readonly verifiedMs: number
  /** When that was, in ms of the machine: what comes later is the save. */
  readonly verifiedAt: number
  /** What became durable, in ms after the call began. */
  readonly moments: readonly Moment[]
}

/** A controller, asked over its API. */
export interface Desk {
  readonly control: Child<Control>
  readonly api: Api
  /** Blocks one address and waits until every device shows it. Throws where one does not. */
  block(address: string): Promise<Taken>
  /** Suspends a customer. */
  suspend(customer: string): Promise<Taken>
  /** Lifts it, and waits until it is lifted and saved everywhere. */
  release(id: string): Promise<void>
  end(): Promise<void>
}

const reason = { category: 'ddos', summary: 'bench', ticket: 'BENCH-1' }

/** Starts a controller on the files of a folder. */
export async function startDesk(
  folder: string,
  config: Readonly<Record<string, number>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Desk> {
  const control = startChild<Control>('control-main', environment)
  const { url, token } = await control.ask('start', { folder, config })
  const api = createApi(url, token)
  const decide = async (decision: object): Promise<Taken> => {
    const from = machineMs()
    const body = { ...decision, reason }
    const path = '/v1/enforcements'
    const { id } = await api.call<{ readonly id: string }>('POST', path, body, randomUUID())
    const acceptedMs = machineMs() - from
    const statuses = ['enforced', 'degraded', 'failed', 'released']
    const { status, moments } = await control.ask('reached', { id, statuses })
    if (status !== 'enforced') {
      const shown = await api.call('GET', `/v1/enforcements/${id}`)
      throw new Error(`not enforced but ${status}: ${JSON.stringify(shown).slice(0, 3_000)}`)
    }
    const relative = moments.map((moment) => ({ ...moment, at: moment.at - from }))
    const settled = relative.find(({ type }) => type === 'enforcement.settled')
    if (settled === undefined) throw new Error(`${id} is enforced without a record of it`)
    const verifiedMs = settled.at
    return { id, acceptedMs, verifiedMs, verifiedAt: from + verifiedMs, moments: relative }
  }
  return {
    control,
    api,
    block: (address) => decide({ action: 'block', subject: { prefix: `${address}/32` } }),
    suspend: (customer) => decide({ action: 'suspend', subject: { customer } }),
    async release(id) {
      await control.ask('quiet', undefined)
      await api.call('POST', `/v1/enforcements/${id}/release`, { reason: 'bench' })
      await control.ask('reached', { id, statuses: ['released'] })
      await control.ask('quiet', undefined)
    },
    async end() {
      api.close()
      await control.ask('stop', undefined).catch(() => undefined)
      await control.end()
    },
  }
}

/** A farm of its own process. */
export async function startFarm(
  options: FarmOptions,
): Promise<{ readonly farm: Child<Farm>; readonly devices: readonly FarmDevice[] }> {
  const farm = startChild<Farm>('farm-main')
  return { farm, devices: await farm.ask('grow', options) }
}

/** A controller on a farm. */
export async function startDeskOn(
  devices: readonly FarmDevice[],
  how: {
    readonly cold: boolean
    readonly atOnce: number
    readonly customers?: Readonly<Record<string, object>>
  },
): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-bench-'))
  await writeWorld({ folder, devices, ...how })
  const password = devices[0]?.password ?? ''
  const desk = await startDesk(
    folder,
    { devicesAtOnce: how.atOnce, ownDeadlineMs: 60_000 },
    { FARM_PASSWORD: password },
  )
  return {
    ...desk,
    async end() {
      await desk.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A bare client on the same devices. */
export async function startBare(devices: readonly BareTarget[]): Promise<Child<Bare>> {
  const bare = startChild<Bare>('bare-main')
  await bare.ask('meet', devices)
  return bare
}

/** How long each part of a decision took, from its records: `accepted 3.1 ms, …`. */
export function phases({
  acceptedMs,
  moments,
  verifiedMs,
}: Taken): Readonly<Record<'accepted' | 'intended' | 'done' | 'verified', number>> {
  const at = (type: string): number => moments.find((one) => one.type === type)?.at ?? Number.NaN
  return {
    accepted: acceptedMs,
    intended: at('device.commands_intended'),
    done: at('device.commands_done'),
    verified: verifiedMs,
  }
}
