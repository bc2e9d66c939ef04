// The state of a Junos device: running and candidate configuration, who edits, commits and the timer that takes one back.

import type { CompleteDevice } from '../../spec.ts'
import type { Announced, Learnt, ModelSettings } from '../model.ts'
import { hasHostBits } from '../prefixes.ts'
import { initialConfig } from './initial.ts'
import {
  compareTrees,
  copyTree,
  entriesOf,
  entryName,
  findStatement,
  type Statement,
  valueOf,
} from './tree.ts'

/** An entry of the commit history; the newest is first. */
export interface Commit {
  readonly at: Date
  readonly user: string
  readonly via: 'cli' | 'other'
  readonly comment: string | undefined
  /** Minutes of `commit confirmed`. */
  readonly confirmed: number | undefined
  readonly tree: Statement
}

/** A commit that goes back by itself. */
interface PendingCommit {
  readonly until: number
  readonly before: Statement
  readonly cancel: () => void
}

/** Somebody in configuration mode. */
export interface Editor {
  readonly session: number
  readonly user: string
  readonly mode: 'shared' | 'exclusive' | 'private'
  readonly since: Date
}

/** One device. */
export interface JunosState {
  readonly spec: CompleteDevice
  readonly settings: ModelSettings
  readonly version: string
  running: Statement
  /** One for everybody but private sessions. */
  candidate: Statement
  commits: Commit[]
  pending: PendingCommit | undefined
  readonly editors: Map<number, Editor>
  /** Somebody outside of the simulator holds the exclusive lock. */
  lockedBy: string | undefined
  saveRefusal: string | undefined
  learnt: readonly Learnt[]
  readonly terminals: Map<number, (text: string) => void>
  listener: () => void
}

/** Commits kept. */
const commitsMax = 50

/** A device as it starts: what it was installed with, and one commit of its operator's; on a new one less. */
export function createState(spec: CompleteDevice, settings: ModelSettings): JunosState {
  const version = spec.version ?? '21.4R3-S3.4'
  const running = initialConfig(spec, version)
  return {
    spec,
    settings,
    version,
    running,
    candidate: copyTree(running),
    commits: [
      {
        at: settings.clock.now(),
        user: 'ops',
        via: 'cli' as const,
        comment: undefined,
        confirmed: undefined,
        tree: running,
      },
      // What it was installed with.
      {
        at: settings.clock.now(),
        user: 'root',
        via: 'other' as const,
        comment: undefined,
        confirmed: undefined,
        tree: running,
      },
    ].slice(2 - spec.history),
    pending: undefined,
    editors: new Map(),
    lockedBy: undefined,
    saveRefusal: undefined,
    learnt: [],
    terminals: new Map(),
    listener: () => {},
  }
}

/** Host name of the running configuration. */
export function hostOf(state: JunosState): string {
  return valueOf(findStatement(state.running, 'system'), 'host-name') ?? 'Amnesiac'
}

/** Whether the shared candidate holds edits. */
export function isDirty(state: JunosState): boolean {
  return compareTrees(state.running, state.candidate).length > 0
}

/** Minutes until the pending commit goes back. */
export function minutesLeft(state: JunosState): number {
  const left = (state.pending?.until ?? 0) - state.settings.clock.now().getTime()
  return Math.max(1, Math.ceil(left / state.settings.minuteMs))
}

/** What a commit is made with. */
export interface CommitOptions {
  readonly user: string
  readonly comment: string | undefined
  readonly confirmed: number | undefined
}

/** Makes the tree the running configuration. */
export function commitTree(state: JunosState, tree: Statement, options: CommitOptions): void {
  const before = state.running
  const first = state.pending?.before
  state.pending?.cancel()
  state.pending = undefined
  state.running = copyTree(tree)
  state.commits = [
    { ...options, at: state.settings.clock.now(), via: 'cli' as const, tree: state.running },
    ...state.commits,
  ].slice(0, commitsMax)
  if (options.confirmed !== undefined) {
    const { clock, minuteMs } = state.settings
    const ms = options.confirmed * minuteMs
    state.pending = {
      until: clock.now().getTime() + ms,
      // A second confirmed commit moves the deadline; what comes back is what was before the first.
      before: first ?? before,
      cancel: clock.after(ms, () => rollBack(state)),
    }
  }
  state.listener()
}

/** The timer ran out: the whole configuration is what it was, and everybody is told. */
export function rollBack(state: JunosState): void {
  const { pending } = state
  if (pending === undefined) return
  pending.cancel()
  state.pending = undefined
  const untouched = !isDirty(state)
  state.running = copyTree(pending.before)
  if (untouched) state.candidate = copyTree(state.running)
  state.commits = [
    {
      at: state.settings.clock.now(),
      user: 'root',
      via: 'other' as const,
      comment: undefined,
      confirmed: undefined,
      tree: state.running,
    },
    ...state.commits,
  ]
  state.listener()
  const time = state.settings.clock.now().toISOString().slice(11, 16)
  for (const write of state.terminals.values()) {
    write(
      `Broadcast Message from root@${hostOf(state)}\n        (no tty) at ${time} UTC...\n\nCommit was not confirmed; automatic rollback complete.\n`,
    )
  }
}

/** What `commit check` finds wrong, in the device's form; undefined: nothing. */
export function checkTree(tree: Statement): string | undefined {
  const problems = [...routeProblems(tree), ...filterProblems(tree)]
  if (findStatement(tree, 'system', 'root-authentication') === undefined) {
    problems.push("[edit]\n  'system'\n    Missing mandatory statement: 'root-authentication'")
    return `${problems.join('\n')}\nerror: configuration check-out failed: (missing mandatory statements)\n`
  }
  return problems.length === 0
    ? undefined
    : `${problems.join('\n')}\nerror: configuration check-out failed\n`
}

/** All places where static routes stand, with their paths. */
export function staticsOf(
  tree: Statement,
): { readonly path: string; readonly table: string; readonly routes: Statement | undefined }[] {
  const of = (
    options: Statement | undefined,
    path: string,
    instance: string,
  ): ReturnType<typeof staticsOf> => [
    {
      path: `${path} static`,
      table: `${instance}inet.0`,
      routes: findStatement(options ?? tree, 'static'),
    },
    ...entriesOf(options, 'rib').map((rib) => ({
      path: `${path} ${rib.name} static`,
      table: entryName(rib),
      routes: findStatement(rib, 'static'),
    })),
  ]
  const instances = findStatement(tree, 'routing-instances')?.children ?? []
  return [
    ...of(findStatement(tree, 'routing-options'), 'routing-options', ''),
    ...instances.flatMap((one) =>
      of(
        findStatement(one, 'routing-options'),
        `routing-instances ${one.name} routing-options`,
        `${one.name}.`,
      ),
    ),
  ]
}

function routeProblems(tree: Statement): string[] {
  return staticsOf(tree).flatMap(({ path, routes }) =>
    entriesOf(routes, 'route').flatMap((route) => {
      const has = (name: string): boolean => findStatement(route, name) !== undefined
      const prefix = entryName(route)
      const family = prefix.includes(':') ? 6 : 4
      if (hasHostBits(prefix, family)) {
        return [`[edit ${path}]\n  'route ${prefix}'\n    invalid prefix: host bits are set`]
      }
      const ways = ['discard', 'reject', 'next-hop'].filter(has)
      return ways.length > 1
        ? [`[edit ${path} route ${prefix}]\n  '${ways[0]}'\n    conflicts with '${ways[1]}'`]
        : []
    }),
  )
}

function filterProblems(tree: Statement): string[] {
  const lists = new Set(
    entriesOf(findStatement(tree, 'policy-options'), 'prefix-list').map(({ name }) => name),
  )
  return entriesOf(findStatement(tree, 'firewall'), 'family').flatMap((family) =>
    entriesOf(family, 'filter').flatMap((filter) =>
      entriesOf(filter, 'term').flatMap((term) =>
        entriesOf(findStatement(term, 'from'), 'prefix-list')
          .filter(({ name }) => !lists.has(name))
          .map(
            ({ name }) =>
              `[edit firewall ${family.name} ${filter.name} ${term.name} from]\n  '${name}'\n    prefix-list is not defined`,
          ),
      ),
    ),
  )
}

/** Static discards that a policy hands on to BGP. */
export function announcedBy(state: JunosState): Announced[] {
  const bgp = findStatement(state.running, 'protocols', 'bgp')
  const exports = [bgp, ...entriesOf(bgp, 'group')].flatMap(
    (one) => one?.children.find(({ name }) => name === 'export')?.values ?? [],
  )
  const policies = entriesOf(findStatement(state.running, 'policy-options'), 'policy-statement')
  const terms = policies
    .filter((policy) => exports.includes(entryName(policy)))
    .flatMap((policy) => entriesOf(policy, 'term'))
  return staticsOf(state.running)
    .filter(({ table }) => table === 'inet.0' || table === 'inet6.0')
    .flatMap(({ routes }) => entriesOf(routes, 'route'))
    .filter((route) => findStatement(route, 'discard') !== undefined)
    .flatMap((route) => {
      const family = entryName(route).includes(':') ? 6 : 4
      const term = terms.find((one) => {
        const tag = valueOf(findStatement(one, 'from'), 'tag')
        const hop = valueOf(findStatement(one, 'then'), 'next-hop')
        const fits = hop === undefined || hop.includes(':') === (family === 6)
        return fits && (tag === undefined || tag === valueOf(route, 'tag'))
      })
      if (term === undefined) return []
      const hop = valueOf(findStatement(term, 'then'), 'next-hop')
      return [{ prefix: entryName(route), nextHop: hop ?? '' }]
    })
}
