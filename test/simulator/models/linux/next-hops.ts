// Routes with several next hops: `nexthop via A dev X weight N nexthop …`, as typed and as printed.

import { covers, hostPrefix, type Prefix } from '../../../../inventory/prefix.ts'
import { typedAddress } from '../prefixes.ts'
import { fail, type Ran } from './ran.ts'
import { isAlive, type Kernel, type NextHop } from './state.ts'

/** The next hops that the words are, from the first `nexthop` on, or what ip or the kernel answers instead. */
export function parseHops(kernel: Kernel, words: readonly string[]): readonly NextHop[] | Ran {
  const hops: NextHop[] = []
  for (const part of words
    .join(' ')
    .split(/(?:^| )nexthop(?: |$)/)
    .slice(1)) {
    const hop = parseHop(kernel, part.split(' '))
    if ('status' in hop) return hop
    hops.push(hop)
  }
  return hops
}

function parseHop(kernel: Kernel, words: readonly string[]): NextHop | Ran {
  const values: Record<string, string | undefined> = {}
  for (let at = 0; at < words.length; at += 2) {
    const word = words[at] ?? ''
    if (!/^(?:via|dev|weight)$/.test(word)) {
      return fail(255, `Error: "nexthop" or end of line is expected instead of "${word}"\n\n`)
    }
    values[word] = words[at + 1]
  }
  const { via, dev = deviceTo(kernel, via), weight = '1' } = values
  if (dev === undefined) return fail(2, 'Error: Nexthop has invalid gateway.\n')
  if (!kernel.links.some(({ name }) => name === dev)) {
    return fail(255, `Cannot find device "${dev}"\nError: cannot parse nexthop\n`)
  }
  const hop = { ...(via === undefined ? {} : { via }), dev, weight: Number(weight) }
  if (!isAlive(kernel, hop)) return fail(2, 'Error: Nexthop has invalid gateway.\n')
  return hop
}

/** The device whose network an address is in. */
function deviceTo({ routes }: Kernel, via: string | undefined): string | undefined {
  const address = typedAddress(via ?? '')
  if (address === undefined) return undefined
  return routes.find(
    ({ protocol, prefix }) =>
      protocol === 'kernel' && covers(prefix as Prefix, hostPrefix(address)),
  )?.dev
}

/** As `ip -j` prints them: those whose link is down are dead. */
export function jsonHops(kernel: Kernel, hops: readonly NextHop[]): readonly object[] {
  return hops.map((hop) => ({
    ...(hop.via === undefined ? {} : { gateway: hop.via }),
    dev: hop.dev,
    weight: hop.weight,
    flags: isAlive(kernel, hop) ? [] : ['dead', 'linkdown'],
  }))
}

/** As text, each on a line of its own; with `-o` a backslash stands for the line's end. */
export function textHops(kernel: Kernel, hops: readonly NextHop[], oneLine: boolean): string {
  return hops
    .map((hop) => {
      const via = hop.via === undefined ? '' : `via ${hop.via} `
      const dead = isAlive(kernel, hop) ? '' : 'dead linkdown '
      return `${oneLine ? '\\' : '\n'}\tnexthop ${via}dev ${hop.dev} weight ${hop.weight} ${dead}`
    })
    .join('')
}
