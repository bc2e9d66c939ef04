// f: how much the controller takes: decisions, look-ups, a large inventory, plans against it.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Capacity } from './capacity-main.ts'
import { type DecisionsMeasured, decisionsPerSecond } from './decisions.ts'
import { peakMemory } from './machine.ts'
import type { Options } from './options.ts'
import { startChild } from './processes.ts'
import { judged, measured, type Row, type Section } from './report.ts'
import { startDesk } from './rig.ts'
import { count, duration, mebibytes, spread, summarize } from './statistics.ts'

const goals = { decisions: 2_000, lookups: 1_000_000, loadMs: 3_000, loadBytes: 600, planMs: 20 }
const connections = 64

interface Sizes {
  readonly decisions: number
  readonly prefixes: number
  readonly asks: number
  readonly customers: number
  readonly devices: number
  readonly runs: number
  readonly plans: number
}

const full: Sizes = {
  decisions: 5_000,
  prefixes: 1_000_000,
  asks: 2_000_000,
  customers: 100_000,
  devices: 20_000,
  runs: 3,
  plans: 100,
}
const quick: Sizes = {
  decisions: 50,
  prefixes: 20_000,
  asks: 50_000,
  customers: 2_000,
  devices: 400,
  runs: 1,
  plans: 10,
}

/** Decisions per second, look-ups per second, load time and memory, plan time. */
export async function benchCapacity(options: Options): Promise<Section> {
  const sizes = options.quick ? quick : full
  const rows = [await decisions(sizes), ...(await lookups(sizes)), ...(await largeInventory(sizes))]
  return {
    letter: 'f',
    title: 'Capacity',
    rows,
    notes: [
      `Decisions: ${count(sizes.decisions)} different ones, over ${connections} connections, each run on an empty store. Their devices take connections and never answer, so that nothing but the acceptance is measured: authentication, guards, plan, records, one durable commit for those that wait together. Counted from the first request to the last answer, after a thousand that are not counted.`,
      'What a decision’s time is made of, by a profile of the controller’s main thread (`node --cpu-prof`): a quarter is HTTP (reading, headers, two lines of log, writing the answer); a good fifth is SQL: some twenty rows with as many index entries, and one fsync for those that wait together; a tenth is planning: the compiler, nine guards, the lines of each device, the digest; another tenth is the check of body and answer against their schemas; 7 % is the audit log: canonical text, five salted digests, the leaf’s hash, the words of the search; 5 % is garbage collection, 3 % the agents’ journals; the rest is the stored documents, what is shown of them, and what holds these together. No part stands out, and it is one thread, because guards, budgets, rows and records are one transaction: 2,000/s would be 0.5 ms for all of it. While the code is new, a fifth of all CPU is V8 compiling it.',
      'Look-ups: addresses that were parsed before, in no order, half of them nobody’s, over prefixes of three lengths of each family, 80 % IPv4. A look-up walks a compressed trie in one typed array: with 800,000 prefixes in that of IPv4 it is mostly memory that it waits for, at addresses in no order the cache is of little help.',
      `Inventory: a folder with two YAML files, ${count(sizes.customers)} customers with an IPv4 prefix, an IPv6 prefix and a port each, ${count(sizes.devices)} devices of four platforms; loaded with every check and the look-ups, in a fresh process whose highest memory counts (Node itself is about 50 MiB of it). Plans: dry runs of \`suspend\` by the shipped playbook over the API, each of another customer, for 2 triggers and 200 edges.`,
      'What the load’s time is made of, by a profile: a quarter is garbage collection, since every line keeps its place for the errors; a seventh is reading the YAML; ports and uplinks held against each other are a tenth; the rest, in parts of 2 to 7 %, is merging files and groups, defaults and schemas, prefixes held against each other and against protected space, and the look-ups. It is one pass, at a start and at each reload.',
      'What a plan’s time is made of: the lines of 202 devices (made once for those that are alike), the plan as it is kept for a week so that exactly it can be enforced (a fifth, with its JSON), the check of the answer against its schema and its JSON (a sixth), garbage collection and the digest (a tenth each). An answer with the lines of 202 devices is some hundred kilobytes: it is these bytes, not the guards or the compiler, that the time goes with.',
    ],
  }
}

async function decisions(sizes: Sizes): Promise<Row> {
  const runs: DecisionsMeasured[] = []
  for (let run = 0; run < sizes.runs; run++) {
    runs.push(await decisionsPerSecond({ decisions: sizes.decisions, concurrency: connections }))
  }
  const middle = (of: (one: DecisionsMeasured) => number): number => summarize(runs.map(of)).median
  const rate = middle(({ perSecond }) => perSecond)
  return judged(
    'decisions accepted durably',
    `≥ ${count(goals.decisions)}/s`,
    `${count(rate)}/s (${runs.map(({ perSecond }) => count(perSecond)).join(', ')}); ${middle(({ cpuMsEach }) => cpuMsEach)} ms of CPU each, answered in ${duration(middle(({ p50Ms }) => p50Ms))}, 99 % within ${duration(middle(({ p99Ms }) => p99Ms))}`,
    rate >= goals.decisions,
  )
}

async function lookups(sizes: Sizes): Promise<readonly Row[]> {
  const child = startChild<Capacity>('capacity-main')
  try {
    const { prefixes, asks } = sizes
    const { buildMs, perSecond, found, asked } = await child.ask('look', { prefixes, asks })
    if (found !== asked / 2)
      throw new Error(`half of ${asked} should have been found, not ${found}`)
    const goal = `≥ ${count(goals.lookups)}/s`
    const what = (family: string): string =>
      `look-ups address → customer, ${family}, ${count(prefixes)} prefixes`
    return [
      judged(what('IPv4'), goal, `${count(perSecond.ipv4)}/s`, perSecond.ipv4 >= goals.lookups),
      judged(what('IPv6'), goal, `${count(perSecond.ipv6)}/s`, perSecond.ipv6 >= goals.lookups),
      measured(
        'building that look-up',
        `${duration(buildMs)}, peak of the process ${mebibytes(peakMemory(child.pid))}`,
      ),
    ]
  } finally {
    await child.end()
  }
}

async function largeInventory(sizes: Sizes): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'nullroute-bench-'))
  try {
    await writeLarge(folder, sizes)
    const what = `inventory of ${count(sizes.customers)} customers and ${count(sizes.devices)} devices`
    const times: number[] = []
    let peak = 0
    for (let run = 0; run < sizes.runs; run++) {
      const child = startChild<Capacity>('capacity-main')
      times.push((await child.ask('load', join(folder, 'inventory'))).ms)
      peak = Math.max(peak, peakMemory(child.pid))
      await child.end()
    }
    const plan = await planTimes(folder, sizes)
    return [
      judged(
        `${what}: load`,
        `≤ ${duration(goals.loadMs)}`,
        spread(times),
        summarize(times).median <= goals.loadMs,
      ),
      judged(
        `${what}: memory`,
        `≤ ${goals.loadBytes} MiB`,
        `peak ${mebibytes(peak)}`,
        peak <= goals.loadBytes * 1_048_576,
      ),
      judged(
        'a plan against it, over the API',
        `≤ ${duration(goals.planMs)}`,
        spread(plan),
        summarize(plan).median <= goals.planMs,
      ),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function planTimes(folder: string, sizes: Sizes): Promise<readonly number[]> {
  const desk = await startDesk(folder, {})
  try {
    const times: number[] = []
    // The first ones are not counted: code that runs for the first time is slow.
    const first = sizes.plans / 5
    for (let i = 0; i < sizes.plans + first; i++) {
      const customer = `c${(i * 37) % sizes.customers}`
      const reason = { category: 'spam', summary: 'bench', ticket: `BENCH-${i}` }
      const from = performance.now()
      await desk.api.call('POST', '/v1/plans', { action: 'suspend', subject: { customer }, reason })
      if (i >= first) times.push(performance.now() - from)
    }
    return times
  } finally {
    await desk.end()
  }
}

const platformNames = ['frr', 'linux', 'cisco_ios', 'juniper_junos'] as const

async function writeLarge(folder: string, sizes: Sizes): Promise<void> {
  const inventory = join(folder, 'inventory')
  await mkdir(inventory, { recursive: true })
  const roleOf = (i: number): string => (i < 2 ? 'rtbh-trigger' : i < 202 ? 'edge' : 'access')
  // Triggers and edges are what routes; a port is down on any.
  const platformOf = (i: number): string =>
    i < 2 ? 'frr' : i < 202 ? 'juniper_junos' : (platformNames[i % 4] ?? 'frr')
  const devices = Array.from(
    { length: sizes.devices },
    (_, i) =>
      `  d${i}:\n    platform: ${platformOf(i)}\n    address: 10.${i >>> 14}.${(i >>> 6) & 255}.${(i & 63) * 4 + 1}\n    site: s${i % 100}\n    roles: [${roleOf(i)}]\n`,
  )
  const customers = Array.from({ length: sizes.customers }, (_, i) => {
    const at = i * 4
    const v4 = `44.${at >>> 16}.${(at >>> 8) & 255}.${at & 255}/30`
    const v6 = `2a10:${(i >>> 16).toString(16)}:${(i & 0xffff).toString(16)}::/48`
    const port = { device: `d${i % sizes.devices}`, name: portName(i, sizes) }
    return `  c${i}:\n    name: Customer ${i}\n    prefixes: [${v4}, '${v6}']\n    ports: [{ device: ${port.device}, interface: ${port.name} }]\n    contacts: [{ email: noc@c${i}.example }]\n`
  })
  const head =
    'version: 1\ndefaults:\n  username: netops\n  auth: { passwordEnv: PATH }\n  knownHosts: known_hosts\n  asn: 64500\n'
  const limits =
    'limits:\n  perHour: { decisions: 1000000, ipv4Addresses: 1000000, customers: 1000000, ports: 1000000, neighbors: 1000000 }\n'
  await writeFile(join(inventory, 'devices.yaml'), `${head}devices:\n${devices.join('')}`)
  await writeFile(
    join(inventory, 'customers.yaml'),
    `version: 1\n${limits}customers:\n${customers.join('')}`,
  )
}

function portName(i: number, sizes: Sizes): string {
  const device = i % sizes.devices
  const platform = device < 2 ? 'frr' : device < 202 ? 'juniper_junos' : platformNames[device % 4]
  const number = Math.floor(i / sizes.devices)
  if (platform === 'cisco_ios') return `GigabitEthernet0/${number}`
  return platform === 'juniper_junos' ? `ge-0/0/${number}` : `p${number}`
}
