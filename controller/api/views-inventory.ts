// Inventory and rows → what clients see of devices, customers and addresses. Pure.

import type { Key } from '../../agent/intents.ts'
import { groupBy } from '../../inventory/group-by.ts'
import type { Customer, Id, Inventory } from '../../inventory/model.ts'
import type { Controller, Lookup } from '../controller.ts'
import type { Enforcement } from '../enforcement.ts'
import type { DeviceState, Wanted } from '../store/store.ts'
import type { CustomerView, DeviceView, LookupView } from './schema.ts'
import { enforcementReference, errorView, optional } from './views.ts'

/** A device with what is wanted of it and what it showed when it was last read. `unwanted`: keys of what is ours there, and nobody wants. */
export function inventoryDeviceView(
  { device, retired, state, wanted }: NonNullable<ReturnType<Controller['device']>>,
  unwanted: readonly Key[],
): DeviceView {
  const intents = intentViews(state, wanted)
  return {
    id: device.id,
    platform: device.platform,
    address: device.address,
    port: device.port,
    ...optional('site', device.site),
    roles: [...device.roles],
    state: state.state,
    ...optional('software', state.software),
    ...optional('lastReadAt', state.lastReadAt),
    ...optional('since', state.since),
    ...(retired ? { retired } : {}),
    save: device.save,
    unsaved: state.unsaved,
    drift: intents.some(({ wanted: asked, seen }) => asked && seen === 'absent'),
    intents,
    orphans: state.orphans.map(({ key, object }) => ({ key, object: [...object] })),
    unwanted: [...unwanted],
  }
}

/** A customer with what is in force. `live`: enforcements that have not ended. */
export function customerView(
  customer: Customer,
  inventory: Inventory,
  live: readonly Enforcement[],
): CustomerView {
  return {
    id: customer.id,
    name: customer.name,
    ...optional('asn', customer.asn),
    prefixes: customer.prefixes.map(({ prefix, vrf }) => ({ prefix, vrf })),
    ...places(customer, inventory),
    contacts: customer.contacts.map(({ email }) => ({ email })),
    enforcements: live.filter((one) => one.customer === customer.id).map(enforcementReference),
  }
}

/** Who has an address, where it is, what is in force on it. */
export function lookupView(
  found: Lookup,
  inventory: Inventory,
  enforcements: readonly Enforcement[],
): LookupView {
  const customer =
    found.customer === undefined ? undefined : inventory.customers.get(found.customer)
  return {
    address: found.address,
    ...(customer === undefined
      ? {}
      : { customer: { id: customer.id, name: customer.name, ...optional('asn', customer.asn) } }),
    ...optional('prefix', found.prefix),
    ...(customer === undefined ? { ports: [], neighbors: [] } : places(customer, inventory)),
    protected: found.protected.map(({ prefix, why }) => ({ prefix, why })),
    neverCut: [...found.neverCut],
    enforcements: enforcements.map(enforcementReference),
  }
}

function places(
  customer: Customer,
  inventory: Inventory,
): Pick<CustomerView, 'ports' | 'neighbors'> {
  const site = (device: Id) => optional('site', inventory.devices.get(device)?.site)
  return {
    ports: customer.ports.map((port) => ({
      device: port.device,
      interface: port.interface,
      ...site(port.device),
    })),
    neighbors: customer.neighbors.map(({ device, address, vrf }) => ({
      device,
      address,
      vrf,
      ...site(device),
    })),
  }
}

type IntentView = DeviceView['intents'][number]

// What is wanted and what was read, each key once, by key.
function intentViews(state: DeviceState | undefined, wanted: readonly Wanted[]): IntentView[] {
  const views = new Map<string, IntentView>()
  for (const seen of state?.states ?? []) {
    views.set(seen.key, {
      key: seen.key,
      kind: seen.kind,
      wanted: false,
      seen: seen.seen,
      enforcements: [],
      ...optional('readAt', state?.lastReadAt),
      ...optional('note', seen.note),
      ...(seen.error === undefined ? {} : { error: errorView(seen.error) }),
    })
  }
  for (const [key, asked] of groupBy(wanted, (want) => want.key)) {
    const [first] = asked
    if (first === undefined) continue
    const unread: IntentView = {
      key,
      kind: first.intent.kind,
      wanted: true,
      seen: 'unknown',
      enforcements: [],
      ...optional('note', first.unsupported),
    }
    const enforcements = [...new Set(asked.map(({ enforcement }) => enforcement))]
    views.set(key, { ...(views.get(key) ?? unread), wanted: true, enforcements })
  }
  return [...views.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}
