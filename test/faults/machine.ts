// Faults of the controller's own machine, made for real: a file system that is full, a database that another connection has locked, a process that is killed.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { databaseName } from '../../controller/store/sqlite.ts'
import { bundled } from '../bundle.ts'
import type { Story } from '../simulator/stories/story.ts'

/** A file system of this size holds a cell's data, with the 16 MB that the write-ahead log may take, and fills up fast. */
const diskSize = '64m'
const fillerBytes = 1_048_576

/** A small file system at this folder, in the mount namespace of this process: `unshare --mount` ends it with the process. */
export async function mountDisk(folder: string): Promise<() => void> {
  await mkdir(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskSize}`, 'tmpfs', folder])
  return () => void execFileSync('umount', [folder])
}

/** Fills the file system to the last byte; the answered function makes room again. */
export function fillDisk(folder: string): () => void {
  const file = join(folder, 'filler')
  const handle = openSync(file, 'w')
  try {
    for (let bytes = fillerBytes; bytes >= 1; ) {
      try {
        writeSync(handle, Buffer.alloc(bytes))
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code !== 'ENOSPC') throw fault
        bytes = Math.floor(bytes / 2)
      }
    }
  } finally {
    closeSync(handle)
  }
  return () => rmSync(file)
}

/** Takes the write lock of a controller's database; the answered function gives it back. */
export function lockDatabase(data: string): () => void {
  const other = new Database(join(data, databaseName))
  other.exec('begin immediate')
  return () => {
    other.exec('rollback')
    other.close()
  }
}

/** A controller in a process of its own. */
export interface Child {
  /** Sends a request that must be accepted. */
  ask(path: string, body: object): Promise<{ readonly id: string }>
  kill(): Promise<void>
}

/** Starts one on the data of a story whose own controller is stopped. */
export async function startChild(story: Story): Promise<Child> {
  const program = fileURLToPath(new URL('../simulator/stories/child.ts', import.meta.url))
  const child: ChildProcess = spawn(
    process.execPath,
    [await bundled(program), JSON.stringify(story.config)],
    { env: { ...process.env, ...story.environment }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  if (child.stdout === null) throw new Error('a child without output')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { url, token } = JSON.parse(line) as { url: string; token: string }
  return {
    async ask(path, body) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const sent = { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await fetch(`${url}${path}`, sent)
      const text = await response.text()
      if (response.status !== 202) throw new Error(`the child refused: ${text}`)
      return JSON.parse(text) as { id: string }
    },
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
