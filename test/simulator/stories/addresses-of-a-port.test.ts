// The IPv6 gateway of a customer's port, which a port that goes down would take along: left up until it would come back, and then it does.

import { afterEach, expect, it } from 'vitest'
import type { DeviceCheckView } from '../../../controller/api/schema/device.ts'
import { block, outcomes, type Story, type StoryDevice, startStory } from './story.ts'

let story: Story

afterEach(() => story.end())

const ports = [
  {
    name: 'c1',
    description: 'esthost',
    addresses: ['203.0.113.1/30', 'fe80::1/64'],
  },
]

const router: StoryDevice = { name: 'r1', platform: 'linux', roles: ['access'], ports }

async function checked() {
  const { body } = await story.call<DeviceCheckView>('POST', '/v1/devices/r1/check')
  return body.preflight.find(({ name }) => name === 'port c1')
}

/** Starts with a port that is refused for its gateway, in the check as in the change. */
async function refused(device: StoryDevice, found: string) {
  story = await startStory({
    devices: [device],
    customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]
    ports: [{ device: r1, interface: c1 }]`,
  })
  const message = expect.stringContaining(found) as string
  expect(await checked()).toMatchObject({ ok: false, found: message })
  const { id } = await story.decide(
    block('', { subject: { port: { device: 'r1', interface: 'c1' } } }),
  )
  const degraded = await story.reaches(id, 'degraded', 'enforced')
  expect(outcomes(degraded, 'r1')).toEqual({ 'port|c1': 'refused' })
  const [intent] = degraded.devices.flatMap(({ intents }) => intents)
  expect(intent?.error).toMatchObject({ code: 'not_restorable', message })
  return id
}

/** Cuts and releases, once what stood in the way is mended; the device is as it was then. */
async function cutAndReleased(id: string, down: RegExp) {
  const { running } = story.device('r1')
  expect(running).not.toMatch(down)
  expect(await checked()).toMatchObject({ ok: true })
  await story.call('POST', `/v1/enforcements/${id}/retry`)
  await story.reaches(id, 'enforced')
  expect(story.device('r1').running).toMatch(down)
  await story.lifted(id)
  expect(story.device('r1').running).toBe(running)
}

it('a Linux port keeps a link-local gateway, which the kernel never gives back', async () => {
  const id = await refused(router, 'c1 would lose fe80::1/64 for good')
  const device = story.device('r1')
  expect(device.running).toMatch(/^c1 up/m)

  device.setByHand([
    'ip link add br1 type bridge',
    'ip link set br1 up',
    'ip addr del fe80::1/64 dev c1',
    'ip addr add fe80::1/64 dev br1',
    'ip addr del 203.0.113.1/30 dev c1',
    'ip addr add 203.0.113.1/30 dev br1',
    'ip link set c1 master br1',
  ])
  await cutAndReleased(id, /^c1 down/m)
  expect(device.running).toContain('fe80::/64 dev br1 proto kernel')
})

it('a Linux port keeps a global gateway until the kernel is told to, for all interfaces', async () => {
  const addresses = ['203.0.113.1/30', '2001:db8:e57::1/64']
  const extra = ['sysctl -w net.ipv6.conf.all.keep_addr_on_down=-1']
  const id = await refused(
    { ...router, ports: ports.map((one) => ({ ...one, addresses })), extra },
    'c1 would lose 2001:db8:e57::1/64 for good',
  )
  const device = story.device('r1')

  device.setByHand(['sysctl -w net.ipv6.conf.c1.keep_addr_on_down=1'])
  expect(await checked()).toMatchObject({ ok: false })
  device.setByHand(['sysctl -w net.ipv6.conf.all.keep_addr_on_down=1'])
  await cutAndReleased(id, /^c1 down/m)
  expect(device.running).toContain('2001:db8:e57::1/64')
})

it.each(['8.4.4', '10.3'])(
  'an FRR %s port keeps a link-local gateway that FRR does not hold',
  async (version) => {
    const id = await refused(
      { ...router, platform: 'frr', version },
      'c1 would lose fe80::1/64 for good',
    )
    const device = story.device('r1')
    expect(device.running).not.toMatch(/^ shutdown$/m)

    device.setByHand(['interface c1', 'ipv6 address fe80::1/64'])
    await cutAndReleased(id, /^ shutdown$/m)
  },
)
