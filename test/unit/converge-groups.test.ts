// Which lines go out in one run: nothing that waits for a prompt goes with others, nothing is left out, and the order stays.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupsOf, linesOf } from '../../agent/converge-groups.ts'
import type { Planned } from '../../agent/converge-work.ts'
import type { Key } from '../../agent/intents.ts'
import { type Batch, enter, free, inside, type Line } from '../../agent/platform.ts'
import { batches as frrBatches } from '../../agent/platforms/frr/batch.ts'
import { blackhole } from '../platform/conformance-kit.ts'

const intent = blackhole('203.0.113.9/32')

function planned(...lines: readonly Line[]): Planned {
  return {
    key: lines.map(({ text }) => text).join() as Key,
    intent,
    change: { kind: 'apply', intent },
    rendering: { kind: 'lines', apply: lines, undo: [], wrote: [] },
    claim: { key: 'k' as Key, intent, before: [], wrote: [], phase: 'pending' },
  }
}

const route = (n: number): Planned => planned(free(`ip route 10.0.0.${n}/32 blackhole`, 'config'))
const other = (n: number): Planned => planned(free(`other ${n}`, 'config'))
const waiting = (n: number): Planned =>
  planned(enter(`interface ${n}`, 'config', 'config-if'), inside('shutdown', 'config-if'))

const batch: Batch = {
  wrap: (lines) => [free('begin', 'config'), ...lines, free('end', 'config')],
  unwrap: (_lines, answers) => ({ kind: 'each', answers: answers.slice(1, -1) }),
  holds: ({ text }) => text.startsWith('ip route '),
  linesMin: 3,
  linesMax: 5,
}

const kinds = fc.array(fc.constantFrom(route, other, waiting), { maxLength: 300 })

describe('groups of a change', () => {
  it('hold every intent once, in order, with or without a batch', () => {
    fc.assert(
      fc.property(kinds, fc.boolean(), (makers, batched) => {
        const all = makers.map((make, i) => make(i))
        const groups = groupsOf(all, batched ? [batch] : [])

        expect(groups.flatMap((group) => group.planned)).toEqual(all)
        expect(groups.every((group) => group.planned.length > 0)).toBe(true)
      }),
    )
  })

  it('never put what waits for a prompt beside anything else, nor more than a freeze may have to wait for', () => {
    fc.assert(
      fc.property(kinds, fc.boolean(), (makers, batched) => {
        const groups = groupsOf(
          makers.map((make, i) => make(i)),
          batched ? [batch] : [],
        )
        for (const group of groups) {
          const waits = group.planned.some(({ rendering }) =>
            rendering.apply.some((line) => !line.free),
          )
          if (waits) expect(group).toEqual({ planned: [group.planned[0]] })
          expect(group.planned.length).toBeLessThanOrEqual(64)
        }
      }),
    )
  })

  it('make batches of what a batch may hold, no smaller and no larger than it may be', () => {
    fc.assert(
      fc.property(kinds, (makers) => {
        const groups = groupsOf(
          makers.map((make, i) => make(i)),
          [batch],
        )
        for (const group of groups.filter((one) => one.batch !== undefined)) {
          const [begin, ...lines] = linesOf(group).map(({ text }) => text)
          expect([begin, lines.pop()]).toEqual(['begin', 'end'])
          expect(lines.every((text) => text.startsWith('ip route '))).toBe(true)
          expect(lines.length).toBeGreaterThanOrEqual(3)
          expect(lines.length).toBeLessThanOrEqual(5)
        }
      }),
    )
    expect(groupsOf([route(1), route(2)], [batch])).toEqual([{ planned: [route(1), route(2)] }])
  })
})

describe('the batch of FRR', () => {
  it.each(['8.4.4', '9.1'])('is there in %s', (version) => {
    const [batch] = frrBatches({ version })
    expect(batch?.wrap([]).map(({ text }) => text)).toEqual([
      'XFRR_start_configuration',
      'XFRR_end_configuration',
    ])
  })

  it.each([{ version: '10.3' }, { version: '7.5' }, { version: 'unknown' }, {}])(
    'is not used where it needs a lock, or where nobody tried it: %j',
    (facts) => {
      expect(frrBatches(facts)).toEqual([])
    },
  )

  it('holds routes and nothing else: any other line would commit what came so far', () => {
    const holds = frrBatches({ version: '8.4.4' })[0]?.holds
    const may = (text: string): boolean | undefined => holds?.(free(text, 'config'))

    expect(may('ip route 203.0.113.9/32 blackhole tag 666')).toBe(true)
    expect(may('no ipv6 route 2001:db8::/48 blackhole tag 666')).toBe(true)
    for (const text of [
      'do show ip route ',
      'interface eth0',
      'end',
      'router bgp 1',
      ' ip route',
    ]) {
      expect(may(text)).toBe(false)
    }
  })
})
