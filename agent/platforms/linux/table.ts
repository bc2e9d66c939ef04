// Our own nftables tables as data: their sets, and whether their rules make the sets work.

import { z } from 'zod'
import type { Answer } from '../../platform.ts'
import { readJson, unknownOutput } from '../output.ts'
import { type Element, readElement, readStretch, type Stretch } from './set-elements.ts'

/** The families that may have a table `nullroute`: routed traffic, and bridged. */
export const tableFamilies = ['inet', 'bridge'] as const

/** Family of one of our tables. */
export type TableFamily = (typeof tableFamilies)[number]

/** The sets that hold what is dropped. */
export const setNames = ['src4', 'dst4', 'src6', 'dst6'] as const

/** Name of such a set. */
export type SetName = (typeof setNames)[number]

/** The sets of what the rules let pass before anything is dropped. */
export const protectNames = ['protect4', 'protect6'] as const

/** Name of such a set. */
export type ProtectName = (typeof protectNames)[number]

/** One of our tables. */
export interface Table {
  readonly family: TableFamily
  readonly elements: ReadonlyMap<SetName, readonly Element[]>
  /** What the rules let pass before anything is dropped. */
  readonly spared: ReadonlyMap<ProtectName, readonly Stretch[]>
  /** Sets that a rule of a prerouting chain drops by. */
  readonly working: ReadonlySet<SetName>
  /** Sets with an element that is not understood, by someone else's hand: of those that drop any that is no prefix. */
  readonly unclear: ReadonlySet<SetName | ProtectName>
  /** Its chains are out of their hooks: no rule of it is asked. */
  readonly dormant: boolean
}

/** A table, or why there is none. */
export type TableRead =
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'absent' }
  /** What stands in it can't be seen. */
  | { readonly kind: 'denied'; readonly message: string }
  /** The host has no nft at all. */
  | { readonly kind: 'without'; readonly message: string }

const listing = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) })

const set = z.object({ name: z.string(), elem: z.array(z.unknown()).optional() })
const chain = z.object({
  name: z.string(),
  hook: z.string().optional(),
  type: z.string().optional(),
})
const rule = z.object({ chain: z.string(), expr: z.array(z.record(z.string(), z.unknown())) })
const match = z.object({
  op: z.literal('=='),
  left: z.object({ payload: z.object({ protocol: z.enum(['ip', 'ip6']), field: z.string() }) }),
  right: z.string().startsWith('@'),
})

/** The commands that read a table: all of it as data, and its head, since only the text names the flags (the JSON of nft 1.0.6 prints another word there). */
export function tableCommands(family: TableFamily): {
  readonly all: string
  readonly head: string
} {
  return {
    all: `nft -j list table ${family} nullroute`,
    head: `nft -t list table ${family} nullroute`,
  }
}

/** The answers to `tableCommands` → a table, or why there is none. */
export function readTable(
  { all: answer, head }: { readonly all: Answer; readonly head: Answer },
  family: TableFamily,
): TableRead {
  // One of the two may have been asked before it went, or before it came.
  const isAbsent = ({ text }: Answer): boolean =>
    text.trimStart().startsWith('Error: No such file or directory')
  if (isAbsent(answer) || isAbsent(head)) return { kind: 'absent' }
  const denied = [answer, head]
    .map(({ text }) => denial.exec(text)?.[0])
    .find((text) => text !== undefined)
  if (denied !== undefined) return { kind: 'denied', message: denied }
  if (/^.*: not found$/m.test(answer.text)) {
    return { kind: 'without', message: answer.text.trim().split('\n')[0] ?? '' }
  }
  const expected = `the table ${family} nullroute as JSON`
  const { nftables } = readJson(answer, listing, expected)
  const all = <T>(name: string, schema: z.ZodType<T>): readonly T[] =>
    nftables
      .filter((entry) => name in entry)
      .map((entry) => {
        const parsed = schema.safeParse(entry[name])
        if (!parsed.success) throw unknownOutput(answer, expected)
        return parsed.data
      })
  const sets = readSets(all('set', set))
  const working = workingSets(all('chain', chain), all('rule', rule))
  const dormant = isDormant(head, family)
  return { kind: 'table', table: { family, ...sets, working, dormant } }
}

function readSets(
  sets: readonly z.infer<typeof set>[],
): Pick<Table, 'elements' | 'spared' | 'unclear'> {
  const elements = new Map<SetName, readonly Element[]>()
  const spared = new Map<ProtectName, readonly Stretch[]>()
  const unclear = new Set<SetName | ProtectName>()
  for (const { name, elem = [] } of sets) {
    const own = setNames.find((each) => each === name)
    const protect = protectNames.find((each) => each === name)
    if (own !== undefined) {
      elements.set(own, known(elem, readElement))
      if (elem.some((entry) => readElement(entry) === undefined)) unclear.add(own)
    } else if (protect !== undefined) {
      spared.set(protect, known(elem, readStretch))
      if (elem.some((entry) => readStretch(entry) === undefined)) unclear.add(protect)
    }
  }
  return { elements, spared, unclear }
}

function known<T>(
  entries: readonly unknown[],
  read: (entry: unknown) => T | undefined,
): readonly T[] {
  return entries.map((entry) => read(entry)).filter((entry) => entry !== undefined)
}

const denial = /^(?:sudo: .*|.*Operation not permitted.*|.*[Pp]ermission denied.*)$/m

/** `flags dormant` stands before the sets and chains, whose first lines open a brace too. */
function isDormant(head: Answer, family: TableFamily): boolean {
  const [first = '', ...rest] = head.text.trimStart().split('\n')
  if (first.trim() !== `table ${family} nullroute {`) {
    throw unknownOutput(head, `the head of the table ${family} nullroute`)
  }
  const end = rest.findIndex((line) => line.trim().endsWith('{'))
  return rest
    .slice(0, end < 0 ? undefined : end)
    .some((line) => /^\s*flags [^"]*\bdormant\b/.test(line))
}

type Rule = z.infer<typeof rule>

// Rules decide in their order: a drop counts only while nothing of somebody else's stands before it, which may have let the packet pass.
function workingSets(
  chains: readonly z.infer<typeof chain>[],
  rules: readonly Rule[],
): ReadonlySet<SetName> {
  const working = new Set<SetName>()
  for (const { name, hook, type } of chains) {
    if (hook !== 'prerouting' || type !== 'filter') continue
    for (const each of rules.filter((one) => one.chain === name)) {
      const dropped = setNames.find((set) => decides(each, set, 'drop'))
      if (dropped !== undefined) working.add(dropped)
      else if (!protectNames.some((set) => decides(each, set, 'accept'))) break
    }
  }
  return working
}

/** Whether a rule gives that verdict to what is in the set, on one condition and no other: a rule with more would hit only a part. */
function decides({ expr }: Rule, set: SetName | ProtectName, verdict: 'drop' | 'accept'): boolean {
  const [condition, ...rest] = expr.filter((step) => !('counter' in step))
  const only = match.safeParse(condition?.['match'])
  if (!only.success || rest.length !== 1 || rest[0] === undefined || !(verdict in rest[0])) {
    return false
  }
  const { protocol, field } = only.data.left.payload
  const fields = set.startsWith('src')
    ? ['saddr']
    : set.startsWith('dst')
      ? ['daddr']
      : ['saddr', 'daddr']
  return (
    only.data.right === `@${set}` &&
    fields.includes(field) &&
    protocol === (set.endsWith('4') ? 'ip' : 'ip6')
  )
}
