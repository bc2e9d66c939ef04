// The worlds of the table: for each platform one device with everything that a customer may have on it, and bystanders that nothing may touch.

import type { SimulatedDevice, SimulatedPlatform } from '../simulator/spec.ts'
import type { StoryDevice } from '../simulator/stories/story.ts'

/** Name of the one device of each world. */
export const deviceName = 'r1'

/** The platforms of the table, in its order. */
export const platforms: readonly SimulatedPlatform[] = [
  'frr',
  'linux',
  'cisco_ios',
  'juniper_junos',
]

/** A world: the device, and what the inventory says of the customer on it. */
export interface FaultWorld {
  readonly device: StoryDevice
  /** YAML below `customers:`, indented by two. */
  readonly customers: string
  readonly playbook: string
}

const customerLan = ['198.51.100.1/24', '2001:db8:a::1/64']
const bystanderLan = ['198.51.100.129/25', '2001:db8:b::1/64']

const neighbors = [
  { address: '192.0.2.66', asn: '64501', description: 'esthost', group: 'CUSTOMERS' },
  { address: '192.0.2.70', asn: '64502', description: 'quiet', group: 'CUSTOMERS' },
] as const

const devices: Readonly<Record<SimulatedPlatform, SimulatedDevice>> = {
  frr: {
    name: deviceName,
    platform: 'frr',
    roles: ['rtbh-trigger'],
    neighbors,
    extra: ['ip route 203.0.113.200/32 blackhole', 'ipv6 route 2001:db8:9::/48 blackhole'],
  },
  linux: {
    name: deviceName,
    platform: 'linux',
    privilege: 'sudo',
    roles: ['rtbh-trigger', 'edge', 'access'],
    ports: [
      { name: 'p1', description: 'esthost', addresses: [] },
      { name: 'p2', description: 'quiet', addresses: [] },
    ],
    extra: ['ip route add blackhole 203.0.113.200/32'],
  },
  cisco_ios: {
    name: deviceName,
    platform: 'cisco_ios',
    roles: ['rtbh-trigger', 'edge', 'access'],
    ports: [
      { name: 'GigabitEthernet0/1', description: 'esthost', addresses: customerLan },
      { name: 'GigabitEthernet0/2', description: 'quiet', addresses: bystanderLan },
    ],
    neighbors,
    extra: ['ip route 203.0.113.200 255.255.255.255 Null0'],
  },
  juniper_junos: {
    name: deviceName,
    platform: 'juniper_junos',
    roles: ['rtbh-trigger', 'edge', 'access'],
    ports: [
      { name: 'ge-0/0/1', description: 'esthost', addresses: customerLan },
      { name: 'ge-0/0/2', description: 'quiet', addresses: bystanderLan },
    ],
    neighbors,
    extra: ['set routing-options static route 203.0.113.200/32 discard'],
  },
}

const measures = {
  blackhole: '  - blackhole: { prefixes: customer, devices: { role: rtbh-trigger }, tag: 666 }',
  acl: '  - acl: { block: customer, direction: both, devices: { role: edge } }',
  port: '  - port: { state: down, ports: customer }',
  neighbor: '  - neighbor: { state: shutdown, neighbors: customer, message: "Suspended {ticket}" }',
}

/** What the customer has on the device of each platform: as much as the platform can cut. */
const has: Readonly<Record<SimulatedPlatform, readonly (keyof typeof measures)[]>> = {
  frr: ['blackhole', 'neighbor'],
  linux: ['blackhole', 'acl', 'port'],
  cisco_ios: ['blackhole', 'acl', 'port', 'neighbor'],
  juniper_junos: ['blackhole', 'acl', 'port', 'neighbor'],
}

/** How a world differs from the usual one. */
export interface WorldOptions {
  /** Descriptions are the text of the device's own prompts. */
  readonly lookAlike: boolean
  /** More of the inventory about the device. */
  readonly says?: string
}

/** Texts that are a prompt's wherever they stand at the end of a line. */
const lookAlikes: Readonly<Record<SimulatedPlatform, string>> = {
  frr: `${deviceName}(config)#`,
  linux: `root@${deviceName}:~#`,
  cisco_ios: `${deviceName}(config)#`,
  juniper_junos: `netops@${deviceName}> `,
}

function disguised<T extends { readonly description: string }>(
  objects: readonly T[] | undefined,
  description: string,
): readonly T[] {
  return (objects ?? []).map((one) => ({ ...one, description }))
}

/** The world of a platform. */
export function faultWorld(platform: SimulatedPlatform, options: WorldOptions): FaultWorld {
  const plain = devices[platform]
  const text = lookAlikes[platform]
  const device = options.lookAlike
    ? {
        ...plain,
        ports: disguised(plain.ports, text),
        neighbors: disguised(plain.neighbors, text),
      }
    : plain
  const of = has[platform]
  const port = device.ports?.[0]?.name ?? ''
  const owned = [
    'prefixes: [203.0.113.8/32]',
    ...(of.includes('port') ? [`ports: [{ device: ${deviceName}, interface: ${port} }]`] : []),
    ...(of.includes('neighbor')
      ? [`neighbors: [{ device: ${deviceName}, address: 192.0.2.66 }]`]
      : []),
  ]
  return {
    device: options.says === undefined ? device : { ...device, says: options.says },
    customers: `  esthost:\n    name: Esthost\n${owned.map((line) => `    ${line}`).join('\n')}`,
    playbook: [
      'name: suspend',
      'decision: suspend',
      'description: All that this platform can do.',
      'measures:',
      ...of.map((one) => measures[one]),
      'maxDuration: 14d',
      '',
    ].join('\n'),
  }
}
