// Whether everything that is named exists, and nothing is given twice. Space is overlaps.ts.

import { mayShareHost } from './hosts.ts'
import type { Entry, Merged } from './merge.ts'
import type { Id } from './model.ts'
import { checkPorts } from './port-references.ts'
import type { KnownPlatforms } from './ports.ts'
import type { Problem } from './problem.ts'
import { doubled, twice, unknown, unknownDevice } from './reference-problems.ts'
import { platformOf, reachOf } from './resolve.ts'
import type { RawCustomer, RawDevice, RawShared } from './schema.ts'
import type { Path } from './yaml.ts'

/** All problems of references and duplicates, in no order. */
export function checkReferences(
  merged: Merged,
  knownPlatforms: KnownPlatforms,
): readonly Problem[] {
  return [
    ...sharedEntries(merged).flatMap((entry) => sharedProblems(entry, merged, knownPlatforms)),
    ...[...merged.devices.values()].flatMap((entry) => deviceProblems(entry, merged)),
    ...sameEndpoint(merged, knownPlatforms),
    ...[...merged.customers.values()].flatMap((entry) => customerProblems(entry, merged)),
    ...checkPorts(merged, knownPlatforms),
    ...sharedSessions(merged),
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
  knownPlatforms: KnownPlatforms,
): readonly Problem[] {
  const { platform, jump, roles } = entry.value
  return [
    ...(platform === undefined || knownPlatforms.has(platform)
      ? []
      : [unknown(entry, ['platform'], `platform "${platform}"`, new Set(knownPlatforms.keys()))]),
    ...(jump === undefined || jump === false || merged.mentioned.jumps.has(jump)
      ? []
      : [unknown(entry, ['jump'], `jump host "${jump}"`, merged.mentioned.jumps)]),
    ...twice(entry, 'roles', roles),
  ]
}

function deviceProblems(entry: Entry<RawDevice>, merged: Merged): readonly Problem[] {
  const { group, loopbacks, gateways, nextHops } = entry.value
  const neighbors = entry.value.neighbors?.map(({ address, vrf }) => sessionText(address, vrf))
  return [
    ...(group === undefined || merged.mentioned.groups.has(group)
      ? []
      : [unknown(entry, ['group'], `group "${group}"`, merged.mentioned.groups)]),
    ...twice(entry, 'loopbacks', loopbacks),
    ...twice(entry, 'gateways', gateways),
    ...twice(entry, 'nextHops', nextHops),
    ...twice(entry, 'neighbors', neighbors),
  ]
}

// The same address and port behind the same jump host is the same machine: two agents would work on it at once. A routing daemon and its host are two devices.
function sameEndpoint(merged: Merged, platforms: KnownPlatforms): readonly Problem[] {
  const there = new Map<string, Entry<RawDevice>[]>()
  return [...merged.devices.values()].flatMap((entry) => {
    const { id } = entry
    const reach = reachOf(entry, merged)
    const here = there.get(reach) ?? []
    there.set(reach, [...here, entry])
    const platform = platformOf(entry, merged) ?? ''
    const twin = here.find(
      (other) => !mayShareHost(platform, platformOf(other, merged) ?? '', platforms),
    )
    if (twin === undefined) return []
    return [
      entry.problem(['address'], {
        message: `${id} has the address and port of ${twin.id}`,
        found: reach,
        expected: 'an address and port of its own',
        remedy: `correct one of them, or remove ${id} if it is the same machine`,
      }),
    ]
  })
}

function customerProblems(entry: Entry<RawCustomer>, merged: Merged): readonly Problem[] {
  const { neighbors = [], prefixes = [] } = entry.value
  return [
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

// A session of two customers can't be cut for one of them alone. Ports are port-references.ts.
function sharedSessions(merged: Merged): readonly Problem[] {
  const sessions = [...merged.customers.values()].flatMap((entry) =>
    (entry.value.neighbors ?? []).map(({ device, address, vrf }, index) => ({
      entry,
      path: ['neighbors', index, 'address'],
      what: `neighbor ${sessionText(address, vrf)} of ${device}`,
    })),
  )
  const first = new Map<string, Id>()
  return sessions.flatMap(({ entry, path, what }) => {
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
