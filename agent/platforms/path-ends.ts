// Where all paths of a route end, and whether that drops what is sent to it: the same on every system that asks its own routes where a next hop leads.

import type { Found } from '../platform.ts'

/** Where paths end: all of them in a discard, or all at interfaces; some here and some there; or at least one where it can't be said. */
export type End = 'discard' | 'onward' | 'both' | 'unknown'

/** Where several paths end together. Of none it can't be said. */
export function endTogether(ends: Iterable<End>): End {
  const all = new Set(ends)
  if (all.size === 0 || all.has('unknown')) return 'unknown'
  const [only = 'unknown', ...more] = all
  return more.length === 0 ? only : 'both'
}

/** Whether a route is in force as a discard, by where its paths end. */
export const inForceOf: Readonly<Record<End, Found['inForce']>> = {
  discard: 'yes',
  onward: 'no',
  both: 'partly',
  unknown: 'unknown',
}
