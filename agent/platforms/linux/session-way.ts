// Whether a port carries our own session: the interface that the session comes in by, and all that this one stands on (bridge, bond, VLAN, tunnel, the
// other end of a veth), down to the ports. Of a tunnel only the interface that it is bound to is known, not the route of its outer packets.

import { z } from 'zod'
import type { PortName } from '../../../inventory/model.ts'
import type { Answer, Stop } from '../../platform.ts'
import { answerTo, readJson } from '../output.ts'
import { sessionStop } from '../own-session.ts'

const link = z.object({
  ifname: z.string(),
  flags: z.array(z.string()),
  /** The hardware address. */
  address: z.string().optional(),
  inet6_addr_gen_mode: z.string().optional(),
  master: z.string().optional(),
  // Null where it has a place for one and stands on none (`sit0@NONE`).
  link: z.string().nullish(),
  linkinfo: z
    .object({
      info_kind: z.string().optional(),
      info_data: z.object({ link: z.string().nullish().catch(undefined) }).optional(),
    })
    .optional(),
})

/** Interfaces as `ip -j link show` lists them, with `-d` also of what kind they are. */
export const links = z.array(link)

/** One interface. */
export type Link = z.infer<typeof link>

/** Why a port can't be taken down, where our own session comes in by it or by what stands on it. */
export function carriesSession(
  port: PortName,
  all: readonly Link[],
  answers: ReadonlyMap<string, Answer>,
): Stop | undefined {
  const by = sessionInterfaces(answers).find((name) => below(name, all).has(port))
  if (by === undefined) return undefined
  const master = all.find(({ ifname }) => ifname === port)?.master
  const beside = all
    .filter((one) => master !== undefined && one.master === master && one.ifname !== port)
    .map(({ ifname }) => ifname)
  return by === port || beside.length === 0 ? sessionStop(port, by) : oneOfSeveral(port, by, beside)
}

const devices = z.array(z.object({ ifname: z.string().optional(), dev: z.string().optional() }))

/** The one by which answers leave, and the one that holds our address. A session without a network address behind it (a test, a console) has none. */
function sessionInterfaces(answers: ReadonlyMap<string, Answer>): readonly string[] {
  const way = /"dev":"([^"]+)"/.exec(answerTo(answers, 'client').text)?.[1]
  const own = answers.get('own')
  const holders =
    own === undefined
      ? []
      : readJson(own, devices, 'interfaces with our address as JSON').flatMap(
          ({ ifname }) => ifname ?? [],
        )
  return [...(way === undefined ? [] : [way]), ...holders]
}

/** An interface, and all that its packets may go through on their way out. */
function below(name: string, all: readonly Link[]): ReadonlySet<string> {
  const found = new Set<string>()
  const left = [name]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next)) continue
    found.add(next)
    const one = all.find(({ ifname }) => ifname === next)
    if (one !== undefined) left.push(...directlyBelow(one, all, next === name))
  }
  return found
}

function directlyBelow(one: Link, all: readonly Link[], isFirst: boolean): readonly string[] {
  const kindOf = (name: string | undefined): string | undefined =>
    all.find(({ ifname }) => ifname === name)?.linkinfo?.info_kind
  const under = [one.link, one.linkinfo?.info_data?.link].flatMap((name) => name ?? [])
  const members = all.filter(({ master }) => master === one.ifname)
  // An address on a port of Open vSwitch is switched to its other ports, which name the datapath, not the bridge.
  const switched = all.filter(
    ({ master }) => one.linkinfo?.info_kind === 'openvswitch' && kindOf(master) === 'openvswitch',
  )
  // What comes out at the far end of a veth is switched on by the bridge that has it as a member; a VRF has its members beside each other.
  const isEnd = all.some(({ ifname, link }) => ifname === one.link && link === one.ifname)
  const isSwitched = one.master !== undefined && kindOf(one.master) !== 'vrf'
  const above = one.master !== undefined && (isEnd || isFirst) && isSwitched ? [one.master] : []
  return [...under, ...[...members, ...switched].map(({ ifname }) => ifname), ...above]
}

/** Which of a bridge's or bond's members the packets take is the network's choice, and changes. */
function oneOfSeveral(port: PortName, by: string, beside: readonly string[]): Stop {
  return {
    code: 'not_restorable',
    message: `our own session comes in by ${by}, and perhaps by ${port} (or ${beside.join(', ')}) below it: it may never be brought back`,
    remedy:
      "give the host's own address an interface that no customer's port is part of, correct the port in the inventory, or name it under uplinks",
  }
}
