// What the store keeps in memory of its tables, because each decision and each convergence asks for it: what is live, what the hour has seen, how devices are, who a token is.
// A cache and nothing more: it is dropped when a change is undone or another process has written, and read anew when it is next asked for.

import type { Id } from '../../inventory/model.ts'
import { type Enforcement, liveStatuses } from '../enforcement.ts'
import { createHour, type Hour, hourBefore, type Judged, type Usage, usageOf } from '../hour.ts'
import { createKeptDevices, type KeptDevices } from './kept-devices.ts'
import { createKeptProgress, type KeptProgress } from './kept-progress.ts'
import { createKeptRows, type RowReads } from './kept-rows.ts'
import type { Sql } from './statements.ts'
import type { DeviceState, Result, TokenRow, Wanted } from './store.ts'

/** Most tokens that are kept. Those beyond are read each time. */
const tokensMax = 1_000

/** The part of the tables that is kept. */
export interface Kept {
  /** To be called when a transaction has begun: what another process changed is read anew. */
  look(): void
  live(customer?: string): readonly Enforcement[]
  enforcement(id: string): Enforcement | undefined
  usage(now: string, judged?: Judged): Usage
  token(sha256: string): TokenRow | undefined
  readonly progress: Pick<KeptProgress, 'wanted' | 'results' | 'tally'>
  readonly devices: Pick<KeptDevices, 'device'>
  /** Of each device, what is live. */
  readonly rows: RowReads
  /** An enforcement was inserted, with what it wants, or updated. */
  noteEnforcement(enforcement: Enforcement, wanted?: readonly Wanted[]): void
  /** A token was written. */
  noteToken(): void
  /** A result was written. */
  noteResult(result: Result): void
  /** The state of a device was written. */
  noteDevice(state: DeviceState): void
  /** Rises with each note. */
  readonly notes: number
  /** A change that was noted is undone. */
  drop(): void
}

interface Live {
  /** In the order of acceptance. */
  readonly byId: Map<string, Enforcement>
  readonly byCustomer: Map<string, Map<string, Enforcement>>
  /** All of them, until one changes. */
  list?: readonly Enforcement[]
}

/** Keeps nothing yet. */
export function createKept(sql: Sql): Kept {
  let version: number | undefined
  const live = createLive(sql)
  const hour = createKeptHour(sql)
  const tokens = createTokens(sql)
  const progress = createKeptProgress(sql)
  const devices = createKeptDevices(sql)
  const rows = createKeptRows({
    wanted: (device) => ofDevice(sql, 'wanted', device),
    results: (device) => ofDevice(sql, 'results', device),
  })
  let notes = 0

  // Each note counts, also of what is not kept yet: read within the same change, it would be kept as what is undone.
  function note(keep: () => void): void {
    notes++
    keep()
  }

  function drop(): void {
    for (const part of [live, hour, tokens, progress, devices, rows]) part.drop()
  }

  return {
    look() {
      // Changes only when another connection has committed.
      const seen = sql.get<{ data_version: number }>('pragma data_version')?.data_version
      if (seen !== version) drop()
      version = seen
    },
    live: (customer) => live.list(customer),
    enforcement: (id) => live.enforcement(id),
    usage: (now, judged) => hour.usage(now, judged),
    token: (sha256) => tokens.token(sha256),
    progress,
    devices,
    rows,
    noteEnforcement: (enforcement, wanted) =>
      note(() => {
        if (!liveStatuses.includes(enforcement.status)) rows.ended(enforcement.id)
        else if (wanted !== undefined) rows.accepted(wanted)
        live.note(enforcement)
        hour.note(enforcement)
      }),
    noteToken: () => note(() => tokens.drop()),
    noteResult: (result) =>
      note(() => {
        progress.note(result)
        rows.note(result)
      }),
    noteDevice: (state) => note(() => devices.note(state)),
    get notes() {
      return notes
    },
    drop,
  }
}

function createLive(sql: Sql) {
  let live: Live | undefined

  function loaded(): Live {
    live ??= loadLive(sql)
    return live
  }

  return {
    list(customer: string | undefined): readonly Enforcement[] {
      const kept = loaded()
      if (customer !== undefined) return [...(kept.byCustomer.get(customer)?.values() ?? [])]
      kept.list ??= [...kept.byId.values()]
      return kept.list
    },
    enforcement: (id: string) => loaded().byId.get(id),
    note(enforcement: Enforcement) {
      if (live !== undefined) keep(live, enforcement)
    },
    drop() {
      live = undefined
    },
  }
}

function createKeptHour(sql: Sql) {
  let hour: Hour | undefined
  return {
    usage(now: string, judged: Judged | undefined): Usage {
      const known = hour?.usage(now, judged)
      if (known !== undefined) return known
      const recent = actedSince(sql, hourBefore(now))
      hour = createHour(recent, now)
      return hour.usage(now, judged) ?? usageOf(recent, now, judged)
    },
    note: (enforcement: Enforcement) => hour?.note(enforcement),
    drop() {
      hour = undefined
    },
  }
}

function createTokens(sql: Sql): { token(sha256: string): TokenRow | undefined; drop(): void } {
  const tokens = new Map<string, TokenRow>()
  return {
    token(sha256) {
      const known = tokens.get(sha256)
      if (known !== undefined) return known
      const row = sql.get<{ doc: string }>('select doc from tokens where sha256 = ?', sha256)
      if (row === undefined) return undefined
      const token = JSON.parse(row.doc) as TokenRow // written by `putToken` alone
      if (tokens.size < tokensMax) tokens.set(sha256, token)
      return token
    },
    drop: () => tokens.clear(),
  }
}

/** The condition of the partial index over what is live; the same text as there, so that SQLite takes it. */
const liveCondition = `status in (${liveStatuses.map((status) => `'${status}'`).join(', ')})`

/** Only what is live: of what ended nothing is wanted any more. */
function ofDevice<T>(sql: Sql, table: 'wanted' | 'results', device: Id): readonly T[] {
  const order = table === 'wanted' ? 't.n' : 'e.n, t.device, t.role'
  const rows = sql.all<{ doc: string }>(
    `select t.doc from enforcements e join ${table} t on t.enforcement = e.id where t.device = ? and e.${liveCondition} order by ${order}`,
    device,
  )
  return rows.map(({ doc }) => JSON.parse(doc) as T)
}

function loadLive(sql: Sql): Live {
  const live: Live = { byId: new Map(), byCustomer: new Map() }
  const rows = sql.all<{ doc: string }>(
    `select doc from enforcements where ${liveCondition} order by n`,
  )
  // Written by `transaction` from the same type.
  for (const { doc } of rows) keep(live, JSON.parse(doc) as Enforcement)
  return live
}

function actedSince(sql: Sql, since: string): readonly Enforcement[] {
  const rows = sql.all<{ doc: string }>('select doc from enforcements where acted_at > ?', since)
  return rows.map(({ doc }) => JSON.parse(doc) as Enforcement)
}

function keep(live: Live, enforcement: Enforcement): void {
  const { id, customer } = enforcement
  const known = live.byId.get(id)
  delete live.list
  const theirs = live.byCustomer.get(customer) ?? new Map<string, Enforcement>()
  live.byCustomer.set(customer, theirs)
  if (liveStatuses.includes(enforcement.status)) {
    // A Map keeps the place of what is set again: its order stays that of acceptance.
    live.byId.set(id, enforcement)
    theirs.set(id, enforcement)
    return
  }
  if (known !== undefined) live.byId.delete(id)
  theirs.delete(id)
  if (theirs.size === 0) live.byCustomer.delete(customer)
}
