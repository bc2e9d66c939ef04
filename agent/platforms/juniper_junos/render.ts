// Changes → lines for Junos. Each is one full path from `[edit]`: it only edits the candidate, and the device's difference proves it before anything is committed.

import type { Intent } from '../../intents.ts'
import {
  type Change,
  type Facts,
  free,
  type Line,
  type Rendering,
  resolved,
} from '../../platform.ts'
import { candidate } from './dialogue.ts'
import {
  blackholeObject,
  entryPath,
  hasShutdown,
  inactiveObject,
  neighborObject,
  neighborPath,
  portObject,
  routePath,
  sentinels,
} from './objects.ts'
import type { Statement } from './statements.ts'

/** Why one entry serves both directions. */
export const bothDirections =
  'an entry of the prefix list acts in each direction that the operator’s filter uses the list for'

/** What older releases do instead. */
export const deactivates =
  'before Junos 19.1 there is no BGP shutdown: there the neighbor is deactivated, without a message, and a range of the group may take it in again'

/** One rendering for each change. Changes of both directions at one entry send its line once, so that the difference shows each line once. */
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
      return replace(change, blackholeObject(intent), [routePath(intent)])
    case 'acl':
      return renderAcl(change, intent)
    case 'port':
      return replace(change, portObject(intent), portObject(intent))
    case 'neighbor':
      return renderNeighbor(change, intent, facts)
  }
}

type Of<K extends Intent['kind']> = Extract<Intent, { readonly kind: K }>

function line(text: string): Line {
  return resolved(free(text, candidate))
}

function set(statements: readonly Statement[]): readonly Line[] {
  return statements.map((one) => line(`set ${one}`))
}

function remove(paths: readonly Statement[]): readonly Line[] {
  return paths.map((one) => line(`delete ${one}`))
}

/** `object` is set whole and taken away by `roots`, never by anything shorter: a path that loses its last word deletes its parent. */
function replace(
  change: Change,
  object: readonly Statement[],
  roots: readonly Statement[],
): Rendering {
  switch (change.kind) {
    case 'apply':
      return { kind: 'lines', apply: set(object), undo: remove(roots), wrote: object }
    case 'modify': {
      // A value takes the place of the former one: only what differs is set.
      const added = object.filter((one) => !change.from.includes(one))
      const removed = change.from.filter((one) => !object.includes(one))
      return { kind: 'lines', apply: set(added), undo: set(removed), wrote: object }
    }
    case 'lift':
      return {
        kind: 'lines',
        apply: [...remove(roots), ...set(change.before)],
        undo: [...(change.before.length > 0 ? remove(roots) : []), ...set(change.wrote)],
        wrote: change.before,
      }
  }
}

function renderAcl(change: Change, intent: Of<'acl'>): Rendering {
  const entry = entryPath(intent.prefix)
  if (sentinels.includes(intent.prefix)) {
    return {
      kind: 'refused',
      stop: {
        code: 'ambiguous',
        message: `${intent.prefix} is the entry that keeps the list from being empty`,
        remedy: 'add it to discardNextHops of the inventory: it is nobody’s address',
      },
    }
  }
  const rendering = replace(change, [entry], [entry])
  return rendering.kind === 'lines' && change.kind !== 'lift'
    ? { ...rendering, note: bothDirections }
    : rendering
}

function renderNeighbor(change: Change, intent: Of<'neighbor'>, facts: Facts): Rendering {
  const path = neighborPath(intent, facts)
  const wasInactive = change.kind === 'lift' && change.wrote.includes(`inactive ${path}`)
  if (hasShutdown(facts) && !wasInactive) {
    return replace(change, neighborObject(intent, facts), [`${path} shutdown`])
  }
  const off = [line(`deactivate ${path}`)]
  const on = [line(`activate ${path}`)]
  switch (change.kind) {
    case 'apply':
      return {
        kind: 'lines',
        apply: off,
        undo: on,
        wrote: inactiveObject(intent, facts),
        note: deactivates,
      }
    case 'modify':
      // Only the message can differ, and there is none.
      return { kind: 'lines', apply: [], undo: [], wrote: change.from, note: deactivates }
    case 'lift':
      return { kind: 'lines', apply: on, undo: off, wrote: change.before }
  }
}
