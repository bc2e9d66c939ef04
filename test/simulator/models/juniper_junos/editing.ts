// Configuration mode of one Junos session: who may edit what, the candidate, commits and going back.

import { dispatch } from '../dispatch.ts'
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

const currently = 'Users currently editing the configuration:\n'

const modes: Readonly<Record<string, Editor['mode']>> = {
  exclusive: 'exclusive',
  private: 'private',
}

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

  /** Why nobody else gets in: somebody has it for himself. */
  function lockText(): string | undefined {
    const holder = others().find((one) => one.mode === 'exclusive')
    const user = holder?.user ?? state.lockedBy
    if (user === undefined) return undefined
    const since = timeText(holder?.since ?? state.settings.clock.now())
    return `error: configuration database locked by:\n  ${user} terminal  (pid 32260) on since ${since}, idle 00:04:48\n      exclusive [edit]\n`
  }

  /** What a mode says to edits that others left in the shared candidate. */
  function foreignEdits(mode: Editor['mode'], users: string): string | undefined {
    if (mode === 'shared' || !isDirty(state)) return undefined
    if (mode === 'private') return 'error: shared configuration database modified\n'
    const gone = `${currently}  ops terminal pts/0 (pid 31745) on since ${timeText(state.settings.clock.now())}\n      [edit]\n`
    return `${users === '' ? gone : users}error: configuration database modified\n`
  }

  function enter(line: string): Result {
    const mode = modes[line.split(' ')[1] ?? ''] ?? 'shared'
    const shared = others().filter((one) => one.mode === 'shared')
    const users = shared.length === 0 ? '' : currently + editorLines(shared)
    const refusal = lockText() ?? foreignEdits(mode, users)
    if (refusal !== undefined) return { text: refusal }
    const since = state.settings.clock.now()
    self = { session: terminal.number, user: terminal.username, mode, since }
    state.editors.set(terminal.number, self)
    path = []
    if (mode === 'private') own = copyTree(state.running)
    if (mode !== 'shared') {
      return {
        text: `warning: uncommitted changes will be discarded on exit\nEntering configuration mode\n${mode === 'private' ? '' : users}`,
      }
    }
    const changed = isDirty(state) ? 'The configuration has been changed but not committed\n' : ''
    return { text: `Entering configuration mode\n${users}${changed}` }
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
    const [, typed = '', place, beside] = /^insert (.+) (before|after) (\S+ \S+)$/.exec(line) ?? []
    const paths = readPaths(tree(), [...path, ...wordsOf(typed)], true)
    if (typed === '' || paths.kind === 'error') {
      return { text: cli.complain(line, 1, 'syntax error.') }
    }
    const names = (paths.paths[0] ?? []).map(({ name }) => name)
    const parent = findStatement(tree(), ...names.slice(0, -1))
    const moved = parent?.children.find(({ name }) => name === names.at(-1))
    const other = parent?.children.find(({ name }) => name === beside)
    if (parent === undefined || moved === undefined || other === undefined) {
      return { text: 'error: statement not found\n' }
    }
    parent.children = parent.children.filter((one) => one !== moved)
    const at = parent.children.indexOf(other) + (place === 'after' ? 1 : 0)
    parent.children.splice(at, 0, moved)
    return ok
  }

  /** Why the candidate can't be committed. */
  function obstacle(confirmed: boolean): string | undefined {
    if (confirmed && self?.mode === 'private') {
      return 'error: commit confirmed not supported for private configuration\n'
    }
    if (state.saveRefusal === undefined) return checkTree(tree())
    return `${state.saveRefusal || 'error: commit failed: (disk full)'}\n`
  }

  function commit(line: string): Result {
    const form =
      /^commit( check)?(?:( confirmed)(?: (\d+))?)?(?: synchronize)?(?: comment (?:"([^"]*)"|(\S+)))?( and-quit)?$/.exec(
        line,
      )
    if (form === null) return { text: cli.complain(line, 1, 'syntax error.') }
    const [, check, confirmed, minutes = '10', quotedComment, bareComment, quit] = form
    const problem = obstacle(confirmed !== undefined)
    if (problem !== undefined) return { text: problem }
    if (check !== undefined) {
      // A check inside the window confirms what is pending, and commits nothing.
      state.pending?.cancel()
      state.pending = undefined
      return { text: 'configuration check succeeds\n' }
    }
    commitTree(state, tree(), {
      user: terminal.username,
      comment: quotedComment ?? bareComment,
      confirmed: confirmed === undefined ? undefined : Number(minutes),
    })
    // A private commit brings its changes to the shared candidate, too.
    state.candidate = copyTree(state.running)
    const head = `commit confirmed will be automatically rolled back in ${minutes} minutes unless confirmed\n`
    const done = `${confirmed === undefined ? '' : head}commit complete\n`
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
      const known = dispatch<Result>(line, [
        [/^(set|delete|activate|deactivate)\b/, ([, verb = '']) => change(line, verb)],
        [/^insert\b/, () => insertLine(line)],
        [/^commit\b/, () => commit(line)],
        [/^rollback\b/, () => rollback(line)],
        [/^show\b/, () => showLine(line, filters)],
        [/^status$/, () => ({ text: currently + editorLines([...state.editors.values()]) })],
        [
          /^load set terminal$/,
          () => {
            loaded = []
            return { text: '[Type ^D at a new line to end input]\n' }
          },
        ],
      ])
      return known ?? { text: cli.complain(line, 0, 'unknown command.') }
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
