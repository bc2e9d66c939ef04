// Plans: dry runs, and what was planned before. Touches nothing.

import { callerOf, everyone, only } from './auth.ts'
import { type Api, type ApiContext, notFound, problems } from './context.ts'
import { PlanBody, PlanQuery, PlanView, UlidPath } from './schema.ts'
import { planView } from './views.ts'

/** POST /v1/plans, GET /v1/plans/{id}. */
export function planRoutes(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'POST',
    url: '/v1/plans',
    config: { access: only('abuse', 'engineer', 'admin') },
    schema: {
      summary: 'Dry run of a decision, or of the release of an enforcement',
      tags: ['plans'],
      body: PlanBody,
      querystring: PlanQuery,
      response: { 200: PlanView, ...problems },
    },
    handler: async (request) => {
      const { body } = request
      const online = request.query.online ?? false
      const caller = callerOf(request)
      const plan =
        body.kind === 'release'
          ? await controller.planRelease(caller, body.enforcement, online)
          : await controller.plan(caller, body.decision, online)
      return planView(plan)
    },
  })
  app.route({
    method: 'GET',
    url: '/v1/plans/:id',
    config: { access: everyone },
    schema: {
      summary: 'A plan again',
      tags: ['plans'],
      params: UlidPath,
      response: { 200: PlanView, ...problems },
    },
    handler: async (request) => {
      const { id } = request.params
      const plan = controller.store.read((rows) => rows.plan(id))
      if (plan === undefined) throw notFound('plan', id)
      return planView(plan)
    },
  })
}
