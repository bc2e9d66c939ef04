// Whether the ports that are named exist, and whether each can be shut for its customer alone. Two spellings of one port are the same port.

import type { Entry, Merged } from './merge.ts'
import type { Id, PortName } from './model.ts'
import { type KnownPlatforms, type PortNaming, samePort, takesDown } from './ports.ts'
import type { Problem } from './problem.ts'
import { doubled, unknown, unknownDevice } from './reference-problems.ts'
import { platformOf, reachOf } from './resolve.ts'
import type { RawCustomer, RawDevice } from './schema.ts'
import type { Path } from './yaml.ts'

type Namings = (device: Id) => PortNaming | undefined

/** All problems of ports: of devices, of customers, and between customers. */
export function checkPorts(merged: Merged, platforms: KnownPlatforms): readonly Problem[] {
  const known = new Map([...platforms].map(([name, naming]) => [name, remembering(naming)]))
  const namings: Namings = (device) => {
    const entry = merged.devices.get(device)
    return known.get((entry === undefined ? undefined : platformOf(entry, merged)) ?? '')
  }
  const uplinksOf = uplinksByHost(merged)
  return [
    ...[...merged.devices.values()].flatMap((entry) => ofDevice(entry, namings(entry.id))),
    ...[...merged.customers.values()].flatMap((entry) => {
      return ofCustomer(entry, merged, { namings, uplinksOf })
    }),
    ...betweenCustomers(merged, namings),
  ]
}

// A large network has the same few names of ports on each of its devices.
function remembering(naming: PortNaming): PortNaming {
  const names = new Map<string, string | undefined>()
  return {
    canonicalPort(name) {
      if (names.has(name)) return names.get(name)
      const canonical = naming.canonicalPort(name)
      names.set(name, canonical)
      return canonical
    },
  }
}

function ofDevice(entry: Entry<RawDevice>, naming: PortNaming | undefined): readonly Problem[] {
  const { uplinks = [], interfaces } = entry.value
  const named = (
    [
      ['uplinks', uplinks],
      ['interfaces', interfaces ?? []],
    ] as const
  ).flatMap(([field, list]) =>
    list.flatMap((port, index) => [
      ...unclear(entry, [field, index], port, naming),
      ...(list.findIndex((each) => samePort(each, port, naming)) === index
        ? []
        : [doubled(entry, [field, index], port)]),
    ]),
  )
  const missing = uplinks.flatMap((port, index) =>
    interfaces === undefined || isAmong(interfaces, port, naming)
      ? []
      : [
          unknown(
            entry,
            ['uplinks', index],
            `interface "${port}" of ${entry.id}`,
            new Set(interfaces),
          ),
        ],
  )
  return [...named, ...missing]
}

function isAmong(
  ports: readonly PortName[],
  port: PortName,
  naming: PortNaming | undefined,
): boolean {
  return ports.some((each) => samePort(each, port, naming))
}

// With such a name no check could tell whether it is an uplink.
function unclear(
  entry: Entry<unknown>,
  path: Path,
  port: PortName,
  naming: PortNaming | undefined,
): readonly Problem[] {
  if (naming === undefined || naming.canonicalPort(port) !== undefined) return []
  return [
    entry.problem(path, {
      message: `port ${port} may be any of several: the name is cut too short`,
      found: port,
      expected: 'a name that only one port can have',
      remedy: 'write it in full, as the configuration of the device has it',
    }),
  ]
}

function ofCustomer(
  entry: Entry<RawCustomer>,
  merged: Merged,
  {
    namings,
    uplinksOf,
  }: { readonly namings: Namings; readonly uplinksOf: ReadonlyMap<string, readonly PortName[]> },
): readonly Problem[] {
  return (entry.value.ports ?? []).flatMap(({ device, interface: port }, index) => {
    const path = ['ports', index]
    if (!merged.mentioned.devices.has(device)) return [unknownDevice(entry, path, device, merged)]
    const { interfaces } = merged.devices.get(device)?.value ?? {}
    const uplinks = uplinksOf.get(hostOf(device, merged)) ?? []
    const naming = namings(device)
    const at = [...path, 'interface']
    const vague = unclear(entry, at, port, naming)
    if (vague.length > 0) return vague
    const uplink = uplinks.find((each) => takesDown(port, each, naming))
    if (uplink !== undefined) return [isUplink(entry, at, { device, port, uplink })]
    return interfaces === undefined || isAmong(interfaces, port, naming)
      ? []
      : [unknown(entry, at, `interface "${port}" of ${device}`, new Set(interfaces))]
  })
}

function isUplink(
  entry: Entry<RawCustomer>,
  path: Path,
  { device, port, uplink }: { readonly device: Id; readonly port: string; readonly uplink: string },
): Problem {
  const which = uplink === port ? 'an uplink' : `the uplink ${uplink}, or carries it`
  return entry.problem(path, {
    message: `port ${port} of ${device} is ${which}: taking it down would cut others off`,
    found: port,
    expected: 'a port that only this customer uses',
    remedy: `name the customer's own port, or correct the uplinks of ${device}`,
  })
}

interface Owned {
  readonly entry: Entry<RawCustomer>
  readonly path: Path
  readonly device: Id
  readonly port: PortName
}

// A routing daemon and the system below it have the same ports: what is an uplink of the one is one of the other.
function uplinksByHost(merged: Merged): ReadonlyMap<string, readonly PortName[]> {
  const found = new Map<string, PortName[]>()
  for (const { id, value } of merged.devices.values()) {
    const host = hostOf(id, merged)
    found.set(host, [...(found.get(host) ?? []), ...(value.uplinks ?? [])])
  }
  return found
}

// A port of two customers, or one that carries another's, can't be shut for one of them alone.
function betweenCustomers(merged: Merged, namings: Namings): readonly Problem[] {
  const byHost = new Map<string, Owned[]>()
  for (const entry of merged.customers.values()) {
    for (const [index, { device, interface: port }] of (entry.value.ports ?? []).entries()) {
      const owned = { entry, path: ['ports', index, 'interface'], device, port }
      const host = hostOf(device, merged)
      const here = byHost.get(host)
      if (here === undefined) byHost.set(host, [owned])
      else here.push(owned)
    }
  }
  return [...byHost.values()].flatMap((all) => sharedPorts(all, namings(all[0]?.device ?? '')))
}

function hostOf(device: Id, merged: Merged): string {
  const entry = merged.devices.get(device)
  return entry === undefined ? device : reachOf(entry, merged)
}

function sharedPorts(all: readonly Owned[], naming: PortNaming | undefined): readonly Problem[] {
  const first = new Map<string, Owned>()
  const problems: Problem[] = []
  for (const owned of all) {
    const name = canonical(owned, naming)
    const before = first.get(name)
    if (before === undefined) first.set(name, owned)
    else problems.push(givenTwice(owned, before))
  }
  for (const owned of first.values()) {
    for (const parent of parentsOf(canonical(owned, naming))) {
      const carrier = first.get(parent)
      if (carrier !== undefined && carrier.entry.id !== owned.entry.id) {
        problems.push(carriedBy(owned, carrier))
      }
    }
  }
  return problems
}

function canonical({ port }: Owned, naming: PortNaming | undefined): string {
  return naming?.canonicalPort(port) ?? port
}

/** `ge-0/0/0.100` → `ge-0/0/0`; each beginning that ends before a dot. */
function parentsOf(name: string): readonly string[] {
  if (!name.includes('.')) return []
  return [...name.matchAll(/\./g)].map(({ index }) => name.slice(0, index))
}

function givenTwice({ entry, path, device, port }: Owned, before: Owned): Problem {
  const what = `port ${port} of ${device}`
  const also =
    before.device !== device
      ? ` (also as port ${before.port} of ${before.device}, on the same host)`
      : before.port === port
        ? ''
        : ` (also written ${before.port})`
  const own = before.entry.id === entry.id
  return entry.problem(path, {
    message: own
      ? `${what} stands here twice${also}`
      : `${what} is given to two customers: ${before.entry.id} and ${entry.id}${also}`,
    found: what,
    expected: 'one owner',
    remedy: own ? 'remove one of the two' : 'leave it with one of them',
  })
}

function carriedBy({ entry, path, device, port }: Owned, carrier: Owned): Problem {
  return entry.problem(path, {
    message: `port ${port} of ${device} goes down with ${carrier.port}, which is given to ${carrier.entry.id}`,
    found: `port ${port} of ${device}`,
    expected: 'a port that nobody else can have shut',
    remedy: `name a sub-interface of ${carrier.port} as the port of ${carrier.entry.id}`,
  })
}
