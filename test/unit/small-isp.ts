// A small ISP for unit tests: two edges, a trigger, a switch, two customers side by side. Documentation ranges only.

import { type CliText, type Intent, keyOf, parseCliText } from '../../agent/intents.ts'
import type { Platform } from '../../agent/platform.ts'
import type { Enforcement } from '../../controller/enforcement.ts'
import type { By } from '../../controller/life-cycle.ts'
import type { Result, Wanted } from '../../controller/store/store.ts'
import {
  type Customer,
  type Device,
  type Inventory,
  type Limits,
  type PortName,
  parsePortName,
} from '../../inventory/model.ts'
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../inventory/prefix.ts'
import type { Compiled, Decision, Playbook, Subject } from '../../playbooks/model.ts'

/** A prefix that the test knows to be right. */
export function pfx(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
}

/** An address that the test knows to be right. */
export function adr(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
}

/** A port that the test knows to be right. */
export function prt(text: string): PortName {
  const port = parsePortName(text)
  if (port === undefined) throw new Error(`no port name: ${text}`)
  return port
}

const message = parseCliText('Suspended ABUSE-1') as CliText

export const blackhole = (prefix: string, tag = 666): Intent => ({
  kind: 'blackhole',
  vrf: 'default',
  prefix: pfx(prefix),
  tag,
})
export const acl = (prefix: string, direction: 'in' | 'out' = 'in'): Intent => ({
  kind: 'acl',
  prefix: pfx(prefix),
  direction,
})
export const port = (name: string): Intent => ({ kind: 'port', port: prt(name) })
export const neighbor = (peer: string): Intent => ({
  kind: 'neighbor',
  vrf: 'default',
  peer: adr(peer),
  message,
})

/** A device with nothing special about it. */
export function device(id: string, address: string, rest: Partial<Device> = {}): Device {
  return {
    id,
    platform: 'toy',
    address: adr(address),
    port: 22,
    username: 'netops',
    auth: { kind: 'agent' },
    knownHosts: '/dev/null',
    roles: [],
    legacy: false,
    deadlineMs: 1_000,
    sessionIdleMs: 0,
    save: 'always',
    deviceTimer: false,
    loopbacks: [],
    neighbors: [],
    gateways: [],
    nextHops: [],
    uplinks: [],
    ...rest,
  }
}

/** A customer with nothing but these. */
export function customer(
  id: string,
  prefixes: readonly string[],
  rest: Partial<Customer> = {},
): Customer {
  return {
    id,
    name: id,
    prefixes: prefixes.map((prefix) => ({ prefix: pfx(prefix), vrf: 'default' })),
    ports: [],
    neighbors: [],
    contacts: [],
    ...rest,
  }
}

export const limits: Limits = {
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

const devices = [
  device('edge1', '10.20.0.11', {
    roles: ['edge'],
    asn: '64500',
    gateways: [adr('203.0.113.1')],
    loopbacks: [adr('10.20.1.1')],
    nextHops: [adr('198.51.100.200')],
    neighbors: [{ address: adr('192.0.2.1'), vrf: 'default', what: 'transit' }],
  }),
  device('edge2', '10.20.0.13', { roles: ['edge'] }),
  device('trigger1', '10.20.0.12', { roles: ['rtbh-trigger'] }),
  device('sw1', '10.20.0.21', { roles: ['access'], uplinks: [prt('uplink1')] }),
]

const customers = [
  customer('esthost', ['203.0.113.0/26', '2001:db8:e57::/48'], {
    ports: [{ device: 'sw1', interface: prt('p1') }],
    neighbors: [{ device: 'edge1', address: adr('192.0.2.9'), vrf: 'default', group: 'CUST' }],
  }),
  customer('bystander', ['203.0.113.64/26', '198.51.100.0/24', '2001:db8:b57::/48'], {
    ports: [{ device: 'sw1', interface: prt('p2') }],
    neighbors: [{ device: 'edge1', address: adr('192.0.2.13'), vrf: 'default' }],
  }),
]

/** The ISP, with what a test changes about it. */
export function isp(change: Partial<Inventory> = {}): Inventory {
  return {
    devices: new Map(devices.map((each) => [each.id, each])),
    customers: new Map(customers.map((each) => [each.id, each])),
    jumps: new Map(),
    protected: [{ prefix: pfx('10.20.0.0/16'), why: 'management' }],
    limits,
    controllerAddresses: [adr('192.0.2.250')],
    discardNextHops: [adr('192.0.2.251')],
    files: [],
    ...change,
  }
}

export const bySystem: By = {
  actor: { kind: 'system', id: 'controller' },
  person: 'system',
  admin: true,
}

/** Someone with that name. */
export function person(name: string, admin = false): By {
  return { actor: { kind: 'token', id: `token-of-${name}` }, person: name, admin }
}

/** A decision about that subject. */
export function decision(subject: Subject, rest: Partial<Decision> = {}): Decision {
  const action = subject.kind === 'customer' ? 'suspend' : 'block'
  return {
    action,
    subject,
    reason: { category: 'phishing', summary: 'kits', evidence: [] },
    playbook: action,
    automated: false,
    overrides: [],
    ...rest,
  }
}

export const aboutEsthost = decision({ kind: 'customer', customer: 'esthost' })

/** What a decision came to, as if it had been compiled. */
export function compiled(rest: Partial<Compiled> = {}): Compiled {
  return {
    customer: 'esthost',
    intents: [],
    prefixes: [],
    subjects: [],
    ports: [],
    neighbors: [],
    leftOut: [],
    empty: [],
    notCovered: [],
    outboundNotStopped: false,
    ...rest,
  }
}

export const playbook: Playbook = {
  name: 'suspend',
  decision: 'suspend',
  description: 'Cut a customer off, reversibly.',
  measures: [],
  rollout: { canary: 0, batch: 50, stopAfterFailures: 1 },
  approvals: 0,
  maxDurationMs: 14 * 86_400_000,
  onFailure: 'keep',
  sha256: 'ab'.repeat(32),
}

/** An accepted enforcement. */
export function enforcement(id: string, rest: Partial<Enforcement> = {}): Enforcement {
  return {
    id,
    version: 1,
    status: 'enforcing',
    decision: aboutEsthost,
    customer: 'esthost',
    playbook: { name: 'suspend', sha256: playbook.sha256 },
    digest: 'd1',
    requestedBy: { kind: 'token', id: 'token-of-ann' },
    requestedByPerson: 'ann',
    acceptedAt: '2026-11-27T10:00:00.000Z',
    updatedAt: '2026-11-27T10:00:00.000Z',
    maxDurationMs: 14 * 86_400_000,
    approvals: { needed: 0, given: [] },
    rollout: playbook.rollout,
    openWave: 0,
    onFailure: 'keep',
    conflicts: [],
    warnings: [],
    counts: { ipv4Addresses: 1, ports: 0, neighbors: 0 },
    ...rest,
  }
}

/** A row of what an enforcement wants. */
export function want(of: string, on: string, intent: Intent, rest: Partial<Wanted> = {}): Wanted {
  return {
    enforcement: of,
    device: on,
    key: keyOf(intent),
    intent,
    observer: false,
    optional: false,
    wave: 0,
    ...rest,
  }
}

/** A device's result. */
export function result(
  of: string,
  on: string,
  status: Result['status'],
  rest: Partial<Result> = {},
): Result {
  return { enforcement: of, device: on, role: 'enforcer', status, states: [], attempts: 1, ...rest }
}

/** A platform for plans: a line an intent, live when typed. Only its rendering is ever asked. */
export function toy(cannot: readonly Intent['kind'][] = []): Platform {
  const wrong = () => {
    throw new Error('a plan reads no device')
  }
  const line = (text: string) => ({ text, needs: 'config', free: true })
  return {
    name: 'toy',
    source: 'none',
    limits: [],
    newline: '\n',
    echo: true,
    columns: 80,
    canonicalPort: (name) => name,
    redact: (text) => text,
    open: wrong,
    prompt: wrong,
    failed: wrong,
    rest: 'exec',
    observe: wrong,
    parse: wrong,
    render: (changes, facts) =>
      changes.map((change) => {
        const key = keyOf(change.intent)
        if (cannot.includes(change.intent.kind)) {
          return { kind: 'unsupported', reason: `no ${change.intent.kind} here` }
        }
        if (change.kind === 'lift') {
          return {
            kind: 'lines',
            apply: [line(`lift ${key}`)],
            undo: [line(`apply ${key}`)],
            wrote: [],
          }
        }
        const asn = change.intent.kind === 'neighbor' ? ` as ${facts['asn'] ?? '<asn>'}` : ''
        const apply = {
          ...line(`${change.kind} ${key}${asn}`),
          ...(asn.includes('<') ? { unresolved: true as const } : {}),
        }
        return { kind: 'lines', apply: [apply], undo: [line(`lift ${key}`)], wrote: [key] }
      }),
    transaction: { kind: 'line', enter: [line('configure')], leave: [line('end')] },
    save: {
      scope: 'everything',
      lines: (held) => [line(`save ${held.map(({ key }) => key).join(', ')}`)],
    },
    preflight: { reads: () => [], judge: () => [] },
    prepare: () => '',
    configuration: [],
    canonical: wrong,
  }
}
