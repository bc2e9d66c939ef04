// What an IOS device shows of BGP: summaries per address family, and single neighbors.

import type { Block } from '../blocks.ts'
import type { IosState } from './state.ts'

interface Peer {
  readonly address: string
  readonly asn: string
  readonly shut: boolean
  readonly description: string
}

/** `show ip bgp …` and `show bgp …`, the words behind. */
export function showBgp(state: IosState, words: readonly string[]): string | undefined {
  const [bgp] = state.config.routers
  if (bgp === undefined) return '% BGP not active\n'
  const text = words.join(' ')
  const vrf = /\bvrf (\S+)/.exec(text)?.[1]
  const parent =
    vrf === undefined
      ? bgp
      : bgp.children.find(
          ({ text: line }) => line.startsWith('address-family') && line.endsWith(` vrf ${vrf}`),
        )
  if (parent === undefined) return `% VRF ${vrf} does not exist\n`
  const peers = peersOf(parent)
  if (/\bsummary$/.test(text)) {
    const family = /^(?:ipv6|vpnv6)\b/.test(text) ? [6] : text.startsWith('all') ? [4, 6] : [4]
    return family
      .map((one) => {
        const own = peers.filter(({ address }) => address.includes(':') === (one === 6))
        const name = text.startsWith('all') ? `For address family: IPv${one} Unicast\n` : ''
        return name + summary(bgp, own)
      })
      .join('\n')
  }
  const asked = /\bneighbors(?: (\S+))?$/.exec(text)
  if (asked === null) return undefined
  const shown = peers.filter(
    ({ address }) => asked[1] === undefined || address === asked[1].toUpperCase(),
  )
  if (shown.length === 0) return `% No such neighbor or address family\n`
  return shown.map((peer) => neighbor(bgp, peer)).join('')
}

function peersOf(parent: Block): Peer[] {
  const value = (address: string, word: string): string | undefined => {
    const head = `neighbor ${address} ${word}`
    const line = parent.children.find(({ text }) => text === head || text.startsWith(`${head} `))
    return line?.text.slice(head.length).trim()
  }
  return parent.children
    .map(({ text }) => /^neighbor (\S+) remote-as (\S+)$/.exec(text))
    .flatMap((match) => (match === null ? [] : [{ address: match[1] ?? '', asn: match[2] ?? '' }]))
    .map(({ address, asn }) => ({
      address,
      asn,
      shut: value(address, 'shutdown') !== undefined,
      description: value(address, 'description') ?? '',
    }))
}

function routerId(bgp: Block): string {
  const line = bgp.children.find(({ text }) => text.startsWith('bgp router-id '))
  return line?.text.split(' ')[2] ?? '0.0.0.0'
}

function summary(bgp: Block, peers: readonly Peer[]): string {
  if (peers.length === 0) return ''
  const rows = peers.map(({ address, asn, shut }) => {
    // A long address stands alone, and its columns follow on the next line.
    const head = address.length > 15 ? `${address}\n${' '.repeat(16)}` : address.padEnd(16)
    const state = shut ? 'never    Idle (Admin)' : '6w3d            12'
    return `${head}4 ${asn.padStart(12)}    1042    1038       12    0    0 ${state}\n`
  })
  return `BGP router identifier ${routerId(bgp)}, local AS number ${bgp.text.split(' ')[2]}\nBGP table version is 12, main routing table version 12\n\nNeighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd\n${rows.join('')}`
}

function neighbor(bgp: Block, peer: Peer): string {
  const link = peer.asn === bgp.text.split(' ')[2] ? 'internal' : 'external'
  return `BGP neighbor is ${peer.address},  remote AS ${peer.asn}, ${link} link\n${peer.description === '' ? '' : ` Description: ${peer.description}\n`}${peer.shut ? ' Administratively shut down\n' : ''}  BGP version 4, remote router ID ${peer.shut ? '0.0.0.0' : peer.address}\n  BGP state = ${peer.shut ? 'Idle' : 'Established, up for 6w3d'}\n\n`
}
