// A path-compressed binary trie on one typed array: prefixes of one family → numbers. It knows no customers; lookup.ts does.
// Addresses are 32-bit words, one for IPv4 and four for IPv6: nothing here needs bigint.

import type { Address, Family, Prefix } from './prefix.ts'
import { isIpv6, writeWords } from './prefix-words.ts'

/** Prefixes of one family, each with the number it was given. */
export interface Trie {
  /** Number of the longest prefix that holds the address, or -1. */
  longest(address: Address): number
  /** Numbers of all prefixes that hold this one (equal included), the shortest first. */
  around(prefix: Prefix): readonly number[]
  /** Numbers of all prefixes inside this one (equal included), ascending by address, the shorter first. */
  inside(prefix: Prefix): readonly number[]
}

// A node is LENGTH, two children, VALUE + 1 and the words of its key, side by side: one look at a node costs one cache line.
// Index 0 holds the root's index, so 0 as a child means none, and 0 as a value means that only other prefixes pass here.
const LENGTH = 0
const CHILD = 1
const VALUE = 3
const KEY = 4

/** Below so many prefixes the table of first steps costs more than it saves. */
const tableFrom = 4096
/** Bits that the table of first steps decides, behind those that all prefixes share. */
const tableBits = 16

/** Builds the trie of one family over a list of prefixes; those of the other family are passed over. The number of a prefix is its place in the list, the first one where it is given twice. */
export function createTrie(family: Family, prefixes: readonly Prefix[]): Trie {
  const words = family === 4 ? 1 : 4
  const isWide = family === 6
  const key = new Int32Array(4)
  let count = 0
  for (const prefix of prefixes) if (isIpv6(prefix) === isWide) count++
  const grown = { data: new Int32Array(1 + count * 2 * (KEY + words)), words, end: 1 }
  for (const [index, prefix] of prefixes.entries()) {
    if (isIpv6(prefix) === isWide) insert(grown, key, writeWords(prefix, key), index + 1)
  }
  const tree = packed(grown)
  const { data } = tree
  const table = count >= tableFrom ? firstSteps(tree) : undefined
  return {
    longest(address) {
      writeWords(address, key)
      if (table === undefined) return descend(data, key, at(data, 0), 0) - 1
      if (!holds(data, at(data, 0), table.skip, key)) return -1
      const step = 2 * bitsAt(key, table.skip)
      return descend(data, key, at(table.steps, step), at(table.steps, step + 1)) - 1
    },
    around(prefix) {
      return pathTo(data, key, writeWords(prefix, key)).values
    },
    inside(prefix) {
      return below(data, pathTo(data, key, writeWords(prefix, key)).below)
    },
  }
}

interface Tree {
  readonly data: Int32Array
  /** Words in a key. */
  readonly words: number
  /** Where the next node goes. */
  end: number
}

/** Indices here come from the trie itself, so there is a number at each; the compiler can't know. */
function at(data: Int32Array, index: number): number {
  return data[index] as number
}

function bit(data: Int32Array, from: number, index: number): number {
  return (at(data, from + (index >>> 5)) >>> (31 - (index & 31))) & 1
}

/** The 16 bits behind bit `skip`, as a number. */
function bitsAt(key: Int32Array, skip: number): number {
  const word = skip >>> 5
  const offset = skip & 31
  const high = at(key, word) << offset
  const low = offset === 0 || word === 3 ? 0 : at(key, word + 1) >>> (32 - offset)
  return (high | low) >>> (32 - tableBits)
}

/** Whether the first `length` bits of the node's key are those of `key`. */
function holds(data: Int32Array, node: number, length: number, key: Int32Array): boolean {
  let word = 0
  let left = length
  while (left >= 32) {
    if (at(data, node + KEY + word) !== at(key, word)) return false
    word++
    left -= 32
  }
  return left === 0 || (at(data, node + KEY + word) ^ at(key, word)) >>> (32 - left) === 0
}

/** How many bits, at most `limit`, the node's key and `key` have in common from the front. */
function common(data: Int32Array, node: number, key: Int32Array, limit: number): number {
  for (let word = 0; word * 32 < limit; word++) {
    const differing = at(data, node + KEY + word) ^ at(key, word)
    if (differing !== 0) return Math.min(limit, word * 32 + Math.clz32(differing))
  }
  return limit
}

function addNode(tree: Tree, key: Int32Array, length: number, value: number): number {
  const node = tree.end
  tree.end += KEY + tree.words
  tree.data[node + LENGTH] = length
  tree.data[node + VALUE] = value
  // Bits behind the length are never compared, so they need not be cleared.
  for (let word = 0; word < tree.words; word++) tree.data[node + KEY + word] = at(key, word)
  return node
}

function insert(tree: Tree, key: Int32Array, length: number, value: number): void {
  const { data } = tree
  let slot = 0
  for (let node = at(data, slot); node !== 0; node = at(data, slot)) {
    const own = at(data, node + LENGTH)
    const shared = common(data, node, key, Math.min(own, length))
    if (shared < own) {
      const above = addNode(tree, key, shared, shared === length ? value : 0)
      data[above + CHILD + bit(data, node + KEY, shared)] = node
      if (shared < length) {
        data[above + CHILD + bit(key, 0, shared)] = addNode(tree, key, length, value)
      }
      data[slot] = above
      return
    }
    if (own === length) {
      if (at(data, node + VALUE) === 0) data[node + VALUE] = value
      return
    }
    slot = node + CHILD + bit(key, 0, own)
  }
  data[slot] = addNode(tree, key, length, value)
}

/** The same trie with each subtree in one piece of memory: a look-up ends within a few cache lines. */
function packed(tree: Tree): Tree {
  const stride = KEY + tree.words
  const data = new Int32Array(tree.end)
  const slots = [0]
  const nodes = [at(tree.data, 0)]
  let end = 1
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    const slot = slots.pop() ?? 0
    if (node === 0) continue
    data[slot] = end
    data.set(tree.data.subarray(node, node + stride), end)
    for (const side of [CHILD + 1, CHILD]) {
      data[end + side] = 0
      slots.push(end + side)
      nodes.push(at(tree.data, node + side))
    }
    end += stride
  }
  return { data, words: tree.words, end }
}

/** Value of the longest prefix that holds all bits of `key`, from `node` on; `best` where there is none. */
function descend(data: Int32Array, key: Int32Array, from: number, best: number): number {
  let found = best
  let node = from
  while (node !== 0) {
    const length = at(data, node + LENGTH)
    if (!holds(data, node, length, key)) break
    const value = at(data, node + VALUE)
    if (value !== 0) found = value
    // A node of full length has no children; asking for the bit behind it would read past the key.
    const child = at(data, node + CHILD) | at(data, node + CHILD + 1)
    if (child === 0) break
    node = at(data, node + CHILD + bit(key, 0, length))
  }
  return found
}

/** The numbers on the way down to this prefix, and the highest node all of which lies inside it (0: none). */
function pathTo(
  data: Int32Array,
  key: Int32Array,
  length: number,
): { readonly values: readonly number[]; readonly below: number } {
  const values: number[] = []
  let node = at(data, 0)
  while (node !== 0) {
    const own = at(data, node + LENGTH)
    if (!holds(data, node, Math.min(own, length), key)) return { values, below: 0 }
    const value = at(data, node + VALUE)
    if (value !== 0 && own <= length) values.push(value - 1)
    if (own >= length) return { values, below: node }
    node = at(data, node + CHILD + bit(key, 0, own))
  }
  return { values, below: 0 }
}

function below(data: Int32Array, from: number): readonly number[] {
  const values: number[] = []
  const waiting = [from]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === 0) continue
    const value = at(data, node + VALUE)
    if (value !== 0) values.push(value - 1)
    waiting.push(at(data, node + CHILD + 1), at(data, node + CHILD))
  }
  return values
}

interface FirstSteps {
  /** Bits that all prefixes share: the table decides the 16 behind them. */
  readonly skip: number
  /** For each value of those bits the node to go on from, and the value found so far. */
  readonly steps: Int32Array
}

// The top of a big trie is walked by every look-up, and decides little per step: 16 of its levels become one table.
function firstSteps({ data, words }: Tree): FirstSteps {
  const root = at(data, 0)
  const skip = Math.min(at(data, root + LENGTH), words * 32 - tableBits)
  const steps = new Int32Array(2 << tableBits)
  const key = new Int32Array(4)
  for (let step = 0; step < 1 << tableBits; step++) {
    for (let word = 0; word < words; word++) key[word] = at(data, root + KEY + word)
    writeBits(key, skip, step)
    let node = root
    let best = 0
    while (node !== 0 && at(data, node + LENGTH) <= skip + tableBits) {
      const length = at(data, node + LENGTH)
      if (!holds(data, node, length, key)) node = 0
      else {
        best = at(data, node + VALUE) || best
        // Where the table's bits end, the next bit is the look-up's own: it goes on from this node.
        if (length === skip + tableBits) break
        node = at(data, node + CHILD + bit(key, 0, length))
      }
    }
    steps[2 * step] = node
    steps[2 * step + 1] = best
  }
  return { skip, steps }
}

function writeBits(key: Int32Array, skip: number, value: number): void {
  for (let index = 0; index < tableBits; index++) {
    const position = skip + index
    const mask = 1 << (31 - (position & 31))
    const old = at(key, position >>> 5)
    key[position >>> 5] = (value >>> (tableBits - 1 - index)) & 1 ? old | mask : old & ~mask
  }
}
