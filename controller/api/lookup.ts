// Who has an address: the abuse desk's first question.

import { everyone } from './auth.ts'
import { type Api, type ApiContext, problems } from './context.ts'
import { LookupQuery, LookupView } from './schema.ts'
import { lookupView } from './views-inventory.ts'

/** GET /v1/lookup?ip=. An address of nobody is an answer, not an error. */
export function lookupRoutes(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/lookup',
    config: { access: everyone },
    schema: {
      summary: 'Who has this address, where it is, what is in force on it',
      tags: ['inventory'],
      querystring: LookupQuery,
      response: { 200: LookupView, ...problems },
    },
    handler: async ({ query }) => {
      const found = controller.lookup(query.ip)
      const enforcements = controller.store.read((rows) =>
        found.enforcements.flatMap((id) => rows.enforcement(id) ?? []),
      )
      return lookupView(found, controller.inventory(), enforcements)
    },
  })
}
