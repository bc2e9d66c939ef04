// What the rolling hour has seen, for the budgets: kept up to date act by act, so that the ten-thousandth decision of an hour costs what the first did. Pure.

import type { Id } from '../inventory/model.ts'
import type { Enforcement } from './enforcement.ts'

/** How long an accepted decision counts, in ms: the hour is a rolling one. */
const hourMs = 3_600_000

/** What was accepted in the last hour. */
export interface Usage {
  readonly decisions: number
  readonly ipv4Addresses: number
  readonly customers: Customers
  readonly ports: number
  readonly neighbors: number
}

/** Distinct customers: a Set of their ids is one. */
export interface Customers {
  readonly size: number
  has(customer: Id): boolean
}

/** The enforcement that the guards look at again: what it touches is left to them, and unless a new act is judged (an extension), so is its acceptance. */
export interface Judged {
  readonly enforcement: string
  readonly newAct: boolean
}

/** The time from which on an act counts at `now`: those at exactly that time do not any more. */
export function hourBefore(now: string): string {
  return new Date(Date.parse(now) - hourMs).toISOString()
}

/** When something was done that counts: its acceptance, and each extension. */
export function actsOf(enforcement: Enforcement): readonly string[] {
  return [enforcement.acceptedAt, ...(enforcement.extendedAt ?? [])]
}

/** Adds up the hour before `now`, and what lies after it, where the clock was set back: that was accepted too, and setting a clock makes no room. Each acceptance and each extension is a decision; what an enforcement touches counts once, rejected ones not at all. */
export function usageOf(enforcements: readonly Enforcement[], now: string, judged?: Judged): Usage {
  const since = hourBefore(now)
  const customers = new Set<Id>()
  const sum = { decisions: judgedActs(judged), ipv4Addresses: 0, ports: 0, neighbors: 0 }
  for (const enforcement of enforcements) {
    const recent = actsOf(enforcement).filter((at) => at > since).length
    if (enforcement.status === 'rejected' || recent === 0) continue
    sum.decisions += recent
    if (judged?.enforcement === enforcement.id) continue
    customers.add(enforcement.customer)
    sum.ipv4Addresses += enforcement.counts.ipv4Addresses
    sum.ports += enforcement.counts.ports
    sum.neighbors += enforcement.counts.neighbors
  }
  return { ...sum, customers }
}

// The guards count one act for what they judge: where it is none, it is taken off here.
function judgedActs(judged: Judged | undefined): number {
  return judged === undefined || judged.newAct ? 0 : -1
}

/** The hour, kept up to date. */
export interface Hour {
  /** An enforcement was accepted or changed. */
  note(enforcement: Enforcement): void
  /** What `usageOf` says of all that was noted; undefined where that must be asked instead: the clock went back. */
  usage(now: string, judged?: Judged): Usage | undefined
}

interface Entry {
  readonly customer: Id
  readonly counts: Enforcement['counts']
  /** Acts of it that were noted, whether or not they still count. */
  known: number
  /** Acts of it that count. */
  recent: number
}

interface Act {
  readonly at: string
  readonly id: string
}

interface State {
  readonly sums: Sums
  readonly entries: Map<string, Entry>
  /** In the order of their times; those before `first` are past. */
  acts: Act[]
  first: number
  /** The newest time that was asked for. */
  latest: string
}

/** The hour before `now`, of all enforcements that acted in it. */
export function createHour(enforcements: readonly Enforcement[], now: string): Hour {
  const state: State = {
    sums: { decisions: 0, ipv4Addresses: 0, ports: 0, neighbors: 0, customers: new Map() },
    entries: new Map(),
    acts: [],
    first: 0,
    latest: now,
  }
  const acts = enforcements.flatMap((enforcement) => newActs(state, enforcement))
  for (const act of acts.toSorted(byTime)) add(state, act)
  // The clock went back: nothing here is in order any more.
  let broken = false
  return {
    note(enforcement) {
      for (const act of newActs(state, enforcement)) {
        if (act.at < newest(state)) broken = true
        add(state, act)
      }
    },
    usage(at, judged) {
      if (broken || at < state.latest || at < newest(state)) return undefined
      state.latest = at
      advance(state)
      return without(state.sums, judged, judged && state.entries.get(judged.enforcement))
    },
  }
}

function byTime(one: Act, other: Act): number {
  return one.at < other.at ? -1 : one.at > other.at ? 1 : 0
}

function newest({ acts }: State): string {
  return acts.at(-1)?.at ?? ''
}

/** Acts of an enforcement that count and were not noted yet; a rejected one is forgotten altogether. */
function newActs(state: State, enforcement: Enforcement): readonly Act[] {
  const { id, customer, counts } = enforcement
  const known = state.entries.get(id)
  if (enforcement.status === 'rejected') {
    if (known !== undefined) drop(state, id, known)
    return []
  }
  const all = actsOf(enforcement)
  const since = hourBefore(state.latest)
  const fresh = all.slice(known?.known ?? 0).filter((at) => at > since)
  if (known !== undefined) known.known = all.length
  else if (fresh.length > 0) {
    state.entries.set(id, { customer, counts, known: all.length, recent: 0 })
  }
  return fresh.map((at) => ({ at, id }))
}

function add({ acts, entries, sums }: State, act: Act): void {
  const entry = entries.get(act.id)
  if (entry === undefined) return
  acts.push(act)
  sums.decisions++
  entry.recent++
  if (entry.recent === 1) count(sums, entry, 1)
}

function drop({ entries, sums }: State, id: string, entry: Entry): void {
  sums.decisions -= entry.recent
  if (entry.recent > 0) count(sums, entry, -1)
  entries.delete(id)
}

/** Lets go of what is past. */
function advance(state: State): void {
  const { entries, sums } = state
  const since = hourBefore(state.latest)
  for (let act = state.acts[state.first]; act !== undefined && act.at <= since; ) {
    const entry = entries.get(act.id)
    if (entry !== undefined) {
      sums.decisions--
      entry.recent--
      if (entry.recent === 0) {
        count(sums, entry, -1)
        entries.delete(act.id)
      }
    }
    state.first++
    act = state.acts[state.first]
  }
  // Now and then, so that each act is moved a bounded number of times.
  if (state.first < 1_024 || state.first * 2 < state.acts.length) return
  state.acts = state.acts.slice(state.first)
  state.first = 0
}

interface Sums {
  decisions: number
  ipv4Addresses: number
  ports: number
  neighbors: number
  /** Enforcements of each customer that count. */
  readonly customers: Map<Id, number>
}

function count(sums: Sums, { customer, counts }: Entry, sign: 1 | -1): void {
  sums.ipv4Addresses += sign * counts.ipv4Addresses
  sums.ports += sign * counts.ports
  sums.neighbors += sign * counts.neighbors
  const left = (sums.customers.get(customer) ?? 0) + sign
  if (left === 0) sums.customers.delete(customer)
  else sums.customers.set(customer, left)
}

function without(sums: Sums, judged: Judged | undefined, entry: Entry | undefined): Usage {
  const decisions = sums.decisions + judgedActs(judged)
  if (entry === undefined) return { ...sums, decisions }
  const { counts, customer } = entry
  const alone = sums.customers.get(customer) === 1
  const { size } = sums.customers
  return {
    decisions,
    ipv4Addresses: sums.ipv4Addresses - counts.ipv4Addresses,
    ports: sums.ports - counts.ports,
    neighbors: sums.neighbors - counts.neighbors,
    customers: {
      size: alone ? size - 1 : size,
      has: (id) => sums.customers.has(id) && !(alone && id === customer),
    },
  }
}
