// The tables' history: numbered SQL files, each applied once, in order, and recorded in the database.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Database from 'better-sqlite3'
import { ControllerError } from '../errors.ts'

/** Brings the tables of a database up to this version. Throws ControllerError `data_invalid` where a newer version has been there. */
export function migrate(db: Database.Database): void {
  const known = migrationFiles()
  db.exec('begin immediate')
  try {
    db.exec(
      'create table if not exists migrations (name text primary key, applied_at text not null) strict',
    )
    const applied = db.prepare<[], { name: string }>('select name from migrations').all()
    const done = new Set(applied.map(({ name }) => name))
    for (const name of done) if (!known.has(name)) throw madeByNewer(name)
    for (const [name, file] of known) {
      if (done.has(name)) continue
      db.exec(readFileSync(file, 'utf8'))
      db.prepare('insert into migrations values (?, datetime())').run(name)
    }
    db.exec('commit')
  } catch (error) {
    if (db.inTransaction) db.exec('rollback')
    throw error
  }
}

function madeByNewer(name: string): ControllerError {
  return new ControllerError(
    'data_invalid',
    `the data folder was used by a newer nullroute (it has ${name}): install that version again`,
  )
}

/** File by name, in order. */
function migrationFiles(): ReadonlyMap<string, string> {
  const dir = join(packageRoot(), 'controller', 'store', 'migrations')
  const names = readdirSync(dir).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
  return new Map(names.toSorted().map((name) => [name, join(dir, name)]))
}

/** Version of this program, as package.json has it. */
export function packageVersion(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8')
  const { version } = JSON.parse(text) as { readonly version: string } // our own file
  return version
}

/** The package's folder: the SQL files stay there, also when this file runs from dist/. */
function packageRoot(): string {
  for (let dir = import.meta.dirname ?? dirname(fileURLToPath(import.meta.url)); ; ) {
    if (existsSync(join(dir, 'package.json'))) return dir
    const above = dirname(dir)
    if (above === dir) {
      throw new ControllerError('internal', `no package.json above ${dir}: install nullroute again`)
    }
    dir = above
  }
}
