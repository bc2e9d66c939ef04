// What Junos shows means for each intent, and what is written for each change. Texts are in the form of its guides and of published sessions.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Intent } from '../../agent/intents.ts'
import { juniper_junos } from '../../agent/platforms/juniper_junos/juniper_junos.ts'
import {
  acl,
  blackhole,
  foundFor,
  linesOf,
  neighbor,
  observed,
  openedTo,
  port,
  preflightOf,
  withUplinks,
} from './conformance-kit.ts'

const more = (text: string): string => `${text} | no-more`
const staticLine = more('show configuration routing-options static | display set')
const listLine = more('show configuration policy-options prefix-list nullroute-v4 | display set')
const inactiveLine = more('show configuration | display set | match "^deactivate "')
const marksLine = more('show configuration | display set | match "apply-macro nullroute"')
const commitLine = more('show system commit')
const termsLine = more('show configuration firewall | display set')
const boundLine = more(
  'show configuration interfaces | display set | match " filter (in|out)put|^deactivate"',
)

const see = (intent: Intent, table: Record<string, string>) =>
  foundFor(observed(juniper_junos, [intent], table), intent)

/** The JSON of one route, with the blanks in which the device prints it. */
function route(table: string, destination: string, entry: Record<string, unknown>): string {
  const data = (value: string) => [{ data: value }]
  const words = Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [
      name,
      typeof value === 'string' ? data(value) : value,
    ]),
  )
  const rt = [{ 'rt-destination': data(destination), 'rt-entry': [words] }]
  return JSON.stringify(
    { 'route-information': [{ 'route-table': [{ 'table-name': data(table), rt }] }] },
    undefined,
    4,
  )
}

const discard = { 'active-tag': '*', 'protocol-name': 'Static', 'nh-type': 'Discard' }
const leading = { to: [{ data: '192.0.2.1' }], via: [{ data: 'ge-0/0/0.0' }] }

describe('a blackhole on Junos', () => {
  const host = blackhole('203.0.113.9/32')
  const question = more('show route 203.0.113.9/32 exact | display json')
  const path = 'routing-options static route 203.0.113.9/32'
  const ours = `set ${path} discard\nset ${path} tag 666\nset ${path} apply-macro nullroute\n`

  it('is absent where no line has its prefix', () => {
    const other = ours.replaceAll('203.0.113.9/32', '203.0.113.90/32')
    expect(see(host, { [staticLine]: other })).toMatchObject({
      object: [],
      effect: 'none',
      inForce: 'no',
    })
  })

  it('is ours by the macro, in whatever order', () => {
    const text = `set ${path} apply-macro nullroute\nset ${path} tag 666\nset ${path} discard`
    const answer = route('inet.0', '203.0.113.9/32', discard)
    expect(see(host, { [staticLine]: text, [question]: answer })).toMatchObject({
      object: [`${path} discard`, `${path} tag 666`, `${path} apply-macro nullroute`],
      effect: 'same',
      mark: 'ours',
      inForce: 'yes',
    })
  })

  it.each([
    ['the same by hand', `set ${path} discard\nset ${path} tag 666`, 'same'],
    ['another tag', `set ${path} discard\nset ${path} tag 667`, 'other'],
    ['no tag', `set ${path} discard`, 'other'],
    ['a preference', `${ours}set ${path} preference 7`, 'other'],
    ['a next hop', `set ${path} next-hop 192.0.2.1`, 'other'],
    [
      'a next hop with our macro',
      `set ${path} next-hop 192.0.2.1\nset ${path} apply-macro nullroute`,
      'other',
    ],
  ])('%s', (_, text, effect) => {
    expect(see(host, { [staticLine]: text }).effect).toBe(effect)
  })

  it.each([
    ['discarded', discard, 'yes'],
    ['learnt and discarded', { ...discard, 'protocol-name': 'BGP' }, 'yes'],
    ['rejected', { ...discard, 'nh-type': 'Reject' }, 'yes'],
    ['behind another route', { ...discard, 'active-tag': '' }, 'no'],
    ['a next hop', { 'active-tag': '*', nh: [leading] }, 'no'],
    ['an address of the device', { 'active-tag': '*', 'nh-type': 'Local' }, 'no'],
    [
      'the interface that discards',
      { 'active-tag': '*', nh: [{ via: [{ data: 'dsc.0' }] }] },
      'unknown',
    ],
    ['a form that isn’t known', { 'active-tag': '*', 'nh-type': 'Unusable' }, 'unknown'],
    ['no next hop at all', { 'active-tag': '*' }, 'unknown'],
    ['a discard and a next hop', { ...discard, nh: [leading] }, 'partly'],
  ])('in the table as %s: %s', (_, entry, inForce) => {
    const answer = route('inet.0', '203.0.113.9/32', entry as Record<string, unknown>)
    const found = see(host, { [question]: answer })
    expect(found.inForce).toBe(inForce)
    expect(found.learnt === true).toBe('protocol-name' in entry && entry['protocol-name'] === 'BGP')
  })

  it.each([
    ['leads on', { 'active-tag': '*', nh: [leading] }, 'partly'],
    ['is dropped too', discard, 'yes'],
    ['is not active', { nh: [leading] }, 'yes'],
    ['was active', { 'active-tag': '-', nh: [leading] }, 'yes'],
    ['is active', { 'active-tag': '+', nh: [leading] }, 'partly'],
    ['routes only', { 'active-tag': '@', nh: [leading] }, 'partly'],
    ['forwards only', { 'active-tag': '#', nh: [leading] }, 'partly'],
    ['leads to nobody knows what', { 'active-tag': '*', 'nh-type': 'Indirect' }, 'partly'],
  ])('has inside a more specific route that %s', (_, entry, inForce) => {
    const wide = blackhole('203.0.113.0/24')
    const found = see(wide, {
      [more('show route 203.0.113.0/24 exact | display json')]: route(
        'inet.0',
        '203.0.113.0/24',
        discard,
      ),
      [more('show route 203.0.113.0/24 range | display json')]: route(
        'inet.0',
        '203.0.113.128/25',
        entry,
      ),
    })
    expect(found.inForce).toBe(inForce)
    expect(found.note?.includes('203.0.113.128/25')).toBe(inForce === 'partly' ? true : undefined)
  })

  describe('by a next hop', () => {
    const to = (address: string, via?: string) => ({
      to: [{ data: address }],
      ...(via === undefined ? {} : { via: [{ data: via }] }),
    })
    const learnt = (...nh: readonly object[]) =>
      route('inet.0', '203.0.113.9/32', { 'active-tag': '*', 'protocol-name': 'BGP', nh })
    const hop = (address: string) => more(`show route ${address} | display json`)
    const look = (answer: string, table: Record<string, string> = {}) =>
      see(host, { [question]: answer, ...table }).inForce

    it('is in force where the device says that this hop is dropped', () => {
      const asked = (entry: Record<string, unknown>, prefix = '192.0.2.254/32') =>
        look(learnt(to('192.0.2.254')), { [hop('192.0.2.254')]: route('inet.0', prefix, entry) })
      expect(asked(discard)).toBe('yes')
      expect(asked(discard, '192.0.2.0/24')).toBe('yes')
      expect(asked({ ...discard, 'active-tag': '' })).toBe('unknown')
      expect(asked({ ...discard, 'active-tag': '-' })).toBe('unknown')
      expect(asked({ 'active-tag': '*', nh: [to('192.0.2.1', 'ge-0/0/0.0')] })).toBe('no')
      expect(asked(discard, '198.51.100.0/24')).toBe('unknown')
    })

    it('is not by a discard that is only configured, active or not', () => {
      const configured = 'set routing-options static route 192.0.2.254/32 discard\n'
      const table = { [staticLine]: configured, [hop('192.0.2.254')]: '' }
      expect(look(learnt(to('192.0.2.254')), table)).toBe('unknown')
    })

    it('leaves by the interface that stands beside the address', () => {
      expect(look(learnt(to('192.0.2.254', 'ge-0/0/0.0')))).toBe('no')
      expect(() =>
        look(learnt(to('192.0.2.254', 'ge-0/0/0.0')), { [hop('192.0.2.254')]: '' }),
      ).toThrow('never asked')
    })

    it('takes the longest match, and each further hop', () => {
      const data = (value: string) => [{ data: value }]
      const both = JSON.stringify({
        'route-information': [
          {
            'route-table': [
              {
                'table-name': data('inet.0'),
                rt: [
                  {
                    'rt-destination': data('192.0.2.0/24'),
                    'rt-entry': [{ 'active-tag': data('*'), 'nh-type': data('Discard') }],
                  },
                  {
                    'rt-destination': data('192.0.2.254/32'),
                    'rt-entry': [{ 'active-tag': data('*'), nh: [to('10.0.0.7')] }],
                  },
                ],
              },
            ],
          },
        ],
      })
      const end = (entry: Record<string, unknown>) =>
        look(learnt(to('192.0.2.254')), {
          [hop('192.0.2.254')]: both,
          [hop('10.0.0.7')]: route('inet.0', '10.0.0.7/32', entry),
        })
      expect(end(discard)).toBe('yes')
      expect(end({ 'active-tag': '*', nh: [to('10.0.0.8', 'ge-0/0/1.0')] })).toBe('no')
      // In a circle.
      expect(end({ 'active-tag': '*', nh: [to('192.0.2.254')] })).toBe('unknown')
    })

    it('has to be so for each of several', () => {
      const asked = (second: Record<string, unknown>) =>
        look(learnt(to('192.0.2.254'), to('192.0.2.253')), {
          [hop('192.0.2.254')]: route('inet.0', '192.0.2.254/32', discard),
          [hop('192.0.2.253')]: route('inet.0', '192.0.2.253/32', second),
        })
      expect(asked(discard)).toBe('yes')
      expect(asked({ 'active-tag': '*', nh: [to('10.0.0.8', 'ge-0/0/1.0')] })).toBe('partly')
    })
  })

  it('is not taken from another table or a covering prefix', () => {
    const answer = (table: string, prefix: string) => ({
      [question]: route(table, prefix, discard),
    })
    expect(see(host, answer('CUST.inet.0', '203.0.113.9/32')).inForce).toBe('no')
    expect(see(host, answer('inet.0', '203.0.113.0/24')).inForce).toBe('no')
  })

  it('stands in its own table in IPv6 and in an instance', () => {
    const six = blackhole('2001:db8:e57::/48', { vrf: 'CUST' })
    const place = 'routing-instances CUST routing-options rib CUST.inet6.0 static'
    const lines = ['discard', 'tag 666', 'apply-macro nullroute'].map(
      (word) => `set ${place} route 2001:db8:e57::/48 ${word}`,
    )
    const [rendering] = juniper_junos.render([{ kind: 'apply', intent: six }], {})
    expect(linesOf(rendering)).toMatchObject({
      apply: lines,
      undo: [`delete ${place} route 2001:db8:e57::/48`],
    })
    const instance = 'routing-instances CUST instance-type'
    const found = see(six, {
      [more(`show configuration ${instance} | display set`)]: `set ${instance} vrf`,
      [more(`show configuration ${place} | display set`)]: lines.join('\n'),
      [more('show route 2001:db8:e57::/48 exact | display json')]: route(
        'CUST.inet6.0',
        '2001:db8:e57::/48',
        discard,
      ),
    })
    expect(found).toMatchObject({ effect: 'same', mark: 'ours', inForce: 'yes' })
    expect(found.stop).toBeUndefined()
  })

  it('is not sent into an instance that nobody made: a `set` would make it, and no `delete` take it away', () => {
    expect(see(blackhole('203.0.113.9/32', { vrf: 'CUST' }), {}).stop?.code).toBe('no_such_object')
  })

  it.each(['routing-options static', 'routing-options', path])(
    'is refused where `%s` is deactivated',
    (place) => {
      expect(see(host, { [inactiveLine]: `deactivate ${place}` }).stop?.code).toBe('not_prepared')
    },
  )

  it('is not one by a deactivated line of its own', () => {
    const answers = { [staticLine]: ours, [inactiveLine]: `deactivate ${path} discard` }
    expect(see(host, answers)).toMatchObject({
      effect: 'other',
      inForce: 'no',
      stop: { code: 'not_prepared' },
    })
    const ofTheMark = {
      [staticLine]: ours,
      [inactiveLine]: `deactivate ${path} apply-macro nullroute`,
    }
    expect(see(host, ofTheMark).effect).toBe('same')
  })

  it('is not refused for a deactivated neighbour', () => {
    expect(see(host, { [inactiveLine]: `deactivate ${path}0` }).stop).toBeUndefined()
  })

  it('is never guessed', () => {
    expect(() => see(host, { [question]: 'inet.0: 1 destinations' })).toThrow(/unknown/)
    expect(() => see(host, { [question]: '{"route-information": 1}' })).toThrow(/unknown/)
    expect(() => see(host, { [question]: '{"rpc-error": []}' })).toThrow(/unknown/)
    expect(see(host, { [question]: '{\n}' }).inForce).toBe('no')
    expect(() =>
      see(host, { [question]: route('inet.0', '203.0.113.9 (1 entry)', discard) }),
    ).toThrow('a prefix for each route of inet.0')
  })

  it('reads back what it writes, for any prefix and tag', () => {
    const prefixes = fc.oneof(
      fc.ipV4().map((address) => `${address}/32`),
      fc
        .ipV6()
        .filter((a) => !a.includes('.'))
        .map((address) => `${address}/128`),
    )
    fc.assert(
      fc.property(prefixes, fc.integer({ min: 1, max: 4294967295 }), (text, tag) => {
        const intent = blackhole(text, { tag })
        const [rendering] = juniper_junos.render([{ kind: 'apply', intent }], {})
        const { apply, wrote } = linesOf(rendering)
        const line = intent.prefix.includes(':')
          ? more('show configuration routing-options rib inet6.0 static | display set')
          : staticLine
        expect(see(intent, { [line]: apply.join('\n') })).toMatchObject({
          object: wrote,
          effect: 'same',
          mark: 'ours',
        })
      }),
      { numRuns: 60 },
    )
  })
})

describe('a filter entry on Junos', () => {
  const entry = acl('203.0.113.64/26')
  const list = 'set policy-options prefix-list nullroute-v4 192.0.2.255/32\n'
  const ours = `${list}set policy-options prefix-list nullroute-v4 203.0.113.64/26\n`
  const term = 'set firewall family inet filter CUST-IN term nullroute'
  const terms = `${term} from prefix-list nullroute-v4\n${term} then discard\n`
  const bound = 'set interfaces ge-0/0/7 unit 0 family inet filter input CUST-IN\n'
  const look = (entries: string, lines: string, where: string, intent: Intent = entry) =>
    see(intent, { [listLine]: entries, [termsLine]: lines, [boundLine]: where })

  it('is an entry of the prepared list', () => {
    expect(look(ours, terms, bound)).toMatchObject({
      object: ['policy-options prefix-list nullroute-v4 203.0.113.64/26'],
      effect: 'same',
      inForce: 'yes',
    })
    expect(look(list, terms, bound)).toMatchObject({ object: [], effect: 'none' })
  })

  it.each([
    ['no list', '', terms, bound],
    ['no term', list, '', bound],
    ['a term that only counts', list, terms.replace('then discard', 'then count x'), bound],
    [
      'a term for destinations',
      list,
      terms.replace('from prefix-list', 'from destination-prefix-list'),
      bound,
    ],
    ['a term for one protocol', list, `${terms}${term} from protocol tcp\n`, bound],
    [
      'all accepted before it',
      list,
      `set firewall family inet filter CUST-IN term all then accept\n${terms}`,
      bound,
    ],
    [
      'all counted, and so accepted, before it',
      list,
      `set firewall family inet filter CUST-IN term all from source-address 0.0.0.0/0\nset firewall family inet filter CUST-IN term all then count x\n${terms}`,
      bound,
    ],
    [
      'its term deactivated',
      list,
      `${terms}deactivate firewall family inet filter CUST-IN term nullroute\n`,
      bound,
    ],
    ['a filter that stands nowhere', list, terms, bound.replace('CUST-IN', 'CUST-OUT')],
    ['a filter on what goes out', list, terms, bound.replace('input', 'output')],
    ['a filter of that name for the other family', list, terms, bound.replace('inet', 'inet6')],
    ['its interface deactivated', list, terms, `${bound}deactivate interfaces ge-0/0/7 unit 0\n`],
  ])('is not prepared with %s', (_, entries, lines, where) => {
    expect(look(entries, lines, where).stop?.code).toBe('not_prepared')
  })

  it.each([
    ['behind it', `${terms}set firewall family inet filter CUST-IN term all then accept\n`],
    [
      'for others before it',
      `set firewall family inet filter CUST-IN term dns from source-address 203.0.113.0/26\nset firewall family inet filter CUST-IN term dns from port 53\nset firewall family inet filter CUST-IN term dns then accept\n${terms}`,
    ],
    ['that goes on', `set firewall family inet filter CUST-IN term log then next term\n${terms}`],
    ['of another filter', `set firewall family inet filter OTHER term all then accept\n${terms}`],
  ])('is in force with a term %s, and says what was taken for granted', (_, lines) => {
    const found = look(ours, lines, bound)
    expect(found.inForce).toBe('yes')
    expect(found.note).toMatch(/^discarded by CUST-IN on ge-0\/0\/7\.0; taken for granted: /)
  })

  it.each([
    ['destination-address 198.51.100.0/24'],
    ['destination-prefix-list OTHER'],
    ['protocol tcp'],
    ['prefix-list OTHER'],
    ['source-prefix-list OTHER except'],
    ['source-address 203.0.113.9/32 except'],
  ])('is not in force by a term that also asks for %s, which is named', (condition) => {
    const filter = 'set firewall family inet filter CUST-IN'
    const lines = `${filter} term ours from source-prefix-list nullroute-v4\n${filter} term ours from ${condition}\n${filter} term ours then discard\n`
    const found = look(ours, lines, bound)
    expect(found).toMatchObject({ inForce: 'no', effect: 'same' })
    const { stop } = look(list, lines, bound)
    expect(stop?.code).toBe('not_prepared')
    expect(stop?.message).toContain('term ours of CUST-IN')
    expect(stop?.message).toContain(condition)
  })

  it('is in force by a term that names more sources', () => {
    const filter = 'set firewall family inet filter CUST-IN'
    const lines = `${filter} term ours from source-prefix-list nullroute-v4\n${filter} term ours from source-address 198.51.100.0/24\n${filter} term ours then discard\n`
    expect(look(ours, lines, bound).inForce).toBe('yes')
  })

  it('counts a filter only where it stands on more than uplinks', () => {
    const uplinks = (...names: readonly string[]) =>
      foundFor(
        observed(
          juniper_junos,
          [entry],
          { [listLine]: list, [termsLine]: terms, [boundLine]: bound },
          withUplinks(...names),
        ),
        entry,
      ).stop
    expect(uplinks()).toBeUndefined()
    expect(uplinks('ge-0/0/70', 'ge-0/0/7.1')).toBeUndefined()
    for (const name of ['ge-0/0/7', 'ge-0/0/7.0']) {
      expect(uplinks('xe-0/1/0', name)).toMatchObject({
        code: 'not_prepared',
        message: expect.stringMatching(/^CUST-IN on ge-0\/0\/7\.0 drops .* uplinks only/) as string,
      })
    }
  })

  it('is found prepared beforehand only where that is so', () => {
    const lists = more(
      'show configuration policy-options | display set | match "prefix-list nullroute-"',
    )
    const check = (where: string) =>
      preflightOf(juniper_junos, 'acl prepared for IPv4', {
        [lists]: list,
        [termsLine]: terms,
        [boundLine]: where,
      })
    expect(check(bound)).toMatchObject({
      ok: true,
      found: 'prefix list nullroute-v4, discarded in by CUST-IN on ge-0/0/7.0, out by nothing',
    })
    expect(check(bound.replace('inet', 'inet6')).ok).toBe(false)
  })

  it.each([
    ['from port 53', 'then accept'],
    ['from protocol icmp', 'then count x'],
    ['from source-address 203.0.113.0/24', 'then accept'],
    ['from source-address 203.0.113.70/32', 'then policer P'],
    ['from source-prefix-list HOSTS', 'then accept'],
    ['from destination-address 198.51.100.1/32', 'then accept'],
    ['from address 198.51.100.1/32', 'then accept'],
    ['filter OTHER', 'then next term'],
  ])('is not seen to be dropped behind a term %s %s, which is named', (condition, action) => {
    const filter = 'set firewall family inet filter CUST-IN'
    const lines = `${filter} term first ${condition}\n${filter} term first ${action}\n${terms}`
    expect(look(ours, lines, bound)).toMatchObject({ inForce: 'no', effect: 'same' })
    const { stop } = look(list, lines, bound)
    expect(stop?.code).toBe('not_prepared')
    expect(stop?.message).toContain('before it stands term first of CUST-IN')
  })

  describe('in a list of filters', () => {
    const at = 'set interfaces ge-0/0/7 unit 0 family inet filter input-list'
    const chain = (...names: readonly string[]) => names.map((name) => `${at} ${name}\n`).join('')
    const other = (words: string) => `set firewall family inet filter FIRST term a ${words}\n`

    it.each([
      ['then accept'],
      ['from port 53'],
      ['from source-address 203.0.113.64/32'],
      ['then count all'],
    ])('is not seen to be dropped behind a filter with a term %s', (words) => {
      const lines = other(words) + terms
      expect(look(ours, lines, chain('FIRST', 'CUST-IN')).inForce).toBe('no')
      expect(look(list, lines, chain('FIRST', 'CUST-IN')).stop?.message).toContain(
        'term a of FIRST',
      )
      expect(look(ours, lines, chain('CUST-IN', 'FIRST')).inForce).toBe('yes')
    })

    it.each([['then discard'], ['then next term'], ['from source-address 198.51.100.0/24']])(
      'is in force behind a filter with a term %s',
      (words) => {
        expect(look(ours, other(words) + terms, chain('FIRST', 'CUST-IN')).inForce).toBe('yes')
      },
    )

    it('is not seen to be dropped behind a filter that is not shown', () => {
      expect(look(ours, terms, chain('FIRST', 'CUST-IN')).inForce).toBe('no')
    })

    it('is in force by one interface of several', () => {
      const lines = other('then accept') + terms
      const where = `${chain('FIRST', 'CUST-IN')}${bound.replace('ge-0/0/7', 'ge-0/0/8')}`
      const found = look(ours, lines, where)
      expect(found.inForce).toBe('yes')
      expect(found.note).toContain('CUST-IN on ge-0/0/8.0')
      expect(found.note).not.toContain('ge-0/0/7')
    })
  })

  it('goes with a list of filters, and by direction', () => {
    expect(look(list, terms, bound.replace('input', 'input-list')).stop).toBeUndefined()
    const source = terms.replace('from prefix-list', 'from source-prefix-list')
    expect(look(list, source, bound).stop).toBeUndefined()
    const out = acl('203.0.113.64/26', 'out')
    const output = bound.replace('input', 'output')
    expect(look(list, source, output, out).stop).toBeDefined()
    expect(look(list, terms, bound, out).stop).toBeDefined()
    expect(look(list, terms, output, out).stop).toBeUndefined()
  })

  it('is one line each way, never without the prefix, and once for both directions', () => {
    const [first, second] = juniper_junos
      .render(
        [
          { kind: 'apply', intent: acl('203.0.113.9/32', 'in') },
          { kind: 'apply', intent: acl('203.0.113.9/32', 'out') },
        ],
        {},
      )
      .map(linesOf)
    expect(first?.apply).toEqual(['set policy-options prefix-list nullroute-v4 203.0.113.9/32'])
    expect(first?.undo).toEqual(['delete policy-options prefix-list nullroute-v4 203.0.113.9/32'])
    expect(second?.apply).toEqual([])
  })

  it('never touches the entries that keep the lists', () => {
    for (const text of ['192.0.2.255/32', '100::dead/128']) {
      const [rendering] = juniper_junos.render([{ kind: 'apply', intent: acl(text) }], {})
      expect(rendering?.kind).toBe('refused')
    }
  })
})

describe('a port on Junos', () => {
  const one = port('ge-0/0/7')
  const configLine = more('show configuration interfaces ge-0/0/7 | display set')
  const stateLine = more('show interfaces ge-0/0/7')
  const up = 'Physical interface: ge-0/0/7, Enabled, Physical link is Up\n  Interface index: 153'
  const off = 'Physical interface: ge-0/0/7, Administratively down, Physical link is Down'
  const mine = 'set interfaces ge-0/0/7 disable\nset interfaces ge-0/0/7 apply-macro nullroute\n'

  it.each([
    ['up', '', up, { object: [], effect: 'none', inForce: 'no' }],
    ['ours', mine, off, { effect: 'same', mark: 'ours', inForce: 'yes' }],
    ['ours and still up', mine, up, { effect: 'same', inForce: 'no' }],
    ['disabled by hand', 'set interfaces ge-0/0/7 disable', off, { effect: 'same', mark: 'none' }],
    [
      'a unit disabled',
      'set interfaces ge-0/0/7 unit 0 disable',
      up,
      { object: [], effect: 'none' },
    ],
    ['our macro alone', 'set interfaces ge-0/0/7 apply-macro nullroute', up, { effect: 'other' }],
    ['switched off by a range', '', off, { object: [], effect: 'same' }],
  ])('%s', (_, config, state, expected) => {
    expect(see(one, { [configLine]: config, [stateLine]: state })).toMatchObject(expected)
  })

  it.each([
    ['gigether-options 802.3ad ae3', 'a member of ae3'],
    ['unit 0 family ethernet-switching interface-mode trunk', 'a trunk'],
    ['unit 0 family inet address 198.51.100.1/30', undefined],
  ])('says what it is besides: %s', (line, note) => {
    const found = see(one, { [configLine]: `set interfaces ge-0/0/7 ${line}`, [stateLine]: up })
    if (note === undefined) expect(found.note).toBeUndefined()
    else expect(found.note).toContain(`ge-0/0/7 is ${note}`)
    expect(found.stop).toBeUndefined()
  })

  describe('that carries our own session', () => {
    const terse = (...rows: readonly string[]) =>
      `Interface               Admin Link Proto    Local                 Remote\n${rows.join('\n')}\n`
    const stopOf = (addresses: string, { config = '', address = '192.0.2.1', of = one } = {}) =>
      foundFor(
        observed(
          juniper_junos,
          [of],
          {
            [configLine]: config,
            [more(`show interfaces ${of.port}`)]:
              of === one
                ? up
                : 'Logical interface ge-0/0/7.100 (Index 1)\n    Flags: Up SNMP-Traps',
            [more('show interfaces terse')]: addresses,
          },
          openedTo(address),
        ),
        of,
      ).stop
    const onUnit = terse(
      'ge-0/0/7                up    up',
      'ge-0/0/7.100            up    up   inet     198.51.100.1/30',
      '                                            192.0.2.1/24',
      '                                   inet6    2001:db8::1/64',
      'lo0.0                   up    up   inet     192.0.2.9           --> 0/0',
    )

    it.each([
      ['by a unit', onUnit, {}],
      ['by IPv6', onUnit, { address: '2001:db8:0::1' }],
      ['as the unit itself', onUnit, { of: port('ge-0/0/7.100') }],
      [
        'in an aggregate',
        terse('ae3.0                   up    up   inet     192.0.2.1/30'),
        { config: 'set interfaces ge-0/0/7 gigether-options 802.3ad ae3' },
      ],
    ])('is not taken down: %s', (_, addresses, more) => {
      expect(stopOf(addresses, more)).toMatchObject({
        code: 'not_restorable',
        message: expect.stringMatching(/^our own session comes in by /) as string,
      })
    })

    it.each([
      ['several units', one, 'ambiguous'],
      ['one of them, which is named', port('ge-0/0/7.100'), undefined],
    ])('is not taken down with units of others on it: %s', (_, of, code) => {
      const config = [
        'set interfaces ge-0/0/7 flexible-vlan-tagging',
        'set interfaces ge-0/0/7 unit 100 vlan-id 100',
        'set interfaces ge-0/0/7 unit 100 family inet address 198.51.100.1/30',
        'set interfaces ge-0/0/7 unit 200 vlan-id 200',
      ].join('\n')
      const stop = stopOf(terse('xe-0/0/0.0  up up inet 192.0.2.1/30'), { config, of })
      expect(stop?.code).toBe(code)
      if (code === undefined) return
      expect(stop?.message).toBe(
        'ge-0/0/7 carries ge-0/0/7.100, ge-0/0/7.200, which would go down with it',
      )
    })

    it.each([
      ['another address', onUnit, { address: '192.0.2.10' }],
      ['a loopback', onUnit, { address: '192.0.2.9' }],
      ['the other end', terse('ge-0/0/7.0  up up inet 10.0.0.1 --> 192.0.2.1'), {}],
      ['another port', terse('ge-0/0/70.0             up    up   inet     192.0.2.1/30'), {}],
      [
        'another aggregate',
        terse('ae30.0                  up    up   inet     192.0.2.1/30'),
        { config: 'set interfaces ge-0/0/7 gigether-options 802.3ad ae3' },
      ],
    ])('is another one: %s', (_, addresses, more) => {
      expect(stopOf(addresses, more)).toBeUndefined()
    })

    it('is never guessed', () => {
      expect(() => stopOf('Interface table busy')).toThrow('was answered by something unknown')
    })
  })

  it('is not down by a deactivated `disable`', () => {
    const found = see(one, {
      [configLine]: mine,
      [stateLine]: up,
      [inactiveLine]: 'deactivate interfaces ge-0/0/7 disable',
    })
    expect(found).toMatchObject({ effect: 'other', inForce: 'no', stop: { code: 'not_prepared' } })
  })

  it.each([
    'Interface table busy',
    'Physical interface: ge-0/0/7, Resetting, Physical link is Down',
  ])('is never said to be off by "%s"', (answer) => {
    expect(() => see(one, { [configLine]: mine, [stateLine]: answer })).toThrow(
      /was answered by something unknown/,
    )
  })

  it.each([
    ['Up SNMP-Traps 0x4004000 Encapsulation: ENET2', 'no'],
    ['Down SNMP-Traps 0x4004000 Encapsulation: ENET2', 'yes'],
    ['Down Device-Down SNMP-Traps Encapsulation: ENET2', 'yes'],
    ['Device-Down SNMP-Traps 0x4004000 Encapsulation: ENET2', 'no'],
    ['Hardware-Down Device-Down SNMP-Traps Encapsulation: ENET2', 'no'],
  ])('that is a unit with the flags %s: %s', (flags, inForce) => {
    const unit = port('ge-0/0/7.100')
    const text = `  Logical interface ge-0/0/7.100 (Index 70) (SNMP ifIndex 512)\n    Flags: ${flags}\n`
    const shown = see(unit, { [more('show interfaces ge-0/0/7.100')]: text })
    expect(shown).toMatchObject({ inForce, effect: inForce === 'yes' ? 'same' : 'none' })
  })

  it('is never taken for off by flags that say nothing of it, or by another unit', () => {
    const unit = port('ge-0/0/7.100')
    const look = (name: string, flags: string) =>
      see(unit, {
        [more('show interfaces ge-0/0/7.100')]:
          `  Logical interface ${name} (Index 70)\n    Flags: ${flags}\n`,
      })
    expect(() => look('ge-0/0/7.100', 'SNMP-Traps')).toThrow(/unknown/)
    expect(() => look('ge-0/0/7.10', 'Down SNMP-Traps')).toThrow(/unknown/)
  })

  it('must exist', () => {
    const found = see(one, { [stateLine]: 'error: device ge-0/0/7 not found' })
    expect(found.stop?.code).toBe('no_such_object')
  })

  it('gives back its two lines and never the port', () => {
    const wrote = ['interfaces ge-0/0/7 disable', 'interfaces ge-0/0/7 apply-macro nullroute']
    const [rendering] = juniper_junos.render([{ kind: 'lift', intent: one, before: [], wrote }], {})
    expect(linesOf(rendering)).toMatchObject({
      apply: wrote.map((line) => `delete ${line}`),
      undo: wrote.map((line) => `set ${line}`),
    })
  })

  it('may be a unit', () => {
    const [rendering] = juniper_junos.render([{ kind: 'apply', intent: port('ge-0/0/7.100') }], {})
    expect(linesOf(rendering).apply[0]).toBe('set interfaces ge-0/0/7 unit 100 disable')
  })
})

describe('a neighbor on Junos', () => {
  const peer = neighbor('192.0.2.9', { message: 'Suspended ABUSE-2041' })
  const configLine = more('show configuration | display set | match "neighbor 192.0.2.9( |$)"')
  const stateLine = more('show bgp neighbor 192.0.2.9')
  const path = 'protocols bgp group CUSTOMERS neighbor 192.0.2.9'
  const base = `set ${path} peer-as 64501\n`
  const mine = `${base}set ${path} shutdown notify-message "Suspended ABUSE-2041"\nset ${path} shutdown apply-macro nullroute\n`
  const established =
    'Peer: 192.0.2.9+179 AS 64501   Local: 192.0.2.1+49228 AS 64500\n  Type: External    State: Established    Flags: <Sync>\n  Options: <Preference PeerAS Refresh>'
  const shut =
    'Peer: 192.0.2.9 AS 64501   Local: unspecified AS 64500\n  Type: External    State: Idle           Flags: <>\n  Options: <Preference PeerAS Refresh>\n  Options: <GracefulShutdownRcv Shutdown>'
  const look = (config: string, state: string, intent: Intent = peer) =>
    observed(juniper_junos, [intent], { [configLine]: config, [stateLine]: state })

  it.each([
    ['up', base, established, { object: [], effect: 'none', inForce: 'no' }],
    ['ours', mine, shut, { effect: 'same', mark: 'ours', inForce: 'yes' }],
    ['ours and still up', mine, established, { mark: 'ours', inForce: 'no' }],
    ['shut by hand', `${base}set ${path} shutdown`, shut, { effect: 'same', mark: 'none' }],
    [
      'shut by hand with words',
      `${base}set ${path} shutdown notify-message "ours too"`,
      shut,
      { effect: 'same', mark: 'none' },
    ],
    ['shut with its group', base, shut, { object: [], effect: 'same', inForce: 'yes' }],
    [
      'deactivated',
      `${base}deactivate ${path}`,
      '',
      { object: [`inactive ${path}`], effect: 'same' },
    ],
    ['a look-alike', base.replace('2.9', '2.90'), '', { stop: { code: 'no_such_object' } }],
    [
      'in two groups',
      `${base}set protocols bgp group OLD neighbor 192.0.2.9`,
      established,
      { stop: { code: 'ambiguous' } },
    ],
    [
      'of another instance',
      `set routing-instances CUST ${path}`,
      '',
      { stop: { code: 'no_such_object' } },
    ],
    ['inherited', `set groups G ${path}`, '', { stop: { code: 'no_such_object' } }],
  ])('%s', (_, config, state, expected) => {
    expect(foundFor(look(config, state), peer)).toMatchObject(expected)
  })

  it.each(['Active', 'Connect', 'Idle', 'Established'])(
    'is not shut by a deactivated shutdown, its session being %s',
    (state) => {
      const config = `${base}set ${path} shutdown apply-macro nullroute\ndeactivate ${path} shutdown`
      expect(foundFor(look(config, established.replace('Established', state)), peer)).toMatchObject(
        {
          effect: 'other',
          inForce: 'no',
          stop: { code: 'not_prepared' },
        },
      )
    },
  )

  it('is not said to be shut by the session of that address in another instance', () => {
    const other = neighbor('192.0.2.9', { vrf: 'CUST' })
    expect(foundFor(look(mine, shut, other), other)).toMatchObject({
      inForce: 'unknown',
      stop: { code: 'no_such_object' },
    })
  })

  it('is not shut where its group is deactivated', () => {
    const observation = observed(juniper_junos, [peer], {
      [configLine]: mine,
      [stateLine]: established.replace('Established', 'Active'),
      [inactiveLine]: 'deactivate protocols bgp group CUSTOMERS',
    })
    expect(foundFor(observation, peer)).toMatchObject({
      effect: 'other',
      inForce: 'no',
      stop: { code: 'not_prepared' },
    })
  })

  it('reads back what it writes', () => {
    const { facts } = look(base, established)
    const [rendering] = juniper_junos.render([{ kind: 'apply', intent: peer }], facts)
    const { apply, undo, wrote } = linesOf(rendering)
    expect(apply).toEqual(mine.trim().split('\n').slice(1))
    expect(undo).toEqual([`delete ${path} shutdown`])
    expect(foundFor(look(base + apply.join('\n'), shut), peer).object).toEqual(wrote)
  })

  it('of one word is the same with and without quotes', () => {
    const word = neighbor('192.0.2.9', { message: 'ABUSE-1' })
    const { wrote } = linesOf(
      juniper_junos.render([{ kind: 'apply', intent: word }], look(base, '').facts)[0],
    )
    for (const printed of ['ABUSE-1', '"ABUSE-1"']) {
      const text = `${base}set ${path} shutdown apply-macro nullroute\nset ${path} shutdown notify-message ${printed}`
      expect(foundFor(look(text, shut, word), word).object).toEqual(wrote)
    }
  })

  it('changes its message in place', () => {
    const intent = neighbor('192.0.2.9', { message: 'Other words' })
    const facts = look(base, '').facts
    const from = foundFor(look(mine, shut), peer).object
    const [rendering] = juniper_junos.render([{ kind: 'modify', intent, from }], facts)
    expect(linesOf(rendering)).toMatchObject({
      apply: [`set ${path} shutdown notify-message "Other words"`],
      undo: [`set ${path} shutdown notify-message "Suspended ABUSE-2041"`],
    })
  })

  it('is deactivated before 19.1, and the plan says so', () => {
    const facts = { ...look(base, '').facts, version: '18.4R2.7' }
    const [rendering] = juniper_junos.render([{ kind: 'apply', intent: peer }], facts)
    expect(linesOf(rendering)).toMatchObject({
      apply: [`deactivate ${path}`],
      undo: [`activate ${path}`],
      note: expect.stringContaining('deactivated'),
    })
    const [lift] = juniper_junos.render(
      [{ kind: 'lift', intent: peer, before: [], wrote: linesOf(rendering).wrote }],
      facts,
    )
    expect(linesOf(lift).apply).toEqual([`activate ${path}`])
  })

  it('of an unknown group is for plans only', () => {
    const [rendering] = juniper_junos.render([{ kind: 'apply', intent: peer }], {})
    expect(rendering).toMatchObject({ apply: [{ unresolved: true }, { unresolved: true }] })
  })
})

describe('what is marked on Junos and nobody asked for', () => {
  it('is found in every place that we write to, and nowhere else', () => {
    const marks = [
      'set routing-options static route 203.0.113.9/32 apply-macro nullroute',
      'set routing-options rib inet6.0 static route 2001:db8::/48 apply-macro nullroute',
      'set routing-instances CUST routing-options static route 203.0.113.9/32 apply-macro nullroute',
      'set interfaces ge-0/0/7 apply-macro nullroute',
      'set interfaces ge-0/0/8 unit 100 apply-macro nullroute',
      'set protocols bgp group G neighbor 192.0.2.9 shutdown apply-macro nullroute',
      'set system apply-macro nullroute',
      'set routing-options static route 203.0.113.8/32 apply-macro nullroute-old',
    ]
    const list =
      'set policy-options prefix-list nullroute-v4 192.0.2.255/32\nset policy-options prefix-list nullroute-v4 203.0.113.7/32'
    const { marked } = observed(juniper_junos, [], {
      [marksLine]: marks.join('\n'),
      [listLine]: list,
    })
    expect(marked.map(({ key }) => key)).toEqual([
      'blackhole|default|203.0.113.9/32',
      'blackhole|default|2001:db8::/48',
      'blackhole|CUST|203.0.113.9/32',
      'port|ge-0/0/7',
      'port|ge-0/0/8.100',
      'neighbor|default|192.0.2.9',
      'acl|in|203.0.113.7/32',
    ])
  })
})

describe('what stops every change on Junos', () => {
  const pendingBy = (comment: string) =>
    `0   2026-11-24 10:02:11 UTC by x via cli commit confirmed, rollback in 5mins\n${comment}    rollback pending`
  const stop = (text: string) => observed(juniper_junos, [], { [commitLine]: text }).stop?.code

  it('is a pending commit of somebody else, not our own', () => {
    expect(stop(pendingBy(''))).toBe('timer_pending')
    expect(stop(pendingBy('    my change\n'))).toBe('timer_pending')
    expect(stop(pendingBy('    nullroute 7f3a91c2\n'))).toBeUndefined()
    expect(
      stop(
        '0   2026-11-20 08:11:02 UTC by ops via cli\n1   2026-11-19 08:11:02 UTC by ops via cli\n',
      ),
    ).toBeUndefined()
  })
})
