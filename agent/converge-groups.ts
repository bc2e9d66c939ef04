// Which lines of a change go out in one run: the free lines of many intents together, those of one that waits for prompts alone. Pure.

import type { Planned } from './converge-work.ts'
import type { Batch, Line } from './platform.ts'

/** Most intents of free lines between two looks at the freeze. A batch is one change of the device, and is not parted. */
const groupMax = 64

/** What goes out in one run. */
export interface Group {
  readonly planned: readonly Planned[]
  /** The words around their lines. */
  readonly batch?: Batch
}

/** In order. With `batch`, runs of intents that it may hold are put into it where they have lines enough. */
export function groupsOf(planned: readonly Planned[], batch: Batch | undefined): readonly Group[] {
  const groups: Group[] = []
  for (let at = 0; at < planned.length; ) {
    const held = batch === undefined ? [] : heldFrom(planned, at, batch)
    const group: Group =
      batch !== undefined && linesIn(held) >= batch.linesMin
        ? { planned: held, batch }
        : { planned: togetherFrom(planned, at) }
    groups.push(group)
    at += group.planned.length
  }
  return groups
}

/** The lines of a group, with the words around them. */
export function linesOf({ planned, batch }: Group): readonly Line[] {
  const lines = planned.flatMap((one) => one.rendering.apply)
  return batch === undefined ? lines : [batch.begin, ...lines, batch.end]
}

function togetherFrom(planned: readonly Planned[], from: number): readonly Planned[] {
  const [first, ...more] = planned.slice(from, from + groupMax)
  if (first === undefined) return []
  if (!isFree(first)) return [first]
  const end = more.findIndex((one) => !isFree(one))
  return [first, ...(end === -1 ? more : more.slice(0, end))]
}

function heldFrom(planned: readonly Planned[], from: number, batch: Batch): readonly Planned[] {
  const held: Planned[] = []
  let lines = 0
  for (let at = from; at < planned.length; at++) {
    const one = planned[at]
    if (one === undefined || !isFree(one) || !one.rendering.apply.every(batch.holds)) break
    lines += one.rendering.apply.length
    if (lines > batch.linesMax) break
    held.push(one)
  }
  return held
}

function linesIn(planned: readonly Planned[]): number {
  return planned.reduce((sum, one) => sum + one.rendering.apply.length, 0)
}

function isFree({ rendering }: Planned): boolean {
  return rendering.apply.every((line) => line.free && line.opens === undefined)
}
