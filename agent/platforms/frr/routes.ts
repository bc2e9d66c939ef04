// Static discards of FRR and what its forwarding table makes of a prefix: whose the route is says the configuration, whether it drops says the table.

import { z } from 'zod'
import { covers, familyOf, type Prefix, parsePrefix } from '../../../inventory/prefix.ts'
import type { Intent } from '../../intents.ts'
import type { Answer, Found } from '../../platform.ts'
import { placeName } from '../covers.ts'
import { answerTo, isHost, leakNote, readJson, unknownOutput } from '../output.ts'
import { type RunningConfig, routeKey } from './config.ts'
import type { StaticRoute } from './static-route.ts'

type Blackhole = Intent & { kind: 'blackhole' }

/** What was read. `wide`: what was asked for in place of a prefix, with others. */
interface Reading {
  readonly answers: ReadonlyMap<string, Answer>
  readonly wide: ReadonlyMap<string, Prefix>
}

/** What is asked of the forwarding table about one prefix. */
export function tableQuestions(
  { vrf, prefix }: Blackhole,
  wide: ReadonlyMap<string, Prefix>,
): readonly { readonly what: string; readonly text: string }[] {
  const exact = { what: ribName(vrf, prefix), text: `${ribLine(vrf, prefix)} json` }
  const inside = (at: Prefix) => ({
    what: insideName(vrf, at),
    text: `${ribLine(vrf, at)} longer-prefixes json`,
  })
  const cover = wide.get(placeName(vrf, prefix))
  if (cover !== undefined) return [inside(cover)]
  return isHost(prefix) ? [exact] : [exact, inside(prefix)]
}

const ribEntry = z.object({
  selected: z.boolean().optional(),
  installed: z.boolean().optional(),
  protocol: z.string().optional(),
  nexthops: z.array(
    z.object({
      ip: z.string().optional(),
      interfaceName: z.string().optional(),
      unreachable: z.boolean().optional(),
      recursive: z.boolean().optional(),
      blackhole: z.boolean().optional(),
      reject: z.boolean().optional(),
      adminProhibited: z.boolean().optional(),
    }),
  ),
})

const rib = z.record(z.string(), z.array(ribEntry))

function ribName(vrf: string, prefix: Prefix): string {
  return `rib|${vrf}|${prefix}`
}

function insideName(vrf: string, prefix: Prefix): string {
  return `inside|${vrf}|${prefix}`
}

// Always with its length: asked for a bare address, FRR answers with the route that covers it.
function ribLine(vrf: string, prefix: Prefix): string {
  const family = familyOf(prefix) === 4 ? 'ip' : 'ipv6'
  return `show ${family} route ${vrf === 'default' ? '' : `vrf ${vrf} `}${prefix}`
}

/** What stands at the prefix, and whether the device drops it. */
export function findBlackhole(
  intent: Blackhole,
  config: RunningConfig,
  { answers, wide }: Reading,
): Omit<Found, 'key' | 'mark'> {
  const { vrf, prefix } = intent
  const cover = wide.get(placeName(vrf, prefix))
  const answer = answerTo(
    answers,
    cover === undefined ? ribName(vrf, prefix) : insideName(vrf, cover),
  )
  const all = config.routes.get(routeKey(intent.vrf, intent.prefix)) ?? []
  // A prefix has one place for a discard. A next hop of distance 1 shares it; one of another distance stands beside it, and ours wins. So does all of another table.
  const standing = all.filter(
    ({ table, discard, distance = 1 }) =>
      table === undefined && (discard !== undefined || distance === 1),
  )
  const object = standing.map((route) => route.command).sort()
  if (/^% VRF \S+ not found/.test(answer.text)) {
    return {
      object,
      effect: object.length === 0 ? 'none' : 'other',
      inForce: 'no',
      stop: {
        code: 'no_such_object',
        message: `the VRF ${intent.vrf} does not exist on the device`,
        remedy: 'correct the VRF in the inventory, or create it on the device',
      },
    }
  }
  const forwarding = forwardingOf(intent, answers, cover)
  if (standing.length === 0) return { object, effect: 'none', ...forwarding }
  const same = standing.length === 1 && standing.every((route) => isWanted(route, intent.tag))
  return { object, effect: same ? 'same' : 'other', ...forwarding }
}

function isWanted(route: StaticRoute, tag: number): boolean {
  const drops = route.discard === 'blackhole' || route.discard === 'Null0'
  return drops && route.tag === tag && (route.distance ?? 1) === 1 && route.more !== true
}

/** Dropped as a whole, and no route inside that leads anywhere. */
function forwardingOf(
  { vrf, prefix }: Blackhole,
  answers: ReadonlyMap<string, Answer>,
  cover: Prefix | undefined,
): Pick<Found, 'inForce' | 'learnt' | 'note'> {
  const answer = answerTo(
    answers,
    cover === undefined ? ribName(vrf, prefix) : insideName(vrf, cover),
  )
  const inForce = discards(answer, prefix, cover)
  const learnt = inForce !== 'no' && isLearnt(answer, prefix) ? ({ learnt: true } as const) : {}
  if (isHost(prefix)) return { inForce, ...learnt }
  const leak = leakInside(answerTo(answers, insideName(vrf, cover ?? prefix)), prefix)
  if (inForce !== 'yes' || leak === undefined) return { inForce, ...learnt }
  return { inForce: 'partly', ...learnt, note: leakNote(prefix, leak) }
}

/** Routes that FRR has from the router itself, as its JSON names them. */
const ofItsOwn: ReadonlySet<string> = new Set([
  'static',
  'kernel',
  'connected',
  'local',
  'system',
  'table',
])

/** Whether the route that was chosen came from another router. */
function isLearnt(answer: Answer, prefix: Prefix): boolean {
  const chosen = (tableIn(answer)[prefix] ?? []).filter((entry) => entry.selected === true)
  return chosen.some(({ protocol }) => protocol !== undefined && !ofItsOwn.has(protocol))
}

/** Whether the forwarding table drops the prefix, from whatever protocol: `yes` if what is selected is installed, with no next hop that leads anywhere. */
function discards(
  answer: Answer,
  prefix: Prefix,
  cover: Prefix | undefined,
): Extract<Found['inForce'], 'yes' | 'partly' | 'no'> {
  const table = tableIn(answer)
  const entries = table[prefix] ?? []
  if (cover === undefined && entries.length === 0 && Object.keys(table).length > 0) {
    throw unknownOutput(answer, `routes for ${prefix} and no other prefix`)
  }
  const chosen = entries.filter((entry) => entry.selected === true)
  if (chosen.length > 0 && chosen.every(isDropped)) return 'yes'
  // What is chosen and not installed yet leaves what was there before in the kernel.
  const settled = chosen.every((entry) => entry.installed === true)
  const deciding = chosen.length > 0 ? chosen : entries
  return settled && deciding.every(leadsOn) ? 'no' : 'partly'
}

/** Whether every next hop leads to an address or an interface. */
function leadsOn(entry: z.infer<typeof ribEntry>): boolean {
  const hops = entry.nexthops.filter((hop) => hop.recursive !== true)
  return (
    hops.length > 0 &&
    hops.every(
      (hop) =>
        !drops(hop) &&
        hop.unreachable !== true &&
        (hop.ip !== undefined || hop.interfaceName !== undefined),
    )
  )
}

function drops(hop: z.infer<typeof ribEntry>['nexthops'][number]): boolean {
  return hop.blackhole === true || hop.reject === true || hop.adminProhibited === true
}

function isDropped(entry: z.infer<typeof ribEntry>): boolean {
  // A recursive next hop is only a name for those behind it.
  const hops = entry.nexthops.filter((hop) => hop.recursive !== true)
  return entry.installed === true && hops.length > 0 && hops.every(drops)
}

/** Tables that were read already: one stands for many prefixes, and each of them asks for it. */
const known = new WeakMap<Answer, z.infer<typeof rib>>()

function tableIn(answer: Answer): z.infer<typeof rib> {
  const before = known.get(answer)
  if (before !== undefined) return before
  const table = readJson(answer, rib, 'routes by prefix as JSON')
  known.set(answer, table)
  return table
}

/** A more specific route that leads anywhere: for its addresses it wins over the discard of the whole. */
function leakInside(answer: Answer, prefix: Prefix): string | undefined {
  const table = tableIn(answer)
  const found = Object.entries(table).find(([text, entries]) => {
    const at = parsePrefix(text)
    if (!at.ok) throw unknownOutput(answer, 'routes by prefix')
    const chosen = entries.filter((entry) => entry.selected === true)
    return at.value !== prefix && covers(prefix, at.value) && !chosen.every(isDropped)
  })
  return found?.[0]
}
