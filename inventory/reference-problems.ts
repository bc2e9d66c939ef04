// The problems that references and duplicates are told as.

import type { Entry, Merged } from './merge.ts'
import type { Id } from './model.ts'
import type { Problem } from './problem.ts'
import type { Path } from './yaml.ts'

/** A problem for each value of a list that stood in it before. */
export function twice(
  entry: Entry<unknown>,
  field: string,
  list: readonly string[] | undefined,
): readonly Problem[] {
  if (list === undefined || new Set(list).size === list.length) return []
  return list.flatMap((value, index) =>
    list.indexOf(value) === index ? [] : [doubled(entry, [field, index], value)],
  )
}

/** The problem of a value that is given again. */
export function doubled(entry: Entry<unknown>, path: Path, shown: string): Problem {
  return entry.problem(path, {
    message: `${shown} is given twice`,
    found: `${shown} again`,
    expected: 'each once',
    remedy: 'remove one of the two',
  })
}

/** The problem of a device that is not there. */
export function unknownDevice(
  entry: Entry<unknown>,
  path: Path,
  device: Id,
  merged: Merged,
): Problem {
  return unknown(entry, [...path, 'device'], `device "${device}"`, merged.mentioned.devices)
}

/** Names shown at most, where one of many is expected. */
const namesShown = 12

/** The problem of a name that names nothing. */
export function unknown(
  entry: Entry<unknown>,
  path: Path,
  what: string,
  known: ReadonlySet<string>,
): Problem {
  const first: string[] = []
  for (const name of known) {
    if (first.length === namesShown) break
    first.push(name)
  }
  const shown = first.join(', ')
  const more = known.size > namesShown ? `, and ${known.size - namesShown} more` : ''
  return entry.problem(path, {
    message: `there is no ${what}`,
    found: what,
    expected: known.size === 0 ? 'nothing: there is none' : `one of ${shown}${more}`,
    remedy: 'correct the name, or add what it names',
  })
}
