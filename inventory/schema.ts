// The shape of an inventory file, as strict schemas: unknown fields are errors. References and overlaps are checks.ts; groups and defaults are resolve.ts.

import * as z from 'zod'
import { idPattern, parsePortName } from './model.ts'
import { type Parsed, parseAddress, parsePrefix } from './prefix.ts'

/** A text that a parser of ours turns into a value, with its words where it can't. */
function parsed<T>(parse: (text: string) => Parsed<T>, expected: string, remedy: string) {
  return z.string().transform((text, context): T => {
    const result = parse(text)
    if (result.ok) return result.value
    context.issues.push({
      code: 'custom',
      message: result.problem,
      input: text,
      params: { expected, remedy },
    })
    return z.NEVER
  })
}

const Address = parsed(
  parseAddress,
  'an IPv4 or IPv6 address without length',
  'write one address: 203.0.113.9 or 2001:db8::9',
).meta({ description: 'An IPv4 or IPv6 address: 203.0.113.9, 2001:db8::9' })

const Prefix = parsed(
  parsePrefix,
  'an IPv4 or IPv6 prefix with its host bits zero',
  'write the prefix as it is routed: 203.0.113.0/26 or 2001:db8::/48',
).meta({ description: 'An IPv4 or IPv6 prefix: 203.0.113.0/26, 2001:db8:e57::/48' })

const PortName = parsed(
  (text) => {
    const value = parsePortName(text)
    return value === undefined
      ? { ok: false, problem: `"${text}" is no name of a port` }
      : { ok: true, value }
  },
  'a letter, then letters, digits and / . : _ - (at most 64)',
  'write the name as the device prints it: p1, GigabitEthernet1/0/3, ge-0/0/1.0',
).meta({ description: 'A port as the device names it: p1, GigabitEthernet1/0/3, ge-0/0/1' })

/** An id, wherever one is defined or referred to. */
export const Id = parsed(
  (text) =>
    idPattern.test(text) ? { ok: true, value: text } : { ok: false, problem: `"${text}" is no id` },
  'lower-case letters, digits, and . _ - (at most 63, a letter or digit first)',
  'write it like edge1.ams',
).meta({ description: 'An id: lower-case letters, digits, and . _ -', pattern: idPattern.source })

const Vrf = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, {
    error: 'a text of letters, digits and . _ - (at most 32)',
  })
  .meta({ description: 'Routing table; `default` where none is named' })
const Variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: 'the name of an environment variable: letters, digits and _',
})
const Group = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'a text of letters, digits and . _ - (at most 64)',
})
// It is printed on terminals: what would move a cursor, or hide text, has no business in a name.
const Text = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}]*$/u, { error: 'a text on one line, without control characters' })
const Port = z.int().min(1).max(65_535)

const Asn = z
  .union([z.int().min(1).max(4_294_967_295), z.string()])
  .transform((given, context): string => {
    const text = plainAsn(String(given))
    if (text !== undefined) return text
    context.issues.push({
      code: 'custom',
      message: `"${given}" is no AS number`,
      input: given,
      params: { expected: '1 to 4294967295, or high.low in quotes', remedy: 'write it like 64501' },
    })
    return z.NEVER
  })
  .meta({ description: 'AS number: 64501, or "1.10"' })

/** `64501` or `1.10` (RFC 5396) → digits, or undefined. */
function plainAsn(text: string): string | undefined {
  const match = /^(?:(\d{1,5})\.)?(\d{1,10})$/.exec(text)
  if (match === null) return undefined
  const high = Number(match[1] ?? 0)
  const low = Number(match[2])
  if (match[1] !== undefined && (high > 65_535 || low > 65_535)) return undefined
  const value = high * 65_536 + low
  return value >= 1 && value <= 4_294_967_295 ? String(value) : undefined
}

const Auth = z
  .strictObject({
    privateKeyFile: Text.optional(),
    passphraseEnv: Variable.optional(),
    passwordEnv: Variable.optional(),
    agent: z.literal(true).optional(),
  })
  .superRefine((auth, context) => {
    const given = [auth.privateKeyFile, auth.passwordEnv, auth.agent].filter(
      (way) => way !== undefined,
    )
    const lonely = auth.passphraseEnv !== undefined && auth.privateKeyFile === undefined
    if (given.length === 1 && !lonely) return
    context.addIssue({
      code: 'custom',
      message: lonely
        ? 'passphraseEnv belongs to a privateKeyFile'
        : `${given.length === 0 ? 'no' : 'more than one'} way to log in`,
      params: {
        expected: 'exactly one of privateKeyFile, passwordEnv, agent: true',
        remedy: given.length === 0 ? 'add one of them' : 'keep one of them',
      },
    })
  })
  .meta({ description: 'How to log in: exactly one of privateKeyFile, passwordEnv, agent' })

/** What a device may have from a group or the defaults. */
const shared = {
  platform: Text.optional().meta({ description: "Netmiko's device_type: frr, cisco_ios, …" }),
  port: Port.optional(),
  username: Text.optional(),
  auth: Auth.optional(),
  enable: z.strictObject({ passwordEnv: Variable }).optional(),
  knownHosts: Text.optional().meta({ description: 'known_hosts file, relative to this file' }),
  jump: z
    .union([Id, z.literal(false)])
    .optional()
    .meta({ description: 'Jump host, or false for none' }),
  site: Text.optional(),
  roles: z.array(Id).optional(),
  legacy: z.boolean().optional().meta({ description: 'Offer old SSH algorithms too' }),
  deadlineMs: z.int().min(100).max(600_000).optional(),
  sessionIdleMs: z.int().min(0).max(86_400_000).optional(),
  save: z.enum(['always', 'clean', 'never']).optional(),
  deviceTimer: z.boolean().optional(),
  asn: Asn.optional(),
}

const Shared = z.strictObject(shared)

const Neighbor = z.strictObject({
  address: Address,
  vrf: Vrf.optional(),
  group: Group.optional(),
  what: z.enum(['transit', 'peer', 'ibgp']),
})

const Device = z.strictObject({
  ...shared,
  group: Id.optional(),
  address: Address,
  loopbacks: z.array(Address).optional(),
  neighbors: z.array(Neighbor).optional(),
  gateways: z.array(Address).optional(),
  nextHops: z.array(Address).optional(),
  uplinks: z.array(PortName).optional(),
  interfaces: z.array(PortName).optional().meta({
    description: 'All ports that the device has; given, ports of customers are checked against it',
  }),
})

const Jump = z.strictObject({
  address: Address,
  port: Port.optional(),
  username: Text.optional(),
  auth: Auth.optional(),
  knownHosts: Text.optional(),
})

const Customer = z.strictObject({
  name: Text,
  asn: Asn.optional(),
  prefixes: z
    .array(z.union([Prefix, z.strictObject({ prefix: Prefix, vrf: Vrf.optional() })]))
    .optional(),
  ports: z.array(z.strictObject({ device: Id, interface: PortName })).optional(),
  neighbors: z
    .array(
      z.strictObject({
        device: Id,
        address: Address,
        vrf: Vrf.optional(),
        group: Group.optional(),
      }),
    )
    .optional(),
  contacts: z.array(z.strictObject({ email: z.email({ error: 'an e-mail address' }) })).optional(),
})

const Count = z.int().min(0)

const Limits = z.strictObject({
  maxPrefix: z
    .strictObject({
      ipv4: z.int().min(0).max(32).optional(),
      ipv6: z.int().min(0).max(128).optional(),
    })
    .optional()
    .meta({ description: 'Nothing shorter is ever cut off' }),
  perDecision: z
    .strictObject({
      ipv4Addresses: Count.optional(),
      ipv6Slash64: Count.optional(),
      customers: Count.optional(),
      ports: Count.optional(),
      neighbors: Count.optional(),
    })
    .optional(),
  perHour: z
    .strictObject({
      decisions: Count.optional(),
      ipv4Addresses: Count.optional(),
      customers: Count.optional(),
      ports: Count.optional(),
      neighbors: Count.optional(),
    })
    .optional(),
})

// Ids as names of fields are checked by load.ts: a record with a wrong name would not look at what stands under it.
const named = <T extends z.ZodType>(what: T) =>
  z.record(z.string(), what).meta({ propertyNames: { pattern: idPattern.source } })

/** One file of an inventory. A folder's files are merged. */
export const InventoryFile = z.strictObject({
  version: z.literal(1),
  defaults: Shared.optional(),
  groups: named(Shared).optional(),
  jumps: named(Jump).optional(),
  devices: named(Device).optional(),
  customers: named(Customer).optional(),
  protected: z.array(z.strictObject({ prefix: Prefix, why: Text })).optional(),
  limits: Limits.optional(),
  controller: z.strictObject({ addresses: z.array(Address) }).optional(),
  discardNextHops: z.array(Address).optional(),
})

/** The same whatever the version: a wrong one should not hide what else is wrong. */
export const AnyVersion = InventoryFile.extend({ version: z.unknown().optional() })

/** One file, parsed. */
export type InventoryFile = z.output<typeof AnyVersion>
/** What stands at a device, not yet completed from group and defaults. */
export type RawDevice = z.output<typeof Device>
/** What stands in defaults or a group. */
export type RawShared = z.output<typeof Shared>
/** What stands at a jump host. */
export type RawJump = z.output<typeof Jump>
/** What stands at a customer. */
export type RawCustomer = z.output<typeof Customer>
/** What stands at a login. */
export type RawAuth = z.output<typeof Auth>

/** The JSON Schema (2020-12) of one inventory file, for editors. */
export function inventorySchemaJson(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(InventoryFile, { io: 'input' }), title: 'nullroute inventory' }
}
