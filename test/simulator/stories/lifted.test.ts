// What was lifted and saved is remembered, in case that a save was none: it is found where it is back, whoever looked first, and what is decided of others is the same with it.

import { afterEach, expect, it } from 'vitest'
import type { DeviceView } from '../../../controller/api/schema.ts'
import type { Fault } from '../faults.ts'
import { accessSwitch, routesOnly, trigger } from './networks.ts'
import { block, outcomes, type Story, startStory, suspend } from './story.ts'

const secondHalf = 'nft delete element bridge nullroute dst4'

const filterOnly = `name: suspend
decision: suspend
description: Filter entries only.
measures:
  - acl: { block: customer, direction: both, devices: { role: edge } }
maxDuration: 14d
`

let story: Story

afterEach(() => story.end())

async function lifted(decision: object): Promise<void> {
  await story.lifted((await story.enforced(decision)).id)
}

/** Decides while nobody can reach the device: the convergence that carries it out is the first to look in its session. */
async function decidedOutOfReach(device: string, decision: object): Promise<string> {
  const { faults, journal } = story.device(device)
  faults.add({ kind: 'off' })
  const { id } = await story.decide(decision)
  journal.clear()
  faults.clear()
  return id
}

async function orphansOf(device: string): Promise<readonly string[]> {
  const { body } = await story.call<DeviceView>('GET', `/v1/devices/${device}`)
  return body.orphans.map(({ key }) => key)
}

const inSaved = (device: string, text: string) => story.device(device).startup.includes(text)

it('what a reboot brings back because a save was none is found, though a dry run opened the session', async () => {
  story = await startStory({
    devices: [trigger],
    customers: '  esthost:\n    name: Esthost\n    prefixes: [203.0.113.0/26]',
    playbooks: { block: routesOnly('block') },
  })
  const device = story.device('trigger1')
  const key = 'blackhole|default|203.0.113.9/32'
  const line = 'ip route 203.0.113.9/32 blackhole tag 666'
  const { id } = await story.enforced(block('203.0.113.9/32'))
  device.faults.add({ kind: 'lie', matching: '^write memory$' })
  await story.release(id)
  await story.reaches(id, 'released')
  await story.quiet()
  device.faults.clear()
  expect(device.running).not.toContain(line)
  device.reboot()
  expect(device.running).toContain(line)
  await story.until('the session is gone', () => device.journal.openSessions === 0)
  await story.call('POST', '/v1/plans?online=true', block('203.0.113.10/32'))
  expect(device.journal.openSessions).toBe(1)

  await story.enforced(block('203.0.113.11/32'))
  await story.until('it is found', async () => (await orphansOf('trigger1')).includes(key))
  // It stands, and is known for it, in what comes after; the record is one.
  await lifted(block('203.0.113.12/32'))
  await story.call('POST', '/v1/devices/trigger1/check')
  const isChecked = () => story.records({ type: 'device.checked' }).length === 1
  await story.until('it is checked', isChecked)
  expect(await orphansOf('trigger1')).toEqual([key])
  expect(story.records({ type: 'device.orphan_found' })).toHaveLength(1)

  const removal = { remove: [key], reason: 'nobody is cut off by it' }
  expect((await story.call('POST', '/v1/devices/trigger1/reconcile', removal)).status).toBe(202)
  await story.until('it is gone for good', () => !inSaved('trigger1', line))
  expect(device.running).not.toContain(line)
  expect(await orphansOf('trigger1')).toEqual([])
})

it('a port that was lifted is not taken for one that goes down with another', async () => {
  const ports = [
    { name: 'p1', description: 'esthost', addresses: ['10.9.1.1/24'] },
    { name: 'p2', description: 'esthost', addresses: ['10.9.2.1/24'] },
  ]
  const hops = 'nexthop via 10.9.1.2 dev p1 nexthop via 10.9.2.2 dev p2'
  story = await startStory({
    devices: [{ ...accessSwitch, ports, extra: [`ip route add 198.51.100.0/24 ${hops}`] }],
    customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]
    ports: [{ device: sw1, interface: p1 }, { device: sw1, interface: p2 }]`,
  })
  const port = (name: string) =>
    block('', { subject: { port: { device: 'sw1', interface: name } } })
  await lifted(port('p1'))

  const id = await decidedOutOfReach('sw1', port('p2'))

  await story.reaches(id, 'enforced')
  expect(outcomes(await story.enforcement(id), 'sw1')).toEqual({ 'port|p2': 'applied' })
  expect(story.device('sw1').running).toMatch(/^p2 down/m)
  expect(story.device('sw1').running).toMatch(/^p1 up/m)
})

it("an entry that was lifted and is back counts as somebody else's, as each without a claim does", async () => {
  const direct = `name: block
decision: block
description: On the Linux host itself.
measures:
  - acl: { block: subject, devices: { role: access }, direction: in }
maxDuration: 14d
`
  story = await startStory({
    devices: [{ ...accessSwitch, ports: [] }],
    customers: '  esthost:\n    name: Esthost\n    prefixes: [203.0.113.0/26]',
    playbooks: { block: direct },
  })
  await lifted(block('203.0.113.8/29'))
  const add = (family: string) =>
    `nft 'add element ${family} nullroute src4 { 203.0.113.8/29 comment "nullroute" }'`
  story.device('sw1').setByHand(['inet', 'bridge'].map(add))

  const id = await decidedOutOfReach('sw1', block('203.0.113.9/32'))

  await story.reaches(id, 'enforced')
  expect(outcomes(await story.enforcement(id), 'sw1')).toEqual({
    'acl|in|203.0.113.9/32': 'already',
  })
  const sent = story.device('sw1').journal.lines()
  expect(sent.filter((line) => line.includes('add element'))).toEqual([])
  expect(await orphansOf('sw1')).toEqual(['acl|in|203.0.113.8/29'])
})

it.each<Fault>([
  { kind: 'disconnect', when: 'before', matching: secondHalf, times: 1 },
  {
    kind: 'reject',
    matching: secondHalf,
    times: 1,
    text: 'Error: Could not process rule: Device or resource busy\n',
  },
])(
  'an entry whose lift was broken off between its two parts by $kind is lifted again, whole, when a restart brings all of it back',
  async (fault) => {
    const edge = { ...accessSwitch, privilege: 'sudo', roles: ['edge', 'access'] } as const
    story = await startStory({
      devices: [edge],
      customers: '  esthost:\n    name: Esthost\n    prefixes: [203.0.113.8/32]',
      playbooks: { suspend: filterOnly },
    })
    const device = story.device('sw1')
    const before = device.running
    const { id } = await story.enforced(suspend('esthost'))
    const enforced = device.running
    expect(enforced).not.toBe(before)
    device.faults.add(fault)
    device.faults.add({ kind: 'refuse-save' })

    await story.release(id)
    await story.until('it is broken off', () => device.faults.acted > 0)
    if (fault.kind === 'reject') {
      await story.call('POST', `/v1/enforcements/${id}/retry`)
    }
    await story.reaches(id, 'released')
    expect(device.running).toBe(before)
    device.reboot()
    expect(device.running).toBe(enforced)
    device.faults.clear()

    story.clock.travel(301_000)
    await story.until('it is lifted again', () => device.running === before)
    await story.quiet()
    expect(device.startup).not.toContain('203.0.113.8')
  },
)

it('an entry that was lost, and is covered by a wider one since, is saved no more: the two would not go in together', async () => {
  const edge = { ...accessSwitch, roles: ['edge', 'access'] } as const
  const blockOnly = filterOnly.replaceAll('suspend', 'block').replace('customer', 'subject')
  story = await startStory({
    devices: [edge],
    customers: '  esthost:\n    name: Esthost\n    prefixes: [203.0.113.8/30]',
    playbooks: { suspend: filterOnly, block: blockOnly },
  })
  const device = story.device('sw1')
  const before = device.running
  const narrow = await story.enforced(block('203.0.113.10/32'))
  device.setByHand(
    ['inet', 'bridge'].flatMap((family) =>
      ['src4', 'dst4'].map(
        (set) => `nft 'delete element ${family} nullroute ${set} { 203.0.113.10/32 }'`,
      ),
    ),
  )
  const wide = await story.enforced(suspend('esthost'))
  expect(device.startup).toContain('203.0.113.8/30')
  expect(device.startup).not.toContain('203.0.113.10/32')
  const running = device.running
  device.reboot()
  expect(device.running).toBe(running)

  await story.lifted(narrow.id)
  await story.lifted(wide.id)
  expect(device.running).toBe(before)
})
