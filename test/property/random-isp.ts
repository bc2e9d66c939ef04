// ISPs in the small internet, decisions about what is there, and what changed since: for properties of the guards.

import fc from 'fast-check'
import { guardNames } from '../../controller/guards.ts'
import type { Usage } from '../../controller/hour.ts'
import type { Inventory, Limits } from '../../inventory/model.ts'
import type { Decision, Subject } from '../../playbooks/model.ts'
import { adr, customer, device, isp, pfx, prt } from '../unit/small-isp.ts'
import * as net from './small-internet.ts'

/** The customers that there are. */
export const names = ['ann', 'bob', 'cid'] as const

/** Spellings of ports on an IOS switch, and the port that each means. */
const spellings: Readonly<Record<string, string>> = {
  'Gi1/0/1': '1',
  'GigabitEthernet1/0/1': '1',
  'gigabitethernet1/0/1': '1',
  'GigabitEthernet1/0/1.100': '1.100',
  'Gi1/0/2': '2',
  'GigabitEthernet1/0/2': '2',
  'GigabitEthernet1/0/3': '3',
}
const anyPort = fc.constantFrom(...Object.keys(spellings))
const meant = (port: string): string => spellings[port] ?? port

/** Whether two spellings are of one port. */
export const isOnePort = (port: string, other: string): boolean => meant(port) === meant(other)

/** Whether a port goes down with another: it is the same, or a sub-interface of it. */
export const isCutBy = (port: string, other: string): boolean =>
  isOnePort(port, other) || meant(other).startsWith(`${meant(port)}.`)

/** An ISP in words of the small internet, beside what the product makes of it. */
export interface Isp {
  readonly inventory: Inventory
  /** Whose each lot is, by its number. */
  readonly owners: readonly (string | undefined)[]
  readonly shields: readonly string[]
  /** Addresses that carry the network. */
  readonly vital: readonly string[]
  readonly sessions: readonly Session[]
  /** Whether the switch that has the ports is there. */
  readonly hasSwitch: boolean
  readonly ports: readonly { readonly of: string; readonly name: string }[]
  readonly uplinks: readonly string[]
  readonly limits: Limits
}

interface Session {
  readonly of: string
  readonly address: string
  readonly vrf: string
}

/** What an ISP is made from. */
interface Draw extends Omit<Isp, 'inventory' | 'vital'> {
  readonly parts: readonly (readonly string[])[]
}

/** A decision, and what it is judged by. */
export interface Case {
  readonly on: Isp
  /** The ISP by the time at which what was accepted is judged again; absent for a new decision. */
  readonly later: Isp | undefined
  readonly subject: Subject
  readonly usage: Usage
  readonly overrides: Decision['overrides']
  readonly mayOverride: boolean
}

/** Few texts, and each is asked for thousands of times. */
function remembered<T>(parse: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const found = known.get(text) ?? parse(text)
    known.set(text, found)
    return found
  }
}
const prefixOf = remembered(pfx)
const addressOf = remembered(adr)
const lots = net.lots.map((lot) => ({ prefix: prefixOf(lot), vrf: 'default' }))

const few = <T>(arbitrary: fc.Arbitrary<T>, maxLength = 3) => fc.array(arbitrary, { maxLength })
const tables = fc.constantFrom('default', 'default', 'default', 'CUST')

const limit = fc.constantFrom(2, 20, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000)
const count = fc.constantFrom(0, ...Array.from({ length: 9 }, () => 9))
const tightLimits: fc.Arbitrary<Limits> = fc.record({
  maxPrefix: fc.record({
    ipv4: fc.constantFrom(0, 24, 30, 32),
    ipv6: fc.constantFrom(0, 48, 64, 128),
  }),
  perDecision: fc.record({
    ipv4Addresses: limit,
    ipv6Slash64: limit,
    customers: count,
    ports: count,
    neighbors: count,
  }),
  perHour: fc.record({
    decisions: limit,
    ipv4Addresses: limit,
    customers: fc.constantFrom(1, 9, 9, 9, 9, 9),
    ports: fc.constantFrom(2, 9, 9, 9),
    neighbors: fc.constantFrom(2, 9, 9, 9),
  }),
})
const ampleLimits: fc.Arbitrary<Limits> = fc.constant({
  maxPrefix: { ipv4: 0, ipv6: 0 },
  perDecision: { ipv4Addresses: 99, ipv6Slash64: 99, customers: 9, ports: 9, neighbors: 9 },
  perHour: { decisions: 99, ipv4Addresses: 999, customers: 9, ports: 9, neighbors: 9 },
})

const anyDraw = (limits: fc.Arbitrary<Limits>): fc.Arbitrary<Draw> =>
  fc.record({
    // Neighbouring lots mostly have one owner, so that there are larger spaces too.
    owners: fc
      .array(fc.constantFrom(undefined, ...names, ...names, ...names), {
        minLength: 8,
        maxLength: 8,
      })
      .map((drawn) => drawn.flatMap((owner) => [owner, owner, owner, owner])),
    shields: few(
      net.anyPrefix.filter((prefix) => !prefix.endsWith('/0')),
      2,
    ),
    parts: fc.tuple(...Array.from({ length: 6 }, () => few(net.anyAddress, 1))),
    sessions: few(
      fc.record({ of: fc.constantFrom(...names), address: net.anyAddress, vrf: tables }),
    ),
    hasSwitch: fc.constantFrom(true, true, true, true, true, true, true, false),
    ports: fc.uniqueArray(fc.record({ of: fc.constantFrom(...names), name: anyPort }), {
      maxLength: 4,
      selector: ({ name }) => name,
    }),
    uplinks: few(anyPort, 1),
    limits,
  })

function ispOf(drawn: Draw): Isp {
  const [gateways = [], loopbacks = [], nextHops = [], peers = [], hops = [], sockets = []] =
    drawn.parts
  const edge = device('edge1', '10.20.0.11', {
    platform: 'frr',
    roles: ['edge'],
    gateways: gateways.map(addressOf),
    loopbacks: loopbacks.map(addressOf),
    nextHops: nextHops.map(addressOf),
    neighbors: peers.map((peer) => ({ address: addressOf(peer), vrf: 'default', what: 'transit' })),
  })
  const trigger = device('trigger1', '10.20.0.12', { platform: 'frr', roles: ['rtbh-trigger'] })
  const access = device('sw1', '10.20.0.21', {
    platform: 'cisco_ios',
    roles: ['access'],
    uplinks: drawn.uplinks.map(prt),
  })
  // What is on a switch that isn't there can't be in an inventory.
  const [ports, uplinks] = drawn.hasSwitch ? [drawn.ports, drawn.uplinks] : [[], []]
  const customers = names.map((name) =>
    customer(name, [], {
      prefixes: lots.filter((_, i) => drawn.owners[i] === name),
      ports: ports
        .filter(({ of }) => of === name)
        .map((port) => ({ device: 'sw1', interface: prt(port.name) })),
      neighbors: drawn.sessions
        .filter(({ of }) => of === name)
        .map(({ address, vrf }) => ({ device: 'edge1', address: addressOf(address), vrf })),
    }),
  )
  const devices = drawn.hasSwitch ? [edge, trigger, access] : [edge, trigger]
  const inventory = isp({
    devices: new Map(devices.map((each) => [each.id, each])),
    customers: new Map(customers.map((each) => [each.id, each])),
    protected: drawn.shields.map((prefix) => ({ prefix: prefixOf(prefix), why: 'office' })),
    discardNextHops: hops.map(addressOf),
    controllerAddresses: sockets.map(addressOf),
    limits: drawn.limits,
  })
  return { ...drawn, ports, uplinks, inventory, vital: drawn.parts.flat() }
}

/** Any ISP; with ample limits budgets and lengths refuse nothing. */
export const anyIsp = fc.oneof(anyDraw(tightLimits), anyDraw(ampleLimits)).map(ispOf)

/** Which parts of an ISP are others by now: most are what they were. */
const changed = fc.record<Record<keyof Draw, boolean>>({
  owners: fc.constantFrom(true, false, false, false),
  shields: fc.constantFrom(true, false, false, false),
  parts: fc.constantFrom(true, false, false, false),
  sessions: fc.constantFrom(true, false, false),
  hasSwitch: fc.constantFrom(true, false, false, false),
  ports: fc.constantFrom(true, false, false),
  uplinks: fc.constantFrom(true, false, false),
  limits: fc.constantFrom(true, false, false, false),
})

function after(before: Draw, fresh: Draw, isNew: Readonly<Record<keyof Draw, boolean>>): Draw {
  const parts = Object.entries(fresh).filter(([name]) => isNew[name as keyof Draw])
  return { ...before, ...Object.fromEntries(parts) }
}

/** Kinds of subjects, each as often as it stands here: what is somebody's mostly, else every second decision would end before the guards. */
const aims = ['customer', 'customer', 'customer', 'theirs', 'theirs', 'theirs', 'theirs', 'theirs']
  .concat('space', 'space', 'port', 'port', 'session', 'session', 'session')
  .concat('any port', 'any session')
const anyAim = fc.record({
  kind: fc.constantFrom(...aims),
  /** Picks one of what there is. */
  pick: fc.nat(1_000),
  name: fc.constantFrom(...names),
  prefix: net.anyPrefix,
  size: fc.constantFrom<readonly [number, number]>(
    [28, 62],
    [29, 63],
    [30, 64],
    [31, 64],
    [32, 128],
  ),
  port: anyPort,
  address: net.anyAddress,
  vrf: tables,
})
type Aim = typeof anyAim extends fc.Arbitrary<infer T> ? T : never

const session = (address: string, vrf: string): Subject => ({
  kind: 'neighbor',
  device: 'edge1',
  peer: addressOf(address),
  vrf,
})
const portOf = (name: string): Subject => ({ kind: 'port', device: 'sw1', port: prt(name) })

function subjectOn({ owners, ports, sessions }: Draw, aim: Aim): Subject {
  const one = <T>(all: readonly T[]): T | undefined => all[aim.pick % all.length]
  const space: Subject = { kind: 'prefix', prefix: prefixOf(aim.prefix) }
  switch (aim.kind) {
    case 'customer':
      return { kind: 'customer', customer: aim.name }
    case 'theirs': {
      const lot = one(net.lots.filter((_, i) => owners[i] !== undefined))
      if (lot === undefined) return space
      const within = net.around(lot, aim.size[lot.includes(':') ? 1 : 0])
      return { kind: 'prefix', prefix: prefixOf(within) }
    }
    case 'port':
      return portOf(one(ports)?.name ?? aim.port)
    case 'any port':
      return portOf(aim.port)
    case 'session': {
      const found = one(sessions)
      return found === undefined ? space : session(found.address, found.vrf)
    }
    case 'any session':
      return session(aim.address, aim.vrf)
    default:
      return space
  }
}

const anyUsage: fc.Arbitrary<Usage> = fc.record({
  decisions: fc.constantFrom(0, 3, 19),
  ipv4Addresses: fc.constantFrom(0, 3, 60),
  customers: few(fc.constantFrom(...names, 'dan')).map((all) => new Set<string>(all)),
  ports: fc.constantFrom(0, 2),
  neighbors: fc.constantFrom(0, 2),
})

const passable = ['prefix_length', 'decision_budget', 'hour_budget']
const anyOverrides: fc.Arbitrary<Decision['overrides']> = fc
  .oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 6, arbitrary: fc.subarray(passable, { minLength: 1 }) },
    { weight: 1, arbitrary: fc.subarray([...guardNames.keys(), 'no_such_guard']) },
  )
  .map((guards) => guards.map((guard) => ({ guard, reason: 'the court wants it' })))

/** Any decision: new, or accepted before and judged again on what the ISP is by now. */
export const anyCase: fc.Arbitrary<Case> = fc
  .record({
    first: fc.oneof(anyDraw(tightLimits), anyDraw(ampleLimits)),
    second: anyDraw(tightLimits),
    changed,
    isNew: fc.boolean(),
    aim: anyAim,
    usage: anyUsage,
    overrides: anyOverrides,
    isAdmin: fc.constantFrom(true, true, false),
  })
  .map(({ first, second, isNew, aim, usage, overrides, isAdmin, ...drawn }) => ({
    on: ispOf(first),
    later: isNew ? undefined : ispOf(after(first, second, drawn.changed)),
    subject: subjectOn(first, aim),
    usage,
    overrides,
    // The overrides of what was accepted were judged then.
    mayOverride: isAdmin || !isNew,
  }))
