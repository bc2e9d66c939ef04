// One log-in to a Linux host: bash with its escape sequences first, and whatever shell is started from there.

import type { ModelSession, Result, SessionTerminal } from '../model.ts'
import { loginTime } from '../times.ts'
import { parseShell } from './parse.ts'
import { type Outcome, parameter, runShell, type Shell } from './shell.ts'
import type { LinuxState } from './state.ts'

/** What the terminal takes of one line; the rest is cut off without a word. */
const lineBytesMax = 4094

/** Opens a session on this host. */
export function openLinux(state: LinuxState, terminal: SessionTerminal): ModelSession {
  const root = state.spec.privilege === 'root'
  const bash: Shell = {
    kind: 'bash',
    variables: new Map([
      ['HOME', root ? '/root' : `/home/${terminal.username}`],
      ['SSH_CONNECTION', `${terminal.from} 50022 192.0.2.1 22`],
    ]),
    status: 0,
    line: 0,
    root,
    user: terminal.username,
  }
  const shells: Shell[] = [bash]
  let echo = true
  let typed: string[] = []
  /** What ends the here-document that is being typed: until then nothing needs to be understood. */
  let delimiter: string | undefined
  /** Tries at a password that sudo asks for. */
  let tries = 0

  const current = (): Shell => shells.at(-1) ?? bash

  function prompt(): string {
    if (tries > 0) return `[sudo] password for ${terminal.username}: `
    const shell = current()
    if (shell.kind === 'bash') {
      if (typed.length > 0) return '> '
      const name = root ? 'root' : terminal.username
      return `\x1b[?2004h${name}@${state.hostname}:~${root ? '#' : '$'} `
    }
    const text =
      typed.length === 0
        ? (shell.variables.get('PS1') ?? (root ? '# ' : '$ '))
        : (shell.variables.get('PS2') ?? '> ')
    return text.replaceAll(/\$(\w+|\?)/g, (_, name: string) => parameter(shell, name))
  }

  /** Takes a line; answers the whole command once it is complete. */
  function complete(line: string): string | undefined {
    typed.push(line)
    if (delimiter !== undefined && line !== delimiter) return undefined
    const whole = typed.join('\n')
    if (parseShell(whole).kind === 'more') {
      delimiter = /<<-?\s*['"]?(\w+)['"]?/.exec(whole)?.[1]
      return undefined
    }
    typed = []
    delimiter = undefined
    return whole
  }

  function run(text: string): Result {
    if (tries > 0) return password()
    const shell = current()
    // bash ends bracketed paste before it runs anything; a terminal in line mode cuts long lines.
    const before = shell.kind === 'bash' ? '\x1b[?2004l\r' : ''
    const line =
      shell.kind === 'bash' ? text : Buffer.from(text).subarray(0, lineBytesMax).toString()
    const whole = complete(line)
    if (whole === undefined || whole.trim() === '') return { text: before }
    const outcome = runShell(state, shell, whole)
    echo = outcome.echo ?? echo
    if (outcome.password === true) tries = 1
    if (outcome.shell !== undefined) begin(outcome.shell)
    const result = { text: before + outcome.text }
    return outcome.exit === true ? leave(result) : result
  }

  function begin({ replaces, variables }: NonNullable<Outcome['shell']>): void {
    if (replaces) shells.pop()
    shells.push({
      kind: 'sh',
      variables: new Map(variables),
      status: 0,
      line: 0,
      root,
      user: terminal.username,
    })
  }

  function leave({ text }: Result): Result {
    const bye = current().kind === 'bash' ? 'logout\n' : ''
    if (shells.length === 1) return { text: text + bye, close: true }
    shells.pop()
    return { text: text + bye }
  }

  function password(): Result {
    tries += 1
    if (tries <= 3) return { text: '\nSorry, try again.\n' }
    tries = 0
    current().status = 1
    return { text: '\nsudo: 3 incorrect password attempts\n' }
  }

  return {
    greeting: `Last login: ${loginTime(state.settings.clock.now())} from ${terminal.from}\n`,
    prompt,
    mode: () => current().kind,
    echo() {
      if (tries > 0) return 'secret'
      if (current().kind === 'bash') return 'readline'
      return echo ? 'tty' : 'none'
    },
    pageLines: () => 0,
    run,
    refuse(line) {
      if (delimiter !== undefined && line !== delimiter) {
        // The shell only reads it here; the command says no to it.
        state.refusals.add(line)
        complete(line)
        return ''
      }
      current().status = 2
      return /\bnft\b/.test(line)
        ? `Error: Could not process rule: Operation not permitted\n${line}\n^\n`
        : 'RTNETLINK answers: Operation not permitted\n'
    },
    control(key) {
      if (key === 'z') return undefined
      typed = []
      delimiter = undefined
      const asked = tries > 0
      tries = 0
      if (key === 'c') {
        current().status = asked ? 1 : 130
        return { text: echo ? '^C\n' : '\n' }
      }
      return run('exit')
    },
    help: () => undefined,
    dropped() {},
  }
}
