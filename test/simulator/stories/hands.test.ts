import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceView } from '../../../controller/api/schema.ts'
import { accessSwitch, customers, edge, trigger, village } from './networks.ts'
import {
  block,
  outcomes,
  type Problem,
  type Story,
  startStory,
  statusOn,
  suspend,
} from './story.ts'

const key = 'blackhole|default|203.0.113.2/32'
const route = 'ip route 203.0.113.2/32 blackhole tag 666'

let story: Story

afterEach(() => story.end())

const configured = (device: string) =>
  story
    .device(device)
    .journal.lines()
    .filter((line) => /^(no )?(ip route|ipv6 route|neighbor)|^ip link set/.test(line))

async function deviceView(name: string): Promise<DeviceView> {
  return (await story.call<DeviceView>('GET', `/v1/devices/${name}`)).body
}

describe('an account that may not see filters', () => {
  it('costs the filters, naming why, and neither routes nor ports', async () => {
    const device = { ...accessSwitch, roles: ['edge', 'access'] }
    story = await startStory({
      ...village,
      devices: [trigger, device],
      customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]
    ports: [{ device: sw1, interface: p1 }]`,
    })
    const text = 'sudo: a password is required'
    story.device('sw1').faults.add({ kind: 'reject', matching: 'nft -. list', text })
    const { id } = await story.decide(suspend('esthost'))
    const degraded = await story.reaches(id, 'degraded')
    expect(outcomes(degraded, 'sw1')).toEqual({
      'acl|in|203.0.113.0/30': 'refused',
      'acl|out|203.0.113.0/30': 'refused',
      'port|p1': 'applied',
    })
    const errors = degraded.devices.flatMap(({ intents }) => intents).map(({ error }) => error)
    expect(errors).toContainEqual(
      expect.objectContaining({
        code: 'no_privilege',
        message: expect.stringContaining(text) as string,
        remedy: expect.stringContaining('sudo fragment') as string,
      }),
    )
    story.device('sw1').faults.clear()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.reaches(id, 'enforced')
  })
})

describe('what stood there before', () => {
  it('stays: a port that was down, and a neighbor that was shut with words of his own', async () => {
    const own = [
      'router bgp 64500',
      'neighbor 192.0.2.66 shutdown message Maintenance till May',
      'exit',
    ]
    story = await startStory({
      devices: [
        trigger,
        { ...edge, extra: own },
        {
          ...accessSwitch,
          ports: [{ name: 'p1', description: 'rovernet', addresses: [], shut: true }],
        },
      ],
      customers: `  rovernet:
    name: Rovernet
    prefixes: [203.0.113.128/26]
    ports: [{ device: sw1, interface: p1 }]
    neighbors: [{ device: edge1, address: 192.0.2.66 }]`,
    })
    const before = story.simulator.devices.map(({ running }) => running)
    const { id } = await story.enforced(suspend('rovernet'))
    const now = await story.enforcement(id)
    expect(outcomes(now, 'edge1')).toMatchObject({ 'neighbor|default|192.0.2.66': 'already' })
    expect(outcomes(now, 'sw1')).toEqual({ 'port|p1': 'already' })
    expect([...configured('edge1'), ...configured('sw1')]).toEqual([])
    await story.lifted(id)
    expect(story.simulator.devices.map(({ running }) => running)).toEqual(before)
    expect([...configured('edge1'), ...configured('sw1')]).toEqual([])
  })

  it('counts as done when the operator’s own route has the same effect, and is ours to make once it has gone', async () => {
    story = await startStory({
      ...village,
      devices: [{ ...trigger, extra: [route] }, edge, accessSwitch],
    })
    const before = story.device('trigger1').running
    const { id: first } = await story.enforced(block('203.0.113.2'))
    expect(outcomes(await story.enforcement(first), 'trigger1')).toEqual({ [key]: 'already' })
    expect(configured('trigger1')).toEqual([])
    await story.lifted(first)
    expect(story.device('trigger1').running).toBe(before)
    const { id: second } = await story.enforced(block('203.0.113.2', { automated: true }))
    story.device('trigger1').setByHand([`no ${route}`])
    await story.call('POST', '/v1/devices/trigger1/check')
    await story.until('it is put there', () => story.device('trigger1').running.includes(route))
    await story.until(
      'it is ours',
      async () => outcomes(await story.enforcement(second), 'trigger1')[key] === 'applied',
    )
    await story.quiet()
    await story.lifted(second)
    expect(story.device('trigger1').running).not.toContain(route)
  })

  it('is released although the edges go on dropping, when only one of two triggers has the operator’s own route', async () => {
    const other = { ...trigger, name: 'trigger2', routerId: '10.0.0.9' }
    story = await startStory({
      ...village,
      devices: [{ ...trigger, extra: [route] }, other, edge, accessSwitch],
    })
    const before = story.simulator.devices.map(({ running }) => running)
    const { id } = await story.enforced(block('203.0.113.2'))
    const during = await story.enforcement(id)
    expect(outcomes(during, 'trigger1')).toEqual({ [key]: 'already' })
    expect(outcomes(during, 'trigger2')).toEqual({ [key]: 'applied' })
    await story.lifted(id)
    const after = await story.enforcement(id)
    expect(after.devices.find(({ role }) => role === 'observer')).toMatchObject({
      status: 'verified',
      intents: [{ key, outcome: 'already', note: expect.stringContaining('left alone') }],
    })
    expect(story.simulator.devices.map(({ running }) => running)).toEqual(before)
  })

  it.each([
    ['none of the triggers could be changed', ['trigger1', 'trigger2']],
    ['only the other trigger was changed', ['trigger1']],
  ])('is released although it was never looked at before: %s', async (_, away) => {
    const other = { ...trigger, name: 'trigger2', routerId: '10.0.0.9' }
    story = await startStory({
      ...village,
      devices: [other, { ...trigger, extra: [route] }, edge, accessSwitch],
      playbooks: {
        block: `name: block
decision: block
description: Routes, and filters where there are some.
measures:
  - blackhole: { prefixes: subject, devices: { role: rtbh-trigger }, seenOn: { role: edge }, tag: 666 }
  - acl: { block: subject, direction: both, devices: { role: edge }, optional: true }
rollout: { canary: 0, batch: 50, stopAfterFailures: 1 }
maxDuration: 14d
`,
      },
    })
    const before = story.simulator.devices.map(({ running }) => running)
    for (const name of away) story.device(name).faults.add({ kind: 'off' })
    const { id } = await story.decide(block('203.0.113.2'))
    if (away.length === 1) {
      await story.until('trigger2 has it', () => story.device('trigger2').running.includes(route))
    }
    await story.release(id)
    for (const name of away) story.device(name).faults.clear()
    await story.reaches(id, 'released')
    expect(story.simulator.devices.map(({ running }) => running)).toEqual(before)
    expect(configured('trigger1')).toEqual([])
  })

  it('refuses, naming the line and sending nothing, when the operator’s own route has another effect', async () => {
    const foreign = 'ip route 203.0.113.2/32 blackhole tag 77'
    story = await startStory({
      ...village,
      devices: [{ ...trigger, extra: [foreign] }, edge, accessSwitch],
    })
    const { id } = await story.decide(block('203.0.113.2'))
    const degraded = await story.reaches(id, 'degraded')
    expect(outcomes(degraded, 'trigger1')).toEqual({ [key]: 'refused' })
    const row = degraded.devices.find(({ device }) => device === 'trigger1')
    expect(row?.intents[0]?.error?.message).toContain(foreign)
    expect(configured('trigger1')).toEqual([])
    await story.lifted(id)
    expect(story.device('trigger1').running).toContain(foreign)
    expect(configured('trigger1')).toEqual([])
  })
})

describe('what somebody changes by hand', () => {
  it('is found, written down first and then put back, when it is gone', async () => {
    story = await startStory(village)
    const { id } = await story.enforced(block('203.0.113.2'))
    story.device('trigger1').setByHand([`no ${route}`])
    const check = await story.call<DeviceView>('POST', '/v1/devices/trigger1/check')
    expect(check.status).toBe(202)
    await story.until('it is back', () => story.device('trigger1').running.includes(route))
    await story.until(
      'it is healed',
      () => story.records({ type: 'device.drift_healed' }).length > 0,
    )
    const found = story.records({ type: 'device.drift_found' })
    const intended = story.records({ type: 'device.commands_intended', device: 'trigger1' })
    expect(found).toHaveLength(1)
    expect(found[0]?.on).toMatchObject({ enforcement: id, device: 'trigger1' })
    const again = intended.filter(({ data }) => data['purpose'] === 'change')
    expect(again.at(-1)?.seq).toBeGreaterThan(found[0]?.seq ?? Number.NaN)
    await story.reaches(id, 'enforced')
  })

  it('is left as it is and reported, when it is another by now', async () => {
    story = await startStory(village)
    const { id } = await story.enforced(block('203.0.113.2'))
    const theirs = 'ip route 203.0.113.2/32 blackhole tag 78'
    story.device('trigger1').setByHand([theirs])
    await story.call('POST', '/v1/devices/trigger1/check')
    await story.reaches(id, 'degraded')
    const [intent] = (await deviceView('trigger1')).intents.filter((one) => one.key === key)
    expect(intent?.seen).toBe('foreign')
    await story.release(id)
    await story.reaches(id, 'released')
    expect(story.device('trigger1').running).toContain(theirs)
    expect(story.device('trigger1').running).not.toContain('blackhole tag 666')
  })

  it('of the customer beside is no business of ours', async () => {
    story = await startStory(village)
    const { id } = await story.enforced(suspend('esthost'))
    const theirs = 'ip route 203.0.113.64/26 192.0.2.66'
    story.device('trigger1').setByHand([theirs])
    await story.call('POST', '/v1/devices/trigger1/check')
    await story.lifted(id)
    expect(story.device('trigger1').running).toContain(theirs)
    expect((await story.enforcement(id)).status).toBe('released')
  })
})

describe('what carries our mark without a claim', () => {
  const marked = 'ip route prepend blackhole 198.51.100.7/32 proto 223'
  const with223 = (extra: string) => ({
    devices: [{ ...trigger, platform: 'linux', extra: [extra] } as const, edge, accessSwitch],
    customers,
  })

  it('is reported and never removed by itself', async () => {
    story = await startStory(with223(marked))
    const { id } = await story.enforced(block('203.0.113.2'))
    const { orphans } = await deviceView('trigger1')
    expect(orphans.map((one) => one.key)).toEqual(['blackhole|default|198.51.100.7/32'])
    expect(story.records({ type: 'device.orphan_found' })).toHaveLength(1)
    await story.lifted(id)
    expect(story.device('trigger1').running).toContain('198.51.100.7')
  })

  it.each([
    ['as we make it', marked],
    ['with another metric', `${marked} metric 5`],
  ])('is taken off, %s, when an admin says so with a reason, and nobody else', async (_, line) => {
    story = await startStory(with223(line))
    await story.enforced(block('203.0.113.2'))
    await story.token('netops', ['engineer'])
    const remove = ['blackhole|default|198.51.100.7/32']
    const path = '/v1/devices/trigger1/reconcile'
    const engineer = await story.call<Problem>(
      'POST',
      path,
      { remove, reason: 'x' },
      { as: 'netops' },
    )
    expect(engineer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    const stranger = { remove: ['blackhole|default|203.0.113.2/32'], reason: 'x' }
    expect((await story.call<Problem>('POST', path, stranger)).status).toBe(404)
    expect(
      (await story.call('POST', path, { remove, reason: 'left by the old system' })).status,
    ).toBe(202)
    await story.until(
      'it has gone',
      () => !story.device('trigger1').running.includes('198.51.100.7'),
    )
    expect(story.records({ type: 'device.adopted' })).toHaveLength(1)
    expect(story.device('trigger1').running).toContain('203.0.113.2')
  })

  it('is what is left of us when the store is lost, until it is adopted', async () => {
    story = await startStory({
      ...village,
      devices: [{ ...trigger, platform: 'linux' }, edge, accessSwitch],
    })
    const before = story.device('trigger1').running
    await story.enforced(block('203.0.113.2'))
    await story.forget()
    const { id } = await story.decide(block('203.0.113.2'))
    await story.reaches(id, 'enforced', 'degraded')
    const adopt = { keys: [key], reason: 'the store was lost' }
    const adopted = await story.call<Problem>('POST', '/v1/devices/trigger1/adopt', adopt)
    expect(adopted.status).toBe(202)
    await story.reaches(id, 'enforced')
    await story.lifted(id)
    expect(story.device('trigger1').running).toBe(before)
    expect(statusOn(await story.enforcement(id), 'trigger1')).toBe('verified')
  })
})
