// What a plan binds a reviewer to, as one number, and what moved when the same decision means something else by now. Pure.

import { hash } from 'node:crypto'
import { compareIntents, type Intent, type Key, keyOf } from '../agent/intents.ts'
import type { Id } from '../inventory/model.ts'
import type { Decision, Playbook, Subject } from '../playbooks/model.ts'
import { canonical, type Json } from './audit/canonical.ts'
import type { Plan, Verdict } from './plan.ts'

/** One device's part of a digest. */
export interface DigestDevice {
  readonly device: Id
  readonly platform: string
  readonly intents: readonly { readonly intent: Intent; readonly observer: boolean }[]
}

/** What is digested. */
export interface DigestInput {
  readonly decision: Decision
  readonly customer: Id
  readonly playbook: Pick<Playbook, 'name' | 'sha256' | 'rollout' | 'approvals'>
  readonly devices: readonly DigestDevice[]
}

/** Hex SHA-256 of the canonical JSON (RFC 8785) of what would be done: no lines, no reads, no times of making. `expiresAt` is the one that was asked for: an end that follows from the playbook is bound by the playbook's digest. A device stands there once, by id, its intents by key; what is only waited for has `observer: true`. */
export function digestOf({ decision, customer, playbook, devices }: DigestInput): string {
  const { rollout } = playbook
  return sha256({
    v: 1,
    action: decision.action,
    subject: subjectJson(decision.subject),
    customer,
    playbook: { name: playbook.name, sha256: playbook.sha256 },
    ...(decision.expiresAt === undefined ? {} : { expiresAt: decision.expiresAt }),
    overrides: decision.overrides.map(({ guard, reason }) => ({ guard, reason })),
    rollout: {
      canary: rollout.canary,
      batch: rollout.batch,
      stopAfterFailures: rollout.stopAfterFailures,
    },
    approvals: playbook.approvals,
    devices: devicesJson(devices),
  })
}

/** Hex SHA-256 of the rows that say what an enforcement wants, each as it is stored, in their order: waves and what is optional too, which the digest of a plan leaves open. */
export function wantedDigest(rows: readonly string[]): string {
  return hash('sha256', rows.join('\n'), 'hex')
}

/** The same for the plan of a release: the enforcement, and the intents that would go. */
export function releaseDigestOf(input: {
  readonly enforcement: string
  readonly customer: Id
  readonly devices: readonly DigestDevice[]
}): string {
  return sha256({
    v: 1,
    action: 'release',
    subject: { enforcement: input.enforcement },
    customer: input.customer,
    devices: devicesJson(input.devices),
  })
}

/** A subject as requests and records have it: `{customer}`, `{prefix}`, `{port: {device, interface}}` or `{neighbor: {device, address, vrf}}`. */
export function subjectJson(subject: Subject): { readonly [name: string]: Json } {
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

/** Whether two subjects are the same. */
export function sameSubject(one: Subject, other: Subject): boolean {
  switch (one.kind) {
    case 'customer':
      return other.kind === one.kind && other.customer === one.customer
    case 'prefix':
      return other.kind === one.kind && other.prefix === one.prefix
    case 'port':
      return other.kind === one.kind && other.device === one.device && other.port === one.port
    case 'neighbor':
      return (
        other.kind === one.kind &&
        other.device === one.device &&
        other.peer === one.peer &&
        other.vrf === one.vrf
      )
  }
}

/** One thing that is another than it was when the plan was made. */
export interface Moved {
  /** In words: `blackhole 203.0.113.9/32 on trigger1`, `guard hour_budget`. */
  readonly what: string
  /** '' where there was none. */
  readonly was: string
  /** '' where there is none any more. */
  readonly is: string
}

/** How many things that moved are named before the rest is only counted. */
const movedNamedMax = 10

/** What moved, in words: `blackhole 203.0.113.9/32 on trigger1 added; guard hour_budget: was pass, is refuse`. */
export function movedText(moved: readonly Moved[]): string {
  const named = moved.slice(0, movedNamedMax).map(({ what, was, is }) => {
    if (was === '') return `${what} added`
    return is === '' ? `${what} gone` : `${what}: was ${was}, is ${is}`
  })
  const more = moved.length - named.length
  return [...named, ...(more === 0 ? [] : [`and ${more} more`])].join('; ')
}

/** What moved between a plan and the same decision compiled now; [] = the plan still holds. That is so exactly when neither digest nor any guard's verdict differs. */
export function staleness(old: Plan, fresh: Plan): readonly Moved[] {
  const moved: readonly (Moved | undefined)[] = [
    differs('customer', old.customer, fresh.customer),
    differs('playbook', playbookText(old), playbookText(fresh)),
    differs('approvals', String(old.approvals), String(fresh.approvals)),
    differs('rollout', canonical(old.rollout), canonical(fresh.rollout)),
    ...guardsMoved(old.guards, fresh.guards),
    ...devicesMoved(old, fresh),
  ]
  const found = moved.filter((each) => each !== undefined)
  if (found.length > 0 || old.digest === fresh.digest) return found
  return [{ what: 'digest', was: old.digest, is: fresh.digest }]
}

function devicesMoved(old: Plan, fresh: Plan): readonly (Moved | undefined)[] {
  const places = new Set([...old.devices, ...fresh.devices].map(placeOf))
  return [...places].flatMap((place) => {
    const was = old.devices.find((device) => placeOf(device) === place)
    const is = fresh.devices.find((device) => placeOf(device) === place)
    const platforms = was === undefined || is === undefined ? [] : [was.platform, is.platform]
    const [before = '', after = ''] = platforms
    return [differs(`platform of ${place}`, before, after), ...intentsMoved(place, was, is)]
  })
}

function intentsMoved(
  place: string,
  was: Plan['devices'][number] | undefined,
  is: Plan['devices'][number] | undefined,
): readonly (Moved | undefined)[] {
  const before = intentsOf(was)
  const after = intentsOf(is)
  const all = new Map([...before, ...after])
  return [...all.values()].toSorted(compareIntents).map((intent) => {
    const key = keyOf(intent)
    const [old, fresh] = [before.get(key), after.get(key)]
    return differs(`${nameOf(intent)} on ${place}`, attributeOf(old), attributeOf(fresh))
  })
}

function intentsOf(device: Plan['devices'][number] | undefined): ReadonlyMap<Key, Intent> {
  return new Map((device?.intents ?? []).map(({ key, intent }) => [key, intent]))
}

/** An object as a person calls it, without what else is said of it. */
function nameOf(intent: Intent): string {
  switch (intent.kind) {
    case 'blackhole':
      return `blackhole ${intent.prefix}${tableText(intent.vrf)}`
    case 'acl':
      return `acl ${intent.direction} ${intent.prefix}`
    case 'port':
      return `port ${intent.port}`
    case 'neighbor':
      return `neighbor ${intent.peer}${tableText(intent.vrf)}`
  }
}

function tableText(vrf: string): string {
  return vrf === 'default' ? '' : ` in vrf ${vrf}`
}

/** What is said of an object beyond its key; never '' where there is one. */
function attributeOf(intent: Intent | undefined): string {
  switch (intent?.kind) {
    case undefined:
      return ''
    case 'blackhole':
      return `tag ${intent.tag}`
    case 'neighbor':
      return `message "${intent.message}"`
    case 'acl':
    case 'port':
      return 'wanted'
  }
}

function guardsMoved(
  old: readonly Verdict[],
  fresh: readonly Verdict[],
): readonly (Moved | undefined)[] {
  const names = new Set([...old, ...fresh].map(({ guard }) => guard))
  const verdictIn = (verdicts: readonly Verdict[], name: string) =>
    verdicts.find(({ guard }) => guard === name)?.verdict ?? ''
  return [...names].map((name) =>
    differs(`guard ${name}`, verdictIn(old, name), verdictIn(fresh, name)),
  )
}

function differs(what: string, was: string, is: string): Moved | undefined {
  return was === is ? undefined : { what, was, is }
}

function placeOf({ device, role }: Plan['devices'][number]): string {
  return role === 'observer' ? `${device} (observer)` : device
}

function playbookText({ playbook }: Plan): string {
  return `${playbook.name} ${playbook.sha256}`
}

function devicesJson(devices: readonly DigestDevice[]): readonly Json[] {
  const byId = new Map<Id, { platform: string; intents: DigestDevice['intents'][number][] }>()
  for (const { device, platform, intents } of devices) {
    const known = byId.get(device) ?? { platform, intents: [] }
    known.intents.push(...intents)
    byId.set(device, known)
  }
  return [...byId]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([device, { platform, intents }]) => ({
      device,
      platform,
      intents: intents
        .map(({ intent, observer }) => ({
          key: `${keyOf(intent)} ${observer}`,
          json: { ...intent, ...(observer ? { observer } : {}) },
        }))
        .toSorted((one, other) => (one.key < other.key ? -1 : 1))
        .map(({ json }) => json),
    }))
}

function sha256(value: Json): string {
  return hash('sha256', canonical(value), 'hex')
}
