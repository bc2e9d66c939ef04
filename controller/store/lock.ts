// Keeps a second controller out of a data folder. The lock is the operating system's own, by way of an SQLite file that is held exclusively:
// it goes with its process, so there is none to clean up after a crash, and no pid to be mistaken for another's.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ControllerError } from '../errors.ts'
import { openFile } from './database.ts'
import { isMachineError } from './statements.ts'

/** Takes the lock of a data folder; answers what gives it back. Throws ControllerError `data_in_use`, naming the process that holds it. */
export function takeLock(dir: string): () => void {
  // Never read `controller.lock` by other means in this process: closing such a file would drop the lock (POSIX). So the pid has its own file.
  const lock = openFile(join(dir, 'controller.lock'), { timeout: 0 })
  const pidFile = join(dir, 'controller.pid')
  try {
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if (isMachineError(error) && error.code.startsWith('SQLITE_BUSY')) throw inUse(dir, pidFile)
    throw error
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return () => {
    rmSync(pidFile, { force: true })
    lock.close()
  }
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
