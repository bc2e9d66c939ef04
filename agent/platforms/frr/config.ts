// The running configuration of FRR as data: static routes, interfaces and BGP instances, as far as nullroute has to know them.

import { type Prefix, parsePrefix } from '../../../inventory/prefix.ts'
import type { Answer } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { readTarget, type StaticRoute } from './static-route.ts'

/** One `router bgp` block. */
export interface BgpInstance {
  /** Exactly as the device prints it: typed again it leads into this instance, and into no new one. */
  readonly header: string
  readonly asn: string
  readonly lines: readonly string[]
}

/** What was read. */
export interface RunningConfig {
  /** By `<vrf>|<prefix>`. */
  readonly routes: ReadonlyMap<string, readonly StaticRoute[]>
  /** Lines inside each `interface`, by name. */
  readonly interfaces: ReadonlyMap<string, readonly string[]>
  /** By VRF. */
  readonly bgp: ReadonlyMap<string, BgpInstance>
  /** Lines inside each `route-map`, by its header line. */
  readonly routeMaps: ReadonlyMap<string, readonly string[]>
}

/** Where a static route is found in `RunningConfig.routes`. */
export function routeKey(vrf: string, prefix: Prefix): string {
  return `${vrf}|${prefix}`
}

const bgpHeader = /^router bgp (\S+)(?: vrf (\S+))?(?: as-notation \S+)?$/

/** `show running-config` → data. Refuses text that isn't a whole configuration. */
export function readConfig(answer: Answer): RunningConfig {
  const text = answer.text.trim()
  if (!/^Current configuration:$/m.test(text) || !/(?:^|\n)end$/.test(text)) {
    throw unknownOutput(answer, 'a running configuration from "Current configuration:" to "end"')
  }
  const blocks = blocksOf(text)
  return {
    routes: routesOf(blocks),
    interfaces: interfacesOf(blocks),
    bgp: instancesOf(blocks),
    routeMaps: new Map(
      blocks
        .filter(({ header }) => header.startsWith('route-map '))
        .map(({ header, lines }) => [header, lines]),
    ),
  }
}

/** The line in a BGP instance that shuts this neighbor, or undefined. `shutdown rtt …` is another thing. */
export function shutdownLine(instance: BgpInstance, peer: string): string | undefined {
  return instance.lines.find((line) => {
    const match = /^neighbor (\S+) shutdown(?: message .*)?$/.exec(line)
    return match?.[1]?.toLowerCase() === peer
  })
}

/** Whether a BGP instance has this neighbor by a line of its own. */
export function hasNeighbor(instance: BgpInstance, peer: string): boolean {
  return instance.lines.some((line) => line.toLowerCase().startsWith(`neighbor ${peer} `))
}

interface Block {
  readonly header: string
  readonly lines: string[]
}

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = []
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed === '!') continue
    const block = blocks.at(-1)
    if (line.startsWith(' ') && block !== undefined) block.lines.push(trimmed)
    else blocks.push({ header: trimmed, lines: [] })
  }
  return blocks
}

function routesOf(blocks: readonly Block[]): ReadonlyMap<string, readonly StaticRoute[]> {
  const routes = new Map<string, StaticRoute[]>()
  for (const { header, lines } of blocks) {
    const vrf = /^vrf (\S+)$/.exec(header)?.[1]
    if (vrf === undefined) addRoute(routes, 'default', header)
    else for (const line of lines) addRoute(routes, vrf, line)
  }
  return routes
}

function interfacesOf(blocks: readonly Block[]): ReadonlyMap<string, readonly string[]> {
  const interfaces = new Map<string, readonly string[]>()
  for (const { header, lines } of blocks) {
    const name = /^interface (\S+)/.exec(header)?.[1]
    if (name !== undefined) interfaces.set(name, [...(interfaces.get(name) ?? []), ...lines])
  }
  return interfaces
}

function instancesOf(blocks: readonly Block[]): ReadonlyMap<string, BgpInstance> {
  const instances = new Map<string, BgpInstance>()
  for (const { header, lines } of blocks) {
    const [, asn, vrf] = bgpHeader.exec(header) ?? []
    if (asn !== undefined) instances.set(vrf ?? 'default', { header, asn, lines })
  }
  return instances
}

function addRoute(routes: Map<string, StaticRoute[]>, vrf: string, line: string): void {
  const match = /^(?:ip|ipv6) route (\S+) (.+)$/.exec(line)
  if (match?.[1] === undefined || match[2] === undefined) return
  const prefix = parsePrefix(match[1])
  // `from` makes it a source-specific route: another object than the one for the whole prefix.
  if (!prefix.ok || match[2].startsWith('from ')) return
  const { vrf: named, ...target } = readTarget(match[2], vrf)
  const key = routeKey(named ?? vrf, prefix.value)
  const command = vrf === 'default' ? line : `${line} vrf ${vrf}`
  routes.set(key, [...(routes.get(key) ?? []), { command, ...target }])
}
