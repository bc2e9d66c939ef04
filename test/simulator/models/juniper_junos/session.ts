// One CLI session of a Junos device: operational and configuration mode, filters behind bars, and the lines at `>`.

import { expand, filterLines, typedPattern } from '../blocks.ts'
import { dispatch } from '../dispatch.ts'
import type { ModelSession, Result, SessionTerminal } from '../model.ts'
import { loginTime } from '../times.ts'
import { createEditing } from './editing.ts'
import { type Filters, show } from './show.ts'
import { hostOf, type JunosState, minutesLeft } from './state.ts'

const ok: Result = { text: '' }

const commands = [
  'configure exclusive',
  'configure private',
  'configure',
  'show configuration',
  'show route',
  'show interfaces',
  'show system commit',
  'show version',
  'show bgp summary',
  'show bgp neighbor',
  'exit',
  'quit',
]

/** What a configuration session offers the CLI around it. */
export interface Cli {
  readonly terminal: SessionTerminal
  /** Caret under the word at this index, and the complaint. */
  complain(line: string, word: number, text: string): string
  /** Asks something; the next line answers. */
  ask(question: string, take: (answer: string) => Result): Result
}

/** Opens a session on this device. */
export function openJunos(state: JunosState, terminal: SessionTerminal): ModelSession {
  let asking: { readonly text: string; readonly take: (answer: string) => Result } | undefined
  let screenLength = terminal.rows
  let first = true
  state.terminals.set(terminal.number, (text) => terminal.interrupt(text))
  const cli: Cli = {
    terminal,
    complain(line, word, text) {
      const before = line.trim().split(/\s+/).slice(0, word).join(' ')
      const at = lastRow(prompt()).length + (before === '' ? 0 : before.length + 1)
      return `${' '.repeat(at)}^\n${text}\n`
    },
    ask(question, take) {
      asking = { text: question, take }
      return ok
    },
  }
  const editing = createEditing(state, cli)

  function prompt(): string {
    if (asking !== undefined) return asking.text
    const who = `${terminal.username}@${hostOf(state)}`
    const engine = state.spec.routingEngine === undefined ? '' : `{${state.spec.routingEngine}}`
    const blank = first ? '' : '\n'
    if (!editing.active) return `${blank}${engine === '' ? '' : `${engine}\n`}${who}> `
    if (editing.loading) return ''
    const hint =
      state.pending === undefined
        ? ''
        : `# commit confirmed will be rolled back in ${minutesLeft(state)} minute${minutesLeft(state) === 1 ? '' : 's'}\n`
    return `${blank}${hint}${engine}${editing.level()}\n${who}# `
  }

  function operational(typed: string): Result {
    const line = expand(typed, commands)
    if (line === 'exit' || line === 'quit') return { text: '', close: true }
    if (/^configure(?: (?:exclusive|private))?$/.test(line)) return editing.enter(line)
    if (line.startsWith('set cli ')) return setCli(line)
    if (line.startsWith('set')) {
      return { text: cli.complain(line, 1, 'syntax error, expecting <command>.') }
    }
    if (line.startsWith('show '))
      return filtered(line, (one, filters) => {
        const text = show(state, one, filters)
        return { text: text ?? cli.complain(one, one.split(' ').length - 1, 'syntax error.') }
      })
    if (line === 'cli') return ok
    return { text: cli.complain(line, 0, 'unknown command.') }
  }

  function setCli(line: string): Result {
    const [, , what = '', value = ''] = line.split(' ')
    switch (what) {
      case 'screen-length':
        screenLength = Number(value)
        return { text: `Screen length set to ${value}\n` }
      case 'screen-width':
        return { text: `Screen width set to ${value}\n` }
      case 'complete-on-space':
        return {
          text: value === 'off' ? 'Disabling complete-on-space\n' : 'Enabling complete-on-space\n',
        }
      case 'timestamp':
        return { text: value === 'disable' ? 'CLI timestamp disabled\n' : '' }
      default:
        return what === 'terminal' || what === 'idle-timeout'
          ? ok
          : { text: cli.complain(line, 2, 'syntax error.') }
    }
  }

  /** Takes the filters off a line, runs what is left, and applies them. */
  function filtered(typed: string, run: (line: string, filters: Filters) => Result): Result {
    const [head = '', ...bars] = splitBars(typed)
    let filters: Filters = { display: 'text', compare: undefined }
    const after: ((text: string) => string)[] = []
    for (const bar of bars) {
      const read = readFilter(bar)
      if (read === undefined) {
        const words = typed.slice(0, typed.indexOf(bar)).trim().split(/\s+/).length
        return { text: cli.complain(typed, words, 'syntax error.') }
      }
      if (typeof read === 'function') after.push(read)
      else filters = { ...filters, ...read }
    }
    const result = run(head, filters)
    return { ...result, text: after.reduce((text, filter) => filter(text), result.text) }
  }

  return {
    greeting: `Last login: ${loginTime(state.settings.clock.now())} from ${terminal.from}\n--- JUNOS ${state.version} Kernel 64-bit  SIMULATED\n`,
    prompt,
    mode: () => (editing.active ? `edit ${editing.kind()}` : 'oper'),
    echo: () => (editing.loading ? 'tty' : 'junos'),
    pageLines: () => (screenLength === 0 ? 0 : screenLength),
    run(typed) {
      first = false
      if (asking !== undefined) {
        const { take } = asking
        asking = undefined
        return take(typed.trim())
      }
      if (editing.loading) return editing.loadLine(typed)
      const line = typed.trim()
      if (line === '' || line.startsWith('#')) return ok
      if (!editing.active) return operational(line)
      if (line.startsWith('run ')) return operational(line.slice(4))
      return filtered(line, (one, filters) => editing.run(one, filters))
    },
    refuse: (line) =>
      /^commit\b/.test(line)
        ? 'error: configuration check-out failed\n'
        : cli.complain(line, 0, editing.active ? 'syntax error.' : 'unknown command.'),
    control(key) {
      if (key === 'd' && editing.loading) return editing.endLoad()
      if (key === 'c') {
        asking = undefined
        return { text: '^C\n' }
      }
      return undefined
    },
    help: () =>
      asking !== undefined || editing.loading
        ? undefined
        : editing.active
          ? 'Possible completions:\n  commit               Commit current set of changes\n  delete               Delete a data element\n  exit                 Exit from this level\n  set                  Set a parameter\n  show                 Show a parameter\n'
          : 'Possible completions:\n  configure            Manipulate software configuration information\n  exit                 Exit the management session\n  set                  Set CLI properties\n  show                 Show system information\n',
    dropped() {
      state.terminals.delete(terminal.number)
      editing.drop()
    },
  }
}

function lastRow(prompt: string): string {
  return prompt.slice(prompt.lastIndexOf('\n') + 1)
}

/** Parts a line at the bars outside of quotes. */
function splitBars(line: string): string[] {
  return (line.match(/(?:"(?:[^"\\]|\\.)*"|[^|"])+/g) ?? ['']).map((part) => part.trim())
}

/** What one part behind a bar does: to the question, or to the text. */
function readFilter(bar: string): Partial<Filters> | ((text: string) => string) | undefined {
  return dispatch<Partial<Filters> | ((text: string) => string) | undefined>(bar, [
    [/^no-more$/, () => ({})],
    [/^display (set|json)$/, ([, display]) => ({ display: display === 'set' ? 'set' : 'json' })],
    [/^display (?:inheritance|detail)/, () => ({})],
    [/^compare(?: rollback (\d+))?$/, ([, number]) => ({ compare: Number(number ?? 0) })],
    [/^count$/, () => (text) => `Count: ${text.split('\n').length - 1} lines\n`],
    [
      /^(match|except) "?(.*?)"?$/,
      ([, word, text = '']) => {
        const pattern = typedPattern(text)
        if (pattern === undefined) return undefined
        // Patterns of `match` do not mind the case.
        const loose = new RegExp(pattern.source, 'i')
        return (all) => filterLines(all, (line) => loose.test(line) === (word === 'match'))
      },
    ],
  ])
}
