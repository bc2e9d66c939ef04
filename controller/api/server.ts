// The HTTP server: limits and headers first, then who asks, then the resources. The only file that puts Fastify together.

import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify'
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import { ulid } from 'ulid'
import { z } from 'zod'
import type { Clock } from '../../agent/clock.ts'
import type { Controller } from '../controller.ts'
import { ControllerError } from '../errors.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { freshFraction } from '../store/random.ts'
import { auditRoutes } from './audit.ts'
import { authenticate, type KnownRoute, knownRoutes, open } from './auth.ts'
import type { Api, ApiContext } from './context.ts'
import { customerRoutes } from './customers.ts'
import { deviceRoutes } from './devices.ts'
import { enforcementRoutes } from './enforcements.ts'
import { createFollowers, eventRoutes } from './events.ts'
import { freezeRoutes } from './freeze.ts'
import { healthRoutes } from './health.ts'
import { inventoryRoutes } from './inventory.ts'
import { parseJson } from './json.ts'
import { requestLogging } from './log.ts'
import { lookupRoutes } from './lookup.ts'
import { meRoutes } from './me.ts'
import { openapiOptions } from './openapi.ts'
import { planRoutes } from './plans.ts'
import { playbookRoutes } from './playbooks.ts'
import { problemOf, problemType, RequestInvalid, sendProblem } from './problem.ts'
import { createRefusals } from './refusals.ts'
import { problemsOf } from './schema.ts'
import { type Bounds, shedLoad } from './shedding.ts'
import { stopCleanly } from './stopping.ts'
import { tokenRoutes } from './tokens.ts'

/** What the server is told. */
export interface ServerConfig extends Bounds {
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
  /** Longest body that is read. */
  readonly bodyLimitBytes: number
  /** Event streams that may be open at the same time. */
  readonly eventStreams: number
}

/** Longest time in which a request must have come in whole, its body too, in ms. */
const requestMsMax = 30_000
/** How long a connection over which nothing is asked stays open, in ms. */
const keepAliveMs = 72_000
/** Characters of an id in a path. */
const paramMax = 128

/** The server with all its routes, not yet listening. Closing it ends event streams and writes what refusals were still counted; the store must outlive it. */
export async function createServer(
  controller: Controller,
  config: ServerConfig,
): Promise<FastifyInstance> {
  const app: Api = fastify({
    // Pino's own interface is wider than what Fastify asks for.
    loggerInstance: config.log.child({}, requestLogging) as FastifyBaseLogger,
    bodyLimit: config.bodyLimitBytes,
    requestTimeout: requestMsMax,
    keepAliveTimeout: keepAliveMs,
    trustProxy: false,
    requestIdHeader: false,
    genReqId: () => ulid(undefined, freshFraction),
    forceCloseConnections: 'idle',
    // What comes then is refused in our words: `stopping`.
    return503OnClosing: false,
    routerOptions: { maxParamLength: paramMax },
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
    // Node itself would answer without a word of why; `needHost` does.
    http: { requireHostHeader: false },
  }).withTypeProvider<ZodTypeProvider>()
  app.setSerializerCompiler(serializerCompiler)
  app.setValidatorCompiler(({ schema }) => validatorOf(schema))
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply))
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    needHost(request)
  })
  acceptOnlyJson(app)

  const metrics = createMetrics(controller, config.version)
  const refusals = createRefusals(controller.store, config.clock, config.log)
  const followers = createFollowers(controller.store)
  stopCleanly(app, config.clock, () => followers.close())
  app.addHook('onClose', async () => {
    metrics.close()
    await refusals.flush()
  })
  measure(app, metrics)
  await protect(app, config)
  const routes = knownRoutes(app, ['/docs'])
  authenticate(app, { store: controller.store, clock: config.clock, refusals })
  await describe(app, config.version)
  answerUnknownRoutes(app, routes)
  const context: ApiContext = {
    controller,
    clock: config.clock,
    metrics,
    routes,
    eventStreamsMax: config.eventStreams,
  }
  registerResources(app, context)
  eventRoutes(app, context, followers)
  await app.ready()
  return app
}

function registerResources(app: Api, context: ApiContext): void {
  for (const resource of [
    planRoutes,
    enforcementRoutes,
    customerRoutes,
    lookupRoutes,
    deviceRoutes,
    freezeRoutes,
    auditRoutes,
    playbookRoutes,
    inventoryRoutes,
    tokenRoutes,
    meRoutes,
    healthRoutes,
  ]) {
    resource(app, context)
  }
}

function validatorOf(schema: unknown): (data: unknown) => { value: unknown } | { error: Error } {
  if (!(schema instanceof z.core.$ZodType)) throw new TypeError('a schema that is not zod')
  return (data) => {
    const result = z.core.safeParse(schema, data, { reportInput: true })
    return result.success
      ? { value: result.data }
      : { error: new RequestInvalid(problemsOf(result.error.issues)) }
  }
}

// RFC 9112 section 3.2: HTTP/1.1 has it in every request; before that it was not known.
function needHost({ raw }: FastifyRequest): void {
  if (raw.httpVersion !== '1.1' || raw.headers.host !== undefined) return
  throw new ControllerError(
    'malformed_json',
    'the request has no Host header, which HTTP/1.1 asks for: send the name or address by which you reach the controller',
  )
}

// An empty body is no body, so that `curl -X POST` needs no more than it says; what needs one is told so by its schema.
function acceptOnlyJson(app: Api): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) =>
      body.length === 0 ? undefined : parseJson(body),
  )
}

async function protect(app: Api, config: ServerConfig): Promise<void> {
  await app.register(helmet, {
    // An API has nothing to load; the reference page sets its own policy.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: false,
  })
  await shedLoad(app, config)
}

async function describe(app: Api, version: string): Promise<void> {
  await app.register(swagger, openapiOptions(version))
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // Without `upgrade-insecure-requests`, under which the page stays empty on plain http.
    staticCSP:
      "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; object-src 'none'; base-uri 'self'",
    uiConfig: { url: '/openapi.json', deepLinking: true, validatorUrl: null },
  })
  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: { access: open },
    schema: { hide: true },
    handler: async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  })
}

function measure(app: Api, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    if (route.endsWith('/events')) return
    metrics.request(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1_000,
    )
  })
}

function answerUnknownRoutes(app: Api, routes: readonly KnownRoute[]): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const allowed = routes
      .filter(({ url }) => patternOf(url).test(path))
      .map(({ method }) => method)
    if (allowed.length === 0) {
      sendProblem(
        new ControllerError('not_found', 'there is nothing at this path: /docs lists all'),
        request,
        reply,
      )
      return
    }
    const methods = [...new Set(allowed)].sort().join(', ')
    reply.header('allow', methods)
    sendProblem(
      new ControllerError(
        'method_not_allowed',
        `${request.method} is not possible here, only ${methods}`,
      ),
      request,
      reply,
    )
  })
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}

// Not even HTTP, headers beyond all bounds, or not all of it in time: there is no request yet to answer through.
function answerBrokenRequest(
  error: Error & { code?: string },
  socket: { writable: boolean; end(text: string): void; destroy(error?: Error): void },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error)
    return
  }
  const { problem } = problemOf(
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new ControllerError('too_slow', `the request was not there in ${requestMsMax / 1_000} s`)
      : new ControllerError('malformed_json', 'this is no HTTP request that can be read'),
    ulid(),
  )
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
