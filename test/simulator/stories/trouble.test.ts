import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeviceView } from '../../../controller/api/schema.ts'
import { routesOnly, trigger, village } from './networks.ts'
import { block, outcomes, type Story, startStory, statusOn, suspend } from './story.ts'

let story: Story

beforeEach(async () => {
  story = await startStory(village)
})

afterEach(() => story.end())

describe('a device that is off', () => {
  it('leaves the decision degraded, naming it, until it is back and shows everything', async () => {
    const off = story.device('sw1').faults.add({ kind: 'off' })
    const { id } = await story.decide(suspend('esthost'))
    const degraded = await story.reaches(id, 'degraded')
    expect(statusOn(degraded, 'sw1')).toBe('unreachable')
    expect(statusOn(degraded, 'trigger1')).toBe('verified')
    expect(degraded.devices.find(({ device }) => device === 'sw1')?.error?.code).toBe('unreachable')
    off()
    const enforced = await story.reaches(id, 'enforced')
    expect(statusOn(enforced, 'sw1')).toBe('verified')
    expect(story.device('sw1').running).toContain('\np1 down\n')
    const settled = story.records({ type: 'enforcement.settled' }).map(({ data }) => data['status'])
    expect(settled).toEqual(['degraded', 'enforced'])
  })

  it('keeps a release under way, and never says that it was lifted', async () => {
    const { id } = await story.decide(suspend('esthost'))
    await story.reaches(id, 'enforced')
    const off = story.device('trigger1').faults.add({ kind: 'off' })
    await story.release(id)
    await story.until(
      'sw1 is lifted',
      async () => statusOn(await story.enforcement(id), 'sw1') === 'verified',
    )
    await story.until(
      'the trigger is unreachable',
      async () => statusOn(await story.enforcement(id), 'trigger1') === 'unreachable',
    )
    expect((await story.enforcement(id)).status).toBe('releasing')
    story.clock.travel(6 * 60_000)
    expect(await story.enforcement(id)).toMatchObject({ status: 'releasing', overdue: true })
    off()
    story.clock.travel(60_000)
    const released = await story.reaches(id, 'released')
    expect(
      released.devices.every(({ status }) => status === 'verified' || status === 'unsupported'),
    ).toBe(true)
    expect(story.device('trigger1').running).not.toContain('2001:db8:e57::/48')
  })

  it('is never shown as in force where an observer can’t be read', async () => {
    story.device('edge1').faults.add({ kind: 'off' })
    const { id } = await story.decide(block('203.0.113.2'))
    const degraded = await story.reaches(id, 'degraded')
    expect(statusOn(degraded, 'edge1', 'observer')).toBe('unreachable')
    story.device('edge1').faults.clear()
    await story.reaches(id, 'enforced')
  })

  it('degrades what was enforced once it has been out of reach for three checks, and nothing earlier', async () => {
    const { id } = await story.decide(suspend('esthost'))
    await story.reaches(id, 'enforced')
    story.device('sw1').faults.add({ kind: 'off' })
    // Where nothing was under way the end of the connection looks like a log-out: the next check finds out.
    story.clock.travel(5 * 60_000)
    await story.until('it is known', async () => (await deviceView('sw1')).state === 'unreachable')
    expect((await story.enforcement(id)).status).toBe('enforced')
    story.clock.travel(16 * 60_000)
    await story.reaches(id, 'degraded')
  })
})

describe('a device that lies or refuses', () => {
  it('is never enforced when it accepts and shows nothing', async () => {
    story.device('trigger1').faults.add({ kind: 'lie', matching: '^ip route' })
    const { id } = await story.decide(block('203.0.113.2'))
    const degraded = await story.reaches(id, 'degraded')
    expect(statusOn(degraded, 'trigger1')).not.toBe('verified')
    expect(outcomes(degraded, 'trigger1')).not.toMatchObject({
      'blackhole|default|203.0.113.2/32': 'applied',
    })
    const settled = story.records({ type: 'enforcement.settled' }).map(({ data }) => data['status'])
    expect(settled).not.toContain('enforced')
  })

  it('names the line that was refused, and keeps what others took', async () => {
    story.device('trigger1').faults.add({ kind: 'reject', matching: '^ip route 203.0.113.2/31' })
    const { id } = await story.decide(suspend('esthost'))
    const degraded = await story.reaches(id, 'degraded')
    expect(statusOn(degraded, 'trigger1')).toBe('refused')
    expect(outcomes(degraded, 'trigger1')).toEqual({
      'blackhole|default|2001:db8:e57::/48': 'applied',
      'blackhole|default|203.0.113.0/32': 'applied',
      'blackhole|default|203.0.113.2/31': 'refused',
    })
    const error = degraded.devices
      .filter(({ device }) => device === 'trigger1')
      .flatMap(({ intents }) => intents)
      .find(({ key }) => key === 'blackhole|default|203.0.113.2/31')?.error
    expect(error?.message).toContain('ip route 203.0.113.2/31')
    expect(degraded.rollout).toMatchObject({ stoppedBy: 'trigger1' })
    expect(statusOn(degraded, 'sw1')).toBe('pending')
    story.device('trigger1').faults.clear()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.reaches(id, 'enforced')
  })

  it('is left alone, with nothing sent, when it shows another host key', async () => {
    const switchboard = story.device('sw1')
    switchboard.faults.add({ kind: 'host-key' })
    const { id } = await story.decide(suspend('esthost'))
    const degraded = await story.reaches(id, 'degraded')
    expect(degraded.devices.find(({ device }) => device === 'sw1')?.error?.code).toBe(
      'host_key_changed',
    )
    expect((await deviceView('sw1')).state).toBe('quarantined')
    expect(switchboard.journal.lines()).toEqual([])
    switchboard.faults.clear()
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.reaches(id, 'enforced')
  })

  it('is refused, and not asked over and over, when it does not take the password', async () => {
    story.device('sw1').faults.add({ kind: 'refuse-login' })
    const { id } = await story.decide(suspend('esthost'))
    const degraded = await story.reaches(id, 'degraded')
    expect(degraded.devices.find(({ device }) => device === 'sw1')?.error?.code).toBe(
      'login_refused',
    )
    expect((await deviceView('sw1')).state).toBe('refused')
    expect(story.device('sw1').journal.lines()).toEqual([])
  })
})

describe('a filter entry that is refused', () => {
  it.each([
    {
      platform: 'juniper_junos',
      port: 'ge-0/0/1',
      matching: '^set policy-options prefix-list',
      route: 'route 203.0.113.0/30',
    },
    {
      platform: 'cisco_ios',
      port: 'GigabitEthernet0/1',
      matching: '^203\\.0\\.113\\.0 ',
      route: 'ip route 203.0.113.0 255.255.255.252 Null0',
    },
  ] as const)(
    'is refused in both directions, and takes nothing else back with it: $platform',
    async ({ platform, port, matching, route }) => {
      await story.end()
      story = await startStory({
        devices: [
          {
            name: 'edge2',
            platform,
            roles: ['rtbh-trigger', 'edge'],
            ports: [{ name: port, description: 'esthost', addresses: ['198.51.100.1/24'] }],
          },
        ],
        customers: '  esthost: { name: Esthost, prefixes: [203.0.113.0/30] }',
      })
      const router = story.device('edge2')
      router.faults.add({ kind: 'reject', matching })

      const { id } = await story.decide(suspend('esthost'))

      const degraded = await story.reaches(id, 'degraded')
      expect(router.faults.acted).toBeGreaterThan(0)
      expect(outcomes(degraded, 'edge2')).toEqual({
        'acl|in|203.0.113.0/30': 'refused',
        'acl|out|203.0.113.0/30': 'refused',
        'blackhole|default|203.0.113.0/30': 'applied',
      })
      expect(router.running).toContain(route)
    },
  )
})

describe('a check of the device that is refused without saying of what', () => {
  it('parts nothing that has its lines in common: no commit is made with nothing in it', async () => {
    await story.end()
    story = await startStory({
      devices: [
        {
          name: 'edge2',
          platform: 'juniper_junos',
          roles: ['rtbh-trigger', 'edge'],
          ports: [{ name: 'ge-0/0/1', description: 'esthost', addresses: ['198.51.100.1/24'] }],
        },
      ],
      customers: '  esthost: { name: Esthost, prefixes: [203.0.113.0/30] }',
    })
    const router = story.device('edge2')
    router.faults.add({ kind: 'reject', matching: '^commit check', times: 1 })

    await story.enforced(suspend('esthost'))

    const steps = story
      .records({ type: 'device.commands_done', device: 'edge2' })
      .map(({ outcome }) => outcome)
    expect(steps.slice(0, 3)).toEqual(['refused', 'ok', 'ok'])
    const changes: number[] = []
    for (const line of router.journal.lines()) {
      if (line.startsWith('configure')) changes.push(0)
      if (/^(?:set|delete) /.test(line)) changes.push((changes.pop() ?? 0) + 1)
      if (line.startsWith('commit confirmed')) expect(changes.at(-1)).toBeGreaterThan(0)
    }
  })
})

describe('a change that is refused half way', () => {
  it('is taken back at once: a port that is told as refused is not left down', async () => {
    await story.end()
    const name = 'GigabitEthernet1/0/3'
    story = await startStory({
      devices: [
        {
          name: 'sw2',
          platform: 'cisco_ios',
          roles: ['access'],
          ports: [{ name, description: 'esthost', addresses: [] }],
        },
      ],
      customers: `  esthost:
    name: Esthost
    prefixes: [203.0.113.0/30]
    ports: [{ device: sw2, interface: ${name} }]`,
      playbooks: { suspend: portsOnly },
    })
    const access = story.device('sw2')
    const before = access.running
    access.faults.add({ kind: 'reject', after: '^shutdown$', matching: '^exit$' })

    const { id } = await story.decide(suspend('esthost'))

    const degraded = await story.reaches(id, 'degraded')
    expect(outcomes(degraded, 'sw2')).toEqual({ [`port|${name}`]: 'refused' })
    expect(access.journal.lines()).toContain('shutdown')
    // It may have been tried once more by now, for the decision itself or before a save: each time with the same end.
    await story.until('the port is as before', () => access.running === before)
    const steps = story.records({ type: 'device.commands_intended', device: 'sw2' })
    expect(steps.slice(0, 2).map(({ data }) => data['purpose'])).toEqual(['change', 'rollback'])
  })
})

describe('a way into the configuration that is refused', () => {
  it('is no lock of somebody else, unless the device says so', async () => {
    story.device('trigger1').faults.add({ kind: 'reject', matching: '^configure terminal' })

    const { id } = await story.decide(block('203.0.113.2'))

    const degraded = await story.reaches(id, 'degraded')
    const error = degraded.devices.find(({ device }) => device === 'trigger1')?.error
    expect(error).toMatchObject({ code: 'line_refused' })
  })
})

describe('a neighbor line that is refused', () => {
  it('is never followed by the shutdown of all of BGP', async () => {
    const router = story.device('edge1')
    const before = router.running
    router.faults.add({ kind: 'reject', matching: '^ *neighbor 192.0.2.66' })
    const { id } = await story.decide(suspend('rovernet'))
    const degraded = await story.reaches(id, 'degraded')
    expect(outcomes(degraded, 'edge1')).toMatchObject({ 'neighbor|default|192.0.2.66': 'refused' })
    expect(router.running).toBe(before)
    expect(router.journal.lines().filter((line) => /^\s*shutdown/.test(line))).toEqual([])
  })
})

async function deviceView(name: string): Promise<DeviceView> {
  return (await story.call<DeviceView>('GET', `/v1/devices/${name}`)).body
}

it('a device that is off, refuses the login or shows another host key is no canary: what can be reached goes first', async () => {
  await story.end()
  const away = { trigger1: 'host-key', trigger2: 'refuse-login', trigger3: 'off' } as const
  story = await startStory({
    devices: [...Object.keys(away), 'trigger4'].map((name, at) => ({
      ...trigger,
      name,
      routerId: `10.0.0.${at + 1}`,
    })),
    customers: '  esthost: { name: Esthost, prefixes: [203.0.113.2/32] }',
    playbooks: { suspend: routesOnly('suspend', { end: 'rollout: { canary: 1, batch: 50 }' }) },
  })
  for (const [name, kind] of Object.entries(away)) {
    story.device(name).faults.add({ kind })
    await story.call('POST', `/v1/devices/${name}/check`)
  }
  const states = await Promise.all(Object.keys(away).map(deviceView))
  expect(states.map(({ state }) => state)).toEqual(['quarantined', 'refused', 'unreachable'])

  // In the order of the roll-out.
  const { devices } = await story.decide(suspend('esthost'))
  expect(devices.map(({ device }) => device)).toEqual(['trigger4', ...Object.keys(away)])
})

describe('a playbook that rolls back', () => {
  it('takes everything back where a device refused, and ends as failed', async () => {
    await story.end()
    const end = 'onFailure: rollback'
    story = await startStory({ ...village, playbooks: { suspend: routesOnly('suspend', { end }) } })
    const router = story.device('trigger1')
    const before = router.running
    router.faults.add({ kind: 'reject', matching: '^ipv6 route' })
    const { id } = await story.decide(suspend('esthost'))
    const failed = await story.reaches(id, 'failed')
    expect(failed.why).toContain('trigger1')
    expect(router.running).toBe(before)
    expect(
      await story.call('POST', `/v1/enforcements/${id}/release`, { reason: 'x' }),
    ).toMatchObject({
      status: 409,
      body: { code: 'not_in_force' },
    })
    const refusals = story.records({ type: 'decision.refused' })
    expect(refusals.map(({ on }) => on.enforcement)).toEqual([id])
  })

  it('waits for a device that is only off', async () => {
    await story.end()
    const end = 'onFailure: rollback'
    story = await startStory({ ...village, playbooks: { suspend: routesOnly('suspend', { end }) } })
    story.device('trigger1').faults.add({ kind: 'off' })
    const { id } = await story.decide(suspend('esthost'))
    await story.reaches(id, 'degraded')
    story.device('trigger1').faults.clear()
    expect((await story.reaches(id, 'enforced')).why).toBeUndefined()
  })
})

describe.each(['rollback', 'keep'] as const)(
  'a playbook that seeks its effect on edges (%s)',
  (onFailure) => {
    const rollbacks = () => story.records({ type: 'enforcement.release_requested' }).length
    const edgeOf = async (id: string) =>
      (await story.enforcement(id)).devices.find(({ role }) => role === 'observer')

    it('waits for a trigger that is only off, says so of the edge, and loses nothing', async () => {
      await story.end()
      const shipped = await readFile('playbooks/library/suspend.yaml', 'utf8')
      const suspension = shipped.replace('onFailure: keep', `onFailure: ${onFailure}`)
      story = await startStory({ ...village, playbooks: { suspend: suspension } })
      story.device('trigger1').faults.add({ kind: 'off' })
      const { id } = await story.decide(suspend('esthost'))
      await story.reaches(id, 'degraded')
      await story.until('the edge waits, and the port is down', async () => {
        const sw1 = statusOn(await story.enforcement(id), 'sw1')
        return (await edgeOf(id))?.error?.code === 'awaits_others' && sw1 === 'verified'
      })

      // It goes on looking, and that is no failure however often.
      const before = (await edgeOf(id))?.attempts ?? 0
      await story.until('it has looked again', async () => {
        return ((await edgeOf(id))?.attempts ?? 0) > before + 1
      })
      const degraded = await story.enforcement(id)
      const edge = await edgeOf(id)
      expect([degraded.status, edge?.status]).toEqual(['degraded', 'converging'])
      expect(edge?.error?.message).toBe('waits for trigger1, which is unreachable')
      expect(edge?.error?.remedy).toContain('see trigger1')
      const said = edge?.intents.map(({ outcome, error }) => [outcome, error?.code])
      expect(said).toEqual(edge?.intents.map(() => ['unknown', 'awaits_others']))
      const logged = story
        .records({ type: 'device.verified', device: 'edge1' })
        .flatMap(({ data }) => data['intents'])
      expect(JSON.stringify(logged)).not.toContain('failed')

      story.device('trigger1').faults.clear()
      expect((await story.reaches(id, 'enforced')).why).toBeUndefined()
      expect(rollbacks()).toBe(0)
      expect(story.device('sw1').running).toContain('\np1 down\n')
    })

    it('says of an edge that does not learn what is announced where to look, and that it was sent nothing', async () => {
      await story.end()
      const end = `onFailure: ${onFailure}`
      const playbooks = { suspend: routesOnly('suspend', { end, seenOn: 'edge' }) }
      story = await startStory({ ...village, playbooks, propagationMs: 86_400_000 })
      const { id } = await story.decide(suspend('esthost'))

      const settled = await story.reaches(id, onFailure === 'keep' ? 'degraded' : 'failed')

      const error = (await edgeOf(id))?.error
      if (onFailure === 'keep') {
        expect(statusOn(settled, 'edge1', 'observer')).toBe('failed')
        expect(error).toMatchObject({
          code: 'not_shown',
          message: expect.stringContaining('this device has not learnt it'),
          remedy: expect.stringContaining('nothing was sent to this device: look at BGP'),
        })
      }
      const why = onFailure === 'keep' ? undefined : 'rolled back, because edge1 did not take it'
      expect([settled.why, rollbacks()]).toEqual([why, onFailure === 'keep' ? 0 : 1])
    })
  },
)

const portsOnly = `name: suspend
decision: suspend
description: Ports only.
measures:
  - port: { state: down, ports: customer }
maxDuration: 14d
`
