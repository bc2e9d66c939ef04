// The fast readers of YAML and JSON, held against the whole parser: what they read means the same to it, they read nothing that it finds fault with, and each place is where it finds it.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { readJson } from '../../inventory/json-text.ts'
import { type PlainText, readPlainYaml } from '../../inventory/plain-yaml.ts'
import { parseYaml, wholeTree } from '../../inventory/yaml.ts'
import { placesOf } from '../../inventory/yaml-nodes.ts'
import { placesIn } from '../../inventory/yaml-places.ts'

const traps = [
  ['010', '0', '10', '-5', '+5', '1.10', '1.5', '1e3', '12.', '.5', '0x1F', '0o17', '1_000'],
  ['9007199254740993', '123456789012345', '1234567890123456', '.inf', '.NaN', '2001-12-14'],
  ['yes', 'No', 'on', 'null', 'Null', '~', 'true', 'False', 'TRUE', 'nUll', '190:20:30', '12:30'],
  [
    '10.0.0.1',
    '203.0.113.0/26',
    '2001:db8::',
    '2001:db8::1',
    '::1',
    '2a00:1000:1::/48',
    'a:',
    ':a',
  ],
  ['x', 'two words', 'two  words', 'Björn GmbH', 'Ельбрус', '東京', 'A & B', "it's", 'a, b', 'a,b'],
  ['a#b', 'a #b', 'a # b', 'a ## b', '#b', '# b', 'a: b', 'a:b', 'a :b', 'a - b', '- a', '-a'],
  ['"q"', '"a b"', '"a # b"', '"a: b"', '"a\\n"', '"', "'q'", "'it''s'", "'", '""', "''", '"a"b'],
  [
    '[a, b]',
    '[ a , b ]',
    '[a, ]',
    '[]',
    '{}',
    '{a: b}',
    '{ a: b, c: [d] }',
    '{a}',
    '{a:b}',
    '{a: }',
  ],
  [
    '[a: b]',
    '[a, b',
    'a]',
    '[a]b',
    '[ "x", \'y\' ]',
    '{ a: 1, a: 2 }',
    '[010]',
    '[::1, 2001:db8::]',
  ],
  [
    '|',
    '>',
    '&a b',
    '*a',
    '!t x',
    '!!str 1',
    '? a',
    '@a',
    '%a',
    '`a',
    '<<',
    '__proto__',
    'constructor',
  ],
  [
    '',
    '---',
    '...',
    '=',
    '/usr/bin',
    'GigabitEthernet1/0/3',
    'ge-0/0/1.0',
    '[a, {b: c}]',
    '\ta',
    'a\t',
  ],
].flat()
const plainTexts = [
  'x',
  '10',
  '203.0.113.0/26',
  '[a, b]',
  '{ a: 1 }',
  '"q"',
  'two words',
  "'2a00::'",
]
const value = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...plainTexts) },
  { weight: 1, arbitrary: fc.constantFrom(...traps) },
)
const name = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.constantFrom('a', 'b', 'c', 'edge1.ams', 'customers', 'x-1', '10', '7'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('010', 'true', 'null', '"q"', '1.5', 'a b', '<<', '?', '-'),
  },
)
const comment = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' # why', ' #why', '#why', ' ##', '  ', ' #') },
)

type Lines = readonly string[]
const indented = (by: number, lines: Lines): Lines =>
  lines.map((line) => `${' '.repeat(by)}${line}`)

/** Lines of a block of YAML, most of them right. */
const { block } = fc.letrec<{ block: Lines; map: Lines; list: Lines }>((tie) => ({
  block: fc.oneof({ weight: 3, arbitrary: tie('map') }, { weight: 1, arbitrary: tie('list') }),
  map: fc
    .array(
      fc.tuple(
        name,
        comment,
        fc.oneof(
          { maxDepth: 3, depthIdentifier: 'block' },
          { weight: 3, arbitrary: value },
          { weight: 1, arbitrary: fc.tuple(fc.constantFrom(0, 1, 2, 4), tie('block')) },
        ),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((fields) =>
      fields.flatMap(([field, behind, inner]) =>
        typeof inner === 'string'
          ? [`${field}: ${inner}${behind}`]
          : [`${field}:${behind}`, ...indented(inner[0], inner[1])],
      ),
    ),
  list: fc
    .array(
      fc.oneof(
        { maxDepth: 3, depthIdentifier: 'block' },
        value.map((text): Lines => [`- ${text}`]),
        tie('map').map(([first = '', ...others]): Lines => [`- ${first}`, ...indented(2, others)]),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((items) => items.flat()),
}))

/** A text, and a few slips of the hand in it. */
function withSlips(text: fc.Arbitrary<string>, signs: string): fc.Arbitrary<string> {
  const slip = fc.tuple(fc.nat(), fc.constantFrom(...signs.split(''), ''), fc.boolean())
  const slips = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(slip, { maxLength: 2 }) },
  )
  return fc.tuple(text, slips).map(([whole, made]) =>
    made.reduce((so, [where, sign, replaces]) => {
      const at = where % (so.length + 1)
      return `${so.slice(0, at)}${sign}${so.slice(at + (replaces ? 1 : 0))}`
    }, whole),
  )
}

const yamlText = withSlips(
  fc
    .tuple(
      block,
      fc.constantFrom('', '', '', '---\n', '\n', '# head\n', '#head\n', ' '),
      fc.boolean(),
    )
    .map(([lines, head, ends]) => `${head}${lines.join('\n')}${ends ? '\n' : ''}`),
  ' \n\t:#-[]{},\'"&*!|>%@`\\r0a',
)

const jsonText = withSlips(
  fc
    .tuple(
      fc.dictionary(
        fc.oneof(fc.constantFrom('a', 'b', 'customers', '10', ''), fc.string()),
        fc.oneof(
          {
            weight: 6,
            arbitrary: fc.anything({
              values: [fc.string(), fc.nat(), fc.boolean(), fc.constant(null)],
              maxDepth: 4,
              withNullPrototype: false,
            }),
          },
          { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
        ),
        { minKeys: 1, maxKeys: 5 },
      ),
      fc.constantFrom(0, 0, 1, 2),
    )
    .map(([data, indent]) => JSON.stringify(data, null, indent)),
  ' \n\t:#-[]{},\'"\\01e.ab',
)

/** All paths of a value, and some that aren't there. */
function pathsIn(data: unknown): readonly (readonly (string | number)[])[] {
  if (typeof data !== 'object' || data === null) return [[]]
  const inner = Array.isArray(data)
    ? data.flatMap((each, index) => pathsIn(each).map((path) => [index, ...path]))
    : Object.entries(data).flatMap(([part, each]) => pathsIn(each).map((path) => [part, ...path]))
  return [[], ['missing'], ...inner]
}

function sameAsWhole(text: string, plain: PlainText): void {
  const whole = wholeTree('x.yaml', text)
  expect({ problems: whole.problems, warnings: whole.warnings }).toEqual({
    problems: [],
    warnings: [],
  })
  expect(plain.value).toEqual(whole.value)
  // Order too: it decides which of two is told of first.
  expect(JSON.stringify(plain.value)).toBe(JSON.stringify(whole.value))
  const there = placesOf(parseDocument(text, { uniqueKeys: false }), text)
  const places = placesIn(text, plain, 0)
  const tree = parseYaml('x.yaml', text)
  for (const path of pathsIn(plain.value)) {
    expect([path, places.offset(path, false)]).toEqual([path, there.offset(path, false)])
    expect([path, places.offset(path, true)]).toEqual([path, there.offset(path, true)])
    expect([path, places.written(path)]).toEqual([path, there.written(path)])
    expect([path, tree.has(path)]).toEqual([path, whole.has(path)])
    const fault = { message: 'm', remedy: 'r' }
    expect(tree.problem(path, fault)).toEqual(whole.problem(path, fault))
  }
}

describe('plain YAML', () => {
  it('means what the whole parser finds in it, at the same places', () => {
    let read = 0
    fc.assert(
      fc.property(yamlText, (text) => {
        const plain = readPlainYaml(text)
        if (plain === undefined) return
        read++
        sameAsWhole(text, plain)
      }),
      { numRuns: 1_500 },
    )
    // Were nothing plain, nothing would have been compared.
    expect(read).toBeGreaterThan(200)
  })

  it('is what inventories are written in', () => {
    for (const text of plainTexts.map((each) => `a:\n  b: ${each}\nc:\n- d: ${each}\n  e: 1\n`)) {
      expect(readPlainYaml(text)).toBeDefined()
    }
  })

  it.each(traps.map((text) => [text]))('with %j somewhere is left alone or read alike', (text) => {
    for (const whole of [
      `a: ${text}\n`,
      `a:\n  - ${text}\n  - b\n`,
      `a: [${text}, b]\n`,
      `a: { b: ${text} }\n`,
      `${text}: a\n`,
      `a:\n  ${text}: b\n`,
      `a: b${text}\nc: d`,
      `a: "${text}"\nb: '${text}'\n`,
    ]) {
      const plain = readPlainYaml(whole)
      if (plain === undefined) expect(parseYaml('x.yaml', whole)).toBeDefined()
      else sameAsWhole(whole, plain)
    }
  })
})

describe('JSON', () => {
  it.each(['"<<"', '"\\u003c<"', '"\\u005f_proto__"', '"a\\u003a"'])(
    'with the name %s is left to the whole parser, which has something to say of it',
    (name) => {
      const text = `{${name}:null}`
      expect(readJson(text)).toBeUndefined()
      expect(wholeTree('x.yaml', text).problems).toHaveLength(1)
      expect(readJson(`{"a":${name}}`)).toBeDefined()
    },
  )

  it('means what the whole parser finds in it, at the same places', () => {
    let read = 0
    fc.assert(
      fc.property(jsonText, (text) => {
        const plain = readJson(text)
        if (plain === undefined) return
        read++
        sameAsWhole(text, plain)
      }),
      { numRuns: 1_000 },
    )
    expect(read).toBeGreaterThan(150)
  })

  it.each([
    ['a name twice', '{"a": 1, "a": 2}'],
    ['a name twice, deep inside', '{"a": [{"b": {"c": 1, "d": 2, "c": 3}}]}'],
    ['a number with an exponent', '{"a": 1e3}'],
    ['a number with zeros at its end', '{"a": 1.10}'],
    ['a number that loses digits', '{"a": 9007199254740993}'],
    ['the name of a prototype', '{"__proto__": {"a": 1}}'],
    ['half a character', '{"a": "\\ud83d"}'],
    ['a tab', '{\t"a": 1}'],
  ])('with %s is left to the whole parser', (_what, text) => {
    expect(readJson(text)).toBeUndefined()
  })
})
