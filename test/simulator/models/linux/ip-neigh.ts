// `ip neigh`: entries by hand, and those that the host answers for in another's place. None is learnt here: nobody lives behind the ports.

import { typedAddress } from '../prefixes.ts'
import { fail, type IpOptions, type Ran, ran } from './ran.ts'
import type { LinuxState, Neighbour } from './state.ts'

/** `ip neigh …`, the words behind `neigh`. */
export function ipNeigh(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const [verb = 'show', ...rest] = words
  const wanted = parseWords(rest)
  if (wanted.dev !== undefined && !state.kernel.links.some(({ name }) => name === wanted.dev)) {
    return fail(1, `Cannot find device "${wanted.dev}"\n`)
  }
  if ('show'.startsWith(verb) || 'list'.startsWith(verb)) return show(state, wanted, options)
  if (!/^(?:add|replace|del)$/.test(verb)) {
    return fail(255, `Command "${verb}" is unknown, try "ip neigh help".\n`)
  }
  return change(state, verb, wanted, options)
}

interface Words {
  readonly proxy: boolean
  readonly dst: string | undefined
  readonly dev: string | undefined
  readonly lladdr: string | undefined
  readonly nud: string | undefined
}

const withValue: ReadonlySet<string> = new Set(['dev', 'lladdr', 'nud', 'to'])

function parseWords(words: readonly string[]): Words {
  const texts = new Map<string, string>()
  const rest = words.filter((word) => word !== 'proxy')
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? ''
    if (!withValue.has(word)) texts.set('to', word)
    else {
      at += 1
      texts.set(word, rest[at] ?? '')
    }
  }
  return {
    proxy: words.includes('proxy'),
    dst: typedAddress(texts.get('to') ?? ''),
    dev: texts.get('dev'),
    lladdr: texts.get('lladdr'),
    nud: texts.get('nud'),
  }
}

function change(
  { kernel, listener }: LinuxState,
  verb: string,
  wanted: Words,
  options: IpOptions,
): Ran {
  const { dst, dev, lladdr, proxy } = wanted
  if (dst === undefined || dev === undefined)
    return fail(255, 'Device and destination are required arguments.\n')
  if (!options.root) return fail(2, 'RTNETLINK answers: Operation not permitted\n')
  const others = kernel.neighbours.filter(
    (one) => one.dst !== dst || one.dev !== dev || one.proxy !== proxy,
  )
  const isThere = others.length < kernel.neighbours.length
  if (verb === 'del' && !isThere) return fail(2, 'RTNETLINK answers: No such file or directory\n')
  if (verb === 'add' && isThere && !proxy) return fail(2, 'RTNETLINK answers: File exists\n')
  const own: readonly Neighbour[] = verb === 'del' ? [] : [{ dst, dev, lladdr, proxy }]
  kernel.neighbours = [...others, ...own]
  listener()
  return ran('')
}

/** IPv4 before IPv6; what is asked for by its device is shown without it. */
function show({ kernel }: LinuxState, { proxy, dev, nud }: Words, options: IpOptions): Ran {
  const families = options.family === undefined ? ([4, 6] as const) : [options.family]
  const shown = families.flatMap((family) =>
    kernel.neighbours.filter(
      (one) =>
        one.proxy === proxy &&
        [undefined, one.dev].includes(dev) &&
        [undefined, 'permanent', 'all'].includes(nud) &&
        one.dst.includes(':') === (family === 6),
    ),
  )
  if (options.json) {
    const list = shown.map((one) => ({
      dst: one.dst,
      ...(dev === undefined ? { dev: one.dev } : {}),
      ...(one.proxy ? { proxy: null } : { lladdr: one.lladdr, state: ['PERMANENT'] }),
    }))
    return ran(`${JSON.stringify(list)}\n`)
  }
  const texts = shown.map((one) => {
    const at = dev === undefined ? `${one.dst} dev ${one.dev}` : one.dst
    return `${at} ${one.proxy ? 'proxy' : `lladdr ${one.lladdr} PERMANENT`} \n`
  })
  return ran(texts.join(''))
}
