// What a decision counts for in the budgets of the hour, what the rolling hour has seen, and what something in force comes to for the guards. Pure.

import type { Id } from '../inventory/model.ts'
import type { Prefix } from '../inventory/prefix.ts'
import type { Compiled } from '../playbooks/model.ts'
import { measure } from './blast-radius.ts'
import type { Enforcement } from './enforcement.ts'
import type { Wanted } from './store/store.ts'

/** How long an accepted decision counts, in ms: the hour is a rolling one. */
export const hourMs = 3_600_000

/** What was accepted in the last hour. */
export interface Usage {
  readonly decisions: number
  readonly ipv4Addresses: number
  readonly customers: readonly Id[]
  readonly ports: number
  readonly neighbors: number
}

/** What a decision counts for: stored with its enforcement. */
export function countsOf(compiled: Compiled): Enforcement['counts'] {
  return {
    // A customer's space may be far larger than 2^53 in IPv6 only.
    ipv4Addresses: Number(measure(compiled.prefixes).ipv4Addresses),
    ports: compiled.ports.length,
    neighbors: compiled.neighbors.length,
  }
}

/** Adds up the hour before `now`: each acceptance and each extension is a decision; what an enforcement touches counts once, rejected ones not at all. `judged` is the enforcement that the guards look at again: what it touches is left to them, and unless a new act is judged (an extension), so is its acceptance. */
export function usageOf(
  enforcements: readonly Enforcement[],
  now: string,
  judged?: { readonly enforcement: string; readonly newAct: boolean },
): Usage {
  const since = new Date(Date.parse(now) - hourMs).toISOString()
  const customers = new Set<Id>()
  // The guards count one act for what they judge: where it is none, it is taken off here.
  const start = judged === undefined || judged.newAct ? 0 : -1
  const sum = { decisions: start, ipv4Addresses: 0, ports: 0, neighbors: 0 }
  for (const enforcement of enforcements) {
    const acts = [enforcement.acceptedAt, ...(enforcement.extendedAt ?? [])]
    const recent = acts.filter((at) => at > since && at <= now).length
    if (enforcement.status === 'rejected' || recent === 0) continue
    sum.decisions += recent
    if (judged?.enforcement === enforcement.id) continue
    customers.add(enforcement.customer)
    sum.ipv4Addresses += enforcement.counts.ipv4Addresses
    sum.ports += enforcement.counts.ports
    sum.neighbors += enforcement.counts.neighbors
  }
  return { ...sum, customers: [...customers] }
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
