// More eyes of the crash harness: on the chain of each enforcement, and on commits that are confirmed.

import { describe, expect, it } from 'vitest'
import { chains } from '../crash/chains.ts'
import { objectsOf } from '../crash/city.ts'
import { confirmWatch } from '../crash/confirms.ts'
import type { Entry } from '../crash/ledger.ts'

const nothing = { device: undefined, enforcement: undefined, data: {} }
const about = (seq: number, enforcement: string, type: string, data = {}): Entry => ({
  ...nothing,
  seq,
  at: seq,
  enforcement,
  type,
  data,
})
const intended = (
  seq: number,
  [device, step]: readonly [string, number],
  enforcement: string | undefined,
  ...commands: string[]
): Entry => ({
  seq,
  at: seq,
  type: 'device.commands_intended',
  device,
  enforcement,
  data: { step, purpose: 'change' },
  commands,
})

describe('the chain of an enforcement', () => {
  const placed = objectsOf({ kind: 'prefix', prefix: '203.0.113.10/32' }, 'T-1')
  const accepted = ['a', 'b'].map((id) => ({ id, placed }))
  const begin = [about(1, 'a', 'enforcement.requested'), about(2, 'b', 'enforcement.requested')]
  const problems = (entries: readonly Entry[], waves: Record<string, number> = {}) => {
    const held = chains()
    held.add([...begin, ...entries])
    return held.problems({ accepted, wave: (_, device) => waves[device] ?? 0 })
  }
  const route = 'ip route 203.0.113.10/32 blackhole tag 666'

  it.each([
    ['trigger1', route],
    ['trigger1', `no ${route}`],
    ['core1', 'ip route 203.0.113.10 255.255.255.255 Null0 tag 666'],
    ['edge3', 'host 203.0.113.10'],
    ['edge3', '203.0.113.8 255.255.255.248'],
    ['edge4', 'nft \'add element inet nullroute src4 { 203.0.113.8/29 comment "nullroute" }\''],
    ['edge2', 'set policy-options prefix-list nullroute-v4 203.0.113.10/32'],
  ])('holds each step that serves it: on %s, `%s`', (device, line) => {
    const core = [{ device: 'core1', name: 'route 203.0.113.10/32', detail: '666' }]
    const both = accepted.map(({ id }) => ({ id, placed: [...placed, ...core] }))
    const held = chains()
    held.add([...begin, intended(3, [device, 1], 'a', line)])

    expect(held.problems({ accepted: both, wave: () => 0 })).toEqual([
      expect.stringContaining('the chain of b does not hold step 1'),
    ])
  })

  it('is whole where each step stands in it, and its steps are asked about once', () => {
    const held = chains()
    held.add([...begin, intended(3, ['trigger1', 1], 'a', route)])
    held.add([intended(4, ['trigger1', 1], 'b', route)])

    expect(held.problems({ accepted, wave: () => 0 })).toEqual([])
    expect(held.problems({ accepted, wave: () => 0 })).toEqual([])
  })

  it('holds no step of another', () => {
    const other = 'ip route 203.0.113.24/32 blackhole tag 666'
    expect(problems([intended(3, ['trigger1', 1], 'a', other)])).toHaveLength(1)
    expect(problems([intended(3, ['edge4', 1], 'a', 'ip link set dev p1 down')])).toHaveLength(1)
    expect(problems([intended(3, ['edge2', 1], 'a', 'set interfaces ge-0/0/5 disable')])).toEqual([
      expect.stringContaining('the chain of a holds step 1'),
    ])
  })

  it('begins with its acceptance and ends with its release', () => {
    const ended = about(3, 'b', 'enforcement.settled', { status: 'released' })
    expect(problems([ended, intended(4, ['trigger1', 1], 'a', route)])).toEqual([])
    expect(problems([ended, intended(4, ['trigger1', 1], 'b', route)])).toHaveLength(2)
  })

  it('need not hold what was done before its turn had come there', () => {
    const waves = { edge4: 1, edge3: 1 }
    const element = "nft 'add element inet nullroute src4 { 203.0.113.10 }'"
    const step = intended(9, ['edge4', 1], 'a', element)
    expect(problems([step], waves)).toEqual([])
    expect(problems([intended(3, ['edge3', 1], 'b', 'host 203.0.113.10'), step], waves)).toEqual(
      [
        expect.stringContaining('the chain of a does not hold step 1 of edge3'),
        expect.stringContaining('the chain of b does not hold step 1 of edge4'),
      ].slice(1),
    )
    const said = about(3, 'b', 'enforcement.settled', { status: 'enforced' })
    expect(problems([said, step], waves)).toHaveLength(1)
  })

  it('is not asked about lines that name nothing of anybody’s', () => {
    expect(
      problems([intended(3, ['edge2', 1], 'a', 'configure exclusive', 'commit check')]),
    ).toEqual([])
  })
})

describe('a commit that waits to be confirmed', () => {
  const commit = 'commit confirmed 5 comment "nullroute ff1128b2"'
  const marks = 'show configuration | display set | match "apply-macro nullroute"'
  const told = (...lines: readonly (readonly [number, string])[]) => {
    const watch = confirmWatch()
    return lines.flatMap(
      ([session, text]) => watch.received({ device: 'edge2', session, text, mode: '' }) ?? [],
    )
  }

  it('is confirmed by another session that has read the configuration since', () => {
    expect(told([1, 'commit check'], [1, commit], [2, marks], [2, 'commit check'])).toEqual([])
    expect(told([1, commit], [2, marks], [2, 'commit check'], [1, 'commit check'])).toEqual([])
  })

  it.each([
    [
      'without having read',
      [
        [2, 'set cli screen-length 0'],
        [2, 'show system commit'],
        [2, 'commit check'],
      ],
    ],
    [
      'with what another session has read',
      [
        [3, marks],
        [2, 'commit check'],
      ],
    ],
    [
      'in the session that made it',
      [
        [1, marks],
        [1, 'commit check'],
      ],
    ],
  ] as const)('is not confirmed %s', (_, lines) => {
    expect(told([2, marks], [1, commit], ...lines)).toHaveLength(1)
  })

  it('is forgotten when another candidate is made, or it is taken back', () => {
    expect(told([1, commit], [2, 'rollback 1'], [2, 'commit comment "x"'])).toEqual([])
    expect(told([1, commit], [2, 'set system x'], [2, 'commit check'])).toEqual([])
  })
})
