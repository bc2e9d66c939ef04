// Packet filters as elements of our own nftables sets. A set takes no overlap, so elements are maximal prefixes and swaps are made in one transaction.

import { z } from 'zod'
import { covers, familyOf, overlaps, type Prefix } from '../../../inventory/prefix.ts'
import { type Intent, type Key, keyOf } from '../../intents.ts'
import {
  type Answer,
  type Change,
  type Facts,
  type Found,
  free,
  type Line,
  type Read,
  type Rendering,
  type Stop,
} from '../../platform.ts'
import { answerTo, readJson } from '../output.ts'
import { type Drops, dropsOf } from './let-pass.ts'
import { comment, type Element } from './set-elements.ts'
import {
  readTable,
  type SetName,
  setNames,
  type Table,
  type TableFamily,
  tableCommands,
  tableFamilies,
} from './table.ts'

type Acl = Intent & { kind: 'acl' }

/** Reads for filters: both tables, and whether the host bridges. */
export function filterReads(run: (command: string) => string): readonly Read[] {
  return [
    ...tableFamilies.flatMap((family) => {
      const { all, head } = tableCommands(family)
      return [
        { what: `table|${family}`, line: free(run(all), 'shell') },
        { what: `head|${family}`, line: free(run(head), 'shell') },
      ]
    }),
    { what: 'bridges', line: free('ip -j link show type bridge', 'shell') },
  ]
}

/** What the tables hold, or why they can't be used. */
export interface Filters {
  readonly tables: readonly Table[]
  readonly stop?: Stop
}

const bridgeList = z.array(z.object({ ifname: z.string().optional() }))

/** The answers to `filterReads` as data. */
export function readFilters(answers: ReadonlyMap<string, Answer>): Filters {
  const tables: Table[] = []
  const absent: TableFamily[] = []
  for (const family of tableFamilies) {
    const all = answerTo(answers, `table|${family}`)
    const read = readTable({ all, head: answerTo(answers, `head|${family}`) }, family)
    // Of filters alone: what the account may see of routes and ports is seen all the same.
    if (read.kind === 'denied') return { tables: [], stop: denied(all, read.message) }
    if (read.kind === 'table') tables.push(read.table)
    if (read.kind === 'absent') absent.push(family)
    if (read.kind === 'without') {
      return { tables: [], stop: notPrepared(`nft can't be used: ${read.message}`) }
    }
  }
  const bridges = readJson(answerTo(answers, 'bridges'), bridgeList, 'bridges as JSON').flatMap(
    ({ ifname }) => ifname ?? [],
  )
  if (absent.includes('inet'))
    return { tables, stop: notPrepared('there is no table inet nullroute') }
  if (absent.includes('bridge') && bridges.length > 0) {
    const names = bridges.join(', ')
    return {
      tables,
      stop: notPrepared(
        `there is no table bridge nullroute, and what ${names} switches passes the other by`,
      ),
    }
  }
  return { tables }
}

function denied(answer: Answer, words: string): Stop {
  return {
    code: 'no_privilege',
    message: `the host refuses \`${answer.line.text}\`: ${words}`,
    remedy:
      'install the sudo fragment that `nullroute device prepare` shows: that of a host prepared for an earlier release allows less',
  }
}

function notPrepared(message: string): Stop {
  return {
    code: 'not_prepared',
    message,
    remedy:
      'prepare the host as `nullroute device prepare` shows, or load its table again (systemctl start nullroute-restore)',
  }
}

/** What stands for this prefix and direction. `asked` holds the keys that are wanted or claimed: marked elements of those do not count as someone else's. */
export function findFilter(
  intent: Acl,
  { tables, stop }: Filters,
  asked: ReadonlySet<string>,
): Omit<Found, 'key'> {
  const set = setOf(intent)
  const parts = tables.map((table) => partOf(table, intent, asked))
  const exact = parts.flatMap((part) => part.exact)
  const inside = parts.flatMap((part) => part.inside)
  const idle = stop === undefined ? idleReason(tables, set) : undefined
  const blocked = stop ?? unclearStop(tables, set) ?? idle
  // Elements that nothing drops by have no effect, so another's don't stand for what is wanted. What stands can be taken away all the same.
  const isIdle = exact.length > 0 && blocked === idle
  const counts = parts.length > 0 && (blocked === undefined || isIdle)
  const isSame = counts && parts.every((part) => part.stands)
  return {
    object: [...exact.map(({ command }) => command), ...inside],
    effect: effectOf({ exact, inside }, isSame),
    mark: exact.length > 0 && exact.every(({ marked }) => marked) ? 'ours' : 'none',
    inForce: isInForce(parts, blocked),
    ...obstacles(parts, isSame),
    ...reasons(blocked, isIdle, parts),
  }
}

function isInForce(parts: readonly Part[], blocked: Stop | undefined): Found['inForce'] {
  if (blocked !== undefined) return blocked.code === 'no_privilege' ? 'unknown' : 'no'
  if (parts.length === 0 || parts.some(({ drops }) => drops === 'no')) return 'no'
  return parts.every(({ drops }) => drops === 'yes') ? 'yes' : 'unknown'
}

function reasons(
  blocked: Stop | undefined,
  isIdle: boolean,
  parts: readonly Part[],
): Pick<Found, 'stop' | 'note'> {
  if (blocked !== undefined) return { note: blocked.message, ...(isIdle ? {} : { stop: blocked }) }
  const passes = parts.flatMap((part) => part.passes ?? [])
  return passes.length === 0 ? {} : { note: passes.join('; ') }
}

function effectOf(
  { exact, inside }: Pick<Part, 'exact' | 'inside'>,
  isSame: boolean,
): Found['effect'] {
  if (inside.length > 0) return 'other'
  if (isSame) return 'same'
  // Somebody else's in one of two tables: `add` would leave it as it is there, and nobody could tell afterwards which part is ours.
  return exact.some(({ marked }) => !marked) ? 'other' : 'none'
}

/** A set takes no overlap, and what stands in one of two tables already could not be told from ours afterwards. */
function obstacles(parts: readonly Part[], isSame: boolean): Pick<Found, 'inTheWay'> {
  const inTheWay = parts
    .flatMap(({ exact, narrower }) => [...(isSame ? [] : exact), ...narrower])
    .filter(({ marked }) => marked)
    .map(({ key, command }) => ({ key, object: command }))
  return inTheWay.length === 0 ? {} : { inTheWay }
}

interface Standing {
  readonly key: Key
  readonly command: string
  readonly marked: boolean
}

/** What one table has for an intent. */
interface Part extends Drops {
  readonly exact: readonly Standing[]
  /** With our mark, inside the prefix, and of keys that are asked for. */
  readonly narrower: readonly Standing[]
  /** Someone else's elements inside the prefix: ours would overlap them. */
  readonly inside: readonly string[]
  /** It is there, or covered by someone else's element. */
  readonly stands: boolean
}

function partOf(table: Table, intent: Acl, asked: ReadonlySet<string>): Part {
  const set = setOf(intent)
  const elements = table.elements.get(set) ?? []
  // What we may have put there for another of these keys will go when that goes; all else stays.
  const isForeign = ({ prefix, marked }: Element): boolean =>
    !marked || !asked.has(keyOf({ ...intent, prefix }))
  const others = elements.filter(({ prefix }) => prefix !== intent.prefix)
  const around = others.filter(({ prefix }) => covers(prefix, intent.prefix))
  const standing = ({ prefix, marked }: Element): Standing => ({
    key: keyOf({ ...intent, prefix }),
    command: addCommand(table.family, set, prefix),
    marked,
  })
  const exact = elements.filter(({ prefix }) => prefix === intent.prefix).map(standing)
  const inner = others.filter(({ prefix }) => covers(intent.prefix, prefix))
  return {
    exact,
    narrower: inner.filter((element) => !isForeign(element)).map(standing),
    inside: inner.filter(isForeign).map((element) => standing(element).command),
    stands: exact.length > 0 || around.some(isForeign),
    ...dropsOf(table, intent.prefix, exact.length + around.length > 0 && table.working.has(set)),
  }
}

/** Why nothing is dropped by a set, whatever is in it. */
function idleReason(tables: readonly Table[], set: SetName): Stop | undefined {
  for (const { family, working, dormant } of tables) {
    if (dormant) {
      return notPrepared(
        `the table ${family} nullroute is dormant (\`flags dormant\`): nothing is dropped by it`,
      )
    }
    if (!working.has(set)) {
      return notPrepared(
        `no rule of table ${family} nullroute drops by its set ${set}, or another rule stands before it`,
      )
    }
  }
  return undefined
}

function unclearStop(tables: readonly Table[], set: SetName): Stop | undefined {
  const table = tables.find(({ unclear }) => unclear.has(set))
  if (table === undefined) return undefined
  return {
    code: 'ambiguous',
    message: `the set ${set} of table ${table.family} nullroute holds a range that nullroute did not put there`,
    remedy: 'take the range out by hand; elements of these sets are single prefixes',
  }
}

/** Elements with our mark at other keys than those asked for. */
export function markedElements({ tables }: Filters, asked: ReadonlySet<string>): readonly Found[] {
  const objects = new Map<Found['key'], string[]>()
  for (const table of tables) {
    for (const set of setNames) {
      for (const { prefix, marked } of table.elements.get(set) ?? []) {
        const direction = set.startsWith('src') ? 'in' : 'out'
        const key = keyOf({ kind: 'acl', prefix, direction })
        if (!marked || asked.has(key)) continue
        objects.set(key, [...(objects.get(key) ?? []), addCommand(table.family, set, prefix)])
      }
    }
  }
  return [...objects].map(([key, object]) => ({
    key,
    object,
    effect: 'same',
    mark: 'ours',
    inForce: 'unknown',
  }))
}

/** How lines of this host are made. */
export interface Shell {
  readonly run: (command: string) => string
  readonly isRoot: boolean
  readonly facts: Facts
}

/** For a plan that is made without reading the host. */
const unreadTables =
  'the same goes into the table bridge nullroute where the host has one: --online shows it'

interface Swap {
  readonly intent: Acl
  readonly remove: readonly string[]
  readonly add: readonly string[]
  readonly wrote: readonly string[]
}

/** Renderings by change. Changes that overlap go out together, with the first of them: nothing is lifted in between, and no set ever refuses an overlap. */
export function renderFilters(
  changes: readonly Change[],
  shell: Shell,
): ReadonlyMap<Change, Rendering> {
  const swaps = new Map<Change, Swap>()
  for (const change of changes) {
    if (change.intent.kind === 'acl') swaps.set(change, swapOf(change, change.intent, shell.facts))
  }
  const renderings = new Map<Change, Rendering>()
  for (const group of groupsOf([...swaps])) {
    const remove = group.flatMap(([, swap]) => swap.remove)
    const add = group.flatMap(([, swap]) => swap.add)
    group.forEach(([change, { wrote }], i) => {
      const lines = i === 0
      renderings.set(change, {
        kind: 'lines',
        apply: lines ? transaction(remove, add, shell) : [],
        undo: lines ? transaction(add, remove, shell) : [],
        wrote,
        ...(shell.facts['tables'] === undefined ? { note: unreadTables } : {}),
      })
    })
  }
  return renderings
}

function swapOf(change: Change, intent: Acl, facts: Facts): Swap {
  const families = (facts['tables'] ?? 'inet').split(' ').filter(isFamily)
  const wanted = families.map((family) => addCommand(family, setOf(intent), intent.prefix))
  switch (change.kind) {
    case 'apply':
      return { intent, remove: [], add: wanted, wrote: wanted }
    case 'modify':
      // The object is its key: there is no attribute to change, only a table that came or went.
      return { intent, ...difference(change.from, wanted), wrote: wanted }
    case 'lift':
      return { intent, ...difference(change.wrote, change.before), wrote: change.before }
  }
}

function isFamily(text: string): text is TableFamily {
  return tableFamilies.some((family) => family === text)
}

function difference(
  from: readonly string[],
  to: readonly string[],
): { readonly remove: readonly string[]; readonly add: readonly string[] } {
  return {
    remove: from.filter((element) => !to.includes(element)),
    add: to.filter((element) => !from.includes(element)),
  }
}

type Entry = readonly [Change, Swap]

/** Changes that touch each other, directly or by a third, in the order of their first. */
function groupsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const groups: Entry[][] = []
  for (const entry of entries) {
    const touching = groups.filter((group) => group.some((other) => touch(entry[1], other[1])))
    const [first, ...others] = touching
    if (first === undefined) {
      groups.push([entry])
      continue
    }
    for (const other of others) {
      first.push(...other)
      groups.splice(groups.indexOf(other), 1)
    }
    first.push(entry)
  }
  return groups.map((group) => [...group].sort((a, b) => entries.indexOf(a) - entries.indexOf(b)))
}

function touch(one: Swap, other: Swap): boolean {
  return (
    setOf(one.intent) === setOf(other.intent) && overlaps(one.intent.prefix, other.intent.prefix)
  )
}

/** As root one nft call, which is all or nothing; with the sudo fragment single commands, removals first. */
function transaction(
  remove: readonly string[],
  add: readonly string[],
  { run, isRoot }: Shell,
): readonly Line[] {
  const statements = [...remove.map(deleteCommand), ...add]
  if (statements.length === 0) return []
  if (!isRoot) return statements.map((each) => free(run(nftCommand(each)), 'shell'))
  const one = `nft '${statements.join(' ; ')}'`
  // The terminal cuts a line at 4,095 bytes without a word.
  if (one.length <= 3_000) return [free(one, 'shell')]
  return [free(`nft -f - <<'EOF'\n${statements.join('\n')}\nEOF`, 'shell')]
}

// The braces are quoted from the shell, and stand by themselves for the expression in sudoers.
function nftCommand(statement: string): string {
  const brace = statement.indexOf('{')
  return `nft ${statement.slice(0, brace)}'${statement.slice(brace)}'`
}

function setOf({ prefix, direction }: Acl): SetName {
  const family = familyOf(prefix)
  return direction === 'in' ? `src${family}` : `dst${family}`
}

function addCommand(family: TableFamily, set: SetName, prefix: Prefix): string {
  return `add element ${family} nullroute ${set} { ${prefix} comment "${comment}" }`
}

function deleteCommand(command: string): string {
  return command.replace(/^add/, 'delete').replace(` comment "${comment}"`, '')
}
