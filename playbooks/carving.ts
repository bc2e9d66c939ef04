// A customer's prefix without what must never be cut: the fewest prefixes that cover the rest, and what was left out.

import type { Lookup } from '../inventory/lookup.ts'
import type { Id } from '../inventory/model.ts'
import type { NeverCut } from '../inventory/never-cut.ts'
import { carve, type Prefix, type Span, toSpan } from '../inventory/prefix.ts'
import type { Compiled } from './model.ts'

/** One prefix after carving. */
export interface Carved {
  readonly pieces: readonly Prefix[]
  readonly leftOut: Compiled['leftOut']
}

interface Hole {
  readonly prefix: Prefix
  readonly span: Span
  readonly why: string
}

/** Carves for one customer: its own BGP neighbors don't count, protected space does. Asks for each prefix once. */
export function carver(
  customer: Id,
  known: { readonly lookup: Lookup; readonly neverCut: readonly NeverCut[] },
): (prefix: Prefix) => Carved {
  const vital = known.neverCut
    .filter(({ ownNeighborOf }) => ownNeighborOf !== customer)
    .map(({ prefix, why }): Hole => ({ prefix, why, span: toSpan(prefix) }))
  const done = new Map<Prefix, Carved>()
  return (prefix) => {
    const before = done.get(prefix)
    if (before !== undefined) return before
    const shields = known.lookup
      .protectedOverlapping(prefix)
      .map((shield) => ({ prefix: shield.prefix, why: `protected: ${shield.why}` }))
    const holes = [...inside(vital, toSpan(prefix)), ...shields]
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

function inside(holes: readonly Hole[], span: Span): readonly Hole[] {
  return holes.filter(
    (hole) =>
      hole.span.family === span.family &&
      span.first <= hole.span.first &&
      hole.span.last <= span.last,
  )
}
