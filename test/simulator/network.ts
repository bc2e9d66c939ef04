// What the devices tell each other: a trigger's blackhole reaches the edges' forwarding tables a moment later, as over iBGP.

import type { SimulatorClock } from './clock.ts'
import type { Device } from './device.ts'
import type { Learnt } from './models/model.ts'

/** Joins triggers and edges; the answered function ends it. */
export function connectNetwork(
  devices: readonly Device[],
  propagationMs: number,
  clock: SimulatorClock,
): () => void {
  const triggers = devices.filter((device) => device.roles.includes('rtbh-trigger'))
  const edges = devices.filter((device) => device.roles.includes('edge'))
  let ended = false
  let cancel: (() => void) | undefined

  function deliver(): void {
    cancel = undefined
    const told = triggers.map((trigger) => ({
      trigger,
      routes: trigger.model
        .announced()
        .map((route): Learnt => ({ ...route, from: trigger.routerId })),
    }))
    for (const edge of edges) {
      // A device that is both tells itself nothing.
      edge.model.learn(told.flatMap(({ trigger, routes }) => (trigger === edge ? [] : routes)))
    }
  }

  // An edge that starts again has forgotten what it was told, and is told it anew.
  for (const one of new Set([...triggers, ...edges])) {
    one.model.onChange(() => {
      // One delivery takes all changes of its moment along.
      if (!ended && cancel === undefined) cancel = clock.after(propagationMs, deliver)
    })
  }
  deliver()
  return () => {
    ended = true
    cancel?.()
  }
}
