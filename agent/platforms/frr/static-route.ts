// A static route of FRR as `show running-config` prints it: staticd's words of 8.4 to 10.x, in its order. What of them acts beside a discard was tried
// on 8.4.4: `tag 250` is no distance, and a route of another routing table stands beside ours, also if it is a discard.

/** One static route. */
export interface StaticRoute {
  /** As it is typed in `(config)#`, the VRF behind it. */
  readonly command: string
  /** How it discards, or undefined where it has a next hop. */
  readonly discard?: 'blackhole' | 'Null0' | 'reject'
  readonly tag?: number
  readonly distance?: number
  /** The number of the routing table, where it stands in another than its VRF's. */
  readonly table?: number
  /** There is more to it than a target, a tag and a distance, or words that aren't known. */
  readonly more?: true
}

/** What the words behind the prefix say. `vrf`: where a VRF is named in the line itself. */
export type Target = Omit<StaticRoute, 'command'> & { readonly vrf?: string }

/** The main routing table of Linux: a route of the default VRF that names it is one of ours to share the prefix with. One takes the other's place there, for good. */
const mainTable = 254

interface Words {
  readonly left: string[]
  readonly read: { -readonly [K in keyof Target]: Target[K] }
}

/** The words behind the prefix → what they say. `vrf`: the VRF of the block that the line stands in. */
export function readTarget(rest: string, blockVrf: string): Target {
  const words: Words = { left: rest.split(' '), read: {} }
  const way = words.left.shift() ?? ''
  if (isDiscard(way)) words.read.discard = way
  else takeInterface(words.left)
  while (words.left.length > 0) {
    const take = options.get(words.left[0] ?? '') ?? distance
    // One word that isn't known may change the meaning of all: then neither table nor distance is a reason to stand aside.
    if (!take(words)) return { ...discardOf(words.read), more: true }
  }
  const { table, vrf = blockVrf } = words.read
  if (table === undefined || (vrf === 'default' && table !== mainTable)) return words.read
  // Which number the table of a VRF has the configuration does not say: it may be this one.
  delete words.read.table
  return { ...words.read, more: true }
}

function isDiscard(word: string): word is NonNullable<StaticRoute['discard']> {
  return word === 'blackhole' || word === 'Null0' || word === 'reject'
}

function discardOf({ discard, vrf }: Target): Target {
  return { ...(discard === undefined ? {} : { discard }), ...(vrf === undefined ? {} : { vrf }) }
}

/** Behind an address may stand an interface: whatever is no option and no distance. */
function takeInterface(left: string[]): void {
  const [word] = left
  if (word !== undefined && !options.has(word) && !isDistance(word)) left.shift()
}

/** Takes its words; false where they are not what it takes. */
type Take = (words: Words) => boolean

const distance: Take = ({ left, read }) => {
  const word = left.shift() ?? ''
  if (!isDistance(word) || read.distance !== undefined) return false
  read.distance = Number(word)
  return true
}

function isDistance(word: string): boolean {
  return /^\d{1,3}$/.test(word) && Number(word) >= 1 && Number(word) <= 255
}

function number(into: 'tag' | 'table'): Take {
  return ({ left, read }) => {
    const [, value = ''] = left.splice(0, 2)
    if (!/^\d{1,10}$/.test(value)) return false
    read[into] = Number(value)
    return true
  }
}

/** An option that says how packets go to a next hop, with so many words behind it. */
function detail(count: 0 | 1): Take {
  return ({ left, read }) => {
    const taken = left.splice(0, 1 + count)
    read.more = true
    return taken.length === 1 + count
  }
}

const inVrf: Take = ({ left, read }) => {
  const [, vrf] = left.splice(0, 2)
  if (vrf === undefined) return false
  read.vrf = vrf
  return true
}

const options: ReadonlyMap<string, Take> = new Map([
  ['tag', number('tag')],
  ['table', number('table')],
  ['vrf', inVrf],
  ['nexthop-vrf', detail(1)],
  ['label', detail(1)],
  ['onlink', detail(0)],
  ['color', detail(1)],
  // SRv6, from 9 on.
  ['segments', detail(1)],
  ['encap-behavior', detail(1)],
  // From 8.5 on, with words of its own behind it, all of them optional.
  ['bfd', detail(0)],
  ['multi-hop', detail(0)],
  ['source', detail(1)],
  ['profile', detail(1)],
])
