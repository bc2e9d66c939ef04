// A Junos configuration as a tree of statements: set, delete, print, compare. Pure but for the tree that it is given to change.

import type { Children, Schema } from './schema.ts'

/** One statement. The root has the name ''. */
export interface Statement {
  /** Word, and the name behind it where it is a list's entry: `route 203.0.113.9/32`. */
  readonly name: string
  readonly schema: Schema
  /** Values of a leaf. */
  values: string[]
  children: Statement[]
  inactive: boolean
}

/** One step of a path. */
interface Step {
  readonly name: string
  readonly schema: Schema
  /** A leaf's value, where the path goes so far. */
  readonly value?: string
}

/** Several statements in one line are several paths. */
export type Paths =
  | { readonly kind: 'paths'; readonly paths: readonly (readonly Step[])[] }
  /** Index of the word that is not understood; words.length = something is missing. */
  | { readonly kind: 'error'; readonly at: number }

/** An empty configuration. */
export function emptyRoot(children: Children): Statement {
  return statement({ name: '', schema: { kind: 'container', children } })
}

function statement({ name, schema }: Step): Statement {
  return { name, schema, values: [], children: [], inactive: false }
}

/** A copy that shares nothing. */
export function copyTree(tree: Statement): Statement {
  return { ...tree, values: [...tree.values], children: tree.children.map(copyTree) }
}

/** The words of a line; quotes hold words together and are taken off. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
}

function childrenOf(schema: Schema): Children {
  return 'children' in schema ? schema.children : {}
}

/** Reads words as a path from the root. `partial`: a list without a name, or a leaf without a value, is a whole (for delete and show). */
export function readPaths(root: Statement, words: readonly string[], partial: boolean): Paths {
  const paths: Step[][] = []
  let path: Step[] = []
  let schema: Schema = root.schema
  let at = 0
  while (at < words.length) {
    const read = readStep(schema, words, at, partial)
    if (typeof read === 'number') return { kind: 'error', at: read }
    at += read.words
    const here = [...path, read.step]
    if (read.step.schema.kind === 'flag' || read.step.schema.kind === 'leaf') {
      // What follows a value belongs beside it: several statements in one line.
      paths.push(here)
      continue
    }
    path = here
    schema = read.step.schema
    if (at >= words.length) paths.push(path)
  }
  return { kind: 'paths', paths }
}

/** The step that begins at this word, or the index of the word that is wrong or missing. */
function readStep(
  parent: Schema,
  words: readonly string[],
  at: number,
  partial: boolean,
): { readonly step: Step; readonly words: number } | number {
  const word = words[at] ?? ''
  const children = childrenOf(parent)
  const schema = children[word] ?? children['*']
  if (schema === undefined || word === '*') return at
  const takesWord = schema.kind === 'leaf' || (schema.kind === 'list' && word in children)
  if (!takesWord) return { step: { name: word, schema }, words: 1 }
  const next = words[at + 1]
  if (next === undefined) return partial ? { step: { name: word, schema }, words: 1 } : at + 1
  if (schema.kind === 'leaf') return { step: { name: word, schema, value: next }, words: 2 }
  const step = { name: `${word} ${quoted(next)}`, schema }
  return keyFits(schema, next) ? { step, words: 2 } : at + 1
}

/** Whether a list takes an entry of this name. */
function keyFits(schema: Schema, name: string): boolean {
  return schema.kind !== 'list' || schema.key === undefined || schema.key.test(name)
}

/** Puts the statement of a path in, with all above it. */
export function setPath(root: Statement, path: readonly Step[]): void {
  let here = root
  for (const step of path) {
    let child = here.children.find(({ name }) => name === step.name)
    if (child === undefined) {
      child = statement(step)
      insert(here, child)
    }
    if (step.schema.kind === 'leaf' && step.value !== undefined) {
      if (step.schema.many !== true) child.values = [step.value]
      else if (!child.values.includes(step.value)) child.values.push(step.value)
    }
    here = child
  }
}

/** Statements stand in the order of the schema, entries of a list in the order in which they came. */
function insert(parent: Statement, child: Statement): void {
  const words = Object.keys(childrenOf(parent.schema))
  const rank = (one: Statement): number => {
    const at = words.indexOf(one.name.split(' ')[0] ?? '')
    return at < 0 ? words.length : at
  }
  const after = parent.children.findLastIndex((one) => rank(one) <= rank(child))
  parent.children.splice(after + 1, 0, child)
}

/** Takes the statement of a path out, and what is empty above it. Answers whether it was there. */
export function deletePath(root: Statement, path: readonly Step[]): boolean {
  const [step, ...rest] = path
  if (step === undefined) return false
  // A list without a name means all its entries.
  const whole = step.schema.kind === 'list' && rest.length === 0 && !step.name.includes(' ')
  const fits = (one: Statement): boolean =>
    one.name === step.name || (whole && one.name.startsWith(`${step.name} `))
  const child = root.children.find(fits)
  if (child === undefined) return false
  if (rest.length > 0) {
    if (!deletePath(child, rest)) return false
    if (child.children.length === 0 && isImplied(child.schema)) remove(root, child)
    return true
  }
  if (step.value !== undefined) {
    if (!child.values.includes(step.value)) return false
    child.values = child.values.filter((value) => value !== step.value)
    if (child.values.length === 0) remove(root, child)
    return true
  }
  root.children = root.children.filter((one) => !fits(one))
  return true
}

/** Whether a statement means nothing once it is empty. */
function isImplied(schema: Schema): boolean {
  if (schema.kind === 'container') return schema.presence !== true
  return schema.kind === 'list' && schema.implied === true
}

function remove(parent: Statement, child: Statement): void {
  parent.children = parent.children.filter((one) => one !== child)
}

/** The statement at a path of names, or undefined. */
export function findStatement(root: Statement, ...names: readonly string[]): Statement | undefined {
  let here: Statement | undefined = root
  for (const name of names) here = here?.children.find((one) => one.name === name)
  return here
}

/** Entries of a list: those whose names begin with this word. */
export function entriesOf(parent: Statement | undefined, word: string): Statement[] {
  return parent?.children.filter(({ name }) => name.startsWith(`${word} `)) ?? []
}

/** The name of an entry, without its word and quotes. */
export function entryName(entry: Statement): string {
  return wordsOf(entry.name).slice(1).join(' ')
}

/** Value of a leaf, or undefined. */
export function valueOf(parent: Statement | undefined, word: string): string | undefined {
  return parent?.children.find(({ name }) => name === word)?.values[0]
}

function quoted(text: string): string {
  return /^[\w.:/@%+*-]+$/.test(text) ? text : `"${text}"`
}

function leafText(leaf: Statement): string {
  const [first = ''] = leaf.values
  return leaf.values.length === 1
    ? `${leaf.name} ${quoted(first)}`
    : `${leaf.name} [ ${leaf.values.map(quoted).join(' ')} ]`
}

/** A statement with braces. */
export function printStatement(one: Statement, indent = ''): string[] {
  const inactive = one.inactive ? 'inactive: ' : ''
  if (one.schema.kind === 'leaf') return [`${indent}${inactive}${leafText(one)};`]
  if (one.children.length === 0) return [`${indent}${inactive}${one.name};`]
  return [
    `${indent}${inactive}${one.name} {`,
    ...one.children.flatMap((child) => printStatement(child, `${indent}    `)),
    `${indent}}`,
  ]
}

/** All statements as `set` lines below a path. */
export function displaySet(one: Statement, path: readonly string[]): string[] {
  const here = one.name === '' ? path : [...path, one.name]
  const lines: string[] = []
  if (one.schema.kind === 'leaf') {
    lines.push(...one.values.map((value) => `set ${[...here, quoted(value)].join(' ')}`))
  } else if (one.children.length === 0) {
    if (one.name !== '') lines.push(`set ${here.join(' ')}`)
  } else {
    lines.push(...one.children.flatMap((child) => displaySet(child, here)))
  }
  if (one.inactive) lines.push(`deactivate ${here.join(' ')}`)
  return lines
}

/** `show | compare`: hunks of what the second has and the first has not, and the other way round. */
export function compareTrees(
  before: Statement,
  after: Statement,
  path: readonly string[] = [],
): string[] {
  const pad = ' '.repeat(path.length + 2)
  const changes: string[] = []
  const inner: string[] = []
  const signed = (sign: string, one: Statement): string[] =>
    printStatement(one).map((line) => `${sign}${pad}${line}`)
  for (const old of before.children) {
    const now = after.children.find(({ name }) => name === old.name)
    if (now === undefined) changes.push(...signed('-', old))
    else if (old.schema.kind === 'leaf') {
      if (leafText(old) !== leafText(now)) changes.push(...signed('-', old), ...signed('+', now))
    } else if (old.inactive !== now.inactive)
      changes.push(`!${pad}${now.inactive ? 'inactive: ' : 'active: '}${now.name} { ... }`)
    else inner.push(...compareTrees(old, now, [...path, old.name]))
  }
  for (const now of after.children) {
    if (!before.children.some(({ name }) => name === now.name)) changes.push(...signed('+', now))
  }
  const head = path.length === 0 ? '[edit]' : `[edit ${path.join(' ')}]`
  return [...(changes.length === 0 ? [] : [head, ...changes]), ...inner]
}
