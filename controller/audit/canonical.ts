// Canonical JSON after RFC 8785 (JCS), and the narrower profile that records keep to, in which a naive implementation is right too. Pure.

/** A JSON value as records may hold it: no null, no fractions, integers up to 2^53-1. */
export type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json }

/** Canonical text of any JSON value. Throws TypeError for what JSON doesn't have (undefined, NaN, lone surrogates). Source: RFC 8785, section 3.2. */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object') return canonicalObject(value as Readonly<Record<string, unknown>>)
  throw new TypeError(`a ${typeof value} like this has no place in JSON`)
}

/** Canonical text of a value of a record. Throws TypeError, with the place, for what the profile refuses: null, fractions, integers beyond 2^53-1, names that are not ASCII. */
export function canonicalRecord(value: Json): string {
  refuse(value, '')
  return canonical(value)
}

/** Reads canonical text of a record's value. Throws when the text is not exactly the canonical form of what it says: that also catches doubled names, `1.0`, `1e3` and blanks. */
export function parseCanonical(text: string): Json {
  const value = JSON.parse(text) as Json // `refuse` looks at every value below
  refuse(value, '')
  if (canonical(value) !== text) throw new TypeError('not in canonical form')
  return value
}

function canonicalString(text: string): string {
  // JSON.stringify would write a lone surrogate as an escape; RFC 8785 refuses it.
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('a lone surrogate has no place in JSON')
  return JSON.stringify(text)
}

function canonicalObject(value: Readonly<Record<string, unknown>>): string {
  // The default sort compares UTF-16 code units, as RFC 8785 asks.
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${canonicalString(name)}:${canonical(value[name])}`)
  return `{${members.join(',')}}`
}

function refuse(value: unknown, place: string): void {
  if (value === null || value === undefined) {
    throw new TypeError(`${place || 'the value'} is ${value}: a missing value is a missing member`)
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new TypeError(`${place || 'the value'} is ${value}: a record holds whole numbers only`)
  }
  if (typeof value !== 'object') return
  for (const [name, member] of Object.entries(value)) {
    if (!/^[\x20-\x7e]*$/.test(name)) {
      throw new TypeError(`${place}/${name}: names are plain ASCII`)
    }
    refuse(member, `${place}/${name}`)
  }
}
