// Which lines of a change go out in one run: the free lines of many intents together, those of one that waits for prompts alone. Pure.

import type { Planned } from './converge-work.ts'
import type { Batch, Line } from './platform.ts'

/** Most intents of free lines between two looks at the freeze. A batch is one change of the device, and is not parted. */
const groupMax = 64

/** What goes out in one run. */
export interface Group {
  readonly planned: readonly Planned[]
  /** The form in which their lines go out, where it is not line by line. */
  readonly batch?: Batch
}

/** In order. Runs of intents that one of these batches may hold are put into it where they have lines enough. */
export function groupsOf(planned: readonly Planned[], batches: readonly Batch[]): readonly Group[] {
  const groups: Group[] = []
  // Where the line by line run under way begins.
  let from = 0
  for (let at = 0; at < planned.length; ) {
    const group = batchFrom(planned, at, batches)
    if (group === undefined) {
      at += 1
      continue
    }
    groups.push(...singly(planned.slice(from, at)), group)
    at += group.planned.length
    from = at
  }
  return [...groups, ...singly(planned.slice(from))]
}

/** The lines of a group as they go out. */
export function linesOf(group: Group): readonly Line[] {
  const lines = linesIn(group.planned)
  return group.batch === undefined ? lines : group.batch.wrap(lines)
}

/** The lines of a group as they would go out one by one. */
export function linesIn(planned: readonly Pick<Planned, 'rendering'>[]): readonly Line[] {
  return planned.flatMap((one) => one.rendering.apply)
}

function batchFrom(
  planned: readonly Planned[],
  at: number,
  batches: readonly Batch[],
): Group | undefined {
  for (const batch of batches) {
    const held = heldFrom(planned, at, batch)
    if (linesIn(held).length >= batch.linesMin) return { planned: held, batch }
  }
  return undefined
}

function singly(planned: readonly Planned[]): readonly Group[] {
  const groups: Group[] = []
  for (let at = 0; at < planned.length; ) {
    const group = { planned: togetherFrom(planned, at) }
    groups.push(group)
    at += group.planned.length
  }
  return groups
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

function isFree({ rendering }: Planned): boolean {
  return rendering.apply.every((line) => line.free && line.opens === undefined)
}
