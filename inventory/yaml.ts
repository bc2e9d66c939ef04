// YAML text → data with the place of every value, and the traps of YAML that would change a meaning in silence. Shared by inventory and playbooks.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml'
import { type Problem, showable } from './problem.ts'

/** Where a value stands in the data: `['devices', 'edge1', 'port']`. */
export type Path = readonly (string | number)[]

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
}

/** A problem without its place. */
export type Fault = Pick<Problem, 'message' | 'remedy'> &
  Partial<Pick<Problem, 'found' | 'expected'>>

/** `customers.esthost.prefixes[0]` */
export function printPath(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index > 0 ? `.${part}` : part))
    .join('')
}

/** Parses one file. Never throws: what can't be read is a problem. */
export function parseYaml(file: string, text: string): Tree {
  const lines = new LineCounter()
  // Duplicates are found below: the parser's own check takes quadratic time.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false })
  const at = (offset: number, path: Path, fault: Fault): Problem => {
    const { line, col } = lines.linePos(offset)
    return {
      file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      path: showable(printPath(path)),
      ...fault,
      message: showable(fault.message),
      remedy: showable(fault.remedy),
      ...(fault.found === undefined ? {} : { found: showable(fault.found, foundMax) }),
    }
  }
  const traps = trapsOf(document, at)
  // Behind the first error the parser stumbles over all that follows: those tokens are no mistakes of their own.
  const errors = [...document.errors, ...document.warnings].filter(
    ({ message }, index) => index === 0 || !/^Unexpected .* token in YAML stream/.test(message),
  )
  const syntax = errors.map((error) =>
    at(error.pos[0], [], {
      message: error.message.split(' at line ')[0] ?? error.message,
      remedy: address6.test(text.slice(error.pos[0], error.pos[1]))
        ? 'put the address into quotes: a colon at its end makes it a map'
        : 'correct the YAML here: look at indentation, quotes and brackets',
    }),
  )
  const read = syntax.length > 0 ? { value: undefined, problems: [] } : valueOf(document, at)
  return {
    file,
    value: read.value,
    problems: [...syntax, ...(syntax.length > 0 ? [] : traps.problems), ...read.problems],
    warnings: traps.warnings,
    misread: traps.misread,
    problem: (path, fault, key = false) => at(offsetOf(document, path, key), path, fault),
    written: (path) => writtenAs(nodeAt(document, path), text),
  }
}

/** Longest value that is shown as found, in characters. */
const foundMax = 80

/** What each place of a document is reported with. */
type At = (offset: number, path: Path, fault: Fault) => Problem

const address6 = /^['"]?[0-9a-fA-F:]*::/

function valueOf(
  document: Document.Parsed,
  at: At,
): { readonly value: unknown; readonly problems: readonly Problem[] } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), problems: [] }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const remedy = 'use anchors sparingly: groups and defaults do the same with better errors'
    return { value: undefined, problems: [at(0, [], { message, remedy })] }
  }
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
  const fault = name === undefined ? badKey : keyFault(name, key)
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

function keyName(key: unknown): string | undefined {
  const value: unknown = isScalar(key) ? key.value : undefined
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
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
  if (name === '__proto__') return { ...badKey, found: name }
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
    remedy: `write ${value} if you mean the number, or "${source}" if you mean the text`,
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

function nodeAt(document: Document.Parsed, path: Path): Node | undefined {
  let node: unknown = document.contents
  for (const part of path) {
    node = resolved(document, node)
    if (isMap(node)) node = node.items.findLast(({ key }) => keyName(key) === String(part))?.value
    else if (isSeq(node)) node = node.items[Number(part)]
    else return undefined
  }
  const found = resolved(document, node)
  return isMap(found) || isSeq(found) || isScalar(found) ? found : undefined
}

function resolved(document: Document.Parsed, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node
}

function offsetOf(document: Document.Parsed, path: Path, key: boolean): number {
  for (let length = path.length; length > 0; length--) {
    const parent = nodeAt(document, path.slice(0, length - 1))
    if (isMap(parent)) {
      const pair = parent.items.findLast((item) => keyName(item.key) === String(path[length - 1]))
      if (pair !== undefined) {
        const onKey = key || length < path.length || pair.value === null
        return offsetOfNode(onKey ? pair.key : pair.value)
      }
    } else if (isSeq(parent) && parent.items[Number(path[length - 1])] !== undefined) {
      return offsetOfNode(parent.items[Number(path[length - 1])])
    }
  }
  return offsetOfNode(document.contents)
}

function offsetOfNode(node: unknown): number {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : null
  return range?.[0] ?? 0
}

function writtenAs(node: Node | undefined, text: string): string | undefined {
  if (isMap(node)) return 'a map'
  if (isSeq(node)) return 'a list'
  if (!isScalar(node)) return undefined
  if (node.value === null) return 'nothing'
  const [start, end] = node.range ?? [0, 0]
  return showable(text.slice(start, end), foundMax)
}
