// Names of ports on IOS: it takes any unambiguous beginning of a type, in whatever case, and numbers with leading zeros.

import { withoutLeadingZeros } from '../port-numbers.ts'

/** Types of interfaces, in the spelling of the running configuration, each with the short form that `show` commands print. */
const types: readonly (readonly [name: string, short: string])[] = [
  ['AppGigabitEthernet', 'Ap'],
  ['ATM', 'AT'],
  ['BDI', 'BD'],
  ['Bluetooth', 'Bl'],
  ['BVI', 'BV'],
  ['Cellular', 'Ce'],
  ['Dialer', 'Di'],
  ['Dot11Radio', 'Do'],
  ['Ethernet', 'Et'],
  ['FastEthernet', 'Fa'],
  ['FiftyGigE', 'Fif'],
  ['FiveGigabitEthernet', 'Fi'],
  ['FortyGigabitEthernet', 'Fo'],
  ['FortyGigE', 'FortyGigE'],
  ['FourHundredGigE', 'Fou'],
  ['GigabitEthernet', 'Gi'],
  ['HundredGigE', 'Hu'],
  ['Loopback', 'Lo'],
  ['Multilink', 'Mu'],
  ['Port-channel', 'Po'],
  ['Serial', 'Se'],
  ['TenGigabitEthernet', 'Te'],
  ['Tunnel', 'Tu'],
  ['TwentyFiveGigE', 'Twe'],
  ['TwoGigabitEthernet', 'Tw'],
  ['TwoHundredGigE', 'TwoH'],
  ['Virtual-Template', 'Vt'],
  ['Vlan', 'Vl'],
]

/** `Gi1/0/3` and `gigabitethernet1/0/03` → `gigabitethernet1/0/3`. Undefined for a beginning that several types have: `t1/0/1`. A type that isn't known here counts as written in full. */
export function canonicalPort(name: string): string | undefined {
  const [word = name] = /^(?:dot11radio|[a-z-]+)/i.exec(name) ?? []
  const type = typeOf(word.toLowerCase())
  if (type === undefined) return undefined
  return `${type}${withoutLeadingZeros(name.slice(word.length).toLowerCase())}`
}

/** By long and short form, in lower case. */
const byForm: ReadonlyMap<string, string> = new Map(
  types
    .toReversed()
    .flatMap(([name, short]) =>
      [name, short].map((form) => [form.toLowerCase(), name.toLowerCase()]),
    ),
)

function typeOf(word: string): string | undefined {
  const exact = byForm.get(word)
  if (exact !== undefined) return exact
  const fitting = types.filter(([name]) => name.toLowerCase().startsWith(word))
  const [only] = fitting
  if (only === undefined) return word
  return fitting.length === 1 ? only[0].toLowerCase() : undefined
}
