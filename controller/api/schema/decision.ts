// What a client may ask to be done, and how a decision is shown again. Pure.

import { z } from 'zod'
import { categories, type Decision, type Subject } from '../../../playbooks/model.ts'
import {
  AddressText,
  GuardName,
  InventoryId,
  named,
  PortText,
  PrefixText,
  repeated,
  Sha256,
  Ticket,
  Time,
  text,
  Ulid,
  VrfName,
} from './formats.ts'

const subjects = ['customer', 'prefix', 'port', 'neighbor'] as const

const SubjectBody = z
  .strictObject({
    customer: InventoryId.optional(),
    prefix: PrefixText.optional().describe(
      'must lie inside one customer’s space; a bare address means its /32 or /128',
    ),
    port: z.strictObject({ device: InventoryId, interface: PortText }).optional(),
    neighbor: z
      .strictObject({
        device: InventoryId,
        address: AddressText,
        vrf: VrfName.optional(),
      })
      .optional(),
  })
  .transform((body, context): Subject => {
    const given = subjects.filter((name) => body[name] !== undefined)
    const subject = given.length === 1 ? subjectOf(body) : undefined
    if (subject !== undefined) return subject
    const found = given.length === 0 ? 'none' : given.join(' and ')
    context.addIssue({
      code: 'custom',
      message: `expected exactly one of customer, prefix, port, neighbor; found ${found}`,
    })
    return z.NEVER
  })

const Evidence = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected a URL with http or https' })
    .max(2_000, { error: 'expected at most 2000 characters' })
    .regex(/^[\x21-\x7e]+$/, { error: 'expected a URL in ASCII without blanks' }),
  sha256: Sha256.optional(),
})

const ReasonBody = z.strictObject({
  category: z.enum(categories, { error: `expected one of ${categories.join(', ')}` }),
  summary: text(2_000),
  ticket: Ticket.optional(),
  evidence: z
    .array(Evidence)
    .max(50, { error: 'expected at most 50 pieces of evidence' })
    .default([]),
})

/** A decision as a client sends it, checked as far as it can be without the inventory. */
const DecisionBody = named(
  'Decision',
  z
    .strictObject({
      action: z.enum(['suspend', 'terminate', 'block'], {
        error: 'expected one of suspend, terminate, block',
      }),
      subject: SubjectBody,
      reason: ReasonBody,
      playbook: InventoryId.optional().describe('default: the one named after the action'),
      expiresAt: Time.optional().describe('default: the longest time that the playbook allows'),
      automated: z.boolean().default(false).describe('whether a program decided'),
      override: z
        .array(z.strictObject({ guard: GuardName, reason: text(2_000) }))
        .max(16, { error: 'expected at most 16 overrides' })
        .default([])
        .describe('role admin only: each passes one guard'),
      dryRun: z.boolean().default(false).describe('answers as POST /v1/plans does'),
    })
    .superRefine((body, context) => {
      const wrong = subjectProblem(body)
      if (wrong !== undefined) {
        context.addIssue({ code: 'custom', path: ['subject'], message: wrong })
      }
      if (body.action === 'terminate' && body.expiresAt !== undefined) {
        context.addIssue({
          code: 'custom',
          path: ['expiresAt'],
          message: 'terminate is final and does not expire: leave expiresAt out, or suspend',
        })
      }
      const again = repeated(body.override.map(({ guard }) => guard))
      if (again !== undefined) {
        context.addIssue({
          code: 'custom',
          path: ['override'],
          message: `expected each guard only once, found ${again} again`,
        })
      }
    })
    .transform(({ dryRun, ...body }) => ({
      kind: 'decision' as const,
      decision: decisionOf(body),
      dryRun,
    })),
)

/** A plan that was reviewed, to be enforced exactly as it was shown. */
const PlanReference = named(
  'PlanReference',
  z
    .strictObject({ planId: Ulid, digest: Sha256 })
    .transform((body) => ({ kind: 'plan' as const, plan: body.planId, digest: body.digest })),
)

/** Body of POST /v1/enforcements. */
export const EnforceBody = z.union([DecisionBody, PlanReference])

/** Body of POST /v1/plans: a decision, or the enforcement whose release is planned. */
export const PlanBody = z.union([
  DecisionBody,
  named(
    'ReleaseReference',
    z
      .strictObject({ release: Ulid })
      .transform((body) => ({ kind: 'release' as const, enforcement: body.release })),
  ),
])

/** A decision as it is shown: as it was sent, in canonical form, with its defaults. */
export const DecisionView = named(
  'DecisionView',
  z.strictObject({
    action: z.enum(['suspend', 'terminate', 'block']),
    subject: z.union([
      z.strictObject({ customer: z.string() }),
      z.strictObject({ prefix: z.string() }),
      z.strictObject({ port: z.strictObject({ device: z.string(), interface: z.string() }) }),
      z.strictObject({
        neighbor: z.strictObject({ device: z.string(), address: z.string(), vrf: z.string() }),
      }),
    ]),
    reason: z.strictObject({
      category: z.enum(categories),
      summary: z.string(),
      ticket: z.string().optional(),
      evidence: z.array(z.strictObject({ url: z.string(), sha256: z.string().optional() })),
    }),
    playbook: z.string(),
    expiresAt: z.string().optional(),
    automated: z.boolean(),
    override: z.array(z.strictObject({ guard: z.string(), reason: z.string() })),
  }),
)
export type DecisionView = z.output<typeof DecisionView>

/** A decision in the form in which it is shown. */
export function decisionView(decision: Decision): DecisionView {
  return {
    action: decision.action,
    subject: subjectView(decision.subject),
    reason: { ...decision.reason, evidence: [...decision.reason.evidence] },
    playbook: decision.playbook,
    ...(decision.expiresAt === undefined ? {} : { expiresAt: decision.expiresAt }),
    automated: decision.automated,
    override: [...decision.overrides],
  }
}

function subjectView(subject: Subject): DecisionView['subject'] {
  switch (subject.kind) {
    case 'customer':
      return { customer: subject.customer }
    case 'prefix':
      return { prefix: subject.prefix }
    case 'port':
      return { port: { device: subject.device, interface: subject.port } }
    case 'neighbor':
      return { neighbor: { device: subject.device, address: subject.peer, vrf: subject.vrf } }
  }
}

type SubjectInput = Partial<{
  readonly customer: string | undefined
  readonly prefix: Extract<Subject, { kind: 'prefix' }>['prefix'] | undefined
  readonly port:
    | { readonly device: string; readonly interface: Extract<Subject, { kind: 'port' }>['port'] }
    | undefined
  readonly neighbor:
    | {
        readonly device: string
        readonly address: Extract<Subject, { kind: 'neighbor' }>['peer']
        readonly vrf?: string | undefined
      }
    | undefined
}>

function subjectOf(body: SubjectInput): Subject | undefined {
  if (body.customer !== undefined) return { kind: 'customer', customer: body.customer }
  if (body.prefix !== undefined) return { kind: 'prefix', prefix: body.prefix }
  if (body.port !== undefined) {
    return { kind: 'port', device: body.port.device, port: body.port.interface }
  }
  if (body.neighbor === undefined) return undefined
  const { device, address, vrf } = body.neighbor
  return { kind: 'neighbor', device, peer: address, vrf: vrf ?? 'default' }
}

// A named playbook may carry a suspend of one neighbor (depeer); whether this one does is the compiler's to say.
function subjectProblem(body: {
  readonly action: Decision['action']
  readonly subject: Subject
  readonly playbook?: string | undefined
}): string | undefined {
  const { kind } = body.subject
  // What is wrong inside is told already; a subject that was not taken has no kind.
  if (!subjects.includes(kind)) return undefined
  if (body.action === 'block') {
    return kind === 'customer'
      ? 'block takes a prefix, port or neighbor; suspend and terminate take a customer'
      : undefined
  }
  if (kind === 'customer') return undefined
  if (body.action === 'suspend' && kind === 'neighbor' && body.playbook !== undefined)
    return undefined
  return `${body.action} takes a customer; to cut off one ${kind}, use block`
}

function decisionOf(body: {
  readonly action: Decision['action']
  readonly subject: Subject
  readonly reason: z.output<typeof ReasonBody>
  readonly playbook?: string | undefined
  readonly expiresAt?: string | undefined
  readonly automated: boolean
  readonly override: Decision['overrides']
}): Decision {
  const { category, summary, ticket, evidence } = body.reason
  return {
    action: body.action,
    subject: body.subject,
    reason: {
      category,
      summary,
      ...(ticket === undefined ? {} : { ticket }),
      evidence: evidence.map(({ url, sha256 }) =>
        sha256 === undefined ? { url } : { url, sha256 },
      ),
    },
    playbook: body.playbook ?? body.action,
    ...(body.expiresAt === undefined ? {} : { expiresAt: body.expiresAt }),
    automated: body.automated,
    overrides: body.override,
  }
}
