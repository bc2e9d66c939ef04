// What leads through a port and is lost for good where it goes down: routes that were set by hand, with one next hop or several, next hops as objects of
// their own (kernel 5.3 and later), with which the groups go that hold them, and neighbours that were set by hand or are answered for.

import { z } from 'zod'
import type { PortName } from '../../../inventory/model.ts'
import { type Answer, free, type Read } from '../../platform.ts'
import { answerTo, readJson, unknownOutput } from '../output.ts'

const routes = z.array(z.object({ dst: z.string(), protocol: z.string().optional() }))
const neighbours = z.array(z.object({ dst: z.string() }))
const nextHops = z.array(z.object({ id: z.number(), protocol: z.string().optional() }))

/** Reads for what leads through a port. They are as long as what does: a router's whole table stays on the router. */
export function throughReads(port: PortName): readonly Read[] {
  const read = (what: string, text: string): Read => ({
    what: `${what}|${port}`,
    line: free(text, 'shell'),
  })
  // The filter `dev` of `ip` leaves out what has several next hops; as text, `-o` has each such route on one line.
  const several = (family: 4 | 6): string =>
    `ip -o -${family} route show table all | grep 'nexthop .*dev ${port.replaceAll('.', '[.]')} '`
  return [
    read('through4', `ip -j -4 route show table all dev ${port}`),
    read('through6', `ip -j -6 route show table all dev ${port}`),
    read('several4', several(4)),
    read('several6', several(6)),
    read('nexthops', `ip -j nexthop show dev ${port}`),
    read('neighbours', `ip -j neigh show dev ${port} nud permanent`),
    read('proxied', `ip -j neigh show proxy dev ${port}`),
  ]
}

/** What is lost for good with this port, and with those that may go down with it in the same write. */
export function lostThrough(
  port: PortName,
  withIt: ReadonlySet<string>,
  answers: ReadonlyMap<string, Answer>,
): readonly string[] {
  const single = ['through4', 'through6'].flatMap((what) =>
    readJson(answerTo(answers, `${what}|${port}`), routes, 'routes as JSON'),
  )
  const several = ['several4', 'several6'].flatMap((what) =>
    readSeveral(answerTo(answers, `${what}|${port}`)),
  )
  const hosts = (what: 'neighbours' | 'proxied'): z.infer<typeof neighbours> =>
    readJson(answerTo(answers, `${what}|${port}`), neighbours, 'neighbours as JSON')
  // The kernel keeps a route as long as one next hop lives, and gives it the others back.
  const gone = several.filter(({ hops }) => hops.every(({ dev, dead }) => dead || withIt.has(dev)))
  return [
    ...[...single, ...gone]
      .filter(({ protocol }) => isByHand(protocol))
      .map(({ dst }) => `the route ${dst}`),
    ...objects(answerTo(answers, `nexthops|${port}`))
      .filter(({ protocol }) => isByHand(protocol))
      .map(({ id }) => `the next hop of id ${id}`),
    ...hosts('neighbours').map(({ dst }) => `the permanent neighbour ${dst}`),
    ...hosts('proxied').map(({ dst }) => `the proxy entry for ${dst}`),
  ]
}

/** Routing daemons and the kernel bring theirs back. What has no protocol was set by hand, and of a number without a name nobody knows who would. */
function isByHand(protocol: string | undefined): boolean {
  return protocol === undefined || /^(?:static|boot|\d+)$/.test(protocol)
}

interface SeveralHops {
  readonly dst: string
  readonly protocol: string | undefined
  readonly hops: readonly { readonly dev: string; readonly dead: boolean }[]
}

function readSeveral(answer: Answer): readonly SeveralHops[] {
  return answer.text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [head = '', ...parts] = line.split(/\\\s*nexthop /)
      const dst = /^(?:unicast )?(default|[\da-f.:]+(?:\/\d+)?)(?: |$)/.exec(head)?.[1]
      const hops = parts.map((part) => ({
        dev: / dev (\S+)/.exec(` ${part}`)?.[1] ?? '',
        dead: / dead\b/.test(part),
      }))
      if (dst === undefined || hops.length === 0 || hops.some(({ dev }) => dev === '')) {
        throw unknownOutput(answer, 'routes with several next hops, one a line')
      }
      return { dst, protocol: / proto (\S+)/.exec(head)?.[1], hops }
    })
}

/** Next hops that are objects: none where ip or the kernel is older than they are. */
function objects(answer: Answer): z.infer<typeof nextHops> {
  if (
    /^Object "nexthop" is unknown\b|^RTNETLINK answers: Operation not supported$/m.test(answer.text)
  ) {
    return []
  }
  return readJson(answer, nextHops, 'next hops as JSON')
}
