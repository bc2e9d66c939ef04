// How a session with vtysh opens, what its prompts look like, and how it says no.

import type { Line, OpenAction, OpenState, Prompts, Refusal, Seen } from '../../platform.ts'

const noPager = 'no terminal paginate'

/** With the pager on, the line after a long answer becomes its keys: so `no terminal paginate` goes first. There is no privileged mode: access is by Unix group. */
export function open(state: OpenState): OpenAction | undefined {
  switch (state.stage) {
    case 'start':
    case 'vtysh':
      return greeted(state)
    case 'paginate':
      return ended(state, { do: 'send', text: 'terminal length 0', next: 'length' })
    default:
      return ended(state, { do: 'ready', context: 'exec' })
  }
}

function greeted({ stage, text }: OpenState): OpenAction | undefined {
  if (text.includes('Exiting: failed to connect to any daemons')) {
    return {
      do: 'refuse',
      code: 'no_privilege',
      reason: 'vtysh found no daemon that lets the account in (is it in group frrvty?)',
    }
  }
  const version = /^Hello, this is FRRouting \(version ([^)\s]+)\)/m.exec(text)?.[1]
  if (version === undefined && stage === 'start' && /(?:^|\n)\S[^\s@]*@\S[^\n]*[$#] $/.test(text)) {
    return { do: 'send', text: 'exec vtysh', next: 'vtysh' }
  }
  const host = /(?:^|\n)([\w.-]+)# $/.exec(text)?.[1]
  if (host === undefined) return undefined
  if (version === undefined) {
    return {
      do: 'refuse',
      code: 'wrong_platform',
      reason: 'there is a prompt, but no greeting of FRRouting before it',
    }
  }
  // Without group frr vtysh can't read its own file: all works, but the prompt has the machine's name and nothing can be saved.
  const limited = /^% Can't open configuration file /m.test(text)
  return {
    do: 'send',
    text: noPager,
    next: 'paginate',
    host,
    facts: { version, files: limited ? 'unreadable' : 'readable' },
  }
}

function ended(state: OpenState, next: OpenAction): OpenAction | undefined {
  const prompt = promptOf(state.host)(state.text)
  if (prompt === undefined) return undefined
  const refused = /^% .*$/m.exec(state.text)
  if (refused === null) return next
  return {
    do: 'refuse',
    code: 'wrong_platform',
    reason: `paging could not be switched off: ${refused[0]}`,
  }
}

/** `edge# `, `edge(config-router)# `: at the start of a line. Nothing else in vtysh says where we are. */
export function prompt(seen: Seen): Prompts {
  return promptOf(seen.host)
}

function promptOf(host: string): Prompts {
  const name = host.replaceAll('.', '\\.')
  const atLineStart = new RegExp(`(?:^|\\n)(${name}(?:\\((config[\\w-]*)\\))?# )$`)
  // After a batch that was thrown away the prompt follows the last route of its list without a line end.
  const glued = new RegExp(
    `\\n- (?:no )?(?:ip|ipv6) route [^\\n]*?(${name}\\((config[\\w-]*)\\)# )$`,
  )
  return (text) => {
    const match = atLineStart.exec(text) ?? glued.exec(text)
    if (match?.[1] === undefined) return undefined
    return { context: match[2] ?? 'exec', start: text.length - match[1].length }
  }
}

/** A line that changes something is answered by silence; any word is a no, since some refusals carry no `%`. */
export function failed(line: Line, answer: string): Refusal | undefined {
  const text = answer.trim()
  if (/^(?:do )?show |^write memory$/.test(line.text)) {
    const refused = /^(?:% .*|Error renaming .*)$/m.exec(text)
    return refused === null ? undefined : { message: refused[0] }
  }
  if (text === '') return undefined
  // Gone already: what the line was for. The read-back has the last word.
  if (line.text.startsWith('no ') && text === '% Refusing to remove a non-existent route')
    return undefined
  return { message: text }
}
