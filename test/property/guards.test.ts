// Whole decisions on random ISPs, against a model that counts addresses one by one: what is refused, by which guard, and that nothing that was
// accepted hits what must not be hit.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge, refusalIn } from '../../controller/guards.ts'
import { frozenAs } from '../../controller/usage.ts'
import { createLookup } from '../../inventory/lookup.ts'
import type { Inventory } from '../../inventory/model.ts'
import { neverCut } from '../../inventory/never-cut.ts'
import { carver } from '../../playbooks/carving.ts'
import { compile } from '../../playbooks/compile.ts'
import { loadPlaybooks } from '../../playbooks/load.ts'
import type { Compiled, Decision, Playbook } from '../../playbooks/model.ts'
import { decision, pfx, want } from '../unit/small-isp.ts'
import { isOthers, meantBy, mustSay, vitalFor } from './counted-guards.ts'
import { anyCase, anyIsp, type Case, isCutBy, names } from './random-isp.ts'
import { expectReached, runs } from './runs.ts'
import * as net from './small-internet.ts'

const loaded = await loadPlaybooks(undefined)
const shipped = loaded.ok ? loaded.value : new Map<string, Playbook>()

const knownOf = (inventory: Inventory) => ({
  lookup: createLookup(inventory),
  neverCut: neverCut(inventory, []),
})

/** What the compiler makes of a decision. */
function compiled({ on: { inventory }, subject, overrides }: Case) {
  const playbook = shipped.get(subject.kind === 'customer' ? 'suspend' : 'block')
  if (playbook === undefined) throw new Error('no such playbook')
  const reason = { ...decision(subject).reason, ticket: 'ABUSE-7' }
  const made = decision(subject, { reason, overrides })
  return { made, result: compile(made, { playbook, inventory, ...knownOf(inventory) }) }
}

/** What the guards say of it: at once, or by what the ISP is later, of what was written down when it was accepted. */
function verdicts({ on, later, usage, mayOverride }: Case, made: Decision, result: Compiled) {
  const { inventory } = later ?? on
  const rows = result.intents.map(({ device, intent, observer, optional }) =>
    want('E1', device, intent, { observer, optional }),
  )
  return judge({
    decision: made,
    compiled: later === undefined ? result : frozenAs({ customer: result.customer }, rows),
    inventory,
    ...knownOf(inventory),
    usage,
    mayOverride,
  })
}

/** Nothing was accepted where nothing was left: that is judged as new only. */
const asJudged = (drawn: Case, result: Compiled): Case =>
  result.intents.length > 0 ? drawn : { ...drawn, later: undefined }

/** What must have come up often, or the generators prove nothing: each guard both ways, both when new and later. */
const fixed = ['own_space', 'protected_space', 'never_cut', 'port_owner', 'port_uplink']
  .concat('neighbor_owner', 'override')
  .flatMap((guard) => [`${guard} pass`, `${guard} refuse`])
const passable = ['prefix_length', 'decision_budget', 'hour_budget'].flatMap((guard) => [
  `${guard} pass`,
  `${guard} refuse`,
  `${guard} overridden`,
])
/** What names the customer's own, by the inventory of the moment, is never anybody else's in that moment. */
const laterOnly = new Set(['own_space refuse', 'neighbor_owner refuse'])
const common = [...fixed, ...passable, 'accepted'].flatMap((name) =>
  laterOnly.has(name) || name === 'override refuse'
    ? [`${name === 'override refuse' ? 'new' : 'later'}: ${name}`]
    : [`new: ${name}`, `later: ${name}`],
)

describe('a decision on any ISP', () => {
  it('is refused by exactly the guards that counting address by address refuses it by, new and later', () => {
    const seen = new Map<string, number>()
    const count = (name: string): void => void seen.set(name, (seen.get(name) ?? 0) + 1)
    const params = runs(2_000)
    fc.assert(
      fc.property(anyCase, (drawn) => {
        const meant = meantBy(drawn.on, drawn.subject)
        const { made, result } = compiled(drawn)
        if ('kind' in result || meant.kind === 'refused') {
          count('not compiled')
          const code = 'kind' in result ? result.code : result.customer
          expect(code).toBe(meant.kind === 'refused' ? meant.code : meant.customer)
          return
        }
        const judged = asJudged(drawn, result)
        const said = verdicts(judged, made, result)
        const when = judged.later === undefined ? 'new' : 'later'
        for (const { guard, verdict } of said) count(`${when}: ${guard} ${verdict}`)
        if (refusalIn(said) === undefined) count(`${when}: accepted`)
        expect(result.customer).toBe(meant.customer)
        expect(said.map(({ guard, verdict }) => [guard, verdict])).toEqual(mustSay(judged, result))
      }),
      params,
    )
    expectReached(seen, common, params)
    expect(seen.get('not compiled') ?? 0).toBeLessThan(params.numRuns / 3)
  })

  it('touches no address that is protected, carries the network, or is not the customer’s, once it is accepted', () => {
    const seen = new Map<string, number>()
    const params = runs()
    fc.assert(
      fc.property(anyCase, (drawn) => {
        const { made, result } = compiled(drawn)
        if ('kind' in result) return
        const judged = asJudged(drawn, result)
        if (refusalIn(verdicts(judged, made, result)) !== undefined) return
        const { subject } = drawn
        const on = judged.later ?? judged.on
        const { customer: who, intents } = result
        const cut = intents.flatMap(({ intent }) => ('prefix' in intent ? [intent.prefix] : []))
        const down = intents.flatMap(({ intent }) => (intent.kind === 'port' ? [intent.port] : []))
        const hit = net.points.filter((point) => net.hasAny(cut, point))
        for (const { intent } of intents) {
          const name = `${subject.kind} ${intent.kind}`
          seen.set(name, (seen.get(name) ?? 0) + 1)
        }

        expect(intents).not.toEqual([])
        expect(hit.filter((point) => net.hasAny(on.shields, point))).toEqual([])
        expect(hit.filter((point) => net.hasAny(vitalFor(on, who), point))).toEqual([])
        expect(hit.filter((point) => isOthers(on, who, point))).toEqual([])
        expect(down.filter((port) => on.uplinks.some((uplink) => isCutBy(port, uplink)))).toEqual(
          [],
        )
        expect(
          down.filter((port) => on.ports.some(({ of, name }) => of !== who && isCutBy(port, name))),
        ).toEqual([])
      }),
      params,
    )
    const kinds = ['customer blackhole', 'customer acl', 'customer port', 'customer neighbor']
    expectReached(
      seen,
      kinds.concat('prefix blackhole', 'prefix acl', 'port port', 'neighbor neighbor'),
      params,
    )
  })

  it('leaves out exactly what must not be cut, in the fewest prefixes', () => {
    fc.assert(
      fc.property(anyIsp, net.anyPrefix, fc.constantFrom(...names), (on, prefix, who) => {
        const holes = [...on.shields, ...vitalFor(on, who)]
        const extra = [...on.inventory.devices.values()].map(({ address }) => `${address}/32`)

        const { pieces } = carver(who, knownOf(on.inventory))(pfx(prefix))

        const left = net.pointsOf(prefix).filter((point) => !net.hasAny(holes, point))
        expect(net.pointsOf(prefix).filter((point) => net.hasAny(pieces, point))).toEqual(left)
        expect(pieces.length).toBe(net.fewest(prefix, [...holes, ...extra]))
      }),
      runs(),
    )
  })
})
