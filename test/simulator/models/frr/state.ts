// The state of an FRR router, and the rules by which a line changes it. What lines look like is session.ts, what is shown is show.ts.

import type { CompleteDevice } from '../../spec.ts'
import { type Block, block } from '../blocks.ts'
import type { Announced, Learnt, ModelSettings } from '../model.ts'
import { copyConfig, discards, type FrrConfig, initialConfig, type Static } from './config.ts'

/** One router. */
export interface FrrState {
  readonly spec: CompleteDevice
  readonly settings: ModelSettings
  readonly version: string
  config: FrrConfig
  saved: FrrConfig
  /** Static routes as zebra has them: behind the configuration by `installMs`. */
  installed: readonly Static[]
  learnt: readonly Learnt[]
  readonly since: Date
  /** Number of the session that holds `file-lock`, or -1 for somebody else; undefined: nobody. */
  lockedBy: number | undefined
  saveRefusal: string | undefined
  /** Sessions that went down, per `vrf|peer`. */
  readonly drops: Map<string, number>
  listener: () => void
  changed(): void
}

/** A router as it starts. */
export function createState(spec: CompleteDevice, settings: ModelSettings): FrrState {
  const config = initialConfig(spec)
  let cancel: (() => void) | undefined
  const state: FrrState = {
    spec,
    settings,
    version: spec.version ?? '8.4.4',
    config,
    saved: copyConfig(config),
    installed: config.statics,
    learnt: [],
    since: settings.clock.now(),
    lockedBy: undefined,
    saveRefusal: undefined,
    drops: new Map(),
    listener: () => {},
    changed() {
      if (settings.installMs <= 0) {
        state.installed = state.config.statics
      } else {
        cancel?.()
        cancel = settings.clock.after(settings.installMs, () => {
          state.installed = state.config.statics
        })
      }
      state.listener()
    },
  }
  return state
}

/** Whether the router has mgmtd, with its candidate and locks. */
export function hasCandidate(state: FrrState): boolean {
  return !/^[1-9]\./.test(state.version)
}

/** An edit to static routes. */
export interface StaticEdit {
  readonly route: Static
  readonly remove: boolean
}

/** What a refused edit says. */
export const absentRoute = '% Refusing to remove a non-existent route'

const conflict = 'Route cannot have blackhole and non-blackhole nexthops simultaneously'

/** The statics after an edit, or why it can't be. A prefix has one slot for a discard: tag, distance and word are no part of its identity. */
export function editStatics(
  statics: readonly Static[],
  { route, remove }: StaticEdit,
): { readonly statics: Static[] } | { readonly absent: true } | { readonly conflict: string } {
  const samePrefix = (one: Static): boolean =>
    one.vrf === route.vrf && one.prefix === route.prefix && one.table === route.table
  const sameSlot = (one: Static): boolean =>
    samePrefix(one) && (discards(one) ? discards(route) : one.target === route.target)
  if (remove) {
    const rest = statics.filter((one) => !sameSlot(one))
    return rest.length === statics.length ? { absent: true } : { statics: rest }
  }
  const other = statics.find(
    (one) =>
      samePrefix(one) &&
      discards(one) !== discards(route) &&
      (one.distance ?? 1) === (route.distance ?? 1),
  )
  if (other !== undefined) return { conflict }
  return { statics: [...statics.filter((one) => !sameSlot(one)), route] }
}

/** The refusal of a validation, as this version words it. */
export function validationError(state: FrrState, reason: string): string {
  return hasCandidate(state)
    ? `% Configuration failed.\n\n${reason}\n`
    : `% Configuration failed.\n\nError type: validation\nError description: ${reason}\n`
}

/** The BGP instance of a routing table. */
export function bgpOf(config: FrrConfig, vrf: string): Block | undefined {
  return config.blocks.find(
    ({ text }) => text.startsWith('router bgp ') && (text.split(' ')[4] ?? 'default') === vrf,
  )
}

/** AS number of a BGP instance. */
export function asnOf(bgp: Block): string {
  return bgp.text.split(' ')[2] ?? ''
}

/** Value of a neighbor's line (`description` → its text), or undefined. */
export function neighborValue(bgp: Block, peer: string, word: string): string | undefined {
  const head = `neighbor ${peer} ${word}`
  const line = bgp.children.find(
    ({ text }) => (text === head || text.startsWith(`${head} `)) && !text.startsWith(`${head} rtt`),
  )
  return line?.text.slice(head.length).trim()
}

/** All peers of an instance: those with an AS of their own or of their group. Groups themselves are not peers. */
export function peersOf(bgp: Block): string[] {
  const names = bgp.children
    .filter(({ text }) => /^neighbor \S+ (?:remote-as|peer-group \S)/.test(text))
    .map(({ text }) => text.split(' ')[1] ?? '')
  return [...new Set(names)].filter((name) => neighborValue(bgp, name, 'peer-group') !== '')
}

/** Whether a peer is shut: by its own line, its group's, or all of BGP's. */
export function isShut(bgp: Block, peer: string): boolean {
  if (bgp.children.some(({ text }) => /^bgp shutdown(?: |$)/.test(text))) return true
  if (neighborValue(bgp, peer, 'shutdown') !== undefined) return true
  const group = neighborValue(bgp, peer, 'peer-group')
  return group !== undefined && neighborValue(bgp, group, 'shutdown') !== undefined
}

/** Static discards that a `redistribute static` hands on, with the next hop that its route-map sets. */
export function announcedBy(state: FrrState): Announced[] {
  const bgp = bgpOf(state.config, 'default') ?? block('')
  return ([4, 6] as const).flatMap((family) => {
    const af = bgp.children.find(({ text }) => text === `address-family ipv${family} unicast`)
    const line = af?.children.find(({ text }) => text.startsWith('redistribute static'))?.text
    if (line === undefined) return []
    const map = state.config.blocks.find(({ text }) =>
      text.startsWith(`route-map ${line.split(' ')[3] ?? ''} permit`),
    )
    const tag = valueIn(map, 'match tag ')
    const hop = valueIn(map, family === 4 ? 'set ip next-hop ' : 'set ipv6 next-hop global ')
    return state.installed
      .filter(
        (route) =>
          route.vrf === 'default' &&
          route.family === family &&
          discards(route) &&
          (tag === undefined || String(route.tag) === tag),
      )
      .map(({ prefix }) => ({ prefix, nextHop: hop ?? '' }))
  })
}

function valueIn(map: Block | undefined, head: string): string | undefined {
  return map?.children.find(({ text }) => text.startsWith(head))?.text.slice(head.length)
}

/** Learnt discards that are in force: whose next hop this router discards. */
export function learntInForce(state: FrrState): readonly Learnt[] {
  const dead = new Set(
    state.installed
      .filter((route) => route.vrf === 'default' && discards(route))
      .map(({ prefix }) => prefix.slice(0, prefix.indexOf('/'))),
  )
  return state.learnt.filter(({ nextHop }) => dead.has(nextHop))
}
