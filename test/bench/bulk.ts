// d: one device, many prefixes.

import { free } from '../../agent/platform.ts'
import { batches } from '../../agent/platforms/frr/batch.ts'
import type { SimulatedPlatform } from '../simulator/spec.ts'
import { openBare } from './bare.ts'
import { type Lab, notRun } from './lab.ts'
import type { Options } from './options.ts'
import { machineMs } from './processes.ts'
import { judged, measured, type Row, type Section } from './report.ts'
import { type Desk, startDeskOn, startFarm } from './rig.ts'
import { count, duration, spread, summarize } from './statistics.ts'

const roundTripMs = 50
const sizes = { full: [1, 100, 1_000], quick: [1, 20] }

/** Time and round trips of one decision about many prefixes. */
export async function benchBulk(options: Options, lab: Lab | string): Promise<Section> {
  const all = options.quick ? sizes.quick : sizes.full
  const rows: Row[] = []
  for (const platform of ['frr', 'linux', 'cisco_ios', 'juniper_junos'] as const) {
    rows.push(await onPlatform(platform, all))
  }
  rows.push(...(typeof lab === 'string' ? [notRun(lab)] : await onLab(lab, all)))
  return {
    letter: 'd',
    title: 'One device, many prefixes',
    rows,
    notes: [
      `A customer with so many single addresses, none beside another, is suspended: one decision, one device at the end of a line of ${roundTripMs} ms, its session warm. Round trips are counted by the proxy as in b, the save left out. The goal is judged by them: 1,000 prefixes may not cost more than 1.5 times those of one where the platform has a batch form, and one more for each further batch of FRR, since a freeze is looked at in between.`,
      'Lines that can’t change anything in a wrong context go out together, but never more at once than the terminal behind the device’s SSH server holds: that is what makes round trips of many lines. It is 3,500 bytes, because the kernel’s terminal queue cuts what is beyond 4,096: some fifty routes.',
      'Of FRR’s 1,000 routes, 256 are one batch to the router, but each batch is typed in such windows, four or five of them; on Linux a batch is one here-document, and so is the question for many routes: longer than a window it goes by itself, behind the answers to what is asked first, which is one round trip more before the change and one after it, of a hundred routes as of a thousand. On Junos each line goes into the candidate by itself, in windows, so that a line that is refused is known; `load set terminal`, its form for many, is not used: it is typed through the same queue, and tells only how many lines it could not read. So both grow with the windows, not with the lines.',
      'On the lab’s router nearly all of the time is FRR’s own. Between its two words a route took 1.1 ms at first and, the more there are the longer, 3.3 ms when 800 were there; the end of a batch some 200 ms; staticd’s queue to the table 350 to 500 ms for a thousand; a read of the whole configuration with the table of a thousand routes (700 KB of JSON) 0.5 to 0.8 s, of which there are two or more (figures under a load of 10 on two cores; the bare line beside it says what the router took in this run). Line by line, without batches, it is half a minute on a quiet machine. The controller’s own part is about a second of CPU: planning and two transactions with a thousand claims and results, and reading the answers; between two windows it takes 2 ms.',
    ],
  }
}

/** Customers with 1, 100, … addresses of 198.19.0.0/16. */
function customersOf(all: readonly number[]): Readonly<Record<string, object>> {
  let next = 0
  const address = (): string => {
    const at = next++ * 2
    return `198.19.${Math.floor(at / 256)}.${at % 256}/32`
  }
  return Object.fromEntries(
    all.map((size) => [
      `bulk${size}`,
      { name: `Bulk ${size}`, prefixes: Array.from({ length: size }, address) },
    ]),
  )
}

async function onPlatform(platform: SimulatedPlatform, all: readonly number[]): Promise<Row> {
  const { farm, devices } = await startFarm({ devices: 1, platform, roundTripMs })
  const desk = await startDeskOn(devices, { cold: false, atOnce: 8, customers: customersOf(all) })
  try {
    // Opens the session.
    await lift(desk, (await desk.suspend(`bulk${all[0]}`)).id)
    const cells: { readonly size: number; readonly ms: number[]; readonly trips: number[] }[] = []
    for (const size of all) {
      const cell = { size, ms: [] as number[], trips: [] as number[] }
      // Many are measured once: what one run has too much or too little is nothing beside it.
      for (let run = 0; run < (size >= 100 ? 1 : 3); run++) {
        await farm.ask('reset', undefined)
        const taken = await desk.suspend(`bulk${size}`)
        cell.trips.push((await farm.ask('traffic', { until: taken.verifiedAt })).roundTrips)
        cell.ms.push(taken.verifiedMs)
        await lift(desk, taken.id)
      }
      cells.push(cell)
    }
    return rowOf(platform, cells)
  } finally {
    await desk.end()
    await farm.end()
  }
}

function rowOf(
  platform: SimulatedPlatform,
  cells: readonly { readonly size: number; readonly ms: number[]; readonly trips: number[] }[],
): Row {
  const figure = cells
    .map(
      ({ size, ms, trips }) =>
        `${count(size)}: ${summarize(trips).median} round trips, ${spread(ms)}`,
    )
    .join('; ')
  const what = `prefixes in one decision on ${platform}`
  // IOS knows no batch: its lines are pipelined.
  if (platform === 'cisco_ios') return measured(what, figure)
  const trips = cells.map((cell) => summarize(cell.trips).median)
  const further = furtherBatches(platform, cells.at(-1)?.size ?? 0)
  const isFlat = (trips.at(-1) ?? 0) <= 1.5 * (trips[0] ?? 0) + further
  const goal = `round trips do not grow${further === 0 ? '' : `, but for ${further} further batches`}`
  return judged(what, goal, figure, isFlat)
}

/** How often a freeze is looked at in the middle of so many lines. */
function furtherBatches(platform: SimulatedPlatform, size: number): number {
  const [batch] = platform === 'frr' ? batches({ version: '8.4.4' }) : []
  return batch === undefined ? 0 : Math.ceil(size / batch.linesMax) - 1
}

async function onLab(lab: Lab, all: readonly number[]): Promise<readonly Row[]> {
  const desk = await lab.desk({ cold: false, customers: customersOf(all) })
  const parts: string[] = []
  let cpu = Number.NaN
  try {
    await lift(desk, (await desk.suspend(`bulk${all[0]}`)).id)
    for (const size of all) {
      const before = await desk.control.cpuSeconds()
      const { verifiedMs, id } = await desk.suspend(`bulk${size}`)
      cpu = ((await desk.control.cpuSeconds()) - before) * 1_000
      parts.push(`${count(size)}: ${spread([verifiedMs])}`)
      await lift(desk, id)
    }
  } finally {
    await desk.end()
  }
  const many = all.at(-1) ?? 0
  const bare = await typedBare(lab, many)
  return [
    measured('prefixes in one decision on the lab’s FRR router', parts.join('; ')),
    measured(
      `of ${count(many)} there`,
      `${duration(cpu)} of CPU in the controller; bare ssh2 types the same lines in the same batches, each prompt awaited, in ${duration(bare.typedMs)} (its first batch ${duration(bare.firstMs)}, its last ${duration(bare.lastMs)}), and sees all installed ${duration(bare.shownMs)} later`,
    ),
  ]
}

/** What the router itself needs for so many routes in batches as nullroute sends them, and until its table has them. */
async function typedBare(
  lab: Lab,
  size: number,
): Promise<Readonly<Record<'typedMs' | 'firstMs' | 'lastMs' | 'shownMs', number>>> {
  const [batch] = batches({ version: '8.4.4' })
  if (batch === undefined) throw new Error('FRR 8.4 has batches')
  const session = await openBare(lab.target)
  const typed = async (no: string): Promise<readonly number[]> => {
    const times: number[] = []
    const lines = Array.from({ length: size }, (_, i) =>
      free(`${no}ip route 198.18.${i >>> 7}.${(i & 127) * 2}/32 blackhole tag 666`, 'config'),
    )
    await session.type('configure terminal')
    for (let at = 0; at < size; at += batch.linesMax) {
      const from = machineMs()
      const part = batch.wrap(lines.slice(at, at + batch.linesMax))
      for (const { text } of part) await session.type(text)
      times.push(machineMs() - from)
    }
    await session.type('end')
    return times
  }
  try {
    const from = machineMs()
    const times = await typed('')
    const typedAt = machineMs()
    for (let shown = 0; shown < size; ) {
      const table = await session.type('show ip route 198.18.0.0/16 longer-prefixes json')
      shown = table.match(/"installed":\s*true/g)?.length ?? 0
    }
    const shownMs = machineMs() - typedAt
    await typed('no ')
    return { typedMs: typedAt - from, firstMs: times[0] ?? 0, lastMs: times.at(-1) ?? 0, shownMs }
  } finally {
    session.close()
  }
}

function lift(desk: Desk, id: string): Promise<void> {
  return desk.release(id)
}
