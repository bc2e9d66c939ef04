// What a device's configuration says, compared: as before, as enforced, somewhere in between, or something that neither has. Pure.

/** A configuration as a bag of lines, each with its parents: `shutdown` of one port is not that of another. */
type Bag = ReadonlyMap<string, number>

/** What a device shows, between its states before and in force. */
export type Shows = 'as before' | 'in force' | 'partly' | 'collateral'

/** Lines with what they are indented under. */
function bagOf(text: string): Bag {
  const bag = new Map<string, number>()
  const parents: { readonly depth: number; readonly line: string }[] = []
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const depth = line.length - line.trimStart().length
    while ((parents.at(-1)?.depth ?? -1) >= depth) parents.pop()
    parents.push({ depth, line: line.trim() })
    const path = parents.map((one) => one.line).join(' / ')
    bag.set(path, (bag.get(path) ?? 0) + 1)
  }
  return bag
}

/** What `more` has beyond `less`. */
function beyond(more: Bag, less: Bag): readonly string[] {
  return [...more].flatMap(([line, count]) =>
    Array.from({ length: Math.max(0, count - (less.get(line) ?? 0)) }, () => line),
  )
}

/** The difference of two texts as signed lines. */
export function differenceOf(from: string, to: string): readonly string[] {
  const [old, now] = [bagOf(from), bagOf(to)]
  return [
    ...beyond(old, now).map((line) => `- ${line}`),
    ...beyond(now, old).map((line) => `+ ${line}`),
  ]
}

/** Where a configuration stands between the one before and the one in force. Whatever it lacks or has beyond both is collateral. */
export function compareStates(
  text: string,
  known: { readonly before: string; readonly enforced: string },
): { readonly shows: Shows; readonly collateral: readonly string[] } {
  // Not by the bytes: where somebody else's line stands beside ours depends on who came first.
  if (differenceOf(known.before, text).length === 0) return { shows: 'as before', collateral: [] }
  if (differenceOf(known.enforced, text).length === 0) return { shows: 'in force', collateral: [] }
  const allowed = new Set(differenceOf(known.before, known.enforced))
  const collateral = differenceOf(known.before, text).filter((line) => !allowed.has(line))
  return { shows: collateral.length > 0 ? 'collateral' : 'partly', collateral }
}
