// The configuration lines of FRR, node by node. Each function answers what the line prints, or undefined: unknown in this node, so that vtysh tries its parent.

import { type Block, block, placeNeighborLine } from '../blocks.ts'
import { dispatch } from '../dispatch.ts'
import { typedAddress, typedPrefix } from '../prefixes.ts'
import { bgpHeader, type FrrConfig, type Static } from './config.ts'
import type { Node } from './session.ts'
import { asnOf, bgpOf, type FrrState, hasCandidate, neighborValue } from './state.ts'

/** A line that opens another node, or prints something. */
export type LineResult = { readonly enter: Node } | { readonly print: string }

const done: LineResult = { print: '' }

/** A static route's line without `no`, or `incomplete`, or undefined where it is none. */
export function parseStatic(line: string, nodeVrf: string): Static | 'incomplete' | undefined {
  const form = /^(ip|ipv6) route(?: (\S+)(?: (\S+)(.*))?)?$/.exec(line)
  if (form === null) return undefined
  const [, verb, typed, way, rest = ''] = form
  const family = verb === 'ip' ? 4 : 6
  if (typed === undefined) return 'incomplete'
  const prefix = typedPrefix(typed, family)
  if (prefix === undefined) return undefined
  if (way === undefined) return 'incomplete'
  const words = rest.split(' ').filter((word) => word !== '')
  const target = staticTarget(way, family, words)
  const options = staticOptions(words)
  if (options === undefined || target === undefined) return undefined
  if (/^(?:blackhole|reject)$/.test(target) && leadsToHop(options)) return undefined
  const { vrf = nodeVrf, ...more } = options
  return { family, prefix, target, ...more, vrf }
}

/** Options that only a route with a next hop has. */
function leadsToHop({ nexthopVrf, onlink, color }: StaticOptions): boolean {
  return nexthopVrf !== undefined || onlink !== undefined || color !== undefined
}

/** The target, with the interface behind an address taken off the words. */
function staticTarget(word: string, family: 4 | 6, words: string[]): string | undefined {
  if (/^null0$/i.test(word)) return 'Null0'
  if (word === 'blackhole' || word === 'reject') return word
  const name = /^[a-z][\w.-]*$/i
  const address = typedAddress(word)
  // Anything else that looks like a name is an interface.
  if (address === undefined) return name.test(word) ? word : undefined
  if (address.includes(':') !== (family === 6)) return undefined
  const [behind] = words
  if (behind === undefined || !name.test(behind) || optionWords.has(behind)) return address
  words.shift()
  return `${address} ${behind}`
}

const optionWords = new Set(['tag', 'vrf', 'table', 'label', 'nexthop-vrf', 'onlink', 'color'])

interface StaticOptions {
  vrf?: string
  tag?: number
  distance?: number
  table?: number
  label?: string
  nexthopVrf?: string
  onlink?: true
  color?: number
}

/** Each option with one word behind it; false where that is no value of it. */
const staticValues: ReadonlyMap<string, (into: StaticOptions, value: string) => boolean> = new Map([
  ['tag', (into, value) => isNumber(value) && (into.tag = Number(value)) > 0],
  ['table', (into, value) => isNumber(value) && (into.table = Number(value)) > 0],
  ['color', (into, value) => isNumber(value) && (into.color = Number(value)) > 0],
  ['vrf', (into, value) => (into.vrf = value) !== ''],
  ['nexthop-vrf', (into, value) => (into.nexthopVrf = value) !== ''],
  ['label', (into, value) => /^[\d/]+$/.test((into.label = value))],
])

function isNumber(word: string): boolean {
  return /^\d{1,10}$/.test(word)
}

function staticOptions(words: readonly string[]): StaticOptions | undefined {
  const options: StaticOptions = {}
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const take = staticValues.get(word)
    if (take !== undefined) {
      at += 1
      if (!take(options, words[at] ?? '')) return undefined
    } else if (word === 'onlink') {
      options.onlink = true
    } else if (/^\d{1,3}$/.test(word) && Number(word) >= 1 && Number(word) <= 255) {
      // Distance 1 is what a route has anyway, and is not printed.
      if (word !== '1') options.distance = Number(word)
    } else {
      return undefined
    }
  }
  return options
}

/** Lines of `(config)#` but static routes, which need the session's transaction. */
export function configLine(
  state: FrrState,
  config: FrrConfig,
  line: string,
): LineResult | undefined {
  return dispatch<LineResult | undefined>(line, [
    [/^interface (\S+)$/, ([, name = '']) => enterInterface(config, name)],
    [/^no interface (\S+)$/, ([, name = '']) => removeInterface(config, name)],
    [
      /^router bgp (\S+)(?: vrf (\S+))?$/,
      ([, asn = '', vrf = 'default']) => enterBgp(state, asn, vrf),
    ],
    [/^vrf (\S+)$/, ([, vrf = '']) => enterVrf(config, vrf)],
    [/^route-map \S+ (?:permit|deny) \d+$/, ([text]) => enterMap(config, text)],
    [
      /^hostname (\S+)$/,
      ([, name = '']) => {
        config.hostname = name
        return done
      },
    ],
    [
      /^bgp (?:community-list|as-path) /,
      () => {
        config.blocks.push(block(line))
        return done
      },
    ],
    [/^(?:log|service|line|(?:no )?ip forwarding|ipv6 forwarding)\b/, () => done],
  ])
}

function enterVrf(config: FrrConfig, vrf: string): LineResult {
  if (!config.vrfs.includes(vrf)) config.vrfs.push(vrf)
  return { enter: { mode: 'config-vrf', vrf } }
}

function enterMap(config: FrrConfig, text: string): LineResult {
  const map = config.blocks.find((one) => one.text === text) ?? block(text)
  if (!config.blocks.includes(map)) config.blocks.push(map)
  return { enter: { mode: 'config-route-map', block: map } }
}

function enterInterface(config: FrrConfig, name: string): LineResult {
  if (!config.interfaces.has(name)) {
    config.interfaces.set(name, {
      name,
      index: 0,
      mac: '00:00:00:00:00:00',
      vrf: 'default',
      pseudo: true,
      kernelAddresses: [],
      bridge: undefined,
      kernelRoutes: [],
      description: undefined,
      shutdown: false,
      enabledByCli: false,
      addresses: [],
      protocols: [],
      linkDowns: 0,
    })
  }
  return { enter: { mode: 'config-if', name } }
}

function removeInterface(config: FrrConfig, name: string): LineResult {
  const one = config.interfaces.get(name)
  if (one === undefined) return { print: `% Interface ${name} does not exist\n` }
  if (!one.pseudo) return { print: '% Only inactive interfaces can be deleted\n' }
  config.interfaces.delete(name)
  return done
}

function enterBgp(state: FrrState, asn: string, vrf: string): LineResult | undefined {
  if (!/^[1-9]\d{0,9}(?:\.\d+)?$/.test(asn)) return undefined
  const there = bgpOf(state.config, vrf)
  if (there !== undefined && asnOf(there) !== asn) {
    return {
      print: hasCandidate(state)
        ? `BGP instance name and AS number mismatch\nBGP instance is already running; AS is ${asnOf(there)}\n`
        : `BGP is already running; AS is ${asnOf(there)}\n`,
    }
  }
  // A header that names no instance makes one: that is FRR, and the reason to send only headers that were read.
  const bgp = there ?? block(bgpHeader(asn, vrf))
  if (there === undefined) state.config.blocks.push(bgp)
  return { enter: { mode: 'config-router', vrf } }
}

/** Lines of `(config-if)#`. */
export function interfaceLine(
  config: FrrConfig,
  name: string,
  line: string,
): LineResult | undefined {
  const one = config.interfaces.get(name)
  if (one === undefined) return undefined
  const change = (edit: () => void): LineResult => {
    edit()
    return done
  }
  return dispatch<LineResult>(line, [
    [
      /^shutdown$/,
      () =>
        change(() => {
          if (!one.shutdown) one.linkDowns += 1
          one.shutdown = true
          one.kernelRoutes = []
          one.kernelAddresses = one.kernelAddresses.filter((address) => !address.includes(':'))
        }),
    ],
    [
      /^no shutdown$/,
      () => change(() => Object.assign(one, { shutdown: false, enabledByCli: true })),
    ],
    [/^description$/, () => ({ print: `% Command incomplete: ${line}\n` })],
    [/^description (.+)$/, ([, text = '']) => change(() => (one.description = text))],
    [/^no description\b/, () => change(() => (one.description = undefined))],
    [/^ip(?:v6)? address (.+)$/, ([, address = '']) => change(() => one.addresses.push(address))],
    [
      /^no ip(?:v6)? address (.+)$/,
      ([, address]) =>
        change(() => (one.addresses = one.addresses.filter((other) => other !== address))),
    ],
    [
      /^(?:ip ospf|ipv6 ospf6|ip router|isis) .+$/,
      ([text]) => change(() => one.protocols.push(text)),
    ],
  ])
}

const peerWords =
  /^(?:description|update-source|ebgp-multihop|password|timers|passive|local-as|ttl-security|capability|bfd|advertisement-interval)\b/
const familyWords =
  /^(?:activate|next-hop-self|route-map|prefix-list|soft-reconfiguration|send-community|route-reflector-client|default-originate|maximum-prefix|allowas-in)\b/

/** Lines of `(config-router)#`. */
export function routerLine(state: FrrState, vrf: string, line: string): LineResult | undefined {
  const bgp = bgpOf(state.config, vrf)
  if (bgp === undefined) return undefined
  const af = /^address-family (ipv4|ipv6)(?: unicast)?$/.exec(line)
  if (af !== null) {
    const text = `address-family ${af[1]} unicast`
    if (!bgp.children.some((child) => child.text === text)) bgp.children.push(block(text))
    return { enter: { mode: 'config-router-af', vrf, family: text } }
  }
  const neighbor = /^(no )?neighbor (\S+)(?: (.*))?$/.exec(line)
  if (neighbor !== null) {
    return neighborLine(state, vrf, {
      no: neighbor[1] !== undefined,
      peer: neighbor[2] ?? '',
      rest: neighbor[3] ?? '',
      line,
    })
  }
  if (!/^(?:no )?(?:bgp|timers bgp)\b/.test(line)) return undefined
  const positive = line.replace(/^no /, '')
  const at = bgp.children.findIndex(({ text }) => text === positive || text === `no ${positive}`)
  if (at >= 0) bgp.children.splice(at, 1)
  if (!(line.startsWith('no ') && at >= 0)) bgp.children.unshift(block(line))
  return done
}

interface NeighborWords {
  readonly no: boolean
  readonly peer: string
  readonly rest: string
  readonly line: string
}

function neighborLine(state: FrrState, vrf: string, words: NeighborWords): LineResult | undefined {
  const bgp = bgpOf(state.config, vrf)
  if (bgp === undefined) return undefined
  const { no, peer, rest, line } = words
  if (!no && /^(?:remote-as \S+|peer-group(?: \S+)?)$/.test(rest)) {
    placeNeighborLine(bgp, line)
    return done
  }
  const known = no ? /^(?:$|shutdown\b|remote-as|peer-group)/ : /^shutdown\b/
  if (!known.test(rest) && !peerWords.test(rest)) return undefined
  const defined = new RegExp(`^neighbor ${escaped(peer)} (?:remote-as|peer-group)\\b`)
  if (!bgp.children.some(({ text }) => defined.test(text))) {
    return { print: '% Specify remote-as or peer-group commands first\n' }
  }
  if (no) return removeNeighbor(bgp, peer, rest)
  if (rest.startsWith('shutdown')) return shut(state, vrf, words)
  placeNeighborLine(bgp, line)
  return done
}

function removeNeighbor(bgp: Block, peer: string, rest: string): LineResult {
  removeNeighborLines(bgp.children, peer, rest)
  if (rest === '' || rest.startsWith('remote-as')) {
    for (const child of bgp.children) removeNeighborLines(child.children, peer, '')
  }
  return done
}

function shut(state: FrrState, vrf: string, { peer, rest }: NeighborWords): LineResult | undefined {
  const bgp = bgpOf(state.config, vrf)
  if (bgp === undefined) return undefined
  const form = /^shutdown(?: (message|rtt) (.+))?$/.exec(rest)
  if (form === null) return undefined
  const before = neighborValue(bgp, peer, 'shutdown')
  // Without a message, what is shut already stays as it is, its message too.
  if (form[1] === undefined && before !== undefined) return done
  const text = (form[2] ?? '').replaceAll(/ +/g, ' ').trim()
  const line = `neighbor ${peer} shutdown${form[1] === undefined ? '' : ` ${form[1]} ${text}`}`
  if (form[1] === 'rtt') {
    bgp.children.push(block(line))
    return done
  }
  placeNeighborLine(bgp, line)
  if (before === undefined) {
    const key = `${vrf}|${peer}`
    state.drops.set(key, (state.drops.get(key) ?? 0) + 1)
  }
  return done
}

function removeNeighborLines(lines: { text: string }[], peer: string, rest: string): void {
  const word = rest.split(' ')[0] ?? ''
  const head = rest === '' || word === 'remote-as' ? `neighbor ${peer}` : `neighbor ${peer} ${word}`
  for (let at = lines.length - 1; at >= 0; at--) {
    const text = lines[at]?.text ?? ''
    const rtt = word === 'shutdown' && text.startsWith(`${head} rtt`)
    if (!rtt && (text === head || text.startsWith(`${head} `))) lines.splice(at, 1)
  }
}

/** Lines of `(config-router-af)#`. */
export function familyLine(
  state: FrrState,
  vrf: string,
  family: string,
  line: string,
): LineResult | undefined {
  const af = bgpOf(state.config, vrf)?.children.find(({ text }) => text === family)
  if (af === undefined) return undefined
  const positive = line.replace(/^no /, '')
  const neighbor = /^neighbor (\S+) (.+)$/.exec(positive)
  const known =
    neighbor === null
      ? /^(?:network|redistribute|aggregate-address)\b/.test(positive)
      : familyWords.test(neighbor[2] ?? '')
  if (!known) return undefined
  const at = af.children.findIndex(
    ({ text }) => text === positive || (line.startsWith('no ') && text.startsWith(`${positive} `)),
  )
  if (line.startsWith('no ')) {
    if (at >= 0) af.children.splice(at, 1)
  } else if (at < 0) {
    af.children.push(block(line))
  }
  return done
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
