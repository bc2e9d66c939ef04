// Overlapping decisions on one device in any order: as a property of one platform. The life cycle, the union and the convergence are the
// product's own; what they must come to is said here in a few naive lines.

import fc from 'fast-check'
import { expect } from 'vitest'
import { type Intent, keyOf } from '../../agent/intents.ts'
import type { KeyState } from '../../agent/journal.ts'
import { unionOf } from '../../controller/desired.ts'
import { type Enforcement, inForce } from '../../controller/enforcement.ts'
import { type EnforcementEvent, transition } from '../../controller/life-cycle.ts'
import { dueAt } from '../../controller/schedule.ts'
import type { Wanted } from '../../controller/store/store.ts'
import { baseOf, covers } from '../../inventory/prefix.ts'
import { bySystem, enforcement, want } from '../unit/small-isp.ts'
import type { Bench } from './bench.ts'
import { benchOf, type Habitat, type Prior } from './priors.ts'
import { runs } from './runs.ts'

/** Something that happens, by number of the enforcement where it is about one. */
type Happening =
  | { readonly kind: 'accept'; readonly intents: readonly Intent[]; readonly hours: number }
  | { readonly kind: 'release' | 'extend'; readonly of: number }
  | { readonly kind: 'pass'; readonly hours: number }

/** How often: a thousand where a case takes some 20 ms; the other platforms take two to ten times as long. */
const cases = { frr: 400, cisco_ios: 260, linux: 260, juniper_junos: 200 } as const

/** What happens between two convergences. */
type Chapter = readonly Happening[]

function chapters(wanted: Habitat['wanted']): fc.Arbitrary<readonly Chapter[]> {
  const of = fc.nat(4)
  const hours = fc.integer({ min: 1, max: 9 })
  const one: fc.Arbitrary<Happening> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('accept'), intents: wanted, hours }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('release'), of }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('extend'), of }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass'), hours }) },
  )
  return fc.array(fc.array(one, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
}

/** The books of a controller with one device, kept by the product's own rules, and beside them the naive ones. */
interface Books {
  readonly all: Enforcement[]
  readonly rows: Wanted[]
  /** Naive: what stands, oldest first, and until when. */
  readonly standing: { readonly id: string; readonly intents: readonly Intent[]; until: number }[]
  now: number
}

const hourMs = 3_600_000
const timeOf = (ms: number): string => new Date(ms).toISOString()

function happen(books: Books, what: Happening): void {
  // No two things at one moment: who came first is never in doubt.
  books.now += 1_000
  switch (what.kind) {
    case 'accept':
      accept(books, what)
      return
    case 'release':
      move(books, what.of, { kind: 'released', by: bySystem, reason: 'done', ...nothing })
      drop(books, ({ id }) => id === books.all[what.of]?.id)
      return
    case 'extend': {
      const until = books.now + 9 * hourMs
      move(books, what.of, {
        kind: 'extended',
        by: bySystem,
        expiresAt: timeOf(until),
        reason: 'on',
      })
      const found = books.standing.find(({ id }) => id === books.all[what.of]?.id)
      if (found !== undefined) found.until = until
      return
    }
    case 'pass':
      books.now += what.hours * hourMs
      for (const due of dueAt(books.all, timeOf(books.now), false)) {
        const at = books.all.findIndex(({ id }) => id === due.enforcement)
        if (due.kind === 'expire') move(books, at, { kind: 'expired', by: bySystem, ...nothing })
      }
      drop(books, ({ until }) => until <= books.now)
  }
}

const nothing = { wanted: [], results: [] }

function accept(books: Books, what: Extract<Happening, { kind: 'accept' }>): void {
  const id = `E${books.all.length}`
  const until = books.now + what.hours * hourMs
  const acceptedAt = timeOf(books.now)
  books.all.push(enforcement(id, { acceptedAt, expiresAt: timeOf(until) }))
  books.rows.push(...what.intents.map((intent) => want(id, 'edge1', intent)))
  books.standing.push({ id, intents: what.intents, until })
}

function move(books: Books, at: number, event: EnforcementEvent): void {
  const from = books.all[at]
  if (from === undefined) return
  const made = transition(from, event, timeOf(books.now))
  if (made.kind === 'moved') books.all[at] = made.enforcement
}

function drop(books: Books, over: (one: Books['standing'][number]) => boolean): void {
  const left = books.standing.filter((one) => !over(one))
  books.standing.splice(0, books.standing.length, ...left)
}

/** Of each key the oldest that stands. */
function naiveUnion(books: Books): readonly Intent[] {
  const byKey = new Map<string, Intent>()
  for (const { intents } of books.standing) {
    for (const intent of intents) if (!byKey.has(keyOf(intent))) byKey.set(keyOf(intent), intent)
  }
  return [...byKey.values()]
}

function wantedNow(books: Books, bench: Bench): readonly Intent[] {
  const live = books.all.filter(({ status }) => [...inForce, 'releasing'].includes(status))
  return unionOf({ live, wanted: books.rows, claims: bench.book.claims, frozen: false }).wanted
}

const sorted = (intents: readonly Intent[]): readonly string[] =>
  intents.map((intent) => JSON.stringify(intent)).sort()

/** Lines after which something may be otherwise; of a candidate only the commit counts. */
const loud =
  /^(?:no )?(?:ip|ipv6) route |^(?:no )?(?:host|\d)|shutdown$|^(?:commit|rollback) |route (?:prepend|add|del) |(?:add|delete) element /

/** Whether a filter entry does all that another does. */
function holds(outer: Intent, inner: Intent): boolean {
  if (outer.kind !== 'acl' || inner.kind !== 'acl') return false
  return outer.direction === inner.direction && covers(outer.prefix, inner.prefix)
}

/** What was in force, is still wanted, and was missing for a while. */
interface Gap {
  readonly key: string
  readonly text: string
}

function inForceOn(bench: Bench, intents: readonly Intent[]): ReadonlySet<string> {
  const { found } = bench.look([...new Map(intents.map((one) => [keyOf(one), one])).values()])
  return new Set(
    [...found.values()].flatMap(({ key, inForce: now }) => (now === 'yes' ? [key] : [])),
  )
}

/** Keys in force before and wanted after, looked at behind each line that changes something. */
function watch(
  bench: Bench,
  intents: readonly Intent[],
  union: readonly Intent[],
): { readonly gaps: Gap[] } {
  const kept = intents.filter(({ kind }) => kind !== 'port')
  const inForceNow = (): ReadonlySet<string> => inForceOn(bench, [...union, ...kept])
  const shown = kept.length === 0 ? undefined : inForceNow()
  const watched = kept.filter((intent) => shown?.has(keyOf(intent)) === true)
  const gaps: Gap[] = []
  bench.onLine =
    watched.length === 0
      ? undefined
      : (line) => {
          if (!loud.test(line)) return
          const now = inForceNow()
          for (const intent of watched) {
            const stands = [intent, ...union.filter((other) => holds(other, intent))]
            if (!stands.some((one) => now.has(keyOf(one))))
              gaps.push({ key: keyOf(intent), text: `${keyOf(intent)} after \`${line}\`` })
          }
        }
  return { gaps }
}

/** With the sudo fragment each element is a command of its own, and a set of nftables takes no overlap: the narrower one goes first, and for a moment neither stands. */
function isKnown({ key }: Gap, spec: Prior['spec']): boolean {
  return spec.privilege === 'sudo' && key.startsWith('acl|')
}

/** Gaps that need not be: what is not in force on a device that was never anything else either, an operator's own more specific route keeps out of force. */
async function avoidable(
  gaps: readonly Gap[],
  prior: Prior,
  union: readonly Intent[],
): Promise<readonly string[]> {
  const unknown = gaps.filter((gap) => !isKnown(gap, prior.spec))
  if (unknown.length === 0) return []
  const fresh = benchOf(prior, 'lines')
  await fresh.settle(union)
  const now = inForceOn(fresh, union)
  return unknown.filter(({ key }) => now.has(key)).map(({ text }) => text)
}

/** What a device is that was never anything else: the same hands, and only what is in force now. */
async function freshWith(prior: Prior, union: readonly Intent[]) {
  const bench = benchOf(prior, 'lines')
  await bench.settle(union)
  return linesOf(bench)
}

/** Lines that may be there or not: one group of IOS serves both directions, so what one direction put there stays while the other is wanted, also where that is not in force for a list that is not attached, for which it would never have been put there. */
function isEitherWay(prior: Prior, union: readonly Intent[], states: readonly KeyState[]) {
  const missed = new Set(states.filter(({ verified }) => !verified).map(({ key }) => key))
  const members = union
    .flatMap((intent) => (intent.kind === 'acl' && missed.has(keyOf(intent)) ? [intent] : []))
    .map(({ prefix }) => baseOf(prefix))
  return (line: string): boolean =>
    prior.spec.platform === 'cisco_ios' &&
    members.some((base) => line === ` host ${base}` || line.startsWith(` ${base} `))
}

/** Lines in no order: lists grow at their end, so that their order tells who came first. */
function linesOf(bench: Bench): readonly string[] {
  return bench.canonical().split('\n').sort()
}

/** Any sequence of decisions, releases, ends and extensions leaves the union; nothing that stays wanted is ever lifted on the way; in the end all is as before. */
export async function checkUnion({ platform, prior, wanted }: Habitat): Promise<void> {
  await fc.assert(
    fc.asyncProperty(prior, chapters(wanted), async (before, story) => {
      const bench = benchOf(before, 'lines')
      const config = bench.canonical()
      const books: Books = {
        all: [],
        rows: [],
        standing: [],
        now: Date.parse('2026-11-27T10:00:00Z'),
      }
      let held: readonly Intent[] = []
      let states: readonly KeyState[] = []

      for (const chapter of story) {
        for (const what of chapter) happen(books, what)
        const union = wantedNow(books, bench)
        expect(sorted(union)).toEqual(sorted(naiveUnion(books)))

        const stays = held.filter((one) => union.some((other) => keyOf(one) === keyOf(other)))
        const { gaps } = watch(bench, stays, union)
        states = await bench.settle(union)
        bench.onLine = undefined
        held = union

        expect(await avoidable(gaps, before, union)).toEqual([])
      }

      const eitherWay = isEitherWay(before, held, states)
      const certain = (lines: readonly string[]) => lines.filter((line) => !eitherWay(line))
      expect(certain(linesOf(bench))).toEqual(certain(await freshWith(before, held)))
      await bench.settle([])
      expect(bench.canonical()).toBe(config)
      expect(bench.book.claims).toEqual([])
    }),
    runs(cases[platform]),
  )
}
