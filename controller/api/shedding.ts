// What is more than the controller can do is refused at the door, before its body is read: nothing piles up, and reads are answered meanwhile.

import rateLimit from '@fastify/rate-limit'
import { ControllerError } from '../errors.ts'
import type { Api } from './context.ts'

/** How much is taken on. */
export interface Bounds {
  /** Requests that one address may make in a minute. */
  readonly requestsPerMinute: number
  /** Requests that change something and are under way at the same time: each has a place in the queue of the store. */
  readonly changesAtOnce: number
  /** Connections that may be open at the same time; more are closed as they come. */
  readonly connections: number
}

/** Addresses whose requests are counted at one time; beyond them the one that was quiet longest is forgotten. */
const addressesMax = 5_000
/** Time over which the requests of an address are counted, in ms. */
const windowMs = 60_000
/** What a client is told to wait, in s, when too many changes are under way: by then most of them are done. */
const comeAgainS = 1

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked by supervisors, often: never counted, never refused for having too much to do. */
    supervised?: true
  }
}

/** Refuses with `rate_limited` (429) or `overloaded` (503), each with Retry-After, before the token is looked at, and for unknown paths too. */
export async function shedLoad(app: Api, bounds: Bounds): Promise<void> {
  app.server.maxConnections = bounds.connections
  await app.register(rateLimit, {
    global: false,
    max: bounds.requestsPerMinute,
    timeWindow: windowMs,
    cache: addressesMax,
    allowList: ({ routeOptions }) => routeOptions.config.supervised === true,
    errorResponseBuilder: (_request, { ttl }) =>
      new ControllerError(
        'rate_limited',
        `too many requests: try again in ${Math.ceil(ttl / 1_000)} s`,
      ),
  })
  app.addHook('onRequest', app.rateLimit())
  limitChanges(app, bounds.changesAtOnce)
}

function limitChanges(app: Api, changesAtOnce: number): void {
  const underWay = new Set<unknown>()
  /** Those whose answer is not there yet. */
  const carriedOut = new WeakSet<object>()
  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET' || request.method === 'HEAD') return
    if (underWay.size >= changesAtOnce) {
      reply.header('retry-after', comeAgainS)
      throw new ControllerError(
        'overloaded',
        `${underWay.size} changes are under way (api.changesAtOnce): nothing of this one was done, send it again in ${comeAgainS} s`,
      )
    }
    underWay.add(request)
    reply.raw.once('finish', () => underWay.delete(request))
    // A client that goes away leaves only a close, and what he asked for goes on: it has its place in the queue of the store until it is answered.
    reply.raw.once('close', () => {
      if (!carriedOut.has(request)) underWay.delete(request)
    })
  })
  app.addHook('preHandler', async (request) => void carriedOut.add(request))
  app.addHook('onSend', async (request, reply) => {
    carriedOut.delete(request)
    if (reply.raw.closed) underWay.delete(request)
  })
}
