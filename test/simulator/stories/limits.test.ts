import { afterEach, describe, expect, it } from 'vitest'
import { neverCut } from '../../../inventory/never-cut.ts'
import { accessSwitch, edge, routesOnly, trigger, village } from './networks.ts'
import { block, type Problem, type Story, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

/** A network whose own addresses lie where a customer lives. */
const tangled = {
  devices: [
    { ...trigger, says: 'loopbacks: [198.51.100.1], nextHops: [198.51.100.9]' },
    {
      ...edge,
      says: 'gateways: [203.0.113.1, "2001:db8:e57::1"], neighbors: [{ address: 203.0.113.20, what: transit }], uplinks: [eth9]',
    },
    { ...accessSwitch, says: 'uplinks: [p2]' },
  ],
  customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/26, "2001:db8:e57::/48", 198.51.100.0/25]
    ports: [{ device: sw1, interface: p1 }]
    neighbors: [{ device: edge1, address: 203.0.113.66 }]
  other:
    name: Other
    prefixes: [203.0.113.64/26, "127.0.0.0/24", "fd00::/32"]`,
  more: `protected: [{ prefix: 203.0.113.32/30, why: exchange }]
controller: { addresses: [203.0.113.40, "2001:db8:e57::40"] }
discardNextHops: [203.0.113.50]
limits: { maxPrefix: { ipv4: 28, ipv6: 56 }, perDecision: { ipv4Addresses: 16 }, perHour: { decisions: 200 } }`,
}

const port = (device: string, name: string) => ({
  ...block(''),
  subject: { port: { device, interface: name } },
})
const neighbor = (device: string, address: string) => ({
  ...block(''),
  subject: { neighbor: { device, address } },
})

async function refused(decision: object, as = 'admin'): Promise<Problem> {
  const { status, body } = await story.call<Problem>('POST', '/v1/enforcements', decision, { as })
  expect([403, 422]).toContain(status)
  return body
}

const sent = () => story.simulator.devices.flatMap((device) => device.journal.lines())

describe('each guard', () => {
  it('refuses with its name and what it hit, and nothing is sent', async () => {
    story = await startStory(tangled)
    await story.token('desk', ['abuse'])
    const cases: readonly (readonly [decision: object, code: string, says: string])[] = [
      [block('203.0.113.1'), 'guard_refused', 'never_cut: .*203.0.113.1 \\(gateway of edge1'],
      [block('203.0.113.32/30'), 'guard_refused', 'protected_space: .*exchange'],
      [block('203.0.113.33'), 'guard_refused', 'protected_space: '],
      [block('2001:db8:e57:8000::/49'), 'guard_refused', 'prefix_length: .*IPv6 /56'],
      [block('198.51.100.0/28'), 'accepted', ''],
      [block('203.0.113.0/26'), 'guard_refused', 'decision_budget: .*56 of 16'],
      [block('203.0.113.0/25'), 'not_one_customer', 'esthost, customer other'],
      [block('203.0.112.0/24'), 'not_one_customer', 'nobody'],
      [block('0.0.0.0/0'), 'not_one_customer', ''],
      [block('::/0'), 'not_one_customer', ''],
      [block('203.0.113.60/29'), 'invalid_request', 'host bits'],
      [port('sw1', 'p9'), 'not_one_customer', 'nobody'],
      [port('sw1', 'p2'), 'not_one_customer', 'uplink'],
      [neighbor('edge1', '192.0.2.99'), 'not_one_customer', 'nobody'],
      [neighbor('edge1', '203.0.113.20'), 'not_one_customer', 'transit'],
    ]
    await story.call('POST', '/v1/freeze', { reason: 'nothing may be sent' })
    for (const [decision, code, says] of cases) {
      const { body } = await story.call<Partial<Problem>>('POST', '/v1/enforcements', decision)
      expect({ decision, code: body.code ?? 'accepted' }).toEqual({ decision, code })
      if (says !== '') expect(body.detail).toMatch(new RegExp(says))
    }
    const refusals = story.records({ type: 'decision.refused' })
    expect(refusals.length).toBeGreaterThanOrEqual(cases.length - 2)
    // Found by whose it was: what was refused for a customer's own space, and not what is nobody's or of several.
    const { body: ofCustomer } = await story.call<{ readonly items: readonly { data: object }[] }>(
      'GET',
      '/v1/audit?customer=esthost&action=decision.refused',
    )
    expect(ofCustomer.items.length).toBeGreaterThan(0)
    expect(ofCustomer.items.length).toBeLessThan(refusals.length)
    // With what the guard hit, for who may read it: only the log knows later what the inventory said.
    expect(ofCustomer.items.map(({ data }) => data)).toContainEqual(
      expect.objectContaining({
        guard: 'never_cut',
        hit: [expect.stringMatching(/^203\.0\.113\.1 \(gateway of edge1/)],
      }),
    )
    expect(sent().filter((line) => /^(conf|ip route|ip link set)/.test(line))).toEqual([])
  })

  it('is passed by an override of an admin with a reason, and by nobody else', async () => {
    story = await startStory(tangled)
    await story.token('desk', ['abuse'])
    const override = [{ guard: 'decision_budget', reason: 'the court says so' }]
    const wide = block('203.0.113.16/28', { override })
    const tooWide = block('198.51.100.64/26', {
      override: [...override, { guard: 'prefix_length', reason: 'the court says so' }],
    })
    expect((await refused(wide, 'desk')).code).toBe('override_not_allowed')
    const accepted = await story.decide(tooWide)
    await story.reaches(accepted.id, 'enforced')
    const vital = block('203.0.113.1', { override: [{ guard: 'never_cut', reason: 'no' }] })
    expect(await refused(vital)).toMatchObject({ code: 'override_not_allowed' })
  })
})

describe('what must never be cut', () => {
  it('is refused address by address, and carved out of what is around it', async () => {
    story = await startStory(tangled)
    const inventory = story.running.controller.inventory()
    const lookup = (address: string) =>
      story.call<{ neverCut: string[]; customer?: { id: string } }>(
        'GET',
        `/v1/lookup?ip=${address}`,
      )
    const vital = neverCut(inventory, [])
    expect(vital.length).toBeGreaterThan(9)
    for (const { address, why } of vital) {
      const problem = await refused(block(address))
      expect(problem.detail).toContain(address)
      expect((await lookup(address)).body.neverCut.join()).toContain(why)
    }
    await story.decide(block('203.0.113.0/28'))
    await story.quiet()
    const { running } = story.device('trigger1')
    const cut = [...running.matchAll(/^ip route (\S+) blackhole tag 666$/gm)].map(
      ([, prefix]) => prefix,
    )
    expect(cut).toEqual(['203.0.113.0/32', '203.0.113.2/31', '203.0.113.4/30', '203.0.113.8/29'])
    expect(sent().join('\n')).not.toContain('203.0.113.1/32 ')
  })
})

describe('the budget of an hour', () => {
  const tight = {
    ...village,
    more: 'limits: { perHour: { decisions: 2 } }',
    playbooks: { block: routesOnly('block') },
  }

  it('is passed by as many as it allows, however many ask at once', async () => {
    story = await startStory(tight)
    const hosts = [0, 2, 3, 64, 65, 66].map((host) => block(`203.0.113.${host}`))
    const answers = await Promise.all(
      hosts.map((one) => story.call<Problem>('POST', '/v1/enforcements', one)),
    )
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(2)
    const others = answers.filter(({ status }) => status === 422)
    expect(others).toHaveLength(4)
    for (const { body } of others) expect(body.detail).toMatch(/^hour_budget: .*decisions: 3 of 2/)
  })

  it('comes back with the hour, and counts what is put off', async () => {
    story = await startStory(tight)
    const first = await story.decide(block('203.0.113.2'))
    const path = `/v1/enforcements/${first.id}/extend`
    const later = () => new Date(story.clock.now().getTime() + 86_400_000).toISOString()
    expect((await story.call('POST', path, { expiresAt: later(), reason: 'x' })).status).toBe(202)
    expect((await refused(block('203.0.113.3'))).detail).toContain('hour_budget')
    story.clock.travel(61 * 60_000)
    await story.decide(block('203.0.113.3'))
  })
})

describe('the same request again', () => {
  it('answers as before by its key, says when it is another, and suspects a double click', async () => {
    story = await startStory({
      ...village,
      playbooks: { block: routesOnly('block'), suspend: routesOnly('suspend') },
    })
    const path = '/v1/enforcements'
    const [one, two] = await Promise.all([
      story.call('POST', path, suspend('esthost'), { key: 'k1' }),
      story.call('POST', path, suspend('esthost'), { key: 'k1' }),
    ])
    expect(one.body.id).toBe(two.body.id)
    const replayed = [one, two].map(({ headers }) => headers.get('idempotent-replayed'))
    expect(new Set(replayed)).toEqual(new Set([null, 'true']))
    const other = await story.call<Problem>('POST', path, suspend('rovernet'), { key: 'k1' })
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } })
    await story.decide(block('203.0.113.2'))
    const double = await story.call<Problem>('POST', path, block('203.0.113.2'))
    expect(double).toMatchObject({ status: 409, body: { code: 'duplicate_suspected' } })
    story.clock.travel(61_000)
    await story.decide(block('203.0.113.2'))
    expect(story.records({ type: 'enforcement.requested' })).toHaveLength(3)
  })

  it('releases once, whoever asks twice', async () => {
    story = await startStory({ ...village, playbooks: { block: routesOnly('block') } })
    const { id } = await story.decide(block('203.0.113.2'))
    await story.reaches(id, 'enforced')
    await Promise.all([story.release(id), story.release(id), story.release(id)])
    await story.reaches(id, 'released')
    await story.release(id)
    expect(story.records({ type: 'enforcement.release_requested' })).toHaveLength(1)
  })
})

describe('a look-up of an address', () => {
  it('names what is in force on it: also the port and the session of whose it is, and no other prefix of theirs', async () => {
    story = await startStory(tangled)
    const shut = await story.decide(port('sw1', 'p1'))
    const parted = await story.decide(neighbor('edge1', '203.0.113.66'))
    const discarded = await story.decide(block('198.51.100.0/28'))
    const inForce = async (ip: string): Promise<readonly string[]> => {
      const { body } = await story.call<{ readonly enforcements: readonly { id: string }[] }>(
        'GET',
        `/v1/lookup?ip=${ip}`,
      )
      return body.enforcements.map(({ id }) => id)
    }

    expect(await inForce('203.0.113.20')).toEqual([shut.id, parted.id])
    expect(await inForce('198.51.100.2')).toEqual([shut.id, parted.id, discarded.id])
    expect(await inForce('203.0.113.66')).toEqual([parted.id])
    expect(await inForce('203.0.113.70')).toEqual([])
  })
})
