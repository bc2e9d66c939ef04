// What a table of ours lets pass before it drops anything: the operator's protect sets.

import { familyOf, type Prefix } from '../../../inventory/prefix.ts'
import { meets } from './set-elements.ts'
import type { ProtectName, Table } from './table.ts'

/** What becomes of a prefix in one table. */
export interface Drops {
  /** `unknown`: what the table lets pass before it drops anything is not understood. */
  readonly drops: 'yes' | 'no' | 'unknown'
  /** What lets some of it pass, or may do so. */
  readonly passes?: string
}

/** Whether the table drops all of a prefix. A part that it lets through before is enough: then it doesn't. */
export function dropsOf(
  { family, spared, unclear }: Table,
  prefix: Prefix,
  isHeld: boolean,
): Drops {
  const set: ProtectName = `protect${familyOf(prefix)}`
  const through = (spared.get(set) ?? []).filter((stretch) => meets(stretch, prefix))
  const where = `the set ${set} of table ${family} nullroute`
  if (through.length > 0) {
    const texts = through.map(({ text }) => text).join(', ')
    const passes = `${where} lets ${texts} pass before anything is dropped: take it out there, or out of this decision`
    return { drops: 'no', passes }
  }
  if (!unclear.has(set)) return { drops: isHeld ? 'yes' : 'no' }
  const passes = `${where} holds an entry that is neither a prefix nor a range of addresses: what it lets pass is not known`
  return { drops: isHeld ? 'unknown' : 'no', passes }
}
