// The state of an IOS device beside its configuration: what was saved, timers, locks, and the routing table that follows from it all.

import type { Prefix } from '../../../../inventory/prefix.ts'
import type { CompleteDevice } from '../../spec.ts'
import type { Block } from '../blocks.ts'
import type { Announced, Learnt, ModelSettings } from '../model.ts'
import { typedAddress, typedPrefix } from '../prefixes.ts'
import { copyConfig, type IosConfig, initialConfig, type Static } from './config.ts'

/** A pending rollback: the whole configuration comes back when it runs out. */
interface Revert {
  readonly user: string
  readonly at: Date
  readonly minutes: number
  readonly config: IosConfig
  readonly cancel: () => void
}

/** One device. */
export interface IosState {
  readonly spec: CompleteDevice
  readonly settings: ModelSettings
  config: IosConfig
  saved: IosConfig
  learnt: readonly Learnt[]
  lockedBy: string | undefined
  saveRefusal: string | undefined
  revert: Revert | undefined
  lastChange: { readonly at: Date; readonly by: string } | undefined
  /** Ports that the device has switched off itself. */
  readonly errDisabled: Set<string>
  /** Writes into all sessions. */
  readonly terminals: Map<number, (text: string) => void>
  listener: () => void
}

/** A device as it starts. */
export function createState(spec: CompleteDevice, settings: ModelSettings): IosState {
  const config = initialConfig(spec)
  return {
    spec,
    settings,
    config,
    saved: copyConfig(config),
    learnt: [],
    lockedBy: undefined,
    saveRefusal: undefined,
    revert: undefined,
    lastChange: undefined,
    errDisabled: new Set(
      spec.ports.filter(({ errDisabled }) => errDisabled).map(({ name }) => name),
    ),
    terminals: new Map(),
    listener: () => {},
  }
}

/** A route as the routing table has it. */
export interface Rib {
  readonly prefix: string
  readonly source: 'connected' | 'static' | 'bgp'
  readonly distance: number
  readonly tag?: number
  /** `Null0`, an interface, or a next hop. */
  readonly via: string
  readonly from?: string
}

/** All routes of one table, also those that lose. */
export function ribOf(state: IosState, family: 4 | 6, vrf: string): Rib[] {
  const statics = state.config.statics
    .filter((route) => route.vrf === vrf && route.family === family)
    .map(
      (route): Rib => ({
        prefix: route.prefix,
        source: 'static',
        distance: route.distance ?? 1,
        via: route.target,
        ...(route.tag === undefined ? {} : { tag: route.tag }),
      }),
    )
  const learnt: Rib[] =
    vrf !== 'default'
      ? []
      : state.learnt
          .filter(({ prefix }) => prefix.includes(':') === (family === 6))
          .filter(({ nextHop }) => discardsAddress(state, nextHop))
          .map(({ prefix, nextHop, from }) => ({
            prefix,
            source: 'bgp',
            distance: 200,
            via: nextHop,
            from,
          }))
  return [...connected(state, family, vrf), ...statics, ...learnt]
}

/** Of each prefix the routes of the least distance: what is used. */
export function bestOf(rib: readonly Rib[], prefix: string): Rib[] {
  const same = rib.filter((route) => route.prefix === prefix)
  const least = Math.min(...same.map(({ distance }) => distance))
  return same.filter(({ distance }) => distance === least)
}

/** Whether a static route sends this very address to Null0. */
export function discardsAddress(state: IosState, address: string): boolean {
  const host = `${address}/${address.includes(':') ? 128 : 32}`
  return state.config.statics.some(
    (route: Static) => route.vrf === 'default' && route.prefix === host && route.target === 'Null0',
  )
}

function connected(state: IosState, family: 4 | 6, vrf: string): Rib[] {
  return state.config.interfaces.flatMap((one) => {
    const own = one.children.find(({ text }) => text.startsWith('vrf forwarding '))
    if ((own?.text.slice('vrf forwarding '.length) ?? 'default') !== vrf) return []
    if (!isUp(state, one)) return []
    return one.children
      .map(({ text }) => connectedPrefix(text, family))
      .filter((prefix): prefix is Prefix => prefix !== undefined)
      .map((prefix): Rib => ({ prefix, source: 'connected', distance: 0, via: nameOf(one) }))
  })
}

function connectedPrefix(line: string, family: 4 | 6): Prefix | undefined {
  const words = line.split(' ')
  if (words[1] !== 'address' || (words[0] === 'ip') !== (family === 4)) return undefined
  return family === 6
    ? typedPrefix(words[2] ?? '', 6)
    : typedPrefix(`${words[2]}/${maskLength(words[3] ?? '') ?? ''}`, 4)
}

/** Length of a dotted netmask, or undefined where it is none. */
export function maskLength(mask: string): number | undefined {
  if (typedAddress(mask) === undefined || mask.includes(':')) return undefined
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined
}

/** Name of an interface's block. */
export function nameOf(one: Block): string {
  return one.text.slice('interface '.length)
}

/** Whether the port is neither shut nor switched off by the device. */
export function isUp(state: IosState, one: Block): boolean {
  return !isShut(one) && !state.errDisabled.has(nameOf(one))
}

/** Whether `shutdown` is configured. */
export function isShut(one: Block): boolean {
  return one.children.some(({ text }) => text === 'shutdown')
}

/** The interface that a person means: full name or abbreviated, in any case. */
export function findInterface(config: IosConfig, typed: string): Block | undefined {
  const parts = /^([A-Za-z-]+) ?([\d/.:]*)$/.exec(typed)
  if (parts === null) return undefined
  const [, kind = '', number = ''] = parts
  return config.interfaces.find((one) => {
    const own = /^([A-Za-z-]+)([\d/.:]*)$/.exec(nameOf(one))
    return (
      own !== null &&
      own[2] === number &&
      (own[1] ?? '').toLowerCase().startsWith(kind.toLowerCase())
    )
  })
}

/** Whether a routing table of this name was defined. */
export function vrfExists(config: IosConfig, vrf: string): boolean {
  return vrf === 'default' || config.head.some(({ text }) => text === `vrf definition ${vrf}`)
}

/** Static discards that `redistribute static` hands on, with the next hop of its route-map. */
export function announcedBy(state: IosState): Announced[] {
  const bgp = state.config.routers[0]
  return ([4, 6] as const).flatMap((family) => {
    const af = bgp?.children.find(({ text }) => text === `address-family ipv${family}`)
    const line = af?.children.find(({ text }) => text.startsWith('redistribute static'))?.text
    if (line === undefined) return []
    const map = state.config.tail.find(({ text }) =>
      text.startsWith(`route-map ${line.split(' ')[3] ?? ''} permit`),
    )
    const value = (head: string): string | undefined =>
      map?.children.find(({ text }) => text.startsWith(head))?.text.slice(head.length)
    const tag = value('match tag ')
    const hop = value(family === 4 ? 'set ip next-hop ' : 'set ipv6 next-hop ')
    return state.config.statics
      .filter(
        (route) =>
          route.vrf === 'default' &&
          route.family === family &&
          route.target === 'Null0' &&
          (tag === undefined || String(route.tag) === tag),
      )
      .map(({ prefix }) => ({ prefix, nextHop: (hop ?? '').toLowerCase() }))
  })
}
