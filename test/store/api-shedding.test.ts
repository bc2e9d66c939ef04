// What is more than the controller takes on: refused at the door with a code and a time to come again, while reads are answered.

import { afterEach, describe, expect, it } from 'vitest'
import { createWorld, decisionBody, type World } from './api-world.ts'

let world: World
afterEach(() => world.close())

const decide = (key: string) =>
  world.ask('abuse', {
    method: 'POST',
    url: '/v1/enforcements',
    headers: { 'idempotency-key': key },
    payload: decisionBody,
  })

describe('changes that are under way', () => {
  it('are taken on up to the bound; those beyond are told when to come again, and do nothing', async () => {
    world = await createWorld({ changesAtOnce: 2 })

    const answers = await Promise.all(['1', '2', '3', '4', '5'].map(decide))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([202, 202, 503, 503, 503])
    const refused = answers[2]
    expect(refused?.headers['retry-after']).toBe('1')
    expect(refused?.headers['content-type']).toBe('application/problem+json')
    expect(refused?.json()).toMatchObject({
      code: 'overloaded',
      detail: expect.stringContaining('api.changesAtOnce'),
    })
    expect(world.store.read((rows) => rows.live())).toHaveLength(2)

    const again = [await decide('3'), await decide('4'), await decide('5')]
    expect(again.map(({ statusCode }) => statusCode)).toEqual([202, 202, 202])
  })

  it('keep no read from being answered', async () => {
    world = await createWorld({ changesAtOnce: 1 })
    const reads = ['/v1/me', '/v1/enforcements', '/v1/devices', '/readyz']

    const [first, second, ...read] = await Promise.all([
      decide('1'),
      decide('2'),
      ...reads.map((url) => world.ask('admin', { url })),
    ])
    expect([first?.statusCode, second?.statusCode]).toEqual([202, 503])
    expect(read.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200])
  })

  it('make room whatever they end as', async () => {
    world = await createWorld({ changesAtOnce: 1 })
    const post = { method: 'POST', url: '/v1/enforcements' } as const
    const ends = [
      await world.ask(undefined, { ...post, payload: decisionBody }),
      await world.ask('approver', { ...post, payload: decisionBody }),
      await world.ask('abuse', { ...post, payload: {} }),
      await world.ask('abuse', { ...post, url: '/v1/nothing' }),
      await decide('1'),
    ]
    expect(ends.map(({ statusCode }) => statusCode)).toEqual([401, 403, 422, 404, 202])
  })
})

describe('a supervisor', () => {
  it('is answered however often it asks', async () => {
    world = await createWorld({ requestsPerMinute: 2 })
    const asked = []
    for (let i = 0; i < 5; i++) asked.push(await world.ask(undefined, { url: '/healthz' }))
    const others = []
    for (let i = 0; i < 3; i++) others.push(await world.ask('admin', { url: '/v1/me' }))

    expect(asked.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200])
    expect(others.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429])
  })
})

describe('a request that does not come to its end', () => {
  it('has a time in which it must be there, and is told when that is over', async () => {
    world = await createWorld()
    const { server } = world.app
    let said = ''
    const socket = {
      writable: true,
      end: (text: string) => {
        said = text
      },
      destroy: () => undefined,
    }
    const late = Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    server.emit('clientError', late, socket)

    expect(server.requestTimeout).toBe(30_000)
    expect(server.maxConnections).toBe(1_000)
    expect(said).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(said).toContain('"code":"too_slow"')
  })
})
