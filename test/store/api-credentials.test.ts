// Who did it: always the credential's owner; and what the audit log, the log and the answers say of those who were refused.

import { fastify } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { knownRoutes, open } from '../../controller/api/auth.ts'
import { recordOf } from '../../controller/api/views-audit.ts'
import { createWorld, decisionBody, type World } from './api-world.ts'

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const records = (type: string) =>
  world.store.read((rows) => rows.log({ type, limit: 100 })).map(recordOf)

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('the actor', () => {
  it('is the token’s, whatever a body says', async () => {
    await world.ask('abuse', { method: 'POST', url: '/v1/enforcements', payload: decisionBody })
    const forged = await world.ask('abuse', {
      method: 'POST',
      url: '/v1/enforcements',
      payload: { ...decisionBody, actor: { kind: 'person', id: 'boss' } },
    })
    expect(
      world.callers.map(({ person, roles, actor }) => ({ person, roles, kind: actor.kind })),
    ).toEqual([{ person: 'abuse@isp.example', roles: ['abuse'], kind: 'token' }])
    expect(forged.json()).toMatchObject({ errors: [{ path: '/actor' }] })
  })

  it('comes with the request’s id, which the client gets too and cannot choose', async () => {
    const answer = await world.ask('abuse', {
      method: 'POST',
      url: '/v1/enforcements',
      headers: { 'x-request-id': 'mine', 'request-id': 'mine' },
      payload: decisionBody,
    })
    expect(answer.headers['x-request-id']).toBe(world.callers[0]?.request)
    expect(answer.headers['x-request-id']).toMatch(/^[0-9A-Z]{26}$/)
  })

  it('does not come from a header of a proxy', async () => {
    await world.ask('abuse', {
      method: 'POST',
      url: '/v1/enforcements',
      headers: { 'x-forwarded-for': '198.51.100.66' },
      payload: decisionBody,
    })
    expect(world.callers[0]?.actor.from).toBe('127.0.0.1')
  })
})

describe('a route', () => {
  it('that does not say who may use it keeps the server from starting', () => {
    const app = fastify()
    knownRoutes(app, ['/docs'])
    app.get('/docs/page', async () => '')
    app.get('/healthz', { config: { access: open } }, async () => '')
    expect(() => app.get('/v1/secret', async () => '')).toThrow(
      'the route GET /v1/secret does not declare its access',
    )
  })
})

describe('a refused request', () => {
  it('is recorded at once, and the rest of its source once a minute with their number', async () => {
    for (let n = 0; n < 5; n++) await world.ask(undefined, { url: '/v1/devices' })
    await until(() => records('auth.refused').length === 1)
    world.clock.advance(60_000)
    await until(() => records('auth.refused').length === 2)
    world.clock.advance(60_000)
    world.clock.advance(60_000)
    await world.ask(undefined, { url: '/v1/devices' })
    await until(() => records('auth.refused').length === 3)
    const found = records('auth.refused')
    expect(found.map(({ data }) => data['count'])).toEqual([1, 4, 1])
    expect(found[0]).toMatchObject({
      outcome: 'refused',
      actor: { kind: 'anonymous', id: '-' },
      data: { method: 'GET', route: '/v1/devices', why: 'no_token' },
    })
  })

  it('is recorded with the token where it was known, and what was needed', async () => {
    await world.ask('auditor', { method: 'POST', url: '/v1/enforcements', payload: decisionBody })
    await until(() => records('auth.denied').length === 1)
    expect(records('auth.denied')[0]).toMatchObject({
      outcome: 'refused',
      actor: { kind: 'token', roles: ['auditor'] },
      data: { method: 'POST', route: '/v1/enforcements', needs: ['abuse', 'admin'], count: 1 },
    })
  })

  it('is written down at the latest when the server stops', async () => {
    for (let n = 0; n < 3; n++) await world.ask(undefined, { url: '/v1/devices' })
    await world.app.close()
    expect(records('auth.refused').map(({ data }) => data['count'])).toEqual([2, 1])
  })

  it('is refused early, and told how long to wait, when one address asks too often', async () => {
    const busy = await createWorld({ requestsPerMinute: 3 })
    const answers = []
    for (let n = 0; n < 4; n++) answers.push(await busy.ask('admin', { url: '/v1/me' }))
    await busy.close()
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 429])
    expect(answers[3]?.json()).toMatchObject({ code: 'rate_limited' })
    expect(Number(answers[3]?.headers['retry-after'])).toBeGreaterThan(0)
  })
})

describe('a token', () => {
  it('is shown once, stored only as a digest, and works until it is revoked', async () => {
    const made = await world.ask('admin', {
      method: 'POST',
      url: '/v1/tokens',
      payload: { name: 'robot', roles: ['abuse'] },
    })
    const { id, token } = made.json<{ id: string; token: string }>()
    const authorization = `Bearer ${token}`
    const before = await world.app.inject({ url: '/v1/me', headers: { authorization } })
    const listed = await world.ask('admin', { url: '/v1/tokens' })
    await world.ask('admin', { method: 'DELETE', url: `/v1/tokens/${id}` })
    const after = await world.app.inject({ url: '/v1/me', headers: { authorization } })
    expect(token).toMatch(/^nr_[A-Za-z0-9_-]{43}$/)
    expect(made.headers['cache-control']).toBe('no-store')
    expect(before.json()).toMatchObject({ name: 'robot', person: 'robot' })
    expect(listed.body).not.toContain(token)
    expect(listed.body).not.toContain('sha256')
    expect(after.json()).toMatchObject({
      code: 'unauthenticated',
      detail: expect.stringContaining('revoked'),
    })
  })

  it('says who made it for whom, to whoever may see tokens and in the audit log', async () => {
    const made = await world.ask('admin', {
      method: 'POST',
      url: '/v1/tokens',
      payload: { name: 'second pair', roles: ['approver'], person: 'Eve@ISP.example' },
    })
    const { id } = made.json<{ id: string }>()
    const audit = await world.ask('admin', { url: '/v1/audit?action=token.created&limit=1' })
    const [record] = audit.json<{ items: { on: { token: string }; data: object }[] }>().items
    expect(made.json()).toMatchObject({
      person: 'eve@isp.example',
      madeBy: { person: 'admin@isp.example' },
    })
    expect(record?.on.token).toBe(id)
    expect(record?.data).toEqual({
      roles: ['approver'],
      name: 'second pair',
      person: 'eve@isp.example',
      by: 'admin@isp.example',
      createdAt: world.clock.now().toISOString(),
    })
  })

  it('is not made with an end that has passed: it would be dead at once', async () => {
    const now = world.clock.now().toISOString()
    const refused = await world.ask('admin', {
      method: 'POST',
      url: '/v1/tokens',
      payload: { name: 'robot', roles: ['abuse'], expiresAt: now },
    })
    const listed = await world.ask('admin', { url: '/v1/tokens' })
    const message = `expected a time to come, found ${now}, which has passed (it is ${now}): leave expiresAt out for a token that lasts until it is revoked`
    expect(refused.statusCode).toBe(422)
    expect(refused.json()).toMatchObject({
      code: 'invalid_request',
      detail: `the token would be dead at once: ${message}`,
      errors: [{ path: '/expiresAt', message }],
    })
    expect(listed.body).not.toContain('robot')
  })

  it('never stands in the log, nor does what was sent or asked for', async () => {
    const token = world.tokens.get('abuse') ?? ''
    await world.ask('abuse', { url: '/v1/lookup?ip=203.0.113.9' })
    await world.ask('abuse', { method: 'POST', url: '/v1/enforcements', payload: decisionBody })
    await world.ask(undefined, { url: '/v1/me', headers: { authorization: 'Bearer nr_secret' } })
    const text = world.logged.join('')
    expect(text).toContain('/v1/lookup')
    expect(text).not.toContain(token)
    expect(text).not.toContain('nr_')
    expect(text).not.toContain('203.0.113.9')
    expect(text).not.toContain('phishing')
  })
})

describe('a repeated decision', () => {
  const send = (payload: object, key = 'k-1') =>
    world.ask('abuse', {
      method: 'POST',
      url: '/v1/enforcements',
      headers: { 'idempotency-key': key },
      payload,
    })

  it('is the same enforcement, marked as replayed, however the body is written', async () => {
    const first = await send(decisionBody)
    const { reason, subject, action } = decisionBody
    const again = await send({ reason, automated: false, playbook: 'suspend', subject, action })
    expect(first.statusCode).toBe(202)
    expect(first.headers['idempotent-replayed']).toBeUndefined()
    expect(again.statusCode).toBe(202)
    expect(again.headers['idempotent-replayed']).toBe('true')
    expect(again.json()).toEqual(first.json())
    expect(again.headers.location).toBe(first.headers.location)
  })

  it('with another body is refused', async () => {
    await send(decisionBody)
    const other = await send({ ...decisionBody, automated: true })
    expect(other.json()).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
  })

  it('takes only keys that can stand in a header and a record', async () => {
    const answers = await Promise.all(
      ['', 'a b', 'x'.repeat(256), 'ü'].map((key) => send(decisionBody, key)),
    )
    expect(answers.map((answer) => answer.json<{ code: string }>().code)).toEqual(
      Array<string>(4).fill('invalid_request'),
    )
  })
})

describe('a search of the audit log', () => {
  it('shows hidden fields in their place, newest first, and is itself in the log, once for all its pages', async () => {
    await world.enforcement('enforcing')
    await world.enforcement('enforcing')
    const first = await world.ask('auditor', {
      url: '/v1/audit?action=enforcement.requested&limit=1',
    })
    const page = first.json<{
      items: { seq: number; on: object; data: object; withheld: string[] }[]
      nextCursor: string
    }>()
    const second = await world.ask('auditor', {
      url: `/v1/audit?action=enforcement.requested&limit=1&cursor=${page.nextCursor}`,
    })
    const searched = await world.ask('auditor', { url: '/v1/audit?action=log.searched' })
    expect(page.items[0]).toMatchObject({
      on: { customer: 'esthost' },
      data: { reason: '42 phishing kits' },
      withheld: [],
    })
    const next = second.json<{ items: { seq: number }[] }>().items[0]
    expect(next?.seq).toBeLessThan(page.items[0]?.seq ?? 0)
    expect(second.json()).not.toHaveProperty('nextCursor')
    expect(searched.json()).toMatchObject({
      items: [
        {
          data: { filter: { action: 'enforcement.requested' }, rows: 1 },
          actor: { kind: 'token' },
        },
      ],
    })
  })

  it('shows what was said to a device only to those who may see it', async () => {
    const made = await world.enforcement('enforcing')
    const sha256 = await world.store.commit((tx) => {
      const digest = tx.putArtifact('transcript', 'trigger1# show ip route\n')
      tx.append({
        type: 'device.commands_done',
        outcome: 'ok',
        actor: { kind: 'agent', id: 'agent' },
        on: { enforcement: made.id, device: 'trigger1' },
        data: { step: 1, transcript: digest },
      })
      return digest
    })
    const url = `/v1/enforcements/${made.id}/transcripts`
    const seen = await world.ask('engineer', { url })
    const artifact = await world.ask('engineer', { url: `/v1/artifacts/${sha256}` })
    const hidden = await world.ask('abuse', { url })
    expect(seen.json()).toMatchObject({
      items: [{ device: 'trigger1', sha256, text: 'trigger1# show ip route\n' }],
    })
    expect(artifact.body).toMatch(
      /^nullroute-artifact\/1 transcript [\w-]{22}\ntrigger1# show ip route\n$/,
    )
    expect(artifact.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(hidden.json()).toMatchObject({ status: 404, code: 'not_found' })
  })
})
