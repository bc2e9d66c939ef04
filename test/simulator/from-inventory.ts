// Inventory → devices to simulate: each with the ports, neighbors and tables that the inventory says it has, and believable ones where it says nothing.

import type { Customer, CustomerNeighbor, Device, Inventory } from '../../inventory/model.ts'
import {
  type Address,
  covers,
  familyOf,
  hostPrefix,
  lengthOf,
  type Prefix,
  parseAddress,
  prefixFrom,
  toNumber,
} from '../../inventory/prefix.ts'
import { models } from './models/index.ts'
import {
  defaultPassword,
  type SimulatedDevice,
  type SimulatedNeighbor,
  type SimulatedPlatform,
  type SimulatedPort,
} from './spec.ts'

/** How the inventory's devices become simulated ones. */
export interface FromInventoryOptions {
  /** Every device gets a free port on 127.0.0.1. */
  readonly ephemeral?: boolean
  /** For all devices; else what the environment holds under the inventory's names, else the usual one. */
  readonly password?: string
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Names of the platforms that can be simulated. */
export const simulatedPlatforms: readonly string[] = Object.keys(models)

/** The devices of an inventory. Throws for a platform without a model. */
export function simulatedDevices(
  inventory: Inventory,
  options: FromInventoryOptions = {},
): SimulatedDevice[] {
  const devices = [...inventory.devices.values()]
  const taken = new Set<string>()
  return devices.map((device) => {
    const { host, port } =
      options.ephemeral === true ? { host: '127.0.0.1', port: 0 } : endpoint(device)
    // Two devices that share an address and port in the inventory can't do so here.
    const place = `${host}:${port}`
    const free = !taken.has(place)
    taken.add(place)
    return { ...describe(device, inventory, options), host, port: free ? port : 0 }
  })
}

/** Where the device listens: its own address and port where that is possible on this machine. */
function endpoint(device: Device): { readonly host: string; readonly port: number } {
  const loopback = device.address.startsWith('127.') || device.address === '::1'
  if (loopback) return { host: device.address, port: device.port }
  return { host: '127.0.0.1', port: device.port < 1024 ? 0 : device.port }
}

function describe(
  device: Device,
  inventory: Inventory,
  options: FromInventoryOptions,
): Omit<SimulatedDevice, 'host' | 'port'> {
  const { password, enablePassword } = secretsOf(device, options)
  return {
    name: device.id,
    platform: platformOf(device),
    username: device.username,
    ...(password === undefined ? {} : { password }),
    ...(enablePassword === undefined ? {} : { enablePassword }),
    roles: device.roles,
    ...(device.asn === undefined ? {} : { asn: device.asn }),
    routerId:
      [...device.loopbacks, device.address].find((one) => familyOf(one) === 4) ?? '192.0.2.1',
    ports: portsOf(device, inventory),
    neighbors: neighborsOf(device, inventory),
    vrfs: vrfsOf(device, inventory),
    discardNextHops: inventory.discardNextHops,
    privilege: device.username === 'root' ? 'root' : 'sudo',
  }
}

/** The option goes before the environment, the environment before the usual one. */
function secretsOf(
  { auth, enablePasswordEnv }: Device,
  { password: given, environment = {} }: FromInventoryOptions,
): { readonly password: string | undefined; readonly enablePassword: string | undefined } {
  const password = given ?? (auth.kind === 'password' ? environment[auth.passwordEnv] : undefined)
  if (enablePasswordEnv === undefined) return { password, enablePassword: undefined }
  const enable = given ?? environment[enablePasswordEnv] ?? password
  return { password, enablePassword: enable ?? defaultPassword }
}

function platformOf(device: Device): SimulatedPlatform {
  if (!simulatedPlatforms.includes(device.platform)) {
    throw new Error(
      `${device.id} has the platform ${device.platform}, of which there is no model: ${simulatedPlatforms.join(', ')}`,
    )
  }
  return device.platform as SimulatedPlatform
}

function customerNeighbors(
  device: Device,
  inventory: Inventory,
): { readonly customer: Customer; readonly neighbor: CustomerNeighbor }[] {
  return [...inventory.customers.values()].flatMap((customer) =>
    customer.neighbors
      .filter((neighbor) => neighbor.device === device.id)
      .map((neighbor) => ({ customer, neighbor })),
  )
}

function vrfsOf(device: Device, inventory: Inventory): string[] {
  const routes = device.roles.some((role) => role === 'edge' || role === 'rtbh-trigger')
  const names = [
    ...device.neighbors.map(({ vrf }) => vrf),
    ...customerNeighbors(device, inventory).map(({ neighbor }) => neighbor.vrf),
    // A customer's routes may be wanted in their table on each router.
    ...(routes
      ? [...inventory.customers.values()].flatMap(({ prefixes }) => prefixes.map(({ vrf }) => vrf))
      : []),
  ]
  return [...new Set(names)].filter((vrf) => vrf !== 'default').sort()
}

function neighborsOf(device: Device, inventory: Inventory): SimulatedNeighbor[] {
  const own = device.asn ?? '64500'
  const neighbors: SimulatedNeighbor[] = device.neighbors.map(({ address, vrf, group, what }) => ({
    address,
    vrf,
    asn: what === 'ibgp' ? own : what === 'transit' ? '64496' : '64497',
    description: what,
    ...(group === undefined ? {} : { group }),
  }))
  const customers = customerNeighbors(device, inventory).map(
    ({ customer, neighbor }): SimulatedNeighbor => ({
      address: neighbor.address,
      vrf: neighbor.vrf,
      asn: customer.asn ?? '64511',
      description: `customer ${customer.id}`,
      ...(neighbor.group === undefined ? {} : { group: neighbor.group }),
    }),
  )
  return [...neighbors, ...customers]
}

function portsOf(device: Device, inventory: Inventory): SimulatedPort[] {
  const ports = new Map<string, SimulatedPort>()
  for (const name of device.uplinks) {
    ports.set(name, { name, description: 'uplink', addresses: [], trunk: true })
  }
  for (const customer of inventory.customers.values()) {
    for (const port of customer.ports) {
      if (port.device !== device.id) continue
      ports.set(port.interface, {
        name: port.interface,
        description: `customer ${customer.id}`,
        addresses: [],
      })
    }
  }
  addGateways(ports, device, inventory)
  addLinks(ports, device, inventory)
  return [...ports.values()]
}

/** The gateways stand on the port that leads to customers, with the length of the customer's prefix that they are in. */
function addGateways(
  ports: Map<string, SimulatedPort>,
  device: Device,
  inventory: Inventory,
): void {
  if (device.gateways.length === 0) {
    // An edge leads to customers somewhere, be it by other routers.
    if (!device.roles.includes('edge')) return
    const name = freeName(ports, device.platform)
    ports.set(name, { name, description: 'customers', addresses: [] })
    return
  }
  const prefixes = [...inventory.customers.values()].flatMap((one) =>
    one.prefixes.map(({ prefix }) => prefix),
  )
  const addresses = device.gateways.map((gateway) => {
    const around = prefixes.find((prefix) => covers(prefix, hostPrefix(gateway)))
    const length = around === undefined ? (familyOf(gateway) === 4 ? 24 : 64) : lengthOf(around)
    return `${gateway}/${familyOf(gateway) === 6 ? Math.max(length, 64) : length}`
  })
  const name = freeName(ports, device.platform)
  ports.set(name, { name, description: 'customers', addresses })
}

/** Each neighbor that is not iBGP is at the other end of a link. */
function addLinks(ports: Map<string, SimulatedPort>, device: Device, inventory: Inventory): void {
  const peers = [
    ...device.neighbors
      .filter(({ what }) => what !== 'ibgp')
      .map(({ address, vrf, what }) => ({ address, vrf, description: what as string })),
    ...customerNeighbors(device, inventory).map(({ customer, neighbor }) => ({
      address: neighbor.address,
      vrf: neighbor.vrf,
      description: `link to ${customer.id}`,
    })),
  ]
  const uplink = [...ports.values()].find((port) => port.trunk === true)
  for (const { address, vrf, description } of peers) {
    const mine = otherEnd(address)
    if (description === 'transit' && uplink !== undefined) {
      const there = ports.get(uplink.name) ?? uplink
      ports.set(uplink.name, { ...there, addresses: [...there.addresses, mine] })
      continue
    }
    const same = [...ports.values()].find((port) => port.description === description)
    const name = same?.name ?? freeName(ports, device.platform)
    const addresses = [...(same?.addresses ?? []), mine]
    ports.set(name, { name, description, addresses, ...(vrf === 'default' ? {} : { vrf }) })
  }
}

/** Our address on the link of a peer: the other usable one of its /30, or the next of its /64. */
function otherEnd(peer: Address): string {
  const value = toNumber(peer)
  if (familyOf(peer) === 6) {
    const next = prefixFrom(6, value % 2n === 1n ? value + 1n : value - 1n, 128)
    return `${addressOf(next)}/64`
  }
  const base = value - (value % 4n)
  const own = value === base + 1n ? base + 2n : base + 1n
  return `${addressOf(prefixFrom(4, own, 32))}/30`
}

function addressOf(prefix: Prefix): string {
  const text = prefix.slice(0, prefix.indexOf('/'))
  const parsed = parseAddress(text)
  return parsed.ok ? parsed.value : text
}

function freeName(ports: ReadonlyMap<string, unknown>, platform: string): string {
  for (let at = 1; ; at++) {
    const name =
      platform === 'cisco_ios'
        ? `GigabitEthernet0/${at}`
        : platform === 'juniper_junos'
          ? `ge-0/0/${at}`
          : `eth${at}`
    if (!ports.has(name)) return name
  }
}
