// An agent with one simulated device of any platform, and many prefixes: what the tests of many lines at once share.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PQueue from 'p-queue'
import { createAgent } from '../../agent/agent.ts'
import { systemClock } from '../../agent/clock.ts'
import { type Intent, keyOf } from '../../agent/intents.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { parseAddress } from '../../inventory/prefix.ts'
import { blackhole } from '../platform/conformance-kit.ts'
import { device as plainDevice } from '../unit/small-isp.ts'
import { type Book, createBook, type Entry } from './agent-book.ts'
import { type RunningDevice, startSimulator } from './simulator.ts'
import type { SimulatedDevice } from './spec.ts'

/** A platform, and by which account. */
export interface Variant {
  readonly name: string
  readonly device: Pick<SimulatedDevice, 'platform' | 'privilege'>
  /** The line that begins a batch, where there is one, and how many lines it holds at most. */
  readonly batch?: RegExp
  readonly linesMax?: number
}

/** All platforms; those with several ways to take many lines in each of them. */
export const variants: readonly Variant[] = [
  { name: 'frr', device: { platform: 'frr' }, batch: /^XFRR_start_configuration$/, linesMax: 256 },
  {
    name: 'linux as root',
    device: { platform: 'linux', privilege: 'root' },
    batch: /^ip -batch -/,
    linesMax: 4_096,
  },
  {
    name: 'linux with sudo',
    device: { platform: 'linux', privilege: 'sudo' },
    batch: /^while IFS= read -r l; do setsid -w sudo -n ip /,
    linesMax: 64,
  },
  { name: 'cisco_ios', device: { platform: 'cisco_ios' } },
  { name: 'juniper_junos', device: { platform: 'juniper_junos' } },
]

/** A device, its agent, and what that wrote down. */
export interface Rig {
  readonly device: RunningDevice
  readonly book: Book
  /** Every line that the device heard. */
  readonly heard: readonly string[]
  /** Until exactly this was read back, and nothing else is under way. */
  readonly bring: (wanted: readonly Intent[]) => Promise<void>
  /** The same, until `done` says so. */
  readonly bringUntil: (wanted: readonly Intent[], done: () => boolean) => Promise<void>
  stop(): Promise<void>
}

/** Starts both; the first reads are over when it resolves. `ownMs`: how long an object may take to be in force. */
export async function startRig({ device: spec }: Variant, ownMs = 2_000): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-many-'))
  const simulator = await startSimulator({ devices: [{ name: 'edge1', asn: '64500', ...spec }] })
  const device = simulator.device('edge1')
  const heard: string[] = []
  device.journal.listen((entry) => {
    if (entry.kind === 'line') heard.push(entry.text)
  })
  const knownHosts = join(folder, 'known_hosts')
  await writeFile(knownHosts, `[${device.host}]:${device.port} ${device.hostKey}\n`)
  const book = createBook()
  const agent = agentOf(device, book, { ...spec, knownHosts, ownMs })
  await book.until((entry) => entry.kind === 'verified')
  const bringUntil = async (wanted: readonly Intent[], done: () => boolean): Promise<void> => {
    const from = book.entries.length
    book.wanted = wanted
    agent.wake('change')
    await book.until((entry) => entry.kind === 'verified' && done(), from)
  }
  return {
    device,
    book,
    heard,
    bringUntil,
    bring: (wanted) => bringUntil(wanted, () => isDone(book)),
    async stop() {
      await agent.stop()
      await simulator.stop()
      await rm(folder, { recursive: true })
    },
  }
}

function agentOf(
  device: RunningDevice,
  book: Book,
  {
    platform: name,
    knownHosts,
    ownMs,
  }: { readonly platform: string; readonly knownHosts: string; readonly ownMs: number },
) {
  const address = parseAddress(device.host)
  const platform = platforms.get(name)
  if (!address.ok || platform === undefined) throw new Error(device.host)
  return createAgent({
    device: plainDevice('edge1', address.value, {
      platform: name,
      port: device.port,
      username: device.username,
      auth: { kind: 'password', passwordEnv: 'PASSWORD' },
      knownHosts,
      deadlineMs: 30_000,
      sessionIdleMs: 60_000,
    }),
    platform,
    journal: book,
    gate: new PQueue({ concurrency: 8 }),
    clock: systemClock,
    log: { info: () => undefined, warn: () => undefined },
    environment: { PASSWORD: device.password },
    deadlines: { ownMs, observerMs: 2_000 },
  })
}

/** Whether what was read back last is what is wanted, and all claims say so. */
function isDone(book: Book): boolean {
  const { wanted, claims } = book
  const keys = new Set(wanted.map(keyOf))
  return (
    wanted.every((intent) => book.state(keyOf(intent))?.verified === true) &&
    claims.every(({ key, phase }) => keys.has(key) || phase === 'lifted')
  )
}

/** Single addresses of both families, none beside another. */
export function manyRoutes(count: number): readonly Intent[] {
  return Array.from({ length: count }, (_, i) => {
    const at = i * 2
    return i % 10 === 9
      ? blackhole(`2001:db8:e57::${at.toString(16)}/128`)
      : blackhole(`198.19.${Math.floor(at / 256)}.${at % 256}/32`)
  })
}

/** What was written down before it was sent, line by line. */
export function intended(entries: readonly Entry[]): readonly string[] {
  return entries
    .flatMap((entry) => (entry.kind === 'intend' ? entry.value.commands : []))
    .flatMap((command) => command.split('\n'))
}

/** Whether a line changes a route. */
export function isRoute(line: string): boolean {
  return /\b(?:blackhole|Null0|static route)\b/.test(line) && !/^(?:run )?show |^ip -j /.test(line)
}
