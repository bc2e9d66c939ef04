// Routes as `ip -j route show` lists them.

import { z } from 'zod'
import { type Prefix, parsePrefix } from '../../../inventory/prefix.ts'
import type { Answer } from '../../platform.ts'
import { readJson, unknownOutput } from '../output.ts'

const route = z.object({
  type: z.string().optional(),
  dst: z.string(),
  gateway: z.string().optional(),
  dev: z.string().optional(),
  protocol: z.string().optional(),
  metric: z.number().optional(),
  tos: z.string().optional(),
  table: z.string().optional(),
})
// Made once: a schema is compiled at its first use, which costs more than any answer.
const routeList = z.array(route)

/** One route. */
export type Route = z.infer<typeof route>

/** A route with its prefix. */
export interface Placed {
  readonly at: Prefix
  readonly entry: Route
}

/** Types of routes that drop what comes to them. */
export const discards: ReadonlySet<string> = new Set(['blackhole', 'unreachable', 'prohibit'])

/** Routes as `ip -j` lists them. */
export function readRoutes(answer: Answer): readonly Placed[] {
  return readJson(answer, routeList, 'routes as JSON').map((entry) => {
    // `ip` leaves /32 and /128 out, and has a word for the whole of a family.
    const isV6 = answer.line.text.includes(' -6 ')
    const text = entry.dst === 'default' ? (isV6 ? '::/0' : '0.0.0.0/0') : entry.dst
    const at = parsePrefix(text)
    if (!at.ok) throw unknownOutput(answer, `routes to prefixes (${at.problem})`)
    return { at: at.value, entry }
  })
}

/** A route for a type of service decides for its packets, the one of the lowest metric for all others. */
export function decidingOf(exact: readonly Route[]): readonly Route[] {
  const special = exact.filter(({ tos }) => tos !== undefined)
  const [common] = exact
    .filter(({ tos }) => tos === undefined)
    .sort((a, b) => metricOf(a) - metricOf(b))
  return common === undefined ? special : [common, ...special]
}

/** IPv4 routes have none where nobody gave one. */
export function metricOf(entry: Pick<Route, 'metric'>): number {
  return entry.metric ?? 0
}

/** As `ip route` writes it. */
export function describe(entry: Route): string {
  const part = (word: string, value: string | number | undefined): string =>
    value === undefined ? '' : ` ${word} ${value}`
  return `${entry.type ?? 'unicast'} ${entry.dst}${part('via', entry.gateway)}${part('dev', entry.dev)}${part('proto', entry.protocol)}${part('metric', entry.metric)}${part('table', entry.table)}`
}
