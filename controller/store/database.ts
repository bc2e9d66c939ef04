// The one door to database files, which first looks whether the compiled half of better-sqlite3 can be lived with.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import Database from 'better-sqlite3'
import { ControllerError } from '../errors.ts'

/**
 * What only a binding imports that was compiled against the headers of Node 24.19 or later. With them a freed object takes itself off a list, and Node
 * aborts where that happens outside JavaScript: in most garbage collections of a process that waits (nodejs/node#65446).
 */
const deadly = 'RemoveEnvironmentCleanupHook'

/** Opens a database file. Throws ControllerError `data_invalid` where the binding would end the process at some later garbage collection. */
export function openFile(
  file: string,
  options: Database.Options,
  binding: string | undefined = bindingFile(),
): Database.Database {
  if (binding !== undefined && readFileSync(binding).includes(deadly)) {
    throw new ControllerError(
      'data_invalid',
      `${binding} was compiled against the headers of Node 24.19 or later, with which it ends the process at a random moment: compile it against those of Node 24.18.1, as the README says, or install nullroute with Node 22`,
    )
  }
  return new Database(file, options)
}

/** The compiled half, where both of its ways to be installed put it. */
function bindingFile(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(
      'better-sqlite3/build/Release/better_sqlite3.node',
    )
  } catch {
    // Put elsewhere by somebody who knows why: better-sqlite3 finds it or says that it can't.
    return undefined
  }
}
