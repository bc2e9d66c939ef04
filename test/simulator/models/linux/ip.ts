// `ip` and `bridge`: options, links, addresses, batches. Routes are ip-route.ts. Texts and statuses as iproute2 6.1 gives them.

import { macOf } from '../frr/config.ts'
import { ipNeigh } from './ip-neigh.ts'
import { ipRoute } from './ip-route.ts'
import { ipRule } from './ip-rule.ts'
import { fail, type IpOptions, type Ran, ran } from './ran.ts'
import { addressesOf, type Link, type LinuxState, setAddresses, setLink } from './state.ts'

/** `ip …`. */
export function ip(state: LinuxState, words: readonly string[], root: boolean, input: string): Ran {
  const at = words.findIndex((word, index) => !word.startsWith('-') && !isBatchFile(words, index))
  const options = at < 0 ? words : words.slice(0, at)
  if (options.some((word) => /^-V(?:ersion)?$/.test(word))) {
    return ran('ip utility, iproute2-6.1.0, libbpf 1.1.2\n')
  }
  const wrong = options.find(
    (word, index) => !knownOption.test(word) && !isBatchFile(options, index),
  )
  if (wrong !== undefined) return fail(255, `Option "${wrong}" is unknown, try "ip -help".\n`)
  const read: IpOptions = {
    json: options.some((word) => /^-j(?:son)?$/.test(word)),
    details: options.some((word) => /^-d(?:etails)?$/.test(word)),
    oneLine: options.some((word) => /^-o(?:neline)?$/.test(word)),
    batched: false,
    family: options.includes('-6') ? 6 : options.includes('-4') ? 4 : undefined,
    root,
  }
  const batched = options.findIndex((word) => batchOption.test(word))
  if (batched < 0) return ipObject(state, at < 0 ? [] : words.slice(at), read)
  const file = options[batched + 1] ?? '-'
  const text = file === '-' ? input : state.files.get(file)
  if (text === undefined) {
    return fail(1, `Cannot open file "${file}" for reading: No such file or directory\n`)
  }
  return batch(state, text, read, options.includes('-force'))
}

const batchOption = /^-b(?:atch)?$/
const knownOption =
  /^-(?:j|json|d|details|4|6|force|b|batch|s|o|br|brief|p|pretty|c|color=never|N|oneline|n|r)$/

function isBatchFile(words: readonly string[], at: number): boolean {
  return batchOption.test(words[at - 1] ?? '')
}

function ipObject(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const typed = [options.family === 6 ? '-6 ' : '', words.join(' ')].join('')
  if (state.refusals.delete(typed)) return fail(2, 'RTNETLINK answers: No buffer space available\n')
  const [object = '', ...rest] = words
  const known = Object.keys(objects).find((one) => object !== '' && one.startsWith(object))
  const act = objects[known ?? '']
  return act === undefined
    ? fail(255, `Object "${object}" is unknown, try "ip help".\n`)
    : act(state, rest, options)
}

const nothing = (_state: LinuxState, _words: readonly string[], { json }: IpOptions): Ran =>
  ran(json ? '[]\n' : '')

/** Objects in the order in which ip looks for an abbreviation. */
const objects: Readonly<
  Record<string, (state: LinuxState, words: readonly string[], options: IpOptions) => Ran>
> = {
  route: ipRoute,
  link: ipLink,
  address: ipAddress,
  rule: ipRule,
  neighbour: ipNeigh,
  netns: nothing,
  // Next hops as objects of their own: none are ever made.
  nexthop: nothing,
  vrf: nothing,
}

function batch(state: LinuxState, text: string, options: IpOptions, force: boolean): Ran {
  let out = ''
  let err = ''
  let shown = ''
  let status = 0
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    if (line.trim() === '' || line.startsWith('#')) continue
    const result = ipObject(state, words, { ...options, batched: true })
    out += result.out
    // A kernel's no names the line; a syntax error ends all at once, without a number, even with -force.
    const number = result.status === 2 ? `Command failed -:${index + 1}\n` : ''
    err += result.err + number
    shown += result.out + result.err + number
    if (result.status === 0) continue
    status = result.status === 2 ? 1 : result.status
    if (result.status !== 2 || !force) break
  }
  return { out, err, status, shown }
}

function ipLink(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const [verb = 'show', ...rest] = words
  if (verb === 'set') return linkSet(state, rest, options)
  if (verb === 'add') return linkAdd(state, rest, options)
  if (!'show'.startsWith(verb) && !'list'.startsWith(verb)) {
    return fail(255, `Command "${verb}" is unknown, try "ip link help".\n`)
  }
  const chosen = chooseLinks(state, rest)
  if (!Array.isArray(chosen)) return chosen as Ran
  if (options.json)
    return ran(`${JSON.stringify(chosen.map((one: Link) => jsonLink(one, options)))}\n`)
  return ran(chosen.map(textLink).join(''))
}

function chooseLinks(state: LinuxState, words: readonly string[]): Link[] | Ran {
  let links = state.kernel.links
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === 'type' || word === 'master') {
      const value = words[at + 1] ?? ''
      at += 1
      links = links.filter((one) => (word === 'type' ? one.kind === value : one.master === value))
      continue
    }
    if (word === 'up') {
      links = links.filter((one) => one.up)
      continue
    }
    if (word === 'to') {
      at += 1
      links = links.filter((one) => one.addresses.some((own) => own.split('/')[0] === words[at]))
      continue
    }
    if (word === 'dev') at += 1
    const name = word === 'dev' ? (words[at] ?? '') : word
    links = links.filter((one) => one.name === name)
    if (links.length === 0) return fail(1, `Device "${name}" does not exist.\n`)
  }
  return [...links]
}

/** `ip link add [link LOWER] [name] NAME type KIND …`: what follows the kind changes nothing here. */
function linkAdd(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const form = /^(?:link (\S+) )?(?:name )?(\S+) type (bridge|bond|vlan|macvlan)\b/
  const [, lower, name = '', kind] = form.exec(words.join(' ')) ?? []
  const { links } = state.kernel
  if (kind === undefined) return fail(2, 'Error: Unknown device type.\n')
  if (lower !== undefined && !links.some((one) => one.name === lower)) {
    return fail(1, `Cannot find device "${lower}"\n`)
  }
  if (!options.root) return fail(2, 'RTNETLINK answers: Operation not permitted\n')
  if (links.some((one) => one.name === name)) return fail(2, 'RTNETLINK answers: File exists\n')
  links.push({
    index: Math.max(...links.map(({ index }) => index)) + 1,
    name,
    mac: macOf(`${state.spec.name} ${name}`),
    up: false,
    carrier: true,
    master: undefined,
    alias: undefined,
    kind: kind as Link['kind'],
    ...(lower === undefined ? {} : { lower }),
    addresses: [],
  })
  state.listener()
  return ran('')
}

function linkSet(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const rest = words[0] === 'dev' ? words.slice(1) : words
  const [name = '', ...changes] = rest
  const link = state.kernel.links.find((one) => one.name === name)
  if (link === undefined) return fail(1, `Cannot find device "${name}"\n`)
  if (!options.root) return fail(2, 'RTNETLINK answers: Operation not permitted\n')
  for (let at = 0; at < changes.length; at++) {
    const word = changes[at] ?? ''
    if (word === 'up' || word === 'down') setLink(state.kernel, link, word === 'up')
    else if (word === 'nomaster') link.master = undefined
    else if (word === 'alias' || word === 'master') {
      at += 1
      link[word] = changes[at]
    } else {
      return fail(255, `Error: either "dev" is duplicate, or "${word}" is a garbage.\n`)
    }
  }
  state.listener()
  return ran('')
}

function flagsOf(link: Link): string[] {
  if (link.kind === 'loopback') return ['LOOPBACK', 'UP', 'LOWER_UP']
  const base = link.kind === 'vrf' ? ['NOARP', 'MASTER'] : ['BROADCAST', 'MULTICAST']
  if (!link.up) return base
  return link.carrier ? [...base, 'UP', 'LOWER_UP'] : ['NO-CARRIER', ...base, 'UP']
}

function stateOf(link: Link): string {
  if (link.kind === 'loopback') return 'UNKNOWN'
  return link.up && link.carrier ? 'UP' : 'DOWN'
}

function jsonLink(link: Link, options: IpOptions): Record<string, unknown> {
  const slave = link.master !== undefined
  return {
    ifindex: link.index,
    ...(link.lower === undefined ? {} : { link: link.lower }),
    ifname: link.name,
    flags: flagsOf(link),
    mtu: link.kind === 'loopback' ? 65_536 : 1500,
    qdisc: 'noqueue',
    ...(slave ? { master: link.master } : {}),
    operstate: stateOf(link),
    linkmode: 'DEFAULT',
    group: 'default',
    txqlen: 1000,
    link_type: link.kind === 'loopback' ? 'loopback' : 'ether',
    address: link.mac,
    broadcast: link.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff',
    ...(options.details ? { ...linkInfo(link), inet6_addr_gen_mode: 'eui64' } : {}),
    ...(link.alias === undefined ? {} : { ifalias: link.alias }),
  }
}

function linkInfo(link: Link): Record<string, unknown> {
  if (link.kind === 'vrf') {
    return { linkinfo: { info_kind: 'vrf', info_data: { table: link.table } } }
  }
  if (link.kind === 'ether' || link.kind === 'loopback') return {}
  return { linkinfo: { info_kind: link.kind, info_data: infoData[link.kind] } }
}

const infoData = {
  bridge: { stp_state: 0 },
  bond: { mode: 'active-backup' },
  vlan: { protocol: '802.1Q', id: 1, flags: ['REORDER_HDR'] },
  macvlan: { mode: 'vepa' },
} as const

function textLink(link: Link): string {
  const master = link.master === undefined ? '' : `master ${link.master} `
  const kind = link.kind === 'loopback' ? 'loopback' : 'ether'
  const broadcast = link.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'
  const alias = link.alias === undefined ? '' : `    alias ${link.alias}\n`
  return `${link.index}: ${link.name}: <${flagsOf(link).join(',')}> mtu ${link.kind === 'loopback' ? 65_536 : 1500} qdisc noqueue ${master}state ${stateOf(link)} mode DEFAULT group default qlen 1000\n    link/${kind} ${link.mac} brd ${broadcast}\n${alias}`
}

function ipAddress(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const [verb = 'show', ...rest] = words
  if (verb === 'add' || verb === 'del') return changeAddress(state, verb, rest, options)
  const chosen = chooseLinks(state, rest)
  if (!Array.isArray(chosen)) return chosen as Ran
  const own = (link: Link): string[] =>
    addressesOf(link).filter(
      (address) => options.family === undefined || address.includes(':') === (options.family === 6),
    )
  if (options.json) {
    const list = chosen.map((link: Link) => ({
      ...jsonLink(link, options),
      addr_info: own(link).map((address) => ({
        family: address.includes(':') ? 'inet6' : 'inet',
        local: address.split('/')[0],
        prefixlen: Number(address.split('/')[1]),
        scope: scopeOf(address),
        ...(address.includes(':') ? {} : { label: link.name }),
        valid_life_time: 4_294_967_295,
        preferred_life_time: 4_294_967_295,
      })),
    }))
    return ran(`${JSON.stringify(list)}\n`)
  }
  return ran(
    chosen
      .map((link: Link) => {
        const lines = own(link).map(
          (address) =>
            `    ${address.includes(':') ? 'inet6' : 'inet'} ${address} scope ${scopeOf(address)} ${address.includes(':') ? '' : link.name}\n       valid_lft forever preferred_lft forever\n`,
        )
        return textLink(link) + lines.join('')
      })
      .join(''),
  )
}

function scopeOf(address: string): 'link' | 'global' {
  return /^fe[89ab]/i.test(address) ? 'link' : 'global'
}

function changeAddress(
  state: LinuxState,
  verb: 'add' | 'del',
  words: readonly string[],
  options: IpOptions,
): Ran {
  const [address = ''] = words
  const name = words[words.indexOf('dev') + 1] ?? ''
  const link = state.kernel.links.find((one) => one.name === name)
  if (link === undefined) return fail(1, `Cannot find device "${name}"\n`)
  if (!options.root) return fail(2, 'RTNETLINK answers: Operation not permitted\n')
  const there = link.addresses.includes(address)
  if (verb === 'add') {
    if (there) return fail(2, 'RTNETLINK answers: File exists\n')
    setAddresses(state.kernel, link, [...link.addresses, address])
    return ran('')
  }
  if (!there) return fail(2, 'RTNETLINK answers: Cannot assign requested address\n')
  const left = link.addresses.filter((one) => one !== address)
  setAddresses(state.kernel, link, left)
  return ran('')
}

/** `bridge link show …`. */
export function bridge(state: LinuxState, words: readonly string[]): Ran {
  const json = words.includes('-j') || words.includes('-json')
  const rest = words.filter((word) => !word.startsWith('-'))
  if (rest[0] !== 'link') return ran(json ? '[]\n' : '')
  const chosen = chooseLinks(state, rest.slice(rest[1] === 'show' ? 2 : 1))
  if (!Array.isArray(chosen)) return chosen as Ran
  const bridges = new Set(
    state.kernel.links.filter(({ kind }) => kind === 'bridge').map(({ name }) => name),
  )
  const ports = chosen.filter((link: Link) => bridges.has(link.master ?? ''))
  if (json) {
    const list = ports.map((link: Link) => ({
      ifindex: link.index,
      ifname: link.name,
      flags: flagsOf(link),
      mtu: 1500,
      master: link.master,
      state: link.up ? 'forwarding' : 'disabled',
      priority: 32,
      cost: 2,
    }))
    return ran(`${JSON.stringify(list)}\n`)
  }
  return ran(
    ports
      .map(
        (link: Link) =>
          `${link.index}: ${link.name}: <${flagsOf(link).join(',')}> mtu 1500 master ${link.master} state ${link.up ? 'forwarding' : 'disabled'} priority 32 cost 2 \n`,
      )
      .join(''),
  )
}
