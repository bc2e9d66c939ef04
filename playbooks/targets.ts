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
  { inventory }: Known,
): Targets | CompileRefusal {
  const there = inventory.devices.get(device)
  if (there === undefined) return noDevice(device)
  const held = holdingsOn(inventory, device).ports.find((each) => each.port === port)
  const owner = held === undefined ? undefined : inventory.customers.get(held.customer)
  if (owner === undefined) {
    const why = there.uplinks.includes(port) ? 'it is an uplink' : "it is nobody's in the inventory"
    return refuse('not_one_customer', `port ${port} of ${device} is no customer's: ${why}`)
  }
  const ports = [{ device, interface: port }]
  return { kind: 'targets', customer: owner, subject: { ...none, ports } }
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
