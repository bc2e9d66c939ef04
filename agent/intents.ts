// What must be true on a device, as data: the only thing that playbooks/ sees of agent/. How a system says it is a platform's business.

import type { PortName } from '../inventory/model.ts'
import type { Address, Prefix } from '../inventory/prefix.ts'

declare const cliTextBrand: unique symbol
declare const keyBrand: unique symbol

/** Text that may stand on a device's command line (a BGP shutdown message): `[A-Za-z0-9 .,:;/@_+()-]`, 1 to 128 bytes. Made by `parseCliText`. */
export type CliText = string & { readonly [cliTextBrand]: true }

/** Canonical name of one object on a device: stored and public. `blackhole|default|203.0.113.9/32` */
export type Key = string & { readonly [keyBrand]: true }

/** One thing that must be true on one device, in no platform's syntax. Stored: add fields, never rename or reuse. */
export type Intent =
  | {
      readonly kind: 'blackhole'
      readonly vrf: string
      readonly prefix: Prefix
      readonly tag: number
    }
  | { readonly kind: 'acl'; readonly prefix: Prefix; readonly direction: 'in' | 'out' }
  | { readonly kind: 'port'; readonly port: PortName }
  | {
      readonly kind: 'neighbor'
      readonly vrf: string
      readonly peer: Address
      readonly message: CliText
    }

/** The four kinds, in the order in which a device gets them. */
export const intentKinds = ['blackhole', 'acl', 'port', 'neighbor'] as const

/** What became of one intent in one step. `unknown` = sent, but it can't be known. */
export type Outcome = 'applied' | 'already' | 'unsupported' | 'refused' | 'failed' | 'unknown'

/** Text that is safe on every command line, or undefined: nothing is altered or cut. Leading, trailing and doubled blanks are refused, since devices drop them. */
export function parseCliText(text: string): CliText | undefined {
  const safe = /^[A-Za-z0-9.,:;/@_+()-]+(?: [A-Za-z0-9.,:;/@_+()-]+)*$/
  return safe.test(text) && text.length <= 128 ? (text as CliText) : undefined
}

/** The key of an intent. Two intents of one key are one object; tag and message are its attributes. */
export function keyOf(intent: Intent): Key {
  return keyText(intent) as Key
}

function keyText(intent: Intent): string {
  switch (intent.kind) {
    case 'blackhole':
      return `blackhole|${intent.vrf}|${intent.prefix}`
    case 'acl':
      return `acl|${intent.direction}|${intent.prefix}`
    case 'port':
      return `port|${intent.port}`
    case 'neighbor':
      return `neighbor|${intent.vrf}|${intent.peer}`
  }
}

/** Whether both have the same key and the same attributes. */
export function sameIntent(one: Intent, other: Intent): boolean {
  if (keyOf(one) !== keyOf(other)) return false
  if (one.kind === 'blackhole') return other.kind === 'blackhole' && one.tag === other.tag
  if (one.kind === 'neighbor') return other.kind === 'neighbor' && one.message === other.message
  return true
}

/** Orders by kind, then key: for `sort`, so that plans and digests are the same each time. */
export function compareIntents(one: Intent, other: Intent): number {
  const byKind = intentKinds.indexOf(one.kind) - intentKinds.indexOf(other.kind)
  if (byKind !== 0) return byKind
  const a = keyOf(one)
  const b = keyOf(other)
  return a < b ? -1 : a > b ? 1 : 0
}
