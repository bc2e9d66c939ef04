// What is read from Junos, and what the answers mean for each intent. Configuration as `display set`; routes as JSON, because their text layout differs.

import { familyOf } from '../../../inventory/prefix.ts'
import { type Intent, type Key, keyOf } from '../../intents.ts'
import {
  type Answer,
  type Facts,
  type Found,
  free,
  type Observation,
  type Read,
  type Seen,
  type Stop,
} from '../../platform.ts'
import { assumedNote, type Bindings, uplinkStop } from '../bindings.ts'
import { answerTo, isHost, leakNote, refuseDenied, unknownOutput } from '../output.ts'
import { countQuestion, needsCount, pending } from './candidate.ts'
import { operational } from './dialogue.ts'
import { bindingsFor, filterReads, type Meant, whyNot } from './filters.ts'
import { markedObjects } from './marks.ts'
import { foundNeighbor, neighborFacts, neighborReads } from './neighbors.ts'
import {
  blackholeObject,
  entryPath,
  listNames,
  mark,
  ordered,
  routePath,
  staticPath,
} from './objects.ts'
import { foundPort, portReads } from './ports.ts'
import { insideOf, isLearnt, leakInside, readsForHops, routeDiscards } from './routes.ts'
import {
  inactiveStop,
  readStatements,
  type Statement,
  type Statements,
  under,
} from './statements.ts'

function read(what: string, text: string): Read {
  return { what, line: free(`${text} | no-more`, operational) }
}

function config(path: string): Read {
  return read(path, `show configuration ${path} | display set`)
}

/** What is pending, all marks, what is deactivated and both lists in any case; then what each intent needs. */
export function observe(intents: readonly Intent[], seen: Seen): readonly Read[] {
  const reads = new Map<string, Read>()
  const add = (one: Read): void => void reads.set(one.what, one)
  add(read('commit', 'show system commit'))
  add(read('marks', `show configuration | display set | match "${mark}"`))
  add(read('inactive', 'show configuration | display set | match "^deactivate "'))
  add(config(listPath(4)))
  add(config(listPath(6)))
  for (const intent of intents) for (const one of readsFor(intent, seen.facts)) add(one)
  return [...reads.values()]
}

function listPath(family: 4 | 6): string {
  return `policy-options prefix-list ${listNames[family]}`
}

/** What every instance that was made by somebody has. A `set` below another name would make one. */
function instancePath(vrf: string): string {
  return `routing-instances ${vrf} instance-type`
}

function readsFor(intent: Intent, facts: Facts): readonly Read[] {
  switch (intent.kind) {
    case 'blackhole':
      return [
        config(staticPath(intent.vrf, familyOf(intent.prefix))),
        ...(intent.vrf === 'default' ? [] : [config(instancePath(intent.vrf))]),
        read(keyOf(intent), `show route ${intent.prefix} exact | display json`),
        ...(isHost(intent.prefix)
          ? []
          : [read(insideOf(intent), `show route ${intent.prefix} range | display json`)]),
      ]
    case 'acl':
      return filterReads
    case 'port':
      return portReads(intent, facts)
    case 'neighbor':
      return neighborReads(intent)
  }
}

const countRead: Read = { what: 'commits', line: free(countQuestion, operational) }

/** Where the next hops lead that the answers name, and then those that these lead to. */
export function follow(
  answers: ReadonlyMap<string, Answer>,
  intents: readonly Intent[],
): readonly Read[] {
  refuseDenied(answers, denial)
  const isOpen = !answers.has(countRead.what) && needsCount(answerTo(answers, 'commit').text)
  return [...(isOpen ? [countRead] : []), ...readsForHops(intents, answers)]
}

/** All that `parse` works on. */
interface Reading {
  readonly answers: ReadonlyMap<string, Answer>
  readonly inactive: readonly Statement[]
  readonly facts: Facts
}

/** What the account may not ask or see. */
const denial =
  /^error: .*(?:permission denied|not authorized|access denied).*|^[^"\n\r\u2028\u2029]*\bACCESS-DENIED\b.*/im

/** Throws `unknown_output` for what it doesn't know. */
export function parse(
  answers: ReadonlyMap<string, Answer>,
  intents: readonly Intent[],
  seen: Seen,
): Observation {
  refuseDenied(answers, denial)
  const marks = readStatements(answerTo(answers, 'marks')).set
  refuseContradiction(answers, marks)
  const inactive = readStatements(answerTo(answers, 'inactive')).inactive
  const facts = { ...seen.facts, ...neighborFacts(intents, answers) }
  const found = new Map<Key, Found>()
  for (const intent of intents) {
    found.set(keyOf(intent), foundFor(intent, { answers, inactive, facts }))
  }
  const stop = stopFor(answerTo(answers, 'commit').text, answers.get(countRead.what)?.text)
  const lists = ([4, 6] as const).flatMap((family) => statementsOf(answers, listPath(family)).set)
  return {
    found,
    marked: markedObjects(marks, lists, found),
    facts,
    ...(stop === undefined ? {} : { stop }),
  }
}

/** Answers that were read already: a thousand routes stand in one, and each of them asks for it. */
const known = new WeakMap<Answer, Statements>()

/** What one read shows another of the same place must show too. An answer that was cut short has no end that could be missed; read as it stands, our own object would have been changed by somebody, and be left for good. */
function refuseContradiction(
  answers: ReadonlyMap<string, Answer>,
  marks: readonly Statement[],
): void {
  for (const [path, answer] of answers) {
    if (!answer.line.text.startsWith(`show configuration ${path} |`)) continue
    const here = marks.filter((statement) => statement.startsWith(`${path} `))
    const shown = new Set(here.length === 0 ? [] : statementsOf(answers, path).set)
    const missing = here.find((statement) => !shown.has(statement))
    if (missing !== undefined) {
      throw unknownOutput(answer, `also \`set ${missing}\`, which the list of all marks shows`)
    }
  }
}

function statementsOf(answers: ReadonlyMap<string, Answer>, what: string): Statements {
  const answer = answerTo(answers, what)
  const before = known.get(answer)
  if (before !== undefined) return before
  const statements = readStatements(answer)
  known.set(answer, statements)
  return statements
}

function foundFor(intent: Intent, reading: Reading): Found {
  switch (intent.kind) {
    case 'blackhole':
      return foundRoute(intent, reading)
    case 'acl':
      return foundEntry(intent, reading)
    case 'port':
      return foundPort(intent, reading)
    case 'neighbor':
      return foundNeighbor(intent, reading)
  }
}

type Of<K extends Intent['kind']> = Extract<Intent, { readonly kind: K }>

function foundRoute(intent: Of<'blackhole'>, { answers, inactive }: Reading): Found {
  const path = routePath(intent)
  const table = staticPath(intent.vrf, familyOf(intent.prefix))
  const routes = statementsOf(answers, table).set
  const object = ordered(under(routes, path))
  const ours = object.includes(`${path} ${mark}`)
  const [discard, tag] = blackholeObject(intent)
  const acting = object.filter((one) => one !== `${path} ${mark}`)
  const same = acting.length === 2 && acting[0] === discard && acting[1] === tag
  const stop = missingInstance(intent, answers) ?? inactiveStop([path, ...acting], inactive)
  return {
    key: keyOf(intent),
    object,
    effect: object.length === 0 ? 'none' : same && stop === undefined ? 'same' : 'other',
    mark: ours ? 'ours' : 'none',
    ...forwarding(intent, answers),
    ...(stop === undefined ? {} : { stop }),
  }
}

function missingInstance(
  { vrf }: Of<'blackhole'>,
  answers: ReadonlyMap<string, Answer>,
): Stop | undefined {
  if (vrf === 'default' || statementsOf(answers, instancePath(vrf)).set.length > 0) return undefined
  return {
    code: 'no_such_object',
    message: `the device has no routing instance ${vrf}`,
    remedy: 'correct the VRF of the prefix in the inventory',
  }
}

/** Dropped as a whole, and no route inside that leads anywhere. */
function forwarding(
  intent: Of<'blackhole'>,
  answers: ReadonlyMap<string, Answer>,
): Pick<Found, 'inForce' | 'learnt' | 'note'> {
  const inForce = routeDiscards(intent, answers)
  const leak = leakInside(intent, answers)
  const learnt = inForce !== 'no' && isLearnt(intent, answers) ? ({ learnt: true } as const) : {}
  if (inForce !== 'yes' || leak === undefined) return { inForce, ...learnt }
  return { inForce: 'partly', ...learnt, note: leakNote(intent.prefix, leak) }
}

/** An entry serves both directions where the filter says `from prefix-list`: it is named as the element of both. */
function foundEntry(intent: Of<'acl'>, { answers, inactive, facts }: Reading): Found {
  const path = entryPath(intent.prefix)
  const { direction } = intent
  const family = familyOf(intent.prefix)
  const list = statementsOf(answers, listPath(family)).set
  const stands = list.includes(path)
  const meant: Meant = { family, direction, prefix: intent.prefix }
  const bindings = bindingsFor(meant, answers, facts)
  const stop = inactiveStop([path], inactive) ?? notPrepared(meant, { list, bindings, answers })
  return {
    key: keyOf(intent),
    object: stands ? [path] : [],
    effect: stands ? 'same' : 'none',
    mark: stands ? 'ours' : 'none',
    inForce: stands && stop === undefined ? 'yes' : 'no',
    element: path,
    // An entry that stands can be taken away wherever the list is used by now.
    ...(stop === undefined || stands ? {} : { stop }),
    ...(stop === undefined ? { note: assumedNote('discarded', bindings) } : {}),
  }
}

function notPrepared(
  meant: Meant,
  {
    list,
    bindings,
    answers,
  }: {
    readonly list: readonly Statement[]
    readonly bindings: Bindings
    readonly answers: ReadonlyMap<string, Answer>
  },
): Stop | undefined {
  const name = listNames[meant.family]
  const remedy = 'paste the lines of `nullroute device prepare`, with the names of your own filters'
  if (list.length === 0) {
    const message = `there is no prefix list ${name} (with an entry that is never removed)`
    return { code: 'not_prepared', message, remedy }
  }
  if (bindings.bound.length > 0) return undefined
  const side = meant.direction === 'in' ? 'source' : 'destination'
  const message = `no filter that stands on an interface as \`${meant.direction}put\` discards by \`prefix-list ${name}\` or \`${side}-prefix-list ${name}\` before every term that may let a part of it pass${whyNot(meant, answers)}`
  return uplinkStop(bindings) ?? { code: 'not_prepared', message, remedy }
}

/** A pending commit of somebody else: ours would confirm it, or be taken back with it. */
function stopFor(commits: string, count: string | undefined): Stop | undefined {
  const state = pending(commits, count)
  if (state.kind === 'none' || state.token !== undefined) return undefined
  return {
    code: 'timer_pending',
    message: 'a confirmed commit of somebody else is pending: a commit of ours would confirm it',
    remedy: 'wait until its owner has confirmed it, or it was rolled back',
  }
}
