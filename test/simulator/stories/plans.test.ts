import { afterEach, describe, expect, it } from 'vitest'
import type { EnforcementView, PlanView } from '../../../controller/api/schema.ts'
import { parseDisclosure } from '../../../controller/audit/disclosure.ts'
import { accessSwitch, edge, town, trigger, village } from './networks.ts'
import { block, outcomes, type Problem, type Story, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

const sent = () => story.simulator.devices.flatMap((device) => device.journal.lines())

describe('a plan', () => {
  const decision = suspend('esthost')
  const planned = async (path = '/v1/plans') =>
    (await story.call<PlanView>('POST', path, decision)).body
  const enforcePlan = ({ id, digest }: PlanView) =>
    story.call<EnforcementView & Problem>('POST', '/v1/enforcements', { planId: id, digest })
  const linesOf = (plan: PlanView, device: string) =>
    plan.devices
      .filter((one) => one.device === device)
      .flatMap(({ apply }) => apply)
      .map(({ line }) => line)

  it('is done line by line as it was shown, is recorded so before, and nothing else is sent; its release too', async () => {
    story = await startStory(town)
    const plan = await planned('/v1/plans?online=true')
    await comparing(plan, async () => {
      const { status, body } = await enforcePlan(plan)
      expect(status).toBe(202)
      await story.reaches(body.id, 'enforced')
    })
    const id = story.running.controller.store.read((rows) => rows.live())[0]?.id ?? ''
    const path = '/v1/plans?online=true'
    const back = (await story.call<PlanView>('POST', path, { release: id })).body
    await comparing(back, async () => {
      await story.release(id)
      await story.reaches(id, 'released')
    })
  })

  /** Carries a plan out, and holds the plan, the records of what was meant, and what the devices got against each other. */
  const comparing = async (plan: PlanView, carryOut: () => Promise<void>) => {
    const after = story.records().at(-1)?.seq ?? 0
    for (const device of story.simulator.devices) device.journal.clear()
    await carryOut()
    await story.quiet()
    expect(plan.devices.some(({ save = [] }) => save.length > 0)).toBe(true)
    for (const { name, journal } of story.simulator.devices) {
      const shown = plan.devices
        .filter(({ device }) => device === name)
        .flatMap(({ apply, save = [] }) => [...apply, ...save])
        .map(({ line }) => line)
      expect({ name, lines: commandsFor(name, after) }).toEqual({ name, lines: shown })
      const got = journal.lines().map(withoutToken)
      // A here-document is one command, and many lines on the wire.
      expect({ name, lines: got.filter((line) => !isRead(line)) }).toEqual({
        name,
        lines: shown.flatMap((line) => line.split('\n')).filter((line) => !isRead(line)),
      })
    }
  }

  it('shows without reading a device what reading it shows, as far as the inventory knows', async () => {
    const devices = town.devices.map((one) =>
      one.platform === 'linux' ? ({ ...one, privilege: 'sudo' } as const) : one,
    )
    story = await startStory({ ...town, devices })
    const offline = await planned()
    const online = await planned('/v1/plans?online=true')
    const linesIn = ({ devices: all }: PlanView) =>
      all.map(({ device, apply, undo, save }) => ({ device, apply, undo, save }))
    const filled = JSON.parse(
      JSON.stringify(linesIn(offline))
        .replaceAll('<asn>', '64500')
        .replaceAll(',"needs":"device"', ''),
    ) as unknown
    expect(filled).toEqual(linesIn(online))
    const saving = offline.devices.find(({ device }) => device === 'sw1')?.save ?? []
    expect(saving.map(({ line }) => line).join()).toContain('link set dev p1 down')
  })

  it('of a port in another spelling than the inventory’s is refused, with whose it is and the name to take', async () => {
    story = await startStory(town)
    const port = { device: 'sw2', interface: 'gi1/0/3' }
    const asked = { ...block('203.0.113.2'), subject: { port } }
    const refused = await story.call<Problem>('POST', '/v1/plans', asked)
    expect(refused).toMatchObject({ status: 422, body: { code: 'not_one_customer' } })
    expect(refused.body.detail).toContain("is esthost's, and GigabitEthernet1/0/3 in the inventory")
  })

  it('shows only what is missing when the devices are read, and touches nothing', async () => {
    const route = 'ip route 203.0.113.0/32 blackhole tag 666'
    story = await startStory({
      ...village,
      devices: [{ ...trigger, extra: [route] }, edge, accessSwitch],
    })
    const before = story.simulator.devices.map(({ running }) => running)
    const offline = linesOf(await planned(), 'trigger1')
    const online = linesOf(await planned('/v1/plans?online=true'), 'trigger1')
    expect(offline).toContain(route)
    expect(online).toEqual(offline.filter((line) => line !== route))
    expect(story.simulator.devices.map(({ running }) => running)).toEqual(before)
    expect(story.records({ type: 'device.commands_intended' })).toEqual([])
  })

  it('that is enforced an hour later ends when it said, and not an hour later', async () => {
    story = await startStory(village)
    const plan = await planned()
    story.clock.travel(3_600_000)
    const { status, body } = await enforcePlan(plan)
    expect({ status, expiresAt: body.expiresAt }).toEqual({
      status: 202,
      expiresAt: plan.expiresAt,
    })
    expect(Date.parse(body.expiresAt ?? '')).toBeGreaterThan(story.clock.now().getTime())
  })

  it('is refused when what it would do has changed since', async () => {
    story = await startStory(village)
    const plan = await planned()
    expect((await enforcePlan({ ...plan, digest: '0'.repeat(64) })).body.code).toBe(
      'digest_mismatch',
    )
    await story.rewrite(village.customers.replace('203.0.113.0/30', '203.0.113.0/29'))
    expect((await story.call('POST', '/v1/inventory/reload')).status).toBe(200)
    const stale = await enforcePlan(plan)
    expect(stale).toMatchObject({ status: 409, body: { code: 'plan_stale' } })
    expect(stale.body.detail).toContain('blackhole 203.0.113.4/30 on trigger1 added')
    expect(stale.body.detail).not.toContain('{')
    expect(stale.body.detail).not.toContain('203.0.113.2/31')
    expect(sent()).toEqual([])
  })
})

/** Lines that only read, or make a new session fit to be read; the empty one asks for another prompt. */
function isRead(line: string): boolean {
  return /^($|show |run show |set cli |ip -j |ip -o |ip route get |nft -[jt] list |sysctl -n |cat \/)/.test(
    line,
  )
}

function withoutToken(line: string): string {
  return line.replace(/nullroute [0-9a-f]{8}/, 'nullroute <token>')
}

/** What the log says was meant for a device, since then. */
function commandsFor(device: string, after: number): readonly string[] {
  const query = { type: 'device.commands_intended', device, after, limit: 1_000 }
  return story.running.controller.store
    .read((rows) => rows.log(query))
    .flatMap(({ disclosures }) => disclosures)
    .map(({ disclosure }) => parseDisclosure(disclosure))
    .filter(({ pointer }) => pointer === '/data/commands')
    .flatMap(({ value }) => value as readonly string[])
    .map(withoutToken)
}

describe('a session that can’t be shut', () => {
  const cases = [
    ['edge1', 'neighbor|default|192.0.2.66'],
    ['edge2', 'neighbor|default|192.0.2.70'],
    ['edge3', 'neighbor|default|192.0.2.74'],
  ] as const

  it.each(cases)('costs %s not one other session, whichever line is refused', async (name, key) => {
    story = await startStory(town)
    const router = story.device(name)
    const other = story.simulator.devices.filter((device) => device !== router)
    for (const device of other) device.faults.add({ kind: 'off' })
    const before = router.running
    const decision = suspend('esthost', { playbook: 'depeer' })
    const plan = (await story.call<PlanView>('POST', '/v1/plans?online=true', decision)).body
    const lines = plan.devices.filter(({ device }) => device === name).flatMap(({ apply }) => apply)
    const typed = [...new Set(lines.map(({ line }) => line))]
    expect(typed.some((line) => line.includes(key.split('|')[2] ?? ''))).toBe(true)
    const meant = typed.filter((one) => !/^(end|exit|configure|show|commit)/.test(one))
    for (const [at, line] of meant.entries()) {
      router.journal.clear()
      const matching = `^\\s*${line.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`
      const fault = router.faults.add({ kind: 'reject', matching })
      const { id } = await story.decide(
        suspend('esthost', { playbook: 'depeer', automated: true }),
        { key: String(at) },
      )
      await story.until(
        `${line} is refused`,
        async () => outcomes(await story.enforcement(id), name)[key] === 'refused',
      )
      await story.until('it is quiet on the line', () =>
        story.running.controller.store.read((rows) => rows.openSteps().length === 0),
      )
      expect({ line, running: router.running }).toEqual({ line, running: before })
      expect(router.journal.lines().filter((text) => /^\s*shutdown/.test(text))).toEqual([])
      fault()
      await story.release(id)
    }
  })
})
