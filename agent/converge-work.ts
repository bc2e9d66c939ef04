// What all parts of a convergence share: its surroundings, its reads, and what became of each key while lines were sent.

import type { Device } from '../inventory/model.ts'
import type { Clock } from './clock.ts'
import { type Claim, type Decision, type Desired, isPartOf, sameObject } from './diff.ts'
import { AgentError } from './errors.ts'
import type { Intent, Key } from './intents.ts'
import type { Evidence, Journal } from './journal.ts'
import type {
  Answer,
  Change,
  Line,
  Observation,
  Platform,
  Read,
  Rendering,
  Stop,
} from './platform.ts'
import type { Session } from './session.ts'

/** What a convergence runs on. */
export interface Work {
  readonly device: Device
  readonly platform: Platform
  readonly journal: Journal
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whether the warm session is open. */
  connected(): boolean
  /** The warm session, opened if it isn't. */
  session(): Promise<Session>
  /** A new session beside the warm one, for what must be seen from outside. Closed by who asks for it. */
  another(): Promise<Session>
  /** A newer convergence waits: what is only waited for may be left to it. */
  interrupted(): boolean
  /** The agent is to stop: the intent under way is ended, no other is begun. */
  stopping(): boolean
  /** Whether changes of ours are known to be in the running configuration only. */
  readonly unsaved: boolean
  readonly limits: Deadlines
  /** What is waited for, over all convergences of this agent: others that come in between must not begin its time anew. */
  readonly waits: Map<Key, Wait>
  /** Called with the desired state that a convergence works on: if it fails, it fails for that, and not for what was accepted meanwhile. */
  began(desired: Desired): void
}

/** Since when a key is waited for. */
export interface Wait {
  /** For an object of our own to be in force, for other devices to be changed whose change is to show here, for that to show, or for an effect to go. */
  readonly what: 'own' | 'others' | 'effect' | 'end'
  readonly sinceMs: number
  /** When it was last asked whether those others were changed. */
  readonly askedMs?: number
}

/** How long effects are waited for, in ms. */
export interface Deadlines {
  /** For objects of our own. */
  readonly ownMs: number
  /** For what other devices have to learn first. */
  readonly observerMs: number
}

/** A key that is changed in this convergence. */
export interface Planned {
  readonly key: Key
  readonly intent: Intent
  readonly change: Change
  readonly rendering: Extract<Rendering, { kind: 'lines' }>
  /** The claim as it is from the moment of sending on. */
  readonly claim: Omit<Claim, 'step'>
  /** Of a lift: the wider entry whose lines take this one away too. It goes with that or not at all. */
  readonly after?: Key
}

/** What became of a planned key. Whether it is in force only the read-back says. */
export type Result =
  | { readonly kind: 'sent'; readonly note?: string }
  | { readonly kind: 'refused'; readonly code: AgentError['code']; readonly message: string }
  | { readonly kind: 'stopped'; readonly stop: Stop }
  | { readonly kind: 'unsupported'; readonly reason: string }
  /** Nothing was sent: a freeze, a stop, or the change ended before it. */
  | { readonly kind: 'held'; readonly why: string }

/** The end of sending. */
export interface Applied {
  /** The last step that changed something. */
  readonly step: number | undefined
  readonly results: ReadonlyMap<Key, Result>
  /** From which session the change is to be read back: the candidate's second one. */
  readonly session: 'own' | 'second'
  /** A later look is needed, in so many ms: somebody else committed inside our window. */
  readonly lookAgainMs?: number
}

/** One round of reads. */
export interface Observed {
  readonly observation: Observation
  readonly readback: Evidence
  /** Answers to the lines that went behind the reads. */
  readonly behind: readonly Answer[]
}

/** Reads all that `intents` need, with `behind` in the same write. Throws `unknown_output` for what the platform has no meaning for. */
export async function observe(
  work: Work,
  session: Session,
  intents: readonly Intent[],
  behind: readonly Line[] = [],
): Promise<Observed> {
  const reads = work.platform.observe(intents, session.seen)
  const lines = [...reads.map((read) => read.line), ...behind]
  const answers = await session.run(lines, work.signal)
  const byName = named(reads, answers)
  await readFurther(work, session, intents, byName)
  return {
    observation: parsed(work.platform, () => {
      return work.platform.parse(byName, intents, session.seen)
    }),
    readback: readbackOf([...byName.values()], work.platform),
    behind: answers.slice(reads.length),
  }
}

/** Next hops lead to next hops: after so many rounds it can't be said where what is left leads. */
const roundsMax = 8

/** Reads what only the answers name, round by round, into the same map. */
async function readFurther(
  work: Work,
  session: Session,
  intents: readonly Intent[],
  byName: Map<string, Answer>,
): Promise<void> {
  const { platform } = work
  for (let round = 0; round < roundsMax; round++) {
    const reads = parsed(platform, () => platform.follow?.(byName, intents) ?? [])
    if (reads.length === 0) return
    // Lines behind the first reads may have led into the configuration.
    await backToRest(work, session)
    const lines = reads.map(({ line }) => line)
    const answers = await session.run(lines, work.signal)
    for (const [what, answer] of named(reads, answers)) byName.set(what, answer)
  }
}

/** Answers by the names of what was asked. */
export function named(reads: readonly Read[], answers: readonly Answer[]): Map<string, Answer> {
  const byName = new Map<string, Answer>()
  for (const [i, read] of reads.entries()) {
    const answer = answers[i]
    if (answer === undefined) {
      throw new AgentError('unknown_output', `the device did not answer \`${read.line.text}\``)
    }
    byName.set(read.what, answer)
  }
  return byName
}

/** What a platform makes of answers; the answer that an error carries goes on without its secrets. */
export function parsed<T>(platform: Platform, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof AgentError ? error.redacted((text) => platform.redact(text)) : error
  }
}

/** Lines and answers as an artifact, without the secrets that a configuration shows. */
export function readbackOf(answers: readonly Answer[], platform: Platform): Evidence {
  const text = answers.map((answer) => `${answer.line.text}\n${answer.text}\n`).join('\n')
  return { kind: 'readback', text: platform.redact(text) }
}

/** Back to rest, seen by its prompt; else the session is of no use any more. */
export async function backToRest(work: Work, session: Session): Promise<void> {
  const { rest, transaction } = work.platform
  if (session.context === rest) return
  const lines = transaction.kind === 'line' ? transaction.leave : transaction.abort
  try {
    await session.run(lines, work.signal)
  } catch (error) {
    await session.close()
    throw error
  }
  if (session.context !== rest) {
    await session.close()
    throw new AgentError(
      'unexpected_prompt',
      `expected to be back in ${rest}, the device is in ${session.context}; the session was closed`,
    )
  }
}

/** Waits, unless the agent is stopped first. */
export function pause(work: Work, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      cancel()
      work.signal.removeEventListener('abort', over)
      resolve()
    }
    const cancel = work.clock.after(ms, over)
    work.signal.addEventListener('abort', over, { once: true })
    if (work.signal.aborted) over()
  })
}

/** The changes of a round of decisions, rendered: what can be sent, and why the rest can't. Lifts come last, so that nothing is missing in between. */
export function planChanges(
  work: Work,
  decisions: readonly Decision[],
  observation: Observation,
  claims: readonly Claim[],
): { readonly planned: readonly Planned[]; readonly results: Map<Key, Result> } {
  const order = { apply: 0, modify: 1, lift: 2 }
  const all = decisions.flatMap((decision) => (decision.kind === 'change' ? [decision] : []))
  const together = work.platform.disjointSets === true
  const changes = all
    .filter(({ after }) => after === undefined || (together && isChanged(after, all)))
    .sort((one, other) => order[one.change.kind] - order[other.change.kind])
  const results = new Map<Key, Result>()
  for (const { key, after } of all) {
    if (after !== undefined)
      results.set(key, { kind: 'held', why: `it stays until ${after} is in force` })
  }
  const planned: Planned[] = []
  const stop = observation.stop
  const renderings =
    stop === undefined
      ? work.platform.render(
          changes.map((one) => one.change),
          observation.facts,
        )
      : []
  for (const [i, decision] of changes.entries()) {
    const rendering = renderings[i]
    const { key, intent, change } = decision
    if (stop !== undefined) results.set(key, { kind: 'stopped', stop })
    else if (rendering === undefined) throw new TypeError(`a platform's render left out ${key}`)
    else if (rendering.kind === 'unsupported') results.set(key, rendering)
    else if (rendering.kind === 'refused') {
      results.set(key, { kind: 'stopped', stop: rendering.stop })
    } else if (rendering.apply.some((line) => line.unresolved)) {
      results.set(key, { kind: 'stopped', stop: unresolvedStop(rendering.apply) })
    } else {
      const old = claims.find((claim) => claim.key === key)
      const claim = claimFor(decision, rendering, old)
      const { after } = decision
      planned.push({
        key,
        intent,
        change,
        rendering,
        claim,
        ...(after === undefined ? {} : { after }),
      })
      results.delete(key)
    }
  }
  return { planned, results }
}

/** The object that a change makes or takes away. */
export function objectOf({
  change,
  rendering,
}: Pick<Planned, 'change' | 'rendering'>): readonly string[] {
  return change.kind === 'lift' ? change.wrote : rendering.wrote
}

/** These keys and those that have their lines in theirs: one element may serve both directions, and what was refused for the one was refused for the other. */
export function withSharers(
  planned: readonly Pick<Planned, 'key' | 'change' | 'rendering'>[],
  keys: readonly Key[],
): readonly Key[] {
  const named = new Set(keys)
  const objects = new Set(planned.filter(({ key }) => named.has(key)).flatMap(objectOf))
  const sharers = planned.filter(
    (one) => one.rendering.apply.length === 0 && objectOf(one).some((part) => objects.has(part)),
  )
  return [...new Set([...keys, ...sharers.map(({ key }) => key)])]
}

function isChanged(key: Key, changes: readonly Decision[]): boolean {
  return changes.some((one) => one.key === key)
}

function claimFor(
  decision: Extract<Decision, { kind: 'change' }>,
  rendering: Planned['rendering'],
  old: Claim | undefined,
): Omit<Claim, 'step'> {
  const { key, intent, change, before } = decision
  const claim = { key, intent, before }
  switch (change.kind) {
    case 'apply':
      return {
        ...claim,
        wrote: rendering.wrote,
        phase: 'pending',
        ...earlierOf(old, rendering.wrote),
        ...stoodOf(decision),
      }
    case 'modify':
      return {
        ...claim,
        wrote: rendering.wrote,
        replaces: change.from,
        phase: 'pending',
        ...earlierOf(old, rendering.wrote),
        ...stoodOf(old),
      }
    case 'lift': {
      // Of what is half lifted already the rest is sent for; a restart may bring back all of it.
      const isPart = old !== undefined && isPartOf(change.wrote, old.wrote)
      const wrote = isPart ? old.wrote : change.wrote
      return {
        ...claim,
        wrote,
        ...(old?.replaces === undefined ? {} : { replaces: old.replaces }),
        phase: 'lifting',
        ...earlierOf(old, wrote),
        ...stoodOf(old),
      }
    }
  }
}

/** Most earlier forms of one object that are known for ours. */
const earlierMax = 8

/** The forms that it had since the last save, beside the one that it gets. What was saved is the oldest, and stays. */
function earlierOf(old: Claim | undefined, wrote: readonly string[]): Pick<Claim, 'earlier'> {
  if (old === undefined) return {}
  const forms = new Map(
    [...(old.earlier ?? []), old.wrote]
      .filter((form) => form.length > 0 && !sameObject(form, wrote))
      .map((form) => [JSON.stringify(form), form]),
  )
  const [first, ...more] = forms.values()
  return first === undefined ? {} : { earlier: [first, ...more.slice(1 - earlierMax)] }
}

/** Whether the effect was there before us, as a part of a claim. */
export function stoodOf(from: Pick<Claim, 'stood'> | undefined): Pick<Claim, 'stood'> {
  return from?.stood === true ? { stood: true } : {}
}

function unresolvedStop(lines: readonly Line[]): Stop {
  const line = lines.find((one) => one.unresolved)?.text ?? ''
  return {
    code: 'no_such_object',
    message: `the device does not say what \`${line}\` needs`,
    remedy: 'check that the object exists on the device, or give the fact in the inventory',
  }
}
