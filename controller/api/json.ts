// The bytes of a body → its value. Stricter than JSON.parse: what two readers would understand differently is refused, and what can't be read is told with its place. Pure.

import { ControllerError } from '../errors.ts'

/** How deep objects and lists may stand inside each other. */
const depthMax = 64

/** Reads the JSON of a body. Throws ControllerError `malformed_json` with line and column for what is no UTF-8, which JSON has to be (RFC 8259 section 8.1), no JSON, a name that stands twice in one object, and names that JavaScript treats specially. */
export function parseJson(body: Uint8Array): unknown {
  const text = textOf(body)
  const fault = faultIn(text)
  if (fault === undefined) return JSON.parse(text) as unknown
  throw new ControllerError(
    'malformed_json',
    `the body is no JSON that can be taken, at ${placeBehind(text.slice(0, fault.at))}: ${fault.message}`,
  )
}

// Not by Buffer.toString, which puts U+FFFD where it can't read: what somebody wrote would be lost, and nobody told.
function textOf(bytes: Uint8Array): string {
  try {
    // It passes over the mark that some editors put before everything, as RFC 8259 section 8.1 lets us.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const at = firstBroken(bytes)
    const before = Buffer.from(bytes.subarray(0, at)).toString()
    const byte = (bytes[at] ?? 0).toString(16).padStart(2, '0')
    throw new ControllerError(
      'malformed_json',
      `the body is not UTF-8 text, at ${placeBehind(before)}: expected JSON as UTF-8, found the byte 0x${byte}`,
    )
  }
}

/** Where the first character begins that can't be read. */
function firstBroken(bytes: Uint8Array): number {
  const mended = Buffer.from(Buffer.from(bytes).toString())
  const differs = bytes.findIndex((byte, index) => byte !== mended[index])
  let at = differs < 0 ? bytes.length : differs
  // U+FFFD may begin with the same bytes as what it stands for.
  while (((mended[at] ?? 0) & 0xc0) === 0x80) at--
  return at
}

function placeBehind(before: string): string {
  return `line ${before.split('\n').length}, column ${before.length - before.lastIndexOf('\n')}`
}

interface Fault {
  readonly at: number
  readonly message: string
}

const special = new Set(['__proto__', 'constructor', 'prototype'])

const blanks = /[ \t\n\r]*/y
// oxlint-disable-next-line no-control-regex -- RFC 8259 section 7: they must be escaped.
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const literal = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y

/** A place in a text that moves on. */
interface Cursor {
  readonly at: () => number
  /** What a sticky pattern matches here, passed over; undefined where it doesn't. */
  readonly take: (pattern: RegExp) => string | undefined
  /** The next sign that is no blank. */
  readonly next: () => string | undefined
  readonly skip: () => void
  readonly wrong: (expected: string) => Fault
}

function createCursor(text: string): Cursor {
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)?.[0]
    at += match?.length ?? 0
    return match
  }
  return {
    at: () => at,
    take,
    next() {
      take(blanks)
      return text[at]
    },
    skip() {
      at++
    },
    wrong: (expected) => ({ at, message: `expected ${expected}, found ${foundAt(text, at)}` }),
  }
}

// By hand, because the words and places of JSON.parse differ from one version of Node to the next, and it takes the last of two equal names.
function faultIn(text: string): Fault | undefined {
  const cursor = createCursor(text)
  const fault = valueFault(cursor, 0)
  if (fault !== undefined) return fault
  return cursor.next() === undefined ? undefined : cursor.wrong('the end of the body')
}

function valueFault(cursor: Cursor, depth: number): Fault | undefined {
  const sign = cursor.next()
  if (sign === '{') {
    const names = new Set<string>()
    return itemsFault(cursor, '}', depth + 1, () => memberFault(cursor, names, depth + 1))
  }
  if (sign === '[') return itemsFault(cursor, ']', depth + 1, () => valueFault(cursor, depth + 1))
  const taken = cursor.take(sign === '"' ? string : literal)
  return taken === undefined ? cursor.wrong('a JSON value') : undefined
}

function itemsFault(
  cursor: Cursor,
  close: string,
  depth: number,
  item: () => Fault | undefined,
): Fault | undefined {
  if (depth > depthMax) {
    const message = `expected at most ${depthMax} levels of objects and lists`
    return { at: cursor.at(), message }
  }
  cursor.skip()
  if (cursor.next() === close) {
    cursor.skip()
    return undefined
  }
  for (;;) {
    const fault = item()
    if (fault !== undefined) return fault
    const sign = cursor.next()
    if (sign !== ',' && sign !== close) return cursor.wrong(`"," or "${close}"`)
    cursor.skip()
    if (sign === close) return undefined
  }
}

function memberFault(cursor: Cursor, names: Set<string>, depth: number): Fault | undefined {
  cursor.next()
  const at = cursor.at()
  const name = cursor.take(string)
  if (name === undefined) return cursor.wrong('a name in double quotes')
  const plain = String(JSON.parse(name))
  if (special.has(plain)) {
    return { at, message: `expected a field of the request, found the name ${name}` }
  }
  if (names.has(plain)) return { at, message: `expected each name once, found ${name} again` }
  names.add(plain)
  if (cursor.next() !== ':') return cursor.wrong('":" behind the name')
  cursor.skip()
  return valueFault(cursor, depth)
}

/** Characters that are shown of what stands at the place of a fault. */
const shownMax = 20

function foundAt(text: string, at: number): string {
  if (at >= text.length) return 'the end of the body'
  const rest = text.slice(at, at + shownMax)
  return `${JSON.stringify(rest)}${at + shownMax < text.length ? ' and more' : ''}`
}
