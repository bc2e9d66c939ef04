// Whether everything that is named exists, and nothing is given twice. Space is overlaps.ts.

import type { Entry, Merged } from './merge.ts'
import type { Id, PortName } from './model.ts'
import type { Problem } from './problem.ts'
import { reachOf } from './resolve.ts'
import type { RawCustomer, RawDevice, RawShared } from './schema.ts'
import type { Path } from './yaml.ts'

/** All problems of references and duplicates, in no order. */
export function checkReferences(
  merged: Merged,
  knownPlatforms: readonly string[],
): readonly Problem[] {
  return [
    ...sharedEntries(merged).flatMap((entry) => sharedProblems(entry, merged, knownPlatforms)),
    ...[...merged.devices.values()].flatMap((entry) => deviceProblems(entry, merged)),
    ...sameEndpoint(merged),
    ...[...merged.customers.values()].flatMap((entry) => customerProblems(entry, merged)),
    ...sharedByCustomers(merged),
    ...repeated(merged.protected, (entry) => [entry.value.prefix, ['prefix'], entry.value.prefix]),
    ...repeated(merged.addresses, (entry) => [entry.value, [], entry.value]),
    ...repeated(merged.discards, (entry) => [entry.value, [], entry.value]),
  ]
}

function sharedEntries(merged: Merged): readonly Entry<RawShared>[] {
  const defaults = merged.defaults === undefined ? [] : [merged.defaults]
  return [...defaults, ...merged.groups.values(), ...merged.devices.values()]
}

function sharedProblems(
  entry: Entry<RawShared>,
  merged: Merged,
  knownPlatforms: readonly string[],
): readonly Problem[] {
  const { platform, jump, roles } = entry.value
  return [
    ...(platform === undefined || knownPlatforms.includes(platform)
      ? []
      : [unknown(entry, ['platform'], `platform "${platform}"`, knownPlatforms)]),
    ...(jump === undefined || jump === false || merged.mentioned.jumps.has(jump)
      ? []
      : [unknown(entry, ['jump'], `jump host "${jump}"`, [...merged.mentioned.jumps])]),
    ...twice(entry, 'roles', roles),
  ]
}

function deviceProblems(entry: Entry<RawDevice>, merged: Merged): readonly Problem[] {
  const { group, loopbacks, gateways, nextHops, uplinks, interfaces } = entry.value
  const neighbors = entry.value.neighbors?.map(({ address, vrf }) => sessionText(address, vrf))
  return [
    ...(group === undefined || merged.mentioned.groups.has(group)
      ? []
      : [unknown(entry, ['group'], `group "${group}"`, [...merged.mentioned.groups])]),
    ...twice(entry, 'loopbacks', loopbacks),
    ...twice(entry, 'gateways', gateways),
    ...twice(entry, 'nextHops', nextHops),
    ...twice(entry, 'uplinks', uplinks),
    ...twice(entry, 'interfaces', interfaces),
    ...twice(entry, 'neighbors', neighbors),
    ...(interfaces === undefined ? [] : (uplinks ?? [])).flatMap((port, index) =>
      interfaces?.includes(port) === false
        ? [unknown(entry, ['uplinks', index], `interface "${port}" of ${entry.id}`, interfaces)]
        : [],
    ),
  ]
}

// The same address and port behind the same jump host is the same machine: two agents would work on it at once.
function sameEndpoint(merged: Merged): readonly Problem[] {
  const first = new Map<string, Id>()
  return [...merged.devices.values()].flatMap((entry) => {
    const { id } = entry
    const reach = reachOf(entry, merged)
    const before = first.get(reach)
    if (before === undefined) {
      first.set(reach, id)
      return []
    }
    return [
      entry.problem(['address'], {
        message: `${id} has the address and port of ${before}`,
        found: reach,
        expected: 'an address and port of its own',
        remedy: `correct one of them, or remove ${id} if it is the same machine`,
      }),
    ]
  })
}

function customerProblems(entry: Entry<RawCustomer>, merged: Merged): readonly Problem[] {
  const { ports = [], neighbors = [], prefixes = [] } = entry.value
  return [
    ...ports.flatMap(({ device, interface: port }, index) =>
      portProblems(entry, { device, port, path: ['ports', index] }, merged),
    ),
    ...neighbors.flatMap(({ device, address, vrf }, index) => {
      const path = ['neighbors', index]
      if (!merged.mentioned.devices.has(device)) return [unknownDevice(entry, path, device, merged)]
      const own = merged.devices
        .get(device)
        ?.value.neighbors?.find(
          (each) => sessionText(each.address, each.vrf) === sessionText(address, vrf),
        )
      if (own === undefined) return []
      return [
        entry.problem([...path, 'address'], {
          message: `neighbor ${sessionText(address, vrf)} of ${device} is the operator's own (${own.what})`,
          found: address,
          expected: "a neighbor of the customer's",
          remedy: `remove it here, or from the neighbors of ${device}`,
        }),
      ]
    }),
    ...twice(
      entry,
      'prefixes',
      prefixes.map((each) =>
        typeof each === 'string' ? each : sessionText(each.prefix, each.vrf),
      ),
    ),
  ]
}

function portProblems(
  entry: Entry<RawCustomer>,
  at: { readonly device: Id; readonly port: PortName; readonly path: Path },
  merged: Merged,
): readonly Problem[] {
  const { device, port, path } = at
  if (!merged.mentioned.devices.has(device)) return [unknownDevice(entry, path, device, merged)]
  const { uplinks = [], interfaces } = merged.devices.get(device)?.value ?? {}
  if (uplinks.includes(port)) {
    return [
      entry.problem([...path, 'interface'], {
        message: `port ${port} of ${device} is an uplink: taking it down would cut others off`,
        found: port,
        expected: 'a port that only this customer uses',
        remedy: `name the customer's own port, or correct the uplinks of ${device}`,
      }),
    ]
  }
  if (interfaces === undefined || interfaces.includes(port)) return []
  return [unknown(entry, [...path, 'interface'], `interface "${port}" of ${device}`, interfaces)]
}

// A port or session of two customers can't be cut for one of them alone.
function sharedByCustomers(merged: Merged): readonly Problem[] {
  const customers = [...merged.customers.values()]
  const ports = customers.flatMap((entry) =>
    (entry.value.ports ?? []).map(({ device, interface: port }, index) => ({
      entry,
      path: ['ports', index, 'interface'],
      what: `port ${port} of ${device}`,
    })),
  )
  const sessions = customers.flatMap((entry) =>
    (entry.value.neighbors ?? []).map(({ device, address, vrf }, index) => ({
      entry,
      path: ['neighbors', index, 'address'],
      what: `neighbor ${sessionText(address, vrf)} of ${device}`,
    })),
  )
  const first = new Map<string, Id>()
  return [...ports, ...sessions].flatMap(({ entry, path, what }) => {
    const before = first.get(what)
    if (before === undefined) first.set(what, entry.id)
    if (before === undefined) return []
    const message =
      before === entry.id
        ? `${what} stands here twice`
        : `${what} is given to two customers: ${before} and ${entry.id}`
    const remedy = before === entry.id ? 'remove one of the two' : 'leave it with one of them'
    return [entry.problem(path, { message, found: what, expected: 'one owner', remedy })]
  })
}

function sessionText(address: string, vrf: string | undefined): string {
  return vrf === undefined || vrf === 'default' ? address : `${address} (vrf ${vrf})`
}

function twice(
  entry: Entry<unknown>,
  field: string,
  list: readonly string[] | undefined,
): readonly Problem[] {
  return (list ?? []).flatMap((value, index) =>
    list?.indexOf(value) === index ? [] : [doubled(entry, [field, index], value)],
  )
}

function repeated<T>(
  entries: readonly Entry<T>[],
  of: (entry: Entry<T>) => readonly [key: string, path: Path, shown: string],
): readonly Problem[] {
  const seen = new Set<string>()
  return entries.flatMap((entry) => {
    const [key, path, shown] = of(entry)
    if (seen.has(key)) return [doubled(entry, path, shown)]
    seen.add(key)
    return []
  })
}

function doubled(entry: Entry<unknown>, path: Path, shown: string): Problem {
  return entry.problem(path, {
    message: `${shown} is given twice`,
    found: `${shown} again`,
    expected: 'each once',
    remedy: 'remove one of the two',
  })
}

function unknownDevice(entry: Entry<unknown>, path: Path, device: Id, merged: Merged): Problem {
  return unknown(entry, [...path, 'device'], `device "${device}"`, [...merged.mentioned.devices])
}

/** Names shown at most, where one of many is expected. */
const namesShown = 12

function unknown(
  entry: Entry<unknown>,
  path: Path,
  what: string,
  known: readonly string[],
): Problem {
  const shown = known.slice(0, namesShown).join(', ')
  const more = known.length > namesShown ? `, and ${known.length - namesShown} more` : ''
  return entry.problem(path, {
    message: `there is no ${what}`,
    found: what,
    expected: known.length === 0 ? 'nothing: there is none' : `one of ${shown}${more}`,
    remedy: 'correct the name, or add what it names',
  })
}
