// Changes → lines for IOS. Routes are one global line each; all else needs a mode, and each mode's prompt is waited for on the way in and out:
// `shutdown` behind a refused `interface` or `address-family` line would hit something else.

import { familyOf } from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import {
  type Change,
  type Context,
  enter,
  type Facts,
  free,
  inside,
  type Line,
  type Rendering,
  resolved,
} from '../../platform.ts'
import {
  blackholeLine,
  groupName,
  memberObject,
  memberText,
  neighborLine,
  neighborObject,
  neighborPath,
  portFact,
  portObject,
  sentinel,
} from './objects.ts'

/** Why IPv6 filter entries are not done. */
export const noIpv6Filter =
  'IOS has object groups for IPv6 only in late IOS-XE, under names and prompts that could not be verified: use blackhole, port or neighbor for IPv6'

/** Why a shutdown message is left out. */
export const noMessage =
  'IOS sends no shutdown message to the neighbor: the text stands in the record only'

/** Why one entry serves both directions. */
export const bothDirections = `the entry in ${groupName} acts in each direction that the operator bound the group for`

/** One rendering for each change. Changes of both directions at one member of the group send its line once. */
export function render(changes: readonly Change[], facts: Facts): readonly Rendering[] {
  const done = new Set<string>()
  return changes.map((change) => {
    const { intent } = change
    if (intent.kind !== 'acl') return renderOne(change, facts)
    const element = `${change.kind === 'lift' ? 'lift' : 'apply'} ${intent.prefix}`
    const rendering = renderAcl(change, intent)
    if (rendering.kind !== 'lines' || !done.has(element)) {
      done.add(element)
      return rendering
    }
    return { ...rendering, apply: [], undo: [] }
  })
}

function renderOne(change: Change, facts: Facts): Rendering {
  const { intent } = change
  switch (intent.kind) {
    case 'blackhole':
      return renderBlackhole(change, intent, facts)
    case 'acl':
      return renderAcl(change, intent)
    case 'port':
      return renderPort(change, intent, facts)
    case 'neighbor':
      return renderNeighbor(change, intent, facts)
  }
}

type Of<K extends Intent['kind']> = Extract<Intent, { readonly kind: K }>

/** In exec the line is unknown, a sub-mode hands it up to where it has its effect: `free`. Always with `Null0`: without it, `no` takes every route of the prefix. */
function renderBlackhole(change: Change, intent: Of<'blackhole'>, facts: Facts): Rendering {
  const wanted = blackholeLine(intent, facts)
  const lines = (texts: readonly string[]) => texts.map((text) => free(text, 'config'))
  const no = (texts: readonly string[]) => texts.map((text) => `no ${text}`)
  switch (change.kind) {
    case 'apply':
      return {
        kind: 'lines',
        apply: lines([wanted]),
        undo: lines([`no ${wanted}`]),
        wrote: [wanted],
      }
    case 'modify':
      // Prefix and next hop are the key of a route: the new line takes the place of the old one, without a moment between.
      return { kind: 'lines', apply: lines([wanted]), undo: lines(change.from), wrote: [wanted] }
    case 'lift':
      return {
        kind: 'lines',
        apply: lines([...no(change.wrote), ...change.before]),
        undo: lines([...no(change.before), ...change.wrote]),
        wrote: change.before,
      }
  }
}

function renderAcl(change: Change, intent: Of<'acl'>): Rendering {
  if (familyOf(intent.prefix) === 6) return { kind: 'unsupported', reason: noIpv6Filter }
  if (intent.prefix === sentinel) {
    return {
      kind: 'refused',
      stop: {
        code: 'ambiguous',
        message: `${intent.prefix} is the member that keeps ${groupName} from being empty`,
        remedy: 'add it to discardNextHops of the inventory: it is nobody’s address',
      },
    }
  }
  const member = memberText(intent.prefix)
  const line = (text: string) =>
    within([`object-group network ${groupName}`], ['config-network-group'], text)
  const object = [memberObject(intent.prefix)]
  return change.kind === 'lift'
    ? { kind: 'lines', apply: line(`no ${member}`), undo: line(member), wrote: change.before }
    : {
        kind: 'lines',
        apply: line(member),
        undo: line(`no ${member}`),
        wrote: object,
        note: bothDirections,
      }
}

function renderPort(change: Change, intent: Of<'port'>, facts: Facts): Rendering {
  const name = facts[portFact(intent.port)] ?? intent.port
  const mode = name.includes('.') ? 'config-subif' : 'config-if'
  const line = (text: string) => within([`interface ${name}`], [mode], text)
  return change.kind === 'lift'
    ? { kind: 'lines', apply: line('no shutdown'), undo: line('shutdown'), wrote: change.before }
    : {
        kind: 'lines',
        apply: line('shutdown'),
        undo: line('no shutdown'),
        wrote: [portObject(intent.port, facts)],
      }
}

function renderNeighbor(change: Change, intent: Of<'neighbor'>, facts: Facts): Rendering {
  const path = neighborPath(intent, facts)
  const modes = ['config-router', 'config-router-af'].slice(0, path.length)
  const shut = neighborLine(intent)
  const line = (text: string) => within(path, modes, text).map(resolved)
  switch (change.kind) {
    case 'apply':
      return {
        kind: 'lines',
        apply: line(shut),
        undo: line(`no ${shut}`),
        wrote: [neighborObject(intent, facts)],
        note: noMessage,
      }
    case 'modify':
      // Only the message can differ, and there is none on the device.
      return { kind: 'lines', apply: [], undo: [], wrote: change.from, note: noMessage }
    case 'lift':
      return { kind: 'lines', apply: line(`no ${shut}`), undo: line(shut), wrote: change.before }
  }
}

/** One line inside nested contexts: in, the line, and out again context by context. */
function within(
  headers: readonly string[],
  modes: readonly Context[],
  text: string,
): readonly Line[] {
  const contexts = ['config', ...modes]
  const at = (depth: number): Context => contexts[depth] ?? 'config'
  const last = headers.length
  const into = headers.map((header, depth) => enter(header, at(depth), at(depth + 1)))
  const out = headers.map((_, i) => {
    const depth = last - i
    const word = at(depth) === 'config-router-af' ? 'exit-address-family' : 'exit'
    return enter(word, at(depth), at(depth - 1))
  })
  return [...into, inside(text, at(last)), ...out]
}
