// What goes down with a port of FRR, from `show interface vrf all json` (tried on 8.4.4, where parents and masters are named if they are in the same
// namespace): interfaces that stand on it, and perhaps our own session, also through a bridge or a bond.

import { z } from 'zod'
import { type Answer, type Facts, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, readJson } from '../output.ts'
import { canonicalAddress, othersStop, ownAddress, sessionStop } from '../own-session.ts'

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
  const by = sessionInterface(interfaces, facts)
  const above = standingOn(port, interfaces)
  const reached = reachedBy(port, interfaces)
  if (by !== undefined && [port, ...above, ...reached.names].includes(by)) {
    return reached.oneOfMany ? bridgeStop(port, by) : sessionStop(port, by)
  }
  return othersStop(port, above) ?? (reached.unnamed ? unnamedStop(port) : undefined)
}

/** FRR shows no table of a bridge's addresses: of several members each may be the way to us. */
function bridgeStop(port: string, by: string): Stop {
  return {
    code: 'not_restorable',
    message: `our own session comes in by ${by}, perhaps through ${port}: FRR does not say which member of a bridge it is, and it could never be brought back`,
    remedy:
      'give the management address an interface of its own, or correct the port in the inventory',
  }
}

function unnamedStop(port: string): Stop {
  return {
    code: 'ambiguous',
    message: `${port} is a member of something that FRR has no name for (no bridge, bond or VRF that it knows): whether our own session comes in by that can't be told`,
    remedy: 'take the port out of it, or cut the customer off by another measure',
  }
}

function sessionInterface(interfaces: Interfaces, facts: Facts): string | undefined {
  const own = ownAddress(facts)
  if (own === undefined) return undefined
  return Object.entries(interfaces).find(([, { ipAddresses = [] }]) =>
    ipAddresses.some(({ address }) => canonicalAddress(address) === own),
  )?.[0]
}

/** Interfaces that go down with the port, and those that stand on them in turn. */
function standingOn(port: string, interfaces: Interfaces): readonly string[] {
  return climb(
    port,
    interfaces,
    (name, one, below) => isLayer(name, one, below) || one.masterInterface === below,
  )
}

/** The same without the members of a bridge or bond: VLANs and the like. */
function layersOn(port: string, interfaces: Interfaces): readonly string[] {
  return climb(port, interfaces, isLayer)
}

type Stands = (name: string, one: Interfaces[string], below: string) => boolean

/** The two ends of a veth name each other; neither stands on the other. */
const isLayer: Stands = (name, one, below) =>
  name.startsWith(`${below}.`) || (one.parentInterface === below && one.interfaceType !== 'VETH')

function climb(port: string, interfaces: Interfaces, stands: Stands): readonly string[] {
  const found = new Set<string>()
  const visit = (below: string): void => {
    for (const [name, one] of Object.entries(interfaces)) {
      if (name === port || found.has(name) || !stands(name, one, below)) continue
      found.add(name)
      visit(name)
    }
  }
  visit(port)
  return [...found]
}

interface Reached {
  readonly names: readonly string[]
  /** On the way is a bridge that has other members too. */
  readonly oneOfMany: boolean
  /** On the way is a master that zebra has no name for. */
  readonly unnamed: boolean
}

/** What may be reached by way of a port: the bond or bridge that it is a member of, what stands on that, and so on. Its other members are not: they have ways of their own. */
function reachedBy(port: string, interfaces: Interfaces): Reached {
  const names = new Set<string>()
  let oneOfMany = false
  let unnamed = false
  const visit = (at: string): void => {
    const { interfaceSlaveType: kind = 'None', masterInterface: master } = interfaces[at] ?? {}
    // A VRF is no way: its ports lead on by themselves.
    if (/^(?:none|vrf)$/i.test(kind)) return
    if (master === undefined) unnamed = true
    else if (!names.has(master)) {
      oneOfMany ||= /^bridge$/i.test(kind) && membersOf(master, interfaces) > 1
      for (const name of [master, ...layersOn(master, interfaces)]) {
        names.add(name)
        visit(name)
      }
    }
  }
  for (const name of [port, ...layersOn(port, interfaces)]) visit(name)
  return { names: [...names], oneOfMany, unnamed }
}

function membersOf(master: string, interfaces: Interfaces): number {
  return Object.values(interfaces).filter((one) => one.masterInterface === master).length
}
