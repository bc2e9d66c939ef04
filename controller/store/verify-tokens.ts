// Tokens and the freeze, held against the records that made and ended them. Not held: the digest that a token is known by, which the log must never hold.

import type Database from 'better-sqlite3'
import type { Json } from '../audit/canonical.ts'
import type { Finding } from '../audit/findings.ts'
import type { Freeze, TokenRow } from './store.ts'
import {
  finding,
  type LogReader,
  type LogRecord,
  looking,
  parted,
  partedColumns,
  type Said,
  unknown,
} from './verify-log.ts'

/** Persons by token, as the log has them. */
export type Persons = ReadonlyMap<string, Said>

/** Whose each token was when it was made. */
export function personsIn(log: LogReader): Persons {
  const made = [...log.ofTypes(['token.created'])]
  return new Map(made.map((record) => [record.on['token'] ?? '', record.said('/data/person')]))
}

interface Row {
  readonly id: string
  readonly name: string
  readonly person: string
  readonly sha256: string
  readonly doc: string
}

/** Where tokens are not what was made, or work after their end. */
export function tokenFindings(db: Database.Database, log: LogReader): readonly Finding[] {
  const made = new Map<string, LogRecord>()
  const revoked = new Map<string, LogRecord>()
  for (const record of log.ofTypes(['token.created', 'token.revoked'])) {
    const records = record.type === 'token.created' ? made : revoked
    records.set(record.on['token'] ?? '', record)
  }
  const rows = db.prepare<[], Row>('select id, name, person, sha256, doc from tokens').all()
  const found = rows.flatMap((row) => {
    const record = made.get(row.id)
    return looking(`token ${row.id}`, record?.seq, () =>
      tokenProblems(row, record, revoked.get(row.id)),
    )
  })
  const known = new Set(rows.map(({ id }) => id))
  const lost = [...made].filter(([id]) => !known.has(id))
  return [
    ...found,
    ...lost.map(([id, { seq }]) =>
      finding(`token ${id}: was made by this entry, and its row is not there`, seq),
    ),
  ]
}

function tokenProblems(
  { doc, ...columns }: Row,
  made: LogRecord | undefined,
  revoked: LogRecord | undefined,
): readonly string[] {
  if (made === undefined) return ['it works, and no record says who made it']
  const token = JSON.parse(doc) as TokenRow // written by the store alone, or what is looked for here
  const { createdAt } = made.data
  // Records of an earlier version hold less; so do the rows of their time.
  const since = (said: Said): Said => (createdAt === undefined ? unknown : said)
  return [
    ...rolesProblems(token, made),
    ...parted([
      ['name', made.said('/data/name'), token.name],
      ['person', made.said('/data/person'), token.person],
      ['end', made.data['expiresAt'], token.expiresAt],
      ['time of making', since(createdAt), token.createdAt],
      [
        'maker',
        token.madeBy === undefined ? since(made.actor.id) : made.actor.id,
        token.madeBy?.id,
      ],
      ['person of its maker', made.said('/data/by'), token.madeBy?.person],
    ]),
    ...revocationProblems(token, revoked),
    ...partedColumns({ ...columns }, { ...token } as Readonly<Record<string, Json | undefined>>),
  ]
}

function rolesProblems({ roles }: TokenRow, { data }: LogRecord): readonly string[] {
  const [is, was] = [JSON.stringify(roles), JSON.stringify(data['roles'])]
  return is === was ? [] : [`it has the roles ${is}, made was one with ${was}`]
}

function revocationProblems(
  { revokedAt }: TokenRow,
  revoked: LogRecord | undefined,
): readonly string[] {
  if (revoked === undefined) {
    return revokedAt === undefined ? [] : ['its row is revoked, and no record says so']
  }
  if (revokedAt === undefined) return ['it was revoked, and works again']
  return parted([['time of revocation', revoked.data['revokedAt'] ?? unknown, revokedAt]])
}

/** Where the freeze is not what the log says. */
export function freezeFindings(db: Database.Database, log: LogReader): readonly Finding[] {
  let last: LogRecord | undefined
  for (const record of log.ofTypes(['freeze.set', 'freeze.lifted'])) last = record
  const row = db.prepare<[], { doc: string }>('select doc from freeze').get()
  const isFrozen = row !== undefined
  if (isFrozen !== (last?.type === 'freeze.set')) {
    const message = isFrozen
      ? 'the controller is frozen, and no record says so'
      : 'the controller is not frozen, and the last record says that it is'
    return [finding(message, last?.seq)]
  }
  if (row === undefined || last === undefined) return []
  return looking('the freeze', last.seq, () => freezeProblems(row.doc, last))
}

function freezeProblems(doc: string, record: LogRecord): readonly string[] {
  const { since, by, reason } = JSON.parse(doc) as Freeze // as above
  return parted([
    ['reason', record.said('/data/reason'), reason],
    ['time of its setting', record.data['since'] ?? unknown, since],
    ['person', record.said('/data/person') ?? unknown, by],
  ])
}
