// What stands on a port of IOS besides the customer: sub-interfaces, and the interface of our own session, which is the one that holds the address that we
// connected to in `show ip interface brief`. A port carries that by a sub-interface, as a member of its channel, or by its VLAN where the address stands on a
// VLAN interface.

import { takesDown } from '../../../inventory/ports.ts'
import { type Answer, type Facts, free, type Read, type Stop } from '../../platform.ts'
import { answerTo, unknownOutput } from '../output.ts'
import { canonicalAddress, othersStop, ownAddress, sessionStop } from '../own-session.ts'
import { canonicalPort } from './port-names.ts'

const what = 'addresses'

/** Which interface has which address; nothing where it isn't known what the session was opened to. */
export function addressReads(facts: Facts): readonly Read[] {
  const address = ownAddress(facts)
  if (address === undefined) return []
  const family = address.includes(':') ? 'ipv6' : 'ip'
  return [{ what, line: free(`show ${family} interface brief`, 'exec') }]
}

/** Why the port of this name, configured with these lines, must not be taken down: it carries our session, or interfaces of others. */
export function carriedStop(
  port: { readonly name: string; readonly lines: readonly string[] },
  answers: ReadonlyMap<string, Answer>,
  facts: Facts,
): Stop | undefined {
  if (ownAddress(facts) === undefined) return undefined
  return carriesSession(port, answers, facts) ?? carriesOthers(port.name, answers)
}

function carriesSession(
  port: { readonly name: string; readonly lines: readonly string[] },
  answers: ReadonlyMap<string, Answer>,
  facts: Facts,
): Stop | undefined {
  const by = sessionInterface(answers, facts)
  if (by === undefined) return undefined
  const naming = { canonicalPort }
  if (takesDown(port.name, by, naming)) return sessionStop(port.name, by)
  const channel = /^channel-group (\d+)\b/m.exec(port.lines.join('\n'))?.[1]
  if (channel !== undefined && takesDown(`Port-channel${channel}`, by, naming)) {
    return sessionStop(port.name, by)
  }
  const vlan = /^Vlan(\d+)$/i.exec(by)?.[1]
  return vlan !== undefined && carriesVlan(port.lines, Number(vlan))
    ? sessionStop(port.name, by)
    : undefined
}

/** Sub-interfaces, each of which may be another customer's. */
function carriesOthers(name: string, answers: ReadonlyMap<string, Answer>): Stop | undefined {
  const own = canonicalPort(name)
  const others = interfaceLines(answers)
    // The name stays in the list of a sub-interface that was taken away.
    .filter((line) => !/\bdeleted\b/.test(line))
    .flatMap((line) => /^(\S+) /.exec(line)?.[1] ?? [])
    .filter((one) => takesDown(name, one, { canonicalPort }) && canonicalPort(one) !== own)
  return othersStop(name, others)
}

function interfaceLines(answers: ReadonlyMap<string, Answer>): readonly string[] {
  const answer = answerTo(answers, what)
  if (!/^Interface +IP-Address |^\S+ +\[[\w-]+(?: down)?\/\w+\]/m.test(answer.text)) {
    throw unknownOutput(answer, 'interfaces with their addresses')
  }
  return answer.text.split('\n')
}

/** The interface that holds the address of our session; undefined where none does. */
function sessionInterface(answers: ReadonlyMap<string, Answer>, facts: Facts): string | undefined {
  const address = ownAddress(facts)
  if (address === undefined) return undefined
  let name: string | undefined
  for (const line of interfaceLines(answers)) {
    name = /^(\S+) /.exec(line)?.[1] ?? name
    const held = /^\S* +(\S+)/.exec(line)?.[1] ?? ''
    if (canonicalAddress(held) === address) return name
  }
  return undefined
}

/** A switch may print `no ip address` of a switched port as well, and none of its defaults. */
function isSwitched(lines: readonly string[]): boolean {
  return (
    lines.some((line) => /^switchport\b/.test(line)) ||
    !lines.some((line) => /^no switchport$|^ip address \S/.test(line))
  )
}

/** Whether a switched port has this VLAN on it: a trunk that leaves none out has them all. */
function carriesVlan(lines: readonly string[], vlan: number): boolean {
  if (!isSwitched(lines)) return false
  if (!lines.includes('switchport mode trunk')) {
    const access = /^switchport access vlan (\d+)$/m.exec(lines.join('\n'))?.[1] ?? '1'
    return Number(access) === vlan
  }
  const lists = lines.flatMap(
    (line) => /^switchport trunk allowed vlan (?:add )?([\d,-]+|none)$/.exec(line)?.[1] ?? [],
  )
  if (lists.length === 0) return true
  return lists
    .flatMap((list) => list.split(','))
    .some((range) => {
      const [first, last = first] = range.split('-').map(Number)
      return first !== undefined && last !== undefined && first <= vlan && vlan <= last
    })
}
