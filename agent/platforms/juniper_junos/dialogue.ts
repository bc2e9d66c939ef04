// How Junos talks: opening, prompts of one to three lines, refusals, broadcasts of other processes.

import type { Line, OpenAction, OpenState, Prompts, Refusal, Seen } from '../../platform.ts'

/** Where sessions rest: `user@host>`. */
export const operational = 'operational'

/** At the top of the candidate: `[edit]` above `user@host#`. */
export const candidate = 'configuration'

/** Below the top, where a full path would land elsewhere. Nothing of ours leads there. */
const below = 'configuration-below'

const operPrompt = /(?:^|\n)([\w.-]{1,63}@[\w.\-/:]{1,63})> $/
const shellPrompt = /(?:^|\n)(?:[^\s@]+@[^\n]*[%$#]|[%$]) ?$/
const strangePrompt = /(?:^|\n)(?:[A-Za-z0-9][\w.-]*(?:\([\w-]+\))?[>#]|RP\/\d+\/\S+#) ?$/

/** Only with `yes` or `no` behind brackets: the CLI asks nothing else in what we send. */
export const question = /(?:^|\n)[^\n]*\[yes,no\] ?(?:\(\w+\) ?)?$/

/** The last line is the prompt; the lines of routing engine and level belong to it. The trailing blank is waited for, or it would stand before the next echo. */
export function prompt(seen: Seen): Prompts {
  const name = seen.host.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const member = '(?:\\{[a-z]+(?::\\w+)?\\})'
  const pattern = new RegExp(
    `(?:^|\\n)(?:${member}?\\[edit([^\\]\\n]*)\\]\\n|${member}\\n)?${name}([>#]) $`,
  )
  return (text) => {
    const found = pattern.exec(text)
    if (found === null) return undefined
    const [whole, level, sign] = found
    const start = found.index + (whole.startsWith('\n') ? 1 : 0)
    if (sign === '>') return level === undefined ? { context: operational, start } : undefined
    if (level === undefined) {
      // A line that the CLI draws anew holds the prompt again. Only the line kept from the last prompt stands without its level.
      return found.index === 0 && !whole.startsWith('\n')
        ? { context: candidate, start }
        : undefined
    }
    return { context: level === '' ? candidate : below, start }
  }
}

/** Opening: out of the shell, no completion while typing, no paging, no line wrapping; then the release. */
export function open(state: OpenState): OpenAction | undefined {
  const found = operPrompt.exec(state.text)
  if (state.stage === 'start' || state.stage === 'shell') return landing(state, found)
  const sent = sentAt[state.stage]
  if (found === null || sent === undefined) return undefined
  // Echoed with a blank behind it. What the login prints may look like a prompt, so the echo is waited for.
  if (!new RegExp(`${sent.replace('|', '\\|')} *\\n`).test(state.text)) return undefined
  return stage(state, found[1] ?? '')
}

const sentAt: Readonly<Record<string, string>> = {
  completion: 'set cli complete-on-space off',
  length: 'set cli screen-length 0',
  width: 'set cli screen-width 511',
  timestamp: 'set cli timestamp disable',
  version: 'show version | no-more',
}

function landing(state: OpenState, found: RegExpExecArray | null): OpenAction | undefined {
  if (found !== null) {
    return { do: 'send', text: 'set cli complete-on-space off', next: 'completion' }
  }
  if (strangePrompt.test(state.text)) {
    const reason = `this is no Junos prompt: ${state.text.split('\n').at(-1) ?? ''}`
    return { do: 'refuse', code: 'wrong_platform', reason }
  }
  if (state.stage === 'start' && shellPrompt.test(state.text)) {
    return { do: 'send', text: 'cli', next: 'shell' }
  }
  if (/cli: (?:command )?not found/.test(state.text)) {
    return { do: 'refuse', code: 'wrong_platform', reason: 'the shell knows no `cli`' }
  }
  return undefined
}

function stage(state: OpenState, host: string): OpenAction | undefined {
  const next = Object.keys(sentAt)
  const at = next.indexOf(state.stage)
  const following = next[at + 1]
  if (following !== undefined) {
    return { do: 'send', text: sentAt[following] ?? '', next: following }
  }
  const version = versionIn(state.text)
  if (version === undefined && /Cisco|Arista|FRRouting/.test(state.text)) {
    return { do: 'refuse', code: 'wrong_platform', reason: 'the device does not run Junos' }
  }
  const facts = version === undefined ? {} : { facts: { ...state.facts, version } }
  return { do: 'ready', context: operational, host, ...facts }
}

/** The release out of `show version`: `Junos: 21.4R3-S3.4`, or of old releases `JUNOS … [13.2X51-D35.3]`. Members of a chassis say it each: the first counts. */
export function versionIn(text: string): string | undefined {
  return /^Junos: ?(\d[^\s\]]*)/m.exec(text)?.[1] ?? /^JUNOS .*\[(\d[^\][\n]*)\]/m.exec(text)?.[1]
}

const hint = /^# commit confirmed will be rolled back in \d+ minutes?\n/gm
const broadcastText = String.raw`Broadcast Message from [^\n]*(?:\n(?=[^\n]*\(no tty\))[^\n]*)?\n+(?:Commit was not confirmed; automatic rollback complete\.\n*)?`
const broadcast = new RegExp(`(^|\\n)${broadcastText}`, 'g')
/** A prompt with nothing typed behind it, then what is told to all: what is typed next stands behind that. */
const broadcastBehindPrompt = new RegExp(
  String.raw`((?:^|\n)[\w.-]+@[\w.\-/:]+[>#] )\n*${broadcastText}`,
  'g',
)

const logText = String.raw`Message from syslogd@[^\n]* \.\.\.\n[^\n]*`
/** A prompt with nothing typed behind it, then log lines: the line end in front belongs to the log. */
const logBehindPrompt = new RegExp(
  String.raw`((?:^|\n)[\w.-]+@[\w.\-/:]+[>#] )(?:\n+${logText}(?=\n|$))+\n?`,
  'g',
)
const logLine = new RegExp(String.raw`(^|\n)\n?${logText}(?:\n|$)`, 'g')

/** Takes out the line about a pending commit, which stands before prompts of anybody, and what is broadcast or logged to all sessions. */
export function clean(text: string): string {
  if (!/# commit confirmed will|Broadcast Message|Message from syslogd@/.test(text)) return text
  return text
    .replace(hint, '')
    .replace(broadcastBehindPrompt, '$1')
    .replace(broadcast, '$1')
    .replace(logBehindPrompt, '$1')
    .replace(logLine, '$1')
}

/** What an edit may answer without being refused. */
const editWarnings = /^(?:warning: statement not found|\s*)$/

/** The device's no, or undefined. At rest all lines are reads, and what is absent is for `parse` to say. */
export function failed(line: Line, answer: string): Refusal | undefined {
  if (line.needs === operational && line.opens === undefined) return undefined
  const lines = answer.split('\n')
  const error = lines.find((text) =>
    /^(?:\s*error: |syntax error|unknown command|missing argument)/.test(text),
  )
  if (error !== undefined) return { message: withDetail(lines, error) }
  if (/^(?:set|delete|activate|deactivate) /.test(line.text)) {
    const strange = lines.find((text) => !editWarnings.test(text))
    return strange === undefined ? undefined : { message: answer.trim() }
  }
  return undefined
}

/** Characters of a refusal that are kept. */
const messageMax = 500

/** An error of the check stands below what it is about. */
function withDetail(lines: readonly string[], error: string): string {
  const above = lines
    .slice(0, lines.indexOf(error))
    .map((text) => text.trim())
    .filter((text) => text !== '' && text !== '^')
  return [error.trim(), ...above].join('; ').slice(0, messageMax)
}
