// What a decision counts for in the budgets of the hour, and what something in force comes to for the guards. Pure.

import type { Prefix } from '../inventory/prefix.ts'
import type { Compiled } from '../playbooks/model.ts'
import { measure } from './blast-radius.ts'
import type { Enforcement } from './enforcement.ts'
import type { Wanted } from './store/store.ts'

/** What a decision counts for: stored with its enforcement. */
export function countsOf(compiled: Compiled): Enforcement['counts'] {
  return {
    // A customer's space may be far larger than 2^53 in IPv6 only.
    ipv4Addresses: Number(measure(compiled.prefixes).ipv4Addresses),
    ports: compiled.ports.length,
    neighbors: compiled.neighbors.length,
  }
}

/** What an accepted enforcement comes to, from its frozen rows: for the guards on extend, retry and approve, which must see what is on devices, not what the same decision would mean today. */
export function frozenAs(
  enforcement: Pick<Enforcement, 'customer'>,
  wanted: readonly Wanted[],
): Compiled {
  const prefixes = new Set<Prefix>()
  const ports = new Map<string, Compiled['ports'][number]>()
  const neighbors = new Map<string, Compiled['neighbors'][number]>()
  for (const { device, key, intent } of wanted) {
    if (intent.kind === 'port') ports.set(`${device} ${key}`, { device, port: intent.port })
    else if (intent.kind === 'neighbor') {
      neighbors.set(`${device} ${key}`, { device, peer: intent.peer, vrf: intent.vrf })
    } else prefixes.add(intent.prefix)
  }
  return {
    customer: enforcement.customer,
    intents: wanted.map(({ device, intent, observer, optional }) => ({
      device,
      intent,
      observer,
      optional,
    })),
    prefixes: measure([...prefixes]).prefixes,
    subjects: [],
    ports: [...ports.values()],
    neighbors: [...neighbors.values()],
    leftOut: [],
    empty: [],
    notCovered: [],
    outboundNotStopped: false,
  }
}
