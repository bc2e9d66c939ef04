// Static routes as IOS takes them: one global line each, options in any order.

import type { Prefix } from '../../../../inventory/prefix.ts'
import { dispatch } from '../dispatch.ts'
import { hasHostBits, typedAddress, typedPrefix } from '../prefixes.ts'
import type { Static } from './config.ts'
import type { LineResult } from './lines.ts'
import { type IosState, maskLength, vrfExists } from './state.ts'

const done: LineResult = { print: '' }

/** What a typed static route says, or what is wrong with it. */
function parseStatic(line: string): Static | LineResult {
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
  const [first, ...rest] = words
  if (first === undefined) return { ...route, target: '' }
  const hop = typedAddress(first)
  const target = /^null ?0$/i.test(first) ? 'Null0' : (hop ?? first)
  if (hop === undefined && !/^[A-Za-z-]+\d[\d/.]*$/.test(first)) return { invalid: offset }
  const options = parseOptions(rest)
  return 'invalid' in options
    ? { invalid: offset + 1 + options.invalid }
    : { ...route, target, ...options }
}

type Options = Pick<Static, 'distance' | 'tag' | 'name' | 'permanent'>

/** Options in any order, or the index of the word that is none. */
function parseOptions(words: readonly string[]): Options | { readonly invalid: number } {
  let options: Options = {}
  let at = 0
  while (at < words.length) {
    const found = dispatch<{ readonly set: Options; readonly words: number }>(
      words.slice(at, at + 2).join(' '),
      [
        [/^tag (\d{1,10})$/, ([, tag]) => ({ set: { tag: Number(tag) }, words: 2 })],
        [/^name (\S+)$/, ([, name = '']) => ({ set: { name }, words: 2 })],
        [/^permanent\b/, () => ({ set: { permanent: true }, words: 1 })],
        // Distance 1 is what a route has anyway, and is not printed.
        [/^1(?: |$)/, () => ({ set: {}, words: 1 })],
        [
          /^(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])(?: |$)/,
          ([, distance]) => ({ set: { distance: Number(distance) }, words: 1 }),
        ],
      ],
    )
    if (found === undefined) return { invalid: at }
    options = { ...options, ...found.set }
    at += found.words
  }
  return options
}

/** `ip route …`, `ipv6 route …` and their `no` forms. */
export function staticLine(state: IosState, line: string): LineResult {
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
