// A device of each platform over real SSH, with an agent that owns it: what the conformance suite plays with. The device is the simulator's.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PQueue from 'p-queue'
import { type Agent, type AgentOptions, createAgent } from '../../agent/agent.ts'
import { systemClock } from '../../agent/clock.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { Journal } from '../../agent/journal.ts'
import type { Facts, Platform } from '../../agent/platform.ts'
import { addressFact, groupFact } from '../../agent/platform.ts'
import type { Device } from '../../inventory/model.ts'
import { parseAddress } from '../../inventory/prefix.ts'
import { type Book, createBook, type Entry } from '../simulator/agent-book.ts'
import { type RunningDevice, startSimulator } from '../simulator/simulator.ts'
import type { SimulatedDevice, SimulatedPlatform } from '../simulator/spec.ts'
import { device as plainDevice } from '../unit/small-isp.ts'
import { acl, blackhole, neighbor, port } from './conformance-kit.ts'

/** What differs between the devices: names of ports, and what an operator types by hand. */
export interface Habits {
  readonly port: string
  readonly portShut: string
  /** A routed one, on which the operator's filters stand. */
  readonly routed?: string
  /** The very blackhole of `host`, without our mark, and one with another tag. */
  readonly same?: readonly string[]
  readonly other?: readonly string[]
  /** Whether the tables of customers are there too. */
  readonly vrf: boolean
}

/** By name of platform. */
const habits: Readonly<Record<string, Habits>> = {
  cisco_ios: {
    port: 'GigabitEthernet1/0/7',
    portShut: 'GigabitEthernet1/0/8',
    routed: 'GigabitEthernet1/0/1',
    same: ['ip route 203.0.113.9 255.255.255.255 Null0 tag 666'],
    other: ['ip route 203.0.113.9 255.255.255.255 Null0 tag 999'],
    vrf: true,
  },
  frr: {
    port: 'eth7',
    portShut: 'eth8',
    routed: 'eth1',
    same: ['ip route 203.0.113.9/32 blackhole tag 666'],
    other: ['ip route 203.0.113.9/32 blackhole tag 999'],
    vrf: false,
  },
  juniper_junos: {
    port: 'ge-0/0/7',
    portShut: 'ge-0/0/8',
    routed: 'ge-0/0/1',
    same: [
      'set routing-options static route 203.0.113.9/32 discard',
      'set routing-options static route 203.0.113.9/32 tag 666',
    ],
    other: [
      'set routing-options static route 203.0.113.9/32 discard',
      'set routing-options static route 203.0.113.9/32 tag 999',
    ],
    vrf: true,
  },
  linux: { port: 'swp7', portShut: 'swp8', vrf: false },
}

/** One blackhole that most tests are about. */
export const host = blackhole('203.0.113.9/32')

/** All intents that the platform can express on this device. */
export function wantedOn(platform: Platform): readonly Intent[] {
  const { port: name, vrf } = habitsOf(platform)
  const intents: readonly Intent[] = [
    host,
    blackhole('203.0.113.64/26'),
    blackhole('2001:db8:e57::/48'),
    ...(vrf ? [blackhole('203.0.113.9/32', { vrf: 'CUST' })] : []),
    acl('203.0.113.9/32', 'in'),
    acl('203.0.113.9/32', 'out'),
    acl('2001:db8:e57::/48', 'in'),
    port(name),
    neighbor('192.0.2.9'),
    neighbor('2001:db8:ffff::9'),
  ]
  return intents.filter((intent) => {
    const [rendering] = platform.render([{ kind: 'apply', intent }], knownFacts)
    return rendering?.kind === 'lines'
  })
}

/** What the device of this suite would say. */
export const knownFacts: Facts = {
  asn: '64500',
  'table|CUST': '100',
  [groupFact('default', '192.0.2.9')]: 'CUSTOMERS',
  [groupFact('default', '2001:db8:ffff::9')]: 'CUSTOMERS',
}

export function habitsOf(platform: Platform): Habits {
  const found = habits[platform.name]
  if (found === undefined) throw new TypeError(`no habits of ${platform.name}`)
  return found
}

function specOf(platform: Platform): SimulatedDevice {
  const { port: name, portShut, routed, vrf } = habitsOf(platform)
  const isSwitch = platform.name === 'linux'
  return {
    name: 'edge1',
    // The suite runs for platforms that there is a model of.
    platform: platform.name as SimulatedPlatform,
    asn: '64500',
    roles: isSwitch ? ['access'] : ['edge'],
    ...(vrf ? { vrfs: ['CUST'] } : {}),
    ports: [
      { name, description: 'customer 4711', addresses: [] },
      { name: portShut, description: 'spare', addresses: [], shut: true },
      ...(routed === undefined
        ? []
        : [
            {
              name: routed,
              description: 'customers',
              addresses: ['198.51.100.1/24', '2001:db8:1::1/64'],
            },
          ]),
    ],
    neighbors: isSwitch
      ? []
      : [
          { address: '192.0.2.9', asn: '64501', description: 'customer', group: 'CUSTOMERS' },
          {
            address: '192.0.2.10',
            asn: '64502',
            description: 'spare',
            group: 'CUSTOMERS',
            shut: true,
          },
          {
            address: '2001:db8:ffff::9',
            asn: '64501',
            description: 'customer',
            group: 'CUSTOMERS',
          },
        ],
  }
}

/** The device, its agent, and what was written down. */
export interface Lab {
  readonly device: RunningDevice
  readonly book: Book
  readonly agent: Agent
  /** Wants exactly these, and waits until all of them (and all that was held) are as they should be. */
  readonly settle: (wanted: readonly Intent[]) => Promise<void>
  /** Wants exactly these, and waits for the next result, whatever it is. */
  readonly try: (wanted: readonly Intent[]) => Promise<void>
  /** The running configuration without what changes by itself. */
  readonly running: () => string
  readonly startup: () => string
  /** Lines received since the last `forget`, without reads, openings and empty lines. */
  readonly changes: (asked?: readonly Intent[]) => readonly string[]
  /** Another agent of the same device, as the next start of a controller makes one. Whoever asks for it stops it. */
  readonly next: (journal: Journal) => Agent
  readonly stop: () => Promise<void>
}

const volatile =
  /^(?:! Last configuration change|! NVRAM config|Current configuration|Building configuration|Using \d+ out of|## Last changed)/

const stable = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !volatile.test(line) && line.trim() !== '!' && line.trim() !== '')
    .join('\n')

/** Starts one, and waits until it was read for the first time. `entry`: what else the inventory says of it. */
export async function startLab(
  platform: Platform,
  over: Partial<SimulatedDevice> = {},
  entry: Partial<Device> = {},
): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-conformance-'))
  const simulator = await startSimulator({ devices: [{ ...specOf(platform), ...over }] })
  const device = simulator.device('edge1')
  const knownHosts = join(folder, 'known_hosts')
  await writeFile(knownHosts, `[${device.host}]:${device.port} ${device.hostKey}\n`)
  const book = createBook()
  const options: AgentOptions = {
    device: { ...deviceAt(device, platform.name, knownHosts), ...entry },
    platform,
    journal: book,
    gate: new PQueue({ concurrency: 8 }),
    clock: systemClock,
    log: { info: () => undefined, warn: () => undefined },
    environment: { PASSWORD: device.password },
    deadlines: { ownMs: 400, observerMs: 400 },
  }
  const agent = createAgent(options)
  const lab = labOf(platform, { device, book, agent })
  await book.until(({ kind }) => kind === 'verified' || kind === 'failed')
  return {
    ...lab,
    next: (journal) => createAgent({ ...options, journal }),
    async stop() {
      await agent.stop()
      await simulator.stop()
      await rm(folder, { recursive: true })
    },
  }
}

function deviceAt(device: RunningDevice, platform: string, knownHosts: string): Device {
  const address = parseAddress(device.host)
  if (!address.ok) throw new TypeError(address.problem)
  return plainDevice('edge1', address.value, {
    platform,
    port: device.port,
    username: device.username,
    auth: { kind: 'password', passwordEnv: 'PASSWORD' },
    knownHosts,
    roles: ['edge'],
    deadlineMs: 4_000,
    sessionIdleMs: 60_000,
  })
}

const noChange = /^(?:show |terminal |set cli |enable$|exit$|end$|$|configure |cli$|write memory$)/

function labOf(
  platform: Platform,
  { device, book, agent }: Pick<Lab, 'device' | 'book' | 'agent'>,
): Omit<Lab, 'stop' | 'next'> {
  const isSettled = (entry: Entry, wanted: readonly Intent[]): boolean => {
    if (entry.kind !== 'verified' || entry.value.drifted.length > 0) return false
    const verified = new Set(
      entry.value.states.filter((state) => state.verified).map(({ key }) => key),
    )
    const all = entry.value.states.every((state) => state.verified)
    return all && wanted.every((intent) => verified.has(keyOf(intent)))
  }
  const ask = (wanted: readonly Intent[]): number => {
    const from = book.entries.length
    book.wanted = wanted
    agent.wake('change')
    return from
  }
  return {
    device,
    book,
    agent,
    async settle(wanted) {
      const from = ask(wanted)
      await book.until((entry) => isSettled(entry, wanted), from)
    },
    async try(wanted) {
      const from = ask(wanted)
      await book.until(({ kind }) => kind === 'verified' || kind === 'failed', from)
    },
    running: () => stable(device.running),
    startup: () => stable(device.startup),
    changes: (asked = []) => {
      const reads = new Set(
        [
          ...platform.configuration,
          ...platform.observe([...wantedOn(platform), ...asked], {
            host: '',
            nonce: '',
            facts: { ...knownFacts, [addressFact]: device.host },
          }),
        ].map(({ line }) => line.text),
      )
      return device.journal
        .lines()
        .map((line) => line.trim())
        .filter((line) => !reads.has(line) && !noChange.test(line))
    },
  }
}
