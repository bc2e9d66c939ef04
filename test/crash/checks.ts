// The invariants that are looked at when everything has come to rest: each answers problems, and none is a good answer.

import { verifyFolder } from '../../controller/store/verify.ts'
import type { Chains } from './chains.ts'
import {
  behindMs,
  type Chronicle,
  notShown,
  type Span,
  unwanted,
  type Wish,
  wishOf,
} from './chronicle.ts'
import { objectsOf, type Placed } from './city.ts'
import type { Sent } from './desk.ts'
import { differences, type Objects, union } from './expected.ts'
import type { Ledger } from './ledger.ts'
import { type Shown, shownRunning, shownSaved } from './shown.ts'
import type { City, Moment } from './watch.ts'

/** What a device showed before anybody decided anything. */
export interface Base {
  readonly running: string
  readonly startup: string
  readonly shown: Shown
  readonly saved: Shown
}

/** What the checks look at. */
export interface Scene {
  readonly city: City
  readonly ledger: Ledger
  readonly chronicle: Chronicle
  readonly chains: Chains
  readonly sent: ReadonlyMap<number, Sent>
  readonly base: ReadonlyMap<string, Base>
  readonly data: string
  /** When everything was looked at before, in ms: what was over by then has been judged. */
  readonly lookedAt: number
}

/** What each device shows now. */
export function baseOf(city: City): ReadonlyMap<string, Base> {
  return new Map(
    city.devices.map(({ name, platform, running, startup }) => [
      name,
      {
        running,
        startup,
        shown: shownRunning(platform, running),
        saved: shownSaved(platform, startup),
      },
    ]),
  )
}

/** Decisions that were accepted, by the controller's own rows, oldest first. */
interface Accepted {
  readonly one: Sent
  readonly id: string
  readonly status: string
  readonly placed: readonly Placed[]
}

/** Everything acknowledged is there, once, and as it was acknowledged. */
export function lostDecisions({ ledger, sent, chronicle }: Scene): readonly string[] {
  const made = [...sent.values()].filter(({ key }) => ledger.made(key) !== undefined).length
  const count = ledger.enforcements()
  return [
    ...[...sent.values()].flatMap((one) => lostDecision(one, ledger)),
    ...(count === made
      ? []
      : [`${made} decisions were sent and accepted, but there are ${count} enforcements`]),
    ...[...chronicle.requested]
      .filter(([, times]) => times !== 1)
      .map(([id, times]) => `${id} has ${times} records of its acceptance`),
  ]
}

function lostDecision(one: Sent, ledger: Ledger): readonly string[] {
  const made = ledger.made(one.key)
  if (one.refused !== undefined && made !== undefined) {
    return [`decision ${one.number} was refused (${one.refused}) and is there as ${made}`]
  }
  if (one.id === undefined) return []
  const acknowledged = `decision ${one.number} was acknowledged as ${one.id}`
  const kept = ledger.enforcement(one.id)
  return [
    ...(made === one.id ? [] : [`${acknowledged}; its key now stands for ${made ?? 'nothing'}`]),
    ...(kept === undefined ? [`${acknowledged}, and is not there`] : changedSince(one, kept)),
  ]
}

function changedSince(
  one: Sent,
  kept: { readonly status: string; readonly expiresAt?: string },
): readonly string[] {
  const problems: string[] = []
  if (one.released === true && !['releasing', 'released'].includes(kept.status)) {
    problems.push(
      `decision ${one.number} (${one.id}): its release was acknowledged, and it is ${kept.status}`,
    )
  }
  if (one.expiresAt !== undefined && kept.expiresAt !== one.expiresAt) {
    problems.push(
      `decision ${one.number} (${one.id}): its end was acknowledged as ${one.expiresAt}, and is ${kept.expiresAt}`,
    )
  }
  return problems
}

/** Each decision stands as its release and its end have it. */
export function wrongStates(scene: Scene): readonly string[] {
  return acceptedOf(scene).flatMap(({ one, id, status }) => {
    const end = scene.ledger.enforcement(id)?.expiresAt
    const over = one.released === true || (end !== undefined && Date.parse(end) <= Date.now())
    const expected = over ? 'released' : 'enforced'
    return status === expected
      ? []
      : [`decision ${one.number} (${id}) should be ${expected}, and is ${status}`]
  })
}

/** When decisions end by themselves that are in force, in ms. */
export function endsOf(scene: Scene): readonly number[] {
  return acceptedOf(scene).flatMap(({ id, status }) => {
    const end = scene.ledger.enforcement(id)?.expiresAt
    return status === 'released' || end === undefined ? [] : [Date.parse(end)]
  })
}

/** Each device shows the union of what is in force and nothing else of ours, running and saved; everything else is as its operator had it; and claims stand on just that. */
export function wrongDevices(scene: Scene): readonly string[] {
  const { city, base } = scene
  const inForce = acceptedOf(scene).filter(({ status }) => status !== 'released')
  const own: Objects = new Map([...base].map(([name, { shown }]) => [name, shown.objects]))
  const expected = union(
    inForce.map(({ placed }) => placed),
    own,
  )
  return [
    ...city.devices.flatMap(({ name, platform, running, startup }) => {
      const before = base.get(name)
      if (before === undefined) return [`${name} is new`]
      const want = expected.get(name) ?? new Map<string, string>()
      const objects = new Map([...want].filter(([object]) => !object.startsWith('seen ')))
      const saved = savedObjects(objects, before)
      return [
        ...against(`${name}, running`, shownRunning(platform, running), {
          ...before.shown,
          objects,
        }),
        // A save is believed by its words: what came of one that lied is looked at after a loss of power.
        ...(city.believed(name)
          ? []
          : against(`${name}, saved`, shownSaved(platform, startup), {
              ...before.saved,
              objects: saved,
            })),
        ...unlearnt(scene, name, want),
      ]
    }),
    ...wrongClaims(scene, expected),
  ]
}

/** Where a save was believed and not done: what a loss of power would take, and whether it would also bring something back that was lifted. */
export function unsavedOf({ city, base }: Scene): readonly {
  readonly device: string
  readonly lost: readonly string[]
  readonly back: readonly string[]
}[] {
  return city.devices.flatMap(({ name, platform, running, startup }) => {
    const before = base.get(name)
    if (before === undefined || !city.believed(name)) return []
    const now = savedObjects(shownRunning(platform, running).objects, before)
    const then = shownSaved(platform, startup).objects
    return [
      {
        device: name,
        lost: [...now.keys()].filter((object) => !then.has(object)),
        back: [...then].flatMap(([object, said]) => (now.get(object) === said ? [] : [object])),
      },
    ]
  })
}

/** Where saving keeps only what is ours (linux), the operator's own objects are not in it. */
function savedObjects(
  objects: ReadonlyMap<string, string>,
  { shown, saved }: Base,
): ReadonlyMap<string, string> {
  return new Map(
    [...objects].filter(([name]) => !shown.objects.has(name) || saved.objects.has(name)),
  )
}

function against(where: string, found: Shown, expected: Omit<Shown, 'twice'>): readonly string[] {
  const rest =
    found.rest.join('\n') === expected.rest.join('\n')
      ? []
      : [
          `${where}: what is the operator's has changed: ${lineDifference(expected.rest, found.rest)}`,
        ]
  return [
    ...differences(expected.objects, found.objects).map((one) => `${where}: ${one}`),
    ...found.twice.map((name) => `${where}: ${name} stands there twice`),
    ...rest,
  ]
}

function lineDifference(before: readonly string[], after: readonly string[]): string {
  const gone = before.filter((line) => !after.includes(line)).map((line) => `-${line}`)
  const come = after.filter((line) => !before.includes(line)).map((line) => `+${line}`)
  return [...gone, ...come].join(' ⏎ ') || 'its order'
}

function unlearnt(
  { city }: Scene,
  device: string,
  want: ReadonlyMap<string, string>,
): readonly string[] {
  const isLearnt = (name: string): boolean => name.startsWith('seen ')
  const now = city.moments(device).at(-1)?.objects ?? new Set<string>()
  const atRest = city.moments(device)[0]?.objects
  const wanted = new Set([...want.keys()].filter(isLearnt))
  const missing = [...wanted].filter((name) => !now.has(name))
  const extra = [...now].filter(
    (name) => isLearnt(name) && !wanted.has(name) && atRest?.has(name) !== true,
  )
  return [
    ...missing.map((name) => `${device}: ${name} is missing`),
    // The operator's own route is told to the edges as well.
    ...extra
      .filter((name) => !ownRoute(city, name))
      .map((name) => `${device}: ${name} is left over`),
  ]
}

function ownRoute(city: City, name: string): boolean {
  const route = name.replace(/^seen /, 'route ')
  return city.devices.some((one) => city.moments(one.name)[0]?.objects.has(route) === true)
}

function wrongClaims({ ledger, base }: Scene, expected: Objects): readonly string[] {
  const held = new Set<string>()
  const problems: string[] = []
  for (const { device, claim } of ledger.claims()) {
    held.add(`${device} ${claim.key}`)
    if (claim.phase !== 'held')
      problems.push(`the claim ${device} ${claim.key} is ${claim.phase}, at rest`)
  }
  const wanted = new Set(
    [...expected].flatMap(([device, objects]) =>
      [...objects.keys()]
        .filter((name) => base.get(device)?.shown.objects.has(name) !== true)
        .flatMap((name) => keysOf(name))
        .map((key) => `${device} ${key}`),
    ),
  )
  for (const one of wanted) if (!held.has(one)) problems.push(`there is no claim on ${one}`)
  for (const one of held) if (!wanted.has(one)) problems.push(`a claim is left over: ${one}`)
  return problems
}

/** The public keys of an object. */
export function keysOf(name: string): readonly string[] {
  const [kind = '', what = ''] = name.split(' ')
  switch (kind) {
    case 'route':
      return [`blackhole|default|${what}`]
    case 'acl-in':
      return [`acl|in|${what}`]
    case 'acl-out':
      return [`acl|out|${what}`]
    case 'port':
      return [`port|${what}`]
    case 'neighbor':
      return [`neighbor|default|${what}`]
    default:
      return []
  }
}

/** Nothing was said to be enforced while a device did not show it, and no line did what nobody wanted. */
export function untrue(scene: Scene): readonly string[] {
  const { city, chronicle } = scene
  const pastOf = (device: string) => ({
    moments: city.moments(device),
    reboots: city.rebooted(device),
    opened: city.opened(device),
  })
  const triggerReboots = city.devices
    .filter(({ roles }) => roles.includes('rtbh-trigger'))
    .flatMap(({ name }) => city.rebooted(name))
  const isNew = ({ to }: Span): boolean => to >= scene.lookedAt - behindMs
  const accepted = acceptedOf(scene).filter(({ id }) => {
    const times = chronicle.times.get(id)
    return times === undefined || isNew(times.inForce)
  })
  const lies = accepted.flatMap(({ one, id, placed }) =>
    (chronicle.times.get(id)?.enforced ?? [])
      .filter(isNew)
      .flatMap((span) =>
        notShown(span, placed, { pastOf, triggerReboots }).map(
          (problem) => `decision ${one.number} (${id}) was said to be enforced, but ${problem}`,
        ),
      ),
  )
  const strays = city.devices.flatMap(({ name }) =>
    unwanted(
      name,
      momentsSince(city.moments(name), scene.lookedAt),
      wantedOn(name, accepted, chronicle),
    ),
  )
  return [...lies, ...strays]
}

/** With the one before, against which the first is judged. */
function momentsSince(moments: readonly Moment[], at: number): readonly Moment[] {
  const first = moments.findIndex((moment) => moment.at >= at)
  return first < 0 ? [] : moments.slice(Math.max(0, first - 1))
}

function wantedOn(
  device: string,
  accepted: readonly Accepted[],
  { times }: Chronicle,
): ReadonlyMap<string, readonly Wish[]> {
  const wanted = new Map<string, Wish[]>()
  for (const { id, placed } of accepted) {
    const known = times.get(id)
    if (known === undefined) continue
    const wish = wishOf(known)
    for (const one of placed) {
      if (one.device === device) wanted.set(one.name, [...(wanted.get(one.name) ?? []), wish])
    }
  }
  return wanted
}

/** Each step stands in the chains of all whom it serves, and of nobody else. */
export function wrongChains(scene: Scene): readonly string[] {
  const { chains, ledger } = scene
  return chains.problems({ accepted: acceptedOf(scene), wave: (...of) => ledger.wave(...of) })
}

/** Nothing is left: every device is, to the byte, what it was, and nothing is claimed. */
export function notIdentical({ city, base, ledger }: Scene): readonly string[] {
  return [
    ...city.devices.flatMap(({ name, running, startup }) => {
      const before = base.get(name)
      return [
        ...(running === before?.running
          ? []
          : [`${name}: the running configuration is not what it was`]),
        ...(startup === before?.startup
          ? []
          : [`${name}: the saved configuration is not what it was`]),
      ]
    }),
    ...ledger.claims().map(({ device, claim }) => `${device} is left with the claim ${claim.key}`),
  ]
}

/** `audit verify`. */
export function brokenLog({ data }: Scene): readonly string[] {
  return verifyFolder(data).findings.map((finding) => `audit verify: ${JSON.stringify(finding)}`)
}

function acceptedOf({ sent, ledger }: Scene): readonly Accepted[] {
  return [...sent.values()]
    .flatMap((one) => {
      const id = ledger.made(one.key)
      const kept = id === undefined ? undefined : ledger.enforcement(id)
      return id === undefined || kept === undefined
        ? []
        : [
            {
              one,
              id,
              status: kept.status,
              at: kept.acceptedAt,
              placed: objectsOf(one.subject, one.ticket),
            },
          ]
    })
    .toSorted((one, other) => (`${one.at} ${one.id}` < `${other.at} ${other.id}` ? -1 : 1))
}
