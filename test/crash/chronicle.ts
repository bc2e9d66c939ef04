// What the audit log says about when: from when to when each enforcement was in force, and said to be enforced. And what the devices showed in those
// times. Pure: entries and moments in, problems out.

import type { Placed } from './city.ts'
import { isShown } from './expected.ts'
import type { Entry } from './ledger.ts'
import type { Moment } from './watch.ts'

/** From and to in ms of wall time; without an end: until now. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** The times of one enforcement. */
export interface Times {
  /** From its acceptance to its release or end. */
  inForce: Span
  /** Each time that it was said to be enforced. */
  readonly enforced: Span[]
}

/** Takes entries in, oldest first. */
export interface Chronicle {
  add(entries: readonly Entry[]): void
  readonly times: ReadonlyMap<string, Times>
  /** Records by type and enforcement: nothing may be there twice. */
  readonly requested: ReadonlyMap<string, number>
}

/** Nothing has happened yet. */
export function chronicle(): Chronicle {
  const times = new Map<string, Times>()
  const requested = new Map<string, number>()
  function take({ type, enforcement, at, data }: Entry): void {
    if (enforcement === undefined) return
    if (type === 'enforcement.requested') {
      requested.set(enforcement, (requested.get(enforcement) ?? 0) + 1)
      times.set(enforcement, { inForce: { from: at, to: Number.POSITIVE_INFINITY }, enforced: [] })
    }
    const known = times.get(enforcement)
    if (known === undefined) return
    if (type === 'enforcement.release_requested' || type === 'enforcement.expired') {
      close(known, at)
      known.inForce = { ...known.inForce, to: Math.min(known.inForce.to, at) }
    }
    if (type === 'enforcement.settled') {
      close(known, at)
      if (data['status'] === 'enforced') {
        known.enforced.push({ from: at, to: Number.POSITIVE_INFINITY })
      }
    }
  }
  return {
    add: (entries) => entries.forEach(take),
    times,
    requested,
  }
}

function close({ enforced }: Times, at: number): void {
  const last = enforced.at(-1)
  if (last !== undefined && last.to === Number.POSITIVE_INFINITY) {
    enforced[enforced.length - 1] = { ...last, to: at }
  }
}

/** What is known of a device. */
export interface Past {
  readonly moments: readonly Moment[]
  readonly reboots: readonly number[]
  /** When sessions were opened. */
  readonly opened: readonly number[]
}

/** How long a loss of power may be unknown to a controller that has not spoken to the device since, in ms. */
const unknownMs = 2_000

/** What was not shown while an enforcement was said to be enforced. `pastOf` of a device; `reboots` of all triggers, from which edges learn. */
export function notShown(
  span: Span,
  placed: readonly Placed[],
  about: { pastOf(device: string): Past; readonly triggerReboots: readonly number[] },
): readonly string[] {
  return placed.flatMap((one) => {
    const past = about.pastOf(one.device)
    const learnt = one.name.startsWith('seen ')
    const reboots = learnt ? [...past.reboots, ...about.triggerReboots] : past.reboots
    const found = firstLoss(span, one, { ...past, reboots })
    return found === undefined
      ? []
      : [
          `${one.device} did not show ${one.name} at ${new Date(found.at).toISOString()} (${found.why})`,
        ]
  })
}

function firstLoss(
  span: Span,
  one: Placed,
  past: Past,
): { readonly at: number; readonly why: string } | undefined {
  const { moments } = past
  if (span.to <= span.from) return undefined
  const first = moments.findLastIndex(({ at }) => at <= span.from)
  const start = moments[first]
  let shown = start !== undefined && isShown(one, start.objects)
  if (!shown && !excusedAt(span.from, past)) return { at: span.from, why: 'when it was said' }
  for (const moment of moments.slice(first + 1)) {
    if (moment.at >= span.to) break
    const shows = isShown(one, moment.objects)
    if (shown && !shows && !excuses(moment, past)) {
      return { at: moment.at, why: `${moment.by} ${moment.line ?? ''}`.trim() }
    }
    shown = shows
  }
  return undefined
}

/** The device lost its power, and nobody has spoken to it since: what was said rests on a read-back before that. */
function excusedAt(at: number, { reboots, opened }: Past): boolean {
  return reboots.some(
    (reboot) =>
      reboot <= at &&
      at - reboot < unknownMs &&
      !opened.some((session) => session >= reboot && session <= at),
  )
}

/** Whether a loss of power took it away: the device's own, or a little earlier that of one from which it had learnt. */
function excuses(moment: Moment, { reboots }: Past): boolean {
  if (moment.by === 'reboot') return true
  return (
    moment.by === 'learnt' &&
    reboots.some((reboot) => reboot <= moment.at && moment.at - reboot < unknownMs)
  )
}

/** When an object is wanted by an enforcement. */
export interface Wish {
  /** From its acceptance on it may be there. */
  readonly asked: Span
  /** From the first time that it was enforced on it must: until then the turn of the device may not have come. */
  readonly due: readonly Span[]
}

/** When the objects of an enforcement are wanted. */
export function wishOf({ inForce, enforced }: Times): Wish {
  const [first] = enforced
  return { asked: inForce, due: first === undefined ? [] : [{ from: first.from, to: inForce.to }] }
}

/** How long the desired state that a convergence works on may be behind the newest decision, in ms. */
export const behindMs = 5_000

/** Changes by a line that nobody wanted: an object that came although it was not wanted for a while, or went although it was wanted all the while. */
export function unwanted(
  device: string,
  moments: readonly Moment[],
  wanted: ReadonlyMap<string, readonly Wish[]>,
): readonly string[] {
  return moments.flatMap((moment, index) => {
    const before = moments[index - 1]
    if (before === undefined || moment.by !== 'line' || moment.purpose === 'rollback') return []
    const { at } = moment
    const window = { from: at - behindMs, to: at }
    const came = [...moment.objects].filter((name) => !before.objects.has(name))
    const went = [...before.objects].filter((name) => !moment.objects.has(name))
    const when = `${new Date(at).toISOString()} by ${moment.line ?? ''}`
    return [
      ...came
        .filter((name) => !(wanted.get(name) ?? []).some(({ asked }) => touches(asked, window)))
        .map((name) => `${device}: ${name} came at ${when}, and nobody wanted it`),
      ...went
        .filter((name) => !isShown(placedAs(device, name), moment.objects))
        .filter((name) =>
          isCovered(
            window,
            (wanted.get(name) ?? []).flatMap(({ due }) => due),
          ),
        )
        .map((name) => `${device}: ${name} went at ${when}, and was wanted`),
    ]
  })
}

function placedAs(device: string, name: string): Placed {
  const [way = '', prefix = ''] = name.split(' ')
  return {
    device,
    name,
    detail: '',
    ...(way.startsWith('acl-') ? { filter: { way, prefix } } : {}),
  }
}

function touches(one: Span, other: Span): boolean {
  return one.from <= other.to && one.to >= other.from
}

/** Whether spans together cover the whole window. */
function isCovered(window: Span, spans: readonly Span[]): boolean {
  let reached = window.from
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    if (span.from > reached) return false
    reached = Math.max(reached, span.to)
    if (reached > window.to) return true
  }
  return false
}
