// Ids in their order: sorted once per map, since lists are asked for page by page.

import type { Id } from './model.ts'

/** The names of a map, ascending. The map must not change afterwards: those of an inventory don't. */
export function idsInOrder(map: ReadonlyMap<Id, unknown>): readonly Id[] {
  const before = known.get(map)
  if (before !== undefined) return before
  const ids = [...map.keys()].sort()
  known.set(map, ids)
  return ids
}

const known = new WeakMap<ReadonlyMap<Id, unknown>, readonly Id[]>()
