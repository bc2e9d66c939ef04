// e: `verified` is said when it was read back; the save comes after it.

import type { Options } from './options.ts'
import { judged, measured, type Row, type Section } from './report.ts'
import { type Desk, startDeskOn, startFarm } from './rig.ts'
import { duration, spread, summarize } from './statistics.ts'
import { addressOf } from './world.ts'

/** How long the device takes to save. */
const saveMs = 1_000

/** A device whose save takes a second: what is said when. */
export async function benchSaving(options: Options): Promise<Section> {
  const { farm, devices } = await startFarm({ devices: 1, platform: 'frr', roundTripMs: 0 })
  await farm.ask('slowSave', { ms: saveMs })
  const desk = await startDeskOn(devices, { cold: false, atOnce: 1 })
  try {
    const runs: Run[] = []
    for (let run = -1; run < (options.quick ? 1 : 5); run++) {
      const one = await saveRun(desk, addressOf(300 + run))
      if (run >= 0) runs.push(one)
    }
    return { letter: 'e', title: 'The save comes after the answer', rows: rowsOf(runs), notes }
  } finally {
    await desk.end()
    await farm.end()
  }
}

const notes = [
  `A simulated FRR router that takes ${duration(saveMs)} for \`write memory\`. The time until it is verified has no part of that; until the save is done the API says \`unsaved: true\` of the device, and afterwards \`false\`.`,
]

interface Run {
  readonly verifiedMs: number
  readonly savedMs: number
  /** What the API said of the device after verifying, and after saving. */
  readonly unsaved: readonly [boolean, boolean]
}

async function saveRun(desk: Desk, address: string): Promise<Run> {
  const isUnsaved = async (): Promise<boolean> =>
    (await desk.api.call<{ readonly unsaved: boolean }>('GET', '/v1/devices/d1')).unsaved
  const from = performance.now()
  const { id, verifiedMs } = await desk.block(address)
  const before = await isUnsaved()
  await desk.control.ask('quiet', undefined)
  const savedMs = performance.now() - from
  const after = await isUnsaved()
  await desk.release(id)
  return { verifiedMs, savedMs, unsaved: [before, after] }
}

function rowsOf(runs: readonly Run[]): readonly Row[] {
  const verified = runs.map(({ verifiedMs }) => verifiedMs)
  const saved = runs.map(({ savedMs }) => savedMs)
  const shown = runs.filter(({ unsaved: [before, after] }) => before && !after).length
  return [
    judged(
      `verified, on a device that takes ${duration(saveMs)} to save`,
      'without the save',
      spread(verified),
      summarize(verified).high < saveMs,
    ),
    measured('the same, until it is saved', spread(saved)),
    judged(
      '`unsaved` shows until it is saved, and not longer',
      'each time',
      `${shown} of ${runs.length} runs`,
      shown === runs.length,
    ),
  ]
}
