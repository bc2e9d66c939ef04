// Configuration mode of one Junos session: who may edit what, the candidate, commits and going back.

import type { Result } from '../model.ts'
import type { Cli } from './session.ts'
import { type Filters, showConfiguration, timeText } from './show.ts'
import { checkTree, commitTree, type Editor, isDirty, type JunosState } from './state.ts'
import {
  compareTrees,
  copyTree,
  deletePath,
  findStatement,
  readPaths,
  type Statement,
  setPath,
  wordsOf,
} from './tree.ts'

const ok: Result = { text: '' }

/** A session's configuration mode. */
export interface Editing {
  readonly active: boolean
  /** `load set terminal` is reading lines. */
  readonly loading: boolean
  kind(): string
  /** `[edit …]`. */
  level(): string
  enter(line: string): Result
  run(line: string, filters: Filters): Result
  loadLine(line: string): Result
  endLoad(): Result
  /** The connection went away. */
  drop(): void
}

/** No configuration mode yet. */
export function createEditing(state: JunosState, cli: Cli): Editing {
  let self: Editor | undefined
  /** Candidate of a private session. */
  let own: Statement | undefined
  let path: string[] = []
  let loaded: string[] | undefined
  const { terminal } = cli

  const tree = (): Statement => own ?? state.candidate

  function others(): Editor[] {
    return [...state.editors.values()].filter(({ session }) => session !== terminal.number)
  }

  function editorLines(editors: readonly Editor[]): string {
    return editors
      .map(
        ({ user, since, mode }) =>
          `  ${user} terminal pts/0 (pid ${31_745 + terminal.number}) on since ${timeText(since)}\n      ${mode === 'exclusive' ? 'exclusive ' : ''}[edit]\n`,
      )
      .join('')
  }

  function enter(line: string): Result {
    const mode = line.endsWith('exclusive')
      ? 'exclusive'
      : line.endsWith('private')
        ? 'private'
        : 'shared'
    const holder = others().find((one) => one.mode === 'exclusive')
    if (holder !== undefined || state.lockedBy !== undefined) {
      const user = holder?.user ?? state.lockedBy ?? ''
      const since = timeText(holder?.since ?? state.settings.clock.now())
      return {
        text: `error: configuration database locked by:\n  ${user} terminal  (pid 32260) on since ${since}, idle 00:04:48\n      exclusive [edit]\n`,
      }
    }
    const dirty = isDirty(state)
    const shared = others().filter((one) => one.mode === 'shared')
    const users =
      shared.length === 0
        ? ''
        : `Users currently editing the configuration:\n${editorLines(shared)}`
    if (dirty && mode === 'exclusive') {
      const somebody =
        shared.length === 0
          ? `Users currently editing the configuration:\n  ops terminal pts/0 (pid 31745) on since ${timeText(state.settings.clock.now())}\n      [edit]\n`
          : users
      return { text: `${somebody}error: configuration database modified\n` }
    }
    if (dirty && mode === 'private')
      return { text: 'error: shared configuration database modified\n' }
    self = {
      session: terminal.number,
      user: terminal.username,
      mode,
      since: state.settings.clock.now(),
    }
    state.editors.set(terminal.number, self)
    path = []
    if (mode === 'private') own = copyTree(state.running)
    const warning =
      mode === 'shared' ? '' : 'warning: uncommitted changes will be discarded on exit\n'
    const changed = dirty ? 'The configuration has been changed but not committed\n' : ''
    return {
      text: `${warning}Entering configuration mode\n${mode === 'private' ? '' : users}${changed}`,
    }
  }

  function leave(): Result {
    drop()
    return { text: 'Exiting configuration mode\n' }
  }

  function drop(): void {
    if (self === undefined) return
    // What an exclusive session did not commit is gone; what a shared one did not, stays for the next.
    if (self.mode === 'exclusive') state.candidate = copyTree(state.running)
    own = undefined
    self = undefined
    loaded = undefined
    state.editors.delete(terminal.number)
  }

  function exit(): Result {
    const changed = own === undefined ? isDirty(state) : compareTrees(state.running, own).length > 0
    if (!changed) return leave()
    const discards = self?.mode !== 'shared'
    return cli.ask(
      `The configuration has been changed but not committed\n${discards ? 'Discard uncommitted changes?' : 'Exit with uncommitted changes?'} [yes,no] (yes) `,
      (answer) => (answer === '' || answer.startsWith('y') ? leave() : ok),
    )
  }

  function change(line: string, verb: string): Result {
    const words = wordsOf(line).slice(1)
    const full = [...path, ...words]
    if (verb === 'delete' && full.length === 0) {
      return cli.ask(
        'This will delete the entire configuration\nDelete everything under this level? [yes,no] (no) ',
        (answer) => {
          if (answer.startsWith('y')) tree().children = []
          return ok
        },
      )
    }
    const paths = readPaths(tree(), full, verb !== 'set')
    if (paths.kind === 'error') {
      const at = Math.max(0, paths.at - path.length) + 1
      const missing = paths.at >= full.length
      return {
        text: missing
          ? cli.complain(`${line} x`, at, 'missing argument.')
          : cli.complain(line, at, 'syntax error.'),
      }
    }
    let found = true
    for (const one of paths.paths) {
      if (verb === 'set') setPath(tree(), one)
      else if (verb === 'delete') found = deletePath(tree(), one) && found
      else {
        const statement = findStatement(tree(), ...one.map(({ name }) => name))
        if (statement !== undefined) statement.inactive = verb === 'deactivate'
        found = statement !== undefined && found
      }
    }
    return { text: found ? '' : 'warning: statement not found\n' }
  }

  /** `insert … term A before term B`: the order of terms is what a filter means. */
  function insertLine(line: string): Result {
    const form = /^insert (.+) (before|after) (\S+ \S+)$/.exec(line)
    const paths =
      form === null ? undefined : readPaths(tree(), [...path, ...wordsOf(form[1] ?? '')], true)
    if (form === null || paths === undefined || paths.kind === 'error') {
      return { text: cli.complain(line, 1, 'syntax error.') }
    }
    const names = (paths.paths[0] ?? []).map(({ name }) => name)
    const parent = findStatement(tree(), ...names.slice(0, -1))
    const moved = parent?.children.find(({ name }) => name === names.at(-1))
    const other = parent?.children.find(({ name }) => name === form[3])
    if (parent === undefined || moved === undefined || other === undefined) {
      return { text: 'error: statement not found\n' }
    }
    parent.children = parent.children.filter((one) => one !== moved)
    parent.children.splice(parent.children.indexOf(other) + (form[2] === 'after' ? 1 : 0), 0, moved)
    return ok
  }

  function commit(line: string): Result {
    const form =
      /^commit( check)?( confirmed(?: (\d+))?)?(?: synchronize)?(?: comment (?:"([^"]*)"|(\S+)))?( and-quit)?$/.exec(
        line,
      )
    if (form === null) return { text: cli.complain(line, 1, 'syntax error.') }
    const [, check, confirmed, minutes, quotedComment, bareComment, quit] = form
    if (confirmed !== undefined && self?.mode === 'private') {
      return { text: 'error: commit confirmed not supported for private configuration\n' }
    }
    const problem =
      state.saveRefusal !== undefined
        ? state.saveRefusal || 'error: commit failed: (disk full)'
        : checkTree(tree())
    if (problem !== undefined) return { text: problem.endsWith('\n') ? problem : `${problem}\n` }
    if (check !== undefined) {
      // A check inside the window confirms what is pending, and commits nothing.
      state.pending?.cancel()
      state.pending = undefined
      return { text: 'configuration check succeeds\n' }
    }
    const window = confirmed === undefined ? undefined : Number(minutes ?? 10)
    commitTree(state, tree(), {
      user: terminal.username,
      comment: quotedComment ?? bareComment,
      confirmed: window,
    })
    // A private commit brings its changes to the shared candidate, too.
    state.candidate = copyTree(state.running)
    const head =
      window === undefined
        ? ''
        : `commit confirmed will be automatically rolled back in ${window} minutes unless confirmed\n`
    const done = `${head}commit complete\n`
    return quit === undefined ? { text: done } : { text: done + leave().text }
  }

  function rollback(line: string): Result {
    const number = Number(/^rollback(?: (\d+))?$/.exec(line)?.[1] ?? 0)
    const source = number === 0 ? state.running : state.commits[number]?.tree
    if (source === undefined) return { text: `error: could not open rollback ${number}\n` }
    const copy = copyTree(source)
    if (own === undefined) state.candidate = copy
    else own = copy
    return { text: 'load complete\n' }
  }

  function showLine(line: string, filters: Filters): Result {
    const words = [...path, ...wordsOf(line).slice(1)]
    if (filters.compare !== undefined) {
      const before =
        filters.compare === 0
          ? state.running
          : (state.commits[filters.compare]?.tree ?? state.running)
      return {
        text: compareTrees(before, tree())
          .map((one) => `${one}\n`)
          .join(''),
      }
    }
    const text = showConfiguration(state, tree(), words, filters)
    return { text: text ?? cli.complain(line, 1, 'syntax error.') }
  }

  function move(line: string): Result | undefined {
    if (line === 'top') path = []
    else if (line === 'up') path = path.slice(0, -1)
    else if (line.startsWith('edit ')) {
      const next = [...path, ...wordsOf(line).slice(1)]
      const paths = readPaths(tree(), next, true)
      if (paths.kind === 'error') return { text: cli.complain(line, 1, 'syntax error.') }
      path = next
    } else if ((line === 'exit' || line === 'quit') && path.length > 0) path = []
    else return undefined
    return ok
  }

  return {
    get active() {
      return self !== undefined
    },
    get loading() {
      return loaded !== undefined
    },
    kind: () => self?.mode ?? '',
    level: () => (path.length === 0 ? '[edit]' : `[edit ${path.join(' ')}]`),
    enter,
    run(line, filters) {
      const moved = move(line)
      if (moved !== undefined) return moved
      if (/^(?:exit|quit)(?: configuration-mode)?$/.test(line)) return exit()
      const verb = line.split(' ')[0] ?? ''
      switch (verb) {
        case 'set':
        case 'delete':
        case 'activate':
        case 'deactivate':
          return change(line, verb)
        case 'insert':
          return insertLine(line)
        case 'commit':
          return commit(line)
        case 'rollback':
          return rollback(line)
        case 'show':
          return showLine(line, filters)
        case 'status':
          return {
            text: `Users currently editing the configuration:\n${editorLines([...state.editors.values()])}`,
          }
        case 'load':
          if (line !== 'load set terminal') return { text: cli.complain(line, 1, 'syntax error.') }
          loaded = []
          return { text: '[Type ^D at a new line to end input]\n' }
        default:
          return { text: cli.complain(line, 0, 'unknown command.') }
      }
    },
    loadLine(line) {
      loaded?.push(line)
      return ok
    },
    endLoad() {
      const lines = (loaded ?? []).filter((line) => line.trim() !== '')
      loaded = undefined
      const problems = lines.flatMap((line, at) => {
        const verb = line.trim().split(' ')[0] ?? ''
        const known = /^(?:set|delete|activate|deactivate)$/.test(verb)
        const { text } = known ? change(line.trim(), verb) : { text: 'unknown' }
        return text === '' || text.startsWith('warning:')
          ? []
          : [`terminal:${at + 1}:(1) syntax error: ${line}\n`]
      })
      const count = problems.length === 0 ? '' : ` (${problems.length} errors)`
      return { text: `${problems.join('')}load complete${count}\n` }
    },
    drop,
  }
}
