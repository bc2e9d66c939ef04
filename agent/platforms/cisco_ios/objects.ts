// The objects that the driver knows on IOS, in one normal form each: what claims hold, and what a difference of configurations is compared with.
// Always the whole path from the top, so that equal text means the same object.

import {
  type Address,
  baseOf,
  familyOf,
  hostPrefix,
  netmaskOf,
  type Prefix,
  parseAddress,
  parseMasked,
  parsePrefix,
} from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import { keyOf } from '../../intents.ts'
import { type Facts, markOf } from '../../platform.ts'

/** The object group that the operator prepares and binds. IPv4 only. */
export const groupName = 'NULLROUTE'

/** The member that keeps the group from being empty; never touched. */
export const sentinel = hostPrefix('192.0.2.255' as Address)

/** Any static route of the running configuration. */
export interface StaticRoute {
  readonly vrf: string
  readonly prefix: Prefix
  /** What stands between prefix and options: `Null0`, an address, an interface, or interface and address. */
  readonly via: string
  readonly distance: number
  readonly tag: number
  readonly name: string | undefined
  /** Options that act and that the driver never sets: `permanent`, `track 7`, `multicast`. */
  readonly others: readonly string[]
  /** In normal form. */
  readonly text: string
}

type Blackhole = Extract<Intent, { readonly kind: 'blackhole' }>

/** The route that stands for a blackhole intent. */
export function blackholeLine(intent: Blackhole, facts: Facts): string {
  const name = hasName(intent.prefix, facts) ? ` name ${markOf(keyOf(intent))}` : ''
  return `${routeHead(intent.vrf, intent.prefix)} Null0 tag ${intent.tag}${name}`
}

/** Whether a static route of that family takes a name: `ipv6 route … name` is in the models of IOS-XE 16 and later only. */
function hasName(prefix: Prefix, facts: Facts): boolean {
  if (familyOf(prefix) === 4) return true
  const major = /^(\d+)\./.exec(facts['version'] ?? '')?.[1]
  return major === undefined || Number(major) >= 16
}

function routeHead(vrf: string, prefix: Prefix): string {
  const table = vrf === 'default' ? '' : `vrf ${vrf} `
  return familyOf(prefix) === 4
    ? `ip route ${table}${baseOf(prefix)} ${netmaskOf(prefix)}`
    : `ipv6 route ${table}${prefix.toUpperCase()}`
}

/** Reads an `ip route` or `ipv6 route` line; undefined for one that has no address and mask of that form. */
export function parseStatic(line: string): StaticRoute | undefined {
  const found =
    /^(ip|ipv6) route (?:vrf (\S+) )?(?:(\d+\.\d+\.\d+\.\d+) (\d+\.\d+\.\d+\.\d+)|([0-9A-Fa-f:.]+\/\d+)) (.+)$/.exec(
      line.trim(),
    )
  if (found === null) return undefined
  const [, , vrf = 'default', address, mask, six, rest = ''] = found
  const prefix = six === undefined ? parseMasked(address ?? '', mask ?? '') : parsePrefix(six)
  if (!prefix.ok) return undefined
  return staticFrom(vrf, prefix.value, rest.trim().split(/\s+/))
}

const acting = /^(?:permanent|multicast|unicast|dhcp|global)$/

/** Options are a set: releases print tag and name in either order. */
function staticFrom(vrf: string, prefix: Prefix, words: readonly string[]): StaticRoute {
  const named = new Map<string, string>()
  const via: string[] = []
  const others: string[] = []
  let distance = 1
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (/^(?:tag|name|track)$/.test(word)) named.set(word, words[++i] ?? '')
    else if (/^\d+$/.test(word)) distance = Number(word)
    else if (acting.test(word)) others.push(word)
    else via.push(word)
  }
  const track = named.get('track')
  if (track !== undefined) others.push(`track ${track}`)
  const text = [
    routeHead(vrf, prefix),
    via.join(' '),
    ...(distance === 1 ? [] : [String(distance)]),
    ...['tag', 'name']
      .filter((word) => named.has(word))
      .map((word) => `${word} ${named.get(word)}`),
    ...others.sort(),
  ].join(' ')
  const tag = Number(named.get('tag') ?? 0)
  return { vrf, prefix, via: via.join(' '), distance, tag, name: named.get('name'), others, text }
}

/** Whether all that acts on it is a discard with that tag: the name does not act. */
export function isPlainDiscard(route: StaticRoute, tag: number): boolean {
  return (
    route.via === 'Null0' && route.distance === 1 && route.tag === tag && route.others.length === 0
  )
}

/** The member of an object group that stands for a prefix, as the device prints it. */
export function memberText(prefix: Prefix): string {
  return prefix.endsWith('/32')
    ? `host ${baseOf(prefix)}`
    : `${baseOf(prefix)} ${netmaskOf(prefix)}`
}

/** The other way round; undefined for members of other kinds (`range`, `group-object`, `any`). */
export function parseMember(text: string): Prefix | undefined {
  const host = /^host (\S+)$/.exec(text)?.[1]
  if (host !== undefined) {
    const address = parseAddress(host)
    return address.ok ? hostPrefix(address.value) : undefined
  }
  const net = /^(\d+\.\d+\.\d+\.\d+) (\d+\.\d+\.\d+\.\d+)$/.exec(text)
  if (net === null) return undefined
  const prefix = parseMasked(net[1] ?? '', net[2] ?? '')
  return prefix.ok ? prefix.value : undefined
}

/** A member in normal form. */
export function memberObject(prefix: Prefix): string {
  return `object-group network ${groupName} ${memberText(prefix)}`
}

/** The fact that holds a port's full name, as the running configuration prints it. */
export function portFact(port: string): string {
  return `interface|${port}`
}

/** A shut port in normal form. */
export function portObject(port: string, facts: Facts): string {
  return `interface ${facts[portFact(port)] ?? port} shutdown`
}

type Neighbor = Extract<Intent, { readonly kind: 'neighbor' }>

/** The contexts, from the top, in which a neighbor is configured. */
export function neighborPath(intent: Neighbor, facts: Facts): readonly string[] {
  const header = `router bgp ${facts['asn'] ?? '<asn>'}`
  if (intent.vrf === 'default') return [header]
  return [header, `address-family ipv${familyOf(intent.peer)} vrf ${intent.vrf}`]
}

/** The line that shuts a neighbor. A name without the address would shut a whole peer group: only addresses come here. */
export function neighborLine(intent: Neighbor): string {
  return `neighbor ${intent.peer.toUpperCase()} shutdown`
}

/** A shut neighbor in normal form. */
export function neighborObject(intent: Neighbor, facts: Facts): string {
  return [...neighborPath(intent, facts), neighborLine(intent)].join(' ')
}
