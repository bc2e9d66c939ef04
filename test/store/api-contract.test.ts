// That each call of the contract is there, with its roles and statuses, and that the OpenAPI document says the same.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { EnforcementView, PlanView } from '../../controller/api/schema.ts'
import { roles } from '../../controller/store/store.ts'
import { type Call, calls } from './api-routes.ts'
import { createWorld, decisionBody, sha256, type World } from './api-world.ts'

/** As much of OpenAPI 3.1 as is looked at here. */
const Operation = z.looseObject({
  summary: z.string().min(1),
  tags: z.array(z.string()).min(1),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        schema: z.looseObject({}),
      }),
    )
    .optional(),
  requestBody: z
    .looseObject({
      content: z.strictObject({ 'application/json': z.looseObject({ schema: z.looseObject({}) }) }),
    })
    .optional(),
  responses: z.record(
    z.string().regex(/^(?:[1-5](?:\d\d|XX)|default)$/),
    z.looseObject({ description: z.string() }),
  ),
  security: z.array(z.strictObject({ token: z.array(z.string()) })).optional(),
})
const Document = z.looseObject({
  openapi: z.string().regex(/^3\.1\.\d$/),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'delete']), Operation),
  ),
  components: z.looseObject({
    schemas: z.record(z.string().regex(/^[A-Za-z]+$/), z.looseObject({})),
    securitySchemes: z.looseObject({
      token: z.looseObject({ type: z.literal('http'), scheme: z.literal('bearer') }),
    }),
  }),
})

let world: World
let document: z.output<typeof Document>

beforeAll(async () => {
  world = await createWorld()
  const answer = await world.ask(undefined, { url: '/openapi.json' })
  document = Document.parse(answer.json())
})
afterAll(() => world.close())

const name = (call: Call) => ({ call, title: `${call.method} ${call.path}` })

async function idFor(call: Call): Promise<string> {
  const kind = call.path.split('/')[2]
  if (kind === 'plans') {
    const plan = await world.ask('admin', {
      method: 'POST',
      url: '/v1/plans',
      payload: decisionBody,
    })
    return plan.json<{ id: string }>().id
  }
  if (kind === 'enforcements') return (await world.enforcement('enforced')).id
  if (kind === 'tokens') return (await world.token(['abuse'])).id
  if (kind === 'artifacts')
    return world.store.commit((tx) => tx.putArtifact('transcript', 'show version'))
  return kind === 'devices' ? 'edge1' : 'esthost'
}

describe('a right call', () => {
  it.each(calls.map(name))(
    '$title answers as the contract says, to each of its roles',
    async ({ call }) => {
      const faults: string[] = []
      for (const role of call.roles ?? [undefined]) {
        const path = call.path.replace(/\{\w+\}/, await idFor(call))
        const answer = await world.ask(role, {
          method: call.method,
          url: call.query === undefined ? path : `${path}?${call.query}`,
          ...(call.body === undefined ? {} : { payload: call.body }),
        })
        if (answer.statusCode !== call.status)
          faults.push(`${role}: ${answer.statusCode} ${answer.body}`)
        if (answer.statusCode === 202 && !String(answer.headers.location).startsWith('/v1/'))
          faults.push(`${role}: no Location`)
        if (answer.headers['x-content-type-options'] !== 'nosniff')
          faults.push(`${role}: no security headers`)
      }
      expect(faults).toEqual([])
    },
  )

  it.each(
    calls
      .filter(
        (call) => call.bodyOptional === true || (call.method === 'POST' && call.body === undefined),
      )
      .map(name),
  )('$title needs no body and no content type', async ({ call }) => {
    const url = call.path.replace(/\{\w+\}/, await idFor(call))
    const bare = await world.ask('admin', { method: call.method, url })
    const empty = await world.ask('admin', {
      method: call.method,
      url,
      headers: { 'content-type': 'application/json' },
      payload: '',
    })
    expect([bare.statusCode, empty.statusCode]).toEqual([call.status, call.status])
  })
})

describe('the OpenAPI document', () => {
  it('describes exactly the calls of the contract', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.toSorted()).toEqual(
      calls.map(({ method, path }) => `${method} ${path}`).toSorted(),
    )
  })

  it.each(calls.map(name))('says for $title what it takes, answers and asks for', ({ call }) => {
    const operation = operationOf(call)
    const inPath = (operation.parameters ?? [])
      .filter((one) => one.in === 'path')
      .map((one) => one.name)
    const needed = [...call.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
    expect(inPath).toEqual(needed)
    expect(operation.requestBody !== undefined).toBe(call.body !== undefined)
    expect(Object.keys(operation.responses)).toContain(String(call.status))
    expect(operation.security !== undefined).toBe(call.roles !== undefined)
    if (call.roles === undefined) return
    expect(String(operation['description'])).toContain(
      `Roles: ${roles.filter((role) => call.roles?.includes(role)).join(', ')}.`,
    )
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['4XX', '5XX']))
  })

  it('has every schema that it refers to, and no schema that nothing refers to', () => {
    const text = JSON.stringify(document)
    const referred = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to))
    const there = Object.keys(document.components.schemas).map((id) => `#/components/schemas/${id}`)
    expect(referred).toEqual(new Set(there))
  })

  it('keeps each object to its known members', () => {
    const { Enforcement, Decision } = document.components.schemas
    expect(Enforcement).toMatchObject({ type: 'object', additionalProperties: false })
    expect(Decision).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['action', 'subject', 'reason'],
    })
  })

  it('is shown as a page that loads nothing from elsewhere', async () => {
    const page = await world.ask(undefined, { url: '/docs/' })
    const initializer = await world.ask(undefined, { url: '/docs/static/swagger-initializer.js' })
    expect(page.statusCode).toBe(200)
    expect(page.body).not.toMatch(/(?:src|href)="https?:/)
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    expect(initializer.body).toContain('/openapi.json')
  })
})

describe('what an answer holds', () => {
  it('shows an enforcement with its result per device, as the contract has it', async () => {
    const made = await world.enforcement('enforcing')
    const moved = await world.settle(made, 'degraded')
    const shown = await world.ask('auditor', { url: `/v1/enforcements/${moved.id}` })
    expect(EnforcementView.parse(shown.json())).toMatchObject({
      id: made.id,
      status: 'degraded',
      decision: { action: 'suspend', subject: { customer: 'esthost' } },
      overdue: false,
      devices: [
        {
          device: 'trigger1',
          role: 'enforcer',
          status: 'unreachable',
          error: { code: 'unreachable', remedy: 'check the cable' },
          intents: [
            { key: 'blackhole|default|203.0.113.0/26', kind: 'blackhole', outcome: 'unknown' },
          ],
          attempts: 1,
        },
        { device: 'edge1', role: 'observer', status: 'pending', attempts: 0 },
      ],
    })
    expect(shown.body).not.toContain('192.0.2.77')
  })

  it('shows a release as overdue after five minutes, and what a freeze holds', async () => {
    const made = await world.enforcement('releasing')
    await world.store.commit((tx) =>
      tx.updateEnforcement({ ...made, version: 2, releaseRequestedAt: '2026-12-01T11:54:59.999Z' }),
    )
    const free = await world.ask('abuse', { url: `/v1/enforcements/${made.id}` })
    await world.ask('engineer', {
      method: 'POST',
      url: '/v1/freeze',
      payload: { reason: 'maintenance' },
    })
    const frozen = await world.ask('abuse', { url: `/v1/enforcements/${made.id}` })
    const status = await world.ask('abuse', { url: '/v1/status' })
    await world.ask('engineer', { method: 'DELETE', url: '/v1/freeze?reason=done' })
    expect(free.json()).toMatchObject({ overdue: true })
    expect(free.json()).not.toHaveProperty('held')
    expect(frozen.json()).toMatchObject({ held: 'freeze' })
    expect(status.json()).toMatchObject({ freeze: { reason: 'maintenance' } })
  })

  it('shows a device with what is wanted and what was seen', async () => {
    const made = await world.enforcement('enforcing')
    await world.store.commit((tx) => {
      tx.putDevice({
        device: 'trigger1',
        state: 'up',
        software: 'FRRouting 8.4.4',
        lastReadAt: '2026-12-01T12:00:00.000Z',
        unsaved: true,
        step: 1,
        states: [
          {
            key: tx.wanted({ enforcement: made.id })[0]!.key,
            kind: 'blackhole',
            outcome: 'failed',
            seen: 'absent',
            verified: false,
          },
        ],
        orphans: [],
      })
    })
    const shown = await world.ask('auditor', { url: '/v1/devices/trigger1' })
    const listed = await world.ask('auditor', { url: '/v1/devices' })
    expect(shown.json()).toMatchObject({
      id: 'trigger1',
      platform: 'frr',
      address: '10.20.0.12',
      port: 22,
      site: 'ams',
      state: 'up',
      unsaved: true,
      drift: true,
      intents: [
        {
          key: 'blackhole|default|203.0.113.0/26',
          kind: 'blackhole',
          wanted: true,
          seen: 'absent',
          enforcements: expect.arrayContaining([made.id]),
          readAt: '2026-12-01T12:00:00.000Z',
        },
      ],
    })
    expect(listed.json()).toMatchObject({
      items: [{ id: 'edge1', state: 'unknown' }, { id: 'trigger1' }],
    })
  })

  it('shows who has an address, where, and what is in force on it; an address of nobody is an answer too', async () => {
    const theirs = await world.ask('abuse', { url: '/v1/lookup?ip=203.0.113.9' })
    const nobodys = await world.ask('abuse', { url: '/v1/lookup?ip=2001:DB8::0:1' })
    expect(theirs.json()).toMatchObject({
      address: '203.0.113.9',
      customer: { id: 'esthost', name: 'Esthost' },
      prefix: '203.0.113.0/26',
      ports: [{ device: 'edge1', interface: 'p1', site: 'ams' }],
      enforcements: expect.arrayContaining([expect.objectContaining({ action: 'suspend' })]),
    })
    expect(nobodys.json()).toMatchObject({ address: '2001:db8::1', ports: [] })
    expect(nobodys.json()).not.toHaveProperty('customer')
  })

  it('answers a dry run inside a decision with the plan, and enforces nothing', async () => {
    const before = world.store.read((rows) => rows.live().length)
    const answer = await world.ask('abuse', {
      method: 'POST',
      url: '/v1/enforcements',
      payload: { ...decisionBody, dryRun: true },
    })
    expect(answer.statusCode).toBe(200)
    expect(PlanView.parse(answer.json()).digest).toBe(sha256)
    expect(world.store.read((rows) => rows.live().length)).toBe(before)
  })

  it('pages through a list to its end, each item once, newest first', async () => {
    const fresh = await createWorld()
    const made: string[] = []
    for (let n = 0; n < 5; n++) made.push((await fresh.enforcement('enforcing')).id)
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await fresh.ask('abuse', { url: `/v1/enforcements?limit=2${cursor}` })
      const { items, nextCursor } = page.json<{ items: { id: string }[]; nextCursor?: string }>()
      seen.push(...items.map(({ id }) => id))
      cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`
    } while (cursor !== '')
    await fresh.close()
    expect(seen).toEqual(made.toReversed())
  })

  it.each(['customers', 'devices', 'tokens'])(
    'pages through the %s by name, each once',
    async (list) => {
      const all = await world.ask('admin', { url: `/v1/${list}?limit=200` })
      const seen: string[] = []
      let cursor = ''
      do {
        const page = await world.ask('admin', { url: `/v1/${list}?limit=1${cursor}` })
        const { items, nextCursor } = page.json<{ items: object[]; nextCursor?: string }>()
        seen.push(...items.map((item) => JSON.stringify(item)))
        cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`
      } while (cursor !== '')
      expect(seen).toEqual(
        all.json<{ items: object[] }>().items.map((item) => JSON.stringify(item)),
      )
      expect(seen.length).toBeGreaterThan(1)
    },
  )

  it('says who a token is and what it may do', async () => {
    const me = await world.ask('approver', { url: '/v1/me' })
    expect(me.json()).toMatchObject({ person: 'approver@isp.example', roles: ['approver'] })
    const { may } = me.json<{ may: { method: string; path: string }[] }>()
    const expected = calls.filter((call) => call.roles?.includes('approver') === true)
    expect(may.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      expected.map(({ method, path }) => `${method} ${path}`).toSorted(),
    )
  })

  it('counts enforcements, devices, log and requests for Prometheus', async () => {
    const text = (await world.ask('auditor', { url: '/metrics' })).body
    expect(text).toMatch(/^nullroute_enforcements\{status="enforcing"\} [1-9]/m)
    expect(text).toMatch(/^nullroute_devices\{state="unknown"\} \d/m)
    expect(text).toMatch(/^nullroute_log_size [1-9]/m)
    expect(text).toMatch(/^nullroute_audit_healthy 1/m)
    expect(text).toMatch(
      /^nullroute_http_request_duration_seconds_count\{method="GET",route="\/v1\/enforcements\/:id",status="200"\}/m,
    )
  })
})

function operationOf(call: Call): z.output<typeof Operation> {
  const method = call.method.toLowerCase() as 'get' | 'post' | 'delete'
  const operation = document.paths[call.path]?.[method]
  if (operation === undefined) throw new TypeError(`${call.method} ${call.path} is not described`)
  return operation
}
