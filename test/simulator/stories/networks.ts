// Networks that stories play in, as small as each needs. Documentation ranges only.

import type { StoryDevice } from './story.ts'

/** A trigger that two platforms of edges learn from. */
export const trigger: StoryDevice = {
  name: 'trigger1',
  routerId: '10.0.0.1',
  platform: 'frr',
  roles: ['rtbh-trigger'],
}

/** An edge of FRR with a BGP customer. */
export const edge: StoryDevice = {
  name: 'edge1',
  routerId: '10.0.0.2',
  platform: 'frr',
  roles: ['edge'],
  neighbors: [{ address: '192.0.2.66', asn: '64501', description: 'rovernet' }],
  says: 'gateways: [203.0.113.1]',
}

/** An access switch of Linux. */
export const accessSwitch: StoryDevice = {
  name: 'sw1',
  platform: 'linux',
  roles: ['access'],
  ports: [
    { name: 'p1', description: 'esthost', addresses: [] },
    { name: 'p2', description: 'quiet', addresses: [] },
  ],
}

/** Esthost lives behind edge1 and on p1; rovernet speaks BGP; quiet must never be touched. */
export const customers = `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30, "2001:db8:e57::/48"]
    ports: [{ device: sw1, interface: p1 }]
  rovernet:
    name: Rovernet
    asn: 64501
    prefixes: [203.0.113.128/26]
    neighbors: [{ device: edge1, address: 192.0.2.66 }]
  quiet:
    name: Quiet
    prefixes: [203.0.113.64/26]
    ports: [{ device: sw1, interface: p2 }]`

/** The three of them. */
export const village = { devices: [trigger, edge, accessSwitch], customers } as const

/** A playbook of routes only, so that a trigger alone is a network. */
export function routesOnly(
  name: string,
  more: { tag?: number; end?: string; seenOn?: string } = {},
): string {
  const seen = more.seenOn === undefined ? '' : `, seenOn: { role: ${more.seenOn} }`
  const objects = name === 'block' ? 'subject' : 'customer'
  return `name: ${name}
decision: ${name === 'block' ? 'block' : 'suspend'}
description: Routes only.
measures:
  - blackhole: { prefixes: ${objects}, devices: { role: rtbh-trigger }${seen}, tag: ${more.tag ?? 666} }
maxDuration: 14d
${more.end ?? ''}
`
}

const lan = ['198.51.100.1/24', '2001:db8:a::1/64']
const port = (name: string, addresses: readonly string[] = []) => ({
  name,
  description: 'esthost',
  addresses,
})
const neighbor = (address: string) => ({
  address,
  asn: '64501',
  description: 'esthost',
  group: 'CUSTOMERS',
})

/** Every platform, and one customer everywhere: addresses, ports and sessions. */
export const town: { readonly devices: readonly StoryDevice[]; readonly customers: string } = {
  devices: [
    trigger,
    { ...edge, neighbors: [neighbor('192.0.2.66')] },
    {
      name: 'edge2',
      routerId: '10.0.0.3',
      platform: 'juniper_junos',
      roles: ['edge'],
      ports: [port('ge-0/0/1', lan)],
      neighbors: [neighbor('192.0.2.70')],
    },
    {
      name: 'edge3',
      routerId: '10.0.0.4',
      platform: 'cisco_ios',
      roles: ['edge'],
      ports: [port('GigabitEthernet0/1', lan)],
      neighbors: [neighbor('192.0.2.74')],
    },
    { name: 'edge4', routerId: '10.0.0.5', platform: 'linux', roles: ['edge'] },
    accessSwitch,
    {
      name: 'sw2',
      platform: 'cisco_ios',
      roles: ['access'],
      ports: [port('GigabitEthernet1/0/3')],
    },
  ],
  customers: `  esthost:
    name: Esthost
    asn: 64501
    prefixes: [203.0.113.0/30, "2001:db8:e57::/48"]
    ports: [{ device: sw1, interface: p1 }, { device: sw2, interface: GigabitEthernet1/0/3 }]
    neighbors:
      - { device: edge1, address: 192.0.2.66 }
      - { device: edge2, address: 192.0.2.70, group: CUSTOMERS }
      - { device: edge3, address: 192.0.2.74 }`,
}
