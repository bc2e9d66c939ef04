// Enforcements as clients see and change them. Pure.

import { z } from 'zod'
import { intentKinds } from '../../../agent/intents.ts'
import { DecisionView } from './decision.ts'
import {
  cursors,
  InventoryId,
  named,
  oneOrMore,
  pageOf,
  paging,
  Sha256,
  Time,
  text,
  Ulid,
} from './formats.ts'
import { DeviceErrorView, PlaybookReference, RolloutView, WarningView } from './plan.ts'

const statuses = [
  'awaiting_approval',
  'enforcing',
  'enforced',
  'degraded',
  'releasing',
  'released',
  'rejected',
  'failed',
] as const

/** Where an enforcement stands. */
export const StatusName = named(
  'Status',
  z.enum(statuses, { error: `expected one of ${statuses.join(', ')}` }),
)

/** Who did it: the owner of the credential. */
export const ActorView = named(
  'Actor',
  z.strictObject({
    kind: z.enum(['person', 'token', 'system', 'agent', 'anonymous']),
    id: z.string(),
    roles: z.array(z.string()).optional(),
    name: z.string().optional(),
    from: z.string().optional(),
  }),
)

/** How an enforcement stands on one device. */
export const EnforcementDeviceView = named(
  'EnforcementDevice',
  z.strictObject({
    device: z.string(),
    role: z.enum(['enforcer', 'observer']),
    status: z.enum([
      'pending',
      'converging',
      'verified',
      'refused',
      'failed',
      'unreachable',
      'unsupported',
    ]),
    intents: z.array(
      z.strictObject({
        key: z.string(),
        kind: z.enum(intentKinds),
        outcome: z.enum(['applied', 'already', 'unsupported', 'refused', 'failed', 'unknown']),
        seen: z.enum(['present', 'absent', 'foreign', 'unknown']).optional(),
        note: z.string().optional(),
        error: DeviceErrorView.optional(),
      }),
    ),
    error: DeviceErrorView.optional(),
    verifiedAt: z.string().optional(),
    attempts: z.number().int(),
  }),
)
export type EnforcementDeviceView = z.output<typeof EnforcementDeviceView>

/** An enforcement: a decision that was accepted, with its result per device. */
export const EnforcementView = named(
  'Enforcement',
  z.strictObject({
    id: z.string(),
    status: StatusName,
    action: z.enum(['suspend', 'terminate', 'block']),
    customer: z.string(),
    decision: DecisionView,
    playbook: PlaybookReference,
    digest: z.string(),
    planId: z.string().optional(),
    requestedBy: ActorView,
    requestedByPerson: z.string().optional().describe('who may not approve it'),
    acceptedAt: z.string(),
    updatedAt: z.string(),
    expiresAt: z.string().optional(),
    approvals: z.strictObject({
      needed: z.number().int(),
      given: z.array(z.strictObject({ person: z.string(), token: z.string(), at: z.string() })),
    }),
    rollout: RolloutView,
    onFailure: z.enum(['keep', 'rollback']),
    devices: z.array(EnforcementDeviceView),
    overdue: z.boolean().describe('releasing for more than 5 minutes'),
    held: z
      .enum(['freeze', 'clock'])
      .optional()
      .describe('why nothing goes on: a freeze, or an expiry held because the clock jumped'),
    unsaved: z
      .array(z.string())
      .describe('devices on which what is in force would not survive a reboot'),
    releaseRequestedAt: z.string().optional(),
    releaseReason: z.string().optional(),
    why: z.string().optional().describe('why it was rejected or failed'),
    conflicts: z.array(
      z.strictObject({
        kind: z.enum([
          'taken_away',
          'added',
          'now_protected',
          'device_gone',
          'device_changed',
          'new_device',
        ]),
        object: z.string(),
      }),
    ),
    warnings: z.array(WarningView),
    version: z.number().int(),
  }),
)
export type EnforcementView = z.output<typeof EnforcementView>

/** One page of enforcements. */
export const EnforcementPage = named('EnforcementPage', pageOf(EnforcementView))

/** Enforcements on one page. */
const pageMax = 200

/** Query of GET /v1/enforcements. */
export const EnforcementsQuery = z.strictObject({
  ...paging({ limit: 50, max: pageMax, cursor: cursors.ulid }),
  status: oneOrMore(StatusName).optional(),
  customer: InventoryId.optional(),
})

/** Path with the id of a plan, enforcement or token. */
export const UlidPath = z.strictObject({ id: Ulid })

const reason = text(2_000)

/** Body of POST …/release and …/reject. */
export const ReasonOnlyBody = z.strictObject({ reason })

/** Body of POST …/approve. `digest` is the one that was reviewed. */
export const ApproveBody = z.strictObject({ digest: Sha256, reason: reason.optional() })

/** Body of POST …/extend. */
export const ExtendBody = z.strictObject({ expiresAt: Time, reason })

/** Body of POST …/retry. */
export const RetryBody = z.strictObject({
  devices: z
    .array(InventoryId)
    .min(1, { error: 'expected at least one device, or no list at all for every one' })
    .max(10_000, { error: 'expected at most 10000 devices' })
    .optional(),
})

/** Events of one enforcement: name, and what `data:` holds. */
export const EventData = {
  status: named(
    'StatusEvent',
    z.strictObject({
      time: z.string(),
      type: z.string(),
      outcome: z.string(),
      status: StatusName.describe(
        'as it is when the event is sent; of one that was settled in between, what it had reached',
      ),
    }),
  ),
  device: named(
    'DeviceEvent',
    z.strictObject({
      time: z.string(),
      type: z.string(),
      outcome: z.string(),
      device: z.string(),
      step: z.number().int().optional(),
      results: z
        .array(EnforcementDeviceView)
        .describe('how it stands when the event is sent, one for each role'),
    }),
  ),
  settled: named(
    'SettledEvent',
    z.strictObject({
      time: z.string(),
      status: StatusName,
      devices: z.array(
        z.strictObject({ device: z.string(), role: z.string().optional(), status: z.string() }),
      ),
    }),
  ),
} as const
export type StatusEvent = z.output<typeof EventData.status>
export type DeviceEvent = z.output<typeof EventData.device>
export type SettledEvent = z.output<typeof EventData.settled>

/** What was said to each device and what it answered. */
export const TranscriptPage = named(
  'TranscriptPage',
  pageOf(
    z.strictObject({
      seq: z.number().int(),
      device: z.string().optional(),
      sha256: z.string(),
      text: z.string(),
    }),
  ),
)

/** Transcripts on one page: each may be long. */
const transcriptsMax = 100

/** Query of GET …/transcripts. */
export const TranscriptsQuery = z.strictObject({
  ...paging({ limit: 20, max: transcriptsMax, cursor: cursors.seq }),
  device: InventoryId.optional(),
})
