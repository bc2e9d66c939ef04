// What stands on a port of Junos besides the customer: units, and the interface of our own session, which is the one that holds the address that we
// connected to in `show interfaces terse`. A port carries that by a unit, or as a member of its aggregate.

import { takesDown } from '../../../inventory/ports.ts'
import { type Answer, type Facts, type Found, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { canonicalAddress, othersStop, ownAddress, sessionStop } from '../own-session.ts'
import { operational } from './dialogue.ts'
import { canonicalPort } from './port-names.ts'
import type { Statement } from './statements.ts'

const what = 'addresses'
const naming = { canonicalPort }

/** Which interface has which address; nothing where it isn't known what the session was opened to. */
export function addressReads(facts: Facts): readonly Read[] {
  if (ownAddress(facts) === undefined) return []
  return [{ what, line: free('show interfaces terse | no-more', operational) }]
}

/** Why the port, with these statements of its interface, must not be taken down: it carries our session, or units of others. */
export function carriedStop(
  port: Port,
  answers: ReadonlyMap<string, Answer>,
  facts: Facts,
): Stop | undefined {
  return carriesSession(port, answers, facts) ?? carriesOthers(port)
}

function carriesSession(
  port: Port,
  answers: ReadonlyMap<string, Answer>,
  facts: Facts,
): Stop | undefined {
  const by = sessionInterface(answers, facts)
  if (by === undefined) return undefined
  const bundle = bundleOf(port)
  const carries =
    takesDown(port.name, by, naming) || (bundle !== undefined && takesDown(bundle, by, naming))
  return carries ? sessionStop(port.name, by) : undefined
}

/** Of several units each may be another customer's. A port with one unit is that unit. */
function carriesOthers({ name, set }: Port): Stop | undefined {
  if (/\.\d+$/.test(name)) return undefined
  const units = new Set(set.flatMap((one) => /^interfaces \S+ unit (\d+)\b/.exec(one)?.[1] ?? []))
  return units.size < 2
    ? undefined
    : othersStop(
        name,
        [...units].map((unit) => `${name}.${unit}`),
      )
}

/** A port with the statements of its interface. */
interface Port {
  readonly name: string
  readonly set: readonly Statement[]
}

/** What the port is besides, for whoever looks: taking a member down only thins its aggregate, and a trunk may hold others' VLANs. */
export function noteOf(port: Port): Pick<Found, 'note'> {
  const bundle = bundleOf(port)
  if (bundle !== undefined) {
    return { note: `${port.name} is a member of ${bundle}, which goes on without it` }
  }
  return port.set.some((one) => / (?:interface|port)-mode trunk$/.test(one))
    ? { note: `${port.name} is a trunk: it may carry VLANs of others` }
    : {}
}

function bundleOf({ set }: Port): string | undefined {
  return set
    .map((one) => /^interfaces \S+ \S*options 802\.3ad (\S+)$/.exec(one)?.[1])
    .find((name) => name !== undefined && /^ae\d+$/.test(name))
}

/** The unit that holds the address of our session; undefined where none does. */
function sessionInterface(answers: ReadonlyMap<string, Answer>, facts: Facts): string | undefined {
  const address = ownAddress(facts)
  if (address === undefined) return undefined
  const answer = answerTo(answers, what)
  if (!/^Interface +Admin +Link /m.test(answer.text)) {
    throw unknownOutput(answer, 'interfaces with their addresses')
  }
  let name: string | undefined
  for (const line of answer.text.split('\n')) {
    // Further addresses of a unit stand in lines without its name.
    name = /^(\S+) /.exec(line)?.[1] ?? name
    // Of a link between two only the first address is this device's.
    const held = line.split('-->')[0]?.split(/\s+/) ?? []
    if (held.some((word) => canonicalAddress(word) === address)) return name
  }
  return undefined
}
