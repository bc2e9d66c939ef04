// Who am I, and what may I do.

import { callerOf, everyone } from './auth.ts'
import { type Api, type ApiContext, problems } from './context.ts'
import { MeView } from './schema.ts'
import { optional } from './views.ts'

/** GET /v1/me. */
export function meRoutes(app: Api, { controller, routes }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/me',
    config: { access: everyone },
    schema: {
      summary: 'The owner of this token, and the calls that it may make',
      tags: ['tokens'],
      response: { 200: MeView, ...problems },
    },
    handler: async (request) => {
      const caller = callerOf(request)
      const row = controller.store
        .read((rows) => rows.tokens())
        .find(({ id }) => id === caller.token)
      return {
        id: caller.token,
        name: row?.name ?? '',
        person: caller.person,
        roles: [...caller.roles],
        ...optional('expiresAt', row?.expiresAt),
        may: routes
          .filter(({ method }) => method !== 'HEAD')
          .filter(
            ({ access }) =>
              access.kind === 'roles' && access.roles.some((role) => caller.roles.includes(role)),
          )
          .map(({ method, url }) => ({ method, path: url.replaceAll(/:(\w+)/g, '{$1}') })),
      }
    },
  })
}
