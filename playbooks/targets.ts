// Whose a decision's subject is, and the objects that it comes to: all that is the customer's, and what was named.

import { holdingsOn } from '../inventory/holdings.ts'
import type { Lookup } from '../inventory/lookup.ts'
import type {
  Customer,
  CustomerNeighbor,
  CustomerPort,
  CustomerPrefix,
  Inventory,
} from '../inventory/model.ts'
import { type NeverCut, neverCutAt, neverCutIn } from '../inventory/never-cut.ts'
import { type KnownPlatforms, samePort } from '../inventory/ports.ts'
import { overlaps, type Prefix } from '../inventory/prefix.ts'
import type { Decision, Subject } from './model.ts'
import type { CompileRefusal } from './refusal.ts'

/** Things that measures can cut. */
export interface Objects {
  readonly prefixes: readonly CustomerPrefix[]
  readonly ports: readonly CustomerPort[]
  readonly neighbors: readonly CustomerNeighbor[]
}

/** What a decision is about. */
export interface Targets {
  readonly kind: 'targets'
  readonly customer: Customer
  /** What the decision names: for a customer, all that is theirs. */
  readonly subject: Objects
}

interface Known {
  readonly inventory: Inventory
  readonly lookup: Lookup
  readonly neverCut: readonly NeverCut[]
  /** How each platform spells its ports; without one only the very name is the port. */
  readonly platforms?: KnownPlatforms
}

const none: Objects = { prefixes: [], ports: [], neighbors: [] }

/** Finds the customer. Refuses what isn't there, or isn't wholly one customer's. */
export function targetsOf({ subject }: Decision, known: Known): Targets | CompileRefusal {
  switch (subject.kind) {
    case 'customer':
      return ofCustomer(subject.customer, known)
    case 'prefix':
      return ofPrefix(subject.prefix, known)
    case 'port':
      return ofPort(subject, known)
    case 'neighbor':
      return ofNeighbor(subject, known)
  }
}

function ofCustomer(id: string, { inventory }: Known): Targets | CompileRefusal {
  const customer = inventory.customers.get(id)
  if (customer === undefined) {
    return refuse('unknown_customer', `there is no customer "${id}" in the inventory`)
  }
  return { kind: 'targets', customer, subject: customer }
}

function ofPrefix(prefix: Prefix, known: Known): Targets | CompileRefusal {
  const customer = known.lookup.containing(prefix)
  if (customer === undefined) {
    return refuse(
      'not_one_customer',
      `${prefix} does not lie inside one customer's space: ${whatIs(prefix, known)}`,
    )
  }
  const tables = customer.prefixes.filter((theirs) => overlaps(theirs.prefix, prefix))
  const vrfs = [...new Set(tables.map(({ vrf }) => vrf))]
  const prefixes = vrfs.map((vrf) => ({ prefix, vrf }))
  return { kind: 'targets', customer, subject: { ...none, prefixes } }
}

// The refusal says whose the space is: that is what whoever asked has to know.
function whatIs(prefix: Prefix, { lookup, neverCut }: Known): string {
  const customers = lookup.customersOverlapping(prefix).map(({ id }) => `customer ${id}`)
  const shields = lookup
    .protectedOverlapping(prefix)
    .map((shield) => `protected ${shield.prefix} (${shield.why})`)
  const vital = neverCutIn(neverCut, prefix).map(({ address, why }) => `${address} (${why})`)
  const found = [...customers, ...shields, ...vital]
  const shown = found.slice(0, 8).join(', ')
  if (found.length === 0) return "it is nobody's in the inventory"
  return `it meets ${shown}${found.length > 8 ? `, and ${found.length - 8} more` : ''}`
}

function ofPort(
  { device, port }: Extract<Subject, { kind: 'port' }>,
  known: Known,
): Targets | CompileRefusal {
  const { inventory } = known
  if (!inventory.devices.has(device)) return noDevice(device)
  const held = holdingsOn(inventory, device).ports.find((each) => each.port === port)
  const owner = held === undefined ? undefined : inventory.customers.get(held.customer)
  if (owner === undefined) {
    return refuse(
      'not_one_customer',
      `port ${port} of ${device} ${whoseIs({ device, port }, known)}`,
    )
  }
  const ports = [{ device, interface: port }]
  return { kind: 'targets', customer: owner, subject: { ...none, ports } }
}

// A device's lines, claims and keys have the inventory's spelling alone: another one is refused, with the name to take.
function whoseIs(
  { device, port }: { readonly device: string; readonly port: string },
  { inventory, platforms }: Known,
): string {
  const there = inventory.devices.get(device)
  const naming = there === undefined ? undefined : platforms?.get(there.platform)
  const isIt = (name: string): boolean => samePort(name, port, naming)
  const held = holdingsOn(inventory, device).ports.find((each) => isIt(each.port))
  if (held !== undefined) {
    return `is ${held.customer}'s, and ${held.port} in the inventory: name it so`
  }
  const uplink = there?.uplinks.find(isIt)
  if (uplink === undefined) return "is no customer's: it is nobody's in the inventory"
  const spelt = uplink === port ? '' : ` (${uplink} in the inventory)`
  return `is no customer's: it is an uplink${spelt}`
}

function ofNeighbor(
  { device, peer, vrf }: Extract<Subject, { kind: 'neighbor' }>,
  { inventory, neverCut }: Known,
): Targets | CompileRefusal {
  if (!inventory.devices.has(device)) return noDevice(device)
  const isMeant = (each: CustomerNeighbor) =>
    each.device === device && each.address === peer && each.vrf === vrf
  const held = holdingsOn(inventory, device).neighbors.find(isMeant)
  const customer = held === undefined ? undefined : inventory.customers.get(held.customer)
  if (customer !== undefined) {
    const neighbors = customer.neighbors.filter(isMeant)
    return { kind: 'targets', customer, subject: { ...none, neighbors } }
  }
  const [vital] = neverCutAt(neverCut, peer)
  const table = vrf === 'default' ? '' : ` in vrf ${vrf}`
  const why = vital === undefined ? "it is nobody's in the inventory" : `it is the ${vital.why}`
  return refuse(
    'not_one_customer',
    `neighbor ${peer}${table} of ${device} is no customer's: ${why}`,
  )
}

function noDevice(device: string): CompileRefusal {
  return refuse('unknown_device', `there is no device "${device}" in the inventory`)
}

function refuse(code: CompileRefusal['code'], message: string): CompileRefusal {
  return { kind: 'refused', code, message }
}
