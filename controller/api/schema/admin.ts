// What is around enforcements, as clients see it: audit log, tokens, playbooks, inventory, freeze, status, and problems. Pure.

import { z } from 'zod'
import { categories } from '../../../playbooks/model.ts'
import { roles } from '../../store/store.ts'
import { ActorView, EnforcementView, StatusName } from './enforcement.ts'
import {
  cursors,
  InventoryId,
  line,
  named,
  pageOf,
  paging,
  RoleName,
  repeated,
  Sha256,
  Time,
  text,
  Ulid,
} from './formats.ts'

const role = z.enum(roles)

/** Any refusal or fault (RFC 9457). Decide by `code`, never by the texts. More members stand beside these, by code. */
export const Problem = named(
  'Problem',
  z.looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().describe('id of the request, as in the log'),
    code: z.string(),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .describe('each problem of an invalid request, with its place'),
  }),
)
export type Problem = z.output<typeof Problem>

/** An entry of the audit log with what this reader may see of its hidden fields. */
export const AuditEntryView = named(
  'AuditEntry',
  z.strictObject({
    seq: z.number().int(),
    id: z.string(),
    time: z.string(),
    type: z.string(),
    outcome: z.string(),
    actor: ActorView,
    on: z.record(z.string(), z.string()),
    chain: z.strictObject({ n: z.number().int(), prev: z.number().int().optional() }).optional(),
    req: z.strictObject({ id: z.string(), key: z.string().optional() }).optional(),
    data: z.record(z.string(), z.unknown()),
    withheld: z.array(z.string()).describe('JSON Pointers of fields that are not shown'),
    leaf: z.string().describe('base64 of the leaf hash'),
  }),
)
export type AuditEntryView = z.output<typeof AuditEntryView>

/** One page of the audit log, newest first. */
export const AuditPage = named('AuditPage', pageOf(AuditEntryView))

/** Records of the audit log on one page. */
const pageMax = 1_000

/** Query of GET /v1/audit: all that is given must hold. */
export const AuditQuery = z.strictObject({
  ...paging({ limit: 100, max: pageMax, cursor: cursors.seq }),
  actor: line(256).optional(),
  action: z
    .string()
    .regex(/^[a-z_.]{1,32}$/, { error: 'expected a type of record, like enforcement.requested' })
    .optional(),
  customer: InventoryId.optional(),
  device: InventoryId.optional(),
  enforcement: Ulid.optional(),
  from: Time.optional(),
  to: Time.optional(),
  text: line(256).optional(),
})
export type AuditQuery = z.output<typeof AuditQuery>

/** A credential, without its secret. */
export const TokenView = named(
  'Token',
  z.strictObject({
    id: z.string(),
    name: z.string(),
    person: z.string(),
    roles: z.array(role),
    createdAt: z.string(),
    expiresAt: z.string().optional(),
    revokedAt: z.string().optional(),
    madeBy: z
      .strictObject({ id: z.string(), person: z.string().optional() })
      .optional()
      .describe('the credential that made it: a token, or local:ACCOUNT on the data folder'),
  }),
)
export type TokenView = z.output<typeof TokenView>

/** One page of tokens. */
export const TokenPage = named('TokenPage', pageOf(TokenView))

/** A credential that was just made: the only time that its secret is shown. */
export const NewTokenView = named(
  'NewToken',
  z.strictObject({ ...TokenView.shape, token: z.string() }),
)

/** Body of POST /v1/tokens. */
export const TokenBody = z
  .strictObject({
    name: line(128),
    person: line(256)
      .optional()
      .describe('who uses it, for four eyes; default: the name; required with role approver'),
    roles: z
      .array(RoleName)
      .min(1, { error: `expected at least one of ${roles.join(', ')}` })
      .max(roles.length, { error: 'expected each role only once' }),
    expiresAt: Time.optional(),
  })
  .superRefine((body, context) => {
    const again = repeated(body.roles)
    if (again !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['roles'],
        message: `expected each role only once, found ${again} again`,
      })
    }
    if (body.roles.includes('approver') && body.person === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['person'],
        message: 'expected a person, because four eyes are counted by person',
      })
    }
  })

/** Who am I, and what may I do. */
export const MeView = named(
  'Me',
  z.strictObject({
    id: z.string(),
    name: z.string(),
    person: z.string(),
    roles: z.array(role),
    expiresAt: z.string().optional(),
    may: z.array(z.strictObject({ method: z.string(), path: z.string() })),
  }),
)

/** What a decision may use. */
export const PlaybookView = named(
  'Playbook',
  z.strictObject({
    name: z.string(),
    decision: z.enum(['suspend', 'terminate', 'block']),
    description: z.string(),
    measures: z.array(z.record(z.string(), z.unknown())),
    rollout: z.strictObject({
      canary: z.number().int(),
      batch: z.number().int(),
      stopAfterFailures: z.number().int(),
    }),
    approvals: z.number().int(),
    maxDurationMs: z.number().int().optional(),
    onFailure: z.enum(['keep', 'rollback']),
    sha256: z.string(),
  }),
)
export type PlaybookView = z.output<typeof PlaybookView>

/** One page of playbooks, with the categories that a reason may have. */
export const PlaybookPage = named(
  'PlaybookPage',
  z.strictObject({ ...pageOf(PlaybookView).shape, categories: z.array(z.enum(categories)) }),
)

/** What a reload found, and what it touches of what is in force. */
export const ReloadView = named(
  'Reload',
  z.strictObject({
    ok: z.boolean(),
    problems: z.array(
      z.strictObject({
        file: z.string(),
        line: z.number().int(),
        column: z.number().int(),
        message: z.string(),
      }),
    ),
    conflicts: z.array(
      z.strictObject({ enforcement: z.string(), kind: z.string(), object: z.string() }),
    ),
    devices: z.number().int(),
    customers: z.number().int(),
  }),
)

/** That no device is changed, since when, by whom and why. */
export const FreezeView = named(
  'Freeze',
  z.strictObject({ since: z.string(), by: z.string(), reason: z.string() }),
)

/** Body of POST /v1/freeze. */
export const FreezeBody = z.strictObject({ reason: text(2_000) })

/** Query of DELETE /v1/freeze. */
export const UnfreezeQuery = z.strictObject({ reason: text(2_000).optional() })

/** All that needs a person's eye: in force, overdue, unsaved, held, frozen. */
export const StatusView = named(
  'ControllerStatus',
  z.strictObject({
    ready: z.boolean(),
    reasons: z.array(z.string()).describe('why it is not ready'),
    freeze: FreezeView.optional(),
    clock: z
      .strictObject({ jumpMs: z.number(), since: z.string() })
      .optional()
      .describe('the clock jumped: expiries are held until it is acknowledged'),
    counts: z.partialRecord(StatusName, z.number().int()),
    enforcements: z
      .array(EnforcementView)
      .describe('accepted and not ended, oldest first, at most 1000'),
    devices: z.array(
      z
        .strictObject({
          id: z.string(),
          state: z.string(),
          unsaved: z.boolean(),
          unwanted: z
            .number()
            .int()
            .describe('objects of ours that are still there, or not known to be gone, unwanted'),
          orphans: z
            .number()
            .int()
            .describe('objects without a claim, marked as ours or equal to what was lifted last'),
        })
        .describe('those that are not up, or hold unsaved changes, unwanted objects or orphans'),
    ),
    log: z.strictObject({ origin: z.string(), size: z.number().int(), healthy: z.boolean() }),
  }),
)

export type StatusView = z.output<typeof StatusView>

/** Answer of /healthz. */
export const HealthView = named('Health', z.strictObject({ status: z.literal('ok') }))

/** Answer of /readyz. */
export const ReadyView = named(
  'Ready',
  z.strictObject({ ready: z.boolean(), reasons: z.array(z.string()) }),
)

/** Path with the SHA-256 of an artifact. */
export const ArtifactPath = z.strictObject({ sha256: Sha256 })

/** Headers of POST /v1/enforcements; other headers are not looked at. */
export const IdempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[!-~]{1,255}$/, { error: 'expected 1 to 255 visible ASCII characters' })
    .optional(),
})

/** Headers of …/events; other headers are not looked at. */
export const EventsHeaders = z.object({
  'last-event-id': z
    .string()
    .regex(/^(?:0|[1-9]\d{0,14})$/, { error: 'expected the id of an event' })
    .optional(),
})
