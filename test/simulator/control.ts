// Control of a running simulator by lines of JSON: what tests do by calls, from another process. One line in, one line out.

import { z } from 'zod'
import type { Simulator } from './simulator.ts'

const when = {
  matching: z.string().optional(),
  line: z.number().int().positive().optional(),
  times: z.number().int().positive().optional(),
}

const fault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('slow'), ms: z.number().nonnegative(), ...when }),
  z.strictObject({ kind: z.literal('split'), bytes: z.number().int().positive() }),
  z.strictObject({ kind: z.literal('disconnect'), when: z.enum(['before', 'after']), ...when }),
  z.strictObject({ kind: z.literal('hang'), ...when }),
  z.strictObject({ kind: z.literal('reject'), text: z.string().optional(), ...when }),
  z.strictObject({ kind: z.literal('lie'), ...when }),
  z.strictObject({
    kind: z.literal('foreign-change'),
    when: z.enum(['before', 'after']),
    lines: z.array(z.string()),
    ...when,
  }),
  z.strictObject({
    kind: z.literal('log-line'),
    where: z.enum(['echo', 'answer', 'prompt']),
    text: z.string().optional(),
    ...when,
  }),
  z.strictObject({ kind: z.literal('paging') }),
  z.strictObject({ kind: z.literal('lock'), by: z.string().optional() }),
  z.strictObject({ kind: z.literal('refuse-save'), text: z.string().optional() }),
  z.strictObject({ kind: z.literal('refuse-login') }),
  z.strictObject({ kind: z.literal('host-key') }),
  z.strictObject({ kind: z.literal('off') }),
])

const command = z.union([
  /** Puts a fault on. */
  z.strictObject({ device: z.string(), fault }),
  /** Takes all faults off. */
  z.strictObject({ device: z.string(), clear: z.literal(true) }),
  /** Types lines as another operator. */
  z.strictObject({ device: z.string(), hand: z.array(z.string()) }),
  z.strictObject({ device: z.string(), reboot: z.literal(true) }),
  z.strictObject({ device: z.string(), expireTimer: z.literal(true) }),
  /** Asks for a text, or for the lines received. */
  z.strictObject({ device: z.string(), show: z.enum(['running', 'startup', 'journal']) }),
])

/** Runs one line of JSON; answers `{ok: true, …}` or `{ok: false, problem}`. */
export function control(simulator: Simulator, line: string): object {
  try {
    return { ok: true, ...perform(simulator, command.parse(JSON.parse(line))) }
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) }
  }
}

function perform(simulator: Simulator, asked: z.infer<typeof command>): object {
  const device = simulator.device(asked.device)
  if ('fault' in asked) {
    device.faults.add(stripped(asked.fault))
    return { faults: device.faults.active.length }
  }
  if ('clear' in asked) {
    device.faults.clear()
    return {}
  }
  if ('hand' in asked) {
    device.setByHand(asked.hand)
    return {}
  }
  if ('reboot' in asked) {
    device.reboot()
    return {}
  }
  if ('expireTimer' in asked) return { expired: device.expireTimer() }
  switch (asked.show) {
    case 'running':
      return { text: device.running }
    case 'startup':
      return { text: device.startup }
    case 'journal':
      return { lines: device.journal.lines() }
  }
}

type Given = z.infer<typeof fault>

/** The same without fields that are there and undefined: our types tell the two apart, zod's do not. */
function stripped(given: Given): Parameters<ReturnType<Simulator['device']>['faults']['add']>[0] {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  // Checked by the schema above, which is the same union.
  return Object.fromEntries(entries) as ReturnType<typeof stripped>
}
