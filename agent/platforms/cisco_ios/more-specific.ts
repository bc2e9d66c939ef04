// The answers to `show ip route A M longer-prefixes` and `show ipv6 route P longer-prefixes`: routes inside a prefix that lead somewhere. For their
// addresses they win over any discard of the whole.

import { covers, familyOf, type Prefix, parsePrefix } from '../../../inventory/prefix.ts'
import type { Answer, Read } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { isUnknownLine } from './dialogue.ts'
import { type Path, pathOfRow } from './paths.ts'
import { endsInDiscard, isAbsent, readsForPaths, type Table } from './routes.ts'

/** The first prefix inside that is not dropped; `none`, or `unknown` where the image can't say. */
export function leakInside(
  answer: Answer,
  prefix: Prefix,
  table: Table,
): { readonly kind: 'none' | 'unknown' } | { readonly kind: 'leak'; readonly prefix: Prefix } {
  const entries = entriesInside(answer, prefix, table)
  if (entries === undefined) return { kind: 'unknown' }
  const leak = entries.find(({ paths }) => !endsInDiscard(paths, table.answers))
  return leak === undefined ? { kind: 'none' } : { kind: 'leak', prefix: leak.prefix }
}

/** The reads that are missing to say where the routes inside lead: none where one leads on in any case. */
export function readsForInside(answer: Answer, prefix: Prefix, table: Table): readonly Read[] {
  const paths = (entriesInside(answer, prefix, table) ?? []).flatMap((entry) => entry.paths)
  const leads = paths.some(({ kind }) => kind === 'onward' || kind === 'unknown')
  return leads ? [] : readsForPaths(paths, table.answers)
}

/** The routes inside; undefined where the image doesn't know the question. */
function entriesInside(
  answer: Answer,
  prefix: Prefix,
  { vrf }: Table,
): readonly Entry[] | undefined {
  if (isUnknownLine(answer.text)) return undefined
  if (isAbsent(answer.text)) return []
  if (!/^(?:Codes: |Gateway of last resort|IPv6 Routing Table)/m.test(answer.text)) {
    throw unknownOutput(answer, 'a table of routes')
  }
  return rowsOf(answer, prefix)
    .filter((row) => row.prefix !== prefix && covers(prefix, row.prefix))
    .map((row) => ({
      prefix: row.prefix,
      paths: row.paths.map((path) => pathOfRow(path, vrf)),
    }))
}

interface Entry {
  readonly prefix: Prefix
  readonly paths: readonly Path[]
}

interface Row {
  readonly prefix: Prefix
  readonly paths: string[]
}

/**
 * A code, and perhaps a second one and signs: `S`, `S*`, `O E2`, `O*IA`, `i ia`, `i*L1`, `n Nd`, `B   %`, `S   p`, `NDp`. Which there are differs by
 * release: the legend above each table has them, and each is of three characters at most. A row of a new one is a route all the same.
 */
const code = String.raw`[A-Za-z][A-Za-z0-9]{0,2}(?:[ *+%&]+[A-Za-z][A-Za-z0-9]{0,2})*`
const four = new RegExp(String.raw`^${code}[ *+%&]*[ *](\d+\.\d+\.\d+\.\d+)(\/\d+)?(?:,| |$)(.*)$`)
const six = new RegExp(
  String.raw`^${code}[ *+%&]*[ *]([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\/\d+)(?:,| |$)(.*)$`,
)
const header = /^ *\d+\.\d+\.\d+\.\d+(\/\d+) is (variably )?subnetted,/
const continued = /^ +(?:\[\d+\/\d+\]|via |is |directly )/
const gateway = /^Gateway of last resort is /
const anAddress = /\d\.\d+\.\d+\.\d|::|(?:[0-9A-Fa-f]{1,4}:){3}/

/**
 * Rows of the table. A row without a length has that of the header above it; a long one goes on in the next lines. A line with an address in any other
 * form may be a route that leads on: then nothing is said of the table.
 */
function rowsOf(answer: Answer, prefix: Prefix): readonly Row[] {
  const rows: Row[] = []
  const form = familyOf(prefix) === 4 ? four : six
  let length = ''
  for (const line of answer.text.split('\n')) {
    const above = header.exec(line)
    const row = form.exec(line)
    const last = rows.at(-1)
    if (above !== null) length = above[2] === undefined ? (above[1] ?? '') : ''
    else if (row !== null) rows.push(rowOf(answer, row, length))
    else if (last !== undefined && continued.test(line)) last.paths.push(line.trim())
    else if (anAddress.test(line) && !gateway.test(line)) {
      throw unknownOutput(answer, `a row of the table, or what belongs to one, for \`${line}\``)
    }
  }
  return rows
}

function rowOf(answer: Answer, row: RegExpExecArray, length: string): Row {
  const [, base = '', own, rest = ''] = row
  const isSix = base.includes('/')
  const parsed = parsePrefix(isSix ? base : `${base}${own ?? length}`)
  if (!parsed.ok) throw unknownOutput(answer, `the prefix of \`${row[0].trim()}\``)
  // A row of IPv6 has its paths below.
  const first = (isSix ? '' : rest).trim()
  return { prefix: parsed.value, paths: first === '' ? [] : [first] }
}
