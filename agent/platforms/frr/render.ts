// Changes → lines of vtysh, and the lines that take them back.

import { familyOf } from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import {
  type Change,
  enter,
  type Facts,
  free,
  inside,
  type Line,
  type Rendering,
  resolved,
} from '../../platform.ts'

/** Why FRR can't hold filters. */
export const noFilter = 'FRR has no packet filter; add this host as a `linux` device'

/** What a port loses that FRR does not show. Tried on 8.4.4: the kernel drops them with the port, and zebra knows none of them. */
export const unseenNeighbors =
  'permanent entries of its neighbor table (`ip neigh … nud permanent`) are lost with a port that goes down, and FRR does not show them: where there are any, have the host put them back'

/** One rendering for each change. All lines start and end in `(config)#`. */
export function render(changes: readonly Change[], facts: Facts): readonly Rendering[] {
  return changes.map((change) => {
    const { intent } = change
    switch (intent.kind) {
      case 'blackhole':
        return blackhole(change, intent)
      case 'port':
        return port(change, intent)
      case 'neighbor':
        return neighbor(change, intent, facts)
      case 'acl':
        return { kind: 'unsupported', reason: noFilter }
    }
  })
}

/** What stands now, and what shall stand: lines in normal form. */
function fromTo(
  change: Change,
  wanted: string,
): { from: readonly string[]; to: readonly string[] } {
  switch (change.kind) {
    case 'apply':
      return { from: [], to: [wanted] }
    case 'modify':
      return { from: change.from, to: [wanted] }
    case 'lift':
      return { from: change.wrote, to: change.before }
  }
}

function blackhole(change: Change, intent: Intent & { kind: 'blackhole' }): Rendering {
  const family = familyOf(intent.prefix) === 4 ? 'ip' : 'ipv6'
  const vrf = intent.vrf === 'default' ? '' : ` vrf ${intent.vrf}`
  const { from, to } = fromTo(
    change,
    `${family} route ${intent.prefix} blackhole tag ${intent.tag}${vrf}`,
  )
  return { kind: 'lines', apply: routes(from, to), undo: routes(to, from), wrote: to }
}

/** A prefix has one place for a discard: a new line takes the place of the old, so only what nothing follows is removed. */
function routes(from: readonly string[], to: readonly string[]): readonly Line[] {
  const lines = to.length === 0 ? from.map((line) => `no ${line}`) : to
  return lines.map((line) => free(line, 'config'))
}

function port(change: Change, intent: Intent & { kind: 'port' }): Rendering {
  const { from, to } = fromTo(change, 'shutdown')
  const lines = (text: string): readonly Line[] => [
    enter(`interface ${intent.port}`, 'config', 'config-if'),
    inside(text, 'config-if'),
    enter('exit', 'config-if', 'config'),
  ]
  const toLine = (object: readonly string[]): string =>
    object.includes('shutdown') ? 'shutdown' : 'no shutdown'
  const rendering = { kind: 'lines', apply: lines(toLine(to)), undo: lines(toLine(from)) } as const
  const note = change.kind === 'apply' ? { note: unseenNeighbors } : {}
  return { ...rendering, wrote: to, ...note }
}

function neighbor(change: Change, intent: Intent & { kind: 'neighbor' }, facts: Facts): Rendering {
  const { from, to } = fromTo(change, `neighbor ${intent.peer} shutdown message ${intent.message}`)
  // The header is the device's own line: `router bgp` of a number that isn't there would make a second instance.
  const vrf = intent.vrf === 'default' ? '' : ` vrf ${intent.vrf}`
  const header = facts[`bgp|${intent.vrf}`] ?? `router bgp ${facts['asn'] ?? '<asn>'}${vrf}`
  const lines = (object: readonly string[]): readonly Line[] => [
    resolved(enter(header, 'config', 'config-router')),
    ...(object.length === 0 ? [`no neighbor ${intent.peer} shutdown`] : object).map((line) =>
      inside(line, 'config-router'),
    ),
    enter('exit', 'config-router', 'config'),
  ]
  return { kind: 'lines', apply: lines(to), undo: lines(from), wrote: to }
}
