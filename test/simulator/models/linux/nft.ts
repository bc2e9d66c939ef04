// `nft`: tables, sets with intervals, chains with rules; several statements are one transaction. Texts as nftables 1.0.6 gives them. Printing is nft-print.ts.

import { dispatch } from '../dispatch.ts'
import { addElements, deleteElements, getElements } from './nft-elements.ts'
import { printNft } from './nft-print.ts'
import { findTable, missing, type NftSet, type NftTable, syntax, type Wrong } from './nft-tables.ts'
import { fail, type Ran, ran } from './ran.ts'
import { copyKernel, type LinuxState } from './state.ts'

/** `nft …`: words are joined by blanks, as nft does it. */
export function nft(
  state: LinuxState,
  words: readonly string[],
  root: boolean,
  input: string,
): Ran {
  if (words[0] === '--version' || words[0] === '-v')
    return ran('nftables v1.0.6 (Lester Gooch #5)\n')
  const has = (...flags: readonly string[]): boolean => flags.some((flag) => words.includes(flag))
  const json = has('-j', '--json')
  const check = has('-c', '--check')
  const fileAt = words.findIndex((word) => word === '-f' || word === '--file')
  const terse = has('-t', '--terse')
  const plain = words.filter(
    (word, at) => !word.startsWith('-') && (fileAt < 0 || at !== fileAt + 1),
  )
  const file = fileAt < 0 ? undefined : (words[fileAt + 1] ?? '-')
  const text = file === undefined ? plain.join(' ') : file === '-' ? input : state.files.get(file)
  if (text === undefined) {
    return fail(1, `Error: Could not open file "${file}": No such file or directory\n`)
  }
  if (!root) {
    return fail(
      1,
      'Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted\n',
    )
  }
  return transaction(state, text, {
    json,
    terse,
    check,
    file: file === '-' ? '/dev/stdin' : file,
  })
}

interface Options {
  readonly json: boolean
  /** Without the elements of sets. */
  readonly terse: boolean
  readonly check: boolean
  readonly file: string | undefined
}

function transaction(state: LinuxState, text: string, { json, terse, check, file }: Options): Ran {
  const before = state.kernel.tables
  state.kernel.tables = copyKernel(state.kernel).tables
  let out = ''
  for (const { statement, line } of statementsOf(text)) {
    const result = run(state, statement, { json, terse })
    if (typeof result === 'string') {
      out += result
      continue
    }
    // One bad statement, and nothing of all is done.
    state.kernel.tables = before
    return fail(1, pointAt(result, statement, file === undefined ? undefined : { file, line }))
  }
  if (check) state.kernel.tables = before
  else state.listener()
  return ran(out)
}

function pointAt(
  wrong: Wrong,
  statement: string,
  place: { readonly file: string; readonly line: number } | undefined,
): string {
  const at = Math.max(0, statement.indexOf(wrong.at))
  const head =
    place === undefined ? '' : `${place.file}:${place.line}:${at + 1}-${at + wrong.at.length}: `
  return `${head}Error: ${wrong.message}\n${statement}\n${' '.repeat(at)}${'^'.repeat(Math.max(1, wrong.at.length))}\n`
}

/** Statements are parted by `;` and line ends outside of braces and quotes. */
function statementsOf(text: string): { statement: string; line: number }[] {
  const statements: { statement: string; line: number }[] = []
  let depth = 0
  let quoted = false
  let current = ''
  let line = 1
  const push = (): void => {
    const statement = current.trim()
    if (statement !== '' && !statement.startsWith('#')) statements.push({ statement, line })
    current = ''
  }
  for (const char of text) {
    if (char === '"') quoted = !quoted
    if (!quoted && char === '{') depth += 1
    if (!quoted && char === '}') depth -= 1
    if (!quoted && depth === 0 && (char === ';' || char === '\n')) {
      push()
      if (char === '\n') line += 1
    } else current += char
  }
  push()
  return statements
}

function run(
  state: LinuxState,
  statement: string,
  how: Pick<Options, 'json' | 'terse'>,
): string | Wrong {
  if (state.refusals.delete(statement)) {
    return { message: 'Could not process rule: No buffer space available', at: statement }
  }
  const known = dispatch<string | Wrong>(statement, [
    [/^list (.*)$/, ([, rest = '']) => list(state, rest, how)],
    [/^get element\b/, () => getElements(state, statement)],
    [/^flush (.*)$/, ([, rest = '']) => flush(state, rest)],
    [/^(add|create) element\b/, ([, verb = '']) => addElements(state, statement, verb)],
    [/^(?:delete|destroy) element\b/, () => deleteElements(state, statement)],
    [
      /^(add|create) (table|set|chain|rule)\b/,
      ([, verb = '', object = '']) => add(state, statement, verb, object),
    ],
    [
      /^(?:delete|destroy) (table|set|chain|rule)\b/,
      ([, object = '']) => remove(state, statement, object),
    ],
  ])
  if (known !== undefined) return known
  const [verb = '', object = ''] = statement.split(/\s+/)
  if (/^(?:list|get|flush|add|create|delete|destroy)$/.test(verb)) return syntax(object)
  const found = object === '' ? 'end of file' : object
  return { message: `syntax error, unexpected ${found}, expecting string`, at: object || verb }
}

function list(
  state: LinuxState,
  text: string,
  { json, terse }: Pick<Options, 'json' | 'terse'>,
): string | Wrong {
  const all = state.kernel.tables
  const shown = (table: NftTable): NftTable =>
    terse ? { ...table, sets: table.sets.map((set) => ({ ...set, elements: [] })) } : table
  const bare = (table: NftTable): NftTable => ({ ...table, sets: [], chains: [] })
  const within = (
    family = '',
    name = '',
    pick: (table: NftTable) => string | Wrong,
  ): string | Wrong => {
    const table = findTable(state, family, name)
    return table === undefined ? { message: missing, at: name } : pick(table)
  }
  const known = dispatch<string | Wrong>(text, [
    [/^ruleset$/, () => printNft(all.map(shown), json)],
    [
      /^tables$/,
      () =>
        json
          ? printNft(all.map(bare), json)
          : all.map((one) => `table ${one.family} ${one.name}\n`).join(''),
    ],
    [/^(?:flowtables|counters)$/, () => (json ? printNft([], json) : '')],
    [
      /^table (\S+) (\S+)$/,
      ([, family, name]) => within(family, name, (table) => printNft([shown(table)], json)),
    ],
    [
      /^set (\S+) (\S+) (\S+)$/,
      ([, family, name, inner = '']) =>
        within(family, name, (table) => {
          const sets = table.sets.filter((one) => one.name === inner)
          return sets.length === 0
            ? { message: missing, at: inner }
            : printNft([{ ...bare(table), sets }], json, 'set')
        }),
    ],
    [
      /^chain (\S+) (\S+) (\S+)$/,
      ([, family, name, inner = '']) =>
        within(family, name, (table) => {
          const chains = table.chains.filter((one) => one.name === inner)
          return chains.length === 0
            ? { message: missing, at: inner }
            : printNft([{ ...bare(table), chains }], json)
        }),
    ],
  ])
  return known ?? syntax(text.split(/\s+/)[0] ?? '')
}

function flush(state: LinuxState, text: string): string | Wrong {
  const [object = '', family, name, inner = ''] = text.split(/\s+/)
  if (object === 'ruleset') {
    const others = (one: NftTable): boolean => family !== undefined && one.family !== family
    state.kernel.tables = state.kernel.tables.filter(others)
    return ''
  }
  const table = findTable(state, family, name)
  if (table === undefined) return { message: missing, at: name ?? '' }
  switch (object) {
    case 'table':
      for (const chain of table.chains) chain.rules = []
      return ''
    case 'chain':
      return emptied(table.chains, inner, (chain) => (chain.rules = []))
    case 'set':
      return emptied(table.sets, inner, (set) => (set.elements = []))
    default:
      return syntax(object)
  }
}

function emptied<T extends { readonly name: string }>(
  all: readonly T[],
  name: string,
  empty: (one: T) => void,
): string | Wrong {
  const one = all.find((other) => other.name === name)
  if (one === undefined) return { message: missing, at: name }
  empty(one)
  return ''
}

function add(state: LinuxState, statement: string, verb: string, object: string): string | Wrong {
  const words = statement.split(/\s+/)
  const [, , family = '', name = '', inner = ''] = words
  const table = findTable(state, family, name)
  if (object === 'table') {
    const dormant = /\{[^}]*\bflags dormant\b/.test(statement)
    return addTable(state, { family, name, dormant }, verb)
  }
  if (table === undefined) return { message: missing, at: name }
  if (object === 'set') return addSet(state, table, inner, statement)
  if (object === 'chain') return addChain(state, table, inner, statement)
  const chain = table.chains.find((one) => one.name === inner)
  if (chain === undefined) return { message: missing, at: inner }
  chain.rules.push({ handle: nextHandle(state), text: words.slice(5).join(' ') })
  return ''
}

function addTable(
  state: LinuxState,
  { family, name, dormant }: Pick<NftTable, 'family' | 'name' | 'dormant'>,
  verb: string,
): string | Wrong {
  const there = findTable(state, family, name)
  if (there !== undefined) {
    if (verb !== 'add') return { message: 'Could not process rule: File exists', at: name }
    // The flags are set to what the statement says: without any it wakes up.
    there.dormant = dormant
    return ''
  }
  const handle = nextHandle(state)
  state.kernel.tables.push({ family, name, handle, dormant, sets: [], chains: [] })
  return ''
}

function nextHandle(state: LinuxState): number {
  state.handles += 1
  return state.handles
}

function addSet(
  state: LinuxState,
  table: NftTable,
  name: string,
  statement: string,
): string | Wrong {
  // Once more: the set keeps its elements.
  if (table.sets.some((one) => one.name === name)) return ''
  const type = /\btype (ipv4_addr|ipv6_addr)\b/.exec(statement)?.[1]
  if (type === undefined) return { message: 'set definition does not specify key', at: name }
  table.sets.push({
    name,
    type: type as NftSet['type'],
    handle: nextHandle(state),
    counter: /\bcounter\b/.test(statement),
    elements: [],
  })
  return ''
}

function addChain(
  state: LinuxState,
  table: NftTable,
  name: string,
  statement: string,
): string | Wrong {
  if (table.chains.some((one) => one.name === name)) return ''
  const hook = /\btype (\w+) hook (\w+) priority ([\w -]+?) ?;/.exec(statement)
  table.chains.push({
    name,
    handle: nextHandle(state),
    hook:
      hook === null
        ? undefined
        : { type: hook[1] ?? '', hook: hook[2] ?? '', priority: priorityOf(hook[3] ?? '0') },
    rules: [],
  })
  return ''
}

function priorityOf(text: string): number {
  const named = /^raw(?: - (\d+))?$/.exec(text)
  return named === null ? Number(text) : -300 - Number(named[1] ?? 0)
}

function remove(state: LinuxState, statement: string, object: string): string | Wrong {
  const [, , family = '', name = '', inner = ''] = statement.split(/\s+/)
  const table = findTable(state, family, name)
  if (table === undefined) return { message: missing, at: name }
  const others = (one: { readonly name: string }): boolean => one.name !== inner
  if (object === 'table') {
    state.kernel.tables = state.kernel.tables.filter((one) => one !== table)
  } else if (object === 'set') table.sets = table.sets.filter(others)
  else if (object === 'chain') table.chains = table.chains.filter(others)
  else {
    const handle = Number(/\bhandle (\d+)$/.exec(statement)?.[1] ?? -1)
    for (const chain of table.chains) {
      chain.rules = chain.rules.filter((one) => one.handle !== handle)
    }
  }
  return ''
}
