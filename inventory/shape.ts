// A parsed YAML file against its zod schema: data that fits, and a problem for each thing that doesn't. What is wrong is left out, so that the checks behind see the rest.

import type * as z from 'zod'
import type { Problem } from './problem.ts'
import { type Path, printPath, type Tree } from './yaml.ts'
import type { Fault } from './yaml-syntax.ts'

/** What fits, its problems, and how to point at it. */
export interface Shaped<T> {
  /** Without the parts that have problems; undefined where nothing is left. */
  readonly value: T | undefined
  readonly problems: readonly Problem[]
  /** As `tree.problem`, with list places counted in `value`. */
  problem(path: Path, fault: Fault, key?: boolean): Problem
  /** Whether something stands at this path in the file, be it right or wrong. */
  has(path: Path): boolean
}

/** What a file is checked with. */
export interface ShapeRules<T> {
  readonly schema: z.ZodType<T>
  /** The schema without what, alone, should not hide the rest: the version. */
  readonly lenient?: z.ZodType<T>
  /** Of sections of the file: whether the schema would give an entry back as it is. Of a hundred thousand entries it is asked about few then. */
  readonly settled?: Settled
}

type Settled = Readonly<Record<string, (entry: unknown) => boolean>>

/** Checks one file. Every problem at once, each once. */
export function shape<T>(tree: Tree, rules: ShapeRules<T>): Shaped<T> {
  const { schema, lenient = schema } = rules
  const moved = new Map<string, readonly number[]>()
  const original = (path: Path): Path => restore(path, moved)
  const problems: Problem[] = []
  /** Maps and lists that something was left out of. */
  const gapped = new Set<string>()
  let left: unknown = tree.value
  let value: T | undefined
  // First single fields and items go, then whole entries, then whole sections.
  for (const depth of [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 2, 1, 0]) {
    const first = left === tree.value
    const result = first ? parsed(schema, left, rules.settled ?? {}) : lenient.safeParse(left)
    if (result.success) {
      value = result.data
      break
    }
    // What the leaving out itself caused is no new problem; what it uncovered (rules over several fields, all of them there) is.
    const issues = result.error.issues.filter(
      (issue) =>
        first || (issue.code === 'custom' && !gapped.has(printPath(original(keysOf(issue.path))))),
    )
    for (const issue of issues) problems.push(...problemsOf(tree, issue, original))
    const paths = result.error.issues
      .flatMap((issue) => pathsOf(issue, left))
      .map((path) => path.slice(0, depth))
    for (const path of paths) gapped.add(printPath(original(path.slice(0, -1))))
    left = without(left, paths, moved)
  }
  return {
    value,
    problems: unique(problems.filter(({ path }) => !misread(tree, path))),
    problem: (path, fault, key) => tree.problem(original(path), fault, key),
    has: (path) => tree.has(original(path)),
  }
}

// Where anything is wrong the schema looks at all of it, so that its problems are the same, in the same order.
function parsed<T>(schema: z.ZodType<T>, value: unknown, settled: Settled) {
  if (typeof value !== 'object' || value === null) return schema.safeParse(value)
  const asked: Record<string, unknown> = { ...value }
  const sections = Object.entries(settled).flatMap(([name, test]) => {
    const section: unknown = asked[name]
    if (typeof section !== 'object' || section === null || Array.isArray(section)) return []
    const open = Object.entries(section).filter(([, entry]) => !test(entry))
    asked[name] = Object.fromEntries(open)
    return [{ name, section, isWhole: open.length === 0 }]
  })
  const result = schema.safeParse(asked)
  if (!result.success) return schema.safeParse(value)
  const data: Record<string, unknown> = { ...Object(result.data) }
  for (const { name, section, isWhole } of sections) {
    data[name] = isWhole ? section : { ...section, ...Object(data[name]) }
  }
  // What was put back is what the schema would have given.
  return { ...result, data: data as T }
}

function misread(tree: Tree, path: string): boolean {
  return tree.misread.some(
    (place) => path === place || (path.startsWith(place) && /^[.[]/.test(path.slice(place.length))),
  )
}

type Issue = z.core.$ZodIssue

function problemsOf(tree: Tree, issue: Issue, original: (path: Path) => Path): readonly Problem[] {
  const path = original(keysOf(issue.path))
  if (issue.code === 'invalid_union') return unionProblems(tree, issue, original)
  if (issue.code === 'custom') return [tree.problem(path, customFault(tree, path, issue))]
  if (issue.code !== 'unrecognized_keys') return [tree.problem(path, plainFault(tree, path, issue))]
  return issue.keys.map((key) => {
    const fault = {
      message: `there is no field "${key}" here`,
      found: key,
      expected: 'a field that the schema names',
      remedy: /^(password|passphrase|secret)$/i.test(key)
        ? `a secret never stands in these files: name the environment variable that holds it, with "${key.toLowerCase()}Env: NAME"`
        : 'look for a spelling mistake, or remove it (`--schema` prints what there is)',
    }
    return tree.problem([...path, key], fault, true)
  })
}

// Of the alternatives the one is meant whose outermost type fits; its own problems say more than "invalid".
function unionProblems(
  tree: Tree,
  issue: Extract<Issue, { code: 'invalid_union' }>,
  original: (path: Path) => Path,
): readonly Problem[] {
  const meant =
    issue.errors.find((branch) => !branch.some(({ path }) => path.length === 0)) ??
    issue.errors.find((branch) =>
      branch.some(({ code }) => code === 'custom' || code === 'unrecognized_keys'),
    )
  if (meant !== undefined) {
    return meant.flatMap((inner) =>
      problemsOf(tree, { ...inner, path: [...issue.path, ...inner.path] }, original),
    )
  }
  const path = original(keysOf(issue.path))
  const expected = issue.errors.flatMap((branch) => branch.map(expectedOf)).join(', or ')
  return [tree.problem(path, faultFor(tree, path, expected))]
}

function customFault(tree: Tree, path: Path, issue: Extract<Issue, { code: 'custom' }>): Fault {
  const params: Record<string, unknown> = issue.params ?? {}
  const text = (name: string): string | undefined =>
    typeof params[name] === 'string' ? params[name] : undefined
  const found = text('found') ?? tree.written(path) ?? 'nothing'
  const expected = text('expected')
  return {
    message: issue.message,
    found,
    ...(expected === undefined ? {} : { expected }),
    remedy: text('remedy') ?? 'correct it',
  }
}

function plainFault(tree: Tree, path: Path, issue: Issue): Fault {
  const isText = issue.code === 'invalid_type' && issue.expected === 'string' && !hasOwnWords(issue)
  return faultFor(tree, path, expectedOf(issue), isText)
}

function faultFor(tree: Tree, path: Path, expected: string, isText = false): Fault {
  const name = String(path.at(-1))
  const found = tree.written(path)
  if (found === undefined && path.length === 0) {
    return {
      message: 'the file is empty',
      found: 'nothing',
      expected,
      remedy: 'write what it should hold, or remove it',
    }
  }
  if (found === undefined) {
    return {
      message: `"${name}" is missing`,
      found: 'nothing',
      expected,
      remedy: `add "${name}: …"`,
    }
  }
  if (found === 'nothing') {
    const message = `"${name}" has no value`
    return { message, found, expected, remedy: `write ${expected}, or remove the line` }
  }
  return { message: `${found} is not ${expected}`, found, expected, remedy: remedyOf() }

  function remedyOf(): string {
    if (isText && /^[\w.+-]+$/.test(found ?? '')) return `put it into quotes: "${found}"`
    if (/number|true or false/.test(expected) && /^['"]/.test(found ?? '')) {
      return `write ${expected}, without quotes`
    }
    return `write ${expected}`
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list: [ … ]',
  object: 'a map: { … }',
  record: 'a map: { … }',
}

function hasOwnWords(issue: Issue): boolean {
  return !issue.message.startsWith('Invalid input')
}

function expectedOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && hasOwnWords(issue)) return issue.message
  if (issue.code === 'invalid_type') return typeWords[issue.expected] ?? issue.expected
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    return values.length === 1 ? values.join('') : `one of ${values.join(', ')}`
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') return sizeOf(issue)
  return issue.message
}

function sizeOf(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const what = issue.origin === 'string' ? 'text of' : 'number of'
  if (issue.code === 'too_big') return `a ${what} at most ${issue.maximum}`
  if (issue.origin !== 'array') return `a ${what} at least ${issue.minimum}`
  return `a list of at least ${issue.minimum === 1 ? 'one' : issue.minimum}`
}

/** What has to go so that the issue goes. */
function pathsOf(issue: Issue, value: unknown): readonly Path[] {
  const path = keysOf(issue.path)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...path, key])
  const item = path.findLastIndex((part) => typeof part === 'number')
  // A wrong field of a list's item takes the item with it, a missing one what it is missing from.
  if (item >= 0) return [path.slice(0, item + 1)]
  return [stands(value, path) ? path : path.slice(0, -1)]
}

function stands(value: unknown, path: Path): boolean {
  let here = value
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return false
    here = Reflect.get(here, part)
  }
  return true
}

function keysOf(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === 'symbol' ? String(part) : part))
}

function without(
  value: unknown,
  paths: readonly Path[],
  moved: Map<string, readonly number[]>,
  here: Path = [],
): unknown {
  if (paths.length === 0 || paths.some((path) => path.length === 0)) {
    return paths.length === 0 ? value : undefined
  }
  const inside = new Map<string | number, Path[]>()
  for (const [first = '', ...rest] of paths) {
    const known = inside.get(first)
    if (known === undefined) inside.set(first, [rest])
    else known.push(rest)
  }
  const gone = (part: string | number): boolean =>
    inside.get(part)?.some((rest) => rest.length === 0) ?? false
  const next = (part: string | number, of: unknown): unknown =>
    without(of, inside.get(part) ?? [], moved, [...here, part])
  if (Array.isArray(value)) {
    const before = moved.get(printPath(here)) ?? value.map((_, index) => index)
    moved.set(
      printPath(here),
      before.filter((_, index) => !gone(index)),
    )
    return value.flatMap((of, index) => (gone(index) ? [] : [next(index, of)]))
  }
  if (typeof value !== 'object' || value === null) return undefined
  return Object.fromEntries(
    Object.entries(value).flatMap(([part, of]) => (gone(part) ? [] : [[part, next(part, of)]])),
  )
}

// Lists never stand inside lists here, so the places of one list depend on no other's.
function restore(path: Path, moved: ReadonlyMap<string, readonly number[]>): Path {
  return path.map((part, index) =>
    typeof part === 'number' ? (moved.get(printPath(path.slice(0, index)))?.[part] ?? part) : part,
  )
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  const byText = new Map(
    problems.map((problem) => [`${problem.line}:${problem.column}:${problem.message}`, problem]),
  )
  return [...byText.values()]
}
