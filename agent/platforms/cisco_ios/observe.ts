// What is read from IOS, and what the answers mean for each intent. Configuration says whose an object is, the forwarding table whether it works.

import { baseOf, familyOf, netmaskOf, type Prefix } from '../../../inventory/prefix.ts'
import { type Intent, type Key, keyOf } from '../../intents.ts'
import {
  type Answer,
  type Facts,
  type Found,
  free,
  markOf,
  type Observation,
  type Read,
  type Seen,
  type Stop,
} from '../../platform.ts'
import { answerTo, isHost, leakNote, refuseDenied, unknownOutput } from '../output.ts'
import { foundMember, groupReads, membersOf, readGroup } from './acl.ts'
import { foundNeighbor, neighborReads, readBgp } from './bgp.ts'
import { isUnknownLine } from './dialogue.ts'
import { leakInside, readsForInside } from './more-specific.ts'
import { isPlainDiscard, parseStatic, type StaticRoute } from './objects.ts'
import { foundPort, portFacts, portReads } from './ports.ts'
import { isLearnt, readsForPaths, routeDiscards, routeOf } from './routes.ts'

type Blackhole = Extract<Intent, { readonly kind: 'blackhole' }>

/** Commands that the account may not give, by TACACS+ or a view. */
const denial =
  /^%? ?(?:Command authorization failed|Authorization failed|Access denied|Not authorized)[^\n]*/im

function read(what: string, text: string): Read {
  return { what, line: free(text, 'exec') }
}

/** The timer of a human, a reload to come, all static routes and the group in any case; then what each intent needs. */
export function observe(intents: readonly Intent[], seen: Seen): readonly Read[] {
  const reads = new Map<string, Read>()
  const add = (one: Read): void => void reads.set(one.what, one)
  add(read('timer', 'show archive config rollback timer'))
  add(read('reload', 'show reload'))
  add(read('routes', 'show running-config | include ^ip route|^ipv6 route'))
  add(read('group', 'show object-group name NULLROUTE'))
  for (const intent of intents) for (const one of readsFor(intent, seen.facts)) add(one)
  return [...reads.values()]
}

function readsFor(intent: Intent, facts: Facts): readonly Read[] {
  switch (intent.kind) {
    case 'blackhole':
      return [
        read(keyOf(intent), routeQuestion(intent)),
        ...(isHost(intent.prefix)
          ? []
          : [read(insideOf(intent), `${routeQuestion(intent)} longer-prefixes`)]),
      ]
    case 'acl':
      return groupReads
    case 'port':
      return portReads(intent, facts)
    case 'neighbor':
      return neighborReads(intent)
  }
}

function insideOf(intent: Blackhole): string {
  return `inside ${keyOf(intent)}`
}

/** With the mask: without it IOS answers with the covering route, be it the default. */
function routeQuestion(intent: Blackhole): string {
  const table = intent.vrf === 'default' ? '' : `vrf ${intent.vrf} `
  return familyOf(intent.prefix) === 4
    ? `show ip route ${table}${baseOf(intent.prefix)} ${netmaskOf(intent.prefix)}`
    : `show ipv6 route ${table}${intent.prefix.toUpperCase()}`
}

/** More next hops than these are not asked for: of a route to one more it is not believed that it drops anything. */
const hopsMax = 64

/** Where the next hops lead that the answers name, and then those that these lead to. */
export function follow(
  answers: ReadonlyMap<string, Answer>,
  intents: readonly Intent[],
): readonly Read[] {
  refuseDenied(answers, denial)
  const reads = new Map<string, Read>()
  for (const intent of intents) {
    if (intent.kind !== 'blackhole') continue
    for (const one of hopReads(intent, answers)) {
      if (reads.size < hopsMax) reads.set(one.what, one)
    }
  }
  return [...reads.values()]
}

function hopReads(intent: Blackhole, answers: ReadonlyMap<string, Answer>): readonly Read[] {
  const { vrf, prefix } = intent
  const table = { answers, vrf }
  const route = routeOf(answerTo(answers, keyOf(intent)), vrf)
  if (route?.prefix !== prefix) return []
  const inside = isHost(prefix)
    ? []
    : readsForInside(answerTo(answers, insideOf(intent)), prefix, table)
  return [...readsForPaths(route.paths, answers), ...inside]
}

/** Throws `unknown_output` for what it doesn't know. */
export function parse(
  answers: ReadonlyMap<string, Answer>,
  intents: readonly Intent[],
  seen: Seen,
): Observation {
  refuseDenied(answers, denial)
  const routes = readRoutes(answerTo(answers, 'routes'))
  const members = readGroup(answerTo(answers, 'group'))
  const bgp = intents.some(({ kind }) => kind === 'neighbor')
    ? readBgp(answerTo(answers, 'bgp'))
    : undefined
  const facts: Facts = {
    ...seen.facts,
    ...(bgp === undefined ? {} : { asn: bgp.asn }),
    ...portFacts(answers, intents, seen.host),
  }
  const found = new Map<Key, Found>()
  for (const intent of intents) {
    found.set(
      keyOf(intent),
      foundFor(intent, { answers, routes, members, bgp, facts, host: seen.host }),
    )
  }
  const stop = stopFor(answers)
  return {
    found,
    marked: [...markedRoutes(routes, found), ...membersOf(members, found)],
    facts,
    ...(stop === undefined ? {} : { stop }),
  }
}

interface Shown {
  readonly answers: ReadonlyMap<string, Answer>
  readonly routes: readonly StaticRoute[]
  readonly members: ReturnType<typeof readGroup>
  readonly bgp: ReturnType<typeof readBgp>
  readonly facts: Facts
  readonly host: string
}

function foundFor(intent: Intent, all: Shown): Found {
  switch (intent.kind) {
    case 'blackhole':
      return foundRoute(intent, all)
    case 'acl':
      return foundMember(intent, all.members, all)
    case 'port':
      return foundPort(intent, all)
    case 'neighbor':
      return foundNeighbor(intent, all.bgp, { answers: all.answers, facts: all.facts })
  }
}

/** Any other text than lines of routes is no list of routes: an error read as an empty list would be a route that is gone. */
function readRoutes(answer: Answer): readonly StaticRoute[] {
  const lines = answer.text.split('\n').filter((line) => line.trim() !== '')
  if (!lines.every((line) => /^(?:ip|ipv6) route |^Building configuration\.\.\.$/.test(line))) {
    throw unknownOutput(answer, 'lines that begin with `ip route` or `ipv6 route`, or nothing')
  }
  return lines.map(parseStatic).filter((route) => route !== undefined)
}

/** Our discard is one line; a next hop of somebody else's beside it matters for what is in force, not for whose the line is. */
function foundRoute(intent: Blackhole, { answers, routes }: Shown): Found {
  const key = keyOf(intent)
  const answer = answerTo(answers, key)
  const here = routes.filter(({ vrf, prefix }) => vrf === intent.vrf && prefix === intent.prefix)
  const discard = here.find(({ via }) => via === 'Null0')
  const others = here.filter((route) => route !== discard)
  const ours = discard?.name === markOf(key)
  const stop = missingTable(answer, intent)
  const base = {
    key,
    ...forwarding(intent, answers),
    ...(stop === undefined ? {} : { stop }),
  } as const
  if (here.length === 0) return { ...base, object: [], effect: 'none', mark: 'none' }
  // Without a name (older `ipv6 route`) there is no place for a mark: the claim and the exact line say whose it is.
  const mark = ours ? 'ours' : nameless(discard) ? 'unmarkable' : 'none'
  if (discard !== undefined && (ours || others.length === 0)) {
    const same = isPlainDiscard(discard, intent.tag) && others.length === 0
    return { ...base, object: [discard.text], effect: same ? 'same' : 'other', mark }
  }
  return { ...base, object: here.map(({ text }) => text), effect: 'other', mark: 'none' }
}

/** Dropped as a whole, and no route inside that leads anywhere. */
function forwarding(
  intent: Blackhole,
  answers: ReadonlyMap<string, Answer>,
): Pick<Found, 'inForce' | 'learnt' | 'cannotTell' | 'note'> {
  const { vrf, prefix } = intent
  const answer = answerTo(answers, keyOf(intent))
  const inForce = routeDiscards(answer, prefix, { answers, vrf })
  if (inForce === 'no') return { inForce }
  const learnt = isLearnt(answer, prefix, vrf) ? ({ learnt: true } as const) : {}
  return { ...learnt, ...withInside(intent, inForce, answers) }
}

/** The same, once it is known what is inside. */
function withInside(
  intent: Blackhole,
  inForce: Found['inForce'],
  answers: ReadonlyMap<string, Answer>,
): Pick<Found, 'inForce' | 'cannotTell' | 'note'> {
  const table = { answers, vrf: intent.vrf }
  if (inForce !== 'yes' || isHost(intent.prefix)) return { inForce }
  const inside = leakInside(answerTo(answers, insideOf(intent)), intent.prefix, table)
  if (inside.kind === 'none') return { inForce }
  if (inside.kind === 'leak') {
    return { inForce: 'partly', note: leakNote(intent.prefix, inside.prefix) }
  }
  const note = `this image does not say which routes there are inside ${intent.prefix}: that none of them leads anywhere was not seen`
  return { inForce: 'unknown', cannotTell: true, note }
}

function nameless(route: StaticRoute | undefined): boolean {
  return route !== undefined && route.name === undefined && route.prefix.includes(':')
}

function missingTable(answer: Answer, intent: Blackhole): Stop | undefined {
  if (intent.vrf === 'default') return undefined
  if (!/^% ?(?:IP(?:v6)? routing table |VRF )/im.test(answer.text)) return undefined
  return {
    code: 'no_such_object',
    message: `the device has no VRF ${intent.vrf}`,
    remedy: 'correct the VRF of the prefix in the inventory',
  }
}

/** Routes with our mark, of the very key that the mark is made from: a name that was copied to another prefix is not ours. */
function markedRoutes(
  routes: readonly StaticRoute[],
  asked: ReadonlyMap<Key, Found>,
): readonly Found[] {
  const marked: Found[] = []
  for (const { vrf, prefix, tag, name, text } of routes) {
    const key = keyOf({ kind: 'blackhole', vrf, prefix: prefix as Prefix, tag })
    if (asked.has(key) || name !== markOf(key)) continue
    marked.push({ key, object: [text], effect: 'same', mark: 'ours', inForce: 'unknown' })
  }
  return marked
}

/** A timer of a human takes back what is done now; a box about to reload forgets it, or breaks into the lines. */
function stopFor(answers: ReadonlyMap<string, Answer>): Stop | undefined {
  const timer = answerTo(answers, 'timer').text.trim()
  const quiet = timer === '' || /No Rollback Confirmed Change pending/.test(timer)
  if (!quiet && !isUnknownLine(timer)) {
    const user = /^User: ?(.*)$/m.exec(timer)?.[1] ?? 'somebody'
    return {
      code: 'timer_pending',
      message: `a rollback timer of ${user} is running: at its end the device takes back every change made since`,
      remedy: 'ask its owner to send `configure confirm` or `configure revert now`',
    }
  }
  const reload = /^Reload scheduled [^\n]*/m.exec(answerTo(answers, 'reload').text)
  if (reload === null) return undefined
  return {
    code: 'timer_pending',
    message: `the device is about to reload: ${reload[0]}`,
    remedy: 'wait for the reload, or have it cancelled with `reload cancel`',
  }
}
