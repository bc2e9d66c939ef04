// A customer's prefix without what must never be cut: the fewest prefixes that cover the rest, and what was left out.

import type { Lookup } from '../inventory/lookup.ts'
import type { Id } from '../inventory/model.ts'
import { type NeverCut, neverCutIn } from '../inventory/never-cut.ts'
import { carve, type Prefix } from '../inventory/prefix.ts'
import type { Compiled } from './model.ts'

/** One prefix after carving. */
export interface Carved {
  readonly pieces: readonly Prefix[]
  readonly leftOut: Compiled['leftOut']
}

/** Carves for one customer: its own BGP neighbors don't count, protected space does. Asks for each prefix once. */
export function carver(
  customer: Id,
  known: { readonly lookup: Lookup; readonly neverCut: readonly NeverCut[] },
): (prefix: Prefix) => Carved {
  const done = new Map<Prefix, Carved>()
  return (prefix) => {
    const before = done.get(prefix)
    if (before !== undefined) return before
    const shields = known.lookup
      .protectedOverlapping(prefix)
      .map((shield) => ({ prefix: shield.prefix, why: `protected: ${shield.why}` }))
    const vital = neverCutIn(known.neverCut, prefix)
      .filter(({ ownNeighborOf }) => ownNeighborOf !== customer)
      .map((entry) => ({ prefix: entry.prefix, why: entry.why }))
    const holes = [...vital, ...shields]
    const carved = {
      pieces: carve(
        prefix,
        holes.map((hole) => hole.prefix),
      ),
      leftOut: holes.map((hole) => ({ prefix: hole.prefix, within: prefix, why: hole.why })),
    }
    done.set(prefix, carved)
    return carved
  }
}
