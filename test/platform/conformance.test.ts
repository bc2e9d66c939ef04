// One table over all platforms: what a platform must keep, whatever its syntax. Pure; over real SSH it is conformance-ssh.test.ts.

import { describe, expect, it } from 'vitest'
import type { Intent } from '../../agent/intents.ts'
import { keyOf } from '../../agent/intents.ts'
import {
  type Change,
  type Facts,
  groupFact,
  type Line,
  type Platform,
  type Rendering,
  timerOf,
} from '../../agent/platform.ts'
import { platforms } from '../../agent/platforms/index.ts'
import { familyOf } from '../../inventory/prefix.ts'
import { acl, blackhole, entering, neighbor, port, token, walk } from './conformance-kit.ts'

/** A port's name as each system has it; the others have names of one kind only. */
const portNames: Readonly<Record<string, string>> = {
  cisco_ios: 'GigabitEthernet1/0/7',
  juniper_junos: 'ge-0/0/7',
}

function intentsFor(platform: Platform): readonly Intent[] {
  return [
    blackhole('203.0.113.9/32'),
    blackhole('203.0.113.64/26'),
    blackhole('2001:db8:e57::/48'),
    blackhole('2001:db8::9/128'),
    blackhole('203.0.113.9/32', { vrf: 'CUST' }),
    blackhole('2001:db8:e57::/48', { vrf: 'CUST' }),
    acl('203.0.113.9/32', 'in'),
    acl('203.0.113.64/26', 'out'),
    acl('2001:db8:e57::/48', 'in'),
    acl('2001:db8:e57::/48', 'out'),
    port(portNames[platform.name] ?? 'swp7'),
    neighbor('192.0.2.9'),
    neighbor('2001:db8::9'),
    neighbor('192.0.2.9', { vrf: 'CUST' }),
    neighbor('2001:db8::9', { vrf: 'CUST' }),
  ]
}

/** All that a device could say. */
function factsFor(intents: readonly Intent[]): Facts {
  const facts: Record<string, string> = { asn: '64500', root: 'yes', 'table|CUST': '100' }
  for (const intent of intents) {
    if (intent.kind === 'neighbor') facts[groupFact(intent.vrf, intent.peer)] = 'CUSTOMERS'
  }
  return facts
}

const all = [...platforms.values()]
const table = all.flatMap((platform) =>
  intentsFor(platform).map((intent) => ({
    name: platform.name,
    key: keyOf(intent),
    platform,
    intent,
  })),
)

/** The context that renderings begin and end in. */
function baseOf(platform: Platform): string {
  return entering(platform).at(-1)?.opens ?? platform.rest
}

function render(platform: Platform, change: Change, facts: Facts = {}): Rendering {
  const [rendering, ...more] = platform.render([change], facts)
  if (rendering === undefined || more.length > 0) throw new TypeError('not one rendering')
  return rendering
}

/** Words that take away more than what is meant, on whichever system. */
const forbidden =
  /\?|\t|\bdefault interface\b|\bno router bgp\b|\bno (?:ip|ipv6) access-list\b|\bno object-group\b|\bno neighbor \S+$|\bclear \b|\breload\b|\breboot\b|\bconfigure replace\b|\bflush\b|\bdelete$|\bdelete (?:routing-options static|interfaces \S+|protocols bgp group \S+|policy-options prefix-list \S+)$|\bset protocols bgp(?: group \S+)? shutdown\b|^no ip route \S+ \S+$|\brm\b/

/** What of an intent must be named in what changes it. */
function namesOf(intent: Intent): readonly string[] {
  switch (intent.kind) {
    case 'blackhole':
    case 'acl':
      return [intent.prefix.slice(0, intent.prefix.indexOf('/'))]
    case 'port':
      return [intent.port]
    case 'neighbor':
      return [intent.peer]
  }
}

function problemsOfLines(
  platform: Platform,
  lines: readonly Line[],
  { intent, isOffline }: { readonly intent: Intent; readonly isOffline: boolean },
): readonly string[] {
  const problems: string[] = []
  const base = baseOf(platform)
  try {
    const end = walk(lines, base)
    if (end !== base) problems.push(`ends in ${end}, not in ${base}`)
  } catch (error) {
    problems.push(String(error))
  }
  for (const line of lines) {
    if (forbidden.test(line.text)) problems.push(`forbidden: ${line.text}`)
    if (line.free && line.opens !== undefined) problems.push(`free and opens: ${line.text}`)
    const hole = /<[a-z]+>/.test(line.text)
    if (hole !== (line.unresolved === true)) problems.push(`not marked right: ${line.text}`)
    if (hole && !isOffline) problems.push(`a placeholder though all is known: ${line.text}`)
  }
  const text = lines.map((line) => line.text.toLowerCase()).join('\n')
  for (const name of namesOf(intent)) {
    if (!text.includes(name.toLowerCase())) problems.push(`never names ${name}: ${text}`)
  }
  return problems
}

function problemsOf(
  platform: Platform,
  rendering: Rendering,
  given: { readonly intent: Intent; readonly isOffline: boolean },
): readonly string[] {
  switch (rendering.kind) {
    case 'unsupported':
      return rendering.reason.length > 20 ? [] : ['no reason']
    case 'refused':
      return [`refused without a device: ${rendering.stop.message}`]
    case 'lines':
      return [
        ...(rendering.apply.length === 0 ? ['nothing to send'] : []),
        ...(rendering.wrote.length === 0 ? ['writes nothing'] : []),
        ...problemsOfLines(platform, rendering.apply, given),
        ...problemsOfLines(platform, rendering.undo, given),
      ]
  }
}

describe.each(table)('$name: $key', ({ platform, intent }) => {
  it('is rendered with what the device said, or refused with a reason', () => {
    const facts = factsFor([intent])
    const rendering = render(platform, { kind: 'apply', intent }, facts)
    expect(problemsOf(platform, rendering, { intent, isOffline: false })).toEqual([])
  })

  it('is rendered for a plan without a device, what is unknown marked', () => {
    const rendering = render(platform, { kind: 'apply', intent })
    expect(problemsOf(platform, rendering, { intent, isOffline: true })).toEqual([])
  })

  it('is declared a limit where it can not be expressed', () => {
    const rendering = render(platform, { kind: 'apply', intent }, factsFor([intent]))
    const limits = platform.limits.filter(({ kind }) => kind === intent.kind)
    expect(rendering.kind === 'unsupported' ? limits.length : 1).toBeGreaterThan(0)
  })

  it('is taken back to nothing, by lines that its undo is made of', () => {
    const facts = factsFor([intent])
    const rendering = render(platform, { kind: 'apply', intent }, facts)
    if (rendering.kind !== 'lines') return expect(rendering.kind).toBe('unsupported')
    const { wrote, undo } = rendering
    const lift = render(platform, { kind: 'lift', intent, before: [], wrote }, facts)
    expect(lift).toMatchObject({ kind: 'lines', wrote: [] })
    if (lift.kind !== 'lines') return
    expect(problemsOfLines(platform, lift.apply, { intent, isOffline: false })).toEqual([])
    expect(lift.apply.map(({ text }) => text)).toEqual(undo.map(({ text }) => text))
    expect(lift.undo.map(({ text }) => text)).toEqual(rendering.apply.map(({ text }) => text))
  })

  it('is read by lines that change nothing, where sessions rest', () => {
    const reads = platform.observe([intent], { host: 'edge1', nonce: '00000000', facts: {} })
    expect(new Set(reads.map(({ what }) => what)).size).toBe(reads.length)
    for (const { line } of reads) {
      expect(line).toMatchObject({ needs: platform.rest, free: true })
      expect(line.opens).toBeUndefined()
      expect(line.unresolved).toBeUndefined()
      expect(line.text).not.toMatch(/[?\t]|^(?:configure|set|no|write|commit|edit) /)
      expect(line.text.trimEnd()).toBe(line.text)
    }
  })

  it('is found or missing after any reading, and nothing is made of silence', () => {
    const seen = { host: 'edge1', nonce: '00000000', facts: {} }
    const reads = platform.observe([intent], seen)
    const silent = new Map(reads.map(({ what, line }) => [what, { line, text: '' }]))
    let present: string
    try {
      const found = platform.parse(silent, [intent], seen).found.get(keyOf(intent))
      present = found === undefined ? 'left out' : found.object.length === 0 ? 'absent' : 'present'
    } catch (error) {
      present = (error as { code?: string }).code ?? String(error)
    }
    expect(['absent', 'unknown_output']).toContain(present)
  })
})

describe.each(all)('$name', (platform) => {
  it('says what it was written from, what it can not do, and what it needs', () => {
    expect(platform.source.length).toBeGreaterThan(40)
    expect(platform.prepare([]).trim().length).toBeGreaterThan(40)
    for (const { reason } of platform.limits) expect(reason.length).toBeGreaterThan(20)
    expect(platform.name).toBe([...platforms].find(([, one]) => one === platform)?.[0])
  })

  it('enters from rest and leaves to rest', () => {
    const { transaction } = platform
    const base = walk(entering(platform), platform.rest)
    if (transaction.kind === 'line') {
      expect(walk(transaction.leave, base)).toBe(platform.rest)
      return
    }
    const { diff, check, commit, leave, abort } = transaction
    expect(walk(abort, base)).toBe(platform.rest)
    expect(walk(check === undefined ? [diff] : [diff, check], base)).toBe(base)
    if (commit !== undefined) expect(walk([commit, ...leave], base)).toBe(platform.rest)
  })

  it('has a way to commit on every device, whatever the inventory says of its timer', () => {
    const { transaction } = platform
    if (transaction.kind === 'line') {
      expect(timerOf(platform, { deviceTimer: true })).toBeUndefined()
      return
    }
    const allowed = timerOf(platform, { deviceTimer: false })
    expect(allowed ?? transaction.commit).toBeDefined()
    expect(allowed?.undoes ?? 'commit').toBe('commit')
    expect(timerOf(platform, { deviceTimer: true })).toBe(transaction.timer)
  })

  it('commits with its timer under a token, and confirms or takes back from the same context', () => {
    const timer = timerOf(platform, { deviceTimer: true })
    const base = baseOf(platform)
    expect(timer?.commit(token).text ?? token).toContain(token)
    if (timer === undefined || platform.transaction.kind === 'line') return
    const { leave } = platform.transaction
    expect(walk([timer.commit(token), ...leave], base)).toBe(platform.rest)
    expect(walk([timer.look], platform.rest)).toBe(platform.rest)
    for (const lines of [
      [timer.lookInside],
      timer.confirm,
      timer.confirmHarder(token),
      timer.cancel,
    ]) {
      expect(walk(lines, base)).toBe(base)
    }
  })

  it('renders the same lines each time, one rendering for each change, in order', () => {
    const changes = intentsFor(platform).map((intent) => ({ kind: 'apply', intent }) as const)
    const facts = factsFor(intentsFor(platform))
    const renderings = platform.render(changes, facts)
    expect(renderings.length).toBe(changes.length)
    expect(platform.render(changes, facts)).toEqual(renderings)
  })

  it('takes silence for no refusal, but of what must answer', () => {
    for (const intent of intentsFor(platform)) {
      const rendering = render(platform, { kind: 'apply', intent }, factsFor([intent]))
      const lines = rendering.kind === 'lines' ? rendering.apply : []
      for (const line of lines) expect(platform.failed(line, '', 0)).toBeUndefined()
    }
    expect(platform.failed({ text: 'x', needs: platform.rest, free: true }, '', 0)).toBeUndefined()
  })

  it('finds no prompt in nothing, and none in a line that goes on', () => {
    const seen = { host: 'edge1', nonce: '1a2b3c4d', facts: {} }
    const prompt = platform.prompt(seen)
    for (const text of ['', '\n', 'edge1', 'some text', 'edge1# text']) {
      expect(prompt(text)).toBeUndefined()
    }
  })

  it('keeps a family apart from the other', () => {
    const families = intentsFor(platform)
      .filter((intent) => intent.kind === 'blackhole')
      .map((intent) => familyOf(intent.prefix))
    expect(new Set(families)).toEqual(new Set([4, 6]))
  })

  it('reads the whole configuration without changing it', () => {
    expect(platform.configuration.length).toBeGreaterThan(0)
    for (const { line } of platform.configuration) {
      expect(line).toMatchObject({ needs: platform.rest, free: true })
    }
    const text = (one: string): string =>
      platform.canonical(
        new Map(platform.configuration.map(({ what, line }) => [what, { line, text: one }])),
      )
    expect(text('')).toBe(text('\n'))
  })
})
