// From running to startup configuration, and which unsaved differences are not ours.

import { free } from '../../platform.ts'
import type { Save } from '../../platform-save.ts'
import { memberObject, parseMember, parseStatic } from './objects.ts'

/** Differences that an image makes by itself. */
const ownOfTheDevice = /^(?:license udi |crypto pki |ntp clock-period )/

/**
 * Differences as whole paths with their sign. A line stands under its parents by its blanks; a parent in both files has no sign.
 * Comments, the misleading `re-ordered` blocks among them, begin with `!`.
 */
export function differences(
  answer: string,
): readonly { readonly sign: string; readonly path: string }[] {
  const found: { sign: string; path: string }[] = []
  const parents: string[] = []
  for (const line of answer.split('\n')) {
    const parts = /^( *)(?:([+-])( *))?(\S.*)$/.exec(line.trimEnd())
    const text = parts?.[4]
    if (parts === null || text === undefined || text.startsWith('!')) continue
    const depth = (parts[1] ?? '').length + (parts[3] ?? '').length
    parents.length = Math.min(parents.length, depth)
    parents[depth] = text
    const sign = parts[2] ?? ''
    const path = parents.filter((part) => part !== undefined).join(' ')
    if (sign !== '') found.push({ sign, path: normal(path) })
  }
  return found
}

function normal(path: string): string {
  const route = parseStatic(path)
  if (route !== undefined) return route.text
  const member = /^object-group network NULLROUTE (.+)$/.exec(path)?.[1]
  const prefix = member === undefined ? undefined : parseMember(member)
  return prefix === undefined ? path : memberObject(prefix)
}

/** Lines of the difference that no claim of ours explains. An added block's own header is not counted beside what is in it. */
function foreign(answer: string, held: readonly (readonly string[])[]): readonly string[] {
  const ours = new Set(held.flat())
  return differences(answer)
    .filter(({ path }) => !ours.has(path) && !ownOfTheDevice.test(path))
    .map(({ sign, path }) => `${sign}${path}`)
}

/** Time for a save, in ms. */
const saveMs = 100_000

/** `write memory`, and what it may ask. Overwriting after an image change is meant; a truncated configuration never is. */
export const save: Save = {
  scope: 'everything',
  differences: free(
    'show archive config differences nvram:startup-config system:running-config',
    'exec',
  ),
  foreign,
  lines: () => [
    {
      text: 'write memory',
      needs: 'exec',
      free: false,
      expect: /\[OK\]/,
      replies: [
        { question: /Overwrite the previous NVRAM configuration\?\[confirm\] ?$/, answer: '' },
        { question: /Truncate config\?\? \[no\]: ?$/, answer: 'no' },
      ],
      deadlineMs: saveMs,
    },
  ],
}
