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

/** Reads one file, or says why it can't be read. */
export async function readSource(file: string): Promise<Source | Problem> {
  try {
    const state = await stat(file)
    // A pipe or a device has no end: reading it would hang, or fill the memory.
    if (!state.isFile()) return whole(file, notAFile(state.isDirectory()))
    if (state.size > fileBytesMax) {
      return whole(file, {
        message: 'the file is too large to be read',
        found: `${state.size} bytes`,
        expected: `at most ${fileBytesMax} bytes`,
        remedy: 'split it: a folder of files is merged',
      })
    }
    const bytes = await readFile(file)
    if (bytes.includes(0)) return whole(file, notText('a zero byte, as binary files have'))
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

type What = Pick<Problem, 'message' | 'remedy'> & Partial<Pick<Problem, 'found' | 'expected'>>

function notAFile(isFolder: boolean): What {
  return {
    message: 'no file that can be read to its end',
    found: isFolder ? 'a folder' : 'a pipe, socket or device',
    expected: 'a file',
    remedy: isFolder
      ? 'name a file in it; inside an inventory or playbooks, move its files up: folders in a folder are not read'
      : 'copy its text into a file',
  }
}

function notText(found: string): What {
  return {
    message: 'not UTF-8 text',
    found,
    expected: 'YAML as UTF-8 text',
    remedy: 'save the file as UTF-8, without anything before or behind the YAML',
  }
}

/** Why the machine did not give a file, in words; other codes are shown as they are. */
const reasons: Readonly<Record<string, What>> = {
  ENOENT: {
    message: 'no such file or folder',
    found: 'nothing at this path',
    expected: 'a file, or a folder of files, in YAML',
    remedy: 'correct the path, or make a start with `nullroute init`',
  },
  ERR_ENCODING_INVALID_ENCODED_DATA: notText('bytes that no UTF-8 text has'),
  EACCES: {
    message: 'reading it is not permitted',
    found: 'rights that keep this account out',
    expected: 'a file, and folders on the way, that the account of nullroute may read',
    remedy: 'change owner or mode (`ls -l` shows them), or run nullroute as another account',
  },
  ELOOP: {
    message: 'a symbolic link that leads back to itself',
    found: 'a loop of links',
    expected: 'a link that ends at a file or folder',
    remedy: 'remove the link, or point it at the file',
  },
  ENOTDIR: {
    message: 'a part of the path before the last is no folder',
    found: 'a file where a folder should be',
    expected: 'folders up to the last name',
    remedy: 'correct the path',
  },
}

function unreadable(file: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = reasons[code]
  if (known !== undefined) return whole(file, known)
  return whole(file, {
    message: "can't be read",
    found: error instanceof Error ? error.message : String(error),
    expected: 'a file that can be read',
    remedy: 'look at the disk and the rights of the file',
  })
}

function whole(file: string, what: What): Problem {
  return { file, line: 1, column: 1, path: '', ...what }
}
