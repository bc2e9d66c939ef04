// The plain part of YAML that inventories are written in, read some forty times faster than by a whole parser: block maps and lists, one-line values,
// brackets and quotes that end on their line. Whatever else a text holds (anchors, tags, block scalars, texts over several lines, escapes, tabs,
// numbers in another than their usual form, a name given twice) makes it no plain one: then nothing is said, and the whole parser reads it.

/** A map or list at the top of a file: where it stands, and each of its entries. Places are offsets in the text. */
export interface Section {
  readonly keyAt: number
  /** -1 where nothing stands. */
  valueAt: number
  /** Where the next section begins, or the text ends. */
  end: number
  /** Names of a map's entries; of a list none. */
  readonly names: string[]
  /** Where each entry begins: a map's at the beginning of its line or at its name, a list's alike. */
  readonly starts: number[]
}

/** A text that was read. */
export interface PlainText {
  readonly form: 'block' | 'json'
  /** Where its map begins. */
  readonly startsAt: number
  readonly value: Readonly<Record<string, unknown>>
  readonly sections: ReadonlyMap<string, Section>
}

/** Deepest nesting that is read. */
const depthMax = 16

/** Reads a text, or undefined where it is not a plain one: that says nothing about whether it is right. */
export function readPlainYaml(text: string): PlainText | undefined {
  const start = text.startsWith('---\n') ? 4 : 0
  const reader: Reader = { text, at: start, indent: 0, depth: 0, tight: false, sections: new Map() }
  try {
    nextLine(reader, start)
    if (reader.indent !== 0) return undefined
    const startsAt = reader.at
    const value = readMap(reader, 0)
    if (reader.at < text.length) return undefined
    let end = text.length
    for (const section of [...reader.sections.values()].reverse()) {
      section.end = end
      end = section.keyAt
    }
    return { form: 'block', startsAt, value, sections: reader.sections }
  } catch (reason) {
    if (reason === notPlain) return undefined
    throw reason
  }
}

interface Reader {
  readonly text: string
  /** Where the reading is. Between lines: at the first sign of the next line that holds something. */
  at: number
  /** Blanks before that sign; -1 at the end of the text. */
  indent: number
  depth: number
  /** Whether the last step to the next line went over a comment without a blank behind its sign. */
  tight: boolean
  readonly sections: Map<string, Section>
}

/** Thrown where a text is not plain; caught above, and never seen outside. */
const notPlain = new Error('not plain')

const newline = 10
const blank = 32
const hash = 35
const dash = 45

/** Goes to the next line that holds more than blanks and a comment. */
function nextLine(reader: Reader, from: number): void {
  const { text } = reader
  let line = from
  reader.tight = false
  while (line < text.length) {
    let at = line
    while (text.charCodeAt(at) === blank) at++
    const code = text.charCodeAt(at)
    if (code === hash) {
      const end = text.indexOf('\n', at)
      reader.tight ||= !isLoose(text, at)
      line = end < 0 ? text.length : end + 1
    } else if (code === newline) line = at + 1
    else if (at >= text.length) line = at
    else {
      reader.at = at
      reader.indent = at - line
      return
    }
  }
  reader.at = text.length
  reader.indent = -1
}

/** From behind a value to the next line: only blanks and a comment may follow. A comment without a blank behind its sign may be meant as text, so that the whole parser warns of it. */
function endLine(reader: Reader): void {
  const { text } = reader
  let at = reader.at
  while (text.charCodeAt(at) === blank) at++
  if (at < text.length && text.charCodeAt(at) !== newline) {
    if (text.charCodeAt(at) !== hash || at === reader.at) throw notPlain
    if (!isLoose(text, at)) throw notPlain
    const end = text.indexOf('\n', at)
    at = end < 0 ? text.length : end
  }
  nextLine(reader, at + 1)
}

/** Whether nobody would take the comment for text: a blank, another sign or nothing follows its sign. */
function isLoose(text: string, at: number): boolean {
  const next = text.charAt(at + 1)
  return next === '' || next === ' ' || next === '#' || next === '\n'
}

function readBlock(reader: Reader, section: Section | undefined): unknown {
  if (++reader.depth > depthMax) throw notPlain
  const { text, at, indent } = reader
  const value = isItem(text, at)
    ? readList(reader, indent, section)
    : readMap(reader, indent, section)
  reader.depth--
  return value
}

function isItem(text: string, at: number): boolean {
  return text.charCodeAt(at) === dash && text.charCodeAt(at + 1) === blank
}

function readMap(
  reader: Reader,
  indent: number,
  section?: Section,
): Readonly<Record<string, unknown>> {
  const map: Record<string, unknown> = {}
  const isRoot = reader.depth === 0
  do {
    const keyAt = reader.at
    const name = readName(reader)
    // Also where the name is one that every object has: the whole parser knows what to do.
    if (map[name] !== undefined) throw notPlain
    if (section !== undefined) {
      section.names.push(name)
      section.starts.push(keyAt - indent)
    }
    map[name] = isRoot ? readSection(reader, name, keyAt) : readValue(reader, indent, undefined)
  } while (reader.indent === indent && !isItem(reader.text, reader.at))
  // Deeper: a text over several lines, or a mistake.
  if (reader.indent > indent) throw notPlain
  return map
}

function readSection(reader: Reader, name: string, keyAt: number): unknown {
  const section: Section = { keyAt, valueAt: -1, end: -1, names: [], starts: [] }
  reader.depth++
  const value = readValue(reader, 0, section)
  reader.depth--
  reader.sections.set(name, section)
  return value
}

function readValue(reader: Reader, indent: number, section: Section | undefined): unknown {
  const { text } = reader
  while (text.charCodeAt(reader.at) === blank) reader.at++
  const code = text.charCodeAt(reader.at)
  if (code !== newline && code !== hash && reader.at < text.length) {
    if (section !== undefined) section.valueAt = reader.at
    const value = readInline(reader, false)
    endLine(reader)
    return value
  }
  // Back to the colon, so that a comment has its blank before it.
  reader.at = backOver(text, reader.at)
  endLine(reader)
  const isNested = reader.indent > indent || (reader.indent === indent && isItem(text, reader.at))
  // To the whole parser a comment below nothing is one behind the value.
  if (!isNested && reader.tight) throw notPlain
  if (!isNested) return null
  if (section !== undefined) section.valueAt = reader.at
  return readBlock(reader, section)
}

function backOver(text: string, at: number): number {
  let back = at
  while (text.charCodeAt(back - 1) === blank) back--
  return back
}

function readList(
  reader: Reader,
  indent: number,
  section: Section | undefined,
): readonly unknown[] {
  const { text } = reader
  const list: unknown[] = []
  do {
    section?.starts.push(reader.at - indent)
    const itemAt = reader.at
    reader.at += 2
    while (text.charCodeAt(reader.at) === blank) reader.at++
    nameEnd.lastIndex = reader.at
    if (nameEnd.test(text)) {
      reader.indent = indent + reader.at - itemAt
      if (++reader.depth > depthMax) throw notPlain
      list.push(readMap(reader, reader.indent))
      reader.depth--
    } else {
      list.push(readInline(reader, false))
      endLine(reader)
    }
  } while (reader.indent === indent && isItem(text, reader.at))
  // A map's next field may stand at the indentation of the list that was its last.
  if (reader.indent > indent) throw notPlain
  return list
}

const nameEnd = /[A-Za-z0-9][\w.-]*:(?=[ \n]|$)/y

/** A name and its colon. */
function readName(reader: Reader): string {
  const { text, at } = reader
  nameEnd.lastIndex = at
  if (!nameEnd.test(text)) throw notPlain
  const end = nameEnd.lastIndex - 1
  reader.at = end + 1
  const name = text.slice(at, end)
  const value = plainValue(name)
  if (typeof value !== 'string' && typeof value !== 'number') throw notPlain
  return name
}

/** A value that ends on its line. */
function readInline(reader: Reader, inBrackets: boolean): unknown {
  const { text, at } = reader
  switch (text.charAt(at)) {
    case '[':
      return readBrackets(reader)
    case '{':
      return readBraces(reader)
    case '"':
      return readQuoted(reader, doubleQuoted)
    case "'":
      return readQuoted(reader, singleQuoted)
    default: {
      const forms = inBrackets ? plainInside : plainOutside
      const end = forms.reduce((found, form) => found || endOf(form, text, at), 0)
      if (end === 0) throw notPlain
      reader.at = end
      return plainValue(text.slice(at, end))
    }
  }
}

// Letters, digits, and what can't mean anything inside; a colon only before one of these, blanks only between them. Other scripts than Latin cost time, so they are tried last.
const within = String.raw`\w/.;+@()&=%*!?~$^'<>|"-`
const outside = String.raw`,{}[\]${within}`
const any = String.raw`\p{L}\p{M}\p{N}`

function plainForms(signs: string, end: string): readonly RegExp[] {
  const form = (first: string, others: string, flags: string) =>
    new RegExp(`[${first}/][${others}]*(?:(?: +|:+)[${others}]+)*${end}`, flags)
  const letters = String.raw`\p{L}\p{N}`
  return [form('A-Za-z0-9', signs, 'y'), form(letters, `${any}${signs}`, 'uy')]
}

const plainOutside = plainForms(outside, String.raw`(?![^ \n])`)
const plainInside = plainForms(within, String.raw`(?=[ ,\]}])`)
const doubleQuoted = /"([^"\\\p{C}\p{Z}]|[ \u00a0])*"/uy
const singleQuoted = /'([^'\p{C}\p{Z}]|[ \u00a0])*'(?!')/uy

/** Where the form ends that stands here, or 0. */
function endOf(form: RegExp, text: string, at: number): number {
  form.lastIndex = at
  return form.test(text) ? form.lastIndex : 0
}

function readQuoted(reader: Reader, form: RegExp): string {
  const { text, at } = reader
  const end = endOf(form, text, at)
  if (end === 0) throw notPlain
  reader.at = end
  return text.slice(at + 1, end - 1)
}

function readBrackets(reader: Reader): readonly unknown[] {
  const list: unknown[] = []
  open(reader)
  if (closes(reader, ']')) return list
  do {
    list.push(readInline(reader, true))
  } while (goesOn(reader, ']'))
  return list
}

function readBraces(reader: Reader): Readonly<Record<string, unknown>> {
  const map: Record<string, unknown> = {}
  open(reader)
  if (closes(reader, '}')) return map
  do {
    const name = readName(reader)
    if (map[name] !== undefined || reader.text.charCodeAt(reader.at) !== blank) throw notPlain
    skipBlanks(reader)
    map[name] = readInline(reader, true)
  } while (goesOn(reader, '}'))
  return map
}

function open(reader: Reader): void {
  if (++reader.depth > depthMax) throw notPlain
  reader.at++
  skipBlanks(reader)
}

function closes(reader: Reader, sign: string): boolean {
  if (reader.text.charAt(reader.at) !== sign) return false
  reader.at++
  reader.depth--
  return true
}

/** Over a comma to the next entry, or over the closing sign. */
function goesOn(reader: Reader, sign: string): boolean {
  skipBlanks(reader)
  if (closes(reader, sign)) return false
  if (reader.text.charAt(reader.at) !== ',') throw notPlain
  reader.at++
  skipBlanks(reader)
  return true
}

function skipBlanks(reader: Reader): void {
  while (reader.text.charCodeAt(reader.at) === blank) reader.at++
}

const likeNumber = /^(?:\d+|0o[0-7]+|0x[\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)$/
const plainNumber = /^(?:0|[1-9]\d{0,14})$/

/** What a text without quotes means by the core schema of YAML 1.2. */
function plainValue(source: string): string | number | boolean | null {
  const code = source.charCodeAt(0)
  if (code >= 48 && code <= 57) {
    if (!likeNumber.test(source)) return source
    if (!plainNumber.test(source)) throw notPlain
    return Number(source)
  }
  const word = source.length > 5 ? undefined : words.get(source)
  return word === undefined ? source : word
}

const words: ReadonlyMap<string, boolean | null> = new Map([
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
])
