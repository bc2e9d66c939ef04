// Commits that wait to be confirmed: whoever confirms one must have read the configuration since, and in another session than the one that made it, which
// would still show what it sees as its own.

import type { Line } from './watch.ts'

/** Holds the lines of devices with confirmed commits against each other. */
export interface ConfirmWatch {
  /** A problem, where this line confirms what was not read back. */
  received(line: Line): string | undefined
}

interface Waiting {
  readonly session: number
  /** Sessions that have read since. */
  readonly read: Set<number>
}

/** The read of all that carries our mark: each read-back begins so. */
const reads = /^show configuration \| display set \| match "(?!\^deactivate)/
/** The candidate is another now: what waits is not ours to confirm any more, or there is nothing. */
const edits = /^(?:set (?!cli )|delete |insert |load |rollback [1-9])/

/** No commit has been made yet. */
export function confirmWatch(): ConfirmWatch {
  const waiting = new Map<string, Waiting>()
  return {
    received({ device, session, text }) {
      const one = waiting.get(device)
      if (text.startsWith('commit confirmed ')) {
        waiting.set(device, { session, read: new Set() })
        return undefined
      }
      if (one === undefined) return undefined
      if (reads.test(text)) one.read.add(session)
      else if (edits.test(text)) waiting.delete(device)
      else if (/^commit\b/.test(text)) {
        waiting.delete(device)
        if (session === one.session) {
          return `${device}: \`${text}\` confirms in session ${session} what the same session had committed`
        }
        if (!one.read.has(session)) {
          return `${device}: \`${text}\` confirms in session ${session}, which has not read the configuration since the commit in session ${one.session}`
        }
      }
      return undefined
    },
  }
}
