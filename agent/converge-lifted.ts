// Looks for what was lifted and saved by a device's word: a save that was none lets the device's next start bring it back. Apart from all that
// a convergence decides, in reads of its own: what was ours once must change nothing for what is wanted now, and a platform judges by all it is asked for.

import { backoffMs } from './agent-timers.ts'
import { type Orphan, orphansOf } from './converge-states.ts'
import { backToRest, type Observed, observe, type Work } from './converge-work.ts'
import { type Desired, isPartOf, type Lifted } from './diff.ts'
import { AgentError } from './errors.ts'
import type { Key } from './intents.ts'
import type { Found, Observation } from './platform.ts'
import type { Session } from './session.ts'

/** Sessions in which it was looked for: a device that started again has closed those that it had. Whoever opened a session may have come to look at something else. */
const done = new WeakSet<Session>()

/** Looks that failed in a row. One that costs the session each time must not make each convergence open another. */
const failures = new WeakMap<Work, { readonly count: number; readonly untilMs: number }>()

/** What a look for it goes by. */
interface Seen {
  readonly desired: Desired
  readonly observation: Observation
  /** Somebody asks for a look at everything. */
  readonly all?: boolean
}

/** Writes down what of it is there again, or is no more: in a new session once all is looked for, and then what was there, for as long as it is. What can't be read stays as it was known, and is looked for again later: it is no fault of what is wanted. */
export async function reportLifted(
  work: Work,
  session: Session,
  { desired, observation, all = false }: Seen,
): Promise<void> {
  const { lifted = [] } = desired
  const sought = all || !done.has(session) ? lifted : lifted.filter(({ back }) => back)
  if (sought.length > 0) {
    if (work.stopping() || work.clock.monotonicMs() < (failures.get(work)?.untilMs ?? 0)) return
    const observed = await lookFor(work, session, sought)
    if (observed === undefined) return
    const before = orphansOf(desired, observation)
    const orphans = orphansOf(desired, observation, standing(sought, observed.observation))
    if (!sameKeys(before, orphans)) {
      await work.journal.orphans({ orphans, readback: observed.readback })
    }
  }
  done.add(session)
}

async function lookFor(
  work: Work,
  session: Session,
  sought: readonly Lifted[],
): Promise<Observed | undefined> {
  try {
    await backToRest(work, session)
    const intents = sought.map(({ intent }) => intent)
    const observed = await observe(work, session, intents)
    failures.delete(work)
    return observed
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const count = (failures.get(work)?.count ?? 0) + 1
    // A first one may be the session's end alone.
    const waitMs = count === 1 ? 0 : backoffMs(count)
    failures.set(work, { count, untilMs: work.clock.monotonicMs() + waitMs })
    return undefined
  }
}

/** By the mark; where there is no place for one, by being what we wrote, or a part of it. */
function standing(sought: readonly Lifted[], { found }: Observation): readonly Found[] {
  return sought.flatMap(({ key, wrote }) => {
    const one = found.get(key)
    return one !== undefined && (one.mark === 'ours' || isPartOf(one.object, wrote)) ? [one] : []
  })
}

function sameKeys(one: readonly Orphan[], other: readonly Orphan[]): boolean {
  const keys = new Set<Key>(one.map(({ key }) => key))
  return keys.size === other.length && other.every(({ key }) => keys.has(key))
}
