// A plan as clients see it. Pure.

import { z } from 'zod'
import { intentKinds } from '../../../agent/intents.ts'
import { DecisionView } from './decision.ts'
import { Flag, named } from './formats.ts'

const kind = z.enum(intentKinds)

/** One thing that must be true on one device. */
const IntentView = named(
  'Intent',
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('blackhole'),
      vrf: z.string(),
      prefix: z.string(),
      tag: z.number().int(),
    }),
    z.strictObject({
      kind: z.literal('acl'),
      prefix: z.string(),
      direction: z.enum(['in', 'out']).describe('in = from the customer, out = to the customer'),
    }),
    z.strictObject({ kind: z.literal('port'), port: z.string() }),
    z.strictObject({
      kind: z.literal('neighbor'),
      vrf: z.string(),
      peer: z.string(),
      message: z.string(),
    }),
  ]),
)

/** Something that a client should know, and that stops nothing. */
export const WarningView = named(
  'Warning',
  z.strictObject({
    code: z.string(),
    message: z.string(),
    enforcements: z.array(z.string()).optional(),
  }),
)

/** Why something went wrong on a device, and what to do. */
export const DeviceErrorView = named(
  'DeviceError',
  z.strictObject({ code: z.string(), message: z.string(), remedy: z.string() }),
)

/** How a decision spreads over devices. */
export const RolloutView = z.strictObject({
  canary: z.number().int(),
  batch: z.number().int(),
  stopAfterFailures: z.number().int(),
  stoppedBy: z.string().optional().describe('the device at which it was stopped; retry goes on'),
})

/** The playbook, and the SHA-256 of the file that it came from. */
export const PlaybookReference = z.strictObject({ name: z.string(), sha256: z.string() })

const PlanLineView = z.strictObject({
  line: z.string(),
  needs: z.literal('device').optional().describe('a placeholder that only the device can fill'),
})

const PlanDeviceView = z.strictObject({
  device: z.string(),
  platform: z.string(),
  role: z.enum(['enforcer', 'observer']),
  intents: z.array(
    z.strictObject({
      key: z.string(),
      kind,
      intent: IntentView,
      unsupported: z.string().optional(),
      note: z.string().optional(),
      keptBy: z
        .array(z.string())
        .optional()
        .describe('of a release: the other enforcements for which it stays'),
      seen: z.enum(['present', 'absent', 'foreign', 'unknown']).optional(),
    }),
  ),
  apply: z.array(PlanLineView),
  undo: z.array(PlanLineView),
  save: z
    .array(PlanLineView)
    .optional()
    .describe(
      'sent afterwards, so that the change survives a reboot; absent where nothing is saved',
    ),
  transaction: z.string(),
  notes: z.array(z.string()),
  error: DeviceErrorView.optional(),
  diff: z.string().optional(),
  check: z.string().optional(),
})

/** A plan: what would be done, and what each guard says of it. */
export const PlanView = named(
  'Plan',
  z.strictObject({
    id: z.string(),
    createdAt: z.string(),
    action: z.enum(['suspend', 'terminate', 'block', 'release']),
    decision: DecisionView.optional(),
    enforcement: z.string().optional(),
    customer: z.string(),
    playbook: PlaybookReference,
    expiresAt: z.string().optional(),
    rollout: RolloutView,
    approvals: z.number().int(),
    digest: z.string(),
    guards: z.array(
      z.strictObject({
        guard: z.string(),
        verdict: z.enum(['pass', 'refuse', 'overridden']),
        message: z.string(),
        hit: z.array(z.string()).optional(),
        overridable: z.boolean(),
      }),
    ),
    keptBy: z
      .array(z.string())
      .optional()
      .describe(
        'of a release: the other enforcements that go on cutting off something of it, as their devices were read last',
      ),
    blastRadius: z
      .strictObject({
        customers: z.array(z.string()),
        ipv4Addresses: z.string(),
        ipv6Slash64: z.string(),
        prefixes: z.array(z.string()),
        ports: z.array(z.string()),
        neighbors: z.array(z.string()),
        devices: z.array(z.string()),
      })
      .describe(
        'what it cuts off; of a release what really comes back: an address as soon as traffic to or from it passes again on some device, a port or neighbor unless another enforcement shuts the same one',
      ),
    devices: z.array(PlanDeviceView),
    leftOut: z.array(z.strictObject({ prefix: z.string(), within: z.string(), why: z.string() })),
    empty: z.array(kind),
    notCovered: z.array(z.string()),
    warnings: z.array(WarningView),
    refused: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  }),
)
export type PlanView = z.output<typeof PlanView>

/** Query of POST /v1/plans. */
export const PlanQuery = z.strictObject({
  online: Flag.optional().describe('also reads the devices'),
})
