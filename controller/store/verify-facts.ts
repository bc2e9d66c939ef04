// What the row of a decision and of all that it wants says, held against the record of its acceptance and the plan that was accepted. What became of it since is verify-life.ts.

import { type Intent, keyOf } from '../../agent/intents.ts'
import { enforcementPlaceholder } from '../../playbooks/message.ts'
import type { Decision } from '../../playbooks/model.ts'
import type { Json } from '../audit/canonical.ts'
import { digestOf, subjectJson, wantedDigest } from '../digest.ts'
import type { Enforcement } from '../enforcement.ts'
import type { Plan } from '../plan.ts'
import type { Wanted } from './store.ts'
import { type Life, personOf } from './verify-life.ts'
import {
  type Fact,
  type LogRecord,
  parted,
  partedColumns,
  type Said,
  textOf,
  unknown,
} from './verify-log.ts'

/** A row of `wanted`. */
export interface WantedRow {
  readonly device: string
  readonly key: string
  readonly observer: number
  readonly doc: string
}

/** An acceptance with all that is held against it. */
export interface Acceptance extends Life {
  readonly requested: LogRecord
  /** As they are stored, in their order. */
  readonly wantedRows: readonly WantedRow[]
  /** The plan that was accepted, where its row can be read. */
  readonly plan: Plan | undefined
}

/** Where the row of a decision says something else than what was accepted. */
export function acceptanceProblems(about: Acceptance): readonly string[] {
  const { enforcement, requested } = about
  const said = requested.data['digest']
  return [
    ...(said === enforcement.digest
      ? []
      : [`its row has the digest ${enforcement.digest}, ${textOf(said)} was accepted`]),
    ...parted([
      ...requesterFacts(about),
      ...decisionFacts(about),
      ...termFacts(about),
      ...planFacts(about),
    ]),
    ...wantedProblems(about),
  ]
}

function requesterFacts({ enforcement, requested, persons }: Acceptance): readonly Fact[] {
  const { requestedBy, requestedByPerson } = enforcement
  const { actor } = requested
  // A row of the time before this was kept has none: then the id counts.
  const person =
    isOld(requested) && requestedByPerson === undefined ? unknown : personOf(requested, persons)
  return [
    ['requester', actor.id, requestedBy.id],
    ['kind of its requester', actor.kind, requestedBy.kind],
    ['roles of its requester', actor.roles, requestedBy.roles],
    ['name of its requester', requested.said('/actor/name'), requestedBy.name],
    ['address of its requester', requested.said('/actor/from'), requestedBy.from],
    ['person who asked', person, requestedByPerson],
  ]
}

function decisionFacts({ enforcement, requested, records }: Acceptance): readonly Fact[] {
  const { decision, playbook } = enforcement
  const { reason } = decision
  const { on, data } = requested
  const extended = records.findLast(({ type }) => type === 'enforcement.extended')
  const digests = reason.evidence.flatMap(({ sha256 }) =>
    sha256 === undefined ? [] : [{ sha256 }],
  )
  return [
    ['plan', on['plan'], enforcement.plan],
    ['action', data['action'], decision.action],
    ['playbook', data['playbook'], playbook],
    ['playbook of its decision', playbook.name, decision.playbook],
    ['category', data['category'], reason.category],
    ['ticket', data['ticket'], reason.ticket],
    ['automated', data['automated'], decision.automated],
    ['digests of evidence', data['evidence'] ?? unknown, digests],
    ['end', (extended ?? requested).data['expiresAt'], enforcement.expiresAt],
    ['customer', requested.said('/on/customer'), enforcement.customer],
    ['reason', requested.said('/data/reason'), reason.summary],
    ['subject', requested.said('/data/subject'), subjectJson(decision.subject)],
  ]
}

// Decided with the acceptance, and never changed.
function termFacts({ enforcement, requested }: Acceptance): readonly Fact[] {
  const { acceptedAt, approvals, counts, maxDurationMs, onFailure } = enforcement
  const term = (name: string): Said => (isOld(requested) ? unknown : requested.data[name])
  return [
    ['time of acceptance', term('acceptedAt'), acceptedAt],
    ['number of approvals needed', term('approvals'), approvals.needed],
    ['longest duration', term('maxDurationMs'), maxDurationMs],
    ['way with failures', term('onFailure'), onFailure],
    ['counts', term('counts'), counts],
  ]
}

/** Whether a record is of the time before it held these. */
function isOld({ data }: LogRecord): boolean {
  return data['acceptedAt'] === undefined
}

// The plan holds the whole decision, what the log leaves out of it too, and is held itself.
function planFacts({ enforcement, plan }: Acceptance): readonly Fact[] {
  if (plan === undefined) return []
  const { decision, rollout, warnings } = enforcement
  const shown = membersOf(plan.decision)
  const is = membersOf(decision)
  const names = [...new Set([...Object.keys(shown), ...Object.keys(is)])]
  const known = new Set<string>(warnings.map(textOf))
  // A release adds its own.
  const lost = plan.warnings.filter((warning) => !known.has(textOf(warning)))
  return [
    ...names.map((name): Fact => [`${name} in its plan`, shown[name], is[name]]),
    ['roll-out in its plan', { ...plan.rollout }, { ...rollout }],
    ...lost.map((warning): Fact => ['warning in its plan', warning, undefined]),
  ]
}

function membersOf(decision: Decision | undefined): Readonly<Record<string, Json | undefined>> {
  return decision === undefined ? {} : { ...decision, reason: { ...decision.reason } }
}

// The digest that was accepted binds all that is wanted of every device; of platforms only the plan says what they were.
function wantedProblems(about: Acceptance): readonly string[] {
  const { enforcement, plan, requested, wanted, wantedRows } = about
  const said = requested.said('/data/wantedSha256')
  const isOther =
    typeof said === 'string' && said !== wantedDigest(wantedRows.map(({ doc }) => doc))
  const digest = plan === undefined ? enforcement.digest : digestNow(enforcement, wanted, plan)
  const parts = 'what its rows want of devices is not what was accepted'
  if (digest !== enforcement.digest) return [`${parts}: it has another digest`]
  if (isOther) return [`${parts}: in another order, in other waves, or of other marks`]
  return wanted.flatMap((row, i) => wantedRowProblems(enforcement.id, row, wantedRows[i]))
}

function digestNow(enforcement: Enforcement, wanted: readonly Wanted[], plan: Plan): string {
  const platforms = new Map(plan.devices.map(({ device, platform }) => [device, platform]))
  const { id, decision, customer, playbook, rollout, approvals } = enforcement
  return digestOf({
    decision,
    customer,
    playbook: { ...playbook, rollout, approvals: approvals.needed },
    devices: wanted.map(({ device, intent, observer }) => ({
      device,
      platform: platforms.get(device) ?? '',
      intents: [{ intent: asPlanned(intent, id), observer }],
    })),
  })
}

// A plan has no enforcement yet that a message could name.
function asPlanned(intent: Intent, enforcement: string): Intent {
  if (intent.kind !== 'neighbor') return intent
  const message = intent.message.replaceAll(enforcement, enforcementPlaceholder)
  return { ...intent, message: message as typeof intent.message } // as long, of the same signs
}

function wantedRowProblems(
  enforcement: string,
  row: Wanted,
  stored: WantedRow | undefined,
): readonly string[] {
  const { device, key, observer } = row
  const problems = [
    ...partedColumns(
      { enforcement, device: stored?.device, key: stored?.key, observer: stored?.observer === 1 },
      { enforcement: row.enforcement, device, key, observer },
    ),
    ...(keyOf(row.intent) === key ? [] : [`its row holds ${keyOf(row.intent)}`]),
  ]
  return problems.map((problem) => `${key} on ${device}: ${problem}`)
}
