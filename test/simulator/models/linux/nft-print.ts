// How `nft` prints tables: as text, and as JSON with its own spacing.

import type { NftChain, NftElement, NftSet, NftTable } from './nft-tables.ts'

/** Tables as `nft` lists them. `set`: only a set was asked for, so JSON leaves the table out. */
export function printNft(tables: readonly NftTable[], json: boolean, asked?: 'set'): string {
  if (!json) return tables.map((table) => `${textTable(table)}\n`).join('')
  const items = tables.flatMap((table) => [
    ...(asked === 'set' ? [] : [{ table: jsonTable(table) }]),
    ...table.sets.map((set) => ({ set: jsonSet(table, set) })),
    ...table.chains.map((chain) => ({ chain: jsonChain(table, chain) })),
    ...table.chains.flatMap((chain) => jsonRules(table, chain)),
  ])
  const info = {
    metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 },
  }
  return `${spaced({ nftables: [info, ...items] })}\n`
}

/** JSON with a blank behind each colon and comma, as jansson prints it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const items = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}: ${spaced(item)}`,
    )
    return `{${items.join(', ')}}`
  }
  return JSON.stringify(value)
}

function shown(prefix: string): string {
  return prefix.replace(/\/(?:32|128)$/, (length) =>
    (length === '/32') === prefix.includes(':') ? length : '',
  )
}

function jsonElement({ prefix, until, comment }: NftElement, counter: boolean): unknown {
  const val = jsonValue(shown(prefix), until)
  if (comment === undefined && !counter) return val
  return {
    elem: {
      val,
      ...(comment === undefined ? {} : { comment }),
      ...(counter ? { counter: { packets: 0, bytes: 0 } } : {}),
    },
  }
}

function jsonValue(text: string, until: string | undefined): unknown {
  if (until !== undefined) return { range: [text, until] }
  const [addr, len] = text.split('/')
  return len === undefined ? text : { prefix: { addr, len: Number(len) } }
}

/** What 1.0.6 prints of the flags is the family once more. */
function jsonTable({ family, name, handle, dormant }: NftTable): object {
  return { family, name, handle, ...(dormant ? { flags: family } : {}) }
}

function jsonSet(table: NftTable, set: NftSet): object {
  return {
    family: table.family,
    name: set.name,
    table: table.name,
    type: set.type,
    handle: set.handle,
    flags: ['interval'],
    ...(set.elements.length === 0
      ? {}
      : { elem: set.elements.map((element) => jsonElement(element, set.counter)) }),
    ...(set.counter ? { stmt: [{ counter: null }] } : {}),
  }
}

function jsonChain(table: NftTable, chain: NftChain): object {
  return {
    family: table.family,
    table: table.name,
    name: chain.name,
    handle: chain.handle,
    ...(chain.hook === undefined
      ? {}
      : {
          type: chain.hook.type,
          hook: chain.hook.hook,
          prio: chain.hook.priority,
          policy: 'accept',
        }),
  }
}

function jsonRules(table: NftTable, chain: NftChain): object[] {
  return chain.rules.map(({ handle, text }) => ({
    rule: {
      family: table.family,
      table: table.name,
      chain: chain.name,
      handle,
      expr: jsonExpression(text),
    },
  }))
}

function jsonExpression(text: string): unknown[] {
  const match = /^(ip6?|ether) (saddr|daddr) (\S+)/.exec(text)
  const rest = text.slice(match?.[0].length ?? 0).trim()
  return [
    ...(match === null
      ? []
      : [
          {
            match: {
              op: '==',
              left: { payload: { protocol: match[1], field: match[2] } },
              right: match[3],
            },
          },
        ]),
    ...rest
      .split(' ')
      .filter((word) => word !== '')
      .map((word) =>
        word === 'counter' ? { counter: { packets: 0, bytes: 0 } } : { [word]: null },
      ),
  ]
}

function textTable(table: NftTable): string {
  const parts = [
    ...(table.dormant ? ['\tflags dormant\n'] : []),
    ...table.sets.map(textSet),
    ...table.chains.map(textChain),
  ]
  return `table ${table.family} ${table.name} {\n${parts.join('\n')}}`
}

function textSet(set: NftSet): string {
  const elements = set.elements.map(
    ({ prefix, until, comment }) =>
      `${shown(prefix)}${until === undefined ? '' : `-${until}`}${set.counter ? ' counter packets 0 bytes 0' : ''}${comment === undefined ? '' : ` comment "${comment}"`}`,
  )
  const pairs: string[] = []
  for (let at = 0; at < elements.length; at += 2) pairs.push(elements.slice(at, at + 2).join(', '))
  const lines = [
    `type ${set.type}`,
    'flags interval',
    ...(set.counter ? ['counter'] : []),
    ...(pairs.length === 0 ? [] : [`elements = { ${pairs.join(',\n\t\t\t     ')} }`]),
  ]
  return `\tset ${set.name} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`
}

function textChain(chain: NftChain): string {
  const hook =
    chain.hook === undefined
      ? []
      : [
          `type ${chain.hook.type} hook ${chain.hook.hook} priority ${priorityText(chain.hook.priority)}; policy accept;`,
        ]
  const lines = [...hook, ...chain.rules.map(({ text }) => text)]
  return `\tchain ${chain.name} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`
}

function priorityText(priority: number): string {
  if (priority === -300) return 'raw'
  const apart = priority + 300
  return Math.abs(apart) <= 10
    ? `raw ${apart < 0 ? '-' : '+'} ${Math.abs(apart)}`
    : String(priority)
}
