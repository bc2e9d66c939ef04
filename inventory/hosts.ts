// Two devices on one host: a routing daemon and the system below it, each with a log-in and objects of its own. Anything else with one address, port and way is one machine twice.

import type { KnownPlatforms } from './ports.ts'

/** Whether devices of these two platforms may have the same endpoint. */
export function mayShareHost(one: string, other: string, platforms: KnownPlatforms): boolean {
  return platforms.get(one)?.beside === other || platforms.get(other)?.beside === one
}
