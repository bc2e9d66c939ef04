// BGP neighbors of Junos: the one group that each stands in, and whether its session is held down.

import { type Intent, type Key, keyOf } from '../../intents.ts'
import {
  type Answer,
  type Facts,
  type Found,
  free,
  groupFact,
  type Read,
  type Stop,
} from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { operational } from './dialogue.ts'
import { hasShutdown, mark, neighborPath, ordered } from './objects.ts'
import {
  inactiveStop,
  readStatements,
  type Statement,
  type Statements,
  under,
} from './statements.ts'

type Neighbor = Extract<Intent, { readonly kind: 'neighbor' }>

const configOf = (intent: Neighbor): string => `peer ${intent.peer}`
const stateOf = (intent: Neighbor): string => `session ${intent.peer}`

/** All lines with the address, wherever: a `set` into another group would make a second neighbor. */
export function neighborReads(intent: Neighbor): readonly Read[] {
  const { peer } = intent
  const match = `show configuration | display set | match "neighbor ${peer}( |$)" | no-more`
  return [
    { what: configOf(intent), line: free(match, operational) },
    { what: stateOf(intent), line: free(`show bgp neighbor ${peer} | no-more`, operational) },
  ]
}

function groupsOf(intent: Neighbor, { set }: Statements): readonly string[] {
  const instance = intent.vrf === 'default' ? '' : `routing-instances ${intent.vrf} `
  const start = `${instance}protocols bgp group `
  const groups = set
    .filter((one) => one.startsWith(start))
    .map((one) => one.slice(start.length).split(' '))
    .filter((words) => words[1] === 'neighbor' && words[2] === intent.peer)
    .map(([group]) => group ?? '')
  return [...new Set(groups)]
}

/** The group of each neighbor that stands in exactly one. */
export function neighborFacts(
  intents: readonly Intent[],
  answers: ReadonlyMap<string, Answer>,
): Facts {
  const facts: Record<string, string> = {}
  for (const intent of intents) {
    if (intent.kind !== 'neighbor') continue
    const groups = groupsOf(intent, readStatements(answerTo(answers, configOf(intent))))
    const [group] = groups
    if (group !== undefined && groups.length === 1)
      facts[groupFact(intent.vrf, intent.peer)] = group
  }
  return facts
}

/** What stands for a neighbor intent. */
export function foundNeighbor(
  intent: Neighbor,
  {
    answers,
    facts,
    inactive: places,
  }: {
    readonly answers: ReadonlyMap<string, Answer>
    readonly facts: Facts
    /** All deactivated places of the configuration: the group may be one. */
    readonly inactive: readonly Statement[]
  },
): Found {
  const config = readStatements(answerTo(answers, configOf(intent)))
  const groups = groupsOf(intent, config)
  const session = sessionOf(answerTo(answers, stateOf(intent)), intent.peer, groups)
  const path = neighborPath(intent, facts)
  const inactive = config.inactive.includes(path)
  // The neighbor itself is deactivated where there is no shutdown; a shutdown in any other deactivated place is none.
  const elsewhere = [...config.inactive, ...places].filter((place) => place !== path)
  const idle = groups.length === 1 ? inactiveStop([`${path} shutdown`], elsewhere) : undefined
  const stop = stopFor(intent, groups) ?? idle
  // In several groups: whatever shuts it in any of them is still there.
  const object =
    groups.length > 1
      ? groups.flatMap((group) => objectIn(intent, group, config))
      : groups.length === 1
        ? objectAt(path, config, inactive)
        : []
  const shut = object.length > 0 && idle === undefined
  return {
    key: keyOf(intent),
    object,
    // Shut by its group: in force, and not by a line of this neighbor.
    effect:
      shut || (session === 'shut' && stop === undefined)
        ? 'same'
        : object.length > 0
          ? 'other'
          : 'none',
    mark: object.some((one) => one.endsWith(` shutdown ${mark}`)) ? 'ours' : markOn(facts),
    inForce: inForce(session, { shut, inactive }),
    ...(stop === undefined ? {} : { stop }),
  }
}

function objectAt(path: Statement, config: Statements, inactive: boolean): readonly Statement[] {
  if (inactive) return [`inactive ${path}`]
  return ordered(under(config.set, `${path} shutdown`))
}

function objectIn(intent: Neighbor, group: string, config: Statements): readonly Statement[] {
  const path = neighborPath(intent, { [groupFact(intent.vrf, intent.peer)]: group })
  return objectAt(path, config, config.inactive.includes(path))
}

function markOn(facts: Facts): Found['mark'] {
  return hasShutdown(facts) ? 'none' : 'unmarkable'
}

function inForce(
  session: ReturnType<typeof sessionState>,
  { shut, inactive }: { readonly shut: boolean; readonly inactive: boolean },
): Found['inForce'] {
  if (session === 'shut') return 'yes'
  if (session === 'established') return 'no'
  if (session === 'absent') return inactive ? 'yes' : 'unknown'
  return shut ? 'yes' : 'no'
}

/**
 * An answer without the peer must be one of those that a device without the session gives. Without a group in the instance that is meant, the session
 * is of another instance, in which the address has one.
 */
function sessionOf(
  answer: Answer,
  peer: string,
  groups: readonly string[],
): ReturnType<typeof sessionState> {
  const { text } = answer
  const known =
    text.trim() === '' ||
    /^Peer: |BGP(?:(?!BGP)[^\n])* not running|no such neighbor|not found/im.test(text)
  if (!known) throw unknownOutput(answer, '`Peer: …`, or nothing')
  return groups.length === 0 ? 'absent' : sessionState(text, peer)
}

/** What `show bgp neighbor` says of this address: `shut` by the word among its options, else by its state. */
export function sessionState(
  text: string,
  peer: Key | string,
): 'shut' | 'established' | 'down' | 'absent' {
  const blocks = text.split(/^(?=Peer: )/m).filter((block) => {
    const name = /^Peer: ([^\s+]+)/.exec(block)?.[1]
    return name === peer
  })
  if (blocks.length === 0) return 'absent'
  const states = blocks.map((block) => {
    if (/Options: <[^<>]*\bShutdown\b/i.test(block)) return 'shut'
    return /State: Established/.test(block) ? 'established' : 'down'
  })
  if (states.includes('established')) return 'established'
  return states.includes('down') ? 'down' : 'shut'
}

function stopFor(intent: Neighbor, groups: readonly string[]): Stop | undefined {
  const where = intent.vrf === 'default' ? '' : ` of instance ${intent.vrf}`
  if (groups.length === 1) return undefined
  if (groups.length === 0) {
    return {
      code: 'no_such_object',
      message: `no BGP group${where} holds neighbor ${intent.peer} by its own line`,
      remedy: 'correct the neighbor, or its VRF, in the inventory',
    }
  }
  return {
    code: 'ambiguous',
    message: `neighbor ${intent.peer} stands in several BGP groups${where}: ${groups.join(', ')}`,
    remedy: 'leave it in one group',
  }
}
