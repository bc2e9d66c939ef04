// One vty of an IOS device: modes, questions, output filters, and the lines of exec.

import { expand, filterLines, typedPattern } from '../blocks.ts'
import { dispatch } from '../dispatch.ts'
import type { ModelSession, Result, SessionTerminal } from '../model.ts'
import { copyConfig } from './config.ts'
import { globalLine, type LineResult, type Mode, subLine } from './lines.ts'
import { show } from './show.ts'
import type { IosState } from './state.ts'

const ok: Result = { text: '' }

const commands = [
  'configure terminal',
  'show running-config',
  'show running-config interface',
  'show startup-config',
  'show version',
  'show ip route',
  'show ip interface',
  'show ip access-lists',
  'show ip bgp',
  'show ipv6 route',
  'show interfaces',
  'show interfaces status',
  'show interfaces description',
  'show ip interface brief',
  'write memory',
  'terminal length',
  'terminal width',
  'enable',
  'disable',
  'exit',
  'end',
  'copy running-config startup-config',
]

/** A name that no server knows takes its time. */
const lookupMs = 3000

/** Configuration prompts cut a long host name. */
const promptHostMax = 20

/** A question that the next line answers. */
type Asking = (answer: string) => Result

/** Opens a session on this device. */
export function openIos(state: IosState, terminal: SessionTerminal): ModelSession {
  let mode: Mode = { name: state.spec.enablePassword === undefined ? 'exec' : 'user' }
  let length = terminal.rows
  let asking: { readonly text: string; readonly secret: boolean; readonly take: Asking } | undefined
  let tries = 0
  state.terminals.set(terminal.number, (text) => terminal.interrupt(text))

  const prompt = (): string => {
    if (asking !== undefined) return asking.text
    const host = state.config.hostname
    if (mode.name === 'user') return `${host}>`
    return mode.name === 'exec' ? `${host}#` : `${host.slice(0, promptHostMax)}(${mode.name})#`
  }

  /** The caret under the word that was not understood. */
  function invalid(line: string, word: number): string {
    const before = line.trim().split(/\s+/).slice(0, word).join(' ')
    const at = prompt().length + (before === '' ? 0 : before.length + 1)
    return `${' '.repeat(at)}^\n% Invalid input detected at '^' marker.\n\n`
  }

  function changed(): void {
    state.lastChange = { at: state.settings.clock.now(), by: terminal.username }
    state.listener()
  }

  function leave(): Result {
    mode = { name: 'exec' }
    return ok
  }

  function leaveOne(): Result {
    if (mode.name === 'config') return leave()
    mode =
      mode.name === 'config-router-af'
        ? { name: 'config-router', block: mode.router }
        : { name: 'config' }
    return ok
  }

  function configure(line: string): Result {
    if (line === 'end') return leave()
    if (line === 'exit') return leaveOne()
    if (line === 'exit-address-family' && mode.name === 'config-router-af') return leaveOne()
    if (line.startsWith('do ')) return piped(line.slice(3), exec)
    const own = subLine(state, mode, line)
    if (own !== undefined && !('invalid' in own)) return settle(own, mode, line)
    // What a sub-mode does not know is tried in global configuration, and the mode follows.
    const global = globalLine(state, line)
    const result = global === undefined || 'invalid' in global ? (own ?? global) : global
    return settle(result, { name: 'config' }, line)
  }

  function settle(result: LineResult | undefined, at: Mode, line: string): Result {
    if (result === undefined) return { text: invalid(line, line.startsWith('no ') ? 1 : 0) }
    if ('invalid' in result) return { text: invalid(line, result.invalid) }
    if ('enter' in result) {
      mode = result.enter
      changed()
      return ok
    }
    if (result.print === '') {
      mode = at
      changed()
    }
    return { text: result.print }
  }

  function exec(typed: string): Result {
    const line = expand(typed, commands)
    const unprivileged = dispatch<Result>(line, [
      [/^(?:exit|logout|quit)$/, () => ({ text: '', close: true })],
      [/^enable$/, enable],
      [
        /^disable$/,
        () => {
          mode = { name: 'user' }
          return ok
        },
      ],
      [/^(?:no )?terminal\b/, () => terminalLine(line)],
      [/^show\b/, () => showLine(line)],
    ])
    if (unprivileged !== undefined) return unprivileged
    const unknown: Result = { text: unknownExec(line), ...lookup(line) }
    if (mode.name === 'user') return unknown
    const privileged = dispatch<Result>(line, [
      [/^configure\b/, () => enterConfig(line, typed)],
      [/^write(?: memory)?$/, save],
      [
        /^copy running-config startup-config$/,
        () => ask('Destination filename [startup-config]? ', false, save),
      ],
    ])
    return privileged ?? unknown
  }

  function showLine(line: string): Result {
    if (mode.name === 'user' && /^show (?:running|startup|archive|configuration)/.test(line)) {
      return { text: invalid(line, 1) }
    }
    const shown = show(state, line)
    if (shown === undefined) return { text: invalid(line, Math.min(1, line.split(' ').length - 1)) }
    return { text: typeof shown === 'string' ? shown : invalid(line, shown.invalid) }
  }

  /** A lone word is taken for a host to connect to, and looked up. */
  function unknownExec(line: string): string {
    if (!/^[\w.-]+$/.test(line)) return invalid(line, 0)
    return `Translating "${line}"...domain server (255.255.255.255)\n% Unknown command or computer name, or unable to find computer address\n`
  }

  function lookup(line: string): { delayMs?: number } {
    return /^[\w.-]+$/.test(line) ? { delayMs: lookupMs } : {}
  }

  function terminalLine(line: string): Result {
    const pages = /^terminal length (\d{1,3})$/.exec(line)?.[1]
    if (pages !== undefined) {
      length = Number(pages)
      return ok
    }
    const known =
      /^(?:no )?terminal (?:width \d{1,3}|(?:no )?monitor|exec prompt timestamp|history.*)$/
    return known.test(line) ? ok : { text: invalid(line, 1) }
  }

  function ask(text: string, secret: boolean, take: Asking): Result {
    asking = { text, secret, take }
    return ok
  }

  function enable(): Result {
    if (mode.name === 'exec') return ok
    tries = 0
    const take: Asking = (answer) => {
      if (answer === (state.spec.enablePassword ?? answer)) {
        mode = { name: 'exec' }
        return ok
      }
      tries += 1
      return tries < 3 ? ask('Password: ', true, take) : { text: '% Bad secrets\n\n' }
    }
    return ask('Password: ', true, take)
  }

  function enterConfig(line: string, typed: string): Result {
    if (/^configure (?:confirm|revert)\b/.test(line)) return revertLine(line)
    const timer = /^configure terminal revert timer (\d+)$/.exec(line)
    if (line !== 'configure terminal' && line !== 'configure terminal lock' && timer === null) {
      return { text: invalid(typed, 1) }
    }
    if (state.lockedBy !== undefined) {
      return {
        text: `Configuration mode locked exclusively by user '${state.lockedBy}' process '13' from terminal '0'. Please try later.\n`,
      }
    }
    let head = ''
    if (timer !== null) {
      const armed = arm(Number(timer[1]))
      if (!armed.ok) return { text: armed.text }
      head = armed.text
    }
    mode = { name: 'config' }
    return { text: `${head}Enter configuration commands, one per line.  End with CNTL/Z.\n` }
  }

  function arm(minutes: number): { readonly ok: boolean; readonly text: string } {
    const archive = state.config.head.find(({ text }) => text === 'archive')
    const path = archive?.children.find(({ text }) => text.startsWith('path '))?.text.slice(5)
    if (path === undefined) {
      return { ok: false, text: '%Turn config archive on before using Rollback Confirmed Change\n' }
    }
    if (minutes < 1 || minutes > 120) return { ok: false, text: invalid('configure', 1) }
    state.revert?.cancel()
    const { clock, minuteMs } = state.settings
    state.revert = {
      user: terminal.username,
      at: clock.now(),
      minutes,
      config: copyConfig(state.config),
      cancel: clock.after(minutes * minuteMs, () => rollBack(state)),
    }
    return {
      ok: true,
      text: `Rollback Confirmed Change: Backing up current running config to ${path}-0\n\n`,
    }
  }

  function revertLine(line: string): Result {
    const { revert } = state
    if (revert === undefined) return { text: '%No Rollback Confirmed Change pending\n' }
    if (revert.user !== terminal.username) {
      return {
        text: `%User ${terminal.username} is not allowed to change the pending rollback of ${revert.user}\n`,
      }
    }
    if (line === 'configure confirm') {
      revert.cancel()
      state.revert = undefined
      return ok
    }
    if (line === 'configure revert now') {
      rollBack(state)
      return ok
    }
    const timer = /^configure revert timer (\d+)$/.exec(line)
    if (timer === null) return { text: invalid(line, 2) }
    const { config } = revert
    const armed = arm(Number(timer[1]))
    if (state.revert !== undefined) state.revert = { ...state.revert, config }
    return { text: armed.ok ? '' : armed.text }
  }

  function save(): Result {
    if (state.saveRefusal !== undefined) {
      return {
        text: `${state.saveRefusal || 'startup-config file open failed (Device or resource busy)'}\n`,
      }
    }
    state.saved = copyConfig(state.config)
    return { text: 'Building configuration...\n[OK]\n' }
  }

  function piped(line: string, run: (line: string) => Result): Result {
    const bar = line.indexOf('|')
    if (bar < 0) return run(line)
    const filter = /^(\S+) (.*)$/.exec(line.slice(bar + 1).trim())
    const pattern = typedPattern(filter?.[2] ?? '')
    const kind = ['include', 'exclude', 'section', 'begin'].find((one) =>
      one.startsWith(filter?.[1] ?? '-'),
    )
    if (kind === undefined || pattern === undefined)
      return { text: invalid(line, line.slice(0, bar).trim().split(' ').length + 1) }
    const result = run(line.slice(0, bar).trim())
    return { ...result, text: filtered(result.text, kind, pattern) }
  }

  return {
    greeting: '\n',
    prompt,
    mode: () => mode.name,
    echo: () => (asking?.secret === true ? 'secret' : 'ios'),
    pageLines: () => (length === 0 ? 0 : length),
    run(typed) {
      if (asking !== undefined) {
        const { take } = asking
        asking = undefined
        return take(typed)
      }
      const line = typed.trim().replaceAll(/ +/g, ' ')
      if (line === '' || line.startsWith('!')) return ok
      const inExec = mode.name === 'exec' || mode.name === 'user'
      return inExec ? piped(line, exec) : configure(line)
    },
    refuse: (line) => invalid(line, 0),
    control(key) {
      if (key === 'd') return undefined
      asking = undefined
      if (mode.name !== 'exec' && mode.name !== 'user') mode = { name: 'exec' }
      return { text: key === 'z' ? '^Z\n' : '\n' }
    },
    help: () =>
      asking !== undefined
        ? undefined
        : mode.name === 'exec' || mode.name === 'user'
          ? 'Exec commands:\n  configure   Enter configuration mode\n  enable      Turn on privileged commands\n  exit        Exit from the EXEC\n  show        Show running system information\n  terminal    Set terminal line parameters\n  write       Write running configuration to memory\n\n'
          : 'Configure commands:\n  <cr>\n\n',
    dropped() {
      state.terminals.delete(terminal.number)
    },
  }
}

function filtered(text: string, kind: string, pattern: RegExp): string {
  switch (kind) {
    case 'include':
      return filterLines(text, (line) => pattern.test(line))
    case 'exclude':
      return filterLines(text, (line) => !pattern.test(line))
    case 'begin': {
      let begun = false
      return filterLines(text, (line) => {
        begun ||= pattern.test(line)
        return begun
      })
    }
    default: {
      // A section is a line that fits and all that is indented under it.
      let depth = -1
      return filterLines(text, (line) => {
        const indent = line.length - line.trimStart().length
        if (depth >= 0 && indent > depth) return true
        depth = pattern.test(line) ? indent : -1
        return depth >= 0
      })
    }
  }
}

/** The timer ran out: the whole configuration is what it was when it was armed. */
export function rollBack(state: IosState): void {
  const { revert } = state
  if (revert === undefined) return
  revert.cancel()
  state.revert = undefined
  state.config = revert.config
  state.lastChange = { at: state.settings.clock.now(), by: revert.user }
  state.listener()
  for (const write of state.terminals.values()) {
    write(
      'Rollback Confirmed Change: rolling to:bootflash:archive-0\n\n!Pass 1\n!List of Rollback Commands:\nend\n\nTotal number of passes: 1\nRollback Done\n',
    )
  }
}
