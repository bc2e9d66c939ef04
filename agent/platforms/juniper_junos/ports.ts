// Ports of Junos: what is configured, and what state an interface shows.

import type { Intent } from '../../intents.ts'
import { type Answer, type Facts, free, type Read } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { operational } from './dialogue.ts'
import { addressReads } from './own-session.ts'

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
    /^\s*Logical interface (\S+)[^\n]*\n\s*(?:Description:[^\n]*\n\s*)?Flags: ([^\n]*)/m.exec(
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
