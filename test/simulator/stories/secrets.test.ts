import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeviceCheckView, EnforcementView } from '../../../controller/api/schema.ts'
import { town } from './networks.ts'
import { type Answer, type Problem, type Story, startStory, suspend } from './story.ts'

let story: Story

beforeEach(async () => {
  story = await startStory(town)
})

afterEach(() => story.end())

interface TranscriptPage {
  readonly items: readonly {
    readonly device: string
    readonly sha256: string
    readonly text: string
  }[]
}

describe('a whole day', () => {
  it('leaves no password and no token in logs, records, transcripts, answers or files', async () => {
    const desk = await story.token('desk', ['abuse'], 'dora@example.net')
    const gone = await story.token('gone', ['auditor'])
    const { id } = await story.decide(suspend('esthost'), { as: 'desk' })
    await story.reaches(id, 'enforced')
    await story.quiet()
    for (const { name } of story.simulator.devices) {
      const { body } = await story.call<DeviceCheckView>('POST', `/v1/devices/${name}/check`)
      expect(body.preflight.length).toBeGreaterThan(0)
    }
    story.device('sw2').faults.add({ kind: 'refuse-login' })
    story.device('sw2').reboot()
    await story.call('POST', '/v1/devices/sw2/check')
    await story.until(
      'the log-in is refused',
      async () =>
        (await story.call<DeviceCheckView>('GET', '/v1/devices/sw2')).body.state === 'refused',
    )
    story.device('sw2').faults.clear()
    await story.release(id)
    await story.call('POST', `/v1/enforcements/${id}/retry`)
    await story.reaches(id, 'released')
    await story.quiet()
    const transcripts = await everyTranscript(id)
    expect(new Set(transcripts.items.map(({ device }) => device)).size).toBe(7)
    for (const path of [
      '/v1/status',
      '/v1/audit?limit=200',
      '/v1/tokens',
      '/v1/me',
      '/metrics',
      '/v1/devices',
      `/v1/enforcements/${id}/events`,
    ]) {
      expect((await story.call('GET', path)).status).toBe(200)
    }
    const admin = 'admin'
    expect(
      await story.call<Problem>('GET', '/v1/tokens', undefined, { as: 'nobody' }),
    ).toMatchObject({ status: 401 })
    expect((await story.call('GET', '/v1/me', undefined, { as: admin })).status).toBe(200)

    const secrets = [...Object.values(story.environment), desk, gone]
    const heard = [
      ...story.said,
      ...story.records().map((record) => JSON.stringify(record)),
      await filesOf(story.config.data),
    ]
    const told = secrets.filter((secret) => heard.some((text) => text.includes(secret)))
    expect(told).toEqual([])
    expect(heard.join('').length).toBeGreaterThan(100_000)
    expect(story.device('sw2').journal.lines().join()).toContain('<secret>')
  })

  it('lets nothing that a client wrote reach a device but what was parsed', async () => {
    const tickets = [
      'ABUSE\nno router bgp 64500',
      'A; reload',
      '$(reboot)',
      'x?',
      '"',
      '\u001b[2J',
      'ABUSE 1',
    ]
    for (const ticket of tickets) {
      const reason = { category: 'spam', summary: 'x', ticket }
      const answer: Answer<Problem> = await story.call(
        'POST',
        '/v1/enforcements',
        suspend('esthost', { reason }),
      )
      expect({ ticket, status: answer.status, code: answer.body.code }).toEqual({
        ticket,
        status: 422,
        code: 'invalid_request',
      })
    }
    const summary = 'quoted "x" $(reboot) \u001b[31m\nno router bgp 64500'
    const reason = { category: 'spam', summary, ticket: 'ABUSE-1' }
    const { status, body } = await story.call<EnforcementView>(
      'POST',
      '/v1/enforcements',
      suspend('esthost', { reason }),
    )
    if (status === 202) await story.reaches(body.id, 'enforced')
    const sent = story.simulator.devices.flatMap((device) => device.journal.lines()).join('\n')
    for (const part of ['reboot', 'no router bgp', 'quoted']) expect(sent).not.toContain(part)
  })

  it('shows the auditor who decided, why, what was sent and what was seen', async () => {
    await story.token('desk', ['abuse'], 'dora@example.net')
    const { id } = await story.decide(suspend('esthost'), { as: 'desk' })
    await story.reaches(id, 'enforced')
    const of = story.records().filter(({ on }) => on.enforcement === id)
    const [requested] = of
    expect(requested).toMatchObject({
      type: 'enforcement.requested',
      actor: { id: expect.any(String) },
    })
    const devices = new Set(
      of.filter(({ type }) => type === 'device.commands_intended').map(({ on }) => on.device),
    )
    for (const device of devices) {
      const types = of.filter(({ on }) => on.device === device).map(({ type }) => type)
      const order = [
        'device.observed',
        'device.commands_intended',
        'device.commands_done',
        'device.verified',
      ]
      expect({ device, order: order.filter((type) => types.includes(type)) }).toEqual({
        device,
        order,
      })
      const places = order.map((type) =>
        // An edge may have been read as an observer before it was its turn.
        type === 'device.verified' ? types.lastIndexOf(type) : types.indexOf(type),
      )
      expect(places).toEqual(places.toSorted((one, other) => one - other))
    }
    const transcripts = await everyTranscript(id)
    const trigger = transcripts.items.find(({ device }) => device === 'trigger1')
    expect(trigger?.text).toContain('ip route 203.0.113.2/31 blackhole tag 666')
    const artifact = await story.call<string>('GET', `/v1/artifacts/${trigger?.sha256}`)
    expect(artifact.status).toBe(200)
  })
})

async function everyTranscript(id: string): Promise<TranscriptPage> {
  const { body } = await story.call<TranscriptPage>(
    'GET',
    `/v1/enforcements/${id}/transcripts?limit=100`,
  )
  return body
}

async function filesOf(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile())
  const texts = await Promise.all(
    files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
  )
  return texts.join('\n')
}
