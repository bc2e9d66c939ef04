// Configuration as indented lines: what FRR and IOS both print, and no more than the text's own structure.

/** A line with the lines under it. */
export interface Block {
  text: string
  readonly children: Block[]
}

/** A line with nothing, or these, under it. */
export function block(text: string, children: readonly string[] = []): Block {
  return { text, children: children.map((child) => ({ text: child, children: [] })) }
}

/** A copy that shares nothing. */
export function copyBlocks(blocks: readonly Block[]): Block[] {
  return blocks.map(({ text, children }) => ({ text, children: copyBlocks(children) }))
}

/** Notes what these blocks are; the answered function makes the same ones that again, also for whoever holds one of them. */
export function noteBlocks(blocks: Block[]): () => void {
  const there = [...blocks]
  const texts = there.map(({ text }) => text)
  const inside = there.map(({ children }) => noteBlocks(children))
  return () => {
    blocks.splice(0, blocks.length, ...there)
    there.forEach((one, at) => {
      one.text = texts[at] ?? one.text
    })
    for (const restore of inside) restore()
  }
}

/** All lines, one blank of indentation a level. */
export function printBlocks(blocks: readonly Block[], indent = ''): string[] {
  return blocks.flatMap(({ text, children }) => [
    `${indent}${text}`,
    ...printBlocks(children, `${indent} `),
  ])
}

/** Lines of a neighbor that stand before `shutdown`, in the order in which FRR and IOS print them. */
const neighborRank = ['peer-group', 'remote-as', 'local-as', 'description', 'shutdown']

/** Puts a neighbor's line where it is printed: beside the neighbor's other lines. */
export function placeNeighborLine(bgp: Block, line: string): void {
  const [, peer = '', word = ''] = line.split(' ')
  const same = bgp.children.find((c) => c.text.startsWith(`neighbor ${peer} ${word}`))
  if (same !== undefined) {
    same.text = line
    return
  }
  const rank = (text: string): number => {
    const at = neighborRank.indexOf(text.split(' ')[2] ?? '')
    return at < 0 ? neighborRank.length : at
  }
  let after = -1
  bgp.children.forEach((child, at) => {
    if (child.text.startsWith(`neighbor ${peer} `) && rank(child.text) <= rank(line)) after = at
  })
  if (after < 0) {
    after = bgp.children.findLastIndex((child) => !child.text.startsWith('address-family'))
  }
  bgp.children.splice(after + 1, 0, block(line))
}

/** Expands abbreviated words: the one known command of which each typed word is a beginning; else the line as it is. */
export function expand(line: string, commands: readonly string[]): string {
  const words = line.trim().split(/\s+/)
  const fits = commands.filter((command) => {
    const known = command.split(' ')
    return (
      known.length <= words.length && known.every((word, i) => word.startsWith(words[i] ?? ' '))
    )
  })
  const longest = Math.max(0, ...fits.map((command) => command.split(' ').length))
  const best = fits.filter((command) => command.split(' ').length === longest)
  const exact = best.find((command) => words.slice(0, longest).join(' ') === command)
  const chosen = exact ?? (best.length === 1 ? best[0] : undefined)
  if (chosen === undefined) return line.trim()
  return [chosen, ...words.slice(longest)].join(' ')
}

/** Applies `| include X` and its kin as far as `filters` knows them. */
export function filterLines(text: string, keep: (line: string) => boolean): string {
  const lines = text.replace(/\n$/, '').split('\n').filter(keep)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** The regular expression that a person typed, or undefined where it is none. */
export function typedPattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text)
  } catch {
    return undefined
  }
}
