// What goes first: in the queue of one device, and at the gate before all devices.

import type { Id } from '../inventory/model.ts'

/** Order of a device's queue: the higher goes first. */
export const priorities = {
  'late save': 60,
  change: 50,
  retry: 30,
  check: 20,
  'dry-run': 10,
  further: 10,
  save: 0,
} as const

/** Ids of what waits once at most in a device's queue. */
export const convergence = 'convergence'
/** The save. */
export const saving = 'save'

/** Order at the gate. Decisions go before all else: devices that are dark hold a place there for as long as a log-in may take. What is left goes as it comes, so that nothing waits for ever. */
export function precedence(priority: number): number {
  return priority >= priorities.change ? 1 : 0
}

/** How a job of a device waits at the gate. `id`: of the job, where it is a convergence or a save; `waiting`: the most urgent reason of the convergence. What was decided is saved without delay too. */
export function placeAtGate(
  device: Id,
  id: string | undefined,
  waiting: number | undefined,
): { readonly priority: number; readonly id?: string } {
  if (id === convergence) return { priority: precedence(waiting ?? 0), id: device }
  return { priority: id === saving ? 1 : 0 }
}
