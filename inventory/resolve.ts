// Devices and jump hosts completed from their group and the defaults; relative paths resolved from the file that they stand in.

import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Entry, Merged } from './merge.ts'
import type { Auth, Customer, Device, Endpoint, Id, Jump, Limits } from './model.ts'
import type { Problem } from './problem.ts'
import type { RawAuth, RawCustomer, RawDevice, RawShared } from './schema.ts'

/** Longest time for one line on a device, in ms, where none is given. */
const deadlineMsDefault = 30_000
/** A session unused for so long is closed, in ms, where nothing is given. */
const sessionIdleMsDefault = 300_000

/** Limits where none are given: those of the documentation's example. */
const limitsDefault: Limits = {
  maxPrefix: { ipv4: 24, ipv6: 48 },
  perDecision: {
    ipv4Addresses: 4096,
    ipv6Slash64: 262_144,
    customers: 1,
    ports: 64,
    neighbors: 32,
  },
  perHour: { decisions: 200, ipv4Addresses: 16_384, customers: 50, ports: 200, neighbors: 50 },
}

/** Every device that is complete; a problem for what one lacks. */
export function resolveDevices(merged: Merged, problems: Problem[]): ReadonlyMap<Id, Device> {
  const devices = new Map<Id, Device>()
  for (const entry of merged.devices.values()) {
    const device = resolveDevice(entry, merged, problems)
    if (device !== undefined) devices.set(device.id, device)
  }
  return devices
}

/** Address, port and jump host of a device, as text: equal for the same machine. */
export function reachOf(entry: Entry<RawDevice>, merged: Merged): string {
  const layers = layersOf(entry, merged)
  const jump = pick(layers, 'jump')
  const way = jump === undefined || jump === false ? '' : ` by ${jump}`
  return `${entry.value.address} port ${pick(layers, 'port') ?? 22}${way}`
}

/** Every jump host that is complete; a problem for what one lacks. */
export function resolveJumps(merged: Merged, problems: Problem[]): ReadonlyMap<Id, Jump> {
  const jumps = new Map<Id, Jump>()
  for (const entry of merged.jumps.values()) {
    const layers = [entry, ...(merged.defaults === undefined ? [] : [merged.defaults])]
    const endpoint = endpointOf(layers, entry.value.port ?? 22, entry.value.address)
    for (const name of lacking(layers, ['username', 'auth', 'knownHosts'])) {
      problems.push(missing(entry, name, 'here or in defaults'))
    }
    if (endpoint !== undefined) jumps.set(entry.id, { id: entry.id, ...endpoint })
  }
  return jumps
}

/** A customer as the rest of the product sees it. */
export function resolveCustomer({ id, value }: Entry<RawCustomer>): Customer {
  return {
    id,
    name: value.name,
    ...(value.asn === undefined ? {} : { asn: value.asn }),
    prefixes: (value.prefixes ?? []).map((prefix) =>
      typeof prefix === 'string'
        ? { prefix, vrf: 'default' }
        : { prefix: prefix.prefix, vrf: prefix.vrf ?? 'default' },
    ),
    ports: value.ports ?? [],
    neighbors: (value.neighbors ?? []).map(({ device, address, vrf, group }) => ({
      device,
      address,
      vrf: vrf ?? 'default',
      ...(group === undefined ? {} : { group }),
    })),
    contacts: value.contacts ?? [],
  }
}

/** The limits, each number that isn't given by its default. */
export function resolveLimits({ limits }: Merged): Limits {
  const given = limits?.value
  return {
    maxPrefix: filled(limitsDefault.maxPrefix, given?.maxPrefix),
    perDecision: filled(limitsDefault.perDecision, given?.perDecision),
    perHour: filled(limitsDefault.perHour, given?.perHour),
  }
}

function filled<T extends object>(
  defaults: T,
  given: { readonly [K in keyof T]?: T[K] | undefined } | undefined,
): T {
  const stated = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(stated) }
}

type Layer = Entry<RawShared>

/** The name of a device's platform: its own, its group's, or that of the defaults. */
export function platformOf(entry: Entry<RawDevice>, merged: Merged): string | undefined {
  return pick(layersOf(entry, merged), 'platform')
}

function layersOf(entry: Entry<RawDevice>, merged: Merged): readonly Layer[] {
  const group = entry.value.group === undefined ? undefined : merged.groups.get(entry.value.group)
  return [entry, group, merged.defaults].filter((layer) => layer !== undefined)
}

function pick<K extends keyof RawShared>(layers: readonly Layer[], name: K): RawShared[K] {
  return layers.find(({ value }) => value[name] !== undefined)?.value[name]
}

function resolveDevice(
  entry: Entry<RawDevice>,
  merged: Merged,
  problems: Problem[],
): Device | undefined {
  const { id, value } = entry
  const layers = layersOf(entry, merged)
  // What a group that can't be read would have given is not missing.
  const groupKnown = value.group === undefined || merged.groups.has(value.group)
  if (groupKnown) {
    for (const name of lacking(layers, ['platform', 'username', 'auth', 'knownHosts'])) {
      problems.push(missing(entry, name, 'here, in its group or in defaults'))
    }
  }
  const platform = pick(layers, 'platform')
  const endpoint = endpointOf(layers, pick(layers, 'port') ?? 22, value.address)
  if (platform === undefined || endpoint === undefined) return undefined
  return { id, platform, ...endpoint, ...behaviourOf(layers), ...surroundingsOf(value) }
}

function behaviourOf(layers: readonly Layer[]) {
  const jump = pick(layers, 'jump')
  const enable = pick(layers, 'enable')
  const site = pick(layers, 'site')
  const asn = pick(layers, 'asn')
  return {
    ...(jump === undefined || jump === false ? {} : { jump }),
    ...(enable === undefined ? {} : { enablePasswordEnv: enable.passwordEnv }),
    ...(site === undefined ? {} : { site }),
    ...(asn === undefined ? {} : { asn }),
    roles: pick(layers, 'roles') ?? [],
    legacy: pick(layers, 'legacy') ?? false,
    deadlineMs: pick(layers, 'deadlineMs') ?? deadlineMsDefault,
    sessionIdleMs: pick(layers, 'sessionIdleMs') ?? sessionIdleMsDefault,
    save: pick(layers, 'save') ?? 'always',
    deviceTimer: pick(layers, 'deviceTimer') ?? false,
  } as const
}

function surroundingsOf(value: RawDevice) {
  return {
    loopbacks: value.loopbacks ?? [],
    neighbors: (value.neighbors ?? []).map(({ address, vrf, group, what }) => ({
      address,
      vrf: vrf ?? 'default',
      ...(group === undefined ? {} : { group }),
      what,
    })),
    gateways: value.gateways ?? [],
    nextHops: value.nextHops ?? [],
    uplinks: value.uplinks ?? [],
  }
}

type Login = 'platform' | 'username' | 'auth' | 'knownHosts'
type LoginLayer = Entry<Partial<Pick<RawShared, 'username' | 'auth' | 'knownHosts'>>>

function lacking(
  layers: readonly Entry<Partial<Pick<RawShared, Login>>>[],
  names: readonly Login[],
): readonly Login[] {
  return names.filter(
    (name) => !layers.some((layer) => layer.value[name] !== undefined || layer.has([name])),
  )
}

function missing(entry: Entry<unknown>, name: Login, where: string): Problem {
  return entry.problem(
    [],
    {
      message: `${entry.id} has no ${name}`,
      found: 'nothing',
      expected: `${name} ${where}`,
      remedy: `add "${name}: …" ${where}`,
    },
    true,
  )
}

function endpointOf(
  layers: readonly LoginLayer[],
  port: number,
  address: Endpoint['address'],
): Endpoint | undefined {
  const username = layers.find(({ value }) => value.username !== undefined)?.value.username
  const hosts = layers.find(({ value }) => value.knownHosts !== undefined)
  const login = layers.find(({ value }) => value.auth !== undefined)
  if (username === undefined || hosts?.value.knownHosts === undefined) return undefined
  if (login?.value.auth === undefined) return undefined
  return {
    address,
    port,
    username,
    auth: authOf(login.value.auth, login.folder),
    knownHosts: absolute(hosts.folder, hosts.value.knownHosts),
  }
}

function authOf(auth: RawAuth, folder: string): Auth {
  if (auth.passwordEnv !== undefined) return { kind: 'password', passwordEnv: auth.passwordEnv }
  if (auth.privateKeyFile === undefined) return { kind: 'agent' }
  return {
    kind: 'key',
    privateKeyFile: absolute(folder, auth.privateKeyFile),
    ...(auth.passphraseEnv === undefined ? {} : { passphraseEnv: auth.passphraseEnv }),
  }
}

// `~/` is meant as in ssh's own configuration.
function absolute(folder: string, path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(folder, path)
}
