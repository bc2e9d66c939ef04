// Entries of the audit log → what a reader may see: hidden fields are put back in their place where he may, and shown as withheld where not. Pure.

import { type Disclosed, parseDisclosure } from '../audit/disclosure.ts'
import type { LogEntry } from '../store/store.ts'
import type { AuditEntryView } from './schema.ts'

/** Stands where a field is not shown. */
const withheldText = '[withheld]'

type Members = { [name: string]: unknown }

/** An entry as members, hidden fields not yet put back. Entries are our own canonical records: their shape is believed. */
export interface StoredRecord {
  readonly seq: number
  readonly id: string
  readonly time: string
  readonly type: string
  readonly outcome: string
  readonly actor: AuditEntryView['actor']
  readonly on: { readonly [name: string]: string }
  readonly chain?: { readonly n: number; readonly prev?: number }
  readonly req?: { readonly id: string; readonly key?: string }
  readonly data: { readonly [name: string]: unknown }
  readonly hidden?: { readonly [pointer: string]: string }
}

/** The record in an entry. */
export function recordOf(entry: Pick<LogEntry, 'entry'>): StoredRecord {
  return JSON.parse(entry.entry) as StoredRecord
}

/** An entry. `disclosed`: whether this reader may see hidden fields. */
export function auditEntryView(entry: LogEntry, disclosed: boolean): AuditEntryView {
  const record = recordOf(entry)
  const members: Members = { ...record }
  const shown = new Map<string, Disclosed['value']>()
  if (disclosed) {
    for (const { disclosure } of entry.disclosures) {
      const { pointer, value } = parseDisclosure(disclosure)
      shown.set(pointer, value)
    }
  }
  const withheld: string[] = []
  for (const pointer of Object.keys(record.hidden ?? {})) {
    const value = shown.get(pointer)
    if (value === undefined) withheld.push(pointer)
    put(members, pointer, value ?? withheldText)
  }
  const { actor, on, data } = members as Pick<StoredRecord, 'actor' | 'on' | 'data'>
  return {
    seq: record.seq,
    id: record.id,
    time: record.time,
    type: record.type,
    outcome: record.outcome,
    actor,
    on,
    ...(record.chain === undefined ? {} : { chain: record.chain }),
    ...(record.req === undefined ? {} : { req: record.req }),
    data,
    withheld,
    leaf: Buffer.from(entry.leaf).toString('base64'),
  }
}

// JSON Pointer, RFC 6901. Only members of objects are ever hidden.
function put(members: Members, pointer: string, value: unknown): void {
  const names = pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = names.pop()
  if (last === undefined) return
  let place = members
  for (const name of names) {
    const inner = place[name]
    const copy: Members = typeof inner === 'object' && inner !== null ? { ...inner } : {}
    place[name] = copy
    place = copy
  }
  place[last] = value
}
