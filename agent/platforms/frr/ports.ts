// What goes down with a port of FRR, from `show interface vrf all json` (tried on 8.4.4, where parents and masters are named if they are in the same
// namespace): interfaces that stand on it, and perhaps our own session. Not seen are routes set in the kernel past FRR, which a shutdown loses for good
// (tried on 8.4.4): zebra shows every such route as `kernel`, also those that a DHCP client puts back.

import { z } from 'zod'
import { type Answer, type Facts, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, readJson } from '../output.ts'
import { canonicalAddress, ownAddress, sessionStop } from '../own-session.ts'

const all = z.record(
  z.string(),
  z.looseObject({
    ipAddresses: z.array(z.looseObject({ address: z.string() })).optional(),
    interfaceType: z.string().optional(),
    interfaceSlaveType: z.string().optional(),
    parentInterface: z.string().optional(),
    masterInterface: z.string().optional(),
  }),
)

type Interfaces = z.infer<typeof all>

const what = 'interfaces'

/** All interfaces, with what they stand on. */
export const interfacesRead: Read = { what, line: free('show interface vrf all json', 'exec') }

/** Why this port must not be taken down: it carries our session, or interfaces of others. */
export function carriedStop(
  port: string,
  answers: ReadonlyMap<string, Answer>,
  facts: Facts,
): Stop | undefined {
  const interfaces = readJson(answerTo(answers, what), all, 'all interfaces as JSON')
  const above = standingOn(port, interfaces)
  const by = sessionInterface(interfaces, facts)
  if (by !== undefined && [port, ...above, ...bondOf(port, interfaces)].includes(by)) {
    return sessionStop(port, by)
  }
  if (above.length === 0) return undefined
  return {
    code: 'ambiguous',
    message: `${port} carries ${above.join(', ')}, which would go down with it`,
    remedy: "name the customer's own interface in the inventory",
  }
}

function sessionInterface(interfaces: Interfaces, facts: Facts): string | undefined {
  const own = ownAddress(facts)
  if (own === undefined) return undefined
  return Object.entries(interfaces).find(([, { ipAddresses = [] }]) =>
    ipAddresses.some(({ address }) => canonicalAddress(address) === own),
  )?.[0]
}

/** Interfaces that go down with the port, and those that stand on them in turn. The two ends of a veth name each other; neither stands on the other. */
function standingOn(port: string, interfaces: Interfaces): readonly string[] {
  const found = new Set<string>()
  const visit = (below: string): void => {
    for (const [name, one] of Object.entries(interfaces)) {
      const stands =
        name.startsWith(`${below}.`) ||
        one.masterInterface === below ||
        (one.parentInterface === below && one.interfaceType !== 'VETH')
      if (!stands || name === port || found.has(name)) continue
      found.add(name)
      visit(name)
    }
  }
  visit(port)
  return [...found]
}

/** The bond that the port is a member of, with what stands on it. Of a bridge each other port may be the way to us. */
function bondOf(port: string, interfaces: Interfaces): readonly string[] {
  const { interfaceSlaveType = '', masterInterface } = interfaces[port] ?? {}
  if (masterInterface === undefined || !/bond/i.test(interfaceSlaveType)) return []
  return [masterInterface, ...standingOn(masterInterface, interfaces)]
}
