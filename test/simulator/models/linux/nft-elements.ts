// Elements of sets: prefixes and ranges that must not overlap.

import {
  type Address,
  type Prefix,
  prefixFrom,
  toNumber,
  toSpan,
} from '../../../../inventory/prefix.ts'
import { byPrefix, typedAddress, typedPrefix } from '../prefixes.ts'
import { printNft } from './nft-print.ts'
import {
  findTable,
  missing,
  type NftElement,
  type NftSet,
  type NftTable,
  syntax,
  type Wrong,
} from './nft-tables.ts'
import type { LinuxState } from './state.ts'

interface Elements {
  readonly table: NftTable
  readonly set: NftSet
  readonly elements: readonly { readonly element: NftElement; readonly text: string }[]
}

/** Set and elements of an element statement. */
function elementsOf(state: LinuxState, statement: string): Elements | Wrong {
  const form = /^\w+ element (\S+) (\S+) (\S+) \{(.*)\}$/s.exec(statement)
  if (form === null) return syntax(statement.split(/\s+/)[2] ?? '')
  const [, family, tableName = '', setName = '', body = ''] = form
  const table = findTable(state, family, tableName)
  if (table === undefined) return { message: missing, at: tableName }
  const set = table.sets.find((one) => one.name === setName)
  if (set === undefined) return { message: missing, at: setName }
  const elements: { element: NftElement; text: string }[] = []
  for (const item of body.split(',').map((one) => one.trim())) {
    if (item === '') continue
    const element = elementOf(set, item)
    if ('message' in element) return element
    elements.push({ element, text: item.split(' ')[0] ?? '' })
  }
  return { table, set, elements }
}

function elementOf(set: NftSet, text: string): NftElement | Wrong {
  const [, value, comment] = /^(\S+)(?: comment "([^"]*)")?$/.exec(text) ?? []
  if (value === undefined) return syntax(text)
  const family = set.type === 'ipv4_addr' ? 4 : 6
  const stretch = stretchOf(value, family)
  if (stretch !== undefined) return comment === undefined ? stretch : { ...stretch, comment }
  // A name, as far as nft can see: it asks the DNS.
  const unknown = typedAddress(value.split('/')[0] ?? '') === undefined
  const why = unknown ? 'Name or service not known' : 'Address family for hostname not supported'
  return { message: `Could not resolve hostname: ${why}`, at: value }
}

function stretchOf(value: string, family: 4 | 6): NftElement | undefined {
  if (value.includes('-')) return rangeOf(value, family)
  const prefix = typedPrefix(value.includes('/') ? value : wholeOf(value, family), family)
  return prefix === undefined ? undefined : { prefix }
}

/** `A-B`: what is a prefix becomes one. */
function rangeOf(value: string, family: 4 | 6): NftElement | undefined {
  const [from, until] = value.split('-').map((part) => typedPrefix(wholeOf(part, family), family))
  if (from === undefined || until === undefined) return undefined
  const { first } = toSpan(from)
  const { last } = toSpan(until)
  const size = last - first + 1n
  const bits = size.toString(2).length - 1
  const isPrefix = size === 1n << BigInt(bits) && first % size === 0n
  return isPrefix
    ? { prefix: prefixFrom(family, first, (family === 4 ? 32 : 128) - bits) }
    : { prefix: from, until: until.split('/')[0] ?? '' }
}

function wholeOf(address: string, family: 4 | 6): string {
  return `${address}/${family === 4 ? 32 : 128}`
}

function spanOf({ prefix, until }: NftElement): { readonly first: bigint; readonly last: bigint } {
  const { first, last } = toSpan(prefix as Prefix)
  return { first, last: until === undefined ? last : toNumber(until as Address) }
}

function meet(one: NftElement, other: NftElement): boolean {
  const [a, b] = [spanOf(one), spanOf(other)]
  return a.first <= b.last && b.first <= a.last
}

function isSame(one: NftElement, other: NftElement): boolean {
  return one.prefix === other.prefix && one.until === other.until
}

/** `add element` and `create element`. */
export function addElements(state: LinuxState, statement: string, verb: string): string | Wrong {
  const parsed = elementsOf(state, statement)
  if ('message' in parsed) return parsed
  const { set } = parsed
  const added: NftElement[] = []
  const nameOf = ({ prefix, until = '' }: NftElement): string => `${prefix} ${until}`
  const there = new Set(set.elements.map(nameOf))
  for (const { element, text } of parsed.elements) {
    if (there.has(nameOf(element))) {
      if (verb === 'create') return { message: 'Could not process rule: File exists', at: text }
      continue
    }
    if ([...set.elements, ...added].some((one) => meet(one, element)))
      return { message: 'interval overlaps with an existing one', at: text }
    added.push(element)
    there.add(nameOf(element))
  }
  set.elements = [...set.elements, ...added].sort(byPrefix)
  return ''
}

/** `delete element`. */
export function deleteElements(state: LinuxState, statement: string): string | Wrong {
  const parsed = elementsOf(state, statement)
  if ('message' in parsed) return parsed
  const { set } = parsed
  for (const { element, text } of parsed.elements) {
    if (!set.elements.some((one) => isSame(one, element))) {
      return { message: 'element does not exist', at: text }
    }
    set.elements = set.elements.filter((one) => !isSame(one, element))
  }
  return ''
}

/** `get element`. */
export function getElements(state: LinuxState, statement: string): string | Wrong {
  const parsed = elementsOf(state, statement)
  if ('message' in parsed) return parsed
  const { table, set } = parsed
  const found = parsed.elements.map(({ element }) => set.elements.find((one) => meet(one, element)))
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
