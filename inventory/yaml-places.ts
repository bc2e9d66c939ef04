// Places in a text that was read without them. Only when one is asked for, the entry that it is in is parsed with places: a large inventory with one
// mistake must not take a minute to say where.

import { parseDocument } from 'yaml'
import type { PlainText, Section } from './plain-yaml.ts'
import { type Path, type Places, placesOf } from './yaml-nodes.ts'

/** Up to so many characters a text is parsed whole: entry by entry would cost more. */
const wholeUpTo = 65_536

/** The places of a plain text. `whole`: how long a text may be to be parsed whole. */
export function placesIn(text: string, plain: PlainText, whole = wholeUpTo): Places {
  if (text.length <= whole) return deferred(() => parsed(text))
  const excerptOf = excerptsOf(text, plain)
  return {
    offset(path, key) {
      const [name] = path
      const section = name === undefined ? undefined : plain.sections.get(String(name))
      // A text of this kind is a map, which begins with its first field, or its brace.
      if (section === undefined) return plain.startsAt
      if (key && path.length === 1) return section.keyAt
      if (path.length === 1 && section.valueAt >= 0) return section.valueAt
      const excerpt = excerptOf(path)
      if (excerpt === undefined) return section.keyAt
      return excerpt.places.offset(excerpt.path, key) + excerpt.shift
    },
    written(path) {
      const excerpt = excerptOf(path)
      return path.length === 0 ? 'a map' : excerpt?.places.written(excerpt.path)
    },
  }
}

/** Line and column of an offset, both from 1. The lines are counted when first asked for. */
export function lineFinder(
  text: string,
): (offset: number) => { readonly line: number; readonly column: number } {
  let starts: readonly number[] | undefined
  return (offset) => {
    starts ??= startsOf(text)
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

function startsOf(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function deferred(make: () => Places): Places {
  let made: Places | undefined
  const places = () => {
    made ??= make()
    return made
  }
  return {
    offset: (path, key) => places().offset(path, key),
    written: (path) => places().written(path),
  }
}

function parsed(text: string): Places {
  return placesOf(parseDocument(text, { uniqueKeys: false }), text)
}

/** One entry of a section, or a section, as a text of its own. */
interface Excerpt {
  readonly places: Places
  /** The path in it. */
  readonly path: Path
  /** From its offsets to those of the whole text. */
  readonly shift: number
}

function excerptsOf(text: string, plain: PlainText): (path: Path) => Excerpt | undefined {
  const numberOf = numberer()
  // Whoever asks about an entry mostly asks about it again.
  let last: { readonly start: number; readonly end: number; readonly places: Places } | undefined
  const cut = (start: number, end: number, brackets: string) => {
    if (last?.start !== start || last.end !== end) {
      const [open = '', close = ''] = plain.form === 'json' ? brackets : ''
      last = { start, end, places: parsed(`${open}${text.slice(start, end)}${close}`) }
    }
    return { places: last.places, shift: plain.form === 'json' ? start - 1 : start }
  }
  return (path) => {
    const [name = '', entry, ...inner] = path
    const section = plain.sections.get(String(name))
    if (section === undefined) return undefined
    const { starts, names, keyAt, end } = section
    if (entry === undefined || starts.length === 0) return { ...cut(keyAt, end, '{}'), path }
    const index = names.length === 0 ? Number(entry) : numberOf(section, String(entry))
    const start = starts[index]
    if (start === undefined) return undefined
    const until = starts[index + 1] ?? end
    return names.length === 0
      ? { ...cut(start, until, '[]'), path: [0, ...inner] }
      : { ...cut(start, until, '{}'), path: [entry, ...inner] }
  }
}

/** Numbers of entries by their names. */
function numberer(): (section: Section, name: string) => number {
  const known = new Map<Section, ReadonlyMap<string, number>>()
  return (section, name) => {
    const numbers = known.get(section) ?? new Map(section.names.map((each, index) => [each, index]))
    known.set(section, numbers)
    return numbers.get(name) ?? -1
  }
}
