// What a device shows when nothing goes wrong: what every cell is measured by. Played once for each world.

import type { SimulatedPlatform } from '../simulator/spec.ts'
import { type Story, startStory, suspend } from '../simulator/stories/story.ts'
import { otherChange, otherChangeUndone } from './table.ts'
import { deviceName, type FaultWorld } from './worlds.ts'

/** How long anything may take that nothing is wrong with, in ms: many cells share few cores. */
export const patienceMs = 120_000

/** Configurations of a device, running and saved. */
export interface Known {
  readonly before: string
  readonly enforced: string
  /** What a reload brings back once the release was saved. */
  readonly saved: string
  /** The same once the decision in force was saved. */
  readonly savedEnforced: string
}

/** The same with and without the change of somebody else. */
export interface Baseline {
  readonly plain: Known
  readonly changed: Known
}

async function playedThrough(story: Story): Promise<Known> {
  const device = story.device(deviceName)
  const before = device.running
  const { id } = await story.decide(suspend('esthost'))
  await story.reaches(id, 'enforced')
  await story.quiet()
  const enforced = device.running
  const savedEnforced = device.startup
  await story.release(id)
  await story.reaches(id, 'released')
  await story.quiet()
  if (device.running !== before) throw new Error(`no identity without a fault: ${device.running}`)
  return { before, enforced, saved: device.startup, savedEnforced }
}

/** Suspends and releases twice without any fault, the second time beside somebody else's change. */
export async function baselineOf(
  platform: SimulatedPlatform,
  world: FaultWorld,
): Promise<Baseline> {
  const story = await startStory({
    devices: [world.device],
    customers: world.customers,
    playbooks: { suspend: world.playbook },
    patienceMs,
  })
  try {
    const device = story.device(deviceName)
    const plain = await playedThrough(story)
    device.setByHand(otherChange[platform])
    story.clock.travel(61_000)
    const changed = await playedThrough(story)
    device.setByHand(otherChangeUndone[platform])
    if (device.running !== plain.before) throw new Error('the other change can’t be taken back')
    return { plain, changed }
  } finally {
    await story.end()
  }
}
