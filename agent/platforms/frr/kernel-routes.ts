// Routes that lead through a port and that FRR would not bring back: those that others set in the kernel, by hand or by a daemon of their own, and next
// hops that are objects of their own (`ip nexthop`). Tried on 8.4.4: zebra shows each such route as `kernel`, without saying whose it is, so that those
// of a DHCP client or a router advertisement count too, though they come back.

import { z } from 'zod'
import { type Answer, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'

const route = z.looseObject({
  prefix: z.string(),
  nexthops: z.array(
    z.looseObject({ interfaceName: z.string().optional(), active: z.boolean().optional() }),
  ),
})

const table = z.record(z.string(), z.array(route))

/** One table; or, from 10 on, tables by the name of their VRF. */
const tables = z.union([table, z.record(z.string(), table)])

type Route = z.infer<typeof route>

/** By name of the read. Not both at once: a table is asked for without its VRF, and those of the VRFs are none of `all`. */
const questions = {
  'kernel 4': 'show ip route vrf all kernel json',
  'kernel 6': 'show ipv6 route vrf all kernel json',
  'kernel tables 4': 'show ip route table all kernel json',
  'kernel tables 6': 'show ipv6 route table all kernel json',
} as const

/** Reads for what leads through these ports: as long as what FRR did not bring into the kernel itself. */
export function kernelReads(ports: readonly string[]): readonly Read[] {
  if (ports.length === 0) return []
  return [
    ...Object.entries(questions).map(([what, text]) => ({ what, line: free(text, 'exec') })),
    ...ports.map((port) => ({
      what: `nexthops|${port}`,
      line: free(`show interface ${port} nexthop-group`, 'exec'),
    })),
  ]
}

/** Why a port must not be taken down: what would be lost with it, and with those that may go down in the same write. */
export function lostStop(
  port: string,
  withIt: ReadonlySet<string>,
  answers: ReadonlyMap<string, Answer>,
): Stop | undefined {
  const routes = Object.keys(questions)
    .flatMap((what) => routesIn(answerTo(answers, what)))
    .filter(({ nexthops }) => isLost(nexthops, port, withIt))
    .map(({ prefix }) => `the route ${prefix}`)
  const objects = nextHops(answerTo(answers, `nexthops|${port}`)).map(
    (id) => `the next hop of id ${id}`,
  )
  const lost = [...new Set([...routes, ...objects])]
  if (lost.length === 0) return undefined
  const more = lost.length > shownMax ? ` and ${lost.length - shownMax} more` : ''
  return {
    code: 'not_restorable',
    message: `${port} would lose ${lost.slice(0, shownMax).join(', ')}${more} for good: the kernel has it from others than FRR, and drops it when the port goes down`,
    remedy:
      'let FRR hold such routes (`ip route …` in its configuration), or cut the customer off by another measure',
  }
}

/** Most that are named. */
const shownMax = 5

/** The kernel keeps a route as long as one of its next hops lives, and gives it the others back. */
function isLost(hops: Route['nexthops'], port: string, withIt: ReadonlySet<string>): boolean {
  return (
    hops.some(({ interfaceName }) => interfaceName === port) &&
    hops.every(
      ({ interfaceName = '', active }) =>
        active !== true || interfaceName === port || withIt.has(interfaceName),
    )
  )
}

/** One object of JSON, or before 10 one for each table or VRF, one behind the other. */
function routesIn(answer: Answer): readonly Route[] {
  return answer.text
    .trim()
    .split(/(?<=^\})\n(?=\{)/m)
    .flatMap((text) => {
      const parsed = tables.safeParse(jsonIn(text))
      if (!parsed.success) throw unknownOutput(answer, 'kernel routes by prefix as JSON')
      return Object.values(parsed.data).flatMap((one) =>
        Array.isArray(one) ? one : Object.values(one).flat(),
      )
    })
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Ids of what is in force and none of zebra's own; what is gone from the kernel stays in the list, no longer valid. */
function nextHops(answer: Answer): readonly string[] {
  const [head = '', ...entries] = answer.text.split(/^ +ID: (?=\d+ \()/m)
  if (!/^(?:Interface \S+:)?\s*$/.test(head) || (head.trim() === '' && entries.length > 0)) {
    throw unknownOutput(answer, 'the next hops of an interface')
  }
  return entries
    .filter((entry) => /^\d+ \(kernel\)/.test(entry) && /^ +Valid\b/m.test(entry))
    .map((entry) => entry.slice(0, entry.indexOf(' ')))
}
