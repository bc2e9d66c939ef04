// What happens in each life of the controller: decisions, faults of devices, and where it is killed. Pure: all of it follows from the seed, and from
// nothing that a controller answered.

import type { Fault } from '../simulator/faults.ts'
import { blockable, devices, names, neighbors, type Playbook, ports, type Subject } from './city.ts'
import type { Cut } from './points.ts'
import { type Random, random } from './random.ts'

/** Something that is asked of the controller. `of`: number of the decision that it is about. */
export type Action =
  | {
      readonly kind: 'decide'
      readonly number: number
      readonly subject: Subject
      readonly ticket: string
      /** It ends by itself, so long after it was first sent. */
      readonly endsMs?: number
    }
  | { readonly kind: 'release'; readonly of: number }
  | { readonly kind: 'extend'; readonly of: number; readonly endsMs: number }

/** Where a life ends. */
export type Kill =
  /** By itself, at a point of points.ts. */
  | ({ readonly at: 'point' } & Cut)
  /** When the devices receive the n-th line that changes something, before or after it is carried out. */
  | { readonly at: 'line'; readonly pass: number; readonly when: 'before' | 'after' }
  /** When the n-th request was sent, or answered. */
  | { readonly at: 'request' | 'answer'; readonly pass: number }
  /** So long after it listens. By the clock, so that it meets another moment each time. */
  | { readonly at: 'time'; readonly ms: number }

/** What befalls a device: a fault, a loss of power, or nothing answers for a while. */
export type Trouble =
  | { readonly kind: 'fault'; readonly device: string; readonly fault: Fault }
  | { readonly kind: 'reboot'; readonly device: string }
  /** The window of a commit that waits to be confirmed runs out before the controller is back. */
  | { readonly kind: 'expire'; readonly device: string }
  | { readonly kind: 'away'; readonly device: string; readonly ms: number }

/** One life. */
export interface LifePlan {
  readonly actions: readonly Action[]
  readonly troubles: readonly Trouble[]
  /** Whether the faults of the lives before are over. */
  readonly mended: boolean
  readonly kill: Kill
}

/** Makes the plans of all lives, in order. */
export interface Planner {
  life(number: number): LifePlan
  /** Decisions that nobody has released. */
  unreleased(): readonly number[]
  /** Somebody has released them all. */
  allReleased(): void
}

/** Devices whose commits wait to be confirmed. */
const windows = devices
  .filter(({ platform }) => platform === 'juniper_junos')
  .map(({ name }) => name)

/** Most decisions that stand unreleased: what comes then is a release. */
const openMax = 9

/** Lines that change something, on any platform; of what begins a here-document the shell makes nothing until it has all of it. */
const changing =
  '^(?:setsid -w sudo -n )?(?:ip|ipv6|no|set|delete|neighbor|shutdown|nft|host|route|add) (?!.*<<)'

/** With these lines many others are done, or a save. */
export const ending = '^(?:write memory|EOF)$'

/** Devices that are told to save. */
export const saving = devices
  .filter(({ platform }) => platform !== 'juniper_junos')
  .map(({ name }) => name)

/** Plans from a seed. */
export function planner(seed: number): Planner {
  let made = 0
  let open: number[] = []

  function action(chance: Random): Action {
    const releases = open.length >= openMax || (open.length > 0 && chance.chance(0.4))
    if (releases) {
      const of = chance.pick(open)
      open = open.filter((one) => one !== of)
      return { kind: 'release', of }
    }
    if (open.length > 0 && chance.chance(0.15)) {
      return { kind: 'extend', of: chance.pick(open), endsMs: 3_600_000 }
    }
    made += 1
    open.push(made)
    const ends = chance.chance(0.25) ? { endsMs: chance.between(500, 4_000) } : {}
    return {
      kind: 'decide',
      number: made,
      subject: subject(chance),
      ticket: `ABUSE-${made}`,
      ...ends,
    }
  }

  return {
    life(number) {
      const chance = random(seed, 'life', number)
      const actions = Array.from({ length: chance.between(0, 4) }, () => action(chance))
      const troubles = chance.chance(0.35) ? [trouble(chance)] : []
      return { actions, troubles, mended: chance.chance(0.7), kill: kill(chance) }
    },
    unreleased: () => open,
    allReleased() {
      open = []
    },
  }
}

function subject(chance: Random): Subject {
  const kind = chance.weighted([
    { weight: 4, value: 'customer' as const },
    { weight: 4, value: 'prefix' as const },
    { weight: 1, value: 'port' as const },
    { weight: 2, value: 'neighbor' as const },
  ])
  switch (kind) {
    case 'customer': {
      const playbooks: readonly Playbook[] = ['suspend', 'suspend', 'core', 'core', 'depeer']
      return { kind, customer: chance.pick(names), playbook: chance.pick(playbooks) }
    }
    case 'prefix':
      return { kind, prefix: chance.pick(blockable) }
    case 'port':
      return { kind, place: chance.pick(ports) }
    case 'neighbor':
      return { kind, place: chance.pick(neighbors) }
  }
}

function trouble(chance: Random): Trouble {
  const device = chance.pick(devices).name
  const faults: readonly Fault[] = [
    { kind: 'disconnect', when: 'before', line: chance.between(3, 40) },
    { kind: 'disconnect', when: 'after', line: chance.between(3, 40) },
    { kind: 'disconnect', when: 'before', matching: changing, times: 1 },
    { kind: 'disconnect', when: 'after', matching: changing, times: 1 },
    { kind: 'split', bytes: chance.between(1, 9) },
    { kind: 'slow', ms: chance.between(1, 30) },
    { kind: 'lie', matching: `${changing}|${ending}`, times: 1 },
    { kind: 'reject', matching: changing, times: 1 },
    { kind: 'refuse-save' },
    { kind: 'lock' },
  ]
  const unsaved: Fault = { kind: 'lie', matching: ending, times: 1 }
  return chance.weighted<Trouble>([
    { weight: 8, value: { kind: 'fault', device, fault: chance.pick(faults) } },
    { weight: 2, value: { kind: 'fault', device: chance.pick(saving), fault: unsaved } },
    { weight: 1, value: { kind: 'reboot', device } },
    { weight: 2, value: { kind: 'expire', device: chance.pick(windows) } },
    { weight: 2, value: { kind: 'away', device, ms: chance.between(50, 1_500) } },
  ])
}

/** Points by name, with the highest pass that a life comes to often enough. */
const points: readonly {
  readonly weight: number
  readonly point: string
  readonly most: number
}[] = [
  { weight: 12, point: '*', most: 300 },
  { weight: 3, point: 'commit:before', most: 40 },
  { weight: 3, point: 'commit:inside', most: 40 },
  { weight: 3, point: 'commit:after', most: 40 },
  { weight: 1, point: 'commit:inside enforcement.requested', most: 2 },
  { weight: 1, point: 'commit:after enforcement.requested', most: 2 },
  { weight: 1, point: 'commit:inside enforcement.release_requested', most: 1 },
  { weight: 1, point: 'commit:after enforcement.release_requested', most: 1 },
  { weight: 1, point: 'commit:inside enforcement.expired', most: 1 },
  { weight: 1, point: 'commit:after enforcement.extended', most: 1 },
  { weight: 1, point: 'intend:before', most: 6 },
  { weight: 3, point: 'intend:after change', most: 6 },
  { weight: 2, point: 'intend:after save', most: 3 },
  { weight: 1, point: 'intend:after rollback', most: 1 },
  { weight: 2, point: 'send:before change', most: 8 },
  { weight: 5, point: 'send:out change', most: 12 },
  { weight: 4, point: 'send:answered change', most: 12 },
  { weight: 1, point: 'send:out read', most: 30 },
  { weight: 2, point: 'done:before', most: 6 },
  { weight: 2, point: 'done:after', most: 6 },
  { weight: 1, point: 'flush:after', most: 3 },
  { weight: 2, point: 'verified:before', most: 12 },
  { weight: 2, point: 'verified:after', most: 12 },
  { weight: 1, point: 'saved:before', most: 4 },
  { weight: 1, point: 'saved:after', most: 4 },
  { weight: 1, point: 'failed:before', most: 1 },
  { weight: 1, point: 'open:after', most: 8 },
  { weight: 1, point: 'session:after', most: 8 },
]

function kill(chance: Random): Kill {
  const at = chance.weighted([
    { weight: 60, value: 'point' as const },
    { weight: 20, value: 'line' as const },
    { weight: 4, value: 'request' as const },
    { weight: 4, value: 'answer' as const },
    { weight: 12, value: 'time' as const },
  ])
  switch (at) {
    case 'point': {
      const { point, most } = chance.weighted(
        points.map((value) => ({ weight: value.weight, value })),
      )
      return { at, point, pass: chance.between(1, most) }
    }
    case 'line': {
      const when = chance.pick(['before', 'after'] as const)
      // Far enough to come into the middle of many lines that were sent at once.
      return { at, pass: chance.between(1, chance.chance(0.7) ? 16 : 60), when }
    }
    case 'request':
    case 'answer':
      return { at, pass: chance.between(1, 3) }
    case 'time':
      return { at, ms: chance.between(0, 700) }
  }
}
