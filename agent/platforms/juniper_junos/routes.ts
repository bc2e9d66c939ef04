// The JSON of `show route P exact`: whether the table drops what is sent to exactly this prefix.

import { z } from 'zod'
import { covers, familyOf, type Prefix, parsePrefix } from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import type { Answer, Found } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { staticPath, tableName } from './objects.ts'
import type { Statement } from './statements.ts'

/** Every value is a list of `{data}`. */
const text = z.array(z.looseObject({ data: z.unknown() })).optional()

const hop = z.looseObject({ to: text })

const entry = z.looseObject({
  'active-tag': text,
  'protocol-name': text,
  'nh-type': text,
  nh: z.array(hop).optional(),
})

const table = z.looseObject({
  'table-name': text,
  rt: z
    .array(z.looseObject({ 'rt-destination': text, 'rt-entry': z.array(entry).optional() }))
    .optional(),
})

const answerSchema = z.looseObject({
  'route-information': z
    .array(z.looseObject({ 'route-table': z.array(table).optional() }))
    .optional(),
})

type Blackhole = Extract<Intent, { readonly kind: 'blackhole' }>
type Entry = z.infer<typeof entry>

/**
 * `yes` if the active route is a discard, from whatever source: static, or learnt with next hops that the static routes of this table discard.
 * A table without routes may be missing altogether; a route of lower preference in front of ours leaves ours without its `*`.
 */
export function routeDiscards(
  answer: Answer,
  intent: Blackhole,
  routes: readonly Statement[],
): Found['inForce'] {
  const entries = rowsOf(answer, intent)
    .filter(({ prefix }) => prefix === intent.prefix)
    .flatMap((row) => row.entries)
  const active = activeOf(entries)
  if (active === undefined) return 'no'
  return isDiscard(active, staticPath(intent.vrf, familyOf(intent.prefix)), routes) ? 'yes' : 'no'
}

/** A more specific route that leads anywhere, out of `show route P range`: for its addresses it wins over the discard of the whole. */
export function leakInside(
  answer: Answer,
  intent: Blackhole,
  routes: readonly Statement[],
): string | undefined {
  const path = staticPath(intent.vrf, familyOf(intent.prefix))
  return rowsOf(answer, intent).find(({ prefix, entries }) => {
    if (prefix === intent.prefix || !covers(intent.prefix, prefix)) return false
    const active = activeOf(entries)
    return active !== undefined && !isDiscard(active, path, routes)
  })?.prefix
}

interface Row {
  readonly prefix: Prefix
  readonly entries: readonly Entry[]
}

/** The rows of the intent's table. */
function rowsOf(answer: Answer, intent: Blackhole): readonly Row[] {
  const tables = readJson(answer)['route-information']?.flatMap((one) => one['route-table'] ?? [])
  const name = tableName(intent.vrf, familyOf(intent.prefix))
  return (tables ?? [])
    .filter((one) => first(one['table-name']) === name)
    .flatMap((one) => one.rt ?? [])
    .flatMap((one) => {
      const prefix = canonical(first(one['rt-destination']))
      return prefix === undefined ? [] : [{ prefix, entries: one['rt-entry'] ?? [] }]
    })
}

function activeOf(entries: readonly Entry[]): Entry | undefined {
  return entries.find((one) => first(one['active-tag'])?.includes('*') === true)
}

function isDiscard(active: Entry, path: Statement, routes: readonly Statement[]): boolean {
  const type = first(active['nh-type'])
  if (type !== undefined) return /^(?:Discard|Reject)$/i.test(type)
  const hops = active.nh ?? []
  return hops.length > 0 && hops.every((one) => discards(first(one.to), path, routes))
}

function discards(hop: string | undefined, path: Statement, routes: readonly Statement[]): boolean {
  if (hop === undefined) return false
  const host = canonical(hop)
  return host !== undefined && routes.includes(`${path} route ${host} discard`)
}

function canonical(prefix: string | undefined): Prefix | undefined {
  const parsed = parsePrefix(prefix ?? '')
  return parsed.ok ? parsed.value : undefined
}

function first(value: z.infer<typeof text>): string | undefined {
  const data = value?.[0]?.data
  return typeof data === 'string' ? data : undefined
}

function readJson(answer: Answer): z.infer<typeof answerSchema> {
  const from = answer.text.indexOf('{')
  const to = answer.text.lastIndexOf('}')
  if (from < 0 && answer.text.trim() === '') return {}
  try {
    const parsed = answerSchema.safeParse(JSON.parse(answer.text.slice(from, to + 1)))
    if (parsed.success) return parsed.data
  } catch {
    // Told below, with the answer.
  }
  throw unknownOutput(answer, 'route-information as JSON')
}
