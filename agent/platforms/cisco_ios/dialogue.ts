// How IOS talks: opening, prompts, refusals, and what other processes print into a session.
// What the driver sends and reads back is elsewhere (render.ts, observe.ts).

import type { Answer, Line, OpenAction, OpenState, Prompts, Refusal, Seen } from '../../platform.ts'

const hostPattern = '[A-Za-z0-9][A-Za-z0-9_.-]{0,62}'
const execPrompt = new RegExp(`(?:^|\\n)(${hostPattern})([>#]) ?$`)
/** A prompt with a note behind the name, `R1(standby)#`: a box in which nothing may be changed. */
const markedPrompt = new RegExp(`(?:^|\\n)${hostPattern}(?:-stby|\\([a-z-]+\\))[>#] ?$`)
const strangePrompt = /(?:^|\n)(?:[^\s@]+@\S+[>#%$]|RP\/\d+\/\S+#|\[[^\]\n@]*@[^\]\n]+\][#$]) ?$/
const firstBoot = /initial configuration dialog\? \[yes\/no\]: ?$|Enter enable secret: ?$/

/** In configuration modes a long host name is cut; so many characters of it are always shown. */
const hostShownMin = 16

/** Anything that waits for an answer. Questions are whole lines of their own, so a blank or `!` in front of one is configuration that was read. */
export const question =
  /(?:^|\n)(?:Password: ?|[^\s!][^\n]*(?:\[confirm\]|\[yes\/no\]: ?|\[(?:no|yes)\]: ?|\]\? ?|\(y\/n\)\??:? ?))$/i

/** `R1#`, `R1>`, `R1(config-if)#`. The host name must be the one learnt at login, cut or not. */
export function prompt(seen: Seen): Prompts {
  return (text) => {
    const found = /(?:^|\n)([A-Za-z0-9][\w.-]{0,62})(?:\((config[\w-]*)\)#|([>#])) ?$/.exec(text)
    if (found === null) return undefined
    const [whole, host = '', mode, sign] = found
    const start = found.index + (whole.startsWith('\n') ? 1 : 0)
    if (mode !== undefined) {
      return isCutOf(host, seen.host) ? { context: mode, start } : undefined
    }
    if (host !== seen.host) return undefined
    return { context: sign === '#' ? 'exec' : 'user', start }
  }
}

function isCutOf(shown: string, host: string): boolean {
  return host.startsWith(shown) && shown.length >= Math.min(hostShownMin, host.length)
}

/** Opening: privileged mode, no paging, no line wrapping, no log lines; then what the box is and whether the account sees all of it. */
export function open(state: OpenState): OpenAction | undefined {
  const wrong = misfit(state.text)
  if (wrong !== undefined) return wrong
  const found = execPrompt.exec(state.text)
  if (state.stage === 'enable' || state.stage === 'secret') return privileged(state, found)
  if (found === null) return undefined
  if (state.stage === 'start') {
    return found[2] === '#'
      ? step('terminal length 0', 'length')
      : { do: 'send', text: 'enable', next: 'enable' }
  }
  // A banner's last line may look like a prompt: each later stage waits for the echo of what was sent.
  const sent = echoes[state.stage]
  if (sent === undefined || !state.text.includes(`${sent}\n`)) return undefined
  return stage(state, found[1] ?? '')
}

/** What is no IOS device at work. */
function misfit(text: string): OpenAction | undefined {
  if (firstBoot.test(text)) {
    return refuse('no_prompt', 'the device is factory-fresh and asks for its first configuration')
  }
  if (strangePrompt.test(text)) {
    return refuse('wrong_platform', `this is no IOS prompt: ${lastLine(text)}`)
  }
  if (markedPrompt.test(text) && !execPrompt.test(text)) {
    return refuse('no_prompt', `a standby or recovering device: ${lastLine(text)}`)
  }
  return undefined
}

const echoes: Readonly<Record<string, string>> = {
  length: 'terminal length 0',
  width: 'terminal width 511',
  monitor: 'terminal no monitor',
  privilege: 'show privilege',
  version: 'show version',
}

function step(text: string, next: string): OpenAction {
  return { do: 'send', text, next }
}

function refuse(
  code: Extract<OpenAction, { readonly do: 'refuse' }>['code'],
  reason: string,
): OpenAction {
  return { do: 'refuse', code, reason }
}

function stage(state: OpenState, host: string): OpenAction | undefined {
  switch (state.stage) {
    case 'length':
      return step('terminal width 511', 'width')
    case 'width':
      return step('terminal no monitor', 'monitor')
    case 'monitor':
      return step('show privilege', 'privilege')
    case 'privilege': {
      // Below 15 `show running-config` leaves out what the level may not configure: the read-back would lie.
      const level = /^Current privilege level is (\d+)/m.exec(state.text)?.[1]
      return level === undefined || level === '15'
        ? step('show version', 'version')
        : refuse('no_privilege', `the account has privilege level ${level}, 15 is needed`)
    }
    case 'version':
      return ready(state, host)
    default:
      return undefined
  }
}

function ready(state: OpenState, host: string): OpenAction {
  const other = /Cisco IOS XR Software|NX-OS|Arista|JUNOS|FRRouting/.exec(state.text)?.[0]
  if (other !== undefined) {
    return refuse('wrong_platform', `the device says that it runs ${other}`)
  }
  const version = /\bVersion ([0-9][^\s,]*)/.exec(state.text)?.[1]
  const facts = version === undefined ? {} : { facts: { ...state.facts, version } }
  return { do: 'ready', context: 'exec', host, ...facts }
}

const enableRefusals =
  /^% ?(?:Access denied|Bad secrets|Error in authentication|No password set)[^\n]*/m

function privileged(state: OpenState, found: RegExpExecArray | null): OpenAction | undefined {
  const refused = enableRefusals.exec(state.text)
  // Given up at once: another try may lock the account.
  if (refused !== null) return refuse('enable_refused', refused[0])
  if (found?.[2] === '#') return step('terminal length 0', 'length')
  if (/(?:^|\n)Password: ?$/i.test(state.text)) {
    return state.stage === 'enable'
      ? { do: 'enable', next: 'secret' }
      : refuse('enable_refused', 'the device asks for the secret again')
  }
  if (found?.[2] === '>' && (state.stage === 'secret' || state.text.includes('enable\n'))) {
    return refuse('enable_refused', 'the device stays in user mode')
  }
  return undefined
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1)
}

const stamp = String.raw`(?:\d{6,}: )?(?:[*.]?[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?)?\d{1,2}:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{2,5})?: `
const logText = `${stamp}%[A-Z0-9_]+-(?:[A-Z0-9_]+-)?[0-7]-[A-Z0-9_]+:[^\\n]*`
const promptText = `${hostPattern}(?:\\(config[\\w-]*\\)#|[>#]) ?`
/** A prompt with nothing typed behind it, then log lines: the line end belongs to the log. */
const logBehindPrompt = new RegExp(`((?:^|\\n)${promptText})(?:\\n*${logText}(?=\\n|$))+\\n?`, 'g')
const logLine = new RegExp(`(^|\\n)${logText}(?:\\n|$)`, 'g')
/** With all line ends before it: taken from the first of them on, or each would be tried as the first. */
const reloadBanner =
  /(?:(?<!\n)\n+|(?<=\*\*\*\n\n)\n+)?\*\*\*\n\*\*\* --- SHUTDOWN (?:in [\d:]+|ABORTED) ---\n\*\*\*\n\n?/g
const timestampHeader =
  /(^|\n)Load for five secs: [^\n]*\n(?:(?:Time source is|No time source,|\*?\d\d:\d\d:\d\d)[^\n]*(?:\n|$))?/g
const rollbackWarning =
  /Rollback Confirmed Change: Rollback will begin in one minute\.\nEnter "configure confirm" if you wish to keep what you've configured\n*/g
const startsWithPrompt = new RegExp(`^${promptText}`)

/** Takes out log lines, the banners of a pending reload, the warning of a rollback timer and the header of `exec prompt timestamp`. */
export function clean(text: string): string {
  if (!/%|\*\*\*|Load for|Rollback/.test(text)) return text
  return text
    .replace(reloadBanner, (banner, at: number) => {
      const rest = text.slice(at + banner.length)
      // In the middle of an echoed line the rest of the line follows; behind a whole one a new prompt.
      return startsWithPrompt.test(rest) ? '\n' : ''
    })
    .replace(rollbackWarning, '')
    .replace(timestampHeader, '$1')
    .replace(logBehindPrompt, '$1')
    .replace(logLine, '$1')
}

/** Whether the image doesn't know the line that was sent, or what it names. */
export function isUnknownLine(text: string): boolean {
  return /^% ?(?:Invalid input detected|Incomplete command|Ambiguous command)/m.test(text)
}

/** Words of the way into the configuration while somebody else has it to himself. */
export const lockWords =
  /^(?:Configuration mode locked exclusively by |Config session is locked by |Config mode cannot be entered)/m

/** Whether the caret of `% Invalid input detected` stands under the last word of the line or behind it: then that is what the device doesn't know, and not the command. */
export function pointsAtLastWord({ text, line }: Answer, host: string): boolean {
  const caret = /^( *)\^[ \t]*\n% ?Invalid input detected/m.exec(text)
  // The columns are those of the screen, on which the prompt stands before the line.
  const prompt = `${host}#`.length
  return caret !== null && (caret[1] ?? '').length >= prompt + line.text.lastIndexOf(' ') + 1
}

/** Words at the start of a line that refuse it, wherever in the answer. */
const refusals = [
  /^% ?Invalid input detected at '\^' marker\.?/m,
  /^% ?(?:Incomplete|Ambiguous) command/m,
  /^(?:Command authorization failed|% ?Authorization failed)/m,
  /^Command [Rr]ejected/m,
  /^%? ?Inconsistent address and mask/m,
  /^%? ?IPv6 routing not enabled/m,
  /^Exceeded maximum sequence number/m,
  /^BGP is already running; AS is /m,
  lockWords,
]

/** Lines with a `%` that refuse nothing. `%No matching route to delete` is judged by the read-back. */
const warnings =
  /^% ?(?:No matching route to delete|Duplicate (?:permit|deny) statement ignored|Default route without gateway|Warning: (?!Cannot))/

/** The device's no, or undefined. A read refuses nothing by itself: what is absent, or not known to an image, is for `parse` to say. */
export function failed(line: Line, answer: string): Refusal | undefined {
  if (/^(?:do )?show /.test(line.text)) return undefined
  if (line.text === 'write memory') return saveFailed(answer)
  for (const pattern of refusals) {
    const found = pattern.exec(answer)
    if (found !== null) return { message: lineAt(answer, found.index) }
  }
  const percent = answer
    .split('\n')
    .find((text) => /^\s{0,4}%/.test(text) && !warnings.test(text.trim()))
  return percent === undefined ? undefined : { message: percent.trim() }
}

function saveFailed(answer: string): Refusal | undefined {
  if (/\[OK\]/.test(answer)) return undefined
  const lines = answer.split('\n').filter((text) => /failed|too large|busy|^%|rror/.test(text))
  return { message: lines[0] ?? `no [OK]: ${answer}` }
}

function lineAt(text: string, index: number): string {
  const end = text.indexOf('\n', index)
  return text.slice(index, end < 0 ? undefined : end).trim()
}
