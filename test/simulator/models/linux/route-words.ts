// Words that several `ip route` commands share: tables, VRFs, targets.

import { fail, type Ran } from './ran.ts'
import type { LinuxState } from './state.ts'

/** Table of a VRF device. */
export function vrfTable(state: LinuxState, name: string): number | undefined {
  return state.kernel.links.find((one) => one.name === name && one.kind === 'vrf')?.table
}

/** What ip says of a table or VRF that it does not know. */
export function noTable(word: 'table' | 'vrf', value: string, what: string): Ran {
  return fail(
    255,
    `Error: argument "${value}" is wrong: ${word === 'vrf' ? 'Invalid VRF' : what}\n\n`,
  )
}

/** The target with its length, and its family. */
export function wideTarget(
  target: string,
  asked: 4 | 6 | undefined,
): { readonly text: string; readonly family: 4 | 6 } {
  if (target === 'default') {
    return asked === 6 ? { text: '::/0', family: 6 } : { text: '0.0.0.0/0', family: 4 }
  }
  const family = target.includes(':') ? 6 : 4
  return { family, text: target.includes('/') ? target : `${target}/${family === 4 ? 32 : 128}` }
}
