// The network that the crash harness plays in: every platform in every part that it has a driver for, and customers whose objects are listed by hand,
// so that what should be there is known without the product's compiler. Documentation ranges only.

import type { StoryDevice } from '../simulator/stories/story.ts'

/** A device's object that cuts somebody off, and what must be said of it there. */
export interface Placed {
  readonly device: string
  /** As in shown.ts. */
  readonly name: string
  readonly detail: string
  /** An entry of a filter, which a wider one may stand for. */
  readonly filter?: { readonly way: string; readonly prefix: string }
}

const lan = ['198.51.100.1/24', '2001:db8:a::1/64']
const neighbor = (address: string, description: string) => ({
  address,
  asn: '64501',
  description,
  group: 'CUSTOMERS',
})
const port = (name: string, description: string, addresses: readonly string[] = []) => ({
  name,
  description,
  addresses,
})

/** The devices, however the seed is. Of the operator's own hand: a route on trigger1, a port of core2 that is down, a neighbor of edge1 that is shut. */
export const devices: readonly StoryDevice[] = [
  {
    name: 'trigger1',
    platform: 'frr',
    routerId: '10.0.0.1',
    roles: ['rtbh-trigger'],
    extra: ['ip route 203.0.113.24/32 blackhole tag 666'],
  },
  {
    name: 'trigger2',
    platform: 'juniper_junos',
    routerId: '10.0.0.2',
    roles: ['rtbh-trigger'],
  },
  {
    name: 'core1',
    platform: 'cisco_ios',
    routerId: '10.0.0.3',
    roles: ['core', 'access'],
    ports: [port('GigabitEthernet1/0/3', 'bolt'), port('GigabitEthernet1/0/4', 'fay')],
  },
  {
    name: 'core2',
    platform: 'linux',
    routerId: '10.0.0.4',
    roles: ['core', 'access'],
    ports: [
      port('p1', 'acme'),
      port('p2', 'quiet'),
      { ...port('p3', 'dora'), shut: true },
      port('p4', 'fay'),
    ],
  },
  {
    name: 'edge1',
    platform: 'frr',
    routerId: '10.0.0.5',
    roles: ['edge'],
    neighbors: [
      neighbor('192.0.2.66', 'bolt'),
      { ...neighbor('192.0.2.67', 'dora'), shut: true },
      neighbor('192.0.2.71', 'echo'),
      neighbor('192.0.2.72', 'fay'),
    ],
    says: 'gateways: [203.0.113.1]',
  },
  {
    name: 'edge2',
    platform: 'juniper_junos',
    routerId: '10.0.0.6',
    roles: ['edge'],
    ports: [port('ge-0/0/1', 'customers', lan), port('ge-0/0/5', 'cara')],
    neighbors: [neighbor('192.0.2.70', 'acme')],
  },
  {
    name: 'edge3',
    platform: 'cisco_ios',
    routerId: '10.0.0.7',
    roles: ['edge'],
    ports: [port('GigabitEthernet0/1', 'customers', lan)],
    neighbors: [neighbor('192.0.2.74', 'cara'), neighbor('192.0.2.78', 'quiet')],
  },
  { name: 'edge4', platform: 'linux', routerId: '10.0.0.8', roles: ['edge'] },
]

/** The city of a seed: on the Linux host of the core either root logs in or somebody with sudo, and both have a way of their own with many lines at once. At an edge it is root: sudo has no transaction, in which a wider entry of a filter could take the place of a narrower one without a moment between. */
export function cityOf(seed: number): readonly StoryDevice[] {
  const privilege = seed % 2 === 0 ? 'root' : 'sudo'
  return devices.map((one) => (one.name === 'core2' ? { ...one, privilege } : one))
}

/** Addresses that no wider prefix holds together: enough of them that every platform sends them as many at once. */
const scattered = Array.from({ length: 24 }, (_, at) => `203.0.113.${128 + 2 * at}/32`)

/** The same customers as YAML for the product. */
export const customers = `  acme:
    name: Acme
    prefixes: [203.0.113.0/29, "2001:db8:ac::/48"]
    ports: [{ device: core2, interface: p1 }]
    neighbors: [{ device: edge2, address: 192.0.2.70, group: CUSTOMERS }]
  bolt:
    name: Bolt
    prefixes: [203.0.113.8/29]
    ports: [{ device: core1, interface: GigabitEthernet1/0/3 }]
    neighbors: [{ device: edge1, address: 192.0.2.66 }]
  cara:
    name: Cara
    prefixes: [203.0.113.16/29]
    ports: [{ device: edge2, interface: ge-0/0/5 }]
    neighbors: [{ device: edge3, address: 192.0.2.74 }]
  dora:
    name: Dora
    prefixes: [203.0.113.24/32]
    ports: [{ device: core2, interface: p3 }]
    neighbors: [{ device: edge1, address: 192.0.2.67 }]
  echo:
    name: Echo
    prefixes: [${scattered.join(', ')}]
    neighbors: [{ device: edge1, address: 192.0.2.71 }]
  fay:
    name: Fay
    prefixes: [203.0.113.200/32]
    ports: [{ device: core1, interface: GigabitEthernet1/0/4 }, { device: core2, interface: p4 }]
    neighbors: [{ device: edge1, address: 192.0.2.72 }]
  quiet:
    name: Quiet
    prefixes: [203.0.113.64/26]
    ports: [{ device: core2, interface: p2 }]
    neighbors: [{ device: edge3, address: 192.0.2.78 }]`

/** Limits that the harness's pace doesn't reach. */
export const limits = `limits:
  perHour: { decisions: 1000000, ipv4Addresses: 100000000, customers: 1000000, ports: 1000000, neighbors: 1000000 }`

/** A playbook beside the shipped ones: routes on the platforms that are no trigger here. */
export const corePlaybook = `name: core
decision: suspend
description: Routes on the core only.
measures:
  - blackhole: { prefixes: customer, devices: { role: core }, tag: 666 }
rollout: { canary: 1, batch: 50, stopAfterFailures: 1 }
approvals: 0
maxDuration: 14d
onFailure: keep
`

/** What is theirs. 203.0.113.1 is a gateway: it is carved out of acme's prefix. */
const theirs = {
  acme: {
    prefixes: ['203.0.113.0/32', '203.0.113.2/31', '203.0.113.4/30', '2001:db8:ac::/48'],
    ports: ['core2 p1'],
    neighbors: ['edge2 192.0.2.70'],
  },
  bolt: {
    prefixes: ['203.0.113.8/29'],
    ports: ['core1 GigabitEthernet1/0/3'],
    neighbors: ['edge1 192.0.2.66'],
  },
  cara: {
    prefixes: ['203.0.113.16/29'],
    ports: ['edge2 ge-0/0/5'],
    neighbors: ['edge3 192.0.2.74'],
  },
  dora: {
    prefixes: ['203.0.113.24/32'],
    ports: ['core2 p3'],
    neighbors: ['edge1 192.0.2.67'],
  },
  echo: { prefixes: scattered, ports: [], neighbors: ['edge1 192.0.2.71'] },
  /** Has something on every device that is told to save. */
  fay: {
    prefixes: ['203.0.113.200/32'],
    ports: ['core1 GigabitEthernet1/0/4', 'core2 p4'],
    neighbors: ['edge1 192.0.2.72'],
  },
} as const

/** Customers that random decisions are about; quiet is never touched, and fay only on purpose. */
export type Name = keyof typeof theirs
export const names: readonly Name[] = ['acme', 'bolt', 'cara', 'dora', 'echo']

/** Prefixes that are blocked by themselves: whole, inside of others, and of the other family. */
export const blockable: readonly string[] = [
  '203.0.113.2/31',
  '203.0.113.4/30',
  '203.0.113.6/32',
  '2001:db8:ac::/48',
  '2001:db8:ac:1::/64',
  '203.0.113.8/29',
  '203.0.113.10/32',
  '203.0.113.16/30',
  '203.0.113.24/32',
]

/** Ports and neighbors that are blocked by themselves, as `DEVICE NAME`. */
export const ports: readonly string[] = names.flatMap((name) => [...theirs[name].ports])
export const neighbors: readonly string[] = names.flatMap((name) => [...theirs[name].neighbors])

/** What a decision is about. */
export type Subject =
  | { readonly kind: 'customer'; readonly customer: Name; readonly playbook: Playbook }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'port' | 'neighbor'; readonly place: string }
export type Playbook = 'suspend' | 'core' | 'depeer'

/** Everything that must stand on devices while a decision is in force, and what the edges must have learnt. */
export function objectsOf(subject: Subject, ticket: string): readonly Placed[] {
  switch (subject.kind) {
    case 'customer':
      return ofCustomer(theirs[subject.customer], subject.playbook, ticket)
    case 'prefix':
      return [
        ...routesOn(triggers, subject.prefix),
        ...seen(subject.prefix),
        ...acl(subject.prefix),
      ]
    case 'port':
      return [portAt(subject.place)]
    case 'neighbor':
      return [neighborAt(subject.place, `Blocked ${ticket}`)]
  }
}

function ofCustomer(
  of: (typeof theirs)[Name],
  playbook: Playbook,
  ticket: string,
): readonly Placed[] {
  const prefixes: readonly string[] = of.prefixes
  switch (playbook) {
    case 'core':
      return prefixes.flatMap((prefix) => routesOn(core, prefix))
    case 'depeer':
      return of.neighbors.map((place) => neighborAt(place, `Depeered ${ticket}`))
    case 'suspend':
      return [
        ...prefixes.flatMap((prefix) => [
          ...routesOn(triggers, prefix),
          ...seen(prefix),
          ...acl(prefix),
        ]),
        ...of.ports.map(portAt),
        ...of.neighbors.map((place) => neighborAt(place, `Suspended ${ticket}`)),
      ]
  }
}

const withRole = (role: string): readonly StoryDevice[] =>
  devices.filter(({ roles = [] }) => roles.includes(role))
const triggers = withRole('rtbh-trigger')
const core = withRole('core')
const edges = withRole('edge')

function routesOn(on: readonly StoryDevice[], prefix: string): readonly Placed[] {
  return on.map(({ name, platform }) => ({
    device: name,
    name: `route ${prefix}`,
    detail: platform === 'linux' ? '' : '666',
  }))
}

function seen(prefix: string): readonly Placed[] {
  return edges.map(({ name }) => ({ device: name, name: `seen ${prefix}`, detail: '' }))
}

/** FRR has no filters, and on IOS they are of IPv4 only: the measure is optional. */
function acl(prefix: string): readonly Placed[] {
  return edges
    .filter(({ platform }) => platform !== 'frr')
    .filter(({ platform }) => platform !== 'cisco_ios' || !prefix.includes(':'))
    .flatMap(({ name }) =>
      ['acl-in', 'acl-out'].map((way) => ({
        device: name,
        name: `${way} ${prefix}`,
        detail: '',
        filter: { way, prefix },
      })),
    )
}

function portAt(place: string): Placed {
  const [device = '', name = ''] = place.split(' ')
  return { device, name: `port ${name}`, detail: '' }
}

/** IOS has no place for a message. */
function neighborAt(place: string, message: string): Placed {
  const [device = '', peer = ''] = place.split(' ')
  const platform = devices.find(({ name }) => name === device)?.platform
  return { device, name: `neighbor ${peer}`, detail: platform === 'cisco_ios' ? '' : message }
}

/** Whether a prefix of the city lies inside another, or is the same. */
export function lies(inner: string, outer: string): boolean {
  if (inner.includes(':') !== outer.includes(':')) return false
  const [one, other] = [bitsOf(inner), bitsOf(outer)]
  return one.startsWith(other)
}

function bitsOf(prefix: string): string {
  const [address = '', length = '0'] = prefix.split('/')
  const groups = address.includes(':')
    ? groupsOf(address).map((group) => group.toString(2).padStart(16, '0'))
    : address.split('.').map((byte) => Number(byte).toString(2).padStart(8, '0'))
  return groups.join('').slice(0, Number(length))
}

function groupsOf(address: string): readonly number[] {
  const [head = '', tail = ''] = address.split('::')
  const read = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [front, back] = [read(head), read(tail)]
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
}
