// How long each key is waited for, over all convergences of a device, and from when its time counts.

import { isFading, type Waiting } from './converge-states.ts'
import type { Wait, Work } from './converge-work.ts'
import type { Decision, Desired } from './diff.ts'
import { type Key, keyOf } from './intents.ts'

/** Time between two questions whether other devices were changed, in ms: they cost a look through all that is wanted there. */
const askMs = 1_000

/** Keys whose time is over, and of all open keys those that wait for other devices. */
export interface Expiry {
  readonly expired: ReadonlySet<Key>
  readonly awaited: Waiting
}

/** Of the open keys those whose time is over. Notes since when each is waited for, and forgets those that are open no more. What is to be learnt from others has all its time from when they have it. */
export function expiredOf(work: Work, open: readonly Decision[], desired: Desired): Expiry {
  const { waits } = work
  const now = work.clock.monotonicMs()
  const keys = new Set(open.map(({ key }) => key))
  for (const key of waits.keys()) if (!keys.has(key)) waits.delete(key)
  const asked = new Set<Key>()
  for (const decision of open) {
    const { key } = decision
    const what = waitedFor(decision, desired)
    const known = waits.get(key)
    if (what === 'effect' && isToBeAsked(work, known, now)) asked.add(key)
    else if (known === undefined || !isSame(known.what, what))
      waits.set(key, { what, sinceMs: now })
  }
  const awaited = asked.size === 0 ? new Map() : work.journal.awaits(asked)
  for (const key of asked) waits.set(key, nextWait(waits.get(key), awaited.has(key), now))
  const expired = new Set([...keys].filter((key) => isOver(work, waits.get(key), now)))
  return { expired, awaited }
}

function isToBeAsked(work: Work, known: Wait | undefined, now: number): boolean {
  if (known === undefined || !isSame(known.what, 'effect')) return true
  const isDue = known.what === 'others' && now - (known.askedMs ?? 0) >= askMs
  return isDue || isOver(work, known, now)
}

// That others have lost it again is no new beginning: what is over stays so until they have it.
function nextWait(known: Wait | undefined, isAwaited: boolean, now: number): Wait {
  const before = known?.what === 'own' || known?.what === 'end' ? undefined : known
  if (isAwaited) return { what: 'others', sinceMs: before?.sinceMs ?? now, askedMs: now }
  return before?.what === 'effect' ? before : { what: 'effect', sinceMs: now }
}

function isOver({ limits }: Work, wait: Wait | undefined, now: number): boolean {
  if (wait === undefined) return false
  const limit = wait.what === 'own' ? limits.ownMs : limits.observerMs
  return now - wait.sinceMs >= limit
}

function isSame(known: Wait['what'], what: Wait['what']): boolean {
  return known === what || (known === 'others' && what === 'effect')
}

function waitedFor(decision: Decision, desired: Desired): Exclude<Wait['what'], 'others'> {
  if (isFading(decision, desired)) return 'end'
  const { key } = decision
  const own =
    desired.wanted.some((intent) => keyOf(intent) === key) ||
    desired.claims.some((claim) => claim.key === key)
  return own ? 'own' : 'effect'
}
