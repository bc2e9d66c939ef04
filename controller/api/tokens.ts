// Credentials: made once, shown once, listed without their secret, revoked at once.

import type { TokenRow } from '../store/store.ts'
import { callerOf, only } from './auth.ts'
import { type Api, type ApiContext, pageById, problems } from './context.ts'
import { NewTokenView, PageQuery, TokenBody, TokenPage, TokenView, UlidPath } from './schema.ts'
import { optional } from './views.ts'

/** GET and POST /v1/tokens, DELETE /v1/tokens/{id}. */
export function tokenRoutes(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/tokens',
    config: { access: only('admin') },
    schema: {
      summary: 'Tokens, oldest first, revoked ones too',
      tags: ['tokens'],
      querystring: PageQuery,
      response: { 200: TokenPage, ...problems },
    },
    handler: async ({ query }) => {
      const all = controller.store.read((rows) => rows.tokens())
      const { items, ...more } = pageById(all, query)
      return { items: items.map(tokenView), ...more }
    },
  })
  app.route({
    method: 'POST',
    url: '/v1/tokens',
    config: { access: only('admin') },
    schema: {
      summary: 'Makes a token; its secret is in this answer and nowhere else',
      tags: ['tokens'],
      body: TokenBody,
      response: { 201: NewTokenView, ...problems },
    },
    handler: async (request, reply) => {
      const { name, person, roles, expiresAt } = request.body
      const { row, token } = await controller.createToken(callerOf(request), {
        name,
        ...optional('person', person),
        roles,
        ...optional('expiresAt', expiresAt),
      })
      reply.code(201).header('location', `/v1/tokens/${row.id}`).header('cache-control', 'no-store')
      return { ...tokenView(row), token }
    },
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tokens/:id',
    config: { access: only('admin') },
    schema: {
      summary: 'Ends a token at once',
      tags: ['tokens'],
      params: UlidPath,
      response: { 200: TokenView, ...problems },
    },
    handler: async (request) =>
      tokenView(await controller.revokeToken(callerOf(request), request.params.id)),
  })
}

function tokenView(row: TokenRow): TokenView {
  return {
    id: row.id,
    name: row.name,
    person: row.person,
    roles: [...row.roles],
    createdAt: row.createdAt,
    ...optional('expiresAt', row.expiresAt),
    ...optional('revokedAt', row.revokedAt),
    ...optional('madeBy', row.madeBy),
  }
}
