// Folders that are made where they are missing.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes a folder, and those above it that are missing; leaves alone what is there. Throws the fault of the file system. Step by step: the recursive one of Node never ends where a folder that is there takes none (`/proc`). */
export function makeFolder(path: string, mode: number): void {
  if (madeOrThere(path, mode)) return
  const above = dirname(path)
  if (above !== path) makeFolder(above, mode)
  // What is still missing can't be made there: this time its fault is the answer.
  mkdirSync(path, { mode })
}

function madeOrThere(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode })
    return true
  } catch (fault) {
    const code = fault instanceof Error ? Reflect.get(fault, 'code') : undefined
    if (code === 'EEXIST') return true
    if (code === 'ENOENT') return false
    throw fault
  }
}
