// The configuration lines of IOS, mode by mode. A function answers undefined for what its mode does not know; IOS then tries global configuration.

import { type Block, block, placeNeighborLine } from '../blocks.ts'
import { dispatch } from '../dispatch.ts'
import { hasHostBits, typedAddress } from '../prefixes.ts'
import { shown } from './config.ts'
import { findInterface, type IosState, maskLength, vrfExists } from './state.ts'
import { staticLine } from './static-lines.ts'

/** Modes under which a block's lines are typed. */
type BlockMode =
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

/** Where a session is. */
export type Mode =
  | { readonly name: 'user' | 'exec' | 'config' }
  | { readonly name: BlockMode; readonly block: Block }
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
  const { config } = state
  const enter = (name: BlockMode, blocks: Block[], text = line): LineResult => ({
    enter: { name, block: open(blocks, text) },
  })
  return dispatch<LineResult | undefined>(line, [
    [/^(?:no )?ip(?:v6)? route\b/, () => staticLine(state, line)],
    [/^no (.+)$/, ([, rest = '']) => removeGlobal(state, rest)],
    [/^interface (.+)$/, ([, name = '']) => enterInterface(state, name)],
    [
      /^hostname (\S+)$/,
      ([, name = '']) => {
        config.hostname = name
        return done
      },
    ],
    [/^router bgp (\S+)$/, ([, asn = '']) => enterBgp(state, asn)],
    [/^object-group network \S+$/, () => enter('config-network-group', config.groups)],
    [/^route-map \S+ (?:permit|deny) \d+$/, () => enter('config-route-map', config.tail)],
    [/^ip access-list extended \S+$/, () => enter('config-ext-nacl', config.tail)],
    [/^ipv6 access-list \S+$/, () => enter('config-ipv6-acl', config.tail)],
    [/^vrf definition \S+$/, () => enter('config-vrf', config.head)],
    [/^archive$/, () => enter('config-archive', config.head)],
    [/^line vty\b/, () => enter('config-line', [])],
    [
      /^(?:ntp|logging|banner|username|service|ip (?:domain|ssh|cef|forward-protocol)|ipv6 unicast-routing)\b/,
      () => done,
    ],
  ])
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

/** Lines of a mode below `(config)#`. */
export function subLine(state: IosState, mode: Mode, line: string): LineResult | undefined {
  if (!('block' in mode)) return undefined
  const { name, block: own } = mode
  const plain = plainLines[name]
  if (plain !== undefined) return plainLine(own, line, plain)
  if (name === 'config-router') return routerLine(state, own, line)
  if (name === 'config-router-af') return familyLine(own, line)
  if (name === 'config-network-group') return groupLine(state, own, line)
  return name === 'config-ext-nacl' || name === 'config-ipv6-acl'
    ? accessLine(own, line)
    : interfaceLine(state, own, line)
}

/** Modes whose lines are stored as typed, and which lines those are. */
const plainLines: Readonly<Record<string, RegExp>> = {
  'config-route-map': /^(?:match|set|description|continue) /,
  'config-archive': /^(?:path|maximum|time-period|write-memory|log)\b/,
  'config-vrf': /^(?:rd|route-target|address-family|description) /,
  'config-line': /^(?:transport|exec-timeout|login|length|width)\b/,
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

const interfaceWords =
  /^(?:description|(?:ip|ipv6) address|ip access-group|ipv6 traffic-filter|switchport (?:access|mode|trunk)|channel-group|mtu|bandwidth|duplex|speed|vrf forwarding|encapsulation|ip ospf (?:authentication-key|message-digest-key \d+)|(?:ipv6 ospf|ospfv3) (?:authentication|encryption)|isis password|ip nhrp authentication|(?:standby|vrrp|glbp) \d+ (?:ip|authentication)|ppp (?:chap password|pap sent-username))\b/

function interfaceLine(state: IosState, one: Block, line: string): LineResult | undefined {
  return dispatch<LineResult | undefined>(line, [
    [/^shutdown$/, () => setLine(one, 'shutdown', line)],
    [
      /^no shutdown$/,
      () => {
        // Off and on again clears what the device had switched off itself.
        state.errDisabled.delete(one.text.slice('interface '.length))
        return setLine(one, 'shutdown', undefined)
      },
    ],
    [/^(no )?shutdown /, ([, no]) => ({ invalid: no === undefined ? 1 : 2 })],
    [/^no ip unreachables$/, () => setLine(one, 'no ip unreachables', line)],
    [/^ip unreachables$/, () => setLine(one, 'no ip unreachables', undefined)],
    [
      /^(no )?(.+)$/,
      ([, no, text = '']) => {
        const head = interfaceWords.exec(text)?.[0]
        return head === undefined
          ? undefined
          : setLine(one, head, no === undefined ? text : undefined)
      },
    ],
  ])
}

/** Puts a line in the place of those that begin alike: the description first, `shutdown` last. */
function setLine(one: Block, head: string, text: string | undefined): LineResult {
  const at = one.children.findIndex(
    (child) => child.text === head || child.text.startsWith(`${head} `),
  )
  if (at >= 0) one.children.splice(at, 1)
  if (text === undefined) return done
  const shut = one.children.findIndex((child) => child.text === 'shutdown')
  const last = shut < 0 || head === 'shutdown' ? one.children.length : shut
  one.children.splice(head === 'description' ? 0 : last, 0, block(text))
  return done
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

function familyLine(af: Block, line: string): LineResult | undefined {
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
  const [, no, typed = '', word, rest = ''] =
    /^(no )?neighbor (\S+)(?: (\S+)(?: (.*))?)?$/.exec(line) ?? []
  const head = `neighbor ${shown(typedAddress(typed) ?? typed)}`
  const problem = neighborProblem(parent, head, { no: no !== undefined, word, rest })
  if (problem !== undefined) return problem
  if (no === undefined) {
    placeNeighborLine(parent, `${head} ${word} ${rest}`.trim())
    return done
  }
  return removeLines(parent, word === undefined || word === 'remote-as' ? head : `${head} ${word}`)
}

interface NeighborWords {
  readonly no: boolean
  readonly word: string | undefined
  readonly rest: string
}

function neighborProblem(
  parent: Block,
  head: string,
  { no, word, rest }: NeighborWords,
): LineResult | undefined {
  const offset = no ? 1 : 0
  if (word === undefined) return no ? undefined : { print: '% Incomplete command.\n\n' }
  if (!neighborWords.test(word)) return { invalid: 2 + offset }
  const defines = word === 'remote-as' || word === 'peer-group'
  if (!defines && !isDefined(parent, head)) {
    return { print: '% Specify remote-as or peer-group commands first\n' }
  }
  // The message of RFC 9003 is unknown here, and so is everything else behind the word.
  return word === 'shutdown' && rest !== '' ? { invalid: 3 + offset } : undefined
}

function isDefined(parent: Block, head: string): boolean {
  return parent.children.some(
    ({ text }) => text.startsWith(`${head} remote-as`) || text.startsWith(`${head} peer-group`),
  )
}

function removeLines(parent: Block, head: string): LineResult {
  for (let at = parent.children.length - 1; at >= 0; at--) {
    const text = parent.children[at]?.text ?? ''
    if (text === head || text.startsWith(`${head} `)) parent.children.splice(at, 1)
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
