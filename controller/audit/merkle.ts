// The tree over the log's entries, after RFC 6962 section 2.1: hashes, and the right edge by which a tree grows without its leaves. Pure.

import { hash } from 'node:crypto'

/** Bytes of a hash. */
const hashBytes = 32

/** A tree, as far as appending needs it. `edge`: the roots of its complete subtrees, widest first; as many as `size` has bits set. */
export interface Tree {
  readonly size: number
  readonly edge: readonly Uint8Array[]
}

/** The tree without a leaf. */
export const emptyTree: Tree = { size: 0, edge: [] }

/** SHA-256. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** Hash of an entry: SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([Buffer.of(0), entry]))
}

/** Hash of two neighbours: SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([Buffer.of(1), left, right]))
}

/** The tree with one leaf more. */
export function grow(tree: Tree, leaf: Uint8Array): Tree {
  const edge = [...tree.edge]
  let node = leaf
  // Each bit set at the low end of the size is a complete subtree that the new one completes a wider one with. Division: sizes may pass 2^32.
  for (let rest = tree.size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = edge.pop()
    if (left === undefined) throw new TypeError(`the edge of a tree of ${tree.size} is too short`)
    node = nodeHash(left, node)
  }
  edge.push(node)
  return { size: tree.size + 1, edge }
}

/** Root of the tree: SHA-256 of nothing while it is empty. */
export function rootOf(tree: Tree): Uint8Array {
  const [last, ...wider] = tree.edge.toReversed()
  if (last === undefined) return sha256(Buffer.alloc(0))
  return wider.reduce((root, left) => nodeHash(left, root), last)
}

/** The edge as one run of bytes. */
export function packEdge(edge: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(edge)
}

/** Takes a run of bytes apart again. Throws TypeError where it is not the edge of a tree of that size. */
export function unpackEdge(size: number, bytes: Uint8Array): readonly Uint8Array[] {
  const count = size.toString(2).replaceAll('0', '').length
  if (bytes.length !== count * hashBytes) {
    throw new TypeError(`the edge of a tree of ${size} has ${count} hashes, not ${bytes.length} B`)
  }
  return Array.from({ length: count }, (_, i) => bytes.slice(i * hashBytes, (i + 1) * hashBytes))
}
