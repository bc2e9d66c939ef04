// `nft`: tables, sets with intervals, chains with rules; several statements are one transaction. Texts as nftables 1.0.6 gives them. Printing is nft-print.ts.

import { overlaps, type Prefix } from '../../../../inventory/prefix.ts'
import { byPrefix, typedAddress, typedPrefix } from '../prefixes.ts'
import { fail, type Ran, ran } from './ip.ts'
import { printNft } from './nft-print.ts'
import { copyKernel, type LinuxState } from './state.ts'

/** An element of a set. */
export interface NftElement {
  readonly prefix: string
  readonly comment?: string
}

/** A named set of prefixes. */
export interface NftSet {
  readonly name: string
  readonly type: 'ipv4_addr' | 'ipv6_addr'
  readonly handle: number
  readonly counter: boolean
  elements: NftElement[]
}

/** A chain with its rules as text. */
export interface NftChain {
  readonly name: string
  readonly handle: number
  /** `type filter hook prerouting priority -310`, or undefined for a plain chain. */
  readonly hook:
    | { readonly type: string; readonly hook: string; readonly priority: number }
    | undefined
  rules: { readonly handle: number; readonly text: string }[]
}

/** A table. */
export interface NftTable {
  readonly family: string
  readonly name: string
  readonly handle: number
  sets: NftSet[]
  chains: NftChain[]
}

/** What is wrong with a statement: the words at which nft points. */
interface Wrong {
  readonly message: string
  readonly at: string
}

const missing = 'No such file or directory'

/** `nft …`: words are joined by blanks, as nft does it. */
export function nft(
  state: LinuxState,
  words: readonly string[],
  root: boolean,
  input: string,
): Ran {
  if (words[0] === '--version' || words[0] === '-v')
    return ran('nftables v1.0.6 (Lester Gooch #5)\n')
  const json = words.includes('-j') || words.includes('--json')
  const check = words.includes('-c') || words.includes('--check')
  const fileAt = words.findIndex((word) => word === '-f' || word === '--file')
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
  return transaction(state, text, { json, check, file: file === '-' ? '/dev/stdin' : file })
}

interface Options {
  readonly json: boolean
  readonly check: boolean
  readonly file: string | undefined
}

function transaction(state: LinuxState, text: string, { json, check, file }: Options): Ran {
  const before = state.kernel.tables
  state.kernel.tables = copyKernel(state.kernel).tables
  let out = ''
  for (const { statement, line } of statementsOf(text)) {
    const result = run(state, statement, json)
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

function run(state: LinuxState, statement: string, json: boolean): string | Wrong {
  const words = statement.split(/\s+/)
  const verb = words[0] ?? ''
  const object = words[1] ?? ''
  switch (verb) {
    case 'list':
      return list(state, words.slice(1), json)
    case 'get':
      return object === 'element' ? get(state, statement) : syntax(object)
    case 'flush':
      return flush(state, words.slice(1))
    case 'add':
    case 'create':
      return add(state, statement, verb, object)
    case 'delete':
    case 'destroy':
      return remove(state, statement, object)
    default:
      return {
        message: `syntax error, unexpected ${words.length > 1 ? object : 'end of file'}, expecting string`,
        at: object || verb,
      }
  }
}

function syntax(at: string): Wrong {
  return { message: `syntax error, unexpected ${at === '' ? 'end of file' : at}`, at }
}

function findTable(state: LinuxState, family = '', name = ''): NftTable | undefined {
  return state.kernel.tables.find((one) => one.family === family && one.name === name)
}

function list(state: LinuxState, words: readonly string[], json: boolean): string | Wrong {
  const [object, family, name, inner] = words
  const all = state.kernel.tables
  switch (object) {
    case 'ruleset':
      return printNft(all, json)
    case 'tables':
      return json
        ? printNft(
            all.map((one) => ({ ...one, sets: [], chains: [] })),
            json,
          )
        : all.map((one) => `table ${one.family} ${one.name}\n`).join('')
    case 'flowtables':
    case 'counters':
      return json ? printNft([], json) : ''
    case 'table': {
      const table = findTable(state, family, name)
      return table === undefined ? { message: missing, at: name ?? '' } : printNft([table], json)
    }
    case 'set': {
      const table = findTable(state, family, name)
      const sets = table?.sets.filter((one) => one.name === inner) ?? []
      if (table === undefined) return { message: missing, at: name ?? '' }
      if (sets.length === 0) return { message: missing, at: inner ?? '' }
      return printNft([{ ...table, sets, chains: [] }], json, 'set')
    }
    case 'chain': {
      const table = findTable(state, family, name)
      const chains = table?.chains.filter((one) => one.name === inner) ?? []
      if (table === undefined || chains.length === 0) return { message: missing, at: inner ?? '' }
      return printNft([{ ...table, sets: [], chains }], json)
    }
    default:
      return syntax(object ?? '')
  }
}

function flush(state: LinuxState, words: readonly string[]): string | Wrong {
  const [object, family, name, inner] = words
  if (object === 'ruleset') {
    state.kernel.tables = state.kernel.tables.filter(
      (one) => family !== undefined && one.family !== family,
    )
    return ''
  }
  const table = findTable(state, family, name)
  if (table === undefined) return { message: missing, at: name ?? '' }
  if (object === 'table') for (const chain of table.chains) chain.rules = []
  else if (object === 'chain') {
    const chain = table.chains.find((one) => one.name === inner)
    if (chain === undefined) return { message: missing, at: inner ?? '' }
    chain.rules = []
  } else if (object === 'set') {
    const set = table.sets.find((one) => one.name === inner)
    if (set === undefined) return { message: missing, at: inner ?? '' }
    set.elements = []
  } else return syntax(object ?? '')
  return ''
}

function add(state: LinuxState, statement: string, verb: string, object: string): string | Wrong {
  const words = statement.split(/\s+/)
  const [, , family = '', name = '', inner = ''] = words
  if (object === 'table') {
    if (findTable(state, family, name) !== undefined) {
      return verb === 'add' ? '' : { message: 'Could not process rule: File exists', at: name }
    }
    state.kernel.tables.push({ family, name, handle: nextHandle(state), sets: [], chains: [] })
    return ''
  }
  if (object === 'element') return addElements(state, statement, verb)
  const table = findTable(state, family, name)
  if (table === undefined) return { message: missing, at: name }
  switch (object) {
    case 'set':
      return addSet(state, table, inner, statement)
    case 'chain':
      return addChain(state, table, inner, statement)
    case 'rule': {
      const chain = table.chains.find((one) => one.name === inner)
      if (chain === undefined) return { message: missing, at: inner }
      chain.rules.push({ handle: nextHandle(state), text: words.slice(5).join(' ') })
      return ''
    }
    default:
      return syntax(object)
  }
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
  if (object === 'element') return deleteElements(state, statement)
  const table = findTable(state, family, name)
  if (table === undefined) return { message: missing, at: name }
  if (object === 'table') {
    state.kernel.tables = state.kernel.tables.filter((one) => one !== table)
  } else if (object === 'set') table.sets = table.sets.filter((one) => one.name !== inner)
  else if (object === 'chain') table.chains = table.chains.filter((one) => one.name !== inner)
  else if (object === 'rule') {
    const handle = Number(/\bhandle (\d+)$/.exec(statement)?.[1] ?? -1)
    for (const chain of table.chains)
      chain.rules = chain.rules.filter((one) => one.handle !== handle)
  } else return syntax(object)
  return ''
}

/** Set and elements of an element statement. */
function elementsOf(
  state: LinuxState,
  statement: string,
):
  | {
      readonly table: NftTable
      readonly set: NftSet
      readonly elements: readonly { element: NftElement; text: string }[]
    }
  | Wrong {
  const form = /^\w+ element (\S+) (\S+) (\S+) \{(.*)\}$/s.exec(statement)
  if (form === null) return syntax(statement.split(/\s+/)[2] ?? '')
  const [, family, tableName = '', setName = '', body = ''] = form
  const table = findTable(state, family, tableName)
  if (table === undefined) return { message: missing, at: tableName }
  const set = table.sets.find((one) => one.name === setName)
  if (set === undefined) return { message: missing, at: setName }
  const elements: { element: NftElement; text: string }[] = []
  for (const item of body.split(',')) {
    const text = item.trim()
    if (text === '') continue
    const parts = /^(\S+)(?: comment "([^"]*)")?$/.exec(text)
    if (parts === null) return syntax(text)
    const value = parts[1] ?? ''
    const family4 = set.type === 'ipv4_addr'
    const full = value.includes('/') ? value : `${value}/${family4 ? 32 : 128}`
    const prefix = typedPrefix(full, family4 ? 4 : 6)
    if (prefix === undefined) {
      return typedAddress(value.split('/')[0] ?? '') === undefined
        ? // A name, as far as nft can see: it asks the DNS.
          { message: 'Could not resolve hostname: Name or service not known', at: value }
        : {
            message: `Could not resolve hostname: Address family for hostname not supported`,
            at: value,
          }
    }
    const comment = parts[2]
    elements.push({
      text: value,
      element: { prefix, ...(comment === undefined ? {} : { comment }) },
    })
  }
  return { table, set, elements }
}

function addElements(state: LinuxState, statement: string, verb: string): string | Wrong {
  const parsed = elementsOf(state, statement)
  if ('message' in parsed) return parsed
  const { set } = parsed
  const added: NftElement[] = []
  const there = new Set(set.elements.map(({ prefix }) => prefix))
  for (const { element, text } of parsed.elements) {
    if (there.has(element.prefix)) {
      if (verb === 'create') return { message: 'Could not process rule: File exists', at: text }
      continue
    }
    const clash = [...set.elements, ...added].some((one) =>
      overlaps(one.prefix as Prefix, element.prefix as Prefix),
    )
    if (clash) return { message: 'interval overlaps with an existing one', at: text }
    added.push(element)
    there.add(element.prefix)
  }
  set.elements = [...set.elements, ...added].sort(byPrefix)
  return ''
}

function deleteElements(state: LinuxState, statement: string): string | Wrong {
  const parsed = elementsOf(state, statement)
  if ('message' in parsed) return parsed
  const { set } = parsed
  for (const { element, text } of parsed.elements) {
    if (!set.elements.some(({ prefix }) => prefix === element.prefix)) {
      return { message: 'element does not exist', at: text }
    }
    set.elements = set.elements.filter(({ prefix }) => prefix !== element.prefix)
  }
  return ''
}

function get(state: LinuxState, statement: string): string | Wrong {
  const parsed = elementsOf(state, statement)
  if ('message' in parsed) return parsed
  const { table, set } = parsed
  const found = parsed.elements.map(({ element }) =>
    set.elements.find((one) => overlaps(one.prefix as Prefix, element.prefix as Prefix)),
  )
  const elements = found.filter((one): one is NftElement => one !== undefined)
  if (elements.length < found.length) {
    return { message: `Could not process rule: ${missing}`, at: statement }
  }
  return printNft(
    [{ ...table, chains: [], sets: [{ ...set, counter: false, elements }] }],
    false,
    'set',
  )
}
