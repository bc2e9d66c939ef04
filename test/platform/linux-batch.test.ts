// Many lines of Linux as one: what is typed, what of it the sudo fragment lets through, and what an answer says of each line.

import { describe, expect, it } from 'vitest'
import { type Batch, free, type Line, type Unwrapped } from '../../agent/platform.ts'
import { batches } from '../../agent/platforms/linux/batch.ts'
import { linux } from '../../agent/platforms/linux/linux.ts'
import { sudoers } from '../../agent/platforms/linux/prepare.ts'
import { acl, blackhole, foundFor, observed, preflightOf } from './conformance-kit.ts'

const targets = [
  '203.0.113.9/32',
  '2001:db8:e57::/48',
  '203.0.113.64/26',
  '2001:db8::9/128',
] as const

function linesFor(root: 'yes' | 'no', kind: 'route' | 'element'): readonly Line[] {
  const changes = targets.map((text) => {
    const intent = kind === 'route' ? blackhole(text) : acl(text)
    return { kind: 'apply', intent } as const
  })
  const facts = { root, tables: 'inet' }
  return linux
    .render(changes, facts)
    .flatMap((rendering) => (rendering.kind === 'lines' ? rendering.apply : []))
}

function batchFor(root: 'yes' | 'no', kind: 'route' | 'element'): [Batch, readonly Line[]] {
  const lines = linesFor(root, kind)
  const [batch, ...more] = batches({ root }).filter(({ holds }) => lines.every(holds))
  if (batch === undefined || more.length > 0) throw new TypeError('not one batch for these lines')
  return [batch, lines]
}

function unwrap(root: 'yes' | 'no', kind: 'route' | 'element', text: string, status: number) {
  const [batch, lines] = batchFor(root, kind)
  const [line = free('', 'shell')] = batch.wrap(lines)
  return summary(batch.unwrap(lines, [{ line, text, status }]))
}

/** `ok`, or the no, of each line that has an answer. */
function summary(became: Unwrapped): readonly string[] | string {
  return became.kind === 'thrown'
    ? `thrown: ${became.message}`
    : became.answers.map(({ refusal }) => refusal?.message ?? 'ok')
}

describe('a batch of Linux', () => {
  it.each([
    [
      'yes',
      'route',
      [
        "ip -batch - <<'EOF'",
        'route prepend blackhole 203.0.113.9/32 proto 223',
        'route add blackhole 2001:db8:e57::/48 proto 223 metric 1',
        'route prepend blackhole 203.0.113.64/26 proto 223',
        'route add blackhole 2001:db8::9/128 proto 223 metric 1',
        'EOF',
      ],
    ],
    [
      'yes',
      'element',
      [
        "nft -f - <<'EOF'",
        'add element inet nullroute src4 { 203.0.113.9/32 comment "nullroute" }',
        'add element inet nullroute src6 { 2001:db8:e57::/48 comment "nullroute" }',
        'add element inet nullroute src4 { 203.0.113.64/26 comment "nullroute" }',
        'add element inet nullroute src6 { 2001:db8::9/128 comment "nullroute" }',
        'EOF',
      ],
    ],
    [
      'no',
      'route',
      [
        `while IFS= read -r l; do setsid -w sudo -n ip $l </dev/null; echo "status $?"; done <<'EOF'`,
        'route prepend blackhole 203.0.113.9/32 proto 223',
        '-6 route add blackhole 2001:db8:e57::/48 proto 223 metric 1',
        'route prepend blackhole 203.0.113.64/26 proto 223',
        '-6 route add blackhole 2001:db8::9/128 proto 223 metric 1',
        'EOF',
      ],
    ],
  ] as const)('with root %s of %ss is one line of just these', (root, kind, typed) => {
    const [batch, lines] = batchFor(root, kind)
    expect(batch.wrap(lines).map(({ text }) => text)).toEqual([typed.join('\n')])
    for (const line of typed) expect(line.length).toBeLessThan(4_094)
  })

  it.each(['route', 'element'] as const)(
    'runs by sudo just what the fragment allows a %s, and never a program that reads a batch',
    (kind) => {
      const [batch, lines] = batchFor('no', kind)
      const [first = '', ...body] = batch.wrap(lines)[0]?.text.split('\n') ?? []
      const program = kind === 'route' ? 'ip' : 'nft'
      const expressions = [
        ...sudoers([]).matchAll(new RegExp(`/usr/sbin/${program} (\\^[^$]+\\$)`, 'g')),
      ]
      const allowed = expressions.map(([, text = '']) => new RegExp(text))

      expect(first).toContain(`sudo -n ${program} $l </dev/null`)
      expect(body.pop()).toBe('EOF')
      expect(body.filter((line) => !allowed.some((one) => one.test(line)))).toEqual([])
      expect(sudoers([])).not.toMatch(/-b(?:atch)?\b| -f /)
    },
  )

  it('holds nothing else: no port, no read, no line of another table', () => {
    for (const root of ['yes', 'no'] as const) {
      for (const text of [
        'ip link set dev p2 down',
        'ip -j -4 route show table all type blackhole',
        'ip route flush proto 223',
        'ip route prepend blackhole 203.0.113.9/32',
        'nft -j list table inet nullroute',
        'setsid -w sudo -n ip link set dev p2 down',
        "setsid -w sudo -n nft 'flush ruleset'",
      ]) {
        expect(batches({ root }).some(({ holds }) => holds(free(text, 'shell')))).toBe(false)
      }
    }
  })
})

describe('the answer to a batch', () => {
  it.each([
    ['nothing', '', 0, ['ok', 'ok', 'ok', 'ok']],
    [
      'a no to the third',
      'RTNETLINK answers: Operation not permitted\nCommand failed -:3\n',
      1,
      ['ok', 'ok', 'RTNETLINK answers: Operation not permitted'],
    ],
    [
      'what is there already, which is no refusal',
      'RTNETLINK answers: File exists\nCommand failed -:2\n',
      1,
      ['ok', 'ok'],
    ],
    [
      'an end without a number',
      'Error: any valid prefix is expected rather than "x".\n',
      1,
      'thrown: Error: any valid prefix is expected rather than "x".',
    ],
    [
      'a number that no line has',
      'RTNETLINK answers: File exists\nCommand failed -:9\n',
      1,
      'thrown: RTNETLINK answers: File exists\nCommand failed -:9',
    ],
    ['words and success', 'Warning: strange\n', 0, 'thrown: Warning: strange'],
    ['a command that is not there', 'sh: 3: ip: not found\n', 127, 'thrown: sh: 3: ip: not found'],
    ['a death without a word', '', 137, 'thrown: exit status 137'],
  ])('of `ip` as root: %s', (_, text, status, expected) => {
    expect(unwrap('yes', 'route', text, status)).toEqual(expected)
  })

  it('of `nft` as root is a yes or a no to all', () => {
    const no = '/dev/stdin:2:1-9: Error: interval overlaps with an existing one'
    expect(unwrap('yes', 'element', '', 0)).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect(unwrap('yes', 'element', no, 1)).toBe(`thrown: ${no}`)
  })

  it('of a loop has the words and the status of each', () => {
    const text =
      'status 0\nRTNETLINK answers: File exists\nstatus 2\nsudo: a password is required\nstatus 1\nstatus 0\n'
    expect(unwrap('no', 'route', text, 0)).toEqual([
      'ok',
      'ok',
      'sudo: a password is required',
      'ok',
    ])
    expect(unwrap('no', 'route', 'status 0\nstatus 0\n', 0)).toEqual(['ok', 'ok'])
    expect(unwrap('no', 'route', 'sh: 5: setsid: Permission denied\n', 126)).toBe(
      'thrown: sh: 5: setsid: Permission denied',
    )
  })
})

describe('the reads of many prefixes', () => {
  const many = Array.from({ length: 17 }, (_, i) => blackhole(`198.19.0.${i * 2}/32`))
  const seen = { host: '', nonce: '7f3a', facts: { root: 'yes' } }
  const reads = linux.observe(many, seen)
  const question = reads.at(-1)?.line.text ?? ''
  const there = (address: string): string =>
    `[{"type":"blackhole","dst":"${address}","protocol":"223","flags":[]}]`

  function answered(lines: readonly string[]) {
    const every = '[]\n'
    return observed(
      linux,
      many,
      {
        'ip -j -4 route show table all type blackhole': every,
        'ip -j -6 route show table all type blackhole': every,
        [question]: lines.join('\n'),
      },
      seen,
    )
  }

  const answers = many.flatMap((_, i) => [
    i === 5 ? '[]' : there(`198.19.0.${i * 2}`),
    ...(i === 5
      ? ['[{"dst":"198.19.0.10","dev":"eth0","flags":[],"cache":[]}]']
      : ['RTNETLINK answers: Invalid argument', `Command failed -:${i * 2 + 2}`]),
  ])

  it('are four commands, however many they are', () => {
    expect(reads).toHaveLength(4)
    expect(question.split('\n').slice(0, 3)).toEqual([
      "ip -j -4 -force -batch - <<'ASKED'",
      'route show root 198.19.0.0/32',
      'route get 198.19.0.0',
    ])
    const sixteen = linux.observe(many.slice(0, 16), seen).map(({ line }) => line.text)
    expect(sixteen).toContain('ip route get 198.19.0.0')
  })

  it('say of each prefix what a command of its own would have said', () => {
    const observation = answered(answers)
    const states = many.map((intent) => foundFor(observation, intent).inForce)
    expect(states).toEqual(many.map((_, i) => (i === 5 ? 'no' : 'yes')))
  })

  it.each([
    ['cut short', answers.slice(0, -4)],
    ['without one in the middle', [...answers.slice(0, 3), ...answers.slice(6)]],
    ['with one too many', [...answers, '[]']],
    ['with words that nothing stands behind', [...answers, 'Dump terminated']],
    ['empty', []],
  ])('are not believed %s', (_, lines) => {
    expect(() => answered(lines)).toThrow(/answers, in the order of the questions/)
  })
})

it('tells of a host that was prepared for an earlier release to renew the fragment', () => {
  const denied = 'sudo: a password is required'
  const finding = preflightOf(
    linux,
    'table inet nullroute',
    {
      'setsid -w sudo -n nft -j list table inet nullroute': '{"nftables":[]}',
      'setsid -w sudo -n nft -t list table inet nullroute': denied,
    },
    { root: 'no' },
  )
  expect(finding).toMatchObject({ ok: false, found: denied })
  expect(finding.remedy).toMatch(/^renew \/etc\/sudoers\.d\/nullroute /)
})
