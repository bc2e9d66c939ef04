// How this program was called, so that the commands it prints work as typed. Pure.

import { basename, relative } from 'node:path'

/** The beginning of a command line that runs this program again: `nullroute`, `npx nullroute`, `npm run -s nullroute --` or `node dist/…/main.js`. */
export function invocation(
  environment: Readonly<Record<string, string | undefined>>,
  script: string,
  folder: string,
): string {
  if (script.endsWith('.ts')) return 'npm run -s nullroute --'
  if (environment['npm_command'] === 'exec' || script.includes('node_modules/.bin/')) {
    return 'npx nullroute'
  }
  return basename(script).startsWith('nullroute')
    ? 'nullroute'
    : `node ${shell(here(script, folder))}`
}

/** A path as short as it can be typed in a folder, without `..`. */
export function here(path: string, folder: string): string {
  const short = relative(folder, path)
  if (short === '') return '.'
  return short.startsWith('..') ? path : short
}

/** One argument as a POSIX shell takes it. */
export function shell(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
