// A process that plays spots of the table, several at a time: told their ids by its parent, it answers with their results.

import type { SimulatedPlatform } from '../simulator/spec.ts'
import { type Baseline, baselineOf } from './baseline.ts'
import { type CellResult, playSpot, strikesIn } from './play.ts'
import { type Spot, spots } from './table.ts'
import { faultWorld, platforms, type WorldOptions } from './worlds.ts'

/** What a worker answers for one spot. */
export interface Played {
  readonly spot: string
  readonly results: readonly CellResult[]
}

/** Steps at which sessions are opened: there each convergence opens its own. */
const opening = new Set(['connect', 'log in', 'privilege', 'paging off'])

function optionsFor({ fault, place }: Spot): WorldOptions {
  return {
    lookAlike: fault.id === 'look-alike',
    ...(opening.has(place.step) ? { says: 'sessionIdleMs: 0' } : {}),
  }
}

const baselines = new Map<string, Promise<Baseline>>()

function baselineFor(platform: SimulatedPlatform, lookAlike: boolean): Promise<Baseline> {
  const name = `${platform} ${lookAlike}`
  const known = baselines.get(name) ?? baselineOf(platform, faultWorld(platform, { lookAlike }))
  baselines.set(name, known)
  return known
}

async function play(spot: Spot): Promise<readonly CellResult[]> {
  const options = optionsFor(spot)
  const baseline = await baselineFor(spot.platform, options.lookAlike)
  return playSpot(spot, faultWorld(spot.platform, options), baseline)
}

async function played(spot: Spot): Promise<Played> {
  try {
    return { spot: spot.id, results: await play(spot) }
  } catch (fault) {
    const forbidden = [`the cell broke: ${fault instanceof Error ? fault.stack : String(fault)}`]
    const seen = {
      status: 'none',
      device: 'none',
      code: '',
      remedy: '',
      shows: 'collateral',
    } as const
    const directions = (['suspend', 'release'] as const).filter((one) => strikesIn(spot, one))
    const results = directions.map((direction) => ({
      id: `${spot.id}/${direction}`,
      direction,
      seen,
      forbidden,
    }))
    return { spot: spot.id, results }
  }
}

const table = new Map(spots(platforms).map((spot) => [spot.id, spot]))
process.on('message', (id: string) => {
  const spot = table.get(id)
  if (spot === undefined) throw new Error(`no spot ${id}`)
  void played(spot).then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
