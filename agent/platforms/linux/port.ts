// Taking a network interface down, where it can be brought back exactly.

import type { PortName } from '../../../inventory/model.ts'
import {
  type Answer,
  type Change,
  type Facts,
  type Found,
  free,
  type Line,
  type Read,
  type Rendering,
  type Stop,
} from '../../platform.ts'
import { answerTo, readJson, unknownOutput } from '../output.ts'
import { othersStop, ownAddress } from '../own-session.ts'
import { addressesRead, keepRead, lostAddresses } from './addresses.ts'
import { carriesSession, type Link, links } from './session-way.ts'
import { lostThrough, throughReads } from './through.ts'

/** Reads the state of all interfaces, and of what kind they are. */
export const linksRead: Read = { what: 'links', line: free('ip -j -d link show', 'shell') }

/** Reads for ports: its flags, what stands on it, and what would be lost with it. */
export function portReads(ports: readonly PortName[], facts: Facts): readonly Read[] {
  if (ports.length === 0) return []
  const own = ownAddress(facts)
  const read = (what: string, text: string): Read => ({ what, line: free(text, 'shell') })
  return [
    linksRead,
    read('client', 'ip -j route get "$NR_CLIENT"'),
    ...(own === undefined ? [] : [read('own', `ip -j addr show to ${own}`)]),
    ...ports.flatMap((port) => [
      read(`link|${port}`, `ip -j link show dev ${port}`),
      addressesRead(port),
      ...throughReads(port),
      keepRead(port),
    ]),
  ]
}

/** Whether it is down, or why it must not be taken down. */
export function findPort(port: PortName, answers: ReadonlyMap<string, Answer>): Omit<Found, 'key'> {
  const mark = 'unmarkable'
  const up = { object: [], effect: 'none', mark, inForce: 'no' } as const
  const answer = answerTo(answers, `link|${port}`)
  if (/^Device "\S+" does not exist\.$|^Cannot find device /m.test(answer.text)) {
    return { ...up, stop: missing(port) }
  }
  const [own] = readJson(answer, links, 'one interface as JSON')
  if (own?.ifname !== port) throw unknownOutput(answer, `the interface ${port} as JSON`)
  // Not operstate: that is DOWN too where only the cable is out.
  if (!own.flags.includes('UP')) {
    return { object: [commandOf(port)], effect: 'same', mark, inForce: 'yes' }
  }
  const all = readJson(answerTo(answers, 'links'), links, 'interfaces as JSON')
  // The list says more of it.
  const detailed = all.find(({ ifname }) => ifname === port) ?? own
  const stop =
    carriesSession(port, all, answers) ??
    carriesOthers(detailed, all) ??
    loses(port, detailed, answers)
  return stop === undefined ? up : { ...up, stop }
}

/** The objects of all interfaces that are down, by name; none where they were not read. */
export function downPorts(
  answers: ReadonlyMap<string, Answer>,
): ReadonlyMap<string, readonly string[]> {
  const answer = answers.get('links')
  const all = answer === undefined ? [] : readJson(answer, links, 'interfaces as JSON')
  const down = all.filter(({ flags }) => !flags.includes('UP'))
  return new Map(down.map(({ ifname }) => [ifname, [commandOf(ifname)]]))
}

/** Lines for one change of a port. */
export function renderPort(
  change: Change,
  port: PortName,
  run: (command: string) => string,
): Rendering {
  const down = commandOf(port)
  const wrote = change.kind === 'lift' ? change.before : [down]
  const stood = change.kind === 'apply' ? [] : change.kind === 'lift' ? change.wrote : change.from
  const line = (object: readonly string[]): Line =>
    free(run(`ip ${object.includes(down) ? down : `link set dev ${port} up`}`), 'shell')
  return { kind: 'lines', apply: [line(wrote)], undo: [line(stood)], wrote }
}

function commandOf(port: string): string {
  return `link set dev ${port} down`
}

function missing(port: PortName): Stop {
  return {
    code: 'no_such_object',
    message: `there is no interface ${port} on the host`,
    remedy: 'correct the name in the inventory',
  }
}

function carriesOthers(own: Link, all: readonly Link[]): Stop | undefined {
  const port = own.ifname
  // The two ends of a veth name each other; neither stands on the other.
  const others = all
    .filter((other) => other.master === port || (other.link === port && own.link !== other.ifname))
    .map((other) => other.ifname)
  return othersStop(port, others)
}

/** What `ip link set up` does not bring back: IPv6 addresses, and static routes and neighbours of both families. */
function loses(port: PortName, own: Link, answers: ReadonlyMap<string, Answer>): Stop | undefined {
  const addresses = lostAddresses(own, answers)
  const withIt = new Set(
    [...answers.keys()].flatMap((what) => /^link\|(.+)$/.exec(what)?.[1] ?? []),
  )
  const through = lostThrough(port, withIt, answers)
  const lost = [...addresses.lost, ...through]
  if (lost.length === 0) return undefined
  const daemon = 'let a daemon hold the routes and learn the neighbours instead of setting them'
  const remedies = [...addresses.remedies, ...(through.length === 0 ? [] : [daemon])]
  return {
    code: 'not_restorable',
    message: `${port} would lose ${lost.join(', ')} for good`,
    remedy: `${remedies.join('; ')}; or cut the customer off by another measure`,
  }
}
