// The big red button, and the clock's: what holds everything.

import { z } from 'zod'
import { unwantedOn } from '../device-state.ts'
import type { Rows } from '../store/store.ts'
import { callerOf, everyone, only } from './auth.ts'
import { type Api, type ApiContext, problems, viewEnforcements } from './context.ts'
import { FreezeBody, FreezeView, StatusView, UnfreezeQuery } from './schema.ts'

const enforcementsMax = 1_000

/** POST and DELETE /v1/freeze, POST /v1/clock/acknowledge, GET /v1/status. */
export function freezeRoutes(app: Api, context: ApiContext): void {
  const { controller } = context
  app.route({
    method: 'POST',
    url: '/v1/freeze',
    config: { access: only('engineer', 'admin') },
    schema: {
      summary: 'No device is changed while it holds; decisions are accepted and wait',
      tags: ['controller'],
      body: FreezeBody,
      response: { 200: FreezeView, ...problems },
    },
    handler: async (request) => {
      const { since, by, reason } = await controller.freeze(callerOf(request), request.body.reason)
      return { since, by, reason }
    },
  })
  app.route({
    method: 'DELETE',
    url: '/v1/freeze',
    config: { access: only('engineer', 'admin') },
    schema: {
      summary: 'Goes on with what was held',
      tags: ['controller'],
      querystring: UnfreezeQuery,
      response: { 204: z.null().describe('no freeze holds any more'), ...problems },
    },
    handler: async (request, reply) => {
      await controller.unfreeze(callerOf(request), request.query.reason ?? 'no reason given')
      reply.code(204)
      return null
    },
  })
  app.route({
    method: 'POST',
    url: '/v1/clock/acknowledge',
    config: { access: only('engineer', 'admin') },
    schema: {
      summary: 'Lets expiries go on that are held because the clock jumped',
      tags: ['controller'],
      response: { 204: z.null().describe('expiries go on'), ...problems },
    },
    handler: async (request, reply) => {
      await controller.acknowledgeClock(callerOf(request))
      reply.code(204)
      return null
    },
  })
  statusRoute(app, context)
}

function statusRoute(app: Api, context: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/status',
    config: { access: everyone },
    schema: {
      summary:
        'All in force, and what needs a person’s eye: overdue, unsaved, unwanted, orphans, held, frozen',
      tags: ['controller'],
      response: { 200: StatusView, ...problems },
    },
    handler: async () => statusOf(context),
  })
}

function statusOf(context: ApiContext): StatusView {
  const { controller } = context
  const { ok, reasons } = controller.ready()
  const { freeze, clock } = controller.holds()
  const listed = new Set(controller.deviceIds())
  return controller.store.read((rows) => {
    const live = rows.live()
    const counts: StatusView['counts'] = {}
    for (const { status } of live) counts[status] = (counts[status] ?? 0) + 1
    return {
      ready: ok,
      reasons: [...reasons],
      ...(freeze === undefined
        ? {}
        : { freeze: { since: freeze.since, by: freeze.by, reason: freeze.reason } }),
      ...(clock === undefined ? {} : { clock: { jumpMs: clock.jumpMs, since: clock.since } }),
      counts,
      enforcements: viewEnforcements(context, rows, live.slice(0, enforcementsMax)),
      devices: devicesForEye(rows, listed),
      log: {
        origin: controller.store.log().origin,
        size: rows.logSize(),
        healthy: controller.store.healthy(),
      },
    }
  })
}

function devicesForEye(rows: Rows, listed: ReadonlySet<string>): StatusView['devices'] {
  return rows
    .devices()
    .map((known) => {
      const { device: id, state, unsaved, orphans } = known
      // Of a device that left the inventory what stood there once is nobody's question here.
      const found = listed.has(id) ? orphans.length : 0
      return { id, state, unsaved, unwanted: unwantedOn(rows, known).length, orphans: found }
    })
    .filter(({ state, unsaved, unwanted, orphans }) => {
      return state !== 'up' || unsaved || unwanted > 0 || orphans > 0
    })
}
