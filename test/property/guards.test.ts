// Whole decisions on random ISPs, against a model that counts addresses one by one: what is refused, by which guard, and that nothing that was
// accepted hits what must not be hit.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge, refusalIn } from '../../controller/guards.ts'
import type { Usage } from '../../controller/hour.ts'
import { createLookup } from '../../inventory/lookup.ts'
import type { Inventory, Limits } from '../../inventory/model.ts'
import { neverCut } from '../../inventory/never-cut.ts'
import { carver } from '../../playbooks/carving.ts'
import { compile } from '../../playbooks/compile.ts'
import { loadPlaybooks } from '../../playbooks/load.ts'
import type { Compiled, Playbook, Subject } from '../../playbooks/model.ts'
import { adr, customer, decision, device, isp, pfx, prt } from '../unit/small-isp.ts'
import { runs } from './runs.ts'
import * as net from './small-internet.ts'

const loaded = await loadPlaybooks(undefined)
const shipped = loaded.ok ? loaded.value : new Map<string, Playbook>()

const names = ['ann', 'bob', 'cid'] as const

/** Spellings of ports on an IOS switch, and the port that each means. A sub-interface goes down with its port. */
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
const isCutBy = (port: string, other: string): boolean => {
  const [one, two] = [spellings[port] ?? port, spellings[other] ?? other]
  return one === two || two.startsWith(`${one}.`)
}

/** An ISP in words of the small internet, beside what the product makes of it. */
interface Isp {
  readonly inventory: Inventory
  /** Whose each lot is, by its number. */
  readonly owners: readonly (string | undefined)[]
  readonly shields: readonly string[]
  /** Addresses that carry the network. */
  readonly vital: readonly string[]
  readonly sessions: readonly { readonly of: string; readonly address: string }[]
  readonly ports: readonly { readonly of: string; readonly name: string }[]
  readonly uplinks: readonly string[]
  readonly limits: Limits
}

const few = <T>(arbitrary: fc.Arbitrary<T>, maxLength = 3) => fc.array(arbitrary, { maxLength })
const limit = fc.constantFrom(2, 20, 1_000, 1_000, 1_000, 1_000)
const count = fc.constantFrom(0, 9, 9, 9, 9)

const anyLimits: fc.Arbitrary<Limits> = fc.record({
  maxPrefix: fc.record({ ipv4: fc.constantFrom(0, 24, 29), ipv6: fc.constantFrom(0, 48, 64) }),
  perDecision: fc.record({
    ipv4Addresses: limit,
    ipv6Slash64: limit,
    customers: fc.constantFrom(0, 1, 1, 1, 1),
    ports: count,
    neighbors: count,
  }),
  perHour: fc.record({
    decisions: limit,
    ipv4Addresses: limit,
    customers: fc.constantFrom(1, 9, 9, 9),
    ports: fc.constantFrom(2, 9, 9, 9),
    neighbors: fc.constantFrom(2, 9, 9, 9),
  }),
})

const anyIsp: fc.Arbitrary<Isp> = fc
  .record({
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
    sessions: few(fc.record({ of: fc.constantFrom(...names), address: net.anyAddress })),
    ports: fc.uniqueArray(fc.record({ of: fc.constantFrom(...names), name: anyPort }), {
      maxLength: 4,
      selector: ({ name }) => name,
    }),
    uplinks: few(anyPort, 1),
    limits: anyLimits,
  })
  .map((drawn) => {
    const [gateways = [], loopbacks = [], nextHops = [], peers = [], hops = [], sockets = []] =
      drawn.parts
    const edge = device('edge1', '10.20.0.11', {
      platform: 'frr',
      roles: ['edge'],
      gateways: gateways.map(adr),
      loopbacks: loopbacks.map(adr),
      nextHops: nextHops.map(adr),
      neighbors: peers.map((peer) => ({
        address: adr(peer),
        vrf: 'default',
        what: 'transit' as const,
      })),
    })
    const trigger = device('trigger1', '10.20.0.12', { platform: 'frr', roles: ['rtbh-trigger'] })
    const uplinks = drawn.uplinks.map(prt)
    const access = device('sw1', '10.20.0.21', {
      platform: 'cisco_ios',
      roles: ['access'],
      uplinks,
    })
    const customers = names.map((name) =>
      customer(
        name,
        net.lots.filter((_, i) => drawn.owners[i] === name),
        {
          ports: drawn.ports
            .filter(({ of }) => of === name)
            .map((port) => ({ device: 'sw1', interface: prt(port.name) })),
          neighbors: drawn.sessions
            .filter(({ of }) => of === name)
            .map(({ address }) => ({ device: 'edge1', address: adr(address), vrf: 'default' })),
        },
      ),
    )
    const inventory = isp({
      devices: new Map([edge, trigger, access].map((each) => [each.id, each])),
      customers: new Map(customers.map((each) => [each.id, each])),
      protected: drawn.shields.map((prefix) => ({ prefix: pfx(prefix), why: 'office' })),
      discardNextHops: hops.map(adr),
      controllerAddresses: sockets.map(adr),
      limits: drawn.limits,
    })
    return { ...drawn, inventory, vital: drawn.parts.flat() }
  })

const anySubject: fc.Arbitrary<Subject> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...names)
      .map((name): Subject => ({ kind: 'customer', customer: name })),
  },
  {
    weight: 5,
    arbitrary: net.anyPrefix.map((prefix): Subject => ({ kind: 'prefix', prefix: pfx(prefix) })),
  },
  {
    weight: 1,
    arbitrary: anyPort.map((port): Subject => ({ kind: 'port', device: 'sw1', port: prt(port) })),
  },
  {
    weight: 1,
    arbitrary: net.anyAddress.map(
      (peer): Subject => ({ kind: 'neighbor', device: 'edge1', peer: adr(peer), vrf: 'default' }),
    ),
  },
)

const anyUsage: fc.Arbitrary<Usage> = fc.record({
  decisions: fc.constantFrom(0, 3, 19),
  ipv4Addresses: fc.constantFrom(0, 3, 60),
  customers: few(fc.constantFrom(...names, 'dan')).map((all) => new Set<string>(all)),
  ports: fc.constantFrom(0, 2),
  neighbors: fc.constantFrom(0, 2),
})

/** What the product makes of a decision, or undefined where it can't be compiled at all. */
function decide(on: Isp, subject: Subject, usage: Usage) {
  const playbook = shipped.get(subject.kind === 'customer' ? 'suspend' : 'block')
  if (playbook === undefined) throw new Error('no such playbook')
  const { inventory } = on
  const known = { lookup: createLookup(inventory), neverCut: neverCut(inventory, []) }
  const made = decision(subject, { reason: { ...decision(subject).reason, ticket: 'ABUSE-7' } })
  const compiled = compile(made, { playbook, inventory, ...known })
  if ('kind' in compiled) return undefined
  const verdicts = judge({
    decision: made,
    compiled,
    inventory,
    ...known,
    usage,
    mayOverride: false,
  })
  return { compiled, verdicts }
}

const ownerOf = (on: Isp, point: net.Point): string | undefined =>
  on.owners[net.lots.findIndex((lot) => net.has(lot, point))]
const hostOf = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`

/** What no decision about that customer may cut: all that is vital, and other customers' sessions. */
function vitalFor(on: Isp, who: string): readonly string[] {
  const sessions = on.sessions.filter(({ of }) => of !== who).map(({ address }) => address)
  return [...on.vital, ...sessions].map(hostOf)
}

type Rules = readonly (readonly [guard: string, refuses: boolean])[]

/** The guards that must refuse, by counting, in the order in which they are asked. */
function mustRefuse(
  on: Isp,
  subject: Subject,
  compiled: Compiled,
  usage: Usage,
): readonly string[] {
  const [space, sessions] = [spaceRules(on, subject, compiled), sessionRules(on, compiled)]
  const rules = [
    ...space,
    ...portRules(on, compiled),
    ...sessions,
    ...budgetRules(on, compiled, usage),
  ]
  return rules.filter(([, refuses]) => refuses).map(([guard]) => guard)
}

function spaceRules(
  on: Isp,
  subject: Subject,
  { customer: who, prefixes, neighbors }: Compiled,
): Rules {
  const named = subject.kind === 'prefix' ? [subject.prefix] : []
  const vital = vitalFor(on, who)
  const gone = named.filter((prefix) =>
    net.pointsOf(prefix).every((point) => net.hasAny([...on.shields, ...vital], point)),
  )
  // What is left after carving meets none; of what was named something must be left.
  const isHitBy = (set: readonly string[]): boolean =>
    [...prefixes, ...gone].some((prefix) =>
      net.pointsOf(prefix).some((point) => net.hasAny(set, point)),
    )
  const isOthers = (prefix: string): boolean =>
    net.pointsOf(prefix).some((point) => ownerOf(on, point) !== who)
  const { ipv4, ipv6 } = on.limits.maxPrefix
  const isShort = (prefix: string): boolean =>
    Number(prefix.split('/')[1]) < (prefix.includes(':') ? ipv6 : ipv4)
  const cutsSession = neighbors.some(({ peer }) => vital.some((one) => isSame(one, hostOf(peer))))
  return [
    ['own_space', [...named, ...prefixes].some(isOthers)],
    ['protected_space', isHitBy(on.shields)],
    ['never_cut', isHitBy(vital) || cutsSession],
    ['prefix_length', prefixes.some(isShort)],
  ]
}

function portRules(on: Isp, { customer: who, ports }: Compiled): Rules {
  const isCut = (name: string): boolean => ports.some(({ port }) => isCutBy(port, name))
  return [
    ['port_owner', on.ports.some(({ of, name }) => of !== who && isCut(name))],
    ['port_uplink', on.uplinks.some(isCut)],
  ]
}

function sessionRules(on: Isp, { customer: who, neighbors }: Compiled): Rules {
  const theirs = on.sessions.filter(({ of }) => of === who).map(({ address }) => hostOf(address))
  const isTheirs = (peer: string): boolean => theirs.some((one) => isSame(one, hostOf(peer)))
  return [['neighbor_owner', neighbors.some(({ peer }) => !isTheirs(peer))]]
}

function budgetRules(on: Isp, compiled: Compiled, usage: Usage): Rules {
  const { customer: who, prefixes, ports, neighbors } = compiled
  const size = net.sizeOf(prefixes)
  const { perDecision, perHour } = on.limits
  const customers = [...names, 'dan'].filter((name) => usage.customers.has(name) || name === who)
  const decision = [
    size[4] - perDecision.ipv4Addresses,
    size[6] - perDecision.ipv6Slash64,
    1 - perDecision.customers,
    ports.length - perDecision.ports,
    neighbors.length - perDecision.neighbors,
  ]
  const hour = [
    usage.decisions + 1 - perHour.decisions,
    usage.ipv4Addresses + size[4] - perHour.ipv4Addresses,
    customers.length - perHour.customers,
    usage.ports + ports.length - perHour.ports,
    usage.neighbors + neighbors.length - perHour.neighbors,
  ]
  return [
    ['decision_budget', decision.some((over) => over > 0)],
    ['hour_budget', hour.some((over) => over > 0)],
  ]
}

/** Whether two texts are of one prefix: one of ours in full, one as the product prints it. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [net.intervalOf(one), net.intervalOf(other)]
  return a.family === b.family && a.first === b.first && a.size === b.size
}

describe('a decision on any ISP', () => {
  it('is refused by exactly the guards that counting address by address refuses it by', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(anyIsp, anySubject, anyUsage, (on, subject, usage) => {
        const made = decide(on, subject, usage)
        if (made === undefined) return
        const refused = made.verdicts.filter(({ verdict }) => verdict === 'refuse')
        for (const { guard } of refused) seen.set(guard, (seen.get(guard) ?? 0) + 1)
        if (refused.length === 0) seen.set('accepted', (seen.get('accepted') ?? 0) + 1)
        expect(refused.map(({ guard }) => guard)).toEqual(
          mustRefuse(on, subject, made.compiled, usage),
        )
      }),
      runs(2_000),
    )
    const hardly = [
      'accepted',
      'protected_space',
      'never_cut',
      'prefix_length',
      'port_owner',
      'port_uplink',
    ]
      .concat('decision_budget', 'hour_budget')
      .filter((name) => (seen.get(name) ?? 0) < 5)
    expect(hardly, JSON.stringify([...seen])).toEqual([])
  })

  it('touches no address that is protected, carries the network, or is not the customer’s, once it is accepted', () => {
    fc.assert(
      fc.property(anyIsp, anySubject, anyUsage, (on, subject, usage) => {
        const made = decide(on, subject, usage)
        if (made === undefined || refusalIn(made.verdicts) !== undefined) return
        const { customer: who, intents } = made.compiled
        const cut = intents.flatMap(({ intent }) => ('prefix' in intent ? [intent.prefix] : []))
        const down = intents.flatMap(({ intent }) => (intent.kind === 'port' ? [intent.port] : []))
        const hit = net.points.filter((point) => net.hasAny(cut, point))

        expect(intents).not.toEqual([])
        expect(hit.filter((point) => net.hasAny(on.shields, point))).toEqual([])
        expect(hit.filter((point) => net.hasAny(vitalFor(on, who), point))).toEqual([])
        expect(hit.filter((point) => ownerOf(on, point) !== who)).toEqual([])
        expect(down.filter((port) => on.uplinks.some((uplink) => isCutBy(port, uplink)))).toEqual(
          [],
        )
        expect(
          down.filter((port) => on.ports.some(({ of, name }) => of !== who && isCutBy(port, name))),
        ).toEqual([])
      }),
      runs(),
    )
  })

  it('leaves out exactly what must not be cut, in the fewest prefixes', () => {
    fc.assert(
      fc.property(anyIsp, net.anyPrefix, fc.constantFrom(...names), (on, prefix, who) => {
        const { inventory } = on
        const known = { lookup: createLookup(inventory), neverCut: neverCut(inventory, []) }
        const holes = [...on.shields, ...vitalFor(on, who)]
        const extra = [...inventory.devices.values()].map(({ address }) => hostOf(address))

        const { pieces } = carver(who, known)(pfx(prefix))

        const left = net.pointsOf(prefix).filter((point) => !net.hasAny(holes, point))
        expect(net.pointsOf(prefix).filter((point) => net.hasAny(pieces, point))).toEqual(left)
        expect(pieces.length).toBe(net.fewest(prefix, [...holes, ...extra]))
      }),
      runs(),
    )
  })
})
