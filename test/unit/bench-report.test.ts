// What the benches make of their runs: a figure, a verdict, a table. The figures themselves are never asserted.

import { describe, expect, it } from 'vitest'
import { readOptions } from '../bench/options.ts'
import { judged, markdownTable, measured, page, textTable } from '../bench/report.ts'
import { count, duration, mebibytes, ratioOf, spread, summarize } from '../bench/statistics.ts'
import { addressOf } from '../bench/world.ts'

describe('a row of runs', () => {
  it('comes to its median, with the lowest and highest', () => {
    expect(summarize([9, 1, 5])).toEqual({ runs: 3, median: 5, low: 1, high: 9 })
    expect(summarize([4, 1, 2, 9])).toEqual({ runs: 4, median: 3, low: 1, high: 9 })
  })

  it('is no figure where there are none', () => {
    expect(() => summarize([])).toThrow(RangeError)
  })

  it('is compared pair by pair, so that a slow minute slows both', () => {
    expect(ratioOf([10, 100, 30], [10, 100, 10])).toBe(1)
    expect(() => ratioOf([1], [1, 2])).toThrow('every run needs its pair')
  })

  it.each([
    [duration(4.26), '4.3 ms'],
    [duration(142.6), '143 ms'],
    [duration(1_853), '1.85 s'],
    [spread([3, 1, 2]), '2.0 ms (1.0 ms to 3.0 ms, 3 runs)'],
    [spread([3]), '3.0 ms (1 run)'],
    [count(1_234_567.8), '1,234,568'],
    [mebibytes(314_572_800), '300 MiB'],
  ])('prints as %s', (printed, expected) => {
    expect(printed).toBe(expected)
  })
})

describe('the report', () => {
  const sections = [
    {
      letter: 'b',
      title: 'Far',
      rows: [judged('one | two', '≤ 2', '3', false), judged('three', '≤ 2', '1', true)],
      notes: ['How.'],
    },
    { letter: 'd', title: 'Bulk', rows: [measured('four', '5')], notes: [] },
  ]

  it('is one table of all benches, in columns', () => {
    expect(textTable(sections).split('\n')).toEqual([
      '   what       goal  figure  goal met',
      '-  ---------  ----  ------  --------',
      'b  one | two  ≤ 2   3       not met',
      'b  three      ≤ 2   1       met',
      'd  four             5',
    ])
  })

  it('keeps a bar inside a cell inside it', () => {
    expect(markdownTable(sections)).toContain('| b | one \\| two | ≤ 2 | 3 | not met |')
  })

  it('has the machine, the table and the notes of every bench', () => {
    const text = page({ sections, machine: ['2 × CPU'], method: ['In turn.'], at: '2026-11-27' })

    expect(text).toContain('- 2 × CPU\n- measured 2026-11-27\n')
    expect(text).toContain('## b. Far\n\nHow.')
    expect(text).toContain('- In turn.')
    expect(text.endsWith('## d. Bulk\n')).toBe(true)
  })
})

describe('the options', () => {
  it('are all benches in full when nothing is said', () => {
    expect(readOptions([])).toEqual({
      only: ['a', 'b', 'c', 'd', 'e', 'f'],
      quick: false,
      json: false,
    })
  })

  it('name benches in any order', () => {
    expect(readOptions(['--only', 'd, a', '--quick'])).toMatchObject({
      only: ['a', 'd'],
      quick: true,
    })
    expect(readOptions(['--help'])).toBe('help')
  })

  it('refuse a letter that there is no bench for', () => {
    expect(() => readOptions(['--only', 'a,x'])).toThrow('not "x"')
  })
})

describe('the addresses of a bench', () => {
  it('are all different, and never two of them beside each other', () => {
    const last = (address: string): number => {
      const [, , third = 0, fourth = 0] = address.split('.').map(Number)
      return third * 256 + fourth
    }
    const numbers = Array.from({ length: 30_000 }, (_, i) => last(addressOf(i)))

    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers.every((number) => number % 2 === 1)).toBe(true)
  })
})
