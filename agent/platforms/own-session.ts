// The port that carries our own session: taken down, it could never be brought back. A device is asked where the address stands that the session was
// opened to; one that stands nowhere (behind address translation), or on a loopback, says nothing of the port that the packets take.

import { type Address, parseAddress } from '../../inventory/prefix.ts'
import { addressFact, type Facts, type Stop } from '../platform.ts'

/** The address that the session was opened to; undefined where that isn't known. */
export function ownAddress(facts: Facts): Address | undefined {
  return canonicalAddress(facts[addressFact] ?? '')
}

/** An address as a device prints it, with or without a length, in canonical text. */
export function canonicalAddress(text: string): Address | undefined {
  const parsed = parseAddress(text.replace(/\/\d+$/, ''))
  return parsed.ok ? parsed.value : undefined
}

/** Why a port that carries our session is not taken down. `by`: the interface of the session, where the port is another that carries it. */
export function sessionStop(port: string, by: string = port): Stop {
  const way = by === port ? port : `${by}, which ${port} carries`
  return {
    code: 'not_restorable',
    message: `our own session comes in by ${way}: it could never be brought back`,
    remedy: 'correct the port in the inventory, or name it under uplinks',
  }
}

/** Why a port on which interfaces stand that the inventory did not name is not taken down: they may be other customers'. */
export function othersStop(port: string, others: readonly string[]): Stop | undefined {
  if (others.length === 0) return undefined
  return {
    code: 'ambiguous',
    message: `${port} carries ${others.join(', ')}, which would go down with it`,
    remedy: "name the customer's own interface in the inventory",
  }
}
