// What an FRR router shows of BGP: neighbors, summaries, learnt prefixes.

import type { Block } from '../blocks.ts'
import { dispatch } from '../dispatch.ts'
import { typedPrefix } from '../prefixes.ts'
import { type Json, printJson } from './json.ts'
import {
  asnOf,
  bgpOf,
  type FrrState,
  hasCandidate,
  isShut,
  neighborValue,
  peersOf,
} from './state.ts'

/** The answer to `show bgp …`, the words behind; undefined: unknown. */
export function showBgp(
  state: FrrState,
  words: readonly string[],
  json: boolean,
): string | undefined {
  const form = /^(?:vrf (\S+) ?)?(?:(ipv4|ipv6) ?)?(?:unicast ?)?(.*)$/.exec(words.join(' '))
  const [, vrf = 'default', kind, rest = ''] = form ?? []
  const bgp = bgpOf(state.config, vrf)
  if (bgp === undefined) {
    if (json) return printJson({})
    return vrf === 'default' ? '% BGP instance not found\n' : `% No such VRF ${vrf} found\n`
  }
  const family = kind === undefined ? undefined : kind === 'ipv6' ? 6 : 4
  return dispatch<string | undefined>(rest, [
    [/^summary$/, () => summary(state, bgp, { family, vrf, json })],
    [/^neighbors?(?: (\S+))?$/, ([, peer]) => neighbors(state, bgp, { peer, vrf, json })],
    [/^\S+$/, ([target]) => path(state, target, json)],
  ])
}

interface Asked {
  readonly vrf: string
  readonly json: boolean
}

function neighbors(
  state: FrrState,
  bgp: Block,
  { peer, vrf, json }: Asked & { readonly peer: string | undefined },
): string {
  const all = peersOf(bgp)
  if (peer !== undefined && !all.includes(peer)) {
    return json ? printJson({ bgpNoSuchNeighbor: true }) : '% No such neighbor in this view/vrf\n'
  }
  const shown = peer === undefined ? all : [peer]
  if (json) {
    const entries = shown.map((one) => [one, jsonNeighbor(state, bgp, one, vrf)])
    return printJson(Object.fromEntries(entries) as Json, true)
  }
  return shown.map((one) => textNeighbor(state, bgp, one)).join('')
}

function remoteAs(bgp: Block, peer: string): string {
  const own = neighborValue(bgp, peer, 'remote-as')
  const group = neighborValue(bgp, peer, 'peer-group')
  return own ?? (group === undefined ? '' : (neighborValue(bgp, group, 'remote-as') ?? ''))
}

function jsonNeighbor(state: FrrState, bgp: Block, peer: string, vrf: string): Json {
  const shut = isShut(bgp, peer)
  const external = remoteAs(bgp, peer) !== asnOf(bgp)
  const description = neighborValue(bgp, peer, 'description')
  const drops = state.drops.get(`${vrf}|${peer}`) ?? 0
  const router = neighborlyId(bgp)
  return {
    remoteAs: Number(remoteAs(bgp, peer)),
    localAs: Number(asnOf(bgp)),
    ...(external ? { nbrExternalLink: true } : { nbrInternalLink: true }),
    localRole: 'undefined',
    remoteRole: 'undefined',
    ...(description === undefined ? {} : { nbrDesc: description }),
    hostname: peer,
    ...(shut ? { adminShutDown: true } : {}),
    bgpVersion: 4,
    remoteRouterId: shut ? '0.0.0.0' : peer,
    localRouterId: router,
    bgpState: shut ? 'Idle' : 'Established',
    ...(shut
      ? {}
      : {
          bgpTimerUpMsec: 310_000,
          bgpTimerUpString: '00:05:10',
          bgpTimerUpEstablishedEpoch: Math.floor(state.since.getTime() / 1000),
        }),
    bgpTimerLastRead: 2000,
    bgpTimerLastWrite: 2000,
    bgpTimerConfiguredHoldTimeMsecs: 180_000,
    bgpTimerConfiguredKeepAliveIntervalMsecs: 60_000,
    bgpTimerHoldTimeMsecs: 180_000,
    bgpTimerKeepAliveIntervalMsecs: 60_000,
    messageStats: {
      depthInq: 0,
      depthOutq: 0,
      opensSent: 1,
      opensRecv: 1,
      notificationsSent: drops,
      notificationsRecv: 0,
      updatesSent: 2,
      updatesRecv: 2,
      totalSent: 4,
      totalRecv: 4,
    },
    addressFamilyInfo: {
      [peer.includes(':') ? 'ipv6Unicast' : 'ipv4Unicast']: {
        commAttriSentToNbr: 'extendedAndStandard',
        acceptedPrefixCounter: shut ? 0 : 1,
      },
    },
    connectionsEstablished: 1,
    connectionsDropped: drops,
    lastResetDueTo: drops > 0 ? 'Admin. shutdown' : 'Waiting for peer OPEN',
    hostForeign: peer,
    portForeign: 179,
  }
}

function neighborlyId(bgp: Block): string {
  const line = bgp.children.find(({ text }) => text.startsWith('bgp router-id '))
  return line?.text.slice('bgp router-id '.length) ?? '0.0.0.0'
}

function textNeighbor(state: FrrState, bgp: Block, peer: string): string {
  const shut = isShut(bgp, peer)
  const external = remoteAs(bgp, peer) !== asnOf(bgp)
  const description = neighborValue(bgp, peer, 'description')
  return `BGP neighbor is ${peer}, remote AS ${remoteAs(bgp, peer)}, local AS ${asnOf(bgp)}, ${external ? 'external' : 'internal'} link
  Local Role: undefined
  Remote Role: undefined
${description === undefined ? '' : ` Description: ${description}\n`}${shut ? ' Administratively shut down\n' : ''}  BGP version 4, remote router ID ${shut ? '0.0.0.0' : peer}, local router ID ${neighborlyId(bgp)}
  BGP state = ${shut ? 'Idle' : 'Established, up for 00:05:10'}
  Last read 00:00:02, Last write 00:00:02
  Hold time is 180 seconds, keepalive interval is 60 seconds
  Configured hold time is 180 seconds, keepalive interval is 60 seconds
${hasCandidate(state) ? '  Configured tcp-mss is 0, synced tcp-mss is 0\n' : ''}
  Connections established 1; dropped ${shut ? 1 : 0}
  Last reset ${shut ? '00:00:02,  Admin. shutdown' : 'never'}
Foreign host: ${peer}, Foreign port: 179
Read thread: ${shut ? 'off' : 'on'}  Write thread: ${shut ? 'off' : 'on'}


`
}

function summary(
  state: FrrState,
  bgp: Block,
  { family, vrf, json }: Asked & { readonly family: 4 | 6 | undefined },
): string {
  const families = family === undefined ? ([4, 6] as const) : ([family] as const)
  const parts = families.map((one) => ({
    family: one,
    peers: peersOf(bgp).filter((peer) => peer.includes(':') === (one === 6)),
  }))
  if (json) {
    const views = parts
      .filter(({ peers }) => peers.length > 0 || family !== undefined)
      .map((part) => [`ipv${part.family}Unicast`, jsonSummary(bgp, part.peers, vrf)])
    const only = views[0]?.[1]
    return printJson(
      family !== undefined && only !== undefined
        ? (only as Json)
        : (Object.fromEntries(views) as Json),
      true,
    )
  }
  return parts
    .filter(({ peers }) => peers.length > 0)
    .map((part) => textSummary(state, bgp, part, vrf))
    .join('')
}

function jsonSummary(bgp: Block, peers: readonly string[], vrf: string): Json {
  return {
    routerId: neighborlyId(bgp),
    as: Number(asnOf(bgp)),
    vrfId: 0,
    vrfName: vrf,
    tableVersion: 1,
    ribCount: 1,
    peerCount: peers.length,
    peers: Object.fromEntries(
      peers.map((peer) => {
        const shut = isShut(bgp, peer)
        return [
          peer,
          {
            remoteAs: Number(remoteAs(bgp, peer)),
            localAs: Number(asnOf(bgp)),
            version: 4,
            peerUptime: '00:05:10',
            pfxRcd: shut ? 0 : 1,
            pfxSnt: shut ? 0 : 1,
            state: shut ? 'Idle (Admin)' : 'Established',
            peerState: shut ? 'Admin' : 'OK',
            desc: neighborValue(bgp, peer, 'description') ?? '',
            idType: peer.includes(':') ? 'ipv6' : 'ipv4',
          },
        ]
      }),
    ),
    failedPeers: peers.filter((peer) => isShut(bgp, peer)).length,
    totalPeers: peers.length,
    dynamicPeers: 0,
  }
}

function textSummary(
  state: FrrState,
  bgp: Block,
  { family, peers }: { readonly family: 4 | 6; readonly peers: readonly string[] },
  vrf: string,
): string {
  const version = `BGP table version ${state.installed.length}`
  const rows = peers.map((peer) => {
    const shut = isShut(bgp, peer)
    const description = neighborValue(bgp, peer, 'description') ?? 'N/A'
    return `${peer.padEnd(15)} 4 ${remoteAs(bgp, peer).padStart(10)}        18        27        0    0    0 00:05:10 ${(shut ? 'Idle (Admin)' : '1').padStart(12)}        ${shut ? 0 : 1} ${description}\n`
  })
  return `\nIPv${family} Unicast Summary (VRF ${vrf}):\nBGP router identifier ${neighborlyId(bgp)}, local AS number ${asnOf(bgp)} vrf-id 0\n${version}\nRIB entries 1, using 192 bytes of memory\nPeers ${peers.length}, using ${peers.length * 724} KiB of memory\n\nNeighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc\n${rows.join('')}\nTotal number of neighbors ${peers.length}\n`
}

function path(state: FrrState, target: string, json: boolean): string | undefined {
  const prefix = typedPrefix(target, target.includes(':') ? 6 : 4)
  if (prefix === undefined) return undefined
  const route = state.learnt.find((one) => one.prefix === prefix)
  // bgpd prints nothing over two lines, zebra over one.
  if (route === undefined) return json ? '{\n}\n' : '% Network not in table\n'
  if (!json) {
    return `BGP routing table entry for ${prefix}, version 1\nPaths: (1 available, best #1, table default, inform peer to blackhole prefix)\n  Not advertised to any peer\n  Local\n    ${route.nextHop} from ${route.from} (${route.from})\n      Origin IGP, metric 0, localpref 200, valid, internal, best (First path received)\n      Community: blackhole no-export\n`
  }
  return printJson({
    prefix,
    version: 1,
    paths: [
      {
        aspath: { string: 'Local', segments: [], length: 0 },
        origin: 'incomplete',
        metric: 0,
        locPrf: 200,
        valid: true,
        version: 1,
        bestpath: { overall: true, selectionReason: 'First path received' },
        community: { string: 'blackhole no-export', list: ['blackhole', 'noExport'] },
        nexthops: [
          {
            ip: route.nextHop,
            afi: prefix.includes(':') ? 'ipv6' : 'ipv4',
            metric: 0,
            accessible: true,
            used: true,
          },
        ],
        peer: { peerId: route.from, routerId: route.from, type: 'internal' },
      },
    ],
  })
}
