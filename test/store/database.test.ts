// What the compiled half of better-sqlite3 must be: one that lets statements be freed.

import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openFile } from '../../controller/store/database.ts'
import { newFolder } from './parts.ts'

const root = join(import.meta.dirname, '../..')

describe('a database file', () => {
  it('is not opened with a binding that would end the process when it frees a statement', () => {
    const dir = newFolder()
    const binding = join(dir, 'better_sqlite3.node')
    writeFileSync(binding, '\x7fELF\0_ZN4node28RemoveEnvironmentCleanupHookEPN2v87IsolateE\0')
    const file = join(dir, 'x.db')

    expect(() => openFile(file, {}, binding)).toThrow(
      expect.objectContaining({
        code: 'data_invalid',
        message: `${binding} was compiled against the headers of Node 24.19 or later, with which it ends the process at a random moment: compile it against those of Node 24.18.1, as the README says, or install nullroute with Node 22`,
      }),
    )
    expect(existsSync(file)).toBe(false)
  })

  it('is opened with the binding of this machine, which lives through the freeing of statements', async () => {
    const dir = newFolder()
    const child = join(import.meta.dirname, 'freeing.ts')
    const ended = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, dir])
    expect(ended).toEqual({ stdout: '40\n', stderr: '' })
  })

  it('is opened in one place only', () => {
    const opening = readdirSync(join(root, 'controller'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => /new Database\(/.test(readFileSync(join(root, 'controller', name), 'utf8')))
    expect(opening).toEqual(['store/database.ts'])
  })
})
