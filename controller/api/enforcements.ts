// Enforcements: taking decisions, showing how they stand, and what people do to them afterwards.

import { hash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type { Caller } from '../controller.ts'
import type { Enforcement } from '../enforcement.ts'
import { callerOf, everyone, only } from './auth.ts'
import {
  type Api,
  type ApiContext,
  optionalBody,
  pageOfMore,
  problems,
  viewEnforcement,
  viewEnforcements,
} from './context.ts'
import {
  ApproveBody,
  EnforceBody,
  EnforcementPage,
  EnforcementsQuery,
  EnforcementView,
  ExtendBody,
  IdempotencyHeaders,
  PlanView,
  ReasonOnlyBody,
  RetryBody,
  UlidPath,
} from './schema.ts'
import { planView } from './views.ts'

const accepted = { 202: EnforcementView, ...problems }

/** POST and GET /v1/enforcements, GET /v1/enforcements/{id}, and POST …/approve, reject, release, extend, retry. */
export function enforcementRoutes(app: Api, context: ApiContext): void {
  enforceRoute(app, context)
  readRoutes(app, context)
  approvalRoutes(app, context)
  laterRoutes(app, context)
}

function enforceRoute(app: Api, context: ApiContext): void {
  app.route({
    method: 'POST',
    url: '/v1/enforcements',
    config: { access: only('abuse', 'admin') },
    schema: {
      summary: 'Takes a decision, or enforces exactly the plan that was reviewed',
      description:
        'Send an Idempotency-Key, the same one again for each retry: the same key and body answer with the same enforcement as it is now, and `Idempotent-Replayed: true`.',
      tags: ['enforcements'],
      headers: IdempotencyHeaders,
      body: EnforceBody,
      response: {
        200: PlanView.describe('the plan, for dryRun'),
        ...accepted,
      },
    },
    handler: async (request, reply) => {
      const { body } = request
      const caller = callerOf(request)
      if (body.kind === 'decision' && body.dryRun) {
        return planView(await context.controller.plan(caller, body.decision, false))
      }
      const key = request.headers['idempotency-key']
      const bodySha256 = digestOfBody(body)
      const result = await context.controller.enforce(
        caller,
        body.kind === 'plan' ? body : { kind: 'decision', decision: body.decision },
        key === undefined ? { bodySha256 } : { key, bodySha256 },
      )
      if (result.replayed) reply.header('idempotent-replayed', 'true')
      return answerAccepted(context, reply, result.enforcement)
    },
  })
}

function readRoutes(app: Api, context: ApiContext): void {
  const { store } = context.controller
  app.route({
    method: 'GET',
    url: '/v1/enforcements',
    config: { access: everyone },
    schema: {
      summary: 'Enforcements, newest first',
      tags: ['enforcements'],
      querystring: EnforcementsQuery,
      response: { 200: EnforcementPage, ...problems },
    },
    handler: async ({ query }) =>
      store.read((rows) => {
        const found = rows.enforcements({
          ...(query.status === undefined ? {} : { statuses: [query.status].flat() }),
          ...(query.customer === undefined ? {} : { customer: query.customer }),
          ...(query.cursor === undefined ? {} : { before: query.cursor }),
          limit: query.limit + 1,
        })
        const { items, ...more } = pageOfMore(found, query.limit, ({ id }) => id)
        return { items: viewEnforcements(context, rows, items), ...more }
      }),
  })
  app.route({
    method: 'GET',
    url: '/v1/enforcements/:id',
    config: { access: everyone },
    schema: {
      summary: 'One enforcement, with its result per device',
      tags: ['enforcements'],
      params: UlidPath,
      response: { 200: EnforcementView, ...problems },
    },
    handler: async (request) => viewEnforcement(context, request.params.id),
  })
}

function approvalRoutes(app: Api, context: ApiContext): void {
  app.route({
    method: 'POST',
    url: '/v1/enforcements/:id/approve',
    config: { access: only('approver', 'admin') },
    schema: {
      summary: 'Approves exactly what was reviewed; never by the one who asked',
      tags: ['enforcements'],
      params: UlidPath,
      body: ApproveBody,
      response: accepted,
    },
    handler: (request, reply) => {
      const { digest, reason } = request.body
      return act(context, reply, callerOf(request), (controller, caller) =>
        controller.approve(caller, request.params.id, digest, reason),
      )
    },
  })
  app.route({
    method: 'POST',
    url: '/v1/enforcements/:id/reject',
    config: { access: only('approver', 'admin') },
    schema: {
      summary: 'Rejects what waits for approval',
      tags: ['enforcements'],
      params: UlidPath,
      body: ReasonOnlyBody,
      response: accepted,
    },
    handler: (request, reply) =>
      act(context, reply, callerOf(request), (controller, caller) =>
        controller.reject(caller, request.params.id, request.body.reason),
      ),
  })
}

function laterRoutes(app: Api, context: ApiContext): void {
  app.route({
    method: 'POST',
    url: '/v1/enforcements/:id/release',
    config: { access: only('abuse', 'admin') },
    schema: {
      summary: 'Lifts it; what other enforcements still want stays',
      tags: ['enforcements'],
      params: UlidPath,
      body: ReasonOnlyBody,
      response: accepted,
    },
    handler: (request, reply) =>
      act(context, reply, callerOf(request), (controller, caller) =>
        controller.release(caller, request.params.id, request.body.reason),
      ),
  })
  app.route({
    method: 'POST',
    url: '/v1/enforcements/:id/extend',
    config: { access: only('abuse', 'admin') },
    schema: {
      summary: 'Gives it a new end',
      tags: ['enforcements'],
      params: UlidPath,
      body: ExtendBody,
      response: accepted,
    },
    handler: (request, reply) => {
      const { expiresAt, reason } = request.body
      return act(context, reply, callerOf(request), (controller, caller) =>
        controller.extend(caller, request.params.id, expiresAt, reason),
      )
    },
  })
  app.route({
    method: 'POST',
    url: '/v1/enforcements/:id/retry',
    config: { access: only('abuse', 'admin') },
    schema: {
      summary: 'Tries the devices again that are not verified, or those named',
      tags: ['enforcements'],
      params: UlidPath,
      body: optionalBody(RetryBody),
      response: accepted,
    },
    handler: (request, reply) =>
      act(context, reply, callerOf(request), (controller, caller) =>
        controller.retry(caller, request.params.id, request.body?.devices),
      ),
  })
}

async function act(
  context: ApiContext,
  reply: FastifyReply,
  caller: Caller,
  what: (controller: ApiContext['controller'], caller: Caller) => Promise<Enforcement>,
): Promise<EnforcementView> {
  return answerAccepted(context, reply, await what(context.controller, caller))
}

function answerAccepted(
  context: ApiContext,
  reply: FastifyReply,
  { id }: Enforcement,
): EnforcementView {
  reply.code(202).header('location', `/v1/enforcements/${id}`)
  return viewEnforcement(context, id)
}

// The parsed body lists its members in the schema's order and with its defaults: two ways of writing one decision are one body.
function digestOfBody(body: unknown): string {
  return hash('sha256', JSON.stringify(body), 'hex')
}
