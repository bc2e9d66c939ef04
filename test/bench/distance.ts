// b: one warm device, 50 ms away.

import type { SimulatedPlatform } from '../simulator/spec.ts'
import type { Options } from './options.ts'
import { judged, measured, type Row, type Section } from './report.ts'
import { startBare, startDeskOn, startFarm } from './rig.ts'
import { duration, spread, summarize } from './statistics.ts'
import { addressOf } from './world.ts'

const roundTripMs = 50
const goalRoundTrips = 3
const goalOnTopMs = 30

/** Time and round trips of one blackhole on a warm session over a long line. */
export async function benchDistance(options: Options): Promise<Section> {
  const rows: Row[] = []
  for (const platform of ['frr', 'linux', 'cisco_ios', 'juniper_junos'] as const) {
    rows.push(...(await onPlatform(platform, options.quick ? 1 : 9)))
  }
  return {
    letter: 'b',
    title: 'One warm device, 50 ms of round-trip time',
    rows,
    notes: [
      'A TCP proxy in the devices’ process holds every byte back for 25 ms each way, and counts how often the client waited: everything that it sends until the next byte comes in is one round trip. Those that begin after the result is durable are the save’s, and not counted. The floor is bare ssh2, typing the route, its way in and out, and one read-back, each prompt awaited.',
      'Three round trips: the reads, with the way into the configuration at the end of the same write where that is harmless; the lines, with the way out; the read-back. “On top” is what is left of the time when three round trips are taken off. Junos is measured, not targeted: a candidate is locked, compared, checked, committed with a timer, read back over a second session and confirmed.',
    ],
  }
}

async function onPlatform(platform: SimulatedPlatform, runs: number): Promise<readonly Row[]> {
  const { farm, devices } = await startFarm({ devices: 1, platform, roundTripMs })
  const bare = await startBare(devices)
  const desk = await startDeskOn(devices, { cold: false, atOnce: 8 })
  try {
    await bare.ask('open', { atOnce: 1 })
    const floor: number[] = []
    const ours: number[] = []
    const trips: number[] = []
    const floorTrips: number[] = []
    for (let run = -1; run < runs; run++) {
      const address = addressOf(100 + run)
      await farm.ask('reset', undefined)
      const bareMs = await bare.ask('warm', { address, atOnce: 1 })
      const bareTrips = (await farm.ask('traffic', {})).roundTrips
      await bare.ask('off', { address, atOnce: 1 })
      await farm.ask('reset', undefined)
      const taken = await desk.block(address)
      const { roundTrips } = await farm.ask('traffic', { until: taken.verifiedAt })
      await desk.release(taken.id)
      // The first opens the session.
      if (run < 0) continue
      floor.push(bareMs)
      floorTrips.push(bareTrips)
      ours.push(taken.verifiedMs)
      trips.push(roundTrips)
    }
    return rowsOf(platform, { floor, floorTrips, ours, trips })
  } finally {
    await desk.end()
    await bare.end()
    await farm.end()
  }
}

function rowsOf(
  platform: SimulatedPlatform,
  runs: Readonly<Record<'floor' | 'floorTrips' | 'ours' | 'trips', readonly number[]>>,
): readonly Row[] {
  const trips = summarize(runs.trips).median
  const { median } = summarize(runs.ours)
  const floor = `${spread(runs.floor)}, ${summarize(runs.floorTrips).median} round trips`
  const figure = `${trips} round trips, ${spread(runs.ours)}; bare ssh2 ${floor}`
  if (platform === 'juniper_junos') {
    return [measured(`one blackhole on ${platform}, warm`, figure)]
  }
  const onTop = median - goalRoundTrips * roundTripMs
  return [
    judged(
      `one blackhole on ${platform}, warm`,
      `${goalRoundTrips} round trips`,
      figure,
      trips <= goalRoundTrips,
    ),
    judged(
      `the same, on top of ${goalRoundTrips * roundTripMs} ms`,
      `≤ ${goalOnTopMs} ms`,
      duration(onTop),
      onTop <= goalOnTopMs,
    ),
  ]
}
