// How long a stop waits for requests that are under way: the clock is the test's, the connections are real.

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Api } from '../../controller/api/context.ts'
import { stopCleanly } from '../../controller/api/stopping.ts'

/** Longest wait for requests under way: docs/bounds.md. */
const requestDrainMs = 7_000

let app: Api
/** What waits for a time that the test has not let pass. */
let timers: { readonly at: number; readonly call: () => void }[]
let now: number
let begun: Promise<void>
let answer: () => void

function pass(ms: number): void {
  now += ms
  const due = timers.filter(({ at }) => at <= now)
  timers = timers.filter(({ at }) => at > now)
  for (const { call } of due) call()
}

beforeEach(async () => {
  now = 0
  timers = []
  app = fastify({
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  }).withTypeProvider<ZodTypeProvider>() as Api
  const clock = {
    now: () => new Date(now),
    monotonicMs: () => now,
    after(ms: number, call: () => void) {
      const timer = { at: now + ms, call }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
  }
  stopCleanly(app, clock, () => undefined)
  let begin = (): void => undefined
  begun = new Promise((resolve) => {
    begin = resolve
  })
  app.get('/slow', async () => {
    const answered = new Promise<string>((resolve) => {
      answer = () => resolve('done')
    })
    begin()
    return answered
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
})

afterEach(async () => {
  pass(requestDrainMs)
  await app.close()
})

/** Asks for what takes as long as the test likes: the status, or why there is none. */
async function ask(): Promise<number | string> {
  const { port } = app.server.address() as AddressInfo
  const sent = request({ host: '127.0.0.1', port, path: '/slow' })
  sent.end()
  const heard = once(sent, 'response').then(
    ([response]: IncomingMessage[]) => {
      response?.resume()
      return response?.statusCode ?? 0
    },
    (error: NodeJS.ErrnoException) => error.code ?? '',
  )
  await begun
  return heard
}

describe('a stop', () => {
  it('waits for a request under way, and answers it', async () => {
    const asked = ask()
    await begun
    const stopped = app.close()
    while (timers.length === 0) await new Promise((resolve) => setImmediate(resolve))
    pass(requestDrainMs - 1)

    answer()

    expect(await asked).toBe(200)
    await stopped
    expect(timers).toEqual([])
  })

  it('waits no longer than that: the request is cut off', async () => {
    const asked = ask()
    await begun
    let isStopped = false
    const stopped = app.close().then(() => {
      isStopped = true
    })
    while (timers.length === 0) await new Promise((resolve) => setImmediate(resolve))
    pass(requestDrainMs - 1)
    await new Promise((resolve) => setImmediate(resolve))
    expect([isStopped, timers.length]).toEqual([false, 1])

    pass(1)

    expect(await asked).toBe('ECONNRESET')
    await stopped
    answer()
  })
})
