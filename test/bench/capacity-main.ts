// What the inventory costs, in a process of its own, so that its memory is its own: loading a large one, and look-ups over a million prefixes.

import { platforms } from '../../agent/platforms/index.ts'
import { loadInventory } from '../../inventory/load.ts'
import { createLookup } from '../../inventory/lookup.ts'
import type { Customer, Inventory } from '../../inventory/model.ts'
import {
  type Address,
  familyOf,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../inventory/prefix.ts'
import { serve } from './processes.ts'

/** Customers that share the prefixes of the look-up bench. */
const customersOf = 100_000

/** What a round of look-ups came to. */
export interface Looked {
  readonly buildMs: number
  readonly perSecond: { readonly ipv4: number; readonly ipv6: number }
  /** Of all look-ups those that found somebody: about half, or the bench asks the wrong thing. */
  readonly found: number
  readonly asked: number
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`)
  return parsed.value
}

function address(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`)
  return parsed.value
}

/** The n-th IPv4 prefix: /24, /28 and /32 in turn, in every other /24 of 32.0.0.0/3. */
function ipv4(n: number): Prefix {
  const at = 2 * n
  const base = `${32 + (at >>> 16)}.${(at >>> 8) & 255}.${at & 255}`
  return prefix(`${base}.0/${[24, 28, 32][n % 3]}`)
}

/** The n-th IPv6 prefix: every other /48 of 2a00::/12, as /48, /56 or /64. */
function ipv6(n: number): Prefix {
  const at = 2 * n
  const base = `2a${(at >>> 16).toString(16).padStart(2, '0')}:${(at & 0xffff).toString(16)}`
  return prefix(`${base}::/${[48, 56, 64][n % 3]}`)
}

function customersWith(prefixes: readonly Prefix[]): ReadonlyMap<string, Customer> {
  const lists = Array.from({ length: customersOf }, (): { prefix: Prefix; vrf: string }[] => [])
  for (const [i, one] of prefixes.entries()) {
    lists[i % customersOf]?.push({ prefix: one, vrf: 'default' })
  }
  return new Map(
    lists.map((own, i): [string, Customer] => {
      const id = `c${i}`
      const none = { ports: [], neighbors: [], contacts: [] }
      return [id, { id, name: id, prefixes: own, ...none }]
    }),
  )
}

const limits: Inventory['limits'] = {
  maxPrefix: { ipv4: 24, ipv6: 48 },
  perDecision: { ipv4Addresses: 1, ipv6Slash64: 1, customers: 1, ports: 1, neighbors: 1 },
  perHour: { decisions: 1, ipv4Addresses: 1, customers: 1, ports: 1, neighbors: 1 },
}

/** The doings. */
const doings = {
  /** Builds the look-up over so many prefixes, most of them IPv4, and asks it for addresses, half of which are somebody's. */
  look({ prefixes, asks }: { readonly prefixes: number; readonly asks: number }): Looked {
    const v4 = Math.floor(prefixes * 0.8)
    const all = Array.from({ length: prefixes }, (_, i) => (i < v4 ? ipv4(i) : ipv6(i - v4)))
    const inventory: Inventory = {
      devices: new Map(),
      customers: customersWith(all),
      jumps: new Map(),
      protected: [],
      limits,
      controllerAddresses: [],
      discardNextHops: [],
      files: [],
    }
    const from = performance.now()
    const lookup = createLookup(inventory)
    const buildMs = performance.now() - from
    // Addresses as they come from the API: parsed, and each another one, in no order.
    const step = 7_919
    const addresses = Array.from({ length: 50_000 }, (_, i): Address => {
      const at = (i * step) % v4
      const whose = i % 2 === 0 ? 2 * at : 2 * at + 1
      return address(`${32 + (whose >>> 16)}.${(whose >>> 8) & 255}.${whose & 255}.0`)
    })
    const addresses6 = addresses.map((_, i): Address => {
      const at = (i * step) % (prefixes - v4)
      const whose = i % 2 === 0 ? 2 * at : 2 * at + 1
      const head = (whose >>> 16).toString(16).padStart(2, '0')
      return address(`2a${head}:${(whose & 0xffff).toString(16)}::`)
    })
    let found = 0
    const perSecond = (list: readonly Address[]): number => {
      const began = performance.now()
      for (let i = 0; i < asks; i++) {
        const one = list[i % list.length]
        if (one !== undefined && lookup.customerAt(one) !== undefined) found += 1
      }
      return (asks / (performance.now() - began)) * 1_000
    }
    // Once for nothing: code that was never run is not compiled yet.
    perSecond(addresses)
    perSecond(addresses6)
    found = 0
    const rates = { ipv4: perSecond(addresses), ipv6: perSecond(addresses6) }
    if (familyOf(addresses6[0] ?? ('' as Address)) !== 6) throw new Error('no IPv6 was asked')
    return { buildMs, perSecond: rates, found, asked: 2 * asks }
  },
  /** Loads an inventory as the controller does, with its look-ups. */
  async load(path: string): Promise<{ ms: number; devices: number; customers: number }> {
    const from = performance.now()
    const loaded = await loadInventory(path, platforms)
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems.slice(0, 3)))
    kept = createLookup(loaded.value)
    const { devices, customers } = loaded.value
    return { ms: performance.now() - from, devices: devices.size, customers: customers.size }
  },
}

/** What was loaded stays in memory, as in the controller. */
let kept: unknown

/** What this process can be asked. */
export type Capacity = typeof doings

serve({ ...doings, isKept: () => kept !== undefined })
