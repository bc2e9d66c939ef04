// The controller's data folder, read from outside while it works: what is durable is what another connection sees. Closed before each start, so that
// the next controller has to recover the database by itself, as after any crash.

import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Claim } from '../../agent/diff.ts'
import { parseDisclosure } from '../../controller/audit/disclosure.ts'
import type { Enforcement } from '../../controller/enforcement.ts'
import { databaseName } from '../../controller/store/sqlite.ts'

/** Lines that were written down before they were sent. */
export interface Intended {
  readonly step: number
  readonly purpose: string
  readonly commands: readonly string[]
}

/** An audit record, as far as the checks look. */
export interface Entry {
  readonly seq: number
  readonly type: string
  readonly at: number
  readonly enforcement: string | undefined
  readonly device: string | undefined
  readonly data: Readonly<Record<string, unknown>>
  /** What a `device.commands_intended` holds. */
  readonly commands?: readonly string[]
}

/** What is durable now. */
export interface Ledger {
  /** The newest steps of a device, newest first. */
  intended(device: string, count: number): readonly Intended[]
  /** Records after this one, oldest first. */
  entries(after: number): readonly Entry[]
  /** The enforcement that a request with this key made. */
  made(key: string): string | undefined
  enforcement(id: string): Enforcement | undefined
  enforcements(): number
  /** The wave in which what an enforcement wants to be put on a device has its turn. */
  wave(id: string, device: string): number | undefined
  claims(): readonly { readonly device: string; readonly claim: Claim }[]
  /** What is under way: enforcements on their way, open steps, unsaved devices, claims that are being made or lifted. */
  underWay(): readonly string[]
  /** Enforcements that are in force and not everywhere. */
  degraded(): readonly string[]
  close(): void
}

/** Reads a data folder; opened at the first question. */
export function ledgerOf(data: string): Ledger {
  let db: Database.Database | undefined
  const open = (): Database.Database => {
    db ??= new Database(join(data, databaseName), { readonly: true, timeout: 5_000 })
    return db
  }
  const prepared = new Map<string, Database.Statement<(string | number)[]>>()
  const all: All = <Row>(text: string, ...values: readonly (string | number)[]) => {
    const statement = prepared.get(text) ?? open().prepare<(string | number)[]>(text)
    prepared.set(text, statement)
    // The statements below know their rows.
    return statement.all(...values) as Row[]
  }
  return {
    intended: (device, count) => intended(all, device, count),
    entries: (after) =>
      all<EntryRow>(
        `select e.seq, e.entry, d.disclosure from log_entries e
         left join disclosures d on d.seq = e.seq and d.pointer = '/data/commands'
         where e.seq > ? order by e.seq`,
        after,
      ).map(entryOf),
    made: (key) =>
      all<{ enforcement: string }>('select enforcement from idempotency where key = ?', key)[0]
        ?.enforcement,
    enforcement(id) {
      const [row] = all<{ doc: string }>('select doc from enforcements where id = ?', id)
      return row === undefined ? undefined : (JSON.parse(row.doc) as Enforcement)
    },
    enforcements: () => all<{ n: number }>('select count(*) as n from enforcements')[0]?.n ?? 0,
    wave: (id, device) =>
      all<{ wave: number }>(
        `select doc ->> '$.wave' as wave from wanted
         where enforcement = ? and device = ? and observer = 0 order by wave limit 1`,
        id,
        device,
      )[0]?.wave,
    claims: () =>
      all<{ device: string; doc: string }>('select device, doc from claims').map((row) => ({
        device: row.device,
        claim: JSON.parse(row.doc) as Claim,
      })),
    underWay: () => underWay(all),
    degraded: () =>
      all<{ id: string }>("select id from enforcements where status = 'degraded'").map(
        ({ id }) => id,
      ),
    close() {
      db?.close()
      db = undefined
      prepared.clear()
    },
  }
}

type All = <Row>(text: string, ...values: readonly (string | number)[]) => readonly Row[]

function intended(all: All, device: string, count: number): readonly Intended[] {
  const rows = all<{ entry: string; disclosure: string }>(
    `select e.entry, d.disclosure from log_entries e indexed by log_by_device
     join disclosures d on d.seq = e.seq and d.pointer = '/data/commands'
     where e.device = ? and e.type = 'device.commands_intended' order by e.seq desc limit ?`,
    device,
    // A record for each enforcement that the step serves.
    count * 16,
  )
  const steps = new Map<number, Intended>()
  for (const { entry, disclosure } of rows) {
    const { data } = JSON.parse(entry) as { data: { step: number; purpose: string } }
    const commands = parseDisclosure(disclosure).value as readonly string[]
    if (!steps.has(data.step)) steps.set(data.step, { ...data, commands })
  }
  return [...steps.values()].slice(0, count)
}

interface EntryRow {
  readonly seq: number
  readonly entry: string
  readonly disclosure: string | null
}

function entryOf({ seq, entry, disclosure }: EntryRow): Entry {
  const { type, time, on, data } = JSON.parse(entry) as {
    readonly type: string
    readonly time: string
    readonly on: { readonly enforcement?: string; readonly device?: string }
    readonly data?: Readonly<Record<string, unknown>>
  }
  return {
    seq,
    type,
    at: Date.parse(time),
    enforcement: on.enforcement,
    device: on.device,
    data: data ?? {},
    // The log writes no other shape.
    ...(disclosure === null
      ? {}
      : { commands: parseDisclosure(disclosure).value as readonly string[] }),
  }
}

function underWay(all: All): readonly string[] {
  const enforcements = all<{ id: string; status: string }>(
    "select id, status from enforcements where status in ('enforcing', 'releasing')",
  ).map(({ id, status }) => `${id} is ${status}`)
  const steps = all<{ device: string; step: number }>('select device, step from open_steps').map(
    ({ device, step }) => `step ${step} of ${device} is open`,
  )
  const unsaved = all<{ device: string }>(
    "select device from device_state where doc ->> '$.unsaved' = 1",
  ).map(({ device }) => `${device} is unsaved`)
  // Between the end of a step and its read-back nothing else tells that something is under way.
  const claims = all<{ device: string; key: string; phase: string }>(
    "select device, key, doc ->> '$.phase' as phase from claims where doc ->> '$.phase' != 'held'",
  ).map(({ device, key, phase }) => `the claim ${device} ${key} is ${phase}`)
  return [...enforcements, ...steps, ...unsaved, ...claims]
}
