import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceView, EnforcementView, PlanView } from '../../../controller/api/schema.ts'
import { parseDisclosure } from '../../../controller/audit/disclosure.ts'
import type { Caller } from '../../../controller/controller.ts'
import { accessSwitch, edge, routesOnly, town, trigger, village } from './networks.ts'
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
    expect(stale.body.detail).toContain('203.0.113.4/30')
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

describe('a new inventory', () => {
  const reload = () =>
    story.call<{
      ok: boolean
      conflicts: { enforcement: string; kind: string; object: string }[]
      problems: { file: string; line: number; message: string }[]
    }>('POST', '/v1/inventory/reload')

  it('that takes a prefix away from a suspended customer is flagged, and nothing moves', async () => {
    story = await startStory(village)
    const { id } = await story.decide(suspend('rovernet'))
    await story.reaches(id, 'enforced')
    await story.quiet()
    const before = story.device('trigger1').running
    const taken = village.customers
      .replace('prefixes: [203.0.113.128/26]', 'prefixes: [203.0.113.192/26]')
      .replace('prefixes: [203.0.113.64/26]', 'prefixes: [203.0.113.64/26, 203.0.113.128/26]')
    await story.rewrite(taken)
    const { body } = await reload()
    const flagged = body.conflicts.map(({ kind, object }) => `${kind} ${object}`)
    expect(flagged).toContain('taken_away 203.0.113.128/26 (quiet)')
    expect((await story.enforcement(id)).conflicts.map(({ kind }) => kind)).toContain('taken_away')
    expect(story.records({ type: 'inventory.conflict' }).length).toBeGreaterThan(0)
    await story.call('POST', '/v1/devices/trigger1/check')
    await story.quiet()
    expect(story.device('trigger1').running).toBe(before)
    const released = await story.release(id)
    expect(released.warnings.map(({ code }) => code)).toContain('another_customer')
    await story.reaches(id, 'released')
    expect(story.device('trigger1').running).not.toContain('203.0.113.128/26')
  })

  it('that two ask for at once, by SIGHUP and by the API, is read in one turn and recorded for each of them', async () => {
    story = await startStory(village)
    const caller: Caller = {
      actor: { kind: 'token', id: 'ann' },
      token: 'ann',
      person: 'ann',
      roles: ['admin'],
      request: 'two-at-once',
    }
    const reports = [story.running.reload(), story.running.controller.reload(caller)]
    const [one, other] = await Promise.all(reports)
    expect(one?.ok).toBe(true)
    expect(other).toBe(one)
    const loaded = story.records({ type: 'inventory.loaded' }).slice(1)
    expect(loaded.map(({ actor }) => actor.id)).toEqual(['controller', 'ann'])
  })

  it('that is broken leaves the old one, and says where it is wrong', async () => {
    story = await startStory(village)
    await story.rewrite(
      `${village.customers}\n  broken:\n    name: 7\n    prefixes: [203.0.113.300/26]`,
    )
    const { status, body } = await reload()
    expect(status).toBe(422)
    expect(body.problems.length).toBeGreaterThanOrEqual(2)
    for (const { file, line } of body.problems) {
      expect(file).toContain('inventory.yaml')
      expect(line).toBeGreaterThan(1)
    }
    const errors = body.problems.map(({ file, line }) => `${file}:${line}`)
    expect(story.records({ type: 'inventory.refused' })).toMatchObject([
      { outcome: 'refused', actor: { kind: 'token' }, data: { errors, count: errors.length } },
    ])
    expect(story.records({ type: 'inventory.loaded' })).toHaveLength(1)
    const { id } = await story.decide(suspend('esthost'))
    await story.reaches(id, 'enforced')
  })

  it('that makes another of a device with something of ours is refused, naming why', async () => {
    story = await startStory(village)
    const { id } = await story.decide(block('203.0.113.2'))
    await story.reaches(id, 'enforced')
    await story.quiet()
    await story.rewrite(village.customers, [
      { ...trigger, platform: 'cisco_ios' },
      edge,
      accessSwitch,
    ])
    const { status, body } = await reload()
    expect(status).toBe(422)
    expect(body.problems.map(({ message }) => message).join()).toContain(id)
    await story.rewrite(village.customers)
    expect((await reload()).status).toBe(200)
  })

  it('that gives the machine of a retired device to another id is refused, running or stopped, until that is released', async () => {
    story = await startStory({ ...village, playbooks: { block: routesOnly('block') } })
    const { id } = await story.decide(block('203.0.113.2'))
    await story.reaches(id, 'enforced')
    await story.quiet()
    const file = join(story.folder, 'inventory.yaml')
    const rename = async (from: string, to: string) =>
      writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to))
    const naming = (message: string) =>
      ['trigger9', 'trigger1', id, 'keep the id trigger1'].filter((word) => !message.includes(word))

    await rename('trigger1', 'trigger9')
    const { status, body } = await reload()
    expect(status).toBe(422)
    expect(body.problems.map(({ message }) => naming(message))).toEqual([[]])
    expect((await story.call('GET', '/v1/devices/trigger9')).status).toBe(404)

    await story.stopController()
    const started = await story.startController().then(
      () => 'started',
      (fault: Error) => naming(fault.message),
    )
    expect(started).toEqual([])

    await rename('trigger9', 'trigger1')
    await story.startController()
    await story.release(id)
    await story.reaches(id, 'released')
    await story.quiet()
    await rename('trigger1', 'trigger9')
    expect((await reload()).status).toBe(200)
  })

  it('that renames a device which is off, and has yet to get what was decided, is refused: it gets it under its own id', async () => {
    story = await startStory({ ...village, playbooks: { block: routesOnly('block') } })
    const off = story.device('trigger1').faults.add({ kind: 'off' })
    const { id } = await story.decide(block('203.0.113.2'))
    await story.reaches(id, 'degraded')
    const file = join(story.folder, 'inventory.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('trigger1', 'trigger9'))
    const { status, body } = await reload()
    expect(status).toBe(422)
    const naming = ['trigger9', 'trigger1', id]
    const [problem] = body.problems
    expect(naming.filter((word) => !problem?.message.includes(word))).toEqual([])

    off()
    await story.reaches(id, 'enforced')
    expect(story.device('trigger1').running).toContain('203.0.113.2/32 blackhole')
  })

  it('that puts the port of a device right has it get at once what it could not be reached for', async () => {
    story = await startStory({ ...village, playbooks: { block: routesOnly('block') } })
    const file = join(story.folder, 'inventory.yaml')
    const right = await readFile(file, 'utf8')
    // Nobody listens on it.
    await writeFile(file, right.replace(`port: ${story.device('trigger1').port}`, 'port: 1'))
    expect((await reload()).status).toBe(200)
    const { id } = await story.decide(block('203.0.113.2'))
    await story.reaches(id, 'degraded')
    await writeFile(file, right)
    expect((await reload()).status).toBe(200)
    await story.reaches(id, 'enforced')
  })

  it('without a device that holds something of ours keeps it as retired, until that is released', async () => {
    story = await startStory({ ...village, playbooks: { block: routesOnly('block') } })
    const before = story.device('trigger1').running
    const { id } = await story.decide(block('203.0.113.2'))
    await story.reaches(id, 'enforced')
    await story.quiet()
    await story.rewrite(village.customers, [edge, accessSwitch])
    const { body } = await reload()
    expect(body.conflicts.map(({ kind }) => kind)).toContain('device_gone')
    const device = await story.call<DeviceView>('GET', '/v1/devices/trigger1')
    expect(device.body).toMatchObject({ retired: true })
    await story.restart()
    expect((await story.enforcement(id)).status).toBe('enforced')
    await story.release(id)
    await story.reaches(id, 'released')
    await story.quiet()
    expect(story.device('trigger1').running).toBe(before)
    expect((await story.call<Problem>('GET', '/v1/devices/trigger1')).status).toBe(404)
  })
})
