// A client that goes away: what he asked for is under way all the same.

import { EventEmitter, once } from 'node:events'
import { request } from 'node:http'
import fastify from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { expect, it, onTestFinished } from 'vitest'
import { shedLoad } from '../../controller/api/shedding.ts'

it('a change keeps its place when the client has gone, until what was asked for is through', async () => {
  const app = fastify().withTypeProvider<ZodTypeProvider>()
  onTestFinished(() => app.close())
  await shedLoad(app, { requestsPerMinute: 1_000, changesAtOnce: 1, connections: 10 })
  const events = new EventEmitter()
  const [begun, gone, letGo, over] = ['begun', 'gone', 'letGo', 'over'].map((name) =>
    once(events, name),
  )
  app.post('/held', async ({ raw }) => {
    raw.socket.once('close', () => events.emit('gone'))
    events.emit('begun')
    await letGo
    return {}
  })
  app.post('/quick', async () => 'done')
  app.addHook('onSend', async ({ url }) => void (url === '/held' && events.emit('over')))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const client = request(`${url}/held`, { method: 'POST' }).on('error', () => undefined)
  client.end()
  await begun
  client.destroy()
  await gone

  const during = await app.inject({ method: 'POST', url: '/quick' })
  expect(during.json().message).toContain('api.changesAtOnce')
  events.emit('letGo')
  await over
  const after = await app.inject({ method: 'POST', url: '/quick' })
  expect(after.body).toBe('done')
})
