// Suspend, then release, on a device of any state: as a property of one platform.

import fc from 'fast-check'
import { expect } from 'vitest'
import type { KeyState } from '../../agent/journal.ts'
import type { Way } from './bench.ts'
import { benchOf, type Habitat } from './priors.ts'
import { runs } from './runs.ts'

/** One case in three byte by byte through terminal and dialogue, the others in whole lines: what is left on a device is the drivers' doing. */
const way = fc.constantFrom<Way>('bytes', 'lines', 'lines')

/** Outcomes that must have come up for each kind, or the generators prove nothing. */
const expected: Readonly<Record<Habitat['platform'], readonly string[]>> = {
  frr: cross('blackhole: applied already refused', 'port: applied already refused').concat(
    cross('neighbor: applied already', 'acl: unsupported'),
  ),
  linux: cross('blackhole: applied already refused', 'port: applied already refused').concat(
    cross('acl: applied already refused', 'neighbor: unsupported'),
  ),
  cisco_ios: cross('blackhole: applied already refused', 'port: applied already refused').concat(
    cross('acl: applied already refused unsupported', 'neighbor: applied already refused'),
  ),
  juniper_junos: cross(
    'blackhole: applied already refused',
    'port: applied already refused',
  ).concat(cross('acl: applied already refused', 'neighbor: applied already refused')),
}

/** `kind: outcome outcome` as one name for each. */
function cross(...texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => {
    const [kind = '', outcomes = ''] = text.split(': ')
    return outcomes.split(' ').map((outcome) => `${kind} ${outcome}`)
  })
}

/** Lines of the operator's that a suspension took away. On Linux an object is part of a longer line. */
function lost(before: string, during: string): readonly string[] {
  const left = during.split('\n')
  return before.split('\n').filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** Suspend, then release: the device is what it was before, whatever operators left there. */
export async function checkIdentity({ platform, prior, wanted }: Habitat): Promise<void> {
  const seen = new Map<string, number>()
  const count = ({ kind, outcome }: KeyState): void => {
    const name = `${kind} ${outcome}`
    seen.set(name, (seen.get(name) ?? 0) + 1)
  }

  await fc.assert(
    fc.asyncProperty(prior, wanted, way, async (before, intents, how) => {
      const bench = benchOf(before, how)
      const [config, startup] = [bench.canonical(), bench.model.startup()]

      const states = await bench.settle(intents)
      const during = bench.canonical()
      await bench.settle([])

      states.forEach(count)
      if (platform !== 'linux') expect(lost(config, during)).toEqual([])
      expect(bench.canonical()).toBe(config)
      expect(bench.book.claims).toEqual([])
      expect([startup, bench.model.running()]).toContain(bench.model.startup())
    }),
    runs(),
  )

  const rare = expected[platform].filter((name) => !seen.has(name))
  expect(rare, JSON.stringify([...seen])).toEqual([])
}
