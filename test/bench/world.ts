// What a benched controller is started on: an inventory, one playbook, and where its devices are.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { FarmDevice } from './farm-main.ts'

/** The role of the devices that get a line. */
export const role = 'access'

/** The customer whose addresses are blocked: RFC 2544's range for benches. */
const space = '198.18.0.0/16'

/** Blocks one prefix on all devices of the role at once, without waiting for others to learn it. */
const blockPlaybook = {
  name: 'block',
  decision: 'block',
  description: 'A blackhole on every device of the role.',
  measures: [{ blackhole: { prefixes: 'subject', devices: { role }, tag: 666 } }],
  rollout: { canary: 0, batch: 10_000, stopAfterFailures: 10_000 },
  approvals: 0,
  maxDuration: '14d',
  onFailure: 'keep',
}

/** The same for all prefixes of a customer. */
const suspendPlaybook = {
  ...blockPlaybook,
  name: 'suspend',
  decision: 'suspend',
  measures: [{ blackhole: { prefixes: 'customer', devices: { role }, tag: 666 } }],
}

/** No budget stands in the way of a bench. */
const limits = {
  maxPrefix: { ipv4: 8, ipv6: 16 },
  perDecision: {
    ipv4Addresses: 1_000_000,
    ipv6Slash64: 1_000_000,
    customers: 1,
    ports: 10_000,
    neighbors: 10_000,
  },
  perHour: {
    decisions: 1_000_000,
    ipv4Addresses: 1_000_000_000,
    customers: 1_000_000,
    ports: 1_000_000,
    neighbors: 1_000_000,
  },
}

/** What goes into the inventory beside the devices. */
export interface WorldOptions {
  readonly folder: string
  readonly devices: readonly FarmDevice[]
  /** The session is closed after each convergence: every one begins with a log-in. */
  readonly cold: boolean
  /** Customers beside the one that has `space`. */
  readonly customers?: Readonly<Record<string, object>>
}

/** Writes the files of a controller on a farm. Its password is in the environment as FARM_PASSWORD. */
export async function writeWorld(options: WorldOptions): Promise<void> {
  const { devices, cold, folder } = options
  await writeFiles(folder, {
    defaults: {
      username: devices[0]?.username ?? 'netops',
      auth: { passwordEnv: 'FARM_PASSWORD' },
      knownHosts: 'known_hosts',
      asn: 64500,
      ...(cold ? { sessionIdleMs: 0 } : {}),
    },
    devices: Object.fromEntries(
      devices.map(({ name, platform, host, port }) => [
        name,
        { platform, address: host, port, roles: [role] },
      ]),
    ),
    customers: options.customers ?? {},
  })
  const known = devices.map(({ host, port, hostKey }) => `[${host}]:${port} ${hostKey}\n`)
  await writeFile(join(folder, 'known_hosts'), known.join(''))
}

/** Writes inventory and playbooks. */
export async function writeFiles(
  folder: string,
  inventory: {
    readonly defaults?: object
    readonly devices: Readonly<Record<string, object>>
    readonly customers: Readonly<Record<string, object>>
    readonly more?: object
  },
): Promise<void> {
  await mkdir(join(folder, 'playbooks'), { recursive: true })
  for (const playbook of [blockPlaybook, suspendPlaybook]) {
    await writeFile(join(folder, 'playbooks', `${playbook.name}.yaml`), stringify(playbook))
  }
  const { more = {}, customers, ...rest } = inventory
  const target = { name: 'Bench', prefixes: [space] }
  const text = stringify({
    version: 1,
    ...rest,
    customers: { bench: target, ...customers },
    limits,
    ...more,
  })
  await writeFile(join(folder, 'inventory.yaml'), text)
}

/** The n-th address of the bench's space; neighbours in number are never adjacent, so that nothing could be merged. */
export function addressOf(n: number): string {
  const at = (n * 2 + 1) % 65_536
  return `198.18.${Math.floor(at / 256)}.${at % 256}`
}
