// What an IOS device shows of routes: single prefixes with their descriptors, tables, and what forwarding makes of them.

import { covers, type Prefix } from '../../../../inventory/prefix.ts'
import { longestMatch, typedAddress, typedPrefix } from '../prefixes.ts'
import {
  bestOf,
  discardsAddress,
  type IosState,
  maskLength,
  type Rib,
  ribOf,
  vrfExists,
} from './state.ts'

interface Invalid {
  readonly invalid: number
}

/** `show ip route …` and `show ipv6 route …`. */
export function showRoute(
  state: IosState,
  family: 4 | 6,
  words: readonly string[],
): string | Invalid | undefined {
  const { vrf, rest } = splitVrf(words)
  if (!vrfExists(state.config, vrf)) {
    return family === 4
      ? `% IP routing table ${vrf} does not exist\n`
      : `% IPv6 routing table ${vrf} does not exist\n`
  }
  const rib = ribOf(state, family, vrf)
  const head = vrf === 'default' ? '' : `\nRouting Table: ${vrf}\n`
  const [first = ''] = rest
  const several = tableOf(rib, rest, family)
  if (several !== undefined) return head + table(several, family)
  const asked = askedPrefix(rest, family, rib)
  if (asked === undefined) return { invalid: vrf === 'default' ? 3 : 5 }
  const routes = asked.prefix === undefined ? [] : bestOf(rib, asked.prefix)
  if (routes.length === 0) return absent(family, head, asked.exact && subnetted(rib, first))
  return head + (family === 4 ? entry4(state, routes) : entry6(state, routes))
}

/** The routes of a question that is answered with a table: all, those of one source, those inside a prefix. */
function tableOf(
  rib: readonly Rib[],
  words: readonly string[],
  family: 4 | 6,
): readonly Rib[] | undefined {
  const [first] = words
  if (first === undefined) return rib
  if (/^(?:static|connected|bgp)$/.test(first)) return rib.filter(({ source }) => source === first)
  const longer = longerThan(words, family)
  return longer && rib.filter(({ prefix }) => covers(longer, prefix as Prefix))
}

/** The prefix of `A M longer-prefixes`, or `P longer-prefixes`. */
function longerThan(words: readonly string[], family: 4 | 6): Prefix | undefined {
  if (words.at(-1) !== 'longer-prefixes') return undefined
  const [target = '', mask = ''] = words
  return typedPrefix(family === 6 ? target : `${target}/${maskLength(mask) ?? ''}`, family)
}

function absent(family: 4 | 6, head: string, subnet: boolean): string {
  if (family === 6) return '% Route not found\n'
  return `${head}% ${subnet ? 'Subnet' : 'Network'} not in table\n`
}

function splitVrf(words: readonly string[]): { vrf: string; rest: readonly string[] } {
  return words[0] === 'vrf'
    ? { vrf: words[1] ?? '', rest: words.slice(2) }
    : { vrf: 'default', rest: words }
}

/** The prefix that is meant: exact with mask or length, else the one that covers the address. */
function askedPrefix(
  words: readonly string[],
  family: 4 | 6,
  rib: readonly Rib[],
): { readonly prefix: string | undefined; readonly exact: boolean } | undefined {
  const [target = '', mask] = words
  if (family === 6 && target.includes('/')) {
    const prefix = typedPrefix(target, 6)
    return prefix === undefined ? undefined : { prefix, exact: true }
  }
  const address = typedAddress(target)
  if (address === undefined || address.includes(':') !== (family === 6)) return undefined
  if (mask === undefined || mask === 'longer-prefixes') {
    return { prefix: longestMatch(rib, address)?.prefix, exact: false }
  }
  const length = maskLength(mask)
  if (length === undefined) return undefined
  return { prefix: typedPrefix(`${address}/${length}`, 4), exact: true }
}

/** Whether the table knows the classful network of the address: then a missing prefix is a missing subnet. */
function subnetted(rib: readonly Rib[], address: string): boolean {
  const first = Number(address.split('.')[0])
  const parts = first < 128 ? 1 : first < 192 ? 2 : 3
  const network = `${address.split('.').slice(0, parts).join('.')}.`
  return rib.some(({ prefix }) => prefix.startsWith(network))
}

function known(route: Rib, state: IosState): string {
  const asn = state.config.routers[0]?.text.split(' ')[2] ?? '64500'
  switch (route.source) {
    case 'connected':
      return 'Known via "connected", distance 0, metric 0 (connected, via interface)'
    case 'static': {
      const direct = !/^[\d.]+$|:/.test(route.via)
      return `Known via "static", distance ${route.distance}, metric 0${direct ? ' (connected)' : ''}`
    }
    case 'bgp':
      return `Known via "bgp ${asn}", distance ${route.distance}, metric 0, type internal`
  }
}

function entry4(state: IosState, routes: readonly Rib[]): string {
  const [first] = routes
  if (first === undefined) return ''
  const lines = [
    `Routing entry for ${first.prefix}${first.prefix === '0.0.0.0/0' ? ', supernet' : ''}`,
    `  ${known(first, state)}`,
  ]
  if (first.tag !== undefined) lines.push(`  Tag ${first.tag}`)
  if (first.source === 'bgp') lines.push(`  Last update from ${first.via} 00:00:10 ago`)
  lines.push('  Routing Descriptor Blocks:')
  routes.forEach((route, at) => {
    const star = at === 0 ? '*' : ' '
    const hop = /^[\d.]+$/.test(route.via)
      ? `${route.via}${route.from === undefined ? '' : `, from ${route.from}, 00:00:10 ago`}`
      : `directly connected, via ${route.via}`
    lines.push(`  ${star} ${hop}`, '      Route metric is 0, traffic share count is 1')
    if (route.source === 'bgp') lines.push('      AS Hops 0', '      MPLS label: none')
    if (route.tag !== undefined) lines.push(`      Route tag ${route.tag}`)
  })
  return `${lines.join('\n')}\n`
}

function entry6(state: IosState, routes: readonly Rib[]): string {
  const [first] = routes
  if (first === undefined) return ''
  const lines = [
    `Routing entry for ${first.prefix.toUpperCase()}`,
    `  ${known(first, state).replace(' (connected)', '').replace(' (connected, via interface)', ', type connected')}`,
  ]
  if (first.tag !== undefined) lines.push(`  Tag ${first.tag}`)
  lines.push(
    `  Route count is ${routes.length}/${routes.length}, share count 0`,
    '  Routing paths:',
  )
  for (const route of routes) {
    lines.push(
      route.via.includes(':')
        ? `    ${route.via.toUpperCase()}`
        : `    directly connected via ${route.via}`,
      '      Route metric is 0, traffic share count is 1',
    )
    if (route.from !== undefined) lines.push(`      From ::FFFF:${route.from}`)
    lines.push('      Last updated 00:00:10 ago')
  }
  return `${lines.join('\n')}\n`
}

function table(rib: readonly Rib[], family: 4 | 6): string {
  const prefixes = [...new Set(rib.map(({ prefix }) => prefix))]
  const rows = prefixes.flatMap((prefix) =>
    bestOf(rib, prefix).map((route) => {
      const code = { connected: 'C', static: 'S', bgp: 'B' }[route.source]
      const shown = family === 6 ? prefix.toUpperCase() : prefix
      if (family === 6) {
        const hop = route.via.includes(':')
          ? `via ${route.via.toUpperCase()}`
          : `via ${route.via}, directly connected`
        return `${code}   ${shown} [${route.distance}/0]\n     ${hop}\n`
      }
      return /^[\d.]+$/.test(route.via)
        ? `${code}        ${shown} [${route.distance}/0] via ${route.via}\n`
        : `${code}        ${shown} is directly connected, ${route.via}\n`
    }),
  )
  return family === 4
    ? `Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP\n       o - ODR, P - periodic downloaded static route\n\nGateway of last resort is not set\n\n${rows.join('')}`
    : `IPv6 Routing Table - default - ${prefixes.length} entries\nCodes: C - Connected, L - Local, S - Static, B - BGP\n${rows.join('')}`
}

/** `show ip cef …`: what is done with a packet in the end. */
export function showCef(
  state: IosState,
  family: 4 | 6,
  words: readonly string[],
): string | Invalid | undefined {
  const { vrf, rest } = splitVrf(words)
  const rib = ribOf(state, family, vrf)
  const slash = /^(\S+)\/(\d+)$/.exec(rest[0] ?? '')
  const asked =
    slash !== null && family === 4
      ? { prefix: typedPrefix(rest[0] ?? '', 4) as string | undefined }
      : askedPrefix(
          rest.filter((word) => word !== 'detail'),
          family,
          rib,
        )
  if (asked === undefined) return { invalid: 3 }
  const routes = asked.prefix === undefined ? [] : bestOf(rib, asked.prefix)
  if (routes.length === 0) return '%Prefix not found\n'
  const name = family === 6 ? asked.prefix?.toUpperCase() : asked.prefix
  const hops = routes.map((route) => {
    if (/^[\d.]+$|:/.test(route.via)) {
      const end = discardsAddress(state, route.via) ? 'attached to Null0' : `nexthop ${route.via}`
      return `  recursive via ${route.via.toUpperCase()}\n    ${end}\n`
    }
    return `  attached to ${route.via}\n`
  })
  return `${name}\n${hops.join('')}`
}
