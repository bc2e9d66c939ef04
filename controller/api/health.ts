// Whether it lives, whether it takes work, and its metrics.

import { z } from 'zod'
import { everyone, open } from './auth.ts'
import { type Api, type ApiContext, problems } from './context.ts'
import { HealthView, ReadyView } from './schema.ts'

/** GET /healthz, /readyz (without a token) and /metrics. */
export function healthRoutes(app: Api, { controller, metrics }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/healthz',
    config: { access: open, supervised: true },
    schema: { summary: 'Whether it lives', tags: ['health'], response: { 200: HealthView } },
    handler: async () => ({ status: 'ok' as const }),
  })
  app.route({
    method: 'GET',
    url: '/readyz',
    config: { access: open, supervised: true },
    schema: {
      summary: 'Whether it takes work',
      tags: ['health'],
      response: { 200: ReadyView, 503: ReadyView },
    },
    handler: async (_request, reply) => {
      const { ok, reasons } = controller.ready()
      reply.code(ok ? 200 : 503)
      return { ready: ok, reasons: [...reasons] }
    },
  })
  app.route({
    method: 'GET',
    url: '/metrics',
    config: { access: everyone },
    schema: {
      summary: 'Metrics in the format of Prometheus',
      tags: ['health'],
      response: {
        200: { description: 'metrics', content: { 'text/plain': { schema: z.string() } } },
        ...problems,
      },
    },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  })
}
