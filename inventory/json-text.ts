// JSON, as generated inventories often are, read by the engine's own parser. JSON is YAML: where the two could differ, nothing is said, and the whole parser reads it.

import type { PlainText, Section } from './plain-yaml.ts'

/** Longest name that YAML takes without a question mark before it. */
const nameLengthMax = 1000

/** Reads a text, or undefined where it is no JSON, or JSON in which YAML would see something else: a name twice, a number in another than its usual form, a sign that ends a line to one of the two. */
export function readJson(text: string): PlainText | undefined {
  if (!text.startsWith('{') || uncertain.test(text)) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const scan = scanned(text)
  // JSON.parse takes the last of two equal names in silence; then the text has more names than the value.
  if (scan === undefined || scan.names !== namesIn(value)) return undefined
  // A text that begins with a brace is a map.
  const { sections } = scan
  return { form: 'json', startsAt: 0, value: value as Readonly<Record<string, unknown>>, sections }
}

// Tabs, other line ends than \n, marks, halves of surrogate pairs, and the name that is no name of JavaScript's.
const uncertain =
  /[\t\r\u0085\u2028\u2029\ufeff\u007f]|\\u[dD][89a-fA-F]|\\u0000|__proto__|[\ud800-\udfff]/

interface Scan {
  readonly names: number
  readonly sections: ReadonlyMap<string, Section>
}

interface Scanning {
  readonly text: string
  readonly sections: Map<string, Section>
  section: Section | undefined
  depth: number
  names: number
}

/** Goes through the signs of a text that JSON.parse took; undefined where a number or a name is in a form that YAML reads otherwise. */
function scanned(text: string): Scan | undefined {
  const scanning: Scanning = { text, sections: new Map(), section: undefined, depth: 0, names: 0 }
  signs.lastIndex = 0
  let isStart = false
  for (let match = signs.exec(text); match !== null; match = signs.exec(text)) {
    const [sign] = match
    const isName = match[1] !== undefined
    if (isName ? isOddName(sign) : isOddNumber(sign)) return undefined
    if (isName) noteName(scanning, sign, match.index)
    else if (isStart) noteItem(scanning, match.index)
    isStart = sign === '[' || sign === ','
    step(scanning, sign, match.index)
  }
  if (scanning.section?.end === -1) scanning.section.end = text.lastIndexOf('}')
  return { names: scanning.names, sections: scanning.sections }
}

/** YAML wants the colon on the line of the name; a colon at the end of a name is looked at closer, a merge key refused, and an escape may spell either, or a name that can't be. */
function isOddName(sign: string): boolean {
  return sign.length > nameLengthMax || /^"<<"|:"|\n|\\u00/.test(sign)
}

function isOddNumber(sign: string): boolean {
  const code = sign.charCodeAt(0)
  const isNumber = code === 45 || (code >= 48 && code <= 57)
  return isNumber && (String(Number(sign)) !== sign || sign.length > 15)
}

const signs = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*|[[\]{},]|true|false|null/g

function noteName(scanning: Scanning, sign: string, at: number): void {
  const { depth, section, sections } = scanning
  scanning.names++
  if (depth > 2) return
  const name: unknown = JSON.parse(sign.slice(0, sign.lastIndexOf('"') + 1))
  if (depth === 1) {
    const valueAt = afterBlanks(scanning.text, at + sign.length)
    const next: Section = { keyAt: at, valueAt, end: -1, names: [], starts: [] }
    if (section?.end === -1) section.end = at
    sections.set(String(name), next)
    scanning.section = next
  } else if (section !== undefined) {
    section.names.push(String(name))
    section.starts.push(at)
  }
}

function noteItem({ depth, section, text }: Scanning, at: number): void {
  const isList = section !== undefined && text.charCodeAt(section.valueAt) === 91
  // The sign behind `[` is the first item, unless it closes the list.
  if (depth === 2 && isList && text.charCodeAt(at) !== 93) section.starts.push(at)
}

function step(scanning: Scanning, sign: string, at: number): void {
  if (sign === '[' || sign === '{') scanning.depth++
  if (sign !== ']' && sign !== '}') return
  scanning.depth--
  if (scanning.depth === 1 && scanning.section !== undefined) scanning.section.end = at
}

function afterBlanks(text: string, from: number): number {
  let at = from
  while (/\s/.test(text.charAt(at))) at++
  return at
}

function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + namesIn(each), 0)
  let names = 0
  for (const each of Object.values(value)) names += 1 + namesIn(each)
  return names
}
