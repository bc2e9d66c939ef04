// YAML text → data with the place of every value, and the traps of YAML that would change a meaning in silence. Shared by inventory and playbooks.

import { type Document, isScalar, isSeq, type Pair, parseDocument, type Scalar, visit } from 'yaml'
import { readJson } from './json-text.ts'
import { type PlainText, readPlainYaml } from './plain-yaml.ts'
import { type Problem, showable } from './problem.ts'
import { foundMax, keyName, offsetOfNode, type Path, type Places, placesOf } from './yaml-nodes.ts'
import { lineFinder, placesIn } from './yaml-places.ts'
import { address6, type Fault, onePerPlace, syntaxFault } from './yaml-syntax.ts'

export type { Path } from './yaml-nodes.ts'
export type { Fault } from './yaml-syntax.ts'

/** One YAML file after parsing. */
export interface Tree {
  /** As the user named it. */
  readonly file: string
  readonly value: unknown
  /** What YAML itself finds wrong, and where it would read something else than a person does. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Paths whose value is not what was written: what a schema says there, or below, helps nobody. */
  readonly misread: readonly string[]
  /** Builds a problem at a path, or at the nearest thing above it that exists. `key`: at the name of the field, not its value. */
  problem(path: Path, what: Fault, key?: boolean): Problem
  /** The value as it is written, for "found"; undefined where nothing stands there. */
  written(path: Path): string | undefined
  /** Whether something stands there, be it nothing: `written` without reading the text again. */
  has(path: Path): boolean
}

/** `customers.esthost.prefixes[0]` */
export function printPath(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index > 0 ? `.${part}` : part))
    .join('')
}

/** Parses one file. Never throws: what can't be read is a problem. What is plain YAML or JSON is read fast, with the same result. */
export function parseYaml(file: string, text: string): Tree {
  const plain = readJson(text) ?? readPlainYaml(text)
  return plain === undefined ? wholeTree(file, text) : plainTree(file, text, plain)
}

/** The same by the whole parser, whatever the text holds. */
export function wholeTree(file: string, text: string): Tree {
  // Duplicates are found below: the parser's own check takes quadratic time.
  const document = parseDocument(text, { uniqueKeys: false, logLevel: 'error' })
  const at = problemsAt(file, text)
  const traps = trapsOf(document, at)
  // Behind the first error the parser stumbles over all that follows: those tokens are no mistakes of their own.
  const errors = [...document.errors, ...document.warnings].filter(
    ({ message }, index) => index === 0 || !/^Unexpected .* token in YAML stream/.test(message),
  )
  const syntax = onePerPlace(
    errors.map((error) => {
      const { offset, fault } = syntaxFault(error, text)
      return at(offset, [], fault)
    }),
  )
  const read = syntax.length > 0 ? { value: undefined, problems: [] } : valueOf(document, at)
  const places = placesOf(document, text)
  return {
    file,
    value: read.value,
    problems: [...syntax, ...(syntax.length > 0 ? [] : traps.problems), ...read.problems],
    warnings: traps.warnings,
    misread: traps.misread,
    ...pointing(places, at),
    has: (path) => places.written(path) !== undefined,
  }
}

// Nothing is wrong in it, as far as YAML goes, and no trap: places are found when somebody asks.
function plainTree(file: string, text: string, plain: PlainText): Tree {
  return {
    file,
    value: plain.value,
    problems: [],
    warnings: [],
    misread: [],
    ...pointing(placesIn(text, plain), problemsAt(file, text)),
    has: (path) => stands(plain.value, path),
  }
}

function pointing(places: Places, at: At): Pick<Tree, 'problem' | 'written'> {
  return {
    problem: (path, fault, key = false) => at(places.offset(path, key), path, fault),
    written: (path) => places.written(path),
  }
}

function problemsAt(file: string, text: string): At {
  const find = lineFinder(text)
  return (offset, path, fault) => ({
    file,
    ...find(offset),
    path: showable(printPath(path)),
    ...fault,
    message: showable(fault.message),
    remedy: showable(fault.remedy),
    ...(fault.found === undefined ? {} : { found: showable(fault.found, foundMax) }),
  })
}

function stands(value: unknown, path: Path): boolean {
  let here = value
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return false
    here = Reflect.get(here, part)
  }
  return here !== undefined
}

/** What each place of a document is reported with. */
type At = (offset: number, path: Path, fault: Fault) => Problem

function valueOf(
  document: Document.Parsed,
  at: At,
): { readonly value: unknown; readonly problems: readonly Problem[] } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), problems: [] }
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    const remedy = 'use anchors sparingly: groups and defaults do the same with better errors'
    const fault = words.startsWith('Unresolved alias')
      ? { message: 'an alias (*) without its anchor (&) before it', expected: 'an anchor before' }
      : { message: 'aliases unfold to more than can be meant', expected: 'few of them' }
    const { offset, found } = firstAlias(document, fault.message.startsWith('an alias'))
    return { value: undefined, problems: [at(offset, [], { ...fault, found, remedy })] }
  }
}

/** The first alias of a document, or the first that stands for nothing. */
function firstAlias(
  document: Document.Parsed,
  unresolved: boolean,
): { readonly offset: number; readonly found: string } {
  let first = { offset: 0, found: 'aliases' }
  visit(document, {
    Alias(_, alias) {
      if (unresolved && alias.resolve(document) !== undefined) return undefined
      first = { offset: offsetOfNode(alias), found: `*${alias.source}` }
      return visit.BREAK
    },
  })
  return first
}

interface Traps {
  readonly problems: Problem[]
  readonly warnings: Problem[]
  readonly misread: string[]
}

function trapsOf(document: Document.Parsed, at: At): Traps {
  const traps: Traps = { problems: [], warnings: [], misread: [] }
  visit(document, {
    Map(where, map, ancestors) {
      const path = pathOf(ancestors, typeof where === 'number' ? where : undefined)
      const seen = new Map<string, number>()
      for (const { key } of map.items) {
        const name = keyName(key)
        checkKey(key, path, at, traps)
        if (name === undefined) continue
        const before = seen.get(name)
        if (before === undefined) seen.set(name, offsetOfNode(key))
        else traps.problems.push(duplicate(name, path, [before, offsetOfNode(key)], at))
      }
    },
    Scalar(where, scalar, ancestors) {
      if (where === 'key') return
      checkValue(
        scalar,
        pathOf(ancestors, typeof where === 'number' ? where : undefined),
        at,
        traps,
      )
    },
  })
  return traps
}

function checkKey(key: unknown, path: Path, at: At, traps: Traps): void {
  const name = keyName(key)
  const offset = offsetOfNode(key)
  if (name?.endsWith(':') === true && address6.test(`${name}:`)) {
    // As a list's item, with nothing behind it: someone wrote an address that ends in a colon.
    traps.problems.push(at(offset, path, colonAtEnd(name)))
    traps.misread.push(printPath(path))
    return
  }
  const fault =
    name === undefined ? { ...badKey, found: 'a list, a map or nothing' } : keyFault(name, key)
  if (fault === undefined) return
  const place = [...path, name ?? '?']
  traps.problems.push(at(offset, place, fault))
  traps.misread.push(printPath(place))
}

function checkValue(scalar: Scalar, path: Path, at: At, traps: Traps): void {
  const fault = numberFault(scalar)
  const offset = offsetOfNode(scalar)
  if (fault !== undefined) {
    traps.problems.push(at(offset, path, fault))
    traps.misread.push(printPath(path))
  }
  if (scalar.type !== 'PLAIN' || !/^[^\s#]/.test(scalar.comment ?? '')) return
  traps.warnings.push(
    at(offset, path, {
      message: `"#${scalar.comment ?? ''}" behind the value is a comment to YAML, not part of it`,
      found: scalar.source ?? '',
      expected: 'quotes, or a blank behind "#"',
      remedy: 'put the whole value into quotes if the text belongs to it',
    }),
  )
}

function duplicate(
  name: string,
  path: Path,
  [before, again]: readonly [before: number, again: number],
  at: At,
): Problem {
  const first = at(before, path, badKey)
  return at(again, [...path, name], {
    message: `"${name}" stands here twice: first on line ${first.line}`,
    found: `"${name}" again`,
    expected: 'each name once',
    remedy: 'merge the two, or rename one',
  })
}

const badKey: Fault = {
  message: 'a name here is no plain text',
  expected: 'a text as name',
  remedy: 'put the name into quotes, and values in lists or fields of their own',
}

function keyFault(name: string, key: unknown): Fault | undefined {
  const source = isScalar(key) ? (key.source ?? name) : name
  if (isScalar(key) && typeof key.value === 'number' && source !== name) {
    return {
      message: `the name ${source} reads as the number ${name}`,
      found: source,
      expected: 'a text as name',
      remedy: `put it into quotes: "${source}"`,
    }
  }
  if (name === '__proto__') {
    const message = '"__proto__" can not be a name'
    return { message, found: name, expected: 'any other name', remedy: 'rename it' }
  }
  if (name === '<<') {
    return {
      message: 'a merge key (<<) is not read',
      found: name,
      expected: 'the fields themselves',
      remedy: 'use groups and defaults, which do the same, or write the fields out',
    }
  }
  return undefined
}

function colonAtEnd(name: string): Fault {
  return {
    message: `"${name}:" reads as a map, not as an address, because a colon ends it`,
    found: 'a map',
    expected: 'an address or prefix',
    remedy: `put it into quotes: "${name}:", or with its length: ${name}:/128`,
  }
}

// 010 is 10, 1.10 is 1.1, 1e3 is 1000, and beyond 2^53 digits are lost.
function numberFault(scalar: Scalar): Fault | undefined {
  const { value, source } = scalar
  if (typeof value !== 'number' || source === undefined || String(value) === source)
    return undefined
  return {
    message: `${source} reads as the number ${value}`,
    found: source,
    expected: 'a number as it is meant, or a text in quotes',
    remedy: Number.isFinite(value)
      ? `write ${value} if you mean the number, or "${source}" if you mean the text`
      : // Written as JavaScript prints them, they would be read as a text.
        `write "${source}" if you mean the text; as a number it is taken nowhere here`,
  }
}

function pathOf(ancestors: readonly unknown[], index?: number): Path {
  const path: (string | number)[] = []
  ancestors.forEach((ancestor, depth) => {
    const next = ancestors[depth + 1]
    if (isPair(ancestor)) path.push(keyName(ancestor.key) ?? '?')
    else if (isSeq(ancestor) && next !== undefined) path.push(ancestor.items.indexOf(next))
  })
  return index === undefined ? path : [...path, index]
}

function isPair(node: unknown): node is Pair {
  return typeof node === 'object' && node !== null && 'key' in node && 'value' in node
}
