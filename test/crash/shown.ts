// What a simulated device shows, read from its own texts without any code of the product: the objects that cut somebody off, and the rest. Pure.

import type { SimulatedPlatform } from '../simulator/spec.ts'

/** Objects by name (`route 203.0.113.0/32`, `acl-in …`, `acl-out …`, `port …`, `neighbor …`), with what is said of each; and all other lines. */
export interface Shown {
  readonly objects: ReadonlyMap<string, string>
  /** Objects that stand there more than once. */
  readonly twice: readonly string[]
  readonly rest: readonly string[]
}

interface Found {
  readonly name: string
  readonly detail: string
}

/** Reads a running configuration (linux: routes, links and tables). */
export function shownRunning(platform: SimulatedPlatform, text: string): Shown {
  switch (platform) {
    case 'frr':
      return collect(text.split('\n'), frrLine())
    case 'cisco_ios':
      return bothWays(collect(text.split('\n'), iosLine()))
    case 'juniper_junos':
      return junos(flatten(text))
    case 'linux':
      // nft breaks long lists of elements.
      return collect(elements(text.replaceAll(/,\n\s+/g, ', ')), linuxLine())
  }
}

/** Reads what a reboot would bring back. */
export function shownSaved(platform: SimulatedPlatform, text: string): Shown {
  switch (platform) {
    case 'frr':
    case 'cisco_ios':
      return shownRunning(platform, text)
    case 'juniper_junos':
      return junos(text.split('\n').map((line) => line.replace(/^set /, '')))
    case 'linux':
      return collect(text.split('\n'), linuxSavedLine)
  }
}

/** `undefined`: no object. `skip`: neither an object nor configuration. */
type Reader = (line: string) => Found | 'skip' | undefined

function collect(lines: readonly string[], read: Reader): Shown {
  const objects = new Map<string, string>()
  const twice: string[] = []
  const rest: string[] = []
  for (const line of lines) {
    const found = /^\s*!?\s*$/.test(line) ? 'skip' : read(line)
    if (found === undefined) rest.push(line)
    else if (found !== 'skip') {
      if (objects.has(found.name)) twice.push(found.name)
      objects.set(found.name, found.detail)
    }
  }
  return { objects, twice, rest }
}

/** How a line says an object: by a pattern with the groups `prefix` (or `address` and `mask`), `entry` of a filter, `peer` or `port`, and `detail`. */
function readAll(patterns: readonly RegExp[], line: string): Found | undefined {
  for (const pattern of patterns) {
    const groups = pattern.exec(line)?.groups
    if (groups !== undefined) return named(groups)
  }
  return undefined
}

function named(groups: Readonly<Record<string, string | undefined>>): Found {
  const { prefix, address, mask, peer, port, entry, detail = '' } = groups
  if (peer !== undefined) return { name: `neighbor ${peer}`, detail }
  if (port !== undefined) return { name: `port ${port}`, detail }
  const kind = entry === undefined ? 'route' : 'acl'
  const where = prefix ?? entry ?? address ?? ''
  const whole = mask === undefined ? withLength(where) : `${where}/${lengthOf(mask)}`
  return { name: `${kind} ${whole.toLowerCase()}`, detail }
}

const frrPatterns = [
  /^ip(?:v6)? route (?<prefix>\S+) blackhole tag (?<detail>\d+)$/,
  /^ neighbor (?<peer>\S+) shutdown(?: message (?<detail>.*))?$/,
]

function frrLine(): Reader {
  return (line) => readAll(frrPatterns, line)
}

const iosPatterns = [
  /^ip route (?<address>\S+) (?<mask>\S+) Null0 tag (?<detail>\d+)(?: name nullroute\S*)?$/,
  /^ipv6 route (?<prefix>\S+) Null0 tag (?<detail>\d+)$/,
  /^ neighbor (?<peer>\S+) shutdown$/,
]

/** By the block that they stand in. The sentinel that keeps the group from being empty is the operator's. */
const iosInGroup = [/^ host (?<entry>(?!192\.0\.2\.255)\S+)$/, /^ (?<entry>\d\S+) (?<mask>\d\S+)$/]

function iosLine(): Reader {
  let block = ''
  return (line) => {
    if (!line.startsWith(' ')) block = line
    if (block === 'object-group network NULLROUTE') return readAll(iosInGroup, line)
    const [, port] = /^interface (\S+)$/.exec(block) ?? []
    if (port !== undefined && line === ' shutdown') return { name: `port ${port}`, detail: '' }
    return readAll(iosPatterns, line)
  }
}

/** Braces → one line for each statement with its path. */
function flatten(text: string): readonly string[] {
  const path: string[] = []
  const lines: string[] = []
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (line.endsWith('{')) path.push(line.slice(0, -1).trim())
    else if (line === '}') path.pop()
    else if (line !== '') lines.push([...path, line.replace(/;$/, '')].join(' '))
  }
  return lines
}

/** An object on Junos is all of its statements; what is missing of one stands in its detail. */
function junos(lines: readonly string[]): Shown {
  const parts = new Map<string, string[]>()
  const shown = collect(lines, (line) => {
    const [, prefix] = /^policy-options prefix-list nullroute-v[46] (\S+)$/.exec(line) ?? []
    if (prefix === '192.0.2.255/32' || prefix === '100::dead/128') return undefined
    if (prefix !== undefined) return { name: `acl ${prefix}`, detail: '' }
    const part = junosPart(line)
    if (part === undefined) return undefined
    parts.set(part.name, [...(parts.get(part.name) ?? []), part.detail])
    return 'skip'
  })
  const objects = new Map(shown.objects)
  for (const [name, found] of parts) objects.set(name, junosDetail(name, found))
  return bothWays({ ...shown, objects })
}

function junosPart(line: string): Found | undefined {
  const [, route, said] =
    /^routing-options (?:rib inet6\.0 )?static route (\S+) (discard|tag \d+|apply-macro nullroute)$/.exec(
      line,
    ) ?? []
  // Where edges send what is to be dropped: the operator's.
  const own = route !== undefined && !/^(?:192\.0\.2\.254|100::1)\//.test(route)
  if (own) return { name: `route ${route}`, detail: said ?? '' }
  const [, peer, what] =
    /^protocols bgp group \S+ neighbor (\S+) shutdown(?: (apply-macro nullroute|notify-message .*))?$/.exec(
      line,
    ) ?? []
  if (peer !== undefined) return { name: `neighbor ${peer}`, detail: what ?? 'shutdown' }
  const [, port, how] = /^interfaces (\S+) (disable|apply-macro nullroute)$/.exec(line) ?? []
  return port === undefined ? undefined : { name: `port ${port}`, detail: how ?? '' }
}

const junosWhole: Readonly<Record<string, readonly RegExp[]>> = {
  route: [/^discard$/, /^tag \d+$/, /^apply-macro nullroute$/],
  neighbor: [/^notify-message /, /^apply-macro nullroute$/],
  port: [/^disable$/, /^apply-macro nullroute$/],
}

function junosDetail(name: string, found: readonly string[]): string {
  const [kind = ''] = name.split(' ')
  const whole = junosWhole[kind] ?? []
  const missing = whole.filter((part) => !found.some((one) => part.test(one)))
  if (missing.length > 0 || found.length !== whole.length) return `only ${found.join(', ')}`
  if (kind === 'route') return found.find((one) => one.startsWith('tag '))?.slice(4) ?? ''
  const message = found.find((one) => one.startsWith('notify-message '))
  return message?.slice('notify-message '.length).replaceAll('"', '') ?? ''
}

/** Lines, with `elements = { … }` as one for each. */
function elements(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [, inside] = /^\s*elements = \{ (.*) \}$/.exec(line) ?? []
    return inside === undefined ? [line] : inside.split(', ').map((one) => `element ${one}`)
  })
}

/** An entry of a list that filters of both directions use. */
function bothWays(shown: Shown): Shown {
  const objects = [...shown.objects].flatMap(([name, detail]): [string, string][] => {
    const [, prefix] = /^acl (.*)$/.exec(name) ?? []
    if (prefix === undefined) return [[name, detail]]
    return [
      [`acl-in ${prefix}`, detail],
      [`acl-out ${prefix}`, detail],
    ]
  })
  return { ...shown, objects: new Map(objects) }
}

const linuxPatterns = [
  /^blackhole (?<prefix>\S+) (?:dev lo )?proto 223(?: |$)/,
  /^(?<port>\S+) down(?: |$)/,
]

/** Learnt from the triggers, or a port as it usually is: states, not configuration. */
const linuxStates = [/^blackhole \S+ (?:dev lo )?proto bgp /, /^(?!lo |br\d+ )\S+ up(?: |$)/]

function linuxLine(): Reader {
  let set = ''
  return (line) => {
    set = /^\s*set (\S+) \{$/.exec(line)?.[1] ?? set
    if (linuxStates.some((one) => one.test(line))) return 'skip'
    const [, element] = /^element (\S+) comment "nullroute"/.exec(line) ?? []
    return element === undefined ? readAll(linuxPatterns, line) : elementOf(set, element)
  }
}

const linuxSavedPatterns = [
  /^(?:-6 )?route (?:add|prepend) blackhole (?<prefix>\S+) proto 223(?: metric 1)?$/,
  /^link set dev (?<port>\S+) down$/,
]

const linuxSavedLine: Reader = (line) => {
  const [, set, element] =
    /^add element inet nullroute (\S+) \{ (\S+) comment "nullroute" \}$/.exec(line) ?? []
  return set !== undefined && element !== undefined
    ? elementOf(set, element)
    : readAll(linuxSavedPatterns, line)
}

function elementOf(set: string, element: string): Found {
  return { name: `acl-${set.startsWith('src') ? 'in' : 'out'} ${withLength(element)}`, detail: '' }
}

function withLength(prefix: string): string {
  return prefix.includes('/') ? prefix : `${prefix}/${prefix.includes(':') ? 128 : 32}`
}

/** `255.255.255.254` → 31. */
function lengthOf(mask: string): number {
  const bits = mask.split('.').map((byte) => Number(byte).toString(2).padStart(8, '0'))
  return bits.join('').replaceAll('0', '').length
}
