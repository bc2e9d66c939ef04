// What exists: devices, customers with what is theirs, protected space, limits. Data as the rest of the product sees it, after loading and checking.
// The YAML's own shape, with groups and defaults, is in schema.ts; reading it is load.ts.

import type { Address, Prefix } from './prefix.ts'

declare const portBrand: unique symbol

/** Name of a switch or router port as the inventory has it, checked by `parsePortName`: it reaches a device's command line. */
export type PortName = string & { readonly [portBrand]: true }

/** `[a-z0-9][a-z0-9._-]{0,62}`: devices, customers, jumps, groups. */
export type Id = string

/** What shape every id has. */
export const idPattern = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** A port's name, or undefined: letters, digits, and `/ . : _ -` only, at most 64 characters. No blank, quote or shell sign can stand in one. */
export function parsePortName(text: string): PortName | undefined {
  return /^[A-Za-z][A-Za-z0-9/.:_-]{0,63}$/.test(text) ? (text as PortName) : undefined
}

/** How to log in. Secrets are named by environment variable or file, never held here. */
export type Auth =
  | { readonly kind: 'key'; readonly privateKeyFile: string; readonly passphraseEnv?: string }
  | { readonly kind: 'password'; readonly passwordEnv: string }
  | { readonly kind: 'agent' }

/** Where an SSH session goes, and how it is let in. */
export interface Endpoint {
  readonly address: Address
  readonly port: number
  readonly username: string
  readonly auth: Auth
  /** Absolute path of the known_hosts file that the host key is checked against. */
  readonly knownHosts: string
}

/** A host that sessions go through. */
export interface Jump extends Endpoint {
  readonly id: Id
}

/** A BGP neighbor of a device that is the operator's own, not a customer's. */
export interface DeviceNeighbor {
  readonly address: Address
  readonly vrf: string
  readonly group?: string
  readonly what: 'transit' | 'peer' | 'ibgp'
}

/** A router or switch. */
export interface Device extends Endpoint {
  readonly id: Id
  /** Name in agent/platforms/index.ts. */
  readonly platform: string
  readonly jump?: Id
  /** Environment variable with the secret for privileged mode, where the platform has one. */
  readonly enablePasswordEnv?: string
  readonly site?: string
  readonly roles: readonly string[]
  /** Old SSH algorithms are offered too. */
  readonly legacy: boolean
  /** Longest time one line may take to be answered, in ms. */
  readonly deadlineMs: number
  /** A session unused for so long is closed, in ms; 0 = after each convergence. */
  readonly sessionIdleMs: number
  readonly save: 'always' | 'clean' | 'never'
  /** Timers that reboot the device or restore its whole configuration may be used. */
  readonly deviceTimer: boolean
  readonly asn?: string
  readonly loopbacks: readonly Address[]
  readonly neighbors: readonly DeviceNeighbor[]
  readonly gateways: readonly Address[]
  readonly nextHops: readonly Address[]
  readonly uplinks: readonly PortName[]
}

/** A prefix of a customer, in one routing table. */
export interface CustomerPrefix {
  readonly prefix: Prefix
  /** `default` where none is named. */
  readonly vrf: string
}

/** A port of a customer. */
export interface CustomerPort {
  readonly device: Id
  readonly interface: PortName
}

/** A BGP session with a customer. */
export interface CustomerNeighbor {
  readonly device: Id
  readonly address: Address
  readonly vrf: string
  readonly group?: string
}

/** Who pays, and what is theirs. */
export interface Customer {
  readonly id: Id
  readonly name: string
  readonly asn?: string
  readonly prefixes: readonly CustomerPrefix[]
  readonly ports: readonly CustomerPort[]
  readonly neighbors: readonly CustomerNeighbor[]
  readonly contacts: readonly { readonly email: string }[]
}

/** Space that no decision may touch, and why. */
export interface Protected {
  readonly prefix: Prefix
  readonly why: string
}

/** The blast radius that one decision, and all of one rolling hour, may have. */
export interface Limits {
  /** Shortest prefix lengths that may be cut off. */
  readonly maxPrefix: { readonly ipv4: number; readonly ipv6: number }
  readonly perDecision: {
    readonly ipv4Addresses: number
    readonly ipv6Slash64: number
    readonly customers: number
    readonly ports: number
    readonly neighbors: number
  }
  readonly perHour: {
    readonly decisions: number
    readonly ipv4Addresses: number
    readonly customers: number
    readonly ports: number
    readonly neighbors: number
  }
}

/** All that exists, checked: references resolve, nothing overlaps that must not. */
export interface Inventory {
  readonly devices: ReadonlyMap<Id, Device>
  readonly customers: ReadonlyMap<Id, Customer>
  readonly jumps: ReadonlyMap<Id, Jump>
  readonly protected: readonly Protected[]
  readonly limits: Limits
  /** Addresses of the controller that the inventory names (those of the host's own sockets are added at run time). */
  readonly controllerAddresses: readonly Address[]
  readonly discardNextHops: readonly Address[]
  /** What it was read from, in order of name, for the audit log. */
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}
