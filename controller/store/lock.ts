// Keeps a second controller out of a data folder. The lock is the operating system's own, by way of an SQLite file that is held exclusively:
// it goes with its process, so there is none to clean up after a crash, and no pid to be mistaken for another's.

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ControllerError } from '../errors.ts'
import { openFile } from './database.ts'
import { isMachineError } from './statements.ts'

/** A lock that this process took. */
export interface Lock {
  /** Why it keeps nobody out any more: somebody took its file away, and another controller may have made it anew. */
  lost(): ControllerError | undefined
  release(): void
}

/** Takes the lock of a data folder. Throws ControllerError `data_in_use`, naming the process that holds it. */
export function takeLock(dir: string): Lock {
  // Never read `controller.lock` by other means in this process: closing such a file would drop the lock (POSIX). So the pid has its own file.
  const file = join(dir, 'controller.lock')
  const lock = openFile(file, { timeout: 0 })
  const pidFile = join(dir, 'controller.pid')
  try {
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if (isMachineError(error) && error.code.startsWith('SQLITE_BUSY')) throw inUse(dir, pidFile)
    throw error
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  const ours = identityOf(file)
  return {
    lost: () => (identityOf(file) === ours ? undefined : takenAway(file)),
    release() {
      if (identityOf(file) === ours) rmSync(pidFile, { force: true })
      lock.close()
    },
  }
}

/** Asked without opening it, which would drop the lock. */
function identityOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev} ${found.ino}`
}

function takenAway(file: string): ControllerError {
  return new ControllerError(
    'data_in_use',
    `${file} was taken away under this controller, so another may work on its data by now: it ends, and writes and sends nothing more; start one controller again`,
  )
}

function inUse(dir: string, pidFile: string): ControllerError {
  const pid = holder(pidFile)
  return new ControllerError(
    'data_in_use',
    `${dir} is in use by another controller (${pid === undefined ? 'pid unknown' : `pid ${pid}`}): stop that one first, or give this one a folder of its own with --data`,
    pid === undefined ? {} : { pid },
  )
}

function holder(pidFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    // Not written yet, or gone again: only the message is poorer.
    return undefined
  }
}
