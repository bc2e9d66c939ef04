// Access lists of IOS as the running configuration has them: whether one denies the object group before anything that may be the customer's is let pass.

import { baseOf, lengthOf, type Prefix } from '../../../inventory/prefix.ts'
import { groupName } from './objects.ts'

/** Lists of all kinds, so that no entry is taken for one of the list above; what lets pass in them, and entries for the group; and where lists stand. */
export const listsQuestion = `show running-config | include ^[a-z0-9]+ access-list |object-group ${groupName}|^ .*permit |^ .*evaluate |^interface |^ ip access-group`

/** What is to be denied: as source of what comes `in`, as destination of what goes `out`. Without a prefix any customer is meant. */
export interface Meant {
  readonly direction: 'in' | 'out'
  readonly prefix?: Prefix
}

/** Names of the lists that deny the group before an entry that may let a part of it pass. */
export function denyingLists(meant: Meant, lists: string): readonly string[] {
  return accessLists(lists)
    .filter(({ entries }) => {
      const first = entries.find(
        (entry) => isWhole(entry, meant.direction) || mayLetPass(entry, meant),
      )
      return first !== undefined && isWhole(first, meant.direction)
    })
    .map(({ name }) => name)
}

/** Of the lists that deny the group all the same, what keeps them from counting. */
export function whyNot(meant: Meant, lists: string): string {
  const conditional: string[] = []
  const passing: string[] = []
  for (const { name, entries } of accessLists(lists)) {
    const ours = entries.findIndex((entry) => denies[meant.direction].test(entry))
    const own = entries[ours]
    if (own === undefined) continue
    const before = entries.slice(0, ours).find((entry) => mayLetPass(entry, meant))
    if (!isWhole(own, meant.direction)) conditional.push(`\`${own}\``)
    else if (before !== undefined) passing.push(`\`${before}\` in ${name}`)
  }
  const parts = [
    ...(conditional.length === 0
      ? []
      : [
          `; with a further condition it drops a part only, and does not count: ${conditional.join(', ')}`,
        ]),
    ...(passing.length === 0 ? [] : [`; before it stands ${passing.join(', ')}`]),
  ]
  return parts.join('')
}

/** A list with its entries in order, without numbers: `deny ip object-group NULLROUTE any`. */
interface AccessList {
  readonly name: string
  readonly entries: string[]
}

function accessLists(lists: string): readonly AccessList[] {
  const found: AccessList[] = []
  let list: AccessList | undefined
  for (const line of lists.split('\n')) {
    if (/^\S/.test(line)) {
      const name = /^ip access-list (?:extended|standard) (\S+)/.exec(line)?.[1]
      list = name === undefined ? undefined : { name, entries: [] }
      if (list !== undefined) found.push(list)
    } else if (list !== undefined) {
      list.entries.push(line.trim().replace(/^\d+ /, '').replaceAll(/ +/g, ' '))
    }
  }
  return found
}

const denies = {
  in: /^deny ip object-group NULLROUTE any(?: (.+))?$/,
  out: /^deny ip any object-group NULLROUTE(?: (.+))?$/,
} as const

/** Words behind an entry that take nothing away from what it denies. Any other is a condition: `time-range NIGHT`, `fragments`, `dscp ef`. */
const harmless = /^log(?:-input)?$/

function isWhole(entry: string, direction: Meant['direction']): boolean {
  const found = denies[direction].exec(entry)
  return found !== null && (found[1] === undefined || harmless.test(found[1]))
}

/** An entry that permits, and of which it can't be shown that no packet of the customer's meets it. */
function mayLetPass(entry: string, meant: Meant): boolean {
  const [verb, ...words] = entry.split(' ')
  // What a reflexive list lets pass is known to the device alone.
  if (verb === 'evaluate') return true
  if (verb !== 'permit') return false
  const side = sideOf(words, meant.direction)
  return side === undefined || meets(side, meant.prefix)
}

/** Addresses with the bits that don't count. */
interface Side {
  readonly address: number
  readonly wildcard: number
}

/** Source or destination of an entry; undefined where it may be anything: `any`, a group, or in a form that isn't known. */
function sideOf(words: readonly string[], direction: Meant['direction']): Side | undefined {
  const protocol = words[0] === 'object-group' ? 2 : 1
  // An entry of a standard list has no protocol.
  const source = isStart(words[0]) && words[0] !== 'object-group' ? 0 : protocol
  if (direction === 'in') return sideAt(words, source)
  const behind = source + (words[source] === 'any' ? 1 : 2)
  const ports = words.slice(behind).findIndex(isStart)
  return ports < 0 ? undefined : sideAt(words, behind + ports)
}

/** Whether an address begins with this word. */
function isStart(word: string | undefined): boolean {
  return word !== undefined && (/^(?:any|host|object-group)$/.test(word) || isAddress(word))
}

function sideAt(words: readonly string[], at: number): Side | undefined {
  const [first = '', second = ''] = words.slice(at)
  if (first === 'host' && isAddress(second)) return { address: bitsOf(second), wildcard: 0 }
  if (!isAddress(first)) return undefined
  return { address: bitsOf(first), wildcard: isAddress(second) ? bitsOf(second) : 0 }
}

function meets({ address, wildcard }: Side, prefix: Prefix | undefined): boolean {
  if (prefix === undefined) return false
  const length = lengthOf(prefix)
  const mask = length === 0 ? 0 : (-1 << (32 - length)) >>> 0
  return ((address ^ bitsOf(baseOf(prefix))) & ~wildcard & mask) === 0
}

function isAddress(word: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(word)
}

function bitsOf(address: string): number {
  return address.split('.').reduce((bits, part) => (bits << 8) | Number(part), 0) >>> 0
}
