// One change to one row of a data folder, for each column and each member of its document: what somebody with the database could do. No test of its own.

import type Database from 'better-sqlite3'

type Value = string | number | null
type Row = Readonly<Record<string, Value>>
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
type Members = Readonly<Record<string, Json>>

/** A table whose rows are held against the log. */
interface Table {
  readonly name: string
  readonly keys: readonly string[]
  /** The column that names a row in a finding. */
  readonly named: string
  /** The column with the enforcement that a row is part of. */
  readonly of?: string
}

const tables: readonly Table[] = [
  { name: 'enforcements', keys: ['n'], named: 'id', of: 'id' },
  { name: 'wanted', keys: ['n'], named: 'enforcement' },
  {
    name: 'results',
    keys: ['enforcement', 'device', 'role'],
    named: 'enforcement',
    of: 'enforcement',
  },
  { name: 'claims', keys: ['device', 'key'], named: 'key' },
  { name: 'plans', keys: ['id'], named: 'id' },
  { name: 'idempotency', keys: ['n'], named: 'enforcement' },
  { name: 'tokens', keys: ['id'], named: 'id' },
  { name: 'freeze', keys: ['one'], named: 'one' },
  { name: 'device_state', keys: ['device'], named: 'device' },
]

/** One change. */
export interface Change {
  /** Table, status of the enforcement or plan where there is one, what is done, and where: `enforcements (enforced) change approvals.given.*.person`. */
  readonly what: string
  /** What a finding must name. */
  readonly named: string
  readonly run: () => void
}

/** Members that a row of this table can have and may lack; the others are taken from rows that have them. */
const more: Readonly<Record<string, Members>> = {
  enforcements: {
    rollingBack: true,
    stoppedBy: 'trigger1',
    openWave: 7,
    why: 'nobody knows',
    conflicts: [{ kind: 'added', object: '198.51.100.0/24' }],
    requestedByPerson: 'eve@example.net',
  },
  claims: { stood: true },
  tokens: { expiresAt: '2036-01-01T00:00:00.000Z', revokedAt: '2026-01-01T00:00:00.000Z' },
}

/** Every change to one value, one for each place that rows of a kind have; and every row that is taken away. */
export function changesTo(db: Database.Database): readonly Change[] {
  const statuses = new Map(
    db
      .prepare<[], { id: string; status: string }>('select id, status from enforcements')
      .all()
      .map(({ id, status }) => [id, status]),
  )
  const changes = new Map<string, Change>()
  for (const table of tables) {
    const rows = db.prepare<[], Row>(`select * from ${table.name} order by 1`).all()
    const optional = optionalOf(table, rows)
    for (const row of rows) {
      const status = statusOf(table, row, statuses)
      const label = status === undefined ? table.name : `${table.name} (${status})`
      for (const [how, sets] of [...columnChanges(row, rows), ...docChanges(row, optional)]) {
        const what = `${label} ${how}`
        if (changes.has(what)) continue
        changes.set(what, {
          what,
          named: nameOf(table, row),
          run: () => update(db, table, row, sets),
        })
      }
      const what = `${label} delete`
      if (changes.has(what)) continue
      changes.set(what, {
        what,
        named: table.name === 'freeze' ? 'frozen' : nameOf(table, row),
        run: () => remove(db, table, row),
      })
    }
  }
  return [...changes.values()]
}

function statusOf(
  { name, of }: Table,
  row: Row,
  statuses: ReadonlyMap<string, string>,
): string | undefined {
  if (name === 'plans') return row['until'] === null ? 'accepted' : 'made'
  return of === undefined ? undefined : statuses.get(String(row[of]))
}

function nameOf({ name, named }: Table, row: Row): string {
  return name === 'freeze' ? name : String(row[named])
}

type Sets = Readonly<Record<string, Value>>

function columnChanges(row: Row, rows: readonly Row[]): readonly (readonly [string, Sets])[] {
  return Object.entries(row).flatMap(([column, value]) => {
    if (column === 'doc' || column === 'one') return []
    if (column !== 'n') return [[`column ${column}`, { [column]: otherValue(value) }]]
    // To the end, where it does not stand already.
    const last = Math.max(...rows.map(({ n }) => Number(n)))
    return value === last ? [] : [[`column ${column}`, { n: last + 1 }]]
  })
}

function otherValue(value: Value): Value {
  return typeof value === 'number' ? value + 1 : (other(value) as string)
}

function docChanges(row: Row, optional: Members): readonly (readonly [string, Sets])[] {
  if (typeof row['doc'] !== 'string') return []
  const doc = JSON.parse(row['doc']) as Members
  const changed = placesIn(doc).flatMap(({ path, value }) => [
    ...(isLeaf(value) ? [[`change ${shown(path)}`, set(doc, path, other(value))] as const] : []),
    [`remove ${shown(path)}`, set(doc, path, undefined)] as const,
  ])
  const added = Object.entries(optional)
    .filter(([name, value]) => isNone(doc[name]) && !isNone(value))
    .map(([name, value]) => [`add ${name}`, { ...doc, [name]: value }] as const)
  return [...changed, ...added].map(([how, next]) => [how, columnsWith(row, next as Members)])
}

// Whoever changes a row changes what it is found by, too.
function columnsWith(row: Row, doc: Members): Sets {
  const sets: Record<string, Value> = { doc: JSON.stringify(doc) }
  for (const column of Object.keys(row)) {
    const value = doc[column]
    if (typeof value === 'string' || typeof value === 'number') sets[column] = value
    if (typeof value === 'boolean') sets[column] = value ? 1 : 0
  }
  const { acceptedAt, extendedAt = [] } = doc
  if (row['acted_at'] !== undefined) {
    const acts = [acceptedAt, extendedAt].flat().map(String).toSorted()
    sets['acted_at'] = acts.at(-1) ?? ''
  }
  return sets
}

interface Place {
  readonly path: readonly (string | number)[]
  readonly value: Json
}

function placesIn(value: Json, path: Place['path'] = []): readonly Place[] {
  const own: readonly Place[] = path.length === 0 ? [] : [{ path, value }]
  if (typeof value !== 'object' || value === null) return own
  const below = Array.isArray(value)
    ? value.map((one, i) => [i, one] as const)
    : Object.entries(value as Members)
  return [...own, ...below.flatMap(([name, one]) => placesIn(one as Json, [...path, name]))]
}

function shown(path: Place['path']): string {
  return path.map((step) => (typeof step === 'number' ? '*' : step)).join('.')
}

function isNone(value: Json | undefined): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}

function isLeaf(value: Json): boolean {
  return typeof value !== 'object' || value === null
}

function other(value: Json): Json {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  const text = typeof value === 'string' ? value : ''
  const isTime = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)
  return isTime ? new Date(Date.parse(text) + 1).toISOString() : `${text}x`
}

/** The value with another one at that place, or without it. */
function set(value: Json, [step, ...rest]: Place['path'], to: Json | undefined): Json {
  if (step === undefined) return value
  const at = (value as Readonly<Record<string | number, Json>>)[step] as Json
  const next = rest.length === 0 ? to : set(at, rest, to)
  if (!Array.isArray(value)) return { ...(value as Members), [step]: next } as Json
  return value.flatMap((one: Json, i) => (i !== step ? [one] : next === undefined ? [] : [next]))
}

function optionalOf({ name }: Table, rows: readonly Row[]): Members {
  const docs = rows.map(({ doc }) => (typeof doc === 'string' ? (JSON.parse(doc) as Members) : {}))
  return Object.assign({}, ...docs, more[name]) as Members
}

function update(db: Database.Database, { name, keys }: Table, row: Row, sets: Sets): void {
  const columns = Object.keys(sets)
  const assigned = columns.map((column) => `${column} = ?`).join(', ')
  const where = keys.map((key) => `${key} is ?`).join(' and ')
  const values = [...Object.values(sets), ...keys.map((key) => row[key] ?? null)]
  const { changes } = db.prepare(`update ${name} set ${assigned} where ${where}`).run(...values)
  if (changes !== 1) throw new TypeError(`${changes} rows of ${name} were changed`)
}

function remove(db: Database.Database, { name, keys }: Table, row: Row): void {
  const where = keys.map((key) => `${key} is ?`).join(' and ')
  db.prepare(`delete from ${name} where ${where}`).run(...keys.map((key) => row[key] ?? null))
}
