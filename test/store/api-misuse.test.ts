// Everything that can be sent wrongly to each call, generated from the contract and from the OpenAPI document: always problem+json with a code, never a 5xx.

import { type AddressInfo, connect } from 'node:net'
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { controllerErrors } from '../../controller/errors.ts'
import { type Role, roles } from '../../controller/store/store.ts'
import { type Call, calls } from './api-routes.ts'
import { createWorld, type World } from './api-world.ts'

let world: World
let ids: Readonly<Record<string, string>>

beforeAll(async () => {
  world = await createWorld()
  const enforcement = await world.enforcement('enforcing')
  const plan = await world.ask('admin', {
    method: 'POST',
    url: '/v1/plans',
    payload: { release: enforcement.id },
  })
  const artifact = await world.store.commit((tx) => tx.putArtifact('transcript', 'show version'))
  ids = {
    plans: plan.json<{ id: string }>().id,
    enforcements: enforcement.id,
    customers: 'esthost',
    devices: 'edge1',
    artifacts: artifact,
    tokens: (await world.token(['abuse'])).id,
  }
})
afterAll(() => world.close())

function urlOf(call: Call, id?: string): string {
  const kind = call.path.split('/')[2] ?? ''
  const path = call.path.replace(/\{\w+\}/, id ?? ids[kind] ?? '')
  return call.query === undefined ? path : `${path}?${call.query}`
}

function send(
  call: Call,
  change: {
    role?: Role | undefined
    url?: string
    payload?: unknown
    headers?: Record<string, string>
  } = {},
) {
  const role =
    'role' in change
      ? change.role
      : (call.roles?.includes('admin') ?? true)
        ? 'admin'
        : call.roles?.[0]
  const payload = 'payload' in change ? change.payload : call.body
  return world.ask(role, {
    method: call.method,
    url: change.url ?? urlOf(call),
    ...(change.headers === undefined ? {} : { headers: change.headers }),
    ...(payload === undefined ? {} : { payload: payload as object }),
  })
}

/** What is wrong with an answer that should be a refusal. */
function faultsOf(
  answer: LightMyRequestResponse,
  what: string,
  expected: { status?: number; code?: string } = {},
): string[] {
  const type = String(answer.headers['content-type'])
  const isProblem = type === 'application/problem+json'
  const problem = isProblem ? answer.json<Record<string, unknown>>() : {}
  const { code, status, errors } = problem
  const texts = ['type', 'title', 'detail', 'instance'].filter(
    (member) => typeof problem[member] === 'string',
  )
  const checks: readonly (readonly [string, boolean])[] = [
    [`the type is ${type}`, isProblem],
    ['no 4xx', answer.statusCode >= 400 && answer.statusCode < 500],
    ['another status inside', status === answer.statusCode],
    ['no known code', String(code) in controllerErrors],
    ['a standard member is missing', texts.length === 4],
    ['no errors', code !== 'invalid_request' || Array.isArray(errors)],
    [`expected ${expected.status}`, (expected.status ?? answer.statusCode) === answer.statusCode],
    [`expected ${expected.code}`, (expected.code ?? code) === code],
  ]
  return checks
    .filter(([, ok]) => !ok)
    .map(([fault]) => `${what}: ${fault} (${answer.statusCode} ${answer.body.slice(0, 200)})`)
}

const withToken = calls.filter((call) => call.roles !== undefined)
const withId = calls.filter((call) => call.path.includes('{'))
const withBody = calls.filter((call) => call.body !== undefined)
const name = (call: Call) => ({ call, title: `${call.method} ${call.path}` })

describe('a call without the right to it', () => {
  it.each(withToken.map(name))('$title refuses every token that is not valid', async ({ call }) => {
    const expired = await world.token(['admin'], '2026-12-01T11:59:59.999Z')
    const revoked = await world.token(['admin'])
    await world.ask('admin', { method: 'DELETE', url: `/v1/tokens/${revoked.id}` })
    const headers: Record<string, Record<string, string>> = {
      none: {},
      empty: { authorization: '' },
      basic: { authorization: 'Basic YTpi' },
      malformed: { authorization: 'Bearer nr_short' },
      unknown: { authorization: `Bearer nr_${'A'.repeat(43)}` },
      expired: { authorization: `Bearer ${expired.token}` },
      revoked: { authorization: `Bearer ${revoked.token}` },
    }
    const faults: string[] = []
    for (const [what, given] of Object.entries(headers)) {
      const answer = await send(call, { role: undefined, headers: given })
      faults.push(...faultsOf(answer, what, { status: 401, code: 'unauthenticated' }))
      if (!String(answer.headers['www-authenticate']).startsWith('Bearer'))
        faults.push(`${what}: no challenge`)
    }
    expect(faults).toEqual([])
  })

  it.each(withToken.map(name))('$title refuses every role but its own', async ({ call }) => {
    const others = roles.filter((role) => !call.roles?.includes(role))
    const expected =
      call.hidden === true ? { status: 404, code: 'not_found' } : { status: 403, code: 'forbidden' }
    const faults: string[] = []
    for (const role of others) faults.push(...faultsOf(await send(call, { role }), role, expected))
    expect(faults).toEqual([])
  })

  it('does not look at the body before the token', async () => {
    const answer = await world.ask(undefined, {
      method: 'POST',
      url: '/v1/enforcements',
      headers: { 'content-type': 'application/json' },
      payload: '{broken',
    })
    expect(faultsOf(answer, 'broken body without a token', { status: 401 })).toEqual([])
  })
})

describe('a call with an id that cannot be', () => {
  const bad = [
    'NOPE!',
    '%00',
    '..%2f..%2fetc',
    'a'.repeat(129),
    'x'.repeat(5_000),
    '%ff',
    '01ARZ3NDEKTSV4RRFFQ69G5FAI',
    "'%20or%201=1",
    '%F0%9F%92%A9',
  ]
  it.each(withId.map(name))('$title', async ({ call }) => {
    const faults: string[] = []
    for (const id of bad) faults.push(...faultsOf(await send(call, { url: urlOf(call, id) }), id))
    expect(faults).toEqual([])
  })

  const absent: Readonly<Record<string, string>> = {
    artifacts: 'b'.repeat(64),
    customers: 'nobody',
    devices: 'nothing',
  }
  it.each(withId.map(name))(
    '$title says 404 for one that is well formed and not there',
    async ({ call }) => {
      const kind = call.path.split('/')[2] ?? ''
      const id = absent[kind] ?? '01ARZ3NDEKTSV4RRFFQ69G5FAV'
      const answer = await send(call, { url: urlOf(call, id) })
      expect(faultsOf(answer, id, { status: 404, code: 'not_found' })).toEqual([])
    },
  )
})

describe('a call with a query that is not its own', () => {
  const listed = calls.filter(
    (call) => call.method === 'GET' && call.query === undefined && !call.path.includes('{'),
  )
  it.each(
    listed
      .filter((call) =>
        ['customers', 'devices', 'enforcements', 'playbooks', 'tokens'].some(
          (kind) => call.path === `/v1/${kind}`,
        ),
      )
      .map(name),
  )('$title', async ({ call }) => {
    const faults: string[] = []
    for (const query of [
      'nonsense=1',
      'limit=0',
      'limit=-1',
      'limit=many',
      'limit=1e9',
      'limit=1.5',
      'limit=1&limit=2',
      'cursor=%00',
      'cursor=',
      'cursor=zzz',
    ]) {
      const answer = await send(call, { url: `${urlOf(call)}?${query}` })
      faults.push(...faultsOf(answer, query, { status: 422, code: 'invalid_request' }))
    }
    expect(faults).toEqual([])
  })

  it.each([
    '',
    'ip=',
    'ip=10.1',
    'ip=010.0.0.1',
    'ip=203.0.113.9/32',
    'ip=::ffff:1.2.3.4',
    'ip=fe80::1%25eth0',
    'ip=1.2.3.4&ip=1.2.3.5',
    'address=1.2.3.4',
  ])('lookup?%s', async (query) => {
    const answer = await world.ask('abuse', { url: `/v1/lookup?${query}` })
    expect(faultsOf(answer, query, { status: 422, code: 'invalid_request' })).toEqual([])
  })

  it.each([
    'action=DROP',
    'from=yesterday',
    'to=2026-12-01',
    'cursor=x',
    'enforcement=1',
    'customer=UP',
    'text=',
    'limit=100000',
    'actor=%00',
  ])('audit?%s', async (query) => {
    const answer = await world.ask('auditor', { url: `/v1/audit?${query}` })
    expect(faultsOf(answer, query, { status: 422, code: 'invalid_request' })).toEqual([])
  })

  it.each(['status=gone', 'status=enforced&status=gone', 'customer=A%20B', 'before=x'])(
    'enforcements?%s',
    async (query) => {
      const answer = await world.ask('abuse', { url: `/v1/enforcements?${query}` })
      expect(faultsOf(answer, query, { status: 422, code: 'invalid_request' })).toEqual([])
    },
  )
})

describe('a call with a body that is not its own', () => {
  it.each(withBody.map(name))(
    '$title takes only JSON that can be read, of a bounded length',
    async ({ call }) => {
      const json = { 'content-type': 'application/json' }
      const right = JSON.stringify(call.body)
      const faults = [
        ...faultsOf(await send(call, { headers: json, payload: '{"a":' }), 'broken', {
          status: 400,
          code: 'malformed_json',
        }),
        ...faultsOf(
          await send(call, { headers: json, payload: '{"__proto__":{"x":1}}' }),
          'proto',
          { status: 400, code: 'malformed_json' },
        ),
        ...faultsOf(
          await send(call, {
            headers: json,
            payload: Buffer.from(right.replace(/.$/, ',"note":"M\u00fcller"}'), 'latin1'),
          }),
          'Latin-1',
          { status: 400, code: 'malformed_json' },
        ),
        ...faultsOf(
          await send(call, { headers: json, payload: `"${'x'.repeat(70_000)}"` }),
          'huge',
          { status: 413, code: 'too_large' },
        ),
        ...faultsOf(
          await send(call, { headers: { 'content-type': 'text/plain' }, payload: right }),
          'text',
          { status: 415, code: 'unsupported_media_type' },
        ),
        ...faultsOf(
          await send(call, {
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            payload: 'a=b',
          }),
          'form',
          { status: 415, code: 'unsupported_media_type' },
        ),
        ...faultsOf(
          await send(call, { headers: { 'content-type': 'nonsense' }, payload: right }),
          'nonsense',
          { status: 415, code: 'unsupported_media_type' },
        ),
      ]
      expect(faults).toEqual([])
    },
  )

  it.each(withBody.map(name))('$title takes only an object', async ({ call }) => {
    const faults: string[] = []
    const json = { 'content-type': 'application/json' }
    for (const payload of [
      '[]',
      '"text"',
      '7',
      'true',
      '[{}]',
      ...(call.bodyOptional === true ? [] : ['null', '']),
    ]) {
      const answer = await send(call, { headers: json, payload })
      faults.push(...faultsOf(answer, `body ${payload}`, { status: 422, code: 'invalid_request' }))
    }
    expect(faults).toEqual([])
  })

  it.each(withBody.map(name))(
    '$title names each field that is unknown, of a wrong type or out of bounds',
    async ({ call }) => {
      const faults: string[] = []
      for (const { what, body } of spoiled(call.body ?? {})) {
        const answer = await send(call, { payload: body })
        faults.push(...faultsOf(answer, what, { status: 422, code: 'invalid_request' }))
      }
      expect(faults).toEqual([])
    },
  )

  it('names the place of each problem, all at once', async () => {
    const answer = await world.ask('abuse', {
      method: 'POST',
      url: '/v1/enforcements',
      payload: {
        action: 'suspend',
        subject: { customer: 'a', prefix: '203.0.113.9' },
        reason: { category: 'rude', summary: 'x' },
        extra: 1,
      },
    })
    expect(answer.json()).toMatchObject({
      code: 'invalid_request',
      errors: [
        {
          path: '/subject',
          message:
            'expected exactly one of customer, prefix, port, neighbor; found customer and prefix',
        },
        {
          path: '/reason/category',
          message: expect.stringContaining('expected one of spam, phishing'),
        },
        {
          path: '/extra',
          message: 'there is no field "extra" here: look for a spelling mistake, or leave it out',
        },
      ],
    })
  })
})

/** What the server answers to these bytes, read to its end. */
async function answerTo(bytes: string): Promise<{ head: string; body: string }> {
  if (!world.app.server.listening) await world.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = world.app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.end(bytes)
  let text = ''
  for await (const part of socket) text += String(part)
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { head, body }
}

describe('what is not even HTTP', () => {
  it.each([
    ['a request without Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['a path that is not there, without Host', 'GET /x HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['no request at all', 'hello\r\n\r\n'],
    [
      'headers beyond all bounds',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    ],
    [
      'two lengths',
      'POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    ],
  ])('%s', async (_what, bytes) => {
    const { head, body } = await answerTo(bytes)
    expect(head).toMatch(/^HTTP\/1\.1 400 /)
    expect(head).toMatch(/^content-type: application\/problem\+json$/im)
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'malformed_json' })
  })

  it('HTTP/1.0 has no Host and is answered', async () => {
    const { head } = await answerTo('GET /healthz HTTP/1.0\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('a call by another method', () => {
  const paths = [...new Set(calls.map(({ path }) => path))]
  it.each(paths)('%s', async (path) => {
    const known = new Set<string>(
      calls.filter((call) => call.path === path).map(({ method }) => method),
    )
    const call = calls.find((one) => one.path === path)
    if (call === undefined) throw new TypeError(path)
    const faults: string[] = []
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      if (known.has(method)) continue
      const answer = await world.ask('admin', { method, url: urlOf(call) })
      faults.push(...faultsOf(answer, method, { status: 405, code: 'method_not_allowed' }))
      if (!String(answer.headers.allow).split(', ').includes(call.method))
        faults.push(`${method}: allow ${String(answer.headers.allow)}`)
    }
    expect(faults).toEqual([])
  })

  it.each([
    '/',
    '/v1',
    '/v1/nothing',
    '/v2/plans',
    '/v1//plans',
    '/.env',
    '/v1/plans/%zz',
    '/%',
    '/docs/../v1',
    '/V1/plans',
  ])('%s is nowhere', async (url) => {
    const answer = await world.ask('admin', { url })
    expect(faultsOf(answer, url, { status: 404, code: 'not_found' })).toEqual([])
  })
})

/** Ways to spoil a right body: each known field with values of every other type, and one field too many at each depth. */
function spoiled(body: Readonly<Record<string, unknown>>): { what: string; body: unknown }[] {
  const all: { what: string; body: unknown }[] = [
    { what: 'unknown field', body: { ...body, 'no such field': 1 } },
  ]
  const wrong: readonly unknown[] = [
    null,
    true,
    7,
    -1.5,
    'x'.repeat(3_000),
    '',
    ' ',
    '\u0000',
    '\ud800',
    [],
    [null],
    {},
    { a: { b: 1 } },
  ]
  for (const [field, right] of Object.entries(body)) {
    for (const value of wrong) {
      if (
        typeof value === typeof right &&
        typeof value === 'string' &&
        value.trim() !== '' &&
        !/[\0\ud800]/.test(value) &&
        value.length < 2_001
      )
        continue
      all.push({
        what: `${field} = ${JSON.stringify(value).slice(0, 40)}`,
        body: { ...body, [field]: value },
      })
    }
    if (typeof right === 'object' && right !== null && !Array.isArray(right)) {
      for (const inner of spoiled(right as Record<string, unknown>)) {
        all.push({ what: `${field}.${inner.what}`, body: { ...body, [field]: inner.body } })
      }
    }
  }
  return all
}
