// The answer to `show ip route A M` and `show ipv6 route P`: whether the device drops what is sent to exactly this prefix.

import { type Prefix, parseAddress, parsePrefix } from '../../../inventory/prefix.ts'
import type { Answer, Found } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { discardsNextHop, type StaticRoute } from './objects.ts'

/** Where the route was looked up. */
export interface Table {
  readonly vrf: string
  /** All static routes of the device, to see where a next hop leads. */
  readonly routes: readonly StaticRoute[]
}

const absent = /^% ?(?:Subnet not in table|Network not in table|Route not found)/m
const noTable = /^% ?(?:IP(?:v6)? routing table |VRF |IPv6 routing not enabled)/im

/** Whether the device says that there is no such route, or no such table. */
export function isAbsent(text: string): boolean {
  return absent.test(text) || noTable.test(text)
}

/**
 * `yes` if every path is a discard, from whatever source it is known: a static route, or one that was learnt with a discard next hop.
 * A covering route, the default above all, is another route: `no`.
 */
export function routeDiscards(answer: Answer, prefix: Prefix, table: Table): Found['inForce'] {
  const { text } = answer
  if (isAbsent(text)) return 'no'
  const entry = /^Routing entry for ([^\s,]+)/m.exec(text)?.[1]
  if (entry === undefined)
    throw unknownOutput(answer, '`Routing entry for …` or `% … not in table`')
  const parsed = parsePrefix(entry)
  if (!parsed.ok) throw unknownOutput(answer, 'a prefix behind `Routing entry for`')
  if (parsed.value !== prefix) return 'no'
  const paths = pathsOf(text)
  if (paths.length === 0) throw unknownOutput(answer, 'at least one path')
  return paths.every((path) => isDiscard(path, table)) ? 'yes' : 'no'
}

/** The lines that name a path, without their details: `directly connected, via Null0`, `192.0.2.254, from 10.0.0.1`. */
function pathsOf(text: string): readonly string[] {
  const [, blocks = ''] = text.split(/^\s*(?:Routing Descriptor Blocks|Routing paths):\s*$/m)
  return blocks
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\* ?)?/, ''))
    .filter((line) => /^(?:directly connected|attached)|^[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+/.test(line))
}

function isDiscard(path: string, table: Table): boolean {
  const direct = /^(?:directly connected|attached)(?:,)? (?:via|to) (\S+)$/.exec(path.trim())
  if (direct !== null) return direct[1] === 'Null0'
  const hop = parseAddress(/^[0-9A-Fa-f.:]+/.exec(path)?.[0] ?? '')
  return hop.ok && discardsNextHop(table.routes, table.vrf, hop.value)
}
