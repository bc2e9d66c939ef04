// `audit verify` on a data folder, also while a controller writes: one consistent state, read entry by entry.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { artifactDigest, readArtifact, unpackArtifact } from '../audit/artifact.ts'
import type { Finding } from '../audit/findings.ts'
import { unpackEdge } from '../audit/merkle.ts'
import { type LogReport, type StoredEntry, type StoredHead, verifyLog } from '../audit/verify.ts'
import type { StoredDisclosure } from '../audit/verify-parts.ts'
import { ControllerError } from '../errors.ts'
import { openFile } from './database.ts'
import { databaseName } from './sqlite.ts'
import { isMachineError } from './statements.ts'
import { rowFindings } from './verify-rows.ts'

/** What a check of a data folder counted, beside its findings. */
export interface DataReport extends LogReport {
  /** `missing`: named by a record and not there. `wrong`: there, and not what their name says. */
  readonly artifacts: { readonly kept: number; readonly missing: number; readonly wrong: number }
  /** `missing`: withheld or erased, which leaves the log whole. */
  readonly disclosures: { readonly kept: number; readonly missing: number; readonly wrong: number }
}

/** Checks the whole log of a data folder, with disclosures and artifacts. Throws ControllerError `data_invalid` where it can't be read at all. */
export function verifyData(dir: string): DataReport {
  return verify(dir, verifyOpen)
}

/** The same, and the rows beside the log held against it. */
export function verifyFolder(dir: string): DataReport {
  return verify(dir, (db) => {
    const report = verifyOpen(db)
    return { ...report, findings: [...report.findings, ...rowFindings(db)] }
  })
}

function verify(dir: string, work: (db: Database.Database) => DataReport): DataReport {
  const file = join(dir, databaseName)
  if (!existsSync(file)) {
    throw new ControllerError(
      'data_invalid',
      `there is no ${file}: give the data folder of a controller with --data`,
    )
  }
  try {
    return withDatabase(file, work)
  } catch (error) {
    if (!isMachineError(error)) throw error
    throw new ControllerError('data_invalid', `${file} can't be read (${error.code})`, {}, error)
  }
}

function withDatabase<T>(file: string, work: (db: Database.Database) => T): T {
  const db = openFile(file, { readonly: true })
  try {
    db.exec('begin')
    return work(db)
  } finally {
    db.close()
  }
}

function verifyOpen(db: Database.Database): DataReport {
  const head = readHead(db)
  const report = verifyLog(entriesOf(db), head.head)
  const wrong = artifactFindings(db)
  const missing = missingArtifacts(db)
  const findings = [
    ...report.findings,
    ...head.findings,
    ...strayDisclosures(db),
    ...searchFindings(db),
    ...missing,
    ...wrong,
  ]
  const ofDisclosures = findings.filter(({ kind }) => kind === 'disclosure').length
  return {
    ...report,
    findings,
    artifacts: {
      kept: countOf(db, 'select count(*) as n from artifacts'),
      missing: missing.length,
      wrong: wrong.length,
    },
    disclosures: {
      kept: countOf(db, 'select count(*) as n from disclosures'),
      missing: countOf(db, withheld),
      wrong: ofDisclosures,
    },
  }
}

/** Hidden fields of which only the digest is left. */
const withheld = `
  select count(*) as n from log_entries e
  join json_each(iif(json_valid(e.entry), e.entry, '{}'), '$.hidden') h
  left join disclosures d on d.seq = e.seq and d.pointer = h.key
  where d.seq is null`

function countOf(db: Database.Database, sql: string): number {
  return db.prepare<[], { n: number }>(sql).get()?.n ?? 0
}

function* entriesOf(db: Database.Database): Iterable<StoredEntry> {
  // As bytes, not as text: two damaged texts can read alike.
  const rows = db
    .prepare<[], { at: number; bytes: Uint8Array; leaf: Uint8Array }>(
      'select seq as at, cast(entry as blob) as bytes, leaf from log_entries order by seq',
    )
    .iterate()
  const disclosures = db.prepare<[number], StoredDisclosure>(
    'select pointer, disclosure, value from disclosures where seq = ?',
  )
  for (const row of rows) yield { ...row, disclosures: disclosures.all(row.at) }
}

function readHead(db: Database.Database): {
  readonly head: StoredHead | undefined
  readonly findings: readonly Finding[]
} {
  const row = db
    .prepare<[], { size: number; leaf: Uint8Array; time: string; edge: Uint8Array }>(
      'select size, leaf, time, edge from log_head',
    )
    .get()
  if (row === undefined) return { head: undefined, findings: [] }
  const { size, leaf, time } = row
  try {
    return { head: { leaf, time, tree: { size, edge: unpackEdge(size, row.edge) } }, findings: [] }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const head = { leaf, time, tree: { size, edge: [] } }
    return { head, findings: [{ kind: 'head', message }] }
  }
}

function strayDisclosures(db: Database.Database): readonly Finding[] {
  return db
    .prepare<[], { seq: number; pointer: string }>(
      'select seq, pointer from disclosures where seq not in (select seq from log_entries)',
    )
    .all()
    .map(({ seq, pointer }) => ({
      kind: 'disclosure',
      seq,
      message: `${pointer}: belongs to an entry that is not there`,
    }))
}

/** Entries that the text search can't find, and what it would find beside them: a decision could be hidden from everybody who searches. */
function searchFindings(db: Database.Database): readonly Finding[] {
  const rows = (message: string, sql: string): readonly Finding[] =>
    db
      .prepare<[], { seq: number }>(sql)
      .all()
      .map(({ seq }) => ({ kind: 'row', seq, message }))
  return [
    ...rows(
      'the text search does not know it',
      'select seq from log_entries where seq not in (select rowid from log_text)',
    ),
    ...rows(
      'the text search knows an entry that is not there',
      'select rowid as seq from log_text where rowid not in (select seq from log_entries)',
    ),
  ]
}

function artifactFindings(db: Database.Database): readonly Finding[] {
  const findings: Finding[] = []
  const rows = db
    .prepare<[], { sha256: string; kind: string; packed: Uint8Array }>(
      'select sha256, kind, packed from artifacts',
    )
    .iterate()
  for (const { sha256, kind, packed } of rows) {
    const problem = artifactProblem(sha256, kind, packed)
    if (problem !== undefined) findings.push({ kind: 'artifact', message: `${sha256}: ${problem}` })
  }
  return findings
}

/** Artifacts that records name and that are not there: evidence that somebody took away. */
function missingArtifacts(db: Database.Database): readonly Finding[] {
  return db
    .prepare<[], { seq: number; name: string; sha256: string }>(
      `select e.seq, d.key as name, d.value as sha256
       from log_entries e join json_each(iif(json_valid(e.entry), e.entry, '{}'), '$.data') d
       where d.key in ('readback', 'transcript', 'artifact') and d.type = 'text'
       and d.value not in (select sha256 from artifacts) order by e.seq`,
    )
    .all()
    .map(({ seq, name, sha256 }) => ({
      kind: 'artifact',
      seq,
      message: `its ${name} ${sha256} is not there`,
    }))
}

function artifactProblem(sha256: string, kind: string, packed: Uint8Array): string | undefined {
  try {
    const content = unpackArtifact(packed)
    if (artifactDigest(content) !== sha256) return 'its content has another digest'
    return readArtifact(content)?.kind === kind ? undefined : `is not of the kind ${kind}`
  } catch (error) {
    return `can't be unpacked: ${error instanceof Error ? error.message : String(error)}`
  }
}
