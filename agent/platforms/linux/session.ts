// How a shell on Linux becomes a session that can be read: one POSIX shell without editing, history or rc file, whose prompt carries a nonce and the exit status.

import type { Facts, Line, OpenAction, OpenState, Prompts, Refusal, Seen } from '../../platform.ts'

/** Opens the shell, silences its echo, and asks who and what we are. The login shell's own prompt is not read, only waited for. */
export function open(state: OpenState): OpenAction | undefined {
  switch (state.stage) {
    case 'start':
      return atShell(state)
    case 'shell':
      return ready(state) ? { do: 'send', text: 'stty -echo', next: 'quiet' } : undefined
    case 'quiet':
      return ready(state) ? { do: 'send', text: questions, next: 'facts' } : undefined
    default:
      return ready(state) ? answered(state) : undefined
  }
}

const questions = 'id -u; uname -s; ip -V; nft --version'

function atShell({ text, nonce }: OpenState): OpenAction | undefined {
  if (!/[#$>%] ?$/.test(text)) return undefined
  if (/^Hello, this is FRRouting /m.test(text)) {
    return { do: 'refuse', code: 'wrong_platform', reason: 'this is vtysh of FRRouting, no shell' }
  }
  // NR_CLIENT: where our own session comes from, so that its port is never taken down.
  const environment =
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TERM=dumb HOME=/ NR_CLIENT="${SSH_CONNECTION%% *}"'
  return {
    do: 'send',
    text: `exec env -i ${environment} PS1='nr-${nonce}:$?> ' PS2='' sh`,
    next: 'shell',
  }
}

function ready({ nonce, text }: OpenState): boolean {
  return promptOf(nonce)(text) !== undefined
}

function answered({ text }: OpenState): OpenAction {
  const user = /^(\d+)$/m.exec(text)?.[1]
  if (user === undefined || !/^Linux$/m.test(text)) {
    return {
      do: 'refuse',
      code: 'wrong_platform',
      reason: 'the host does not say that it is Linux',
    }
  }
  // BusyBox has an `ip` without JSON.
  const iproute2 = /^ip utility, iproute2-([^,\s]+)/m.exec(text)?.[1]
  if (iproute2 === undefined) {
    return { do: 'refuse', code: 'wrong_platform', reason: '`ip -V` does not say iproute2' }
  }
  const facts: Facts = {
    root: user === '0' ? 'yes' : 'no',
    version: `iproute2 ${iproute2}`,
    nft: /^nftables v(\S+)/m.exec(text)?.[1] ?? 'none',
  }
  return { do: 'ready', context: 'shell', facts }
}

/**
 * Runs a command as root, or fails: `-n` never asks for a password. By `setsid` it has no terminal, since with `use_pty` (Debian's default) sudo would
 * take the lines that wait behind it for its command's input, and they would be lost.
 */
export const sudo = 'setsid -w sudo -n'

/** Whether the account is root. Before the device was read, its name in the inventory says it. */
export function isRoot(facts: Facts): boolean {
  const { root, username = 'root' } = facts
  return root === undefined ? username === 'root' : root === 'yes'
}

/** A command as this account runs it with root's rights. */
export function runner(facts: Facts): (command: string) => string {
  return isRoot(facts) ? (command) => command : (command) => `${sudo} ${command}`
}

/** `nr-7f3a:2> `: wherever it stands, since output without a line end is followed by it directly. */
export function prompt(seen: Seen): Prompts {
  return promptOf(seen.nonce)
}

function promptOf(nonce: string): Prompts {
  const pattern = new RegExp(`nr-${nonce}:(\\d+)> $`)
  return (text) => {
    const match = pattern.exec(text)
    return match === null
      ? undefined
      : { context: 'shell', status: Number(match[1]), start: match.index }
  }
}

/** Without what others write to every terminal of the host (rsyslog's emergencies, `wall`), and sudo's complaint about a name server, which stands before what the command printed. */
export function clean(text: string): string {
  return text
    .replaceAll(/\nMessage from syslogd@\S+ at [^\n]*\.\.\.\n [^\n]*\n/g, '')
    .replaceAll(/\nBroadcast message from [^\n]*:\n\n[^\n]*\n\n/g, '')
    .replaceAll(/^sudo: unable to resolve host [^\n]*\n/gm, '')
}

/** The exit status decides. What was there (or gone) already is no refusal: the read-back has the last word. */
export function failed(
  line: Line,
  answer: string,
  status: number | undefined,
): Refusal | undefined {
  if (status === 0) return undefined
  const text = answer.trim()
  const isThere = / route (?:prepend|add) blackhole /.test(line.text) && text === exists
  const isGone =
    (/ route del blackhole /.test(line.text) && text === noSuchRoute) ||
    (/ delete element [^;]*$/.test(line.text) && text.startsWith(noSuchElement))
  if (isThere || isGone) return undefined
  return { message: text === '' ? `exit status ${status ?? 'unknown'}` : text }
}

const exists = 'RTNETLINK answers: File exists'
const noSuchRoute = 'RTNETLINK answers: No such process'
const noSuchElement = 'Error: element does not exist'
