// Paths in the nodes of a YAML document: where each stands, and how it is written.

import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml'
import { showable } from './problem.ts'

/** Longest value that is shown as found, in characters. */
export const foundMax = 80

/** Where a value stands in the data: `['devices', 'edge1', 'port']`. */
export type Path = readonly (string | number)[]

/** Finds places of a text. */
export interface Places {
  /** Offset of the value at a path, or of the nearest thing above it that exists. `key`: of the name of the field. */
  offset(path: Path, key: boolean): number
  /** The value as it is written, undefined where nothing stands there. */
  written(path: Path): string | undefined
}

/** The places of a document that was parsed whole. */
export function placesOf(document: Document.Parsed, text: string): Places {
  return {
    offset: (path, key) => offsetOf(document, path, key),
    written: (path) => writtenAs(nodeAt(document, path), text),
  }
}

/** A field's name as text, or undefined where it is none. */
export function keyName(key: unknown): string | undefined {
  const value: unknown = isScalar(key) ? key.value : undefined
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
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

/** Where a node begins. */
export function offsetOfNode(node: unknown): number {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : null
  return range?.[0] ?? 0
}

function writtenAs(node: Node | undefined, text: string): string | undefined {
  if (isMap(node)) return node.items.length === 0 ? 'an empty map' : 'a map'
  if (isSeq(node)) return node.items.length === 0 ? 'an empty list' : 'a list'
  if (!isScalar(node)) return undefined
  if (node.value === null) return 'nothing'
  const [start, end] = node.range ?? [0, 0]
  return showable(text.slice(start, end), foundMax)
}
