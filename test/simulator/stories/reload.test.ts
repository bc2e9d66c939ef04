// Reading the inventory again while something is in force, or on its way: what is refused, what is flagged, and what is worked on afterwards.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceView } from '../../../controller/api/schema.ts'
import type { Caller } from '../../../controller/controller.ts'
import { accessSwitch, edge, routesOnly, trigger, village } from './networks.ts'
import { block, type Problem, type Story, startStory, suspend } from './story.ts'

let story: Story

afterEach(() => story.end())

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

  it('with a fault is refused, and the answer counts them as one says it', async () => {
    story = await startStory(village)
    const fault = village.customers.replace('203.0.113.128/26', '203.0.113.129/26')
    await story.rewrite(fault)
    const one = await story.call<Problem>('POST', '/v1/inventory/reload')
    await story.rewrite(fault.replace('203.0.113.64/26', '203.0.113.65/26'))
    const two = await story.call<Problem>('POST', '/v1/inventory/reload')
    expect(one).toMatchObject({ status: 422, body: { code: 'inventory_invalid' } })
    expect(one.body.detail).toContain('the files have 1 problem;')
    expect(two.body.detail).toContain('the files have 2 problems;')
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
