// Devices, customers and addresses as clients see them, and what may be asked of a device. Pure.

import { z } from 'zod'
import { intentKinds } from '../../../agent/intents.ts'
import { StatusName } from './enforcement.ts'
import { AddressText, cursors, InventoryId, named, pageOf, paging, text } from './formats.ts'
import { DeviceErrorView } from './plan.ts'

/** A device, with what is wanted of it and what it showed. */
export const DeviceView = named(
  'Device',
  z.strictObject({
    id: z.string(),
    platform: z.string(),
    address: z.string(),
    port: z.number().int(),
    site: z.string().optional(),
    roles: z.array(z.string()),
    state: z.enum(['up', 'unreachable', 'refused', 'quarantined', 'unknown']),
    software: z.string().optional(),
    lastReadAt: z.string().optional(),
    since: z.string().optional().describe('since when it can’t be reached'),
    retired: z
      .literal(true)
      .optional()
      .describe('in no inventory any more, kept until what is ours on it is gone'),
    save: z.enum(['always', 'clean', 'never']).describe('when it is saved, by the inventory'),
    unsaved: z.boolean(),
    drift: z.boolean().describe('something is wanted and not present'),
    intents: z.array(
      z.strictObject({
        key: z.string(),
        kind: z.enum(intentKinds),
        wanted: z.boolean(),
        seen: z.enum(['present', 'absent', 'foreign', 'unknown']),
        enforcements: z.array(z.string()),
        readAt: z.string().optional(),
        note: z.string().optional(),
        error: DeviceErrorView.optional(),
      }),
    ),
    orphans: z
      .array(z.strictObject({ key: z.string(), object: z.array(z.string()) }))
      .describe(
        'marked as ours, or equal to what was lifted last, without a claim: never removed by itself',
      ),
    unwanted: z
      .array(z.string())
      .describe('keys of what is ours and still there, or not known to be gone, and nobody wants'),
  }),
)
export type DeviceView = z.output<typeof DeviceView>

/** One page of devices. */
export const DevicePage = named('DevicePage', pageOf(DeviceView))

/** What `device check` found: each question with its answer and what to do. */
export const DeviceCheckView = named(
  'DeviceCheck',
  z.strictObject({
    ...DeviceView.shape,
    preflight: z.array(
      z.strictObject({
        name: z.string(),
        ok: z.boolean(),
        found: z.string(),
        expected: z.string(),
        remedy: z.string(),
      }),
    ),
  }),
)
export type DeviceCheckView = z.output<typeof DeviceCheckView>

/** Path with the id of a device or customer. */
export const InventoryIdPath = z.strictObject({ id: InventoryId })

/** Things of a list on one page. */
const pageMax = 200

/** Query of lists without a filter. */
export const PageQuery = z.strictObject(paging({ limit: 50, max: pageMax, cursor: cursors.name }))

const keys = z
  .array(
    z
      .string()
      .max(256, { error: 'expected at most 256 characters' })
      .regex(/^[a-z]+\|[!-~]+$/, {
        error: 'expected a key as the device shows it, like blackhole|default|203.0.113.9/32',
      }),
  )
  .min(1, { error: 'expected at least one key' })
  .max(1_000, { error: 'expected at most 1000 keys' })

/** Body of POST /v1/devices/{id}/reconcile, which may be empty. */
export const ReconcileBody = z
  .strictObject({
    remove: keys.optional().describe('role admin only: orphans to take off the device'),
    reason: text(2_000).optional(),
  })
  .superRefine((body, context) => {
    if ((body.remove === undefined) !== (body.reason === undefined)) {
      context.addIssue({
        code: 'custom',
        path: [body.reason === undefined ? 'reason' : 'remove'],
        message: 'expected remove and reason together, or neither',
      })
    }
  })

/** Body of POST /v1/devices/{id}/adopt. */
export const AdoptBody = z.strictObject({ keys, reason: text(2_000) })

/** An enforcement in a few words, where others refer to it. */
export const EnforcementReference = named(
  'EnforcementReference',
  z.strictObject({
    id: z.string(),
    status: StatusName,
    action: z.string(),
    playbook: z.string(),
    acceptedAt: z.string(),
    expiresAt: z.string().optional(),
  }),
)
export type EnforcementReference = z.output<typeof EnforcementReference>

const PortView = z.strictObject({
  device: z.string(),
  interface: z.string(),
  site: z.string().optional(),
})
const NeighborView = z.strictObject({
  device: z.string(),
  address: z.string(),
  vrf: z.string(),
  site: z.string().optional(),
})

/** A customer: what is theirs, and what is in force. */
export const CustomerView = named(
  'Customer',
  z.strictObject({
    id: z.string(),
    name: z.string(),
    asn: z.string().optional(),
    prefixes: z.array(z.strictObject({ prefix: z.string(), vrf: z.string() })),
    ports: z.array(PortView),
    neighbors: z.array(NeighborView),
    contacts: z.array(z.strictObject({ email: z.string() })),
    enforcements: z.array(EnforcementReference).describe('accepted and not ended'),
  }),
)
export type CustomerView = z.output<typeof CustomerView>

/** One page of customers. */
export const CustomerPage = named('CustomerPage', pageOf(CustomerView))

/** Who has an address, where it is, what is in force on it. */
export const LookupView = named(
  'Lookup',
  z.strictObject({
    address: z.string(),
    customer: z
      .strictObject({ id: z.string(), name: z.string(), asn: z.string().optional() })
      .optional()
      .describe('absent where it is nobody’s'),
    prefix: z.string().optional().describe('the customer’s prefix that holds it'),
    ports: z.array(PortView).describe('where the customer is connected'),
    neighbors: z.array(NeighborView),
    protected: z.array(z.strictObject({ prefix: z.string(), why: z.string() })),
    neverCut: z.array(z.string()),
    enforcements: z.array(EnforcementReference),
  }),
)
export type LookupView = z.output<typeof LookupView>

/** Query of GET /v1/lookup. */
export const LookupQuery = z.strictObject({ ip: AddressText })
