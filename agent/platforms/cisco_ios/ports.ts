// Ports of IOS: the configured block, and the state that the device shows for it.

import { type Intent, keyOf } from '../../intents.ts'
import { type Answer, type Facts, type Found, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { isUnknownLine, pointsAtLastWord } from './dialogue.ts'
import { portFact, portObject } from './objects.ts'
import { addressReads, carriedStop } from './own-session.ts'
import { canonicalPort } from './port-names.ts'

type Port = Extract<Intent, { readonly kind: 'port' }>

const configOf = (port: string): string => `config ${port}`
const stateOf = (port: string): string => `state ${port}`

/** The interface of our own session, the block of the running configuration, and the state: on switches and routers alike in the first line of `show interfaces`. */
export function portReads(intent: Port, facts: Facts): readonly Read[] {
  const { port } = intent
  return [
    ...addressReads(facts),
    { what: configOf(port), line: free(`show running-config interface ${port}`, 'exec') },
    { what: stateOf(port), line: free(`show interfaces ${port}`, 'exec') },
  ]
}

/** Full names of the ports asked for, as the running configuration prints them: `Gi1/0/7` is `GigabitEthernet1/0/7`. */
export function portFacts(
  answers: ReadonlyMap<string, Answer>,
  intents: readonly Intent[],
  host: string,
): Facts {
  const facts: Record<string, string> = {}
  for (const intent of intents) {
    if (intent.kind !== 'port') continue
    const name = blockOf(answerTo(answers, configOf(intent.port)), host)?.name
    if (name !== undefined) facts[portFact(intent.port)] = name
  }
  return facts
}

interface Block {
  readonly name: string
  readonly lines: readonly string[]
}

/** The block of one interface; undefined where the device has none. Entering a missing one would create it: Vlan, Loopback, Port-channel and sub-interfaces. */
function blockOf(answer: Answer, host: string): Block | undefined {
  const lines = answer.text.split('\n')
  const start = lines.findIndex((line) => /^interface \S/.test(line))
  if (start >= 0) {
    const name = /^interface (\S+)/.exec(lines[start] ?? '')?.[1] ?? ''
    const rest = lines.slice(start + 1)
    const end = rest.findIndex((line) => !line.startsWith(' '))
    return { name, lines: rest.slice(0, end < 0 ? undefined : end).map((line) => line.trim()) }
  }
  const empty = lines.every((line) =>
    /^(?:\s*|!|end|Building configuration\.\.\.|Current configuration ?: .*)$/.test(line),
  )
  // Where the caret is under the command, the device knows that as little as whether there is such a port.
  const isOfName = !/^% ?Invalid input/m.test(answer.text) || pointsAtLastWord(answer, host)
  if (empty || (isUnknownLine(answer.text) && isOfName)) return undefined
  throw unknownOutput(answer, 'the block of the interface, or `% Invalid input` at its name')
}

type State = 'administratively down' | 'err-disabled' | 'up' | 'down'

/** `GigabitEthernet1/0/7 is down, line protocol is down (err-disabled)` → err-disabled. */
function portState(answer: Answer): State {
  const found =
    /^\S+ is (administratively down|up|down|deleted|reset|standby mode)\b.*?, line protocol is \w+(.*)/m.exec(
      answer.text,
    )
  if (found === null) throw unknownOutput(answer, '`… is …, line protocol is …`')
  if (/err-?disabled/.test(found[0])) return 'err-disabled'
  if (found[1] === 'administratively down') return 'administratively down'
  return found[1] === 'up' ? 'up' : 'down'
}

/** What stands for a port intent. There is no place for a mark: the description is the operator's. */
export function foundPort(
  intent: Port,
  {
    answers,
    facts,
    host,
  }: {
    readonly answers: ReadonlyMap<string, Answer>
    readonly facts: Facts
    readonly host: string
  },
): Found {
  const block = blockOf(answerTo(answers, configOf(intent.port)), host)
  // Of a port that isn't there the state is an error too.
  const state = block === undefined ? undefined : portState(answerTo(answers, stateOf(intent.port)))
  const shut = block?.lines.includes('shutdown') === true
  // What is shut carries nothing: then nothing is sent either.
  const carried = block === undefined || shut ? undefined : carriedStop(block, answers, facts)
  const stop = stopFor(intent, block, state) ?? carried
  return {
    key: keyOf(intent),
    object: shut ? [portObject(intent.port, facts)] : [],
    effect: shut ? 'same' : 'none',
    mark: 'unmarkable',
    inForce: state === 'administratively down' ? 'yes' : 'no',
    // Keys of two spellings are one port: it goes up with the last that wants it down.
    ...(block === undefined ? {} : noteOf(block)),
    element: `interface ${facts[portFact(intent.port)] ?? intent.port}`,
    ...(stop === undefined ? {} : { stop }),
  }
}

/** What the port is besides, for whoever looks: shutting a member only thins its channel, and a trunk may hold others' VLANs. */
function noteOf({ name, lines }: Block): Pick<Found, 'note'> {
  const channel = lines.map((line) => /^channel-group (\d+)\b/.exec(line)?.[1]).find(Boolean)
  if (channel !== undefined) {
    return { note: `${name} is a member of Port-channel${channel}, which goes on without it` }
  }
  return lines.includes('switchport mode trunk')
    ? { note: `${name} is a trunk: it may carry VLANs of others` }
    : {}
}

function stopFor(
  intent: Port,
  block: Block | undefined,
  state: State | undefined,
): Stop | undefined {
  if (block === undefined) {
    return {
      code: 'no_such_object',
      message: `the device has no interface ${intent.port}`,
      remedy: 'correct the port in the inventory',
    }
  }
  if (canonicalPort(block.name) !== canonicalPort(intent.port)) {
    return {
      code: 'ambiguous',
      message: `the device takes ${intent.port} for ${block.name}: whose that is and whether it is an uplink was asked of another name`,
      remedy: `write ${block.name} in the inventory, for the port that is meant`,
    }
  }
  if (state !== 'err-disabled') return undefined
  return {
    code: 'not_restorable',
    message: `${block.name} is err-disabled: shutting it and letting it go again would switch on a port that the device had blocked`,
    remedy: 'clear the reason on the device first; until then the port passes no traffic anyway',
  }
}
