// In how many steps a change goes out. A step is written down once for each whom it serves, with all its lines: a thousand decisions with a line each,
// in one step, would be a million lines, written while nothing else is. Pure.

import { objectOf, type Planned } from './converge-work.ts'
import type { Key } from './intents.ts'

/** Most lines that are written down for one step, over all whom it serves. One whom alone may have more: his lines are written once. */
const copiesMax = 16_384

/** The changes in parts, each for a step of its own, in their order: what has its lines in those of another goes with that. */
export function partsOf(
  planned: readonly Planned[],
  serves: ReadonlyMap<Key, readonly string[]>,
): readonly (readonly Planned[])[] {
  const parts: Planned[][] = []
  let whom = new Set<string>()
  let lines = 0
  for (const unit of unitsOf(planned)) {
    const theirs = unit.flatMap(({ key }) => serves.get(key) ?? [])
    const more = unit.reduce((sum, { rendering }) => sum + rendering.apply.length, 0)
    const together = new Set([...whom, ...theirs])
    const part = parts.at(-1)
    if (part === undefined || (together.size > 1 && together.size * (lines + more) > copiesMax)) {
      parts.push([...unit])
      whom = new Set(theirs)
      lines = more
      continue
    }
    part.push(...unit)
    whom = together
    lines += more
  }
  return parts
}

/** Changes that can't be parted, each with what has no lines of its own: they stand in those of a wider entry, or of one with the same object. */
export function unitsOf(planned: readonly Planned[]): readonly (readonly Planned[])[] {
  const keys = new Set(planned.map(({ key }) => key))
  const isLed = ({ after, rendering }: Planned): boolean =>
    (after !== undefined && keys.has(after)) || rendering.apply.length === 0
  const units = new Map<Key, Planned[]>()
  const leaders = new Map<string, Key>()
  for (const one of planned) {
    if (isLed(one)) continue
    units.set(one.key, [one])
    for (const part of objectOf(one)) leaders.set(part, one.key)
  }
  for (const one of planned.filter(isLed)) {
    const shared = objectOf(one).find((part) => leaders.has(part)) ?? ''
    const unit = units.get(one.after ?? leaders.get(shared) ?? one.key)
    if (unit === undefined) units.set(one.key, [one])
    else unit.push(one)
  }
  return [...units.values()]
}
