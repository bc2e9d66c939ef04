// What the guards must say of a decision, by counting addresses one by one: naive, and with nothing of the product's own.

import type { Compiled, Subject } from '../../playbooks/model.ts'
import { type Case, type Isp, isCutBy, isOnePort, names } from './random-isp.ts'
import * as net from './small-internet.ts'

/** What a decision comes to, as far as guards look at it. */
export type Touched = Pick<Compiled, 'customer' | 'prefixes' | 'ports' | 'neighbors'>

/** A guard, and what it says. */
export type Said = readonly [guard: string, verdict: 'pass' | 'overridden' | 'refuse']

/** Why a decision can't even be compiled, or whose it is. */
export type Meant =
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'of'; readonly customer: string }

const refused = (code: string): Meant => ({ kind: 'refused', code })
const hostOf = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`
const ownerOf = (on: Isp, point: net.Point): string | undefined =>
  on.owners[net.lots.findIndex((lot) => net.has(lot, point))]

/** What no decision about that customer may cut: all that is vital, and other customers' sessions. */
export function vitalFor(on: Isp, who: string): readonly string[] {
  const sessions = on.sessions.filter(({ of }) => of !== who).map(({ address }) => address)
  return [...on.vital, ...sessions].map(hostOf)
}

/** Whose an address is not, of those asked about. */
export function isOthers(on: Isp, who: string, point: net.Point): boolean {
  return ownerOf(on, point) !== who
}

/** Whose the subject is, or why there is nothing to judge. */
export function meantBy(on: Isp, subject: Subject): Meant {
  switch (subject.kind) {
    case 'customer':
      return isEmpty(on, subject.customer)
        ? refused('nothing_to_enforce')
        : { kind: 'of', customer: subject.customer }
    case 'prefix':
      return ofOne(net.pointsOf(subject.prefix).map((point) => ownerOf(on, point)))
    case 'port':
      if (!on.hasSwitch) return refused('unknown_device')
      return ofOne(on.ports.filter(({ name }) => name === subject.port).map(({ of }) => of))
    case 'neighbor': {
      const sessions = on.sessions.filter(
        ({ address, vrf }) => vrf === subject.vrf && isSame(hostOf(address), hostOf(subject.peer)),
      )
      // The inventory's first is taken for the owner; that another has it too is the guards' to find.
      return ofOne(names.filter((name) => sessions.some(({ of }) => of === name)).slice(0, 1))
    }
  }
}

function ofOne(owners: readonly (string | undefined)[]): Meant {
  const [first] = owners
  if (first === undefined || owners.some((owner) => owner !== first)) {
    return refused('not_one_customer')
  }
  return { kind: 'of', customer: first }
}

function isEmpty(on: Isp, who: string): boolean {
  const holes = [...on.shields, ...vitalFor(on, who)]
  const left = net.points.filter((point) => ownerOf(on, point) === who && !net.hasAny(holes, point))
  const isTheirs = ({ of }: { readonly of: string }): boolean => of === who
  return left.length === 0 && !on.ports.some(isTheirs) && !on.sessions.some(isTheirs)
}

/** Every verdict that there must be on what the decision came to, in the order in which they are shown. */
export function mustSay(drawn: Case, touched: Touched): readonly Said[] {
  const { overrides, mayOverride } = drawn
  const on = drawn.later ?? drawn.on
  const named = overrides.map(({ guard }) => guard)
  const passable = ['prefix_length', 'decision_budget', 'hour_budget']
  const isPassed = (guard: string): boolean =>
    mayOverride && passable.includes(guard) && named.includes(guard)
  const rules = [
    ...spaceRules(on, drawn, touched),
    ...portRules(on, touched),
    ...sessionRules(on, touched),
    ...budgetRules(on, drawn, touched),
  ]
  const said = rules.map(
    ([guard, hits]): Said => [guard, hits ? (isPassed(guard) ? 'overridden' : 'refuse') : 'pass'],
  )
  if (named.length === 0) return said
  const isRight = mayOverride && named.every((name) => passable.includes(name))
  return [['override', isRight ? 'pass' : 'refuse'], ...said]
}

type Rules = readonly (readonly [guard: string, hits: boolean])[]

function spaceRules(
  on: Isp,
  { subject, later }: Case,
  { customer: who, prefixes, neighbors }: Touched,
): Rules {
  const named = subject.kind === 'prefix' ? [subject.prefix] : []
  const vital = vitalFor(on, who)
  // Of what a new decision names something must be left; what was accepted has come to something already.
  const gone = named.filter(
    (prefix) =>
      later === undefined &&
      net.pointsOf(prefix).every((point) => net.hasAny([...on.shields, ...vital], point)),
  )
  // What is left after carving meets none.
  const isHitBy = (set: readonly string[]): boolean =>
    [...prefixes, ...gone].some((prefix) =>
      net.pointsOf(prefix).some((point) => net.hasAny(set, point)),
    )
  const holdsOthers = (prefix: string): boolean =>
    net.pointsOf(prefix).some((point) => isOthers(on, who, point))
  const { ipv4, ipv6 } = on.limits.maxPrefix
  const isShort = (prefix: string): boolean =>
    Number(prefix.split('/')[1]) < (prefix.includes(':') ? ipv6 : ipv4)
  const shut = [...neighbors, ...(subject.kind === 'neighbor' ? [subject] : [])]
  // What is vital is so in every table; another customer's session is another one in another table.
  const isCut = (peer: string, vrf: string): boolean =>
    on.vital.some((one) => isSame(hostOf(one), hostOf(peer))) ||
    on.sessions.some(
      (one) => one.of !== who && one.vrf === vrf && isSame(hostOf(one.address), hostOf(peer)),
    )
  const cutsSession = shut.some(({ peer, vrf }) => isCut(peer, vrf))
  return [
    ['own_space', [...named, ...prefixes].some(holdsOthers)],
    ['protected_space', isHitBy(on.shields)],
    ['never_cut', isHitBy(vital) || cutsSession],
    ['prefix_length', prefixes.some(isShort)],
  ]
}

function portRules(on: Isp, { customer: who, ports }: Touched): Rules {
  const isCut = (name: string): boolean => ports.some(({ port }) => isCutBy(port, name))
  const isTheirs = (port: string): boolean =>
    on.ports.some(({ of, name }) => of === who && isOnePort(port, name))
  return [
    [
      'port_owner',
      on.ports.some(({ of, name }) => of !== who && isCut(name)) ||
        ports.some(({ port }) => !isTheirs(port)),
    ],
    ['port_uplink', on.uplinks.some(isCut)],
  ]
}

function sessionRules(on: Isp, { customer: who, neighbors }: Touched): Rules {
  const theirs = on.sessions.filter(({ of }) => of === who)
  const isTheirs = ({ peer, vrf }: Touched['neighbors'][number]): boolean =>
    theirs.some((one) => one.vrf === vrf && isSame(hostOf(one.address), hostOf(peer)))
  return [['neighbor_owner', neighbors.some((each) => !isTheirs(each))]]
}

function budgetRules(on: Isp, { usage }: Case, touched: Touched): Rules {
  const { customer: who, prefixes, ports, neighbors } = touched
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
