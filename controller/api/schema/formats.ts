// The small formats that requests are made of, each with the message that a client gets for a wrong one. Pure.
// They parse, so that what comes out is typed as the rest of the product believes it.

import { z } from 'zod'
import { idPattern, type PortName, parsePortName } from '../../../inventory/model.ts'
import {
  type Address,
  type Parsed,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../../inventory/prefix.ts'
import { roles } from '../../store/store.ts'

/** Schemas that stand in the OpenAPI document under a name. */
export const components: z.core.$ZodRegistry<{ id: string }> = z.registry<{ id: string }>()

/** Gives a schema its name in the OpenAPI document. */
export function named<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id })
  return schema
}

/** Longest text that is parsed, in characters. */
const parsedMax = 64

/** A text of one form, with the same words where it is missing, no text, or of another form. */
function pattern(form: RegExp, error: string): z.ZodString {
  return z.string({ error }).regex(form, { error })
}

/** The first of a list that stands there twice. */
export function repeated(items: readonly string[]): string | undefined {
  return items.find((item, index) => items.indexOf(item) !== index)
}

const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** Identifier of a plan, enforcement or token. */
export const Ulid = pattern(
  ulidPattern,
  'expected a ULID: 26 characters, digits and capital letters without I, L, O and U',
)

/** Identifier of a device or customer, as in the inventory. */
export const InventoryId = pattern(
  idPattern,
  'expected an id: a letter or digit, then letters, digits, ".", "_" or "-", 63 at most, lower case',
)

/** A point in time. */
export const Time = z.iso.datetime({
  precision: 3,
  error: 'expected a time in UTC with milliseconds, like 2026-12-07T00:00:00.000Z',
})

/** Hex SHA-256. */
export const Sha256 = pattern(
  /^[0-9a-f]{64}$/,
  'expected a SHA-256: 64 hexadecimal digits, lower case',
)

/** Number of a ticket in the operator's own system. */
export const Ticket = pattern(
  /^[A-Za-z0-9._/#:-]{1,64}$/,
  'expected a ticket: 1 to 64 letters, digits, or . _ / # : -',
)

/** Name of a routing table. */
export const VrfName = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  'expected the name of a routing table: letters, digits, ".", "_" or "-", 63 at most',
)

/** Name of a guard, as plans show it. */
export const GuardName = pattern(
  /^[a-z][a-z0-9_-]{0,62}$/,
  'expected the name of a guard, as the plan has it',
)

/** What a credential may do. */
export const RoleName = z.enum(roles, { error: `expected a role: one of ${roles.join(', ')}` })

/** Free text for people, `max` characters at most: no control characters but line ends and tabs, no half characters. */
export function text(max: number): z.ZodString {
  return (
    z
      .string()
      .min(1, { error: 'expected a text, found an empty one' })
      .max(max, { error: `expected at most ${max} characters` })
      .regex(/\S/, { error: 'expected a text, found only blanks' })
      // The audit log's canonical form has no way to write half of a surrogate pair.
      .regex(/^(?:[\t\n\r]|[^\p{Cc}\p{Cs}])*$/u, {
        error: 'expected text without control characters and broken Unicode',
      })
  )
}

/** A short text on one line: a name. */
export function line(max: number): z.ZodString {
  return text(max).regex(/^[^\t\n\r]*$/, { error: 'expected one line' })
}

/** A prefix, or a bare address, which means its /32 or /128; becomes canonical. */
export const PrefixText = parsed<Prefix>(
  parsePrefix,
  'expected a prefix like 203.0.113.0/26 or 2001:db8::/48, or an address',
)

/** An address; becomes canonical. */
export const AddressText = parsed<Address>(
  parseAddress,
  'expected an address like 203.0.113.9 or 2001:db8::9',
)

/** Name of a port as the inventory has it. */
export const PortText = parsed<PortName>((value) => {
  const port = parsePortName(value)
  return port === undefined ? { ok: false, problem: `found "${value}"` } : { ok: true, value: port }
}, 'expected a port name: letters, digits and / . : _ -, 64 at most')

const pageBefore = 'expected the nextCursor of the page before'

/** The `nextCursor` of each sort of list. One of another list is refused: as a place in this one it would be the end, and read as an empty list. */
export const cursors = {
  /** By name: names are anything, so that the cursor says what it is. */
  name: /^after\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
  ulid: ulidPattern,
  /** By place in the log. */
  seq: /^(?:0|[1-9]\d{0,14})$/,
} as const

/** How much of a list, and from where on. */
export function paging(options: {
  readonly limit: number
  readonly max: number
  readonly cursor: RegExp
}) {
  return {
    limit: z.coerce
      .number({ error: 'expected a number' })
      .int({ error: 'expected a whole number' })
      .min(1, { error: 'expected at least 1' })
      .max(options.max, { error: `expected at most ${options.max}` })
      .default(options.limit),
    cursor: z.string().regex(options.cursor, { error: pageBefore }).optional(),
  }
}

/** One page of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({
    items: z.array(item),
    nextCursor: z.string().optional().describe('absent on the last page'),
  })
}

/** A member of a query that may stand several times: `?status=a&status=b`. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  return z.union([item, z.array(item).max(32, { error: 'expected at most 32' })])
}

/** `true` or `false` in a query. */
export const Flag = z
  .enum(['true', 'false'], { error: 'expected true or false' })
  .transform((value) => value === 'true')

function parsed<T>(parse: (value: string) => Parsed<T>, expected: string) {
  return z
    .string({ error: expected })
    .max(parsedMax, { error: `expected at most ${parsedMax} characters` })
    .transform((value, context): T => {
      const result = parse(value)
      if (result.ok) return result.value
      context.addIssue({ code: 'custom', message: `${expected}; ${result.problem}` })
      return z.NEVER
    })
}
