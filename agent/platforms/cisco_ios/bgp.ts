// BGP neighbors of IOS: where each is configured, and whether its session is held down.

import { type Address, familyOf, parseAddress } from '../../../inventory/prefix.ts'
import { type Intent, keyOf } from '../../intents.ts'
import { type Answer, type Facts, type Found, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { neighborObject, neighborPath } from './objects.ts'

type Neighbor = Extract<Intent, { readonly kind: 'neighbor' }>

/** `router bgp` as the running configuration has it; for each peer the words of its lines, by `vrf|family|address`. */
export interface Bgp {
  readonly asn: string
  readonly peers: ReadonlyMap<string, readonly string[]>
}

function read(what: string, text: string): Read {
  return { what, line: free(text, 'exec') }
}

/** The whole block, once, and the summary of the table that the peer is in. */
export function neighborReads(intent: Neighbor): readonly Read[] {
  const config = read('bgp', 'show running-config | section ^router bgp')
  return [config, read(summaryOf(intent), summaryLine(intent))]
}

function summaryOf({ vrf, peer }: Neighbor): string {
  return vrf === 'default' ? 'summary' : `summary ${vrf} ${familyOf(peer)}`
}

function summaryLine({ vrf, peer }: Neighbor): string {
  if (vrf === 'default') return 'show bgp all summary'
  return `show bgp vpnv${familyOf(peer)} unicast vrf ${vrf} summary`
}

/** The block of BGP; undefined where the device runs none. One blank in front = all address families, two = inside one. */
export function readBgp(answer: Answer): Bgp | undefined {
  const lines = answer.text.split('\n').filter((line) => line.trim() !== '')
  const asn = /^router bgp (\d+(?:\.\d+)?)$/m.exec(answer.text)?.[1]
  if (asn === undefined) {
    if (lines.length === 0) return undefined
    throw unknownOutput(answer, '`router bgp …` or nothing')
  }
  const peers = new Map<string, string[]>()
  let family = 'other'
  for (const line of lines) {
    family = familyHeader(line) ?? family
    const [, blanks, name = '', words = ''] = /^( {1,2})neighbor (\S+) (.+)$/.exec(line) ?? []
    const address = parseAddress(name)
    if (!address.ok) continue
    const key = `${blanks === ' ' ? 'default' : family}|${address.value}`
    peers.set(key, [...(peers.get(key) ?? []), words.trim()])
  }
  return { asn, peers }
}

/** `CUST|ipv4` for the family of a VRF, `other` for the global ones, in which no session is shut; undefined for any other line. */
function familyHeader(line: string): string | undefined {
  const header = /^ address-family (\S+)(?: (?:unicast )?vrf (\S+))?/.exec(line)
  if (header === null) return undefined
  return header[2] === undefined ? 'other' : `${header[2]}|${header[1]}`
}

function peerKey({ vrf, peer }: Neighbor): string {
  return vrf === 'default' ? `default|${peer}` : `${vrf}|ipv${familyOf(peer)}|${peer}`
}

/** What stands for a neighbor intent. There is no place for a mark. */
export function foundNeighbor(
  intent: Neighbor,
  bgp: Bgp | undefined,
  { answers, facts }: { readonly answers: ReadonlyMap<string, Answer>; readonly facts: Facts },
): Found {
  const lines = bgp?.peers.get(peerKey(intent)) ?? []
  const shut = lines.find((line) => /^shutdown\b/.test(line))
  const state = stateIn(answerTo(answers, summaryOf(intent)), intent.peer)
  const held = state?.startsWith('Idle (Admin)') === true
  const stop = stopFor(intent, bgp, lines)
  const base = {
    key: keyOf(intent),
    mark: 'unmarkable',
    inForce: state === undefined ? 'unknown' : held ? 'yes' : 'no',
    ...(state === undefined ? { note: 'the summary of BGP has no row for it' } : {}),
    ...(stop === undefined ? {} : { stop }),
  } as const
  if (shut === 'shutdown') {
    return { ...base, object: [neighborObject(intent, facts)], effect: 'same' }
  }
  if (shut !== undefined) {
    // `shutdown graceful …`: somebody takes the session down step by step.
    const text = [...neighborPath(intent, facts), `neighbor ${intent.peer} ${shut}`].join(' ')
    return { ...base, object: [text], effect: 'other' }
  }
  // Shut by a template or a peer group: in force, and not by a line of this peer.
  return { ...base, object: [], effect: held && stop === undefined ? 'same' : 'none' }
}

function stopFor(
  intent: Neighbor,
  bgp: Bgp | undefined,
  lines: readonly string[],
): Stop | undefined {
  const remedy = 'correct the neighbor, or its VRF, in the inventory'
  if (bgp === undefined) {
    return { code: 'no_such_object', message: 'the device runs no BGP', remedy }
  }
  if (lines.some((line) => /^(?:remote-as|peer-group|inherit peer-session) /.test(line))) {
    return undefined
  }
  const where = intent.vrf === 'default' ? '' : ` in VRF ${intent.vrf}`
  return {
    code: 'no_such_object',
    message: `no neighbor ${intent.peer}${where} is configured by its own line (one of a listen range has none)`,
    remedy,
  }
}

/** An answer without the peer must be a summary, or say that there is none. */
function stateIn(answer: Answer, peer: Address): string | undefined {
  const state = peerState(answer.text, peer)
  if (state === undefined && answer.text.trim() !== '' && !summaryForm.test(answer.text)) {
    throw unknownOutput(answer, 'a summary of BGP, or nothing')
  }
  return state
}

const summaryForm =
  /^(?:For address family: |BGP router identifier |Neighbor +V +AS |% ?(?:BGP not active|No such |VRF ))/m

/** The last column of a peer's row: `Idle (Admin)`, `Active`, a number of prefixes. A long address stands alone on its line, the rest follows. */
export function peerState(summary: string, peer: Address): string | undefined {
  const joined = summary.replace(/^(\*?[0-9A-Fa-f:.]+)[ ]*\n(?=\s+\d)/gm, '$1 ')
  for (const line of joined.split('\n')) {
    const row =
      /^\*?([0-9A-Fa-f:.]+)\s+\d+\s+[\d.]+\s+\d+\s+\d+\s+\d+\s+\d+\s+\d+\s+\S+\s+(\S.*)$/.exec(
        line.trimEnd(),
      )
    const address = parseAddress(row?.[1] ?? '')
    if (address.ok && address.value === peer) return row?.[2]
  }
  return undefined
}
