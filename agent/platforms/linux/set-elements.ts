// The elements of nftables sets as `nft -j` prints them: an address, a prefix, a range, with or without what stands beside it (comment, counter, timeout).

import { z } from 'zod'
import {
  type Family,
  familyOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  toNumber,
  toSpan,
} from '../../../inventory/prefix.ts'

/** One element of a set. */
export interface Element {
  readonly prefix: Prefix
  /** Our comment stands on it. */
  readonly marked: boolean
}

/** Addresses that stand together in a set: a prefix, or a range that is none. */
export interface Stretch {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
  /** As people write it. */
  readonly text: string
}

/** The mark of our elements. */
export const comment = 'nullroute'

const value = z.union([
  z.string(),
  z.object({ prefix: z.object({ addr: z.string(), len: z.number() }) }),
  z.object({ range: z.tuple([z.string(), z.string()]) }),
])

const element = z.union([
  value.transform((val) => ({ val, comment: undefined })),
  z
    .object({ elem: z.object({ val: value, comment: z.string().optional() }) })
    .transform(({ elem }) => ({ val: elem.val, comment: elem.comment })),
])

/** Undefined for a range, or anything else that isn't one prefix. */
export function readElement(entry: unknown): Element | undefined {
  const parsed = element.safeParse(entry)
  if (!parsed.success) return undefined
  const prefix = prefixOf(parsed.data.val)
  if (prefix === undefined) return undefined
  return { prefix, marked: parsed.data.comment === comment }
}

/** Undefined for what is neither a prefix nor a range of addresses: a concatenation, or a form of a later nft. */
export function readStretch(entry: unknown): Stretch | undefined {
  const parsed = element.safeParse(entry)
  if (!parsed.success) return undefined
  const { val } = parsed.data
  const prefix = prefixOf(val)
  if (prefix !== undefined) {
    const { family, first, last } = toSpan(prefix)
    return { family, first, last, text: prefix }
  }
  return typeof val === 'object' && 'range' in val ? rangeOf(val.range) : undefined
}

/** Whether an address of the prefix is among those of the stretch. */
export function meets({ family, first, last }: Stretch, prefix: Prefix): boolean {
  const span = toSpan(prefix)
  return span.family === family && span.first <= last && first <= span.last
}

function prefixOf(val: z.infer<typeof value>): Prefix | undefined {
  if (typeof val === 'object' && 'range' in val) return undefined
  const prefix = parsePrefix(typeof val === 'string' ? val : `${val.prefix.addr}/${val.prefix.len}`)
  return prefix.ok ? prefix.value : undefined
}

function rangeOf([from, to]: readonly [string, string]): Stretch | undefined {
  const start = parseAddress(from)
  const end = parseAddress(to)
  if (!start.ok || !end.ok) return undefined
  const family = familyOf(start.value)
  const first = toNumber(start.value)
  const last = toNumber(end.value)
  if (familyOf(end.value) !== family || last < first) return undefined
  return { family, first, last, text: `${start.value}-${end.value}` }
}
