// All of a Linux host that a change could touch, in a form that is equal when the host is the same: for comparing before and after.

import { z } from 'zod'
import { type Answer, free, type Read } from '../../platform.ts'
import { savedFiles } from './save.ts'
import { sudo } from './session.ts'

const reads = {
  routes4: 'ip -j -4 route show table all',
  routes6: 'ip -j -6 route show table all',
  rules4: 'ip -j -4 rule show',
  rules6: 'ip -j -6 rule show',
  links: 'ip -j link show',
  addresses: 'ip -j addr show',
  neighbours: 'ip -j neigh show nud permanent',
  proxied: 'ip -j neigh show proxy',
  ruleset: 'nft -j list ruleset',
  // All that the sudo fragment of `prepare` lets an account see.
  inet: `${sudo} nft -j list table inet nullroute`,
  bridge: `${sudo} nft -j list table bridge nullroute`,
  saved: savedFiles,
} as const

/** Kernel state and saved files. */
export const configuration: readonly Read[] = Object.entries(reads).map(([what, text]) => ({
  what,
  line: free(text, 'shell'),
}))

/** Change by themselves: counters, ages, handles, and what a link learns about its other end. */
const volatile: ReadonlySet<string> = new Set([
  'handle',
  'packets',
  'bytes',
  'metainfo',
  'operstate',
  'valid_life_time',
  'preferred_life_time',
  'expires',
  'tentative',
  'index',
])

/** One line for each route, rule, link, address and statement, in the order in which the kernel keeps them. */
export function canonical(answers: ReadonlyMap<string, Answer>): string {
  return Object.keys(reads)
    .flatMap((what) => {
      const text = answers.get(what)?.text.trim() ?? ''
      return [
        `[${what}]`,
        ...(text.startsWith('[') || text.startsWith('{') ? jsonLines(text) : text.split('\n')),
      ]
    })
    .join('\n')
}

function jsonLines(text: string): readonly string[] {
  const values = text.split('\n').flatMap((line) => entriesOf(line))
  const derived = values.filter(isDerived).map(print).sort()
  return [...values.filter((entry) => !isDerived(entry)).map(print), ...derived]
}

const listing = z.object({ nftables: z.array(z.unknown()) })
const kernelRoute = z.object({ dst: z.string(), protocol: z.literal('kernel') })

function entriesOf(line: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(line)
    if (Array.isArray(value)) return value
    const found = listing.safeParse(value)
    return found.success ? found.data.nftables : [value]
  } catch {
    return [line]
  }
}

/** Link-local and multicast routes come from links; a link that was down and up again has its own at the end. */
function isDerived(entry: unknown): boolean {
  return kernelRoute.safeParse(entry).success
}

function print(entry: unknown): string {
  return JSON.stringify(entry, (key, value: unknown) => (volatile.has(key) ? undefined : value))
}
