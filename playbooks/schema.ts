// The shape of a playbook's YAML, as a strict schema, and how it becomes a Playbook.

import * as z from 'zod'
import { Id } from '../inventory/schema.ts'
import { parseDuration } from './duration.ts'
import { templateProblem } from './message.ts'
import type { Measure, Playbook, Selector } from './model.ts'

const Devices = z
  .strictObject({ role: Id.optional(), devices: z.array(Id).min(1).optional() })
  .superRefine(({ role, devices }, context) => {
    if ((role === undefined) !== (devices === undefined)) return
    context.addIssue({
      code: 'custom',
      message: role === undefined ? 'no devices are named' : 'role and devices are both named',
      params: {
        expected: 'exactly one of role, devices',
        remedy: 'write { role: edge } or { devices: [edge1, edge2] }',
      },
    })
  })
  .meta({ description: 'Which devices: exactly one of role, devices' })

const Objects = z.enum(['customer', 'subject']).meta({
  description: "customer: all that is the customer's; subject: what the decision names",
})

const Optional = z.boolean().optional().meta({
  description: 'Where a device is missing or can not do it, the rest is done without',
})

const Message = z.string().superRefine((text, context) => {
  const problem = templateProblem(text)
  if (problem === undefined) return
  context.addIssue({
    code: 'custom',
    message: problem,
    params: {
      expected: 'a text like "Suspended {ticket}"',
      remedy: 'shorten it, or leave out what is not allowed',
    },
  })
})

const kinds = ['blackhole', 'acl', 'port', 'neighbor'] as const

const MeasureShape = z
  .strictObject({
    blackhole: z
      .strictObject({
        prefixes: Objects,
        devices: Devices,
        seenOn: Devices.optional().meta({ description: 'Devices that must be seen to discard it' }),
        tag: z.int().min(1).max(4_294_967_295).optional(),
        optional: Optional,
      })
      .optional(),
    acl: z
      .strictObject({
        block: Objects,
        direction: z.enum(['in', 'out', 'both']),
        devices: Devices,
        optional: Optional,
      })
      .optional(),
    port: z
      .strictObject({ state: z.literal('down'), ports: Objects, optional: Optional })
      .optional(),
    neighbor: z
      .strictObject({
        state: z.literal('shutdown'),
        neighbors: Objects,
        message: Message,
        optional: Optional,
      })
      .optional(),
  })
  .superRefine((measure, context) => {
    const given = kinds.filter((kind) => measure[kind] !== undefined)
    if (given.length === 1) return
    context.addIssue({
      code: 'custom',
      message:
        given.length === 0 ? 'a measure without a kind' : `${given.join(' and ')} in one measure`,
      params: {
        expected: `exactly one of ${kinds.join(', ')}`,
        remedy: 'begin each measure with a line of its own: "- port: { … }"',
      },
    })
  })

const Duration = z
  .string({ error: 'a length of time with its unit, such as 14d' })
  .transform((text, context): number => {
    const parsed = parseDuration(text)
    if (parsed.ok) return parsed.value
    context.issues.push({
      code: 'custom',
      message: parsed.problem,
      input: text,
      params: { expected: 'a whole number and one of s, m, h, d, w', remedy: 'write it like 14d' },
    })
    return z.NEVER
  })
  .meta({ description: 'A length of time: 14d, 12h', pattern: '^[1-9][0-9]*[smhdw]$' })

/** One playbook file. */
export const PlaybookFile = z
  .strictObject({
    name: Id,
    decision: z.enum(['suspend', 'terminate', 'block']),
    description: z.string().min(1).max(500),
    measures: z.array(MeasureShape).min(1),
    rollout: z
      .strictObject({
        canary: z.int().min(0).max(10_000).optional(),
        batch: z.int().min(1).max(10_000).optional(),
        stopAfterFailures: z.int().min(1).max(10_000).optional(),
      })
      .optional(),
    approvals: z.int().min(0).max(1).optional(),
    maxDuration: Duration.optional(),
    onFailure: z.enum(['keep', 'rollback']).optional(),
  })
  .superRefine(({ decision, maxDuration }, context) => {
    const final = decision === 'terminate'
    if (final === (maxDuration === undefined)) return
    context.addIssue({
      code: 'custom',
      path: final ? ['maxDuration'] : [],
      message: final ? 'terminate has no end, so no maxDuration' : `${decision} has no maxDuration`,
      params: final
        ? { expected: 'no maxDuration', remedy: 'remove it, or make the decision suspend' }
        : { found: 'nothing', expected: 'a maxDuration', remedy: 'add "maxDuration: 14d"' },
    })
  })

/** One playbook file, parsed. */
export type PlaybookFile = z.output<typeof PlaybookFile>

/** The JSON Schema (2020-12) of one playbook file, for editors. */
export function playbookSchemaJson(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(PlaybookFile, { io: 'input' }), title: 'nullroute playbook' }
}

/** Tag of blackhole routes where a playbook names none. */
const tagDefault = 666

/** With every default filled in. */
export function toPlaybook(file: PlaybookFile, sha256: string): Playbook {
  const { rollout, maxDuration } = file
  return {
    name: file.name,
    decision: file.decision,
    description: file.description,
    measures: file.measures.flatMap(toMeasures),
    rollout: {
      canary: rollout?.canary ?? 1,
      batch: rollout?.batch ?? 50,
      stopAfterFailures: rollout?.stopAfterFailures ?? 1,
    },
    approvals: file.approvals ?? (file.decision === 'terminate' ? 1 : 0),
    ...(maxDuration === undefined ? {} : { maxDurationMs: maxDuration }),
    onFailure: file.onFailure ?? 'keep',
    sha256,
  }
}

function toMeasures(shape: PlaybookFile['measures'][number]): readonly Measure[] {
  const { blackhole, acl, port, neighbor } = shape
  const measures: Measure[] = []
  if (blackhole !== undefined) {
    const { prefixes: objects, devices, seenOn, tag = tagDefault, optional = false } = blackhole
    const seen = seenOn === undefined ? {} : { seenOn: toSelector(seenOn) }
    const to = toSelector(devices)
    measures.push({ kind: 'blackhole', objects, devices: to, ...seen, tag, optional })
  }
  if (acl !== undefined) {
    const { block: objects, devices, direction, optional = false } = acl
    measures.push({ kind: 'acl', objects, devices: toSelector(devices), direction, optional })
  }
  if (port !== undefined) {
    measures.push({ kind: 'port', objects: port.ports, optional: port.optional ?? false })
  }
  if (neighbor !== undefined) {
    const { neighbors: objects, message, optional = false } = neighbor
    measures.push({ kind: 'neighbor', objects, message, optional })
  }
  return measures
}

function toSelector({ role, devices }: z.output<typeof Devices>): Selector {
  return role === undefined ? { kind: 'devices', devices: devices ?? [] } : { kind: 'role', role }
}
