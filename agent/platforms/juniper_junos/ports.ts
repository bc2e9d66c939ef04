// Ports of Junos: what is configured, and what state an interface shows.

import { type Intent, keyOf } from '../../intents.ts'
import { type Answer, type Facts, type Found, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { operational } from './dialogue.ts'
import { mark, portPath } from './objects.ts'
import { addressReads, carriedStop, noteOf } from './own-session.ts'
import { inactiveStop, readStatements, type Statement } from './statements.ts'

type Port = Extract<Intent, { readonly kind: 'port' }>

function read(what: string, text: string): Read {
  return { what, line: free(`${text} | no-more`, operational) }
}

/** The interface of our own session, the configured lines, and the state. */
export function portReads(intent: Port, facts: Facts): readonly Read[] {
  const { port } = intent
  const name = port.replace(/\.\d+$/, '')
  return [
    ...addressReads(facts),
    read(`config ${port}`, `show configuration interfaces ${name} | display set`),
    read(`state ${port}`, `show interfaces ${port}`),
  ]
}

/** What `show interfaces` says in its first lines. A port that isn't there would be configured without a word: so it is asked first. */
export function portState(answer: Answer, intent: Port): 'on' | 'off' | 'missing' {
  const { text } = answer
  if (/^error: .*not found/m.test(text)) return 'missing'
  const [, name, state] = /^Physical interface: ([^,\s]+), ([^,\n]+)/m.exec(text) ?? []
  if (name === intent.port) {
    if (state === 'Administratively down') return 'off'
    if (state === 'Enabled') return 'on'
    throw unknownOutput(answer, '`Enabled` or `Administratively down`')
  }
  const [, logical, flags = ''] =
    /^[ \t]*Logical interface (\S+)(?!\S).*\n[ \t]*(?:Description:.*\n[ \t]*)?Flags: (.*)/m.exec(
      text,
    ) ?? []
  if (logical === intent.port) {
    const words = flags.split(/\s+/)
    if (words.includes('Down')) return 'off'
    // What is down with the port or the device beneath it comes up with that: nobody holds it down.
    if (words.some((word) => /^(?:Up|(?:Device|Hardware)-Down)$/.test(word))) return 'on'
  }
  throw unknownOutput(
    answer,
    '`Physical interface: …`, `Logical interface …` or `error: … not found`',
  )
}

/** What stands for a port intent. `inactive`: all deactivated places of the configuration. */
export function foundPort(
  intent: Port,
  {
    answers,
    facts,
    inactive,
  }: {
    readonly answers: ReadonlyMap<string, Answer>
    readonly facts: Facts
    readonly inactive: readonly Statement[]
  },
): Found {
  const path = portPath(intent)
  const { set } = readStatements(answerTo(answers, `config ${intent.port}`))
  const own = { name: intent.port, set }
  const object = [`${path} disable`, `${path} ${mark}`].filter((one) => set.includes(one))
  const off = object.includes(`${path} disable`)
  const state = portState(answerTo(answers, `state ${intent.port}`), intent)
  const idle = inactiveStop([`${path} disable`], inactive)
  const standing = state === 'missing' ? missing(intent) : idle
  // What is off carries nothing.
  const carried = state === 'on' ? [carriedStop(own, answers, facts)] : []
  const [stop] = [standing, ...carried].filter((one) => one !== undefined)
  // Switched off by an interface range: in force, and not by a line of this port.
  const elsewhere = object.length === 0 && state === 'off' && stop === undefined
  const same = (off && standing === undefined) || elsewhere
  const different = object.length > 0 ? 'other' : 'none'
  return {
    key: keyOf(intent),
    object,
    effect: same ? 'same' : different,
    mark: object.includes(`${path} ${mark}`) ? 'ours' : 'none',
    inForce: state === 'off' ? 'yes' : 'no',
    ...(stop === undefined ? {} : { stop }),
    ...noteOf(own),
  }
}

function missing(intent: Port): Stop {
  return {
    code: 'no_such_object',
    message: `the device has no interface ${intent.port}`,
    remedy: 'correct the port in the inventory',
  }
}
