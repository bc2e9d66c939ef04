// Reading playbooks: those that are shipped, and what is told of one that is wrong.

import { describe, expect, it } from 'vitest'
import { printProblem } from '../../inventory/problem.ts'
import { parseDuration } from '../../playbooks/duration.ts'
import { loadPlaybooks, parsePlaybooks, playbookSchemaJson } from '../../playbooks/load.ts'
import { source } from './inventory-texts.ts'

const right = `name: mine
decision: suspend
description: A test.
maxDuration: 14d
measures:
  - port: { state: down, ports: customer }
`

function problemsIn(text: string): readonly string[] {
  const result = parsePlaybooks([source(text, 'playbooks/mine.yaml')])
  return result.ok
    ? []
    : result.problems.map((each) => `${each.line}:${each.column} ${each.path}: ${each.message}`)
}

describe('the shipped playbooks', () => {
  it('load without a problem or warning, and are the four that the documentation names', async () => {
    const result = await loadPlaybooks(undefined)

    expect(result.ok ? result.warnings : result.problems.map(printProblem)).toEqual([])
    const all = result.ok ? [...result.value.values()] : []
    expect(all.map(({ name, decision }) => [name, decision])).toEqual([
      ['block', 'block'],
      ['depeer', 'suspend'],
      ['suspend', 'suspend'],
      ['terminate', 'terminate'],
    ])
    expect(all.map(({ approvals, maxDurationMs }) => [approvals, maxDurationMs])).toEqual([
      [0, 1_209_600_000],
      [0, 1_209_600_000],
      [0, 1_209_600_000],
      [1, undefined],
    ])
  })

  it('suspend with a blackhole seen on the edges, filters where they can be, ports and sessions', async () => {
    const result = await loadPlaybooks(undefined)

    expect(result.ok ? result.value.get('suspend')?.measures : []).toEqual([
      {
        kind: 'blackhole',
        objects: 'customer',
        devices: { kind: 'role', role: 'rtbh-trigger' },
        seenOn: { kind: 'role', role: 'edge' },
        tag: 666,
        optional: false,
      },
      {
        kind: 'acl',
        objects: 'customer',
        devices: { kind: 'role', role: 'edge' },
        direction: 'both',
        optional: true,
      },
      { kind: 'port', objects: 'customer', optional: false },
      { kind: 'neighbor', objects: 'customer', message: 'Suspended {ticket}', optional: false },
    ])
  })
})

describe('a playbook', () => {
  it('takes defaults for its roll-out and for what happens on failure', () => {
    const result = parsePlaybooks([source(right)])

    expect(result.ok ? result.value.get('mine') : result.problems).toMatchObject({
      rollout: { canary: 1, batch: 50, stopAfterFailures: 1 },
      approvals: 0,
      onFailure: 'keep',
      maxDurationMs: 1_209_600_000,
      sha256: source(right).sha256,
    })
  })

  const measure = (text: string) => right.replace(/ {2}- .*\n/, `  - ${text}\n`)

  it.each([
    [
      'no measures',
      right.replace(/measures:[^]*/, 'measures: []\n'),
      ['5:11 measures: an empty list is not a list of at least one'],
    ],
    [
      'a measure of two kinds',
      measure(
        '{ port: { state: down, ports: customer }, acl: { block: customer, direction: in, devices: { role: edge } } }',
      ),
      ['6:5 measures[0]: acl and port in one measure'],
    ],
    [
      'an unknown kind',
      measure('rate: { limit: 5 }'),
      [
        '6:5 measures[0].rate: there is no field "rate" here',
        '6:5 measures[0]: a measure without a kind',
      ],
    ],
    [
      'an unknown variable',
      measure('neighbor: { state: shutdown, neighbors: customer, message: "Hi {name}" }'),
      [
        '6:64 measures[0].neighbor.message: there is no variable {name}: there are {ticket}, {customer}, {category}, {enforcement}',
      ],
    ],
    [
      'a sign that no device line may hold',
      measure('neighbor: { state: shutdown, neighbors: customer, message: "Bye; reload!" }'),
      [
        '6:64 measures[0].neighbor.message: "Bye; reload!" has more than a device\'s line may hold: letters, digits, single blanks and . , : ; / @ _ + ( ) -, at most 128 bytes',
      ],
    ],
    [
      'devices by role and by name',
      measure('acl: { block: customer, direction: in, devices: { role: edge, devices: [a] } }'),
      ['6:53 measures[0].acl.devices: role and devices are both named'],
    ],
    [
      'a state that a port has not',
      measure('port: { state: up, ports: customer }'),
      ['6:20 measures[0].port.state: up is not down'],
    ],
    [
      'a duration without unit',
      right.replace('14d', '"14"'),
      ['4:14 maxDuration: "14" is no duration: a unit is missing (14d, 14h, 14m or 14s)'],
    ],
    [
      'a duration as number',
      right.replace('14d', '14'),
      ['4:14 maxDuration: 14 is not a length of time with its unit, such as 14d'],
    ],
    ['no duration', right.replace('maxDuration: 14d\n', ''), ['1:1 : suspend has no maxDuration']],
    [
      'a terminate that ends',
      right.replace('decision: suspend', 'decision: terminate'),
      ['4:14 maxDuration: terminate has no end, so no maxDuration'],
    ],
    [
      'more than one approval',
      `${right}approvals: 2\n`,
      ['7:12 approvals: 2 is not a number of at most 1'],
    ],
  ])('with %s is refused with its place', (_, text, expected) => {
    expect(problemsIn(text)).toEqual(expected)
  })

  it('of a name that is taken is refused, naming the other file', () => {
    const result = parsePlaybooks([source(right, 'p/a.yaml'), source(right, 'p/b.yaml')])

    expect(result.ok ? [] : result.problems.map(({ file, message }) => [file, message])).toEqual([
      ['p/b.yaml', 'a playbook "mine" is there already: p/a.yaml'],
    ])
  })

  it('has a schema for editors', () => {
    expect(playbookSchemaJson()).toMatchObject({
      type: 'object',
      required: ['name', 'decision', 'description', 'measures'],
    })
  })
})

describe('a duration', () => {
  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['14d', 1_209_600_000],
    ['2w', 1_209_600_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms })
  })

  it.each([
    ['14', 'a unit is missing'],
    ['0d', 'above 0'],
    ['1.5d', 'whole numbers only'],
    ['14 d', 'no blank'],
    ['1d12h', 'one unit only'],
    ['fortnight', 'a whole number and one of'],
    ['-1d', 'a whole number and one of'],
    ['999999d', 'longer than 3660 days'],
  ])('%s is refused: %s', (text, words) => {
    const parsed = parseDuration(text)

    expect(parsed.ok ? 'taken' : parsed.problem).toContain(words)
  })
})
