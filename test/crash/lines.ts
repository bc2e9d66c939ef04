// Each line that a device receives, held against the audit log in the moment in which it arrives: what changes a configuration must stand there already,
// durable, in the device's newest step, and in its order.

import type { SimulatedPlatform } from '../simulator/spec.ts'
import type { Intended, Ledger } from './ledger.ts'
import type { Line } from './watch.ts'

/** Lines that change no configuration, running or saved: log-in, reads, and the ways into and out of a context. All others must have been written down. */
const harmless: Readonly<Record<SimulatedPlatform, readonly RegExp[]>> = {
  frr: [/^$/, /^(?:no )?terminal /, /^show /, /^configure terminal$/, /^(?:end|exit)$/],
  cisco_ios: [
    /^$/,
    /^enable$/,
    /^<secret>$/,
    /^terminal /,
    /^show /,
    /^configure terminal$/,
    /^(?:end|exit)$/,
  ],
  juniper_junos: [
    /^$/,
    /^set cli /,
    /^(?:run )?show /,
    /^configure exclusive$/,
    /^exit configuration-mode$/,
    // Of the candidate: nothing of it is in force before a commit.
    /^rollback 0$/,
  ],
  linux: [
    /^$/,
    /^exec env -i /,
    /^stty -echo$/,
    /^id -u; /,
    /^ip -j /,
    /^ip -o -[46] route show table all \| grep 'nexthop \.\*dev \S+ '$/,
    /^ip route get /,
    // Of the questions that `ip` reads from a here-document, and its end.
    /^route (?:show|get) /,
    /^ASKED$/,
    /^(?:setsid -w sudo -n )?nft -[jt] list table /,
    /^sysctl -n /,
    /^(?:cat|ls|test|head) [^>]*$/,
  ],
}

/** Whether a line may be sent without having been written down. */
function isHarmless(platform: SimulatedPlatform, text: string): boolean {
  return /^<ctrl-.>$/.test(text) || harmless[platform].some((one) => one.test(text))
}

/** Holds lines against a ledger. */
export interface LineWatch {
  /** Answers what the line's step is for, or a problem; undefined for a harmless line. */
  received(line: Line, platform: SimulatedPlatform): Finding | undefined
  /** A new life: sessions of the one before may still be read from. */
  reborn(): void
}

/** What the log says of a line. */
export type Finding =
  | { readonly kind: 'known'; readonly purpose: string }
  | { readonly kind: 'problem'; readonly problem: string }

/** How far the lines of a step have come. */
interface Reached {
  readonly step: number
  /** Place in the step's commands behind the last line that came. */
  readonly next: number
}

/** Steps that a line of a session from an earlier life may belong to. */
const earlierSteps = 4

/** No line has come yet. */
export function lineWatch(ledger: Ledger): LineWatch {
  const reached = new Map<string, Reached>()
  /** Sessions by device that were there before this life. */
  const known = new Map<string, Set<number>>()
  const old = new Map<string, Set<number>>()
  return {
    received(line, platform) {
      const sessions = known.get(line.device) ?? new Set()
      known.set(line.device, sessions.add(line.session))
      if (isHarmless(platform, line.text)) return undefined
      const isOld = old.get(line.device)?.has(line.session) === true
      const steps = ledger.intended(line.device, isOld ? earlierSteps : 1)
      for (const step of steps) {
        if (takes(step, line, reached)) return { kind: 'known', purpose: step.purpose }
      }
      return { kind: 'problem', problem: unknown(line, steps[0]) }
    },
    reborn() {
      for (const [device, sessions] of known) old.set(device, new Set(sessions))
    },
  }
}

/** Whether the line is the next of this step, or a later one: never one that was sent already. */
function takes(step: Intended, line: Line, reached: Map<string, Reached>): boolean {
  const last = reached.get(line.device)
  const from = last?.step === step.step ? last.next : 0
  const commands = step.commands.flatMap((command) => command.split('\n'))
  const at = commands.indexOf(line.text, from)
  if (at < 0) return false
  if (last === undefined || last.step <= step.step) {
    reached.set(line.device, { step: step.step, next: at + 1 })
  }
  return true
}

function unknown({ device, session, text, mode }: Line, newest: Intended | undefined): string {
  const known =
    newest === undefined
      ? 'no step at all'
      : `step ${newest.step} (${newest.purpose}): ${newest.commands.join(' ⏎ ')}`
  return `${device} received \`${text}\` in ${mode} (session ${session}), which no durable device.commands_intended holds (any more); the newest is ${known}`
}
