// Which lines may go out together, in one write. Pure.
// The rule that must never break: a line that is not `free` goes out only after the prompt of the context it needs was seen.

import type { Context, Line, Platform } from './platform.ts'

/** Most bytes typed ahead of an answer: the kernel's terminal queue behind a device's SSH server holds 4,096 and cuts what is more. */
const windowBytesMax = 3_500

/** A line after which an empty one may be typed: a read at rest, which asks nothing. */
export function isRead(line: Line, rest: Context): boolean {
  return line.free && line.needs === rest && line.opens === undefined && line.replies === undefined
}

/**
 * The lines that may go out now, in one write. None, if the first is meant for another context.
 * The line that enters the change may go behind reads at rest: they can't leave the context that was seen.
 */
export function nextWindow(
  lines: readonly Line[],
  from: number,
  { context, platform }: { readonly context: Context; readonly platform: Platform },
): readonly Line[] {
  const [first, ...more] = lines.slice(from)
  if (first === undefined) return []
  if (!first.free) return first.needs === context ? [first] : []
  const window = [first]
  let bytes = bytesOf(first)
  for (const line of more) {
    const before = window.at(-1)
    // What comes after a line that opens a context, or that may ask something, always waits for its prompt.
    if (before?.opens !== undefined || before?.replies !== undefined) break
    bytes += bytesOf(line)
    if (bytes > windowBytesMax) break
    if (!line.free) {
      if (entersBehindReads(line, window, { context, platform })) window.push(line)
      break
    }
    window.push(line)
  }
  return window
}

function bytesOf(line: Line): number {
  return Buffer.byteLength(line.text) + 1
}

function entersBehindReads(
  line: Line,
  window: readonly Line[],
  { context, platform }: { readonly context: Context; readonly platform: Platform },
): boolean {
  const { transaction, rest } = platform
  if (transaction.kind !== 'line' || line !== transaction.enter[0]) return false
  return context === rest && line.needs === rest && window.every((one) => isRead(one, rest))
}
