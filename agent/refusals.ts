// Why nothing is sent for a key: what stands there is not ours, or can't be said to be gone.

import type { Claim } from './diff.ts'
import type { Intent, Key } from './intents.ts'
import type { Found, Stop } from './platform.ts'

/** Why nothing is sent for a key. */
export interface Refused {
  readonly code: Stop['code'] | 'foreign_object' | 'foreign_change' | 'unknown_output'
  readonly message: string
  readonly remedy: string
}

/** Whether there is a discard, of the whole prefix or of a part. */
function staysInForce({ inForce }: Found): boolean {
  return inForce === 'yes' || inForce === 'partly'
}

/** Whether it may be discarded: of a route in a form that isn't understood it can't be said that it leads on. Elsewhere what was not seen has no such doubt. */
export function mayStay({ kind }: Intent, found: Found): boolean {
  return staysInForce(found) || (kind === 'blackhole' && found.inForce === 'unknown')
}

/** Stops with which the place of the object was read, and is empty. */
const certain: ReadonlySet<Stop['code']> = new Set(['no_such_object', 'not_restorable'])

/** Whether the place of the object was read all the same, if the platform stopped at all. */
export function isReadable({ stop }: Found): boolean {
  return stop === undefined || certain.has(stop.code)
}

/** Why an object that isn't shown can't be said to be gone: what could not be read is not absent, and a claim that goes too early leaves a customer cut off for good. */
export function doubtOf(claim: Claim, found: Found): Refused | undefined {
  if (!isReadable(found)) return found.stop
  // Somebody else's effect on the same object says `same`; this one has no source that could be named.
  if (claim.phase !== 'held' || !staysInForce(found) || found.effect !== 'none') return undefined
  return {
    code: 'unknown_output',
    message:
      'the configuration does not show what nullroute put there, but it is in force: it can not be said to be gone',
    remedy:
      'look at the device by hand: either the read went wrong, or something else has the same effect there; it is read again by itself',
  }
}

/** Our mark without a claim is not ours, so it can't go to make room; only a person can say whose it is. */
export function orphanIn(found: Found, claims: ReadonlyMap<Key, Claim>): Refused | undefined {
  const orphans = (found.inTheWay ?? []).filter(({ key }) => !claims.has(key))
  const [first] = orphans
  if (first === undefined) return undefined
  const lines = orphans.map(({ object }) => object).join('; ')
  return {
    code: 'foreign_object',
    message: `there is an object with nullroute’s mark that no claim makes ours: ${lines}`,
    remedy: `take it over with \`nullroute device adopt\` and the key ${first.key}, or remove it by hand`,
  }
}

/** That somebody else's object stands in our place, or ours was changed by someone. */
export function foreignStop(found: Found, claim: Claim | undefined): Refused {
  const line = found.object.join('; ')
  return claim === undefined
    ? {
        code: 'foreign_object',
        message: `there is an object that nullroute did not put there: ${line}`,
        remedy:
          'remove or change that line by hand if it may go; nullroute never replaces what is not its own',
      }
    : {
        code: 'foreign_change',
        message: `what nullroute put there was changed by someone: ${line}`,
        remedy: 'restore or remove that line by hand; nullroute never replaces what is not its own',
      }
}
