// `ip rule`: which table is asked for which packets, and what becomes of a packet of the host's own.

import { type Address, covers, hostPrefix, type Prefix } from '../../../../inventory/prefix.ts'
import { typedPrefix } from '../prefixes.ts'
import { fail, type IpOptions, type Ran, ran } from './ran.ts'
import { noTable, wideTarget } from './route-words.ts'
import { type LinuxState, type Rule, tableName, tableNumber } from './state.ts'

/** `ip rule …`, the words behind `rule`. */
export function ipRule(state: LinuxState, words: readonly string[], options: IpOptions): Ran {
  const [verb = 'show', ...rest] = words
  const family = options.family ?? 4
  if ('show'.startsWith(verb) || 'list'.startsWith(verb)) return show(state, family, options)
  if (verb !== 'add' && verb !== 'del') {
    return fail(255, `Command "${verb}" is unknown, try "ip rule help".\n`)
  }
  const wanted = parseRule(rest, family)
  if ('status' in wanted) return wanted
  if (!options.root) return fail(2, 'RTNETLINK answers: Operation not permitted\n')
  return verb === 'add' ? add(state, wanted) : remove(state, wanted)
}

type Wanted = Omit<Rule, 'priority'> & { readonly priority: number | undefined }

function parseRule(words: readonly string[], family: 4 | 6): Wanted | Ran {
  const texts = new Map<string, string>()
  for (let at = 0; at < words.length; at += 2) {
    const word = synonyms[words[at] ?? ''] ?? words[at] ?? ''
    if (!known.has(word)) {
      return fail(255, `Error: argument "${word}" is wrong: Failed to parse rule type\n\n`)
    }
    texts.set(word, words[at + 1] ?? '')
  }
  const table = tableNumber(texts.get('lookup') ?? 'main')
  if (table === undefined) {
    return noTable('table', texts.get('lookup') ?? '', 'invalid table ID\n')
  }
  const numberOf = (word: string): number | undefined =>
    texts.has(word) ? Number(texts.get(word)) : undefined
  return {
    family,
    priority: numberOf('pref'),
    from: prefixOf(texts.get('from'), family),
    to: prefixOf(texts.get('to'), family),
    iif: texts.get('iif'),
    fwmark: texts.get('fwmark'),
    suppress: numberOf('suppress_prefixlength'),
    table,
  }
}

const known: ReadonlySet<string> = new Set([
  'from',
  'to',
  'iif',
  'fwmark',
  'lookup',
  'pref',
  'suppress_prefixlength',
])

const synonyms: Readonly<Record<string, string | undefined>> = {
  table: 'lookup',
  priority: 'pref',
  preference: 'pref',
  order: 'pref',
  dev: 'iif',
}

function prefixOf(text: string | undefined, family: 4 | 6): Prefix | undefined {
  if (text === undefined || text === 'all') return undefined
  return typedPrefix(wideTarget(text, family).text, family)
}

function add(state: LinuxState, wanted: Wanted): Ran {
  const { kernel } = state
  const lowest = Math.min(
    ...kernel.rules
      .filter(({ family, priority }) => family === wanted.family && priority > 0)
      .map(({ priority }) => priority),
  )
  const rule: Rule = { ...wanted, priority: wanted.priority ?? lowest - 1 }
  if (kernel.rules.some((one) => isMeant(one, rule))) {
    return fail(2, 'RTNETLINK answers: File exists\n')
  }
  kernel.rules = [...kernel.rules, rule].toSorted((a, b) => a.priority - b.priority)
  state.listener()
  return ran('')
}

function remove(state: LinuxState, wanted: Wanted): Ran {
  const { kernel } = state
  const at = kernel.rules.findIndex((one) => isMeant(one, wanted))
  if (at < 0) return fail(2, 'RTNETLINK answers: No such file or directory\n')
  kernel.rules = kernel.rules.toSpliced(at, 1)
  state.listener()
  return ran('')
}

function isMeant(one: Rule, wanted: Wanted): boolean {
  return (
    one.family === wanted.family &&
    [undefined, one.priority].includes(wanted.priority) &&
    one.from === wanted.from &&
    one.to === wanted.to &&
    one.iif === wanted.iif &&
    one.fwmark === wanted.fwmark &&
    one.suppress === wanted.suppress &&
    one.table === wanted.table
  )
}

function show({ kernel }: LinuxState, family: 4 | 6, { json }: IpOptions): Ran {
  const rules = kernel.rules.filter((one) => one.family === family)
  if (json) return ran(`${JSON.stringify(rules.map(jsonRule))}\n`)
  return ran(rules.map(textRule).join(''))
}

function jsonRule(rule: Rule): object {
  const { priority, from, to, iif, fwmark, suppress, table } = rule
  return {
    priority,
    ...jsonPrefix('src', from ?? 'all'),
    ...(to === undefined ? {} : jsonPrefix('dst', to)),
    ...(fwmark === undefined ? {} : { fwmark }),
    ...(iif === undefined ? {} : { iif }),
    ...(table === 'l3mdev' ? { l3mdev: null } : { table: tableName(table) }),
    ...(suppress === undefined ? {} : { suppress_prefixlen: suppress }),
  }
}

function jsonPrefix(name: 'src' | 'dst', prefix: string): object {
  const [address, length] = prefix.split('/')
  return length === undefined || /^(?:32|128)$/.test(length)
    ? { [name]: address }
    : { [name]: address, [`${name}len`]: Number(length) }
}

function textRule({ priority, from, to, iif, fwmark, suppress, table }: Rule): string {
  const words = [
    `from ${from ?? 'all'}`,
    ...(to === undefined ? [] : [`to ${to}`]),
    ...(fwmark === undefined ? [] : [`fwmark ${fwmark}`]),
    ...(iif === undefined ? [] : [`iif ${iif}`]),
    `lookup ${table === 'l3mdev' ? '[l3mdev-table]' : tableName(table)}`,
    ...(suppress === undefined ? [] : [`suppress_prefixlength ${suppress}`]),
  ]
  return `${priority}:\t${words.join(' ')}\n`
}

/** Tables that are asked for a packet of the host's own, in turn: it comes in by no interface and bears no mark. A route of that length or a shorter one is passed over. */
export function tablesFor(
  { kernel }: LinuxState,
  address: Address,
): readonly { readonly table: number; readonly suppress: number }[] {
  const host = hostPrefix(address)
  return kernel.rules.flatMap(({ family, from, to, iif, fwmark, table, suppress = -1 }) => {
    const isOwn = [from, iif, fwmark].every((one) => one === undefined)
    const fits =
      family === (address.includes(':') ? 6 : 4) && (to === undefined || covers(to, host))
    return isOwn && fits && table !== 'l3mdev' ? [{ table, suppress }] : []
  })
}
