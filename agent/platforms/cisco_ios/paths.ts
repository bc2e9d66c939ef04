// Paths of a route as IOS prints them, beneath `show ip route P` and in tables. What a path says is believed only in the forms known here: of any
// other it is not said that it drops anything, nor that it leads on.

import { type Address, parseAddress } from '../../../inventory/prefix.ts'

/** A next hop, in the table that it is looked up in. */
export interface Hop {
  readonly vrf: string
  readonly address: Address
}

/** Where a path ends. `hop`: wherever the device's own route to that address leads. `onward`: at an interface. `unknown`: in a form that isn't known. */
export type Path =
  | { readonly kind: 'discard' }
  | { readonly kind: 'hop'; readonly hop: Hop }
  | { readonly kind: 'onward' }
  | { readonly kind: 'unknown' }

const onward: Path = { kind: 'onward' }
const unknown: Path = { kind: 'unknown' }

/** A path of `show ip route P`: `directly connected, via Null0`, `192.0.2.254, from 10.0.0.1, 00:00:10 ago`. */
export function pathOfEntry(line: string, vrf: string): Path {
  const text = line.trim()
  const direct = /^(?:directly connected|attached),? (?:via|to) (\S+)$/.exec(text)
  if (direct !== null) return endAt(direct[1] ?? '')
  return hopOf(text, vrf)
}

/** A path of a table: `is directly connected, Null0`, `is a summary, 7w0d, Null0`, `via Null0, directly connected`, `[200/0] via 192.0.2.254, 00:00:04`. */
export function pathOfRow(text: string, vrf: string): Path {
  if (/(?:^via |, )Null0\b/.test(text)) return { kind: 'discard' }
  const direct = /^(?:is directly connected|via [^,]+, directly connected),? ?(\S*)$/.exec(
    text.trim(),
  )
  if (direct !== null) return onward
  const hop = /^(?:\[\d+\/\d+\] )?via (.+)$/.exec(text.trim())?.[1]
  return hop === undefined ? unknown : hopOf(hop, vrf)
}

function endAt(name: string): Path {
  if (name === 'Null0') return { kind: 'discard' }
  return interfaceName.test(name) ? onward : unknown
}

/** `GigabitEthernet0/1`, `Vlan300`, `Port-channel7.100`; not `Null0`. */
const interfaceName = /^(?!Null)[A-Z][A-Za-z-]*\d[\d/.:]*$/

/** Behind the address may stand its table, where it was learnt and when. An interface there is where the packets go, whatever route the address has. */
function hopOf(text: string, vrf: string): Path {
  const [, host = '', percent, bracket, rest = ''] =
    /^([0-9A-Fa-f.:]+)(?:%([\w.:-]{1,64})| \(([\w.:-]{1,64})\))?((?:, [^,]+)*)$/.exec(text) ?? []
  const address = parseAddress(host)
  const details = rest.split(', ').slice(1)
  if (!address.ok) return unknown
  const more = details.filter((one) => !harmless.test(one))
  if (more.length === 0) {
    return { kind: 'hop', hop: { vrf: percent ?? bracket ?? vrf, address: address.value } }
  }
  return more.every((one) => interfaceName.test(one.replace(/^via /, ''))) ? onward : unknown
}

/** `from 10.0.0.1`; the age: `00:00:10 ago`, `1d18h`; and by what sort of route the device finds the address, which it is asked itself. */
const harmless =
  /^(?:from [0-9A-Fa-f.:]+|(?:\d+:\d\d:\d\d|(?:\d+[ywdh])+|never)(?: ago)?|recursive-via-(?:host|conn))$/
