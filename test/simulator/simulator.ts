// A network of simulated devices, each behind an SSH server of its own. One process holds a thousand.

import type { SimulatorClock } from './clock.ts'
import { machineClock } from './clock.ts'
import type { Device } from './device.ts'
import { startDevice } from './device.ts'
import type { Faults } from './faults.ts'
import type { Journal } from './journal.ts'
import { connectNetwork } from './network.ts'
import type { SimulatedDevice, SimulatedPlatform } from './spec.ts'

/** What to simulate. */
export interface SimulatorOptions {
  readonly devices: readonly SimulatedDevice[]
  /** Time from a trigger's route to the edges' forwarding tables, in ms. */
  readonly propagationMs?: number
  /** Length of a minute of the devices' own timers (confirmed commit, revert timer), in ms. */
  readonly minuteMs?: number
  /** Time from a configuration line to what the forwarding table shows, in ms (frr only: it is not instant there). */
  readonly installMs?: number
  readonly clock?: SimulatorClock
}

/** One running device, as tests and the program see it. */
export interface RunningDevice {
  readonly name: string
  readonly platform: SimulatedPlatform
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  /** Public host key, as in known_hosts: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string
  readonly journal: Journal
  readonly faults: Faults
  /** The running configuration (linux: routes, links and tables) as text. */
  readonly running: string
  /** What a reboot would bring back. */
  readonly startup: string
  /** Lines as an operator would type them in another session, in configuration mode (linux: in a root shell). Throws when one is refused. */
  setByHand(lines: readonly string[]): void
  /** Lets the timer of a pending confirmed commit (junos) or revert timer (ios) run out now. False where none is pending. */
  expireTimer(): boolean
  /** Cuts all sessions and starts again from what was saved. */
  reboot(): void
}

/** A running network. */
export interface Simulator {
  readonly devices: readonly RunningDevice[]
  /** Throws for a name that is not there. */
  device(name: string): RunningDevice
  /** Cuts all sessions and closes all ports. */
  stop(): Promise<void>
}

/** Ports are opened in groups of this size. */
const startsAtOnce = 64

/** Starts all devices and answers when each listens. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const settings = {
    clock: options.clock ?? machineClock,
    minuteMs: options.minuteMs ?? 60_000,
    installMs: options.installMs ?? 0,
  }
  const devices: Device[] = []
  const stop = async (): Promise<void> => {
    network?.()
    await Promise.all(devices.map((device) => device.stop()))
  }
  let network: (() => void) | undefined
  try {
    for (let at = 0; at < options.devices.length; at += startsAtOnce) {
      const specs = options.devices.slice(at, at + startsAtOnce)
      const started = await Promise.allSettled(specs.map((spec) => startDevice(spec, settings)))
      for (const one of started) if (one.status === 'fulfilled') devices.push(one.value)
      const failed = started.find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  } catch (error) {
    await stop()
    throw error
  }
  network = connectNetwork(devices, options.propagationMs ?? 20, settings.clock)
  const byName = new Map(devices.map((device) => [device.name, device]))
  return {
    devices,
    device(name) {
      const device = byName.get(name)
      if (device === undefined) {
        throw new Error(`no simulated device is named "${name}": ${[...byName.keys()].join(', ')}`)
      }
      return device
    },
    stop,
  }
}
