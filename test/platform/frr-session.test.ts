// How vtysh talks: recordings of whole sessions, read one byte at a time.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { enter, free, inside, type Line, type OpenState } from '../../agent/platform.ts'
import { frr } from '../../agent/platforms/frr/frr.ts'

const read = (name: string) =>
  readFileSync(new URL(`../fixtures/frr/${name}.txt`, import.meta.url), 'utf8').replaceAll('\r', '')
const seen = (host: string) => ({ host, nonce: '00000000', facts: {} })

/** A recording as (context, line, answer), found only by the prompts that the driver sees in it. */
function exchanges(text: string, host: string) {
  const prompt = frr.prompt(seen(host))
  const found: { context: string; start: number; end: number }[] = []
  for (let end = 1; end <= text.length; end++) {
    if (!text.slice(0, end).endsWith('# ')) continue
    const one = prompt(text.slice(0, end))
    if (one !== undefined) found.push({ context: one.context, start: one.start, end })
  }
  return found.map(({ context, end }, i) => {
    const rest = text.slice(end, found[i + 1]?.start ?? text.length)
    const [line = '', ...answer] = rest.split('\n')
    return { context, line, answer: answer.join('\n') }
  })
}

/** Lines of a recording that the driver takes for refused. */
function refusals(text: string, host: string) {
  return exchanges(text, host)
    .filter(({ context, line, answer }) => frr.failed(inside(line, context), answer, undefined))
    .map(({ line }) => line)
}

describe('prompts of vtysh', () => {
  it('are seen in a whole session, one by one, each with its context', () => {
    const contexts = exchanges(read('session_enforce_and_release_raw'), 'edge')
      .map(({ context, line }) => `${context}: ${line}`)
      .filter((text) => !text.includes(': show'))
    expect(contexts).toEqual([
      'exec: terminal length 0',
      'exec: configure terminal',
      'config: ip route 203.0.113.9/32 blackhole tag 666',
      'config: ipv6 route 2001:db8:e57::/48 blackhole tag 666',
      'config: interface c0',
      'config-if: shutdown',
      'config-if: exit',
      'config: router bgp 64500',
      'config-router: neighbor 10.50.2.2 shutdown message CASE-4711 abuse, contact noc@example.net',
      'config-router: end',
      'exec: write memory',
      'exec: configure terminal',
      'config: router bgp 64500',
      'config-router: no neighbor 10.50.2.2 shutdown',
      'config-router: exit',
      'config: interface c0',
      'config-if: no shutdown',
      'config-if: exit',
      'config: no ipv6 route 2001:db8:e57::/48 blackhole tag 666',
      'config: no ip route 203.0.113.9/32 blackhole tag 666',
      'config: end',
      'exec: write memory',
      'exec: exit',
    ])
  })

  it('are seen behind the list of a batch that was thrown away, where no line end stands before them', () => {
    const list = exchanges(read('session_xfrr_batch_rejected_raw'), 'edge')
    const thrown = list.find(({ answer }) => answer.includes('grouped into the same transaction'))
    expect(thrown?.line).toBe('XFRR_end_configuration')
    expect(thrown?.answer).toMatch(/- ip route 203\.0\.113\.103\/32 blackhole tag 666$/)
    expect(list[list.indexOf(thrown!) + 1]).toMatchObject({
      context: 'config',
      line: 'do show running-config | include ^ip',
    })
  })

  it.each([
    'vm# ',
    'edge1# ',
    'myedge# ',
    ' neighbor 192.0.2.1 description edge# ',
    ' description to edge(config)# ',
    'edge# show',
    'edge(config)#',
    'edge#\n',
    'edge(standby)# ',
    'banner motd line edge# ',
    '- ip route 203.0.113.1/32 blackhole edge# ',
  ])('%j is none of edge', (text) => {
    expect(frr.prompt(seen('edge'))(`line\n${text}`)).toBeUndefined()
  })

  it('takes a dot in the host name for a dot', () => {
    const prompt = frr.prompt(seen('edge1.ams'))
    expect(prompt('edge1.ams# ')?.context).toBe('exec')
    expect(prompt('edge1xams# ')).toBeUndefined()
  })
})

describe('what vtysh refuses', () => {
  it('is known with and without a percent sign, and by warnings that mean no effect', () => {
    expect(refusals(read('session_refusals_and_context_fallback_raw'), 'edge')).toEqual([
      'router bgp 64999',
      'neighbor 10.50.2.2 shutdown',
      'neighbor 10.50.2.2 shutdown message NR case',
      'neighbor 10.50.2.99 shutdown message NR case',
      'ip route 203.0.113.67/32 blackhole tag 666',
      // Not the removal of a route that is not there: it is gone, as it should be.
      'ip route 203.0.113.9/32 blackhole tag 666 vrf nosuchvrf',
    ])
  })

  it('is nothing in a session where all went well', () => {
    expect(refusals(read('session_enforce_and_release_raw'), 'edge')).toEqual([])
  })

  it.each([
    [
      'session_file_lock_held_by_other_v10_3_raw',
      'edge10',
      'ip route 203.0.113.121/32 blackhole tag 666',
    ],
    ['session_xfrr_without_lock_v10_3_raw', 'edge10', 'router bgp 64999'],
  ])('%s: 10.3 refuses too', (name, host, line) => {
    expect(refusals(read(name), host)).toContain(line)
  })

  it('is a save without rights, though its answer ends without a word of success or not', () => {
    expect(refusals(read('session_write_memory_denied_raw'), 'edge')).toEqual(['write memory'])
  })

  it.each([
    ['show running-config', 'hostname edge\n neighbor A description 100% sure\nend'],
    ['show ip route 203.0.113.9/32 json', '{}'],
    ['write memory', 'Note: this version of vtysh never writes vtysh.conf\n[OK]'],
    ['no ip route 203.0.113.9/32 blackhole', '% Refusing to remove a non-existent route'],
    ['end', ''],
  ])('is not: %s', (line, answer) => {
    expect(frr.failed(free(line, 'exec'), answer, undefined)).toBeUndefined()
  })

  it('does not forgive a line that adds, whatever the words', () => {
    const line = free('ip route 203.0.113.9/32 blackhole tag 666', 'config')
    expect(frr.failed(line, '% Refusing to remove a non-existent route', undefined)).toBeDefined()
  })

  const recorded = exchanges(read('session_enforce_and_release_raw'), 'edge')
    .filter(({ line }) => line === 'write memory')
    .map(({ answer }) => answer)

  it.each([
    ...recorded.map((answer) => [answer, true] as const),
    ['Configuration saved to /etc/frr/staticd.conf\n', true],
    ['Building Configuration...\n[OK]', false],
    ['No Configuration saved to anything', false],
  ] as const)('a save is believed only with the line that names the file: %j', (answer, saved) => {
    const [line] = frr.save?.lines([], {}) ?? []
    expect(line?.expect?.test(answer)).toBe(saved)
  })
})

describe('opening a session with vtysh', () => {
  const at = (text: string, stage = 'start', host = ''): OpenState => ({
    stage,
    text,
    nonce: '00000000',
    facts: {},
    host,
  })
  const greeting = read('session_enforce_and_release_raw').split('terminal length 0')[0] ?? ''

  it('waits for the greeting and the prompt, whatever the chunks', () => {
    const first = greeting.length
    for (let end = 0; end < first; end++) {
      expect(frr.open(at(greeting.slice(0, end)))).toBeUndefined()
    }
    expect(frr.open(at(greeting))).toEqual({
      do: 'send',
      text: 'no terminal paginate',
      next: 'paginate',
      host: 'edge',
      facts: { version: '8.4.4', files: 'readable' },
    })
  })

  it('switches the pager off before anything else can be paged, then rests in exec', () => {
    const paged = at('no terminal paginate\nedge# ', 'paginate', 'edge')
    expect(frr.open(paged)).toMatchObject({ do: 'send', text: 'terminal length 0' })
    const length = at('terminal length 0\nedge# ', 'length', 'edge')
    expect(frr.open(length)).toEqual({ do: 'ready', context: 'exec' })
  })

  it('notes that an account can not save, and goes on', () => {
    const text = read('session_user_without_group_frr_raw').split('show version')[0] ?? ''
    expect(frr.open(at(text))).toMatchObject({ host: 'vm', facts: { files: 'unreadable' } })
  })

  it('refuses an account that no daemon lets in', () => {
    const text = read('session_user_without_groups_raw')
    expect(frr.open(at(text))).toMatchObject({ do: 'refuse', code: 'no_privilege' })
  })

  it('refuses a prompt without the greeting of FRRouting', () => {
    expect(frr.open(at('\nWelcome\nrouter1# '))).toMatchObject({
      do: 'refuse',
      code: 'wrong_platform',
    })
  })

  it('goes from a login shell into vtysh', () => {
    expect(frr.open(at('Last login: today\nroot@edge:~# '))).toMatchObject({ text: 'exec vtysh' })
    expect(frr.open(at('exec vtysh\n', 'vtysh'))).toBeUndefined()
  })
})

describe('lines of the transaction', () => {
  it('into the configuration and back are safe to send ahead', () => {
    const lines: readonly Line[] =
      frr.transaction.kind === 'line' ? [...frr.transaction.enter, ...frr.transaction.leave] : []
    expect(lines).toMatchObject([
      { ...enter('configure terminal', 'exec', 'config'), free: true },
      { ...enter('end', 'config', 'exec'), free: true },
    ])
  })
})
