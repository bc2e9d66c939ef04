// What is too long for an entry of the log is kept as an artifact, by which the entry names it: a decision on thousands of devices settles with a line for each.

import { canonical, type Json } from './canonical.ts'
import { type NewRecord, recordTypes } from './record.ts'

/** Most bytes of a record's data that stand in its entry: well below the 65,535 that an entry may have, with room for the rest of it. */
const dataBytesMax = 16_384
/** A member that is not longer, in bytes, stays in any case. */
const memberBytesMax = 2_048

/** The kind of artifact that holds such members: a JSON object of them by name. */
export const longKind = 'data'

/** Takes what is too long out of a record. In `record` the number of items or characters stands in its place; `long`: the members as JSON text, absent where all fits. Hidden members are a digest in the entry, however long. */
export function shorten(record: NewRecord): { readonly record: NewRecord; readonly long?: string } {
  const hidden: readonly string[] = recordTypes[record.type]
  const shown = Object.entries(record.data).filter(([name]) => !hidden.includes(name))
  const sizes = shown.map(([, value]) => Buffer.byteLength(JSON.stringify(value)))
  if (sizes.reduce((sum, size) => sum + size, 0) <= dataBytesMax) return { record }
  const long = shown.filter(
    ([, value], i) => lengthOf(value) !== undefined && (sizes[i] ?? 0) > memberBytesMax,
  )
  const lengths = long.map(([name, value]) => [name, lengthOf(value) ?? 0] as const)
  return {
    record: { ...record, data: { ...record.data, ...Object.fromEntries(lengths) } },
    long: canonical(Object.fromEntries(long)),
  }
}

function lengthOf(value: Json): number | undefined {
  return typeof value === 'string' || Array.isArray(value) ? value.length : undefined
}
