// The answers to `show ip route A M longer-prefixes` and `show ipv6 route P longer-prefixes`: routes inside a prefix that lead somewhere. For their
// addresses they win over any discard of the whole.

import {
  covers,
  familyOf,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../../inventory/prefix.ts'
import type { Answer } from '../../platform.ts'
import { unknownOutput } from '../output.ts'
import { isUnknownLine } from './dialogue.ts'
import { discardsNextHop } from './objects.ts'
import { isAbsent, type Table } from './routes.ts'

/** The first prefix inside that is not dropped; `none`, or `unknown` where the image can't say. */
export function leakInside(
  answer: Answer,
  prefix: Prefix,
  table: Table,
): { readonly kind: 'none' | 'unknown' } | { readonly kind: 'leak'; readonly prefix: Prefix } {
  if (isUnknownLine(answer.text)) return { kind: 'unknown' }
  if (isAbsent(answer.text)) return { kind: 'none' }
  if (!/^(?:Codes: |Gateway of last resort|IPv6 Routing Table)/m.test(answer.text)) {
    throw unknownOutput(answer, 'a table of routes')
  }
  const leak = entriesOf(answer, prefix)
    .filter((entry) => entry.prefix !== prefix && covers(prefix, entry.prefix))
    .find(({ paths }) => paths.length === 0 || !paths.every((path) => isDiscard(path, table)))
  return leak === undefined ? { kind: 'none' } : { kind: 'leak', prefix: leak.prefix }
}

interface Entry {
  readonly prefix: Prefix
  readonly paths: string[]
}

const code = String.raw`[A-Za-z][A-Za-z0-9]*[*+%&p]*(?: ?\*?[A-Z][A-Z0-9]?\*?)?[ *+%&]*`
const four = new RegExp(String.raw`^${code} {1,}(\d+\.\d+\.\d+\.\d+)(\/\d+)?(?:,| |$)(.*)$`)
const six = new RegExp(String.raw`^${code} {1,}([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\/\d+)(?: |$)(.*)$`)
const header = /^ +\d+\.\d+\.\d+\.\d+(\/\d+) is (variably )?subnetted,/

/** Rows of the table. A row without a length has that of the header above it; a long one goes on in the next lines. */
function entriesOf(answer: Answer, prefix: Prefix): readonly Entry[] {
  const entries: Entry[] = []
  let length = ''
  for (const line of answer.text.split('\n')) {
    const above = header.exec(line)
    if (above !== null) {
      length = above[2] === undefined ? (above[1] ?? '') : ''
      continue
    }
    const row = (familyOf(prefix) === 4 ? four : six).exec(line)
    const entry = row === null ? undefined : entryOf(answer, row, length)
    if (entry !== undefined) entries.push(entry)
    else if (/^ +(?:\[\d+\/\d+\]|via |is |directly )/.test(line))
      entries.at(-1)?.paths.push(line.trim())
  }
  return entries
}

function entryOf(answer: Answer, row: RegExpExecArray, length: string): Entry {
  const [, base = '', own, rest = ''] = row
  const isSix = base.includes('/')
  const parsed = parsePrefix(isSix ? base : `${base}${own ?? length}`)
  if (!parsed.ok) throw unknownOutput(answer, `the prefix of \`${row[0].trim()}\``)
  // A row of IPv6 has its paths below.
  const first = (isSix ? '' : rest).trim()
  return { prefix: parsed.value, paths: first === '' ? [] : [first] }
}

/** `is directly connected, Null0`, `[200/0] via 192.0.2.254, 00:00:04`, `is a summary, 7w0d, Null0`, `via Null0, directly connected`. */
function isDiscard(path: string, table: Table): boolean {
  if (/(?:^via |, )Null0\b/.test(path)) return true
  const hop = parseAddress(/\bvia ([0-9A-Fa-f.:]+)/.exec(path)?.[1] ?? '')
  return hop.ok && discardsNextHop(table.routes, table.vrf, hop.value)
}
