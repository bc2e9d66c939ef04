// The configuration lines of IOS, mode by mode. A function answers undefined for what its mode does not know; IOS then tries global configuration.

import type { Prefix } from '../../../../inventory/prefix.ts'
import { type Block, block, placeNeighborLine } from '../blocks.ts'
import { hasHostBits, typedAddress, typedPrefix } from '../prefixes.ts'
import { type Static, shown } from './config.ts'
import { findInterface, type IosState, maskLength, vrfExists } from './state.ts'

/** Where a session is. */
export type Mode =
  | { readonly name: 'user' | 'exec' | 'config' }
  | {
      readonly name:
        | 'config-if'
        | 'config-subif'
        | 'config-router'
        | 'config-network-group'
        | 'config-ext-nacl'
        | 'config-ipv6-acl'
        | 'config-route-map'
        | 'config-archive'
        | 'config-vrf'
        | 'config-line'
      readonly block: Block
    }
  | { readonly name: 'config-router-af'; readonly block: Block; readonly router: Block }

/** What a known line came to: another mode, or a refusal in words (the mode stays). */
export type LineResult =
  | { readonly enter: Mode }
  | { readonly print: string }
  /** The word at this index is the first that is not understood. */
  | { readonly invalid: number }

const done: LineResult = { print: '' }

/** Lines of `(config)#`. */
export function globalLine(state: IosState, line: string): LineResult | undefined {
  const words = line.split(' ')
  const no = words[0] === 'no'
  const [head = '', second = ''] = no ? words.slice(1) : words
  if (/^ip(?:v6)?$/.test(head) && second === 'route') return staticLine(state, line)
  if (no) return removeGlobal(state, line.slice(3))
  switch (head) {
    case 'interface':
      return enterInterface(state, line.slice('interface '.length))
    case 'hostname':
      state.config.hostname = second
      return done
    case 'router':
      return second === 'bgp' ? enterBgp(state, words[2] ?? '') : undefined
    case 'object-group':
      if (second !== 'network' || words[2] === undefined) return undefined
      return { enter: { name: 'config-network-group', block: open(state.config.groups, line) } }
    case 'route-map':
      return /^route-map \S+ (?:permit|deny) \d+$/.test(line)
        ? { enter: { name: 'config-route-map', block: open(state.config.tail, line) } }
        : undefined
    case 'archive':
      return { enter: { name: 'config-archive', block: open(state.config.head, 'archive') } }
    case 'vrf':
      return second === 'definition' && words[2] !== undefined
        ? { enter: { name: 'config-vrf', block: open(state.config.head, line) } }
        : undefined
    case 'ip':
    case 'ipv6':
      return accessList(state, line)
    case 'line':
      return { enter: { name: 'config-line', block: block(line) } }
    case 'ntp':
    case 'logging':
    case 'banner':
    case 'username':
    case 'service':
      return done
    default:
      return undefined
  }
}

function accessList(state: IosState, line: string): LineResult | undefined {
  if (/^ip access-list extended \S+$/.test(line)) {
    return { enter: { name: 'config-ext-nacl', block: open(state.config.tail, line) } }
  }
  if (/^ipv6 access-list \S+$/.test(line)) {
    return { enter: { name: 'config-ipv6-acl', block: open(state.config.tail, line) } }
  }
  return /^(?:ip (?:domain|ssh|cef|forward-protocol)|ipv6 unicast-routing)\b/.test(line)
    ? done
    : undefined
}

/** The block of this line; one that is not there comes into being. */
function open(blocks: Block[], text: string): Block {
  const there = blocks.find((one) => one.text === text)
  if (there !== undefined) return there
  const made = block(text)
  blocks.push(made)
  return made
}

function removeGlobal(state: IosState, line: string): LineResult | undefined {
  const { config } = state
  if (line.startsWith('object-group network ')) {
    const name = line.split(' ')[2] ?? ''
    const used = config.tail.some((list) =>
      list.children.some(({ text }) => text.includes(`object-group ${name}`)),
    )
    if (used) {
      return { print: `%Object-group ${name} is in use and cannot be deleted\n` }
    }
  }
  if (line.startsWith('interface ')) {
    const one = findInterface(config, line.slice('interface '.length))
    if (one === undefined) return { invalid: 2 }
    if (!/^interface (?:Loopback|Vlan|Port-channel|.*\.)/.test(one.text)) {
      return { print: `% Removal of physical interfaces is not permitted\n` }
    }
  }
  for (const blocks of [
    config.head,
    config.groups,
    config.interfaces,
    config.routers,
    config.tail,
  ]) {
    const at = blocks.findIndex(({ text }) => text === line)
    if (at >= 0) {
      blocks.splice(at, 1)
      return done
    }
  }
  return /^(?:ntp|logging|banner|username|service)\b/.test(line) ? done : undefined
}

/** Kinds of interface that come into being when they are named. */
const virtual = /^(?:Vlan|Loopback|Port-channel|Tunnel)\d+$|^\S+\.\d+$/i

function enterInterface(state: IosState, typed: string): LineResult {
  const there = findInterface(state.config, typed)
  const name = typed.replace(' ', '')
  if (there === undefined && !virtual.test(name)) return { invalid: 1 }
  const one = there ?? open(state.config.interfaces, `interface ${name}`)
  return { enter: { name: name.includes('.') ? 'config-subif' : 'config-if', block: one } }
}

function enterBgp(state: IosState, asn: string): LineResult | undefined {
  if (!/^\d+(?:\.\d+)?$/.test(asn)) return { invalid: 2 }
  const [there] = state.config.routers
  const own = there?.text.split(' ')[2]
  if (own !== undefined && own !== asn) return { print: `BGP is already running; AS is ${own}\n` }
  return {
    enter: { name: 'config-router', block: open(state.config.routers, `router bgp ${asn}`) },
  }
}

/** What a typed static route says, or what is wrong with it. */
export function parseStatic(line: string): Static | LineResult {
  const words = line.split(' ')
  const family = words[0] === 'ip' ? 4 : 6
  const inVrf = words[2] === 'vrf'
  const at = inVrf ? 4 : 2
  const vrf = inVrf ? (words[3] ?? '') : 'default'
  const used = family === 4 ? 2 : 1
  if (words.length < at + used) return { print: '% Incomplete command.\n\n' }
  const prefix = typedNet(words.slice(at, at + used), family)
  if (typeof prefix !== 'string') return prefix ?? { invalid: at }
  const rest = words.slice(at + used)
  return parseTarget(rest, { vrf, family, prefix }, at + used)
}

function typedNet(words: readonly string[], family: 4 | 6): Prefix | LineResult | undefined {
  const [base = '', mask = ''] = words
  if (family === 6) return typedPrefix(base, 6)
  const length = maskLength(mask)
  if (length === undefined || typedAddress(base) === undefined) return undefined
  const text = `${base}/${length}`
  return hasHostBits(text, 4) ? { print: '%Inconsistent address and mask\n' } : typedPrefix(text, 4)
}

function parseTarget(
  words: readonly string[],
  route: Pick<Static, 'vrf' | 'family' | 'prefix'>,
  offset: number,
): Static | LineResult {
  const [first] = words
  if (first === undefined) return { ...route, target: '' }
  const hop = typedAddress(first)
  const target = /^null ?0$/i.test(first) ? 'Null0' : (hop ?? first)
  if (hop === undefined && !/^[A-Za-z-]+\d[\d/.]*$/.test(first)) return { invalid: offset }
  const options: { distance?: number; tag?: number; name?: string; permanent?: boolean } = {}
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? ''
    const value = words[at + 1] ?? ''
    if (/^\d{1,3}$/.test(word) && Number(word) > 0 && Number(word) < 256) {
      if (word !== '1') options.distance = Number(word)
    } else if (word === 'permanent') options.permanent = true
    else if (word === 'tag' && /^\d{1,10}$/.test(value)) {
      options.tag = Number(value)
      at += 1
    } else if (word === 'name' && value !== '') {
      options.name = value
      at += 1
    } else return { invalid: offset + at }
  }
  return { ...route, target, ...options }
}

function staticLine(state: IosState, line: string): LineResult {
  const no = line.startsWith('no ')
  const route = parseStatic(line.replace(/^no /, ''))
  if (!('prefix' in route)) return 'invalid' in route && no ? { invalid: route.invalid + 1 } : route
  const { config } = state
  const table = route.family === 4 ? 'IP' : 'IPv6'
  if (!vrfExists(config, route.vrf)) {
    return { print: `%${table} routing table VRF ${route.vrf} does not exist. Create first\n` }
  }
  const samePrefix = (one: Static): boolean => one.vrf === route.vrf && one.prefix === route.prefix
  const same = (one: Static): boolean =>
    // Without a target every static of the prefix is meant: why nobody should type it.
    samePrefix(one) && (route.target === '' || one.target === route.target)
  if (no) {
    const rest = config.statics.filter((one) => !same(one))
    if (rest.length === config.statics.length) return { print: '%No matching route to delete\n' }
    config.statics = rest
    return done
  }
  if (route.target === '') return { print: '% Incomplete command.\n\n' }
  config.statics = [...config.statics.filter((one) => !same(one)), route]
  return done
}

/** Lines of a mode below `(config)#`. */
export function subLine(state: IosState, mode: Mode, line: string): LineResult | undefined {
  switch (mode.name) {
    case 'user':
    case 'exec':
    case 'config':
      return undefined
    case 'config-if':
    case 'config-subif':
      return interfaceLine(state, mode.block, line)
    case 'config-router':
      return routerLine(state, mode.block, line)
    case 'config-router-af':
      return familyLine(mode.block, mode.router, line)
    case 'config-network-group':
      return groupLine(state, mode.block, line)
    case 'config-ext-nacl':
    case 'config-ipv6-acl':
      return accessLine(mode.block, line)
    case 'config-route-map':
      return plainLine(mode.block, line, /^(?:match|set|description|continue) /)
    case 'config-archive':
      return plainLine(mode.block, line, /^(?:path|maximum|time-period|write-memory|log)\b/)
    case 'config-vrf':
      return plainLine(mode.block, line, /^(?:rd|route-target|address-family|description) /)
    case 'config-line':
      return plainLine(mode.block, line, /^(?:transport|exec-timeout|login|length|width)\b/)
  }
}

/** A line that is stored as typed, in the place of one that says the same thing otherwise. */
function plainLine(parent: Block, line: string, known: RegExp): LineResult | undefined {
  const positive = line.replace(/^no /, '')
  if (!known.test(positive)) return undefined
  const same = parent.children.findIndex(({ text }) => text === positive)
  if (same >= 0) parent.children.splice(same, 1)
  if (!line.startsWith('no ')) parent.children.push(block(line))
  return done
}

function interfaceLine(state: IosState, one: Block, line: string): LineResult | undefined {
  const set = (head: string, text: string | undefined): LineResult => {
    const at = one.children.findIndex(
      (child) => child.text === head || child.text.startsWith(`${head} `),
    )
    if (at >= 0) one.children.splice(at, 1)
    if (text === undefined) return done
    // `shutdown` is printed last, the description first.
    if (head === 'description') one.children.unshift(block(text))
    else if (head === 'shutdown') one.children.push(block(text))
    else {
      const shut = one.children.findIndex((child) => child.text === 'shutdown')
      one.children.splice(shut < 0 ? one.children.length : shut, 0, block(text))
    }
    return done
  }
  const words = line.split(' ')
  const no = words[0] === 'no'
  const positive = no ? words.slice(1) : words
  const head = positive
    .slice(0, /^(?:ip|ipv6|switchport|vrf)$/.test(positive[0] ?? '') ? 2 : 1)
    .join(' ')
  if (head === 'shutdown') {
    if (positive.length > 1) return { invalid: no ? 2 : 1 }
    // Off and on again clears what the device had switched off itself.
    if (no) state.errDisabled.delete(one.text.slice('interface '.length))
    return set('shutdown', no ? undefined : 'shutdown')
  }
  const known =
    /^(?:description|ip address|ipv6 address|ip access-group|ipv6 traffic-filter|switchport access|switchport mode|switchport trunk|channel-group|mtu|bandwidth|duplex|speed|ip unreachables|vrf forwarding|encapsulation)$/
  if (!known.test(head)) return undefined
  if (no && head === 'ip unreachables') return set('no ip unreachables', line)
  return set(head, no ? undefined : line)
}

function routerLine(state: IosState, bgp: Block, line: string): LineResult | undefined {
  const af = /^address-family (ipv4|ipv6)(?: unicast)?(?: vrf (\S+))?$/.exec(line)
  if (af !== null) {
    const vrf = af[2]
    if (vrf !== undefined && !vrfExists(state.config, vrf)) {
      return { print: `% VRF ${vrf} does not exist or does not have a RD.\n` }
    }
    const text = `address-family ${af[1]}${vrf === undefined ? '' : ` vrf ${vrf}`}`
    return { enter: { name: 'config-router-af', block: open(bgp.children, text), router: bgp } }
  }
  const neighbor = /^(?:no )?neighbor /.test(line)
  if (neighbor) return neighborLine(bgp, line)
  return plainLine(bgp, line, /^(?:bgp|timers bgp|network) /)
}

function familyLine(af: Block, _router: Block, line: string): LineResult | undefined {
  if (!/^(?:no )?neighbor /.test(line)) {
    return plainLine(af, line, /^(?:network|redistribute|aggregate-address|maximum-paths) /)
  }
  if (af.text.includes(' vrf ')) return neighborLine(af, line)
  const [word = ''] = line.replace(/^no /, '').split(' ').slice(2)
  return /^(?:shutdown|remote-as|description|password|update-source|peer-group)$/.test(word)
    ? { print: '% General session commands not allowed under the address family\n' }
    : plainLine(af, line, /^neighbor \S+ /)
}

const neighborWords =
  /^(?:remote-as|description|shutdown|password|update-source|ebgp-multihop|peer-group|timers|activate|next-hop-self|send-community|route-map|soft-reconfiguration|fall-over)$/

function neighborLine(parent: Block, line: string): LineResult | undefined {
  const no = line.startsWith('no ')
  const words = (no ? line.slice(3) : line).split(' ')
  const address = typedAddress(words[1] ?? '')
  const peer = address === undefined ? (words[1] ?? '') : shown(address)
  const [word, ...rest] = words.slice(2)
  const offset = no ? 1 : 0
  if (word === undefined && !no) return { print: '% Incomplete command.\n\n' }
  if (word !== undefined && !neighborWords.test(word)) return { invalid: 2 + offset }
  const head = `neighbor ${peer}`
  const there = parent.children.some(({ text }) =>
    [`${head} remote-as`, `${head} peer-group`].some((one) => text.startsWith(one)),
  )
  if (!there && !(word === 'remote-as' || word === 'peer-group')) {
    return { print: '% Specify remote-as or peer-group commands first\n' }
  }
  // The message of RFC 9003 is unknown here, and so is everything else behind the word.
  if (word === 'shutdown' && rest.length > 0) return { invalid: 3 + offset }
  if (!no) {
    placeNeighborLine(parent, [head, word, ...rest].join(' '))
    return done
  }
  const from = word === undefined || word === 'remote-as' ? head : `${head} ${word}`
  for (let at = parent.children.length - 1; at >= 0; at--) {
    const text = parent.children[at]?.text ?? ''
    if (text === from || text.startsWith(`${from} `)) parent.children.splice(at, 1)
  }
  return done
}

function groupLine(state: IosState, group: Block, line: string): LineResult | undefined {
  const no = line.startsWith('no ')
  const words = (no ? line.slice(3) : line).split(' ')
  const member = groupMember(words)
  if (member === undefined) return undefined
  if (typeof member !== 'string') return member
  const at = group.children.findIndex(({ text }) => text === member)
  if (!no) {
    if (at < 0) group.children.push(block(member))
    return done
  }
  if (at < 0) return done
  const name = group.text.split(' ')[2] ?? ''
  const used = state.config.tail.some((list) =>
    list.children.some(({ text }) => text.includes(`object-group ${name}`)),
  )
  if (used && group.children.length === 1) {
    return {
      print: `%The last object of object-group ${name} cannot be deleted while it is in use\n`,
    }
  }
  group.children.splice(at, 1)
  return done
}

function groupMember(words: readonly string[]): string | LineResult | undefined {
  const [first = '', second = ''] = words
  if (first === 'description') return words.join(' ')
  if (first === 'host') {
    const address = typedAddress(second)
    return address === undefined || words.length > 2 ? { invalid: 1 } : `host ${address}`
  }
  const length = maskLength(second)
  if (typedAddress(first) === undefined) return undefined
  if (length === undefined) return { invalid: 1 }
  if (hasHostBits(`${first}/${length}`, 4)) return { print: '%Inconsistent address and mask\n' }
  return length === 32 ? `host ${first}` : `${first} ${second}`
}

function accessLine(list: Block, line: string): LineResult | undefined {
  const entry = /^(no )?(?:(?:sequence )?(\d+) ?)?((?:permit|deny|remark) .+)?$/.exec(line)
  if (entry === null) return undefined
  const [, no, number, content] = entry
  const numbered = list.children.map(({ text }) => {
    const at = text.indexOf(' ')
    return { number: Number(text.slice(0, at)), content: text.slice(at + 1), text }
  })
  if (no !== undefined) {
    const gone = numbered.findIndex((one) =>
      content === undefined ? String(one.number) === number : one.content === content,
    )
    if (gone >= 0) list.children.splice(gone, 1)
    return done
  }
  if (content === undefined) return undefined
  if (numbered.some((one) => one.content === content)) return done
  const wanted = number === undefined ? lastNumber(numbered) + 10 : Number(number)
  if (numbered.some((one) => one.number === wanted))
    return { print: '% Duplicate sequence number\n' }
  list.children.push(block(`${wanted} ${content}`))
  list.children.sort((a, b) => Number.parseInt(a.text, 10) - Number.parseInt(b.text, 10))
  return done
}

function lastNumber(entries: readonly { readonly number: number }[]): number {
  return Math.max(0, ...entries.map(({ number }) => number))
}
