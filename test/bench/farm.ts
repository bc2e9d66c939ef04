// c: many simulated devices at once, cold and warm, near and far.

import type { Bare } from './bare-main.ts'
import type { FarmDevice } from './farm-main.ts'
import { memoryNow, peakMemory } from './machine.ts'
import type { Options } from './options.ts'
import type { Child } from './processes.ts'
import { judged, measured, type Row, type Section } from './report.ts'
import { type Desk, startBare, startDeskOn, startFarm } from './rig.ts'
import { count, mebibytes, ratioOf, spread, summarize } from './statistics.ts'
import { addressOf } from './world.ts'

const goalRatio = 2
const goalBytes = 1_073_741_824
/** The default of `agents.devicesAtOnce`: both sides work on so many at the same time. */
const atOnce = 256

/** Sizes and how many times each is measured. */
const sizes = { full: { 1: 7, 100: 3, 500: 2, 1_000: 2 }, quick: { 1: 1, 20: 1 } }
const sessions = { full: 5_000, quick: 40 }

/** Time to the last device, CPU and memory, against bare ssh2 on the same farm. */
export async function benchFarm(options: Options): Promise<Section> {
  const rows: Row[] = []
  const table = options.quick ? sizes.quick : sizes.full
  for (const roundTripMs of [0, 50]) {
    for (const [devices, runs] of Object.entries(table)) {
      rows.push(...(await onFarm({ devices: Number(devices), runs, roundTripMs })))
    }
  }
  rows.push(await manySessions(options.quick ? sessions.quick : sessions.full))
  return {
    letter: 'c',
    title: 'A farm of simulated devices',
    rows,
    notes: [
      `Simulated IOS devices behind real SSH servers, all in one process beside the controller: with two cores, the devices’ half of each handshake is paid on the same machine. One decision puts a blackhole on each of them; the time ends when the last is verified and the enforcement is durably \`enforced\`. Cold is the first decision of a fresh controller, log-ins included; warm the next ones, over the sessions that are open. Both sides work on ${atOnce} devices at once, the default.`,
      'What nullroute does for each device beside the lines: it reads and parses the configuration and the route before and after, compares them with what is wanted and claimed, commits what it intends, and then what it sent with what it read back, in two durable transactions (shared by the devices that wait together) with four records in the hash-linked log, keeps both read-backs and the transcript compressed, and settles the enforcement. One thread does that, so with hundreds of devices at once it is this processor time, and no waiting, that the time is made of; with a line of 50 ms it hides behind the line until there are some tens of devices. One device alone shows the least of it: warm, it is processor time for nearly as long as it lasts, and three waits for the disk, against four prompts of a device on the same machine that has nothing else to do; cold, code that runs for the first time besides.',
      'CPU seconds are those of the controller and of the bare client, without the devices. Memory is the highest that the kernel saw (VmHWM).',
    ],
  }
}

interface Side {
  readonly ms: number
  readonly cpu: number
}

interface Cell {
  readonly floor: Side[]
  readonly ours: Side[]
}

async function onFarm(about: {
  readonly devices: number
  readonly runs: number
  readonly roundTripMs: number
}): Promise<readonly Row[]> {
  const { farm, devices } = await startFarm({ ...about, platform: 'cisco_ios' })
  const cold: Cell = { floor: [], ours: [] }
  const warm: Cell = { floor: [], ours: [] }
  let peak = 0
  try {
    for (let run = 0; run < about.runs; run++) {
      await bareRun(devices, run, { cold, warm })
      peak = Math.max(peak, await ourRun(devices, run, { cold, warm }))
    }
  } finally {
    await farm.end()
  }
  const where = `${count(about.devices)} ${about.devices === 1 ? 'device' : 'devices'}, ${about.roundTripMs} ms`
  const rows = [rowOf(`${where}, cold`, cold, peak), rowOf(`${where}, warm`, warm, peak)]
  return about.devices < 500 ? rows : [...rows, perDevice(where, about.devices, { cold, warm })]
}

type Cells = Readonly<Record<'cold' | 'warm', Cell>>

async function bareRun(devices: readonly FarmDevice[], run: number, cells: Cells): Promise<void> {
  const bare = await startBare(devices)
  try {
    // Code that runs for the first time is slow; one device is enough to warm it, for both sides alike.
    cells.cold.floor.push(
      await sideOf(bare, () => bare.ask('cold', { address: addressOf(4 * run), atOnce })),
    )
    cells.warm.floor.push(
      await sideOf(bare, () => bare.ask('warm', { address: addressOf(4 * run + 1), atOnce })),
    )
  } finally {
    await bare.end()
  }
}

async function ourRun(devices: readonly FarmDevice[], run: number, cells: Cells): Promise<number> {
  const desk = await startDeskOn(devices, { cold: false, atOnce })
  try {
    for (const [i, cell] of [cells.cold, cells.warm].entries()) {
      const one = await sideOf(desk.control, async () => {
        const { verifiedMs } = await desk.block(addressOf(4 * run + 2 + i))
        return verifiedMs
      })
      cell.ours.push(one)
      await desk.control.ask('quiet', undefined)
    }
    return peakMemory(desk.control.pid)
  } finally {
    await desk.end()
  }
}

async function sideOf(
  child: Child<Bare> | Desk['control'],
  work: () => Promise<number>,
): Promise<Side> {
  const before = await child.cpuSeconds()
  const ms = await work()
  return { ms, cpu: (await child.cpuSeconds()) - before }
}

function rowOf(what: string, { floor, ours }: Cell, peak: number): Row {
  const ms = (sides: readonly Side[]): number[] => sides.map((side) => side.ms)
  const cpu = (sides: readonly Side[]): string =>
    `${summarize(sides.map((side) => side.cpu)).median.toFixed(2)} s CPU`
  const ratio = ratioOf(ms(ours), ms(floor))
  return judged(
    what,
    `≤ ${goalRatio} × bare ssh2`,
    `${ratio.toFixed(2)} ×: ${spread(ms(ours))}, ${cpu(ours)}, peak ${mebibytes(peak)}; bare ssh2 ${spread(ms(floor))}, ${cpu(floor)}`,
    ratio <= goalRatio,
  )
}

/** What one device costs the processor: where there are many, that is what the time is made of. */
function perDevice(where: string, devices: number, { cold, warm }: Cells): Row {
  const each = (sides: readonly Side[]): string =>
    `${((summarize(sides.map(({ cpu }) => cpu)).median / devices) * 1_000).toFixed(2)} ms`
  return measured(
    `${where}: CPU time for each device`,
    `cold ${each(cold.ours)} (bare ssh2 ${each(cold.floor)}), warm ${each(warm.ours)} (bare ssh2 ${each(warm.floor)})`,
  )
}

async function manySessions(devices: number): Promise<Row> {
  const grown = await startFarm({ devices, platform: 'cisco_ios', roundTripMs: 0 })
  const desk = await startDeskOn(grown.devices, { cold: false, atOnce })
  try {
    const { verifiedMs } = await desk.block(addressOf(1))
    await desk.control.ask('quiet', undefined)
    const now = memoryNow(desk.control.pid)
    const peak = peakMemory(desk.control.pid)
    return judged(
      `${count(devices)} warm sessions: memory of the controller`,
      `≤ ${mebibytes(goalBytes)}`,
      `${mebibytes(now)}, peak ${mebibytes(peak)}; opened and verified in ${(verifiedMs / 1_000).toFixed(1)} s`,
      peak <= goalBytes,
    )
  } finally {
    await desk.end()
    await grown.farm.end()
  }
}
