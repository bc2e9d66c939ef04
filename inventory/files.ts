// From a path to YAML texts: a file, or each *.yaml and *.yml of a folder (not of folders inside it).

import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Problem } from './problem.ts'

/** One file as read. */
export interface Source {
  /** Its path as the user would write it. */
  readonly file: string
  /** Without folders: what the audit log names. */
  readonly name: string
  readonly text: string
  /** Hex SHA-256 of its bytes. */
  readonly sha256: string
}

/** Largest file that is read, in bytes. */
const fileBytesMax = 64 * 1024 * 1024

/** All files in order of name, and a problem for each that can't be read. `what` says in messages what was looked for. */
export async function readSources(
  path: string,
  what: string,
): Promise<{ readonly sources: readonly Source[]; readonly problems: readonly Problem[] }> {
  const listed = await list(path, what)
  const results = await Promise.all(listed.files.map((file) => readSource(file)))
  return {
    sources: results.flatMap((result) => ('text' in result ? [result] : [])),
    problems: [...listed.problems, ...results.flatMap((r) => ('text' in r ? [] : [r]))],
  }
}

async function list(
  path: string,
  what: string,
): Promise<{ readonly files: readonly string[]; readonly problems: readonly Problem[] }> {
  try {
    if (!(await stat(path)).isDirectory()) return { files: [path], problems: [] }
    const names = (await readdir(path)).filter((name) => /^[^.].*\.ya?ml$/i.test(name)).sort()
    if (names.length > 0) return { files: names.map((name) => join(path, name)), problems: [] }
    return {
      files: [],
      problems: [
        whole(path, {
          message: `the folder holds no ${what}`,
          found: 'no file named *.yaml or *.yml',
          expected: 'at least one',
          remedy: 'name another folder, or make a start with `nullroute init`',
        }),
      ],
    }
  } catch (error) {
    return { files: [], problems: [unreadable(path, error)] }
  }
}

async function readSource(file: string): Promise<Source | Problem> {
  try {
    const { size } = await stat(file)
    if (size > fileBytesMax) {
      const remedy = 'split it: a folder of files is merged'
      return whole(file, { message: `larger than ${fileBytesMax} bytes`, remedy })
    }
    const bytes = await readFile(file)
    return {
      file,
      name: basename(file),
      text: new TextDecoder('utf-8', { fatal: true }).decode(bytes),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }
  } catch (error) {
    return unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') {
    return whole(file, {
      message: 'no such file or folder',
      remedy: 'correct the path, or make a start with `nullroute init`',
    })
  }
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return whole(file, { message: 'not UTF-8 text', remedy: 'save the file as UTF-8' })
  }
  const message = `can't be read: ${error instanceof Error ? error.message : String(error)}`
  return whole(file, { message, remedy: "check the file's owner and mode" })
}

function whole(
  file: string,
  what: Pick<Problem, 'message' | 'remedy'> & Partial<Pick<Problem, 'found' | 'expected'>>,
): Problem {
  return { file, line: 1, column: 1, path: '', ...what }
}
