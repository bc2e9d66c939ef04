// Objects with our mark at keys that nobody asked for: by the macro, and by the name of the prefix lists.

import { parsePortName } from '../../../inventory/model.ts'
import { parseAddress, parsePrefix } from '../../../inventory/prefix.ts'
import { type CliText, type Intent, type Key, keyOf } from '../../intents.ts'
import type { Found } from '../../platform.ts'
import { mark, sentinels } from './objects.ts'
import type { Statement } from './statements.ts'

/** Marked objects, without those that were asked for. `marks` are all statements with the macro, `lists` those of both prefix lists. */
export function markedObjects(
  marks: readonly Statement[],
  lists: readonly Statement[],
  asked: ReadonlyMap<Key, Found>,
): readonly Found[] {
  const found: Found[] = []
  for (const statement of marks) {
    const key = keyAt(statement)
    if (key !== undefined && !asked.has(key)) found.push(marked(key, statement))
  }
  const elements = new Set([...asked.values()].map(({ element }) => element))
  for (const statement of lists) {
    const prefix = parsePrefix(statement.split(' ').at(-1) ?? '')
    if (!prefix.ok || sentinels.includes(prefix.value) || elements.has(statement)) continue
    found.push(marked(keyOf({ kind: 'acl', direction: 'in', prefix: prefix.value }), statement))
  }
  return found
}

function marked(key: Key, statement: Statement): Found {
  return { key, object: [statement], effect: 'same', mark: 'ours', inForce: 'unknown' }
}

/** The key of the object that carries the macro; undefined for a macro of that name in a place that we never write to. */
function keyAt(statement: Statement): Key | undefined {
  if (!statement.endsWith(` ${mark}`)) return undefined
  const path = statement.slice(0, -mark.length - 1)
  const [, vrf = 'default', rest = ''] = /^(?:routing-instances (\S+) )?(.*)$/.exec(path) ?? []
  const intent = routeAt(rest, vrf) ?? neighborAt(rest, vrf) ?? portAt(path)
  return intent === undefined ? undefined : keyOf(intent)
}

function routeAt(path: string, vrf: string): Intent | undefined {
  const found = /^routing-options (?:rib \S+ )?static route (\S+)$/.exec(path)
  const prefix = parsePrefix(found?.[1] ?? '')
  return prefix.ok ? { kind: 'blackhole', vrf, prefix: prefix.value, tag: 0 } : undefined
}

function neighborAt(path: string, vrf: string): Intent | undefined {
  const found = /^protocols bgp group \S+ neighbor (\S+) shutdown$/.exec(path)
  const peer = parseAddress(found?.[1] ?? '')
  // The message is no part of the key.
  return peer.ok ? { kind: 'neighbor', vrf, peer: peer.value, message: '-' as CliText } : undefined
}

function portAt(path: string): Intent | undefined {
  const found = /^interfaces (\S+?)(?: unit (\d+))?$/.exec(path)
  if (found === null) return undefined
  const port = parsePortName(found[2] === undefined ? (found[1] ?? '') : `${found[1]}.${found[2]}`)
  return port === undefined ? undefined : { kind: 'port', port }
}
