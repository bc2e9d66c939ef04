// Elements of sets: prefixes that must not overlap.

import { overlaps, type Prefix } from '../../../../inventory/prefix.ts'
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
  const full = value.includes('/') ? value : `${value}/${family === 4 ? 32 : 128}`
  const prefix = typedPrefix(full, family)
  if (prefix !== undefined) return comment === undefined ? { prefix } : { prefix, comment }
  // A name, as far as nft can see: it asks the DNS.
  const unknown = typedAddress(value.split('/')[0] ?? '') === undefined
  const why = unknown ? 'Name or service not known' : 'Address family for hostname not supported'
  return { message: `Could not resolve hostname: ${why}`, at: value }
}

/** `add element` and `create element`. */
export function addElements(state: LinuxState, statement: string, verb: string): string | Wrong {
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

/** `delete element`. */
export function deleteElements(state: LinuxState, statement: string): string | Wrong {
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

/** `get element`. */
export function getElements(state: LinuxState, statement: string): string | Wrong {
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
