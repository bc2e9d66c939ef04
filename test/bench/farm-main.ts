// The farm: simulated devices behind real SSH servers, each behind a line of some length, in a process of its own.

import { type Simulator, startSimulator } from '../simulator/simulator.ts'
import type { SimulatedPlatform } from '../simulator/spec.ts'
import { serve } from './processes.ts'
import { type Proxy, startProxy, type Traffic } from './proxy.ts'

/** What to grow. */
export interface FarmOptions {
  readonly devices: number
  readonly platform: SimulatedPlatform
  /** Length of the line to each, in ms; 0 = none, without a proxy. */
  readonly roundTripMs: number
  /** Count round trips also where the line has no length. */
  readonly counted?: boolean
}

/** Where a device is reached. */
export interface FarmDevice {
  readonly name: string
  readonly platform: SimulatedPlatform
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly hostKey: string
}

let simulator: Simulator | undefined
let proxies: readonly Proxy[] = []

/** The farm's doings. */
const doings = {
  async grow({ devices, platform, roundTripMs, counted }: FarmOptions): Promise<FarmDevice[]> {
    await clear()
    simulator = await startSimulator({
      devices: Array.from({ length: devices }, (_, i) => ({
        name: `d${i + 1}`,
        platform,
        asn: '64500',
        roles: ['access'],
      })),
    })
    const isLine = roundTripMs > 0 || counted === true
    proxies = isLine
      ? await Promise.all(
          simulator.devices.map(({ host, port }) => startProxy({ host, port, roundTripMs })),
        )
      : []
    return simulator.devices.map(({ name, host, port, username, password, hostKey }, i) => ({
      name,
      platform,
      host,
      port: proxies[i]?.port ?? port,
      username,
      password,
      hostKey,
    }))
  },
  /** Over all lines since the last `reset`, without round trips that began later than `until`, in ms of the machine. */
  traffic({ until }: { readonly until?: number }): Traffic {
    const all = proxies.map((proxy) => proxy.traffic(until))
    const sum = (of: (one: Traffic) => number): number =>
      all.reduce((total, one) => total + of(one), 0)
    return {
      roundTrips: sum((one) => one.roundTrips),
      bytesToDevice: sum((one) => one.bytesToDevice),
      bytesToClient: sum((one) => one.bytesToClient),
    }
  },
  reset(): void {
    for (const proxy of proxies) proxy.reset()
  },
  /** Saving the configuration takes so long on every device. */
  slowSave({ ms }: { readonly ms: number }): void {
    for (const { faults } of simulator?.devices ?? []) {
      faults.add({ kind: 'slow', ms, matching: '^write memory$' })
    }
  },
  clear,
}

async function clear(): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.stop()))
  proxies = []
  await simulator?.stop()
  simulator = undefined
}

/** What the farm can be asked. */
export type Farm = typeof doings

serve(doings)
